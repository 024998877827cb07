/* SPDX-License-Identifier: LGPL-2.1-only */
/* How connections of the harness make themselves known in the trace. */
#ifndef TESTS_STORE_STORE_INTERNAL_H
#define TESTS_STORE_STORE_INTERNAL_H

/* Read by a connection right after it was opened; no such node exists. */
#define STORE_LABEL_FIXTURE "/harness/fixture"
#define STORE_LABEL_KERNEL "/harness/kernel"

#endif /* TESTS_STORE_STORE_INTERNAL_H */
