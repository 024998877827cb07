/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl scsi-attach and xl scsi-detach. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libxlutil_vscsi.h>

#include "xl.h"

#define MAX_TIMEOUT_S 86400u

typedef struct how {
    bool force, libvirt;
} how;

static bool set_timeout(const char *text)
{
    libxl_vscsi_timeouts timeouts;
    unsigned seconds;

    if (!xl_parse_unsigned(text, MAX_TIMEOUT_S, &seconds)) {
        fprintf(stderr, "--timeout: '%s' is not a number of seconds from 0"
                " to %u\n", text, MAX_TIMEOUT_S);
        return false;
    }
    libxl_vscsi_get_timeouts(&timeouts);
    timeouts.handshake_ms = seconds * 1000;
    libxl_vscsi_set_timeouts(&timeouts);
    return true;
}

/* Says why text was refused; frees msg. */
static void print_refusal(char *msg)
{
    fprintf(stderr, "%s\n", msg ? msg : "xl: out of memory");
    free(msg);
}

/* ----- attach ----- */

/* What was not said, and has been chosen. */
static bool print_places(const libxl_device_vscsictrl *ctrl)
{
    char vdev[XL_HCTL_SIZE];
    int i;

    for (i = 0; i < ctrl->num_vscsidevs; i++) {
        xl_format_hctl(&ctrl->vscsidevs[i].vdev, vdev);
        puts(vdev);
    }
    return xl_flush_stdout();
}

/* Four numbers without a vdev may be the vdev of a device that the domain
 * started without; then ctrl becomes that. */
static bool find_missing(libxl_ctx *ctx, uint32_t domid,
                         libxl_device_vscsictrl *ctrl, bool *found_r)
{
    const libxl_vscsi_pdev *pdev = &ctrl->vscsidevs[0].pdev;
    libxl_vscsi_hctl vdev = pdev->u.hctl.m;
    libxl_device_vscsictrl *ctrls, one;
    int i, j, num;

    *found_r = false;
    if (pdev->type != LIBXL_VSCSI_PDEV_TYPE_HCTL)
        return true;
    ctrls = libxl_vscsi_config_list(ctx, domid, &num);
    for (i = 0; i < num && !*found_r; i++) {
        for (j = 0; j < ctrls[i].num_vscsidevs && !*found_r; j++) {
            libxl_device_vscsidev *dev = &ctrls[i].vscsidevs[j];

            if (!dev->absent || !libxl_vscsi_hctl_compare(&dev->vdev, &vdev))
                continue;
            libxl_device_vscsictrl_init(&one);
            one.devid = one.idx = ctrls[i].devid;
            one.segments = ctrls[i].segments;
            one.scsi_raw_cmds = ctrls[i].scsi_raw_cmds;
            dev->absent = false;
            *found_r = !libxl_device_vscsictrl_append_vscsidev(ctx, &one,
                                                               dev);
            libxl_device_vscsictrl_dispose(ctrl);
            *ctrl = one;
        }
    }
    if (num >= 0)
        libxl_device_vscsictrl_list_free(ctrls, num);
    return num >= 0;
}

/* What libvirt's definition does not get is not kept either. */
static bool tell_libvirt(libxl_ctx *ctx, uint32_t domid,
                         const libxl_device_vscsictrl *ctrl)
{
    int i;

    if (xl_libvirt_add(ctx, domid, ctrl))
        return true;
    for (i = 0; i < ctrl->num_vscsidevs; i++)
        libxl_device_vscsidev_remove(ctx, domid, &ctrl->vscsidevs[i], NULL);
    return false;
}

static int attach(const xl_globals *globals, const char *domain,
                  libxl_device_vscsictrl *ctrl, how h)
{
    bool ok, chosen = ctrl->vscsidevs[0].vdev.hst == LIBXL_VSCSI_ANY;
    bool was_missing = false;
    xl_session session;
    uint32_t domid;

    if (!xl_open(globals, &session))
        return XL_FAILURE;
    ok = xl_find_domain(session.ctx, domain, &domid);
    if (ok && chosen)
        ok = find_missing(session.ctx, domid, ctrl, &was_missing);
    if (ok && h.libvirt)
        ok = xl_libvirt_check(domid);
    if (ok && h.force)
        ok = !libxl_vscsi_expand(session.ctx, domid, ctrl, true);
    if (ok)
        ok = !libxl_device_vscsictrl_add(session.ctx, domid, ctrl, NULL);
    if (ok && h.libvirt)
        ok = tell_libvirt(session.ctx, domid, ctrl);
    else if (ok && xl_libvirt_has(domid))
        fprintf(stderr, "xl: libvirt starts the domain again without this "
                "(xl scsi-attach --libvirt keeps it)\n");
    if (ok && chosen && !was_missing)
        ok = print_places(ctrl);
    xl_close(&session);
    return ok ? XL_OK : XL_FAILURE;
}

/* PDEV[,VDEV][,OPTION...] of PDEV [VDEV[,OPTION...]] [OPTION...] */
static char *join_spec(int argc, char **argv)
{
    char *spec = NULL;

    if (asprintf(&spec, "%s%s%s%s%s", argv[0], argc > 1 ? "," : "",
                 argc > 1 ? argv[1] : "", argc > 2 ? "," : "",
                 argc > 2 ? argv[2] : "") < 0)
        return NULL;
    return spec;
}

static int print_ctrl(const libxl_device_vscsictrl *ctrl)
{
    char *json = libxl_device_vscsictrl_to_json(NULL, ctrl);

    if (!json) {
        fprintf(stderr, "xl: cannot make JSON of these arguments; are they"
                " UTF-8?\n");
        return XL_FAILURE;
    }
    printf("vscsi: %s\n", json);
    free(json);
    return xl_flush_stdout() ? XL_OK : XL_FAILURE;
}

static int parse_and_attach(const xl_globals *globals, const char *domain,
                            const char *spec, how h)
{
    libxl_device_vscsictrl ctrl;
    char *msg = NULL;
    int status;

    libxl_device_vscsictrl_init(&ctrl);
    if (xlu_vscsi_parse_short(spec, &ctrl, &msg)) {
        print_refusal(msg);
        status = XL_FAILURE;
    } else if (globals->dryrun) {
        status = print_ctrl(&ctrl);
    } else {
        status = attach(globals, domain, &ctrl, h);
    }
    libxl_device_vscsictrl_dispose(&ctrl);
    return status;
}

int main_vscsiattach(const xl_command *cmd, const xl_globals *globals,
                     int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "force", no_argument, NULL, 'f' },
        { "libvirt", no_argument, NULL, 'l' },
        { "timeout", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    int opt, status;
    how h = { 0 };
    char *spec;

    while ((opt = xl_getopt(cmd, argc, argv, ":hf", options, 2, 4,
                            &status)) != XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return status;
        if (opt == 'f')
            h.force = true;
        else if (opt == 'l')
            h.libvirt = true;
        else if (!set_timeout(optarg))
            return XL_USAGE;
    }
    spec = join_spec(argc - optind - 1, argv + optind + 1);
    if (!spec) {
        print_refusal(NULL);
        return XL_FAILURE;
    }
    status = parse_and_attach(globals, argv[optind], spec, h);
    free(spec);
    return status;
}

/* ----- detach ----- */

/* A device by its vdev, or by its pdev where vdev.hst is LIBXL_VSCSI_ANY; or
 * a whole vscsictrl, by its number. */
typedef struct what {
    libxl_device_vscsidev dev;
    libxl_devid devid;          /* -1: the device */
} what;

static int remove_from(libxl_ctx *ctx, uint32_t domid, const what *w,
                       bool force)
{
    libxl_device_vscsictrl ctrl;
    int rc;

    if (w->devid == -1)
        return force
               ? libxl_device_vscsidev_remove(ctx, domid, &w->dev, NULL)
               : libxl_device_vscsidev_safe_remove(ctx, domid, &w->dev,
                                                   NULL);
    libxl_device_vscsictrl_init(&ctrl);
    ctrl.devid = w->devid;
    rc = force ? libxl_device_vscsictrl_remove(ctx, domid, &ctrl, NULL)
               : libxl_device_vscsictrl_safe_remove(ctx, domid, &ctrl, NULL);
    libxl_device_vscsictrl_dispose(&ctrl);
    return rc;
}

/* Whatever was taken away, all of it or not, leaves the definition too. */
static bool remove_both(libxl_ctx *ctx, uint32_t domid, const what *w,
                        bool force)
{
    libxl_device_vscsictrl *before;
    bool ok;
    int num;

    if (!xl_libvirt_check(domid))
        return false;
    before = libxl_device_vscsictrl_list(ctx, domid, &num);
    if (num < 0)
        return false;
    ok = !remove_from(ctx, domid, w, force);
    ok = xl_libvirt_remove(ctx, domid, before, num) && ok;
    libxl_device_vscsictrl_list_free(before, num);
    return ok;
}

static int detach(const xl_globals *globals, const char *domain,
                  const what *w, how h)
{
    xl_session session;
    uint32_t domid;
    bool ok;

    if (!xl_open(globals, &session))
        return XL_FAILURE;
    ok = xl_find_domain(session.ctx, domain, &domid);
    if (ok && h.libvirt)
        ok = remove_both(session.ctx, domid, w, h.force);
    else if (ok)
        ok = !remove_from(session.ctx, domid, w, h.force);
    xl_close(&session);
    return ok ? XL_OK : XL_FAILURE;
}

/* libxl_vscsi_hctl_to_json() would leave out what is 0. */
static int print_what(const what *w)
{
    const libxl_vscsi_hctl *vdev = &w->dev.vdev;

    if (w->devid != -1)
        printf("vscsictrl: %d\n", w->devid);
    else if (vdev->hst == LIBXL_VSCSI_ANY)
        printf("pdev: %s\n", w->dev.pdev.p_devname);
    else
        printf("vdev: {\n    \"hst\": %" PRIu32 ",\n    \"chn\": %" PRIu32
               ",\n    \"tgt\": %" PRIu32 ",\n    \"lun\": %" PRIu64
               "\n}\n\n", vdev->hst, vdev->chn, vdev->tgt, vdev->lun);
    return xl_flush_stdout() ? XL_OK : XL_FAILURE;
}

/* "0:*" */
static bool is_ctrl(const char *text)
{
    return !strcmp(text + strspn(text, "0123456789"), ":*");
}

/* Four numbers may be either; the library looks for a vdev first. */
static int parse_what(const char *text, what *w, char **msg_r)
{
    char *other = NULL;
    int rc;

    if (is_ctrl(text))
        return xlu_vscsi_parse_ctrl(text, &w->devid, msg_r);
    w->dev.vdev.hst = LIBXL_VSCSI_ANY;
    rc = xlu_vscsi_parse_pdev(text, &w->dev.pdev, msg_r);
    if (rc && *text >= '0' && *text <= '9' &&
        xlu_vscsi_parse_vdev(text, &w->dev.vdev, &other)) {
        free(*msg_r);
        *msg_r = other;
    }
    return rc;
}

static int parse_and_detach(const xl_globals *globals, const char *domain,
                            const char *text, how h)
{
    what w = { .devid = -1 };
    char *msg = NULL;
    int status;

    libxl_device_vscsidev_init(&w.dev);
    if (parse_what(text, &w, &msg)) {
        print_refusal(msg);
        status = XL_FAILURE;
    } else if (globals->dryrun) {
        if (w.devid == -1)      /* for the printing: which it looks like */
            xlu_vscsi_parse_vdev(text, &w.dev.vdev, NULL);
        status = print_what(&w);
    } else {
        status = detach(globals, domain, &w, h);
    }
    libxl_device_vscsidev_dispose(&w.dev);
    return status;
}

int main_vscsidetach(const xl_command *cmd, const xl_globals *globals,
                     int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "force", no_argument, NULL, 'f' },
        { "libvirt", no_argument, NULL, 'l' },
        { "timeout", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    int opt, status;
    how h = { 0 };

    while ((opt = xl_getopt(cmd, argc, argv, ":hf", options, 2, 2,
                            &status)) != XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return status;
        if (opt == 'f')
            h.force = true;
        else if (opt == 'l')
            h.libvirt = true;
        else if (!set_timeout(optarg))
            return XL_USAGE;
    }
    return parse_and_detach(globals, argv[optind], argv[optind + 1], h);
}
