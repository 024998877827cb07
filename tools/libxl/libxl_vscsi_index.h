/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The index of who may have which device; see libxl_vscsi_index.c.  Whoever
 * writes to it holds the lock of the host, or that of the vscsictrl's domain.
 * Failures are ERROR_FAIL or ERROR_NOMEM, logged.
 */
#ifndef LIBXL_VSCSI_INDEX_H
#define LIBXL_VSCSI_INDEX_H

#include "libxl_vscsi_identity.h"

#pragma GCC visibility push(hidden)

typedef struct libxl__vscsi_index {
    char **names;               /* as xenstore has them */
    struct libxl__vscsi_index_entry {
        libxl__vscsi_ref ref;
        const char *name;       /* of names */
        const char *traits;     /* in name */
        bool loaded;            /* for the caller, who has read the record */
    } *entries;
    unsigned num;
    const char *unknown;        /* a name of another version; NULL: none */
} libxl__vscsi_index;

typedef struct libxl__vscsi_index_entry libxl__vscsi_index_entry;

int libxl__vscsi_index_read(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_index *index_r);
/* Takes one that is all zero. */
void libxl__vscsi_index_dispose(libxl__vscsi_index *index);
/* Is all of it known?  ERROR_FAIL, logged, if a newer version wrote there. */
int libxl__vscsi_index_check(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_index *index);

/* The traits of a device as names spell them. */
#define LIBXL__VSCSI_TRAIT_CHARS 4u
typedef struct libxl__vscsi_wanted {
    char traits[LIBXL__VSCSI_MAX_TRAITS][LIBXL__VSCSI_TRAIT_CHARS];
    unsigned num;
} libxl__vscsi_wanted;

libxl__vscsi_wanted libxl__vscsi_index_wanted(const libxl_vscsi_pdev *pdev);
/* May the vscsictrl have the device?  If not, it has not. */
bool libxl__vscsi_index_leads(const libxl__vscsi_index_entry *entry,
                              const libxl__vscsi_wanted *wanted);
/* Do names of the vscsictrl lead to all of these? */
bool libxl__vscsi_index_has(const libxl__vscsi_index *index,
                            libxl__vscsi_ref v,
                            const libxl_device_vscsidev *devs, int num);

/* Names for devices that a vscsictrl has; undone for the same devices, where
 * they came together. */
int libxl__vscsi_index_write(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v,
                             const libxl_device_vscsidev *devs, int num);
int libxl__vscsi_index_forget(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref v,
                              const libxl_device_vscsidev *devs, int num);
/* _write() for devices that come to what it had before, NULL if it is new;
 * index as it is. */
int libxl__vscsi_index_add(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           const libxl__vscsi_index *index,
                           libxl__vscsi_ref v,
                           const libxl_device_vscsictrl *before,
                           const libxl_device_vscsidev *devs, int num);
/* All names of these vscsictrls. */
int libxl__vscsi_index_remove(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              const libxl__vscsi_index *index,
                              const libxl__vscsi_ref *refs,
                              unsigned num);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_INDEX_H */
