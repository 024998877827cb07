/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Plays the part of the header of that name in Xen's tree, for what our
 * sources see of it: the types from the IDL, with functions as libxl
 * generates them, and names that are taken there.
 */
#ifndef LIBXL_INTERNAL_H
#define LIBXL_INTERNAL_H

#include <libxl.h>

#define libxl_vscsi_pdev_copy           ours_pdev_copy
#define libxl_device_vscsidev_copy      ours_vscsidev_copy
#define libxl_device_vscsictrl_copy     ours_vscsictrl_copy
#define libxl_device_vscsictrl_to_json  ours_vscsictrl_to_json
#undef LIBXL_VSCSI_TYPES_H
#include "_libxl_vscsi_types.h"
#undef libxl_vscsi_pdev_copy
#undef libxl_device_vscsidev_copy
#undef libxl_device_vscsictrl_copy
#undef libxl_device_vscsictrl_to_json

void libxl_vscsi_pdev_copy(libxl_ctx *ctx, libxl_vscsi_pdev *dst,
                           const libxl_vscsi_pdev *src);
void libxl_device_vscsidev_copy(libxl_ctx *ctx, libxl_device_vscsidev *dst,
                                const libxl_device_vscsidev *src);
void libxl_device_vscsictrl_copy(libxl_ctx *ctx, libxl_device_vscsictrl *dst,
                                 const libxl_device_vscsictrl *src);
char *libxl_device_vscsictrl_to_json(libxl_ctx *ctx,
                                     libxl_device_vscsictrl *p);

typedef struct libxl__gc libxl__gc;
typedef struct libxl__egc libxl__egc;
typedef struct libxl__ao libxl__ao;
typedef struct libxl__device libxl__device;
#define CTX ((libxl_ctx *)0)
#define GC_INIT(ctx) int gc_
#define LOG(level, fmt, ...) ((void)0)
#define LOGD(level, domid, fmt, ...) ((void)0)
#define GCSPRINTF(fmt, ...) ((char *)0)
#define STR_ERROR "error"
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ROUNDUP(v, order) (((v) + (1UL << (order)) - 1) >> (order) << (order))
#define PCI_DEVFN(slot, func) (((slot) & 0x1f) << 3 | ((func) & 7))

#endif /* LIBXL_INTERNAL_H */
