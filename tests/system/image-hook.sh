# SPDX-License-Identifier: LGPL-2.1-only
# Part of image.sh: run by mmdebstrap, as root of the new tree ($1), with
# dom0_modules, guest_modules and image_parts set. It leaves the six images in the tree's
# root. Kernel and hypervisor are unpacked, not installed.
set -eu
PATH=$PATH:/usr/sbin:/sbin
root=$1
tmp=$root/tmp/image

# The first package that $1 depends on whose name begins with $2.
dep() {
    APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-cache depends "$1" |
        awk -v p="$2" '$1 == "Depends:" && index($2, p) == 1 \
            { print $2; exit }'
}

hypervisor=$(dep xen-system-amd64 xen-hypervisor-4)
kernel=$(dep linux-image-amd64 linux-image-)
version=${kernel#linux-image-}

# Copies the modules $3... and what they need from the kernel into $1, whose
# modules directory is $2.
copy_modules() {
    to=$1 dir=$2
    shift 2
    for m; do
        modprobe -d "$tmp/kernel" -S "$version" --show-depends "$m"
    done >"$tmp/closure"
    awk -v t="$tmp/kernel" '$1 == "insmod" { print substr($2, length(t) + 2) }
        ' "$tmp/closure" | sed 's,^usr/,,' | sort -u |
    while read -r file; do
        mkdir -p "$to/$dir/$(dirname "${file#lib/modules/}")"
        cp "$tmp/kernel/$file" "$to/$dir/${file#lib/modules/}"
    done
    cp "$tmp/kernel/lib/modules/$version"/modules.builtin* \
        "$tmp/kernel/lib/modules/$version"/modules.order "$to/$dir/$version/"
    depmod -b "$to" "$version"
}

# The number of $3 bytes at $2 of the file $1.
number() { od -An -v -t"u$3" -j"$2" -N"$3" "$1" | tr -d ' '; }

# The ELF file inside a bzImage, found as the kernel's x86 boot protocol says.
# Software emulation would spend seconds per guest on unpacking it there.
unpack_kernel() {
    from=$((($(number "$1" 497 1) + 1) * 512 + $(number "$1" 584 4)))
    # The last four bytes are the unpacked size.
    length=$(($(number "$1" 588 4) - 4))
    tail -c +$((from + 1)) "$1" | head -c $length >"$tmp/payload"
    case $(od -An -tx1 -N4 "$tmp/payload" | tr -d ' ') in
    fd377a58) xz -dc "$tmp/payload" ;;
    28b52ffd) zstd -q -dc "$tmp/payload" ;;
    1f8b*) gzip -dc "$tmp/payload" ;;
    *) echo "E: $1 is packed in a way unknown here" >&2; return 1 ;;
    esac
}

pack() { cpio --quiet -o -H newc -R 0:0 | zstd -q -6 -T0; }

echo "I: kernel and hypervisor"
mkdir -p "$tmp/debs" "$tmp/kernel" "$tmp/xen"
(cd "$tmp/debs" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG \
    apt-get -o APT::Sandbox::User=root download "$kernel" "$hypervisor")
dpkg-deb -x "$tmp/debs/$kernel"_*.deb "$tmp/kernel"
dpkg-deb -x "$tmp/debs/$hypervisor"_*.deb "$tmp/xen"
# Where the kernel lives under /usr only, modprobe -d still wants /lib.
[ -e "$tmp/kernel/lib" ] || ln -s usr/lib "$tmp/kernel/lib"
depmod -b "$tmp/kernel" "$version"
zcat "$tmp"/xen/boot/xen-4*-amd64.gz >"$root/xen"
unpack_kernel "$tmp/kernel/boot/vmlinuz-$version" >"$root/vmlinux"

echo "I: guest"
guest=$tmp/guest
mkdir -p "$guest/bin" "$guest/dev" "$guest/proc" "$guest/sys" "$guest/tmp" \
    "$guest/lib/modules"
busybox=/bin/busybox
[ -x $busybox ] || busybox=/usr/bin/busybox
cp $busybox "$guest/bin/busybox"
for applet in $("$guest/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$guest/bin/$applet"
done
copy_modules "$guest" lib/modules $guest_modules
(cd "$guest" && find . | pack) >"$root/guest.cpio.zst"

# unpack PACKAGE...: they and what they need beside dom0's packages, unpacked
# into a directory, which is printed; nothing is installed.
unpack() {
    into=$(mktemp -d "$tmp/unpack.XXXXXX")
    mkdir -p "$into.debs/partial"
    APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -q -y --download-only \
        -o APT::Sandbox::User=root -o "Dir::Cache::archives=$into.debs" \
        install "$@" >&2
    for deb in "$into".debs/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -C "$into" -x
    done
    # As in dom0, where /lib is a link.
    if [ -d "$into/lib" ]; then
        cp -a "$into/lib/." "$into/usr/lib"
        rm -r "${into:?}/lib"
    fi
    rm -rf "$into"/usr/lib/x86_64-linux-gnu/perl* \
        "$into/usr/lib/x86_64-linux-gnu/gconv" "$into.debs"
    echo "$into"
}

# pack_some DIR REGEX: the files below DIR whose names match, and the
# directories that they are in.
pack_some() {
    (
        cd "$1"
        find . ! -type d | sed 's,^./,,' | grep -E "$2" >"$tmp/some"
        {
            cat "$tmp/some"
            while read -r file; do
                while [ "$file" != "${file%/*}" ]; do
                    file=${file%/*}
                    echo "$file"
                done
            done <"$tmp/some"
        } | sort -u | pack
    )
    rm -rf "$1"
}

case " $image_parts " in
*" hvm "*)
    echo "I: QEMU for HVM guests"
    into=$(unpack qemu-system-xen)
    mkdir -p "$into/guest"
    cp "$tmp/kernel/boot/vmlinuz-$version" "$into/guest/vmlinuz"
    pack_some "$into" "^(guest|usr/libexec|usr/lib)/|\
^usr/share/(seabios/bios-256k|qemu/(linuxboot|kvmvapic))|\
^usr/share/qemu/keymaps/(en-us|common|modifiers)" >"$root/hvm.cpio.zst" ;;
esac

# Only libvirt's libxl driver: no other is started.
case " $image_parts " in
*" libvirt "*)
    echo "I: libvirt"
    into=$(unpack libvirt-daemon libvirt-daemon-driver-xen libvirt-clients)
    find "$into/usr/lib/x86_64-linux-gnu/libvirt" -name '*.so' \
        ! -name 'libvirt_driver_libxl.so' -delete
    # No CPU of QEMU's software emulation has it, and libvirt wants it of all.
    sed -i "/name='vme'/d" "$into/usr/share/libvirt/cpu_map/x86_486.xml"
    pack_some "$into" "^etc/libvirt/|^usr/s?bin/(libvirtd|virsh)$|\
^usr/share/libvirt/cpu_map/|^usr/lib/x86_64-linux-gnu/" \
        >"$root/libvirt.cpio.zst" ;;
esac
touch "$root/hvm.cpio.zst" "$root/libvirt.cpio.zst"

echo "I: dom0"
copy_modules "$root" lib/modules $dom0_modules
mkdir -p "$root/boot" "$root/guest" "$root/tests" "$root/var/log/xen/console"
cp "$root/vmlinux" "$root/guest/vmlinux"
rm -rf "$tmp"
# Perl is needed for nothing, and of Python only what reads JSON, for the
# script xendomains; a machine that lives for minutes does not look at the
# rest. Every megabyte is time at each boot.
cd "$root"
find usr/lib/python3* -mindepth 1 -maxdepth 1 -type d ! -name json \
    ! -name encodings ! -name collections ! -name re ! -name importlib \
    -exec rm -rf {} +
rm -rf var/lib/apt var/cache/* var/lib/dpkg var/log/apt usr/share/info \
    usr/share/python3 usr/share/i18n \
    usr/share/zoneinfo usr/share/perl* usr/lib/x86_64-linux-gnu/perl* \
    usr/lib/x86_64-linux-gnu/libperl* usr/bin/perl* \
    usr/lib/udev/hwdb* usr/lib/xen-*/boot/xen-shim usr/lib/xen-*/lib \
    usr/share/bash-completion usr/share/common-licenses \
    usr/lib/x86_64-linux-gnu/gconv
{
    find . -xdev \( -path ./dev -o -path ./proc -o -path ./sys -o \
        -path ./tmp -o -path ./run \) -prune -o \
        ! -path ./xen ! -path ./vmlinux ! -path ./guest.cpio.zst \
        ! -path ./dom0.cpio.zst ! -path ./hvm.cpio.zst \
        ! -path ./libvirt.cpio.zst -print
    printf './%s\n' dev proc sys tmp run
} | pack >"$root/dom0.cpio.zst"
