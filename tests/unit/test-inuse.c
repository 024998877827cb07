/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who holds a unit: every holder, by every path, on everything that can be
 * built upon it; and what could not be looked at. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "../fuzz/fakexs.h"
#include "fakenodes.h"
#include "libxl_vscsi_index.h"
#include "libxl_vscsi_inuse.h"
#include "libxl_vscsi_operations.h"

#define BLOCK(name, major, minor)                                           \
    { name, "block", NULL, NULL, major, minor, { NULL } }
#define CHAR(name, major, minor)                                            \
    { name, "char", NULL, NULL, major, minor, { NULL } }

/* The nodes of dom0. */
static const fakenodes_device nodes[] = {
    BLOCK("sdb", 8, 16), BLOCK("sdb1", 8, 17), BLOCK("sdc", 8, 32),
    BLOCK("sdc1", 8, 33), BLOCK("sdd", 8, 48), BLOCK("dm-3", 254, 3),
    BLOCK("loop0", 7, 0), BLOCK("loop0p1", 259, 0), BLOCK("md0", 9, 0),
    BLOCK("my\tdisk", 8, 17),
    CHAR("st0", 9, 0), CHAR("nst0", 9, 128), CHAR("nst1", 9, 129),
    CHAR("sg2", 21, 2), CHAR("sch0", 86, 0), CHAR("null", 1, 3),
};

static char root[64], said[1024];
static char node_b[] = "/dev/sdb", node_c[] = "/dev/sdc";
static char node_st[] = "/dev/st0";
static char sys[96], proc[96], xen[96], lio[96], sdb[128], sdc[128];
static char lock_file[96];
static libxl__vscsi_ctx vc;
static libxl__vscsi_path paths[2];
static libxl__vscsi_unit unit;
static libxl__vscsi_inuse *inuse;

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

static xentoollog_logger keeper = { .vmessage = keep_message };

/* What a process has open, by the nodes above. */
int statx(int dirfd, const char *restrict path, int flags, unsigned mask,
          struct statx *restrict st_r)
{
    char to[256];
    struct stat st;
    ssize_t len;

    (void)dirfd, (void)flags, (void)mask;
    len = readlink(path, to, sizeof(to) - 1);
    if (len < 0)
        return -1;
    to[len] = '\0';
    if (stat(to, &st))
        return -1;
    memset(st_r, 0, sizeof(*st_r));
    st_r->stx_mode = (uint16_t)st.st_mode;
    st_r->stx_rdev_major = major(st.st_rdev);
    st_r->stx_rdev_minor = minor(st.st_rdev);
    return 0;
}

/* Makes what is above path, and its name below root. */
static const char *place(const char *path)
{
    static char full[256];
    char *s;

    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (s = full + strlen(root) + 1; (s = strchr(s, '/')); s++) {
        *s = '\0';
        mkdir(full, 0755);
        *s = '/';
    }
    return full;
}

static void put(const char *path, const char *text)
{
    int fd = open(place(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                  0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void make_dir(const char *path)
{
    mkdir(place(path), 0755);
}

static void make_link(const char *path, const char *to)
{
    const char *full = place(path);

    unlink(full);
    assert_int_equal(symlink(to, full), 0);
}

static void put_store(const char *path, const char *value)
{
    fakexs_put(path, value, strlen(value));
}

/* A unit with its disks sdb and sdc, of which the second may be left out. */
static void use_disks(unsigned num)
{
    paths[0] = (libxl__vscsi_path){
        .hctl = { 2, 0, 0, 1 }, .running = true, .node = node_b, .disk = sdb,
    };
    paths[1] = (libxl__vscsi_path){
        .hctl = { 3, 0, 0, 1 }, .running = true, .node = node_c, .disk = sdc,
    };
    unit.paths = paths;
    unit.num_paths = num;
}

static void use_tape(void)
{
    paths[0] = (libxl__vscsi_path){
        .hctl = { 4, 0, 0, 0 }, .running = true, .node = node_st,
    };
    unit.num_paths = 1;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/test-inuse.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(sys, sizeof(sys), "%s/sys", root);
    snprintf(proc, sizeof(proc), "%s/proc", root);
    snprintf(xen, sizeof(xen), "%s/xen", root);
    snprintf(lio, sizeof(lio), "%s/lio", root);
    snprintf(sdb, sizeof(sdb), "%s/scsi/sdb", root);
    snprintf(sdc, sizeof(sdc), "%s/scsi/sdc", root);
    fakenodes_start(root, nodes, VSCSI_ARRAY_SIZE(nodes));
    fakexs_reset();
    libxl_vscsi_set_logger(&keeper);
    if (libxl__vscsi_ctx_init(&vc))
        return -1;
    vc.sysfs = sys;
    vc.procfs = proc;
    vc.devices_dir = xen;
    vc.lio_root = lio;
    snprintf(lock_file, sizeof(lock_file), "%s/lock", root);
    vc.lock_file = lock_file;
    said[0] = '\0';
    put("proc/self/mountinfo", "20 1 0:20 / /sys rw - sysfs sysfs rw\n");
    put("proc/swaps", "Filename\tType\tSize\n");
    put("scsi/sdb/dev", "8:16\n");
    put("scsi/sdb/sdb1/dev", "8:17\n");
    make_dir("scsi/sdb/holders");
    put("scsi/sdc/dev", "8:32\n");
    put("scsi/sdc/sdc1/dev", "8:33\n");
    put("sys/class/block/dm-3/dev", "254:3\n");
    put("sys/class/block/dm-3/dm/name", "vg-root\n");
    put("sys/class/block/dm-3/dm/uuid", "LVM-abc\n");
    put("sys/class/block/loop0/dev", "7:0\n");
    put("sys/class/block/loop0/loop0p1/dev", "259:0\n");
    put("sys/class/block/md0/dev", "9:0\n");
    put("sys/bus/scsi/devices/4:0:0:0/scsi_tape/st0/dev", "9:0\n");
    put("sys/bus/scsi/devices/4:0:0:0/scsi_tape/nst0/dev", "9:128\n");
    put("sys/bus/scsi/devices/4:0:0:0/scsi_generic/sg2/dev", "21:2\n");
    use_disks(1);
    inuse = libxl__vscsi_inuse_new(&vc);
    return inuse ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    libxl__vscsi_inuse_free(inuse);
    libxl__vscsi_ctx_dispose(&vc);
    fakenodes_stop();
    fakexs_reset();
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Everything is read again. */
static void again(void)
{
    libxl__vscsi_inuse_free(inuse);
    inuse = libxl__vscsi_inuse_new(&vc);
    assert_non_null(inuse);
    said[0] = '\0';
}

static void expect_asked(bool shared, const char *target,
                         const char *expected)
{
    char *text = NULL;

    again();
    assert_int_equal(libxl__vscsi_inuse_who(&vc, inuse, &unit, shared,
                                            target, &text), 0);
    assert_string_equal(text ? text : "free", expected);
    assert_string_equal(said, "");
    free(text);
}

static void expect(const char *expected)
{
    expect_asked(false, NULL, expected);
}

/* As it stands, without reading again. */
static void expect_blind(const char *why)
{
    char *text = NULL;

    said[0] = '\0';
    assert_int_not_equal(libxl__vscsi_inuse_who(&vc, inuse, &unit, false,
                                                NULL, &text), 0);
    assert_null(text);
    if (!strstr(said, why))
        fail_msg("not \"%s\" but \"%s\"", why, said);
}

/* ----- dom0's own use ----- */

static void unit_that_nobody_holds_is_free(void **state)
{
    (void)state;
    put("proc/self/mountinfo", "36 1 8:48 / /srv rw - ext4 /dev/sdd rw\n");
    put("proc/swaps", "Filename Type\n/dev/sdd partition 1 0 -2\n");
    put("sys/block/loop0/loop/backing_file", "/dev/sdd\n");
    make_dir("sys/block/loop1");
    put_store("/local/domain/0/backend/vbd/7/1/params", "/dev/sdd");
    put("proc/4711/comm", "bacula-sd\n");
    make_link("proc/4711/fd/3", "/dev/nst1");
    make_link("proc/4711/fd/4", "socket:[1]");
    make_link("proc/4711/fd/5", "/gone");
    expect("free");
    use_disks(2);
    expect("free");
    use_tape();
    expect("free");
}

static void mount_is_named_by_its_point_whichever_path_it_has(void **state)
{
    static const struct {
        const char *line, *expected;
    } rows[] = {
        { "36 1 8:16 / /srv rw,noatime shared:1 - ext4 /dev/sdb rw\n",
          "its path /dev/sdb is mounted on /srv (unmount it first)" },
        { "36 1 8:17 / /my\\040disk rw - ext4 /dev/sdb1 rw\n",
          "its partition /dev/sdb1 is mounted on /my disk (unmount it "
          "first)" },
        { "36 1 8:32 / /srv rw - ext4 /dev/sdc rw\n",
          "its path /dev/sdc is mounted on /srv (unmount it first)" },
        { "36 1 8:33 / /srv rw - ext4 /dev/sdc1 rw\n",
          "its partition /dev/sdc1 is mounted on /srv (unmount it first)" },
        /* btrfs numbers its mounts itself */
        { "36 1 0:44 / /b rw shared:1 master:2 - btrfs /dev/sdc rw\n",
          "its path /dev/sdc is mounted on /b (unmount it first)" },
        { "36 1 0:44 / /b rw - btrfs /dev/my\\011disk rw\n",
          "its partition /dev/sdb1 is mounted on /b (unmount it first)" },
        { "36 1 0:44 / /n rw - nfs host:/dev/sdb rw\n", "free" },
        { "36 1 nonsense\n", "free" },
        { "\n", "free" },
    };
    size_t i;

    (void)state;
    use_disks(2);
    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        put("proc/self/mountinfo", rows[i].line);
        expect(rows[i].expected);
    }
    use_disks(1);
    put("proc/self/mountinfo", rows[0].line);
    expect("it is mounted on /srv (unmount it first)");
    expect_asked(true, NULL, "it is mounted on /srv (unmount it first)");
}

static void swap_is_named_whichever_path_it_has(void **state)
{
    (void)state;
    use_disks(2);
    put("proc/swaps", "Filename\tType\tSize\n/dev/sdb1   partition\t9\n");
    expect("its partition /dev/sdb1 is swap space of dom0 (swapoff it "
           "first)");
    put("proc/swaps", "Filename\tType\tSize\n/dev/sdc   partition\t9\n");
    expect("its path /dev/sdc is swap space of dom0 (swapoff it first)");
    unlink(place("proc/swaps"));
    expect("free");
}

static void exclusive_opener_is_noticed_whichever_path_it_has(void **state)
{
    (void)state;
    fakenodes_hold("/dev/sdb");
    expect("another program or driver of dom0 has it open exclusively");
    expect_asked(true, NULL, "free");
    use_disks(2);
    fakenodes_hold("/dev/sdc");
    expect("another program or driver of dom0 has its path /dev/sdc open "
           "exclusively");
}

/* ----- what is built upon it ----- */

static void what_is_built_upon_it_is_named(void **state)
{
    (void)state;
    make_dir("scsi/sdb/sdb1/holders/dm-3");
    expect("its partition /dev/sdb1 is used by device-mapper volume vg-root "
           "(dm-3) (lvchange -an that first)");
    put("sys/class/block/dm-3/dm/uuid", "CRYPT-x\n");
    expect("its partition /dev/sdb1 is used by device-mapper volume vg-root "
           "(dm-3) (dmsetup remove vg-root first)");
    rmdir(place("scsi/sdb/sdb1/holders/dm-3"));
    make_dir("scsi/sdb/holders/md0");
    expect("it is part of the RAID md0 (mdadm --stop /dev/md0 first)");
    rmdir(place("scsi/sdb/holders/md0"));
    put("sys/class/block/bcache0/dev", "250:0\n");
    make_dir("scsi/sdb/holders/bcache0");
    expect("it is used by block device bcache0");
    rmdir(place("scsi/sdb/holders/bcache0"));
    make_dir("scsi/sdb/holders/vanished");
    expect("free");
}

static void multipath_map_says_what_to_do(void **state)
{
    (void)state;
    put("sys/class/block/dm-3/dm/name", "mpatha\n");
    put("sys/class/block/dm-3/dm/uuid", "mpath-3600\n");
    make_dir("scsi/sdb/holders/dm-3");
    make_dir("scsi/sdc/holders/dm-3");
    use_disks(2);
    expect("its path /dev/sdc is a path of multipath device mpatha (dm-3) "
           "(multipath -f mpatha first, and blacklist it in "
           "multipath.conf)");
    put("proc/self/mountinfo", "36 1 254:3 / /srv rw - ext4 /dev/dm-3 rw\n");
    expect("its path /dev/sdb is a path of multipath device mpatha (dm-3), "
           "mounted on /srv (unmount it first)");
}

static void chain_up_to_its_use_is_named(void **state)
{
    (void)state;
    make_dir("scsi/sdb/sdb1/holders/dm-3");
    put("proc/self/mountinfo", "36 1 254:3 / /srv rw - ext4 /dev/dm-3 rw\n");
    expect("its partition /dev/sdb1 is used by device-mapper volume vg-root "
           "(dm-3), mounted on /srv (unmount it first)");
    make_dir("sys/class/block/dm-3/holders/md0");
    put("proc/self/mountinfo", "");
    put("proc/swaps", "Filename\n/dev/md0 partition\n");
    expect("its partition /dev/sdb1 is used by device-mapper volume vg-root "
           "(dm-3), part of the RAID md0, swap space of dom0 (swapoff it "
           "first)");
}

static void loop_device_is_found_by_its_file(void **state)
{
    (void)state;
    put("sys/block/loop0/loop/backing_file", "/dev/sdb\n");
    expect("it is used by loop device /dev/loop0, with partition "
           "/dev/loop0p1 (losetup -d /dev/loop0 first)");
    put("proc/self/mountinfo", "36 1 7:0 / /srv rw - ext4 /dev/loop0 rw\n");
    expect("it is used by loop device /dev/loop0, mounted on /srv (unmount "
           "it first)");
    put("proc/self/mountinfo", "36 1 259:0 / /p rw - ext4 /dev/loop0p1 r\n");
    expect("it is used by loop device /dev/loop0, with partition "
           "/dev/loop0p1, mounted on /p (unmount it first)");
    put("proc/self/mountinfo", "");
    unlink(place("sys/class/block/loop0/loop0p1/dev"));
    put("sys/block/loop0/loop/backing_file", "/dev/sdb1\n");
    expect("its partition /dev/sdb1 is used by loop device /dev/loop0 "
           "(losetup -d /dev/loop0 first)");
    use_disks(2);
    put("sys/block/loop0/loop/backing_file", "/dev/sdc\n");
    expect("its path /dev/sdc is used by loop device /dev/loop0 (losetup -d "
           "/dev/loop0 first)");
    expect_asked(true, NULL,
                 "its path /dev/sdc is used by loop device /dev/loop0 "
                 "(losetup -d /dev/loop0 first)");
    put("sys/block/loop0/loop/backing_file", "/srv/image (deleted)\n");
    expect("free");
}

/* ----- guests ----- */

static void guests_block_device_is_named_by_domain_and_vdev(void **state)
{
    static const struct {
        const char *kind, *params, *expected;
    } rows[] = {
        { "vbd", "/dev/sdb", "it is assigned to good as xvdz through blkback "
          "(xl block-detach good xvdz first)" },
        { "vbd", "/dev/sdb1", "its partition /dev/sdb1 is assigned to good "
          "as xvdz through blkback (xl block-detach good xvdz first)" },
        { "vbd", "sdb", "it is assigned to good as xvdz through blkback "
          "(xl block-detach good xvdz first)" },
        { "qdisk", "aio:/dev/sdb", "it is assigned to good as xvdz through "
          "QEMU (xl block-detach good xvdz first)" },
        { "tap", "tapdisk:aio:/dev/sdb", "it is assigned to good as xvdz "
          "through blktap (xl block-detach good xvdz first)" },
        { "vbd3", "/dev/dm-3", "its partition /dev/sdb1 is used by "
          "device-mapper volume vg-root (dm-3), assigned to good as xvdz "
          "through tapdisk (xl block-detach good xvdz first)" },
        { "qdisk", "qcow2:/srv/image", "free" },
        { "vbd", "iqn.2001-04.com.example:disk", "free" },
        { "vbd", "", "free" },
        { "vbd", ":::", "free" },
        { "vbd", "/dev/sdd", "free" },
        /* of these, params says nothing */
        { "vif", "/dev/sdb", "free" },
    };
    char path[96];
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        fakexs_reset();
        if (strstr(rows[i].params, "dm-3"))
            make_dir("scsi/sdb/sdb1/holders/dm-3");
        else
            rmdir(place("scsi/sdb/sdb1/holders/dm-3"));
        put_store("/local/domain/7/name", "good");
        snprintf(path, sizeof(path), "/local/domain/0/backend/%s/7/51712/dev",
                 rows[i].kind);
        put_store(path, "xvdz");
        snprintf(path, sizeof(path),
                 "/local/domain/0/backend/%s/7/51712/params", rows[i].kind);
        put_store(path, rows[i].params);
        expect(rows[i].expected);
        expect_asked(true, NULL, rows[i].expected);
    }
}

static void what_the_backend_has_opened_counts_before_what_it_was_told(
    void **state)
{
    (void)state;
    put_store("/local/domain/7/name", "good");
    put_store("/local/domain/0/backend/vbd/7/51712/params", "iqn:script");
    put("xen/vbd-7-51712/physical_device", "8:10\n");
    expect("it is assigned to good as 51712 through blkback (xl block-detach "
           "good 51712 first)");
    put_store("/local/domain/0/backend/vbd/7/51712/params", "/dev/sdb");
    put("xen/vbd-7-51712/physical_device", "8:30\n");
    expect("free");
    put("xen/vbd-7-51712/physical_device", "0:0\n");
    expect("it is assigned to good as 51712 through blkback (xl block-detach "
           "good 51712 first)");
}

/* ----- LIO ----- */

static void backstore_of_any_kind_and_path_is_named(void **state)
{
    static const char mine[] = " (delete that with targetcli, or make a LUN "
        "of a xen-pvscsi target of it and give that, as naa.WWN:LUN)";
    char expected[256];

    (void)state;
    use_disks(2);
    make_dir("lio/core/alua/lu_gps");
    put("lio/core/pscsi_0/mine/enable", "0\n");
    put("lio/core/pscsi_0/mine/info", "SCSI Device Bus Location: Channel "
        "ID: 0 Target ID: 0 LUN: 1 Host ID: 3\n");
    expect("free");
    put("lio/core/pscsi_0/mine/enable", "1\n");
    snprintf(expected, sizeof(expected), "its path /dev/sdc is LIO backstore "
             "pscsi/mine of dom0%s", mine);
    expect(expected);
    put("lio/core/pscsi_0/mine/enable", "0\n");
    put("lio/core/iblock_1/part/enable", "1\n");
    put("lio/core/iblock_1/part/udev_path", "/dev/sdb1\n");
    snprintf(expected, sizeof(expected), "its partition /dev/sdb1 is LIO "
             "backstore iblock/part of dom0%s", mine);
    expect(expected);
    put("lio/core/iblock_1/part/info", "iBlock device: sdc  UDEV PATH: x  "
        "readonly: 0\n        Major: 8 Minor: 33  CLAIMED: IBLOCK\n");
    snprintf(expected, sizeof(expected), "its partition /dev/sdc1 is LIO "
             "backstore iblock/part of dom0%s", mine);
    expect(expected);
    expect_asked(true, NULL, expected);
}

static void given_target_is_no_holder_but_what_else_has_its_unit_is(
    void **state)
{
    static const char mine[] = "iblock_0/mine";

    (void)state;
    use_disks(2);
    put("lio/core/iblock_0/mine/enable", "1\n");
    put("lio/core/iblock_0/mine/info", "iBlock device: sdb  UDEV PATH: x  "
        "readonly: 0\n        Major: 8 Minor: 16  CLAIMED: IBLOCK\n");
    make_link("sys/dev/block/8:16/device", "../../../2:0:0:1");
    fakenodes_hold("/dev/sdb");
    expect_asked(false, mine, "free");
    expect_asked(true, mine, "free");
    put("proc/self/mountinfo", "36 1 8:33 / /s rw - ext4 /dev/sdc1 rw\n");
    expect_asked(false, mine, "its partition /dev/sdc1 is mounted on /s "
                 "(unmount it first)");
    put("proc/self/mountinfo", "\n");
    fakenodes_hold("/dev/sdc");
    expect_asked(false, mine, "another program or driver of dom0 has its "
                 "path /dev/sdc open exclusively");
    put("lio/core/pscsi_1/other/enable", "1\n");
    put("lio/core/pscsi_1/other/info", "SCSI Device Bus Location: Channel "
        "ID: 0 Target ID: 0 LUN: 1 Host ID: 3\n");
    expect_asked(false, mine, "its path /dev/sdc is LIO backstore "
        "pscsi/other of dom0 (delete that with targetcli, or make a LUN of "
        "a xen-pvscsi target of it and give that, as naa.WWN:LUN)");
}

static void export_of_ours_counts_unless_guests_share_it(void **state)
{
    (void)state;
    put("lio/core/pscsi_5001405/xl-vscsi-9:0:0:0/enable", "1\n");
    put("lio/core/pscsi_5001405/xl-vscsi-2:0:0:1/enable", "1\n");
    put("lio/core/pscsi_5001405/xl-vscsi-2:0:0:1/info", "SCSI Device Bus "
        "Location: Channel ID: 0 Target ID: 0 LUN: 1 Host ID: 2\n");
    expect("it is still exported from an earlier attach (LIO backstore "
           "pscsi/xl-vscsi-2:0:0:1; xl scsi-cleanup removes that)");
    expect_asked(true, NULL, "free");
    put("lio/core/pscsi_5001405/xl-vscsi-2:0:0:1/enable", "0\n");
    expect("free");
}

/* ----- tapes, changers, sg ----- */

static void program_that_has_a_tape_or_changer_open_is_named(void **state)
{
    (void)state;
    use_tape();
    put("proc/4711/comm", "bacula\033sd\n");
    make_link("proc/4711/fd/3", "/dev/nst0");
    expect("bacula?sd (4711) has /dev/nst0 open (stop it first)");
    expect_asked(true, NULL,
                 "bacula?sd (4711) has /dev/nst0 open (stop it first)");
    put("proc/4711/comm", "mtx\n");
    make_link("proc/4711/fd/3", "/dev/sg2");
    expect("mtx (4711) has /dev/sg2 open (stop it first)");
    put("sys/bus/scsi/devices/4:0:0:0/scsi_changer/sch0/dev", "86:0\n");
    make_link("proc/4711/fd/3", "/dev/sch0");
    expect("mtx (4711) has /dev/sch0 open (stop it first)");
    /* it has ended */
    unlink(place("proc/4711/comm"));
    expect("free");
}

static void own_files_do_not_count(void **state)
{
    char path[64];

    (void)state;
    use_tape();
    snprintf(path, sizeof(path), "proc/%u/comm", (unsigned)getpid());
    put(path, "self\n");
    snprintf(path, sizeof(path), "proc/%u/fd/3", (unsigned)getpid());
    make_link(path, "/dev/nst0");
    expect("free");
}

static void single_opener_of_a_tape_is_noticed(void **state)
{
    (void)state;
    use_tape();
    fakenodes_hold("/dev/nst0");
    expect("/dev/nst0 is busy: a program of dom0 has it open, or another "
           "host has reserved it");
    expect_asked(true, NULL, "free");
}

/* ----- the other order ----- */

static void put_unit(const char *place, const char *wwid)
{
    static const char *const attrs[][2] = {
        { "type", "0\n" }, { "vendor", "ACME\n" }, { "model", "Disk\n" },
        { "state", "running\n" },
    };
    char path[128];
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(attrs); i++) {
        snprintf(path, sizeof(path), "sys/bus/scsi/devices/%s/%s", place,
                 attrs[i][0]);
        put(path, attrs[i][1]);
    }
    snprintf(path, sizeof(path), "sys/bus/scsi/devices/%s/wwid", place);
    put(path, wwid);
}

/* Domain 5 has 2:0:0:1, and 8:16 and 8:17 are its disk and partition. */
static void give_by_vscsi(void)
{
    libxl_device_vscsidev dev;

    put_unit("2:0:0:1", "naa.5000c500a1b2c3d4\n");
    put_unit("2:0:0:2", "naa.5000c500a1b2c3d5\n");
    put("sys/devices/sdb/dev", "8:16\n");
    put("sys/devices/sdb/sdb1/partition", "1\n");
    make_link("sys/devices/sdb/device", "../2:0:0:1");
    make_link("sys/dev/block/8:16", "../../devices/sdb");
    make_link("sys/dev/block/8:17", "../../devices/sdb/sdb1");
    put_store("/local/domain/5/name", "guest");
    put_store("/local/domain/0/backend/vscsi/5/0/state", "4");
    put_store("/libxl/5/device/vscsi/0", "{\"version\":1,\"vscsidevs\":[{"
              "\"vscsidev_id\":0,\"pdev\":{\"p_devname\":\"/dev/sdb\","
              "\"type.hctl\":{\"m\":{\"hst\":2,\"lun\":1}}},"
              "\"vdev\":{\"lun\":3}}]}");
    libxl_device_vscsidev_init(&dev);
    libxl_vscsi_pdev_init_type(&dev.pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    dev.pdev.u.hctl.m = (libxl_vscsi_hctl){ .hst = 2, .lun = 1 };
    assert_int_equal(libxl__vscsi_index_write(&vc, XBT_NULL,
                         (libxl__vscsi_ref){ 5, 0 }, &dev, 1), 0);
    libxl_device_vscsidev_dispose(&dev);
}

static void expect_disk(const char *path, int rc, const char *why)
{
    said[0] = '\0';
    libxl__vscsi_doing(&vc, NULL, path, 0);
    assert_int_equal(libxl__vscsi_check_disk(&vc, path), rc);
    if (why ? !strstr(said, why) : said[0])
        fail_msg("%s: \"%s\"", path, said);
}

static void disk_that_a_guest_has_is_refused_whatever_is_made_of_it(
    void **state)
{
    static const char why[] = "assigned to guest as 0:0:0:3";

    (void)state;
    give_by_vscsi();
    expect_disk("/dev/sdb", ERROR_DEVICE_EXISTS, why);
    expect_disk("sdb", ERROR_DEVICE_EXISTS, why);
    expect_disk("/dev/sdb1", ERROR_DEVICE_EXISTS, why);
    put("sys/devices/md0/dev", "9:0\n");
    make_link("sys/devices/md0/slaves/sdb1", "../../sdb/sdb1");
    make_link("sys/dev/block/9:0", "../../devices/md0");
    expect_disk("/dev/md0", ERROR_DEVICE_EXISTS, why);
    put("sys/devices/loop0/loop/backing_file", "/dev/md0\n");
    make_link("sys/dev/block/7:0", "../../devices/loop0");
    expect_disk("/dev/loop0", ERROR_DEVICE_EXISTS, why);
}

static void disk_that_no_guest_has_is_let_through(void **state)
{
    (void)state;
    give_by_vscsi();
    make_link("sys/devices/sdc/device", "../2:0:0:2");
    make_link("sys/dev/block/8:32", "../../devices/sdc");
    expect_disk("/dev/sdc", 0, NULL);
    expect_disk("/dev/sdd", 0, NULL);       /* sysfs does not know it */
    expect_disk("/dev/null", 0, NULL);
    expect_disk("/srv/image", 0, NULL);
    expect_disk("iqn.2001-04.com.example:disk", 0, NULL);
}

static void disk_that_cannot_be_looked_at_is_refused(void **state)
{
    static const char *const rows[] = {
        "sys/devices/sdb/sdb1/partition", "sys/devices/sdb/slaves",
        "sys/devices/sdb/loop/backing_file",
    };
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        if (i) {
            tear_down(state);
            assert_int_equal(set_up(state), 0);
        }
        give_by_vscsi();
        make_link(rows[i], strrchr(rows[i], '/') + 1);
        expect_disk("/dev/sdb1", ERROR_FAIL, "Too many");
    }
    tear_down(state);
    assert_int_equal(set_up(state), 0);
    give_by_vscsi();
    fakexs_fail(1, EIO);
    expect_disk("/dev/sdb", ERROR_FAIL, "xenstore: cannot");
}

/* ----- what cannot be looked at ----- */

/* A link to itself: ELOOP for whoever opens it. */
static void what_cannot_be_looked_at_is_refused_by_name(void **state)
{
    static const struct {
        const char *path, *why;
        bool tape;
    } rows[] = {
        { "proc/self/mountinfo", "proc/self/mountinfo: Too many", false },
        { "proc/swaps", "proc/swaps: Too many", false },
        { "sys/block", "sys/block: Too many", false },
        { "sys/block/loop0/loop/backing_file", "sys/block: Too many",
          false },
        { "scsi/sdb/dev", "scsi/sdb: Too many", false },
        { "scsi/sdb/sdb1/dev", "scsi/sdb/sdb1: Too many", false },
        { "scsi/sdb/sdb1/holders", "holders: Too many", false },
        { "xen/vbd-7-1/physical_device", "xen: Too many", false },
        { "lio/core/pscsi_0/mine/info", "pscsi_0/mine: Too many", false },
        { "lio/core/pscsi_0/mine/enable", "pscsi_0/mine: Too many", false },
        { "lio/core/pscsi_0", "free", false },
        { "lio/core", "lio: Too many", false },
        { "proc/4711/fd", "proc/4711/fd: Too many", true },
        { "sys/bus/scsi/devices/4:0:0:0/scsi_generic/sg2/dev",
          "sg2/dev: Too many", true },
        { "sys/bus/scsi/devices/4:0:0:0/scsi_changer",
          "scsi_changer: Too many", true },
    };
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        if (i) {
            tear_down(state);
            assert_int_equal(set_up(state), 0);
        }
        if (rows[i].tape)
            use_tape();
        put_store("/local/domain/0/backend/vbd/7/1/params", "x");
        if (strstr(rows[i].path, "/enable"))
            put("lio/core/pscsi_0/mine/info", "Bus Location: Channel ID: 0 "
                "Target ID: 0 LUN: 9 Host ID: 9\n");
        make_link(rows[i].path, strrchr(rows[i].path, '/') + 1);
        if (strcmp(rows[i].why, "free"))
            expect_blind(rows[i].why);
        else
            expect("free");
    }
}

static void proc_that_is_not_there_is_refused(void **state)
{
    (void)state;
    unlink(place("proc/self/mountinfo"));
    expect_blind("mountinfo: No such file");
    use_tape();
    vc.procfs = "/nowhere";
    expect_blind("/nowhere: No such file");
}

static void xenstore_that_fails_is_refused(void **state)
{
    unsigned i;

    (void)state;
    for (i = 1; i <= 4; i++) {
        fakexs_reset();
        put_store("/local/domain/0/backend/vbd/7/1/params", "x");
        again();
        fakexs_fail(i, EIO);
        expect_blind("xenstore: cannot");
    }
}

/* With no descriptor to be had, whatever has been read before. */
static void without_file_descriptors_nothing_is_free(void **state)
{
    struct rlimit old, none;
    int step, fd;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    for (step = 0; step < 5; step++) {
        again();
        inuse->has_stores = step > 0;
        inuse->has_uses = step > 1;
        if (step == 3)
            use_tape();
        inuse->has_openers = step > 3;
        fd = dup(0);
        close(fd);
        none = old;
        none.rlim_cur = (rlim_t)fd;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        expect_blind("Too many open files");
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unit_that_nobody_holds_is_free),
        TEST(mount_is_named_by_its_point_whichever_path_it_has),
        TEST(swap_is_named_whichever_path_it_has),
        TEST(exclusive_opener_is_noticed_whichever_path_it_has),
        TEST(what_is_built_upon_it_is_named),
        TEST(multipath_map_says_what_to_do),
        TEST(chain_up_to_its_use_is_named),
        TEST(loop_device_is_found_by_its_file),
        TEST(guests_block_device_is_named_by_domain_and_vdev),
        TEST(what_the_backend_has_opened_counts_before_what_it_was_told),
        TEST(backstore_of_any_kind_and_path_is_named),
        TEST(given_target_is_no_holder_but_what_else_has_its_unit_is),
        TEST(export_of_ours_counts_unless_guests_share_it),
        TEST(program_that_has_a_tape_or_changer_open_is_named),
        TEST(own_files_do_not_count),
        TEST(single_opener_of_a_tape_is_noticed),
        TEST(disk_that_a_guest_has_is_refused_whatever_is_made_of_it),
        TEST(disk_that_no_guest_has_is_let_through),
        TEST(disk_that_cannot_be_looked_at_is_refused),
        TEST(what_cannot_be_looked_at_is_refused_by_name),
        TEST(proc_that_is_not_there_is_refused),
        TEST(xenstore_that_fails_is_refused),
        TEST(without_file_descriptors_nothing_is_free),
    };

    return cmocka_run_group_tests_name("inuse", tests, NULL, NULL) != 0;
}
