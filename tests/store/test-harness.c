/* SPDX-License-Identifier: LGPL-2.1-only */
/* Tests of the harness itself: the store, the counting, the peer, the rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "text.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"
#define NODES(...) (const struct store_node[]){ __VA_ARGS__ }, \
    sizeof((const struct store_node[]){ __VA_ARGS__ }) / \
    sizeof(struct store_node)

struct rig {
    struct store *s;
    struct peer *p;
};

static int setup_store(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    *state = rig;
    rig->s = store_start();
    return 0;
}

static int setup(void **state)
{
    struct rig *rig;

    setup_store(state);
    rig = *state;
    rig->p = peer_start(rig->s);
    store_domain_create(rig->s, 5);
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    peer_stop(rig->p);
    store_stop(rig->s);
    free(rig);
    return 0;
}

/* ----- what a toolstack does, written by hand ----- */

static void write_dev(struct store *s, unsigned n, const char *pdev,
                      const char *vdev, const char *also,
                      const char *also_value)
{
    char *dev = text_new(B "/vscsi-devs/dev-%u", n);
    char *p = text_new("%s/p-dev", dev), *v = text_new("%s/v-dev", dev);
    char *st = text_new("%s/state", dev);

    store_commit(s, NODES({ p, pdev }, { v, vdev }, { st, "1" },
                          { also, also_value }));
    free(dev), free(p), free(v), free(st);
}

/* A vhost with one device, as yet in nobody's hands. */
static void create_vhost(struct store *s)
{
    /* The permissions must be there when the guest first looks. */
    store_write(s, F, "");
    store_set_perms(s, F, "n5,r0");
    store_write(s, B, "");
    store_set_perms(s, B, "n0,r5");
    store_commit(s, NODES({ F "/backend", B }, { F "/backend-id", "0" },
                          { F "/state", "1" }, { B "/frontend", F },
                          { B "/frontend-id", "5" }, { B "/online", "1" },
                          { B "/feature-host", "0" },
                          { B "/vscsi-devs/dev-0/p-dev", "3:0:0:0" },
                          { B "/vscsi-devs/dev-0/v-dev", "0:0:0:0" },
                          { B "/vscsi-devs/dev-0/state", "1" },
                          { B "/state", "1" }));
}

static void connect_vhost(struct rig *rig)
{
    create_vhost(rig->s);
    store_wait(rig->s, B "/vscsi-devs/dev-0/state", "4");
    store_wait(rig->s, F "/vscsi-devs/dev-0/state", "4");
    store_wait(rig->s, B "/state", "4");
    peer_settle(rig->p);
}

static void remove_vhost(struct store *s)
{
    store_commit(s, NODES({ B "/online", "0" }, { B "/state", "5" }));
    store_wait(s, B "/state", "6");
    store_commit(s, NODES({ "/local/domain/0/backend/vscsi", NULL },
                          { "/local/domain/5/device/vscsi", NULL }));
}

static void check_node(struct store *s, const char *path, const char *value)
{
    char *is = store_read(s, path);

    if (value)
        assert_string_equal(is ? is : "(absent)", value);
    else
        assert_null(is);
    free(is);
}

static void check_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void check_no_violations(struct rig *rig)
{
    char *text;

    if (store_violations(rig->s, &text))
        fail_msg("%s", text);
    free(text);
}

static void check_violation(struct rig *rig, const char *expected)
{
    char *text;
    unsigned num = store_violations(rig->s, &text);

    if (num != 1 || !strstr(text, expected))
        fail_msg("%u violations:\n%sexpected: %s", num, text, expected);
    free(text);
}

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

    connect_vhost(rig);
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
    connect_vhost(rig);         /* fixture and peer: not counted */
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

/* ----- the peer: the sequences of a well-behaved toolstack ----- */

static void create_connects_vhost_and_device(void **state)
{
    struct rig *rig = *state;

    connect_vhost(rig);
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

    connect_vhost(rig);
    write_dev(s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
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

static void whole_vhost_goes_without_a_trace(void **state)
{
    struct rig *rig = *state;
    char *before = store_dump(rig->s, "/");

    connect_vhost(rig);
    remove_vhost(rig->s);
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
    create_vhost(rig->s);
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "2");
    check_node(rig->s, F "/state", "1");
    write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/online", "1");
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
    create_vhost(rig->s);
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
    create_vhost(rig->s);
    store_wait(rig->s, F "/state", "3");
    peer_settle(rig->p);
    check_node(rig->s, B "/state", "2");
    peer_thaw(rig->p, PEER_BACKEND);
    store_wait(rig->s, B "/vscsi-devs/dev-0/state", "4");

    peer_freeze(rig->p, PEER_FRONTEND);
    write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
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

    connect_vhost(rig);
    peer_refuse_pdev(rig->p, "3:0:0:1");
    write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    store_wait(rig->s, B "/state", "4");
    check_node(rig->s, B "/vscsi-devs/dev-1/state", "6");
    assert_false(store_exists(rig->s, F "/vscsi-devs/dev-1"));

    peer_settle(rig->p);
    peer_refuse_vdev(rig->p, PEER_FRONTEND, "0:0:0:2");
    write_dev(rig->s, 2, "3:0:0:2", "0:0:0:2", B "/state", "7");
    store_wait(rig->s, B "/state", "4");
    check_node(rig->s, B "/vscsi-devs/dev-2/state", "4");
    check_node(rig->s, F "/vscsi-devs/dev-2/state", "6");

    peer_settle(rig->p);
    peer_ignore_vdev(rig->p, PEER_BACKEND, "0:0:0:3");
    write_dev(rig->s, 3, "3:0:0:3", "0:0:0:3", B "/state", "7");
    store_wait(rig->s, B "/state", "4");
    check_node(rig->s, B "/vscsi-devs/dev-3/state", "1");
}

static void either_side_closes_when_told(void **state)
{
    struct rig *rig = *state;

    peer_close_at(rig->p, PEER_BACKEND, 3);
    create_vhost(rig->s);
    store_wait(rig->s, B "/state", "6");
    check_text(store_history(rig->s, B "/state"), "1 2 5 6");
    check_text(store_history(rig->s, F "/state"), "1 3 6");
    peer_settle(rig->p);
    store_commit(rig->s, NODES({ F, NULL }, { B, NULL }));

    peer_settle(rig->p);
    connect_vhost(rig);
    peer_close_at(rig->p, PEER_FRONTEND, 7);
    write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
    store_wait(rig->s, F "/state", "6");
    store_wait(rig->s, B "/state", "6");
    check_no_violations(rig);
}

static void vanished_or_senseless_frontend_unregisters_backend(void **state)
{
    struct rig *rig = *state;

    connect_vhost(rig);
    assert_int_equal(peer_guest_write(rig->p, 5, "device/vscsi/0/state",
                                      "junk"), 0);
    store_wait(rig->s, B "/state", "6");
    peer_settle(rig->p);
    assert_int_equal(peer_mapped(rig->p, 5, 0), 0);
    store_commit(rig->s, NODES({ F, NULL }, { B, NULL }));

    peer_settle(rig->p);
    connect_vhost(rig);
    assert_int_equal(peer_guest_rm(rig->p, 5, "device/vscsi/0"), 0);
    store_wait(rig->s, B "/state", "6");
    check_no_violations(rig);
}

static void slow_sides_arrive_all_the_same(void **state)
{
    struct rig *rig = *state;

    peer_set_delay(rig->p, PEER_BACKEND, 20);
    peer_set_delay(rig->p, PEER_FRONTEND, 20);
    connect_vhost(rig);
    peer_behave(rig->p);
    remove_vhost(rig->s);
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

/* ----- the rules ----- */

static void sees_reconfiguration_of_unconnected_pair(void **state)
{
    struct rig *rig = *state;

    peer_set_frontend_loaded(rig->p, 5, false);
    create_vhost(rig->s);
    store_wait(rig->s, B "/state", "2");
    store_write(rig->s, B "/state", "7");
    check_violation(rig, "7 while backend 2, frontend 1");
}

static void sees_removal_of_unmapped_device(void **state)
{
    struct rig *rig = *state;

    connect_vhost(rig);
    peer_refuse_pdev(rig->p, "3:0:0:1");
    write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
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

    connect_vhost(rig);
    peer_freeze_at(rig->p, PEER_BACKEND, 7);
    write_dev(rig->s, 1, "3:0:0:1", "0:0:0:1", B "/state", "7");
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

    connect_vhost(rig);
    write_dev(rig->s, 1, "3:0:0:1", "9:0:0:0", B "/state", "7");
    store_wait(rig->s, B "/vscsi-devs/dev-1/state", "6");
    check_violation(rig, "are both");
}

static void sees_1_written_to_live_device(void **state)
{
    struct rig *rig = *state;

    connect_vhost(rig);
    store_write(rig->s, B "/state", "1");
    check_violation(rig, "1, was 4: it is in use");
}

#define ON_STORE(f) cmocka_unit_test_setup_teardown(f, setup_store, teardown)
#define ON_PEER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ON_STORE(store_has_transactions_permissions_and_quotas),
        ON_PEER(guest_runs_into_its_node_quota),
        ON_PEER(destroyed_domain_leaves_its_backend_behind),
        ON_STORE(dump_is_sorted_and_complete),
        ON_PEER(counts_requests_of_the_code_under_test_alone),
        ON_PEER(create_connects_vhost_and_device),
        ON_PEER(add_and_remove_reconfigure_once_each),
        ON_PEER(whole_vhost_goes_without_a_trace),
        ON_PEER(absent_frontend_driver_connects_when_it_comes),
        ON_PEER(absent_backend_driver_connects_when_it_comes),
        ON_PEER(frozen_sides_stay_and_go_on),
        ON_PEER(refused_devices_become_6),
        ON_PEER(either_side_closes_when_told),
        ON_PEER(vanished_or_senseless_frontend_unregisters_backend),
        ON_PEER(slow_sides_arrive_all_the_same),
        ON_PEER(guest_without_rights_cannot_connect),
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
