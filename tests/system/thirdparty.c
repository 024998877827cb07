/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A program of somebody else's, built against the installed headers with
 * pkg-config.
 *
 *  thirdparty [-a|-e] attach DOMID PDEV,VDEV...    all in one call
 *  thirdparty [-a|-e] detach DOMID VDEV
 *  thirdparty [-a|-e] remove|destroy DOMID DEVID
 *  thirdparty list DOMID
 *  thirdparty info DOMID VDEV
 *
 * -a: with a callback, -e: with an ao_how for the event queue.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_vscsi.h>
#include <libxlutil_vscsi.h>

#ifndef LIBXL_HAVE_VSCSI
#error "no PVSCSI here"
#endif

static int ends[2];

static void called_back(libxl_ctx *ctx, int rc, void *for_callback)
{
    (void)ctx;
    if (for_callback != ends ||
        write(ends[1], &rc, sizeof(rc)) != sizeof(rc))
        abort();
}

/* The rc of a call that was made with how, when it is over. */
static int finish(int rc, const libxl_asyncop_how *how)
{
    int result, again;

    if (!how || rc)
        return rc;
    if (read(ends[0], &result, sizeof(result)) != sizeof(result))
        abort();
    close(ends[1]);
    if (read(ends[0], &again, sizeof(again)) != 0)
        abort();
    printf("called back once: %d\n", result);
    return result;
}

static int parse(int argc, char **argv, libxl_device_vscsictrl **ctrls,
                 int *num)
{
    char *msg = NULL;
    int i;

    for (i = 0; i < argc; i++) {
        if (xlu_vscsi_config_add(argv[i], ctrls, num, &msg)) {
            fprintf(stderr, "%s\n", msg ? msg : "out of memory");
            free(msg);
            return 1;
        }
    }
    return *num != 1;
}

static int attach(libxl_ctx *ctx, uint32_t domid, int argc, char **argv,
                  const libxl_asyncop_how *how)
{
    libxl_device_vscsictrl *ctrls = NULL;
    int rc, num = 0;

    rc = parse(argc, argv, &ctrls, &num);
    if (!rc) {
        rc = libxl_device_vscsictrl_add(ctx, domid, ctrls, how);
        /* The library has a copy: this may go before the callback. */
        libxl_device_vscsictrl_list_free(ctrls, num);
        rc = finish(rc, how);
    }
    return rc;
}

static int take(libxl_ctx *ctx, uint32_t domid, const char *what,
                const char *arg, const libxl_asyncop_how *how)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    libxl_device_vscsidev_init(&dev);
    if (!strcmp(what, "detach")) {
        rc = xlu_vscsi_parse_vdev(arg, &dev.vdev, NULL);
        if (!rc)
            rc = libxl_device_vscsidev_safe_remove(ctx, domid, &dev, how);
    } else {
        ctrl.devid = (libxl_devid)strtol(arg, NULL, 10);
        rc = !strcmp(what, "remove")
             ? libxl_device_vscsictrl_remove(ctx, domid, &ctrl, how)
             : libxl_device_vscsictrl_destroy(ctx, domid, &ctrl, how);
    }
    libxl_device_vscsidev_dispose(&dev);
    libxl_device_vscsictrl_dispose(&ctrl);
    return finish(rc, how);
}

static int list(libxl_ctx *ctx, uint32_t domid)
{
    libxl_device_vscsictrl *ctrls;
    int i, j, num;

    ctrls = libxl_device_vscsictrl_list(ctx, domid, &num);
    if (num < 0)
        return 1;
    for (i = 0; i < num; i++) {
        printf("vscsictrl %d:", ctrls[i].devid);
        for (j = 0; j < ctrls[i].num_vscsidevs; j++) {
            char *text = xlu_vscsi_to_string(&ctrls[i],
                                             &ctrls[i].vscsidevs[j]);
            char *comma = text ? strchr(text, ',') : NULL;

            if (!comma)
                return 1;
            *comma = 0;
            printf("%s %s as %s", j ? "," : "", text, comma + 1);
            free(text);
        }
        printf("\n");
    }
    libxl_device_vscsictrl_list_free(ctrls, num);
    return 0;
}

static int info(libxl_ctx *ctx, uint32_t domid, const char *vdev)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    libxl_vscsiinfo info;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    libxl_device_vscsidev_init(&dev);
    libxl_vscsiinfo_init(&info);
    rc = xlu_vscsi_parse_vdev(vdev, &dev.vdev, NULL);
    ctrl.devid = (int)dev.vdev.hst;
    if (!rc)
        rc = libxl_device_vscsictrl_getinfo(ctx, domid, &ctrl, &dev, &info);
    if (!rc)
        printf("%s state %d/%d %s %s %s %s\n", vdev, info.vscsictrl_state,
               info.vscsidev_state, info.devtype, info.vendor, info.model,
               info.node);
    libxl_vscsiinfo_dispose(&info);
    libxl_device_vscsidev_dispose(&dev);
    libxl_device_vscsictrl_dispose(&ctrl);
    return rc;
}

int main(int argc, char **argv)
{
    libxl_asyncop_how how = { .callback = called_back }, *ao_how = NULL;
    libxl_ctx *ctx;
    uint32_t domid;
    int rc = 1;

    how.u.for_callback = ends;
    if (argc > 1 && argv[1][0] == '-') {
        ao_how = &how;
        if (argv[1][1] == 'e')
            how.callback = NULL;
        argc--;
        argv++;
    }
    if (argc < 3 || pipe(ends) ||
        libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, NULL))
        return 2;
    domid = (uint32_t)strtoul(argv[2], NULL, 10);
    if (!strcmp(argv[1], "list"))
        rc = list(ctx, domid);
    else if (!strcmp(argv[1], "attach"))
        rc = attach(ctx, domid, argc - 3, argv + 3, ao_how);
    else if (argc == 4 && !strcmp(argv[1], "info"))
        rc = info(ctx, domid, argv[3]);
    else if (argc == 4)
        rc = take(ctx, domid, argv[1], argv[3], ao_how);
    libxl_ctx_free(ctx);
    return rc ? 1 : 0;
}
