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

#include "libxl_vscsi_identity.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_unit.c: units ----- */

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

/* Takes one that is all zero. */
void libxl__vscsi_unit_dispose(libxl__vscsi_unit *unit);
/* Does one of its paths go there? */
bool libxl__vscsi_unit_is_at(const libxl__vscsi_unit *unit,
                             const libxl_vscsi_hctl *hctl);

/* libxl_vscsi_links.c: what udev calls them; all zero at first. */
typedef struct libxl__vscsi_links {
    struct libxl__vscsi_link *list;     /* of a node, the best first */
    unsigned num;
    bool complete;
} libxl__vscsi_links;

/*
 * One look at dom0's devices, for one request: what was read once is not
 * read again, however many units are looked for.  All zero at first.
 */
typedef struct libxl__vscsi_dom0 {
    struct libxl__vscsi_seen {
        libxl__vscsi_identity id;
        bool described;         /* else only the WWID is known */
        bool listed;
    } *seen;
    unsigned num;
    bool complete;
    libxl__vscsi_links links;
} libxl__vscsi_dom0;

void libxl__vscsi_dom0_dispose(libxl__vscsi_dom0 *dom0);

/*
 * Failures, of all that look:
 *  ERROR_NOTFOUND  there is no such device, or no path to it that runs
 *  ERROR_INVAL     it is not a SCSI device, or a part of one
 *  ERROR_FAIL      it could not be looked at; nothing is known then
 *  ERROR_NOMEM
 * The reason is logged; where there is a reason_r it goes there instead,
 * for the caller to free.
 */

/* "/dev/..." (any node or link of a SCSI device) or "h:c:t:l".  A path that
 * was named comes first, if it runs. */
int libxl__vscsi_unit_find(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           const char *name, libxl__vscsi_unit *unit_r);
int libxl__vscsi_unit_look(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           const char *name, libxl__vscsi_unit *unit_r,
                           char **reason_r);
/*
 * libxl_vscsi_again.c: the unit that pdev has on record, by its identity if
 * exactly one unit has it, else by the link (/dev/.../by-...) that was
 * given, else where it was, if all that is recorded agrees.
 */
int libxl__vscsi_unit_find_again(libxl__vscsi_ctx *vc,
                                 libxl__vscsi_dom0 *dom0,
                                 const libxl_vscsi_pdev *pdev,
                                 libxl__vscsi_unit *unit_r);
/* All of them, by address; also those of which no path runs. */
int libxl__vscsi_units(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                       libxl__vscsi_unit **units_r, unsigned *num_r);
void libxl__vscsi_units_free(libxl__vscsi_unit *units, unsigned num);

/* Is what paths[0] leads to still that unit?  ERROR_NOTFOUND if not. */
int libxl__vscsi_unit_verify(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_unit *unit);
/* The best name that it has from one boot to the next: a link by-id, else
 * by-path, else its node or address.  free(); NULL when memory ran out. */
char *libxl__vscsi_unit_name(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                             const libxl__vscsi_unit *unit);

/* Is the recorded unit where it was?  Then *path_r, to be disposed of with
 * _path_dispose(), has its nodes, but no state.  Logs nothing. */
bool libxl__vscsi_is_there(libxl__vscsi_ctx *vc,
                           const libxl__vscsi_identity *recorded,
                           libxl__vscsi_path *path_r);
void libxl__vscsi_path_dispose(libxl__vscsi_path *path);
/* Only the device at an address, without a look at other paths to it.
 * Logs nothing. */
int libxl__vscsi_unit_at(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl,
                         libxl__vscsi_unit *unit_r);

/* ----- libxl_vscsi_name.c ----- */

/* The node of what the kernel calls name, in which "!" stands for "/"; free().
 * NULL when memory ran out. */
char *libxl__vscsi_node_of(const char *name);

/* Where a node or an address of dom0's leads, which may be nowhere. */
int libxl__vscsi_name_hctl(libxl__vscsi_ctx *vc, const char *name,
                           libxl_vscsi_hctl *hctl_r, char **reason_r);

/* ----- libxl_vscsi_limits.c ----- */

/* What one command to a device may be at most. */
typedef struct libxl__vscsi_limits {
    unsigned max_sectors_kb, max_segments;
} libxl__vscsi_limits;

/*
 * The addresses of dom0 that pattern fits, ascending; free().  Well-known
 * LUNs, which are no devices, are left out.  ERROR_FAIL, ERROR_NOMEM,
 * logged.
 */
int libxl__vscsi_below(libxl__vscsi_ctx *vc,
                       const libxl__vscsi_pattern *pattern,
                       libxl_vscsi_hctl **hctls_r, unsigned *num_r);

/*
 * Of one path; false if the kernel does not tell (for what is no disk and no
 * CD, it takes an sg node).  Logs nothing.
 */
bool libxl__vscsi_path_limits(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_path *path,
                              libxl__vscsi_limits *limits_r);
/* The smallest over the paths that run; of a unit without paths, which is
 * no SCSI device, there are none. */
bool libxl__vscsi_unit_limits(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_unit *unit,
                              libxl__vscsi_limits *limits_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_DEVICE_H */
