/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl-scsi-libvirt check|add|remove DOMID [TEXT...]: what libvirt's definitions
 * of a running domain say in <metadata>, for xl scsi-attach --libvirt and
 * scsi-detach --libvirt, which start it.  add takes PDEV,VDEV[,OPTION...],
 * remove places, "H:C:T:L" or "H:*".
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "hook.h"

/* Until libvirtd has answered everything. */
#define PATIENCE_S 60

#define LIVE VIR_DOMAIN_AFFECT_LIVE
#define CONFIG VIR_DOMAIN_AFFECT_CONFIG

const char say_prefix[] = "xl: libvirt";

static void on_alarm(int sig)
{
    static const char text[] = "xl: libvirt: libvirtd does not answer\n";

    (void)sig;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(2);
    _exit(1);
}

static void no_words(void *arg, virErrorPtr error)
{
    (void)arg, (void)error;
}

static bool say_error(const char *what)
{
    const char *why = virGetLastErrorMessage();

    say("%s: %s", what, why);
    return false;
}

/* ----- one of the two definitions ----- */

typedef struct change {
    char **out, **in;
    int num_out, num_in;
} change;

/* What it is before and after; NULL for none. */
typedef struct texts {
    char *before, *after;
} texts;

static char *read_xml(virDomainPtr domain, unsigned flag)
{
    return virDomainGetXMLDesc(domain, flag == CONFIG ?
                               VIR_DOMAIN_XML_INACTIVE : 0);
}

static bool change_text(virDomainPtr domain, unsigned flag, const change *c,
                        texts *t_r)
{
    char *xml = read_xml(domain, flag), *msg = NULL;
    bool ok;

    if (!xml)
        return say_error("the domain's definition cannot be read");
    ok = definition_change(xml, NULL, 0, NULL, 0, &t_r->before, &msg) &&
         definition_change(xml, c->out, c->num_out, c->in, c->num_in,
                           &t_r->after, &msg);
    free(xml);
    if (!ok)
        say("%s", msg ? msg : "the domain's definition is not understood");
    free(msg);
    return ok;
}

static bool write_text(virDomainPtr domain, unsigned flag, const char *text)
{
    if (!virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, text,
                              DEFINITION_KEY, DEFINITION_URI, flag))
        return true;
    return say_error(flag == CONFIG
                     ? "the domain's persistent definition cannot be changed"
                     : "the running domain's definition cannot be changed");
}

/* Both, or none. */
static bool change_both(virDomainPtr domain, const change *c)
{
    texts live = { .before = NULL }, config = { .before = NULL };
    bool persistent = virDomainIsPersistent(domain) == 1, ok;

    ok = change_text(domain, LIVE, c, &live) &&
         (!persistent || change_text(domain, CONFIG, c, &config)) &&
         write_text(domain, LIVE, live.after);
    if (ok && persistent && !write_text(domain, CONFIG, config.after)) {
        write_text(domain, LIVE, live.before);
        ok = false;
    }
    free(live.before);
    free(live.after);
    free(config.before);
    free(config.after);
    return ok;
}

/* ----- the commands ----- */

static bool add(virDomainPtr domain, char **specs, int num)
{
    change c = { .in = specs, .num_in = num };
    bool ok = true;
    int i;

    c.out = calloc((size_t)num + 1, sizeof(*c.out));
    for (i = 0; c.out && ok && i < num; i++) {
        const char *comma = strchr(specs[i], ',');

        c.out[c.num_out] = comma ? strndup(comma + 1,
                                           strcspn(comma + 1, ",")) : NULL;
        ok = c.out[c.num_out++];
    }
    ok = ok && c.out && change_both(domain, &c);
    for (i = 0; i < c.num_out; i++)
        free(c.out[i]);
    free(c.out);
    return ok;
}

/* What came by <hostdev> is not ours to take out. */
static bool check_hostdevs(virDomainPtr domain, unsigned flag, char **places,
                           int num)
{
    char *xml = read_xml(domain, flag), *msg = NULL;
    definition def;
    bool ok;
    int i;

    definition_init(&def);
    ok = xml && definition_read(xml, strlen(xml), &def, &msg);
    for (i = 0; ok && i < num; i++)
        if (definition_has(&def, places[i])) {
            say("%s is detached, but stays in the domain's definition, as "
                "<hostdev> (virsh detach-device --config takes it out)",
                places[i]);
            ok = false;
        }
    definition_dispose(&def);
    free(msg);
    free(xml);
    return ok;
}

static bool take_out(virDomainPtr domain, char **places, int num)
{
    change c = { .out = places, .num_out = num };

    return change_both(domain, &c) &&
           check_hostdevs(domain, virDomainIsPersistent(domain) == 1
                          ? CONFIG : LIVE, places, num);
}

static bool run(virConnectPtr connection, int argc, char **argv)
{
    char *end;
    unsigned long domid = strtoul(argv[2], &end, 10);
    change nothing = { .in = NULL };
    texts t = { .before = NULL };
    virDomainPtr domain = NULL;
    bool ok;

    if (!*end && domid <= INT_MAX)
        domain = virDomainLookupByID(connection, (int)domid);
    if (!domain)
        return say_error("it is no domain of libvirt's");
    if (!strcmp(argv[1], "add"))
        ok = add(domain, argv + 3, argc - 3);
    else if (!strcmp(argv[1], "remove"))
        ok = take_out(domain, argv + 3, argc - 3);
    else
        ok = change_text(domain, LIVE, &nothing, &t);
    free(t.before);
    free(t.after);
    virDomainFree(domain);
    return ok;
}

int main(int argc, char **argv)
{
    virConnectPtr connection;
    bool ok;

    if (argc < 3) {
        say("xl scsi-attach --libvirt and scsi-detach --libvirt start this");
        return 2;
    }
    signal(SIGALRM, on_alarm);
    alarm(PATIENCE_S);
    virSetErrorFunc(NULL, no_words);
    connection = virConnectOpen("xen:///system");
    ok = connection ? run(connection, argc, argv)
                    : say_error("cannot reach libvirtd");
    if (connection)
        virConnectClose(connection);
    return ok ? 0 : 1;
}
