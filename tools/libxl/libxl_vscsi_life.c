/* SPDX-License-Identifier: LGPL-2.1-only */
/* What happens to a domain as a whole, where its vscsictrls are concerned. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"
#include "libxl_vscsi_missing.h"
#include "libxl_vscsi_operations.h"
#include "libxl_vscsi_wait.h"

/* ----- before the beginning ----- */

static int check_device(libxl__vscsi_ctx *vc,
                        libxl__vscsi_users *users,
                        libxl__vscsi_known *known, bool uses_lio,
                        const libxl_device_vscsictrl *ctrl,
                        const libxl_device_vscsidev *dev)
{
    libxl_device_vscsidev copy;
    libxl__vscsi_limits limits;
    int rc;

    libxl__vscsi_doing(vc, NULL, dev->pdev.p_devname, 0);
    rc = libxl_device_vscsidev_copy(vc->xl, &copy, dev);
    if (rc)
        rc = libxl__vscsi_out_of_memory(vc);
    else
        rc = libxl__vscsi_claim_check(vc, users, known, uses_lio, 0, &copy,
                                      &limits);
    if (rc == ERROR_NOTFOUND && libxl__vscsi_may_lack(dev))
        rc = 0;
    else if (!rc)
        rc = libxl__vscsi_check_segments(vc, &limits, ctrl->devid,
                                         ctrl->max_segments, "shut the guest "
                                         "down and start it here");
    libxl_device_vscsidev_dispose(&copy);
    return rc;
}

/* All of them, so that whoever asks learns of all that is missing. */
int libxl__vscsi_check(libxl__vscsi_ctx *vc, const char *vm,
                       const libxl_device_vscsictrl *ctrls, int num)
{
    libxl__vscsi_users users = { .vm = vm };
    libxl__vscsi_known known = { .inuse = NULL };
    int rc, r, i, j, lock = -1;
    bool uses_lio = false;

    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (!rc)
        rc = libxl__vscsi_lio_probe(vc, &uses_lio);
    if (!rc)
        rc = libxl__vscsi_users_open(vc, &users);
    if (rc)
        num = 0;
    for (i = 0; i < num; i++) {
        for (j = 0; j < ctrls[i].num_vscsidevs; j++) {
            r = check_device(vc, &users, &known, uses_lio, &ctrls[i],
                             &ctrls[i].vscsidevs[j]);
            rc = rc ? rc : r;
        }
    }
    libxl__vscsi_known_dispose(&known);
    libxl__vscsi_users_dispose(&users);
    libxl__vscsi_unlock(lock);
    return rc;
}

int libxl_vscsi_check(libxl_ctx *ctx, const libxl_uuid *uuid,
                      const libxl_device_vscsictrl *ctrls, int num)
{
    libxl__vscsi_ctx vc;
    char vm[64] = "";
    int rc;

    (void)ctx;
    if (uuid)
        snprintf(vm, sizeof(vm), "/vm/" LIBXL_UUID_FMT,
                 LIBXL_UUID_BYTES(*uuid));
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_check(&vc, vm, ctrls, num);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

int libxl__vscsi_expand_now(libxl__vscsi_ctx *vc, uint32_t domid,
                            libxl_device_vscsictrl *ctrl, bool but_used)
{
    libxl__vscsi_known known = { .inuse = NULL };
    libxl__vscsi_users users = { .users = NULL };
    bool uses_lio = false;
    int rc, lock = -1;

    libxl__vscsi_doing(vc, "attach", NULL, domid);
    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (!rc)
        rc = libxl__vscsi_lio_probe(vc, &uses_lio);
    if (!rc)
        rc = libxl__vscsi_users_open(vc, &users);
    if (!rc)
        rc = libxl__vscsi_expand(vc, &users, &known, uses_lio, domid, ctrl,
                                 but_used);
    libxl__vscsi_known_dispose(&known);
    libxl__vscsi_users_dispose(&users);
    libxl__vscsi_unlock(lock);
    return rc;
}

int libxl_vscsi_expand(libxl_ctx *ctx, uint32_t domid,
                       libxl_device_vscsictrl *ctrl, bool but_used)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_expand_now(&vc, domid, ctrl, but_used);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

/* ----- a suspend, and one that was called off ----- */

int libxl_vscsi_freeze(libxl_ctx *ctx, uint32_t domid, int *frozen_r)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    libxl__vscsi_doing(&vc, "save or send", "the SCSI devices", domid);
    if (!rc)
        rc = libxl__vscsi_freeze(&vc, domid, frozen_r);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

void libxl_vscsi_thaw(int frozen)
{
    libxl__vscsi_unlock(frozen);
}

/* The same value again: the watch fires all the same, and the guest's
 * driver takes a 4 for the end of the pause. */
static int wake_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    const libxl__vscsi_ref *ref = arg;
    libxl__vscsi_state backend;
    int rc;

    rc = libxl__vscsi_xs_state(vc, t, *ref, false, &backend);
    if (!rc && backend == VSCSI_CONNECTED)
        rc = libxl__vscsi_xs_set_state(vc, t, *ref, VSCSI_CONNECTED);
    return rc;
}

int libxl__vscsi_resume(libxl__vscsi_ctx *vc, uint32_t domid)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc, r, i, num = 0, lock = -1;

    libxl__vscsi_doing(vc, "wake", "the SCSI devices", domid);
    rc = libxl__vscsi_xs_list(vc, domid, -1, &ctrls, &num, NULL);
    if (rc || !num)
        return rc;
    rc = libxl__vscsi_lock(vc, domid, &lock);
    for (i = 0; lock != -1 && i < num; i++) {
        libxl__vscsi_ref ref = { domid, ctrls[i].devid };

        r = libxl__vscsi_xs_transact(vc, wake_body, &ref);
        rc = rc ? rc : r;
    }
    libxl__vscsi_unlock(lock);
    libxl_device_vscsictrl_list_free(ctrls, num);
    return rc;
}

int libxl_vscsi_resume(libxl_ctx *ctx, uint32_t domid)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_resume(&vc, domid);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

/* ----- the end ----- */

int libxl_vscsi_cleanup(libxl_ctx *ctx)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_cleanup(&vc);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

int libxl_vscsi_cleanup_domain(libxl_ctx *ctx, uint32_t domid)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_cleanup_domain(&vc, domid);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

typedef struct ending {
    uint32_t domid;
    const libxl_device_vscsictrl *ctrls;
    int num;
    libxl__vscsi_ref *refs;
} ending;

static int erase_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    const ending *e = arg;

    return libxl__vscsi_xs_rm_ctrls(vc, t, e->refs, (unsigned)e->num);
}

/*
 * The frontends are gone, and that makes the backends let go, all of them at
 * once.  Their nodes go whatever they do.
 */
static int end_ctrls(libxl__vscsi_ctx *vc, ending *e, uint64_t since_ms)
{
    int rc = 0, r, i;
    bool over;

    for (i = 0; i < e->num; i++) {
        r = libxl__vscsi_await_unplug(vc, e->refs[i], since_ms, &over);
        rc = rc ? rc : r;
    }
    r = e->num ? libxl__vscsi_xs_transact(vc, erase_body, e) : 0;
    return rc ? rc : r;
}

/* The devices of those vscsictrls that the kernel has let go of by end_ms, one
 * after the other in devs[]; how many.  *left_r: there are others. */
static unsigned await_all(libxl__vscsi_ctx *vc, const ending *e,
                          uint64_t end_ms, libxl_device_vscsidev *devs,
                          bool *left_r)
{
    unsigned found = 0;
    int i;

    *left_r = false;
    for (i = 0; i < e->num; i++) {
        const libxl_device_vscsictrl *ctrl = &e->ctrls[i];

        if (!libxl__vscsi_await_backend(vc, e->refs[i], end_ms)) {
            *left_r = true;
            continue;
        }
        if (ctrl->num_vscsidevs)
            memcpy(&devs[found], ctrl->vscsidevs,
                   (size_t)ctrl->num_vscsidevs * sizeof(*devs));
        found += (unsigned)ctrl->num_vscsidevs;
    }
    return found;
}

/* As after a detach: the domain is rid of them, whatever is left. */
static void let_go(libxl__vscsi_ctx *vc, const ending *e, uint64_t end_ms)
{
    libxl_device_vscsidev *devs;
    unsigned all = 1, num;
    bool left = true;
    int i;

    for (i = 0; i < e->num; i++)
        all += (unsigned)e->ctrls[i].num_vscsidevs;
    devs = calloc(all, sizeof(*devs));      /* what they point to is e's */
    if (devs) {
        num = await_all(vc, e, end_ms, devs, &left);
        if (num && libxl__vscsi_release_unused(vc, e->domid, devs, NULL, num,
                                               end_ms))
            left = true;
    }
    free(devs);
    if (left)
        libxl__vscsi_log(vc, XTL_WARN, "dom0 has not let go yet of all that "
                         "domain %u had; nobody else gets it before (xl "
                         "scsi-assignable-list -a shows it)", e->domid);
}

static bool lacks_any(const libxl_device_vscsictrl *ctrls, int num)
{
    int i, j;

    for (i = 0; i < num; i++)
        for (j = 0; j < ctrls[i].num_vscsidevs; j++)
            if (ctrls[i].vscsidevs[j].absent)
                return true;
    return false;
}

int libxl__vscsi_domain_destroyed(libxl__vscsi_ctx *vc, uint32_t domid,
                                  const libxl_device_vscsictrl *ctrls,
                                  int num)
{
    ending e = { .domid = domid, .ctrls = ctrls, .num = num };
    uint64_t since = libxl__vscsi_now_ms();
    libxl__vscsi_marks marks;
    int rc, r, i;

    libxl__vscsi_doing(vc, "remove", "what is left of the SCSI devices",
                       domid);
    rc = libxl__vscsi_xs_find_domain(vc, XBT_NULL, domid, &marks);
    if (rc)
        return rc;
    if (marks.exists)
        return ERROR_NOT_READY;
    e.refs = calloc((size_t)num + 1, sizeof(*e.refs));
    if (!e.refs)
        return libxl__vscsi_out_of_memory(vc);
    for (i = 0; i < num; i++)
        e.refs[i] = (libxl__vscsi_ref){ domid, ctrls[i].devid };
    rc = end_ctrls(vc, &e, since);
    r = lacks_any(ctrls, num) ? libxl__vscsi_missing_end(vc, domid) : 0;
    rc = rc ? rc : r;
    let_go(vc, &e, since + vc->timeouts.destroy_ms);
    free(e.refs);
    return rc;
}

int libxl_vscsi_domain_destroyed(libxl_ctx *ctx, uint32_t domid,
                                 const libxl_device_vscsictrl *ctrls,
                                 int num)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_domain_destroyed(&vc, domid, ctrls, num);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}
