/* SPDX-License-Identifier: LGPL-2.1-only */
/* Lines of vscsi=[...], as somebody may write them: each is read alone,
 * and all of them together as one domain's. */
#include <libxlutil_vscsi.h>

#include "fuzz.h"
#include "libxl_vscsi_addr.h"

/* A message can be shown on any terminal, and says something. */
static void check_message(int rc, char *msg)
{
    const char *s;

    FUZZ_CHECK(rc == ERROR_INVAL);
    FUZZ_CHECK(msg && *msg);
    for (s = msg; *s; s++)
        FUZZ_CHECK(*s >= ' ' && *s <= '~');
    free(msg);
}

static int count_devs(const libxl_device_vscsictrl *ctrls, int num)
{
    int i, devs = 0;

    for (i = 0; i < num; i++)
        devs += ctrls[i].num_vscsidevs;
    return devs;
}

typedef int parse_fn(const char *, libxl_device_vscsictrl *, char **);

/* What was read, written and read again, is the same. */
static void check_again(const libxl_device_vscsictrl *ctrl, parse_fn *parse)
{
    libxl_device_vscsictrl again;
    char *text, *msg = NULL;

    FUZZ_CHECK(ctrl->num_vscsidevs == 1);
    text = xlu_vscsi_to_string(ctrl, &ctrl->vscsidevs[0]);
    FUZZ_CHECK(text != NULL);
    libxl_device_vscsictrl_init(&again);
    FUZZ_CHECK(!parse(text, &again, &msg));
    FUZZ_CHECK(libxl_device_vscsictrl_compare(ctrl, &again));
    libxl_device_vscsictrl_dispose(&again);
    free(text);
}

static bool parse_alone(const char *spec, parse_fn *parse)
{
    libxl_device_vscsictrl ctrl, before;
    char *msg = NULL;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    FUZZ_CHECK(!xlu_vscsi_parse("/dev/before,7:0:7:7", &ctrl, NULL));
    FUZZ_CHECK(!libxl_device_vscsictrl_copy(NULL, &before, &ctrl));
    rc = parse(spec, &ctrl, &msg);
    if (rc) {
        check_message(rc, msg);
        FUZZ_CHECK(libxl_device_vscsictrl_compare(&ctrl, &before));
    } else {
        FUZZ_CHECK(!msg);
        check_again(&ctrl, parse);
    }
    FUZZ_CHECK(parse(spec, &before, NULL) == rc);
    FUZZ_CHECK(libxl_device_vscsictrl_compare(&ctrl, &before));
    libxl_device_vscsictrl_dispose(&ctrl);
    libxl_device_vscsictrl_dispose(&before);
    return !rc;
}

static void parse_vdev(const char *spec)
{
    const libxl_vscsi_hctl before = { 7, 7, 7, 7 };
    libxl_vscsi_hctl vdev = before;
    char *msg = NULL;
    int rc;

    rc = xlu_vscsi_parse_vdev(spec, &vdev, &msg);
    if (rc) {
        check_message(rc, msg);
        FUZZ_CHECK(libxl_vscsi_hctl_compare(&vdev, &before));
    } else {
        FUZZ_CHECK(!msg && vdev.hst <= 65535 && vdev.chn == 0 &&
                   vdev.tgt <= 63 && vdev.lun <= 254);
    }
}

static void parse_pdev(const char *spec)
{
    libxl_vscsi_pdev pdev;
    char *msg = NULL;
    int rc;

    libxl_vscsi_pdev_init(&pdev);
    rc = xlu_vscsi_parse_pdev(spec, &pdev, &msg);
    if (rc)
        check_message(rc, msg);
    FUZZ_CHECK(!rc == (pdev.p_devname != NULL));
    libxl_vscsi_pdev_dispose(&pdev);
}

/* One line more of a domain's. */
static void add(const char *spec, bool ok, libxl_device_vscsictrl **ctrls,
                int *num)
{
    int devs = count_devs(*ctrls, *num), rc;
    char *msg = NULL;

    rc = xlu_vscsi_config_add(spec, ctrls, num, &msg);
    if (rc)
        check_message(rc, msg);
    FUZZ_CHECK(ok || rc);
    FUZZ_CHECK(count_devs(*ctrls, *num) == devs + !rc);
}

/* Of one vscsictrl there is one, and no vdev is there twice, but for those
 * that stand for several. */
static void check_list(const libxl_device_vscsictrl *ctrls, int num)
{
    int i, j, k;

    for (i = 0; i < num; i++) {
        const libxl_device_vscsictrl *c = &ctrls[i];

        for (j = 0; j < i; j++)
            FUZZ_CHECK(ctrls[j].devid != c->devid);
        for (j = 0; j < c->num_vscsidevs; j++) {
            FUZZ_CHECK((int)c->vscsidevs[j].vdev.hst == c->devid);
            if (libxl__vscsi_is_wildcard(c->vscsidevs[j].pdev.p_devname))
                continue;
            for (k = 0; k < j; k++)
                FUZZ_CHECK(libxl__vscsi_is_wildcard(
                               c->vscsidevs[k].pdev.p_devname) ||
                           !libxl_vscsi_hctl_compare(&c->vscsidevs[j].vdev,
                                                     &c->vscsidevs[k].vdev));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    libxl_device_vscsictrl *ctrls = NULL;
    char *text = fuzz_text(data, size), *rest = text, *line, *copy;
    int num = 0;

    while ((line = strsep(&rest, "\n"))) {
        copy = strdup(line);
        FUZZ_CHECK(copy != NULL);
        add(copy, parse_alone(copy, xlu_vscsi_parse), &ctrls, &num);
        parse_alone(copy, xlu_vscsi_parse_short);
        parse_pdev(copy);
        parse_vdev(copy);
        if (strchr(copy, ','))
            parse_vdev(strchr(copy, ',') + 1);
        free(copy);
    }
    check_list(ctrls, num);
    libxl_device_vscsictrl_list_free(ctrls, num);
    free(text);
    return 0;
}
