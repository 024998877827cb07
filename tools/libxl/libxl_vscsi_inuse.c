/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who holds a SCSI unit of dom0.  Whoever does is named where the kernel
 * tells; an exclusive open is the last word on disks and CDs, st's single
 * opener on tapes.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxl_vscsi_configfs.h"
#include "libxl_vscsi_inuse.h"

libxl__vscsi_inuse *libxl__vscsi_inuse_new(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_inuse *inuse = calloc(1, sizeof(*inuse));

    if (!inuse)
        libxl__vscsi_inuse_blind(vc, NULL);
    return inuse;
}

void libxl__vscsi_inuse_free(libxl__vscsi_inuse *inuse)
{
    unsigned i;

    if (!inuse)
        return;
    for (i = 0; i < inuse->num_uses; i++)
        free(inuse->uses[i].point);
    for (i = 0; i < inuse->num_loops; i++)
        free(inuse->loops[i].name);
    libxl__vscsi_backstores_free(inuse->stores, inuse->num_stores);
    free(inuse->uses);
    free(inuse->loops);
    free(inuse->openers);
    free(inuse);
}

/* What is asked, and the answer. */
typedef struct question {
    libxl__vscsi_ctx *vc;
    libxl__vscsi_inuse *inuse;
    const libxl__vscsi_unit *unit;
    bool shared;
    const char *target;
    char *text;
} question;

/* Takes text over; NULL is memory that ran out. */
static int answer(question *q, char *text)
{
    q->text = text;
    return text ? 0 : libxl__vscsi_inuse_blind(q->vc, NULL);
}

/* ----- LIO ----- */

static int answer_store(question *q, const char *subject,
                        const libxl__vscsi_backstore *store)
{
    bool has = true;
    int rc = 0;

    if (store->ours)
        rc = libxl__vscsi_lio_has(q->vc, store, &has);
    if (rc || !has)
        return rc;
    if (store->ours)
        return answer(q, libxl__vscsi_sprintf(
            "%s is still exported from an earlier attach (LIO backstore %s; "
            "xl scsi-cleanup removes that)", subject, store->name));
    return answer(q, libxl__vscsi_sprintf(
        "%s is LIO backstore %s of dom0 (delete that with targetcli, or make "
        "a LUN of a xen-pvscsi target of it and give that, as naa.WWN:LUN)",
        subject, store->name));
}

/* Is it the one that is to be given? */
static bool is_target(const question *q, const libxl__vscsi_backstore *store)
{
    return q->target &&
           !strcmp(libxl__vscsi_backstore_id(q->vc, store), q->target);
}

/* Those that say where their device is. */
static int ask_stores(question *q)
{
    unsigned i, j;
    int rc;

    rc = libxl__vscsi_inuse_load_stores(q->vc, q->inuse);
    for (i = 0; !rc && !q->text && i < q->inuse->num_stores; i++) {
        const libxl__vscsi_backstore *store = &q->inuse->stores[i];

        if (!store->has_hctl || (store->ours && q->shared) ||
            is_target(q, store))
            continue;
        for (j = 0; !rc && !q->text && j < q->unit->num_paths; j++) {
            const libxl__vscsi_path *path = &q->unit->paths[j];
            char *subject;

            if (!libxl__vscsi_hctl_equal(&store->hctl, &path->hctl))
                continue;
            subject = libxl__vscsi_stack_subject(q->unit, path);
            rc = subject ? answer_store(q, subject, store)
                         : libxl__vscsi_inuse_blind(q->vc, NULL);
            free(subject);
        }
    }
    return rc;
}

/* ----- block devices ----- */

/* What a use does with a layer, as after "is"; *advice_r is how to end it. */
static char *describe_use(libxl__vscsi_ctx *vc, const libxl__vscsi_use *use,
                          char **advice_r)
{
    char *domain, *vdev, *text = NULL;

    if (use->kind == LIBXL__VSCSI_USE_MOUNT) {
        *advice_r = strdup("unmount it first");
        return libxl__vscsi_sprintf("mounted on %s", use->point);
    }
    if (use->kind == LIBXL__VSCSI_USE_SWAP) {
        *advice_r = strdup("swapoff it first");
        return strdup("swap space of dom0");
    }
    domain = libxl__vscsi_domain_name(vc, use->disk.domid);
    vdev = libxl__vscsi_xs_disk_name(vc, &use->disk);
    if (domain && vdev) {
        *advice_r = strchr(domain, ' ')
            ? libxl__vscsi_sprintf("xl block-detach %u %s first",
                                   use->disk.domid, vdev)
            : libxl__vscsi_sprintf("xl block-detach %s %s first", domain,
                                   vdev);
        text = libxl__vscsi_sprintf("assigned to %s as %s through %s",
                                    domain, vdev, use->disk.driver);
    }
    free(domain);
    free(vdev);
    return text;
}

/* The sentence about a layer, and what has that if it is not NULL. */
static int answer_layer(question *q, const libxl__vscsi_layer *layer,
                        const char *as, const char *advice)
{
    return answer(q, libxl__vscsi_sprintf(
        "%s is %s%s%s%s%s%s", layer->subject,
        layer->chain ? layer->chain : "", layer->chain && as ? ", " : "",
        as ? as : "", advice ? " (" : "", advice ? advice : "",
        advice ? ")" : ""));
}

static int ask_layer(question *q, const libxl__vscsi_layer *layer)
{
    char *as, *advice = NULL;
    unsigned i;
    int rc = 0;

    for (i = 0; i < q->inuse->num_uses; i++) {
        if (q->inuse->uses[i].devnum != layer->devnum)
            continue;
        as = describe_use(q->vc, &q->inuse->uses[i], &advice);
        rc = as ? answer_layer(q, layer, as, advice)
                : libxl__vscsi_inuse_blind(q->vc, NULL);
        free(as);
        free(advice);
        return rc;
    }
    for (i = 0; !rc && !q->text && i < q->inuse->num_stores; i++)
        if (q->inuse->stores[i].has_devnum &&
            q->inuse->stores[i].devnum == layer->devnum &&
            !is_target(q, &q->inuse->stores[i])) {
            as = layer->chain ? libxl__vscsi_sprintf("%s is %s, which",
                                                     layer->subject,
                                                     layer->chain)
                              : strdup(layer->subject);
            rc = as ? answer_store(q, as, &q->inuse->stores[i])
                    : libxl__vscsi_inuse_blind(q->vc, NULL);
            free(as);
        }
    return rc;
}

/* Nothing uses what is stacked, but it is there: the topmost is named. */
static int ask_stacked(question *q, const libxl__vscsi_stack *stack)
{
    unsigned i = stack->num;

    while (i-- > 0)
        if (stack->layers[i].chain)
            return answer_layer(q, &stack->layers[i], NULL,
                                stack->layers[i].advice);
    return 0;
}

/* Does the errno value of an open say that nobody else has it? */
static bool is_harmless(int e)
{
    return libxl__vscsi_inuse_is_gone(e) || e == ENOMEDIUM;
}

/* O_NONBLOCK: neither wait for a medium nor pull in the tray. */
static int try_exclusive(question *q, const libxl__vscsi_layer *layer)
{
    int fd = open(layer->node, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (errno == EBUSY)
        return answer(q, libxl__vscsi_sprintf("another program or driver of "
            "dom0 has %s open exclusively", layer->subject));
    return is_harmless(errno) ? 0
                              : libxl__vscsi_inuse_blind(q->vc, layer->node);
}

/* Does the target that is to be given have it open? */
static bool is_targets(const question *q, const libxl__vscsi_layer *layer)
{
    unsigned i, j;

    for (i = 0; q->target && i < q->inuse->num_stores; i++) {
        const libxl__vscsi_backstore *store = &q->inuse->stores[i];

        for (j = 0; is_target(q, store) && j < q->unit->num_paths; j++) {
            const libxl__vscsi_path *path = &q->unit->paths[j];

            if (path->disk && !strcmp(path->disk, layer->syspath) &&
                libxl__vscsi_hctl_equal(&path->hctl, &store->hctl))
                return true;
        }
    }
    return false;
}

static int ask_blocks(question *q)
{
    libxl__vscsi_stack stack = { NULL, 0 };
    unsigned i;
    int rc;

    rc = libxl__vscsi_inuse_load_uses(q->vc, q->inuse);
    if (!rc)
        rc = libxl__vscsi_stack_load(q->vc, q->inuse, q->unit, &stack);
    for (i = 0; !rc && !q->text && i < stack.num; i++)
        rc = ask_layer(q, &stack.layers[i]);
    if (!rc && !q->text)
        rc = ask_stacked(q, &stack);
    for (i = 0; !rc && !q->text && !q->shared && i < stack.num; i++)
        if (stack.layers[i].whole && !is_targets(q, &stack.layers[i]))
            rc = try_exclusive(q, &stack.layers[i]);
    libxl__vscsi_stack_dispose(&stack);
    return rc;
}

/* ----- tapes, changers, and what has only an sg node ----- */

/* The name of a process; NULL if it has ended, or *rc_r. */
static char *name_process(question *q, unsigned pid, int *rc_r)
{
    char *name = libxl__vscsi_cfs_read("%s/%u/comm", q->vc->procfs, pid), *s;

    if (!name && !libxl__vscsi_inuse_is_gone(errno))
        *rc_r = libxl__vscsi_inuse_blind(q->vc, q->vc->procfs);
    for (s = name; s && *s; s++)
        if (!isprint((unsigned char)*s))
            *s = '?';
    return name;
}

static int ask_openers(question *q, dev_t devnum, const char *node)
{
    unsigned i;
    char *name;
    int rc = 0;

    for (i = 0; !rc && !q->text && i < q->inuse->num_openers; i++) {
        const libxl__vscsi_opener *opener = &q->inuse->openers[i];

        if (opener->devnum != devnum)
            continue;
        name = name_process(q, opener->pid, &rc);
        if (name)
            rc = answer(q, libxl__vscsi_sprintf("%s (%u) has %s open (stop "
                        "it first)", name, opener->pid, node));
        free(name);
    }
    return rc;
}

/* st lets in one at a time; without rewinding, neither open nor close moves
 * the tape. */
static int try_tape(question *q, const char *node)
{
    int fd;

    if (q->text || q->shared)
        return 0;
    fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    if (errno == EBUSY)
        return answer(q, libxl__vscsi_sprintf("%s is busy: a program of dom0 "
            "has it open, or another host has reserved it", node));
    return is_harmless(errno) ? 0 : libxl__vscsi_inuse_blind(q->vc, node);
}

static bool is_plain_nst(const char *name)
{
    return !strncmp(name, "nst", 3) && name[3] &&
           !name[3 + strspn(name + 3, "0123456789")];
}

static int ask_node(question *q, const char *dir, const char *name)
{
    const char *class = strrchr(dir, '/');
    char *path, *text = NULL;
    char *node = libxl__vscsi_sprintf("/dev/%s%s", class &&
                                      !strcmp(class, "/bsg") ? "bsg/" : "",
                                      name);
    dev_t devnum;
    int rc = 0;

    path = libxl__vscsi_sprintf("%s/%s/dev", dir, name);
    if (!path || !node) {
        rc = libxl__vscsi_inuse_blind(q->vc, NULL);
        goto out;
    }
    text = libxl__vscsi_cfs_read("%s", path);
    if (!text && !libxl__vscsi_inuse_is_gone(errno))
        rc = libxl__vscsi_inuse_blind(q->vc, path);
    if (text && libxl__vscsi_inuse_devnum(text, 10, &devnum))
        rc = ask_openers(q, devnum, node);
    if (!rc && is_plain_nst(name))
        rc = try_tape(q, node);
out:
    free(text);
    free(path);
    free(node);
    return rc;
}

static int ask_class(question *q, const char *path)
{
    const char *name;
    int rc = 0;
    DIR *dir;

    if (!libxl__vscsi_inuse_open_dir(q->vc, path, &dir, &rc))
        return rc;
    while (!rc && !q->text &&
           (name = libxl__vscsi_inuse_next_name(q->vc, dir, path, &rc)))
        rc = ask_node(q, path, name);
    closedir(dir);
    return rc;
}

static int ask_chars(question *q, const libxl__vscsi_path *path)
{
    static const char *const classes[] = {
        "scsi_tape", "scsi_changer", "scsi_generic", "bsg",
    };
    char place[LIBXL__VSCSI_HCTL_SIZE], *dir;
    size_t i;
    int rc;

    libxl__vscsi_hctl_format(&path->hctl, place);
    rc = libxl__vscsi_inuse_load_openers(q->vc, q->inuse);
    for (i = 0; !rc && !q->text && i < VSCSI_ARRAY_SIZE(classes); i++) {
        dir = libxl__vscsi_sprintf("%s/bus/scsi/devices/%s/%s",
                                   q->vc->sysfs, place, classes[i]);
        rc = ask_class(q, dir);
        free(dir);
    }
    return rc;
}

/* ----- all of it ----- */

int libxl__vscsi_inuse_who(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                           const libxl__vscsi_unit *unit, bool shared,
                           const char *target, char **text_r)
{
    question q = {
        .vc = vc, .inuse = inuse, .unit = unit, .shared = shared,
        .target = target,
    };
    bool has_disk = false;
    unsigned i;
    int rc;

    for (i = 0; i < unit->num_paths; i++)
        has_disk = has_disk || unit->paths[i].disk;
    rc = ask_stores(&q);
    if (!rc && !q.text && has_disk)
        rc = ask_blocks(&q);
    for (i = 0; !rc && !q.text && i < unit->num_paths; i++)
        if (!unit->paths[i].disk)
            rc = ask_chars(&q, &unit->paths[i]);
    if (!rc)
        *text_r = q.text;
    else
        free(q.text);
    return rc;
}

void libxl__vscsi_known_dispose(libxl__vscsi_known *known)
{
    libxl__vscsi_dom0_dispose(&known->dom0);
    libxl__vscsi_inuse_free(known->inuse);
    known->inuse = NULL;
}

static int load_inuse(libxl__vscsi_ctx *vc, libxl__vscsi_known *known)
{
    if (!known->inuse)
        known->inuse = libxl__vscsi_inuse_new(vc);
    return known->inuse ? 0 : ERROR_NOMEM;
}

int libxl__vscsi_check_inuse(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                             const libxl__vscsi_unit *unit, bool shared,
                             const char *target)
{
    char *text = NULL;
    int rc;

    rc = load_inuse(vc, known);
    if (!rc)
        rc = libxl__vscsi_inuse_who(vc, known->inuse, unit, shared, target,
                                    &text);
    if (!rc && text) {
        libxl__vscsi_error(vc, "%s", text);
        rc = ERROR_DEVICE_EXISTS;
    }
    free(text);
    return rc;
}

int libxl__vscsi_find_target(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                             const libxl__vscsi_unit *unit,
                             char **wwn_r, char **target_r)
{
    const libxl__vscsi_backstore *store = NULL;
    char *wwn = NULL, *target = NULL;
    int rc;

    rc = load_inuse(vc, known);
    if (!rc)
        rc = libxl__vscsi_inuse_load_stores(vc, known->inuse);
    if (!rc)
        rc = libxl__vscsi_lio_find_foreign(vc, known->inuse->stores,
                                           known->inuse->num_stores, unit,
                                           &wwn, &store);
    if (!rc && store) {
        target = strdup(libxl__vscsi_backstore_id(vc, store));
        if (!target)
            rc = libxl__vscsi_inuse_blind(vc, NULL);
    }
    if (rc) {
        free(wwn);
        return rc;
    }
    *wwn_r = wwn;
    *target_r = target;
    return 0;
}
