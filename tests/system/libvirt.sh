# SPDX-License-Identifier: LGPL-2.1-only
# What the tests with libvirt share (/tests/libvirt.sh in dom0, after
# vscsi.sh and life.sh): Debian's libvirtd with its libxl driver, and a guest
# "life" that is defined there.

export LIBVIRT_DEFAULT_URI=xen:///system
uuid=2b1f0a7e-5d04-4c5c-9c8e-4a2f3f6f0c01
libvirt_log=/var/log/libvirtd.log
images=/var/lib/libvirt/libxl/save

# listen_libvirtd: for whoever asks by TCP, on a network of tests only.
listen_libvirtd() {
    printf '%s\n' listen_tls=0 listen_tcp=1 'auth_tcp="none"' \
        >>/etc/libvirt/libvirtd.conf
    start_libvirtd '' --listen
}

# start_libvirtd [NAME=VALUE [OPTION...]]: with that in its environment.
start_libvirtd() {
    [ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef \
        >/etc/machine-id
    mkdir -p /run/libvirt /var/lib/libvirt /var/log/libvirt
    _env=${1:-A=}
    [ $# -eq 0 ] || shift
    env "$_env" libvirtd "$@" >>$libvirt_log 2>&1 3>&- </dev/null &
    wait_for 'virsh list </dev/null >/dev/null 2>&1' 60 || {
        tail -n 20 $libvirt_log
        return 1
    }
}

kill_libvirtd() {
    pkill -x libvirtd
    wait_for '! pgrep -x libvirtd >/dev/null' 30
    rm -f /run/libvirtd.pid
}

# metadata SPEC...: <metadata> with those devices.
metadata() {
    echo "<metadata><vscsi:devices xmlns:vscsi='urn:xen-vscsi:1'>"
    printf '<vscsi:device>%s</vscsi:device>\n' "$@"
    echo '</vscsi:devices></metadata>'
}

# hostdev H:C:T:L H:C:T:L [INNER]: one of dom0's, at that place.
hostdev() {
    _inner=${3:-}
    # Words split on purpose.
    # shellcheck disable=SC2046
    set -- $(echo "$1:$2" | tr : ' ')
    cat <<END
<hostdev mode='subsystem' type='scsi'>
<source><adapter name='scsi_host$1'/>
<address bus='$2' target='$3' unit='$4'/></source>$_inner
<address type='drive' controller='$5' bus='$6' target='$7' unit='$8'/>
</hostdev>
END
}

# define [METADATA [DEVICES]]: the guest "life", a PV one if not $guest_type
# (pvh) is another.
define() {
    write_guest_config life "${guest_type:-pv}"
    case ${guest_type:-pv} in
    pv) _os="machine='xenpv'>linux" ;;
    pvh) _os="machine='xenpvh'>xenpvh" ;;
    esac
    _cmdline=$(sed -n 's/^extra="\(.*\)"/\1/p' /run/life.cfg)
    cat >/run/life.xml <<END
<domain type='xen'>
<name>life</name><uuid>$uuid</uuid>${1:-}
<memory unit='MiB'>128</memory><vcpu>1</vcpu>
<os><type arch='x86_64' $_os</type>
<kernel>/guest/vmlinux</kernel><initrd>/guest/initrd</initrd>
<cmdline>$_cmdline</cmdline></os>
<clock offset='utc'><timer name='tsc' present='yes' mode='native'/></clock>
<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>
<on_crash>destroy</on_crash>
<devices>${2:-}<console type='pty'/></devices>
</domain>
END
    rm -f "$consoles/guest-life.log"
    virsh -q define /run/life.xml
}

# A hook that libvirt calls before or after ours: hook_before 'SHELL', which
# has $1 to $4 and the XML on stdin.
hook_before() { _hook aa-test "$1"; }
hook_after() { _hook zz-test "$1"; }
_hook() {
    printf '#!/bin/sh\nPATH=%s\n%s\n' "$PATH" "$2" \
        >"/etc/libvirt/hooks/libxl.d/$1"
    chmod 755 "/etc/libvirt/hooks/libxl.d/$1"
}

# start_fails MESSAGE: virsh says so, and there is no domain and nothing left.
start_fails() {
    run virsh start life
    echo "$output"
    [ "$status" -ne 0 ] || return 1
    case $output in *"$1"*) ;; *) echo "no: $1"; return 1 ;; esac
    no "$real_xl" domid life || return 1
    no pgrep -f '/etc/libvirt/hooks/libxl.d/xen-vscsi' || return 1
    assert_nothing_left
}

is_paused() {
    "$real_xl" list life | awk 'NR == 2 { exit !($5 ~ /p/) }'
}

# migrate_to HOST: by the libvirtd of each.
migrate_to() {
    timeout 120 virsh -q migrate --live life "xen+tcp://$1/system" \
        --migrateuri "tcp://$1" </dev/null
}

libvirt_teardown() {
    pgrep -x libvirtd >/dev/null || start_libvirtd
    virsh -q destroy life >/dev/null 2>&1 || :
    virsh -q managedsave-remove life >/dev/null 2>&1 || :
    virsh -q undefine life >/dev/null 2>&1 || :
    life_teardown
    rm -f /etc/libvirt/hooks/libxl.d/*-test /run/life* $images/*
}
