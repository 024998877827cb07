/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which unit a domain had: each kind of identifier, and the device moved,
 * gone, replaced, or doubled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fakesys.h"

#define NAA "naa.5000c500a1b2c3d4"
#define LOCAL "naa.3333333000007d00"
#define BY_ID "/dev/disk/by-id/usb-BOX-0:0"
#define BY_PATH "/dev/tape/by-path/pci-0-lun-0"

/* As attach would put it on record: what stands at hctl. */
static libxl_vscsi_pdev record(const char *hctl, const char *name)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl_vscsi_pdev pdev;

    libxl_vscsi_pdev_init(&pdev);
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    assert_true(libxl__vscsi_hctl_parse(hctl, &pdev.u.hctl.m));
    assert_int_equal(libxl__vscsi_unit_at(&fakesys_vc, &pdev.u.hctl.m,
                                          &unit), 0);
    pdev.p_devname = strdup(name ? name : hctl);
    pdev.devtype = strdup(libxl__vscsi_type_name(unit.id.type));
    pdev.wwid = strdup(unit.id.wwid);
    pdev.serial = strdup(unit.id.serial);
    pdev.vendor = strdup(unit.id.vendor);
    pdev.model = strdup(unit.id.model);
    libxl__vscsi_unit_dispose(&unit);
    return pdev;
}

static void put(const char *hctl, const char *type, const char *wwid,
                const char *serial, const char *node)
{
    fakesys_device d = { hctl, type, "ACME", "X", wwid, serial, node, NULL,
                         NULL };

    fakesys_add(&d);
}

/* hctl NULL: refused, and then why is what was said. */
static void expect(const libxl_vscsi_pdev *pdev, const char *hctl,
                   const char *why)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_dom0 seen = { .num = 0 };
    char text[LIBXL__VSCSI_HCTL_SIZE];
    int rc;

    fakesys_said[0] = '\0';
    rc = libxl__vscsi_unit_find_again(&fakesys_vc, &seen, pdev, &unit);
    if (hctl) {
        if (rc)
            fail_msg("%d: %s", rc, fakesys_said);
        libxl__vscsi_hctl_format(&unit.paths[0].hctl, text);
        assert_string_equal(text, hctl);
    } else {
        assert_int_equal(rc, ERROR_NOTFOUND);
    }
    if (!strstr(fakesys_said, why))
        fail_msg("'%s' is not in: %s", why, fakesys_said);
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&seen);
}

static void unique_wwid_is_followed(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    put("2:0:0:1", "0", NAA, NULL, "block/sdb");
    put("3:0:0:0", "0", "naa.5000c500a1b2c3d5", NULL, "block/sdc");
    pdev = record("2:0:0:1", "/dev/sdb");
    expect(&pdev, "2:0:0:1", "");
    fakesys_remove("2:0:0:1");
    expect(&pdev, NULL, "dom0 has no device " NAA " any more, at 2:0:0:1 or "
           "elsewhere");
    put("2:0:0:1", "0", "naa.5000c500a1b2c3d6", NULL, "block/sdd");
    expect(&pdev, NULL, "dom0 has no device " NAA " any more; at 2:0:0:1 is "
           "another one now, ACME X naa.5000c500a1b2c3d6");
    put("9:0:0:7", "0", NAA, NULL, "block/sde");
    expect(&pdev, "9:0:0:7", NAA " was at 2:0:0:1 and is at 9:0:0:7 now");
    put("8:0:0:7", "0", NAA, NULL, "block/sdf");
    expect(&pdev, "8:0:0:7", "was at");     /* two paths of one unit */
    libxl_vscsi_pdev_dispose(&pdev);
}

static void record_of_an_older_version_is_followed(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    put("2:0:0:1", "0", NAA, "S1", "block/sdb");
    libxl_vscsi_pdev_init(&pdev);
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    pdev.u.hctl.m.hst = 9;
    pdev.wwid = strdup(NAA);
    expect(&pdev, "2:0:0:1", "");
    libxl_vscsi_pdev_dispose(&pdev);
}

static void offline_path_hides_no_good_one(void **state)
{
    fakesys_device d = { "7:0:1:3", "0", "ACME", "X", NAA, NULL, NULL, NULL,
                         "offline" };
    libxl_vscsi_pdev pdev;

    (void)state;
    fakesys_add(&d);
    pdev = record("7:0:1:3", NULL);
    expect(&pdev, NULL, "offline");
    d.hctl = "8:0:0:3";
    d.state = NULL;
    fakesys_add(&d);
    d.hctl = "8:0:0:5";
    d.state = "transport-offline";
    fakesys_add(&d);
    expect(&pdev, "8:0:0:3", "is at 8:0:0:3 now");
    libxl_vscsi_pdev_dispose(&pdev);
}

static void serial_number_tells_two_of_one_wwn_apart(void **state)
{
    libxl_vscsi_pdev one, two;

    (void)state;
    put("2:0:0:0", "0", NAA, "S1", "block/sdb");
    put("3:0:0:0", "0", NAA, "S2", "block/sdc");
    one = record("2:0:0:0", "/dev/sdb");
    two = record("3:0:0:0", "/dev/sdc");
    fakesys_remove("2:0:0:0");
    fakesys_remove("3:0:0:0");
    put("2:0:0:0", "0", NAA, "S2", "block/sdd");
    expect(&one, NULL, "another one now, ACME X " NAA ", serial number S2");
    expect(&two, "2:0:0:0", "is at 2:0:0:0 now");
    put("4:0:0:0", "0", NAA, "S1", "block/sde");
    expect(&one, "4:0:0:0", "");
    libxl_vscsi_pdev_dispose(&one);
    libxl_vscsi_pdev_dispose(&two);
}

/* One changer and four drives, and nothing but an NAA for all. */
static void library_with_one_naa_keeps_its_places(void **state)
{
    static const char *const before[] = { "2:0:0:0", "2:0:0:1", "2:0:0:2",
                                          "2:0:0:3", "2:0:0:4" };
    static const char *const after[] = { "5:0:3:0", "5:0:3:1", "5:0:3:2",
                                         "5:0:3:3", "5:0:3:4" };
    libxl_vscsi_pdev pdevs[5];
    unsigned i;

    (void)state;
    for (i = 0; i < 5; i++)
        put(before[i], i ? "1" : "8", NAA, NULL, NULL);
    for (i = 0; i < 5; i++)
        pdevs[i] = record(before[i], NULL);
    for (i = 0; i < 5; i++)
        expect(&pdevs[i], before[i], "");
    /* One of two drives that are left is not taken for one that went. */
    fakesys_remove(before[4]);
    expect(&pdevs[4], NULL, "any more");
    for (i = 0; i < 4; i++)
        fakesys_remove(before[i]);
    for (i = 0; i < 5; i++)
        put(after[i], i ? "1" : "8", NAA, NULL, NULL);
    for (i = 0; i < 5; i++)
        expect(&pdevs[i], after[i], "now");
    fakesys_remove(after[2]);
    expect(&pdevs[2], NULL, "several devices with the identity of 2:0:0:2");
    for (i = 0; i < 5; i++)
        libxl_vscsi_pdev_dispose(&pdevs[i]);
}

static void wwid_that_is_not_unique_picks_nothing(void **state)
{
    static const char *const wwids[] = { "t10.ACME X", LOCAL,
                                         "naa.0000000000000000" };
    libxl_vscsi_pdev pdev;
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(wwids); i++) {
        put("9:0:0:0", "0", wwids[i], NULL, NULL);
        pdev = record("9:0:0:0", NULL);
        expect(&pdev, "9:0:0:0", "");
        fakesys_remove("9:0:0:0");
        put("2:0:0:0", "0", wwids[i], NULL, NULL);
        put("3:0:0:0", "0", wwids[i], NULL, NULL);
        expect(&pdev, NULL, "any more, at 9:0:0:0 or elsewhere");
        fakesys_remove("2:0:0:0");
        fakesys_remove("3:0:0:0");
        libxl_vscsi_pdev_dispose(&pdev);
    }
}

static void serial_number_of_a_model_is_followed(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    put("2:0:0:0", "0", LOCAL, "2000", NULL);
    pdev = record("2:0:0:0", NULL);
    fakesys_remove("2:0:0:0");
    put("2:0:0:0", "0", "naa.3333333000007d01", "2001", NULL);
    expect(&pdev, NULL, "at 2:0:0:0 is another one now");
    put("4:0:0:0", "0", LOCAL, "2000", NULL);
    expect(&pdev, "4:0:0:0", "");
    /* without page 83 */
    put("5:0:0:0", "1", NULL, "T1", NULL);
    libxl_vscsi_pdev_dispose(&pdev);
    pdev = record("5:0:0:0", NULL);
    fakesys_remove("5:0:0:0");
    put("6:0:0:0", "1", NULL, "T1", NULL);
    expect(&pdev, "6:0:0:0", "");
    libxl_vscsi_pdev_dispose(&pdev);
}

/* Sticks of one model, of which SCSI tells nothing. */
static void plug(const char *hctl, const char *node, const char *serial)
{
    fakesys_device d = { hctl, "0", "ACME", "STICK", NULL, NULL, node, NULL,
                         NULL };

    fakesys_add_usb(&d, serial);
}

static void usb_serial_number_tells_sticks_apart(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    plug("2:0:0:0", "block/sdb", "AA1");
    pdev = record("2:0:0:0", "/dev/sdb");
    expect(&pdev, "2:0:0:0", "");
    fakesys_remove("2:0:0:0");
    plug("2:0:0:0", "block/sdc", "AA2");
    expect(&pdev, NULL, "any more; at 2:0:0:0 is another one now, ACME "
           "STICK serial number usb:AA2-0:0");
    libxl_vscsi_pdev_dispose(&pdev);

    /* The same where a link leads to it, wherever that is. */
    fakesys_link(BY_PATH, "/dev/sdc");
    pdev = record("2:0:0:0", BY_PATH);
    expect(&pdev, "2:0:0:0", "");
    plug("3:0:0:0", "block/sdd", "AA1");
    fakesys_link(BY_PATH, "/dev/sdd");
    expect(&pdev, NULL, "any more");
    plug("6:0:0:0", "block/sdg", "AA2");
    fakesys_link(BY_PATH, "/dev/sdg");
    expect(&pdev, "6:0:0:0", "");
    libxl_vscsi_pdev_dispose(&pdev);

    plug("4:0:0:0", "block/sde", NULL);
    pdev = record("4:0:0:0", "/dev/sde");
    assert_string_equal(pdev.serial, "");
    expect(&pdev, "4:0:0:0", "");
    fakesys_remove("4:0:0:0");
    plug("4:0:0:0", "block/sdf", "AA3");
    expect(&pdev, NULL, "any more; at 4:0:0:0 is");
    libxl_vscsi_pdev_dispose(&pdev);
}

/* A number that the maker gave to all of them makes them no one unit. */
static void usb_serial_number_that_repeats_picks_nothing(void **state)
{
    libxl__vscsi_unit *units = NULL;
    libxl__vscsi_dom0 seen = { .num = 0 };
    libxl_vscsi_pdev pdev;
    unsigned num;

    (void)state;
    plug("2:0:0:0", "block/sdb", "0123456789");
    plug("3:0:0:0", "block/sdc", "0123456789");
    assert_int_equal(libxl__vscsi_units(&fakesys_vc, &seen, &units, &num), 0);
    assert_int_equal(num, 2);
    libxl__vscsi_units_free(units, num);
    libxl__vscsi_dom0_dispose(&seen);
    pdev = record("2:0:0:0", "/dev/sdb");
    expect(&pdev, "2:0:0:0", "");
    fakesys_remove("2:0:0:0");
    plug("5:0:0:0", "block/sdd", "0123456789");
    expect(&pdev, NULL, "any more");
    libxl_vscsi_pdev_dispose(&pdev);
}

/* Two disks in one box are not each other. */
static void usb_serial_number_is_of_one_lun(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    plug("2:0:0:0", "block/sdb", "BOX");
    plug("2:0:0:1", "block/sdc", "BOX");
    pdev = record("2:0:0:0", "/dev/sdb");
    expect(&pdev, "2:0:0:0", "");
    fakesys_remove("2:0:0:0");
    expect(&pdev, NULL, "any more");
    libxl_vscsi_pdev_dispose(&pdev);
}

static void stable_link_that_was_given_decides(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    put("12:0:0:0", "0", NULL, NULL, "block/sdb");
    fakesys_link(BY_ID, "/dev/sdb");
    pdev = record("12:0:0:0", BY_ID);
    expect(&pdev, "12:0:0:0", "");
    fakesys_remove("12:0:0:0");
    put("12:0:0:0", "0", NULL, NULL, "block/sdc");
    put("13:0:0:0", "0", NULL, NULL, "block/sdd");
    fakesys_link(BY_ID, "/dev/sdd");
    expect(&pdev, "13:0:0:0", BY_ID " was at 12:0:0:0 and is at 13:0:0:0");
    fakesys_link(BY_ID, NULL);              /* it is not plugged in */
    expect(&pdev, NULL, "dom0 has no device " BY_ID " any more; at 12:0:0:0 "
           "is another one now, ACME X without identity");
    put("14:0:0:0", "5", NULL, NULL, "block/sr0");
    fakesys_link(BY_ID, "/dev/sr0");        /* something else is there */
    expect(&pdev, NULL, "any more");
    libxl_vscsi_pdev_dispose(&pdev);
}

static void address_is_taken_only_by_its_like(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    put("12:0:0:0", "1", NULL, NULL, "scsi_tape/st0");
    pdev = record("12:0:0:0", "/dev/st0");
    expect(&pdev, "12:0:0:0", "");
    fakesys_remove("12:0:0:0");
    put("12:0:0:0", "0", NULL, NULL, "block/sdb");
    expect(&pdev, NULL, "dom0 has no device /dev/st0 any more; at 12:0:0:0 "
           "is another one now");
    libxl_vscsi_pdev_dispose(&pdev);
    /* The drive by its path, at another address. */
    put("3:0:0:0", "1", NULL, NULL, "scsi_tape/st1");
    fakesys_link(BY_PATH, "/dev/st1");
    pdev = record("3:0:0:0", BY_PATH);
    fakesys_remove("3:0:0:0");
    put("4:0:0:0", "1", NULL, NULL, "scsi_tape/st2");
    fakesys_link(BY_PATH, "/dev/st2");
    expect(&pdev, "4:0:0:0", "");
    libxl_vscsi_pdev_dispose(&pdev);
}

/* After one look, what dom0 has is not read again. */
static void many_are_found_in_one_pass(void **state)
{
    enum { ALL = 256, OURS = 16 };
    libxl__vscsi_dom0 seen = { .num = 0 };
    libxl_vscsi_pdev pdevs[OURS];
    char hctl[32], wwid[64], text[256];
    unsigned i;

    (void)state;
    for (i = 0; i < ALL; i++) {
        snprintf(hctl, sizeof(hctl), "2:0:0:%u", i);
        snprintf(wwid, sizeof(wwid), "naa.5000c500a1b2%04x", i);
        put(hctl, "0", wwid, NULL, NULL);
        if (i < OURS) {
            pdevs[i] = record(hctl, NULL);
            pdevs[i].u.hctl.m.hst = 1;
        }
    }
    for (i = 0; i < OURS; i++) {
        libxl__vscsi_unit unit = { .num_paths = 0 };

        assert_int_equal(libxl__vscsi_unit_find_again(&fakesys_vc, &seen,
                                                      &pdevs[i], &unit), 0);
        assert_int_equal(unit.id.hctl.lun, i);
        libxl__vscsi_unit_dispose(&unit);
        if (i)
            continue;
        /* An identity that comes later is seen by the next request. */
        snprintf(text, sizeof(text), "devices/pci/2:0:0:%d/wwid", ALL - 1);
        fakesys_write(text, "naa.5000c500a1b20001\n");
    }
    libxl__vscsi_dom0_dispose(&seen);
    for (i = 0; i < OURS; i++)
        libxl_vscsi_pdev_dispose(&pdevs[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fakesys_set_up, \
                                                fakesys_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unique_wwid_is_followed),
        TEST(record_of_an_older_version_is_followed),
        TEST(offline_path_hides_no_good_one),
        TEST(serial_number_tells_two_of_one_wwn_apart),
        TEST(library_with_one_naa_keeps_its_places),
        TEST(wwid_that_is_not_unique_picks_nothing),
        TEST(serial_number_of_a_model_is_followed),
        TEST(usb_serial_number_tells_sticks_apart),
        TEST(usb_serial_number_that_repeats_picks_nothing),
        TEST(usb_serial_number_is_of_one_lun),
        TEST(stable_link_that_was_given_decides),
        TEST(address_is_taken_only_by_its_like),
        TEST(many_are_found_in_one_pass),
    };

    return cmocka_run_group_tests_name("again", tests, NULL, NULL) != 0;
}
