#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Many devices, vscsictrls and domains; orders of coming and going; the C API as
# a third party uses it.

setup_file() {
    . /tests/vscsi.sh
    start_guest one pv
    start_guest two pv
    # In this order: the WWIDs of the other one would meet.
    add_scsi_debug max_luns=16
    add_scsi_debug num_tgts=3 max_luns=3
    echo 16 >"$scsi_debug/max_luns"     # of both, for what they answer
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest one
    stop_guest two
    remove_scsi_debug all
}

# 16 LUNs of one target at $host, 3 targets of 3 LUNs at $few.
setup() {
    . /tests/vscsi.sh
    host=$(scsi_debug_hosts | head -n 1)
    few=$(scsi_debug_hosts | tail -n 1)
}

teardown() {
    for g in one two; do
        for v in $(states $g | cut -d' ' -f1 | cut -d: -f1 | sort -u); do
            thirdparty destroy "$("$real_xl" domid $g)" "$v"
        done
    done
}

thirdparty() {
    /tests/thirdparty "$@"
}

backend() {     # NODE: of the first guest's vscsictrl 0
    xenstore-read "/local/domain/0/backend/vscsi/$("$real_xl" domid one)/0/$1"
}

@test "16 LUNs of a target and 3 more targets arrive in one call of the C API, in one handshake" {
    # Writes to the backend's state: 1, 2, 4 and the watch's own first
    # event; a second handshake would add 7, 8 and 4.
    domid=$("$real_xl" domid one)
    stdbuf -oL xenstore-watch \
        "/local/domain/0/backend/vscsi/$domid/0/state" >/run/watched 3>&- &
    watcher=$!
    thirdparty attach "$domid" \
        $(for l in {0..15}; do echo "$host:0:0:$l,0:0:0:$l"; done
          for t in 0 1 2; do for l in 0 1 2; do
            echo "$few:0:$t:$l,0:0:$((t + 1)):$l"; done; done)
    [ "$(guest_count one)" -eq 25 ]
    [ "$(states one | grep -c ' 4 4$')" -eq 25 ]
    kill $watcher
    [ "$(wc -l </run/watched)" -le 4 ]
    thirdparty remove "$("$real_xl" domid one)" 0
    [ "$(guest_count one)" -eq 0 ]
    assert_nothing_left
}

@test "LUNs arrive one by one, and go in another order" {
    for l in {0..5}; do
        xl scsi-attach one "$host:0:0:$l" "0:0:0:$l"
    done
    [ "$(guest_count one)" -eq 6 ]
    for l in 5 0 3; do
        xl scsi-detach one "0:0:0:$l"
    done
    [ "$(guest_count one)" -eq 3 ]
    thirdparty remove "$("$real_xl" domid one)" 0
    [ "$(guest_count one)" -eq 0 ]
    assert_nothing_left
}

@test "two vscsictrls in a domain are two hosts in the guest" {
    xl scsi-attach one "$few:0:0:0" 0:0:0:0
    xl scsi-attach one "$few:0:0:1" 5:0:0:0
    [ "$(guest one 'ls -d /sys/bus/scsi/devices/*:0:0:0 | wc -l')" -eq 2 ]
    [ "$(states one)" = "0:0:0:0 4 4
5:0:0:0 4 4" ]
    xl scsi-detach one 0:0:0:0
    [ "$(states one)" = "5:0:0:0 4 4" ]
    [ "$(guest_count one)" -eq 1 ]
    xl scsi-detach one 5:0:0:0
    assert_nothing_left
}

@test "two domains share a target, each with its own LUN" {
    xl scsi-attach one "$few:0:1:0" 0:0:0:0
    xl scsi-attach two "$few:0:1:1" 0:0:0:0
    a=$(guest_node one 0:0 block)
    b=$(guest_node two 0:0 block)
    guest one "dd if=/dev/$a of=/dev/null bs=4k count=8 2>/dev/null"
    guest two "dd if=/dev/$b of=/dev/null bs=4k count=8 2>/dev/null"
    xl scsi-detach one 0:0:0:0
    guest two "dd if=/dev/$b of=/dev/null bs=4k count=8 2>/dev/null"
    [ "$(states two)" = "0:0:0:0 4 4" ]
    xl scsi-detach two 0:0:0:0
    assert_nothing_left
}

@test "a vdev is used again, by the same device and by another" {
    for l in 0 0 1 0; do
        xl scsi-attach one "$few:0:2:$l" 0:0:0:0
        [ "$(states one)" = "0:0:0:0 4 4" ]
        [ "$(guest_count one)" -eq 1 ]
        xl scsi-detach one 0:0:0:0
        [ "$(guest_count one)" -eq 0 ]
    done
    xl scsi-attach one "$few:0:2:2" 0:0:0:9
    for l in 0 1 0; do
        xl scsi-attach one "$few:0:2:$l" 0:0:0:0
        [ "$(guest_count one)" -eq 2 ]
        xl scsi-detach one 0:0:0:0
        [ "$(guest_count one)" -eq 1 ]
    done
    xl scsi-detach one 0:0:0:9
    assert_nothing_left
}

@test "a third party's program attaches, lists, gets info and detaches" {
    domid=$("$real_xl" domid one)
    run thirdparty attach "$domid" "$host:0:0:0,0:0:0:0" "$host:0:0:1,0:0:0:1"
    [ "$status" -eq 0 ]
    run thirdparty list "$domid"
    [ "$output" = "vscsictrl 0: $host:0:0:0 as 0:0:0:0, $host:0:0:1 as 0:0:0:1" ]
    run thirdparty info "$domid" 0:0:0:1
    [[ "$output" == "0:0:0:1 state 4/4 disk Linux scsi_debug /dev/sd"* ]]
    run thirdparty detach "$domid" 0:0:0:0
    [ "$status" -eq 0 ]
    run thirdparty list "$domid"
    [ "$output" = "vscsictrl 0: $host:0:0:1 as 0:0:0:1" ]
    run thirdparty remove "$domid" 0
    [ "$status" -eq 0 ]
    assert_nothing_left
}

@test "a third party's callback is called exactly once, with the result" {
    domid=$("$real_xl" domid one)
    run thirdparty -a attach "$domid" "$host:0:0:0,0:0:0:0"
    [ "$output" = "called back once: 0" ]
    [ "$(guest_count one)" -eq 1 ]
    run thirdparty -a attach "$domid" "$host:0:0:0,0:0:0:0"
    [[ "$output" == *"called back once: -17"* ]]
    run thirdparty -a remove "$domid" 0
    [ "$output" = "called back once: 0" ]
    assert_nothing_left
}

@test "an ao_how for the event queue is refused" {
    run thirdparty -e attach "$("$real_xl" domid one)" "$host:0:0:0,0:0:0:0"
    [ "$status" -eq 1 ]
    [[ "$output" == *"event queue"* ]]
    assert_nothing_left
}
