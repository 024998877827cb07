/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What becomes of a device that no domain has on record any more.  As long
 * as dom0's kernel has not let go of it, nobody else gets it; but nobody
 * waits for that who wants another one.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_assignment.h"
#include "libxl_vscsi_export.h"

/* The kernel's devices cannot be watched through xenstore. */
#define POLL_FIRST_MS 10
#define POLL_LAST_MS 160

/* ----- the kernel's backends ----- */

static bool is_among(libxl__vscsi_ref ref,
                     const libxl__vscsi_ref *refs, unsigned num)
{
    unsigned i;

    for (i = 0; i < num; i++)
        if (refs[i].domid == ref.domid && refs[i].devid == ref.devid)
            return true;
    return false;
}

bool libxl__vscsi_await_backend(libxl__vscsi_ctx *vc,
                                libxl__vscsi_ref ref, uint64_t end_ms)
{
    libxl__vscsi_ref *refs = NULL;
    uint64_t since = libxl__vscsi_now_ms();
    unsigned num = 0;
    bool there;

    for (;;) {
        if (libxl__vscsi_host_backends(vc, &refs, &num))
            return false;
        there = is_among(ref, refs, num);
        free(refs);
        if (!there || libxl__vscsi_now_ms() >= end_ms)
            return !there;
        libxl__vscsi_say_waiting(vc, since, end_ms, "waiting for dom0's "
                                 "kernel to let go of domain %u, seconds",
                                 ref.domid);
        libxl__vscsi_pause(POLL_FIRST_MS);
    }
}

/* ----- after a detach ----- */

/* The devices among them that have no target of the admin's. */
static unsigned choose_exported(const libxl_device_vscsidev *devs,
                                const int *indices, unsigned num,
                                libxl_vscsi_hctl *hctls)
{
    unsigned i, found = 0;

    for (i = 0; i < num; i++) {
        const libxl_vscsi_pdev *pdev = &devs[indices ? indices[i]
                                                     : (int)i].pdev;

        if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL)
            hctls[found++] = pdev->u.hctl.m;
    }
    return found;
}

/* Reads who may have a device of dom0 at such an address. */
static int find_users(libxl__vscsi_ctx *vc, libxl__vscsi_users *users,
                      const libxl_vscsi_hctl *hctl)
{
    libxl_vscsi_pdev pdev;
    int rc;

    libxl_vscsi_pdev_init(&pdev);
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    pdev.u.hctl.m = *hctl;
    rc = libxl__vscsi_users_find(vc, users, &pdev);
    libxl_vscsi_pdev_dispose(&pdev);
    return rc;
}

/* Leaves in hctls[] those that nobody has. */
static int keep_unused(libxl__vscsi_ctx *vc, uint32_t but,
                       libxl_vscsi_hctl *hctls, unsigned *num)
{
    libxl__vscsi_users users = { .users = NULL };
    libxl_vscsi_hctl *used = NULL;
    unsigned i, kept = 0, num_used = 0;
    int rc;

    rc = libxl__vscsi_users_open(vc, &users);
    libxl__vscsi_users_skip(&users, but);
    for (i = 0; !rc && i < *num; i++)
        rc = find_users(vc, &users, &hctls[i]);
    if (!rc && users.incomplete) {
        libxl__vscsi_error(vc, "not all records of domain %u can be read; "
                           "the LIO objects stay", users.unreadable);
        rc = ERROR_FAIL;
    }
    if (!rc)
        rc = libxl__vscsi_users_devices(vc, &users, &used, &num_used);
    for (i = 0; !rc && i < *num; i++)
        if (!libxl__vscsi_hctl_among(used, num_used, &hctls[i]))
            hctls[kept++] = hctls[i];
    *num = kept;
    free(used);
    libxl__vscsi_users_dispose(&users);
    return rc;
}

/* Leaves in hctls[] those that somebody else lets go of. */
static int release_once(libxl__vscsi_ctx *vc, uint32_t domid,
                        libxl_vscsi_hctl *hctls, unsigned *num,
                        uint64_t end_ms)
{
    int rc, lock;

    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (rc)
        return rc;
    rc = keep_unused(vc, domid, hctls, num);
    if (!rc && *num)
        rc = libxl__vscsi_lio_let_go(vc, hctls, num, end_ms, XTL_WARN,
                                     &lock);
    libxl__vscsi_unlock(lock);
    return rc;
}

int libxl__vscsi_release_unused(libxl__vscsi_ctx *vc, uint32_t domid,
                                const libxl_device_vscsidev *devs,
                                const int *indices, unsigned num,
                                uint64_t end_ms)
{
    libxl_vscsi_hctl *hctls = calloc(num + 1, sizeof(*hctls));
    unsigned i;
    int rc = 0;

    if (!hctls)
        return libxl__vscsi_out_of_memory(vc);
    num = choose_exported(devs, indices, num, hctls);
    while (num) {
        rc = release_once(vc, domid, hctls, &num, end_ms);
        if (rc || !num || libxl__vscsi_now_ms() >= end_ms)
            break;
        libxl__vscsi_pause(POLL_LAST_MS);
    }
    for (i = 0; !rc && i < num; i++)
        libxl__vscsi_lio_say_leaving(vc, XTL_WARN, &hctls[i]);
    free(hctls);
    return rc || !num ? rc : ERROR_NOT_READY;
}

/* ----- cleaning up ----- */

/* Exports for devices that nobody has. */
typedef struct leftovers {
    libxl__vscsi_leftover *list;
    unsigned num;
    libxl__vscsi_ref *refs;     /* that dom0's kernel has backends for */
    unsigned num_refs;
} leftovers;

static void leftovers_dispose(leftovers *left)
{
    free(left->list);
    free(left->refs);
}

static int read_leftovers(libxl__vscsi_ctx *vc,
                          const libxl__vscsi_users *users, leftovers *left)
{
    libxl_vscsi_hctl *used = NULL;
    unsigned i, all = 0, num = 0;
    int rc;

    rc = libxl__vscsi_users_devices(vc, users, &used, &num);
    if (!rc)
        rc = libxl__vscsi_lio_leftovers(vc, used, num, &left->list, &all);
    for (i = 0; !rc && i < all; i++) {
        libxl__vscsi_leftover *l = &left->list[left->num];

        *l = left->list[i];
        if (libxl__vscsi_users_lead_on(users, &l->hctl))
            continue;
        left->num++;
        rc = libxl__vscsi_lio_look_at(vc, l);
    }
    if (!rc && left->num)
        rc = libxl__vscsi_host_backends(vc, &left->refs,
                                        &left->num_refs);
    free(used);
    return rc;
}

/*
 * May a guest still reach it?  Its backend has to be gone, or on record, and
 * then without this device.  Where several may have had it, no backend may
 * be left that is on nobody's record.
 */
static bool is_held(const leftovers *left, const libxl__vscsi_leftover *l,
                    const libxl__vscsi_users *users)
{
    unsigned i;

    if (l->leaving || !l->has_lun)
        return l->leaving;
    if (l->has_owner)
        return is_among(l->owner, left->refs, left->num_refs) &&
               !libxl__vscsi_users_has(users, l->owner);
    for (i = 0; i < left->num_refs; i++)
        if (!libxl__vscsi_users_has(users, left->refs[i]))
            return true;
    return false;
}

int libxl__vscsi_held_devices(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_users *users,
                              libxl_vscsi_hctl **hctls_r, unsigned *num_r)
{
    leftovers left = { .list = NULL };
    libxl_vscsi_hctl *hctls = NULL;
    unsigned i, num = 0;
    int rc;

    rc = read_leftovers(vc, users, &left);
    if (!rc) {
        hctls = calloc(left.num + 1, sizeof(*hctls));
        if (!hctls)
            rc = libxl__vscsi_out_of_memory(vc);
    }
    for (i = 0; !rc && i < left.num; i++)
        if (is_held(&left, &left.list[i], users))
            hctls[num++] = left.list[i].hctl;
    leftovers_dispose(&left);
    if (rc) {
        free(hctls);
        return rc;
    }
    *hctls_r = hctls;
    *num_r = num;
    return 0;
}

typedef struct cleaning {
    const libxl_vscsi_hctl *only;
    const uint32_t *domid;      /* what this domain left; NULL: all */
    libxl_vscsi_hctl *free_ones;    /* no guest can reach them */
    unsigned num_free;
    bool held;                  /* there are others */
    bool leaving;               /* that one's last command has not come back */
    libxl_vscsi_hctl a_held_one;
} cleaning;

static int sort_leftovers(libxl__vscsi_ctx *vc, cleaning *c,
                          const libxl__vscsi_users *users,
                          const leftovers *left)
{
    unsigned i;

    c->free_ones = calloc(left->num + 1, sizeof(*c->free_ones));
    if (!c->free_ones)
        return libxl__vscsi_out_of_memory(vc);
    for (i = 0; i < left->num; i++) {
        const libxl__vscsi_leftover *l = &left->list[i];

        if (c->only && !libxl__vscsi_hctl_equal(c->only, &l->hctl))
            continue;
        if (is_held(left, l, users)) {
            c->held = true;
            c->leaving = l->leaving;
            c->a_held_one = l->hctl;
        } else {
            c->free_ones[c->num_free++] = l->hctl;
        }
    }
    return 0;
}

/* Is there anything that only those can tell of who have read all? */
static bool is_of_others(const cleaning *c, const leftovers *left)
{
    unsigned i;

    for (i = 0; c->domid && i < left->num; i++)
        if (!left->list[i].leaving &&
            (!left->list[i].has_owner ||
             left->list[i].owner.domid != *c->domid))
            return true;
    return false;
}

static int find_leftovers(libxl__vscsi_ctx *vc, cleaning *c)
{
    libxl__vscsi_users users = { .users = NULL };
    leftovers left = { .list = NULL };
    bool again = false;
    int rc;

    rc = c->domid ? libxl__vscsi_users_read_one(vc, &users, c->domid)
                  : libxl__vscsi_users_read(vc, &users);
    if (!rc)
        rc = libxl__vscsi_users_sweep(vc, &users);
    if (!rc && users.incomplete) {
        libxl__vscsi_error(vc, "not all records of domain %u can be read, so "
                           "LIO objects without a user, if any, stay",
                           users.unreadable);
        rc = ERROR_FAIL;
    }
    if (!rc)
        rc = read_leftovers(vc, &users, &left);
    again = !rc && is_of_others(c, &left);
    if (!rc && !again)
        rc = sort_leftovers(vc, c, &users, &left);
    if (!rc && !left.num)
        libxl__vscsi_lio_tidy(vc);
    leftovers_dispose(&left);
    libxl__vscsi_users_dispose(&users);
    if (!again)
        return rc;
    c->domid = NULL;
    return find_leftovers(vc, c);
}

static int clean_once(libxl__vscsi_ctx *vc, cleaning *c, uint64_t end_ms,
                      xentoollog_level level)
{
    int rc, lock;

    rc = libxl__vscsi_lock(vc, LIBXL__VSCSI_LOCK_HOST, &lock);
    if (rc)
        return rc;
    rc = find_leftovers(vc, c);
    if (!rc && c->num_free)
        rc = libxl__vscsi_lio_let_go(vc, c->free_ones, &c->num_free, end_ms,
                                     level, &lock);
    libxl__vscsi_unlock(lock);
    if (!rc && c->num_free) {
        c->held = c->leaving = true;
        c->a_held_one = c->free_ones[0];
    }
    free(c->free_ones);
    return rc;
}

static void say_held(libxl__vscsi_ctx *vc, xentoollog_level level,
                     const cleaning *c)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];

    if (c->leaving) {
        libxl__vscsi_lio_say_leaving(vc, level, &c->a_held_one);
        return;
    }
    libxl__vscsi_hctl_format(&c->a_held_one, place);
    libxl__vscsi_log(vc, level, "dom0's kernel still holds the backend of a "
                     "guest that had %s (xl scsi-cleanup goes on when it has "
                     "let go)", place);
}

static int clean(libxl__vscsi_ctx *vc, const cleaning *what, uint64_t end_ms,
                 xentoollog_level level)
{
    uint64_t since = libxl__vscsi_now_ms();
    unsigned pause_ms = POLL_FIRST_MS;
    char place[LIBXL__VSCSI_HCTL_SIZE];
    cleaning c;
    int rc;

    for (;;) {
        c = *what;
        rc = clean_once(vc, &c, end_ms, level);
        if (rc || !c.held)
            return rc;
        if (libxl__vscsi_now_ms() >= end_ms)
            break;
        libxl__vscsi_hctl_format(&c.a_held_one, place);
        libxl__vscsi_say_waiting(vc, since, end_ms, "waiting for dom0's "
                                 "kernel to let go of %s, seconds", place);
        libxl__vscsi_pause(pause_ms);
        if (pause_ms < POLL_LAST_MS)
            pause_ms *= 2;
    }
    say_held(vc, level, &c);
    return ERROR_NOT_READY;
}

int libxl__vscsi_clean(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl,
                       uint64_t end_ms, xentoollog_level level)
{
    const cleaning c = { .only = hctl };

    return clean(vc, &c, end_ms, level);
}

static int clean_now(libxl__vscsi_ctx *vc, const uint32_t *domid)
{
    const cleaning c = { .domid = domid };

    libxl__vscsi_doing(vc, NULL, NULL, 0);
    return clean(vc, &c, libxl__vscsi_now_ms() + vc->timeouts.destroy_ms,
                 XTL_ERROR);
}

int libxl__vscsi_cleanup(libxl__vscsi_ctx *vc)
{
    return clean_now(vc, NULL);
}

int libxl__vscsi_cleanup_domain(libxl__vscsi_ctx *vc, uint32_t domid)
{
    return clean_now(vc, &domid);
}
