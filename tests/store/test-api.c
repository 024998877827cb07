/* SPDX-License-Identifier: LGPL-2.1-only */
/* The functions of libxl_vscsi.h as a program calls them: here and on a
 * thread of their own. */
#include "rig.h"

#include <pthread.h>
#include <time.h>

#include <libxlutil_vscsi.h>

#define UNKNOWN 77

/* ----- fixture: the lock file of the test, and a Xen ----- */

static struct rig *the_rig;

int __real_libxl__vscsi_ctx_init(libxl__vscsi_ctx *vc);
int __wrap_libxl__vscsi_ctx_init(libxl__vscsi_ctx *vc);
int __wrap_libxl__vscsi_ctx_init(libxl__vscsi_ctx *vc)
{
    int rc = __real_libxl__vscsi_ctx_init(vc);

    if (the_rig)
        vc->lock_file = the_rig->lock_file;
    return rc;
}

static libxl_dominfo xens_answer;

/* In the place of libxl's own. */
int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info_r, uint32_t domid)
{
    (void)ctx;
    if (domid == UNKNOWN)
        return ERROR_DOMAIN_NOTFOUND;
    if (info_r)
        *info_r = xens_answer;
    return 0;
}

static int setup(void **state)
{
    int rc = rig_setup(state);

    the_rig = *state;
    return rc;
}

static int teardown(void **state)
{
    the_rig = NULL;
    return rig_teardown(state);
}

static libxl_device_vscsictrl ctrl_of(const char *spec)
{
    libxl_device_vscsictrl ctrl;

    libxl_device_vscsictrl_init(&ctrl);
    assert_int_equal(xlu_vscsi_parse(spec, &ctrl, NULL), 0);
    return ctrl;
}

static int add(const char *spec, const libxl_asyncop_how *how)
{
    libxl_device_vscsictrl ctrl = ctrl_of(spec);
    int rc;

    rc = libxl_device_vscsictrl_add(NULL, DOM, &ctrl, how);
    libxl_device_vscsictrl_dispose(&ctrl);
    return rc;
}

/* ----- a callback, and the wait for it ----- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t called;
    unsigned num;
    int rc;
} calls = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static void call_back(libxl_ctx *ctx, int rc, void *arg)
{
    assert_null(ctx);
    pthread_mutex_lock(&calls.lock);
    assert_ptr_equal(arg, &calls);
    calls.num++;
    calls.rc = rc;
    pthread_cond_signal(&calls.called);
    pthread_mutex_unlock(&calls.lock);
}

static const libxl_asyncop_how with_callback = {
    .callback = call_back, .u.for_callback = &calls,
};

/* The rc of the one call since the last time. */
static int await_call(void)
{
    struct timespec end;
    int rc, r = 0;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += STORE_PATIENCE_MS / 1000;
    pthread_mutex_lock(&calls.lock);
    while (!calls.num && !r)
        r = pthread_cond_timedwait(&calls.called, &calls.lock, &end);
    rc = calls.rc;
    r = calls.num == 1;
    calls.num = 0;
    pthread_mutex_unlock(&calls.lock);
    assert_true(r);
    return rc;
}

/* ----- here ----- */

static void the_caller_learns_what_is_in_force(void **state)
{
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,3:0:2:1");

    (void)state;
    assert_int_equal(libxl_device_vscsictrl_add(NULL, DOM, &ctrl, NULL), 0);
    assert_int_equal(ctrl.devid, 3);
    assert_false(libxl_defbool_is_default(ctrl.scsi_raw_cmds));
    assert_int_equal(ctrl.vscsidevs[0].vscsidev_id, 0);
    assert_int_equal(ctrl.vscsidevs[0].pdev.type,
                     LIBXL_VSCSI_PDEV_TYPE_HCTL);
    assert_string_equal(ctrl.vscsidevs[0].pdev.wwid, "naa.5000fa4e00000001");
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void a_list_has_what_was_added(void **state)
{
    libxl_device_vscsictrl *ctrls;
    int num = -7;

    (void)state;
    assert_null(libxl_device_vscsictrl_list(NULL, DOM, &num));
    assert_int_equal(num, 0);
    assert_int_equal(add("/dev/fake-0-1,3:0:2:1", NULL), 0);
    assert_int_equal(add("/dev/fake-0-2,0:0:0:0", NULL), 0);
    ctrls = libxl_device_vscsictrl_list(NULL, DOM, &num);
    assert_int_equal(num, 2);
    assert_int_equal(ctrls[0].devid, 0);
    assert_int_equal(ctrls[1].devid, 3);
    libxl_device_vscsictrl_list_free(ctrls, num);
    assert_null(libxl_device_vscsictrl_list(NULL, UNKNOWN, &num));
    assert_int_equal(num, -1);
}

static void getinfo_tells_of_the_one_device(void **state)
{
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-2,3:0:2:2");
    libxl_vscsiinfo info;

    (void)state;
    libxl_vscsiinfo_init(&info);
    assert_int_equal(add("/dev/fake-0-1,3:0:2:1", NULL), 0);
    assert_int_equal(libxl_device_vscsictrl_getinfo(
                         NULL, DOM, &ctrl, ctrl.vscsidevs, &info),
                     ERROR_NOTFOUND);
    rig_assert_said("vscsictrl 3 has no such device");
    assert_null(info.backend);
    assert_int_equal(libxl_device_vscsictrl_add(NULL, DOM, &ctrl, NULL), 0);
    assert_int_equal(libxl_device_vscsictrl_getinfo(
                         NULL, DOM, &ctrl, ctrl.vscsidevs, &info), 0);
    assert_int_equal(info.vdev.lun, 2);
    assert_int_equal(info.vscsidev_state, 4);
    assert_string_equal(info.backend, "/local/domain/0/backend/vscsi/5/3");
    libxl_vscsiinfo_dispose(&info);
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void devices_of_many_domains_are_listed_in_one_go(void **state)
{
    static const uint32_t domids[] = { 9, UNKNOWN, 4711, DOM };
    struct rig *rig = *state;
    libxl_vscsiinfo *infos;
    int num;

    assert_int_equal(libxl_vscsiinfo_list(NULL, domids, 4, &infos, &num), 0);
    assert_null(infos);
    assert_int_equal(num, 0);
    store_domain_create(rig->s, UNKNOWN);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:0"), 0);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-2 1:0:0:0"), 0);
    assert_int_equal(rig_attach(rig, UNKNOWN, "/dev/fake-0-3 0:0:0:5"), 0);
    assert_int_equal(libxl_vscsiinfo_list(NULL, domids, 4, &infos, &num), 0);
    assert_int_equal(num, 3);
    assert_int_equal(infos[0].frontend_id, UNKNOWN);
    assert_int_equal(infos[0].vdev.lun, 5);
    assert_int_equal(infos[1].frontend_id, DOM);
    assert_int_equal(infos[1].devid, 0);
    assert_int_equal(infos[2].frontend_id, DOM);
    assert_int_equal(infos[2].devid, 1);
    assert_int_equal(infos[2].vscsidev_state, 4);
    libxl_vscsiinfo_list_free(infos, num);
}

static void devices_and_ctrls_go_by_each_way(void **state)
{
    static int (*const remove[])(libxl_ctx *, uint32_t,
                                 const libxl_device_vscsictrl *,
                                 const libxl_asyncop_how *) = {
        libxl_device_vscsictrl_remove, libxl_device_vscsictrl_safe_remove,
        libxl_device_vscsictrl_destroy,
    };
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");
    libxl_device_vscsidev *dev = ctrl.vscsidevs;
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(remove); i++) {
        assert_int_equal(add("/dev/fake-0-1,0:0:0:0", NULL), 0);
        assert_int_equal(remove[i](NULL, DOM, &ctrl, NULL), 0);
        rig_assert_nothing_left(*state);
    }
    assert_int_equal(libxl_device_vscsidev_add(NULL, DOM, dev, NULL), 0);
    assert_int_equal(dev->pdev.type, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    assert_int_equal(libxl_device_vscsidev_remove(NULL, DOM, dev, NULL), 0);
    assert_int_equal(libxl_device_vscsidev_add(NULL, DOM, dev, NULL), 0);
    assert_int_equal(libxl_device_vscsidev_safe_remove(NULL, DOM, dev, NULL),
                     0);
    rig_assert_nothing_left(*state);
    dev->vdev.hst = UINT32_MAX;
    assert_int_equal(libxl_device_vscsidev_remove(NULL, DOM, dev, NULL),
                     ERROR_NOTFOUND);
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void a_domain_that_xen_does_not_know_is_refused(void **state)
{
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");

    assert_int_equal(libxl_device_vscsictrl_add(NULL, UNKNOWN, &ctrl, NULL),
                     ERROR_DOMAIN_NOTFOUND);
    rig_assert_said("there is no domain 77");
    /* untouched */
    assert_int_equal(ctrl.vscsidevs[0].pdev.type,
                     LIBXL_VSCSI_PDEV_TYPE_INVALID);
    libxl_device_vscsictrl_dispose(&ctrl);
    rig_assert_nothing_left(*state);
}

static void who_cannot_answer_is_told_by_what_xen_says(void **state)
{
    static const struct {
        libxl_dominfo info;
        const char *why;
    } cases[] = {
        { { .shutdown = true, .paused = true,
            .shutdown_reason = LIBXL_SHUTDOWN_REASON_SUSPEND },
          "is suspended" },
        { { .shutdown = true,
            .shutdown_reason = LIBXL_SHUTDOWN_REASON_CRASH },
          "has crashed" },
        { { .shutdown = true,
            .shutdown_reason = LIBXL_SHUTDOWN_REASON_WATCHDOG },
          "has crashed" },
        { { .shutdown = true,
            .shutdown_reason = LIBXL_SHUTDOWN_REASON_POWEROFF },
          "has shut down" },
        { { .shutdown = true,
            .shutdown_reason = LIBXL_SHUTDOWN_REASON_REBOOT },
          "has shut down" },
        { { .shutdown = true, .dying = true,
            .shutdown_reason = LIBXL_SHUTDOWN_REASON_CRASH },
          "is being destroyed" },
        { { .paused = true }, "is paused" },
    };
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:1");
    unsigned i;

    assert_int_equal(add("/dev/fake-0-0,0:0:0:0", NULL), 0);
    for (i = 0; i < VSCSI_ARRAY_SIZE(cases); i++) {
        xens_answer = cases[i].info;
        rig_forget_log();
        assert_int_equal(libxl_device_vscsictrl_add(NULL, DOM, &ctrl, NULL),
                         ERROR_NOT_READY);
        rig_assert_said(cases[i].why);
    }
    xens_answer = (libxl_dominfo){ .running = true };
    assert_int_equal(libxl_device_vscsictrl_add(NULL, DOM, &ctrl, NULL), 0);
    libxl_device_vscsictrl_dispose(&ctrl);
    rig_assert_list(*state, DOM, "0:0:0:0=/dev/fake-0-0(4) "
                                 "0:0:0:1=/dev/fake-0-1(4)");
}

static void a_check_says_what_an_add_would_and_gives_nothing(void **state)
{
    libxl_device_vscsictrl free_one = ctrl_of("/dev/fake-0-1,0:0:0:0");
    libxl_device_vscsictrl used = ctrl_of("/dev/fake-0-2,0:0:0:0");
    libxl_device_vscsictrl none = ctrl_of("/dev/nothing,0:0:0:0");

    (void)state;
    assert_int_equal(libxl_vscsi_check(NULL, NULL, &free_one, 1), 0);
    assert_int_equal(fakehost_num_exported(), 0);
    assert_int_equal(add("/dev/fake-0-2,0:0:0:0", NULL), 0);
    assert_int_equal(libxl_vscsi_check(NULL, NULL, &used, 1),
                     ERROR_DEVICE_EXISTS);
    assert_int_equal(libxl_vscsi_check(NULL, NULL, &none, 1),
                     ERROR_NOTFOUND);
    rig_assert_said("there is no /dev/nothing");
    fakehost_hold("3:0:0:1");
    assert_int_equal(libxl_vscsi_check(NULL, NULL, &free_one, 1),
                     ERROR_DEVICE_EXISTS);
    rig_assert_said("it is mounted on /srv");
    assert_int_equal(fakehost_num_exported(), 1);
    libxl_device_vscsictrl_dispose(&free_one);
    libxl_device_vscsictrl_dispose(&used);
    libxl_device_vscsictrl_dispose(&none);
}

static void a_look_at_all_domains_changes_nothing(void **state)
{
    struct rig *rig = *state;
    uint32_t *domids;
    int num;

    store_domain_create(rig->s, UNKNOWN);
    assert_int_equal(rig_attach(rig, UNKNOWN, "/dev/fake-0-1 0:0:0:0"), 0);
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-2 0:0:0:0"), 0);
    store_domain_destroy(rig->s, UNKNOWN);
    peer_settle(rig->p);
    assert_int_equal(libxl_vscsi_domains(NULL, &domids, &num), 0);
    assert_int_equal(num, 1);
    assert_int_equal(domids[0], DOM);
    free(domids);
    assert_true(store_exists(rig->s, "/local/domain/0/backend/vscsi/77"));
    assert_int_equal(fakehost_num_exported(), 2);
    assert_int_equal(libxl_vscsi_cleanup(NULL), 0);
    assert_false(store_exists(rig->s, "/local/domain/0/backend/vscsi/77"));
    assert_int_equal(fakehost_num_exported(), 1);
    assert_int_equal(libxl_vscsi_resume(NULL, DOM), 0);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-2(4)");
}

/* ----- what a program may leave to the library ----- */

static int add_named(libxl_device_vscsictrl *ctrl, const char *name,
                     const char *wwid)
{
    libxl_vscsi_pdev *pdev = &ctrl->vscsidevs[0].pdev;

    libxl_vscsi_pdev_dispose(pdev);
    libxl_vscsi_pdev_init(pdev);
    pdev->p_devname = name ? strdup(name) : NULL;
    pdev->wwid = wwid ? strdup(wwid) : NULL;
    return libxl_device_vscsictrl_add(NULL, DOM, ctrl, NULL);
}

static void a_device_may_be_only_named(void **state)
{
    static const char target[] = "naa.6001405000000001:7";
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");
    struct rig *rig = *state;

    fakehost_add_target(target);
    assert_int_equal(add_named(&ctrl, NULL, NULL), ERROR_INVAL);
    rig_assert_said("no physical device is named");
    rig_assert_nothing_left(rig);
    assert_int_equal(add_named(&ctrl, "3:0:0:2", NULL), 0);
    rig_assert_list(rig, DOM, "0:0:0:0=3:0:0:2(4)");
    assert_int_equal(libxl_device_vscsictrl_destroy(NULL, DOM, &ctrl, NULL),
                     0);
    assert_int_equal(add_named(&ctrl, target, NULL), 0);
    assert_int_equal(ctrl.vscsidevs[0].pdev.type,
                     LIBXL_VSCSI_PDEV_TYPE_WWN);
    rig_assert_list(rig, DOM, "0:0:0:0=naa.6001405000000001:7(4)");
    libxl_device_vscsictrl_dispose(&ctrl);
}

/* As after a reboot or a restore, which bring the WWID along. */
static void a_target_with_another_device_than_before_is_refused(void **state)
{
    static const char target[] = "naa.6001405000000001:7";
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");

    fakehost_add_target(target);
    fakehost_set_target_device("3:0:0:2");
    assert_int_equal(add_named(&ctrl, target, "naa.5000fa4e00000001"),
                     ERROR_NOTFOUND);
    rig_assert_said("has another device than before: FAKE DISK "
                    "naa.5000fa4e00000002, serial number fake-0-2 (backstore "
                    "iblock_0/of-naa.6001405000000001:7) instead of "
                    "naa.5000fa4e00000001");
    rig_assert_nothing_left(*state);
    assert_int_equal(add_named(&ctrl, target, "naa.5000fa4e00000002"), 0);
    libxl_device_vscsictrl_dispose(&ctrl);
}

/* Two LUNs, or two targets, of one backstore. */
static void one_backstore_goes_to_one_place(void **state)
{
    libxl_device_vscsictrl one = ctrl_of("/dev/fake-0-1,0:0:0:0");
    libxl_device_vscsictrl two = ctrl_of("/dev/fake-0-2,0:0:0:1");

    (void)state;
    fakehost_add_target("naa.6001405000000001:7");
    fakehost_add_target("naa.6001405000000002:0");
    fakehost_set_backstore("iblock_0/vol1");
    assert_int_equal(add_named(&one, "naa.6001405000000001:7", NULL), 0);
    assert_string_equal(one.vscsidevs[0].pdev.u.wwn.backstore,
                        "iblock_0/vol1");
    assert_int_equal(add_named(&two, "naa.6001405000000002:0", NULL),
                     ERROR_DEVICE_EXISTS);
    rig_assert_said("it is assigned to this domain");
    libxl_device_vscsictrl_dispose(&one);
    libxl_device_vscsictrl_dispose(&two);
}

/* By its address first, by a target of it then, and the other way round. */
static void a_unit_goes_to_one_place_by_all_its_names(void **state)
{
    static const char target[] = "naa.6001405000000001:7";
    libxl_device_vscsictrl one = ctrl_of("/dev/fake-0-1,0:0:0:0");
    libxl_device_vscsictrl two = ctrl_of("/dev/fake-0-2,0:0:0:1");

    fakehost_add_target(target);
    fakehost_set_target_device("3:0:0:1");
    assert_int_equal(add_named(&one, "3:0:0:1", NULL), 0);
    assert_int_equal(add_named(&two, target, NULL), ERROR_DEVICE_EXISTS);
    assert_int_equal(rig_close(*state, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_int_equal(add_named(&two, target, NULL), 0);
    assert_string_equal(two.vscsidevs[0].pdev.u.wwn.unit, "3:0:0:1");
    assert_int_equal(add_named(&one, "3:0:0:1", NULL), ERROR_DEVICE_EXISTS);
    libxl_device_vscsictrl_dispose(&one);
    libxl_device_vscsictrl_dispose(&two);
}

/* A volume is there now, of which nobody can say what it is. */
static void a_target_whose_device_went_is_refused(void **state)
{
    static const char target[] = "naa.6001405000000001:7";
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");

    fakehost_add_target(target);
    fakehost_set_target_device("/dev/vg/vol1");
    assert_int_equal(add_named(&ctrl, target, "naa.5000fa4e00000001"),
                     ERROR_NOTFOUND);
    rig_assert_said("has another device than before: no SCSI device "
                    "(backstore iblock_0/of-naa.6001405000000001:7) instead "
                    "of naa.5000fa4e00000001");
    rig_assert_nothing_left(*state);
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void what_comes_to_the_address_meanwhile_is_not_given(void **state)
{
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");

    fakehost_replace("3:0:0:1");
    assert_int_equal(add_named(&ctrl, "/dev/fake-0-1", NULL),
                     ERROR_NOTFOUND);
    rig_assert_said("another device has just come to 3:0:0:1");
    rig_assert_nothing_left(*state);
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void which_unit_it_is_goes_on_record(void **state)
{
    libxl_device_vscsictrl *ctrls;
    libxl_vscsi_pdev *pdev;
    int num;

    assert_int_equal(add("/dev/fake-0-1,0:0:0:0", NULL), 0);
    ctrls = rig_ctrls(*state, DOM, &num);
    assert_int_equal(num, 1);
    pdev = &ctrls[0].vscsidevs[0].pdev;
    assert_string_equal(pdev->devtype, "disk");
    assert_string_equal(pdev->serial, "fake-0-1");
    assert_string_equal(pdev->vendor, "FAKE");
    assert_string_equal(pdev->model, "DISK");
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_device_can_be_taken_out_of_a_struct(void **state)
{
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");
    libxl_device_vscsictrl more = ctrl_of("/dev/fake-0-2,0:0:0:1");

    (void)state;
    assert_int_equal(libxl_device_vscsictrl_append_vscsidev(
                         NULL, &ctrl, more.vscsidevs), 0);
    libxl_device_vscsictrl_remove_vscsidev(NULL, &ctrl, 2);
    libxl_device_vscsictrl_remove_vscsidev(NULL, &ctrl, -1);
    assert_int_equal(ctrl.num_vscsidevs, 2);
    libxl_device_vscsictrl_remove_vscsidev(NULL, &ctrl, 0);
    assert_int_equal(ctrl.num_vscsidevs, 1);
    assert_int_equal(ctrl.vscsidevs[0].vdev.lun, 1);
    libxl_device_vscsictrl_dispose(&ctrl);
    libxl_device_vscsictrl_dispose(&more);
}

/* ----- on a thread ----- */

static void an_operation_on_a_thread_calls_back_once(void **state)
{
    libxl_device_vscsictrl ctrl = ctrl_of("/dev/fake-0-1,0:0:0:0");

    /* The caller's struct goes at once: see add(). */
    assert_int_equal(add("/dev/fake-0-1,0:0:0:0", &with_callback), 0);
    assert_int_equal(await_call(), 0);
    rig_assert_list(*state, DOM, "0:0:0:0=/dev/fake-0-1(4)");
    assert_int_equal(libxl_device_vscsidev_safe_remove(
                         NULL, DOM, ctrl.vscsidevs, &with_callback), 0);
    assert_int_equal(await_call(), 0);
    rig_assert_nothing_left(*state);
    assert_int_equal(libxl_device_vscsictrl_destroy(NULL, DOM, &ctrl,
                                                    &with_callback), 0);
    assert_int_equal(await_call(), ERROR_NOTFOUND);
    rig_assert_said("the domain has no vscsictrl 0");
    libxl_device_vscsictrl_dispose(&ctrl);
}

static void the_thread_has_the_words_of_its_last_error(void **state)
{
    (void)state;
    assert_int_equal(add("/dev/fake-0-1,0:0:0:0", NULL), 0);
    assert_string_equal(libxl_vscsi_last_error(), "");
    assert_int_equal(add("/dev/fake-0-1,0:0:0:1", NULL), ERROR_DEVICE_EXISTS);
    assert_non_null(strstr(libxl_vscsi_last_error(),
                           "it is assigned to this domain"));
    assert_int_equal(libxl_vscsi_resume(NULL, DOM), 0);
    assert_string_equal(libxl_vscsi_last_error(), "");
}

static void a_message_says_which_domain_if_it_is_told_to(void **state)
{
    (void)state;
    libxl_vscsi_set_domain_tag(true);
    assert_int_equal(add("/dev/fake-0-1,0:0:0:0", NULL), 0);
    assert_int_equal(add("/dev/fake-0-1,0:0:0:1", NULL), ERROR_DEVICE_EXISTS);
    libxl_vscsi_set_domain_tag(false);
    rig_assert_said(": Domain 5:cannot attach");
    assert_memory_equal(libxl_vscsi_last_error(), "cannot attach", 13);
}

static void what_is_refused_at_once_does_not_call_back(void **state)
{
    static const libxl_asyncop_how for_the_queue = { .callback = NULL };
    libxl_device_vscsictrl ctrl;

    libxl_device_vscsictrl_init(&ctrl);
    assert_int_equal(libxl_device_vscsictrl_add(NULL, DOM, &ctrl,
                                                &with_callback),
                     ERROR_INVAL);
    assert_int_equal(add("/dev/fake-0-1,0:0:0:0", &for_the_queue),
                     ERROR_INVAL);
    rig_assert_said("asks for libxl's event queue");
    assert_int_equal(libxl_device_vscsictrl_remove(NULL, DOM, &ctrl,
                                                   &for_the_queue),
                     ERROR_INVAL);
    assert_int_equal(calls.num, 0);
    rig_assert_nothing_left(*state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_caller_learns_what_is_in_force),
        TEST(a_list_has_what_was_added),
        TEST(getinfo_tells_of_the_one_device),
        TEST(devices_of_many_domains_are_listed_in_one_go),
        TEST(devices_and_ctrls_go_by_each_way),
        TEST(a_domain_that_xen_does_not_know_is_refused),
        TEST(who_cannot_answer_is_told_by_what_xen_says),
        TEST(a_check_says_what_an_add_would_and_gives_nothing),
        TEST(a_look_at_all_domains_changes_nothing),
        TEST(a_device_may_be_only_named),
        TEST(a_target_with_another_device_than_before_is_refused),
        TEST(one_backstore_goes_to_one_place),
        TEST(a_unit_goes_to_one_place_by_all_its_names),
        TEST(a_target_whose_device_went_is_refused),
        TEST(what_comes_to_the_address_meanwhile_is_not_given),
        TEST(which_unit_it_is_goes_on_record),
        TEST(a_device_can_be_taken_out_of_a_struct),
        TEST(an_operation_on_a_thread_calls_back_once),
        TEST(the_thread_has_the_words_of_its_last_error),
        TEST(a_message_says_which_domain_if_it_is_told_to),
        TEST(what_is_refused_at_once_does_not_call_back),
    };

    return cmocka_run_group_tests_name("store/api", tests, NULL, NULL);
}
