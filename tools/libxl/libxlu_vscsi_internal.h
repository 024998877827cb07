/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of libxlutil-vscsi tell each other. */
#ifndef LIBXLU_VSCSI_INTERNAL_H
#define LIBXLU_VSCSI_INTERNAL_H

#include "libxl_vscsi_addr.h"
#include "libxlutil_vscsi.h"

#pragma GCC visibility push(hidden)

/* ----- libxlu_vscsi_text.c: parts of a text, and messages about them ----- */

/* How much of a text a message shows. */
#define XLU__VSCSI_QUOTE_MAX 120
#define XLU__VSCSI_QUOTE_SIZE (XLU__VSCSI_QUOTE_MAX + sizeof("\\xff...'"))

typedef struct xlu__vscsi_span {
    const char *s;
    size_t len;
} xlu__vscsi_span;

/* The text, and where a message about it goes (NULL: nowhere). */
typedef struct xlu__vscsi_source {
    const char *spec;
    char **msg_r;
} xlu__vscsi_source;

bool xlu__vscsi_is(xlu__vscsi_span text, const char *word);
/* Without the blanks at its ends. */
xlu__vscsi_span xlu__vscsi_trimmed(const char *s, size_t len);

/* In buf, and safe to print. */
const char *xlu__vscsi_quote(xlu__vscsi_span text,
                             char buf[XLU__VSCSI_QUOTE_SIZE]);

/* ERROR_INVAL, or ERROR_NOMEM, with the message of the public functions;
 * at is the place in the text that is wrong. */
int xlu__vscsi_fail(const xlu__vscsi_source *src, xlu__vscsi_span at,
                    const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int xlu__vscsi_fail_nomem(const xlu__vscsi_source *src);

/* pdev has neither blanks nor what would act on a terminal. */
int xlu__vscsi_check_characters(const xlu__vscsi_source *src,
                                xlu__vscsi_span pdev);

/* ----- libxlu_vscsi_fields.c: PDEV and VDEV ----- */

/* The forms, for a message. */
extern const char xlu__vscsi_pdev_form[], xlu__vscsi_vdev_form[];

/* text is part of src.  *pdev is disposed of by the caller whatever is
 * returned. */
int xlu__vscsi_parse_pdev(const xlu__vscsi_source *src, xlu__vscsi_span text,
                          libxl_vscsi_pdev *pdev);
int xlu__vscsi_parse_vdev(const xlu__vscsi_source *src, xlu__vscsi_span text,
                          libxl_vscsi_hctl *vdev_r);
/* Only the vscsictrl is to be said: "HOST:*", "HOST" or "HOST:0:0:0". */
int xlu__vscsi_parse_ctrl(const xlu__vscsi_source *src,
                          xlu__vscsi_span text, libxl_vscsi_hctl *vdev_r);

#pragma GCC visibility pop

#endif /* LIBXLU_VSCSI_INTERNAL_H */
