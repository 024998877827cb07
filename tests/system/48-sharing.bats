#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# One unit for several: only where all of them say so, and never beside dom0.

uuid=7c4e2a52-25a5-4d5d-9f0e-0123456789ab

setup_file() {
    . /tests/vscsi.sh
    start_guest a pv "uuid='7c4e2a52-25a5-4d5d-9f0e-0123456789ab'"
    start_guest b pv
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest a
    stop_guest b
    remove_scsi_debug all
}

setup() {
    . /tests/vscsi.sh
    host=$(add_scsi_debug max_luns=2)
    node=$(node_of "$host:0:0:0")
}

teardown() {
    umount /srv/a 2>/dev/null || :
    stop_guest twin
    for g in a b; do
        for v in $(states $g | cut -d' ' -f1); do
            xl scsi-detach -f $g "$v"
        done
    done
    remove_scsi_debug all
    echo 1 >$scsi_debug/vpd_use_hostno
}

@test "two domains share a disk that both call shareable" {
    xl scsi-attach a "$node" 0:0:0:0,shareable
    xl scsi-attach b "$host:0:0:0" 0:0:0:3 shareable
    a=$(guest_node a 0:0 block) b=$(guest_node b 0:3 block)
    guest a "echo from a | dd of=/dev/$a bs=512 count=1 conv=sync,fsync 2>/dev/null"
    [[ "$(guest b "head -c 6 /dev/$b")" == "from a" ]]

    # The one that lets go leaves it to the other.
    xl scsi-detach a 0:0:0:0
    guest b "echo from b | dd of=/dev/$b bs=512 count=1 conv=sync,fsync 2>/dev/null"
    xl scsi-detach b 0:0:0:3
    assert_nothing_left
    [[ "$(dd if="$node" bs=512 count=1 iflag=direct 2>/dev/null | head -c 6)" == "from b" ]]
}

@test "who does not call it shareable has it alone" {
    xl scsi-attach a "$node" 0:0:0:0
    refused 1 "it is assigned to a as 0:0:0:0 (not as shareable" \
        xl scsi-attach b "$node" 0:0:0:0,shareable
    xl scsi-detach a 0:0:0:0
    xl scsi-attach a "$node" 0:0:0:0,shareable
    refused 1 "it is assigned to a as 0:0:0:0 (as shareable" \
        xl scsi-attach b "$node" 0:0:0:0
}

@test "what dom0 uses is not shared" {
    mkfs.ext4 -q "$node"
    mkdir -p /srv/a
    mount "$node" /srv/a
    refused 1 "it is mounted on /srv/a" \
        xl scsi-attach a "$node" 0:0:0:0,shareable
    umount /srv/a
}

@test "a second path goes to the same guest, where both are shareable" {
    remove_scsi_debug all
    one=$(add_scsi_debug vpd_use_hostno=0)
    two=$(add_scsi_debug vpd_use_hostno=0)
    xl scsi-attach a "$one:0:0:0" 0:0:0:0,shareable
    refused 1 "it is assigned to this domain, a as 0:0:0:0" \
        xl scsi-attach a "$two:0:0:0" 0:0:0:1
    refused 1 "it is assigned to this domain, a as 0:0:0:0" \
        xl scsi-attach a "$one:0:0:0" 0:0:0:1,shareable
    xl scsi-attach a "$two:0:0:0" 0:0:0:1,shareable
    [ "$(guest_count a)" -eq 2 ]
    xl scsi-detach a "$one:0:0:0"
    [ "$(states a)" = "0:0:0:1 4 4" ]
    xl scsi-detach a 0:0:0:1
    assert_nothing_left
}

@test "two running domains with one uuid do not share a device" {
    start_guest twin pv "uuid='$uuid'"
    xl scsi-attach a "$node" 0:0:0:0
    refused 1 "it is assigned to a as 0:0:0:0 (the uuid is the same" \
        xl scsi-attach twin "$node" 0:0:0:0
    stop_guest twin

    # Nor one that is being created.
    write_guest_config twin pv "uuid='$uuid'" "vscsi=['$node,0:0:0:0']"
    run xl create -q /run/twin.cfg </dev/null
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"it is assigned to a as 0:0:0:0 (the uuid is the same"* ]]
    [ "$(states a)" = "0:0:0:0 4 4" ]
}
