/* SPDX-License-Identifier: LGPL-2.1-only */
/* Other domains that have devices: what an operation asks is the same with
 * and without them, and what they have is theirs. */
#include "rig.h"

#include "libxl_vscsi_index.h"
#include "libxl_vscsi_nodes.h"

#define OTHER 6
#define MANY 300
#define FIRST 30000             /* of the many: /libxl/30000 and on */
#define DEVS 4

/* ----- many others ----- */

static int write_other(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    libxl_device_vscsictrl *ctrl = arg;
    libxl__vscsi_ref v = { .domid = vc->domid, .devid = 0 };
    int rc;

    rc = libxl__vscsi_record_ctrl(vc, t, v, ctrl);
    if (!rc)
        rc = libxl__vscsi_write_node(vc, t, libxl__vscsi_xs_backend_path(v),
                                     "");
    return rc ? rc : libxl__vscsi_index_write(vc, t, v, ctrl->vscsidevs,
                                              ctrl->num_vscsidevs);
}

static void add_other(struct rig *rig, unsigned n)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    unsigned i;

    libxl_device_vscsictrl_init(&ctrl);
    ctrl.devid = 0;
    for (i = 0; i < DEVS; i++) {
        libxl_device_vscsidev_init(&dev);
        dev.vscsidev_id = (libxl_devid)i;
        dev.vdev.lun = i;
        libxl_vscsi_pdev_init_type(&dev.pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
        dev.pdev.u.hctl.m = (libxl_vscsi_hctl){ .hst = 100 + n, .lun = i };
        dev.pdev.wwid = libxl__vscsi_sprintf("naa.5000c5%010x", n << 8 | i);
        libxl_device_vscsictrl_append_vscsidev(NULL, &ctrl, &dev);
        libxl_device_vscsidev_dispose(&dev);
    }
    libxl__vscsi_doing(&rig->vc, NULL, NULL, FIRST + n);
    assert_int_equal(libxl__vscsi_xs_transact(&rig->vc, write_other, &ctrl),
                     0);
    libxl_device_vscsictrl_dispose(&ctrl);
}

/* The listing of the index is the one thing that grows: 4 KiB a request. */
static void check(struct rig *rig, long mark, unsigned bound, unsigned looks,
                  const char *what)
{
    unsigned found = store_requests_since(rig->s, mark);
    size_t index = MANY * (sizeof("30000-0-1-") + DEVS * (size_t)8);
    unsigned i;
    char *list = store_requests_list(rig->s, mark), other[16];

    bound += looks * (unsigned)(index / 4000 + 1);
    print_message("# %s: %u of %u\n", what, found, bound);
    if (found > bound)
        fail_msg("%u requests, but the bound is %u:\n%s", found, bound, list);
    for (i = 0; i < MANY; i++) {
        snprintf(other, sizeof(other), "/%u/", FIRST + i);
        if (strstr(list, other))
            fail_msg("%s: domain %u was looked at", what, FIRST + i);
    }
    free(list);
}

static void what_others_have_costs_nothing(void **state)
{
    libxl__vscsi_ref ref = { .domid = DOM, .devid = 0 };
    libxl_vscsi_hctl vdev = { .lun = 2 };
    struct rig *rig = *state;
    char *list;
    unsigned i;
    long mark;

    for (i = 0; i < MANY; i++)
        add_other(rig, i);
    peer_settle(rig->p);

    mark = store_trace_mark(rig->s);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    check(rig, mark, 27 + 6 * 2, 1, "first attach");
    mark = store_trace_mark(rig->s);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 2, 1), 0);
    check(rig, mark, 25 + 6, 1, "hot-add");
    mark = store_trace_mark(rig->s);
    list = rig_list(rig, DOM);
    free(list);
    check(rig, mark, 2 + 3 + 3, 0, "list");
    mark = store_trace_mark(rig->s);
    assert_int_equal(libxl__vscsi_detach(&rig->vc, ref, &vdev, 1,
                                         LIBXL__VSCSI_SAFE_REMOVE), 0);
    check(rig, mark, 25 + 5, 1, "detach");
    mark = store_trace_mark(rig->s);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    check(rig, mark, 25 + 5 * 2, 2, "detach of the last");
}

/* ----- an index that is not as it should be ----- */

static int setup_two(void **state)
{
    struct rig *rig;
    int r = rig_setup(state);

    rig = *state;
    store_domain_create(rig->s, OTHER);
    return r;
}

/* Does /libxl/vscsi have a name of the domain? */
static bool is_in_index(struct rig *rig, uint32_t domid)
{
    char *all = store_dump(rig->s, "/libxl/vscsi"), name[32];
    bool found;

    snprintf(name, sizeof(name), "/libxl/vscsi/%u-", domid);
    found = all && strstr(all, name);
    free(all);
    return found;
}

static void index_that_was_lost_is_mended_before_anything_is_given(
    void **state)
{
    struct store_node lost = { "/libxl/vscsi", NULL };
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    store_commit(rig->s, &lost, 1);
    rig->vc.timeouts.destroy_ms = 500;
    assert_int_not_equal(rig_attach(rig, OTHER, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_true(fakehost_is_exported("3:0:0:0"));
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    assert_true(is_in_index(rig, DOM));
    assert_int_equal(rig_attach(rig, OTHER, "/dev/fake-0-0 0:0:0:0"),
                     ERROR_DEVICE_EXISTS);
}

static void name_that_is_left_over_takes_nothing_from_anybody(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, OTHER, "/dev/fake-0-0 0:0:0:0; "
                                "/dev/fake-0-1 0:0:0:1"), 0);
    assert_int_equal(rig_detach(rig, OTHER, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_true(is_in_index(rig, OTHER));
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:1"),
                     ERROR_DEVICE_EXISTS);
    store_domain_destroy(rig->s, OTHER);
    peer_settle(rig->p);
    assert_true(is_in_index(rig, OTHER));
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    assert_false(is_in_index(rig, OTHER));
    assert_true(is_in_index(rig, DOM));
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:1"), 0);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_nothing_left(rig);
}

static void index_of_a_newer_version_gives_nothing_away(void **state)
{
    static const char name[] = "/libxl/vscsi/6-0-2-AAAA";
    struct store_node gone = { name, NULL };
    struct rig *rig = *state;

    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-0 0:0:0:0"), 0);
    store_write(rig->s, name, "");
    rig_forget_log();
    assert_int_equal(rig_attach(rig, OTHER, "/dev/fake-0-1 0:0:0:0"),
                     ERROR_FAIL);
    rig_assert_said("/libxl/vscsi/6-0-2-AAAA was not written by this version");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:1"),
                     ERROR_FAIL);
    /* Who has something may give it back. */
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    rig_assert_node(rig, name, "");
    store_commit(rig->s, &gone, 1);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, \
                                                          rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_others_have_costs_nothing, rig_setup),
        TEST(index_that_was_lost_is_mended_before_anything_is_given,
             setup_two),
        TEST(name_that_is_left_over_takes_nothing_from_anybody, setup_two),
        TEST(index_of_a_newer_version_gives_nothing_away, setup_two),
    };

    return cmocka_run_group_tests_name("store/others", tests, NULL, NULL);
}
