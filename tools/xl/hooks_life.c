/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * SCSI devices through a domain's life, as xl leads it: given before the
 * first instruction, carried over a reboot or to another host, and taken
 * back at the end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hooks_life.h"

#define NO_DOMID ((uint32_t)-1)
#define MAX_TRIES 3

const hooks_real *hooks_real_xl;
xentoollog_logger *hooks_logger;

void hooks_say(const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(stderr, "xl: vscsi: %s\n", text);
}

static int out_of_memory(void)
{
    hooks_say("out of memory");
    return ERROR_NOMEM;
}

typedef libxl_device_vscsictrl *lister(libxl_ctx *ctx, uint32_t domid,
                                       int *num_r);

static int list_by(lister *list, libxl_ctx *ctx, uint32_t domid,
                   hooks_list *list_r)
{
    int rc;

    memset(list_r, 0, sizeof(*list_r));
    rc = hooks_real_xl->libxl_domain_info(ctx, NULL, domid);
    if (rc)
        return rc == ERROR_DOMAIN_NOTFOUND ? 0 : rc;
    list_r->ctrls = list(ctx, domid, &list_r->num);
    if (list_r->num >= 0)
        return 0;
    list_r->num = 0;
    return ERROR_FAIL;
}

int hooks_list_now(libxl_ctx *ctx, uint32_t domid, hooks_list *list_r)
{
    return list_by(libxl_device_vscsictrl_list, ctx, domid, list_r);
}

int hooks_list_all(libxl_ctx *ctx, uint32_t domid, hooks_list *list_r)
{
    return list_by(libxl_vscsi_config_list, ctx, domid, list_r);
}

/* ----- the beginning ----- */

static int give_up_all(libxl_ctx *ctx, uint32_t domid,
                       const hooks_list *list)
{
    int i, r, rc = 0;

    for (i = 0; i < list->num; i++) {
        r = libxl_device_vscsictrl_destroy(ctx, domid, &list->ctrls[i],
                                           NULL);
        rc = rc ? rc : r;
    }
    return rc;
}

/* *devs_r: how many devices of list the domain has got. */
static int attach_list(libxl_ctx *ctx, uint32_t domid, hooks_list *list,
                       int *devs_r)
{
    int rc = 0, i;

    *devs_r = 0;
    for (i = 0; i < list->num && !rc; i++) {
        rc = libxl_device_vscsictrl_add(ctx, domid, &list->ctrls[i], NULL);
        if (!rc)
            *devs_r += list->ctrls[i].num_vscsidevs;
    }
    return rc;
}

static int count_devs(const hooks_list *list)
{
    int i, num = 0;

    for (i = 0; i < list->num; i++)
        num += list->ctrls[i].num_vscsidevs;
    return num;
}

/* What of early can be had beside the domain's own is given back. */
static void attach_early(libxl_ctx *ctx, uint32_t domid,
                         const hooks_list *early)
{
    int i, j;

    libxl_vscsi_set_logger(NULL);
    for (i = 0; i < early->num; i++)
        for (j = 0; j < early->ctrls[i].num_vscsidevs; j++)
            libxl_device_vscsidev_add(ctx, domid,
                                      &early->ctrls[i].vscsidevs[j], NULL);
    libxl_vscsi_set_logger(hooks_logger);
}

/* xl makes one domain, and in the same process those that take its place. */
static bool restarts;

/* A domain has its name before it has its devices, so that others may have
 * attached some already: those of its configuration go first. */
static int attach_all(libxl_ctx *ctx, uint32_t domid, hooks_list *list)
{
    int rc, r, got, tries = 0;
    hooks_list early;

    rc = libxl_vscsi_take_missing(ctx, domid, list->ctrls, &list->num,
                                  restarts);
    if (rc)
        return rc;
    rc = attach_list(ctx, domid, list, &got);
    while (rc == ERROR_DEVICE_EXISTS && tries++ < MAX_TRIES) {
        r = hooks_list_now(ctx, domid, &early);
        if (r || count_devs(&early) <= got) {
            hooks_list_dispose(&early);
            break;
        }
        hooks_say("again, after what was attached to domain %u while it was "
                  "being made; that comes back if it is not in the way",
                  domid);
        rc = give_up_all(ctx, domid, &early);
        if (!rc)
            rc = attach_list(ctx, domid, list, &got);
        if (!rc)
            attach_early(ctx, domid, &early);
        hooks_list_dispose(&early);
    }
    return rc;
}

static int destroy(libxl_ctx *ctx, uint32_t domid)
{
    hooks_list list;
    int rc, r;

    rc = hooks_list_all(ctx, domid, &list);
    if (rc)
        hooks_say("domain %u: SCSI devices that it has may be left behind "
                  "(the next xl scsi-attach or scsi-detach removes them)",
                  domid);
    rc = hooks_real_xl->libxl_domain_destroy(ctx, domid, NULL);
    if (list.num) {
        r = libxl_vscsi_domain_destroyed(ctx, domid, list.ctrls, list.num);
        if (r && !rc)
            hooks_say("domain %u is destroyed, but not everything of its "
                      "SCSI devices could be removed", domid);
    }
    hooks_list_dispose(&list);
    return rc;
}

/* Is it dom0's backend that hands the disk out? */
static bool is_of_dom0(const libxl_device_disk *disk)
{
    const char *name = disk->backend_domname;

    if (name)
        return !strcmp(name, "0") || !strcmp(name, "Domain-0");
    return !disk->backend_domid;
}

static int check_disks(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_disk *disks, int num)
{
    int i, rc = 0;

    for (i = 0; !rc && i < num; i++)
        if (disks[i].pdev_path && disks[i].pdev_path[0] &&
            is_of_dom0(&disks[i]))
            rc = libxl_vscsi_check_disk(ctx, domid, disks[i].pdev_path);
    return rc;
}

static int before_create(libxl_domain_config *config)
{
    hooks_list list;
    int rc = 0;

    if (!hooks_table_get(config, true, &list))
        return out_of_memory();
    if (list.broken) {
        hooks_say("the domain came with SCSI devices that it cannot have "
                  "here, and is not started without them");
        rc = ERROR_INVAL;
    }
    hooks_list_dispose(&list);
    return rc;
}

/* A guest that boots learns how much it may send again; any other has. */
static void forget_max_segments(hooks_list *list)
{
    int i;

    for (i = 0; i < list->num; i++)
        list->ctrls[i].max_segments = 0;
}

static int after_create(libxl_ctx *ctx, libxl_domain_config *config,
                        uint32_t *domid, bool boots, int rc)
{
    hooks_list list;

    if (rc)
        return rc;
    if (hooks_table_get(config, true, &list)) {
        if (boots)
            forget_max_segments(&list);
        rc = attach_all(ctx, *domid, &list);
    } else {
        rc = out_of_memory();
    }
    hooks_list_dispose(&list);
    restarts = restarts || !rc;
    if (rc) {
        hooks_say("domain %u does not get all of its SCSI devices and is "
                  "destroyed", *domid);
        destroy(ctx, *domid);
        *domid = NO_DOMID;
    }
    return rc;
}

/* ----- in between ----- */

/* The one that takes its place needs the devices, and this one is dead. */
static void preserved(libxl_ctx *ctx, uint32_t domid)
{
    hooks_list list;

    if (!hooks_list_now(ctx, domid, &list) && list.num &&
        give_up_all(ctx, domid, &list))
        hooks_say("preserved domain %u keeps SCSI devices", domid);
    hooks_list_dispose(&list);
}

/* The new kernel finds a vscsictrl in the state in which a new one begins. */
static int soft_reset(libxl_ctx *ctx, libxl_domain_config *config,
                      uint32_t domid, const libxl_asyncop_how *ao_how,
                      const libxl_asyncprogress_how *aop_console_how)
{
    hooks_list list, now;
    int rc;

    if (!hooks_table_get(config, true, &list))
        return out_of_memory();
    rc = hooks_list_now(ctx, domid, &now);
    if (!rc)
        rc = give_up_all(ctx, domid, &now);
    if (!rc)
        rc = hooks_real_xl->libxl_domain_soft_reset(ctx, config, domid,
                                                    ao_how, aop_console_how);
    forget_max_segments(&list);
    if (!rc)
        rc = attach_all(ctx, domid, &list);
    hooks_list_dispose(&now);
    hooks_list_dispose(&list);
    return rc;
}

/* What xl saves or sends with the domain whose configuration it read last. */
static uint32_t read_domid = NO_DOMID;
static hooks_list read_list;
static int frozen = -1;

static bool is_same_ctrl(const libxl_device_vscsictrl *a,
                         const libxl_device_vscsictrl *b)
{
    char *one = libxl_device_vscsictrl_to_json(NULL,
                                    (libxl_device_vscsictrl *)(uintptr_t)a);
    char *other = libxl_device_vscsictrl_to_json(NULL,
                                    (libxl_device_vscsictrl *)(uintptr_t)b);
    bool same = one && other && !strcmp(one, other);

    free(one);
    free(other);
    return same;
}

/* Is what was read of the domain what it has? */
static int check_unchanged(libxl_ctx *ctx, uint32_t domid)
{
    hooks_list now;
    int rc, i;

    if (domid != read_domid)
        return 0;
    rc = hooks_list_all(ctx, domid, &now);
    if (!rc && now.num != read_list.num)
        rc = ERROR_FAIL;
    for (i = 0; !rc && i < now.num; i++)
        if (!is_same_ctrl(&now.ctrls[i], &read_list.ctrls[i]))
            rc = ERROR_FAIL;
    hooks_list_dispose(&now);
    if (rc)
        hooks_say("domain %u has got or lost SCSI devices since this began: "
                  "try again", domid);
    return rc;
}

/* The error is the one after which xl touches nothing. */
static int before_suspend(libxl_ctx *ctx, uint32_t domid)
{
    int rc = libxl_vscsi_freeze(ctx, domid, &frozen);

    if (!rc)
        rc = hooks_migrate_before_suspend(ctx, domid);
    if (!rc)
        rc = check_unchanged(ctx, domid);
    if (!rc)
        return 0;
    libxl_vscsi_thaw(frozen);
    frozen = -1;
    return ERROR_GUEST_TIMEDOUT;
}

static void resumed(libxl_ctx *ctx, uint32_t domid)
{
    libxl_vscsi_thaw(frozen);
    frozen = -1;
    if (libxl_vscsi_resume(ctx, domid))
        hooks_say("SCSI devices of domain %u may stay suspended (detach and "
                  "attach them)", domid);
}

/* Its checkpoints are taken inside libxl, where nothing wakes devices. */
static int before_remus(libxl_ctx *ctx, uint32_t domid)
{
    hooks_list list;
    int rc;

    rc = hooks_list_now(ctx, domid, &list);
    if (!rc && list.num) {
        hooks_say("a domain with SCSI devices cannot be checkpointed by "
                  "remus (detach them first)");
        rc = ERROR_GUEST_TIMEDOUT;      /* xl then touches nothing */
    }
    hooks_list_dispose(&list);
    return rc;
}

/* ----- configurations ----- */

static int retrieved(libxl_ctx *ctx, uint32_t domid,
                     libxl_domain_config *config)
{
    hooks_list list;
    int rc;

    rc = hooks_list_all(ctx, domid, &list);
    if (rc)
        return rc;
    hooks_list_dispose(&read_list);
    read_domid = domid;
    if (!hooks_list_copy(&read_list, &list))
        rc = out_of_memory();
    hooks_table_put(config, &list);
    return rc;
}

static char *add_to_json(const libxl_domain_config *config, char *text)
{
    hooks_list list;
    char *with;

    if (!hooks_table_get(config, false, &list)) {
        out_of_memory();
        free(text);
        return NULL;
    }
    if (!list.num)
        return text;
    hooks_migrate_carries();
    with = hooks_json_add(text, &list);
    if (!with)
        hooks_say("the SCSI devices cannot be added to the domain's JSON");
    hooks_list_dispose(&list);
    free(text);
    return with;
}

static int take_from_json(libxl_ctx *ctx, const libxl_domain_config *config,
                          const char *text)
{
    hooks_list list = { .ctrls = NULL };
    bool found;

    /* xl does not look at what from_json returns: broken is kept. */
    list.broken = !hooks_json_take(text, &list, &found);
    if (list.broken)
        hooks_say("\"" HOOKS_JSON_KEY "\" in the domain's JSON cannot be "
                  "read");
    if (!hooks_migrate_answer(ctx, &config->c_info.uuid, &list))
        list.broken = true;
    if (found || list.broken)
        hooks_table_put(config, &list);
    return 0;
}

static yajl_gen_status gen_json(yajl_gen hand, libxl_domain_config *config)
{
    const unsigned char *buf;
    yajl_gen_status status;
    hooks_list list;
    char *text = NULL;
    yajl_gen plain;
    size_t len;

    if (!hooks_table_get(config, false, &list))
        return yajl_gen_in_error_state;
    if (!list.num)
        return hooks_real_xl->libxl_domain_config_gen_json(hand, config);
    plain = yajl_gen_alloc(NULL);
    status = plain ? hooks_real_xl->libxl_domain_config_gen_json(plain,
                                                                 config)
                   : yajl_gen_in_error_state;
    if (status == yajl_gen_status_ok)
        status = yajl_gen_get_buf(plain, &buf, &len);
    if (status == yajl_gen_status_ok)
        text = strndup((const char *)buf, len);
    if (text)
        status = hooks_json_gen(hand, text, &list);
    else if (status == yajl_gen_status_ok)
        status = yajl_gen_in_error_state;
    free(text);
    if (plain)
        yajl_gen_free(plain);
    hooks_list_dispose(&list);
    return status;
}

__attribute__((visibility("default")))
const unsigned hooks_life_interface = HOOKS_INTERFACE;

__attribute__((visibility("default")))
const hooks_life *hooks_life_begin(const hooks_real *real, unsigned verbose)
{
    static const hooks_life life = {
        .read_config = hooks_config_read,
        .check_disks = check_disks,
        .before_create = before_create,
        .after_create = after_create,
        .soft_reset = soft_reset,
        .destroy = destroy,
        .preserved = preserved,
        .resumed = resumed,
        .retrieved = retrieved,
        .disposed = hooks_table_forget,
        .add_to_json = add_to_json,
        .take_from_json = take_from_json,
        .gen_json = gen_json,
        .receiver_is_there = hooks_migrate_receiver_is_there,
        .sends_header = hooks_migrate_sends_header,
        .before_suspend = before_suspend,
        .before_remus = before_remus,
        .is_asked = hooks_migrate_is_asked,
    };

    /* That a paused domain has not connected its devices is no news here. */
    xentoollog_level level = XTL_WARN;

    if (verbose)
        level = verbose < XTL_PROGRESS ? XTL_PROGRESS - verbose : XTL_DEBUG;
    hooks_real_xl = real;
    hooks_logger = (xentoollog_logger *)
        xtl_createlogger_stdiostream(stderr, level, 0);
    libxl_vscsi_set_logger(hooks_logger);
    return &life;
}
