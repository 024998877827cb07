/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl scsi-list. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>
#include <libxl_vscsi.h>

#include "xl.h"

/* Rows are gathered before any is printed: the widths depend on them all,
 * and JSON is one array. */
typedef struct listing {
    libxl_ctx *ctx;
    bool with_domain;           /* rows say whose they are */
    xl_table table;
    xl_json json;               /* closed: a table is wanted */
} listing;

/* ----- what a device is called ----- */

/* NULL if it is not known.  The text is info's or buffer's. */
static const char *physical_address(const libxl_vscsiinfo *info,
                                    char buffer[XL_HCTL_SIZE])
{
    switch (info->pdev.type) {
    case LIBXL_VSCSI_PDEV_TYPE_HCTL:
        xl_format_hctl(&info->pdev.u.hctl.m, buffer);
        return buffer;
    case LIBXL_VSCSI_PDEV_TYPE_WWN:
        return info->pdev.u.wwn.m;
    case LIBXL_VSCSI_PDEV_TYPE_INVALID:
        break;
    }
    return NULL;
}

/* dom0 has it no more.  Of a target that the admin made, only the kernel
 * knows the device. */
static bool is_gone(const libxl_vscsiinfo *info)
{
    return info->pdev.type == LIBXL_VSCSI_PDEV_TYPE_HCTL && !info->devtype &&
           !info->missing;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* ----- as a table ----- */

static void add_header(listing *l)
{
    static const char *const names[] = {
        "Name", "ID", "Idx", "BE", "state", "host", "phy-hctl", "phy",
        "vir-hctl", "devstate",
    };
    size_t i = l->with_domain ? 0 : 2, end = sizeof(names) / sizeof(*names);

    xl_table_init(&l->table, end - i);
    for (; i < end; i++)
        xl_table_add(&l->table, "%s", names[i]);
}

static void add_node(xl_table *table, const libxl_vscsiinfo *info)
{
    const char *written = or_empty(info->pdev.p_devname);

    if (info->missing)
        xl_table_add(table, "%s(missing)", written);
    else if (info->node)
        xl_table_add(table, "%s", info->node);
    else if (is_gone(info))
        xl_table_add(table, "%s(gone)", written);
    else
        xl_table_add(table, "%s", written[0] == '/' ? written : "");
}

static void add_row(listing *l, const char *name,
                    const libxl_vscsiinfo *info)
{
    xl_table *table = &l->table;
    char text[XL_HCTL_SIZE];

    if (l->with_domain) {
        xl_table_add(table, "%s", or_empty(name));
        xl_table_add(table, "%" PRIu32, info->frontend_id);
    }
    xl_table_add(table, "%d", info->devid);
    xl_table_add(table, "%" PRIu32, info->backend_id);
    xl_table_add(table, "%d", info->vscsictrl_state);
    xl_table_add(table, "%d", info->idx);
    if (info->unreadable) {
        xl_table_add(table, "%s", "");
        xl_table_add(table, "(unreadable)");
        xl_table_add(table, "%s", "");
        xl_table_add(table, "%s", "");
        return;
    }
    xl_table_add(table, "%s", or_empty(physical_address(info, text)));
    add_node(table, info);
    xl_format_hctl(&info->vdev, text);
    xl_table_add(table, "%s", text);
    xl_table_add(table, "%d", info->vscsidev_state);
}

/* ----- as JSON ----- */

static void gen_device(xl_json *json, const char *name,
                       const libxl_vscsiinfo *info)
{
    char text[XL_HCTL_SIZE];

    xl_json_open_map(json);
    xl_json_number(json, "domid", info->frontend_id);
    xl_json_pair(json, "domain", name);
    xl_json_number(json, "idx", info->devid);
    xl_json_number(json, "be", info->backend_id);
    xl_json_number(json, "state", info->vscsictrl_state);
    xl_json_number(json, "host", info->idx);
    xl_json_bool(json, "persistent", info->persistent);
    xl_json_bool(json, "unreadable", info->unreadable);
    if (info->unreadable)
        goto out;
    xl_json_pair(json, "phy_hctl", physical_address(info, text));
    xl_json_pair(json, "phy", info->node);
    xl_format_hctl(&info->vdev, text);
    xl_json_pair(json, "vir_hctl", text);
    xl_json_number(json, "devstate", info->vscsidev_state);
    xl_json_bool(json, "missing", info->missing);
    xl_json_bool(json, "gone", is_gone(info));
    xl_json_pair(json, "type", info->devtype);
    xl_json_pair(json, "vendor", info->vendor);
    xl_json_pair(json, "model", info->model);
    xl_json_pair(json, "wwid", info->pdev.wwid);
    xl_json_pair(json, "pdev", info->pdev.p_devname);
    xl_json_bool(json, "shareable", info->shareable);
    xl_json_known(json, "max_segments", info->max_segments);
    xl_json_known(json, "unit_max_sectors_kb", info->unit_max_sectors_kb);
    xl_json_known(json, "unit_max_segments", info->unit_max_segments);
out:
    xl_json_close_map(json);
}

/* ----- the command ----- */

static bool open_listing(listing *l, bool as_json)
{
    if (as_json)
        return xl_json_open(&l->json, "devices");
    add_header(l);
    return true;
}

static void close_listing(listing *l)
{
    xl_table_dispose(&l->table);
    xl_json_dispose(&l->json);
}

static void say_unreadable(const libxl_vscsiinfo *info)
{
    fprintf(stderr, "the record of vscsictrl %d of domain %" PRIu32 " cannot "
            "be read: its devices are not known, and stay as they are until "
            "the domain ends\n", info->devid, info->frontend_id);
}

/* All of them in one call: that is one connection to xenstore.  False also
 * where something is not known. */
static bool list_domains(listing *l, const uint32_t *domids, int num_domains)
{
    libxl_vscsiinfo *infos;
    char *name = NULL;
    bool ok = true;
    int i, num;

    if (libxl_vscsiinfo_list(l->ctx, domids, num_domains, &infos, &num))
        return false;
    if (l->json.gen)
        ok = !libxl_vscsiinfo_add_limits(l->ctx, infos, num);
    for (i = 0; i < num; i++) {
        if (!i || infos[i].frontend_id != infos[i - 1].frontend_id) {
            free(name);
            name = libxl_domid_to_name(l->ctx, infos[i].frontend_id);
        }
        if (infos[i].unreadable) {
            say_unreadable(&infos[i]);
            ok = false;
        }
        if (l->json.gen)
            gen_device(&l->json, name, &infos[i]);
        else
            add_row(l, name, &infos[i]);
    }
    free(name);
    libxl_vscsiinfo_list_free(infos, num);
    return ok;
}

/* A number is a domain identifier whether the domain exists or not. */
static bool find_existing(libxl_ctx *ctx, const char *text, uint32_t *domid_r)
{
    libxl_dominfo info;
    int rc;

    if (!xl_find_domain(ctx, text, domid_r))
        return false;
    libxl_dominfo_init(&info);
    rc = libxl_domain_info(ctx, &info, *domid_r);
    libxl_dominfo_dispose(&info);
    if (rc == ERROR_DOMAIN_NOTFOUND)
        fprintf(stderr, "there is no domain %s\n", text);
    return !rc;
}

/* *any_r: one of the domains exists, so that there is a list. */
static int list_named(listing *l, int argc, char **argv, bool *any_r)
{
    uint32_t *domids = calloc((size_t)argc, sizeof(*domids));
    int i, num = 0;
    bool ok;

    if (!domids) {
        fprintf(stderr, "xl: out of memory\n");
        return XL_FAILURE;
    }
    for (i = 0; i < argc; i++)
        num += find_existing(l->ctx, argv[i], &domids[num]);
    ok = list_domains(l, domids, num) && num == argc;
    free(domids);
    *any_r = num > 0;
    return ok ? XL_OK : XL_FAILURE;
}

static int list_all(listing *l)
{
    uint32_t *domids;
    int num;
    bool ok;

    if (libxl_vscsi_domains(l->ctx, &domids, &num))
        return XL_FAILURE;
    ok = list_domains(l, domids, num);
    free(domids);
    return ok ? XL_OK : XL_FAILURE;
}

static int list(libxl_ctx *ctx, bool as_json, int argc, char **argv)
{
    listing l = { .ctx = ctx, .with_domain = argc != 1 };
    bool any = true, ok = false;
    int status = XL_FAILURE;

    if (!open_listing(&l, as_json))
        goto out;
    if (argc)
        status = list_named(&l, argc, argv, &any);
    else
        status = list_all(&l);
    if (as_json)
        ok = xl_json_print(&l.json);
    else
        ok = !any || xl_table_print(&l.table, stdout);
out:
    close_listing(&l);
    if (!ok)
        fprintf(stderr, "xl: out of memory\n");
    return ok && xl_flush_stdout() ? status : XL_FAILURE;
}

int main_vscsilist(const xl_command *cmd, const xl_globals *globals,
                   int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "json", no_argument, NULL, 'j' },
        { NULL, 0, NULL, 0 },
    };
    bool as_json = false;
    xl_session session;
    int opt, status;

    while ((opt = xl_getopt(cmd, argc, argv, ":h", options, 0, -1,
                            &status)) != XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return status;
        as_json = true;
    }
    if (!xl_open(globals, &session))
        return XL_FAILURE;
    status = list(session.ctx, as_json, argc - optind, argv + optind);
    xl_close(&session);
    return status;
}
