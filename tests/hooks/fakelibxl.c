/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A libxenlight, libxlutil and libxenstore for the hooks to stand before, and
 * for a program named xl to call.  Every call that would touch a domain is a
 * line in the file "calls".  What there is comes from the current directory:
 *
 *     record     the domains that have SCSI devices on record
 *     store      "none": there is no xenstored; a number: its errno
 *     stored     what libxl keeps of the domain's configuration as JSON
 *
 * and FAIL in the environment, "NAME=RC ...", makes functions fail.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <yajl/yajl_gen.h>

#include <_libxl_types_json.h>
#include <xenstore.h>

#include "fake.h"

/* What stands for a guest's memory. */
static const char memory[] = "memory";

static void add_line(const char *path, const char *fmt, va_list ap)
{
    FILE *f = fopen(path, "a");

    if (!f)
        abort();
    vfprintf(f, fmt, ap);
    fputc('\n', f);
    fclose(f);
}

void fake_log(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_line("calls", fmt, ap);
    va_end(ap);
}

/* What is written to xenstore is in the file "written". */
static void __attribute__((format(printf, 1, 2))) note(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_line("written", fmt, ap);
    va_end(ap);
}

int fake_rc(const char *name)
{
    const char *fail = getenv("FAIL"), *at = fail;
    size_t length = strlen(name);

    while (at && (at = strstr(at, name))) {
        if (at[length] == '=' && (at == fail || at[-1] == ' '))
            return (int)strtol(at + length + 1, NULL, 10);
        at += length;
    }
    return 0;
}

bool fake_read(const char *path, char *text_r, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t length;

    if (!f)
        return false;
    length = fread(text_r, 1, size - 1, f);
    text_r[length] = '\0';
    fclose(f);
    return true;
}

/* One that touches a domain: a line, and what FAIL says of it. */
static int touch(const char *name, uint32_t domid)
{
    fake_log("%s %u", name, domid);
    return fake_rc(name);
}

/* ----- xenstore ----- */

struct xs_handle *xs_open(unsigned long flags)
{
    static char handle;
    char text[16];

    (void)flags;
    if (fake_read("store", text, sizeof(text)) && !strcmp(text, "none"))
        return NULL;
    return (struct xs_handle *)&handle;
}

void xs_close(struct xs_handle *xsh)
{
    (void)xsh;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    char text[256], *word, *state = NULL, wanted[64], **names;

    (void)h, (void)t;
    errno = ENOENT;
    if (fake_read("store", text, sizeof(text))) {
        errno = (int)strtol(text, NULL, 10);
        return NULL;
    }
    if (!fake_read("record", text, sizeof(text)))
        return NULL;
    for (word = strtok_r(text, " \n", &state); word;
         word = strtok_r(NULL, " \n", &state)) {
        snprintf(wanted, sizeof(wanted), "/libxl/%s/device/vscsi", word);
        if (strcmp(wanted, path))
            continue;
        names = calloc(1, sizeof(*names) + sizeof("0"));
        names[0] = (char *)(names + 1);
        names[0][0] = '0';
        *num = 1;
        return names;
    }
    return NULL;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
              const void *data, unsigned int len)
{
    (void)h, (void)t;
    note("%s=%.*s", path, (int)len, (const char *)data);
    return true;
}

/* ----- configuration files: only vscsi=['TEXT', ...] is read ----- */

struct XLU_Config {
    char *text;
};

XLU_Config *xlu_cfg_init(FILE *report, const char *report_filename)
{
    (void)report, (void)report_filename;
    return calloc(1, sizeof(XLU_Config));
}

int xlu_cfg_readdata(XLU_Config *cfg, const char *data, int length)
{
    cfg->text = strndup(data, (size_t)length);
    return fake_rc("xlu_cfg_readdata");
}

void xlu_cfg_destroy(XLU_Config *cfg)
{
    free(cfg->text);
    free(cfg);
}

/* A list is its text. */
int xlu_cfg_get_list(const XLU_Config *cfg, const char *n,
                     XLU_ConfigList **list_r, int *entries_r, int dont_warn)
{
    char *at = strstr(cfg->text, n), *quote;
    int num = 0;

    (void)dont_warn;
    if (!at)
        return ESRCH;
    at = strchr(at, '=') + 1;
    if (*at != '[')
        return EINVAL;
    for (quote = at; (quote = strchr(quote, '\'')); quote++)
        num++;
    *list_r = (XLU_ConfigList *)at;
    *entries_r = num / 2;
    return 0;
}

const char *xlu_cfg_get_listitem(const XLU_ConfigList *list, int entry)
{
    static char item[256];
    const char *at = strchr((const char *)list, '\'');

    while (entry-- > 0)
        at = strchr(strchr(at + 1, '\'') + 1, '\'');
    snprintf(item, sizeof(item), "%.*s", (int)strcspn(at + 1, "'"), at + 1);
    return item;
}

/* ----- configurations ----- */

void libxl_domain_config_init(libxl_domain_config *p)
{
    memset(p, 0, sizeof(*p));
}

void libxl_domain_config_dispose(libxl_domain_config *p)
{
    memset(p, 0x5a, sizeof(*p));
}

yajl_gen_status libxl_domain_config_gen_json(yajl_gen hand,
                                             libxl_domain_config *p)
{
    (void)p;
    yajl_gen_map_open(hand);
    yajl_gen_string(hand, (const unsigned char *)"name", 4);
    yajl_gen_string(hand, (const unsigned char *)"g", 1);
    return yajl_gen_map_close(hand);
}

/* As libxl does it, by a function that others may stand before. */
char *libxl_domain_config_to_json(libxl_ctx *ctx, libxl_domain_config *p)
{
    yajl_gen hand = yajl_gen_alloc(NULL);
    const unsigned char *text;
    char *copy = NULL;
    size_t length;

    (void)ctx;
    if (!fake_rc("to_json") && !libxl_domain_config_gen_json(hand, p) &&
        !yajl_gen_get_buf(hand, &text, &length))
        copy = strndup((const char *)text, length);
    yajl_gen_free(hand);
    return copy;
}

int libxl_domain_config_from_json(libxl_ctx *ctx, libxl_domain_config *p,
                                  const char *s)
{
    (void)ctx, (void)p, (void)s;
    return fake_rc("from_json");
}

/* What libxl keeps passes through the same functions. */
static int read_stored(libxl_ctx *ctx, libxl_domain_config *config)
{
    char text[4096];

    return fake_read("stored", text, sizeof(text))
           ? libxl_domain_config_from_json(ctx, config, text) : 0;
}

static void store(libxl_ctx *ctx, libxl_domain_config *config)
{
    char *text = libxl_domain_config_to_json(ctx, config);
    FILE *f = fopen("stored", "w");

    if (!f)
        abort();
    if (text)
        fputs(text, f);
    fclose(f);
    free(text);
}

int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                        libxl_domain_config *d_config,
                                        const libxl_asyncop_how *ao_how)
{
    static libxl_device_disk disk;
    int rc = fake_rc("retrieve");

    (void)domid, (void)ao_how;
    d_config->disks = &disk;
    d_config->num_disks = 1;    /* every guest has one */
    return rc ? rc : read_stored(ctx, d_config);
}

int libxl_userdata_store(libxl_ctx *ctx, uint32_t domid,
                         const char *userdata_userid, const uint8_t *data,
                         int datalen)
{
    (void)ctx, (void)userdata_userid, (void)data, (void)datalen;
    return touch("userdata_store", domid);
}

/* ----- domains ----- */

static int make(libxl_ctx *ctx, const char *name, libxl_domain_config *config,
                uint32_t *domid_r)
{
    static uint32_t next = 5;
    int rc = touch(name, next);

    if (rc)
        return rc;
    store(ctx, config);
    *domid_r = next++;
    return 0;
}

int libxl_domain_create_new(libxl_ctx *ctx, libxl_domain_config *d_config,
                            uint32_t *domid, const libxl_asyncop_how *ao_how,
                            const libxl_asyncprogress_how *aop_console_how)
{
    (void)ao_how, (void)aop_console_how;
    return make(ctx, "create_new", d_config, domid);
}

int libxl_domain_create_restore(libxl_ctx *ctx, libxl_domain_config *d_config,
                                uint32_t *domid, int restore_fd,
                                int send_back_fd,
                                const libxl_domain_restore_params *params,
                                const libxl_asyncop_how *ao_how,
                                const libxl_asyncprogress_how *aop_console_how)
{
    char buf[sizeof(memory)];

    (void)send_back_fd, (void)params, (void)ao_how, (void)aop_console_how;
    if (libxl_read_exactly(ctx, restore_fd, buf, sizeof(buf), NULL, NULL))
        return ERROR_FAIL;
    return make(ctx, "create_restore", d_config, domid);
}

int libxl_domain_soft_reset(libxl_ctx *ctx, libxl_domain_config *d_config,
                            uint32_t domid, const libxl_asyncop_how *ao_how,
                            const libxl_asyncprogress_how *aop_console_how)
{
    (void)ctx, (void)d_config, (void)ao_how, (void)aop_console_how;
    return touch("soft_reset", domid);
}

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info_r, uint32_t domid)
{
    (void)ctx, (void)info_r, (void)domid;
    return fake_rc("domain_info");
}

int libxl_domain_preserve(libxl_ctx *ctx, uint32_t domid,
                          libxl_domain_create_info *info,
                          const char *name_suffix, libxl_uuid new_uuid)
{
    (void)ctx, (void)info, (void)name_suffix, (void)new_uuid;
    return touch("preserve", domid);
}

int libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd, int flags,
                         const libxl_asyncop_how *ao_how)
{
    int rc = touch("suspend", domid);

    (void)flags, (void)ao_how;
    if (!rc && libxl_write_exactly(ctx, fd, memory, sizeof(memory), NULL,
                                   NULL))
        rc = ERROR_FAIL;
    return rc;
}

int libxl_domain_remus_start(libxl_ctx *ctx, libxl_domain_remus_info *info,
                             uint32_t domid, int send_fd, int recv_fd,
                             const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)info, (void)send_fd, (void)recv_fd, (void)ao_how;
    return touch("remus_start", domid);
}

int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid, int suspend_cancel,
                        const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)suspend_cancel, (void)ao_how;
    return touch("resume", domid);
}

#define TOUCHES(name) \
    int libxl_domain_##name(libxl_ctx *ctx, uint32_t domid, \
                            const libxl_asyncop_how *ao_how) \
    { \
        (void)ctx, (void)ao_how; \
        return touch(#name, domid); \
    }

TOUCHES(destroy)
TOUCHES(unpause)
TOUCHES(suspend_only)

int libxl_device_disk_add(libxl_ctx *ctx, uint32_t domid,
                          libxl_device_disk *disk,
                          const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)disk, (void)ao_how;
    return touch("disk_add", domid);
}

int libxl_cdrom_insert(libxl_ctx *ctx, uint32_t domid,
                       libxl_device_disk *disk,
                       const libxl_asyncop_how *ao_how)
{
    (void)ctx, (void)disk, (void)ao_how;
    return touch("cdrom_insert", domid);
}

/* libxl looks at what it keeps, and writes it again. */
int libxl_device_nic_add(libxl_ctx *ctx, uint32_t domid,
                         libxl_device_nic *nic,
                         const libxl_asyncop_how *ao_how)
{
    libxl_domain_config config;
    int rc;

    (void)nic, (void)ao_how;
    libxl_domain_config_init(&config);
    rc = read_stored(ctx, &config);
    if (!rc)
        store(ctx, &config);
    libxl_domain_config_dispose(&config);
    return rc ? rc : touch("nic_add", domid);
}

/* ----- bytes ----- */

int libxl_read_exactly(libxl_ctx *ctx, int fd, void *data, ssize_t sz,
                       const char *filename, const char *what)
{
    char *at = data;
    ssize_t r;

    (void)ctx, (void)filename, (void)what;
    while (sz > 0) {
        r = read(fd, at, (size_t)sz);
        if (r <= 0)
            return r ? errno : EPROTO;
        at += r;
        sz -= r;
    }
    return 0;
}

int libxl_write_exactly(libxl_ctx *ctx, int fd, const void *data, ssize_t sz,
                        const char *filename, const char *what)
{
    (void)ctx, (void)filename, (void)what;
    return write(fd, data, (size_t)sz) == sz ? 0 : EPIPE;
}

/* ----- small types ----- */

int libxl_uuid_compare(const libxl_uuid *uuid1, const libxl_uuid *uuid2)
{
    return memcmp(uuid1, uuid2, sizeof(*uuid1));
}

void libxl_defbool_set(libxl_defbool *db, bool b)
{
    db->val = b ? 1 : -1;
}

bool libxl_defbool_is_default(libxl_defbool db)
{
    return !db.val;
}

bool libxl_defbool_val(libxl_defbool db)
{
    return db.val > 0;
}

const char *libxl_defbool_to_string(libxl_defbool b)
{
    return !b.val ? "<default>" : b.val > 0 ? "True" : "False";
}
