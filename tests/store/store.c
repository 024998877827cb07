/* SPDX-License-Identifier: LGPL-2.1-only */
/* Fixture of the store tests: xenstored, nodes, domains.  See store.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakexen.h"
#include "store.h"
#include "store_internal.h"
#include "text.h"

#ifndef STORE_SRCDIR
#define STORE_SRCDIR "tests/store"
#endif

#define MAX_DOMAINS 64
#define PAGE_BYTES 4096

struct store {
    char *dir;
    pid_t pid;
    int events;                 /* FIFO by which domains wake xenstored */
    struct xs_handle *xsh;
    uint32_t domids[MAX_DOMAINS];
    unsigned num_domains;
    store_domain_hook *hook;
    void *hook_arg;
};

/* ----- start and stop ----- */

static char *file_in(const struct store *s, const char *name)
{
    return text_new("%s/%s", s->dir, name);
}

static void make_file(const struct store *s, const char *name,
                      const char *content, size_t size)
{
    char *path = file_in(s, name);
    FILE *f = fopen(path, "we");

    if (!f || fputs(content, f) < 0 || fclose(f) ||
        (size && truncate(path, (off_t)size)))
        fail_msg("cannot make %s: %s", path, strerror(errno));
    free(path);
}

static void make_fifo(const struct store *s, const char *name)
{
    char *path = file_in(s, name);

    if (mkfifo(path, 0600) && errno != EEXIST)
        fail_msg("cannot make %s: %s", path, strerror(errno));
    free(path);
}

static void remove_dir(const char *dir)
{
    pid_t pid = fork();

    if (!pid) {
        execl("/bin/rm", "rm", "-rf", dir, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

static char *find_xenstored(void)
{
    static char path[512];
    FILE *p;
    char *ok;
    int r;

    if (path[0])
        return path;
    p = popen("sh '" STORE_SRCDIR "/xenstored.sh'", "re");
    ok = p ? fgets(path, sizeof(path), p) : NULL;
    r = p ? pclose(p) : -1;
    path[strcspn(path, "\n")] = '\0';
    if (!ok || r || !path[0]) {
        path[0] = '\0';
        fail_msg("no xenstored; run `sh " STORE_SRCDIR "/xenstored.sh` "
                 "to see why");
    }
    return path;
}

static char *find_fakexen(void)
{
    const char *env = getenv("PVSCSI_FAKEXEN");
    char self[512], *slash, *path;
    ssize_t r;

    if (env && *env) {
        path = text_copy(env);
    } else {
        r = readlink("/proc/self/exe", self, sizeof(self) - 1);
        self[r > 0 ? r : 0] = '\0';
        slash = strrchr(self, '/');
        path = text_new("%.*s/fakexen.so", slash ? (int)(slash - self) : 0,
                        self);
    }
    if (access(path, R_OK))
        fail_msg("no %s: build it, or name it in PVSCSI_FAKEXEN", path);
    return path;
}

/* In the child, between fork and exec. */
static void exec_xenstored(const char *xenstored, const char *fakexen,
                           const char *dir, int output)
{
    char trace[512], log_file[512];
    int out;

    snprintf(trace, sizeof(trace), "%s/trace", dir);
    snprintf(log_file, sizeof(log_file), "%s/log", dir);
    out = open(log_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);              /* ^C ends the test, which ends xenstored */
    setenv("FAKEXEN_DIR", dir, 1);
    setenv("LD_PRELOAD", fakexen, 1);
    dup2(output, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execl(xenstored, xenstored, "-N", "-T", trace, (char *)NULL);
    _exit(127);
}

static char *read_log(const struct store *s)
{
    char *path = file_in(s, "log"), text[2048] = "";
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    text[n] = '\0';
    if (f)
        fclose(f);
    free(path);
    return text_copy(text);
}

/*
 * When xenstored is about to serve, it sends dom0 an event; should it end
 * before that, its standard output is closed.
 */
static void wait_ready(struct store *s, int dom0, int output)
{
    struct pollfd pfds[] = {
        { .fd = dom0, .events = POLLIN }, { .fd = output },
    };
    char *log_text;
    int r;

    do
        r = poll(pfds, 2, STORE_PATIENCE_MS);
    while (r < 0 && errno == EINTR);
    if (r > 0 && pfds[0].revents & POLLIN)
        return;
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    log_text = read_log(s);
    remove_dir(s->dir);
    fail_msg("xenstored %s: %s", r > 0 ? "ended at once" : "does not start",
             log_text);
}

static void start_xenstored(struct store *s)
{
    const char *xenstored = find_xenstored();
    char *fakexen = find_fakexen(), *path = file_in(s, "notify.0");
    int dom0 = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), fds[2];

    if (dom0 < 0 || pipe2(fds, O_CLOEXEC))
        fail_msg("pipe: %s", strerror(errno));
    s->pid = fork();
    if (s->pid < 0)
        fail_msg("fork: %s", strerror(errno));
    if (!s->pid)
        exec_xenstored(xenstored, fakexen, s->dir, fds[1]);
    close(fds[1]);
    wait_ready(s, dom0, fds[0]);
    close(fds[0]);
    close(dom0);
    free(fakexen), free(path);
}

struct store *store_start(void)
{
    struct store *s = calloc(1, sizeof(*s));
    const char *tmp = getenv("TMPDIR");
    char *path;

    assert_non_null(s);
    s->dir = text_new("%s/pvscsi-store.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(s->dir))
        fail_msg("cannot make %s: %s", s->dir, strerror(errno));
    setenv("XENSTORED_RUNDIR", s->dir, 1);
    unsetenv("XENSTORED_PATH");
    make_file(s, "xsd_port", "1\n", 0);
    make_file(s, "ring.0", "", PAGE_BYTES);
    make_fifo(s, "notify.0");
    make_fifo(s, "evtchn");
    path = file_in(s, "evtchn");
    s->events = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    free(path);
    if (s->events < 0)
        fail_msg("evtchn: %s", strerror(errno));

    start_xenstored(s);
    s->xsh = xs_open(0);
    if (!s->xsh)
        fail_msg("xs_open: %s; xenstored: %s", strerror(errno), read_log(s));
    store_dont_count(s->xsh);
    store_write(s, "/local/domain/0/name", "Domain-0");
    store_write(s, "/local/domain/0/domid", "0");
    return s;
}

void store_kill(struct store *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

void store_stop(struct store *s)
{
    const char *keep = getenv("PVSCSI_KEEP_STORE");

    if (!s)
        return;
    xs_close(s->xsh);
    if (s->pid)
        store_kill(s);
    close(s->events);
    if (keep && *keep)
        print_message("store kept in %s\n", s->dir);
    else
        remove_dir(s->dir);
    unsetenv("XENSTORED_RUNDIR");
    free(s->dir);
    free(s);
}

struct xs_handle *store_xs(struct store *s)
{
    return s->xsh;
}

const char *store_dir(struct store *s)
{
    return s->dir;
}

void store_dont_count(struct xs_handle *xsh)
{
    unsigned len;

    /* Seen in the trace; there is no such node. */
    free(xs_read(xsh, XBT_NULL, STORE_LABEL_FIXTURE, &len));
}

/* ----- domains ----- */

static void send_event(struct store *s, uint32_t port)
{
    if (write(s->events, &port, sizeof(port)) != sizeof(port))
        fail_msg("event for xenstored: %s", strerror(errno));
}

/* Gives the domain a fresh page and FIFO, and undoes an older death. */
static void make_hardware(struct store *s, uint32_t domid)
{
    char *ring = text_new("ring.%u", domid);
    char *notify = text_new("notify.%u", domid);
    char *path;

    path = file_in(s, ring);
    unlink(path);
    free(path);
    make_file(s, ring, "", PAGE_BYTES);
    make_fifo(s, notify);
    path = text_new("%s/dead.%u", s->dir, domid);
    unlink(path);
    free(path), free(ring), free(notify);
}

static void make_node(struct store *s, const char *dir, const char *name,
                      const char *value, const char *perms)
{
    char *path = text_new("%s%s%s", dir, *name ? "/" : "", name);

    store_write(s, path, value);
    if (perms)
        store_set_perms(s, path, perms);
    free(path);
}

void store_domain_create(struct store *s, uint32_t domid)
{
    char *dom = text_new("/local/domain/%u", domid);
    char *lib = text_new("/libxl/%u", domid);
    char *readable = text_new("n0,r%u", domid);
    char *owned = text_new("n%u", domid);
    char *name = text_new("guest%u", domid);
    char *number = text_new("%u", domid);

    assert_true(s->num_domains < MAX_DOMAINS);
    make_hardware(s, domid);
    make_node(s, dom, "", "", readable);
    make_node(s, dom, "name", name, NULL);
    make_node(s, dom, "domid", number, NULL);
    make_node(s, dom, "device", "", readable);
    make_node(s, dom, "data", "", owned);
    make_node(s, lib, "", "", "n0");
    make_node(s, lib, "type", "pv", NULL);
    make_node(s, lib, "device", "", NULL);
    make_node(s, lib, "scsi-monitor", "1", NULL);   /* an xl with hooks */
    if (!xs_introduce_domain(s->xsh, domid, 1, 1))
        fail_msg("introduce domain %u: %s", domid, strerror(errno));
    s->domids[s->num_domains++] = domid;
    free(dom), free(lib), free(readable), free(owned);
    free(name), free(number);
    if (s->hook)
        s->hook(s->hook_arg, domid, true);
}

static void forget_domain(struct store *s, uint32_t domid)
{
    unsigned i;

    for (i = 0; i < s->num_domains && s->domids[i] != domid; i++)
        ;
    if (i == s->num_domains)
        fail_msg("there is no domain %u", domid);
    s->domids[i] = s->domids[--s->num_domains];
    if (s->hook)
        s->hook(s->hook_arg, domid, false);
}

/* Until xenstored has noticed. */
static void let_die(struct store *s, uint32_t domid)
{
    char *name = text_new("dead.%u", domid);
    struct timespec pause = { .tv_nsec = 1000000 };
    unsigned tries = STORE_PATIENCE_MS;

    make_file(s, name, "", 0);
    free(name);
    send_event(s, FAKEXEN_VIRQ_PORT);
    while (xs_is_domain_introduced(s->xsh, domid)) {
        if (!tries--)
            fail_msg("xenstored does not let domain %u go", domid);
        nanosleep(&pause, NULL);
    }
}

void store_domain_die(struct store *s, uint32_t domid)
{
    forget_domain(s, domid);
    let_die(s, domid);
}

void store_domain_destroy(struct store *s, uint32_t domid)
{
    char *dom = text_new("/local/domain/%u", domid);
    char *lib = text_new("/libxl/%u", domid);

    forget_domain(s, domid);
    store_rm(s, dom);
    store_rm(s, lib);
    let_die(s, domid);
    free(dom), free(lib);
}

void store_set_domain_hook(struct store *s, store_domain_hook *hook,
                           void *arg)
{
    s->hook = hook;
    s->hook_arg = arg;
}

unsigned store_domains(struct store *s, const uint32_t **domids_r)
{
    *domids_r = s->domids;
    return s->num_domains;
}
