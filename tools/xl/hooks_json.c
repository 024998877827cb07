/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * "vscsictrls" in the JSON of a domain's configuration: the text is read
 * and written again as it is, but for this one member of its outermost
 * object.
 */
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "hooks_life.h"

typedef struct walk {
    yajl_gen out;               /* NULL: what comes goes nowhere */
    yajl_gen_status status;
    unsigned depth;
    bool in_ours;               /* inside the member of that name */
    /* adding */
    const hooks_list *list;
    /* taking */
    bool taking, found;
    hooks_list *list_r;
} walk;

static int step(walk *w, yajl_gen_status status)
{
    w->status = status;
    return status == yajl_gen_status_ok;
}

/* Is what comes now to be written? */
static bool is_wanted(const walk *w)
{
    return w->out && w->in_ours == w->taking;
}

#define WRITE(w, call) (is_wanted(w) ? step(w, call) : 1)

/* ----- an element of ours ----- */

static int begin_element(walk *w)
{
    w->out = yajl_gen_alloc(NULL);
    return w->out != NULL;
}

static int append_element(walk *w, const char *text)
{
    hooks_list *list = w->list_r;
    libxl_device_vscsictrl *longer;

    longer = realloc(list->ctrls,
                     ((size_t)list->num + 1) * sizeof(*longer));
    if (!longer)
        return 0;
    list->ctrls = longer;
    if (libxl_device_vscsictrl_from_json(NULL, &longer[list->num], text))
        return 0;
    list->num++;
    return 1;
}

static int end_element(walk *w)
{
    const unsigned char *buf;
    char *text = NULL;
    size_t len;
    int ok = 0;

    if (yajl_gen_get_buf(w->out, &buf, &len) == yajl_gen_status_ok)
        text = strndup((const char *)buf, len);
    if (text)
        ok = append_element(w, text);
    free(text);
    yajl_gen_free(w->out);
    w->out = NULL;
    return ok;
}

/* ----- the text, piece by piece ----- */

/* What stands in the place of a vscsictrl, or of the list, must be one. */
static bool is_misplaced(const walk *w)
{
    return w->taking && w->in_ours && w->depth <= 2;
}

static int end_value(walk *w)
{
    if (w->depth == 1)
        w->in_ours = false;
    return 1;
}

static int on_null(void *ctx)
{
    walk *w = ctx;

    return !is_misplaced(w) && WRITE(w, yajl_gen_null(w->out)) &&
           end_value(w);
}

static int on_bool(void *ctx, int value)
{
    walk *w = ctx;

    return !is_misplaced(w) && WRITE(w, yajl_gen_bool(w->out, value)) &&
           end_value(w);
}

static int on_number(void *ctx, const char *text, size_t len)
{
    walk *w = ctx;

    return !is_misplaced(w) &&
           WRITE(w, yajl_gen_number(w->out, text, len)) && end_value(w);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    walk *w = ctx;

    return !is_misplaced(w) &&
           WRITE(w, yajl_gen_string(w->out, text, len)) && end_value(w);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    walk *w = ctx;

    if (w->depth == 1 && len == sizeof(HOOKS_JSON_KEY) - 1 &&
        !memcmp(text, HOOKS_JSON_KEY, len)) {
        w->in_ours = w->found = true;
        return 1;
    }
    return WRITE(w, yajl_gen_string(w->out, text, len));
}

static int on_map(void *ctx)
{
    walk *w = ctx;

    if (w->taking && w->in_ours &&
        (w->depth < 2 || (w->depth == 2 && !begin_element(w))))
        return 0;
    w->depth++;
    return WRITE(w, yajl_gen_map_open(w->out));
}

static yajl_gen_status write_list(yajl_gen out, const hooks_list *list)
{
    yajl_gen_status status;
    int i;

    status = yajl_gen_string(out, (const unsigned char *)HOOKS_JSON_KEY,
                             sizeof(HOOKS_JSON_KEY) - 1);
    if (status == yajl_gen_status_ok)
        status = yajl_gen_array_open(out);
    for (i = 0; status == yajl_gen_status_ok && i < list->num; i++)
        status = libxl_device_vscsictrl_gen_json(out, &list->ctrls[i]);
    if (status == yajl_gen_status_ok)
        status = yajl_gen_array_close(out);
    return status;
}

static int on_map_end(void *ctx)
{
    walk *w = ctx;

    if (w->depth == 1 && w->list && w->list->num &&
        !step(w, write_list(w->out, w->list)))
        return 0;
    w->depth--;
    if (!WRITE(w, yajl_gen_map_close(w->out)))
        return 0;
    if (w->taking && w->in_ours && w->depth == 2 && !end_element(w))
        return 0;
    return end_value(w);
}

static int on_array(void *ctx)
{
    walk *w = ctx;

    if (w->taking && w->in_ours && w->depth == 2)
        return 0;
    w->depth++;
    return WRITE(w, yajl_gen_array_open(w->out));
}

static int on_array_end(void *ctx)
{
    walk *w = ctx;

    w->depth--;
    return WRITE(w, yajl_gen_array_close(w->out)) && end_value(w);
}

static bool run(walk *w, const char *text)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null, .yajl_boolean = on_bool,
        .yajl_number = on_number, .yajl_string = on_string,
        .yajl_start_map = on_map, .yajl_map_key = on_key,
        .yajl_end_map = on_map_end, .yajl_start_array = on_array,
        .yajl_end_array = on_array_end,
    };
    yajl_handle parser = yajl_alloc(&callbacks, NULL, w);
    bool ok;

    if (!parser)
        return false;
    ok = yajl_parse(parser, (const unsigned char *)text, strlen(text)) ==
             yajl_status_ok &&
         yajl_complete_parse(parser) == yajl_status_ok;
    yajl_free(parser);
    return ok;
}

/* ----- what others call ----- */

yajl_gen_status hooks_json_gen(yajl_gen hand, const char *text,
                               const hooks_list *list)
{
    walk w = { .out = hand, .list = list };

    if (run(&w, text))
        return yajl_gen_status_ok;
    return w.status != yajl_gen_status_ok ? w.status : yajl_gen_in_error_state;
}

char *hooks_json_add(const char *text, const hooks_list *list)
{
    yajl_gen hand = yajl_gen_alloc(NULL);
    const unsigned char *buf;
    char *result = NULL;
    size_t len;

    if (!hand)
        return NULL;
    yajl_gen_config(hand, yajl_gen_beautify, 1);
    if (hooks_json_gen(hand, text, list) == yajl_gen_status_ok &&
        yajl_gen_get_buf(hand, &buf, &len) == yajl_gen_status_ok)
        result = strndup((const char *)buf, len);
    yajl_gen_free(hand);
    return result;
}

bool hooks_json_take(const char *text, hooks_list *list_r, bool *found_r)
{
    hooks_list list = { .ctrls = NULL };
    walk w = { .taking = true, .list_r = &list };
    bool ok = run(&w, text);

    if (w.out)
        yajl_gen_free(w.out);
    *found_r = w.found;
    if (!ok || !w.found) {
        hooks_list_dispose(&list);
        return ok;
    }
    *list_r = list;
    return true;
}
