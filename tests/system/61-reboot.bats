#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# vscsi=[...] when a guest starts again: what it has is what it had.

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
}

teardown() {
    life_teardown
}

@test "a guest that reboots itself three times has the current set each time" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0','$host:0:0:1,0:0:0:1']" \
        'on_reboot="restart"'
    wait_guest life
    first=$(xl domid life)
    reboots 2
    [ "$(states life)" = "0:0:0:0 4 4
0:0:0:1 4 4" ]
    [ "$(xl domid life)" -ne "$first" ]
    xl scsi-attach life "$host:0:1:0" 1:0:0:0
    xl scsi-detach life 0:0:0:1
    reboots 3
    [ "$(states life)" = "0:0:0:0 4 4
1:0:0:0 4 4" ]
    [ "$(guest_count life)" -eq 2 ]
    reboots 4
    [ "$(guest_count life)" -eq 2 ]
    xl destroy life
    assert_nothing_left
}

# moved_on N: a domain of the same name took the place of a preserved one.
moved_on() {
    wait_guest life "$1"
    [ "$(states life)" = "0:0:0:0 4 4" ]
    [ "$(guest_count life)" -eq 1 ]
    preserved=$(xl list | awk '/^life-/ { print $1 }')
    [ -z "$(states "$preserved")" ]
    xl destroy "$preserved"
    [ "$(states life)" = "0:0:0:0 4 4" ]
}

@test "on_reboot=rename-restart: the new domain has the devices, the preserved one none" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="rename-restart"'
    wait_guest life
    ends_by 'reboot -f'
    moved_on 2
    xl destroy life
    assert_nothing_left
}

crashes() {
    ends_by 'echo c >/proc/sysrq-trigger'
}

# is_over: the domain has come to its end, and is still there.
is_over() {
    wait_for 'xl list life | awk "NR > 1 { exit \$5 !~ /[sc]/ }"' 60
}

@test "on_poweroff=restart, then on_crash=rename-restart, then on_reboot=preserve" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_poweroff="restart"' \
        'on_crash="rename-restart"' 'on_reboot="preserve"'
    wait_guest life
    ends_by 'poweroff -f'
    wait_guest life 2
    [ "$(states life)" = "0:0:0:0 4 4" ]
    crashes
    moved_on 3
    ends_by 'reboot -f'
    is_over
    [ -n "$(states life)" ]
    xl destroy life
    assert_nothing_left
}

@test "on_poweroff=rename-restart, then on_crash=coredump-restart, then on_reboot=destroy" {
    with_disk
    mkdir -p /var/lib/xen/dump
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" \
        'on_poweroff="rename-restart"' 'on_crash="coredump-restart"' \
        'on_reboot="destroy"'
    wait_guest life
    ends_by 'poweroff -f'
    moved_on 2
    crashes
    wait_guest life 3
    [ "$(states life)" = "0:0:0:0 4 4" ]
    [ -n "$(find /var/lib/xen/dump -name '*life*' -size +2048)" ]
    ends_by 'reboot -f'
    wait_for '! xl domid life 2>/dev/null' 150
    wait_for 'assert_nothing_left >/dev/null' 15
}

@test "on_crash=coredump-destroy leaves nothing, on_crash=preserve until destroy" {
    with_disk
    mkdir -p /var/lib/xen/dump
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_crash="coredump-destroy"'
    wait_guest life
    crashes
    wait_for '! xl domid life 2>/dev/null' 150
    wait_for 'assert_nothing_left >/dev/null' 15
    [ -n "$(find /var/lib/xen/dump -name '*life*' -size +2048)" ]
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_crash="preserve"'
    wait_guest life
    crashes
    is_over
    [ -n "$(states life)" ]
    xl destroy life
    assert_nothing_left
}

@test "on_crash=restart brings the devices back" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_crash="restart"' \
        'on_reboot="destroy"'
    wait_guest life
    ends_by 'echo c >/proc/sysrq-trigger'
    wait_guest life 2
    [ "$(states life)" = "0:0:0:0 4 4" ]
    [ "$(guest_count life)" -eq 1 ]
    xl destroy life
    assert_nothing_left
}

@test "config-update takes effect at the next reboot" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="restart"'
    wait_guest life
    config pv "vscsi=['$host:0:1:1,0:0:1:0']" 'on_reboot="restart"'
    xl config-update life /run/life.cfg
    [ "$(states life)" = "0:0:0:0 4 4" ]
    reboots 2
    [ "$(states life)" = "0:0:1:0 4 4" ]
    config pv 'on_reboot="restart"'
    xl config-update life /run/life.cfg
    reboots 3
    [ "$(guest_count life)" -eq 0 ]
    xl destroy life
    assert_nothing_left
}

@test "config-update refuses a vscsi= that cannot be read" {
    with_disk
    create_args=-p create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    config pv "vscsi=['oops']"
    run xl config-update life /run/life.cfg
    [ "$status" -ne 0 ]
    [[ "$output" == *"/run/life.cfg: vscsi: entry 1: "* ]]
}

@test "a device that moved to another address is found again by its WWID" {
    echo 0 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    first=$(add_scsi_debug)
    create pv "vscsi=['$first:0:0:0,0:0:0:0']" 'on_reboot="restart"'
    wait_guest life
    wwid=$(cat "/sys/class/scsi_device/$first:0:0:0/device/wwid")
    [ -n "$wwid" ]
    second=$(add_scsi_debug)
    [ "$(cat "/sys/class/scsi_device/$second:0:0:0/device/wwid")" = "$wwid" ]
    echo 1 >"/sys/class/scsi_device/$first:0:0:0/device/delete"
    reboots 2
    [ "$(guest_count life)" -eq 1 ]
    xl list -l life | grep -q "\"p_devname\": \"$second:0:0:0\""
    xl destroy life
    assert_nothing_left
}

@test "a reboot refuses another device at the old address, by name" {
    echo 1 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    host=$(add_scsi_debug)
    create pv "vscsi=['$host:0:0:0,0:0:0:0,missing=fail']" \
        'on_reboot="restart"'
    wait_guest life
    # The device there says from now on that it is another one.
    echo 0 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    echo 1 >"/sys/class/scsi_device/$host:0:0:0/device/rescan"
    udevadm trigger --action=change --subsystem-match=block \
        --subsystem-match=scsi_generic
    settle
    ends_by 'reboot -f'
    wait_for 'grep -q "at $host:0:0:0 is another one now" /var/log/xen/xl-life.log' 60
    wait_for '! xl domid life 2>/dev/null' 20
    echo 1 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    wait_for 'assert_nothing_left >/dev/null' 15
}

# takes_away T:L, comes_back T:L: a LUN of $host.
takes_away() {
    echo 1 >"/sys/class/scsi_device/$host:0:$1/device/delete"
    wait_for '[ ! -e "/sys/class/scsi_device/$host:0:'"$1"'" ]' 20
}
comes_back() {
    echo "0 ${1%:*} ${1#*:}" >"/sys/class/scsi_host/host$host/scan"
    settle
}

@test "a guest reboots without a device that is gone, and gets it back by its vdev" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0','$host:0:1:0,0:0:1:0']" \
        'on_reboot="restart"'
    wait_guest life
    takes_away 1:0
    reboots 2
    [ "$(guest_count life)" -eq 1 ]
    xl scsi-list life
    [ "$(states life)" = "0:0:0:0 4 4
0:0:1:0 0 0" ]
    xl scsi-list life | grep -q "$host:0:1:0(missing)"
    xl scsi-list --json life | grep -q '"missing": true'
    grep "life starts without $host:0:1:0: .* (once it is back: xl scsi-attach life 0:0:1:0)" \
        /var/log/xen/xl-life.log
    # So it stays, at each start.
    reboots 3
    [ "$(guest_count life)" -eq 1 ]
    xl save life /run/life.save
    xl restore /run/life.save </dev/null
    wait_for '[ "$(states life | head -n 1)" = "0:0:0:0 4 4" ]' 20
    xl scsi-list life | grep -q "$host:0:1:0(missing)"
    comes_back 1:0
    xl scsi-attach life 0:0:1:0
    [ "$(states life)" = "0:0:0:0 4 4
0:0:1:0 4 4" ]
    [ "$(guest_count life)" -eq 2 ]
    reboots 4
    [ "$(guest_count life)" -eq 2 ]
    xl destroy life
    assert_nothing_left
}

@test "a guest without any of its devices lists them, and leaves nothing" {
    with_disk
    create_fails "cannot attach $host:0:9:9" pv \
        "vscsi=['$host:0:9:9,0:0:0:0']"
    create pv "vscsi=['$host:0:0:0,0:0:0:0,missing=skip']" \
        'on_reboot="restart"'
    wait_guest life
    takes_away 0:0
    reboots 2
    [ "$(guest_count life)" -eq 0 ]
    xl scsi-list | grep -q '^life .*(missing)'
    comes_back 0:0
    reboots 3
    [ "$(guest_count life)" -eq 1 ]
    takes_away 0:0
    reboots 4
    xl scsi-detach life 0:0:0:0
    [ -z "$(states life)" ]
    xl destroy life
    assert_nothing_left
}
