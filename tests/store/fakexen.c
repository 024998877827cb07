/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Answers for the hypervisor, so that the distribution's own xenstored runs
 * without Xen.  Preloaded into xenstored by store.c.
 *
 * Everything shared with the test lies in the directory $FAKEXEN_DIR:
 *   ring.D    the page that xenstored shares with domain D
 *   notify.D  FIFO: a byte for every event that xenstored sends to D
 *   evtchn    FIFO: the local port (uint32_t) of every event for xenstored
 *   dead.D    exists: domain D is no more
 * No Xen header is used: the file is built once for every Xen version.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fakexen.h"

#define PAGE_BYTES 4096

/* The beginning of libxenctrl's structures, all that xenstored looks at. */
struct dominfo {                /* xc_dominfo_t, up to Xen 4.17 */
    uint32_t domid;
    uint32_t ssidref;
    uint32_t flags;
};
struct domaininfo {             /* xc_domaininfo_t */
    uint16_t domid;
    uint16_t pad;
    uint32_t flags;
};

/* libxenctrl */
void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags);
int xc_interface_close(void *xch);
int xc_domain_getinfo(void *xch, uint32_t first, unsigned max,
                      struct dominfo *info);
int xc_domain_getinfo_single(void *xch, uint32_t domid,
                             struct domaininfo *info);
/* libxenevtchn */
void *xenevtchn_open(void *logger, unsigned flags);
void *xenevtchn_fdopen(void *logger, int fd, unsigned flags);
int xenevtchn_fd(void *xce);
int xenevtchn_bind_virq(void *xce, unsigned virq);
int xenevtchn_bind_interdomain(void *xce, uint32_t domid, uint32_t port);
int xenevtchn_notify(void *xce, uint32_t port);
int xenevtchn_unbind(void *xce, uint32_t port);
int xenevtchn_unmask(void *xce, uint32_t port);
int xenevtchn_pending(void *xce);
/* libxengnttab */
void *xengnttab_open(void *logger, unsigned flags);
int xengnttab_close(void *xgt);
int xengnttab_set_max_grants(void *xgt, uint32_t num);
void *xengnttab_map_grant_ref(void *xgt, uint32_t domid, uint32_t ref,
                              int prot);
int xengnttab_unmap(void *xgt, void *page, uint32_t num);
/* libc: the files by which dom0's kernel gives its own page away */
int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
ssize_t write(int fd, const void *data, size_t size);

static int handle;              /* what every "open" returns the address of */
static int events = -1;

static int open_shared(const char *name, int flags)
{
    char path[512];
    const char *dir = getenv("FAKEXEN_DIR");
    int r;

    r = snprintf(path, sizeof(path), "%s/%s", dir ? dir : "", name);
    if (!dir || r < 0 || (size_t)r >= sizeof(path)) {
        errno = ENOENT;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}

static int open_of(const char *what, uint32_t domid, int flags)
{
    char name[64];

    snprintf(name, sizeof(name), "%s.%u", what, (unsigned)domid);
    return open_shared(name, flags);
}

static int is_alive(uint32_t domid)
{
    int fd = open_of("dead", domid, O_RDONLY);

    if (fd < 0)
        return 1;
    close(fd);
    errno = ESRCH;
    return 0;
}

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags)
{
    (void)logger, (void)dombuild_logger, (void)flags;
    return &handle;
}

int xc_interface_close(void *xch)
{
    (void)xch;
    return 0;
}

int xc_domain_getinfo(void *xch, uint32_t first, unsigned max,
                      struct dominfo *info)
{
    (void)xch;
    if (max < 1 || !is_alive(first))
        return 0;
    *info = (struct dominfo){ .domid = first };
    return 1;
}

int xc_domain_getinfo_single(void *xch, uint32_t domid,
                             struct domaininfo *info)
{
    (void)xch;
    if (!is_alive(domid))
        return -1;
    if (info)
        *info = (struct domaininfo){ .domid = (uint16_t)domid };
    return 0;
}

void *xenevtchn_open(void *logger, unsigned flags)
{
    (void)logger, (void)flags;
    events = open_shared("evtchn", O_RDWR | O_NONBLOCK);
    return events < 0 ? NULL : &handle;
}

void *xenevtchn_fdopen(void *logger, int fd, unsigned flags)
{
    (void)fd;
    return xenevtchn_open(logger, flags);
}

int xenevtchn_fd(void *xce)
{
    (void)xce;
    return events;
}

int xenevtchn_bind_virq(void *xce, unsigned virq)
{
    (void)xce, (void)virq;
    return FAKEXEN_VIRQ_PORT;
}

int xenevtchn_bind_interdomain(void *xce, uint32_t domid, uint32_t port)
{
    (void)xce, (void)port;
    return (int)(FAKEXEN_FIRST_PORT + domid);
}

int xenevtchn_notify(void *xce, uint32_t port)
{
    int fd;

    (void)xce;
    fd = open_of("notify", port - FAKEXEN_FIRST_PORT, O_WRONLY | O_NONBLOCK);
    if (fd < 0)
        return 0;               /* nobody plays this domain's kernel */
    if (write(fd, "", 1) != 1)
        errno = 0;              /* full: it has been woken already */
    close(fd);
    return 0;
}

int xenevtchn_unbind(void *xce, uint32_t port)
{
    (void)xce, (void)port;
    return 0;
}

int xenevtchn_unmask(void *xce, uint32_t port)
{
    (void)xce, (void)port;
    return 0;
}

int xenevtchn_pending(void *xce)
{
    uint32_t port;

    (void)xce;
    if (read(events, &port, sizeof(port)) != sizeof(port))
        return -1;
    return (int)port;
}

void *xengnttab_open(void *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return &handle;
}

int xengnttab_close(void *xgt)
{
    (void)xgt;
    return 0;
}

int xengnttab_set_max_grants(void *xgt, uint32_t num)
{
    (void)xgt, (void)num;
    return 0;
}

void *xengnttab_map_grant_ref(void *xgt, uint32_t domid, uint32_t ref,
                              int prot)
{
    int fd = open_of("ring", domid, O_RDWR), flags = MAP_SHARED;
    void *page;

    (void)xgt, (void)ref;
    if (fd < 0)
        flags = MAP_PRIVATE | MAP_ANONYMOUS;    /* a silent domain */
    page = mmap(NULL, PAGE_BYTES, prot, flags, fd, 0);
    if (fd >= 0)
        close(fd);
    return page == MAP_FAILED ? NULL : page;
}

int xengnttab_unmap(void *xgt, void *page, uint32_t num)
{
    (void)xgt, (void)num;
    return munmap(page, PAGE_BYTES);
}

/*
 * xenstored writes its trace piece by piece, and what it cannot print byte
 * by byte.  Lines are all that the tests look for, and are much quicker.
 */
static int trace_fd = -1;

ssize_t write(int fd, const void *data, size_t size)
{
    static char line[16384];
    static size_t used;

    if (fd < 0 || fd != trace_fd || size > sizeof(line))
        return syscall(SYS_write, fd, data, size);
    if (used + size > sizeof(line)) {
        syscall(SYS_write, fd, line, used);
        used = 0;
    }
    memcpy(line + used, data, size);
    used += size;
    if (memchr(data, '\n', size)) {
        syscall(SYS_write, fd, line, used);
        used = 0;
    }
    return (ssize_t)size;
}

static int open_trace(const char *path, int flags, mode_t mode)
{
    trace_fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    return trace_fd;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    const char *name = strrchr(path, '/');

    if (name && !strcmp(name, "/trace"))
        return open_trace(path, flags, mode);
    if (!strcmp(path, "/proc/xen/xsd_port"))
        return open_shared("xsd_port", flags);
    if (!strcmp(path, "/proc/xen/xsd_kva") ||
        !strcmp(path, "/dev/xen/xenbus"))
        return open_of("ring", 0, flags);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static mode_t mode_of(int flags, va_list ap)
{
    return (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(ap, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = mode_of(flags, ap);
    va_end(ap);
    return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = mode_of(flags, ap);
    va_end(ap);
    return open_any(path, flags | O_LARGEFILE, mode);
}
