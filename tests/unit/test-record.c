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

static unsigned num_messages;

static void count_message(xentoollog_logger *lg, xentoollog_level level,
                          int errnoval, const char *context,
                          const char *format, va_list al)
{
    (void)lg, (void)errnoval, (void)context, (void)format, (void)al;
    if (level >= XTL_ERROR)
        num_messages++;
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
    put("/libxl/5/device/vscsi/0", "{}");
    put("/libxl/5/device/vscsi/0/vscsi-devs", "{\"vscsidev_id\":0}");
    put("/libxl/5/device/vscsi/3", "{}");
    *state = &vc;
    return libxl__vscsi_ctx_init(&vc);
}

static int teardown(void **state)
{
    libxl__vscsi_ctx_dispose(*state);
    fakexs_reset();
    return 0;
}

static void all_vhosts_are_listed(void **state)
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

static void one_vhost_is_read_without_the_others(void **state)
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
    assert_true(i > 5);
    assert_int_equal(num, 2);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

/* Every request of a removal fails in turn; LeakSanitizer looks on. */
static void a_removal_that_fails_says_so_once(void **state)
{
    libxl__vscsi_vhost v = { .domid = 5, .devid = 0 };
    unsigned i;

    put("/local/domain/0/backend/vscsi", "");
    for (i = 1;; i++) {
        put("/libxl/5/device/vscsi/0", "{}");
        put("/local/domain/5/device/vscsi/0/state", "6");
        put("/local/domain/0/backend/vscsi/5/0/state", "6");
        fakexs_fail(i, EIO);
        if (!libxl__vscsi_xs_rm_vhost(*state, 1, v))
            break;
        assert_int_equal(num_messages, i);
        fakexs_fail(0, 0);
    }
    assert_true(i > 6);
}

/* ----- devices on several pages ----- */

#define DEVS "/libxl/5/device/vscsi/3/vscsi-devs"
static const libxl__vscsi_vhost vhost_3 = { .domid = 5, .devid = 3 };

static void record_named(libxl__vscsi_ctx *vc, int first, int num,
                         size_t length)
{
    libxl_device_vscsidev dev;
    char name[128] = "";
    int i;

    assert_true(length < sizeof(name));
    memset(name, 'x', length);
    for (i = first; i < first + num; i++) {
        libxl_device_vscsidev_init(&dev);
        dev.vscsidev_id = i;
        dev.vdev.tgt = (uint32_t)i;
        dev.pdev.p_devname = strdup(name);
        assert_int_equal(libxl__vscsi_record_devs(vc, 1, vhost_3, &dev, 1),
                         0);
        libxl_device_vscsidev_dispose(&dev);
    }
}

static void forget(libxl__vscsi_ctx *vc, libxl_devid id)
{
    assert_int_equal(libxl__vscsi_forget_devs(vc, 1, vhost_3, &id, 1), 0);
}

static char *page(unsigned number)
{
    char path[sizeof(DEVS) + 16];

    snprintf(path, sizeof(path), number ? DEVS "/%u" : DEVS, number);
    return xs_read(NULL, XBT_NULL, path, NULL);
}

/* The page that a device is on; -1: none, or more than one. */
static int page_of(libxl_devid id)
{
    char needle[32], *text, *found;
    int on = -1, i;

    snprintf(needle, sizeof(needle), "{\"vscsidev_id\":%d,", id);
    for (i = 0; (text = page((unsigned)i)); i++) {
        found = strstr(text, needle);
        if (found && (on != -1 || strstr(found + 1, needle)))
            return free(text), -1;
        on = found ? i : on;
        free(text);
    }
    return on;
}

/* Exactly num devices, and their numbers are those that are_there says. */
static void assert_devs(libxl__vscsi_ctx *vc, int num,
                        bool (*is_there)(int id), int upto)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int i, found = 0, n = 0;

    assert_int_equal(libxl__vscsi_xs_list(vc, 5, 3, &ctrls, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(ctrls[0].num_vscsidevs, num);
    for (i = 0; i < upto; i++)
        if (is_there(i))
            assert_int_equal(ctrls[0].vscsidevs[found++].vscsidev_id, i);
    assert_int_equal(found, num);
    libxl_device_vscsictrl_list_free(ctrls, n);
}

static bool any(int id)
{
    (void)id;
    return true;
}

static bool odd(int id)
{
    return id % 2;
}

static void more_devices_than_a_message_holds_are_kept(void **state)
{
    char *text;
    int i;

    record_named(*state, 0, 100, 100);
    assert_devs(*state, 100, any, 100);
    for (i = 0; (text = page((unsigned)i)); i++) {
        assert_true(strlen(text) <= 3072);
        free(text);
    }
    assert_true(i > 3);
}

/* Whoever reads the pages meanwhile, one after the other, misses none. */
static void a_device_stays_on_its_page(void **state)
{
    int on[100], i;

    record_named(*state, 0, 100, 100);
    for (i = 0; i < 100; i++)
        on[i] = page_of(i);
    for (i = 0; i < 100; i += 2)
        forget(*state, i);
    for (i = 1; i < 100; i += 2)
        assert_int_equal(page_of(i), on[i]);
    assert_devs(*state, 50, odd, 100);
    record_named(*state, 0, 1, 100);    /* where there is room again */
    assert_int_equal(page_of(0), 0);
}

static void pages_go_with_their_last_device(void **state)
{
    int i, last, first_of_last;
    char *text;

    record_named(*state, 0, 100, 100);
    last = page_of(99);
    for (i = 0; page_of(i) != last; i++)
        ;
    first_of_last = i;
    for (; i < 100; i++)
        forget(*state, i);
    assert_null(page((unsigned)last));
    assert_devs(*state, first_of_last, any, first_of_last);
    text = page((unsigned)last - 1);
    assert_null(strstr(text, "+"));
    free(text);
    for (i = 0; i < first_of_last; i++)
        forget(*state, i);
    assert_null(page(0));
    assert_devs(*state, 0, any, 0);
}

/* An empty page in the middle is no end. */
static void what_is_behind_an_empty_page_is_found(void **state)
{
    int i, last;

    record_named(*state, 0, 100, 100);
    last = page_of(99);
    for (i = 0; i < 100; i++)
        if (page_of(i) != last)
            forget(*state, i);
    assert_int_equal(page_of(99), last);
    record_named(*state, 0, 1, 10);
    assert_int_equal(page_of(0), 0);
}

/* As after a write by hand, or by a later version. */
static void a_line_that_cannot_be_read_stays(void **state)
{
    libxl__vscsi_ctx *vc = *state;
    char *text;

    put(DEVS, "{\"vscsidev_id\":\n{\"vscsidev_id\":0}\n[]");
    record_named(vc, 1, 1, 1);
    forget(vc, 0);
    text = page(0);
    assert_string_equal(text, "{\"vscsidev_id\":\n[]\n{\"vscsidev_id\":1,"
                        "\"pdev\":{\"p_devname\":\"x\",\"type.invalid\":{}},"
                        "\"vdev\":{\"tgt\":1}}");
    free(text);
    assert_false(vc->skipped_records);
    assert_devs(vc, 1, odd, 2);
    assert_true(vc->skipped_records);
}

/* As builds before this record was in pages left them. */
static void put_old_nodes(int num)
{
    char path[sizeof(DEVS) + 16], line[160];
    int i;

    put(DEVS, "");
    for (i = 0; i < num; i++) {
        snprintf(path, sizeof(path), DEVS "/dev-%d", i);
        snprintf(line, sizeof(line), "{\"vscsidev_id\":%d,\"pdev\":{"
                 "\"p_devname\":\"/dev/disk/by-id/a-name-of-some-length-%d\","
                 "\"type.invalid\":{}},\"vdev\":{\"tgt\":%d}}", i, i, i);
        put(path, line);
    }
}

static bool is_old_node(int id)
{
    char path[sizeof(DEVS) + 16], *text;
    bool there;

    snprintf(path, sizeof(path), DEVS "/dev-%d", id);
    text = xs_read(NULL, XBT_NULL, path, NULL);
    there = text != NULL;
    free(text);
    return there;
}

static void nodes_of_earlier_builds_are_read_and_taken_over(void **state)
{
    put_old_nodes(40);
    assert_devs(*state, 40, any, 40);
    assert_true(is_old_node(7));
    record_named(*state, 40, 1, 10);
    assert_devs(*state, 41, any, 41);
    assert_false(is_old_node(7));
    assert_int_equal(page_of(7), 0);
    assert_true(page_of(40) >= 0);
}

static void a_device_of_an_earlier_build_can_go(void **state)
{
    int i;

    put_old_nodes(40);
    for (i = 0; i < 40; i += 2)
        forget(*state, i);
    assert_devs(*state, 20, odd, 40);
    assert_false(is_old_node(0));
    for (i = 1; i < 40; i += 2)
        forget(*state, i);
    assert_devs(*state, 0, any, 0);
    assert_null(page(0));
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    libxl_device_vscsidev dev;
    char name[3100] = "";

    memset(name, 'x', sizeof(name) - 1);
    libxl_device_vscsidev_init(&dev);
    dev.pdev.p_devname = strdup(name);
    assert_int_equal(libxl__vscsi_record_devs(*state, 1, vhost_3, &dev, 1),
                     ERROR_INVAL);
    assert_int_equal(num_messages, 1);
    libxl_device_vscsidev_dispose(&dev);
    assert_null(page(0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_vhosts_are_listed),
        TEST(one_vhost_is_read_without_the_others),
        TEST(a_domain_that_goes_while_it_is_read_is_told),
        TEST(a_failure_leaves_the_outputs_alone),
        TEST(a_removal_that_fails_says_so_once),
        TEST(more_devices_than_a_message_holds_are_kept),
        TEST(a_device_stays_on_its_page),
        TEST(pages_go_with_their_last_device),
        TEST(what_is_behind_an_empty_page_is_found),
        TEST(a_line_that_cannot_be_read_stays),
        TEST(nodes_of_earlier_builds_are_read_and_taken_over),
        TEST(a_device_of_an_earlier_build_can_go),
        TEST(a_name_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
