/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fixture of the store tests: a private, real xenstored for one test.
 *
 * xenstored runs without Xen (fakexen.c).  Its socket is announced in
 * XENSTORED_RUNDIR, so a plain xs_open(0) of the code under test lands
 * there.  Everything here fails the running cmocka test if it cannot do its
 * work.  Except where said, what is returned as char * is for free().
 *
 * One store at a time, used from one thread; start it before any thread.
 */
#ifndef TESTS_STORE_STORE_H
#define TESTS_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <xenstore.h>

/* Waits in this fixture give up after this long, and fail the test. */
#define STORE_PATIENCE_MS 20000

struct store;

/*
 * The environment may name xenstored (PVSCSI_XENSTORED; else xenstored.sh
 * finds it) and fakexen.so (PVSCSI_FAKEXEN; else it lies beside the test).
 * _start may be called again after _stop.  PVSCSI_KEEP_STORE=1 makes _stop
 * keep the directory with the trace, and say where it is.
 */
struct store *store_start(void);
void store_stop(struct store *s);
/* xenstored dies; nothing but _stop goes on after that. */
void store_kill(struct store *s);

/* dom0's handle of the fixture; its requests are never counted. */
struct xs_handle *store_xs(struct store *s);
/* Where xenstored lives: rings, trace, log. */
const char *store_dir(struct store *s);

/* ----- nodes ----- */

/* NULL where there is no such node. */
char *store_read(struct store *s, const char *path);
void store_write(struct store *s, const char *path, const char *value);
void store_rm(struct store *s, const char *path);
bool store_exists(struct store *s, const char *path);
/* "n5,r0": the owner and his default first, as xenstore-ls -p prints it.
 * NULL where there is no such node. */
char *store_perms(struct store *s, const char *path);
/* perms as store_perms() returns them. */
void store_set_perms(struct store *s, const char *path, const char *perms);
/* Lines `PATH = VALUE`, sorted, of path and all below; "" if it is absent. */
char *store_dump(struct store *s, const char *path);

/*
 * Waits until the node has the value (NULL: until it is gone).  Fails the
 * test after STORE_PATIENCE_MS, printing what the node is instead.
 */
void store_wait(struct store *s, const char *path, const char *value);

/* Several writes as one transaction; value NULL removes the node. */
struct store_node {
    const char *path, *value;
};
void store_commit(struct store *s, const struct store_node *nodes,
                  unsigned num);

/* ----- domains ----- */

/*
 * What libxl leaves for a live domain: /local/domain/D with name, domid and
 * device (owner dom0, D may read), /libxl/D with device.  xenstored knows the
 * domain then, with the permissions and quotas of a guest.
 */
void store_domain_create(struct store *s, uint32_t domid);
/*
 * What libxl does on destroy: /local/domain/D and /libxl/D go, the domain
 * dies, @releaseDomain fires.  Backend directories stay.
 */
void store_domain_destroy(struct store *s, uint32_t domid);
/* The domain dies, and no toolstack cleans up after it. */
void store_domain_die(struct store *s, uint32_t domid);

/* Tells a listener (peer.c) after a domain came, before one goes. */
typedef void store_domain_hook(void *arg, uint32_t domid, bool alive);
void store_set_domain_hook(struct store *s, store_domain_hook *hook,
                           void *arg);
/* Domains that are alive; the array belongs to the store. */
unsigned store_domains(struct store *s, const uint32_t **domids_r);

/* ----- what xenstored was asked ----- */

/* "Now", for the functions below. */
long store_trace_mark(struct store *s);
/*
 * Requests that xenstored got since mark from the code under test: from
 * every connection but those of this fixture and of the peer.
 */
unsigned store_requests_since(struct store *s, long mark);
/* The same in words: "25: READ 12, WRITE 13". */
char *store_requests_text(struct store *s, long mark);
/* The same, one request a line, in order. */
char *store_requests_list(struct store *s, long mark);
/*
 * Every value that was committed to the node since the start, in order,
 * "-" for a removal: "1 2 4 7 8 4 -".
 */
char *store_history(struct store *s, const char *path);
/* Takes another handle out of the counting; call it right after xs_open. */
void store_dont_count(struct xs_handle *xsh);

/*
 * Rules of the protocol that a toolstack broke, read from the trace; the
 * list of rules is in rules.c.  Returns their number; *text_r, if not NULL,
 * says which and where ("" if none).
 */
unsigned store_violations(struct store *s, char **text_r);

#endif /* TESTS_STORE_STORE_H */
