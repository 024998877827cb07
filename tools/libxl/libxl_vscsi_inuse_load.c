/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What holds devices in dom0, as the kernel and xenstore tell it: mounts,
 * swap, loop devices, guests' block devices, open files.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libxl_vscsi_configfs.h"
#include "libxl_vscsi_inuse.h"

/* ----- small things ----- */

int libxl__vscsi_inuse_blind(libxl__vscsi_ctx *vc, const char *path)
{
    if (!path || errno == ENOMEM)
        return libxl__vscsi_out_of_memory(vc);
    libxl__vscsi_error(vc, "what may hold it cannot be found out: cannot "
                       "look at %s: %s", path, strerror(errno));
    return ERROR_FAIL;
}

bool libxl__vscsi_inuse_is_gone(int e)
{
    return e == ENOENT || e == ENOTDIR || e == ENODEV || e == ENXIO ||
           e == ESRCH;
}

static bool parse_number(const char *s, size_t len, unsigned base,
                         unsigned *value_r)
{
    unsigned long value;
    char *end;
    size_t i;

    for (i = 0; i < len; i++)
        if (base == 16 ? !isxdigit((unsigned char)s[i])
                       : !isdigit((unsigned char)s[i]))
            return false;
    if (!len || len > 8)
        return false;
    value = strtoul(s, &end, (int)base);
    *value_r = (unsigned)value;
    return end == s + len;
}

bool libxl__vscsi_inuse_devnum(const char *text, unsigned base,
                               dev_t *devnum_r)
{
    size_t len = strcspn(text, ":"), rest;
    unsigned major, minor;

    if (!text[len])
        return false;
    rest = strcspn(text + len + 1, "\n");
    if (!parse_number(text, len, base, &major) ||
        !parse_number(text + len + 1, rest, base, &minor))
        return false;
    *devnum_r = makedev(major, minor);
    return true;
}

bool libxl__vscsi_inuse_node(libxl__vscsi_ctx *vc, const char *node,
                             dev_t *devnum_r, int *rc_r)
{
    struct stat st;

    *rc_r = 0;
    if (stat(node, &st)) {
        /* Nobody can use what no name leads to in a way that this tells. */
        if (!libxl__vscsi_inuse_is_gone(errno) && errno != ELOOP &&
            errno != ENAMETOOLONG)
            *rc_r = libxl__vscsi_inuse_blind(vc, node);
        return false;
    }
    if (!S_ISBLK(st.st_mode))
        return false;
    *devnum_r = st.st_rdev;
    return true;
}

/* With room for one more of size bytes, zeroed; NULL, logged, if memory ran
 * out: the list stays as it was then. */
static void *grow(libxl__vscsi_ctx *vc, void *list, unsigned num,
                  size_t size)
{
    char *longer = realloc(list, ((size_t)num + 1) * size);

    if (longer)
        memset(longer + size * num, 0, size);
    else
        libxl__vscsi_inuse_blind(vc, NULL);
    return longer;
}

/* ----- mounts and swap ----- */

/* The kernel writes blanks in names as \040; in place. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        *to = *s;
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
            s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
            *to = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
            s += 3;
        }
    }
    *to = '\0';
}

static int add_use(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                   libxl__vscsi_use_kind kind, dev_t devnum,
                   const char *point)
{
    libxl__vscsi_use *use = grow(vc, inuse->uses, inuse->num_uses,
                                 sizeof(*use));

    if (!use)
        return ERROR_NOMEM;
    inuse->uses = use;
    use += inuse->num_uses++;
    use->kind = kind;
    use->devnum = devnum;
    use->point = point ? strdup(point) : NULL;
    return point && !use->point ? libxl__vscsi_inuse_blind(vc, NULL) : 0;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT ... - TYPE SOURCE ..."; btrfs and others
 * have a number that is no disk's, but a source. */
static int read_mount(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                      char *line)
{
    char *field, *save = NULL, *point = NULL, *source = NULL;
    int i, after_dash = 0, rc = 0;
    dev_t devnum, other;
    bool has_number = false;

    for (i = 0, field = strtok_r(line, " \n", &save); field;
         i++, field = strtok_r(NULL, " \n", &save)) {
        if (i == 2)
            has_number = libxl__vscsi_inuse_devnum(field, 10, &devnum);
        if (i == 4)
            point = field;
        if (after_dash || (i > 5 && !strcmp(field, "-")))
            after_dash++;
        if (after_dash == 3)
            source = field;
    }
    if (!point)
        return 0;
    unescape(point);
    if (has_number && major(devnum))
        return add_use(vc, inuse, LIBXL__VSCSI_USE_MOUNT, devnum, point);
    if (!source)
        return 0;
    unescape(source);
    if (!strncmp(source, "/dev/", 5) &&
        libxl__vscsi_inuse_node(vc, source, &other, &rc))
        rc = add_use(vc, inuse, LIBXL__VSCSI_USE_MOUNT, other, point);
    return rc;
}

static int read_swap(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                     char *line)
{
    dev_t devnum;
    int rc;

    line[strcspn(line, " \t\n")] = '\0';
    unescape(line);
    if (line[0] != '/')
        return 0;               /* the heading */
    if (libxl__vscsi_inuse_node(vc, line, &devnum, &rc))
        rc = add_use(vc, inuse, LIBXL__VSCSI_USE_SWAP, devnum, NULL);
    return rc;
}

typedef int line_reader(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                        char *line);

static int read_lines(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                      const char *name, bool may_lack, line_reader *reader)
{
    char *path = libxl__vscsi_sprintf("%s/%s", vc->procfs, name);
    FILE *f = path ? fopen(path, "re") : NULL;
    char *line = NULL;
    size_t size = 0;
    int rc = 0;

    if (!f) {
        if (!path || !may_lack || errno != ENOENT)
            rc = libxl__vscsi_inuse_blind(vc, path);
        goto out;
    }
    errno = 0;
    while (!rc && getline(&line, &size, f) >= 0) {
        rc = reader(vc, inuse, line);
        errno = 0;
    }
    if (!rc && (ferror(f) || errno == ENOMEM))
        rc = libxl__vscsi_inuse_blind(vc, path);
    fclose(f);
out:
    free(line);
    free(path);
    return rc;
}

/* ----- directories ----- */

bool libxl__vscsi_inuse_open_dir(libxl__vscsi_ctx *vc, const char *path,
                                 DIR **dir_r, int *rc_r)
{
    *dir_r = path ? opendir(path) : NULL;
    if (*dir_r)
        return true;
    if (!path || !libxl__vscsi_inuse_is_gone(errno))
        *rc_r = libxl__vscsi_inuse_blind(vc, path);
    return false;
}

const char *libxl__vscsi_inuse_next_name(libxl__vscsi_ctx *vc, DIR *dir,
                                         const char *path, int *rc_r)
{
    struct dirent *entry;

    do {
        errno = 0;
        entry = readdir(dir);
    } while (entry && entry->d_name[0] == '.');
    if (!entry && errno && !libxl__vscsi_inuse_is_gone(errno))
        *rc_r = libxl__vscsi_inuse_blind(vc, path);
    return entry ? entry->d_name : NULL;
}

typedef int name_reader(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                        const char *path, const char *name);

/* Each name in it. */
static int read_names(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                      const char *path, name_reader *reader)
{
    const char *name;
    int rc = 0;
    DIR *dir;

    if (!libxl__vscsi_inuse_open_dir(vc, path, &dir, &rc))
        return rc;
    while (!rc && (name = libxl__vscsi_inuse_next_name(vc, dir, path, &rc)))
        rc = reader(vc, inuse, path, name);
    closedir(dir);
    return rc;
}

/* ----- loop devices ----- */

/* A file of a file system is held by that one's mount. */
static int read_loop(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                     const char *path, const char *name)
{
    libxl__vscsi_loop *loop;
    char *backing;
    dev_t devnum;
    int rc = 0;

    if (strncmp(name, "loop", 4))
        return 0;
    backing = libxl__vscsi_cfs_read("%s/%s/loop/backing_file", path, name);
    if (!backing)
        return libxl__vscsi_inuse_is_gone(errno)
               ? 0 : libxl__vscsi_inuse_blind(vc, path);
    if (libxl__vscsi_inuse_node(vc, backing, &devnum, &rc)) {
        loop = grow(vc, inuse->loops, inuse->num_loops, sizeof(*loop));
        if (loop) {
            inuse->loops = loop;
            loop += inuse->num_loops++;
            loop->backing = devnum;
            loop->name = strdup(name);
        }
        if (!loop || !loop->name)
            rc = ERROR_NOMEM;
    }
    free(backing);
    return rc;
}

static int load_loops(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse)
{
    char *path = libxl__vscsi_sprintf("%s/block", vc->sysfs);
    int rc = read_names(vc, inuse, path, read_loop);

    free(path);
    return rc;
}

/* ----- guests' block devices ----- */

char *libxl__vscsi_inuse_disk_path(const char *params)
{
    size_t len;

    while (params[0] != '/' && params[len = strcspn(params, ":/")] == ':')
        params += len + 1;
    return params[0] == '/' ? strdup(params)
                            : libxl__vscsi_sprintf("/dev/%s", params);
}

/* What the backend driver has opened for it, if it has. */
static int read_opened(libxl__vscsi_ctx *vc, const libxl__vscsi_xs_disk *disk,
                       dev_t *devnum_r, bool *known_r)
{
    char *text;

    *known_r = false;
    text = libxl__vscsi_cfs_read("%s/%s-%u-%u/physical_device",
                                 vc->devices_dir, disk->kind, disk->domid,
                                 disk->devid);
    if (!text)
        return libxl__vscsi_inuse_is_gone(errno)
               ? 0 : libxl__vscsi_inuse_blind(vc, vc->devices_dir);
    *known_r = libxl__vscsi_inuse_devnum(text, 16, devnum_r) && *devnum_r;
    free(text);
    return 0;
}

/* A name that leads to no block device is a file, or a script's. */
static int read_disk(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                     const libxl__vscsi_xs_disk *disk)
{
    char *params = NULL, *path = NULL;
    dev_t devnum;
    bool known;
    int rc;

    rc = read_opened(vc, disk, &devnum, &known);
    if (!rc && !known)
        rc = libxl__vscsi_xs_disk_params(vc, disk, &params);
    if (!rc && params && params[0]) {
        path = libxl__vscsi_inuse_disk_path(params);
        if (path)
            known = libxl__vscsi_inuse_node(vc, path, &devnum, &rc);
        else
            rc = libxl__vscsi_inuse_blind(vc, NULL);
    }
    if (!rc && known)
        rc = add_use(vc, inuse, LIBXL__VSCSI_USE_GUEST, devnum, NULL);
    if (!rc && known)
        inuse->uses[inuse->num_uses - 1].disk = *disk;
    free(params);
    free(path);
    return rc;
}

static int load_disks(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse)
{
    libxl__vscsi_xs_disk *disks = NULL;
    unsigned i, num = 0;
    int rc;

    rc = libxl__vscsi_xs_list_disks(vc, &disks, &num);
    for (i = 0; !rc && i < num; i++)
        rc = read_disk(vc, inuse, &disks[i]);
    free(disks);
    return rc;
}

int libxl__vscsi_inuse_load_uses(libxl__vscsi_ctx *vc,
                                 libxl__vscsi_inuse *inuse)
{
    int rc = 0;

    if (inuse->has_uses)
        return 0;
    rc = read_lines(vc, inuse, "self/mountinfo", false, read_mount);
    if (!rc)
        rc = read_lines(vc, inuse, "swaps", true, read_swap);
    if (!rc)
        rc = load_loops(vc, inuse);
    if (!rc)
        rc = load_disks(vc, inuse);
    inuse->has_uses = !rc;
    return rc;
}

/* ----- open files ----- */

/* Asks no file system that may not answer. */
static int read_fd(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                   const char *path, const char *name)
{
    libxl__vscsi_opener *opener;
    char fd[PATH_MAX], to[PATH_MAX];
    struct statx st;
    unsigned pid;
    ssize_t len;

    snprintf(fd, sizeof(fd), "%s/%s", path, name);
    len = readlink(fd, to, sizeof(to));
    if (len > 0 && to[0] != '/')
        return 0;               /* a socket, a pipe */
    if (len < 0 || statx(AT_FDCWD, fd, AT_STATX_DONT_SYNC, STATX_TYPE, &st))
        return libxl__vscsi_inuse_is_gone(errno)
               ? 0 : libxl__vscsi_inuse_blind(vc, fd);
    if (!S_ISCHR(st.stx_mode))
        return 0;
    name = path + strlen(vc->procfs) + 1;
    if (!parse_number(name, strcspn(name, "/"), 10, &pid))
        return 0;
    opener = grow(vc, inuse->openers, inuse->num_openers, sizeof(*opener));
    if (!opener)
        return ERROR_NOMEM;
    inuse->openers = opener;
    opener += inuse->num_openers++;
    opener->devnum = makedev(st.stx_rdev_major, st.stx_rdev_minor);
    opener->pid = pid;
    return 0;
}

static int read_process(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                        const char *path, const char *name)
{
    unsigned pid;
    char *fds;
    int rc;

    if (!parse_number(name, strlen(name), 10, &pid) ||
        pid == (unsigned)getpid())
        return 0;
    fds = libxl__vscsi_sprintf("%s/%s/fd", path, name);
    rc = read_names(vc, inuse, fds, read_fd);
    free(fds);
    return rc;
}

int libxl__vscsi_inuse_load_openers(libxl__vscsi_ctx *vc,
                                    libxl__vscsi_inuse *inuse)
{
    int rc = 0;

    if (!inuse->has_openers && access(vc->procfs, R_OK))
        rc = libxl__vscsi_inuse_blind(vc, vc->procfs);
    else if (!inuse->has_openers)
        rc = read_names(vc, inuse, vc->procfs, read_process);
    inuse->has_openers = inuse->has_openers || !rc;
    return rc;
}

int libxl__vscsi_inuse_load_stores(libxl__vscsi_ctx *vc,
                                   libxl__vscsi_inuse *inuse)
{
    int rc = 0;

    if (!inuse->has_stores)
        rc = libxl__vscsi_lio_backstores(vc, &inuse->stores,
                                         &inuse->num_stores);
    inuse->has_stores = inuse->has_stores || !rc;
    return rc;
}
