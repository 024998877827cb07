/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Spelling of xenstore, for libxl_vscsi_xs.c (the drivers' nodes) and
 * libxl_vscsi_record.c (the toolstack's own): nobody else knows the name
 * of a node.  Below them libxl_vscsi_store.c, which knows none either.
 */
#ifndef LIBXL_VSCSI_NODES_H
#define LIBXL_VSCSI_NODES_H

#include "libxl_vscsi_ctx.h"

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
#define NODE_MISSING        "vscsi-missing"

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
/* A directory, and so many levels in all: what is above it, if that is empty
 * then. */
int libxl__vscsi_remove_if_empty(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 char *path, unsigned levels);
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

/* Of a vscsictrl's record, or of tail below it; free(). */
char *libxl__vscsi_record_path(libxl__vscsi_ref v, const char *tail);
/* Logs that it cannot be read. */
void libxl__vscsi_say_unreadable(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                                 const char *why_not);

/* All of what is on record.  Those that follow change it, and fail where it
 * is not there or cannot be read. */
int libxl__vscsi_record_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v,
                             const libxl_device_vscsictrl *ctrl);
int libxl__vscsi_record_segments(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 libxl__vscsi_ref v, unsigned segments);
int libxl__vscsi_record_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v,
                             const libxl_device_vscsidev *devs, int num);
/* These go from the index as well, which has them from elsewhere. */
int libxl__vscsi_forget_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v, const libxl_devid *ids,
                             unsigned num);
int libxl__vscsi_forget_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v);
/* The directory of a domain's records, if that is empty. */
int libxl__vscsi_forget_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                               uint32_t domid);

/* ----- libxl_vscsi_record_text.c ----- */

/* Writes the record of a vscsictrl that has none yet.  ERROR_INVAL, logged,
 * where a name is no UTF-8 text. */
int libxl__vscsi_record_first(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref v,
                              const libxl_device_vscsictrl *ctrl);
/*
 * What is on record; *ctrl, which is as after _init, stays so if there is no
 * such record, and if it cannot be read: *why_not_r is why then, not to be
 * freed, else NULL.
 */
int libxl__vscsi_record_read(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                             libxl_device_vscsictrl *ctrl,
                             const char **why_not_r);
/* Writes what edit() makes of it, which fails only with ERROR_NOMEM. */
typedef int libxl__vscsi_record_edit(libxl_device_vscsictrl *ctrl, void *arg);
int libxl__vscsi_record_change(libxl__vscsi_ctx *vc, xs_transaction_t t,
                               libxl__vscsi_ref v,
                               libxl__vscsi_record_edit *edit,
                               void *arg);

/* ----- libxl_vscsi_xs.c ----- */

/* The directory of a domain's backends; free(). */
char *libxl__vscsi_xs_backends_path(uint32_t domid);

/* ----- libxl_vscsi_xs_domain.c ----- */

/* ERROR_DOMAIN_NOTFOUND, logged. */
int libxl__vscsi_no_such_domain(libxl__vscsi_ctx *vc);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_NODES_H */
