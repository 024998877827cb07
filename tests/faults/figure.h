/* SPDX-License-Identifier: LGPL-2.1-only */
/* Figures, which check.sh collects into its table, and how long it may
 * take to gain them. */
#ifndef TESTS_FAULTS_FIGURE_H
#define TESTS_FAULTS_FIGURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PVSCSI_FAULTS=long tries everything, else a sample that is always the
 * same. */
static inline bool figure_long(void)
{
    const char *env = getenv("PVSCSI_FAULTS");

    return env && !strcmp(env, "long");
}

/* One row; effects are what must not be: leftovers, changes, losses. */
static inline void figure_row(const char *name, unsigned tried,
                              unsigned survived, unsigned effects)
{
    printf("# figure| %-44s | %7u | %8u | %7u\n", name, tried, survived,
           effects);
    fflush(stdout);
}

#endif /* TESTS_FAULTS_FIGURE_H */
