/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which unit a domain had: after a reboot, a restore or a migration it may
 * have another name and another address, and something else have its old.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_unit.h"

/* Names that udev keeps on a device, or on its place. */
static bool is_stable_link(const char *name)
{
    return name && !strncmp(name, "/dev/", 5) && strstr(name, "/by-");
}

/* With what is where it was. */
static int refuse_lost(libxl__vscsi_ctx *vc, const libxl_vscsi_pdev *pdev,
                       const libxl__vscsi_identity *id, char **reason_r)
{
    const char *what = id->wwid[0] ? id->wwid
                       : pdev->p_devname ? pdev->p_devname : "like this";
    char place[LIBXL__VSCSI_HCTL_SIZE], *text = NULL;
    libxl__vscsi_unit other = { .num_paths = 0 };
    int rc;

    if (!id->has_hctl)
        return libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND, "dom0 has no "
                                   "device %s any more", what);
    libxl__vscsi_hctl_format(&id->hctl, place);
    if (!libxl__vscsi_unit_at(vc, &id->hctl, &other))
        text = libxl__vscsi_identity_text(&other.id);
    if (text)
        rc = libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND, "dom0 has no "
            "device %s any more; at %s is another one now, %s", what, place,
            text);
    else
        rc = libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND, "dom0 has no "
            "device %s any more, at %s or elsewhere", what, place);
    free(text);
    libxl__vscsi_unit_dispose(&other);
    return rc;
}

static int refuse_several(const libxl_vscsi_pdev *pdev,
                          const libxl__vscsi_seen *a,
                          const libxl__vscsi_seen *b, char **reason_r)
{
    char one[LIBXL__VSCSI_HCTL_SIZE], two[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(&a->id.hctl, one);
    libxl__vscsi_hctl_format(&b->id.hctl, two);
    return libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND, "dom0 has several "
        "devices with the identity of %s, at %s and at %s (detach it, and "
        "attach the right one by its address)", pdev->p_devname
        ? pdev->p_devname : "the recorded one", one, two);
}

/*
 * *found_r: the device with the identity, NULL if there is none.  Several
 * are told apart by their LUN, which stays while a library moves.
 */
static int find_by_identity(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                            const libxl_vscsi_pdev *pdev,
                            const libxl__vscsi_identity *id,
                            libxl__vscsi_seen **found_r, char **reason_r)
{
    libxl__vscsi_seen *found = NULL, *other = NULL, *seen, *at_lun = NULL;
    bool may, same_lun;
    unsigned i, num = 0;
    int rc = 0;

    for (i = 0; !rc && i < dom0->num; i++) {
        seen = &dom0->seen[i];
        rc = libxl__vscsi_may_match(vc, id, seen, &may, reason_r);
        if (rc || !may || !libxl__vscsi_is_moved(id, &seen->id))
            continue;
        /* The address of an element is not NULL, though found may be.
         * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        same_lun = id->has_hctl && seen->id.hctl.lun == id->hctl.lun;
        if (!num++)
            found = seen;
        else if (!other && !libxl__vscsi_same_unit(&found->id, &seen->id))
            other = seen;
        if (same_lun && at_lun &&
            !libxl__vscsi_same_unit(&at_lun->id, &seen->id))
            return refuse_several(pdev, at_lun, seen, reason_r);
        if (same_lun && !at_lun)
            at_lun = seen;
    }
    if (rc)
        return rc;
    if (other && !at_lun)
        return refuse_several(pdev, found, other, reason_r);
    *found_r = other ? at_lun : found;
    return 0;
}

/* What the record says it lacks, it must lack now; a record that has not even
 * a type says nothing of the kind. */
static bool is_as_recorded(const libxl__vscsi_identity *id,
                           const libxl__vscsi_identity *now)
{
    return libxl__vscsi_agrees(id, now) &&
           (id->type == LIBXL__VSCSI_TYPE_UNKNOWN ||
            libxl__vscsi_agrees(now, id));
}

/* By the link that was given, which decides, else by the address. */
static int find_by_place(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                         const libxl_vscsi_pdev *pdev,
                         const libxl__vscsi_identity *id,
                         libxl__vscsi_seen **found_r, char **reason_r)
{
    bool by_name = pdev->p_devname && (!id->has_hctl ||
                                       is_stable_link(pdev->p_devname));
    libxl_vscsi_hctl hctl = id->hctl;
    libxl__vscsi_seen *seen = NULL;
    int rc = 0;

    if (by_name) {
        rc = libxl__vscsi_name_hctl(vc, pdev->p_devname, &hctl, reason_r);
        if (rc == ERROR_NOTFOUND || rc == ERROR_INVAL) {
            free(*reason_r);
            *reason_r = NULL;
            return 0;
        }
    }
    if (!rc && (by_name || id->has_hctl))
        seen = libxl__vscsi_device_at(dom0, &hctl);
    if (!rc && seen)
        rc = libxl__vscsi_dom0_describe(vc, seen, reason_r);
    if (!rc && seen && is_as_recorded(id, &seen->id))
        *found_r = seen;
    return rc;
}

static void say_moved(libxl__vscsi_ctx *vc, const libxl_vscsi_pdev *pdev,
                      const libxl__vscsi_identity *id,
                      const libxl__vscsi_unit *unit)
{
    char then[LIBXL__VSCSI_HCTL_SIZE], now[LIBXL__VSCSI_HCTL_SIZE];

    if (!id->has_hctl || libxl__vscsi_hctl_equal(&id->hctl, &unit->id.hctl))
        return;
    libxl__vscsi_hctl_format(&id->hctl, then);
    libxl__vscsi_hctl_format(&unit->id.hctl, now);
    libxl__vscsi_log(vc, XTL_WARN, "%s was at %s and is at %s now",
                     id->wwid[0] ? id->wwid : pdev->p_devname
                     ? pdev->p_devname : "a device", then, now);
}

int libxl__vscsi_unit_find_again(libxl__vscsi_ctx *vc,
                                 libxl__vscsi_dom0 *dom0,
                                 const libxl_vscsi_pdev *pdev,
                                 libxl__vscsi_unit *unit_r)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_identity id;
    libxl__vscsi_seen *found = NULL;
    char *reason = NULL;
    int rc;

    libxl__vscsi_pdev_identity(pdev, &id);
    rc = libxl__vscsi_dom0_read(vc, dom0, &reason);
    if (!rc && libxl__vscsi_is_findable(&id))
        rc = find_by_identity(vc, dom0, pdev, &id, &found, &reason);
    else if (!rc)
        rc = find_by_place(vc, dom0, pdev, &id, &found, &reason);
    if (!rc)
        rc = found ? libxl__vscsi_build_unit(vc, dom0, found, id.has_hctl
                                             ? &id.hctl : NULL, &unit,
                                             &reason)
                   : refuse_lost(vc, pdev, &id, &reason);
    if (!rc)
        rc = libxl__vscsi_check_running(vc, &unit, &reason);
    if (rc) {
        libxl__vscsi_unit_dispose(&unit);
        return libxl__vscsi_end_look(vc, rc, reason);
    }
    say_moved(vc, pdev, &id, &unit);
    *unit_r = unit;
    return 0;
}
