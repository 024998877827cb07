/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Runs in a guest: rewrites all that the guest owns of its vscsictrls, over
 * and over, until the file /calm exists.
 *
 *  hostile ANOTHER-BACKEND...
 *
 * ANOTHER-BACKEND: directories of other domains that the guest would like to
 * have touched in the place of its own.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenstore.h>

#define HOME "device/vscsi"

static struct xs_handle *xs;
static char huge[4000];         /* more, and xenstored refuses the message */
static unsigned long mutations;

static const char *const states[] = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "-1", "4 ", " 4",
    "4294967300", "99999999999999999999", "0x4", "four", "", huge,
};

static void count(void)
{
    mutations++;
    if (mutations % 16 == 0 && !access("/calm", F_OK)) {
        printf("%lu mutations\n", mutations);
        exit(0);
    }
}

/* What is not ours, xenstored refuses. */
static void put(const char *devid, const char *node, const char *value)
{
    char path[512];

    snprintf(path, sizeof(path), HOME "/%s/%s", devid, node);
    (void)xs_write(xs, XBT_NULL, path, value, (unsigned)strlen(value));
    count();
}

static void drop(const char *devid, const char *node)
{
    char path[512];

    snprintf(path, sizeof(path), HOME "/%s%s", devid, node);
    (void)xs_rm(xs, XBT_NULL, path);
    count();
}

static void put_dev(const char *devid, const char *dev, const char *name,
                    const char *value)
{
    char node[256];

    snprintf(node, sizeof(node), "vscsi-devs/%.64s/%s", dev, name);
    put(devid, node, value);
}

static void spoil_states(const char *devid, const char *state)
{
    char **devs, path[512];
    unsigned num = 0, i;

    put(devid, "state", state);
    snprintf(path, sizeof(path), HOME "/%s/vscsi-devs", devid);
    devs = xs_directory(xs, XBT_NULL, path, &num);
    for (i = 0; devs && i < num; i++) {
        put_dev(devid, devs[i], "state", state);
        put_dev(devid, devs[i], "v-dev", "0:0:0:99");
        put_dev(devid, devs[i], "p-devname", "/dev/sda");
    }
    free(devs);
}

static void spoil(const char *devid, int argc, char **argv, unsigned round)
{
    char name[32];
    unsigned i;
    int a;

    for (a = 1; a < argc; a++) {
        put(devid, "backend", argv[a]);
        put(devid, "backend-id", "0");
    }
    put(devid, "backend", huge);
    put(devid, "backend", "/nowhere");
    put(devid, "backend-id", "77777");
    put(devid, "ring-ref", "-5");
    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        spoil_states(devid, states[i]);
    for (i = 0; i < 200 && round % 8 == 0; i++) {
        snprintf(name, sizeof(name), "dev-%u", i);
        put_dev(devid, name, "state", "4");
    }
    if (round % 8 == 1)
        drop(devid, "/vscsi-devs");
    if (round % 16 == 2)
        drop(devid, "");
}

int main(int argc, char **argv)
{
    static const char *const made_up[] = { "0", "1", "17", "x", "-1" };
    unsigned round, num, i;
    char **ctrls;

    memset(huge, 'h', sizeof(huge) - 1);
    xs = xs_open(0);
    if (!xs) {
        perror("xs_open");
        return 1;
    }
    for (round = 0; ; round++) {
        num = 0;
        ctrls = xs_directory(xs, XBT_NULL, HOME, &num);
        for (i = 0; ctrls && i < num; i++)
            spoil(ctrls[i], argc, argv, round);
        free(ctrls);
        for (i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++)
            spoil(made_up[i], argc, argv, round);
    }
}
