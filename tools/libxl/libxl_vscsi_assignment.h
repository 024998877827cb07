/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which domain has which SCSI device of dom0, by what is on record, and who
 * may have it beside another.
 */
#ifndef LIBXL_VSCSI_ASSIGNMENT_H
#define LIBXL_VSCSI_ASSIGNMENT_H

#include "libxl_vscsi_internal.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_users.c: what is on record ----- */

struct libxl__vscsi_users {
    struct libxl__vscsi_user {
        uint32_t domid;
        libxl_device_vscsictrl *ctrls;
        int num_ctrls;
    } *users;
    int num_users;
    bool foreign;               /* the vhost asked about is not ours */
    bool incomplete;            /* not all that .unreadable has is known */
    uint32_t unreadable;
    const char *vm;             /* who asks, where it is no domain yet */
};

/*
 * Reads every domain's record and removes on the way what destroyed
 * domains left, in xenstore and, with uses_lio, in LIO.  The host lock
 * must be held.  vhost, if not NULL, is asked about for users_r->foreign.
 * The caller disposes of *users_r, which must have been zeroed, whatever
 * is returned.
 */
int libxl__vscsi_users_scan(libxl__vscsi_ctx *vc, bool uses_lio,
                            const libxl__vscsi_vhost *vhost,
                            libxl__vscsi_users *users_r);
/* The same without a lock, for who only looks: removes nothing. */
int libxl__vscsi_users_read(libxl__vscsi_ctx *vc,
                            libxl__vscsi_users *users_r);
void libxl__vscsi_users_dispose(libxl__vscsi_users *users);

/*
 * Waits, up to destroy_ms, until dom0's kernel has given up the backends
 * that have no node in xenstore any more: only then no guest can reach
 * what LIO exports.  False if one is left.  What users has on record, if
 * that is not NULL, counts as having its node.
 */
bool libxl__vscsi_backends_gone(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_users *users);

/*
 * Releases what was exported for devices that domid had, and that no other
 * domain has: num of devs[], by indices[] if that is not NULL; with all,
 * then whatever nobody uses, as libxl__vscsi_cleanup() does.  Between the
 * moment at which they went out of domid's record and this call, one may
 * have got them.  Takes the host lock, and waits as _backends_gone does.
 * What is left is for a later scan.  Failures as for _lio_release, logged.
 */
int libxl__vscsi_release_unused(libxl__vscsi_ctx *vc, uint32_t domid,
                                const libxl_device_vscsidev *devs,
                                const int *indices, unsigned num, bool all);

/* libxl_vscsi_cleanup() */
int libxl__vscsi_cleanup(libxl__vscsi_ctx *vc);

/* ----- libxl_vscsi_assignment.c: who may have it ----- */

/* How an assignment that is on record stands to one that is asked for of
 * the same device. */
typedef struct libxl__vscsi_relation {
    bool same_domain, same_path;
    bool same_vm;               /* another domain with the same uuid */
    bool both_may_run;
    bool theirs_shareable, ours_shareable;
} libxl__vscsi_relation;

/* NULL: it may be given all the same; else what to do about it. */
const char *libxl__vscsi_why_not(const libxl__vscsi_relation *r);

/* Those who have a unit already, and share it. */
typedef struct libxl__vscsi_shared {
    bool by_guests;
    bool exported;              /* one has it by the same path */
} libxl__vscsi_shared;

/*
 * ERROR_DEVICE_EXISTS, logged, if a domain has dev's device and does not
 * share it with domid (0: users->vm); ERROR_FAIL, logged, if that is not
 * known, because some record cannot be read.
 */
int libxl__vscsi_users_check(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_users *users,
                             uint32_t domid,
                             const libxl_device_vscsidev *dev,
                             libxl__vscsi_shared *shared_r);
/* The same address of dom0, or the same LIO target. */
bool libxl__vscsi_same_path(const libxl_vscsi_pdev *a,
                            const libxl_vscsi_pdev *b);

/* ----- libxl_vscsi_named.c: what a name means ----- */

/*
 * Which of a domain's vhosts and devices name means: a vdev, or any name of
 * a physical device.  *ctrl_r and *dev_r are undefined on failure.
 * ERROR_NOTFOUND: none; ERROR_INVAL: several, or one that has changed;
 * logged.
 */
int libxl__vscsi_find_named(libxl__vscsi_ctx *vc,
                            const libxl_device_vscsictrl *ctrls, int num,
                            const char *name, int *ctrl_r, int *dev_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_ASSIGNMENT_H */
