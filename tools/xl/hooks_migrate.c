/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Migration: before the guest is touched, the sender asks whether the other
 * host can take every device.  The question is a flag in the header, which
 * an xl without these hooks refuses; the answer comes on the way on which
 * the receiver reports, before anything else:
 *
 *     "xl vscsi answer ", the number of bytes that follow as 8 hex digits,
 *     and as many bytes: what is missing, a line each; none: go ahead
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hooks_life.h"

#define ANSWER_LEN (sizeof(HOOKS_ANSWER) - 1 + 8)
#define ANSWER_MAX 65536
#ifndef ANSWER_MS
#define ANSWER_MS 150000        /* more than the other side waits for locks */
#endif

static int receiver_fd = -1;
static bool carries, asks, asked;

/* ----- the receiver ----- */

/* Keeps the errors, a line each. */
typedef struct collector {
    xentoollog_logger logger;
    char *text;
    size_t length;
} collector;

static void collect(xentoollog_logger *logger, xentoollog_level level,
                    int errnoval, const char *context, const char *format,
                    va_list al) __attribute__((format(printf, 5, 0)));

static void collect(xentoollog_logger *logger, xentoollog_level level,
                    int errnoval, const char *context, const char *format,
                    va_list al)
{
    collector *c = (collector *)logger;
    char *line, *longer;
    int len;

    (void)errnoval;
    (void)context;
    if (level < XTL_ERROR)
        return;
    len = vasprintf(&line, format, al);
    if (len < 0)
        return;
    longer = c->length + (size_t)len + 2 < ANSWER_MAX
             ? realloc(c->text, c->length + (size_t)len + 2) : NULL;
    if (longer) {
        c->text = longer;
        c->length += (size_t)snprintf(longer + c->length, (size_t)len + 2,
                                      "%s\n", line);
    }
    free(line);
}

void hooks_migrate_is_asked(hooks_header *header)
{
    header->mandatory_flags &= ~HOOKS_FLAG;
    asked = true;
}

static void send_answer(libxl_ctx *ctx, const char *text, size_t length)
{
    char head[ANSWER_LEN + 1];

    snprintf(head, sizeof(head), HOOKS_ANSWER "%08x", (unsigned)length);
    if (hooks_real_xl->libxl_write_exactly(ctx, STDOUT_FILENO, head,
                                           ANSWER_LEN, "migration ack stream",
                                           "answer about SCSI devices"))
        return;
    if (length)
        hooks_real_xl->libxl_write_exactly(ctx, STDOUT_FILENO, text,
                                           (ssize_t)length,
                                           "migration ack stream",
                                           "answer about SCSI devices");
}

bool hooks_migrate_answer(libxl_ctx *ctx, const libxl_uuid *uuid,
                          const hooks_list *list)
{
    static const char unreadable[] = "the list of devices cannot be read\n",
                      unknown[] = "no reason could be found\n";
    collector c = { .logger = { .vmessage = collect } };
    int rc;

    if (!asked)
        return true;
    asked = false;
    if (list->broken) {
        send_answer(ctx, unreadable, sizeof(unreadable) - 1);
        return false;
    }
    libxl_vscsi_set_logger(&c.logger);
    rc = libxl_vscsi_check(ctx, uuid, list->ctrls, list->num);
    libxl_vscsi_set_logger(hooks_logger);
    if (!rc)
        send_answer(ctx, NULL, 0);
    else if (c.length)
        send_answer(ctx, c.text, c.length);
    else
        send_answer(ctx, unknown, sizeof(unknown) - 1);
    free(c.text);
    return !rc;
}

/* ----- the sender ----- */

void hooks_migrate_carries(void)
{
    carries = true;
}

void hooks_migrate_receiver_is_there(int fd)
{
    receiver_fd = fd;
}

void hooks_migrate_sends_header(hooks_header *header)
{
    if (!carries || receiver_fd < 0)
        return;
    header->mandatory_flags |= HOOKS_FLAG;
    asks = true;
}

/* 1; 0 at the end of the stream; -1 on errors and when time is over. */
static int read_answer(char *buf, size_t size)
{
    struct pollfd pfd = { .fd = receiver_fd, .events = POLLIN };
    size_t got = 0;
    ssize_t r;

    while (got < size) {
        r = poll(&pfd, 1, ANSWER_MS);
        if (r > 0)
            r = read(receiver_fd, buf + got, size - got);
        else if (!r)
            return -1;
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return (int)r;
        got += (size_t)r;
    }
    return 1;
}

static void say_missing(char *text)
{
    char *line, *state = NULL;

    hooks_say("the other host cannot take all SCSI devices of the domain, "
              "which runs on here:");
    for (line = strtok_r(text, "\n", &state); line;
         line = strtok_r(NULL, "\n", &state))
        hooks_say("    %s", line);
}

static int read_reasons(const char *digits)
{
    unsigned long length = strtoul(digits, NULL, 16);
    char *text;

    if (!length)
        return 0;
    text = length < ANSWER_MAX ? calloc(1, length + 1) : NULL;
    if (text && read_answer(text, length) == 1)
        say_missing(text);
    else
        hooks_say("the other host cannot take all SCSI devices of the "
                  "domain, and its reasons were lost");
    free(text);
    return ERROR_GUEST_TIMEDOUT;
}

/* A configuration file that was given for it may name none. */
static int check_carries(libxl_ctx *ctx, uint32_t domid)
{
    hooks_list list;
    int rc;

    if (carries)
        return 0;
    rc = hooks_list_now(ctx, domid, &list);
    if (!rc && list.num)
        hooks_say("domain %u has SCSI devices, with which it would go on, "
                  "and vscsi= is missing in the configuration that was given "
                  "for it", domid);
    if (rc || list.num)
        rc = ERROR_GUEST_TIMEDOUT;
    hooks_list_dispose(&list);
    return rc;
}

/* The error is the one after which xl touches nothing. */
int hooks_migrate_before_suspend(libxl_ctx *ctx, uint32_t domid)
{
    static const size_t length = sizeof(HOOKS_ANSWER) - 1;
    char head[ANSWER_LEN + 1] = "";
    int r;

    if (!asks)
        return check_carries(ctx, domid);
    asks = false;
    r = read_answer(head, ANSWER_LEN);
    if (r == 1 && !strncmp(head, HOOKS_ANSWER, length) &&
        strspn(head + length, "0123456789abcdef") == ANSWER_LEN - length)
        return read_reasons(head + length);
    if (r < 0)
        hooks_say("the other host does not say whether it can take the SCSI "
                  "devices of the domain");
    else
        hooks_say("the xl of the other host cannot take SCSI devices: "
                  "install xen-vscsi there too, so that a command over ssh "
                  "finds its xl first (ssh HOST command -v xl)");
    return ERROR_GUEST_TIMEDOUT;
}
