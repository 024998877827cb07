/* SPDX-License-Identifier: LGPL-2.1-only */
/* The public API of looking: lists, states, and helpers on the structs. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_device.h"
#include "libxl_vscsi_missing.h"
#include "libxl_vscsi_operations.h"
#include "libxl_vscsi_store.h"

/* ----- helpers on the structs ----- */

int libxl_device_vscsictrl_append_vscsidev(libxl_ctx *ctx,
                                           libxl_device_vscsictrl *ctrl,
                                           const libxl_device_vscsidev *dev)
{
    size_t num = (size_t)ctrl->num_vscsidevs;
    libxl_device_vscsidev *devs;

    devs = realloc(ctrl->vscsidevs, (num + 1) * sizeof(*devs));
    if (!devs)
        return ERROR_NOMEM;
    ctrl->vscsidevs = devs;
    if (libxl_device_vscsidev_copy(ctx, &devs[num], dev))
        return ERROR_NOMEM;
    ctrl->num_vscsidevs++;
    return 0;
}

void libxl_device_vscsictrl_remove_vscsidev(libxl_ctx *ctx,
                                            libxl_device_vscsictrl *ctrl,
                                            int idx)
{
    (void)ctx;
    if (idx < 0 || idx >= ctrl->num_vscsidevs)
        return;
    libxl_device_vscsidev_dispose(&ctrl->vscsidevs[idx]);
    ctrl->num_vscsidevs--;
    memmove(&ctrl->vscsidevs[idx], &ctrl->vscsidevs[idx + 1],
            (size_t)(ctrl->num_vscsidevs - idx) * sizeof(*ctrl->vscsidevs));
}

void libxl_device_vscsictrl_list_free(libxl_device_vscsictrl *list, int num)
{
    int i;

    for (i = 0; i < num; i++)
        libxl_device_vscsictrl_dispose(&list[i]);
    free(list);
}

void libxl_vscsiinfo_list_free(libxl_vscsiinfo *infos, int num)
{
    int i;

    for (i = 0; i < num; i++)
        libxl_vscsiinfo_dispose(&infos[i]);
    free(infos);
}

/* ----- one device ----- */

static char *copy_of(const char *text)
{
    return text ? strdup(text) : NULL;
}

/* What dom0 says of the device now; nothing if it has it no more, or if
 * another one has come to its address. */
static void add_physical(libxl__vscsi_ctx *vc, libxl_vscsiinfo *info)
{
    libxl__vscsi_path path = { .node = NULL };
    libxl__vscsi_identity recorded;

    libxl__vscsi_pdev_identity(&info->pdev, &recorded);
    if (info->pdev.type != LIBXL_VSCSI_PDEV_TYPE_HCTL ||
        !libxl__vscsi_is_there(vc, &recorded, &path))
        return;
    info->vendor = copy_of(info->pdev.vendor);
    info->model = copy_of(info->pdev.model);
    info->devtype = copy_of(info->pdev.devtype);
    info->node = copy_of(path.node);
    libxl__vscsi_path_dispose(&path);
}

static void add_limits(libxl__vscsi_ctx *vc, libxl_vscsiinfo *info)
{
    libxl__vscsi_path path = { .node = NULL };
    libxl__vscsi_identity recorded;
    libxl__vscsi_limits limits;

    libxl__vscsi_pdev_identity(&info->pdev, &recorded);
    if (info->pdev.type != LIBXL_VSCSI_PDEV_TYPE_HCTL ||
        !libxl__vscsi_is_there(vc, &recorded, &path))
        return;
    if (libxl__vscsi_path_limits(vc, &path, &limits)) {
        info->unit_max_sectors_kb = limits.max_sectors_kb;
        info->unit_max_segments = limits.max_segments;
    }
    libxl__vscsi_path_dispose(&path);
}

int libxl_vscsiinfo_add_limits(libxl_ctx *ctx, libxl_vscsiinfo *infos,
                               int num)
{
    libxl__vscsi_ctx vc;
    int rc, i;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    for (i = 0; !rc && i < num; i++)
        add_limits(&vc, &infos[i]);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

static int fill_info(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                     const libxl_device_vscsictrl *ctrl,
                     libxl__vscsi_state state,
                     const libxl_device_vscsidev *dev, libxl_vscsiinfo *info)
{
    libxl__vscsi_state dev_state;
    int rc;

    rc = libxl__vscsi_xs_dev_state(vc, XBT_NULL, ref, false,
                                   dev->vscsidev_id, &dev_state);
    if (rc)
        return rc;
    info->backend = libxl__vscsi_xs_backend_path(ref);
    info->frontend = libxl__vscsi_xs_frontend_path(ref);
    if (!info->backend || !info->frontend ||
        libxl_vscsi_pdev_copy(vc->xl, &info->pdev, &dev->pdev))
        return libxl__vscsi_out_of_memory(vc);
    info->backend_id = ctrl->backend_domid;
    info->frontend_id = ref.domid;
    info->devid = info->idx = ctrl->devid;
    info->vdev = dev->vdev;
    info->vscsidev_id = dev->vscsidev_id;
    info->scsi_raw_cmds =
        !libxl_defbool_is_default(ctrl->scsi_raw_cmds) &&
        libxl_defbool_val(ctrl->scsi_raw_cmds);
    info->vscsictrl_state = (int)state;
    info->vscsidev_state = (int)dev_state;
    info->max_segments = ctrl->max_segments;
    info->shareable = dev->shareable;
    add_physical(vc, info);
    return 0;
}

/* ----- lists ----- */

static void doing_list(libxl__vscsi_ctx *vc, uint32_t domid)
{
    libxl__vscsi_doing(vc, "list", "the SCSI devices", domid);
}

libxl_device_vscsictrl *
libxl_device_vscsictrl_list(libxl_ctx *ctx, uint32_t domid, int *num_r)
{
    libxl_device_vscsictrl *ctrls = NULL;
    libxl__vscsi_ctx vc;
    int rc, num = -1;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc) {
        doing_list(&vc, domid);
        rc = libxl__vscsi_xs_list(&vc, domid, -1, &ctrls, &num, NULL);
    }
    libxl__vscsi_ctx_dispose(&vc);
    *num_r = rc ? -1 : num;
    return ctrls;
}

typedef struct info_list {
    libxl_vscsiinfo *infos;
    int num;
} info_list;

static int grow_list(libxl__vscsi_ctx *vc, info_list *list, int by)
{
    size_t num = (size_t)list->num + (size_t)by;
    libxl_vscsiinfo *infos;

    if (!by)
        return 0;
    infos = realloc(list->infos, num * sizeof(*infos));
    if (!infos)
        return libxl__vscsi_out_of_memory(vc);
    list->infos = infos;
    return 0;
}

/* Adds a vscsictrl's devices; only vdev if it is not NULL. */
static int add_ctrl(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                    const libxl_device_vscsictrl *ctrl,
                    const libxl_vscsi_hctl *vdev, info_list *list)
{
    const libxl_device_vscsidev *dev = ctrl->vscsidevs;
    libxl__vscsi_state state;
    int rc, i;

    rc = libxl__vscsi_xs_state(vc, XBT_NULL, ref, false, &state);
    if (!rc)
        rc = grow_list(vc, list, ctrl->num_vscsidevs);
    for (i = 0; !rc && i < ctrl->num_vscsidevs; i++, dev++) {
        if (vdev && !libxl__vscsi_hctl_equal(vdev, &dev->vdev))
            continue;
        libxl_vscsiinfo_init(&list->infos[list->num]);
        rc = fill_info(vc, ref, ctrl, state, dev,
                       &list->infos[list->num++]);
    }
    return rc;
}

/* Its devices are not known. */
static int add_unreadable(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                          info_list *list)
{
    libxl__vscsi_state state;
    libxl_vscsiinfo *info;
    int rc;

    rc = libxl__vscsi_xs_state(vc, XBT_NULL, ref, false, &state);
    if (!rc)
        rc = grow_list(vc, list, 1);
    if (rc)
        return rc;
    info = &list->infos[list->num++];
    libxl_vscsiinfo_init(info);
    info->frontend_id = ref.domid;
    info->devid = info->idx = ref.devid;
    info->vscsictrl_state = (int)state;
    info->unreadable = true;
    return 0;
}

static bool is_listed(const info_list *list, int first,
                      const libxl_vscsi_hctl *vdev)
{
    int i;

    for (i = first; i < list->num; i++)
        if (!list->infos[i].unreadable &&
            libxl__vscsi_hctl_equal(&list->infos[i].vdev, vdev))
            return true;
    return false;
}

/* Those that the domain started without, but for places that were given to
 * another since. */
static int add_missing(libxl__vscsi_ctx *vc, uint32_t domid, info_list *list,
                       int first)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc, i, num = 0;

    rc = libxl__vscsi_missing_list(vc, domid, &ctrls, &num);
    for (i = 0; !rc && i < num; i++) {
        const libxl_device_vscsidev *dev = &ctrls[i].vscsidevs[0];
        libxl_vscsiinfo *info;

        if (is_listed(list, first, &dev->vdev))
            continue;
        rc = grow_list(vc, list, 1);
        if (rc)
            break;
        info = &list->infos[list->num++];
        libxl_vscsiinfo_init(info);
        if (libxl_vscsi_pdev_copy(vc->xl, &info->pdev, &dev->pdev))
            rc = libxl__vscsi_out_of_memory(vc);
        info->frontend_id = domid;
        info->devid = info->idx = ctrls[i].devid;
        info->vdev = dev->vdev;
        info->shareable = dev->shareable;
        info->missing = true;
    }
    libxl_device_vscsictrl_list_free(ctrls, num);
    return rc;
}

static int add_domain(libxl__vscsi_ctx *vc, uint32_t domid, info_list *list)
{
    libxl__vscsi_ref ref = { .domid = domid };
    int rc, i, first = list->num;
    libxl__vscsi_recorded all;
    libxl__vscsi_marks marks;
    unsigned u;

    doing_list(vc, domid);
    rc = libxl__vscsi_xs_list_all(vc, domid, -1, &all);
    if (rc)
        return rc;
    rc = libxl__vscsi_xs_find_domain(vc, XBT_NULL, domid, &marks);
    for (i = 0; !rc && i < all.num; i++) {
        ref.devid = all.ctrls[i].devid;
        rc = add_ctrl(vc, ref, &all.ctrls[i], NULL, list);
    }
    for (u = 0; !rc && u < all.num_unreadable; u++) {
        ref.devid = all.unreadable[u];
        rc = add_unreadable(vc, ref, list);
    }
    if (!rc && marks.lacks)
        rc = add_missing(vc, domid, list, first);
    for (i = first; i < list->num; i++)
        list->infos[i].persistent = marks.persistent;
    libxl__vscsi_recorded_dispose(&all);
    return rc;
}

/* The list becomes the caller's, or nobody's. */
static int end_list(int rc, info_list *list, libxl_vscsiinfo **infos_r,
                    int *num_r)
{
    if (rc || !list->num) {
        libxl_vscsiinfo_list_free(list->infos, list->num);
        list->infos = NULL;
    }
    if (!rc) {
        *infos_r = list->infos;
        *num_r = list->num;
    }
    return rc;
}

int libxl__vscsi_list_infos(libxl__vscsi_ctx *vc, uint32_t domid,
                            libxl_devid devid, const libxl_vscsi_hctl *vdev,
                            libxl_vscsiinfo **infos_r, int *num_r)
{
    libxl_device_vscsictrl *ctrls = NULL;
    info_list list = { NULL, 0 };
    int rc, i, num = 0;

    doing_list(vc, domid);
    rc = libxl__vscsi_xs_list(vc, domid, devid, &ctrls, &num, NULL);
    for (i = 0; !rc && i < num; i++) {
        libxl__vscsi_ref ref = { domid, ctrls[i].devid };

        rc = add_ctrl(vc, ref, &ctrls[i], vdev, &list);
    }
    libxl_device_vscsictrl_list_free(ctrls, num);
    return end_list(rc, &list, infos_r, num_r);
}

int libxl_vscsiinfo_list(libxl_ctx *ctx, const uint32_t *domids,
                         int num_domains, libxl_vscsiinfo **infos_r,
                         int *num_r)
{
    info_list list = { NULL, 0 };
    libxl__vscsi_ctx vc;
    int rc, i;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    for (i = 0; !rc && i < num_domains; i++)
        rc = add_domain(&vc, domids[i], &list);
    libxl__vscsi_ctx_dispose(&vc);
    return end_list(rc, &list, infos_r, num_r);
}

int libxl_device_vscsictrl_getinfo(libxl_ctx *ctx, uint32_t domid,
                                   const libxl_device_vscsictrl *ctrl,
                                   const libxl_device_vscsidev *dev,
                                   libxl_vscsiinfo *info_r)
{
    libxl_devid devid = ctrl->devid == -1 ? ctrl->idx : ctrl->devid;
    libxl_vscsiinfo *infos = NULL, old;
    libxl__vscsi_ctx vc;
    int rc, num = 0;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_list_infos(&vc, domid, devid, &dev->vdev, &infos,
                                     &num);
    if (!rc && !num) {
        libxl__vscsi_error(&vc, "vscsictrl %d has no such device", devid);
        rc = ERROR_NOTFOUND;
    }
    if (!rc) {
        add_limits(&vc, &infos[0]);
        old = *info_r;
        *info_r = infos[0];
        infos[0] = old;
    }
    libxl_vscsiinfo_list_free(infos, num);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

static int order_domid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Those with backends, and those that started without any of theirs. */
static int list_domains(libxl__vscsi_ctx *vc, uint32_t **domids_r, int *num_r)
{
    uint32_t *domids = NULL, *lacking = NULL, *all;
    int rc, i, num = 0, num_lacking = 0, kept = 0;

    rc = libxl__vscsi_xs_backends(vc, &domids, &num);
    if (!rc)
        rc = libxl__vscsi_xs_lacking(vc, &lacking, &num_lacking);
    if (rc || !num_lacking)
        goto out;
    all = reallocarray(domids, (size_t)num + (size_t)num_lacking,
                       sizeof(*all));
    if (!all) {
        rc = libxl__vscsi_out_of_memory(vc);
        goto out;
    }
    domids = all;
    memcpy(&all[num], lacking, (size_t)num_lacking * sizeof(*all));
    num += num_lacking;
    qsort(all, (size_t)num, sizeof(*all), order_domid);
    for (i = 0; i < num; i++)
        if (!i || all[i] != all[i - 1])
            all[kept++] = all[i];
    num = kept;
out:
    free(lacking);
    if (rc) {
        free(domids);
        return rc;
    }
    *domids_r = domids;
    *num_r = num;
    return 0;
}

int libxl_vscsi_domains(libxl_ctx *ctx, uint32_t **domids_r, int *num_r)
{
    int rc, i, num = 0, alive = 0;
    uint32_t *domids = NULL;
    libxl__vscsi_ctx vc;

    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = list_domains(&vc, &domids, &num);
    if (rc)
        goto out;
    for (i = 0; i < num; i++)
        if (libxl_domain_info(ctx, NULL, domids[i]) !=
            ERROR_DOMAIN_NOTFOUND)
            domids[alive++] = domids[i];
    *domids_r = domids;
    *num_r = alive;
out:
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

