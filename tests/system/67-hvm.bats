#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# HVM guests, with a device model: Linux with its PV drivers.

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
}

teardown() {
    life_teardown
}

@test "an HVM guest has the disk of its vscsi=, and gets and loses others" {
    with_disks
    create hvm "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    pgrep -f xen-qemu-system >/dev/null
    [ "$(guest_sysfs life 0:0 model)" = scsi_debug ]
    xl scsi-attach life "$host:0:0:1" 0:0:0:1
    xl scsi-attach life "$host:0:1:0" 1:0:0:0
    wait_for '[ "$(guest_count life)" -eq 3 ]' 20
    [ "$(states life)" = "0:0:0:0 4 4
0:0:0:1 4 4
1:0:0:0 4 4" ]
    guest life "dd if=/dev/$(guest_node life 0:1 block) of=/dev/null bs=64k count=8 2>/dev/null"
    xl scsi-detach life 0:0:0:1
    xl scsi-detach life '1:*'
    [ "$(states life)" = "0:0:0:0 4 4" ]
    [ "$(guest_count life)" -eq 1 ]
    xl destroy life
    wait_for '[ -z "$(snapshot_store; ours_in_lio)" ]' 20
}

@test "an HVM guest has its devices after a reboot, and after save and restore" {
    with_disks
    create hvm "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="restart"'
    wait_guest life
    xl scsi-attach life "$host:0:0:1" 0:0:0:1
    reboots 2
    [ "$(states life)" = "0:0:0:0 4 4
0:0:0:1 4 4" ]
    [ "$(guest_count life)" -eq 2 ]
    start_writing
    xl save life /run/life.save
    no xl domid life
    assert_nothing_left
    xl restore /run/life.save </dev/null
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4
0:0:0:1 4 4" ]
    xl destroy life
    assert_nothing_left
}
