/* SPDX-License-Identifier: LGPL-2.1-only */
/* Text to libxl's types and back; see libxlutil_vscsi.h. */
#include "libxlu_vscsi_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY "PDEV,VDEV[,OPTION]"
#define SHORT_ENTRY "PDEV[,VDEV][,OPTION]"

typedef xlu__vscsi_span span;

/* ----- what there is beside PDEV and VDEV ----- */

#define RAW_NAME "feature-host"
#define SHAREABLE_NAME "shareable"
#define SEGMENTS_NAME "segments"
#define MISSING_NAME "missing"
#define WAIT_NAME "wait"

typedef enum option_id { RAW, SHAREABLE, SEGMENTS, MISSING, WAIT } option_id;
/* missing=..., as the numbers of these words */
enum { MISSING_FAIL = 1, MISSING_SKIP = 2 };

static const struct option {
    const char *name;
    unsigned min, max;          /* of NAME=N; 0: without a number */
    const char *form;           /* of what follows the '='; NULL: nothing */
    const char *words[2];       /* in the place of a number: 1, 2 */
} options[] = {
    [RAW] = { .name = RAW_NAME },
    [SHAREABLE] = { .name = SHAREABLE_NAME },
    [SEGMENTS] = { SEGMENTS_NAME, LIBXL_VSCSI_MIN_SEGMENTS,
                   LIBXL_VSCSI_MAX_SEGMENTS, "N", { NULL } },
    [MISSING] = { MISSING_NAME, MISSING_FAIL, MISSING_SKIP, "fail|skip",
                  { "fail", "skip" } },
    [WAIT] = { WAIT_NAME, 1, LIBXL__VSCSI_MAX_WAIT_S, "SECONDS", { NULL } },
};
#define NUM_OPTIONS (sizeof(options) / sizeof(options[0]))
#define OPTIONS_SIZE 128

typedef struct parser {
    xlu__vscsi_source src;
    const char *next;           /* the field to read next; NULL: no more */
    span pdev, vdev;
    libxl_device_vscsidev dev;
    unsigned given[NUM_OPTIONS];        /* 0: not */
    span where[NUM_OPTIONS];
} parser;

#define FAIL(p, at, ...) xlu__vscsi_fail(&(p)->src, at, __VA_ARGS__)

/* False when there is no field left. */
static bool next_field(parser *p, span *field_r)
{
    const char *s = p->next;
    size_t len;

    if (!s)
        return false;
    len = strcspn(s, ",");
    p->next = s[len] ? s + len + 1 : NULL;
    *field_r = xlu__vscsi_trimmed(s, len);
    return true;
}

static const char *list_options(char buf[OPTIONS_SIZE])
{
    size_t i, len = 0;

    for (i = 0; i < NUM_OPTIONS; i++)
        len += (size_t)snprintf(buf + len, OPTIONS_SIZE - len, "%s%s%s%s",
                                i ? ", " : "", options[i].name,
                                options[i].form ? "=" : "",
                                options[i].form ? options[i].form : "");
    return buf;
}

/* A word, or a number in its range. */
static bool read_value(const struct option *o, span value, unsigned *value_r)
{
    uint64_t number;
    unsigned i;

    for (i = 0; i < 2 && o->words[i]; i++) {
        if (xlu__vscsi_is(value, o->words[i])) {
            *value_r = i + 1;
            return true;
        }
    }
    if (i || !libxl__vscsi_parse_u64(value.s, value.len, o->max, &number) ||
        number < o->min)
        return false;
    *value_r = (unsigned)number;
    return true;
}

static int refuse_value(parser *p, span text, const struct option *o)
{
    if (!o->form)
        return FAIL(p, text, "option %s takes no value", o->name);
    if (o->words[0])
        return FAIL(p, text, "option %s=%s needs one of these words",
                    o->name, o->form);
    return FAIL(p, text, "option %s=%s needs a decimal number from %u to %u "
                "without sign or leading zeros", o->name, o->form, o->min,
                o->max);
}

static int parse_value(parser *p, span text, option_id id)
{
    const struct option *o = &options[id];
    const char *equals = memchr(text.s, '=', text.len);
    span value = { "", 0 };
    unsigned number = 1;

    if (equals)
        value = (span){ equals + 1, (size_t)(text.s + text.len - equals) - 1 };
    if (!o->form != !equals || (equals && !read_value(o, value, &number)))
        return refuse_value(p, text, o);
    if (p->given[id])
        return FAIL(p, text, "option %s is given twice", o->name);
    p->given[id] = number;
    p->where[id] = text;
    return 0;
}

static int parse_option(parser *p, span text)
{
    char quoted[XLU__VSCSI_QUOTE_SIZE], known[OPTIONS_SIZE];
    const char *value = memchr(text.s, '=', text.len);
    span name = { text.s, value ? (size_t)(value - text.s) : text.len };
    size_t i;

    if (!text.len)
        return FAIL(p, text, "an option is empty; known are %s",
                    list_options(known));
    for (i = 0; i < NUM_OPTIONS; i++)
        if (xlu__vscsi_is(name, options[i].name))
            return parse_value(p, text, (option_id)i);
    return FAIL(p, text, "unknown option %s; known are %s",
                xlu__vscsi_quote(text, quoted), list_options(known));
}

static int parse_options(parser *p)
{
    span text;
    int rc = 0;

    while (!rc && next_field(p, &text))
        rc = parse_option(p, text);
    return rc;
}

/* ----- PDEV,VDEV[,OPTION...] ----- */

static bool looks_like_option(span text)
{
    return text.len && !memchr(text.s, ':', text.len) &&
           !(*text.s >= '0' && *text.s <= '9');
}

/* may_choose: without VDEV, the place is for libxl to choose. */
static int parse_place(parser *p, bool may_choose)
{
    libxl_vscsi_hctl *vdev = &p->dev.vdev;

    vdev->hst = LIBXL_VSCSI_ANY;
    if (!next_field(p, &p->vdev) && may_choose)
        return 0;
    if (may_choose && looks_like_option(p->vdev))
        return parse_option(p, p->vdev);
    if (!p->vdev.len)
        return FAIL(p, p->vdev, "vdev is missing; %s is expected",
                    may_choose ? SHORT_ENTRY : ENTRY);
    return libxl__vscsi_is_several(&p->dev.pdev)
           ? xlu__vscsi_parse_ctrl(&p->src, p->vdev, vdev)
           : xlu__vscsi_parse_vdev(&p->src, p->vdev, vdev);
}

/* Fills p; p->dev is to be disposed of whatever is returned. */
static int parse_spec(parser *p, const char *spec, bool may_choose,
                      char **msg_r)
{
    int rc;

    memset(p, 0, sizeof(*p));
    p->src.spec = p->next = spec;
    p->src.msg_r = msg_r;
    p->vdev.s = spec + strlen(spec);
    libxl_device_vscsidev_init(&p->dev);
    next_field(p, &p->pdev);
    if (!p->pdev.len)
        return FAIL(p, p->pdev, "pdev is missing; %s is expected",
                    may_choose ? SHORT_ENTRY : ENTRY);
    rc = xlu__vscsi_parse_pdev(&p->src, p->pdev, &p->dev.pdev);
    if (!rc)
        rc = parse_place(p, may_choose);
    if (!rc)
        rc = parse_options(p);
    p->dev.shareable = p->given[SHAREABLE];
    if (p->given[MISSING])
        libxl_defbool_set(&p->dev.skip_missing,
                          p->given[MISSING] == MISSING_SKIP);
    p->dev.wait_s = p->given[WAIT];
    return rc;
}

/* ----- the public functions ----- */

/* A vscsictrl with the one device, which moves out of p. */
static int make_ctrl(parser *p, libxl_device_vscsictrl *ctrl_r)
{
    libxl_device_vscsidev *devs = malloc(sizeof(*devs));

    if (!devs)
        return xlu__vscsi_fail_nomem(&p->src);
    devs[0] = p->dev;
    libxl_device_vscsidev_init(&p->dev);
    libxl_device_vscsictrl_init(ctrl_r);
    ctrl_r->devid = ctrl_r->idx = (libxl_devid)devs[0].vdev.hst;
    if (p->given[RAW])
        libxl_defbool_set(&ctrl_r->scsi_raw_cmds, true);
    ctrl_r->segments = p->given[SEGMENTS];
    ctrl_r->vscsidevs = devs;
    ctrl_r->num_vscsidevs = 1;
    return 0;
}

static int parse_ctrl(const char *spec, bool may_choose,
                      libxl_device_vscsictrl *ctrl_r, char **msg_r)
{
    libxl_device_vscsictrl ctrl;
    parser p;
    int rc;

    rc = parse_spec(&p, spec, may_choose, msg_r);
    if (!rc)
        rc = make_ctrl(&p, &ctrl);
    if (!rc) {
        libxl_device_vscsictrl_dispose(ctrl_r);
        *ctrl_r = ctrl;
    }
    libxl_device_vscsidev_dispose(&p.dev);
    return rc;
}

int xlu_vscsi_parse(const char *spec, libxl_device_vscsictrl *ctrl_r,
                    char **msg_r)
{
    return parse_ctrl(spec, false, ctrl_r, msg_r);
}

int xlu_vscsi_parse_short(const char *spec, libxl_device_vscsictrl *ctrl_r,
                          char **msg_r)
{
    return parse_ctrl(spec, true, ctrl_r, msg_r);
}

int xlu_vscsi_parse_vdev(const char *spec, libxl_vscsi_hctl *vdev_r,
                         char **msg_r)
{
    parser p = { .src = { spec, msg_r } };

    p.vdev = xlu__vscsi_trimmed(spec, strlen(spec));
    if (!p.vdev.len)
        return FAIL(&p, p.vdev, "vdev is missing; %s is expected",
                    xlu__vscsi_vdev_form);
    return xlu__vscsi_parse_vdev(&p.src, p.vdev, vdev_r);
}

int xlu_vscsi_parse_ctrl(const char *spec, libxl_devid *devid_r,
                         char **msg_r)
{
    xlu__vscsi_source src = { spec, msg_r };
    libxl_vscsi_hctl vdev;
    int rc;

    rc = xlu__vscsi_parse_ctrl(&src, xlu__vscsi_trimmed(spec, strlen(spec)),
                               &vdev);
    if (!rc)
        *devid_r = (libxl_devid)vdev.hst;
    return rc;
}

int xlu_vscsi_parse_pdev(const char *spec, libxl_vscsi_pdev *pdev_r,
                         char **msg_r)
{
    parser p = { .src = { spec, msg_r }, .next = spec };
    libxl_vscsi_pdev pdev;
    int rc;

    libxl_vscsi_pdev_init(&pdev);
    next_field(&p, &p.pdev);
    if (!p.pdev.len || p.next)
        rc = FAIL(&p, p.pdev, "one pdev is expected: %s",
                  xlu__vscsi_pdev_form);
    else
        rc = xlu__vscsi_parse_pdev(&p.src, p.pdev, &pdev);
    if (!rc && libxl__vscsi_is_several(&pdev))
        rc = FAIL(&p, p.pdev, "one device is expected");
    if (!rc) {
        libxl_vscsi_pdev_dispose(pdev_r);
        *pdev_r = pdev;
        libxl_vscsi_pdev_init(&pdev);
    }
    libxl_vscsi_pdev_dispose(&pdev);
    return rc;
}

/* What names the physical device, in buf where it has to be made. */
static const char *pdev_text(const libxl_vscsi_pdev *pdev,
                             char buf[LIBXL__VSCSI_HCTL_SIZE])
{
    if (pdev->p_devname)
        return pdev->p_devname;
    if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL) {
        libxl__vscsi_hctl_format(&pdev->u.hctl.m, buf);
        return buf;
    }
    if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_WWN && pdev->u.wwn.m)
        return pdev->u.wwn.m;
    return "";
}

static bool is_raw(const libxl_device_vscsictrl *ctrl)
{
    return !libxl_defbool_is_default(ctrl->scsi_raw_cmds) &&
           libxl_defbool_val(ctrl->scsi_raw_cmds);
}

/* Against the devices of one vscsictrl that came before. */
static int check_against(const parser *p, const libxl_device_vscsictrl *ctrl)
{
    char vdev[LIBXL__VSCSI_HCTL_SIZE], buf[LIBXL__VSCSI_HCTL_SIZE];
    bool several = libxl__vscsi_is_several(&p->dev.pdev);
    char pdev[XLU__VSCSI_QUOTE_SIZE];
    int i;

    libxl__vscsi_hctl_format(&p->dev.vdev, vdev);
    for (i = 0; i < ctrl->num_vscsidevs; i++) {
        const libxl_device_vscsidev *dev = &ctrl->vscsidevs[i];

        if (!several && !libxl__vscsi_is_several(&dev->pdev) &&
            libxl__vscsi_hctl_equal(&dev->vdev, &p->dev.vdev))
            return FAIL(p, p->vdev, "vdev %s is used twice", vdev);
        if (!strcmp(pdev_text(&dev->pdev, buf), p->dev.pdev.p_devname))
            return FAIL(p, p->pdev, "pdev %s is used twice",
                        xlu__vscsi_quote(p->pdev, pdev));
    }
    if (ctrl->devid != (libxl_devid)p->dev.vdev.hst)
        return 0;
    if (is_raw(ctrl) != p->given[RAW])
        return FAIL(p, p->vdev, RAW_NAME " differs from the other devices of "
                    "vscsictrl %d", ctrl->devid);
    if (ctrl->segments && p->given[SEGMENTS] &&
        ctrl->segments != p->given[SEGMENTS])
        return FAIL(p, p->where[SEGMENTS], SEGMENTS_NAME " is %u for the "
                    "other devices of vscsictrl %d", ctrl->segments,
                    ctrl->devid);
    return 0;
}

/* The device moves out of p into ctrl. */
static int append_dev(parser *p, libxl_device_vscsictrl *ctrl)
{
    size_t num = (size_t)ctrl->num_vscsidevs;
    libxl_device_vscsidev *devs;

    devs = realloc(ctrl->vscsidevs, (num + 1) * sizeof(*devs));
    if (!devs)
        return xlu__vscsi_fail_nomem(&p->src);
    devs[num] = p->dev;
    libxl_device_vscsidev_init(&p->dev);
    ctrl->vscsidevs = devs;
    ctrl->num_vscsidevs++;
    if (p->given[SEGMENTS])
        ctrl->segments = p->given[SEGMENTS];
    return 0;
}

static int append_ctrl(parser *p, libxl_device_vscsictrl **ctrls, int *num)
{
    libxl_device_vscsictrl *longer;
    int rc;

    longer = realloc(*ctrls, ((size_t)*num + 1) * sizeof(*longer));
    if (!longer)
        return xlu__vscsi_fail_nomem(&p->src);
    *ctrls = longer;
    rc = make_ctrl(p, &longer[*num]);
    if (!rc)
        (*num)++;
    return rc;
}

int xlu_vscsi_config_add(const char *spec, libxl_device_vscsictrl **ctrls,
                         int *num, char **msg_r)
{
    libxl_device_vscsictrl *same = NULL;
    parser p;
    int rc, i;

    rc = parse_spec(&p, spec, false, msg_r);
    for (i = 0; !rc && i < *num; i++) {
        rc = check_against(&p, &(*ctrls)[i]);
        if ((*ctrls)[i].devid == (libxl_devid)p.dev.vdev.hst)
            same = &(*ctrls)[i];
    }
    if (!rc)
        rc = same ? append_dev(&p, same) : append_ctrl(&p, ctrls, num);
    libxl_device_vscsidev_dispose(&p.dev);
    return rc;
}

/* ",0:0:0:1", ",0:*", or nothing. */
static void format_place(const libxl_device_vscsidev *dev,
                         char text_r[1 + LIBXL__VSCSI_HCTL_SIZE])
{
    *text_r = '\0';
    if (dev->vdev.hst == LIBXL_VSCSI_ANY)
        return;
    *text_r++ = ',';
    if (libxl__vscsi_is_several(&dev->pdev))
        snprintf(text_r, LIBXL__VSCSI_HCTL_SIZE, "%" PRIu32 ":*",
                 dev->vdev.hst);
    else
        libxl__vscsi_hctl_format(&dev->vdev, text_r);
}

char *xlu_vscsi_to_string(const libxl_device_vscsictrl *ctrl,
                          const libxl_device_vscsidev *dev)
{
    char place[1 + LIBXL__VSCSI_HCTL_SIZE], pdev[LIBXL__VSCSI_HCTL_SIZE];
    char segments[32] = "", wait[32] = "", *text;
    const char *missing = "";

    format_place(dev, place);
    if (ctrl->segments)
        snprintf(segments, sizeof(segments), "," SEGMENTS_NAME "=%u",
                 ctrl->segments);
    if (!libxl_defbool_is_default(dev->skip_missing))
        missing = libxl_defbool_val(dev->skip_missing)
                  ? "," MISSING_NAME "=skip" : "," MISSING_NAME "=fail";
    if (dev->wait_s)
        snprintf(wait, sizeof(wait), "," WAIT_NAME "=%u", dev->wait_s);
    if (asprintf(&text, "%s%s%s%s%s%s%s", pdev_text(&dev->pdev, pdev), place,
                 is_raw(ctrl) ? "," RAW_NAME : "",
                 dev->shareable ? "," SHAREABLE_NAME : "", segments, missing,
                 wait) < 0)
        return NULL;
    return text;
}
