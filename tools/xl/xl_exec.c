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
    if (XL_HOOKS[0] && !xl_preload(XL_HOOKS, argv))
        return XL_FAILURE;
    execv(xl_real, argv);
    fprintf(stderr, "xl: cannot run the distribution's xl, %s: %s\n", xl_real,
            strerror(errno));
    return XL_FAILURE;
}
