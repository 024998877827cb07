/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a drive is told when a guest has lost it: a scripted one keeps what it
 * was sent. */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakesys.h"
#include "lio_stage.h"

#define ALLOW "1e0000000000\n"
#define RELEASE "170000000000\n"

/* One letter for each command: 0 it is done, 2 to 6 a sense key, d the same
 * in descriptor format, e EIO, h the host's failure.  Then all are done. */
static const char *script;
static char sent[64];           /* a file: another process sends */

static void answer(sg_io_hdr_t *io, char how)
{
    io->info = how == '0' ? SG_INFO_OK : SG_INFO_CHECK;
    if (how == '0' || how == 'h')
        return;
    io->sb_len_wr = 18;
    io->sbp[0] = how == 'd' ? 0x72 : 0x70;
    io->sbp[how == 'd' ? 1 : 2] = how == 'd' ? 6 : (unsigned char)(how - '0');
}

int ioctl(int fd, unsigned long request, ...)
{
    FILE *f = fopen(sent, "ae");
    sg_io_hdr_t *io;
    va_list ap;
    char how = '0';
    int i;

    va_start(ap, request);
    io = va_arg(ap, sg_io_hdr_t *);
    va_end(ap);
    if (!f || request != SG_IO || fd < 0)
        abort();
    for (i = 0; i < io->cmd_len; i++)
        fprintf(f, "%02x", io->cmdp[i]);
    fprintf(f, "\n");
    fclose(f);
    if (*script == 'e') {
        errno = EIO;
        return -1;
    }
    if (*script)
        how = *script++;
    answer(io, how);
    return 0;
}

static int set_up(void **state)
{
    if (lio_set_up(state) || fakesys_set_up(state))
        return -1;
    lio_vc.sysfs = fakesys_root;
    snprintf(sent, sizeof(sent), "%.40s.sent", lio_vc.lock_file);
    script = "";
    return 0;
}

static int tear_down(void **state)
{
    unlink(sent);
    return fakesys_tear_down(state) || lio_tear_down(state);
}

/* Its sg node can be opened, because it is the file: in the kernel's names,
 * "!" stands for "/". */
static void add(const char *type)
{
    char sg[128], *s;

    snprintf(sg, sizeof(sg), "shm/../..%s", sent);
    for (s = sg; *s; s++)
        if (*s == '/')
            *s = '!';
    fakesys_add(&(fakesys_device){ .hctl = "2:0:0:1", .type = type,
                                   .vendor = "V", .model = "M", .sg = sg });
}

static void forget_sent(void)
{
    FILE *f = fopen(sent, "we");

    assert_non_null(f);
    fclose(f);
}

static void expect_sent(const char *text)
{
    char found[256] = "";
    FILE *f = fopen(sent, "re");

    if (f) {
        found[fread(found, 1, sizeof(found) - 1, f)] = '\0';
        fclose(f);
    }
    if (strcmp(found, text))
        fail_msg("sent \"%s\" instead of \"%s\"; %s", found, text, lio_said);
    forget_sent();
}

static void let_go(void)
{
    lio_said[0] = '\0';
    forget_sent();
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(lio_let_go(2, 0, 1, 60000), 0);
    assert_true(lio_is_empty());
}

static void what_may_be_locked_is_freed(void **state)
{
    static const struct { const char *type, *sent; } rows[] = {
        { "0", "" }, { "1", ALLOW RELEASE }, { "3", "" },
        { "5", ALLOW RELEASE }, { "6", "" }, { "7", ALLOW RELEASE },
        { "8", ALLOW RELEASE }, { "13", "" }, { "20", "" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        add(rows[i].type);
        let_go();
        expect_sent(rows[i].sent);
        assert_string_equal(lio_said, "");
        fakesys_remove("2:0:0:1");
    }
}

static void what_a_domain_may_still_have_is_left_alone(void **state)
{
    (void)state;
    add("1");
    assert_int_equal(libxl__vscsi_lio_export(&lio_vc, lio_device(2, 0, 1),
                                             LIBXL__VSCSI_SHARED), 0);
    assert_int_equal(lio_let_go(2, 0, 1, 60000), 0);
    expect_sent("");
    /* No guest was told of this one. */
    assert_int_equal(lio_export(2, 0, 1), 0);
    assert_int_equal(lio_release(2, 0, 1), 0);
    expect_sent("");
}

static void a_drive_that_is_lost_or_refuses_only_makes_a_warning(
    void **state)
{
    static const struct { const char *script, *sent, *said; } rows[] = {
        { "6", ALLOW ALLOW RELEASE, NULL },
        { "d", ALLOW ALLOW RELEASE, NULL },
        { "06", ALLOW RELEASE RELEASE, NULL },
        { "66", ALLOW ALLOW RELEASE, "it answered sense key 6" },
        { "55", ALLOW RELEASE, NULL },
        { "4", ALLOW RELEASE, "it answered sense key 4" },
        { "h", ALLOW RELEASE, "it answered Input/output error" },
        { "e", ALLOW RELEASE, "it answered Input/output error" },
    };
    size_t i;

    (void)state;
    add("1");
    for (i = 0; i < VSCSI_ARRAY_SIZE(rows); i++) {
        script = rows[i].script;
        let_go();
        expect_sent(rows[i].sent);
        if (rows[i].said ? !strstr(lio_said, rows[i].said) : *lio_said)
            fail_msg("%s: %s", rows[i].script, lio_said);
    }
    fakesys_remove("2:0:0:1");
    let_go();
    expect_sent("");
    assert_string_equal(lio_said, "");
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_may_be_locked_is_freed),
        TEST(what_a_domain_may_still_have_is_left_alone),
        TEST(a_drive_that_is_lost_or_refuses_only_makes_a_warning),
    };

    return cmocka_run_group_tests_name("medium", tests, NULL, NULL);
}
