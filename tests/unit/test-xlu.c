/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The text forms of devices.  Most of it is in xlu-cases.txt, which is read
 * here (or the file named as the argument): each of its sections is a test.
 */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libxlutil_vscsi.h"

#define CASES "tests/unit/xlu-cases.txt"
#define MAX_SECTIONS 64
#define MAX_LINES 1000
#define MAX_MSG 700
#define NUM_MUTATIONS 20000

static char *lines[MAX_LINES];
static int num_lines;

/* ----- helpers ----- */

/* \xNN to that byte, "" to nothing. */
static char *decode(const char *line)
{
    char *text = strdup(strcmp(line, "\"\"") ? line : ""), *out = text;
    const char *in = text;

    assert_non_null(text);
    while (*in) {
        if (in[0] == '\\' && in[1] == 'x' && isxdigit(in[2]) &&
            isxdigit(in[3])) {
            char hex[3] = { in[2], in[3], '\0' };

            *out++ = (char)strtoul(hex, NULL, 16);
            in += 4;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
    return text;
}

/* JSON without the blanks between its tokens. */
static char *compact(char *json)
{
    char *in, *out = json;
    bool quoted = false;

    assert_non_null(json);
    for (in = json; *in; in++) {
        if (*in == '"' && (in == json || in[-1] != '\\'))
            quoted = !quoted;
        if (quoted || !isspace((unsigned char)*in))
            *out++ = *in;
    }
    *out = '\0';
    return json;
}

static char *ctrl_json(const libxl_device_vscsictrl *ctrl)
{
    return compact(libxl_device_vscsictrl_to_json(NULL, ctrl));
}

static char *list_json(const libxl_device_vscsictrl *ctrls, int num)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int i;

    assert_non_null(out);
    for (i = 0; i < num; i++) {
        char *json = ctrl_json(&ctrls[i]);

        fprintf(out, "%s%s", i ? "\n" : "", json);
        free(json);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

/* A failure always says what is wrong, in a way that is safe to print. */
static void check_message(int rc, const char *msg)
{
    const char *c;

    assert_int_equal(rc, ERROR_INVAL);
    assert_non_null(msg);
    assert_true(strlen(msg) < MAX_MSG);
    assert_int_equal(strncmp(msg, "vscsi: '", 8), 0);
    for (c = msg; *c; c++)
        assert_true(*c >= ' ' && *c <= '~');
}

typedef int parse_fn(const char *, libxl_device_vscsictrl *, char **);

static void check_round_trip(const libxl_device_vscsictrl *ctrl,
                             parse_fn *parse)
{
    char *text = xlu_vscsi_to_string(ctrl, &ctrl->vscsidevs[0]);
    libxl_device_vscsictrl again;

    assert_non_null(text);
    libxl_device_vscsictrl_init(&again);
    assert_int_equal(parse(text, &again, NULL), 0);
    assert_true(libxl_device_vscsictrl_compare(ctrl, &again));
    libxl_device_vscsictrl_dispose(&again);
    free(text);
}

/* ----- the functions, from a text to the text of the result ----- */

static char *run_parse(const char *spec, parse_fn *parse)
{
    char untouched[] = "untouched", *msg = untouched, *result;
    libxl_device_vscsictrl ctrl, before;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    libxl_device_vscsictrl_init(&before);
    rc = parse(spec, &ctrl, &msg);
    if (rc) {
        check_message(rc, msg);
        assert_true(libxl_device_vscsictrl_compare(&ctrl, &before));
        assert_int_equal(parse(spec, &ctrl, NULL), rc);
        return msg;
    }
    assert_ptr_equal(msg, untouched);
    check_round_trip(&ctrl, parse);
    result = ctrl_json(&ctrl);
    libxl_device_vscsictrl_dispose(&ctrl);
    return result;
}

static char *run_pdev(const char *spec)
{
    char *msg = NULL, *result;
    libxl_vscsi_pdev pdev;
    int rc;

    libxl_vscsi_pdev_init(&pdev);
    rc = xlu_vscsi_parse_pdev(spec, &pdev, &msg);
    if (rc) {
        check_message(rc, msg);
        assert_null(pdev.p_devname);
        assert_int_equal(xlu_vscsi_parse_pdev(spec, &pdev, NULL), rc);
        return msg;
    }
    result = compact(libxl_vscsi_pdev_to_json(NULL, &pdev));
    libxl_vscsi_pdev_dispose(&pdev);
    return result;
}

static char *run_ctrl(const char *spec)
{
    libxl_devid devid = -7;
    char *msg = NULL, *result;
    int rc;

    rc = xlu_vscsi_parse_ctrl(spec, &devid, &msg);
    if (rc) {
        check_message(rc, msg);
        assert_int_equal(devid, -7);
        assert_int_equal(xlu_vscsi_parse_ctrl(spec, &devid, NULL), rc);
        return msg;
    }
    assert_true(asprintf(&result, "%d", devid) > 0);
    return result;
}

static char *run_vdev(const char *spec)
{
    libxl_vscsi_hctl vdev = { 7, 7, 7, 7 }, before = vdev;
    char *msg = NULL;
    int rc;

    rc = xlu_vscsi_parse_vdev(spec, &vdev, &msg);
    if (!rc)
        return compact(libxl_vscsi_hctl_to_json(NULL, &vdev));
    check_message(rc, msg);
    assert_true(libxl_vscsi_hctl_compare(&vdev, &before));
    assert_int_equal(xlu_vscsi_parse_vdev(spec, &vdev, NULL), rc);
    return msg;
}

static void free_ctrls(libxl_device_vscsictrl *ctrls, int num)
{
    while (num-- > 0)
        libxl_device_vscsictrl_dispose(&ctrls[num]);
    free(ctrls);
}

/* specs[] up to the first that is refused, which has to be the last. */
static char *run_config(char *const *specs, int num_specs)
{
    libxl_device_vscsictrl *ctrls = NULL;
    char *before, *after, *msg = NULL;
    int i, num = 0, rc = 0;

    for (i = 0; !rc && i < num_specs; i++) {
        before = list_json(ctrls, num);
        rc = xlu_vscsi_config_add(specs[i], &ctrls, &num, &msg);
        after = list_json(ctrls, num);
        if (rc) {
            check_message(rc, msg);
            assert_string_equal(before, after);
        }
        free(before);
        if (!rc && i == num_specs - 1)
            msg = after;
        else
            free(after);
    }
    assert_int_equal(i, num_specs);
    free_ctrls(ctrls, num);
    return msg;
}

/* ----- xlu-cases.txt ----- */

typedef struct section {
    char function[16], promise[100];
    int begin, end;
} section;

static section sections[MAX_SECTIONS];
static size_t num_sections;

static bool is_result(const char *line)
{
    return !strncmp(line, "    ", 4);
}

static bool is_to_read(const char *line)
{
    return *line && *line != '#' && *line != '[';
}

/* The results that follow line i, one below the other. */
static char *read_expected(int *i, int end)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool first = true;

    assert_non_null(out);
    for (; *i < end && is_result(lines[*i]); (*i)++, first = false) {
        bool json = lines[*i][4] == '{';
        char *line = json ? decode(lines[*i] + 4) : strdup(lines[*i] + 4);

        fprintf(out, "%s%s", first ? "" : "\n", line);
        free(line);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *run_case(const char *function, char *const *specs, int num)
{
    if (!strcmp(function, "config"))
        return run_config(specs, num);
    assert_int_equal(num, 1);
    if (!strcmp(function, "vdev"))
        return run_vdev(specs[0]);
    if (!strcmp(function, "vscsictrl"))
        return run_ctrl(specs[0]);
    if (!strcmp(function, "pdev"))
        return run_pdev(specs[0]);
    if (!strcmp(function, "short"))
        return run_parse(specs[0], xlu_vscsi_parse_short);
    assert_string_equal(function, "parse");
    return run_parse(specs[0], xlu_vscsi_parse);
}

static void run_section(void **state)
{
    const section *sec = *state;
    char *specs[16], *expected, *result;
    int i = sec->begin, num = 0, wrong = 0, line;

    while (i < sec->end) {
        if (!is_to_read(lines[i])) {
            i++;
            continue;
        }
        if (!is_result(lines[i])) {
            assert_true(num < 16);
            specs[num++] = decode(lines[i++]);
            continue;
        }
        line = i;
        expected = read_expected(&i, sec->end);
        result = run_case(sec->function, specs, num);
        if (strcmp(expected, result)) {
            print_error("line %d, '%s'\n  expected %s\n  got      %s\n",
                        line, specs[num - 1], expected, result);
            wrong++;
        }
        free(expected);
        free(result);
        while (num > 0)
            free(specs[--num]);
    }
    assert_int_equal(num, 0);
    assert_int_equal(wrong, 0);
}

static void read_section(char *line, int number)
{
    char *colon = strchr(line, ':'), *end = strchr(line, ']');
    section *sec = &sections[num_sections];

    if (num_sections)
        sections[num_sections - 1].end = number;
    if (!colon || !end || num_sections == MAX_SECTIONS) {
        fprintf(stderr, "wrong heading: %s\n", line);
        exit(1);
    }
    snprintf(sec->function, sizeof(sec->function), "%.*s",
             (int)(colon - line - 1), line + 1);
    snprintf(sec->promise, sizeof(sec->promise), "%.*s",
             (int)(end - colon - 2), colon + 2);
    sec->begin = sec->end = number + 1;
    num_sections++;
}

static void read_cases(const char *path)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (!in) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    while (num_lines < MAX_LINES && (len = getline(&line, &size, in)) >= 0) {
        if (len && line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (line[0] == '[')
            read_section(line, num_lines);
        lines[num_lines++] = line;
        line = NULL;
    }
    if (!num_sections || num_lines == MAX_LINES) {
        fprintf(stderr, "%s: no sections, or too long\n", path);
        exit(1);
    }
    sections[num_sections - 1].end = num_lines;
    free(line);
    fclose(in);
}

/* ----- what no table can say ----- */

static void long_texts_are_cut_in_messages(void **state)
{
    char spec[5000], *msg;

    (void)state;
    memset(spec, '\x1b', sizeof(spec) - 1);
    spec[sizeof(spec) - 1] = '\0';
    msg = run_parse(spec, xlu_vscsi_parse);
    assert_non_null(strstr(msg, "\\x1b...'"));
    free(msg);
}

static void pdev_has_a_longest_length(void **state)
{
    char spec[1100], *result;
    int len;

    (void)state;
    for (len = 1024; len <= 1025; len++) {
        snprintf(spec, sizeof(spec), "/dev/%0*d,0:0:0:0", len - 5, 0);
        result = run_parse(spec, xlu_vscsi_parse);
        assert_int_equal(result[0] == '{', len == 1024);
        free(result);
    }
}

static void an_earlier_result_is_freed(void **state)
{
    libxl_device_vscsictrl ctrl;

    (void)state;
    libxl_device_vscsictrl_init(&ctrl);
    assert_int_equal(xlu_vscsi_parse("8:0:0:1,1:0:0:0", &ctrl, NULL), 0);
    assert_int_equal(xlu_vscsi_parse("/dev/sdb,2:0:0:0", &ctrl, NULL), 0);
    assert_int_equal(ctrl.num_vscsidevs, 1);
    assert_int_equal(ctrl.devid, 2);
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void device_without_a_name_is_written_by_its_address(void **state)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    char *text;

    (void)state;
    libxl_device_vscsictrl_init(&ctrl);
    libxl_device_vscsidev_init(&dev);
    dev.vdev.tgt = 5;
    libxl_vscsi_pdev_init_type(&dev.pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    dev.pdev.u.hctl.m.hst = 8;
    libxl_defbool_set(&ctrl.scsi_raw_cmds, true);
    text = xlu_vscsi_to_string(&ctrl, &dev);
    assert_string_equal(text, "8:0:0:0,0:0:5:0,feature-host");
    free(text);
    libxl_device_vscsidev_dispose(&dev);
    libxl_device_vscsictrl_dispose(&ctrl);
}

static uint32_t random_below(uint32_t bound)
{
    static uint32_t state = 1;

    state = state * 1664525U + 1013904223U;
    return (state >> 8) % bound;
}

/* Texts close to those of the table, none of which may do any harm. */
static void no_text_does_harm(void **state)
{
    static const char bytes[] = "0123456789:,,: \t/naa.\x1b\xc3\xa4-+x=**";
    char *spec, *result, *specs[2];
    uint32_t i, j;
    int line;

    (void)state;
    for (i = 0; i < NUM_MUTATIONS; i++) {
        line = (int)random_below((uint32_t)num_lines);
        if (!is_to_read(lines[line]) || is_result(lines[line]))
            continue;
        spec = decode(lines[line]);
        for (j = random_below(3) + 1; *spec && j > 0; j--)
            spec[random_below((uint32_t)strlen(spec))] =
                bytes[random_below(sizeof(bytes))];
        specs[0] = spec;
        result = run_parse(spec, xlu_vscsi_parse);
        free(result);
        result = run_parse(spec, xlu_vscsi_parse_short);
        free(result);
        result = run_pdev(spec);
        free(result);
        result = run_vdev(spec);
        free(result);
        result = run_config(specs, 1);
        free(result);
        free(spec);
    }
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[MAX_SECTIONS + 5] = {
        cmocka_unit_test(long_texts_are_cut_in_messages),
        cmocka_unit_test(pdev_has_a_longest_length),
        cmocka_unit_test(an_earlier_result_is_freed),
        cmocka_unit_test(device_without_a_name_is_written_by_its_address),
        cmocka_unit_test(no_text_does_harm),
    };
    size_t i, num_tests = 5;
    int failed;

    read_cases(argc > 1 ? argv[1] : CASES);
    for (i = 0; i < num_sections; i++) {
        tests[num_tests++] = (struct CMUnitTest){
            .name = sections[i].promise,
            .test_func = run_section,
            .initial_state = &sections[i],
        };
    }
    failed = _cmocka_run_group_tests("xlu", tests, num_tests, NULL, NULL);
    while (num_lines > 0)
        free(lines[--num_lines]);
    return failed != 0;
}
