/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices that there are not; see fakenodes.h. */
#include "fakenodes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct {
    const char *sys;
    const fakenodes_device *devices;
    unsigned num;
    const char *held;
} stage;

static const fakenodes_device *find(const char *name)
{
    unsigned i;

    for (i = 0; name && i < stage.num; i++)
        if (!strcmp(stage.devices[i].name, name))
            return &stage.devices[i];
    return NULL;
}

/* Below a SCSI device, its class comes between. */
static void set_syspath(const fakenodes_device *entry, char *path,
                        size_t size)
{
    const fakenodes_device *parent = find(entry->parent);
    char above[PATH_MAX - 64];

    if (!parent) {
        snprintf(path, size, "%s/%s", stage.sys, entry->name);
        return;
    }
    set_syspath(parent, above, sizeof(above));
    if (!strcmp(parent->subsystem, "scsi"))
        snprintf(path, size, "%s/%s/%s", above, entry->subsystem,
                 entry->name);
    else
        snprintf(path, size, "%s/%s", above, entry->name);
}

/* The directories of the devices that have a parent; rmdir leaves what is
 * not empty. */
static void each_child(bool make)
{
    char path[PATH_MAX], *slash;
    unsigned i;

    for (i = 0; i < stage.num; i++) {
        if (!find(stage.devices[i].parent))
            continue;
        set_syspath(&stage.devices[i], path, sizeof(path));
        while (!make && strlen(path) > strlen(stage.sys)) {
            rmdir(path);
            *strrchr(path, '/') = '\0';
        }
        for (slash = path + strlen(stage.sys); make && slash; ) {
            slash = strchr(slash + 1, '/');
            if (slash)
                *slash = '\0';
            mkdir(path, 0755);
            if (slash)
                *slash = '/';
        }
    }
}

void fakenodes_stop(void)
{
    each_child(false);
}

void fakenodes_start(const char *sys, const fakenodes_device *devices,
                    unsigned num)
{
    memset(&stage, 0, sizeof(stage));
    stage.sys = sys;
    stage.devices = devices;
    stage.num = num;
    each_child(true);
}

void fakenodes_hold(const char *node) { stage.held = node; }

static bool is_block(const fakenodes_device *entry)
{
    return !strcmp(entry->subsystem, "block");
}

static const fakenodes_device *find_node(const char *path)
{
    const fakenodes_device *entry;

    entry = !strncmp(path, "/dev/", 5) ? find(path + 5) : NULL;
    return entry && entry->major ? entry : NULL;
}

/* ----- nodes and files ----- */

int stat(const char *path, struct stat *st)
{
    const fakenodes_device *entry = find_node(path);

    if (!entry)
        return fstatat(AT_FDCWD, path, st, 0);
    memset(st, 0, sizeof(*st));
    st->st_mode = is_block(entry) ? S_IFBLK : S_IFCHR;
    st->st_rdev = makedev(entry->major, entry->minor);
    return 0;
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list ap;

    if (flags & O_CREAT) {
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }
    if (find_node(path)) {
        if (((flags & O_EXCL) || !is_block(find_node(path))) && stage.held &&
            !strcmp(path, stage.held)) {
            errno = EBUSY;
            return -1;
        }
        path = "/dev/null";
        flags &= ~O_EXCL;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
