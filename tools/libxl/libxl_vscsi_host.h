/* SPDX-License-Identifier: LGPL-2.1-only */
/* What finding a SCSI device of dom0 and describing it share. */
#ifndef LIBXL_VSCSI_HOST_H
#define LIBXL_VSCSI_HOST_H

#include <libudev.h>

#include "libxl_vscsi_internal.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_describe.c ----- */

/*
 * Fills in *phys, which is disposed of by the caller, whatever is returned.
 * ERROR_INVAL: its address is none; ERROR_NOMEM.  Logs nothing.
 */
int libxl__vscsi_describe(struct udev_device *scsi, libxl__vscsi_phys *phys);

/* Blanks at the ends go, others become one; what cannot be printed is '?'.
 * In place. */
void libxl__vscsi_tidy(char *text);
/* An attribute, tidied; "" for a missing one; NULL when memory ran out. */
char *libxl__vscsi_tidy_attr(struct udev_device *dev, const char *attr);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_HOST_H */
