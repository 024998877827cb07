/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs the xl under test and keeps what came out of it. */
#ifndef RUNNER_H
#define RUNNER_H

#include <stddef.h>
#include <sys/types.h>

typedef struct run {
    pid_t pid;
    int status;                 /* as waitpid() gives it */
    char *out;                  /* NUL-terminated; may contain more NULs */
    size_t out_length;
    char *err;
} run;

/* The absolute path of xl-under-test, which lies beside the test program;
 * main() calls runner_init() first, with its argv[0]. */
const char *xl_under_test(void);
void runner_init(const char *argv0);
/* The same with another program for xl-under-test. */
void runner_init_of(const char *argv0, const char *program);

/*
 * Runs xl-under-test with argv (argv[0] included, NULL at the end), in the
 * current directory, with input as its stdin: a text of which it reads all,
 * or NULL for the empty one.  Fails the test if it cannot be run.
 */
run run_xl(const char *input, const char *const argv[]);
/* The same as a user that may do nothing. */
run run_xl_as_nobody(const char *const argv[]);
void run_free(run *r);
/* It ended with 1, said err, and printed nothing; frees it. */
void assert_fails_with(run r, const char *err);

/* xl's argv; run_xl() with it and without input. */
#define ARGV(...) ((const char *[]){ "xl", __VA_ARGS__ })
#define XL(...) run_xl(NULL, ARGV(__VA_ARGS__))

#endif /* RUNNER_H */
