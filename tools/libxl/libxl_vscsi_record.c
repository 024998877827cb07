/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The toolstack's own record, /libxl/<domid>/device/vscsi/<devid>, which no
 * guest can write: no path and no name is ever taken from anywhere else.
 * Its value is the vhost without devices, as JSON; for those see
 * libxl_vscsi_record_devs.c.
 */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "libxl_vscsi_nodes.h"

static char *records_path(uint32_t domid)
{
    return libxl__vscsi_sprintf("/libxl/%u/device/vscsi", domid);
}

char *libxl__vscsi_record_path(libxl__vscsi_vhost v, const char *tail)
{
    return libxl__vscsi_sprintf("/libxl/%u/device/vscsi/%d%s%s", v.domid,
                                v.devid, tail ? "/" : "", tail ? tail : "");
}

/* ----- domains ----- */

static int no_such_domain(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_error(vc, "there is no such domain");
    return ERROR_DOMAIN_NOTFOUND;
}

/* Whether libxl has the domain. */
static int find_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                       uint32_t domid, bool *exists_r)
{
    char **kinds;
    unsigned num;
    int rc;

    rc = libxl__vscsi_list_node(vc, t,
                                libxl__vscsi_sprintf("/libxl/%u/device",
                                                     domid), &kinds, &num);
    if (rc)
        return rc;
    *exists_r = kinds || domid == 0;    /* libxl keeps no record of dom0 */
    free(kinds);
    return 0;
}

int libxl__vscsi_xs_check_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 uint32_t domid)
{
    bool exists;
    int rc;

    rc = find_domain(vc, t, domid, &exists);
    return !rc && !exists ? no_such_domain(vc) : rc;
}

char *libxl__vscsi_xs_domain_name(libxl__vscsi_ctx *vc, uint32_t domid)
{
    char *path = libxl__vscsi_sprintf("/local/domain/%u/name", domid);
    char *name = path ? xs_read(vc->xsh, XBT_NULL, path, NULL) : NULL;

    free(path);
    return name ? name : libxl__vscsi_sprintf("domain %u", domid);
}

char *libxl__vscsi_xs_vm(libxl__vscsi_ctx *vc, uint32_t domid)
{
    char *path = libxl__vscsi_sprintf("/local/domain/%u/vm", domid);
    char *vm = path ? xs_read(vc->xsh, XBT_NULL, path, NULL) : NULL;

    free(path);
    return vm;
}

static int order_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

int libxl__vscsi_xs_backends(libxl__vscsi_ctx *vc, uint32_t **domids_r,
                             int *num_r)
{
    uint32_t *domids = NULL;
    char **names;
    unsigned i, num, found = 0;
    uint64_t domid;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, strdup(BACKENDS), &names, &num);
    if (rc)
        return rc;
    if (num) {
        domids = calloc(num, sizeof(*domids));
        if (!domids) {
            rc = libxl__vscsi_store_failed(vc, "list", NULL);
            goto out;
        }
    }
    for (i = 0; i < num; i++)
        if (libxl__vscsi_parse_name(names[i], "", UINT32_MAX, &domid))
            domids[found++] = (uint32_t)domid;
    if (found)
        qsort(domids, found, sizeof(*domids), order_u32);
    *domids_r = domids;
    *num_r = (int)found;
out:
    free(names);
    return rc;
}

/* ----- the record ----- */

static yajl_gen_status gen_ctrl(yajl_gen gen, const void *p)
{
    return libxl_device_vscsictrl_gen_json(gen,
                                (libxl_device_vscsictrl *)(uintptr_t)p);
}

/* Compact JSON: it shares a 4 KiB message with its path. */
char *libxl__vscsi_record_text(libxl__vscsi_gen_fn *fn, const void *p)
{
    yajl_gen gen = yajl_gen_alloc(NULL);
    const unsigned char *buf;
    char *text = NULL;
    size_t len;

    if (gen && fn(gen, p) == yajl_gen_status_ok &&
        yajl_gen_get_buf(gen, &buf, &len) == yajl_gen_status_ok)
        text = strndup((const char *)buf, len);
    if (gen)
        yajl_gen_free(gen);
    return text;
}

int libxl__vscsi_record_options(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_vhost v,
                                const libxl_device_vscsictrl *ctrl)
{
    libxl_device_vscsictrl bare = *ctrl;
    char *text;
    int rc;

    bare.vscsidevs = NULL;
    bare.num_vscsidevs = 0;
    text = libxl__vscsi_record_text(gen_ctrl, &bare);
    rc = libxl__vscsi_write_node(vc, t, libxl__vscsi_record_path(v, NULL),
                                 text);
    free(text);
    return rc;
}

int libxl__vscsi_record_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost v,
                              const libxl_device_vscsictrl *ctrl)
{
    char *backend = libxl__vscsi_xs_backend_path(v);
    char *frontend = libxl__vscsi_xs_frontend_path(v);
    int rc;

    rc = libxl__vscsi_record_options(vc, t, v, ctrl);
    if (!rc)
        rc = libxl__vscsi_write_node(vc, t, libxl__vscsi_record_path(
                                     v, NODE_FRONTEND), frontend);
    if (!rc)
        rc = libxl__vscsi_write_node(vc, t, libxl__vscsi_record_path(
                                     v, NODE_BACKEND), backend);
    if (!rc)
        rc = libxl__vscsi_record_first_devs(vc, t, v, ctrl->vscsidevs,
                                            ctrl->num_vscsidevs);
    free(backend);
    free(frontend);
    return rc;
}

int libxl__vscsi_forget_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost v)
{
    int rc;

    rc = libxl__vscsi_remove_node(vc, t, libxl__vscsi_record_path(v, NULL));
    if (!rc)
        rc = libxl__vscsi_remove_if_empty(vc, t, records_path(v.domid));
    return rc;
}

static int order_dev(const void *a, const void *b)
{
    const libxl_device_vscsidev *x = a, *y = b;

    return libxl__vscsi_hctl_order(&x->vdev, &y->vdev);
}

/* Leaves *ctrl empty where the vhost went away since the directory was
 * read. */
static int read_vhost_record(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v,
                             libxl_device_vscsictrl *ctrl)
{
    char *text;
    int rc;

    rc = libxl__vscsi_read_node(vc, XBT_NULL,
                                libxl__vscsi_record_path(v, NULL), &text);
    if (rc || !text)
        return rc;
    if (libxl_device_vscsictrl_from_json(NULL, ctrl, text))
        libxl__vscsi_log(vc, XTL_WARN, "the record of vhost %d of domain %u "
                         "cannot be read", v.devid, v.domid);
    ctrl->devid = ctrl->idx = v.devid;
    free(text);
    libxl_defbool_setdefault(&ctrl->scsi_raw_cmds, false);
    rc = libxl__vscsi_read_devs(vc, v, ctrl);
    if (!rc && ctrl->num_vscsidevs)
        qsort(ctrl->vscsidevs, (size_t)ctrl->num_vscsidevs,
              sizeof(*ctrl->vscsidevs), order_dev);
    return rc;
}

static int order_ctrl(const void *a, const void *b)
{
    const libxl_device_vscsictrl *x = a, *y = b;

    return x->devid < y->devid ? -1 : x->devid > y->devid;
}

/* The numbers of the recorded vhosts of a domain, as they come; NULL for a
 * domain without any.  free(). */
static int list_vhosts(libxl__vscsi_ctx *vc, uint32_t domid,
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
            rc = libxl__vscsi_store_failed(vc, "list", NULL);
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

int libxl__vscsi_xs_list(libxl__vscsi_ctx *vc, uint32_t domid,
                         libxl_devid devid,
                         libxl_device_vscsictrl **ctrls_r, int *num_r,
                         bool *exists_r)
{
    libxl_device_vscsictrl *ctrls = NULL;
    libxl_devid *listed = NULL;
    bool exists = true;         /* a domain with vhosts does */
    unsigned i, num = 1;
    int rc = 0, found = 0;

    if (devid == -1)
        rc = list_vhosts(vc, domid, &listed, &num);
    if (rc)
        return rc;
    if (num) {
        ctrls = calloc(num, sizeof(*ctrls));
        if (!ctrls) {
            free(listed);
            return libxl__vscsi_store_failed(vc, "list", NULL);
        }
    }
    for (i = 0; !rc && i < num; i++) {
        libxl__vscsi_vhost v = { .domid = domid,
                                 .devid = listed ? listed[i] : devid };

        libxl_device_vscsictrl_init(&ctrls[found]);
        rc = read_vhost_record(vc, v, &ctrls[found]);
        if (ctrls[found].devid != -1)
            found++;
    }
    if (!rc && !found)
        rc = find_domain(vc, XBT_NULL, domid, &exists);
    if (!rc && !exists && !exists_r)
        rc = no_such_domain(vc);
    free(listed);
    if (rc || !found) {
        libxl_device_vscsictrl_list_free(ctrls, found);
        ctrls = NULL;
    }
    if (rc)
        return rc;
    if (found)
        qsort(ctrls, (size_t)found, sizeof(*ctrls), order_ctrl);
    *ctrls_r = ctrls;
    *num_r = found;
    if (exists_r)
        *exists_r = exists;
    return 0;
}

/* ----- what destroyed domains left ----- */

static int sweep_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    return libxl__vscsi_xs_rm_backend(vc, t, *(libxl__vscsi_vhost *)arg);
}

/* A guest may remove its frontend, but not write a name there. */
static int is_old(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v, bool *old_r)
{
    char *path = libxl__vscsi_xs_backend_path(v), *text = NULL, **devs = NULL;
    unsigned num = 0;
    bool named;
    int rc;

    rc = libxl__vscsi_read_node(vc, XBT_NULL,
                                libxl__vscsi_xs_frontend_path(v), &text);
    if (!rc && !text)
        rc = libxl__vscsi_list_node(vc, XBT_NULL, libxl__vscsi_sprintf(
                                    "%s/" NODE_DEVS, path), &devs, &num);
    if (!rc && num)
        rc = libxl__vscsi_read_node(vc, XBT_NULL, libxl__vscsi_sprintf(
                                    "%s/" NODE_DEVS "/%s/" NODE_P_DEVNAME,
                                    path, devs[0]), &text);
    named = num && text;
    free(devs);
    free(path);
    free(text);
    if (!rc)
        *old_r = named;
    return rc;
}

int libxl__vscsi_xs_drop_old(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v,
                             bool *dropped_r)
{
    bool old;
    int rc;

    rc = is_old(vc, v, &old);
    if (rc)
        return rc;
    if (old) {
        libxl__vscsi_log(vc, XTL_DETAIL, "removing vhost %d of a domain that"
                         " had the number %u before", v.devid, v.domid);
        rc = libxl__vscsi_xs_transact(vc, sweep_body, &v);
    }
    if (!rc)
        *dropped_r = old;
    return rc;
}

int libxl__vscsi_xs_sweep(libxl__vscsi_ctx *vc, uint32_t domid)
{
    libxl__vscsi_vhost v = { .domid = domid };
    char **names, *state;
    unsigned i, found;
    uint64_t id;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL,
                                libxl__vscsi_xs_backends_path(domid),
                                &names, &found);
    if (rc)
        return rc;
    for (i = 0; !rc && i < found; i++) {
        if (!libxl__vscsi_parse_name(names[i], "", INT32_MAX, &id))
            continue;
        v.devid = (libxl_devid)id;
        rc = libxl__vscsi_read_node(vc, XBT_NULL,
                                    libxl__vscsi_xs_frontend_path(v), &state);
        if (rc)
            break;
        if (!state) {           /* else it is somebody else's */
            libxl__vscsi_log(vc, XTL_DETAIL, "removing what is left of vhost"
                             " %d of destroyed domain %u", v.devid, domid);
            rc = libxl__vscsi_xs_transact(vc, sweep_body, &v);
        }
        free(state);
    }
    free(names);
    return rc;
}
