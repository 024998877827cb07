/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The block devices that dom0's backends give to guests, from the backends'
 * directories, which no guest can write.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

#define ALL_BACKENDS "/local/domain/0/backend"

/* Of these, params names what the guest has. */
static const struct kind {
    const char *name, *driver;
} kinds[] = {
    { "vbd", "blkback" },
    { "vbd3", "tapdisk" },
    { "tap", "blktap" },
    { "tap2", "blktap" },
    { "qdisk", "QEMU" },
    { "virtio_disk", "virtio" },
};

typedef struct list {
    libxl__vscsi_xs_disk *disks;
    unsigned num;
} list;

static int add_domain(libxl__vscsi_ctx *vc, const struct kind *kind,
                      uint32_t domid, list *l)
{
    libxl__vscsi_xs_disk *longer;
    char **names = NULL;
    unsigned i, num = 0;
    uint64_t devid;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, libxl__vscsi_sprintf(
                                ALL_BACKENDS "/%s/%u", kind->name, domid),
                                &names, &num);
    if (rc || !num)
        goto out;
    longer = realloc(l->disks, (l->num + num) * sizeof(*longer));
    if (!longer) {
        rc = libxl__vscsi_out_of_memory(vc);
        goto out;
    }
    l->disks = longer;
    for (i = 0; i < num; i++)
        if (libxl__vscsi_parse_name(names[i], "", UINT32_MAX, &devid))
            longer[l->num++] = (libxl__vscsi_xs_disk){
                .domid = domid, .devid = (unsigned)devid,
                .kind = kind->name, .driver = kind->driver,
            };
out:
    free(names);
    return rc;
}

static int add_kind(libxl__vscsi_ctx *vc, const struct kind *kind, list *l)
{
    char **names = NULL;
    unsigned i, num = 0;
    uint64_t domid;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, libxl__vscsi_sprintf(
                                ALL_BACKENDS "/%s", kind->name),
                                &names, &num);
    for (i = 0; !rc && i < num; i++)
        if (libxl__vscsi_parse_name(names[i], "", UINT32_MAX, &domid))
            rc = add_domain(vc, kind, (uint32_t)domid, l);
    free(names);
    return rc;
}

int libxl__vscsi_xs_list_disks(libxl__vscsi_ctx *vc,
                               libxl__vscsi_xs_disk **disks_r,
                               unsigned *num_r)
{
    list l = { NULL, 0 };
    char **names = NULL;
    unsigned i, num = 0;
    size_t k;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, strdup(ALL_BACKENDS), &names,
                                &num);
    for (i = 0; !rc && i < num; i++)
        for (k = 0; !rc && k < VSCSI_ARRAY_SIZE(kinds); k++)
            if (!strcmp(names[i], kinds[k].name))
                rc = add_kind(vc, &kinds[k], &l);
    free(names);
    if (rc) {
        free(l.disks);
        return rc;
    }
    *disks_r = l.disks;
    *num_r = l.num;
    return 0;
}

static int read_disk_node(libxl__vscsi_ctx *vc,
                          const libxl__vscsi_xs_disk *disk,
                          const char *node, char **value_r)
{
    return libxl__vscsi_read_node(vc, XBT_NULL, libxl__vscsi_sprintf(
                                  ALL_BACKENDS "/%s/%u/%u/%s", disk->kind,
                                  disk->domid, disk->devid, node), value_r);
}

int libxl__vscsi_xs_disk_params(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_xs_disk *disk,
                                char **params_r)
{
    return read_disk_node(vc, disk, "params", params_r);
}

char *libxl__vscsi_xs_disk_name(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_xs_disk *disk)
{
    char *name = NULL;

    if (!read_disk_node(vc, disk, "dev", &name) && name)
        return name;
    return libxl__vscsi_sprintf("%u", disk->devid);
}
