/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl: becomes the distribution's xl, or xl-scsi where the command is, or may
 * be, one of ours.  Stands before every command there is, so it needs nothing
 * but libc: it costs what an exec costs.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "xl_exec.h"

#define OURS "scsi-"

/* Ours alone; a beginning of several commands is not. */
static int fail_as_ours(const char *path)
{
    if (!path) {
        fprintf(stderr, "xl: no Xen runs here: " XL_RELEASE " does not say"
                " which\n");
    } else {
        fprintf(stderr, "xl: cannot run %s: ", path);
        xl_say_not_there(XL_SCSI);
        fprintf(stderr, "\n");
    }
    return XL_FAILURE;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    size_t length = strlen(command), ours = strlen(OURS);
    char path[PATH_MAX];
    bool found;

    /* Options, help, and beginnings of several commands are for xl-scsi to
     * tell. */
    if (strncmp(command, OURS, length < ours ? length : ours) &&
        command[0] != '-' && strcmp(command, "help"))
        return xl_exec_real(argv);
    /* It may come to need the distribution's xl: not us once more. */
    if (!xl_check_real())
        return XL_FAILURE;
    found = xl_find_ours(XL_SCSI, path, sizeof(path));
    if (found)
        execv(path, argv);
    if (!strncmp(command, OURS, ours))
        return fail_as_ours(found ? path : NULL);
    return xl_exec_real(argv);
}
