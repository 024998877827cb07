#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# bench.sh: what our commands cost beside what they could cost at least: one
# boot of real Xen, then the host's real xenstored; prints one table.
# The machine's clock counts instructions, so that what the host does beside,
# or how slow emulation is at what, is in no number; with BENCH_CLOCK=wall it
# is the host's, and samples scatter by a fifth.
# Environment: BENCH_ROUNDS (7), BENCH_PARTS (all of them), BENCH_SAMPLES (a
# file to keep the samples in).
set -eu
cd "$(dirname "$0")/../.."
all="1 15 first disks creates listings scale lives many hanging store"
parts=${BENCH_PARTS:-$all}
counted=1
[ "${BENCH_CLOCK:-counted}" != wall ] || counted=0
samples=${BENCH_SAMPLES:-build/bench/samples}
: >"$samples"

tree=build/bench/dom0
rm -rf $tree
cp -a build/dom0 $tree
mkdir -p $tree/tests/bench
cp tests/bench/in-dom0.sh build/bench/floor build/bench/stopwatch \
    build/bench/others $tree/tests/bench
in_dom0=$(echo " $parts " | sed 's/ store / /')
printf 'rounds=%s\nparts="%s"\n' "${BENCH_ROUNDS:-7}" "$in_dom0" \
    >$tree/tests/bench/settings

if [ -n "${in_dom0# }" ]; then
    echo "bench: booting Xen and dom0 in QEMU" >&2
    code=0
    VM_COUNTED=$counted VM_TIMEOUT_S=${VM_TIMEOUT_S:-1800} tests/system/vm.sh run $tree \
        sh /tests/bench/in-dom0.sh >build/bench/log 2>&1 || code=$?
    tr -d '\r' <build/bench/log | tee build/bench/log.txt |
        grep -a '^S ' >>"$samples" || :
    [ $code -eq 0 ] || {
        grep -av '^S ' build/bench/log.txt | tail -n 20 >&2
        echo "bench: the machine ended with $code; the table is not whole" >&2
    }
    grep -a '^# bench: failed' build/bench/log.txt >&2 || :
fi
case " $parts " in
*" store "*)
    echo "bench: on the host's xenstored" >&2
    build/bench/store "${BENCH_ROUNDS:-7}" >>"$samples" ;;
esac
awk -f tests/bench/table.awk "$samples"
