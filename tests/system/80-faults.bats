#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What goes wrong on a real machine: guests that lie, drivers and hardware
# that go away, commands that race with a domain's end, and hours of use.
# FAULT_CYCLES says how often; `make check-faults` takes 500.

cycles=${FAULT_CYCLES:-15}

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
}

teardown() {
    guest_args= life_teardown
}

# bounded COMMAND...: whatever it says, it comes to its end.
bounded() {
    _code=0
    timeout 150 "$@" >/dev/null 2>&1 || _code=$?
    [ $_code -ne 124 ] || { echo "no end: $*"; return 1; }
}

# All of xenstore but what belongs to domain $1, and what always changes.
store_without() {
    xenstore-ls -f | grep -v -e "^/local/domain/$1[/ ]" -e "^/libxl/$1[/ ]" \
        -e "^/local/domain/0/backend/[a-z]*/$1[/ ]" -e "^/vm/" \
        -e '/memory/' -e '/console/' | sort
}

@test "a guest that rewrites all that it owns does nothing to others" {
    with_disks
    start_guest life
    start_guest late
    id=$(xl domid life) other=$(xl domid late)
    xl scsi-attach late "$host:0:1:0" 0:0:0:0
    xl scsi-attach life "$host:0:0:0" 0:0:0:0
    before=$(store_without "$id")
    guest life "(hostile /local/domain/0/backend/vscsi/$other/0 /local/domain/0/backend/console/$other/0 /local/domain/$other/device/vscsi/0 /libxl/$other >/said 2>&1; echo >/ended) </dev/null >/dev/null 2>&1 &"
    for round in 1 2; do
        bounded xl scsi-attach life "$host:0:0:1" 0:0:0:1
        bounded xl scsi-list life
        bounded xl scsi-attach life "$host:0:0:1" 1:0:0:1
        bounded xl scsi-detach -f life 0:0:0:1
        bounded xl scsi-detach -f life 1:0:0:1
        [ "$(states late)" = "0:0:0:0 4 4" ]
    done
    guest life 'touch /calm; until [ -e /ended ]; do sleep 0.1; done; cat /said'
    [ "$(store_without "$id" | diff <(echo "$before") - | grep '^[<>]')" = "" ] ||
        { diff <(echo "$before") <(store_without "$id"); false; }
    guest late "dd if=/dev/$(guest_node late 0:0 block) of=/dev/null bs=4k count=8 iflag=direct"
    xl destroy life
    xl scsi-cleanup
    [ -z "$(xenstore-ls -f | grep "vscsi/$id[/ ]")" ]
    xl scsi-detach late 0:0:0:0
    xl destroy late
    assert_nothing_left
}

unload() {
    # An empty directory of the fabric keeps it loaded.
    [ ! -d $target/xen-pvscsi ] || rmdir $target/xen-pvscsi
    rmmod xen-scsiback
}

@test "a backend driver that was unloaded is loaded when it is needed" {
    with_disks
    start_guest life
    unload
    xl scsi-attach life "$host:0:0:0" 0:0:0:0
    [ "$(states life)" = "0:0:0:0 4 4" ]
    xl scsi-detach life 0:0:0:0
    unload
    xl scsi-cleanup
    xl scsi-attach life "$host:0:0:0" 0:0:0:0
    [ "$(guest_count life)" -eq 1 ]
    xl destroy life
    assert_nothing_left
}

@test "after the backend driver gave a vscsictrl up, its devices can go to another guest" {
    with_disks
    start_guest life
    xl scsi-attach life "$host:0:0:0" 0:0:0:0
    backend=$(basename /sys/bus/xen-backend/devices/vscsi-*)
    echo "$backend" >"$(readlink -f "/sys/bus/xen-backend/devices/$backend/driver")/unbind"
    [ "$(states life)" = "0:0:0:0 6 4" ]
    run xl scsi-attach life "$host:0:0:1" 0:0:0:1
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"vscsictrl 0 is closed"*"detach its devices"* ]]
    bounded xl scsi-detach life 0:0:0:0
    [ -z "$(states life)" ]
    assert_nothing_left
    # The guest itself may hang on a command that nobody answers any more.
    start_guest late
    xl scsi-attach late "$host:0:0:0" 0:0:0:0
    [ "$(states late)" = "0:0:0:0 4 4" ]
    [ "$(guest_count late)" -eq 1 ]
    xl destroy life
    [ "$(states late)" = "0:0:0:0 4 4" ]
    xl destroy late
    assert_nothing_left
}

# What must not grow.
sizes() {
    echo "nodes $(xenstore-ls -f | wc -l)"
    echo "configfs $(snapshot_configfs | wc -l)"
    for p in xenstored xenconsoled xl; do
        for pid in $(pidof $p); do
            echo "$p-$pid $(ls /proc/$pid/fd | wc -l)"
        done
    done
}

free_kb() {
    echo 3 >/proc/sys/vm/drop_caches
    awk '/^MemAvailable/ { print $2 }' /proc/meminfo
}

@test "attached and detached again and again beside a disk that is written to" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="restart"'
    wait_guest life
    start_writing
    id=$(xl domid life)
    # The first cycles bring everything to its size.
    warm=$((cycles / 10 + 5))
    /tests/soak "$id" "$host:0:0:1,0:0:0:1" $warm $warm
    before=$(sizes) memory=$(free_kb)
    /tests/soak "$id" "$host:0:0:1,0:0:0:1" "$cycles" $warm | tee /run/life.soak
    for i in 1 2 3; do
        xl scsi-attach life "$host:0:0:1" 0:0:0:1
        xl scsi-detach life 0:0:0:1
    done
    [ "$(sizes)" = "$before" ] || { diff <(echo "$before") <(sizes); false; }
    after=$(free_kb)
    echo "# $(cat /run/life.soak); dom0 has $((memory - after)) kB less" >&3
    [ $((memory - after)) -lt $((2048 + cycles * 4)) ]
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4" ]
}

# A disk that is gone, and another one at its address.
replaced() {
    _sd=/sys/class/scsi_device/$host:0:0:0/device
    echo 1 >"$_sd/delete"
    wait_for "[ ! -e $_sd ]" 20
}

comes_back_as_another() {
    echo 0 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    echo '0 0 0' >"/sys/class/scsi_host/host$host/scan"
    echo 1 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    wait_for "[ -e /sys/class/scsi_device/$host:0:0:0 ]" 20
    settle
}

@test "a disk that is taken away is shown as gone, and its place is free after detach" {
    with_disks
    start_guest life
    xl scsi-attach life "$disk" 0:0:0:0
    replaced
    run xl scsi-list life
    [[ "$output" == *"(gone)"* ]]
    comes_back_as_another
    run xl scsi-list life
    [[ "$output" == *"(gone)"* ]]
    run xl scsi-attach life "$host:0:0:0" 0:0:0:1
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"life"* ]]
    xl scsi-detach life 0:0:0:0
    assert_nothing_left
    xl scsi-attach life "$host:0:0:0" 0:0:0:1
    [ "$(states life)" = "0:0:0:1 4 4" ]
    guest life "dd if=/dev/$(guest_node life 0:1 block) of=/dev/null bs=4k count=8"
    xl scsi-detach life 0:0:0:1
    assert_nothing_left
}

@test "a disk that is taken away while it is written to can be detached" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0','$host:0:0:1,0:0:0:1']"
    wait_guest life
    start_writing
    replaced
    guest life 't=0; until [ -e /code ] || [ $t -ge 400 ]; do sleep 0.1; t=$((t+1)); done; cat /said'
    run xl scsi-list life
    [[ "$output" == *"(gone)"* ]]
    xl scsi-detach life 0:0:0:0
    [ "$(states life)" = "0:0:0:1 4 4" ]
    guest life "dd if=/dev/$(guest_node life 0:1 block) of=/dev/null bs=4k count=8"
    xl destroy life
    assert_nothing_left
}

@test "commands that race with a guest's reboots and its end leave nothing" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="restart"'
    wait_guest life
    rm -f /run/life.over
    for w in 1 2; do
        (set +e; while [ ! -e /run/life.over ]; do
            timeout 150 xl scsi-attach life "$host:0:0:1" "0:0:0:$w"
            [ $? -ne 124 ] || echo attach >>/run/life.hung
            timeout 150 xl scsi-list
            [ $? -ne 124 ] || echo list >>/run/life.hung
            timeout 150 xl scsi-detach life "0:0:0:$w"
            [ $? -ne 124 ] || echo detach >>/run/life.hung
        done; echo >/run/life.ended$w) >/dev/null 2>&1 3>&- &
    done
    reboots 2
    # No device twice.
    [ -z "$(states life | cut -d' ' -f1 | sort | uniq -d)" ]
    [ -z "$(xl scsi-list life | awk 'NR > 1 { print $5 }' | sort | uniq -d)" ]
    xl destroy life
    touch /run/life.over
    wait_for '[ -e /run/life.ended1 ] && [ -e /run/life.ended2 ]' 200
    [ ! -e /run/life.hung ]
    xl scsi-cleanup
    assert_nothing_left
}
