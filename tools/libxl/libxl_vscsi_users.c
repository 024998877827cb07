/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who has which physical device, over all domains.  xen-scsiback maps a
 * device for as many guests as ask; that one device goes to one domain
 * only is kept here.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_assignment.h"

/* The kernel's devices cannot be watched through xenstore. */
#define STRAY_POLL_MS 10

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

static bool is_recorded(const libxl__vscsi_users *users,
                        libxl__vscsi_vhost vhost)
{
    int i, j;

    for (i = 0; users && i < users->num_users; i++) {
        if (users->users[i].domid != vhost.domid)
            continue;
        for (j = 0; j < users->users[i].num_ctrls; j++)
            if (users->users[i].ctrls[j].devid == vhost.devid)
                return true;
    }
    return false;
}

/* *stray_r: the kernel holds a backend that has neither node nor record. */
static int find_stray(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users,
                      bool *stray_r)
{
    libxl__vscsi_vhost *vhosts = NULL;
    unsigned i, num = 0;
    bool has = true;
    int rc;

    rc = libxl__vscsi_host_backends(vc, &vhosts, &num);
    for (i = 0; !rc && has && i < num; i++)
        if (!is_recorded(users, vhosts[i]))
            rc = libxl__vscsi_xs_has_backend(vc, vhosts[i], &has);
    free(vhosts);
    if (!rc)
        *stray_r = !has;
    return rc;
}

bool libxl__vscsi_backends_gone(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_users *users)
{
    uint64_t end = libxl__vscsi_now_ms() + vc->timeouts.destroy_ms;
    bool stray;

    for (;;) {
        if (find_stray(vc, users, &stray))
            return false;
        if (!stray || libxl__vscsi_now_ms() >= end)
            return !stray;
        libxl__vscsi_pause(STRAY_POLL_MS);
    }
}

/* The devices of dom0 that some domain has, by address; free(). */
static int used_devices(libxl__vscsi_ctx *vc,
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

static void gc_lio(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users)
{
    libxl_vscsi_hctl *used;
    unsigned num;

    /* A device that the kernel may still serve must keep its export. */
    if (vc->skipped_records || !libxl__vscsi_backends_gone(vc, users)) {
        libxl__vscsi_log(vc, XTL_DETAIL, "LIO objects without a user, if any,"
                         " are left for a later command");
        return;
    }
    if (used_devices(vc, users, &used, &num))
        return;                 /* the next scan collects it */
    libxl__vscsi_lio_gc(vc, used, num);
    free(used);
}

/* Says so in users_r where the domain's records are not all readable. */
static int read_user(libxl__vscsi_ctx *vc, uint32_t domid,
                     libxl__vscsi_users *users_r)
{
    struct libxl__vscsi_user *user = &users_r->users[users_r->num_users];
    bool skipped = vc->skipped_records, exists;
    int rc;

    user->domid = domid;
    vc->skipped_records = false;
    rc = libxl__vscsi_xs_list(vc, domid, -1, &user->ctrls, &user->num_ctrls,
                              &exists);
    if (!rc)
        users_r->num_users++;
    if (vc->skipped_records && !users_r->incomplete) {
        users_r->incomplete = true;
        users_r->unreadable = domid;
    }
    vc->skipped_records |= skipped;
    return rc;
}

/* What all domains, or all but one, have on record. */
static int read_users(libxl__vscsi_ctx *vc, const uint32_t *but,
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

/*
 * Backend directories that no record speaks of.  A domain with records is
 * not a destroyed one, so there is nothing to be found in its directory but
 * the vhost that is asked about.
 */
static int sweep(libxl__vscsi_ctx *vc, const libxl__vscsi_vhost *vhost,
                 libxl__vscsi_users *users)
{
    int i, rc = 0;

    for (i = 0; !rc && i < users->num_users; i++) {
        const struct libxl__vscsi_user *user = &users->users[i];
        bool asked = vhost && vhost->domid == user->domid &&
                     !is_recorded(users, *vhost);

        if (user->num_ctrls && !asked)
            continue;
        rc = libxl__vscsi_xs_sweep(vc, user->domid, user->ctrls,
                                   user->num_ctrls,
                                   asked ? vhost->devid : -1,
                                   asked ? &users->foreign : NULL);
    }
    return rc;
}

int libxl__vscsi_users_read(libxl__vscsi_ctx *vc,
                            libxl__vscsi_users *users_r)
{
    return read_users(vc, NULL, users_r);
}

int libxl__vscsi_users_scan(libxl__vscsi_ctx *vc, bool uses_lio,
                            const libxl__vscsi_vhost *vhost,
                            libxl__vscsi_users *users_r)
{
    int rc;

    rc = read_users(vc, NULL, users_r);
    if (!rc)
        rc = sweep(vc, vhost, users_r);
    if (!rc && uses_lio)
        gc_lio(vc, users_r);
    return rc;
}

/* ----- giving exports up ----- */

/* Could any of them have objects of ours? */
static bool may_be_exported(const libxl_device_vscsidev *devs,
                            const int *indices, unsigned num)
{
    unsigned i;

    for (i = 0; i < num; i++)
        if (devs[indices ? indices[i] : (int)i].pdev.type ==
            LIBXL_VSCSI_PDEV_TYPE_HCTL)
            return true;
    return false;
}

/* The devices among them that may be exported and that nobody has. */
static unsigned choose_unused(const libxl_device_vscsidev *devs,
                              const int *indices, unsigned num,
                              const libxl_vscsi_hctl *used,
                              unsigned num_used, libxl_vscsi_hctl *unused_r)
{
    unsigned i, found = 0;

    for (i = 0; i < num; i++) {
        const libxl_vscsi_pdev *pdev = &devs[indices ? indices[i]
                                                     : (int)i].pdev;

        if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL &&
            !libxl__vscsi_hctl_among(used, num_used, &pdev->u.hctl.m))
            unused_r[found++] = pdev->u.hctl.m;
    }
    return found;
}

static int release_but(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users,
                       const libxl_device_vscsidev *devs,
                       const int *indices, unsigned num, bool all)
{
    libxl_vscsi_hctl *used, *unused;
    unsigned num_used;
    int rc;

    if (vc->skipped_records)
        return 0;               /* not knowing who needs them, leave them */
    if (!libxl__vscsi_backends_gone(vc, users)) {
        libxl__vscsi_error(vc, "dom0's kernel still holds a backend without "
                           "nodes; its LIO objects are taken down later");
        return ERROR_TIMEDOUT;
    }
    rc = used_devices(vc, users, &used, &num_used);
    if (rc)
        return rc;
    unused = calloc(num + 1, sizeof(*unused));
    if (!unused) {
        libxl__vscsi_error(vc, "out of memory");
        rc = ERROR_NOMEM;
    } else {
        num = choose_unused(devs, indices, num, used, num_used, unused);
        rc = libxl__vscsi_lio_release(vc, unused, num);
    }
    if (!rc && all)
        libxl__vscsi_lio_gc(vc, used, num_used);
    free(unused);
    free(used);
    return rc;
}

int libxl__vscsi_release_unused(libxl__vscsi_ctx *vc, uint32_t domid,
                                const libxl_device_vscsidev *devs,
                                const int *indices, unsigned num, bool all)
{
    libxl__vscsi_users users = { .users = NULL };
    int rc, lock;

    if (!all && !may_be_exported(devs, indices, num))
        return 0;               /* targets of the admin's */
    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (rc)
        return rc;
    rc = all ? libxl__vscsi_users_scan(vc, false, NULL, &users)
             : read_users(vc, &domid, &users);
    if (!rc)
        rc = release_but(vc, &users, devs, indices, num, all);
    libxl__vscsi_users_dispose(&users);
    libxl__vscsi_unlock(lock);
    return rc;
}

int libxl__vscsi_cleanup(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_users users = { .users = NULL };
    int rc, lock;

    libxl__vscsi_doing(vc, NULL, NULL, 0);
    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (rc)
        return rc;
    rc = libxl__vscsi_users_scan(vc, true, NULL, &users);
    libxl__vscsi_users_dispose(&users);
    libxl__vscsi_unlock(lock);
    return rc;
}
