/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What each operation asks of xenstored, counted from its trace.  The
 * bounds are part of the interface: see "Cost" in docs/misc/pvscsi.txt.
 */
#include "rig.h"

#define CHECK(rig, mark, bound) check(rig, mark, bound, __func__, __LINE__)

static void check(struct rig *rig, long mark, unsigned bound,
                  const char *what, int line)
{
    unsigned found = store_requests_since(rig->s, mark);
    char *text = store_requests_text(rig->s, mark), *list;

    print_message("# %s:%d: bound %u, %s\n", what, line, bound, text);
    if (found > bound) {
        list = store_requests_list(rig->s, mark);
        print_message("%s\n", list);
        free(list);
        fail_msg("%u requests, but the bound is %u", found, bound);
    }
    free(text);
}

/* Twice read: what the record needs of further nodes, 10 devices in each at
 * least. */
static unsigned pages(unsigned there)
{
    return there / 10;
}

static void listing_costs_at_most_2_and_3_a_ctrl_and_1_a_device(void **state)
{
    static const unsigned counts[] = { 0, 1, 3 }, devs[] = { 1, 5, 16 };
    struct rig *rig = *state;
    unsigned i, j, num;
    long mark;
    char *list;

    for (i = 0; i < VSCSI_ARRAY_SIZE(counts); i++) {
        for (j = 0; j < counts[i]; j++)
            assert_int_equal(rig_attach_many(rig, DOM, j, j * devs[i],
                                             devs[i]), 0);
        num = counts[i] * devs[i];
        peer_settle(rig->p);
        mark = store_trace_mark(rig->s);
        list = rig_list(rig, DOM);
        CHECK(rig, mark, 2 + 3 * counts[i] + num +
              counts[i] * pages(devs[i]));
        free(list);
        for (j = 0; j < counts[i]; j++)
            assert_int_equal(rig_close(rig, DOM, (int)j,
                                       LIBXL__VSCSI_SAFE_REMOVE), 0);
    }
}

static void a_new_ctrl_costs_at_most_27_and_6_a_device(void **state)
{
    static const unsigned nums[] = { 1, 2, 16, 64 };
    struct rig *rig = *state;
    unsigned i;
    long mark;

    for (i = 0; i < VSCSI_ARRAY_SIZE(nums); i++) {
        mark = store_trace_mark(rig->s);
        assert_int_equal(rig_attach_many(rig, DOM, 0, 0, nums[i]), 0);
        CHECK(rig, mark, 27 + 6 * nums[i] + pages(nums[i]));
        mark = store_trace_mark(rig->s);
        assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                         0);
        CHECK(rig, mark, 27 + 6 * nums[i] + pages(nums[i]));
        peer_settle(rig->p);
    }
}

static void limited_transfers_cost_at_most_16_more(void **state)
{
    struct rig *rig = *state;
    long mark;

    fakehost_set_limits("3:0:0:0", 128, 168);
    mark = store_trace_mark(rig->s);
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
    CHECK(rig, mark, 27 + 6 * 2 + pages(2) + 16);
}

static void adding_costs_at_most_25_and_6_a_device_whatever_is_there(void **state)
{
    static const unsigned there[] = { 1, 15, 40, 100 }, nums[] = { 1, 16, 24, 1 };
    struct rig *rig = *state;
    unsigned i;
    long mark;

    for (i = 0; i < VSCSI_ARRAY_SIZE(nums); i++) {
        assert_int_equal(rig_attach_many(rig, DOM, 0, 0, there[i]), 0);
        peer_settle(rig->p);
        mark = store_trace_mark(rig->s);
        assert_int_equal(rig_attach_many(rig, DOM, 0, there[i], nums[i]), 0);
        CHECK(rig, mark, 25 + 6 * nums[i] + pages(there[i]));
        assert_int_equal(rig_close(rig, DOM, 0, LIBXL__VSCSI_SAFE_REMOVE),
                         0);
    }
}

static void detaching_costs_at_most_25_and_5_a_device_whatever_is_there(void **state)
{
    static const unsigned there[] = { 2, 16, 40, 100 };
    libxl__vscsi_ref ref = { .domid = DOM, .devid = 0 };
    libxl_vscsi_hctl vdevs[24];
    struct rig *rig = *state;
    unsigned i, j, num;
    long mark;

    for (j = 0; j < 24; j++)
        vdevs[j] = (libxl_vscsi_hctl){ 0, 0, j / 16, j % 16 };
    for (i = 0; i < VSCSI_ARRAY_SIZE(there); i++) {
        for (num = 1; num < there[i] && num <= 24; num += 7) {
            assert_int_equal(rig_attach_many(rig, DOM, 0, 0, there[i]), 0);
            peer_settle(rig->p);
            mark = store_trace_mark(rig->s);
            assert_int_equal(libxl__vscsi_detach(&rig->vc, ref, vdevs, num,
                                        LIBXL__VSCSI_SAFE_REMOVE), 0);
            CHECK(rig, mark, 25 + 5 * num + pages(there[i]));
            assert_int_equal(rig_close(rig, DOM, 0,
                                       LIBXL__VSCSI_SAFE_REMOVE), 0);
        }
    }
}

static void the_end_of_a_domain_costs_at_most_10_and_8_a_ctrl(void **state)
{
    static const unsigned counts[] = { 1, 4, 16 };
    libxl_device_vscsictrl *ctrls;
    struct rig *rig = *state;
    unsigned i, j;
    long mark;
    int num;

    for (i = 0; i < VSCSI_ARRAY_SIZE(counts); i++) {
        for (j = 0; j < counts[i]; j++)
            assert_int_equal(rig_attach_many(rig, DOM, j, j * 4, 4), 0);
        ctrls = rig_ctrls(rig, DOM, &num);
        store_domain_destroy(rig->s, DOM);
        peer_settle(rig->p);
        mark = store_trace_mark(rig->s);
        assert_int_equal(libxl__vscsi_domain_destroyed(&rig->vc, DOM, ctrls,
                                                       num), 0);
        CHECK(rig, mark, 10 + 8 * counts[i]);
        libxl_device_vscsictrl_list_free(ctrls, num);
        rig_assert_nothing_left(rig);
        store_domain_create(rig->s, DOM);
    }
}

static void cleaning_up_after_one_asks_nothing_of_others(void **state)
{
    struct rig *rig = *state;
    unsigned others;
    long mark;

    for (others = 0; others < 8; others += 7) {
        for (uint32_t domid = 20; domid < 20 + others; domid++) {
            store_domain_create(rig->s, domid);
            assert_int_equal(rig_attach_many(rig, domid, 0, domid, 1), 0);
        }
        assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 2), 0);
        assert_int_equal(rig_attach_many(rig, DOM, 1, 2, 2), 0);
        store_domain_destroy(rig->s, DOM);
        peer_settle(rig->p);
        mark = store_trace_mark(rig->s);
        assert_int_equal(libxl__vscsi_cleanup_domain(&rig->vc, DOM), 0);
        CHECK(rig, mark, 10 + 8 * 2);
        mark = store_trace_mark(rig->s);
        assert_int_equal(libxl__vscsi_cleanup_domain(&rig->vc, DOM), 0);
        CHECK(rig, mark, 5);
        assert_int_equal(fakehost_num_exported(), others);
        store_domain_create(rig->s, DOM);
    }
}

static void ctrls_on_record_are_not_looked_up_again(void **state)
{
    struct rig *rig = *state;
    char *list;
    long mark;

    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    fakehost_add_backend(DOM, 0);
    mark = store_trace_mark(rig->s);
    assert_int_equal(rig_attach_many(rig, DOM, 1, 1, 1), 0);
    list = store_requests_list(rig->s, mark);
    assert_null(strstr(list, "READ /local/domain/0/backend/vscsi/5/0 \n"));
    free(list);
}

static void expect_not_asked(struct rig *rig, long mark, const char *request)
{
    char *list = store_requests_list(rig->s, mark);

    if (strstr(list, request))
        fail_msg("%s is among\n%s", request, list);
    free(list);
}

static void what_is_known_is_not_asked_again(void **state)
{
    struct rig *rig = *state;
    long mark;

    fakehost_add_target("naa.6001405000000001:7");
    assert_int_equal(rig_attach_many(rig, DOM, 0, 0, 1), 0);
    assert_int_equal(rig_attach_many(rig, DOM, 1, 1, 1), 0);

    /* The vscsictrl is on record, so the domain is there and it is ours. */
    mark = store_trace_mark(rig->s);
    assert_int_equal(rig_attach(rig, DOM, "naa.6001405000000001:7 0:0:0:7"),
                     0);
    expect_not_asked(rig, mark, "DIRECTORY /libxl/5/device \n");
    expect_not_asked(rig, mark,
                     "DIRECTORY /local/domain/0/backend/vscsi/5 \n");

    /* The vdev names the vscsictrl; the target is not ours to take down. */
    mark = store_trace_mark(rig->s);
    assert_int_equal(rig_detach(rig, DOM, "0:0:0:7",
                                LIBXL__VSCSI_SAFE_REMOVE), 0);
    expect_not_asked(rig, mark, "DIRECTORY /libxl/5/device/vscsi \n");
    expect_not_asked(rig, mark, "READ /libxl/5/device/vscsi/1 \n");
    expect_not_asked(rig, mark,
                     "DIRECTORY /local/domain/0/backend/vscsi \n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, \
                                                   rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(listing_costs_at_most_2_and_3_a_ctrl_and_1_a_device),
        TEST(a_new_ctrl_costs_at_most_27_and_6_a_device),
        TEST(limited_transfers_cost_at_most_16_more),
        TEST(adding_costs_at_most_25_and_6_a_device_whatever_is_there),
        TEST(detaching_costs_at_most_25_and_5_a_device_whatever_is_there),
        TEST(the_end_of_a_domain_costs_at_most_10_and_8_a_ctrl),
        TEST(cleaning_up_after_one_asks_nothing_of_others),
        TEST(ctrls_on_record_are_not_looked_up_again),
        TEST(what_is_known_is_not_asked_again),
    };

    return cmocka_run_group_tests_name("store/requests", tests, NULL, NULL);
}
