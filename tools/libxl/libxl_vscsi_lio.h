/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the files that know LIO tell each other: libxl_vscsi_modules.c,
 * _lio.c, _lio_stores.c, _leftovers.c, _export.c, _release.c, _unlink.c,
 * _medium.c.
 */
#ifndef LIBXL_VSCSI_LIO_H
#define LIBXL_VSCSI_LIO_H

#include <inttypes.h>

#include "libxl_vscsi_configfs.h"
#include "libxl_vscsi_export.h"

#pragma GCC visibility push(hidden)

/* Below lio_root. */
#define LIO_FABRIC "xen-pvscsi"
/* The HBA of our backstores: beyond the numbers that rtslib gives out. */
#define LIO_OUR_HBA "pscsi_5001405"
#define LIO_OUR_TPG "tpgt_1"
/* The TPG of ours as arguments for a path that begins with TPG_PATH. */
#define TPG_PATH "%s/" LIO_FABRIC "/%s/" LIO_OUR_TPG
#define TPG_ARGS(vc, ours) (vc)->lio_root, (ours)->wwn
#define LUN_PATH TPG_PATH "/lun/lun_%" PRIu64
#define LUN_ARGS(vc, ours) TPG_ARGS(vc, ours), (ours)->hctl.lun

/* ----- libxl_vscsi_modules.c ----- */

/* Runs modprobe; whether it helped shows elsewhere. */
void libxl__vscsi_modprobe(libxl__vscsi_ctx *vc, const char *module);

/* ----- libxl_vscsi_lio.c: what our objects are called ----- */

typedef struct libxl__vscsi_ours {
    libxl_vscsi_hctl hctl;
    char alias[LIBXL__VSCSI_HCTL_SIZE];     /* "h:c:t" */
    char backstore[LIBXL__VSCSI_HCTL_SIZE + 16];
    char wwn[24], nexus[24];                /* derived from h:c:t alone */
} libxl__vscsi_ours;

void libxl__vscsi_ours_name(const libxl_vscsi_hctl *hctl,
                            libxl__vscsi_ours *ours_r);
/* The other way, for a backstore and for a target with its alias (the LUN
 * is 0 then); false if that is not ours. */
bool libxl__vscsi_ours_parse_backstore(const char *name,
                                       libxl_vscsi_hctl *hctl_r);
bool libxl__vscsi_ours_parse_target(const char *wwn, const char *alias,
                                    libxl_vscsi_hctl *hctl_r);
/* "lun_7" */
bool libxl__vscsi_lio_parse_lun(const char *name, uint64_t *lun_r);

/* Of a backstore's info: where a pscsi one is; what an iblock one has. */
bool libxl__vscsi_lio_parse_place(const char *info,
                                  libxl_vscsi_hctl *hctl_r);
bool libxl__vscsi_lio_parse_devnum(const char *info, uint64_t *major_r,
                                   uint64_t *minor_r);
/* Fills in where the device is that the backstore at its path has, and its
 * number.  ERROR_FAIL, ERROR_NOMEM, logged, where that cannot be looked at. */
int libxl__vscsi_lio_read_backstore(libxl__vscsi_ctx *vc,
                                    libxl__vscsi_backstore *store);
/* Is the backstore in directory path pscsi's of the device at hctl? */
bool libxl__vscsi_lio_is_backstore_of(const char *path,
                                      const libxl_vscsi_hctl *hctl);

/* ----- libxl_vscsi_leftovers.c ----- */

/* The HBA that has our backstore: LIO_OUR_HBA, or another one where
 * targetcli restored what it had saved.  To be freed; NULL if none has. */
char *libxl__vscsi_lio_find_hba(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_ours *ours);
/* Is the target that has our name ours?  Without an alias it is one that
 * has not been finished. */
bool libxl__vscsi_lio_target_is_ours(libxl__vscsi_ctx *vc,
                                     const libxl__vscsi_ours *ours);
/* The name of the link of its LUN: "vscsi-5-0"; free().  NULL without. */
char *libxl__vscsi_lio_find_link(libxl__vscsi_ctx *vc,
                                 const libxl__vscsi_ours *ours);

/* ----- libxl_vscsi_release.c ----- */

/* Takes down what no guest was told of, and waits for nothing.  *reason_r,
 * which is NULL before, is why it failed, to be freed; nothing is logged. */
int libxl__vscsi_lio_take_down(libxl__vscsi_ctx *vc,
                               const libxl__vscsi_ours *ours,
                               char **reason_r);

/* ----- libxl_vscsi_unlink.c ----- */

/* One LUN's link, which a process of its own removes. */
typedef struct libxl__vscsi_unlinking {
    char *path;                 /* NULL: there is none */
    char *medium;               /* for _free_medium() then; may be NULL */
    int lock;                   /* goes to the process */
    bool over;
    int r;                      /* then: 0 or an errno */
    int medium_r;               /* and what _free_medium() returned */
} libxl__vscsi_unlinking;

/*
 * Removes the links beside each other, and frees the drives' media, until
 * end_ms.  The kernel waits in unlink() for the commands that go to the LUN,
 * and cannot be interrupted then: what is not over is left behind with its
 * lock, and runs vc->cleaner in the end.
 */
void libxl__vscsi_unlink_luns(libxl__vscsi_ctx *vc,
                              libxl__vscsi_unlinking *list, unsigned num,
                              uint64_t end_ms);

/* ----- libxl_vscsi_medium.c ----- */

/* The sg node of a device that a guest may have locked or reserved: a tape, a
 * changer, a CD; free().  NULL for others, and if it has none. */
char *libxl__vscsi_medium_node(libxl__vscsi_ctx *vc,
                               const libxl_vscsi_hctl *hctl);
/*
 * Lets its medium be taken out, and its reservation go.  Only calls what is
 * allowed after a fork() beside other threads.  0 also where the device knows
 * no such command; -errno; or the sense key with which it refused.
 */
int libxl__vscsi_free_medium(const char *node);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_LIO_H */
