/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where a name leads: any node or link of a SCSI device, or its address. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libxl_vscsi_unit.h"

char *libxl__vscsi_node_of(const char *name)
{
    char *node = libxl__vscsi_sprintf("/dev/%s", name), *s;

    for (s = node; s && *s; s++)
        if (*s == '!')
            *s = '/';
    return node;
}

/* Takes the last part off a path; "" when there is none left. */
static char *cut_last(char *path)
{
    char *slash = strrchr(path, '/');

    if (!slash)
        return path + strlen(path);
    *slash = '\0';
    return slash + 1;
}

static int refuse_map(libxl__vscsi_ctx *vc, const char *device,
                      const char *name, char **reason_r)
{
    char path[PATH_MAX], *uuid = NULL, *map = NULL;
    int dir, rc;

    snprintf(path, sizeof(path), "%s/dev/block/%s/dm", vc->sysfs, device);
    dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && !libxl__vscsi_is_absent(errno))
        return libxl__vscsi_cannot_look(reason_r, path, errno);
    rc = dir < 0 ? 0 : libxl__vscsi_read_text(dir, "uuid", &uuid, reason_r);
    if (!rc && dir >= 0)
        rc = libxl__vscsi_read_text(dir, "name", &map, reason_r);
    if (!rc && uuid && !strncmp(uuid, "mpath-", 6))
        rc = libxl__vscsi_refuse(reason_r, ERROR_INVAL, "it is the multipath "
            "map %s of dom0, not a SCSI device; remove the map (multipath -f "
            "%s) and give one of its paths", map, map);
    if (!rc)
        rc = libxl__vscsi_refuse(reason_r, ERROR_INVAL, "it is not a SCSI "
                                 "device (the kernel calls it %s)", name);
    if (dir >= 0)
        close(dir);
    free(uuid);
    free(map);
    return rc;
}

/*
 * The link of a device number ends in H:C:T:L/CLASS/NAME for a SCSI device,
 * and in one part more for a partition.
 */
static int parse_link(libxl__vscsi_ctx *vc, const char *device, char *link,
                      libxl_vscsi_hctl *hctl_r, char **reason_r)
{
    char *name = cut_last(link), *class = cut_last(link);
    char *place = cut_last(link), *disk, *s;

    if (libxl__vscsi_hctl_parse(place, hctl_r))
        return 0;
    disk = class;
    if (strcmp(place, "block") ||
        !libxl__vscsi_hctl_parse(cut_last(link), hctl_r))
        return refuse_map(vc, device, name, reason_r);
    for (s = disk; *s; s++)
        if (*s == '!')
            *s = '/';
    return libxl__vscsi_refuse(reason_r, ERROR_INVAL, "it is a partition, "
                               "not a SCSI device; only the whole disk can "
                               "be given (/dev/%s)", disk);
}

static int node_hctl(libxl__vscsi_ctx *vc, const char *node,
                     libxl_vscsi_hctl *hctl_r, char **reason_r)
{
    char path[PATH_MAX], link[PATH_MAX], device[32];
    struct stat st;
    bool is_block;
    ssize_t len;

    if (stat(node, &st)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND, "there is "
                                       "no such device in dom0");
        return libxl__vscsi_refuse(reason_r, ERROR_FAIL, "cannot look at it: "
                                   "%s", strerror(errno));
    }
    is_block = S_ISBLK(st.st_mode);
    if (!is_block && !S_ISCHR(st.st_mode))
        return libxl__vscsi_refuse(reason_r, ERROR_INVAL, "it is not a "
                                   "device");
    snprintf(device, sizeof(device), "%u:%u", major(st.st_rdev),
             minor(st.st_rdev));
    snprintf(path, sizeof(path), "%s/dev/%s/%s", vc->sysfs,
             is_block ? "block" : "char", device);
    len = readlink(path, link, sizeof(link) - 1);
    if (len < 0 && !libxl__vscsi_is_absent(errno))
        return libxl__vscsi_cannot_look(reason_r, path, errno);
    if (len < 0)
        return libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND, "the node is "
                                   "there, but the kernel of dom0 has no "
                                   "such device");
    link[len] = '\0';
    return parse_link(vc, device, link, hctl_r, reason_r);
}

int libxl__vscsi_name_hctl(libxl__vscsi_ctx *vc, const char *name,
                           libxl_vscsi_hctl *hctl_r, char **reason_r)
{
    libxl_vscsi_hctl hctl;
    int rc;

    if (name[0] == '/') {
        rc = node_hctl(vc, name, &hctl, reason_r);
        if (!rc)
            *hctl_r = hctl;
        return rc;
    }
    if (libxl__vscsi_hctl_parse(name, hctl_r))
        return 0;
    return libxl__vscsi_refuse(reason_r, ERROR_INVAL, "'%s' is neither a "
                               "path nor host:channel:target:lun", name);
}
