/* SPDX-License-Identifier: LGPL-2.1-only */
/* Refusals before anything is written, and peers that refuse, close, fall
 * silent or are not there. */
#include "rig.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"

/* Fails the attach with the message, and nothing is any different. */
static void assert_refused(struct rig *rig, uint32_t domid, int expected,
                           const char *devices, const char *message)
{
    unsigned exported = fakehost_num_exported();
    char *before, *after;

    peer_settle(rig->p);
    before = rig_snapshot(rig);
    rig_forget_log();
    assert_int_equal(rig_attach(rig, domid, devices), expected);
    rig_assert_said(message);
    peer_settle(rig->p);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    assert_int_equal(fakehost_num_exported(), exported);
    free(before);
    free(after);
}

static void setup_some(struct rig *rig)
{
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    store_domain_create(rig->s, 6);
    assert_int_equal(rig_attach(rig, 6, "/dev/fake-1-0 0:0:0:0"), 0);
}

static void impossible_requests_change_nothing(void **state)
{
    struct rig *rig = *state;

    setup_some(rig);
    fakehost_hold("3:0:0:9");
    fakehost_break_export("3:0:0:8");
    assert_refused(rig, 77, ERROR_DOMAIN_NOTFOUND, "/dev/fake-0-5 0:0:0:5",
                   "cannot attach /dev/fake-0-5 to domain 77: there is no "
                   "such domain");
    assert_refused(rig, DOM, ERROR_NOTFOUND, "/dev/nothing 0:0:0:5",
                   "there is no /dev/nothing");
    assert_refused(rig, DOM, ERROR_NOTFOUND, "9:0:0:5 0:0:0:5",
                   "there is no 9:0:0:5");
    assert_refused(rig, DOM, ERROR_NOTFOUND, "naa.6001405000000009:0 "
                   "0:0:0:5", "no LIO target naa.6001405000000009:0");
    assert_refused(rig, DOM, ERROR_DEVICE_EXISTS, "/dev/fake-0-5 0:0:0:1",
                   "vdev 0:0:0:1 is in use by /dev/fake-0-1");
    assert_refused(rig, DOM, ERROR_DEVICE_EXISTS, "/dev/fake-0-1 0:0:0:5",
                   "it is assigned to this domain, ");
    assert_refused(rig, DOM, ERROR_DEVICE_EXISTS, "3:0:0:1 0:0:0:5",
                   "it is assigned to this domain, ");
    assert_refused(rig, DOM, ERROR_DEVICE_EXISTS, "/dev/fake-1-0 0:0:0:5",
                   " as 0:0:0:0 (detach it there first)");
    assert_refused(rig, DOM, ERROR_DEVICE_EXISTS, "/dev/fake-0-9 0:0:0:5",
                   "it is mounted on /srv (unmount it first)");
    assert_refused(rig, DOM, ERROR_FAIL, "/dev/fake-0-8 0:0:0:5",
                   "LIO says no");
    assert_refused(rig, DOM, ERROR_INVAL, "/dev/fake-0-5 0:0:0:5; "
                   "3:0:0:5 0:0:0:6", "it is given twice, as /dev/fake-0-5");
    assert_refused(rig, DOM, ERROR_INVAL, "/dev/fake-0-5 0:0:0:5,"
                   "feature-host", "vscsictrl 0 is without feature-host");
}

static void structs_that_make_no_sense_change_nothing(void **state)
{
    static const libxl_vscsi_hctl bad[] = {
        { 0, 0, 0, 255 }, { 0, 0, 64, 0 }, { 0, 1, 0, 0 }, { 1, 0, 0, 0 },
    };
    struct rig *rig = *state;
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    unsigned i;

    libxl_device_vscsictrl_init(&ctrl);
    assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl), ERROR_INVAL);
    libxl_device_vscsidev_init(&dev);
    dev.pdev.p_devname = strdup("/dev/fake-0-0");
    libxl_device_vscsictrl_append_vscsidev(NULL, &ctrl, &dev);
    for (i = 0; i < VSCSI_ARRAY_SIZE(bad); i++) {
        ctrl.devid = ctrl.idx = 0;
        ctrl.vscsidevs[0].vdev = bad[i];
        assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl),
                         ERROR_INVAL);
    }
    ctrl.devid = 1;
    ctrl.idx = 2;
    assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl), ERROR_INVAL);
    ctrl.devid = ctrl.idx = 0;
    ctrl.vscsidevs[0].vdev = (libxl_vscsi_hctl){ 0, 0, 0, 0 };
    ctrl.backend_domid = 3;
    assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl), ERROR_INVAL);
    ctrl.backend_domid = 0;
    libxl_device_vscsictrl_append_vscsidev(NULL, &ctrl, &dev);
    assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl), ERROR_INVAL);
    libxl_device_vscsidev_dispose(&dev);
    libxl_device_vscsictrl_dispose(&ctrl);
    rig_assert_nothing_left(rig);
}

/* As after a write by hand, and by a later version. */
static void a_record_that_cannot_be_read_refuses_changes(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"devid\":", "", "[7]", "{\"version\":2}",
    };
    static const char record[] = "/libxl/5/device/vscsi/0";
    static const char why[] = "the record of vscsictrl 0 of domain 5 "
                              "(/libxl/5/device/vscsi/0) cannot be read: it ";
    struct rig *rig = *state;
    unsigned i;
    char *good;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    good = store_read(rig->s, record);
    for (i = 0; i < VSCSI_ARRAY_SIZE(texts); i++) {
        store_write(rig->s, record, texts[i]);
        assert_refused(rig, DOM, ERROR_FAIL, "/dev/fake-0-5 0:0:0:5", "in "
                       "/libxl/5/device/vscsi, cannot be read");
        rig_forget_log();
        assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                    LIBXL__VSCSI_SAFE_REMOVE), ERROR_FAIL);
        assert_non_null(strstr(rig_log(), why));
        rig_forget_log();
        assert_int_equal(libxl__vscsi_resume(&rig->vc, DOM), ERROR_FAIL);
        assert_non_null(strstr(rig_log(), why));
        assert_true(fakehost_is_exported("3:0:0:0"));
    }
    store_write(rig->s, record, good);
    free(good);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void detach_of_what_is_not_there_says_so(void **state)
{
    struct rig *rig = *state;
    char *before, *after;

    setup_some(rig);
    peer_settle(rig->p);
    before = rig_snapshot(rig);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:7",
                                LIBXL__VSCSI_SAFE_REMOVE), ERROR_NOTFOUND);
    rig_assert_said("the domain has no device 0:0:0:7");
    assert_int_equal(rig_detach(rig, DOM, "2:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), ERROR_NOTFOUND);
    rig_assert_said("the domain has no vscsictrl 2");
    assert_int_equal(rig_close(rig, DOM, -1, LIBXL__VSCSI_DESTROY),
                     ERROR_NOTFOUND);
    assert_int_equal(rig_detach(rig, 77, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_DOMAIN_NOTFOUND);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* ----- one of the drivers refuses ----- */

static void a_refusal_undoes_a_new_ctrl(struct rig *rig,
                                        enum peer_side side)
{
    peer_refuse_vdev(rig->p, side, "0:0:0:1");
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), ERROR_FAIL);
    rig_assert_said("cannot attach /dev/fake-0-1 to ");
    rig_assert_nothing_left(rig);
    peer_behave(rig->p);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 3), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 3);
}

static void a_device_refused_by_the_backend_undoes_a_new_ctrl(void **state)
{
    a_refusal_undoes_a_new_ctrl(*state, PEER_BACKEND);
    rig_assert_said("xen-scsiback refused it");
}

static void a_device_refused_by_the_guest_undoes_a_new_ctrl(void **state)
{
    a_refusal_undoes_a_new_ctrl(*state, PEER_FRONTEND);
    rig_assert_said("the guest refused it");
}

static void a_refusal_keeps_the_others(struct rig *rig, enum peer_side side)
{
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    peer_refuse_vdev(rig->p, side, "0:0:0:3");
    assert_int_equal(rig_attach_many(rig, DOM, 0, 2, 3), ERROR_FAIL);
    rig_assert_said("cannot attach /dev/fake-0-3 to ");
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                              "0:0:0:1=/dev/fake-0-1(4)");
    assert_int_equal(peer_mapped(rig->p, DOM, 0), 2);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 2);
    assert_int_equal(fakehost_num_exported(), 2);
    peer_behave(rig->p);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 2, 3), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 5);
}

static void a_device_refused_by_the_backend_keeps_the_others(void **state)
{
    a_refusal_keeps_the_others(*state, PEER_BACKEND);
}

static void a_device_refused_by_the_guest_keeps_the_others(void **state)
{
    a_refusal_keeps_the_others(*state, PEER_FRONTEND);
}

/* ----- one of the drivers is not there, or falls silent ----- */

static void a_backend_without_driver_is_undone(void **state)
{
    struct rig *rig = *state;

    rig->vc.timeouts.backend_ms = 200;
    peer_set_backend_loaded(rig->p, false);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), ERROR_TIMEDOUT);
    rig_assert_said("dom0's backend driver does not answer");
    rig_assert_nothing_left(rig);
    peer_set_backend_loaded(rig->p, true);
    rig->vc.timeouts.backend_ms = 60000;
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
}

static void a_guest_that_stops_while_connecting_is_undone(void **state)
{
    struct rig *rig = *state;

    rig->vc.timeouts.frontend_ms = 60000;
    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze_at(rig->p, PEER_FRONTEND, 4);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2),
                     ERROR_GUEST_TIMEDOUT);
    rig_assert_said("did not finish connecting vscsictrl 0");
    peer_behave(rig->p);
    rig_assert_nothing_left(rig);
}

static void a_silent_guest_gets_nothing_added(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze(rig->p, PEER_FRONTEND);
    assert_refused(rig, DOM, ERROR_GUEST_TIMEDOUT, "/dev/fake-0-5 0:0:0:5",
                   "the guest does not answer");
    peer_thaw(rig->p, PEER_FRONTEND);
    rig->vc.timeouts.handshake_ms = 60000;
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-5 0:0:0:5"), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 3);
}

static void a_silent_guest_keeps_what_was_to_be_detached(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze(rig->p, PEER_FRONTEND);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_GUEST_TIMEDOUT);
    rig_assert_said("the device stays attached");
    peer_thaw(rig->p, PEER_FRONTEND);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                              "0:0:0:1=/dev/fake-0-1(4)");
    rig->vc.timeouts.handshake_ms = 60000;
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 1);
}

static void a_backend_that_stops_mid_way_is_said_and_repaired(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze_at(rig->p, PEER_BACKEND, 7);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-5 0:0:0:5"),
                     ERROR_GUEST_TIMEDOUT);
    rig_assert_said("the device stays on record");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-6 0:0:0:6"),
                     ERROR_NOT_READY);
    rig_assert_said("an earlier change of vscsictrl 0 is not finished");
    peer_thaw(rig->p, PEER_BACKEND);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                    "0:0:0:1=/dev/fake-0-1(4) 0:0:0:5=/dev/fake-0-5(4)");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-6 0:0:0:6"), 0);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:5",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 3);
}

static void a_paused_domain_is_refused_at_once(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_PAUSED;
    assert_refused(rig, DOM, ERROR_NOT_READY, "/dev/fake-0-5 0:0:0:5",
                   "the domain is paused");
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), ERROR_NOT_READY);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 2);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_NOT_READY);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 2);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

/* ----- the vscsictrl closes ----- */

static void a_closed_ctrl_takes_no_devices(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    peer_set_frontend_loaded(rig->p, DOM, false);       /* rmmod */
    assert_refused(rig, DOM, ERROR_NOT_READY, "/dev/fake-0-5 0:0:0:5",
                   "vscsictrl 0 is closed");
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
    peer_set_frontend_loaded(rig->p, DOM, true);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 2);
}

static void a_ctrl_that_closes_under_an_attach_is_undone(void **state)
{
    struct rig *rig = *state;

    peer_close_at(rig->p, PEER_FRONTEND, 4);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), ERROR_FAIL);
    rig_assert_said("closed meanwhile");
    rig_assert_nothing_left(rig);
    peer_close_at(rig->p, PEER_BACKEND, 3);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), ERROR_FAIL);
    rig_assert_nothing_left(rig);
}

static void safe_remove_of_a_silent_guest_can_be_carried_on(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze(rig->p, PEER_FRONTEND);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_GUEST_TIMEDOUT);
    rig_assert_said("does not let go of vscsictrl 0");
    peer_thaw(rig->p, PEER_FRONTEND);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void remove_of_a_silent_guest_destroys(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.timeouts.handshake_ms = 300;
    peer_freeze(rig->p, PEER_FRONTEND);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void destroy_with_a_dead_backend_leaves_no_node(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    rig->vc.timeouts.destroy_ms = 300;
    peer_freeze(rig->p, PEER_BACKEND);
    fakehost_add_backend(DOM, 0);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_DESTROY), 0);
    rig_assert_said("gone from the domain, but dom0 has not let go of all");
    peer_thaw(rig->p, PEER_BACKEND);
    assert_int_equal(fakehost_num_exported(), 2);
    rig_assert_list(rig, DOM, "");

    /* Neither the devices nor vscsictrl are free as long as it holds them. */
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 1:0:0:0"),
                     ERROR_NOT_READY);
    rig_assert_said("still holds the backend of a guest that had");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-9 0:0:0:0"),
                     ERROR_NOT_READY);
    rig_assert_said("has not let go of the vscsictrl 0");
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), ERROR_NOT_READY);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-9 1:0:0:0"), 0);
    assert_int_equal(rig_close(rig, DOM, 1, LIBXL__VSCSI_REMOVE), 0);
    assert_int_equal(fakehost_num_exported(), 2);
    fakehost_remove_backends();
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
}

static void a_domain_destroyed_under_an_attach_ends_it(void **state)
{
    struct rig *rig = *state;

    peer_set_frontend_loaded(rig->p, DOM, false);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    store_domain_destroy(rig->s, DOM);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 2, 2),
                     ERROR_DOMAIN_NOTFOUND);
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    rig_assert_nothing_left(rig);
}

static void a_lock_that_is_not_given_up_is_said(void **state)
{
    struct rig *rig = *state;
    int lock;

    assert_int_equal(libxl__vscsi_lock(&rig->vc, DOM, &lock), 0);
    rig->vc.timeouts.lock_ms = 50;
    assert_refused(rig, DOM, ERROR_LOCK_FAIL, "/dev/fake-0-5 0:0:0:5",
                   "another SCSI operation");
    libxl__vscsi_unlock(lock);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-5 0:0:0:5"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(impossible_requests_change_nothing),
        TEST(structs_that_make_no_sense_change_nothing),
        TEST(a_record_that_cannot_be_read_refuses_changes),
        TEST(detach_of_what_is_not_there_says_so),
        TEST(a_device_refused_by_the_backend_undoes_a_new_ctrl),
        TEST(a_device_refused_by_the_guest_undoes_a_new_ctrl),
        TEST(a_device_refused_by_the_backend_keeps_the_others),
        TEST(a_device_refused_by_the_guest_keeps_the_others),
        TEST(a_backend_without_driver_is_undone),
        TEST(a_guest_that_stops_while_connecting_is_undone),
        TEST(a_silent_guest_gets_nothing_added),
        TEST(a_silent_guest_keeps_what_was_to_be_detached),
        TEST(a_backend_that_stops_mid_way_is_said_and_repaired),
        TEST(a_paused_domain_is_refused_at_once),
        TEST(a_closed_ctrl_takes_no_devices),
        TEST(a_ctrl_that_closes_under_an_attach_is_undone),
        TEST(safe_remove_of_a_silent_guest_can_be_carried_on),
        TEST(remove_of_a_silent_guest_destroys),
        TEST(destroy_with_a_dead_backend_leaves_no_node),
        TEST(a_domain_destroyed_under_an_attach_ends_it),
        TEST(a_lock_that_is_not_given_up_is_said),
    };

    return cmocka_run_group_tests_name("store/failures", tests, NULL, NULL);
}
