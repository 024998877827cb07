/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl scsi-cleanup, which udev runs when a backend device has gone, and xl
 * scsi-wake, for what another toolstack has resumed. */
#include <string.h>

#include <libxl_vscsi.h>

#include "xl.h"

int main_vscsiwake(const xl_command *cmd, const xl_globals *globals,
                   int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    xl_session session;
    int opt, status;
    uint32_t domid;

    do {
        opt = xl_getopt(cmd, argc, argv, ":h", options, 1, 1, &status);
        if (opt == XL_OPT_EXIT)
            return status;
    } while (opt != XL_OPT_END);
    if (!xl_open(globals, &session))
        return XL_FAILURE;
    status = xl_find_domain(session.ctx, argv[optind], &domid) &&
             !libxl_vscsi_resume(session.ctx, domid) ? XL_OK : XL_FAILURE;
    xl_close(&session);
    return status;
}

#define BACKEND "vscsi-"

/* "3", or "vscsi-3-0" as dom0's kernel calls a backend of that domain. */
static bool parse_domid(const char *text, unsigned *domid_r)
{
    char number[16];
    size_t length;

    if (!strncmp(text, BACKEND, strlen(BACKEND))) {
        text += strlen(BACKEND);
        length = strcspn(text, "-");
        if (!text[length] || length >= sizeof(number))
            return false;
        memcpy(number, text, length);
        number[length] = '\0';
        text = number;
    }
    return xl_parse_unsigned(text, UINT32_MAX, domid_r);
}

int main_vscsicleanup(const xl_command *cmd, const xl_globals *globals,
                      int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    xl_session session;
    unsigned domid = 0;
    int opt, status;
    bool of_one;

    do {
        opt = xl_getopt(cmd, argc, argv, ":h", options, 0, 1, &status);
        if (opt == XL_OPT_EXIT)
            return status;
    } while (opt != XL_OPT_END);
    of_one = optind < argc;
    if (of_one && !parse_domid(argv[optind], &domid)) {
        fprintf(stderr, "'%s' is no number of a domain, and no name of a "
                "backend (vscsi-DOMID-DEVID)\n", argv[optind]);
        return XL_USAGE;
    }
    if (!xl_open(globals, &session))
        return XL_FAILURE;
    status = of_one ? libxl_vscsi_cleanup_domain(session.ctx, domid)
                    : libxl_vscsi_cleanup(session.ctx);
    status = status ? XL_FAILURE : XL_OK;
    xl_close(&session);
    return status;
}
