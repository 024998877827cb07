/* SPDX-License-Identifier: LGPL-2.1-only */
/* Domains that cannot answer, guests that do not, and for how long one is
 * waited for. */
#include "rig.h"

#include <pthread.h>
#include <xenstore.h>

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"

/* As a crashed domain that is kept: in the store, and silent. */
static void setup_silent(struct rig *rig, libxl__vscsi_domain_state domain)
{
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    peer_freeze(rig->p, PEER_FRONTEND);
    rig->vc.timeouts.handshake_ms = 300;
    rig->vc.domain = domain;
}

static void assert_not_attached(struct rig *rig, const char *device,
                                const char *why)
{
    char *before = rig_snapshot(rig), *after;

    rig_forget_log();
    assert_int_equal(rig_attach(rig, DOM, device), ERROR_NOT_READY);
    rig_assert_said(why);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void what_cannot_answer_gets_nothing(void **state)
{
    static const struct {
        libxl__vscsi_domain_state domain;
        const char *why;
    } cases[] = {
        { LIBXL__VSCSI_DOMAIN_SUSPENDED, "the domain is suspended" },
        { LIBXL__VSCSI_DOMAIN_SHUT_DOWN, "the domain has shut down" },
        { LIBXL__VSCSI_DOMAIN_CRASHED, "the domain has crashed" },
        { LIBXL__VSCSI_DOMAIN_DYING, "the domain is being destroyed" },
    };
    struct rig *rig = *state;
    unsigned i;

    setup_silent(rig, LIBXL__VSCSI_DOMAIN_RUNS);
    for (i = 0; i < VSCSI_ARRAY_SIZE(cases); i++) {
        rig->vc.domain = cases[i].domain;
        assert_not_attached(rig, "/dev/fake-0-5 0:0:0:5", cases[i].why);
        assert_not_attached(rig, "/dev/fake-0-5 1:0:0:5", cases[i].why);
    }
}

static void a_suspended_domain_keeps_what_it_has(void **state)
{
    struct rig *rig = *state;

    setup_silent(rig, LIBXL__VSCSI_DOMAIN_SUSPENDED);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1", LIBXL__VSCSI_REMOVE),
                     ERROR_NOT_READY);
    rig_assert_said("the domain is suspended");
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_NOT_READY);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_RUNS;
    peer_thaw(rig->p, PEER_FRONTEND);
    rig->vc.timeouts.handshake_ms = 60000;
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) 0:0:0:1="
                    "/dev/fake-0-1(4) 0:0:0:2=/dev/fake-0-2(4)");
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
}

/* The guest's end is in the middle of a change: nothing will end it. */
static void a_paused_domain_is_not_waited_for_either(void **state)
{
    struct rig *rig = *state;

    setup_silent(rig, LIBXL__VSCSI_DOMAIN_RUNS);
    peer_thaw(rig->p, PEER_FRONTEND);
    peer_freeze_at(rig->p, PEER_BACKEND, 7);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1", LIBXL__VSCSI_REMOVE),
                     ERROR_GUEST_TIMEDOUT);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_PAUSED;
    assert_not_attached(rig, "/dev/fake-0-5 0:0:0:5", "the domain is paused");
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:2", LIBXL__VSCSI_REMOVE),
                     ERROR_NOT_READY);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_NOT_READY);
}

/* Once, for what it waits, and how long at most; not where all is quick. */
static void a_long_wait_is_told_of(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig_num_progress = 0;
    rig->vc.patience_ms = 20;
    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze(rig->p, PEER_FRONTEND);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1", LIBXL__VSCSI_REMOVE),
                     ERROR_GUEST_TIMEDOUT);
    rig_assert_said("vscsi: waiting for the guest and dom0's backend driver "
                    "(domain 5), seconds: 0/0\n");
    assert_int_equal(rig_num_progress, 1);
}

static void gives_back(struct rig *rig, libxl__vscsi_domain_state domain)
{
    setup_silent(rig, domain);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(fakehost_num_exported(), 2);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:2",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void a_crashed_domain_gives_back_what_is_asked_for(void **state)
{
    gives_back(*state, LIBXL__VSCSI_DOMAIN_CRASHED);
}

static void a_dying_domain_gives_back_what_is_asked_for(void **state)
{
    gives_back(*state, LIBXL__VSCSI_DOMAIN_DYING);
}

static void a_crashed_domain_gives_back_a_ctrl(void **state)
{
    struct rig *rig = *state;

    setup_silent(rig, LIBXL__VSCSI_DOMAIN_CRASHED);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

/* ----- bounds ----- */

/* How often an operation began to wait for the guest. */
static unsigned count_waits(void)
{
    static const char mark[] = ": wait-handshake";
    const char *text = rig_log();
    unsigned num = 0;

    while ((text = strstr(text, mark))) {
        text += sizeof(mark) - 1;
        num++;
    }
    return num;
}

static void a_guest_that_was_silent_is_not_asked_once_more(void **state)
{
    struct rig *rig = *state;

    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze_at(rig->p, PEER_FRONTEND, 4);
    rig_log_from(XTL_DEBUG);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2),
                     ERROR_GUEST_TIMEDOUT);
    assert_int_equal(count_waits(), 1);
    peer_behave(rig->p);
    rig_assert_nothing_left(rig);
}

/* Twenty devices have three times the bound of one. */
static void a_ctrl_of_many_devices_has_longer_to_go(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 20), 0);
    rig->vc.timeouts.handshake_ms = 1000;
    peer_set_delay(rig->p, PEER_FRONTEND, 1500);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

/* ----- the host's lock is somebody else's at the end ----- */

struct usurper {
    struct rig *rig;
    const char *when;           /* this node is there */
    pthread_t thread;
    int lock;
};

static void *usurp(void *arg)
{
    struct usurper *u = arg;
    struct xs_handle *xsh = xs_open(0);
    libxl__vscsi_ctx vc;
    char *found = NULL;

    assert_non_null(xsh);
    while (!(found = xs_read(xsh, XBT_NULL, u->when, NULL)))
        libxl__vscsi_pause(1);
    free(found);
    xs_close(xsh);
    assert_int_equal(libxl__vscsi_ctx_init(&vc), 0);
    vc.lock_file = u->rig->lock_file;
    assert_int_equal(libxl__vscsi_lock(&vc, LIBXL__VSCSI_LOCK_HOST,
                                       &u->lock), 0);
    libxl__vscsi_ctx_dispose(&vc);
    return NULL;
}

static void start_usurper(struct usurper *u)
{
    u->rig->vc.timeouts.lock_ms = 100;
    assert_int_equal(pthread_create(&u->thread, NULL, usurp, u), 0);
}

static void end_usurper(struct usurper *u)
{
    assert_int_equal(pthread_join(u->thread, NULL), 0);
    libxl__vscsi_unlock(u->lock);
    u->rig->vc.timeouts.lock_ms = 60000;
}

static void a_change_is_withdrawn_whoever_has_the_lock(void **state)
{
    struct rig *rig = *state;
    struct usurper u = { .rig = rig, .when = B "/vscsi-devs/dev-2/state" };

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.timeouts.handshake_ms = 1000;
    peer_freeze(rig->p, PEER_FRONTEND);
    start_usurper(&u);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-5 0:0:0:5"),
                     ERROR_GUEST_TIMEDOUT);
    rig_assert_node(rig, B "/state", "4");
    end_usurper(&u);
    peer_thaw(rig->p, PEER_FRONTEND);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                              "0:0:0:1=/dev/fake-0-1(4)");
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    assert_int_equal(fakehost_num_exported(), 2);
}

static void a_ctrl_is_plugged_again_whoever_has_the_lock(void **state)
{
    struct rig *rig = *state;
    struct usurper u = { .rig = rig, .when = B "/state" };

    peer_set_frontend_loaded(rig->p, DOM, false);
    rig->vc.timeouts.frontend_ms = 3000;
    start_usurper(&u);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig_assert_said("has not connected vscsictrl 0 yet");
    end_usurper(&u);
    rig_assert_node(rig, F "/state", "1");
    peer_set_frontend_loaded(rig->p, DOM, true);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                              "0:0:0:1=/dev/fake-0-1(4)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_answer_gets_nothing),
        TEST(a_suspended_domain_keeps_what_it_has),
        TEST(a_paused_domain_is_not_waited_for_either),
        TEST(a_long_wait_is_told_of),
        TEST(a_crashed_domain_gives_back_what_is_asked_for),
        TEST(a_dying_domain_gives_back_what_is_asked_for),
        TEST(a_crashed_domain_gives_back_a_ctrl),
        TEST(a_guest_that_was_silent_is_not_asked_once_more),
        TEST(a_ctrl_of_many_devices_has_longer_to_go),
        TEST(a_change_is_withdrawn_whoever_has_the_lock),
        TEST(a_ctrl_is_plugged_again_whoever_has_the_lock),
    };

    return cmocka_run_group_tests_name("store/silence", tests, NULL, NULL);
}
