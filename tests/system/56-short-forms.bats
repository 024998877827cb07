#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The short forms of scsi-attach and scsi-detach: no place said, any name, all
# devices of a place at once.

setup_file() {
    . /tests/vscsi.sh
    start_guest g pv
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest g
    remove_scsi_debug all
}

setup() {
    . /tests/vscsi.sh
    host=$(add_scsi_debug ptype=0 max_luns=4)
}

teardown() {
    umount /srv/a 2>/dev/null || :
    stop_guest lib
    for v in $(states g | cut -d' ' -f1); do
        xl scsi-detach -f g "$v"
    done
    remove_scsi_debug all
}

attached() { xl scsi-list g | awk 'NR > 1 { print $5 "=" $7 }'; }

@test "attach chooses the first free LUN and prints it" {
    run xl scsi-attach g "$(node_of "$host:0:0:2")"
    [ "$status" -eq 0 ]
    [ "$output" = 0:0:0:0 ]
    run xl scsi-attach g "$host:0:0:1" shareable
    [ "$output" = 0:0:0:1 ]
    xl scsi-attach g "$host:0:0:3" 0:0:0:3
    run xl scsi-attach g "$host:0:0:0"
    [ "$output" = 0:0:0:2 ]
    [ "$(guest_count g)" -eq 4 ]
}

@test "detach takes any name of the device" {
    node=$(node_of "$host:0:0:2")
    by_id=$(find -L /dev/disk/by-id -samefile "$node" | head -n 1)
    for name in "$node" "$by_id" "$host:0:0:2" \
        "$(node_of "$host:0:0:2" scsi_generic)" 0:0:0:1; do
        xl scsi-attach g "$host:0:0:0" 0:0:0:0
        xl scsi-attach g "$node" 0:0:0:1
        xl scsi-detach g "$name"
        [ "$(states g)" = "0:0:0:0 4 4" ]
        xl scsi-detach g "$host:0:0:0"
        [ -z "$(states g)" ]
    done
    refused 1 "the domain has no device $node" xl scsi-detach g "$node"
}

@test "a whole library comes in one line, LUN for LUN, and goes in one" {
    remove_scsi_debug all
    host=$(add_scsi_debug ptype=8 max_luns=1)
    node=$(node_of "$host:0:0:0" scsi_changer)
    echo 1 >$scsi_debug/ptype
    echo 4 >$scsi_debug/max_luns
    echo "- - -" >/sys/class/scsi_host/host"$host"/scan
    settle
    xl scsi-attach g "$node:*" '1:*'
    [ "$(states g)" = "1:0:0:0 4 4
1:0:0:1 4 4
1:0:0:2 4 4
1:0:0:3 4 4" ]
    guest g "cat /sys/bus/scsi/devices/*:0:0:*/type" | sort | uniq -c >/tmp/types
    cat /tmp/types
    xl scsi-detach g '1:*'
    [ "$(guest_count g)" -eq 0 ]
    assert_nothing_left
}

@test "in vscsi= as well, and the guest has them after a reboot" {
    write_guest_config lib pv "vscsi=['$host:*:*:*,0:*']"
    rm -f "$consoles/guest-lib.log"
    xl create -q /run/lib.cfg </dev/null
    wait_guest lib
    [ "$(states lib | wc -l)" -eq 4 ]
    [ "$(guest_count lib)" -eq 4 ]
    /tests/ask -n lib 'reboot -f'
    wait_guest lib 2
    [ "$(states lib | wc -l)" -eq 4 ]
    [ "$(guest_count lib)" -eq 4 ]
}

@test "what is used is named and refuses all, unless forced" {
    node=$(node_of "$host:0:0:1")
    mkfs.ext4 -q "$node"
    mkdir -p /srv/a
    mount "$node" /srv/a
    refused 1 "cannot attach $host:0:0:1 to g: it is mounted on /srv/a" \
        xl scsi-attach g "$host:0:0:*"
    [[ "$output" == *"of the 4 devices there, 1 cannot be had (with -f"* ]]
    run xl scsi-attach -f g "$host:0:0:*"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"$host:0:0:1 to g: it is mounted on /srv/a"* ]]
    [ "$(states g)" = "0:0:0:0 4 4
0:0:0:2 4 4
0:0:0:3 4 4" ]
}
