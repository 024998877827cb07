/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a name means, and which paths lead to the same unit. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakesys.h"
#include "libxl_vscsi_claim.h"

#define NAA "naa.5000c500a1b2c3d4"

static const fakesys_device dom0[] = {
    { "2:0:0:1", "0", "ACME    ", "Big  Disk       ", NAA, "  S 1 ",
      "block/sdb", "sg1", NULL },
    { "3:0:0:0", "1", "HP", "Ultrium 5-SCSI", "t10.HP  Ultrium\n", NULL,
      "scsi_tape/st0", "sg2", NULL },
    { "3:0:0:1", "8", "HP", "MSL", NULL, NULL, "scsi_changer/sch0", "sg3",
      NULL },
    { "4:0:0:0", "5", "HL", "DVD", NULL, NULL, "block/sr0", NULL, NULL },
    { "5:0:0:0", "0", "A", "B", NULL, NULL, NULL, "sg4", NULL },
    { "5:0:0:1", "3", "A", "B", NULL, NULL, NULL, NULL, NULL },
    { "6:0:0:0", "0", "A", "B", NULL, NULL, NULL, NULL, "offline" },
    { "6:0:0:1", "0", "A", "B", NULL, NULL, NULL, NULL, "deleted" },
    { "8:0:0:2", "0", "A", "B", "naa.5000000000000abc", NULL, "block/sdx",
      NULL, NULL },
    { "7:0:1:2", "0", "A", "B", "naa.5000000000000abc", NULL, "block/sdy",
      NULL, NULL },
    { "7:0:2:2", "0", "A", "B", "naa.5000000000000abc", NULL, NULL, NULL,
      "offline" },
};

static int set_up(void **state)
{
    size_t i;

    if (fakesys_set_up(state))
        return -1;
    for (i = 0; i < VSCSI_ARRAY_SIZE(dom0); i++)
        fakesys_add(&dom0[i]);
    fakesys_add_other("pci/2:0:0:1/block/sdb/sdb1");
    fakesys_add_other("pci/3:0:0:0/scsi_tape/nst0");
    fakesys_add_other("pci/3:0:0:0/scsi_tape/st0m");
    fakesys_add_other("pci/nvme/nvme0/block/nvme0n1");
    fakesys_add_other("virtual/mem/null0");
    fakesys_add_other("virtual/block/dm-3");
    fakesys_write("devices/virtual/block/dm-3/dm/uuid", "LVM-abc\n");
    fakesys_write("devices/virtual/block/dm-3/dm/name", "vg-root\n");
    fakesys_add_other("virtual/block/dm-4");
    fakesys_write("devices/virtual/block/dm-4/dm/uuid", "mpath-abc\n");
    fakesys_write("devices/virtual/block/dm-4/dm/name", "mpatha\n");
    return 0;
}

static void expect_found(const char *name, const char *hctl, const char *type,
                         const char *node, const char *lio_node)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_dom0 seen = { .num = 0 };
    char text[LIBXL__VSCSI_HCTL_SIZE];

    assert_int_equal(libxl__vscsi_unit_find(&fakesys_vc, &seen, name, &unit),
                     0);
    libxl__vscsi_hctl_format(&unit.id.hctl, text);
    assert_string_equal(text, hctl);
    assert_true(libxl__vscsi_hctl_equal(&unit.id.hctl, &unit.paths[0].hctl));
    assert_string_equal(libxl__vscsi_type_name(unit.id.type), type);
    assert_string_equal(unit.paths[0].node ? unit.paths[0].node : "none",
                        node);
    assert_string_equal(unit.paths[0].lio_node ? unit.paths[0].lio_node
                                               : "none", lio_node);
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&seen);
}

static void expect_refused(const char *name, int rc, const char *why)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_dom0 seen = { .num = 0 };

    fakesys_said[0] = '\0';
    assert_int_equal(libxl__vscsi_unit_find(&fakesys_vc, &seen, name, &unit),
                     rc);
    if (!strstr(fakesys_said, why))
        fail_msg("%s: %s", name, fakesys_said);
    assert_null(unit.paths);
    libxl__vscsi_dom0_dispose(&seen);
}

static void every_node_of_a_device_leads_to_it(void **state)
{
    (void)state;
    fakesys_link("/dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "/dev/sdb");
    expect_found("/dev/sdb", "2:0:0:1", "disk", "/dev/sdb", "/dev/sdb");
    expect_found("/dev/sg1", "2:0:0:1", "disk", "/dev/sdb", "/dev/sdb");
    expect_found("2:0:0:1", "2:0:0:1", "disk", "/dev/sdb", "/dev/sdb");
    expect_found("/dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "2:0:0:1", "disk",
                 "/dev/sdb", "/dev/sdb");
    expect_found("/dev/nst0", "3:0:0:0", "tape", "/dev/st0", "/dev/st0");
    expect_found("/dev/st0m", "3:0:0:0", "tape", "/dev/st0", "/dev/st0");
    expect_found("/dev/sch0", "3:0:0:1", "changer", "/dev/sch0",
                 "/dev/sch0");
    expect_found("/dev/sg3", "3:0:0:1", "changer", "/dev/sch0", "/dev/sch0");
    expect_found("/dev/sr0", "4:0:0:0", "cd", "/dev/sr0", "/dev/sr0");
}

static void disk_without_its_driver_has_nothing_for_lio(void **state)
{
    (void)state;
    expect_found("/dev/sg4", "5:0:0:0", "disk", "/dev/sg4", "none");
}

static void device_without_any_node_is_named_by_its_address(void **state)
{
    (void)state;
    expect_found("5:0:0:1", "5:0:0:1", "processor", "none", "5:0:0:1");
}

static void expect_identity(const char *hctl, const char *wwid,
                            const char *serial, const char *vendor,
                            const char *model)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl_vscsi_hctl at;

    assert_true(libxl__vscsi_hctl_parse(hctl, &at));
    assert_int_equal(libxl__vscsi_unit_at(&fakesys_vc, &at, &unit), 0);
    assert_string_equal(unit.id.wwid, wwid);
    assert_string_equal(unit.id.serial, serial);
    assert_string_equal(unit.id.vendor, vendor);
    assert_string_equal(unit.id.model, model);
    libxl__vscsi_unit_dispose(&unit);
}

static void identity_and_names_are_tidy(void **state)
{
    (void)state;
    expect_identity("2:0:0:1", NAA, "S 1", "ACME", "Big Disk");
    expect_identity("3:0:0:0", "t10.HP Ultrium", "", "HP", "Ultrium 5-SCSI");
    expect_identity("4:0:0:0", "", "", "HL", "DVD");
    expect_identity("6:0:0:0", "", "", "A", "B");
    assert_string_equal(fakesys_said, "");
}

static void what_is_no_scsi_device_is_refused_with_the_reason(void **state)
{
    (void)state;
    expect_refused("/dev/none", ERROR_NOTFOUND, "no such device in dom0");
    expect_refused("2:0:0:9", ERROR_NOTFOUND, "no SCSI device at 2:0:0:9");
    expect_refused("/dev/sdb1", ERROR_INVAL, "only the whole disk can be "
                   "given (/dev/sdb)");
    expect_refused("/dev/null0", ERROR_INVAL, "calls it null0");
    expect_refused("/dev/nvme0n1", ERROR_INVAL, "calls it nvme0n1");
    expect_refused("/dev/dm-3", ERROR_INVAL, "calls it dm-3");
    expect_refused("/proc/self", ERROR_INVAL, "not a device");
    expect_refused("sdb", ERROR_INVAL, "'sdb' is neither");
    expect_refused("2:0:0", ERROR_INVAL, "'2:0:0' is neither");
    expect_refused("", ERROR_INVAL, "'' is neither");
}

static void multipath_map_is_named_with_what_to_do(void **state)
{
    (void)state;
    fakesys_link("/dev/mapper/mpatha", "/dev/dm-4");
    expect_refused("/dev/dm-4", ERROR_INVAL, "it is the multipath map mpatha "
                   "of dom0");
    expect_refused("/dev/mapper/mpatha", ERROR_INVAL, "(multipath -f "
                   "mpatha)");
}

static void device_that_is_going_is_refused(void **state)
{
    (void)state;
    expect_refused("6:0:0:0", ERROR_NOTFOUND, "offline");
    expect_refused("6:0:0:1", ERROR_NOTFOUND, "just removing it");
}

static void a_unit_has_all_its_paths(void **state)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_dom0 seen = { .num = 0 };

    (void)state;
    assert_int_equal(libxl__vscsi_unit_find(&fakesys_vc, &seen, "8:0:0:2",
                                            &unit), 0);
    assert_int_equal(unit.num_paths, 3);
    assert_int_equal(unit.paths[0].hctl.hst, 8);
    assert_string_equal(unit.paths[1].node, "/dev/sdy");
    assert_false(unit.paths[2].running);
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&seen);
    /* An offline path does not stand in the way of the others. */
    expect_found("7:0:2:2", "7:0:1:2", "disk", "/dev/sdy", "/dev/sdy");
}

/* Two HBAs, and all of the library has one NAA. */
static void library_with_one_naa_is_a_unit_for_each_lun(void **state)
{
    libxl__vscsi_unit *units = NULL;
    libxl__vscsi_dom0 seen = { .num = 0 };
    char hctl[32];
    fakesys_device d = { hctl, NULL, "HP", "LIB", "naa.5001438001234567",
                         NULL, NULL, NULL, NULL };
    unsigned num, before, hba, lun;

    (void)state;
    assert_int_equal(libxl__vscsi_units(&fakesys_vc, &seen, &units, &before),
                     0);
    libxl__vscsi_units_free(units, before);
    libxl__vscsi_dom0_dispose(&seen);
    for (hba = 20; hba < 22; hba++) {
        for (lun = 0; lun < 5; lun++) {
            snprintf(hctl, sizeof(hctl), "%u:0:4:%u", hba, lun);
            d.type = lun ? "1" : "8";
            fakesys_add(&d);
        }
    }
    assert_int_equal(libxl__vscsi_units(&fakesys_vc, &seen, &units, &num), 0);
    assert_int_equal(num, before + 5);
    for (lun = 0; lun < 5; lun++) {
        libxl__vscsi_unit *unit = &units[before + lun];

        assert_int_equal(unit->num_paths, 2);
        assert_int_equal(unit->paths[0].hctl.lun, lun);
        assert_int_equal(unit->paths[1].hctl.lun, lun);
    }
    libxl__vscsi_units_free(units, num);
    libxl__vscsi_dom0_dispose(&seen);
}

static void usb_enclosure_with_one_wwn_is_two_units(void **state)
{
    static const fakesys_device one = {
        "30:0:0:0", "0", "USB", "BOX", "naa.5000c500deadbeef", "S1",
        "block/sdu", NULL, NULL };
    static const fakesys_device two = {
        "30:0:0:1", "0", "USB", "BOX", "naa.5000c500deadbeef", "S2",
        "block/sdv", NULL, NULL };
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_dom0 seen = { .num = 0 };

    (void)state;
    fakesys_add(&one);
    fakesys_add(&two);
    assert_int_equal(libxl__vscsi_unit_find(&fakesys_vc, &seen, "/dev/sdv",
                                            &unit), 0);
    assert_int_equal(unit.num_paths, 1);
    assert_string_equal(unit.id.serial, "S2");
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&seen);
}

/* Everything that a look opens fails in turn. */
static void what_cannot_be_looked_at_is_no_answer(void **state)
{
    struct rlimit all, few;
    unsigned left;
    int fds[8], rc = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = all;
    for (left = 0; left < VSCSI_ARRAY_SIZE(fds); left++)
        fds[left] = dup(0);
    few.rlim_cur = (rlim_t)fds[VSCSI_ARRAY_SIZE(fds) - 1] + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (left = 0; left <= 3; left++) {
        libxl__vscsi_unit unit = { .num_paths = 0 };
        libxl__vscsi_dom0 seen = { .num = 0 };

        fakesys_said[0] = '\0';
        rc = libxl__vscsi_unit_find(&fakesys_vc, &seen, "/dev/sdb", &unit);
        libxl__vscsi_unit_dispose(&unit);
        libxl__vscsi_dom0_dispose(&seen);
        if (left < 3 && (rc != ERROR_FAIL ||
                         !strstr(fakesys_said, "cannot look at")))
            break;
        close(fds[left]);
    }
    setrlimit(RLIMIT_NOFILE, &all);
    for (; left < VSCSI_ARRAY_SIZE(fds); left++)
        close(fds[left]);
    if (rc)
        fail_msg("%d: %s", rc, fakesys_said);
}

static void another_device_in_its_place_is_noticed(void **state)
{
    static const fakesys_device other = {
        "2:0:0:1", "0", "ACME", "Big Disk", NAA, "S 2", NULL, NULL, NULL };
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_dom0 seen = { .num = 0 };

    (void)state;
    assert_int_equal(libxl__vscsi_unit_find(&fakesys_vc, &seen, "/dev/sdb",
                                            &unit), 0);
    assert_int_equal(libxl__vscsi_unit_verify(&fakesys_vc, &unit), 0);
    fakesys_remove("2:0:0:1");
    assert_int_equal(libxl__vscsi_unit_verify(&fakesys_vc, &unit),
                     ERROR_NOTFOUND);
    fakesys_add(&other);
    fakesys_said[0] = '\0';
    assert_int_equal(libxl__vscsi_unit_verify(&fakesys_vc, &unit),
                     ERROR_NOTFOUND);
    assert_non_null(strstr(fakesys_said, "another device has just come to "
                           "2:0:0:1: ACME Big Disk " NAA ", serial number "
                           "S 2"));
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&seen);
}

/* ----- what is on record, and whether it is there still ----- */

static bool is_there(const char *hctl, const char *wwid, const char *serial,
                     const char *model)
{
    char none[] = "";
    libxl__vscsi_identity id = { .type = 0, .wwid = none, .serial = none,
                                 .vendor = none, .model = none };
    libxl__vscsi_path path = { .node = NULL };
    bool there;

    assert_true(libxl__vscsi_hctl_parse(hctl, &id.hctl));
    id.has_hctl = true;
    id.wwid = strdup(wwid);
    id.serial = strdup(serial);
    id.model = strdup(model);
    there = libxl__vscsi_is_there(&fakesys_vc, &id, &path);
    if (there)
        assert_string_equal(path.node, "/dev/sdb");
    libxl__vscsi_path_dispose(&path);
    free(id.wwid);
    free(id.serial);
    free(id.model);
    return there;
}

static void what_is_on_record_is_there_or_not(void **state)
{
    (void)state;
    assert_true(is_there("2:0:0:1", NAA, "S 1", "Big Disk"));
    assert_true(is_there("2:0:0:1", NAA, "", "Big Disk"));
    assert_true(is_there("2:0:0:1", "", "S 1", "Big Disk"));
    assert_false(is_there("2:0:0:1", "", "S 1", "Small Disk"));
    assert_false(is_there("2:0:0:1", NAA, "S 2", "Big Disk"));
    assert_false(is_there("2:0:0:1", "naa.5000c500a1b2c3d5", "", "Big Disk"));
    assert_false(is_there("2:0:0:9", NAA, "S 1", "Big Disk"));
}

/* ----- names that stay: the links that udev keeps ----- */

static void expect_name(const char *hctl, const char *expected)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_dom0 seen = { .num = 0 };
    char *name;

    assert_int_equal(libxl__vscsi_unit_find(&fakesys_vc, &seen, hctl, &unit),
                     0);
    name = libxl__vscsi_unit_name(&fakesys_vc, &seen, &unit);
    assert_string_equal(name, expected);
    free(name);
    libxl__vscsi_unit_dispose(&unit);
    libxl__vscsi_dom0_dispose(&seen);
}

static void best_name_is_a_link_that_leads_to_the_unit(void **state)
{
    (void)state;
    fakesys_link("/dev/disk/by-path/pci-0-lun-2", "/dev/sdx");
    fakesys_link("/dev/disk/by-label/DATA", "/dev/sdx");
    fakesys_link("/dev/disk/by-id/ata-of-another", "/dev/sdb");
    fakesys_link("/dev/tape/by-path/pci-1-changer", "/dev/sg3");
    expect_name("8:0:0:2", "/dev/disk/by-path/pci-0-lun-2");
    fakesys_link("/dev/disk/by-id/wwn-0x5000000000000abc", "/dev/sdx");
    fakesys_link("/dev/disk/by-id/scsi-35000000000000abc", "/dev/sdy");
    expect_name("8:0:0:2", "/dev/disk/by-id/scsi-35000000000000abc");
    expect_name("3:0:0:1", "/dev/tape/by-path/pci-1-changer");
    expect_name("3:0:0:0", "/dev/st0");
    expect_name("5:0:0:1", "5:0:0:1");
}

static void place_of_a_node_is_told_silently(void **state)
{
    libxl_vscsi_hctl hctl;
    char *reason = NULL;

    (void)state;
    assert_int_equal(libxl__vscsi_name_hctl(&fakesys_vc, "/dev/sg2", &hctl,
                                            &reason), 0);
    assert_int_equal(hctl.hst, 3);
    assert_int_equal(libxl__vscsi_name_hctl(&fakesys_vc, "/dev/sdb1", &hctl,
                                            &reason), ERROR_INVAL);
    free(reason);
    assert_int_equal(hctl.hst, 3);
    assert_string_equal(fakesys_said, "");
}

/* And from any name to the others. */
static void a_name_is_looked_up_as_a_unit(void **state)
{
    libxl_vscsiunit unit = { .size_kb = 7 };

    (void)state;
    fakesys_link("/dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "/dev/sdb");
    assert_int_equal(libxl__vscsi_lookup(&fakesys_vc, "/dev/sg1", &unit), 0);
    assert_string_equal(unit.name, "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4");
    assert_string_equal(unit.wwid, NAA);
    assert_string_equal(unit.serial, "S 1");
    assert_string_equal(unit.devtype, "disk");
    assert_string_equal(unit.paths[0].node, "/dev/sdb");
    assert_int_equal(unit.paths[0].hctl.hst, 2);
    assert_int_equal(unit.paths[0].hctl.lun, 1);
    assert_null(unit.holder);
    libxl_vscsiunit_dispose(&unit);
    assert_int_equal(libxl__vscsi_lookup(&fakesys_vc, "8:0:0:2", &unit), 0);
    assert_int_equal(unit.num_paths, 3);
    assert_int_equal(unit.paths[0].hctl.hst, 8);
    libxl_vscsiunit_dispose(&unit);

    unit.size_kb = 7;
    assert_int_equal(libxl__vscsi_lookup(&fakesys_vc, "9:0:0:0", &unit),
                     ERROR_NOTFOUND);
    assert_non_null(strstr(fakesys_said, "9:0:0:0: "));
    assert_int_equal(unit.size_kb, 7);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, fakesys_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_node_of_a_device_leads_to_it),
        TEST(a_name_is_looked_up_as_a_unit),
        TEST(disk_without_its_driver_has_nothing_for_lio),
        TEST(device_without_any_node_is_named_by_its_address),
        TEST(identity_and_names_are_tidy),
        TEST(what_is_no_scsi_device_is_refused_with_the_reason),
        TEST(multipath_map_is_named_with_what_to_do),
        TEST(device_that_is_going_is_refused),
        TEST(a_unit_has_all_its_paths),
        TEST(library_with_one_naa_is_a_unit_for_each_lun),
        TEST(usb_enclosure_with_one_wwn_is_two_units),
        TEST(what_cannot_be_looked_at_is_no_answer),
        TEST(another_device_in_its_place_is_noticed),
        TEST(what_is_on_record_is_there_or_not),
        TEST(best_name_is_a_link_that_leads_to_the_unit),
        TEST(place_of_a_node_is_told_silently),
    };

    return cmocka_run_group_tests_name("device", tests, NULL, NULL) != 0;
}
