/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the files that know dom0's devices tell each other:
 * libxl_vscsi_device.c, _links.c, _name.c, _unit.c, _again.c.
 *
 * Nothing is logged; *reason_r, NULL before, says why something failed and
 * is freed by the caller.
 */
#ifndef LIBXL_VSCSI_UNIT_H
#define LIBXL_VSCSI_UNIT_H

#include "libxl_vscsi_device.h"

#pragma GCC visibility push(hidden)

typedef struct libxl__vscsi_seen libxl__vscsi_seen;

/* ----- libxl_vscsi_device.c: what sysfs says ----- */

int libxl__vscsi_refuse(char **reason_r, int rc, const char *fmt, ...)
    VSCSI_PRINTF(3, 4);
static inline int libxl__vscsi_no_memory(char **reason_r)
{
    libxl__vscsi_refuse(reason_r, ERROR_NOMEM, "out of memory");
    return ERROR_NOMEM;
}
/* r: an errno */
int libxl__vscsi_cannot_look(char **reason_r, const char *what, int r);
/* ERROR_NOTFOUND: dom0 has none there. */
int libxl__vscsi_no_device(const libxl_vscsi_hctl *hctl, char **reason_r);
/* Is it one by which the kernel says that there is nothing to be read? */
bool libxl__vscsi_is_absent(int r);
/* Tidied; "" where there is no such attribute.  What was in *text_r goes. */
int libxl__vscsi_read_text(int dir, const char *name, char **text_r,
                           char **reason_r);
/* The addresses, WWIDs and serial numbers of all devices, by address. */
int libxl__vscsi_dom0_read(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           char **reason_r);
/* The rest of what identity it has. */
int libxl__vscsi_dom0_describe(libxl__vscsi_ctx *vc,
                               libxl__vscsi_seen *seen,
                               char **reason_r);
/* All of it, for id->hctl; ERROR_NOTFOUND if there is no device. */
int libxl__vscsi_read_identity(libxl__vscsi_ctx *vc,
                               libxl__vscsi_identity *id, char **reason_r);
/* State and nodes, for path->hctl; type is the device's. */
int libxl__vscsi_read_path(libxl__vscsi_ctx *vc, int type,
                           libxl__vscsi_path *path, char **reason_r);

/* ----- libxl_vscsi_links.c ----- */

void libxl__vscsi_links_dispose(libxl__vscsi_links *links);
/* The best name that udev gives to a node, in links; NULL if it gives none.
 * *rank_r: a lower one is better. */
const char *libxl__vscsi_best_link(libxl__vscsi_ctx *vc,
                                   libxl__vscsi_links *links,
                                   const char *node, size_t *rank_r);

/* ----- libxl_vscsi_unit.c ----- */

/* Logs what a look ended with, if it failed; takes reason over. */
int libxl__vscsi_end_look(libxl__vscsi_ctx *vc, int rc, char *reason);
libxl__vscsi_seen *libxl__vscsi_device_at(const libxl__vscsi_dom0 *dom0,
                                          const libxl_vscsi_hctl *hctl);
/* Whether they might be the same: not if their WWIDs differ.  Else all that
 * dom0 knows of seen is read. */
int libxl__vscsi_may_match(libxl__vscsi_ctx *vc,
                           const libxl__vscsi_identity *id,
                           libxl__vscsi_seen *seen, bool *may_r,
                           char **reason_r);
/* The unit that one device belongs to, disposed of by the caller whatever
 * is returned; preferred may be NULL. */
int libxl__vscsi_build_unit(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                            libxl__vscsi_seen *of,
                            const libxl_vscsi_hctl *preferred,
                            libxl__vscsi_unit *unit, char **reason_r);
/* ERROR_NOTFOUND: no path of it runs. */
int libxl__vscsi_check_running(libxl__vscsi_ctx *vc,
                               const libxl__vscsi_unit *unit,
                               char **reason_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_UNIT_H */
