#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# Domains of an unmodified libvirt: our hook gives them what their
# definitions say.

setup_file() {
    . /tests/vscsi.sh
    . /tests/libvirt.sh
    start_libvirtd
}

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
    . /tests/libvirt.sh
    with_disk num_tgts=2
}

teardown() { libvirt_teardown; }

teardown_file() {
    . /tests/vscsi.sh
    . /tests/libvirt.sh
    kill_libvirtd
}

@test "metadata: the device is there before the guest runs, and after its reboot" {
    define "$(metadata "$disk,0:0:0:0,feature-host")"
    hook_before '[ "$2" != started ] || "'"$real_xl"'" list life >/run/life.seen'
    virsh -q start life
    cat /run/life.seen
    awk 'NR == 2 { exit !($5 ~ /p/ && $6 == "0.0") }' /run/life.seen
    no is_paused
    wait_guest life
    [ "$(states life)" = "0:0:0:0 4 4" ]
    [ "$(guest_sysfs life 0:0 vendor)" = Linux ]
    reboots 2
    [ "$(states life)" = "0:0:0:0 4 4" ]
    [ "$(guest_count life)" = 1 ]
    xl scsi-list --json life | grep -q '"persistent": true'
    ends_by 'poweroff -f'
    wait_for '[ "$(virsh domstate life | head -n 1)" = "shut off" ]' 60
    assert_nothing_left
}

@test "hostdev: where it says, to a guest that is started paused" {
    define '' "$(hostdev "$host:0:1:0" 2:0:3:4; hostdev "$host:0:0:0" 2:0:0:0)"
    virsh -q start life --paused
    is_paused
    [ "$(states life | awk '{ print $1 }' | tr '\n' ' ')" = "2:0:0:0 2:0:3:4 " ]
    virsh -q resume life
    wait_guest life
    [ "$(states life)" = "2:0:0:0 4 4
2:0:3:4 4 4" ]
    [ "$(guest_count life)" = 2 ]
    virsh -q destroy life
    assert_nothing_left
}

@test "what cannot be is said by virsh, and leaves nothing" {
    define "$(metadata "$host:0:7:0,0:0:0:0")"
    start_fails "$host:0:7:0"
    define "$(metadata "$disk")"
    start_fails "$disk"
    define '' "$(hostdev "$host:0:0:0" 0:0:0:0 '<readonly/>')"
    start_fails '<readonly/>'
    mkfs.ext4 -q "$disk"
    mkdir -p /run/life.mnt
    mount "$disk" /run/life.mnt
    define "$(metadata "$disk,0:0:0:0")"
    start_fails 'mounted on /run/life.mnt'
    umount /run/life.mnt
    # Not as a block device either.
    start_guest other pv "vscsi=['$host:0:1:0,0:0:0:0']"
    define '' "<disk type='block' device='disk'><driver name='phy'/><source dev='$(node_of "$host:0:1:0")'/><target dev='xvda' bus='xen'/></disk>"
    run virsh start life
    echo "$output"
    [ "$status" -ne 0 ]
    case $output in *other*) ;; *) false ;; esac
    stop_guest other
    # Gone between prepare and started.
    define "$(metadata "$disk,0:0:0:0")"
    hook_before '[ "$2" != started ] || echo 1 >/sys/bus/scsi/devices/'"$host"':0:0:0/delete'
    start_fails "$disk"
}

@test "save and restore, while the guest writes" {
    define "$(metadata "$disk,0:0:0:0")"
    virsh -q start life
    wait_guest life
    start_writing
    virsh -q save life /run/life.save </dev/null
    assert_nothing_left
    virsh -q restore /run/life.save
    writes_on
    stop_writing
    [ "$(states life)" = "0:0:0:0 4 4" ]
}

@test "a managed save image is not lost to a start that is refused" {
    define "$(metadata "$disk,0:0:0:0")"
    virsh -q start life
    wait_guest life
    virsh -q managedsave life </dev/null
    _sum=$(sha256sum <$images/life.save)
    mkfs.ext4 -q "$disk"
    mkdir -p /run/life.mnt
    mount "$disk" /run/life.mnt
    start_fails 'mounted on /run/life.mnt'
    [ "$(sha256sum <$images/life.save)" = "$_sum" ]
    umount /run/life.mnt
    hook_after '[ "$2" != started ]'
    start_fails 'zz-test'
    ls -l $images
    hook_after :
    virsh -q start life
    wait_for '[ "$(states life)" = "0:0:0:0 4 4" ]' 30
    guest life "dd if=/dev/$(guest_node life 0:0 block) of=/dev/null bs=4k count=1 2>/dev/null"
    [ ! -e $images/life.save ]
}

@test "libvirtd that dies while it starts a domain leaves none paused" {
    define "$(metadata "$disk,0:0:0:0")"
    hook_before '[ "$2" != started ] || { kill -9 $PPID; exec sleep 1234; }'
    run virsh start life
    [ "$status" -ne 0 ]
    wait_for '! is_paused' 60
    wait_guest life
    [ "$(states life)" = "0:0:0:0 4 4" ]
    hook_before :
    pkill -f 'sleep 1234'
    wait_for '! pgrep -f hooks/libxl.d >/dev/null' 30
    start_libvirtd
    [ "$(virsh domstate life | head -n 1)" = running ]
    guest life "dd if=/dev/$(guest_node life 0:0 block) of=/dev/null bs=4k count=1 2>/dev/null"
    virsh -q destroy life
    assert_nothing_left
}

@test "libvirtd that dies before it has finished a domain leaves none" {
    define "$(metadata "$disk,0:0:0:0")"
    hook_after '[ "$2" != start ] || { kill -9 $PPID; sleep 1; }'
    run virsh start life
    [ "$status" -ne 0 ]
    wait_for '! pgrep -f hooks/libxl.d >/dev/null' 30
    no "$real_xl" domid life
    start_libvirtd
    # While libxl makes the domain.
    hook_after '[ "$2" != start ] || { p=$PPID; (until '"$real_xl"' domid life; do :; done; kill -9 $p) >/dev/null 2>&1 3>&- & }'
    run virsh start life
    [ "$status" -ne 0 ]
    wait_for '! pgrep -f hooks/libxl.d >/dev/null' 60
    no "$real_xl" domid life
    assert_nothing_left
    rm /etc/libvirt/hooks/libxl.d/zz-test
    start_libvirtd
    virsh -q start life
    wait_guest life
    [ "$(states life)" = "0:0:0:0 4 4" ]
}

@test "the process that holds a domain dies: no domain without its devices" {
    define "$(metadata "$disk,0:0:0:0")"
    hook_before '[ "$2" != started ] || pkill -9 -f hooks/libxl.d/xen-vscsi'
    virsh -q start life
    no is_paused
    wait_guest life
    [ "$(states life)" = "0:0:0:0 4 4" ]
    virsh -q destroy life
    hook_after '[ "$2" != start ] || pkill -9 -f hooks/libxl.d/xen-vscsi'
    start_fails 'ran before it could be given'
}

@test "libvirtd restarts, and I/O goes on; a crash leaves nothing" {
    define "$(metadata "$disk,0:0:0:0")"
    virsh -q start life
    wait_guest life
    start_writing
    kill_libvirtd
    start_libvirtd
    writes_on
    stop_writing
    [ "$(virsh domstate life | head -n 1)" = running ]
    ends_by 'echo c >/proc/sysrq-trigger'
    wait_for '[ "$(virsh domstate life | head -n 1)" = "shut off" ]' 60
    assert_nothing_left
}

@test "hot-plug is kept over a reboot and a restore" {
    define "$(metadata "$disk,0:0:0:0")"
    virsh -q start life
    wait_guest life
    run xl scsi-attach life "$host:0:1:0" 0:0:0:1
    echo "$output"
    [ "$status" -eq 0 ]
    case $output in *--libvirt*) ;; *) false ;; esac
    xl scsi-detach life 0:0:0:1
    xl scsi-attach --libvirt life "$host:0:1:0" 0:0:0:1
    virsh dumpxml life | grep ',0:0:0:1<'
    virsh dumpxml life --inactive | grep ',0:0:0:1<'
    reboots 2
    [ "$(guest_count life)" = 2 ]
    virsh -q save life /run/life.save </dev/null
    virsh -q restore /run/life.save
    wait_for '[ "$(states life)" = "0:0:0:0 4 4
0:0:0:1 4 4" ]' 30
    xl scsi-detach --libvirt life 0:0:0:0
    no sh -c "virsh dumpxml life | grep ',0:0:0:0<'"
    no sh -c "virsh dumpxml life --inactive | grep ',0:0:0:0<'"
    [ "$(states life)" = "0:0:0:1 4 4" ]
}

@test "a suspend that is called off: xl scsi-wake" {
    define "$(metadata "$disk,0:0:0:0")"
    virsh -q start life
    wait_guest life
    start_writing
    virsh -q dompmsuspend life mem
    virsh -q dompmwakeup life
    xl scsi-wake life
    writes_on
    stop_writing
}

@test "with the object in libvirtd: all of it, and nobody needs to wake anything" {
    kill_libvirtd
    start_libvirtd "LD_PRELOAD=$our_hooks/libvirtd-vscsi.so"
    define "$(metadata "$disk,0:0:0:0")"
    virsh -q start life
    no pgrep -f hooks/libxl.d/xen-vscsi
    wait_guest life
    [ "$(states life)" = "0:0:0:0 4 4" ]
    reboots 2
    start_writing
    virsh -q dompmsuspend life mem
    virsh -q dompmwakeup life
    writes_on
    virsh -q save life /run/life.save </dev/null
    assert_nothing_left
    virsh -q restore /run/life.save
    writes_on
    stop_writing
    virsh -q destroy life
    assert_nothing_left
    define "$(metadata "$host:0:7:0,0:0:0:0")"
    start_fails "$host:0:7:0"
    kill_libvirtd
    start_libvirtd
}
