#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Prints the path of the distribution's C xenstored that fits the installed
# Xen libraries.  Where it is not installed, its package is downloaded and
# unpacked (not installed) into the cache directory.
set -eu

die() {
    echo "xenstored.sh: $*" >&2
    exit 1
}

if [ -n "${PVSCSI_XENSTORED:-}" ]; then
    [ -x "$PVSCSI_XENSTORED" ] ||
        die "PVSCSI_XENSTORED=$PVSCSI_XENSTORED cannot be executed"
    echo "$PVSCSI_XENSTORED"
    exit 0
fi

# libxenctrl.so.4.17 -> 4.17
xen=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p) ||
    die "cannot list the shared libraries"
xen=$(echo "$xen" | sed -n 's/^.*libxenctrl\.so\.\([0-9.]*\) .*/\1/p' |
      sort -V | tail -n 1)
[ -n "$xen" ] || die "no libxenctrl found: apt-get install libxen-dev"

installed=/usr/lib/xen-$xen/bin/xenstored
if [ -x "$installed" ]; then
    echo "$installed"
    exit 0
fi

suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
cache=${PVSCSI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pvscsi-xen}/$suite
cached=$cache/xen-utils-$xen/usr/lib/xen-$xen/bin/xenstored
if [ -x "$cached" ]; then
    echo "$cached"
    exit 0
fi

mkdir -p "$cache" || die "cannot make the cache directory $cache"
tmp=$(mktemp -d "$cache/xenstored.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$tmp"
echo "xenstored.sh: downloading xen-utils-$xen into $cache" >&2
(cd "$tmp" && apt-get -qq -o APT::Sandbox::User= \
    download "xen-utils-$xen" >&2) ||
    die "cannot download xen-utils-$xen: run apt-get update, then again"
dpkg-deb -x "$tmp"/xen-utils-*.deb "$tmp/root"
# Another process may have been quicker: then its copy is as good.
mv -T "$tmp/root" "$cache/xen-utils-$xen" 2>/dev/null || true
[ -x "$cached" ] || die "xen-utils-$xen has no C xenstored (no $cached)"
echo "$cached"
