/* SPDX-License-Identifier: LGPL-2.1-only */
/* When two devices are one, as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libxl_vscsi_device.h"

#define NAA "naa.5000c500a1b2c3d4"
#define NAA2 "naa.5000c500a1b2c3d5"

/* "TYPE h:c:t:l"; "" and -1 are unknown. */
static libxl__vscsi_identity make(int type, const char *hctl,
                                  const char *wwid, const char *serial,
                                  const char *vendor, const char *model)
{
    libxl__vscsi_identity id = {
        .type = type, .wwid = (char *)(uintptr_t)wwid,
        .serial = (char *)(uintptr_t)serial,
        .vendor = (char *)(uintptr_t)vendor,
        .model = (char *)(uintptr_t)model,
    };

    id.has_hctl = libxl__vscsi_hctl_parse(hctl, &id.hctl);
    return id;
}

static void what_wwids_are_unique(void **state)
{
    static const struct { const char *wwid, *serial; bool unique; } of[] = {
        { NAA, "", true },
        { "naa.600140512345678912345678abcdef01", "", true },
        { "eui.0025385b71b01234", "", true },
        { "naa.3333333000007d00", "", false },  /* locally assigned */
        { "naa.3000c500a1b2c3d4", "2000", false },
        { "naa.0000000000000000", "", false },
        { "naa.5000000000000000", "", false },
        { "naa.5555555555555555", "", false },
        { "naa.2020202020202020", "", false },
        { "naa.5000500050005000", "", false },
        { "naa.ffffffffffffffff", "", false },
        { "eui.0000000000000000", "", false },
        { "eui.ffffffffffffffff", "", false },
        { "naa.5000c500", "", false },
        { "naa.none", "", false },
        { "naa.", "", false },
        { "t10.ATA BIG DISK S1234", "S1234", true },
        { "t10.ATA BIG DISK", "S1234", false },
        { "t10.ATA BIG DISK S1234", "", false },
        { "0QEMU DISK", "", false },
        { "", "", false },
        { "", "S1234", false },
    };
    libxl__vscsi_identity id;
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(of); i++) {
        id = make(0, "", of[i].wwid, of[i].serial, "", "");
        if (libxl__vscsi_wwid_is_unique(&id) != of[i].unique)
            fail_msg("%s, serial number '%s'", of[i].wwid, of[i].serial);
    }
}

struct row {
    const char *why;
    bool same;
    struct { int type; const char *hctl, *wwid, *serial, *vendor, *model; }
        a, b;
};

static const struct row rows[] = {
    { "two paths to a disk", true,
      { 0, "7:0:1:3", NAA, "", "A", "B" },
      { 0, "8:0:0:3", NAA, "", "A", "B" } },
    { "two paths, one of them without pages", false,
      { 0, "7:0:1:3", NAA, "S1", "A", "B" },
      { 0, "8:0:0:3", "", "", "A", "B" } },
    { "changer and drive with one NAA", false,
      { 8, "7:0:1:0", NAA, "", "A", "B" },
      { 1, "8:0:0:0", NAA, "", "A", "B" } },
    { "two drives of one library with one NAA", false,
      { 1, "7:0:1:1", NAA, "", "A", "B" },
      { 1, "7:0:1:2", NAA, "", "A", "B" } },
    { "the same, with one serial number for the library", false,
      { 1, "7:0:1:1", NAA, "S1", "A", "B" },
      { 1, "7:0:1:2", NAA, "S1", "A", "B" } },
    { "two disks of a USB enclosure with one WWN", false,
      { 0, "7:0:0:0", NAA, "S1", "A", "B" },
      { 0, "8:0:0:0", NAA, "S2", "A", "B" } },
    { "one NAA, and the serial number of only one is known", true,
      { 0, "7:0:0:0", NAA, "S1", "A", "B" },
      { 0, "8:0:0:0", NAA, "", "A", "B" } },
    { "different NAA, one serial number", false,
      { 0, "7:0:0:0", NAA, "S1", "A", "B" },
      { 0, "8:0:0:0", NAA2, "S1", "A", "B" } },
    { "paths of scsi_debug: local NAA, one serial number", true,
      { 0, "7:0:0:0", "naa.3333333000007d00", "2000", "Linux", "scsi_debug" },
      { 0, "8:0:0:0", "naa.3333333000007d00", "2000", "Linux", "scsi_debug" } },
    { "two of scsi_debug", false,
      { 0, "7:0:0:0", "naa.3333333000007d00", "2000", "Linux", "scsi_debug" },
      { 0, "8:0:0:1", "naa.3333333000007d01", "2001", "Linux", "scsi_debug" } },
    { "a local NAA and nothing else", false,
      { 0, "7:0:0:0", "naa.3333333000007d00", "", "A", "B" },
      { 0, "8:0:0:0", "naa.3333333000007d00", "", "A", "B" } },
    { "one serial number of two models", false,
      { 0, "7:0:0:0", "", "S1", "A", "B" },
      { 0, "8:0:0:0", "", "S1", "A", "C" } },
    { "one serial number of unknown models", false,
      { 0, "7:0:0:0", "", "S1", "", "" },
      { 0, "8:0:0:0", "", "S1", "", "" } },
    { "WWIDs of zeros", false,
      { 0, "7:0:0:0", "naa.0000000000000000", "", "A", "B" },
      { 0, "8:0:0:0", "naa.0000000000000000", "", "A", "B" } },
    { "one t10 text of two disks", false,
      { 0, "7:0:0:0", "t10.A B", "", "A", "B" },
      { 0, "8:0:0:0", "t10.A B", "", "A", "B" } },
    { "nothing known, one address", true,
      { 0, "7:0:0:0", "", "", "A", "B" },
      { 0, "7:0:0:0", "", "", "A", "B" } },
    { "nothing known, two addresses", false,
      { 0, "7:0:0:0", "", "", "A", "B" },
      { 0, "7:0:1:0", "", "", "A", "B" } },
    { "one address, another device since", false,
      { 0, "7:0:0:0", "", "S1", "A", "B" },
      { 0, "7:0:0:0", "", "S2", "A", "B" } },
    { "one address, another type since", false,
      { 1, "7:0:0:0", "", "", "A", "B" },
      { 0, "7:0:0:0", "", "", "A", "B" } },
    { "an old record, of which only the WWID is known", true,
      { -1, "", NAA, "", "", "" },
      { 0, "7:0:0:0", NAA, "S1", "A", "B" } },
    { "nothing is known of either", false,
      { -1, "", "", "", "", "" },
      { -1, "", "", "", "", "" } },
};

static void which_devices_are_one_unit(void **state)
{
    libxl__vscsi_identity a, b;
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];

        a = make(r->a.type, r->a.hctl, r->a.wwid, r->a.serial, r->a.vendor,
                 r->a.model);
        b = make(r->b.type, r->b.hctl, r->b.wwid, r->b.serial, r->b.vendor,
                 r->b.model);
        if (libxl__vscsi_same_unit(&a, &b) != r->same ||
            libxl__vscsi_same_unit(&b, &a) != r->same)
            fail_msg("%s", r->why);
    }
}

static void serial_numbers_are_read_strictly(void **state)
{
    static const struct { const char *page; size_t len; const char *is; }
    pages[] = {
        { "\0\x80\0\4" "S123", 8, "S123" },
        { "\1\x80\0\10" "  S 12  ", 12, "S 12" },
        { "\0\x80\0\4" "S\0\0\0", 8, "S" },
        { "\0\x80\0\4" "S\x80\n3", 8, "S? 3" },
        { "\0\x80\0\4" "    ", 8, "" },
        { "\0\x80\0\4" "0000", 8, "" },
        { "\0\x80\0\4" "\0\0\0\0", 8, "" },
        { "\0\x80\0\0", 4, "" },
        { "\0\x80\0\5" "S123", 8, "" },         /* cut off */
        { "\0\x83\0\4" "S123", 8, "" },
        { "\0\x80\0", 3, "" },
        { "", 0, "" },
    };
    char *serial;
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(pages); i++) {
        serial = libxl__vscsi_parse_serial(
            (const unsigned char *)pages[i].page, pages[i].len);
        assert_string_equal(serial, pages[i].is);
        free(serial);
    }
}

/* ----- records ----- */

static libxl_vscsi_pdev pdev_of(const char *hctl, const char *wwid)
{
    libxl_vscsi_pdev pdev;

    libxl_vscsi_pdev_init(&pdev);
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    assert_true(libxl__vscsi_hctl_parse(hctl, &pdev.u.hctl.m));
    pdev.wwid = (char *)(uintptr_t)wwid;
    return pdev;
}

static libxl_vscsi_pdev target_of(const char *wwn, const char *backstore,
                                  const char *unit)
{
    libxl_vscsi_pdev pdev;

    libxl_vscsi_pdev_init(&pdev);
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    pdev.u.wwn.m = (char *)(uintptr_t)wwn;
    pdev.u.wwn.backstore = (char *)(uintptr_t)backstore;
    pdev.u.wwn.unit = (char *)(uintptr_t)unit;
    return pdev;
}

static void record_is_an_identity(void **state)
{
    libxl_vscsi_pdev pdev = pdev_of("2:0:0:1", NAA);
    libxl__vscsi_identity id;

    (void)state;
    libxl__vscsi_pdev_identity(&pdev, &id);
    assert_int_equal(id.type, LIBXL__VSCSI_TYPE_UNKNOWN);
    assert_string_equal(id.serial, "");
    assert_true(id.has_hctl);
    pdev.devtype = (char *)(uintptr_t)"changer";
    libxl__vscsi_pdev_identity(&pdev, &id);
    assert_int_equal(id.type, 8);
    pdev.devtype = (char *)(uintptr_t)"what is that";
    libxl__vscsi_pdev_identity(&pdev, &id);
    assert_string_equal(libxl__vscsi_type_name(id.type), "other");
    pdev = target_of("naa.6001405000000001:0", "iblock_0/a", "2:0:0:1");
    libxl__vscsi_pdev_identity(&pdev, &id);
    assert_int_equal(id.hctl.lun, 1);
}

static void one_backstore_or_address_is_given_once(void **state)
{
    libxl_vscsi_pdev a = target_of("naa.6001405000000001:0", "iblock_0/a",
                                   NULL);
    libxl_vscsi_pdev b = target_of("naa.6001405000000002:3", "iblock_0/a",
                                   NULL);
    libxl_vscsi_pdev c = target_of("naa.6001405000000002:4", "iblock_0/b",
                                   "2:0:0:1");
    libxl_vscsi_pdev d = pdev_of("2:0:0:1", ""), e = pdev_of("2:0:0:1", NAA);
    libxl_vscsi_pdev f = pdev_of("9:0:0:0", NAA);

    (void)state;
    assert_true(libxl__vscsi_same_pdev(&a, &b));
    assert_true(libxl__vscsi_same_pdev(&a, &a));
    assert_false(libxl__vscsi_same_pdev(&a, &c));
    assert_true(libxl__vscsi_same_pdev(&c, &d));
    assert_true(libxl__vscsi_same_pdev(&d, &e));
    assert_true(libxl__vscsi_same_pdev(&e, &f));
    assert_false(libxl__vscsi_same_pdev(&d, &f));
    e.wwid = (char *)(uintptr_t)NAA2;       /* it is one export still */
    f = pdev_of("2:0:0:1", NAA);
    assert_true(libxl__vscsi_same_pdev(&e, &f));
}

static void types_have_words(void **state)
{
    (void)state;
    assert_string_equal(libxl__vscsi_type_name(0), "disk");
    assert_string_equal(libxl__vscsi_type_name(8), "changer");
    assert_string_equal(libxl__vscsi_type_name(0x1f), "other");
    assert_string_equal(libxl__vscsi_type_name(-1), "other");
    assert_string_equal(libxl__vscsi_type_name(1000), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_wwids_are_unique),
        cmocka_unit_test(which_devices_are_one_unit),
        cmocka_unit_test(serial_numbers_are_read_strictly),
        cmocka_unit_test(record_is_an_identity),
        cmocka_unit_test(one_backstore_or_address_is_given_once),
        cmocka_unit_test(types_have_words),
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL) != 0;
}
