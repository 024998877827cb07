#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What all other system tests stand on.

setup() {
    . /tests/lib.sh
}

teardown() {
    stop_guest rig
    remove_scsi_debug all
}

@test "dom0 runs on Xen and the distribution's xl works" {
    [ "$(cat /sys/hypervisor/type)" = xen ]
    run "$real_xl" list
    [ "$status" -eq 0 ]
    [[ "$output" == *Domain-0* ]]
}

@test "a PV guest answers, with the command's output and exit code unchanged" {
    guest_args=noscsi start_guest rig pv
    run guest rig 'printf "a  b\n\n\$c"; exit 7'
    echo "status=$status output=$output"
    [ "$status" -eq 7 ]
    [ "$output" = $'a  b\n\n$c' ]
    run guest rig true
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(guest rig 'seq 1 2000' | sha256sum)" = "$(seq 1 2000 | sha256sum)" ]
    # noscsi leaves xen-scsifront to be loaded later.
    run guest rig 'grep -c scsifront /proc/modules'
    [ "$output" = 0 ]
    guest rig modprobe xen-scsifront
    guest rig 'grep -q scsifront /proc/modules'
}

@test "a PVH guest boots and answers" {
    start_guest rig pvh
    [ "$(guest rig echo hi)" = hi ]
}

@test "disk, tape, CD and changer appear in dom0 with their nodes" {
    for t in 0:disk:block 1:tape:scsi_tape 5:cd/dvd:block \
        8:mediumx:scsi_changer; do
        IFS=: read -r ptype name class <<<"$t"
        host=$(add_scsi_debug ptype="$ptype")
        run lsscsi "$host"
        [[ "$output" == *"$name"*scsi_debug* ]]
        [ -c "$(node_of "$host:0:0:0" scsi_generic)" ]
        [ -e "$(node_of "$host:0:0:0" "$class")" ]
        remove_scsi_debug
    done
}

@test "a SCSI host has as many targets and LUNs as asked for" {
    host=$(add_scsi_debug num_tgts=2 max_luns=3)
    [ "$(lsscsi "$host" | wc -l)" -eq 6 ]
}

@test "a disk with a WWN has its by-id link" {
    [ -b /dev/disk/by-id/wwn-0x5000c50015ea71ac ]
}
