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
#include "libxl_vscsi_internal.h"

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
    put("/libxl/5/device/vscsi/0/vscsi-devs/dev-0", "{}");
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
    assert_true(i > 6);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_vhosts_are_listed),
        TEST(one_vhost_is_read_without_the_others),
        TEST(a_domain_that_goes_while_it_is_read_is_told),
        TEST(a_failure_leaves_the_outputs_alone),
        TEST(a_removal_that_fails_says_so_once),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
