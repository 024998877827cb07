/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The handshake: the table of docs/misc/pvscsi.txt (or of the file named as
 * the argument) against libxl_vscsi_fsm.c, and what must hold whatever the
 * table says, both for every combination of states.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "libxl_vscsi_fsm.h"

#define TABLE "docs/misc/pvscsi.txt"
#define MAX_ROWS 100

/* One point of the space; devices are VSCSI_UNREAD where they cannot count. */
typedef struct point {
    libxl__vscsi_op op;
    libxl__vscsi_state backend, frontend, dev, frontend_dev;
} point;

static libxl__vscsi_plan plan_of(const point *p)
{
    return libxl__vscsi_plan_for(p->op, p->backend, p->frontend);
}

static libxl__vscsi_verdict verdict_of(const point *p)
{
    return libxl__vscsi_judge(p->op, p->backend, p->frontend, p->dev,
                              p->frontend_dev);
}

static void for_every_point(void (*check)(const point *p))
{
    /* The backend is always read, and read first. */
    const int all = VSCSI_NUM_STATES, backends = VSCSI_UNREAD;
    int op, b, f, d, g;

    for (op = 0; op < VSCSI_NUM_OPS; op++)
        for (b = 0; b < backends; b++)
            for (f = 0; f < all; f++)
                for (d = 0; d < all; d++)
                    for (g = 0; g < all; g++) {
                        point p = {
                            (libxl__vscsi_op)op, (libxl__vscsi_state)b,
                            (libxl__vscsi_state)f, (libxl__vscsi_state)d,
                            (libxl__vscsi_state)g,
                        };
                        check(&p);
                    }
}

static void promise(bool kept, const point *p)
{
    if (!kept)
        fail_msg("%s, backend %d, frontend %d, device %d, guest's %d: plan "
                 "%s, verdict %s", libxl__vscsi_op_name(p->op),
                 (int)p->backend, (int)p->frontend, (int)p->dev,
                 (int)p->frontend_dev, libxl__vscsi_plan_name(plan_of(p)),
                 libxl__vscsi_verdict_name(verdict_of(p)));
}

/* ----- the table as text ----- */

enum { PHASE, OP, BACKEND, FRONTEND, DEV, FRONTEND_DEV, RESULT, BECAUSE,
       NUM_COLUMNS };

typedef struct row {
    int line;
    bool used;
    char *text;                 /* what cells[] point into */
    char *cells[NUM_COLUMNS];
} row;

static const char *path = TABLE;
static row rows[MAX_ROWS];
static size_t num_rows;

static char *trim(char *s)
{
    char *end = s + strlen(s);

    while (end > s && strchr(" \n", end[-1]))
        *--end = '\0';
    return s + strspn(s, " ");
}

static void read_row(const char *line, int number)
{
    row *r = &rows[num_rows];
    char *rest;
    int i;

    assert_true(num_rows < MAX_ROWS);
    r->line = number;
    r->text = rest = strdup(line);
    assert_non_null(rest);
    for (i = 0; i < NUM_COLUMNS; i++) {
        if (!rest)
            fail_msg("line %d has %d of %d columns", number, i, NUM_COLUMNS);
        r->cells[i] = trim(strsep(&rest, "|"));
    }
    if (strcmp(r->cells[PHASE], "phase"))
        num_rows++;
    else
        free(r->text);          /* the heading */
}

static int read_table(void **state)
{
    FILE *in = fopen(path, "r");
    bool inside = false, ended = false;
    char *line = NULL;
    size_t size = 0;
    int number = 0;

    (void)state;
    if (!in) {
        print_error("%s: %s\n", path, strerror(errno));
        return -1;
    }
    while (getline(&line, &size, in) >= 0) {
        number++;
        if (strstr(line, "[end of table]"))
            ended = ended || inside, inside = false;
        if (inside && strchr(line, '|'))
            read_row(line, number);
        if (strstr(line, "[table: protocol]"))
            inside = true;
    }
    free(line);
    fclose(in);
    if (!ended || !num_rows) {
        print_error("%s has no whole [table: protocol]\n", path);
        return -1;
    }
    return 0;
}

static int free_table(void **state)
{
    (void)state;
    while (num_rows > 0)
        free(rows[--num_rows].text);
    return 0;
}

/* ----- does a row fit? ----- */

static bool op_fits(const char *pattern, const char *op)
{
    size_t len = strcspn(pattern, "*");

    return pattern[len] ? !strncmp(pattern, op, len) : !strcmp(pattern, op);
}

/* One alternative of a pattern. */
static bool word_fits(const char *word, size_t len, libxl__vscsi_state state)
{
    static const char *const names[] = { "*", "left", "bad", "unread" };
    size_t i;

    if (len == 1 && *word >= '0' && *word <= '8')
        return *word - '0' == (int)state;
    for (i = 0; i < 4; i++)
        if (len == strlen(names[i]) && !memcmp(word, names[i], len))
            break;
    switch (i) {
    case 0:
        return true;
    case 1:
        return state == VSCSI_GONE || state == VSCSI_CLOSING ||
               state == VSCSI_CLOSED || state == VSCSI_BAD;
    case 2:
        return state == VSCSI_BAD;
    case 3:
        return state == VSCSI_UNREAD;
    }
    fail_msg("unknown state '%.*s'", (int)len, word);
    return false;
}

static bool state_fits(const char *pattern, libxl__vscsi_state state)
{
    bool fits = false;

    for (;;) {
        size_t len = strcspn(pattern, ",");

        fits = word_fits(pattern, len, state) || fits;
        if (!pattern[len])
            return fits;
        pattern += len + 1;
    }
}

static row *find_row(const char *phase, const point *p)
{
    const char *op = libxl__vscsi_op_name(p->op);
    size_t i;

    for (i = 0; i < num_rows; i++) {
        char *const *c = rows[i].cells;

        if (!strcmp(c[PHASE], phase) && op_fits(c[OP], op) &&
            state_fits(c[BACKEND], p->backend) &&
            state_fits(c[FRONTEND], p->frontend) &&
            state_fits(c[DEV], p->dev) &&
            state_fits(c[FRONTEND_DEV], p->frontend_dev))
            return &rows[i];
    }
    fail_msg("no %s row fits %s, backend %d, frontend %d, device %d, "
             "guest's %d", phase, op, (int)p->backend, (int)p->frontend,
             (int)p->dev, (int)p->frontend_dev);
    return NULL;
}

static void check_row(const char *phase, const point *p, const char *result)
{
    row *r = find_row(phase, p);

    r->used = true;
    if (strcmp(r->cells[RESULT], result))
        fail_msg("line %d says '%s', the code '%s': %s %s, backend %d, "
                 "frontend %d, device %d, guest's %d", r->line,
                 r->cells[RESULT], result, phase,
                 libxl__vscsi_op_name(p->op), (int)p->backend,
                 (int)p->frontend, (int)p->dev, (int)p->frontend_dev);
}

/* ----- the table holds ----- */

static void check_table(const point *p)
{
    check_row("plan", p, libxl__vscsi_plan_name(plan_of(p)));
    check_row("judge", p, libxl__vscsi_verdict_name(verdict_of(p)));
    if (p->op == VSCSI_REMOVE_DEV && plan_of(p) == VSCSI_PLAN_RECONFIGURE)
        check_row("device", p, libxl__vscsi_dev_is_mapped(p->dev)
                  ? "close" : "nodes");
}

static void table_and_code_say_the_same_everywhere(void **state)
{
    (void)state;
    for_every_point(check_table);
}

/* Runs after the test above, which marks the rows. */
static void every_row_of_the_table_is_needed(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < num_rows; i++)
        if (!rows[i].used)
            fail_msg("line %d never counts", rows[i].line);
}

/* ----- the promises ----- */

#define PROMISE(name) \
    static void check_##name(const point *p); \
    static void name(void **state) \
    { \
        (void)state; \
        for_every_point(check_##name); \
    } \
    static void check_##name(const point *p)

static bool is_addition(const point *p)
{
    return p->op == VSCSI_ADD_CTRL || p->op == VSCSI_ADD_DEV;
}

static bool both_are_connected(const point *p)
{
    return p->backend == VSCSI_CONNECTED && p->frontend == VSCSI_CONNECTED;
}

PROMISE(state_7_is_never_written_unless_both_ends_are_4)
{
    promise(plan_of(p) != VSCSI_PLAN_RECONFIGURE || both_are_connected(p), p);
}

PROMISE(state_5_is_never_written_unless_the_guest_can_answer)
{
    promise(plan_of(p) != VSCSI_PLAN_CLOSE || both_are_connected(p), p);
}

PROMISE(nothing_is_added_while_an_end_changes_its_state)
{
    bool rests = both_are_connected(p) ||
                 (p->frontend == VSCSI_INITIALISING &&
                  (p->backend == VSCSI_INITIALISING ||
                   p->backend == VSCSI_INIT_WAIT));

    promise(p->op != VSCSI_ADD_DEV || rests ||
            plan_of(p) == VSCSI_PLAN_WAIT ||
            plan_of(p) == VSCSI_PLAN_REFUSE, p);
}

PROMISE(backend_4_alone_is_never_success)
{
    promise(!is_addition(p) || verdict_of(p) != VSCSI_DONE ||
            (p->backend == VSCSI_CONNECTED && p->dev == VSCSI_CONNECTED &&
             p->frontend_dev == VSCSI_CONNECTED), p);
}

PROMISE(device_refused_by_guest_is_not_success)
{
    promise(!is_addition(p) || p->frontend_dev != VSCSI_CLOSED ||
            verdict_of(p) != VSCSI_DONE, p);
    promise(!is_addition(p) || p->backend != VSCSI_CONNECTED ||
            p->dev != VSCSI_CONNECTED || p->frontend_dev != VSCSI_CLOSED ||
            state_fits("left", p->frontend) ||
            verdict_of(p) == VSCSI_REFUSED_BY_GUEST, p);
}

PROMISE(device_refused_by_backend_is_not_success)
{
    promise(!is_addition(p) || !both_are_connected(p) ||
            p->dev != VSCSI_CLOSED ||
            verdict_of(p) == VSCSI_REFUSED_BY_BACKEND, p);
}

PROMISE(ctrl_that_closes_ends_an_addition)
{
    bool closes = state_fits("left", p->backend) ||
                  state_fits("left", p->frontend);

    promise(!is_addition(p) || closes == (verdict_of(p) ==
                                          VSCSI_CTRL_CLOSED), p);
}

PROMISE(removal_is_not_over_while_the_backend_has_the_device)
{
    promise(p->op != VSCSI_REMOVE_DEV || p->backend != VSCSI_CONNECTED ||
            (p->dev != VSCSI_CONNECTED && p->dev != VSCSI_INITIALISED) ||
            verdict_of(p) != VSCSI_DONE, p);
}

PROMISE(nothing_is_over_in_the_middle_of_a_reconfiguration)
{
    promise((p->backend != VSCSI_RECONFIGURING &&
             p->backend != VSCSI_RECONFIGURED) || p->op == VSCSI_WITHDRAW ||
            p->op == VSCSI_SHOW_CTRL ||    /* waits for a 2 only */
            libxl__vscsi_is_waiting(verdict_of(p)) ||
            state_fits("left", p->frontend), p);
}

PROMISE(request_is_withdrawn_only_before_the_guest_answered)
{
    promise(plan_of(p) != VSCSI_PLAN_WITHDRAW ||
            (p->backend == VSCSI_RECONFIGURING &&
             p->frontend == VSCSI_CONNECTED), p);
}

/* The backend writes its own feature-sg-grant before it, and the guest reads
 * the node when both are further. */
PROMISE(limit_is_written_only_between_probe_and_connect)
{
    promise(plan_of(p) != VSCSI_PLAN_SHOW ||
            (p->backend == VSCSI_INIT_WAIT &&
             p->frontend == VSCSI_INITIALISING), p);
}

PROMISE(destroy_asks_nobody_and_never_waits_to_begin)
{
    promise(p->op != VSCSI_DESTROY_CTRL ||
            plan_of(p) == VSCSI_PLAN_ERASE ||
            plan_of(p) == VSCSI_PLAN_UNPLUG, p);
}

/* Else an operation would wait for what has happened already. */
PROMISE(what_has_settled_can_be_planned)
{
    point settle = *p;

    settle.op = VSCSI_SETTLE;
    promise(p->frontend == VSCSI_UNREAD ||
            verdict_of(&settle) != VSCSI_DONE ||
            plan_of(p) != VSCSI_PLAN_WAIT, p);
}

PROMISE(settling_writes_nothing)
{
    promise(p->op != VSCSI_SETTLE || plan_of(p) == VSCSI_PLAN_LEAVE, p);
}

static void no_5_for_a_device_that_is_1_or_6(void **state)
{
    (void)state;
    assert_false(libxl__vscsi_dev_is_mapped(VSCSI_INITIALISING));
    assert_false(libxl__vscsi_dev_is_mapped(VSCSI_CLOSED));
    assert_true(libxl__vscsi_dev_is_mapped(VSCSI_INITIALISED));
    assert_true(libxl__vscsi_dev_is_mapped(VSCSI_CONNECTED));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_and_code_say_the_same_everywhere),
        cmocka_unit_test(every_row_of_the_table_is_needed),
        cmocka_unit_test(state_7_is_never_written_unless_both_ends_are_4),
        cmocka_unit_test(
            state_5_is_never_written_unless_the_guest_can_answer),
        cmocka_unit_test(nothing_is_added_while_an_end_changes_its_state),
        cmocka_unit_test(backend_4_alone_is_never_success),
        cmocka_unit_test(device_refused_by_guest_is_not_success),
        cmocka_unit_test(device_refused_by_backend_is_not_success),
        cmocka_unit_test(ctrl_that_closes_ends_an_addition),
        cmocka_unit_test(
            removal_is_not_over_while_the_backend_has_the_device),
        cmocka_unit_test(nothing_is_over_in_the_middle_of_a_reconfiguration),
        cmocka_unit_test(
            request_is_withdrawn_only_before_the_guest_answered),
        cmocka_unit_test(limit_is_written_only_between_probe_and_connect),
        cmocka_unit_test(destroy_asks_nobody_and_never_waits_to_begin),
        cmocka_unit_test(what_has_settled_can_be_planned),
        cmocka_unit_test(settling_writes_nothing),
        cmocka_unit_test(no_5_for_a_device_that_is_1_or_6),
    };

    if (argc > 1)
        path = argv[1];
    return cmocka_run_group_tests_name("fsm", tests, read_table,
                                       free_table) != 0;
}
