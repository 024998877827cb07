# SPDX-License-Identifier: LGPL-2.1-only
# What the tests in dom0 (/tests/lib.sh there) are written with: guests whose
# commands come from here, SCSI devices made to measure, and snapshots that
# show what is left behind.

consoles=/var/log/xen/console
scsi_debug=/sys/bus/pseudo/drivers/scsi_debug
# The distribution's own, for what the rig wants to know.
real_xl=/usr/sbin/xl

# wait_for CONDITION SECONDS: polls what cannot be watched. 1: out of time.
wait_for() {
    _end=$(($(date +%s) + $2))
    until eval "$1"; do
        if [ "$(date +%s)" -ge $_end ]; then
            echo "not within $2 s: $1" >&2
            return 1
        fi
        sleep 0.1
    done
}

# start_guest NAME [pv|pvh] [CONFIG_LINE...]: a guest of 192 MB that takes
# commands; $guest_args is added to its kernel's command line ("noscsi": no
# xen-scsifront until `guest NAME modprobe xen-scsifront`).
start_guest() {
    _name=$1
    write_guest_config "$@" || return 1
    rm -f "$consoles/guest-$_name.log"
    xl create -q "/run/$_name.cfg" </dev/null || return
    wait_guest "$_name"
}

# write_guest_config NAME [pv|pvh] [CONFIG_LINE...]: makes /run/NAME.cfg only.
write_guest_config() {
    _cfg=/run/$1.cfg _type=${2:-pv}
    {
        printf 'name="%s"\ntype="%s"\n' "$1" "$_type"
        echo 'kernel="/guest/vmlinuz"'
        echo 'ramdisk="/guest/initrd"'
        echo "extra=\"console=hvc0 rdinit=/init quiet ${guest_args:-}\""
        echo 'memory=192'
        echo 'vcpus=1'
        echo 'on_crash="destroy"'
        shift
        [ $# -eq 0 ] || shift
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >"$_cfg"
}

# wait_guest NAME: until it takes commands (after its start or its reboot).
wait_guest() {
    if ! wait_for "guest_is_ready '$1'" "${GUEST_TIMEOUT_S:-60}"; then
        echo "guest $1 did not come up; its console:" >&2
        tail -n 20 "$consoles/guest-$1.log" >&2
        return 1
    fi
}

guest_is_ready() {
    grep -q '^guest: ready' "$consoles/guest-$1.log" 2>/dev/null
}

# stop_guest NAME: destroys it, if it is there.
stop_guest() {
    "$real_xl" domid "$1" >/dev/null 2>&1 || return 0
    xl destroy "$1"
}

# guest NAME COMMAND: runs one line of shell in the guest; its output and exit
# code are ours. 124: no answer within $GUEST_TIMEOUT_S (60) seconds.
guest() {
    _name=$1
    shift
    case $* in *"
"*) echo "guest: one line only" >&2; return 125 ;; esac
    _domid=$("$real_xl" domid "$_name") || return 125
    _tty=$(xenstore-read "/local/domain/$_domid/console/tty") || return 125
    read -r _id </proc/sys/kernel/random/uuid
    # In a process of its own, which cannot get the tty as controlling one.
    (printf '%s %s\n' "$_id" "$*" >"$_tty")
    if ! wait_for "_log=\$(guest_log '$_name' $_id)" \
        "${GUEST_TIMEOUT_S:-60}"; then
        echo "guest $_name does not answer: $*" >&2
        return 124
    fi
    # The guest puts one newline before the end mark, whatever came before.
    awk -v id="$_id" '
        { sub(/\r$/, "") }
        index($0, "end:" id ":") == 1 { exit }
        on && held { print last }
        on { last = $0; held = 1 }
        $0 == "begin:" id { on = 1 }
        END { if (last != "") print last }' "$_log"
    return "$(sed -n "s/^end:$_id:\([0-9]*\).*/\1/p" "$_log")"
}

# Where the answer to command $2 of guest $1 is: a domain that migrated keeps
# the log of the name it arrived under.
guest_log() {
    for _f in "$consoles/guest-$1.log" "$consoles/guest-$1--incoming.log"; do
        if grep -q "^end:$2:" "$_f" 2>/dev/null; then
            echo "$_f"
            return 0
        fi
    done
    return 1
}

# add_scsi_debug [ptype=0] [num_tgts=1] [max_luns=1] [ATTRIBUTE=VALUE...]: a
# new SCSI host; prints its number. ptype, 0 disk, 1 tape, 5 CD, 8 changer,
# is one for all hosts at a time: what is there already keeps its nodes but
# answers INQUIRY with the new type.
add_scsi_debug() {
    for _a in ptype=0 num_tgts=1 max_luns=1 removable=0 opts=0 "$@"; do
        echo "${_a#*=}" >"$scsi_debug/${_a%%=*}" || return 1
    done
    echo 1 >"$scsi_debug/add_host" || return 1
    udevadm settle
    scsi_debug_hosts | tail -n 1
}

# The numbers of scsi_debug's hosts, oldest first.
scsi_debug_hosts() {
    for _h in /sys/bus/pseudo/devices/adapter*/host*; do
        [ ! -d "$_h" ] || echo "${_h##*/host}"
    done | sort -n
}

# remove_scsi_debug: takes the newest host away; with "all", every one.
remove_scsi_debug() {
    while [ -n "$(scsi_debug_hosts)" ]; do
        echo -1 >"$scsi_debug/add_host" || return 1
        [ "${1:-}" = all ] || break
    done
    udevadm settle
}

# node_of H:C:T:L [block|scsi_generic|scsi_tape|scsi_changer]: its /dev node.
node_of() {
    _class=${2:-block}
    for _n in "/sys/class/scsi_device/$1/device/$_class"/*; do
        [ -e "$_n" ] || continue
        # Of a tape's many nodes, the plain one.
        case ${_n##*/} in nst* | st*[alm]) continue ;; esac
        echo "/dev/${_n##*/}"
        return 0
    done
    echo "no $_class node of $1" >&2
    return 1
}

# Everything of vscsi in xenstore, and all of LIO's objects: compare two of
# them to see that nothing is left.
snapshot_store() {
    xenstore-ls -f | grep vscsi | sort
    return 0
}

snapshot_configfs() {
    find /sys/kernel/config/target | sort
}
