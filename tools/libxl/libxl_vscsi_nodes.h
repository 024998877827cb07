/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Spelling of xenstore, for libxl_vscsi_xs.c (the drivers' nodes) and
 * libxl_vscsi_record.c (the toolstack's own): nobody else knows the name
 * of a node.  Below them libxl_vscsi_store.c, which knows none either.
 */
#ifndef LIBXL_VSCSI_NODES_H
#define LIBXL_VSCSI_NODES_H

#include <yajl/yajl_gen.h>

#include "libxl_vscsi_internal.h"

#pragma GCC visibility push(hidden)

#define NODE_STATE          "state"
#define NODE_BACKEND        "backend"
#define NODE_BACKEND_ID     "backend-id"
#define NODE_FRONTEND       "frontend"
#define NODE_FRONTEND_ID    "frontend-id"
#define NODE_ONLINE         "online"
#define NODE_FEATURE_HOST   "feature-host"
#define NODE_SG_GRANT       "feature-sg-grant"
#define NODE_DEVS           "vscsi-devs"
#define NODE_DEV_PREFIX     "dev-"
#define NODE_P_DEV          "p-dev"
#define NODE_V_DEV          "v-dev"
#define NODE_P_DEVNAME      "p-devname"

#define BACKENDS "/local/domain/0/backend/vscsi"

/* ----- libxl_vscsi_store.c ----- */
/* Each takes path over and frees it: callers pass a fresh string, and NULL
 * is memory that ran out.  Failures are logged. */

int libxl__vscsi_store_failed(libxl__vscsi_ctx *vc, const char *what,
                              const char *path);
int libxl__vscsi_write_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            char *path, const char *value);
/* 0 also where there is no such node. */
int libxl__vscsi_remove_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             char *path);
int libxl__vscsi_remove_if_empty(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 char *path);
/* *names_r is NULL, and 0 returned, where there is no such directory. */
int libxl__vscsi_list_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           char *path, char ***names_r, unsigned *num_r);
/* *value_r is NULL, and 0 returned, where there is no such node. */
int libxl__vscsi_read_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           char *path, char **value_r);

/* A name that is a number, "7", or a prefix and a number, "dev-7". */
bool libxl__vscsi_parse_name(const char *name, const char *prefix,
                             uint64_t max, uint64_t *number_r);

/* ----- libxl_vscsi_record.c ----- */

/* Of a vhost's record, or of tail below it; free(). */
char *libxl__vscsi_record_path(libxl__vscsi_vhost v, const char *tail);
/* Compact JSON; free().  NULL if it cannot be had. */
typedef yajl_gen_status libxl__vscsi_gen_fn(yajl_gen gen, const void *p);
char *libxl__vscsi_record_text(libxl__vscsi_gen_fn *fn, const void *p);

/* Without its devices. */
int libxl__vscsi_record_options(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_vhost v,
                                const libxl_device_vscsictrl *ctrl);
/* With its devices. */
int libxl__vscsi_record_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost v,
                              const libxl_device_vscsictrl *ctrl);
int libxl__vscsi_forget_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost v);

/* ----- libxl_vscsi_record_devs.c ----- */

/* Adds them; _first_ to a record that has none, which need not be read.
 * ERROR_INVAL, logged, for a name that does not fit. */
int libxl__vscsi_record_first_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                   libxl__vscsi_vhost v,
                                   const libxl_device_vscsidev *devs,
                                   int num);
int libxl__vscsi_record_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_vhost v,
                             const libxl_device_vscsidev *devs, int num);
int libxl__vscsi_forget_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_vhost v, const libxl_devid *ids,
                             unsigned num);
/* Appends all that can be read to ctrl's. */
int libxl__vscsi_read_devs(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v,
                           libxl_device_vscsictrl *ctrl);

/* ----- libxl_vscsi_xs.c ----- */

/* The directory of a domain's backends; free(). */
char *libxl__vscsi_xs_backends_path(uint32_t domid);
/* The backend's directory and parents that are empty then. */
int libxl__vscsi_xs_rm_backend(libxl__vscsi_ctx *vc, xs_transaction_t t,
                               libxl__vscsi_vhost v);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_NODES_H */
