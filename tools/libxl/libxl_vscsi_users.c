/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who has which physical device, over all domains.  xen-scsiback maps a
 * device for as many guests as ask; that one device goes to one domain
 * only is kept here.  What domains have no device that is asked for is not
 * looked at: the index tells.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_assignment.h"
#include "libxl_vscsi_store.h"

void libxl__vscsi_users_dispose(libxl__vscsi_users *users)
{
    int i;

    for (i = 0; i < users->num_users; i++)
        libxl_device_vscsictrl_list_free(users->users[i].ctrls,
                                         users->users[i].num_ctrls);
    free(users->users);
    users->users = NULL;
    users->num_users = 0;
    users->incomplete = false;
    libxl__vscsi_index_dispose(&users->index);
}

bool libxl__vscsi_users_has(const libxl__vscsi_users *users,
                            libxl__vscsi_ref ref)
{
    int i, j;

    for (i = 0; i < users->num_users; i++) {
        if (users->users[i].domid != ref.domid)
            continue;
        for (j = 0; j < users->users[i].num_ctrls; j++)
            if (users->users[i].ctrls[j].devid == ref.devid)
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
    if (!used)
        return libxl__vscsi_out_of_memory(vc);
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

/* ----- reading ----- */

/* All vscsictrls of a domain, or one, if devid is not -1.  Says so in users
 * where a record is not readable. */
static int add_user(libxl__vscsi_ctx *vc, uint32_t domid, libxl_devid devid,
                    libxl__vscsi_users *users)
{
    struct libxl__vscsi_user *list;
    libxl__vscsi_recorded all;
    int rc;

    list = reallocarray(users->users, (size_t)users->num_users + 1,
                        sizeof(*list));
    if (!list)
        return libxl__vscsi_out_of_memory(vc);
    users->users = list;
    rc = libxl__vscsi_xs_list_all(vc, domid, devid, &all);
    if (rc)
        return rc;
    if (all.num_unreadable && !users->incomplete) {
        users->incomplete = true;
        users->unreadable = domid;
    }
    list[users->num_users++] = (struct libxl__vscsi_user){
        .domid = domid, .exists = all.exists,
        .ctrls = all.ctrls, .num_ctrls = all.num,
    };
    all.ctrls = NULL;
    all.num = 0;
    libxl__vscsi_recorded_dispose(&all);
    return 0;
}

int libxl__vscsi_users_read(libxl__vscsi_ctx *vc, libxl__vscsi_users *users_r)
{
    uint32_t *domids = NULL;
    int rc, i, num = 0;

    rc = libxl__vscsi_xs_backends(vc, &domids, &num);
    for (i = 0; !rc && i < num; i++)
        rc = add_user(vc, domids[i], -1, users_r);
    free(domids);
    return rc;
}

int libxl__vscsi_users_open(libxl__vscsi_ctx *vc, libxl__vscsi_users *users)
{
    int rc;

    rc = libxl__vscsi_index_read(vc, XBT_NULL, &users->index);
    return rc ? rc : libxl__vscsi_index_check(vc, &users->index);
}

bool libxl__vscsi_users_skip(libxl__vscsi_users *users, uint32_t domid)
{
    bool found = false;
    unsigned i;

    for (i = 0; i < users->index.num; i++) {
        if (users->index.entries[i].ref.domid != domid)
            continue;
        users->index.entries[i].loaded = true;
        found = true;
    }
    return found;
}

int libxl__vscsi_users_load(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                            uint32_t domid)
{
    return libxl__vscsi_users_skip(users, domid)
           ? add_user(vc, domid, -1, users) : 0;
}

/* A vscsictrl may be there under several names. */
static void set_loaded(libxl__vscsi_index *index, libxl__vscsi_ref ref)
{
    unsigned i;

    for (i = 0; i < index->num; i++)
        if (index->entries[i].ref.domid == ref.domid &&
            index->entries[i].ref.devid == ref.devid)
            index->entries[i].loaded = true;
}

int libxl__vscsi_users_read_one(libxl__vscsi_ctx *vc,
                                libxl__vscsi_users *users_r,
                                const uint32_t *domid)
{
    int rc = libxl__vscsi_users_open(vc, users_r);

    users_r->one = domid;
    libxl__vscsi_users_skip(users_r, *domid);
    return rc ? rc : add_user(vc, *domid, -1, users_r);
}

bool libxl__vscsi_users_lead_on(const libxl__vscsi_users *users,
                                const libxl_vscsi_hctl *hctl)
{
    libxl__vscsi_wanted wanted;
    libxl_vscsi_pdev pdev;
    unsigned i = 0;
    bool leads = false;

    libxl_vscsi_pdev_init(&pdev);
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    pdev.u.hctl.m = *hctl;
    wanted = libxl__vscsi_index_wanted(&pdev);
    while (!leads && i < users->index.num) {
        const libxl__vscsi_index_entry *entry = &users->index.entries[i++];

        leads = !entry->loaded && libxl__vscsi_index_leads(entry, &wanted);
    }
    libxl_vscsi_pdev_dispose(&pdev);
    return leads;
}

int libxl__vscsi_users_find(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                            const libxl_vscsi_pdev *pdev)
{
    libxl__vscsi_wanted wanted = libxl__vscsi_index_wanted(pdev);
    libxl__vscsi_index *index = &users->index;
    unsigned i;
    int rc = 0;

    for (i = 0; !rc && i < index->num; i++) {
        const libxl__vscsi_index_entry *entry = &index->entries[i];

        if (entry->loaded || !libxl__vscsi_index_leads(entry, &wanted))
            continue;
        set_loaded(index, entry->ref);
        rc = add_user(vc, entry->ref.domid, entry->ref.devid, users);
    }
    return rc;
}

/* ----- cleaning up ----- */

typedef struct mending {
    const libxl__vscsi_users *users;
    libxl__vscsi_ref *stale;
    unsigned num_stale;
} mending;

/* What nobody has any more goes from the index, what is missing comes. */
static int mend_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_index index = { .entries = NULL };
    const mending *m = arg;
    int rc, i, j;

    rc = libxl__vscsi_index_read(vc, t, &index);
    if (!rc)
        rc = libxl__vscsi_index_remove(vc, t, &index, m->stale,
                                       m->num_stale);
    for (i = 0; !rc && i < m->users->num_users; i++) {
        const struct libxl__vscsi_user *user = &m->users->users[i];

        for (j = 0; !rc && j < user->num_ctrls; j++)
            rc = libxl__vscsi_index_add(vc, t, &index, (libxl__vscsi_ref){
                                        user->domid, user->ctrls[j].devid },
                                        &user->ctrls[j],
                                        user->ctrls[j].vscsidevs,
                                        user->ctrls[j].num_vscsidevs);
    }
    libxl__vscsi_index_dispose(&index);
    return rc;
}

/* Is there a record that the index does not lead to? */
static bool is_index_lacking(const libxl__vscsi_users *users,
                             const libxl__vscsi_index *index)
{
    int i, j;

    for (i = 0; i < users->num_users; i++) {
        const struct libxl__vscsi_user *user = &users->users[i];

        for (j = 0; j < user->num_ctrls; j++)
            if (!libxl__vscsi_index_has(index, (libxl__vscsi_ref){
                                        user->domid, user->ctrls[j].devid },
                                        user->ctrls[j].vscsidevs,
                                        user->ctrls[j].num_vscsidevs))
                return true;
    }
    return false;
}

/* Has nobody any more what the name of the index says? */
static bool is_stale(const libxl__vscsi_users *users,
                     const libxl__vscsi_index_entry *entry)
{
    return (!users->one || *users->one == entry->ref.domid) &&
           !libxl__vscsi_users_has(users, entry->ref);
}

static int mend_index(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users)
{
    libxl__vscsi_index index = { .entries = NULL };
    mending m = { .users = users };
    unsigned i;
    int rc;

    rc = libxl__vscsi_index_read(vc, XBT_NULL, &index);
    if (!rc) {
        m.stale = calloc((size_t)index.num + 1, sizeof(*m.stale));
        if (!m.stale)
            rc = libxl__vscsi_out_of_memory(vc);
    }
    for (i = 0; !rc && i < index.num; i++)
        if (is_stale(users, &index.entries[i]))
            m.stale[m.num_stale++] = index.entries[i].ref;
    if (!rc && (m.num_stale || is_index_lacking(users, &index)))
        rc = libxl__vscsi_xs_transact(vc, mend_body, &m);
    free(m.stale);
    libxl__vscsi_index_dispose(&index);
    return rc;
}

int libxl__vscsi_users_sweep(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_users *users)
{
    int i, rc = 0;

    for (i = 0; !rc && i < users->num_users; i++)
        if (!users->users[i].exists)
            rc = libxl__vscsi_xs_sweep(vc, users->users[i].domid);
    return rc || users->incomplete ? rc : mend_index(vc, users);
}
