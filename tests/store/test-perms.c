/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who may read and write what the toolstack makes, and what happens to
 * somebody who may not. */
#include "rig.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* ----- nodes ----- */

/* libxl's rule for a node of domain 5's device, by where it is.  What no
 * device owns is as the directory it was made in. */
static const char *perms_that_libxl_gives(const char *path)
{
    static const struct {
        const char *prefix, *perms;
    } rules[] = {
        { "/local/domain/0/backend/vscsi/5/", "n0,r5" },
        { "/local/domain/0/backend/vscsi", "n0" },
        { "/local/domain/5/device/vscsi/", "n5,r0" },
        { "/local/domain/5/device/vscsi", "n0,r5" },
        { "/libxl/5/device/vscsi", "n0" },
    };
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(rules); i++)
        if (!strncmp(path, rules[i].prefix, strlen(rules[i].prefix)))
            return rules[i].perms;
    fail_msg("%s has no place there", path);
    return NULL;
}

/* Returns how many nodes it has looked at. */
static unsigned assert_all_perms(struct rig *rig)
{
    char *all, *rest, *line;
    unsigned num = 0;

    peer_settle(rig->p);
    all = rest = rig_snapshot(rig);
    while ((line = strsep(&rest, "\n"))) {
        char *end = strstr(line, " = "), *found;

        if (!end)
            continue;
        *end = 0;
        found = store_perms(rig->s, line);
        assert_non_null(found);
        if (strcmp(found, perms_that_libxl_gives(line)))
            fail_msg("%s has %s, not %s", line, found,
                     perms_that_libxl_gives(line));
        free(found);
        num++;
    }
    free(all);
    return num;
}

static void every_node_has_the_permissions_that_libxl_gives(void **state)
{
    struct rig *rig = *state;

    /* two of one vhost, one that came later, and one of another */
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    assert_true(assert_all_perms(rig) > 30);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 2, 1), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 3, 3, 1), 0);
    assert_true(assert_all_perms(rig) > 50);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_true(assert_all_perms(rig) > 40);
}

static void nodes_that_wait_for_a_guest_are_no_more_open(void **state)
{
    struct rig *rig = *state;

    peer_set_frontend_loaded(rig->p, DOM, false);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    assert_true(assert_all_perms(rig) > 25);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:0",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_true(assert_all_perms(rig) > 20);
}

/* ----- users ----- */

/* A connection of the child's own, made while it may: what reads the one of
 * the parent has stayed there. */
static bool become_nobody(struct rig *rig)
{
    return !libxl__vscsi_ctx_init(&rig->vc) &&
           (rig->vc.lock_file = rig->lock_file) != NULL &&
           !setgid(NOBODY) && !setuid(NOBODY);
}

/* Runs it as nobody; it returns whether all is as it should be. */
static void as_nobody(struct rig *rig, bool (*run)(struct rig *))
{
    int status;
    pid_t pid;

    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        bool ok = become_nobody(rig) && run(rig);

        fprintf(stderr, "%s", ok ? "" : rig_log());
        _exit(!ok);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool cannot_reach_the_store(struct rig *rig)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)rig;
    rc = libxl__vscsi_ctx_init(&vc);
    libxl__vscsi_ctx_dispose(&vc);
    return rc == ERROR_FAIL && strstr(rig_log(), "cannot reach xenstore: ") &&
           strstr(rig_log(), "are you root?");
}

static bool cannot_lock(struct rig *rig)
{
    return rig_attach_many(rig, DOM, 0, 0, 1) == ERROR_LOCK_FAIL &&
           strstr(rig_log(), "Permission denied (only root may; try sudo)");
}

static void who_may_not_changes_nothing_and_is_told_who_may(void **state)
{
    struct rig *rig = *state;
    char *before, *after;

    if (geteuid())
        skip();                 /* somebody else than the owner is needed */
    assert_int_equal(rig_attach_many(rig, DOM, 3, 3, 1), 0);
    peer_settle(rig->p);
    before = rig_snapshot(rig);
    as_nobody(rig, cannot_reach_the_store);
    as_nobody(rig, cannot_lock);
    after = rig_snapshot(rig);
    assert_string_equal(before, after);
    assert_int_equal(fakehost_num_exported(), 1);
    free(before);
    free(after);
}

static void a_umask_of_0_opens_nothing(void **state)
{
    struct rig *rig = *state;
    mode_t before = umask(0);
    struct stat st;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    umask(before);
    assert_int_equal(stat(rig->lock_file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_true(assert_all_perms(rig) > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_node_has_the_permissions_that_libxl_gives),
        TEST(nodes_that_wait_for_a_guest_are_no_more_open),
        TEST(who_may_not_changes_nothing_and_is_told_who_may),
        TEST(a_umask_of_0_opens_nothing),
    };

    return cmocka_run_group_tests_name("store/perms", tests, NULL, NULL);
}
