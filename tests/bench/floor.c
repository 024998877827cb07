/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the operations cost at least: a client of libxenstore that writes
 * the nodes that the toolstack writes, in one transaction, and waits for
 * the states that it waits for.  It checks nothing and undoes nothing.
 *
 * It loads libxenstore, 5 ms of its time: the static one has no thread that
 * reads, and takes an event that comes before an answer for the lack of one.
 *
 *  floor plug   DOMID DEVID 0 P-DEV...  a new vscsictrl: dev-0 and on
 *  floor attach DOMID DEVID N P-DEV     dev-N, as vdev DEVID:0:0:N
 *  floor detach DOMID DEVID N
 *  floor unplug DOMID DEVID 0           the whole vscsictrl
 *  floor list [DOMID]                   reads what a listing needs
 *  floor export H C T L NODE            the LIO objects that a device needs
 *  floor unexport H C T L NODE          and away with them
 *
 * Changes print, to descriptor 3, the microseconds from the commit to the
 * last state: what the two kernels took; or those that LIO took.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#define PATIENCE_MS 60000
#define BACKENDS "/local/domain/0/backend/vscsi"

static struct xs_handle *xs;
static xs_transaction_t t;
static double committed_us;
static const char *domid, *devid, *dev;
static char backend[128], frontend[128], record[128];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void put(const char *base, const char *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void put(const char *base, const char *node, const char *fmt, ...)
{
    char path[256], value[4096];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    snprintf(path, sizeof(path), "%s%s%s", base, *node ? "/" : "", node);
    if (!xs_write(xs, t, path, value, (unsigned)strlen(value)))
        die(path);
}

static void put_dev(const char *node, const char *value)
{
    char path[64];

    snprintf(path, sizeof(path), "vscsi-devs/dev-%s/%s", dev, node);
    put(backend, path, "%s", value);
}

static void drop(const char *base, const char *node)
{
    char path[256];

    snprintf(path, sizeof(path), "%s%s%s", base, *node ? "/" : "", node);
    xs_rm(xs, t, path);
}

/* A state of an end, or of dev-N; 0: there is none. */
static int state_of(const char *base, const char *of_dev)
{
    char path[256], *value;
    int state;

    snprintf(path, sizeof(path), of_dev ? "%s/vscsi-devs/dev-%s/state"
                                        : "%s/state", base, of_dev);
    value = xs_read(xs, XBT_NULL, path, NULL);
    state = value ? (int)strtol(value, NULL, 10) : 0;
    free(value);
    return state;
}

static void begin(void)
{
    t = xs_transaction_start(xs);
    if (t == XBT_NULL)
        die("transaction");
}

static void commit(void)
{
    if (!xs_transaction_end(xs, t, false))
        die("commit");
    t = XBT_NULL;
    committed_us = now_us();
}

/* Until the backend is in the state and, if it matters, dev-N is. */
static void await(int state, int backend_dev, int frontend_dev)
{
    struct pollfd pfd = { .fd = xs_fileno(xs), .events = POLLIN };

    if (!xs_watch(xs, backend, "w"))
        die("watch");
    for (;;) {
        char **event;

        if (poll(&pfd, 1, PATIENCE_MS) <= 0)
            die("no answer");
        while ((event = xs_check_watch(xs)))
            free(event);
        if (state_of(backend, NULL) != state ||
            (backend_dev && state_of(backend, dev) != backend_dev))
            continue;
        if (frontend_dev && state_of(frontend, dev) != frontend_dev)
            die("the guest refused it");
        dprintf(3, "%.0f\n", now_us() - committed_us);
        return;
    }
}

static void add_ctrl(void)
{
    unsigned id = (unsigned)strtoul(domid, NULL, 10);
    struct xs_permissions front[] = { { id, XS_PERM_NONE },
                                      { 0, XS_PERM_READ } };
    struct xs_permissions back[] = { { 0, XS_PERM_NONE },
                                     { id, XS_PERM_READ } };

    put(record, "", "{\"version\":1,\"devid\":%s,\"idx\":%s}", devid, devid);
    put(record, "frontend", "%s", frontend);
    put(record, "backend", "%s", backend);
    if (!xs_mkdir(xs, t, frontend) ||
        !xs_set_permissions(xs, t, frontend, front, 2))
        die(frontend);
    put(frontend, "backend", "%s", backend);
    put(frontend, "backend-id", "0");
    put(frontend, "state", "1");
    if (!xs_mkdir(xs, t, backend) ||
        !xs_set_permissions(xs, t, backend, back, 2))
        die(backend);
    put(backend, "frontend", "%s", frontend);
    put(backend, "frontend-id", "%s", domid);
    put(backend, "online", "1");
    put(backend, "feature-host", "0");
    put(backend, "state", "1");
}

#define ID "{\"vscsidev_id\":%s,"

/* The record's lines but that of dev-N, and then add. */
static void put_record(const char *add)
{
    char path[256], id[32], lines[4096] = "", *old, *line, *save = NULL;
    size_t len;

    snprintf(path, sizeof(path), "%s/vscsi-devs", record);
    snprintf(id, sizeof(id), ID, dev);
    old = xs_read(xs, t, path, NULL);
    line = old ? strtok_r(old, "\n", &save) : NULL;
    for (; line; line = strtok_r(NULL, "\n", &save)) {
        len = strlen(lines);
        if (strncmp(line, id, strlen(id)))
            snprintf(lines + len, sizeof(lines) - len, "%s\n", line);
    }
    free(old);
    len = strlen(lines);
    snprintf(lines + len, sizeof(lines) - len, "%s", add);
    put(record, "vscsi-devs", "%s", lines);
}

static void print_dev(char *line, size_t size, const char *p_dev)
{
    snprintf(line, size, ID "\"pdev\":{\"p_devname\":\"%s\",\"type.wwn\":"
             "{\"m\":\"%s\"}},\"vdev\":{\"hst\":%s,\"lun\":%s}}\n", dev,
             p_dev, p_dev, devid, dev);
}

static void add_dev(const char *p_dev)
{
    char v_dev[64];

    snprintf(v_dev, sizeof(v_dev), "%s:0:0:%s", devid, dev);
    put_dev("p-dev", p_dev);
    put_dev("p-devname", p_dev);
    put_dev("v-dev", v_dev);
    put_dev("state", "1");
}

static void attach(const char *p_dev)
{
    char line[512];

    print_dev(line, sizeof(line), p_dev);
    begin();
    put_record(line);
    add_dev(p_dev);
    put(backend, "state", "7");
    commit();
    await(4, 4, 4);
}

static void plug(char **p_devs, int num)
{
    static char last[16], lines[4096];
    size_t len;
    int i;

    begin();
    add_ctrl();
    for (i = 0; i < num; i++) {
        snprintf(last, sizeof(last), "%d", i);
        dev = last;
        len = strlen(lines);
        print_dev(lines + len, sizeof(lines) - len, p_devs[i]);
        add_dev(p_devs[i]);
    }
    put_record(lines);
    commit();
    await(4, 4, 4);
}

static void detach(void)
{
    char node[64];

    begin();
    put_dev("state", "5");
    put(backend, "state", "7");
    commit();
    await(4, 6, 0);
    begin();
    snprintf(node, sizeof(node), "vscsi-devs/dev-%s", dev);
    drop(backend, node);
    drop(frontend, node);
    put_record("");
    commit();
}

static void unplug(void)
{
    begin();
    put(backend, "online", "0");
    put(backend, "state", "5");
    commit();
    await(6, 0, 0);
    begin();
    drop(frontend, "");
    drop(backend, "");
    drop(record, "");
    commit();
}

/* ----- reading ----- */

static char *get(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static char *get(const char *fmt, ...)
{
    char path[256], *value;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    value = xs_read(xs, XBT_NULL, path, NULL);
    return value ? value : strdup("");
}

static char **names(unsigned *num, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static char **names(unsigned *num, const char *fmt, ...)
{
    char path[256], **list;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    list = xs_directory(xs, XBT_NULL, path, num);
    if (!list)
        *num = 0;
    return list;
}

static void list_ctrl(const char *dom, const char *name, const char *host)
{
    static const char id[] = "{\"vscsidev_id\":";
    char *state = get(BACKENDS "/%s/%s/state", dom, host);
    char *text = get("/libxl/%s/device/vscsi/%s", dom, host);
    char *at;

    /* Of those that one message holds. */
    for (at = text; at && (at = strstr(at, id)); at += sizeof(id)) {
        char *dev_state = get(BACKENDS "/%s/%s/vscsi-devs/dev-%ld/state",
                              dom, host,
                              strtol(at + sizeof(id) - 1, NULL, 10));

        printf("%s %s %s %s %s %.80s\n", name, dom, host, state, dev_state,
               at);
        free(dev_state);
    }
    free(text);
    free(state);
}

static void list(const char *dom)
{
    char *name = get("/local/domain/%s/name", dom);
    unsigned i, num;
    char **hosts = names(&num, "/libxl/%s/device/vscsi", dom);

    for (i = 0; i < num; i++)
        list_ctrl(dom, name, hosts[i]);
    free(hosts);
    free(name);
}

static void list_all(void)
{
    unsigned i, num;
    char **doms = names(&num, BACKENDS);

    for (i = 0; i < num; i++)
        list(doms[i]);
    free(doms);
}

/* ----- LIO ----- */

#define LIO "/sys/kernel/config/target"
#define HBA LIO "/core/pscsi_901"
#define BACKSTORE HBA "/floor"
#define TARGET LIO "/xen-pvscsi/naa.6001405000000003"
#define TPG TARGET "/tpgt_1"
#define LUN TPG "/lun/lun_0"

static void write_file(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, value, strlen(value)) < 0 || close(fd))
        die(path);
}

static void make(const char *path)
{
    if (mkdir(path, 0755))
        die(path);
}

static void export(char **hctl)
{
    char place[128];

    snprintf(place, sizeof(place), "scsi_host_id=%s,scsi_channel_id=%s,"
             "scsi_target_id=%s,scsi_lun_id=%s", hctl[0], hctl[1], hctl[2],
             hctl[3]);
    make(HBA);
    make(BACKSTORE);
    write_file(BACKSTORE "/control", place);
    write_file(BACKSTORE "/udev_path", hctl[4]);
    write_file(BACKSTORE "/enable", "1");
    make(TARGET);
    make(TPG);
    write_file(TPG "/nexus", "naa.6001405000000004");
    write_file(TPG "/param/alias", "floor");
    make(LUN);
    if (symlink(BACKSTORE, LUN "/link"))
        die(LUN);
}

static void unexport(void)
{
    static const char *const dirs[] = { LUN, TPG, TARGET, BACKSTORE, HBA };
    unsigned i;

    unlink(LUN "/link");
    write_file(TPG "/nexus", "NULL");
    for (i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
        if (rmdir(dirs[i]))
            die(dirs[i]);
}

static int lio(const char *what, char **hctl)
{
    double start = now_us();

    if (!strcmp(what, "export"))
        export(hctl);
    else
        unexport();
    dprintf(3, "%.0f\n", now_us() - start);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (argc > 6 && strstr(what, "export"))
        return lio(what, argv + 2);
    xs = xs_open(0);
    if (!xs)
        die("xenstore");
    if (!strcmp(what, "list")) {
        if (argc > 2)
            list(argv[2]);
        else
            list_all();
        return 0;
    }
    if (argc < 5)
        return 2;
    domid = argv[2];
    devid = argv[3];
    dev = argv[4];
    snprintf(backend, sizeof(backend), BACKENDS "/%s/%s", domid, devid);
    snprintf(frontend, sizeof(frontend), "/local/domain/%s/device/vscsi/%s",
             domid, devid);
    snprintf(record, sizeof(record), "/libxl/%s/device/vscsi/%s", domid,
             devid);
    if (argc > 5 && !strcmp(what, "attach"))
        attach(argv[5]);
    else if (argc > 5 && !strcmp(what, "plug"))
        plug(argv + 5, argc - 5);
    else if (!strcmp(what, "detach"))
        detach();
    else if (!strcmp(what, "unplug"))
        unplug();
    else
        return 2;
    return 0;
}
