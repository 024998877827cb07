/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Devices that a domain started without, because dom0 did not have them.
 * They are on record apart from those that it has, below /libxl/<domid>,
 * which libxl removes with the domain; a name in /libxl/vscsi-missing says
 * that there are any.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_claim.h"
#include "libxl_vscsi_missing.h"
#include "libxl_vscsi_nodes.h"

#define POLL_MS 200

/* ----- the record ----- */

static char *domain_path(uint32_t domid)
{
    return libxl__vscsi_sprintf("/libxl/%u/" NODE_MISSING, domid);
}

static char *device_path(uint32_t domid, const libxl_vscsi_hctl *vdev)
{
    return libxl__vscsi_sprintf("/libxl/%u/" NODE_MISSING "/%u-%u-%u", domid,
                                vdev->hst, vdev->tgt, (unsigned)vdev->lun);
}

static char *domain_name_path(uint32_t domid)
{
    return libxl__vscsi_sprintf("/libxl/" NODE_MISSING "/%u", domid);
}

typedef struct lacking {
    uint32_t domid;
    const libxl_device_vscsictrl *ctrls;    /* each with one device */
    int num;
} lacking;

static int record_body(libxl__vscsi_ctx *vc, xs_transaction_t t, void *arg)
{
    const lacking *l = arg;
    int rc, i;

    rc = libxl__vscsi_write_node(vc, t, domain_name_path(l->domid), "");
    for (i = 0; !rc && i < l->num; i++) {
        char *text = libxl_device_vscsictrl_to_json(vc->xl, &l->ctrls[i]);

        if (!text) {
            libxl__vscsi_error(vc, "it cannot be recorded: a name is no "
                               "UTF-8 text");
            return ERROR_INVAL;
        }
        rc = libxl__vscsi_write_node(vc, t, device_path(
                 l->domid, &l->ctrls[i].vscsidevs[0].vdev), text);
        free(text);
    }
    return rc;
}

static int read_one(libxl__vscsi_ctx *vc, uint32_t domid, const char *name,
                    libxl_device_vscsictrl *ctrl_r, bool *found_r)
{
    char *text;
    int rc;

    rc = libxl__vscsi_read_node(vc, XBT_NULL, libxl__vscsi_sprintf(
             "/libxl/%u/" NODE_MISSING "/%s", domid, name), &text);
    *found_r = text;
    if (rc || !text)
        return rc;
    if (libxl_device_vscsictrl_from_json(vc->xl, ctrl_r, text) ||
        ctrl_r->num_vscsidevs != 1) {
        libxl__vscsi_error(vc, "/libxl/%u/" NODE_MISSING "/%s cannot be "
                           "read: it is not what this software writes",
                           domid, name);
        rc = ERROR_FAIL;
    }
    free(text);
    return rc;
}

static int order_ctrl(const void *a, const void *b)
{
    const libxl_device_vscsictrl *x = a, *y = b;

    return libxl__vscsi_hctl_order(&x->vscsidevs[0].vdev,
                                   &y->vscsidevs[0].vdev);
}

int libxl__vscsi_missing_list(libxl__vscsi_ctx *vc, uint32_t domid,
                              libxl_device_vscsictrl **ctrls_r, int *num_r)
{
    libxl_device_vscsictrl *ctrls = NULL;
    unsigned i, num_names;
    bool found = false;
    char **names;
    int rc, num = 0;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, domain_path(domid), &names,
                                &num_names);
    if (rc)
        return rc;
    if (num_names) {
        ctrls = calloc(num_names, sizeof(*ctrls));
        if (!ctrls)
            rc = libxl__vscsi_out_of_memory(vc);
    }
    for (i = 0; !rc && i < num_names; i++) {
        libxl_device_vscsictrl_init(&ctrls[num]);
        rc = read_one(vc, domid, names[i], &ctrls[num], &found);
        if (rc)
            libxl_device_vscsictrl_dispose(&ctrls[num]);
        else
            num += found;
    }
    free(names);
    if (rc || !num) {
        libxl_device_vscsictrl_list_free(ctrls, num);
        ctrls = NULL;
    }
    if (rc)
        return rc;
    if (num)
        qsort(ctrls, (size_t)num, sizeof(*ctrls), order_ctrl);
    *ctrls_r = ctrls;
    *num_r = num;
    return 0;
}

/* ----- all that belongs to a domain ----- */

static bool has_place(const libxl_device_vscsictrl *ctrl,
                      const libxl_vscsi_hctl *vdev)
{
    int i;

    for (i = 0; i < ctrl->num_vscsidevs; i++)
        if (libxl__vscsi_hctl_equal(&ctrl->vscsidevs[i].vdev, vdev))
            return true;
    return false;
}

/* Moves *more into the list, unless its place was given to another since. */
static int merge(libxl__vscsi_ctx *vc, libxl_device_vscsictrl **ctrls,
                 int *num, libxl_device_vscsictrl *more)
{
    libxl_device_vscsictrl *longer;
    int i, rc;

    for (i = 0; i < *num && (*ctrls)[i].devid != more->devid; i++)
        ;
    if (i < *num) {
        if (has_place(&(*ctrls)[i], &more->vscsidevs[0].vdev))
            return 0;
        rc = libxl_device_vscsictrl_append_vscsidev(vc->xl, &(*ctrls)[i],
                                                    &more->vscsidevs[0]);
        if (rc)
            rc = libxl__vscsi_out_of_memory(vc);
        return rc;
    }
    longer = realloc(*ctrls, ((size_t)*num + 1) * sizeof(*longer));
    if (!longer)
        return libxl__vscsi_out_of_memory(vc);
    *ctrls = longer;
    longer[(*num)++] = *more;
    libxl_device_vscsictrl_init(more);
    return 0;
}

int libxl__vscsi_config_list(libxl__vscsi_ctx *vc, uint32_t domid,
                             libxl_device_vscsictrl **ctrls_r, int *num_r)
{
    libxl_device_vscsictrl *ctrls = NULL, *missing = NULL;
    int rc, i, num = 0, num_missing = 0;
    libxl__vscsi_marks marks;

    libxl__vscsi_doing(vc, "list", "the SCSI devices", domid);
    rc = libxl__vscsi_xs_find_domain(vc, XBT_NULL, domid, &marks);
    if (!rc)
        rc = libxl__vscsi_xs_list(vc, domid, -1, &ctrls, &num, NULL);
    if (!rc && marks.lacks)
        rc = libxl__vscsi_missing_list(vc, domid, &missing, &num_missing);
    for (i = 0; !rc && missing && i < num_missing; i++)
        rc = merge(vc, &ctrls, &num, &missing[i]);
    libxl_device_vscsictrl_list_free(missing, num_missing);
    if (rc) {
        libxl_device_vscsictrl_list_free(ctrls, num);
        return rc;
    }
    *ctrls_r = ctrls;
    *num_r = num;
    return 0;
}

libxl_device_vscsictrl *
libxl_vscsi_config_list(libxl_ctx *ctx, uint32_t domid, int *num_r)
{
    libxl_device_vscsictrl *ctrls = NULL;
    libxl__vscsi_ctx vc;
    int rc, num = -1;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_config_list(&vc, domid, &ctrls, &num);
    libxl__vscsi_ctx_dispose(&vc);
    *num_r = rc ? -1 : num;
    return ctrls;
}

/* ----- what is missing no more ----- */

int libxl__vscsi_missing_end(libxl__vscsi_ctx *vc, uint32_t domid)
{
    int rc;

    rc = libxl__vscsi_remove_node(vc, XBT_NULL, domain_name_path(domid));
    return rc ? rc : libxl__vscsi_remove_if_empty(
                         vc, XBT_NULL, strdup("/libxl/" NODE_MISSING), 1);
}

static int end_if_empty(libxl__vscsi_ctx *vc, uint32_t domid)
{
    unsigned num;
    char **names;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, domain_path(domid), &names,
                                &num);
    if (rc)
        return rc;
    free(names);
    if (num)
        return 0;
    rc = libxl__vscsi_remove_node(vc, XBT_NULL, domain_path(domid));
    return rc ? rc : libxl__vscsi_missing_end(vc, domid);
}

int libxl__vscsi_missing_forget(libxl__vscsi_ctx *vc, uint32_t domid,
                                const libxl_vscsi_hctl *vdev, bool *was_r)
{
    char *text;
    int rc;

    rc = libxl__vscsi_read_node(vc, XBT_NULL, device_path(domid, vdev),
                                &text);
    *was_r = !rc && text;
    free(text);
    if (!*was_r)
        return rc;
    rc = libxl__vscsi_remove_node(vc, XBT_NULL, device_path(domid, vdev));
    return rc ? rc : end_if_empty(vc, domid);
}

/* ----- a start ----- */

static bool may_lack(const libxl_device_vscsidev *dev, bool restarts)
{
    return dev->absent ||
           (libxl_defbool_is_default(dev->skip_missing)
            ? restarts : libxl_defbool_val(dev->skip_missing));
}

bool libxl__vscsi_may_lack(const libxl_device_vscsidev *dev)
{
    return may_lack(dev, false);
}

typedef struct start {
    uint32_t domid;
    bool restarts, uses_lio;
    libxl__vscsi_known known;
    uint64_t since_ms;
    libxl_device_vscsictrl *missing;
    int num_missing;
} start;

/* Until it is there, or its time is over: ERROR_NOTFOUND, and *reason_r. */
static int await_device(libxl__vscsi_ctx *vc, start *s,
                        const libxl_device_vscsidev *dev, char **reason_r)
{
    uint64_t end = s->since_ms + dev->wait_s * UINT64_C(1000);
    bool over;
    int rc;

    for (;;) {
        over = libxl__vscsi_now_ms() >= end;
        vc->reason_r = reason_r;
        rc = libxl__vscsi_claim_look(vc, &s->known, s->uses_lio, dev);
        vc->reason_r = NULL;
        if (rc != ERROR_NOTFOUND || over)
            return rc;
        free(*reason_r);
        *reason_r = NULL;
        libxl__vscsi_known_dispose(&s->known);  /* looks anew */
        libxl__vscsi_pause(POLL_MS);
    }
}

/* dev moves to s->missing. */
static int note_missing(libxl__vscsi_ctx *vc, start *s,
                        const libxl_device_vscsictrl *ctrl,
                        libxl_device_vscsidev *dev)
{
    libxl_device_vscsictrl *longer, one;

    longer = realloc(s->missing,
                     ((size_t)s->num_missing + 1) * sizeof(*longer));
    if (longer)
        s->missing = longer;
    libxl_device_vscsictrl_init(&one);
    one.vscsidevs = longer ? malloc(sizeof(*one.vscsidevs)) : NULL;
    if (!one.vscsidevs)
        return libxl__vscsi_out_of_memory(vc);
    one.devid = one.idx = ctrl->devid;
    one.backend_domid = ctrl->backend_domid;
    one.scsi_raw_cmds = ctrl->scsi_raw_cmds;
    one.segments = ctrl->segments;
    one.vscsidevs[0] = *dev;
    one.vscsidevs[0].absent = true;
    one.num_vscsidevs = 1;
    libxl_device_vscsidev_init(dev);
    s->missing[s->num_missing++] = one;
    return 0;
}

static void say_missing(libxl__vscsi_ctx *vc, const start *s,
                        const libxl_device_vscsidev *dev, const char *reason)
{
    char *domain = libxl__vscsi_domain_name(vc, s->domid);
    char vdev[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(&dev->vdev, vdev);
    libxl__vscsi_log(vc, XTL_WARN, "%s starts without %s: %s (once it is "
                     "back: xl scsi-attach %s %s)", domain ? domain : "it",
                     dev->pdev.p_devname ? dev->pdev.p_devname : vdev,
                     reason ? reason : "it is not there",
                     domain ? domain : "DOMAIN", vdev);
    free(domain);
}

/* What cannot be looked at stays, and what may not be missing: the attach
 * says so. */
static int look_at_device(libxl__vscsi_ctx *vc, start *s,
                          const libxl_device_vscsictrl *ctrl,
                          libxl_device_vscsidev *dev, bool *gone_r)
{
    bool lacks = may_lack(dev, s->restarts);
    char *reason = NULL;
    int rc = 0;

    *gone_r = false;
    if (lacks || dev->wait_s)
        rc = await_device(vc, s, dev, &reason);
    if (rc == ERROR_NOTFOUND && lacks) {
        say_missing(vc, s, dev, reason);
        rc = note_missing(vc, s, ctrl, dev);
        *gone_r = !rc;
    } else {
        dev->absent = false;
        rc = rc == ERROR_NOMEM ? rc : 0;
    }
    free(reason);
    return rc;
}

static int look_at_ctrl(libxl__vscsi_ctx *vc, start *s,
                        libxl_device_vscsictrl *ctrl)
{
    bool gone = false;
    int rc = 0, i = 0;

    while (!rc && i < ctrl->num_vscsidevs) {
        rc = look_at_device(vc, s, ctrl, &ctrl->vscsidevs[i], &gone);
        if (!rc && gone)
            libxl_device_vscsictrl_remove_vscsidev(vc->xl, ctrl, i);
        else
            i++;
    }
    return rc;
}

/* A vscsictrl with no device would be none. */
static void drop_empty(libxl_device_vscsictrl *ctrls, int *num)
{
    int i, kept = 0;

    for (i = 0; i < *num; i++) {
        if (ctrls[i].num_vscsidevs)
            ctrls[kept++] = ctrls[i];
        else
            libxl_device_vscsictrl_dispose(&ctrls[i]);
    }
    *num = kept;
}

int libxl__vscsi_take_missing(libxl__vscsi_ctx *vc, uint32_t domid,
                              libxl_device_vscsictrl *ctrls, int *num,
                              bool restarts)
{
    start s = { .domid = domid, .restarts = restarts,
                .since_ms = libxl__vscsi_now_ms() };
    lacking l = { .domid = domid };
    int rc, i;

    libxl__vscsi_doing(vc, "start with", "its SCSI devices", domid);
    rc = libxl__vscsi_lio_probe(vc, &s.uses_lio);
    for (i = 0; !rc && i < *num; i++)
        rc = look_at_ctrl(vc, &s, &ctrls[i]);
    libxl__vscsi_known_dispose(&s.known);
    l.ctrls = s.missing;
    l.num = s.num_missing;
    if (!rc && l.num)
        rc = libxl__vscsi_xs_transact(vc, record_body, &l);
    drop_empty(ctrls, num);
    libxl_device_vscsictrl_list_free(s.missing, s.num_missing);
    return rc;
}

int libxl_vscsi_take_missing(libxl_ctx *ctx, uint32_t domid,
                             libxl_device_vscsictrl *ctrls, int *num,
                             bool restarts)
{
    libxl__vscsi_ctx vc;
    int rc;

    (void)ctx;
    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_take_missing(&vc, domid, ctrls, num, restarts);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}
