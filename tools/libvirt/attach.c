/* SPDX-License-Identifier: LGPL-2.1-only */
/* Giving a domain of libvirt's what its definition says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "../xl/places.h"
#include "hook.h"

/* See LIBXL_VSCSI_MONITOR. */
static bool mark_monitor(uint32_t domid)
{
    static const char value[] = "libvirt";
    struct xs_handle *xsh = xs_open(0);
    char path[64];
    bool ok;

    snprintf(path, sizeof(path), "/libxl/%u/" LIBXL_VSCSI_MONITOR, domid);
    ok = xsh && xs_write(xsh, XBT_NULL, path, value, sizeof(value) - 1);
    if (!ok)
        say("cannot write %s to xenstore: %s", path, strerror(errno));
    xs_close(xsh);
    return ok;
}

int attach_all(libxl_ctx *ctx, uint32_t domid, definition *def)
{
    int rc, i;

    if (!mark_monitor(domid))
        return ERROR_FAIL;
    rc = libxl_vscsi_take_missing(ctx, domid, def->ctrls, &def->num, false);
    for (i = 0; !rc && i < def->num; i++)
        rc = libxl_device_vscsictrl_add(ctx, domid, &def->ctrls[i], NULL);
    return rc;
}

int leave_out_present(libxl_ctx *ctx, uint32_t domid, definition *def)
{
    libxl_device_vscsictrl *has;
    int num, i, j;

    has = libxl_vscsi_config_list(ctx, domid, &num);
    if (num < 0)
        return ERROR_FAIL;
    for (i = def->num - 1; i >= 0; i--) {
        libxl_device_vscsictrl *ctrl = &def->ctrls[i];

        for (j = ctrl->num_vscsidevs - 1; j >= 0; j--)
            if (places_have(has, num, &ctrl->vscsidevs[j].vdev))
                libxl_device_vscsictrl_remove_vscsidev(ctx, ctrl, j);
        if (ctrl->num_vscsidevs)
            continue;
        libxl_device_vscsictrl_dispose(ctrl);
        memmove(ctrl, ctrl + 1,
                (size_t)(def->num - i - 1) * sizeof(*ctrl));
        def->num--;
    }
    libxl_device_vscsictrl_list_free(has, num);
    return 0;
}

int attach_rest(libxl_ctx *ctx, uint32_t domid, definition *def)
{
    int rc = leave_out_present(ctx, domid, def);

    return rc ? rc : attach_all(ctx, domid, def);
}
