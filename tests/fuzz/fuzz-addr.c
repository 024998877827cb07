/* SPDX-License-Identifier: LGPL-2.1-only */
/* Addresses as text: nothing but the one spelling of each is taken. */
#include <inttypes.h>

#include "fuzz.h"
#include "libxl_vscsi_store.h"

static void numbers(const char *s)
{
    static const uint64_t bounds[] = { 0, 254, INT32_MAX, UINT32_MAX,
                                       UINT64_MAX };
    char text[24];
    unsigned i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(bounds); i++) {
        uint64_t value = 12345;

        if (!libxl__vscsi_parse_u64(s, strlen(s), bounds[i], &value)) {
            FUZZ_CHECK(value == 12345);
            continue;
        }
        FUZZ_CHECK(value <= bounds[i]);
        snprintf(text, sizeof(text), "%" PRIu64, value);
        FUZZ_CHECK(!strcmp(s, text));
    }
}

static void hctl(const char *s)
{
    libxl_vscsi_hctl before = { 7, 8, 9, 10 }, a = before, b = before;
    char text[LIBXL__VSCSI_HCTL_SIZE];

    if (!libxl__vscsi_hctl_parse(s, &a)) {
        FUZZ_CHECK(libxl__vscsi_hctl_equal(&a, &before));
        return;
    }
    libxl__vscsi_hctl_format(&a, text);
    FUZZ_CHECK(!strcmp(s, text));
    FUZZ_CHECK(libxl__vscsi_hctl_parse(text, &b));
    FUZZ_CHECK(libxl__vscsi_hctl_equal(&a, &b));
    FUZZ_CHECK((libxl__vscsi_hctl_order(&a, &before) < 0) ==
               (libxl__vscsi_hctl_order(&before, &a) > 0));
}

static void wwn(const char *s)
{
    libxl_vscsi_pdev pdev = { .type = LIBXL_VSCSI_PDEV_TYPE_WWN };
    char p_dev[LIBXL__VSCSI_PDEV_MAX + 1] = "before", text[64];
    uint64_t lun = 12345;
    size_t len = 12345;
    bool ok;

    ok = libxl__vscsi_wwn_parse(s, &len, &lun);
    FUZZ_CHECK(ok == libxl__vscsi_wwn_parse(s, NULL, NULL));
    if (ok) {
        snprintf(text, sizeof(text), "%.*s:%" PRIu64, (int)len, s, lun);
        FUZZ_CHECK(!strcmp(s, text));
    } else {
        FUZZ_CHECK(len == 12345 && lun == 12345);
    }
    pdev.u.wwn.m = (char *)(uintptr_t)s;
    if (libxl__vscsi_pdev_format(&pdev, p_dev))
        FUZZ_CHECK(ok && !strcmp(p_dev, s));
    else
        FUZZ_CHECK(!strcmp(p_dev, "before") &&
                   (!ok || strlen(s) > LIBXL__VSCSI_PDEV_MAX));
}

static void pattern(const char *s)
{
    libxl__vscsi_pattern p = { .num_fixed = 7 };
    libxl_vscsi_hctl *h = &p.hctl;
    char text[64];

    if (!libxl__vscsi_pattern_parse(s, &p)) {
        FUZZ_CHECK(p.num_fixed == 7);
        return;
    }
    if (p.num_fixed == 1)
        snprintf(text, sizeof(text), "%u:*:*:*", h->hst);
    else if (p.num_fixed == 2)
        snprintf(text, sizeof(text), "%u:%u:*:*", h->hst, h->chn);
    else
        snprintf(text, sizeof(text), "%u:%u:%u:*", h->hst, h->chn, h->tgt);
    FUZZ_CHECK(!strcmp(s, text));
    FUZZ_CHECK(libxl__vscsi_is_wildcard(s));
    FUZZ_CHECK(libxl__vscsi_pattern_fits(&p, h));
}

/* The bytes as numbers. */
static void any_hctl(const uint8_t *data, size_t size)
{
    libxl_vscsi_pdev pdev = { .type = LIBXL_VSCSI_PDEV_TYPE_HCTL };
    libxl_vscsi_hctl a = { 0, 0, 0, 0 }, b;
    char p_dev[LIBXL__VSCSI_PDEV_MAX + 1], text[LIBXL__VSCSI_HCTL_SIZE];
    char why[96] = "";
    bool fits;

    if (size)
        memcpy(&a, data, size < sizeof(a) ? size : sizeof(a));
    libxl__vscsi_hctl_format(&a, text);
    FUZZ_CHECK(libxl__vscsi_hctl_parse(text, &b));
    FUZZ_CHECK(libxl__vscsi_hctl_equal(&a, &b));
    pdev.u.hctl.m = a;
    fits = libxl__vscsi_pdev_format(&pdev, p_dev);
    FUZZ_CHECK(fits == (strlen(text) <= LIBXL__VSCSI_PDEV_MAX));
    FUZZ_CHECK(!fits || !strcmp(p_dev, text));
    fits = a.hst <= LIBXL_VSCSI_MAX_HOST && !a.chn &&
           a.tgt <= LIBXL_VSCSI_MAX_TARGET && a.lun <= LIBXL_VSCSI_MAX_LUN;
    FUZZ_CHECK(fits == !libxl__vscsi_vdev_fault(&a, why, sizeof(why)));
    FUZZ_CHECK(fits == !why[0]);
}

/* What a watch says is a state of exactly one spelling. */
static void event(const char *s)
{
    static const char base[] = "/local/domain/0/backend/vscsi/5/0";
    char text[128];
    libxl_devid dev = -7;

    if (!libxl__vscsi_xs_parse_event(base, s, &dev)) {
        FUZZ_CHECK(dev == -7);
        return;
    }
    FUZZ_CHECK(dev >= -1);
    if (dev == -1)
        snprintf(text, sizeof(text), "%s%s", base,
                 strcmp(s, base) ? "/state" : "");
    else
        snprintf(text, sizeof(text), "%s/vscsi-devs/dev-%d/state", base, dev);
    FUZZ_CHECK(!strcmp(s, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    numbers(text);
    hctl(text);
    wwn(text);
    pattern(text);
    event(text);
    any_hctl(data, size);
    free(text);
    return 0;
}
