/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest that rewrites what it owns under its vscsictrl at every request that
 * an operation makes.  Whatever it does, the toolstack asks for, writes and
 * removes only what belongs to that vscsictrl, another domain notices nothing,
 * and every operation ends.
 */
#include "stage.h"

#include <fnmatch.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "figure.h"
#include "steps.h"
#include "text.h"
#include "trace.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"
#define R "/libxl/5/device/vscsi/0"
#define OTHER "/local/domain/0/backend/vscsi/6/0"

#define HANGS_AFTER_S 120
#define MANY (figure_long() ? 300u : 40u)
#define MEMORY_MAX (8u << 20)

/* ----- what the guest does ----- */

static struct rig *the_rig;
static char big[4097];

static void put(const char *path, const char *value)
{
    peer_guest_write(the_rig->p, DOM, path, value);     /* if it may */
}

static void point_to_another(void) { put(F "/backend", OTHER); }
static void point_to_nowhere(void) { put(F "/backend", "/nowhere/at/all"); }
static void point_to_itself(void) { put(F "/backend", F); }
static void other_backend_id(void) { put(F "/backend-id", "6"); }
static void state_out_of_range(void) { put(F "/state", "99"); }
static void state_of_text(void) { put(F "/state", "4 connected"); }
static void state_without_text(void) { put(F "/state", ""); }
static void state_too_large(void) { put(F "/state", "18446744073709551620"); }
static void state_connected(void) { put(F "/state", "4"); }
static void state_closed(void) { put(F "/state", "6"); }
static void state_reconfiguring(void) { put(F "/state", "7"); }

/* With len bytes, of which more than 2048 are beyond a guest's quota. */
static void put_big(const char *path, size_t len)
{
    put(path, big + sizeof(big) - 1 - len);
}

static void huge_values(void)
{
    /* the most that a message to xenstored holds */
    put_big(F "/state", 4096 - sizeof(F "/state"));
    put_big(F "/state", 2000);
    put_big(F "/vscsi-devs/dev-0/state", 2000);
}

static void many_children(void)
{
    char path[128];
    unsigned i;

    for (i = 0; i < MANY; i++) {
        snprintf(path, sizeof(path), F "/vscsi-devs/dev-%u/state", i);
        put(path, i % 2 ? "6" : "4");
    }
}

static void odd_children(void)
{
    put(F "/vscsi-devs/dev--1/state", "4");
    put(F "/vscsi-devs/dev-4294967296/state", "4");
    put(F "/vscsi-devs/dev-0/p-dev", "3:0:9:0");
    put(F "/vscsi-devs/dev-0/v-dev", "9:9:9:9");
    put(F "/vscsi-devs", "no directory");
}

static void refuses_all(void)
{
    put(F "/vscsi-devs/dev-0/state", "6");
    put(F "/vscsi-devs/dev-1/state", "6");
    put(F "/vscsi-devs/dev-2/state", "6");
}

static void removes_devices(void) { put(F "/vscsi-devs", NULL); }
static void removes_state(void) { put(F "/state", NULL); }
static void removes_all(void) { put(F, NULL); }

static void comes_again(void)
{
    put(F, "");
    put(F "/backend", B);
    put(F "/backend-id", "0");
    put(F "/state", "1");
}

static void flips(void)
{
    static const char *const states[] = { "1", "3", "4", "7", "4", "5", "6" };
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(states); i++)
        put(F "/state", states[i]);
}

static void beyond_its_own(void)
{
    put(B "/state", "6");
    put(B, NULL);
    put(R, "{}");
    put("/local/domain/6/device/vscsi/0/state", "6");
    put(OTHER "/state", "5");
    put("/local/domain/5/device/vscsi/7/state", "1");
}

static void (*const mutations[])(void) = {
    point_to_another, point_to_nowhere, point_to_itself, other_backend_id,
    state_out_of_range, state_of_text, state_without_text, state_too_large,
    state_connected, state_closed, state_reconfiguring, huge_values,
    many_children, odd_children, refuses_all, removes_devices,
    removes_state, removes_all, comes_again, flips, beyond_its_own,
};

#define KINDS ((unsigned)VSCSI_ARRAY_SIZE(mutations))

/* ----- what the toolstack may do ----- */

static const struct {
    const char *type, *path, *value;    /* patterns; NULL: anything */
} allowed[] = {
    { "TRANSACTION_*", NULL, NULL },
    { "WATCH", B, NULL },
    { "WATCH", F, NULL },
    { "DIRECTORY", "/libxl/vscsi", NULL },
    { "DIRECTORY", "/libxl/[56]", NULL },
    { "DIRECTORY", "/libxl/[56]/device/vscsi", NULL },
    { "DIRECTORY", "/local/domain/0/backend/vscsi", NULL },
    { "DIRECTORY", "/local/domain/0/backend/vscsi/[56]", NULL },
    { "DIRECTORY", "/local/domain/5/device/vscsi", NULL },
    { "READ", "/libxl/[56]/device/vscsi/0", NULL },
    { "READ", "/local/domain/[56]/name", NULL },
    { "READ", "/local/domain/[56]/vm", NULL },
    { "READ", B, NULL },
    { "READ", B "/state", NULL },
    { "READ", B "/vscsi-devs/dev-[0-3]/state", NULL },
    /* of what is the guest's, states alone */
    { "READ", F, NULL },
    { "READ", F "/state", NULL },
    { "READ", F "/vscsi-devs/dev-[0-3]/state", NULL },

    { "MKDIR", F, "" },
    { "SET_PERMS", F, "n5*r0*" },
    { "WRITE", F "/backend", B },
    { "WRITE", F "/backend-id", "0" },
    { "WRITE", F "/state", "1" },
    { "GET_PERMS", F "/state", NULL },
    { "SET_PERMS", F "/state", "n0*" },
    { "SET_PERMS", F "/state", "n5*r0*" },
    { "RM", F, "" },
    { "RM", F "/vscsi-devs/dev-[0-3]", "" },
    { "RM", "/local/domain/5/device/vscsi", "" },

    { "MKDIR", B, "" },
    { "SET_PERMS", B, "n0*r5*" },
    { "WRITE", B "/frontend", F },
    { "WRITE", B "/frontend-id", "5" },
    { "WRITE", B "/online", "[01]" },
    { "WRITE", B "/feature-host", "0" },
    { "WRITE", B "/state", "[1457]" },
    { "READ", B "/feature-sg-grant", NULL },
    { "WRITE", B "/feature-sg-grant", "33" },
    { "WRITE", B "/vscsi-devs/dev-[0-3]/p-dev", "naa.5001405*:[0-3]" },
    { "WRITE", B "/vscsi-devs/dev-[0-3]/p-devname", "/dev/fake-0-[0-3]" },
    { "WRITE", B "/vscsi-devs/dev-[0-3]/v-dev", "0:0:0:[0-3]" },
    { "WRITE", B "/vscsi-devs/dev-[0-3]/state", "[145]" },
    { "RM", B, "" },
    { "RM", B "/vscsi-devs/dev-[0-3]", "" },
    { "RM", "/local/domain/0/backend/vscsi/5", "" },

    { "WRITE", R, "{\"version\":1,\"devid\":0,*\"/dev/fake-0-[0-3]\"*"
                  "\"naa.5000fa4e0000000[0-3]\"*}" },
    { "WRITE", R "/frontend", F },
    { "WRITE", R "/backend", B },
    { "RM", R, "" },
    { "RM", "/libxl/5/device/vscsi", "" },
    { "WRITE", "/libxl/vscsi/[56]-0-1-*", "" },
    { "RM", "/libxl/vscsi/[56]-0-1-*", "" },
    { "RM", "/libxl/vscsi", "" },
};

static bool matches(const char *pattern, const char *text)
{
    return !pattern || !fnmatch(pattern, text, 0);
}

static bool is_allowed(const struct trace_request *q)
{
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(allowed); i++)
        if (matches(allowed[i].type, q->type) &&
            matches(allowed[i].path, q->path) &&
            matches(allowed[i].value, q->value))
            return true;
    return false;
}

/* Every request of the library, even of transactions that did not commit. */
static void assert_allowed(struct rig *rig, long mark)
{
    struct trace *t = trace_load(store_dir(rig->s));
    unsigned seen = 0;
    size_t i;

    for (i = 0; i < t->num; i++) {
        const struct trace_request *q = &t->requests[i];

        if (q->who != TRACE_TESTED || q->offset < mark)
            continue;
        seen++;
        if (!is_allowed(q))
            fail_msg("it may not %s %s '%s'", q->type, q->path, q->value);
    }
    assert_true(seen > 0);
    trace_free(t);
}

/* ----- runs ----- */

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t memory_in_use(void)
{
    return __sanitizer_get_current_allocated_bytes
           ? __sanitizer_get_current_allocated_bytes()
           : mallinfo2().uordblks;
}

static struct {
    unsigned only_step, only_kind;      /* only_step 0: at every step */
    unsigned round, tried;
    size_t before, peak;
    pid_t pid;
} plan;

static void interfere(unsigned step, bool done)
{
    size_t now;
    unsigned kind = plan.only_step ? plan.only_kind
                                   : (step + plan.round) % KINDS;

    if (getpid() != plan.pid)   /* it removes a LUN, and has no xenstore */
        return;
    now = memory_in_use();
    if (now > plan.peak)
        plan.peak = now;
    if (done || (plan.only_step && plan.only_step != step))
        return;
    mutations[kind]();
    plan.tried++;
}

struct scenario {
    const char *name;
    unsigned num;               /* devices that it has already */
    void (*act)(struct rig *rig);
};

/* Returns the steps that it took. */
static unsigned run(struct rig *rig, const struct scenario *sc)
{
    unsigned steps;

    if (sc->num)
        assert_int_equal(rig_attach_many(rig, DOM, 0, 0, sc->num), 0);
    peer_settle(rig->p);
    rig->vc.timeouts = (libxl_vscsi_timeouts){
        .backend_ms = 50, .frontend_ms = 20, .handshake_ms = 50,
        .destroy_ms = 100, .lock_ms = 1000,
    };
    plan.before = plan.peak = memory_in_use();
    alarm(HANGS_AFTER_S);       /* ends the program: that is a failure */
    steps_begin(interfere);
    sc->act(rig);
    steps = steps_end(NULL);
    alarm(0);
    if (plan.peak - plan.before > MEMORY_MAX)
        fail_msg("%s: %zu bytes of memory", sc->name,
                 plan.peak - plan.before);
    peer_settle(rig->p);
    stage_assert_bystander(rig);
    libxl_vscsi_get_timeouts(&rig->vc.timeouts);
    stage_renew_domain(rig);
    stage_assert_clean(rig);
    rig_forget_log();
    return steps;
}

/* Everything at every step; and, in the long form, one thing at one step. */
static void try_all(struct rig *rig, const struct scenario *sc)
{
    unsigned stride = figure_long() ? 1 : 7, most = 0;
    long mark = store_trace_mark(rig->s);

    the_rig = rig;
    memset(big, '4', sizeof(big) - 1);
    memset(&plan, 0, sizeof(plan));
    plan.pid = getpid();
    for (plan.round = 0; plan.round < KINDS; plan.round += stride) {
        unsigned steps = run(rig, sc);

        most = steps > most ? steps : most;
    }
    for (plan.only_kind = 0; figure_long() && plan.only_kind < KINDS;
         plan.only_kind++)
        for (plan.only_step = 1 + plan.only_kind % 10;
             plan.only_step <= most; plan.only_step += 10)
            run(rig, sc);
    assert_allowed(rig, mark);
    figure_row(sc->name, plan.tried, plan.tried, 0);
}

/* ----- operations ----- */

static void attach_two(struct rig *rig)
{
    rig_attach_many(rig, DOM, 0, 0, 2);
}

static void attach_limited(struct rig *rig)
{
    fakehost_set_limits("3:0:0:1", 128, 168);
    attach_two(rig);
}

static void attach_more(struct rig *rig)
{
    rig_attach_many(rig, DOM, 0, 2, 2);
}

static void detach_one(struct rig *rig)
{
    rig_detach(rig, DOM, "0:0:0:1", LIBXL__VSCSI_SAFE_REMOVE);
}

static void detach_ctrl(struct rig *rig)
{
    rig_close(rig, DOM, 0, LIBXL__VSCSI_REMOVE);
}

static void destroy_ctrl(struct rig *rig)
{
    rig_close(rig, DOM, 0, LIBXL__VSCSI_DESTROY);
}

static void list(struct rig *rig)
{
    char *text = rig_list(rig, DOM);

    assert_string_equal(text, "0:0:0:0=/dev/fake-0-0(4) "
                              "0:0:0:1=/dev/fake-0-1(4)");
    free(text);
}

static void wake(struct rig *rig)
{
    assert_int_equal(libxl__vscsi_resume(&rig->vc, DOM), 0);
}

static void clean_up(struct rig *rig)
{
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
}

static void a_guest_changes_nothing_of_an_attach(void **state)
{
    try_all(*state, &(struct scenario){
        "hostile guest: attach, a new vscsictrl", 0, attach_two });
}

static void a_guest_changes_nothing_of_a_limited_attach(void **state)
{
    try_all(*state, &(struct scenario){
        "hostile guest: attach, of limited segments", 0, attach_limited });
}

static void a_guest_changes_nothing_of_an_attach_to_a_ctrl(void **state)
{
    try_all(*state, &(struct scenario){
        "hostile guest: attach, to a connected vscsictrl", 2, attach_more });
}

static void a_guest_changes_nothing_of_a_detach(void **state)
{
    try_all(*state, &(struct scenario){
        "hostile guest: detach, one of three", 3, detach_one });
}

static void a_guest_changes_nothing_of_a_detach_of_a_ctrl(void **state)
{
    try_all(*state, &(struct scenario){
        "hostile guest: detach, a vscsictrl", 2, detach_ctrl });
}

static void a_guest_changes_nothing_of_a_forced_detach(void **state)
{
    try_all(*state, &(struct scenario){
        "hostile guest: detach by force", 2, destroy_ctrl });
}

static void a_guest_changes_nothing_of_a_list(void **state)
{
    try_all(*state, &(struct scenario){ "hostile guest: list", 2, list });
}

static void a_guest_changes_nothing_of_a_resume(void **state)
{
    try_all(*state, &(struct scenario){ "hostile guest: resume", 2, wake });
}

static void a_guest_changes_nothing_of_a_cleanup(void **state)
{
    try_all(*state, &(struct scenario){
        "hostile guest: cleanup of others", 2, clean_up });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_guest_changes_nothing_of_an_attach),
        STAGE_TEST(a_guest_changes_nothing_of_a_limited_attach),
        STAGE_TEST(a_guest_changes_nothing_of_an_attach_to_a_ctrl),
        STAGE_TEST(a_guest_changes_nothing_of_a_detach),
        STAGE_TEST(a_guest_changes_nothing_of_a_detach_of_a_ctrl),
        STAGE_TEST(a_guest_changes_nothing_of_a_forced_detach),
        STAGE_TEST(a_guest_changes_nothing_of_a_list),
        STAGE_TEST(a_guest_changes_nothing_of_a_resume),
        STAGE_TEST(a_guest_changes_nothing_of_a_cleanup),
    };

    return cmocka_run_group_tests_name("faults/hostile", tests, NULL, NULL);
}
