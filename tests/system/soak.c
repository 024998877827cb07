/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A toolstack that lives long: attaches and detaches a device again and
 * again, and fails if that makes it grow.
 *
 *  soak DOMID PDEV,VDEV CYCLES WARM      WARM: until all has its size
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_vscsi.h>
#include <libxlutil_vscsi.h>

static long open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    long n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    long kb = -1;

    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, "VmRSS:", 6))
            kb = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return kb;
}

static int cycle(libxl_ctx *ctx, uint32_t domid, libxl_device_vscsictrl *ctrl)
{
    int rc = libxl_device_vscsictrl_add(ctx, domid, ctrl, NULL);

    return rc ? rc : libxl_device_vscsidev_safe_remove(ctx, domid,
                                                       &ctrl->vscsidevs[0],
                                                       NULL);
}

int main(int argc, char **argv)
{
    xentoollog_logger *log = (xentoollog_logger *)
        xtl_createlogger_stdiostream(stderr, XTL_WARN, 0);
    libxl_device_vscsictrl ctrl;
    long fds = 0, kb = 0, n, cycles, warm;
    libxl_ctx *ctx = NULL;
    uint32_t domid;
    int rc;

    if (argc != 5 || !log || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, log))
        return 2;
    domid = (uint32_t)strtoul(argv[1], NULL, 10);
    cycles = strtol(argv[3], NULL, 10);
    warm = strtol(argv[4], NULL, 10);
    libxl_vscsi_set_logger(log);
    libxl_device_vscsictrl_init(&ctrl);
    if (xlu_vscsi_parse(argv[2], &ctrl, NULL))
        return 2;
    for (n = 1; n <= cycles; n++) {
        rc = cycle(ctx, domid, &ctrl);
        if (rc) {
            fprintf(stderr, "cycle %ld: %d\n", n, rc);
            return 1;
        }
        if (n == warm) {
            fds = open_files();
            kb = resident_kb();
        }
    }
    printf("%ld cycles: %ld open files, %ld at first; %ld kB, %ld at first\n",
           cycles, open_files(), fds, resident_kb(), kb);
    /* The allocator's own ups and downs are within some pages. */
    return cycles > warm && (open_files() > fds || resident_kb() > kb + 64);
}
