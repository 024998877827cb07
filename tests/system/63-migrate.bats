#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Migration of a domain with SCSI devices, to the same host.  PVH, because
# this Xen cannot migrate a PV guest while it runs.

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
}

# One guest, which writes all the time, for all tests: what fails leaves it
# as it was.
teardown() {
    [ -n "${BATS_TEST_COMPLETED:-}" ] || life_teardown
}

teardown_file() {
    . /tests/vscsi.sh
    . /tests/life.sh
    life_teardown
}

with_guest() {
    if [ ! -e /run/life.host ]; then
        with_disks
        create pvh "vscsi=['$host:0:0:0,0:0:0:0','$host:0:1:1,1:0:1:1']"
        wait_guest life
        start_writing
        echo "$host" >/run/life.host
    fi
    host=$(cat /run/life.host)
    domid=$(xl domid life)
}

still_here() {
    [ "$(xl domid life)" -eq "$domid" ]
    writes_on
    [ "$(states life)" = "0:0:0:0 4 4
1:0:1:1 4 4" ]
}

@test "a receiver without this extension is refused, and the guest runs on" {
    with_guest
    run xl migrate -s '' life "$real_xl migrate-receive"
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"xl: vscsi: the xl of the other host cannot take SCSI devices: install xen-vscsi there"* ]]
    still_here
}

@test "a receiver that lacks devices names them, and the guest runs on" {
    with_guest
    # To the receiver, this machine has other devices.
    cat >/run/life.sh <<'EOF'
#!/bin/sh
/usr/bin/sed -uz 's/naa\.33333330/naa.bad33330/g' | xl migrate-receive
EOF
    chmod 755 /run/life.sh
    run xl migrate -s '' life /run/life.sh
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"xl: vscsi: the other host cannot take all SCSI devices of the domain, which runs on here:"* ]]
    [[ "$output" == *"xl: vscsi:     $host:0:0:0: dom0 has no device naa.bad33330"* ]]
    [[ "$output" == *"xl: vscsi:     $host:0:1:1: dom0 has no device naa.bad33330"* ]]
    no xl domid life--incoming
    still_here
}

# Its stream comes to a halt while the guest runs, until there is /run/life.on.
@test "what a guest has stays as it is while it is sent" {
    with_guest
    cat >/run/life.sh <<'EOF'
#!/bin/bash
(dd bs=64k count=300 2>/dev/null
 until [ -e /run/life.on ]; do sleep 0.2; done; exec cat) | xl migrate-receive
EOF
    chmod 755 /run/life.sh
    rm -f /run/life.on
    xl migrate -s '' life /run/life.sh >/run/life.out 2>&1 &
    wait_for 'xl domid life--incoming >/dev/null 2>&1' 60
    for _change in "scsi-attach life $host:0:0:1 0:0:0:1" \
        "scsi-detach life 1:0:1:1"; do
        # Words split on purpose.
        # shellcheck disable=SC2086
        run timeout 60 xl $_change
        echo "$output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"is being saved or migrated"*"(process $!)"* ]]
    done
    writes_on
    touch /run/life.on
    wait $!
    rm /run/life.on
    domid=$(xl domid life)
    still_here
    xl scsi-attach life "$host:0:0:1" 0:0:0:1
    xl scsi-detach life 0:0:0:1
    still_here
}

fails_with() {                      # HOW: the receiver, as a script
    with_guest
    printf '#!/bin/bash\n%s\n' "$1" >/run/life.sh
    chmod 755 /run/life.sh
    code=0
    # To a file: a receiver may outlive the sender.
    timeout 200 xl migrate -s '' life /run/life.sh >/run/life.out 2>&1 ||
        code=$?
    cat /run/life.out
    [ $code -ne 0 ]
    [ $code -ne 124 ]
    still_here
}

# dd passes on what it has; others wait for more.
@test "after a connection that broke in the middle the guest writes on here" {
    fails_with 'dd bs=64k count=300 2>/dev/null | xl migrate-receive'
}

@test "after the receiver's word that it has the guest was lost, it writes on here" {
    # Its banner and its answer come through, and then nothing.
    fails_with 'exec 3<&0; exec dd bs=1 count=79 2>/dev/null < <(exec xl migrate-receive <&3 3<&-)'
    # The distribution's xl leaves the copy that it could not report.
    no xl domid life--incoming || {
        xl destroy life--incoming
        still_here
    }
}

@test "a guest migrates mid-write: its pattern is intact" {
    with_guest
    xl migrate -s '' life 'xl migrate-receive'
    [ "$(xl domid life)" -ne "$domid" ]
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4
1:0:1:1 4 4" ]
    [ "$(guest_count life)" -eq 2 ]
    xl destroy life
    rm /run/life.host
    assert_nothing_left
}

@test "a guest without SCSI devices migrates to an xl without this extension" {
    create pvh
    wait_guest life
    xl migrate -s '' life "$real_xl migrate-receive"
    guest life true
}
