/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices that there are not; see fakeudev.h. */
#include "fakeudev.h"

#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
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
    const fakeudev_device *devices;
    unsigned num;
    const char *link, *link_to, *held;
} stage;

struct udev { int refs; };

struct udev_device {
    const fakeudev_device *entry;
    struct udev_device *parent;
    int refs;
    char syspath[PATH_MAX], node[64];
};

struct udev_list_entry {
    struct udev_list_entry *next;
    char name[PATH_MAX];
};

struct udev_enumerate {
    const fakeudev_device *parent;
    const char *subsystem;      /* or that: all of it */
    struct udev_list_entry *list;
};

static const fakeudev_device *find(const char *name);
static void set_syspath(const fakeudev_device *entry, char *path,
                        size_t size);

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

void fakeudev_stop(void)
{
    each_child(false);
}

void fakeudev_start(const char *sys, const fakeudev_device *devices,
                    unsigned num)
{
    memset(&stage, 0, sizeof(stage));
    stage.sys = sys;
    stage.devices = devices;
    stage.num = num;
    each_child(true);
}

void fakeudev_link(const char *path, const char *node)
{
    stage.link = path;
    stage.link_to = node;
}

void fakeudev_hold(const char *node) { stage.held = node; }

static const fakeudev_device *find(const char *name)
{
    unsigned i;

    for (i = 0; name && i < stage.num; i++)
        if (!strcmp(stage.devices[i].name, name))
            return &stage.devices[i];
    return NULL;
}

static bool is_block(const fakeudev_device *entry)
{
    return !strcmp(entry->subsystem, "block");
}

static const fakeudev_device *find_node(const char *path)
{
    const fakeudev_device *entry;

    if (stage.link && !strcmp(path, stage.link))
        path = stage.link_to;
    entry = !strncmp(path, "/dev/", 5) ? find(path + 5) : NULL;
    return entry && entry->major ? entry : NULL;
}

/* ----- nodes and files ----- */

int stat(const char *path, struct stat *st)
{
    const fakeudev_device *entry = find_node(path);

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

/* ----- libudev ----- */

struct udev *udev_new(void)
{
    struct udev *udev = calloc(1, sizeof(*udev));

    if (udev)
        udev->refs = 1;
    return udev;
}

struct udev *udev_unref(struct udev *udev)
{
    if (udev && --udev->refs == 0)
        free(udev);
    return NULL;
}

/* Below a SCSI device, its class comes between. */
static void set_syspath(const fakeudev_device *entry, char *path,
                        size_t size)
{
    const fakeudev_device *parent = find(entry->parent);
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

static struct udev_device *new_device(const fakeudev_device *entry)
{
    struct udev_device *dev = entry ? calloc(1, sizeof(*dev)) : NULL;

    if (!dev)
        return NULL;
    dev->entry = entry;
    dev->refs = 1;
    set_syspath(entry, dev->syspath, sizeof(dev->syspath));
    snprintf(dev->node, sizeof(dev->node), "/dev/%s", entry->name);
    return dev;
}

struct udev_device *udev_device_ref(struct udev_device *dev)
{
    dev->refs++;
    return dev;
}

struct udev_device *udev_device_unref(struct udev_device *dev)
{
    if (dev && --dev->refs == 0) {
        udev_device_unref(dev->parent);
        free(dev);
    }
    return NULL;
}

struct udev_device *udev_device_new_from_devnum(struct udev *udev, char type,
                                                dev_t devnum)
{
    unsigned i;

    (void)udev;
    for (i = 0; i < stage.num; i++) {
        const fakeudev_device *entry = &stage.devices[i];

        /* "gone": a node without a device */
        if (entry->major && makedev(entry->major, entry->minor) == devnum &&
            is_block(entry) == (type == 'b') &&
            strcmp(entry->subsystem, "gone"))
            return new_device(entry);
    }
    return NULL;
}

struct udev_device *udev_device_new_from_subsystem_sysname(
    struct udev *udev, const char *subsystem, const char *sysname)
{
    const fakeudev_device *entry = find(sysname);

    (void)udev;
    return entry && !strcmp(entry->subsystem, subsystem) ? new_device(entry)
                                                         : NULL;
}

struct udev_device *udev_device_new_from_syspath(struct udev *udev,
                                                 const char *syspath)
{
    (void)udev;
    return new_device(find(strrchr(syspath, '/') + 1));
}

struct udev_device *udev_device_get_parent_with_subsystem_devtype(
    struct udev_device *dev, const char *subsystem, const char *devtype)
{
    const fakeudev_device *entry = find(dev->entry->parent);

    while (entry && (strcmp(entry->subsystem, subsystem) ||
                     (devtype && (!entry->devtype ||
                                  strcmp(entry->devtype, devtype)))))
        entry = find(entry->parent);
    if (!dev->parent)
        dev->parent = new_device(entry);
    return dev->parent;
}

const char *udev_device_get_sysname(struct udev_device *dev)
{
    return dev->entry->name;
}

const char *udev_device_get_syspath(struct udev_device *dev)
{
    return dev->syspath;
}

const char *udev_device_get_devnode(struct udev_device *dev)
{
    return dev->entry->major ? dev->node : NULL;
}

const char *udev_device_get_devtype(struct udev_device *dev)
{
    return dev->entry->devtype;
}

const char *udev_device_get_subsystem(struct udev_device *dev)
{
    return dev->entry->subsystem;
}

dev_t udev_device_get_devnum(struct udev_device *dev)
{
    return makedev(dev->entry->major, dev->entry->minor);
}

/* CLASS/NAME/uevent of a SCSI device's child. */
static const char *childs_uevent(struct udev_device *dev, const char *attr)
{
    const fakeudev_device *child;
    static char text[256];
    char name[64];

    if (sscanf(attr, "%*[^/]/%63[^/]/uevent", name) != 1)
        return NULL;
    child = find(name);
    if (!child || !child->major || find(child->parent) != dev->entry)
        return NULL;
    snprintf(text, sizeof(text), "MAJOR=%u\nMINOR=%u\nDEVNAME=%s\nX=y\n",
             child->major, child->minor, child->name);
    return text;
}

const char *udev_device_get_sysattr_value(struct udev_device *dev,
                                          const char *attr)
{
    const char *const *pair;
    const char *uevent = childs_uevent(dev, attr);

    if (uevent)
        return uevent;
    for (pair = dev->entry->attrs; *pair; pair += 2)
        if (!strcmp(pair[0], attr))
            return pair[1];
    return NULL;
}

struct udev_enumerate *udev_enumerate_new(struct udev *udev)
{
    (void)udev;
    return calloc(1, sizeof(struct udev_enumerate));
}

int udev_enumerate_add_match_parent(struct udev_enumerate *children,
                                    struct udev_device *parent)
{
    children->parent = parent->entry;
    return 0;
}

int udev_enumerate_add_match_subsystem(struct udev_enumerate *all,
                                       const char *subsystem)
{
    all->subsystem = subsystem;
    return 0;
}

/* The parent itself is among them, as with the real one. */
static bool is_wanted(const struct udev_enumerate *children,
                      const fakeudev_device *device)
{
    if (children->subsystem)
        return !strcmp(device->subsystem, children->subsystem);
    while (device && device != children->parent)
        device = find(device->parent);
    return device;
}

int udev_enumerate_scan_devices(struct udev_enumerate *children)
{
    struct udev_list_entry *new;
    unsigned i;

    for (i = 0; i < stage.num; i++) {
        new = is_wanted(children, &stage.devices[i])
              ? calloc(1, sizeof(*new)) : NULL;
        if (!new)
            continue;
        set_syspath(&stage.devices[i], new->name, sizeof(new->name));
        new->next = children->list;
        children->list = new;
    }
    return 0;
}

struct udev_list_entry *udev_enumerate_get_list_entry(
    struct udev_enumerate *children)
{
    return children->list;
}

struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *e)
{
    return e->next;
}

const char *udev_list_entry_get_name(struct udev_list_entry *entry)
{
    return entry->name;
}

struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *children)
{
    struct udev_list_entry *entry;

    while (children && (entry = children->list)) {
        children->list = entry->next;
        free(entry);
    }
    free(children);
    return NULL;
}
