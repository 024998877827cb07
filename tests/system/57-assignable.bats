#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What dom0 has to give, and who has the rest.

setup_file() {
    . /tests/vscsi.sh
    start_guest g pv
}

teardown_file() {
    . /tests/vscsi.sh
    echo 1 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    umount /srv/a 2>/dev/null || :
    stop_guest g
    remove_scsi_debug all
}

# rows HOST [OPTION...]: the lines of this SCSI host, without what they say of
# the device.
rows() {
    host=$1
    shift
    xl scsi-assignable-list "$@" |
        awk -v h="$host:" 'index($6, h) == 1 { $2 = $3 = $4 = $5 = ""; print }' |
        tr -s ' '
}

@test "a unit is one line, and is free or somebody's" {
    . /tests/vscsi.sh
    host=$(add_scsi_debug max_luns=3)
    node=$(node_of "$host:0:0:1")
    mkfs.ext4 -q "$node"
    mkdir -p /srv/a
    mount "$node" /srv/a
    xl scsi-attach g "$host:0:0:2" 0:0:0:4
    before=$(snapshot)
    [ "$(rows "$host")" = "disk $host:0:0:0 free" ]
    [ "$(rows "$host" -a)" = "disk $host:0:0:0 free
disk $host:0:0:1 it is mounted on /srv/a (unmount it first)
disk $host:0:0:2 it is assigned to g as 0:0:0:4" ]
    [ "$(snapshot)" = "$before" ]
    # What is called free can be had by the name in the list.
    name=$(xl scsi-assignable-list |
        awk -v h="$host:0:0:0" '$6 == h { print $5 }')
    xl scsi-attach g "$name" 0:0:0:0
    [ -z "$(rows "$host")" ]
    umount /srv/a
    [ "$(rows "$host")" = "disk $host:0:0:1 free" ]
}

@test "two paths are one unit, and JSON has all of it" {
    . /tests/vscsi.sh
    echo 0 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    first=$(add_scsi_debug)
    second=$(add_scsi_debug)
    json=$(xl scsi-assignable-list --json)
    echo "$json"
    [ "$(rows "$first")" = "disk $first:0:0:0,$second:0:0:0 free" ]
    [ -z "$(rows "$second")" ]
    paths=$(grep -c "\"hctl\": \"\($first\|$second\):0:0:0\"" <<<"$json")
    [ "$paths" -eq 2 ]
    grep -q "\"unit_max_sectors_kb\": $(cat "/sys/block/$(basename "$(node_of "$first:0:0:0")")/queue/max_hw_sectors_kb")," <<<"$json"
    xl scsi-attach g "$second:0:0:0" 1:0:0:0
    [ -z "$(rows "$first")$(rows "$second")" ]
    rows "$first" -a | grep -q "it is assigned to g as 1:0:0:0"
}

@test "what cannot be looked at is not free, and its row says why" {
    . /tests/vscsi.sh
    echo 1 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    host=$(add_scsi_debug)
    # Of mount itself, which has ended: reading it fails.
    mount --bind /proc/self/mem /proc/swaps
    all=$(rows "$host" -a 2>&1) && free=$(xl scsi-assignable-list 2>/run/log)
    umount /proc/swaps
    echo "$all"
    cat /run/log
    [ "$all" = "disk $host:0:0:0 what may hold it cannot be found out: cannot \
look at /proc/swaps: No such process" ]
    [ "$(awk -v h="$host:" 'index($6, h) == 1' <<<"$free")" = "" ]
    grep -q "$host:0:0:0: what may hold it cannot be found out" /run/log
    [ "$(rows "$host")" = "disk $host:0:0:0 free" ]
}
