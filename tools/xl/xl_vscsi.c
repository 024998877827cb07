/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl scsi-attach and xl scsi-detach. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libxlutil_vscsi.h>

#include "xl.h"

#define MAX_TIMEOUT_S 86400u

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

static int attach(const xl_globals *globals, const char *domain,
                  libxl_device_vscsictrl *ctrl)
{
    xl_session session;
    uint32_t domid;
    bool ok;

    if (!xl_open(globals, &session))
        return XL_FAILURE;
    ok = xl_find_domain(session.ctx, domain, &domid) &&
         !libxl_device_vscsictrl_add(session.ctx, domid, ctrl, NULL);
    xl_close(&session);
    return ok ? XL_OK : XL_FAILURE;
}

/* PDEV,VDEV[,OPTION...] of PDEV VDEV[,OPTION...] [OPTION...] */
static char *join_spec(int argc, char **argv)
{
    char *spec = NULL;

    if (asprintf(&spec, "%s,%s%s%s", argv[0], argv[1], argc > 2 ? "," : "",
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
                            const char *spec)
{
    libxl_device_vscsictrl ctrl;
    char *msg = NULL;
    int status;

    libxl_device_vscsictrl_init(&ctrl);
    if (xlu_vscsi_parse(spec, &ctrl, &msg)) {
        print_refusal(msg);
        status = XL_FAILURE;
    } else if (globals->dryrun) {
        status = print_ctrl(&ctrl);
    } else {
        status = attach(globals, domain, &ctrl);
    }
    libxl_device_vscsictrl_dispose(&ctrl);
    return status;
}

int main_vscsiattach(const xl_command *cmd, const xl_globals *globals,
                     int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "timeout", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    int opt, status;
    char *spec;

    while ((opt = xl_getopt(cmd, argc, argv, ":h", options, 3, 4,
                            &status)) != XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return status;
        if (!set_timeout(optarg))
            return XL_USAGE;
    }
    spec = join_spec(argc - optind - 1, argv + optind + 1);
    if (!spec) {
        print_refusal(NULL);
        return XL_FAILURE;
    }
    status = parse_and_attach(globals, argv[optind], spec);
    free(spec);
    return status;
}

/* ----- detach ----- */

static int detach(const xl_globals *globals, const char *domain,
                  const libxl_device_vscsidev *dev, bool force)
{
    xl_session session;
    uint32_t domid;
    int rc;

    if (!xl_open(globals, &session))
        return XL_FAILURE;
    if (!xl_find_domain(session.ctx, domain, &domid))
        rc = ERROR_INVAL;
    else if (force)
        rc = libxl_device_vscsidev_remove(session.ctx, domid, dev, NULL);
    else
        rc = libxl_device_vscsidev_safe_remove(session.ctx, domid, dev,
                                               NULL);
    xl_close(&session);
    return rc ? XL_FAILURE : XL_OK;
}

/* libxl_vscsi_hctl_to_json() would leave out what is 0. */
static int print_vdev(const libxl_vscsi_hctl *vdev)
{
    printf("vdev: {\n    \"hst\": %" PRIu32 ",\n    \"chn\": %" PRIu32
           ",\n    \"tgt\": %" PRIu32 ",\n    \"lun\": %" PRIu64
           "\n}\n\n", vdev->hst, vdev->chn, vdev->tgt, vdev->lun);
    return xl_flush_stdout() ? XL_OK : XL_FAILURE;
}

static int parse_and_detach(const xl_globals *globals, const char *domain,
                            const char *vdev, bool force)
{
    libxl_device_vscsidev dev;
    char *msg = NULL;
    int status;

    libxl_device_vscsidev_init(&dev);
    if (xlu_vscsi_parse_vdev(vdev, &dev.vdev, &msg)) {
        print_refusal(msg);
        status = XL_FAILURE;
    } else if (globals->dryrun) {
        status = print_vdev(&dev.vdev);
    } else {
        status = detach(globals, domain, &dev, force);
    }
    libxl_device_vscsidev_dispose(&dev);
    return status;
}

int main_vscsidetach(const xl_command *cmd, const xl_globals *globals,
                     int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "force", no_argument, NULL, 'f' },
        { "timeout", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    bool force = false;
    int opt, status;

    while ((opt = xl_getopt(cmd, argc, argv, ":hf", options, 2, 2,
                            &status)) != XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return status;
        if (opt == 'f')
            force = true;
        else if (!set_timeout(optarg))
            return XL_USAGE;
    }
    return parse_and_detach(globals, argv[optind], argv[optind + 1], force);
}
