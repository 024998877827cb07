/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Copying and reading when memory runs out, at every allocation in turn.
 * Linked with --wrap=calloc and --wrap=strdup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "_libxl_vscsi_types.h"

static const char text[] =
    "{\"devid\": 1, \"scsi_raw_cmds\": \"True\", \"vscsidevs\": ["
    "{\"pdev\": {\"p_devname\": \"a\", \"wwid\": \"b\"}},"
    "{\"pdev\": {\"p_devname\": \"c\", \"wwid\": \"d\","
    " \"type.wwn\": {\"m\": \"e\"}}}]}";

#define NEVER (-1)
static int allocations_left = NEVER;

/* weak: a link without the options is to be told so by the test */
__attribute__((weak)) void *__real_calloc(size_t num, size_t size);
__attribute__((weak)) char *__real_strdup(const char *s);
void *__wrap_calloc(size_t num, size_t size);
char *__wrap_strdup(const char *s);

static int check_link(void **state)
{
    (void)state;
    if (__real_calloc && __real_strdup)
        return 0;
    print_error("link this with -Wl,--wrap=calloc,--wrap=strdup\n");
    return -1;
}

static int refused(void)
{
    if (allocations_left == NEVER)
        return 0;
    return !allocations_left || !allocations_left--;
}

void *__wrap_calloc(size_t num, size_t size)
{
    return refused() ? NULL : __real_calloc(num, size);
}

char *__wrap_strdup(const char *s)
{
    return refused() ? NULL : __real_strdup(s);
}

static void copy_is_whole_or_empty(void **state)
{
    libxl_device_vscsictrl from, to, empty;
    int failures, rc = ERROR_NOMEM;

    (void)state;
    libxl_device_vscsictrl_init(&empty);
    assert_int_equal(libxl_device_vscsictrl_from_json(NULL, &from, text), 0);
    for (failures = 0; rc; failures++) {
        allocations_left = failures;
        rc = libxl_device_vscsictrl_copy(NULL, &to, &from);
        allocations_left = NEVER;
        assert_true(!rc || rc == ERROR_NOMEM);
        assert_true(libxl_device_vscsictrl_compare(&to,
                                                   rc ? &empty : &from));
        libxl_device_vscsictrl_dispose(&to);
    }
    /* the array and five strings */
    assert_int_equal(failures, 7);
    libxl_device_vscsictrl_dispose(&from);
}

static void reading_is_whole_or_empty(void **state)
{
    libxl_device_vscsictrl from, to, empty;
    int failures, rc = ERROR_NOMEM;

    (void)state;
    libxl_device_vscsictrl_init(&empty);
    assert_int_equal(libxl_device_vscsictrl_from_json(NULL, &from, text), 0);
    for (failures = 0; rc; failures++) {
        allocations_left = failures;
        rc = libxl_device_vscsictrl_from_json(NULL, &to, text);
        allocations_left = NEVER;
        assert_true(!rc || rc == ERROR_NOMEM);
        assert_true(libxl_device_vscsictrl_compare(&to,
                                                   rc ? &empty : &from));
        libxl_device_vscsictrl_dispose(&to);
    }
    assert_int_equal(failures, 7);
    libxl_device_vscsictrl_dispose(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_is_whole_or_empty),
        cmocka_unit_test(reading_is_whole_or_empty),
    };

    return cmocka_run_group_tests(tests, check_link, NULL);
}
