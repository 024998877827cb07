/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a toolstack must never do, found by replaying the trace.  B and F are
 * the states of backend and frontend of a vscsictrl just before a commit.
 *  1. B becomes 7 only while B is 4 and F is 4.
 *  2. A device becomes 5 only while the backend has it mapped.
 *  3. A backend dev-N goes only while no scan can be running: not while B is
 *     7 or 8, nor while F is 3 and B is not 4 yet.  A 7 that F has not
 *     answered may be withdrawn together with its devices.
 *  4. A backend appears only together with or after its frontend.
 *  5. A v-dev is four decimals; a p-dev is NAME:LUN of 31 characters at most.
 *  6. No two devices of a vscsictrl have the same channel, target and LUN.
 *  7. A state that exists is never set to 1; but a frontend's 1 may be
 *     written again, for its watch to fire.
 *  8. The backend's limit of segments is lowered only while B is 2 and F is
 *     1: later the guest may have read it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store.h"
#include "text.h"
#include "trace.h"

#define BACKEND "/local/domain/0/backend/vscsi/"
#define PDEV_MAX 31

struct node {
    char *path, *value;
    bool by_kernel;
};

struct rules {
    struct node *nodes;
    size_t num, max;
    /* B and F of the vscsictrls of the set that is being committed */
    struct node *before;
    size_t num_before;
    enum trace_who who;
    unsigned violations;
    char *text;
    bool devs_changed;
    char *withdrawn;            /* backend that lost devices at 7 and 4 */
};

/* ----- the store as it was ----- */

static struct node *find(struct rules *r, const char *path)
{
    for (size_t i = 0; i < r->num; i++)
        if (!strcmp(r->nodes[i].path, path))
            return &r->nodes[i];
    return NULL;
}

static void set(struct rules *r, const char *path, const char *value)
{
    struct node *n = find(r, path);

    if (!n) {
        if (r->num == r->max) {
            r->max = r->max ? 2 * r->max : 64;
            r->nodes = realloc(r->nodes, r->max * sizeof(*r->nodes));
            if (!r->nodes)
                abort();
        }
        n = &r->nodes[r->num++];
        n->path = text_copy(path);
        n->by_kernel = false;
    } else {
        free(n->value);
    }
    n->value = text_copy(value);
    /* Once the kernel's, always: a withdrawn 5 is a 4 that it knows. */
    n->by_kernel = n->by_kernel || r->who == TRACE_KERNEL;
}

static void drop_below(struct rules *r, const char *top)
{
    size_t len = strlen(top), kept = 0;

    for (size_t i = 0; i < r->num; i++) {
        struct node n = r->nodes[i];

        if (!strncmp(n.path, top, len) && (!n.path[len] ||
                                           n.path[len] == '/'))
            free(n.path), free(n.value);
        else
            r->nodes[kept++] = n;
    }
    r->num = kept;
}

static bool any_below(struct rules *r, const char *top)
{
    size_t len = strlen(top);

    for (size_t i = 0; i < r->num; i++)
        if (!strncmp(r->nodes[i].path, top, len) &&
            (!r->nodes[i].path[len] || r->nodes[i].path[len] == '/'))
            return true;
    return false;
}

/* DIR/NAME as a number, 0 if missing. */
static long state_in(struct rules *r, const char *dir, const char *name)
{
    char *path = text_new("%s/%s", dir, name);
    struct node *n = find(r, path);
    long state = n ? strtol(n->value, NULL, 10) : 0;

    free(path);
    return state;
}

/* ----- names ----- */

struct place {
    unsigned domid, devid;
    char *backend, *frontend;   /* directories */
    char *dev;                  /* BACKEND/vscsi-devs/dev-N, or NULL */
    const char *leaf;           /* what is below that, "" if nothing */
};

static bool number(const char **p, unsigned *value_r)
{
    char *end;

    *value_r = (unsigned)strtoul(*p, &end, 10);
    if (end == *p || (*end && *end != '/'))
        return false;
    *p = *end ? end + 1 : end;
    return true;
}

/* True for a node of a vscsictrl's backend directory, or that itself. */
static bool parse_backend(const char *path, struct place *pl)
{
    static const char devs[] = "vscsi-devs/";
    const char *p = path + strlen(BACKEND), *slash;

    if (strncmp(path, BACKEND, strlen(BACKEND)) ||
        !number(&p, &pl->domid) || !number(&p, &pl->devid))
        return false;
    pl->backend = text_new(BACKEND "%u/%u", pl->domid, pl->devid);
    pl->frontend = text_new("/local/domain/%u/device/vscsi/%u", pl->domid,
                            pl->devid);
    pl->dev = NULL;
    pl->leaf = p;
    if (!strncmp(p, devs, strlen(devs))) {
        p += strlen(devs);
        slash = strchr(p, '/');
        pl->leaf = slash ? slash + 1 : "";
        pl->dev = slash ? text_new("%.*s", (int)(slash - path), path) :
                          text_copy(path);
    }
    return true;
}

static void free_place(struct place *pl)
{
    free(pl->backend), free(pl->frontend), free(pl->dev);
}

/* ----- the rules ----- */

__attribute__((format(printf, 2, 3)))
static void broken(struct rules *r, const char *fmt, ...)
{
    va_list ap;
    char *text;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    text_add(&r->text, "%s\n", text);
    free(text);
    r->violations++;
}

/* The states of the vscsictrl before this set changed them. */
static long before(struct rules *r, const char *dir)
{
    char *path = text_new("%s/state", dir);
    long state = state_in(r, dir, "state");

    for (size_t i = 0; i < r->num_before; i++)
        if (!strcmp(r->before[i].path, path))
            state = strtol(r->before[i].value, NULL, 10);
    free(path);
    return state;
}

static void remember(struct rules *r, const char *path)
{
    struct node *n = find(r, path);
    size_t len = strlen(path);

    if (len < 6 || strcmp(path + len - 6, "/state"))
        return;
    for (size_t i = 0; i < r->num_before; i++)
        if (!strcmp(r->before[i].path, path))
            return;
    r->before = realloc(r->before, (r->num_before + 1) *
                        sizeof(*r->before));
    if (!r->before)
        abort();
    r->before[r->num_before].path = text_copy(path);
    r->before[r->num_before++].value = text_copy(n ? n->value : "0");
}

static void check_vdev(struct rules *r, const char *path, const char *vdev)
{
    const char *p = vdev;
    unsigned fields = 0;

    while (*p >= '0' && *p <= '9') {
        p += strspn(p, "0123456789");
        fields++;
        if (*p != ':')
            break;
        p++;
    }
    if (fields != 4 || *p || p[-1] == ':')
        broken(r, "%s = \"%s\": not four decimals", path, vdev);
}

static void check_pdev(struct rules *r, const char *path, const char *pdev)
{
    const char *colon = strrchr(pdev, ':');

    if (strlen(pdev) > PDEV_MAX)
        broken(r, "%s = \"%s\": longer than %d", path, pdev, PDEV_MAX);
    if (!colon || colon == pdev || !colon[1] ||
        colon[1 + strspn(colon + 1, "0123456789")])
        broken(r, "%s = \"%s\": not NAME:LUN", path, pdev);
}

static void check_dev(struct rules *r, const struct place *pl,
                      const char *path, const char *value)
{
    struct node *n = find(r, path);

    if (!strcmp(pl->leaf, "v-dev")) {
        check_vdev(r, path, value);
    } else if (!strcmp(pl->leaf, "p-dev")) {
        check_pdev(r, path, value);
    } else if (!strcmp(pl->leaf, "state")) {
        if (!strcmp(value, "5") &&
            !(n && n->by_kernel && (!strcmp(n->value, "3") ||
                                    !strcmp(n->value, "4"))))
            broken(r, "%s = 5, was %s: the backend has not mapped it", path,
                   n ? n->value : "absent");
        if (!strcmp(value, "1") && n && strcmp(n->value, "1"))
            broken(r, "%s = 1, was %s: it is in use", path, n->value);
    }
}

static void check_write(struct rules *r, const struct place *pl,
                        const char *path, const char *value)
{
    long b = before(r, pl->backend), f = before(r, pl->frontend);

    if (pl->dev) {
        check_dev(r, pl, path, value);
        return;
    }
    if (!strcmp(pl->leaf, "feature-sg-grant") && (b != 2 || f != 1))
        broken(r, "%s = %s while backend %ld, frontend %ld: not 2 and 1",
               path, value, b, f);
    if (strcmp(pl->leaf, "state"))
        return;
    if (!strcmp(value, "7") && (b != 4 || f != 4))
        broken(r, "%s = 7 while backend %ld, frontend %ld: not both 4",
               path, b, f);
    if (!strcmp(value, "1") && find(r, path))
        broken(r, "%s = 1, was %ld: it is in use", path, b);
}

static void check_removal(struct rules *r, const struct place *pl,
                          const char *path)
{
    long b = before(r, pl->backend), f = before(r, pl->frontend);

    if (!pl->dev || !any_below(r, path))
        return;
    if (b == 7 && f == 4) {
        free(r->withdrawn);
        r->withdrawn = text_copy(pl->backend);
        return;
    }
    if (b == 7 || b == 8 || (f == 3 && b != 4 && b != 6))
        broken(r, "rm %s while backend %ld, frontend %ld: "
               "a scan may be running", path, b, f);
}

static void check_frontend(struct rules *r, const char *path,
                           const char *value)
{
    static const char middle[] = "/device/vscsi/";
    const char *p = strstr(path, middle);
    struct node *n = find(r, path);
    unsigned devid;

    if (strncmp(path, "/local/domain/", 14) || !p || strcmp(value, "1"))
        return;
    p += strlen(middle);
    if (number(&p, &devid) && !strcmp(p, "state") && n &&
        strcmp(n->value, "1"))
        broken(r, "%s = 1, was %s: it is in use", path, n->value);
}

/* Once a set is complete: rules about several nodes. */
static void check_duplicates(struct rules *r)
{
    for (size_t i = 0; i < r->num; i++) {
        struct node *a = &r->nodes[i], *b;
        struct place pa, pb;
        const char *ka, *kb;

        if (!parse_backend(a->path, &pa))
            continue;
        ka = strchr(a->value, ':');
        for (size_t k = i + 1; ka && pa.dev && k < r->num; k++) {
            b = &r->nodes[k];
            kb = strchr(b->value, ':');
            if (strcmp(pa.leaf, "v-dev") || !kb || strcmp(ka, kb) ||
                !parse_backend(b->path, &pb))
                continue;
            if (!strcmp(pa.backend, pb.backend) &&
                !strcmp(pb.leaf, "v-dev") && pb.dev)
                broken(r, "%s and %s are both \"%s\"", a->path, b->path,
                       b->value);
            free_place(&pb);
        }
        free_place(&pa);
    }
}

static void check_appeared(struct rules *r)
{
    for (size_t i = 0; i < r->num_before; i++) {
        struct node *n = find(r, r->before[i].path);
        struct place pl;

        if (strcmp(r->before[i].value, "0") || !n ||
            strcmp(n->value, "1") || !parse_backend(n->path, &pl))
            continue;
        if (!pl.dev && !any_below(r, pl.frontend))
            broken(r, "%s = 1 without %s", n->path, pl.frontend);
        free_place(&pl);
    }
}

static void finish_set(struct rules *r)
{
    if (r->who != TRACE_KERNEL) {
        check_appeared(r);
        if (r->devs_changed)
            check_duplicates(r);
    }
    if (r->withdrawn && state_in(r, r->withdrawn, "state") != 4)
        broken(r, "%s lost devices and is still at 7", r->withdrawn);
    free(r->withdrawn);
    r->withdrawn = NULL;
    while (r->num_before) {
        r->num_before--;
        free(r->before[r->num_before].path);
        free(r->before[r->num_before].value);
    }
    r->devs_changed = false;
}

static void take_change(void *arg, const struct trace_change *c)
{
    struct rules *r = arg;
    struct place pl;
    bool is_backend;

    if (!c->path) {
        if (c->begins)
            r->who = c->request->who;
        else
            finish_set(r);
        return;
    }
    if (!strstr(c->path, "/vscsi") && c->value)
        return;
    is_backend = parse_backend(c->path, &pl);
    if (r->who != TRACE_KERNEL) {
        if (is_backend && c->value)
            check_write(r, &pl, c->path, c->value);
        else if (is_backend)
            check_removal(r, &pl, c->path);
        else if (c->value)
            check_frontend(r, c->path, c->value);
    }
    if (is_backend) {
        r->devs_changed |= pl.dev && c->value && !strcmp(pl.leaf, "v-dev");
        free_place(&pl);
    }
    remember(r, c->path);
    if (!c->value)
        drop_below(r, c->path);
    else if (!strcmp(c->request->type, "WRITE") || !find(r, c->path))
        set(r, c->path, c->value);
}

unsigned store_violations(struct store *s, char **text_r)
{
    struct trace *t = trace_load(store_dir(s));
    struct rules r = { .text = NULL };

    trace_replay(t, take_change, &r);
    trace_free(t);
    drop_below(&r, "");
    free(r.nodes);
    free(r.before);
    if (text_r)
        *text_r = r.text ? r.text : text_copy("");
    else
        free(r.text);
    return r.violations;
}
