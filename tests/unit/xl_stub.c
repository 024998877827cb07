/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A Xen for xl's commands to look at: the functions that need one, defined
 * in the program under test and so before those of the shared libraries.
 *
 * Domains: 3 "mail" with three devices, 12 "archive-with-a-long-name" with
 * one, 7 "idle" with none.  What is asked to be changed is printed, with
 * the timeout; changes to domain 7 fail.  With XL_STUB=no-xen there is no
 * Xen, with XL_STUB=no-devices no domain has any, with XL_STUB=not-clean
 * cleaning fails, and with XL_STUB=interrupted somebody types Ctrl-C then.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil_vscsi.h>

static const struct {
    uint32_t domid;
    const char *name;
} domains[] = {
    { 3, "mail" }, { 7, "idle" }, { 12, "archive-with-a-long-name" },
};

#define NUM_DOMAINS (sizeof(domains) / sizeof(domains[0]))

static const struct device {
    uint32_t domid;
    const char *phys;           /* h:c:t:l if phys_hctl, else naa */
    libxl_vscsi_hctl phys_hctl;
    bool by_hctl;
    libxl_vscsi_hctl vdev;
    int state, dev_state;
    const char *written, *node, *wwid, *vendor, *model, *type;
} devices[] = {
    { 3, NULL, { 2, 0, 0, 0 }, true, { 0, 0, 0, 0 }, 4, 4,
      "/dev/disk/by-id/scsi-1", "/dev/sdb", "naa.333333300000", "Linux",
      "scsi_debug", "disk" },
    { 3, NULL, { 2, 0, 1, 0 }, true, { 0, 0, 0, 1 }, 4, 4,
      "/dev/nst0", NULL, NULL, NULL, NULL, NULL },
    { 3, "naa.5001405012345678:12", { 0, 0, 0, 0 }, false, { 1, 0, 0, 0 },
      2, 1, "naa.5001405012345678:12", NULL, NULL, NULL, NULL, NULL },
    { 12, NULL, { 10, 0, 63, 254 }, true, { 10, 0, 63, 254 }, 4, 6,
      "10:0:63:254", "/dev/sch0", "t10.\"quoted\"", "STK\033", "L\377700",
      "changer" },
};

#define NUM_DEVICES (sizeof(devices) / sizeof(devices[0]))

static xentoollog_logger *logger;

static bool stub_is(const char *what)
{
    const char *stub = getenv("XL_STUB");

    return stub && !strcmp(stub, what);
}

/* ----- libxl ----- */

int libxl_ctx_alloc(libxl_ctx **pctx, int version, unsigned flags,
                    xentoollog_logger *lg)
{
    static char ctx;

    (void)version, (void)flags;
    if (stub_is("no-xen")) {
        xtl_log(lg, XTL_ERROR, -1, "libxl", "cannot open libxc handle");
        return ERROR_FAIL;
    }
    *pctx = (libxl_ctx *)&ctx;
    return 0;
}

int libxl_ctx_free(libxl_ctx *ctx)
{
    (void)ctx;
    return 0;
}

int libxl_domain_qualifier_to_domid(libxl_ctx *ctx, const char *name,
                                    uint32_t *domid)
{
    char *end;
    size_t i;

    (void)ctx;
    *domid = (uint32_t)strtoul(name, &end, 10);
    if (end > name && !*end)
        return 0;
    if (!strcmp(name, "without-store"))
        return ERROR_FAIL;
    for (i = 0; i < NUM_DOMAINS; i++) {
        if (!strcmp(name, domains[i].name)) {
            *domid = domains[i].domid;
            return 0;
        }
    }
    return ERROR_INVAL;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
    size_t i;

    (void)ctx;
    for (i = 0; i < NUM_DOMAINS; i++) {
        if (domains[i].domid == domid)
            return strdup(domains[i].name);
    }
    return NULL;
}

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info_r, uint32_t domid)
{
    char *name = libxl_domid_to_name(ctx, domid);

    (void)info_r;
    free(name);
    return name ? 0 : ERROR_DOMAIN_NOTFOUND;
}

/* ----- libxenlight-vscsi ----- */

void libxl_vscsi_set_logger(xentoollog_logger *lg)
{
    logger = lg;
}

/* Stands for anything that fails and is logged by the library. */
static int answer(uint32_t domid)
{
    xtl_log(logger, XTL_DETAIL, -1, "vscsi", "a step");
    if (domid != 7)
        return 0;
    xtl_log(logger, XTL_ERROR, -1, "vscsi", "it failed");
    return ERROR_FAIL;
}

static int print_change(const char *what, uint32_t domid, const char *text)
{
    libxl_vscsi_timeouts timeouts;

    libxl_vscsi_get_timeouts(&timeouts);
    printf("%s %" PRIu32 " %u ms %s\n", what, domid, timeouts.handshake_ms,
           text);
    return answer(domid);
}

static int print_removal(const char *what, uint32_t domid,
                         const libxl_device_vscsidev *dev)
{
    const libxl_vscsi_hctl *vdev = &dev->vdev;
    char text[64];

    if (dev->vdev.hst == LIBXL_VSCSI_ANY)
        return print_change(what, domid, dev->pdev.p_devname);
    snprintf(text, sizeof(text),
             "%" PRIu32 ":%" PRIu32 ":%" PRIu32 ":%" PRIu64, vdev->hst,
             vdev->chn, vdev->tgt, vdev->lun);
    return print_change(what, domid, text);
}

int libxl_device_vscsictrl_add(libxl_ctx *ctx, uint32_t domid,
                               libxl_device_vscsictrl *ctrl,
                               const libxl_asyncop_how *ao_how)
{
    char *text = xlu_vscsi_to_string(ctrl, &ctrl->vscsidevs[0]);
    int rc;

    (void)ctx, (void)ao_how;
    rc = print_change("add", domid, text ? text : "no text");
    free(text);
    if (!rc && ctrl->vscsidevs[0].vdev.hst == LIBXL_VSCSI_ANY)
        ctrl->vscsidevs[0].vdev = (libxl_vscsi_hctl){ 2, 0, 0, 5 };
    return rc;
}

int libxl_vscsi_expand(libxl_ctx *ctx, uint32_t domid,
                       libxl_device_vscsictrl *ctrl, bool but_used)
{
    (void)ctx;
    return print_change(but_used ? "expand but used" : "expand", domid,
                        ctrl->vscsidevs[0].pdev.p_devname);
}

static int print_ctrl(const char *what, uint32_t domid,
                      const libxl_device_vscsictrl *ctrl)
{
    char text[32];

    snprintf(text, sizeof(text), "vscsictrl %d", ctrl->devid);
    return print_change(what, domid, text);
}

int libxl_device_vscsictrl_remove(libxl_ctx *ctx, uint32_t domid,
                                  const libxl_device_vscsictrl *ctrl,
                                  const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)ao_how;
    return print_ctrl("remove", domid, ctrl);
}

int libxl_device_vscsictrl_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                       const libxl_device_vscsictrl *ctrl,
                                       const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)ao_how;
    return print_ctrl("safe_remove", domid, ctrl);
}

int libxl_device_vscsidev_remove(libxl_ctx *ctx, uint32_t domid,
                                 const libxl_device_vscsidev *dev,
                                 const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)ao_how;
    return print_removal("remove", domid, dev);
}

int libxl_device_vscsidev_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                      const libxl_device_vscsidev *dev,
                                      const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)ao_how;
    return print_removal("safe_remove", domid, dev);
}

/* Only what mail started without: 0:0:1:5. */
libxl_device_vscsictrl *
libxl_vscsi_config_list(libxl_ctx *ctx, uint32_t domid, int *num_r)
{
    libxl_device_vscsictrl *ctrls = NULL;

    (void)ctx;
    *num_r = 0;
    if (domid == 3 &&
        xlu_vscsi_config_add("/dev/late,0:0:1:5,shareable", &ctrls, num_r,
                             NULL))
        abort();
    if (*num_r)
        ctrls[0].vscsidevs[0].absent = true;
    return ctrls;
}

int libxl_vscsi_domains(libxl_ctx *ctx, uint32_t **domids_r, int *num_r)
{
    static const uint32_t domids[] = { 3, 12, 20 };

    (void)ctx;
    *domids_r = malloc(sizeof(domids));
    if (!*domids_r)
        return ERROR_NOMEM;
    memcpy(*domids_r, domids, sizeof(domids));
    *num_r = sizeof(domids) / sizeof(domids[0]);
    return 0;
}

int libxl_vscsi_resume(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    printf("wake %u\n", domid);
    return answer(domid);
}

int libxl_vscsi_cleanup(libxl_ctx *ctx)
{
    (void)ctx;
    printf("cleanup\n");
    if (stub_is("interrupted"))
        raise(SIGINT);
    return stub_is("not-clean") ? answer(7) : 0;
}

int libxl_vscsi_cleanup_domain(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx;
    printf("cleanup of %u\n", domid);
    return stub_is("not-clean") ? answer(7) : 0;
}

static void fill_unit(libxl_vscsiunit *unit, uint32_t host,
                      const char *name, const char *holder)
{
    libxl_vscsiunit_init(unit);
    unit->devtype = strdup(holder ? "tape" : "disk");
    unit->vendor = strdup("ACME");
    unit->model = strdup("Big Disk");
    unit->wwid = strdup("naa.5000c500a1b2c3d4");
    unit->serial = strdup("");
    unit->size_kb = holder ? 0 : 1932735283;
    unit->name = strdup(name);
    unit->holder = holder ? strdup(holder) : NULL;
    unit->num_paths = holder ? 1 : 2;
    unit->paths = calloc(2, sizeof(*unit->paths));
    libxl_vscsiunit_path_init(&unit->paths[0]);
    libxl_vscsiunit_path_init(&unit->paths[1]);
    unit->paths[0].hctl.hst = unit->paths[1].hctl.hst = host;
    unit->paths[1].hctl.tgt = 7;
    unit->paths[0].node = strdup(holder ? "/dev/st0" : "/dev/sdb");
    unit->paths[0].running = true;
    unit->max_sectors_kb = holder ? 0 : 128;
    unit->max_segments = holder ? 0 : 168;
}

int libxl_vscsi_assignable_list(libxl_ctx *ctx, bool all,
                                libxl_vscsiunit **units_r, int *num_r)
{
    (void)ctx;
    if (stub_is("not-listed"))
        return answer(7);
    *units_r = calloc(2, sizeof(**units_r));
    fill_unit(&(*units_r)[0], 2, "/dev/disk/by-id/wwn-1", NULL);
    if (all)
        fill_unit(&(*units_r)[1], 3, "/dev/st0",
                  "it is assigned to mail as 0:0:0:1");
    *num_r = all ? 2 : 1;
    return 0;
}

static char *copy_of(const char *text)
{
    return text ? strdup(text) : NULL;
}

static void fill_info(libxl_vscsiinfo *info, const struct device *device)
{
    libxl_vscsiinfo_init(info);
    info->frontend_id = device->domid;
    info->devid = info->idx = (int)device->vdev.hst;
    info->vdev = device->vdev;
    info->vscsictrl_state = device->state;
    info->vscsidev_state = device->dev_state;
    info->max_segments = 64;
    info->shareable = device == devices;
    info->vendor = copy_of(device->vendor);
    info->model = copy_of(device->model);
    info->devtype = copy_of(device->type);
    info->node = copy_of(device->node);
    info->pdev.wwid = copy_of(device->wwid);
    info->pdev.p_devname = copy_of(device->written);
    if (device->by_hctl) {
        libxl_vscsi_pdev_init_type(&info->pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
        info->pdev.u.hctl.m = device->phys_hctl;
    } else {
        libxl_vscsi_pdev_init_type(&info->pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
        info->pdev.u.wwn.m = copy_of(device->phys);
    }
}

int libxl_vscsiinfo_add_limits(libxl_ctx *ctx, libxl_vscsiinfo *infos,
                               int num)
{
    (void)ctx;
    if (num && infos[0].shareable) {
        infos[0].unit_max_sectors_kb = 256;
        infos[0].unit_max_segments = 168;
    }
    return 0;
}

int libxl_vscsiinfo_list(libxl_ctx *ctx, const uint32_t *domids,
                         int num_domains, libxl_vscsiinfo **infos_r,
                         int *num_r)
{
    size_t i, most = NUM_DEVICES * (size_t)num_domains;
    libxl_vscsiinfo *infos;
    int d, num = 0;

    (void)ctx;
    *infos_r = NULL;
    *num_r = 0;
    infos = calloc(most + 1, sizeof(*infos));
    if (!infos)
        return ERROR_NOMEM;
    for (d = 0; d < num_domains && !stub_is("no-devices"); d++) {
        for (i = 0; i < NUM_DEVICES; i++) {
            if (devices[i].domid == domids[d])
                fill_info(&infos[num++], &devices[i]);
        }
    }
    if (num) {
        *infos_r = infos;
        *num_r = num;
    } else {
        free(infos);
    }
    return 0;
}
