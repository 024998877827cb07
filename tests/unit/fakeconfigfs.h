/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * LIO's part of configfs, played in an ordinary directory, for programs that
 * this is linked into (or preloaded to, then by the environment alone).
 * Calls on paths below $FAKE_CONFIGFS follow the kernel's rules: mkdir makes
 * attributes, rmdir refuses, links need an enabled backstore.
 */
#ifndef TESTS_FAKECONFIGFS_H
#define TESTS_FAKECONFIGFS_H

/*
 * More of the environment:
 *  FAKE_CONFIGFS_HELD=NODE      enabling a pscsi backstore of NODE: EBUSY
 *  FAKE_CONFIGFS_NO_DRIVER=1    the fabric xen-pvscsi cannot be made
 *  FAKE_CONFIGFS_KILL=N         SIGKILL instead of the N-th change
 *  FAKE_CONFIGFS_FAIL=N         the N-th change is refused with EIO
 *  FAKE_CONFIGFS_BUSY=FILE      unlinking a LUN takes as long as FILE is there
 */

/* Like setenv() of one of these, or unsetenv(). */
void fakeconfigfs_set(const char *name, const char *value);

/* Begins with what the kernel has before anybody made anything. */
void fakeconfigfs_start(const char *root);
/* The whole of it, however it stands. */
void fakeconfigfs_remove(const char *root);
/* The backend driver begins (or ends) to use a TPG, which is a directory. */
void fakeconfigfs_set_used(const char *tpg, int used);
/* Changes since _start; _forget sets it to 0. */
unsigned fakeconfigfs_changes(void);
void fakeconfigfs_forget(void);

#endif /* TESTS_FAKECONFIGFS_H */
