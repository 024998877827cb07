/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Our own LIO objects: made in the order backstore, target, TPG, nexus,
 * alias, LUN, and taken down the other way round, so that what a killed
 * process leaves is recognised by its backstore or by its alias.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_lio.h"

bool libxl__vscsi_lio_p_dev(const libxl_vscsi_hctl *hctl,
                            libxl__vscsi_p_dev p_dev_r)
{
    char text[sizeof(libxl__vscsi_ours) + 32];
    libxl__vscsi_ours ours;
    int len;

    libxl__vscsi_ours_name(hctl, &ours);
    len = snprintf(text, sizeof(text), "%s:%" PRIu64, ours.wwn, hctl->lun);
    if (len > LIBXL__VSCSI_PDEV_MAX)
        return false;
    memcpy(p_dev_r, text, (size_t)len + 1);
    return true;
}

/* Of the TPGs of a target, the backend driver takes the oldest. */
static int check_target(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours)
{
    libxl__vscsi_names tpgs;
    int rc = 0;
    unsigned i;

    libxl__vscsi_cfs_list(&tpgs, "tpgt_", false, "%s/" LIO_FABRIC "/%s",
                          vc->lio_root, ours->wwn);
    for (i = 0; i < tpgs.num && !rc; i++) {
        if (!strcmp(tpgs.list[i], LIO_OUR_TPG))
            continue;
        libxl__vscsi_error(vc, "LIO target %s, which is for %s, has %s, which "
                           "is not ours (delete that)", ours->wwn,
                           ours->alias, tpgs.list[i]);
        rc = ERROR_DEVICE_EXISTS;
    }
    libxl__vscsi_names_dispose(&tpgs);
    if (!rc && !libxl__vscsi_lio_target_is_ours(vc, ours)) {
        libxl__vscsi_error(vc, "LIO target %s of dom0 has another alias than "
                           "%s, for which this name is needed (delete it)",
                           ours->wwn, ours->alias);
        rc = ERROR_DEVICE_EXISTS;
    }
    return rc;
}

/* r is what enabling the backstore of unit ended with. */
static int refuse_enable(libxl__vscsi_ctx *vc, const libxl__vscsi_unit *unit,
                         int r)
{
    if (r == EBUSY) {
        libxl__vscsi_error(vc, "another program or driver of dom0 has %s "
                           "open exclusively", unit->paths[0].lio_node);
        return ERROR_DEVICE_EXISTS;
    }
    if (r == EACCES || r == EROFS)
        libxl__vscsi_error(vc, "%s is read-only, and LIO opens a disk only "
                           "for reading and writing", unit->paths[0].lio_node);
    else
        libxl__vscsi_error(vc, "LIO does not take %s: %s (dom0's kernel log "
                           "may say more)", unit->paths[0].lio_node,
                           strerror(r));
    return ERROR_FAIL;
}

static int create_backstore(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_ours *ours,
                            const libxl__vscsi_unit *unit)
{
    const libxl_vscsi_hctl *hctl = &ours->hctl;
    const char *step, *root = vc->lio_root;
    char control[128];
    int r;

    r = libxl__vscsi_cfs_mkdir("%s/core/" LIO_OUR_HBA, root);
    if (r) {
        libxl__vscsi_modprobe(vc, "target_core_pscsi");
        r = libxl__vscsi_cfs_mkdir("%s/core/" LIO_OUR_HBA, root);
    }
    if (r) {
        libxl__vscsi_error(vc, "dom0's kernel has no target_core_pscsi "
                           "(CONFIG_TCM_PSCSI): %s", strerror(r));
        return ERROR_FAIL;
    }
    step = "made";
    r = libxl__vscsi_cfs_mkdir("%s/core/" LIO_OUR_HBA "/%s", root,
                               ours->backstore);
    if (!r) {
        step = "configured";
        snprintf(control, sizeof(control), "scsi_host_id=%" PRIu32
                 ",scsi_channel_id=%" PRIu32 ",scsi_target_id=%" PRIu32
                 ",scsi_lun_id=%" PRIu64, hctl->hst, hctl->chn, hctl->tgt,
                 hctl->lun);
        r = libxl__vscsi_cfs_write(control, "%s/core/" LIO_OUR_HBA
                                   "/%s/control", root, ours->backstore);
    }
    if (!r)
        r = libxl__vscsi_cfs_write(unit->paths[0].lio_node,
                                   "%s/core/" LIO_OUR_HBA "/%s/udev_path",
                                   root, ours->backstore);
    if (r) {
        libxl__vscsi_error(vc, "LIO backstore %s cannot be %s: %s",
                           ours->backstore, step, strerror(r));
        return ERROR_FAIL;
    }
    r = libxl__vscsi_cfs_write("1", "%s/core/" LIO_OUR_HBA "/%s/enable", root,
                               ours->backstore);
    if (r)
        return refuse_enable(vc, unit, r);
    libxl__vscsi_log(vc, XTL_DETAIL, "made LIO backstore " LIO_OUR_HBA "/%s "
                     "of %s", ours->backstore, unit->paths[0].lio_node);
    return 0;
}

/* One that is not of this device any more, or not finished, is replaced. */
static int make_backstore(libxl__vscsi_ctx *vc,
                          const libxl__vscsi_ours *ours,
                          const libxl__vscsi_unit *unit, char **hba_r)
{
    char *path, *reason = NULL, *hba = libxl__vscsi_lio_find_hba(vc, ours);
    int rc = 0;
    bool good;

    if (hba) {
        path = libxl__vscsi_sprintf("%s/core/%s/%s", vc->lio_root, hba,
                                    ours->backstore);
        good = path && libxl__vscsi_lio_is_backstore_of(path, &ours->hctl);
        free(path);
        if (good) {
            *hba_r = hba;
            return 0;
        }
        free(hba);
        rc = libxl__vscsi_lio_take_down(vc, ours, &reason);
        if (rc)
            libxl__vscsi_error(vc, "%s", reason ? reason : "out of memory");
        free(reason);
    }
    if (!rc)
        rc = create_backstore(vc, ours, unit);
    if (rc)
        return rc;
    hba = strdup(LIO_OUR_HBA);
    if (!hba)
        return libxl__vscsi_out_of_memory(vc);
    *hba_r = hba;
    return 0;
}

/* Writes an attribute of our TPG that reads as empty until then. */
static int set_once(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours,
                    const char *attr, const char *value)
{
    char *old = libxl__vscsi_cfs_read(TPG_PATH "/%s", TPG_ARGS(vc, ours),
                                      attr);
    bool set = old && old[0];

    free(old);
    return set ? 0 : libxl__vscsi_cfs_write(value, TPG_PATH "/%s",
                                            TPG_ARGS(vc, ours), attr);
}

static int make_target(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours)
{
    bool known = libxl__vscsi_cfs_is_dir(TPG_PATH, TPG_ARGS(vc, ours));
    const char *step = "made";
    int r;

    r = libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC "/%s", TPG_ARGS(vc, ours));
    if (!r)
        r = libxl__vscsi_cfs_mkdir(TPG_PATH, TPG_ARGS(vc, ours));
    if (!r) {
        step = "given a nexus";
        r = set_once(vc, ours, "nexus", ours->nexus);
    }
    if (!r) {
        step = "given its alias";
        r = set_once(vc, ours, "param/alias", ours->alias);
    }
    if (r) {
        libxl__vscsi_error(vc, "LIO target %s for %s cannot be %s: %s",
                           ours->wwn, ours->alias, step, strerror(r));
        return ERROR_FAIL;
    }
    if (!known)
        libxl__vscsi_log(vc, XTL_DETAIL, "made LIO target %s (%s)",
                         ours->wwn, ours->alias);
    return 0;
}

/* The link is called after whom it is made for. */
static int make_lun(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours,
                    const char *hba, const char *owner)
{
    uint64_t lun = ours->hctl.lun;
    char *backstore, *to = NULL;
    libxl__vscsi_names links;
    int r;

    r = libxl__vscsi_cfs_mkdir(TPG_PATH "/lun/lun_%" PRIu64,
                               TPG_ARGS(vc, ours), lun);
    libxl__vscsi_cfs_list(&links, "", true, TPG_PATH "/lun/lun_%" PRIu64,
                          TPG_ARGS(vc, ours), lun);
    if (links.num)
        to = libxl__vscsi_cfs_readlink(TPG_PATH "/lun/lun_%" PRIu64 "/%s",
                                       TPG_ARGS(vc, ours), lun,
                                       links.list[0]);
    libxl__vscsi_names_dispose(&links);
    if (to && strcmp(to, ours->backstore)) {
        libxl__vscsi_error(vc, "LUN %" PRIu64 " of LIO target %s, which is "
                           "for %s, is linked to backstore %s (remove that "
                           "LUN)", lun, ours->wwn, ours->backstore, to);
        free(to);
        return ERROR_DEVICE_EXISTS;
    }
    if (to) {
        free(to);
        return 0;
    }
    backstore = libxl__vscsi_sprintf("%s/core/%s/%s", vc->lio_root, hba,
                                     ours->backstore);
    if (!r)
        r = backstore ? libxl__vscsi_cfs_symlink(backstore,
                TPG_PATH "/lun/lun_%" PRIu64 "/%s", TPG_ARGS(vc, ours), lun,
                owner) : ENOMEM;
    free(backstore);
    if (r) {
        libxl__vscsi_error(vc, "LUN %" PRIu64 " of LIO target %s cannot be "
                           "made: %s", lun, ours->wwn, strerror(r));
        return ERROR_FAIL;
    }
    libxl__vscsi_log(vc, XTL_DETAIL, "made LUN %" PRIu64 " of LIO target %s",
                     lun, ours->wwn);
    return 0;
}

int libxl__vscsi_lio_export(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_unit *unit,
                            const char *owner)
{
    char *hba = NULL, *reason = NULL;
    libxl__vscsi_ours ours;
    int rc;

    libxl__vscsi_ours_name(&unit->paths[0].hctl, &ours);
    if (!unit->paths[0].lio_node) {
        libxl__vscsi_error(vc, "no disk driver of dom0 has it (modprobe "
                           "sd_mod), and LIO needs its /dev/sd node");
        return ERROR_FAIL;
    }
    if (unit->paths[0].hctl.lun > INT_MAX) {
        libxl__vscsi_error(vc, "LUN %" PRIu64 " is larger than LIO's pscsi "
                           "can name", unit->paths[0].hctl.lun);
        return ERROR_FAIL;
    }
    rc = check_target(vc, &ours);
    if (rc)
        return rc;
    rc = make_backstore(vc, &ours, unit, &hba);
    if (!rc)
        rc = make_target(vc, &ours);
    if (!rc)
        rc = make_lun(vc, &ours, hba, owner);
    if (rc && libxl__vscsi_lio_take_down(vc, &ours, &reason))
        libxl__vscsi_log(vc, XTL_WARN, "%s",
                         reason ? reason : "out of memory");
    free(reason);
    free(hba);
    return rc;
}
