/* SPDX-License-Identifier: LGPL-2.1-only */
/* Parts of a text, and messages about them; see libxlu_vscsi_internal.h. */
#include "libxlu_vscsi_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ----- messages ----- */

/* What would act on a terminal becomes \xNN, and long texts are cut. */
const char *xlu__vscsi_quote(xlu__vscsi_span text,
                             char buf[XLU__VSCSI_QUOTE_SIZE])
{
    char *out = buf;
    size_t i;

    *out++ = '\'';
    for (i = 0; i < text.len && out - buf < XLU__VSCSI_QUOTE_MAX; i++) {
        unsigned char c = (unsigned char)text.s[i];

        if (c >= ' ' && c <= '~')
            *out++ = (char)c;
        else
            out += snprintf(out, sizeof("\\xff"), "\\x%02x", c);
    }
    snprintf(out, sizeof("...'"), "%s", i < text.len ? "...'" : "'");
    return buf;
}

static xlu__vscsi_span whole(const char *s)
{
    return (xlu__vscsi_span){ s, strlen(s) };
}

int xlu__vscsi_fail(const xlu__vscsi_source *src, xlu__vscsi_span at,
                    const char *fmt, ...)
{
    char spec[XLU__VSCSI_QUOTE_SIZE], place[XLU__VSCSI_QUOTE_SIZE];
    char what[XLU__VSCSI_QUOTE_SIZE + 256], *msg = NULL;
    va_list ap;

    if (!src->msg_r)
        return ERROR_INVAL;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (!at.len)
        at = whole(at.s);       /* empty: what follows shows where */
    if (asprintf(&msg, "vscsi: %s: %s (at %s)",
                 xlu__vscsi_quote(whole(src->spec), spec), what,
                 at.len ? xlu__vscsi_quote(at, place) : "its end") < 0)
        msg = NULL;
    *src->msg_r = msg;
    return msg ? ERROR_INVAL : ERROR_NOMEM;
}

int xlu__vscsi_fail_nomem(const xlu__vscsi_source *src)
{
    if (src->msg_r)
        *src->msg_r = NULL;
    return ERROR_NOMEM;
}

/* ----- parts ----- */

bool xlu__vscsi_is(xlu__vscsi_span text, const char *word)
{
    return text.len == strlen(word) && !memcmp(text.s, word, text.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

xlu__vscsi_span xlu__vscsi_trimmed(const char *s, size_t len)
{
    while (len && is_blank(*s)) {
        s++;
        len--;
    }
    while (len && is_blank(s[len - 1]))
        len--;
    return (xlu__vscsi_span){ s, len };
}

/* The bytes of the character at s in UTF-8; 0 if it is none, or one that
 * controls a terminal. */
static size_t printable_len(const char *s, size_t len)
{
    static const uint32_t least[] = { 0, ' ', 0xa0, 0x800, 0x10000 };
    unsigned char c = (unsigned char)s[0];
    size_t i, n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 :
                  c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
    uint32_t value = n > 1 ? c & (0x7fU >> n) : c;

    if (!n || n > len)
        return 0;
    for (i = 1; i < n; i++) {
        c = (unsigned char)s[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (c & 0x3f);
    }
    if (value < least[n] || value == 0x7f || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    return n;
}

int xlu__vscsi_check_characters(const xlu__vscsi_source *src,
                                xlu__vscsi_span pdev)
{
    size_t i, n;

    for (i = 0; i < pdev.len; i += n) {
        xlu__vscsi_span rest = { pdev.s + i, pdev.len - i };

        if (is_blank(pdev.s[i]))
            return xlu__vscsi_fail(src, rest, "pdev has a blank inside");
        n = printable_len(rest.s, rest.len);
        if (!n)
            return xlu__vscsi_fail(src, rest, "pdev has a byte that is no "
                                   "printable UTF-8");
    }
    return 0;
}
