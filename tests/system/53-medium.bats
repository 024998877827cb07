#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What a guest has locked in a drive comes out when the guest has lost that.

setup() {
    . /tests/vscsi.sh
    . /tests/hbas.sh
    load_usb 9
    cd=$(usb_cd 9)
    sg=/dev/$(ls "/sys/bus/scsi/devices/$cd/scsi_generic")
    opens
    start_guest a pv
}

teardown() {
    stop_guest a
    unload_hbas
}

# usb_cd PORT: h:c:t:l of the CD drive there.
usb_cd() {
    for _d in "/sys/bus/usb/devices/2-$1:1.0"/host*/target*/*:*:*:0; do
        [ "$(cat "$_d/type")" != 5 ] || echo "${_d##*/}"
    done
}

# (eject(1), and sr's own ioctl, unlock the drive first.)
opens() {
    sg_start --eject "$sg" && sg_start --load "$sg"
}

lock() {
    xl scsi-attach a "$cd" 0:0:0:0
    guest a "tapeio lock /dev/$(guest_node a 0:0 scsi_generic)"
    no opens
}

@test "a drive that a guest has locked opens after a detach" {
    lock
    xl scsi-detach a 0:0:0:0
    opens
    assert_nothing_left
}

@test "a drive that a guest has locked opens after its end" {
    lock
    xl destroy a
    wait_for 'assert_nothing_left >/dev/null' 20
    opens
}
