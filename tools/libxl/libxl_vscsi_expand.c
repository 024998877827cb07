/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A pdev that ends in ":*" stands for all devices of a place: a whole
 * library, or all that an HBA has.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"

typedef struct expansion {
    libxl__vscsi_users *users;
    bool uses_lio, but_used;
    uint32_t domid;
    libxl__vscsi_known *known;
    libxl_device_vscsictrl to;  /* its devices are what comes of it */
    unsigned found, used;
} expansion;

/* "8:0:2:*", or "/dev/...:*": what has the target that the node is on. */
static int parse_place(libxl__vscsi_ctx *vc, const char *name,
                       libxl__vscsi_pattern *pattern_r)
{
    char *node, *reason = NULL;
    int rc;

    if (libxl__vscsi_pattern_parse(name, pattern_r))
        return 0;
    node = strndup(name, strlen(name) - strlen(":*"));
    if (!node)
        return libxl__vscsi_out_of_memory(vc);
    rc = libxl__vscsi_name_hctl(vc, node, &pattern_r->hctl, &reason);
    if (rc)
        libxl__vscsi_error(vc, "%s: %s (before :*, H:C:T, H:*:*, or a device "
                           "in /dev of which the target is meant, is "
                           "expected)", node, reason ? reason : "no memory");
    pattern_r->hctl.lun = 0;
    pattern_r->num_fixed = 3;
    free(reason);
    free(node);
    return rc;
}

static int keep(libxl__vscsi_ctx *vc, expansion *e,
                const libxl_device_vscsidev *dev)
{
    int rc = libxl_device_vscsictrl_append_vscsidev(vc->xl, &e->to, dev);

    return rc ? libxl__vscsi_out_of_memory(vc) : 0;
}

/* Where the guest sees it: of dom0's address, what is below the host. */
static int check_place(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl)
{
    libxl_vscsi_hctl vdev = { .tgt = hctl->tgt, .lun = hctl->lun };
    const char *fault;
    char buf[96];

    fault = libxl__vscsi_vdev_fault(&vdev, buf, sizeof(buf));
    if (!fault)
        return 0;
    libxl__vscsi_error(vc, "it has no place on a vscsictrl: %s (give it a "
                       "vdev of its own)", fault);
    return ERROR_INVAL;
}

static int take_one(libxl__vscsi_ctx *vc, expansion *e,
                    const libxl_device_vscsidev *all,
                    const libxl_vscsi_hctl *hctl)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    libxl__vscsi_limits limits;
    libxl_device_vscsidev dev;
    int rc = ERROR_NOMEM;

    libxl__vscsi_hctl_format(hctl, text);
    libxl__vscsi_doing(vc, "attach", text, e->domid);
    libxl_device_vscsidev_init(&dev);
    dev.shareable = all->shareable;
    dev.vdev.hst = all->vdev.hst;
    dev.vdev.tgt = hctl->tgt;
    dev.vdev.lun = hctl->lun;
    dev.pdev.p_devname = strdup(text);
    if (dev.pdev.p_devname)
        rc = check_place(vc, hctl);
    else
        libxl__vscsi_error(vc, "out of memory");
    if (!rc)
        rc = libxl__vscsi_claim_check(vc, e->users, e->known, e->uses_lio,
                                      e->domid, &dev, &limits);
    if (!rc) {
        rc = keep(vc, e, &dev);
    } else if (rc != ERROR_NOMEM) {
        e->used++;              /* go on, and name the others as well */
        rc = 0;
    }
    libxl_device_vscsidev_dispose(&dev);
    return rc;
}

static int take_all(libxl__vscsi_ctx *vc, expansion *e,
                    const libxl_device_vscsidev *all)
{
    libxl_vscsi_hctl *hctls = NULL;
    libxl__vscsi_pattern pattern;
    unsigned i, num = 0;
    int rc;

    libxl__vscsi_doing(vc, "attach", all->pdev.p_devname, e->domid);
    rc = parse_place(vc, all->pdev.p_devname, &pattern);
    if (!rc)
        rc = libxl__vscsi_below(vc, &pattern, &hctls, &num);
    if (!rc && !num) {
        libxl__vscsi_error(vc, "dom0 has no SCSI device there");
        rc = ERROR_NOTFOUND;
    }
    e->found = num;
    e->used = 0;
    for (i = 0; !rc && i < num; i++)
        rc = take_one(vc, e, all, &hctls[i]);
    free(hctls);
    if (rc || !e->used || (e->but_used && e->used < e->found))
        return rc;
    libxl__vscsi_doing(vc, "attach", all->pdev.p_devname, e->domid);
    libxl__vscsi_error(vc, "of the %u devices there, %u cannot be had%s",
                       e->found, e->used, e->used < e->found
                       ? " (with -f, the others are attached)" : "");
    return ERROR_DEVICE_EXISTS;
}

int libxl__vscsi_expand(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                        libxl__vscsi_known *known, bool uses_lio,
                        uint32_t domid,
                        libxl_device_vscsictrl *ctrl, bool but_used)
{
    expansion e = { .users = users, .known = known, .uses_lio = uses_lio,
                    .domid = domid, .but_used = but_used };
    libxl_device_vscsidev *devs = ctrl->vscsidevs;
    int rc = 0, i, num = ctrl->num_vscsidevs;

    libxl_device_vscsictrl_init(&e.to);
    for (i = 0; !rc && i < num; i++)
        rc = libxl__vscsi_is_several(&devs[i].pdev)
             ? take_all(vc, &e, &devs[i]) : keep(vc, &e, &devs[i]);
    if (!rc) {
        ctrl->vscsidevs = e.to.vscsidevs;
        ctrl->num_vscsidevs = e.to.num_vscsidevs;
        e.to.vscsidevs = devs;
        e.to.num_vscsidevs = num;
    }
    libxl_device_vscsictrl_dispose(&e.to);
    return rc;
}
