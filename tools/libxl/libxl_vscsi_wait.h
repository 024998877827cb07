/* SPDX-License-Identifier: LGPL-2.1-only */
/* The handshake: libxl_vscsi_fsm.h, and the one loop over watch and clock. */
#ifndef LIBXL_VSCSI_WAIT_H
#define LIBXL_VSCSI_WAIT_H

#include "libxl_vscsi_ctx.h"
#include "libxl_vscsi_fsm.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_wait.c: time ----- */

typedef struct libxl__vscsi_wait {
    libxl__vscsi_ref ref;
    libxl__vscsi_op op;
    const libxl_devid *devs;    /* the N of each dev-N that matters */
    unsigned num_devs;
    unsigned num_bound;         /* the bound is for so many, not num_devs */
    uint64_t since_ms;          /* the bound counts from here; 0: from now */
    unsigned frontend_ms;       /* for a guest to begin to connect */
} libxl__vscsi_wait;

/*
 * Drives libxl__vscsi_judge() over the vscsictrl until it says that the
 * operation is over or its bound has passed.  *verdict_r is then the last
 * verdict: one that still waits means that the bound has passed.
 * *culprit_r, if not NULL, is the index in devs[] of the device that the
 * verdict is about.  ERROR_FAIL: xenstore cannot be read; logged.
 */
int libxl__vscsi_wait_for(libxl__vscsi_ctx *vc, const libxl__vscsi_wait *w,
                          libxl__vscsi_verdict *verdict_r,
                          unsigned *culprit_r);

/*
 * Waits until the ends of a vscsictrl of num_devs devices are at rest.
 * *settled_r says whether they are.  The bound counts from since_ms, so that
 * several waits of one operation share it.
 */
int libxl__vscsi_settle(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                        unsigned num_devs, uint64_t since_ms,
                        bool *settled_r);
/* The frontend is gone or closed: waits until the backend has given the
 * vscsictrl up, as _settle() counts.  *over_r says whether it has. */
int libxl__vscsi_await_unplug(libxl__vscsi_ctx *vc,
                              libxl__vscsi_ref ref, uint64_t since_ms,
                              bool *over_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_WAIT_H */
