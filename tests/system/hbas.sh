# SPDX-License-Identifier: LGPL-2.1-only
# The HBAs of vm-hbas.sh and the disks behind them (/tests/hbas.sh in dom0,
# after vscsi.sh).

hba_modules="ahci megaraid_sas mptsas sym53c8xx"
usb_modules="xhci_pci usb_storage uas"

# load_hbas: all but USB's, side by side, for most of them wait.
load_hbas() {
    _pids=
    for _m in $hba_modules; do
        modprobe "$_m" 3>&- &
        _pids="$_pids $!"
    done
    # By name: bats has one more child, which waits for the test's end.
    # shellcheck disable=SC2086 # words split on purpose
    wait $_pids
    for _n in ahci1 ahci2 megasas mptsas sym; do
        wait_for "hba_disk $_n >/dev/null" 60 || return 1
    done
    settle
}

# load_usb PORT...: with what is at these ports; `usb_plug` adds others.
load_usb() {
    modprobe usbcore authorized_default=0
    # shellcheck disable=SC2086
    modprobe -a $usb_modules
    for _n; do
        wait_for "[ -e /sys/bus/usb/devices/2-$_n ]" 30 || return 1
        usb_plug "$_n" || return 1
    done
}

# Leaves dom0 without any of them again.
unload_hbas() {
    # shellcheck disable=SC2086
    modprobe -r $hba_modules $usb_modules usbcore
    settle
}

# hba_disk NAME: h:c:t:l of the disk that says that this is its model.
hba_disk() {
    for _d in /sys/class/scsi_disk/*; do
        read -r _model <"$_d/device/model"
        [ "$_model" != "$1" ] || { echo "${_d##*/}"; return 0; }
    done
    return 1
}

# usb_disk PORT [LUN]: h:c:t:l of what is plugged in there.
usb_disk() {
    for _d in "/sys/bus/usb/devices/2-$1:1.0"/host*/target*/*:*:*:*; do
        case ${_d##*:} in "${2:-0}") ;; *) continue ;; esac
        [ -d "$_d/block" ] || continue
        echo "${_d##*/}"
        return 0
    done
    return 1
}

# usb_plug PORT, usb_pull PORT: to dom0 what is there comes or goes.
usb_plug() {
    echo 1 >"/sys/bus/usb/devices/2-$1/authorized"
    wait_for "usb_disk $1 >/dev/null" 30 && settle
}

usb_pull() {
    echo 0 >"/sys/bus/usb/devices/2-$1/authorized"
    settle
}

# qemu LINE: to the monitor of the QEMU that we run in. All bytes go to one
# port, which dd would not do.
qemu() {
    python3 -c 'import os, sys
port = os.open("/dev/port", os.O_WRONLY)
for byte in (sys.argv[1] + "\n").encode():
    os.pwrite(port, bytes([byte]), 0x4f1)' "$1" 2>/dev/null
}
