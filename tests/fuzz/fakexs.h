/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An xenstore in memory, in the place of libxenstore: nodes, directories
 * and transactions for one client, and failures where they are wanted.
 * Nothing is checked but what a client could trip over.
 */
#ifndef TESTS_FUZZ_FAKEXS_H
#define TESTS_FUZZ_FAKEXS_H

#include <stdbool.h>
#include <stddef.h>

/* Empty, and without failures. */
void fakexs_reset(void);
/* A node with its parents, as xs_write() would; any value. */
void fakexs_put(const char *path, const char *value, size_t len);
/* From now on the count-th request (from 1; 0: none) and all after it fail
 * with errnoval. */
void fakexs_fail(unsigned count, int errnoval);
/* How many requests have failed because of it. */
unsigned fakexs_failed(void);
/* The next count transactions end in a conflict. */
void fakexs_conflict(unsigned count);
/* "PATH=VALUE\n" of each node that is not below path; free(). */
char *fakexs_dump_without(const char *path);

#endif /* TESTS_FUZZ_FAKEXS_H */
