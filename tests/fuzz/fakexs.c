/* SPDX-License-Identifier: LGPL-2.1-only */
/* An xenstore in memory; see fakexs.h. */
#include "fakexs.h"

#include <errno.h>
#include <string.h>

#include <xenstore.h>

#include "fuzz.h"

#define MAX_NODES 512

struct node {
    char *path, *value;
    size_t len;
};

struct tree {
    struct node nodes[MAX_NODES];
    unsigned num;
};

/* The second is what an aborted transaction goes back to. */
static struct tree tree, saved;
static unsigned fail_at, failed, conflicts;
static int fail_errno;

/* ----- the tree ----- */

static void clear(struct tree *t)
{
    while (t->num) {
        struct node *n = &t->nodes[--t->num];

        free(n->path);
        free(n->value);
    }
}

static char *copy_of(const char *text)
{
    return fuzz_text((const uint8_t *)text, strlen(text));
}

static void copy(struct tree *dst, const struct tree *src)
{
    clear(dst);
    for (; dst->num < src->num; dst->num++) {
        struct node *n = &dst->nodes[dst->num];

        *n = src->nodes[dst->num];
        n->path = copy_of(n->path);
        n->value = fuzz_text((const uint8_t *)n->value, n->len);
    }
}

static struct node *find(const char *path)
{
    unsigned i;

    for (i = 0; i < tree.num; i++)
        if (!strcmp(tree.nodes[i].path, path))
            return &tree.nodes[i];
    return NULL;
}

static bool is_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return !strncmp(path, dir, len) && path[len] == '/';
}

static bool put(const char *path, const char *value, size_t len)
{
    struct node *n = find(path);
    const char *slash = strrchr(path, '/');

    if (n) {
        free(n->value);
    } else {
        if (slash && slash != path) {
            char *parent = fuzz_text((const uint8_t *)path,
                                     (size_t)(slash - path));
            bool ok = find(parent) || put(parent, "", 0);

            free(parent);
            if (!ok)
                return false;
        }
        if (tree.num == MAX_NODES)
            return false;
        n = &tree.nodes[tree.num++];
        n->path = copy_of(path);
    }
    n->value = fuzz_text((const uint8_t *)value, len);
    n->len = len;
    return true;
}

/* ----- for harnesses ----- */

void fakexs_reset(void)
{
    clear(&tree);
    clear(&saved);
    fail_at = failed = conflicts = 0;
}

void fakexs_put(const char *path, const char *value, size_t len)
{
    put(path, value, len);
}

void fakexs_fail(unsigned count, int errnoval)
{
    fail_at = count;
    fail_errno = errnoval;
}

unsigned fakexs_failed(void)
{
    return failed;
}

void fakexs_conflict(unsigned count)
{
    conflicts = count;
}

char *fakexs_dump_without(const char *path)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    unsigned i;

    FUZZ_CHECK(f != NULL);
    for (i = 0; i < tree.num; i++) {
        const struct node *n = &tree.nodes[i];

        if (strcmp(n->path, path) && !is_below(n->path, path))
            fprintf(f, "%s=%s\n", n->path, n->value);
    }
    fclose(f);
    return text;
}

/* ----- libxenstore ----- */

static bool fails(void)
{
    if (!fail_at)
        return false;
    if (fail_at > 1) {
        fail_at--;
        return false;
    }
    failed++;
    errno = fail_errno;
    return true;
}

struct xs_handle *xs_open(unsigned long flags)
{
    static char handle;

    (void)flags;
    return (struct xs_handle *)&handle;
}

void xs_close(struct xs_handle *xsh)
{
    (void)xsh;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    (void)h;
    if (fails())
        return XBT_NULL;
    copy(&saved, &tree);
    return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
    bool bad = fails();

    (void)h, (void)t;
    if (!bad && !abort && conflicts) {
        conflicts--;
        errno = EAGAIN;
        bad = true;
    }
    if (bad || abort)
        copy(&tree, &saved);
    return !bad;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    const struct node *n = find(path);

    (void)h, (void)t;
    if (fails())
        return NULL;
    if (!n) {
        errno = ENOENT;
        return NULL;
    }
    if (len)
        *len = (unsigned)n->len;
    return fuzz_text((const uint8_t *)n->value, n->len);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
              const void *data, unsigned int len)
{
    (void)h, (void)t;
    if (fails())
        return false;
    if (!put(path, data, len)) {
        errno = ENOSPC;
        return false;
    }
    return true;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    return find(path) ? !fails() : xs_write(h, t, path, "", 0);
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t,
                        const char *path, struct xs_permissions *perms,
                        unsigned int num_perms)
{
    (void)h, (void)t, (void)path, (void)perms, (void)num_perms;
    return !fails();
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    unsigned i, kept = 0;

    (void)h, (void)t;
    if (fails())
        return false;
    if (!find(path)) {
        errno = ENOENT;
        return false;
    }
    for (i = 0; i < tree.num; i++) {
        struct node *n = &tree.nodes[i];

        if (strcmp(n->path, path) && !is_below(n->path, path)) {
            tree.nodes[kept++] = *n;
        } else {
            free(n->path);
            free(n->value);
        }
    }
    tree.num = kept;
    return true;
}

/* One piece of memory, as libxenstore returns it. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    size_t skip = strlen(path) + 1, size = 0;
    unsigned i, found = 0;
    char **names, *s;

    (void)h, (void)t;
    if (fails())
        return NULL;
    if (!find(path)) {
        errno = ENOENT;
        return NULL;
    }
    for (i = 0; i < tree.num; i++) {
        const char *name = tree.nodes[i].path;

        if (is_below(name, path) && !strchr(name + skip, '/')) {
            found++;
            size += strlen(name + skip) + 1;
        }
    }
    names = malloc(found * sizeof(*names) + size + 1);
    FUZZ_CHECK(names != NULL);
    s = (char *)(names + found);
    *num = found;
    for (i = found = 0; i < tree.num; i++) {
        const char *name = tree.nodes[i].path;

        if (is_below(name, path) && !strchr(name + skip, '/')) {
            names[found++] = s;
            s = stpcpy(s, name + skip) + 1;
        }
    }
    return names;
}
