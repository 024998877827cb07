/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The nodes that the drivers read and write: states, and building and
 * taking down both ends of a vscsictrl.  Whatever belongs to one operation is
 * written in one transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

#define BACKEND_PREFIX "vscsi-"

/* ----- paths ----- */

char *libxl__vscsi_xs_backends_path(uint32_t domid)
{
    return libxl__vscsi_sprintf(BACKENDS "/%u", domid);
}

void libxl__vscsi_backend_name(libxl__vscsi_ref ref,
                               char name[LIBXL__VSCSI_BACKEND_NAME_SIZE])
{
    snprintf(name, LIBXL__VSCSI_BACKEND_NAME_SIZE, BACKEND_PREFIX "%u-%d",
             ref.domid, ref.devid);
}

bool libxl__vscsi_parse_backend(const char *name,
                                libxl__vscsi_ref *ref_r)
{
    size_t skip = sizeof(BACKEND_PREFIX) - 1;
    uint64_t domid, devid;
    const char *dash;

    if (strncmp(name, BACKEND_PREFIX, skip))
        return false;
    name += skip;
    dash = strchr(name, '-');
    if (!dash ||
        !libxl__vscsi_parse_u64(name, (size_t)(dash - name), UINT32_MAX,
                                &domid) ||
        !libxl__vscsi_parse_u64(dash + 1, strlen(dash + 1), INT32_MAX,
                                &devid))
        return false;
    ref_r->domid = (uint32_t)domid;
    ref_r->devid = (libxl_devid)devid;
    return true;
}

char *libxl__vscsi_xs_backend_path(libxl__vscsi_ref v)
{
    return libxl__vscsi_sprintf(BACKENDS "/%u/%d", v.domid, v.devid);
}

char *libxl__vscsi_xs_frontend_path(libxl__vscsi_ref v)
{
    return libxl__vscsi_sprintf("/local/domain/%u/device/vscsi/%d", v.domid,
                                v.devid);
}

static char *end_path(libxl__vscsi_ref v, bool frontend, const char *node)
{
    return frontend
        ? libxl__vscsi_sprintf("/local/domain/%u/device/vscsi/%d/%s",
                               v.domid, v.devid, node)
        : libxl__vscsi_sprintf(BACKENDS "/%u/%d/%s", v.domid, v.devid, node);
}

/* node NULL: the directory dev-N itself. */
static char *dev_path(libxl__vscsi_ref v, bool frontend, libxl_devid dev,
                      const char *node)
{
    char tail[64];

    snprintf(tail, sizeof(tail), NODE_DEVS "/" NODE_DEV_PREFIX "%d%s%s",
             dev, node ? "/" : "", node ? node : "");
    return end_path(v, frontend, tail);
}

bool libxl__vscsi_xs_parse_event(const char *base, const char *path,
                                 libxl_devid *dev_r)
{
    static const char devs[] = NODE_DEVS "/" NODE_DEV_PREFIX;
    size_t skip = strlen(base);
    const char *tail, *end;
    uint64_t dev;

    if (strncmp(path, base, skip))
        return false;
    tail = path + skip;
    if (!*tail || !strcmp(tail, "/" NODE_STATE)) {
        *dev_r = -1;            /* the whole directory came or went */
        return true;
    }
    if (*tail++ != '/' || strncmp(tail, devs, sizeof(devs) - 1))
        return false;
    tail += sizeof(devs) - 1;
    end = strchr(tail, '/');
    if (!end || strcmp(end, "/" NODE_STATE) ||
        !libxl__vscsi_parse_u64(tail, (size_t)(end - tail), INT32_MAX, &dev))
        return false;
    *dev_r = (libxl_devid)dev;
    return true;
}

/* ----- states ----- */

static int read_state(libxl__vscsi_ctx *vc, xs_transaction_t t, char *path,
                      libxl__vscsi_state *state_r)
{
    uint64_t number;
    char *text;
    int rc;

    rc = libxl__vscsi_read_node(vc, t, path, &text);
    if (rc)
        return rc;
    if (!text)
        *state_r = VSCSI_GONE;
    else if (libxl__vscsi_parse_u64(text, strlen(text), VSCSI_RECONFIGURED,
                                    &number))
        *state_r = (libxl__vscsi_state)number;
    else
        *state_r = VSCSI_BAD;
    free(text);
    return 0;
}

int libxl__vscsi_xs_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                          libxl__vscsi_ref ref, bool frontend,
                          libxl__vscsi_state *state_r)
{
    return read_state(vc, t, end_path(ref, frontend, NODE_STATE), state_r);
}

int libxl__vscsi_xs_states(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           libxl__vscsi_ref ref,
                           libxl__vscsi_state *backend_r,
                           libxl__vscsi_state *frontend_r)
{
    int rc;

    rc = libxl__vscsi_xs_state(vc, t, ref, false, backend_r);
    if (!rc)
        rc = libxl__vscsi_xs_state(vc, t, ref, true, frontend_r);
    return rc;
}

int libxl__vscsi_xs_has_backend(libxl__vscsi_ctx *vc,
                                libxl__vscsi_ref ref, bool *has_r)
{
    char *value;
    int rc;

    rc = libxl__vscsi_read_node(vc, XBT_NULL,
                                libxl__vscsi_xs_backend_path(ref), &value);
    if (!rc) {
        *has_r = value != NULL;
        free(value);
    }
    return rc;
}

int libxl__vscsi_xs_dev_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref, bool frontend,
                              libxl_devid dev, libxl__vscsi_state *state_r)
{
    return read_state(vc, t, dev_path(ref, frontend, dev, NODE_STATE),
                      state_r);
}

static int write_end(libxl__vscsi_ctx *vc, xs_transaction_t t,
                     libxl__vscsi_ref v, bool frontend, const char *node,
                     const char *value)
{
    return libxl__vscsi_write_node(vc, t, end_path(v, frontend, node),
                                   value);
}

static int write_end_u(libxl__vscsi_ctx *vc, xs_transaction_t t,
                       libxl__vscsi_ref v, bool frontend,
                       const char *node, unsigned value)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", value);
    return write_end(vc, t, v, frontend, node, text);
}

static int write_dev(libxl__vscsi_ctx *vc, xs_transaction_t t,
                     libxl__vscsi_ref v, libxl_devid dev,
                     const char *node, const char *value)
{
    return libxl__vscsi_write_node(vc, t, dev_path(v, false, dev, node),
                                   value);
}

int libxl__vscsi_xs_set_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref,
                              libxl__vscsi_state state)
{
    return write_end_u(vc, t, ref, false, NODE_STATE, state);
}

int libxl__vscsi_xs_set_dev_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                  libxl__vscsi_ref ref, libxl_devid dev,
                                  libxl__vscsi_state state)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", (unsigned)state);
    return write_dev(vc, t, ref, dev, NODE_STATE, text);
}

int libxl__vscsi_xs_set_offline(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_ref ref)
{
    return write_end_u(vc, t, ref, false, NODE_ONLINE, 0);
}

/* ----- the limit of a command's size ----- */

bool libxl__vscsi_is_limited(unsigned segments)
{
    return segments && segments < LIBXL_VSCSI_MAX_SEGMENTS;
}

/*
 * Never more than the backend offers: without the node it takes no more
 * than the guest's driver uses at least.
 */
static int lower_sg_grant(libxl__vscsi_ctx *vc, xs_transaction_t t,
                          libxl__vscsi_ref v, unsigned segments)
{
    uint64_t offered;
    char *text;
    bool lower;
    int rc;

    rc = libxl__vscsi_read_node(vc, t, end_path(v, false, NODE_SG_GRANT),
                                &text);
    if (rc)
        return rc;
    lower = text && libxl__vscsi_parse_u64(text, strlen(text), UINT32_MAX,
                                           &offered) && offered > segments;
    free(text);
    return lower ? write_end_u(vc, t, v, false, NODE_SG_GRANT, segments) : 0;
}

/* Of the frontend's state: what the guest cannot read is not there to it,
 * while dom0 may read everything. */
static int set_visible(libxl__vscsi_ctx *vc, xs_transaction_t t,
                       libxl__vscsi_ref v, bool visible)
{
    char *path = end_path(v, true, NODE_STATE);
    struct xs_permissions perms[2] = {
        { .id = visible ? v.domid : 0, .perms = XS_PERM_NONE },
        { .id = 0, .perms = XS_PERM_READ },
    };
    int rc = 0;

    if (!path || !xs_set_permissions(vc->xsh, t, path, perms,
                                     visible ? 2 : 1))
        rc = libxl__vscsi_store_failed(vc, "set permissions of", path);
    free(path);
    return rc;
}

int libxl__vscsi_xs_is_hidden(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref, bool *hidden_r)
{
    char *path = end_path(ref, true, NODE_STATE);
    struct xs_permissions *perms = NULL;
    unsigned num = 0;
    int rc = 0;

    if (path)
        perms = xs_get_permissions(vc->xsh, t, path, &num);
    if (!perms && (!path || errno != ENOENT))
        rc = libxl__vscsi_store_failed(vc, "read the permissions of", path);
    else    /* the guest cannot give a node to dom0 */
        *hidden_r = perms && num && perms[0].id == 0;
    free(perms);
    free(path);
    return rc;
}

int libxl__vscsi_xs_show_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref, unsigned segments)
{
    int rc;

    rc = lower_sg_grant(vc, t, ref, segments);
    if (!rc)
        rc = set_visible(vc, t, ref, true);
    /* The guest's watch fires for a node that is written. */
    if (!rc)
        rc = write_end_u(vc, t, ref, true, NODE_STATE, VSCSI_INITIALISING);
    return rc;
}

int libxl__vscsi_xs_set_segments(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 libxl__vscsi_ref ref,
                                 unsigned segments)
{
    int rc;

    rc = lower_sg_grant(vc, t, ref, segments);
    return rc ? rc : libxl__vscsi_record_segments(vc, t, ref, segments);
}

/* ----- building and taking down ----- */

/* Children inherit what the directory gets, owner included. */
static int make_dir(libxl__vscsi_ctx *vc, xs_transaction_t t, char *path,
                    uint32_t owner, uint32_t reader)
{
    struct xs_permissions perms[2] = {
        { .id = owner, .perms = XS_PERM_NONE },
        { .id = reader, .perms = XS_PERM_READ },
    };
    int rc = 0;

    if (!path || !xs_mkdir(vc->xsh, t, path) ||
        !xs_set_permissions(vc->xsh, t, path, perms,
                            VSCSI_ARRAY_SIZE(perms)))
        rc = libxl__vscsi_store_failed(vc, "create", path);
    free(path);
    return rc;
}

static int add_frontend(libxl__vscsi_ctx *vc, xs_transaction_t t,
                        libxl__vscsi_ref v, const char *backend,
                        bool hidden)
{
    int rc;

    rc = make_dir(vc, t, libxl__vscsi_xs_frontend_path(v), v.domid, 0);
    if (!rc)
        rc = write_end(vc, t, v, true, NODE_BACKEND, backend);
    if (!rc)
        rc = write_end_u(vc, t, v, true, NODE_BACKEND_ID, 0);
    if (!rc)
        rc = write_end_u(vc, t, v, true, NODE_STATE, VSCSI_INITIALISING);
    if (!rc && hidden)
        rc = set_visible(vc, t, v, false);
    return rc;
}

static int add_backend(libxl__vscsi_ctx *vc, xs_transaction_t t,
                       libxl__vscsi_ref v, const char *frontend,
                       bool feature_host)
{
    int rc;

    rc = make_dir(vc, t, libxl__vscsi_xs_backend_path(v), 0, v.domid);
    if (!rc)
        rc = write_end(vc, t, v, false, NODE_FRONTEND, frontend);
    if (!rc)
        rc = write_end_u(vc, t, v, false, NODE_FRONTEND_ID, v.domid);
    if (!rc)
        rc = write_end_u(vc, t, v, false, NODE_ONLINE, 1);
    if (!rc)
        rc = write_end_u(vc, t, v, false, NODE_FEATURE_HOST, feature_host);
    if (!rc)
        rc = libxl__vscsi_xs_set_state(vc, t, v, VSCSI_INITIALISING);
    return rc;
}

static int add_dev(libxl__vscsi_ctx *vc, xs_transaction_t t,
                   libxl__vscsi_ref v, const libxl_device_vscsidev *dev,
                   const char *p_dev)
{
    const char *p_devname = dev->pdev.p_devname;
    char v_dev[LIBXL__VSCSI_HCTL_SIZE];
    libxl_devid id = dev->vscsidev_id;
    int rc;

    if (!p_devname)
        p_devname = p_dev;
    libxl__vscsi_hctl_format(&dev->vdev, v_dev);
    rc = write_dev(vc, t, v, id, NODE_P_DEV, p_dev);
    if (!rc)
        rc = write_dev(vc, t, v, id, NODE_P_DEVNAME, p_devname);
    if (!rc)
        rc = write_dev(vc, t, v, id, NODE_V_DEV, v_dev);
    if (!rc)
        rc = libxl__vscsi_xs_set_dev_state(vc, t, v, id, VSCSI_INITIALISING);
    return rc;
}

static int add_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                    libxl__vscsi_ref v, const libxl_device_vscsidev *devs,
                    const libxl__vscsi_p_dev *p_devs, int num)
{
    int rc = 0, i;

    for (i = 0; !rc && i < num; i++)
        rc = add_dev(vc, t, v, &devs[i], p_devs[i]);
    return rc;
}

int libxl__vscsi_xs_add_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             uint32_t domid,
                             const libxl_device_vscsictrl *ctrl,
                             const libxl__vscsi_p_dev *p_devs)
{
    libxl__vscsi_ref v = { .domid = domid, .devid = ctrl->devid };
    char *backend = libxl__vscsi_xs_backend_path(v);
    char *frontend = libxl__vscsi_xs_frontend_path(v);
    int rc;

    rc = libxl__vscsi_record_ctrl(vc, t, v, ctrl);
    /* The backend's probe needs to find the frontend. */
    if (!rc)
        rc = add_frontend(vc, t, v, backend,
                          libxl__vscsi_is_limited(ctrl->max_segments));
    if (!rc)
        rc = add_backend(vc, t, v, frontend,
                         libxl_defbool_val(ctrl->scsi_raw_cmds));
    if (!rc)
        rc = add_devs(vc, t, v, ctrl->vscsidevs, p_devs,
                      ctrl->num_vscsidevs);
    free(backend);
    free(frontend);
    return rc;
}

int libxl__vscsi_xs_add_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v,
                             const libxl_device_vscsidev *devs,
                             const libxl__vscsi_p_dev *p_devs, int num)
{
    int rc;

    rc = libxl__vscsi_record_devs(vc, t, v, devs, num);
    return rc ? rc : add_devs(vc, t, v, devs, p_devs, num);
}

int libxl__vscsi_xs_rm_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_ref v, const libxl_devid *devs,
                            unsigned num)
{
    unsigned i;
    int rc = 0;

    for (i = 0; !rc && i < num; i++) {
        rc = libxl__vscsi_remove_node(vc, t,
                                      dev_path(v, false, devs[i], NULL));
        /* A stale 6 there would be misread when the number is used again. */
        if (!rc)
            rc = libxl__vscsi_remove_node(vc, t,
                                          dev_path(v, true, devs[i], NULL));
    }
    return rc ? rc : libxl__vscsi_forget_devs(vc, t, v, devs, num);
}

int libxl__vscsi_xs_rm_frontend(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_ref v)
{
    return libxl__vscsi_remove_node(vc, t, libxl__vscsi_xs_frontend_path(v));
}
