#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What only the packages do: stand where the distribution's xl does, for every
# release of Xen, come anew under running guests, and go.

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
    . /tests/matrix.sh
    matrix_setup
}

teardown() {
    lift
    rm -rf /usr/lib/xen-4.99
    life_teardown
}

@test "a domain's life by the path of the distribution's xl" {
    column /usr/sbin/xl none /usr/sbin/xl
    case $row in *refused*) return 1 ;; esac
}

@test "of the packages for several releases of Xen that of the running one is used" {
    mkdir -p /usr/lib/xen-4.99/vscsi
    cp -a "$our_hooks"/. /usr/lib/xen-4.99/vscsi
    printf '#!/bin/sh\necho wrong\n' >/usr/lib/xen-4.99/vscsi/xl-scsi
    chmod 755 /usr/lib/xen-4.99/vscsi/xl-scsi
    xl scsi-list | grep '^Name'
    begin
    mv "$our_hooks" /run/away.d
    run xl scsi-list
    run_list=$status said=$output
    run xl save life /run/life.save
    mv /run/away.d "$our_hooks"
    [ "$run_list" -eq 1 ]
    [[ "$said" == *"install xen-vscsi-4."* ]]
    [ "$status" -eq 1 ]
    [[ "$output" == *"install xen-vscsi-4."* ]]
    has_device
}

@test "packages that are upgraded under a guest let it keep its devices" {
    begin
    writes_now
    dpkg -i /tests/debs/newer/*.deb
    [ "$(dpkg-query -W -f '${Version}' xen-vscsi-common)" = 99 ]
    has_device
    reboots 2
    has_device
    xl scsi-detach life 0:0:0:0
    xl scsi-attach life "$host:0:0:0" 0:0:0:0
    reboots 3
    has_device
    xl save life /run/life.save
    xl restore /run/life.save </dev/null
    wait_for has_device 30
}

# The last one: nothing of ours is there afterwards.
@test "packages do not go while a guest has devices, and leave the xl that was there" {
    begin
    all=$(dpkg-query -W -f '${Package}\n' '*vscsi*')
    # Words split on purpose.
    # shellcheck disable=SC2086
    run dpkg --purge $all
    [ "$status" -ne 0 ]
    [[ "$output" == *"have SCSI devices"* ]]
    has_device
    xl destroy life
    wait_for '[ -z "$(snapshot_store; ours_in_lio)" ]' 20
    # shellcheck disable=SC2086
    run dpkg --purge $all
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(readlink /usr/sbin/xl)" = ../lib/xen-common/bin/xen-utils-wrapper ]
    [ ! -e /usr/sbin/xl.distrib ]
    [ ! -e /usr/lib/xen-vscsi ]
    [ ! -e "$our_hooks" ]
    /usr/sbin/xl list | grep Domain-0
    config pvh
    /usr/sbin/xl create -q /run/life.cfg </dev/null
    "$real_xl" domid life
}
