/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * For libvirtd, where an admin preloads it (xen-vscsi-libvirt(7)): stands
 * before what the libxl driver calls of libxl, and sees what no hook sees.
 * The hook program, when this is loaded, checks and cleans up only.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "../xl/preloaded.h"
#include "hook.h"

#define PUBLIC __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

static bool is_on;

const char say_prefix[] = "xen-vscsi";

static void __attribute__((constructor)) begin(void)
{
    if (!preloaded_into("libvirtd") && !preloaded_into("virtxend"))
        return;
    is_on = true;
    preloaded_leave(&is_on);
    libxl_vscsi_set_domain_tag(true);
}

/* ----- the beginning: the domain is made, and paused ----- */

static int attach(libxl_ctx *ctx, uint32_t domid, const char *xml,
                  size_t length)
{
    char *msg = NULL;
    definition def;
    int rc = 0;

    definition_init(&def);
    if (!definition_read(xml, length, &def, &msg)) {
        say("domain %u: %s", domid, msg ? msg : "out of memory");
        rc = ERROR_INVAL;
    } else if (def.num) {
        rc = attach_all(ctx, domid, &def);
    }
    definition_dispose(&def);
    free(msg);
    return rc;
}

PUBLIC int libxl_userdata_store(libxl_ctx *ctx, uint32_t domid,
                                const char *userdata_userid,
                                const uint8_t *data, int datalen)
{
    int rc = 0;

    if (is_on && !strcmp(userdata_userid, "libvirt-xml") && datalen > 0)
        rc = attach(ctx, domid, (const char *)data,
                    strnlen((const char *)data, (size_t)datalen));
    return rc ? rc : REAL(libxl_userdata_store)(ctx, domid, userdata_userid,
                                                data, datalen);
}

/* ----- in between ----- */

PUBLIC int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid,
                               int suspend_cancel,
                               const libxl_asyncop_how *ao_how)
{
    int rc = REAL(libxl_domain_resume)(ctx, domid, suspend_cancel, ao_how);

    if (is_on && !rc && !ao_how && libxl_vscsi_resume(ctx, domid))
        say("SCSI devices of domain %u may stay suspended (xl scsi-wake)",
            domid);
    return rc;
}

/* The new kernel finds each vscsictrl in the state in which it begins. */
static int give_up_all(libxl_ctx *ctx, uint32_t domid,
                       libxl_device_vscsictrl *ctrls, int num)
{
    int i, rc = 0;

    for (i = 0; !rc && i < num; i++) {
        rc = libxl_device_vscsictrl_destroy(ctx, domid, &ctrls[i], NULL);
        ctrls[i].max_segments = 0;
    }
    return rc;
}

PUBLIC int libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *d_config, uint32_t domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc = 0, i, num = 0;

    if (is_on && !ao_how)
        ctrls = libxl_device_vscsictrl_list(ctx, domid, &num);
    if (num < 0)
        return ERROR_FAIL;
    rc = give_up_all(ctx, domid, ctrls, num);
    if (!rc)
        rc = REAL(libxl_domain_soft_reset)(ctx, d_config, domid, ao_how,
                                           aop_console_how);
    for (i = 0; !rc && i < num; i++)
        rc = libxl_device_vscsictrl_add(ctx, domid, &ctrls[i], NULL);
    libxl_device_vscsictrl_list_free(ctrls, num);
    return rc;
}

/* ----- the end ----- */

PUBLIC int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                                const libxl_asyncop_how *ao_how)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc, num = 0;

    if (is_on && !ao_how)
        ctrls = libxl_device_vscsictrl_list(ctx, domid, &num);
    rc = REAL(libxl_domain_destroy)(ctx, domid, ao_how);
    if (num > 0 && libxl_vscsi_domain_destroyed(ctx, domid, ctrls, num) &&
        !rc)
        say("domain %u is destroyed, but not everything of its SCSI devices "
            "could be removed (xl scsi-cleanup)", domid);
    if (num >= 0)
        libxl_device_vscsictrl_list_free(ctrls, num);
    return rc;
}
