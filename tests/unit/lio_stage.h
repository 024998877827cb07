/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the tests of LIO stand on: an empty fake configfs, a context whose
 * messages are kept, and what an admin would have made by hand. */
#ifndef TESTS_LIO_STAGE_H
#define TESTS_LIO_STAGE_H

#include "libxl_vscsi_device.h"
#include "libxl_vscsi_lio.h"

#define FOREIGN "naa.5001405aaaaaaaaa"

extern char lio_root[64];
extern char lio_said[8192];     /* warnings and errors */
extern libxl__vscsi_ctx lio_vc;

int lio_set_up(void **state);
int lio_tear_down(void **state);
#define TEST(f) cmocka_unit_test_setup_teardown(f, lio_set_up, lio_tear_down)

/* Channel 0 always; a disk, /dev/sdfake, with one path.  Four of them are
 * kept at a time. */
libxl__vscsi_unit *lio_device(uint32_t hst, uint32_t tgt, uint64_t lun);
int lio_export(uint32_t hst, uint32_t tgt, uint64_t lun);
int lio_release(uint32_t hst, uint32_t tgt, uint64_t lun);
/* As after a detach, for wait_ms. */
int lio_let_go(uint32_t hst, uint32_t tgt, uint64_t lun, unsigned wait_ms);
/* Whatever is not in used[] is let go. */
int lio_collect(const libxl_vscsi_hctl *used, unsigned num,
                unsigned wait_ms);
libxl__vscsi_ours lio_ours_of(uint32_t hst, uint32_t tgt, uint64_t lun);
/* Can the backend driver reach the device by h:c:t:l? */
bool lio_is_whole(uint32_t hst, uint32_t tgt, uint64_t lun);
char *lio_tpg_of(uint32_t hst, uint32_t tgt);

/* Directories; "core" has one, "alua", from the beginning. */
unsigned lio_num_in(const char *dir);
bool lio_is_empty(void);

/* nexus and alias may be NULL. */
void lio_make_backstore(const char *hba, const char *name,
                        const char *control);
void lio_make_target(const char *wwn, const char *nexus, const char *alias);
void lio_make_lun(const char *wwn, unsigned lun, const char *backstore);
/* Device 2:0:0:1 as LUN 7 of FOREIGN. */
void lio_make_foreign(const char *nexus, const char *alias);

#endif /* TESTS_LIO_STAGE_H */
