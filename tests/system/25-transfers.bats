#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# "Transfer size" in pvscsi.txt: what dom0's HBA does not take as one command,
# the guest does not send. With HBAs of the kinds that real machines have.

# As the guest names them, in the order of their vhosts; the last is a second
# one of ahci.
disks="ahci1 megasas mptsas sym usb-storage uas"

# What dom0 writes to each disk, and what the guest writes: 4 MiB in which
# nothing comes twice.
make_content="seq 1000000 1524287 >/run/a; tail -c +54321 /run/a >/run/b; head -c 54320 /run/a >>/run/b"

setup_file() {
    . /tests/vscsi.sh
    . /tests/hbas.sh
    load_hbas 1 2
    eval "$make_content"
    for n in $disks ahci2; do
        dd if=/run/a of="$(node_of "$(hba_disk $n)")" bs=1M oflag=direct
    done
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
    declare -gA at node
    for n in $disks ahci2; do
        at[$n]=$(hba_disk $n)
        node[$n]=$(node_of "${at[$n]}")
    done
}

# One guest of each kind for all tests: what fails leaves it as it was.
teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || life_teardown
}

# connected N: it has all of its N devices.
connected() {
    wait_for '[ "$(states life | grep -c " 4 4$")" -eq '"$1 ]" 60
}

# with_guest TYPE: that has all six from the beginning, each on a vhost of its
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

# attach_all: hot, each to a vhost of its own, and nothing else.
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

# pages NAME...: the N that a vscsictrl of these has, by dom0's queues.
pages() {
    least=128
    for n; do
        queue=/sys/block/${node[$n]#/dev/}/queue
        max=$(($(cat "$queue/max_hw_sectors_kb") / 4 + 1))
        num=$(cat "$queue/max_segments")
        [ "$num" -le $max ] || num=$max
        [ "$num" -ge $least ] || least=$num
    done
    [ $least -ge 26 ] || least=26
    echo $least
}

# keeps_to VHOST N NAME...: both ends of this vhost say N; the guest has these
# devices on it.
keeps_to() {
    vhost=$1 num=$2
    shift 2
    [ "$(xenstore-read "/local/domain/0/backend/vscsi/$(xl domid life)/$vhost/feature-sg-grant")" = "$num" ]
    queues=$(guest life 'cd /sys/block && for d in sd*; do echo $(cat $d/device/model $d/queue/max_hw_sectors_kb); done')
    echo "$queues"
    for n; do
        grep -q "^$n $(((num - 1) * 4))\$" <<<"$queues"
    done
}

each_keeps_to_its_own() {
    i=0
    for n in $disks; do
        keeps_to $i "$(pages $n)" $n
        i=$((i + 1))
    done
}

# in_guest COMMANDS: with each disk as $f.
in_guest() {
    guest life "for f in /dev/sd*; do { $1; } 2>/said || { cat /said; echo \$f; exit 1; }; done"
}

in_dom0() {
    for n; do
        dd if="${node[$n]}" bs=1M iflag=direct 2>/dev/null | cmp - "$content"
    done
}

# pass_whole NAME...: all disks that the guest has, these, are read and
# written from their beginning to their end, past the cache and through it.
pass_whole() {
    in_guest 'dd if=$f bs=1M iflag=direct | cmp - /a && echo 3 >/proc/sys/vm/drop_caches && dd if=$f bs=1M | cmp - /a && dd if=/b of=$f bs=1M oflag=direct'
    content=/run/b in_dom0 "$@"
    in_guest 'dd if=/a of=$f bs=1M conv=fsync'
    content=/run/a in_dom0 "$@"
}

all_pass() {
    connected 6
    each_keeps_to_its_own
    pass_whole $disks
}

passes_after_save() {
    with_guest "$1"
    xl save life /run/life.save
    xl restore /run/life.save </dev/null
    all_pass
}

passes_after_reboot() {
    with_guest "$1"
    boots=$(grep -c '^guest: ready' "$consoles/guest-life.log")
    reboots $((boots + 1))
    guest life "$(sed 's,/run/,/,g' <<<"$make_content")"
    all_pass
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
    passes_after_reboot pv
}

@test "six HBAs: a PV guest after save and restore" {
    passes_after_save pv
}

@test "a mixture on one vscsictrl keeps to the smallest" {
    with_guest pv
    detach_all
    /tests/thirdparty attach "$(xl domid life)" "${at[mptsas]},7:0:0:0" \
        "${at[ahci1]},7:0:1:0" "${at[sym]},7:0:2:0" \
        "${at[usb-storage]},7:0:3:0"
    keeps_to 7 "$(pages mptsas ahci1 sym usb-storage)" \
        mptsas ahci1 sym usb-storage
    pass_whole mptsas ahci1 sym usb-storage
}

@test "what takes less than a connected vscsictrl's is refused there" {
    with_guest pv
    detach_all
    xl scsi-attach life "${at[mptsas]}" 8:0:0:0
    refused 1 "it takes commands of at most 128 KiB (33 pages), and the guest learned when it connected vhost 8 that it may send 256 KiB (65 pages) (choose another HOST in VDEV" \
        xl scsi-attach life "${at[ahci1]}" 8:0:1:0
    keeps_to 8 "$(pages mptsas)" mptsas
    # What it says is a way, and so is to say it before.
    xl scsi-attach life "${at[ahci1]}" 9:0:0:0
    xl scsi-attach life "${at[sym]}" 10:0:0:0,segments=33
    xl scsi-attach life "${at[ahci2]}" 10:0:1:0
    keeps_to 9 33 ahci1
    keeps_to 10 33 sym ahci2
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
    keeps_to 0 26 usb-storage
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
    guest life "n=\$(ls /dev/sg*) && tapeio write \$n /a $(($1 * 1024)) && tapeio read \$n /c $(($1 * 1024)) && head -c $(($1 * 1024)) /a | cmp - /c && dd if=/a of=/dev/nst0 bs=$1k count=1 && dd if=/dev/nst0 of=/c bs=$1k count=1 && head -c $(($1 * 1024)) /a | cmp - /c"
}

@test "a device that comes before the guest connects lowers the number" {
    create_args=-p create pv "vscsi=['${at[mptsas]},0:0:0:0']"
    xl scsi-attach life "${at[ahci1]}" 0:0:1:0
    xl unpause life
    wait_guest life
    connected 2
    keeps_to 0 33 mptsas ahci1
    xl destroy life
    assert_nothing_left
}

@test "six HBAs: a PVH guest with vscsi=" {
    with_guest pvh
    all_pass
}

@test "six HBAs: hot, to a PVH guest" {
    with_guest pvh
    attach_all
    all_pass
}

@test "six HBAs: a PVH guest after its reboot" {
    passes_after_reboot pvh
}

@test "six HBAs: a PVH guest after save and restore" {
    passes_after_save pvh
}

@test "six HBAs: a PVH guest after its migration" {
    with_guest pvh
    xl migrate -s '' life 'xl migrate-receive'
    all_pass
    xl destroy life
    rm /run/life.type
    assert_nothing_left
}
