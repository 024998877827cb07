/* SPDX-License-Identifier: LGPL-2.1-only */
/* Jobs beside each other. */
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "libxl_vscsi_ctx.h"

#define PATIENCE_S 20

typedef struct task {
    unsigned runs;
    bool met;
    sem_t *here, *there;
} task;

static void count(void *arg)
{
    task *t = arg;

    t->runs++;
}

static void each_job_runs_once(void **state)
{
    static const unsigned nums[] = { 0, 1, 2, 15, 16, 17, 100 };
    unsigned i, j;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(nums); i++) {
        task tasks[101] = { { .runs = 0 } };

        libxl__vscsi_in_parallel(count, tasks, sizeof(*tasks), nums[i]);
        for (j = 0; j < VSCSI_ARRAY_SIZE(tasks); j++)
            assert_int_equal(tasks[j].runs, j < nums[i]);
    }
}

static void meet(void *arg)
{
    task *t = arg;
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    sem_post(t->here);
    t->met = !sem_timedwait(t->there, &until);
}

static void they_do_not_wait_for_each_other(void **state)
{
    sem_t a, b;
    task tasks[] = { { .here = &a, .there = &b },
                     { .here = &b, .there = &a } };

    (void)state;
    sem_init(&a, 0, 0);
    sem_init(&b, 0, 0);
    libxl__vscsi_in_parallel(meet, tasks, sizeof(*tasks), 2);
    assert_true(tasks[0].met && tasks[1].met);
    sem_destroy(&a);
    sem_destroy(&b);
}

static void signals_stay_as_they_were(void **state)
{
    task tasks[4] = { { .runs = 0 } };
    sigset_t before, after;
    int i;

    (void)state;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    libxl__vscsi_in_parallel(count, tasks, sizeof(*tasks), 4);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (i = 1; i < NSIG; i++)
        assert_int_equal(sigismember(&before, i), sigismember(&after, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_job_runs_once),
        cmocka_unit_test(they_do_not_wait_for_each_other),
        cmocka_unit_test(signals_stay_as_they_were),
    };

    return cmocka_run_group_tests_name("parallel", tests, NULL, NULL);
}
