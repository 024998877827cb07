/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files of configfs and sysfs, without any meaning. */
#ifndef LIBXL_VSCSI_CONFIGFS_H
#define LIBXL_VSCSI_CONFIGFS_H

#include "libxl_vscsi_ctx.h"

#pragma GCC visibility push(hidden)

/* The path is given as for printf.  int: 0 or an errno.  Nothing is logged. */

/* 0 if it is there already, or gone already. */
int libxl__vscsi_cfs_mkdir(const char *fmt, ...) VSCSI_PRINTF(1, 2);
int libxl__vscsi_cfs_rmdir(const char *fmt, ...) VSCSI_PRINTF(1, 2);
int libxl__vscsi_cfs_unlink(const char *fmt, ...) VSCSI_PRINTF(1, 2);
int libxl__vscsi_cfs_symlink(const char *to, const char *fmt, ...)
    VSCSI_PRINTF(2, 3);
int libxl__vscsi_cfs_write(const char *value, const char *fmt, ...)
    VSCSI_PRINTF(2, 3);
/* Without its newline; NULL if it cannot be read. */
char *libxl__vscsi_cfs_read(const char *fmt, ...) VSCSI_PRINTF(1, 2);
/* The last part of where a link goes; NULL if it is none. */
char *libxl__vscsi_cfs_readlink(const char *fmt, ...) VSCSI_PRINTF(1, 2);
bool libxl__vscsi_cfs_is_dir(const char *fmt, ...) VSCSI_PRINTF(1, 2);

typedef struct libxl__vscsi_names {
    char **list;
    unsigned num;
} libxl__vscsi_names;

/*
 * The directories (or the links) in a directory whose names begin with
 * prefix, in the kernel's order, which is newest first.  Empty if there is
 * none, or no such directory.  What was found until an error is there too.
 */
int libxl__vscsi_cfs_list(libxl__vscsi_names *names_r, const char *prefix,
                          bool links, const char *fmt, ...)
    VSCSI_PRINTF(4, 5);
void libxl__vscsi_names_dispose(libxl__vscsi_names *names);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_CONFIGFS_H */
