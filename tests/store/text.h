/* SPDX-License-Identifier: LGPL-2.1-only */
/* Growing text and formatted strings for tests; out of memory aborts. */
#ifndef TESTS_STORE_TEXT_H
#define TESTS_STORE_TEXT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 1, 2)))
static inline char *text_new(const char *fmt, ...)
{
    va_list ap;
    char *text;
    int r;

    va_start(ap, fmt);
    r = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (r < 0)
        abort();
    return text;
}

/* *text is NULL at first; it is replaced by itself with more at its end. */
__attribute__((format(printf, 2, 3)))
static inline void text_add(char **text, const char *fmt, ...)
{
    va_list ap;
    char *more, *all;
    int r;

    va_start(ap, fmt);
    r = vasprintf(&more, fmt, ap);
    va_end(ap);
    if (r < 0)
        abort();
    if (!*text) {
        *text = more;
        return;
    }
    r = asprintf(&all, "%s%s", *text, more);
    if (r < 0)
        abort();
    free(more);
    free(*text);
    *text = all;
}

static inline char *text_copy(const char *from)
{
    return text_new("%s", from);
}

#endif /* TESTS_STORE_TEXT_H */
