/* SPDX-License-Identifier: LGPL-2.1-only */
/* Attach, list and detach on a real xenstored, with kernels that answer. */
#include "rig.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"

static void attach_connects_and_records(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:2:3"), 0);
    rig_assert_list(rig, DOM, "0:0:2:3=/dev/fake-0-1(4)");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 1);
    rig_assert_node(rig, B "/vscsi-devs/dev-0/p-dev", "3:0:0:1");
    rig_assert_node(rig, B "/vscsi-devs/dev-0/v-dev", "0:0:2:3");
    assert_string_equal(rig_log(), "");
    assert_int_equal(fakehost_num_exported(), 1);
    assert_int_equal(rig_detach(rig, DOM, "0:0:2:3",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void many_devices_in_one_call_are_one_handshake(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 64), 0);
    assert_int_equal(peer_handshakes(rig->p), 1);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 64);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 64, 16), 0);
    assert_int_equal(peer_reconfigurations(rig->p), 1);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 80);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void devices_come_one_by_one_and_go_in_another_order(void **state)
{
    static const unsigned order[] = {
        7, 0, 15, 3, 4, 1, 14, 2, 8, 13, 5, 6, 9, 12, 10, 11
    };
    struct rig *rig = *state;
    char vdev[32];
    unsigned i;

    for (i = 0; i < 16; i++)
        assert_int_equal(rig_attach_many(rig, DOM, 0, i, 1), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 16);
    for (i = 0; i < 16; i++) {
        snprintf(vdev, sizeof(vdev), "0:0:0:%u", order[i]);
        assert_int_equal(rig_detach(rig, DOM, vdev,
                                    LIBXL__VSCSI_SAFE_REMOVE), 0);
        peer_settle(rig->p);
        assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 15 - i);
        assert_int_equal(fakehost_num_exported(), 15 - i);
    }
    rig_assert_nothing_left(rig);
}

static void a_vdev_can_be_used_again(void **state)
{
    struct rig *rig = *state;
    int i;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-9 0:0:0:9"), 0);
    for (i = 0; i < 3; i++) {
        assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:0"), 0);
        rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-1(4) "
                                  "0:0:0:9=/dev/fake-0-9(4)");
        assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                    LIBXL__VSCSI_SAFE_REMOVE), 0);
        assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-2 0:0:0:0"), 0);
        assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                    LIBXL__VSCSI_SAFE_REMOVE), 0);
    }
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:9",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void ctrls_and_domains_keep_apart(void **state)
{
    struct rig *rig = *state;

    store_domain_create(rig->s, 6);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 3:0:0:0"), 0);
    assert_int_equal(rig_attach(rig, 6, "/dev/fake-0-2 0:0:0:0"), 0);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                              "3:0:0:0=/dev/fake-0-1(4)");
    rig_assert_list(rig, 6, "0:0:0:0=/dev/fake-0-2(4)");
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_list(rig, DOM, "3:0:0:0=/dev/fake-0-1(4)");
    rig_assert_list(rig, 6, "0:0:0:0=/dev/fake-0-2(4)");
    assert_int_equal(peer_guest_luns(rig->p, 6, 0), 1);
    assert_int_equal(rig_close(rig, DOM, 3, LIBXL__VSCSI_REMOVE), 0);
    assert_int_equal(rig_close(rig, 6, 0, LIBXL__VSCSI_DESTROY), 0);
    rig_assert_nothing_left(rig);
}

static void a_guest_without_driver_gets_its_devices_later(void **state)
{
    struct rig *rig = *state;

    peer_set_frontend_loaded(rig->p, DOM, false);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    rig_assert_said("has not connected vscsictrl 0 yet");
    rig_forget_log();
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:1"), 0);
    rig_assert_said("has not connected vscsictrl 0 yet");
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(1) "
                              "0:0:0:1=/dev/fake-0-1(1)");
    peer_set_frontend_loaded(rig->p, DOM, true);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                              "0:0:0:1=/dev/fake-0-1(4)");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 2);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void detach_works_on_a_guest_without_driver(void **state)
{
    struct rig *rig = *state;

    peer_set_frontend_loaded(rig->p, DOM, false);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:1"), 0);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_list(rig, DOM, "0:0:0:1=/dev/fake-0-1(1)");
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void an_admins_target_is_used_and_not_exported(void **state)
{
    struct rig *rig = *state;

    fakehost_add_target("naa.6001405000000001:7");
    assert_int_equal(rig_attach(rig, DOM, "naa.6001405000000001:7 0:0:0:0"),
                     0);
    rig_assert_node(rig, B "/vscsi-devs/dev-0/p-dev",
                    "naa.6001405000000001:7");
    assert_int_equal(fakehost_num_exported(), 0);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void a_target_lends_the_identity_of_its_device(void **state)
{
    struct rig *rig = *state;

    fakehost_add_target("naa.6001405000000001:7");
    fakehost_set_target_device("3:0:0:1");
    assert_int_equal(rig_attach(rig, DOM, "naa.6001405000000001:7 0:0:0:0"),
                     0);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:1"),
                     ERROR_DEVICE_EXISTS);
    rig_assert_said("it is assigned to this domain");
    rig_assert_list(rig, DOM, "0:0:0:0=naa.6001405000000001:7(4)");
    assert_int_equal(fakehost_num_exported(), 0);
}

static void what_a_destroyed_domain_left_is_swept(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 1, 3, 1), 0);
    store_domain_destroy(rig->s, DOM);
    peer_settle(rig->p);
    assert_true(store_exists(rig->s, B));
    store_domain_create(rig->s, 6);
    assert_int_equal(rig_attach(rig, 6, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_false(store_exists(rig->s, "/local/domain/0/backend/vscsi/5"));
    assert_int_equal(fakehost_num_exported(), 4);
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    assert_int_equal(fakehost_num_exported(), 1);
    store_domain_destroy(rig->s, 6);
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    rig_assert_nothing_left(rig);
}

static void what_one_domain_left_is_swept_by_its_number(void **state)
{
    struct rig *rig = *state;
    char *before, *after;

    store_domain_create(rig->s, 6);
    assert_int_equal(rig_attach_many(rig, 6, 0, 8, 2), 0);
    before = rig_snapshot(rig);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 1, 3, 1), 0);
    store_domain_destroy(rig->s, DOM);
    peer_settle(rig->p);
    assert_int_equal(libxl__vscsi_cleanup_domain(&rig->vc, 6), 0);
    assert_int_equal(fakehost_num_exported(), 6);
    assert_int_equal(libxl__vscsi_cleanup_domain(&rig->vc, DOM), 0);
    assert_int_equal(fakehost_num_exported(), 2);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void a_domid_that_comes_again_inherits_nothing(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    store_domain_destroy(rig->s, DOM);
    peer_settle(rig->p);
    store_domain_create(rig->s, DOM);
    rig_assert_list(rig, DOM, "");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-1-1 0:0:0:0"), 0);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-1-1(4)");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 1);
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    assert_int_equal(fakehost_num_exported(), 1);
}

/* Half made, or with a frontend that its guest has removed. */
static void a_backend_made_by_hand_is_left_alone(void **state)
{
    struct rig *rig = *state;

    store_write(rig->s, B "/state", "2");
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    assert_true(store_exists(rig->s, B "/state"));
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"),
                     ERROR_DEVICE_EXISTS);
    rig_assert_said("vscsictrl 0 was made by something else");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 1:0:0:0"), 0);
    assert_int_equal(rig_close(rig, DOM, 1, LIBXL__VSCSI_REMOVE), 0);
    assert_true(store_exists(rig->s, B "/state"));
    store_rm(rig->s, "/local/domain/0/backend/vscsi");
    rig_assert_nothing_left(rig);
}

static void a_ctrl_made_by_hand_is_left_alone(void **state)
{
    struct rig *rig = *state;
    char *before, *after;

    store_write(rig->s, F, "");
    store_set_perms(rig->s, F, "n5,r0");
    store_write(rig->s, F "/state", "4");
    store_write(rig->s, B "/state", "4");
    peer_settle(rig->p);
    before = rig_snapshot(rig);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"),
                     ERROR_DEVICE_EXISTS);
    rig_assert_said("vscsictrl 0 was made by something else");
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    assert_int_equal(fakehost_num_exported(), 0);
    free(before);
    free(after);
}

/* As a detach that was killed between the nodes and LIO leaves it. */
static void forget_ctrl_1(struct rig *rig)
{
    store_rm(rig->s, "/local/domain/5/device/vscsi/1");
    peer_settle(rig->p);
    store_rm(rig->s, "/local/domain/0/backend/vscsi/5/1");
    store_rm(rig->s, "/libxl/5/device/vscsi/1");
    peer_settle(rig->p);
}

static void a_device_that_is_not_there_is_cleaned_up_after(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 1, 2, 1), 0);
    forget_ctrl_1(rig);
    assert_int_equal(fakehost_num_exported(), 3);
    assert_int_equal(rig_detach(rig, DOM, "1:0:0:2",
                                LIBXL__VSCSI_SAFE_REMOVE), ERROR_NOTFOUND);
    assert_int_equal(fakehost_num_exported(), 2);
    assert_int_equal(rig_attach_many(rig, DOM, 1, 2, 1), 0);
    forget_ctrl_1(rig);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    rig_assert_nothing_left(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attach_connects_and_records),
        TEST(many_devices_in_one_call_are_one_handshake),
        TEST(devices_come_one_by_one_and_go_in_another_order),
        TEST(a_vdev_can_be_used_again),
        TEST(ctrls_and_domains_keep_apart),
        TEST(a_guest_without_driver_gets_its_devices_later),
        TEST(detach_works_on_a_guest_without_driver),
        TEST(an_admins_target_is_used_and_not_exported),
        TEST(a_target_lends_the_identity_of_its_device),
        TEST(what_a_destroyed_domain_left_is_swept),
        TEST(what_one_domain_left_is_swept_by_its_number),
        TEST(a_device_that_is_not_there_is_cleaned_up_after),
        TEST(a_domid_that_comes_again_inherits_nothing),
        TEST(a_backend_made_by_hand_is_left_alone),
        TEST(a_ctrl_made_by_hand_is_left_alone),
    };

    return cmocka_run_group_tests_name("store/ops", tests, NULL, NULL);
}
