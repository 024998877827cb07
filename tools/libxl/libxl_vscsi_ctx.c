/* SPDX-License-Identifier: LGPL-2.1-only */
/* What one operation carries along: xenstore, bounds, words for errors; and
 * the settings of the process that it takes them from. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_ctx.h"

#define LIO_ROOT "/sys/kernel/config/target"
#define DEVICES_DIR "/sys/devices"
#define SYSFS "/sys"
#define PROCFS "/proc"
#define DEVFS "/dev"
#define LOCK_FILE "/run/xen-vscsi.lock"

/* When somebody at a terminal begins to wonder, and begins anew. */
#define PATIENCE_MS 2000
#define SAY_AGAIN_MS 15000

/* ----- settings of the process ----- */

static struct {
    pthread_mutex_t lock;
    xentoollog_logger *lg, *stderr_lg;
    bool tags;
    libxl_vscsi_timeouts timeouts;
} settings = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .timeouts = {
        .backend_ms = 10000,
        .frontend_ms = 5000,
        .handshake_ms = 60000,
        .destroy_ms = 10000,
        .lock_ms = 120000,
    },
};

void libxl_vscsi_set_logger(xentoollog_logger *lg)
{
    pthread_mutex_lock(&settings.lock);
    settings.lg = lg;
    pthread_mutex_unlock(&settings.lock);
}

void libxl_vscsi_set_domain_tag(bool tags)
{
    pthread_mutex_lock(&settings.lock);
    settings.tags = tags;
    pthread_mutex_unlock(&settings.lock);
}

void libxl_vscsi_get_timeouts(libxl_vscsi_timeouts *timeouts_r)
{
    pthread_mutex_lock(&settings.lock);
    *timeouts_r = settings.timeouts;
    pthread_mutex_unlock(&settings.lock);
}

void libxl_vscsi_set_timeouts(const libxl_vscsi_timeouts *timeouts)
{
    pthread_mutex_lock(&settings.lock);
    settings.timeouts = *timeouts;
    pthread_mutex_unlock(&settings.lock);
}

/* ----- one operation ----- */

static __thread char last_error[1024];

const char *libxl_vscsi_last_error(void)
{
    return last_error;
}

int libxl__vscsi_ctx_init(libxl__vscsi_ctx *vc)
{
    memset(vc, 0, sizeof(*vc));
    last_error[0] = '\0';
    vc->lio_root = LIO_ROOT;
    vc->devices_dir = DEVICES_DIR;
    vc->sysfs = SYSFS;
    vc->procfs = PROCFS;
    vc->devfs = DEVFS;
    vc->lock_file = LOCK_FILE;
    vc->cleaner = LIBXL__VSCSI_CLEANER;
    vc->patience_ms = PATIENCE_MS;
    pthread_mutex_lock(&settings.lock);
    if (!settings.lg && !settings.stderr_lg)
        settings.stderr_lg = (xentoollog_logger *)
            xtl_createlogger_stdiostream(stderr, XTL_NOTICE, 0);
    vc->lg = settings.lg ? settings.lg : settings.stderr_lg;
    vc->timeouts = settings.timeouts;
    vc->tags = settings.tags;
    pthread_mutex_unlock(&settings.lock);

    vc->xsh = xs_open(XS_UNWATCH_FILTER);
    if (!vc->xsh) {
        libxl__vscsi_log(vc, XTL_ERROR, "cannot reach xenstore: %s (is this "
                         "dom0, and are you root?)", strerror(errno));
        return ERROR_FAIL;
    }
    return 0;
}

void libxl__vscsi_ctx_dispose(libxl__vscsi_ctx *vc)
{
    free(vc->object);
    vc->object = NULL;
    xs_close(vc->xsh);          /* takes NULL; ends watches as well */
    vc->xsh = NULL;
}

char *libxl__vscsi_domain_name(libxl__vscsi_ctx *vc, uint32_t domid)
{
    char *path = libxl__vscsi_sprintf("/local/domain/%u/name", domid);
    char *name = path ? xs_read(vc->xsh, XBT_NULL, path, NULL) : NULL;

    free(path);
    return name ? name : libxl__vscsi_sprintf("domain %u", domid);
}

void libxl__vscsi_doing(libxl__vscsi_ctx *vc, const char *verb,
                        const char *object, uint32_t domid)
{
    char *copy = object ? strdup(object) : NULL;

    free(vc->object);
    vc->verb = verb;
    vc->object = copy;
    vc->domid = domid;
}

static void log_text(libxl__vscsi_ctx *vc, xentoollog_level level,
                     const char *text)
{
    if (level >= XTL_ERROR && !last_error[0])
        snprintf(last_error, sizeof(last_error), "%s", text);
    if (vc->tags && vc->domid)
        xtl_log(vc->lg, level, -1, "vscsi", ": Domain %u:%s", vc->domid,
                text);
    else
        xtl_log(vc->lg, level, -1, "vscsi", "%s", text);
}

void libxl__vscsi_log(libxl__vscsi_ctx *vc, xentoollog_level level,
                      const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    log_text(vc, level, text ? text : "out of memory");
    free(text);
}

/* "cannot attach /dev/sdb to guest1: "; "" where nothing is being done. */
static char *error_beginning(libxl__vscsi_ctx *vc)
{
    const char *joint = " of";
    char *domain, *text;

    if (!vc->verb)
        return vc->object ? libxl__vscsi_sprintf("%s: ", vc->object)
                          : strdup("");
    if (!strcmp(vc->verb, "attach"))
        joint = " to";
    else if (!strcmp(vc->verb, "detach"))
        joint = " from";
    domain = vc->xsh ? libxl__vscsi_domain_name(vc, vc->domid) : NULL;
    text = libxl__vscsi_sprintf("cannot %s %s%s %s: ", vc->verb,
                                vc->object ? vc->object : "a device", joint,
                                domain ? domain : "the domain");
    free(domain);
    return text;
}

void libxl__vscsi_error(libxl__vscsi_ctx *vc, const char *fmt, ...)
{
    int saved = errno;
    char *beginning, *reason;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&reason, fmt, ap) < 0)
        reason = NULL;
    va_end(ap);
    if (vc->reason_r) {
        if (*vc->reason_r)
            free(reason);
        else
            *vc->reason_r = reason;
        errno = saved;
        return;
    }
    beginning = error_beginning(vc);
    libxl__vscsi_log(vc, XTL_ERROR, "%s%s", beginning ? beginning : "",
                     reason ? reason : "out of memory");
    free(beginning);
    free(reason);
    errno = saved;
}

void libxl__vscsi_say_waiting(libxl__vscsi_ctx *vc, uint64_t since_ms,
                              uint64_t end_ms, const char *fmt, ...)
{
    uint64_t now = libxl__vscsi_now_ms();
    va_list ap;
    char *text;

    if (vc->waits_since_ms != since_ms)
        vc->said_ms = 0;
    vc->waits_since_ms = since_ms;
    if (now < since_ms + vc->patience_ms ||
        end_ms < since_ms + vc->patience_ms ||
        (vc->said_ms && now < vc->said_ms + SAY_AGAIN_MS))
        return;
    vc->said_ms = now;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    xtl_progress(vc->lg, "vscsi", text ? text : "waiting, seconds",
                 (unsigned long)((now - since_ms) / 1000),
                 (unsigned long)((end_ms - since_ms) / 1000));
    free(text);
}

char *libxl__vscsi_sprintf(const char *fmt, ...)
{
    va_list ap;
    char *text;
    int r;

    va_start(ap, fmt);
    r = vasprintf(&text, fmt, ap);
    va_end(ap);
    return r < 0 ? NULL : text;
}

/* ----- time ----- */

uint64_t libxl__vscsi_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void libxl__vscsi_pause(unsigned ms)
{
    struct timespec ts = {
        .tv_sec = (time_t)(ms / 1000),
        .tv_nsec = (long)(ms % 1000) * 1000000,
    };

    while (nanosleep(&ts, &ts) && errno == EINTR)
        ;
}
