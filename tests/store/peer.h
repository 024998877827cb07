/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A scripted peer: plays the kernel of dom0 with its backend driver and the
 * kernel of every domain with its frontend driver, on the store's xenstored.
 * Each kernel is one thread that does one thing at a time, and speaks to
 * xenstored through its domain's own ring, with that domain's rights.
 *
 * All calls are made from the test's thread and take effect before they
 * return.  A vdev or pdev is compared with the text in the store.  What is
 * returned as char * is for free().
 */
#ifndef TESTS_STORE_PEER_H
#define TESTS_STORE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum peer_side { PEER_BACKEND, PEER_FRONTEND };

struct peer;

/* Domains that are created later get their kernel too. */
struct peer *peer_start(struct store *s);
void peer_stop(struct peer *p);

/*
 * Returns when neither kernel has anything left to do, so that "nothing
 * happens any more" can be asserted.  A frozen side counts as idle.
 */
void peer_settle(struct peer *p);

/* ----- misbehaviour; a side means all kernels of it ----- */

/* Drivers are there from the start; unloading is rmmod. */
void peer_set_backend_loaded(struct peer *p, bool loaded);
void peer_set_frontend_loaded(struct peer *p, uint32_t domid, bool loaded);

/* Answers nothing until _thaw(), from now on, or from when it sees the
 * other end in state.  What happened meanwhile is seen after _thaw(). */
void peer_freeze(struct peer *p, enum peer_side side);
void peer_freeze_at(struct peer *p, enum peer_side side, int state);
void peer_thaw(struct peer *p, enum peer_side side);
/* Waits before each answer. */
void peer_set_delay(struct peer *p, enum peer_side side, unsigned delay_ms);
/* Closes, once, when it sees the other end in state: the backend fails
 * and goes to 5, the frontend gives its host up and goes to 6. */
void peer_close_at(struct peer *p, enum peer_side side, int state);
/* The device's state becomes 6 when it is its turn. */
void peer_refuse_vdev(struct peer *p, enum peer_side side, const char *vdev);
void peer_refuse_pdev(struct peer *p, const char *pdev);
/* The device's state stays as it is. */
void peer_ignore_vdev(struct peer *p, enum peer_side side, const char *vdev);
/* What the backend driver offers as feature-sg-grant when it probes, "128"
 * at first; NULL: nothing.  Not copied. */
void peer_set_offer(struct peer *p, const char *segments);
/* Ends everything above but drivers and the offer: no delay, no refusals,
 * thawed. */
void peer_behave(struct peer *p);

/* A guest writes or removes; 0 or what xenstored says.  Paths without '/'
 * at the beginning are below the guest's /local/domain/D. */
int peer_guest_write(struct peer *p, uint32_t domid, const char *path,
                     const char *value);
int peer_guest_rm(struct peer *p, uint32_t domid, const char *path);

/* ----- what it saw ----- */

/* LUN scans of the backend: connects and reconfigurations. */
unsigned peer_handshakes(struct peer *p);
unsigned peer_reconfigurations(struct peer *p);
/* LUNs of a vscsictrl that the backend has mapped, that the guest has. */
unsigned peer_mapped(struct peer *p, uint32_t domid, unsigned devid);
unsigned peer_guest_luns(struct peer *p, uint32_t domid, unsigned devid);
/* Lines like "backend 5/0: sees 3", "frontend 5/0: dev-1 4". */
char *peer_log(struct peer *p);
/* As store_violations(). */
unsigned peer_violations(struct peer *p, char **text_r);

#endif /* TESTS_STORE_PEER_H */
