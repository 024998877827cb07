/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenstore: what the drivers' nodes and the toolstack's own say, and changes
 * of them.  Nobody else knows the name of a node; see libxl_vscsi_nodes.h.
 */
#ifndef LIBXL_VSCSI_STORE_H
#define LIBXL_VSCSI_STORE_H

#include "libxl_vscsi_ctx.h"
#include "libxl_vscsi_fsm.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_store.c ----- */

/*
 * Runs body(vc, t, arg) in a transaction until it commits.  body's rc ends
 * it; body must be able to run again from the start.  Reads inside use t.
 * ERROR_FAIL, logged, if xenstore fails or conflicts do not end.
 */
typedef int libxl__vscsi_xs_body(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 void *arg);
int libxl__vscsi_xs_transact(libxl__vscsi_ctx *vc,
                             libxl__vscsi_xs_body *body, void *arg);

/* ----- libxl_vscsi_xs_domain.c ----- */

/* What libxl's part of xenstore says of a domain. */
typedef struct libxl__vscsi_marks {
    bool exists;
    bool persistent;    /* whoever restarts it gives it its devices again */
    bool lacks;         /* it may have started without some */
} libxl__vscsi_marks;

int libxl__vscsi_xs_find_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                uint32_t domid, libxl__vscsi_marks *marks_r);
/* ERROR_DOMAIN_NOTFOUND, logged, if libxl has no such domain; marks_r may be
 * NULL. */
int libxl__vscsi_xs_check_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 uint32_t domid, libxl__vscsi_marks *marks_r);
/* Domains that started without some device, and perhaps have none. */
int libxl__vscsi_xs_lacking(libxl__vscsi_ctx *vc, uint32_t **domids_r,
                            int *num_r);
/* "/vm/UUID" of a domain; NULL if it cannot be read.  free(). */
char *libxl__vscsi_xs_vm(libxl__vscsi_ctx *vc, uint32_t domid);

/* Domains that have a backend directory, ascending; free(). */
int libxl__vscsi_xs_backends(libxl__vscsi_ctx *vc, uint32_t **domids_r,
                             int *num_r);

/* ----- libxl_vscsi_record.c ----- */

/*
 * The recorded vscsictrls of a domain, sorted; only devid's if it is not -1.
 * A record that cannot be read is ERROR_FAIL, logged.  A domain that does not
 * exist is ERROR_DOMAIN_NOTFOUND, logged; or, where exists_r is not NULL,
 * false in it and no vscsictrls.
 */
int libxl__vscsi_xs_list(libxl__vscsi_ctx *vc, uint32_t domid,
                         libxl_devid devid,
                         libxl_device_vscsictrl **ctrls_r, int *num_r,
                         bool *exists_r);

/* The same for who only looks: records that cannot be read are no failure
 * then, nor is a domain that does not exist. */
typedef struct libxl__vscsi_recorded {
    libxl_device_vscsictrl *ctrls;
    int num;
    libxl_devid *unreadable;
    unsigned num_unreadable;
    bool exists;
} libxl__vscsi_recorded;

int libxl__vscsi_xs_list_all(libxl__vscsi_ctx *vc, uint32_t domid,
                             libxl_devid devid,
                             libxl__vscsi_recorded *all_r);
void libxl__vscsi_recorded_dispose(libxl__vscsi_recorded *all);

/* ----- libxl_vscsi_xs_disks.c: guests' block devices ----- */

typedef struct libxl__vscsi_xs_disk {
    uint32_t domid;
    unsigned devid;
    const char *kind;           /* of backend: "vbd"; not to be freed */
    const char *driver;         /* in words: "blkback"; not to be freed */
} libxl__vscsi_xs_disk;

/* All whose backend is dom0; free().  One request, one for each kind of
 * backend, and for each domain of it. */
int libxl__vscsi_xs_list_disks(libxl__vscsi_ctx *vc,
                               libxl__vscsi_xs_disk **disks_r,
                               unsigned *num_r);
/* What the toolstack calls it, NULL if it is gone; free(). */
int libxl__vscsi_xs_disk_params(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_xs_disk *disk,
                                char **params_r);
/* What it is called in the guest: "xvda"; NULL when memory ran out. */
char *libxl__vscsi_xs_disk_name(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_xs_disk *disk);

/* ----- libxl_vscsi_xs_remove.c ----- */

/* Removes the backend directories, without a frontend, that a domain left
 * which libxl does not have any more. */
int libxl__vscsi_xs_sweep(libxl__vscsi_ctx *vc, uint32_t domid);
/* Removes a vscsictrl without record or frontend, if this toolstack made it: a
 * domain had its number before. */
int libxl__vscsi_xs_drop_old(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                             bool *dropped_r);
/* Backends, frontends, records and what the index has, of one domain, and
 * parents that are empty then. */
int libxl__vscsi_xs_rm_ctrls(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             const libxl__vscsi_ref *refs,
                             unsigned num);

/* ----- libxl_vscsi_xs.c ----- */

/* States, as numbers; see libxl_vscsi_fsm.h.  ERROR_FAIL is logged. */
int libxl__vscsi_xs_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                          libxl__vscsi_ref ref, bool frontend,
                          libxl__vscsi_state *state_r);
int libxl__vscsi_xs_states(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           libxl__vscsi_ref ref,
                           libxl__vscsi_state *backend_r,
                           libxl__vscsi_state *frontend_r);
/* Whether the vscsictrl has a backend directory. */
int libxl__vscsi_xs_has_backend(libxl__vscsi_ctx *vc,
                                libxl__vscsi_ref ref, bool *has_r);
int libxl__vscsi_xs_dev_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref, bool frontend,
                              libxl_devid dev, libxl__vscsi_state *state_r);

/* Writes; all inside a transaction.  ERROR_FAIL is logged. */
/* Is a vscsictrl with so many pages on record limited?  With 0, none are. */
bool libxl__vscsi_is_limited(unsigned segments);
/* A limited one is hidden from the guest until _show_ctrl, which lowers
 * the limit that the backend offers.  p_devs[]: of each device. */
int libxl__vscsi_xs_add_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             uint32_t domid,
                             const libxl_device_vscsictrl *ctrl,
                             const libxl__vscsi_p_dev *p_devs);
int libxl__vscsi_xs_is_hidden(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref, bool *hidden_r);
int libxl__vscsi_xs_show_ctrl(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref, unsigned segments);
/* The limit, here and in ctrl's record. */
int libxl__vscsi_xs_set_segments(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 libxl__vscsi_ref ref,
                                 unsigned segments);
int libxl__vscsi_xs_add_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref ref,
                             const libxl_device_vscsidev *devs,
                             const libxl__vscsi_p_dev *p_devs, int num);
int libxl__vscsi_xs_rm_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_ref ref,
                            const libxl_devid *devs, unsigned num);
int libxl__vscsi_xs_set_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref ref,
                              libxl__vscsi_state state);
int libxl__vscsi_xs_set_dev_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                  libxl__vscsi_ref ref, libxl_devid dev,
                                  libxl__vscsi_state state);
int libxl__vscsi_xs_set_offline(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_ref ref);
int libxl__vscsi_xs_rm_frontend(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_ref ref);
/* Paths, for info and watches; free().  NULL when memory ran out. */
char *libxl__vscsi_xs_backend_path(libxl__vscsi_ref ref);
char *libxl__vscsi_xs_frontend_path(libxl__vscsi_ref ref);
/*
 * Which state a watch event of a vscsictrl is about: true for the state of the
 * vscsictrl (*dev_r -1) or of dev-N (*dev_r N) below base.
 */
bool libxl__vscsi_xs_parse_event(const char *base, const char *path,
                                 libxl_devid *dev_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_STORE_H */
