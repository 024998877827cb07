/* SPDX-License-Identifier: LGPL-2.1-only */
/* LIO's part of configfs in an ordinary directory; see fakeconfigfs.h. */
#include "fakeconfigfs.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_PARTS 8
#define USED ".used"            /* in the TPG; no listing shows it */

static unsigned changes;

static struct {
    const char *name;
    char value[PATH_MAX];
} knobs[] = {
    { "FAKE_CONFIGFS", "" }, { "FAKE_CONFIGFS_HELD", "" },
    { "FAKE_CONFIGFS_NO_DRIVER", "" }, { "FAKE_CONFIGFS_KILL", "" },
    { "FAKE_CONFIGFS_FAIL", "" }, { "FAKE_CONFIGFS_BUSY", "" },
};

void fakeconfigfs_set(const char *name, const char *value)
{
    size_t i;

    for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
        if (!strcmp(knobs[i].name, name))
            snprintf(knobs[i].value, sizeof(knobs[i].value), "%s",
                     value ? value : "");
}

/* Not setenv() for tests: valgrind takes what that keeps for leaks. */
static const char *knob(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
        if (!strcmp(knobs[i].name, name) && knobs[i].value[0])
            return knobs[i].value;
    return getenv(name);
}

/* A path below the root, in parts; num 0 is the root itself. */
typedef struct where {
    char text[PATH_MAX];
    char *parts[MAX_PARTS];
    int num;
} where;

static bool is_inside(const char *path, where *w)
{
    const char *root = knob("FAKE_CONFIGFS");
    size_t len = root ? strlen(root) : 0;
    char *part, *save = NULL;

    if (!len || strncmp(path, root, len) ||
        (path[len] != '/' && path[len] != '\0'))
        return false;
    snprintf(w->text, sizeof(w->text), "%s", path + len);
    w->num = 0;
    for (part = strtok_r(w->text, "/", &save); part && w->num < MAX_PARTS;
         part = strtok_r(NULL, "/", &save))
        w->parts[w->num++] = part;
    return !part;
}

static bool begins(const char *s, const char *prefix)
{
    return !strncmp(s, prefix, strlen(prefix));
}

static int refuse(int err)
{
    errno = err;
    return -1;
}

/* The errno that the next change is to end with, if any. */
static int next_change(void)
{
    const char *die = knob("FAKE_CONFIGFS_KILL");
    const char *fail = knob("FAKE_CONFIGFS_FAIL");
    char number[16];

    snprintf(number, sizeof(number), "%u", ++changes);
    if (die && !strcmp(die, number))
        raise(SIGKILL);
    return fail && !strcmp(fail, number) ? EIO : 0;
}

unsigned fakeconfigfs_changes(void) { return changes; }
void fakeconfigfs_forget(void) { changes = 0; }

static int real_mkdir(const char *s)
{
    return (int)syscall(SYS_mkdir, s, 0755);
}

static int real_rmdir(const char *s) { return (int)syscall(SYS_rmdir, s); }
static int real_unlink(const char *s) { return (int)syscall(SYS_unlink, s); }

static void put(const char *dir, const char *name, const char *text)
{
    char path[PATH_MAX + 64];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || (*text && (syscall(SYS_write, fd, text, strlen(text)) < 0 ||
                             syscall(SYS_write, fd, "\n", 1) < 0)))
        abort();
    close(fd);
}

static void get(const char *dir, const char *name, char *text, size_t size)
{
    char path[PATH_MAX + 64];
    ssize_t len;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static void make_below(const char *dir, const char *name)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (real_mkdir(path))
        abort();
}

static int count(const char *fmt, const char *dir)
{
    char pattern[PATH_MAX + 64];
    glob_t found;
    int num = 0;

    snprintf(pattern, sizeof(pattern), "%s/%s", dir, fmt);
    if (!glob(pattern, GLOB_NOSORT, NULL, &found))
        num = (int)found.gl_pathc;
    globfree(&found);
    return num;
}

static void remove_tree(const char *dir)
{
    char pattern[PATH_MAX + 64];
    struct stat st;
    glob_t found;
    size_t i;

    fakeconfigfs_set_used(dir, 0);
    snprintf(pattern, sizeof(pattern), "%s/*", dir);
    if (!glob(pattern, GLOB_NOSORT, NULL, &found)) {
        for (i = 0; i < found.gl_pathc; i++) {
            if (!lstat(found.gl_pathv[i], &st) && S_ISDIR(st.st_mode))
                remove_tree(found.gl_pathv[i]);
            else
                real_unlink(found.gl_pathv[i]);
        }
    }
    globfree(&found);
    real_rmdir(dir);
}

/* ----- what the kernel makes ----- */

static bool is_backstore(const where *w)
{
    return w->num == 3 && !strcmp(w->parts[0], "core");
}

static bool is_fabric(const where *w, int num)
{
    return w->num == num && !strcmp(w->parts[0], "xen-pvscsi");
}

/* The last part of a path of that kind, or NULL. */
static const char *lun_name(const where *w, int num)
{
    return is_fabric(w, num) && !strcmp(w->parts[3], "lun") &&
           begins(w->parts[4], "lun_") ? w->parts[4] : NULL;
}

/* 0 if such a directory may be made. */
static int check_mkdir(const where *w)
{
    const char *last = w->num ? w->parts[w->num - 1] : "";

    if (w->num == 2 && !strcmp(w->parts[0], "core"))
        return begins(last, "pscsi_") || begins(last, "iblock_") ? 0 : EINVAL;
    if (is_backstore(w) || lun_name(w, 5))
        return 0;
    if (is_fabric(w, 1))
        return knob("FAKE_CONFIGFS_NO_DRIVER") ? EINVAL : 0;
    if (is_fabric(w, 2))
        return begins(last, "naa.") && strlen(last) < 32 ? 0 : EINVAL;
    if (is_fabric(w, 3))
        return begins(last, "tpgt_") ? 0 : EINVAL;
    return EPERM;
}

static void fill(const char *path, const where *w)
{
    if (is_backstore(w)) {
        put(path, "control", "");
        put(path, "enable", "0");
        put(path, "udev_path", "");
        put(path, "info", "Status: DEACTIVATED");
        make_below(path, "attrib");
    } else if (is_fabric(w, 2)) {
        make_below(path, "param");
    } else if (is_fabric(w, 3)) {
        put(path, "nexus", "");
        make_below(path, "param");
        put(path, "param/alias", "");
        make_below(path, "lun");
        make_below(path, "acls");
    } else if (lun_name(w, 5)) {
        put(path, "alua_tg_pt_gp", "");
        make_below(path, "statistics");
    }
}

int mkdir(const char *path, mode_t mode)
{
    struct stat st;
    where w;
    int err;

    if (!is_inside(path, &w))
        return (int)syscall(SYS_mkdir, path, mode);
    if (!lstat(path, &st))
        return refuse(EEXIST);
    err = check_mkdir(&w);
    if (!err)
        err = next_change();
    if (err)
        return refuse(err);
    err = real_mkdir(path);
    if (!err)
        fill(path, &w);
    return err;
}

/* Does any LUN link to the backstore?  (The links that the tests make are
 * called "link", ours "vscsi-*".) */
static bool is_linked(const char *backstore)
{
    char pattern[PATH_MAX + 64], to[PATH_MAX];
    bool found = false;
    glob_t links;
    ssize_t len;
    size_t i;

    snprintf(pattern, sizeof(pattern), "%s/xen-pvscsi/*/tpgt_*/lun/lun_*/*",
             knob("FAKE_CONFIGFS"));
    if (!glob(pattern, GLOB_NOSORT, NULL, &links)) {
        for (i = 0; i < links.gl_pathc; i++) {
            len = readlink(links.gl_pathv[i], to, sizeof(to) - 1);
            to[len > 0 ? len : 0] = '\0';
            found = found || !strcmp(to, backstore);
        }
    }
    globfree(&links);
    return found;
}

static bool has_link(const char *lun)
{
    return count("vscsi-*", lun) || count("link", lun);
}

static int check_rmdir(const char *path, const where *w)
{
    if ((w->num == 2 && !strcmp(w->parts[0], "core")) || is_fabric(w, 1))
        return count("*", path) ? ENOTEMPTY : 0;
    if (is_backstore(w))
        return is_linked(path) ? EBUSY : 0;
    if (is_fabric(w, 2))
        return count("tpgt_*", path) ? ENOTEMPTY : 0;
    if (lun_name(w, 5))
        return has_link(path) ? ENOTEMPTY : 0;
    if (!is_fabric(w, 3))
        return EPERM;
    if (count("lun/lun_*", path))
        return ENOTEMPTY;
    if (count(USED, path)) {
        /* What the kernel lets happen, and falls over later. */
        fprintf(stderr, "fakeconfigfs: %s was removed in use\n", path);
        abort();
    }
    return 0;
}

int rmdir(const char *path)
{
    struct stat st;
    where w;
    int err;

    if (!is_inside(path, &w))
        return real_rmdir(path);
    if (lstat(path, &st))
        return -1;
    err = check_rmdir(path, &w);
    if (!err)
        err = next_change();
    if (!err)
        remove_tree(path);
    return err ? refuse(err) : 0;
}

int symlink(const char *to, const char *path)
{
    char enabled[8], lun[PATH_MAX];
    where w;
    int err;

    if (!is_inside(path, &w))
        return (int)syscall(SYS_symlink, to, path);
    if (!lun_name(&w, 6))
        return refuse(EPERM);
    get(to, "enable", enabled, sizeof(enabled));
    if (strcmp(enabled, "1"))
        return refuse(ENODEV);
    snprintf(lun, sizeof(lun), "%s", path);
    *strrchr(lun, '/') = '\0';
    if (has_link(lun))
        return refuse(EEXIST);
    err = next_change();
    return err ? refuse(err) : (int)syscall(SYS_symlink, to, path);
}

int unlink(const char *path)
{
    struct stat st;
    where w;
    int err;

    if (!is_inside(path, &w))
        return real_unlink(path);
    if (lstat(path, &st))
        return -1;
    if (!S_ISLNK(st.st_mode))
        return refuse(EPERM);
    err = next_change();
    while (knob("FAKE_CONFIGFS_BUSY") &&
           !access(knob("FAKE_CONFIGFS_BUSY"), F_OK))
        usleep(1000);
    return err ? refuse(err) : real_unlink(path);
}

/* ----- attributes ----- */

static unsigned number_after(const char *text, const char *label)
{
    const char *s = strstr(text, label);

    return s ? (unsigned)strtoul(s + strlen(label), NULL, 10) : 0;
}

static int enable(const char *dir)
{
    const char *held = knob("FAKE_CONFIGFS_HELD");
    char now[8], node[256], control[256], info[256];

    get(dir, "enable", now, sizeof(now));
    get(dir, "udev_path", node, sizeof(node));
    get(dir, "control", control, sizeof(control));
    if (!strcmp(now, "1"))
        return EEXIST;
    if (!node[0] || !control[0])
        return EINVAL;
    if (held && !strcmp(held, node))
        return EBUSY;
    if (strstr(control, "scsi_host_id=")) {
        snprintf(info, sizeof(info), "Status: DEACTIVATED  Max Queue Depth: "
                 "0  SCSI Device Bus Location: Channel ID: %u Target ID: %u "
                 "LUN: %u Host ID: %u", number_after(control, "channel_id="),
                 number_after(control, "target_id="),
                 number_after(control, "lun_id="),
                 number_after(control, "host_id="));
        put(dir, "info", info);
    }
    put(dir, "enable", "1");
    return 0;
}

static int set_nexus(const char *dir, const char *value)
{
    char now[64];

    get(dir, "nexus", now, sizeof(now));
    if (strcmp(value, "NULL")) {
        if (now[0])
            return EEXIST;
        put(dir, "nexus", value);
        return 0;
    }
    if (!now[0])
        return ENODEV;
    if (count("lun/lun_*/vscsi-*", dir) || count("lun/lun_*/link", dir) ||
        count(USED, dir))
        return EBUSY;
    put(dir, "nexus", "");
    return 0;
}

static int set_attr(const char *path, const char *value)
{
    char dir[PATH_MAX], *attr;
    int err = next_change();

    if (err)
        return err;
    snprintf(dir, sizeof(dir), "%s", path);
    attr = strrchr(dir, '/');
    *attr++ = '\0';
    if (!strcmp(attr, "enable"))
        return enable(dir);
    if (!strcmp(attr, "nexus"))
        return set_nexus(dir, value);
    if (!strcmp(attr, "alias") && strlen(value) >= 32)
        return EINVAL;
    put(dir, attr, value);
    return 0;
}

static __attribute__((noinline))
ssize_t write_file(int fd, const void *data, size_t size)
{
    char link[64], path[PATH_MAX], value[1024];
    ssize_t len;
    where w;
    int err;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof(path) - 1);
    path[len > 0 ? len : 0] = '\0';
    if (!is_inside(path, &w))
        return syscall(SYS_write, fd, data, size);
    snprintf(value, sizeof(value), "%.*s", (int)size, (const char *)data);
    value[strcspn(value, "\n")] = '\0';
    err = set_attr(path, value);
    return err ? refuse(err) : (ssize_t)size;
}

/* libxenstore's thread comes by here, and has a small stack. */
ssize_t write(int fd, const void *data, size_t size)
{
    struct stat st;

    if (!knob("FAKE_CONFIGFS") || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return syscall(SYS_write, fd, data, size);
    return write_file(fd, data, size);
}

/* ----- for the test ----- */

void fakeconfigfs_start(const char *root)
{
    fakeconfigfs_set("FAKE_CONFIGFS", root);
    if (real_mkdir(root))
        abort();
    make_below(root, "core");
    make_below(root, "core/alua");
    changes = 0;
}

void fakeconfigfs_remove(const char *root)
{
    remove_tree(root);
    fakeconfigfs_set("FAKE_CONFIGFS", NULL);
}

void fakeconfigfs_set_used(const char *tpg, int used)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/" USED, tpg);
    if (used)
        put(tpg, USED, "1");
    else
        real_unlink(path);
}
