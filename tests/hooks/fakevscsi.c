/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the real second object calls of libxenlight-vscsi.  A domain that is
 * in the file "record" has the vscsictrls in the file "vscsictrls", which are
 * written as in vscsi=, one a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl_vscsi.h>
#include <libxlutil_vscsi.h>

#include "fake.h"

static xentoollog_logger *logger;

void libxl_vscsi_set_logger(xentoollog_logger *lg)
{
    logger = lg;
}

/* What fails has been logged. */
static int touch(const char *name, uint32_t domid)
{
    int rc = fake_rc(name);

    fake_log("%s %u", name, domid);
    if (rc)
        xtl_log(logger, XTL_ERROR, -1, "vscsi", "%s fails", name);
    return rc;
}

libxl_device_vscsictrl *libxl_device_vscsictrl_list(libxl_ctx *ctx,
                                                    uint32_t domid, int *num)
{
    libxl_device_vscsictrl *ctrls = NULL;
    char text[1024], *word, *state = NULL;
    int found = 0;

    (void)ctx;
    if (fake_rc("vscsictrl_list")) {
        *num = -1;
        return NULL;
    }
    snprintf(text, sizeof(text), "%u", domid);
    word = text + 16;
    if (!fake_read("record", word, 64) || !strstr(word, text) ||
        !fake_read("vscsictrls", text, sizeof(text)))
        text[0] = '\0';
    for (word = strtok_r(text, "\n", &state); word;
         word = strtok_r(NULL, "\n", &state))
        if (xlu_vscsi_config_add(word, &ctrls, &found, NULL))
            abort();
    *num = found;
    return ctrls;
}

libxl_device_vscsictrl *libxl_vscsi_config_list(libxl_ctx *ctx,
                                                uint32_t domid, int *num)
{
    return libxl_device_vscsictrl_list(ctx, domid, num);
}

/* With the file "missing", the first vscsictrl's devices are. */
int libxl_vscsi_take_missing(libxl_ctx *ctx, uint32_t domid,
                             libxl_device_vscsictrl *ctrls, int *num,
                             bool restarts)
{
    char text[64];

    (void)ctx;
    if (!*num || !fake_read("missing", text, sizeof(text)))
        return 0;
    fake_log("take_missing %u %s", domid, restarts ? "restarts" : "starts");
    if (!restarts)
        return 0;
    libxl_device_vscsictrl_dispose(&ctrls[0]);
    memmove(ctrls, ctrls + 1, (size_t)--*num * sizeof(*ctrls));
    return 0;
}

void libxl_device_vscsictrl_list_free(libxl_device_vscsictrl *list, int num)
{
    int i;

    for (i = 0; i < num; i++)
        libxl_device_vscsictrl_dispose(&list[i]);
    free(list);
}

int libxl_device_vscsictrl_add(libxl_ctx *ctx, uint32_t domid,
                               libxl_device_vscsictrl *ctrl,
                               const libxl_asyncop_how *ao_how)
{
    char *text = xlu_vscsi_to_string(ctrl, ctrl->vscsidevs);

    (void)ctx, (void)ao_how;
    fake_log("gets %s", text);
    free(text);
    return touch("vscsictrl_add", domid);
}

int libxl_device_vscsictrl_destroy(libxl_ctx *ctx, uint32_t domid,
                                   const libxl_device_vscsictrl *ctrl,
                                   const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)ctrl, (void)ao_how;
    return touch("vscsictrl_destroy", domid);
}

int libxl_device_vscsidev_add(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_vscsidev *dev,
                              const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)dev, (void)ao_how;
    return touch("vscsidev_add", domid);
}

int libxl_vscsi_check(libxl_ctx *ctx, const libxl_uuid *uuid,
                      const libxl_device_vscsictrl *ctrls, int num)
{
    (void)ctx, (void)uuid, (void)ctrls;
    return touch("vscsi_check", (uint32_t)num);
}

int libxl_vscsi_check_disk(libxl_ctx *ctx, uint32_t domid,
                           const char *pdev_path)
{
    (void)ctx, (void)pdev_path;
    return touch("vscsi_check_disk", domid);
}

int libxl_vscsi_domain_destroyed(libxl_ctx *ctx, uint32_t domid,
                                 const libxl_device_vscsictrl *ctrls, int num)
{
    (void)ctx, (void)ctrls, (void)num;
    return touch("vscsi_domain_destroyed", domid);
}

/* Says nothing: it is in the way of all that is saved.  What LATER has comes
 * before it. */
int libxl_vscsi_freeze(libxl_ctx *ctx, uint32_t domid, int *frozen_r)
{
    int rc = fake_rc("vscsi_freeze");
    const char *later = getenv("LATER");
    FILE *f = later ? fopen("vscsictrls", "w") : NULL;

    if (f) {
        fputs(later, f);
        fclose(f);
    }

    (void)ctx;
    *frozen_r = -1;
    if (rc)
        xtl_log(logger, XTL_ERROR, -1, "vscsi", "%u is frozen", domid);
    return rc;
}

void libxl_vscsi_thaw(int frozen)
{
    (void)frozen;
}

int libxl_vscsi_resume(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    return touch("vscsi_resume", domid);
}
