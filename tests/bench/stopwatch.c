/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * stopwatch COMMAND...: runs it, and prints how many microseconds it took
 * from fork to end, and the kilobytes that it had in memory at most.  Its
 * stdout goes nowhere, its exit code is ours; it may take a minute.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 60

static double now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    double start, end;
    int status, null;
    pid_t pid;

    if (argc < 2)
        return 2;
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    start = now_us();
    pid = fork();
    if (!pid) {
        alarm(PATIENCE_S);
        dup2(null, STDOUT_FILENO);
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("stopwatch");
        return 1;
    }
    end = now_us();
    printf("%.0f %ld\n", end - start, usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
