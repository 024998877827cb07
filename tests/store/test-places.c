/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices without a place, with several names, and all of a place. */
#include <libxlutil_vscsi.h>

#include "rig.h"

#include "libxl_vscsi_claim.h"

static int add(struct rig *rig, const char *spec, char vdev_r[64])
{
    libxl_device_vscsictrl ctrl;
    char *msg = NULL;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    if (xlu_vscsi_parse_short(spec, &ctrl, &msg))
        fail_msg("%s", msg);
    rig_forget_log();
    rc = libxl__vscsi_attach(&rig->vc, DOM, &ctrl);
    if (!rc)
        libxl__vscsi_hctl_format(&ctrl.vscsidevs[0].vdev, vdev_r);
    libxl_device_vscsictrl_dispose(&ctrl);
    return rc;
}

static void assert_goes_to(struct rig *rig, const char *spec,
                           const char *expected)
{
    char vdev[64];

    if (add(rig, spec, vdev))
        fail_msg("%s: %s", spec, rig_log());
    assert_string_equal(vdev, expected);
}

static void the_first_free_lun_of_ctrl_0_is_taken(void **state)
{
    struct rig *rig = *state;

    assert_goes_to(rig, "/dev/fake-0-0", "0:0:0:0");
    assert_goes_to(rig, "3:0:0:1", "0:0:0:1");
    assert_goes_to(rig, "/dev/fake-0-3,0:0:0:3", "0:0:0:3");
    assert_goes_to(rig, "/dev/fake-0-2", "0:0:0:2");
    assert_goes_to(rig, "/dev/fake-0-4", "0:0:0:4");
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) 0:0:0:1=3:0:0:1(4) "
                    "0:0:0:2=/dev/fake-0-2(4) 0:0:0:3=/dev/fake-0-3(4) "
                    "0:0:0:4=/dev/fake-0-4(4)");
}

static void a_full_target_leads_to_the_next(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    unsigned i;

    libxl_device_vscsictrl_init(&ctrl);
    for (i = 0; i < 255; i++) {
        libxl_device_vscsidev_init(&dev);
        dev.pdev.p_devname = libxl__vscsi_sprintf("/dev/fake-%u-%u", i / 16,
                                                  i % 16);
        dev.vdev.lun = i;
        libxl_device_vscsictrl_append_vscsidev(NULL, &ctrl, &dev);
        libxl_device_vscsidev_dispose(&dev);
    }
    assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl), 0);
    libxl_device_vscsictrl_dispose(&ctrl);
    assert_goes_to(rig, "/dev/fake-30-0", "0:0:1:0");
}

static void what_takes_less_than_the_guest_sends_gets_its_own_ctrl(
    void **state)
{
    struct rig *rig = *state;

    fakehost_set_limits("3:0:1:0", 128, 64);
    fakehost_set_limits("3:0:1:1", 128, 64);
    assert_goes_to(rig, "/dev/fake-0-0", "0:0:0:0");
    assert_goes_to(rig, "/dev/fake-1-0", "1:0:0:0");
    assert_goes_to(rig, "/dev/fake-1-1", "1:0:0:1");
    assert_goes_to(rig, "/dev/fake-0-1", "0:0:0:1");
    assert_goes_to(rig, "/dev/fake-0-2,segments=30", "2:0:0:0");
    assert_goes_to(rig, "/dev/fake-0-3,feature-host", "3:0:0:0");
}

static void a_ctrl_that_is_not_ours_is_passed_over(void **state)
{
    struct rig *rig = *state;

    store_write(rig->s, "/local/domain/0/backend/vscsi/5/0/frontend",
                "/local/domain/5/device/vscsi/0");
    store_write(rig->s, "/local/domain/5/device/vscsi/0/state", "1");
    assert_goes_to(rig, "/dev/fake-0-0", "1:0:0:0");
}

/* ----- all devices of a place ----- */

static void a_star_brings_a_whole_target_lun_for_lun(void **state)
{
    struct rig *rig = *state;
    char *history;

    assert_goes_to(rig, "3:0:7:*,2:*", "2:0:7:0");
    rig_assert_list(rig, DOM, "2:0:7:0=3:0:7:0(4) 2:0:7:1=3:0:7:1(4) "
                    "2:0:7:2=3:0:7:2(4) 2:0:7:3=3:0:7:3(4)");
    history = store_history(rig->s, "/local/domain/0/backend/vscsi/5/2/"
                            "state");
    assert_string_equal(history, "1 2 4");      /* one handshake */
    free(history);
    assert_goes_to(rig, "/dev/fake-8-1:*", "0:0:8:0");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 4);
}

static void a_star_brings_a_whole_host(void **state)
{
    struct rig *rig = *state;

    assert_goes_to(rig, "3:*:*:*", "0:0:0:0");
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 128);
}

static void one_that_is_used_refuses_all_and_each_is_named(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl ctrl;
    char vdev[64];

    fakehost_hold("3:0:7:1");
    assert_int_equal(rig_attach(rig, DOM, "3:0:7:2 0:0:0:0"), 0);
    assert_int_equal(add(rig, "3:0:7:*,2:*", vdev), ERROR_DEVICE_EXISTS);
    rig_assert_said("3:0:7:1 to guest5: it is mounted on /srv");
    rig_assert_said("3:0:7:2 to guest5: it is assigned to this domain");
    rig_assert_said("of the 4 devices there, 2 cannot be had (with -f");
    rig_assert_list(rig, DOM, "0:0:0:0=3:0:7:2(4)");
    assert_int_equal(fakehost_num_exported(), 1);

    libxl_device_vscsictrl_init(&ctrl);
    assert_int_equal(xlu_vscsi_parse("3:0:7:*,2:*", &ctrl, NULL), 0);
    assert_int_equal(libxl__vscsi_expand_now(&rig->vc, DOM, &ctrl, true), 0);
    assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl), 0);
    libxl_device_vscsictrl_dispose(&ctrl);
    rig_assert_list(rig, DOM, "0:0:0:0=3:0:7:2(4) 2:0:7:0=3:0:7:0(4) "
                    "2:0:7:3=3:0:7:3(4)");
}

static void what_is_left_of_a_place_keeps_its_luns(void **state)
{
    struct rig *rig = *state;
    libxl_device_vscsictrl ctrl;

    fakehost_hold("3:0:8:1");
    libxl_device_vscsictrl_init(&ctrl);
    assert_int_equal(xlu_vscsi_parse_short("3:0:8:*", &ctrl, NULL), 0);
    assert_int_equal(libxl__vscsi_expand_now(&rig->vc, DOM, &ctrl, true), 0);
    assert_int_equal(libxl__vscsi_attach(&rig->vc, DOM, &ctrl), 0);
    libxl_device_vscsictrl_dispose(&ctrl);
    rig_assert_list(rig, DOM, "0:0:8:0=3:0:8:0(4) 0:0:8:2=3:0:8:2(4) "
                    "0:0:8:3=3:0:8:3(4)");
}

static void nothing_there_is_no_success(void **state)
{
    struct rig *rig = *state;
    char vdev[64];

    assert_int_equal(add(rig, "4:0:7:*,2:*", vdev), ERROR_NOTFOUND);
    rig_assert_said("no SCSI device there");
    assert_int_equal(add(rig, "/dev/nothing:*,2:*", vdev), ERROR_NOTFOUND);
    rig_assert_said("cannot attach /dev/nothing:* to guest5: /dev/nothing: ");
}

/* ----- by any name ----- */

static int detach(struct rig *rig, const char *name)
{
    rig_forget_log();
    return libxl__vscsi_detach_named(&rig->vc, DOM, name,
                                     LIBXL__VSCSI_SAFE_REMOVE);
}

static void a_device_goes_by_any_of_its_names(void **state)
{
    static const char *const names[] = {
        "/dev/fake-0-1", "3:0:0:1", "0:0:0:5",
    };
    struct rig *rig = *state;
    unsigned i;

    fakehost_add_target("naa.6001405000000001:7");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    for (i = 0; i < VSCSI_ARRAY_SIZE(names); i++) {
        assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:5"), 0);
        assert_int_equal(detach(rig, names[i]), 0);
        rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4)");
    }
    assert_int_equal(rig_attach(rig, DOM, "naa.6001405000000001:7 1:0:0:5"),
                     0);
    assert_int_equal(detach(rig, "naa.6001405000000001:7"), 0);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4)");
}

static void what_the_domain_has_not_is_not_found(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_int_equal(detach(rig, "/dev/fake-0-1"), ERROR_NOTFOUND);
    rig_assert_said("cannot detach /dev/fake-0-1 from guest5: the domain "
                    "has no device /dev/fake-0-1");
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4)");
}

static void the_guests_number_comes_before_dom0s(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "3:0:0:0 3:0:0:1"), 0);
    assert_int_equal(rig_attach(rig, DOM, "3:0:0:1 3:0:0:0"), 0);
    assert_int_equal(detach(rig, "3:0:0:1"), 0);
    rig_assert_list(rig, DOM, "3:0:0:0=3:0:0:1(4)");
    assert_int_equal(detach(rig, "3:0:0:1"), 0);
    rig_assert_list(rig, DOM, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_free_lun_of_ctrl_0_is_taken),
        TEST(a_full_target_leads_to_the_next),
        TEST(what_takes_less_than_the_guest_sends_gets_its_own_ctrl),
        TEST(a_ctrl_that_is_not_ours_is_passed_over),
        TEST(a_star_brings_a_whole_target_lun_for_lun),
        TEST(a_star_brings_a_whole_host),
        TEST(one_that_is_used_refuses_all_and_each_is_named),
        TEST(what_is_left_of_a_place_keeps_its_luns),
        TEST(nothing_there_is_no_success),
        TEST(a_device_goes_by_any_of_its_names),
        TEST(what_the_domain_has_not_is_not_found),
        TEST(the_guests_number_comes_before_dom0s),
    };

    return cmocka_run_group_tests_name("store/places", tests, NULL, NULL);
}
