#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A tape's command takes minutes, and dom0's kernel waits for it before it
# lets go: nobody else gets the tape before, and nobody else waits for it.

setup() {
    . /tests/vscsi.sh
    . /tests/hbas.sh
    host=$(add_scsi_debug ptype=1)
    rm -f /tmp/said
}

teardown() {
    # Refused while a command is under way.
    wait_for "echo 0 2>/dev/null >$scsi_debug/delay" 60
    stop_guest a
    stop_guest b
    xl scsi-cleanup
    remove_scsi_debug all
    unload_hbas
}

# under_way TICKS [DISK]: guest a has the tape, after the disk, and a command
# to it that takes so many, 4 ms each.
under_way() {
    start_guest a pv
    [ $# -lt 2 ] || xl scsi-attach a "$2" 0:0:0:1
    xl scsi-attach a "$host:0:0:0" 0:0:0:0
    tape=$(guest_node a 0:0 scsi_tape)
    echo "$1" >$scsi_debug/delay
    guest a "dd if=/dev/$tape of=/dev/null bs=512 count=1 >/dev/null 2>&1 &"
    wait_for '[ "$(cat /sys/bus/scsi/devices/$host:0:0:0/device_busy)" -gt 0 ]' 20
}

# What the guest's command reads is what is exported.
@test "nothing is taken from under a command that is still under way" {
    under_way 7500      # 30 s
    id=$("$real_xl" domid a)
    "$real_xl" destroy a
    wait_for "! [ -e /sys/bus/xen-backend/devices/vscsi-$id-0 ]" 20
    exports=$(ours_in_lio)
    [ -n "$exports" ]
    run xl scsi-cleanup
    [ "$status" -eq 1 ]
    echo "$output" | grep "still holds the backend of a guest that had $host:0:0:0"
    [ -e /sys/devices/vscsi-$id-0 ]
    [ "$(ours_in_lio)" = "$exports" ]
    xl scsi-assignable-list -a | grep "$host:0:0:0.*has not let go"
    # It is as slow with what dom0 sends it then, to free its medium.
    wait_for 'assert_nothing_left >/dev/null' 150
}

# The guest says that it has let go, so dom0's driver does; LIO does not.
@test "a guest that lies about a tape holds up only who wants that" {
    # Disks of another driver: all of scsi_debug is slow at once.
    load_usb 3 4
    disk=$(usb_disk 3)
    start_guest b pv
    xl scsi-attach b "$disk" 0:0:0:1
    under_way 12500 "$(usb_disk 4)"     # 50 s
    guest a "forge </dev/null >/dev/null 2>&1 &"
    xl scsi-detach a 0:0:0:0 2>/tmp/said
    cat /tmp/said
    grep "still letting go of $host:0:0:0: a command of the guest" /tmp/said
    grep "what was detached is gone from the domain" /tmp/said
    [ "$(states a)" = "0:0:0:1 4 4" ]
    [ "$(cat /sys/bus/scsi/devices/$host:0:0:0/device_busy)" -gt 0 ]
    # Others neither wait for it,
    xl scsi-detach b 0:0:0:1
    xl scsi-attach b "$disk" 0:0:0:1
    [ "$(states b)" = "0:0:0:1 4 4" ]
    xl scsi-list a b
    [ "$(cat /sys/bus/scsi/devices/$host:0:0:0/device_busy)" -gt 0 ]
    # nor get it.
    xl scsi-assignable-list -a | grep "$host:0:0:0.*has not let go"
    # (A snapshot would open the LUN's directory, and wait.)
    run xl scsi-attach b "$host:0:0:0" 0:0:0:2
    [ "$status" -eq 1 ]
    echo "$output" | grep "is still letting go of $host:0:0:0: a command"
    [ "$(states b)" = "0:0:0:1 4 4" ]
    # Who was left behind goes on by itself.
    wait_for '! ours_in_lio | grep "xl-vscsi-$host:0:0:0"' 220
    wait_for "echo 1 2>/dev/null >$scsi_debug/delay" 60
    xl scsi-attach b "$host:0:0:0" 0:0:0:2
    [ "$(states b)" = "0:0:0:1 4 4
0:0:0:2 4 4" ]
    xl scsi-detach b '0:*'
}

@test "a backend that is not ours stays where it is" {
    start_guest a pv
    id=$("$real_xl" domid a)
    xenstore-write "/local/domain/0/backend/vscsi/$id/7/half-made" 1
    xl scsi-cleanup
    xenstore-read "/local/domain/0/backend/vscsi/$id/7/half-made"
    refused 1 "made by something else" xl scsi-attach a "$host:0:0:0" 7:0:0:0
    xl scsi-attach a "$host:0:0:0" 0:0:0:0
    xl scsi-detach a 0:0:0:0
    xenstore-read "/local/domain/0/backend/vscsi/$id/7/half-made"
    xenstore-rm /local/domain/0/backend/vscsi
    assert_nothing_left
}
