/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Is dom0 itself using a SCSI device?  Whoever holds it is named where the
 * kernel tells; an exclusive open is the last word on disks and CDs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libxl_vscsi_device.h"

/* A disk, then its partitions; the same for each path to it. */
typedef struct part {
    dev_t devnum;
    char *node, *syspath;
    bool whole, other_path;
} part;

typedef struct parts {
    struct udev *udev;
    part *list;
    unsigned num;
} parts;

static void parts_dispose(parts *p)
{
    unsigned i;

    for (i = 0; i < p->num; i++) {
        free(p->list[i].node);
        free(p->list[i].syspath);
    }
    free(p->list);
    udev_unref(p->udev);
}

static int add_part(parts *p, const char *node, const char *syspath,
                    dev_t devnum, bool whole)
{
    part *list, *new;

    list = realloc(p->list, (p->num + 1) * sizeof(*list));
    if (!list)
        return ERROR_NOMEM;
    p->list = list;
    new = &list[p->num];
    new->devnum = devnum;
    new->whole = whole;
    new->other_path = false;
    new->node = strdup(node);
    new->syspath = strdup(syspath);
    p->num++;
    return new->node && new->syspath ? 0 : ERROR_NOMEM;
}

/* The partitions are directories in the disk's, and begin with its name.
 * libudev, told to enumerate them, would walk through all of it. */
static int add_partitions(parts *p, const char *disk)
{
    const char *name = strrchr(disk, '/') + 1;
    DIR *dir = opendir(disk);
    struct udev_device *dev;
    struct dirent *entry;
    int rc = 0;

    while (dir && !rc && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, name, strlen(name)))
            continue;
        dev = udev_device_new_from_subsystem_sysname(p->udev, "block",
                                                     entry->d_name);
        if (dev && udev_device_get_devnode(dev))
            rc = add_part(p, udev_device_get_devnode(dev),
                          udev_device_get_syspath(dev),
                          udev_device_get_devnum(dev), false);
        udev_device_unref(dev);
    }
    if (dir)
        closedir(dir);
    return rc;
}

/* No parts where the device is gone, or is no block device. */
static int find_parts(const libxl__vscsi_unit *unit, parts *p)
{
    const libxl__vscsi_path *path;
    struct stat st;
    unsigned i;
    int rc = 0;

    for (i = 0; !rc && i < unit->num_paths; i++) {
        path = &unit->paths[i];
        if (!path->disk || stat(path->node, &st) || !S_ISBLK(st.st_mode))
            continue;
        if (!p->udev)
            p->udev = udev_new();
        if (!p->udev)
            return ERROR_NOMEM;
        rc = add_part(p, path->node, path->disk, st.st_rdev, true);
        if (!rc && i)
            p->list[p->num - 1].other_path = true;
        if (!rc)
            rc = add_partitions(p, path->disk);
    }
    return rc;
}

/* "it", "its other path /dev/sdc", or "its partition /dev/sdb1". */
static char *subject(const part *p)
{
    if (p->other_path)
        return libxl__vscsi_sprintf("its other path %s", p->node);
    return p->whole ? strdup("it")
                       : libxl__vscsi_sprintf("its partition %s", p->node);
}

static const part *part_of(const parts *p, dev_t devnum)
{
    unsigned i;

    for (i = 0; i < p->num; i++)
        if (p->list[i].devnum == devnum)
            return &p->list[i];
    return NULL;
}

static const part *part_of_node(const parts *p, const char *node)
{
    struct stat st;

    if (strncmp(node, "/dev/", 5) || stat(node, &st) || !S_ISBLK(st.st_mode))
        return NULL;
    return part_of(p, st.st_rdev);
}

/* The kernel writes blanks in names as \040; in place. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        *to = *s;
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
            s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
            *to = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
            s += 3;
        }
    }
    *to = '\0';
}

static bool parse_devnum(const char *s, dev_t *devnum_r)
{
    size_t len = strcspn(s, ":");
    uint64_t major, minor;

    if (s[len] != ':' ||
        !libxl__vscsi_parse_u64(s, len, UINT32_MAX, &major) ||
        !libxl__vscsi_parse_u64(s + len + 1, strlen(s + len + 1), UINT32_MAX,
                                &minor))
        return false;
    *devnum_r = makedev((unsigned)major, (unsigned)minor);
    return true;
}

/* A line of mountinfo: "ID PARENT MAJOR:MINOR ROOT POINT ... - TYPE SOURCE
 * ..."; btrfs and others have a number that is no disk's, but a source. */
static const part *mounted_part(const parts *p, char *line, char **point_r)
{
    char *field, *save = NULL, *point = NULL;
    const part *found = NULL;
    dev_t devnum;
    int i, after_dash = 0;

    for (i = 0, field = strtok_r(line, " \n", &save); field;
         i++, field = strtok_r(NULL, " \n", &save)) {
        if (i == 2 && parse_devnum(field, &devnum))
            found = part_of(p, devnum);
        if (i == 4)
            point = field;
        if (after_dash || (i > 5 && !strcmp(field, "-")))
            after_dash++;
        if (after_dash == 3 && !found) {
            unescape(field);
            found = part_of_node(p, field);
        }
    }
    if (!found || !point)
        return NULL;
    unescape(point);
    *point_r = point;
    return found;
}

static const part *swap_part(const parts *p, char *line)
{
    line[strcspn(line, " \t\n")] = '\0';
    unescape(line);
    return part_of_node(p, line);
}

/* Each of these returns who holds the device as text, or NULL. */

static char *find_mount(const parts *p)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char *line = NULL, *point, *who, *text = NULL;
    const part *found;
    size_t size = 0;

    while (f && !text && getline(&line, &size, f) >= 0) {
        found = mounted_part(p, line, &point);
        if (!found)
            continue;
        who = subject(found);
        text = libxl__vscsi_sprintf("%s is mounted on %s (unmount it first)",
                                    who ? who : "it", point);
        free(who);
    }
    free(line);
    if (f)
        fclose(f);
    return text;
}

static char *find_swap(const parts *p)
{
    FILE *f = fopen("/proc/swaps", "re");
    char *line = NULL, *who, *text = NULL;
    const part *found;
    size_t size = 0;

    while (f && !text && getline(&line, &size, f) >= 0) {
        found = swap_part(p, line);
        if (!found)
            continue;
        who = subject(found);
        text = libxl__vscsi_sprintf("%s is swap space of dom0 (swapoff it "
                                    "first)", who ? who : "it");
        free(who);
    }
    free(line);
    if (f)
        fclose(f);
    return text;
}

static char *describe_holder(const parts *p, const part *held,
                             const char *holder)
{
    struct udev_device *dev = udev_device_new_from_subsystem_sysname(
        p->udev, "block", holder);
    const char *name = NULL, *uuid = NULL;
    char *who = subject(held), *text;

    if (dev) {
        name = udev_device_get_sysattr_value(dev, "dm/name");
        uuid = udev_device_get_sysattr_value(dev, "dm/uuid");
    }
    if (name && uuid && !strncmp(uuid, "mpath-", 6))
        text = libxl__vscsi_sprintf("%s is a path of multipath device %s "
                                    "(%s)", who ? who : "it", name, holder);
    else if (name)
        text = libxl__vscsi_sprintf("%s is used by device-mapper volume %s "
                                    "(%s)", who ? who : "it", name, holder);
    else if (!strncmp(holder, "md", 2))
        text = libxl__vscsi_sprintf("%s is part of the RAID %s",
                                    who ? who : "it", holder);
    else
        text = libxl__vscsi_sprintf("%s is used by block device %s",
                                    who ? who : "it", holder);
    free(who);
    udev_device_unref(dev);
    return text;
}

static char *find_holder(const parts *p)
{
    struct dirent *entry;
    char *path, *text = NULL;
    unsigned i;
    DIR *dir;

    for (i = 0; i < p->num && !text; i++) {
        path = libxl__vscsi_sprintf("%s/holders", p->list[i].syspath);
        dir = path ? opendir(path) : NULL;
        free(path);
        while (dir && !text && (entry = readdir(dir)))
            if (entry->d_name[0] != '.')
                text = describe_holder(p, &p->list[i], entry->d_name);
        if (dir)
            closedir(dir);
    }
    return text;
}

/* O_NONBLOCK: neither wait for a medium nor pull in the tray. */
static char *try_exclusive(const parts *p, bool shareable)
{
    unsigned i;
    int fd;

    for (i = 0; i < p->num; i++) {
        if (!p->list[i].whole || (shareable && p->list[i].other_path))
            continue;           /* we may have exported that path */
        fd = open(p->list[i].node,
                  O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0)
            close(fd);
        else if (errno == EBUSY)
            return strdup("another program or driver of dom0 has it open "
                          "exclusively");
    }
    return NULL;
}

int libxl__vscsi_host_check_free(libxl__vscsi_ctx *vc,
                                 const libxl__vscsi_unit *unit)
{
    parts p = { NULL, NULL, 0 };
    char *text;
    int rc;

    rc = find_parts(unit, &p);
    if (rc) {
        libxl__vscsi_error(vc, "out of memory");
        goto out;
    }
    text = libxl__vscsi_lio_holder(vc, unit);
    if (!text)
        text = find_mount(&p);
    if (!text)
        text = find_swap(&p);
    if (!text)
        text = find_holder(&p);
    if (!text)
        text = try_exclusive(&p, unit->shareable);
    if (text) {
        libxl__vscsi_error(vc, "%s", text);
        rc = ERROR_DEVICE_EXISTS;
    }
    free(text);
out:
    parts_dispose(&p);
    return rc;
}
