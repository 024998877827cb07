#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Sold libraries have one NAA for the changer and its drives. QEMU has neither,
# but it has a CD drive and disks with one WWN and one serial number on LUNs
# 0..4 of a target: to the toolstack, which looks at types and identities and
# not at what a device does, that is the same.

setup_file() {
    . /tests/vscsi.sh
    . /tests/hbas.sh
    load_usb 9
    wait_for 'usb_disk 9 4 >/dev/null' 30
    for l in 1 2 3 4; do
        echo "drive $l" |
            dd of="$(node_of "$(usb_disk 9 $l)")" bs=512 conv=sync,fsync
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
}

teardown() {
    life_teardown
}

each_in_its_place() {
    wait_for '[ "$(states life | grep -c " 4 4$")" -eq 5 ]' 60
    [ "$(guest_count life)" -eq 5 ]
    [ "$(guest_sysfs life 3:0 type)" = 5 ]
    for l in 1 2 3 4; do
        [ "$(guest_sysfs life "3:$l" type)" = 0 ]
        [ "$(guest life "head -n 1 /dev/$(guest_node life "3:$l" block)")" = "drive $l" ]
    done
}

@test "a library with one NAA survives a reboot and a migration" {
    list=''
    for l in 0 1 2 3 4; do
        at=$(usb_disk 9 $l)
        [ "$(cat "/sys/class/scsi_device/$at/device/wwid")" = naa.5000c500c0000000 ]
        list="$list'$at,0:0:3:$l',"
    done
    create pvh "vscsi=[$list]" 'on_reboot="restart"'
    wait_guest life
    each_in_its_place
    reboots 2
    each_in_its_place
    # Every address is another one now.
    usb_pull 9
    usb_plug 9
    wait_for 'usb_disk 9 4 >/dev/null' 30
    reboots 3
    each_in_its_place
    xl migrate -s '' life 'xl migrate-receive'
    each_in_its_place
    xl destroy life
    assert_nothing_left
}
