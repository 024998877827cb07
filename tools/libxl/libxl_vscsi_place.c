/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which place in a domain a device gets. */
#include <stdlib.h>

#include "libxl_vscsi_attach.h"
#include "libxl_vscsi_operations.h"

static const struct libxl__vscsi_user *
find_user(const libxl__vscsi_attaching *a)
{
    int i;

    for (i = 0; i < a->users.num_users; i++)
        if (a->users.users[i].domid == a->ref.domid)
            return &a->users.users[i];
    return NULL;
}

static const libxl_device_vscsictrl *
find_ctrl(const libxl__vscsi_attaching *a, libxl_devid devid)
{
    const struct libxl__vscsi_user *user = find_user(a);
    int i;

    for (i = 0; user && i < user->num_ctrls; i++)
        if (user->ctrls[i].devid == devid)
            return &user->ctrls[i];
    return NULL;
}

/* ----- a place that is not said ----- */

static bool has(const libxl_device_vscsictrl *ctrl, int num,
                const libxl_vscsi_hctl *vdev)
{
    int i;

    for (i = 0; i < num; i++)
        if (ctrl->vscsidevs[i].vdev.tgt == vdev->tgt &&
            ctrl->vscsidevs[i].vdev.lun == vdev->lun)
            return true;
    return false;
}

/* The first LUN that neither the vscsictrl nor the devices before have. */
static bool find_lun(const libxl__vscsi_attaching *a,
                     const libxl_device_vscsictrl *on, int i)
{
    libxl_vscsi_hctl *vdev = &a->ctrl->vscsidevs[i].vdev;
    int num = on ? on->num_vscsidevs : 0;

    for (vdev->tgt = 0; vdev->tgt <= LIBXL_VSCSI_MAX_TARGET; vdev->tgt++)
        for (vdev->lun = 0; vdev->lun <= LIBXL_VSCSI_MAX_LUN; vdev->lun++)
            if (!has(on, num, vdev) && !has(a->ctrl, i, vdev))
                return true;
    return false;
}

/* On a vscsictrl that exists, or, where it is NULL, on a new one. */
static bool find_room(const libxl__vscsi_attaching *a,
                      const libxl_device_vscsictrl *on)
{
    int i;

    for (i = 0; i < a->ctrl->num_vscsidevs; i++) {
        if (!a->exact && !find_lun(a, on, i))
            return false;
        if (a->exact && on && has(on, on->num_vscsidevs,
                                  &a->ctrl->vscsidevs[i].vdev))
            return false;
    }
    return true;
}

/* Does the vscsictrl take what the guest sends there, and is it as wanted? */
static bool fits(const libxl__vscsi_attaching *a,
                 const libxl_device_vscsictrl *on, unsigned segments)
{
    unsigned told = on->max_segments ? on->max_segments
                                     : LIBXL_VSCSI_MAX_SEGMENTS;
    const libxl_defbool *want = &a->ctrl->scsi_raw_cmds;

    return (told <= segments || told <= LIBXL_VSCSI_MIN_SEGMENTS) &&
           (!a->ctrl->segments || told <= a->ctrl->segments) &&
           (libxl_defbool_is_default(*want) ||
            libxl_defbool_val(*want) ==
            libxl_defbool_val(on->scsi_raw_cmds));
}

/* What all the devices can take. */
static int read_segments(libxl__vscsi_ctx *vc,
                         libxl__vscsi_attaching *a, unsigned *segments_r)
{
    unsigned num, least = LIBXL_VSCSI_MAX_SEGMENTS;
    libxl__vscsi_limits limits;
    libxl_device_vscsidev copy;
    int rc = 0, i;

    for (i = 0; !rc && i < a->ctrl->num_vscsidevs; i++) {
        const libxl_device_vscsidev *dev = &a->ctrl->vscsidevs[i];

        libxl__vscsi_doing(vc, "attach", dev->pdev.p_devname,
                           a->ref.domid);
        rc = libxl_device_vscsidev_copy(vc->xl, &copy, dev);
        if (rc)
            rc = libxl__vscsi_out_of_memory(vc);
        else
            rc = libxl__vscsi_claim_check(vc, &a->users, &a->known,
                                          a->uses_lio, a->ref.domid, &copy,
                                          &limits);
        libxl_device_vscsidev_dispose(&copy);
        num = rc ? least : libxl__vscsi_segments_of(&limits);
        least = num < least ? num : least;
    }
    if (!rc)
        *segments_r = least;
    return rc;
}

/* The first number that neither our record nor a backend has. */
static int find_number(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    libxl__vscsi_ref ref = a->ref;
    bool has_backend = true;
    int rc = 0;

    for (ref.devid = 0; !rc && ref.devid <= LIBXL_VSCSI_MAX_HOST;
         ref.devid++) {
        if (find_ctrl(a, ref.devid))
            continue;
        rc = libxl__vscsi_xs_has_backend(vc, ref, &has_backend);
        if (!rc && !has_backend) {
            a->ref = ref;
            return 0;
        }
    }
    if (rc)
        return rc;
    libxl__vscsi_error(vc, "the domain has no room for a vscsictrl more");
    return ERROR_INVAL;
}

static bool find_fitting(libxl__vscsi_attaching *a, unsigned segments)
{
    const struct libxl__vscsi_user *user = find_user(a);
    int i;

    for (i = 0; i < user->num_ctrls; i++) {
        if (fits(a, &user->ctrls[i], segments) &&
            find_room(a, &user->ctrls[i])) {
            a->ref.devid = user->ctrls[i].devid;
            return true;
        }
    }
    return false;
}

/* Vscsictrl 0, if only it can be had. */
static int choose_place(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    unsigned segments = 0;
    int rc, i;

    rc = read_segments(vc, a, &segments);
    if (!rc && (!find_ctrl(a, 0) || !find_fitting(a, segments))) {
        find_room(a, NULL);     /* on a new one there is room for all */
        rc = find_number(vc, a);
    }
    a->ctrl->devid = a->ctrl->idx = a->ref.devid;
    for (i = 0; i < a->ctrl->num_vscsidevs; i++)
        a->ctrl->vscsidevs[i].vdev.hst = (uint32_t)a->ref.devid;
    return rc;
}

/* ----- a place that is said, or chosen ----- */

static bool is_id_used(const libxl__vscsi_attaching *a, int num_new,
                       libxl_devid id)
{
    int i;

    for (i = 0; i < num_new; i++)
        if (a->ids[i] == id)
            return true;
    for (i = 0; a->existing && i < a->existing->num_vscsidevs; i++)
        if (a->existing->vscsidevs[i].vscsidev_id == id)
            return true;
    return false;
}

static int check_place(libxl__vscsi_ctx *vc, const libxl__vscsi_attaching *a,
                       int i)
{
    char vdev[LIBXL__VSCSI_HCTL_SIZE];
    int j;

    libxl__vscsi_doing(vc, "attach", a->ctrl->vscsidevs[i].pdev.p_devname,
                       a->ref.domid);
    for (j = 0; a->existing && j < a->existing->num_vscsidevs; j++) {
        const libxl_device_vscsidev *old = &a->existing->vscsidevs[j];

        if (!libxl__vscsi_hctl_equal(&a->ctrl->vscsidevs[i].vdev,
                                     &old->vdev))
            continue;
        libxl__vscsi_hctl_format(&old->vdev, vdev);
        libxl__vscsi_error(vc, "vdev %s is in use by %s (choose another, or "
                           "detach it)", vdev, old->pdev.p_devname
                           ? old->pdev.p_devname : "another device");
        return ERROR_DEVICE_EXISTS;
    }
    return 0;
}

static int take_places(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    libxl_defbool *want = &a->ctrl->scsi_raw_cmds;
    bool foreign = false, dropped = false;
    libxl_devid id;
    int i, rc = 0;

    if (!a->existing)
        rc = libxl__vscsi_xs_has_backend(vc, a->ref, &foreign);
    if (!rc && foreign) {
        rc = libxl__vscsi_xs_drop_old(vc, a->ref, &dropped);
        foreign = !dropped;
    }
    if (rc)
        return rc;
    if (foreign) {
        libxl__vscsi_error(vc, "vscsictrl %d was made by something else than "
                           "this toolstack (choose another)",
                           a->ref.devid);
        return ERROR_DEVICE_EXISTS;
    }
    if (a->existing) {
        if (!libxl_defbool_is_default(*want) &&
            libxl_defbool_val(*want) !=
            libxl_defbool_val(a->existing->scsi_raw_cmds)) {
            libxl__vscsi_error(vc, "vscsictrl %d is %s feature-host, and all "
                               "its devices share that", a->ref.devid,
                               libxl_defbool_val(a->existing->scsi_raw_cmds)
                               ? "with" : "without");
            return ERROR_INVAL;
        }
        *want = a->existing->scsi_raw_cmds;
    }
    libxl_defbool_setdefault(want, false);
    for (i = 0, id = 0; i < a->ctrl->num_vscsidevs; i++) {
        while (is_id_used(a, i, id))
            id++;
        a->ids[i] = a->ctrl->vscsidevs[i].vscsidev_id = id;
    }
    return 0;
}

int libxl__vscsi_place(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    int rc = 0, i;

    if (a->ref.devid == -1)
        rc = choose_place(vc, a);
    if (!rc)                    /* what was not said before is now */
        rc = libxl__vscsi_check_ctrl(vc, a->ref.domid, a->ctrl);
    if (rc)
        return rc;
    a->existing = find_ctrl(a, a->ref.devid);
    rc = take_places(vc, a);
    for (i = 0; !rc && i < a->ctrl->num_vscsidevs; i++)
        rc = check_place(vc, a, i);
    return rc;
}

/* ----- what the backend driver calls it ----- */

/* What exports a device for us has a name that nothing else in LIO has. */
int libxl__vscsi_name_devices(libxl__vscsi_ctx *vc,
                              libxl__vscsi_attaching *a)
{
    int i;

    for (i = 0; i < a->ctrl->num_vscsidevs; i++) {
        const libxl_vscsi_pdev *pdev = &a->ctrl->vscsidevs[i].pdev;

        if (a->uses_lio && pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL
            ? libxl__vscsi_lio_p_dev(&pdev->u.hctl.m, a->p_devs[i])
            : libxl__vscsi_pdev_format(pdev, a->p_devs[i]))
            continue;
        libxl__vscsi_doing(vc, "attach", pdev->p_devname, a->ref.domid);
        libxl__vscsi_error(vc, "its address does not fit the %d characters "
                           "that xen-scsiback reads", LIBXL__VSCSI_PDEV_MAX);
        return ERROR_INVAL;
    }
    return 0;
}
