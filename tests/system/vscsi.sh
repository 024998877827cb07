# SPDX-License-Identifier: LGPL-2.1-only
# What the tests of our commands share, on top of lib.sh (/tests/vscsi.sh in
# dom0): what the guest sees, and what is left behind.
. /tests/lib.sh
PATH=/usr/local/sbin:$PATH
target=/sys/kernel/config/target

# Emulation can lose a guest or a daemon: what it breaks gets a second chance,
# and says what failed the first time; run.sh counts that.  In the place of
# bats' own, which asks here whether a test that failed is tried again.
bats_should_retry_test() {
    [ "$BATS_TEST_TRY_NUMBER" -le 1 ] || return 1
    {
        echo "# retried: $BATS_TEST_DESCRIPTION"
        bats_get_failure_stack_trace _trace
        # shellcheck disable=SC2154     # that sets it
        bats_print_stack_trace "${_trace[@]}"
        bats_print_failed_command "${_trace[@]}"
        tail -n 5 "$BATS_OUT" | sed 's/^/# /'
    } >&3 || :
}

# no COMMAND...: it fails (that `! COMMAND` succeeds is nothing to bats).
no() {
    if "$@"; then
        echo "did not fail: $*"
        return 1
    fi
}

# No vscsi node anywhere, and no object of ours in LIO.
assert_nothing_left() {
    _left=$(snapshot_store; ours_in_lio)
    [ -z "$_left" ] || { echo "left behind:"; echo "$_left"; return 1; }
}

ours_in_lio() {
    for _o in $target/core/pscsi_*/xl-vscsi-* $target/xen-pvscsi/naa.*; do
        [ ! -e "$_o" ] || echo "$_o"
    done
}

# All of it, to see that a refusal changed nothing.
snapshot() {
    snapshot_store
    snapshot_configfs
}

# guest_sysfs NAME T:L ATTRIBUTE: of the guest's device at any host, 0:T:L.
guest_sysfs() {
    guest "$1" "cat /sys/bus/scsi/devices/*:0:$2/$3" | sed 's/ *$//'
}

# guest_node NAME T:L CLASS: the guest's node, "sda", "st0", "sg0".
guest_node() {
    guest "$1" "ls -d /sys/bus/scsi/devices/*:0:$2/$3/*" |
        sed 's,.*/,,;q'
}

# The number of SCSI devices that the guest has.
guest_count() {
    guest "$1" "ls -d /sys/bus/scsi/devices/*:*:*:* 2>/dev/null | wc -l"
}

# states NAME: "VDEV STATE DEVSTATE" of each device, from scsi-list.
states() {
    xl scsi-list "$1" | awk 'NR > 1 { print $(NF-1), $3, $NF }'
}

# refused EXPECTED-CODE MESSAGE COMMAND...: fails so, and changes nothing.
refused() {
    _code=$1 _msg=$2
    shift 2
    _before=$(snapshot)
    run "$@"
    echo "$* -> $status: $output"
    [ "$status" -eq "$_code" ] || return 1
    case $output in *"$_msg"*) ;; *) echo "no: $_msg"; return 1 ;; esac
    [ "$(snapshot)" = "$_before" ]
}

# One partition, from sector 2048, of 8192 sectors.
make_partition() {
    dd if=/dev/zero of="$1" bs=512 count=1 conv=fsync 2>/dev/null
    printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\040\0\0' |
        dd of="$1" bs=1 seek=446 conv=notrunc 2>/dev/null
    printf '\125\252' | dd of="$1" bs=1 seek=510 conv=notrunc,fsync 2>/dev/null
    blockdev --rereadpt "$1"
    settle
    [ -b "${1}1" ]
}

# make_admins_lun WWN LUN BACKSTORE: what targetcli would make, with
# BACKSTORE as "pscsi_0/mine".
make_admins_lun() {
    mkdir -p "$target/xen-pvscsi/$1/tpgt_1"
    echo naa.6001405aaaabbbb2 >"$target/xen-pvscsi/$1/tpgt_1/nexus"
    mkdir "$target/xen-pvscsi/$1/tpgt_1/lun/lun_$2"
    ln -s "$target/core/$3" "$target/xen-pvscsi/$1/tpgt_1/lun/lun_$2/link"
}

# remove_admins_lun WWN LUN BACKSTORE: all of it, if it is there.
remove_admins_lun() {
    [ -d "$target/core/$3" ] || return 0
    rm -f "$target/xen-pvscsi/$1/tpgt_1/lun/lun_$2/link"
    for _d in "xen-pvscsi/$1/tpgt_1/lun/lun_$2" "xen-pvscsi/$1/tpgt_1" \
        "xen-pvscsi/$1" "core/$3" "core/${3%/*}"; do
        [ ! -d "$target/$_d" ] || rmdir "$target/$_d"
    done
}
