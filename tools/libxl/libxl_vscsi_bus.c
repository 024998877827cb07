/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which vhosts dom0's kernel has a backend for, from its bus. */
#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_internal.h"

#define BUS "xen-backend"
#define PREFIX "vscsi-"

/* "vscsi-DOMID-DEVID" */
static bool parse_backend(const char *name, libxl__vscsi_vhost *vhost_r)
{
    size_t skip = sizeof(PREFIX) - 1;
    uint64_t domid, devid;
    const char *dash;

    if (strncmp(name, PREFIX, skip))
        return false;
    name += skip;
    dash = strchr(name, '-');
    if (!dash ||
        !libxl__vscsi_parse_u64(name, (size_t)(dash - name), UINT32_MAX,
                                &domid) ||
        !libxl__vscsi_parse_u64(dash + 1, strlen(dash + 1), INT32_MAX,
                                &devid))
        return false;
    vhost_r->domid = (uint32_t)domid;
    vhost_r->devid = (libxl_devid)devid;
    return true;
}

static int collect(struct udev_enumerate *list,
                   libxl__vscsi_vhost **vhosts_r, unsigned *num_r)
{
    struct udev_list_entry *entry;
    libxl__vscsi_vhost *vhosts;
    const char *path, *name;
    unsigned num = 0;

    udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list))
        num++;
    vhosts = calloc(num + 1, sizeof(*vhosts));
    if (!vhosts)
        return ERROR_NOMEM;
    num = 0;
    udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
        path = udev_list_entry_get_name(entry);
        name = strrchr(path, '/');
        if (name && parse_backend(name + 1, &vhosts[num]))
            num++;
    }
    *vhosts_r = vhosts;
    *num_r = num;
    return 0;
}

int libxl__vscsi_host_backends(libxl__vscsi_ctx *vc,
                               libxl__vscsi_vhost **vhosts_r,
                               unsigned *num_r)
{
    struct udev *udev = udev_new();
    struct udev_enumerate *list = udev ? udev_enumerate_new(udev) : NULL;
    int rc = ERROR_NOMEM;

    if (list && udev_enumerate_add_match_subsystem(list, BUS) >= 0 &&
        udev_enumerate_add_match_sysname(list, PREFIX "*") >= 0 &&
        udev_enumerate_scan_devices(list) >= 0)
        rc = collect(list, vhosts_r, num_r);
    if (rc)
        libxl__vscsi_error(vc, "cannot look at dom0's backends");
    udev_enumerate_unref(list);
    udev_unref(udev);
    return rc;
}
