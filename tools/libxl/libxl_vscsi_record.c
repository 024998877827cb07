/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The toolstack's own record, /libxl/<domid>/device/vscsi/<devid>, which no
 * guest can write: no path and no name is ever taken from anywhere else.
 * Its text: libxl_vscsi_record_text.c.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_index.h"
#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

static char *records_path(uint32_t domid)
{
    return libxl__vscsi_sprintf("/libxl/%u/device/vscsi", domid);
}

char *libxl__vscsi_record_path(libxl__vscsi_ref v, const char *tail)
{
    return libxl__vscsi_sprintf("/libxl/%u/device/vscsi/%d%s%s", v.domid,
                                v.devid, tail ? "/" : "", tail ? tail : "");
}

/* ----- the record ----- */

void libxl__vscsi_say_unreadable(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                                 const char *why_not)
{
    libxl__vscsi_error(vc, "the record of vscsictrl %d of domain %u "
                       "(/libxl/%u/device/vscsi/%d) cannot be read: %s (its "
                       "devices stay as they are until the domain ends)",
                       v.devid, v.domid, v.domid, v.devid, why_not);
}

static int set_segments(libxl_device_vscsictrl *ctrl, void *arg)
{
    ctrl->max_segments = *(const unsigned *)arg;
    return 0;
}

int libxl__vscsi_record_segments(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 libxl__vscsi_ref v, unsigned segments)
{
    return libxl__vscsi_record_change(vc, t, v, set_segments, &segments);
}

typedef struct dev_list {
    const libxl_device_vscsidev *devs;
    int num;
} dev_list;

static int append_devs(libxl_device_vscsictrl *ctrl, void *arg)
{
    const dev_list *list = arg;
    int rc = 0, i;

    for (i = 0; !rc && i < list->num; i++)
        rc = libxl_device_vscsictrl_append_vscsidev(
            NULL, ctrl, (libxl_device_vscsidev *)(uintptr_t)&list->devs[i]);
    return rc;
}

int libxl__vscsi_record_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v,
                             const libxl_device_vscsidev *devs, int num)
{
    dev_list list = { devs, num };

    return libxl__vscsi_record_change(vc, t, v, append_devs, &list);
}

typedef struct parting {
    const libxl_devid *ids;
    unsigned num;
    libxl_device_vscsidev *gone;    /* room for all */
    int num_gone;
} parting;

static bool is_among(const parting *p, libxl_devid id)
{
    unsigned i;

    for (i = 0; i < p->num; i++)
        if (p->ids[i] == id)
            return true;
    return false;
}

static int take_devs_out(libxl_device_vscsictrl *ctrl, void *arg)
{
    parting *p = arg;
    int i, kept = 0;

    p->gone = calloc((size_t)ctrl->num_vscsidevs + 1, sizeof(*p->gone));
    if (!p->gone)
        return ERROR_NOMEM;
    for (i = 0; i < ctrl->num_vscsidevs; i++) {
        libxl_device_vscsidev *dev = &ctrl->vscsidevs[i];

        if (is_among(p, dev->vscsidev_id))
            p->gone[p->num_gone++] = *dev;
        else
            ctrl->vscsidevs[kept++] = *dev;
    }
    ctrl->num_vscsidevs = kept;
    return 0;
}

int libxl__vscsi_forget_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v, const libxl_devid *ids,
                             unsigned num)
{
    parting p = { .ids = ids, .num = num };
    int rc, i;

    rc = libxl__vscsi_record_change(vc, t, v, take_devs_out, &p);
    if (!rc)
        rc = libxl__vscsi_index_forget(vc, t, v, p.gone, p.num_gone);
    for (i = 0; i < p.num_gone; i++)
        libxl_device_vscsidev_dispose(&p.gone[i]);
    free(p.gone);
    return rc;
}

int libxl__vscsi_record_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v,
                             const libxl_device_vscsictrl *ctrl)
{
    char *backend = libxl__vscsi_xs_backend_path(v);
    char *frontend = libxl__vscsi_xs_frontend_path(v);
    int rc;

    rc = libxl__vscsi_record_first(vc, t, v, ctrl);
    if (!rc)
        rc = libxl__vscsi_write_node(vc, t, libxl__vscsi_record_path(
                                     v, NODE_FRONTEND), frontend);
    if (!rc)
        rc = libxl__vscsi_write_node(vc, t, libxl__vscsi_record_path(
                                     v, NODE_BACKEND), backend);
    free(backend);
    free(frontend);
    return rc;
}

int libxl__vscsi_forget_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v)
{
    return libxl__vscsi_remove_node(vc, t, libxl__vscsi_record_path(v, NULL));
}

int libxl__vscsi_forget_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                               uint32_t domid)
{
    return libxl__vscsi_remove_if_empty(vc, t, records_path(domid), 1);
}

static int order_dev(const void *a, const void *b)
{
    const libxl_device_vscsidev *x = a, *y = b;

    return libxl__vscsi_hctl_order(&x->vdev, &y->vdev);
}

/* Adds it; not one that went away since the directory was read. */
static int read_ctrl(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                     libxl__vscsi_recorded *all, bool unreadable_too)
{
    libxl_device_vscsictrl *ctrl = &all->ctrls[all->num];
    const char *why_not = NULL;
    int rc;

    libxl_device_vscsictrl_init(ctrl);
    rc = libxl__vscsi_record_read(vc, v, ctrl, &why_not);
    if (rc)
        return rc;
    if (why_not && !unreadable_too) {
        libxl__vscsi_say_unreadable(vc, v, why_not);
        return ERROR_FAIL;
    }
    if (why_not)
        all->unreadable[all->num_unreadable++] = v.devid;
    if (ctrl->devid == -1)
        return 0;
    all->num++;
    libxl_defbool_setdefault(&ctrl->scsi_raw_cmds, false);
    if (ctrl->num_vscsidevs)
        qsort(ctrl->vscsidevs, (size_t)ctrl->num_vscsidevs,
              sizeof(*ctrl->vscsidevs), order_dev);
    return 0;
}

static int order_ctrl(const void *a, const void *b)
{
    const libxl_device_vscsictrl *x = a, *y = b;

    return x->devid < y->devid ? -1 : x->devid > y->devid;
}

/* The numbers of the recorded vscsictrls of a domain, as they come; NULL for a
 * domain without any.  free(). */
static int list_ctrls(libxl__vscsi_ctx *vc, uint32_t domid,
                      libxl_devid **devids_r, unsigned *num_r)
{
    libxl_devid *devids = NULL;
    unsigned i, num, found = 0;
    char **names;
    uint64_t id;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, records_path(domid), &names,
                                &num);
    if (rc)
        return rc;
    if (num) {
        devids = calloc(num, sizeof(*devids));
        if (!devids)
            rc = libxl__vscsi_out_of_memory(vc);
    }
    for (i = 0; devids && i < num; i++)
        if (libxl__vscsi_parse_name(names[i], "", INT32_MAX, &id))
            devids[found++] = (libxl_devid)id;
    free(names);
    if (!rc) {
        *devids_r = devids;
        *num_r = found;
    }
    return rc;
}

/* Those of the domain, or one alone, if devid is not -1. */
static int read_ctrls(libxl__vscsi_ctx *vc, uint32_t domid,
                      libxl_devid devid, libxl__vscsi_recorded *all,
                      bool unreadable_too)
{
    libxl_devid *listed = NULL;
    unsigned i, num = 1;
    int rc = 0;

    if (devid == -1)
        rc = list_ctrls(vc, domid, &listed, &num);
    if (!rc && num) {
        all->ctrls = calloc(num, sizeof(*all->ctrls));
        all->unreadable = calloc(num, sizeof(*all->unreadable));
        if (!all->ctrls || !all->unreadable)
            rc = libxl__vscsi_out_of_memory(vc);
    }
    for (i = 0; !rc && i < num; i++) {
        libxl__vscsi_ref v = { .domid = domid,
                                 .devid = listed ? listed[i] : devid };

        rc = read_ctrl(vc, v, all, unreadable_too);
    }
    free(listed);
    return rc;
}

/* An array without elements is NULL. */
static void trim_ctrls(libxl__vscsi_recorded *all)
{
    if (!all->num) {
        free(all->ctrls);
        all->ctrls = NULL;
    }
    if (all->num)
        qsort(all->ctrls, (size_t)all->num, sizeof(*all->ctrls),
              order_ctrl);
    if (!all->num_unreadable) {
        free(all->unreadable);
        all->unreadable = NULL;
    }
}

void libxl__vscsi_recorded_dispose(libxl__vscsi_recorded *all)
{
    libxl_device_vscsictrl_list_free(all->ctrls, all->num);
    free(all->unreadable);
    *all = (libxl__vscsi_recorded){ .ctrls = NULL };
}

static int list(libxl__vscsi_ctx *vc, uint32_t domid, libxl_devid devid,
                libxl__vscsi_recorded *all_r, bool unreadable_too)
{
    libxl__vscsi_recorded all = { .exists = true };    /* one with vscsictrls */
    libxl__vscsi_marks marks = { .exists = false };
    int rc;

    rc = read_ctrls(vc, domid, devid, &all, unreadable_too);
    if (!rc && !all.num && !all.num_unreadable) {
        rc = libxl__vscsi_xs_find_domain(vc, XBT_NULL, domid, &marks);
        all.exists = marks.exists;
    }
    if (rc) {
        libxl__vscsi_recorded_dispose(&all);
        return rc;
    }
    trim_ctrls(&all);
    *all_r = all;
    return 0;
}

int libxl__vscsi_xs_list_all(libxl__vscsi_ctx *vc, uint32_t domid,
                             libxl_devid devid,
                             libxl__vscsi_recorded *all_r)
{
    return list(vc, domid, devid, all_r, true);
}

int libxl__vscsi_xs_list(libxl__vscsi_ctx *vc, uint32_t domid,
                         libxl_devid devid,
                         libxl_device_vscsictrl **ctrls_r, int *num_r,
                         bool *exists_r)
{
    libxl__vscsi_recorded all;
    int rc;

    rc = list(vc, domid, devid, &all, false);
    if (!rc && !all.exists && !exists_r)
        rc = libxl__vscsi_no_such_domain(vc);
    if (rc)
        return rc;
    *ctrls_r = all.ctrls;
    *num_r = all.num;
    if (exists_r)
        *exists_r = all.exists;
    return 0;
}
