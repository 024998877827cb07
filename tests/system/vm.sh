#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Real Xen in QEMU: boots dom0 with the tree DIR laid over its root.
#   vm.sh run DIR [CMD...]  runs CMD (/tests/run) there as root: its output and
#                           its exit code are ours; 124: out of time, 125: the
#                           machine died. What it writes to is a terminal, from
#                           which it can read what VM_INPUT, a pipe, brings
#   vm.sh shell DIR         a root shell there
# Environment: VM_TIMEOUT_S (900), VM_MEM_MB (3072, of which dom0 has
# VM_DOM0_MB, 1536), VM_KERNEL_EXTRA and VM_QEMU_EXTRA (more arguments),
# VM_CONSOLE_LOG (where Xen's and dom0's kernel log goes), VM_DISK (a file for
# dom0's disk that other machines may share) and VM_DISK_AT (scsi-id=N,lun=N),
# VM_CPUS (1: emulated CPUs that wait for each other burn all the time of the
# real ones, and two machines side by side take three times as long),
# VM_HVM, VM_LIBVIRT (not empty: dom0 has what HVM guests need, or libvirt),
# VM_COUNTED (if it is 1, the machine's clock is the number of instructions
# that it has executed, and jumps over idle time: what else the host does
# then, and how slow emulation is at what, shows in no measurement).
set -eu

here=$(cd "$(dirname "$0")" && pwd)

die() { echo "vm: $*" >&2; exit 125; }
usage() { die "usage: vm.sh run DIR [CMD...] | vm.sh shell DIR"; }

[ $# -ge 2 ] || usage
mode=$1 dir=$2
shift 2
case $mode in run | shell) ;; *) usage ;; esac
[ -d "$dir" ] || die "$dir: no such directory"
# In dom0 these are links into /usr; a directory would replace the link.
for d in bin sbin lib lib64; do
    [ ! -d "$dir/$d" ] || die "$dir/$d: install under /usr instead"
done
command -v qemu-system-x86_64 >/dev/null ||
    die "qemu-system-x86_64 is missing: run ./bootstrap, which installs it"

image=$(sh "$here/image.sh") || die "no image to boot"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/pvscsi-vm.XXXXXX")
console=${VM_CONSOLE_LOG:-}
pid=
clean() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || :
    rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
[ -n "$console" ] || console=$tmp/console.log

# $1 as one word of shell.
quote() { printf "'%s' " "$(printf %s "$1" | sed "s/'/'\\\\''/g")"; }
# Appends the tree $1 to the cpio $2, whose parts begin at a multiple of 4.
append() {
    n=$((($(stat -c %s "$2") + 3) / 4 * 4))
    truncate -s $n "$2"
    (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >>"$2"
}

# The rig's own files: part of no image, so that they may change freely.
rig=$tmp/rig-tree
mkdir -p "$rig/rig/bin" "$rig/guest" "$rig/tests" "$tmp/guest"
cp "$here/dom0-init" "$rig/init"
cp "$here/lib.sh" "$rig/tests/lib.sh"
# For the PATH of tests: to load a shared library takes longer there than what
# these do (GNU's sed, for a large file, is /usr/bin/sed).
for applet in awk basename cat cp cut dirname dd env false find grep \
    head id ln ls mkdir mktemp mv od readlink rm rmdir sed seq sha256sum \
    sleep sort stat touch tr true uniq wc; do
    ln -s /bin/busybox "$rig/rig/bin/$applet"
done
cp "$here/domu-init" "$tmp/guest/init"
chmod 755 "$rig/init" "$tmp/guest/init"
cp "$image/guest.cpio.zst" "$rig/guest/initrd"
# What tests want to run in guests.
[ ! -d "$dir/tests/guest" ] || cp -a "$dir/tests/guest/." "$tmp/guest"
append "$tmp/guest" "$rig/guest/initrd"
if [ "$mode" = shell ]; then
    size=$(stty size 2>/dev/null) || size='24 80'
    echo "rows=${size% *} cols=${size#* }" >"$rig/rig/shell"
else
    [ $# -gt 0 ] || set -- /tests/run
    for word; do quote "$word"; done >"$rig/rig/command"
fi
# What Linux does at its start, and with each module, for real hardware only.
linux="mitigations=off noreplace-smp cryptomgr.notests rodata=off"
echo "$linux" >"$rig/rig/linux"
cp "$image/dom0.cpio.zst" "$tmp/initrd"
for part in ${VM_HVM:+hvm} ${VM_LIBVIRT:+libvirt}; do
    truncate -s %4 "$tmp/initrd"
    cat "$image/$part.cpio.zst" >>"$tmp/initrd"
done
append "$dir" "$tmp/initrd"
append "$rig" "$tmp/initrd"
disk=${VM_DISK:-$tmp/disk}
[ -e "$disk" ] || truncate -s 64M "$disk"
: >"$tmp/status"

# Always software emulation: /dev/kvm may exist and be of no use to Xen.
# Without smap and smep a PV dom0 lives, without rdtscp a PVH guest does;
# without xsave no registers get lost between domains (programs died of it);
# without erms and fsrm memory is copied by words, not by bytes.
cpu=max,-smap,-smep,-rdtscp,-xsave,-erms,-fsrm
accel=tcg,thread=multi
if [ "${VM_COUNTED:-}" = 1 ]; then
    accel=tcg,thread=single
    VM_QEMU_EXTRA="-icount shift=1,sleep=off ${VM_QEMU_EXTRA:-}"
fi
set -- -accel "$accel" -cpu "$cpu" -M pc \
    -smp "${VM_CPUS:-1}" \
    -m "${VM_MEM_MB:-3072}" -nodefaults -no-user-config -display none \
    -no-reboot -kernel "$image/xen" \
    -append "dom0_mem=${VM_DOM0_MB:-1536}M,max:${VM_DOM0_MB:-1536}M \
com1=115200 console=com1 noreboot loglvl=warning spec-ctrl=no" \
    -initrd "$image/vmlinux console=hvc0 rdinit=/init \
$linux scsi_mod.scan=sync ${VM_KERNEL_EXTRA:-},$tmp/initrd" \
    -serial "file:$console" \
    -chardev "file,id=status,path=$tmp/status" \
    -device isa-debugcon,iobase=0x4f0,chardev=status \
    -device virtio-scsi-pci,id=scsi \
    -blockdev "driver=file,node-name=disk,locking=off,filename=$disk" \
    -device "scsi-hd,drive=disk,bus=scsi.0,serial=PVSCSI0001,share-rw=on,\
wwn=0x5000c50015ea71ac,vendor=RIG,product=DISK,ver=1${VM_DISK_AT:+,$VM_DISK_AT}"
# The transcript's port is on PCI: an ISA one's interrupts get lost, with
# Linux 6.12 at least, and the output stops. Words split on purpose.
# shellcheck disable=SC2086,SC2046
set -- "$@" $(sh "$here/vm-hbas.sh" "$tmp") ${VM_QEMU_EXTRA:-}

if [ "$mode" = shell ]; then
    echo "vm: booting; leave with 'exit', or at once with Ctrl-a x" >&2
    qemu-system-x86_64 "$@" -chardev stdio,id=tty,mux=on,signal=off \
        -device pci-serial,chardev=tty
    exit 0
fi

timeout -k 10 "${VM_TIMEOUT_S:-900}" qemu-system-x86_64 "$@" \
    -chardev stdio,id=tty -device pci-serial,chardev=tty \
    0<>"${VM_INPUT:-/dev/null}" &
pid=$!
code=0
wait $pid || code=$?
pid=
if [ -s "$tmp/status" ]; then
    status=$(od -An -tu1 -N1 "$tmp/status" | tr -d ' ')
    # Whatever the tests saw: what dom0's kernel must never say. (A line that
    # lib.sh wrote before it names the test.)
    bad=$(tr -d '\r' <"$console" | grep -E \
        '(^|\] )rig: test|failed to append bio|BUG:|Oops' |
        grep -B 1 -v 'rig: test') || :
    [ -z "$bad" ] || {
        printf 'vm: in the log of dom0:\n%s\n' "$bad" >&2
        [ "$status" -ne 0 ] || status=1
    }
    [ "$status" -ne 0 ] || exit 0
else
    tail -n 40 "$console" | tr -d '\r' >&2
    case $code in
    124 | 137)
        status=124
        echo "vm: not done within ${VM_TIMEOUT_S:-900} s" >&2
        ;;
    *)
        status=125
        echo "vm: the machine stopped by itself (QEMU: $code)" >&2
        ;;
    esac
fi
if [ -z "${VM_CONSOLE_LOG:-}" ]; then
    console=$(mktemp "${TMPDIR:-/tmp}/pvscsi-console.XXXXXX")
    cp "$tmp/console.log" "$console"
fi
echo "vm: console log: $console" >&2
exit "$status"
