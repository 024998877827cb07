/* SPDX-License-Identifier: LGPL-2.1-only */
/* The index of who may have which device, on an xenstore in memory: what has
 * a device is always led to, whatever the device is known by. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/fakexs.h"
#include "libxl_vscsi_device.h"
#include "libxl_vscsi_index.h"

static const libxl__vscsi_ref guests = { .domid = 5, .devid = 3 };
static const libxl__vscsi_ref others = { .domid = 51, .devid = 3 };

static int setup(void **state)
{
    static libxl__vscsi_ctx vc;

    fakexs_reset();
    *state = &vc;
    return libxl__vscsi_ctx_init(&vc);
}

static int teardown(void **state)
{
    libxl__vscsi_ctx_dispose(*state);
    fakexs_reset();
    return 0;
}

/* ----- devices ----- */

static void set_hctl(libxl_device_vscsidev *dev, unsigned hst, unsigned lun)
{
    libxl_device_vscsidev_init(dev);
    libxl_vscsi_pdev_init_type(&dev->pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    dev->pdev.u.hctl.m = (libxl_vscsi_hctl){ .hst = hst, .lun = lun };
    dev->pdev.wwid = libxl__vscsi_sprintf("naa.5000c500%08x",
                                          hst << 16 | lun);
    assert_non_null(dev->pdev.wwid);
}

static libxl_device_vscsidev *make_devs(unsigned hst, unsigned num)
{
    libxl_device_vscsidev *devs = calloc(num, sizeof(*devs));
    unsigned i;

    assert_non_null(devs);
    for (i = 0; i < num; i++)
        set_hctl(&devs[i], hst, i);
    return devs;
}

static void free_devs(libxl_device_vscsidev *devs, unsigned num)
{
    unsigned i;

    for (i = 0; i < num; i++)
        libxl_device_vscsidev_dispose(&devs[i]);
    free(devs);
}

/* How many names of the vscsictrl lead to the device. */
static unsigned num_leads(libxl__vscsi_ctx *vc, libxl__vscsi_ref v,
                          const libxl_device_vscsidev *dev)
{
    libxl__vscsi_wanted wanted = libxl__vscsi_index_wanted(&dev->pdev);
    libxl__vscsi_index index;
    unsigned i, found = 0;

    assert_int_equal(libxl__vscsi_index_read(vc, 1, &index), 0);
    assert_int_equal(libxl__vscsi_index_check(vc, &index), 0);
    for (i = 0; i < index.num; i++)
        found += index.entries[i].ref.domid == v.domid &&
                 index.entries[i].ref.devid == v.devid &&
                 libxl__vscsi_index_leads(&index.entries[i], &wanted);
    libxl__vscsi_index_dispose(&index);
    return found;
}

static void assert_empty(void)
{
    char *all = fakexs_dump_without("/none");

    assert_string_equal(all, "");
    free(all);
}

/* ----- what devices are known by ----- */

static const char *const wwids[] = {
    "", "naa.5000c50000a1b2c3", "naa.5000c50000a1b2c4", "t10.ACME  S1",
};
static const char *const serials[] = { "", "S1", "usb:S1-0:0" };
static const char *const models[] = { "", "Disk" };

/* One of all that there are, by its number; false: no more. */
static bool make_pdev(unsigned n, libxl_vscsi_pdev *pdev)
{
    static const char *const targets[] = { "naa.6001405aa:0", "naa.6001405aa:1" };
    static const char *const stores[] = { NULL, "pscsi_0/a", "iblock_0/b" };
    static const char *const units[] = { NULL, "2:0:0:0", "2:0:0:1" };

    libxl_vscsi_pdev_init(pdev);
#define NEXT(list) ((list)[n % VSCSI_ARRAY_SIZE(list)]); \
                   n /= VSCSI_ARRAY_SIZE(list)
    pdev->wwid = strdup NEXT(wwids);
    pdev->serial = strdup NEXT(serials);
    pdev->model = strdup NEXT(models);
    pdev->vendor = strdup(pdev->model);
    pdev->devtype = strdup("disk");
    if (n < 3) {
        libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
        pdev->u.hctl.m = (libxl_vscsi_hctl){ .hst = 2 + n / 2, .lun = n % 2 };
        return true;
    }
    n -= 3;
    libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    pdev->u.wwn.m = strdup NEXT(targets);
    if (stores[n % 3])
        pdev->u.wwn.backstore = strdup(stores[n % 3]);
    if (units[n / 3 % 3])
        pdev->u.wwn.unit = strdup(units[n / 3 % 3]);
    return n / 9 == 0;
#undef NEXT
}

static bool have_one_in_common(const libxl_vscsi_pdev *a,
                               const libxl_vscsi_pdev *b)
{
    uint64_t of_a[LIBXL__VSCSI_MAX_TRAITS], of_b[LIBXL__VSCSI_MAX_TRAITS];
    unsigned num_a = libxl__vscsi_pdev_traits(a, of_a);
    unsigned num_b = libxl__vscsi_pdev_traits(b, of_b), i, j;

    for (i = 0; i < num_a; i++)
        for (j = 0; j < num_b; j++)
            if (of_a[i] == of_b[j])
                return true;
    return false;
}

/* More than there are. */
#define ALL 1000

static void what_is_one_device_has_a_trait_in_common(void **state)
{
    unsigned i, j, num, same = 0, different = 0;
    libxl_vscsi_pdev *all = calloc(ALL, sizeof(*all));

    (void)state;
    assert_non_null(all);
    for (num = 0; make_pdev(num, &all[num]); num++)
        assert_true(num + 1 < ALL);
    for (i = 0; i < num; i++) {
        for (j = 0; j <= i; j++) {
            bool common = have_one_in_common(&all[i], &all[j]);

            if (libxl__vscsi_same_pdev(&all[i], &all[j]) && !common)
                fail_msg("%u and %u are one and have nothing in common", i,
                         j);
            same += common;
            different += !common;
        }
    }
    assert_true(num > 400 && same > num && different > num);
    for (i = 0; i <= num; i++)
        libxl_vscsi_pdev_dispose(&all[i]);
    free(all);
}

static void others_have_hardly_ever_one_in_common(void **state)
{
    enum { NUM = 2000 };
    libxl_device_vscsidev *devs = make_devs(1, NUM), other;
    unsigned i, hits = 0;

    assert_int_equal(libxl__vscsi_index_write(*state, 1, guests, devs, NUM),
                     0);
    for (i = 0; i < 200; i++) {
        set_hctl(&other, 2, i);
        hits += num_leads(*state, guests, &other);
        libxl_device_vscsidev_dispose(&other);
    }
    assert_true(hits < 2);
    free_devs(devs, NUM);
}

/* ----- names ----- */

static void each_of_many_devices_is_led_to(void **state)
{
    enum { NUM = 700 };         /* more than one name holds */
    libxl_device_vscsidev *devs = make_devs(1, NUM);
    unsigned i;

    assert_int_equal(libxl__vscsi_index_write(*state, 1, guests, devs, NUM),
                     0);
    for (i = 0; i < NUM; i++) {
        assert_true(num_leads(*state, guests, &devs[i]) >= 1);
        assert_int_equal(num_leads(*state, others, &devs[i]), 0);
    }
    assert_int_equal(libxl__vscsi_index_forget(*state, 1, guests, devs, NUM),
                     0);
    assert_int_equal(num_leads(*state, guests, &devs[0]), 0);
    free_devs(devs, NUM);
}

static void what_comes_one_by_one_is_put_together(void **state)
{
    enum { NUM = 40 };
    libxl_device_vscsidev *devs = make_devs(1, NUM);
    libxl_device_vscsictrl before;
    libxl__vscsi_index index;
    unsigned i;

    libxl_device_vscsictrl_init(&before);
    for (i = 0; i < NUM; i++) {
        assert_int_equal(libxl__vscsi_index_read(*state, 1, &index), 0);
        assert_true(index.num < 12);
        assert_int_equal(libxl__vscsi_index_add(*state, 1, &index, guests,
                                                i ? &before : NULL, &devs[i],
                                                1), 0);
        libxl__vscsi_index_dispose(&index);
        libxl_device_vscsictrl_append_vscsidev(NULL, &before, &devs[i]);
    }
    for (i = 0; i < NUM; i++)
        assert_true(num_leads(*state, guests, &devs[i]) >= 1);
    libxl_device_vscsictrl_dispose(&before);
    free_devs(devs, NUM);
}

static void the_last_name_takes_the_directory_along(void **state)
{
    libxl_device_vscsidev *devs = make_devs(1, 2);
    libxl__vscsi_index index;

    assert_int_equal(libxl__vscsi_index_write(*state, 1, guests, devs, 2), 0);
    assert_int_equal(libxl__vscsi_index_write(*state, 1, others, devs, 1), 0);
    assert_int_equal(libxl__vscsi_index_read(*state, 1, &index), 0);
    assert_int_equal(libxl__vscsi_index_remove(*state, 1, &index, &guests,
                                               1), 0);
    libxl__vscsi_index_dispose(&index);
    assert_int_equal(num_leads(*state, guests, &devs[0]), 0);
    assert_int_equal(num_leads(*state, others, &devs[0]), 1);
    assert_int_equal(libxl__vscsi_index_read(*state, 1, &index), 0);
    assert_int_equal(libxl__vscsi_index_remove(*state, 1, &index, &others,
                                               1), 0);
    libxl__vscsi_index_dispose(&index);
    free_devs(devs, 2);
    assert_int_equal(libxl__vscsi_index_read(*state, 1, &index), 0);
    assert_int_equal(index.num, 0);
    libxl__vscsi_index_dispose(&index);
}

static void what_another_version_wrote_is_refused_and_kept(void **state)
{
    static const char *const names[] = {
        "5-3-2-AAAA", "5-3-1-AAA", "5-3-AAAA", "x-3-1-AAAA", "5--1-AAAA",
        "99999999999-3-1-AAAA", "what",
    };
    libxl__vscsi_index index;
    char path[64], *all;
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(names); i++) {
        fakexs_reset();
        snprintf(path, sizeof(path), "/libxl/vscsi/%s", names[i]);
        fakexs_put(path, "", 0);
        assert_int_equal(libxl__vscsi_index_read(*state, 1, &index), 0);
        assert_int_equal(index.num, 0);
        assert_int_equal(libxl__vscsi_index_check(*state, &index),
                         ERROR_FAIL);
        assert_int_equal(libxl__vscsi_index_remove(*state, 1, &index,
                                                   &guests, 1), 0);
        libxl__vscsi_index_dispose(&index);
        all = fakexs_dump_without("/none");
        assert_non_null(strstr(all, path));
        free(all);
    }
}

static void what_fails_is_said(void **state)
{
    libxl_device_vscsidev *devs = make_devs(1, 1);
    libxl__vscsi_index index = { .entries = NULL };

    fakexs_fail(1, EIO);
    assert_int_equal(libxl__vscsi_index_read(*state, 1, &index), ERROR_FAIL);
    assert_null(index.entries);
    assert_int_equal(libxl__vscsi_index_write(*state, 1, guests, devs, 1),
                     ERROR_FAIL);
    fakexs_fail(0, 0);
    assert_empty();
    free_devs(devs, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_one_device_has_a_trait_in_common),
        TEST(others_have_hardly_ever_one_in_common),
        TEST(each_of_many_devices_is_led_to),
        TEST(what_comes_one_by_one_is_put_together),
        TEST(the_last_name_takes_the_directory_along),
        TEST(what_another_version_wrote_is_refused_and_kept),
        TEST(what_fails_is_said),
    };

    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
