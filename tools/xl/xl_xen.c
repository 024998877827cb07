/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The little of libxl that the SCSI commands need, straight from Xen and
 * xenstore.  libxl itself would load twenty libraries for it, which takes
 * longer than all else that a command does.
 */
#include <stdlib.h>
#include <string.h>

#include <libxl_utils.h>
#include <xenctrl.h>
#include <xenstore.h>

#include "xl.h"

#define DOMAINS_AT_ONCE 64

struct libxl__ctx {
    xc_interface *xc;
    struct xs_handle *xs;       /* NULL until a name is wanted */
};

int libxl_ctx_alloc(libxl_ctx **ctx_r, int version, unsigned flags,
                    xentoollog_logger *lg)
{
    libxl_ctx *ctx = calloc(1, sizeof(*ctx));

    (void)version, (void)flags;
    if (!ctx)
        return ERROR_NOMEM;
    ctx->xc = xc_interface_open(lg, lg, 0);
    if (!ctx->xc) {
        libxl_ctx_free(ctx);
        return ERROR_FAIL;
    }
    *ctx_r = ctx;
    return 0;
}

/*
 * In place of libxenstore's, for our library as well: the connections end
 * with the process, which has but this one command.  The real one would
 * load a library to end the thread that waited for events, which takes as
 * long as a tenth of an attach.
 */
void xs_close(struct xs_handle *xsh)
{
    (void)xsh;
}

/* Xen's devices end with the process as well. */
int libxl_ctx_free(libxl_ctx *ctx)
{
    free(ctx);
    return 0;
}

/* ----- domains ----- */

void libxl_dominfo_init(libxl_dominfo *info)
{
    memset(info, 0, sizeof(*info));
}

void libxl_dominfo_dispose(libxl_dominfo *info)
{
    libxl_dominfo_init(info);
}

/* Of *info_r only what the SCSI commands look at. */
int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info_r, uint32_t domid)
{
    xc_domaininfo_t info;
    int num;

    num = xc_domain_getinfolist(ctx->xc, domid, 1, &info);
    if (num < 0)
        return ERROR_FAIL;
    if (num == 0 || info.domain != domid)
        return ERROR_DOMAIN_NOTFOUND;
    if (info_r) {
        info_r->domid = domid;
        info_r->paused = info.flags & XEN_DOMINF_paused;
        info_r->shutdown = info.flags & XEN_DOMINF_shutdown;
        info_r->dying = info.flags & XEN_DOMINF_dying;
        info_r->shutdown_reason = (info.flags >> XEN_DOMINF_shutdownshift) &
                                  XEN_DOMINF_shutdownmask;
    }
    return 0;
}

static bool reach_store(libxl_ctx *ctx)
{
    if (!ctx->xs)
        ctx->xs = xs_open(0);
    return ctx->xs;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    char path[64];

    if (!reach_store(ctx))
        return NULL;
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    return xs_read(ctx->xs, XBT_NULL, path, NULL);
}

static bool has_name(libxl_ctx *ctx, uint32_t domid, const char *name)
{
    char *own = libxl_domid_to_name(ctx, domid);
    bool same = own && !strcmp(own, name);

    free(own);
    return same;
}

static int find_name(libxl_ctx *ctx, const char *name, uint32_t *domid_r)
{
    xc_domaininfo_t infos[DOMAINS_AT_ONCE];
    uint32_t next = 0;
    int i, num;

    if (!reach_store(ctx))
        return ERROR_FAIL;
    do {
        num = xc_domain_getinfolist(ctx->xc, next, DOMAINS_AT_ONCE, infos);
        /* The youngest first: it is likelier than dom0. */
        for (i = num; i-- > 0; ) {
            if (has_name(ctx, infos[i].domain, name)) {
                *domid_r = infos[i].domain;
                return 0;
            }
        }
        if (num > 0)
            next = infos[num - 1].domain + 1u;
    } while (num == DOMAINS_AT_ONCE);
    return ERROR_INVAL;
}

int libxl_domain_qualifier_to_domid(libxl_ctx *ctx, const char *name,
                                    uint32_t *domid_r)
{
    if (xl_parse_unsigned(name, UINT32_MAX, domid_r))
        return 0;
    return find_name(ctx, name, domid_r);
}

/* ----- three-valued settings; 0 is what a fresh struct has ----- */

#define DEFBOOL_TRUE 1
#define DEFBOOL_FALSE (-1)

void libxl_defbool_set(libxl_defbool *db, bool b)
{
    db->val = b ? DEFBOOL_TRUE : DEFBOOL_FALSE;
}

bool libxl_defbool_is_default(libxl_defbool db)
{
    return !db.val;
}

void libxl_defbool_setdefault(libxl_defbool *db, bool b)
{
    if (libxl_defbool_is_default(*db))
        libxl_defbool_set(db, b);
}

bool libxl_defbool_val(libxl_defbool db)
{
    return db.val > 0;
}

const char *libxl_defbool_to_string(libxl_defbool db)
{
    return !db.val ? "<default>" : db.val > 0 ? "True" : "False";
}
