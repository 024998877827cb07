/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether dom0 uses a device, and what for. */
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
#include "libxl_vscsi_device.h"

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

/* ----- who holds it ----- */

/* What the rest of the library makes of 2:0:0:1, and of others. */
static int check(const char *name)
{
    char disk[256], node[64];
    libxl__vscsi_path path = { .running = true, .node = node };
    libxl__vscsi_unit unit = { .paths = &path, .num_paths = 1 };

    snprintf(node, sizeof(node), "%s", name);
    snprintf(disk, sizeof(disk), "%s/%s/block/%s", sys,
             !strcmp(name, "/dev/sdb") ? "2:0:0:1" : "4:0:0:0", name + 5);
    if (!strcmp(name, "/dev/sdb") || !strcmp(name, "/dev/sr0"))
        path.disk = disk;
    said[0] = '\0';
    return libxl__vscsi_host_check_free(&vc, &unit);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(device_that_nobody_holds_is_free),
        TEST(mount_is_named_by_its_point),
        TEST(swap_is_named),
        TEST(holder_is_named_by_what_it_is),
        TEST(exclusive_opener_is_noticed),
    };

    return cmocka_run_group_tests_name("host", tests, NULL, NULL) != 0;
}
