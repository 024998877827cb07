/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The handshake with xen-scsiback and xen-scsifront as pure functions:
 * from what is in the store to what to write next, and to whether it is
 * over.  No I/O, no clock, no memory.  The table "Protocol" of pvscsi.txt
 * says the same, and tests/unit/test-fsm.c holds the two together.
 */
#ifndef LIBXL_VSCSI_FSM_H
#define LIBXL_VSCSI_FSM_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* The state of a vscsictrl's end or of a device at one end. */
typedef enum libxl__vscsi_state {
    VSCSI_GONE = 0,             /* no such node, or xenbus's "unknown" */
    VSCSI_INITIALISING = 1,
    VSCSI_INIT_WAIT = 2,
    VSCSI_INITIALISED = 3,
    VSCSI_CONNECTED = 4,
    VSCSI_CLOSING = 5,
    VSCSI_CLOSED = 6,
    VSCSI_RECONFIGURING = 7,
    VSCSI_RECONFIGURED = 8,
    VSCSI_BAD = 9,              /* a node that says something else */
    VSCSI_UNREAD = 10,          /* not looked at yet */
} libxl__vscsi_state;
#define VSCSI_NUM_STATES 11

typedef enum libxl__vscsi_op {
    VSCSI_ADD_CTRL,             /* a new vscsictrl with its devices */
    VSCSI_ADD_DEV,              /* devices for a vscsictrl that exists */
    VSCSI_REMOVE_DEV,           /* devices of a vscsictrl that keeps others */
    VSCSI_REMOVE_CTRL,          /* a vscsictrl, asking the guest */
    VSCSI_DESTROY_CTRL,         /* a vscsictrl, not asking the guest */
    VSCSI_SHOW_CTRL,            /* let the guest see one that is hidden */
    VSCSI_WITHDRAW,             /* take back a reconfiguration */
    VSCSI_SETTLE,               /* only wait until plans can be made */
} libxl__vscsi_op;
#define VSCSI_NUM_OPS 8

/* What to write, in one transaction with the look at both states. */
typedef enum libxl__vscsi_plan {
    VSCSI_PLAN_WAIT,            /* nothing yet: the ends are busy */
    VSCSI_PLAN_REFUSE,          /* nothing: the vscsictrl is going away */
    VSCSI_PLAN_RECONFIGURE,     /* the devices' nodes, and backend 7 */
    VSCSI_PLAN_NODES,           /* the devices' nodes, and no state */
    VSCSI_PLAN_SHOW,            /* feature-sg-grant; the frontend's state */
    VSCSI_PLAN_CLOSE,           /* online 0, backend 5 */
    VSCSI_PLAN_FINISH,          /* online 0; it is closing already */
    VSCSI_PLAN_UNPLUG,          /* online 0, and no frontend any more */
    VSCSI_PLAN_ERASE,           /* all nodes go */
    VSCSI_PLAN_WITHDRAW,        /* backend 4 again, devices as before */
    VSCSI_PLAN_LEAVE,           /* nothing: the ends have begun */
} libxl__vscsi_plan;

/* How an operation stands after its writes. */
typedef enum libxl__vscsi_verdict {
    VSCSI_DONE,
    VSCSI_WAIT_BACKEND,         /* dom0's driver has not taken notice */
    VSCSI_WAIT_FRONTEND,        /* the guest's driver has not */
    VSCSI_WAIT_HANDSHAKE,       /* both have */
    VSCSI_REFUSED_BY_BACKEND,   /* this device, dev-N state 6 */
    VSCSI_REFUSED_BY_GUEST,     /* this device, frontend's dev-N state 6 */
    VSCSI_CTRL_CLOSED,          /* the vscsictrl closed under the operation */
} libxl__vscsi_verdict;

libxl__vscsi_plan libxl__vscsi_plan_for(libxl__vscsi_op op,
                                        libxl__vscsi_state backend,
                                        libxl__vscsi_state frontend);

/* For removal: must the backend's dev-N be set to 5, or can it just go? */
bool libxl__vscsi_dev_is_mapped(libxl__vscsi_state backend_dev);

/* One device; operations on a whole vscsictrl pass VSCSI_UNREAD twice. */
libxl__vscsi_verdict libxl__vscsi_judge(libxl__vscsi_op op,
                                        libxl__vscsi_state backend,
                                        libxl__vscsi_state frontend,
                                        libxl__vscsi_state backend_dev,
                                        libxl__vscsi_state frontend_dev);

bool libxl__vscsi_is_waiting(libxl__vscsi_verdict verdict);

/* Words for messages and tests: "Connected", "add-ctrl", ... */
const char *libxl__vscsi_state_name(libxl__vscsi_state state);
const char *libxl__vscsi_op_name(libxl__vscsi_op op);
const char *libxl__vscsi_plan_name(libxl__vscsi_plan plan);
const char *libxl__vscsi_verdict_name(libxl__vscsi_verdict verdict);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_FSM_H */
