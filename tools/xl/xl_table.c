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
static void make_word(char *text)
{
    unsigned char c;

    for (; *text; text++) {
        c = (unsigned char)*text;
        if (c <= ' ' || c == 0x7f)
            *text = '?';
    }
}

void xl_table_add(xl_table *table, const char *format, ...)
{
    char **cells, *text = NULL;
    va_list ap;
    int r;

    if (table->failed)
        return;
    va_start(ap, format);
    r = vasprintf(&text, format, ap);
    va_end(ap);
    if (r == 0) {
        free(text);
        text = strdup("-");
    }
    cells = realloc(table->cells, (table->num_cells + 1) * sizeof(*cells));
    if (cells)
        table->cells = cells;
    if (r < 0 || !text || !cells) {
        if (r >= 0)
            free(text);
        table->failed = true;
        return;
    }
    make_word(text);
    cells[table->num_cells++] = text;
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
