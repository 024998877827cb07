/* SPDX-License-Identifier: LGPL-2.1-only */
/* A device that a domain of libvirt's gets or loses while it runs, in libvirt's
 * definition of it: a program beside this one does that, so that no other
 * command loads libvirt's library. */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxlutil_vscsi.h>
#include <xenstore.h>

#include "places.h"
#include "xl.h"

extern char **environ;

bool xl_libvirt_has(uint32_t domid)
{
    struct xs_handle *xsh = xs_open(0);
    char path[64], *value = NULL;
    unsigned length;
    bool has;

    snprintf(path, sizeof(path), "/libxl/%u/" LIBXL_VSCSI_MONITOR, domid);
    if (xsh)
        value = xs_read(xsh, XBT_NULL, path, &length);
    has = value && !strcmp(value, "libvirt");
    free(value);
    xs_close(xsh);
    return has;
}

/* Runs xl-scsi-libvirt VERB DOMID with texts[]. */
static bool run(const char *verb, uint32_t domid, char *const *texts, int num)
{
    char **argv = calloc((size_t)num + 4, sizeof(*argv)), number[16];
    int e, status = -1;
    bool ok;
    pid_t pid;

    if (!argv) {
        fprintf(stderr, "xl: out of memory\n");
        return false;
    }
    snprintf(number, sizeof(number), "%u", domid);
    argv[0] = (char *)(uintptr_t)XL_LIBVIRT;
    argv[1] = (char *)(uintptr_t)verb;
    argv[2] = number;
    if (num)
        memcpy(argv + 3, texts, (size_t)num * sizeof(*argv));
    e = posix_spawn(&pid, XL_LIBVIRT, NULL, NULL, argv, environ);
    if (e == ENOENT)
        fprintf(stderr, "xl: --libvirt: " XL_LIBVIRT " is missing (install "
                "xen-vscsi-libvirt)\n");
    else if (e)
        fprintf(stderr, "xl: --libvirt: " XL_LIBVIRT ": %s\n", strerror(e));
    else
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    ok = !e && WIFEXITED(status) && !WEXITSTATUS(status);
    if (!e && !WIFEXITED(status))
        fprintf(stderr, "xl: --libvirt: " XL_LIBVIRT " was killed\n");
    free(argv);
    return ok;
}

static void free_texts(char **texts, int num)
{
    int i;

    for (i = 0; i < num; i++)
        free(texts[i]);
    free(texts);
}

bool xl_libvirt_check(uint32_t domid)
{
    return run("check", domid, NULL, 0);
}

/* ----- what was attached ----- */

/* The text for a definition: h:c:t:l and /dev/sdX mean another device after
 * the next boot of dom0. */
static char *lasting_spec(libxl_ctx *ctx, const libxl_device_vscsictrl *ctrl,
                          const libxl_device_vscsidev *dev)
{
    libxl_device_vscsidev copy;
    libxl_vscsiunit unit;
    char *spec = NULL;

    libxl_vscsiunit_init(&unit);
    if (libxl_device_vscsidev_copy(ctx, &copy, dev))
        return NULL;
    if (copy.pdev.type == LIBXL_VSCSI_PDEV_TYPE_HCTL &&
        copy.pdev.p_devname &&
        !libxl_vscsi_lookup(ctx, copy.pdev.p_devname, &unit) && unit.name) {
        free(copy.pdev.p_devname);
        copy.pdev.p_devname = unit.name;
        unit.name = NULL;
    }
    spec = xlu_vscsi_to_string(ctrl, &copy);
    libxl_vscsiunit_dispose(&unit);
    libxl_device_vscsidev_dispose(&copy);
    return spec;
}

bool xl_libvirt_add(libxl_ctx *ctx, uint32_t domid,
                    const libxl_device_vscsictrl *ctrl)
{
    char **specs = calloc((size_t)ctrl->num_vscsidevs + 1, sizeof(*specs));
    bool ok = specs;
    int num = 0;

    while (ok && num < ctrl->num_vscsidevs) {
        specs[num] = lasting_spec(ctx, ctrl, &ctrl->vscsidevs[num]);
        ok = specs[num];
        if (ok)
            num++;
    }
    if (!ok)
        fprintf(stderr, "xl: out of memory\n");
    ok = ok && run("add", domid, specs, num);
    free_texts(specs, num);
    return ok;
}

/* ----- what was detached ----- */

/* Appends the places of ctrl that are not in now[]; false: memory ran out. */
static bool add_lost(const libxl_device_vscsictrl *ctrl,
                     const libxl_device_vscsictrl *now, int num_now,
                     char ***places, int *num)
{
    char vdev[XL_HCTL_SIZE], **more;
    int j;

    for (j = 0; j < ctrl->num_vscsidevs; j++) {
        if (places_have(now, num_now, &ctrl->vscsidevs[j].vdev))
            continue;
        more = realloc(*places, ((size_t)*num + 1) * sizeof(*more));
        if (!more)
            return false;
        *places = more;
        xl_format_hctl(&ctrl->vscsidevs[j].vdev, vdev);
        more[*num] = strdup(vdev);
        if (!more[*num])
            return false;
        ++*num;
    }
    return true;
}

bool xl_libvirt_remove(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_vscsictrl *before, int num)
{
    libxl_device_vscsictrl *now;
    int i, num_now, num_lost = 0;
    char **lost = NULL;
    bool ok = true;

    now = libxl_device_vscsictrl_list(ctx, domid, &num_now);
    if (num_now < 0)
        return false;
    for (i = 0; ok && i < num; i++)
        ok = add_lost(&before[i], now, num_now, &lost, &num_lost);
    if (!ok)
        fprintf(stderr, "xl: out of memory\n");
    if (ok && num_lost)
        ok = run("remove", domid, lost, num_lost);
    free_texts(lost, num_lost);
    libxl_device_vscsictrl_list_free(now, num_now);
    return ok;
}
