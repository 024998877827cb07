/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For a build inside Xen's tree, where it comes before anything else: what
 * the functions that libxl generates do differently from ours, in one place.
 * This project's own build does without; tests/unit/test-tree.sh compiles
 * the libraries by it.
 */
#ifndef LIBXL_VSCSI_TREE_H
#define LIBXL_VSCSI_TREE_H

#define LIBXL_VSCSI_TYPES_H             /* these are in _libxl_types.h */
#include "libxl_internal.h"

/* Without memory, libxl ends the process. */
#define libxl_vscsi_pdev_copy(ctx, dst, src) \
    (libxl_vscsi_pdev_copy(ctx, dst, src), 0)
#define libxl_device_vscsidev_copy(ctx, dst, src) \
    (libxl_device_vscsidev_copy(ctx, dst, src), 0)
#define libxl_device_vscsictrl_copy(ctx, dst, src) \
    (libxl_device_vscsictrl_copy(ctx, dst, src), 0)
/* Changes nothing, and takes no const. */
#define libxl_device_vscsictrl_to_json(ctx, p) \
    libxl_device_vscsictrl_to_json(ctx, (libxl_device_vscsictrl *)(p))

#endif /* LIBXL_VSCSI_TREE_H */
