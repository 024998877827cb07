/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of the hooks' second object tell each other. */
#ifndef HOOKS_LIFE_H
#define HOOKS_LIFE_H

#include <xentoollog.h>

#include "hooks.h"

#pragma GCC visibility push(hidden)

extern const hooks_real *hooks_real_xl;
extern xentoollog_logger *hooks_logger;

/* A message of ours, with "xl: vscsi: " before and a newline after it. */
void hooks_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The vscsictrls of one domain. */
typedef struct hooks_list {
    libxl_device_vscsictrl *ctrls;
    int num;
    bool broken;                /* they could not be read: no domain of it */
} hooks_list;

void hooks_list_dispose(hooks_list *list);
/* False if memory ran out; *dst_r is empty then. */
bool hooks_list_copy(hooks_list *dst_r, const hooks_list *src);

/* The domain's vscsictrls now; nothing, and 0, if there is no such domain.
 * What else goes wrong is logged, or libxl has done so. */
int hooks_list_now(libxl_ctx *ctx, uint32_t domid, hooks_list *list_r);
/* And the devices that it started without. */
int hooks_list_all(libxl_ctx *ctx, uint32_t domid, hooks_list *list_r);

/* ----- hooks_table.c: which configuration has which vscsictrls ----- */

/*
 * The list of a configuration file that was read last.  It belongs to the
 * next configuration that is asked for and has none.  Takes list over.
 */
void hooks_table_put_pending(hooks_list *list);
/* The list of config.  Takes list over. */
void hooks_table_put(const libxl_domain_config *config, hooks_list *list);
void hooks_table_forget(const libxl_domain_config *config);
/*
 * A copy of the list of config, empty if it has none.  False: memory ran
 * out.  Where a domain is about to be made of config, it may be one that xl
 * has moved: a list of the same UUID is config's from then on.  libxl makes
 * copies too, which are nothing to us.
 */
bool hooks_table_get(const libxl_domain_config *config, bool to_create,
                     hooks_list *list_r);

/* ----- hooks_config.c: vscsi=[...] ----- */

int hooks_config_read(XLU_Config *cfg, const char *source);

/* ----- hooks_json.c: vscsictrls in a configuration's JSON ----- */

/* text with list in it, to be freed with free(); NULL if that fails. */
char *hooks_json_add(const char *text, const hooks_list *list);
/* The same into a larger text. */
yajl_gen_status hooks_json_gen(yajl_gen hand, const char *text,
                               const hooks_list *list);
/* False: there is something of that name, but no list of vscsictrls. *found_r
 * tells whether there is anything. */
bool hooks_json_take(const char *text, hooks_list *list_r, bool *found_r);

/* ----- hooks_migrate.c: can the other host take them? ----- */

/* See hooks_life. */
void hooks_migrate_receiver_is_there(int fd);
void hooks_migrate_sends_header(hooks_header *header);
int hooks_migrate_before_suspend(libxl_ctx *ctx, uint32_t domid);
void hooks_migrate_is_asked(hooks_header *header);
/* The JSON that is to be sent has vscsictrls in it. */
void hooks_migrate_carries(void);
/* Answers, if asked, for a domain of that UUID with list.  False, and said
 * to both sides, if this host cannot take it. */
bool hooks_migrate_answer(libxl_ctx *ctx, const libxl_uuid *uuid,
                          const hooks_list *list);

#pragma GCC visibility pop

#endif /* HOOKS_LIFE_H */
