/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What sysfs says of dom0's SCSI devices, one by one.  It is read directly:
 * libudev, asked for all of them, opens every directory on the way to each.
 *
 * What cannot be looked at (no descriptor left, no permission) is an error,
 * never a device that has nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxl_vscsi_unit.h"

#define DEVICES "%s/bus/scsi/devices"
#define TYPE_DISK 0x00
#define TYPE_ZBC 0x14
#define TYPE_NONE 0x1f
#define ATTR_MAX 4096

int libxl__vscsi_refuse(char **reason_r, int rc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(reason_r, fmt, ap) < 0)
        *reason_r = NULL;
    va_end(ap);
    return rc;
}

int libxl__vscsi_cannot_look(char **reason_r, const char *what, int r)
{
    return libxl__vscsi_refuse(reason_r, ERROR_FAIL, "cannot look at %s: %s",
                               what, strerror(r));
}

/* ----- attributes ----- */

/* Errors by which the kernel says that there is nothing to be read. */
bool libxl__vscsi_is_absent(int r)
{
    return r == ENOENT || r == ENOTDIR || r == ENODEV || r == ENXIO ||
           r == EINVAL || r == EOPNOTSUPP;
}

/* Where the device's attributes are, or -1 with errno. */
static int open_device(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl)
{
    char path[PATH_MAX], place[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(hctl, place);
    snprintf(path, sizeof(path), DEVICES "/%s", vc->sysfs, place);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Text that ends in a NUL; empty where there is no such attribute.  The
 * kernel gives the whole of one to a single read. */
static int read_attr(int dir, const char *name, char text_r[ATTR_MAX + 1],
                     size_t *len_r, char **reason_r)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC), r = 0;
    ssize_t len = 0;

    if (fd < 0) {
        r = errno;
    } else {
        do {
            len = read(fd, text_r, ATTR_MAX);
        } while (len < 0 && errno == EINTR);
        r = len < 0 ? errno : 0;
        close(fd);
    }
    text_r[r ? 0 : len] = '\0';
    *len_r = r ? 0 : (size_t)len;
    return !r || libxl__vscsi_is_absent(r)
           ? 0 : libxl__vscsi_cannot_look(reason_r, name, r);
}

int libxl__vscsi_read_text(int dir, const char *name, char **text_r,
                     char **reason_r)
{
    char buf[ATTR_MAX + 1], *text;
    size_t len;
    int rc;

    rc = read_attr(dir, name, buf, &len, reason_r);
    if (rc)
        return rc;
    libxl__vscsi_tidy(buf);
    text = strdup(buf);
    if (!text)
        return libxl__vscsi_no_memory(reason_r);
    free(*text_r);
    *text_r = text;
    return 0;
}

static int read_serial(int dir, char **serial_r, char **reason_r)
{
    char page[ATTR_MAX + 1];
    size_t len;
    int rc;

    rc = read_attr(dir, "vpd_pg80", page, &len, reason_r);
    if (rc)
        return rc;
    free(*serial_r);
    *serial_r = libxl__vscsi_parse_serial((unsigned char *)page, len);
    return *serial_r ? 0 : libxl__vscsi_no_memory(reason_r);
}

/*
 * Most sticks have no page 80, and all of a model say the same to SCSI; but
 * the USB device that they are has a number.  It is above interface, host
 * and target.
 */
static int read_usb_serial(int dir, const libxl_vscsi_hctl *hctl,
                           char **serial_r, char **reason_r)
{
    char *text = NULL, *serial;
    int rc;

    if (faccessat(dir, "../../../bInterfaceNumber", F_OK, 0))
        return libxl__vscsi_is_absent(errno)
               ? 0 : libxl__vscsi_cannot_look(reason_r, "its USB interface",
                                              errno);
    rc = libxl__vscsi_read_text(dir, "../../../../serial", &text, reason_r);
    if (rc)
        return rc;
    serial = libxl__vscsi_usb_serial(text, hctl);
    free(text);
    if (!serial)
        return libxl__vscsi_no_memory(reason_r);
    free(*serial_r);
    *serial_r = serial;
    return 0;
}

static int read_type(int dir, int *type_r, char **reason_r)
{
    char buf[ATTR_MAX + 1];
    uint64_t type;
    size_t len;
    int rc;

    rc = read_attr(dir, "type", buf, &len, reason_r);
    if (rc)
        return rc;
    len = strcspn(buf, "\n");
    *type_r = libxl__vscsi_parse_u64(buf, len, TYPE_NONE, &type)
              ? (int)type : TYPE_NONE;
    return 0;
}

/* ----- identities ----- */

static int read_any_serial(int dir, libxl__vscsi_identity *id,
                           char **reason_r)
{
    int rc = read_serial(dir, &id->serial, reason_r);

    if (!rc && !id->serial[0])
        rc = read_usb_serial(dir, &id->hctl, &id->serial, reason_r);
    return rc;
}

static int read_ids(int dir, libxl__vscsi_identity *id, char **reason_r)
{
    int rc = libxl__vscsi_read_text(dir, "wwid", &id->wwid, reason_r);

    return rc ? rc : read_any_serial(dir, id, reason_r);
}

static int read_description(int dir, libxl__vscsi_identity *id,
                            char **reason_r)
{
    int rc = read_type(dir, &id->type, reason_r);

    if (!rc)
        rc = libxl__vscsi_read_text(dir, "vendor", &id->vendor, reason_r);
    if (!rc)
        rc = libxl__vscsi_read_text(dir, "model", &id->model, reason_r);
    return rc;
}

int libxl__vscsi_no_device(const libxl_vscsi_hctl *hctl, char **reason_r)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(hctl, place);
    return libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND,
                               "dom0 has no SCSI device at %s", place);
}

/* Its directory cannot be opened; errno says why. */
static int refuse_missing(const libxl_vscsi_hctl *hctl, char **reason_r)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];
    int r = errno;

    if (libxl__vscsi_is_absent(r))
        return libxl__vscsi_no_device(hctl, reason_r);
    libxl__vscsi_hctl_format(hctl, place);
    return libxl__vscsi_cannot_look(reason_r, place, r);
}

int libxl__vscsi_read_identity(libxl__vscsi_ctx *vc,
                               libxl__vscsi_identity *id, char **reason_r)
{
    int rc, dir = open_device(vc, &id->hctl);

    if (dir < 0)
        return refuse_missing(&id->hctl, reason_r);
    rc = read_ids(dir, id, reason_r);
    if (!rc)
        rc = read_description(dir, id, reason_r);
    close(dir);
    return rc;
}

int libxl__vscsi_dom0_describe(libxl__vscsi_ctx *vc,
                               libxl__vscsi_seen *seen,
                               char **reason_r)
{
    int rc, dir;

    if (seen->described)
        return 0;
    dir = open_device(vc, &seen->id.hctl);
    if (dir < 0)
        return refuse_missing(&seen->id.hctl, reason_r);
    rc = read_any_serial(dir, &seen->id, reason_r);
    if (!rc)
        rc = read_description(dir, &seen->id, reason_r);
    seen->described = !rc;
    close(dir);
    return rc;
}

/* ----- all of them ----- */

void libxl__vscsi_dom0_dispose(libxl__vscsi_dom0 *dom0)
{
    unsigned i;

    for (i = 0; i < dom0->num; i++)
        libxl__vscsi_identity_dispose(&dom0->seen[i].id);
    free(dom0->seen);
    libxl__vscsi_links_dispose(&dom0->links);
    memset(dom0, 0, sizeof(*dom0));
}

/* Its WWID, by which most are no path to whatever is looked for.  Whether it
 * is still there shows when the rest is read. */
static int see(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
               const libxl_vscsi_hctl *hctl, char **reason_r)
{
    char place[LIBXL__VSCSI_HCTL_SIZE], path[PATH_MAX];
    libxl__vscsi_seen *seen = dom0->seen;

    if (!(dom0->num & (dom0->num - 1)))     /* room for a power of two */
        seen = reallocarray(seen, dom0->num ? 2 * dom0->num : 1,
                            sizeof(*seen));
    if (!seen)
        return libxl__vscsi_no_memory(reason_r);
    dom0->seen = seen;
    seen += dom0->num++;
    memset(seen, 0, sizeof(*seen));
    seen->id.type = LIBXL__VSCSI_TYPE_UNKNOWN;
    seen->id.hctl = *hctl;
    seen->id.has_hctl = true;
    libxl__vscsi_hctl_format(hctl, place);
    snprintf(path, sizeof(path), DEVICES "/%s/wwid", vc->sysfs, place);
    return libxl__vscsi_read_text(AT_FDCWD, path, &seen->id.wwid, reason_r);
}

static int order_seen(const void *a, const void *b)
{
    const libxl__vscsi_seen *x = a, *y = b;

    return libxl__vscsi_hctl_order(&x->id.hctl, &y->id.hctl);
}

int libxl__vscsi_dom0_read(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           char **reason_r)
{
    libxl_vscsi_hctl hctl;
    struct dirent *entry;
    char path[PATH_MAX];
    int rc = 0;
    DIR *dir;

    if (dom0->complete)
        return 0;
    libxl__vscsi_dom0_dispose(dom0);
    snprintf(path, sizeof(path), DEVICES, vc->sysfs);
    dir = opendir(path);
    if (!dir && errno != ENOENT)
        return libxl__vscsi_cannot_look(reason_r, path, errno);
    errno = 0;
    while (dir && !rc && (entry = readdir(dir))) {
        if (libxl__vscsi_hctl_parse(entry->d_name, &hctl))
            rc = see(vc, dom0, &hctl, reason_r);
        errno = 0;
    }
    if (!rc && errno)
        rc = libxl__vscsi_cannot_look(reason_r, path, errno);
    if (dir)
        closedir(dir);
    if (dom0->num)
        qsort(dom0->seen, dom0->num, sizeof(*dom0->seen), order_seen);
    dom0->complete = !rc;
    return rc;
}

/* ----- one path ----- */

void libxl__vscsi_path_dispose(libxl__vscsi_path *path)
{
    free(path->state);
    free(path->node);
    free(path->sg);
    free(path->disk);
    free(path->lio_node);
    memset(path, 0, sizeof(*path));
}

/* "st0", not "st0m" or "nst0". */
static bool is_plain_tape(const char *sysname)
{
    return !strncmp(sysname, "st", 2) && sysname[2] &&
           sysname[2 + strspn(sysname + 2, "0123456789")] == '\0';
}

/* The device's child in a class; empty if there is none. */
static int find_child(int device, const char *class,
                      char name_r[NAME_MAX + 1], char **reason_r)
{
    int fd = openat(device, class, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    name_r[0] = '\0';
    if (!dir) {
        int r = errno;

        if (fd >= 0)
            close(fd);
        return libxl__vscsi_is_absent(r)
               ? 0 : libxl__vscsi_cannot_look(reason_r, class, r);
    }
    while (!name_r[0] && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' &&
            (strcmp(class, "scsi_tape") || is_plain_tape(entry->d_name)))
            snprintf(name_r, NAME_MAX + 1, "%s", entry->d_name);
    closedir(dir);
    return 0;
}

static char *node_of(const char *class, const char *name)
{
    if (!strcmp(class, "bsg"))
        return libxl__vscsi_sprintf("/dev/bsg/%s", name);
    return libxl__vscsi_node_of(name);
}

static bool is_disk(int type)
{
    return type == TYPE_DISK || type == TYPE_ZBC;
}

/* The node that stands best for the whole device, and its sg node, which is
 * of no use for a disk that has another. */
static int find_nodes(libxl__vscsi_ctx *vc, int device, const char *place,
                      int type, libxl__vscsi_path *path, char **reason_r)
{
    static const char *const classes[] = {
        "block", "scsi_tape", "scsi_changer", "scsi_generic", "bsg",
    };
    char name[NAME_MAX + 1], **to;
    size_t i;
    int rc;

    for (i = 0; i < VSCSI_ARRAY_SIZE(classes); i++) {
        bool sg = !strcmp(classes[i], "scsi_generic");

        if (path->node && (!sg || (path->disk && is_disk(type))))
            continue;
        rc = find_child(device, classes[i], name, reason_r);
        if (rc)
            return rc;
        if (!name[0])
            continue;
        to = sg ? &path->sg : &path->node;
        *to = node_of(classes[i], name);
        if (!i)
            path->disk = libxl__vscsi_sprintf(DEVICES "/%s/block/%s",
                                              vc->sysfs, place, name);
        if (sg && !path->node)
            path->node = node_of(classes[i], name);
        if (!*to || !path->node || (!i && !path->disk))
            return libxl__vscsi_no_memory(reason_r);
    }
    return 0;
}

static bool runs(const char *state)
{
    return strcmp(state, "offline") && strcmp(state, "transport-offline") &&
           strcmp(state, "cancel") && strcmp(state, "deleted");
}

/* device is where its attributes are. */
static int read_path(libxl__vscsi_ctx *vc, int device, int type,
                     libxl__vscsi_path *path, char **reason_r)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];
    int rc;

    libxl__vscsi_hctl_format(&path->hctl, place);
    rc = libxl__vscsi_read_text(device, "state", &path->state, reason_r);
    if (!rc)
        rc = find_nodes(vc, device, place, type, path, reason_r);
    if (rc)
        return rc;
    path->running = runs(path->state);
    /* LIO opens the node of a disk; for the rest it only wants a name. */
    if (path->disk || !is_disk(type)) {
        path->lio_node = strdup(path->node ? path->node : place);
        if (!path->lio_node)
            return libxl__vscsi_no_memory(reason_r);
    }
    return 0;
}

int libxl__vscsi_read_path(libxl__vscsi_ctx *vc, int type,
                           libxl__vscsi_path *path, char **reason_r)
{
    int rc, device = open_device(vc, &path->hctl);

    if (device < 0)
        return refuse_missing(&path->hctl, reason_r);
    rc = read_path(vc, device, type, path, reason_r);
    close(device);
    return rc;
}

/* A unique WWID says it all; else what else is recorded must agree. */
bool libxl__vscsi_is_there(libxl__vscsi_ctx *vc,
                           const libxl__vscsi_identity *recorded,
                           libxl__vscsi_path *path_r)
{
    libxl__vscsi_identity now = { .type = recorded->type,
                                  .hctl = recorded->hctl };
    libxl__vscsi_path path = { .hctl = recorded->hctl };
    int rc, device = open_device(vc, &recorded->hctl);
    char place[LIBXL__VSCSI_HCTL_SIZE], *reason = NULL;
    bool known;

    if (device < 0)
        return false;
    rc = read_ids(device, &now, &reason);
    known = !rc && libxl__vscsi_wwid_is_unique(recorded) &&
            !strcmp(recorded->wwid, now.wwid) &&
            libxl__vscsi_same_unit(recorded, &now);
    if (!rc && !known)
        rc = read_description(device, &now, &reason);
    if (!rc && !known && !libxl__vscsi_agrees(recorded, &now))
        rc = ERROR_NOTFOUND;
    libxl__vscsi_hctl_format(&path.hctl, place);
    if (!rc)
        rc = find_nodes(vc, device, place, now.type, &path, &reason);
    close(device);
    free(reason);
    libxl__vscsi_identity_dispose(&now);
    if (rc)
        libxl__vscsi_path_dispose(&path);
    else
        *path_r = path;
    return !rc;
}
