#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Where the hooks or what they load cannot be used, no guest goes on without
# its SCSI devices unsaid: it is refused, and untouched.


setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
    objects=$our_hooks
}

teardown() {
    bring_back
    life_teardown
}

# take_away OBJECT [TEXT]: it is gone, or holds TEXT.
take_away() {
    mv "$objects/$1" "/run/away.$1"
    [ $# -eq 1 ] || echo "$2" >"$objects/$1"
}

bring_back() {
    for _o in /run/away.*; do
        [ ! -e "$_o" ] || mv "$_o" "$objects/${_o#/run/away.}"
    done
}

# fails CODE MESSAGE COMMAND...
fails() {
    _code=$1 _msg=$2
    shift 2
    run "$@"
    echo "$* -> $status: $output"
    [ "$status" -eq "$_code" ] || return 1
    case $output in *"$_msg"*) ;; *) echo "no: $_msg"; return 1 ;; esac
}

@test "a saved guest is not restored without its devices, and is later with them" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl save life /run/life.save
    for content in '' 'this is no object'; do
        take_away xl-vscsi-life.so ${content:+"$content"}
        fails 1 "xl: vscsi: the domain is not started without its SCSI devices" \
            xl restore /run/life.save
        no xl domid life
        assert_nothing_left
        bring_back
    done
    xl restore /run/life.save </dev/null
    wait_for '[ "$(states life)" = "0:0:0:0 4 4" ]' 20
}

@test "a guest with devices is neither saved nor sent without them, and writes on" {
    with_disk
    create pvh "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    start_writing
    take_away xl-vscsi-life.so
    domid=$(xl domid life)
    fails 1 "domain $domid is not saved or sent without its SCSI devices" \
        xl save life /run/life.save
    [ ! -e /run/life.save ]
    config pvh
    fails 1 "domain $domid is not saved or sent without its SCSI devices" \
        xl save life /run/life.save /run/life.cfg
    fails 1 "domain $domid is not saved or sent without its SCSI devices" \
        xl migrate -s '' life "xl migrate-receive"
    [ "$(xl domid life)" -eq "$domid" ]
    writes_on
    bring_back
    fails 1 "vscsi= is missing in the configuration that was given for it" \
        xl save life /run/life.save /run/life.cfg
    writes_on
    stop_writing
}

@test "a receiver without its second object says so, and the guest writes on" {
    with_disk
    create pvh "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    start_writing
    cat >/run/life.sh <<'END'
#!/bin/sh
mv /usr/local/lib/xen-vscsi/xl-vscsi-life.so /run/away.xl-vscsi-life.so
exec xl migrate-receive
END
    chmod 755 /run/life.sh
    fails 1 "xl: vscsi:     $objects/xl-vscsi-life.so: cannot open shared object" \
        xl migrate -s '' life /run/life.sh
    writes_on
    stop_writing
}

@test "a monitor goes on with what it has loaded" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="restart"'
    wait_guest life
    take_away xl-vscsi-life.so
    reboots 2
    bring_back
    [ "$(states life)" = "0:0:0:0 4 4" ]
}

@test "a guest that cannot have its devices again stays down, and its log says why" {
    with_disk
    create pv 'on_reboot="restart"'
    wait_guest life
    xl scsi-attach life "$host:0:0:0" 0:0:0:0
    take_away xl-vscsi-life.so
    ends_by 'reboot -f'
    wait_for '! xl domid life 2>/dev/null' 60
    wait_for 'grep -q "xl: vscsi: the domain is not started" /var/log/xen/xl-life.log' 20
    grep "cannot open shared object file" /var/log/xen/xl-life.log
    no xl domid life
    bring_back
    xl scsi-cleanup
    assert_nothing_left
}

@test "a guest without SCSI devices is not concerned" {
    take_away xl-vscsi-life.so
    create pv 'on_reboot="restart"'
    wait_guest life
    reboots 2
    xl save life /run/life.save
    xl restore /run/life.save </dev/null
    guest life true
}

@test "without hooks nothing is created, unless XL_VSCSI=off says so" {
    with_disk
    config pv "vscsi=['$host:0:0:0,0:0:0:0']"
    take_away xl-vscsi-hooks.so
    fails 1 "xl: cannot create: vscsi= and the SCSI devices of domains would be left out" \
        xl create -q /run/life.cfg
    bring_back
    take_away xl-vscsi-hooks.so 'this is no object'
    fails 1 "xl-vscsi-hooks.so: is cut short" xl create -q /run/life.cfg
    no xl domid life
    XL_VSCSI=off xl create -q /run/life.cfg </dev/null
    wait_guest life
    [ -z "$(states life)" ]
}

@test "who gives devices to a guest of another xl is told that they get lost" {
    with_disk
    config pv
    rm -f "$consoles/guest-life.log"
    "$real_xl" create -q /run/life.cfg </dev/null
    wait_guest life
    run xl scsi-attach life "$host:0:0:0" 0:0:0:0
    [ "$status" -eq 0 ]
    echo "$output" | grep "life was started by something that knows nothing of its SCSI devices"
    xl scsi-list --json life | grep '"persistent": false'
    xl destroy life
    create pv
    wait_guest life
    run xl scsi-attach life "$host:0:0:0" 0:0:0:0
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    xl scsi-list --json life | grep '"persistent": true'
}
