/* SPDX-License-Identifier: LGPL-2.1-only */
/* What xenstore says of domains, libxl's own part of it first. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_nodes.h"
#include "libxl_vscsi_store.h"

int libxl__vscsi_no_such_domain(libxl__vscsi_ctx *vc)
{
    libxl__vscsi_error(vc, "there is no such domain");
    return ERROR_DOMAIN_NOTFOUND;
}

int libxl__vscsi_xs_find_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                uint32_t domid, libxl__vscsi_marks *marks_r)
{
    libxl__vscsi_marks marks = { .exists = domid == 0 };
    unsigned i, num;
    char **names;
    int rc;

    rc = libxl__vscsi_list_node(vc, t, libxl__vscsi_sprintf("/libxl/%u",
                                                            domid),
                                &names, &num);
    if (rc)
        return rc;
    for (i = 0; i < num; i++) {     /* libxl keeps no record of dom0 */
        marks.exists |= !strcmp(names[i], "device");
        marks.persistent |= !strcmp(names[i], LIBXL_VSCSI_MONITOR);
        marks.lacks |= !strcmp(names[i], NODE_MISSING);
    }
    free(names);
    *marks_r = marks;
    return 0;
}

int libxl__vscsi_xs_check_domain(libxl__vscsi_ctx *vc, xs_transaction_t t,
                                 uint32_t domid, libxl__vscsi_marks *marks_r)
{
    libxl__vscsi_marks marks;
    int rc;

    rc = libxl__vscsi_xs_find_domain(vc, t, domid, &marks);
    if (!rc && !marks.exists)
        return libxl__vscsi_no_such_domain(vc);
    if (!rc && marks_r)
        *marks_r = marks;
    return rc;
}

char *libxl__vscsi_xs_vm(libxl__vscsi_ctx *vc, uint32_t domid)
{
    char *path = libxl__vscsi_sprintf("/local/domain/%u/vm", domid);
    char *vm = path ? xs_read(vc->xsh, XBT_NULL, path, NULL) : NULL;

    free(path);
    return vm;
}

static int order_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static int list_domids(libxl__vscsi_ctx *vc, const char *path,
                       uint32_t **domids_r, int *num_r)
{
    uint32_t *domids = NULL;
    char **names;
    unsigned i, num, found = 0;
    uint64_t domid;
    int rc;

    rc = libxl__vscsi_list_node(vc, XBT_NULL, strdup(path), &names, &num);
    if (rc)
        return rc;
    if (num) {
        domids = calloc(num, sizeof(*domids));
        if (!domids) {
            rc = libxl__vscsi_out_of_memory(vc);
            goto out;
        }
    }
    for (i = 0; i < num; i++)
        if (libxl__vscsi_parse_name(names[i], "", UINT32_MAX, &domid))
            domids[found++] = (uint32_t)domid;
    if (found)
        qsort(domids, found, sizeof(*domids), order_u32);
    *domids_r = domids;
    *num_r = (int)found;
out:
    free(names);
    return rc;
}

int libxl__vscsi_xs_backends(libxl__vscsi_ctx *vc, uint32_t **domids_r,
                             int *num_r)
{
    return list_domids(vc, BACKENDS, domids_r, num_r);
}

int libxl__vscsi_xs_lacking(libxl__vscsi_ctx *vc, uint32_t **domids_r,
                            int *num_r)
{
    return list_domids(vc, "/libxl/" NODE_MISSING, domids_r, num_r);
}
