/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the fakes around the hooks share; fakelibxl.c has it. */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stddef.h>

/* A line in the file "calls". */
void fake_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What FAIL in the environment says of a function; else 0. */
int fake_rc(const char *name);
/* The beginning of a file in the current directory, if it is there. */
bool fake_read(const char *path, char *text_r, size_t size);

#endif /* FAKE_H */
