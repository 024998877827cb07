/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * cmocka for the analysers of "make lint": they cannot know that a test is
 * over when an assertion fails.  Nothing is ever built with this.
 */
#ifndef TESTS_LINT_CMOCKA_H
#define TESTS_LINT_CMOCKA_H

#include_next <cmocka.h>

#include <stdlib.h>
#include <string.h>

#undef assert_true
#undef assert_false
#undef assert_non_null
#undef assert_null
#undef assert_int_equal
#undef assert_string_equal
#undef fail_msg

#define assert_true(c) do { if (!(c)) abort(); } while (0)
#define assert_false(c) assert_true(!(c))
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_null(p) assert_true((p) == NULL)
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_string_equal(a, b) \
    do { \
        const char *a_ = (a), *b_ = (b); \
        assert_true(a_ && b_ && strcmp(a_, b_) == 0); \
    } while (0)
#define fail_msg(...) do { printf(__VA_ARGS__); abort(); } while (0)

#endif /* TESTS_LINT_CMOCKA_H */
