/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who may read and write what the toolstack makes, and what happens to
 * somebody who may not. */
#include "rig.h"

#include <sys/stat.h>
#include <sys/syscall.h>
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
        { "/libxl/vscsi", "n0" },
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

    /* two of one vscsictrl, one that came later, and one of another */
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

/* Only this thread: glibc would take the peer's threads along. */
static void become(uid_t uid)
{
    assert_int_equal(syscall(SYS_setresuid, -1, uid, -1), 0);
    assert_int_equal(geteuid(), uid);
}

static void assert_cannot_reach_the_store(void)
{
    libxl__vscsi_ctx vc;
    int rc;

    become(NOBODY);
    rc = libxl__vscsi_ctx_init(&vc);
    libxl__vscsi_ctx_dispose(&vc);
    become(0);
    assert_int_equal(rc, ERROR_FAIL);
    rig_assert_said("cannot reach xenstore: ");
    rig_assert_said("are you root?");
}

static void assert_cannot_lock(struct rig *rig)
{
    int rc;

    become(NOBODY);
    rc = rig_attach_many(rig, DOM, 0, 0, 1);
    become(0);
    assert_int_equal(rc, ERROR_LOCK_FAIL);
    rig_assert_said("Permission denied (only root may; try sudo)");
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
    assert_cannot_reach_the_store();
    assert_cannot_lock(rig);
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

/* ----- what is told ----- */

/* Passwords lie beside what the toolstack reads. */
static void no_level_of_the_log_has_a_secret(void **state)
{
    static const char *const beside[] = {
        "/local/domain/5/vm-data", "/local/domain/5/console/vnc-pass",
        "/local/domain/0/backend/vkbd/5/0/password",
        "/libxl/5/device/vbd/51712/params",
    };
    static const char *const within[] = {
        "/local/domain/5/device/vscsi/0/vscsi-devs/dev-0/note",
        "/local/domain/5/device/vscsi/0/note",
        "/local/domain/0/backend/vscsi/5/0/vscsi-devs/dev-0/note",
    };
    struct rig *rig = *state;
    unsigned i;

    rig_log_from(XTL_DEBUG);
    for (i = 0; i < VSCSI_ARRAY_SIZE(beside); i++)
        store_write(rig->s, beside[i], "s3cr3t");
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    for (i = 0; i < VSCSI_ARRAY_SIZE(within); i++)
        store_write(rig->s, within[i], "s3cr3t");
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                              "0:0:0:1=/dev/fake-0-1(4)");
    assert_int_not_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    rig_assert_said("is in use by");
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_REMOVE), 0);
    rig_assert_said("vscsictrl 0 of domain 5");     /* details are in it too */
    assert_null(strstr(rig_log(), "s3cr3t"));
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
        TEST(no_level_of_the_log_has_a_secret),
    };

    return cmocka_run_group_tests_name("store/perms", tests, NULL, NULL);
}
