/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The devices of a vhost's record: vscsi-devs below it, each device one line
 * of JSON.  What a message to xenstored cannot hold goes on in vscsi-devs/1,
 * /2, ..., which a last line "+" says.  So one request reads them, however
 * many there are.
 *
 * A line stays in its node as long as it is there: whoever reads them one
 * after the other, while another process changes them, misses none.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_nodes.h"

/* What a message holds, less room for the path. */
#define PAGE_MAX 3072
#define GOES_ON "+"

static char *page_path(libxl__vscsi_vhost v, unsigned page)
{
    char tail[64];

    snprintf(tail, sizeof(tail), page ? NODE_DEVS "/%u" : NODE_DEVS, page);
    return libxl__vscsi_record_path(v, tail);
}

/* ----- pages of lines, each page a node ----- */

typedef struct page {
    char *lines;                /* without the one that it goes on */
    bool changed;
} page;

typedef struct pages {
    page *list;
    unsigned num, num_stored;
    bool old;                   /* not in pages yet; see read_old_nodes() */
} pages;

static void pages_dispose(pages *p)
{
    unsigned i;

    for (i = 0; i < p->num; i++)
        free(p->list[i].lines);
    free(p->list);
}

/* Takes lines over; false when memory ran out. */
static bool add_page(pages *p, char *lines)
{
    page *list = reallocarray(p->list, p->num + 1, sizeof(*list));

    if (list)
        p->list = list;
    if (!lines || !list) {
        free(lines);
        return false;
    }
    list[p->num++] = (page){ .lines = lines };
    return true;
}

static bool append(page *to, const char *line)
{
    char *lines = libxl__vscsi_sprintf("%s%s%s", to->lines,
                                       *to->lines ? "\n" : "", line);

    if (!lines)
        return false;
    free(to->lines);
    to->lines = lines;
    to->changed = true;
    return true;
}

/* To the first page that has room for it. */
static bool add_line(pages *p, const char *line)
{
    unsigned i;

    for (i = 0; i < p->num; i++)
        if (strlen(p->list[i].lines) + strlen(line) +
            sizeof("\n\n" GOES_ON) <= PAGE_MAX)
            return append(&p->list[i], line);
    if (!add_page(p, strdup("")))
        return false;
    if (i)
        p->list[i - 1].changed = true;
    return append(&p->list[i], line);
}

/* Where the line begins that says so; NULL if it is the last page. */
static char *find_goes_on(char *text)
{
    char *last = strrchr(text, '\n');

    if (!strcmp(last ? last + 1 : text, GOES_ON))
        return last ? last : text;
    return NULL;
}

/*
 * Earlier builds of this version gave each device a node of its own,
 * vscsi-devs/dev-N, and vhosts that were made by them have it still.  The
 * next change of the record takes their lines over.
 */
static int read_old_nodes(libxl__vscsi_ctx *vc, xs_transaction_t t,
                          libxl__vscsi_vhost v, pages *p)
{
    char **names, *line, tail[64];
    unsigned i, num;
    uint64_t id;
    int rc;

    p->old = true;
    rc = libxl__vscsi_list_node(vc, t, page_path(v, 0), &names, &num);
    if (rc)
        return rc;
    for (i = 0; !rc && i < num; i++) {
        if (!libxl__vscsi_parse_name(names[i], NODE_DEV_PREFIX, INT32_MAX,
                                     &id))
            continue;
        snprintf(tail, sizeof(tail), NODE_DEVS "/%s", names[i]);
        line = NULL;
        rc = libxl__vscsi_read_node(vc, t, libxl__vscsi_record_path(v, tail),
                                    &line);
        if (line && !add_line(p, line))
            rc = libxl__vscsi_store_failed(vc, "read", NULL);
        free(line);
    }
    free(names);
    return rc;
}

static int read_pages(libxl__vscsi_ctx *vc, xs_transaction_t t,
                      libxl__vscsi_vhost v, pages *p)
{
    char *text, *end;
    int rc;

    do {
        rc = libxl__vscsi_read_node(vc, t, page_path(v, p->num), &text);
        if (rc || !text)
            break;
        if (!*text) {           /* no page is ever stored like that */
            free(text);
            return read_old_nodes(vc, t, v, p);
        }
        end = find_goes_on(text);
        if (end)
            *end = '\0';
        if (!add_page(p, text))
            rc = libxl__vscsi_store_failed(vc, "read", NULL);
    } while (!rc && end);
    p->num_stored = p->num;
    return rc;
}

static int write_page(libxl__vscsi_ctx *vc, xs_transaction_t t,
                      libxl__vscsi_vhost v, const pages *p, unsigned i)
{
    const char *lines = p->list[i].lines;
    char *text = libxl__vscsi_sprintf("%s%s%s", lines,
                                      i + 1 < p->num && *lines ? "\n" : "",
                                      i + 1 < p->num ? GOES_ON : "");
    int rc;

    rc = libxl__vscsi_write_node(vc, t, page_path(v, i), text);
    free(text);
    return rc;
}

/* Pages at the end that are empty now go. */
static int write_pages(libxl__vscsi_ctx *vc, xs_transaction_t t,
                       libxl__vscsi_vhost v, pages *p)
{
    unsigned i;
    int rc = 0;

    while (p->num && !*p->list[p->num - 1].lines) {
        free(p->list[--p->num].lines);
        if (p->num)
            p->list[p->num - 1].changed = true;
    }
    if (p->old)
        rc = libxl__vscsi_remove_node(vc, t, page_path(v, 0));
    for (i = 0; !rc && i < p->num; i++)
        if (p->list[i].changed)
            rc = write_page(vc, t, v, p, i);
    for (; !rc && i < p->num_stored; i++)
        rc = libxl__vscsi_remove_node(vc, t, page_path(v, i));
    return rc;
}

/* ----- devices ----- */

static bool parse_line(const char *line, libxl_device_vscsidev *dev)
{
    libxl_device_vscsidev_init(dev);
    return !libxl_device_vscsidev_from_json(NULL, dev, line) &&
           dev->vscsidev_id >= 0;
}

static yajl_gen_status gen_dev(yajl_gen gen, const void *p)
{
    return libxl_device_vscsidev_gen_json(gen,
                                (libxl_device_vscsidev *)(uintptr_t)p);
}

static int add_dev(libxl__vscsi_ctx *vc, pages *p,
                   const libxl_device_vscsidev *dev)
{
    char *line = libxl__vscsi_record_text(gen_dev, dev);
    int rc = 0;

    if (!line || strlen(line) > PAGE_MAX - sizeof("\n" GOES_ON)) {
        libxl__vscsi_error(vc, "it cannot be recorded: its name is %s",
                           line ? "too long" : "no UTF-8 text");
        rc = ERROR_INVAL;
    } else if (!add_line(p, line)) {
        rc = libxl__vscsi_store_failed(vc, "write", NULL);
    }
    free(line);
    return rc;
}

static int write_more(libxl__vscsi_ctx *vc, xs_transaction_t t,
                      libxl__vscsi_vhost v, pages *p,
                      const libxl_device_vscsidev *devs, int num)
{
    int rc = 0, i;

    for (i = 0; !rc && i < num; i++)
        rc = add_dev(vc, p, &devs[i]);
    return rc ? rc : write_pages(vc, t, v, p);
}

int libxl__vscsi_record_first_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                   libxl__vscsi_vhost v,
                                   const libxl_device_vscsidev *devs, int num)
{
    pages p = { .list = NULL };
    int rc;

    rc = write_more(vc, t, v, &p, devs, num);
    pages_dispose(&p);
    return rc;
}

int libxl__vscsi_record_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_vhost v,
                             const libxl_device_vscsidev *devs, int num)
{
    pages p = { .list = NULL };
    int rc;

    rc = read_pages(vc, t, v, &p);
    if (!rc)
        rc = write_more(vc, t, v, &p, devs, num);
    pages_dispose(&p);
    return rc;
}

/* A line that cannot be read is nobody's. */
static bool is_of(const char *line, const libxl_devid *ids, unsigned num)
{
    libxl_device_vscsidev dev;
    bool found = false;
    unsigned i;

    if (parse_line(line, &dev))
        for (i = 0; i < num; i++)
            found = found || ids[i] == dev.vscsidev_id;
    libxl_device_vscsidev_dispose(&dev);
    return found;
}

static int forget_on_page(libxl__vscsi_ctx *vc, page *from,
                          const libxl_devid *ids, unsigned num)
{
    char *lines = from->lines, *line, *save, *left = strdup("");
    bool changed = from->changed;
    int rc = 0;

    if (!left)
        return libxl__vscsi_store_failed(vc, "write", NULL);
    from->lines = left;
    for (line = strtok_r(lines, "\n", &save); !rc && line;
         line = strtok_r(NULL, "\n", &save)) {
        if (is_of(line, ids, num))
            changed = true;
        else if (!append(from, line))
            rc = libxl__vscsi_store_failed(vc, "write", NULL);
    }
    from->changed = changed;    /* which append() always sets */
    free(lines);
    return rc;
}

int libxl__vscsi_forget_devs(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_vhost v, const libxl_devid *ids,
                             unsigned num)
{
    pages p = { .list = NULL };
    unsigned i;
    int rc;

    rc = read_pages(vc, t, v, &p);
    for (i = 0; !rc && i < p.num; i++)
        rc = forget_on_page(vc, &p.list[i], ids, num);
    if (!rc)
        rc = write_pages(vc, t, v, &p);
    pages_dispose(&p);
    return rc;
}

static int read_line(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v,
                     const char *line, libxl_device_vscsictrl *ctrl)
{
    libxl_device_vscsidev dev;
    int rc = 0;

    if (parse_line(line, &dev)) {
        rc = libxl_device_vscsictrl_append_vscsidev(NULL, ctrl, &dev);
    } else {
        vc->skipped_records = true;
        libxl__vscsi_log(vc, XTL_WARN, "vhost %d of domain %u: the record "
                         "of a device cannot be read", v.devid, v.domid);
    }
    libxl_device_vscsidev_dispose(&dev);
    return rc;
}

int libxl__vscsi_read_devs(libxl__vscsi_ctx *vc, libxl__vscsi_vhost v,
                           libxl_device_vscsictrl *ctrl)
{
    pages p = { .list = NULL };
    char *line, *save;
    unsigned i;
    int rc;

    rc = read_pages(vc, XBT_NULL, v, &p);
    for (i = 0; !rc && i < p.num; i++)
        for (line = strtok_r(p.list[i].lines, "\n", &save); !rc && line;
             line = strtok_r(NULL, "\n", &save))
            rc = read_line(vc, v, line, ctrl);
    pages_dispose(&p);
    return rc;
}
