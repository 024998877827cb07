/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Taking down our own LIO objects, in the order opposite to the one that
 * libxl_vscsi_export.c makes them in.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxl_vscsi_lio.h"

/* The kernel logs each refusal, so the pauses grow. */
#define BUSY_FIRST_MS 10
#define BUSY_LAST_MS 320

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

static int refuse_lun(const libxl__vscsi_ours *ours, int r, char **reason_r)
{
    return fail(reason_r, ERROR_FAIL, libxl__vscsi_sprintf(
        "cannot remove LUN %" PRIu64 " of LIO target %s: %s",
        ours->hctl.lun, ours->wwn, strerror(r)));
}

/* One with a link that is not ours stays. */
static int remove_lun(libxl__vscsi_ctx *vc, const libxl__vscsi_ours *ours,
                      char **reason_r)
{
    int r = libxl__vscsi_cfs_rmdir(LUN_PATH, LUN_ARGS(vc, ours));

    return r && r != ENOTEMPTY ? refuse_lun(ours, r, reason_r) : 0;
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
            "yet (xl scsi-cleanup removes it then)", ours->wwn,
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
    uint64_t end_ms;            /* the nexus is tried until then */
    bool first;                 /* of those in its target: removes that */
    bool has_target;
    bool busy;                  /* the backend driver uses the target */
    bool locked;                /* somebody else lets go of it: left alone */
    bool gone;                  /* all of it */
    int lock;
    char *reason;
    int rc;
} teardown;

static void step_unlink(void *arg)
{
    teardown *d = arg;
    char *link = NULL;
    int r;

    if (d->has_target)
        link = libxl__vscsi_lio_find_link(d->vc, &d->ours);
    if (!link)
        return;
    r = libxl__vscsi_cfs_unlink(LUN_PATH "/%s", LUN_ARGS(d->vc, &d->ours),
                                link);
    if (r)
        d->rc = refuse_lun(&d->ours, r, &d->reason);
    free(link);
}

static void step_lun(void *arg)
{
    teardown *d = arg;

    if (!d->rc && !d->locked && d->has_target)
        d->rc = remove_lun(d->vc, &d->ours, &d->reason);
}

static void step_target(void *arg)
{
    teardown *d = arg;

    if (d->rc || !d->has_target || !d->first)
        return;
    d->rc = remove_target(d->vc, &d->ours, d->end_ms, &d->reason);
    d->busy = d->rc == ERROR_NOT_READY;
}

static void step_backstore(void *arg)
{
    teardown *d = arg;

    if (d->rc || d->locked)
        return;
    d->rc = remove_backstore(d->vc, &d->ours, &d->reason);
    d->gone = !d->rc;
}

static void run_step(libxl__vscsi_job *step, teardown *downs, unsigned num)
{
    libxl__vscsi_in_parallel(step, downs, sizeof(*downs), num);
}

/* After the LUNs' links are gone. */
static void take_down_rest(teardown *downs, unsigned num)
{
    unsigned i, j;

    for (i = 0; i < num; i++) {
        downs[i].first = !downs[i].rc && !downs[i].locked;
        for (j = 0; j < i; j++)
            if (downs[j].first &&
                !strcmp(downs[j].ours.wwn, downs[i].ours.wwn))
                downs[i].first = false;
    }
    run_step(step_lun, downs, num);
    run_step(step_target, downs, num);
    run_step(step_backstore, downs, num);
}

static void init_teardown(libxl__vscsi_ctx *vc, teardown *d,
                          const libxl_vscsi_hctl *hctl, uint64_t end_ms)
{
    *d = (teardown){ .vc = vc, .end_ms = end_ms, .lock = -1 };
    libxl__vscsi_ours_name(hctl, &d->ours);
    d->has_target =
        libxl__vscsi_cfs_is_dir("%s/" LIO_FABRIC "/%s",
                                TPG_ARGS(vc, &d->ours)) &&
        libxl__vscsi_lio_target_is_ours(vc, &d->ours);
}

static teardown *new_teardowns(libxl__vscsi_ctx *vc,
                               const libxl_vscsi_hctl *hctls, unsigned num,
                               uint64_t end_ms)
{
    teardown *downs = calloc(num + 1, sizeof(*downs));
    unsigned i;

    if (!downs)
        libxl__vscsi_error(vc, "out of memory");
    for (i = 0; downs && i < num; i++)
        init_teardown(vc, &downs[i], &hctls[i], end_ms);
    return downs;
}

static void say(libxl__vscsi_ctx *vc, xentoollog_level level,
                const char *text)
{
    if (level == XTL_ERROR)
        libxl__vscsi_error(vc, "%s", text ? text : "out of memory");
    else
        libxl__vscsi_log(vc, level, "%s", text ? text : "out of memory");
}

/* Says what has become of each, and frees them. */
static int end_teardowns(libxl__vscsi_ctx *vc, teardown *downs, unsigned num,
                         xentoollog_level level)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < num; i++) {
        const teardown *d = &downs[i];

        rc = d->rc ? d->rc : rc;
        if (d->rc)
            say(vc, level, d->reason);
        else if (d->gone)
            libxl__vscsi_log(vc, XTL_DETAIL, "LIO backstore %s and its LUN "
                             "are gone", d->ours.backstore);
        free(d->reason);
    }
    free(downs);
    return rc;
}

/* ----- what no guest was told of ----- */

int libxl__vscsi_lio_take_down(libxl__vscsi_ctx *vc,
                               const libxl__vscsi_ours *ours,
                               char **reason_r)
{
    teardown d;

    init_teardown(vc, &d, &ours->hctl, 0);
    step_unlink(&d);
    take_down_rest(&d, 1);
    *reason_r = d.reason;
    return d.rc;
}

int libxl__vscsi_lio_release(libxl__vscsi_ctx *vc,
                             const libxl_vscsi_hctl *hctls, unsigned num)
{
    teardown *downs = new_teardowns(vc, hctls, num, libxl__vscsi_now_ms() +
                                    vc->timeouts.destroy_ms);

    if (!downs)
        return ERROR_NOMEM;
    run_step(step_unlink, downs, num);
    take_down_rest(downs, num);
    return end_teardowns(vc, downs, num, XTL_ERROR);
}

/* ----- what a guest had ----- */

static char *leaving_text(const libxl_vscsi_hctl *hctl)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(hctl, place);
    return libxl__vscsi_sprintf("dom0's kernel is still letting go of %s: a "
        "command of the guest that had it has not come back (it may take "
        "minutes, and nobody else gets the device before)", place);
}

/* With the host lock: what is being let go of already is left alone. */
static void begin_unlinking(teardown *downs, libxl__vscsi_unlinking *list,
                            unsigned num)
{
    unsigned i;
    char *link;

    for (i = 0; i < num; i++) {
        teardown *d = &downs[i];

        d->rc = libxl__vscsi_try_lock(d->vc, libxl__vscsi_lock_of(
                                      &d->ours.hctl), &d->lock);
        list[i].lock = d->lock;
        d->locked = !d->rc && d->lock == -1;
        link = d->rc || d->locked || !d->has_target
               ? NULL : libxl__vscsi_lio_find_link(d->vc, &d->ours);
        if (link)
            list[i].path = libxl__vscsi_sprintf(LUN_PATH "/%s",
                LUN_ARGS(d->vc, &d->ours), link);
        if (link && !list[i].path)
            d->rc = ERROR_NOMEM;
        /* By another path a domain may have it still. */
        if (link && strcmp(link, LIBXL__VSCSI_SHARED))
            list[i].medium = libxl__vscsi_medium_node(d->vc, &d->ours.hctl);
        free(link);
    }
}

static void say_medium(const teardown *d, int r)
{
    char place[LIBXL__VSCSI_HCTL_SIZE], why[64];

    libxl__vscsi_hctl_format(&d->ours.hctl, place);
    if (!r) {
        libxl__vscsi_log(d->vc, XTL_DETAIL, "the medium of %s is not locked, "
                         "and the device not reserved", place);
        return;
    }
    snprintf(why, sizeof(why), "sense key %d", r);
    libxl__vscsi_log(d->vc, XTL_WARN, "%s may still be locked or reserved by "
                     "the guest that had it: asked to undo that, it answered "
                     "%s", place, r < 0 ? strerror(-r) : why);
}

/* A process that was left behind has the lock as well: it keeps it, unless
 * it is given up by name. */
static void end_unlinking(teardown *downs, libxl__vscsi_unlinking *list,
                          unsigned num)
{
    unsigned i;

    for (i = 0; i < num; i++) {
        teardown *d = &downs[i];

        if (!list[i].over) {
            d->rc = fail(&d->reason, ERROR_NOT_READY,
                         leaving_text(&d->ours.hctl));
            close(d->lock);
            d->lock = -1;
        } else if (!d->rc && list[i].r) {
            d->rc = refuse_lun(&d->ours, list[i].r, &d->reason);
        } else if (list[i].medium) {
            say_medium(d, list[i].medium_r);
        }
        free(list[i].path);
        free(list[i].medium);
    }
}

/* Those whose nexus the backend driver still used may be tried again. */
static bool forget_busy(teardown *downs, unsigned num)
{
    bool any = false;
    unsigned i;

    for (i = 0; i < num; i++) {
        if (!downs[i].busy)
            continue;
        any = true;
        downs[i].busy = false;
        downs[i].rc = 0;
        free(downs[i].reason);
        downs[i].reason = NULL;
    }
    return any;
}

void libxl__vscsi_lio_say_leaving(libxl__vscsi_ctx *vc,
                                  xentoollog_level level,
                                  const libxl_vscsi_hctl *hctl)
{
    char *text = leaving_text(hctl);

    say(vc, level, text);
    free(text);
}

/* Those that somebody else lets go of come first in hctls[] then. */
static unsigned keep_locked(libxl_vscsi_hctl *hctls, const teardown *downs,
                            unsigned num)
{
    unsigned i, kept = 0;

    for (i = 0; i < num; i++)
        if (downs[i].locked)
            hctls[kept++] = hctls[i];
    return kept;
}

int libxl__vscsi_lio_let_go(libxl__vscsi_ctx *vc, libxl_vscsi_hctl *hctls,
                            unsigned *num, uint64_t end_ms,
                            xentoollog_level level, int *lock)
{
    teardown *downs = new_teardowns(vc, hctls, *num, 0);
    libxl__vscsi_unlinking *list = calloc(*num + 1, sizeof(*list));
    unsigned pause_ms = BUSY_FIRST_MS, all = *num, i;
    int rc, r;

    if (!downs || !list) {
        libxl__vscsi_error(vc, "out of memory");
        free(downs);
        free(list);
        return ERROR_NOMEM;
    }
    begin_unlinking(downs, list, all);
    libxl__vscsi_unlock(*lock);
    *lock = -1;
    libxl__vscsi_unlink_luns(vc, list, all, end_ms);
    end_unlinking(downs, list, all);
    free(list);
    for (;;) {
        rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, lock);
        if (rc)
            break;
        take_down_rest(downs, all);
        if (libxl__vscsi_now_ms() >= end_ms || !forget_busy(downs, all))
            break;
        libxl__vscsi_unlock(*lock);
        *lock = -1;
        libxl__vscsi_pause(pause_ms);
        if (pause_ms < BUSY_LAST_MS)
            pause_ms *= 2;
    }
    for (i = 0; i < all; i++)
        libxl__vscsi_unlock(downs[i].lock);
    *num = keep_locked(hctls, downs, all);
    r = end_teardowns(vc, downs, all, level);
    return rc ? rc : r;
}
