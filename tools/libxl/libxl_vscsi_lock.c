/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One change at a time.  One file for all locks: each has a range of bytes
 * of its own in it, so nothing is left to clean up when a domain goes.  The
 * locks belong to the open file, so threads exclude each other too, and the
 * kernel drops them with the process.
 *
 * Who holds a lock, and since when, is told by its length, which the kernel
 * shows to whoever asks: nothing of that has to be written anywhere, where
 * it could be left behind.
 *
 * The file is empty as long as locks may be held in one of the same name that
 * was removed.  Only until then is /proc/locks read, which makes the kernel
 * wait some 10 ms for all of its processors.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "libxl_vscsi_ctx.h"

#define LOCK_POLL_MS 10

/* 63 bits of a position: the lock, who waits for it, and the two that its
 * length is made of. */
#define PID_BITS 22
#define SINCE_BITS 18           /* seconds, over and over: three days */
#define LENGTH_BITS (PID_BITS + SINCE_BITS)
#define WHICH_BITS 22
#define LOW(value, bits) ((uint64_t)(value) & (((uint64_t)1 << (bits)) - 1))
/* Whose turn it is to take the lock next. */
#define TURN ((uint64_t)1 << WHICH_BITS)

typedef struct holder {
    bool there;
    uint64_t length;
} holder;

/* ----- the file ----- */

/* Nobody else has a name for it, or can open it and hold our locks. */
static bool is_ours_alone(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
           st->st_nlink == 1 && !(st->st_mode & (S_IRWXG | S_IRWXO));
}

/* Whether the path still leads to what is open. */
static bool is_in_place(libxl__vscsi_ctx *vc, int fd)
{
    struct stat ours, now;

    return !fstat(fd, &ours) && !lstat(vc->lock_file, &now) &&
           ours.st_dev == now.st_dev && ours.st_ino == now.st_ino;
}

/* Opening it must not wait (for the other end of a FIFO), nor follow a
 * link. */
static int open_lock_file(libxl__vscsi_ctx *vc)
{
    struct stat st = { .st_nlink = 1 };
    int fd;

    do {
        fd = open(vc->lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
                  O_NONBLOCK, 0600);
        if (fd < 0) {
            libxl__vscsi_error(vc, "cannot open the lock file %s: %s%s",
                               vc->lock_file, strerror(errno),
                               geteuid() ? " (only root may; try sudo)"
                                         : "");
            return -1;
        }
        if (!fstat(fd, &st) && is_ours_alone(&st))
            return fd;
        close(fd);
    } while (!st.st_nlink);     /* removed since it was opened */
    libxl__vscsi_error(vc, "%s is not a file of ours alone (remove it)",
                       vc->lock_file);
    return -1;
}

/* ----- one range ----- */

static struct flock range_of(uint64_t key, uint64_t length, short type)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET,
        .l_start = (off_t)(key << LENGTH_BITS), .l_len = (off_t)length,
    };
}

static uint64_t seconds_since_boot(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec;
}

static uint64_t length_of_ours(void)
{
    return 1 + (LOW(seconds_since_boot(), SINCE_BITS) << PID_BITS |
                LOW(getpid(), PID_BITS));
}

/* "7: OFDLCK ADVISORY  WRITE -1 00:1a:4711 START END": in another file of the
 * file system where ours is? */
static bool parse_lock_line(char *line, const struct stat *st,
                            uint64_t *start_r, uint64_t *length_r)
{
    char dev[32], *word, *words[8], *save, *inode;
    uint64_t number, first, last;
    unsigned num = 0;

    for (word = strtok_r(line, " \n", &save); word && num < 8;
         word = strtok_r(NULL, " \n", &save))
        words[num++] = word;
    if (num != 8 || strcmp(words[1], "OFDLCK"))
        return false;
    snprintf(dev, sizeof(dev), "%02x:%02x:", major(st->st_dev),
             minor(st->st_dev));
    if (strncmp(words[5], dev, strlen(dev)))
        return false;
    inode = words[5] + strlen(dev);
    if (!libxl__vscsi_parse_u64(inode, strlen(inode), UINT64_MAX, &number) ||
        !libxl__vscsi_parse_u64(words[6], strlen(words[6]), INT64_MAX,
                                &first) ||
        !libxl__vscsi_parse_u64(words[7], strlen(words[7]), INT64_MAX,
                                &last) ||
        number == st->st_ino || last < first)
        return false;
    *start_r = first;
    *length_r = last - first + 1;
    return true;
}

/* Has the process that took it our file open, as it was before it was
 * removed?  If that cannot be seen, it may have. */
static bool has_lost_file(const libxl__vscsi_ctx *vc, uint64_t length)
{
    const char *name = strrchr(vc->lock_file, '/');
    char path[64], link[512], *base, expected[256];
    struct dirent *entry;
    bool found = false;
    ssize_t len;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%u/fd",
             (unsigned)LOW(length - 1, PID_BITS));
    snprintf(expected, sizeof(expected), "%s (deleted)", name ? name : "");
    dir = opendir(path);
    if (!dir)
        return true;
    while (!found && (entry = readdir(dir))) {
        len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
        if (len < 0)
            continue;
        link[len] = '\0';
        base = strrchr(link, '/');
        found = base && !strcmp(base, expected);
    }
    closedir(dir);
    return found;
}

/*
 * Should the file have been removed and made again, who holds a lock in the
 * one before holds it still.  Once nobody holds any, nobody will: who gets
 * one there finds that the file is not in place.
 */
static int find_in_lost_file(libxl__vscsi_ctx *vc, int fd, uint64_t key,
                             holder *h_r)
{
    holder h = { .there = false };
    uint64_t start, length;
    bool lost = false;
    struct stat st;
    char line[256];
    FILE *f;

    if (!fstat(fd, &st) && st.st_size) {
        *h_r = h;
        return 0;
    }
    f = fopen("/proc/locks", "re");
    if (!f || fstat(fd, &st)) {
        libxl__vscsi_error(vc, "cannot look at /proc/locks: %s",
                           strerror(errno));
        if (f)
            fclose(f);
        return ERROR_LOCK_FAIL;
    }
    while (!h.there && fgets(line, sizeof(line), f)) {
        if (!parse_lock_line(line, &st, &start, &length) ||
            !has_lost_file(vc, length))
            continue;
        lost = true;
        if (start == key << LENGTH_BITS)
            h = (holder){ .there = true, .length = length };
    }
    fclose(f);
    if (!lost && pwrite(fd, "\n", 1, 0) != 1)
        libxl__vscsi_log(vc, XTL_DETAIL, "cannot write to %s: %s",
                         vc->lock_file, strerror(errno));
    *h_r = h;
    return 0;
}

/* 0: nobody else has it. */
static uint64_t length_of_theirs(int fd, uint64_t key)
{
    struct flock range = range_of(key, 1, F_WRLCK);

    if (fcntl(fd, F_OFD_GETLK, &range) || range.l_type == F_UNLCK)
        return 0;
    return (uint64_t)range.l_len;
}

/* Takes it, or says who has it. */
static int try_range(libxl__vscsi_ctx *vc, int fd, uint64_t key, holder *h_r)
{
    struct flock range = range_of(key, length_of_ours(), F_WRLCK);
    int rc = 0;

    *h_r = (holder){ .there = false };
    if (!fcntl(fd, F_OFD_SETLK, &range)) {
        if (!(key & TURN))
            rc = find_in_lost_file(vc, fd, key, h_r);
        if (rc || h_r->there) {         /* it may have to wait for us */
            range.l_type = F_UNLCK;
            fcntl(fd, F_OFD_SETLK, &range);
        }
    } else if (errno == EAGAIN || errno == EACCES || errno == EINTR) {
        h_r->there = true;
        h_r->length = length_of_theirs(fd, key & ~TURN);
        if (!h_r->length)       /* somebody waits who came before */
            h_r->length = length_of_theirs(fd, key | TURN);
    } else {
        libxl__vscsi_error(vc, "cannot lock %s: %s", vc->lock_file,
                           strerror(errno));
        rc = ERROR_LOCK_FAIL;
    }
    return rc;
}

/* ----- waiting ----- */

/* "has been running for 133 seconds: that of xl-scsi (process 4711)" */
static void describe(const holder *h, char *text, size_t size)
{
    uint64_t pid = LOW(h->length - 1, PID_BITS);
    uint64_t since = LOW((h->length - 1) >> PID_BITS, SINCE_BITS);
    char path[64], comm[32] = "";
    FILE *f;

    if (!h->length) {           /* it has gone meanwhile */
        snprintf(text, size, "is running");
        return;
    }
    snprintf(path, sizeof(path), "/proc/%u/comm", (unsigned)pid);
    f = fopen(path, "re");
    if (f && !fgets(comm, sizeof(comm), f))
        comm[0] = '\0';
    if (f)
        fclose(f);
    comm[strcspn(comm, "\n")] = '\0';
    snprintf(text, size, "has been running for %u seconds: that of %s "
             "(process %u)",
             (unsigned)LOW(seconds_since_boot() - since, SINCE_BITS),
             *comm ? comm : "what a process left that ended", (unsigned)pid);
}

/* Until end_ms. */
static int take_range(libxl__vscsi_ctx *vc, int fd, uint64_t key,
                      uint64_t end_ms)
{
    uint64_t since = libxl__vscsi_now_ms();
    bool said = false, over;
    char what[160];
    holder h;
    int rc;

    for (;;) {
        rc = try_range(vc, fd, key, &h);
        if (rc || !h.there)
            return rc;
        over = libxl__vscsi_now_ms() >= end_ms;
        if (!said || over)
            describe(&h, what, sizeof(what));
        if (over) {
            libxl__vscsi_error(vc, "another SCSI operation %s (wait for it, "
                               "or end it)", what);
            return ERROR_LOCK_FAIL;
        }
        if (!said)
            libxl__vscsi_log(vc, XTL_DETAIL, "waiting: another SCSI "
                             "operation %s", what);
        said = true;
        libxl__vscsi_say_waiting(vc, since, end_ms, "waiting, as another SCSI"
                                 " operation %s; seconds", what);
        libxl__vscsi_pause(LOCK_POLL_MS);
    }
}

/*
 * Who waits has the turn meanwhile, a range of its own, without which nobody
 * takes the lock: one that gives it up and wants it again at once would
 * always be quicker than those that look only now and then.
 */
static int take_lock(libxl__vscsi_ctx *vc, int fd, uint64_t key,
                     uint64_t end_ms)
{
    struct flock over = range_of(key | TURN, (uint64_t)1 << LENGTH_BITS,
                                 F_UNLCK);
    int rc;

    rc = take_range(vc, fd, key | TURN, end_ms);
    if (!rc)
        rc = take_range(vc, fd, key, end_ms);
    if (!rc && fcntl(fd, F_OFD_SETLK, &over)) {
        libxl__vscsi_error(vc, "cannot unlock %s: %s", vc->lock_file,
                           strerror(errno));
        rc = ERROR_LOCK_FAIL;
    }
    return rc;
}

int libxl__vscsi_lock(libxl__vscsi_ctx *vc, uint32_t which, int *lock_r)
{
    uint64_t end = libxl__vscsi_now_ms() + vc->timeouts.lock_ms;
    int fd, rc;

    for (;;) {
        fd = open_lock_file(vc);
        if (fd < 0)
            return ERROR_LOCK_FAIL;
        rc = take_lock(vc, fd, LOW(which, WHICH_BITS), end);
        if (!rc && is_in_place(vc, fd)) {
            *lock_r = fd;
            return 0;
        }
        libxl__vscsi_unlock(fd);
        if (rc)
            return rc;
    }
}

/* Devices that come to share a number wait for each other, no more. */
uint32_t libxl__vscsi_lock_of(const libxl_vscsi_hctl *hctl)
{
    uint64_t hash = hctl->hst;

    hash = hash * 31 + hctl->chn;
    hash = hash * 257 + hctl->tgt;
    hash = hash * 1021 + hctl->lun;
    return LIBXL__VSCSI_LOCK_DEVICES +
           (uint32_t)(hash % (LIBXL__VSCSI_LOCK_DEVICES - 1));
}

int libxl__vscsi_try_lock(libxl__vscsi_ctx *vc, uint32_t which, int *lock_r)
{
    int fd, rc;
    holder h;

    for (;;) {
        fd = open_lock_file(vc);
        if (fd < 0)
            return ERROR_LOCK_FAIL;
        rc = try_range(vc, fd, LOW(which, WHICH_BITS), &h);
        if (!rc && !h.there && !is_in_place(vc, fd)) {
            libxl__vscsi_unlock(fd);
            continue;
        }
        if (!rc && !h.there) {
            *lock_r = fd;
            return 0;
        }
        close(fd);
        if (!rc)
            *lock_r = -1;
        return rc;
    }
}

/* A child that was fork()ed meanwhile has the file open still, and would
 * keep what is not given up by name. */
void libxl__vscsi_unlock(int lock)
{
    struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    if (lock < 0)
        return;
    fcntl(lock, F_OFD_SETLK, &all);
    close(lock);
}

/* lock is that of the domain, without which nobody freezes it. */
static int check_frozen(libxl__vscsi_ctx *vc, uint32_t domid, int lock)
{
    uint64_t key = LIBXL__VSCSI_LOCK_FROZEN + domid;
    struct flock range = range_of(key, 0, F_UNLCK);
    char what[160];
    holder h;
    int rc;

    range.l_len = (off_t)1 << LENGTH_BITS;
    rc = try_range(vc, lock, key, &h);
    if (!rc && !h.there && !fcntl(lock, F_OFD_SETLK, &range))
        return 0;
    if (rc)
        return rc;
    describe(&h, what, sizeof(what));
    libxl__vscsi_error(vc, "it is being saved or migrated with the devices "
                       "that it had, and this %s; try again when it is over",
                       what);
    return ERROR_NOT_READY;
}

int libxl__vscsi_lock_domain(libxl__vscsi_ctx *vc, uint32_t domid,
                             int *lock_r)
{
    int rc, lock;

    rc = libxl__vscsi_lock(vc, domid, &lock);
    if (rc)
        return rc;
    rc = check_frozen(vc, domid, lock);
    if (rc) {
        libxl__vscsi_unlock(lock);
        return rc;
    }
    vc->has_lock = true;
    vc->locked = domid;
    *lock_r = lock;
    return 0;
}

int libxl__vscsi_freeze(libxl__vscsi_ctx *vc, uint32_t domid, int *frozen_r)
{
    int rc, lock;

    rc = libxl__vscsi_lock_domain(vc, domid, &lock);
    if (rc)
        return rc;
    rc = libxl__vscsi_try_lock(vc, LIBXL__VSCSI_LOCK_FROZEN + domid,
                               frozen_r);
    libxl__vscsi_unlock_domain(vc, lock);
    return rc;
}

void libxl__vscsi_unlock_domain(libxl__vscsi_ctx *vc, int lock)
{
    vc->has_lock = false;
    libxl__vscsi_unlock(lock);
}
