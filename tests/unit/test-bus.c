/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which vscsictrls the kernel has backends for, in a directory like that
 * of its devices. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libxl_vscsi_ctx.h"

static char bus[] = "/tmp/test-bus.XXXXXX";
static unsigned num_messages;

static void count_message(xentoollog_logger *lg, xentoollog_level level,
                          int errnoval, const char *context,
                          const char *format, va_list al)
{
    (void)lg, (void)level, (void)errnoval, (void)context, (void)format;
    (void)al;
    num_messages++;
}

static xentoollog_logger logger = { .vmessage = count_message };
static libxl__vscsi_ctx vc = { .lg = &logger, .devices_dir = bus };

static const char *const names[] = {
    "vscsi-5-0", "vbd-5-51712", "vscsi-12-3", "vscsi-7", "vscsi-x-0",
    "vscsi-7-", "vscsi-7-1x", "vscsi-4294967296-0", "vif-5-0",
    "system", "pci0000:00",
};

static void make(bool there)
{
    char path[128];
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", bus, names[i]);
        assert_int_equal(there ? mkdir(path, 0700) : rmdir(path), 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    return !mkdtemp(bus);
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(bus);
}

static void ctrls_are_found_among_other_backends(void **state)
{
    libxl__vscsi_ref *refs = NULL;
    unsigned i, num = 9, seen = 0;

    (void)state;
    make(true);
    assert_int_equal(libxl__vscsi_host_backends(&vc, &refs, &num), 0);
    make(false);
    assert_int_equal(num, 2);
    for (i = 0; i < num; i++) {
        seen |= (refs[i].domid == 5 && refs[i].devid == 0) ? 1 : 0;
        seen |= (refs[i].domid == 12 && refs[i].devid == 3) ? 2 : 0;
    }
    assert_int_equal(seen, 3);
    free(refs);
}

static void assert_failure(const char *dir)
{
    libxl__vscsi_ref *refs = NULL;
    unsigned num = 9;

    num_messages = 0;
    vc.devices_dir = dir;
    assert_int_equal(libxl__vscsi_host_backends(&vc, &refs, &num),
                     ERROR_FAIL);
    assert_int_equal(num, 9);
    assert_int_equal(num_messages, 1);
}

/* Not: that there are none. */
static void what_cannot_be_looked_at_is_a_failure(void **state)
{
    (void)state;
    assert_failure("/dev/null");
    assert_failure("/nonexistent/devices");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctrls_are_found_among_other_backends),
        cmocka_unit_test(what_cannot_be_looked_at_is_a_failure),
    };

    return cmocka_run_group_tests_name("bus", tests, set_up, tear_down);
}
