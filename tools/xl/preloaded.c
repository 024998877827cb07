/* SPDX-License-Identifier: LGPL-2.1-only */
/* What an object that is preloaded into a program needs to know first. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preloaded.h"

bool preloaded_into(const char *program)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    const char *base;

    if (len <= 0)
        return false;
    path[len] = '\0';
    base = strrchr(path, '/');
    return !strcmp(base ? base + 1 : path, program);
}

void preloaded_leave(const void *symbol)
{
    const char *list = getenv("LD_PRELOAD");
    char *rest, *out, *end, *word, *state = NULL;
    Dl_info self;

    if (!list || !dladdr(symbol, &self) || !self.dli_fname)
        return;
    rest = strdup(list);
    out = calloc(1, strlen(list) + 1);
    if (!rest || !out)
        goto out;
    end = out;
    for (word = strtok_r(rest, ": ", &state); word;
         word = strtok_r(NULL, ": ", &state)) {
        if (!strcmp(word, self.dli_fname))
            continue;
        if (end != out)
            *end++ = ':';
        end = stpcpy(end, word);
    }
    if (out[0])
        setenv("LD_PRELOAD", out, 1);
    else
        unsetenv("LD_PRELOAD");
out:
    free(rest);
    free(out);
}
