/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Addresses of SCSI devices as text.  Strict: the whole string, decimal
 * digits without sign, blanks or leading zeros beyond "0", and in range.
 * Linked into both libraries; hidden in each.
 */
#ifndef LIBXL_VSCSI_ADDR_H
#define LIBXL_VSCSI_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libxl_vscsi.h"

#pragma GCC visibility push(hidden)

/* Room for any "h:c:t:l" with its NUL. */
#define LIBXL__VSCSI_HCTL_SIZE 54
/* What xen-scsiback keeps of a p-dev, without the NUL. */
#define LIBXL__VSCSI_PDEV_MAX 31

/* What a start may wait for a device. */
#define LIBXL__VSCSI_MAX_WAIT_S 3600

/* Exactly len characters.  False leaves *value_r alone. */
bool libxl__vscsi_parse_u64(const char *s, size_t len, uint64_t max,
                            uint64_t *value_r);
bool libxl__vscsi_hctl_parse(const char *s, libxl_vscsi_hctl *hctl_r);
void libxl__vscsi_hctl_format(const libxl_vscsi_hctl *hctl,
                              char text_r[LIBXL__VSCSI_HCTL_SIZE]);
bool libxl__vscsi_hctl_equal(const libxl_vscsi_hctl *a,
                             const libxl_vscsi_hctl *b);
/* Whether one of list[0..num-1] equals hctl. */
bool libxl__vscsi_hctl_among(const libxl_vscsi_hctl *list, unsigned num,
                             const libxl_vscsi_hctl *hctl);
/* Order of vscsictrl, channel, target, LUN: <0, 0, >0. */
int libxl__vscsi_hctl_order(const libxl_vscsi_hctl *a,
                            const libxl_vscsi_hctl *b);

/*
 * Does the name stand for all devices below some place: "8:0:2:*",
 * "/dev/tape/by-path/...:*"?
 */
bool libxl__vscsi_is_wildcard(const char *name);
/* Is that what pdev says, which nothing has been resolved of yet? */
bool libxl__vscsi_is_several(const libxl_vscsi_pdev *pdev);

/* Addresses that begin alike: the first num_fixed numbers of hctl (1 to 3)
 * count, the others are 0. */
typedef struct libxl__vscsi_pattern {
    libxl_vscsi_hctl hctl;
    unsigned num_fixed;
} libxl__vscsi_pattern;

/* "8:*:*:*", "8:0:*:*" or "8:0:2:*". */
bool libxl__vscsi_pattern_parse(const char *s,
                                libxl__vscsi_pattern *pattern_r);
bool libxl__vscsi_pattern_fits(const libxl__vscsi_pattern *pattern,
                               const libxl_vscsi_hctl *hctl);

/* "naa." + 16 hex digits + ":" + decimal LUN.  Any of the outputs may be
 * NULL; *wwn_len_r is the length of the part before the ':'. */
bool libxl__vscsi_wwn_parse(const char *s, size_t *wwn_len_r,
                            uint64_t *lun_r);

/*
 * Why vdev cannot be a guest's address: a text like "target 64 is out of
 * range (0..63)" in buf, or NULL if it can.
 */
const char *libxl__vscsi_vdev_fault(const libxl_vscsi_hctl *vdev,
                                    char *buf, size_t size);

/* What the backend driver calls a device: "8:0:2:1" or "naa...:0". */
typedef char libxl__vscsi_p_dev[LIBXL__VSCSI_PDEV_MAX + 1];

/* The p-dev that a resolved pdev says by itself; false if it has none or it
 * does not fit the backend's buffer. */
bool libxl__vscsi_pdev_format(const libxl_vscsi_pdev *pdev,
                              libxl__vscsi_p_dev p_dev_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_ADDR_H */
