/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * LIO's backstores, of every kind: whatever fabric exports a device, its
 * backstore has it.  Changes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "libxl_vscsi_lio.h"

#define RAMDISKS "rd_mcp_"      /* no device is behind one */

typedef struct list {
    libxl__vscsi_backstore *stores;
    unsigned num;
} list;

void libxl__vscsi_backstores_free(libxl__vscsi_backstore *stores,
                                  unsigned num)
{
    unsigned i;

    for (i = 0; i < num; i++) {
        free(stores[i].name);
        free(stores[i].path);
    }
    free(stores);
}

const char *libxl__vscsi_backstore_id(libxl__vscsi_ctx *vc,
                                      const libxl__vscsi_backstore *store)
{
    return store->path + strlen(vc->lio_root) + strlen("/core/");
}

static int cannot_look(libxl__vscsi_ctx *vc, const char *path)
{
    if (!path || errno == ENOMEM)
        return libxl__vscsi_out_of_memory(vc);
    libxl__vscsi_error(vc, "whether LIO exports it cannot be found out: "
                       "cannot look at %s: %s", path, strerror(errno));
    return ERROR_FAIL;
}

/* NULL: there is none (any more); or *rc_r. */
static char *read_attr(libxl__vscsi_ctx *vc, const char *path,
                       const char *attr, int *rc_r)
{
    char *text = libxl__vscsi_cfs_read("%s/%s", path, attr);

    *rc_r = text || errno == ENOENT || errno == ENOTDIR ||
            errno == ENODEV || errno == ENXIO ? 0 : cannot_look(vc, path);
    return text;
}

static int is_enabled(libxl__vscsi_ctx *vc, const char *path, bool *is_r)
{
    char *enable;
    int rc;

    enable = read_attr(vc, path, "enable", &rc);
    *is_r = enable && !strcmp(enable, "1");
    free(enable);
    return rc;
}

/* To iblock the node is what it opened, to fileio a file's name or a node. */
static int read_node(libxl__vscsi_ctx *vc, libxl__vscsi_backstore *store)
{
    struct stat st;
    char *node;
    int rc;

    node = read_attr(vc, store->path, "udev_path", &rc);
    if (node && node[0] == '/') {
        if (!stat(node, &st)) {
            store->has_devnum = S_ISBLK(st.st_mode);
            store->devnum = st.st_rdev;
        } else if (errno != ENOENT && errno != ENOTDIR) {
            rc = cannot_look(vc, node);
        }
    }
    free(node);
    return rc;
}

/* Where its disk is, unless it is a partition or no SCSI disk. */
static int read_disk_place(libxl__vscsi_ctx *vc,
                           libxl__vscsi_backstore *store)
{
    char *place = libxl__vscsi_cfs_readlink("%s/dev/block/%u:%u/device",
                                            vc->sysfs, major(store->devnum),
                                            minor(store->devnum));
    int rc = 0;

    if (!place && errno != EINVAL && errno != ENOENT && errno != ENOTDIR)
        rc = cannot_look(vc, store->path);
    if (place)
        store->has_hctl = libxl__vscsi_hctl_parse(place, &store->hctl);
    free(place);
    return rc;
}

int libxl__vscsi_lio_read_backstore(libxl__vscsi_ctx *vc,
                                    libxl__vscsi_backstore *store)
{
    uint64_t major, minor;
    char *info;
    int rc;

    info = read_attr(vc, store->path, "info", &rc);
    if (info && libxl__vscsi_lio_parse_place(info, &store->hctl)) {
        store->has_hctl = true;
    } else if (info && libxl__vscsi_lio_parse_devnum(info, &major, &minor)) {
        store->has_devnum = true;
        store->devnum = makedev((unsigned)major, (unsigned)minor);
    } else if (!rc) {
        rc = read_node(vc, store);
    }
    if (!rc && store->has_devnum)
        rc = read_disk_place(vc, store);
    free(info);
    return rc;
}

/* What the name of one of ours says is not read; _lio_has() does. */
static int add_store(libxl__vscsi_ctx *vc, const char *hba, const char *name,
                     list *l)
{
    size_t plugin = strcspn(hba, "_");
    libxl__vscsi_backstore *store;
    bool enabled;
    int rc = 0;

    store = realloc(l->stores, (l->num + 1) * sizeof(*store));
    if (!store)
        return cannot_look(vc, NULL);
    l->stores = store;
    store += l->num;
    memset(store, 0, sizeof(*store));
    store->name = libxl__vscsi_sprintf("%.*s/%s", (int)plugin, hba, name);
    store->path = libxl__vscsi_sprintf("%s/core/%s/%s", vc->lio_root, hba,
                                       name);
    l->num++;
    if (!store->name || !store->path)
        return cannot_look(vc, NULL);
    store->ours = store->has_hctl =
        libxl__vscsi_ours_parse_backstore(name, &store->hctl);
    if (store->ours)
        return 0;
    rc = libxl__vscsi_lio_read_backstore(vc, store);
    if (rc || !(store->has_hctl || store->has_devnum))
        return rc;
    rc = is_enabled(vc, store->path, &enabled);
    if (!rc && !enabled)
        store->has_hctl = store->has_devnum = false;
    return rc;
}

static int add_hba(libxl__vscsi_ctx *vc, const char *hba, list *l)
{
    libxl__vscsi_names names;
    unsigned i;
    int rc = 0;

    errno = libxl__vscsi_cfs_list(&names, "", false, "%s/core/%s",
                                  vc->lio_root, hba);
    if (errno)
        rc = cannot_look(vc, vc->lio_root);
    for (i = 0; !rc && i < names.num; i++)
        rc = add_store(vc, hba, names.list[i], l);
    libxl__vscsi_names_dispose(&names);
    return rc;
}

int libxl__vscsi_lio_backstores(libxl__vscsi_ctx *vc,
                                libxl__vscsi_backstore **stores_r,
                                unsigned *num_r)
{
    libxl__vscsi_names hbas;
    list l = { NULL, 0 };
    unsigned i;
    int rc = 0;

    errno = libxl__vscsi_cfs_list(&hbas, "", false, "%s/core", vc->lio_root);
    if (errno)
        rc = cannot_look(vc, vc->lio_root);
    for (i = 0; !rc && i < hbas.num; i++)
        if (strncmp(hbas.list[i], RAMDISKS, strlen(RAMDISKS)))
            rc = add_hba(vc, hbas.list[i], &l);
    libxl__vscsi_names_dispose(&hbas);
    if (rc) {
        libxl__vscsi_backstores_free(l.stores, l.num);
        return rc;
    }
    *stores_r = l.stores;
    *num_r = l.num;
    return 0;
}

int libxl__vscsi_lio_has(libxl__vscsi_ctx *vc,
                         const libxl__vscsi_backstore *store, bool *has_r)
{
    int rc;

    rc = is_enabled(vc, store->path, has_r);
    if (!rc && *has_r)
        *has_r = libxl__vscsi_lio_is_backstore_of(store->path,
                                                   &store->hctl);
    return rc;
}
