/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * JSON for the generated code; see libxl_vscsi_json.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <inttypes.h>
#include <stdio.h>

#include "libxl_vscsi_json.h"

/* ----- strings and defbools ----- */

int libxl__vscsi_string_copy(char **dst_r, const char *src)
{
    char *copy = NULL;

    if (src) {
        copy = strdup(src);
        if (!copy)
            return ERROR_NOMEM;
    }
    *dst_r = copy;
    return 0;
}

bool libxl__vscsi_string_equal(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

bool libxl__vscsi_defbool_equal(libxl_defbool a, libxl_defbool b)
{
    if (libxl_defbool_is_default(a) || libxl_defbool_is_default(b))
        return libxl_defbool_is_default(a) && libxl_defbool_is_default(b);
    return libxl_defbool_val(a) == libxl_defbool_val(b);
}

/*
 * The length of the UTF-8 sequence at s, 0 if it is none.  A sequence cut
 * short by the end of the string fails at the NUL, so nothing behind it is
 * read.
 */
static size_t utf8_sequence(const unsigned char *s)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t len, i;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    /* no overlong forms, no surrogates, nothing above U+10FFFF */
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    for (i = 1; i < len; i++) {
        if (s[i] < low || s[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return len;
}

static bool is_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len;

    for (; *s; s += len) {
        len = utf8_sequence(s);
        if (!len)
            return false;
    }
    return true;
}

/* ----- enumerations ----- */

const char *libxl__vscsi_enum_word(const libxl_enum_string_table *table,
                                   int value)
{
    for (; table->s; table++)
        if (table->v == value)
            return table->s;
    return NULL;
}

int libxl__vscsi_enum_value(const libxl_enum_string_table *table,
                            const char *word, int *value_r)
{
    for (; table->s; table++) {
        if (!strcasecmp(table->s, word)) {
            *value_r = table->v;
            return 0;
        }
    }
    return ERROR_FAIL;
}

/* ----- reading ----- */

/* The closing quote of the string that begins at s; NULL if there is none
 * or a NUL is hidden in it, which a C string cannot hold. */
static const char *string_end(const char *s)
{
    for (s++; *s != '"'; s++) {
        if (*s == '\\') {
            s++;
            if (!strncmp(s, "u0000", 5))
                return NULL;
        }
        if (!*s)
            return NULL;
    }
    return s;
}

/*
 * yajl frees its tree by recursion and takes comments: a text that would
 * exhaust the stack, or hide its depth, must not reach it.
 */
static bool is_shallow(const char *s)
{
    unsigned depth = 0;

    for (; *s; s++) {
        switch (*s) {
        case '"':
            s = string_end(s);
            if (!s)
                return false;
            break;
        case '[':
        case '{':
            if (++depth > LIBXL__VSCSI_JSON_DEPTH)
                return false;
            break;
        case ']':
        case '}':
            if (!depth--)
                return false;
            break;
        case '/':
            return false;
        default:
            break;
        }
    }
    return true;
}

int libxl__vscsi_json_parse(const char *text, yajl_val *root_r)
{
    yajl_val root;
    char why[128];

    if (!text || !is_shallow(text))
        return ERROR_INVAL;
    root = yajl_tree_parse(text, why, sizeof(why));
    if (!root)
        return ERROR_INVAL;
    *root_r = root;
    return 0;
}

int libxl__vscsi_json_member(yajl_val object, const char *key,
                             yajl_val *value_r)
{
    yajl_val value = NULL;
    size_t i;

    if (!YAJL_IS_OBJECT(object))
        return ERROR_INVAL;
    for (i = 0; i < object->u.object.len; i++) {
        if (strcmp(object->u.object.keys[i], key))
            continue;
        if (value)
            return ERROR_INVAL;
        value = object->u.object.values[i];
    }
    *value_r = value;
    return 0;
}

int libxl__vscsi_json_array(yajl_val object, const char *key,
                            yajl_val **values_r, int *num_r)
{
    yajl_val array;
    int rc;

    rc = libxl__vscsi_json_member(object, key, &array);
    if (rc)
        return rc;
    if (!array) {
        *values_r = NULL;
        *num_r = 0;
        return 0;
    }
    if (!YAJL_IS_ARRAY(array) || array->u.array.len > INT_MAX)
        return ERROR_INVAL;
    *values_r = array->u.array.values;
    *num_r = (int)array->u.array.len;
    return 0;
}

static bool is_named(const char *key, va_list names)
{
    const char *name;

    while ((name = va_arg(names, const char *)))
        if (!strcmp(key, name))
            return true;
    return false;
}

int libxl__vscsi_json_check_keys(yajl_val object, ...)
{
    va_list names;
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < object->u.object.len; i++) {
        va_start(names, object);
        ok = is_named(object->u.object.keys[i], names);
        va_end(names);
    }
    return ok ? 0 : ERROR_INVAL;
}

/* An integer's digits, with its sign apart; a fraction or an exponent is
 * refused.  "-0" is 0. */
static int read_integer(yajl_val number, bool *negative_r,
                        uint64_t *magnitude_r)
{
    const char *digits;
    uintmax_t value;
    bool negative;
    char *end;

    if (!YAJL_IS_NUMBER(number))
        return ERROR_INVAL;
    digits = YAJL_GET_NUMBER(number);
    negative = *digits == '-';
    if (negative)
        digits++;
    if (*digits < '0' || *digits > '9')
        return ERROR_INVAL;
    errno = 0;
    value = strtoumax(digits, &end, 10);
    if (errno || *end)
        return ERROR_INVAL;
    *negative_r = negative && value;
    *magnitude_r = value;
    return 0;
}

/* A member that is an integer from 0 to max; *present_r tells whether
 * there is one. */
static int read_unsigned(yajl_val object, const char *key, uint64_t max,
                         bool *present_r, uint64_t *value_r)
{
    yajl_val value;
    bool negative = false;
    uint64_t magnitude = 0;
    int rc;

    rc = libxl__vscsi_json_member(object, key, &value);
    if (rc)
        return rc;
    if (value) {
        rc = read_integer(value, &negative, &magnitude);
        if (rc)
            return rc;
    }
    if (negative || magnitude > max)
        return ERROR_INVAL;
    *present_r = value;
    *value_r = magnitude;
    return 0;
}

int libxl__vscsi_json_int(yajl_val object, const char *key, int *value_r)
{
    yajl_val value;
    uint64_t magnitude;
    bool negative;
    int rc;

    rc = libxl__vscsi_json_member(object, key, &value);
    if (rc || !value)
        return rc;
    rc = read_integer(value, &negative, &magnitude);
    if (rc)
        return rc;
    if (magnitude > (uint64_t)INT_MAX + negative)
        return ERROR_INVAL;
    /* INT_MIN has no positive counterpart */
    *value_r = negative ? -(int)(magnitude - 1) - 1 : (int)magnitude;
    return 0;
}

int libxl__vscsi_json_uint32(yajl_val object, const char *key,
                             uint32_t *value_r)
{
    bool present;
    uint64_t value;
    int rc;

    rc = read_unsigned(object, key, UINT32_MAX, &present, &value);
    if (!rc && present)
        *value_r = (uint32_t)value;
    return rc;
}

int libxl__vscsi_json_uint64(yajl_val object, const char *key,
                             uint64_t *value_r)
{
    bool present;
    uint64_t value;
    int rc;

    rc = read_unsigned(object, key, UINT64_MAX, &present, &value);
    if (!rc && present)
        *value_r = value;
    return rc;
}

int libxl__vscsi_json_bool(yajl_val object, const char *key, bool *value_r)
{
    yajl_val value;
    int rc;

    rc = libxl__vscsi_json_member(object, key, &value);
    if (rc || !value)
        return rc;
    if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value))
        return ERROR_INVAL;
    *value_r = YAJL_IS_TRUE(value);
    return 0;
}

int libxl__vscsi_json_defbool(yajl_val object, const char *key,
                              libxl_defbool *value_r)
{
    libxl_defbool db = { 0 };
    const char *word;
    yajl_val value;
    int rc;

    rc = libxl__vscsi_json_member(object, key, &value);
    if (rc || !value)
        return rc;
    word = YAJL_GET_STRING(value);
    if (!word)
        return ERROR_INVAL;
    /* libxl says how its three values are spelt */
    if (strcmp(word, libxl_defbool_to_string(db))) {
        libxl_defbool_set(&db, true);
        if (strcmp(word, libxl_defbool_to_string(db))) {
            libxl_defbool_set(&db, false);
            if (strcmp(word, libxl_defbool_to_string(db)))
                return ERROR_INVAL;
        }
    }
    *value_r = db;
    return 0;
}

int libxl__vscsi_json_string(yajl_val object, const char *key,
                             char **value_r)
{
    yajl_val value;
    int rc;

    rc = libxl__vscsi_json_member(object, key, &value);
    if (rc || !value || YAJL_IS_NULL(value))
        return rc;
    if (!YAJL_IS_STRING(value) || !is_utf8(YAJL_GET_STRING(value)))
        return ERROR_INVAL;
    return libxl__vscsi_string_copy(value_r, YAJL_GET_STRING(value));
}

int libxl__vscsi_json_enum(yajl_val value,
                           const libxl_enum_string_table *table,
                           int *value_r)
{
    if (!YAJL_IS_STRING(value))
        return ERROR_INVAL;
    if (libxl__vscsi_enum_value(table, YAJL_GET_STRING(value), value_r))
        return ERROR_INVAL;
    return 0;
}

/* ----- writing ----- */

yajl_gen_status libxl__vscsi_gen_word(yajl_gen hand, const char *word)
{
    if (!word || !is_utf8(word))
        return yajl_gen_invalid_string;
    return yajl_gen_string(hand, (const unsigned char *)word, strlen(word));
}

yajl_gen_status libxl__vscsi_gen_key(yajl_gen hand, const char *key)
{
    return libxl__vscsi_gen_word(hand, key);
}

yajl_gen_status libxl__vscsi_gen_int(yajl_gen hand, const char *key,
                                     int value, int init)
{
    yajl_gen_status s = yajl_gen_status_ok;

    if (value != init)
        s = libxl__vscsi_gen_key(hand, key);
    if (value != init && s == yajl_gen_status_ok)
        s = yajl_gen_integer(hand, value);
    return s;
}

yajl_gen_status libxl__vscsi_gen_uint32(yajl_gen hand, const char *key,
                                        uint32_t value, uint32_t init)
{
    return libxl__vscsi_gen_uint64(hand, key, value, init);
}

yajl_gen_status libxl__vscsi_gen_uint64(yajl_gen hand, const char *key,
                                        uint64_t value, uint64_t init)
{
    yajl_gen_status s;
    char digits[24];
    int len;

    if (value == init)
        return yajl_gen_status_ok;
    s = libxl__vscsi_gen_key(hand, key);
    if (s != yajl_gen_status_ok)
        return s;
    /* yajl's own integers end at LLONG_MAX */
    len = snprintf(digits, sizeof(digits), "%" PRIu64, value);
    return yajl_gen_number(hand, digits, (size_t)len);
}

yajl_gen_status libxl__vscsi_gen_bool(yajl_gen hand, const char *key,
                                      bool value)
{
    yajl_gen_status s = yajl_gen_status_ok;

    if (value)
        s = libxl__vscsi_gen_key(hand, key);
    if (value && s == yajl_gen_status_ok)
        s = yajl_gen_bool(hand, 1);
    return s;
}

yajl_gen_status libxl__vscsi_gen_defbool(yajl_gen hand, const char *key,
                                         libxl_defbool value)
{
    if (libxl_defbool_is_default(value))
        return yajl_gen_status_ok;
    return libxl__vscsi_gen_string(hand, key,
                                   libxl_defbool_to_string(value));
}

yajl_gen_status libxl__vscsi_gen_string(yajl_gen hand, const char *key,
                                        const char *value)
{
    yajl_gen_status s = yajl_gen_status_ok;

    if (value)
        s = libxl__vscsi_gen_key(hand, key);
    if (value && s == yajl_gen_status_ok)
        s = libxl__vscsi_gen_word(hand, value);
    return s;
}

yajl_gen libxl__vscsi_gen_open(void)
{
    yajl_gen hand = yajl_gen_alloc(NULL);

    if (hand)
        yajl_gen_config(hand, yajl_gen_beautify, 1);
    return hand;
}

char *libxl__vscsi_gen_close(yajl_gen hand, yajl_gen_status status)
{
    const unsigned char *text;
    char *copy = NULL;
    size_t len;

    if (status == yajl_gen_status_ok &&
        yajl_gen_get_buf(hand, &text, &len) == yajl_gen_status_ok)
        copy = strndup((const char *)text, len);
    yajl_gen_free(hand);
    return copy;
}
