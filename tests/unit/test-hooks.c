/* SPDX-License-Identifier: LGPL-2.1-only */
/* Vscsictrls in the JSON of a domain's configuration, and whose they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxlutil_vscsi.h>

#include "../../tools/xl/hooks_life.h"

/* A list of one device for each spec. */
static hooks_list list_of(const char *spec)
{
    hooks_list list = { .ctrls = NULL };

    assert_int_equal(xlu_vscsi_config_add(spec, &list.ctrls, &list.num,
                                          NULL), 0);
    return list;
}

static void assert_is(const hooks_list *list, const char *spec)
{
    char *text;

    assert_int_equal(list->num, 1);
    text = xlu_vscsi_to_string(&list->ctrls[0], list->ctrls[0].vscsidevs);
    assert_string_equal(text, spec);
    free(text);
}

/* ----- JSON ----- */

static void assert_taken(const char *json, const char *spec)
{
    hooks_list list = { .ctrls = NULL };
    bool found;

    assert_true(hooks_json_take(json, &list, &found));
    assert_int_equal(found, spec != NULL);
    if (spec)
        assert_is(&list, spec);
    else
        assert_int_equal(list.num, 0);
    hooks_list_dispose(&list);
}

static void what_is_added_is_taken_out_again(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"a\":1}",
        "{\"c_info\":{\"name\":\"x\\n\\u00e9\"},\"disks\":[]}",
        "{\"n\":[[{}],null,true,false,-1,1e400,18446744073709551615]}",
        "{\"vscsictrls\":[{\"devid\":9}],\"z\":{\"vscsictrls\":7}}",
        "{\"vscsictrls\":{\"any\":[{}]},\"z\":\"}\"}",
    };
    hooks_list list = list_of("/dev/sdb,1:0:2:3");
    char *json;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json = hooks_json_add(texts[i], &list);
        assert_non_null(json);
        assert_taken(json, "/dev/sdb,1:0:2:3");
        free(json);
    }
    hooks_list_dispose(&list);
}

static void the_rest_of_the_text_stays_as_it_is(void **state)
{
    static const char text[] =
        "{\n    \"a\": {\n        \"n\": 18446744073709551615,\n        \"f\""
        ": 1.50e+3\n    },\n    \"l\": [\n        \"\\n\\\"\",\n        null"
        "\n    ]\n}\n";
    const hooks_list none = { .ctrls = NULL };
    char *json = hooks_json_add(text, &none);

    (void)state;
    assert_string_equal(json, text);
    free(json);
}

static void a_text_without_list_has_none(void **state)
{
    (void)state;
    assert_taken("{}", NULL);
    assert_taken("{\"z\":{\"vscsictrls\":[7]}}", NULL);
    assert_taken("[{\"vscsictrls\":[7]}]", NULL);
}

static void an_empty_list_is_a_list(void **state)
{
    hooks_list list = { .ctrls = NULL };
    bool found = false;

    (void)state;
    assert_true(hooks_json_take("{\"vscsictrls\":[]}", &list, &found));
    assert_true(found);
    assert_int_equal(list.num, 0);
}

static void what_is_no_list_of_ctrls_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "{", "{\"vscsictrls\":[{]}", "{\"vscsictrls\":1}",
        "{\"vscsictrls\":null}", "{\"vscsictrls\":\"x\"}",
        "{\"vscsictrls\":{}}", "{\"vscsictrls\":[1]}",
        "{\"vscsictrls\":[[]]}", "{\"vscsictrls\":[null]}",
        "{\"vscsictrls\":[{\"devid\":\"x\"}]}",
        "{\"vscsictrls\":[{\"devid\":1},{\"vscsidevs\":7}]}",
    };
    hooks_list list = { .ctrls = NULL };
    bool found;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(hooks_json_take(texts[i], &list, &found));
        assert_int_equal(list.num, 0);
        assert_null(list.ctrls);
    }
}

/* ----- whose they are ----- */

static libxl_domain_config config_of(uint8_t uuid)
{
    libxl_domain_config config;

    memset(&config, 0, sizeof(config));
    config.c_info.uuid.uuid[0] = uuid;
    return config;
}

/* spec NULL: it has none. */
static void assert_has(const libxl_domain_config *config, bool to_create,
                       const char *spec)
{
    hooks_list list;

    assert_true(hooks_table_get(config, to_create, &list));
    if (spec)
        assert_is(&list, spec);
    else
        assert_int_equal(list.num, 0);
    hooks_list_dispose(&list);
}

static void a_file_that_was_read_is_the_next_configurations(void **state)
{
    libxl_domain_config config = config_of(1), copy = config_of(1);
    hooks_list list = list_of("/dev/sdb,0:0:0:0");

    (void)state;
    hooks_table_put_pending(&list);
    assert_has(&config, true, "/dev/sdb,0:0:0:0");
    assert_has(&copy, false, NULL);
    assert_has(&config, true, "/dev/sdb,0:0:0:0");
    hooks_table_forget(&config);
    assert_has(&config, true, NULL);
}

static void a_configuration_that_moved_keeps_its_list(void **state)
{
    libxl_domain_config old = config_of(1), moved = config_of(1),
                        other = config_of(2);
    hooks_list list = list_of("/dev/sdb,0:0:0:0");

    (void)state;
    hooks_table_put(&old, &list);
    assert_has(&other, true, NULL);
    assert_has(&moved, false, NULL);
    assert_has(&moved, true, "/dev/sdb,0:0:0:0");
    assert_has(&old, false, NULL);
    hooks_table_forget(&moved);
}

static void a_new_file_replaces_what_the_domain_had(void **state)
{
    libxl_domain_config config = config_of(1);
    hooks_list first = list_of("/dev/sdb,0:0:0:0");
    hooks_list second = list_of("/dev/sdc,0:0:0:0"), empty = { .num = 0 };

    (void)state;
    hooks_table_put_pending(&first);
    assert_has(&config, true, "/dev/sdb,0:0:0:0");
    hooks_table_forget(&config);
    hooks_table_put_pending(&second);
    assert_has(&config, true, "/dev/sdc,0:0:0:0");
    hooks_table_forget(&config);
    hooks_table_put_pending(&empty);
    assert_has(&config, true, NULL);
    hooks_table_forget(&config);
}

static void a_configuration_file_does_not_outlive_a_creation(void **state)
{
    libxl_domain_config saved = config_of(1), next = config_of(2);
    hooks_list list = list_of("/dev/sdb,0:0:0:0");
    hooks_list file = list_of("/dev/sdz,0:0:0:0");

    (void)state;
    hooks_table_put(&saved, &list);
    hooks_table_put_pending(&file);
    assert_has(&saved, true, "/dev/sdb,0:0:0:0");
    assert_has(&next, true, NULL);
    hooks_table_forget(&saved);
}

static void forgotten_configurations_do_not_pile_up(void **state)
{
    static libxl_domain_config configs[100];
    hooks_list list;
    unsigned i;

    (void)state;
    for (i = 0; i < 100; i++) {
        list = list_of("/dev/sdb,0:0:0:0");
        hooks_table_put(&configs[i], &list);
    }
    assert_has(&configs[0], false, NULL);
    assert_has(&configs[99], false, "/dev/sdb,0:0:0:0");
    for (i = 0; i < 100; i++)
        hooks_table_forget(&configs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_taken_out_again),
        cmocka_unit_test(the_rest_of_the_text_stays_as_it_is),
        cmocka_unit_test(a_text_without_list_has_none),
        cmocka_unit_test(an_empty_list_is_a_list),
        cmocka_unit_test(what_is_no_list_of_ctrls_is_refused),
        cmocka_unit_test(a_file_that_was_read_is_the_next_configurations),
        cmocka_unit_test(a_configuration_that_moved_keeps_its_list),
        cmocka_unit_test(a_new_file_replaces_what_the_domain_had),
        cmocka_unit_test(a_configuration_file_does_not_outlive_a_creation),
        cmocka_unit_test(forgotten_configurations_do_not_pile_up),
    };

    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
