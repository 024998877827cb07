/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What one command to a device of dom0 may be at most.  LIO's pscsi sends a
 * guest's command on as it is, and one that the HBA's queue cannot take
 * fails.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libxl_vscsi_configfs.h"
#include "libxl_vscsi_device.h"

/* Takes text over. */
static bool read_number(char *text, uint64_t *number_r)
{
    bool ok = text && libxl__vscsi_parse_u64(text, strlen(text), UINT32_MAX,
                                             number_r);

    free(text);
    return ok;
}

/* The queue of a disk or a CD, as the kernel shows it. */
static bool read_queue(const char *disk, libxl__vscsi_limits *limits_r)
{
    uint64_t kb, segments;

    if (!read_number(libxl__vscsi_cfs_read("%s/queue/max_hw_sectors_kb",
                                           disk), &kb) ||
        !read_number(libxl__vscsi_cfs_read("%s/queue/max_segments", disk),
                     &segments))
        return false;
    limits_r->max_sectors_kb = (unsigned)kb;
    limits_r->max_segments = (unsigned)segments;
    return true;
}

/* Of the rest the kernel shows no queue; its sg node and its host tell. */
static bool read_sg(libxl__vscsi_ctx *vc, const libxl__vscsi_path *path,
                    libxl__vscsi_limits *limits_r)
{
    int fd = open(path->sg, O_RDONLY | O_NONBLOCK | O_CLOEXEC), bytes = 0;
    uint64_t segments;
    bool ok;

    ok = fd >= 0 && !ioctl(fd, BLKSECTGET, &bytes) && bytes > 0 &&
         read_number(libxl__vscsi_cfs_read(
                         "%s/class/scsi_host/host%u/sg_tablesize", vc->sysfs,
                         path->hctl.hst), &segments);
    if (ok) {
        limits_r->max_sectors_kb = (unsigned)bytes / 1024;
        limits_r->max_segments = (unsigned)segments;
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

bool libxl__vscsi_path_limits(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_path *path,
                              libxl__vscsi_limits *limits_r)
{
    if (path->disk)
        return read_queue(path->disk, limits_r);
    return path->sg && read_sg(vc, path, limits_r);
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

bool libxl__vscsi_unit_limits(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_unit *unit,
                              libxl__vscsi_limits *limits_r)
{
    libxl__vscsi_limits least = { UINT32_MAX, UINT32_MAX }, limits;
    unsigned i;

    for (i = 0; i < unit->num_paths; i++) {
        if (!unit->paths[i].running)
            continue;
        if (!libxl__vscsi_path_limits(vc, &unit->paths[i], &limits))
            return false;
        least.max_sectors_kb = smaller(least.max_sectors_kb,
                                       limits.max_sectors_kb);
        least.max_segments = smaller(least.max_segments,
                                     limits.max_segments);
    }
    *limits_r = least;
    return true;
}
