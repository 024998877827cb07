/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The part of the peer that every kernel has: devices appear and vanish
 * with their nodes, a driver hears of changes of the other end's state, and
 * a driver's own state is cached.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer_internal.h"
#include "text.h"

/* ----- nodes ----- */

char *bus_read(struct kernel *k, const char *dir, const char *name)
{
    char *path = text_new("%s/%s", dir, name);
    char *value = ring_read(k->ring, 0, path);

    free(path);
    return value;
}

int bus_write(struct kernel *k, const char *dir, const char *name,
              const char *value)
{
    char *path = text_new("%s/%s", dir, name);
    int rc = ring_write(k->ring, 0, path, value);

    free(path);
    return rc;
}

static bool exists(struct kernel *k, const char *path)
{
    char *value = ring_read(k->ring, 0, path);

    free(value);
    return value != NULL;
}

/* What no driver knows is one of these, and not PEER_NEVER. */
#define BAD_STATE 99

static int parse_state(const char *text)
{
    char *end;
    long state = text ? strtol(text, &end, 10) : PEER_NO_STATE;

    if (!text || end == text)
        return PEER_NO_STATE;
    return state < 0 || state > BAD_STATE ? BAD_STATE : (int)state;
}

int bus_read_state(struct kernel *k, const char *node)
{
    char *text = bus_read(k, node, "state");
    int state = parse_state(text);

    free(text);
    return state;
}

/* 0, ENODATA where there is no state any more, EAGAIN, or another errno. */
static int try_switch(struct kernel *k, const char *path, const char *value)
{
    uint32_t tx;
    char *text;
    int rc = ring_begin(k->ring, &tx), end_rc;

    if (rc)
        return rc;
    text = ring_read(k->ring, tx, path);
    if (!text)
        rc = ENODATA;
    free(text);
    if (!rc)
        rc = ring_write(k->ring, tx, path, value);
    end_rc = ring_end(k->ring, tx);
    return rc ? rc : end_rc;
}

void bus_switch_state(struct device *d, int state)
{
    char *path, *value;
    int rc;

    if (state == d->state)
        return;
    path = text_new("%s/state", d->node);
    value = text_new("%d", state);
    do
        rc = try_switch(d->kernel, path, value);
    while (rc == EAGAIN);
    if (rc && rc != ENODATA)
        peer_note(d, "cannot write state %d: %s", state, strerror(rc));
    if (!rc)
        peer_note(d, "%d", state);
    if (rc != ENODATA)
        d->state = state;
    free(path), free(value);
}

void bus_fatal(struct device *d)
{
    peer_note(d, "fails");
    bus_switch_state(d, XenbusStateClosing);
}

/* ----- devices ----- */

/* "BASE/5/0/state" or "BASE/0": the numbers that name a device. */
static bool parse_node(struct kernel *k, const char *path, uint32_t *domid_r,
                       unsigned *ref_r)
{
    size_t len = strlen(k->base);
    const char *p = path + len;
    char *end;

    *domid_r = k->domid;
    if (strncmp(path, k->base, len) || *p != '/')
        return false;
    p++;
    if (k->side == PEER_BACKEND) {
        *domid_r = (uint32_t)strtoul(p, &end, 10);
        if (end == p || *end != '/')
            return false;
        p = end + 1;
    }
    *ref_r = (unsigned)strtoul(p, &end, 10);
    return end != p && (!*end || *end == '/');
}

static void watch_otherend(struct device *d, bool on)
{
    char *path = text_new("%s/state", d->otherend);
    char *token = text_new("%u", d->id);

    if (on)
        ring_watch(d->kernel->ring, path, token);
    else
        ring_unwatch(d->kernel->ring, path, token);
    free(path), free(token);
}

static void bind_driver(struct device *d)
{
    struct kernel *k = d->kernel;

    if (!k->loaded || d->bound || !peer_gate(k, XenbusStateInitialising))
        return;
    if (!exists(k, d->otherend)) {
        bus_fatal(d);
        return;
    }
    if (!k->driver->probe(d))
        return;
    d->bound = true;
    watch_otherend(d, true);
}

static void unbind_driver(struct device *d)
{
    if (!d->bound)
        return;
    d->bound = false;
    watch_otherend(d, false);
    d->kernel->driver->remove(d);
    bus_switch_state(d, XenbusStateClosed);
}

void bus_unregister(struct device *d)
{
    if (d->gone)
        return;
    peer_note(d, "unregistered");
    peer_lock(d->kernel->peer);
    d->gone = true;
    peer_unlock(d->kernel->peer);
    unbind_driver(d);
}

static void free_gone(struct kernel *k)
{
    struct device **link = &k->devices, *d;

    while ((d = *link)) {
        if (!d->gone) {
            link = &d->next;
            continue;
        }
        peer_lock(k->peer);
        *link = d->next;
        peer_unlock(k->peer);
        free(d->node), free(d->otherend), free(d);
    }
}

/* The kernel makes a device only of nodes that are new. */
static void new_device(struct kernel *k, const char *node, uint32_t domid,
                       unsigned devid)
{
    const char *name = k->side == PEER_BACKEND ? "frontend" : "backend";
    char *otherend = bus_read(k, node, name);
    struct device *d;

    if (bus_read_state(k, node) != XenbusStateInitialising || !otherend ||
        (k->side == PEER_BACKEND && !exists(k, otherend))) {
        free(otherend);
        return;
    }
    d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    d->kernel = k;
    d->id = k->next_id++;
    d->domid = domid;
    d->devid = devid;
    d->node = text_copy(node);
    d->otherend = otherend;
    d->state = XenbusStateInitialising;
    peer_lock(k->peer);
    d->next = k->devices;
    k->devices = d;
    peer_unlock(k->peer);
    peer_note(d, "new");
    bind_driver(d);
}

static void check_device(struct kernel *k, uint32_t domid, unsigned devid)
{
    char *node = k->side == PEER_BACKEND ?
        text_new("%s/%u/%u", k->base, domid, devid) :
        text_new("%s/%u", k->base, devid);
    struct device *d = k->devices;
    bool there = exists(k, node);

    while (d && (d->gone || d->domid != domid || d->devid != devid))
        d = d->next;
    if (d && !there)
        bus_unregister(d);
    else if (!d && there)
        new_device(k, node, domid, devid);
    free(node);
}

/* Calls check_device() for what is listed below dir, levels deep. */
static void look_around(struct kernel *k, const char *dir, unsigned levels)
{
    unsigned num = 0, devid;
    uint32_t domid;
    char *names = ring_directory(k->ring, 0, dir, &num), *path;
    const char *name = names;

    for (; num; num--, name += strlen(name) + 1) {
        path = text_new("%s/%s", dir, name);
        if (levels > 1)
            look_around(k, path, levels - 1);
        else if (parse_node(k, path, &domid, &devid))
            check_device(k, domid, devid);
        free(path);
    }
    free(names);
}

static void bus_changed(struct kernel *k, const char *path)
{
    uint32_t domid;
    unsigned devid;

    if (!peer_gate(k, PEER_NO_STATE))
        return;
    if (parse_node(k, path, &domid, &devid)) {
        check_device(k, domid, devid);
        return;
    }
    for (struct device *d = k->devices; d; d = d->next)
        if (!d->gone)
            check_device(k, d->domid, d->devid);
    if (!strcmp(path, k->base))
        look_around(k, path, k->side == PEER_BACKEND ? 2 : 1);
}

static void otherend_changed(struct kernel *k, const char *token)
{
    unsigned id = (unsigned)strtoul(token, NULL, 10);
    struct device *d = k->devices;
    int state;

    while (d && (d->gone || !d->bound || d->id != id))
        d = d->next;
    if (!d)
        return;
    state = bus_read_state(k, d->otherend);
    if (!peer_gate(k, state))
        return;
    state = bus_read_state(k, d->otherend);
    peer_note(d, "sees %d", state);
    if (peer_must_close(k, state)) {
        d->failed = true;
        k->driver->fail(d);
    } else if (!d->failed || state == PEER_NO_STATE ||
               state == XenbusStateClosing || state == XenbusStateClosed) {
        k->driver->otherend_changed(d, state);
    }
}

void bus_set_loaded(struct kernel *k, bool loaded)
{
    k->loaded = loaded;
    for (struct device *d = k->devices; d; d = d->next) {
        if (d->gone)
            continue;
        if (loaded)
            bind_driver(d);
        else
            unbind_driver(d);
    }
}

/* ----- the thread ----- */

/* False: there was no event. */
static bool serve(struct kernel *k)
{
    char *path, *token;

    if (!ring_event(k->ring, &path, &token))
        return false;
    if (!strcmp(token, "bus"))
        bus_changed(k, path);
    else
        otherend_changed(k, token);
    free_gone(k);
    free(path), free(token);
    peer_lock(k->peer);
    k->handled++;
    peer_unlock(k->peer);
    return true;
}

void *bus_thread(void *kernel)
{
    struct kernel *k = kernel;

    ring_watch(k->ring, k->base, "bus");
    while (peer_next(k))
        if (!serve(k))
            ring_sleep(k->ring);
    ring_unwatch(k->ring, k->base, "bus");
    for (struct device *d = k->devices; d; d = d->next) {
        if (d->bound)
            watch_otherend(d, false);
        d->gone = true;
    }
    free_gone(k);
    return NULL;
}

/* ----- LUNs ----- */

void bus_scan(struct device *d, const char *dir, bus_each_dev *each,
              void *arg)
{
    struct kernel *k = d->kernel;
    char *devs = text_new("%s/vscsi-devs", dir), *path, *text;
    unsigned num = 0;
    char *names = ring_directory(k->ring, 0, devs, &num);
    const char *name = names;

    for (; num; num--, name += strlen(name) + 1) {
        if (strlen(name) > PEER_NAME_MAX)
            continue;
        path = text_new("%s/%s", devs, name);
        text = bus_read(k, path, "state");
        if (text)
            each(d, name, parse_state(text), arg);
        free(text), free(path);
    }
    free(names), free(devs);
}

void bus_set_dev(struct device *d, const char *dir, const char *name,
                 int state)
{
    char *path = text_new("%s/vscsi-devs/%s", dir, name);
    char *value = text_new("%d", state);
    int rc = bus_write(d->kernel, path, "state", value);

    if (rc)
        peer_note(d, "cannot write %s %d: %s", name, state, strerror(rc));
    else
        peer_note(d, "%s %d", name, state);
    free(path), free(value);
}

unsigned bus_parse_vdev(const char *text, struct lun *lun)
{
    unsigned hst = 0, num = 0;
    unsigned *const fields[] = { &hst, &lun->chn, &lun->tgt, &lun->lun };
    char *end;

    while (num < 4) {
        unsigned long value = strtoul(text, &end, 10);

        if (end == text)
            break;
        *fields[num++] = (unsigned)value;
        if (*end != ':')
            break;
        text = end + 1;
    }
    return num;
}

static unsigned find_lun(const struct device *d, const struct lun *lun)
{
    unsigned i = 0;

    while (i < d->num_luns &&
           (d->luns[i].chn != lun->chn || d->luns[i].tgt != lun->tgt ||
            d->luns[i].lun != lun->lun))
        i++;
    return i;
}

bool bus_add_lun(struct device *d, const struct lun *lun)
{
    bool ok;

    peer_lock(d->kernel->peer);
    ok = find_lun(d, lun) == d->num_luns && d->num_luns < PEER_MAX_LUNS;
    if (ok)
        d->luns[d->num_luns++] = *lun;
    peer_unlock(d->kernel->peer);
    return ok;
}

bool bus_del_lun(struct device *d, const struct lun *lun)
{
    unsigned i;
    bool ok;

    peer_lock(d->kernel->peer);
    i = find_lun(d, lun);
    ok = i < d->num_luns;
    if (ok)
        d->luns[i] = d->luns[--d->num_luns];
    peer_unlock(d->kernel->peer);
    return ok;
}
