/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From what a request names to devices of the domain's: which units, whether
 * it may have them, and how large the commands are that they take.
 */
#ifndef LIBXL_VSCSI_CLAIM_H
#define LIBXL_VSCSI_CLAIM_H

#include "libxl_vscsi_assignment.h"
#include "libxl_vscsi_inuse.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_claim.c: from a name to a device of the domain's ----- */

/* What was claimed for a domain, beside what its pdev says. */
typedef struct libxl__vscsi_claimed {
    bool exported;              /* by us, to be undone by _unclaim */
    bool left_over;             /* exported, and nobody has it on record */
    libxl_vscsi_hctl left;      /* where, then */
    libxl__vscsi_limits limits;
} libxl__vscsi_claimed;

/*
 * Resolves, checks and exports devs[] for vscsictrl, with the host lock held:
 * pdev gets its type and identity, claimed[i], zeroed before, the rest.
 * _unclaim undoes it if the domain does not get them.
 * Failures are those of libxl_device_vscsictrl_add(), logged, and undone;
 * but nothing is logged of a device that is left over: see _clean().
 */
int libxl__vscsi_claim(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                       libxl__vscsi_known *known, bool uses_lio,
                       libxl__vscsi_ref ref,
                       libxl_device_vscsidev *devs, int num,
                       libxl__vscsi_claimed *claimed);
/* Puts on record which unit it is.  ERROR_NOMEM, logged. */
int libxl__vscsi_set_hctl(libxl__vscsi_ctx *vc, libxl_vscsi_pdev *pdev,
                          const libxl__vscsi_unit *unit);
/* Could domid (0: users->vm) claim it?  Exports nothing.  Failures as
 * above. */
int libxl__vscsi_claim_check(libxl__vscsi_ctx *vc,
                             libxl__vscsi_users *users,
                             libxl__vscsi_known *known, bool uses_lio,
                             uint32_t domid, libxl_device_vscsidev *dev,
                             libxl__vscsi_limits *limits_r);
/* Is it there?  Whoever has it. */
int libxl__vscsi_claim_look(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                            bool uses_lio, const libxl_device_vscsidev *dev);
void libxl__vscsi_unclaim(libxl__vscsi_ctx *vc, libxl_device_vscsidev *devs,
                          int num, libxl__vscsi_claimed *claimed);

/* ----- libxl_vscsi_attach_segments.c ----- */

/*
 * A vscsictrl whose commands are limited is hidden from the guest until the
 * backend driver has written its own limit, and that has been lowered: the
 * guest's driver reads it once.  Waits for that and shows it; one that is
 * not hidden is left alone.  An attach that was killed leaves it hidden, so
 * whoever changes a vscsictrl that was there calls this in the end.
 * *verdict_r is VSCSI_DONE, or why it cannot be.
 */
int libxl__vscsi_show(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                      unsigned segments, libxl__vscsi_verdict *verdict_r);

/* ----- libxl_vscsi_assignable.c ----- */

/* libxl_vscsi_assignable_list(), and _lookup() */
int libxl__vscsi_assignable(libxl__vscsi_ctx *vc, bool all,
                            libxl_vscsiunit **units_r, int *num_r);
int libxl__vscsi_lookup(libxl__vscsi_ctx *vc, const char *name,
                        libxl_vscsiunit *unit_r);

/* ----- libxl_vscsi_expand.c: all devices of a place ----- */

/*
 * Puts into ctrl, in the place of each device that is several, those that
 * are there, target for target and LUN for LUN.  The host lock must be held.
 * Each that domid cannot have is logged, and is ERROR_DEVICE_EXISTS; with
 * but_used, it is left out.  ERROR_NOTFOUND, ERROR_INVAL: there are none,
 * or one has no place on a vscsictrl.
 */
int libxl__vscsi_expand(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                        libxl__vscsi_known *known, bool uses_lio,
                        uint32_t domid,
                        libxl_device_vscsictrl *ctrl, bool but_used);
/* libxl_vscsi_expand() */
int libxl__vscsi_expand_now(libxl__vscsi_ctx *vc, uint32_t domid,
                            libxl_device_vscsictrl *ctrl, bool but_used);

/* ----- libxl_vscsi_segments.c: how large a guest's command may be ----- */

/* How many pages a guest's command may have, at most
 * LIBXL_VSCSI_MAX_SEGMENTS; and what fits into so many, wherever in a page
 * it begins. */
unsigned libxl__vscsi_segments_of(const libxl__vscsi_limits *limits);
unsigned libxl__vscsi_kb_of(unsigned segments);
/* Of num devices: which takes the least. */
int libxl__vscsi_smallest(const libxl__vscsi_claimed *claimed, int num);
/* What a new vscsictrl with these devices tells the guest; warns of devices
 * that take less than any guest's driver sends. */
unsigned libxl__vscsi_choose_segments(libxl__vscsi_ctx *vc,
                                      const libxl_device_vscsictrl *ctrl,
                                      const libxl__vscsi_claimed *claimed);
/* Does a device take what the guest has been told, which is no less than
 * its driver always sends?  ERROR_INVAL, logged with what to do about it. */
int libxl__vscsi_check_segments(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_limits *limits,
                                libxl_devid devid, unsigned told,
                                const char *advice);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_CLAIM_H */
