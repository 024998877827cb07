/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * store ROUNDS: what needs no Xen, on the host's real xenstored: listing
 * many domains and many devices.  The devices are targets of the admin's,
 * so that dom0's own devices do not matter.  Prints samples as in-dom0.sh.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libxl_vscsi_store.h"
#include "store.h"

#define NUM_EMPTY 1000
#define NUM_DOMAINS 250
#define NUM_DEVS 4
#define MANY_DEVS 1000
#define DEVS_PER_CTRL 250
#define FIRST_EMPTY 2000
#define FIRST_DOMAIN 1000
#define ONE_DOMAIN 900u
#define MANY_DOMAIN 901u

static struct store *store;
static libxl__vscsi_ctx vc;
static const char *dir;

/* ----- what is in the store ----- */

static void write_domain(unsigned domid)
{
    char name[64], device[64], value[32];
    struct store_node nodes[] = { { name, value }, { device, "" } };

    snprintf(name, sizeof(name), "/local/domain/%u/name", domid);
    snprintf(device, sizeof(device), "/libxl/%u/device", domid);
    snprintf(value, sizeof(value), "guest-%u", domid);
    store_commit(store, nodes, 2);
}

static int write_body(libxl__vscsi_ctx *c, xs_transaction_t t, void *arg)
{
    libxl_device_vscsictrl *ctrl = arg;
    libxl__vscsi_p_dev p_devs[DEVS_PER_CTRL];
    int i;

    for (i = 0; i < ctrl->num_vscsidevs; i++)
        if (!libxl__vscsi_pdev_format(&ctrl->vscsidevs[i].pdev, p_devs[i]))
            return ERROR_INVAL;
    return libxl__vscsi_xs_add_ctrl(c, t, c->domid, ctrl, p_devs);
}

/* Devices FIRST and on, on the vscsictrl's LUNs from 0. */
static void write_ctrl(unsigned domid, int devid, unsigned first,
                       unsigned num)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    unsigned i;

    libxl_device_vscsictrl_init(&ctrl);
    ctrl.devid = ctrl.idx = devid;
    libxl_defbool_set(&ctrl.scsi_raw_cmds, false);
    for (i = 0; i < num; i++) {
        libxl_device_vscsidev_init(&dev);
        dev.vscsidev_id = (libxl_devid)i;
        dev.vdev.hst = (uint32_t)devid;
        dev.vdev.lun = i;
        libxl_vscsi_pdev_init_type(&dev.pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
        dev.pdev.u.wwn.m = libxl__vscsi_sprintf("naa.6001405%09x:%u", domid,
                                                first + i);
        dev.pdev.p_devname = strdup(dev.pdev.u.wwn.m);
        dev.pdev.wwid = libxl__vscsi_sprintf("naa.5000c500%08x", first + i);
        libxl_device_vscsictrl_append_vscsidev(NULL, &ctrl, &dev);
        libxl_device_vscsidev_dispose(&dev);
    }
    libxl__vscsi_doing(&vc, "write", "it", domid);
    if (libxl__vscsi_xs_transact(&vc, write_body, &ctrl))
        exit(1);
    libxl_device_vscsictrl_dispose(&ctrl);
}

/* ----- what is measured ----- */

static void measure(const char *command, double *us_r, long *kb_r)
{
    char line[1024], *rest, *end;
    int status;
    FILE *p;

    snprintf(line, sizeof(line), "%s/stopwatch %s/%s", dir, dir, command);
    p = popen(line, "re");
    if (!p || !fgets(line, sizeof(line), p))
        line[0] = '\0';
    status = p ? pclose(p) : -1;
    *us_r = strtod(line, &rest);
    *kb_r = strtol(rest, &end, 10);
    if (status || rest == line || end == rest) {
        fprintf(stderr, "failed: %s: status %#x\n", command,
                (unsigned)status);
        exit(1);
    }
}

static void sample(const char *name, double value)
{
    printf("S %s %.0f\n", name, value);
    fflush(stdout);
}

static void time_of(const char *name, const char *command)
{
    double us;
    long kb;

    measure(command, &us, &kb);
    sample(name, us);
}

static void memory_of(const char *name, const char *command)
{
    double us;
    long kb;

    measure(command, &us, &kb);
    sample(name, (double)kb);
}

static void requests_of(const char *name, const char *command)
{
    long mark = store_trace_mark(store), kb;
    double us;

    measure(command, &us, &kb);
    sample(name, store_requests_since(store, mark));
}

int main(int argc, char **argv)
{
    unsigned i, rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    char one[64], many[64], *slash = strrchr(argv[0], '/');

    if (slash)
        *slash = '\0';
    dir = slash ? argv[0] : ".";
    store = store_start();
    if (libxl__vscsi_ctx_init(&vc))
        return 1;

    for (i = 0; i < NUM_EMPTY; i++)
        write_domain(FIRST_EMPTY + i);
    requests_of("store-requests-1000", "xl-on-store scsi-list");
    sample("store-domains-1000", NUM_EMPTY);

    for (i = 0; i < NUM_DOMAINS; i++) {
        write_domain(FIRST_DOMAIN + i);
        write_ctrl(FIRST_DOMAIN + i, 0, i * NUM_DEVS, NUM_DEVS);
    }
    requests_of("store-requests-250", "xl-on-store scsi-list");
    requests_of("store-floor-requests-250", "floor list");
    for (i = 0; i < rounds; i++) {
        time_of("store-list-250", "xl-on-store scsi-list");
        time_of("store-floor-250", "floor list");
    }

    write_domain(ONE_DOMAIN);
    write_ctrl(ONE_DOMAIN, 0, 0, 1);
    write_domain(MANY_DOMAIN);
    for (i = 0; i < MANY_DEVS / DEVS_PER_CTRL; i++)
        write_ctrl(MANY_DOMAIN, (int)i, i * DEVS_PER_CTRL, DEVS_PER_CTRL);
    snprintf(one, sizeof(one), "xl-on-store scsi-list %u", ONE_DOMAIN);
    snprintf(many, sizeof(many), "xl-on-store scsi-list %u", MANY_DOMAIN);
    for (i = 0; i < rounds; i++) {
        memory_of("store-kb-1", one);
        memory_of("store-kb-1000", many);
    }
    libxl__vscsi_ctx_dispose(&vc);
    store_stop(store);
    return 0;
}
