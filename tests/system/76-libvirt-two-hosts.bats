#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What libvirt migrates, between the machines of 70-two-hosts.bats.

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
