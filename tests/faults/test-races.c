/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Eight processes that attach, detach and list at the same time, on one
 * domain and on several, while another writes where their transactions
 * read.  No device is lost, none is in two domains, no vdev is given twice,
 * and every process ends.
 */
#include "stage.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figure.h"
#include "lio_stage.h"
#include "steps.h"
#include "text.h"
#include "trace.h"

#define MAX_RACES 20
#define WORKERS 8u
#define DOMAINS 3u              /* 5, 7, 8 */
#define CTRLS 2u
#define LUNS 6u                 /* of a vscsictrl, and of the shared target */
#define HANGS_AFTER_S 600

static const uint32_t domids[DOMAINS] = { DOM, 7, 8 };

/* Memory that all of them see. */
static struct shared {
    /* attached less detached, of every place */
    int places[DOMAINS][CTRLS][LUNS];
    unsigned operations, refused, unexpected;
    bool over;
    char what[512];             /* the first that was unexpected */
} *shared;

/* ----- one process ----- */

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static void note(int rc, const char *what, uint32_t domid, unsigned devid,
                 unsigned lun)
{
    __atomic_add_fetch(&shared->operations, 1, __ATOMIC_RELAXED);
    if (!rc)
        return;
    if (rc == ERROR_DEVICE_EXISTS || rc == ERROR_NOTFOUND) {
        __atomic_add_fetch(&shared->refused, 1, __ATOMIC_RELAXED);
        return;
    }
    if (!__atomic_fetch_add(&shared->unexpected, 1, __ATOMIC_RELAXED))
        snprintf(shared->what, sizeof(shared->what), "%s %u %u:0:0:%u: rc "
                 "%d: %.300s", what, domid, devid, lun, rc, rig_log());
}

/* Any device of the shared target to any place: most are taken. */
static void attach_any(struct rig *rig, unsigned num_doms, unsigned *seed)
{
    unsigned d = next_random(seed) % num_doms;
    unsigned devid = next_random(seed) % CTRLS;
    unsigned lun = next_random(seed) % LUNS;
    unsigned device = next_random(seed) % LUNS;
    char spec[64];
    int rc;

    snprintf(spec, sizeof(spec), "/dev/fake-2-%u %u:0:0:%u", device, devid,
             lun);
    rc = rig_attach(rig, domids[d], spec);
    if (!rc)
        __atomic_add_fetch(&shared->places[d][devid][lun], 1,
                           __ATOMIC_RELAXED);
    note(rc, "attach", domids[d], devid, lun);
}

static void detach_any(struct rig *rig, unsigned num_doms, unsigned *seed)
{
    unsigned d = next_random(seed) % num_doms;
    unsigned devid = next_random(seed) % CTRLS;
    unsigned lun = next_random(seed) % LUNS;
    char vdev[32];
    int rc;

    snprintf(vdev, sizeof(vdev), "%u:0:0:%u", devid, lun);
    rc = rig_detach(rig, domids[d], vdev, LIBXL__VSCSI_SAFE_REMOVE);
    if (!rc)
        __atomic_sub_fetch(&shared->places[d][devid][lun], 1,
                           __ATOMIC_RELAXED);
    note(rc, "detach", domids[d], devid, lun);
}

static void list_any(struct rig *rig, unsigned num_doms, unsigned *seed)
{
    unsigned d = next_random(seed) % num_doms;
    libxl_vscsiinfo *infos = NULL;
    int rc, num = 0;

    rc = libxl__vscsi_list_infos(&rig->vc, domids[d], -1, NULL, &infos,
                                 &num);
    libxl_vscsiinfo_list_free(infos, num);
    note(rc, "list", domids[d], 0, 0);
}

static _Noreturn void work(struct rig *rig, unsigned which,
                           unsigned num_doms, unsigned operations)
{
    unsigned seed = 77 + which, i, dice;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(HANGS_AFTER_S);
    if (stage_reopen(rig))
        _exit(1);
    for (i = 0; i < operations; i++) {
        rig_forget_log();
        dice = next_random(&seed) % 10;
        if (dice < 5)
            attach_any(rig, num_doms, &seed);
        else if (dice < 8)
            detach_any(rig, num_doms, &seed);
        else
            list_any(rig, num_doms, &seed);
    }
    libxl__vscsi_ctx_dispose(&rig->vc);
    _exit(0);
}

/* Writes what every transaction of an operation reads or removes. */
static _Noreturn void disturb(unsigned num_doms)
{
    struct xs_handle *xsh;
    char path[64];
    unsigned i;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(HANGS_AFTER_S);
    xsh = xs_open(0);
    if (!xsh)
        _exit(1);
    store_dont_count(xsh);
    for (i = 0; !__atomic_load_n(&shared->over, __ATOMIC_RELAXED); i++) {
        snprintf(path, sizeof(path), "/libxl/%u%s",
                 domids[i / 2 % num_doms], i % 2 ? "/device" : "");
        if (!xs_write(xsh, XBT_NULL, path, "", 0))
            _exit(1);
        /* A transaction must fit in between, on a loaded machine too. */
        libxl__vscsi_pause(i % 8 ? 1 : 100);
    }
    xs_close(xsh);
    _exit(0);
}

/* ----- what must hold ----- */

/* By the record alone, as one transaction sees it: who has which device? */
static void assert_apart(struct rig *rig, unsigned num_doms)
{
    unsigned users[LUNS] = { 0 }, d, device;
    char *dump, *rest, *line, *name, *path;
    int total = 0, places = 0;

    assert_true(num_doms <= VSCSI_ARRAY_SIZE(domids));
    for (d = 0; d < num_doms; d++) {
        path = text_new("/local/domain/0/backend/vscsi/%u", domids[d]);
        rest = dump = store_dump(rig->s, path);
        while ((line = strsep(&rest, "\n"))) {
            name = strstr(line, "/p-devname = /dev/fake-2-");
            if (!name)
                continue;
            device = (unsigned)(name[25] - '0');
            assert_in_range(device, 0, LUNS - 1);
            if (users[device]++)
                fail_msg("/dev/fake-2-%u is in use twice: %s", device, line);
            total++;
        }
        free(dump), free(path);
    }
    for (d = 0; d < num_doms; d++)
        for (unsigned i = 0; i < CTRLS * LUNS; i++)
            places += shared->places[d][i / LUNS][i % LUNS];
    assert_int_equal(total, places);
}

/* Every place has what was attached to it and not detached. */
static void assert_places(struct rig *rig, unsigned d)
{
    char *list = stage_truth(rig, domids[d]), vdev[32];
    unsigned devid, lun;

    for (devid = 0; devid < CTRLS; devid++) {
        for (lun = 0; lun < LUNS; lun++) {
            int is = shared->places[d][devid][lun];
            const char *found;

            snprintf(vdev, sizeof(vdev), "%u:0:0:%u=", devid, lun);
            found = strstr(list, vdev);
            if (is != (found != NULL))
                fail_msg("domain %u, %s %d times; list: %s", domids[d], vdev,
                         is, list);
            if (found && strstr(found + 1, vdev))
                fail_msg("domain %u, %s twice: %s", domids[d], vdev, list);
        }
    }
    free(list);
}

static pid_t start(struct rig *rig, unsigned which, unsigned num_doms,
                   unsigned operations)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid && which == WORKERS)
        disturb(num_doms);
    if (!pid)
        work(rig, which, num_doms, operations);
    return pid;
}

static void await(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("a process ended with status %#x (a hang is 0xe)", status);
}

/* Transactions that had to begin again. */
static unsigned count_conflicts(struct rig *rig, long mark)
{
    struct trace *t = trace_load(store_dir(rig->s));
    unsigned num = 0;
    size_t i;

    for (i = 0; i < t->num; i++)
        num += t->requests[i].who == TRACE_TESTED &&
               t->requests[i].offset >= mark && !t->requests[i].ok &&
               !strcmp(t->requests[i].type, "TRANSACTION_END");
    trace_free(t);
    return num;
}

/* From an empty stage to an empty stage; returns the number of conflicts. */
static unsigned race_once(struct rig *rig, unsigned num_doms, unsigned each)
{
    long mark = store_trace_mark(rig->s);
    pid_t pids[WORKERS + 1];
    unsigned i, conflicts;

    memset(shared->places, 0, sizeof(shared->places));
    shared->over = false;
    for (i = 0; i <= WORKERS; i++)
        pids[i] = start(rig, i, num_doms, each);
    for (i = 0; i < WORKERS; i++)
        await(pids[i]);
    shared->over = true;
    await(pids[WORKERS]);
    if (shared->unexpected)
        fail_msg("%u operations: %s", shared->unexpected, shared->what);
    peer_settle(rig->p);
    assert_apart(rig, num_doms);
    for (i = 0; i < num_doms; i++)
        assert_places(rig, i);
    conflicts = count_conflicts(rig, mark);
    for (i = 0; i < num_doms; i++) {
        libxl_device_vscsictrl *ctrls;
        int v, num;

        ctrls = rig_ctrls(rig, domids[i], &num);
        for (v = 0; v < num; v++)
            assert_int_equal(rig_close(rig, domids[i], ctrls[v].devid,
                                       LIBXL__VSCSI_SAFE_REMOVE), 0);
        libxl_device_vscsictrl_list_free(ctrls, num);
    }
    stage_assert_clean(rig);
    return conflicts;
}

static void race(struct rig *rig, const char *name, unsigned num_doms)
{
    unsigned each = figure_long() ? 400 : 25, i, conflicts = 0;

    for (i = 1; i < num_doms; i++)
        store_domain_create(rig->s, domids[i]);
    memset(shared, 0, sizeof(*shared));
    /* A busy machine may let the writer come at the wrong moments only. */
    for (i = 0; i < MAX_RACES && !conflicts; i++)
        conflicts = race_once(rig, num_doms, each);
    assert_true(conflicts > 0);
    print_message("# %u operations, %u refused as they should be, %u "
                  "conflicts\n", shared->operations, shared->refused,
                  conflicts);
    figure_row(name, shared->operations, shared->operations, 0);
}

static void eight_processes_on_one_domain_lose_nothing(void **state)
{
    race(*state, "races: 8 processes on one domain", 1);
}

static void eight_processes_on_three_domains_share_nothing(void **state)
{
    race(*state, "races: 8 processes on three domains", DOMAINS);
}

/* ----- a device that changes hands ----- */

static struct rig other_rig;
static bool taken;

static void take_over(unsigned step, bool done)
{
    (void)step, (void)done;
    if (!taken)
        taken = !rig_attach(&other_rig, 7, "/dev/fake-0-1 0:0:0:0");
}

/* Domain 7 gets it at the first moment at which domain 5 has it no more. */
static void change_hands(struct rig *rig, const char *vdev)
{
    other_rig = *rig;
    assert_int_equal(stage_reopen(&other_rig), 0);
    other_rig.vc.timeouts.lock_ms = 0;
    taken = false;
    steps_begin(take_over);
    if (vdev)
        assert_int_equal(rig_detach(rig, DOM, vdev,
                                    LIBXL__VSCSI_SAFE_REMOVE), 0);
    else
        assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_DESTROY), 0);
    steps_end(NULL);
    libxl__vscsi_ctx_dispose(&other_rig.vc);
    assert_true(taken);
    free(stage_truth(rig, 7));
    assert_int_equal(peer_guest_luns(rig->p, 7, 0), 1);
    assert_int_equal(rig_close(rig, 7, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
}

static void a_device_that_changes_hands_keeps_its_export(void **state)
{
    struct rig *rig = *state;

    store_domain_create(rig->s, 7);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    change_hands(rig, "0:0:0:1");
    assert_int_equal(rig_attach_many(rig, DOM, 0, 1, 1), 0);
    change_hands(rig, NULL);
    stage_assert_clean(rig);
}

/* From when domain 5 has it on record, domain 7 tries at each step. */
static void covet(unsigned step, bool done)
{
    static const char record[] = "/libxl/5/device/vscsi/0";
    static bool recorded;

    recorded |= store_exists(other_rig.s, record);
    if (recorded)
        take_over(step, done);
}

static void a_device_that_is_plugged_again_is_not_free_meanwhile(void **state)
{
    struct rig *rig = *state;

    store_domain_create(rig->s, 7);
    peer_set_frontend_loaded(rig->p, DOM, false);
    other_rig = *rig;
    assert_int_equal(stage_reopen(&other_rig), 0);
    other_rig.vc.timeouts.lock_ms = 0;
    taken = false;
    steps_begin(covet);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:0"), 0);
    steps_end(NULL);
    libxl__vscsi_ctx_dispose(&other_rig.vc);
    assert_false(taken);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_REMOVE), 0);
    stage_assert_clean(rig);
}

/* ----- the lock ----- */

#define OVERTAKEN_MAX 20u

static struct {
    unsigned taken;             /* so often */
    bool over;
} greedy;

/* Wants it again as soon as it has given it up. */
static void *take_again_and_again(void *arg)
{
    libxl__vscsi_ctx vc = *(libxl__vscsi_ctx *)arg;
    int lock;

    while (!__atomic_load_n(&greedy.over, __ATOMIC_RELAXED)) {
        if (libxl__vscsi_lock(&vc, DOM, &lock))
            break;
        __atomic_add_fetch(&greedy.taken, 1, __ATOMIC_RELAXED);
        libxl__vscsi_pause(5);
        libxl__vscsi_unlock(lock);
    }
    return NULL;
}

static void who_waits_for_the_lock_is_not_overtaken_for_ever(void **state)
{
    struct rig *rig = *state;
    unsigned before, i;
    pthread_t thread;
    int lock;

    greedy.over = false;
    assert_int_equal(pthread_create(&thread, NULL, take_again_and_again,
                                    &rig->vc), 0);
    while (!__atomic_load_n(&greedy.taken, __ATOMIC_RELAXED))
        libxl__vscsi_pause(1);
    for (i = 0; i < 10; i++) {
        before = __atomic_load_n(&greedy.taken, __ATOMIC_RELAXED);
        assert_int_equal(libxl__vscsi_lock(&rig->vc, DOM, &lock), 0);
        assert_in_range(greedy.taken - before, 0, OVERTAKEN_MAX);
        libxl__vscsi_unlock(lock);
    }
    __atomic_store_n(&greedy.over, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(who_waits_for_the_lock_is_not_overtaken_for_ever),
        STAGE_TEST(a_device_that_changes_hands_keeps_its_export),
        STAGE_TEST(a_device_that_is_plugged_again_is_not_free_meanwhile),
        STAGE_TEST(eight_processes_on_one_domain_lose_nothing),
        STAGE_TEST(eight_processes_on_three_domains_share_nothing),
    };

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests_name("faults/races", tests, NULL, NULL);
}
