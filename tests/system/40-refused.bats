#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What cannot be done is refused before anything is written, with a message
# that says why.

setup_file() {
    . /tests/vscsi.sh
    start_guest g pv
    start_guest h pv
    add_scsi_debug num_tgts=1 max_luns=8
    host=$(scsi_debug_hosts | tail -n 1)
    xl scsi-attach g "$host:0:0:0" 0:0:0:0
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest g
    stop_guest h
    remove_scsi_debug all
}

setup() {
    . /tests/vscsi.sh
    host=$(scsi_debug_hosts | tail -n 1)
}

attach() { xl scsi-attach "$@"; }

drop_partition() {
    dd if=/dev/zero of="$1" bs=512 count=1 conv=fsync 2>/dev/null
    blockdev --rereadpt "$1"
    settle
}

@test "no such domain" {
    refused 1 "there is no domain nobody" \
        attach nobody "$host:0:0:1" 0:0:0:1
    refused 1 "there is no domain 4711" attach 4711 "$host:0:0:1" 0:0:0:1
}

@test "no such device" {
    refused 1 "/dev/nothing" attach g /dev/nothing 0:0:0:1
    refused 1 "99:0:0:0" attach g 99:0:0:0 0:0:0:1
}

@test "not a SCSI device, or a part of one" {
    refused 1 "not a SCSI device" attach g /dev/null 0:0:0:1
    modprobe loop
    settle
    refused 1 "not a SCSI device" attach g /dev/loop0 0:0:0:1
    refused 1 "" attach g /etc/hostname 0:0:0:1
    node=$(node_of "$host:0:0:1")
    make_partition "$node"
    refused 1 "$node" attach g "${node}1" 0:0:0:1
    drop_partition "$node"
}

@test "a vdev in use" {
    refused 1 "vdev 0:0:0:0 is in use by $host:0:0:0" \
        attach g "$host:0:0:1" 0:0:0:0
}

@test "a device of this or another domain, whatever name is given" {
    refused 1 "it is assigned to this domain, g as 0:0:0:0" \
        attach g "$host:0:0:0" 0:0:0:1
    refused 1 "it is assigned to this domain, g as 0:0:0:0" \
        attach g "$(node_of "$host:0:0:0")" 0:0:0:1
    refused 1 "it is assigned to g as 0:0:0:0" \
        attach h "$(node_of "$host:0:0:0" scsi_generic)" 0:0:0:0
}

@test "a mounted disk, and a disk with a mounted partition" {
    node=$(node_of "$host:0:0:2")
    mkfs.ext4 -q "$node"
    mkdir -p /srv/a
    mount "$node" /srv/a
    refused 1 "cannot attach $node to g: it is mounted on /srv/a (unmount it first)" \
        attach g "$node" 0:0:0:2
    umount /srv/a
    make_partition "$node"
    mkfs.ext4 -q "${node}1"
    mount "${node}1" /srv/a
    refused 1 "${node}1" attach g "$node" 0:0:0:2
    [[ "$output" == *"mounted on /srv/a"* ]]
    umount /srv/a
    drop_partition "$node"
    attach g "$node" 0:0:0:2
    xl scsi-detach g 0:0:0:2
}

@test "a disk under device-mapper, as swap, or held open" {
    node=$(node_of "$host:0:0:3")
    echo "0 8192 linear $node 0" | dmsetup create --noudevsync holder
    refused 1 "holder" attach g "$node" 0:0:0:3
    dmsetup remove --noudevsync holder
    mkswap "$node" >/dev/null
    swapon "$node"
    refused 1 "swap" attach g "$node" 0:0:0:3
    swapoff "$node"
}

@test "LUNs, targets and channels that no guest would see" {
    refused 1 "LUN 255 is out of range (0..254)" \
        attach g "$host:0:0:4" 0:0:0:255
    refused 1 "target 64 is out of range (0..63)" \
        attach g "$host:0:0:4" 0:0:64:0
    refused 1 "channel 1" attach g "$host:0:0:4" 0:1:0:0
}

@test "a LIO target that does not exist" {
    refused 1 "naa.6001405012345678:0" \
        attach g naa.6001405012345678:0 0:0:0:4
}

is_malformed() {
    run "$@"
    echo "$* -> $status: $output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"vscsi: "* ]]
}

@test "malformed strings of every kind" {
    before=$(snapshot)
    for spec in 8:0:2 8:0:2:1:0 x:0:0:0 8:0:0:4junk ' ' '' dev/sda \
        naa.123:0 naa.6001405012345678 08:0:0:0 8:0:0:0x 0x8:0:0:0; do
        is_malformed attach g "$spec" 0:0:0:4
    done
    for vdev in 0:0:0 0:0:0:0:0 0:0:0:4junk 0:0:0: a:b:c:d 00:0:0:0 \
        0:0:0:4,foo 0:0:0:4,feature-host,feature-host 0:0:0:4, ''; do
        is_malformed attach g "$host:0:0:4" "$vdev"
    done
    is_malformed xl scsi-detach g 0:0:0
    [ "$(snapshot)" = "$before" ]
}

@test "options that differ on one vscsictrl" {
    refused 1 "vscsictrl 0 is without feature-host" \
        attach g "$host:0:0:4" 0:0:0:4,feature-host
}

@test "feature-host, as the third argument's option and as a fourth argument" {
    attach h "$host:0:0:4" 1:0:0:0,feature-host
    attach h "$host:0:0:5" 1:0:0:1 feature-host
    domid=$("$real_xl" domid h)
    [ "$(xenstore-read "/local/domain/0/backend/vscsi/$domid/1/feature-host")" = 1 ]
    xl scsi-detach h 1:0:0:0
    xl scsi-detach h 1:0:0:1
}

@test "detach of what is not there" {
    refused 1 "the domain has no device 0:0:0:9" xl scsi-detach g 0:0:0:9
    refused 1 "the domain has no device 7:0:0:0" xl scsi-detach g 7:0:0:0
}

@test "an unprivileged user is told, and changes nothing" {
    refused 1 "" setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$our_xl" scsi-attach g "$host:0:0:4" 0:0:0:4
    [ -n "$output" ]
}

@test "a record of a newer version is shown, and nothing of it is changed" {
    record=/libxl/$("$real_xl" domid g)/device/vscsi/0
    good=$(xenstore-read "$record")
    xenstore-write "$record" '{"version":2}'
    run xl scsi-list g h
    echo "$output"
    [ "$status" -eq 1 ]
    echo "$output" | grep -E "^g +[0-9]+ +0 +0 +4 +0 +- +\(unreadable\) +- +-$"
    echo "$output" | grep "the record of vscsictrl 0 of domain .* cannot be read"
    run xl scsi-list --json g
    echo "$output" | grep -E '"unreadable": ?true'
    refused 1 "cannot be read" attach g "$host:0:0:1" 0:0:0:1
    refused 1 "g may have it" attach h "$host:0:0:0" 0:0:0:1
    xl scsi-attach h "$host:0:0:1" 0:0:0:1
    xl scsi-detach h 0:0:0:1
    refused 1 "written by a newer version" xl scsi-detach g 0:0:0:0
    run xl scsi-cleanup
    [ "$status" -eq 1 ]
    [ -n "$(guest_node g 0:0 block)" ]
    xenstore-write "$record" "$good"
    xl scsi-detach g 0:0:0:0
    xl scsi-attach g "$host:0:0:0" 0:0:0:0
}

@test "a domain whose record cannot be read ends, and leaves nothing" {
    xl scsi-attach h "$host:0:0:1" 0:0:0:0
    xenstore-write "/libxl/$("$real_xl" domid h)/device/vscsi/0" '{'
    xl destroy h
    xl scsi-detach g 0:0:0:0
    wait_for 'assert_nothing_left >/dev/null' 20
    start_guest h pv
    xl scsi-attach g "$host:0:0:0" 0:0:0:0
}
