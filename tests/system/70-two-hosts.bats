#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Live migration between two machines that share a disk: it has one WWN, and
# another h:c:t:l on each.  They run here, on the first one.

wwn=/dev/disk/by-id/wwn-0x5000c50015ea71ac
here=10.0.0.1
there=10.0.0.2

setup_file() {
    # For the way back; no file of bats is kept open by it.
    /tests/remote-sh serve </dev/null >/dev/null 2>&1 3>&- &
    echo $! >/run/served
}

teardown_file() {
    kill "$(cat /run/served)"
}

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
}

teardown() {
    life_teardown
    there life_teardown
}

# there LINE: the same shell on the other machine; fails as the line does.
there() {
    _answer=$(/tests/remote-sh $there "cd /; exec 2>&1; . /tests/vscsi.sh; . /tests/life.sh; (set -e; $*); echo exit \$?" </dev/null)
    echo "${_answer%exit *}"
    [ "${_answer##*exit }" = 0 ]
}

# h:c:t:l of the shared disk.
shared() {
    basename "$(readlink -f "/sys/class/block/$(basename "$(readlink -f $wwn)")/device")"
}

with_shared_disk() {                    # CONFIG: more of vscsi=
    wait_for 'there true >/dev/null 2>&1' 60
    create pvh "vscsi=['$wwn,0:0:0:0'${1:-}]"
    wait_guest life
    domid=$(xl domid life)
    start_writing
}

@test "the shared disk sits elsewhere on the other machine" {
    wait_for 'there true >/dev/null 2>&1' 60
    theirs=$(there "basename \$(readlink -f /sys/class/block/\$(basename \$(readlink -f $wwn))/device)")
    [ -n "$theirs" ]
    [ "$(shared)" != "$theirs" ]
}

@test "a guest migrates mid-write to another machine and back: its pattern is intact" {
    with_shared_disk
    xl migrate -s /tests/remote-sh life $there
    assert_nothing_left
    no xl domid life
    there "writes_on; [ \"\$(states life)\" = '0:0:0:0 4 4' ]"
    there "xl migrate -s /tests/remote-sh life $here"
    there assert_nothing_left
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4" ]
    xl destroy life
    assert_nothing_left
}

@test "another machine that lacks a device says so, and the guest runs on" {
    only_here=$(add_scsi_debug)
    with_shared_disk ",'$only_here:0:0:0,1:0:0:0'"
    run xl migrate -s /tests/remote-sh life $there
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"the other host cannot take all SCSI devices"* ]]
    [[ "$output" == *"$only_here:0:0:0: dom0 has no device "* ]]
    [[ "$output" != *"xl: vscsi:     $wwn"* ]]
    [ "$(xl domid life)" -eq "$domid" ]
    there no xl domid life--incoming
    there assert_nothing_left
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4
1:0:0:0 4 4" ]
}

@test "another machine without this extension is refused, and the guest runs on" {
    with_shared_disk
    cat >/run/life.sh <<END
#!/bin/sh
exec /tests/remote-sh \$1 $real_xl migrate-receive
END
    chmod 755 /run/life.sh
    run xl migrate -s /run/life.sh life $there
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"install xen-vscsi there"* ]]
    [ "$(xl domid life)" -eq "$domid" ]
    writes_on
    stop_writing
}
