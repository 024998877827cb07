/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The launcher in front of a program named xl: what must not be done without
 * the hooks is not done without them, whatever is wrong with them.
 */
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

#include "../hooks/rig.h"

#define HOOKS "xl-vscsi-hooks.so"
#define NOBODY 65534

static int clean(void **state)
{
    (void)state;
    rig_clean();
    rig_use_hooks();
    rig_use_life("good");
    rig_put("record", "5");
    unsetenv("XL_VSCSI");
    return 0;
}

/* Nothing of it may happen without the hooks. */
static const char *const commands[] = {
    "create vscsi.cfg", "restore vscsi.cfg", "save 5 file",
    "migrate 5 true", "migrate-receive", "remus 5 true", "suspend 5",
    "resume 5", "config-update 5 vscsi.cfg", "creat vscsi.cfg", "config 5",
    "mig 5",
};

#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int launch(const char *command)
{
    char full[128];

    snprintf(full, sizeof(full), "$launch %s", command);
    return rig_run(full);
}

/* How the hooks are spoilt, and what is said. */
static const struct {
    const char *how, *says;
} faults[] = {
    { "rm " HOOKS, "No such file or directory" },
    { "rm " HOOKS "; mkdir " HOOKS, "is cut short" },
    { "rm " HOOKS "; >" HOOKS, "is cut short" },
    { "rm " HOOKS "; printf abc >" HOOKS, "is cut short" },
    { "rm " HOOKS "; seq 1000 >" HOOKS, "is no object for this machine" },
    { "rm " HOOKS "; head -c 9000 $built/" HOOKS " >" HOOKS, "is cut short" },
    { "rm " HOOKS "; cp $built/" HOOKS " .;"
      " printf '\\377' | dd of=" HOOKS " bs=1 seek=18 conv=notrunc",
      "is no object for this machine" },
    { "rm " HOOKS "; cp $built/" HOOKS " .;"
      " printf '\\377' | dd of=" HOOKS " bs=1 seek=4 conv=notrunc",
      "is no object for this machine" },
    { "rm " HOOKS "; cp $built/libfakexl.so " HOOKS,
      "is of another version than this xl" },
    { "rm " HOOKS "; sed 's/hooks interface [0-9]*/hooks interface 0/'"
      " $built/" HOOKS " >" HOOKS, "is of another version than this xl" },
};

#define NUM_FAULTS (sizeof(faults) / sizeof(faults[0]))

static void spoil(const char *how)
{
    assert_int_equal(rig_run(how), 0);
}

static int mend(void **state)
{
    (void)state;
    return system("rm -rf " HOOKS);
}

static void without_hooks_it_is_refused(void **state)
{
    char says[64];
    size_t i, j;

    for (i = 0; i < NUM_FAULTS; i++) {
        mend(state);
        clean(state);
        spoil(faults[i].how);
        for (j = 0; j < NUM_COMMANDS; j++) {
            assert_int_equal(launch(commands[j]), 1);
            assert_string_equal(rig_get("calls"), "");
            snprintf(says, sizeof(says), "xl: cannot %.*s: ",
                     (int)strcspn(commands[j], " "), commands[j]);
            assert_int_equal(rig_says(says), 1);
            assert_int_equal(rig_says(faults[i].says), 1);
            assert_int_equal(rig_says("; install xen-vscsi again.  "
                                      "XL_VSCSI=off"), 1);
        }
    }
}

static void what_has_no_need_of_them_goes_on(void **state)
{
    (void)state;
    spoil(faults[0].how);
    assert_int_equal(launch("destroy 5"), 0);
    assert_string_equal(rig_get("calls"), "destroy 5\n");
    assert_int_equal(rig_says("devices of domains are not handled"), 1);
    assert_int_equal(launch("list"), 0);
    assert_int_equal(rig_says("devices of domains are not handled"), 1);
}

static void off_goes_on_without(void **state)
{
    (void)state;
    setenv("XL_VSCSI", "off", 1);
    assert_int_equal(launch("create vscsi.cfg"), 0);
    assert_string_equal(rig_get("calls"), "create_new 5\nunpause 5\n");
    assert_int_equal(rig_says("left out, as XL_VSCSI=off says"), 1);
    spoil(faults[0].how);
    assert_int_equal(launch("create vscsi.cfg"), 0);
    assert_string_equal(rig_get("calls"), "create_new 5\nunpause 5\n");
    setenv("XL_VSCSI", "on", 1);
    assert_int_equal(launch("create vscsi.cfg"), 1);
}

/* ----- what the launcher cannot know ----- */

/* xl does not know the command then. */
static void assert_unknown(const char *command)
{
    assert_int_equal(launch(command), 1);
    assert_string_equal(rig_get("calls"), "");
    assert_int_equal(rig_says("command not implemented"), 1);
}

static void hooks_that_the_loader_does_not_take_are_missed(void **state)
{
    size_t i;

    (void)state;
    spoil("rm " HOOKS "; cp $built/" HOOKS " .;"      /* e_phentsize */
          " printf x | dd of=" HOOKS " bs=1 seek=54 conv=notrunc");
    for (i = 0; i < NUM_COMMANDS; i++)
        assert_unknown(commands[i]);
    assert_int_equal(launch("destroy 5"), 0);
    assert_string_equal(rig_get("calls"), "destroy 5\n");
}

static void an_xl_in_which_they_do_not_act_is_not_used(void **state)
{
    (void)state;
    spoil("cp $built/xl file.lx; cp $built/libfakexl.so .; ln -sf file.lx xl");
    assert_unknown("create vscsi.cfg");
}

static void hooks_of_another_version_do_not_take_the_mark(void **state)
{
    (void)state;
    spoil("rm " HOOKS "; sed 's/+vscsi[0-9]*/+vscsi0/' $built/" HOOKS
          " >" HOOKS);
    assert_unknown("create vscsi.cfg");
}

/* ----- another user's rights ----- */

/* Without a shell in between, which would give them up. */
static int launch_as_set_user_id(void)
{
    int status, out = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = fork();

    assert_true(out >= 0 && pid >= 0);
    if (!pid) {
        dup2(out, 2);
        if (!setresuid(NOBODY, 0, 0))
            execl("./launch", "xl", "create", "vscsi.cfg", (char *)NULL);
        _exit(126);
    }
    close(out);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void with_another_users_rights_it_is_refused(void **state)
{
    (void)state;
    if (geteuid()) {
        print_message("only root can have another user's rights\n");
        skip();
    }
    rig_put("calls", NULL);
    assert_int_equal(launch_as_set_user_id(), 1);
    assert_string_equal(rig_get("calls"), "");
    assert_int_equal(rig_says("is not loaded where xl gets another user's "
                              "rights; run xl as that user instead"), 1);
}

/* ----- when all is well ----- */

static void hooks_are_loaded_and_the_arguments_arrive(void **state)
{
    (void)state;
    assert_int_equal(launch("create vscsi.cfg"), 0);
    assert_string_equal(rig_get("calls"), "life read_config\n"
                        "life before_create\ncreate_new 5\n"
                        "life add_to_json\nlife after_boot\nunpause 5\n");
    assert_string_equal(rig_get("err"), "");
    assert_int_equal(launch("save 5 'file' vscsi.cfg"), 0);
    assert_int_equal(access("file", F_OK), 0);
    assert_int_equal(launch("environment LD_PRELOAD"), 0);
    assert_string_equal(rig_get("out"), "none\n");
    rig_put("record", NULL);
    assert_int_equal(rig_run("LD_PRELOAD=./" HOOKS " ./xl -v -t"
                             " create+vscsi2 plain.cfg"), 0);
    assert_string_equal(rig_get("calls"), "create_new 5\nunpause 5\n");
}

/* Who looks for the process finds it by what was typed, and as many NULs at
 * its end as the mark had characters. */
static void the_process_looks_as_it_was_typed(void **state)
{
    (void)state;
    rig_put("record", NULL);
    assert_int_equal(rig_run("EVENTS=poweroff RUN='tr \"\\0\" / "
                             "</proc/$PPID/cmdline >file' $launch create"
                             " plain.cfg 'a b' ''"), 0);
    assert_string_equal(rig_get("file"),
                        "./launch/create/plain.cfg/a b//" "///////");
}

/* ----- where it acts ----- */

static void what_xl_starts_is_not_xl(void **state)
{
    (void)state;
    assert_int_equal(rig_run("$xl environment LD_PRELOAD"), 0);
    assert_string_equal(rig_get("out"), "none\n");
    assert_int_equal(rig_run("LD_PRELOAD=./libother.so:./xl-vscsi-hooks.so"
                             " ./xl environment LD_PRELOAD"), 0);
    assert_string_equal(rig_get("out"), "./libother.so\n");
}

static void a_program_of_another_name_is_left_alone(void **state)
{
    (void)state;
    rig_use_life("missing");
    assert_int_equal(rig_run("cp $built/xl file.lx && cp $built/libfakexl.so ."
                             " && LD_PRELOAD=./xl-vscsi-hooks.so ./file.lx"
                             " create vscsi.cfg"), 0);
    assert_string_equal(rig_get("calls"), "create_new 5\nunpause 5\n");
    assert_string_equal(rig_get("err"), "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, clean, mend)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(without_hooks_it_is_refused),
        CASE(what_has_no_need_of_them_goes_on),
        CASE(off_goes_on_without),
        CASE(hooks_that_the_loader_does_not_take_are_missed),
        CASE(an_xl_in_which_they_do_not_act_is_not_used),
        CASE(hooks_of_another_version_do_not_take_the_mark),
        CASE(with_another_users_rights_it_is_refused),
        CASE(hooks_are_loaded_and_the_arguments_arrive),
        CASE(the_process_looks_as_it_was_typed),
        CASE(what_xl_starts_is_not_xl),
        CASE(a_program_of_another_name_is_left_alone),
    };
    int failed;

    (void)argc;
    rig_begin(argv[0]);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_end();
    return failed;
}
