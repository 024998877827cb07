/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The texts that other programs, and older and newer versions of this one,
 * read and write: held to the letter.  Plus what the generated test cannot
 * know about the types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "_libxl_vscsi_types.h"

static const char two_devices[] =
    "{\n"
    "    \"backend_domid\": 3,\n"
    "    \"devid\": 0,\n"
    "    \"idx\": 0,\n"
    "    \"vscsidevs\": [\n"
    "        {\n"
    "            \"vscsidev_id\": 0,\n"
    "            \"pdev\": {\n"
    "                \"p_devname\": \"/dev/disk/by-id/wwn-0x5000\",\n"
    "                \"wwid\": \"naa.5000c500a1b2c3d4\",\n"
    "                \"type.hctl\": {\n"
    "                    \"m\": {\n"
    "                        \"hst\": 8,\n"
    "                        \"chn\": 1,\n"
    "                        \"tgt\": 2,\n"
    "                        \"lun\": 18446744073709551615\n"
    "                    }\n"
    "                }\n"
    "            },\n"
    "            \"vdev\": {\n"
    "                \"tgt\": 3,\n"
    "                \"lun\": 4\n"
    "            }\n"
    "        },\n"
    "        {\n"
    "            \"vscsidev_id\": 1,\n"
    "            \"pdev\": {\n"
    "                \"p_devname\": \"naa.6001405708ab297e:0\",\n"
    "                \"type.wwn\": {\n"
    "                    \"m\": \"naa.6001405708ab297e:0\"\n"
    "                }\n"
    "            },\n"
    "            \"vdev\": {\n"
    "                \"lun\": 1\n"
    "            }\n"
    "        }\n"
    "    ],\n"
    "    \"scsi_raw_cmds\": \"True\"\n"
    "}\n";

static const char empty_info[] =
    "{\n"
    "    \"pdev\": {\n"
    "        \"type.invalid\": {\n"
    "\n"
    "        }\n"
    "    },\n"
    "    \"vdev\": {\n"
    "\n"
    "    }\n"
    "}\n";

static const char full_info[] =
    "{\n"
    "    \"backend\": \"/b\",\n"
    "    \"backend_id\": 1,\n"
    "    \"frontend\": \"/f\",\n"
    "    \"frontend_id\": 2,\n"
    "    \"devid\": 0,\n"
    "    \"pdev\": {\n"
    "        \"type.invalid\": {\n"
    "\n"
    "        }\n"
    "    },\n"
    "    \"vdev\": {\n"
    "        \"hst\": 1\n"
    "    },\n"
    "    \"idx\": 0,\n"
    "    \"vscsidev_id\": 7,\n"
    "    \"scsi_raw_cmds\": true,\n"
    "    \"vscsictrl_state\": 4,\n"
    "    \"vscsidev_state\": -2147483648,\n"
    "    \"vendor\": \"Caf\xc3\xa9 \\\"\\\\\\u0001\",\n"
    "    \"model\": \"m\",\n"
    "    \"devtype\": \"tape\",\n"
    "    \"node\": \"/dev/nst0\"\n"
    "}\n";

static char *copy_of(const char *text)
{
    char *copy = strdup(text);

    assert_non_null(copy);
    return copy;
}

static void fill_two_devices(libxl_device_vscsictrl *ctrl)
{
    libxl_device_vscsidev *dev;

    libxl_device_vscsictrl_init(ctrl);
    ctrl->vscsidevs = calloc(2, sizeof(*ctrl->vscsidevs));
    assert_non_null(ctrl->vscsidevs);
    ctrl->num_vscsidevs = 2;
    ctrl->backend_domid = 3;
    ctrl->devid = ctrl->idx = 0;
    libxl_defbool_set(&ctrl->scsi_raw_cmds, true);

    dev = &ctrl->vscsidevs[0];
    libxl_device_vscsidev_init(dev);
    dev->vscsidev_id = 0;
    dev->pdev.p_devname = copy_of("/dev/disk/by-id/wwn-0x5000");
    dev->pdev.wwid = copy_of("naa.5000c500a1b2c3d4");
    libxl_vscsi_pdev_init_type(&dev->pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    dev->pdev.u.hctl.m.hst = 8;
    dev->pdev.u.hctl.m.chn = 1;
    dev->pdev.u.hctl.m.tgt = 2;
    dev->pdev.u.hctl.m.lun = UINT64_MAX;
    dev->vdev.tgt = 3;
    dev->vdev.lun = 4;

    dev = &ctrl->vscsidevs[1];
    libxl_device_vscsidev_init(dev);
    dev->vscsidev_id = 1;
    dev->pdev.p_devname = copy_of("naa.6001405708ab297e:0");
    libxl_vscsi_pdev_init_type(&dev->pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    dev->pdev.u.wwn.m = copy_of("naa.6001405708ab297e:0");
    dev->vdev.lun = 1;
}

static void ctrl_with_two_devices_has_this_text(void **state)
{
    libxl_device_vscsictrl ctrl, read;
    char *text;

    (void)state;
    fill_two_devices(&ctrl);
    text = libxl_device_vscsictrl_to_json(NULL, &ctrl);
    assert_non_null(text);
    assert_string_equal(text, two_devices);
    assert_int_equal(
        libxl_device_vscsictrl_from_json(NULL, &read, two_devices), 0);
    assert_true(libxl_device_vscsictrl_compare(&ctrl, &read));
    libxl_device_vscsictrl_dispose(&read);
    libxl_device_vscsictrl_dispose(&ctrl);
    free(text);
}

static void info_has_this_text(void **state)
{
    static const char *const texts[] = { empty_info, full_info };
    libxl_vscsiinfo info;
    char *text;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        assert_int_equal(
            libxl_vscsiinfo_from_json(NULL, &info, texts[i]), 0);
        text = libxl_vscsiinfo_to_json(NULL, &info);
        assert_non_null(text);
        assert_string_equal(text, texts[i]);
        free(text);
        libxl_vscsiinfo_dispose(&info);
    }
}

static void enumeration_has_these_numbers_and_words(void **state)
{
    char *text;

    (void)state;
    assert_int_equal(LIBXL_VSCSI_PDEV_TYPE_INVALID, 0);
    assert_int_equal(LIBXL_VSCSI_PDEV_TYPE_HCTL, 1);
    assert_int_equal(LIBXL_VSCSI_PDEV_TYPE_WWN, 2);
    text = libxl_vscsi_pdev_type_to_json(NULL, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    assert_non_null(text);
    assert_string_equal(text, "\"hctl\"\n");
    free(text);
}

static void init_gives_dom0_as_backend_and_no_ids(void **state)
{
    libxl_device_vscsictrl ctrl;
    libxl_device_vscsidev dev;
    libxl_vscsiinfo info;

    (void)state;
    libxl_device_vscsictrl_init(&ctrl);
    assert_int_equal(ctrl.backend_domid, 0);
    assert_int_equal(ctrl.devid, -1);
    assert_int_equal(ctrl.idx, -1);
    assert_int_equal(ctrl.num_vscsidevs, 0);
    assert_null(ctrl.vscsidevs);
    assert_true(libxl_defbool_is_default(ctrl.scsi_raw_cmds));
    libxl_device_vscsidev_init(&dev);
    assert_int_equal(dev.vscsidev_id, -1);
    assert_int_equal(dev.pdev.type, LIBXL_VSCSI_PDEV_TYPE_INVALID);
    assert_null(dev.pdev.p_devname);
    libxl_vscsiinfo_init(&info);
    assert_int_equal(info.devid, -1);
    assert_int_equal(info.idx, -1);
    assert_int_equal(info.vscsidev_id, -1);
}

static void union_changes_its_member_without_losing_memory(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    libxl_vscsi_pdev_init(&pdev);
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    pdev.u.wwn.m = copy_of("naa.5001405000000001:0");
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    assert_int_equal(pdev.type, LIBXL_VSCSI_PDEV_TYPE_HCTL);
    assert_int_equal(pdev.u.hctl.m.hst, 0);
    pdev.u.hctl.m.hst = 5;
    pdev.u.hctl.m.lun = UINT64_MAX;
    libxl_vscsi_pdev_init_type(&pdev, LIBXL_VSCSI_PDEV_TYPE_WWN);
    assert_null(pdev.u.wwn.m);
    libxl_vscsi_pdev_dispose(&pdev);
}

static void what_is_no_text_is_neither_written_nor_read(void **state)
{
    static const char *const bytes[] = {
        "\xff", "a\x80", "\xc3", "\xc0\xaf", "\xe2\x82", "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5",
    };
    libxl_vscsi_pdev pdev;
    char text[32];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bytes) / sizeof(*bytes); i++) {
        libxl_vscsi_pdev_init(&pdev);
        pdev.wwid = copy_of(bytes[i]);
        assert_null(libxl_vscsi_pdev_to_json(NULL, &pdev));
        libxl_vscsi_pdev_dispose(&pdev);
        snprintf(text, sizeof(text), "{\"wwid\": \"%s\"}", bytes[i]);
        assert_int_equal(libxl_vscsi_pdev_from_json(NULL, &pdev, text),
                         ERROR_INVAL);
        assert_null(pdev.wwid);
    }
}

static void union_of_no_known_kind_is_not_written(void **state)
{
    libxl_vscsi_pdev pdev;

    (void)state;
    libxl_vscsi_pdev_init(&pdev);
    pdev.type = (libxl_vscsi_pdev_type)9;
    assert_null(libxl_vscsi_pdev_to_json(NULL, &pdev));
    libxl_vscsi_pdev_dispose(&pdev);
}

static void depth_without_end_is_refused(void **state)
{
    static const char *const heads[] = { "{\"x\": ", "{\"/* \\\"\": " };
    size_t i, at, size = 4u << 20;
    libxl_vscsi_hctl hctl;
    char *text;

    (void)state;
    text = malloc(size + 1);
    assert_non_null(text);
    for (i = 0; i < 2; i++) {
        memset(text, '[', size / 2);
        memset(text + size / 2, ']', size - size / 2);
        at = strlen(heads[i]);
        memcpy(text, heads[i], at);
        text[size - 1] = '}';
        text[size] = '\0';
        assert_int_equal(libxl_vscsi_hctl_from_json(NULL, &hctl, text),
                         ERROR_INVAL);
    }
    free(text);
}

static void members_fit_into_a_larger_text(void **state)
{
    libxl_device_vscsictrl ctrl;
    const unsigned char *text;
    yajl_gen hand;
    size_t len;

    (void)state;
    libxl_device_vscsictrl_init(&ctrl);
    ctrl.devid = 2;
    hand = yajl_gen_alloc(NULL);
    assert_non_null(hand);
    assert_int_equal(yajl_gen_map_open(hand), yajl_gen_status_ok);
    assert_int_equal(yajl_gen_string(hand,
        (const unsigned char *)"vscsictrls", 10), yajl_gen_status_ok);
    assert_int_equal(yajl_gen_array_open(hand), yajl_gen_status_ok);
    assert_int_equal(libxl_device_vscsictrl_gen_json(hand, &ctrl),
                     yajl_gen_status_ok);
    assert_int_equal(yajl_gen_array_close(hand), yajl_gen_status_ok);
    assert_int_equal(yajl_gen_map_close(hand), yajl_gen_status_ok);
    assert_int_equal(yajl_gen_get_buf(hand, &text, &len),
                     yajl_gen_status_ok);
    assert_string_equal((const char *)text,
                        "{\"vscsictrls\":[{\"devid\":2}]}");
    yajl_gen_free(hand);
    libxl_device_vscsictrl_dispose(&ctrl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctrl_with_two_devices_has_this_text),
        cmocka_unit_test(info_has_this_text),
        cmocka_unit_test(enumeration_has_these_numbers_and_words),
        cmocka_unit_test(init_gives_dom0_as_backend_and_no_ids),
        cmocka_unit_test(union_changes_its_member_without_losing_memory),
        cmocka_unit_test(what_is_no_text_is_neither_written_nor_read),
        cmocka_unit_test(union_of_no_known_kind_is_not_written),
        cmocka_unit_test(depth_without_end_is_refused),
        cmocka_unit_test(members_fit_into_a_larger_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
