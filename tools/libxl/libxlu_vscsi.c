/* SPDX-License-Identifier: LGPL-2.1-only */
/* Text to libxl's types and back; see libxlutil_vscsi.h. */
#include "libxlutil_vscsi.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_addr.h"

#define MAX_PDEV_LEN 1024
#define OPTION_RAW "feature-host"
/* How much of a text a message shows. */
#define QUOTE_MAX 120

/* A part of the spec. */
typedef struct span {
    const char *s;
    size_t len;
} span;

typedef struct parser {
    const char *spec;
    const char *next;           /* the field to read next; NULL: no more */
    char **msg_r;
    span pdev, vdev;
    libxl_device_vscsidev dev;
    bool raw;
} parser;

/* ----- messages ----- */

/* Shows what would act on a terminal as \xNN, and long texts cut. */
static void put_quoted(FILE *out, const char *s, size_t len)
{
    size_t i;

    fputc('\'', out);
    for (i = 0; i < len && i < QUOTE_MAX; i++) {
        unsigned char c = (unsigned char)s[i];

        if (c < ' ' || c > '~')
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
    fputs(i < len ? "...'" : "'", out);
}

/* Where an empty part is shows only with what follows it. */
static void put_place(FILE *out, const parser *p, span at)
{
    if (!at.len)
        at.len = strlen(at.s);
    if (!at.len) {
        fputs(*p->spec ? " (at its end)" : "", out);
        return;
    }
    fputs(" (at ", out);
    put_quoted(out, at.s, at.len);
    fputc(')', out);
}

static int __attribute__((format(printf, 3, 4)))
fail(const parser *p, span at, const char *fmt, ...)
{
    char *msg = NULL;
    size_t size;
    va_list ap;
    FILE *out;

    if (!p->msg_r)
        return ERROR_INVAL;
    *p->msg_r = NULL;
    out = open_memstream(&msg, &size);
    if (!out)
        return ERROR_NOMEM;
    fputs("vscsi: ", out);
    put_quoted(out, p->spec, strlen(p->spec));
    fputs(": ", out);
    va_start(ap, fmt);
    vfprintf(out, fmt, ap);
    va_end(ap);
    put_place(out, p, at);
    if (fclose(out)) {
        free(msg);
        return ERROR_NOMEM;
    }
    *p->msg_r = msg;
    return ERROR_INVAL;
}

static int fail_nomem(const parser *p)
{
    if (p->msg_r)
        *p->msg_r = NULL;
    return ERROR_NOMEM;
}

/* ----- fields ----- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What one text with a NUL holds, between commas if it has several. */
static span trimmed(const char *s, size_t len)
{
    while (len && is_blank(*s)) {
        s++;
        len--;
    }
    while (len && is_blank(s[len - 1]))
        len--;
    return (span){ s, len };
}

/* False when there is no field left. */
static bool next_field(parser *p, span *field_r)
{
    const char *s = p->next;
    size_t len;

    if (!s)
        return false;
    len = strcspn(s, ",");
    p->next = s[len] ? s + len + 1 : NULL;
    *field_r = trimmed(s, len);
    return true;
}

static bool has_inside(span field, bool (*is)(char c), span *at_r)
{
    size_t i;

    for (i = 0; i < field.len; i++) {
        if (is(field.s[i])) {
            *at_r = (span){ field.s + i, field.len - i };
            return true;
        }
    }
    return false;
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

static bool is_text(span field, const char *text)
{
    return field.len == strlen(text) && !memcmp(field.s, text, field.len);
}

static bool has_prefix(span field, const char *prefix)
{
    size_t len = strlen(prefix);

    return field.len >= len && !memcmp(field.s, prefix, len);
}

/* ----- HOST:CHANNEL:TARGET:LUN ----- */

/* What one of the two addresses is called and may be. */
typedef struct address {
    const char *name, *form;
    uint64_t max[4];
    bool caps_text;             /* max[] is only for the text */
} address;

static const address vdev_address = {
    .name = "vdev",
    .form = "HOST:CHANNEL:TARGET:LUN",
    .max = { LIBXL__VSCSI_MAX_VHOST, 0, LIBXL__VSCSI_MAX_TARGET,
             LIBXL__VSCSI_MAX_LUN },
};
