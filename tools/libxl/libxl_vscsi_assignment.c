/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who may have a device that others have: nobody, unless all of them said
 * that it is shareable; or a VM that is just moving from one domain to
 * another.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_assignment.h"
#include "libxl_vscsi_store.h"

const char *libxl__vscsi_why_not(const libxl__vscsi_relation *r)
{
    if (r->same_vm && !r->both_may_run)
        return NULL;
    if (r->same_domain && r->same_path)
        return "detach it there first";
    if (r->theirs_shareable && r->ours_shareable)
        return NULL;
    if (r->same_vm)
        return "the uuid is the same, but only a VM that is being moved, and "
               "stands still in one of its two domains, is in both; give "
               "each VM a uuid of its own";
    if (r->ours_shareable)
        return "not as shareable: detach it there, and attach it again with "
               "shareable";
    if (r->theirs_shareable)
        return "as shareable: if both are to have it, say shareable here as "
               "well";
    return "detach it there first";
}

bool libxl__vscsi_same_path(const libxl_vscsi_pdev *a,
                            const libxl_vscsi_pdev *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == LIBXL_VSCSI_PDEV_TYPE_WWN)
        return a->u.wwn.m && b->u.wwn.m && !strcmp(a->u.wwn.m, b->u.wwn.m);
    return a->type == LIBXL_VSCSI_PDEV_TYPE_HCTL &&
           libxl__vscsi_hctl_equal(&a->u.hctl.m, &b->u.hctl.m);
}

/* What moves within the host is two domains with one uuid. */
static bool is_same_vm(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users,
                       uint32_t user, uint32_t domid)
{
    char *theirs, *ours;
    bool same;

    if (user == domid)
        return false;
    theirs = libxl__vscsi_xs_vm(vc, user);
    ours = users->vm ? strdup(users->vm) : libxl__vscsi_xs_vm(vc, domid);
    same = theirs && ours && !strcmp(theirs, ours);
    free(theirs);
    free(ours);
    return same;
}

static bool may_run(libxl__vscsi_ctx *vc, uint32_t domid)
{
    return !vc->life_of || vc->life_of(vc->xl, domid) != LIBXL__VSCSI_ENDED;
}

static libxl__vscsi_relation relate(libxl__vscsi_ctx *vc,
                                    const libxl__vscsi_users *users,
                                    uint32_t user, uint32_t domid,
                                    const libxl_device_vscsidev *theirs,
                                    const libxl_device_vscsidev *ours)
{
    libxl__vscsi_relation r = {
        .same_domain = user == domid,
        .same_path = libxl__vscsi_same_path(&theirs->pdev, &ours->pdev),
        .same_vm = is_same_vm(vc, users, user, domid),
        .theirs_shareable = theirs->shareable,
        .ours_shareable = ours->shareable,
    };

    /* What is no domain yet becomes one when the other stands still. */
    r.both_may_run = r.same_vm && !users->vm && may_run(vc, user) &&
                     may_run(vc, domid);
    return r;
}

static int refuse(libxl__vscsi_ctx *vc, uint32_t user, uint32_t domid,
                  const libxl_device_vscsidev *theirs, const char *why_not)
{
    char vdev[LIBXL__VSCSI_HCTL_SIZE], *name;

    libxl__vscsi_hctl_format(&theirs->vdev, vdev);
    name = libxl__vscsi_domain_name(vc, user);
    libxl__vscsi_error(vc, "it is assigned to %s%s as %s (%s)",
                       user == domid ? "this domain, " : "",
                       name ? name : "a domain", vdev, why_not);
    free(name);
    return ERROR_DEVICE_EXISTS;
}

int libxl__vscsi_users_complete(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_users *users)
{
    uint32_t user = users->unreadable;
    char *name;

    if (!users->incomplete)
        return 0;
    name = libxl__vscsi_domain_name(vc, user);
    libxl__vscsi_error(vc, "%s may have it: what is on record of its devices,"
                       " in /libxl/%u/device/vscsi, cannot be read (shut that"
                       " domain down first)", name ? name : "a domain", user);
    free(name);
    return ERROR_FAIL;
}

static int check_assigned(libxl__vscsi_ctx *vc,
                          const libxl__vscsi_users *users, uint32_t user,
                          uint32_t domid, const libxl_device_vscsidev *theirs,
                          const libxl_device_vscsidev *dev,
                          libxl__vscsi_shared *shared_r)
{
    libxl__vscsi_relation r;
    const char *why_not;

    if (!libxl__vscsi_same_pdev(&dev->pdev, &theirs->pdev))
        return 0;
    r = relate(vc, users, user, domid, theirs, dev);
    why_not = libxl__vscsi_why_not(&r);
    if (why_not)
        return refuse(vc, user, domid, theirs, why_not);
    shared_r->by_guests = true;
    shared_r->exported |= r.same_path;
    return 0;
}

int libxl__vscsi_users_check(libxl__vscsi_ctx *vc,
                             libxl__vscsi_users *users,
                             uint32_t domid,
                             const libxl_device_vscsidev *dev,
                             libxl__vscsi_shared *shared_r)
{
    libxl__vscsi_shared shared = { .by_guests = false };
    int i, j, k, rc;

    rc = libxl__vscsi_users_find(vc, users, &dev->pdev);
    for (i = 0; i < users->num_users; i++) {
        const struct libxl__vscsi_user *user = &users->users[i];

        for (j = 0; j < user->num_ctrls; j++)
            for (k = 0; !rc && k < user->ctrls[j].num_vscsidevs; k++)
                rc = check_assigned(vc, users, user->domid, domid,
                                    &user->ctrls[j].vscsidevs[k], dev,
                                    &shared);
    }
    if (!rc)
        rc = libxl__vscsi_users_complete(vc, users);
    if (!rc)
        *shared_r = shared;
    return rc;
}
