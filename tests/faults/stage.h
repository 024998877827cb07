/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the tests of faults stand on: the rig of the store tests with the
 * library's own LIO code on a fake configfs, and a bystander: domain 6 with
 * two devices, which nothing that happens to domain 5 may touch.
 */
#ifndef TESTS_FAULTS_STAGE_H
#define TESTS_FAULTS_STAGE_H

#include "rig.h"

#define BYSTANDER 6

int stage_setup(void **state);
/* Takes the bystander's devices away, and expects nothing to be left. */
int stage_teardown(void **state);
/* The same where a guest or a backend may have broken the rules. */
int stage_teardown_lawless(void **state);
#define STAGE_TEST(f) \
    cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
#define STAGE_TEST_LAWLESS(f) \
    cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown_lawless)

/* The bystander's kernels were told nothing, and its LIO objects are there;
 * its nodes are looked at by _assert_clean(). */
void stage_assert_bystander(struct rig *rig);

/* What is in xenstore and LIO beside the bystander's, or not there of that,
 * one a line; free(). */
char *stage_leftovers(struct rig *rig);
void stage_assert_clean(struct rig *rig);

/*
 * The devices of a domain as the backend's nodes have them, in rig_list()'s
 * form; fails the test if rig_list() says anything else, if one of them is
 * not in LIO, or if the guest has others.  free().
 */
char *stage_truth(struct rig *rig, uint32_t domid);

/* Detaches all vscsictrls of domain 5, which must work. */
void stage_detach_all(struct rig *rig, libxl__vscsi_removal how);
/* Ends domain 5, cleans up after it, and begins a new one. */
void stage_renew_domain(struct rig *rig);

/* A connection of its own for a process that was forked; 0 or rc. */
int stage_reopen(struct rig *rig);

#endif /* TESTS_FAULTS_STAGE_H */
