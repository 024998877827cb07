#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Guests that have not loaded xen-scsifront, or not yet run, or cannot answer.

setup() {
    . /tests/vscsi.sh
    host=$(add_scsi_debug max_luns=3)
}

teardown() {
    stop_guest late
    xl scsi-cleanup
    remove_scsi_debug all
}

@test "devices come and go before the driver is loaded, and appear with it" {
    guest_args=noscsi start_guest late pv
    run xl scsi-attach late "$host:0:0:0" 0:0:0:0
    [ "$status" -eq 0 ]
    [[ "$output" == *"has not connected vscsictrl 0 yet"* ]]
    run xl scsi-attach late "$host:0:0:1" 0:0:0:1
    [ "$status" -eq 0 ]
    [[ "$output" == *"has not connected vscsictrl 0 yet"* ]]
    xl scsi-detach late 0:0:0:0
    [ "$(states late)" = "0:0:0:1 2 1" ]
    xl scsi-detach late 0:0:0:1
    assert_nothing_left
    xl scsi-attach late "$host:0:0:2" 0:0:0:2
    xl scsi-attach late "$host:0:0:1" 0:0:0:1
    [ "$(states late)" = "0:0:0:1 2 1
0:0:0:2 2 1" ]
    guest late modprobe xen-scsifront
    wait_for '[ "$(guest_count late)" -eq 2 ]' 30
    wait_for '[ "$(states late | grep -c " 4 4$")" -eq 2 ]' 30
    xl scsi-detach late 0:0:0:1
    xl scsi-detach late 0:0:0:2
    [ "$(guest_count late)" -eq 0 ]
    assert_nothing_left
}

@test "a paused domain is not asked, and loses a device by force only" {
    start_guest late pv
    xl scsi-attach late "$host:0:0:0" 0:0:0:0
    xl scsi-attach late "$host:0:0:1" 0:0:0:1
    xl pause late
    refused 1 "the domain is paused" xl scsi-attach late "$host:0:0:2" 0:0:0:2
    refused 1 "the domain is paused" xl scsi-detach late 0:0:0:1
    xl unpause late
    xl scsi-attach late "$host:0:0:2" 0:0:0:2
    [ "$(guest_count late)" -eq 3 ]
    # By force the last one goes all the same.
    xl scsi-detach late 0:0:0:1
    xl scsi-detach late 0:0:0:2
    xl pause late
    xl scsi-detach -f late 0:0:0:0
    assert_nothing_left
}

@test "a crashed domain is not asked, and gives back what is asked for" {
    start_guest late pv 'on_crash="preserve"'
    xl scsi-attach late "$host:0:0:0" 0:0:0:0
    xl scsi-attach late "$host:0:0:1" 0:0:0:1
    /tests/ask -n late "echo c >/proc/sysrq-trigger"
    wait_for "xl list late | grep -q -- '---.c-'" 30
    refused 1 "the domain has crashed" xl scsi-attach late "$host:0:0:2" 0:0:0:2
    refused 1 "the domain has crashed" xl scsi-attach late "$host:0:0:2" 1:0:0:2
    xl scsi-detach late 0:0:0:1
    [ "$(states late | cut -d ' ' -f 1)" = "0:0:0:0" ]
    [ "$(ours_in_lio | wc -l)" -eq 2 ]
    xl scsi-detach late 0:0:0:0
    assert_nothing_left
}

@test "a domain created paused gets its devices when it runs" {
    write_guest_config late pv
    xl create -q -p /run/late.cfg </dev/null
    run xl scsi-attach late "$host:0:0:0" 0:0:0:0
    [ "$status" -eq 0 ]
    [[ "$output" == *"has not connected vscsictrl 0 yet"* ]]
    xl unpause late
    wait_guest late
    wait_for '[ "$(guest_count late)" -eq 1 ]' 30
    wait_for '[ "$(states late)" = "0:0:0:0 4 4" ]' 30
}
