/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which physical device a name means, from udev: any node of it, or where
 * it sits.  Who in dom0 holds it is libxl_vscsi_holder.c's business.
 */
#include <errno.h>
#include <libudev.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "libxl_vscsi_host.h"
#include "libxl_vscsi_lio.h"

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

static int describe(lookup *l, libxl__vscsi_phys *phys)
{
    int rc = libxl__vscsi_describe(l->scsi, phys);

    if (rc == ERROR_INVAL)
        return refuse(l, rc, "its address, %s, is not "
                      "host:channel:target:lun",
                      udev_device_get_sysname(l->scsi));
    return rc ? refuse(l, rc, "out of memory") : 0;
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
        libxl__vscsi_tidy(wwid);
        return wwid;
    }
    if (!find_scsi_device(&l, name))
        wwid = libxl__vscsi_tidy_attr(l.scsi, "wwid");
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
    char *text = libxl__vscsi_tidy_attr(scsi, "wwid");
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
