/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl is the distribution's xl for everything that is not ours.  The program
 * under test was built with ./real-xl as the distribution's; the test puts
 * one there, in a directory of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#include "runner.h"

#ifndef FAKE_XL
#define FAKE_XL "tests/unit/fake-xl.sh"     /* from the top of the tree */
#endif

static void set_real(const char *target)
{
    assert_true(!unlink("real-xl") || errno == ENOENT);
    if (target)
        assert_int_equal(symlink(target, "real-xl"), 0);
}

static char dir[] = "/tmp/test-launcher.XXXXXX";
static char fake[PATH_MAX];

static int enter_dir(void **state)
{
    (void)state;
    return !realpath(FAKE_XL, fake) || !mkdtemp(dir) || chdir(dir);
}

static int leave_dir(void **state)
{
    (void)state;
    set_real(NULL);
    return chdir("/") || rmdir(dir);
}

static int use_fake(void **state)
{
    (void)state;
    set_real(fake);
    return 0;
}

static void assert_exits(run r, int status, const char *out)
{
    assert_string_equal(r.err, "");
    assert_string_equal(r.out, out);
    assert_true(WIFEXITED(r.status));
    assert_int_equal(WEXITSTATUS(r.status), status);
    run_free(&r);
}

/* ----- handed over ----- */

static void assert_passed(const char *const argv[])
{
    run r = run_xl(NULL, argv);
    size_t i, at = 0;

    for (i = 1; argv[i]; i++) {
        assert_true(at < r.out_length);
        assert_string_equal(r.out + at, argv[i]);
        at += strlen(argv[i]) + 1;
    }
    assert_int_equal(at, r.out_length);
    run_free(&r);
}

#define ASSERT_PASSED(...) assert_passed(ARGV(__VA_ARGS__, NULL))

static void arguments_arrive_unchanged(void **state)
{
    char every[256];
    unsigned c;

    (void)state;
    for (c = 1; c < 256; c++)
        every[c - 1] = (char)c;
    every[255] = '\0';
    ASSERT_PASSED("list", "two words", "", "line\nbreak\n", "-", "--", "");
    ASSERT_PASSED("create", "-c", "x.cfg", "name=\"a b\"", "vscsi=['$(id)']");
    ASSERT_PASSED("list", every);
    ASSERT_PASSED("-vvv", "-f", "list", "-N", "scsi-list");
    ASSERT_PASSED("-N", "create", "x.cfg");
    ASSERT_PASSED("--", "list");
}

static void an_option_we_do_not_know_is_the_real_ones(void **state)
{
    (void)state;
    ASSERT_PASSED("-Z", "scsi-list");
    ASSERT_PASSED("-vZ", "list");
    ASSERT_PASSED("--version");
}

static void a_beginning_that_is_not_ours_alone_is_the_real_ones(void **state)
{
    (void)state;
    ASSERT_PASSED("s");
    ASSERT_PASSED("sc");
    ASSERT_PASSED("scsi");
    ASSERT_PASSED("scsi-");
    ASSERT_PASSED("scsi-lists");
    ASSERT_PASSED("");
    ASSERT_PASSED("help", "scsi");
    ASSERT_PASSED("help", "list");
}

static void every_exit_code_is_passed_on(void **state)
{
    char code[12];
    int i;

    (void)state;
    for (i = 0; i < 256; i++) {
        snprintf(code, sizeof(code), "%d", i);
        assert_exits(XL("exit", code, NULL), i, "");
    }
}

static void death_by_a_signal_is_seen(void **state)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        { "KILL", SIGKILL }, { "TERM", SIGTERM }, { "INT", SIGINT },
        { "SEGV", SIGSEGV }, { "HUP", SIGHUP },
    };
    char name[8];
    size_t i;
    run r;

    (void)state;
    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        snprintf(name, sizeof(name), "%s", signals[i].name);
        /* What is started in the background inherits some as ignored. */
        signal(signals[i].number, SIG_DFL);
        r = XL("die", name, NULL);
        assert_true(WIFSIGNALED(r.status));
        assert_int_equal(WTERMSIG(r.status), signals[i].number);
        run_free(&r);
    }
}

static void it_is_the_same_process(void **state)
{
    run r = XL("pid", NULL);

    (void)state;
    assert_int_equal(strtol(r.out, NULL, 10), r.pid);
    run_free(&r);
}

static void stdin_is_passed_on(void **state)
{
    (void)state;
    assert_exits(run_xl("y\nsome input\n", ARGV("cat", NULL)), 0,
                 "y\nsome input\n");
}

/* Runs `xl tty` on the terminal; what it prints comes back through it. */
static void run_on_terminal(int terminal)
{
    pid_t pid;
    int status;

    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        if (dup2(terminal, 0) == 0 && dup2(terminal, 1) == 1)
            execl(xl_under_test(), "xl", "tty", (char *)NULL);
        _exit(126);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void the_terminal_is_passed_on(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), terminal;
    char name[128], seen[256];
    ssize_t n;

    (void)state;
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    assert_int_equal(ptsname_r(master, name, sizeof(name)), 0);
    terminal = open(name, O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    run_on_terminal(terminal);
    n = read(master, seen, sizeof(seen) - 1);
    assert_true(n > 0);
    seen[n] = '\0';
    assert_memory_equal(seen, name, strlen(name));
    close(terminal);
    close(master);
}

/* ----- help ----- */

#define LIST \
    "Usage xl [-vfNtT] <subcommand> [args]\n" \
    "\n" \
    "xl full list of subcommands:\n" \
    "\n" \
    " create              Create a domain\n" \
    " config-update       Update a configuration.\n" \
    "WARNING: a second line of the description\n" \
    " pci-assignable-remove \n" \
    "                     A name that is too long for the column\n" \
    " network-detach      Take a network device\n" \
    " block-attach        Give a disk\n" \
    " block-list          Show disks\n" \
    " block-detach        Take a disk\n" \
    " scsi-attach         Attach a SCSI device of dom0 to a domain\n" \
    " scsi-detach         Detach a SCSI device from a domain\n" \
    " scsi-list           List the SCSI devices of dom0 that domains have\n" \
    " scsi-assignable-list \n" \
    "                     List the SCSI devices that dom0 can give to" \
    " domains\n" \
    " scsi-wake           Let a domain go on whose SCSI devices stayed" \
    " suspended\n" \
    " scsi-cleanup        Remove what destroyed domains left of their SCSI" \
    " devices\n" \
    " vtpm-attach         Give a TPM\n"

static void help_lists_ours_among_the_real_ones(void **state)
{
    (void)state;
    assert_exits(XL("help", NULL), 0, LIST);
    assert_exits(XL("help", "help", NULL), 0, LIST);
}

static void without_a_command_the_exit_code_is_the_real_ones(void **state)
{
    (void)state;
    assert_exits(XL(NULL), 1, LIST);
}

static void an_h_among_the_global_options_is_the_real_ones(void **state)
{
    run r = XL("-h", NULL);

    (void)state;
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "unknown global option\n");
    assert_int_equal(WEXITSTATUS(r.status), 1);
    run_free(&r);
}

/* The distribution's completion, literally. */
static void help_suits_the_distributions_completion(void **state)
{
    char script[PATH_MAX + 128], answer[16];
    FILE *f;

    (void)state;
    snprintf(script, sizeof(script), "'%s' help | sed '1,4d' |"
             " awk '/^ [^ ]/{print $1}' | grep -c '^scsi-'",
             xl_under_test());
    f = popen(script, "r");
    assert_non_null(f);
    assert_non_null(fgets(answer, sizeof(answer), f));
    assert_string_equal(answer, "6\n");
    assert_int_equal(pclose(f), 0);
}

#define ATTACH_USAGE \
    "Usage: xl [-vtTfN] scsi-attach [-f] [--libvirt] <Domain>" \
    " <PhysDevice> [<VirtDevice>][,<Option>...]\n" \
    "\n" \
    "Attach a SCSI device of dom0 to a domain.\n" \
    "\n" \
    "Options:\n" \
    "\n" \
    "-h                   Print this help.\n" \
    "-f, --force          Of a <PhysDevice> that ends in :*, attach what\n" \
    "                     is free, and name the rest.\n" \
    "--libvirt            Keep it in libvirt's definition of the domain.\n" \
    "--timeout=SECONDS    How long domain and dom0 may take to connect\n" \
    "                     the device (default 60).\n" \
    "\n"

static void help_of_ours_does_not_need_the_real_one(void **state)
{
    (void)state;
    set_real(NULL);
    assert_exits(XL("help", "scsi-attach", NULL), 0, ATTACH_USAGE);
    assert_exits(XL("help", "scsi-at", NULL), 0, ATTACH_USAGE);
    assert_exits(XL("scsi-attach", "-h", NULL), 0, ATTACH_USAGE);
    assert_exits(XL("scsi-at", "--help", NULL), 0, ATTACH_USAGE);
    assert_exits(XL("-vvv", "-N", "scsi-attach", "-h", NULL), 0,
                 ATTACH_USAGE);
}

/* ----- no real one ----- */

static void a_missing_real_one_is_named(void **state)
{
    static const char message[] =
        "xl: cannot run the distribution's xl, ./real-xl: No such file or"
        " directory\n";

    (void)state;
    set_real(NULL);
    assert_fails_with(XL("list", NULL), message);
    assert_fails_with(XL("help", NULL), message);
}

static void it_does_not_run_itself(void **state)
{
    static const char message[] =
        "xl: ./real-xl, which should be the distribution's xl, is this"
        " program itself; reinstall the distribution's xen-utils package\n";

    (void)state;
    set_real(xl_under_test());
    assert_fails_with(XL("list", NULL), message);
    assert_fails_with(XL("help", NULL), message);
}

#define CASE(name) cmocka_unit_test_setup(name, use_fake)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(arguments_arrive_unchanged),
        CASE(an_option_we_do_not_know_is_the_real_ones),
        CASE(a_beginning_that_is_not_ours_alone_is_the_real_ones),
        CASE(every_exit_code_is_passed_on),
        CASE(death_by_a_signal_is_seen),
        CASE(it_is_the_same_process),
        CASE(stdin_is_passed_on),
        CASE(the_terminal_is_passed_on),
        CASE(help_lists_ours_among_the_real_ones),
        CASE(without_a_command_the_exit_code_is_the_real_ones),
        CASE(an_h_among_the_global_options_is_the_real_ones),
        CASE(help_suits_the_distributions_completion),
        CASE(help_of_ours_does_not_need_the_real_one),
        CASE(it_does_not_run_itself),
        CASE(a_missing_real_one_is_named),
    };

    (void)argc;
    runner_init(argv[0]);
    return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
