/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl's SCSI commands, on the Xen of xl_stub.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <libxlutil_vscsi.h>
#include <yajl/yajl_tree.h>

#include "runner.h"

static void assert_ends(run r, int status, const char *out, const char *err)
{
    assert_string_equal(r.err, err);
    assert_string_equal(r.out, out);
    assert_true(WIFEXITED(r.status));
    assert_int_equal(WEXITSTATUS(r.status), status);
    run_free(&r);
}

/* As above, but err only begins stderr, and ends with the usage. */
static void assert_refused(run r, const char *err)
{
    assert_string_equal(r.out, "");
    assert_memory_equal(r.err, err, strlen(err));
    assert_non_null(strstr(r.err, "\n\nUsage: xl ["));
    assert_int_equal(WEXITSTATUS(r.status), 2);
    run_free(&r);
}

/* ----- attach and detach ----- */

static void attach_asks_the_library_for_what_was_written(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "mail", "/dev/st0", "1:0:0:0", NULL), 0,
                "add 3 60000 ms /dev/st0,1:0:0:0\n", "");
    assert_ends(XL("scsi-at", "12", "/dev/st0", "1:0:0:0", NULL), 0,
                "add 12 60000 ms /dev/st0,1:0:0:0\n", "");
}

static void attach_prints_the_place_that_was_not_said(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "mail", "/dev/st0", NULL), 0,
                "add 3 60000 ms /dev/st0\n2:0:0:5\n", "");
    assert_ends(XL("scsi-attach", "mail", "8:0:2:1", "shareable",
                   "feature-host", NULL), 0,
                "add 3 60000 ms 8:0:2:1,feature-host,shareable\n"
                "2:0:0:5\n", "");
    assert_ends(XL("scsi-attach", "7", "/dev/st0", NULL), 1,
                "add 7 60000 ms /dev/st0\n", "vscsi: error: it failed\n");
}

static void attach_knows_a_missing_device_by_its_vdev(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "mail", "0:0:1:5", NULL), 0,
                "add 3 60000 ms /dev/late,0:0:1:5,shareable\n", "");
    assert_ends(XL("scsi-attach", "12", "0:0:1:5", NULL), 0,
                "add 12 60000 ms 0:0:1:5\n2:0:0:5\n", "");
    assert_ends(XL("scsi-attach", "mail", "0:0:1:5", "0:0:1:5", NULL), 0,
                "add 3 60000 ms 0:0:1:5,0:0:1:5\n", "");
}

static void forced_attach_leaves_out_what_is_used(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "mail", "8:0:2:*", "1:*", NULL), 0,
                "add 3 60000 ms 8:0:2:*,1:*\n", "");
    assert_ends(XL("scsi-attach", "-f", "mail", "8:0:2:*", "1:*", NULL), 0,
                "expand but used 3 60000 ms 8:0:2:*\n"
                "add 3 60000 ms 8:0:2:*,1:*\n", "");
    assert_ends(XL("scsi-attach", "--force", "7", "8:0:2:*", NULL), 1,
                "expand but used 7 60000 ms 8:0:2:*\n",
                "vscsi: error: it failed\n");
}

static void libvirt_has_to_be_told(void **state)
{
    static const char missing[] = "xl: --libvirt: " XL_LIBVIRT
        " is missing (install xen-vscsi-libvirt)\n";

    (void)state;
    /* Before anything is changed. */
    assert_ends(XL("scsi-attach", "--libvirt", "20", "/dev/st0", "1:0:0:0",
                   NULL), 1, "", missing);
    assert_ends(XL("scsi-detach", "--libvirt", "20", "1:0:0:0", NULL), 1, "",
                missing);
}

static void both_forms_of_the_option_are_the_same(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "mail", "/dev/st0", "1:0:0:0,feature-host",
                   NULL),
                0, "add 3 60000 ms /dev/st0,1:0:0:0,feature-host\n", "");
    assert_ends(XL("scsi-attach", "mail", "/dev/st0", "1:0:0:0",
                   "feature-host", NULL),
                0, "add 3 60000 ms /dev/st0,1:0:0:0,feature-host\n", "");
}

static void a_timeout_reaches_the_library(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "--timeout=7", "mail", "/dev/st0",
                   "1:0:0:0", NULL),
                0, "add 3 7000 ms /dev/st0,1:0:0:0\n", "");
    assert_ends(XL("scsi-detach", "mail", "1:0:0:0", "--timeout", "86400",
                   NULL),
                0, "safe_remove 3 86400000 ms 1:0:0:0\n", "");
}

static void a_timeout_is_a_number_in_bounds(void **state)
{
    static const char *const wrong[] = {
        "", "x", "-1", "+1", " 1", "1 ", "1s", "1.5", "86401", "4294967296",
        "18446744073709551617",
    };
    char expected[128];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(expected, sizeof(expected), "--timeout: '%s' is not a number"
                 " of seconds from 0 to 86400\n", wrong[i]);
        assert_ends(XL("scsi-attach", "--timeout", wrong[i], "mail",
                       "/dev/st0", "1:0:0:0", NULL), 2, "", expected);
    }
}

static void detach_is_safe_unless_forced(void **state)
{
    (void)state;
    assert_ends(XL("scsi-detach", "mail", "1:0:0:0", NULL), 0,
                "safe_remove 3 60000 ms 1:0:0:0\n", "");
    assert_ends(XL("scsi-detach", "-f", "mail", "1:0:0:0", NULL), 0,
                "remove 3 60000 ms 1:0:0:0\n", "");
    assert_ends(XL("scsi-detach", "mail", "1:0:0:0", "--force", NULL), 0,
                "remove 3 60000 ms 1:0:0:0\n", "");
}

static void detach_takes_any_name_or_a_whole_ctrl(void **state)
{
    (void)state;
    assert_ends(XL("scsi-detach", "mail", "/dev/st0", NULL), 0,
                "safe_remove 3 60000 ms /dev/st0\n", "");
    assert_ends(XL("scsi-detach", "-f", "mail", "8:1:200:999", NULL), 0,
                "remove 3 60000 ms 8:1:200:999\n", "");
    assert_ends(XL("scsi-detach", "mail", "naa.5001405012345678:12", NULL), 0,
                "safe_remove 3 60000 ms naa.5001405012345678:12\n", "");
    assert_ends(XL("scsi-detach", "mail", "12:*", NULL), 0,
                "safe_remove 3 60000 ms vscsictrl 12\n", "");
    assert_ends(XL("scsi-detach", "-f", "mail", "0:*", NULL), 0,
                "remove 3 60000 ms vscsictrl 0\n", "");
    assert_ends(XL("-N", "scsi-detach", "mail", "0:*", NULL), 0,
                "vscsictrl: 0\n", "");
    assert_ends(XL("-N", "scsi-detach", "mail", "/dev/st0", NULL), 0,
                "pdev: /dev/st0\n", "");
}

static void a_failure_is_reported_once_and_exits_1(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "7", "/dev/st0", "1:0:0:0", NULL), 1,
                "add 7 60000 ms /dev/st0,1:0:0:0\n",
                "vscsi: error: it failed\n");
    assert_ends(XL("scsi-detach", "idle", "1:0:0:0", NULL), 1,
                "safe_remove 7 60000 ms 1:0:0:0\n",
                "vscsi: error: it failed\n");
}

static void v_shows_the_steps(void **state)
{
    (void)state;
    assert_ends(XL("-v", "scsi-detach", "mail", "1:0:0:0", NULL), 0,
                "safe_remove 3 60000 ms 1:0:0:0\n",
                "vscsi: detail: a step\n");
}

static void a_bad_string_exits_1_with_the_parsers_message(void **state)
{
    run r = XL("scsi-attach", "mail", "8:0:2", "0:0:0:0", NULL);

    (void)state;
    assert_string_equal(r.out, "");
    assert_memory_equal(r.err, "vscsi: '8:0:2,0:0:0:0': ", 24);
    assert_int_equal(WEXITSTATUS(r.status), 1);
    run_free(&r);
    r = XL("scsi-detach", "mail", "0:0:0:0x", NULL);
    assert_string_equal(r.out, "");
    assert_memory_equal(r.err, "vscsi: '0:0:0:0x': ", 19);
    assert_int_equal(WEXITSTATUS(r.status), 1);
    run_free(&r);
}

static void an_unknown_domain_is_named(void **state)
{
    static const char message[] =
        "there is no domain nope\n";
    static const char no_store[] =
        "xl: cannot look domain without-store up: xenstore cannot be reached "
        "(is xenstored running?)\n";

    (void)state;
    assert_ends(XL("scsi-attach", "nope", "/dev/st0", "1:0:0:0", NULL), 1,
                "", message);
    assert_ends(XL("scsi-detach", "nope", "1:0:0:0", NULL), 1, "", message);
    assert_ends(XL("scsi-detach", "without-store", "1:0:0:0", NULL), 1, "",
                no_store);
}

/* ----- dry run ----- */

static int without_xen(void **state)
{
    (void)state;
    return setenv("XL_STUB", "no-xen", 1);
}

static int without_devices(void **state)
{
    (void)state;
    return setenv("XL_STUB", "no-devices", 1);
}

static int with_all(void **state)
{
    (void)state;
    return unsetenv("XL_STUB");
}

static void a_dry_run_prints_json_and_needs_no_xen(void **state)
{
    run r = XL("-N", "scsi-attach", "nope", "/dev/st0",
               "1:0:0:0,feature-host", NULL);
    libxl_device_vscsictrl ctrl;
    char *text;

    (void)state;
    assert_int_equal(WEXITSTATUS(r.status), 0);
    assert_string_equal(r.err, "");
    assert_memory_equal(r.out, "vscsi: ", 7);
    assert_int_equal(libxl_device_vscsictrl_from_json(NULL, &ctrl,
                                                      r.out + 7), 0);
    text = xlu_vscsi_to_string(&ctrl, &ctrl.vscsidevs[0]);
    assert_string_equal(text, "/dev/st0,1:0:0:0,feature-host");
    free(text);
    libxl_device_vscsictrl_dispose(&ctrl);
    run_free(&r);
    assert_ends(XL("-N", "scsi-detach", "nope", "1:0:63:254", NULL), 0,
                "vdev: {\n"
                "    \"hst\": 1,\n"
                "    \"chn\": 0,\n"
                "    \"tgt\": 63,\n"
                "    \"lun\": 254\n"
                "}\n\n", "");
    assert_ends(XL("-N", "scsi-list", NULL), 1, "",
                "command does not implement -N (dryrun) option\n");
}

static void assert_only_root_may(run r)
{
    static const char expected[] =
        "xl: cannot reach Xen: only root may; try sudo\n";

    assert_string_equal(r.out, "");
    /* Where coverage is counted, more follows: nobody cannot write it. */
    assert_non_null(strchr(r.err, '\n'));
    strchr(r.err, '\n')[1] = '\0';
    assert_string_equal(r.err, expected);
    assert_int_equal(WEXITSTATUS(r.status), 1);
    run_free(&r);
}

static void who_is_not_root_is_told_who_may(void **state)
{
    (void)state;
    assert_only_root_may(run_xl_as_nobody(ARGV("scsi-list", NULL)));
    assert_only_root_may(run_xl_as_nobody(ARGV("scsi-attach", "mail",
                                               "/dev/st0", "1:0:0:0", NULL)));
    assert_only_root_may(run_xl_as_nobody(ARGV("scsi-detach", "mail",
                                               "1:0:0:0", NULL)));
}

static void without_xen_there_is_one_message(void **state)
{
    run r = XL("scsi-list", NULL);

    (void)state;
    assert_string_equal(r.out, "");
    assert_memory_equal(r.err, "xl: cannot reach Xen: ", 22);
    assert_ptr_equal(strchr(r.err, '\n'), r.err + strlen(r.err) - 1);
    assert_int_equal(WEXITSTATUS(r.status), 1);
    run_free(&r);
}

static void with_v_xens_own_message_is_shown_too(void **state)
{
    run r = XL("-v", "scsi-list", NULL);

    (void)state;
    assert_memory_equal(r.err, "libxl: error: cannot open libxc handle\n",
                        39);
    run_free(&r);
}

/* ----- cleanup ----- */

static void ctrl_c_says_what_it_leaves(void **state)
{
    run r;

    (void)state;
    setenv("XL_STUB", "interrupted", 1);
    r = XL("scsi-cleanup", NULL);
    unsetenv("XL_STUB");
    assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGINT);
    assert_non_null(strstr(r.err, "xl: interrupted; what was begun is on "
                           "record (xl scsi-list shows it)"));
    run_free(&r);
}

static void wake_asks_the_library(void **state)
{
    (void)state;
    assert_ends(XL("scsi-wake", "mail", NULL), 0, "wake 3\n", "");
    assert_ends(XL("scsi-wake", "nope", NULL), 1, "",
                "there is no domain nope\n");
    assert_refused(XL("scsi-wake", NULL),
                   "'xl scsi-wake' requires at least 1 argument.\n\n");
}

static void cleanup_asks_the_library_and_tells_how_it_ended(void **state)
{
    (void)state;
    assert_ends(XL("scsi-cleanup", NULL), 0, "cleanup\n", "");
    assert_ends(XL("scsi-c", NULL), 0, "cleanup\n", "");
    setenv("XL_STUB", "not-clean", 1);
    assert_ends(XL("scsi-cleanup", NULL), 1, "cleanup\n",
                "vscsi: error: it failed\n");
    unsetenv("XL_STUB");
    assert_ends(XL("scsi-cleanup", "12", NULL), 0, "cleanup of 12\n", "");
    assert_ends(XL("scsi-cleanup", "vscsi-12-3", NULL), 0,
                "cleanup of 12\n", "");
    assert_ends(XL("scsi-cleanup", "vscsi-12", NULL), 2, "",
                "'vscsi-12' is no number of a domain, and no name of a "
                "backend (vscsi-DOMID-DEVID)\n");
    assert_refused(XL("scsi-cleanup", "1", "2", NULL),
                   "'xl scsi-cleanup' takes at most 1 argument.\n\n");
    assert_ends(XL("scsi-cleanup", "-h", NULL), 0, "Usage: xl [-vtTf] "
                "scsi-cleanup [<Domid>]\n\nRemove what destroyed domains left of "
                "their SCSI devices.\n\nOptions:\n\n"
                "-h                   Print this help.\n\n", "");
}

/* ----- assignable-list ----- */

#define UNITS \
    "type vendor model    size phy                   phy-hctl        state\n" \
    "disk ACME   Big?Disk 1.8T /dev/disk/by-id/wwn-1 2:0:0:0,2:0:7:0 free\n"

static void units_are_a_table_and_with_all_say_who_has_them(void **state)
{
    (void)state;
    assert_ends(XL("scsi-assignable-list", NULL), 0, UNITS, "");
    assert_ends(XL("scsi-as", "-a", NULL), 0, UNITS
        "tape ACME   Big?Disk -    /dev/st0              3:0:0:0         "
        "it is assigned to mail as 0:0:0:1\n", "");
    assert_refused(XL("scsi-assignable-list", "mail", NULL),
                   "'xl scsi-assignable-list' takes at most 0 arguments."
                   "\n\n");
    setenv("XL_STUB", "not-listed", 1);
    assert_ends(XL("scsi-assignable-list", NULL), 1, "",
                "vscsi: error: it failed\n");
    unsetenv("XL_STUB");
}

static void units_as_json_have_all_facts(void **state)
{
    (void)state;
    assert_ends(XL("scsi-assignable-list", "--json", NULL), 0,
        "{\n"
        "    \"version\": 1,\n"
        "    \"units\": [\n"
        "        {\n"
        "            \"type\": \"disk\",\n"
        "            \"vendor\": \"ACME\",\n"
        "            \"model\": \"Big Disk\",\n"
        "            \"wwid\": \"naa.5000c500a1b2c3d4\",\n"
        "            \"serial\": \"\",\n"
        "            \"size_kb\": 1932735283,\n"
        "            \"pdev\": \"/dev/disk/by-id/wwn-1\",\n"
        "            \"paths\": [\n"
        "                {\n"
        "                    \"hctl\": \"2:0:0:0\",\n"
        "                    \"node\": \"/dev/sdb\",\n"
        "                    \"running\": true\n"
        "                },\n"
        "                {\n"
        "                    \"hctl\": \"2:0:7:0\",\n"
        "                    \"node\": null,\n"
        "                    \"running\": false\n"
        "                }\n"
        "            ],\n"
        "            \"unit_max_sectors_kb\": 128,\n"
        "            \"unit_max_segments\": 168,\n"
        "            \"free\": true,\n"
        "            \"holder\": null\n"
        "        }\n"
        "    ]\n"
        "}\n", "");
}

/* ----- usage ----- */

static void a_wrong_number_of_arguments_exits_2_with_help(void **state)
{
    (void)state;
    assert_refused(XL("scsi-attach", "mail", NULL),
                   "'xl scsi-attach' requires at least 2 arguments.\n\n");
    assert_refused(XL("scsi-attach", "a", "b", "c", "d", "e", NULL),
                   "'xl scsi-attach' takes at most 4 arguments.\n\n");
    assert_refused(XL("scsi-d", NULL),
                   "'xl scsi-detach' requires at least 2 arguments.\n\n");
    assert_refused(XL("scsi-detach", "a", "b", "c", NULL),
                   "'xl scsi-detach' takes at most 2 arguments.\n\n");
}

static void an_unknown_option_exits_2(void **state)
{
    (void)state;
    assert_ends(XL("scsi-attach", "-w", "a", "b", "c", NULL), 2, "",
                "option `w' not supported.\n");
    assert_ends(XL("scsi-list", "--jsn", NULL), 2, "",
                "option `--jsn' not supported.\n");
    assert_ends(XL("scsi-list", "--json=1", NULL), 2, "",
                "option `--json=1' not supported.\n");
    assert_ends(XL("scsi-detach", "a", "b", "--timeout", NULL), 2, "",
                "option `--timeout' requires an argument.\n");
}

/* ----- list ----- */

#define HEADER "Idx BE state host phy-hctl phy vir-hctl devstate\n"
#define ONE_DOMAIN \
    "Idx BE state host phy-hctl                phy             vir-hctl" \
    " devstate\n" \
    "0   0  4     0    2:0:0:0                 /dev/sdb        0:0:0:0 " \
    " 4\n" \
    "0   0  4     0    2:0:1:0                 /dev/nst0(gone) 0:0:0:1 " \
    " 4\n" \
    "1   0  2     1    naa.5001405012345678:12 -               1:0:0:0 " \
    " 1\n"
#define ALL_DOMAINS \
    "Name                     ID Idx BE state host phy-hctl              " \
    "  phy             vir-hctl    devstate\n" \
    "mail                     3  0   0  4     0    2:0:0:0               " \
    "  /dev/sdb        0:0:0:0     4\n" \
    "mail                     3  0   0  4     0    2:0:1:0               " \
    "  /dev/nst0(gone) 0:0:0:1     4\n" \
    "mail                     3  1   0  2     1    naa.5001405012345678:12" \
    " -               1:0:0:0     1\n" \
    "archive-with-a-long-name 12 10  0  4     10   10:0:63:254           " \
    "  /dev/sch0       10:0:63:254 6\n"

static void one_domain_is_a_table(void **state)
{
    (void)state;
    assert_ends(XL("scsi-list", "mail", NULL), 0, ONE_DOMAIN, "");
    assert_ends(XL("scsi-l", "3", NULL), 0, ONE_DOMAIN, "");
}

static void rows_of_several_domains_say_whose_they_are(void **state)
{
    (void)state;
    assert_ends(XL("scsi-list", NULL), 0, ALL_DOMAINS, "");
    assert_ends(XL("scsi-list", "mail", "idle", "12", NULL), 0, ALL_DOMAINS,
                "");
}

static void the_header_is_printed_without_devices_too(void **state)
{
    (void)state;
    assert_ends(XL("scsi-list", "mail", NULL), 0, HEADER, "");
    assert_ends(XL("scsi-list", NULL), 0, "Name ID " HEADER, "");
}

static void a_missing_domain_does_not_hide_the_next(void **state)
{
    (void)state;
    assert_ends(XL("scsi-list", "99", "nope", "mail", "12", NULL), 1,
                ALL_DOMAINS,
                "there is no domain 99\n"
                "there is no domain nope\n");
    assert_ends(XL("scsi-list", "99", NULL), 1, "",
                "there is no domain 99\n");
}

/* What key has in the object root. */
static yajl_val value_of(yajl_val root, const char *key)
{
    const char *path[] = { key, NULL };

    return yajl_tree_get(root, path, yajl_t_any);
}

static yajl_val devices_of(yajl_val root)
{
    return value_of(root, "devices");
}

/* What argv prints; its array is num long. */
static yajl_val parse_array(const char *const argv[], int status, size_t num)
{
    char error[256] = "";
    yajl_val root;
    run r;

    r = run_xl(NULL, argv);
    assert_int_equal(WEXITSTATUS(r.status), status);
    root = yajl_tree_parse(r.out, error, sizeof(error));
    assert_string_equal(error, "");
    assert_int_equal(YAJL_GET_INTEGER(value_of(root, "version")), 1);
    assert_true(YAJL_IS_ARRAY(devices_of(root)));
    assert_int_equal(devices_of(root)->u.array.len, num);
    run_free(&r);
    return root;
}

static yajl_val member(yajl_val root, size_t i, const char *key)
{
    yajl_val value = value_of(devices_of(root)->u.array.values[i], key);

    assert_non_null(value);
    return value;
}

static void assert_texts(yajl_val array, size_t i,
                         const char *const (*pairs)[2], size_t num)
{
    const char *text;

    for (; num; num--, pairs++) {
        text = YAJL_GET_STRING(member(array, i, (*pairs)[0]));
        if ((*pairs)[1])
            assert_string_equal(text, (*pairs)[1]);
        else
            assert_true(YAJL_IS_NULL(member(array, i, (*pairs)[0])));
    }
}

#define ASSERT_TEXTS(array, i, pairs) \
    assert_texts(array, i, pairs, sizeof(pairs) / sizeof((pairs)[0]))

static void json_has_the_tables_facts_and_more(void **state)
{
    static const char *const first[][2] = {
        { "domain", "mail" }, { "phy_hctl", "2:0:0:0" },
        { "phy", "/dev/sdb" }, { "vir_hctl", "0:0:0:0" },
        { "pdev", "/dev/disk/by-id/scsi-1" }, { "vendor", "Linux" },
        { "wwid", "naa.333333300000" }, { "model", "scsi_debug" },
        { "type", "disk" },
    };
    static const char *const second[][2] = {
        { "phy", NULL }, { "pdev", "/dev/nst0" }, { "wwid", NULL },
        { "vendor", NULL }, { "model", NULL }, { "type", NULL },
    };
    yajl_val array = parse_array(ARGV("scsi-list", "--json", "mail", NULL),
                                 0, 3);

    (void)state;
    ASSERT_TEXTS(array, 0, first);
    ASSERT_TEXTS(array, 1, second);
    assert_true(YAJL_IS_FALSE(member(array, 0, "gone")));
    assert_true(YAJL_IS_TRUE(member(array, 1, "gone")));
    assert_true(YAJL_IS_FALSE(member(array, 2, "gone")));
    assert_int_equal(YAJL_GET_INTEGER(member(array, 0, "domid")), 3);
    assert_int_equal(YAJL_GET_INTEGER(member(array, 2, "idx")), 1);
    assert_int_equal(YAJL_GET_INTEGER(member(array, 2, "be")), 0);
    assert_int_equal(YAJL_GET_INTEGER(member(array, 2, "host")), 1);
    assert_int_equal(YAJL_GET_INTEGER(member(array, 2, "state")), 2);
    assert_int_equal(YAJL_GET_INTEGER(member(array, 2, "devstate")), 1);
    assert_true(YAJL_IS_TRUE(member(array, 0, "shareable")));
    assert_true(YAJL_IS_FALSE(member(array, 1, "shareable")));
    assert_int_equal(YAJL_GET_INTEGER(member(array, 0, "max_segments")), 64);
    assert_int_equal(YAJL_GET_INTEGER(member(array, 0,
                                             "unit_max_sectors_kb")), 256);
    assert_int_equal(YAJL_GET_INTEGER(member(array, 0, "unit_max_segments")),
                     168);
    assert_true(YAJL_IS_NULL(member(array, 1, "unit_max_segments")));
    yajl_tree_free(array);
}

static void json_of_several_domains_is_one_array(void **state)
{
    static const char *const last[][2] = {
        { "domain", "archive-with-a-long-name" }, { "vendor", "STK\033" },
        { "model", "L?700" }, { "wwid", "t10.\"quoted\"" },
    };
    yajl_val array;

    (void)state;
    array = parse_array(ARGV("scsi-list", "--json", NULL), 0, 4);
    ASSERT_TEXTS(array, 3, last);
    yajl_tree_free(array);
    array = parse_array(ARGV("scsi-list", "--json", "12", "99", "3", NULL),
                        1, 4);
    ASSERT_TEXTS(array, 0, last);
    yajl_tree_free(array);
}

/* The keys of the first object of a list, each with a blank behind it. */
static void print_keys(const char *const argv[], const char *list,
                       char *text, size_t size)
{
    run r = run_xl(NULL, argv);
    yajl_val root = yajl_tree_parse(r.out, NULL, 0), array, object;
    size_t i, len = 0;

    array = value_of(root, list);
    assert_true(YAJL_IS_ARRAY(array));
    object = array->u.array.values[0];
    assert_true(YAJL_IS_OBJECT(object));
    for (i = 0; i < object->u.object.len; i++)
        len += (size_t)snprintf(text + len, size - len, "%s ",
                                object->u.object.keys[i]);
    yajl_tree_free(root);
    run_free(&r);
}

/* "    KEY  LIST  MEANING" of the chapter "JSON", in the order in which they
 * are printed; LIST is one, or "both". */
static void read_keys(const char *list, char *text, size_t size)
{
    FILE *f = fopen("docs/misc/pvscsi.txt", "r");
    char line[256], key[64], of[64];
    bool inside = false;
    size_t len = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (!strcmp(line, "JSON\n"))
            inside = true;
        else if (inside && !strncmp(line, "Cost", 4))
            break;
        if (inside && sscanf(line, "    %63[a-z_] %63[a-z] ", key, of) == 2 &&
            (!strcmp(of, list) || !strcmp(of, "both")))
            len += (size_t)snprintf(text + len, size - len, "%s ", key);
    }
    fclose(f);
}

static void the_keys_are_those_of_the_documentation(void **state)
{
    static const char *const lists[] = { "devices", "units" };
    char printed[1024] = "", written[1024] = "";
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        print_keys(i ? ARGV("scsi-assignable-list", "--json", NULL)
                     : ARGV("scsi-list", "--json", "mail", NULL), lists[i],
                   printed, sizeof(printed));
        read_keys(lists[i], written, sizeof(written));
        assert_string_equal(printed, written);
        /* jq takes them as they are. */
        assert_int_equal(strspn(printed, "abcdefghijklmnopqrstuvwxyz_ "),
                         strlen(printed));
    }
}

static void json_of_nothing_is_an_empty_array(void **state)
{
    (void)state;
    yajl_tree_free(parse_array(ARGV("scsi-list", "--json", NULL), 0, 0));
    yajl_tree_free(parse_array(ARGV("scsi-list", "--json", "3", NULL), 0, 0));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attach_asks_the_library_for_what_was_written),
        cmocka_unit_test(libvirt_has_to_be_told),
        cmocka_unit_test(both_forms_of_the_option_are_the_same),
        cmocka_unit_test(a_timeout_reaches_the_library),
        cmocka_unit_test(a_timeout_is_a_number_in_bounds),
        cmocka_unit_test(attach_prints_the_place_that_was_not_said),
        cmocka_unit_test(attach_knows_a_missing_device_by_its_vdev),
        cmocka_unit_test(forced_attach_leaves_out_what_is_used),
        cmocka_unit_test(detach_is_safe_unless_forced),
        cmocka_unit_test(detach_takes_any_name_or_a_whole_ctrl),
        cmocka_unit_test(a_failure_is_reported_once_and_exits_1),
        cmocka_unit_test(v_shows_the_steps),
        cmocka_unit_test(a_bad_string_exits_1_with_the_parsers_message),
        cmocka_unit_test(an_unknown_domain_is_named),
        cmocka_unit_test_setup_teardown(
            a_dry_run_prints_json_and_needs_no_xen, without_xen, with_all),
        cmocka_unit_test_setup_teardown(
            without_xen_there_is_one_message, without_xen, with_all),
        cmocka_unit_test_setup_teardown(
            who_is_not_root_is_told_who_may, without_xen, with_all),
        cmocka_unit_test_setup_teardown(
            with_v_xens_own_message_is_shown_too, without_xen, with_all),
        cmocka_unit_test(wake_asks_the_library),
        cmocka_unit_test(cleanup_asks_the_library_and_tells_how_it_ended),
        cmocka_unit_test(ctrl_c_says_what_it_leaves),
        cmocka_unit_test(units_are_a_table_and_with_all_say_who_has_them),
        cmocka_unit_test(units_as_json_have_all_facts),
        cmocka_unit_test(a_wrong_number_of_arguments_exits_2_with_help),
        cmocka_unit_test(an_unknown_option_exits_2),
        cmocka_unit_test(one_domain_is_a_table),
        cmocka_unit_test(rows_of_several_domains_say_whose_they_are),
        cmocka_unit_test_setup_teardown(
            the_header_is_printed_without_devices_too, without_devices,
            with_all),
        cmocka_unit_test(a_missing_domain_does_not_hide_the_next),
        cmocka_unit_test(json_has_the_tables_facts_and_more),
        cmocka_unit_test(json_of_several_domains_is_one_array),
        cmocka_unit_test(the_keys_are_those_of_the_documentation),
        cmocka_unit_test_setup_teardown(
            json_of_nothing_is_an_empty_array, without_devices, with_all),
    };

    (void)argc;
    runner_init(argv[0]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
