/* SPDX-License-Identifier: LGPL-2.1-only */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"

#define LIFE "xl-vscsi-life.so"

static char dir[] = "/tmp/test-hooks.XXXXXX";
static char built[PATH_MAX];

static void link_to(const char *name, const char *as)
{
    char target[PATH_MAX + 64];

    snprintf(target, sizeof(target), "%s/%s", built, name);
    if (access(target, R_OK) || symlink(target, as)) {
        perror(target);
        exit(1);
    }
}

void rig_begin(const char *argv0)
{
    char self[PATH_MAX];

    if (!realpath(argv0, self) || !mkdtemp(dir) || chdir(dir))
        exit(1);
    snprintf(built, sizeof(built), "%s/../hooks", dirname(self));
    link_to("launch", "launch");
    rig_use_hooks();
    unsetenv("LD_PRELOAD");     /* of a tool that looks at the test */
    setenv("xl", "env LD_PRELOAD=./xl-vscsi-hooks.so ./xl", 1);
    setenv("bare", "./xl", 1);
    setenv("launch", "./launch", 1);
    setenv("built", built, 1);
}

void rig_use_hooks(void)
{
    unlink("xl");
    unlink("xl-vscsi-hooks.so");
    link_to("xl", "xl");
    link_to("xl-vscsi-hooks.so", "xl-vscsi-hooks.so");
}

void rig_end(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", dir);
    if (chdir("/") || system(command))
        exit(1);
}

void rig_put(const char *path, const char *text)
{
    FILE *f;

    unlink(path);
    if (!text)
        return;
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

void rig_use_life(const char *name)
{
    char object[64];

    unlink(LIFE);
    if (!strcmp(name, "missing"))
        return;
    if (!strcmp(name, "garbage")) {
        rig_put(LIFE, "this is no object\n");
        return;
    }
    snprintf(object, sizeof(object), "life-%s.so", name);
    link_to(object, LIFE);
}

const char *rig_get(const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "r");
    size_t length = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    if (f)
        fclose(f);
    text[length] = '\0';
    return text;
}

void rig_clean(void)
{
    static const char *const names[] = {
        "calls", "written", "out", "err", "store", "record", "stored",
        "vscsictrls", "updated", "file", "file.vscsi", "file.lx",
        "empty.cfg", "wrong.cfg",
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(names[i]);
    if (!access("backends", F_OK))
        assert_int_equal(system("rm -r backends"), 0);
    rig_put("plain.cfg", "name='g'\n");
    rig_put("vscsi.cfg", "name='g'\nvscsi=['/dev/sdb,0:0:0:0']\n");
}

int rig_run(const char *command)
{
    char full[2048];
    int status;

    rig_put("calls", NULL);
    snprintf(full, sizeof(full), "{ %s\n} >out 2>err </dev/null", command);
    status = system(full);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int rig_says(const char *text)
{
    const char *at = rig_get("err");
    int num = 0;

    while ((at = strstr(at, text))) {
        at += strlen(text);
        num++;
    }
    return num;
}
