/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A vscsictrl's record is one JSON value: what the generated code makes of the
 * vscsictrl with its devices, and a version.  What one message to xenstored
 * does not hold goes on in part-1, part-2, ... below it: a part goes on if it
 * is full.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_json.h"
#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

#define FORM 1
#define HEAD "{\"version\":"
/* The 4096 bytes of a message, less room for the path. */
#define PART_MAX 4000u

static char *part_path(libxl__vscsi_ref v, unsigned part)
{
    char tail[32];

    snprintf(tail, sizeof(tail), "part-%u", part);
    return libxl__vscsi_record_path(v, part ? tail : NULL);
}

/* ----- the text ----- */

/* NULL if it cannot be had. */
static char *text_of(const libxl_device_vscsictrl *ctrl)
{
    yajl_gen gen = yajl_gen_alloc(NULL);
    const unsigned char *buf;
    char *text = NULL;
    size_t len;

    /* Compact, and all in one object: it has a devid at least. */
    if (gen && libxl_device_vscsictrl_gen_json(gen, ctrl) ==
               yajl_gen_status_ok &&
        yajl_gen_get_buf(gen, &buf, &len) == yajl_gen_status_ok)
        text = libxl__vscsi_sprintf(HEAD "%d,%.*s", FORM,
                                    (int)len - 1, (const char *)buf + 1);
    if (gen)
        yajl_gen_free(gen);
    return text;
}

/* It comes first; 0: there is none. */
static uint64_t version_of(const char *text)
{
    const char *number = text + strlen(HEAD);
    uint64_t version;

    return !strncmp(text, HEAD, strlen(HEAD)) &&
           libxl__vscsi_parse_u64(number, strcspn(number, ",}"), UINT32_MAX,
                                  &version) ? version : 0;
}

/* NULL, or why it cannot be read; *ctrl is as after _init then. */
static const char *parse(libxl_ctx *ctx, const char *text,
                         libxl_device_vscsictrl *ctrl)
{
    uint64_t version = version_of(text);
    const char *rest = strchr(text, ',');
    char *body;
    bool ok;
    int i;

    if (version > FORM)
        return "it was written by a newer version of this software";
    body = rest ? libxl__vscsi_sprintf("{%s", rest + 1) : NULL;
    ok = version == FORM && body &&
         !libxl_device_vscsictrl_from_json(ctx, ctrl, body);
    free(body);
    for (i = 0; ok && i < ctrl->num_vscsidevs; i++)
        ok = ctrl->vscsidevs[i].vscsidev_id >= 0;
    if (ok)
        return NULL;
    libxl_device_vscsictrl_dispose(ctrl);
    libxl_device_vscsictrl_init(ctrl);
    return "it is not what this software writes";
}

/* ----- the nodes ----- */

typedef struct reading {
    libxl__vscsi_ref ref;
    unsigned parts;
    char *text;                 /* NULL: no such record */
} reading;

/* Takes part over. */
static int add_part(libxl__vscsi_ctx *vc, reading *r, char *part)
{
    char *text = part;

    if (r->text) {
        text = libxl__vscsi_sprintf("%s%s", r->text, part);
        free(part);
        free(r->text);
    }
    r->text = text;
    r->parts++;
    return text ? 0 : libxl__vscsi_out_of_memory(vc);
}

/* Does it stay as it is while it is read? */
static bool is_steady(const libxl__vscsi_ctx *vc, xs_transaction_t t,
                      const reading *r)
{
    return t != XBT_NULL || (vc->has_lock && vc->locked == r->ref.domid);
}

static int read_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    reading *r = arg;
    size_t len;
    char *part;
    int rc;

    free(r->text);
    r->text = NULL;
    r->parts = 0;
    do {
        rc = libxl__vscsi_read_node(vc, t, part_path(r->ref, r->parts),
                                    &part);
        if (rc || !part)        /* cut off: that is no JSON */
            break;
        len = strlen(part);
        rc = add_part(vc, r, part);
    } while (!rc && len >= PART_MAX && is_steady(vc, t, r));
    return rc;
}

/* One node is read as it is; several only make sense together. */
static int read_parts(libxl__vscsi_ctx *vc, xs_transaction_t t, reading *r)
{
    int rc;

    rc = read_body(vc, t, r);
    if (!rc && r->text && strlen(r->text) >= PART_MAX &&
        !is_steady(vc, t, r))
        rc = libxl__vscsi_xs_transact(vc, read_body, r);
    return rc;
}

static int write_part(libxl__vscsi_ctx *vc, xs_transaction_t t,
                      libxl__vscsi_ref v, unsigned part, const char *text)
{
    char *value = strndup(text, PART_MAX);
    int rc;

    rc = libxl__vscsi_write_node(vc, t, part_path(v, part), value);
    free(value);
    return rc;
}

/* Where there were so many parts before. */
static int write_parts(libxl__vscsi_ctx *vc, xs_transaction_t t,
                       libxl__vscsi_ref v,
                       const libxl_device_vscsictrl *ctrl, unsigned before)
{
    char *text = text_of(ctrl);
    size_t len = text ? strlen(text) : 0, at;
    unsigned part = 0;
    int rc = 0;

    if (!text) {
        libxl__vscsi_error(vc, "it cannot be recorded: a name is no UTF-8 "
                           "text");
        return ERROR_INVAL;
    }
    /* After a last part that is full comes an empty one. */
    for (at = 0; !rc && at <= len; at += PART_MAX)
        rc = write_part(vc, t, v, part++, text + at);
    for (; !rc && part < before; part++)
        rc = libxl__vscsi_remove_node(vc, t, part_path(v, part));
    free(text);
    return rc;
}

/* ----- records ----- */

int libxl__vscsi_record_first(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref v,
                              const libxl_device_vscsictrl *ctrl)
{
    return write_parts(vc, t, v, ctrl, 0);
}

static int take(libxl__vscsi_ctx *vc, xs_transaction_t t, reading *r,
                libxl_device_vscsictrl *ctrl, const char **why_not_r)
{
    int rc;

    rc = read_parts(vc, t, r);
    if (rc)
        return rc;
    *why_not_r = r->text ? parse(vc->xl, r->text, ctrl) : NULL;
    if (r->text && !*why_not_r)
        ctrl->devid = ctrl->idx = r->ref.devid;
    return 0;
}

int libxl__vscsi_record_read(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                             libxl_device_vscsictrl *ctrl,
                             const char **why_not_r)
{
    reading r = { .ref = v };
    int rc;

    rc = take(vc, XBT_NULL, &r, ctrl, why_not_r);
    free(r.text);
    return rc;
}

int libxl__vscsi_record_change(libxl__vscsi_ctx *vc, xs_transaction_t t,
                               libxl__vscsi_ref v,
                               libxl__vscsi_record_edit *edit,
                               void *arg)
{
    libxl_device_vscsictrl ctrl;
    const char *why_not = NULL;
    reading r = { .ref = v };
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    rc = take(vc, t, &r, &ctrl, &why_not);
    if (!rc && (why_not || !r.text)) {
        libxl__vscsi_say_unreadable(vc, v, why_not ? why_not
                                                   : "it is gone");
        rc = ERROR_FAIL;
    }
    if (!rc) {
        rc = edit(&ctrl, arg);
        if (rc)
            rc = libxl__vscsi_out_of_memory(vc);
    }
    if (!rc)
        rc = write_parts(vc, t, v, &ctrl, r.parts);
    libxl_device_vscsictrl_dispose(&ctrl);
    free(r.text);
    return rc;
}
