# SPDX-License-Identifier: LGPL-2.1-only
# A whole life of a domain by one way of calling xl, or with something wrong,
# as a row of a table (/tests/matrix.sh in dom0, after life.sh).  Never runs a
# guest that has lost its device, without a message and an exit code other than
# 0, or a line in the domain's log.

matrix_setup() {
    log=/var/log/xen/xl-life.log
    with_disk
    config pvh "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="restart"'
}

# ----- what is wrong -----

# spoil HOW: until lift.
spoil() {
    case $1 in
    hooks) mv "$our_hooks/xl-vscsi-hooks.so" /run/away.xl-vscsi-hooks.so ;;
    life | other)
        mv "$our_hooks/xl-vscsi-life.so" /run/away.xl-vscsi-life.so
        [ "$1" = life ] ||
            cp /tests/other-life.so "$our_hooks/xl-vscsi-life.so" ;;
    esac
}

lift() {
    for _o in /run/away.*; do
        [ ! -e "$_o" ] || mv "$_o" "$our_hooks/${_o#/run/away.}"
    done
}

# ----- what comes of it -----

has_device() { [ "$(states life)" = "0:0:0:0 4 4" ]; }

# The guest is up for the Nth time since it was created, and has its device;
# or it is not there.
settled() {
    if "$real_xl" domid life >/dev/null 2>&1; then
        [ "$(grep -c '^guest: ready' "$consoles/guest-life.log")" -ge "$1" ] &&
            has_device
    else
        ! pgrep -f 'xl create.*life.cfg' >/dev/null
    fi
}

# cell: the word for it, once all has settled; fails where a guest runs on
# without its device, or nobody said why there is none.  Looks at $status and
# $output of what was done, and for reboot at the log.
cell() {
    if "$real_xl" domid life >/dev/null 2>&1; then
        wait_for has_device 90 || return 1
        if [ "$status" -eq 0 ]; then _word=yes; else _word="refused"; fi
    else
        _word="refused"
    fi
    if [ $_word = refused ]; then
        [ "$status" -ne 0 ] || return 1
        case $output in *vscsi*) ;; *) return 1 ;; esac
    fi
    row="$row $_word |"
}

begin() {
    rm -f "$consoles/guest-life.log" "$log"
    xl create -q /run/life.cfg </dev/null
    wait_guest life
}

# column NAME HOW XL: a whole life.
column() {
    row="" how=$2
    xl=$3
    rm -f "$consoles/guest-life.log" "$log"
    spoil "$how"
    run "$xl" create -q /run/life.cfg </dev/null
    cell || return 1
    lift
    "$real_xl" domid life >/dev/null 2>&1 || begin
    wait_guest life
    writes_now

    spoil "$how"
    ends_by 'reboot -f'
    wait_for 'settled 2' 90 || return 1
    status=0 output=
    "$real_xl" domid life >/dev/null 2>&1 || {
        status=1
        output=$(cat "$log")
    }
    cell || return 1
    lift
    "$real_xl" domid life >/dev/null 2>&1 || begin

    spoil "$how"
    run "$xl" save life /run/life.save
    lift
    if [ "$status" -eq 0 ]; then
        grep -aq vscsictrls /run/life.save || return 1
        row="$row yes |"
    else
        cell || return 1
        guest life true || return 1
        xl save life /run/life.save || return 1
    fi

    spoil "$how"
    run "$xl" restore /run/life.save </dev/null
    cell || return 1
    lift
    "$real_xl" domid life >/dev/null 2>&1 ||
        xl restore /run/life.save </dev/null || return 1
    wait_for has_device 90

    spoil "$how"
    run timeout 200 "$xl" migrate -s '' life "$xl migrate-receive"
    cell || return 1
    guest life true || return 1

    run "$xl" destroy life
    lift
    [ "$status" -eq 0 ] || return 1
    no "$real_xl" domid life
    wait_for '[ -z "$(snapshot_store; ours_in_lio)" ]' 20 || return 1
    row="$row yes |"
    say_row "$1"
}

writes_now() {
    guest life "dd if=/dev/zero of=/dev/$(guest_node life 0:0 block) bs=4k count=1 conv=fsync 2>/dev/null"
}

say_row() {
    echo "# matrix| $1 |$row" >&3
}
