/* SPDX-License-Identifier: LGPL-2.1-only */
/* The handshake as pure functions; see libxl_vscsi_fsm.h. */
#include "libxl_vscsi_fsm.h"

#include <stddef.h>

/* An end that has closed, is closing, or cannot be made sense of. */
static bool has_left(libxl__vscsi_state state)
{
    return state == VSCSI_GONE || state == VSCSI_CLOSING ||
           state == VSCSI_CLOSED || state == VSCSI_BAD;
}

static bool is_connected(libxl__vscsi_state backend,
                         libxl__vscsi_state frontend)
{
    return backend == VSCSI_CONNECTED && frontend == VSCSI_CONNECTED;
}

/* The guest's driver has not begun; the backend scans when it does. */
static bool is_unconnected(libxl__vscsi_state backend,
                           libxl__vscsi_state frontend)
{
    return frontend == VSCSI_INITIALISING &&
           (backend == VSCSI_INITIALISING || backend == VSCSI_INIT_WAIT);
}

/* No driver of dom0 holds the vscsictrl, so no answer has to be waited for. */
static bool is_unheld(libxl__vscsi_state backend)
{
    return backend == VSCSI_GONE || backend == VSCSI_INITIALISING ||
           backend == VSCSI_CLOSED;
}

/* Both ends are through with the vscsictrl for good. */
static bool is_over(libxl__vscsi_state backend, libxl__vscsi_state frontend)
{
    return frontend == VSCSI_GONE &&
           (backend == VSCSI_GONE || backend == VSCSI_CLOSED);
}

static libxl__vscsi_plan plan_devices(libxl__vscsi_state backend,
                                      libxl__vscsi_state frontend,
                                      libxl__vscsi_plan when_left)
{
    if (has_left(backend) || has_left(frontend))
        return when_left;
    if (is_connected(backend, frontend))
        return VSCSI_PLAN_RECONFIGURE;
    if (is_unconnected(backend, frontend))
        return VSCSI_PLAN_NODES;
    return VSCSI_PLAN_WAIT;
}

static libxl__vscsi_plan plan_removal(libxl__vscsi_state backend,
                                      libxl__vscsi_state frontend)
{
    if (is_unheld(backend))
        return VSCSI_PLAN_ERASE;
    if (backend == VSCSI_BAD || has_left(frontend) ||
        frontend == VSCSI_INITIALISING)
        return VSCSI_PLAN_UNPLUG;       /* nobody would answer a 5 */
    if (backend == VSCSI_CLOSING)
        return VSCSI_PLAN_FINISH;
    if (is_connected(backend, frontend))
        return VSCSI_PLAN_CLOSE;
    return VSCSI_PLAN_WAIT;             /* a driver could overwrite the 5 */
}

libxl__vscsi_plan libxl__vscsi_plan_for(libxl__vscsi_op op,
                                        libxl__vscsi_state backend,
                                        libxl__vscsi_state frontend)
{
    switch (op) {
    case VSCSI_ADD_DEV:
        return plan_devices(backend, frontend, VSCSI_PLAN_REFUSE);
    case VSCSI_REMOVE_DEV:
        /* The backend keeps what is mapped until the vscsictrl goes. */
        return is_over(backend, frontend) ? VSCSI_PLAN_NODES
               : plan_devices(backend, frontend, VSCSI_PLAN_UNPLUG);
    case VSCSI_REMOVE_CTRL:
        return plan_removal(backend, frontend);
    case VSCSI_DESTROY_CTRL:
        return is_unheld(backend) ? VSCSI_PLAN_ERASE : VSCSI_PLAN_UNPLUG;
    case VSCSI_SHOW_CTRL:
        /* The backend has written its feature-sg-grant, and does so once. */
        return backend == VSCSI_INIT_WAIT && frontend == VSCSI_INITIALISING
               ? VSCSI_PLAN_SHOW : VSCSI_PLAN_LEAVE;
    case VSCSI_WITHDRAW:
        /* Only the store knows of the 7; the backend is still at its 4. */
        return backend == VSCSI_RECONFIGURING && frontend == VSCSI_CONNECTED
               ? VSCSI_PLAN_WITHDRAW : VSCSI_PLAN_LEAVE;
    case VSCSI_SETTLE:
        return VSCSI_PLAN_LEAVE;
    case VSCSI_ADD_CTRL:
        break;
    }
    return VSCSI_PLAN_NODES;
}

bool libxl__vscsi_dev_is_mapped(libxl__vscsi_state backend_dev)
{
    /* A 5 on a device that is 1 or 6 stays for ever, and if its v-dev was
     * a duplicate it takes the other device away. */
    return backend_dev != VSCSI_GONE && backend_dev != VSCSI_INITIALISING &&
           backend_dev != VSCSI_CLOSED;
}

static libxl__vscsi_verdict judge_addition(libxl__vscsi_state backend,
                                           libxl__vscsi_state frontend,
                                           libxl__vscsi_state backend_dev,
                                           libxl__vscsi_state frontend_dev)
{
    if (has_left(backend) || has_left(frontend))
        return VSCSI_CTRL_CLOSED;
    if (backend == VSCSI_INITIALISING)
        return VSCSI_WAIT_BACKEND;
    if (backend == VSCSI_INIT_WAIT &&
        (frontend == VSCSI_INITIALISING || frontend == VSCSI_UNREAD))
        return VSCSI_WAIT_FRONTEND;
    if (backend != VSCSI_CONNECTED)
        return VSCSI_WAIT_HANDSHAKE;
    if (backend_dev == VSCSI_CLOSED)
        return VSCSI_REFUSED_BY_BACKEND;
    /* The backend's 4 alone does not mean that the guest has the device;
     * it does mean that the frontend has been at 4. */
    if (backend_dev != VSCSI_CONNECTED)
        return VSCSI_WAIT_HANDSHAKE;
    if (frontend_dev == VSCSI_CLOSED)
        return VSCSI_REFUSED_BY_GUEST;
    return frontend_dev == VSCSI_CONNECTED ? VSCSI_DONE
                                           : VSCSI_WAIT_HANDSHAKE;
}

static libxl__vscsi_verdict judge_dev_removal(libxl__vscsi_state backend,
                                              libxl__vscsi_state backend_dev)
{
    if (has_left(backend))
        return VSCSI_DONE;
    if (backend != VSCSI_CONNECTED)
        return VSCSI_WAIT_HANDSHAKE;
    /* 5 after the pass: the backend had nothing under this v-dev. */
    return backend_dev == VSCSI_CLOSED || backend_dev == VSCSI_GONE ||
           backend_dev == VSCSI_CLOSING ? VSCSI_DONE : VSCSI_WAIT_HANDSHAKE;
}

libxl__vscsi_verdict libxl__vscsi_judge(libxl__vscsi_op op,
                                        libxl__vscsi_state backend,
                                        libxl__vscsi_state frontend,
                                        libxl__vscsi_state backend_dev,
                                        libxl__vscsi_state frontend_dev)
{
    bool gone = backend == VSCSI_GONE || backend == VSCSI_CLOSED;

    switch (op) {
    case VSCSI_ADD_CTRL:
    case VSCSI_ADD_DEV:
        return judge_addition(backend, frontend, backend_dev, frontend_dev);
    case VSCSI_REMOVE_DEV:
        return judge_dev_removal(backend, backend_dev);
    case VSCSI_REMOVE_CTRL:
        return gone ? VSCSI_DONE : VSCSI_WAIT_HANDSHAKE;
    case VSCSI_DESTROY_CTRL:
        return gone ? VSCSI_DONE : VSCSI_WAIT_BACKEND;
    case VSCSI_SHOW_CTRL:
        if (has_left(backend) || has_left(frontend))
            return VSCSI_CTRL_CLOSED;
        return backend == VSCSI_INITIALISING ? VSCSI_WAIT_BACKEND
                                             : VSCSI_DONE;
    case VSCSI_SETTLE:
        return has_left(backend) || has_left(frontend) ||
               is_connected(backend, frontend) ||
               is_unconnected(backend, frontend)
               ? VSCSI_DONE : VSCSI_WAIT_HANDSHAKE;
    case VSCSI_WITHDRAW:
        break;
    }
    return VSCSI_DONE;
}

bool libxl__vscsi_is_waiting(libxl__vscsi_verdict verdict)
{
    return verdict == VSCSI_WAIT_BACKEND || verdict == VSCSI_WAIT_FRONTEND ||
           verdict == VSCSI_WAIT_HANDSHAKE;
}

const char *libxl__vscsi_state_name(libxl__vscsi_state state)
{
    static const char *const names[VSCSI_NUM_STATES] = {
        [VSCSI_GONE] = "gone",
        [VSCSI_INITIALISING] = "Initialising",
        [VSCSI_INIT_WAIT] = "InitWait",
        [VSCSI_INITIALISED] = "Initialised",
        [VSCSI_CONNECTED] = "Connected",
        [VSCSI_CLOSING] = "Closing",
        [VSCSI_CLOSED] = "Closed",
        [VSCSI_RECONFIGURING] = "Reconfiguring",
        [VSCSI_RECONFIGURED] = "Reconfigured",
        [VSCSI_BAD] = "unintelligible",
        [VSCSI_UNREAD] = "unread",
    };
    return names[state];
}

const char *libxl__vscsi_op_name(libxl__vscsi_op op)
{
    static const char *const names[VSCSI_NUM_OPS] = {
        [VSCSI_ADD_CTRL] = "add-ctrl",
        [VSCSI_ADD_DEV] = "add-dev",
        [VSCSI_REMOVE_DEV] = "remove-dev",
        [VSCSI_REMOVE_CTRL] = "remove-ctrl",
        [VSCSI_DESTROY_CTRL] = "destroy-ctrl",
        [VSCSI_SHOW_CTRL] = "show-ctrl",
        [VSCSI_WITHDRAW] = "withdraw",
        [VSCSI_SETTLE] = "settle",
    };
    return names[op];
}

const char *libxl__vscsi_plan_name(libxl__vscsi_plan plan)
{
    static const char *const names[] = {
        [VSCSI_PLAN_WAIT] = "wait",
        [VSCSI_PLAN_REFUSE] = "refuse",
        [VSCSI_PLAN_RECONFIGURE] = "reconfigure",
        [VSCSI_PLAN_NODES] = "nodes",
        [VSCSI_PLAN_SHOW] = "show",
        [VSCSI_PLAN_CLOSE] = "close",
        [VSCSI_PLAN_FINISH] = "finish",
        [VSCSI_PLAN_UNPLUG] = "unplug",
        [VSCSI_PLAN_ERASE] = "erase",
        [VSCSI_PLAN_WITHDRAW] = "withdraw",
        [VSCSI_PLAN_LEAVE] = "leave",
    };
    return names[plan];
}

const char *libxl__vscsi_verdict_name(libxl__vscsi_verdict verdict)
{
    static const char *const names[] = {
        [VSCSI_DONE] = "done",
        [VSCSI_WAIT_BACKEND] = "wait-backend",
        [VSCSI_WAIT_FRONTEND] = "wait-frontend",
        [VSCSI_WAIT_HANDSHAKE] = "wait-handshake",
        [VSCSI_REFUSED_BY_BACKEND] = "refused-by-backend",
        [VSCSI_REFUSED_BY_GUEST] = "refused-by-guest",
        [VSCSI_CTRL_CLOSED] = "ctrl-closed",
    };
    return names[verdict];
}
