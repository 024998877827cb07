/* SPDX-License-Identifier: LGPL-2.1-only */
/* Addresses of SCSI devices as text; see libxl_vscsi_addr.h. */
#include "libxl_vscsi_addr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WWN_PREFIX "naa."
#define WWN_LEN (sizeof(WWN_PREFIX) - 1 + 16)

/* Not isdigit() and its like: they depend on the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool libxl__vscsi_parse_u64(const char *s, size_t len, uint64_t max,
                            uint64_t *value_r)
{
    uint64_t value = 0;
    size_t i;

    if (len == 0 || (len > 1 && s[0] == '0'))
        return false;
    for (i = 0; i < len; i++) {
        uint64_t digit;

        if (!is_digit(s[i]))
            return false;
        digit = (uint64_t)(s[i] - '0');
        if (value > max / 10 || digit > max - value * 10)
            return false;
        value = value * 10 + digit;
    }
    *value_r = value;
    return true;
}

bool libxl__vscsi_hctl_parse(const char *s, libxl_vscsi_hctl *hctl_r)
{
    uint64_t part[4] = { 0 };
    size_t i, len;

    for (i = 0; i < 4; i++) {
        len = strcspn(s, ":");
        if (!libxl__vscsi_parse_u64(s, len, i < 3 ? UINT32_MAX : UINT64_MAX,
                                    &part[i]))
            return false;
        s += len;
        if (*s != (i < 3 ? ':' : '\0'))
            return false;
        s++;
    }
    hctl_r->hst = (uint32_t)part[0];
    hctl_r->chn = (uint32_t)part[1];
    hctl_r->tgt = (uint32_t)part[2];
    hctl_r->lun = part[3];
    return true;
}

void libxl__vscsi_hctl_format(const libxl_vscsi_hctl *hctl,
                              char text_r[LIBXL__VSCSI_HCTL_SIZE])
{
    snprintf(text_r, LIBXL__VSCSI_HCTL_SIZE,
             "%" PRIu32 ":%" PRIu32 ":%" PRIu32 ":%" PRIu64,
             hctl->hst, hctl->chn, hctl->tgt, hctl->lun);
}

bool libxl__vscsi_hctl_equal(const libxl_vscsi_hctl *a,
                             const libxl_vscsi_hctl *b)
{
    return libxl__vscsi_hctl_order(a, b) == 0;
}

bool libxl__vscsi_hctl_among(const libxl_vscsi_hctl *list, unsigned num,
                             const libxl_vscsi_hctl *hctl)
{
    unsigned i;

    for (i = 0; i < num; i++)
        if (libxl__vscsi_hctl_equal(&list[i], hctl))
            return true;
    return false;
}

int libxl__vscsi_hctl_order(const libxl_vscsi_hctl *a,
                            const libxl_vscsi_hctl *b)
{
    if (a->hst != b->hst)
        return a->hst < b->hst ? -1 : 1;
    if (a->chn != b->chn)
        return a->chn < b->chn ? -1 : 1;
    if (a->tgt != b->tgt)
        return a->tgt < b->tgt ? -1 : 1;
    if (a->lun != b->lun)
        return a->lun < b->lun ? -1 : 1;
    return 0;
}

/* ----- several at once ----- */

bool libxl__vscsi_is_wildcard(const char *name)
{
    static const char end[] = ":*";
    size_t len = strlen(name);

    return len >= strlen(end) && !strcmp(name + len - strlen(end), end);
}

bool libxl__vscsi_is_several(const libxl_vscsi_pdev *pdev)
{
    return pdev->type == LIBXL_VSCSI_PDEV_TYPE_INVALID && pdev->p_devname &&
           libxl__vscsi_is_wildcard(pdev->p_devname);
}

bool libxl__vscsi_pattern_parse(const char *s,
                                libxl__vscsi_pattern *pattern_r)
{
    libxl__vscsi_pattern pattern = { .num_fixed = 0 };
    uint64_t part[3] = { 0 };
    size_t len;

    while (*s != '*') {
        len = strcspn(s, ":");
        if (pattern.num_fixed == 3 || !s[len] ||
            !libxl__vscsi_parse_u64(s, len, UINT32_MAX,
                                    &part[pattern.num_fixed]))
            return false;
        pattern.num_fixed++;
        s += len + 1;
    }
    if (!pattern.num_fixed ||
        strcmp(s, &"*:*:*"[2 * (size_t)(pattern.num_fixed - 1)]))
        return false;
    pattern.hctl.hst = (uint32_t)part[0];
    pattern.hctl.chn = (uint32_t)part[1];
    pattern.hctl.tgt = (uint32_t)part[2];
    *pattern_r = pattern;
    return true;
}

bool libxl__vscsi_pattern_fits(const libxl__vscsi_pattern *pattern,
                               const libxl_vscsi_hctl *hctl)
{
    const libxl_vscsi_hctl *p = &pattern->hctl;

    return hctl->hst == p->hst &&
           (pattern->num_fixed < 2 || hctl->chn == p->chn) &&
           (pattern->num_fixed < 3 || hctl->tgt == p->tgt);
}

bool libxl__vscsi_wwn_parse(const char *s, size_t *wwn_len_r,
                            uint64_t *lun_r)
{
    const char *colon = strchr(s, ':');
    uint64_t lun;
    size_t i;

    if (!colon || (size_t)(colon - s) != WWN_LEN ||
        strncmp(s, WWN_PREFIX, strlen(WWN_PREFIX)) != 0)
        return false;
    for (i = strlen(WWN_PREFIX); i < WWN_LEN; i++)
        if (!is_hex_digit(s[i]))
            return false;
    if (!libxl__vscsi_parse_u64(colon + 1, strlen(colon + 1), UINT64_MAX,
                                &lun))
        return false;
    if (wwn_len_r)
        *wwn_len_r = WWN_LEN;
    if (lun_r)
        *lun_r = lun;
    return true;
}

const char *libxl__vscsi_vdev_fault(const libxl_vscsi_hctl *vdev,
                                    char *buf, size_t size)
{
    if (vdev->hst > LIBXL_VSCSI_MAX_HOST)
        snprintf(buf, size, "vscsictrl %" PRIu32 " is out of range (0..%d)",
                 vdev->hst, LIBXL_VSCSI_MAX_HOST);
    else if (vdev->chn != 0)
        snprintf(buf, size, "channel %" PRIu32 " is out of range (only 0)",
                 vdev->chn);
    else if (vdev->tgt > LIBXL_VSCSI_MAX_TARGET)
        snprintf(buf, size, "target %" PRIu32 " is out of range (0..%d)",
                 vdev->tgt, LIBXL_VSCSI_MAX_TARGET);
    else if (vdev->lun > LIBXL_VSCSI_MAX_LUN)
        snprintf(buf, size, "LUN %" PRIu64 " is out of range (0..%d)",
                 vdev->lun, LIBXL_VSCSI_MAX_LUN);
    else
        return NULL;
    return buf;
}

bool libxl__vscsi_pdev_format(const libxl_vscsi_pdev *pdev,
                              libxl__vscsi_p_dev p_dev_r)
{
    char hctl[LIBXL__VSCSI_HCTL_SIZE];
    const char *text = NULL;
    size_t len;

    switch (pdev->type) {
    case LIBXL_VSCSI_PDEV_TYPE_HCTL:
        libxl__vscsi_hctl_format(&pdev->u.hctl.m, hctl);
        text = hctl;
        break;
    case LIBXL_VSCSI_PDEV_TYPE_WWN:
        if (pdev->u.wwn.m && libxl__vscsi_wwn_parse(pdev->u.wwn.m, NULL,
                                                    NULL))
            text = pdev->u.wwn.m;
        break;
    case LIBXL_VSCSI_PDEV_TYPE_INVALID:
        break;
    }
    if (!text)
        return false;
    len = strlen(text);
    if (len > LIBXL__VSCSI_PDEV_MAX)    /* the driver would cut it short */
        return false;
    memcpy(p_dev_r, text, len + 1);
    return true;
}
