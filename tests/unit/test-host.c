/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which physical device a name means, and whether dom0 uses it. */
#include <fcntl.h>
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

#include "fakeudev.h"
#include "libxl_vscsi_internal.h"

#define SCSI(hctl, ptype, ...)                                              \
    { hctl, "scsi", "scsi_device", NULL, 0, 0,                              \
      { "type", ptype, "state", "running", __VA_ARGS__, NULL } }
#define NODE(name, subsystem, devtype, parent, major, minor)                \
    { name, subsystem, devtype, parent, major, minor, { NULL } }

static const fakeudev_device dom0[] = {
    SCSI("2:0:0:1", "0", "vendor", "ACME    ", "model", "Big  Disk       ",
         "wwid", "naa.5000c500a1b2c3d4"),
    NODE("sdb", "block", "disk", "2:0:0:1", 8, 16),
    NODE("sdb1", "block", "partition", "sdb", 8, 17),
    NODE("sg1", "scsi_generic", NULL, "2:0:0:1", 21, 1),
    SCSI("3:0:0:0", "1", "vendor", "HP", "model", "Ultrium 5-SCSI",
         "wwid", "t10.HP  Ultrium\n"),
    NODE("nst0", "scsi_tape", NULL, "3:0:0:0", 9, 128),
    NODE("st0m", "scsi_tape", NULL, "3:0:0:0", 9, 64),
    NODE("st0", "scsi_tape", NULL, "3:0:0:0", 9, 0),
    NODE("sg2", "scsi_generic", NULL, "3:0:0:0", 21, 2),
    SCSI("3:0:0:1", "8", "vendor", "HP", "model", "MSL", "wwid", "x"),
    NODE("sg3", "scsi_generic", NULL, "3:0:0:1", 21, 3),
    NODE("sch0", "scsi_changer", NULL, "3:0:0:1", 86, 0),
    SCSI("4:0:0:0", "5", "vendor", "HL", "model", "DVD"),
    NODE("sr0", "block", "disk", "4:0:0:0", 11, 0),
    /* without sd_mod, without any driver, and ill ones */
    SCSI("5:0:0:0", "0", "vendor", "A", "model", "B"),
    NODE("sg4", "scsi_generic", NULL, "5:0:0:0", 21, 4),
    SCSI("5:0:0:1", "3", "vendor", "A", "model", "B"),
    { "6:0:0:0", "scsi", "scsi_device", NULL, 0, 0,
      { "type", "0", "state", "offline", NULL } },
    { "6:0:0:1", "scsi", "scsi_device", NULL, 0, 0,
      { "type", "0", "state", "deleted", NULL } },
    /* two paths to one disk */
    SCSI("8:0:0:2", "0", "vendor", "A", "model", "B", "wwid", "naa.paths"),
    NODE("sdx", "block", "disk", "8:0:0:2", 8, 32),
    SCSI("7:0:1:2", "0", "vendor", "A", "model", "B", "wwid", "naa.paths"),
    NODE("sdy", "block", "disk", "7:0:1:2", 8, 48),
    SCSI("7:0:2:2", "0", "vendor", "A", "model", "B", "wwid", "naa.paths"),
    NODE("null", "mem", NULL, NULL, 1, 3),
    NODE("nvme0n1", "block", "disk", NULL, 259, 0),
    NODE("ghost", "gone", NULL, NULL, 250, 1),
    { "dm-3", "block", "disk", NULL, 254, 3,
      { "dm/name", "vg-root", "dm/uuid", "LVM-abc", NULL } },
    { "dm-4", "block", "disk", NULL, 254, 4,
      { "dm/name", "mpatha", "dm/uuid", "mpath-abc", NULL } },
    NODE("md0", "block", "disk", NULL, 9, 0),
};

static char sys[64], said[1024];
static libxl__vscsi_ctx vc;

/* ----- the stage ----- */

__attribute__((format(printf, 5, 0)))
static void keep_message(xentoollog_logger *lg, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list al)
{
    (void)lg, (void)errnoval, (void)context;
    if (level >= XTL_WARN)
        vsnprintf(said, sizeof(said), format, al);
}

static void no_progress(xentoollog_logger *lg, const char *context,
                        const char *what, int percent, unsigned long done,
                        unsigned long total)
{
    (void)lg, (void)context, (void)what, (void)percent, (void)done;
    (void)total;
}

static void no_destroy(xentoollog_logger *lg) { (void)lg; }

static xentoollog_logger keeper = { keep_message, no_progress, no_destroy };

static int set_up(void **state)
{
    (void)state;
    snprintf(sys, sizeof(sys), "/tmp/test-host.XXXXXX");
    if (!mkdtemp(sys))
        return -1;
    fakeudev_start(sys, dom0, VSCSI_ARRAY_SIZE(dom0));
    memset(&vc, 0, sizeof(vc));
    vc.lg = &keeper;
    vc.lio_root = sys;
    vc.scsi_bus = sys;
    said[0] = '\0';
    return 0;
}

/* What a test makes is one directory deep. */
static const char *const made[] = {
    "2:0:0:1/block/sdb/sdb1/holders/dm-3", "2:0:0:1/block/sdb/sdb1/holders",
    "2:0:0:1/block/sdb/sdb1", "2:0:0:1/block/sdb/holders/dm-3",
    "2:0:0:1/block/sdb/holders/dm-4", "2:0:0:1/block/sdb/holders/md0",
    "2:0:0:1/block/sdb/holders/bcache0", "2:0:0:1/block/sdb/holders", "2:0:0:1/block/sdb",
    "2:0:0:1",
};

static int tear_down(void **state)
{
    char path[256];
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(made); i++) {
        snprintf(path, sizeof(path), "%s/%s", sys, made[i]);
        rmdir(path);
    }
    fakeudev_stop();
    return rmdir(sys);
}

/* Makes the directory and all above it. */
static void make_dirs(const char *name)
{
    char path[256], *s;

    snprintf(path, sizeof(path), "%s/%s/", sys, name);
    for (s = path + strlen(sys) + 1; (s = strchr(s, '/')); s++) {
        *s = '\0';
        mkdir(path, 0755);
        *s = '/';
    }
}

static void expect_found(const char *name, const char *hctl, const char *type,
                         const char *node, const char *lio_node)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    libxl__vscsi_phys phys;

    libxl__vscsi_phys_init(&phys);
    assert_int_equal(libxl__vscsi_host_find(&vc, name, &phys), 0);
    libxl__vscsi_hctl_format(&phys.hctl, text);
    assert_string_equal(text, hctl);
    assert_string_equal(libxl__vscsi_host_type_name(phys.type), type);
    assert_string_equal(phys.node ? phys.node : "none", node);
    assert_string_equal(phys.lio_node ? phys.lio_node : "none", lio_node);
    libxl__vscsi_phys_dispose(&phys);
}

static void expect_refused(const char *name, int rc, const char *why)
{
    libxl__vscsi_phys phys;

    libxl__vscsi_phys_init(&phys);
    said[0] = '\0';
    assert_int_equal(libxl__vscsi_host_find(&vc, name, &phys), rc);
    assert_non_null(strstr(said, why));
    assert_null(phys.wwid);
}

/* ----- finding ----- */

static void every_node_of_a_device_leads_to_it(void **state)
{
    (void)state;
    fakeudev_link("/dev/disk/by-id/wwn-0x5000c500a1b2c3d4", "/dev/sdb");
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

static void identity_and_names_are_tidy(void **state)
{
    libxl__vscsi_phys phys;

    (void)state;
    libxl__vscsi_phys_init(&phys);
    assert_true(libxl__vscsi_host_peek("2:0:0:1", &phys));
    assert_string_equal(phys.wwid, "naa.5000c500a1b2c3d4");
    assert_string_equal(phys.vendor, "ACME");
    assert_string_equal(phys.model, "Big Disk");
    libxl__vscsi_phys_dispose(&phys);
    assert_true(libxl__vscsi_host_peek("3:0:0:0", &phys));
    assert_string_equal(phys.wwid, "t10.HP Ultrium");
    libxl__vscsi_phys_dispose(&phys);
    assert_true(libxl__vscsi_host_peek("4:0:0:0", &phys));
    assert_string_equal(phys.wwid, "");
    libxl__vscsi_phys_dispose(&phys);
}

static void what_is_no_scsi_device_is_refused_with_the_reason(void **state)
{
    (void)state;
    expect_refused("/dev/none", ERROR_NOTFOUND, "no such device in dom0");
    expect_refused("/dev/ghost", ERROR_NOTFOUND, "has no such device");
    expect_refused("2:0:0:9", ERROR_NOTFOUND, "no SCSI device at 2:0:0:9");
    expect_refused("/dev/sdb1", ERROR_INVAL, "only the whole disk can be "
                   "given (/dev/sdb)");
    expect_refused("/dev/null", ERROR_INVAL, "calls it null");
    expect_refused("/dev/nvme0n1", ERROR_INVAL, "calls it nvme0n1");
    expect_refused("/dev/dm-3", ERROR_INVAL, "not a SCSI device");
    expect_refused("/proc/self", ERROR_INVAL, "not a device");
    expect_refused("sdb", ERROR_INVAL, "'sdb' is neither");
    expect_refused("2:0:0", ERROR_INVAL, "'2:0:0' is neither");
    expect_refused("", ERROR_INVAL, "'' is neither");
}

static void device_that_is_going_is_refused_but_shown(void **state)
{
    libxl__vscsi_phys phys;

    (void)state;
    expect_refused("6:0:0:0", ERROR_NOTFOUND, "offline");
    expect_refused("6:0:0:1", ERROR_NOTFOUND, "just removing it");
    said[0] = '\0';
    libxl__vscsi_phys_init(&phys);
    assert_true(libxl__vscsi_host_peek("6:0:0:0", &phys));
    libxl__vscsi_phys_dispose(&phys);
    assert_false(libxl__vscsi_host_peek("2:0:0:9", &phys));
    assert_string_equal(said, "");
}

static void place_of_a_node_is_told_silently(void **state)
{
    libxl_vscsi_hctl hctl;

    (void)state;
    assert_true(libxl__vscsi_host_hctl("/dev/sg2", &hctl));
    assert_int_equal(hctl.hst, 3);
    assert_false(libxl__vscsi_host_hctl("/dev/null", &hctl));
    assert_false(libxl__vscsi_host_hctl("/dev/sdb1", &hctl));
    assert_string_equal(said, "");
}

static void expect_wwid(const char *name, const char *expected)
{
    char *wwid = libxl__vscsi_host_wwid(&vc, name);

    if (expected)
        assert_string_equal(wwid, expected);
    else
        assert_null(wwid);
    free(wwid);
}

static void identity_alone_is_read_where_the_kernel_has_it(void **state)
{
    char path[256];
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "%s/2:0:0:1/wwid", sys);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(dprintf(fd, " naa.of  the kernel\n") > 0);
    close(fd);
    expect_wwid("2:0:0:1", "naa.of the kernel");
    unlink(path);
    expect_wwid("2:0:0:1", "naa.5000c500a1b2c3d4");
    expect_wwid("/dev/sg2", "t10.HP Ultrium");
    expect_wwid("4:0:0:0", "");
    expect_wwid("2:0:0:9", NULL);
    expect_wwid("/dev/sdb1", NULL);
    expect_wwid("../2:0:0:1", NULL);
    assert_string_equal(said, "");
}

static void unknown_type_has_a_word_too(void **state)
{
    (void)state;
    assert_string_equal(libxl__vscsi_host_type_name(0x1f), "other");
    assert_string_equal(libxl__vscsi_host_type_name(-1), "other");
    assert_string_equal(libxl__vscsi_host_type_name(1000), "other");
}

/* ----- who holds it ----- */

static int check(const char *name)
{
    libxl__vscsi_phys phys;
    int rc;

    libxl__vscsi_phys_init(&phys);
    assert_int_equal(libxl__vscsi_host_find(&vc, name, &phys), 0);
    said[0] = '\0';
    rc = libxl__vscsi_host_check_free(&vc, &phys);
    libxl__vscsi_phys_dispose(&phys);
    return rc;
}

static void expect_held(const char *name, const char *by)
{
    assert_int_equal(check(name), ERROR_DEVICE_EXISTS);
    assert_string_equal(said, by);
}

static void device_that_nobody_holds_is_free(void **state)
{
    (void)state;
    fakeudev_set_mounts("36 1 8:32 / /srv rw - ext4 /dev/sdc rw\n");
    fakeudev_set_swaps("Filename Type\n/dev/nvme0n1 partition 1 0 -2\n");
    make_dirs("2:0:0:1/block/sdb/holders");
    assert_int_equal(check("/dev/sdb"), 0);
    assert_int_equal(check("/dev/sr0"), 0);
    assert_int_equal(check("/dev/st0"), 0);
    assert_int_equal(check("/dev/sch0"), 0);
    assert_string_equal(said, "");
}

static void mount_is_named_by_its_point(void **state)
{
    (void)state;
    fakeudev_set_mounts("20 1 0:20 / /sys rw - sysfs sysfs rw\n"
                        "36 1 8:16 / /srv rw,noatime shared:1 - ext4 "
                        "/dev/sdb rw\n");
    expect_held("/dev/sdb", "it is mounted on /srv (unmount it first)");
    fakeudev_set_mounts("36 1 8:17 / /my\\040disk rw - ext4 /dev/sdb1 rw\n");
    expect_held("/dev/sdb", "its partition /dev/sdb1 is mounted on /my disk "
                "(unmount it first)");
    /* btrfs numbers its mounts itself */
    fakeudev_set_mounts("36 1 0:44 / /b rw shared:1 master:2 - btrfs "
                        "/dev/sdb rw\n");
    expect_held("/dev/sdb", "it is mounted on /b (unmount it first)");
}

static void swap_is_named(void **state)
{
    (void)state;
    fakeudev_set_swaps("Filename\tType\tSize\n/dev/sdb1   partition\t9\n");
    expect_held("/dev/sdb", "its partition /dev/sdb1 is swap space of dom0 "
                "(swapoff it first)");
}

static void holder_is_named_by_what_it_is(void **state)
{
    char path[256];

    (void)state;
    make_dirs("2:0:0:1/block/sdb/sdb1/holders/dm-3");
    expect_held("/dev/sdb", "its partition /dev/sdb1 is used by "
                "device-mapper volume vg-root (dm-3)");
    make_dirs("2:0:0:1/block/sdb/holders/dm-4");
    snprintf(path, sizeof(path), "%s/2:0:0:1/block/sdb/sdb1/holders/dm-3", sys);
    assert_int_equal(rmdir(path), 0);
    expect_held("/dev/sdb", "it is a path of multipath device mpatha (dm-4)");
    snprintf(path, sizeof(path), "%s/2:0:0:1/block/sdb/holders/dm-4", sys);
    assert_int_equal(rmdir(path), 0);
    make_dirs("2:0:0:1/block/sdb/holders/md0");
    expect_held("/dev/sdb", "it is part of the RAID md0");
    snprintf(path, sizeof(path), "%s/2:0:0:1/block/sdb/holders/md0", sys);
    assert_int_equal(rmdir(path), 0);
    make_dirs("2:0:0:1/block/sdb/holders/bcache0");
    expect_held("/dev/sdb", "it is used by block device bcache0");
}

static void exclusive_opener_is_noticed(void **state)
{
    (void)state;
    fakeudev_hold("/dev/sdb");
    expect_held("/dev/sdb", "another program or driver of dom0 has it open "
                "exclusively");
    fakeudev_hold("/dev/sr0");
    expect_held("/dev/sr0", "another program or driver of dom0 has it open "
                "exclusively");
}

/* ----- by identity ----- */

static void expect_identity(const char *wwid, const char *before,
                            const char *hctl, const char *message)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    libxl__vscsi_phys phys;
    libxl_vscsi_hctl old;
    int rc;

    said[0] = '\0';
    libxl__vscsi_phys_init(&phys);
    assert_true(!before || libxl__vscsi_hctl_parse(before, &old));
    rc = libxl__vscsi_host_find_wwid(&vc, wwid, before ? &old : NULL, &phys);
    assert_string_equal(said, message);
    assert_int_equal(rc, hctl ? 0 : ERROR_NOTFOUND);
    if (hctl) {
        libxl__vscsi_hctl_format(&phys.hctl, text);
        assert_string_equal(text, hctl);
        assert_string_equal(phys.wwid, wwid);
    } else {
        assert_null(phys.wwid);
    }
    libxl__vscsi_phys_dispose(&phys);
}

static void device_is_known_again_wherever_it_is(void **state)
{
    (void)state;
    expect_identity("naa.5000c500a1b2c3d4", "2:0:0:1", "2:0:0:1", "");
    expect_identity("naa.5000c500a1b2c3d4", NULL, "2:0:0:1", "");
    expect_identity("naa.5000c500a1b2c3d4", "4:0:0:0", "2:0:0:1",
                    "naa.5000c500a1b2c3d4 was at 4:0:0:0 and is at 2:0:0:1 "
                    "now");
}

static void of_several_paths_the_old_one_or_the_lowest_is_taken(void **state)
{
    (void)state;
    expect_identity("naa.paths", "8:0:0:2", "8:0:0:2", "");
    expect_identity("naa.paths", "7:0:2:2", "7:0:2:2", "");
    expect_identity("naa.paths", NULL, "7:0:1:2", "");
    expect_identity("naa.paths", "9:0:0:0", "7:0:1:2",
                    "naa.paths was at 9:0:0:0 and is at 7:0:1:2 now");
}

static void another_device_in_its_place_is_refused(void **state)
{
    (void)state;
    expect_identity("naa.lost", "2:0:0:1", NULL,
                    "dom0 has no device naa.lost any more; at 2:0:0:1 is "
                    "another one now, ACME Big Disk naa.5000c500a1b2c3d4");
    expect_identity("naa.lost", "4:0:0:0", NULL,
                    "dom0 has no device naa.lost any more; at 4:0:0:0 is "
                    "another one now, HL DVD without identity");
    expect_identity("naa.lost", "9:0:0:0", NULL,
                    "dom0 has no device naa.lost any more, at 9:0:0:0 or "
                    "elsewhere");
    expect_identity("naa.lost", NULL, NULL,
                    "dom0 has no device naa.lost any more");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_node_of_a_device_leads_to_it),
        TEST(disk_without_its_driver_has_nothing_for_lio),
        TEST(device_without_any_node_is_named_by_its_address),
        TEST(identity_and_names_are_tidy),
        TEST(what_is_no_scsi_device_is_refused_with_the_reason),
        TEST(device_that_is_going_is_refused_but_shown),
        TEST(place_of_a_node_is_told_silently),
        TEST(identity_alone_is_read_where_the_kernel_has_it),
        TEST(unknown_type_has_a_word_too),
        TEST(device_that_nobody_holds_is_free),
        TEST(mount_is_named_by_its_point),
        TEST(swap_is_named),
        TEST(holder_is_named_by_what_it_is),
        TEST(exclusive_opener_is_noticed),
        TEST(device_is_known_again_wherever_it_is),
        TEST(of_several_paths_the_old_one_or_the_lowest_is_taken),
        TEST(another_device_in_its_place_is_refused),
    };

    return cmocka_run_group_tests_name("host", tests, NULL, NULL) != 0;
}
