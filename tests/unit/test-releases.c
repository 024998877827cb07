/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The launcher of the packages, which are there for several releases of Xen:
 * it takes what belongs to the one that runs.  The program under test looks
 * for all of it in the current directory, a new one for each test.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/xl/hooks_version.h"
#include "runner.h"

static char dir[64];

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void put_script(const char *path)
{
    write_text(path, "#!/bin/sh\necho \"$0 $* [$LD_PRELOAD]\"\n");
    assert_int_equal(chmod(path, 0755), 0);
}

static void run_release(const char *minor)
{
    write_text("major", "4\n");
    write_text("minor", minor);
}

/* Real ones: the launcher looks at them. */
static void put_hooks(const char *path)
{
    char to[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", to, sizeof(to) - 1);
    size_t at;

    assert_true(len > 0);
    to[len] = '\0';
    at = (size_t)(strrchr(to, '/') - to);
    snprintf(to + at, sizeof(to) - at, "/../hooks/xl-vscsi-hooks.so");
    assert_int_equal(symlink(to, path), 0);
}

/* Xen 4.17 runs, and is not the only one that is installed. */
static int enter_host(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test-releases.XXXXXX");
    if (!mkdtemp(dir) || chdir(dir))
        return -1;
    run_release("17\n");
    put_script("xen-4.17-scsi");
    put_script("xen-4.20-scsi");
    put_hooks("xen-4.17-hooks");
    put_hooks("xen-4.20-hooks");
    put_script("real-xl");
    return 0;
}

static int leave_host(void **state)
{
    static const char *const names[] = {
        "major", "minor", "xen-4.17-scsi", "xen-4.20-scsi",
        "xen-4.17-hooks", "xen-4.20-hooks", "real-xl",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(names[i]);
    return chdir("/") || rmdir(dir);
}

/* The loader says on stderr that the hooks here are none. */
static void assert_out(run r, const char *out)
{
    assert_string_equal(r.out, out);
    assert_true(WIFEXITED(r.status));
    assert_int_equal(WEXITSTATUS(r.status), 0);
    run_free(&r);
}

static void ours_is_that_of_the_release_that_runs(void **state)
{
    (void)state;
    assert_out(XL("scsi-list", "a", NULL), "./xen-4.17-scsi scsi-list a []\n");
    assert_out(XL("help", NULL), "./xen-4.17-scsi help []\n");
    run_release("20\n");
    assert_out(XL("scsi-list", "a", NULL), "./xen-4.20-scsi scsi-list a []\n");
}

static void the_hooks_are_those_of_the_release_that_runs(void **state)
{
    (void)state;
    assert_out(XL("create", "a", NULL),
               "./real-xl create" HOOKS_MARK " a [./xen-4.17-hooks]\n");
    run_release("20\n");
    assert_out(XL("create", "a", NULL),
               "./real-xl create" HOOKS_MARK " a [./xen-4.20-hooks]\n");
}

#define NOT_INSTALLED \
    ": No such file or directory, so PVSCSI for Xen 4.17, which runs here," \
    " is not installed"

static void a_package_that_is_missing_is_named(void **state)
{
    (void)state;
    assert_int_equal(unlink("xen-4.17-scsi"), 0);
    assert_fails_with(XL("scsi-list", NULL),
                      "xl: cannot run ./xen-4.17-scsi" NOT_INSTALLED
                      "; install xen-vscsi-4.17\n");
}

static void other_commands_do_not_need_it(void **state)
{
    static const char message[] =
        "xl: cannot preload ./xen-4.17-hooks" NOT_INSTALLED
        "; vscsi= and the SCSI devices of domains are not handled"
        " (install xen-vscsi-4.17)\n";
    run r;

    (void)state;
    assert_int_equal(unlink("xen-4.17-scsi"), 0);
    assert_int_equal(unlink("xen-4.17-hooks"), 0);
    r = XL("help", NULL);
    assert_string_equal(r.err, message);
    assert_out(r, "./real-xl help []\n");
    r = XL("-v", "list", NULL);
    assert_string_equal(r.err, message);
    assert_out(r, "./real-xl -v list []\n");
}

static void without_xen_ours_says_so(void **state)
{
    (void)state;
    assert_int_equal(unlink("major"), 0);
    assert_fails_with(XL("scsi-list", NULL),
                      "xl: no Xen runs here: . does not say which\n");
}

/* It says what is wrong, and nobody speaks of hooks. */
static void without_xen_the_rest_is_the_distributions(void **state)
{
    (void)state;
    assert_int_equal(unlink("major"), 0);
    assert_int_equal(unlink("xen-4.17-hooks"), 0);
    assert_out(XL("create", "a", NULL), "./real-xl create a []\n");
    assert_out(XL("help", NULL), "./real-xl help []\n");
}

#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, enter_host, leave_host)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(ours_is_that_of_the_release_that_runs),
        CASE(the_hooks_are_those_of_the_release_that_runs),
        CASE(a_package_that_is_missing_is_named),
        CASE(other_commands_do_not_need_it),
        CASE(without_xen_ours_says_so),
        CASE(without_xen_the_rest_is_the_distributions),
    };

    (void)argc;
    runner_init_of(argv[0], "xl-of-releases");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
