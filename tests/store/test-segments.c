/* SPDX-License-Identifier: LGPL-2.1-only */
/* How large a guest's commands are: see "Transfer size" in pvscsi.txt. */
#include "rig.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"
#define LIMIT B "/feature-sg-grant"

/* What is on record of vscsictrl 0. */
static void assert_recorded(struct rig *rig, unsigned segments)
{
    libxl_device_vscsictrl *ctrls;
    int num;

    ctrls = rig_ctrls(rig, DOM, &num);
    assert_true(num > 0);
    assert_int_equal(ctrls[0].max_segments, segments);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void assert_guest_took(struct rig *rig, const char *segments)
{
    char *log, expected[64];

    snprintf(expected, sizeof(expected), "frontend 5/0: takes %s segments",
             segments);
    peer_settle(rig->p);
    log = peer_log(rig->p);
    if (!strstr(log, expected))
        fail_msg("expected \"%s\" in:\n%s", expected, log);
    free(log);
}

static void what_takes_all_is_not_hidden_and_not_limited(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    rig_assert_node(rig, LIMIT, "128");
    assert_guest_took(rig, "128");
    assert_recorded(rig, 128);
    assert_string_equal(rig_log(), "");
}

static void the_guest_learns_what_its_device_takes(void **state)
{
    static const struct {
        unsigned kb, segments;
        const char *limit;
    } rows[] = {
        { 128, 168, "33" },     /* ahci */
        { 128, 80, "33" },      /* megaraid_sas */
        { 256, 128, "65" },     /* mptsas */
        { 256, 96, "65" },      /* sym53c8xx */
        { 512, 64, "64" },
        { 508, 128, "128" },
        { 504, 254, "127" },
        { 100, 26, "26" },
    };
    struct rig *rig = *state;
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        fakehost_reset();
        fakehost_set_limits("3:0:0:0", rows[i].kb, rows[i].segments);
        assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
        rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4)");
        rig_assert_node(rig, LIMIT, rows[i].limit);
        assert_guest_took(rig, rows[i].limit);
        assert_string_equal(rig_log(), "");
        assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                         0);
        rig_assert_nothing_left(rig);
    }
}

/* While the backend driver is silent, it cannot have written its own. */
static void the_guest_sees_nothing_before_the_limit_is_set(void **state)
{
    struct rig *rig = *state;
    char *log;

    rig->vc.timeouts.backend_ms = 50;
    rig->vc.timeouts.destroy_ms = 50;
    fakehost_set_limits("3:0:0:0", 128, 168);
    peer_freeze(rig->p, PEER_BACKEND);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"),
                     ERROR_TIMEDOUT);
    rig_assert_said("backend");
    peer_thaw(rig->p, PEER_BACKEND);
    peer_settle(rig->p);
    log = peer_log(rig->p);
    assert_null(strstr(log, "frontend 5/0: 3"));
    free(log);
    rig_assert_nothing_left(rig);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_guest_took(rig, "33");
}

/* The guest cannot make itself seen before its time. */
static void a_hidden_state_is_not_the_guests_to_write(void **state)
{
    libxl__vscsi_ref ref = { .domid = DOM, .devid = 0 };
    libxl_device_vscsictrl ctrl;
    struct rig *rig = *state;
    bool hidden = false;

    libxl_device_vscsictrl_init(&ctrl);
    libxl_defbool_set(&ctrl.scsi_raw_cmds, true);
    ctrl.devid = ctrl.idx = 0;
    ctrl.max_segments = 33;
    peer_freeze(rig->p, PEER_BACKEND);
    assert_int_equal(libxl__vscsi_xs_add_ctrl(&rig->vc, XBT_NULL, DOM,
                                              &ctrl, NULL), 0);
    rig_assert_perms(rig, F "/state", "n0");
    assert_int_equal(peer_guest_write(rig->p, DOM, "device/vscsi/0/state",
                                      "3"), EACCES);
    assert_int_equal(libxl__vscsi_xs_is_hidden(&rig->vc, XBT_NULL, ref,
                                               &hidden), 0);
    assert_true(hidden);
    peer_thaw(rig->p, PEER_BACKEND);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_DESTROY), 0);
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void a_shown_ctrl_has_the_permissions_of_any_other(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:0", 128, 168);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    rig_assert_perms(rig, F "/state", "n5,r0");
    rig_assert_perms(rig, F "/backend", "n5,r0");
}

static void the_smallest_of_a_mixture_is_kept_to(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:1", 256, 128);
    fakehost_set_limits("3:0:0:2", 128, 168);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 4), 0);
    assert_guest_took(rig, "33");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 4);
}

static void a_device_that_fits_is_added_to_a_connected_ctrl(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:0", 128, 168);
    fakehost_set_limits("3:0:0:1", 256, 128);
    fakehost_set_limits("3:0:0:2", 128, 168);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 1, 3), 0);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 4);
    rig_assert_node(rig, LIMIT, "33");
    assert_recorded(rig, 33);
}

static void one_that_takes_less_is_refused_by_a_connected_ctrl(void **state)
{
    struct rig *rig = *state;
    char *before, *after;

    fakehost_set_limits("3:0:0:1", 128, 168);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    peer_settle(rig->p);
    before = rig_snapshot(rig);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 1, 1), ERROR_INVAL);
    rig_assert_said("cannot attach /dev/fake-0-1 to guest5: it takes "
                    "commands of at most 128 KiB (33 pages), and the guest "
                    "learned when it connected vscsictrl 0 that it may send "
                    "508 KiB (128 pages)");
    rig_assert_said("choose another HOST in VDEV");
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    assert_int_equal(fakehost_num_exported(), 1);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 1:0:0:0"), 0);
    free(before);
    free(after);
}

static void a_guest_that_has_not_connected_is_told_the_lower_one(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:1", 256, 128);
    fakehost_set_limits("3:0:0:2", 128, 168);
    peer_set_frontend_loaded(rig->p, DOM, false);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 1, 1), 0);
    rig_assert_node(rig, LIMIT, "65");
    assert_int_equal(rig_attach_many(rig, DOM, 0, 2, 1), 0);
    rig_assert_node(rig, LIMIT, "33");
    assert_recorded(rig, 33);
    peer_set_frontend_loaded(rig->p, DOM, true);
    assert_guest_took(rig, "33");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 3);
}

static void a_paused_domain_is_told_before_it_runs(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:0", 128, 168);
    peer_freeze(rig->p, PEER_FRONTEND);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_PAUSED;
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    rig_assert_node(rig, LIMIT, "33");
    peer_thaw(rig->p, PEER_FRONTEND);
    assert_guest_took(rig, "33");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 1);
}

static int attach_asked(struct rig *rig, unsigned segments,
                        unsigned max_segments)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    ctrl.segments = segments;
    ctrl.max_segments = max_segments;
    libxl_device_vscsidev_init(&dev);
    dev.pdev.p_devname = strdup("/dev/fake-0-0");
    libxl_device_vscsictrl_append_vscsidev(NULL, &ctrl, &dev);
    libxl_device_vscsidev_dispose(&dev);
    rc = libxl__vscsi_attach(&rig->vc, DOM, &ctrl);
    libxl_device_vscsictrl_dispose(&ctrl);
    return rc;
}

static void the_admin_may_ask_for_fewer(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(attach_asked(rig, 64, 0), 0);
    assert_guest_took(rig, "64");
    assert_recorded(rig, 64);
    fakehost_set_limits("3:0:0:1", 252, 64);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 1, 1), 0);
}

static void asking_for_more_than_the_device_takes_gives_what_it_takes(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:0", 128, 168);
    assert_int_equal(attach_asked(rig, 64, 0), 0);
    assert_guest_took(rig, "33");
}

static void a_number_that_is_out_of_range_is_refused(void **state)
{
    static const unsigned nums[] = { 1, 25, 129, 4294967295u };
    struct rig *rig = *state;
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(nums); i++) {
        assert_int_equal(attach_asked(rig, nums[i], 0), ERROR_INVAL);
        assert_int_equal(attach_asked(rig, 0, nums[i]), ERROR_INVAL);
        rig_assert_nothing_left(rig);
    }
}

/* A restored or migrated guest's driver keeps what it learned. */
static void what_the_guest_knows_already_is_kept(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(attach_asked(rig, 0, 40), 0);
    assert_guest_took(rig, "40");
    assert_recorded(rig, 40);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    fakehost_set_limits("3:0:0:0", 128, 168);
    assert_int_equal(attach_asked(rig, 0, 40), ERROR_INVAL);
    rig_assert_said("start the guest anew");
    rig_assert_nothing_left(rig);
}

static void a_device_below_the_drivers_least_comes_with_a_warning(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:0", 64, 16);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    rig_assert_said("/dev/fake-0-0 takes commands of at most 60 KiB");
    rig_assert_said("max_sectors_kb of it to 60");
    assert_guest_took(rig, "26");
    rig_forget_log();
    fakehost_set_limits("3:0:0:1", 64, 128);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 1, 1), 0);
    rig_assert_said("/dev/fake-0-1 takes commands of at most 64 KiB");
}

static void a_ctrl_is_plugged_again_with_its_limit(void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:0:0", 128, 168);
    peer_set_frontend_loaded(rig->p, DOM, false);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    rig_assert_said("has not connected vscsictrl 0 yet");
    rig_assert_node(rig, LIMIT, "33");
    peer_set_frontend_loaded(rig->p, DOM, true);
    assert_guest_took(rig, "33");
}

static void a_backend_that_offers_less_is_not_raised(void **state)
{
    struct rig *rig = *state;
    char *text;

    peer_set_offer(rig->p, "30");
    fakehost_set_limits("3:0:0:0", 128, 168);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    assert_guest_took(rig, "30");
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    peer_set_offer(rig->p, NULL);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    text = store_read(rig->s, LIMIT);
    assert_null(text);
    assert_guest_took(rig, "no");
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_takes_all_is_not_hidden_and_not_limited),
        TEST(the_guest_learns_what_its_device_takes),
        TEST(the_guest_sees_nothing_before_the_limit_is_set),
        TEST(a_hidden_state_is_not_the_guests_to_write),
        TEST(a_shown_ctrl_has_the_permissions_of_any_other),
        TEST(the_smallest_of_a_mixture_is_kept_to),
        TEST(a_device_that_fits_is_added_to_a_connected_ctrl),
        TEST(one_that_takes_less_is_refused_by_a_connected_ctrl),
        TEST(a_guest_that_has_not_connected_is_told_the_lower_one),
        TEST(a_paused_domain_is_told_before_it_runs),
        TEST(the_admin_may_ask_for_fewer),
        TEST(asking_for_more_than_the_device_takes_gives_what_it_takes),
        TEST(a_number_that_is_out_of_range_is_refused),
        TEST(what_the_guest_knows_already_is_kept),
        TEST(a_device_below_the_drivers_least_comes_with_a_warning),
        TEST(a_ctrl_is_plugged_again_with_its_limit),
        TEST(a_backend_that_offers_less_is_not_raised),
    };

    return cmocka_run_group_tests_name("store/segments", tests, NULL, NULL);
}
