/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl: the distribution's xl, which does everything that is not ours. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xl_exec.h"

#ifndef XL_REAL
#define XL_REAL "/usr/sbin/xl"
#endif
/* What is preloaded into it; empty: nothing. */
#ifndef XL_HOOKS
#define XL_HOOKS ""
#endif

/* What Debian's script of that name looks at: its own link's target, the
 * release of Xen that runs, and where that one's programs are. */
#ifndef XL_WRAPPER
#define XL_WRAPPER "xen-utils-wrapper"
#endif
#ifndef XL_RELEASE
#define XL_RELEASE "/sys/hypervisor/version"
#endif
#ifndef XL_PROGRAMS
#define XL_PROGRAMS "/usr/lib/xen-%s/bin/xl"
#endif

const char xl_real[] = XL_REAL;

static bool is_this_program(const char *path)
{
    struct stat self, other;

    return !stat("/proc/self/exe", &self) && !stat(path, &other) &&
           self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

/* Before what the environment has of these already. */
static void preload_hooks(void)
{
    const char *others = getenv("LD_PRELOAD");
    char *list;

    if (!XL_HOOKS[0])
        return;
    if (access(XL_HOOKS, R_OK)) {
        fprintf(stderr, "xl: cannot preload %s: %s; vscsi= and the SCSI"
                " devices of domains are not handled\n", XL_HOOKS,
                strerror(errno));
        return;
    }
    if (asprintf(&list, "%s%s%s", XL_HOOKS, others && others[0] ? ":" : "",
                 others ? others : "") < 0 ||
        setenv("LD_PRELOAD", list, 1))
        fprintf(stderr, "xl: out of memory; vscsi= and the SCSI devices of"
                " domains are not handled\n");
}

/* Commands that look and call nothing of what the hooks stand before; with
 * an option, as list -l, they may. */
static bool only_looks(char **argv)
{
    static const char *const commands[] = {
        "list", "info", "vcpu-list", "domid", "domname", "uptime", "dmesg",
        "block-list", "network-list", "cpupool-list",
    };
    size_t i;

    if (!argv[0] || !argv[1])
        return false;
    for (i = 2; argv[i]; i++)
        if (argv[i][0] == '-')
            return false;
    for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(argv[1], commands[i]))
            return true;
    return false;
}

bool xl_check_real(void)
{
    if (!is_this_program(xl_real))
        return true;
    fprintf(stderr, "xl: %s, which should be the distribution's xl, is this"
            " program itself; reinstall the distribution's xen-utils"
            " package\n", xl_real);
    return false;
}

/* ----- what Debian's wrapper would start ----- */

static bool is_wrapper(const char *path)
{
    char to[PATH_MAX];
    ssize_t len = readlink(path, to, sizeof(to) - 1);
    const char *name;

    if (len < 0)
        return false;
    to[len] = '\0';
    name = strrchr(to, '/');
    return !strcmp(name ? name + 1 : to, XL_WRAPPER);
}

/* "4" or "17" */
static bool read_number(const char *path, char *text_r, size_t size)
{
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(text_r, (int)size, f);

    if (f)
        fclose(f);
    if (!ok)
        return false;
    text_r[strcspn(text_r, "\n")] = '\0';
    return text_r[0] && !text_r[strspn(text_r, "0123456789")];
}

/*
 * Debian's xl is a script that starts the one of the release that runs; the
 * shell for it takes five times as long as finding that here.  Whatever is
 * not as expected is left to the script, which says what is wrong.
 */
static void exec_without_wrapper(char **argv)
{
    char major[16], minor[16], release[40], path[PATH_MAX], *name = argv[0];

    if (!is_wrapper(xl_real) ||
        !read_number(XL_RELEASE "/major", major, sizeof(major)) ||
        !read_number(XL_RELEASE "/minor", minor, sizeof(minor)))
        return;
    snprintf(release, sizeof(release), "%s.%s", major, minor);
    snprintf(path, sizeof(path), XL_PROGRAMS, release);
    argv[0] = path;             /* as the script calls it */
    execv(path, argv);
    argv[0] = name;
}

int xl_exec_real(char **argv)
{
    if (!xl_check_real())
        return XL_FAILURE;
    if (!only_looks(argv))
        preload_hooks();
    exec_without_wrapper(argv);
    execv(xl_real, argv);
    fprintf(stderr, "xl: cannot run the distribution's xl, %s: %s\n", xl_real,
            strerror(errno));
    return XL_FAILURE;
}
