#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Runs among the packages, on a machine that builds: what lintian says, whether
# others can build upon them, and what autopkgtest would.  Prints TAP.
set -u
. ./tap.sh

# One tree is for two releases of Debian, whose policies have two versions.
lintian_is_silent() {
    setpriv --reuid=1000 --regid=1000 --clear-groups lintian --pedantic -E \
        -I --suppress-tags out-of-date-standards-version \
        --tag-display-limit 0 --info ./*.changes >said 2>&1 ||
        { cat said; return 1; }
    cat said
    ! grep -q '^[A-Z]: ' said
}

# pkg-config as a third party uses it, with shared and with static libraries.
others_build() {
    # shellcheck disable=SC2046
    cc -o shared thirdparty.c \
        $(pkg-config --cflags --libs xlutil-vscsi xentoollog) || return 1
    ldd ./shared | grep "libxenlight-vscsi.so.$xen " || return 1
    cc -o static thirdparty.c -Wl,-Bstatic -lxlutil-vscsi -lxenlight-vscsi \
        -Wl,-Bdynamic -lxenlight -lxlutil -lxenstore -lxentoollog -lyajl \
        -lpthread
}

pc_asks_for_its_release() {
    pkg-config --print-requires xenlight-vscsi | grep -x "xenlight >= $xen" &&
        pkg-config --exists "xenlight >= $xen" xenlight-vscsi
}

# That of debian/tests which needs no more than is here; the others are the
# levels of tests/check.sh.
installed_test_passes() {
    dpkg-source -x ./*.dsc source && dpkg -i ./xen-vscsi-[c4]*_*.deb &&
        (cd source && AUTOPKGTEST_TMP=$(mktemp -d) debian/tests/installed)
}

xen=$(pkg-config --modversion xenlight | cut -d. -f1,2)
result "lintian finds nothing" lintian_is_silent
result "the packages for developers install" dpkg -i ./libxen*_*.deb
result "others build against them" others_build
result "pkg-config's file is for one release of Xen" pc_asks_for_its_release
result "debian/tests/installed passes" installed_test_passes
# shellcheck disable=SC2046
dpkg -P $(dpkg-query -W -f '${Package} ' 'xen-vscsi-*') >/tmp/purged 2>&1
sh ./in-rpm.sh
