/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * When two devices are the same unit.  A WWID should say so and often does
 * not: the units of a library share one, USB bridges repeat theirs, many
 * devices have none.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_identity.h"

#define PAGE_80 0x80
#define PAGE_HEAD 4
#define TYPE_NONE 0x1f          /* SPC: unknown or no device type */
#define USB_SERIAL "usb:"

static const char *const type_names[] = {
    [0x00] = "disk", [0x01] = "tape", [0x02] = "printer",
    [0x03] = "processor", [0x04] = "worm", [0x05] = "cd",
    [0x06] = "scanner", [0x07] = "optical", [0x08] = "changer",
    [0x0c] = "raid", [0x0d] = "enclosure", [0x0e] = "disk",
    [0x11] = "osd", [0x14] = "zoned-disk",
};

const char *libxl__vscsi_type_name(int type)
{
    if (type < 0 || (size_t)type >= VSCSI_ARRAY_SIZE(type_names) ||
        !type_names[type])
        return "other";
    return type_names[type];
}

static int parse_type_name(const char *name)
{
    int i;

    if (!name || !name[0])
        return LIBXL__VSCSI_TYPE_UNKNOWN;
    for (i = 0; i < (int)VSCSI_ARRAY_SIZE(type_names); i++)
        if (type_names[i] && !strcmp(type_names[i], name))
            return i;
    return TYPE_NONE;
}

void libxl__vscsi_identity_dispose(libxl__vscsi_identity *id)
{
    free(id->wwid);
    free(id->serial);
    free(id->vendor);
    free(id->model);
    memset(id, 0, sizeof(*id));
}

/* ----- from text ----- */

void libxl__vscsi_tidy(char *text)
{
    char *end = text;
    const char *s;

    for (s = text; *s; s++) {
        if (*s == ' ' || *s == '\n' || *s == '\t') {
            if (end != text && end[-1] != ' ')
                *end++ = ' ';
        } else {
            *end++ = (char)(*s > ' ' && *s < 0x7f ? *s : '?');
        }
    }
    if (end != text && end[-1] == ' ')
        end--;
    *end = '\0';
}

char *libxl__vscsi_parse_serial(const unsigned char *page, size_t len)
{
    size_t told, i;
    char *serial;

    if (len < PAGE_HEAD || page[1] != PAGE_80)
        return strdup("");
    told = (size_t)page[2] << 8 | page[3];
    if (told > len - PAGE_HEAD)
        return strdup("");
    serial = malloc(told + 1);
    if (!serial)
        return NULL;
    for (i = 0; i < told; i++)
        serial[i] = (char)(page[PAGE_HEAD + i] ? page[PAGE_HEAD + i] : ' ');
    serial[told] = '\0';
    libxl__vscsi_tidy(serial);
    if (!serial[strspn(serial, "0 ")])
        serial[0] = '\0';       /* what has none says so in zeros, too */
    return serial;
}

char *libxl__vscsi_usb_serial(const char *serial,
                              const libxl_vscsi_hctl *hctl)
{
    if (!serial[0])
        return strdup("");
    return libxl__vscsi_sprintf(USB_SERIAL "%s-%u:%" PRIu64, serial,
                                hctl->tgt, hctl->lun);
}

/* ----- comparing ----- */

static bool is_known(const char *s)
{
    return s && s[0];
}

static bool is_equal(const char *a, const char *b)
{
    return is_known(a) && is_known(b) && !strcmp(a, b);
}

static bool is_other(const char *a, const char *b)
{
    return is_known(a) && is_known(b) && strcmp(a, b);
}

static bool is_other_type(int a, int b)
{
    return a != LIBXL__VSCSI_TYPE_UNKNOWN &&
           b != LIBXL__VSCSI_TYPE_UNKNOWN &&
           strcmp(libxl__vscsi_type_name(a), libxl__vscsi_type_name(b));
}

/* Makers of sticks give one number to all of them: it tells two apart, but
 * never that two are one. */
static bool is_own_serial(const char *serial)
{
    return is_known(serial) && strncmp(serial, USB_SERIAL,
                                       strlen(USB_SERIAL));
}

static bool is_sibling(const libxl__vscsi_identity *a,
                       const libxl__vscsi_identity *b)
{
    return a->has_hctl && b->has_hctl && a->hctl.hst == b->hctl.hst &&
           a->hctl.chn == b->hctl.chn && a->hctl.tgt == b->hctl.tgt &&
           a->hctl.lun != b->hctl.lun;
}

static bool repeats(const char *digits, size_t period)
{
    size_t i, len = strlen(digits);

    for (i = period; i < len; i++)
        if (digits[i] != digits[i - period])
            return false;
    return true;
}

/* Sixteen hexadecimal digits or more that somebody gave out. */
static bool is_assigned(const char *digits)
{
    size_t len = strlen(digits);

    return len >= 16 && strspn(digits, "0123456789abcdefABCDEF") == len &&
           !repeats(digits, 1) && !repeats(digits, 2) &&
           !repeats(digits, 4) && !repeats(digits + 1, 1);
}

bool libxl__vscsi_wwid_is_unique(const libxl__vscsi_identity *id)
{
    const char *wwid = id->wwid ? id->wwid : "";

    if (!strncmp(wwid, "naa.", 4))      /* 3: locally assigned */
        return wwid[4] != '3' && is_assigned(wwid + 4);
    if (!strncmp(wwid, "eui.", 4))
        return is_assigned(wwid + 4);
    return !strncmp(wwid, "t10.", 4) && is_known(id->serial) &&
           strstr(wwid + 4, id->serial);
}

bool libxl__vscsi_is_findable(const libxl__vscsi_identity *id)
{
    return libxl__vscsi_wwid_is_unique(id) ||
           (is_own_serial(id->serial) && is_known(id->vendor) &&
            is_known(id->model));
}

bool libxl__vscsi_same_unit(const libxl__vscsi_identity *a,
                            const libxl__vscsi_identity *b)
{
    if (is_other_type(a->type, b->type) || is_sibling(a, b) ||
        is_other(a->serial, b->serial) || is_other(a->wwid, b->wwid))
        return false;
    if (is_equal(a->wwid, b->wwid) && libxl__vscsi_wwid_is_unique(a) &&
        libxl__vscsi_wwid_is_unique(b))
        return true;
    if (is_own_serial(a->serial) && is_equal(a->serial, b->serial) &&
        is_equal(a->vendor, b->vendor) && is_equal(a->model, b->model))
        return true;
    return a->has_hctl && b->has_hctl &&
           libxl__vscsi_hctl_equal(&a->hctl, &b->hctl);
}

static bool is_kept(const char *recorded, const char *now)
{
    return !is_known(recorded) || is_equal(recorded, now);
}

bool libxl__vscsi_agrees(const libxl__vscsi_identity *recorded,
                         const libxl__vscsi_identity *now)
{
    return !is_other_type(recorded->type, now->type) &&
           is_kept(recorded->wwid, now->wwid) &&
           is_kept(recorded->serial, now->serial) &&
           is_kept(recorded->vendor, now->vendor) &&
           is_kept(recorded->model, now->model);
}

/* A LUN may get another number; but if no serial number says that it did,
 * it is rather another unit with the WWID of all of the library. */
bool libxl__vscsi_is_moved(const libxl__vscsi_identity *recorded,
                           const libxl__vscsi_identity *now)
{
    libxl__vscsi_identity anywhere = *recorded;

    anywhere.has_hctl = false;
    return libxl__vscsi_same_unit(&anywhere, now) &&
           (!is_sibling(recorded, now) ||
            is_equal(recorded->serial, now->serial));
}

/* ----- records ----- */

void libxl__vscsi_pdev_identity(const libxl_vscsi_pdev *pdev,
                                libxl__vscsi_identity *id_r)
{
    static char none[] = "";
    libxl__vscsi_identity id = {
        .type = parse_type_name(pdev->devtype),
        .wwid = pdev->wwid ? pdev->wwid : none,
        .serial = pdev->serial ? pdev->serial : none,
        .vendor = pdev->vendor ? pdev->vendor : none,
        .model = pdev->model ? pdev->model : none,
    };

    if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_HCTL) {
        id.hctl = pdev->u.hctl.m;
        id.has_hctl = true;
    } else if (pdev->type == LIBXL_VSCSI_PDEV_TYPE_WWN && pdev->u.wwn.unit) {
        id.has_hctl = libxl__vscsi_hctl_parse(pdev->u.wwn.unit, &id.hctl);
    }
    *id_r = id;
}

/* An address is one export, whatever device has come there since. */
bool libxl__vscsi_same_pdev(const libxl_vscsi_pdev *a,
                            const libxl_vscsi_pdev *b)
{
    libxl__vscsi_identity id_a, id_b;

    if (a->type == b->type && a->type == LIBXL_VSCSI_PDEV_TYPE_HCTL &&
        libxl__vscsi_hctl_equal(&a->u.hctl.m, &b->u.hctl.m))
        return true;
    if (a->type == b->type && a->type == LIBXL_VSCSI_PDEV_TYPE_WWN &&
        (is_equal(a->u.wwn.m, b->u.wwn.m) ||
         is_equal(a->u.wwn.backstore, b->u.wwn.backstore)))
        return true;
    libxl__vscsi_pdev_identity(a, &id_a);
    libxl__vscsi_pdev_identity(b, &id_b);
    return libxl__vscsi_same_unit(&id_a, &id_b);
}

/* FNV-1a, over the kind and the text; then all bits matter for each. */
static uint64_t hash(char kind, const char *text)
{
    uint64_t h = (UINT64_C(0xcbf29ce484222325) ^ (unsigned char)kind) *
                 UINT64_C(0x100000001b3);

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return h * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

unsigned libxl__vscsi_pdev_traits(const libxl_vscsi_pdev *pdev,
                                  uint64_t traits[LIBXL__VSCSI_MAX_TRAITS])
{
    char place[LIBXL__VSCSI_HCTL_SIZE];
    libxl__vscsi_identity id;
    unsigned num = 0;

    libxl__vscsi_pdev_identity(pdev, &id);
    if (id.has_hctl) {
        libxl__vscsi_hctl_format(&id.hctl, place);
        traits[num++] = hash('a', place);
    }
    if (libxl__vscsi_wwid_is_unique(&id))
        traits[num++] = hash('w', id.wwid);
    if (is_own_serial(id.serial))
        traits[num++] = hash('s', id.serial);
    if (pdev->type != LIBXL_VSCSI_PDEV_TYPE_WWN)
        return num;
    if (is_known(pdev->u.wwn.m))
        traits[num++] = hash('t', pdev->u.wwn.m);
    if (is_known(pdev->u.wwn.backstore))
        traits[num++] = hash('b', pdev->u.wwn.backstore);
    return num;
}

char *libxl__vscsi_identity_text(const libxl__vscsi_identity *id)
{
    bool has_wwid = is_known(id->wwid), has_serial = is_known(id->serial);

    return libxl__vscsi_sprintf("%s%s%s%s%s%s%s%s",
        is_known(id->vendor) ? id->vendor : "",
        is_known(id->vendor) ? " " : "",
        is_known(id->model) ? id->model : "",
        is_known(id->model) ? " " : "",
        has_wwid ? id->wwid : has_serial ? "" : "without identity",
        has_wwid && has_serial ? ", " : "",
        has_serial ? "serial number " : "", has_serial ? id->serial : "");
}
