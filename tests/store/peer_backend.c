/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The backend driver of the peer.  It acts on the frontend's state alone:
 *   3  maps the ring, scans the LUNs, 4
 *   4  every LUN that is 3 becomes 4; 4
 *   5  unmaps the ring, 5; keeps the LUNs
 *   6  6; if offline, it is gone
 *   7  scans the LUNs, 8
 *   nothing  it is gone;  anything else: fails
 * A scan adds LUNs that are 1 (-> 3, or 6) or 4 and not mapped yet (after a
 * resume), removes those that are 5 (-> 6) if it knows them, and says
 * nothing of all others.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "peer_internal.h"
#include "text.h"

#define PDEV_MAX 31             /* what is longer is cut off */
#define JUNK 0xdeadu            /* what a field that was not parsed holds */

static bool back_probe(struct device *d)
{
    const char *offer;

    peer_lock(d->kernel->peer);
    offer = d->kernel->peer->offer;
    peer_unlock(d->kernel->peer);
    if (offer)
        bus_write(d->kernel, d->node, "feature-sg-grant", offer);
    bus_switch_state(d, XenbusStateInitWait);
    return true;
}

/* NAME:LUN with a decimal LUN; what there is decides peer_treat(). */
static bool resolves(const char *pdev)
{
    char name[PDEV_MAX + 1], *colon, *end;
    size_t len = strnlen(pdev, PDEV_MAX);

    memcpy(name, pdev, len);
    name[len] = '\0';
    colon = strrchr(name, ':');
    if (!colon || colon == name || colon[1] < '0' || colon[1] > '9')
        return false;
    strtoull(colon + 1, &end, 10);
    return !*end;
}

static void add_lun(struct device *d, const char *name, int state,
                    const char *pdev, const struct lun *lun)
{
    bool ok = resolves(pdev) && bus_add_lun(d, lun);

    if (ok)
        bus_set_dev(d, d->node, name, XenbusStateInitialised);
    else if (state == XenbusStateInitialising)
        bus_set_dev(d, d->node, name, XenbusStateClosed);
}

static void scan_lun(struct device *d, const char *name, int state,
                     const char *pdev, const char *vdev)
{
    struct lun lun = { JUNK, JUNK, JUNK };
    enum peer_treatment treatment;

    if (!pdev || !vdev || !bus_parse_vdev(vdev, &lun)) {
        bus_set_dev(d, d->node, name, XenbusStateClosed);
        return;
    }
    treatment = peer_treat(d->kernel, vdev, pdev);
    if (treatment == PEER_IGNORE)
        return;
    if (state == XenbusStateClosing) {
        if (bus_del_lun(d, &lun))
            bus_set_dev(d, d->node, name, XenbusStateClosed);
    } else if (state == XenbusStateInitialising &&
               treatment == PEER_REFUSE) {
        bus_set_dev(d, d->node, name, XenbusStateClosed);
    } else if (state == XenbusStateInitialising ||
               (state == XenbusStateConnected &&
                treatment != PEER_REFUSE)) {
        add_lun(d, name, state, pdev, &lun);
    }
}

static void scan_each(struct device *d, const char *name, int state,
                      void *arg)
{
    char *path = text_new("%s/vscsi-devs/%s", d->node, name);
    char *pdev = bus_read(d->kernel, path, "p-dev");
    char *vdev = bus_read(d->kernel, path, "v-dev");

    (void)arg;
    scan_lun(d, name, state, pdev, vdev);
    free(pdev), free(vdev), free(path);
}

static void scan(struct device *d, bool is_reconfiguration)
{
    peer_count_handshake(d, is_reconfiguration);
    bus_scan(d, d->node, scan_each, NULL);
}

static void connect_each(struct device *d, const char *name, int state,
                         void *arg)
{
    (void)arg;
    if (state == XenbusStateInitialised)
        bus_set_dev(d, d->node, name, XenbusStateConnected);
}

static bool is_number(struct device *d, const char *name)
{
    char *text = bus_read(d->kernel, d->otherend, name);
    bool ok = text && *text >= '0' && *text <= '9';

    free(text);
    return ok;
}

/* False: nothing more is to be done now. */
static bool map_ring(struct device *d)
{
    if (d->mapped)
        return false;
    if (!is_number(d, "ring-ref") || !is_number(d, "event-channel")) {
        bus_fatal(d);
        return false;
    }
    d->mapped = true;
    return true;
}

static bool is_online(struct device *d)
{
    char *text = bus_read(d->kernel, d->node, "online");
    bool ok = text && strtol(text, NULL, 10) != 0;

    free(text);
    return ok;
}

static void back_otherend_changed(struct device *d, int state)
{
    switch (state) {
    case XenbusStateInitialising:
        break;
    case XenbusStateInitialised:
        if (!map_ring(d))
            break;
        scan(d, false);
        bus_switch_state(d, XenbusStateConnected);
        break;
    case XenbusStateConnected:
        bus_scan(d, d->node, connect_each, NULL);
        bus_switch_state(d, XenbusStateConnected);
        break;
    case XenbusStateClosing:
        d->mapped = false;
        bus_switch_state(d, XenbusStateClosing);
        break;
    case XenbusStateClosed:
        bus_switch_state(d, XenbusStateClosed);
        if (!is_online(d))
            bus_unregister(d);
        break;
    case PEER_NO_STATE:
        bus_unregister(d);
        break;
    case XenbusStateReconfiguring:
        scan(d, true);
        bus_switch_state(d, XenbusStateReconfigured);
        break;
    default:
        bus_fatal(d);
        break;
    }
}

static void back_remove(struct device *d)
{
    d->mapped = false;
    peer_lock(d->kernel->peer);
    d->num_luns = 0;
    peer_unlock(d->kernel->peer);
}

const struct driver peer_backend = {
    .probe = back_probe,
    .otherend_changed = back_otherend_changed,
    .fail = bus_fatal,
    .remove = back_remove,
};
