/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where devices are in a list of vscsictrls. */
#include "places.h"

bool places_have(const libxl_device_vscsictrl *ctrls, int num,
                 const libxl_vscsi_hctl *vdev)
{
    libxl_vscsi_hctl wanted = *vdev;
    int i, j;

    for (i = 0; i < num; i++)
        for (j = 0; j < ctrls[i].num_vscsidevs; j++)
            if (libxl_vscsi_hctl_compare(&ctrls[i].vscsidevs[j].vdev,
                                         &wanted))
                return true;
    return false;
}
