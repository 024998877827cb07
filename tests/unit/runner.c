/* SPDX-License-Identifier: LGPL-2.1-only */
/* Runs the xl under test and keeps what came out of it. */
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner.h"

#define NOBODY 65534

static char path[PATH_MAX];

void runner_init(const char *argv0)
{
    runner_init_of(argv0, "xl-under-test");
}

void runner_init_of(const char *argv0, const char *program)
{
    char self[PATH_MAX];
    int r = -1;

    if (realpath(argv0, self))
        r = snprintf(path, sizeof(path), "%s/%s", dirname(self), program);
    if (r < 0 || (size_t)r >= sizeof(path) || access(path, X_OK)) {
        fprintf(stderr, "there is no %s beside %s\n", program, argv0);
        exit(1);
    }
}

const char *xl_under_test(void)
{
    return path;
}

static int open_text(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    int fd = memfd_create("text", 0);

    assert_true(fd >= 0);
    if (length)
        assert_int_equal(write(fd, text, length), (ssize_t)length);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static char *read_text(int fd, size_t *length_r)
{
    off_t length = lseek(fd, 0, SEEK_END);
    char *text;

    assert_true(length >= 0);
    text = calloc((size_t)length + 1, 1);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)length, 0), length);
    if (length_r)
        *length_r = (size_t)length;
    close(fd);
    return text;
}

/* What the launcher would start, as a file that is open already: the way to
 * it may be closed to nobody. */
static void exec_as_nobody(const char *const argv[])
{
    char copy[PATH_MAX];
    int dir, fd;

    memcpy(copy, path, sizeof(copy));
    dir = open(dirname(copy), O_PATH | O_DIRECTORY);
    fd = openat(dir, "xl-scsi-under-test", O_RDONLY);
    if (fd < 0 || (!geteuid() && (setgroups(0, NULL) || setgid(NOBODY) ||
                                  setuid(NOBODY))))
        return;
    fexecve(fd, (char *const *)(uintptr_t)argv, environ);
}

static run run_as(bool nobody, const char *input, const char *const argv[])
{
    int in = open_text(input), out = open_text(NULL), err = open_text(NULL);
    run r = { .status = 0 };

    r.pid = fork();
    assert_true(r.pid >= 0);
    if (!r.pid) {
        if (dup2(in, 0) != 0 || dup2(out, 1) != 1 || dup2(err, 2) != 2)
            _exit(126);
        if (nobody)
            exec_as_nobody(argv);
        else
            execv(path, (char *const *)(uintptr_t)argv);
        _exit(126);
    }
    assert_int_equal(waitpid(r.pid, &r.status, 0), r.pid);
    close(in);
    r.out = read_text(out, &r.out_length);
    r.err = read_text(err, NULL);
    return r;
}

run run_xl(const char *input, const char *const argv[])
{
    return run_as(false, input, argv);
}

run run_xl_as_nobody(const char *const argv[])
{
    return run_as(true, NULL, argv);
}

void run_free(run *r)
{
    free(r->out);
    free(r->err);
}

void assert_fails_with(run r, const char *err)
{
    assert_string_equal(r.err, err);
    assert_string_equal(r.out, "");
    assert_true(WIFEXITED(r.status));
    assert_int_equal(WEXITSTATUS(r.status), 1);
    run_free(&r);
}
