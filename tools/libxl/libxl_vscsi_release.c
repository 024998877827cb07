/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Taking down our own LIO objects, in the order opposite to the one that
 * libxl_vscsi_export.c makes them in.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_lio.h"

/* The kernel logs each refusal, so the pauses grow. */
#define BUSY_FIRST_MS 10
#define BUSY_LAST_MS 320

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

/* ----- taking down ----- */

/* reason_r takes the first reason only. */
static int fail(char **reason_r, int rc, char *reason)
{
    if (*reason_r)
        free(reason);
    else
        *reason_r = reason;
    return rc;
}

static int remove_lun(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours,
                      char **reason_r)
{
    uint64_t lun = ours->hctl.lun;
    libxl__vscsi_names links;
    unsigned i, others = 0;
    int r = 0;

    libxl__vscsi_cfs_list(&links, "", true, TPG_PATH "/lun/lun_%" PRIu64,
                          TPG_ARGS(vc, ours), lun);
    for (i = 0; i < links.num && !r; i++) {
        char *to = libxl__vscsi_cfs_readlink(
            TPG_PATH "/lun/lun_%" PRIu64 "/%s", TPG_ARGS(vc, ours), lun,
            links.list[i]);

        if (to && !strcmp(to, ours->backstore))
            r = libxl__vscsi_cfs_unlink(TPG_PATH "/lun/lun_%" PRIu64 "/%s",
                                        TPG_ARGS(vc, ours), lun,
                                        links.list[i]);
        else
            others++;
        free(to);
    }
    libxl__vscsi_names_dispose(&links);
    if (!r && !others)
        r = libxl__vscsi_cfs_rmdir(TPG_PATH "/lun/lun_%" PRIu64,
                                   TPG_ARGS(vc, ours), lun);
    if (!r)
        return 0;
    return fail(reason_r, ERROR_FAIL, libxl__vscsi_sprintf(
        "cannot remove LUN %" PRIu64 " of LIO target %s: %s", lun, ours->wwn,
        strerror(r)));
}

/*
 * The kernel lets a TPG be removed that its backend driver is using, and
 * falls over it later; a nexus it does guard.  So the nexus goes first.
 */
static int drop_nexus(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours,
                      uint64_t end_ms, char **reason_r)
{
    unsigned pause_ms = BUSY_FIRST_MS;
    int r;

    for (;;) {
        r = libxl__vscsi_cfs_write("NULL", TPG_PATH "/nexus",
                                   TPG_ARGS(vc, ours));
        if (!r || r == ENODEV || r == ENOENT)
            return 0;
        if (r != EBUSY || libxl__vscsi_now_ms() >= end_ms)
            break;
        libxl__vscsi_pause(pause_ms);
        if (pause_ms < BUSY_LAST_MS)
            pause_ms *= 2;
    }
    if (r == EBUSY)
        return fail(reason_r, ERROR_NOT_READY, libxl__vscsi_sprintf(
            "the backend driver has not let go of LIO target %s (for %s) "
            "yet; a later scsi-attach or scsi-detach removes it", ours->wwn,
            ours->backstore));
    return fail(reason_r, ERROR_FAIL, libxl__vscsi_sprintf(
        "cannot drop the nexus of LIO target %s: %s", ours->wwn,
        strerror(r)));
}

static int remove_target(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours,
                         uint64_t end_ms, char **reason_r)
{
    libxl__vscsi_names luns;
    unsigned num;
    int rc, r;

    libxl__vscsi_cfs_list(&luns, "lun_", false, TPG_PATH "/lun",
                          TPG_ARGS(vc, ours));
    num = luns.num;
    libxl__vscsi_names_dispose(&luns);
    if (num)
        return 0;

    rc = drop_nexus(vc, ours, end_ms, reason_r);
    if (rc)
        return rc;
    r = libxl__vscsi_cfs_rmdir(TPG_PATH, TPG_ARGS(vc, ours));
    if (!r) {
        r = libxl__vscsi_cfs_rmdir("%s/" LIO_FABRIC "/%s",
                                   TPG_ARGS(vc, ours));
        if (r == ENOTEMPTY)     /* the admin has added a TPG */
            r = 0;
    }
    if (!r)
        return 0;
    return fail(reason_r, ERROR_FAIL, libxl__vscsi_sprintf(
        "cannot remove LIO target %s: %s", ours->wwn, strerror(r)));
}

static int remove_backstore(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_ours *ours, char **reason_r)
{
    char *hba = libxl__vscsi_lio_find_hba(vc, ours);
    int r = 0;

    if (hba)
        r = libxl__vscsi_cfs_rmdir("%s/core/%s/%s", vc->lio_root, hba,
                                   ours->backstore);
    /* fails where it is not empty, which is right */
    if (!r)
        libxl__vscsi_cfs_rmdir("%s/core/%s", vc->lio_root,
                               hba ? hba : LIO_OUR_HBA);
    free(hba);
    if (!r)
        return 0;
    return fail(reason_r, r == EBUSY ? ERROR_NOT_READY : ERROR_FAIL,
                libxl__vscsi_sprintf(
                    "cannot remove LIO backstore %s: %s", ours->backstore,
                    r == EBUSY ? "another LIO target uses it" : strerror(r)));
}

/*
 * One device's objects on their way out, step by step.  The steps of several
 * run beside each other, so they log nothing and only read *vc.
 */
typedef struct teardown {
    libxl__vscsi_ctx *vc;
    libxl__vscsi_ours ours;
    uint64_t end_ms;
    bool first;                 /* of those in its target: removes that */
    bool has_target;
    char *reason;
    int rc;
} teardown;

static void step_lun(void *arg)
{
    teardown *d = arg;

    d->has_target =
        libxl__vscsi_cfs_is_dir("%s/" LIO_FABRIC "/%s",
                                TPG_ARGS(d->vc, &d->ours)) &&
        libxl__vscsi_lio_target_is_ours(d->vc, &d->ours);
    if (d->has_target)
        d->rc = remove_lun(d->vc, &d->ours, &d->reason);
}

static void step_target(void *arg)
{
    teardown *d = arg;

    if (!d->rc && d->has_target && d->first)
        d->rc = remove_target(d->vc, &d->ours, d->end_ms, &d->reason);
}

static void step_backstore(void *arg)
{
    teardown *d = arg;

    if (!d->rc)
        d->rc = remove_backstore(d->vc, &d->ours, &d->reason);
}

static void take_down(teardown *downs, unsigned num)
{
    static libxl__vscsi_job *const steps[] = {
        step_lun, step_target, step_backstore,
    };
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(steps); i++)
        libxl__vscsi_in_parallel(steps[i], downs, sizeof(*downs), num);
}

int libxl__vscsi_lio_take_down(libxl__vscsi_ctx *vc,
                               const libxl__vscsi_ours *ours,
                               uint64_t end_ms, char **reason_r)
{
    teardown d = {
        .vc = vc, .ours = *ours, .end_ms = end_ms, .first = true,
    };

    take_down(&d, 1);
    *reason_r = d.reason;
    return d.rc;
}

static void init_teardowns(libxl__vscsi_ctx *vc, teardown *downs,
                           const libxl_vscsi_hctl *hctls, unsigned num)
{
    uint64_t end = libxl__vscsi_now_ms() + vc->timeouts.destroy_ms;
    unsigned i, j;

    for (i = 0; i < num; i++) {
        downs[i] = (teardown){ .vc = vc, .end_ms = end, .first = true };
        libxl__vscsi_ours_name(&hctls[i], &downs[i].ours);
        for (j = 0; j < i; j++)
            if (!strcmp(downs[j].ours.wwn, downs[i].ours.wwn))
                downs[i].first = false;
    }
}

int libxl__vscsi_lio_release(libxl__vscsi_ctx *vc,
                             const libxl_vscsi_hctl *hctls, unsigned num)
{
    teardown *downs = calloc(num + 1, sizeof(*downs));
    unsigned i;
    int rc = 0;

    if (!downs) {
        libxl__vscsi_error(vc, "out of memory");
        return ERROR_NOMEM;
    }
    init_teardowns(vc, downs, hctls, num);
    take_down(downs, num);
    for (i = 0; i < num; i++) {
        const teardown *d = &downs[i];

        rc = d->rc ? d->rc : rc;
        if (d->rc)
            libxl__vscsi_error(vc, "%s",
                               d->reason ? d->reason : "out of memory");
        else
            libxl__vscsi_log(vc, XTL_DETAIL, "LIO backstore %s and its LUN "
                             "are gone", d->ours.backstore);
        free(d->reason);
    }
    free(downs);
    return rc;
}

/* ----- collecting what nobody uses ----- */

static bool is_target_used(const libxl_vscsi_hctl *used, unsigned num,
                           const libxl_vscsi_hctl *target)
{
    libxl_vscsi_hctl hctl = *target;
    unsigned i;

    for (i = 0; i < num; i++) {
        hctl.lun = used[i].lun;
        if (libxl__vscsi_hctl_equal(&used[i], &hctl))
            return true;
    }
    return false;
}

static void collect(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl)
{
    libxl__vscsi_ours ours;
    char *reason = NULL;

    libxl__vscsi_ours_name(hctl, &ours);
    libxl__vscsi_log(vc, XTL_DETAIL, "no domain uses %s any more",
                     ours.backstore);
    if (libxl__vscsi_lio_take_down(vc, &ours, 0, &reason))
        libxl__vscsi_log(vc, XTL_DETAIL, "%s",
                         reason ? reason : "out of memory");
    free(reason);
}

static void collect_backstores(libxl__vscsi_ctx *vc, const char *hba,
                               const libxl_vscsi_hctl *used, unsigned num)
{
    libxl__vscsi_names names;
    libxl_vscsi_hctl hctl;
    unsigned i;

    libxl__vscsi_cfs_list(&names, "", false, "%s/core/%s", vc->lio_root,
                          hba);
    for (i = 0; i < names.num; i++)
        if (libxl__vscsi_ours_parse_backstore(names.list[i], &hctl) &&
            !libxl__vscsi_hctl_among(used, num, &hctl))
            collect(vc, &hctl);
    libxl__vscsi_names_dispose(&names);
}

/* A target whose backstores are gone; only a hand can have done that. */
static void collect_target(libxl__vscsi_ctx *vc, const char *wwn,
                           const libxl_vscsi_hctl *used, unsigned num)
{
    char *alias = libxl__vscsi_cfs_read(
        "%s/" LIO_FABRIC "/%s/" LIO_OUR_TPG "/param/alias", vc->lio_root,
        wwn);
    libxl_vscsi_hctl hctl;

    if (alias && libxl__vscsi_ours_parse_target(wwn, alias, &hctl) &&
        !is_target_used(used, num, &hctl))
        collect(vc, &hctl);
    free(alias);
}

void libxl__vscsi_lio_gc(libxl__vscsi_ctx *vc,
                         const libxl_vscsi_hctl *used, unsigned num)
{
    libxl__vscsi_names names;
    unsigned i;

    libxl__vscsi_cfs_list(&names, "pscsi_", false, "%s/core", vc->lio_root);
    for (i = 0; i < names.num; i++)
        collect_backstores(vc, names.list[i], used, num);
    libxl__vscsi_names_dispose(&names);

    libxl__vscsi_cfs_list(&names, "naa.5001405", false, "%s/" LIO_FABRIC,
                          vc->lio_root);
    for (i = 0; i < names.num; i++)
        collect_target(vc, names.list[i], used, num);
    libxl__vscsi_names_dispose(&names);
    libxl__vscsi_cfs_rmdir("%s/core/" LIO_OUR_HBA, vc->lio_root);
}
