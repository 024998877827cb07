/* SPDX-License-Identifier: LGPL-2.1-only */
/* A sysfs in a temporary folder; see fakesys.h. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakesys.h"

#define DEVICES "devices/pci/%s"
#define MAX_NODES 4096

char fakesys_root[64], fakesys_said[4096];
static char devfs[80];
libxl__vscsi_ctx fakesys_vc;

/* The number of a node is its place here. */
static struct { char name[64]; bool block; } nodes[MAX_NODES];
static unsigned num_nodes;
static struct { const char *link, *node; } links[8];

__attribute__((format(printf, 5, 0)))
static void keep_message(xentoollog_logger *lg, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list al)
{
    size_t len = strlen(fakesys_said);

    (void)lg, (void)errnoval, (void)context;
    if (level >= XTL_WARN)
        vsnprintf(fakesys_said + len, sizeof(fakesys_said) - len, format,
                  al);
}

static void no_progress(xentoollog_logger *lg, const char *context,
                        const char *what, int percent, unsigned long done,
                        unsigned long total)
{
    (void)lg, (void)context, (void)what, (void)percent, (void)done;
    (void)total;
}

static void no_destroy(xentoollog_logger *lg) { (void)lg; }

static xentoollog_logger keeper = { keep_message, no_progress, no_destroy };

/* ----- files ----- */

static void path_of(char path[512], const char *name)
{
    snprintf(path, 512, "%s/%s", fakesys_root, name);
}

/* All directories above it. */
static void make_parents(char *path)
{
    char *s;

    for (s = path + strlen(fakesys_root) + 1; (s = strchr(s, '/')); s++) {
        *s = '\0';
        mkdir(path, 0755);
        *s = '/';
    }
}

static void write_file(const char *name, const void *text, size_t len)
{
    char path[512];
    int fd;

    path_of(path, name);
    make_parents(path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

void fakesys_write(const char *path, const char *text)
{
    write_file(path, text, strlen(text));
}

static void write_attr(const char *hctl, const char *attr, const char *text)
{
    char path[256], line[256];

    if (!text)
        return;
    snprintf(path, sizeof(path), DEVICES "/%s", hctl, attr);
    snprintf(line, sizeof(line), "%s\n", text);
    fakesys_write(path, line);
}

static void write_serial(const char *hctl, const char *serial)
{
    unsigned char page[260] = { 0, 0x80, 0, 0 };
    char path[256];
    size_t len;

    if (!serial)
        return;
    len = strlen(serial);
    page[3] = (unsigned char)len;
    memcpy(page + 4, serial, len);
    snprintf(path, sizeof(path), DEVICES "/vpd_pg80", hctl);
    write_file(path, page, len + 4);
}

/* ----- devices ----- */

static void add_node(const char *path, bool block)
{
    char link[512], to[256], uevent[128], file[256];
    const char *name = strrchr(path, '/') + 1;

    assert_true(num_nodes < MAX_NODES);
    snprintf(nodes[num_nodes].name, sizeof(nodes[0].name), "/dev/%s", name);
    nodes[num_nodes].block = block;
    snprintf(to, sizeof(to), "dev/%s/8:%u", block ? "block" : "char",
             num_nodes);
    path_of(link, to);
    make_parents(link);
    snprintf(to, sizeof(to), "../../devices/%s", path);
    assert_int_equal(symlink(to, link), 0);
    snprintf(uevent, sizeof(uevent), "MAJOR=8\nMINOR=%u\nDEVNAME=%s\nX=y\n",
             num_nodes, name);
    snprintf(file, sizeof(file), "devices/%s/uevent", path);
    fakesys_write(file, uevent);
    num_nodes++;
}

void fakesys_add_other(const char *path)
{
    add_node(path, strstr(path, "block") != NULL);
}

void fakesys_add(const fakesys_device *d)
{
    char link[512], to[256];

    write_attr(d->hctl, "type", d->type);
    write_attr(d->hctl, "vendor", d->vendor);
    write_attr(d->hctl, "model", d->model);
    write_attr(d->hctl, "wwid", d->wwid);
    write_attr(d->hctl, "state", d->state ? d->state : "running");
    write_serial(d->hctl, d->serial);
    snprintf(to, sizeof(to), "bus/scsi/devices/%s", d->hctl);
    path_of(link, to);
    make_parents(link);
    snprintf(to, sizeof(to), "../../../" DEVICES, d->hctl);
    assert_int_equal(symlink(to, link), 0);
    if (d->node) {
        snprintf(to, sizeof(to), "pci/%s/%s", d->hctl, d->node);
        add_node(to, !strncmp(d->node, "block", 5));
    }
    if (d->sg) {
        snprintf(to, sizeof(to), "pci/%s/scsi_generic/%s", d->hctl, d->sg);
        add_node(to, false);
    }
}

void fakesys_add_usb(const fakesys_device *d, const char *serial)
{
    static unsigned plugged;
    char link[512], to[256], port[32], file[256];

    snprintf(port, sizeof(port), "usb/%u", plugged++);
    snprintf(file, sizeof(file), "devices/%s/if/bInterfaceNumber", port);
    fakesys_write(file, "00\n");
    if (serial) {
        snprintf(file, sizeof(file), "devices/%s/serial", port);
        fakesys_write(file, serial);
    }
    snprintf(file, sizeof(file), "devices/%s/if/host/target/%s/uevent", port,
             d->hctl);
    fakesys_write(file, "");
    snprintf(to, sizeof(to), DEVICES, d->hctl);
    path_of(link, to);
    make_parents(link);
    snprintf(to, sizeof(to), "../%s/if/host/target/%s", port, d->hctl);
    assert_int_equal(symlink(to, link), 0);
    fakesys_add(d);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_all(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void fakesys_remove(const char *hctl)
{
    char path[512], name[128];

    snprintf(name, sizeof(name), "bus/scsi/devices/%s", hctl);
    path_of(path, name);
    assert_int_equal(unlink(path), 0);
    snprintf(name, sizeof(name), DEVICES, hctl);
    path_of(path, name);
    remove_all(path);
}

/* As udev makes them: from /dev/disk/by-id to ../../sdb. */
static void write_link(const char *link, const char *node)
{
    char path[512], to[64];

    path_of(path, link + 1);
    unlink(path);
    if (!node || !strchr(link + strlen("/dev/"), '/'))
        return;
    snprintf(to, sizeof(to), "../../%s", node + strlen("/dev/"));
    make_parents(path);
    assert_int_equal(symlink(to, path), 0);
}

void fakesys_link(const char *link, const char *node)
{
    unsigned i;

    write_link(link, node);

    for (i = 0; links[i].link && strcmp(links[i].link, link); i++)
        assert_true(i + 1 < VSCSI_ARRAY_SIZE(links));
    links[i].link = link;
    links[i].node = node;
}

int fakesys_set_up(void **state)
{
    (void)state;
    snprintf(fakesys_root, sizeof(fakesys_root), "/tmp/fakesys.XXXXXX");
    if (!mkdtemp(fakesys_root))
        return -1;
    fakesys_write("bus/scsi/devices/host0", "");
    memset(&fakesys_vc, 0, sizeof(fakesys_vc));
    memset(links, 0, sizeof(links));
    num_nodes = 1;
    fakesys_vc.lg = &keeper;
    fakesys_vc.sysfs = fakesys_root;
    snprintf(devfs, sizeof(devfs), "%s/dev", fakesys_root);
    fakesys_vc.devfs = devfs;
    fakesys_said[0] = '\0';
    return 0;
}

int fakesys_tear_down(void **state)
{
    (void)state;
    free(fakesys_vc.object);
    remove_all(fakesys_root);
    return 0;
}

/* ----- nodes ----- */

int stat(const char *path, struct stat *st)
{
    const char *node = path;
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(links) && links[i].link; i++)
        if (!strcmp(links[i].link, path))
            node = links[i].node ? links[i].node : "/dev/gone";
    /* The newest of its name: it may have been plugged again. */
    for (i = num_nodes; i-- > 1; ) {
        if (strcmp(nodes[i].name, node))
            continue;
        memset(st, 0, sizeof(*st));
        st->st_mode = nodes[i].block ? S_IFBLK : S_IFCHR;
        st->st_rdev = makedev(8, i);
        return 0;
    }
    return fstatat(AT_FDCWD, path, st, 0);
}
