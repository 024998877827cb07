/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fixture of the store tests: what xenstored was asked.  See store.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store.h"
#include "text.h"
#include "trace.h"

#define MAX_TYPES 32

long store_trace_mark(struct store *s)
{
    char *path = text_new("%s/trace", store_dir(s));
    struct stat st;

    if (stat(path, &st))
        fail_msg("%s is missing", path);
    free(path);
    return (long)st.st_size;
}

static bool counts(const struct trace_request *q, long mark)
{
    return q->who == TRACE_TESTED && q->offset >= mark;
}

unsigned store_requests_since(struct store *s, long mark)
{
    struct trace *t = trace_load(store_dir(s));
    unsigned num = 0;

    for (size_t i = 0; i < t->num; i++)
        num += counts(&t->requests[i], mark);
    trace_free(t);
    return num;
}

char *store_requests_text(struct store *s, long mark)
{
    struct trace *t = trace_load(store_dir(s));
    struct { const char *type; unsigned num; } types[MAX_TYPES];
    unsigned num_types = 0, total = 0, k;
    char *text, *list = text_copy("");

    for (size_t i = 0; i < t->num; i++) {
        if (!counts(&t->requests[i], mark))
            continue;
        total++;
        for (k = 0; k < num_types; k++)
            if (!strcmp(types[k].type, t->requests[i].type))
                break;
        assert_true(k < MAX_TYPES);
        if (k == num_types) {
            types[num_types].type = t->requests[i].type;
            types[num_types++].num = 0;
        }
        types[k].num++;
    }
    for (k = 0; k < num_types; k++)
        text_add(&list, "%s %s %u", k ? "," : ":", types[k].type,
                 types[k].num);
    text = text_new("%u%s", total, list);
    free(list);
    trace_free(t);
    return text;
}

char *store_requests_list(struct store *s, long mark)
{
    struct trace *t = trace_load(store_dir(s));
    char *text = text_copy("");

    for (size_t i = 0; i < t->num; i++)
        if (counts(&t->requests[i], mark))
            text_add(&text, "%s %s %s%s\n", t->requests[i].type,
                     t->requests[i].path, t->requests[i].value,
                     t->requests[i].ok ? "" : " -> error");
    trace_free(t);
    return text;
}

/* ----- history ----- */

struct history {
    const char *path;
    bool exists;
    char *text;
};

static bool is_below(const char *path, const char *top)
{
    size_t len = strlen(top);

    return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

static void take_change(void *arg, const struct trace_change *c)
{
    struct history *h = arg;
    const char *value = NULL;

    if (!c->path)
        return;
    if (!c->value && is_below(h->path, c->path) && h->exists)
        value = "-";
    else if (c->value && !strcmp(h->path, c->path) &&
             (!h->exists || !strcmp(c->request->type, "WRITE")))
        value = c->value;
    if (!value)
        return;
    h->exists = c->value != NULL;
    text_add(&h->text, "%s%s", h->text ? " " : "", value);
}

char *store_history(struct store *s, const char *path)
{
    struct trace *t = trace_load(store_dir(s));
    struct history h = { .path = path };

    trace_replay(t, take_change, &h);
    trace_free(t);
    return h.text ? h.text : text_copy("");
}
