/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The names that udev gives to devices, /dev/disk/by-id/... and the like,
 * read from /dev in one pass: of several devices that ask for a name, the
 * link leads to the one that has it.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxl_vscsi_unit.h"

#define UP "../../"             /* from /dev/disk/by-id */

/* The best first: one of a device lasts longer than one of its place. */
static const char *const ranks[] = { "by-id", "by-path" };

struct libxl__vscsi_link {
    char *name;                 /* "/dev/disk/by-id/..." */
    char *node;                 /* "/dev/sdb" */
    size_t rank;
};

void libxl__vscsi_links_dispose(libxl__vscsi_links *links)
{
    unsigned i;

    for (i = 0; i < links->num; i++) {
        free(links->list[i].name);
        free(links->list[i].node);
    }
    free(links->list);
    *links = (libxl__vscsi_links){ .list = NULL };
}

/* What there is no memory for is a name less. */
static void add(libxl__vscsi_links *links, const char *kind, size_t rank,
                const char *name, const char *to)
{
    struct libxl__vscsi_link *list = links->list, *link;

    if (!(links->num & (links->num - 1)))       /* room for a power of two */
        list = reallocarray(list, links->num ? 2 * links->num : 1,
                            sizeof(*list));
    if (!list)
        return;
    links->list = list;
    link = &list[links->num];
    link->rank = rank;
    link->name = libxl__vscsi_sprintf("/dev/%s/%s/%s", kind, ranks[rank],
                                      name);
    link->node = libxl__vscsi_sprintf("/dev/%s", to);
    if (link->name && link->node) {
        links->num++;
        return;
    }
    free(link->name);
    free(link->node);
}

static void read_links(libxl__vscsi_ctx *vc, libxl__vscsi_links *links,
                       const char *kind, size_t rank)
{
    char path[PATH_MAX], to[PATH_MAX];
    struct dirent *entry;
    ssize_t len;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/%s/%s", vc->devfs, kind, ranks[rank]);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        len = readlinkat(dirfd(dir), entry->d_name, to, sizeof(to) - 1);
        if (len <= 0)
            continue;
        to[len] = '\0';
        if (!strncmp(to, UP, strlen(UP)))
            add(links, kind, rank, entry->d_name, to + strlen(UP));
    }
    if (dir)
        closedir(dir);
}

static int order_links(const void *a, const void *b)
{
    const struct libxl__vscsi_link *x = a, *y = b;
    int order = strcmp(x->node, y->node);

    if (!order)
        order = x->rank < y->rank ? -1 : x->rank > y->rank;
    return order ? order : strcmp(x->name, y->name);
}

static void load(libxl__vscsi_ctx *vc, libxl__vscsi_links *links)
{
    DIR *dir = opendir(vc->devfs);
    struct dirent *entry;
    size_t rank;

    links->complete = true;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
            continue;
        for (rank = 0; rank < VSCSI_ARRAY_SIZE(ranks); rank++)
            read_links(vc, links, entry->d_name, rank);
    }
    if (dir)
        closedir(dir);
    if (links->num)
        qsort(links->list, links->num, sizeof(*links->list), order_links);
}

const char *libxl__vscsi_best_link(libxl__vscsi_ctx *vc,
                                   libxl__vscsi_links *links,
                                   const char *node, size_t *rank_r)
{
    unsigned low = 0, high;

    if (!links->complete)
        load(vc, links);
    for (high = links->num; low < high; ) {
        unsigned middle = low + (high - low) / 2;

        if (strcmp(links->list[middle].node, node) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == links->num || strcmp(links->list[low].node, node))
        return NULL;
    *rank_r = links->list[low].rank;
    return links->list[low].name;
}
