/* SPDX-License-Identifier: LGPL-2.1-only */
/* The types from JSON: what can be read can be written, and is the same. */
#include <libxl_vscsi.h>

#include "fuzz.h"

#define TRY(type, text) \
    do { \
        libxl_##type a, b, empty; \
        char *json; \
        \
        libxl_##type##_init(&empty); \
        memset(&a, 0xa5, sizeof(a)); \
        if (libxl_##type##_from_json(NULL, &a, text)) { \
            FUZZ_CHECK(libxl_##type##_compare(&a, &empty)); \
        } else { \
            json = libxl_##type##_to_json(NULL, &a); \
            FUZZ_CHECK(json != NULL); \
            FUZZ_CHECK(!libxl_##type##_from_json(NULL, &b, json)); \
            FUZZ_CHECK(libxl_##type##_compare(&a, &b)); \
            free(json); \
            libxl_##type##_dispose(&b); \
            FUZZ_CHECK(!libxl_##type##_copy(NULL, &b, &a)); \
            FUZZ_CHECK(libxl_##type##_compare(&b, &a)); \
            libxl_##type##_dispose(&b); \
        } \
        libxl_##type##_dispose(&a); \
        FUZZ_CHECK(libxl_##type##_compare(&a, &empty)); \
    } while (0)

static void try_word(const char *text)
{
    libxl_vscsi_pdev_type type = (libxl_vscsi_pdev_type)77;
    const char *word;

    if (libxl_vscsi_pdev_type_from_string(text, &type)) {
        FUZZ_CHECK((int)type == 77);
    } else {
        word = libxl_vscsi_pdev_type_to_string(type);
        FUZZ_CHECK(word && !strcasecmp(word, text));
    }
    if (!libxl_vscsi_pdev_type_from_json(NULL, &type, text))
        FUZZ_CHECK(libxl_vscsi_pdev_type_to_string(type) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    TRY(vscsi_hctl, text);
    TRY(vscsi_pdev, text);
    TRY(device_vscsidev, text);
    TRY(device_vscsictrl, text);
    TRY(vscsiinfo, text);
    try_word(text);
    free(text);
    return 0;
}
