/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Every request to xenstore and every change of configfs that the library
 * makes, as a step at which a test can do something.  Works by the linker's
 * --wrap of the calls below libxl_vscsi_store.c and libxl_vscsi_configfs.c.
 */
#ifndef TESTS_FAULTS_STEPS_H
#define TESTS_FAULTS_STEPS_H

#include <stdbool.h>

/* Called before (done false) and after step number 1, 2, ...; what it does
 * itself is no step. */
typedef void steps_hook(unsigned step, bool done);

/* For this thread, from now on; hook NULL only counts. */
void steps_begin(steps_hook *hook);
/* Steps since _begin; those of xenstore alone in *requests_r. */
unsigned steps_end(unsigned *requests_r);

/* Changes of configfs are those below this directory. */
void steps_set_configfs(const char *root);

#endif /* TESTS_FAULTS_STEPS_H */
