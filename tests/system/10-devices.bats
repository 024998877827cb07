#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Each kind of device goes to a guest, works there, and comes back.

setup_file() {
    . /tests/vscsi.sh
    start_guest pv pv
    start_guest pvh pvh
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest pv
    stop_guest pvh
}

setup() {
    . /tests/vscsi.sh
}

teardown() {
    for g in pv pvh; do
        for v in $(states $g | cut -d' ' -f1); do
            xl scsi-detach -f $g "$v"
        done
    done
    remove_scsi_debug all
}

# seen_as GUEST T:L TYPE: with vendor and model of dom0's device.
seen_as() {
    seen=$(guest "$1" "cd /sys/bus/scsi/devices/*:0:$2; cat type vendor model")
    echo "guest $1 has at $2:" $seen
    [ "$(echo $seen)" = "$3 Linux scsi_debug" ]
}

with_disk() {
    host=$(add_scsi_debug ptype=0)
    node=$(node_of "$host:0:0:0")
}

disk_is_read_and_written() {        # GUEST PDEV
    xl scsi-attach "$1" "$2" 0:0:0:0
    seen_as "$1" 0:0 0
    [ "$(states "$1")" = "0:0:0:0 4 4" ]
    sd=$(guest_node "$1" 0:0 block)
    # Written and read back past the guest's cache.
    sum=$(guest "$1" "dd if=/dev/urandom of=/a bs=64k count=8 2>/dev/null; \
        dd if=/a of=/dev/$sd bs=64k conv=fsync 2>/dev/null; \
        echo 3 >/proc/sys/vm/drop_caches; sha256sum </a; \
        dd if=/dev/$sd bs=64k count=8 2>/dev/null | sha256sum" | sort -u)
    [ "$(echo "$sum" | wc -l)" -eq 1 ]
    xl scsi-detach "$1" 0:0:0:0
    [ "$(guest_count "$1")" -eq 0 ]
    assert_nothing_left
    # Back in dom0, with what the guest wrote.
    [ "$(dd if="$node" bs=64k count=8 iflag=direct 2>/dev/null | sha256sum)" = "$sum" ]
    echo x | dd of="$node" bs=512 count=1 conv=sync,fsync 2>/dev/null
}

@test "a PV guest reads and writes a disk given by its node" {
    with_disk
    disk_is_read_and_written pv "$node"
}

@test "a PVH guest reads and writes a disk given by its node" {
    with_disk
    disk_is_read_and_written pvh "$node"
}

@test "a disk given by /dev/disk/by-id" {
    with_disk
    by_id=$(find -L /dev/disk/by-id -samefile "$node" | head -n 1)
    [ -n "$by_id" ]
    disk_is_read_and_written pv "$by_id"
}

@test "a disk given by its sg node" {
    with_disk
    disk_is_read_and_written pv "$(node_of "$host:0:0:0" scsi_generic)"
}

@test "a disk given by its address" {
    with_disk
    disk_is_read_and_written pv "$host:0:0:0"
}

tape_writes_and_reads_back() {      # GUEST PDEV
    xl scsi-attach "$1" "$2" 0:0:3:0
    seen_as "$1" 3:0 1
    [ -n "$(guest_node "$1" 3:0 scsi_tape)" ]
    sg=/dev/$(guest_node "$1" 3:0 scsi_generic)
    guest "$1" "dd if=/dev/urandom of=/b bs=512 count=1 2>/dev/null && \
        tapeio write $sg /b && tapeio read $sg /c && cmp /b /c"
    xl scsi-detach "$1" 0:0:3:0
    [ "$(guest_count "$1")" -eq 0 ]
    assert_nothing_left
}

@test "a PV guest writes a tape block and reads it back" {
    host=$(add_scsi_debug ptype=1 virtual_gb=1)
    tape_writes_and_reads_back pv "$(node_of "$host:0:0:0" scsi_tape)"
}

@test "a PVH guest writes a tape block and reads it back" {
    host=$(add_scsi_debug ptype=1 virtual_gb=1)
    tape_writes_and_reads_back pvh "$host:0:0:0"
}

@test "a tape given by its non-rewinding node" {
    host=$(add_scsi_debug ptype=1 virtual_gb=1)
    nst=/dev/n$(basename "$(node_of "$host:0:0:0" scsi_tape)")
    tape_writes_and_reads_back pv "$nst"
}

arrives_as() {                      # GUEST PDEV TYPE CLASS
    xl scsi-attach "$1" "$2" 0:0:0:7
    seen_as "$1" 0:7 "$3"
    [ -n "$(guest_node "$1" 0:7 "$4")" ]
    [ "$(states "$1")" = "0:0:0:7 4 4" ]
    xl scsi-detach "$1" 0:0:0:7
    [ "$(guest_count "$1")" -eq 0 ]
    assert_nothing_left
}

@test "a changer arrives, by its sch node and by its sg node, PV and PVH" {
    host=$(add_scsi_debug ptype=8)
    arrives_as pv "$(node_of "$host:0:0:0" scsi_changer)" 8 scsi_changer
    arrives_as pvh "$(node_of "$host:0:0:0" scsi_generic)" 8 scsi_generic
}

@test "a CD-ROM arrives, by its sr node and by its address, PV and PVH" {
    host=$(add_scsi_debug ptype=5)
    arrives_as pv "$(node_of "$host:0:0:0")" 5 scsi_generic
    arrives_as pvh "$host:0:0:0" 5 scsi_generic
}

@test "a disk of another driver with a WWN, by its WWN" {
    xl scsi-attach pv /dev/disk/by-id/wwn-0x5000c50015ea71ac 0:0:0:0
    [ "$(guest_sysfs pv 0:0 type)" = 0 ]
    sd=$(guest_node pv 0:0 block)
    guest pv "dd if=/dev/$sd of=/dev/null bs=4k count=16 2>/dev/null"
    xl scsi-list --json pv | grep -q '"wwid": "naa.5000c50015ea71ac"'
    xl scsi-detach pv 0:0:0:0
    assert_nothing_left
}
