#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Fails where a file of tools/libxl includes a header of a room above its own,
# by "Rooms" in docs/misc/design.txt, or is in no room.
cd "$(dirname "$0")/../.." || exit 1
awk '
    FNR == 1 { file = FILENAME; sub(/.*\//, "", file) }
    FILENAME ~ /design.txt$/ {
        if (/^    [^ ].*  /) depth++
        if (rooms && /^    /) {
            sub(/^    ([^ ]| [^ ])*  +/, "")
            for (i = 1; i <= NF; i++) room[$i] = depth
        }
        if (/^5\. Rooms/) rooms = 1
        next
    }
    FNR == 1 {
        me = file
        sub(/\.[ch]$/, "", me)
        if (me != "libxl_vscsi") sub(/^libxl_vscsi_/, "", me)
        if (!(me in room)) { print file ": is in no room"; bad = 1 }
    }
    /^#include "libxl_vscsi_/ {
        it = $2
        gsub(/"|^"?libxl_vscsi_|\.h"/, "", it)
        if (!(it in room) || room[it] < room[me]) {
            print file ":" FNR ": " $2 " is of a room above"
            bad = 1
        }
    }
    END { exit bad }' docs/misc/design.txt tools/libxl/libxl_vscsi*.[ch]
