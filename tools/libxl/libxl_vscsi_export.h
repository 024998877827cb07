/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Exporting devices of dom0 through LIO, and taking that back:
 * libxl_vscsi_export.c, _release.c, _leftovers.c.  What changes anything is
 * called with LIBXL__VSCSI_LOCK_HOST held.
 */
#ifndef LIBXL_VSCSI_EXPORT_H
#define LIBXL_VSCSI_EXPORT_H

#include "libxl_vscsi_device.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_lio.c, _lio_stores.c, _modules.c: LIO ----- */
/* All but _resolve are called with LIBXL__VSCSI_LOCK_HOST held. */

/*
 * Makes sure that dom0 has the backend driver (trying modprobe) and says
 * whether it takes LIO targets (upstream kernels) or h:c:t:l itself.
 * ERROR_FAIL, logged, where a module is missing.
 */
int libxl__vscsi_lio_probe(libxl__vscsi_ctx *vc, bool *uses_lio_r);

/*
 * What is behind target "naa.WWN:LUN": *backstore_r, "iblock_0/vol1", and
 * *name_r, which is "h:c:t:l" where the backstore tells, else its udev_path,
 * NULL for one without.
 * ERROR_NOTFOUND, logged, if there is no such target, LUN or nexus.
 */
int libxl__vscsi_lio_resolve(libxl__vscsi_ctx *vc, const char *wwn,
                             char **backstore_r, char **name_r);

/* A backstore of whatever kind that has a device of dom0. */
typedef struct libxl__vscsi_backstore {
    char *name;                 /* "iblock/mine", as targetcli says */
    char *path;                 /* in configfs */
    bool ours;                  /* by its name: _lio_has() tells */
    bool has_hctl, has_devnum;
    libxl_vscsi_hctl hctl;      /* of pscsi's, and of a whole disk */
    dev_t devnum;               /* of a block device */
} libxl__vscsi_backstore;

/* All of them; ERROR_FAIL, logged, where one cannot be looked at. */
int libxl__vscsi_lio_backstores(libxl__vscsi_ctx *vc,
                                libxl__vscsi_backstore **stores_r,
                                unsigned *num_r);
void libxl__vscsi_backstores_free(libxl__vscsi_backstore *stores,
                                  unsigned num);
/* As _lio_resolve() says it: "pscsi_0/mine".  Points into the store. */
const char *libxl__vscsi_backstore_id(libxl__vscsi_ctx *vc,
                                      const libxl__vscsi_backstore *store);
/*
 * Is the unit exported, by any path, by a target that is not ours?  Then
 * *wwn_r is "naa.WWN:LUN" of it, to be freed, and *store_r the backstore,
 * of stores[]; else both are NULL.
 */
int libxl__vscsi_lio_find_foreign(libxl__vscsi_ctx *vc,
                                  const libxl__vscsi_backstore *stores,
                                  unsigned num,
                                  const libxl__vscsi_unit *unit,
                                  char **wwn_r,
                                  const libxl__vscsi_backstore **store_r);
/* Has one of ours the device at its hctl?  It may be unfinished. */
int libxl__vscsi_lio_has(libxl__vscsi_ctx *vc,
                         const libxl__vscsi_backstore *store, bool *has_r);

/* ----- libxl_vscsi_export.c ----- */

/* What the device at hctl is exported as, "naa.WWN:LUN": a name of a target
 * is there once, an alias may be there twice.  False if it does not fit. */
bool libxl__vscsi_lio_p_dev(const libxl_vscsi_hctl *hctl,
                            libxl__vscsi_p_dev p_dev_r);

/*
 * Makes the _p_dev() of its first path mean the unit to the backend:
 * backstore, target, nexus, alias, LUN.  What is there already from an
 * earlier call is kept.
 * The LUN says for whom it is: owner is the name of a backend, or
 * LIBXL__VSCSI_SHARED where others may come to have it as well.
 * ERROR_DEVICE_EXISTS, ERROR_FAIL, logged; what was made is undone.
 */
#define LIBXL__VSCSI_SHARED "vscsi-shared"
int libxl__vscsi_lio_export(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_unit *unit,
                            const char *owner);

/* ----- libxl_vscsi_release.c ----- */

/*
 * Takes down what _export made for the num devices, side by side, and each
 * target with its last LUN: for devices that no guest has been told of, for
 * LIO waits for what a guest has sent.  0 also if there was nothing.
 * Failures are logged for each; what is left is a leftover.
 */
int libxl__vscsi_lio_release(libxl__vscsi_ctx *vc,
                             const libxl_vscsi_hctl *hctls, unsigned num);
/*
 * The same for devices that a guest had.  The host lock, *lock, is given up
 * while LIO waits for the guest's commands, and the devices have locks of
 * their own meanwhile; after that it is held again, or is -1.  Until end_ms;
 * what has not gone by then goes on by itself, and holds its lock so long.
 * ERROR_NOT_READY: not all has gone; logged, at the given level, for each.
 * What another process lets go of is left to that one; hctls[] and *num are
 * these in the end, and whether a domain has got one of them since must be
 * looked at again.
 */
int libxl__vscsi_lio_let_go(libxl__vscsi_ctx *vc, libxl_vscsi_hctl *hctls,
                            unsigned *num, uint64_t end_ms,
                            xentoollog_level level, int *lock);
/* Says at level that a command to the device has not come back. */
void libxl__vscsi_lio_say_leaving(libxl__vscsi_ctx *vc,
                                  xentoollog_level level,
                                  const libxl_vscsi_hctl *hctl);

/* ----- libxl_vscsi_leftovers.c ----- */

/* Has it a backstore of ours?  So has whatever has a LUN of ours. */
bool libxl__vscsi_lio_is_exported(libxl__vscsi_ctx *vc,
                                  const libxl_vscsi_hctl *hctl);

/* What of ours is exported for a device that nobody has on record. */
typedef struct libxl__vscsi_leftover {
    libxl_vscsi_hctl hctl;      /* the rest by _look_at() */
    bool leaving;               /* somebody lets go of it; the rest is unset */
    bool has_lun;               /* a guest may have been told of it */
    bool has_owner;             /* else several may have had it */
    libxl__vscsi_ref owner;
} libxl__vscsi_leftover;

/* All but the num devices in used[]; free().  ERROR_NOMEM, logged. */
int libxl__vscsi_lio_leftovers(libxl__vscsi_ctx *vc,
                               const libxl_vscsi_hctl *used, unsigned num,
                               libxl__vscsi_leftover **list_r,
                               unsigned *num_r);
/* Looks only, and needs no lock but that of the device, for a moment.
 * ERROR_LOCK_FAIL, logged. */
int libxl__vscsi_lio_look_at(libxl__vscsi_ctx *vc, libxl__vscsi_leftover *l);
/* Removes what no leftover stands for: our HBA, if it is empty. */
void libxl__vscsi_lio_tidy(libxl__vscsi_ctx *vc);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_EXPORT_H */
