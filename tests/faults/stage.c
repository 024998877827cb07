/* SPDX-License-Identifier: LGPL-2.1-only */
/* The stage of the tests of faults; see stage.h. */
#include "stage.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "fakeconfigfs.h"
#include "libxl_vscsi_export.h"
#include "lio_stage.h"
#include "steps.h"
#include "text.h"

#define BYSTANDER_TGT 9u        /* /dev/fake-9-0 and -1 */

/* As it is when only the bystander has devices. */
static char *clean_store, *clean_lio, *clean_bystander;

/* ----- LIO ----- */

static char *lio_text;

static int add_entry(const char *path, const struct stat *st, int type,
                     struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    text_add(&lio_text, "%s\n", path + strlen(lio_root));
    return 0;
}

/* Every directory, attribute and link of the fake, in no order that another
 * call would not give. */
static char *dump_lio(void)
{
    lio_text = NULL;
    assert_int_equal(nftw(lio_root, add_entry, 16, FTW_PHYS), 0);
    return lio_text;
}

/* In the place of the one in fakehost.c. */
unsigned fakehost_num_exported(void)
{
    libxl__vscsi_names hbas, names;
    unsigned i, num = 0;

    libxl__vscsi_cfs_list(&hbas, "pscsi_", false, "%s/core", lio_root);
    for (i = 0; i < hbas.num; i++) {
        libxl__vscsi_cfs_list(&names, "", false, "%s/core/%s", lio_root,
                              hbas.list[i]);
        num += names.num + 1;
        libxl__vscsi_names_dispose(&names);
    }
    libxl__vscsi_names_dispose(&hbas);
    return num + lio_num_in(LIO_FABRIC);
}

/* One after the other, so that each change of configfs is a step. */
void libxl__vscsi_in_parallel(libxl__vscsi_job *job, void *args, size_t size,
                              unsigned num)
{
    unsigned i;

    for (i = 0; i < num; i++)
        job((char *)args + i * size);
}

/* ----- xenstore ----- */

/* Where nodes of vscsictrls can be; all of xenstore would take long. */
static char *dump_store(struct rig *rig)
{
    static const char *const dirs[] = {
        "/libxl/5/device/vscsi", "/libxl/6/device/vscsi",
        "/local/domain/5/device/vscsi", "/local/domain/6/device/vscsi",
        "/local/domain/0/backend/vscsi",
    };
    char *text = text_copy(""), *part;
    size_t i;

    for (i = 0; i < VSCSI_ARRAY_SIZE(dirs); i++) {
        part = store_dump(rig->s, dirs[i]);
        text_add(&text, "%s", part);
        free(part);
    }
    return text;
}

/* ----- the bystander ----- */

static unsigned count_lines(const char *text, const char *part)
{
    unsigned num = 0;

    while ((text = strstr(text, part))) {
        text++;
        num++;
    }
    return num;
}

/* Its kernels hear of every change of its nodes. */
static char *view_bystander(struct rig *rig)
{
    char *log = peer_log(rig->p), *text;

    text = text_new("events %u, luns %u %u, exports %d %d\n",
                    count_lines(log, " 6/0: "),
                    peer_mapped(rig->p, BYSTANDER, 0),
                    peer_guest_luns(rig->p, BYSTANDER, 0),
                    lio_is_whole(3, BYSTANDER_TGT, 0),
                    lio_is_whole(3, BYSTANDER_TGT, 1));
    free(log);
    return text;
}

void stage_assert_bystander(struct rig *rig)
{
    char *now = view_bystander(rig);

    assert_string_equal(now, clean_bystander);
    free(now);
}

/* ----- setup ----- */

int stage_setup(void **state)
{
    struct rig *rig;

    assert_int_equal(lio_set_up(NULL), 0);
    steps_set_configfs(lio_root);
    assert_int_equal(rig_setup(state), 0);
    rig = *state;
    rig->vc.lio_root = lio_root;
    store_domain_create(rig->s, BYSTANDER);
    assert_int_equal(rig_attach(rig, BYSTANDER, "/dev/fake-9-0 0:0:0:0; "
                                "/dev/fake-9-1 0:0:0:1"), 0);
    peer_settle(rig->p);
    rig_forget_log();
    clean_store = dump_store(rig);
    clean_lio = dump_lio();
    clean_bystander = view_bystander(rig);
    return 0;
}

static void forget_clean(void)
{
    free(clean_store), free(clean_lio), free(clean_bystander);
    clean_store = clean_lio = clean_bystander = NULL;
}

static void end_bystander(struct rig *rig)
{
    stage_assert_bystander(rig);
    assert_int_equal(rig_close(rig, BYSTANDER, 0, LIBXL__VSCSI_SAFE_REMOVE),
                     0);
    rig_assert_nothing_left(rig);
}

int stage_teardown(void **state)
{
    int r;

    end_bystander(*state);
    forget_clean();
    r = rig_teardown(state);
    return lio_tear_down(NULL) ? -1 : r;
}

int stage_teardown_lawless(void **state)
{
    end_bystander(*state);
    forget_clean();
    rig_teardown(state);
    return lio_tear_down(NULL);
}

int stage_reopen(struct rig *rig)
{
    libxl__vscsi_ctx old = rig->vc;
    int rc;

    rc = libxl__vscsi_ctx_init(&rig->vc);
    rig->vc.timeouts = old.timeouts;
    rig->vc.lio_root = old.lio_root;
    rig->vc.lock_file = old.lock_file;
    rig->vc.domain = old.domain;
    return rc;
}

/* ----- what is left ----- */

/* The lines of text that are not in clean. */
static void add_new_lines(char **left, const char *text, const char *clean)
{
    char *copy = text_copy(text), *rest = copy, *line, *whole;

    while ((line = strsep(&rest, "\n"))) {
        whole = text_new("%s\n", line);
        if (*line && !strstr(clean, whole))
            text_add(left, "%s\n", line);
        free(whole);
    }
    free(copy);
}

char *stage_leftovers(struct rig *rig)
{
    char *store, *lio, *left = text_copy("");

    peer_settle(rig->p);
    store = dump_store(rig);
    lio = dump_lio();
    add_new_lines(&left, store, clean_store);
    add_new_lines(&left, lio, clean_lio);
    add_new_lines(&left, clean_store, store);   /* or lost */
    free(store), free(lio);
    return left;
}

void stage_assert_clean(struct rig *rig)
{
    char *left = stage_leftovers(rig);

    assert_string_equal(left, "");
    free(left);
    stage_assert_bystander(rig);
}

/* ----- what is there ----- */

#define MAX_DEVS 256

static int order_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Words in order, whatever the order they came in. */
static char *sorted(char *words)
{
    char *list[MAX_DEVS] = { NULL }, *word, *rest = words;
    char *text = text_copy("");
    size_t i, num = 0;

    while ((word = strsep(&rest, " ")))
        if (*word && num < MAX_DEVS)
            list[num++] = word;
    qsort(list, num, sizeof(list[0]), order_text);
    for (i = 0; i < num; i++)
        text_add(&text, "%s%s", i ? " " : "", list[i]);
    free(words);
    return text;
}

/* "0" where there is no such node. */
static char *read_in(struct rig *rig, const char *dir, const char *name)
{
    char *path = text_new("%s/%s", dir, name);
    char *value = store_read(rig->s, path);

    free(path);
    return value ? value : text_copy("0");
}

/* dir: BACKEND/vscsi-devs/dev-N.  Has the guest got it? */
static bool guest_has(struct rig *rig, const char *dir)
{
    char *node = text_copy(dir), *dev = strstr(node, "/vscsi-devs/");
    char *state, *frontend, *path, *answer;
    bool has;

    *dev = '\0';
    state = read_in(rig, node, "state");
    frontend = read_in(rig, node, "frontend");
    path = text_new("%s/%s", frontend, dir + (dev - node) + 1);
    answer = read_in(rig, path, "state");
    has = !strcmp(state, "4") && !strcmp(answer, "4");
    free(node), free(state), free(frontend), free(path), free(answer);
    return has;
}

/* Of "/dev/fake-T-L". */
static libxl_vscsi_hctl at_address(const char *name)
{
    libxl_vscsi_hctl hctl = { .hst = 3 };
    char *end;

    hctl.tgt = (uint32_t)strtoul(name + strlen("/dev/fake-"), &end, 10);
    assert_int_equal(*end, '-');
    hctl.lun = strtoul(end + 1, &end, 10);
    assert_int_equal(*end, '\0');
    return hctl;
}

/* dir: of one dev-N of the backend's.  Counts those that are connected. */
static void add_dev(struct rig *rig, const char *dir, char **text,
                    unsigned *connected)
{
    char *v = read_in(rig, dir, "v-dev"), *p = read_in(rig, dir, "p-dev");
    char *name = read_in(rig, dir, "p-devname");
    char *state = read_in(rig, dir, "state");
    libxl_vscsi_hctl hctl = at_address(name);
    libxl__vscsi_p_dev p_dev;

    assert_true(libxl__vscsi_lio_p_dev(&hctl, p_dev));
    assert_string_equal(p, p_dev);
    if (!lio_is_whole(hctl.hst, hctl.tgt, hctl.lun))
        fail_msg("%s (%s) is not in LIO", p, dir);
    text_add(text, "%s=%s(%s) ", v, name, state);
    *connected += !strcmp(state, "4") && guest_has(rig, dir);
    free(v), free(p), free(name), free(state);
}

char *stage_truth(struct rig *rig, uint32_t domid)
{
    char *base = text_new("/local/domain/0/backend/vscsi/%u", domid);
    char *text = text_copy(""), *dump, *rest, *line, *end, *list;
    unsigned connected = 0, luns = 0, i;

    peer_settle(rig->p);
    rest = dump = store_dump(rig->s, base);
    while ((line = strsep(&rest, "\n"))) {
        end = strstr(line, "/v-dev = ");
        if (!end)
            continue;
        *end = '\0';
        add_dev(rig, line, &text, &connected);
    }
    text = sorted(text);
    list = sorted(rig_list(rig, domid));
    assert_string_equal(list, text);
    for (i = 0; i < 8; i++)
        luns += peer_guest_luns(rig->p, domid, i);
    assert_int_equal(luns, connected);
    free(base), free(dump), free(list);
    return text;
}

/* ----- the end of it ----- */

void stage_detach_all(struct rig *rig, libxl__vscsi_removal how)
{
    libxl_device_vscsictrl *ctrls;
    int i, num;

    ctrls = rig_ctrls(rig, DOM, &num);
    for (i = 0; i < num; i++)
        if (rig_close(rig, DOM, ctrls[i].devid, how))
            fail_msg("vscsictrl %d: %s", ctrls[i].devid, rig_log());
    libxl_device_vscsictrl_list_free(ctrls, num);
}

void stage_renew_domain(struct rig *rig)
{
    store_domain_destroy(rig->s, DOM);
    assert_int_equal(libxl__vscsi_cleanup(&rig->vc), 0);
    store_domain_create(rig->s, DOM);
}
