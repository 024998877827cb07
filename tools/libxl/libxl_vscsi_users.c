/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who has which physical device, over all domains.  xen-scsiback maps a
 * device for as many guests as ask; that one device goes to one domain
 * only is kept here.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_assignment.h"

void libxl__vscsi_users_dispose(libxl__vscsi_users *users)
{
    int i;

    for (i = 0; i < users->num_users; i++)
        libxl_device_vscsictrl_list_free(users->users[i].ctrls,
                                         users->users[i].num_ctrls);
    free(users->users);
    users->users = NULL;
    users->num_users = 0;
}

bool libxl__vscsi_users_has(const libxl__vscsi_users *users,
                            libxl__vscsi_vhost vhost)
{
    int i, j;

    for (i = 0; i < users->num_users; i++) {
        if (users->users[i].domid != vhost.domid)
            continue;
        for (j = 0; j < users->users[i].num_ctrls; j++)
            if (users->users[i].ctrls[j].devid == vhost.devid)
                return true;
    }
    return false;
}

int libxl__vscsi_users_devices(libxl__vscsi_ctx *vc,
                               const libxl__vscsi_users *users,
                               libxl_vscsi_hctl **used_r, unsigned *num_r)
{
    libxl_vscsi_hctl *used;
    unsigned num = 0;
    int i, j, k;

    for (i = 0; i < users->num_users; i++)
        for (j = 0; j < users->users[i].num_ctrls; j++)
            num += (unsigned)users->users[i].ctrls[j].num_vscsidevs;
    used = calloc(num + 1, sizeof(*used));
    if (!used) {
        libxl__vscsi_error(vc, "out of memory");
        return ERROR_NOMEM;
    }
    num = 0;
    for (i = 0; i < users->num_users; i++) {
        for (j = 0; j < users->users[i].num_ctrls; j++) {
            const libxl_device_vscsictrl *ctrl = &users->users[i].ctrls[j];

            for (k = 0; k < ctrl->num_vscsidevs; k++)
                if (ctrl->vscsidevs[k].pdev.type ==
                    LIBXL_VSCSI_PDEV_TYPE_HCTL)
                    used[num++] = ctrl->vscsidevs[k].pdev.u.hctl.m;
        }
    }
    *used_r = used;
    *num_r = num;
    return 0;
}

/* Says so in users_r where the domain's records are not all readable. */
static int read_user(libxl__vscsi_ctx *vc, uint32_t domid,
                     libxl__vscsi_users *users_r)
{
    struct libxl__vscsi_user *user = &users_r->users[users_r->num_users];
    libxl__vscsi_vhosts vhosts;
    int rc;

    rc = libxl__vscsi_xs_list_all(vc, domid, -1, &vhosts);
    if (rc)
        return rc;
    if (vhosts.num_unreadable && !users_r->incomplete) {
        users_r->incomplete = true;
        users_r->unreadable = domid;
    }
    users_r->num_users++;
    user->domid = domid;
    user->exists = vhosts.exists;
    user->ctrls = vhosts.ctrls;
    user->num_ctrls = vhosts.num;
    vhosts.ctrls = NULL;
    vhosts.num = 0;
    libxl__vscsi_vhosts_dispose(&vhosts);
    return 0;
}

int libxl__vscsi_users_read(libxl__vscsi_ctx *vc, const uint32_t *but,
                            libxl__vscsi_users *users_r)
{
    uint32_t *domids = NULL;
    int rc, i, num = 0;

    rc = libxl__vscsi_xs_backends(vc, &domids, &num);
    if (rc)
        return rc;
    users_r->users = calloc((size_t)num + 1, sizeof(*users_r->users));
    if (!users_r->users) {
        libxl__vscsi_error(vc, "out of memory");
        rc = ERROR_NOMEM;
    }
    for (i = 0; !rc && i < num; i++)
        if (!but || *but != domids[i])
            rc = read_user(vc, domids[i], users_r);
    free(domids);
    return rc;
}

static int sweep(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users)
{
    int i, rc = 0;

    for (i = 0; !rc && i < users->num_users; i++)
        if (!users->users[i].exists)
            rc = libxl__vscsi_xs_sweep(vc, users->users[i].domid);
    return rc;
}

int libxl__vscsi_users_scan(libxl__vscsi_ctx *vc,
                            libxl__vscsi_users *users_r)
{
    int rc;

    rc = libxl__vscsi_users_read(vc, NULL, users_r);
    return rc ? rc : sweep(vc, users_r);
}
