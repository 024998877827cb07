/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs the program named xl of this directory, in a directory of the test's
 * own, and keeps what came out of it. */
#ifndef RIG_H
#define RIG_H

/* main() calls it with argv[0], from the top of a directory to build in. */
void rig_begin(const char *argv0);
void rig_end(void);

/* The program named xl and the preloaded object, as they are at first. */
void rig_use_hooks(void);
/* The second object: NAME of life-NAME.so; "missing", "garbage". */
void rig_use_life(const char *name);
/* A file of the directory; text NULL: none. */
void rig_put(const char *path, const char *text);
/* What it holds; "" if there is none.  Holds until the next call. */
const char *rig_get(const char *path);
/* Removes what a run left and what was put there. */
void rig_clean(void);

/*
 * Runs a command of the shell, "$xl" in which is xl with the hooks, "$bare"
 * xl without, "$launch" the launcher in front of it, and "$built" where all
 * of them were built, and returns its exit code.  Its output is in the files
 * "out" and "err", and what libxl was asked for in "calls".
 */
int rig_run(const char *command);
/* The number of times that text occurs in "err". */
int rig_says(const char *text);

#endif /* RIG_H */
