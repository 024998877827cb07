/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of attach tell each other. */
#ifndef LIBXL_VSCSI_ATTACH_H
#define LIBXL_VSCSI_ATTACH_H

#include "libxl_vscsi_assignment.h"
#include "libxl_vscsi_claim.h"
#include "libxl_vscsi_inuse.h"
#include "libxl_vscsi_store.h"

#pragma GCC visibility push(hidden)

/* One attach, from the lock of the domain to its end. */
typedef struct libxl__vscsi_attaching {
    libxl__vscsi_ref ref;
    libxl_device_vscsictrl *ctrl;
    libxl__vscsi_users users;
    libxl__vscsi_known known;
    const libxl_device_vscsictrl *existing;     /* in users; may be NULL */
    bool uses_lio;
    libxl__vscsi_marks marks;   /* of a domain that gets a new vscsictrl */
    bool exact;                 /* the target and LUN of each are meant */
    libxl__vscsi_claimed *claimed;      /* per device */
    libxl_devid *ids;           /* per device: its N of dev-N */
    libxl__vscsi_p_dev *p_devs;     /* per device: what the backend reads */
    unsigned fits;              /* pages of a command, for all of them */
    bool leaving;               /* the kernel has not let go of ... */
    const libxl_vscsi_hctl *left;   /* this device, or NULL: the vscsictrl */
    libxl__vscsi_plan plan;
} libxl__vscsi_attaching;

/* ----- libxl_vscsi_place.c ----- */

/*
 * Gives each device its place, and finds a->existing: on the vscsictrl that is
 * said; else on the first that fits the devices and has room, or on a new
 * one.  Failures as for libxl_device_vscsictrl_add(), logged.
 */
int libxl__vscsi_place(libxl__vscsi_ctx *vc, libxl__vscsi_attaching *a);
/* Fills in a->p_devs, of devices that were claimed.  ERROR_INVAL, logged. */
int libxl__vscsi_name_devices(libxl__vscsi_ctx *vc,
                              libxl__vscsi_attaching *a);

/* ----- libxl_vscsi_attach_segments.c ----- */

/*
 * Sets ctrl->max_segments of a new vscsictrl, from what its devices take.
 * ERROR_INVAL, logged, where the guest knows more from before.
 */
int libxl__vscsi_attach_segments(libxl__vscsi_ctx *vc,
                                 libxl__vscsi_attaching *a);
/*
 * The same for devices that are added to a vscsictrl, with the plan known and
 * in its transaction: lowers what a guest has not read yet.  ERROR_INVAL,
 * logged, where it has; ERROR_NOT_READY, logged, where that is not known.
 */
int libxl__vscsi_attach_fit(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_attaching *a,
                            libxl__vscsi_state backend);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_ATTACH_H */
