/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a request for devices says about itself, before anything is read. */
#include "libxl_vscsi_operations.h"

/* Its place comes from the devices that it stands for. */
static bool has_no_place(const libxl_device_vscsidev *dev)
{
    return dev->vdev.hst == LIBXL_VSCSI_ANY ||
           libxl__vscsi_is_several(&dev->pdev);
}

static int check_ctrl_of(libxl__vscsi_ctx *vc,
                         const libxl_device_vscsictrl *ctrl,
                         const libxl_vscsi_hctl *vdev, const char *text)
{
    if (vdev->hst == (uint32_t)ctrl->devid)
        return 0;
    if (vdev->hst == LIBXL_VSCSI_ANY)
        libxl__vscsi_error(vc, "of the devices of one request, either all "
                           "have a vdev or none");
    else
        libxl__vscsi_error(vc, "vdev %s is not on vscsictrl %d", text,
                           ctrl->devid);
    return ERROR_INVAL;
}

static int check_vdevs(libxl__vscsi_ctx *vc, uint32_t domid,
                       const libxl_device_vscsictrl *ctrl)
{
    char text[LIBXL__VSCSI_HCTL_SIZE], buf[96];
    const char *fault;
    int rc, i, j;

    for (i = 0; i < ctrl->num_vscsidevs; i++) {
        const libxl_device_vscsidev *dev = &ctrl->vscsidevs[i];

        libxl__vscsi_doing(vc, "attach", dev->pdev.p_devname, domid);
        libxl__vscsi_hctl_format(&dev->vdev, text);
        rc = check_ctrl_of(vc, ctrl, &dev->vdev, text);
        if (rc)
            return rc;
        if (has_no_place(dev))
            continue;
        fault = libxl__vscsi_vdev_fault(&dev->vdev, buf, sizeof(buf));
        if (fault) {
            libxl__vscsi_error(vc, "vdev %s: %s", text, fault);
            return ERROR_INVAL;
        }
        for (j = 0; j < i; j++) {
            if (!libxl__vscsi_is_several(&ctrl->vscsidevs[j].pdev) &&
                libxl__vscsi_hctl_equal(&dev->vdev,
                                        &ctrl->vscsidevs[j].vdev)) {
                libxl__vscsi_error(vc, "vdev %s is given twice", text);
                return ERROR_INVAL;
            }
        }
    }
    return 0;
}

static int check_segments(libxl__vscsi_ctx *vc, unsigned segments)
{
    if (!segments || (segments >= LIBXL_VSCSI_MIN_SEGMENTS &&
                      segments <= LIBXL_VSCSI_MAX_SEGMENTS))
        return 0;
    libxl__vscsi_error(vc, "a guest's command can have from %d to %d "
                       "segments, not %u", LIBXL_VSCSI_MIN_SEGMENTS,
                       LIBXL_VSCSI_MAX_SEGMENTS, segments);
    return ERROR_INVAL;
}

int libxl__vscsi_check_ctrl(libxl__vscsi_ctx *vc, uint32_t domid,
                            libxl_device_vscsictrl *ctrl)
{
    bool chosen;
    int rc;

    libxl__vscsi_doing(vc, "attach", NULL, domid);
    if (ctrl->num_vscsidevs < 1) {
        libxl__vscsi_error(vc, "no device is given, and a vscsictrl without "
                           "devices cannot be");
        return ERROR_INVAL;
    }
    if (domid == 0) {
        libxl__vscsi_error(vc, "it is dom0's already");
        return ERROR_INVAL;
    }
    if (ctrl->backend_domid != 0) {
        libxl__vscsi_error(vc, "only devices of domain 0 can be given away, "
                           "not of domain %u", ctrl->backend_domid);
        return ERROR_INVAL;
    }
    if (ctrl->devid == -1)
        ctrl->devid = ctrl->idx;
    if (ctrl->devid == -1 &&
        ctrl->vscsidevs[0].vdev.hst <= LIBXL_VSCSI_MAX_HOST)
        ctrl->devid = (libxl_devid)ctrl->vscsidevs[0].vdev.hst;
    if (ctrl->idx == -1)
        ctrl->idx = ctrl->devid;
    chosen = ctrl->devid != -1 || ctrl->idx != -1 ||
             ctrl->vscsidevs[0].vdev.hst != LIBXL_VSCSI_ANY;
    if (chosen && (ctrl->idx != ctrl->devid || ctrl->devid < 0 ||
                   ctrl->devid > LIBXL_VSCSI_MAX_HOST)) {
        libxl__vscsi_error(vc, "vscsictrl %d (idx %d) is not one number from "
                           "0 to %d", ctrl->devid, ctrl->idx,
                           LIBXL_VSCSI_MAX_HOST);
        return ERROR_INVAL;
    }
    rc = check_segments(vc, ctrl->segments);
    if (!rc)
        rc = check_segments(vc, ctrl->max_segments);
    return rc ? rc : check_vdevs(vc, domid, ctrl);
}
