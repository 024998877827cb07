/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A second object that only says what it is asked to do: a line in "calls",
 * and what FAIL says.  LIFE_INTERFACE is its version, 0 for one from before
 * there was one; with LIFE_FOREIGN it brings a libxl of its own, with
 * LIFE_UNABLE it does not begin, with LIFE_BROKEN it needs what nobody has.
 */
#include <stdlib.h>
#include <string.h>

#include "../../tools/xl/hooks.h"
#include "fake.h"

static const hooks_real *real_xl;

static int say(const char *name)
{
    fake_log("life %s", name);
    return fake_rc(name);
}

static int read_config(XLU_Config *cfg, const char *source)
{
    (void)cfg, (void)source;
    return say("read_config");
}

static int check_disks(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_disk *disks, int num)
{
    (void)ctx, (void)domid, (void)disks, (void)num;
    return say("check_disks");
}

static int before_create(libxl_domain_config *config)
{
    (void)config;
    return say("before_create");
}

static int after_create(libxl_ctx *ctx, libxl_domain_config *config,
                        uint32_t *domid, bool boots, int rc)
{
    (void)ctx, (void)config, (void)domid;
    return rc ? rc : say(boots ? "after_boot" : "after_restore");
}

static int soft_reset(libxl_ctx *ctx, libxl_domain_config *config,
                      uint32_t domid, const libxl_asyncop_how *ao_how,
                      const libxl_asyncprogress_how *console_how)
{
    say("soft_reset");
    return real_xl->libxl_domain_soft_reset(ctx, config, domid, ao_how,
                                            console_how);
}

static int destroy(libxl_ctx *ctx, uint32_t domid)
{
    say("destroy");
    return real_xl->libxl_domain_destroy(ctx, domid, NULL);
}

static void preserved(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx, (void)domid;
    say("preserved");
}

static void resumed(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx, (void)domid;
    say("resumed");
}

static int retrieved(libxl_ctx *ctx, uint32_t domid,
                     libxl_domain_config *config)
{
    (void)ctx, (void)domid, (void)config;
    return say("retrieved");
}

static void disposed(const libxl_domain_config *config)
{
    (void)config;
}

static char *add_to_json(const libxl_domain_config *config, char *text)
{
    (void)config;
    if (!say("add_to_json"))
        return text;
    free(text);
    return NULL;
}

static int take_from_json(libxl_ctx *ctx, const libxl_domain_config *config,
                          const char *text)
{
    (void)ctx, (void)config, (void)text;
    return say("take_from_json");
}

static yajl_gen_status gen_json(yajl_gen hand, libxl_domain_config *config)
{
    return real_xl->libxl_domain_config_gen_json(hand, config);
}

static void receiver_is_there(int fd)
{
    (void)fd;
    say("receiver_is_there");
}

static void sends_header(hooks_header *header)
{
    (void)header;
    say("sends_header");
}

static int before_suspend(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx, (void)domid;
    return say("before_suspend");
}

static int before_remus(libxl_ctx *ctx, uint32_t domid)
{
    (void)ctx, (void)domid;
    return say("before_remus");
}

static void is_asked(hooks_header *header)
{
    header->mandatory_flags &= ~HOOKS_FLAG;
    say("is_asked");
}

static const hooks_life life = {
    .read_config = read_config, .check_disks = check_disks,
    .before_create = before_create, .after_create = after_create,
    .soft_reset = soft_reset, .destroy = destroy, .preserved = preserved,
    .resumed = resumed, .retrieved = retrieved, .disposed = disposed,
    .add_to_json = add_to_json, .take_from_json = take_from_json,
    .gen_json = gen_json, .receiver_is_there = receiver_is_there,
    .sends_header = sends_header, .before_suspend = before_suspend,
    .before_remus = before_remus, .is_asked = is_asked,
};

#ifdef LIFE_UNABLE
#define LIFE (real ? NULL : &life)
#else
#define LIFE (&life)
#endif

#ifdef LIFE_FOREIGN
int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info_r, uint32_t domid)
{
    (void)ctx, (void)info_r, (void)domid;
    return 0;
}
#endif

#ifdef LIFE_BROKEN
extern int hooks_nobody_has_this;
int *hooks_wanted = &hooks_nobody_has_this;
#endif

#ifndef LIFE_INTERFACE
#define LIFE_INTERFACE HOOKS_INTERFACE
#endif

#if LIFE_INTERFACE
const unsigned hooks_life_interface = LIFE_INTERFACE;

const hooks_life *hooks_life_begin(const hooks_real *real, unsigned verbose)
{
    (void)verbose;
    real_xl = real;
    return LIFE;
}
#else
/* What the first one was called. */
const hooks_life *hooks_life_open(const hooks_real *real);

const hooks_life *hooks_life_open(const hooks_real *real)
{
    real_xl = real;
    return LIFE;
}
#endif
