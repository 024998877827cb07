/* SPDX-License-Identifier: LGPL-2.1-only */
/* What backend devices dom0's kernel has. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "backends.h"

#ifndef BACKENDS
#define BACKENDS "/sys/bus/xen-backend/devices"
#endif

bool backends_any(void)
{
    static const char prefix[] = "vscsi-";
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    dir = opendir(BACKENDS);
    if (!dir)
        return errno != ENOENT;
    while (!found && (entry = readdir(dir)))
        found = !strncmp(entry->d_name, prefix, sizeof(prefix) - 1);
    closedir(dir);
    return found;
}
