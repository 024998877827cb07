/* SPDX-License-Identifier: LGPL-2.1-only */
/* JSON as our commands print it: a version, and an array of objects. */
#include <stdlib.h>
#include <string.h>

#include "xl.h"

static void check(xl_json *json, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        json->failed = true;
}

/* What a device says of itself may be no UTF-8, and JSON must be. */
static void make_ascii(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text > 0x7e)
            *text = '?';
    }
}

void xl_json_text(xl_json *json, const char *text)
{
    yajl_gen_status status;
    char *ascii;

    if (!text) {
        check(json, yajl_gen_null(json->gen));
        return;
    }
    status = yajl_gen_string(json->gen, (const unsigned char *)text,
                             strlen(text));
    if (status == yajl_gen_invalid_string) {
        ascii = strdup(text);
        if (ascii) {
            make_ascii(ascii);
            status = yajl_gen_string(json->gen, (const unsigned char *)ascii,
                                     strlen(ascii));
        }
        free(ascii);
    }
    check(json, status);
}

void xl_json_pair(xl_json *json, const char *key, const char *text)
{
    xl_json_text(json, key);
    xl_json_text(json, text);
}

void xl_json_number(xl_json *json, const char *key, long long number)
{
    xl_json_text(json, key);
    check(json, yajl_gen_integer(json->gen, number));
}

void xl_json_bool(xl_json *json, const char *key, bool value)
{
    xl_json_text(json, key);
    check(json, yajl_gen_bool(json->gen, value));
}

void xl_json_known(xl_json *json, const char *key, uint64_t number)
{
    if (number)
        xl_json_number(json, key, (long long)number);
    else
        xl_json_pair(json, key, NULL);
}

void xl_json_open_map(xl_json *json)
{
    check(json, yajl_gen_map_open(json->gen));
}

void xl_json_close_map(xl_json *json)
{
    check(json, yajl_gen_map_close(json->gen));
}

void xl_json_open_list(xl_json *json, const char *key)
{
    xl_json_text(json, key);
    check(json, yajl_gen_array_open(json->gen));
}

void xl_json_close_list(xl_json *json)
{
    check(json, yajl_gen_array_close(json->gen));
}

bool xl_json_open(xl_json *json, const char *key)
{
    json->failed = false;
    json->gen = yajl_gen_alloc(NULL);
    if (!json->gen)
        return false;
    yajl_gen_config(json->gen, yajl_gen_beautify, 1);
    yajl_gen_config(json->gen, yajl_gen_indent_string, "    ");
    yajl_gen_config(json->gen, yajl_gen_validate_utf8, 1);
    xl_json_open_map(json);
    xl_json_number(json, "version", XL_JSON_VERSION);
    xl_json_open_list(json, key);
    return !json->failed;
}

bool xl_json_print(xl_json *json)
{
    const unsigned char *text;
    size_t length;

    xl_json_close_list(json);
    xl_json_close_map(json);
    if (json->failed ||
        yajl_gen_get_buf(json->gen, &text, &length) != yajl_gen_status_ok)
        return false;
    fwrite(text, 1, length, stdout);
    return true;
}

void xl_json_dispose(xl_json *json)
{
    if (json->gen)
        yajl_gen_free(json->gen);
    json->gen = NULL;
}
