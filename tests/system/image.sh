#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Builds, once, what the QEMU machine boots, and prints the directory:
#   xen             the hypervisor, unpacked
#   vmlinux         the kernel of dom0 and of the guests
#   dom0.cpio.zst   root of dom0, without this project
#   guest.cpio.zst  root of a guest, without its /init
#   hvm.cpio.zst    what dom0 needs beside for HVM guests: QEMU, a kernel as
#                   QEMU boots it
#   libvirt.cpio.zst  what dom0 needs beside for libvirt
# The last two are empty where IMAGE_PARTS ("hvm libvirt") does not name them.
# All of it is made of packages of the Debian release SUITE: bookworm, trixie,
# or by default the one that this host runs, so that what is compiled here runs
# there. Nothing is installed on the host.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

dom0_packages="kmod udev xenstore-utils lsscsi sg3-utils mt-st bash bats
 procps psmisc util-linux mount e2fsprogs dmsetup mawk iproute2 socat
 libyajl2 libudev1 libuuid1 busybox-static"

dom0_modules="xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs xen-blkback
 xen-scsiback configfs target_core_mod target_core_pscsi target_core_iblock
 target_core_file scsi_debug virtio_pci virtio_scsi virtio_net sd_mod sr_mod st sg ch
 dm-mod loop ext4 ahci megaraid_sas mptsas sym53c8xx xhci_pci usb_storage uas"

guest_modules="xen-scsifront xen-blkfront sd_mod sr_mod st sg ch"

say() { echo "image: $*" >&2; }
die() { say "$*"; exit 1; }

suite=${SUITE:-$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")}
cache=${PVSCSI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pvscsi-xen}/$suite
parts=${IMAGE_PARTS-hvm libvirt}
key=$({
    cat "$here/image.sh" "$here/image-hook.sh"
    echo "$parts"
} | sha256sum | cut -c1-16)
out=$cache/image.$key

if [ -d "$out" ]; then
    echo "$out"
    exit 0
fi

for t in mmdebstrap cpio zstd xz modprobe; do
    PATH=$PATH:/usr/sbin:/sbin command -v $t >/dev/null ||
        die "$t is missing: run ./bootstrap, which installs it"
done
[ -x /bin/busybox ] || [ -x /usr/bin/busybox ] ||
    die "busybox is missing: run ./bootstrap, which installs it"

mkdir -p "$cache"
# One build at a time; a second caller waits and finds it done.
exec 9>"$cache/lock"
flock 9
if [ -d "$out" ]; then
    echo "$out"
    exit 0
fi

work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Where this host's apt finds Debian, security updates included, and how
# (proxies): nothing else of its configuration is for us.
SUITE=$suite "$here/../../packaging/room.sh" sources >"$work/sources.list"
[ -s "$work/sources.list" ] ||
    die "apt has no list of Debian's packages: run apt-get update first"
apt-config dump | grep -E '^Acquire::(https?|ftp|Retries)' \
    >"$work/apt.conf" || :

start=$(date +%s)
say "building dom0 for Debian $suite"
say "  (once; kept in $out)"

hook="dom0_modules='$(echo $dom0_modules)'
guest_modules='$(echo $guest_modules)'
image_parts='$parts'
$(cat "$here/image-hook.sh")"

include=$(echo $dom0_packages '?name(^xen-utils-4[.][0-9]+$)' | tr ' ' ',')
if ! mmdebstrap --quiet --variant=essential --format=null \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --aptopt="$work/apt.conf" \
    --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include="$include" \
    --customize-hook="$hook" \
    --customize-hook="download /xen '$work/xen'" \
    --customize-hook="download /vmlinux '$work/vmlinux'" \
    --customize-hook="download /dom0.cpio.zst '$work/dom0.cpio.zst'" \
    --customize-hook="download /guest.cpio.zst '$work/guest.cpio.zst'" \
    --customize-hook="download /hvm.cpio.zst '$work/hvm.cpio.zst'" \
    --customize-hook="download /libvirt.cpio.zst '$work/libvirt.cpio.zst'" \
    "$suite" /dev/null "$work/sources.list" >"$work/log" 2>&1 9>&-
then
    tail -n 30 "$work/log" >&2
    die "mmdebstrap failed: its last lines are above"
fi

rm -f "$work/log" "$work/apt.conf" "$work/sources.list"
# Images that an older version of these scripts made, or that a killed one
# began, are of no more use.
find "$cache" -mindepth 1 -maxdepth 1 \( -name 'image.*' -o -name 'build.*' \) \
    ! -path "$work" -exec rm -rf {} +
mv "$work" "$out"
chmod 755 "$out"
say "done in $(($(date +%s) - start)) s"
echo "$out"
