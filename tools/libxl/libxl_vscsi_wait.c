/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Time: the one loop over the watch and the clock that drives the
 * handshake's functions.
 *
 * Both drivers end every operation with a write on the backend's side, so
 * its directory alone is watched, and a node is read when an event names
 * it.  The frontend's devices are read once the backend is through; only if
 * they lag behind then (they never do with a kernel that keeps the rules)
 * is the frontend watched as well.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libxl_vscsi_store.h"
#include "libxl_vscsi_wait.h"

#define FIRST_EVENT_MS 1000
/* A connection that breaks makes no event; asking libxenstore whether it is
 * there asks nothing of xenstored. */
#define LOOK_AFTER_MS 100
#define DEVS_PER_BOUND 8
#define TOKEN_SIZE 24

/* What is known of a vscsictrl; VSCSI_UNREAD where an event asks to look. */
typedef struct ctrl_view {
    const libxl__vscsi_wait *w;
    char *backend_path, *frontend_path;
    char backend_token[TOKEN_SIZE], frontend_token[TOKEN_SIZE];
    bool frontend_watched;
    const char *waits_for;      /* in words; NULL: nobody as yet */
    uint64_t since_ms;
    libxl__vscsi_state backend, frontend;
    libxl__vscsi_state *backend_dev, *frontend_dev;
} ctrl_view;

static int set_watch(libxl__vscsi_ctx *vc, const char *path,
                     const char *token)
{
    if (xs_watch(vc->xsh, path, token))
        return 0;
    libxl__vscsi_error(vc, "xenstore: cannot watch %s: %s", path,
                       strerror(errno));
    return ERROR_FAIL;
}

static int watch_frontend(libxl__vscsi_ctx *vc, ctrl_view *view)
{
    int rc;

    if (view->frontend_watched)
        return 0;
    rc = set_watch(vc, view->frontend_path, view->frontend_token);
    view->frontend_watched = !rc;
    return rc;
}

static int view_init(libxl__vscsi_ctx *vc, ctrl_view *view,
                     const libxl__vscsi_wait *w)
{
    unsigned i, num = w->num_devs;

    memset(view, 0, sizeof(*view));
    view->w = w;
    vc->num_waits++;
    snprintf(view->backend_token, TOKEN_SIZE, "b%u", vc->num_waits);
    snprintf(view->frontend_token, TOKEN_SIZE, "f%u", vc->num_waits);
    view->backend = view->frontend = VSCSI_UNREAD;
    view->backend_path = libxl__vscsi_xs_backend_path(w->ref);
    view->frontend_path = libxl__vscsi_xs_frontend_path(w->ref);
    view->backend_dev = calloc(num + 1, sizeof(*view->backend_dev));
    view->frontend_dev = calloc(num + 1, sizeof(*view->frontend_dev));
    if (!view->backend_path || !view->frontend_path ||
        !view->backend_dev || !view->frontend_dev)
        return libxl__vscsi_out_of_memory(vc);
    for (i = 0; i < num; i++)
        view->backend_dev[i] = view->frontend_dev[i] = VSCSI_UNREAD;
    return 0;
}

/* The watches stay, known by their tokens as those of an earlier wait; they
 * end with the handle, and an operation waits a few times at most. */
static void view_dispose(ctrl_view *view)
{
    free(view->backend_path);
    free(view->frontend_path);
    free(view->backend_dev);
    free(view->frontend_dev);
}

/* An event says what may have changed, never what it is now. */
static void note_event(ctrl_view *view, const char *path, const char *token)
{
    bool frontend = !strcmp(token, view->frontend_token);
    libxl_devid dev;
    unsigned i;

    if (!frontend && strcmp(token, view->backend_token))
        return;
    if (!libxl__vscsi_xs_parse_event(frontend ? view->frontend_path
                                              : view->backend_path,
                                     path, &dev))
        return;
    if (dev == -1) {
        view->frontend = VSCSI_UNREAD;
        if (!frontend)
            view->backend = VSCSI_UNREAD;
    }
    for (i = 0; i < view->w->num_devs; i++) {
        if (dev != -1 && view->w->devs[i] != dev)
            continue;
        if (frontend)
            view->frontend_dev[i] = VSCSI_UNREAD;
        else if (dev != -1)
            view->backend_dev[i] = VSCSI_UNREAD;
    }
}

static int lost_xenstore(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_error(vc, "the connection to xenstore broke (does xenstored "
                       "still run?)");
    return ERROR_FAIL;
}

/* *any_r: there were some. */
static int drain_events(libxl__vscsi_ctx *vc, ctrl_view *view, bool *any_r)
{
    char **event;

    *any_r = false;
    while ((event = xs_check_watch(vc->xsh))) {
        note_event(view, event[XS_WATCH_PATH], event[XS_WATCH_TOKEN]);
        free(event);
        *any_r = true;
    }
    return errno == EAGAIN ? 0 : lost_xenstore(vc);
}

static int read_frontend(libxl__vscsi_ctx *vc, ctrl_view *view)
{
    int rc = 0;

    if (view->frontend == VSCSI_UNREAD)
        rc = libxl__vscsi_xs_state(vc, XBT_NULL, view->w->ref, true,
                                   &view->frontend);
    return rc;
}

/* Reads of device i what can matter now, and judges. */
static int judge_dev(libxl__vscsi_ctx *vc, ctrl_view *view, unsigned i,
                     libxl__vscsi_verdict *verdict_r)
{
    libxl__vscsi_op op = view->w->op;
    bool adding = op == VSCSI_ADD_CTRL || op == VSCSI_ADD_DEV;
    int rc = 0;

    if (view->backend == VSCSI_CONNECTED) {
        if (view->backend_dev[i] == VSCSI_UNREAD)
            rc = libxl__vscsi_xs_dev_state(vc, XBT_NULL, view->w->ref,
                                           false, view->w->devs[i],
                                           &view->backend_dev[i]);
        if (!rc && adding && view->backend_dev[i] == VSCSI_CONNECTED &&
            view->frontend_dev[i] == VSCSI_UNREAD)
            rc = libxl__vscsi_xs_dev_state(vc, XBT_NULL, view->w->ref,
                                           true, view->w->devs[i],
                                           &view->frontend_dev[i]);
        if (rc)
            return rc;
    }
    *verdict_r = libxl__vscsi_judge(op, view->backend, view->frontend,
                                    view->backend_dev[i],
                                    view->frontend_dev[i]);
    if (adding && *verdict_r == VSCSI_WAIT_HANDSHAKE &&
        view->backend_dev[i] == VSCSI_CONNECTED &&
        view->frontend_dev[i] != VSCSI_UNREAD)
        rc = watch_frontend(vc, view);
    return rc;
}

/*
 * All devices, the last one first: the backend goes through them in order,
 * so when the last is through, so are the others.
 */
static int judge_all(libxl__vscsi_ctx *vc, ctrl_view *view,
                     libxl__vscsi_verdict *verdict_r, unsigned *culprit_r)
{
    const libxl__vscsi_wait *w = view->w;
    unsigned i;
    int rc = 0;

    if (view->backend == VSCSI_UNREAD)
        rc = libxl__vscsi_xs_state(vc, XBT_NULL, w->ref, false,
                                   &view->backend);
    if (!rc && w->op == VSCSI_SETTLE)
        rc = read_frontend(vc, view);
    if (rc)
        return rc;

    *verdict_r = libxl__vscsi_judge(w->op, view->backend, view->frontend,
                                    VSCSI_UNREAD, VSCSI_UNREAD);
    for (i = w->num_devs; i-- > 0; ) {
        rc = judge_dev(vc, view, i, verdict_r);
        if (rc)
            return rc;
        if (culprit_r)
            *culprit_r = i;
        if (*verdict_r != VSCSI_DONE)
            break;
    }
    return 0;
}

/* A guest looks at its devices one after the other, and each may take its
 * time to answer. */
static uint64_t bound_ms(const libxl__vscsi_ctx *vc,
                         const libxl__vscsi_wait *w,
                         libxl__vscsi_verdict verdict)
{
    unsigned num = w->num_bound ? w->num_bound : w->num_devs;
    uint64_t shares = (num + DEVS_PER_BOUND - 1) / DEVS_PER_BOUND;

    if (w->op == VSCSI_DESTROY_CTRL)
        return vc->timeouts.destroy_ms;
    if (verdict == VSCSI_WAIT_BACKEND)
        return vc->timeouts.backend_ms;
    if (verdict == VSCSI_WAIT_FRONTEND)
        return w->frontend_ms;
    return vc->timeouts.handshake_ms * (shares ? shares : 1);
}

static const char *words_for(libxl__vscsi_op op, libxl__vscsi_verdict verdict)
{
    if (op == VSCSI_DESTROY_CTRL || verdict == VSCSI_WAIT_BACKEND)
        return "dom0's backend driver";
    if (verdict == VSCSI_WAIT_FRONTEND)
        return "the guest's driver";
    return "the guest and dom0's backend driver";
}

/* Until an event comes or the clock has reached end. */
static int wait_event(libxl__vscsi_ctx *vc, ctrl_view *view, uint64_t end)
{
    struct pollfd pfd = { .fd = xs_fileno(vc->xsh), .events = POLLIN };
    uint64_t now;
    bool any;
    int rc;

    for (;;) {
        rc = drain_events(vc, view, &any);
        now = libxl__vscsi_now_ms();
        if (rc || any || now >= end)
            return rc;
        if (view->waits_for)
            libxl__vscsi_say_waiting(vc, view->since_ms, end, "waiting for "
                                     "%s (domain %u), seconds",
                                     view->waits_for,
                                     view->w->ref.domid);
        if (poll(&pfd, 1, end - now > LOOK_AFTER_MS ? LOOK_AFTER_MS
                                                    : (int)(end - now)) < 0 &&
            errno != EINTR) {
            libxl__vscsi_error(vc, "cannot wait for xenstore: %s",
                               strerror(errno));
            return ERROR_FAIL;
        }
        if (pfd.revents & (POLLERR | POLLHUP | POLLNVAL))
            return lost_xenstore(vc);
    }
}

int libxl__vscsi_wait_for(libxl__vscsi_ctx *vc, const libxl__vscsi_wait *w,
                          libxl__vscsi_verdict *verdict_r,
                          unsigned *culprit_r)
{
    uint64_t end, now = libxl__vscsi_now_ms();
    uint64_t start = w->since_ms ? w->since_ms : now;
    libxl__vscsi_verdict verdict = VSCSI_DONE, last = VSCSI_DONE;
    ctrl_view view;
    int rc;

    rc = view_init(vc, &view, w);
    if (!rc)
        rc = set_watch(vc, view.backend_path, view.backend_token);
    if (!rc && w->op == VSCSI_SETTLE)
        rc = watch_frontend(vc, &view);

    /* Setting a watch fires it once: looking before would look twice. */
    if (!rc)
        rc = wait_event(vc, &view, now + FIRST_EVENT_MS);

    while (!rc) {
        rc = judge_all(vc, &view, &verdict, culprit_r);
        if (rc || !libxl__vscsi_is_waiting(verdict))
            break;
        if (verdict != last)
            libxl__vscsi_log(vc, XTL_DETAIL, "vscsictrl %d of domain %u: "
                             "backend is %s: %s", w->ref.devid, w->ref.domid,
                             libxl__vscsi_state_name(view.backend),
                             libxl__vscsi_verdict_name(verdict));
        last = verdict;
        view.waits_for = words_for(w->op, verdict);
        view.since_ms = start;
        end = start + bound_ms(vc, w, verdict);
        if (libxl__vscsi_now_ms() < end) {
            rc = wait_event(vc, &view, end);
        } else if (verdict == VSCSI_WAIT_FRONTEND &&
                   view.frontend == VSCSI_UNREAD) {
            rc = read_frontend(vc, &view);  /* it may have begun */
        } else {
            break;
        }
    }
    view_dispose(&view);
    if (!rc)
        *verdict_r = verdict;
    return rc;
}

/* ----- for two that wait often ----- */

int libxl__vscsi_settle(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                        unsigned num_devs, uint64_t since_ms,
                        bool *settled_r)
{
    libxl__vscsi_wait w = {
        .ref = ref, .op = VSCSI_SETTLE,
        .num_bound = num_devs, .since_ms = since_ms,
    };
    libxl__vscsi_verdict verdict;
    int rc;

    rc = libxl__vscsi_wait_for(vc, &w, &verdict, NULL);
    if (!rc)
        *settled_r = verdict == VSCSI_DONE;
    return rc;
}

int libxl__vscsi_await_unplug(libxl__vscsi_ctx *vc,
                              libxl__vscsi_ref ref, uint64_t since_ms,
                              bool *over_r)
{
    libxl__vscsi_wait w = {
        .ref = ref, .op = VSCSI_DESTROY_CTRL, .since_ms = since_ms,
    };
    libxl__vscsi_verdict verdict;
    int rc;

    rc = libxl__vscsi_wait_for(vc, &w, &verdict, NULL);
    if (!rc)
        *over_r = verdict == VSCSI_DONE;
    return rc;
}
