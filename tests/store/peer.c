/* SPDX-License-Identifier: LGPL-2.1-only */
/* The scripted peer: its kernels, and what holds them up.  See peer.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "peer_internal.h"
#include "text.h"

/* ----- called by the kernels ----- */

void peer_lock(struct peer *p)
{
    pthread_mutex_lock(&p->lock);
}

void peer_unlock(struct peer *p)
{
    pthread_mutex_unlock(&p->lock);
}

void peer_note(struct device *d, const char *fmt, ...)
{
    struct peer *p = d->kernel->peer;
    char *text;
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (r < 0)
        abort();
    peer_lock(p);
    text_add(&p->log, "%s %u/%u: %s\n",
             d->kernel->side == PEER_BACKEND ? "backend" : "frontend",
             d->domid, d->devid, text);
    peer_unlock(p);
    free(text);
}

void peer_count_handshake(struct device *d, bool is_reconfiguration)
{
    struct peer *p = d->kernel->peer;

    peer_lock(p);
    p->handshakes++;
    p->reconfigurations += is_reconfiguration;
    peer_unlock(p);
}

/* Under the lock, which is given up while the job runs. */
static void do_job(struct kernel *k)
{
    struct job *job = k->job;

    if (!job)
        return;
    k->job = NULL;
    peer_unlock(k->peer);
    job->run(k, job->arg);
    peer_lock(k->peer);
    job->done = true;
    pthread_cond_broadcast(&k->peer->changed);
}

/* Under the lock. */
static void stay_frozen(struct kernel *k, int state)
{
    struct manners *m = &k->peer->manners[k->side];

    if (m->freeze_at == state) {
        m->freeze_at = PEER_NEVER;
        m->frozen = true;
        pthread_cond_broadcast(&k->peer->changed);
    }
    while (m->frozen && !k->stop) {
        if (k->job)
            do_job(k);
        else
            pthread_cond_wait(&k->peer->changed, &k->peer->lock);
    }
}

/* Under the lock. */
static void stay_slow(struct kernel *k)
{
    unsigned ms = k->peer->manners[k->side].delay_ms;
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (!r && ms && !k->stop)
        r = pthread_cond_timedwait(&k->peer->changed, &k->peer->lock,
                                   &until);
}

bool peer_gate(struct kernel *k, int state)
{
    bool go_on;

    peer_lock(k->peer);
    if (state != PEER_NO_STATE)
        stay_slow(k);
    stay_frozen(k, state);
    go_on = !k->stop;
    peer_unlock(k->peer);
    return go_on;
}

bool peer_next(struct kernel *k)
{
    bool go_on, load, unload;

    peer_lock(k->peer);
    do_job(k);
    stay_frozen(k, PEER_NO_STATE);
    load = k->want_loaded && !k->has_loaded;
    unload = !k->want_loaded && k->has_loaded;
    go_on = !k->stop;
    peer_unlock(k->peer);
    if (go_on && (load || unload)) {
        bus_set_loaded(k, load);
        peer_lock(k->peer);
        k->has_loaded = load;
        pthread_cond_broadcast(&k->peer->changed);
        peer_unlock(k->peer);
    }
    return go_on;
}

/* ----- kernels ----- */

void peer_wake(struct kernel *k)
{
    pthread_cond_broadcast(&k->peer->changed);
    ring_kick(k->ring);
}

static void start_kernel(struct peer *p, enum peer_side side, uint32_t domid)
{
    struct kernel *k = calloc(1, sizeof(*k));

    if (!k)
        abort();
    k->peer = p;
    k->side = side;
    k->domid = domid;
    k->driver = side == PEER_BACKEND ? &peer_backend : &peer_frontend;
    k->base = side == PEER_BACKEND ?
        text_copy("/local/domain/0/backend/vscsi") :
        text_new("/local/domain/%u/device/vscsi", domid);
    k->ring = ring_open(store_dir(p->store), domid);
    k->loaded = k->want_loaded = k->has_loaded = true;
    k->next = p->kernels;
    p->kernels = k;
    if (pthread_create(&k->thread, NULL, bus_thread, k))
        fail_msg("cannot start a thread");
}

static void stop_kernel(struct peer *p, struct kernel *k)
{
    struct kernel **link = &p->kernels;

    peer_lock(p);
    k->stop = true;
    peer_wake(k);
    peer_unlock(p);
    pthread_join(k->thread, NULL);
    while (*link != k)
        link = &(*link)->next;
    *link = k->next;
    ring_close(k->ring);
    free(k->base);
    free(k);
}

struct kernel *peer_find_kernel(struct peer *p, enum peer_side side,
                                uint32_t domid)
{
    struct kernel *k = p->kernels;

    while (k && (k->side != side || k->domid != domid))
        k = k->next;
    if (!k)
        fail_msg("the peer has no domain %u", domid);
    return k;
}

static void domain_changed(void *arg, uint32_t domid, bool alive)
{
    struct peer *p = arg;

    if (alive)
        start_kernel(p, PEER_FRONTEND, domid);
    else
        stop_kernel(p, peer_find_kernel(p, PEER_FRONTEND, domid));
}

struct peer *peer_start(struct store *s)
{
    struct peer *p = calloc(1, sizeof(*p));
    const uint32_t *domids;
    unsigned num = store_domains(s, &domids);

    if (!p)
        abort();
    p->store = s;
    p->offer = "128";
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    for (unsigned i = 0; i < PEER_NUM_SIDES; i++)
        p->manners[i].freeze_at = p->manners[i].close_at = PEER_NEVER;
    start_kernel(p, PEER_BACKEND, 0);
    for (unsigned i = 0; i < num; i++)
        start_kernel(p, PEER_FRONTEND, domids[i]);
    store_set_domain_hook(s, domain_changed, p);
    return p;
}

void peer_stop(struct peer *p)
{
    if (!p)
        return;
    store_set_domain_hook(p->store, NULL, NULL);
    while (p->kernels)
        stop_kernel(p, p->kernels);
    peer_behave(p);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p->log);
    free(p);
}

/* ----- jobs ----- */

void peer_run_job(struct kernel *k, void (*run)(struct kernel *, void *),
                  void *arg)
{
    struct job job = { .run = run, .arg = arg };

    peer_lock(k->peer);
    /* cppcheck-suppress autoVariables; it is done with before we return */
    k->job = &job;
    peer_wake(k);
    while (!job.done)
        pthread_cond_wait(&k->peer->changed, &k->peer->lock);
    peer_unlock(k->peer);
}

struct guest_change {
    char *path;
    const char *value;
    int rc;
};

static void change_node(struct kernel *k, void *arg)
{
    struct guest_change *c = arg;

    c->rc = c->value ? ring_write(k->ring, 0, c->path, c->value) :
                       ring_rm(k->ring, 0, c->path);
}

int peer_guest_write(struct peer *p, uint32_t domid, const char *path,
                     const char *value)
{
    struct guest_change c = { .value = value };

    c.path = *path == '/' ? text_copy(path) :
             text_new("/local/domain/%u/%s", domid, path);
    peer_run_job(peer_find_kernel(p, PEER_FRONTEND, domid), change_node, &c);
    free(c.path);
    return c.rc;
}

int peer_guest_rm(struct peer *p, uint32_t domid, const char *path)
{
    return peer_guest_write(p, domid, path, NULL);
}

static void check_idle(struct kernel *k, void *arg)
{
    bool *idle = arg;

    /* What was changed before is announced before this is answered. */
    free(ring_read(k->ring, 0, "/local"));
    peer_lock(k->peer);
    *idle = k->peer->manners[k->side].frozen || !ring_has_event(k->ring);
    peer_unlock(k->peer);
}

static unsigned long events_handled(struct peer *p)
{
    unsigned long sum = 0;

    peer_lock(p);
    for (struct kernel *k = p->kernels; k; k = k->next)
        sum += k->handled;
    peer_unlock(p);
    return sum;
}

void peer_settle(struct peer *p)
{
    unsigned long before;
    bool all, idle = false;

    do {
        before = events_handled(p);
        all = true;
        for (struct kernel *k = p->kernels; k; k = k->next) {
            peer_run_job(k, check_idle, &idle);
            all = all && idle;
        }
    } while (!all || events_handled(p) != before);
}
