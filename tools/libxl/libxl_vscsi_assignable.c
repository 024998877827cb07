/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which units of dom0 a domain could have, and who has the others: attach's
 * questions, asked of all units in one pass.  Changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"
#include "libxl_vscsi_configfs.h"

#define TYPE_WELL_KNOWN 0x1e

typedef struct assignable {
    bool all;
    libxl__vscsi_users users;
    libxl__vscsi_known known;
    libxl_vscsi_hctl *held;     /* the kernel has not let go of them */
    unsigned num_held;
    libxl_vscsiunit *units;
    int num;
} assignable;

/* ----- who has it ----- */

/* *text_r: the domain that has it by vscsi; NULL: none. */
static int find_user(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users,
                     const libxl_vscsi_pdev *pdev, char **text_r)
{
    const libxl_device_vscsidev *dev;
    char vdev[LIBXL__VSCSI_HCTL_SIZE];
    char *name;
    int i, j, k;

    for (i = 0; i < users->num_users; i++) {
        const struct libxl__vscsi_user *user = &users->users[i];

        for (j = 0; j < user->num_ctrls; j++) {
            for (k = 0; k < user->ctrls[j].num_vscsidevs; k++) {
                dev = &user->ctrls[j].vscsidevs[k];
                if (!libxl__vscsi_same_pdev(&dev->pdev, pdev))
                    continue;
                name = libxl__vscsi_domain_name(vc, user->domid);
                libxl__vscsi_hctl_format(&dev->vdev, vdev);
                *text_r = libxl__vscsi_sprintf(
                    "it is assigned to %s as %s%s", name ? name : "?", vdev,
                    dev->shareable ? " (shareable)" : "");
                free(name);
                return *text_r ? 0 : libxl__vscsi_out_of_memory(vc);
            }
        }
    }
    *text_r = NULL;
    return 0;
}

static bool is_held(const assignable *a, const libxl__vscsi_unit *unit)
{
    unsigned i;

    for (i = 0; i < a->num_held; i++)
        if (libxl__vscsi_unit_is_at(unit, &a->held[i]))
            return true;
    return false;
}

static int find_holder(libxl__vscsi_ctx *vc, assignable *a,
                       const libxl__vscsi_unit *unit, char **text_r)
{
    char *text = NULL, *wwn = NULL, *target = NULL;
    libxl_vscsi_pdev pdev;
    int rc;

    libxl_vscsi_pdev_init(&pdev);
    rc = libxl__vscsi_set_hctl(vc, &pdev, unit);
    if (!rc)
        rc = find_user(vc, &a->users, &pdev, &text);
    libxl_vscsi_pdev_dispose(&pdev);
    if (rc || text)
        goto out;
    if (is_held(a, unit)) {
        text = strdup("dom0's kernel has not let go of it yet: a command of "
                      "the guest that had it has not come back");
        rc = text ? 0 : libxl__vscsi_out_of_memory(vc);
        goto out;
    }
    if (!unit->paths[0].running) {
        text = libxl__vscsi_sprintf("dom0 has set it %s",
                                    unit->paths[0].state);
        rc = text ? 0 : libxl__vscsi_out_of_memory(vc);
        goto out;
    }
    rc = libxl__vscsi_find_target(vc, &a->known, unit, &wwn, &target);
    if (!rc)
        rc = libxl__vscsi_inuse_who(vc, a->known.inuse, unit, false, target,
                                    &text);
    if (!rc && !text && a->users.incomplete) {
        text = libxl__vscsi_sprintf("what is on record of domain %u cannot "
                                    "be read: it may have it",
                                    a->users.unreadable);
        rc = text ? 0 : libxl__vscsi_out_of_memory(vc);
    }
out:
    free(wwn);
    free(target);
    if (rc)
        free(text);
    else
        *text_r = text;
    return rc;
}

/* ----- what it is ----- */

static uint64_t read_size_kb(const libxl__vscsi_unit *unit)
{
    uint64_t sectors = 0;
    char *text = NULL;

    if (unit->paths[0].disk)
        text = libxl__vscsi_cfs_read("%s/size", unit->paths[0].disk);
    if (text && !libxl__vscsi_parse_u64(text, strlen(text), UINT64_MAX,
                                        &sectors))
        sectors = 0;
    free(text);
    return sectors / 2;         /* of 512 bytes, whatever the disk has */
}

static int add_paths(libxl__vscsi_ctx *vc, const libxl__vscsi_unit *unit,
                     libxl_vscsiunit *entry)
{
    unsigned i;

    entry->paths = calloc(unit->num_paths, sizeof(*entry->paths));
    if (!entry->paths)
        return libxl__vscsi_out_of_memory(vc);
    for (i = 0; i < unit->num_paths; i++) {
        libxl_vscsiunit_path *path = &entry->paths[entry->num_paths++];

        libxl_vscsiunit_path_init(path);
        path->hctl = unit->paths[i].hctl;
        path->running = unit->paths[i].running;
        if (!unit->paths[i].node)
            continue;
        path->node = strdup(unit->paths[i].node);
        if (!path->node)
            return libxl__vscsi_out_of_memory(vc);
    }
    return 0;
}

static int describe(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                    const libxl__vscsi_unit *unit,
                    libxl_vscsiunit *entry)
{
    libxl__vscsi_limits limits;

    entry->devtype = strdup(libxl__vscsi_type_name(unit->id.type));
    entry->vendor = strdup(unit->id.vendor);
    entry->model = strdup(unit->id.model);
    entry->wwid = strdup(unit->id.wwid);
    entry->serial = strdup(unit->id.serial);
    entry->name = libxl__vscsi_unit_name(vc, dom0, unit);
    if (!entry->devtype || !entry->vendor || !entry->model || !entry->wwid ||
        !entry->serial || !entry->name)
        return libxl__vscsi_out_of_memory(vc);
    entry->size_kb = read_size_kb(unit);
    if (libxl__vscsi_unit_limits(vc, unit, &limits)) {
        entry->max_sectors_kb = limits.max_sectors_kb;
        entry->max_segments = limits.max_segments;
    }
    return add_paths(vc, unit, entry);
}

/* What cannot be looked at is not free: the reason takes a holder's place,
 * or is logged where only what is free is listed. */
static int look_for_holder(libxl__vscsi_ctx *vc, assignable *a,
                           const libxl__vscsi_unit *unit, char **text_r)
{
    char *reason = NULL;
    int rc;

    vc->reason_r = &reason;
    rc = find_holder(vc, a, unit, text_r);
    vc->reason_r = NULL;
    /* cppcheck-suppress knownConditionTrueFalse; it is set through vc */
    if (rc == ERROR_FAIL && reason && a->all) {
        *text_r = reason;
        return 0;
    }
    /* cppcheck-suppress knownConditionTrueFalse; as above */
    if (rc && !reason)
        return libxl__vscsi_out_of_memory(vc);
    if (rc)
        libxl__vscsi_error(vc, "%s", reason);
    free(reason);
    return rc;
}

static int add_unit(libxl__vscsi_ctx *vc, assignable *a,
                    const libxl__vscsi_unit *unit)
{
    libxl_vscsiunit *entry = &a->units[a->num];
    char place[LIBXL__VSCSI_HCTL_SIZE];
    int rc;

    libxl__vscsi_hctl_format(&unit->id.hctl, place);
    libxl__vscsi_doing(vc, NULL, place, 0);
    libxl_vscsiunit_init(entry);
    rc = look_for_holder(vc, a, unit, &entry->holder);
    if (!rc && (a->all || !entry->holder)) {
        rc = describe(vc, &a->known.dom0, unit, entry);
        if (!rc && !entry->max_segments && !entry->holder) {
            /* attach would refuse it */
            entry->holder = strdup("dom0's kernel does not tell how large a "
                                   "command it takes");
            rc = entry->holder ? 0 : libxl__vscsi_out_of_memory(vc);
        }
        if (!rc) {
            a->num++;
            return 0;
        }
    }
    libxl_vscsiunit_dispose(entry);
    return rc == ERROR_FAIL ? 0 : rc;
}

static int list(libxl__vscsi_ctx *vc, assignable *a)
{
    libxl__vscsi_unit *units = NULL;
    unsigned i, num = 0;
    int rc;

    libxl__vscsi_doing(vc, "list", "dom0's SCSI devices", 0);
    rc = libxl__vscsi_users_read(vc, &a->users);
    if (!rc)
        rc = libxl__vscsi_held_devices(vc, &a->users, &a->held,
                                       &a->num_held);
    if (!rc)
        rc = libxl__vscsi_units(vc, &a->known.dom0, &units, &num);
    if (rc)
        return rc;
    a->known.inuse = libxl__vscsi_inuse_new(vc);
    a->units = calloc(num + 1, sizeof(*a->units));
    if (!a->known.inuse || !a->units)
        rc = a->known.inuse ? libxl__vscsi_out_of_memory(vc) : ERROR_NOMEM;
    for (i = 0; !rc && i < num; i++)
        if (units[i].id.type != TYPE_WELL_KNOWN)
            rc = add_unit(vc, a, &units[i]);
    libxl__vscsi_units_free(units, num);
    return rc;
}

int libxl__vscsi_assignable(libxl__vscsi_ctx *vc, bool all,
                            libxl_vscsiunit **units_r, int *num_r)
{
    assignable a = { .all = all };
    int rc;

    rc = list(vc, &a);
    libxl__vscsi_known_dispose(&a.known);
    libxl__vscsi_users_dispose(&a.users);
    free(a.held);
    if (rc) {
        libxl_vscsi_assignable_list_free(a.units, a.num);
        return rc;
    }
    *units_r = a.units;
    *num_r = a.num;
    return 0;
}

int libxl_vscsi_assignable_list(libxl_ctx *ctx, bool all,
                                libxl_vscsiunit **units_r, int *num_r)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_assignable(&vc, all, units_r, num_r);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

int libxl__vscsi_lookup(libxl__vscsi_ctx *vc, const char *name,
                        libxl_vscsiunit *unit_r)
{
    libxl__vscsi_unit unit = { .paths = NULL };
    libxl__vscsi_dom0 dom0 = { .seen = NULL };
    libxl_vscsiunit entry;
    int rc;

    libxl_vscsiunit_init(&entry);
    libxl__vscsi_doing(vc, NULL, name, 0);
    rc = libxl__vscsi_unit_find(vc, &dom0, name, &unit);
    if (!rc)
        rc = describe(vc, &dom0, &unit, &entry);
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&dom0);
    if (rc) {
        libxl_vscsiunit_dispose(&entry);
        return rc;
    }
    *unit_r = entry;
    return 0;
}

int libxl_vscsi_lookup(libxl_ctx *ctx, const char *name,
                       libxl_vscsiunit *unit_r)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_lookup(&vc, name, unit_r);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

void libxl_vscsi_assignable_list_free(libxl_vscsiunit *units, int num)
{
    int i;

    for (i = 0; i < num; i++)
        libxl_vscsiunit_dispose(&units[i]);
    free(units);
}
