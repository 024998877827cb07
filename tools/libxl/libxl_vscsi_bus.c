/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which vscsictrls dom0's kernel has a backend for, from the names of its
 * devices.  The bus tells less: a device leaves it before its driver is
 * asked to let go, which takes as long as the commands that are under way.
 * libudev would open each of the devices, of which a name says all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_ctx.h"

static int add_backend(const char *name, libxl__vscsi_ref **refs,
                       unsigned *num)
{
    libxl__vscsi_ref ref, *more;

    if (!libxl__vscsi_parse_backend(name, &ref))
        return 0;
    more = realloc(*refs, (*num + 1) * sizeof(*more));
    if (!more)
        return ERROR_NOMEM;
    more[(*num)++] = ref;
    *refs = more;
    return 0;
}

int libxl__vscsi_host_backends(libxl__vscsi_ctx *vc,
                               libxl__vscsi_ref **refs_r,
                               unsigned *num_r)
{
    DIR *dir = opendir(vc->devices_dir);
    libxl__vscsi_ref *refs = NULL;
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
        rc = add_backend(entry->d_name, &refs, &num);
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
        free(refs);
        return rc;
    }
    *refs_r = refs;
    *num_r = num;
    return 0;
}
