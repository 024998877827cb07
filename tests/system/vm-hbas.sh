#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# vm-hbas.sh DIR: for vm.sh, QEMU's arguments for HBAs of kinds that real
# machines have, each with a disk of 1 MiB in a file in DIR. Their drivers
# have limits that virtio's and scsi_debug's lack. They are loaded, and the
# disks found, by hbas.sh in dom0; until then all this costs no time there.
set -eu

dir=$1

# disk NAME: as a -drive of that name.
disk() {
    truncate -s 1M "$dir/disk.$1"
    echo "-blockdev driver=file,node-name=$1,locking=off,\
filename=$dir/disk.$1"
}

# scsi NAME BUS[,lun=N] MORE: of scsi-hd
scsi() {
    disk "$1"
    echo "-device scsi-hd,drive=$1,bus=$2,vendor=RIG,$3"
}

# No ROM of theirs, which the BIOS would run; and xhci in a slot of its own.
echo "-device ich9-ahci,id=ahci,rombar=0 -device megasas,id=megasas,rombar=0 \
-device mptsas1068,id=mptsas,rombar=0 -device lsi53c895a,id=sym,rombar=0 \
-device qemu-xhci,id=xhci,p2=9,p3=9,addr=1e"

for n in 1 2; do
    disk ahci$n
    echo "-device ide-hd,drive=ahci$n,bus=ahci.$((n - 1)),model=ahci$n,\
serial=a$n,wwn=0x5000c500a000000$n"
done
scsi megasas megasas.0 product=megasas,serial=b1,wwn=0x5000c500a0000003
scsi mptsas mptsas.0 product=mptsas,serial=b2,wwn=0x5000c500a0000004
scsi sym sym.0 product=sym,serial=b3,wwn=0x5000c500a0000005

# USB's ports, for `usb_disk PORT`.
echo "-device usb-bot,id=bot,bus=xhci.0,port=1"
scsi bot bot.0 product=usb-storage,serial=c1
echo "-device usb-uas,id=uas,bus=xhci.0,port=2"
scsi uas uas.0 product=uas,serial=c2,wwn=0x5000c500a0000006
# Sticks that differ in nothing that SCSI shows.
for n in 1 2; do
    disk stick$n
    echo "-device usb-storage,id=stick$n,bus=xhci.0,port=$((n + 2)),\
drive=stick$n,serial=stick$n"
done
# One WWN, and three serial numbers: two disks of one box, one of another.
echo "-device usb-uas,id=box1,bus=xhci.0,port=5 \
-device usb-uas,id=box2,bus=xhci.0,port=6"
one=product=box,wwn=0x5000c500b0000000
scsi box1a box1.0,lun=0 $one,serial=d1
scsi box1b box1.0,lun=1 $one,serial=d2
scsi box2 box2.0 $one,serial=d3
# A WWN that nobody filled in.
for n in 7 8; do
    echo "-device usb-uas,id=zero$n,bus=xhci.0,port=$n"
    scsi zero$n zero$n.0 product=zero,wwn=0x5000000000000000,serial=e$n
done
# A library with one NAA, as far as QEMU has one.
echo "-device usb-uas,id=library,bus=xhci.0,port=9"
one=wwn=0x5000c500c0000000,serial=f1
echo "-device scsi-cd,bus=library.0,lun=0,vendor=RIG,product=changer,$one"
for n in 1 2 3 4; do
    scsi drive$n library.0,lun=$n product=drive,$one
done

# What dom0 writes to this port of a PC is for QEMU's monitor.
echo "-chardev socket,id=monitor,path=$dir/monitor,server=on,wait=off \
-mon chardev=monitor,mode=readline \
-chardev socket,id=to-monitor,path=$dir/monitor \
-device isa-debugcon,iobase=0x4f1,chardev=to-monitor"
