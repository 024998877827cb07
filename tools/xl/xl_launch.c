/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl: becomes the distribution's xl, or xl-scsi where the command is, or may
 * be, one of ours.  Stands before every command there is, so it is linked
 * statically and needs nothing: it costs what an exec costs.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "xl_exec.h"

#define OURS "scsi-"

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    size_t length = strlen(command), ours = strlen(OURS);

    /* Options, help, and beginnings of several commands are for xl-scsi to
     * tell. */
    if (strncmp(command, OURS, length < ours ? length : ours) &&
        command[0] != '-' && strcmp(command, "help"))
        return xl_exec_real(argv);
    /* It may come to need the distribution's xl: not us once more. */
    if (!xl_check_real())
        return XL_FAILURE;
    execv(XL_SCSI, argv);
    fprintf(stderr, "xl: cannot run %s: %s\n", XL_SCSI, strerror(errno));
    return XL_FAILURE;
}
