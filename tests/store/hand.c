/* SPDX-License-Identifier: LGPL-2.1-only */
/* A toolstack written by hand, for tests of the harness.  See hand.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hand.h"
#include "text.h"

int hand_setup_store(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    *state = rig;
    rig->s = store_start();
    return 0;
}

int hand_setup(void **state)
{
    struct rig *rig;

    hand_setup_store(state);
    rig = *state;
    rig->p = peer_start(rig->s);
    store_domain_create(rig->s, 5);
    return 0;
}

int hand_teardown(void **state)
{
    struct rig *rig = *state;

    peer_stop(rig->p);
    store_stop(rig->s);
    free(rig);
    return 0;
}

/* ----- what a toolstack does, written by hand ----- */

void hand_write_dev(struct store *s, unsigned n, const char *pdev,
                    const char *vdev, const char *also,
                    const char *also_value)
{
    char *dev = text_new(B "/vscsi-devs/dev-%u", n);
    char *p = text_new("%s/p-dev", dev), *v = text_new("%s/v-dev", dev);
    char *st = text_new("%s/state", dev);

    store_commit(s, NODES({ p, pdev }, { v, vdev }, { st, "1" },
                          { also, also_value }));
    free(dev), free(p), free(v), free(st);
}

void hand_create(struct store *s)
{
    /* The permissions must be there when the guest first looks. */
    store_write(s, F, "");
    store_set_perms(s, F, "n5,r0");
    store_write(s, B, "");
    store_set_perms(s, B, "n0,r5");
    store_commit(s, NODES({ F "/backend", B }, { F "/backend-id", "0" },
                          { F "/state", "1" }, { B "/frontend", F },
                          { B "/frontend-id", "5" }, { B "/online", "1" },
                          { B "/feature-host", "0" },
                          { B "/vscsi-devs/dev-0/p-dev", "3:0:0:0" },
                          { B "/vscsi-devs/dev-0/v-dev", "0:0:0:0" },
                          { B "/vscsi-devs/dev-0/state", "1" },
                          { B "/state", "1" }));
}

void hand_connect(struct rig *rig)
{
    hand_create(rig->s);
    store_wait(rig->s, B "/vscsi-devs/dev-0/state", "4");
    store_wait(rig->s, F "/vscsi-devs/dev-0/state", "4");
    store_wait(rig->s, B "/state", "4");
    peer_settle(rig->p);
}

void hand_remove(struct store *s)
{
    store_commit(s, NODES({ B "/online", "0" }, { B "/state", "5" }));
    store_wait(s, B "/state", "6");
    store_commit(s, NODES({ "/local/domain/0/backend/vscsi", NULL },
                          { "/local/domain/5/device/vscsi", NULL }));
}

void check_node(struct store *s, const char *path, const char *value)
{
    char *is = store_read(s, path);

    if (value)
        assert_string_equal(is ? is : "(absent)", value);
    else
        assert_null(is);
    free(is);
}

void check_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

void check_no_violations(struct rig *rig)
{
    char *text;

    if (store_violations(rig->s, &text))
        fail_msg("%s", text);
    free(text);
}

void check_violation(struct rig *rig, const char *expected)
{
    char *text;
    unsigned num = store_violations(rig->s, &text);

    if (num != 1 || !strstr(text, expected))
        fail_msg("%u violations:\n%sexpected: %s", num, text, expected);
    free(text);
}
