/* SPDX-License-Identifier: LGPL-2.1-only */
/* What is found in LIO, on a configfs that keeps the kernel's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fakeconfigfs.h"
#include "lio_stage.h"

/* The admin's target that has the unit, as found in one look at LIO; its
 * backstore is *store_r. */
static char *find_foreign(const libxl__vscsi_unit *unit, char **store_r)
{
    const libxl__vscsi_backstore *store = NULL;
    libxl__vscsi_backstore *stores = NULL;
    char *wwn = NULL;
    unsigned num = 0;

    assert_int_equal(libxl__vscsi_lio_backstores(&lio_vc, &stores, &num), 0);
    assert_int_equal(libxl__vscsi_lio_find_foreign(&lio_vc, stores, num, unit,
                                                   &wwn, &store), 0);
    *store_r = store ? strdup(libxl__vscsi_backstore_id(&lio_vc, store))
                     : NULL;
    libxl__vscsi_backstores_free(stores, num);
    return wwn;
}

/* ----- the admin's ----- */

static void admins_target_is_found_and_resolved(void **state)
{
    libxl__vscsi_unit *unit = lio_device(2, 0, 1);
    libxl__vscsi_unit *other = lio_device(2, 0, 2);
    char *wwn, *node = NULL, *store = NULL;

    (void)state;
    lio_make_foreign(FOREIGN, NULL);
    wwn = find_foreign(unit, &store);
    assert_string_equal(wwn, FOREIGN ":7");
    assert_string_equal(store, "pscsi_0/mine");
    free(store);
    store = NULL;
    assert_int_equal(libxl__vscsi_lio_resolve(&lio_vc, wwn, &store, &node),
                     0);
    assert_string_equal(node, "2:0:0:1");
    assert_string_equal(store, "pscsi_0/mine");
    free(node);
    free(store);
    free(wwn);
    assert_null(find_foreign(other, &store));
    assert_null(store);
}

static void what_we_exported_is_not_foreign(void **state)
{
    libxl__vscsi_unit *unit = lio_device(2, 0, 1);
    libxl__vscsi_ours ours = lio_ours_of(2, 0, 1);
    char *node = NULL, *store = NULL, name[64];

    (void)state;
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_null(find_foreign(unit, &store));
    snprintf(name, sizeof(name), "%s:1", ours.wwn);
    assert_int_equal(libxl__vscsi_lio_resolve(&lio_vc, name, &store, &node),
                     ERROR_INVAL);
}

static void target_that_cannot_work_is_not_found(void **state)
{
    libxl__vscsi_unit *unit = lio_device(2, 0, 1);
    char *node = NULL, *store = NULL;

    (void)state;
    assert_int_equal(libxl__vscsi_lio_resolve(&lio_vc, FOREIGN ":7", &store,
                                              &node),
                     ERROR_NOTFOUND);
    assert_non_null(strstr(lio_said, "no LIO target"));
    lio_make_foreign(NULL, NULL);
    assert_null(find_foreign(unit, &store));
    assert_int_equal(libxl__vscsi_lio_resolve(&lio_vc, FOREIGN ":7", &store,
                                              &node),
                     ERROR_NOTFOUND);
    assert_non_null(strstr(lio_said, "has no nexus"));
    assert_int_equal(libxl__vscsi_cfs_write(FOREIGN,
        "%s/" LIO_FABRIC "/" FOREIGN "/tpgt_1/nexus", lio_root), 0);
    assert_int_equal(libxl__vscsi_lio_resolve(&lio_vc, FOREIGN ":8", &store,
                                              &node),
                     ERROR_NOTFOUND);
    assert_non_null(strstr(lio_said, "has no LUN 8"));
    assert_null(node);
}

static unsigned count_stores(const libxl_vscsi_hctl *hctl, bool *ours_r)
{
    libxl__vscsi_backstore *stores = NULL;
    unsigned i, num = 0, found = 0;

    assert_int_equal(libxl__vscsi_lio_backstores(&lio_vc, &stores, &num), 0);
    for (i = 0; i < num; i++) {
        if (!stores[i].has_hctl ||
            !libxl__vscsi_hctl_equal(&stores[i].hctl, hctl))
            continue;
        found++;
        *ours_r = stores[i].ours;
        if (*ours_r) {
            bool has = false;

            assert_int_equal(libxl__vscsi_lio_has(&lio_vc, &stores[i],
                                                  &has), 0);
            assert_true(has);
        }
    }
    libxl__vscsi_backstores_free(stores, num);
    return found;
}

static void backstores_say_what_they_have_and_whose_they_are(void **state)
{
    libxl__vscsi_unit *unit = lio_device(2, 0, 1);
    bool ours;

    (void)state;
    assert_int_equal(count_stores(&unit->id.hctl, &ours), 0);
    lio_make_foreign(NULL, NULL);
    assert_int_equal(count_stores(&unit->id.hctl, &ours), 1);
    assert_false(ours);
    unit = lio_device(3, 0, 1);
    assert_int_equal(lio_export(3, 0, 1), 0);
    assert_int_equal(count_stores(&unit->id.hctl, &ours), 1);
    assert_true(ours);
}

/* ----- names and modules ----- */

static void names_of_ours_are_stable_and_tell_targets_apart(void **state)
{
    libxl__vscsi_ours a = lio_ours_of(1, 0, 0), b = lio_ours_of(1, 0, 9);
    libxl__vscsi_ours c = lio_ours_of(1, 1, 0);
    libxl_vscsi_hctl hctl;

    (void)state;
    /* Changing these would orphan what an older version has made. */
    assert_string_equal(a.wwn, "naa.50014053bd16d2e8");
    assert_string_equal(a.nexus, "naa.5001405a6d8477e6");
    assert_string_equal(a.backstore, "xl-vscsi-1:0:0:0");
    assert_string_equal(a.wwn, b.wwn);
    assert_string_not_equal(a.wwn, c.wwn);
    assert_true(libxl__vscsi_ours_parse_backstore(b.backstore, &hctl));
    assert_int_equal(hctl.lun, 9);
    assert_false(libxl__vscsi_ours_parse_backstore("xl-vscsi-1:0:0", &hctl));
    assert_false(libxl__vscsi_ours_parse_backstore("xl-vscsi-1:0:0:0x",
                                                   &hctl));
    assert_true(libxl__vscsi_ours_parse_target(a.wwn, "1:0:0", &hctl));
    assert_false(libxl__vscsi_ours_parse_target(a.wwn, "1:0:1", &hctl));
    assert_false(libxl__vscsi_ours_parse_target(a.wwn, "", &hctl));
}

static void fabric_is_made_where_the_driver_is_there(void **state)
{
    bool uses_lio = false;

    (void)state;
    assert_int_equal(libxl__vscsi_cfs_rmdir("%s/" LIO_FABRIC, lio_root), 0);
    assert_int_equal(libxl__vscsi_lio_probe(&lio_vc, &uses_lio), 0);
    assert_true(uses_lio);
    assert_int_equal(lio_num_in(LIO_FABRIC), 0);
}

static void missing_driver_is_lio_said(void **state)
{
    bool uses_lio = true;

    (void)state;
    assert_int_equal(libxl__vscsi_cfs_rmdir("%s/" LIO_FABRIC, lio_root), 0);
    fakeconfigfs_set("FAKE_CONFIGFS_NO_DRIVER", "1");
    lio_vc.timeouts.backend_ms = 60000;
    assert_int_equal(libxl__vscsi_lio_probe(&lio_vc, &uses_lio), ERROR_FAIL);
    assert_non_null(strstr(lio_said, "CONFIG_XEN_SCSI_BACKEND"));
    assert_true(uses_lio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(admins_target_is_found_and_resolved),
        TEST(what_we_exported_is_not_foreign),
        TEST(target_that_cannot_work_is_not_found),
        TEST(backstores_say_what_they_have_and_whose_they_are),
        TEST(names_of_ours_are_stable_and_tell_targets_apart),
        TEST(fabric_is_made_where_the_driver_is_there),
        TEST(missing_driver_is_lio_said),
    };

    return cmocka_run_group_tests_name("lio", tests, NULL, NULL) != 0;
}
