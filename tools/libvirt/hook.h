/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * SCSI devices for domains of libvirt's libxl driver, which carries their
 * description and does nothing with it: what the hook program, the object
 * that may be preloaded into libvirtd and xl scsi-attach --libvirt share.
 * docs/misc/pvscsi.txt, "Interface in libvirt".
 */
#ifndef LIBVIRT_HOOK_H
#define LIBVIRT_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <libxl.h>
#include <libxl_vscsi.h>

/* The object that may be loaded into libvirtd. */
#define LIBVIRTD_OBJECT "libvirtd-vscsi.so"

/* ----- definition.c: a domain's definition in libvirt's XML ----- */

/* Of <devices> in a domain's <metadata>. */
#define DEFINITION_URI "urn:xen-vscsi:1"
#define DEFINITION_KEY "vscsi"
/* A definition is not larger. */
#define DEFINITION_MAX (16u << 20)

typedef struct definition {
    char *name;
    libxl_uuid uuid;
    int domid;                  /* -1 where the XML says none */
    libxl_device_vscsictrl *ctrls;
    int num;
    char **disks;               /* what block devices it has from dom0 */
    int num_disks;
} definition;

void definition_init(definition *def);
void definition_dispose(definition *def);

/*
 * Fills in *def_r, which has been initialised, from xml.  False: it is no
 * definition, or asks for what cannot be; *msg_r says why, is NULL where
 * memory ran out, and is freed with free().  def_r->name is set even then,
 * where the XML has one.
 */
bool definition_read(const char *xml, size_t length, definition *def_r,
                     char **msg_r);

/*
 * The text of <devices>, as virDomainSetMetadata() takes it: what the
 * definition xml has there, without the devices at the num_out places out[]
 * ("H:C:T:L", or "H:*" for a whole vscsictrl), and with the num_in devices
 * in[].  *text_r is NULL where none is left, and is freed with free().
 * False: as above.
 */
bool definition_change(const char *xml, char *const *out, int num_out,
                       char *const *in, int num_in, char **text_r,
                       char **msg_r);
/* Is a device of <hostdev> at that place, or at one of "H:*"? */
bool definition_has(const definition *def, const char *place);

/* ----- attach.c: giving a domain its devices, and taking the rest away ----- */

/* All of def's, or none: what is said of it is logged by the library. */
int attach_all(libxl_ctx *ctx, uint32_t domid, definition *def);
/* Takes those out of def that the domain has already. */
int leave_out_present(libxl_ctx *ctx, uint32_t domid, definition *def);
/* Those that it has not got yet. */
int attach_rest(libxl_ctx *ctx, uint32_t domid, definition *def);

/* ----- hold.c: the domain does not run before it has its devices ----- */

/*
 * Leaves a process behind that waits for the domain of def, which is about to
 * be made, and pauses it once more: Xen counts pauses, so that libvirt's
 * unpausing is not enough.  The process ends, and takes its pause back, when
 * it is told to; when libvirtd dies or too long has passed, it attaches the
 * devices itself first.  False, and said: nobody will hold the domain.
 */
bool hold_begin(const definition *def);

/* The end of a hold as the hook sees it. */
typedef struct hold {
    int fd;                     /* the process which has it; -1: it is dead */
    bool marked;                /* a pause of ours is in force */
} hold;

/* While this is open, the process which holds the domain leaves it to us.
 * False, and said: xenstore cannot be reached. */
bool hold_open(const definition *def, uint32_t domid, hold *hold_r);
/* Takes the pause back and ends the process. */
bool hold_end(libxl_ctx *ctx, uint32_t domid, hold *h);
/* Leaves everything to it again. */
void hold_close(hold *h);
/* No domain came: ends the process. */
void hold_cancel(const definition *def);

/* ----- image.c: the managed save image ----- */

/*
 * libvirt unlinks a managed save image before it asks whether the domain may
 * start.  Where it may not, and libvirtd has the image open still, puts it
 * back.
 */
void image_put_back(const char *name);

/* ----- say.c ----- */

/* What each program, and the object, begins its messages with. */
extern const char say_prefix[];
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* LIBVIRT_HOOK_H */
