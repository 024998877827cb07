/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The hold: libvirt has no hook between the making of a domain and its first
 * instruction, and so a process of ours pauses the domain as soon as it is
 * there.  It listens on a socket, for the hook that ends the hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#include "hook.h"

#ifndef HOLD_DIR
#define HOLD_DIR "/run/xen-vscsi"
#endif
#ifndef LIBVIRT_STATE
#define LIBVIRT_STATE "/run/libvirt/libxl"
#endif
/* libvirt makes the domain at once; big ones take long from then on. */
#ifndef ARRIVAL_MS
#define ARRIVAL_MS 60000
#endif
#ifndef HOLD_MS
#define HOLD_MS 600000
#endif
#define ANSWER_MS 20000

#define NO_DOMID UINT32_MAX

/* What is said on the socket: a question or order, and its answer. */
#define ASK_STATE 's'
#define END_HOLD 'e'
#define IS_HELD 'h'
#define IS_WAITING 'w'
#define HAS_ENDED 'k'

typedef struct holder {
    const definition *def;
    uint32_t *old;              /* domains of that UUID which are not meant */
    int num_old;
    int libvirtd;               /* a pidfd */
    int listener, client;       /* sockets */
    struct xs_handle *xsh;
    libxl_ctx *ctx;
    uint32_t domid;             /* NO_DOMID until it is held */
    uint64_t end_ms;
    bool libvirtd_died, over;
} holder;

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void socket_address(const definition *def, struct sockaddr_un *sa_r)
{
    memset(sa_r, 0, sizeof(*sa_r));
    sa_r->sun_family = AF_UNIX;
    snprintf(sa_r->sun_path, sizeof(sa_r->sun_path),
             HOLD_DIR "/hold-" LIBXL_UUID_FMT, LIBXL_UUID_BYTES(def->uuid));
}

static char *mark_path(uint32_t domid)
{
    char *path;

    return asprintf(&path, "/libxl/%u/scsi-hold", domid) < 0 ? NULL : path;
}

/* ----- messages of a process that has no terminal ----- */

static void to_syslog(xentoollog_logger *lg, xentoollog_level level,
                      int errnoval, const char *context, const char *format,
                      va_list al)
{
    (void)lg, (void)errnoval, (void)context;
    if (level >= XTL_WARN)
        vsyslog(level >= XTL_ERROR ? LOG_ERR : LOG_WARNING, format, al);
}

static void no_progress(xentoollog_logger *lg, const char *context,
                        const char *doing_what, int percent,
                        unsigned long done, unsigned long total)
{
    (void)lg, (void)context, (void)doing_what;
    (void)percent, (void)done, (void)total;
}

static void stay(xentoollog_logger *lg) { (void)lg; }

static xentoollog_logger syslog_logger = { to_syslog, no_progress, stay };

/* ----- the domain ----- */

static bool is_old(const holder *h, uint32_t domid)
{
    int i;

    for (i = 0; i < h->num_old; i++)
        if (h->old[i] == domid)
            return true;
    return false;
}

/* All domains of that UUID, or the new one. */
static bool look_for(holder *h, bool old)
{
    libxl_dominfo *infos;
    int i, num = 0;
    bool ok = true;

    infos = libxl_list_domain(h->ctx, &num);
    if (!infos)
        return false;
    if (old) {
        h->old = calloc((size_t)num + 1, sizeof(*h->old));
        ok = h->old;
    }
    for (i = 0; ok && i < num; i++) {
        if (libxl_uuid_compare(&infos[i].uuid, &h->def->uuid))
            continue;
        if (old)
            h->old[h->num_old++] = infos[i].domid;
        else if (!is_old(h, infos[i].domid) && !infos[i].dying)
            h->domid = infos[i].domid;
    }
    libxl_dominfo_list_free(infos, num);
    return ok;
}

static bool is_there(const holder *h)
{
    return !libxl_domain_info(h->ctx, NULL, h->domid);
}

/* The mark comes after the pause: a domain without it is refused at
 * "started". */
static void try_hold(holder *h)
{
    char *path;

    if (h->domid != NO_DOMID || !look_for(h, false) || h->domid == NO_DOMID)
        return;
    path = mark_path(h->domid);
    if (!path || libxl_domain_pause(h->ctx, h->domid, NULL)) {
        syslog(LOG_ERR, "domain %u cannot be held", h->domid);
        h->over = true;
    } else if (!xs_write(h->xsh, XBT_NULL, path, "1", 1)) {
        syslog(LOG_ERR, "domain %u cannot be held: xenstore: %m", h->domid);
        libxl_domain_unpause(h->ctx, h->domid, NULL);
        h->over = true;
    }
    free(path);
    h->end_ms = now_ms() + HOLD_MS;
}

static bool give_back(libxl_ctx *ctx, struct xs_handle *xsh, uint32_t domid)
{
    char *path = mark_path(domid);
    bool ok = path && !libxl_domain_unpause(ctx, domid, NULL);

    if (ok)
        xs_rm(xsh, XBT_NULL, path);
    free(path);
    return ok;
}

/* ----- without libvirtd ----- */

static void destroy(const holder *h, const char *why)
{
    syslog(LOG_ERR, "domain %u, %s: destroyed: %s", h->domid, h->def->name,
           why);
    libxl_domain_destroy(h->ctx, h->domid, NULL);
    libxl_vscsi_cleanup_domain(h->ctx, h->domid);
}

static bool is_paused(const holder *h)
{
    libxl_dominfo info;
    bool paused;

    libxl_dominfo_init(&info);
    paused = !libxl_domain_info(h->ctx, &info, h->domid) && info.paused;
    libxl_dominfo_dispose(&info);
    return paused;
}

/* libvirt writes it when the domain has been started. */
static bool libvirt_knows(const holder *h)
{
    char *path;
    bool knows;

    if (asprintf(&path, LIBVIRT_STATE "/%s.xml", h->def->name) < 0)
        return true;
    knows = !access(path, F_OK);
    free(path);
    return knows;
}

static void act_alone(holder *h)
{
    definition *def = (definition *)(uintptr_t)h->def;

    h->over = true;
    syslog(LOG_WARNING, "domain %u, %s: %s: attaching its SCSI devices",
           h->domid, h->def->name, h->libvirtd_died ? "libvirtd has died"
           : "libvirtd takes too long to start it");
    if (attach_rest(h->ctx, h->domid, def))
        destroy(h, "it cannot have all of its SCSI devices");
    else if (!give_back(h->ctx, h->xsh, h->domid))
        destroy(h, "it cannot be unpaused");
    else if (h->libvirtd_died && is_paused(h) && !libvirt_knows(h))
        destroy(h, "libvirtd had not finished starting it");
}

/* ----- the process ----- */

static void answer(holder *h, char word)
{
    if (send(h->client, &word, 1, MSG_NOSIGNAL) != 1)
        return;
}

static void hear(holder *h)
{
    char word;

    if (recv(h->client, &word, 1, MSG_DONTWAIT) != 1) {
        close(h->client);
        h->client = -1;
        return;
    }
    if (word == ASK_STATE) {
        answer(h, h->domid == NO_DOMID ? IS_WAITING : IS_HELD);
    } else if (word == END_HOLD) {
        if (h->domid == NO_DOMID || give_back(h->ctx, h->xsh, h->domid))
            answer(h, HAS_ENDED);
        h->over = true;
    }
}

static void drain_watches(holder *h)
{
    char **event;

    while ((event = xs_check_watch(h->xsh)))
        free(event);
}

static int time_left(const holder *h)
{
    uint64_t now = now_ms();

    return now < h->end_ms ? (int)(h->end_ms - now) : 0;
}

static void step(holder *h)
{
    struct pollfd fds[] = {
        { .fd = xs_fileno(h->xsh), .events = POLLIN },
        { .fd = h->client == -1 ? h->listener : h->client,
          .events = POLLIN },
        { .fd = h->libvirtd_died ? -1 : h->libvirtd, .events = POLLIN },
    };
    int r = poll(fds, 3, h->client == -1 ? time_left(h) : -1);

    if (r < 0 && errno != EINTR) {
        syslog(LOG_ERR, "poll: %m");
        h->over = true;
    }
    if (r < 0)
        return;
    if (fds[0].revents) {
        drain_watches(h);
        if (h->domid != NO_DOMID && !is_there(h))
            h->over = true;     /* somebody has destroyed it */
    }
    try_hold(h);
    if (fds[1].revents && h->client == -1)
        h->client = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC);
    else if (fds[1].revents)
        hear(h);
    h->libvirtd_died |= fds[2].revents != 0;
    if (h->over || h->client != -1 ||
        (!h->libvirtd_died && time_left(h)))
        return;
    if (h->domid != NO_DOMID)
        act_alone(h);
    h->over = true;             /* and no domain comes any more */
}

static bool listen_at(holder *h, const struct sockaddr_un *sa)
{
    if (mkdir(HOLD_DIR, 0700) && errno != EEXIST)
        return false;
    unlink(sa->sun_path);
    h->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return h->listener >= 0 &&
           !bind(h->listener, (const struct sockaddr *)sa, sizeof(*sa)) &&
           !listen(h->listener, 4);
}

static bool watch(holder *h)
{
    char vm[64];

    snprintf(vm, sizeof(vm), "/vm/" LIBXL_UUID_FMT,
             LIBXL_UUID_BYTES(h->def->uuid));
    h->xsh = xs_open(0);
    return h->xsh && xs_watch(h->xsh, vm, "vm") &&
           xs_watch(h->xsh, "@introduceDomain", "new") &&
           xs_watch(h->xsh, "@releaseDomain", "gone");
}

/* Ends with the process; says by ready that all is set up. */
static void run(const definition *def, pid_t libvirtd, int ready)
{
    holder h = {
        .def = def,
        .libvirtd = (int)syscall(SYS_pidfd_open, libvirtd, 0),
        .listener = -1, .client = -1, .domid = NO_DOMID,
        .end_ms = now_ms() + ARRIVAL_MS,
    };
    struct sockaddr_un sa;

    openlog("xen-vscsi", LOG_PID, LOG_DAEMON);
    libxl_vscsi_set_logger(&syslog_logger);
    socket_address(def, &sa);
    /* The domains that are there are listed before the watches fire. */
    if (h.libvirtd >= 0 && listen_at(&h, &sa) &&
        !libxl_ctx_alloc(&h.ctx, LIBXL_VERSION, 0, &syslog_logger) &&
        look_for(&h, true) && watch(&h) && write(ready, "", 1) == 1) {
        close(ready);
        while (!h.over)
            step(&h);
        unlink(sa.sun_path);
    }
    free(h.old);
}

bool hold_begin(const definition *def)
{
    pid_t libvirtd = getppid(), child;
    int ready[2], null, status;
    struct pollfd pfd;
    bool ok = false;
    char word;

    hold_cancel(def);
    if (pipe2(ready, O_CLOEXEC))
        return false;
    child = fork();
    if (!child && setsid() >= 0 && !fork()) {
        /* libvirtd waits for the end of the hook's stderr. */
        null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
            dup2(null, 2) < 0 || chdir("/"))
            _exit(1);
        run(def, libvirtd, ready[1]);
        _exit(0);
    }
    if (!child)
        _exit(0);
    close(ready[1]);
    if (child > 0) {
        waitpid(child, &status, 0);
        pfd = (struct pollfd){ .fd = ready[0], .events = POLLIN };
        ok = poll(&pfd, 1, ANSWER_MS) == 1 && read(ready[0], &word, 1) == 1;
    }
    close(ready[0]);
    if (!ok)
        say("domain %s cannot be held until it has its SCSI devices: the "
            "process for that does not start (the system's log says more)",
            def->name);
    return ok;
}

/* ----- the other end ----- */

/* The answer to word; 0: the process is dead, or does not answer. */
static char ask(int fd, char word)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };

    if (send(fd, &word, 1, MSG_NOSIGNAL) != 1 ||
        poll(&pfd, 1, ANSWER_MS) != 1 || recv(fd, &word, 1, 0) != 1)
        return 0;
    return word;
}

static int connect_to(const definition *def)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un sa;

    socket_address(def, &sa);
    if (fd >= 0 && !connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool is_marked(struct xs_handle *xsh, uint32_t domid)
{
    char *path = mark_path(domid), *value = NULL;
    unsigned length;
    bool marked;

    if (path)
        value = xs_read(xsh, XBT_NULL, path, &length);
    marked = value != NULL;
    free(path);
    free(value);
    return marked;
}

bool hold_open(const definition *def, uint32_t domid, hold *hold_r)
{
    struct xs_handle *xsh = xs_open(0);
    int fd;

    if (!xsh) {
        say("cannot reach xenstore: %s", strerror(errno));
        return false;
    }
    fd = connect_to(def);
    if (fd >= 0 && ask(fd, ASK_STATE) != IS_HELD) {
        close(fd);
        fd = -1;
    }
    hold_r->fd = fd;
    hold_r->marked = is_marked(xsh, domid);
    xs_close(xsh);
    return true;
}

bool hold_end(libxl_ctx *ctx, uint32_t domid, hold *h)
{
    struct xs_handle *xsh;
    bool ok;

    if (h->fd >= 0 && ask(h->fd, END_HOLD) == HAS_ENDED) {
        hold_close(h);
        return true;
    }
    hold_close(h);
    xsh = xs_open(0);
    ok = xsh && (!is_marked(xsh, domid) || give_back(ctx, xsh, domid));
    if (!ok)
        say("domain %u cannot be unpaused", domid);
    xs_close(xsh);
    return ok;
}

void hold_close(hold *h)
{
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
}

void hold_cancel(const definition *def)
{
    struct sockaddr_un sa;
    int fd = connect_to(def);

    if (fd >= 0) {
        ask(fd, END_HOLD);
        close(fd);
    }
    socket_address(def, &sa);
    unlink(sa.sun_path);
}
