/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tests of the harness itself: the store, the counting, the rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hand.h"

/* ----- the store ----- */

static void store_has_transactions_permissions_and_quotas(void **state)
{
    struct rig *rig = *state;
    struct store *s = rig->s;
    struct xs_handle *other = xs_open(0);
    xs_transaction_t t;

    assert_non_null(other);
    store_domain_create(s, 5);
    check_text(store_perms(s, "/local/domain/5"), "n0,r5");
    check_text(store_perms(s, "/local/domain/5/device"), "n0,r5");
    assert_null(store_perms(s, "/nowhere"));

    t = xs_transaction_start(other);
    free(xs_read(other, t, "/local/domain/5/name", &(unsigned){ 0 }));
    assert_true(xs_write(other, t, "/a", "1", 1));
    assert_false(store_exists(s, "/a"));
    store_write(s, "/local/domain/5/name", "changed");
    assert_false(xs_transaction_end(other, t, false));
    assert_int_equal(errno, EAGAIN);
    xs_close(other);

    rig->p = peer_start(s);
    assert_int_equal(peer_guest_write(rig->p, 5, "name", "x"), EACCES);
    assert_int_equal(peer_guest_write(rig->p, 5, "data/x", "y"), 0);
    check_text(store_perms(s, "/local/domain/5/data/x"), "n5");
    assert_int_equal(peer_guest_rm(rig->p, 5, "data/x"), 0);
}

static void guest_runs_into_its_node_quota(void **state)
{
    struct rig *rig = *state;
    char path[32];
    int rc = 0;

    for (unsigned i = 0; !rc && i < 2000; i++) {
        snprintf(path, sizeof(path), "data/%u", i);
        rc = peer_guest_write(rig->p, 5, path, "");
    }
    assert_int_equal(rc, ENOSPC);
}

static void destroyed_domain_leaves_its_backend_behind(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    assert_true(xs_watch(store_xs(rig->s), "@releaseDomain", "gone"));
    free(xs_read_watch(store_xs(rig->s), &(unsigned){ 0 }));
    store_domain_destroy(rig->s, 5);
    free(xs_read_watch(store_xs(rig->s), &(unsigned){ 0 }));
    check_text(store_dump(rig->s, "/local/domain/5"), "");
    check_text(store_dump(rig->s, "/libxl/5"), "");
    store_wait(rig->s, B "/state", "6");
    peer_settle(rig->p);
    check_node(rig->s, B "/vscsi-devs/dev-0/state", "4");
    /* A new domain of the same number starts afresh. */
    store_domain_create(rig->s, 5);
    assert_false(store_exists(rig->s, F));
}

static void dump_is_sorted_and_complete(void **state)
{
    struct rig *rig = *state;

    store_write(rig->s, "/x/dev-10", "b");
    store_write(rig->s, "/x/dev-9", "a");
    check_text(store_dump(rig->s, "/x"),
               "/x = \n/x/dev-9 = a\n/x/dev-10 = b\n");
    check_text(store_dump(rig->s, "/y"), "");
}

static void counts_requests_of_the_code_under_test_alone(void **state)
{
    struct rig *rig = *state;
    struct xs_handle *tested = xs_open(0);
    xs_transaction_t t;
    long mark;

    assert_non_null(tested);
    free(xs_read(tested, XBT_NULL, "/tool", &(unsigned){ 0 }));
    mark = store_trace_mark(rig->s);
    assert_int_equal(store_requests_since(rig->s, mark), 0);
    hand_connect(rig);         /* fixture and peer: not counted */
    t = xs_transaction_start(tested);
    xs_write(tested, t, "/a", "1", 1);
    xs_write(tested, t, "/b", "multi\nline", 10);
    free(xs_read(tested, t, "/nowhere", &(unsigned){ 0 }));
    assert_true(xs_transaction_end(tested, t, false));
    xs_close(tested);
    /* A new connection may get the old one's address. */
    tested = xs_open(0);
    free(xs_read(tested, XBT_NULL, "/a", &(unsigned){ 0 }));
    xs_close(tested);
    assert_int_equal(store_requests_since(rig->s, mark), 6);
    check_text(store_requests_text(rig->s, mark),
               "6: TRANSACTION_START 1, WRITE 2, READ 2, TRANSACTION_END 1");
    check_text(store_history(rig->s, "/a"), "1");
}

/* ----- the rules ----- */

static void sees_reconfiguration_of_unconnected_pair(void **state)
{
    struct rig *rig = *state;

    peer_set_frontend_loaded(rig->p, 5, false);
    hand_create(rig->s);
    store_wait(rig->s, B "/state", "2");
    store_write(rig->s, B "/state", "7");
    check_violation(rig, "7 while backend 2, frontend 1");
}

static void sees_removal_of_unmapped_device(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    peer_refuse_pdev(rig->p, "3:0:0:1");
    hand_write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    store_wait(rig->s, B "/vscsi-devs/dev-1/state", "6");
    store_wait(rig->s, B "/state", "4");
    peer_settle(rig->p);
    store_commit(rig->s, NODES({ B "/vscsi-devs/dev-1/state", "5" },
                               { B "/state", "7" }));
    store_wait(rig->s, B "/state", "4");
    check_node(rig->s, B "/vscsi-devs/dev-1/state", "5");
    check_violation(rig, "dev-1/state = 5, was 6");
}

static void sees_device_vanish_during_scan(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    peer_freeze_at(rig->p, PEER_BACKEND, 7);
    hand_write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    store_wait(rig->s, F "/state", "7");
    store_rm(rig->s, B "/vscsi-devs/dev-1");
    check_violation(rig, "a scan may be running");
}

static void sees_backend_without_frontend(void **state)
{
    struct rig *rig = *state;

    store_commit(rig->s, NODES({ B "/frontend", F },
                               { B "/frontend-id", "5" },
                               { B "/state", "1" }));
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "1");
    check_violation(rig, "1 without /local/domain/5");
}

static void sees_malformed_addresses(void **state)
{
    struct rig *rig = *state;
    char *text;

    store_write(rig->s, B "/vscsi-devs/dev-0/v-dev", "0:0:0");
    store_write(rig->s, B "/vscsi-devs/dev-1/v-dev", "0:0:0:4junk");
    store_write(rig->s, B "/vscsi-devs/dev-2/v-dev", "0:0:0:");
    store_write(rig->s, B "/vscsi-devs/dev-3/p-dev",
                "naa.500140512345678901234567:12");
    store_write(rig->s, B "/vscsi-devs/dev-4/p-dev",
                "naa.5001405123456789012345678:12");
    store_write(rig->s, B "/vscsi-devs/dev-5/p-dev", ":0");
    assert_int_equal(store_violations(rig->s, &text), 5);
    assert_null(strstr(text, "dev-3"));
    free(text);
}

static void sees_duplicate_vdev(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    hand_write_dev(rig->s, 1, "3:0:0:1", "9:0:0:0", B "/state", "7");
    store_wait(rig->s, B "/vscsi-devs/dev-1/state", "6");
    check_violation(rig, "are both");
}

static void sees_1_written_to_live_device(void **state)
{
    struct rig *rig = *state;

    hand_connect(rig);
    store_write(rig->s, B "/state", "1");
    check_violation(rig, "1, was 4: it is in use");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ON_STORE(store_has_transactions_permissions_and_quotas),
        ON_PEER(guest_runs_into_its_node_quota),
        ON_PEER(destroyed_domain_leaves_its_backend_behind),
        ON_STORE(dump_is_sorted_and_complete),
        ON_PEER(counts_requests_of_the_code_under_test_alone),
        ON_PEER(sees_reconfiguration_of_unconnected_pair),
        ON_PEER(sees_removal_of_unmapped_device),
        ON_PEER(sees_device_vanish_during_scan),
        ON_PEER(sees_backend_without_frontend),
        ON_PEER(sees_malformed_addresses),
        ON_PEER(sees_duplicate_vdev),
        ON_PEER(sees_1_written_to_live_device),
    };

    return cmocka_run_group_tests_name("store harness", tests, NULL, NULL);
}
