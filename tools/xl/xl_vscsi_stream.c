/* SPDX-License-Identifier: LGPL-2.1-only */
/* The preloaded object, where a running domain is saved, sent or goes on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"

/* The domain whose suspend was refused: it runs, nothing is to be resumed. */
static uint32_t untouched_domid = NO_DOMID;

/* ----- what a domain is sent and received by ----- */

static bool is_header(const void *data, ssize_t size, const char *what)
{
    return what && !strcmp(what, "header") &&
           size == (ssize_t)sizeof(hooks_header) &&
           !strncmp(data, HOOKS_MAGIC, strlen(HOOKS_MAGIC));
}

/* The sender waits for an answer, and has not touched the guest. */
static void is_asked(libxl_ctx *ctx, hooks_header *header)
{
    static const char what[] = "answer about SCSI devices";
    char *text;
    int len;

    if (gate_needed() == GATE_LOADED) {
        gate_life->is_asked(header);
        return;
    }
    header->mandatory_flags &= ~HOOKS_FLAG;
    gate_matters(true);
    len = (int)strlen(gate_reason()) + 1;
    if (asprintf(&text, HOOKS_ANSWER "%08x%s\n", (unsigned)len,
                 gate_reason()) < 0)
        return;
    real()->libxl_write_exactly(ctx, STDOUT_FILENO, text,
                                (ssize_t)strlen(text), "migration ack stream",
                                what);
    free(text);
}

PUBLIC int libxl_read_exactly(libxl_ctx *ctx, int fd, void *data, ssize_t sz,
                              const char *filename, const char *what)
{
    int e = real()->libxl_read_exactly(ctx, fd, data, sz, filename, what);
    hooks_header *header = data;

    if (e || !gate_is_on || !what)
        return e;
    if (gate_life && !strcmp(what, "banner"))
        gate_life->receiver_is_there(fd);
    else if (is_header(data, sz, what) &&
             header->mandatory_flags & HOOKS_FLAG)
        is_asked(ctx, header);
    else if (!strcmp(what, "optdata") &&
             memmem(data, (size_t)sz, JSON_KEY, strlen(JSON_KEY))) {
        gate_saved_has_devices = true;
        gate_matters(true);
    }
    return 0;
}

PUBLIC int libxl_write_exactly(libxl_ctx *ctx, int fd, const void *data,
                               ssize_t sz, const char *filename,
                               const char *what)
{
    hooks_header header;

    if (gate_life && is_header(data, sz, what) && filename &&
        !strcmp(filename, "migration stream")) {
        memcpy(&header, data, sizeof(header));
        gate_life->sends_header(&header);
        data = &header;
    }
    return real()->libxl_write_exactly(ctx, fd, data, sz, filename, what);
}

/* ----- it stands still, and goes on ----- */

/* xl does not look at what this returns, and the guest's I/O would hang. */
static void __attribute__((noreturn)) end_xl(uint32_t domid, const char *how)
{
    gate_say("domain %u is not %s", domid, how);
    exit(EXIT_FAILURE);
}

PUBLIC int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid,
                               int suspend_cancel,
                               const libxl_asyncop_how *ao_how)
{
    gate_state state;
    int rc;

    if (domid == untouched_domid)
        return 0;
    state = ao_how ? GATE_NOTHING : gate_domain(domid);
    if (state == GATE_REFUSED)
        end_xl(domid, "resumed");
    rc = real()->libxl_domain_resume(ctx, domid, suspend_cancel, ao_how);
    if (!rc && state == GATE_LOADED)
        gate_life->resumed(ctx, domid);
    return rc;
}

PUBLIC int libxl_domain_suspend_only(libxl_ctx *ctx, uint32_t domid,
                                     const libxl_asyncop_how *ao_how)
{
    if (!ao_how && gate_domain(domid) == GATE_REFUSED)
        end_xl(domid, "suspended");
    return real()->libxl_domain_suspend_only(ctx, domid, ao_how);
}

/* The error is the one after which xl touches nothing when it migrates; when
 * it saves, it resumes what has not been suspended. */
static int refuse_suspend(uint32_t domid)
{
    gate_say("domain %u is not saved or sent without its SCSI devices",
             domid);
    return ERROR_GUEST_TIMEDOUT;
}

PUBLIC int libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd,
                                int flags, const libxl_asyncop_how *ao_how)
{
    gate_state state = gate_domain(domid);
    int rc = 0;

    /* One that has no devices is to get none meanwhile. */
    if (state == GATE_LOADED ||
        (state == GATE_NOTHING && gate_needed() == GATE_LOADED))
        rc = gate_life->before_suspend(ctx, domid);
    else if (state == GATE_REFUSED)
        rc = refuse_suspend(domid);
    if (rc) {
        untouched_domid = domid;
        return rc;
    }
    return real()->libxl_domain_suspend(ctx, domid, fd, flags, ao_how);
}

PUBLIC int libxl_domain_remus_start(libxl_ctx *ctx,
                                    libxl_domain_remus_info *info,
                                    uint32_t domid, int send_fd, int recv_fd,
                                    const libxl_asyncop_how *ao_how)
{
    gate_state state = gate_domain(domid);
    int rc = 0;

    if (state == GATE_LOADED)
        rc = gate_life->before_remus(ctx, domid);
    else if (state == GATE_REFUSED)
        rc = refuse_suspend(domid);
    return rc ? rc : real()->libxl_domain_remus_start(ctx, info, domid,
                                                      send_fd, recv_fd,
                                                      ao_how);
}
