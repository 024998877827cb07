/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which of a domain's devices a name means. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"

/* How well a device answers to the name. */
typedef enum match {
    NONE,
    BY_TEXT,                    /* it was called that, or was there */
    BY_UNIT,                    /* another path to it */
    BY_PATH,
} match;

/* What the name is in dom0 now; type INVALID if nothing. */
static int look_up(libxl__vscsi_ctx *vc, const char *name,
                   libxl_vscsi_pdev *now)
{
    libxl__vscsi_dom0 dom0 = { .num = 0 };
    libxl__vscsi_unit unit = { .num_paths = 0 };
    char *reason = NULL;
    int rc;

    if (libxl__vscsi_wwn_parse(name, NULL, NULL)) {
        libxl_vscsi_pdev_init_type(now, LIBXL_VSCSI_PDEV_TYPE_WWN);
        now->u.wwn.m = strdup(name);
        if (now->u.wwn.m)
            return 0;
        return libxl__vscsi_out_of_memory(vc);
    }
    rc = libxl__vscsi_unit_look(vc, &dom0, name, &unit, &reason);
    if (!rc)
        rc = libxl__vscsi_set_hctl(vc, now, &unit);
    else if (rc == ERROR_NOTFOUND || rc == ERROR_INVAL)
        rc = 0;
    else
        libxl__vscsi_error(vc, "%s", reason ? reason : "out of memory");
    free(reason);
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&dom0);
    return rc;
}

static match match_of(const libxl_device_vscsidev *dev, const char *name,
                      const libxl_vscsi_pdev *now)
{
    libxl_vscsi_hctl hctl;
    bool is_hctl = libxl__vscsi_hctl_parse(name, &hctl);

    if (libxl__vscsi_same_path(now, &dev->pdev))
        return BY_PATH;
    if (libxl__vscsi_same_pdev(now, &dev->pdev))
        return BY_UNIT;
    if ((dev->pdev.p_devname && !strcmp(dev->pdev.p_devname, name)) ||
        (is_hctl && dev->pdev.type == LIBXL_VSCSI_PDEV_TYPE_HCTL &&
         libxl__vscsi_hctl_equal(&hctl, &dev->pdev.u.hctl.m)))
        return BY_TEXT;
    return NONE;
}

static int refuse(libxl__vscsi_ctx *vc, const char *why,
                  const libxl_device_vscsidev *dev)
{
    char vdev[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(&dev->vdev, vdev);
    libxl__vscsi_error(vc, "%s (say which by its vdev, as %s)", why, vdev);
    return ERROR_INVAL;
}

/* As the guest knows it. */
static bool find_vdev(const libxl_device_vscsictrl *ctrls, int num,
                      const char *name, int *ctrl_r, int *dev_r)
{
    libxl_vscsi_hctl vdev;
    int i, j;

    if (!libxl__vscsi_hctl_parse(name, &vdev))
        return false;
    for (i = 0; i < num; i++) {
        for (j = 0; j < ctrls[i].num_vscsidevs; j++) {
            if (!libxl__vscsi_hctl_equal(&vdev, &ctrls[i].vscsidevs[j].vdev))
                continue;
            *ctrl_r = i;
            *dev_r = j;
            return true;
        }
    }
    return false;
}

int libxl__vscsi_find_named(libxl__vscsi_ctx *vc,
                            const libxl_device_vscsictrl *ctrls, int num,
                            const char *name, int *ctrl_r, int *dev_r)
{
    const libxl_device_vscsidev *found = NULL;
    match m, best = NONE;
    libxl_vscsi_pdev now;
    bool several = false;
    int rc, i, j;

    if (find_vdev(ctrls, num, name, ctrl_r, dev_r))
        return 0;
    libxl_vscsi_pdev_init(&now);
    rc = look_up(vc, name, &now);
    for (i = 0; !rc && i < num; i++) {
        for (j = 0; j < ctrls[i].num_vscsidevs; j++) {
            m = match_of(&ctrls[i].vscsidevs[j], name, &now);
            if (m == NONE || m < best)
                continue;
            several = m == best;
            best = m;
            found = &ctrls[i].vscsidevs[j];
            *ctrl_r = i;
            *dev_r = j;
        }
    }
    if (!rc && !found) {
        libxl__vscsi_error(vc, "the domain has no device %s", name);
        rc = ERROR_NOTFOUND;
    } else if (!rc && several) {
        rc = refuse(vc, "the domain has it more than once", found);
    } else if (!rc && best == BY_TEXT &&
               now.type != LIBXL_VSCSI_PDEV_TYPE_INVALID) {
        rc = refuse(vc, "dom0's device of that name is another one now than "
                    "the one that the domain got by it", found);
    }
    libxl_vscsi_pdev_dispose(&now);
    return rc;
}
