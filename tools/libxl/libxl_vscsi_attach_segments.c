/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How large a command the guest may send: the part of attach that finds the
 * number, and tells it the guest in time.
 */
#include "libxl_vscsi_attach.h"
#include "libxl_vscsi_wait.h"

/* Of one that is recorded, or was known by the guest before. */
static int check_segments(libxl__vscsi_ctx *vc,
                          const libxl__vscsi_attaching *a,
                          unsigned told, const char *advice)
{
    int i = libxl__vscsi_smallest(a->claimed, a->ctrl->num_vscsidevs);

    libxl__vscsi_doing(vc, "attach", a->ctrl->vscsidevs[i].pdev.p_devname,
                       a->ref.domid);
    return libxl__vscsi_check_segments(vc, &a->claimed[i].limits,
                                       a->ref.devid, told, advice);
}

int libxl__vscsi_attach_segments(libxl__vscsi_ctx *vc,
                                 libxl__vscsi_attaching *a)
{
    libxl_device_vscsictrl *ctrl = a->ctrl;

    a->fits = libxl__vscsi_choose_segments(vc, ctrl, a->claimed);
    if (a->existing)            /* write_body() knows more */
        return 0;
    if (ctrl->max_segments)
        return check_segments(vc, a, ctrl->max_segments, "start the guest "
                              "anew to give it this device");
    ctrl->max_segments = a->fits;
    return 0;
}

static unsigned told_segments(const libxl__vscsi_attaching *a)
{
    return a->existing->max_segments ? a->existing->max_segments
                                     : LIBXL_VSCSI_MAX_SEGMENTS;
}

/*
 * A guest that has not begun to connect, which the transaction has seen,
 * will read what is written now; any other has read it, or may just do so.
 */
int libxl__vscsi_attach_fit(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_attaching *a,
                            libxl__vscsi_state backend)
{
    unsigned told = told_segments(a);
    int rc;

    a->ctrl->max_segments = told;
    if (a->fits >= told)
        return 0;
    if (a->plan != VSCSI_PLAN_NODES) {
        rc = check_segments(vc, a, told, "choose another HOST in VDEV, or "
                            "detach all of this one and attach it with "
                            "segments=N");
        if (!rc && a->ctrl->segments && a->ctrl->segments < told)
            libxl__vscsi_log(vc, XTL_WARN, "segments=%u has no effect: the "
                             "guest connected vscsictrl %d with %u before",
                             a->ctrl->segments, a->ref.devid, told);
        return rc;
    }
    if (backend != VSCSI_INIT_WAIT) {
        libxl__vscsi_error(vc, "dom0's backend driver has not taken vscsictrl "
                           "%d yet (try again)", a->ref.devid);
        return ERROR_NOT_READY;
    }
    a->ctrl->max_segments = a->fits;
    return libxl__vscsi_xs_set_segments(vc, t, a->ref, a->fits);
}

typedef struct showing {
    libxl__vscsi_ref ref;
    unsigned segments;
} showing;

static int show_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl__vscsi_state backend, frontend;
    const showing *s = arg;
    bool hidden;
    int rc;

    rc = libxl__vscsi_xs_is_hidden(vc, t, s->ref, &hidden);
    if (rc || !hidden)
        return rc;
    rc = libxl__vscsi_xs_states(vc, t, s->ref, &backend, &frontend);
    if (rc || libxl__vscsi_plan_for(VSCSI_SHOW_CTRL, backend, frontend) !=
        VSCSI_PLAN_SHOW)
        return rc;
    return libxl__vscsi_xs_show_ctrl(vc, t, s->ref, s->segments);
}

int libxl__vscsi_show(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                      unsigned segments, libxl__vscsi_verdict *verdict_r)
{
    libxl__vscsi_wait w = { .ref = ref, .op = VSCSI_SHOW_CTRL };
    showing s = { .ref = ref, .segments = segments };
    libxl__vscsi_verdict verdict = VSCSI_DONE;
    bool hidden = false;
    int rc = 0;

    if (libxl__vscsi_is_limited(segments))
        rc = libxl__vscsi_xs_is_hidden(vc, XBT_NULL, ref, &hidden);
    if (!rc && hidden) {
        rc = libxl__vscsi_wait_for(vc, &w, &verdict, NULL);
        if (!rc && verdict == VSCSI_DONE)
            rc = libxl__vscsi_xs_transact(vc, show_body, &s);
    }
    if (!rc)
        *verdict_r = verdict;
    return rc;
}
