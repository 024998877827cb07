/* SPDX-License-Identifier: LGPL-2.1-only */
/* PDEV and VDEV, each by itself; see libxlu_vscsi_internal.h. */
#include "libxlu_vscsi_internal.h"

#include <inttypes.h>
#include <string.h>

#define MAX_PDEV_LEN 1024

typedef xlu__vscsi_span span;
typedef xlu__vscsi_source source;

const char xlu__vscsi_pdev_form[] =
    "/dev/..., HOST:CHANNEL:TARGET:LUN or naa.WWN:LUN; or, for all devices "
    "there, HOST:CHANNEL:TARGET:*, HOST:*:*:* or /dev/...:*";
const char xlu__vscsi_vdev_form[] = "HOST:CHANNEL:TARGET:LUN";

/* ----- four numbers ----- */

typedef struct address {
    const char *name, *form;
    uint64_t max[4];            /* what a message names as the bound */
} address;

static const address pdev_address = {
    .name = "pdev",
    .form = xlu__vscsi_pdev_form,
    .max = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX },
};

static const address vdev_address = {
    .name = "vdev",
    .form = xlu__vscsi_vdev_form,
    .max = { LIBXL_VSCSI_MAX_HOST, 0, LIBXL_VSCSI_MAX_TARGET,
             LIBXL_VSCSI_MAX_LUN },
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

static int fail_number(const source *src, const address *a, span text,
                       span part, int i)
{
    static const char *const names[] = { "host", "channel", "target", "LUN" };

    if (!part.len)
        part = text;
    if (!a->max[i])
        return xlu__vscsi_fail(src, part, "%s of %s must be 0", names[i],
                               a->name);
    return xlu__vscsi_fail(src, part, "%s of %s must be a decimal number "
                           "from 0 to %" PRIu64 " without sign or leading "
                           "zeros", names[i], a->name, a->max[i]);
}

static int parse_address(const source *src, const address *a, span text,
                         libxl_vscsi_hctl *hctl_r)
{
    uint64_t value[4];
    span parts[4];
    int i;

    if (!split_address(text, parts))
        return xlu__vscsi_fail(src, text, "%s needs %s", a->name, a->form);
    for (i = 0; i < 4; i++)
        if (!libxl__vscsi_parse_u64(parts[i].s, parts[i].len,
                                    i < 3 ? UINT32_MAX : UINT64_MAX,
                                    &value[i]))
            return fail_number(src, a, text, parts[i], i);
    hctl_r->hst = (uint32_t)value[0];
    hctl_r->chn = (uint32_t)value[1];
    hctl_r->tgt = (uint32_t)value[2];
    hctl_r->lun = value[3];
    return 0;
}

/* ----- VDEV ----- */

int xlu__vscsi_parse_vdev(const source *src, span text,
                          libxl_vscsi_hctl *vdev_r)
{
    libxl_vscsi_hctl vdev;
    const char *fault;
    char buf[96];
    int rc;

    rc = parse_address(src, &vdev_address, text, &vdev);
    if (rc)
        return rc;
    fault = libxl__vscsi_vdev_fault(&vdev, buf, sizeof(buf));
    if (fault)
        return xlu__vscsi_fail(src, text, "%s", fault);
    *vdev_r = vdev;
    return 0;
}

int xlu__vscsi_parse_ctrl(const source *src, span text,
                          libxl_vscsi_hctl *vdev_r)
{
    libxl_vscsi_hctl vdev = { .hst = 0 };
    const char *colon = memchr(text.s, ':', text.len);
    span number = { text.s, colon ? (size_t)(colon - text.s) : text.len };
    span rest = { text.s + number.len, text.len - number.len };
    uint64_t hst;
    int rc;

    if (rest.len && !xlu__vscsi_is(rest, ":*")) {
        rc = xlu__vscsi_parse_vdev(src, text, &vdev);
        if (rc)
            return rc;
    } else if (libxl__vscsi_parse_u64(number.s, number.len,
                                      LIBXL_VSCSI_MAX_HOST, &hst)) {
        vdev.hst = (uint32_t)hst;
    } else {
        return fail_number(src, &vdev_address, text, number, 0);
    }
    if (vdev.tgt || vdev.lun)
        return xlu__vscsi_fail(src, text, "with this pdev, vdev needs HOST:*:"
                               " target and LUN are those in dom0");
    *vdev_r = vdev;
    return 0;
}

/* ----- PDEV ----- */

static int parse_wwn(const source *src, span text, libxl_vscsi_pdev *pdev)
{
    char *wwn;

    if (!libxl__vscsi_wwn_parse(pdev->p_devname, NULL, NULL))
        return xlu__vscsi_fail(src, text, "pdev needs naa. with 16 hex "
                               "digits, ':' and a LUN as a plain decimal "
                               "number");
    wwn = strdup(pdev->p_devname);
    if (!wwn)
        return xlu__vscsi_fail_nomem(src);
    libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    pdev->u.wwn.m = wwn;
    return 0;
}

static int parse_numbers(const source *src, span text,
                         libxl_vscsi_pdev *pdev)
{
    libxl__vscsi_pattern pattern;
    libxl_vscsi_hctl hctl;
    int rc;

    if (libxl__vscsi_pattern_parse(pdev->p_devname, &pattern))
        return 0;
    rc = parse_address(src, &pdev_address, text, &hctl);
    if (rc)
        return rc;
    libxl_vscsi_pdev_init_type(pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    pdev->u.hctl.m = hctl;
    return 0;
}

int xlu__vscsi_parse_pdev(const source *src, span text,
                          libxl_vscsi_pdev *pdev)
{
    int rc;

    rc = xlu__vscsi_check_characters(src, text);
    if (rc)
        return rc;
    if (text.len > MAX_PDEV_LEN)
        return xlu__vscsi_fail(src, text, "pdev is longer than %d bytes",
                               MAX_PDEV_LEN);
    pdev->p_devname = strndup(text.s, text.len);
    if (!pdev->p_devname)
        return xlu__vscsi_fail_nomem(src);
    if (!strncmp(pdev->p_devname, "naa.", 4))
        return parse_wwn(src, text, pdev);
    if (*text.s != '/')
        return parse_numbers(src, text, pdev);
    if (strncmp(pdev->p_devname, "/dev/", 5) || text.len == 5)
        return xlu__vscsi_fail(src, text, "pdev needs %s",
                               xlu__vscsi_pdev_form);
    return 0;
}
