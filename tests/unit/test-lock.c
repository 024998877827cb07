/* SPDX-License-Identifier: LGPL-2.1-only */
/* The lock file: one change at a time, and nobody else's hands on it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "libxl_vscsi_internal.h"

#define NOBODY 65534

/* ----- fixture: a directory, and the last message ----- */

static char dir[64], lock_file[80], other[80], said[512];

static void keep_message(xentoollog_logger *lg, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list al)
{
    (void)lg, (void)errnoval, (void)context;
    if (level >= XTL_ERROR)
        vsnprintf(said, sizeof(said), format, al);
}

static xentoollog_logger logger = { .vmessage = keep_message };
static libxl__vscsi_ctx vc = { .lg = &logger, .lock_file = lock_file };

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/pvscsi-lock.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    snprintf(lock_file, sizeof(lock_file), "%s/lock", dir);
    snprintf(other, sizeof(other), "%s/other", dir);
    said[0] = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (remove(lock_file) && errno != ENOENT)
        return -1;
    if (remove(other) && errno != ENOENT)
        return -1;
    return rmdir(dir);
}

static void write_file(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "text", 4), 4);
    close(fd);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_untouched(const char *path, mode_t mode)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(st.st_mode & 07777, mode);
}

static void assert_refused(const char *why)
{
    int lock = -7;

    assert_int_equal(libxl__vscsi_lock(&vc, 5, &lock), ERROR_LOCK_FAIL);
    assert_int_equal(lock, -7);
    if (!strstr(said, lock_file) || !strstr(said, why))
        fail_msg("not \"%s\": %s", why, said);
}

static int lock_of(uint32_t which)
{
    int lock = -1;

    assert_int_equal(libxl__vscsi_lock(&vc, which, &lock), 0);
    return lock;
}

/* ----- one at a time ----- */

static void a_domain_is_changed_by_one_at_a_time(void **state)
{
    int lock = lock_of(5), again = -7;

    (void)state;
    assert_int_equal(libxl__vscsi_lock(&vc, 5, &again), ERROR_LOCK_FAIL);
    assert_int_equal(again, -7);
    assert_non_null(strstr(said, "another SCSI operation has been running"));
    libxl__vscsi_unlock(lock);
    libxl__vscsi_unlock(lock_of(5));
    libxl__vscsi_unlock(-1);
}

static void domains_and_the_host_do_not_wait_for_each_other(void **state)
{
    int a = lock_of(5), b = lock_of(6), host = lock_of(LIBXL__VSCSI_LOCK_HOST);

    (void)state;
    libxl__vscsi_unlock(a);
    libxl__vscsi_unlock(b);
    libxl__vscsi_unlock(host);
}

/* ----- whose file it is ----- */

static void the_file_is_for_its_owner_whatever_the_umask(void **state)
{
    mode_t umask_before = umask(0);
    struct stat st;

    (void)state;
    libxl__vscsi_unlock(lock_of(5));
    umask(umask_before);
    assert_int_equal(lstat(lock_file, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(st.st_size, 0);
}

static void no_link_is_followed(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(symlink(other, lock_file), 0);
    assert_refused(strerror(ELOOP));
    assert_int_equal(lstat(other, &st), -1);
    write_file(other, 0600);
    assert_refused(strerror(ELOOP));
    assert_untouched(other, 0600);
}

static void a_file_with_another_name_is_refused(void **state)
{
    (void)state;
    write_file(other, 0600);
    assert_int_equal(link(other, lock_file), 0);
    assert_refused("is not a file of ours alone (remove it)");
    assert_untouched(other, 0600);
    assert_int_equal(unlink(other), 0);
    libxl__vscsi_unlock(lock_of(5));
}

static void what_is_no_file_is_refused_without_a_wait(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(lock_file, 0600), 0);
    assert_refused("is not a file of ours alone");
    assert_int_equal(unlink(lock_file), 0);
    assert_int_equal(mkdir(lock_file, 0700), 0);
    assert_refused(strerror(EISDIR));
}

static void a_file_that_others_can_open_is_refused(void **state)
{
    static const mode_t modes[] = { 0666, 0640, 0604, 0602 };
    unsigned i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(modes); i++) {
        write_file(lock_file, modes[i]);
        assert_refused("is not a file of ours alone");
        assert_untouched(lock_file, modes[i]);
        assert_int_equal(unlink(lock_file), 0);
    }
}

static void somebody_elses_file_is_refused(void **state)
{
    (void)state;
    if (geteuid())
        skip();                 /* only root can give a file away */
    write_file(lock_file, 0600);
    assert_int_equal(chown(lock_file, NOBODY, NOBODY), 0);
    assert_refused("is not a file of ours alone");
    assert_untouched(lock_file, 0600);
}

static void who_may_not_is_told_who_may(void **state)
{
    struct stat st;

    (void)state;
    if (!geteuid())
        assert_int_equal(seteuid(NOBODY), 0);
    else
        assert_int_equal(chmod(dir, 0555), 0);
    assert_refused(": Permission denied (only root may; try sudo)");
    if (!getuid())
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(lstat(lock_file, &st), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_domain_is_changed_by_one_at_a_time),
        TEST(domains_and_the_host_do_not_wait_for_each_other),
        TEST(the_file_is_for_its_owner_whatever_the_umask),
        TEST(no_link_is_followed),
        TEST(a_file_with_another_name_is_refused),
        TEST(what_is_no_file_is_refused_without_a_wait),
        TEST(a_file_that_others_can_open_is_refused),
        TEST(somebody_elses_file_is_refused),
        TEST(who_may_not_is_told_who_may),
    };

    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
