#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Whether the libraries compile inside Xen's tree: as its makefiles do it, and
# with the functions that its generator makes.  Prints TAP.

cd "$(dirname "$0")/../.." || exit 1
. tests/packages/tap.sh

compiles() {
    ${CC:-gcc} -std=gnu99 -fsyntax-only -Wall -Werror -Wshadow \
        -Wdeclaration-after-statement -Wstrict-prototypes -D_GNU_SOURCE= \
        -DLIBXL__VSCSI_CLEANER='"xl-scsi"' -Itests/unit/tree -Itools/libxl \
        -include libxl_vscsi_tree.h "$1"
}

bad=0
for file in tools/libxl/libxl_vscsi*.c tools/libxl/libxlu_vscsi*.c; do
    result "in Xen's tree: ${file##*/}" compiles "$file" || bad=1
done
exit $bad
