/* SPDX-License-Identifier: LGPL-2.1-only */
/* Text to libxl's types and back; see libxlutil_vscsi.h. */
#include "libxlutil_vscsi.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_addr.h"

#define MAX_PDEV_LEN 1024
#define RAW_OPTION "feature-host"
/* How much of a text a message shows. */
#define QUOTE_MAX 120
#define QUOTE_SIZE (QUOTE_MAX + sizeof("\\xff...'"))

/* A part of the spec. */
typedef struct span {
    const char *s;
    size_t len;
} span;

typedef struct parser {
    const char *spec;
    const char *next;           /* the field to read next; NULL: no more */
    char **msg_r;
    span pdev, vdev;
    libxl_device_vscsidev dev;
    bool raw;
} parser;

/* ----- messages ----- */

/* What would act on a terminal becomes \xNN, and long texts are cut. */
static const char *quote(span text, char buf[QUOTE_SIZE])
{
    char *out = buf;
    size_t i;

    *out++ = '\'';
    for (i = 0; i < text.len && out - buf < QUOTE_MAX; i++) {
        unsigned char c = (unsigned char)text.s[i];

        if (c >= ' ' && c <= '~')
            *out++ = (char)c;
        else
            out += snprintf(out, sizeof("\\xff"), "\\x%02x", c);
    }
    snprintf(out, sizeof("...'"), "%s", i < text.len ? "...'" : "'");
    return buf;
}

static span whole(const char *s)
{
    return (span){ s, strlen(s) };
}

static int __attribute__((format(printf, 3, 4)))
fail(const parser *p, span at, const char *fmt, ...)
{
    char spec[QUOTE_SIZE], place[QUOTE_SIZE], what[QUOTE_SIZE + 128];
    char *msg = NULL;
    va_list ap;

    if (!p->msg_r)
        return ERROR_INVAL;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (!at.len)
        at = whole(at.s);       /* an empty part: what follows shows where */
    if (asprintf(&msg, "vscsi: %s: %s (at %s)", quote(whole(p->spec), spec),
                 what, at.len ? quote(at, place) : "its end") < 0)
        msg = NULL;
    *p->msg_r = msg;
    return msg ? ERROR_INVAL : ERROR_NOMEM;
}

static int fail_nomem(const parser *p)
{
    if (p->msg_r)
        *p->msg_r = NULL;
    return ERROR_NOMEM;
}

/* ----- fields ----- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static span trimmed(const char *s, size_t len)
{
    while (len && is_blank(*s)) {
        s++;
        len--;
    }
    while (len && is_blank(s[len - 1]))
        len--;
    return (span){ s, len };
}

/* False when there is no field left. */
static bool next_field(parser *p, span *field_r)
{
    const char *s = p->next;
    size_t len;

    if (!s)
        return false;
    len = strcspn(s, ",");
    p->next = s[len] ? s + len + 1 : NULL;
    *field_r = trimmed(s, len);
    return true;
}

/* The bytes of the character at s in UTF-8; 0 if it is none, or one that
 * controls a terminal. */
static size_t printable_len(const char *s, size_t len)
{
    static const uint32_t least[] = { 0, ' ', 0xa0, 0x800, 0x10000 };
    unsigned char c = (unsigned char)s[0];
    size_t i, n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 :
                  c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
    uint32_t value = n > 1 ? c & (0x7fU >> n) : c;

    if (!n || n > len)
        return 0;
    for (i = 1; i < n; i++) {
        c = (unsigned char)s[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (c & 0x3f);
    }
    if (value < least[n] || value == 0x7f || value > 0x10ffff ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    return n;
}

static int check_characters(const parser *p, span field)
{
    size_t i, n;

    for (i = 0; i < field.len; i += n) {
        span rest = { field.s + i, field.len - i };

        if (is_blank(field.s[i]))
            return fail(p, rest, "pdev has a blank inside");
        n = printable_len(rest.s, rest.len);
        if (!n)
            return fail(p, rest,
                        "pdev has a byte that is no printable UTF-8");
    }
    return 0;
}

/* ----- HOST:CHANNEL:TARGET:LUN ----- */

typedef struct address {
    const char *name, *form;
    uint64_t max[4];            /* what a message names as the bound */
} address;

static const address pdev_address = {
    .name = "pdev",
    .form = "HOST:CHANNEL:TARGET:LUN or /dev/...",
    .max = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX },
};

static const address vdev_address = {
    .name = "vdev",
    .form = "HOST:CHANNEL:TARGET:LUN",
    .max = { LIBXL__VSCSI_MAX_VHOST, 0, LIBXL__VSCSI_MAX_TARGET,
             LIBXL__VSCSI_MAX_LUN },
};

static bool split_address(span text, span parts[4])
{
    const char *s = text.s, *end = text.s + text.len;
    size_t i;

    for (i = 0; i < 4; i++) {
        const char *colon = memchr(s, ':', (size_t)(end - s));

        if (!colon != (i == 3))
            return false;
        parts[i] = (span){ s, (size_t)((colon ? colon : end) - s) };
        s = colon ? colon + 1 : end;
    }
    return true;
}

static int fail_number(const parser *p, const address *a, span text,
                       span part, int i)
{
    static const char *const names[] = { "host", "channel", "target", "LUN" };

    if (!part.len)
        part = text;
    if (!a->max[i])
        return fail(p, part, "%s of %s must be 0", names[i], a->name);
    return fail(p, part, "%s of %s must be a decimal number from 0 to %"
                PRIu64 " without sign or leading zeros", names[i], a->name,
                a->max[i]);
}

static int parse_address(const parser *p, const address *a, span text,
                         libxl_vscsi_hctl *hctl_r)
{
    uint64_t value[4];
    span parts[4];
    int i;

    if (!split_address(text, parts))
        return fail(p, text, "%s needs %s", a->name, a->form);
    for (i = 0; i < 4; i++)
        if (!libxl__vscsi_parse_u64(parts[i].s, parts[i].len,
                                    i < 3 ? UINT32_MAX : UINT64_MAX,
                                    &value[i]))
            return fail_number(p, a, text, parts[i], i);
    hctl_r->hst = (uint32_t)value[0];
    hctl_r->chn = (uint32_t)value[1];
    hctl_r->tgt = (uint32_t)value[2];
    hctl_r->lun = value[3];
    return 0;
}

static int parse_vdev(const parser *p, span text, libxl_vscsi_hctl *vdev_r)
{
    libxl_vscsi_hctl vdev;
    const char *fault;
    char buf[96];
    int rc;

    rc = parse_address(p, &vdev_address, text, &vdev);
    if (rc)
        return rc;
    fault = libxl__vscsi_vdev_fault(&vdev, buf, sizeof(buf));
    if (fault)
        return fail(p, text, "%s", fault);
    *vdev_r = vdev;
    return 0;
}

/* ----- PDEV ----- */

static int parse_wwn(const parser *p, libxl_vscsi_pdev *pdev)
{
    char *wwn;

    if (!libxl__vscsi_wwn_parse(pdev->p_devname, NULL, NULL))
        return fail(p, p->pdev, "pdev needs naa. with 16 hex digits, ':' and"
                    " a LUN as a plain decimal number");
    wwn = strdup(pdev->p_devname);
    if (!wwn)
        return fail_nomem(p);
    libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    pdev->u.wwn.m = wwn;
    return 0;
}

static int parse_pdev(const parser *p, libxl_vscsi_pdev *pdev)
{
    libxl_vscsi_hctl hctl;
    span text = p->pdev;
    int rc;

    rc = check_characters(p, text);
    if (rc)
        return rc;
    if (text.len > MAX_PDEV_LEN)
        return fail(p, text, "pdev is longer than %d bytes", MAX_PDEV_LEN);
    pdev->p_devname = strndup(text.s, text.len);
    if (!pdev->p_devname)
        return fail_nomem(p);
    if (!strncmp(pdev->p_devname, "naa.", 4))
        return parse_wwn(p, pdev);
    if (*text.s == '/')
        return !strncmp(text.s, "/dev/", 5) && text.len > 5 ? 0 :
               fail(p, text, "pdev needs %s", pdev_address.form);
    rc = parse_address(p, &pdev_address, text, &hctl);
    if (rc)
        return rc;
    libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    pdev->u.hctl.m = hctl;
    return 0;
}

/* ----- PDEV,VDEV[,OPTION...] ----- */

static int parse_options(parser *p)
{
    char quoted[QUOTE_SIZE];
    span option;

    while (next_field(p, &option)) {
        if (!option.len)
            return fail(p, option, "an option is empty; only " RAW_OPTION
                        " is known");
        if (option.len != strlen(RAW_OPTION) ||
            memcmp(option.s, RAW_OPTION, option.len))
            return fail(p, option, "unknown option %s; only " RAW_OPTION
                        " is known", quote(option, quoted));
        if (p->raw)
            return fail(p, option, "option " RAW_OPTION " is given twice");
        p->raw = true;
    }
    return 0;
}

/* Fills p; p->dev is to be disposed of whatever is returned. */
static int parse_spec(parser *p, const char *spec, char **msg_r)
{
    int rc;

    memset(p, 0, sizeof(*p));
    p->spec = p->next = spec;
    p->msg_r = msg_r;
    p->vdev.s = spec + strlen(spec);
    libxl_device_vscsidev_init(&p->dev);
    next_field(p, &p->pdev);
    if (!p->pdev.len)
        return fail(p, p->pdev, "pdev is missing; PDEV,VDEV[,OPTION] is "
                    "expected");
    rc = parse_pdev(p, &p->dev.pdev);
    if (rc)
        return rc;
    if (!next_field(p, &p->vdev) || !p->vdev.len) {
        return fail(p, p->vdev, "vdev is missing; PDEV,VDEV[,OPTION] is "
                    "expected");
    }
    rc = parse_vdev(p, p->vdev, &p->dev.vdev);
    if (rc)
        return rc;
    return parse_options(p);
}

/* ----- the public functions ----- */

/* A vhost with the one device, which moves out of p. */
static int make_ctrl(parser *p, libxl_device_vscsictrl *ctrl_r)
{
    libxl_device_vscsidev *devs = malloc(sizeof(*devs));

    if (!devs)
        return fail_nomem(p);
    devs[0] = p->dev;
    libxl_device_vscsidev_init(&p->dev);
    libxl_device_vscsictrl_init(ctrl_r);
    ctrl_r->devid = ctrl_r->idx = (libxl_devid)devs[0].vdev.hst;
    if (p->raw)
        libxl_defbool_set(&ctrl_r->scsi_raw_cmds, true);
    ctrl_r->vscsidevs = devs;
    ctrl_r->num_vscsidevs = 1;
    return 0;
}

int xlu_vscsi_parse(const char *spec, libxl_device_vscsictrl *ctrl_r,
                    char **msg_r)
{
    libxl_device_vscsictrl ctrl;
    parser p;
    int rc;

    rc = parse_spec(&p, spec, msg_r);
    if (!rc)
        rc = make_ctrl(&p, &ctrl);
    if (!rc) {
        libxl_device_vscsictrl_dispose(ctrl_r);
        *ctrl_r = ctrl;
    }
    libxl_device_vscsidev_dispose(&p.dev);
    return rc;
}

int xlu_vscsi_parse_vdev(const char *spec, libxl_vscsi_hctl *vdev_r,
                         char **msg_r)
{
    parser p = { .spec = spec, .msg_r = msg_r };

    p.vdev = trimmed(spec, strlen(spec));
    if (!p.vdev.len)
        return fail(&p, p.vdev, "vdev is missing; %s is expected",
                    vdev_address.form);
    return parse_vdev(&p, p.vdev, vdev_r);
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

/* Against the devices of one vhost that came before. */
static int check_against(const parser *p, const libxl_device_vscsictrl *ctrl)
{
    char vdev[LIBXL__VSCSI_HCTL_SIZE], buf[LIBXL__VSCSI_HCTL_SIZE];
    char pdev[QUOTE_SIZE];
    int i;

    libxl__vscsi_hctl_format(&p->dev.vdev, vdev);
    for (i = 0; i < ctrl->num_vscsidevs; i++) {
        const libxl_device_vscsidev *dev = &ctrl->vscsidevs[i];

        if (libxl__vscsi_hctl_equal(&dev->vdev, &p->dev.vdev))
            return fail(p, p->vdev, "vdev %s is used twice", vdev);
        if (!strcmp(pdev_text(&dev->pdev, buf), p->dev.pdev.p_devname))
            return fail(p, p->pdev, "pdev %s is used twice",
                        quote(p->pdev, pdev));
    }
    if (ctrl->devid == (libxl_devid)p->dev.vdev.hst &&
        is_raw(ctrl) != p->raw)
        return fail(p, p->vdev, RAW_OPTION " differs from the other devices "
                    "of vhost %d", ctrl->devid);
    return 0;
}

/* The device moves out of p into ctrl. */
static int append_dev(parser *p, libxl_device_vscsictrl *ctrl)
{
    size_t num = (size_t)ctrl->num_vscsidevs;
    libxl_device_vscsidev *devs;

    devs = realloc(ctrl->vscsidevs, (num + 1) * sizeof(*devs));
    if (!devs)
        return fail_nomem(p);
    devs[num] = p->dev;
    libxl_device_vscsidev_init(&p->dev);
    ctrl->vscsidevs = devs;
    ctrl->num_vscsidevs++;
    return 0;
}

static int append_ctrl(parser *p, libxl_device_vscsictrl **ctrls, int *num)
{
    libxl_device_vscsictrl *longer;
    int rc;

    longer = realloc(*ctrls, ((size_t)*num + 1) * sizeof(*longer));
    if (!longer)
        return fail_nomem(p);
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

    rc = parse_spec(&p, spec, msg_r);
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

char *xlu_vscsi_to_string(const libxl_device_vscsictrl *ctrl,
                          const libxl_device_vscsidev *dev)
{
    char vdev[LIBXL__VSCSI_HCTL_SIZE], pdev[LIBXL__VSCSI_HCTL_SIZE];
    char *text;

    libxl__vscsi_hctl_format(&dev->vdev, vdev);
    if (asprintf(&text, "%s,%s%s", pdev_text(&dev->pdev, pdev), vdev,
                 is_raw(ctrl) ? "," RAW_OPTION : "") < 0)
        return NULL;
    return text;
}
