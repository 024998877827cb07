/* SPDX-License-Identifier: LGPL-2.1-only */
/* xenstore through a shared page; see ring.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

#include "fakexen.h"
#include "ring.h"
#include "store.h"
#include "store_internal.h"
#include "text.h"

#define PAGE_BYTES 4096
#define MASK(i) ((i) & (XENSTORE_RING_SIZE - 1))

struct event {
    struct event *next;
    char *path, *token;
};

struct ring {
    uint32_t domid;
    struct xenstore_domain_interface *page;
    int notify;                 /* FIFO: xenstored, or ring_kick() */
    int evtchn;                 /* FIFO: wakes xenstored */
    uint32_t last_request;
    struct event *first, **last;
    /* the message that is arriving */
    struct xsd_sockmsg head;
    char *body;
    size_t have;                /* bytes of head and body */
};

static int open_in(const char *dir, const char *name, int flags)
{
    char *path = text_new("%s/%s", dir, name);
    int fd = open(path, flags | O_CLOEXEC);

    free(path);
    return fd;
}

struct ring *ring_open(const char *dir, uint32_t domid)
{
    struct ring *r = calloc(1, sizeof(*r));
    char *name = text_new("ring.%u", domid);
    int fd = open_in(dir, name, O_RDWR);

    if (!r)
        abort();
    r->domid = domid;
    r->last = &r->first;
    free(name);
    r->page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                   0);
    close(fd);
    name = text_new("notify.%u", domid);
    r->notify = open_in(dir, name, O_RDWR | O_NONBLOCK);
    free(name);
    r->evtchn = open_in(dir, "evtchn", O_WRONLY | O_NONBLOCK);
    if (r->page == MAP_FAILED || r->notify < 0 || r->evtchn < 0) {
        perror("ring_open");
        abort();
    }
    free(ring_read(r, 0, STORE_LABEL_KERNEL));
    return r;
}

void ring_close(struct ring *r)
{
    struct event *e;

    while ((e = r->first)) {
        r->first = e->next;
        free(e->path), free(e->token), free(e);
    }
    munmap(r->page, PAGE_BYTES);
    close(r->notify);
    close(r->evtchn);
    free(r->body);
    free(r);
}

void ring_kick(struct ring *r)
{
    /* A full FIFO wakes as well. */
    if (write(r->notify, "", 1) != 1)
        errno = 0;
}

/* True if something came before the time was over. */
static bool sleep_for(struct ring *r, int timeout_ms)
{
    struct pollfd pfd = { .fd = r->notify, .events = POLLIN };
    char bytes[64];

    if (poll(&pfd, 1, timeout_ms) <= 0)
        return false;
    while (read(r->notify, bytes, sizeof(bytes)) == sizeof(bytes))
        ;
    return true;
}

void ring_sleep(struct ring *r)
{
    if (!r->first)
        sleep_for(r, -1);
}

static void wake_xenstored(struct ring *r)
{
    uint32_t port = FAKEXEN_FIRST_PORT + r->domid;

    if (write(r->evtchn, &port, sizeof(port)) != sizeof(port))
        errno = 0;              /* full: it is awake */
}

static int send_bytes(struct ring *r, const void *data, size_t size)
{
    struct xenstore_domain_interface *p = r->page;
    const char *from = data;
    XENSTORE_RING_IDX prod = p->req_prod, cons;

    while (size) {
        cons = __atomic_load_n(&p->req_cons, __ATOMIC_ACQUIRE);
        if (prod - cons == XENSTORE_RING_SIZE) {
            wake_xenstored(r);
            if (!sleep_for(r, STORE_PATIENCE_MS))
                return EIO;
            continue;
        }
        /* The analyser loses count of the bytes of a struct. */
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
        p->req[MASK(prod)] = *from++;
        prod++, size--;
        __atomic_store_n(&p->req_prod, prod, __ATOMIC_RELEASE);
    }
    return 0;
}

/* Takes what is there; true when a message is complete. */
static bool receive(struct ring *r)
{
    struct xenstore_domain_interface *p = r->page;
    XENSTORE_RING_IDX cons = p->rsp_cons, prod, start = cons;
    char byte;
    bool done = false;

    prod = __atomic_load_n(&p->rsp_prod, __ATOMIC_ACQUIRE);
    while (!done && cons != prod) {
        byte = p->rsp[MASK(cons)];
        cons++;
        if (r->have < sizeof(r->head))
            ((char *)&r->head)[r->have] = byte;
        else
            r->body[r->have - sizeof(r->head)] = byte;
        r->have++;
        if (r->have == sizeof(r->head)) {
            r->body = calloc(1, r->head.len + 1);
            if (!r->body)
                abort();
        }
        done = r->have >= sizeof(r->head) &&
               r->have == sizeof(r->head) + r->head.len;
    }
    __atomic_store_n(&p->rsp_cons, cons, __ATOMIC_RELEASE);
    if (cons != start)
        wake_xenstored(r);
    return done;
}

/* The body of a complete message; the next one may come then. */
static char *take_body(struct ring *r)
{
    char *body = r->body;

    r->body = NULL;
    r->have = 0;
    return body;
}

static void take_event(struct ring *r)
{
    char *body = take_body(r);
    struct event *e = calloc(1, sizeof(*e));

    if (!e)
        abort();
    e->path = text_copy(body);
    e->token = text_copy(body + strlen(body) + 1);
    *r->last = e;
    r->last = &e->next;
    free(body);
}

static int error_of(const char *word)
{
    for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
        if (!strcmp(xsd_errors[i].errstring, word))
            return xsd_errors[i].errnum;
    return EIO;
}

/* Waits for the answer; events that come first are kept. */
static int await_answer(struct ring *r, char **body_r, unsigned *len_r)
{
    char *body;
    int rc;

    for (;;) {
        if (!receive(r)) {
            if (!sleep_for(r, STORE_PATIENCE_MS))
                return EIO;
        } else if (r->head.type == XS_WATCH_EVENT) {
            take_event(r);
        } else if (r->head.req_id == r->last_request) {
            break;
        } else {
            free(take_body(r));     /* too late: nobody waits for it */
        }
    }
    if (len_r)
        *len_r = r->head.len;
    rc = r->head.type == XS_ERROR ? EINVAL : 0;
    body = take_body(r);
    if (rc)
        rc = error_of(body);
    if (!rc && body_r)
        *body_r = body;
    else
        free(body);
    return rc;
}

/* two: sent after one and its NUL, with or without a NUL of its own. */
static int request(struct ring *r, uint32_t type, uint32_t tx,
                   const char *one, const char *two, bool two_nul,
                   char **body_r, unsigned *len_r)
{
    size_t len1 = strlen(one) + 1;
    size_t len2 = two ? strlen(two) + (two_nul ? 1 : 0) : 0;
    struct xsd_sockmsg head = {
        .type = type, .tx_id = tx, .len = (uint32_t)(len1 + len2),
        .req_id = ++r->last_request,
    };
    int rc;

    rc = send_bytes(r, &head, sizeof(head));
    if (!rc)
        rc = send_bytes(r, one, len1);
    if (!rc && len2)
        rc = send_bytes(r, two, len2);
    if (!rc) {
        wake_xenstored(r);
        rc = await_answer(r, body_r, len_r);
    }
    return rc;
}

char *ring_read(struct ring *r, uint32_t tx, const char *path)
{
    char *body = NULL;

    errno = request(r, XS_READ, tx, path, NULL, false, &body, NULL);
    return errno ? NULL : body;
}

char *ring_directory(struct ring *r, uint32_t tx, const char *path,
                     unsigned *num_r)
{
    char *body = NULL;
    unsigned len = 0;

    errno = request(r, XS_DIRECTORY, tx, path, NULL, false, &body, &len);
    if (errno)
        return NULL;
    *num_r = 0;
    for (unsigned i = 0; i < len; i++)
        *num_r += !body[i];
    return body;
}

int ring_write(struct ring *r, uint32_t tx, const char *path,
               const char *value)
{
    return request(r, XS_WRITE, tx, path, value, false, NULL, NULL);
}

int ring_rm(struct ring *r, uint32_t tx, const char *path)
{
    return request(r, XS_RM, tx, path, NULL, false, NULL, NULL);
}

int ring_begin(struct ring *r, uint32_t *tx_r)
{
    char *body = NULL;
    int rc = request(r, XS_TRANSACTION_START, 0, "", NULL, false, &body,
                     NULL);

    if (!rc)
        *tx_r = (uint32_t)strtoul(body, NULL, 10);
    free(body);
    return rc;
}

int ring_end(struct ring *r, uint32_t tx)
{
    return request(r, XS_TRANSACTION_END, tx, "T", NULL, false, NULL, NULL);
}

int ring_watch(struct ring *r, const char *path, const char *token)
{
    return request(r, XS_WATCH, 0, path, token, true, NULL, NULL);
}

int ring_unwatch(struct ring *r, const char *path, const char *token)
{
    return request(r, XS_UNWATCH, 0, path, token, true, NULL, NULL);
}

bool ring_has_event(struct ring *r)
{
    while (receive(r)) {
        if (r->head.type == XS_WATCH_EVENT)
            take_event(r);
        else
            free(take_body(r));     /* an answer that came too late */
    }
    return r->first != NULL;
}

bool ring_event(struct ring *r, char **path_r, char **token_r)
{
    struct event *e;

    if (!ring_has_event(r))
        return false;
    e = r->first;
    r->first = e->next;
    if (!r->first)
        r->last = &r->first;
    *path_r = e->path;
    *token_r = e->token;
    free(e);
    return true;
}
