/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fixture of the store tests: reading, writing, waiting.  See store.h. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "store.h"
#include "text.h"

#define MAX_PERMS 16

char *store_read(struct store *s, const char *path)
{
    unsigned len;
    char *value = xs_read(store_xs(s), XBT_NULL, path, &len);

    if (!value && errno != ENOENT)
        fail_msg("read %s: %s", path, strerror(errno));
    return value;
}

bool store_exists(struct store *s, const char *path)
{
    char *value = store_read(s, path);

    free(value);
    return value != NULL;
}

static void write_one(struct store *s, xs_transaction_t t, const char *path,
                      const char *value)
{
    bool ok;

    if (value)
        ok = xs_write(store_xs(s), t, path, value, (unsigned)strlen(value));
    else
        ok = xs_rm(store_xs(s), t, path) || errno == ENOENT;
    if (!ok)
        fail_msg("%s %s: %s", value ? "write" : "rm", path, strerror(errno));
}

void store_write(struct store *s, const char *path, const char *value)
{
    write_one(s, XBT_NULL, path, value);
}

void store_rm(struct store *s, const char *path)
{
    write_one(s, XBT_NULL, path, NULL);
}

void store_commit(struct store *s, const struct store_node *nodes,
                  unsigned num)
{
    xs_transaction_t t;
    bool ok;

    do {
        t = xs_transaction_start(store_xs(s));
        if (t == XBT_NULL)
            fail_msg("transaction: %s", strerror(errno));
        for (unsigned i = 0; i < num; i++)
            write_one(s, t, nodes[i].path, nodes[i].value);
        ok = xs_transaction_end(store_xs(s), t, false);
    } while (!ok && errno == EAGAIN);
    if (!ok)
        fail_msg("commit: %s", strerror(errno));
}

/* ----- permissions ----- */

char *store_perms(struct store *s, const char *path)
{
    static const char letters[] = "nrwb";
    struct xs_permissions *perms;
    unsigned num;
    char *text = NULL;

    perms = xs_get_permissions(store_xs(s), XBT_NULL, path, &num);
    if (!perms && errno != ENOENT)
        fail_msg("permissions of %s: %s", path, strerror(errno));
    for (unsigned i = 0; perms && i < num; i++)
        text_add(&text, "%s%c%u", i ? "," : "",
                 letters[perms[i].perms & (XS_PERM_READ | XS_PERM_WRITE)],
                 perms[i].id);
    free(perms);
    return text;
}

void store_set_perms(struct store *s, const char *path, const char *text)
{
    struct xs_permissions perms[MAX_PERMS];
    unsigned num = 0;
    char *end;

    for (const char *p = text; ; p = end + 1) {
        assert_true(num < MAX_PERMS);
        switch (*p) {
        case 'n': perms[num].perms = XS_PERM_NONE; break;
        case 'r': perms[num].perms = XS_PERM_READ; break;
        case 'w': perms[num].perms = XS_PERM_WRITE; break;
        case 'b': perms[num].perms = XS_PERM_READ | XS_PERM_WRITE; break;
        default: fail_msg("permissions \"%s\"", text);
        }
        perms[num++].id = (unsigned)strtoul(p + 1, &end, 10);
        if (!*end)
            break;
    }
    if (!xs_set_permissions(store_xs(s), XBT_NULL, path, perms, num))
        fail_msg("permissions of %s: %s", path, strerror(errno));
}

/* ----- dump ----- */

static int by_name(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static void dump_below(struct store *s, const char *path, char **text)
{
    char *value = store_read(s, path), **names, *below;
    unsigned num = 0;

    if (!value)
        return;                 /* gone meanwhile */
    text_add(text, "%s = %s\n", path, value);
    free(value);
    names = xs_directory(store_xs(s), XBT_NULL, path, &num);
    if (names)
        qsort(names, num, sizeof(*names), by_name);
    for (unsigned i = 0; names && i < num; i++) {
        below = text_new("%s/%s", path[1] ? path : "", names[i]);
        dump_below(s, below, text);
        free(below);
    }
    free(names);
}

char *store_dump(struct store *s, const char *path)
{
    char *text = text_copy("");

    dump_below(s, path, &text);
    return text;
}

/* ----- waiting ----- */

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000L + ts.tv_nsec / 1000000L;
}

static bool has_value(struct store *s, const char *path, const char *value,
                      char **is_r)
{
    *is_r = store_read(s, path);
    return value ? *is_r && !strcmp(*is_r, value) : !*is_r;
}

void store_wait(struct store *s, const char *path, const char *value)
{
    /* A handle of its own: the watch queue of store_xs() is the test's. */
    struct xs_handle *xsh = xs_open(0);
    long deadline = now_ms() + STORE_PATIENCE_MS, left;
    struct pollfd pfd;
    char *is = NULL, **event;
    bool ok;

    if (!xsh)
        fail_msg("xs_open: %s", strerror(errno));
    store_dont_count(xsh);
    if (!xs_watch(xsh, path, "w"))
        fail_msg("watch %s: %s", path, strerror(errno));
    pfd = (struct pollfd){ .fd = xs_fileno(xsh), .events = POLLIN };
    while (!(ok = has_value(s, path, value, &is))) {
        left = deadline - now_ms();
        if (left <= 0)
            break;
        free(is);
        poll(&pfd, 1, (int)left);
        while ((event = xs_check_watch(xsh)))
            free(event);
    }
    xs_close(xsh);
    if (!ok)
        fail_msg("%s is \"%s\", never became \"%s\"", path,
                 is ? is : "(absent)", value ? value : "(absent)");
    free(is);
}
