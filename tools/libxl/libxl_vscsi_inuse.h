/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who holds a SCSI unit of dom0: dom0 itself, or a guest that has it as a
 * block device.  Asked of the unit, over all its paths, and of whatever is
 * stacked upon them.  What could not be looked at is refused.
 */
#ifndef LIBXL_VSCSI_INUSE_H
#define LIBXL_VSCSI_INUSE_H

#include <dirent.h>
#include <sys/types.h>

#include "libxl_vscsi_export.h"
#include "libxl_vscsi_store.h"

#pragma GCC visibility push(hidden)

/* ----- libxl_vscsi_inuse.c: the rules ----- */

/* What may hold dom0's devices, read once for a request; each source when
 * it first matters. */
typedef struct libxl__vscsi_inuse libxl__vscsi_inuse;

/* NULL, logged, when memory ran out.  _free takes NULL. */
libxl__vscsi_inuse *libxl__vscsi_inuse_new(libxl__vscsi_ctx *vc);
void libxl__vscsi_inuse_free(libxl__vscsi_inuse *inuse);

/*
 * *text_r: who holds the unit and what to do about it, "it is mounted on
 * /srv (unmount it first)", to be freed; NULL if nobody does.
 *
 * shared: guests have the unit through vscsi already.  What only their
 * having it shows (our export, an exclusive opener) is then left out; what
 * dom0 does with it is not.
 * target: "pscsi_0/mine", the backstore of the admin's target that is to be
 * given.  It is no holder then, nor is its having the device open; NULL:
 * there is none.
 *
 *  ERROR_FAIL, ERROR_NOMEM  something could not be looked at; logged
 */
int libxl__vscsi_inuse_who(libxl__vscsi_ctx *vc, libxl__vscsi_inuse *inuse,
                           const libxl__vscsi_unit *unit, bool shared,
                           const char *target, char **text_r);

/* What one request knows of dom0; all zero at first. */
typedef struct libxl__vscsi_known {
    libxl__vscsi_dom0 dom0;
    libxl__vscsi_inuse *inuse;  /* NULL: nobody has asked */
} libxl__vscsi_known;

void libxl__vscsi_known_dispose(libxl__vscsi_known *known);
/* ERROR_DEVICE_EXISTS, logged, if somebody holds the unit; see _who. */
int libxl__vscsi_check_inuse(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                             const libxl__vscsi_unit *unit, bool shared,
                             const char *target);
/*
 * An admin's target that exports the unit: *wwn_r, "naa.WWN:LUN", and
 * *target_r as above, both to be freed; NULL if there is none.
 */
int libxl__vscsi_find_target(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                             const libxl__vscsi_unit *unit,
                             char **wwn_r, char **target_r);

/* ----- libxl_vscsi_inuse_load.c: what is read ----- */

typedef enum libxl__vscsi_use_kind {
    LIBXL__VSCSI_USE_MOUNT,
    LIBXL__VSCSI_USE_SWAP,
    LIBXL__VSCSI_USE_GUEST,
} libxl__vscsi_use_kind;

/* Something that has a block device. */
typedef struct libxl__vscsi_use {
    libxl__vscsi_use_kind kind;
    dev_t devnum;
    char *point;                /* of a mount */
    libxl__vscsi_xs_disk disk;  /* of a guest */
} libxl__vscsi_use;

typedef struct libxl__vscsi_loop {
    dev_t backing;
    char *name;                 /* "loop0" */
} libxl__vscsi_loop;

/* A process has a character device open. */
typedef struct libxl__vscsi_opener {
    dev_t devnum;
    unsigned pid;
} libxl__vscsi_opener;

struct libxl__vscsi_inuse {
    libxl__vscsi_use *uses;
    unsigned num_uses;
    libxl__vscsi_loop *loops;
    unsigned num_loops;
    libxl__vscsi_opener *openers;
    unsigned num_openers;
    libxl__vscsi_backstore *stores;
    unsigned num_stores;
    bool has_uses, has_openers, has_stores;     /* they have been read */
};

/* Each reads what has not been read yet.  Failures are logged. */
int libxl__vscsi_inuse_load_uses(libxl__vscsi_ctx *vc,
                                 libxl__vscsi_inuse *inuse);
int libxl__vscsi_inuse_load_openers(libxl__vscsi_ctx *vc,
                                    libxl__vscsi_inuse *inuse);
int libxl__vscsi_inuse_load_stores(libxl__vscsi_ctx *vc,
                                   libxl__vscsi_inuse *inuse);

/* With errno: that path, NULL if memory ran out, cannot be looked at. */
int libxl__vscsi_inuse_blind(libxl__vscsi_ctx *vc, const char *path);
/* Does the errno value say that there is nothing (any more)? */
bool libxl__vscsi_inuse_is_gone(int e);
/* Reading a directory, one name at a time.  False: there is none, or *rc_r
 * is why it cannot be looked at, logged; path NULL is memory that ran out. */
bool libxl__vscsi_inuse_open_dir(libxl__vscsi_ctx *vc, const char *path,
                                 DIR **dir_r, int *rc_r);
/* The next one that is not hidden; NULL: the end, or *rc_r. */
const char *libxl__vscsi_inuse_next_name(libxl__vscsi_ctx *vc, DIR *dir,
                                         const char *path, int *rc_r);
/* False: vanished, or not that kind of node, and *rc_r is 0; or *rc_r says
 * that it cannot be looked at, logged. */
bool libxl__vscsi_inuse_node(libxl__vscsi_ctx *vc, const char *node,
                             dev_t *devnum_r, int *rc_r);
/* The path in what a toolstack says of a disk, "aio:/dev/sdb", "/dev/sdb",
 * "vg/lv"; free().  NULL when memory ran out. */
char *libxl__vscsi_inuse_disk_path(const char *params);
/* "8:16", in decimal or, for base 16, in hexadecimal digits. */
bool libxl__vscsi_inuse_devnum(const char *text, unsigned base,
                               dev_t *devnum_r);

/* ----- libxl_vscsi_stack.c: what is built upon a unit ----- */

/* A block device of dom0: the unit's by one path, a partition, or
 * something that is made of such. */
typedef struct libxl__vscsi_layer {
    dev_t devnum;
    char *syspath, *node;       /* "/dev/sdb1" */
    char *subject;              /* "it", "its partition /dev/sdb1" */
    char *chain;                /* "used by ..., part of ..."; NULL: part of
                                   the unit itself */
    char *advice;               /* how to take it away; NULL */
    bool whole;                 /* the unit itself */
    unsigned depth;
} libxl__vscsi_layer;

typedef struct libxl__vscsi_stack {
    libxl__vscsi_layer *layers; /* each after what it is made of */
    unsigned num;
} libxl__vscsi_stack;

/* The caller disposes of *stack_r, zeroed before, whatever is returned.
 * Failures are logged. */
int libxl__vscsi_stack_load(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_inuse *inuse,
                            const libxl__vscsi_unit *unit,
                            libxl__vscsi_stack *stack_r);
void libxl__vscsi_stack_dispose(libxl__vscsi_stack *stack);
/* "it", or "its path /dev/sdb" of several; free(). */
char *libxl__vscsi_stack_subject(const libxl__vscsi_unit *unit,
                                 const libxl__vscsi_path *path);

/* The SCSI devices that a block device is made of. */
typedef struct libxl__vscsi_bases {
    libxl_vscsi_hctl *hctls;
    unsigned num;
} libxl__vscsi_bases;

/* hctls, zeroed before, is freed by the caller, whatever is returned.
 * Failures are logged. */
int libxl__vscsi_stack_bases(libxl__vscsi_ctx *vc, dev_t devnum,
                             libxl__vscsi_bases *bases_r);

#pragma GCC visibility pop

#endif /* LIBXL_VSCSI_INUSE_H */
