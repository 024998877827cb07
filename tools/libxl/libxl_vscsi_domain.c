/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whether a domain is there, and whether its kernel can answer. */
#include "libxl_vscsi_ctx.h"

static libxl__vscsi_domain_state state_of(const libxl_dominfo *info)
{
    if (info->dying)
        return LIBXL__VSCSI_DOMAIN_DYING;
    if (!info->shutdown)
        return info->paused ? LIBXL__VSCSI_DOMAIN_PAUSED
                            : LIBXL__VSCSI_DOMAIN_RUNS;
    if (info->shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND)
        return LIBXL__VSCSI_DOMAIN_SUSPENDED;
    if (info->shutdown_reason == LIBXL_SHUTDOWN_REASON_CRASH ||
        info->shutdown_reason == LIBXL_SHUTDOWN_REASON_WATCHDOG)
        return LIBXL__VSCSI_DOMAIN_CRASHED;
    return LIBXL__VSCSI_DOMAIN_SHUT_DOWN;
}

static libxl__vscsi_life life_of(libxl_ctx *xl, uint32_t domid)
{
    libxl__vscsi_life life = LIBXL__VSCSI_LIFE_UNKNOWN;
    libxl__vscsi_domain_state state;
    libxl_dominfo info;
    int rc;

    libxl_dominfo_init(&info);
    rc = libxl_domain_info(xl, &info, domid);
    state = state_of(&info);
    if (rc == ERROR_DOMAIN_NOTFOUND)
        life = LIBXL__VSCSI_ENDED;
    else if (!rc)
        life = state == LIBXL__VSCSI_DOMAIN_RUNS ||
               state == LIBXL__VSCSI_DOMAIN_PAUSED ? LIBXL__VSCSI_MAY_RUN
                                                   : LIBXL__VSCSI_ENDED;
    libxl_dominfo_dispose(&info);
    return life;
}

int libxl__vscsi_domain_look(libxl__vscsi_ctx *vc, libxl_ctx *ctx,
                             uint32_t domid)
{
    libxl_dominfo info;
    int rc;

    vc->life_of = life_of;
    vc->xl = ctx;
    libxl_dominfo_init(&info);
    rc = libxl_domain_info(ctx, &info, domid);
    if (!rc)
        vc->domain = state_of(&info);
    else if (rc == ERROR_DOMAIN_NOTFOUND)
        libxl__vscsi_error(vc, "there is no domain %u", domid);
    else
        libxl__vscsi_error(vc, "Xen tells nothing of domain %u", domid);
    libxl_dominfo_dispose(&info);
    return rc;
}

bool libxl__vscsi_domain_answers(const libxl__vscsi_ctx *vc)
{
    return vc->domain == LIBXL__VSCSI_DOMAIN_RUNS;
}

bool libxl__vscsi_domain_is_over(const libxl__vscsi_ctx *vc)
{
    return vc->domain == LIBXL__VSCSI_DOMAIN_SHUT_DOWN ||
           vc->domain == LIBXL__VSCSI_DOMAIN_CRASHED ||
           vc->domain == LIBXL__VSCSI_DOMAIN_DYING;
}

int libxl__vscsi_refuse_silent(libxl__vscsi_ctx *vc)
{
    static const char *const reasons[] = {
        [LIBXL__VSCSI_DOMAIN_RUNS] = "does not answer",
        [LIBXL__VSCSI_DOMAIN_PAUSED] =
            "is paused and cannot answer (unpause it first)",
        [LIBXL__VSCSI_DOMAIN_SUSPENDED] =
            ("is suspended and cannot answer (it is being saved or migrated; "
             "try again when it runs)"),
        [LIBXL__VSCSI_DOMAIN_SHUT_DOWN] = "has shut down",
        [LIBXL__VSCSI_DOMAIN_CRASHED] = "has crashed",
        [LIBXL__VSCSI_DOMAIN_DYING] = "is being destroyed",
    };

    libxl__vscsi_error(vc, "the domain %s", reasons[vc->domain]);
    return ERROR_NOT_READY;
}
