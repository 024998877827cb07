/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * SCSI logical units of dom0: what a name means, which paths lead to the
 * same unit, what a unit takes.  From sysfs and /dev; knows neither
 * xenstore nor LIO.
 *
 * A unit is known by its identity.  Nothing else in the tree compares
 * devices.
 */
#ifndef LIBXL_VSCSI_DEVICE_H
#define LIBXL_VSCSI_DEVICE_H

#include "libxl_vscsi_internal.h"

#pragma GCC visibility push(hidden)

#define LIBXL__VSCSI_TYPE_UNKNOWN (-1)

/* ----- identity: pure over data ----- */

typedef struct libxl__vscsi_identity {
    int type;                   /* peripheral device type of SPC; 0 disk */
    char *wwid;                 /* VPD page 83 as sysfs has it; "" without */
    char *serial;               /* VPD page 80, trimmed; "" without */
    char *vendor, *model;       /* trimmed; "" unknown */
    libxl_vscsi_hctl hctl;      /* where it is, or was on record */
    bool has_hctl;
} libxl__vscsi_identity;

/* Is the WWID one that no two units have, by the way it is made? */
bool libxl__vscsi_wwid_is_unique(const libxl__vscsi_identity *id);
/* The same unit, as far as can be told. */
bool libxl__vscsi_same_unit(const libxl__vscsi_identity *a,
                            const libxl__vscsi_identity *b);

/* ----- units ----- */

typedef struct libxl__vscsi_path {
    libxl_vscsi_hctl hctl;
    bool running;               /* neither offline nor being removed */
    char *state;                /* sysfs: "running", "offline", ... */
    char *node;                 /* best for the whole device: "/dev/sdb",
                                   "/dev/st0", "/dev/sg3"; NULL */
    char *sg;                   /* "/dev/sg3"; NULL */
    char *disk;                 /* sysfs directory of its block device;
                                   NULL */
    char *lio_node;             /* what LIO wants as udev_path; NULL */
} libxl__vscsi_path;

typedef struct libxl__vscsi_unit {
    libxl__vscsi_identity id;   /* id.hctl is paths[0].hctl */
    libxl__vscsi_path *paths;   /* the one to use comes first */
    unsigned num_paths;
} libxl__vscsi_unit;

/*
 * Of one path; false if the kernel does not tell (for what is no disk and no
 * CD, it takes an sg node).  Logs nothing.
 */
bool libxl__vscsi_path_limits(libxl__vscsi_ctx *vc,
                              const libxl_vscsi_hctl *hctl,
                              libxl__vscsi_limits *limits_r);

/*
 * One look at dom0's devices, for one request: what was read once is not
 * read again, however many units are looked for.
 */
typedef struct libxl__vscsi_dom0 libxl__vscsi_dom0;

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_DEVICE_H */
