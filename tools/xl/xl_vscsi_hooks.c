/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into the distribution's xl: stands before what xl calls of libxl
 * and libxlutil, so that vscsi= holds for the whole life of a domain.  Most
 * commands pass through here and cost nothing.  Where vscsi matters and the
 * other object cannot be had, xl gets an error; it does not look at all of
 * them, so that what is refused is not always where that was found out.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends.h"
#include "gate.h"
#include "preloaded.h"

/* For the launcher, which looks into the file. */
static const char stamp[] __attribute__((used)) = HOOKS_STAMP;

/* The configuration file that is being read. */
static const XLU_Config *source_of;
static char *source;

/* The domain whose configuration was read without its SCSI devices. */
static uint32_t bare_domid = NO_DOMID;
static bool has_made_domain;

/* What we stand before.  Looked up when the first of them is called: most
 * commands call none. */
const hooks_real *real(void)
{
    static hooks_real found;

    if (found.libxl_domain_info)
        return &found;
#define X(name) *(void **)&found.name = dlsym(RTLD_NEXT, #name);
    HOOKS_INTERPOSED(X)
    HOOKS_CALLED(X)             /* ends with libxl_domain_info */
#undef X
    return &found;
}

/* ----- where we are ----- */

static bool is_off(void)
{
    const char *word = getenv("XL_VSCSI");

    return word && !strcmp(word, "off");
}

/* The arguments lie one after the other: without the mark, the rest moves
 * up, so that nobody who looks for a process finds a gap. */
static void take_mark(int argc, char **argv)
{
    const size_t length = sizeof(HOOKS_MARK) - 1;
    char *mark, *end;
    int i = 1;

    while (i < argc && argv[i][0] == '-')
        i++;
    if (i >= argc || strlen(argv[i]) <= length)
        return;
    mark = argv[i] + strlen(argv[i]) - length;
    if (strcmp(mark, HOOKS_MARK))
        return;
    end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
    memmove(mark, mark + length, (size_t)(end - mark) - length);
    memset(end - length, 0, length);
    while (++i < argc)
        argv[i] -= length;
}

/* The v's among the options before the command. */
static unsigned count_verbose(char **argv)
{
    unsigned num = 0;
    const char *at;

    for (argv++; argv[-1] && *argv && (*argv)[0] == '-'; argv++)
        for (at = *argv; *at; at++)
            num += *at == 'v';
    return num;
}

/* glibc hands every constructor what main() gets. */
static void __attribute__((constructor)) begin(int argc, char **argv)
{
    if (!preloaded_into("xl"))
        return;
    preloaded_leave(&gate_is_on);
    take_mark(argc, argv);
    gate_verbose = count_verbose(argv);
    gate_is_on = !is_off();
}

/* ----- configuration files ----- */

PUBLIC XLU_Config *xlu_cfg_init(FILE *report, const char *report_filename)
{
    XLU_Config *cfg = real()->xlu_cfg_init(report, report_filename);

    if (gate_is_on && cfg && report_filename) {
        free(source);
        source = strdup(report_filename);
        source_of = cfg;
    }
    return cfg;
}

/* An empty list gives nothing; what is no list is for the other object. */
static bool has_vscsi(XLU_Config *cfg)
{
    XLU_ConfigList *list;
    int num = 0, e;

    e = real()->xlu_cfg_get_list(cfg, "vscsi", &list, &num, 1);
    return e ? e != ESRCH : num > 0;
}

PUBLIC int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    const char *name = cfg == source_of && source ? source : "configuration";
    int e = real()->xlu_cfg_readdata(cfg, data, length);

    if (e || !gate_is_on)
        return e;
    if (gate_saved_has_devices && !has_vscsi(cfg)) {
        fprintf(stderr, "xl: vscsi: %s: vscsi= is missing: the saved domain "
                "goes on with the SCSI devices that it has\n", name);
        return EINVAL;
    }
    /* A file without vscsi= matters only after one with it. */
    if (!gate_life && !has_vscsi(cfg)) {
        gate_matters(false);
        return 0;
    }
    if (gate_needed() == GATE_LOADED)
        return gate_life->read_config(cfg, name);
    gate_say("%s: vscsi= is not heeded, and nothing done", name);
    return ELIBACC;
}

/* ----- block devices ----- */

/* Of what a guest has through vscsi, nobody gets the disk.  A guest that
 * reboots had its disks all the time: it does not stay down for others'. */
static int check_disks(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_disk *disks, int num)
{
    if (!gate_is_on || !num || !backends_any())
        return 0;
    if (gate_needed() == GATE_LOADED)
        return gate_life->check_disks(ctx, domid, disks, num);
    if (has_made_domain) {
        gate_say("disks are used again without a look at the SCSI devices "
                 "that domains have");
        return 0;
    }
    gate_say("no disk is used: it may be one that a domain has as a SCSI "
             "device");
    return ERROR_FAIL;
}

PUBLIC int libxl_device_disk_add(libxl_ctx *ctx, uint32_t domid,
                                 libxl_device_disk *disk,
                                 const libxl_asyncop_how *ao_how)
{
    int rc = check_disks(ctx, domid, disk, 1);

    return rc ? rc : real()->libxl_device_disk_add(ctx, domid, disk, ao_how);
}

PUBLIC int libxl_cdrom_insert(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_disk *disk,
                              const libxl_asyncop_how *ao_how)
{
    int rc = check_disks(ctx, domid, disk, 1);

    return rc ? rc : real()->libxl_cdrom_insert(ctx, domid, disk, ao_how);
}

/* ----- domains ----- */

static int before_create(libxl_ctx *ctx, libxl_domain_config *config,
                         const libxl_asyncop_how *ao_how)
{
    int rc = check_disks(ctx, NO_DOMID, config->disks, config->num_disks);

    if (rc)
        return rc;
    switch (gate_now()) {
    case GATE_NOTHING:
        return 0;
    case GATE_REFUSED:
        gate_say("the domain is not started without its SCSI devices");
        return ERROR_FAIL;
    case GATE_LOADED:
        break;
    }
    if (ao_how) {
        fprintf(stderr, "xl: vscsi: a domain with SCSI devices cannot be made "
                "in the background\n");
        return ERROR_INVAL;
    }
    return gate_life->before_create(config);
}

static int after_create(libxl_ctx *ctx, libxl_domain_config *config,
                        uint32_t *domid, bool boots, int rc)
{
    if (!rc)
        gate_mark(*domid);
    if (gate_life)
        rc = gate_life->after_create(ctx, config, domid, boots, rc);
    has_made_domain |= !rc;
    gate_saved_has_devices = false;
    return rc;
}

PUBLIC int libxl_domain_create_new(
    libxl_ctx *ctx, libxl_domain_config *d_config, uint32_t *domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    int rc = before_create(ctx, d_config, ao_how);

    if (rc)
        return rc;
    rc = real()->libxl_domain_create_new(ctx, d_config, domid, ao_how,
                                         aop_console_how);
    return after_create(ctx, d_config, domid, true, rc);
}

PUBLIC int libxl_domain_create_restore(
    libxl_ctx *ctx, libxl_domain_config *d_config, uint32_t *domid,
    int restore_fd, int send_back_fd,
    const libxl_domain_restore_params *params,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    int rc = before_create(ctx, d_config, ao_how);

    if (rc)
        return rc;
    rc = real()->libxl_domain_create_restore(ctx, d_config, domid, restore_fd,
                                             send_back_fd, params, ao_how,
                                             aop_console_how);
    return after_create(ctx, d_config, domid, false, rc);
}

PUBLIC int libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *d_config, uint32_t domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    switch (ao_how ? GATE_NOTHING : gate_domain(domid)) {
    case GATE_LOADED:
        return gate_life->soft_reset(ctx, d_config, domid, ao_how,
                                     aop_console_how);
    case GATE_REFUSED:
        gate_say("domain %u is not started again without its SCSI devices",
                 domid);
        return ERROR_FAIL;
    case GATE_NOTHING:
        break;
    }
    return real()->libxl_domain_soft_reset(ctx, d_config, domid, ao_how,
                                           aop_console_how);
}

/* Never refused: a guest has to be stopped whatever there is of us. */
PUBLIC int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                                const libxl_asyncop_how *ao_how)
{
    gate_state state = ao_how ? GATE_NOTHING : gate_domain(domid);
    int rc;

    if (state == GATE_LOADED)
        return gate_life->destroy(ctx, domid);
    rc = real()->libxl_domain_destroy(ctx, domid, ao_how);
    if (!rc && state == GATE_REFUSED)
        gate_say("domain %u is destroyed, and what dom0 has of its SCSI "
                 "devices is left to xl scsi-cleanup", domid);
    return rc;
}

PUBLIC int libxl_domain_preserve(libxl_ctx *ctx, uint32_t domid,
                                 libxl_domain_create_info *info,
                                 const char *name_suffix,
                                 libxl_uuid new_uuid)
{
    gate_state state = gate_domain(domid);
    int rc;

    if (state == GATE_REFUSED) {
        gate_say("domain %u stays as it is: its SCSI devices cannot go to "
                 "the one that would take its place", domid);
        return ERROR_FAIL;
    }
    rc = real()->libxl_domain_preserve(ctx, domid, info, name_suffix,
                                       new_uuid);
    if (!rc && state == GATE_LOADED)
        gate_life->preserved(ctx, domid);
    return rc;
}

/* ----- a domain's configuration as JSON ----- */

PUBLIC int libxl_retrieve_domain_configuration(
    libxl_ctx *ctx, uint32_t domid, libxl_domain_config *d_config,
    const libxl_asyncop_how *ao_how)
{
    int rc = real()->libxl_retrieve_domain_configuration(ctx, domid, d_config,
                                                         ao_how);

    if (rc || ao_how)
        return rc;
    switch (gate_domain(domid)) {
    case GATE_LOADED:
        return gate_life->retrieved(ctx, domid, d_config);
    case GATE_REFUSED:
        /* With an error, xl would reboot the domain as it was created, and
         * leave it out of a list: it is refused where it is used. */
        bare_domid = domid;
        gate_matters(true);
        return 0;
    case GATE_NOTHING:
        bare_domid = NO_DOMID;
        gate_matters(false);
        break;
    }
    return 0;
}

PUBLIC void libxl_domain_config_dispose(libxl_domain_config *p)
{
    if (gate_life)
        gate_life->disposed(p);
    real()->libxl_domain_config_dispose(p);
}

PUBLIC char *libxl_domain_config_to_json(libxl_ctx *ctx,
                                         libxl_domain_config *p)
{
    char *text;

    if (bare_domid != NO_DOMID) {
        gate_say("domain %u is not saved or sent without its SCSI devices",
                 bare_domid);
        return NULL;
    }
    text = real()->libxl_domain_config_to_json(ctx, p);
    return text && gate_life ? gate_life->add_to_json(p, text) : text;
}

PUBLIC int libxl_domain_config_from_json(libxl_ctx *ctx,
                                         libxl_domain_config *p,
                                         const char *s)
{
    int rc = real()->libxl_domain_config_from_json(ctx, p, s);

    if (rc || !gate_is_on || (!gate_life && !strstr(s, JSON_KEY)))
        return rc;
    if (gate_needed() == GATE_LOADED)
        return gate_life->take_from_json(ctx, p, s);
    /* xl does not look at what this returns: see before_create(). */
    gate_matters(true);
    return 0;
}

PUBLIC yajl_gen_status libxl_domain_config_gen_json(yajl_gen hand,
                                                    libxl_domain_config *p)
{
    if (bare_domid != NO_DOMID) {
        gate_say("the SCSI devices of domain %u are not shown", bare_domid);
        bare_domid = NO_DOMID;
    }
    return gate_life ? gate_life->gen_json(hand, p)
                     : real()->libxl_domain_config_gen_json(hand, p);
}
