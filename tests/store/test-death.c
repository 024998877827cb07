/* SPDX-License-Identifier: LGPL-2.1-only */
/* xenstored dies while somebody waits for one of its nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libxl_vscsi_wait.h"
#include "store.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"

/* No wait of these tests is as long as its bound, which is an hour. */
#define WATCHDOG_S 60
#define HOUR_MS 3600000

static struct store *store;
static char said[256];

/* Dies at the moment at which the wait says what it waits for. */
static void keep_message(xentoollog_logger *lg, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list al)
{
    (void)lg, (void)errnoval, (void)context;
    if (level == XTL_DETAIL)
        store_kill(store);
    else
        vsnprintf(said, sizeof(said), format, al);
}

static xentoollog_logger logger = { .vmessage = keep_message };

static void wait_in_vain(libxl__vscsi_op op)
{
    libxl_devid dev = 0;
    libxl__vscsi_wait w = {
        .ref = { .domid = 5, .devid = 0 }, .op = op, .devs = &dev,
        .num_devs = 1, .frontend_ms = HOUR_MS,
    };
    libxl__vscsi_verdict verdict;
    libxl__vscsi_ctx vc;

    store = store_start();
    store_write(store, B "/state", "7");
    store_write(store, F "/state", "4");
    libxl_vscsi_set_logger(&logger);
    assert_int_equal(libxl__vscsi_ctx_init(&vc), 0);
    vc.timeouts = (libxl_vscsi_timeouts){
        HOUR_MS, HOUR_MS, HOUR_MS, HOUR_MS, HOUR_MS,
    };
    said[0] = '\0';
    alarm(WATCHDOG_S);
    assert_int_equal(libxl__vscsi_wait_for(&vc, &w, &verdict, NULL),
                     ERROR_FAIL);
    alarm(0);
    assert_non_null(strstr(said, "the connection to xenstore broke"));
    libxl__vscsi_ctx_dispose(&vc);
    store_stop(store);
}

static void the_death_of_xenstored_ends_every_wait(void **state)
{
    static const libxl__vscsi_op ops[] = {
        VSCSI_ADD_CTRL, VSCSI_ADD_DEV, VSCSI_REMOVE_DEV,
        VSCSI_REMOVE_CTRL, VSCSI_DESTROY_CTRL, VSCSI_SETTLE,
    };
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(ops); i++)
        wait_in_vain(ops[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_death_of_xenstored_ends_every_wait),
    };

    return cmocka_run_group_tests_name("store/death", tests, NULL, NULL);
}
