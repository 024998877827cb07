#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# deb.sh [DIR]: builds the Debian packages, source included, of this tree in a
# clean room, and puts them into DIR (default: build/deb/SUITE).  SUITE is the
# release, bookworm or trixie; the default is the host's.
# deb.sh --room: prints the archive of that room, for room.sh.
# DEB_BUILD_OPTIONS is dpkg-buildpackage's; DEB_PLACE is where in the room it
# builds; DEB_ONLY, not empty, leaves out of the room what looks at the result.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)

die() { echo "deb: $*" >&2; exit 1; }

SUITE=${SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")}
export SUITE
case $SUITE in
bookworm) number=12 ;;
trixie) number=13 ;;
*) die "SUITE is bookworm or trixie, not '$SUITE'" ;;
esac

# What debian/control.in asks for.
needed=$(sed -n '/^Build-Depends:/,/^[^ B]/s/^ \([^ ,]*\).*/\1/p' \
    "$top/debian/control.in" | sed 's/debhelper-compat/debhelper/;s/:any$//')
name=room-build others="lintian rpm"
[ -z "${DEB_ONLY:-}" ] || name=room-deb others=
# shellcheck disable=SC2086
room=$("$top/packaging/room.sh" make "$name" build-essential $others \
    '?name(^xen-utils-4[.][0-9]+$)' $needed)
if [ "${1:-}" = --room ]; then
    echo "$room"
    exit 0
fi
out=${1:-$top/build/deb/$SUITE}
place=${DEB_PLACE:-build}
case $out in /*) ;; *) out=$PWD/$out ;; esac

work=$(mktemp -d "${TMPDIR:-/tmp}/pvscsi-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The files of this tree, as they are; not what was made of them.
copy_tree() {
    cd "$top"
    git ls-files -z -c -o --exclude-standard >"$work/files" 2>/dev/null ||
        find . -path ./build -prune -o -path ./dist -prune -o \
            ! -type d -print0 >"$work/files"
    tar --null --ignore-failed-read -T "$work/files" -c 2>/dev/null |
        tar -C "$1" -x
}

# One tree makes a version for each release, and that of the later one is
# newer.
name_release() {
    last=$(grep -m 1 '^ -- ' "$1")
    seconds=$(($(date -d "${last##*  }" +%s) + 1))
    version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$1")
    {
        echo "xen-vscsi ($version~deb${number}u1) $SUITE; urgency=medium"
        printf '\n  * Build for Debian %s.\n\n%s\n\n' "$number" \
            "${last%  *}  $(LC_ALL=C date -u -R -d "@$seconds")"
        cat "$1"
    } >"$1.new"
    mv "$1.new" "$1"
}

mkdir -p "$work/room/$place/xen-vscsi" "$work/room/out"
copy_tree "$work/room/$place/xen-vscsi"
name_release "$work/room/$place/xen-vscsi/debian/changelog"

# Not as root, as on a machine that builds for others.
if ! "$top/packaging/room.sh" run "$room" "$work/room" "
    chown -R 1000:1000 /work
    setpriv --reuid=1000 --regid=1000 --clear-groups env -i \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LC_ALL=C.UTF-8 \
        DEB_BUILD_OPTIONS='${DEB_BUILD_OPTIONS:-} parallel=$(nproc)' \
        sh -ec 'cd /work/$place/xen-vscsi; dpkg-buildpackage -us -uc'
    find '$place' -maxdepth 1 -type f -exec mv {} out \;
    " >"$work/log"
then
    tail -n 60 "$work/log" >&2
    die "the build failed: its last lines are above"
fi
rm -rf "$out"
mkdir -p "$out"
cp "$work/room/out"/* "$out"
cp "$work/log" "$out/build.log"
if [ -t 1 ]; then ls "$out"/*.deb; else echo "$out"; fi
