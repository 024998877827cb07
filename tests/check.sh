#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Runs the named levels of tests (unit, store, faults, faults-long, valgrind,
# fuzz, packages, other, other-all, system) one after another, whatever fails,
# and ends with the one line that counts them: "N passed, N failed[, N skipped][,
# N retried]".  Every test program prints TAP.  "one NAME" runs one file of
# whatever level: 61-reboot, export.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p build/check
total=build/check/all.tap
: > "$total"

# A level that cannot be built, or dies without saying which test failed,
# is a failed test itself.
run() {
    name=$1
    shift
    log=build/check/$(echo "$name" | tr '/ ' '__').tap
    echo "# $name"
    begun=$(date +%s)
    { "$@" 2>&1; echo "status $?"; } | tee "$log.raw" | grep -v '^status '
    echo "# $name: $(($(date +%s) - begun)) s"
    status=$(sed -n 's/^status //p' "$log.raw" | tail -n 1)
    # A test that prints without a newline must not hide its own result.
    # cmocka 1.1.5 says of what was skipped that it is not ok.
    grep -aE '^(not )?ok ' "$log.raw" |
        sed 's/^not \(ok [0-9]* # SKIP \)/\1/' > "$log"
    grep -a '^# retried: ' "$log.raw" >> "$total"
    if [ "$status" != 0 ] && ! grep -q '^not ok ' "$log"; then
        echo "not ok - $name ended with status $status" | tee -a "$log"
    elif [ ! -s "$log" ]; then
        echo "not ok - $name ran no test" | tee -a "$log"
    fi
    cat "$log" >> "$total"
}

build() {
    echo "# building: $*"
    if ! make --no-print-directory -s "$@" > build/check/make.log 2>&1; then
        cat build/check/make.log
        echo "not ok - make $*" | tee -a "$total"
        return 1
    fi
}

# A make that runs this may have told its own to say where they are.
programs() {
    MAKEFLAGS='' make --no-print-directory -s "list-$1"
}

# The one test whose file has that name; what it is built from, first.
one() {
    if [ -e "tests/system/$1.bats" ]; then
        build build-system &&
            run "system/$1" tests/system/run.sh build/dom0 \
                "tests/system/$1.bats"
        return
    fi
    for program in $(programs unit) $(programs store) $(programs faults); do
        case $program in
        */"$1" | */"test-$1")
            build "$program" && run "$(basename "$program")" "$program"
            return
            ;;
        esac
    done
    echo "check.sh: there is no test $1; these are, by level:" >&2
    ls tests/unit/test-*.c tests/store/test-*.c tests/faults/test-*.c \
        tests/system/*.bats >&2
    exit 2
}

# Every program under build/*/faults prints its rows as "# figure| ...".
figures() {
    echo
    echo "faults, $1:"
    printf '  %-44s | %7s | %8s | %7s\n' what tried survived effects
    cat build/check/faults_*.tap.raw | sed -n 's/^# figure| /  /p'
}

# The rig, each kind of device, and a whole life, by packages.
short="^(dom0 runs|disk, tape, CD|a PV guest reads|a PVH guest writes|a changer \
arrives|a CD-ROM arrives|a domain.s life|packages that are upgraded)"

# on_release SUITE LEVEL: Xen of that Debian release, with the packages that
# were made for it; in short for the level "other", else everything but what
# is built against the libraries of this release.
on_release() {
    dir=build/dom0-$1
    log=build/check/dom0-$1.log
    build build-system || return
    if ! SUITE=$1 tests/packages/dom0-tree.sh "$dir" >"$log" 2>&1; then
        cat "$log"
        echo "not ok - packages for $1" | tee -a "$total"
        return
    fi
    suite=$1 length=$2 parts="hvm libvirt" filter='' machines=
    set --
    if [ "$length" = other ]; then
        parts='' filter=$short machines=1
        set -- tests/system/00-rig.bats tests/system/10-devices.bats \
            tests/system/66-packages.bats
    fi
    run "system with packages on $suite" env "SUITE=$suite" \
        "IMAGE_PARTS=$parts" "TEST_FILTER=$filter" "MACHINES=$machines" \
        tests/system/run.sh "$dir" "$@"
}

# Real Xen takes longest, and a part of that is waiting: it goes on beside the
# other levels, and faster when these are through.
system_pid=
start_system() {
    build build-system || return
    rm -f build/check/others-are-through
    run system env FEWER_UNTIL=build/check/others-are-through \
        tests/system/run.sh build/dom0 > build/check/system.out 2>&1 &
    system_pid=$!
    # Nobody else would end the machines.
    trap 'kill $system_pid 2>/dev/null' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    echo "# system: begun; its results come last"
}
case " $* " in
*" system ") [ $# -eq 1 ] || start_system ;;
esac

export CMOCKA_MESSAGE_OUTPUT=TAP
if [ "${1:-}" = one ] && [ $# -eq 2 ]; then
    one "$2"
    set --
fi
for level; do
    case $level in
    unit|store)
        build "build-$level" || continue
        for test in $(programs "$level"); do
            run "$level/$(basename "$test")" "$test"
        done
        [ "$level" = unit ] || continue
        for test in completion house install tree; do
            run "unit/test-$test" "tests/unit/test-$test.sh"
        done
        ;;
    faults|faults-long)
        build build-faults || continue
        rm -f build/check/faults_*
        form="a sample that is always the same (make check-faults: all)"
        [ "$level" = faults ] || form="all of it"
        for test in $(programs faults); do
            run "faults/$(basename "$test")" env \
                "PVSCSI_FAULTS=${level#faults-}" "$test"
        done
        ;;
    valgrind)
        build build-valgrind || continue
        for test in $(programs valgrind); do
            run "valgrind/$(basename "$test")" valgrind -q \
                --error-exitcode=99 --leak-check=full \
                --errors-for-leak-kinds=definite,possible \
                --suppressions=tests/valgrind.supp "$test"
        done
        ;;
    fuzz)
        build build-fuzz || continue
        run fuzz tests/fuzz/run.sh runs=20000
        ;;
    packages)
        run packages tests/packages/run.sh
        ;;
    other | other-all)
        other=trixie
        ! grep -q '^VERSION_CODENAME=trixie' /etc/os-release || other=bookworm
        on_release "$other" "$level"
        [ "$level" = other ] ||
            on_release "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" \
                "$level"
        ;;
    system|system-faults)
        if [ -n "$system_pid" ]; then
            touch build/check/others-are-through
            tail -n +1 -f --pid="$system_pid" build/check/system.out
            wait "$system_pid"
            continue
        fi
        build build-system || continue
        if [ "$level" = system ]; then
            run system tests/system/run.sh build/dom0
        else
            FAULT_CYCLES=500 run faults/system tests/system/run.sh \
                build/dom0 tests/system/80-faults.bats
        fi
        ;;
    *)
        echo "check.sh: no level $level (unit, store, faults, faults-long," \
            "valgrind, fuzz, packages, other, other-all, system," \
            "system-faults)" >&2
        exit 2
        ;;
    esac
done

[ -z "${form:-}" ] || figures "$form"
skipped=$(grep -c '^ok .*# [Ss][Kk][Ii][Pp]' "$total")
failed=$(grep -c '^not ok ' "$total")
passed=$(($(grep -c '^ok ' "$total") - skipped))
if [ "$failed" != 0 ]; then
    echo
    echo "failed:"
    grep '^not ok ' "$total"
fi
line="$passed passed, $failed failed"
if [ "$skipped" != 0 ]; then
    echo
    echo "skipped:"
    grep '^ok .*# [Ss][Kk][Ii][Pp]' "$total"
    line="$line, $skipped skipped"
fi
retried=$(grep -c '^# retried: ' "$total")
[ "$retried" = 0 ] || line="$line, $retried retried"
echo
echo "$line"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
