/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl: the distribution's xl, which does everything that is not ours. */
#include <errno.h>
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

int xl_exec_real(char **argv)
{
    if (!xl_check_real())
        return XL_FAILURE;
    if (!only_looks(argv))
        preload_hooks();
    execv(xl_real, argv);
    fprintf(stderr, "xl: cannot run the distribution's xl, %s: %s\n", xl_real,
            strerror(errno));
    return XL_FAILURE;
}
