/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Both real objects in a program named xl, around a libxenlight-vscsi that
 * only answers: every string that the two sides of a migration may say to
 * each other, and every way in which what is asked for may fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../hooks/rig.h"

#define DISK "/dev/sdb,0:0:0:0"

static int clean(void **state)
{
    (void)state;
    rig_clean();
    rig_put("record", "5");
    rig_put("vscsictrls", DISK "\n");
    return 0;
}

/* Of a domain that has the disk, as xl saves it: saved.vscsi; with a header
 * that asks; and with a list that is none. */
static int save_files(void **state)
{
    (void)state;
    rig_use_life("real");
    rig_clean();
    rig_put("record", "5");
    rig_put("vscsictrls", DISK "\n");
    return rig_run("$xl save 5 saved.vscsi && cp saved.vscsi saved.asks &&"
                   " printf '\\100' | dd of=saved.asks bs=1 seek=39"
                   " conv=notrunc &&"
                   " sed 's/\"devid\": 0/\"devid\": x/' saved.asks"
                   " >saved.wrong");
}

static void assert_calls(const char *command, int status, const char *calls)
{
    int r = rig_run(command);

    if (r != status || strcmp(rig_get("calls"), calls))
        print_error("%s: exit %d, %s\n", command, r, rig_get("err"));
    assert_int_equal(r, status);
    assert_string_equal(rig_get("calls"), calls);
}

/* ----- what the sender may hear ----- */

#define ANSWER "xl vscsi answer "
#define GO_ON  "suspend 5\nresume 5\nvscsi_resume 5\n"

/* A receiver that says what is in the file "file", and then nothing. */
static int hear(const char *answer)
{
    rig_put("file", answer);
    return rig_run("$xl migrate 5 'printf \"xl migration receiver: here\";"
                   " cat file; exec >/dev/null; cat'");
}

static void assert_stops(const char *answer, const char *says)
{
    assert_int_equal(hear(answer), 1);
    if (rig_says(says) != 1)
        print_error("\"%s\": %s\n", answer, rig_get("err"));
    assert_string_equal(rig_get("calls"), "");
    assert_int_equal(rig_says(says), 1);
}

static void no_reasons_mean_go_ahead(void **state)
{
    (void)state;
    assert_int_equal(hear(ANSWER "00000000"), 1);
    assert_string_equal(rig_get("calls"), GO_ON);
}

static void reasons_are_shown(void **state)
{
    (void)state;
    assert_stops(ANSWER "00000012no tape\nno changer",
                 "xl: vscsi:     no tape\n");
    assert_int_equal(rig_says("xl: vscsi:     no changer\n"), 1);
    assert_int_equal(rig_says("cannot take all SCSI devices of the domain, "
                              "which runs on here"), 1);
}

static void reasons_that_do_not_arrive_are_reasons(void **state)
{
    static const char lost[] = "its reasons were lost";

    (void)state;
    assert_stops(ANSWER "00000012no tape", lost);
    assert_stops(ANSWER "00000001", lost);
    assert_stops(ANSWER "00010000no tape", lost);
    assert_stops(ANSWER "7fffffffno tape", lost);
    assert_stops(ANSWER "ffffffffno tape", lost);
}

static void what_is_no_answer_stops_it(void **state)
{
    static const char *const texts[] = {
        ANSWER "zzzzzzzz", ANSWER "0000000g", ANSWER "-0000000",
        ANSWER "       0", ANSWER "0x000000", ANSWER "0\n0000000",
        ANSWER "0000000F", "XL VSCSI ANSWER 00000000",
        "xl vscsi answer=00000000", "ready, and more than an answer",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_stops(texts[i], "the xl of the other host cannot take SCSI "
                     "devices: install xen-vscsi there");
}

static void an_answer_that_ends_early_stops_it(void **state)
{
    static const char whole[] = ANSWER "00000000";
    char cut[sizeof(whole)];
    size_t length;

    (void)state;
    for (length = 0; length < sizeof(whole) - 1; length++) {
        memcpy(cut, whole, length);
        cut[length] = '\0';
        assert_stops(cut, "install xen-vscsi there");
    }
}

static void silence_stops_it(void **state)
{
    (void)state;
    assert_int_equal(rig_run("$xl migrate 5 'printf \"xl migration receiver:"
                             " here\"; cat >/dev/null'"), 1);
    assert_string_equal(rig_get("calls"), "");
    assert_int_equal(rig_says("does not say whether it can take"), 1);
}

static void an_xl_without_hooks_is_not_sent_to(void **state)
{
    (void)state;
    assert_calls("$xl migrate 5 '$bare migrate-receive;"
                 " exec >/dev/null; cat'", 1, "");
    assert_int_equal(rig_says("install xen-vscsi there"), 1);
}

/* ----- what the receiver says ----- */

/* What follows the banner on the way back. */
static const char *said(void)
{
    static const char banner[] = "xl migration receiver: here";
    const char *out = rig_get("out");

    assert_memory_equal(out, banner, sizeof(banner) - 1);
    return out + sizeof(banner) - 1;
}

static void a_receiver_that_can_says_so_and_goes_on(void **state)
{
    (void)state;
    rig_put("record", NULL);
    assert_calls("$xl migrate-receive <saved.asks", 1,
                 "vscsi_check 1\ncreate_restore 5\ngets " DISK "\n"
                 "vscsictrl_add 5\n");
    assert_memory_equal(said(), ANSWER "00000000ready", 24 + 5);
}

static void a_receiver_that_cannot_says_why(void **state)
{
    (void)state;
    assert_calls("FAIL=vscsi_check=-6 $xl migrate-receive <saved.asks", 1,
                 "vscsi_check 1\n");
    assert_string_equal(said(), ANSWER "00000012vscsi_check fails\n");
    assert_int_equal(rig_says("is not started without them"), 1);
}

/* What it does not know may be what the guest's data depends on; another
 * version of the question would have another flag. */
static void what_a_newer_sender_knows_is_refused(void **state)
{
    (void)state;
    assert_calls("sed 's/\"devid\": 0/\"dreid\": 0/' saved.asks |"
                 " $xl migrate-receive", 1, "");
    assert_non_null(strstr(said(), "the list of devices cannot be read"));
    assert_calls("cp saved.asks newer && printf '\\040' | dd of=newer bs=1 seek=39"
                 " conv=notrunc && $xl migrate-receive <newer", 1, "");
    assert_null(strstr(said(), ANSWER));
}

static void a_list_that_cannot_be_read_is_no_empty_one(void **state)
{
    (void)state;
    assert_calls("$xl migrate-receive <saved.wrong", 1, "");
    assert_non_null(strstr(said(), "the list of devices cannot be read"));
    assert_calls("$xl restore saved.wrong", 1, "");
    assert_int_equal(rig_says("is not started without them"), 1);
}

/* Both sides, with each other. */
static void a_domain_moves_with_its_devices(void **state)
{
    (void)state;
    assert_calls("$xl migrate 5 'cd . && $xl migrate-receive'", 0,
                 "vscsi_check 1\nsuspend 5\ncreate_restore 5\n"
                 "gets " DISK "\nvscsictrl_add 5\nunpause 5\ndestroy 5\n"
                 "vscsi_domain_destroyed 5\n");
    assert_calls("FAIL=vscsi_check=-6 $xl migrate 5 '$xl migrate-receive'", 1,
                 "vscsi_check 1\n");
    assert_int_equal(rig_says("xl: vscsi:     vscsi_check fails"), 1);
}

/* ----- what fails ----- */

static void a_guest_that_cannot_be_looked_at_is_not_saved(void **state)
{
    (void)state;
    assert_calls("FAIL=vscsictrl_list=-3 $xl save 5 file", 1, "");
    assert_calls("FAIL=domain_info=-3 $xl save 5 file", 1, "");
    assert_calls("FAIL=vscsictrl_list=-3 $xl migrate 5 '$xl migrate-receive'",
                 1, "");
    assert_int_equal(access("file", F_OK), -1);
}

static void a_guest_that_is_being_saved_is_not_saved_again(void **state)
{
    (void)state;
    assert_calls("FAIL=vscsi_freeze=-20 $xl save 5 file", 1, "");
    assert_int_equal(rig_says("5 is frozen"), 1);
    assert_int_equal(rig_run("FAIL=vscsi_freeze=-20"
                             " $xl migrate 5 '$xl migrate-receive'"), 1);
    assert_int_equal(rig_says("5 is frozen"), 1);
}

/* It gets none while it is saved. */
static void a_guest_without_devices_stays_without(void **state)
{
    (void)state;
    rig_put("record", NULL);
    assert_calls("FAIL=vscsi_freeze=-20 $xl save 5 file", 1, "");
    assert_int_equal(rig_says("5 is frozen"), 1);
    assert_calls("$xl save 5 file", 0, "suspend 5\ndestroy 5\n");
}

/* In the file "vscsictrls" when xl has read the list, and has not begun. */
static void what_changes_before_it_is_sent_stops_it(void **state)
{
    (void)state;
    assert_calls("LATER=/dev/sdc,0:0:0:1 $xl save 5 file", 1, "");
    assert_int_equal(rig_says("has got or lost SCSI devices since this "
                              "began"), 1);
    rig_put("vscsictrls", DISK "\n");
    assert_calls("LATER= $xl migrate 5 '$xl migrate-receive'", 1,
                 "vscsi_check 1\n");
}

/* The list of the time when it was made, as xl keeps its configuration. */
static void a_reboot_that_cannot_look_uses_what_it_knows(void **state)
{
    (void)state;
    rig_put("record", NULL);
    assert_calls("FAIL=vscsictrl_list=-3 EVENTS=reboot"
                 " $xl create vscsi.cfg", 0,
                 "create_new 5\ngets " DISK "\nvscsictrl_add 5\nunpause 5\n"
                 "destroy 5\ncreate_new 6\ngets " DISK "\nvscsictrl_add 6\n"
                 "unpause 6\n");
}

/* What may be missing then is the library's to say. */
static void only_what_comes_after_the_first_is_a_restart(void **state)
{
    (void)state;
    rig_put("record", NULL);
    rig_put("missing", "");
    assert_calls("EVENTS=reboot RUN='echo 5 6 >record' $xl create vscsi.cfg",
                 0, "create_new 5\ntake_missing 5 starts\ngets " DISK "\n"
                 "vscsictrl_add 5\nunpause 5\n"
                 "destroy 5\nvscsi_domain_destroyed 5\n"
                 "create_new 6\ntake_missing 6 restarts\nunpause 6\n");
    assert_calls("$xl restore saved.vscsi", 0,
                 "create_restore 5\ntake_missing 5 starts\ngets " DISK "\n"
                 "vscsictrl_add 5\nunpause 5\n");
    rig_put("missing", NULL);
}

static void a_device_that_fails_fails_the_domain(void **state)
{
    char command[128];
    int rc;

    (void)state;
    rig_put("record", NULL);
    for (rc = 1; rc < 32; rc++) {
        snprintf(command, sizeof(command),
                 "FAIL=vscsictrl_add=-%d $xl create vscsi.cfg", rc);
        assert_calls(command, rc, "create_new 5\ngets " DISK "\n"
                     "vscsictrl_add 5\ndestroy 5\n");
        assert_int_equal(rig_says("domain 5 does not get all of its SCSI "
                                  "devices and is destroyed"), 1);
    }
    assert_calls("FAIL=vscsictrl_add=-6 $xl restore saved.vscsi", 1,
                 "create_restore 5\ngets " DISK "\nvscsictrl_add 5\n"
                 "destroy 5\n");
}

static void what_cannot_be_removed_is_said(void **state)
{
    (void)state;
    assert_calls("FAIL=vscsi_domain_destroyed=-3 $xl destroy 5", 0,
                 "destroy 5\nvscsi_domain_destroyed 5\n");
    assert_int_equal(rig_says("domain 5 is destroyed, but not everything"),
                     1);
    assert_calls("FAIL=vscsi_resume=-3 $xl resume 5", 0,
                 "resume 5\nvscsi_resume 5\n");
    assert_int_equal(rig_says("may stay suspended"), 1);
    assert_calls("$xl remus 5 '$xl migrate-receive'", 1, "vscsi_check 1\n");
    assert_int_equal(rig_says("cannot be checkpointed"), 1);
}

/* ----- a configuration that is given for it ----- */

static void a_file_that_leaves_out_what_it_has_is_refused(void **state)
{
    (void)state;
    assert_calls("$xl save 5 file plain.cfg", 1, "");
    assert_int_equal(rig_says("domain 5 has SCSI devices, with which it "
                              "would go on, and vscsi= is missing"), 1);
    assert_calls("$xl migrate 5 '$xl migrate-receive' plain.cfg", 1, "");
    assert_calls("$xl save 5 file vscsi.cfg", 0, "suspend 5\ndestroy 5\n"
                 "vscsi_domain_destroyed 5\n");
    rig_put("record", NULL);
    assert_calls("$xl save 5 file plain.cfg", 0, "suspend 5\ndestroy 5\n");
}

/* ----- a life ----- */

static void a_life_with_both_objects(void **state)
{
    (void)state;
    rig_put("record", NULL);
    assert_calls("EVENTS='reboot poweroff' RUN='echo 5 6 >record'"
                 " $xl create vscsi.cfg", 0,
                 "create_new 5\ngets " DISK "\nvscsictrl_add 5\nunpause 5\n"
                 "destroy 5\nvscsi_domain_destroyed 5\n"
                 "create_new 6\ngets " DISK "\nvscsictrl_add 6\nunpause 6\n"
                 "destroy 6\nvscsi_domain_destroyed 6\n");
    /* What was detached while it ran does not come back. */
    rig_put("record", NULL);
    assert_calls("EVENTS=reboot $xl create vscsi.cfg", 0,
                 "create_new 5\ngets " DISK "\nvscsictrl_add 5\nunpause 5\n"
                 "destroy 5\ncreate_new 6\nunpause 6\n");
    rig_put("record", "5");
    assert_int_equal(rig_run("$xl list 5"), 0);
    assert_non_null(strstr(rig_get("out"), "\"vscsictrls\""));
}

static void a_domain_that_takes_anothers_place_has_its_devices(void **state)
{
    (void)state;
    rig_put("record", NULL);
    assert_calls("EVENTS=rename RUN='echo 5 >record' $xl create vscsi.cfg", 0,
                 "create_new 5\ngets " DISK "\nvscsictrl_add 5\nunpause 5\n"
                 "preserve 5\nvscsictrl_destroy 5\n"
                 "create_new 6\ngets " DISK "\nvscsictrl_add 6\nunpause 6\n");
    rig_put("record", NULL);
    assert_calls("EVENTS=soft-reset RUN='echo 5 >record' $xl create"
                 " vscsi.cfg", 0,
                 "create_new 5\ngets " DISK "\nvscsictrl_add 5\nunpause 5\n"
                 "vscsictrl_destroy 5\nsoft_reset 5\n"
                 "gets " DISK "\nvscsictrl_add 5\nunpause 5\n");
    rig_put("record", NULL);
    assert_calls("FAIL=vscsictrl_destroy=-3 EVENTS=soft-reset"
                 " RUN='echo 5 >record' $xl create vscsi.cfg", 3,
                 "create_new 5\ngets " DISK "\nvscsictrl_add 5\nunpause 5\n"
                 "vscsictrl_destroy 5\ndestroy 5\n"
                 "vscsi_domain_destroyed 5\n");
}

static void a_disk_that_a_guest_has_is_refused(void **state)
{
    (void)state;
    assert_calls("mkdir backends; >backends/vscsi-5-0;"
                 " $xl block-attach 7 /dev/sdc", 0,
                 "vscsi_check_disk 7\ndisk_add 7\n");
    assert_calls("FAIL=vscsi_check_disk=-9 $xl block-attach 7 /dev/sdb", 1,
                 "vscsi_check_disk 7\n");
}

static void a_line_that_cannot_be_read_makes_no_domain(void **state)
{
    (void)state;
    rig_put("wrong.cfg", "vscsi=['/dev/sdb,0:0:0:0', 'nothing']\n");
    assert_calls("$xl create wrong.cfg", 1, "");
    assert_int_equal(rig_says("wrong.cfg: vscsi: entry 2: "), 1);
    rig_put("wrong.cfg", "vscsi='/dev/sdb,0:0:0:0'\n");
    assert_calls("$xl create wrong.cfg", 1, "");
    assert_int_equal(rig_says("wrong.cfg: vscsi: a list is needed"), 1);
}

#define CASE(name) cmocka_unit_test_setup(name, clean)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(no_reasons_mean_go_ahead),
        CASE(reasons_are_shown),
        CASE(reasons_that_do_not_arrive_are_reasons),
        CASE(what_is_no_answer_stops_it),
        CASE(an_answer_that_ends_early_stops_it),
        CASE(silence_stops_it),
        CASE(an_xl_without_hooks_is_not_sent_to),
        CASE(a_receiver_that_can_says_so_and_goes_on),
        CASE(a_receiver_that_cannot_says_why),
        CASE(a_list_that_cannot_be_read_is_no_empty_one),
        CASE(what_a_newer_sender_knows_is_refused),
        CASE(a_domain_moves_with_its_devices),
        CASE(a_guest_that_cannot_be_looked_at_is_not_saved),
        CASE(a_guest_that_is_being_saved_is_not_saved_again),
        CASE(a_guest_without_devices_stays_without),
        CASE(what_changes_before_it_is_sent_stops_it),
        CASE(a_reboot_that_cannot_look_uses_what_it_knows),
        CASE(only_what_comes_after_the_first_is_a_restart),
        CASE(a_device_that_fails_fails_the_domain),
        CASE(what_cannot_be_removed_is_said),
        CASE(a_file_that_leaves_out_what_it_has_is_refused),
        CASE(a_life_with_both_objects),
        CASE(a_domain_that_takes_anothers_place_has_its_devices),
        CASE(a_disk_that_a_guest_has_is_refused),
        CASE(a_line_that_cannot_be_read_makes_no_domain),
    };
    int failed;

    (void)argc;
    rig_begin(argv[0]);
    failed = cmocka_run_group_tests(tests, save_files, NULL);
    rig_end();
    return failed;
}
