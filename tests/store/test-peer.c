/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tests of the harness itself: the scripted peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hand.h"

/* ----- the peer: the sequences of a well-behaved toolstack ----- */

static void create_connects_ctrl_and_device(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    check_node(rig->s, F "/state", "4");
    check_node(rig->s, B "/feature-sg-grant", "128");
    check_text(store_history(rig->s, B "/state"), "1 2 4");
    check_text(store_history(rig->s, F "/state"), "1 3 4");
    check_text(store_history(rig->s, B "/vscsi-devs/dev-0/state"), "1 3 4");
    check_text(store_perms(rig->s, F "/vscsi-devs/dev-0/state"), "n5,r0");
    assert_int_equal(peer_handshakes(rig->p), 1);
    assert_int_equal(peer_mapped(rig->p, 5, 0), 1);
    assert_int_equal(peer_guest_luns(rig->p, 5, 0), 1);
    check_no_violations(rig);
}

static void add_and_remove_reconfigure_once_each(void **state)
{
    struct rig *rig = *state;
    struct store *s = rig->s;

    hand_connect(rig);
    hand_write_dev(s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    store_wait(s, B "/state", "4");
    check_node(s, B "/vscsi-devs/dev-1/state", "4");
    check_node(s, F "/vscsi-devs/dev-1/state", "4");
    assert_int_equal(peer_reconfigurations(rig->p), 1);
    assert_int_equal(peer_guest_luns(rig->p, 5, 0), 2);

    peer_settle(rig->p);
    store_commit(s, NODES({ B "/vscsi-devs/dev-0/state", "5" },
                          { B "/state", "7" }));
    store_wait(s, B "/state", "4");
    check_node(s, B "/vscsi-devs/dev-0/state", "6");
    check_node(s, F "/vscsi-devs/dev-0/state", "6");
    store_commit(s, NODES({ B "/vscsi-devs/dev-0", NULL },
                          { F "/vscsi-devs/dev-0", NULL }));
    peer_settle(rig->p);
    assert_int_equal(peer_handshakes(rig->p), 3);
    assert_int_equal(peer_mapped(rig->p, 5, 0), 1);
    assert_int_equal(peer_guest_luns(rig->p, 5, 0), 1);
    check_text(store_history(s, B "/state"), "1 2 4 7 8 4 7 8 4");
    check_no_violations(rig);
}

static void whole_ctrl_goes_without_a_trace(void **state)
{
    struct rig *rig = *state;
    char *before = store_dump(rig->s, "/");

    hand_connect(rig);
    hand_remove(rig->s);
    peer_settle(rig->p);
    store_rm(rig->s, "/local/domain/0/backend");
    check_text(store_dump(rig->s, "/"), before);
    free(before);
    check_text(store_history(rig->s, B "/state"), "1 2 4 5 6 -");
    assert_int_equal(peer_mapped(rig->p, 5, 0), 0);
    check_no_violations(rig);
}

static void absent_frontend_driver_connects_when_it_comes(void **state)
{
    struct rig *rig = *state;

    peer_set_frontend_loaded(rig->p, 5, false);
    hand_create(rig->s);
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "2");
    check_node(rig->s, F "/state", "1");
    hand_write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/online", "1");
    store_rm(rig->s, B "/vscsi-devs/dev-0");
    peer_settle(rig->p);
    check_node(rig->s, B "/vscsi-devs/dev-1/state", "1");
    peer_set_frontend_loaded(rig->p, 5, true);
    store_wait(rig->s, B "/vscsi-devs/dev-1/state", "4");
    peer_settle(rig->p);
    assert_false(store_exists(rig->s, B "/vscsi-devs/dev-0"));
    assert_int_equal(peer_handshakes(rig->p), 1);
    check_no_violations(rig);
}

static void absent_backend_driver_connects_when_it_comes(void **state)
{
    struct rig *rig = *state;

    peer_set_backend_loaded(rig->p, false);
    hand_create(rig->s);
    store_wait(rig->s, F "/state", "3");
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "1");
    peer_set_backend_loaded(rig->p, true);
    store_wait(rig->s, B "/vscsi-devs/dev-0/state", "4");
}

/* ----- the peer: misbehaviour ----- */

static void frozen_sides_stay_and_go_on(void **state)
{
    struct rig *rig = *state;

    peer_freeze_at(rig->p, PEER_BACKEND, 3);
    hand_create(rig->s);
    store_wait(rig->s, F "/state", "3");
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "2");
    peer_thaw(rig->p, PEER_BACKEND);
    store_wait(rig->s, B "/vscsi-devs/dev-0/state", "4");

    peer_freeze(rig->p, PEER_FRONTEND);
    hand_write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "7");
    check_node(rig->s, F "/state", "4");
    peer_thaw(rig->p, PEER_FRONTEND);
    store_wait(rig->s, B "/vscsi-devs/dev-1/state", "4");
    check_no_violations(rig);
}

static void refused_devices_become_6(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    peer_refuse_pdev(rig->p, "3:0:0:1");
    hand_write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    store_wait(rig->s, B "/state", "4");
    check_node(rig->s, B "/vscsi-devs/dev-1/state", "6");
    assert_false(store_exists(rig->s, F "/vscsi-devs/dev-1"));

    peer_settle(rig->p);
    peer_refuse_vdev(rig->p, PEER_FRONTEND, "0:0:0:2");
    hand_write_dev(rig->s, 2, "3:0:0:2", "0:0:0:2", B "/state", "7");
    store_wait(rig->s, B "/state", "4");
    check_node(rig->s, B "/vscsi-devs/dev-2/state", "4");
    check_node(rig->s, F "/vscsi-devs/dev-2/state", "6");

    peer_settle(rig->p);
    peer_ignore_vdev(rig->p, PEER_BACKEND, "0:0:0:3");
    hand_write_dev(rig->s, 3, "3:0:0:3", "0:0:0:3", B "/state", "7");
    store_wait(rig->s, B "/state", "4");
    check_node(rig->s, B "/vscsi-devs/dev-3/state", "1");
}

static void either_side_closes_when_told(void **state)
{
    struct rig *rig = *state;

    peer_close_at(rig->p, PEER_BACKEND, 3);
    hand_create(rig->s);
    store_wait(rig->s, B "/state", "6");
    check_text(store_history(rig->s, B "/state"), "1 2 5 6");
    check_text(store_history(rig->s, F "/state"), "1 3 6");
    peer_settle(rig->p);
    store_commit(rig->s, NODES({ F, NULL }, { B, NULL }));

    peer_settle(rig->p);
    hand_connect(rig);
    peer_close_at(rig->p, PEER_FRONTEND, 7);
    hand_write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    store_wait(rig->s, F "/state", "6");
    store_wait(rig->s, B "/state", "6");
    check_no_violations(rig);
}

static void vanished_or_senseless_frontend_unregisters_backend(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    assert_int_equal(peer_guest_write(rig->p, 5, "device/vscsi/0/state",
                                      "junk"), 0);
    store_wait(rig->s, B "/state", "6");
    peer_settle(rig->p);
    assert_int_equal(peer_mapped(rig->p, 5, 0), 0);
    store_commit(rig->s, NODES({ F, NULL }, { B, NULL }));

    peer_settle(rig->p);
    hand_connect(rig);
    assert_int_equal(peer_guest_rm(rig->p, 5, "device/vscsi/0"), 0);
    store_wait(rig->s, B "/state", "6");
    check_no_violations(rig);
}

static void slow_sides_arrive_all_the_same(void **state)
{
    struct rig *rig = *state;

    peer_set_delay(rig->p, PEER_BACKEND, 20);
    peer_set_delay(rig->p, PEER_FRONTEND, 20);
    hand_connect(rig);
    peer_behave(rig->p);
    hand_remove(rig->s);
    check_no_violations(rig);
}

static void guest_without_rights_cannot_connect(void **state)
{
    struct rig *rig = *state;
    char *log;

    store_commit(rig->s, NODES({ F "/backend", B },
                               { F "/backend-id", "0" },
                               { F "/state", "1" }, { B "/frontend", F },
                               { B "/frontend-id", "5" },
                               { B "/state", "1" }));
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "2");
    check_node(rig->s, F "/state", "1");
    log = peer_log(rig->p);
    assert_non_null(strstr(log, "Permission denied"));
    free(log);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ON_PEER(create_connects_ctrl_and_device),
        ON_PEER(add_and_remove_reconfigure_once_each),
        ON_PEER(whole_ctrl_goes_without_a_trace),
        ON_PEER(absent_frontend_driver_connects_when_it_comes),
        ON_PEER(absent_backend_driver_connects_when_it_comes),
        ON_PEER(frozen_sides_stay_and_go_on),
        ON_PEER(refused_devices_become_6),
        ON_PEER(either_side_closes_when_told),
        ON_PEER(vanished_or_senseless_frontend_unregisters_backend),
        ON_PEER(slow_sides_arrive_all_the_same),
        ON_PEER(guest_without_rights_cannot_connect),
    };

    return cmocka_run_group_tests_name("scripted peer", tests, NULL, NULL);
}
