/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The frontend driver of the peer.  It acts on the backend's state alone:
 *   4  reads how many segments it may use; if it was 3 itself: adds LUNs; 4
 *   5, 6  gives the SCSI host up, 6
 *   7  removes LUNs, 7
 *   8  adds LUNs, 4
 *   anything else: nothing
 * LUNs are those of the backend's directory: to be added if 3 there, to be
 * removed if 5.  The answer for each is its own vscsi-devs/NAME/state.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "peer_internal.h"
#include "text.h"

static int try_publish_ring(struct device *d)
{
    struct ring *r = d->kernel->ring;
    char *ring_ref = text_new("%s/ring-ref", d->node);
    char *evtchn = text_new("%s/event-channel", d->node);
    uint32_t tx;
    int rc = ring_begin(r, &tx), end_rc;

    if (!rc) {
        rc = ring_write(r, tx, ring_ref, "8");
        if (!rc)
            rc = ring_write(r, tx, evtchn, "12");
        end_rc = ring_end(r, tx);
        if (!rc)
            rc = end_rc;
    }
    free(ring_ref), free(evtchn);
    return rc;
}

static bool front_probe(struct device *d)
{
    int rc;

    do
        rc = try_publish_ring(d);
    while (rc == EAGAIN);
    if (rc) {
        peer_note(d, "cannot write ring-ref: %s", strerror(rc));
        bus_fatal(d);
        return false;
    }
    bus_switch_state(d, XenbusStateInitialised);
    return true;
}

/* Reads the v-dev of the backend's entry; false if it has none. */
static bool read_vdev(struct device *d, const char *name, struct lun *lun,
                      enum peer_treatment *treatment_r)
{
    char *path = text_new("%s/vscsi-devs/%s", d->otherend, name);
    char *vdev = bus_read(d->kernel, path, "v-dev");
    bool ok = vdev && bus_parse_vdev(vdev, lun) == 4;

    if (ok)
        *treatment_r = peer_treat(d->kernel, vdev, NULL);
    free(vdev), free(path);
    return ok;
}

static void add_each(struct device *d, const char *name, int state,
                     void *arg)
{
    enum peer_treatment treatment = PEER_ACCEPT;
    struct lun lun;

    (void)arg;
    if (state != XenbusStateInitialised ||
        !read_vdev(d, name, &lun, &treatment) || treatment == PEER_IGNORE)
        return;
    if (treatment == PEER_ACCEPT && bus_add_lun(d, &lun))
        bus_set_dev(d, d->node, name, XenbusStateConnected);
    else
        bus_set_dev(d, d->node, name, XenbusStateClosed);
}

static void remove_each(struct device *d, const char *name, int state,
                        void *arg)
{
    enum peer_treatment treatment = PEER_ACCEPT;
    struct lun lun;

    (void)arg;
    if (state != XenbusStateClosing ||
        !read_vdev(d, name, &lun, &treatment) || treatment == PEER_IGNORE)
        return;
    if (bus_del_lun(d, &lun))
        bus_set_dev(d, d->node, name, XenbusStateClosed);
}

static void front_remove(struct device *d)
{
    peer_lock(d->kernel->peer);
    d->num_luns = 0;
    peer_unlock(d->kernel->peer);
}

static void disconnect(struct device *d)
{
    front_remove(d);
    bus_switch_state(d, XenbusStateClosed);
}

static void read_segments(struct device *d)
{
    char *text = bus_read(d->kernel, d->otherend, "feature-sg-grant");

    peer_note(d, "takes %s segments", text ? text : "no");
    free(text);
}

static void front_otherend_changed(struct device *d, int state)
{
    switch (state) {
    case XenbusStateConnected:
        read_segments(d);
        if (bus_read_state(d->kernel, d->node) == XenbusStateInitialised)
            bus_scan(d, d->otherend, add_each, NULL);
        bus_switch_state(d, XenbusStateConnected);
        break;
    case XenbusStateClosing:
        disconnect(d);
        break;
    case XenbusStateClosed:
        if (d->state != XenbusStateClosed)
            disconnect(d);
        break;
    case XenbusStateReconfiguring:
        bus_scan(d, d->otherend, remove_each, NULL);
        bus_switch_state(d, XenbusStateReconfiguring);
        break;
    case XenbusStateReconfigured:
        bus_scan(d, d->otherend, add_each, NULL);
        bus_switch_state(d, XenbusStateConnected);
        break;
    default:
        break;
    }
}

const struct driver peer_frontend = {
    .probe = front_probe,
    .otherend_changed = front_otherend_changed,
    .fail = disconnect,
    .remove = front_remove,
};
