/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The gate of the preloaded object.  It learns what it has to know without
 * the other object, which may be missing, of another version, or built for
 * another release of Xen.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "gate.h"

#ifndef HOOKS_LIFE
#define HOOKS_LIFE "/usr/local/lib/xen-vscsi/xl-vscsi-life.so"
#endif

#define INSTALL "install xen-vscsi again, built for the Xen that runs"

bool gate_is_on;
unsigned gate_verbose;
const hooks_life *gate_life;
bool gate_saved_has_devices;

static bool matters_now;
static char reason[1024];
static bool has_said_reason;

/* ----- the other object ----- */

static bool fail(const char *why)
{
    snprintf(reason, sizeof(reason), "%s", why ? why : "out of memory");
    return false;
}

static bool begin_life(void *object)
{
    __typeof__(hooks_life_begin) *begin;
    const unsigned *interface = dlsym(object, HOOKS_LIFE_INTERFACE);

    /* Structs of one libxl must not be read by the rules of another. */
    if (dlsym(object, "libxl_domain_info") !=
        *(void *const *)&real()->libxl_domain_info)
        return fail(HOOKS_LIFE " is built for another release of Xen than "
                    "this xl (" INSTALL ")");
    *(void **)&begin = dlsym(object, HOOKS_LIFE_BEGIN);
    if (!begin || !interface || *interface != HOOKS_INTERFACE)
        return fail(HOOKS_LIFE " is of another version than this xl's "
                    "hooks (another xl create takes the new version of both;"
                    " else install xen-vscsi again)");
    gate_life = begin(real(), gate_verbose);
    return gate_life || fail(HOOKS_LIFE " does not start");
}

/* Once more, each time: what was half installed may be whole by now. */
static bool load(void)
{
    void *object = dlopen(HOOKS_LIFE, RTLD_NOW | RTLD_LOCAL);
    const char *why;

    if (!object) {
        why = dlerror();
        snprintf(reason, sizeof(reason), "%s (" INSTALL ")",
                 why ? why : HOOKS_LIFE " cannot be loaded");
        return false;
    }
    if (begin_life(object))
        return true;
    dlclose(object);
    return false;
}

/* ----- does vscsi matter? ----- */

void gate_matters(bool matters)
{
    matters_now = matters;
}

gate_state gate_needed(void)
{
    if (!gate_is_on)
        return GATE_NOTHING;
    return gate_life || load() ? GATE_LOADED : GATE_REFUSED;
}

gate_state gate_now(void)
{
    return gate_life || matters_now ? gate_needed() : GATE_NOTHING;
}

/* libxl has loaded libxenstore; this object needs nothing but libc. */
typedef struct xenstore {
    __typeof__(xs_open) *open;
    __typeof__(xs_close) *close;
    __typeof__(xs_directory) *list;
    __typeof__(xs_write) *write;
    struct xs_handle *h;
} xenstore;

static bool open_xenstore(xenstore *xs)
{
    *(void **)&xs->open = dlsym(RTLD_DEFAULT, "xs_open");
    *(void **)&xs->close = dlsym(RTLD_DEFAULT, "xs_close");
    *(void **)&xs->list = dlsym(RTLD_DEFAULT, "xs_directory");
    *(void **)&xs->write = dlsym(RTLD_DEFAULT, "xs_write");
    xs->h = xs->open && xs->close && xs->list && xs->write ? xs->open(0)
                                                           : NULL;
    return xs->h;
}

/* What cannot be looked at may be there. */
static bool has_any(const xenstore *xs, uint32_t domid, const char *what)
{
    char path[64], **names;
    unsigned num = 0;

    snprintf(path, sizeof(path), "/libxl/%u/%s", domid, what);
    names = xs->list(xs->h, XBT_NULL, path, &num);
    free(names);
    return names ? num > 0 : errno != ENOENT;
}

static bool has_record(uint32_t domid)
{
    xenstore xs;
    bool has;

    if (!open_xenstore(&xs))
        return true;
    has = has_any(&xs, domid, "device/vscsi") ||
          has_any(&xs, domid, "vscsi-missing");
    xs.close(xs.h);
    return has;
}

void gate_mark(uint32_t domid)
{
    static const char number[] = HOOKS_TEXT_OF(HOOKS_INTERFACE);
    char path[64];
    xenstore xs;

    if (!gate_is_on || !open_xenstore(&xs))
        return;
    snprintf(path, sizeof(path), "/libxl/%u/" LIBXL_VSCSI_MONITOR, domid);
    if (!xs.write(xs.h, XBT_NULL, path, number, sizeof(number) - 1))
        fprintf(stderr, "xl: vscsi: cannot write %s to xenstore: %s\n", path,
                strerror(errno));
    xs.close(xs.h);
}

gate_state gate_domain(uint32_t domid)
{
    if (!gate_is_on)
        return GATE_NOTHING;
    return gate_life || has_record(domid) ? gate_needed() : GATE_NOTHING;
}

/* ----- what there is to say ----- */

const char *gate_reason(void)
{
    return reason;
}

void gate_say(const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (has_said_reason)
        fprintf(stderr, "xl: vscsi: %s, for the same reason\n", text);
    else
        fprintf(stderr, "xl: vscsi: %s: %s.  XL_VSCSI=off in the environment"
                " goes on without the SCSI devices\n", text, reason);
    has_said_reason = true;
}
