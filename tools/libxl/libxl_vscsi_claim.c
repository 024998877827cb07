/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From what the user wrote to a physical device that is this domain's
 * alone and that the backend driver can find.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"

static bool replace(char **to, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return false;
    free(*to);
    *to = copy;
    return true;
}

/* Puts on record which unit it is. */
static int set_identity(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev,
                        const libxl__vscsi_identity *id)
{
    if (replace(&pdev->devtype, libxl__vscsi_type_name(id->type)) &&
        replace(&pdev->wwid, id->wwid) &&
        replace(&pdev->serial, id->serial) &&
        replace(&pdev->vendor, id->vendor) &&
        replace(&pdev->model, id->model))
        return 0;
    return libxl__vscsi_out_of_memory(vc);
}

int libxl__vscsi_set_hctl(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev,
                          const libxl__vscsi_unit *unit)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(&unit->id.hctl, text);
    if (!pdev->p_devname)
        pdev->p_devname = strdup(text);
    if (!pdev->p_devname)
        return libxl__vscsi_out_of_memory(vc);
    if (pdev->type != LIBXL_VSCSI_PDEV_TYPE_HCTL)
        libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    pdev->u.hctl.m = unit->id.hctl;
    return set_identity(vc, pdev, &unit->id);
}

/* Takes wwn over. */
static int set_wwn(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev, char *wwn)
{
    if (!pdev->p_devname)
        pdev->p_devname = strdup(wwn);
    if (!pdev->p_devname) {
        free(wwn);
        return libxl__vscsi_out_of_memory(vc);
    }
    libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    pdev->u.wwn.m = wwn;
    return 0;
}

/* ----- what is behind a LIO target of the admin's ----- */

/* Is there a unit on record that had been behind the target? */
static bool has_unit(const libxl_vscsi_pdev *pdev)
{
    return pdev->u.wwn.unit || (pdev->wwid && pdev->wwid[0]);
}

/* What is there now is NULL where it is no SCSI device. */
static int check_unit(libxl__vscsi_ctx *vc, const libxl_vscsi_pdev *pdev,
                      const libxl__vscsi_unit *now, const char *backstore)
{
    libxl__vscsi_identity recorded;
    char *was, *is;

    if (!now && !has_unit(pdev))
        return 0;
    if (now && !has_unit(pdev) && !pdev->u.wwn.backstore)
        return 0;               /* asked for the first time */
    libxl__vscsi_pdev_identity(pdev, &recorded);
    if (now && has_unit(pdev) && libxl__vscsi_agrees(&recorded, &now->id))
        return 0;
    was = has_unit(pdev) ? libxl__vscsi_identity_text(&recorded)
                         : strdup("no SCSI device");
    is = now ? libxl__vscsi_identity_text(&now->id)
             : strdup("no SCSI device");
    libxl__vscsi_error(vc, "LIO target %s has another device than before: %s "
                       "(backstore %s) instead of %s", pdev->u.wwn.m,
                       is ? is : "?", backstore, was ? was : "?");
    free(was);
    free(is);
    return ERROR_NOTFOUND;
}

static int set_target(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev,
                      const char *backstore, const libxl__vscsi_unit *unit)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];

    if (!replace(&pdev->u.wwn.backstore, backstore))
        return libxl__vscsi_out_of_memory(vc);
    if (!unit->num_paths)
        return 0;
    libxl__vscsi_hctl_format(&unit->id.hctl, place);
    if (!replace(&pdev->u.wwn.unit, place))
        return libxl__vscsi_out_of_memory(vc);
    return set_identity(vc, pdev, &unit->id);
}

/* Its device lends its identity; unit stays empty where there is none. */
static int resolve_wwn(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                       bool uses_lio, libxl_vscsi_pdev *pdev,
                       libxl__vscsi_unit *unit)
{
    char *name = NULL, *backstore = NULL, *reason = NULL;
    int rc;

    if (!uses_lio) {
        libxl__vscsi_error(vc, "the backend of this kernel takes h:c:t:l, "
                           "not LIO targets");
        return ERROR_INVAL;
    }
    rc = libxl__vscsi_lio_resolve(vc, pdev->u.wwn.m, &backstore, &name);
    if (rc)
        return rc;
    if (name)
        rc = libxl__vscsi_unit_look(vc, dom0, name, unit, &reason);
    if (rc == ERROR_NOTFOUND || rc == ERROR_INVAL)
        rc = 0;                 /* a file, a volume, a partition */
    if (rc)
        libxl__vscsi_error(vc, "%s", reason ? reason : "out of memory");
    if (!rc)
        rc = check_unit(vc, pdev, unit->num_paths ? unit : NULL, backstore);
    if (!rc)
        rc = set_target(vc, pdev, backstore, unit);
    free(reason);
    free(backstore);
    free(name);
    return rc;
}

/* ----- from a name to a device ----- */

/* What the user wrote, where the type does not say it already. */
static int parse_pdev(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev)
{
    libxl_vscsi_hctl hctl;

    if (pdev->type != LIBXL_VSCSI_PDEV_TYPE_INVALID)
        return 0;
    if (!pdev->p_devname) {
        libxl__vscsi_error(vc, "no physical device is named");
        return ERROR_INVAL;
    }
    if (libxl__vscsi_wwn_parse(pdev->p_devname, NULL, NULL)) {
        char *wwn = strdup(pdev->p_devname);

        if (wwn)
            return set_wwn(vc, pdev, wwn);
        return libxl__vscsi_out_of_memory(vc);
    }
    if (libxl__vscsi_hctl_parse(pdev->p_devname, &hctl)) {
        libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
        pdev->u.hctl.m = hctl;
    }
    return 0;
}

/*
 * A device that is on record is known by its identity.  A name that was an
 * address follows the device; any other is what the user wrote.
 */
static int find_again(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                      libxl_vscsi_pdev *pdev, libxl__vscsi_unit *unit)
{
    libxl_vscsi_hctl named;
    int rc;

    rc = libxl__vscsi_unit_find_again(vc, dom0, pdev, unit);
    if (rc)
        return rc;
    if (pdev->p_devname &&
        libxl__vscsi_hctl_parse(pdev->p_devname, &named) &&
        !libxl__vscsi_hctl_equal(&named, &unit->id.hctl)) {
        free(pdev->p_devname);
        pdev->p_devname = NULL;     /* _set_hctl() writes the new one */
    }
    return 0;
}

/* Is it to be found by what it is, rather than by what it was called? */
static bool is_on_record(const libxl_vscsi_pdev *pdev)
{
    if (pdev->p_devname &&
        libxl__vscsi_wwn_parse(pdev->p_devname, NULL, NULL))
        return false;
    return (pdev->wwid && pdev->wwid[0]) ||
           (pdev->devtype && pdev->devtype[0]);
}

/* An admin's target that has the unit serves it better than a new one. */
static int use_target(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                      libxl_vscsi_pdev *pdev, const libxl__vscsi_unit *unit)
{
    char *wwn = NULL, *backstore = NULL;
    int rc;

    rc = libxl__vscsi_find_target(vc, known, unit, &wwn, &backstore);
    if (rc || !wwn)
        return rc;
    rc = set_wwn(vc, pdev, wwn);
    if (!rc)
        rc = set_target(vc, pdev, backstore, unit);
    free(backstore);
    return rc;
}

/* From a name to one unit of dom0, or one target of the admin's. */
static int resolve_device(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                          bool uses_lio, libxl_vscsi_pdev *pdev,
                          libxl__vscsi_unit *unit)
{
    libxl__vscsi_dom0 *dom0 = &known->dom0;
    char text[LIBXL__VSCSI_HCTL_SIZE];
    const char *name = pdev->p_devname;
    int rc;

    rc = parse_pdev(vc, pdev);
    if (rc)
        return rc;
    if (is_on_record(pdev)) {
        rc = find_again(vc, dom0, pdev, unit);
    } else if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_WWN) {
        return resolve_wwn(vc, dom0, uses_lio, pdev, unit);
    } else {
        if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL) {
            libxl__vscsi_hctl_format(&pdev->u.hctl.m, text);
            name = text;
        }
        rc = libxl__vscsi_unit_find(vc, dom0, name, unit);
    }
    if (!rc)
        rc = libxl__vscsi_set_hctl(vc, pdev, unit);
    return rc || !uses_lio ? rc : use_target(vc, known, pdev, unit);
}

/* The backstore of the admin's target that it is, if it is one. */
static const char *target_of(const libxl_vscsi_pdev *pdev)
{
    return pdev->type == LIBXL_VSCSI_PDEV_TYPE_WWN ? pdev->u.wwn.backstore
                                                   : NULL;
}

/* What has the unit of devs[i] among those before it. */
static const libxl_device_vscsidev *find_given(libxl_device_vscsidev *devs,
                                               int i)
{
    int j;

    for (j = 0; j < i; j++)
        if (libxl__vscsi_same_pdev(&devs[i].pdev, &devs[j].pdev))
            return &devs[j];
    return NULL;
}

/* Two paths may be given, where that is meant. */
static int check_given(libxl__vscsi_ctx *vc, const libxl_device_vscsidev *dev,
                       const libxl_device_vscsidev *given)
{
    if (dev->shareable && given->shareable &&
        !libxl__vscsi_same_path(&dev->pdev, &given->pdev))
        return 0;
    libxl__vscsi_error(vc, "it is given twice, as %s as well",
                       given->pdev.p_devname);
    return ERROR_INVAL;
}

/*
 * What of ours is in LIO for a unit that nobody has was for somebody whom the
 * kernel may still serve.
 */
static void find_left_over(libxl__vscsi_ctx *vc,
                           const libxl__vscsi_unit *unit,
                           libxl__vscsi_claimed *claimed)
{
    unsigned i;

    for (i = 0; !claimed->left_over && i < unit->num_paths; i++) {
        claimed->left = unit->paths[i].hctl;
        claimed->left_over = libxl__vscsi_lio_is_exported(vc,
                                                          &claimed->left);
    }
}

/*
 * The unit of devs[i], if the domain may have it, beside what is before
 * that in devs[]; *shared_r: by whom it is shared.
 */
static int find_free(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                     libxl__vscsi_known *known, bool uses_lio,
                     uint32_t domid, libxl_device_vscsidev *devs, int i,
                     libxl__vscsi_unit *unit, libxl__vscsi_shared *shared_r,
                     libxl__vscsi_claimed *claimed)
{
    libxl_device_vscsidev *dev = &devs[i];
    const libxl_device_vscsidev *given;
    bool shared;
    int rc;

    rc = resolve_device(vc, known, uses_lio, &dev->pdev, unit);
    if (rc)
        return rc;
    given = find_given(devs, i);
    if (given)
        rc = check_given(vc, dev, given);
    if (!rc)
        rc = libxl__vscsi_users_check(vc, users, domid, dev, shared_r);
    if (rc)
        return rc;
    shared = given || shared_r->by_guests;
    if (uses_lio && !shared)
        find_left_over(vc, unit, claimed);
    if (claimed->left_over)
        return 0;
    return libxl__vscsi_check_inuse(vc, known, unit, shared,
                                    target_of(&dev->pdev));
}

/* A command that is too large fails in LIO, and the guest has an I/O error. */
static int read_limits(libxl__vscsi_ctx *vc, const libxl__vscsi_unit *unit,
                       libxl__vscsi_limits *limits_r)
{
    if (libxl__vscsi_unit_limits(vc, unit, limits_r))
        return 0;
    libxl__vscsi_error(vc, "dom0's kernel does not tell how large a command "
                       "it takes (is the module sg loaded?)");
    return ERROR_FAIL;
}

int libxl__vscsi_claim_check(libxl__vscsi_ctx *vc,
                             libxl__vscsi_users *users,
                             libxl__vscsi_known *known, bool uses_lio,
                             uint32_t domid, libxl_device_vscsidev *dev,
                             libxl__vscsi_limits *limits_r)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_shared shared = { .by_guests = false };
    libxl__vscsi_claimed claimed = { .left_over = false };
    int rc;

    rc = find_free(vc, users, known, uses_lio, domid, dev, 0, &unit,
                   &shared, &claimed);
    if (!rc)
        rc = read_limits(vc, &unit, limits_r);
    libxl__vscsi_unit_dispose(&unit);
    return rc;
}

int libxl__vscsi_claim_look(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                            bool uses_lio, const libxl_device_vscsidev *dev)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl_vscsi_pdev copy;
    int rc;

    libxl_vscsi_pdev_init(&copy);
    if (libxl_vscsi_pdev_copy(vc->xl, &copy, &dev->pdev))
        rc = libxl__vscsi_out_of_memory(vc);
    else
        rc = resolve_device(vc, known, uses_lio, &copy, &unit);
    libxl__vscsi_unit_dispose(&unit);
    libxl_vscsi_pdev_dispose(&copy);
    return rc;
}

/* LIO has opened what is at the address now: is it what was looked at? */
static int export_unit(libxl__vscsi_ctx *vc, const libxl__vscsi_unit *unit,
                       const char *owner, libxl__vscsi_claimed *claimed)
{
    int rc = libxl__vscsi_lio_export(vc, unit, owner);

    if (rc)
        return rc;
    claimed->exported = true;
    return libxl__vscsi_unit_verify(vc, unit);
}

static int claim_device(libxl__vscsi_ctx *vc,
                        libxl__vscsi_users *users,
                        libxl__vscsi_known *known, bool uses_lio,
                        libxl__vscsi_ref ref,
                        libxl_device_vscsidev *devs, int i,
                        libxl__vscsi_claimed *claimed)
{
    char name[LIBXL__VSCSI_BACKEND_NAME_SIZE];
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_shared shared = { .by_guests = false };
    int rc;

    libxl__vscsi_backend_name(ref, name);
    rc = find_free(vc, users, known, uses_lio, ref.domid, devs, i, &unit,
                   &shared, claimed);
    if (!rc && claimed->left_over)
        rc = ERROR_NOT_READY;
    if (!rc)
        rc = read_limits(vc, &unit, &claimed->limits);
    if (!rc && uses_lio && !shared.exported &&
        devs[i].pdev.type != LIBXL_VSCSI_PDEV_TYPE_WWN)
        rc = export_unit(vc, &unit, devs[i].shareable ? LIBXL__VSCSI_SHARED
                                                      : name, claimed);
    libxl__vscsi_unit_dispose(&unit);
    return rc;
}

int libxl__vscsi_claim(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                       libxl__vscsi_known *known, bool uses_lio,
                       libxl__vscsi_ref ref,
                       libxl_device_vscsidev *devs, int num,
                       libxl__vscsi_claimed *claimed)
{
    int rc = 0, i;

    for (i = 0; !rc && i < num; i++) {
        libxl__vscsi_doing(vc, "attach", devs[i].pdev.p_devname,
                           ref.domid);
        rc = claim_device(vc, users, known, uses_lio, ref, devs, i,
                          &claimed[i]);
    }
    if (rc)
        libxl__vscsi_unclaim(vc, devs, num, claimed);
    return rc;
}

void libxl__vscsi_unclaim(libxl__vscsi_ctx *vc, libxl_device_vscsidev *devs,
                          int num, libxl__vscsi_claimed *claimed)
{
    libxl_vscsi_hctl *hctls = calloc((size_t)num + 1, sizeof(*hctls));
    unsigned found = 0;
    int i;

    for (i = 0; i < num; i++) {
        if (claimed[i].exported && hctls)
            hctls[found++] = devs[i].pdev.u.hctl.m;
        claimed[i].exported = false;
    }
    if (found)                  /* without memory, the next scan does it */
        libxl__vscsi_lio_release(vc, hctls, found);
    free(hctls);
}
