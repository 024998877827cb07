#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# run.sh DIR [FILE.bats...]: boots real Xen with DIR, what `make install
# DESTDIR=DIR` made, laid over dom0, and runs the system tests there (all of
# them unless named; *-packages.bats where DIR is of packages).  Some machines
# share the files; two that are joined by a network and a disk run
# *-two-hosts.bats.
# With TEST_FILTER, only those whose names it fits; with FEWER_UNTIL, a file, on
# one machine less until that is there.  The last line counts the tests; more
# than two that passed only when they were tried again fail the run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

die() { echo "run: $*" >&2; exit 2; }

[ $# -ge 1 ] && [ -d "$1" ] || die "usage: run.sh DIR [FILE.bats...]"
dir=$1
shift
if [ $# -eq 0 ]; then
    for file in "$here"/*.bats; do
        case $file in
        *-packages.bats) [ -e "$dir/usr/sbin/xl" ] || continue ;;
        esac
        set -- "$@" "$file"
    done
fi

tmp=$(mktemp -d "${TMPDIR:-/tmp}/pvscsi-run.XXXXXX")
trap 'kill $pids 2>/dev/null || :; rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
pids=
# Two cores; of three machines one or the other always waits. Each takes up to
# 4 GB.
free_kb=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
[ "$free_kb" -lt 15000000 ] || : "${MACHINES:=3}"
machines=${MACHINES:-2}

# How long a file takes, roughly, in seconds: where domains come and go, longer.
weight() {
    n=$(grep -c '^@test' "$1") || :
    case ${1##*/} in
    52*) n=$((n * 110)) ;;
    67*) n=$((n * 50)) ;;
    75*) n=$((n * 26)) ;;
    47*) n=$((n * 49)) ;;
    46* | 6[123]*) n=$((n * 24)) ;;
    25* | 45* | 80*) n=$((n * 17)) ;;
    20* | 30* | 5[067]*) n=$((n * 13)) ;;
    55*) n=$((n * 2)) ;;
    *) n=$((n * 8)) ;;
    esac
    echo "$n ${1##*/}"
}

# Machine 1 alone has what HVM guests and libvirt need; the last one makes room
# for the two first.  Whoever is free takes the next file, the longest first.
for m in $(seq "$machines") pair; do : >"$tmp/list.$m"; done
for f; do
    cp "$f" "$tmp"
    case $f in
    *-two-hosts.bats) echo "${f##*/}" >>"$tmp/list.pair" ;;
    *hvm* | *libvirt*) echo "${f##*/}" >>"$tmp/list.1" ;;
    *) weight "$f" ;;
    esac
done | sort -rn >"$tmp/weights"
sed 's/^[0-9]* //' "$tmp/weights" >"$tmp/list"

# take LIST: its first line, which nobody else gets.
take() {
    flock "$tmp/lock" sed -i -n -e '1w /dev/stdout' -e '2,$p' "$tmp/$1"
}

# next MACHINE: what it is to do, or an empty line.
next() {
    file=$(take "list.$1")
    [ -n "$file" ] || [ "$1" = pair ] || file=$(take list)
    echo "$file"
}

# machine N: boots one, which runs what it is told; TAP and exit code in $tmp.
machine() {
    tree=$tmp/tree.$1
    cp -a "$dir" "$tree"
    mkdir -p "$tree/tests/bats"
    cp "$tmp"/*.bats "$tree/tests/bats"
    cat >"$tree/tests/run" <<'END'
#!/bin/sh
# The port that this writes to answers.  No test may hang the others.
. /tests/settings
PATH=/rig/bin:$PATH
exec 3</proc/self/fd/1
code=0
while echo next? && read -r file <&3 && [ -n "$file" ]; do
    bats --tap -T ${TEST_FILTER:+-f "$TEST_FILTER"} "/tests/bats/$file" \
        3<&- || code=$?
done
exit $code
END
    echo "export FAULT_CYCLES=${FAULT_CYCLES:-}" \
        "TEST_FILTER='${TEST_FILTER:-}'" \
        "BATS_TEST_TIMEOUT=$((600 + ${FAULT_CYCLES:-0} * 5))" \
        >"$tree/tests/settings"
    chmod 755 "$tree/tests/run"
    mkfifo "$tmp/answers.$1"
    hvm='' libvirt=''
    ! grep -q hvm "$tmp/list.$1" || hvm=1
    ! grep -q libvirt "$tmp/list.$1" || libvirt=1
    {
        code=0
        VM_HVM=$hvm VM_LIBVIRT=$libvirt VM_TIMEOUT_S=${VM_TIMEOUT_S:-7200} \
            VM_CONSOLE_LOG=${VM_CONSOLE_LOG:+$VM_CONSOLE_LOG.$1} \
            VM_INPUT=$tmp/answers.$1 "$here/vm.sh" run "$tree" 2>&1 ||
            code=$?
        echo $code >"$tmp/code.$1"
    } | while IFS= read -r line; do
        case $line in
        *next\?) next "$1" 1<>"$tmp/answers.$1" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done | tee "$tmp/tap.$1"
}

# joined N OTHER: QEMU's arguments for machine N of two with a wire between.
joined() {
    echo "-netdev dgram,id=net,local.type=unix,local.path=$tmp/net.$1,\
remote.type=unix,remote.path=$tmp/net.$2 \
-device virtio-net-pci,netdev=net,mac=52:54:00:00:00:0$1"
}

# two_hosts: a machine with one beside it that serves until it is done.
two_hosts() {
    export VM_TIMEOUT_S="${VM_TIMEOUT_S:-7200}" VM_DISK="$tmp/disk"
    truncate -s 64M "$VM_DISK"
    export VM_DISK_AT=scsi-id=3,lun=2 VM_KERNEL_EXTRA=address=10.0.0.2
    libvirt=
    ! grep -q libvirt "$tmp/list.pair" || libvirt=1
    VM_QEMU_EXTRA=$(joined 2 1) VM_LIBVIRT=$libvirt \
        "$here/vm.sh" run "$dir" /tests/remote-sh serve >"$tmp/served" 2>&1 &
    server=$!
    trap 'kill $server 2>/dev/null || :' EXIT
    export VM_DISK_AT='' VM_KERNEL_EXTRA=address=10.0.0.1
    VM_QEMU_EXTRA=$(joined 1 2)
    export VM_QEMU_EXTRA
    machine pair
}

# Builds the image once, before all ask for it.
sh "$here/image.sh" >/dev/null || die "no image to boot"
echo "system tests: booting Xen and dom0 in QEMU" >&2
# start N: if there is anything for it to do.
start() {
    [ ! -s "$tmp/list.$1" ] && [ "$(wc -l <"$tmp/list")" -lt "$1" ] ||
        machine "$1" &
    pids="$pids $!"
}
for m in $(seq $((machines - 1))); do start "$m"; done
# Until then, somebody else takes the time of one.
while [ -n "${FEWER_UNTIL:-}" ] && [ ! -e "$FEWER_UNTIL" ]; do sleep 1; done
if [ -s "$tmp/list.pair" ]; then
    (two_hosts) &
    pids="$pids $!"
    wait $! || :
fi
start "$machines"
wait
cat "$tmp"/tap.* >"$tmp/tap"
code=$(cat "$tmp"/code.* | sort -n | tail -n 1)

count() { grep -c -E "$1" "$tmp/tap" || :; }
failed=$(count '^not ok ')
skipped=$(count '^ok .* # skip')
passed=$(($(count '^ok ') - skipped))
planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$tmp/tap" |
    awk '{ n += $1 } END { print n + 0 }')

[ "$skipped" -eq 0 ] || {
    echo "skipped:"
    sed -n 's/^ok [0-9]* \(.*\) # skip *\(.*\)/  \1: \2/p' "$tmp/tap"
}
# A test that a dying machine took with it has failed.
ran=$((passed + failed + skipped))
if [ "$ran" -lt "$planned" ]; then
    echo "$((planned - ran)) tests did not run"
    failed=$((failed + planned - ran))
fi
# Nor has one for which no machine was left.
left=$(cat "$tmp"/list "$tmp"/list.* | wc -l)
if [ "$left" -gt 0 ]; then
    echo "$left files did not run"
    failed=$((failed + left))
fi
[ "$ran" -gt 0 ] || { echo "no test ran"; failed=$((failed + 1)); }
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
retried=$(count '^# retried: ')
[ "$retried" -eq 0 ] || line="$line, $retried retried"
[ "$retried" -le 2 ] || echo "more than 2 tests had to be tried again"
echo "$line"
[ "$failed" -eq 0 ] && [ "$code" -eq 0 ] && [ "$retried" -le 2 ]
