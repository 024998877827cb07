/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Runs in a guest: answers for the guest's driver, before that has done what
 * it says, when dom0 takes a device of vscsictrl 0 away.  Ends after one time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xenstore.h>

#define HOME "device/vscsi/0"

static struct xs_handle *xs;
static char *backend;

static char *get(const char *dir, const char *node)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, node);
    return xs_read(xs, XBT_NULL, path, NULL);
}

static void put(const char *node, const char *value)
{
    char path[512];

    snprintf(path, sizeof(path), HOME "/%s", node);
    xs_write(xs, XBT_NULL, path, value, (unsigned)strlen(value));
}

/* The backend says so: "7". */
static void await(const char *value)
{
    char *state;
    int same;

    do {
        state = get(backend, "state");
        same = state && !strcmp(state, value);
        free(state);
        if (!same)
            usleep(1000);
    } while (!same);
}

/* Whatever dom0 takes is said to be gone. */
static void give_up(void)
{
    char path[512], node[128], **names, *state;
    unsigned i, num = 0;

    snprintf(path, sizeof(path), "%s/vscsi-devs", backend);
    names = xs_directory(xs, XBT_NULL, path, &num);
    for (i = 0; names && i < num; i++) {
        snprintf(node, sizeof(node), "vscsi-devs/%s/state", names[i]);
        state = get(backend, node);
        if (state && !strcmp(state, "5"))
            put(node, "6");
        free(state);
    }
    free(names);
}

int main(void)
{
    xs = xs_open(0);
    backend = xs ? get(HOME, "backend") : NULL;
    if (!backend)
        return 1;
    await("7");
    give_up();
    put("state", "7");
    await("8");
    put("state", "4");
    return 0;
}
