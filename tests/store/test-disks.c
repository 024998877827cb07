/* SPDX-License-Identifier: LGPL-2.1-only */
/* Guests' block devices as a real xenstored has them, and what it costs to
 * learn of them. */
#include "rig.h"

#define BACKEND "/local/domain/0/backend"

static void give_disk(struct rig *rig, const char *kind, unsigned domid,
                      unsigned devid, const char *params)
{
    char path[128];

    snprintf(path, sizeof(path), BACKEND "/%s/%u/%u/params", kind, domid,
             devid);
    store_write(rig->s, path, params);
    snprintf(path, sizeof(path), BACKEND "/%s/%u/%u/dev", kind, domid,
             devid);
    store_write(rig->s, path, "xvdz");
}

/* "vbd 5 51712 /dev/sdb; ..." */
static void expect_disks(struct rig *rig, const char *expected)
{
    libxl__vscsi_xs_disk *disks = NULL;
    char text[1024] = "", *params, *name;
    size_t len = 0;
    unsigned i, num = 0;

    assert_int_equal(libxl__vscsi_xs_list_disks(&rig->vc, &disks, &num), 0);
    for (i = 0; i < num; i++) {
        params = NULL;
        assert_int_equal(libxl__vscsi_xs_disk_params(&rig->vc, &disks[i],
                                                     &params), 0);
        name = libxl__vscsi_xs_disk_name(&rig->vc, &disks[i]);
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "%s %u %u %s %s; ", disks[i].kind,
                                disks[i].domid, disks[i].devid,
                                params ? params : "none", name);
        free(params);
        free(name);
    }
    free(disks);
    assert_string_equal(text, expected);
}

static void disks_of_every_backend_are_listed(void **state)
{
    struct rig *rig = *state;

    expect_disks(rig, "");
    give_disk(rig, "vbd", 5, 51712, "/dev/sdb");
    give_disk(rig, "qdisk", 7, 832, "aio:/dev/sdc");
    store_write(rig->s, BACKEND "/vif/5/0/params", "/dev/sdd");
    store_write(rig->s, BACKEND "/vbd/5/odd", "1");
    store_write(rig->s, BACKEND "/vbd/odd/1", "1");
    expect_disks(rig, "vbd 5 51712 /dev/sdb xvdz; "
                 "qdisk 7 832 aio:/dev/sdc xvdz; ");
}

static void what_a_guest_writes_does_not_count(void **state)
{
    struct rig *rig = *state;

    store_write(rig->s, "/local/domain/5/device/vbd/51712/params",
                "/dev/sdb");
    store_write(rig->s, "/local/domain/5/backend/vbd/6/1/params",
                "/dev/sdb");
    expect_disks(rig, "");
}

static void disk_without_a_name_is_called_by_its_number(void **state)
{
    struct rig *rig = *state;

    store_write(rig->s, BACKEND "/vbd/5/51712/state", "1");
    expect_disks(rig, "vbd 5 51712 none 51712; ");
}

static void each_domain_with_disks_costs_one_request(void **state)
{
    struct rig *rig = *state;
    libxl__vscsi_xs_disk *disks = NULL;
    unsigned i, num = 0;
    long mark;

    mark = store_trace_mark(rig->s);
    assert_int_equal(libxl__vscsi_xs_list_disks(&rig->vc, &disks, &num), 0);
    assert_true(store_requests_since(rig->s, mark) <= 1);
    for (i = 1; i <= 20; i++)
        give_disk(rig, "vbd", i, 51712, "/dev/sdb");
    mark = store_trace_mark(rig->s);
    assert_int_equal(libxl__vscsi_xs_list_disks(&rig->vc, &disks, &num), 0);
    assert_true(store_requests_since(rig->s, mark) <= 2 + 20);
    assert_int_equal(num, 20);
    free(disks);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(disks_of_every_backend_are_listed),
        TEST(what_a_guest_writes_does_not_count),
        TEST(disk_without_a_name_is_called_by_its_number),
        TEST(each_domain_with_disks_costs_one_request),
    };

    return cmocka_run_group_tests_name("store/disks", tests, NULL,
                                       NULL) != 0;
}
