/* SPDX-License-Identifier: LGPL-2.1-only */
/* Domains that start without devices that dom0 does not have. */
#include <pthread.h>
#include <unistd.h>

#include "libxl_vscsi_missing.h"
#include "libxlutil_vscsi.h"
#include "rig.h"

#define NODES "/libxl/5/vscsi-missing"
#define NAME "/libxl/vscsi-missing/5"

/* The start of a domain with this list, of which it has run before. */
static int start(struct rig *rig, const char *const specs[], bool restarts)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc, i, num = 0;

    for (; *specs; specs++)
        assert_int_equal(xlu_vscsi_config_add(*specs, &ctrls, &num, NULL), 0);
    rc = libxl__vscsi_take_missing(&rig->vc, DOM, ctrls, &num, restarts);
    for (i = 0; !rc && i < num; i++)
        rc = libxl__vscsi_attach(&rig->vc, DOM, &ctrls[i]);
    libxl_device_vscsictrl_list_free(ctrls, num);
    return rc;
}

#define START(restarts, ...) \
    start(*state, (const char *const[]){ __VA_ARGS__, NULL }, restarts)

/* "0:0:0:0 0:0:0:1-": what belongs to the domain, - where it lacks it. */
static void assert_config(struct rig *rig, const char *expected)
{
    char text[256] = "", vdev[LIBXL__VSCSI_HCTL_SIZE];
    libxl_device_vscsictrl *ctrls = NULL;
    int i, j, num = 0;

    assert_int_equal(libxl__vscsi_config_list(&rig->vc, DOM, &ctrls, &num),
                     0);
    for (i = 0; i < num; i++) {
        for (j = 0; j < ctrls[i].num_vscsidevs; j++) {
            libxl__vscsi_hctl_format(&ctrls[i].vscsidevs[j].vdev, vdev);
            snprintf(text + strlen(text), sizeof(text) - strlen(text),
                     "%s%s%s", *text ? " " : "", vdev,
                     ctrls[i].vscsidevs[j].absent ? "-" : "");
        }
    }
    assert_string_equal(text, expected);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_restart_goes_on_without_what_is_gone(void **state)
{
    struct rig *rig = *state;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(START(true, "/dev/fake-0-0,0:0:0:0",
                           "/dev/fake-0-1,0:0:0:1"), 0);
    rig_assert_list(rig, DOM, "0:0:0:0=/dev/fake-0-0(4)");
    rig_assert_said("guest5 starts without /dev/fake-0-1: there is no "
                    "/dev/fake-0-1 (once it is back: xl scsi-attach guest5 "
                    "0:0:0:1)");
    assert_config(rig, "0:0:0:0 0:0:0:1-");
    assert_true(store_exists(rig->s, NAME));
}

static void whoever_is_started_has_all_unless_it_says_skip(void **state)
{
    struct rig *rig = *state;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(START(false, "/dev/fake-0-1,0:0:0:1"), ERROR_NOTFOUND);
    assert_false(store_exists(rig->s, NODES));
    assert_int_equal(START(true, "/dev/fake-0-1,0:0:0:1,missing=fail"),
                     ERROR_NOTFOUND);
    assert_false(store_exists(rig->s, NODES));
    assert_int_equal(START(false, "/dev/fake-0-1,0:0:0:1,missing=skip"), 0);
    assert_config(rig, "0:0:0:1-");
}

static void what_another_has_is_not_missing(void **state)
{
    struct rig *rig = *state;

    fakehost_hold("3:0:0:1");
    assert_int_not_equal(START(true, "/dev/fake-0-1,0:0:0:1"), 0);
    assert_false(store_exists(rig->s, NODES));
    rig_assert_nothing_left(rig);
}

static void what_is_attached_is_missing_no_more(void **state)
{
    struct rig *rig = *state;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(START(true, "/dev/fake-0-0,0:0:0:0",
                           "/dev/fake-0-1,0:0:0:1"), 0);
    fakehost_plug("3:0:0:1");
    assert_int_equal(rig_attach(rig, DOM, "/dev/fake-0-1 0:0:0:1"), 0);
    assert_config(rig, "0:0:0:0 0:0:0:1");
    assert_false(store_exists(rig->s, NODES));
    assert_false(store_exists(rig->s, NAME));
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_config(rig, "0:0:0:0");
}

static void a_detach_ends_the_wait_for_it(void **state)
{
    struct rig *rig = *state;

    fakehost_unplug("3:0:0:1");
    fakehost_unplug("3:0:0:2");
    assert_int_equal(START(true, "/dev/fake-0-1,0:0:0:1",
                           "/dev/fake-0-2,7:0:0:2"), 0);
    assert_config(rig, "0:0:0:1- 7:0:0:2-");
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:1",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_config(rig, "7:0:0:2-");
    assert_int_equal(libxl__vscsi_detach_named(&rig->vc, DOM, "7:0:0:2",
                                               LIBXL__VSCSI_SAFE_REMOVE), 0);
    assert_config(rig, "");
    rig_assert_nothing_left(rig);
    assert_int_equal(libxl__vscsi_detach_named(&rig->vc, DOM, "7:0:0:2",
                                               LIBXL__VSCSI_SAFE_REMOVE),
                     ERROR_NOTFOUND);
}

static void a_start_takes_over_what_the_one_before_lacked(void **state)
{
    libxl_device_vscsictrl *ctrls = NULL;
    struct rig *rig = *state;
    int num = 0;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(START(true, "/dev/fake-0-0,0:0:0:0",
                           "/dev/fake-0-1,0:0:0:1"), 0);
    assert_int_equal(libxl__vscsi_config_list(&rig->vc, DOM, &ctrls, &num),
                     0);
    /* A restore is no restart, but it had run without it. */
    assert_int_equal(num, 1);
    assert_int_equal(libxl__vscsi_take_missing(&rig->vc, DOM, ctrls, &num,
                                               false), 0);
    assert_int_equal(num, 1);
    assert_int_equal(ctrls[0].num_vscsidevs, 1);
    libxl_device_vscsictrl_list_free(ctrls, num);
    ctrls = NULL;
    fakehost_plug("3:0:0:1");
    assert_int_equal(libxl__vscsi_config_list(&rig->vc, DOM, &ctrls, &num),
                     0);
    assert_int_equal(libxl__vscsi_take_missing(&rig->vc, DOM, ctrls, &num,
                                               false), 0);
    assert_int_equal(ctrls[0].num_vscsidevs, 2);
    assert_false(ctrls[0].vscsidevs[1].absent);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void *plug_soon(void *arg)
{
    (void)arg;
    usleep(50000);
    fakehost_plug("3:0:0:1");
    return NULL;
}

static void a_start_waits_for_what_comes_late(void **state)
{
    struct rig *rig = *state;
    pthread_t thread;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(pthread_create(&thread, NULL, plug_soon, NULL), 0);
    assert_int_equal(START(false, "/dev/fake-0-1,0:0:0:1,wait=60"), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_config(rig, "0:0:0:1");
    assert_false(store_exists(rig->s, NODES));
}

static void the_list_shows_it_as_missing(void **state)
{
    struct rig *rig = *state;
    libxl_vscsiinfo *infos = NULL;
    const uint32_t domid = DOM;
    int num = 0;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(START(true, "/dev/fake-0-1,0:0:0:1"), 0);
    assert_int_equal(libxl_vscsiinfo_list(NULL, &domid, 1, &infos, &num), 0);
    assert_int_equal(num, 1);
    assert_true(infos[0].missing);
    assert_int_equal(infos[0].vdev.lun, 1);
    assert_int_equal(infos[0].vscsictrl_state, 0);
    assert_string_equal(infos[0].pdev.p_devname, "/dev/fake-0-1");
    libxl_vscsiinfo_list_free(infos, num);
    (void)rig;
}

static void the_end_of_the_domain_leaves_nothing(void **state)
{
    libxl_device_vscsictrl *ctrls = NULL;
    struct rig *rig = *state;
    int num = 0;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(START(true, "/dev/fake-0-1,0:0:0:1"), 0);
    assert_int_equal(libxl__vscsi_config_list(&rig->vc, DOM, &ctrls, &num),
                     0);
    store_domain_destroy(rig->s, DOM);
    assert_int_equal(libxl__vscsi_domain_destroyed(&rig->vc, DOM, ctrls, num),
                     0);
    rig_assert_nothing_left(rig);
    libxl_device_vscsictrl_list_free(ctrls, num);
}

static void a_record_that_cannot_be_read_refuses(void **state)
{
    libxl_device_vscsictrl *ctrls = NULL;
    struct rig *rig = *state;
    int num = 0;

    fakehost_unplug("3:0:0:1");
    assert_int_equal(START(true, "/dev/fake-0-1,0:0:0:1"), 0);
    store_write(rig->s, NODES "/0-0-1", "{ }");
    assert_int_equal(libxl__vscsi_config_list(&rig->vc, DOM, &ctrls, &num),
                     ERROR_FAIL);
    assert_null(ctrls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_restart_goes_on_without_what_is_gone),
        TEST(whoever_is_started_has_all_unless_it_says_skip),
        TEST(what_another_has_is_not_missing),
        TEST(what_is_attached_is_missing_no_more),
        TEST(a_detach_ends_the_wait_for_it),
        TEST(a_start_takes_over_what_the_one_before_lacked),
        TEST(a_start_waits_for_what_comes_late),
        TEST(the_list_shows_it_as_missing),
        TEST(the_end_of_the_domain_leaves_nothing),
        TEST(a_record_that_cannot_be_read_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
