/* SPDX-License-Identifier: LGPL-2.1-only */
/* A table whose columns are as wide as their content. */
#include <stdlib.h>
#include <string.h>

#include "xl.h"

void xl_table_init(xl_table *table, size_t num_columns)
{
    *table = (xl_table){ .num_columns = num_columns };
}

void xl_table_dispose(xl_table *table)
{
    size_t i;

    for (i = 0; i < table->num_cells; i++)
        free(table->cells[i]);
    free(table->cells);
    xl_table_init(table, table->num_columns);
}

/* A name may have been chosen by somebody else: it is to break neither the
 * columns nor the terminal. */
static void make_word(char *text, bool keeps_blanks)
{
    unsigned char c;

    for (; *text; text++) {
        c = (unsigned char)*text;
        if (c < ' ' || (c == ' ' && !keeps_blanks) || c == 0x7f)
            *text = '?';
    }
}

/* Takes text over; NULL: memory ran out. */
static void add_cell(xl_table *table, char *text, bool keeps_blanks)
{
    char **cells = NULL;

    if (text && !table->failed)
        cells = realloc(table->cells,
                        (table->num_cells + 1) * sizeof(*cells));
    if (!cells) {
        free(text);
        table->failed = true;
        return;
    }
    make_word(text, keeps_blanks);
    table->cells = cells;
    cells[table->num_cells++] = text;
}

void xl_table_add(xl_table *table, const char *format, ...)
{
    char *text = NULL;
    va_list ap;
    int r;

    va_start(ap, format);
    r = vasprintf(&text, format, ap);
    va_end(ap);
    if (r == 0) {
        free(text);
        text = strdup("-");
    }
    add_cell(table, r < 0 ? NULL : text, false);
}

void xl_table_add_text(xl_table *table, const char *text)
{
    add_cell(table, strdup(text), true);
}

/* In characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

bool xl_table_print(const xl_table *table, FILE *f)
{
    size_t i, column, width, *widths;

    if (table->failed)
        return false;
    widths = calloc(table->num_columns, sizeof(*widths));
    if (!widths)
        return false;
    for (i = 0; i < table->num_cells; i++) {
        column = i % table->num_columns;
        width = width_of(table->cells[i]);
        if (width > widths[column])
            widths[column] = width;
    }
    for (i = 0; i < table->num_cells; i++) {
        column = i % table->num_columns;
        fputs(table->cells[i], f);
        if (column + 1 == table->num_columns) {
            fputc('\n', f);
            continue;
        }
        for (width = width_of(table->cells[i]); width <= widths[column];
             width++)
            fputc(' ', f);
    }
    free(widths);
    return true;
}
