/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl: the distribution's list of commands, with ours in it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xl.h"

/* ----- the list of commands ----- */

/* Passes the list on; ours come after the commands for disks or, where
 * there is none, at the end.  A description may have lines of its own. */
static void insert_ours(FILE *list)
{
    enum { BEFORE_DISKS, AT_DISKS, DONE } place = BEFORE_DISKS;
    char *line = NULL;
    size_t size = 0;
    bool is_command, is_disk, any = false;

    while (getline(&line, &size, list) > 0) {
        is_command = line[0] == ' ' && line[1] > ' ';
        is_disk = is_command && !strncmp(line + 1, "block-", 6);
        any |= is_command;
        if (place == BEFORE_DISKS && is_disk) {
            place = AT_DISKS;
        } else if (place == AT_DISKS && is_command && !is_disk) {
            xl_print_list(stdout);
            place = DONE;
        }
        fputs(line, stdout);
    }
    free(line);
    if (any && place != DONE)
        xl_print_list(stdout);
}

static pid_t start_real(char **argv, int out)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid)
        return pid;
    if (dup2(out, STDOUT_FILENO) < 0)
        _exit(XL_FAILURE);
    if (out != STDOUT_FILENO)
        close(out);
    _exit(xl_exec_real(argv));
}

/* Ends as the process pid did. */
static int end_like(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return XL_FAILURE;
    }
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

int xl_list_with_real(char **argv)
{
    int fds[2], rc;
    FILE *list;
    pid_t pid;

    signal(SIGCHLD, SIG_DFL);   /* ignored, it would lose the exit code */
    if (pipe2(fds, O_CLOEXEC)) {
        fprintf(stderr, "xl: cannot make a pipe: %s\n", strerror(errno));
        return XL_FAILURE;
    }
    pid = start_real(argv, fds[1]);
    close(fds[1]);
    list = pid < 0 ? NULL : fdopen(fds[0], "r");
    if (!list) {
        fprintf(stderr, "xl: cannot start %s: %s\n", xl_real,
                strerror(errno));
        close(fds[0]);
        return pid < 0 ? XL_FAILURE : end_like(pid);
    }
    insert_ours(list);
    fclose(list);
    rc = end_like(pid);
    return xl_flush_stdout() ? rc : XL_FAILURE;
}
