/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxenstore with errors that speak: nodes, directories, transactions.
 * Knows no name of any node.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

#define MAX_CONFLICTS 2000
#define CONFLICT_PAUSE_AFTER 20

int libxl__vscsi_store_failed(libxl__vscsi_ctx *vc, const char *what,
                              const char *path)
{
    if (errno == ENOMEM || !path)
        return libxl__vscsi_out_of_memory(vc);
    libxl__vscsi_error(vc, "xenstore: cannot %s %s: %s", what, path,
                       strerror(errno));
    return ERROR_FAIL;
}

int libxl__vscsi_write_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            char *path, const char *value)
{
    int rc = 0;

    if (!path || !value ||
        !xs_write(vc->xsh, t, path, value, (unsigned)strlen(value)))
        rc = libxl__vscsi_store_failed(vc, "write", value ? path : NULL);
    free(path);
    return rc;
}

int libxl__vscsi_remove_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             char *path)
{
    int rc = 0;

    if (!path || (!xs_rm(vc->xsh, t, path) && errno != ENOENT))
        rc = libxl__vscsi_store_failed(vc, "remove", path);
    free(path);
    return rc;
}

int libxl__vscsi_list_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           char *path, char ***names_r, unsigned *num_r)
{
    char **names = NULL;
    unsigned num = 0;
    int rc = 0;

    if (path)
        names = xs_directory(vc->xsh, t, path, &num);
    if (!names && (!path || errno != ENOENT))
        rc = libxl__vscsi_store_failed(vc, "list", path);
    if (!rc) {
        *names_r = names;
        *num_r = names ? num : 0;
    }
    free(path);
    return rc;
}

int libxl__vscsi_read_node(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           char *path, char **value_r)
{
    char *value = NULL;
    int rc = 0;

    if (path)
        value = xs_read(vc->xsh, t, path, NULL);
    if (!value && (!path || errno != ENOENT))
        rc = libxl__vscsi_store_failed(vc, "read", path);
    if (!rc)
        *value_r = value;
    free(path);
    return rc;
}

int libxl__vscsi_xs_transact(libxl__vscsi_ctx *vc,
                             libxl__vscsi_xs_body *body, void *arg)
{
    unsigned conflicts;
    xs_transaction_t t;
    int rc;

    for (conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
        t = xs_transaction_start(vc->xsh);
        if (t == XBT_NULL)
            return libxl__vscsi_store_failed(vc, "begin", "a transaction");
        rc = body(vc, t, arg);
        if (rc) {
            xs_transaction_end(vc->xsh, t, true);
            return rc;
        }
        if (xs_transaction_end(vc->xsh, t, false))
            return 0;
        if (errno != EAGAIN)
            return libxl__vscsi_store_failed(vc, "commit", "a transaction");
        if (conflicts >= CONFLICT_PAUSE_AFTER)
            libxl__vscsi_pause(1);
    }
    return libxl__vscsi_store_failed(vc, "commit", "a transaction");
}

int libxl__vscsi_remove_if_empty(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 char *path, unsigned levels)
{
    char **names;
    unsigned num;
    int rc = 0;

    for (; path && !rc && levels; levels--) {
        rc = libxl__vscsi_list_node(vc, t, strdup(path), &names, &num);
        if (rc)
            break;
        if (names && !num)
            rc = libxl__vscsi_remove_node(vc, t, strdup(path));
        free(names);
        if (num)
            break;
        *strrchr(path, '/') = '\0';
    }
    if (!path)
        rc = libxl__vscsi_store_failed(vc, "remove", NULL);
    free(path);
    return rc;
}

bool libxl__vscsi_parse_name(const char *name, const char *prefix,
                             uint64_t max, uint64_t *number_r)
{
    size_t skip = strlen(prefix);

    return !strncmp(name, prefix, skip) &&
           libxl__vscsi_parse_u64(name + skip, strlen(name + skip), max,
                                  number_r);
}
