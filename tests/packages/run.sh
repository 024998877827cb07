#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Builds the Debian packages of SUITE (default: the host's release) twice, and
# looks at them: on a machine that builds, and on one that installs and
# removes them.  Prints TAP.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
SUITE=${SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")}
# The unit tests have been run, or will be, without this.
export SUITE DEB_BUILD_OPTIONS=nocheck
debs=$top/build/deb/$SUITE
again=$top/build/deb/$SUITE.again
failed=0

tmp=$(mktemp -d "${TMPDIR:-/tmp}/pvscsi-packages.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

. "$here/tap.sh"

same_packages() {
    ls "$debs"/*.deb >/dev/null || return 1
    for file in "$debs"/*.deb "$debs"/*.dsc "$debs"/*.tar.xz; do
        cmp "$file" "$again/${file##*/}" || {
            echo "compare them with diffoscope; they are kept"
            return 1
        }
    done
}

# It is what other releases of Xen make theirs of.
control_is_generated() {
    cp -r "$top/debian" "$tmp/debian"
    for release in 4.20 4.17; do
        "$tmp/debian/generate" "$release" &&
            "$tmp/debian/generate" --clean "$release" || return 1
        left=$(find "$tmp/debian" -maxdepth 1 -name '*4.[0-9]*')
        [ -z "$left" ] || { echo "left: $left"; return 1; }
    done
    diff -u "$top/debian/control" "$tmp/debian/control" && return 0
    echo "edit debian/control.in, and run debian/generate --clean 4.17"
    return 1
}

overrides_are_explained() {
    awk 'FNR == 1 { explained = 0 }
        /^#/ { explained = 1; next }
        NF && !explained { print FILENAME ": " $0; bad = 1 }
        !NF { explained = 0 }
        END { exit bad }' "$top"/debian/*.lintian-overrides \
        "$top"/debian/templates/*.lintian-overrides
}

# in_room ARCHIVE SCRIPT: runs tests/packages/SCRIPT among the packages, which
# prints TAP.
in_room() {
    mkdir -p "$tmp/room"
    cp "$debs"/*.* "$here"/*.sh "$top/tests/system/thirdparty.c" "$tmp/room"
    "$top/packaging/room.sh" run "$1" "$tmp/room" "sh $2" >"$tmp/tap" &&
        grep -q '^ok ' "$tmp/tap" && ! grep -q '^not ok ' "$tmp/tap" ||
        { failed=1; echo "not ok - all of tests/packages/$2"; }
    cat "$tmp/tap"
    rm -rf "$tmp/room"
}

echo "# packages for $SUITE, in $debs"
result "debian/control is what debian/generate makes" control_is_generated
result "every override of lintian's is explained" overrides_are_explained
result "a clean room builds the packages" "$top/packaging/deb.sh" "$debs" ||
    exit 1
DEB_PLACE=some/where/else
export DEB_PLACE
result "a room builds them a second time" "$top/packaging/deb.sh" "$again" &&
    result "two builds are bit for bit the same" same_packages &&
    rm -rf "$again"
room=$("$top/packaging/deb.sh" --room) && in_room "$room" in-build.sh ||
    failed=1
# Of the same day: the packages need Xen's libraries no older than those that
# they were built with.
room=$(ROOM_KEY=$(stat -c %Y "$room") "$top/packaging/room.sh" make \
    room-host libvirt0 '?name(^xen-utils-4[.][0-9]+$)') &&
    in_room "$room" in-host.sh || failed=1
exit $failed
