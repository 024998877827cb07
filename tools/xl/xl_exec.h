/* SPDX-License-Identifier: LGPL-2.1-only */
/* Becoming the distribution's xl; needs libc only. */
#ifndef XL_EXEC_H
#define XL_EXEC_H

#include <stdbool.h>
#include <stddef.h>

/* Exit codes, as the distribution's xl uses them. */
#define XL_OK      0
#define XL_FAILURE 1
#define XL_USAGE   2

/* Where Linux says which release of Xen runs. */
#ifndef XL_RELEASE
#define XL_RELEASE "/sys/hypervisor/version"
#endif

/* Where the distribution's xl is. */
extern const char xl_real[];

/* "4.17", the release of Xen that runs here, or NULL if none does. */
const char *xl_running_release(void);
/*
 * A path of ours, which may have a %s for the release that runs: fills in
 * path_r, of size bytes.  False if there has to be one and none runs.
 */
bool xl_find_ours(const char *pattern, char *path_r, size_t size);
/* On stderr, after "cannot ...: ": the text of errno, and what to install
 * where the path is one of a release. */
void xl_say_not_there(const char *pattern);

/* False, and said, if what should be the distribution's xl is this program. */
bool xl_check_real(void);
/* Becomes the distribution's xl; returns an exit code if that fails. */
int xl_exec_real(char **argv);

/* Prepares environment and command so that the hooks, at a path as
 * xl_find_ours() takes it, are loaded into it.  False, and said, if that
 * cannot be and the command is not to run without.  In xl_preload.c. */
bool xl_preload(const char *pattern, char **argv);

#endif /* XL_EXEC_H */
