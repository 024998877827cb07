/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The other order: a guest has a unit through vscsi, and its disk is about
 * to be handed out as a block device.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"
#include "libxl_vscsi_operations.h"

#define NO_DOMID ((uint32_t)-1)

static int check_base(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                      libxl__vscsi_dom0 *dom0, const libxl_vscsi_hctl *hctl)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    char place[LIBXL__VSCSI_HCTL_SIZE];
    libxl_device_vscsidev dev;
    libxl__vscsi_shared shared = { .by_guests = false };
    int rc;

    libxl__vscsi_hctl_format(hctl, place);
    libxl_device_vscsidev_init(&dev);
    rc = libxl__vscsi_unit_find(vc, dom0, place, &unit);
    if (!rc)
        rc = libxl__vscsi_set_hctl(vc, &dev.pdev, &unit);
    if (!rc)
        rc = libxl__vscsi_users_check(vc, users, NO_DOMID, &dev, &shared);
    libxl_device_vscsidev_dispose(&dev);
    libxl__vscsi_unit_dispose(&unit);
    return rc;
}

static int check_bases(libxl__vscsi_ctx *vc, const libxl__vscsi_bases *bases)
{
    libxl__vscsi_users users = { .users = NULL };
    libxl__vscsi_dom0 dom0 = { .num = 0 };
    int rc, lock = -1;
    unsigned i;

    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (!rc)
        rc = libxl__vscsi_users_open(vc, &users);
    for (i = 0; !rc && i < bases->num; i++)
        rc = check_base(vc, &users, &dom0, &bases->hctls[i]);
    libxl__vscsi_dom0_dispose(&dom0);
    libxl__vscsi_users_dispose(&users);
    libxl__vscsi_unlock(lock);
    return rc;
}

int libxl__vscsi_check_disk(libxl__vscsi_ctx *vc, const char *pdev_path)
{
    char *path = libxl__vscsi_inuse_disk_path(pdev_path);
    libxl__vscsi_bases bases = { NULL, 0 };
    dev_t devnum;
    int rc = 0;

    if (!path)
        rc = libxl__vscsi_inuse_blind(vc, NULL);
    else if (libxl__vscsi_inuse_node(vc, path, &devnum, &rc))
        rc = libxl__vscsi_stack_bases(vc, devnum, &bases);
    if (!rc && bases.num)
        rc = check_bases(vc, &bases);
    free(bases.hctls);
    free(path);
    return rc;
}

int libxl_vscsi_check_disk(libxl_ctx *ctx, uint32_t domid,
                           const char *pdev_path)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc) {
        libxl__vscsi_doing(&vc, domid == NO_DOMID ? NULL : "attach",
                           pdev_path, domid);
        rc = libxl__vscsi_check_disk(&vc, pdev_path);
    }
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}
