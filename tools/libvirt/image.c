/* SPDX-License-Identifier: LGPL-2.1-only */
/* A managed save image that libvirt has unlinked, and has open still. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook.h"

#ifndef PROCFS
#define PROCFS "/proc"
#endif

#define DELETED " (deleted)"

/* Is it "/.../save/NAME.save (deleted)"?  Then without the end. */
static bool is_image(char *path, const char *name)
{
    size_t length = strlen(path), end = sizeof(DELETED) - 1;
    const char *base;

    if (length <= end || strcmp(path + length - end, DELETED))
        return false;
    path[length - end] = '\0';
    base = strrchr(path, '/');
    return base && !strncmp(base + 1, name, strlen(name)) &&
           !strcmp(base + 1 + strlen(name), ".save");
}

static bool copy(int from, int to)
{
    char buf[65536];
    ssize_t r, done, w;

    while ((r = read(from, buf, sizeof(buf))) != 0) {
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return false;
        for (done = 0; done < r; done += w) {
            w = write(to, buf + done, (size_t)(r - done));
            if (w < 0 && errno == EINTR)
                w = 0;
            else if (w < 0)
                return false;
        }
    }
    return !fsync(to);
}

/* It gets its name when it is whole, and never that of another. */
static bool put_back(const char *from_path, const char *path)
{
    int from = -1, to = -1, error = 0;
    char *part = NULL;
    bool ok = false;

    if (asprintf(&part, "%s.XXXXXX", path) < 0)
        part = NULL;
    from = open(from_path, O_RDONLY | O_CLOEXEC);
    if (part && from >= 0)
        to = mkostemp(part, O_CLOEXEC);
    if (to >= 0)
        ok = copy(from, to) && !link(part, path);
    if (!ok)
        error = errno;
    if (to >= 0) {
        unlink(part);
        close(to);
    }
    if (from >= 0)
        close(from);
    free(part);
    if (ok || error == EEXIST)
        return true;
    say("the managed save image %s could not be put back: %s", path,
        strerror(error));
    return false;
}

void image_put_back(const char *name)
{
    char dir[64], from[sizeof(dir) + 300], path[4096];
    struct dirent *entry;
    bool done = false;
    ssize_t length;
    DIR *fds;

    snprintf(dir, sizeof(dir), PROCFS "/%d/fd", (int)getppid());
    fds = opendir(dir);
    while (fds && !done && (entry = readdir(fds))) {
        snprintf(from, sizeof(from), "%s/%s", dir, entry->d_name);
        length = readlink(from, path, sizeof(path) - 1);
        if (length <= 0)
            continue;
        path[length] = '\0';
        if (is_image(path, name)) {
            put_back(from, path);
            done = true;
        }
    }
    if (fds)
        closedir(fds);
}
