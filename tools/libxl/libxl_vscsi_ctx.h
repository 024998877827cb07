/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The ground: what one operation carries along, messages, locks, time, what
 * dom0's kernel holds.  Knows no node of xenstore and nothing of LIO.  Every
 * name in these headers is hidden in the shared library.
 */
#ifndef LIBXL_VSCSI_CTX_H
#define LIBXL_VSCSI_CTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <xenstore.h>
#include <xentoollog.h>

#include "libxl_vscsi.h"
#include "libxl_vscsi_addr.h"

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

/* The domain's name, or "domain N"; NULL when memory ran out. */
char *libxl__vscsi_domain_name(libxl__vscsi_ctx *vc, uint32_t domid);

/* XTL_ERROR, with the beginning set by _doing; fmt is the reason. */
void libxl__vscsi_error(libxl__vscsi_ctx *vc, const char *fmt, ...)
    VSCSI_PRINTF(2, 3);
static inline int libxl__vscsi_out_of_memory(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_error(vc, "out of memory");
    return ERROR_NOMEM;
}
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

/* One vscsictrl of one domain. */
typedef struct libxl__vscsi_ref {
    uint32_t domid;
    libxl_devid devid;
} libxl__vscsi_ref;

/* ----- libxl_vscsi_ctx.c: time ----- */

/* Sleeps ms, for what cannot be watched (configfs, locks). */
void libxl__vscsi_pause(unsigned ms);
/* Milliseconds on a clock that only goes forward. */
uint64_t libxl__vscsi_now_ms(void);

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

/* What dom0's kernel calls the backend of a vscsictrl, "vscsi-DOMID-DEVID". */
#define LIBXL__VSCSI_BACKEND_NAME_SIZE 40
void libxl__vscsi_backend_name(libxl__vscsi_ref ref,
                               char name[LIBXL__VSCSI_BACKEND_NAME_SIZE]);
bool libxl__vscsi_parse_backend(const char *name,
                                libxl__vscsi_ref *ref_r);

/*
 * The vscsictrls whose backends dom0's kernel holds at this moment, whatever
 * is in xenstore; free().  LIO objects must not go before them.
 */
int libxl__vscsi_host_backends(libxl__vscsi_ctx *vc,
                               libxl__vscsi_ref **refs_r,
                               unsigned *num_r);

/* ----- libxl_vscsi_parallel.c ----- */

/*
 * Runs job on each of the num args, of size bytes each, beside each other;
 * returns when all are through.
 */
typedef void libxl__vscsi_job(void *arg);
void libxl__vscsi_in_parallel(libxl__vscsi_job *job, void *args, size_t size,
                              unsigned num);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_CTX_H */
