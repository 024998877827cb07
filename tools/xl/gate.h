/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The gate: has this xl to do with vscsi, and is there what can do it?  What
 * starts, saves, sends, restarts or resumes a domain passes it first.
 */
#ifndef GATE_H
#define GATE_H

#include "hooks.h"

#define NO_DOMID ((uint32_t)-1)
/* As it is in a text that libxl has written. */
#define JSON_KEY "\"" HOOKS_JSON_KEY "\""

#define PUBLIC __attribute__((visibility("default")))

#pragma GCC visibility push(hidden)

typedef enum gate_state {
    GATE_NOTHING,               /* nothing to do with vscsi */
    GATE_LOADED,                /* it matters, and gate_life does it */
    GATE_REFUSED,               /* it matters, and nothing can do it */
} gate_state;

/* This program is xl, and its admin has not said XL_VSCSI=off.  Otherwise
 * everything passes. */
extern bool gate_is_on;
/* How many -v it was given. */
extern unsigned gate_verbose;
/* The other object, once it is loaded. */
extern const hooks_life *gate_life;

/* What is being restored is a guest that has SCSI devices. */
extern bool gate_saved_has_devices;

/* What we stand before; xl_vscsi_hooks.c has it. */
const hooks_real *real(void);

/* Whether vscsi matters to what xl goes on to make, by what it has read:
 * holds until it has read something else. */
void gate_matters(bool matters);
gate_state gate_now(void);
/* The same where it does matter, for whatever reason. */
gate_state gate_needed(void);
/* For what is done to a domain, by the toolstack's own record of it.  A
 * record that cannot be read is one. */
gate_state gate_domain(uint32_t domid);

/* Says in xenstore that this xl, which restarts the domain, has the hooks;
 * scsi-attach warns where nobody said so. */
void gate_mark(uint32_t domid);

/* After GATE_REFUSED: what does not happen, or happens without us, as the
 * beginning of a sentence; the reason and the way out follow. */
void gate_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The reason alone. */
const char *gate_reason(void);

#pragma GCC visibility pop

#endif /* GATE_H */
