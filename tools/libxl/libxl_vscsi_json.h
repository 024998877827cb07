/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the code that gentypes.py makes needs at run time: reading a JSON
 * tree strictly, writing members as libxl does, and strings.  Nothing here
 * logs.
 */
#ifndef LIBXL_VSCSI_JSON_H
#define LIBXL_VSCSI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <libxl.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#pragma GCC visibility push(hidden)

/* ----- strings and defbools ----- */

/* *dst_r becomes a copy to be freed with free(), or NULL if src is NULL.
 * ERROR_NOMEM */
int libxl__vscsi_string_copy(char **dst_r, const char *src);
bool libxl__vscsi_string_equal(const char *a, const char *b);
bool libxl__vscsi_defbool_equal(libxl_defbool a, libxl_defbool b);

/* ----- enumerations: a table ends with s == NULL ----- */

const char *libxl__vscsi_enum_word(const libxl_enum_string_table *table,
                                   int value);
/* Without regard to case, as libxl.  ERROR_FAIL: no such word. */
int libxl__vscsi_enum_value(const libxl_enum_string_table *table,
                            const char *word, int *value_r);

/* ----- reading ----- */

/*
 * Parses all of text, which may come from anyone: not JSON, comments,
 * "\u0000", something after the value, or nested deeper than
 * LIBXL__VSCSI_JSON_DEPTH is ERROR_INVAL.  *root_r is freed with
 * yajl_tree_free().
 */
#define LIBXL__VSCSI_JSON_DEPTH 64
int libxl__vscsi_json_parse(const char *text, yajl_val *root_r);

/* An object's member, NULL if it has none of that name.  ERROR_INVAL: not
 * an object, or several of that name. */
int libxl__vscsi_json_member(yajl_val object, const char *key,
                             yajl_val *value_r);
int libxl__vscsi_json_array(yajl_val object, const char *key,
                            yajl_val **values_r, int *num_r);
/* ERROR_INVAL: the object has members other than those named, up to NULL. */
int libxl__vscsi_json_check_keys(yajl_val object, ...)
    __attribute__((sentinel));

/*
 * The value of a member, untouched if there is none of that name.
 * ERROR_INVAL: not of that type, or an integer outside its range.
 * A string is malloc'd (ERROR_NOMEM); null leaves it untouched.
 */
int libxl__vscsi_json_int(yajl_val object, const char *key, int *value_r);
int libxl__vscsi_json_uint32(yajl_val object, const char *key,
                             uint32_t *value_r);
int libxl__vscsi_json_uint64(yajl_val object, const char *key,
                             uint64_t *value_r);
int libxl__vscsi_json_bool(yajl_val object, const char *key, bool *value_r);
int libxl__vscsi_json_defbool(yajl_val object, const char *key,
                              libxl_defbool *value_r);
int libxl__vscsi_json_string(yajl_val object, const char *key,
                             char **value_r);

/* The value itself rather than a member of it. */
int libxl__vscsi_json_enum(yajl_val value,
                           const libxl_enum_string_table *table,
                           int *value_r);

/* ----- writing ----- */

/* A key, and a string value.  A string that is not UTF-8 cannot be JSON:
 * yajl_gen_invalid_string. */
yajl_gen_status libxl__vscsi_gen_key(yajl_gen hand, const char *key);
yajl_gen_status libxl__vscsi_gen_word(yajl_gen hand, const char *word);

/* A member, left out if it has the value that _init gives. */
yajl_gen_status libxl__vscsi_gen_int(yajl_gen hand, const char *key,
                                     int value, int init);
yajl_gen_status libxl__vscsi_gen_uint32(yajl_gen hand, const char *key,
                                        uint32_t value, uint32_t init);
yajl_gen_status libxl__vscsi_gen_uint64(yajl_gen hand, const char *key,
                                        uint64_t value, uint64_t init);
yajl_gen_status libxl__vscsi_gen_bool(yajl_gen hand, const char *key,
                                      bool value);
yajl_gen_status libxl__vscsi_gen_defbool(yajl_gen hand, const char *key,
                                         libxl_defbool value);
yajl_gen_status libxl__vscsi_gen_string(yajl_gen hand, const char *key,
                                        const char *value);

/* A generator set up as libxl's, NULL when memory ran out; and its end:
 * the text, to be freed with free(), or NULL. */
yajl_gen libxl__vscsi_gen_open(void);
char *libxl__vscsi_gen_close(yajl_gen hand, yajl_gen_status status);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_JSON_H */
