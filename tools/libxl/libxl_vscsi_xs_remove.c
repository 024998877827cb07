/* SPDX-License-Identifier: LGPL-2.1-only */
/* Taking vscsictrls out of xenstore: nodes, records and index at once, and
 * what destroyed domains left. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_index.h"
#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

static int rm_backend(libxl__vscsi_ctx *vc, xs_transaction_t t,
                      libxl__vscsi_ref v)
{
    int rc;

    rc = libxl__vscsi_remove_node(vc, t, libxl__vscsi_xs_backend_path(v));
    if (!rc)
        rc = libxl__vscsi_remove_if_empty(vc, t,
                                libxl__vscsi_xs_backends_path(v.domid), 2);
    return rc;
}

static int rm_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                   libxl__vscsi_ref v)
{
    int rc;

    rc = libxl__vscsi_xs_rm_frontend(vc, t, v);
    if (!rc)
        rc = libxl__vscsi_remove_node(vc, t, libxl__vscsi_xs_backend_path(v));
    return rc ? rc : libxl__vscsi_forget_ctrl(vc, t, v);
}

/* Parents that are empty then. */
static int rm_parents(libxl__vscsi_ctx *vc, xs_transaction_t t,
                      uint32_t domid)
{
    int rc;

    rc = libxl__vscsi_remove_if_empty(vc, t, libxl__vscsi_sprintf(
                             "/local/domain/%u/device/vscsi", domid), 1);
    if (!rc)
        rc = libxl__vscsi_remove_if_empty(vc, t,
                                libxl__vscsi_xs_backends_path(domid), 2);
    return rc ? rc : libxl__vscsi_forget_domain(vc, t, domid);
}

int libxl__vscsi_xs_rm_ctrls(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             const libxl__vscsi_ref *refs, unsigned num)
{
    libxl__vscsi_index index = { .entries = NULL };
    unsigned i;
    int rc;

    rc = libxl__vscsi_index_read(vc, t, &index);
    for (i = 0; !rc && i < num; i++)
        rc = rm_ctrl(vc, t, refs[i]);
    if (!rc)
        rc = libxl__vscsi_index_remove(vc, t, &index, refs, num);
    if (!rc && num)
        rc = rm_parents(vc, t, refs[0].domid);
    libxl__vscsi_index_dispose(&index);
    return rc;
}

/* ----- what destroyed domains left ----- */

static int sweep_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    return rm_backend(vc, t, *(libxl__vscsi_ref *)arg);
}

/* A guest may remove its frontend, but not write a name there. */
static int is_old(libxl__vscsi_ctx *vc, libxl__vscsi_ref v, bool *old_r)
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

int libxl__vscsi_xs_drop_old(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                             bool *dropped_r)
{
    bool old;
    int rc;

    rc = is_old(vc, v, &old);
    if (rc)
        return rc;
    if (old) {
        libxl__vscsi_log(vc, XTL_DETAIL, "removing vscsictrl %d of a domain "
                         "that had the number %u before", v.devid, v.domid);
        rc = libxl__vscsi_xs_transact(vc, sweep_body, &v);
    }
    if (!rc)
        *dropped_r = old;
    return rc;
}

int libxl__vscsi_xs_sweep(libxl__vscsi_ctx *vc, uint32_t domid)
{
    libxl__vscsi_ref v = { .domid = domid };
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
            libxl__vscsi_log(vc, XTL_DETAIL, "removing what is left of "
                             "vscsictrl %d of destroyed domain %u", v.devid,
                             domid);
            rc = libxl__vscsi_xs_transact(vc, sweep_body, &v);
        }
        free(state);
    }
    free(names);
    return rc;
}
