/* SPDX-License-Identifier: LGPL-2.1-only */
/* How the scripted peer misbehaves, and what it saw.  See peer.h. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "peer_internal.h"
#include "text.h"

/* ----- asked by the kernels ----- */

enum peer_treatment peer_treat(struct kernel *k, const char *vdev,
                               const char *pdev)
{
    enum peer_treatment treatment = PEER_ACCEPT;
    struct rule *rule;

    peer_lock(k->peer);
    for (rule = k->peer->manners[k->side].rules; rule; rule = rule->next)
        if ((rule->vdev && vdev && !strcmp(rule->vdev, vdev)) ||
            (rule->pdev && pdev && !strcmp(rule->pdev, pdev)))
            treatment = rule->treatment;
    peer_unlock(k->peer);
    return treatment;
}

bool peer_must_close(struct kernel *k, int state)
{
    struct manners *m = &k->peer->manners[k->side];
    bool must;

    peer_lock(k->peer);
    must = m->close_at == state;
    if (must)
        m->close_at = PEER_NEVER;
    peer_unlock(k->peer);
    return must;
}

/* ----- manners ----- */

/* Calls with the lock; then everybody looks again. */
#define SET(p, statement) do { \
        peer_lock(p); \
        statement; \
        pthread_cond_broadcast(&(p)->changed); \
        peer_unlock(p); \
    } while (0)

static void set_loaded(struct peer *p, enum peer_side side, uint32_t domid,
                       bool loaded)
{
    struct kernel *k = peer_find_kernel(p, side, domid);

    peer_lock(p);
    k->want_loaded = loaded;
    peer_wake(k);
    while (k->has_loaded != loaded && !p->manners[side].frozen)
        pthread_cond_wait(&p->changed, &p->lock);
    peer_unlock(p);
}

void peer_set_backend_loaded(struct peer *p, bool loaded)
{
    set_loaded(p, PEER_BACKEND, 0, loaded);
}

void peer_set_frontend_loaded(struct peer *p, uint32_t domid, bool loaded)
{
    set_loaded(p, PEER_FRONTEND, domid, loaded);
}

static void do_nothing(struct kernel *k, void *arg)
{
    (void)k, (void)arg;
}

void peer_freeze(struct peer *p, enum peer_side side)
{
    SET(p, p->manners[side].frozen = true);
    /* Until what it is just doing is done. */
    for (struct kernel *k = p->kernels; k; k = k->next)
        if (k->side == side)
            peer_run_job(k, do_nothing, NULL);
}

void peer_freeze_at(struct peer *p, enum peer_side side, int state)
{
    SET(p, p->manners[side].freeze_at = state);
}

void peer_thaw(struct peer *p, enum peer_side side)
{
    SET(p, p->manners[side].frozen = false;
        p->manners[side].freeze_at = PEER_NEVER);
}

void peer_set_delay(struct peer *p, enum peer_side side, unsigned delay_ms)
{
    SET(p, p->manners[side].delay_ms = delay_ms);
}

void peer_set_offer(struct peer *p, const char *segments)
{
    SET(p, p->offer = segments);
}

void peer_close_at(struct peer *p, enum peer_side side, int state)
{
    SET(p, p->manners[side].close_at = state);
}

static void add_rule(struct peer *p, enum peer_side side,
                     enum peer_treatment treatment, const char *vdev,
                     const char *pdev)
{
    struct rule *rule = calloc(1, sizeof(*rule));

    if (!rule)
        abort();
    rule->treatment = treatment;
    rule->vdev = vdev ? text_copy(vdev) : NULL;
    rule->pdev = pdev ? text_copy(pdev) : NULL;
    SET(p, rule->next = p->manners[side].rules;
        p->manners[side].rules = rule);
}

void peer_refuse_vdev(struct peer *p, enum peer_side side, const char *vdev)
{
    add_rule(p, side, PEER_REFUSE, vdev, NULL);
}

void peer_refuse_pdev(struct peer *p, const char *pdev)
{
    add_rule(p, PEER_BACKEND, PEER_REFUSE, NULL, pdev);
}

void peer_ignore_vdev(struct peer *p, enum peer_side side, const char *vdev)
{
    add_rule(p, side, PEER_IGNORE, vdev, NULL);
}

void peer_behave(struct peer *p)
{
    struct rule *rule;

    peer_lock(p);
    for (unsigned i = 0; i < PEER_NUM_SIDES; i++) {
        while ((rule = p->manners[i].rules)) {
            p->manners[i].rules = rule->next;
            free(rule->vdev), free(rule->pdev), free(rule);
        }
        p->manners[i] = (struct manners){
            .freeze_at = PEER_NEVER, .close_at = PEER_NEVER,
        };
    }
    pthread_cond_broadcast(&p->changed);
    peer_unlock(p);
}

/* ----- what it saw ----- */

unsigned peer_handshakes(struct peer *p)
{
    unsigned num;

    SET(p, num = p->handshakes);
    return num;
}

unsigned peer_reconfigurations(struct peer *p)
{
    unsigned num;

    SET(p, num = p->reconfigurations);
    return num;
}

static unsigned count_luns(struct peer *p, enum peer_side side,
                           uint32_t domid, unsigned devid)
{
    struct kernel *k;
    struct device *d;
    unsigned num = 0;

    k = peer_find_kernel(p, side, side == PEER_BACKEND ? 0 : domid);
    peer_lock(p);
    for (d = k->devices; d; d = d->next)
        if (!d->gone && d->domid == domid && d->devid == devid)
            num = d->num_luns;
    peer_unlock(p);
    return num;
}

unsigned peer_mapped(struct peer *p, uint32_t domid, unsigned devid)
{
    return count_luns(p, PEER_BACKEND, domid, devid);
}

unsigned peer_guest_luns(struct peer *p, uint32_t domid, unsigned devid)
{
    return count_luns(p, PEER_FRONTEND, domid, devid);
}

char *peer_log(struct peer *p)
{
    char *log;

    SET(p, log = text_copy(p->log ? p->log : ""));
    return log;
}

unsigned peer_violations(struct peer *p, char **text_r)
{
    return store_violations(p->store, text_r);
}
