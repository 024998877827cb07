/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenstore as a kernel sees it: through the page it shares with xenstored.
 * So xenstored applies to a guest what it applies to every guest.  One thread
 * per ring.  Functions that return int return 0 or an errno value.
 */
#ifndef TESTS_STORE_RING_H
#define TESTS_STORE_RING_H

#include <stdbool.h>
#include <stdint.h>

struct ring;

/* dir: store_dir().  The domain must be known to xenstored. */
struct ring *ring_open(const char *dir, uint32_t domid);
void ring_close(struct ring *r);

/* tx: 0, or from ring_begin().  NULL and errno on failure; free(). */
char *ring_read(struct ring *r, uint32_t tx, const char *path);
int ring_write(struct ring *r, uint32_t tx, const char *path,
               const char *value);
int ring_rm(struct ring *r, uint32_t tx, const char *path);
/* Names, one after the other, each with its NUL; *num_r their number. */
char *ring_directory(struct ring *r, uint32_t tx, const char *path,
                     unsigned *num_r);
int ring_begin(struct ring *r, uint32_t *tx_r);
int ring_end(struct ring *r, uint32_t tx);
int ring_watch(struct ring *r, const char *path, const char *token);
int ring_unwatch(struct ring *r, const char *path, const char *token);

/* Takes the oldest watch event; false if there is none yet.  free() both. */
bool ring_event(struct ring *r, char **path_r, char **token_r);
/* Is there one to take? */
bool ring_has_event(struct ring *r);
/* Sleeps until there may be an event, or ring_kick() was called. */
void ring_sleep(struct ring *r);
/* Wakes a ring_sleep(), now or the next.  From any thread. */
void ring_kick(struct ring *r);

#endif /* TESTS_STORE_RING_H */
