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
/* Beyond the bytes of all domains. */
#define TURNS ((off_t)1 << 32)

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

static struct flock byte_at(off_t start, short type)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1,
    };
}

/* Until end_ms. */
static int take_byte(libxl__vscsi_ctx *vc, int fd, off_t start,
                     uint64_t end_ms)
{
    struct flock range = byte_at(start, F_WRLCK);
    bool said = false;

    while (fcntl(fd, F_OFD_SETLK, &range)) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            libxl__vscsi_error(vc, "cannot lock %s: %s", vc->lock_file,
                               strerror(errno));
            return ERROR_LOCK_FAIL;
        }
        if (libxl__vscsi_now_ms() >= end_ms) {
            libxl__vscsi_error(vc, "another SCSI operation has been running "
                               "for %u seconds (wait for it, or end it)",
                               vc->timeouts.lock_ms / 1000);
            return ERROR_LOCK_FAIL;
        }
        if (!said)
            libxl__vscsi_log(vc, XTL_DETAIL,
                             "waiting for another SCSI operation");
        said = true;
        libxl__vscsi_pause(LOCK_POLL_MS);
    }
    return 0;
}

/*
 * Who waits has the turn meanwhile, a byte of its own, without which nobody
 * takes the lock: one that gives it up and wants it again at once would
 * always be quicker than those that look only now and then.
 */
int libxl__vscsi_lock(libxl__vscsi_ctx *vc, uint32_t which, int *lock_r)
{
    uint64_t end = libxl__vscsi_now_ms() + vc->timeouts.lock_ms;
    off_t turn = TURNS + (off_t)which;
    struct flock over = byte_at(turn, F_UNLCK);
    int fd, rc;

    fd = open_lock_file(vc);
    if (fd < 0)
        return ERROR_LOCK_FAIL;
    rc = take_byte(vc, fd, turn, end);
    if (!rc)
        rc = take_byte(vc, fd, (off_t)which, end);
    if (!rc && fcntl(fd, F_OFD_SETLK, &over)) {
        libxl__vscsi_error(vc, "cannot unlock %s: %s", vc->lock_file,
                           strerror(errno));
        rc = ERROR_LOCK_FAIL;
    }
    if (rc)
        close(fd);
    else
        *lock_r = fd;
    return rc;
}

void libxl__vscsi_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
