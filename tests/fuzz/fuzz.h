/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the fuzzing harnesses share. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it with one input after another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise broken is a crash, with the place and the promise. */
#define FUZZ_CHECK(ok) \
    do { \
        if (!(ok)) { \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #ok); \
            abort(); \
        } \
    } while (0)

/* A copy that ends with NUL, exactly as long: sanitizers see the rest. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    FUZZ_CHECK(text != NULL);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    return text;
}

#endif /* TESTS_FUZZ_FUZZ_H */
