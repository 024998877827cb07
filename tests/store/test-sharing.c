/* SPDX-License-Identifier: LGPL-2.1-only */
/* One device, and several who want it. */
#include "rig.h"

#define OTHER 6
#define VM "/vm/7c4e2a52-25a5-4d5d-9f0e-0123456789ab"
#define RECORD "/libxl/5/device/vscsi/0"

static int setup(void **state)
{
    struct rig *rig;
    int r = rig_setup(state);

    rig = *state;
    store_domain_create(rig->s, OTHER);
    return r;
}

static void assert_refused(struct rig *rig, uint32_t domid,
                           const char *devices, const char *says)
{
    char *before = rig_snapshot(rig), *after;
    unsigned exported = fakehost_num_exported();

    rig_forget_log();
    assert_int_not_equal(rig_attach(rig, domid, devices), 0);
    rig_assert_said(says);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    assert_int_equal(fakehost_num_exported(), exported);
    free(before);
    free(after);
}

static void what_all_call_shareable_goes_to_several(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0,shareable"),
                     0);
    assert_int_equal(rig_attach(rig, OTHER, "3:0:0:0 0:0:0:7,shareable"), 0);
    assert_int_equal(fakehost_num_exported(), 1);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 1);
    assert_int_equal(peer_guest_luns(rig->p, OTHER, 0), 1);

    /* The first that lets go leaves it to the other. */
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_true(fakehost_is_exported("3:0:0:0"));
    assert_int_equal(peer_guest_luns(rig->p, OTHER, 0), 1);
    assert_int_equal(rig_close(rig, OTHER, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void one_who_does_not_share_is_enough_to_refuse(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_refused(rig, OTHER, "/dev/fake-0-0 0:0:0:0,shareable",
                   "attach it again with shareable");
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0,shareable"),
                     0);
    assert_refused(rig, OTHER, "/dev/fake-0-0 0:0:0:0",
                   "say shareable here as well");
}

static void dom0_does_not_share(void **state)
{
    struct rig *rig = *state;

    fakehost_hold("3:0:0:0");
    assert_refused(rig, DOM, "/dev/fake-0-0 0:0:0:0,shareable",
                   "it is mounted on /srv");
}

static void one_path_goes_to_a_domain_once(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0,shareable"),
                     0);
    assert_refused(rig, DOM, "3:0:0:0 0:0:0:1,shareable",
                   "it is assigned to this domain");
    assert_refused(rig, DOM, "/dev/fake-0-1 1:0:0:0,shareable;"
                   "3:0:0:1 1:0:0:1,shareable", "it is given twice");
}

static void two_domains_with_one_uuid_that_may_run_do_not_share(void **state)
{
    struct rig *rig = *state;

    store_write(rig->s, "/local/domain/5/vm", VM);
    store_write(rig->s, "/local/domain/6/vm", VM);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_refused(rig, OTHER, "/dev/fake-0-0 0:0:0:0", "a uuid of its own");
    rig->vc.life_of = NULL;     /* who cannot be asked may run */
    rig_set_ended(DOM);
    assert_refused(rig, OTHER, "/dev/fake-0-0 0:0:0:0", "a uuid of its own");
}

static void a_record_that_cannot_be_read_makes_no_device_free(void **state)
{
    struct rig *rig = *state;
    char *record;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    record = store_read(rig->s, RECORD);
    store_write(rig->s, RECORD, "{ what is this");
    assert_refused(rig, OTHER, "/dev/fake-0-0 0:0:0:0",
                   "in /libxl/5/device/vscsi, cannot be read");
    assert_refused(rig, DOM, "/dev/fake-0-1 1:0:0:0",
                   "in /libxl/5/device/vscsi, cannot be read");
    assert_int_equal(rig_attach(rig, OTHER, "/dev/fake-0-1 0:0:0:0"), 0);
    store_write(rig->s, RECORD, record);
    free(record);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_all_call_shareable_goes_to_several),
        TEST(one_who_does_not_share_is_enough_to_refuse),
        TEST(dom0_does_not_share),
        TEST(one_path_goes_to_a_domain_once),
        TEST(two_domains_with_one_uuid_that_may_run_do_not_share),
        TEST(a_record_that_cannot_be_read_makes_no_device_free),
    };

    return cmocka_run_group_tests_name("store/sharing", tests, NULL, NULL);
}
