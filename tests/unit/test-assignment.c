/* SPDX-License-Identifier: LGPL-2.1-only */
/* Who may have a device that somebody has: the rules as a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libxl_vscsi_assignment.h"

/* The rules said once more, in other words: what is asked of each. */
static bool may_have(const libxl__vscsi_relation *r)
{
    bool moves = r->same_vm && !r->both_may_run;
    bool again = r->same_domain && r->same_path;
    bool shared = r->theirs_shareable && r->ours_shareable;

    return moves || (shared && !again);
}

static void everything_that_can_be_is_ruled(void **state)
{
    unsigned bits;

    (void)state;
    for (bits = 0; bits < 64; bits++) {
        libxl__vscsi_relation r = {
            .same_domain = bits & 1, .same_path = bits & 2,
            .same_vm = bits & 4, .both_may_run = bits & 8,
            .theirs_shareable = bits & 16, .ours_shareable = bits & 32,
        };

        if (r.same_domain && r.same_vm)
            continue;           /* "another domain" */
        assert_int_equal(!libxl__vscsi_why_not(&r), may_have(&r));
    }
}

static void a_refusal_says_what_to_do(void **state)
{
    static const struct {
        libxl__vscsi_relation r;
        const char *says;
    } rows[] = {
        { { .same_path = true }, "detach it there first" },
        { { .same_domain = true, .same_path = true,
            .theirs_shareable = true, .ours_shareable = true },
          "detach it there first" },
        { { .ours_shareable = true }, "attach it again with shareable" },
        { { .theirs_shareable = true }, "say shareable here as well" },
        { { .same_vm = true, .both_may_run = true }, "a uuid of its own" },
    };
    const char *why;
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        why = libxl__vscsi_why_not(&rows[i].r);
        assert_non_null(why);
        assert_non_null(strstr(why, rows[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_that_can_be_is_ruled),
        cmocka_unit_test(a_refusal_says_what_to_do),
    };

    return cmocka_run_group_tests_name("assignment", tests, NULL, NULL);
}
