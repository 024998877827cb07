#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Runs the unit and store tests and prints, for each source of tools/, how
# much of its lines and branches they reach; the lines that they do not reach
# go to build/cov/missing.txt.  What remains, and why: docs/misc/coverage.txt.
set -u
cd "$(dirname "$0")/../.." || exit 1
find build/cov -name '*.gcda' -delete
status=0
export CMOCKA_MESSAGE_OUTPUT=TAP
for test in $(make --no-print-directory -s list-coverage); do
    if ! "$test" > build/cov/log 2>&1; then
        grep '^not ok' build/cov/log
        echo "coverage: $test failed"
        status=1
    fi
done
gcovr -r . --object-directory build/cov --filter tools/ \
    --csv build/cov/all.csv --txt build/cov/missing.txt build/cov || exit 1
tr -d '\r' < build/cov/all.csv | awk -F, '
    function show(name, l, lc, b, bc) {
        printf "%-36s %5d %6.1f%% %6d %6.1f%%\n", name, l,
            l ? 100 * lc / l : 100, b, b ? 100 * bc / b : 100
    }
    NR == 1 {
        printf "%-36s %5s %7s %6s %7s\n", "file", "lines", "reached",
            "branch", "taken"
        for (i = 1; i <= NF; i++)
            at[$i] = i
        next
    }
    {
        l = $at["line_total"]; lc = $at["line_covered"]
        b = $at["branch_total"]; bc = $at["branch_covered"]
        show($1, l, lc, b, bc)
        all += l; hit += lc; branches += b; taken += bc
    }
    END { show("all", all, hit, branches, taken) }'
exit $status
