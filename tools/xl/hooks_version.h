/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the launcher and the two objects of the hooks know each other by. */
#ifndef HOOKS_VERSION_H
#define HOOKS_VERSION_H

/*
 * Each of the three may be replaced while an xl that has loaded another of
 * them waits for its guest to reboot, or by half an installation: they work
 * together only if they have the same number, which is another one whenever
 * something changes here or in hooks.h.
 */
#define HOOKS_INTERFACE 2

#define HOOKS_TEXT(number) #number
#define HOOKS_TEXT_OF(macro) HOOKS_TEXT(macro)

/* In the preloaded object, for the launcher to find. */
#define HOOKS_STAMP "xl-vscsi-hooks interface " HOOKS_TEXT_OF(HOOKS_INTERFACE)
/* What the launcher ends a command with that is not to run without the
 * hooks: they take it away, and an xl without them has no such command. */
#define HOOKS_MARK "+vscsi" HOOKS_TEXT_OF(HOOKS_INTERFACE)

#endif /* HOOKS_VERSION_H */
