/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl-scsi: what its commands share. */
#ifndef XL_H
#define XL_H

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <libxl.h>
#include <libxl_vscsi.h>
#include <xentoollog.h>
#include <yajl/yajl_gen.h>

#include "xl_exec.h"

/* ----- xl.c: commands and their help ----- */

/* What stood before the sub-command. */
typedef struct xl_globals {
    int level;                  /* messages below it are not shown */
    unsigned log_flags;         /* XTL_STDIOSTREAM_* */
    bool dryrun;
} xl_globals;

typedef struct xl_command {
    const char *name;
    /* argv[0] is the command's name; returns the exit code. */
    int (*run)(const struct xl_command *cmd, const xl_globals *globals,
               int argc, char **argv);
    bool can_dryrun;
    bool modifies;
    const char *desc;           /* for the list of commands */
    const char *usage;          /* the arguments */
    const char *options;        /* one a line, each with its newline */
} xl_command;

void xl_print_usage(FILE *f, const xl_command *cmd);
/* The lines of our commands in the list of all commands. */
void xl_print_list(FILE *f);

/* ----- xl_vscsi.c, _list.c, _assignable.c, _cleanup.c: the commands ----- */

int main_vscsiattach(const xl_command *cmd, const xl_globals *globals,
                     int argc, char **argv);
int main_vscsidetach(const xl_command *cmd, const xl_globals *globals,
                     int argc, char **argv);
int main_vscsilist(const xl_command *cmd, const xl_globals *globals,
                   int argc, char **argv);
int main_vscsiassignable(const xl_command *cmd, const xl_globals *globals,
                         int argc, char **argv);
int main_vscsiwake(const xl_command *cmd, const xl_globals *globals,
                   int argc, char **argv);
int main_vscsicleanup(const xl_command *cmd, const xl_globals *globals,
                      int argc, char **argv);

/* ----- xl_libvirt.c: what libvirt's definition of a domain says ----- */

/* Does libvirt's hook program give domid its devices? */
bool xl_libvirt_has(uint32_t domid);
/* Each runs a program of its own, and says why where it is false. */
bool xl_libvirt_check(uint32_t domid);
/* Puts the devices of ctrl, which have been attached, into it. */
bool xl_libvirt_add(libxl_ctx *ctx, uint32_t domid,
                    const libxl_device_vscsictrl *ctrl);
/* Takes those out that the domain had in before[] and has no more. */
bool xl_libvirt_remove(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_vscsictrl *before, int num);

/* ----- xl_real.c: the distribution's xl; see also xl_exec.h ----- */

/* The distribution's list of commands with ours in it. */
int xl_list_with_real(char **argv);

/* ----- xl_util.c: what every command needs ----- */

#define XL_OPT_END  (-1)
#define XL_OPT_EXIT (-2)

/*
 * The next option of a command, as getopt_long() returns it.  XL_OPT_END:
 * the arguments from argv[optind] on are min_args to max_args in number
 * (max_args -1: any number).  XL_OPT_EXIT: what there was to say has been
 * said, and the command ends with *status_r.
 */
int xl_getopt(const xl_command *cmd, int argc, char **argv,
              const char *shortopts, const struct option *longopts,
              int min_args, int max_args, int *status_r);

/* A whole number of at most max; the text is nothing else. */
bool xl_parse_unsigned(const char *text, unsigned max, unsigned *value_r);

/*
 * The connection to Xen.  On failure everything has been said.  Sets the
 * logger of libxenlight-vscsi too.
 */
typedef struct xl_session {
    xentoollog_logger *logger;
    libxl_ctx *ctx;
} xl_session;

bool xl_open(const xl_globals *globals, xl_session *session_r);
void xl_close(xl_session *session);

/*
 * Name or number to number; says so where there is none of that name.  That
 * a domain of that number exists is not checked.
 */
bool xl_find_domain(libxl_ctx *ctx, const char *text, uint32_t *domid_r);

/* What was printed has arrived; says so where it has not. */
bool xl_flush_stdout(void);

#define XL_HCTL_SIZE 64
/* "2:0:0:1" */
void xl_format_hctl(const libxl_vscsi_hctl *hctl, char text_r[XL_HCTL_SIZE]);

/* ----- xl_json.c: a version and an array of objects, on stdout ----- */

/* See "JSON" in pvscsi.txt; another one where a reader of this would go wrong.
 */
#define XL_JSON_VERSION 1

typedef struct xl_json {
    yajl_gen gen;
    bool failed;                /* memory ran out: prints nothing */
} xl_json;

/* The array is the member key.  False if memory ran out; _dispose may be
 * called then too, and of one that is all zero. */
bool xl_json_open(xl_json *json, const char *key);
void xl_json_dispose(xl_json *json);
void xl_json_open_map(xl_json *json);
void xl_json_close_map(xl_json *json);
void xl_json_open_list(xl_json *json, const char *key);
void xl_json_close_list(xl_json *json);
/* What is no UTF-8 is made ASCII; NULL is null. */
void xl_json_text(xl_json *json, const char *text);
void xl_json_pair(xl_json *json, const char *key, const char *text);
void xl_json_number(xl_json *json, const char *key, long long number);
void xl_json_bool(xl_json *json, const char *key, bool value);
/* Of what is never 0 where it is known; else null. */
void xl_json_known(xl_json *json, const char *key, uint64_t number);
/* Ends all.  False if memory ran out, now or before. */
bool xl_json_print(xl_json *json);

/* ----- xl_table.c: a table whose columns are as wide as their content ----- */

/*
 * Cells come row by row, the header first.  Each is printed as one word:
 * an empty one as "-", blanks and control characters in it as "?".
 */
typedef struct xl_table {
    size_t num_columns;
    char **cells;
    size_t num_cells;
    bool failed;                /* memory ran out: prints nothing */
} xl_table;

void xl_table_init(xl_table *table, size_t num_columns);
void xl_table_dispose(xl_table *table);
void xl_table_add(xl_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* For the last column: as it is, but for control characters. */
void xl_table_add_text(xl_table *table, const char *text);
/* False if memory ran out, now or when a cell was added. */
bool xl_table_print(const xl_table *table, FILE *f);

#endif /* XL_H */
