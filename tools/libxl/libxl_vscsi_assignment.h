/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which domain has which SCSI device of dom0, by what is on record, and who
 * may have it beside another.
 */
#ifndef LIBXL_VSCSI_ASSIGNMENT_H
#define LIBXL_VSCSI_ASSIGNMENT_H

#include "libxl_vscsi_index.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_users.c: what is on record ----- */

typedef struct libxl__vscsi_users {
    libxl__vscsi_index index;   /* empty where all have been read */
    const uint32_t *one;        /* only what this domain has counts */
    struct libxl__vscsi_user {
        uint32_t domid;
        libxl_device_vscsictrl *ctrls;
        int num_ctrls;
        bool exists;            /* else it was destroyed, and left something */
    } *users;
    int num_users;
    bool incomplete;            /* not all that .unreadable has is known */
    uint32_t unreadable;
    const char *vm;             /* who asks, where it is no domain yet */
} libxl__vscsi_users;

/*
 * What is on record of all domains.  The caller disposes of *users_r, which
 * must have been zeroed, whatever is returned; so of _open().
 */
int libxl__vscsi_users_read(libxl__vscsi_ctx *vc,
                            libxl__vscsi_users *users_r);
/* The same of one domain alone, which stays the caller's. */
int libxl__vscsi_users_read_one(libxl__vscsi_ctx *vc,
                                libxl__vscsi_users *users_r,
                                const uint32_t *domid);
/* By the index, may a domain that was not read have a device at hctl? */
bool libxl__vscsi_users_lead_on(const libxl__vscsi_users *users,
                                const libxl_vscsi_hctl *hctl);
/* Removes the nodes that destroyed domains left, of users who have all been
 * read, and mends the index.  The host lock must be held. */
int libxl__vscsi_users_sweep(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_users *users);

/*
 * Instead of _read(): the index, and then only the records that it leads to.
 * ERROR_FAIL, logged, if not all of the index is understood.
 */
int libxl__vscsi_users_open(libxl__vscsi_ctx *vc, libxl__vscsi_users *users);
/* Reads what a domain has; what may have the device. */
int libxl__vscsi_users_load(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                            uint32_t domid);
int libxl__vscsi_users_find(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                            const libxl_vscsi_pdev *pdev);
/* What the domain has is never read.  Has it anything? */
bool libxl__vscsi_users_skip(libxl__vscsi_users *users, uint32_t domid);
void libxl__vscsi_users_dispose(libxl__vscsi_users *users);
bool libxl__vscsi_users_has(const libxl__vscsi_users *users,
                            libxl__vscsi_ref ref);
/* The devices of dom0 that they have by address; free(). */
int libxl__vscsi_users_devices(libxl__vscsi_ctx *vc,
                               const libxl__vscsi_users *users,
                               libxl_vscsi_hctl **used_r, unsigned *num_r);

/* ----- libxl_vscsi_letgo.c: what nobody has any more ----- */

/* Waits until end_ms for dom0's kernel to let go of a vscsictrl without nodes.
 * False if it does not, or that cannot be seen. */
bool libxl__vscsi_await_backend(libxl__vscsi_ctx *vc,
                                libxl__vscsi_ref ref, uint64_t end_ms);

/*
 * Lets go of what was exported for devices that domid had, and that no other
 * domain has by now: num of devs[], by indices[] if that is not NULL.  Takes
 * the host lock, but not for as long as LIO takes.  Until end_ms; what has
 * not gone is for _cleanup.  Failures as for _lio_let_go, logged as
 * warnings.
 */
int libxl__vscsi_release_unused(libxl__vscsi_ctx *vc, uint32_t domid,
                                const libxl_device_vscsidev *devs,
                                const int *indices, unsigned num,
                                uint64_t end_ms);

/* Exported devices that nobody has, but that dom0's kernel has not let go
 * of; free().  Looks only, and needs no lock. */
int libxl__vscsi_held_devices(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_users *users,
                              libxl_vscsi_hctl **hctls_r, unsigned *num_r);

/*
 * Removes what is left in LIO, and in xenstore, for devices that nobody has;
 * in LIO only that of hctl, if it is not NULL.  Waits until end_ms.
 * ERROR_NOT_READY, logged at level: not all of it could go.
 */
int libxl__vscsi_clean(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl,
                       uint64_t end_ms, xentoollog_level level);
/* libxl_vscsi_cleanup(), and _cleanup_domain() */
int libxl__vscsi_cleanup(libxl__vscsi_ctx *vc);
int libxl__vscsi_cleanup_domain(libxl__vscsi_ctx *vc, uint32_t domid);

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

/* ERROR_FAIL, logged, if some domain's record cannot be read: it may have
 * anything. */
int libxl__vscsi_users_complete(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_users *users);

/*
 * ERROR_DEVICE_EXISTS, logged, if a domain has dev's device and does not
 * share it with domid (0: users->vm); ERROR_FAIL, logged, if that is not
 * known, because some record cannot be read.
 */
int libxl__vscsi_users_check(libxl__vscsi_ctx *vc,
                             libxl__vscsi_users *users,
                             uint32_t domid,
                             const libxl_device_vscsidev *dev,
                             libxl__vscsi_shared *shared_r);
/* The same address of dom0, or the same LIO target. */
bool libxl__vscsi_same_path(const libxl_vscsi_pdev *a,
                            const libxl_vscsi_pdev *b);

/* ----- libxl_vscsi_named.c: what a name means ----- */

/*
 * Which of a domain's vscsictrls and devices name means: a vdev, or any name
 * of a physical device.  *ctrl_r and *dev_r are undefined on failure.
 * ERROR_NOTFOUND: none; ERROR_INVAL: several, or one that has changed;
 * logged.
 */
int libxl__vscsi_find_named(libxl__vscsi_ctx *vc,
                            const libxl_device_vscsictrl *ctrls, int num,
                            const char *name, int *ctrl_r, int *dev_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_ASSIGNMENT_H */
