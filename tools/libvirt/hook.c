/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * /etc/libvirt/hooks/libxl.d/xen-vscsi NAME OPERATION SUBOPERATION EXTRA, as
 * libvirt's libxl driver calls it, with the domain's XML on stdin.  Starts no
 * program: what libvirtd is confined to forbids it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../xl/backends.h"
#include "hook.h"

#define NO_DOMID UINT32_MAX

const char say_prefix[] = "xen-vscsi";

/* ----- what there is to know ----- */

static char *read_all(FILE *f, size_t *length_r)
{
    size_t size = 65536, length = 0;
    char *text = malloc(size), *more;

    while (text) {
        length += fread(text + length, 1, size - length, f);
        if (length < size || size > DEFINITION_MAX)
            break;
        size *= 2;
        more = realloc(text, size);
        if (!more)
            free(text);
        text = more;
    }
    if (text && ferror(f)) {
        free(text);
        text = NULL;
    }
    *length_r = length;
    return text;
}

/* At "migrate", libvirt 9.0 gives no XML; it does at "prepare". */
static bool read_definition(const char *name, const char *operation,
                            definition *def_r)
{
    size_t length;
    char *xml, *msg = NULL;
    bool ok;

    xml = read_all(stdin, &length);
    if (!xml) {
        say("domain %s: its XML cannot be read: %s", name, strerror(errno));
        return false;
    }
    ok = (!length && !strcmp(operation, "migrate")) ||
         definition_read(xml, length, def_r, &msg);
    if (!ok)
        say("domain %s: %s", name, msg ? msg : "out of memory");
    free(msg);
    free(xml);
    return ok;
}

static libxl_ctx *open_xen(void)
{
    static xentoollog_logger *logger;
    libxl_ctx *ctx = NULL;

    logger = (xentoollog_logger *)
        xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
    if (!logger || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, logger)) {
        say("cannot reach Xen");
        return NULL;
    }
    libxl_vscsi_set_logger(logger);
    return ctx;
}

/* Is the object loaded into libvirtd that gives domains their devices?  False:
 * that cannot be found out; said. */
static bool find_object(bool *found_r)
{
    char path[64], *line = NULL;
    bool found = false, ok;
    size_t size = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)getppid());
    f = fopen(path, "re");
    while (f && !found && getline(&line, &size, f) > 0)
        found = strstr(line, "/" LIBVIRTD_OBJECT);
    ok = f && !ferror(f);
    if (!ok)
        say("%s: cannot see whether " LIBVIRTD_OBJECT " is there: %s", path,
            strerror(errno));
    if (f)
        fclose(f);
    free(line);
    *found_r = found;
    return ok;
}

/* ----- the operations: each returns whether the start may go on ----- */

/* As a domain's block device, nobody gets what another has by vscsi. */
static bool check(const definition *def)
{
    libxl_ctx *ctx = open_xen();
    int i, rc = ctx ? 0 : ERROR_FAIL;

    if (!rc && def->num)
        rc = libxl_vscsi_check(ctx, &def->uuid, def->ctrls, def->num);
    for (i = 0; !rc && i < def->num_disks; i++)
        rc = libxl_vscsi_check_disk(ctx, NO_DOMID, def->disks[i]);
    libxl_ctx_free(ctx);
    return !rc;
}

/* Has the process which held it attached them, when nobody came? */
static bool has_all(libxl_ctx *ctx, uint32_t domid, definition *def)
{
    return !leave_out_present(ctx, domid, def) && !def->num;
}

static bool started(definition *def)
{
    uint32_t domid = (uint32_t)def->domid;
    libxl_ctx *ctx = open_xen();
    hold h = { .fd = -1 };
    bool ok = ctx && hold_open(def, domid, &h);

    if (ok && !h.marked && !has_all(ctx, domid, def)) {
        say("domain %s ran before it could be given its SCSI devices: the "
            "process that was to hold it is gone (start it again)",
            def->name);
        ok = false;
    } else if (ok && h.marked) {
        ok = !attach_all(ctx, domid, def) && hold_end(ctx, domid, &h);
    }
    hold_close(&h);
    libxl_ctx_free(ctx);
    return ok;
}

/* After a start that failed, the XML does not say which domain it was. */
static void stopped(const definition *def)
{
    libxl_ctx *ctx = open_xen();

    if (!ctx)
        return;
    if (def->domid >= 0)
        libxl_vscsi_cleanup_domain(ctx, (uint32_t)def->domid);
    else
        libxl_vscsi_cleanup(ctx);
    libxl_ctx_free(ctx);
}

/* libvirtd is back.  It drops a domain whose hook fails. */
static void reconnect(definition *def)
{
    uint32_t domid = (uint32_t)def->domid;
    libxl_ctx *ctx = open_xen();
    hold h = { .fd = -1 };

    if (!ctx)
        return;
    if (hold_open(def, domid, &h) && h.marked) {
        attach_rest(ctx, domid, def);
        hold_end(ctx, domid, &h);
    }
    hold_close(&h);
    libxl_vscsi_cleanup(ctx);
    libxl_ctx_free(ctx);
}

static bool give_devices(const char *operation, definition *def)
{
    bool others;

    if (!find_object(&others))
        return false;
    if (others)
        return true;
    return !strcmp(operation, "start") ? hold_begin(def) : started(def);
}

static bool is_before(const char *operation)
{
    return !strcmp(operation, "prepare") || !strcmp(operation, "migrate");
}

static bool act(const char *operation, definition *def)
{
    if (is_before(operation))
        return check(def);
    if (!strcmp(operation, "start") || !strcmp(operation, "started"))
        return give_devices(operation, def);
    if (!strcmp(operation, "stopped"))
        stopped(def);
    else if (!strcmp(operation, "release"))
        hold_cancel(def);
    else if (!strcmp(operation, "reconnect"))
        reconnect(def);
    return true;
}

static bool is_start(const char *operation)
{
    return !strcmp(operation, "prepare") || !strcmp(operation, "start") ||
           !strcmp(operation, "started");
}

int main(int argc, char **argv)
{
    definition def;
    bool ok;

    if (argc < 3) {
        say("libvirt calls this for domains of Xen, with their XML: see "
            "xen-vscsi-libvirt(7)");
        return 2;
    }
    definition_init(&def);
    ok = read_definition(argv[1], argv[2], &def);
    if (ok && !def.num && def.num_disks && is_before(argv[2]) &&
        backends_any())
        ok = check(&def);
    else if (ok && def.num)
        ok = act(argv[2], &def);
    else if (!ok && !strcmp(argv[2], "stopped"))
        stopped(&def);          /* it has been changed since the start */
    if (!ok && is_start(argv[2]))
        image_put_back(argv[1]);
    definition_dispose(&def);
    /* Of a running domain whose hook fails, libvirt knows nothing more. */
    return ok || !strcmp(argv[2], "reconnect") ? 0 : 1;
}
