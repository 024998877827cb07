/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is done for a caller of libxl_vscsi.h, in which order, under which
 * lock. */
#ifndef LIBXL_VSCSI_OPERATIONS_H
#define LIBXL_VSCSI_OPERATIONS_H

#include "libxl_vscsi_ctx.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_request.c: a request by itself ----- */

/* Fills in and checks what ctrl says about itself.  Looks at nothing
 * else.  ERROR_INVAL, logged. */
int libxl__vscsi_check_ctrl(libxl__vscsi_ctx *vc, uint32_t domid,
                            libxl_device_vscsictrl *ctrl);

/* ----- libxl_vscsi_attach.c, libxl_vscsi_detach.c: the operations ----- */
/* Contracts as libxl_vscsi.h; they run to their end. */

int libxl__vscsi_attach(libxl__vscsi_ctx *vc, uint32_t domid,
                        libxl_device_vscsictrl *ctrl);

typedef enum libxl__vscsi_removal {
    LIBXL__VSCSI_SAFE_REMOVE,
    LIBXL__VSCSI_REMOVE,
    LIBXL__VSCSI_DESTROY,
} libxl__vscsi_removal;

/* num == 0: the whole vscsictrl. */
int libxl__vscsi_detach(libxl__vscsi_ctx *vc, libxl__vscsi_ref ref,
                        const libxl_vscsi_hctl *vdevs, unsigned num,
                        libxl__vscsi_removal how);
/* The one device that name means; see libxl__vscsi_find_named(). */
int libxl__vscsi_detach_named(libxl__vscsi_ctx *vc, uint32_t domid,
                              const char *name, libxl__vscsi_removal how);
/*
 * The same for num devices of the recorded vscsictrl ctrl, given by their
 * index in it, with the domain's lock held.
 */
int libxl__vscsi_detach_locked(libxl__vscsi_ctx *vc, uint32_t domid,
                               const libxl_device_vscsictrl *ctrl,
                               const int *indices, unsigned num,
                               libxl__vscsi_removal how);

/* ----- libxl_vscsi_life.c: a domain as a whole ----- */
/* Contracts as libxl_vscsi.h; vm is "/vm/UUID" or "". */

int libxl__vscsi_check(libxl__vscsi_ctx *vc, const char *vm,
                       const libxl_device_vscsictrl *ctrls, int num);
int libxl__vscsi_resume(libxl__vscsi_ctx *vc, uint32_t domid);
int libxl__vscsi_domain_destroyed(libxl__vscsi_ctx *vc, uint32_t domid,
                                  const libxl_device_vscsictrl *ctrls,
                                  int num);

/* ----- libxl_vscsi_disk.c: the other order ----- */
/* Contract as libxl_vscsi.h. */

int libxl__vscsi_check_disk(libxl__vscsi_ctx *vc, const char *pdev_path);

/* ----- libxl_vscsi_info.c: looking ----- */

/* libxl_vscsiinfo_list() of one domain; only vscsictrl devid if it is not -1,
 * only vdev if it is not NULL. */
int libxl__vscsi_list_infos(libxl__vscsi_ctx *vc, uint32_t domid,
                            libxl_devid devid, const libxl_vscsi_hctl *vdev,
                            libxl_vscsiinfo **infos_r, int *num_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_OPERATIONS_H */
