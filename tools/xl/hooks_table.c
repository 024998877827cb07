/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which of xl's configurations has which vscsictrls.  A configuration is known
 * by its address, and by its UUID where xl has moved it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hooks_life.h"

/* xl has two at a time; what is older than this many is given up. */
#define MAX_ENTRIES 16

typedef struct entry {
    const libxl_domain_config *config;
    libxl_uuid uuid;
    hooks_list list;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry entries[MAX_ENTRIES];      /* the newest last */
static unsigned num_entries;
static hooks_list pending;
static bool has_pending;

void hooks_list_dispose(hooks_list *list)
{
    libxl_device_vscsictrl_list_free(list->ctrls, list->num);
    memset(list, 0, sizeof(*list));
}

bool hooks_list_copy(hooks_list *dst_r, const hooks_list *src)
{
    hooks_list dst = { .broken = src->broken };

    memset(dst_r, 0, sizeof(*dst_r));
    if (src->num) {
        dst.ctrls = calloc((size_t)src->num, sizeof(*dst.ctrls));
        if (!dst.ctrls)
            return false;
    }
    for (; dst.num < src->num; dst.num++) {
        if (libxl_device_vscsictrl_copy(NULL, &dst.ctrls[dst.num],
                                        &src->ctrls[dst.num])) {
            hooks_list_dispose(&dst);
            return false;
        }
    }
    *dst_r = dst;
    return true;
}

static void take_out(unsigned i)
{
    num_entries--;
    memmove(&entries[i], &entries[i + 1],
            (num_entries - i) * sizeof(entries[0]));
}

static void drop(unsigned i)
{
    hooks_list_dispose(&entries[i].list);
    take_out(i);
}

static void forget(const libxl_domain_config *config)
{
    unsigned i = num_entries;

    while (i-- > 0)
        if (entries[i].config == config)
            drop(i);
}

static void put(const libxl_domain_config *config, hooks_list *list)
{
    forget(config);
    if (num_entries == MAX_ENTRIES)
        drop(0);
    entries[num_entries++] = (entry){
        .config = config, .uuid = config->c_info.uuid, .list = *list,
    };
    memset(list, 0, sizeof(*list));
}

void hooks_table_put(const libxl_domain_config *config, hooks_list *list)
{
    pthread_mutex_lock(&lock);
    put(config, list);
    pthread_mutex_unlock(&lock);
}

void hooks_table_put_pending(hooks_list *list)
{
    pthread_mutex_lock(&lock);
    hooks_list_dispose(&pending);
    pending = *list;
    has_pending = true;
    memset(list, 0, sizeof(*list));
    pthread_mutex_unlock(&lock);
}

void hooks_table_forget(const libxl_domain_config *config)
{
    pthread_mutex_lock(&lock);
    forget(config);
    pthread_mutex_unlock(&lock);
}

static entry *find(const libxl_domain_config *config)
{
    unsigned i = num_entries;

    while (i-- > 0)
        if (entries[i].config == config)
            return &entries[i];
    return NULL;
}

static void adopt_pending(const libxl_domain_config *config)
{
    if (!has_pending || find(config))
        return;
    put(config, &pending);
    has_pending = false;
}

static void adopt_moved(const libxl_domain_config *config)
{
    unsigned i = num_entries;
    hooks_list list;

    if (find(config))
        return;
    while (i-- > 0) {
        if (!libxl_uuid_compare(&entries[i].uuid, &config->c_info.uuid)) {
            list = entries[i].list;
            take_out(i);
            put(config, &list);
            return;
        }
    }
}

bool hooks_table_get(const libxl_domain_config *config, bool to_create,
                     hooks_list *list_r)
{
    static const hooks_list none;
    const entry *found;
    bool ok;

    pthread_mutex_lock(&lock);
    adopt_pending(config);
    if (to_create) {
        adopt_moved(config);
        hooks_list_dispose(&pending);
        has_pending = false;
    }
    found = find(config);
    ok = hooks_list_copy(list_r, found ? &found->list : &none);
    pthread_mutex_unlock(&lock);
    return ok;
}
