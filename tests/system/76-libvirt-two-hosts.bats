#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Live migration by libvirt, between the machines of 70-two-hosts.bats.  The
# guests are PVH ones: here, Xen keeps no log of what a PV one writes.

wwn=/dev/disk/by-id/wwn-0x5000c50015ea71ac
here=10.0.0.1
there=10.0.0.2
export guest_type=pvh

# there LINE: the same shell on the other machine; fails as the line does.
there() {
    _answer=$(/tests/remote-sh $there "cd /; exec 2>&1; . /tests/vscsi.sh; . /tests/life.sh; . /tests/libvirt.sh; (set -e; $*); echo exit \$?" </dev/null)
    echo "${_answer%exit *}"
    [ "${_answer##*exit }" = 0 ]
}

setup_file() {
    . /tests/vscsi.sh
    . /tests/libvirt.sh
    listen_libvirtd
    wait_for 'there true >/dev/null 2>&1' 60
    there listen_libvirtd
}

teardown_file() {
    . /tests/vscsi.sh
    . /tests/libvirt.sh
    kill_libvirtd
    there kill_libvirtd
}

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
    . /tests/libvirt.sh
}

teardown() {
    libvirt_teardown
    there libvirt_teardown
}

@test "libvirt migrates a guest mid-write to another machine and back" {
    define "$(metadata "$wwn,0:0:0:0")"
    virsh -q start life
    wait_guest life
    start_writing
    migrate_to $there
    assert_nothing_left
    no "$real_xl" domid life
    there "writes_on; [ \"\$(states life)\" = '0:0:0:0 4 4' ]"
    there migrate_to $here
    there assert_nothing_left
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4" ]
}

# libvirt 9.0 gives the hook no XML at "migrate", and virsh no reason later.
@test "a machine that lacks a device says so in its log, and the guest runs on" {
    host=$(add_scsi_debug)
    define "$(metadata "$wwn,0:0:0:0" "$host:0:0:0,1:0:0:0")"
    virsh -q start life
    wait_guest life
    start_writing
    run migrate_to $there
    echo "$output"
    [ "$status" -ne 0 ]
    said="dom0 has no SCSI device at $host:0:0:0"
    there "wait_for 'grep -q \"$said\" $libvirt_log' 30"
    there no "$real_xl" domid life
    there assert_nothing_left
    writes_on
    stop_writing
}

@test "a guest with <hostdev> is not migrated, which is libvirt's own rule" {
    host=$(add_scsi_debug)
    define '' "$(hostdev "$host:0:0:0" 0:0:0:0)"
    virsh -q start life
    wait_guest life
    run migrate_to $there
    echo "$output"
    [ "$status" -ne 0 ]
    case $output in *"assigned host devices"*) ;; *) false ;; esac
    [ "$(states life)" = "0:0:0:0 4 4" ]
}
