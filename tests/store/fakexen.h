/* SPDX-License-Identifier: LGPL-2.1-only */
/* The event channel ports of xenstored, as fakexen.c gives them out. */
#ifndef TESTS_STORE_FAKEXEN_H
#define TESTS_STORE_FAKEXEN_H

#define FAKEXEN_VIRQ_PORT 1     /* a domain died or shut down */
#define FAKEXEN_FIRST_PORT 16u  /* + domid: that domain wrote to its ring */

#endif /* TESTS_STORE_FAKEXEN_H */
