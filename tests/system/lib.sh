# SPDX-License-Identifier: LGPL-2.1-only
# What the tests in dom0 (/tests/lib.sh there) are written with: guests whose
# commands come from here, SCSI devices made to measure, and snapshots that
# show what is left behind.

consoles=/var/log/xen/console
scsi_debug=/sys/bus/pseudo/drivers/scsi_debug
# The distribution's own, for what the rig wants to know: the one that its
# script of that name, or our launcher in the script's place, starts.
for real_xl in /usr/lib/xen-*/bin/xl; do :; done
# Ours, from make install or from the packages.
if [ -e /usr/local/sbin/xl ]; then
    our_xl=/usr/local/sbin/xl our_hooks=/usr/local/lib/xen-vscsi
    our_rules=/usr/local/lib/udev/rules.d our_man=/usr/local/share/man
else
    our_xl=/usr/sbin/xl our_hooks=${real_xl%/bin/xl}/vscsi
    our_rules=/usr/lib/udev/rules.d our_man=/usr/share/man
fi

# For the log of dom0's kernel, in which vm.sh looks for what must not be.
[ -z "${BATS_TEST_DESCRIPTION:-}" ] ||
    echo "<3>rig: test '$BATS_TEST_DESCRIPTION'" >/dev/kmsg

# A process more costs a tenth of a second here, so that what is done often
# is done without.
seconds() {
    read -r _up _ </proc/uptime
    _up=${_up%.*}
}

# wait_for CONDITION SECONDS: polls what cannot be watched. 1: out of time.
wait_for() {
    seconds
    _end=$((_up + $2)) _pause=0.1
    until eval "$1"; do
        seconds
        if [ "$_up" -ge $_end ]; then
            echo "not within $2 s: $1" >&2
            return 1
        fi
        # Looking takes CPU time from what is waited for.
        sleep $_pause
        case $_pause in 0.1) _pause=0.2 ;; 0.2) _pause=0.4 ;; esac
    done
}

# start_guest NAME [pv|pvh|hvm] [CONFIG_LINE...]: a guest of 128 MB that takes
# commands; $guest_args is added to its kernel's command line ("noscsi": no
# xen-scsifront until `guest NAME modprobe xen-scsifront`).
start_guest() {
    _name=$1
    write_guest_config "$@" || return 1
    rm -f "$consoles/guest-$_name.log"
    xl create -q "/run/$_name.cfg" </dev/null || return
    wait_guest "$_name"
}

# write_guest_config NAME [pv|pvh|hvm] [CONFIG_LINE...]: makes /run/NAME.cfg only.
write_guest_config() {
    _cfg=/run/$1.cfg _type=${2:-pv}
    # What vm.sh gives dom0's kernel, no look for an AGP bridge and, a PV one,
    # no measuring of the clock that it does not use: half of its boot.
    _quick="$(cat /rig/linux) pci=noearly"
    [ "$_type" != pv ] || _quick="$_quick clearcpuid=4"
    {
        printf 'name="%s"\ntype="%s"\n' "$1" "$_type"
        if [ "$_type" = hvm ]; then
            # What QEMU need not show, or emulate.
            printf '%s\n' 'kernel="/guest/vmlinuz"' 'serial="none"' \
                'vga="none"' 'vnc=0' 'sdl=0' 'usb=0'
        else
            echo 'kernel="/guest/vmlinux"'
        fi
        echo 'ramdisk="/guest/initrd"'
        echo "extra=\"console=hvc0 rdinit=/init quiet $_quick ${guest_args:-}\""
        echo 'memory=128'
        echo 'vcpus=1'
        # Else each look at the clock is emulated by Xen: a fifth of the time.
        echo 'tsc_mode="native"'
        echo 'on_crash="destroy"'
        shift
        [ $# -eq 0 ] || shift
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >"$_cfg"
}

# wait_guest NAME [N]: until it takes commands, after its start or, with N=2
# and so on, after it started for the Nth time by rebooting itself.
wait_guest() {
    if ! timeout "${GUEST_TIMEOUT_S:-180}" tail -q -n +1 -F \
        "$consoles/guest-$1.log" 2>/dev/null |
        mawk -W interactive -v n="${2:-1}" '/^guest: ready/ && ++seen == n \
            { found = 1; exit } END { exit !found }'; then
        echo "guest $1 did not come up; its console:" >&2
        tail -n 20 "$consoles/guest-$1.log" >&2
        return 1
    fi
}

# stop_guest NAME: destroys it, if it is there.
stop_guest() {
    "$real_xl" domid "$1" >/dev/null 2>&1 || return 0
    xl destroy "$1"
}

# guest NAME COMMAND: runs one line of shell in the guest; its output and exit
# code are ours. 124: no answer within $GUEST_TIMEOUT_S (60) seconds.
guest() {
    _name=$1 _code=0
    shift
    /tests/ask "$_name" "$*" || _code=$?
    if [ $_code -eq 124 ]; then
        echo "the end of its console:" >&2
        tail -n 30 "$consoles/guest-$_name.log" >&2
    fi
    return $_code
}

# udevd's answer may be lost where the machine is slow ("Broken pipe").
settle() {
    udevadm settle || udevadm settle
}

# add_scsi_debug [ptype=0] [num_tgts=1] [max_luns=1] [ATTRIBUTE=VALUE...]: a
# new SCSI host; prints its number. ptype, 0 disk, 1 tape, 5 CD, 8 changer,
# is one for all hosts at a time: what is there already keeps its nodes but
# answers INQUIRY with the new type.
add_scsi_debug() {
    for _a in ptype=0 num_tgts=1 max_luns=1 removable=0 opts=0 virtual_gb=0 \
        "$@"; do
        echo "${_a#*=}" >"$scsi_debug/${_a%%=*}" || return 1
    done
    echo 1 >"$scsi_debug/add_host" || return 1
    settle
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
    settle
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
    _all=$(xenstore-ls -f)
    case $_all in *vscsi*) echo "$_all" | grep vscsi ;; esac
}

snapshot_configfs() {
    find /sys/kernel/config/target
}
