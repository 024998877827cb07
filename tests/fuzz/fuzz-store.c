/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The readers of xenstore on a store with anything in it.  The input: two
 * bytes, which request fails and how; then lines, "PATH VALUE" each.
 * A path that does not begin with '/' is one below domain 5's record.
 */
#include <errno.h>

#include "fakexs.h"
#include "fuzz.h"
#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_operations.h"
#include "libxl_vscsi_store.h"

#define DOM 5
#define RECORDS "/libxl/5/device/vscsi"
#define BACKENDS_OF "/local/domain/0/backend/vscsi/5"
#define MAX_SIZE 4096

/* ----- messages ----- */

static unsigned num_messages;

static void vmessage(xentoollog_logger *lg, xentoollog_level level,
                     int errnoval, const char *context, const char *format,
                     va_list al)
{
    (void)lg, (void)errnoval, (void)context, (void)format, (void)al;
    if (level >= XTL_ERROR)
        num_messages++;
}

static void progress(xentoollog_logger *lg, const char *context,
                     const char *doing_what, int percent, unsigned long done,
                     unsigned long total)
{
    (void)lg, (void)context, (void)doing_what;
    (void)percent, (void)done, (void)total;
}

static void destroy(xentoollog_logger *lg) { (void)lg; }

static xentoollog_logger logger = { vmessage, progress, destroy };

/* A failure is a message, and comes from a request that failed. */
static void check_failure(int rc, unsigned messages_before)
{
    FUZZ_CHECK(rc == ERROR_FAIL || rc == ERROR_NOMEM);
    FUZZ_CHECK(fakexs_failed());
    FUZZ_CHECK(num_messages == messages_before + 1);
}

/* ----- what is read ----- */

static void check_ctrls(const libxl_device_vscsictrl *ctrls, int num)
{
    int i, j;

    for (i = 0; i < num; i++) {
        const libxl_device_vscsictrl *c = &ctrls[i];

        FUZZ_CHECK(c->devid >= 0 && c->idx == c->devid);
        FUZZ_CHECK(!i || ctrls[i - 1].devid < c->devid);
        for (j = 0; j < c->num_vscsidevs; j++) {
            FUZZ_CHECK(c->vscsidevs[j].vscsidev_id >= 0);
            FUZZ_CHECK(!j || libxl__vscsi_hctl_order(
                                 &c->vscsidevs[j - 1].vdev,
                                 &c->vscsidevs[j].vdev) <= 0);
        }
    }
}

/* Who changes something refuses what who only looks calls unreadable. */
static void check_refused(libxl__vscsi_ctx *vc,
                          const libxl__vscsi_recorded *all)
{
    libxl_device_vscsictrl *ctrls = NULL;
    unsigned before = num_messages, u;
    libxl_devid none = -7;
    int rc, r, num = 0;

    for (u = 0; u < all->num_unreadable; u++) {
        libxl__vscsi_ref v = { DOM, all->unreadable[u] };

        FUZZ_CHECK(v.devid >= 0);
        rc = libxl__vscsi_xs_list(vc, DOM, v.devid, &ctrls, &num, NULL);
        r = libxl__vscsi_forget_devs(vc, 1, v, &none, 1);
        FUZZ_CHECK(fakexs_failed() || (rc && r));
        libxl_device_vscsictrl_list_free(ctrls, num);
        ctrls = NULL;
        num = 0;
    }
    FUZZ_CHECK(fakexs_failed() ||
               num_messages == before + 2 * all->num_unreadable);
}

static libxl_device_vscsictrl *list(libxl__vscsi_ctx *vc, int *num_r)
{
    unsigned before = num_messages;
    libxl__vscsi_recorded all = { .num = -7 };
    libxl_device_vscsictrl *ctrls;
    int rc;

    rc = libxl__vscsi_xs_list_all(vc, DOM, -1, &all);
    if (rc) {
        check_failure(rc, before);
        FUZZ_CHECK(all.num == -7);
        *num_r = 0;
        return NULL;
    }
    check_ctrls(all.ctrls, all.num);
    FUZZ_CHECK(all.exists || !all.num);
    check_refused(vc, &all);
    ctrls = all.ctrls;
    *num_r = all.num;
    all.ctrls = NULL;
    all.num = 0;
    libxl__vscsi_recorded_dispose(&all);
    return ctrls;
}

static int count_id(const libxl_device_vscsictrl *ctrl, libxl_devid id)
{
    int i, found = 0;

    for (i = 0; i < ctrl->num_vscsidevs; i++)
        found += ctrl->vscsidevs[i].vscsidev_id == id;
    return found;
}

/* One device is taken off the record, from wherever it is: all others
 * stay. */
static void forget_one(libxl__vscsi_ctx *vc,
                       const libxl_device_vscsictrl *ctrl)
{
    libxl__vscsi_ref v = { .domid = DOM, .devid = ctrl->devid };
    libxl_device_vscsictrl *left = NULL;
    libxl_devid id;
    int num = 0;

    if (!ctrl->num_vscsidevs)
        return;
    id = ctrl->vscsidevs[ctrl->num_vscsidevs / 2].vscsidev_id;
    FUZZ_CHECK(!libxl__vscsi_forget_devs(vc, 1, v, &id, 1));
    FUZZ_CHECK(!libxl__vscsi_xs_list(vc, DOM, v.devid, &left, &num, NULL));
    FUZZ_CHECK(num == 1 && !count_id(left, id));
    FUZZ_CHECK(left->num_vscsidevs ==
               ctrl->num_vscsidevs - count_id(ctrl, id));
    libxl_device_vscsictrl_list_free(left, num);
}

/* What was read, recorded in an empty store and read again, is the same. */
static void list_again(libxl__vscsi_ctx *vc,
                       const libxl_device_vscsictrl *ctrls, int num)
{
    libxl_device_vscsictrl *again;
    int i, num_again;

    fakexs_reset();
    fakexs_put("/libxl/5/device", "", 0);
    for (i = 0; i < num; i++) {
        libxl__vscsi_ref v = { .domid = DOM, .devid = ctrls[i].devid };

        if (libxl__vscsi_record_ctrl(vc, 1, v, &ctrls[i]))
            return;             /* too long for a node */
    }
    again = list(vc, &num_again);
    FUZZ_CHECK(num_again == num);
    for (i = 0; i < num; i++)
        FUZZ_CHECK(libxl_device_vscsictrl_compare(&ctrls[i], &again[i]));
    libxl_device_vscsictrl_list_free(again, num_again);
    for (i = 0; i < num; i++)
        forget_one(vc, &ctrls[i]);
}

/* As attach does it: a vscsictrl that makes no sense is refused. */
static int add_ctrl(libxl__vscsi_ctx *vc, const libxl_device_vscsictrl *ctrl)
{
    libxl_device_vscsictrl copy;
    libxl__vscsi_p_dev *p_devs;
    int rc, i;

    FUZZ_CHECK(!libxl_device_vscsictrl_copy(NULL, &copy, ctrl));
    rc = libxl__vscsi_check_ctrl(vc, DOM, &copy);
    p_devs = calloc((size_t)copy.num_vscsidevs + 1, sizeof(*p_devs));
    FUZZ_CHECK(p_devs);
    for (i = 0; !rc && i < copy.num_vscsidevs; i++)
        if (!libxl__vscsi_pdev_format(&copy.vscsidevs[i].pdev, p_devs[i]))
            rc = ERROR_INVAL;
    FUZZ_CHECK(!libxl_defbool_is_default(copy.scsi_raw_cmds));
    FUZZ_CHECK(xs_transaction_start(vc->xsh));
    if (!rc)
        rc = libxl__vscsi_xs_add_ctrl(vc, 1, DOM, &copy, p_devs);
    free(p_devs);
    xs_transaction_end(vc->xsh, 1, rc != 0);
    libxl_device_vscsictrl_dispose(&copy);
    return rc;
}

/* A vscsictrl made of what was read, whatever it says, is gone after it was
 * removed, and so is all that came with it. */
static void there_and_gone(libxl__vscsi_ctx *vc,
                           const libxl_device_vscsictrl *ctrls, int num)
{
    libxl__vscsi_ref v = { .domid = DOM };
    char *before, *after;
    int i;

    fakexs_reset();
    fakexs_put("/libxl/5/device", "", 0);
    fakexs_put("/local/domain/5/device", "", 0);
    fakexs_put("/local/domain/0/backend", "", 0);
    before = fakexs_dump_without("/none");
    for (i = 0; i < num; i++)
        add_ctrl(vc, &ctrls[i]);
    for (i = 0; i < num; i++) {
        v.devid = ctrls[i].devid;
        FUZZ_CHECK(!libxl__vscsi_xs_rm_ctrls(vc, 1, &v, 1));
    }
    after = fakexs_dump_without("/none");
    FUZZ_CHECK(!strcmp(before, after));
    free(before);
    free(after);
}

static void states(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_ref v = { .domid = DOM };
    libxl__vscsi_state state;
    bool has;
    int i, rc;

    for (i = 0; i < 4; i++) {
        unsigned before = num_messages;

        state = VSCSI_UNREAD;
        rc = i < 2 ? libxl__vscsi_xs_state(vc, 0, v, i & 1, &state) :
             libxl__vscsi_xs_dev_state(vc, 0, v, i & 1, 0, &state);
        if (rc)
            check_failure(rc, before);
        FUZZ_CHECK(rc ? state == VSCSI_UNREAD : state < VSCSI_UNREAD);
    }
    libxl__vscsi_xs_has_backend(vc, v, &has);
}

static void backends(libxl__vscsi_ctx *vc)
{
    unsigned before = num_messages;
    uint32_t *domids = NULL;
    int i, rc, num = -7;

    rc = libxl__vscsi_xs_backends(vc, &domids, &num);
    if (rc) {
        check_failure(rc, before);
        FUZZ_CHECK(!domids && num == -7);
    }
    for (i = 1; i < num; i++)
        FUZZ_CHECK(domids[i - 1] < domids[i]);
    free(domids);
}

/* The listing of scsi-list, whatever the states of the devices are. */
static void infos(libxl__vscsi_ctx *vc)
{
    libxl_vscsiinfo *found = NULL;
    int i, num = 0;

    if (libxl__vscsi_list_infos(vc, DOM, -1, NULL, &found, &num))
        FUZZ_CHECK(!found && !num);
    for (i = 0; i < num; i++)
        FUZZ_CHECK(found[i].frontend_id == DOM && found[i].backend &&
                   found[i].frontend);
    libxl_vscsiinfo_list_free(found, num);
}

/* Nothing goes but what is below the domain's backends. */
static void sweep(libxl__vscsi_ctx *vc)
{
    char *before = fakexs_dump_without("/local/domain/0/backend");
    char *after;

    libxl__vscsi_xs_sweep(vc, DOM);
    after = fakexs_dump_without("/local/domain/0/backend");
    FUZZ_CHECK(!strcmp(before, after));
    free(before);
    free(after);
}

/* ----- the store ----- */

static void fill_in(char *text, size_t size)
{
    char *line = text, *end = text + size, *next, *blank, *path;

    for (; line < end; line = next + 1) {
        next = memchr(line, '\n', (size_t)(end - line));
        if (!next)
            next = end;
        *next = 0;
        blank = memchr(line, ' ', (size_t)(next - line));
        if (blank)
            *blank = 0;
        path = *line == '/' ? strdup(line) :
               libxl__vscsi_sprintf(RECORDS "/%s", line);
        FUZZ_CHECK(path != NULL);
        for (text = blank; text && text < next; text++)
            if (*text == '\f')
                *text = '\n';   /* in a value */
        if (blank)
            fakexs_put(path, blank + 1, (size_t)(next - blank - 1));
        else
            fakexs_put(path, "", 0);
        free(path);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int errors[] = { EIO, ENOMEM, EACCES, ENOENT };
    libxl_device_vscsictrl *ctrls;
    libxl__vscsi_ctx vc;
    char *text;
    int num;

    if (size < 2 || size > MAX_SIZE)
        return -1;
    libxl_vscsi_set_logger(&logger);
    fakexs_reset();
    FUZZ_CHECK(!libxl__vscsi_ctx_init(&vc));
    text = fuzz_text(data + 2, size - 2);
    fill_in(text, size - 2);
    free(text);

    fakexs_fail(data[0] & 0x7f, errors[data[1] & 3]);
    fakexs_conflict(data[1] >> 2 & 3);
    ctrls = list(&vc, &num);
    states(&vc);
    backends(&vc);
    infos(&vc);
    sweep(&vc);
    list_again(&vc, ctrls, num);
    there_and_gone(&vc, ctrls, num);
    libxl_device_vscsictrl_list_free(ctrls, num);
    libxl__vscsi_ctx_dispose(&vc);
    fakexs_reset();
    return 0;
}
