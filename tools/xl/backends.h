/* SPDX-License-Identifier: LGPL-2.1-only */
/* What backend devices dom0's kernel has. */
#ifndef BACKENDS_H
#define BACKENDS_H

#include <stdbool.h>

/* Has any guest a vscsictrl?  Mostly none has.  True where nobody can say. */
bool backends_any(void);

#endif /* BACKENDS_H */
