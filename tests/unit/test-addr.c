/* SPDX-License-Identifier: LGPL-2.1-only */
/* Addresses of SCSI devices as text: one row for each text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libxl_vscsi_addr.h"

#define NUM(array) (sizeof(array) / sizeof((array)[0]))
#define U64_MAX_TEXT "18446744073709551615"
#define HCTL_MAX_TEXT "4294967295:4294967295:4294967295:" U64_MAX_TEXT

/* The text in memory of just its size, so that a sanitizer sees overruns. */
static char *exactly(const char *text)
{
    char *copy = strdup(text);

    assert_non_null(copy);
    return copy;
}

static void numbers_are_plain_decimal_and_bounded(void **state)
{
    static const struct {
        const char *text;
        uint64_t max, value;
        bool ok;
    } rows[] = {
        { "0",                    UINT64_MAX, 0,          true },
        { "7",                    7,          7,          true },
        { "8",                    7,          0,          false },
        { "255",                  UINT64_MAX, 255,        true },
        { "4294967295",           UINT32_MAX, UINT32_MAX, true },
        { "4294967296",           UINT32_MAX, 0,          false },
        { "4294967300",           UINT32_MAX, 0,          false },
        { U64_MAX_TEXT,           UINT64_MAX, UINT64_MAX, true },
        { "18446744073709551616", UINT64_MAX, 0,          false },
        { "18446744073709551625", UINT64_MAX, 0,          false },
        { "99999999999999999999", UINT64_MAX, 0,          false },
        { "0",                    0,          0,          true },
        { "1",                    0,          0,          false },
        { "",                     UINT64_MAX, 0,          false },
        { "00",                   UINT64_MAX, 0,          false },
        { "01",                   UINT64_MAX, 0,          false },
        { "+1",                   UINT64_MAX, 0,          false },
        { "-1",                   UINT64_MAX, 0,          false },
        { "-0",                   UINT64_MAX, 0,          false },
        { " 1",                   UINT64_MAX, 0,          false },
        { "1 ",                   UINT64_MAX, 0,          false },
        { "1\n",                  UINT64_MAX, 0,          false },
        { "0x1",                  UINT64_MAX, 0,          false },
        { "1e3",                  UINT64_MAX, 0,          false },
        { "1.0",                  UINT64_MAX, 0,          false },
        { "a",                    UINT64_MAX, 0,          false },
        { "\xd9\xa1",             UINT64_MAX, 0,          false },
    };
    size_t i;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        uint64_t value = 12345;
        char *text = exactly(rows[i].text);

        if (libxl__vscsi_parse_u64(text, strlen(text), rows[i].max, &value)
            != rows[i].ok)
            fail_msg("'%s' up to %llu", text,
                     (unsigned long long)rows[i].max);
        assert_int_equal(value, rows[i].ok ? rows[i].value : 12345);
        free(text);
    }
}

static void number_ends_where_its_length_says(void **state)
{
    uint64_t value;

    (void)state;
    assert_true(libxl__vscsi_parse_u64("12:34", 2, UINT64_MAX, &value));
    assert_int_equal(value, 12);
    assert_false(libxl__vscsi_parse_u64("12:34", 3, UINT64_MAX, &value));
    assert_false(libxl__vscsi_parse_u64("1", 2, UINT64_MAX, &value));
    assert_false(libxl__vscsi_parse_u64("1", 0, UINT64_MAX, &value));
    assert_int_equal(value, 12);
}

static void hctl_is_written_as_it_was_read(void **state)
{
    static const struct {
        const char *text;
        libxl_vscsi_hctl hctl;
    } rows[] = {
        { "0:0:0:0", { 0, 0, 0, 0 } },
        { "8:1:2:3", { 8, 1, 2, 3 } },
        { HCTL_MAX_TEXT, { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX } },
    };
    char text[LIBXL__VSCSI_HCTL_SIZE];
    libxl_vscsi_hctl hctl;
    size_t i;

    (void)state;
    assert_int_equal(sizeof(HCTL_MAX_TEXT), LIBXL__VSCSI_HCTL_SIZE);
    for (i = 0; i < NUM(rows); i++) {
        assert_true(libxl__vscsi_hctl_parse(rows[i].text, &hctl));
        assert_true(libxl__vscsi_hctl_equal(&hctl, &rows[i].hctl));
        libxl__vscsi_hctl_format(&hctl, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void anything_but_four_plain_numbers_is_no_hctl(void **state)
{
    static const char *const rows[] = {
        "", ":", ":::", "0", "0:0", "0:0:0", "0:0:0:", ":0:0:0", "0::0:0",
        "0:0:0:0:", "0:0:0:0:0", "0:0:0:4junk", "0:0:0:0 ", " 0:0:0:0",
        "0:0:0: 0", "0:0:0:0\n", "0.0.0.0", "00:0:0:0", "0:0:0:01",
        "0:0:+1:0", "0:-1:0:0", "0x8:0:0:0", "a:b:c:d", "0;0;0;0",
        "4294967296:0:0:0", "0:4294967296:0:0", "0:0:4294967296:0",
        "0:0:0:18446744073709551616", "naa.5001405123456789:0",
    };
    size_t i;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        libxl_vscsi_hctl hctl = { 1, 2, 3, 4 }, before = hctl;
        char *text = exactly(rows[i]);

        if (libxl__vscsi_hctl_parse(text, &hctl))
            fail_msg("'%s' is accepted", text);
        assert_true(libxl__vscsi_hctl_equal(&hctl, &before));
        free(text);
    }
}

static void hctls_are_ordered_as_numbers_from_host_to_lun(void **state)
{
    static const libxl_vscsi_hctl rows[] = {
        { 0, 0, 0, 0 }, { 0, 0, 0, 2 }, { 0, 0, 0, UINT64_MAX },
        { 0, 0, 2, 0 }, { 0, 0, 10, 0 }, { 0, 0, UINT32_MAX, 0 },
        { 0, 1, 0, 0 }, { 2, 0, 0, 0 }, { 10, 0, 0, 0 },
        { UINT32_MAX, 0, 0, 0 },
    };
    size_t i, j;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        for (j = 0; j < NUM(rows); j++) {
            int order = libxl__vscsi_hctl_order(&rows[i], &rows[j]);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
            assert_int_equal(libxl__vscsi_hctl_equal(&rows[i], &rows[j]),
                             i == j);
        }
    }
}

static void lio_target_is_naa_16_hex_digits_and_a_lun(void **state)
{
    static const struct {
        const char *text;
        uint64_t lun;
        bool ok;
    } rows[] = {
        { "naa.5001405123456789:0",               0,          true },
        { "naa.0001405123456789:254",             254,        true },
        { "naa.abcdefABCDEF0123:1",               1,          true },
        { "naa.5001405123456789:" U64_MAX_TEXT,   UINT64_MAX, true },
        { "",                                     0,          false },
        { ":",                                    0,          false },
        { ":0",                                   0,          false },
        { "naa.",                                 0,          false },
        { "naa.:0",                               0,          false },
        { "naa.5001405123456789",                 0,          false },
        { "naa.5001405123456789:",                0,          false },
        { "naa.5001405123456789:01",              0,          false },
        { "naa.5001405123456789:-1",              0,          false },
        { "naa.5001405123456789:1:2",             0,          false },
        { "naa.5001405123456789:0junk",           0,          false },
        { "naa.5001405123456789:18446744073709551616", 0,     false },
        { "naa.500140512345678:0",                0,          false },
        { "naa.50014051234567890:0",              0,          false },
        { "naa.500140512345678g:0",               0,          false },
        { "NAA.5001405123456789:0",               0,          false },
        { "eui.5001405123456789:0",               0,          false },
        { " naa.5001405123456789:0",              0,          false },
    };
    size_t i;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        char *text = exactly(rows[i].text);
        uint64_t lun = 12345;
        size_t len = 12345;

        if (libxl__vscsi_wwn_parse(text, &len, &lun) != rows[i].ok)
            fail_msg("'%s'", text);
        assert_int_equal(len, rows[i].ok ? 20 : 12345);
        assert_int_equal(lun, rows[i].ok ? rows[i].lun : 12345);
        assert_int_equal(libxl__vscsi_wwn_parse(text, NULL, NULL),
                         rows[i].ok);
        free(text);
    }
}

static void vdev_outside_what_scsifront_scans_has_a_fault(void **state)
{
    static const struct {
        libxl_vscsi_hctl vdev;
        const char *fault;
    } rows[] = {
        { { 0, 0, 0, 0 }, NULL },
        { { 65535, 0, 63, 254 }, NULL },
        { { 65536, 0, 0, 0 }, "vscsictrl 65536 is out of range (0..65535)" },
        { { 0, 1, 0, 0 }, "channel 1 is out of range (only 0)" },
        { { 0, 0, 64, 0 }, "target 64 is out of range (0..63)" },
        { { 0, 0, 0, 255 }, "LUN 255 is out of range (0..254)" },
        { { 0, 0, 0, UINT64_MAX },
          "LUN " U64_MAX_TEXT " is out of range (0..254)" },
        { { 0, 0, 64, 255 }, "target 64 is out of range (0..63)" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        char buf[96];
        const char *fault = libxl__vscsi_vdev_fault(&rows[i].vdev, buf,
                                                    sizeof(buf));

        assert_int_equal(!fault, !rows[i].fault);
        if (fault)
            assert_string_equal(fault, rows[i].fault);
    }
}

static void check_pdev(const libxl_vscsi_pdev *pdev, const char *expected)
{
    char *text = strdup("untouched, and of thirty-one...");

    assert_non_null(text);
    assert_int_equal(strlen(text), LIBXL__VSCSI_PDEV_MAX);
    assert_int_equal(libxl__vscsi_pdev_format(pdev, text), expected != NULL);
    assert_string_equal(text, expected ? expected
                                       : "untouched, and of thirty-one...");
    free(text);
}

static void p_dev_is_never_longer_than_the_backend_keeps(void **state)
{
    static const struct {
        libxl_vscsi_hctl hctl;
        const char *text;
    } rows[] = {
        { { 8, 0, 2, 1 }, "8:0:2:1" },
        { { UINT32_MAX, 4294967, UINT32_MAX, 0 },
          "4294967295:4294967:4294967295:0" },
        { { UINT32_MAX, 42949670, UINT32_MAX, 0 }, NULL },
        { { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX }, NULL },
    };
    libxl_vscsi_pdev pdev = { .type = LIBXL_VSCSI_PDEV_TYPE_HCTL };
    size_t i;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        pdev.u.hctl.m = rows[i].hctl;
        check_pdev(&pdev, rows[i].text);
    }
}

static void p_dev_of_a_lio_target_is_its_text(void **state)
{
    static char fits[] = "naa.5001405123456789:4294967295",
                too_long[] = "naa.5001405123456789:42949672950",
                wrong[] = "alias:0";
    libxl_vscsi_pdev pdev = { .type = LIBXL_VSCSI_PDEV_TYPE_WWN };

    (void)state;
    pdev.u.wwn.m = fits;
    check_pdev(&pdev, "naa.5001405123456789:4294967295");
    /* Cut, this would name LUN 4294967295. */
    pdev.u.wwn.m = too_long;
    check_pdev(&pdev, NULL);
    pdev.u.wwn.m = wrong;
    check_pdev(&pdev, NULL);
    pdev.u.wwn.m = NULL;
    check_pdev(&pdev, NULL);
}

static void name_that_was_not_looked_up_has_no_p_dev(void **state)
{
    static char name[] = "/dev/sdb";
    libxl_vscsi_pdev pdev = { .type = LIBXL_VSCSI_PDEV_TYPE_INVALID,
                              .p_devname = name };

    (void)state;
    check_pdev(&pdev, NULL);
}

static void a_star_leaves_the_numbers_from_there_on_open(void **state)
{
    static const struct {
        const char *text;
        unsigned num_fixed;     /* 0: it is none */
        libxl_vscsi_hctl hctl;
    } rows[] = {
        { "8:0:2:*", 3, { 8, 0, 2, 0 } },
        { "8:1:*:*", 2, { 8, 1, 0, 0 } },
        { "8:*:*:*", 1, { 8, 0, 0, 0 } },
        { "4294967295:4294967295:4294967295:*", 3,
          { UINT32_MAX, UINT32_MAX, UINT32_MAX, 0 } },
        { .text = "" }, { .text = "*" }, { .text = ":*" },
        { .text = "8" }, { .text = "8:" }, { .text = "8:*" },
        { .text = "8:*:*" }, { .text = "8:*:*:" }, { .text = "8:*:*:*:" },
        { .text = "8:*:*:*:*" }, { .text = "8:0:2:1" },
        { .text = "8:0:2:1:*" }, { .text = "*:*:*:*" },
        { .text = "8:*:2:*" }, { .text = "8:*:*:1" }, { .text = "8:0:*" },
        { .text = "08:0:2:*" }, { .text = "8::2:*" }, { .text = "8:0:2:**" },
        { .text = "8:0:4294967296:*" }, { .text = " 8:0:2:*" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        libxl__vscsi_pattern pattern = { .num_fixed = 0 };
        char *text = exactly(rows[i].text);

        assert_int_equal(libxl__vscsi_pattern_parse(text, &pattern),
                         rows[i].num_fixed > 0);
        assert_int_equal(pattern.num_fixed, rows[i].num_fixed);
        assert_true(libxl__vscsi_hctl_equal(&pattern.hctl, &rows[i].hctl));
        free(text);
    }
}

static void a_pattern_fits_what_is_below_it(void **state)
{
    static const struct {
        const char *pattern, *hctl;
        bool fits;
    } rows[] = {
        { "8:0:2:*", "8:0:2:0",   true },
        { "8:0:2:*", "8:0:2:255", true },
        { "8:0:2:*", "8:0:3:0",   false },
        { "8:0:2:*", "8:1:2:0",   false },
        { "8:0:2:*", "9:0:2:0",   false },
        { "8:0:*:*", "8:0:9:7",   true },
        { "8:0:*:*", "8:1:9:7",   false },
        { "8:*:*:*", "8:1:9:7",   true },
        { "8:*:*:*", "80:1:9:7",  false },
    };
    libxl__vscsi_pattern pattern;
    libxl_vscsi_hctl hctl;
    size_t i;

    (void)state;
    for (i = 0; i < NUM(rows); i++) {
        assert_true(libxl__vscsi_pattern_parse(rows[i].pattern, &pattern));
        assert_true(libxl__vscsi_hctl_parse(rows[i].hctl, &hctl));
        assert_int_equal(libxl__vscsi_pattern_fits(&pattern, &hctl),
                         rows[i].fits);
    }
}

static void a_name_with_a_star_at_its_end_stands_for_several(void **state)
{
    (void)state;
    assert_true(libxl__vscsi_is_wildcard("8:0:2:*"));
    assert_true(libxl__vscsi_is_wildcard("/dev/sch0:*"));
    assert_false(libxl__vscsi_is_wildcard("/dev/sch*"));
    assert_false(libxl__vscsi_is_wildcard("*"));
    assert_false(libxl__vscsi_is_wildcard(""));
    assert_false(libxl__vscsi_is_wildcard("8:0:2:*:0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_plain_decimal_and_bounded),
        cmocka_unit_test(number_ends_where_its_length_says),
        cmocka_unit_test(hctl_is_written_as_it_was_read),
        cmocka_unit_test(anything_but_four_plain_numbers_is_no_hctl),
        cmocka_unit_test(hctls_are_ordered_as_numbers_from_host_to_lun),
        cmocka_unit_test(lio_target_is_naa_16_hex_digits_and_a_lun),
        cmocka_unit_test(vdev_outside_what_scsifront_scans_has_a_fault),
        cmocka_unit_test(p_dev_is_never_longer_than_the_backend_keeps),
        cmocka_unit_test(p_dev_of_a_lio_target_is_its_text),
        cmocka_unit_test(name_that_was_not_looked_up_has_no_p_dev),
        cmocka_unit_test(a_star_leaves_the_numbers_from_there_on_open),
        cmocka_unit_test(a_pattern_fits_what_is_below_it),
        cmocka_unit_test(a_name_with_a_star_at_its_end_stands_for_several),
    };

    return cmocka_run_group_tests_name("addr", tests, NULL, NULL) != 0;
}
