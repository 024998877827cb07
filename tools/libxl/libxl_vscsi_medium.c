/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest that ends in the middle of a job leaves its tape, changer or disc
 * locked in the drive, or the drive reserved.  LIO does not undo that, and to
 * the drive it was dom0 who asked for it, so dom0 takes it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "libxl_vscsi_lio.h"
#include "libxl_vscsi_unit.h"

/* The kernel resets the drive, or the HBA, when it is over; a drive may have
 * to finish rewinding first. */
#define TIMEOUT_MS 120000

/* Peripheral device types of SPC. */
#define TYPE_TAPE 1
#define TYPE_CD 5
#define TYPE_OPTICAL 7
#define TYPE_CHANGER 8

/* Sense keys of SPC. */
#define ILLEGAL_REQUEST 5
#define UNIT_ATTENTION 6

static bool may_be_locked(int type)
{
    return type == TYPE_TAPE || type == TYPE_CD || type == TYPE_OPTICAL ||
           type == TYPE_CHANGER;
}

char *libxl__vscsi_medium_node(libxl__vscsi_ctx *vc,
                               const libxl_vscsi_hctl *hctl)
{
    libxl__vscsi_identity id = { .hctl = *hctl, .has_hctl = true };
    libxl__vscsi_path path = { .hctl = *hctl };
    char *sg = NULL, *reason = NULL;

    if (!libxl__vscsi_read_identity(vc, &id, &reason) &&
        may_be_locked(id.type) &&
        !libxl__vscsi_read_path(vc, id.type, &path, &reason)) {
        sg = path.sg;
        path.sg = NULL;
    }
    if (reason)                 /* perhaps dom0 has lost the device */
        libxl__vscsi_log(vc, XTL_DETAIL, "%s", reason);
    free(reason);
    libxl__vscsi_path_dispose(&path);
    libxl__vscsi_identity_dispose(&id);
    return sg;
}

/* ----- commands; in the process that removes the LUN ----- */

/* 0, a sense key, or -errno. */
static int send_once(int fd, unsigned char opcode)
{
    unsigned char cdb[6] = { opcode }, sense[32] = { 0 };
    sg_io_hdr_t io = {
        .interface_id = 'S', .dxfer_direction = SG_DXFER_NONE,
        .cmd_len = sizeof(cdb), .cmdp = cdb,
        .mx_sb_len = sizeof(sense), .sbp = sense, .timeout = TIMEOUT_MS,
    };

    if (ioctl(fd, SG_IO, &io))
        return -errno;
    if ((io.info & SG_INFO_OK_MASK) == SG_INFO_OK)
        return 0;
    if (!io.sb_len_wr)
        return -EIO;
    return (sense[0] & 0x7f) >= 0x72 ? sense[1] & 0xf : sense[2] & 0xf;
}

/* A drive first says what has happened to it. */
static int send_command(int fd, unsigned char opcode)
{
    int r = send_once(fd, opcode);

    return r == UNIT_ATTENTION ? send_once(fd, opcode) : r;
}

int libxl__vscsi_free_medium(const char *node)
{
    /* PREVENT ALLOW MEDIUM REMOVAL, with 0 for allow; RELEASE(6) */
    static const unsigned char opcodes[] = { 0x1e, 0x17 };
    int fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC), result = 0, r;
    size_t i;

    if (fd < 0)
        return -errno;
    for (i = 0; i < sizeof(opcodes); i++) {
        r = send_command(fd, opcodes[i]);
        if (r && r != ILLEGAL_REQUEST && !result)   /* it knows no such */
            result = r;
    }
    close(fd);
    return result;
}
