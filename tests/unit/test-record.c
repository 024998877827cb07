/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reading the toolstack's record while it changes or fails, on an xenstore
 * in memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fuzz/fakexs.h"
#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

#define RECORD "/libxl/5/device/vscsi/3"
static const libxl__vscsi_ref ctrl_3 = { .domid = 5, .devid = 3 };

static unsigned num_messages;
static char said[512];          /* the last one */

static void count_message(xentoollog_logger *lg, xentoollog_level level,
                          int errnoval, const char *context,
                          const char *format, va_list al)
{
    (void)lg, (void)errnoval, (void)context;
    if (level < XTL_ERROR)
        return;
    num_messages++;
    vsnprintf(said, sizeof(said), format, al);
}

static xentoollog_logger logger = { .vmessage = count_message };

static void put(const char *path, const char *value)
{
    fakexs_put(path, value, strlen(value));
}

static int setup(void **state)
{
    static libxl__vscsi_ctx vc;

    libxl_vscsi_set_logger(&logger);
    num_messages = 0;
    fakexs_reset();
    put("/libxl/5/device/vscsi/0", "{\"version\":1,\"devid\":0,"
        "\"vscsidevs\":[{\"vscsidev_id\":0}]}");
    put(RECORD, "{\"version\":1,\"devid\":3}");
    *state = &vc;
    return libxl__vscsi_ctx_init(&vc);
}

static int teardown(void **state)
{
    libxl__vscsi_ctx_dispose(*state);
    fakexs_reset();
    return 0;
}

static void all_ctrls_are_listed(void **state)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int num = 0;

    assert_int_equal(libxl__vscsi_xs_list(*state, 5, -1, &ctrls, &num, NULL),
                     0);
    assert_int_equal(num, 2);
    assert_int_equal(ctrls[0].devid, 0);
    assert_int_equal(ctrls[0].num_vscsidevs, 1);
    assert_int_equal(ctrls[1].devid, 3);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void one_ctrl_is_read_without_the_others(void **state)
{
    libxl_device_vscsictrl *ctrls = NULL;
    bool exists = false;
    int num = 0;

    assert_int_equal(libxl__vscsi_xs_list(*state, 5, 3, &ctrls, &num, NULL),
                     0);
    assert_int_equal(num, 1);
    assert_int_equal(ctrls[0].devid, 3);
    libxl_device_vscsictrl_list_free(ctrls, num);
    assert_int_equal(libxl__vscsi_xs_list(*state, 5, 1, &ctrls, &num,
                                          &exists), 0);
    assert_int_equal(num, 0);
    assert_null(ctrls);
    assert_true(exists);
    assert_int_equal(libxl__vscsi_xs_list(*state, 6, 1, &ctrls, &num,
                                          &exists), 0);
    assert_false(exists);
    assert_int_equal(libxl__vscsi_xs_list(*state, 6, 1, &ctrls, &num, NULL),
                     ERROR_DOMAIN_NOTFOUND);
}

static void a_domain_that_goes_while_it_is_read_is_told(void **state)
{
    libxl_device_vscsictrl *ctrls = NULL;
    bool exists = true;
    int num = 7;

    fakexs_fail(2, ENOENT);     /* after the directory has been read */
    assert_int_equal(libxl__vscsi_xs_list(*state, 5, -1, &ctrls, &num,
                                          &exists), 0);
    assert_int_equal(num, 0);
    assert_null(ctrls);
    assert_false(exists);
}

/* Every request of a listing fails in turn. */
static void a_failure_leaves_the_outputs_alone(void **state)
{
    libxl_device_vscsictrl *ctrls = NULL;
    libxl__vscsi_ctx *vc = *state;
    unsigned i;
    int rc, num = 7;

    for (i = 1;; i++) {
        fakexs_fail(i, EIO);
        rc = libxl__vscsi_xs_list(vc, 5, -1, &ctrls, &num, NULL);
        if (!rc)
            break;
        assert_int_equal(rc, ERROR_FAIL);
        assert_null(ctrls);
        assert_int_equal(num, 7);
        assert_int_equal(num_messages, i);
    }
    assert_true(i > 3);
    assert_int_equal(num, 2);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

/* Every request of a removal fails in turn; LeakSanitizer looks on. */
static void a_removal_that_fails_says_so_once(void **state)
{
    libxl__vscsi_ref v = { .domid = 5, .devid = 0 };
    unsigned i;

    put("/local/domain/0/backend/vscsi", "");
    for (i = 1;; i++) {
        put("/libxl/5/device/vscsi/0", "{\"version\":1}");
        put("/local/domain/5/device/vscsi/0/state", "6");
        put("/local/domain/0/backend/vscsi/5/0/state", "6");
        fakexs_fail(i, EIO);
        if (!libxl__vscsi_xs_rm_ctrls(*state, 1, &v, 1))
            break;
        assert_int_equal(num_messages, i);
        fakexs_fail(0, 0);
    }
    assert_true(i > 6);
}

/* ----- a record of several parts ----- */

static void init_named(libxl_device_vscsidev *dev, int id, size_t length)
{
    libxl_device_vscsidev_init(dev);
    dev->vscsidev_id = id;
    dev->vdev.tgt = (uint32_t)id;
    dev->pdev.p_devname = calloc(length + 1, 1);
    assert_non_null(dev->pdev.p_devname);
    memset(dev->pdev.p_devname, 'x', length);
}

static void record_named(libxl__vscsi_ctx *vc, int first, int num,
                         size_t length)
{
    libxl_device_vscsidev dev;
    int i;

    for (i = first; i < first + num; i++) {
        init_named(&dev, i, length);
        assert_int_equal(libxl__vscsi_record_devs(vc, 1, ctrl_3, &dev, 1),
                         0);
        libxl_device_vscsidev_dispose(&dev);
    }
}

static void forget(libxl__vscsi_ctx *vc, libxl_devid id)
{
    assert_int_equal(libxl__vscsi_forget_devs(vc, 1, ctrl_3, &id, 1), 0);
}

/* -1: there is none. */
static int length_of_part(unsigned part)
{
    char path[sizeof(RECORD) + 16], *text;
    int length = -1;

    snprintf(path, sizeof(path), part ? RECORD "/part-%u" : RECORD, part);
    text = xs_read(NULL, XBT_NULL, path, NULL);
    if (text)
        length = (int)strlen(text);
    free(text);
    return length;
}

static unsigned num_parts(void)
{
    unsigned part = 0;

    while (length_of_part(part) >= 0)
        part++;
    return part;
}

/* Exactly num devices, numbered from first. */
static void assert_devs(libxl__vscsi_ctx *vc, int first, int num)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int i, n = 0;

    assert_int_equal(libxl__vscsi_xs_list(vc, 5, 3, &ctrls, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(ctrls[0].num_vscsidevs, num);
    for (i = 0; i < num; i++)
        assert_int_equal(ctrls[0].vscsidevs[i].vscsidev_id, first + i);
    libxl_device_vscsictrl_list_free(ctrls, n);
}

static void more_devices_than_a_message_holds_are_kept(void **state)
{
    unsigned part;

    record_named(*state, 0, 100, 100);
    assert_devs(*state, 0, 100);
    assert_true(num_parts() > 3);
    for (part = 0; part < num_parts(); part++)
        assert_in_range(length_of_part(part), 1, 4000);
    fakexs_conflict(1);         /* somebody changes it meanwhile */
    assert_devs(*state, 0, 100);
}

static void parts_go_with_what_they_held(void **state)
{
    int i;

    record_named(*state, 0, 100, 100);
    for (i = 0; i < 100; i++) {
        forget(*state, i);
        assert_devs(*state, i + 1, 99 - i);
    }
    assert_int_equal(num_parts(), 1);
}

static void a_name_as_long_as_a_message_is_kept(void **state)
{
    record_named(*state, 0, 1, 5000);
    assert_devs(*state, 0, 1);
    assert_int_equal(num_parts(), 2);
}

/* Nothing tells a part that is full from one that goes on. */
static void after_a_last_part_that_is_full_comes_an_empty_one(void **state)
{
    int rest;

    record_named(*state, 0, 1, 1);
    rest = 4000 - length_of_part(0) + 1;
    forget(*state, 0);
    record_named(*state, 0, 1, (size_t)rest);
    assert_int_equal(length_of_part(0), 4000);
    assert_int_equal(length_of_part(1), 0);
    assert_devs(*state, 0, 1);
    forget(*state, 0);
    assert_int_equal(num_parts(), 1);
}

/* ----- what cannot be read ----- */

static void assert_unreadable(libxl__vscsi_ctx *vc, const char *why)
{
    const libxl_devid id = 0;
    libxl_device_vscsictrl *ctrls = NULL;
    libxl_device_vscsidev dev;
    libxl__vscsi_recorded all;
    char *before = fakexs_dump_without("/none"), *after;
    int num = 7;

    said[0] = '\0';
    assert_int_equal(libxl__vscsi_xs_list(vc, 5, 3, &ctrls, &num, NULL),
                     ERROR_FAIL);
    assert_int_equal(num, 7);
    assert_non_null(strstr(said, "(" RECORD ") cannot be read"));
    assert_non_null(strstr(said, why));
    assert_int_equal(libxl__vscsi_xs_list_all(vc, 5, -1, &all), 0);
    assert_int_equal(all.num, 1);
    assert_int_equal(all.ctrls[0].devid, 0);
    assert_int_equal(all.num_unreadable, 1);
    assert_int_equal(all.unreadable[0], 3);
    libxl__vscsi_recorded_dispose(&all);

    init_named(&dev, 0, 1);
    assert_int_equal(libxl__vscsi_record_devs(vc, 1, ctrl_3, &dev, 1),
                     ERROR_FAIL);
    libxl_device_vscsidev_dispose(&dev);
    assert_int_equal(libxl__vscsi_forget_devs(vc, 1, ctrl_3, &id, 1),
                     ERROR_FAIL);
    assert_int_equal(libxl__vscsi_record_segments(vc, 1, ctrl_3, 26),
                     ERROR_FAIL);
    after = fakexs_dump_without("/none");
    assert_string_equal(before, after);
    free(before), free(after);
}

/* As after a write by hand, or by a later version. */
static void a_record_that_cannot_be_read_stays_as_it_is(void **state)
{
    static const struct { const char *text, *why; } rows[] = {
        { "", "not what this software writes" },
        { "{}", "not what this software writes" },
        { "[7]", "not what this software writes" },
        { "{\"version\":1,\"devid\":", "not what this software writes" },
        { "{\"version\":1}x", "not what this software writes" },
        { "{\"version\":\"1\"}", "not what this software writes" },
        { "{\"version\":0}", "not what this software writes" },
        { "{\"devid\":3}", "not what this software writes" },
        { "{\"version\":1,\"devid\":3,\"vscsidevs\":[{}]}",
          "not what this software writes" },
        { "{\"version\":1,\"devid\":3,\"new\":1}",
          "not what this software writes" },
        { "{\"version\":2,\"devid\":3}", "written by a newer version" },
    };
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        put(RECORD, rows[i].text);
        assert_unreadable(*state, rows[i].why);
    }
}

static void a_record_that_is_cut_off_is_not_read_in_part(void **state)
{
    record_named(*state, 0, 100, 100);
    assert_true(xs_rm(NULL, XBT_NULL, RECORD "/part-1"));
    assert_unreadable(*state, "not what this software writes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_ctrls_are_listed),
        TEST(one_ctrl_is_read_without_the_others),
        TEST(a_domain_that_goes_while_it_is_read_is_told),
        TEST(a_failure_leaves_the_outputs_alone),
        TEST(a_removal_that_fails_says_so_once),
        TEST(more_devices_than_a_message_holds_are_kept),
        TEST(parts_go_with_what_they_held),
        TEST(a_name_as_long_as_a_message_is_kept),
        TEST(after_a_last_part_that_is_full_comes_an_empty_one),
        TEST(a_record_that_cannot_be_read_stays_as_it_is),
        TEST(a_record_that_is_cut_off_is_not_read_in_part),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
