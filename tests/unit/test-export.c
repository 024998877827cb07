/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is made in LIO for a device and taken down again, on a configfs that
 * keeps the kernel's rules. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakeconfigfs.h"
#include "lio_stage.h"

/* ----- export and release ----- */

static void export_and_release_leave_nothing(void **state)
{
    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_true(lio_is_whole(2, 0, 1));
    assert_int_equal(lio_release(2, 0, 1), 0);
    assert_true(lio_is_empty());
    assert_int_equal(lio_release(2, 0, 1), 0);
    assert_string_equal(lio_said, "");
}

static void export_again_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    fakeconfigfs_forget();
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(fakeconfigfs_changes(), 0);
}

static void target_stays_until_its_last_lun_goes(void **state)
{
    (void)state;
    assert_int_equal(lio_export(2, 0, 0), 0);
    assert_int_equal(lio_export(2, 0, 300), 0);
    assert_int_equal(lio_export(2, 1, 0), 0);
    assert_int_equal(lio_num_in(LIO_FABRIC), 2);
    assert_int_equal(lio_release(2, 0, 0), 0);
    assert_true(lio_is_whole(2, 0, 300));
    assert_true(lio_is_whole(2, 1, 0));
    assert_int_equal(lio_release(2, 0, 300), 0);
    assert_int_equal(lio_num_in(LIO_FABRIC), 1);
    assert_int_equal(lio_release(2, 1, 0), 0);
    assert_true(lio_is_empty());
}

static void several_go_at_once(void **state)
{
    libxl_vscsi_hctl all[8];
    unsigned i;

    (void)state;
    assert_int_equal(lio_export(3, 0, 0), 0);
    for (i = 0; i < 8; i++) {
        all[i] = (libxl_vscsi_hctl){ .hst = 2, .tgt = i / 3, .lun = i % 3 };
        assert_int_equal(lio_export(2, i / 3, i % 3), 0);
    }
    assert_int_equal(libxl__vscsi_lio_release(&lio_vc, all, 8), 0);
    assert_string_equal(lio_said, "");
    assert_true(lio_is_whole(3, 0, 0));
    assert_int_equal(lio_num_in(LIO_FABRIC), 1);
    assert_int_equal(lio_release(3, 0, 0), 0);
    assert_true(lio_is_empty());
}

/* What the driver holds keeps its target; the others go. */
static void one_that_is_held_does_not_keep_the_others(void **state)
{
    libxl_vscsi_hctl all[] = { { 2, 0, 0, 0 }, { 2, 0, 0, 1 },
                                     { 2, 0, 1, 0 } };
    char *tpg = lio_tpg_of(2, 0);

    (void)state;
    lio_vc.timeouts.destroy_ms = 0;
    assert_int_equal(lio_export(2, 0, 0), 0);
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(lio_export(2, 1, 0), 0);
    fakeconfigfs_set_used(tpg, 1);
    assert_int_equal(libxl__vscsi_lio_release(&lio_vc, all, 3),
                     ERROR_NOT_READY);
    assert_non_null(strstr(lio_said, "has not let go"));
    assert_int_equal(lio_num_in(LIO_FABRIC), 1);
    fakeconfigfs_set_used(tpg, 0);
    lio_collect(NULL, 0, 60000);
    assert_true(lio_is_empty());
}

/* fakeconfigfs aborts where the kernel would fall over. */
static void tpg_in_use_is_never_removed(void **state)
{
        (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    fakeconfigfs_set_used(lio_tpg_of(2, 0), 1);
    assert_int_equal(lio_release(2, 0, 1), ERROR_NOT_READY);
    assert_non_null(strstr(lio_said, "has not let go of LIO target"));
    lio_collect(NULL, 0, 1);
    assert_int_equal(lio_num_in(LIO_FABRIC), 1);

    fakeconfigfs_set_used(lio_tpg_of(2, 0), 0);
    lio_collect(NULL, 0, 60000);
    assert_true(lio_is_empty());
}

/* The backend driver uses the target until its LUN is gone: whoever takes that
 * down is at the nexus then. */
static pid_t use_until_lun_is_gone(void)
{
    pid_t pid;

    fakeconfigfs_set_used(lio_tpg_of(2, 0), 1);
    pid = fork();
    if (pid == 0) {
        while (libxl__vscsi_cfs_is_dir("%s/lun/lun_1", lio_tpg_of(2, 0)))
            libxl__vscsi_pause(1);
        fakeconfigfs_set_used(lio_tpg_of(2, 0), 0);
        _exit(0);
    }
    return pid;
}

static void release_waits_for_the_backend_driver(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    lio_vc.timeouts.destroy_ms = 60000;
    pid = use_until_lun_is_gone();
    assert_int_equal(lio_release(2, 0, 1), 0);
    assert_true(lio_is_empty());
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void held_disk_is_refused_without_residue(void **state)
{
    (void)state;
    fakeconfigfs_set("FAKE_CONFIGFS_HELD", "/dev/sdfake");
    assert_int_equal(lio_export(2, 0, 1), ERROR_DEVICE_EXISTS);
    assert_non_null(strstr(lio_said, "has /dev/sdfake open exclusively"));
    assert_true(lio_is_empty());
}

static void disk_without_its_driver_is_refused(void **state)
{
    libxl__vscsi_unit *unit = lio_device(2, 0, 1);

    (void)state;
    unit->paths[0].lio_node = NULL;
    assert_int_equal(libxl__vscsi_lio_export(&lio_vc, unit, "vscsi-5-0"),
                     ERROR_FAIL);
    assert_non_null(strstr(lio_said, "modprobe sd_mod"));
    assert_true(lio_is_empty());
}

static void lun_beyond_pscsi_is_refused(void **state)
{
    (void)state;
    assert_int_equal(lio_export(2, 0, 0x80000000), ERROR_FAIL);
    assert_true(lio_is_empty());
}

/* ----- interruptions ----- */

static unsigned changes_of_export(void)
{
    unsigned num;

    fakeconfigfs_forget();
    assert_int_equal(lio_export(2, 0, 1), 0);
    num = fakeconfigfs_changes();
    assert_int_equal(lio_release(2, 0, 1), 0);
    fakeconfigfs_forget();
    return num;
}

static void refused_step_of_export_is_undone(void **state)
{
    unsigned n, num = changes_of_export();
    char number[16];

    (void)state;
    /* the first one is tried again after modprobe */
    for (n = 2; n <= num; n++) {
        snprintf(number, sizeof(number), "%u", n);
        fakeconfigfs_set("FAKE_CONFIGFS_FAIL", number);
        fakeconfigfs_forget();
        lio_said[0] = '\0';
        assert_int_equal(lio_export(2, 0, 1), ERROR_FAIL);
        assert_string_not_equal(lio_said, "");
        assert_true(lio_is_empty());
    }
}

/* Runs act in a process that is killed at its n-th change. */
static void kill_at(unsigned n, int (*act)(uint32_t, uint32_t, uint64_t))
{
    char number[16];
    int status;
    pid_t pid;

    pid = fork();
    if (pid == 0) {
        snprintf(number, sizeof(number), "%u", n);
        fakeconfigfs_set("FAKE_CONFIGFS_KILL", number);
        fakeconfigfs_forget();
        act(2, 0, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void killed_export_is_finished_by_the_next(void **state)
{
    unsigned n, num = changes_of_export();

    (void)state;
    for (n = 1; n <= num; n++) {
        kill_at(n, lio_export);
        assert_int_equal(lio_export(2, 0, 1), 0);
        assert_true(lio_is_whole(2, 0, 1));
        assert_int_equal(lio_release(2, 0, 1), 0);
        assert_true(lio_is_empty());
    }
}

static void killed_export_is_collected(void **state)
{
    unsigned n, num = changes_of_export();
        (void)state;
    for (n = 1; n <= num; n++) {
        kill_at(n, lio_export);
        lio_collect(NULL, 0, 60000);
        assert_true(lio_is_empty());
    }
}

static void killed_release_is_collected(void **state)
{
    unsigned n, num;

    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    fakeconfigfs_forget();
    assert_int_equal(lio_release(2, 0, 1), 0);
    num = fakeconfigfs_changes();
    for (n = 1; n <= num; n++) {
        assert_int_equal(lio_export(2, 0, 1), 0);
        kill_at(n, lio_release);
        lio_collect(NULL, 0, 60000);
        assert_true(lio_is_empty());
    }
}

static void collecting_spares_what_is_used_and_what_is_foreign(void **state)
{
    libxl_vscsi_hctl used[2] = { { .hst = 3 }, { .hst = 3, .lun = 2 } };

    (void)state;
    lio_make_foreign(FOREIGN, NULL);
    assert_int_equal(lio_export(3, 0, 0), 0);
    assert_int_equal(lio_export(3, 0, 1), 0);
    assert_int_equal(lio_export(3, 0, 2), 0);
    assert_int_equal(lio_export(4, 0, 0), 0);
    assert_int_equal(lio_collect(used, 2, 60000), 0);
    assert_true(lio_is_whole(3, 0, 0));
    assert_false(lio_is_whole(3, 0, 1));
    assert_true(lio_is_whole(3, 0, 2));
    assert_int_equal(lio_num_in(LIO_FABRIC), 2);
    assert_true(libxl__vscsi_cfs_is_dir("%s/core/pscsi_0/mine", lio_root));
    assert_int_equal(lio_collect(used, 0, 60000), 0);
    assert_int_equal(lio_num_in(LIO_FABRIC), 1);
}

/* ----- what a guest had ----- */

static void what_a_guest_had_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(lio_export(2, 0, 2), 0);
    assert_int_equal(lio_let_go(2, 0, 1, 60000), 0);
    assert_true(lio_is_whole(2, 0, 2));
    assert_int_equal(lio_let_go(2, 0, 2, 60000), 0);
    assert_int_equal(lio_let_go(2, 0, 2, 60000), 0);
    assert_true(lio_is_empty());
    assert_string_equal(lio_said, "");
}

static void lun_says_for_whom_it_is(void **state)
{
    libxl__vscsi_leftover *list = NULL;
    unsigned num = 0;

    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(libxl__vscsi_lio_export(&lio_vc, lio_device(2, 0, 2),
                                             LIBXL__VSCSI_SHARED), 0);
    assert_int_equal(libxl__vscsi_lio_leftovers(&lio_vc, NULL, 0, &list,
                                                &num), 0);
    assert_int_equal(num, 2);
    assert_int_equal(libxl__vscsi_lio_look_at(&lio_vc, &list[0]), 0);
    assert_int_equal(libxl__vscsi_lio_look_at(&lio_vc, &list[1]), 0);
    assert_true(list[0].has_lun);
    assert_true(list[1].has_lun);
    if (list[0].hctl.lun == 2)
        memcpy(&list[0], &list[1], sizeof(list[0]));
    assert_true(list[0].has_owner);
    assert_int_equal(list[0].owner.domid, 5);
    assert_int_equal(list[0].owner.devid, 0);
    free(list);
}

/* A command is under way to LUN 1, for as long as the file is there. */
static void keep_busy(void)
{
    static char path[80];
    int fd;

    snprintf(path, sizeof(path), "%s.busy", lio_vc.lock_file);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    fakeconfigfs_set("FAKE_CONFIGFS_BUSY", path);
}

static void end_busy(void)
{
    char path[80];

    snprintf(path, sizeof(path), "%s.busy", lio_vc.lock_file);
    assert_int_equal(unlink(path), 0);
}

/* Whether somebody lets go of it, and so has its lock. */
static bool is_locked(uint32_t hst, uint32_t tgt, uint64_t lun)
{
    libxl_vscsi_hctl hctl = { hst, 0, tgt, lun };
    int lock = -1;

    assert_int_equal(libxl__vscsi_try_lock(&lio_vc, libxl__vscsi_lock_of(
                                           &hctl), &lock), 0);
    libxl__vscsi_unlock(lock);
    return lock == -1;
}

static void command_under_way_keeps_one_device_only(void **state)
{
    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(lio_export(2, 0, 2), 0);
    assert_int_equal(lio_export(3, 0, 0), 0);
    keep_busy();
    assert_int_equal(lio_let_go(2, 0, 1, 1), ERROR_NOT_READY);
    assert_non_null(strstr(lio_said, "still letting go of 2:0:0:1: a command "
                           "of the guest that had it has not come back"));
    assert_true(lio_is_whole(2, 0, 1));
    assert_true(is_locked(2, 0, 1));

    /* Who asks for it as well is told, and nobody else has to be. */
    lio_said[0] = '\0';
    assert_int_equal(lio_let_go(2, 0, 1, 1), ERROR_NOT_READY);
    assert_non_null(strstr(lio_said, "still letting go of 2:0:0:1"));
    fakeconfigfs_set("FAKE_CONFIGFS_BUSY", NULL);
    assert_int_equal(lio_let_go(2, 0, 2, 60000), 0);
    assert_int_equal(lio_let_go(3, 0, 0, 60000), 0);
    assert_int_equal(lio_export(2, 0, 3), 0);
    assert_true(lio_is_whole(2, 0, 1));

    end_busy();
    while (is_locked(2, 0, 1))
        libxl__vscsi_pause(1);
    assert_false(lio_is_whole(2, 0, 1));
    assert_true(lio_is_whole(2, 0, 3));
    assert_int_equal(lio_collect(NULL, 0, 60000), 0);
    assert_true(lio_is_empty());
}

/* Nobody has waited for it: it calls who cleans up. */
static void what_is_left_behind_has_it_cleaned_up(void **state)
{
    char cleaner[80], done[90], script[400];
    int fd;

    (void)state;
    snprintf(cleaner, sizeof(cleaner), "%s.cleaner", lio_vc.lock_file);
    snprintf(done, sizeof(done), "%s.done", cleaner);
    fd = open(cleaner, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    snprintf(script, sizeof(script), "#!/bin/sh\necho \"$1\" >%s.new\n"
             "mv %s.new %s\n", done, done, done);
    assert_int_equal(write(fd, script, strlen(script)), strlen(script));
    close(fd);

    assert_int_equal(lio_export(2, 0, 1), 0);
    lio_vc.cleaner = cleaner;
    keep_busy();
    assert_int_equal(lio_let_go(2, 0, 1, 1), ERROR_NOT_READY);
    assert_int_not_equal(access(done, F_OK), 0);
    end_busy();
    while (access(done, F_OK))
        libxl__vscsi_pause(1);
    assert_false(is_locked(2, 0, 1));
    fd = open(done, O_RDONLY | O_CLOEXEC);
    memset(script, 0, sizeof(script));
    assert_true(read(fd, script, sizeof(script) - 1) > 0);
    assert_string_equal(script, "scsi-cleanup\n");
    close(fd);
    unlink(done);
    unlink(cleaner);
    assert_int_equal(lio_collect(NULL, 0, 60000), 0);
    assert_true(lio_is_empty());
}

static void killed_let_go_1(unsigned n)
{
    char number[16];
    int status;
    pid_t pid;

    pid = fork();
    if (pid == 0) {
        snprintf(number, sizeof(number), "%u", n);
        fakeconfigfs_set("FAKE_CONFIGFS_KILL", number);
        fakeconfigfs_forget();
        lio_let_go(2, 0, 1, 60000);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* The process that unlinks is killed, or ours, at each step. */
static void killed_let_go_is_collected(void **state)
{
    unsigned n;

    (void)state;
    for (n = 1; n <= 8; n++) {
        assert_int_equal(lio_export(2, 0, 1), 0);
        killed_let_go_1(n);
        while (is_locked(2, 0, 1))
            libxl__vscsi_pause(1);
        assert_int_equal(lio_collect(NULL, 0, 60000), 0);
        assert_true(lio_is_empty());
    }
}

static void let_go_waits_for_the_backend_driver(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    pid = use_until_lun_is_gone();
    assert_int_equal(lio_let_go(2, 0, 1, 60000), 0);
    assert_true(lio_is_empty());
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* ----- beside the admin's ----- */

/* The backend is told the name of our target, which is there once. */
static void alias_of_the_admin_is_no_obstacle(void **state)
{
    libxl_vscsi_hctl hctl = { .hst = 2, .lun = 5 };
    libxl__vscsi_ours ours = lio_ours_of(2, 0, 5);
    libxl__vscsi_p_dev p_dev;

    (void)state;
    lio_make_foreign(FOREIGN, "2:0:0");
    assert_int_equal(lio_export(2, 0, 5), 0);
    assert_true(lio_is_whole(2, 0, 5));
    assert_true(libxl__vscsi_lio_p_dev(&hctl, p_dev));
    assert_memory_equal(p_dev, ours.wwn, strlen(ours.wwn));
    assert_string_equal(p_dev + strlen(ours.wwn), ":5");
    assert_int_equal(lio_release(2, 0, 5), 0);
    assert_int_equal(lio_num_in(LIO_FABRIC), 1);
}

static void name_that_does_not_fit_is_none(void **state)
{
    libxl_vscsi_hctl hctl = { .hst = UINT32_MAX, .lun = 9999999999 };
    libxl__vscsi_p_dev p_dev = "as before";

    (void)state;
    assert_true(libxl__vscsi_lio_p_dev(&hctl, p_dev));
    assert_int_equal(strlen(p_dev), LIBXL__VSCSI_PDEV_MAX);
    hctl.lun++;
    assert_false(libxl__vscsi_lio_p_dev(&hctl, p_dev));
    assert_non_null(strstr(p_dev, ":9999999999"));
}

/* Of several TPGs the backend driver takes the oldest. */
static void tpg_in_our_target_that_is_not_ours_is_refused(void **state)
{
    libxl__vscsi_ours ours = lio_ours_of(2, 0, 1);

    (void)state;
    assert_int_equal(libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC "/%s", lio_root,
                                            ours.wwn), 0);
    assert_int_equal(libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC "/%s/tpgt_2",
                                            lio_root, ours.wwn), 0);
    assert_int_equal(lio_export(2, 0, 1), ERROR_DEVICE_EXISTS);
    assert_non_null(strstr(lio_said, "has tpgt_2, which is not ours"));
    assert_int_equal(lio_num_in("core"), 1);
}

static void name_of_ours_with_another_alias_is_left_alone(void **state)
{
    libxl__vscsi_ours ours = lio_ours_of(2, 0, 1);

    (void)state;
    lio_make_target(ours.wwn, NULL, "9:9:9");
    assert_int_equal(lio_export(2, 0, 1), ERROR_DEVICE_EXISTS);
    assert_int_equal(lio_release(2, 0, 1), 0);
    lio_collect(NULL, 0, 60000);
    assert_int_equal(lio_num_in(LIO_FABRIC), 1);
    assert_int_equal(lio_num_in("core"), 1);
}

/* targetcli saves what it sees, and restores it with names of its own. */
static void restored_copy_of_ours_is_used_and_taken_down(void **state)
{
    libxl__vscsi_ours ours = lio_ours_of(2, 0, 1);

    (void)state;
    lio_make_backstore("pscsi_3", ours.backstore, "scsi_host_id=2,"
                           "scsi_channel_id=0,scsi_target_id=0,"
                           "scsi_lun_id=1");
    lio_make_target(ours.wwn, FOREIGN, ours.alias);
    lio_make_lun(ours.wwn, 1, "pscsi_3/xl-vscsi-2:0:0:1");
    fakeconfigfs_forget();
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(fakeconfigfs_changes(), 0);
    assert_int_equal(lio_release(2, 0, 1), 0);
    assert_true(lio_is_empty());
}

/* One that was saved before the numbers of dom0's hosts changed. */
static void restored_copy_of_another_device_is_replaced(void **state)
{
    libxl__vscsi_ours ours = lio_ours_of(2, 0, 1);

    (void)state;
    lio_make_backstore("pscsi_3", ours.backstore, "scsi_host_id=5,"
                           "scsi_channel_id=0,scsi_target_id=0,"
                           "scsi_lun_id=1");
    lio_make_target(ours.wwn, FOREIGN, ours.alias);
    lio_make_lun(ours.wwn, 1, "pscsi_3/xl-vscsi-2:0:0:1");
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_true(lio_is_whole(2, 0, 1));
    assert_false(libxl__vscsi_cfs_is_dir("%s/core/pscsi_3", lio_root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(export_and_release_leave_nothing),
        TEST(several_go_at_once),
        TEST(one_that_is_held_does_not_keep_the_others),
        TEST(export_again_changes_nothing),
        TEST(target_stays_until_its_last_lun_goes),
        TEST(tpg_in_use_is_never_removed),
        TEST(release_waits_for_the_backend_driver),
        TEST(held_disk_is_refused_without_residue),
        TEST(disk_without_its_driver_is_refused),
        TEST(lun_beyond_pscsi_is_refused),
        TEST(refused_step_of_export_is_undone),
        TEST(killed_export_is_finished_by_the_next),
        TEST(killed_export_is_collected),
        TEST(killed_release_is_collected),
        TEST(collecting_spares_what_is_used_and_what_is_foreign),
        TEST(what_a_guest_had_leaves_nothing),
        TEST(lun_says_for_whom_it_is),
        TEST(command_under_way_keeps_one_device_only),
        TEST(what_is_left_behind_has_it_cleaned_up),
        TEST(killed_let_go_is_collected),
        TEST(let_go_waits_for_the_backend_driver),
        TEST(alias_of_the_admin_is_no_obstacle),
        TEST(name_that_does_not_fit_is_none),
        TEST(tpg_in_our_target_that_is_not_ours_is_refused),
        TEST(name_of_ours_with_another_alias_is_left_alone),
        TEST(restored_copy_of_ours_is_used_and_taken_down),
        TEST(restored_copy_of_another_device_is_replaced),
    };

    return cmocka_run_group_tests_name("export", tests, NULL, NULL) != 0;
}
