#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# What bench.sh runs in dom0: prints lines "S NAME VALUE", one for each time
# that something was measured, in microseconds.  Within a round everything
# takes its turn, so that what disturbs one disturbs all.
. /tests/vscsi.sh
. /tests/bench/settings
set -u
ours=/usr/local/sbin/xl
bench=/tests/bench
lio=$target/xen-pvscsi/naa.6001405000000001
wwn=naa.6001405000000001

say() { echo "# bench: $*"; }

# clock NAME COMMAND...: runs it; a command that fails is no sample.
clock() {
    _name=$1
    shift
    _out=$($bench/stopwatch "$@") || { say "failed: $*"; return 1; }
    echo "S $_name ${_out% *}"
}

# clock_floor NAME COMMAND...: the floor client; what it says itself, how
# long the kernels took, is a sample of its own.
clock_floor() {
    _name=$1
    shift
    _out=$($bench/stopwatch $bench/floor "$@" 3>/run/kernel) ||
        { say "failed: floor $*"; return 1; }
    echo "S $_name ${_out% *}"
    echo "S $_name-kernel $(cat /run/kernel)"
}

# kernel_of NAME COMMAND...: only that of the floor client.
kernel_of() {
    _name=$1
    shift
    $bench/floor "$@" 3>/run/kernel || { say "failed: floor $*"; return 1; }
    echo "S $_name-kernel $(cat /run/kernel)"
}

# An admin's target with 16 LUNs of host $1: with it there is nothing to do
# in LIO, neither for xl nor for the floor client.
make_target() {
    mkdir -p "$target"/core/pscsi_900 "$lio"/tpgt_1
    echo naa.6001405000000002 >"$lio"/tpgt_1/nexus
    for _l in $(seq 0 15); do
        _b=$target/core/pscsi_900/bench-$_l
        mkdir "$_b" "$lio/tpgt_1/lun/lun_$_l"
        echo "scsi_host_id=$1,scsi_channel_id=0,scsi_target_id=0,scsi_lun_id=$_l" \
            >"$_b/control"
        node_of "$1:0:0:$_l" >"$_b/udev_path"
        echo 1 >"$_b/enable"
        ln -s "$_b" "$lio/tpgt_1/lun/lun_$_l/link"
    done
}

# attach_many DEVID FIRST LAST: LUNs of the admin's target in one call.
attach_many() {
    for _l in $(seq "$2" "$3"); do echo "$wwn:$_l,$1:0:0:$_l"; done |
        xargs /tests/thirdparty attach "$domid"
}

# A guest is through with a device, and dom0 with what it frees, some time
# after both have said so; and that is nobody's cost.  The machine's clock
# jumps over this.  What the kernels wait for ends at a tick of theirs, every
# 4 ms: the milliseconds vary, lest one command always begin just after one.
phase=0
at_rest() {
    phase=$(((phase + 1) % 7))
    sleep 0.50$phase
}

# in_turn ROUND FUNCTION...: each of them, another one first in every round,
# for whoever comes later finds more in memory.
in_turn() {
    _turn=$(($1 % ($# - 1)))
    shift
    while [ $_turn -gt 0 ]; do
        _first=$1
        shift
        set -- "$@" "$_first"
        _turn=$((_turn - 1))
    done
    for _function; do $_function; done
}

# By the domid, which is what the floor client is given too.
by_floor() {
    at_rest
    clock_floor floor-attach-"$n" attach "$domid" 0 "$n" "$wwn:$n"
    at_rest
    clock_floor floor-detach-"$n" detach "$domid" 0 "$n"
}
by_us() {
    at_rest
    clock attach-"$n" "$ours" scsi-attach "$domid" "$wwn:$n" "0:0:0:$n"
    at_rest
    clock detach-"$n" "$ours" scsi-detach "$domid" "0:0:0:$n"
}
by_us_lio() {
    at_rest
    clock attach-lio-"$n" "$ours" scsi-attach "$domid" "$host:0:0:$n" "0:0:0:$n"
    at_rest
    clock detach-lio-"$n" "$ours" scsi-detach "$domid" "0:0:0:$n"
}
list_real() { clock xl-list-$((n + 1)) "$real_xl" list; }
list_wrapped() { clock wrapped-list-$((n + 1)) /usr/sbin/xl list; }
list_launched() { clock launched-list-$((n + 1)) "$ours" list; }

# with_there N: N devices are there; one more comes and goes.
with_there() {
    n=$1
    attach_many 0 0 $((n - 1))
    _node=$(node_of "$host:0:0:$n")
    # Ticks scatter these by 2 ms; twice the rounds, to see what 1 ms is.
    for _r in $(seq $((rounds * 2))); do
        in_turn "$_r" by_floor by_us by_us_lio
    done
    for _r in $(seq "$rounds"); do
        kernel_of floor-export export "$host" 0 0 "$n" "$_node"
        kernel_of floor-unexport unexport "$host" 0 0 "$n" "$_node"
        clock xl-list "$real_xl" list
    done
    # Once more, for the listing.
    "$ours" scsi-attach "$domid" "$wwn:$n" "0:0:0:$n"
    for _r in $(seq "$rounds"); do
        clock list-$((n + 1)) "$ours" scsi-list one
        clock list-all-$((n + 1)) "$ours" scsi-list
        clock floor-list-$((n + 1)) $bench/floor list "$domid"
        in_turn "$_r" list_real list_wrapped list_launched
    done
    /tests/thirdparty remove "$domid" 0
}

# A vscsictrl of its own for each round: the guest needs a while to be rid of
# one.
first_and_many() {
    for _r in $(seq "$rounds"); do
        at_rest
        clock first "$ours" scsi-attach "$domid" "$wwn:0" "$_r:0:0:0"
        at_rest
        clock second "$ours" scsi-attach "$domid" "$wwn:1" "$_r:0:0:1"
        "$ours" scsi-detach "$domid" "$_r:0:0:1"
        at_rest
        clock last "$ours" scsi-detach "$domid" "$_r:0:0:0"
        at_rest
        clock_floor floor-first plug "$domid" $((_r + 100)) 0 "$wwn:0"
        at_rest
        clock_floor floor-last unplug "$domid" $((_r + 100)) 0
        at_rest
        # Words split on purpose.
        # shellcheck disable=SC2046
        clock_floor floor-first-16 plug "$domid" $((_r + 400)) 0 \
            $(for _l in $(seq 0 15); do echo "$wwn:$_l"; done)
        at_rest
        kernel_of floor-last-16 unplug "$domid" $((_r + 400)) 0
        at_rest
        clock one-call-1 /tests/thirdparty attach "$domid" \
            "$wwn:0,$((_r + 200)):0:0:0"
        /tests/thirdparty remove "$domid" $((_r + 200))
        _devs=$(for _l in $(seq 0 15); do
            echo "$wwn:$_l,$((_r + 300)):0:0:$_l"; done)
        at_rest
        # Words split on purpose.
        # shellcheck disable=SC2086
        clock one-call-16 /tests/thirdparty attach "$domid" $_devs
        /tests/thirdparty remove "$domid" $((_r + 300))
    done
}

# A disk that the guest's driver takes, as it takes ours.
disks() {
    guest one modprobe xen-blkfront
    _disk=$(node_of "$host:0:0:15")
    for _r in $(seq "$rounds"); do
        clock block-attach "$real_xl" block-attach one "phy:$_disk,xvdz,w"
        clock block-detach "$real_xl" block-detach one xvdz
    done
}

# create_plain NAME XL
create_plain() {
    clock "$1" "$2" create -q -p /run/plain.cfg
    $real_xl destroy plain
}
create_real() { create_plain create "$real_xl"; }
create_launched() { create_plain create-launched "$ours"; }

# Paused: the guest's own start is nobody's cost.
creates() {
    write_guest_config plain pv
    write_guest_config sixteen pv "vscsi = [ $(for _l in $(seq 0 15); do
        printf "'%s:%s,0:0:0:%s', " "$wwn" "$_l" "$_l"; done) ]"
    # Once before anything counts.
    create_plain warm "$real_xl"
    for _r in $(seq "$rounds"); do
        in_turn "$_r" create_real create_launched
        clock create-16 "$ours" create -q -p /run/sixteen.cfg
        "$ours" destroy sixteen
    done
}

# Sixteen devices of an admin's targets, and sixteen exported by us.
listings() {
    attach_many 0 0 15
    for _r in $(seq "$rounds"); do
        clock list-theirs "$ours" scsi-list one
    done
    /tests/thirdparty remove "$domid" 0
    for _l in $(seq 0 15); do echo "$host:0:0:$_l,0:0:0:$_l"; done |
        xargs /tests/thirdparty attach "$domid"
    for _r in $(seq "$rounds"); do
        clock list-ours "$ours" scsi-list one
        clock list-wrapper /usr/sbin/xl list
        clock list-binary "$real_xl" list
    done
    /tests/thirdparty remove "$domid" 0
    wait_for '[ "$(ours_in_lio | wc -l)" -eq 0 ]' 60
}

# beside NAME: a device that comes and goes, by a target of the admin's and
# exported by us.
beside() {
    for _r in $(seq "$rounds"); do
        at_rest
        clock "attach-$1" "$ours" scsi-attach "$domid" "$wwn:1" 0:0:0:1
        at_rest
        clock "detach-$1" "$ours" scsi-detach "$domid" 0:0:0:1
        at_rest
        clock "attach-lio-$1" "$ours" scsi-attach "$domid" "$host:0:0:1" \
            0:0:0:1
        at_rest
        clock "detach-lio-$1" "$ours" scsi-detach "$domid" 0:0:0:1
    done
}

# A target and a backstore of the admin's, number $1.
foreign_target() { echo "$target/xen-pvscsi/naa.6001405$(printf %09x "$1")"; }
add_foreign() {
    _b=$target/core/rd_mcp_900/other-$1
    _t=$(foreign_target "$1")
    mkdir -p "$_b" "$_t/tpgt_1/lun/lun_0"
    echo rd_pages=1 >"$_b/control"
    echo 1 >"$_b/enable"
    ln -s "$_b" "$_t/tpgt_1/lun/lun_0/link"
    echo "naa.6001404$(printf %09x "$1")" >"$_t/tpgt_1/nexus"
}
remove_foreign() {
    _t=$(foreign_target "$1")
    echo NULL >"$_t/tpgt_1/nexus"
    rm "$_t/tpgt_1/lun/lun_0/link"
    rmdir "$_t/tpgt_1/lun/lun_0" "$_t/tpgt_1" "$_t" \
        "$target/core/rd_mcp_900/other-$1"
}

# What others have, and what the admin has in LIO, costs nothing.
scale() {
    "$ours" scsi-attach "$domid" "$wwn:0" 0:0:0:0
    beside alone
    "$bench"/others add 500 1
    beside others
    "$bench"/others remove 500 1
    mkdir -p "$target/core/rd_mcp_900"
    for _n in $(seq 100 199); do add_foreign "$_n"; done
    beside targets
    for _n in $(seq 100 199); do remove_foreign "$_n"; done
    "$ours" scsi-detach "$domid" 0:0:0:0
}

# Devices of the admin's that are no scsi_debug's, which is slow with all of
# its own when it is with one.
others_live() {
    for _r in $(seq "$rounds"); do
        at_rest
        clock "attach-$1" "$ours" scsi-attach "$domid" \
            "naa.6001405$(printf %09x 301):0" 0:0:0:1
        clock "list-$1" "$ours" scsi-list
        at_rest
        clock "detach-$1" "$ours" scsi-detach "$domid" 0:0:0:1
        clock "create-$1" "$ours" create -q -p /run/plain.cfg
        clock "end-$1" "$ours" destroy plain
    done
}

# The guest of a tape says that it has let go, and has a command to it under
# way that takes two minutes.
hanging() {
    mkdir -p "$target/core/rd_mcp_900"
    add_foreign 300
    add_foreign 301
    write_guest_config plain pv
    "$ours" scsi-attach "$domid" "naa.6001405$(printf %09x 300):0" 0:0:0:0
    others_live calm
    start_guest two pv
    _tapes=$(add_scsi_debug ptype=1)
    "$ours" scsi-attach two "$_tapes:0:0:0" 0:0:0:0
    _node=$(guest_node two 0:0 scsi_tape)
    echo 30000 >"$scsi_debug/delay"
    guest two "dd if=/dev/$_node of=/dev/null bs=512 count=1 \
        >/dev/null 2>&1 &"
    _busy=/sys/bus/scsi/devices/$_tapes:0:0:0/device_busy
    wait_for '[ "$(cat $_busy)" -gt 0 ]' 20
    guest two "forge </dev/null >/dev/null 2>&1 &"
    "$ours" scsi-detach two 0:0:0:0
    others_live hung
    [ "$(cat "$_busy")" -gt 0 ] || say "failed: it has not hung for so long"
    wait_for '[ "$(cat $_busy)" -eq 0 ]' 200
    echo 0 >"$scsi_debug/delay"
    wait_for '[ "$(ours_in_lio | wc -l)" -eq 0 ]' 60
    stop_guest two
    "$ours" scsi-detach "$domid" 0:0:0:0
    remove_foreign 300
    remove_foreign 301
}

# lives_beside NAME: the beginning and the end of a domain with four vscsictrls.
lives_beside() {
    for _r in $(seq "$rounds"); do
        at_rest
        clock "create-$1" "$ours" create -q -p /run/four.cfg
        at_rest
        clock "end-$1" "$ours" destroy four
        wait_for '! "$real_xl" domid four' 60
    done
}
lives() {
    write_guest_config four pv "vscsi = [ $(for _l in $(seq 0 3); do
        printf "'%s:%s,%s:0:0:0', " "$wwn" "$_l" "$_l"; done) ]"
    lives_beside alone
    "$bench"/others add 100 4
    lives_beside others
    "$bench"/others remove 100 4
}

# A thousand LUNs that say of themselves what they say on any host.
add_thousand() {
    thousand=$(add_scsi_debug num_tgts=4 max_luns=256 vpd_use_hostno=0)
    wait_for '[ "$(lsscsi -g | grep -c "^.$thousand:.*/dev/sg")" -eq 1024 ]' 300
}

# restores NAME: a guest that is there again, with what it had.
restores() {
    for _r in $(seq "$rounds"); do
        clock "$1" "$ours" restore -p /run/sixteen.save
        "$ours" destroy sixteen
    done
}

# What costs more the more devices dom0 has: a look at all of them, and a
# guest whose devices have all moved.
many() {
    add_thousand
    for _r in $(seq "$rounds"); do
        clock lsscsi-1024 lsscsi -g
        clock assignable-1024 "$ours" scsi-assignable-list
        clock assignable-all-1024 "$ours" scsi-assignable-list -a
    done
    write_guest_config sixteen pv "vscsi = [ $(for _l in $(seq 0 15); do
        printf "'%s:0:0:%s,0:0:0:%s', " "$thousand" "$_l" "$_l"; done) ]"
    "$ours" create -q /run/sixteen.cfg
    wait_guest sixteen
    "$ours" save sixteen /run/sixteen.save
    restores restore-there
    remove_scsi_debug
    add_thousand
    restores restore-moved
    rm /run/sixteen.save
}

start_guest one pv
domid=$($real_xl domid one)
exported=$(add_scsi_debug max_luns=16)
make_target "$exported"
host=$(add_scsi_debug max_luns=16)
say "domain $domid, targets $exported and $host"
for part in $parts; do
    say "part $part at $(cut -d' ' -f1 /proc/uptime) s"
    case $part in
    1 | 15) with_there "$part" ;;
    first) first_and_many ;;
    *) $part ;;
    esac
done
say "done at $(cut -d' ' -f1 /proc/uptime) s"
exit 0
