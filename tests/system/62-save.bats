#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# vscsi=[...] over save and restore: the guest's work goes on.

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
}

teardown() {
    life_teardown
    ! mountpoint -q /run/small || umount /run/small
}

goes_on_mid_write() {               # TYPE
    with_disks
    create "$1" "vscsi=['$host:0:0:0,0:0:0:0','$host:0:1:1,1:0:1:1']"
    wait_guest life
    start_writing
    xl save life /run/life.save
    no xl domid life
    assert_nothing_left
    # The guest says nothing at its restore: the log is as long as before.
    xl restore /run/life.save </dev/null
    writes_on
    [ "$(guest_count life)" -eq 2 ]
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4
1:0:1:1 4 4" ]
    xl destroy life
    assert_nothing_left
}

@test "a PV guest is saved mid-write and restored: its pattern is intact" {
    goes_on_mid_write pv
}

@test "a PVH guest is saved mid-write and restored: its pattern is intact" {
    goes_on_mid_write pvh
}

@test "what was attached and detached after create is saved as it is" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl scsi-attach life "$host:0:0:1" 2:0:0:1
    xl scsi-detach life 0:0:0:0
    xl save life /run/life.save
    xl restore /run/life.save </dev/null
    [ "$(guest_count life)" -eq 1 ]
    wait_for '[ "$(states life)" = "2:0:0:1 4 4" ]' 10
}

@test "after save -c, a save that failed and save -p the guest writes on" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    start_writing
    xl save -c life /run/life.save
    writes_on
    mkdir -p /run/small
    mount -t tmpfs -o size=4m small /run/small
    run xl save life /run/small/life.save
    [ "$status" -ne 0 ]
    writes_on
    xl save -p life /run/life.save
    xl list life | grep -q -- '--p---'
    xl unpause life
    writes_on
    stop_writing
}

@test "after save -c of a PVH guest it writes on" {
    with_disk
    create pvh "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    start_writing
    xl save -c life /run/life.save
    writes_on
    stop_writing
}

@test "restore -p leaves the guest paused with its devices prepared" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl save life /run/life.save
    xl restore -p /run/life.save </dev/null
    xl list life | grep -q -- '--p---'
    [ "$(states life)" = "0:0:0:0 2 1" ]
    xl unpause life
    wait_for '[ "$(states life)" = "0:0:0:0 4 4" ]' 20
}

@test "restore with another configuration takes the devices from that" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl save life /run/life.save
    config pv "vscsi=['$host:0:1:0,0:0:0:0']"
    xl restore /run/life.cfg /run/life.save </dev/null
    xl list -l life | grep -q "\"p_devname\": \"$host:0:1:0\""
    wait_for '[ "$(states life)" = "0:0:0:0 4 4" ]' 20
}

@test "a file saved here is restored by the distribution's xl" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl save life /run/life.save
    "$real_xl" restore /run/life.save </dev/null
    [ -z "$(states life)" ]
    guest life true
}

@test "a file saved by the distribution's xl is restored here" {
    create pv
    wait_guest life
    "$real_xl" save life /run/life.save
    xl restore /run/life.save </dev/null
    [ -z "$(states life)" ]
    guest life true
}

@test "a restore finds a device that moved to another address by its WWID" {
    echo 0 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    first=$(add_scsi_debug)
    create pv "vscsi=['$first:0:0:0,0:0:0:0']"
    wait_guest life
    xl save life /run/life.save
    second=$(add_scsi_debug)
    echo 1 >"/sys/class/scsi_device/$first:0:0:0/device/delete"
    xl restore /run/life.save </dev/null
    echo 1 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    wait_for '[ "$(states life)" = "0:0:0:0 4 4" ]' 20
    xl scsi-list life | grep -q " $second:0:0:0 "
    guest life "dd if=/dev/$(guest_node life 0:0 block) of=/dev/null bs=4k count=1"
}

@test "a restore whose device is gone makes no domain" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl save life /run/life.save
    remove_scsi_debug
    run xl restore /run/life.save
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"cannot attach $host:0:0:0 to life: dom0 has no device naa."* ]]
    no xl domid life
    assert_nothing_left
}

@test "a restore refuses another device at the old address, by name" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl save life /run/life.save
    wwid=$(cat "/sys/class/scsi_device/$host:0:0:0/device/wwid")
    # Who is at that address is known by what the saved file says.
    /usr/bin/sed -i "s/$wwid/naa.3333333000000bad/" /run/life.save
    run xl restore /run/life.save
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"at $host:0:0:0 is another one now, Linux scsi_debug $wwid"* ]]
    no xl domid life
    assert_nothing_left
}
