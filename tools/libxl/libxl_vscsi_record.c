/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The toolstack's own record, /libxl/<domid>/device/vscsi/<devid>, which no
 * guest can write: no path and no name is ever taken from anywhere else.
 * Its value is the vhost without devices as JSON; vscsi-devs/dev-N below it
 * is one device as JSON.
 */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "libxl_vscsi_nodes.h"

/* What a message to xenstored holds, less room for the path. */
#define RECORD_MAX 3072

static char *records_path(uint32_t domid)
{
    return libxl__vscsi_sprintf("/libxl/%u/device/vscsi", domid);
}

static char *record_path(libxl__vscsi_vhost v, const char *tail)
{
    return libxl__vscsi_sprintf("/libxl/%u/device/vscsi/%d%s%s", v.domid,
                                v.devid, tail ? "/" : "", tail ? tail : "");
}

static char *dev_record_path(libxl__vscsi_vhost v, libxl_devid dev)
{
    char tail[64];

    snprintf(tail, sizeof(tail), NODE_DEVS "/" NODE_DEV_PREFIX "%d", dev);
    return record_path(v, tail);
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

typedef yajl_gen_status gen_fn(yajl_gen, const void *);

static yajl_gen_status gen_ctrl(yajl_gen gen, const void *p)
{
    return libxl_device_vscsictrl_gen_json(gen,
                                (libxl_device_vscsictrl *)(uintptr_t)p);
}

static yajl_gen_status gen_dev(yajl_gen gen, const void *p)
{
    return libxl_device_vscsidev_gen_json(gen,
                                (libxl_device_vscsidev *)(uintptr_t)p);
}

/* Compact JSON: it shares a 4 KiB message with its path. */
static char *to_text(gen_fn *fn, const void *p)
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

static int write_record(libxl__vscsi_ctx *vc, xs_transaction_t t, char *path,
                        char *text)
{
    int rc;

    if (!text || strlen(text) > RECORD_MAX) {
        libxl__vscsi_error(vc, "it cannot be recorded: its name is %s",
                           text ? "too long" : "no UTF-8 text");
        free(path);
        rc = ERROR_INVAL;
    } else {
        rc = libxl__vscsi_write_node(vc, t, path, text);
    }
    free(text);
    return rc;
}

int libxl__vscsi_record_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost v,
                              const libxl_device_vscsictrl *ctrl)
{
    char *backend = libxl__vscsi_xs_backend_path(v);
    char *frontend = libxl__vscsi_xs_frontend_path(v);
    libxl_device_vscsictrl bare = *ctrl;
    int rc;

    bare.vscsidevs = NULL;
    bare.num_vscsidevs = 0;
    rc = write_record(vc, t, record_path(v, NULL), to_text(gen_ctrl, &bare));
    if (!rc)
        rc = libxl__vscsi_write_node(vc, t, record_path(v, NODE_FRONTEND),
                                     frontend);
    if (!rc)
        rc = libxl__vscsi_write_node(vc, t, record_path(v, NODE_BACKEND),
                                     backend);
    free(backend);
    free(frontend);
    return rc;
}

int libxl__vscsi_record_dev(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_vhost v,
                            const libxl_device_vscsidev *dev)
{
    return write_record(vc, t, dev_record_path(v, dev->vscsidev_id),
                        to_text(gen_dev, dev));
}

int libxl__vscsi_forget_dev(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_vhost v, libxl_devid dev)
{
    return libxl__vscsi_remove_node(vc, t, dev_record_path(v, dev));
}

int libxl__vscsi_forget_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost v)
{
    int rc;

    rc = libxl__vscsi_remove_node(vc, t, record_path(v, NULL));
    if (!rc)
        rc = libxl__vscsi_remove_if_empty(vc, t, records_path(v.domid));
    return rc;
}

static int read_dev_record(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v,
                           libxl_devid id, libxl_device_vscsictrl *ctrl)
{
    libxl_device_vscsidev dev;
    char *text;
    int rc;

    rc = libxl__vscsi_read_node(vc, XBT_NULL, dev_record_path(v, id), &text);
    if (rc || !text)            /* went away since the directory was read */
        return rc;
    libxl_device_vscsidev_init(&dev);
    if (libxl_device_vscsidev_from_json(NULL, &dev, text)) {
        vc->skipped_records = true;
        libxl__vscsi_log(vc, XTL_WARN, "vhost %d of domain %u: the record "
                         "of dev-%d cannot be read", v.devid, v.domid, id);
    } else {
        dev.vscsidev_id = id;
        rc = libxl_device_vscsictrl_append_vscsidev(NULL, ctrl, &dev);
    }
    libxl_device_vscsidev_dispose(&dev);
    free(text);
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
    char *text = NULL, **names = NULL;
    unsigned i, num;
    uint64_t id;
    int rc;

    rc = libxl__vscsi_read_node(vc, XBT_NULL, record_path(v, NULL), &text);
    if (rc || !text)
        goto out;
    if (libxl_device_vscsictrl_from_json(NULL, ctrl, text))
        libxl__vscsi_log(vc, XTL_WARN, "the record of vhost %d of domain %u "
                         "cannot be read", v.devid, v.domid);
    ctrl->devid = ctrl->idx = v.devid;
    libxl_defbool_setdefault(&ctrl->scsi_raw_cmds, false);

    rc = libxl__vscsi_list_node(vc, XBT_NULL, record_path(v, NODE_DEVS),
                                &names, &num);
    if (rc)
        goto out;
    for (i = 0; i < num; i++) {
        if (!libxl__vscsi_parse_name(names[i], NODE_DEV_PREFIX, INT32_MAX,
                                     &id))
            continue;
        rc = read_dev_record(vc, v, (libxl_devid)id, ctrl);
        if (rc)
            goto out;
    }
    if (ctrl->num_vscsidevs)
        qsort(ctrl->vscsidevs, (size_t)ctrl->num_vscsidevs,
              sizeof(*ctrl->vscsidevs), order_dev);
out:
    free(names);
    free(text);
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

static bool is_recorded(const libxl_device_vscsictrl *ctrls, int num,
                        libxl_devid devid)
{
    int i;

    for (i = 0; i < num; i++)
        if (ctrls[i].devid == devid)
            return true;
    return false;
}

static int sweep_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    return libxl__vscsi_xs_rm_backend(vc, t, *(libxl__vscsi_vhost *)arg);
}

int libxl__vscsi_xs_sweep(libxl__vscsi_ctx *vc, uint32_t domid,
                          const libxl_device_vscsictrl *ctrls, int num,
                          libxl_devid devid, bool *foreign_r)
{
    libxl__vscsi_vhost v = { .domid = domid };
    char **names, *state;
    bool foreign = false;
    unsigned i, found;
    uint64_t id;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL,
                                libxl__vscsi_xs_backends_path(domid),
                                &names, &found);
    if (rc)
        return rc;
    for (i = 0; !rc && i < found; i++) {
        if (!libxl__vscsi_parse_name(names[i], "", INT32_MAX, &id) ||
            is_recorded(ctrls, num, (libxl_devid)id))
            continue;
        v.devid = (libxl_devid)id;
        rc = libxl__vscsi_read_node(vc, XBT_NULL,
                                    libxl__vscsi_xs_frontend_path(v), &state);
        if (rc)
            break;
        if (state) {            /* somebody else's, made by hand */
            foreign = foreign || v.devid == devid;
        } else {
            libxl__vscsi_log(vc, XTL_DETAIL, "removing what is left of vhost"
                             " %d of destroyed domain %u", v.devid, domid);
            rc = libxl__vscsi_xs_transact(vc, sweep_body, &v);
        }
        free(state);
    }
    if (!rc && foreign_r)
        *foreign_r = foreign;
    free(names);
    return rc;
}
