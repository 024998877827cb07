/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The hooks in the distribution's xl, in two objects.  xl_vscsi_hooks.c and
 * gate.c are preloaded into every xl: they stand before the functions listed
 * here, need nothing but libc, and do nothing until vscsi matters.  Then they
 * load the other, hooks_*.c, which needs libxenlight-vscsi.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <libxl_vscsi.h>
#include <_libxl_types_json.h>

#include "hooks_version.h"

/* What xl_vscsi_hooks.c stands before: in the struct, the real ones. */
#define HOOKS_INTERPOSED(X) \
    X(xlu_cfg_init) \
    X(xlu_cfg_readdata) \
    X(libxl_domain_create_new) \
    X(libxl_domain_create_restore) \
    X(libxl_device_disk_add) \
    X(libxl_cdrom_insert) \
    X(libxl_domain_soft_reset) \
    X(libxl_domain_destroy) \
    X(libxl_domain_preserve) \
    X(libxl_domain_resume) \
    X(libxl_domain_suspend) \
    X(libxl_domain_suspend_only) \
    X(libxl_domain_remus_start) \
    X(libxl_retrieve_domain_configuration) \
    X(libxl_domain_config_dispose) \
    X(libxl_domain_config_to_json) \
    X(libxl_domain_config_from_json) \
    X(libxl_domain_config_gen_json) \
    X(libxl_read_exactly) \
    X(libxl_write_exactly)

/* What it calls only. */
#define HOOKS_CALLED(X) \
    X(xlu_cfg_get_list) \
    X(xlu_cfg_get_listitem) \
    X(libxl_domain_info)

typedef struct hooks_real {
/* It declares that name. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define X(name) __typeof__(name) *name;
    HOOKS_INTERPOSED(X)
    HOOKS_CALLED(X)
#undef X
} hooks_real;

/*
 * What begins a saved domain and a migration, as xl writes it.  A flag that
 * an xl does not know makes it refuse the domain; ours, which only a
 * migration has, says that the sender waits for an answer.
 */
#define HOOKS_MAGIC "Xen saved domain, xl format"
#define HOOKS_FLAG (1u << 30)

typedef struct hooks_header {
    char magic[32];
    uint32_t byteorder;
    uint32_t mandatory_flags;
    uint32_t optional_flags;
    uint32_t optional_data_len;
} hooks_header;

/* How the receiver answers; the number of bytes that follow comes after it,
 * as 8 hex digits. */
#define HOOKS_ANSWER "xl vscsi answer "

/*
 * What the other object does, for xl_vscsi_hooks.c.  Return values are what
 * the interposed function returns; what went wrong has been said on stderr.
 */
typedef struct hooks_life {
    /* vscsi= of a configuration that was just read; source is its file.
     * An errno value. */
    int (*read_config)(XLU_Config *cfg, const char *source);

    /* Before domid, -1 for one that is being made, gets block devices. */
    int (*check_disks)(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_disk *disks, int num);

    /* Before a domain is made of config, and after: rc is how it ended; is
     * it one that boots, or one that goes on? */
    int (*before_create)(libxl_domain_config *config);
    int (*after_create)(libxl_ctx *ctx, libxl_domain_config *config,
                        uint32_t *domid, bool boots, int rc);
    int (*soft_reset)(libxl_ctx *ctx, libxl_domain_config *config,
                      uint32_t domid, const libxl_asyncop_how *ao_how,
                      const libxl_asyncprogress_how *aop_console_how);
    int (*destroy)(libxl_ctx *ctx, uint32_t domid);
    void (*preserved)(libxl_ctx *ctx, uint32_t domid);
    void (*resumed)(libxl_ctx *ctx, uint32_t domid);

    int (*retrieved)(libxl_ctx *ctx, uint32_t domid,
                     libxl_domain_config *config);
    void (*disposed)(const libxl_domain_config *config);
    /* Takes text over, returns what is to be freed with free(). */
    char *(*add_to_json)(const libxl_domain_config *config, char *text);
    int (*take_from_json)(libxl_ctx *ctx, const libxl_domain_config *config,
                          const char *text);
    yajl_gen_status (*gen_json)(yajl_gen hand, libxl_domain_config *config);

    /* Sending a domain: the receiver has said from fd that it is there; the
     * header goes to fd, changed in place; before the domain is touched. */
    void (*receiver_is_there)(int fd);
    void (*sends_header)(hooks_header *header);
    int (*before_suspend)(libxl_ctx *ctx, uint32_t domid);
    int (*before_remus)(libxl_ctx *ctx, uint32_t domid);
    /* Receiving one whose sender waits for an answer. */
    void (*is_asked)(hooks_header *header);
} hooks_life;

/* What the other object has for us: the version is looked at first.  real
 * outlives it; verbose is how many -v xl was given.  NULL: it cannot begin. */
#define HOOKS_LIFE_INTERFACE "hooks_life_interface"
extern const unsigned hooks_life_interface;
#define HOOKS_LIFE_BEGIN "hooks_life_begin"
const hooks_life *hooks_life_begin(const hooks_real *real, unsigned verbose);

/* Who changes these has to change HOOKS_INTERFACE. */
_Static_assert(sizeof(hooks_real) == 23 * sizeof(void (*)(void)) &&
               sizeof(hooks_life) == 18 * sizeof(void (*)(void)) &&
               HOOKS_INTERFACE == 2, "HOOKS_INTERFACE is to be another one");

/* The key in the JSON of a domain's configuration. */
#define HOOKS_JSON_KEY "vscsictrls"

#endif /* HOOKS_H */
