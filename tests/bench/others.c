/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * others add|remove NUM DEVS: in xenstore, NUM other domains with a vscsictrl
 * of DEVS devices each; nobody runs them, and no kernel takes note.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_index.h"
#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

#define FIRST 30000u

typedef struct other {
    libxl__vscsi_ref ref;
    libxl_device_vscsictrl ctrl;
} other;

static int add_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    other *o = arg;
    int rc;

    rc = libxl__vscsi_record_ctrl(vc, t, o->ref, &o->ctrl);
    /* 4, Connected: to the kernel that is none of its business. */
    if (!rc)
        rc = libxl__vscsi_xs_set_state(vc, t, o->ref, 4);
    return rc ? rc : libxl__vscsi_index_write(vc, t, o->ref,
                                              o->ctrl.vscsidevs,
                                              o->ctrl.num_vscsidevs);
}

static int remove_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    other *o = arg;
    int rc;

    rc = libxl__vscsi_xs_rm_ctrls(vc, t, &o->ref, 1);
    return rc ? rc : libxl__vscsi_remove_node(
        vc, t, libxl__vscsi_sprintf("/libxl/%u", o->ref.domid));
}

static void add_devices(other *o, unsigned num)
{
    libxl_device_vscsidev dev;
    unsigned i;

    for (i = 0; i < num; i++) {
        libxl_device_vscsidev_init(&dev);
        dev.vscsidev_id = (libxl_devid)i;
        dev.vdev.lun = i;
        libxl_vscsi_pdev_init_type(&dev.pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
        dev.pdev.u.hctl.m = (libxl_vscsi_hctl){ .hst = o->ref.domid,
                                                .lun = i };
        dev.pdev.wwid = libxl__vscsi_sprintf("naa.5000c5%010x",
                                             o->ref.domid << 8 | i);
        libxl_device_vscsictrl_append_vscsidev(NULL, &o->ctrl, &dev);
        libxl_device_vscsidev_dispose(&dev);
    }
}

int main(int argc, char **argv)
{
    unsigned i, num = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    bool add = argc == 4 && !strcmp(argv[1], "add");
    libxl__vscsi_ctx vc;
    int rc = num ? 0 : 1;

    if (rc || libxl__vscsi_ctx_init(&vc))
        return 1;
    for (i = 0; !rc && i < num; i++) {
        other o = { .ref = { .domid = FIRST + i, .devid = 0 } };

        libxl_device_vscsictrl_init(&o.ctrl);
        o.ctrl.devid = 0;
        if (add)
            add_devices(&o, (unsigned)strtoul(argv[3], NULL, 10));
        rc = libxl__vscsi_xs_transact(&vc, add ? add_body : remove_body, &o);
        libxl_device_vscsictrl_dispose(&o.ctrl);
    }
    libxl__vscsi_ctx_dispose(&vc);
    return rc ? 1 : 0;
}
