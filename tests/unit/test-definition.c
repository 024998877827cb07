/* SPDX-License-Identifier: LGPL-2.1-only */
/* What libvirt's XML says of SCSI devices, and how that is changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <libxlutil_vscsi.h>

#include "../../tools/libvirt/hook.h"

#define UUID "0e0a4be7-2cd1-4f1b-8a6e-2b5b5b3c9a11"
#define HEAD "<domain type='xen' id='7'><name>g</name><uuid>" UUID "</uuid>"
#define HOSTDEV(attributes, inner) HEAD \
    "<devices><hostdev mode='subsystem' type='scsi'" attributes ">" inner \
    "<address type='drive' controller='1' bus='0' target='2' unit='3'/>" \
    "</hostdev></devices></domain>"
#define SOURCE "<source><adapter name='scsi_host8'/>" \
               "<address bus='0' target='5' unit='9'/></source>"
#define METADATA(inner) HEAD "<metadata><v:devices xmlns:v='" \
    DEFINITION_URI "'>" inner "</v:devices></metadata></domain>"

static bool read_text(const char *xml, definition *def, char **msg)
{
    definition_init(def);
    return definition_read(xml, strlen(xml), def, msg);
}

/* The devices of xml, as domU.cfg would have them. */
static void assert_devices(const char *xml, const char *expected)
{
    char *msg = NULL, *spec, text[512] = "";
    definition def;
    size_t len = 0;
    int i, j;

    if (!read_text(xml, &def, &msg))
        fail_msg("%s", msg);
    for (i = 0; i < def.num; i++)
        for (j = 0; j < def.ctrls[i].num_vscsidevs; j++) {
            spec = xlu_vscsi_to_string(&def.ctrls[i],
                                       &def.ctrls[i].vscsidevs[j]);
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
                                    len ? " " : "", spec);
            free(spec);
        }
    assert_string_equal(text, expected);
    definition_dispose(&def);
}

static void assert_refused(const char *xml, const char *words)
{
    definition def;
    char *msg = NULL;

    assert_false(read_text(xml, &def, &msg));
    assert_non_null(msg);
    if (!strstr(msg, words))
        fail_msg("'%s' does not say '%s'", msg, words);
    assert_int_equal(def.num, 0);
    free(msg);
    definition_dispose(&def);
}

static void a_definition_without_devices_has_none(void **state)
{
    definition def;
    char *msg;

    (void)state;
    assert_devices(HEAD "</domain>", "");
    assert_devices(HEAD "<devices><hostdev mode='subsystem' type='pci'/>"
                   "<hostdev mode='subsystem' type='usb'/></devices>"
                   "</domain>", "");
    assert_devices(HEAD "<metadata><devices xmlns='urn:other'><device>x"
                   "</device></devices></metadata></domain>", "");
    assert_true(read_text(HEAD "</domain>", &def, &msg));
    assert_string_equal(def.name, "g");
    assert_int_equal(def.domid, 7);
    definition_dispose(&def);
    assert_true(read_text("<domain><name>g</name><uuid>" UUID "</uuid>"
                          "</domain>", &def, &msg));
    assert_int_equal(def.domid, -1);
    definition_dispose(&def);
}

static void a_hostdev_is_a_device(void **state)
{
    (void)state;
    assert_devices(HOSTDEV("", SOURCE), "8:0:5:9,1:0:2:3");
    assert_devices(HOSTDEV(" rawio='yes'", SOURCE),
                   "8:0:5:9,1:0:2:3,feature-host");
    assert_devices(HOSTDEV(" rawio='no' sgio='filtered' managed='no'",
                           SOURCE), "8:0:5:9,1:0:2:3");
    assert_devices(HOSTDEV("", SOURCE "<shareable/>"),
                   "8:0:5:9,1:0:2:3,shareable");
}

static void a_hostdev_that_cannot_be_is_refused(void **state)
{
    (void)state;
    assert_refused(HOSTDEV("", SOURCE "<readonly/>"), "<readonly/>");
    assert_refused(HOSTDEV("", "<source protocol='iscsi' name='iqn'/>"),
                   "iscsiadm");
    assert_refused(HOSTDEV("", ""), "<source> needs");
    assert_refused(HOSTDEV("", "<source><adapter name='scsi_host'/>"
                           "<address bus='0' target='0' unit='0'/>"
                           "</source>"), "<source> needs");
    assert_refused(HOSTDEV("", "<source><adapter name='scsi_host1'/>"
                           "<address bus='0' target='-1' unit='0'/>"
                           "</source>"), "<source> needs");
    assert_refused(HEAD "<devices><hostdev mode='subsystem' type='scsi'>"
                   SOURCE "</hostdev></devices></domain>",
                   "<address type='drive'");
    assert_refused(HEAD "<devices><hostdev mode='subsystem' "
                   "type='scsi_host'><source protocol='vhost' "
                   "wwpn='naa.1'/></hostdev></devices></domain>", "vhost");
    assert_refused(HEAD "<devices><hostdev mode='subsystem' type='scsi'>"
                   SOURCE "<address type='drive' controller='0' bus='1' "
                   "target='0' unit='0'/></hostdev></devices></domain>",
                   "0:1:0:0");
}

static void metadata_have_the_texts_of_domU_cfg(void **state)
{
    (void)state;
    assert_devices(METADATA(""), "");
    assert_devices(METADATA("<v:device>/dev/sdb,0:0:0:0</v:device>\n <!-- x "
                            "--><v:device> 8:0:0:1,0:0:0:1,missing=skip\n"
                            "</v:device>"),
                   "/dev/sdb,0:0:0:0 8:0:0:1,0:0:0:1,missing=skip");
    assert_refused(METADATA("<v:device>/dev/sdb</v:device>"), "/dev/sdb");
    assert_refused(METADATA("<v:disk>/dev/sdb,0:0:0:0</v:disk>"),
                   "only <device>");
    assert_refused(METADATA("<v:device x='y'>/dev/sdb,0:0:0:0</v:device>"),
                   "only <device>");
    assert_refused(METADATA("/dev/sdb,0:0:0:0"), "only <device>");
}

static void both_kinds_go_together_but_not_to_one_place(void **state)
{
    static const char both[] = HEAD "<metadata><devices xmlns='"
        DEFINITION_URI "'><device>/dev/st0,1:0:2:%d</device></devices>"
        "</metadata><devices><hostdev mode='subsystem' type='scsi'>" SOURCE
        "<address type='drive' controller='1' bus='0' target='2' unit='3'/>"
        "</hostdev></devices></domain>";
    char xml[sizeof(both)];

    (void)state;
    snprintf(xml, sizeof(xml), both, 4);
    assert_devices(xml, "8:0:5:9,1:0:2:3 /dev/st0,1:0:2:4");
    snprintf(xml, sizeof(xml), both, 3);
    assert_refused(xml, "1:0:2:3");
}

static void what_is_no_definition_is_refused(void **state)
{
    (void)state;
    assert_refused("", "not XML");
    assert_refused("<domain>", "not XML");
    assert_refused("<network><name>n</name></network>", "no <domain>");
    assert_refused("<domain><name>g</name></domain>", "no <domain>");
    assert_refused("<domain><name>a/b</name><uuid>" UUID "</uuid></domain>",
                   "no <domain>");
    assert_refused("<domain id='x'><name>g</name><uuid>" UUID "</uuid>"
                   "</domain>", "no <domain>");
    /* Nothing is read from a file that the text names. */
    assert_refused("<!DOCTYPE domain [<!ENTITY e SYSTEM '/etc/hostname'>]>"
                   "<domain><name>&e;</name><uuid>" UUID "</uuid></domain>",
                   "no <domain>");
}

static void a_change_takes_out_and_adds(void **state)
{
    static const char xml[] = METADATA(
        "<v:device>/dev/a,0:0:0:0</v:device>"
        "<v:device>/dev/b,0:0:0:1</v:device>"
        "<v:device>/dev/c,1:0:0:0</v:device>");
    char one[] = "0:0:0:1", all[] = "0:*", other[] = "/dev/d&,2:0:0:0";
    char last[] = "1:0:0:0", *out[] = { one }, *in[] = { other };
    char *both[] = { all, last }, *text, *msg;

    (void)state;
    assert_true(definition_change(xml, out, 1, in, 1, &text, &msg));
    assert_string_equal(text, "<devices>\n  <device>/dev/a,0:0:0:0</device>"
                        "\n  <device>/dev/c,1:0:0:0</device>\n  <device>"
                        "/dev/d&amp;,2:0:0:0</device>\n</devices>");
    free(text);
    out[0] = all;
    assert_true(definition_change(xml, out, 1, NULL, 0, &text, &msg));
    assert_null(strstr(text, "/dev/a"));
    assert_non_null(strstr(text, "/dev/c"));
    free(text);
    assert_true(definition_change(xml, both, 2, NULL, 0, &text, &msg));
    assert_null(text);
    assert_true(definition_change(HEAD "</domain>", NULL, 0, in, 1, &text,
                                  &msg));
    assert_non_null(strstr(text, "/dev/d"));
    free(text);
    assert_false(definition_change(METADATA("<v:x/>"), NULL, 0, in, 1, &text,
                                   &msg));
    assert_non_null(strstr(msg, "only <device>"));
    free(msg);
}

static void block_devices_are_told(void **state)
{
    definition def;
    char *msg;

    (void)state;
    assert_true(read_text(HEAD "<devices><disk type='file'><source file='/a'/>"
                          "</disk><disk type='block'><source dev='/dev/sdb'/>"
                          "</disk><disk type='block' device='cdrom'/>"
                          "</devices></domain>", &def, &msg));
    assert_int_equal(def.num_disks, 1);
    assert_string_equal(def.disks[0], "/dev/sdb");
    definition_dispose(&def);
}

static void a_place_is_found_in_a_definition(void **state)
{
    definition def;
    char *msg;

    (void)state;
    assert_true(read_text(HOSTDEV("", SOURCE), &def, &msg));
    assert_true(definition_has(&def, "1:0:2:3"));
    assert_true(definition_has(&def, "1:*"));
    assert_false(definition_has(&def, "1:0:2:4"));
    assert_false(definition_has(&def, "0:*"));
    definition_dispose(&def);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_without_devices_has_none),
        cmocka_unit_test(a_hostdev_is_a_device),
        cmocka_unit_test(a_hostdev_that_cannot_be_is_refused),
        cmocka_unit_test(metadata_have_the_texts_of_domU_cfg),
        cmocka_unit_test(both_kinds_go_together_but_not_to_one_place),
        cmocka_unit_test(what_is_no_definition_is_refused),
        cmocka_unit_test(a_change_takes_out_and_adds),
        cmocka_unit_test(block_devices_are_told),
        cmocka_unit_test(a_place_is_found_in_a_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
