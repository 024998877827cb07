/* SPDX-License-Identifier: LGPL-2.1-only */
/* Giving a domain devices: all of them in one handshake, or none. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_attach.h"
#include "libxl_vscsi_missing.h"
#include "libxl_vscsi_operations.h"
#include "libxl_vscsi_wait.h"

#define MAX_ROUNDS 5
/* How often a vscsictrl is offered to a guest within frontend_ms, and how long
 * the guest has to see that it went. */
#define REPLUG_ROUNDS 3
#define REPLUG_PAUSE_MS 200
#define LEAVING_POLL_MS 50

/* ----- which devices, and where ----- */

/* For as many devices as there are now. */
static int make_room(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    size_t num = (size_t)a->ctrl->num_vscsidevs;

    free(a->claimed);
    free(a->ids);
    free(a->p_devs);
    a->claimed = calloc(num, sizeof(*a->claimed));
    a->ids = calloc(num, sizeof(*a->ids));
    a->p_devs = calloc(num, sizeof(*a->p_devs));
    if (a->claimed && a->ids && a->p_devs)
        return 0;
    return libxl__vscsi_out_of_memory(vc);
}

static int expand(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    bool several = false;
    int i;

    for (i = 0; i < a->ctrl->num_vscsidevs; i++) {
        const libxl_device_vscsidev *dev = &a->ctrl->vscsidevs[i];

        several |= libxl__vscsi_is_several(&dev->pdev);
        a->exact |= several || dev->vdev.tgt || dev->vdev.lun;
    }
    return several ? libxl__vscsi_expand(vc, &a->users, &a->known,
                                         a->uses_lio, a->ref.domid,
                                         a->ctrl, false)
                   : 0;
}

/* A new vscsictrl's backend must not be taken for one that is just going. */
static int check_ctrl(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    a->leaving = !libxl__vscsi_await_backend(vc, a->ref, 0);
    return a->leaving ? ERROR_NOT_READY : 0;
}

static void note_left_over(libxl__vscsi_attaching *a)
{
    int i;

    for (i = 0; a->claimed && i < a->ctrl->num_vscsidevs; i++) {
        if (!a->claimed[i].left_over)
            continue;
        a->leaving = true;
        a->left = &a->claimed[i].left;
    }
}

static int claim_devices(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    int rc;

    rc = libxl__vscsi_users_open(vc, &a->users);
    if (!rc)
        rc = libxl__vscsi_users_load(vc, &a->users, a->ref.domid);
    if (!rc)            /* no vscsictrl's place is taken for free either */
        rc = libxl__vscsi_users_complete(vc, &a->users);
    if (!rc)
        rc = expand(vc, a);
    if (!rc)
        rc = make_room(vc, a);
    if (!rc)
        rc = libxl__vscsi_place(vc, a);
    if (!rc && !a->existing)
        rc = check_ctrl(vc, a);
    if (!rc)
        rc = libxl__vscsi_claim(vc, &a->users, &a->known, a->uses_lio,
                                a->ref, a->ctrl->vscsidevs,
                                a->ctrl->num_vscsidevs, a->claimed);
    if (rc)
        note_left_over(a);
    libxl__vscsi_known_dispose(&a->known);
    return rc;
}

static void unclaim_devices(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    libxl__vscsi_unclaim(vc, a->ctrl->vscsidevs, a->ctrl->num_vscsidevs,
                         a->claimed);
}

/* ----- the nodes ----- */

static int note_devices(libxl__vscsi_ctx *vc, xs_transaction_t t,
                        const libxl__vscsi_attaching *a)
{
    return libxl__vscsi_index_add(vc, t, &a->users.index, a->ref,
                                  a->existing, a->ctrl->vscsidevs,
                                  a->ctrl->num_vscsidevs);
}

static int write_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_state backend, frontend;
    libxl__vscsi_attaching *a = arg;
    int rc;

    if (!a->existing) {
        rc = libxl__vscsi_xs_check_domain(vc, t, a->ref.domid, &a->marks);
        a->plan = VSCSI_PLAN_NODES;
        if (!rc)
            rc = libxl__vscsi_xs_add_ctrl(vc, t, a->ref.domid, a->ctrl,
                                          a->p_devs);
        return rc ? rc : note_devices(vc, t, a);
    }
    rc = libxl__vscsi_xs_states(vc, t, a->ref, &backend, &frontend);
    if (rc)
        return rc;
    a->plan = libxl__vscsi_plan_for(VSCSI_ADD_DEV, backend, frontend);
    if (a->plan == VSCSI_PLAN_REFUSE) {
        rc = libxl__vscsi_xs_check_domain(vc, t, a->ref.domid, NULL);
        if (rc)
            return rc;
        libxl__vscsi_error(vc, "vscsictrl %d is closed (backend %s, guest %s; "
                           "detach its devices, then attach again)",
                           a->ref.devid, libxl__vscsi_state_name(backend),
                           libxl__vscsi_state_name(frontend));
        return ERROR_NOT_READY;
    }
    if (a->plan != VSCSI_PLAN_NODES && !libxl__vscsi_domain_answers(vc))
        return libxl__vscsi_refuse_silent(vc);
    if (a->plan == VSCSI_PLAN_WAIT)
        return 0;
    rc = libxl__vscsi_attach_fit(vc, t, a, backend);
    if (rc)
        return rc;
    rc = libxl__vscsi_xs_add_devs(vc, t, a->ref, a->ctrl->vscsidevs,
                                  a->p_devs, a->ctrl->num_vscsidevs);
    if (!rc)
        rc = note_devices(vc, t, a);
    if (!rc && a->plan == VSCSI_PLAN_RECONFIGURE)
        rc = libxl__vscsi_xs_set_state(vc, t, a->ref,
                                       VSCSI_RECONFIGURING);
    return rc;
}

/* The host lock spans everything from who has the device to the record
 * that this domain has it. */
static int claim_and_write(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    int rc, lock = -1;

    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (rc)
        return rc;
    rc = libxl__vscsi_lio_probe(vc, &a->uses_lio);
    if (rc)
        goto out;
    rc = claim_devices(vc, a);
    if (rc)
        goto out;
    rc = libxl__vscsi_name_devices(vc, a);
    if (!rc)
        rc = libxl__vscsi_attach_segments(vc, a);
    if (!rc)
        rc = libxl__vscsi_xs_transact(vc, write_body, a);
    if (rc || a->plan == VSCSI_PLAN_WAIT)
        unclaim_devices(vc, a);
out:
    libxl__vscsi_unlock(lock);
    return rc;
}

/* What the kernel is letting go of, until end_ms. */
static int await_leaving(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a,
                         uint64_t end_ms)
{
    bool over = libxl__vscsi_now_ms() >= end_ms;

    if (!a->left) {
        if (!over && libxl__vscsi_await_backend(vc, a->ref, end_ms))
            return 0;
        libxl__vscsi_error(vc, "dom0's kernel has not let go of the vscsictrl "
                           "%d that the domain had before (choose another, or "
                           "try again later)", a->ref.devid);
        return ERROR_NOT_READY;
    }
    if (over)
        return libxl__vscsi_clean(vc, a->left, end_ms, XTL_ERROR);
    if (libxl__vscsi_clean(vc, a->left, end_ms, XTL_DETAIL))
        libxl__vscsi_pause(LEAVING_POLL_MS);
    return 0;
}

static int write_when_free(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    uint64_t end = libxl__vscsi_now_ms() + vc->timeouts.destroy_ms;
    int rc;

    for (;;) {
        libxl__vscsi_users_dispose(&a->users);
        a->existing = NULL;
        a->leaving = false;
        a->left = NULL;
        rc = claim_and_write(vc, a);
        if (!rc || !a->leaving)
            return rc;
        rc = await_leaving(vc, a, end);
        if (rc)
            return rc;
    }
}

static int write_when_settled(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    uint64_t since = libxl__vscsi_now_ms();
    bool settled = true;
    int rc, round;

    for (round = 0; round < MAX_ROUNDS && settled; round++) {
        rc = write_when_free(vc, a);
        if (rc || a->plan != VSCSI_PLAN_WAIT)
            return rc;
        libxl__vscsi_log(vc, XTL_DETAIL, "vscsictrl %d of domain %u is busy; "
                         "waiting", a->ref.devid, a->ref.domid);
        rc = libxl__vscsi_settle(vc, a->ref,
                                 (unsigned)a->existing->num_vscsidevs, since,
                                 &settled);
        if (rc)
            return rc;
    }
    libxl__vscsi_error(vc, "an earlier change of vscsictrl %d is not "
                       "finished: the guest does not answer", a->ref.devid);
    return ERROR_NOT_READY;
}

/* ----- the end ----- */

static int withdraw_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_state backend, frontend;
    libxl__vscsi_attaching *a = arg;
    int rc;

    rc = libxl__vscsi_xs_states(vc, t, a->ref, &backend, &frontend);
    if (rc)
        return rc;
    a->plan = libxl__vscsi_plan_for(VSCSI_WITHDRAW, backend, frontend);
    if (a->plan != VSCSI_PLAN_WITHDRAW)
        return 0;
    rc = libxl__vscsi_xs_rm_devs(vc, t, a->ref, a->ids,
                                 (unsigned)a->ctrl->num_vscsidevs);
    return rc ? rc : libxl__vscsi_xs_set_state(vc, t, a->ref,
                                               VSCSI_CONNECTED);
}

/* Takes the new devices away again, by the same way as a detach. */
static void roll_back(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a,
                      libxl__vscsi_removal how)
{
    libxl_device_vscsictrl after;
    int *indices;
    int i, num = a->ctrl->num_vscsidevs, rc = ERROR_NOMEM;

    libxl_device_vscsictrl_init(&after);
    indices = calloc((size_t)num, sizeof(*indices));
    if (!indices || libxl_device_vscsictrl_copy(vc->xl, &after, a->ctrl))
        goto out;
    for (i = 0; i < num; i++)
        indices[i] = i;
    for (i = 0; a->existing && i < a->existing->num_vscsidevs; i++) {
        rc = libxl_device_vscsictrl_append_vscsidev(vc->xl, &after,
                                            &a->existing->vscsidevs[i]);
        if (rc)
            goto out;
    }
    rc = libxl__vscsi_detach_locked(vc, a->ref.domid, &after, indices,
                                    (unsigned)num, how);
out:
    if (rc)
        libxl__vscsi_log(vc, XTL_WARN, "vscsictrl %d of domain %u: not "
                         "everything could be undone (see xl scsi-list)",
                         a->ref.devid, a->ref.domid);
    free(indices);
    libxl_device_vscsictrl_dispose(&after);
}

/* Whoever has been silent for so long is not asked once more. */
static int end_timed_out(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    int rc;

    if (!a->existing) {
        libxl__vscsi_error(vc, "the guest did not finish connecting vscsictrl "
                           "%d (its kernel log may say why)", a->ref.devid);
        roll_back(vc, a, LIBXL__VSCSI_DESTROY);
        return ERROR_GUEST_TIMEDOUT;
    }
    rc = libxl__vscsi_xs_transact(vc, withdraw_body, a);
    if (rc)
        return rc;
    libxl__vscsi_error(vc, a->plan == VSCSI_PLAN_WITHDRAW
                       ? "the guest does not answer"
                       : "the guest has begun but does not come to an end; "
                         "the device stays on record (see xl scsi-list, and "
                         "detach it to be rid of it)");
    if (a->plan == VSCSI_PLAN_WITHDRAW)
        libxl__vscsi_release_unused(vc, a->ref.domid, a->ctrl->vscsidevs,
                                    NULL, (unsigned)a->ctrl->num_vscsidevs,
                                    libxl__vscsi_now_ms() +
                                    vc->timeouts.destroy_ms);
    return ERROR_GUEST_TIMEDOUT;
}

static int end_attach(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a,
                      libxl__vscsi_verdict verdict)
{
    switch (verdict) {
    case VSCSI_DONE:
        return 0;
    case VSCSI_WAIT_FRONTEND:
        libxl__vscsi_log(vc, XTL_NOTICE, "domain %u has not connected "
                         "vscsictrl %d yet: its devices appear when the guest "
                         "loads xen-scsifront", a->ref.domid, a->ref.devid);
        return 0;
    case VSCSI_WAIT_HANDSHAKE:
        return end_timed_out(vc, a);
    case VSCSI_WAIT_BACKEND:
        libxl__vscsi_error(vc, "dom0's backend driver does not answer (is "
                           "xen-scsiback loaded?)");
        roll_back(vc, a, LIBXL__VSCSI_DESTROY);
        return ERROR_TIMEDOUT;
    case VSCSI_REFUSED_BY_BACKEND:
        libxl__vscsi_error(vc, "xen-scsiback refused it (dom0's kernel log "
                           "says why)");
        break;
    case VSCSI_REFUSED_BY_GUEST:
        libxl__vscsi_error(vc, "the guest refused it (its kernel log says "
                           "why)");
        break;
    case VSCSI_CTRL_CLOSED:
        libxl__vscsi_error(vc, "vscsictrl %d was closed meanwhile",
                           a->ref.devid);
        break;
    }
    roll_back(vc, a, LIBXL__VSCSI_REMOVE);
    return ERROR_FAIL;
}

/*
 * A guest that has not seen yet that a vscsictrl of this number went takes the
 * new one for the old, and never connects it.  Nothing in the store tells
 * such a guest from one without driver, so the vscsictrl goes once more and
 * comes again, unless the guest has begun meanwhile.
 */
static int unplug_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_state backend, frontend;
    libxl__vscsi_attaching *a = arg;
    int rc;

    rc = libxl__vscsi_xs_states(vc, t, a->ref, &backend, &frontend);
    if (rc)
        return rc;
    a->plan = backend == VSCSI_INIT_WAIT && frontend == VSCSI_INITIALISING
              ? VSCSI_PLAN_UNPLUG : VSCSI_PLAN_LEAVE;
    if (a->plan == VSCSI_PLAN_LEAVE)
        return 0;
    rc = libxl__vscsi_xs_set_offline(vc, t, a->ref);
    return rc ? rc : libxl__vscsi_xs_rm_frontend(vc, t, a->ref);
}

/* All at once: it never goes off the record, where another domain would find
 * the device free. */
static int plug_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_attaching *a = arg;
    int rc;

    rc = libxl__vscsi_xs_rm_ctrls(vc, t, &a->ref, 1);
    return rc ? rc : write_body(vc, t, a);
}

static int plug_again(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    bool over;
    int rc;

    rc = libxl__vscsi_xs_transact(vc, unplug_body, a);
    if (rc || a->plan == VSCSI_PLAN_LEAVE)
        return rc;
    libxl__vscsi_log(vc, XTL_DETAIL, "vscsictrl %d of domain %u: the guest "
                     "does not begin; plugging it once more", a->ref.devid,
                     a->ref.domid);
    rc = libxl__vscsi_await_unplug(vc, a->ref, 0, &over);
    if (rc)
        return rc;
    libxl__vscsi_pause(REPLUG_PAUSE_MS);
    return libxl__vscsi_xs_transact(vc, plug_body, a);
}

static int wait_attached(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    bool waits = !a->existing && libxl__vscsi_domain_answers(vc);
    libxl__vscsi_wait w = {
        .ref = a->ref,
        .op = a->existing ? VSCSI_ADD_DEV : VSCSI_ADD_CTRL,
        .devs = a->ids,
        .num_devs = (unsigned)a->ctrl->num_vscsidevs,
        .frontend_ms = waits ? vc->timeouts.frontend_ms / REPLUG_ROUNDS : 0,
    };
    libxl__vscsi_verdict verdict;
    unsigned culprit = 0, round;
    int rc;

    for (round = 1; ; round++) {
        rc = libxl__vscsi_show(vc, a->ref, a->ctrl->max_segments,
                               &verdict);
        if (!rc && verdict == VSCSI_DONE)
            rc = libxl__vscsi_wait_for(vc, &w, &verdict, &culprit);
        if (rc || verdict != VSCSI_WAIT_FRONTEND || !w.frontend_ms ||
            round == REPLUG_ROUNDS)
            break;
        rc = plug_again(vc, a);
        if (rc)
            break;
    }
    if (rc)
        return rc;
    libxl__vscsi_doing(vc, "attach",
                       a->ctrl->vscsidevs[culprit].pdev.p_devname,
                       a->ref.domid);
    return end_attach(vc, a, verdict);
}

static void warn_of_reboot(libxl__vscsi_ctx *vc, uint32_t domid)
{
    char *name = libxl__vscsi_domain_name(vc, domid);

    libxl__vscsi_log(vc, XTL_WARN, "%s was started by something that knows "
                     "nothing of its SCSI devices: it loses them at its next "
                     "reboot, save or migration (shut it down, and start it "
                     "with this xl)", name ? name : "the domain");
    free(name);
}

/* What has a place now is not missing there. */
static void note_attached(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a)
{
    uint32_t domid = a->ref.domid;
    bool was;
    int i;

    /* A new vscsictrl has asked already. */
    if (a->existing && libxl__vscsi_xs_find_domain(vc, XBT_NULL, domid,
                                                   &a->marks))
        return;
    for (i = 0; a->marks.lacks && i < a->ctrl->num_vscsidevs; i++)
        libxl__vscsi_missing_forget(vc, domid, &a->ctrl->vscsidevs[i].vdev,
                                    &was);
    if (!a->marks.persistent)
        warn_of_reboot(vc, domid);
}

int libxl__vscsi_attach(libxl__vscsi_ctx *vc, uint32_t domid,
                        libxl_device_vscsictrl *ctrl)
{
    libxl__vscsi_attaching a = { .ctrl = ctrl };
    libxl__vscsi_verdict verdict;
    int rc, lock = -1;

    rc = libxl__vscsi_check_ctrl(vc, domid, ctrl);
    if (rc)
        return rc;
    a.ref.domid = domid;
    a.ref.devid = ctrl->devid;
    libxl__vscsi_doing(vc, "attach", ctrl->vscsidevs[0].pdev.p_devname,
                       domid);
    if (!libxl__vscsi_domain_answers(vc) &&
        vc->domain != LIBXL__VSCSI_DOMAIN_PAUSED)
        return libxl__vscsi_refuse_silent(vc);
    rc = libxl__vscsi_lock_domain(vc, domid, &lock);
    if (!rc)
        rc = write_when_settled(vc, &a);
    if (!rc)
        rc = wait_attached(vc, &a);
    else if (a.existing)
        libxl__vscsi_show(vc, a.ref, a.existing->max_segments, &verdict);
    if (!rc)
        note_attached(vc, &a);
    libxl__vscsi_unlock_domain(vc, lock);
    libxl__vscsi_users_dispose(&a.users);
    free(a.claimed);
    free(a.ids);
    free(a.p_devs);
    return rc;
}
