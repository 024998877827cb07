/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where devices are in a list of vscsictrls. */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>

#include <libxl_vscsi.h>

#pragma GCC visibility push(hidden)

/* Is there a device at vdev in ctrls[]? */
bool places_have(const libxl_device_vscsictrl *ctrls, int num,
                 const libxl_vscsi_hctl *vdev);

#pragma GCC visibility pop

#endif /* PLACES_H */
