/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl scsi-assignable-list. */
#include <stdlib.h>

#include <libxl_vscsi.h>

#include "xl.h"

#define COLUMNS 7
#define UNIT_KB 1024.0

/* ----- as a table ----- */

static void add_header(xl_table *table)
{
    static const char *const names[COLUMNS] = {
        "type", "vendor", "model", "size", "phy", "phy-hctl", "state",
    };
    size_t i;

    xl_table_init(table, COLUMNS);
    for (i = 0; i < COLUMNS; i++)
        xl_table_add(table, "%s", names[i]);
}

/* "8.0M", "1.8T"; nothing for what has no size. */
static void add_size(xl_table *table, uint64_t kb)
{
    static const char letters[] = "KMGTP";
    double size = (double)kb;
    size_t i = 0;

    while (size >= UNIT_KB && letters[i + 1]) {
        size /= UNIT_KB;
        i++;
    }
    if (kb)
        xl_table_add(table, "%.1f%c", size, letters[i]);
    else
        xl_table_add(table, "%s", "");
}

/* Those of all paths, with commas between. */
static void add_addresses(xl_table *table, const libxl_vscsiunit *unit)
{
    char text[XL_HCTL_SIZE], *all = NULL;
    size_t size;
    FILE *f = open_memstream(&all, &size);
    int i;

    for (i = 0; f && i < unit->num_paths; i++) {
        xl_format_hctl(&unit->paths[i].hctl, text);
        fprintf(f, "%s%s", i ? "," : "", text);
    }
    if (!f || fclose(f))
        table->failed = true;
    else
        xl_table_add(table, "%s", all);
    free(all);
}

static void add_row(xl_table *table, const libxl_vscsiunit *unit)
{
    xl_table_add(table, "%s", unit->devtype);
    xl_table_add(table, "%s", unit->vendor);
    xl_table_add(table, "%s", unit->model);
    add_size(table, unit->size_kb);
    xl_table_add(table, "%s", unit->name);
    add_addresses(table, unit);
    xl_table_add_text(table, unit->holder ? unit->holder : "free");
}

/* ----- as JSON ----- */

static void gen_unit(xl_json *json, const libxl_vscsiunit *unit)
{
    char text[XL_HCTL_SIZE];
    int i;

    xl_json_open_map(json);
    xl_json_pair(json, "type", unit->devtype);
    xl_json_pair(json, "vendor", unit->vendor);
    xl_json_pair(json, "model", unit->model);
    xl_json_pair(json, "wwid", unit->wwid);
    xl_json_pair(json, "serial", unit->serial);
    xl_json_known(json, "size_kb", unit->size_kb);
    xl_json_pair(json, "pdev", unit->name);
    xl_json_open_list(json, "paths");
    for (i = 0; i < unit->num_paths; i++) {
        xl_json_open_map(json);
        xl_format_hctl(&unit->paths[i].hctl, text);
        xl_json_pair(json, "hctl", text);
        xl_json_pair(json, "node", unit->paths[i].node);
        xl_json_bool(json, "running", unit->paths[i].running);
        xl_json_close_map(json);
    }
    xl_json_close_list(json);
    xl_json_known(json, "unit_max_sectors_kb", unit->max_sectors_kb);
    xl_json_known(json, "unit_max_segments", unit->max_segments);
    xl_json_bool(json, "free", !unit->holder);
    xl_json_pair(json, "holder", unit->holder);
    xl_json_close_map(json);
}

/* ----- the command ----- */

static bool print_units(bool as_json, const libxl_vscsiunit *units, int num)
{
    xl_table table = { .cells = NULL };
    xl_json json = { .gen = NULL };
    bool ok = true;
    int i;

    if (as_json)
        ok = xl_json_open(&json, "units");
    else
        add_header(&table);
    for (i = 0; ok && i < num; i++) {
        if (as_json)
            gen_unit(&json, &units[i]);
        else
            add_row(&table, &units[i]);
    }
    if (ok)
        ok = as_json ? xl_json_print(&json) : xl_table_print(&table, stdout);
    xl_json_dispose(&json);
    xl_table_dispose(&table);
    if (!ok)
        fprintf(stderr, "xl: out of memory\n");
    return ok && xl_flush_stdout();
}

int main_vscsiassignable(const xl_command *cmd, const xl_globals *globals,
                         int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "all", no_argument, NULL, 'a' },
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 },
    };
    bool all = false, as_json = false, ok;
    libxl_vscsiunit *units = NULL;
    xl_session session;
    int opt, status, num = 0;

    while ((opt = xl_getopt(cmd, argc, argv, ":ha", options, 0, 0,
                            &status)) != XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return status;
        all |= opt == 'a';
        as_json |= opt == 'j';
    }
    if (!xl_open(globals, &session))
        return XL_FAILURE;
    ok = !libxl_vscsi_assignable_list(session.ctx, all, &units, &num) &&
         print_units(as_json, units, num);
    libxl_vscsi_assignable_list_free(units, num);
    xl_close(&session);
    return ok ? XL_OK : XL_FAILURE;
}
