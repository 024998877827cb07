/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into the distribution's xl: stands before what xl calls of libxl
 * and libxlutil, so that vscsi= holds for the whole life of a domain.  Most
 * commands pass through here and cost nothing.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hooks.h"

#ifndef HOOKS_LIFE
#define HOOKS_LIFE "/usr/local/lib/xen-vscsi/xl-vscsi-life.so"
#endif

#define BACKENDS "/sys/bus/xen-backend/devices"
#define NO_DOMID ((uint32_t)-1)

#define PUBLIC __attribute__((visibility("default")))

static bool is_xl;              /* otherwise everything passes through */
static const hooks_life *loaded;
static bool failed_to_load;

/* The configuration file that is being read. */
static const XLU_Config *source_of;
static char *source;

/* What we stand before.  Looked up when the first of them is called: most
 * commands call none. */
static const hooks_real *real(void)
{
    static hooks_real found;

    if (found.libxl_domain_info)
        return &found;
#define X(name) *(void **)&found.name = dlsym(RTLD_NEXT, #name);
    HOOKS_INTERPOSED(X)
    HOOKS_CALLED(X)             /* ends with libxl_domain_info */
#undef X
    return &found;
}

/* ----- where we are ----- */

static bool runs_xl(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    const char *base;

    if (len <= 0)
        return false;
    path[len] = '\0';
    base = strrchr(path, '/');
    return !strcmp(base ? base + 1 : path, "xl");
}

/* Takes the object with our name out of LD_PRELOAD: what xl starts is not
 * xl.  Others stay. */
static void leave_environment(void)
{
    const char *list = getenv("LD_PRELOAD");
    char *rest, *out, *end, *word, *state = NULL;
    Dl_info self;

    if (!list || !dladdr(&is_xl, &self) || !self.dli_fname)
        return;
    rest = strdup(list);
    out = calloc(1, strlen(list) + 1);
    if (!rest || !out)
        goto out;
    end = out;
    for (word = strtok_r(rest, ": ", &state); word;
         word = strtok_r(NULL, ": ", &state)) {
        if (!strcmp(word, self.dli_fname))
            continue;
        if (end != out)
            *end++ = ':';
        end = stpcpy(end, word);
    }
    if (out[0])
        setenv("LD_PRELOAD", out, 1);
    else
        unsetenv("LD_PRELOAD");
out:
    free(rest);
    free(out);
}

static void __attribute__((constructor)) begin(void)
{
    is_xl = runs_xl();
    if (is_xl)
        leave_environment();
}

/* ----- the other object ----- */

static const hooks_life *refuse_life(const char *why)
{
    fprintf(stderr, "xl: vscsi: %s; SCSI devices are not handled\n",
            why ? why : "out of memory");
    failed_to_load = true;
    return NULL;
}

/* NULL, and said once, if it cannot be had. */
static const hooks_life *life(void)
{
    __typeof__(hooks_life_open) *open_life;
    void *object, *theirs;

    if (!is_xl || failed_to_load)
        return NULL;
    if (loaded)
        return loaded;
    object = dlopen(HOOKS_LIFE, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return refuse_life(dlerror());
    /* Structs of one libxl must not be read by the rules of another. */
    theirs = dlsym(object, "libxl_domain_info");
    if (theirs != *(void *const *)&real()->libxl_domain_info)
        return refuse_life(HOOKS_LIFE " was built for another libxenlight "
                           "than this xl's");
    *(void **)&open_life = dlsym(object, HOOKS_LIFE_OPEN);
    if (!open_life)
        return refuse_life(dlerror());
    loaded = open_life(real());
    return loaded;
}

/* ----- configuration files ----- */

PUBLIC XLU_Config *xlu_cfg_init(FILE *report, const char *report_filename)
{
    XLU_Config *cfg = real()->xlu_cfg_init(report, report_filename);

    if (is_xl && cfg && report_filename) {
        free(source);
        source = strdup(report_filename);
        source_of = cfg;
    }
    return cfg;
}

PUBLIC int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    int e = real()->xlu_cfg_readdata(cfg, data, length);

    if (e || !is_xl)
        return e;
    /* A file without vscsi= matters only after one with it. */
    if (!loaded &&
        real()->xlu_cfg_get_list(cfg, "vscsi", NULL, NULL, 1) == ESRCH)
        return 0;
    if (!life())
        return ELIBACC;
    return life()->read_config(cfg, cfg == source_of && source
                               ? source : "configuration");
}

/* ----- block devices ----- */

/* Has any guest a vhost?  Mostly none has, and then nothing is loaded. */
static bool somebody_has_vscsi(void)
{
    static const char prefix[] = "vscsi-";
    struct dirent *entry;
    bool found = false;
    DIR *dir;

    dir = opendir(BACKENDS);
    if (!dir)
        return errno != ENOENT;
    while (!found && (entry = readdir(dir)))
        found = !strncmp(entry->d_name, prefix, sizeof(prefix) - 1);
    closedir(dir);
    return found;
}

/* Of what a guest has through vscsi, nobody gets the disk. */
static int check_disks(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_disk *disks, int num)
{
    if (!is_xl || !num || !somebody_has_vscsi())
        return 0;
    return life() ? life()->check_disks(ctx, domid, disks, num) : ERROR_FAIL;
}

PUBLIC int libxl_device_disk_add(libxl_ctx *ctx, uint32_t domid,
                                 libxl_device_disk *disk,
                                 const libxl_asyncop_how *ao_how)
{
    int rc = check_disks(ctx, domid, disk, 1);

    return rc ? rc : real()->libxl_device_disk_add(ctx, domid, disk, ao_how);
}

PUBLIC int libxl_cdrom_insert(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_disk *disk,
                              const libxl_asyncop_how *ao_how)
{
    int rc = check_disks(ctx, domid, disk, 1);

    return rc ? rc : real()->libxl_cdrom_insert(ctx, domid, disk, ao_how);
}

/* ----- domains ----- */

static int before_create(libxl_ctx *ctx, libxl_domain_config *config)
{
    int rc = check_disks(ctx, NO_DOMID, config->disks, config->num_disks);

    return !rc && loaded ? loaded->before_create(config) : rc;
}

static int refuse_ao_how(void)
{
    fprintf(stderr, "xl: vscsi: a domain with SCSI devices cannot be made "
            "in the background\n");
    return ERROR_INVAL;
}

PUBLIC int libxl_domain_create_new(
    libxl_ctx *ctx, libxl_domain_config *d_config, uint32_t *domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    int rc = before_create(ctx, d_config);

    if (!rc && loaded && ao_how)
        rc = refuse_ao_how();
    if (rc)
        return rc;
    rc = real()->libxl_domain_create_new(ctx, d_config, domid, ao_how,
                                         aop_console_how);
    return loaded ? loaded->after_create(ctx, d_config, domid, true, rc)
                   : rc;
}

PUBLIC int libxl_domain_create_restore(
    libxl_ctx *ctx, libxl_domain_config *d_config, uint32_t *domid,
    int restore_fd, int send_back_fd,
    const libxl_domain_restore_params *params,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    int rc = before_create(ctx, d_config);

    if (!rc && loaded && ao_how)
        rc = refuse_ao_how();
    if (rc)
        return rc;
    rc = real()->libxl_domain_create_restore(ctx, d_config, domid, restore_fd,
                                             send_back_fd, params, ao_how,
                                             aop_console_how);
    return loaded ? loaded->after_create(ctx, d_config, domid, false, rc)
                   : rc;
}

PUBLIC int libxl_domain_soft_reset(
    libxl_ctx *ctx, libxl_domain_config *d_config, uint32_t domid,
    const libxl_asyncop_how *ao_how,
    const libxl_asyncprogress_how *aop_console_how)
{
    if (!ao_how && life())
        return life()->soft_reset(ctx, d_config, domid, ao_how,
                                  aop_console_how);
    return real()->libxl_domain_soft_reset(ctx, d_config, domid, ao_how,
                                           aop_console_how);
}

PUBLIC int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                                const libxl_asyncop_how *ao_how)
{
    if (!ao_how && life())
        return life()->destroy(ctx, domid);
    return real()->libxl_domain_destroy(ctx, domid, ao_how);
}

PUBLIC int libxl_domain_preserve(libxl_ctx *ctx, uint32_t domid,
                                 libxl_domain_create_info *info,
                                 const char *name_suffix,
                                 libxl_uuid new_uuid)
{
    int rc = real()->libxl_domain_preserve(ctx, domid, info, name_suffix,
                                           new_uuid);

    if (!rc && life())
        life()->preserved(ctx, domid);
    return rc;
}

PUBLIC int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid,
                               int suspend_cancel,
                               const libxl_asyncop_how *ao_how)
{
    int rc = real()->libxl_domain_resume(ctx, domid, suspend_cancel, ao_how);

    if (!rc && !ao_how && life())
        life()->resumed(ctx, domid);
    return rc;
}

/* ----- a domain's configuration as JSON ----- */

PUBLIC int libxl_retrieve_domain_configuration(
    libxl_ctx *ctx, uint32_t domid, libxl_domain_config *d_config,
    const libxl_asyncop_how *ao_how)
{
    int rc = real()->libxl_retrieve_domain_configuration(ctx, domid, d_config,
                                                         ao_how);

    if (!rc && !ao_how && life())
        rc = life()->retrieved(ctx, domid, d_config);
    return rc;
}

PUBLIC void libxl_domain_config_dispose(libxl_domain_config *p)
{
    if (loaded)
        loaded->disposed(p);
    real()->libxl_domain_config_dispose(p);
}

PUBLIC char *libxl_domain_config_to_json(libxl_ctx *ctx,
                                         libxl_domain_config *p)
{
    char *text = real()->libxl_domain_config_to_json(ctx, p);

    return text && loaded ? loaded->add_to_json(p, text) : text;
}

PUBLIC int libxl_domain_config_from_json(libxl_ctx *ctx,
                                         libxl_domain_config *p,
                                         const char *s)
{
    int rc = real()->libxl_domain_config_from_json(ctx, p, s);

    if (rc || !is_xl || (!loaded && !strstr(s, "\"" HOOKS_JSON_KEY "\"")))
        return rc;
    return life() ? life()->take_from_json(ctx, p, s) : ERROR_FAIL;
}

PUBLIC yajl_gen_status libxl_domain_config_gen_json(yajl_gen hand,
                                                    libxl_domain_config *p)
{
    return loaded ? loaded->gen_json(hand, p)
                  : real()->libxl_domain_config_gen_json(hand, p);
}

/* ----- migration ----- */

static bool is_header(const void *data, ssize_t size, const char *what)
{
    return what && !strcmp(what, "header") &&
           size == (ssize_t)sizeof(hooks_header) &&
           !strncmp(data, HOOKS_MAGIC, strlen(HOOKS_MAGIC));
}

PUBLIC int libxl_read_exactly(libxl_ctx *ctx, int fd, void *data, ssize_t sz,
                              const char *filename, const char *what)
{
    int e = real()->libxl_read_exactly(ctx, fd, data, sz, filename, what);
    hooks_header *header = data;

    if (e || !is_xl || !what)
        return e;
    if (loaded && !strcmp(what, "banner"))
        loaded->receiver_is_there(fd);
    else if (is_header(data, sz, what) &&
             header->mandatory_flags & HOOKS_FLAG && life())
        life()->is_asked(header);
    return 0;
}

PUBLIC int libxl_write_exactly(libxl_ctx *ctx, int fd, const void *data,
                               ssize_t sz, const char *filename,
                               const char *what)
{
    hooks_header header;

    if (loaded && is_header(data, sz, what) && filename &&
        !strcmp(filename, "migration stream")) {
        memcpy(&header, data, sizeof(header));
        loaded->sends_header(&header);
        data = &header;
    }
    return real()->libxl_write_exactly(ctx, fd, data, sz, filename, what);
}

PUBLIC int libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd,
                                int flags, const libxl_asyncop_how *ao_how)
{
    int rc = loaded ? loaded->before_suspend() : 0;

    return rc ? rc : real()->libxl_domain_suspend(ctx, domid, fd, flags,
                                                  ao_how);
}

PUBLIC int libxl_domain_remus_start(libxl_ctx *ctx,
                                    libxl_domain_remus_info *info,
                                    uint32_t domid, int send_fd, int recv_fd,
                                    const libxl_asyncop_how *ao_how)
{
    int rc = life() ? life()->before_remus(ctx, domid) : 0;

    return rc ? rc : real()->libxl_domain_remus_start(ctx, info, domid,
                                                      send_fd, recv_fd,
                                                      ao_how);
}
