/* SPDX-License-Identifier: LGPL-2.1-only */
/* Taking devices, or a whole vscsictrl, away from a domain. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"
#include "libxl_vscsi_missing.h"
#include "libxl_vscsi_operations.h"
#include "libxl_vscsi_wait.h"

#define MAX_ROUNDS 5

/* ----- the end of a vscsictrl ----- */

static int erase_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    return libxl__vscsi_xs_rm_ctrls(vc, t, arg, 1);
}

static int erase_ctrl(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref)
{
    return libxl__vscsi_xs_transact(vc, erase_body, &ref);
}

/* ----- a whole vscsictrl ----- */

typedef struct closing {
    libxl__vscsi_ref ref;
    unsigned num_devs;
    uint64_t since_ms;          /* when the vscsictrl was first waited for */
    libxl__vscsi_op op;
    libxl__vscsi_plan plan;
} closing;

static int close_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_state backend, frontend;
    closing *c = arg;
    int rc;

    rc = libxl__vscsi_xs_states(vc, t, c->ref, &backend, &frontend);
    if (rc)
        return rc;
    c->plan = libxl__vscsi_plan_for(c->op, backend, frontend);
    if (c->plan == VSCSI_PLAN_ERASE)
        return libxl__vscsi_xs_rm_ctrls(vc, t, &c->ref, 1);
    if (c->plan != VSCSI_PLAN_UNPLUG && !libxl__vscsi_domain_answers(vc))
        return libxl__vscsi_refuse_silent(vc);
    if (c->plan == VSCSI_PLAN_WAIT)
        return 0;
    rc = libxl__vscsi_xs_set_offline(vc, t, c->ref);
    if (!rc && c->plan == VSCSI_PLAN_CLOSE)
        rc = libxl__vscsi_xs_set_state(vc, t, c->ref, VSCSI_CLOSING);
    if (!rc && c->plan == VSCSI_PLAN_UNPLUG)
        rc = libxl__vscsi_xs_rm_frontend(vc, t, c->ref);
    return rc;
}

/* Waits for the end of what close_body() wrote. */
static int await_close(libxl__vscsi_ctx *vc, const closing *c, bool *over_r)
{
    libxl__vscsi_wait w = {
        .ref = c->ref, .op = VSCSI_REMOVE_CTRL,
        .num_bound = c->num_devs,
    };
    libxl__vscsi_verdict verdict;
    int rc;

    if (c->plan == VSCSI_PLAN_WAIT)
        return libxl__vscsi_settle(vc, c->ref, c->num_devs, c->since_ms,
                                   over_r);
    if (c->plan == VSCSI_PLAN_UNPLUG)
        return libxl__vscsi_await_unplug(vc, c->ref, 0, over_r);
    rc = libxl__vscsi_wait_for(vc, &w, &verdict, NULL);
    if (!rc)
        *over_r = verdict == VSCSI_DONE;
    return rc;
}

static int close_unanswered(libxl__vscsi_ctx *vc, const closing *c)
{
    libxl__vscsi_error(vc, c->plan == VSCSI_PLAN_WAIT
                       ? "an earlier change of vscsictrl %d is not finished: "
                         "the guest does not answer (try again, or force it)"
                       : "the guest does not let go of vscsictrl %d, which is "
                         "now closing (try again, or force it)",
                       c->ref.devid);
    return ERROR_GUEST_TIMEDOUT;
}

/* *over_r: dom0's driver said that it has let go. */
static int close_ctrl(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                      unsigned num_devs, libxl__vscsi_removal how,
                      bool *over_r)
{
    closing c = {
        .ref = ref, .num_devs = num_devs, .op = VSCSI_REMOVE_CTRL,
        .since_ms = libxl__vscsi_now_ms(),
    };
    int rc, round;
    bool over;

    if (how == LIBXL__VSCSI_DESTROY || libxl__vscsi_domain_is_over(vc) ||
        (how == LIBXL__VSCSI_REMOVE && !libxl__vscsi_domain_answers(vc)))
        c.op = VSCSI_DESTROY_CTRL;

    for (round = 0; round < MAX_ROUNDS; round++) {
        rc = libxl__vscsi_xs_transact(vc, close_body, &c);
        *over_r = true;
        if (rc || c.plan == VSCSI_PLAN_ERASE)
            return rc;
        rc = await_close(vc, &c, &over);
        if (rc)
            return rc;
        *over_r = over;
        if (c.plan == VSCSI_PLAN_UNPLUG || (over && c.plan !=
                                            VSCSI_PLAN_WAIT))
            return erase_ctrl(vc, ref);
        if (!over && how == LIBXL__VSCSI_SAFE_REMOVE)
            return close_unanswered(vc, &c);
        if (!over)
            c.op = VSCSI_DESTROY_CTRL;
    }
    return close_unanswered(vc, &c);
}

/* ----- some devices of a vscsictrl ----- */

typedef struct removal {
    libxl__vscsi_ref ref;
    unsigned num_devs;          /* of the vscsictrl, these and others */
    const libxl_devid *ids;
    unsigned num;
    libxl_devid *pending;       /* those of ids[] that the ends must drop */
    unsigned num_pending;
    libxl_devid *unmapped;      /* the others of ids[] */
    unsigned num_unmapped;
    libxl__vscsi_plan plan;
} removal;

/* Nodes of devices that no driver has, or the request to drop them. */
static int remove_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_state backend, frontend, dev = VSCSI_GONE;
    removal *m = arg;
    unsigned i;
    int rc;

    m->num_pending = m->num_unmapped = 0;
    rc = libxl__vscsi_xs_states(vc, t, m->ref, &backend, &frontend);
    if (rc)
        return rc;
    m->plan = libxl__vscsi_plan_for(VSCSI_REMOVE_DEV, backend, frontend);
    /* Nobody is left who would miss the vscsictrl's other devices. */
    if (m->plan != VSCSI_PLAN_NODES && libxl__vscsi_domain_is_over(vc))
        m->plan = VSCSI_PLAN_UNPLUG;
    if (m->plan == VSCSI_PLAN_WAIT)
        return libxl__vscsi_domain_answers(vc)
               ? 0 : libxl__vscsi_refuse_silent(vc);
    if (m->plan == VSCSI_PLAN_UNPLUG) {
        if (backend != VSCSI_GONE)
            rc = libxl__vscsi_xs_set_offline(vc, t, m->ref);
        return rc ? rc : libxl__vscsi_xs_rm_frontend(vc, t, m->ref);
    }
    for (i = 0; !rc && i < m->num; i++) {
        if (m->plan == VSCSI_PLAN_RECONFIGURE)
            rc = libxl__vscsi_xs_dev_state(vc, t, m->ref, false,
                                           m->ids[i], &dev);
        if (rc)
            break;
        if (libxl__vscsi_dev_is_mapped(dev)) {
            m->pending[m->num_pending++] = m->ids[i];
            rc = libxl__vscsi_xs_set_dev_state(vc, t, m->ref, m->ids[i],
                                               VSCSI_CLOSING);
        } else {
            m->unmapped[m->num_unmapped++] = m->ids[i];
        }
    }
    if (!rc && m->num_unmapped)
        rc = libxl__vscsi_xs_rm_devs(vc, t, m->ref, m->unmapped,
                                     m->num_unmapped);
    if (!rc && m->num_pending && !libxl__vscsi_domain_answers(vc))
        return libxl__vscsi_refuse_silent(vc);
    if (!rc && m->num_pending)
        rc = libxl__vscsi_xs_set_state(vc, t, m->ref,
                                       VSCSI_RECONFIGURING);
    return rc;
}

static int drop_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    removal *m = arg;

    return libxl__vscsi_xs_rm_devs(vc, t, m->ref, m->pending,
                                   m->num_pending);
}

static int withdraw_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_state backend, frontend, dev;
    removal *m = arg;
    unsigned i;
    int rc;

    rc = libxl__vscsi_xs_states(vc, t, m->ref, &backend, &frontend);
    if (rc)
        return rc;
    m->plan = libxl__vscsi_plan_for(VSCSI_WITHDRAW, backend, frontend);
    /* The guest drops all devices before its own state tells. */
    for (i = 0; !rc && i < m->num_pending; i++) {
        rc = libxl__vscsi_xs_dev_state(vc, t, m->ref, true, m->pending[i],
                                       &dev);
        if (!rc && dev == VSCSI_CLOSED)
            m->plan = VSCSI_PLAN_LEAVE;
    }
    if (rc || m->plan != VSCSI_PLAN_WITHDRAW)
        return rc;
    for (i = 0; !rc && i < m->num_pending; i++)
        rc = libxl__vscsi_xs_set_dev_state(vc, t, m->ref, m->pending[i],
                                           VSCSI_CONNECTED);
    return rc ? rc : libxl__vscsi_xs_set_state(vc, t, m->ref,
                                               VSCSI_CONNECTED);
}

static int remove_unanswered(libxl__vscsi_ctx *vc, removal *m)
{
    int rc;

    rc = libxl__vscsi_xs_transact(vc, withdraw_body, m);
    if (rc)
        return rc;
    libxl__vscsi_error(vc, m->plan == VSCSI_PLAN_WITHDRAW
                       ? "the guest does not answer; the device stays "
                         "attached"
                       : "the guest has begun but does not come to an end "
                         "(try again)");
    return ERROR_GUEST_TIMEDOUT;
}

static int write_removal(libxl__vscsi_ctx *vc, removal *m)
{
    uint64_t since = libxl__vscsi_now_ms();
    bool settled = true;
    int rc, round;

    for (round = 0; round < MAX_ROUNDS && settled; round++) {
        rc = libxl__vscsi_xs_transact(vc, remove_body, m);
        if (rc || (m->plan != VSCSI_PLAN_WAIT &&
                   m->plan != VSCSI_PLAN_UNPLUG))
            return rc;
        rc = m->plan == VSCSI_PLAN_WAIT
             ? libxl__vscsi_settle(vc, m->ref, m->num_devs, since,
                                   &settled)
             : libxl__vscsi_await_unplug(vc, m->ref, 0, &settled);
        if (rc)
            return rc;
    }
    libxl__vscsi_error(vc, m->plan == VSCSI_PLAN_WAIT
                       ? "an earlier change of vscsictrl %d is not finished: "
                         "the guest does not answer (try again)"
                       : "the backend driver does not let go of vscsictrl %d",
                       m->ref.devid);
    return m->plan == VSCSI_PLAN_WAIT ? ERROR_GUEST_TIMEDOUT
                                      : ERROR_TIMEDOUT;
}

static int remove_devs(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                       unsigned num_devs, const libxl_devid *ids,
                       unsigned num)
{
    removal m = {
        .ref = ref, .num_devs = num_devs, .ids = ids, .num = num,
    };
    libxl__vscsi_wait w = { .ref = ref, .op = VSCSI_REMOVE_DEV };
    libxl__vscsi_verdict verdict;
    int rc;

    m.pending = calloc(num, sizeof(*m.pending));
    m.unmapped = calloc(num, sizeof(*m.unmapped));
    if (!m.pending || !m.unmapped) {
        rc = libxl__vscsi_out_of_memory(vc);
        goto out;
    }
    rc = write_removal(vc, &m);
    if (rc || !m.num_pending)
        goto out;
    w.devs = m.pending;
    w.num_devs = m.num_pending;
    rc = libxl__vscsi_wait_for(vc, &w, &verdict, NULL);
    if (rc)
        goto out;
    if (verdict == VSCSI_DONE)
        rc = libxl__vscsi_xs_transact(vc, drop_body, &m);
    else
        rc = remove_unanswered(vc, &m);
out:
    free(m.pending);
    free(m.unmapped);
    return rc;
}

/* ----- both ----- */

/*
 * After the nodes are gone, and with them the devices: whatever happens now,
 * the domain has been rid of them.
 */
static void let_go(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                   const libxl_device_vscsictrl *ctrl, const int *indices,
                   unsigned num, bool whole, bool over)
{
    uint64_t now = libxl__vscsi_now_ms();
    uint64_t end = now + vc->timeouts.destroy_ms;
    int rc;

    vc->verb = "let go of";
    if (whole && !libxl__vscsi_await_backend(vc, ref, over ? end : now))
        rc = ERROR_NOT_READY;
    else
        rc = libxl__vscsi_release_unused(vc, ref.domid, ctrl->vscsidevs,
                                         indices, num, end);
    if (rc)
        libxl__vscsi_log(vc, XTL_WARN, "vscsictrl %d of domain %u: what was "
                         "detached is gone from the domain, but dom0 has not"
                         " let go of all of it yet; nobody else gets it "
                         "before (xl scsi-assignable-list -a shows it)",
                         ref.devid, ref.domid);
}

int libxl__vscsi_detach_locked(libxl__vscsi_ctx *vc, uint32_t domid,
                               const libxl_device_vscsictrl *ctrl,
                               const int *indices, unsigned num,
                               libxl__vscsi_removal how)
{
    libxl__vscsi_ref ref = { .domid = domid, .devid = ctrl->devid };
    unsigned i, all = (unsigned)ctrl->num_vscsidevs;
    bool whole = num == all, over = true;
    libxl__vscsi_verdict verdict;
    libxl_devid *ids;
    int rc;

    ids = calloc(num + 1, sizeof(*ids));
    if (!ids)
        return libxl__vscsi_out_of_memory(vc);
    for (i = 0; i < num; i++)
        ids[i] = ctrl->vscsidevs[indices[i]].vscsidev_id;
    if (whole)
        rc = close_ctrl(vc, ref, all, how, &over);
    else
        rc = remove_devs(vc, ref, all, ids, num);
    if (!whole)
        libxl__vscsi_show(vc, ref, ctrl->max_segments, &verdict);
    if (!rc)
        let_go(vc, ref, ctrl, indices, num, whole, over);
    free(ids);
    return rc;
}

/* The index in ctrl of each vdev, or of every device. */
static int find_devices(libxl__vscsi_ctx *vc,
                        const libxl_device_vscsictrl *ctrl,
                        const libxl_vscsi_hctl *vdevs, unsigned num,
                        int *indices)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    unsigned i;
    int j;

    for (i = 0; i < num; i++) {
        for (j = 0; j < ctrl->num_vscsidevs; j++)
            if (libxl__vscsi_hctl_equal(&vdevs[i], &ctrl->vscsidevs[j].vdev))
                break;
        if (j == ctrl->num_vscsidevs) {
            libxl__vscsi_hctl_format(&vdevs[i], text);
            libxl__vscsi_error(vc, "the domain has no device %s", text);
            return ERROR_NOTFOUND;
        }
        indices[i] = j;
    }
    return 0;
}

static int detach_recorded(libxl__vscsi_ctx *vc, uint32_t domid,
                           const libxl_device_vscsictrl *ctrl,
                           const libxl_vscsi_hctl *vdevs, unsigned num,
                           libxl__vscsi_removal how)
{
    unsigned i, found = num ? num : (unsigned)ctrl->num_vscsidevs;
    int *indices;
    int rc = 0;

    indices = calloc(found + 1, sizeof(*indices));
    if (!indices)
        return libxl__vscsi_out_of_memory(vc);
    for (i = 0; i < found; i++)
        indices[i] = (int)i;
    rc = find_devices(vc, ctrl, vdevs, num, indices);
    if (!rc)
        rc = libxl__vscsi_detach_locked(vc, domid, ctrl, indices, found,
                                        how);
    free(indices);
    return rc;
}

static void say_what(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                     const libxl_vscsi_hctl *vdevs, unsigned num)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    if (num)
        libxl__vscsi_hctl_format(vdevs, text);
    else
        snprintf(text, sizeof(text), "vscsictrl %d", ref.devid);
    libxl__vscsi_doing(vc, "detach", text, ref.domid);
}

/* A place that has no device because it was not there when the domain
 * started: it is expected no more. */
static bool lacks_place(libxl__vscsi_ctx *vc, uint32_t domid,
                        const libxl_device_vscsictrl *ctrls, int num_ctrls,
                        const libxl_vscsi_hctl *vdev, int *rc_r)
{
    bool was;
    int i, j;

    for (i = 0; i < num_ctrls; i++)
        for (j = 0; j < ctrls[i].num_vscsidevs; j++)
            if (libxl__vscsi_hctl_equal(&ctrls[i].vscsidevs[j].vdev, vdev))
                return false;
    *rc_r = libxl__vscsi_missing_forget(vc, domid, vdev, &was);
    return *rc_r || was;
}

int libxl__vscsi_detach(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                        const libxl_vscsi_hctl *vdevs, unsigned num,
                        libxl__vscsi_removal how)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc, lock = -1, num_ctrls = 0;

    say_what(vc, ref, vdevs, num);
    rc = libxl__vscsi_lock_domain(vc, ref.domid, &lock);
    if (rc)
        return rc;
    rc = libxl__vscsi_xs_list(vc, ref.domid, ref.devid, &ctrls,
                              &num_ctrls, NULL);
    if (rc)
        goto out;
    if (num && lacks_place(vc, ref.domid, ctrls, num_ctrls, vdevs, &rc))
        goto out;
    if (!num_ctrls || ctrls[0].devid != ref.devid) {  /* -1 lists all */
        libxl__vscsi_error(vc, "the domain has no vscsictrl %d", ref.devid);
        rc = ERROR_NOTFOUND;
        goto out;
    }
    rc = detach_recorded(vc, ref.domid, ctrls, vdevs, num, how);
out:
    libxl_device_vscsictrl_list_free(ctrls, num_ctrls);
    libxl__vscsi_unlock_domain(vc, lock);
    if (rc == ERROR_NOTFOUND)   /* perhaps the call before was killed */
        libxl__vscsi_cleanup(vc);
    return rc;
}

int libxl__vscsi_detach_named(libxl__vscsi_ctx *vc, uint32_t domid,
                              const char *name, libxl__vscsi_removal how)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc, i, j, lock = -1, num = 0;
    libxl_vscsi_hctl vdev;
    bool lacked;

    libxl__vscsi_doing(vc, "detach", name, domid);
    rc = libxl__vscsi_lock_domain(vc, domid, &lock);
    if (rc)
        return rc;
    rc = libxl__vscsi_xs_list(vc, domid, -1, &ctrls, &num, NULL);
    lacked = !rc && libxl__vscsi_hctl_parse(name, &vdev) &&
             lacks_place(vc, domid, ctrls, num, &vdev, &rc);
    if (!rc && !lacked)
        rc = libxl__vscsi_find_named(vc, ctrls, num, name, &i, &j);
    if (!rc && !lacked)
        rc = libxl__vscsi_detach_locked(vc, domid, &ctrls[i], &j, 1, how);
    libxl_device_vscsictrl_list_free(ctrls, num);
    libxl__vscsi_unlock_domain(vc, lock);
    return rc;
}
