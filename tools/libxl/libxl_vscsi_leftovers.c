/* SPDX-License-Identifier: LGPL-2.1-only */
/* What of ours is in LIO, and what of that nobody has: a command was killed,
 * a domain was destroyed by something that knows nothing of it. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_lio.h"

/* ----- finding what is there ----- */

char *libxl__vscsi_lio_find_hba(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_ours *ours)
{
    libxl__vscsi_names hbas;
    char *hba = NULL;
    unsigned i;

    libxl__vscsi_cfs_list(&hbas, "pscsi_", false, "%s/core", vc->lio_root);
    for (i = 0; i < hbas.num && !hba; i++)
        if (libxl__vscsi_cfs_is_dir("%s/core/%s/%s", vc->lio_root,
                                    hbas.list[i], ours->backstore))
            hba = strdup(hbas.list[i]);
    libxl__vscsi_names_dispose(&hbas);
    return hba;
}

bool libxl__vscsi_lio_target_is_ours(libxl__vscsi_ctx *vc,
                                     const libxl__vscsi_ours *ours)
{
    char *alias = libxl__vscsi_cfs_read(TPG_PATH "/param/alias",
                                        TPG_ARGS(vc, ours));
    bool ok = !alias || !alias[0] || !strcmp(alias, ours->alias);

    free(alias);
    return ok;
}

/* Is it a link of the LUN's to our backstore? */
static bool is_our_link(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours,
                        const char *link)
{
    char *to = libxl__vscsi_cfs_readlink(LUN_PATH "/%s", LUN_ARGS(vc, ours),
                                         link);
    bool ok = to && !strcmp(to, ours->backstore);

    free(to);
    return ok;
}

char *libxl__vscsi_lio_find_link(libxl__vscsi_ctx *vc,
                                 const libxl__vscsi_ours *ours)
{
    libxl__vscsi_names links;
    char *found = NULL;
    unsigned i;

    libxl__vscsi_cfs_list(&links, "", true, LUN_PATH, LUN_ARGS(vc, ours));
    for (i = 0; i < links.num && !found; i++)
        if (is_our_link(vc, ours, links.list[i]))
            found = strdup(links.list[i]);
    libxl__vscsi_names_dispose(&links);
    return found;
}

bool libxl__vscsi_lio_is_exported(libxl__vscsi_ctx *vc,
                                  const libxl_vscsi_hctl *hctl)
{
    libxl__vscsi_ours ours;
    char *hba;
    bool found;

    libxl__vscsi_ours_name(hctl, &ours);
    hba = libxl__vscsi_lio_find_hba(vc, &ours);
    found = hba;
    free(hba);
    return found;
}

/* ----- without anybody who has it ----- */

typedef struct leftovers {
    libxl__vscsi_leftover *list;
    unsigned num;
    const libxl_vscsi_hctl *used;
    unsigned num_used;
} leftovers;

/*
 * As long as a process waits for the kernel to let go of the LUN, that keeps
 * the LUN's directory locked, and who opens that waits as well.
 */
int libxl__vscsi_lio_look_at(libxl__vscsi_ctx *vc, libxl__vscsi_leftover *l)
{
    libxl__vscsi_ours ours;
    char *link;
    int rc, lock;

    rc = libxl__vscsi_try_lock(vc, libxl__vscsi_lock_of(&l->hctl), &lock);
    if (rc)
        return rc;
    l->leaving = lock == -1;
    if (l->leaving)
        return 0;
    libxl__vscsi_ours_name(&l->hctl, &ours);
    link = libxl__vscsi_lio_find_link(vc, &ours);
    l->has_lun = link;
    l->has_owner = link && libxl__vscsi_parse_backend(link, &l->owner);
    free(link);
    libxl__vscsi_unlock(lock);
    return 0;
}

static int add(libxl__vscsi_ctx *vc, leftovers *all,
               const libxl_vscsi_hctl *hctl)
{
    libxl__vscsi_leftover *l, *list;

    list = reallocarray(all->list, all->num + 1, sizeof(*list));
    if (!list)
        return libxl__vscsi_out_of_memory(vc);
    all->list = list;
    l = &list[all->num++];
    memset(l, 0, sizeof(*l));
    l->hctl = *hctl;
    return 0;
}

static int add_backstores(libxl__vscsi_ctx *vc, leftovers *all,
                          const char *hba)
{
    libxl__vscsi_names names;
    libxl_vscsi_hctl hctl;
    unsigned i;
    int rc = 0;

    libxl__vscsi_cfs_list(&names, "", false, "%s/core/%s", vc->lio_root,
                          hba);
    for (i = 0; !rc && i < names.num; i++)
        if (libxl__vscsi_ours_parse_backstore(names.list[i], &hctl) &&
            !libxl__vscsi_hctl_among(all->used, all->num_used, &hctl))
            rc = add(vc, all, &hctl);
    libxl__vscsi_names_dispose(&names);
    return rc;
}

static bool is_target_of(const libxl_vscsi_hctl *target,
                         const libxl_vscsi_hctl *device)
{
    return target->hst == device->hst && target->chn == device->chn &&
           target->tgt == device->tgt;
}

/* A target whose backstores are gone; only a hand can have done that. */
static int add_target(libxl__vscsi_ctx *vc, leftovers *all, const char *wwn)
{
    char *alias = libxl__vscsi_cfs_read(
        "%s/" LIO_FABRIC "/%s/" LIO_OUR_TPG "/param/alias", vc->lio_root,
        wwn);
    libxl_vscsi_hctl hctl;
    bool known;
    unsigned i;

    known = !alias || !libxl__vscsi_ours_parse_target(wwn, alias, &hctl);
    free(alias);
    for (i = 0; !known && i < all->num_used; i++)
        known = is_target_of(&hctl, &all->used[i]);
    for (i = 0; !known && i < all->num; i++)
        known = is_target_of(&hctl, &all->list[i].hctl);
    return known ? 0 : add(vc, all, &hctl);
}

int libxl__vscsi_lio_leftovers(libxl__vscsi_ctx *vc,
                               const libxl_vscsi_hctl *used, unsigned num,
                               libxl__vscsi_leftover **list_r,
                               unsigned *num_r)
{
    leftovers all = { .used = used, .num_used = num };
    libxl__vscsi_names names;
    unsigned i;
    int rc = 0;

    libxl__vscsi_cfs_list(&names, "pscsi_", false, "%s/core", vc->lio_root);
    for (i = 0; !rc && i < names.num; i++)
        rc = add_backstores(vc, &all, names.list[i]);
    libxl__vscsi_names_dispose(&names);

    libxl__vscsi_cfs_list(&names, "naa.5001405", false, "%s/" LIO_FABRIC,
                          vc->lio_root);
    for (i = 0; !rc && i < names.num; i++)
        rc = add_target(vc, &all, names.list[i]);
    libxl__vscsi_names_dispose(&names);
    if (rc) {
        free(all.list);
        return rc;
    }
    *list_r = all.list;
    *num_r = all.num;
    return 0;
}

void libxl__vscsi_lio_tidy(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_cfs_rmdir("%s/core/" LIO_OUR_HBA, vc->lio_root);
}
