/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The real preloaded object in a program named xl that does as xl does: what
 * has nothing to do with vscsi passes; what needs the second object has it,
 * or does not happen and is said once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../hooks/rig.h"


static int clean(void **state)
{
    (void)state;
    rig_clean();
    unsetenv("XL_VSCSI");
    return 0;
}

/* Files as xl saves them: saved.plain; saved.vscsi of a domain that has SCSI
 * devices; saved.asks, which begins as what a sender that waits for an answer
 * sends. */
static int save_files(void **state)
{
    (void)state;
    return rig_run("$bare save 5 saved.plain &&"
                   " sed 's/{\"name\":\"g\"}/{\"vscsictrls\":[]}/'"
                   " saved.plain >saved.vscsi && cp saved.vscsi saved.asks &&"
                   " printf '\\100' | dd of=saved.asks bs=1 seek=39"
                   " conv=notrunc");
}

/* ----- the operations ----- */

typedef struct operation {
    const char *command;
    /* Where vscsi matters and nobody is there to handle it: */
    int status;
    const char *calls;
    /* That of a domain that has nothing to do with it, if it is another. */
    const char *plain;
    const char *says;
} operation;

#define RECEIVER "'printf \"xl migration receiver: here\";" \
                 " exec >/dev/null; cat'"
#define MEANWHILE(event) \
    "EVENTS=" event " RUN='echo 5 >record' $xl create plain.cfg"
#define MEANWHILE_PLAIN(event) "EVENTS=" event " $xl create plain.cfg"

/* Domain 5 has SCSI devices on record, but for those that come to have them
 * while their monitor waits. */
static const operation operations[] = {
    { "$xl create vscsi.cfg", 1, "", "$xl create plain.cfg",
      "vscsi.cfg: vscsi= is not heeded, and nothing done" },
    { "$xl restore saved.vscsi", 1, "", "$xl restore saved.plain",
      "the domain is not started without its SCSI devices" },
    { "$xl restore vscsi.cfg saved.vscsi", 1, "",
      "$xl restore plain.cfg saved.plain", "vscsi= is not heeded" },
    { "$xl save 5 file", 1, "", NULL,
      "domain 5 is not saved or sent without its SCSI devices" },
    { "$xl save 5 file plain.cfg", 1, "", NULL,
      "domain 5 is not saved or sent without its SCSI devices" },
    { "$xl migrate 5 " RECEIVER, 1, "", NULL,
      "domain 5 is not saved or sent without its SCSI devices" },
    { "$xl migrate 5 " RECEIVER " plain.cfg", 1, "", NULL,
      "domain 5 is not saved or sent without its SCSI devices" },
    { "$xl remus 5 " RECEIVER, 1, "", NULL, "domain 5 is not saved or sent" },
    { "$xl migrate-receive <saved.vscsi", 1, "", "$xl restore saved.plain",
      "the domain is not started without its SCSI devices" },
    { "$xl suspend 5", 1, "", NULL, "domain 5 is not suspended" },
    { "$xl resume 5", 1, "", NULL, "domain 5 is not resumed" },
    { "$xl config-update 5 vscsi.cfg", 1, "", "$xl config-update 5 plain.cfg",
      "vscsi= is not heeded" },
    { MEANWHILE("reboot"), 3, "create_new 5\nunpause 5\ndestroy 5\n",
      MEANWHILE_PLAIN("reboot"),
      "the domain is not started without its SCSI devices" },
    { MEANWHILE("soft-reset"), 3, "create_new 5\nunpause 5\ndestroy 5\n",
      MEANWHILE_PLAIN("soft-reset"),
      "domain 5 is not started again without its SCSI devices" },
    { MEANWHILE("rename"), 255, "create_new 5\nunpause 5\n",
      MEANWHILE_PLAIN("rename"), "domain 5 stays as it is" },
    { MEANWHILE("poweroff"), 0, "create_new 5\nunpause 5\ndestroy 5\n",
      MEANWHILE_PLAIN("poweroff"), "domain 5 is destroyed, and what dom0 has"
      " of its SCSI devices is left to xl scsi-cleanup" },
    { "$xl destroy 5", 0, "destroy 5\n", NULL, "domain 5 is destroyed" },
    { "$xl list 5", 0, "", NULL,
      "the SCSI devices of domain 5 are not shown" },
};

#define NUM_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static bool is_meanwhile(const operation *op)
{
    return strstr(op->command, "RUN=") != NULL;
}

static void prepare(const operation *op, bool has_devices)
{
    rig_clean();
    if (has_devices && !is_meanwhile(op))
        rig_put("record", "5\n");
    /* What xl reads is what libxl keeps, and has the list in it. */
    if (has_devices)
        rig_put("stored", "{\"vscsictrls\":[]}");
}

/* ----- nobody is there ----- */

static const struct {
    const char *life, *reason;
} unusable[] = {
    { "missing", "cannot open shared object file" },
    { "garbage", "file too short" },
    { "broken", "undefined symbol" },
    { "foreign", "is built for another release of Xen than this xl" },
    { "old", "is of another version than this xl's hooks" },
    { "newer", "is of another version than this xl's hooks" },
    { "unable", "does not start" },
};

#define NUM_UNUSABLE (sizeof(unusable) / sizeof(unusable[0]))

static void check_refused(const operation *op, const char *reason)
{
    int status;

    prepare(op, true);
    status = rig_run(op->command);
    if (status != op->status || strcmp(rig_get("calls"), op->calls))
        print_error("%s: exit %d, %s, %s\n", op->command, status, op->calls,
                    rig_get("err"));
    assert_int_equal(status, op->status);
    assert_string_equal(rig_get("calls"), op->calls);
    assert_int_equal(rig_says(op->says), 1);
    assert_int_equal(rig_says(reason), 1);
    assert_int_equal(rig_says("XL_VSCSI=off in the environment"), 1);
    if (!strstr(op->command, "plain.cfg"))
        assert_int_equal(access("file", F_OK), -1);
}

static void what_needs_an_object_that_is_not_there_is_refused(void **state)
{
    size_t i, j;

    (void)state;
    for (i = 0; i < NUM_UNUSABLE; i++) {
        rig_use_life(unusable[i].life);
        for (j = 0; j < NUM_OPERATIONS; j++)
            check_refused(&operations[j], unusable[i].reason);
    }
}

static void a_record_that_cannot_be_read_counts(void **state)
{
    static const char *const stores[] = { "none", "13", "5" };
    size_t i;

    (void)state;
    rig_use_life("missing");
    for (i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        rig_put("store", stores[i]);
        assert_int_equal(rig_run("$xl save 5 file"), 1);
        assert_string_equal(rig_get("calls"), "");
        assert_int_equal(access("file", F_OK), -1);
    }
}

/* What is done, and what is said, is what xl does without hooks. */
static void assert_as_without(const char *with)
{
    char without[512] = "", *at, calls[4096], err[4096];
    int status;

    at = strstr(with, "$xl");
    snprintf(without, sizeof(without), "%.*s$bare%s", (int)(at - with), with,
             at + 3);
    status = rig_run(without);
    snprintf(calls, sizeof(calls), "%s", rig_get("calls"));
    snprintf(err, sizeof(err), "%s", rig_get("err"));
    assert_int_equal(rig_run(with), status);
    assert_string_equal(rig_get("calls"), calls);
    assert_string_equal(rig_get("err"), err);
}

static void what_has_nothing_to_do_with_it_passes(void **state)
{
    const operation *op;
    size_t i;

    (void)state;
    rig_use_life("missing");
    for (i = 0; i < NUM_OPERATIONS; i++) {
        op = &operations[i];
        prepare(op, false);
        assert_as_without(op->plain ? op->plain : op->command);
    }
}

static void off_goes_on_without(void **state)
{
    const operation *op;
    size_t i;

    (void)state;
    rig_use_life("missing");
    setenv("XL_VSCSI", "off", 1);
    for (i = 0; i < NUM_OPERATIONS; i++) {
        op = &operations[i];
        if (is_meanwhile(op))
            continue;
        prepare(op, true);
        assert_as_without(op->command);
    }
    setenv("XL_VSCSI", "of", 1);
    assert_int_equal(rig_run("$xl create vscsi.cfg"), 1);
}

static void a_list_that_is_empty_needs_nobody(void **state)
{
    (void)state;
    rig_use_life("missing");
    rig_put("empty.cfg", "vscsi=[]\n");
    assert_int_equal(rig_run("$xl create empty.cfg"), 0);
    rig_put("wrong.cfg", "vscsi='/dev/sdb,0:0:0:0'\n");
    assert_int_equal(rig_run("$xl create wrong.cfg"), 1);
    assert_int_equal(rig_says("vscsi= is not heeded"), 1);
}

/* What libxl keeps may have a list that does not hold any more. */
static void the_record_counts_and_not_what_libxl_keeps(void **state)
{
    (void)state;
    rig_use_life("missing");
    rig_put("stored", "{\"vscsictrls\":[]}");
    assert_int_equal(rig_run("$xl save 5 file"), 0);
    assert_string_equal(rig_get("calls"), "suspend 5\ndestroy 5\n");
    assert_string_equal(rig_get("err"), "");
}

static void other_changes_of_such_a_domain_are_not_held_up(void **state)
{
    (void)state;
    rig_use_life("missing");
    rig_put("stored", "{\"vscsictrls\":[]}");
    rig_put("record", "5");
    assert_int_equal(rig_run("$xl network-attach 5"), 0);
    assert_string_equal(rig_get("calls"), "nic_add 5\n");
    assert_string_equal(rig_get("err"), "");
}

/* The sender waits for an answer, and is told why. */
static void a_receiver_that_cannot_says_why(void **state)
{
    const char *out;
    unsigned long length;
    char *end;

    (void)state;
    rig_use_life("missing");
    assert_int_equal(rig_run("$xl migrate-receive <saved.asks"), 1);
    assert_string_equal(rig_get("calls"), "");
    out = strstr(rig_get("out"), "xl vscsi answer ");
    assert_non_null(out);
    out += strlen("xl vscsi answer ");
    length = strtoul(out, &end, 16);
    assert_ptr_equal(end, out + 8);
    assert_int_equal(strlen(end), length);
    assert_non_null(strstr(end, "cannot open shared object file"));
}

static void a_saved_guest_keeps_its_devices_whatever_the_file_says(void **s)
{
    static const char *const lives[] = { "missing", "good" };
    size_t i;

    (void)s;
    for (i = 0; i < 2; i++) {
        rig_use_life(lives[i]);
        assert_int_equal(rig_run("$xl restore plain.cfg saved.vscsi"), 1);
        assert_string_equal(rig_get("calls"), "");
        assert_int_equal(rig_says("plain.cfg: vscsi= is missing"), 1);
    }
    /* Once it runs, a new configuration may have none. */
    rig_put("record", NULL);
    assert_int_equal(rig_run("EVENTS=reboot RUN='cp plain.cfg updated'"
                             " $xl restore vscsi.cfg saved.vscsi"), 0);
}

/* ----- disks of domains ----- */

static void a_disk_that_may_be_a_guests_is_refused(void **state)
{
    (void)state;
    rig_use_life("missing");
    assert_int_equal(rig_run("mkdir backends && >backends/vbd-5-51712 &&"
                             " $xl create plain.cfg &&"
                             " $xl block-attach 5"), 0);
    assert_int_equal(rig_run(">backends/vscsi-7-0; $xl create plain.cfg"), 3);
    assert_string_equal(rig_get("calls"), "");
    assert_int_equal(rig_says("no disk is used"), 1);
    assert_int_equal(rig_run("$xl block-attach 5"), 1);
    assert_string_equal(rig_get("calls"), "");
}

/* It had them before, and nobody else got them in between. */
static void a_plain_guest_reboots_with_its_disks(void **state)
{
    (void)state;
    rig_use_life("missing");
    assert_int_equal(rig_run("EVENTS=reboot RUN='mkdir backends;"
                             " >backends/vscsi-7-0' $xl create plain.cfg"),
                     0);
    assert_int_equal(rig_says("disks are used again"), 1);
    assert_string_equal(rig_get("calls"), "create_new 5\nunpause 5\n"
                        "destroy 5\ncreate_new 6\nunpause 6\n");
}

/* scsi-attach warns where it is not. */
static void a_domain_of_this_xl_is_marked(void **state)
{
    static const char marks[] = "/libxl/5/scsi-monitor=2\n"
                                "/libxl/6/scsi-monitor=2\n";

    (void)state;
    assert_int_equal(rig_run("EVENTS=reboot $xl create plain.cfg"), 0);
    assert_string_equal(rig_get("written"), marks);
    unlink("written");
    assert_int_not_equal(rig_run("FAIL=create_new=-3 $xl create plain.cfg"),
                         0);
    assert_string_equal(rig_get("written"), "");
    assert_int_equal(rig_run("XL_VSCSI=off $xl create plain.cfg"), 0);
    assert_string_equal(rig_get("written"), "");
}

/* ----- somebody is there ----- */

static void assert_calls(const char *command, int status, const char *calls)
{
    int r = rig_run(command);

    if (r != status || strcmp(rig_get("calls"), calls))
        print_error("%s: exit %d, %s\n", command, r, rig_get("err"));
    assert_int_equal(r, status);
    assert_string_equal(rig_get("calls"), calls);
}

#define BORN "life before_create\ncreate_new 5\nlife add_to_json\n" \
             "life after_boot\nunpause 5\n"
#define AGAIN(n) "life before_create\ncreate_new " n "\nlife add_to_json\n" \
                 "life after_boot\nunpause " n "\n"

static void a_life_with_the_object(void **state)
{
    (void)state;
    rig_use_life("good");
    assert_calls("$xl create vscsi.cfg", 0, "life read_config\n" BORN);
    assert_calls("$xl restore saved.vscsi", 0, "life take_from_json\n"
                 "life before_create\ncreate_restore 5\nlife add_to_json\n"
                 "life after_restore\nunpause 5\n");
    rig_put("stored", NULL);
    rig_put("record", "5");
    assert_calls("$xl save 5 file", 0, "life retrieved\nlife add_to_json\n"
                 "life before_suspend\nsuspend 5\nlife destroy\ndestroy 5\n");
    assert_calls("$xl suspend 5", 0, "suspend_only 5\n");
    assert_calls("$xl resume 5", 0, "resume 5\nlife resumed\n");
    assert_calls("$xl destroy 5", 0, "life destroy\ndestroy 5\n");
    assert_calls("$xl migrate 5 " RECEIVER, 1, "life retrieved\n"
                 "life add_to_json\nlife receiver_is_there\n"
                 "life sends_header\nlife before_suspend\nsuspend 5\n"
                 "resume 5\nlife resumed\n");
    assert_calls("FAIL='remus_start=-8' $xl remus 5 " RECEIVER, 1,
                 "life retrieved\nlife add_to_json\n"
                 "life receiver_is_there\nlife sends_header\n"
                 "life before_remus\nremus_start 5\n");
}

static void a_monitor_with_the_object(void **state)
{
    (void)state;
    rig_use_life("good");
    assert_calls("EVENTS='reboot poweroff' $xl create vscsi.cfg", 0,
                 "life read_config\n" BORN
                 "life take_from_json\nlife retrieved\nlife destroy\n"
                 "destroy 5\n" AGAIN("6") "life destroy\ndestroy 6\n");
    rig_put("stored", NULL);
    assert_calls("EVENTS=rename $xl create vscsi.cfg", 0,
                 "life read_config\n" BORN "life take_from_json\n"
                 "life retrieved\npreserve 5\nlife preserved\n" AGAIN("6"));
    assert_calls("EVENTS=soft-reset $xl create vscsi.cfg", 0,
                 "life read_config\n" BORN "life take_from_json\n"
                 "life retrieved\nlife soft_reset\nsoft_reset 5\n"
                 "unpause 5\n");
    /* Attached while it ran. */
    rig_put("stored", NULL);
    assert_calls("EVENTS=reboot RUN='echo 5 >record' $xl create plain.cfg", 0,
                 "create_new 5\nunpause 5\nlife retrieved\nlife destroy\n"
                 "destroy 5\n" AGAIN("6"));
}

/* Whatever is installed under it. */
static void a_monitor_keeps_what_it_has_loaded(void **state)
{
    (void)state;
    rig_use_life("good");
    assert_calls("EVENTS=reboot RUN='rm xl-vscsi-life.so' $xl create"
                 " vscsi.cfg", 0, "life read_config\n" BORN
                 "life take_from_json\nlife retrieved\nlife destroy\n"
                 "destroy 5\n" AGAIN("6"));
}

/* ----- what it says counts ----- */

static void an_error_before_the_guest_is_touched_touches_nothing(void **state)
{
    char command[128];
    int rc;

    (void)state;
    rig_use_life("good");
    rig_put("record", "5");
    for (rc = 1; rc < 32; rc++) {
        snprintf(command, sizeof(command),
                 "FAIL='before_create=-%d' $xl create vscsi.cfg", rc);
        assert_calls(command, rc, "life read_config\nlife before_create\n");
        snprintf(command, sizeof(command),
                 "FAIL='before_suspend=-%d' $xl save 5 file", rc);
        assert_calls(command, 1, "life retrieved\nlife add_to_json\n"
                     "life before_suspend\n");
        snprintf(command, sizeof(command),
                 "FAIL='retrieved=-%d' $xl save 5 file", rc);
        assert_calls(command, 1, "life retrieved\n");
        snprintf(command, sizeof(command),
                 "FAIL='read_config=%d' $xl create vscsi.cfg", rc);
        assert_calls(command, 1, "life read_config\n");
        snprintf(command, sizeof(command),
                 "FAIL='check_disks=-%d' $xl block-attach 5", rc);
        assert_calls(command, 0, "disk_add 5\n");
    }
    assert_calls("FAIL=add_to_json=1 $xl save 5 file", 1,
                 "life retrieved\nlife add_to_json\n");
    assert_calls("FAIL=before_remus=-8 $xl remus 5 " RECEIVER, 1,
                 "life retrieved\nlife add_to_json\n"
                 "life receiver_is_there\nlife sends_header\n"
                 "life before_remus\n");
}

static void an_error_of_libxl_is_passed_on(void **state)
{
    (void)state;
    rig_use_life("good");
    rig_put("record", "5");
    assert_calls("FAIL=create_new=-6 $xl create vscsi.cfg", 6,
                 "life read_config\nlife before_create\ncreate_new 5\n");
    assert_calls("FAIL=retrieve=-3 $xl save 5 file", 1, "");
    assert_calls("FAIL=suspend=-3 $xl save 5 file", 1, "life retrieved\n"
                 "life add_to_json\nlife before_suspend\nsuspend 5\n"
                 "resume 5\nlife resumed\n");
    assert_calls("FAIL=resume=-3 $xl resume 5", 0, "resume 5\n");
    assert_calls("FAIL=preserve=-3 EVENTS=rename $xl create vscsi.cfg", 255,
                 "life read_config\n" BORN "life take_from_json\n"
                 "life retrieved\npreserve 5\n");
}

#define CASE(name) cmocka_unit_test_setup(name, clean)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(what_has_nothing_to_do_with_it_passes),
        CASE(what_needs_an_object_that_is_not_there_is_refused),
        CASE(a_record_that_cannot_be_read_counts),
        CASE(off_goes_on_without),
        CASE(a_list_that_is_empty_needs_nobody),
        CASE(the_record_counts_and_not_what_libxl_keeps),
        CASE(other_changes_of_such_a_domain_are_not_held_up),
        CASE(a_receiver_that_cannot_says_why),
        CASE(a_saved_guest_keeps_its_devices_whatever_the_file_says),
        CASE(a_disk_that_may_be_a_guests_is_refused),
        CASE(a_plain_guest_reboots_with_its_disks),
        CASE(a_domain_of_this_xl_is_marked),
        CASE(a_life_with_the_object),
        CASE(a_monitor_with_the_object),
        CASE(a_monitor_keeps_what_it_has_loaded),
        CASE(an_error_before_the_guest_is_touched_touches_nothing),
        CASE(an_error_of_libxl_is_passed_on),
    };
    int failed;

    (void)argc;
    rig_begin(argv[0]);
    failed = cmocka_run_group_tests(tests, save_files, NULL);
    rig_end();
    return failed;
}
