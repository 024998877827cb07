/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which physical device a name means, from udev: any node of it, or where
 * it sits.  Who in dom0 holds it is libxl_vscsi_holder.c's business.
 */
#include <dirent.h>
#include <errno.h>
#include <libudev.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libxl_vscsi_lio.h"

#define TYPE_DISK 0x00
#define TYPE_ZBC 0x14
#define TYPE_UNKNOWN 0x1f

typedef struct lookup {
    struct udev *udev;
    struct udev_device *scsi;   /* the one of devtype scsi_device */
    char *reason;               /* why it was not found, or NULL */
} lookup;

static int refuse(lookup *l, int rc, const char *fmt, ...)
    VSCSI_PRINTF(3, 4);

static int refuse(lookup *l, int rc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&l->reason, fmt, ap) < 0)
        l->reason = NULL;
    va_end(ap);
    return rc;
}

static void lookup_dispose(lookup *l)
{
    udev_device_unref(l->scsi);
    udev_unref(l->udev);
    free(l->reason);
    memset(l, 0, sizeof(*l));
}

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

/* ----- from a name to its scsi_device ----- */

static bool is_devtype(struct udev_device *dev, const char *devtype)
{
    const char *s = udev_device_get_devtype(dev);

    return s && !strcmp(s, devtype);
}

static int refuse_partition(lookup *l, struct udev_device *part)
{
    struct udev_device *disk;
    const char *node = NULL;

    disk = udev_device_get_parent_with_subsystem_devtype(part, "block",
                                                         "disk");
    if (disk)
        node = udev_device_get_devnode(disk);
    return refuse(l, ERROR_INVAL, "it is a partition, not a SCSI device; "
                  "only the whole disk can be given (%s)",
                  node ? node : "not found");
}

static int find_by_node(lookup *l, const char *node)
{
    struct udev_device *dev, *scsi;
    struct stat st;
    int rc;

    if (stat(node, &st)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return refuse(l, ERROR_NOTFOUND,
                          "there is no such device in dom0");
        return refuse(l, ERROR_NOTFOUND, "cannot look at it: %s",
                      strerror(errno));
    }
    if (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode))
        return refuse(l, ERROR_INVAL, "it is not a device");

    dev = udev_device_new_from_devnum(l->udev, S_ISBLK(st.st_mode) ? 'b' : 'c',
                                      st.st_rdev);
    if (!dev)
        return refuse(l, ERROR_NOTFOUND, "the node is there, but the kernel "
                      "of dom0 has no such device");
    if (S_ISBLK(st.st_mode) && is_devtype(dev, "partition")) {
        rc = refuse_partition(l, dev);
        goto out;
    }
    scsi = udev_device_get_parent_with_subsystem_devtype(dev, "scsi",
                                                         "scsi_device");
    if (!scsi) {
        rc = refuse(l, ERROR_INVAL, "it is not a SCSI device (the kernel "
                    "calls it %s)", udev_device_get_sysname(dev));
        goto out;
    }
    l->scsi = udev_device_ref(scsi);
    rc = 0;
out:
    udev_device_unref(dev);
    return rc;
}

static int find_by_address(lookup *l, const libxl_vscsi_hctl *hctl)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(hctl, text);
    l->scsi = udev_device_new_from_subsystem_sysname(l->udev, "scsi", text);
    if (!l->scsi || !is_devtype(l->scsi, "scsi_device"))
        return refuse(l, ERROR_NOTFOUND, "dom0 has no SCSI device at %s",
                      text);
    return 0;
}

static int find_scsi_device(lookup *l, const char *name)
{
    libxl_vscsi_hctl hctl;

    memset(l, 0, sizeof(*l));
    l->udev = udev_new();
    if (!l->udev)
        return refuse(l, ERROR_NOMEM, "out of memory");
    if (name[0] == '/')
        return find_by_node(l, name);
    if (libxl__vscsi_hctl_parse(name, &hctl))
        return find_by_address(l, &hctl);
    return refuse(l, ERROR_INVAL, "'%s' is neither a path nor "
                  "host:channel:target:lun", name);
}

/* ----- what it is ----- */

/* Blanks at the ends go, others become one; what cannot be printed is '?'.
 * In place. */
static void tidy(char *text)
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

/* "" for a missing attribute; NULL when memory ran out. */
static char *tidy_attr(struct udev_device *dev, const char *attr)
{
    const char *s = udev_device_get_sysattr_value(dev, attr);
    char *text = strdup(s ? s : "");

    if (text)
        tidy(text);
    return text;
}

/* "st0", not "st0m" or "nst0". */
static bool is_plain_tape(const char *sysname)
{
    return !strncmp(sysname, "st", 2) && sysname[2] &&
           sysname[2 + strspn(sysname + 2, "0123456789")] == '\0';
}

/* The first child of the device in a class; false if there is none. */
static bool find_child(lookup *l, const char *class, char *name_r,
                       size_t size)
{
    char path[PATH_MAX];
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/%s", udev_device_get_syspath(l->scsi),
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
static const char *devname_of(lookup *l, const char *class, const char *name,
                              int *len_r)
{
    static const char key[] = "\nDEVNAME=";    /* after MAJOR and MINOR */
    const char *uevent, *found;
    char attr[PATH_MAX];

    snprintf(attr, sizeof(attr), "%s/%s/uevent", class, name);
    uevent = udev_device_get_sysattr_value(l->scsi, attr);
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
static int find_node(lookup *l, libxl__vscsi_phys *phys)
{
    static const char *const classes[] = {
        "block", "scsi_tape", "scsi_changer", "scsi_generic", "bsg",
    };
    const char *devname = NULL;
    char name[NAME_MAX + 1];
    int len = 0;
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(classes) && !devname; i++) {
        if (find_child(l, classes[i], name, sizeof(name)))
            devname = devname_of(l, classes[i], name, &len);
        if (devname && i == 0) {
            phys->disk = libxl__vscsi_sprintf("%s/block/%s",
                                 udev_device_get_syspath(l->scsi), name);
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

static int describe(lookup *l, libxl__vscsi_phys *phys)
{
    const char *sysname = udev_device_get_sysname(l->scsi);
    int rc;

    if (!libxl__vscsi_hctl_parse(sysname, &phys->hctl))
        return refuse(l, ERROR_INVAL, "its address, %s, is not "
                      "host:channel:target:lun", sysname);
    phys->type = parse_type(l->scsi);
    phys->wwid = tidy_attr(l->scsi, "wwid");
    phys->vendor = tidy_attr(l->scsi, "vendor");
    phys->model = tidy_attr(l->scsi, "model");
    rc = find_node(l, phys);
    if (rc)
        return refuse(l, rc, "out of memory");

    /* LIO opens the node of a disk; for the rest it only wants a name. */
    if (phys->disk || (phys->type != TYPE_DISK && phys->type != TYPE_ZBC)) {
        phys->lio_node = strdup(phys->node ? phys->node : sysname);
        if (!phys->lio_node)
            return refuse(l, ERROR_NOMEM, "out of memory");
    }
    if (!phys->wwid || !phys->vendor || !phys->model)
        return refuse(l, ERROR_NOMEM, "out of memory");
    return 0;
}

static int check_state(lookup *l)
{
    const char *state = udev_device_get_sysattr_value(l->scsi, "state");

    if (!state)
        return 0;
    if (!strcmp(state, "cancel") || !strcmp(state, "deleted"))
        return refuse(l, ERROR_NOTFOUND, "dom0 is just removing it");
    if (!strcmp(state, "offline") || !strcmp(state, "transport-offline"))
        return refuse(l, ERROR_NOTFOUND, "dom0 has set it offline (\"echo "
                      "running > %s/state\" may bring it back)",
                      udev_device_get_syspath(l->scsi));
    return 0;
}

/* With the rc of the search; says why, if there is nothing to be had. */
static int end_lookup(libxl__vscsi_ctx *vc, int rc, lookup *l,
                      libxl__vscsi_phys *phys_r)
{
    libxl__vscsi_phys phys;

    libxl__vscsi_phys_init(&phys);
    if (!rc)
        rc = check_state(l);
    if (!rc)
        rc = describe(l, &phys);
    if (rc) {
        libxl__vscsi_error(vc, "%s", l->reason ? l->reason : "out of memory");
        libxl__vscsi_phys_dispose(&phys);
    } else {
        *phys_r = phys;
    }
    lookup_dispose(l);
    return rc;
}

int libxl__vscsi_host_find(libxl__vscsi_ctx *vc, const char *name,
                           libxl__vscsi_phys *phys_r)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];
    lookup l;
    int rc;

    rc = find_scsi_device(&l, name);
    rc = end_lookup(vc, rc, &l, phys_r);
    if (rc)
        return rc;
    libxl__vscsi_hctl_format(&phys_r->hctl, place);
    libxl__vscsi_log(vc, XTL_DETAIL, "%s is %s, %s %s %s, %s", name, place,
                     libxl__vscsi_host_type_name(phys_r->type),
                     phys_r->vendor, phys_r->model,
                     phys_r->wwid[0] ? phys_r->wwid : "without an identity");
    return 0;
}

bool libxl__vscsi_host_peek(const char *name, libxl__vscsi_phys *phys_r)
{
    libxl__vscsi_phys phys;
    lookup l;
    int rc;

    libxl__vscsi_phys_init(&phys);
    rc = find_scsi_device(&l, name);
    if (!rc)
        rc = describe(&l, &phys);
    if (rc)
        libxl__vscsi_phys_dispose(&phys);
    else
        *phys_r = phys;
    lookup_dispose(&l);
    return !rc;
}

/* The kernel has the attribute at the address; for a node, or for a device
 * without a wwid, it takes libudev to say what there is. */
char *libxl__vscsi_host_wwid(libxl__vscsi_ctx *vc, const char *name)
{
    char place[LIBXL__VSCSI_HCTL_SIZE], *wwid = NULL;
    libxl_vscsi_hctl hctl;
    lookup l;

    if (libxl__vscsi_hctl_parse(name, &hctl)) {
        libxl__vscsi_hctl_format(&hctl, place);
        wwid = libxl__vscsi_cfs_read("%s/%s/wwid", vc->scsi_bus, place);
    }
    if (wwid) {
        tidy(wwid);
        return wwid;
    }
    if (!find_scsi_device(&l, name))
        wwid = tidy_attr(l.scsi, "wwid");
    lookup_dispose(&l);
    return wwid;
}

bool libxl__vscsi_host_hctl(const char *node, libxl_vscsi_hctl *hctl_r)
{
    libxl_vscsi_hctl hctl;
    lookup l;
    bool ok;

    ok = !find_scsi_device(&l, node) &&
         libxl__vscsi_hctl_parse(udev_device_get_sysname(l.scsi), &hctl);
    lookup_dispose(&l);
    if (ok)
        *hctl_r = hctl;
    return ok;
}

/* ----- by identity ----- */

static bool has_wwid(struct udev_device *scsi, const char *wwid)
{
    char *text = tidy_attr(scsi, "wwid");
    bool same = text && !strcmp(text, wwid);

    free(text);
    return same;
}

/* Of all paths to it the one with the lowest address. */
static int find_by_wwid(lookup *l, const char *wwid)
{
    struct udev_enumerate *all = udev_enumerate_new(l->udev);
    libxl_vscsi_hctl hctl, lowest = { .hst = 0 };
    struct udev_list_entry *entry;
    struct udev_device *dev;

    if (!all || udev_enumerate_add_match_subsystem(all, "scsi") < 0) {
        udev_enumerate_unref(all);
        return ERROR_NOMEM;
    }
    udev_enumerate_scan_devices(all);
    udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all)) {
        dev = udev_device_new_from_syspath(l->udev,
                                           udev_list_entry_get_name(entry));
        if (dev && is_devtype(dev, "scsi_device") &&
            libxl__vscsi_hctl_parse(udev_device_get_sysname(dev), &hctl) &&
            has_wwid(dev, wwid) &&
            (!l->scsi || libxl__vscsi_hctl_order(&hctl, &lowest) < 0)) {
            udev_device_unref(l->scsi);
            l->scsi = udev_device_ref(dev);
            lowest = hctl;
        }
        udev_device_unref(dev);
    }
    udev_enumerate_unref(all);
    return l->scsi ? 0 : ERROR_NOTFOUND;
}

static int refuse_lost(lookup *l, const char *wwid,
                       const libxl_vscsi_hctl *before)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    libxl__vscsi_phys other;

    libxl__vscsi_phys_init(&other);
    if (!before)
        return refuse(l, ERROR_NOTFOUND, "dom0 has no device %s any more",
                      wwid);
    libxl__vscsi_hctl_format(before, text);
    if (libxl__vscsi_host_peek(text, &other))
        refuse(l, ERROR_NOTFOUND, "dom0 has no device %s any more; at %s is "
               "another one now, %s %s %s", wwid, text, other.vendor,
               other.model, other.wwid[0] ? other.wwid : "without identity");
    else
        refuse(l, ERROR_NOTFOUND, "dom0 has no device %s any more, at %s or "
               "elsewhere", wwid, text);
    libxl__vscsi_phys_dispose(&other);
    return ERROR_NOTFOUND;
}

static int find_identity(lookup *l, const char *wwid,
                         const libxl_vscsi_hctl *before)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    int rc;

    memset(l, 0, sizeof(*l));
    l->udev = udev_new();
    if (!l->udev)
        return refuse(l, ERROR_NOMEM, "out of memory");
    if (before) {
        libxl__vscsi_hctl_format(before, text);
        l->scsi = udev_device_new_from_subsystem_sysname(l->udev, "scsi",
                                                         text);
        if (l->scsi && has_wwid(l->scsi, wwid))
            return 0;
        udev_device_unref(l->scsi);
        l->scsi = NULL;
    }
    rc = find_by_wwid(l, wwid);
    return rc == ERROR_NOTFOUND ? refuse_lost(l, wwid, before) : rc;
}

int libxl__vscsi_host_find_wwid(libxl__vscsi_ctx *vc, const char *wwid,
                                const libxl_vscsi_hctl *before,
                                libxl__vscsi_phys *phys_r)
{
    char then[LIBXL__VSCSI_HCTL_SIZE], now[LIBXL__VSCSI_HCTL_SIZE];
    lookup l;
    int rc;

    rc = find_identity(&l, wwid, before);
    rc = end_lookup(vc, rc, &l, phys_r);
    if (!rc && before && !libxl__vscsi_hctl_equal(before, &phys_r->hctl)) {
        libxl__vscsi_hctl_format(before, then);
        libxl__vscsi_hctl_format(&phys_r->hctl, now);
        libxl__vscsi_log(vc, XTL_WARN, "%s was at %s and is at %s now", wwid,
                         then, now);
    }
    return rc;
}
