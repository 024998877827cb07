/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices that a domain started without; failures are logged. */
#ifndef LIBXL_VSCSI_MISSING_H
#define LIBXL_VSCSI_MISSING_H

#include "libxl_vscsi_ctx.h"

#pragma GCC visibility push(hidden)

/* One vscsictrl for each device, in the order of their vdevs. */
int libxl__vscsi_missing_list(libxl__vscsi_ctx *vc, uint32_t domid,
                              libxl_device_vscsictrl **ctrls_r, int *num_r);
/* *was_r: there was one of that place. */
int libxl__vscsi_missing_forget(libxl__vscsi_ctx *vc, uint32_t domid,
                                const libxl_vscsi_hctl *vdev, bool *was_r);
/* Of a domain that has ended. */
int libxl__vscsi_missing_end(libxl__vscsi_ctx *vc, uint32_t domid);
/* May a domain begin without it? */
bool libxl__vscsi_may_lack(const libxl_device_vscsidev *dev);
/* Contract as libxl_vscsi.h. */
int libxl__vscsi_config_list(libxl__vscsi_ctx *vc, uint32_t domid,
                             libxl_device_vscsictrl **ctrls_r, int *num_r);
int libxl__vscsi_take_missing(libxl__vscsi_ctx *vc, uint32_t domid,
                              libxl_device_vscsictrl *ctrls, int *num,
                              bool restarts);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_MISSING_H */
