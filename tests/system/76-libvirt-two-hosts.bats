#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Live migration by libvirt, between the machines of 70-two-hosts.bats.

wwn=/dev/disk/by-id/wwn-0x5000c50015ea71ac
here=10.0.0.1
there=10.0.0.2

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

# migrate FROM TO: by the libvirtd of each.
migrate() {
    virsh -c "xen+tcp://$1/system" -q migrate --live life \
        "xen+tcp://$2/system" --migrateuri "tcp://$2" </dev/null
}

@test "libvirt migrates a guest mid-write to another machine and back" {
    define "$(metadata "$wwn,0:0:0:0")"
    virsh -q start life
    wait_guest life
    start_writing
    migrate $here $there
    assert_nothing_left
    no "$real_xl" domid life
    there "writes_on; [ \"\$(states life)\" = '0:0:0:0 4 4' ]"
    migrate $there $here
    there assert_nothing_left
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4" ]
    virsh -q destroy life
    assert_nothing_left
}

@test "a machine that lacks a device says so to libvirt, and the guest runs on" {
    host=$(add_scsi_debug)
    define "$(metadata "$wwn,0:0:0:0" "$host:0:0:0,1:0:0:0")"
    virsh -q start life
    wait_guest life
    start_writing
    run migrate $here $there
    echo "$output"
    [ "$status" -ne 0 ]
    case $output in *"$host:0:0:0: dom0 has no device"*) ;; *) false ;; esac
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
    run migrate $here $there
    echo "$output"
    [ "$status" -ne 0 ]
    case $output in *"assigned host devices"*) ;; *) false ;; esac
    [ "$(states life)" = "0:0:0:0 4 4" ]
}
