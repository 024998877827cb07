/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which vhosts dom0's kernel has a backend for, from the names of its
 * devices.  The bus tells less: a device leaves it before its driver is
 * asked to let go, which takes as long as the commands that are under way.
 * libudev would open each of the devices, of which a name says all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_ctx.h"

static int add_backend(const char *name, libxl__vscsi_vhost **vhosts,
                       unsigned *num)
{
    libxl__vscsi_vhost vhost, *more;

    if (!libxl__vscsi_parse_backend(name, &vhost))
        return 0;
    more = realloc(*vhosts, (*num + 1) * sizeof(*more));
    if (!more)
        return ERROR_NOMEM;
    more[(*num)++] = vhost;
    *vhosts = more;
    return 0;
}

int libxl__vscsi_host_backends(libxl__vscsi_ctx *vc,
                               libxl__vscsi_vhost **vhosts_r,
                               unsigned *num_r)
{
    DIR *dir = opendir(vc->devices_dir);
    libxl__vscsi_vhost *vhosts = NULL;
    struct dirent *entry;
    unsigned num = 0;
    int rc = 0;

    if (!dir)
        rc = ERROR_FAIL;
    while (dir && !rc) {
        errno = 0;
        entry = readdir(dir);
        if (!entry)
            break;
        rc = add_backend(entry->d_name, &vhosts, &num);
    }
    if (dir && !rc && errno)
        rc = ERROR_FAIL;
    if (rc)
        libxl__vscsi_error(vc, "cannot look at the backends of dom0's "
                           "kernel in %s: %s",
                           vc->devices_dir, strerror(errno));
    if (dir)
        closedir(dir);
    if (rc) {
        free(vhosts);
        return rc;
    }
    *vhosts_r = vhosts;
    *num_r = num;
    return 0;
}
