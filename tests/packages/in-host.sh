#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Runs among the packages, on a machine with Xen's but without Xen running:
# they come, go, come again and leave nothing.  Prints TAP.
# shellcheck disable=SC2086     # $ours are words
set -u
. ./tap.sh
export DEBIAN_FRONTEND=noninteractive

xen=$(dpkg-query -W -f '${Package}\n' 'xen-utils-4*' | sed 's/xen-utils-//')
completions=/usr/share/bash-completion/completions
ours="xen-vscsi-$xen xen-vscsi-common libxenlight-vscsi$xen xen-vscsi-libvirt"

# What there is, apart from dpkg's and apt's own records: find, and then what
# $@ says of each.
there_is() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /work \
        -o -path /tmp -o -path /run -o -path /var/lib/dpkg \
        -o -path /var/lib/apt -o -path /var/cache/apt \
        -o -path /var/cache/debconf -o -path /var/cache/ldconfig \
        -o -path /var/log/apt -o -path /var/log/dpkg.log \) -prune \
        -o "$@"
}

snapshot() {
    {
        there_is -printf '%p %y %m %U:%G %l\n'
        there_is -type f -exec sha256sum {} +
    } | sort >"$1"
    dpkg-divert --list | sort >>"$1"
}

install_all() {
    set --
    for name in $ours; do set -- "$@" ./"${name}"_*.deb; done
    apt-get -q -y install --reinstall "$@" 2>&1
}

remove_all() { apt-get -q -y "$1" $ours; }

# ----- installed -----

launcher_is_in_place() {
    [ "$(dpkg-divert --truename /usr/sbin/xl)" = /usr/sbin/xl.distrib ] &&
        [ "$(readlink /usr/sbin/xl.distrib)" = "$(cat /tmp/xl.was)" ] &&
        [ "$(readlink -f /usr/lib/xen-vscsi/xl)" = \
            "$(readlink -f /usr/sbin/xl.distrib)" ] &&
        cmp $completions/xl.distrib /tmp/completion.was &&
        dpkg -V $ours
}

# dynamic_pie FILE: not static, and loadable anywhere.
dynamic_pie() {
    [ "$(od -An -tu1 -j16 -N1 "$1" | tr -d ' ')" = 3 ] || {
        echo "$1 is not position-independent"
        return 1
    }
    ldd "$1" && ! ldd "$1" | grep -E 'not found|statically|not a dynamic'
}

programs_are_dynamic() {
    dynamic_pie /usr/sbin/xl &&
        dynamic_pie "/usr/lib/xen-$xen/vscsi/xl-scsi" &&
        ldd "/usr/lib/xen-$xen/vscsi/xl-scsi" | grep libxenlight\\.so &&
        dynamic_pie /usr/lib/libvirt/xen-vscsi &&
        dynamic_pie "/usr/lib/xen-$xen/vscsi/xl-scsi-libvirt"
}

# fails_clearly PROGRAM ARGUMENT...: exit code 1, and a word about Xen.
fails_clearly() {
    echo "\$ $*"
    code=0
    "$@" </dev/null >/tmp/said 2>&1 || code=$?
    cat /tmp/said
    [ $code = 1 ] || { echo "exit code $code, not 1"; return 1; }
    grep -qiE 'xen|hypervisor' /tmp/said
}

# Those that say how they are called do that on any machine.
commands_fail_clearly() {
    [ ! -e /sys/hypervisor/type ] ||
        { echo "This host runs under Xen itself."; return 1; }
    for program in xl /usr/sbin/xl; do
        fails_clearly $program && fails_clearly $program help &&
            fails_clearly $program -v list && fails_clearly $program list &&
            fails_clearly $program create /dev/null &&
            fails_clearly $program scsi-attach 1 /dev/sda &&
            fails_clearly $program scsi-detach 1 0:0:0:0 &&
            fails_clearly $program scsi-list &&
            fails_clearly $program scsi-assignable-list &&
            fails_clearly $program scsi-cleanup &&
            fails_clearly $program scsi-wake 1 &&
            fails_clearly $program -v scsi-list &&
            fails_clearly $program help scsi-list || return 1
    done
    for command in scsi-list scsi-assignable-list scsi-cleanup; do
        fails_clearly "/usr/lib/xen-$xen/vscsi/xl-scsi" $command || return 1
    done
}

# libvirtd starts it by this name; AppArmor sees where it is.
libvirt_has_its_hook() {
    hook=/etc/libvirt/hooks/libxl.d/xen-vscsi
    [ "$(readlink -f $hook)" = /usr/lib/libvirt/xen-vscsi ] || return 1
    uuid=0e0a4be7-2cd1-4f1b-8a6e-2b5b5b3c9a11
    echo "<domain><name>g</name><uuid>$uuid</uuid></domain>" |
        $hook g prepare begin - || return 1
    ! echo '<domain/>' | $hook g prepare begin -
}

completion_loads_both() {
    bash -c ". $completions/xl; declare -F _xl _xl_vscsi"
}

# ----- in use -----

# As dom0's xenstored answers when domain 7 has a virtual SCSI host.
with_devices() {
    printf '#!/bin/sh\ncase $1 in */7) echo 0 ;; *) echo 7 ;; esac\n' \
        >/usr/local/bin/xenstore-list
    chmod 755 /usr/local/bin/xenstore-list
    ! "$@" >/tmp/said 2>&1
    refused=$?
    rm /usr/local/bin/xenstore-list
    cat /tmp/said
    [ $refused = 0 ] && grep -q 'these domains have SCSI devices: 7$' /tmp/said
}

removal_is_refused() {
    with_devices dpkg --remove --force-depends "xen-vscsi-$xen" &&
        with_devices dpkg --remove --force-depends xen-vscsi-common &&
        dpkg-query -W $ours && launcher_is_in_place
}

# A process that looks like the xl that stays with a domain.
running_domain_is_named() {
    program=/usr/lib/xen-$xen/bin/xl
    mv "$program" "$program.was"
    cp /bin/sleep "$program"
    mkdir -p /var/log/xen
    log=/var/log/xen/xl-some.name.log
    "$program" 100 >$log 2>&1 &
    install_all >/tmp/said
    kill $!
    mv "$program.was" "$program"
    rm $log
    cat /tmp/said
    grep -q '^  some\.name (xl is process ' /tmp/said
}

# ----- removed -----

all_as_before() {
    snapshot /tmp/after
    diff /tmp/before /tmp/after
}

# Like the state before the first installation in whatever packages promise
# without a purge.
xl_as_before() {
    [ "$(readlink /usr/sbin/xl)" = "$(cat /tmp/xl.was)" ] &&
        cmp /usr/sbin/xl /tmp/wrapper.was &&
        cmp $completions/xl /tmp/completion.was &&
        [ ! -e /usr/sbin/xl.distrib ] && [ ! -e $completions/xl.distrib ] &&
        dpkg -V xen-utils-common
}

readlink /usr/sbin/xl >/tmp/xl.was
cp -L /usr/sbin/xl /tmp/wrapper.was
cp $completions/xl /tmp/completion.was
snapshot /tmp/before
result "the packages install" install_all || exit 1
result "xl is the launcher, and Debian's is aside" launcher_is_in_place
result "programs are dynamic and position-independent" programs_are_dynamic
result "without Xen every command says so and exits 1" commands_fail_clearly
result "bash completes Debian's commands and ours" completion_loads_both
result "libvirt has a hook program that runs" libvirt_has_its_hook
result "they install over themselves" install_all
result "... and all is in place" launcher_is_in_place
result "a domain whose xl lacks the hooks is named" running_domain_is_named
result "they stay while a domain has devices" removal_is_refused
result "they can be removed" remove_all remove
result "... and xl is Debian's, byte for byte" xl_as_before
result "they install again" install_all
result "they can be purged" remove_all purge
result "... and no file is left or changed" all_as_before
