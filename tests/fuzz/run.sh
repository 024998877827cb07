#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# run.sh runs=N|max_total_time=SECONDS [TARGET...]: feeds each target (all
# of them) its seeds and what libFuzzer makes of them; prints TAP and a
# table.  What broke a target is kept in build/fuzz/broken; put it into
# seeds/ once a test has its reason.  A long run keeps what reached new code
# in build/fuzz/corpus and begins there the next time; a run of N inputs is
# the same every time.
set -u
cd "$(dirname "$0")/../.." || exit 1
bound=$1
shift
# shellcheck disable=SC2046 # a list of words
[ $# != 0 ] || set -- $(make --no-print-directory -s list-fuzz)
dir=build/fuzz
broken=$dir/broken
rm -rf "$broken"
mkdir -p "$broken" "$dir/log"

# What each target is there for.
files_of() {
    case $1 in
    spec) echo tools/libxl/libxlu_vscsi*.c tools/libxl/libxl_vscsi_addr.c ;;
    addr) echo tools/libxl/libxl_vscsi_addr.c ;;
    json) echo tools/libxl/libxl_vscsi_json.c \
        tools/libxl/_libxl_vscsi_types.c ;;
    hooks) echo tools/xl/hooks_json.c ;;
    store) echo tools/libxl/libxl_vscsi_record.c \
        tools/libxl/libxl_vscsi_record_text.c \
        tools/libxl/libxl_vscsi_store.c tools/libxl/libxl_vscsi_xs.c ;;
    esac
}

# What of those all targets together have reached.
coverage() {
    llvm-profdata merge -o "$dir/all.prof" "$dir"/log/*.prof || return
    first=$1
    objects=
    for t; do
        [ "$t" = "$first" ] || objects="$objects -object $dir/fuzz-$t"
    done
    files=$(for t; do files_of "$t"; done | tr ' ' '\n' | sort -u)
    printf '# %-22s %7s %7s\n' reached lines branches
    # shellcheck disable=SC2086 # lists of words
    llvm-cov report "$dir/fuzz-$first" $objects \
        -instr-profile="$dir/all.prof" $files 2>/dev/null |
        awk '/\.c / {
            sub(".*/", "", $1)
            printf "# %-22s %6.1f%% %6.1f%%\n", $1, $10, $13
        }'
}

status=0
n=0
table=
rm -f "$dir"/log/*.prof
for t; do
    n=$((n + 1))
    case $bound in
    runs=*) corpus=$(mktemp -d) ;;
    *) corpus=$dir/corpus/$t; mkdir -p "$corpus" ;;
    esac
    log=$dir/log/$t
    LLVM_PROFILE_FILE=$log.prof "$dir/fuzz-$t" -seed=1 "-$bound" \
        -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -dict="tests/fuzz/$t.dict" -artifact_prefix="$broken/$t-" \
        "$corpus" "tests/fuzz/seeds/$t" > "$log" 2>&1
    r=$?
    done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    crashes=$(find "$broken" -name "$t-*" | wc -l)
    if [ "$r" = 0 ] && [ "$crashes" = 0 ] && [ "${done:-0}" -gt 0 ]; then
        echo "ok $n - fuzz_$t"
    else
        sed 's/^/# /' "$log" | tail -n 60
        echo "not ok $n - fuzz_$t"
        status=1
    fi
    table="$table$(printf '# %-8s %12s %9s' "$t" "${done:-0}" "$crashes")
"
    case $bound in
    runs=*) rm -rf "$corpus" ;;
    esac
done
echo "1..$n"
printf '# %-8s %12s %9s\n%s' target executions crashes "$table"
coverage "$@"
exit $status
