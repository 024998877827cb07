/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Operations that are killed before and after each of their requests to
 * xenstore and changes of configfs, one position per run.  Afterwards the
 * list tells the truth; repeating the command leads to its goal, or says
 * what is to be done first; giving everything back leaves nothing; and
 * another domain has not noticed.
 */
#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "figure.h"
#include "steps.h"

#define SAMPLE 8u               /* positions of an operation, short form */
#define HANGS_AFTER_S 60

enum ending {
    END_DETACH,                 /* what was attached is detached */
    END_DESTROY,                /* the domain is destroyed */
    END_CLEANUP,                /* it was already: something else cleans */
};

struct scenario {
    const char *name;
    unsigned num;               /* devices that domain 5 has already */
    void (*prepare)(struct rig *rig);
    /* What is killed.  It runs in a process of its own: no assertion. */
    int (*act)(struct rig *rig);
    const char *goal;           /* the list when it has been done */
    enum ending ending;
    int rc;                     /* of an act that nobody kills */
};

/* ----- the process that is killed ----- */

static struct {
    unsigned step;              /* 0: none */
    bool after;
} deadly;

/* What it says before it ends, in memory that both see. */
static struct report {
    unsigned steps, requests;
    int rc;
} *report;

static void die_at(unsigned step, bool done)
{
    if (step == deadly.step && done == deadly.after)
        kill(getpid(), SIGKILL);
}

static _Noreturn void be_killed(struct rig *rig, const struct scenario *sc)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(HANGS_AFTER_S);
    if (stage_reopen(rig))
        _exit(1);
    steps_begin(die_at);
    report->rc = sc->act(rig);
    report->steps = steps_end(&report->requests);
    _exit(0);
}

/* True if it was killed, false if it came to its end. */
static bool run_killed(struct rig *rig, const struct scenario *sc,
                       unsigned step, bool after)
{
    int status;
    pid_t pid;

    deadly.step = step;
    deadly.after = after;
    pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        be_killed(rig, sc);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("%s, step %u: ended with status %#x (a hang is 0xe)",
                 sc->name, step, status);
    return false;
}

/* ----- what must hold then ----- */

static void assert_truth(struct rig *rig, const char *expected)
{
    char *truth = stage_truth(rig, DOM);

    if (expected)
        assert_string_equal(truth, expected);
    free(truth);
}

/* To the goal, by the same command, or as its message says. */
static void repeat(struct rig *rig, const struct scenario *sc)
{
    int rc;

    rig_forget_log();
    rc = sc->act(rig);
    if (rc == ERROR_NOT_READY) {
        rig_assert_said("detach its devices, then attach again");
        stage_detach_all(rig, LIBXL__VSCSI_SAFE_REMOVE);
        rc = sc->act(rig);
    }
    if (rc && rc != sc->rc) {
        assert_true(rc == ERROR_DEVICE_EXISTS || rc == ERROR_NOTFOUND);
        rig_assert_said("cannot ");
    }
    assert_truth(rig, sc->goal);
}

/* What somebody does who does not repeat it. */
static void give_back(struct rig *rig)
{
    static const char *const vdevs[] = {
        "0:0:0:0", "0:0:0:1", "0:0:0:2", "0:0:0:3",
    };
    unsigned i;
    int rc;

    stage_detach_all(rig, LIBXL__VSCSI_SAFE_REMOVE);
    for (i = 0; i < VSCSI_ARRAY_SIZE(vdevs); i++) {
        rc = rig_detach(rig, DOM, vdevs[i], LIBXL__VSCSI_SAFE_REMOVE);
        assert_int_equal(rc, ERROR_NOTFOUND);
    }
}

static void end_domain(struct rig *rig)
{
    libxl_device_vscsictrl *ctrls;
    int num, rc;

    ctrls = rig_ctrls(rig, DOM, &num);
    store_domain_destroy(rig->s, DOM);
    if (num) {                  /* else xl has no reason to ask for it */
        rc = libxl__vscsi_domain_destroyed(&rig->vc, DOM, ctrls, num);
        assert_int_equal(rc, 0);
    }
    /* As udev's rule does when a backend has gone. */
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void recover(struct rig *rig, const struct scenario *sc,
                    bool repeated)
{
    peer_thaw(rig->p, PEER_FRONTEND);
    peer_settle(rig->p);
    stage_assert_bystander(rig);
    if (sc->ending == END_CLEANUP) {
        assert_int_equal(repeated ? sc->act(rig)
                                  : libxl__vscsi_cleanup(&rig->vc), 0);
    } else {
        assert_truth(rig, NULL);
        if (repeated && sc->ending == END_DETACH)
            repeat(rig, sc);
        peer_behave(rig->p);
        peer_set_frontend_loaded(rig->p, DOM, true);
        if (sc->ending == END_DESTROY)
            end_domain(rig);
        else
            give_back(rig);
    }
    stage_assert_clean(rig);
    if (sc->ending != END_DETACH)
        store_domain_create(rig->s, DOM);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_RUNS;
}

/* ----- all positions ----- */

static void prepare(struct rig *rig, const struct scenario *sc)
{
    rig_forget_log();
    if (sc->num)
        assert_int_equal(rig_attach_many(rig, DOM, 0, 0, sc->num), 0);
    if (sc->prepare)
        sc->prepare(rig);
    peer_settle(rig->p);
}

static void try_position(struct rig *rig, const struct scenario *sc,
                         unsigned step, bool after, bool repeated)
{
    prepare(rig, sc);
    run_killed(rig, sc, step, after);
    recover(rig, sc, repeated);
}

/* Nobody kills it: how many steps are there? */
static unsigned count_steps(struct rig *rig, const struct scenario *sc)
{
    unsigned steps;
    long mark;

    prepare(rig, sc);
    mark = store_trace_mark(rig->s);
    assert_false(run_killed(rig, sc, 0, false));
    assert_int_equal(report->rc, sc->rc);
    /* Otherwise there is a request that steps.c does not know. */
    assert_int_equal(report->requests, store_requests_since(rig->s, mark));
    steps = report->steps;
    if (sc->goal && sc->ending != END_CLEANUP)
        assert_truth(rig, sc->goal);
    recover(rig, sc, true);
    return steps;
}

static void try_all(struct rig *rig, const struct scenario *sc)
{
    unsigned steps = count_steps(rig, sc), tried = 0, i, step;
    unsigned num = figure_long() || steps < SAMPLE ? steps : SAMPLE;
    int after;

    for (i = 0; i < num; i++) {
        step = 1 + i * (steps - 1) / (num > 1 ? num - 1 : 1);
        for (after = 0; after <= 1; after++) {
            /* After one step is before the next: both ways are tried. */
            try_position(rig, sc, step, after, i % 2 == 0);
            tried++;
        }
    }
    figure_row(sc->name, tried, tried, 0);
}

/* ----- what is done ----- */

static void with_ctrl_1(struct rig *rig)
{
    assert_int_equal(rig_attach_many(rig, DOM, 1, 2, 1), 0);
}

static int attach_first(struct rig *rig)
{
    return rig_attach_many(rig, DOM, 0, 0, 1);
}

static int attach_fourth(struct rig *rig)
{
    return rig_attach_many(rig, DOM, 0, 3, 1);
}

static int attach_eight(struct rig *rig)
{
    return rig_attach_many(rig, DOM, 0, 0, 8);
}

static int detach_second(struct rig *rig)
{
    return rig_detach(rig, DOM, "0:0:0:1", LIBXL__VSCSI_SAFE_REMOVE);
}

static int detach_first(struct rig *rig)
{
    return rig_detach(rig, DOM, "0:0:0:0", LIBXL__VSCSI_SAFE_REMOVE);
}

static int close_ctrl(struct rig *rig)
{
    return rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE);
}

#define ONE "0:0:0:0=/dev/fake-0-0(4)"
#define TWO ONE " 0:0:0:1=/dev/fake-0-1(4)"
#define THREE TWO " 0:0:0:2=/dev/fake-0-2(4)"
#define FOUR THREE " 0:0:0:3=/dev/fake-0-3(4)"
#define EIGHT FOUR " 0:0:0:4=/dev/fake-0-4(4) 0:0:0:5=/dev/fake-0-5(4) " \
    "0:0:0:6=/dev/fake-0-6(4) 0:0:0:7=/dev/fake-0-7(4)"

static void an_attach_as_a_new_ctrl_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: attach, a new vscsictrl", 0, NULL, attach_first, .goal = ONE,
    });
}

static void an_attach_to_a_connected_ctrl_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: attach, to a connected vscsictrl", 3, NULL, attach_fourth,
        .goal = FOUR,
    });
}

static void an_attach_of_many_devices_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: attach, 8 devices at once", 0, NULL, attach_eight,
        .goal = EIGHT,
    });
}

static void a_detach_of_one_of_many_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: detach, one of three", 3, NULL, detach_second,
        .goal = ONE " 0:0:0:2=/dev/fake-0-2(4)",
    });
}

static void a_detach_of_the_last_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: detach, the last", 1, NULL, detach_first, .goal = "",
    });
}

static void a_detach_of_a_ctrl_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: detach, a vscsictrl of three devices", 3, NULL, close_ctrl,
        .goal = "",
    });
}

static int list_all(struct rig *rig)
{
    libxl_vscsiinfo *infos = NULL;
    int rc, num = 0;

    rc = libxl__vscsi_list_infos(&rig->vc, DOM, -1, NULL, &infos, &num);
    libxl_vscsiinfo_list_free(infos, num);
    return rc;
}

static void a_list_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: list", 3, NULL, list_all, .goal = THREE,
    });
}

/* ----- with refusals and without drivers ----- */

static void guest_that_refuses(struct rig *rig)
{
    peer_refuse_vdev(rig->p, PEER_FRONTEND, "0:0:0:3");
}

static void an_attach_that_is_undone_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: attach, refused by the guest", 3, guest_that_refuses,
        attach_fourth, .goal = NULL, .rc = ERROR_FAIL,
    });
}

static void guest_without_driver(struct rig *rig)
{
    peer_set_frontend_loaded(rig->p, DOM, false);
    rig->vc.timeouts.frontend_ms = 30;
}

static void an_attach_that_plugs_again_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: attach, guest without driver", 0, guest_without_driver,
        attach_first, .goal = "0:0:0:0=/dev/fake-0-0(1)",
    });
}

static void device_that_takes_less(struct rig *rig)
{
    (void)rig;
    fakehost_set_limits("3:0:0:0", 128, 168);
}

static void an_attach_of_limited_segments_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: attach, of limited segments", 0, device_that_takes_less,
        attach_first, .goal = ONE,
    });
}

static int force_close(struct rig *rig)
{
    return rig_close(rig, DOM, 0, LIBXL__VSCSI_DESTROY);
}

static void silent_guest(struct rig *rig)
{
    peer_freeze(rig->p, PEER_FRONTEND);
}

static void a_forced_detach_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: detach by force, silent guest", 3, silent_guest,
        force_close, .goal = NULL,
    });
}

/* ----- a domain's life ----- */

static void paused_domain(struct rig *rig)
{
    peer_freeze(rig->p, PEER_FRONTEND);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_PAUSED;
}

static int attach_two_ctrls(struct rig *rig)
{
    int rc = rig_attach_many(rig, DOM, 0, 0, 2);

    return rc ? rc : rig_attach_many(rig, DOM, 1, 2, 1);
}

static void a_create_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: create, then the domain is destroyed", 0, paused_domain,
        attach_two_ctrls, .ending = END_DESTROY,
    });
}

static libxl_device_vscsictrl *given;
static int num_given;

static void forget_given(void)
{
    libxl_device_vscsictrl_list_free(given, num_given);
    given = NULL;
    num_given = 0;
}

static void destroyed_domain(struct rig *rig)
{
    with_ctrl_1(rig);
    forget_given();
    given = rig_ctrls(rig, DOM, &num_given);
    store_domain_destroy(rig->s, DOM);
}

static int clean_after_destroy(struct rig *rig)
{
    return libxl__vscsi_domain_destroyed(&rig->vc, DOM, given, num_given);
}

static void a_destroy_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: destroy's cleanup", 2, destroyed_domain, clean_after_destroy,
        .ending = END_CLEANUP,
    });
    forget_given();
}

static int clean_up(struct rig *rig)
{
    return libxl__vscsi_cleanup(&rig->vc);
}

static void a_cleanup_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: cleanup after destroyed domains", 2, destroyed_domain,
        clean_up,
        .ending = END_CLEANUP,
    });
    forget_given();
}

static int wake(struct rig *rig)
{
    return libxl__vscsi_resume(&rig->vc, DOM);
}

static void a_resume_is_killed_anywhere(void **state)
{
    try_all(*state, &(struct scenario){
        "kill: resume", 2, with_ctrl_1, wake,
        .goal = TWO " 1:0:0:2=/dev/fake-0-2(4)",
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(an_attach_as_a_new_ctrl_is_killed_anywhere),
        STAGE_TEST(an_attach_to_a_connected_ctrl_is_killed_anywhere),
        STAGE_TEST(an_attach_of_many_devices_is_killed_anywhere),
        STAGE_TEST(a_detach_of_one_of_many_is_killed_anywhere),
        STAGE_TEST(a_detach_of_the_last_is_killed_anywhere),
        STAGE_TEST(a_detach_of_a_ctrl_is_killed_anywhere),
        STAGE_TEST(a_list_is_killed_anywhere),
        STAGE_TEST(an_attach_that_is_undone_is_killed_anywhere),
        STAGE_TEST(an_attach_that_plugs_again_is_killed_anywhere),
        STAGE_TEST(an_attach_of_limited_segments_is_killed_anywhere),
        STAGE_TEST(a_forced_detach_is_killed_anywhere),
        STAGE_TEST(a_create_is_killed_anywhere),
        STAGE_TEST(a_destroy_is_killed_anywhere),
        STAGE_TEST(a_cleanup_is_killed_anywhere),
        STAGE_TEST(a_resume_is_killed_anywhere),
    };

    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests_name("faults/kill", tests, NULL, NULL);
}
