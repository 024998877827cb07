/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How large a guest's command may be.  The guest's driver learns one number
 * for a vscsictrl, pages of a command, once, while it connects: it has to
 * fit all devices that are there and that will come.  See "Transfer size"
 * in pvscsi.txt.
 */
#include "libxl_vscsi_claim.h"

#define PAGE_KB 4u

unsigned libxl__vscsi_segments_of(const libxl__vscsi_limits *limits)
{
    /* What does not begin with a page has a page more. */
    uint64_t num = (uint64_t)limits->max_sectors_kb / PAGE_KB + 1;

    if (num > limits->max_segments)
        num = limits->max_segments;
    return num > LIBXL_VSCSI_MAX_SEGMENTS ? LIBXL_VSCSI_MAX_SEGMENTS
                                           : (unsigned)num;
}

unsigned libxl__vscsi_kb_of(unsigned segments)
{
    return segments ? (segments - 1) * PAGE_KB : 0;
}

int libxl__vscsi_smallest(const libxl__vscsi_claimed *claimed, int num)
{
    int i, smallest = 0;

    for (i = 1; i < num; i++)
        if (libxl__vscsi_segments_of(&claimed[i].limits) <
            libxl__vscsi_segments_of(&claimed[smallest].limits))
            smallest = i;
    return smallest;
}

unsigned libxl__vscsi_choose_segments(libxl__vscsi_ctx *vc,
                                      const libxl_device_vscsictrl *ctrl,
                                      const libxl__vscsi_claimed *claimed)
{
    unsigned num, least = LIBXL_VSCSI_MAX_SEGMENTS;
    int i;

    if (ctrl->segments && ctrl->segments < least)
        least = ctrl->segments;
    for (i = 0; i < ctrl->num_vscsidevs; i++) {
        num = libxl__vscsi_segments_of(&claimed[i].limits);
        if (num < least)
            least = num;
        if (num < LIBXL_VSCSI_MIN_SEGMENTS)
            libxl__vscsi_log(vc, XTL_WARN, "%s takes commands of at most %u "
                "KiB, and the guest's driver sends up to %u: in the guest, "
                "set /sys/block/.../queue/max_sectors_kb of it to %u before "
                "it is used", ctrl->vscsidevs[i].pdev.p_devname,
                libxl__vscsi_kb_of(num),
                libxl__vscsi_kb_of(LIBXL_VSCSI_MIN_SEGMENTS),
                libxl__vscsi_kb_of(num));
    }
    return least < LIBXL_VSCSI_MIN_SEGMENTS ? LIBXL_VSCSI_MIN_SEGMENTS
                                             : least;
}

int libxl__vscsi_check_segments(libxl__vscsi_ctx *vc,
                                const libxl__vscsi_limits *limits,
                                libxl_devid devid, unsigned told,
                                const char *advice)
{
    unsigned num = libxl__vscsi_segments_of(limits);

    if (num >= told || told <= LIBXL_VSCSI_MIN_SEGMENTS)
        return 0;
    libxl__vscsi_error(vc, "it takes commands of at most %u KiB (%u pages), "
                       "and the guest learned when it connected vscsictrl %d "
                       "that it may send %u KiB (%u pages) (%s)",
                       libxl__vscsi_kb_of(num), num, devid,
                       libxl__vscsi_kb_of(told), told, advice);
    return ERROR_INVAL;
}
