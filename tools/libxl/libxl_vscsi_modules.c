/* SPDX-License-Identifier: LGPL-2.1-only */
/* Has dom0's kernel the backend driver, and which kind of it? */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libxl_vscsi_lio.h"

#define BACKEND_MODULE "xen-scsiback"
#define BACKEND_DRIVER "/sys/bus/xen-backend/drivers/vscsi"
#define LIO_MODULE "/sys/module/target_core_mod"
#define MODPROBE_POLL_MS 10

/*
 * Signals as in a fresh process, whatever the caller did with them; output
 * to nowhere, because what modprobe says is said better here.
 */
static int spawn_modprobe(const char *module, pid_t *pid_r)
{
    static const char *const paths[] = { "/sbin/modprobe",
                                         "/usr/sbin/modprobe" };
    char name[] = "modprobe", quiet[] = "-q", end[] = "--";
    char path_env[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char *env[] = { path_env, NULL }, *copy = strdup(module);
    char *argv[] = { name, quiet, end, copy, NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int r = ENOMEM;
    size_t i;

    if (!copy)
        return r;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    for (i = 0; i < 3; i++)
        posix_spawn_file_actions_addopen(&files, (int)i, "/dev/null",
                                         i ? O_WRONLY : O_RDONLY, 0);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
                             POSIX_SPAWN_SETSIGDEF);
    for (i = 0; i < VSCSI_ARRAY_SIZE(paths) && r; i++)
        r = posix_spawn(pid_r, paths[i], &files, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    free(copy);
    return r;
}

void libxl__vscsi_modprobe(libxl__vscsi_ctx *vc, const char *module)
{
    uint64_t end = libxl__vscsi_now_ms() + vc->timeouts.backend_ms;
    pid_t pid, done;
    int r;

    libxl__vscsi_log(vc, XTL_DETAIL, "modprobe %s", module);
    r = spawn_modprobe(module, &pid);
    if (r) {
        libxl__vscsi_log(vc, XTL_DETAIL, "cannot run modprobe: %s",
                         strerror(r));
        return;
    }
    /* The caller may ignore SIGCHLD or reap whatever ends: ECHILD means
     * that it has ended, too. */
    for (;;) {
        done = waitpid(pid, NULL, WNOHANG);
        if (done == pid || (done < 0 && errno != EINTR))
            return;
        if (libxl__vscsi_now_ms() >= end)
            break;
        libxl__vscsi_pause(MODPROBE_POLL_MS);
    }
    libxl__vscsi_log(vc, XTL_WARN, "modprobe %s does not come to an end",
                     module);
}

int libxl__vscsi_lio_probe(libxl__vscsi_ctx *vc, bool *uses_lio_r)
{
    const char *root = vc->lio_root;
    int r;

    if (libxl__vscsi_cfs_is_dir("%s/" LIO_FABRIC, root)) {
        *uses_lio_r = true;
        return 0;
    }
    r = libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC, root);
    if (r) {
        libxl__vscsi_modprobe(vc, BACKEND_MODULE);
        r = libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC, root);
    }
    if (!r) {
        libxl__vscsi_log(vc, XTL_DETAIL, "made %s/" LIO_FABRIC, root);
        *uses_lio_r = true;
        return 0;
    }
    if (!libxl__vscsi_cfs_is_dir("%s", root)) {
        if (access(LIO_MODULE, F_OK) == 0) {
            libxl__vscsi_error(vc, "%s is missing in dom0 (mount -t configfs "
                               "none /sys/kernel/config)", root);
            return ERROR_FAIL;
        }
        if (access(BACKEND_DRIVER, F_OK) == 0) {
            *uses_lio_r = false;
            return 0;
        }
    }
    libxl__vscsi_error(vc, "dom0's kernel has no backend driver (modprobe "
                       BACKEND_MODULE " did not help); it needs "
                       "CONFIG_XEN_SCSI_BACKEND");
    return ERROR_FAIL;
}
