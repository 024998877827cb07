/* SPDX-License-Identifier: LGPL-2.1-only */
/* A store with a peer and domain 5, and a toolstack written by hand. */
#ifndef TESTS_STORE_HAND_H
#define TESTS_STORE_HAND_H

#include "peer.h"

#define B "/local/domain/0/backend/vscsi/5/0"
#define F "/local/domain/5/device/vscsi/0"
#define NODES(...) (const struct store_node[]){ __VA_ARGS__ }, \
    sizeof((const struct store_node[]){ __VA_ARGS__ }) / \
    sizeof(struct store_node)

struct rig {
    struct store *s;
    struct peer *p;
};

/* cmocka fixtures: the store alone; with peer and domain 5. */
int hand_setup_store(void **state);
int hand_setup(void **state);
int hand_teardown(void **state);

#define ON_STORE(f) \
    cmocka_unit_test_setup_teardown(f, hand_setup_store, hand_teardown)
#define ON_PEER(f) \
    cmocka_unit_test_setup_teardown(f, hand_setup, hand_teardown)

/* dev-N with state 1 and one more node, in one commit. */
void hand_write_dev(struct store *s, unsigned n, const char *pdev,
                    const char *vdev, const char *also,
                    const char *also_value);
/* A vscsictrl with dev-0 at 0:0:0:0, as yet in nobody's hands. */
void hand_create(struct store *s);
/* The same, and waits until it is connected. */
void hand_connect(struct rig *rig);
/* Takes a connected vscsictrl away. */
void hand_remove(struct store *s);

/* value NULL: there is no such node */
void check_node(struct store *s, const char *path, const char *value);
/* Frees text. */
void check_text(char *text, const char *expected);
void check_no_violations(struct rig *rig);
/* Exactly one, with expected in its text. */
void check_violation(struct rig *rig, const char *expected);

#endif /* TESTS_STORE_HAND_H */
