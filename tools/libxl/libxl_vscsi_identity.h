/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a SCSI logical unit is known by, on whatever path.  Nothing else in the
 * tree compares devices.
 */
#ifndef LIBXL_VSCSI_IDENTITY_H
#define LIBXL_VSCSI_IDENTITY_H

#include "libxl_vscsi_ctx.h"

#pragma GCC visibility push(hidden)

#define LIBXL__VSCSI_TYPE_UNKNOWN (-1)

/* ----- libxl_vscsi_identity.c: pure over data ----- */

typedef struct libxl__vscsi_identity {
    int type;                   /* peripheral device type of SPC; 0 disk */
    char *wwid;                 /* VPD page 83 as sysfs has it; "" without */
    char *serial;               /* VPD page 80, trimmed, or of USB; "" none */
    char *vendor, *model;       /* trimmed; "" unknown */
    libxl_vscsi_hctl hctl;      /* where it is, or was on record */
    bool has_hctl;
} libxl__vscsi_identity;

void libxl__vscsi_identity_dispose(libxl__vscsi_identity *id);

/* Is the WWID one that no two units have, by the way it is made? */
bool libxl__vscsi_wwid_is_unique(const libxl__vscsi_identity *id);
/* Can a unit be found by it, wherever it is? */
bool libxl__vscsi_is_findable(const libxl__vscsi_identity *id);
/* The same unit, as far as can be told. */
bool libxl__vscsi_same_unit(const libxl__vscsi_identity *a,
                            const libxl__vscsi_identity *b);
/* Is everything that is on record of a unit so still?  Not its address. */
bool libxl__vscsi_agrees(const libxl__vscsi_identity *recorded,
                         const libxl__vscsi_identity *now);
/* Is it the recorded unit, if that may have another address by now? */
bool libxl__vscsi_is_moved(const libxl__vscsi_identity *recorded,
                           const libxl__vscsi_identity *now);

/* What pdev has on record.  Points into pdev; nothing is to be freed. */
void libxl__vscsi_pdev_identity(const libxl_vscsi_pdev *pdev,
                                libxl__vscsi_identity *id_r);
/* The same unit, or the same export of whatever it may be. */
bool libxl__vscsi_same_pdev(const libxl_vscsi_pdev *a,
                            const libxl_vscsi_pdev *b);
/* What it is known by; how many.  Two that _same_pdev() takes for one have
 * one of these in common, and others hardly ever. */
#define LIBXL__VSCSI_MAX_TRAITS 5
unsigned libxl__vscsi_pdev_traits(const libxl_vscsi_pdev *pdev,
                                  uint64_t traits[LIBXL__VSCSI_MAX_TRAITS]);

/* "ACME Big Disk naa.5000..." for messages; free().  NULL: no memory. */
char *libxl__vscsi_identity_text(const libxl__vscsi_identity *id);
/* "disk", "tape", "changer", "cd", ...: the word for a peripheral type. */
const char *libxl__vscsi_type_name(int type);
/* Blanks at the ends go, others become one; what cannot be printed is '?'.
 * In place. */
void libxl__vscsi_tidy(char *text);
/* Of VPD page 80; "" if it tells none.  free(); NULL when memory ran out. */
char *libxl__vscsi_parse_serial(const unsigned char *page, size_t len);
/* The serial number of a USB device as that of one of its LUNs, "usb:S-t:l";
 * "" of "".  free(); NULL when memory ran out. */
char *libxl__vscsi_usb_serial(const char *serial,
                              const libxl_vscsi_hctl *hctl);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_IDENTITY_H */
