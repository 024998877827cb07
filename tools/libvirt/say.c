/* SPDX-License-Identifier: LGPL-2.1-only */
/* Messages of ours, on stderr: virsh shows it, or a terminal, or a log. */
#include <stdarg.h>

#include "hook.h"

void say(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s: %s\n", say_prefix, text);
}
