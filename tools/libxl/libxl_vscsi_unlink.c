/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Removing the links of LUNs, for which the kernel waits until the last
 * command to each has come back: a tape may take minutes, and nothing ends
 * such a wait.  So each is removed by a process that can be left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libxl_vscsi_lio.h"

/* To be able to say so. */
#define LOOK_AFTER_MS 200

typedef struct answer {
    unsigned i;
    int r, medium_r;
} answer;

/* ----- in the process ----- */

/* All but two. */
static void close_others(int a, int b)
{
    unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

    if (low > 0)
        close_range(0, low - 1, 0);
    if (high > low + 1)
        close_range(low + 1, high - 1, 0);
    close_range(high + 1, UINT_MAX, 0);
}

/* Nobody has waited: what is left to be done is done by who cleans up. */
static void clean_up(const char *cleaner)
{
    char *const argv[] = { (char *)(uintptr_t)cleaner,
                           (char *)(uintptr_t)"scsi-cleanup", NULL };

    close_range(0, UINT_MAX, 0);
    if (open("/dev/null", O_RDWR) || dup(0) != 1 || dup(0) != 2)
        return;
    execv(cleaner, argv);
}

/* Only what is allowed after a fork() beside other threads. */
static _Noreturn void run(const libxl__vscsi_unlinking *u,
                          const char *cleaner, unsigned i, int to)
{
    answer a = { .i = i };

    setsid();                   /* the terminal's Ctrl-C is not for it */
    signal(SIGPIPE, SIG_IGN);
    close_others(to, u->lock);
    if (unlink(u->path) && errno != ENOENT)
        a.r = errno;
    /* No guest can reach it now, and nobody else gets it yet. */
    if (!a.r && u->medium)
        a.medium_r = libxl__vscsi_free_medium(u->medium);
    if (write(to, &a, sizeof(a)) != sizeof(a) && cleaner)
        clean_up(cleaner);
    _exit(0);
}

/* ----- in ours ----- */

/* By way of another one that ends at once, so that nobody has to wait for
 * it.  0 or an errno. */
static int start(libxl__vscsi_ctx *vc, const libxl__vscsi_unlinking *u,
                 unsigned i, int to)
{
    pid_t pid = fork(), done;
    int status = 0;

    if (pid < 0)
        return errno;
    if (!pid) {
        pid = fork();
        if (!pid)
            run(u, vc->cleaner, i, to);
        _exit(pid < 0);
    }
    do {
        done = waitpid(pid, &status, 0);
    } while (done < 0 && errno == EINTR);
    /* A handler of the application's may have been quicker. */
    return done == pid && status ? EAGAIN : 0;
}

/* False if no more comes. */
static bool take_answer(libxl__vscsi_ctx *vc, libxl__vscsi_unlinking *list,
                        unsigned num, int from, uint64_t end_ms)
{
    uint64_t since = libxl__vscsi_now_ms(), now = since;
    struct pollfd p = { .fd = from, .events = POLLIN };
    answer a;
    int r;

    do {
        libxl__vscsi_say_waiting(vc, since, end_ms, "waiting for commands of "
                                 "the guest to come back, seconds");
        r = poll(&p, 1, now >= end_ms ? 0
                        : end_ms - now > LOOK_AFTER_MS ? LOOK_AFTER_MS
                                                       : (int)(end_ms - now));
        now = libxl__vscsi_now_ms();
    } while (!r && now < end_ms);
    if (r < 0)
        return errno == EINTR;
    if (!r || read(from, &a, sizeof(a)) != sizeof(a) || a.i >= num)
        return false;
    list[a.i].over = true;
    list[a.i].r = a.r;
    list[a.i].medium_r = a.medium_r;
    return true;
}

void libxl__vscsi_unlink_luns(libxl__vscsi_ctx *vc,
                              libxl__vscsi_unlinking *list, unsigned num,
                              uint64_t end_ms)
{
    unsigned i, running = 0;
    int fds[2], r;

    r = pipe2(fds, O_CLOEXEC) ? errno : 0;
    for (i = 0; i < num; i++) {
        list[i].over = !list[i].path;
        list[i].r = 0;
        if (list[i].over)
            continue;
        if (!r)
            list[i].r = start(vc, &list[i], i, fds[1]);
        else
            list[i].r = r;
        list[i].over = list[i].r != 0;
        running += !list[i].over;
    }
    if (r)
        return;
    close(fds[1]);
    while (running && take_answer(vc, list, num, fds[0], end_ms)) {
        running = 0;
        for (i = 0; i < num; i++)
            running += !list[i].over;
    }
    close(fds[0]);
}
