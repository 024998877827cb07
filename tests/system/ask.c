/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Has a guest carry out a line of shell: the other end of domu-init's loop.
 * One process instead of ten, which under emulation are a second.
 *
 *  ask NAME LINE
 *  ask -n NAME LINE        does not wait for an answer
 *
 * Output and exit code are the guest's; 124: no answer in $GUEST_TIMEOUT_S
 * (60) seconds, 125: there is no such guest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#define CONSOLES "/var/log/xen/console/"

static const char *name;
static char id[64];

static void __attribute__((noreturn, format(printf, 2, 3)))
die(int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(code);
}

/* The value of a node of a domain, free(); NULL if there is none. */
static char *node(struct xs_handle *xs, const char *domid, const char *what)
{
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%s/%s", domid, what);
    return xs_read(xs, XBT_NULL, path, NULL);
}

/* The tty of the console of the youngest domain called name; NULL if there
 * is none. */
static char *console_tty(void)
{
    struct xs_handle *xs = xs_open(0);
    unsigned i, best = 0, num = 0;
    long domid, youngest = 0;
    char *tty = NULL, *own, **domids;

    if (!xs)
        die(125, "no xenstore");
    domids = xs_directory(xs, XBT_NULL, "/local/domain", &num);
    for (i = 0; domids && i < num; i++) {
        own = node(xs, domids[i], "name");
        domid = strtol(domids[i], NULL, 10);
        if (own && !strcmp(own, name) && domid > youngest) {
            youngest = domid;
            best = i;
        }
        free(own);
    }
    if (youngest)
        tty = node(xs, domids[best], "console/tty");
    free(domids);
    xs_close(xs);
    return tty;
}

static void say(const char *tty, const char *line)
{
    int fd = open(tty, O_WRONLY | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || dprintf(fd, "%s %s\n", id, line) < 0 || close(fd))
        die(125, "%s: %s", tty, strerror(errno));
}

/* What the guest says is in one of these: a domain that migrated keeps the
 * log of the name it arrived under. */
static struct log {
    const char *suffix;
    FILE *file;
    bool on;
    char *held;                 /* the last line, if it is the end's newline */
} logs[] = { { .suffix = ".log" }, { .suffix = "--incoming.log" } };

static void open_log(struct log *log, bool from_end)
{
    char path[256];

    if (log->file)
        return;
    snprintf(path, sizeof(path), CONSOLES "guest-%s%s", name, log->suffix);
    log->file = fopen(path, "re");
    if (log->file && from_end)
        fseek(log->file, 0, SEEK_END);
}

/* The guest puts one newline before the end mark, whatever came before. */
static void take_line(struct log *log, char *line)
{
    size_t len = strcspn(line, "\r\n");
    char mark[80];

    line[len] = '\0';
    snprintf(mark, sizeof(mark), "end:%s:", id);
    if (!strncmp(line, mark, strlen(mark))) {
        if (log->held && log->held[0])
            puts(log->held);
        exit((int)strtol(line + strlen(mark), NULL, 10));
    }
    if (log->on) {
        if (log->held)
            puts(log->held);
        free(log->held);
        log->held = strdup(line);
    }
    snprintf(mark, sizeof(mark), "begin:%s", id);
    if (!strcmp(line, mark))
        log->on = true;
}

static void take_all(struct log *log)
{
    static char *line;
    static size_t size;
    long place;

    open_log(log, false);
    if (!log->file)
        return;
    clearerr(log->file);
    for (;;) {
        place = ftell(log->file);
        if (getline(&line, &size, log->file) <= 0)
            return;
        if (!strchr(line, '\n')) {      /* not all of it yet */
            fseek(log->file, place, SEEK_SET);
            return;
        }
        take_line(log, line);
    }
}

int main(int argc, char **argv)
{
    const char *timeout = getenv("GUEST_TIMEOUT_S");
    time_t end = time(NULL) + (timeout ? strtol(timeout, NULL, 10) : 60);
    struct pollfd pfd = { .events = POLLIN };
    char events[4096], *tty;
    bool wait = true;
    size_t i;

    if (argc == 4 && !strcmp(argv[1], "-n")) {
        wait = false;
        argv++;
        argc--;
    }
    if (argc != 3 || strchr(argv[2], '\n'))
        die(125, "usage: ask [-n] NAME LINE");
    name = argv[1];
    snprintf(id, sizeof(id), "%ld-%ld", (long)getpid(), (long)time(NULL));
    tty = console_tty();
    if (!tty)
        die(125, "guest %s has no console", name);
    if (!wait) {
        say(tty, argv[2]);
        return 0;
    }
    pfd.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (pfd.fd < 0 || inotify_add_watch(pfd.fd, CONSOLES,
                                        IN_MODIFY | IN_CREATE) < 0)
        die(125, CONSOLES ": %s", strerror(errno));
    for (i = 0; i < 2; i++)
        open_log(&logs[i], true);
    say(tty, argv[2]);
    while (time(NULL) < end) {
        for (i = 0; i < 2; i++)
            take_all(&logs[i]);
        fflush(stdout);
        poll(&pfd, 1, 1000);
        while (read(pfd.fd, events, sizeof(events)) > 0)
            ;
    }
    die(124, "guest %s does not answer: %s", name, argv[2]);
}
