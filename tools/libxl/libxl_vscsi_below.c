/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which addresses dom0 has at some place: a target, a channel, a host. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_configfs.h"
#include "libxl_vscsi_device.h"

#define TYPE_WELL_KNOWN "30"
#define DEVICES "bus/scsi/devices"

static bool is_well_known(libxl__vscsi_ctx *vc, const char *place)
{
    char *type = libxl__vscsi_cfs_read("%s/" DEVICES "/%s/type", vc->sysfs,
                                       place);
    bool is = type && !strcmp(type, TYPE_WELL_KNOWN);

    free(type);
    return is;
}

static int order(const void *a, const void *b)
{
    return libxl__vscsi_hctl_order(a, b);
}

int libxl__vscsi_below(libxl__vscsi_ctx *vc,
                       const libxl__vscsi_pattern *pattern,
                       libxl_vscsi_hctl **hctls_r, unsigned *num_r)
{
    libxl_vscsi_hctl *hctls = NULL, *longer, hctl;
    char *path = libxl__vscsi_sprintf("%s/" DEVICES, vc->sysfs);
    struct dirent *entry;
    unsigned num = 0;
    DIR *dir = NULL;
    int rc = 0;

    if (!path)
        return libxl__vscsi_out_of_memory(vc);
    dir = opendir(path);
    errno = dir ? 0 : errno;
    while (dir && !rc && (entry = readdir(dir))) {
        if (!libxl__vscsi_hctl_parse(entry->d_name, &hctl) ||
            !libxl__vscsi_pattern_fits(pattern, &hctl) ||
            is_well_known(vc, entry->d_name))
            continue;
        longer = reallocarray(hctls, num + 1, sizeof(*hctls));
        if (longer) {
            hctls = longer;
            hctls[num++] = hctl;
        } else {
            rc = libxl__vscsi_out_of_memory(vc);
        }
        errno = 0;
    }
    if (!rc && errno) {
        libxl__vscsi_error(vc, "cannot list %s: %s", path, strerror(errno));
        rc = ERROR_FAIL;
    }
    if (dir)
        closedir(dir);
    free(path);
    if (rc) {
        free(hctls);
        return rc;
    }
    if (num)
        qsort(hctls, num, sizeof(*hctls), order);
    *hctls_r = hctls;
    *num_r = num;
    return 0;
}
