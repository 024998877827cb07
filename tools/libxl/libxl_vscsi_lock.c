/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One change at a time.  One file for all locks: each domain has the byte
 * of its number in it, so nothing is left to clean up when a domain goes.
 * The locks belong to the open file, so threads exclude each other too,
 * and the kernel drops them with the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libxl_vscsi_internal.h"

#define LOCK_POLL_MS 10

/* Nobody else has a name for it, or can open it and hold our locks. */
static bool is_ours_alone(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
           st->st_nlink == 1 && !(st->st_mode & (S_IRWXG | S_IRWXO));
}

/* Opening it must not wait (for the other end of a FIFO), nor follow a
 * link. */
static int open_lock_file(libxl__vscsi_ctx *vc)
{
    struct stat st;
    int fd;

    fd = open(vc->lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
              O_NONBLOCK, 0600);
    if (fd < 0) {
        libxl__vscsi_error(vc, "cannot open the lock file %s: %s%s",
                           vc->lock_file, strerror(errno),
                           geteuid() ? " (only root may; try sudo)" : "");
        return -1;
    }
    if (fstat(fd, &st) || !is_ours_alone(&st)) {
        libxl__vscsi_error(vc, "%s is not a file of ours alone (remove it)",
                           vc->lock_file);
        close(fd);
        return -1;
    }
    return fd;
}

int libxl__vscsi_lock(libxl__vscsi_ctx *vc, uint32_t which, int *lock_r)
{
    uint64_t end = libxl__vscsi_now_ms() + vc->timeouts.lock_ms;
    struct flock range = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = (off_t)which,
        .l_len = 1,
    };
    bool said = false;
    int fd;

    fd = open_lock_file(vc);
    if (fd < 0)
        return ERROR_LOCK_FAIL;

    while (fcntl(fd, F_OFD_SETLK, &range)) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            libxl__vscsi_error(vc, "cannot lock %s: %s", vc->lock_file,
                               strerror(errno));
            close(fd);
            return ERROR_LOCK_FAIL;
        }
        if (libxl__vscsi_now_ms() >= end) {
            libxl__vscsi_error(vc, "another SCSI operation has been running "
                               "for %u seconds (wait for it, or end it)",
                               vc->timeouts.lock_ms / 1000);
            close(fd);
            return ERROR_LOCK_FAIL;
        }
        if (!said)
            libxl__vscsi_log(vc, XTL_DETAIL,
                             "waiting for another SCSI operation");
        said = true;
        libxl__vscsi_pause(LOCK_POLL_MS);
    }
    *lock_r = fd;
    return 0;
}

void libxl__vscsi_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
