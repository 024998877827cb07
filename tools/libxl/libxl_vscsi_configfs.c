/* SPDX-License-Identifier: LGPL-2.1-only */
/* Directories, attributes and links of configfs, without any meaning; an
 * attribute of sysfs is read in the same way. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libxl_vscsi_configfs.h"

/* An attribute of configfs is at most a page. */
#define ATTR_MAX 4096

/* Leaves path empty, which no call finds, if it does not fit. */
#define FORMAT_PATH(path, fmt) do {                                     \
        va_list ap_;                                                    \
        int len_;                                                       \
        va_start(ap_, fmt);                                             \
        len_ = vsnprintf((path), sizeof(path), (fmt), ap_);             \
        va_end(ap_);                                                    \
        if (len_ < 0 || (size_t)len_ >= sizeof(path))                   \
            (path)[0] = '\0';                                           \
    } while (0)

int libxl__vscsi_cfs_mkdir(const char *fmt, ...)
{
    char path[PATH_MAX];

    FORMAT_PATH(path, fmt);
    return mkdir(path, 0755) && errno != EEXIST ? errno : 0;
}

int libxl__vscsi_cfs_rmdir(const char *fmt, ...)
{
    char path[PATH_MAX];

    FORMAT_PATH(path, fmt);
    return rmdir(path) && errno != ENOENT ? errno : 0;
}

int libxl__vscsi_cfs_unlink(const char *fmt, ...)
{
    char path[PATH_MAX];

    FORMAT_PATH(path, fmt);
    return unlink(path) && errno != ENOENT ? errno : 0;
}

int libxl__vscsi_cfs_symlink(const char *to, const char *fmt, ...)
{
    char path[PATH_MAX];

    FORMAT_PATH(path, fmt);
    return symlink(to, path) ? errno : 0;
}

int libxl__vscsi_cfs_write(const char *value, const char *fmt, ...)
{
    size_t len = strlen(value);
    char path[PATH_MAX];
    ssize_t done;
    int fd, r = 0;

    FORMAT_PATH(path, fmt);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    /* In one piece: the kernel acts on each write. */
    do {
        done = write(fd, value, len);
    } while (done < 0 && errno == EINTR);
    if (done < 0)
        r = errno;
    else if ((size_t)done != len)
        r = EIO;
    if (close(fd) && !r)
        r = errno;
    return r;
}

char *libxl__vscsi_cfs_read(const char *fmt, ...)
{
    char path[PATH_MAX], text[ATTR_MAX + 1];
    ssize_t len;
    int fd;

    FORMAT_PATH(path, fmt);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    /* The kernel gives the whole of an attribute to one read. */
    do {
        len = read(fd, text, ATTR_MAX);
    } while (len < 0 && errno == EINTR);
    close(fd);
    if (len < 0)
        return NULL;
    while (len && text[len - 1] == '\n')
        len--;
    text[len] = '\0';
    return strdup(text);
}

char *libxl__vscsi_cfs_readlink(const char *fmt, ...)
{
    char path[PATH_MAX], to[PATH_MAX], *last;
    ssize_t len;

    FORMAT_PATH(path, fmt);
    len = readlink(path, to, sizeof(to) - 1);
    if (len < 0)
        return NULL;
    to[len] = '\0';
    last = strrchr(to, '/');
    return strdup(last ? last + 1 : to);
}

bool libxl__vscsi_cfs_is_dir(const char *fmt, ...)
{
    char path[PATH_MAX];
    struct stat st;

    FORMAT_PATH(path, fmt);
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool add_name(libxl__vscsi_names *names, const char *name)
{
    char **list = realloc(names->list, (names->num + 1) * sizeof(*list));

    if (!list)
        return false;
    names->list = list;
    list[names->num] = strdup(name);
    return list[names->num] && ++names->num;
}

int libxl__vscsi_cfs_list(libxl__vscsi_names *names_r, const char *prefix,
                          bool links, const char *fmt, ...)
{
    unsigned char type = links ? DT_LNK : DT_DIR;
    libxl__vscsi_names names = { NULL, 0 };
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *dir;
    int r;

    FORMAT_PATH(path, fmt);
    dir = opendir(path);
    r = dir || errno == ENOENT || errno == ENOTDIR ? 0 : errno;
    while (dir && (errno = 0, entry = readdir(dir))) {
        if (entry->d_type != type || entry->d_name[0] == '.' ||
            strncmp(entry->d_name, prefix, strlen(prefix)))
            continue;
        if (!add_name(&names, entry->d_name)) {
            errno = ENOMEM;
            break;
        }
    }
    if (dir) {
        r = errno;
        closedir(dir);
    }
    *names_r = names;
    return r;
}

void libxl__vscsi_names_dispose(libxl__vscsi_names *names)
{
    unsigned i;

    for (i = 0; i < names->num; i++)
        free(names->list[i]);
    free(names->list);
    names->list = NULL;
    names->num = 0;
}
