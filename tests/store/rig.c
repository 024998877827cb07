/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the tests of operations share; see rig.h. */
#include "rig.h"

#include <stdio.h>

#include <libxlutil_vscsi.h>

/* ----- a log that can be looked at ----- */

static char log_text[65536];
static size_t log_len;

static xentoollog_level log_level = XTL_NOTICE;
unsigned rig_num_progress;

static void log_vmessage(xentoollog_logger *lg, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list al)
{
    size_t room = sizeof(log_text) - log_len;
    int n;

    (void)lg;
    (void)errnoval;
    (void)context;
    if (level < log_level)
        return;
    n = vsnprintf(log_text + log_len, room, format, al);
    if (n > 0)
        log_len += (size_t)n < room ? (size_t)n : room - 1;
    if (log_len + 1 < sizeof(log_text))
        log_text[log_len++] = '\n';
    log_text[log_len] = 0;
}

static void log_progress(xentoollog_logger *lg, const char *context,
                         const char *doing_what, int percent,
                         unsigned long done, unsigned long total)
{
    (void)percent;
    rig_num_progress++;
    if (log_len + 200 < sizeof(log_text))
        log_len += (size_t)snprintf(log_text + log_len, 200,
                                    "%s: %s: %lu/%lu\n", context, doing_what,
                                    done, total);
    (void)lg;
}

static void log_destroy(xentoollog_logger *lg) { (void)lg; }

static xentoollog_logger logger = {
    .vmessage = log_vmessage,
    .progress = log_progress,
    .destroy = log_destroy,
};

const char *rig_log(void)
{
    return log_text;
}

void rig_log_from(xentoollog_level level)
{
    log_level = level;
}

void rig_forget_log(void)
{
    log_len = 0;
    log_text[0] = 0;
}

void rig_assert_said(const char *part)
{
    if (!strstr(log_text, part))
        fail_msg("expected a message with \"%s\" in:\n%s", part, log_text);
}

/* ----- domains ----- */

static uint32_t ended;

void rig_set_ended(uint32_t domid)
{
    ended = domid;
}

static libxl__vscsi_life life_of(libxl_ctx *xl, uint32_t domid)
{
    (void)xl;
    return domid == ended ? LIBXL__VSCSI_ENDED : LIBXL__VSCSI_MAY_RUN;
}

/* ----- fixture ----- */

int rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    fakehost_reset();
    rig_forget_log();
    rig_log_from(XTL_NOTICE);
    rig->s = store_start();
    rig->p = peer_start(rig->s);
    store_domain_create(rig->s, DOM);
    libxl_vscsi_set_logger(&logger);
    assert_int_equal(libxl__vscsi_ctx_init(&rig->vc), 0);
    snprintf(rig->lock_file, sizeof(rig->lock_file), "%s/lock",
             store_dir(rig->s));
    rig->vc.lock_file = rig->lock_file;
    rig->vc.life_of = life_of;
    rig_set_ended(0);
    rig->vc.timeouts.frontend_ms = 300;
    *state = rig;
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *rig = *state;
    char *text;
    unsigned broken;

    libxl__vscsi_ctx_dispose(&rig->vc);
    peer_behave(rig->p);
    peer_settle(rig->p);
    broken = peer_violations(rig->p, &text);
    if (broken)
        print_message("# rules broken:\n%s\n", text);
    free(text);
    peer_stop(rig->p);
    store_stop(rig->s);
    free(rig);
    return broken ? -1 : 0;
}

/* ----- operations ----- */

int rig_attach(struct rig *rig, uint32_t domid, const char *devices)
{
    libxl_device_vscsictrl *ctrls = NULL;
    char *copy = strdup(devices), *msg = NULL, *spec, *rest = copy, *blank;
    int rc, num = 0;

    while ((spec = strsep(&rest, ";"))) {
        spec += strspn(spec, " ");
        blank = strchr(spec, ' ');
        assert_non_null(blank);
        *blank = ',';
        if (xlu_vscsi_config_add(spec, &ctrls, &num, &msg))
            fail_msg("%s", msg);
    }
    assert_int_equal(num, 1);
    rc = libxl__vscsi_attach(&rig->vc, domid, ctrls);
    libxl_device_vscsictrl_list_free(ctrls, num);
    free(copy);
    return rc;
}

int rig_attach_many(struct rig *rig, uint32_t domid, unsigned devid,
                    unsigned first, unsigned num)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    unsigned i;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    for (i = first; i < first + num; i++) {
        libxl_device_vscsidev_init(&dev);
        dev.pdev.p_devname = libxl__vscsi_sprintf("/dev/fake-%u-%u", i / 16,
                                                  i % 16);
        dev.vdev.hst = devid;
        dev.vdev.tgt = i / 16;
        dev.vdev.lun = i % 16;
        libxl_device_vscsictrl_append_vscsidev(NULL, &ctrl, &dev);
        libxl_device_vscsidev_dispose(&dev);
    }
    rc = libxl__vscsi_attach(&rig->vc, domid, &ctrl);
    libxl_device_vscsictrl_dispose(&ctrl);
    return rc;
}

int rig_detach(struct rig *rig, uint32_t domid, const char *vdev,
               libxl__vscsi_removal how)
{
    libxl__vscsi_ref ref = { .domid = domid };
    libxl_vscsi_hctl hctl;

    assert_true(libxl__vscsi_hctl_parse(vdev, &hctl));
    ref.devid = (libxl_devid)hctl.hst;
    return libxl__vscsi_detach(&rig->vc, ref, &hctl, 1, how);
}

int rig_close(struct rig *rig, uint32_t domid, int ref,
              libxl__vscsi_removal how)
{
    libxl__vscsi_ref v = { .domid = domid, .devid = ref };

    return libxl__vscsi_detach(&rig->vc, v, NULL, 0, how);
}

/* ----- what is there ----- */

libxl_device_vscsictrl *rig_ctrls(struct rig *rig, uint32_t domid,
                                  int *num_r)
{
    libxl_device_vscsictrl *ctrls = NULL;

    assert_int_equal(libxl__vscsi_xs_list(&rig->vc, domid, -1, &ctrls, num_r,
                                          NULL), 0);
    return ctrls;
}

char *rig_list(struct rig *rig, uint32_t domid)
{
    libxl_vscsiinfo *infos = NULL;
    char vdev[LIBXL__VSCSI_HCTL_SIZE], *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    int i, num = 0;

    assert_non_null(f);
    assert_int_equal(libxl__vscsi_list_infos(&rig->vc, domid, -1, NULL,
                                             &infos, &num), 0);
    for (i = 0; i < num; i++) {
        libxl__vscsi_hctl_format(&infos[i].vdev, vdev);
        fprintf(f, "%s%s=%s(%d)", i ? " " : "", vdev,
                infos[i].pdev.p_devname, infos[i].vscsidev_state);
    }
    fclose(f);
    libxl_vscsiinfo_list_free(infos, num);
    return text;
}

void rig_assert_list(struct rig *rig, uint32_t domid, const char *expected)
{
    char *list;

    peer_settle(rig->p);
    list = rig_list(rig, domid);
    assert_string_equal(list, expected);
    free(list);
}

void rig_assert_node(struct rig *rig, const char *path, const char *value)
{
    char *found = store_read(rig->s, path);

    assert_non_null(found);
    assert_string_equal(found, value);
    free(found);
}

void rig_assert_perms(struct rig *rig, const char *path, const char *perms)
{
    char *found = store_perms(rig->s, path);

    assert_non_null(found);
    assert_string_equal(found, perms);
    free(found);
}

char *rig_snapshot(struct rig *rig)
{
    char *all = store_dump(rig->s, "/"), *copy = all, *line, *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    assert_non_null(f);
    while ((line = strsep(&copy, "\n")))
        if (strstr(line, "vscsi"))
            fprintf(f, "%s\n", line);
    fclose(f);
    free(all);
    return text;
}

void rig_assert_nothing_left(struct rig *rig)
{
    char *left;

    peer_settle(rig->p);
    left = rig_snapshot(rig);
    assert_string_equal(left, "");
    free(left);
    assert_int_equal(fakehost_num_exported(), 0);
}
