/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From what the user wrote to a physical device that is this domain's
 * alone and that the backend driver can find.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_assignment.h"
#include "libxl_vscsi_device.h"

static int set_hctl(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev,
                    const libxl__vscsi_phys *phys)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    char *wwid = strdup(phys->wwid);

    libxl__vscsi_hctl_format(&phys->hctl, text);
    if (!pdev->p_devname)
        pdev->p_devname = strdup(text);
    if (!wwid || !pdev->p_devname) {
        free(wwid);
        libxl__vscsi_error(vc, "out of memory");
        return ERROR_NOMEM;
    }
    free(pdev->wwid);
    pdev->wwid = wwid;
    if (pdev->type != LIBXL_VSCSI_PDEV_TYPE_HCTL)
        libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    pdev->u.hctl.m = phys->hctl;
    return 0;
}

static int set_wwn(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev, char *wwn)
{
    if (!pdev->p_devname)
        pdev->p_devname = strdup(wwn);
    if (!pdev->p_devname) {
        free(wwn);
        libxl__vscsi_error(vc, "out of memory");
        return ERROR_NOMEM;
    }
    libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    pdev->u.wwn.m = wwn;
    return 0;
}

/* With what the device of name is now. */
static int refuse_other(libxl__vscsi_ctx *vc, const libxl_vscsi_pdev *pdev,
                        const char *name)
{
    libxl__vscsi_phys phys;

    libxl__vscsi_phys_init(&phys);
    if (libxl__vscsi_host_peek(name, &phys))
        libxl__vscsi_error(vc, "LIO target %s has another device than "
                           "before: %s %s, %s instead of %s", pdev->u.wwn.m,
                           phys.vendor, phys.model, phys.wwid[0]
                           ? phys.wwid : "without identity", pdev->wwid);
    else
        libxl__vscsi_error(vc, "LIO target %s has not the device that it "
                           "had, %s", pdev->u.wwn.m, pdev->wwid);
    libxl__vscsi_phys_dispose(&phys);
    return ERROR_NOTFOUND;
}

/* A LIO target that the admin made; its device lends its identity. */
static int resolve_wwn(libxl__vscsi_ctx *vc, bool uses_lio,
                       libxl_vscsi_pdev *pdev)
{
    char *name = NULL, *wwid = NULL;
    int rc;

    if (!uses_lio) {
        libxl__vscsi_error(vc, "the backend of this kernel takes h:c:t:l, "
                           "not LIO targets");
        return ERROR_INVAL;
    }
    rc = libxl__vscsi_lio_resolve(vc, pdev->u.wwn.m, &name);
    if (rc)
        return rc;
    if (name)
        wwid = libxl__vscsi_host_wwid(vc, name);
    if (wwid && pdev->wwid && pdev->wwid[0] && strcmp(pdev->wwid, wwid))
        rc = refuse_other(vc, pdev, name);
    if (wwid) {
        free(pdev->wwid);
        pdev->wwid = wwid;
    }
    free(name);
    return rc;
}

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
        libxl__vscsi_error(vc, "out of memory");
        return ERROR_NOMEM;
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
static int find_again(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev,
                      libxl__vscsi_phys *phys)
{
    const libxl_vscsi_hctl *before = NULL;
    libxl_vscsi_hctl named;
    int rc;

    if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL)
        before = &pdev->u.hctl.m;
    rc = libxl__vscsi_host_find_wwid(vc, pdev->wwid, before, phys);
    if (rc)
        return rc;
    if (pdev->p_devname &&
        libxl__vscsi_hctl_parse(pdev->p_devname, &named) &&
        !libxl__vscsi_hctl_equal(&named, &phys->hctl)) {
        free(pdev->p_devname);
        pdev->p_devname = NULL;     /* set_hctl() writes the new one */
    }
    return 0;
}

/* Is it to be found by what it is, rather than by what it was called? */
static bool is_on_record(const libxl_vscsi_pdev *pdev)
{
    return pdev->wwid && pdev->wwid[0] &&
           !(pdev->p_devname &&
             libxl__vscsi_wwn_parse(pdev->p_devname, NULL, NULL));
}

/* From a name to one device of dom0, or one target of the admin's. */
static int resolve_device(libxl__vscsi_ctx *vc, bool uses_lio,
                          libxl_vscsi_pdev *pdev, libxl__vscsi_phys *phys)
{
    char text[LIBXL__VSCSI_HCTL_SIZE], *wwn = NULL;
    const char *name = pdev->p_devname;
    int rc;

    rc = parse_pdev(vc, pdev);
    if (rc)
        return rc;
    if (is_on_record(pdev)) {
        rc = find_again(vc, pdev, phys);
    } else if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_WWN) {
        return resolve_wwn(vc, uses_lio, pdev);
    } else {
        if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL) {
            libxl__vscsi_hctl_format(&pdev->u.hctl.m, text);
            name = text;
        }
        rc = libxl__vscsi_host_find(vc, name, phys);
    }
    if (!rc)
        rc = set_hctl(vc, pdev, phys);
    if (!rc && uses_lio)
        rc = libxl__vscsi_lio_find_foreign(vc, phys, &wwn);
    if (!rc && wwn)
        rc = set_wwn(vc, pdev, wwn);
    return rc;
}

/*
 * The physical device, if the domain may have it; *shared_r: it is exported
 * already, for somebody who shares it.
 */
static int find_free(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users,
                     bool uses_lio, uint32_t domid,
                     libxl_device_vscsidev *dev, libxl__vscsi_phys *phys,
                     bool *shared_r)
{
    int rc;

    rc = resolve_device(vc, uses_lio, &dev->pdev, phys);
    if (!rc)
        rc = libxl__vscsi_users_check(vc, users, domid, dev, shared_r);
    /* What is shared is held by its export. */
    if (!rc && dev->pdev.type != LIBXL_VSCSI_PDEV_TYPE_WWN && !*shared_r)
        rc = libxl__vscsi_host_check_free(vc, phys);
    return rc;
}

/* A command that is too large fails in LIO, and the guest has an I/O error. */
static int read_limits(libxl__vscsi_ctx *vc, const libxl_vscsi_pdev *pdev,
                       libxl__vscsi_limits *limits_r)
{
    if (pdev->type != LIBXL_VSCSI_PDEV_TYPE_HCTL) {
        limits_r->max_sectors_kb = limits_r->max_segments = UINT32_MAX;
        return 0;
    }
    if (libxl__vscsi_path_limits(vc, &pdev->u.hctl.m, limits_r))
        return 0;
    libxl__vscsi_error(vc, "dom0's kernel does not tell how large a command "
                       "it takes (is the module sg loaded?)");
    return ERROR_FAIL;
}

int libxl__vscsi_claim_check(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_users *users, bool uses_lio,
                             libxl_device_vscsidev *dev,
                             libxl__vscsi_limits *limits_r)
{
    libxl__vscsi_phys phys;
    bool shared = false;
    int rc;

    libxl__vscsi_phys_init(&phys);
    rc = find_free(vc, users, uses_lio, 0, dev, &phys, &shared);
    if (!rc)
        rc = read_limits(vc, &dev->pdev, limits_r);
    libxl__vscsi_phys_dispose(&phys);
    return rc;
}

/* Two paths may be given, where that is meant. */
static bool is_given_twice(const libxl_device_vscsidev *a,
                           const libxl_device_vscsidev *b)
{
    return libxl__vscsi_same_device(&a->pdev, &b->pdev) &&
           (!a->shareable || !b->shareable ||
            libxl__vscsi_same_path(&a->pdev, &b->pdev));
}

static int claim_device(libxl__vscsi_ctx *vc,
                        const libxl__vscsi_users *users, bool uses_lio,
                        uint32_t domid, libxl_device_vscsidev *devs, int i,
                        libxl__vscsi_claimed *claimed)
{
    libxl_vscsi_pdev *pdev = &devs[i].pdev;
    libxl__vscsi_phys phys;
    bool shared = false;
    int rc, j;

    libxl__vscsi_phys_init(&phys);
    rc = find_free(vc, users, uses_lio, domid, &devs[i], &phys, &shared);
    for (j = 0; !rc && j < i; j++) {
        if (is_given_twice(&devs[i], &devs[j])) {
            libxl__vscsi_error(vc, "it is given twice, as %s as well",
                               devs[j].pdev.p_devname);
            rc = ERROR_INVAL;
        }
    }
    if (!rc)
        rc = read_limits(vc, pdev, &claimed->limits);
    if (!rc && uses_lio && !shared &&
        pdev->type != LIBXL_VSCSI_PDEV_TYPE_WWN) {
        rc = libxl__vscsi_lio_export(vc, &phys);
        claimed->exported = !rc;
    }
    libxl__vscsi_phys_dispose(&phys);
    return rc;
}

int libxl__vscsi_claim(libxl__vscsi_ctx *vc, const libxl__vscsi_users *users,
                       bool uses_lio, uint32_t domid,
                       libxl_device_vscsidev *devs, int num,
                       libxl__vscsi_claimed *claimed)
{
    int rc = 0, i;

    for (i = 0; !rc && i < num; i++) {
        libxl__vscsi_doing(vc, "attach", devs[i].pdev.p_devname, domid);
        rc = claim_device(vc, users, uses_lio, domid, devs, i,
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
