/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl's tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../tools/xl/xl.h"

static void assert_prints(const xl_table *table, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_non_null(f);
    assert_true(xl_table_print(table, f));
    fclose(f);
    assert_string_equal(text, expected);
    free(text);
}

static void add_row(xl_table *table, const char *a, const char *b,
                    const char *c)
{
    xl_table_add(table, "%s", a);
    xl_table_add(table, "%s", b);
    xl_table_add(table, "%s", c);
}

static void without_rows_the_header_is_printed(void **state)
{
    xl_table table;

    (void)state;
    xl_table_init(&table, 3);
    add_row(&table, "Idx", "phy-hctl", "devstate");
    assert_prints(&table, "Idx phy-hctl devstate\n");
    xl_table_dispose(&table);
}

static void one_row_lines_up_with_the_header(void **state)
{
    xl_table table;

    (void)state;
    xl_table_init(&table, 3);
    add_row(&table, "Idx", "phy", "devstate");
    add_row(&table, "0", "/dev/sdb", "4");
    assert_prints(&table, "Idx phy      devstate\n"
                          "0   /dev/sdb 4\n");
    xl_table_dispose(&table);
}

static void each_column_is_as_wide_as_its_longest_cell(void **state)
{
    xl_table table;

    (void)state;
    xl_table_init(&table, 3);
    add_row(&table, "Name", "phy-hctl", "host");
    add_row(&table, "a", "2:0:0:0", "0");
    add_row(&table, "a-name-beyond-any-fixed-width",
            "naa.5001405012345678:1023", "10");
    add_row(&table, "bc", "naa.5001405012345678:0", "2");
    assert_prints(&table,
        "Name                          phy-hctl                  host\n"
        "a                             2:0:0:0                   0\n"
        "a-name-beyond-any-fixed-width naa.5001405012345678:1023 10\n"
        "bc                            naa.5001405012345678:0    2\n");
    xl_table_dispose(&table);
}

static void many_rows_keep_their_order(void **state)
{
    char expected[4096] = "N\n";
    size_t length = 2;
    xl_table table;
    unsigned i;

    (void)state;
    xl_table_init(&table, 1);
    xl_table_add(&table, "N");
    for (i = 0; i < 500; i++) {
        xl_table_add(&table, "%u", i);
        length += (size_t)snprintf(expected + length,
                                   sizeof(expected) - length, "%u\n", i);
    }
    assert_prints(&table, expected);
    xl_table_dispose(&table);
}

static void every_cell_is_one_word(void **state)
{
    xl_table table;

    (void)state;
    xl_table_init(&table, 3);
    add_row(&table, "A", "B", "C");
    add_row(&table, "", "two words", "\033[2J\n\177");
    assert_prints(&table, "A B         C\n"
                          "- two?words ?[2J??\n");
    xl_table_dispose(&table);
}

static void characters_count_and_not_bytes(void **state)
{
    xl_table table;

    (void)state;
    xl_table_init(&table, 3);
    add_row(&table, "A", "B", "C");
    add_row(&table, "gr\303\274n", "x", "1");
    add_row(&table, "blau", "y", "2");
    assert_prints(&table, "A    B C\n"
                          "gr\303\274n x 1\n"
                          "blau y 2\n");
    xl_table_dispose(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rows_the_header_is_printed),
        cmocka_unit_test(one_row_lines_up_with_the_header),
        cmocka_unit_test(each_column_is_as_wide_as_its_longest_cell),
        cmocka_unit_test(many_rows_keep_their_order),
        cmocka_unit_test(every_cell_is_one_word),
        cmocka_unit_test(characters_count_and_not_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
