/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads xenstored's trace.  Its lines, Xen 4.17 and (after '|') 4.20:
 *   CREATE connection PTR           | obj: CREATE connection PTR
 *   IN PTR DATE TIME TYPE (PAYLOAD) | io: IN PTR (dD) DATE TIME TYPE (...)
 *   OUT PTR ...                     | io: OUT PTR ..., OUT(ERR), OUT(END)
 * NULs of the payload appear as spaces.  A connection's request is answered
 * before its next one is looked at, but answers of several connections are
 * not in the order in which the work was done: requests are.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store.h"
#include "store_internal.h"
#include "text.h"
#include "trace.h"

/* One client; its address may come back after it is gone. */
struct conn {
    char *ptr;
    enum trace_who who;
    size_t pending;             /* request without an answer yet */
    bool waits;
};

struct parser {
    struct trace *t;
    struct conn *conns;
    unsigned num_conns;
};

static void *grown(void *array, size_t num, size_t size)
{
    if (num & (num - 1))
        return array;           /* grows at 0 and at powers of two */
    array = realloc(array, (num ? num * 2 : 1) * size);
    if (!array)
        abort();
    return array;
}

static struct conn *add_conn(struct parser *p, char *ptr)
{
    p->conns = grown(p->conns, p->num_conns, sizeof(*p->conns));
    p->conns[p->num_conns] = (struct conn){ .ptr = ptr };
    return &p->conns[p->num_conns++];
}

static struct conn *find_conn(struct parser *p, char *ptr)
{
    for (unsigned i = p->num_conns; i-- > 0; )
        if (!strcmp(p->conns[i].ptr, ptr))
            return &p->conns[i];
    return add_conn(p, ptr);
}

/* "[(dD)] DATE TIME TYPE (PAYLOAD)" */
static bool split_io(char *rest, char **type_r, char **payload_r)
{
    char *word = strsep(&rest, " "), *end;

    if (word && *word == '(')
        word = strsep(&rest, " ");
    if (!word || !strsep(&rest, " ") || !(*type_r = strsep(&rest, " ")) ||
        !rest || *rest != '(')
        return false;
    *payload_r = rest + 1;
    end = strrchr(*payload_r, ')');
    if (end)
        *end = '\0';
    return true;
}

static void take_request(struct parser *p, struct conn *c, long offset,
                         char *type, char *payload)
{
    struct trace *t = p->t;
    struct trace_request *q;
    char *path = strsep(&payload, " ");

    t->requests = grown(t->requests, t->num, sizeof(*t->requests));
    q = &t->requests[t->num];
    *q = (struct trace_request){
        .offset = offset, .who = c->who, .conn = (unsigned)(c - p->conns),
        .type = type, .path = path, .value = payload ? payload : "",
        .ok = true,             /* an answer may say otherwise */
    };
    c->pending = t->num++;
    c->waits = true;
    if (!strcmp(path, STORE_LABEL_FIXTURE))
        q->who = c->who = TRACE_FIXTURE;
    else if (!strcmp(path, STORE_LABEL_KERNEL))
        q->who = c->who = TRACE_KERNEL;
}

static void take_answer(struct parser *p, struct conn *c, const char *type)
{
    if (!c->waits || !strcmp(type, "WATCH_EVENT"))
        return;
    p->t->requests[c->pending].ok = strcmp(type, "ERROR") != 0;
    c->waits = false;
}

static void take_line(struct parser *p, char *line, long offset)
{
    char *word = strsep(&line, " "), *ptr, *type, *payload;
    bool is_in;

    if (word[0] && word[strlen(word) - 1] == ':')
        word = strsep(&line, " ");          /* "io:" of Xen 4.20 */
    if (!word || !line)
        return;
    if (!strcmp(word, "CREATE")) {
        word = strsep(&line, " ");
        if (line && !strcmp(word, "connection"))
            add_conn(p, line);
        return;
    }
    is_in = !strcmp(word, "IN");
    if (!is_in && strncmp(word, "OUT", 3))
        return;
    ptr = strsep(&line, " ");
    if (strncmp(ptr, "0x", 2) || !line || !split_io(line, &type, &payload))
        return;
    if (is_in)
        take_request(p, find_conn(p, ptr), offset, type, payload);
    else
        take_answer(p, find_conn(p, ptr), type);
}

static char *load_text(const char *dir)
{
    char *path = text_new("%s/trace", dir), *text = NULL;
    size_t size = 0, max = 0;
    FILE *f = fopen(path, "re");

    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    do {
        if (size + 1 >= max) {
            max = max ? max * 2 : 65536;
            text = realloc(text, max);
            if (!text)
                abort();
        }
        size += fread(text + size, 1, max - size - 1, f);
    } while (size + 1 >= max);
    text[size] = '\0';
    fclose(f);
    free(path);
    return text;
}

struct trace *trace_load(const char *dir)
{
    struct trace *t = calloc(1, sizeof(*t));
    struct parser p = { .t = t };
    char *line, *rest;

    if (!t)
        abort();
    t->text = load_text(dir);
    rest = t->text;
    while ((line = strsep(&rest, "\n")))
        if (rest)               /* else the line is not finished */
            take_line(&p, line, line - t->text);
    free(p.conns);
    return t;
}

void trace_free(struct trace *t)
{
    free(t->requests);
    free(t->text);
    free(t);
}

/* ----- replay ----- */

static bool is_change(const struct trace_request *q)
{
    return q->ok && (!strcmp(q->type, "WRITE") || !strcmp(q->type, "RM") ||
                     !strcmp(q->type, "MKDIR"));
}

static void tell(trace_each *each, void *arg, const struct trace_request *q,
                 const char *path, bool begins)
{
    struct trace_change change = {
        .request = q, .path = path, .begins = begins,
        .value = !strcmp(q->type, "RM") ? NULL : q->value,
    };

    each(arg, &change);
}

/* The transaction that ends at requests[end], from its start. */
static void replay_transaction(const struct trace *t, size_t end,
                               trace_each *each, void *arg)
{
    const struct trace_request *q = t->requests;
    size_t i = end;

    while (i-- > 0)
        if (q[i].conn == q[end].conn &&
            !strcmp(q[i].type, "TRANSACTION_START"))
            break;
    tell(each, arg, &q[end], NULL, true);
    for (i++; i < end; i++)
        if (q[i].conn == q[end].conn && is_change(&q[i]))
            tell(each, arg, &q[i], q[i].path, false);
    tell(each, arg, &q[end], NULL, false);
}

void trace_replay(const struct trace *t, trace_each *each, void *arg)
{
    const struct trace_request *q = t->requests;
    bool *open = NULL;
    unsigned max = 0;

    for (size_t i = 0; i < t->num; i++)
        if (q[i].conn >= max)
            max = q[i].conn + 1;
    open = calloc(max + 1, sizeof(*open));
    if (!open)
        abort();
    for (size_t i = 0; i < t->num; i++) {
        if (!strcmp(q[i].type, "TRANSACTION_START")) {
            open[q[i].conn] = q[i].ok;
        } else if (!strcmp(q[i].type, "TRANSACTION_END")) {
            if (q[i].ok && !strcmp(q[i].path, "T"))
                replay_transaction(t, i, each, arg);
            open[q[i].conn] = false;
        } else if (!open[q[i].conn] && is_change(&q[i])) {
            tell(each, arg, &q[i], NULL, true);
            tell(each, arg, &q[i], q[i].path, false);
            tell(each, arg, &q[i], NULL, false);
        }
    }
    free(open);
}
