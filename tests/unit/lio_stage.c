/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the tests of LIO stand on; see lio_stage.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakeconfigfs.h"
#include "lio_stage.h"

char lio_root[64];
char lio_said[8192];
libxl__vscsi_ctx lio_vc;
static char lock_file[64];

__attribute__((format(printf, 5, 0)))
static void keep_message(xentoollog_logger *lg, xentoollog_level level,
                         int errnoval, const char *context,
                         const char *format, va_list al)
{
    size_t len = strlen(lio_said);

    (void)lg, (void)errnoval, (void)context;
    if (level >= XTL_WARN)
        vsnprintf(lio_said + len, sizeof(lio_said) - len, format, al);
}

static void no_progress(xentoollog_logger *lg, const char *context,
                        const char *what, int percent, unsigned long done,
                        unsigned long total)
{
    (void)lg, (void)context, (void)what, (void)percent, (void)done;
    (void)total;
}

static void no_destroy(xentoollog_logger *lg) { (void)lg; }

static xentoollog_logger keeper = { keep_message, no_progress, no_destroy };

static void unset_faults(void)
{
    fakeconfigfs_set("FAKE_CONFIGFS_HELD", NULL);
    fakeconfigfs_set("FAKE_CONFIGFS_NO_DRIVER", NULL);
    fakeconfigfs_set("FAKE_CONFIGFS_KILL", NULL);
    fakeconfigfs_set("FAKE_CONFIGFS_FAIL", NULL);
    fakeconfigfs_set("FAKE_CONFIGFS_BUSY", NULL);
}

static void make_fabric(void)
{
    assert_int_equal(libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC, lio_root), 0);
}

int lio_set_up(void **state)
{
    (void)state;
    snprintf(lio_root, sizeof(lio_root), "/tmp/test-lio.XXXXXX");
    if (!mkdtemp(lio_root))
        return -1;
    memcpy(lio_root + strlen(lio_root), "/target", sizeof("/target"));
    fakeconfigfs_start(lio_root);
    unset_faults();
    make_fabric();
    memset(&lio_vc, 0, sizeof(lio_vc));
    lio_vc.lg = &keeper;
    lio_vc.lio_root = lio_root;
    lio_vc.sysfs = "/sys";
    lio_vc.procfs = "/proc";
    snprintf(lock_file, sizeof(lock_file), "%.40s.lock", lio_root);
    lio_vc.lock_file = lock_file;
    lio_vc.timeouts.lock_ms = 10000;
    lio_said[0] = '\0';
    fakeconfigfs_forget();
    return 0;
}

int lio_tear_down(void **state)
{
    (void)state;
    unset_faults();
    fakeconfigfs_remove(lio_root);
    unlink(lock_file);
    *strrchr(lio_root, '/') = '\0';
    return rmdir(lio_root);
}

libxl__vscsi_unit *lio_device(uint32_t hst, uint32_t tgt, uint64_t lun)
{
    static char empty[] = "", node[] = "/dev/sdfake";
    static libxl__vscsi_path paths[4];
    static libxl__vscsi_unit units[4];
    static unsigned turn;
    libxl__vscsi_path *path = &paths[++turn % 4];
    libxl__vscsi_unit *unit = &units[turn % 4];

    *path = (libxl__vscsi_path){
        .hctl = { .hst = hst, .tgt = tgt, .lun = lun },
        .running = true, .node = node, .lio_node = node,
    };
    *unit = (libxl__vscsi_unit){
        .id = { .wwid = empty, .serial = empty, .vendor = empty,
                .model = empty, .hctl = path->hctl, .has_hctl = true },
        .paths = path, .num_paths = 1,
    };
    return unit;
}

int lio_export(uint32_t hst, uint32_t tgt, uint64_t lun)
{
    return libxl__vscsi_lio_export(&lio_vc, lio_device(hst, tgt, lun),
                                   "vscsi-5-0");
}

int lio_release(uint32_t hst, uint32_t tgt, uint64_t lun)
{
    libxl_vscsi_hctl hctl = lio_device(hst, tgt, lun)->id.hctl;

    return libxl__vscsi_lio_release(&lio_vc, &hctl, 1);
}

static int let_go(libxl_vscsi_hctl *hctls, unsigned num, unsigned wait_ms)
{
    unsigned i;
    int rc, lock;

    assert_int_equal(libxl__vscsi_lock(&lio_vc, LIBXL__VSCSI_LOCK_HOST,
                                       &lock), 0);
    rc = libxl__vscsi_lio_let_go(&lio_vc, hctls, &num, libxl__vscsi_now_ms() +
                                 wait_ms, XTL_WARN, &lock);
    assert_int_not_equal(lock, -1);
    libxl__vscsi_unlock(lock);
    for (i = 0; i < num; i++)   /* somebody else does */
        libxl__vscsi_lio_say_leaving(&lio_vc, XTL_WARN, &hctls[i]);
    return rc || !num ? rc : ERROR_NOT_READY;
}

int lio_let_go(uint32_t hst, uint32_t tgt, uint64_t lun, unsigned wait_ms)
{
    libxl_vscsi_hctl hctl = lio_device(hst, tgt, lun)->id.hctl;

    return let_go(&hctl, 1, wait_ms);
}

int lio_collect(const libxl_vscsi_hctl *used, unsigned num, unsigned wait_ms)
{
    libxl__vscsi_leftover *list = NULL;
    unsigned i, found = 0;
    libxl_vscsi_hctl *hctls;
    int rc;

    assert_int_equal(libxl__vscsi_lio_leftovers(&lio_vc, used, num, &list,
                                                &found), 0);
    hctls = calloc(found + 1, sizeof(*hctls));
    assert_non_null(hctls);
    for (i = 0; i < found; i++)
        hctls[i] = list[i].hctl;
    free(list);
    rc = let_go(hctls, found, wait_ms);
    free(hctls);
    libxl__vscsi_lio_tidy(&lio_vc);
    return rc;
}

libxl__vscsi_ours lio_ours_of(uint32_t hst, uint32_t tgt, uint64_t lun)
{
    libxl_vscsi_hctl hctl = lio_device(hst, tgt, lun)->id.hctl;
    libxl__vscsi_ours ours;

    libxl__vscsi_ours_name(&hctl, &ours);
    return ours;
}

bool lio_is_whole(uint32_t hst, uint32_t tgt, uint64_t lun)
{
    libxl__vscsi_ours ours = lio_ours_of(hst, tgt, lun);
    char *alias, *nexus, *enabled, *link;
    bool ok;

    link = libxl__vscsi_lio_find_link(&lio_vc, &ours);

    alias = libxl__vscsi_cfs_read(TPG_PATH "/param/alias",
                                  TPG_ARGS(&lio_vc, &ours));
    nexus = libxl__vscsi_cfs_read(TPG_PATH "/nexus", TPG_ARGS(&lio_vc, &ours));
    enabled = libxl__vscsi_cfs_read(
        TPG_PATH "/lun/lun_%u/%s/enable", TPG_ARGS(&lio_vc, &ours),
        (unsigned)lun, link ? link : "none");
    ok = alias && !strcmp(alias, ours.alias) && nexus &&
         !strcmp(nexus, ours.nexus) && enabled && !strcmp(enabled, "1");
    free(link);
    free(alias);
    free(nexus);
    free(enabled);
    return ok;
}

unsigned lio_num_in(const char *dir)
{
    libxl__vscsi_names names;
    unsigned num;

    libxl__vscsi_cfs_list(&names, "", false, "%s/%s", lio_root, dir);
    num = names.num;
    libxl__vscsi_names_dispose(&names);
    return num;
}

bool lio_is_empty(void)
{
    return lio_num_in("core") == 1 && lio_num_in(LIO_FABRIC) == 0;
}

void lio_make_backstore(const char *hba, const char *name,
                                   const char *control)
{
    assert_int_equal(libxl__vscsi_cfs_mkdir("%s/core/%s", lio_root, hba), 0);
    assert_int_equal(libxl__vscsi_cfs_mkdir("%s/core/%s/%s", lio_root, hba,
                                            name), 0);
    assert_int_equal(libxl__vscsi_cfs_write(control, "%s/core/%s/%s/control",
                                            lio_root, hba, name), 0);
    assert_int_equal(libxl__vscsi_cfs_write("/dev/sg9",
        "%s/core/%s/%s/udev_path", lio_root, hba, name), 0);
    assert_int_equal(libxl__vscsi_cfs_write("1", "%s/core/%s/%s/enable",
                                            lio_root, hba, name), 0);
}

void lio_make_target(const char *wwn, const char *nexus,
                                const char *alias)
{
    assert_int_equal(libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC "/%s", lio_root,
                                            wwn), 0);
    assert_int_equal(libxl__vscsi_cfs_mkdir("%s/" LIO_FABRIC "/%s/tpgt_1",
                                            lio_root, wwn), 0);
    if (nexus)
        assert_int_equal(libxl__vscsi_cfs_write(nexus,
            "%s/" LIO_FABRIC "/%s/tpgt_1/nexus", lio_root, wwn), 0);
    if (alias)
        assert_int_equal(libxl__vscsi_cfs_write(alias,
            "%s/" LIO_FABRIC "/%s/tpgt_1/param/alias", lio_root, wwn), 0);
}

void lio_make_lun(const char *wwn, unsigned lun,
                             const char *backstore)
{
    char to[256];

    snprintf(to, sizeof(to), "%s/core/%s", lio_root, backstore);
    assert_int_equal(libxl__vscsi_cfs_mkdir(
        "%s/" LIO_FABRIC "/%s/tpgt_1/lun/lun_%u", lio_root, wwn, lun), 0);
    assert_int_equal(libxl__vscsi_cfs_symlink(to,
        "%s/" LIO_FABRIC "/%s/tpgt_1/lun/lun_%u/link", lio_root, wwn, lun), 0);
}

void lio_make_foreign(const char *nexus, const char *alias)
{
    lio_make_backstore("pscsi_0", "mine", "scsi_host_id=2,"
                           "scsi_channel_id=0,scsi_target_id=0,"
                           "scsi_lun_id=1");
    lio_make_target(FOREIGN, nexus, alias);
    lio_make_lun(FOREIGN, 7, "pscsi_0/mine");
}

char *lio_tpg_of(uint32_t hst, uint32_t tgt)
{
    libxl__vscsi_ours ours = lio_ours_of(hst, tgt, 0);
    static char path[512];

    snprintf(path, sizeof(path), TPG_PATH, TPG_ARGS(&lio_vc, &ours));
    return path;
}
