/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the files of libxenlight-vscsi tell each other.  Grouped by the
 * file that defines it; every name here is hidden in the shared library.
 */
#ifndef LIBXL_VSCSI_INTERNAL_H
#define LIBXL_VSCSI_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <xenstore.h>
#include <xentoollog.h>

#include "libxl_vscsi.h"
#include "libxl_vscsi_addr.h"
#include "libxl_vscsi_fsm.h"

#pragma GCC visibility push(hidden)

#define VSCSI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define VSCSI_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ----- libxl_vscsi_ctx.c: what one operation carries along ----- */

/* Could the domain's processors run, now or when it is unpaused? */
typedef enum libxl__vscsi_life {
    LIBXL__VSCSI_LIFE_UNKNOWN,
    LIBXL__VSCSI_MAY_RUN,
    LIBXL__VSCSI_ENDED,         /* shut down, suspended, dying or gone */
} libxl__vscsi_life;
typedef libxl__vscsi_life libxl__vscsi_life_fn(libxl_ctx *xl, uint32_t domid);

/* The domain that is asked, when the operation began. */
typedef enum libxl__vscsi_domain_state {
    LIBXL__VSCSI_DOMAIN_RUNS,
    LIBXL__VSCSI_DOMAIN_PAUSED,
    LIBXL__VSCSI_DOMAIN_SUSPENDED,  /* to be saved or migrated */
    LIBXL__VSCSI_DOMAIN_SHUT_DOWN,  /* off, or about to reboot */
    LIBXL__VSCSI_DOMAIN_CRASHED,
    LIBXL__VSCSI_DOMAIN_DYING,
} libxl__vscsi_domain_state;

typedef struct libxl__vscsi_ctx {
    /* set by _init; a caller may set others before it goes on */
    xentoollog_logger *lg;
    libxl_vscsi_timeouts timeouts;
    const char *lio_root;       /* /sys/kernel/config/target */
    const char *devices_dir;    /* /sys/devices */
    const char *sysfs;          /* /sys */
    const char *procfs;         /* /proc */
    const char *devfs;          /* /dev */
    const char *lock_file;      /* /run/xen-vscsi.lock */
    const char *cleaner;        /* xl-scsi, or NULL */
    unsigned patience_ms;       /* after which a wait is told of */
    bool tags;                  /* a message says which domain it is about */
    char **reason_r;            /* where set, the first error goes there,
                                   to be freed, and is not logged */
    libxl__vscsi_domain_state domain;   /* as at first: it runs */
    libxl__vscsi_life_fn *life_of;      /* NULL: nobody knows */
    libxl_ctx *xl;              /* whom _life_of asks */
    /* read-only for callers */
    struct xs_handle *xsh;
    /* private; first what error messages begin with */
    const char *verb;           /* "attach", NULL: no beginning */
    char *object;               /* "/dev/sdb" */
    uint32_t domid;
    uint32_t locked;            /* the domain whose lock is held; or none */
    bool has_lock;
    unsigned num_waits;         /* makes tokens of watches unique */
    uint64_t waits_since_ms, said_ms;   /* for _say_waiting() */
} libxl__vscsi_ctx;

/*
 * Takes the settings of the process and opens xenstore.  ERROR_FAIL
 * (logged) where that does not work; dispose may be called then too.
 */
int libxl__vscsi_ctx_init(libxl__vscsi_ctx *vc);
void libxl__vscsi_ctx_dispose(libxl__vscsi_ctx *vc);

/*
 * Sets what is being done, so that an error reads
 * "cannot VERB OBJECT to|from|of DOMAIN: ...", or without a verb
 * "OBJECT: ...".  object is copied.
 */
void libxl__vscsi_doing(libxl__vscsi_ctx *vc, const char *verb,
                        const char *object, uint32_t domid);

/* XTL_ERROR, with the beginning set by _doing; fmt is the reason. */
void libxl__vscsi_error(libxl__vscsi_ctx *vc, const char *fmt, ...)
    VSCSI_PRINTF(2, 3);
/* Any other level, as it stands. */
void libxl__vscsi_log(libxl__vscsi_ctx *vc, xentoollog_level level,
                      const char *fmt, ...) VSCSI_PRINTF(3, 4);

/*
 * To be called again and again while something is waited for since since_ms,
 * until end_ms at most: tells the logger, as progress, after patience_ms
 * and then every now and then.
 */
void libxl__vscsi_say_waiting(libxl__vscsi_ctx *vc, uint64_t since_ms,
                              uint64_t end_ms, const char *fmt, ...)
    VSCSI_PRINTF(4, 5);

/* asprintf that returns NULL when memory ran out. */
char *libxl__vscsi_sprintf(const char *fmt, ...) VSCSI_PRINTF(1, 2);

/* One vhost of one domain. */
typedef struct libxl__vscsi_vhost {
    uint32_t domid;
    libxl_devid devid;
} libxl__vscsi_vhost;

/* ----- libxl_vscsi_domain.c: can a domain answer? ----- */

/*
 * Sets vc->domain, and whom to ask about others.  ERROR_DOMAIN_NOTFOUND, or
 * what else libxl says; logged.
 */
int libxl__vscsi_domain_look(libxl__vscsi_ctx *vc, libxl_ctx *ctx,
                             uint32_t domid);
bool libxl__vscsi_domain_answers(const libxl__vscsi_ctx *vc);
/* It will never answer again, nor miss what is taken from it. */
bool libxl__vscsi_domain_is_over(const libxl__vscsi_ctx *vc);
/* ERROR_NOT_READY, logged with why it cannot answer. */
int libxl__vscsi_refuse_silent(libxl__vscsi_ctx *vc);

/* ----- libxl_vscsi_lock.c: one change at a time ----- */

/* The lock of everything that is shared between domains: the choice of a
 * physical device up to its record, and LIO.  Taken after a domain's. */
#define LIBXL__VSCSI_LOCK_HOST ((uint32_t)-1)
/* Beyond those of domains: what a domain has stays as it is, and devices. */
#define LIBXL__VSCSI_LOCK_FROZEN ((uint32_t)1 << 20)
#define LIBXL__VSCSI_LOCK_DEVICES ((uint32_t)1 << 21)

/*
 * Takes the lock of domain which, or LIBXL__VSCSI_LOCK_HOST, waiting up to
 * lock_ms.  *lock_r is given to libxl__vscsi_unlock(), which takes -1 too.
 * The kernel drops the lock if the process dies.
 *
 *  ERROR_LOCK_FAIL  somebody else held it all the time, or the lock file
 *                   cannot be opened; logged
 */
int libxl__vscsi_lock(libxl__vscsi_ctx *vc, uint32_t which, int *lock_r);
void libxl__vscsi_unlock(int lock);
/* Of the domain that the operation is about: its records are what they are
 * until the lock is given up.  ERROR_NOT_READY, logged: somebody has frozen
 * them. */
int libxl__vscsi_lock_domain(libxl__vscsi_ctx *vc, uint32_t domid,
                             int *lock_r);
void libxl__vscsi_unlock_domain(libxl__vscsi_ctx *vc, int lock);
/* libxl_vscsi_freeze() */
int libxl__vscsi_freeze(libxl__vscsi_ctx *vc, uint32_t domid, int *frozen_r);
/*
 * The lock of a device of dom0 while LIO lets go of it, which may take as
 * long as a command that its guest sent.  It is only taken with that of the
 * host held, and outlives it; so it is not waited for.
 */
uint32_t libxl__vscsi_lock_of(const libxl_vscsi_hctl *hctl);
/* *lock_r is -1 if somebody else has it.  ERROR_LOCK_FAIL as above. */
int libxl__vscsi_try_lock(libxl__vscsi_ctx *vc, uint32_t which, int *lock_r);

/* ----- libxl_vscsi_bus.c: what dom0's kernel holds ----- */

typedef struct libxl__vscsi_unit libxl__vscsi_unit;     /* _device.h */
typedef struct libxl__vscsi_dom0 libxl__vscsi_dom0;
typedef struct libxl__vscsi_known libxl__vscsi_known;   /* _inuse.h */

/* What dom0's kernel calls the backend of a vhost, "vscsi-DOMID-DEVID". */
#define LIBXL__VSCSI_BACKEND_NAME_SIZE 40
void libxl__vscsi_backend_name(libxl__vscsi_vhost vhost,
                               char name[LIBXL__VSCSI_BACKEND_NAME_SIZE]);
bool libxl__vscsi_parse_backend(const char *name,
                                libxl__vscsi_vhost *vhost_r);

/*
 * The vhosts whose backends dom0's kernel holds at this moment, whatever is
 * in xenstore; free().  LIO objects must not go before them.
 */
int libxl__vscsi_host_backends(libxl__vscsi_ctx *vc,
                               libxl__vscsi_vhost **vhosts_r,
                               unsigned *num_r);

/* ----- libxl_vscsi_lio.c, _lio_stores.c, _modules.c: LIO ----- */
/* All but _resolve are called with LIBXL__VSCSI_LOCK_HOST held. */

/*
 * Makes sure that dom0 has the backend driver (trying modprobe) and says
 * whether it takes LIO targets (upstream kernels) or h:c:t:l itself.
 * ERROR_FAIL, logged, where a module is missing.
 */
int libxl__vscsi_lio_probe(libxl__vscsi_ctx *vc, bool *uses_lio_r);

/*
 * What is behind target "naa.WWN:LUN": *backstore_r, "iblock_0/vol1", and
 * *name_r, which is "h:c:t:l" where the backstore tells, else its udev_path,
 * NULL for one without.
 * ERROR_NOTFOUND, logged, if there is no such target, LUN or nexus.
 */
int libxl__vscsi_lio_resolve(libxl__vscsi_ctx *vc, const char *wwn,
                             char **backstore_r, char **name_r);

/* A backstore of whatever kind that has a device of dom0. */
typedef struct libxl__vscsi_backstore {
    char *name;                 /* "iblock/mine", as targetcli says */
    char *path;                 /* in configfs */
    bool ours;                  /* by its name: _lio_has() tells */
    bool has_hctl, has_devnum;
    libxl_vscsi_hctl hctl;      /* of pscsi's, and of a whole disk */
    dev_t devnum;               /* of a block device */
} libxl__vscsi_backstore;

/* All of them; ERROR_FAIL, logged, where one cannot be looked at. */
int libxl__vscsi_lio_backstores(libxl__vscsi_ctx *vc,
                                libxl__vscsi_backstore **stores_r,
                                unsigned *num_r);
void libxl__vscsi_backstores_free(libxl__vscsi_backstore *stores,
                                  unsigned num);
/* As _lio_resolve() says it: "pscsi_0/mine".  Points into the store. */
const char *libxl__vscsi_backstore_id(libxl__vscsi_ctx *vc,
                                      const libxl__vscsi_backstore *store);
/*
 * Is the unit exported, by any path, by a target that is not ours?  Then
 * *wwn_r is "naa.WWN:LUN" of it, to be freed, and *store_r the backstore,
 * of stores[]; else both are NULL.
 */
int libxl__vscsi_lio_find_foreign(libxl__vscsi_ctx *vc,
                                  const libxl__vscsi_backstore *stores,
                                  unsigned num,
                                  const libxl__vscsi_unit *unit,
                                  char **wwn_r,
                                  const libxl__vscsi_backstore **store_r);
/* Has one of ours the device at its hctl?  It may be unfinished. */
int libxl__vscsi_lio_has(libxl__vscsi_ctx *vc,
                         const libxl__vscsi_backstore *store, bool *has_r);

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
/* The domain's name, or "domain N"; NULL when memory ran out. */
char *libxl__vscsi_xs_domain_name(libxl__vscsi_ctx *vc, uint32_t domid);

/* "/vm/UUID" of a domain; NULL if it cannot be read.  free(). */
char *libxl__vscsi_xs_vm(libxl__vscsi_ctx *vc, uint32_t domid);

/* Domains that have a backend directory, ascending; free(). */
int libxl__vscsi_xs_backends(libxl__vscsi_ctx *vc, uint32_t **domids_r,
                             int *num_r);

/* ----- libxl_vscsi_record.c ----- */

/*
 * The recorded vhosts of a domain, sorted; only devid's if it is not -1.  A
 * record that cannot be read is ERROR_FAIL, logged.  A domain that does not
 * exist is ERROR_DOMAIN_NOTFOUND, logged; or, where exists_r is not NULL,
 * false in it and no vhosts.
 */
int libxl__vscsi_xs_list(libxl__vscsi_ctx *vc, uint32_t domid,
                         libxl_devid devid,
                         libxl_device_vscsictrl **ctrls_r, int *num_r,
                         bool *exists_r);

/* The same for who only looks: records that cannot be read are no failure
 * then, nor is a domain that does not exist. */
typedef struct libxl__vscsi_vhosts {
    libxl_device_vscsictrl *ctrls;
    int num;
    libxl_devid *unreadable;
    unsigned num_unreadable;
    bool exists;
} libxl__vscsi_vhosts;

int libxl__vscsi_xs_list_all(libxl__vscsi_ctx *vc, uint32_t domid,
                             libxl_devid devid,
                             libxl__vscsi_vhosts *vhosts_r);
void libxl__vscsi_vhosts_dispose(libxl__vscsi_vhosts *vhosts);

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
/* Removes a vhost without record or frontend, if this toolstack made it: a
 * domain had its number before. */
int libxl__vscsi_xs_drop_old(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v,
                             bool *dropped_r);
/* Backends, frontends, records and what the index has, of one domain, and
 * parents that are empty then. */
int libxl__vscsi_xs_rm_vhosts(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              const libxl__vscsi_vhost *vhosts,
                              unsigned num);

/* ----- libxl_vscsi_xs.c ----- */

/* States, as numbers; see libxl_vscsi_fsm.h.  ERROR_FAIL is logged. */
int libxl__vscsi_xs_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                          libxl__vscsi_vhost vhost, bool frontend,
                          libxl__vscsi_state *state_r);
int libxl__vscsi_xs_states(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           libxl__vscsi_vhost vhost,
                           libxl__vscsi_state *backend_r,
                           libxl__vscsi_state *frontend_r);
/* Whether the vhost has a backend directory. */
int libxl__vscsi_xs_has_backend(libxl__vscsi_ctx *vc,
                                libxl__vscsi_vhost vhost, bool *has_r);
int libxl__vscsi_xs_dev_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost vhost, bool frontend,
                              libxl_devid dev, libxl__vscsi_state *state_r);

/* Writes; all inside a transaction.  ERROR_FAIL is logged. */
/* Is a vhost with so many pages on record limited?  With 0, none are. */
bool libxl__vscsi_is_limited(unsigned segments);
/* A limited one is hidden from the guest until _show_vhost, which lowers
 * the limit that the backend offers.  p_devs[]: of each device. */
int libxl__vscsi_xs_add_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              uint32_t domid,
                              const libxl_device_vscsictrl *ctrl,
                              const libxl__vscsi_p_dev *p_devs);
int libxl__vscsi_xs_is_hidden(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost vhost, bool *hidden_r);
int libxl__vscsi_xs_show_vhost(libxl__vscsi_ctx *vc, xs_transaction_t t,
                               libxl__vscsi_vhost vhost, unsigned segments);
/* The limit, here and in ctrl's record. */
int libxl__vscsi_xs_set_segments(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 libxl__vscsi_vhost vhost,
                                 unsigned segments);
int libxl__vscsi_xs_add_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_vhost vhost,
                             const libxl_device_vscsidev *devs,
                             const libxl__vscsi_p_dev *p_devs, int num);
int libxl__vscsi_xs_rm_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_vhost vhost,
                            const libxl_devid *devs, unsigned num);
int libxl__vscsi_xs_set_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_vhost vhost,
                              libxl__vscsi_state state);
int libxl__vscsi_xs_set_dev_state(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                  libxl__vscsi_vhost vhost, libxl_devid dev,
                                  libxl__vscsi_state state);
int libxl__vscsi_xs_set_offline(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_vhost vhost);
int libxl__vscsi_xs_rm_frontend(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                libxl__vscsi_vhost vhost);
/* Paths, for info and watches; free().  NULL when memory ran out. */
char *libxl__vscsi_xs_backend_path(libxl__vscsi_vhost vhost);
char *libxl__vscsi_xs_frontend_path(libxl__vscsi_vhost vhost);
/*
 * Which state a watch event of a vhost is about: true for the state of the
 * vhost (*dev_r -1) or of dev-N (*dev_r N) below base.
 */
bool libxl__vscsi_xs_parse_event(const char *base, const char *path,
                                 libxl_devid *dev_r);

/* ----- libxl_vscsi_wait.c: time ----- */

typedef struct libxl__vscsi_wait {
    libxl__vscsi_vhost vhost;
    libxl__vscsi_op op;
    const libxl_devid *devs;    /* the N of each dev-N that matters */
    unsigned num_devs;
    unsigned num_bound;         /* the bound is for so many, not num_devs */
    uint64_t since_ms;          /* the bound counts from here; 0: from now */
    unsigned frontend_ms;       /* for a guest to begin to connect */
} libxl__vscsi_wait;

/*
 * Drives libxl__vscsi_judge() over the vhost until it says that the
 * operation is over or its bound has passed.  *verdict_r is then the last
 * verdict: one that still waits means that the bound has passed.
 * *culprit_r, if not NULL, is the index in devs[] of the device that the
 * verdict is about.  ERROR_FAIL: xenstore cannot be read; logged.
 */
int libxl__vscsi_wait_for(libxl__vscsi_ctx *vc, const libxl__vscsi_wait *w,
                          libxl__vscsi_verdict *verdict_r,
                          unsigned *culprit_r);

/*
 * Waits until the ends of a vhost of num_devs devices are at rest.
 * *settled_r says whether they are.  The bound counts from since_ms, so that
 * several waits of one operation share it.
 */
int libxl__vscsi_settle(libxl__vscsi_ctx *vc, libxl__vscsi_vhost vhost,
                        unsigned num_devs, uint64_t since_ms,
                        bool *settled_r);
/* The frontend is gone or closed: waits until the backend has given the vhost
 * up, as _settle() counts.  *over_r says whether it has. */
int libxl__vscsi_await_unplug(libxl__vscsi_ctx *vc,
                              libxl__vscsi_vhost vhost, uint64_t since_ms,
                              bool *over_r);

/* Sleeps ms, for what cannot be watched (configfs, locks). */
void libxl__vscsi_pause(unsigned ms);
/* Milliseconds on a clock that only goes forward. */
uint64_t libxl__vscsi_now_ms(void);

/* ----- libxl_vscsi_parallel.c ----- */

/*
 * Runs job on each of the num args, of size bytes each, beside each other;
 * returns when all are through.
 */
typedef void libxl__vscsi_job(void *arg);
void libxl__vscsi_in_parallel(libxl__vscsi_job *job, void *args, size_t size,
                              unsigned num);

/* Who has which physical device: libxl_vscsi_assignment.h. */
typedef struct libxl__vscsi_users libxl__vscsi_users;

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

/* num == 0: the whole vhost. */
int libxl__vscsi_detach(libxl__vscsi_ctx *vc, libxl__vscsi_vhost vhost,
                        const libxl_vscsi_hctl *vdevs, unsigned num,
                        libxl__vscsi_removal how);
/* The one device that name means; see libxl__vscsi_find_named(). */
int libxl__vscsi_detach_named(libxl__vscsi_ctx *vc, uint32_t domid,
                              const char *name, libxl__vscsi_removal how);
/*
 * The same for num devices of the recorded vhost ctrl, given by their
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

/* libxl_vscsiinfo_list() of one domain; only vhost devid if it is not -1,
 * only vdev if it is not NULL. */
int libxl__vscsi_list_infos(libxl__vscsi_ctx *vc, uint32_t domid,
                            libxl_devid devid, const libxl_vscsi_hctl *vdev,
                            libxl_vscsiinfo **infos_r, int *num_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_INTERNAL_H */
