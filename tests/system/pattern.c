/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Runs in a guest: writes a disk from its beginning to its end, again and
 * again, past the cache, each block made of its number and the number of
 * the pass; reads what it wrote the pass before; and stops at the file
 * /calm, after one look at everything.
 *
 *  pattern DEVICE BLOCKS       the number of the pass is kept in /passes
 *
 * Exit code 0: every block was as it had to be, and no request failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define WORDS (BLOCK / sizeof(uint64_t))

static int fd;
static uint64_t *block, *expected;

static void fill(uint64_t *words, uint64_t pass, uint64_t number)
{
    uint64_t x = pass * 1000003 + number * 7919 + 1;
    unsigned i;

    for (i = 0; i < WORDS; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        words[i] = x;
    }
}

static int fail(const char *what, uint64_t pass, uint64_t number)
{
    printf("%s of block %lu in pass %lu: %s\n", what, (unsigned long)number,
           (unsigned long)pass, errno ? strerror(errno) : "wrong content");
    return 1;
}

static int look(uint64_t pass, uint64_t number)
{
    errno = 0;
    if (pread(fd, block, BLOCK, (off_t)(number * BLOCK)) != BLOCK)
        return fail("read", pass, number);
    fill(expected, pass, number);
    return memcmp(block, expected, BLOCK) ? fail("read", pass, number) : 0;
}

static int put(uint64_t pass, uint64_t number)
{
    /* One CPU is all there is, for dom0 and its migration stream too. */
    const struct timespec pause = { .tv_nsec = 20000000 };

    errno = 0;
    fill(block, pass, number);
    if (pwrite(fd, block, BLOCK, (off_t)(number * BLOCK)) != BLOCK)
        return fail("write", pass, number);
    nanosleep(&pause, NULL);
    return 0;
}

static void note(uint64_t pass)
{
    FILE *f = fopen("/passes.new", "we");

    if (!f || fprintf(f, "%lu\n", (unsigned long)pass) < 0 || fclose(f) ||
        rename("/passes.new", "/passes"))
        exit(3);
}

int main(int argc, char **argv)
{
    uint64_t pass, i, num;

    if (argc != 3)
        return 2;
    num = strtoul(argv[2], NULL, 10);
    fd = open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC);
    if (fd < 0 || posix_memalign((void **)&block, BLOCK, BLOCK) ||
        posix_memalign((void **)&expected, BLOCK, BLOCK)) {
        perror(argv[1]);
        return 2;
    }
    for (pass = 1; access("/calm", F_OK); pass++) {
        for (i = 0; i < num; i++)
            if ((pass > 1 && look(pass - 1, i)) || put(pass, i))
                return 1;
        note(pass);
    }
    for (i = 0; i < num; i++)
        if (look(pass - 1, i))
            return 1;
    printf("%lu passes\n", (unsigned long)(pass - 1));
    return 0;
}
