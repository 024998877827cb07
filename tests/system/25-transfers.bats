#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# "Transfer size" in pvscsi.txt: what dom0's HBA does not take as one command,
# the guest does not send. With HBAs of the kinds that real machines have.

# As the guest names them, in the order of their vscsictrls; the last is a second
# one of ahci.
disks="ahci1 megasas mptsas sym usb-storage uas"

# What dom0 writes to each disk, and what the guest writes: 1 MiB in which
# nothing comes twice.
make_content="seq 1000000 1131071 >/run/a; tail -c +54321 /run/a >/run/b; head -c 54320 /run/a >>/run/b"

setup_file() {
    . /tests/vscsi.sh
    . /tests/hbas.sh
    load_hbas
    load_usb 1 2
    eval "$make_content"
    declare -A at node pages
    for b in /sys/block/sd*; do
        read -r n <"$b/device/model"
        at[$n]=$(echo "$b/device/scsi_disk"/*)
        at[$n]=${at[$n]##*/}
        node[$n]=/dev/${b##*/}
        pages[$n]=$(pages_of "$b/queue")
        [ "$n" = DISK ] || dd if=/run/a of="${node[$n]}" bs=1M oflag=direct
    done
    declare -p at node pages | sed 's/declare/declare -g/' >/run/disks
}

# pages_of QUEUE: the N of a device by the queue that dom0 has for it.
pages_of() {
    read -r num <"$1/max_hw_sectors_kb"
    read -r max <"$1/max_segments"
    num=$((num / 4 + 1))
    [ $num -le "$max" ] || num=$max
    [ $num -le 128 ] || num=128
    [ $num -ge 26 ] || num=26
    echo $num
}

teardown_file() {
    . /tests/vscsi.sh
    . /tests/life.sh
    . /tests/hbas.sh
    life_teardown
    unload_hbas
}

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
    . /tests/hbas.sh
    . /run/disks
}

# One guest of each kind for all tests: what fails leaves it as it was.
teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || life_teardown
}

# connected N: it has all of its N devices.
connected() {
    wait_for '[ "$(states life | grep -c " 4 4$")" -eq '"$1 ]" 60
}

# with_guest TYPE: that has all six from the beginning, each on a vscsictrl of its
# own; the first time only.
with_guest() {
    [ "$(cat /run/life.type 2>/dev/null)" != "$1" ] || return 0
    life_teardown
    list='' i=0
    for n in $disks; do
        list="$list'${at[$n]},$i:0:$i:0',"
        i=$((i + 1))
    done
    create "$1" "vscsi=[$list]" 'on_reboot="restart"'
    wait_guest life
    connected 6
    guest life "$(sed 's,/run/,/,g' <<<"$make_content")"
    echo "$1" >/run/life.type
}

# attach_all: hot, each to a vscsictrl of its own, and nothing else.
attach_all() {
    detach_all
    i=0
    for n in $disks; do
        xl scsi-attach life "${at[$n]}" "$i:0:$i:0"
        i=$((i + 1))
    done
}

detach_all() {
    for v in $(states life | cut -d' ' -f1); do
        xl scsi-detach life "$v"
    done
}

# keep "DEVID NAME N"...: both ends of this vscsictrl say N; the guest has these
# devices and no other.
keep() {
    paths='' nums='' queues=''
    domid=$(xl domid life)
    for k; do
        read -r devid name num <<<"$k"
        paths+=" /local/domain/0/backend/vscsi/$domid/$devid/feature-sg-grant"
        nums+=" $num"
        queues+="$name $(((num - 1) * 4))"$'\n'
    done
    [ "$(echo $(xenstore-read $paths))" = "${nums# }" ]
    seen=$(guest life 'for d in /sys/block/sd*; do read -r m <$d/device/model; read -r k <$d/queue/max_hw_sectors_kb; echo $m $k; done')
    echo "$seen"
    [ "$(sort <<<"$seen")" = "$(sort <<<"${queues%?}")" ]
}

# in_guest COMMANDS: with each disk as $f.
in_guest() {
    guest life "for f in /dev/sd*; do { $1; } 2>/said || { cat /said; echo \$f; exit 1; }; done"
}

# in_dom0 FILE NAME...: these disks have what the file has.
in_dom0() {
    file=$1
    shift
    for n; do
        dd if="${node[$n]}" bs=1M iflag=direct 2>/dev/null | cmp - "$file"
    done
}

# pass_whole NAME...: all disks that the guest has, these, are read and
# written from their beginning to their end, past the cache and through it.
pass_whole() {
    in_guest 'echo 1 >/proc/sys/vm/drop_caches; dd if=$f bs=1M iflag=direct | cmp - /a && dd if=$f bs=1M | cmp - /a && dd if=/b of=$f bs=1M oflag=direct'
    in_dom0 /run/b "$@"
    in_guest 'dd if=/a of=$f bs=1M conv=fsync'
    in_dom0 /run/a "$@"
}

all_pass() {
    connected 6
    keep "0 ahci1 ${pages[ahci1]}" "1 megasas ${pages[megasas]}" \
        "2 mptsas ${pages[mptsas]}" "3 sym ${pages[sym]}" \
        "4 usb-storage ${pages[usb-storage]}" "5 uas ${pages[uas]}"
    pass_whole $disks
}

@test "six HBAs: a PV guest with vscsi=" {
    with_guest pv
    all_pass
}

@test "six HBAs: hot, to a PV guest" {
    with_guest pv
    attach_all
    all_pass
}

@test "six HBAs: a PV guest after its reboot" {
    with_guest pv
    boots=$(grep -c '^guest: ready' "$consoles/guest-life.log")
    reboots $((boots + 1))
    guest life "$(sed 's,/run/,/,g' <<<"$make_content")"
    all_pass
}

@test "a mixture on one vscsictrl keeps to the smallest" {
    with_guest pv
    detach_all
    /tests/thirdparty attach "$(xl domid life)" "${at[mptsas]},7:0:0:0" \
        "${at[ahci1]},7:0:1:0" "${at[sym]},7:0:2:0" \
        "${at[usb-storage]},7:0:3:0"
    keep "7 mptsas 33" "7 ahci1 33" "7 sym 33" "7 usb-storage 33"
    pass_whole mptsas ahci1 sym usb-storage
}

@test "what takes less than a connected vscsictrl's is refused there" {
    with_guest pv
    detach_all
    xl scsi-attach life "${at[mptsas]}" 8:0:0:0
    refused 1 "it takes commands of at most 128 KiB (33 pages), and the guest learned when it connected vscsictrl 8 that it may send 256 KiB (65 pages) (choose another HOST in VDEV" \
        xl scsi-attach life "${at[ahci1]}" 8:0:1:0
    # What it says is a way, and so is to say it before.
    xl scsi-attach life "${at[ahci1]}" 9:0:0:0
    xl scsi-attach life "${at[sym]}" 10:0:0:0,segments=33
    xl scsi-attach life "${at[ahci2]}" 10:0:1:0
    keep "8 mptsas 65" "9 ahci1 33" "10 sym 33" "10 ahci2 33"
    pass_whole mptsas ahci1 sym ahci2
}

@test "less than the guest's driver can keep to: a warning says what to set" {
    with_guest pv
    detach_all
    echo 64 >"/sys/block/${node[usb-storage]#/dev/}/device/max_sectors"
    run xl scsi-attach life "${at[usb-storage]}" 0:0:0:0
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"takes commands of at most 32 KiB"*"set /sys/block/.../queue/max_sectors_kb of it to 32"* ]]
    keep "0 usb-storage 26"
    guest life 'echo 32 >/sys/block/sda/queue/max_sectors_kb'
    pass_whole usb-storage
    xl scsi-detach life 0:0:0:0
    echo 512 >"/sys/block/${node[usb-storage]#/dev/}/device/max_sectors"
}

@test "a tape's largest block is (segments - 1) * 4 KiB" {
    with_guest pv
    detach_all
    # With blocks of 1 KiB the longest READ(6) and WRITE(6) of a disk, which
    # is what scsi_debug takes a tape's for, have 256 KiB.
    modprobe -r scsi_debug
    modprobe scsi_debug add_host=0 dev_size_mb=16 per_host_store=1 delay=0 \
        sector_size=1024
    host=$(add_scsi_debug ptype=1)
    xl scsi-attach life "$host:0:0:0" 0:0:0:0,segments=64
    tape_passes 252
    run tape_passes 256
    echo "$output"
    [ "$status" -ne 0 ]
    xl scsi-detach life 0:0:0:0
    xl scsi-attach life "$host:0:0:0" 0:0:0:0,segments=65
    tape_passes 256
    xl destroy life
    modprobe -r scsi_debug
    modprobe scsi_debug add_host=0 dev_size_mb=16 per_host_store=1 delay=0
    assert_nothing_left
}

tape_passes() {     # KIB
    guest life "n=\$(ls /dev/sg*) && tapeio write \$n /a $(($1 * 1024)) && tapeio read \$n /c $(($1 * 1024)) && head -c $(($1 * 1024)) /a | cmp - /c && dd if=/dev/nst0 of=/c bs=$1k count=1 && head -c $(($1 * 1024)) /a | cmp - /c"
}

@test "a device that comes before the guest connects lowers the number" {
    create_args=-p create pv "vscsi=['${at[mptsas]},0:0:0:0']"
    xl scsi-attach life "${at[ahci1]}" 0:0:1:0
    xl unpause life
    wait_guest life
    connected 2
    keep "0 mptsas 33" "0 ahci1 33"
    xl destroy life
    assert_nothing_left
}

@test "six HBAs: a PVH guest with vscsi=" {
    with_guest pvh
    all_pass
}

@test "six HBAs: a PVH guest after save and restore" {
    with_guest pvh
    xl save life /run/life.save
    xl restore /run/life.save </dev/null
    all_pass
}

@test "six HBAs: a PVH guest after its migration" {
    with_guest pvh
    xl migrate -s '' life 'xl migrate-receive'
    all_pass
    xl destroy life
    rm /run/life.type
    assert_nothing_left
}
