/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * tapeio write|read SG-NODE FILE [SIZE]: one block with a tape's commands,
 * from or to FILE, as st would send them: in fixed block mode, or of SIZE
 * bytes in variable block mode.
 * tapeio lock SG-NODE: PREVENT MEDIUM REMOVAL, to any drive.
 * Runs in the guest.  scsi_debug of Linux 6.1 knows a tape's data commands
 * but no filemarks, so st's own close() after a write fails there.
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BLOCK 512
#define TIMEOUT_MS 20000

static int command(int fd, unsigned char cdb[6], int direction, void *data,
                   unsigned size)
{
    unsigned char sense[96];
    sg_io_hdr_t io = {
        .interface_id = 'S',
        .dxfer_direction = direction,
        .cmd_len = 6,
        .mx_sb_len = sizeof(sense),
        .dxfer_len = size,
        .dxferp = data,
        .cmdp = cdb,
        .sbp = sense,
        .timeout = TIMEOUT_MS,
    };

    if (ioctl(fd, SG_IO, &io)) {
        perror("SG_IO");
        return 1;
    }
    if ((io.info & SG_INFO_OK_MASK) != SG_INFO_OK)
        fprintf(stderr, "opcode 0x%02x: status 0x%x sense key 0x%x\n",
                cdb[0], io.status, sense[2] & 15);
    return (io.info & SG_INFO_OK_MASK) != SG_INFO_OK;
}

/* WRITE(6) and READ(6) of a tape: fixed bit and one block, or bytes. */
static int transfer(int fd, unsigned char opcode, int direction, void *data,
                    unsigned size)
{
    unsigned char fixed[6] = { opcode, 1, 0, 0, 1, 0 };
    unsigned char variable[6] = { opcode, 0, (unsigned char)(size >> 16),
                                  (unsigned char)(size >> 8),
                                  (unsigned char)size, 0 };

    return command(fd, size == BLOCK ? fixed : variable, direction, data,
                   size);
}

static int lock(const char *node)
{
    unsigned char prevent[6] = { 0x1e, 0, 0, 0, 1, 0 };
    int fd = open(node, O_RDWR);

    if (fd < 0) {
        perror(node);
        return 1;
    }
    return command(fd, prevent, SG_DXFER_NONE, NULL, 0);
}

int main(int argc, char **argv)
{
    int sg, file, writing;
    unsigned size = BLOCK;
    char *block;

    if (argc == 3 && !strcmp(argv[1], "lock"))
        return lock(argv[2]);
    if (argc != 4 && argc != 5)
        return 2;
    if (argc == 5)
        size = (unsigned)strtoul(argv[4], NULL, 10);
    writing = !strcmp(argv[1], "write");
    sg = open(argv[2], O_RDWR);
    file = open(argv[3], writing ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC,
                0600);
    block = calloc(1, size);
    if (sg < 0 || file < 0 || !block) {
        perror("open");
        free(block);
        return 1;
    }
    if (writing && read(file, block, size) != (ssize_t)size)
        return 1;
    /* No REWIND: to scsi_debug that is STOP, and one block is all it has. */
    if (transfer(sg, writing ? 0x0a : 0x08,
                 writing ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV, block, size))
        return 1;
    return !writing && write(file, block, size) != (ssize_t)size;
}
