/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Stands in for what looks for units in dom0 and for libxl_vscsi_lio.c, so
 * that the rest of the library can be tested without SCSI devices and
 * without LIO.
 *
 * dom0 has the disks 3:0:T:L for T and L from 0 to 31, each with one path;
 * /dev/fake-T-L is 3:0:T:L, its serial number "fake-T-L", and its WWID
 * "naa.5000fa4eTTTTLLLL" in hexadecimal digits.  Thread-safe.
 */
#ifndef TESTS_STORE_FAKEHOST_H
#define TESTS_STORE_FAKEHOST_H

#include <stdbool.h>
#include <stdint.h>

/* Forgets everything, at the start of a test. */
void fakehost_reset(void);
/* The kernel has a backend for the vscsictrl; else it has none.  Up to 8. */
void fakehost_add_backend(uint32_t domid, int devid);
void fakehost_remove_backends(void);
/* dom0 holds the device ("3:0:0:0"): attaching it is refused. */
void fakehost_hold(const char *hctl);
/* It takes this at most; else more than a guest ever sends.  Up to 8. */
void fakehost_set_limits(const char *hctl, uint32_t max_sectors_kb,
                         uint32_t max_segments);
/* dom0 has no device there, until _plug. */
void fakehost_unplug(const char *hctl);
void fakehost_plug(const char *hctl);
/* Exporting the device fails. */
void fakehost_break_export(const char *hctl);
/* The kernel does not let go of it, until _unstick. */
void fakehost_stick(const char *hctl);
void fakehost_unstick(const char *hctl);
/* Another device comes to its address just after it was exported. */
void fakehost_replace(const char *hctl);
/* An admin's target, "naa.6001405000000001:0", exists. */
void fakehost_add_target(const char *wwn);
/* What the targets' backstores call their device; NULL, as at first: they
 * have none.  Not copied. */
void fakehost_set_target_device(const char *name);
/* The one backstore of all targets; NULL, as at first: each has its own.
 * Not copied. */
void fakehost_set_backstore(const char *name);
/* Devices that are exported and not released again, and which. */
unsigned fakehost_num_exported(void);
bool fakehost_is_exported(const char *hctl);

#endif /* TESTS_STORE_FAKEHOST_H */
