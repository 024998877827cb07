#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# USB storage comes and goes, and says of itself what it likes: a guest gets
# the device that it had, or none.

# PORT[:LUN] of each: sticks without VPD pages; three disks with one WWN, two
# of them in one box; two disks that say that their WWN is zero.
declare -gA at=([stick1]=3 [stick2]=4 [box1a]=5 [box1b]=5:1 [box2]=6
    [zero7]=7 [zero8]=8)

setup_file() {
    . /tests/vscsi.sh
    . /tests/hbas.sh
    load_usb 3 4 5 6 7 8
    for n in "${!at[@]}"; do
        echo "$n" | dd of="$(node_of "$(hctl "$n")")" bs=512 conv=sync,fsync
    done
}

teardown_file() {
    . /tests/hbas.sh
    unload_hbas
}

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
    . /tests/hbas.sh
    rm -f /var/log/xen/xl-life.log
}

# What a test moved or took away is there again.
teardown() {
    life_teardown
    qemu "device_del stick2"
    wait_for '[ ! -e /sys/bus/usb/devices/2-4 ]' 10
    ! usb_disk 3 >/dev/null || usb_pull 3
    for p in 1 2; do
        [ -e /sys/bus/usb/devices/2-$((p + 2)) ] || stick $p $((p + 2))
    done
    for p in 3 4 5 6 7 8; do
        usb_disk $p >/dev/null || usb_plug $p
    done
}

# hctl NAME: where it is now.
hctl() {
    IFS=: read -r port lun <<<"${at[$1]}"
    usb_disk "$port" "$lun"
}

# link KIND NAME: udev's name of it.
link() {
    find -L "/dev/disk/$1" -samefile "$(node_of "$(hctl "$2")")" | head -n 1
}

# has NAME...: the guest's LUNs are these, with what is written on them.
has() {
    i=0
    for n; do
        [ "$(guest life "head -c 8 /dev/$(guest_node life "0:$i" block) | head -n 1")" = "$n" ]
        i=$((i + 1))
    done
    [ "$(guest_count life)" -eq $# ]
}

# not_started MESSAGE: the guest reboots, and does not come back.
not_started() {
    message=$1
    ends_by 'reboot -f'
    wait_for 'grep -q "$message" /var/log/xen/xl-life.log' 60 || {
        cat /var/log/xen/xl-life.log
        return 1
    }
    wait_for '! xl domid life 2>/dev/null' 20
    wait_for 'assert_nothing_left >/dev/null' 15
}

with_guest() {
    list='' i=0
    for n; do
        list="$list'$n,0:0:0:$i,missing=fail',"
        i=$((i + 1))
    done
    create pv "vscsi=[$list]" 'on_reboot="restart"'
    wait_guest life
    wait_for '[ "$(states life | grep -c " 4 4$")" -eq '"$# ]" 30
}

@test "plugged in again, in another order: a reboot finds each" {
    with_guest "$(link by-id stick1)" "$(link by-id box1a)" "$(hctl zero7)" \
        "$(hctl box1b)" "$(hctl box2)"
    has stick1 box1a zero7 box1b box2
    for p in 3 5 7 4 6 8; do
        usb_pull $p
    done
    # Until then it has none, and does not come by another one.
    no guest life "dd if=/dev/$(guest_node life 0:0 block) of=/dev/null bs=512 count=1 iflag=direct"
    for p in 8 7 6 5 4 3; do
        usb_plug $p
    done
    no guest life "dd if=/dev/$(guest_node life 0:0 block) of=/dev/null bs=512 count=1 iflag=direct"
    reboots 2
    has stick1 box1a zero7 box1b box2
}

@test "plugged in again and attached again, it is the same one" {
    with_guest "$(link by-id stick1)" "$(hctl zero7)"
    name=$(link by-id stick1)
    usb_pull 3
    usb_pull 7
    xl scsi-detach life 0:0:0:0
    refused 1 "$name" xl scsi-attach life "$name" 0:0:0:0
    xl scsi-detach life 0:0:0:1
    usb_plug 7
    usb_plug 3
    xl scsi-attach life "$name" 0:0:0:0
    xl scsi-attach life "$(hctl zero7)" 0:0:0:1
    has stick1 zero7
}

# is_gone NAME PDEV: while all the others are there.
is_gone() {
    with_guest "$2"
    has "$1"
    usb_pull "${at[$1]%:*}"
    not_started "dom0 has no device .* any more"
}

@test "a stick that is gone: the guest does not get the other one" {
    is_gone stick1 "$(hctl stick1)"
}

@test "a disk that is gone: the guest does not get one with its WWN" {
    is_gone box1a "$(link by-id box1a)"
}

# stick N PORT: plugs this one in there.
stick() {
    qemu "device_add usb-storage,id=stick$1,bus=xhci.0,port=$2,drive=stick$1,serial=stick$1"
    wait_for "[ -e /sys/bus/usb/devices/2-$2 ]" 10
    usb_plug "$2"
}

# replaced NAME: by another stick of its model, in its port; NAME is gone.
replaced() {
    with_guest "$1"
    qemu "device_del stick1"
    qemu "device_del stick2"
    wait_for '[ ! -e /sys/bus/usb/devices/2-3 ] && [ ! -e /sys/bus/usb/devices/2-4 ]' 10
    stick 2 3
    not_started "dom0 has no device $1 any more"
}

@test "another stick in its place, where all of SCSI is the same" {
    replaced "$(link by-id stick1)"
}

@test "another stick in its place, given by the name of the place" {
    replaced "$(link by-path stick1)"
}
