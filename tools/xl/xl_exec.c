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

/* What Debian's script of that name looks at, beside the release of Xen that
 * runs: its own link's target, and where that release's programs are. */
#ifndef XL_WRAPPER
#define XL_WRAPPER "xen-utils-wrapper"
#endif
#ifndef XL_PROGRAMS
#define XL_PROGRAMS "/usr/lib/xen-%s/bin/xl"
#endif

/* What is preloaded into it; empty: nothing. */
#ifndef XL_HOOKS
#define XL_HOOKS ""
#endif

const char xl_real[] = XL_REAL;

static bool is_this_program(const char *path)
{
    struct stat self, other;

    return !stat("/proc/self/exe", &self) && !stat(path, &other) &&
           self.st_dev == other.st_dev && self.st_ino == other.st_ino;
}

/* ----- the release of Xen ----- */

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

const char *xl_running_release(void)
{
    static char release[40];
    char major[16], minor[16];

    if (!release[0] &&
        read_number(XL_RELEASE "/major", major, sizeof(major)) &&
        read_number(XL_RELEASE "/minor", minor, sizeof(minor)))
        snprintf(release, sizeof(release), "%s.%s", major, minor);
    return release[0] ? release : NULL;
}

bool xl_find_ours(const char *pattern, char *path_r, size_t size)
{
    const char *at = strstr(pattern, "%s"), *release;

    if (!at) {
        snprintf(path_r, size, "%s", pattern);
        return true;
    }
    release = xl_running_release();
    if (!release)
        return false;
    snprintf(path_r, size, "%.*s%s%s", (int)(at - pattern), pattern, release,
             at + 2);
    return true;
}

void xl_say_not_there(const char *pattern)
{
    fprintf(stderr, "%s", strerror(errno));
    if (errno == ENOENT && strstr(pattern, "%s"))
        fprintf(stderr, ", so PVSCSI for Xen %s, which runs here, is not"
                " installed; install xen-vscsi-%s", xl_running_release(),
                xl_running_release());
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

/*
 * Debian's xl is a script that starts the one of the release that runs; the
 * shell for it takes five times as long as finding that here, and it does not
 * find it under another name, which a package gives it that stands in its
 * place.  Where no such release is there, the script says what is wrong.
 * False if the one that is there cannot be run, which has been said.
 */
static bool exec_without_wrapper(char **argv)
{
    const char *release = is_wrapper(xl_real) ? xl_running_release() : NULL;
    char path[PATH_MAX], *name = argv[0];

    if (!release)
        return true;
    snprintf(path, sizeof(path), XL_PROGRAMS, release);
    argv[0] = path;             /* as the script calls it */
    execv(path, argv);
    argv[0] = name;
    if (errno == ENOENT || errno == ENOTDIR)
        return true;
    fprintf(stderr, "xl: cannot run %s: %s\n", path, strerror(errno));
    return false;
}

int xl_exec_real(char **argv)
{
    if (!xl_check_real())
        return XL_FAILURE;
    if (XL_HOOKS[0] && !only_looks(argv) && !xl_preload(XL_HOOKS, argv))
        return XL_FAILURE;
    if (!exec_without_wrapper(argv))
        return XL_FAILURE;
    execv(xl_real, argv);
    fprintf(stderr, "xl: cannot run the distribution's xl, %s: %s\n", xl_real,
            strerror(errno));
    return XL_FAILURE;
}
