/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Waiting for the kernel side by side.  Most of what takes LIO objects down
 * is its grace periods, and those of many objects can pass at once.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "libxl_vscsi_ctx.h"

#define MAX_THREADS 16

typedef struct work {
    libxl__vscsi_job *job;
    char *args;
    size_t size;
    unsigned num;
    atomic_uint next;
} work;

static void *do_work(void *arg)
{
    work *w = arg;
    unsigned i;

    while ((i = atomic_fetch_add(&w->next, 1)) < w->num)
        w->job(w->args + i * w->size);
    return NULL;
}

/* Without a thread, or with fewer, it only takes longer. */
void libxl__vscsi_in_parallel(libxl__vscsi_job *job, void *args, size_t size,
                              unsigned num)
{
    work w = { .job = job, .args = args, .size = size, .num = num };
    pthread_t threads[MAX_THREADS - 1];
    unsigned started = 0;
    sigset_t all, old;

    if (num > 1) {
        /* Signals are the application's. */
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &old);
        while (started < MAX_THREADS - 1 && started < num - 1 &&
               !pthread_create(&threads[started], NULL, do_work, &w))
            started++;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    do_work(&w);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}
