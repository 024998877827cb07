/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The devices of a dom0 that there is none of: libudev's calls, stat() and
 * open() of device nodes, for a program that this is linked into.
 */
#ifndef TESTS_FAKEUDEV_H
#define TESTS_FAKEUDEV_H

#include <stdbool.h>

typedef struct fakeudev_device {
    const char *name;           /* the kernel's: "sdb", "2:0:0:1" */
    const char *subsystem;
    const char *devtype;        /* or NULL */
    const char *parent;         /* its name, or NULL */
    unsigned major, minor;      /* 0, 0: no node /dev/NAME */
    const char *attrs[16];      /* name, value, ..., NULL */
} fakeudev_device;

/* The table stays the caller's.  /sys is the directory sys then, in which
 * each SCSI device has its children by their classes, until _stop. */
void fakeudev_start(const char *sys, const fakeudev_device *devices,
                    unsigned num);
void fakeudev_stop(void);
/* A link to a node of the table. */
void fakeudev_link(const char *path, const char *node);
/* Opening node exclusively, or one of a character device: EBUSY. */
void fakeudev_hold(const char *node);

#endif /* TESTS_FAKEUDEV_H */
