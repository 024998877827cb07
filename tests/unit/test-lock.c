/* SPDX-License-Identifier: LGPL-2.1-only */
/* The lock file: one change at a time, and nobody else's hands on it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libxl_vscsi_ctx.h"

#define NOBODY 65534

/* ----- fixture: a directory, and the last message ----- */

static char dir[64], lock_file[80], other[80], said[512];
static int tell_waiting = -1;

static void keep_message(xentoollog_logger *lg, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list al)
{
    (void)lg, (void)errnoval, (void)context;
    if (level >= XTL_ERROR)
        vsnprintf(said, sizeof(said), format, al);
    else if (tell_waiting >= 0)
        assert_int_equal(write(tell_waiting, ".", 1), 1);
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

/* Only where it is empty, one that was removed is looked for. */
static void assert_lost_is_looked_for(bool looked_for)
{
    struct stat st;

    assert_int_equal(stat(lock_file, &st), 0);
    assert_int_equal(!st.st_size, looked_for);
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

/* "that of test-lock (process 4711)": valgrind has a name of its own. */
static void format_self(char *text, size_t size)
{
    FILE *f = fopen("/proc/self/comm", "re");
    char comm[32];

    assert_non_null(f);
    assert_non_null(fgets(comm, sizeof(comm), f));
    fclose(f);
    comm[strcspn(comm, "\n")] = '\0';
    snprintf(text, size, ": that of %s (process %d)", comm, getpid());
}

static void who_waits_in_vain_is_told_for_whom_and_how_long(void **state)
{
    int lock = lock_of(5), again = -7;
    char who[96];

    (void)state;
    vc.timeouts.lock_ms = 1100;
    assert_int_equal(libxl__vscsi_lock(&vc, 5, &again), ERROR_LOCK_FAIL);
    vc.timeouts.lock_ms = 0;
    format_self(who, sizeof(who));
    assert_non_null(strstr(said, who));
    assert_non_null(strstr(said, "has been running for "));
    assert_null(strstr(said, "running for 0 seconds"));
    libxl__vscsi_unlock(lock);
}

/* ----- who lets go ----- */

/* A child that only has what it was born with, until fd is closed. */
static pid_t fork_sleeper(int *fd_r)
{
    int fds[2];
    pid_t pid;
    char c;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        close(fds[1]);
        _exit(read(fds[0], &c, 1) != 0);
    }
    close(fds[0]);
    *fd_r = fds[1];
    return pid;
}

static void end_sleeper(pid_t pid, int fd)
{
    int status;

    close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_child_keeps_no_lock_that_was_given_up(void **state)
{
    int lock = lock_of(5), fd;
    pid_t pid = fork_sleeper(&fd);

    (void)state;
    libxl__vscsi_unlock(lock);
    libxl__vscsi_unlock(lock_of(5));
    end_sleeper(pid, fd);
}

static void a_process_that_dies_keeps_nothing(void **state)
{
    int status, lock = -1;
    pid_t pid = fork();

    (void)state;
    assert_true(pid >= 0);
    if (!pid) {
        if (libxl__vscsi_lock(&vc, 5, &lock))
            _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    libxl__vscsi_unlock(lock_of(5));
}

/* ----- a file that was removed ----- */

static void a_file_made_again_gives_no_second_holder(void **state)
{
    char who[96];
    int lock = lock_of(5), again = -7;

    (void)state;
    assert_int_equal(unlink(lock_file), 0);
    assert_int_equal(libxl__vscsi_lock(&vc, 5, &again), ERROR_LOCK_FAIL);
    assert_int_equal(again, -7);
    format_self(who, sizeof(who));
    assert_non_null(strstr(said, who));
    libxl__vscsi_unlock(lock_of(6));    /* another domain's is free */
    assert_lost_is_looked_for(true);
    assert_int_equal(libxl__vscsi_lock(&vc, 5, &again), ERROR_LOCK_FAIL);
    libxl__vscsi_unlock(lock);
    libxl__vscsi_unlock(lock_of(5));
    assert_lost_is_looked_for(false);
}

/* Says on news that it waits, and that it has the lock; keeps it until go
 * is closed. */
static void take_and_tell(int held, int news, int go)
{
    int lock = -1;
    char c;

    close(held);                /* the parent's */
    tell_waiting = news;
    vc.timeouts.lock_ms = 20000;
    if (libxl__vscsi_lock(&vc, 5, &lock) || write(news, "+", 1) != 1)
        _exit(1);
    _exit(read(go, &c, 1) != 0);
}

/* Nobody takes the one before for the one that all others see. */
static void who_waited_for_the_file_before_looks_again(void **state)
{
    int lock = lock_of(5), again = -7, status, go[2], news[2];
    pid_t pid;
    char c;

    (void)state;
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(news), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        close(go[1]);
        take_and_tell(lock, news[1], go[0]);
    }
    close(news[1]);
    assert_int_equal(read(news[0], &c, 1), 1);
    assert_int_equal(c, '.');
    assert_int_equal(unlink(lock_file), 0);
    libxl__vscsi_unlock(lock);
    assert_int_equal(read(news[0], &c, 1), 1);
    assert_int_equal(c, '+');
    assert_int_equal(access(lock_file, F_OK), 0);
    assert_int_equal(libxl__vscsi_lock(&vc, 5, &again), ERROR_LOCK_FAIL);
    close(go[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(go[0]);
    close(news[0]);
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
        TEST(who_waits_in_vain_is_told_for_whom_and_how_long),
        TEST(a_child_keeps_no_lock_that_was_given_up),
        TEST(a_process_that_dies_keeps_nothing),
        TEST(a_file_made_again_gives_no_second_holder),
        TEST(who_waited_for_the_file_before_looks_again),
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
