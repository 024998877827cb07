/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl scsi-cleanup, which udev runs when a backend device has gone. */
#include <libxl_vscsi.h>

#include "xl.h"

int main_vscsicleanup(const xl_command *cmd, const xl_globals *globals,
                      int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    xl_session session;
    int opt, status;

    do {
        opt = xl_getopt(cmd, argc, argv, ":h", options, 0, 0, &status);
        if (opt == XL_OPT_EXIT)
            return status;
    } while (opt != XL_OPT_END);
    if (!xl_open(globals, &session))
        return XL_FAILURE;
    status = libxl_vscsi_cleanup(session.ctx) ? XL_FAILURE : XL_OK;
    xl_close(&session);
    return status;
}
