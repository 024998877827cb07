/* SPDX-License-Identifier: LGPL-2.1-only */
/* Domains that come again, are woken, migrate and end. */
#include "rig.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define VM "/vm/7c4e2a52-25a5-4d5d-9f0e-0123456789ab"

static int attach_again(struct rig *rig, uint32_t domid,
                        libxl_device_vscsictrl *ctrls, int num)
{
    int i, rc = 0;

    for (i = 0; i < num && !rc; i++)
        rc = libxl__vscsi_attach(&rig->vc, domid, &ctrls[i]);
    return rc;
}

static void a_destroyed_domain_leaves_nothing(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl *ctrls;
    int num;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 1, 3, 1), 0);
    ctrls = rig_ctrls(rig, DOM, &num);
    store_domain_destroy(rig->s, DOM);
    assert_int_equal(libxl__vscsi_domain_destroyed(&rig->vc, DOM, ctrls, num),
                     0);
    rig_assert_nothing_left(rig);
    assert_string_equal(rig_log(), "");
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_domain_that_nobody_restarts_with_its_devices_is_told(
    void **state)
{
    static const char warning[] = "guest5 was started by something that knows"
                                  " nothing of its SCSI devices";
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    assert_string_equal(rig_log(), "");
    store_rm(rig->s, "/libxl/5/scsi-monitor");
    assert_int_equal(rig_attach_many(rig, DOM, 0, 1, 1), 0);
    rig_assert_said(warning);
    rig_forget_log();
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_string_equal(rig_log(), "");
}

static void a_domain_that_is_still_there_is_not_touched(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl *ctrls;
    char *before, *after;
    int num;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    ctrls = rig_ctrls(rig, DOM, &num);
    before = rig_snapshot(rig);
    assert_int_equal(libxl__vscsi_domain_destroyed(&rig->vc, DOM, ctrls, num),
                     ERROR_NOT_READY);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    assert_int_equal(fakehost_num_exported(), 3);
    free(before);
    free(after);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_backend_that_hangs_at_the_end_is_said(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl *ctrls;
    int num;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    ctrls = rig_ctrls(rig, DOM, &num);
    peer_freeze(rig->p, PEER_BACKEND);
    store_domain_destroy(rig->s, DOM);
    fakehost_add_backend(DOM, 0);
    assert_int_equal(libxl__vscsi_domain_destroyed(&rig->vc, DOM, ctrls, num),
                     0);
    rig_assert_said("dom0 has not let go yet of all that domain 5 had");
    assert_false(store_exists(rig->s, B));
    assert_int_equal(fakehost_num_exported(), 1);
    peer_thaw(rig->p, PEER_BACKEND);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_resumed_guest_is_written_the_same_state_again(void **state)
{
    struct rig *rig = *state;
    char *history;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    assert_int_equal(libxl__vscsi_resume(&rig->vc, DOM), 0);
    peer_settle(rig->p);
    history = store_history(rig->s, B "/state");
    assert_string_equal(history, "1 2 4 4");
    free(history);
}

static void a_ctrl_without_driver_is_not_woken(void **state)
{
    struct rig *rig = *state;
    char *history;

    peer_set_frontend_loaded(rig->p, DOM, false);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    assert_int_equal(libxl__vscsi_resume(&rig->vc, DOM), 0);
    peer_settle(rig->p);
    history = store_history(rig->s, B "/state");
    assert_null(strstr(history, "4"));
    free(history);
}

/* What another host, or an earlier boot, has written down. */
static void say_it_was_elsewhere(libxl_vscsi_pdev *pdev, const char *name)
{
    free(pdev->p_devname);
    pdev->p_devname = strdup(name);
    pdev->u.hctl.m.hst = 77;
}

static void a_device_on_record_is_found_by_its_identity(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl *ctrls;
    int num;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-3 0:0:0:0"), 0);
    ctrls = rig_ctrls(rig, DOM, &num);
    store_domain_destroy(rig->s, DOM);
    store_domain_create(rig->s, 6);
    say_it_was_elsewhere(&ctrls[0].vscsidevs[0].pdev, "77:0:0:3");
    assert_int_equal(attach_again(rig, 6, ctrls, num), 0);
    rig_assert_node(rig, "/local/domain/0/backend/vscsi/6/0/vscsi-devs/dev-0/"
                    "p-dev", "3:0:0:3");
    rig_assert_list(rig, 6, "0:0:0:0=3:0:0:3(4)");
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_lost_device_is_not_replaced_by_its_neighbour(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl *ctrls;
    int num;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-3 0:0:0:0"), 0);
    ctrls = rig_ctrls(rig, DOM, &num);
    store_domain_destroy(rig->s, DOM);
    store_domain_create(rig->s, 6);
    free(ctrls[0].vscsidevs[0].pdev.wwid);
    ctrls[0].vscsidevs[0].pdev.wwid = strdup("naa.gone");
    assert_int_equal(attach_again(rig, 6, ctrls, num), ERROR_NOTFOUND);
    rig_assert_said("naa.gone");
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    rig_assert_nothing_left(rig);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_vm_keeps_its_devices_while_it_moves_within_the_host(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl *ctrls;
    int num;

    store_write(rig->s, "/local/domain/5/vm", VM);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    ctrls = rig_ctrls(rig, DOM, &num);
    store_domain_create(rig->s, 6);
    store_write(rig->s, "/local/domain/6/vm", VM "0");
    assert_int_equal(attach_again(rig, 6, ctrls, num), ERROR_DEVICE_EXISTS);
    store_write(rig->s, "/local/domain/6/vm", VM);
    rig_set_ended(DOM);
    assert_int_equal(libxl__vscsi_check(&rig->vc, VM, ctrls, num), 0);
    assert_int_equal(attach_again(rig, 6, ctrls, num), 0);
    store_domain_destroy(rig->s, DOM);
    assert_int_equal(libxl__vscsi_domain_destroyed(&rig->vc, DOM, ctrls, num),
                     0);
    assert_int_equal(fakehost_num_exported(), 2);
    assert_int_equal(peer_guest_luns(rig->p, 6, 0), 2);
    assert_int_equal(rig_close(rig, 6, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_check_names_every_device_that_is_missing(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl *ctrls;
    char *before, *after;
    int num;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    ctrls = rig_ctrls(rig, DOM, &num);
    before = rig_snapshot(rig);
    assert_int_equal(libxl__vscsi_check(&rig->vc, "", ctrls, num),
                     ERROR_DEVICE_EXISTS);
    rig_assert_said("/dev/fake-0-0: it is assigned to");
    rig_assert_said("/dev/fake-0-1: it is assigned to");
    rig_assert_said("/dev/fake-0-2: it is assigned to");
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    free(before);
    free(after);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_destroyed_domain_leaves_nothing),
        TEST(a_domain_that_nobody_restarts_with_its_devices_is_told),
        TEST(a_domain_that_is_still_there_is_not_touched),
        TEST(a_backend_that_hangs_at_the_end_is_said),
        TEST(a_resumed_guest_is_written_the_same_state_again),
        TEST(a_ctrl_without_driver_is_not_woken),
        TEST(a_device_on_record_is_found_by_its_identity),
        TEST(a_lost_device_is_not_replaced_by_its_neighbour),
        TEST(a_vm_keeps_its_devices_while_it_moves_within_the_host),
        TEST(a_check_names_every_device_that_is_missing),
    };

    return cmocka_run_group_tests_name("store/life", tests, NULL, NULL);
}
