#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A unit has one owner: whoever holds it, in dom0 or as a block device in a
# guest, by whichever of its paths, is named, and nobody else gets it.

setup_file() {
    . /tests/vscsi.sh
    modprobe -a loop xen-blkback
    start_guest good pv
    start_guest evil pv
    guest good modprobe xen-blkfront
    guest evil modprobe xen-blkfront
    # Two hosts with the same disks: each is one unit with two paths.
    add_scsi_debug max_luns=2 vpd_use_hostno=0
    add_scsi_debug max_luns=2 vpd_use_hostno=0
    # What the first attach loads is no change.
    xl scsi-attach good "$(scsi_debug_hosts | head -n 1):0:0:1" 0:0:0:0
    xl scsi-detach good 0:0:0:0
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest good
    stop_guest evil
    remove_scsi_debug all
    echo 1 >/sys/bus/pseudo/drivers/scsi_debug/vpd_use_hostno
}

setup() {
    . /tests/vscsi.sh
    a=$(scsi_debug_hosts | sed -n 1p)
    b=$(scsi_debug_hosts | sed -n 2p)
    disk=$(node_of "$a:0:0:0")
    other=$(node_of "$b:0:0:0")
}

teardown() {
    for m in /srv/a /srv/b; do
        umount $m 2>/dev/null || :
    done
    swapoff -a
    for g in good evil; do
        for v in $(states $g | cut -d' ' -f1); do
            xl scsi-detach -f $g "$v"
        done
        "$real_xl" block-detach $g xvdz 2>/dev/null ||
            "$real_xl" block-detach $g xvdz --force 2>/dev/null || :
    done
    remove_admins_lun $wwn 0 iblock_77/mine
    dmsetup remove --noudevsync holder 2>/dev/null || :
    losetup -D
    rm -f /tmp/image
    for d in "$disk" "$other"; do
        dd if=/dev/zero of="$d" bs=512 count=1 conv=fsync 2>/dev/null
        blockdev --rereadpt "$d" || :
    done
    settle
}

attach() { xl scsi-attach "$@"; }

wwn=naa.6001405aaaabbbb7

# both MESSAGE: by either of its paths the unit is refused to anybody.
both() {
    refused 1 "$1" attach evil "$disk" 0:0:0:0
    refused 1 "$1" attach evil "$b:0:0:0" 0:0:0:0
}

# ----- guests' block devices -----

@test "a disk that a guest has through blkback goes to nobody, by either path" {
    xl block-attach good "phy:$disk,xvdz,w"
    both "is assigned to good as xvdz through blkback (xl block-detach good xvdz first)"
    refused 1 "assigned to good as xvdz through blkback" \
        attach good "$(node_of "$a:0:0:0" scsi_generic)" 0:0:0:0
    xl block-detach good xvdz
    attach evil "$disk" 0:0:0:0
}

@test "nor the whole disk of a partition" {
    make_partition "$disk"
    xl block-attach good "phy:${disk}1,xvdz,w"
    refused 1 "its partition ${disk}1 is assigned to good as xvdz" \
        attach evil "$disk" 0:0:0:0
}

@test "nor one that a guest has through device-mapper or a loop device" {
    echo "0 8192 linear $disk 0" | dmsetup create --noudevsync holder
    dmsetup mknodes
    xl block-attach good "phy:/dev/mapper/holder,xvdz,w"
    refused 1 "used by device-mapper volume holder" \
        attach evil "$disk" 0:0:0:0
    [[ "$output" == *"assigned to good as xvdz through blkback"* ]]
    "$real_xl" block-detach good xvdz
    dmsetup remove --noudevsync holder
    loop=$(losetup -f --show "$disk")
    xl block-attach good "phy:$loop,xvdz,w"
    refused 1 "used by loop device $loop, assigned to good as xvdz" \
        attach evil "$disk" 0:0:0:0
}

@test "a disk that a guest has through vscsi is no block device for anybody" {
    make_partition "$disk"
    attach good "$disk" 0:0:0:0
    for d in "$disk" "${disk}1" "$other"; do
        refused 1 "it is assigned to good as 0:0:0:0" \
            xl block-attach evil "phy:$d,xvdz,w"
    done
    refused 1 "it is assigned to good as 0:0:0:0" \
        xl block-attach good "phy:$disk,xvdz,w"
    # What it has not, is not refused.
    xl block-attach evil "phy:$(node_of "$a:0:0:1"),xvdz,w"
    write_guest_config third pv "disk=['phy:$disk,xvdz,w']"
    run xl create -q /run/third.cfg
    echo "$status: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"$disk: it is assigned to good as 0:0:0:0"* ]]
    no "$real_xl" domid third
}

@test "a domain's own disk is not given to it through vscsi as well" {
    write_guest_config third pv "disk=['phy:$disk,xvdz,w']" \
        "vscsi=['$disk,0:0:0:0']"
    run xl create -q /run/third.cfg
    echo "$status: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"assigned to third as xvdz through blkback"* ]]
    no "$real_xl" domid third
    assert_nothing_left
}

# ----- dom0's own use, by the path that is not named -----

@test "mounted or swap space, by either path" {
    mkfs.ext4 -q "$other"
    mkdir -p /srv/a
    mount "$other" /srv/a
    both "is mounted on /srv/a (unmount it first)"
    umount /srv/a
    mkswap "$other" >/dev/null
    swapon "$other"
    both "is swap space of dom0"
    swapoff "$other"
    attach evil "$disk" 0:0:0:0
}

@test "in device-mapper by either path, what is mounted from there, multipath" {
    echo "0 8192 linear $other 0" | dmsetup create --noudevsync holder
    dmsetup mknodes
    mkfs.ext4 -q /dev/mapper/holder
    mkdir -p /srv/a
    mount /dev/mapper/holder /srv/a
    both "mounted on /srv/a (unmount it first)"
    [[ "$output" == *"used by device-mapper volume holder"* ]]
    umount /srv/a
    dmsetup remove --noudevsync holder
    echo "0 8192 linear $other 0" |
        dmsetup create --noudevsync holder -u mpath-3600
    both "path of multipath device holder"
    [[ "$output" == *"multipath -f holder first"* ]]
}

@test "a loop device upon either path, or upon a partition, and its mount" {
    loop=$(losetup -f --show "$other")
    both "used by loop device $loop"
    [[ "$output" == *"losetup -d $loop first"* ]]
    mkfs.ext4 -q "$loop"
    mkdir -p /srv/a
    mount "$loop" /srv/a
    both "used by loop device $loop, mounted on /srv/a"
    umount /srv/a
    losetup -d "$loop"
    make_partition "$disk"
    loop=$(losetup -f --show "${disk}1")
    refused 1 "its partition ${disk}1 is used by loop device $loop" \
        attach evil "$disk" 0:0:0:0
}

@test "exported by another fabric of LIO, the disk or a partition" {
    make_partition "$disk"
    core=$target/core/iblock_77
    for d in "$disk" "${disk}1"; do
        mkdir -p "$core/mine"
        echo "udev_path=$d" >"$core/mine/control"
        echo 1 >"$core/mine/enable"
        run attach evil "$disk" 0:0:0:0
        rmdir "$core/mine" "$core"
        echo "$status: $output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"LIO backstore iblock/mine of dom0"* ]]
    done
}

@test "an admin's target is no holder of its disk, a mount by the other path is" {
    mkdir -p $target/core/iblock_77/mine
    echo "udev_path=$disk" >$target/core/iblock_77/mine/control
    echo 1 >$target/core/iblock_77/mine/enable
    make_admins_lun $wwn 0 iblock_77/mine
    mkfs.ext4 -q "$other"
    mkdir -p /srv/a
    mount "$other" /srv/a
    for name in $wwn:0 "$disk" "$b:0:0:0"; do
        refused 1 "its path $other is mounted on /srv/a (unmount it first)" \
            attach evil "$name" 0:0:0:0
    done
    xl scsi-assignable-list -a | grep "$a:0:0:0" | grep "mounted on /srv/a"
    umount /srv/a
    xl scsi-assignable-list | grep "$a:0:0:0"
    attach evil "$b:0:0:0" 0:0:0:0
}

# ----- tapes -----

@test "a tape drive that a program of dom0 has open is refused by its name" {
    t=$(add_scsi_debug ptype=1)
    st=$(node_of "$t:0:0:0" scsi_tape)
    nst=/dev/n${st#/dev/}
    sleep 60 3<"$nst" &
    pid=$!
    wait_for "[ -e /proc/$pid/fd/3 ] && grep -q sleep /proc/$pid/comm" 10
    refused 1 "($pid) has $nst open (stop it first)" \
        attach evil "$st" 0:0:0:0
    kill $pid
    wait $pid || :
    sg=$(node_of "$t:0:0:0" scsi_generic)
    sleep 60 3<"$sg" &
    pid=$!
    wait_for "[ -e /proc/$pid/fd/3 ] && grep -q sleep /proc/$pid/comm" 10
    refused 1 "sleep ($pid) has $sg open (stop it first)" \
        attach evil "$nst" 0:0:0:0
    kill $pid
    wait $pid || :
    attach evil "$st" 0:0:0:0
    xl scsi-detach evil 0:0:0:0
    remove_scsi_debug
    echo 0 >"$scsi_debug/ptype"
}
