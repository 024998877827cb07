/* SPDX-License-Identifier: LGPL-2.1-only */
/* What an object that is preloaded into a program needs to know first. */
#ifndef PRELOADED_H
#define PRELOADED_H

#include <stdbool.h>

/* Is this a process of the program of that name? */
bool preloaded_into(const char *program);
/* Takes the object in which symbol lies out of LD_PRELOAD: it is not for what
 * the program starts.  Other objects stay. */
void preloaded_leave(const void *symbol);

#endif /* PRELOADED_H */
