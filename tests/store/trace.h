/* SPDX-License-Identifier: LGPL-2.1-only */
/* What xenstored did, read from its trace. */
#ifndef TESTS_STORE_TRACE_H
#define TESTS_STORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>

enum trace_who {
    TRACE_TESTED,               /* nobody of the harness */
    TRACE_FIXTURE,
    TRACE_KERNEL,               /* peer.c, playing a kernel */
};

struct trace_request {
    long offset;                /* in the trace file */
    enum trace_who who;
    unsigned conn;              /* numbered in the order they came */
    bool ok;                    /* false: xenstored answered with an error */
    const char *type;           /* "WRITE" */
    const char *path;           /* first argument, "" if there is none */
    const char *value;          /* the rest */
};

struct trace {
    struct trace_request *requests;
    size_t num;
    char *text;                 /* private */
};

/* dir: store_dir().  All requests since the start, in order. */
struct trace *trace_load(const char *dir);
void trace_free(struct trace *t);

/*
 * Calls each() for every write (value) and removal (NULL) that took effect,
 * in the order in which it did: those of a transaction together, when it
 * is committed.  Before the first and after the last of such a set, each()
 * is called with path NULL: a set begins, with who did it; a set is over.
 */
struct trace_change {
    const struct trace_request *request;
    const char *path, *value;
    bool begins;
};
typedef void trace_each(void *arg, const struct trace_change *change);
void trace_replay(const struct trace *t, trace_each *each, void *arg);

#endif /* TESTS_STORE_TRACE_H */
