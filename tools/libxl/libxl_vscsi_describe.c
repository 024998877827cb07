/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a SCSI device of dom0 is: its kind, its names and its nodes. */
#include <dirent.h>
#include <libudev.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_host.h"

#define TYPE_DISK 0x00
#define TYPE_ZBC 0x14
#define TYPE_UNKNOWN 0x1f

void libxl__vscsi_phys_init(libxl__vscsi_phys *phys)
{
    memset(phys, 0, sizeof(*phys));
}

void libxl__vscsi_phys_dispose(libxl__vscsi_phys *phys)
{
    free(phys->wwid);
    free(phys->vendor);
    free(phys->model);
    free(phys->node);
    free(phys->lio_node);
    free(phys->disk);
    libxl__vscsi_phys_init(phys);
}

const char *libxl__vscsi_host_type_name(int type)
{
    static const char *const names[] = {
        [0x00] = "disk", [0x01] = "tape", [0x02] = "printer",
        [0x03] = "processor", [0x04] = "worm", [0x05] = "cd",
        [0x06] = "scanner", [0x07] = "optical", [0x08] = "changer",
        [0x0c] = "raid", [0x0d] = "enclosure", [0x0e] = "disk",
        [0x11] = "osd", [TYPE_ZBC] = "zoned-disk",
    };

    if (type < 0 || (size_t)type >= VSCSI_ARRAY_SIZE(names) || !names[type])
        return "other";
    return names[type];
}

void libxl__vscsi_tidy(char *text)
{
    char *end = text;
    const char *s;

    for (s = text; *s; s++) {
        if (*s == ' ' || *s == '\n' || *s == '\t') {
            if (end != text && end[-1] != ' ')
                *end++ = ' ';
        } else {
            *end++ = (char)(*s > ' ' && *s < 0x7f ? *s : '?');
        }
    }
    if (end != text && end[-1] == ' ')
        end--;
    *end = '\0';
}

char *libxl__vscsi_tidy_attr(struct udev_device *dev, const char *attr)
{
    const char *s = udev_device_get_sysattr_value(dev, attr);
    char *text = strdup(s ? s : "");

    if (text)
        libxl__vscsi_tidy(text);
    return text;
}

/* "st0", not "st0m" or "nst0". */
static bool is_plain_tape(const char *sysname)
{
    return !strncmp(sysname, "st", 2) && sysname[2] &&
           sysname[2 + strspn(sysname + 2, "0123456789")] == '\0';
}

/* The first child of the device in a class; false if there is none. */
static bool find_child(struct udev_device *scsi, const char *class,
                       char *name_r, size_t size)
{
    char path[PATH_MAX];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/%s", udev_device_get_syspath(scsi),
             class);
    dir = opendir(path);
    while (dir && !found && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' ||
            (!strcmp(class, "scsi_tape") && !is_plain_tape(entry->d_name)))
            continue;
        snprintf(name_r, size, "%s", entry->d_name);
        found = true;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* What the kernel calls the node of a child, its length in *len_r; NULL if
 * it has none. */
static const char *devname_of(struct udev_device *scsi, const char *class,
                              const char *name, int *len_r)
{
    static const char key[] = "\nDEVNAME=";    /* after MAJOR and MINOR */
    const char *uevent, *found;
    char attr[PATH_MAX];

    snprintf(attr, sizeof(attr), "%s/%s/uevent", class, name);
    uevent = udev_device_get_sysattr_value(scsi, attr);
    found = uevent ? strstr(uevent, key) : NULL;
    if (!found)
        return NULL;
    found += sizeof(key) - 1;
    *len_r = (int)strcspn(found, "\n");
    return found;
}

/*
 * The node that stands best for the whole device, none if it has none.  The
 * directories and files below are read: libudev, asked for a child, opens
 * every directory from the root to it, and told to enumerate them, all.
 */
static int find_node(struct udev_device *scsi, libxl__vscsi_phys *phys)
{
    static const char *const classes[] = {
        "block", "scsi_tape", "scsi_changer", "scsi_generic", "bsg",
    };
    const char *devname = NULL;
    char name[NAME_MAX + 1];
    int len = 0;
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(classes) && !devname; i++) {
        if (find_child(scsi, classes[i], name, sizeof(name)))
            devname = devname_of(scsi, classes[i], name, &len);
        if (devname && i == 0) {
            phys->disk = libxl__vscsi_sprintf("%s/block/%s",
                                 udev_device_get_syspath(scsi), name);
            if (!phys->disk)
                return ERROR_NOMEM;
        }
    }
    if (devname) {
        phys->node = libxl__vscsi_sprintf("/dev/%.*s", len, devname);
        if (!phys->node)
            return ERROR_NOMEM;
    }
    return 0;
}

static int parse_type(struct udev_device *scsi)
{
    const char *s = udev_device_get_sysattr_value(scsi, "type");
    uint64_t type;

    if (!s || !libxl__vscsi_parse_u64(s, strlen(s), TYPE_UNKNOWN, &type))
        return TYPE_UNKNOWN;
    return (int)type;
}

int libxl__vscsi_describe(struct udev_device *scsi, libxl__vscsi_phys *phys)
{
    const char *sysname = udev_device_get_sysname(scsi);
    int rc;

    if (!libxl__vscsi_hctl_parse(sysname, &phys->hctl))
        return ERROR_INVAL;
    phys->type = parse_type(scsi);
    phys->wwid = libxl__vscsi_tidy_attr(scsi, "wwid");
    phys->vendor = libxl__vscsi_tidy_attr(scsi, "vendor");
    phys->model = libxl__vscsi_tidy_attr(scsi, "model");
    rc = find_node(scsi, phys);
    if (rc)
        return rc;

    /* LIO opens the node of a disk; for the rest it only wants a name. */
    if (phys->disk || (phys->type != TYPE_DISK && phys->type != TYPE_ZBC)) {
        phys->lio_node = strdup(phys->node ? phys->node : sysname);
        if (!phys->lio_node)
            return ERROR_NOMEM;
    }
    return phys->wwid && phys->vendor && phys->model ? 0 : ERROR_NOMEM;
}
