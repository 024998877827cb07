#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What is left: nothing after the last detach, what a destroyed domain leaves
# until dom0's kernel has let go of it, and an admin's own LIO objects always.

setup() {
    . /tests/vscsi.sh
    host=$(add_scsi_debug num_tgts=2 max_luns=3)
}

teardown() {
    rules_on
    stop_guest a
    stop_guest b
    xl scsi-cleanup
    remove_admins_lun $wwn 4 pscsi_0/mine
    remove_scsi_debug all
}

wwn=naa.6001405aaaabbbb1

# What targetcli would make for the disk $1, with alias $2.
admin_target() {
    mkdir -p $target/core/pscsi_0/mine
    echo "scsi_host_id=$host,scsi_channel_id=0,scsi_target_id=0,scsi_lun_id=0" \
        >$target/core/pscsi_0/mine/control
    echo "$1" >$target/core/pscsi_0/mine/udev_path
    echo 1 >$target/core/pscsi_0/mine/enable
    make_admins_lun $wwn 4 pscsi_0/mine
    [ -z "${2:-}" ] || echo "$2" >$target/xen-pvscsi/$wwn/tpgt_1/param/alias
}

@test "an admin's target is used by its name, and never changed" {
    start_guest a pv
    node=$(node_of "$host:0:0:0")
    admin_target "$node"
    before=$(snapshot_configfs)
    xl scsi-attach a $wwn:4 0:0:0:0
    [ "$(guest_sysfs a 0:0 model)" = scsi_debug ]
    [ "$(snapshot_configfs)" = "$before" ]
    refused 1 "it is assigned to this domain" xl scsi-attach a $wwn:4 0:0:0:1
    xl scsi-detach a 0:0:0:0
    [ "$(snapshot_configfs)" = "$before" ]
    refused 1 "$wwn:5" xl scsi-attach a $wwn:5 0:0:0:0
}

@test "a device that an admin's target has is taken from there" {
    start_guest a pv
    node=$(node_of "$host:0:0:0")
    admin_target "$node"
    before=$(snapshot_configfs)
    xl scsi-attach a "$node" 0:0:0:0
    xl scsi-list a | grep -q "$wwn:4"
    [ "$(states a)" = "0:0:0:0 4 4" ]
    [ "$(snapshot_configfs)" = "$before" ]
    xl scsi-detach a 0:0:0:0
    [ "$(snapshot_configfs)" = "$before" ]
}

# The backend driver would take it for the address of another device.
@test "an admin's alias leads nobody to another device" {
    start_guest a pv
    admin_target "$(node_of "$host:0:0:0")" "$host:0:0"
    lun=$target/xen-pvscsi/$wwn/tpgt_1/lun/lun_1
    mkdir "$lun"
    ln -s $target/core/pscsi_0/mine "$lun/link"
    wwid=$(cat /sys/bus/scsi/devices/$host:0:0:1/wwid)
    [ "$wwid" != "$(cat /sys/bus/scsi/devices/$host:0:0:0/wwid)" ]
    xl scsi-attach a "$host:0:0:1" 0:0:0:0
    [ "$(guest_sysfs a 0:0 wwid)" = "$wwid" ]
    xl scsi-detach a 0:0:0:0
    rm "$lun/link"
    rmdir "$lun"
}

# What udev does when a backend has gone is not done, until rules_on.
rules_off() {
    mv "$our_rules/60-xen-vscsi.rules" "$our_rules/off"
    udevadm control --reload
}

rules_on() {
    [ ! -e "$our_rules/off" ] ||
        mv "$our_rules/off" "$our_rules/60-xen-vscsi.rules"
    udevadm control --reload
}

# A look would not do: it must come without a command of ours.
nothing_left() {
    _left=$(snapshot_store; ours_in_lio)
    [ -z "$_left" ]
}

@test "what a destroyed domain leaves goes by itself" {
    start_guest a pv
    start_guest b pv
    xl scsi-attach a "$host:0:0:0" 0:0:0:0
    xl scsi-attach a "$host:0:1:0" 1:0:0:0
    xl scsi-attach b "$host:0:0:1" 0:0:0:0
    id=$("$real_xl" domid a)
    "$real_xl" destroy a
    wait_for '[ "$(ours_in_lio | wc -l)" -eq 2 ]' 20
    no xenstore-exists "/local/domain/0/backend/vscsi/$id"
    [ "$(states b)" = "0:0:0:0 4 4" ]
    "$real_xl" destroy b
    wait_for nothing_left 20
}

@test "without udev's rule scsi-cleanup does it, and scsi-list only looks" {
    rules_off
    start_guest a pv
    start_guest b pv
    xl scsi-attach a "$host:0:0:0" 0:0:0:0
    xl scsi-attach a "$host:0:1:0" 1:0:0:0
    xl scsi-attach b "$host:0:0:1" 0:0:0:0
    id=$("$real_xl" domid a)
    "$real_xl" destroy a
    wait_for "! [ -e /sys/devices/vscsi-$id-0 -o -e /sys/devices/vscsi-$id-1 ]" 20
    before=$(snapshot)
    xl scsi-list
    [ "$(snapshot)" = "$before" ]
    [ -n "$(xenstore-ls "/local/domain/0/backend/vscsi/$id")" ]
    xl scsi-cleanup
    no xenstore-exists "/local/domain/0/backend/vscsi/$id"
    [ "$(states b)" = "0:0:0:0 4 4" ]
    [ "$(ours_in_lio | wc -l)" -eq 2 ]
    before=$(snapshot)
    xl scsi-cleanup
    [ "$(snapshot)" = "$before" ]
    "$real_xl" destroy b
    start_guest a pv
    # What b had: the attach does what cleanup would have done.
    xl scsi-attach a "$host:0:0:1" 0:0:0:0
    [ "$(xenstore-list /local/domain/0/backend/vscsi)" = "$("$real_xl" domid a)" ]
    xl scsi-detach a 0:0:0:0
    xl scsi-cleanup
    assert_nothing_left
}

@test "a device is dom0's again after it was detached" {
    start_guest a pv
    node=$(node_of "$host:0:0:0")
    xl scsi-attach a "$node" 0:0:0:0
    no mkfs.ext4 -q -F "$node"
    xl scsi-detach a 0:0:0:0
    mkfs.ext4 -q -F "$node"
    mkdir -p /srv/a
    mount "$node" /srv/a
    umount /srv/a
    assert_nothing_left
}

@test "half-made LIO objects of a killed command are no obstacle" {
    start_guest a pv
    xl scsi-attach a "$host:0:0:0" 0:0:0:0
    ours=$(ours_in_lio | grep naa)
    id=$("$real_xl" domid a)
    # As if killed between xenstore and LIO, both ways.
    rules_off
    "$real_xl" destroy a
    wait_for "! [ -e /sys/devices/vscsi-$id-0 ]" 20
    rm "$ours/tpgt_1/lun/lun_0/"vscsi-*
    rmdir "$ours/tpgt_1/lun/lun_0"
    start_guest a pv
    xl scsi-attach a "$host:0:0:0" 0:0:0:0
    [ "$(states a)" = "0:0:0:0 4 4" ]
    xl scsi-detach a 0:0:0:0
    assert_nothing_left
}
