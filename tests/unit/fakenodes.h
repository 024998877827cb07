/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The devices of a dom0 that there is none of: their directories in sysfs,
 * and stat() and open() of their nodes, for a program that this is linked
 * into.
 */
#ifndef TESTS_FAKENODES_H
#define TESTS_FAKENODES_H

#include <stdbool.h>

typedef struct fakenodes_device {
    const char *name;           /* the kernel's: "sdb", "2:0:0:1" */
    const char *subsystem;
    const char *devtype;        /* or NULL */
    const char *parent;         /* its name, or NULL */
    unsigned major, minor;      /* 0, 0: no node /dev/NAME */
    const char *attrs[16];      /* name, value, ..., NULL */
} fakenodes_device;

/* The table stays the caller's.  /sys is the directory sys then, in which
 * each SCSI device has its children by their classes, until _stop. */
void fakenodes_start(const char *sys, const fakenodes_device *devices,
                    unsigned num);
void fakenodes_stop(void);
/* Opening node exclusively, or one of a character device: EBUSY. */
void fakenodes_hold(const char *node);

#endif /* TESTS_FAKENODES_H */
