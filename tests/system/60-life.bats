#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# vscsi=[...]: the beginning and the end of a domain.

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
}

teardown() {
    life_teardown
}

@test "a disk, a tape and a changer in vscsi= are in a PV guest when its init runs" {
    c=$(add_scsi_debug ptype=8)
    t=$(add_scsi_debug ptype=1)
    d=$(add_scsi_debug ptype=0)
    create pv "vscsi=['$(node_of "$d:0:0:0"),0:0:0:0','$(node_of "$t:0:0:0" scsi_tape),0:0:1:0','$c:0:0:0,1:0:0:0']"
    wait_guest life
    [ "$(guest_count life)" -eq 3 ]
    [ "$(states life)" = "0:0:0:0 4 4
0:0:1:0 4 4
1:0:0:0 4 4" ]
    [ "$(guest_sysfs life 0:0 model | sort -u)" = scsi_debug ]
    xl destroy life
    assert_nothing_left
}

@test "several vscsictrls in vscsi= are in a PVH guest when its init runs" {
    with_disks
    create pvh "vscsi=['$host:0:0:0,0:0:0:0','$host:0:0:1,0:0:0:1','$host:0:1:0,1:0:0:0']"
    wait_guest life
    [ "$(guest_count life)" -eq 3 ]
    xl destroy life
    assert_nothing_left
}

@test "create -p leaves the domain paused with its devices prepared" {
    with_disk
    create_args=-p create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    [ "$(states life)" = "0:0:0:0 2 1" ]
    xl unpause life
    wait_guest life
    [ "$(states life)" = "0:0:0:0 4 4" ]
    xl destroy life
    assert_nothing_left
}

@test "create -p, then destroy: nothing is left" {
    with_disk
    create_args=-p create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    xl destroy life
    assert_nothing_left
}

@test "create -c shows the console from the start" {
    with_disk
    config pv "vscsi=['$host:0:0:0,0:0:0:0']"
    mkfifo /run/life.in
    script -qfc 'xl create -c /run/life.cfg' /run/life.con \
        <>/run/life.in >/dev/null 2>&1 3>&- &
    wait_for 'grep -q "guest: ready" /run/life.con' 60
    [ "$(states life)" = "0:0:0:0 4 4" ]
    xl destroy life
    assert_nothing_left
}

@test "create -n prints vscsictrls and attaches nothing" {
    with_disk
    config pv "vscsi=['$disk,2:0:0:0,feature-host']"
    run xl create -q -n /run/life.cfg
    [ "$status" -eq 0 ]
    [[ "$output" == *'"vscsictrls": ['*'"p_devname": "'"$disk"'"'* ]]
    assert_nothing_left
}

@test "vscsi= and vscsi+= on the command line work as for other keys" {
    with_disks
    config pv "vscsi=['$host:0:0:0,0:0:0:0']"
    run xl create -q -n /run/life.cfg "vscsi=['$host:0:1:0,0:0:0:0']"
    [[ "$output" == *'"tgt": 1'* ]]
    [ "$(grep -c p_devname <<<"$output")" -eq 1 ]
    run xl create -q -n /run/life.cfg "vscsi+=['$host:0:1:0,0:0:1:0']"
    [ "$(grep -c p_devname <<<"$output")" -eq 2 ]
}

@test "create without vscsi= makes what the distribution's xl makes" {
    config pv
    [ "$(xl create -q -n /run/life.cfg)" = "$($real_xl create -q -n /run/life.cfg)" ] ||
        diff <(xl create -q -n /run/life.cfg | grep -v uuid) \
            <($real_xl create -q -n /run/life.cfg | grep -v uuid)
}

@test "a line that cannot be read is named, and no domain is made" {
    config pv "vscsi=['/dev/sda,0:0:0:0','/dev/sdb,0:0:99:0']"
    refused 1 "/run/life.cfg: vscsi: entry 2: '/dev/sdb,0:0:99:0': target" \
        xl create -q /run/life.cfg
    config pv "vscsi='/dev/sda,0:0:0:0'"
    refused 1 "/run/life.cfg: vscsi: a list is needed" \
        xl create -q /run/life.cfg
    no xl domid life
}

@test "a device that is missing or in use: no domain, and nothing is left" {
    with_disk
    create_args=-p create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    sed "s/\"life\"/\"late\"/;s/,0:0:0:0/,3:0:0:0/" /run/life.cfg >/run/late.cfg
    run xl create -q /run/late.cfg
    echo "$output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"it is assigned to life as 0:0:0:0"* ]]
    no xl domid late
    xl destroy life
    assert_nothing_left
}

@test "one bad entry of three leaves none of the three, and no domain" {
    with_disks
    create_fails "no SCSI device at $host:0:7:0" pv \
        "vscsi=['$host:0:0:0,0:0:0:0','$host:0:0:1,1:0:0:1','$host:0:7:0,2:0:0:2']"
    no xl domid life
    assert_nothing_left
}

@test "poweroff in the guest leaves nothing" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    ends_by 'poweroff -f'
    wait_for '! xl domid life 2>/dev/null' 150
    wait_for 'assert_nothing_left >/dev/null' 15
}

@test "a crashing guest leaves nothing" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_reboot="preserve"'
    wait_guest life
    ends_by 'echo c >/proc/sysrq-trigger'
    wait_for '! xl domid life 2>/dev/null' 150
    wait_for 'assert_nothing_left >/dev/null' 15
}

@test "xl shutdown leaves nothing" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    timeout 90 xl shutdown -w life
    wait_for '! xl domid life 2>/dev/null' 150
    wait_for 'assert_nothing_left >/dev/null' 15
}

@test "destroy waits for commands that a device has under way, and leaves nothing" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    # A command takes 6 seconds from now on.
    echo 1500 >$scsi_debug/delay
    guest life "dd if=/dev/$(guest_node life 0:0 block) of=/dev/null bs=4k count=1 iflag=direct >/dev/null 2>&1 &"
    run xl destroy life
    echo 1 >$scsi_debug/delay || { sleep 6; echo 1 >$scsi_debug/delay; }
    echo "$output"
    [ "$status" -eq 0 ]
    assert_nothing_left
}

@test "rename, console and the list of domains know a guest with devices" {
    with_disks
    create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    wait_guest life
    xl rename life late
    [ "$(states late)" = "0:0:0:0 4 4" ]
    xl scsi-attach late "$host:0:0:1" 0:0:0:1
    xl scsi-list | grep -q '^late '
    xl rename late life
    mkfifo /run/life.in
    script -qfc 'xl console life' /run/life.con \
        <>/run/life.in >/dev/null 2>&1 3>&- &
    wait_for '[ -e /run/life.con ]' 10
    [ "$(guest life 'echo to the console')" = 'to the console' ] ||
        wait_for 'grep -q "to the console" /run/life.con' 20
    xl destroy life
    assert_nothing_left
}

@test "xendomains saves guests with devices and brings them back" {
    with_disk
    mkdir -p /run/life.auto
    config pv "vscsi=['$host:0:0:0,0:0:0:0']"
    cp /run/life.cfg /run/life.auto
    sed -i -e 's,^XENDOMAINS_AUTO=.*,XENDOMAINS_AUTO=/run/life.auto,' \
        -e 's,^XENDOMAINS_SAVE=.*,XENDOMAINS_SAVE=/run/life.saved,' \
        /etc/default/xendomains
    rm -f $consoles/guest-life*.log
    /etc/init.d/xendomains start </dev/null
    wait_guest life
    [ "$(states life)" = "0:0:0:0 4 4" ]
    first=$(xl domid life)
    /etc/init.d/xendomains stop </dev/null
    no xl domid life
    [ -f /run/life.saved/life ]
    assert_nothing_left
    /etc/init.d/xendomains start </dev/null
    [ "$(xl domid life)" -ne "$first" ]
    [ "$(guest_count life)" -eq 1 ]
    xl destroy life
    assert_nothing_left
}

@test "a preserved domain keeps its devices until it is destroyed" {
    with_disk
    create pv "vscsi=['$host:0:0:0,0:0:0:0']" 'on_poweroff="preserve"'
    wait_guest life
    ends_by 'poweroff -f'
    wait_for 'xl list life | grep -q -- "--ps--\|---s--"' 60
    [ -n "$(states life)" ]
    xl destroy life
    assert_nothing_left
}

@test "list -l shows vscsictrls" {
    with_disk
    create_args=-p create pv "vscsi=['$host:0:0:0,0:0:0:0']"
    ours=$(xl list -l life | sed 's/,$//')
    [[ "$ours" == *'"vscsictrls": ['* ]]
    # Besides, it is what the distribution's xl says.
    theirs=$($real_xl list -l life | sed 's/,$//')
    run diff <(echo "$theirs") <(echo "$ours")
    echo "$output"
    [ -z "$(grep '^<' <<<"$output")" ]
}

@test "hooks that cannot be loaded are told of, and xl works without" {
    mv "$our_hooks/xl-vscsi-hooks.so" /run/away.so
    run xl list -l
    mv /run/away.so "$our_hooks/xl-vscsi-hooks.so"
    [ "$status" -eq 0 ]
    [[ "$output" == *"xl: cannot preload $our_hooks/xl-vscsi-hooks.so: No such file"* ]]
    [[ "$output" == *Domain-0* ]]
}

@test "what xl starts does not inherit the hooks" {
    config pv
    cat >/run/life.sh <<'EOF'
#!/bin/sh
echo "LD_PRELOAD=${LD_PRELOAD-none}" >/run/life.env
EOF
    chmod 755 /run/life.sh
    create pv
    # The migration's transport is what xl starts most directly.
    run xl migrate -s '' life /run/life.sh
    [ "$(cat /run/life.env)" = LD_PRELOAD=none ]
    run env LD_PRELOAD=libm.so.6 "$our_xl" migrate -s '' life /run/life.sh
    [ "$(cat /run/life.env)" = LD_PRELOAD=libm.so.6 ]
    xl destroy life
}
