/* SPDX-License-Identifier: LGPL-2.1-only */
/* Becoming the distribution's xl; needs libc only. */
#ifndef XL_EXEC_H
#define XL_EXEC_H

#include <stdbool.h>

/* Exit codes, as the distribution's xl uses them. */
#define XL_OK      0
#define XL_FAILURE 1
#define XL_USAGE   2

/* Where it is. */
extern const char xl_real[];

/* False, and said, if what should be the distribution's xl is this program. */
bool xl_check_real(void);
/* Becomes the distribution's xl; returns an exit code if that fails. */
int xl_exec_real(char **argv);

#endif /* XL_EXEC_H */
