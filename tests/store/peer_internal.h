/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of the scripted peer tell each other. */
#ifndef TESTS_STORE_PEER_INTERNAL_H
#define TESTS_STORE_PEER_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <xen/io/xenbus.h>

#include "peer.h"
#include "ring.h"

#define PEER_NO_STATE 0         /* XenbusStateUnknown */
#define PEER_MAX_LUNS 1024
#define PEER_NAME_MAX 48        /* of an entry of vscsi-devs */

struct kernel;
struct device;

/* Both drivers take part in xenbus the same way. */
struct driver {
    /* false: the device is not driven */
    bool (*probe)(struct device *d);
    void (*otherend_changed)(struct device *d, int state);
    void (*fail)(struct device *d);         /* peer_close_at() */
    void (*remove)(struct device *d);
};

struct lun {
    unsigned chn, tgt, lun;
};

/* One vscsictrl, as one kernel knows it. */
struct device {
    struct device *next;
    struct kernel *kernel;
    unsigned id;                /* in the token of its watch */
    uint32_t domid;             /* of the guest */
    unsigned devid;
    char *node, *otherend;
    int state;                  /* cached: what the driver last wrote */
    bool bound;                 /* probed by the driver */
    bool failed;                /* was made to close; only ends now */
    bool gone;                  /* unregistered; freed when it is safe */
    bool mapped;                /* backend: has ring and event channel */
    /* backend: translations; frontend: the guest's SCSI devices */
    struct lun luns[PEER_MAX_LUNS];
    unsigned num_luns;          /* written under the peer's lock */
};

struct job {
    void (*run)(struct kernel *k, void *arg);
    void *arg;
    bool done;
};

struct kernel {
    struct kernel *next;
    struct peer *peer;
    enum peer_side side;
    uint32_t domid;             /* 0: dom0 */
    char *base;                 /* where its devices appear */
    const struct driver *driver;
    struct ring *ring;
    pthread_t thread;
    /* under the peer's lock */
    bool stop;
    bool want_loaded, has_loaded;   /* asked for; done */
    struct job *job;
    unsigned long handled;      /* events */
    /* the thread's own */
    bool loaded;
    struct device *devices;
    unsigned next_id;
};

#define PEER_NUM_SIDES 2
#define PEER_NEVER (-1)        /* no state */

enum peer_treatment { PEER_ACCEPT, PEER_REFUSE, PEER_IGNORE };

struct rule {
    struct rule *next;
    enum peer_treatment treatment;
    char *vdev, *pdev;          /* one of them */
};

struct manners {
    bool frozen;
    int freeze_at, close_at;    /* state, or PEER_NEVER */
    unsigned delay_ms;
    struct rule *rules;
};

struct peer {
    struct store *store;
    struct kernel *kernels;     /* dom0's is the last */
    pthread_mutex_t lock;       /* of all below */
    pthread_cond_t changed;
    struct manners manners[PEER_NUM_SIDES];
    const char *offer;          /* feature-sg-grant */
    unsigned handshakes, reconfigurations;
    char *log;
};

/* ----- peer.c ----- */

void peer_lock(struct peer *p);
void peer_unlock(struct peer *p);
__attribute__((format(printf, 2, 3)))
void peer_note(struct device *d, const char *fmt, ...);
void peer_count_handshake(struct device *d, bool is_reconfiguration);

struct kernel *peer_find_kernel(struct peer *p, enum peer_side side,
                                uint32_t domid);
/* With the lock. */
void peer_wake(struct kernel *k);
/* Returns when the kernel's thread has done it, between two events or while
 * it is frozen. */
void peer_run_job(struct kernel *k, void (*run)(struct kernel *, void *),
                  void *arg);

/* Between two events: does jobs, loads drivers, stays while frozen.
 * False: the kernel stops. */
bool peer_next(struct kernel *k);
/* In an event: stays while the kernel is to be slow or frozen; state is the
 * other end's.  False: the kernel stops. */
bool peer_gate(struct kernel *k, int state);

/* ----- peer_manners.c ----- */

enum peer_treatment peer_treat(struct kernel *k, const char *vdev,
                               const char *pdev);
/* True once: the driver is to close now. */
bool peer_must_close(struct kernel *k, int state);

/* ----- peer_bus.c: what xenbus does in every kernel ----- */

void *bus_thread(void *kernel);
void bus_set_loaded(struct kernel *k, bool loaded);
/* As the kernel parses "%d"; PEER_NO_STATE if there is none. */
int bus_read_state(struct kernel *k, const char *node);
/* NULL if missing; free(). */
char *bus_read(struct kernel *k, const char *dir, const char *name);
int bus_write(struct kernel *k, const char *dir, const char *name,
              const char *value);
void bus_switch_state(struct device *d, int state);
void bus_fatal(struct device *d);
void bus_unregister(struct device *d);

/* Calls each() for every entry of vscsi-devs below dir that has a state. */
typedef void bus_each_dev(struct device *d, const char *name, int state,
                          void *arg);
void bus_scan(struct device *d, const char *dir, bus_each_dev *each,
              void *arg);
/* Sets DIR/vscsi-devs/NAME/state, and notes it. */
void bus_set_dev(struct device *d, const char *dir, const char *name,
                 int state);
/* As sscanf of "%u:%u:%u:%u": how many fields there are.  What is not
 * there stays. */
unsigned bus_parse_vdev(const char *text, struct lun *lun);

/* Both under the lock; add: false if it is there, or there is no room. */
bool bus_add_lun(struct device *d, const struct lun *lun);
bool bus_del_lun(struct device *d, const struct lun *lun);

/* ----- peer_backend.c, peer_frontend.c ----- */

extern const struct driver peer_backend, peer_frontend;

#endif /* TESTS_STORE_PEER_INTERNAL_H */
