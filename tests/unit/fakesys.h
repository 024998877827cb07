/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A sysfs in a temporary folder, with SCSI devices that there are not, and
 * nodes in /dev for the program that this is linked into.
 */
#ifndef TESTS_FAKESYS_H
#define TESTS_FAKESYS_H

#include "libxl_vscsi_device.h"

typedef struct fakesys_device {
    const char *hctl;
    const char *type;           /* "0" */
    const char *vendor, *model, *wwid, *serial;     /* NULL: no attribute */
    const char *node;           /* "block/sdb", "scsi_tape/st0", or NULL */
    const char *sg;             /* "sg1", or NULL */
    const char *state;          /* NULL: running */
} fakesys_device;

extern char fakesys_root[64];
extern char fakesys_said[4096]; /* warnings and errors, one after the other */
extern libxl__vscsi_ctx fakesys_vc;

int fakesys_set_up(void **state);
int fakesys_tear_down(void **state);

/* The nodes get device numbers, and the links that name them. */
void fakesys_add(const fakesys_device *device);
/* The same behind a USB device with this serial number; NULL: with none. */
void fakesys_add_usb(const fakesys_device *device, const char *serial);
void fakesys_remove(const char *hctl);
/* Something that is no SCSI device, "virtual/block/dm-4" below devices,
 * with a node in /dev; partitions of disks, too. */
void fakesys_add_other(const char *path);
void fakesys_write(const char *path, const char *text);
/* A link in /dev to a node, NULL: no more. */
void fakesys_link(const char *link, const char *node);

#endif /* TESTS_FAKESYS_H */
