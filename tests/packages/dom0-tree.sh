#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# dom0-tree.sh DIR: makes of DIR what tests/system/run.sh lays over dom0: all
# that changes where the Debian packages of SUITE (default: the host's release)
# are installed with apt, and the programs that tests run, which build/dom0
# has; those that use our libraries are made anew.  /tests/debs/newer has the
# same packages as version 99, and dpkg there knows what is installed.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -eq 1 ] || { echo "usage: dom0-tree.sh DIR" >&2; exit 1; }
SUITE=${SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")}
export SUITE DEB_ONLY=1 DEB_BUILD_OPTIONS="nocheck noautodbgsym"
debs=$top/build/deb/$SUITE
dir=$1

tmp=$(mktemp -d "${TMPDIR:-/tmp}/pvscsi-tree.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

"$top/packaging/deb.sh" "$debs" >/dev/null
room=$("$top/packaging/deb.sh" --room)
mkdir "$tmp/room"
cp "$debs"/*.deb "$top"/tests/system/thirdparty.c "$top"/tests/system/soak.c \
    "$tmp/room"
# A rename, as a diversion is one, changes the ctime alone.
"$top/packaging/room.sh" run "$room" "$tmp/room" '
    export DEBIAN_FRONTEND=noninteractive
    dpkg-deb -x ./xen-vscsi-libvirt_*.deb out
    rm ./xen-vscsi-libvirt_*.deb
    touch /stamp
    apt-get -q -y install ./*.deb
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /work \
        -o -path /tmp -o -path /run -o -path /var -o -path /etc \
        -o -path /usr/share/doc -o -path /usr/include -o -name "*.a" \
        -o -name "*.pc" -o -path /stamp \) -prune \
        -o ! -type d -cnewer /stamp -print0 >/tmp/changed
    tar --null -T /tmp/changed -cf - | tar -C out -xf -
    mkdir -p out/tests/debs/newer
    for t in thirdparty soak; do
        gcc -o out/tests/$t $t.c \
            $(pkg-config --cflags --libs xlutil-vscsi xentoollog)
    done
    dpkg --purge libxen-vscsi-dev
    mkdir -p out/var/lib/dpkg/info
    cd /var/lib/dpkg
    cp -r status diversions triggers "$OLDPWD/out/var/lib/dpkg"
    cp info/format info/*xen* "$OLDPWD/out/var/lib/dpkg/info"
    cd "$OLDPWD"
    for deb in ./libxenlight*.deb ./xen-vscsi*.deb; do
        dpkg-deb -R "$deb" /tmp/deb
        sed -i "s/^Version: .*/Version: 99/; s/(= [^)]*)/(= 99)/" \
            /tmp/deb/DEBIAN/control
        dpkg-deb -b -Zgzip /tmp/deb out/tests/debs/newer
        rm -r /tmp/deb
    done
    ' >"$tmp/log" || { tail -n 30 "$tmp/log" >&2; exit 1; }

rm -rf "$dir"
mkdir -p "$dir"
cp -a "$top/build/dom0/tests" "$dir"
cp -a "$tmp/room/out/." "$dir"
