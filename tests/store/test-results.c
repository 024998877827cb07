/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The tables of libxl_vscsi.h: each result of a call, and the state that it
 * leaves.  The domain has 0:0:0:0 and 0:0:0:1 when a row begins.
 */
#include "rig.h"

#define HAS "0:0:0:0=/dev/fake-0-0(4) 0:0:0:1=/dev/fake-0-1(4)"
#define NEW "3:0:0:5"           /* /dev/fake-0-5, which is attached */
#define OLD "3:0:0:1"
#define RECORD "/libxl/5/device/vscsi/0"
#define NEWER "{\"version\":2}"
#define B "/local/domain/0/backend/vscsi/5/0"

typedef struct row {
    const char *name;
    int rc;
    void (*prepare)(struct rig *rig);   /* NULL: everything is well */
    int (*act)(struct rig *rig);
    const char *list;           /* what is there then; NULL: what was */
    const char *backend;        /* the state of vscsictrl 0; NULL: any */
    const char *device;         /* is it exported then? */
    bool exported;
    const char *said;           /* NULL: nothing above a detail */
} row;

/* ----- what goes wrong ----- */

static void frontend_is_silent(struct rig *rig)
{
    peer_freeze(rig->p, PEER_FRONTEND);
    rig->vc.timeouts.handshake_ms = 100;
    rig->vc.timeouts.frontend_ms = 100;
}

static void backend_is_silent(struct rig *rig)
{
    peer_freeze(rig->p, PEER_BACKEND);
    rig->vc.timeouts.backend_ms = 100;
    rig->vc.timeouts.destroy_ms = 100;
    rig->vc.timeouts.handshake_ms = 100;
}

static void guest_has_no_driver(struct rig *rig)
{
    peer_set_frontend_loaded(rig->p, DOM, false);
    peer_settle(rig->p);
    rig->vc.timeouts.frontend_ms = 100;
}

static void guest_refuses(struct rig *rig)
{
    peer_refuse_vdev(rig->p, PEER_FRONTEND, "0:0:0:5");
}

static void backend_refuses(struct rig *rig)
{
    peer_refuse_vdev(rig->p, PEER_BACKEND, "0:0:0:5");
}

static void ctrl_is_closing(struct rig *rig)
{
    rig->vc.timeouts.handshake_ms = 100;
    peer_freeze(rig->p, PEER_FRONTEND);
    assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_GUEST_TIMEDOUT);
}

static void domain_is_paused(struct rig *rig)
{
    peer_freeze(rig->p, PEER_FRONTEND);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_PAUSED;
}

static void domain_has_crashed(struct rig *rig)
{
    peer_freeze(rig->p, PEER_FRONTEND);
    rig->vc.domain = LIBXL__VSCSI_DOMAIN_CRASHED;
}

static int taken_lock = -1;

static void somebody_has_the_lock(struct rig *rig)
{
    assert_int_equal(libxl__vscsi_lock(&rig->vc, DOM, &taken_lock), 0);
    rig->vc.timeouts.lock_ms = 20;
}

static void domain_is_frozen(struct rig *rig)
{
    assert_int_equal(libxl__vscsi_freeze(&rig->vc, DOM, &taken_lock), 0);
}

static void record_is_unreadable(struct rig *rig)
{
    store_write(rig->s, RECORD, NEWER);
}

static void dom0_has_it(struct rig *rig)
{
    (void)rig;
    fakehost_hold("3:0:0:5");
}

static void export_fails(struct rig *rig)
{
    (void)rig;
    fakehost_break_export("3:0:0:5");
}

static void kernel_keeps_it(struct rig *rig)
{
    fakehost_stick("3:0:0:1");
    fakehost_stick("3:0:0:0");
    rig->vc.timeouts.destroy_ms = 20;
}

static void another_command_keeps_it(struct rig *rig)
{
    kernel_keeps_it(rig);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
}

/* ----- what is done ----- */

static int attach(struct rig *rig)
{
    return rig_attach(rig, DOM, "/dev/fake-0-5 0:0:0:5");
}

static int attach_to_a_new_ctrl(struct rig *rig)
{
    return rig_attach(rig, DOM, "/dev/fake-0-5 1:0:0:5");
}

static int attach_nothing_known(struct rig *rig)
{
    return rig_attach(rig, DOM, "/dev/nothing 0:0:0:5");
}

static int attach_to_a_place_in_use(struct rig *rig)
{
    return rig_attach(rig, DOM, "/dev/fake-0-5 0:0:0:1");
}

static int attach_of_other_options(struct rig *rig)
{
    return rig_attach(rig, DOM, "/dev/fake-0-5 0:0:0:5,feature-host");
}

static int attach_to_nobody(struct rig *rig)
{
    return rig_attach(rig, 77, "/dev/fake-0-5 0:0:0:5");
}

static int attach_what_is_kept(struct rig *rig)
{
    return rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:7");
}

static int detach(struct rig *rig)
{
    return rig_detach(rig, DOM, "0:0:0:1", LIBXL__VSCSI_SAFE_REMOVE);
}

static int detach_nothing(struct rig *rig)
{
    return rig_detach(rig, DOM, "0:0:0:7", LIBXL__VSCSI_SAFE_REMOVE);
}

static int safe_remove(struct rig *rig)
{
    return rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE);
}

static int remove_(struct rig *rig)
{
    return rig_close(rig, DOM, 0, LIBXL__VSCSI_REMOVE);
}

static int destroy(struct rig *rig)
{
    return rig_close(rig, DOM, 0, LIBXL__VSCSI_DESTROY);
}

static int remove_nothing(struct rig *rig)
{
    return rig_close(rig, DOM, 7, LIBXL__VSCSI_REMOVE);
}

static int clean_up(struct rig *rig)
{
    return libxl__vscsi_cleanup(&rig->vc);
}

/* ----- the tables ----- */

static const row rows[] = {
    /* _add */
    { "added", 0, NULL, attach, HAS " 0:0:0:5=/dev/fake-0-5(4)", "4", NEW,
      true, NULL },
    { "no such device", ERROR_NOTFOUND, NULL, attach_nothing_known, NULL, "4",
      NEW, false, "/dev/nothing" },
    { "place in use", ERROR_DEVICE_EXISTS, NULL, attach_to_a_place_in_use,
      NULL, "4", NEW, false, "is in use by" },
    { "dom0 has it", ERROR_DEVICE_EXISTS, dom0_has_it, attach, NULL, "4", NEW,
      false, "mounted on /srv" },
    { "other options", ERROR_INVAL, NULL, attach_of_other_options, NULL, "4",
      NEW, false, "without feature-host" },
    { "no such domain", ERROR_DOMAIN_NOTFOUND, NULL, attach_to_nobody, NULL,
      "4", NEW, false, "there is no such domain" },
    { "vscsictrl closing", ERROR_NOT_READY, ctrl_is_closing, attach, NULL,
      "5", NEW, false, "vscsictrl 0" },
    { "paused", ERROR_NOT_READY, domain_is_paused, attach, NULL, "4", NEW,
      false, "paused" },
    { "paused, new vscsictrl", 0, domain_is_paused, attach_to_a_new_ctrl, HAS
      " 1:0:0:5=/dev/fake-0-5(1)", "4", NEW, true,
      "has not connected vscsictrl 1" },
    { "crashed", ERROR_NOT_READY, domain_has_crashed, attach, NULL, "4", NEW,
      false, "crashed" },
    { "kept by the kernel", ERROR_NOT_READY, another_command_keeps_it,
      attach_what_is_kept, "0:0:0:0=/dev/fake-0-0(4)", "4", NEW, false,
      "letting go of 3:0:0:1" },
    { "backend silent", ERROR_TIMEDOUT, backend_is_silent,
      attach_to_a_new_ctrl, NULL, NULL, NEW, false, "backend driver" },
    { "guest silent", ERROR_GUEST_TIMEDOUT, frontend_is_silent, attach, NULL,
      NULL, NEW, false, "guest" },
    { "guest without driver", 0, guest_has_no_driver, attach_to_a_new_ctrl,
      HAS " 1:0:0:5=/dev/fake-0-5(1)", NULL, NEW, true, "when the guest" },
    { "guest refuses", ERROR_FAIL, guest_refuses, attach, NULL, "4", NEW,
      false, "the guest refused it" },
    { "backend refuses", ERROR_FAIL, backend_refuses, attach, NULL, "4", NEW,
      false, "xen-scsiback refused it" },
    { "export fails", ERROR_FAIL, export_fails, attach, NULL, "4", NEW, false,
      "cannot" },
    { "locked", ERROR_LOCK_FAIL, somebody_has_the_lock, attach, NULL, "4", NEW,
      false, "another SCSI operation" },
    { "frozen", ERROR_NOT_READY, domain_is_frozen, attach, NULL, "4", NEW,
      false, "is being saved or migrated" },
    { "unreadable", ERROR_FAIL, record_is_unreadable, attach, NULL, "4", NEW,
      false, "cannot be read" },

    /* one device */
    { "detached", 0, NULL, detach, "0:0:0:0=/dev/fake-0-0(4)", "4", OLD, false,
      NULL },
    { "nothing there", ERROR_NOTFOUND, NULL, detach_nothing, NULL, "4", OLD,
      true, "0:0:0:7" },
    { "guest keeps it", ERROR_GUEST_TIMEDOUT, frontend_is_silent, detach, NULL,
      NULL, OLD, true, "guest" },
    { "detached, and kept by the kernel", 0, kernel_keeps_it, detach,
      "0:0:0:0=/dev/fake-0-0(4)", "4", OLD, true, "is gone from the domain" },
    { "detach, paused", ERROR_NOT_READY, domain_is_paused, detach, NULL, "4",
      OLD, true, "paused" },
    { "detach, locked", ERROR_LOCK_FAIL, somebody_has_the_lock, detach, NULL,
      "4", OLD, true, "another SCSI operation" },
    { "detach, frozen", ERROR_NOT_READY, domain_is_frozen, detach, NULL, "4",
      OLD, true, "is being saved or migrated" },
    { "detach, unreadable", ERROR_FAIL, record_is_unreadable, detach, NULL,
      "4", OLD, true, "cannot be read" },

    /* a vscsictrl */
    { "removed", 0, NULL, safe_remove, "", "", OLD, false, NULL },
    { "no such vscsictrl", ERROR_NOTFOUND, NULL, remove_nothing, NULL, "4",
      OLD, true, "no vscsictrl 7" },
    { "safe, guest silent", ERROR_GUEST_TIMEDOUT, frontend_is_silent,
      safe_remove, NULL, "5", OLD, true, "guest" },
    { "safe, paused", ERROR_NOT_READY, domain_is_paused, safe_remove, NULL,
      "4", OLD, true, "paused" },
    { "removed, guest silent", 0, frontend_is_silent, remove_, "", "", OLD,
      false, NULL },
    { "removed, paused", 0, domain_is_paused, remove_, "", "", OLD, false, NULL
      },
    { "safe, crashed", 0, domain_has_crashed, safe_remove, "", "", OLD, false,
      NULL },
    { "destroyed", 0, frontend_is_silent, destroy, "", "", OLD, false, NULL },
    { "destroyed, backend silent", 0, backend_is_silent, destroy, "", "", OLD,
      false, NULL },
    { "removed, and kept by the kernel", 0, kernel_keeps_it, safe_remove, "",
      "", OLD, true, "is gone from the domain" },
    { "remove, locked", ERROR_LOCK_FAIL, somebody_has_the_lock, remove_, NULL,
      "4", OLD, true, "another SCSI operation" },
    { "remove, frozen", ERROR_NOT_READY, domain_is_frozen, remove_, NULL, "4",
      OLD, true, "is being saved or migrated" },
    { "remove, unreadable", ERROR_FAIL, record_is_unreadable, remove_, NULL,
      "4", OLD, true, "cannot be read" },

    /* _cleanup */
    { "nothing to clean", 0, NULL, clean_up, NULL, "4", OLD, true, NULL },
    { "cleanup, kept by the kernel", ERROR_NOT_READY, another_command_keeps_it,
      clean_up, "0:0:0:0=/dev/fake-0-0(4)", "4", OLD, true,
      "letting go of 3:0:0:1" },
    { "cleanup, unreadable", ERROR_FAIL, record_is_unreadable, clean_up, NULL,
      "4", OLD, true, "not all records of domain 5 can be read" },
};

/* ----- a row, on a rig of its own ----- */

static const row *current;

static int setup(void **state)
{
    struct rig *rig;

    current = *state;
    if (rig_setup(state))
        return -1;
    rig = *state;
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    peer_settle(rig->p);
    return 0;
}

/* So that what is over can be told from what goes on. */
static int teardown(void **state)
{
    struct rig *rig = *state;

    libxl__vscsi_unlock(taken_lock);
    taken_lock = -1;
    peer_behave(rig->p);
    return rig_teardown(state);
}

static char *list_now(struct rig *rig)
{
    char *record = store_read(rig->s, RECORD), *text;

    text = record && !strcmp(record, NEWER) ? strdup("unreadable")
                                            : rig_list(rig, DOM);
    assert_non_null(text);
    free(record);
    return text;
}

static void leaves_what_the_header_says(void **state)
{
    struct rig *rig = *state;
    const row *r = current;
    char *before, *after, *node;
    int rc;

    if (r->prepare)
        r->prepare(rig);
    rig_forget_log();
    before = r->list ? NULL : list_now(rig);
    rc = r->act(rig);
    if (rc != r->rc)
        fail_msg("%d instead of %d; %s", rc, r->rc, rig_log());
    if (r->said ? !strstr(rig_log(), r->said) : rig_log()[0])
        fail_msg("it said \"%s\"", rig_log());
    node = store_read(rig->s, B "/state");
    if (r->backend && strcmp(node ? node : "", r->backend))
        fail_msg("the backend's state is %s", node ? node : "(none)");
    free(node);
    if (fakehost_is_exported(r->device) != r->exported)
        fail_msg("%s is%s exported", r->device, r->exported ? " not" : "");
    after = list_now(rig);
    assert_string_equal(after, r->list ? r->list : before);
    free(before);
    free(after);
}

int main(void)
{
    struct CMUnitTest tests[VSCSI_ARRAY_SIZE(rows)];
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++)
        tests[i] = (struct CMUnitTest){
            rows[i].name, leaves_what_the_header_says, setup, teardown,
            (void *)(uintptr_t)&rows[i],
        };
    return cmocka_run_group_tests_name("store/results", tests, NULL, NULL);
}
