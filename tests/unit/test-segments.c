/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a request queue takes, as a number of segments, and where it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "libxl_vscsi_claim.h"

static void segments_follow_both_limits(void **state)
{
    static const struct {
        libxl__vscsi_limits limits;
        unsigned segments;
    } rows[] = {
        { { 0, 0 }, 0 },
        { { 0, 128 }, 1 },
        { { 3, 128 }, 1 },
        { { 4, 128 }, 2 },
        { { 100, 128 }, 26 },
        { { 128, 168 }, 33 },
        { { 128, 80 }, 33 },
        { { 256, 128 }, 65 },
        { { 256, 64 }, 64 },
        { { 507, 168 }, 127 },
        { { 508, 168 }, 128 },
        { { 512, 168 }, 128 },
        { { UINT32_MAX, UINT32_MAX }, 128 },
    };
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++)
        assert_int_equal(libxl__vscsi_segments_of(&rows[i].limits),
                         rows[i].segments);
    assert_int_equal(libxl__vscsi_kb_of(0), 0);
    assert_int_equal(libxl__vscsi_kb_of(26), 100);
    assert_int_equal(libxl__vscsi_kb_of(128), 508);
}

/* What fits the number must fit the device, wherever in a page it begins. */
static void no_command_is_larger_than_the_device_takes(void **state)
{
    libxl__vscsi_limits limits;
    unsigned n;

    (void)state;
    for (limits.max_sectors_kb = 4; limits.max_sectors_kb <= 600;
         limits.max_sectors_kb++) {
        for (limits.max_segments = 2; limits.max_segments <= 140;
             limits.max_segments++) {
            n = libxl__vscsi_segments_of(&limits);
            assert_true(n <= limits.max_segments);
            assert_true(libxl__vscsi_kb_of(n) <= limits.max_sectors_kb);
        }
    }
}

/* ----- from sysfs ----- */

static char root[] = "/tmp/test-segments.XXXXXX";

static void put(const char *path, const char *text)
{
    char full[512], *slash;
    FILE *f;

    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (slash = full + strlen(root) + 1; (slash = strchr(slash, '/'));
         slash++) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
    f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Of the path whose block device, or sg node, this is. */
static bool limits_of(const char *disk, char *sg,
                      libxl__vscsi_limits *limits_r)
{
    libxl__vscsi_ctx vc = { .sysfs = root };
    libxl__vscsi_path path = { .hctl = { 1, 0, 0, 0 }, .sg = sg };
    char full[512];

    snprintf(full, sizeof(full), "%s/%s", root, disk ? disk : "");
    path.disk = disk ? full : NULL;
    return libxl__vscsi_path_limits(&vc, &path, limits_r);
}

static void a_disks_limits_are_its_queues(void **state)
{
    libxl__vscsi_limits limits;

    (void)state;
    put("1:0:0:0/block/sda/queue/max_hw_sectors_kb", "128\n");
    put("1:0:0:0/block/sda/queue/max_segments", "168\n");
    assert_true(limits_of("1:0:0:0/block/sda", NULL, &limits));
    assert_int_equal(limits.max_sectors_kb, 128);
    assert_int_equal(limits.max_segments, 168);
}

static void what_cannot_be_read_is_not_guessed(void **state)
{
    libxl__vscsi_limits limits = { 7, 7 };
    char no_sg[] = "/dev/sg99", not_sg[] = "/dev/null";

    (void)state;
    assert_false(limits_of(NULL, NULL, &limits));
    put("3:0:0:0/block/sdb/queue/max_hw_sectors_kb", "128\n");
    assert_false(limits_of("3:0:0:0/block/sdb", NULL, &limits));
    put("3:0:0:0/block/sdb/queue/max_segments", "many\n");
    assert_false(limits_of("3:0:0:0/block/sdb", NULL, &limits));
    assert_false(limits_of(NULL, no_sg, &limits));
    assert_false(limits_of(NULL, not_sg, &limits));
    assert_int_equal(limits.max_sectors_kb, 7);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_follow_both_limits),
        cmocka_unit_test(no_command_is_larger_than_the_device_takes),
        cmocka_unit_test(a_disks_limits_are_its_queues),
        cmocka_unit_test(what_cannot_be_read_is_not_guessed),
    };

    return cmocka_run_group_tests_name("unit/segments", tests, setup,
                                       teardown);
}
