#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# A unit of dom0 is one whatever path leads to it, and units that have one
# identity by mistake are several.

setup_file() {
    . /tests/vscsi.sh
    echo 0 >/sys/module/scsi_debug/parameters/vpd_use_hostno
    start_guest g pv
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest g
    echo 1 >/sys/module/scsi_debug/parameters/vpd_use_hostno
}

setup() {
    . /tests/vscsi.sh
}

teardown() {
    umount /mnt 2>/dev/null || true
    for v in $(states g | cut -d' ' -f1); do
        xl scsi-detach -f g "$v"
    done
    remove_scsi_debug all
}

attach() { xl scsi-attach "$@"; }

wwid_of() { cat "/sys/class/scsi_device/$1:0:0:0/device/wwid"; }

@test "changer and drive with one NAA go to a guest, each as itself" {
    # scsi_debug answers with the type that was set last: one by one.
    changer=$(add_scsi_debug ptype=8)
    attach g "$changer:0:0:0" 0:0:0:0
    [ "$(guest_sysfs g 0:0 type)" = 8 ]
    drive=$(add_scsi_debug ptype=1 virtual_gb=1)
    [ "$(wwid_of "$changer")" = "$(wwid_of "$drive")" ]
    attach g "$drive:0:0:0" 0:0:0:1
    [ "$(guest_sysfs g 0:1 type)" = 1 ]
}

@test "a disk that a guest has is not given by its other path" {
    one=$(add_scsi_debug)
    two=$(add_scsi_debug)
    [ "$(wwid_of "$one")" = "$(wwid_of "$two")" ]
    attach g "$one:0:0:0" 0:0:0:0
    refused 1 "it is assigned to this domain, g as 0:0:0:0" \
        attach g "$two:0:0:0" 0:0:0:1
    refused 1 "it is assigned to this domain, g as 0:0:0:0" \
        attach g "$(node_of "$two:0:0:0")" 0:0:0:1
}

@test "a disk that is mounted by its other path is not given" {
    one=$(add_scsi_debug)
    two=$(add_scsi_debug)
    node=$(node_of "$one:0:0:0")
    mkfs.ext4 -q "$node"
    mount "$node" /mnt
    refused 1 "its path $node is mounted on /mnt (unmount it first)" \
        attach g "$two:0:0:0" 0:0:0:1
    umount /mnt
    attach g "$two:0:0:0" 0:0:0:1
}

@test "an offline path is not used while another one runs" {
    one=$(add_scsi_debug)
    two=$(add_scsi_debug)
    echo offline >"/sys/class/scsi_device/$one:0:0:0/device/state"
    attach g "$one:0:0:0" 0:0:0:0
    xl scsi-list g | grep -q " $two:0:0:0 "
    echo running >"/sys/class/scsi_device/$one:0:0:0/device/state"
}
