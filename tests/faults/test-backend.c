/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A backend driver that falls silent, answers too late, fails or vanishes
 * with its nodes, at each step of each operation: the operation ends within
 * its bound, with a message if it failed; and once the backend is well, the
 * list tells the truth and the next commands work.
 */
#include "stage.h"

#include <stdio.h>
#include <unistd.h>

#include "figure.h"
#include "steps.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define HANGS_AFTER_S 120

struct operation {
    const char *name;
    unsigned num;               /* devices that the vscsictrl has already */
    int (*act)(struct rig *rig);
};

static int attach_two(struct rig *rig)
{
    return rig_attach_many(rig, DOM, 0, 0, 2);
}

static int attach_more(struct rig *rig)
{
    return rig_attach_many(rig, DOM, 0, 2, 2);
}

static int detach_one(struct rig *rig)
{
    return rig_detach(rig, DOM, "0:0:0:1", LIBXL__VSCSI_SAFE_REMOVE);
}

static int detach_ctrl(struct rig *rig)
{
    return rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE);
}

static int destroy_ctrl(struct rig *rig)
{
    return rig_close(rig, DOM, 0, LIBXL__VSCSI_DESTROY);
}

static const struct operation operations[] = {
    { "attach, a new vscsictrl", 0, attach_two },
    { "attach, to a connected vscsictrl", 2, attach_more },
    { "detach, one of three", 3, detach_one },
    { "detach, a vscsictrl", 2, detach_ctrl },
    { "detach by force", 2, destroy_ctrl },
};

static unsigned tried;

static void prepare(struct rig *rig, const struct operation *op)
{
    libxl_vscsi_get_timeouts(&rig->vc.timeouts);
    if (op->num)
        assert_int_equal(rig_attach_many(rig, DOM, 0, 0, op->num), 0);
    peer_settle(rig->p);
    rig_forget_log();
}

/* Whatever it returns. */
static void act(struct rig *rig, const struct operation *op)
{
    int rc;

    rig->vc.timeouts = (libxl_vscsi_timeouts){
        .backend_ms = 150, .frontend_ms = 60, .handshake_ms = 150,
        .destroy_ms = 150, .lock_ms = 1000,
    };
    alarm(HANGS_AFTER_S);       /* ends the program: that is a failure */
    rc = op->act(rig);
    alarm(0);
    if (rc && !strstr(rig_log(), "cannot "))
        fail_msg("%s: rc %d without a message:\n%s", op->name, rc,
                 rig_log());
    tried++;
}

/* Devices whose nodes are gone stay on record, and are not said to work. */
static void assert_list(struct rig *rig)
{
    char *list;

    /* A state that it wrote last may have come after they went. */
    if (store_exists(rig->s, B "/frontend")) {
        free(stage_truth(rig, DOM));
        return;
    }
    list = rig_list(rig, DOM);
    assert_null(strstr(list, "(4)"));
    free(list);
}

/* The backend is well again. */
static void carry_on(struct rig *rig)
{
    peer_behave(rig->p);
    libxl_vscsi_get_timeouts(&rig->vc.timeouts);
    peer_settle(rig->p);
    stage_assert_bystander(rig);
    assert_list(rig);
    rig_forget_log();
    stage_detach_all(rig, LIBXL__VSCSI_REMOVE);
    peer_settle(rig->p);
    if (rig_attach_many(rig, DOM, 0, 0, 2))
        fail_msg("the next attach fails: %s", rig_log());
    peer_settle(rig->p);
    assert_int_equal(peer_guest_luns(rig->p, DOM, 0), 2);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    stage_assert_clean(rig);
}

/* States of the frontend at which the backend acts; 0: before any. */
static const int sights[] = { 0, 1, 3, 4, 5, 6, 7 };

/* Every operation, while at each step the backend does as misbehave says. */
static void try_sights(struct rig *rig, const char *figure,
                       void (*misbehave)(struct peer *, enum peer_side, int))
{
    size_t i, k;

    tried = 0;
    for (i = 0; i < VSCSI_ARRAY_SIZE(operations); i++) {
        for (k = 0; k < VSCSI_ARRAY_SIZE(sights); k++) {
            prepare(rig, &operations[i]);
            misbehave(rig->p, PEER_BACKEND, sights[k]);
            act(rig, &operations[i]);
            carry_on(rig);
        }
    }
    figure_row(figure, tried, tried, 0);
}

static void a_backend_that_falls_silent_at_a_step_is_survived(void **state)
{
    try_sights(*state, "backend: silent, then late, at each step",
               peer_freeze_at);
}

static void a_backend_that_fails_at_a_step_is_survived(void **state)
{
    try_sights(*state, "backend: closes at each step", peer_close_at);
}

static struct rig *the_rig;
static unsigned vanish_at;

static void vanish(unsigned step, bool done)
{
    if (step == vanish_at && !done)
        store_rm(the_rig->s, B);
}

static void a_backend_that_vanishes_at_a_step_is_survived(void **state)
{
    struct rig *rig = *state;
    unsigned steps, stride = figure_long() ? 1 : 9;
    size_t i;

    tried = 0;
    the_rig = rig;
    for (i = 0; i < VSCSI_ARRAY_SIZE(operations); i++) {
        for (vanish_at = 1; ; vanish_at += stride) {
            prepare(rig, &operations[i]);
            steps_begin(vanish);
            act(rig, &operations[i]);
            steps = steps_end(NULL);
            carry_on(rig);
            if (vanish_at > steps)
                break;
        }
    }
    figure_row("backend: vanishes with its nodes, each step", tried, tried,
               0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_backend_that_falls_silent_at_a_step_is_survived),
        STAGE_TEST(a_backend_that_fails_at_a_step_is_survived),
        STAGE_TEST_LAWLESS(a_backend_that_vanishes_at_a_step_is_survived),
    };

    return cmocka_run_group_tests_name("faults/backend", tests, NULL, NULL);
}
