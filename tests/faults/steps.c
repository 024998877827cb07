/* SPDX-License-Identifier: LGPL-2.1-only */
/* Calls that are steps; see steps.h. */
#include "steps.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenstore.h>

static __thread struct {
    steps_hook *hook;
    bool on, in_hook;
    unsigned num, requests;
} steps;

static char configfs[PATH_MAX];

void steps_set_configfs(const char *root)
{
    snprintf(configfs, sizeof(configfs), "%s", root ? root : "");
}

void steps_begin(steps_hook *hook)
{
    steps.hook = hook;
    steps.num = steps.requests = 0;
    steps.on = true;
}

unsigned steps_end(unsigned *requests_r)
{
    steps.on = false;
    if (requests_r)
        *requests_r = steps.requests;
    return steps.num;
}

static void call_hook(bool done)
{
    if (!steps.hook)
        return;
    steps.in_hook = true;
    steps.hook(steps.num, done);
    steps.in_hook = false;
}

/* Whether it is a step. */
static bool before(bool is_request)
{
    if (!steps.on || steps.in_hook)
        return false;
    steps.num++;
    steps.requests += is_request;
    call_hook(false);
    return true;
}

static void after(bool is_step)
{
    int saved = errno;

    if (is_step)
        call_hook(true);
    errno = saved;
}

/* ----- xenstore ----- */

/* NAME(args) of type, to be found as __wrap_NAME and __real_NAME. */
#define WRAP(is_request, type, name, params, args)                      \
    type __real_##name params;                                          \
    type __wrap_##name params;                                          \
    type __wrap_##name params                                           \
    {                                                                   \
        bool is_step = before(is_request);                              \
        type result = __real_##name args;                               \
                                                                        \
        after(is_step);                                                 \
        return result;                                                  \
    }

WRAP(true, char **, xs_directory, (struct xs_handle *h, xs_transaction_t t,
     const char *path, unsigned *num), (h, t, path, num))
WRAP(true, void *, xs_read, (struct xs_handle *h, xs_transaction_t t,
     const char *path, unsigned *len), (h, t, path, len))
WRAP(true, bool, xs_write, (struct xs_handle *h, xs_transaction_t t,
     const char *path, const void *data, unsigned len),
     (h, t, path, data, len))
WRAP(true, bool, xs_mkdir, (struct xs_handle *h, xs_transaction_t t,
     const char *path), (h, t, path))
WRAP(true, bool, xs_rm, (struct xs_handle *h, xs_transaction_t t,
     const char *path), (h, t, path))
WRAP(true, struct xs_permissions *, xs_get_permissions,
     (struct xs_handle *h, xs_transaction_t t, const char *path,
     unsigned *num_r), (h, t, path, num_r))
WRAP(true, bool, xs_set_permissions, (struct xs_handle *h,
     xs_transaction_t t, const char *path, struct xs_permissions *perms,
     unsigned num), (h, t, path, perms, num))
WRAP(true, bool, xs_watch, (struct xs_handle *h, const char *path,
     const char *token), (h, path, token))
WRAP(true, xs_transaction_t, xs_transaction_start, (struct xs_handle *h),
     (h))
WRAP(true, bool, xs_transaction_end, (struct xs_handle *h,
     xs_transaction_t t, bool abort), (h, t, abort))

/* ----- configfs ----- */

static bool is_inside(const char *path)
{
    size_t len = strlen(configfs);

    return len && !strncmp(path, configfs, len);
}

#define WRAP_PATH(name, params, args, path)                             \
    int __real_##name params;                                           \
    int __wrap_##name params;                                           \
    int __wrap_##name params                                            \
    {                                                                   \
        bool is_step = is_inside(path) && before(false);                \
        int result = __real_##name args;                                \
                                                                        \
        after(is_step);                                                 \
        return result;                                                  \
    }

WRAP_PATH(mkdir, (const char *path, mode_t mode), (path, mode), path)
WRAP_PATH(rmdir, (const char *path), (path), path)
WRAP_PATH(unlink, (const char *path), (path), path)
WRAP_PATH(symlink, (const char *to, const char *path), (to, path), path)

static bool is_inside_fd(int fd)
{
    char link[64], path[PATH_MAX];
    ssize_t len;

    if (!steps.on)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    return is_inside(path);
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    bool is_step = is_inside_fd(fd) && before(false);
    ssize_t done = __real_write(fd, data, size);

    after(is_step);
    return done;
}
