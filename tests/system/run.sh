#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# run.sh DIR [FILE.bats...]: boots real Xen with DIR, what `make install
# DESTDIR=DIR` made, laid over dom0, and runs the system tests there (all of
# them unless named). The last line counts them.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

die() { echo "run: $*" >&2; exit 2; }

[ $# -ge 1 ] && [ -d "$1" ] || die "usage: run.sh DIR [FILE.bats...]"
dir=$1
shift
[ $# -gt 0 ] || set -- "$here"/*.bats

tmp=$(mktemp -d "${TMPDIR:-/tmp}/pvscsi-run.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cp -a "$dir" "$tmp/tree"
mkdir -p "$tmp/tree/tests/bats"
cp "$@" "$tmp/tree/tests/bats"
cat >"$tmp/tree/tests/run" <<'END'
#!/bin/sh
# No test may hang the others.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-240}
export BATS_TEST_RETRIES=${BATS_TEST_RETRIES:-1}
exec bats --tap /tests/bats
END
chmod 755 "$tmp/tree/tests/run"

echo "system tests: booting Xen and dom0 in QEMU" >&2
{
    code=0
    "$here/vm.sh" run "$tmp/tree" || code=$?
    echo $code >"$tmp/code"
} | tee "$tmp/tap"
code=$(cat "$tmp/code")

count() { grep -c -E "$1" "$tmp/tap" || :; }
failed=$(count '^not ok ')
skipped=$(count '^ok .* # skip')
passed=$(($(count '^ok ') - skipped))
planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$tmp/tap" | head -n 1)

[ "$skipped" -eq 0 ] || {
    echo "skipped:"
    sed -n 's/^ok [0-9]* \(.*\) # skip *\(.*\)/  \1: \2/p' "$tmp/tap"
}
# A test that a dying machine took with it has failed.
ran=$((passed + failed + skipped))
if [ "$ran" -lt "${planned:-0}" ]; then
    echo "$((planned - ran)) tests did not run"
    failed=$((failed + planned - ran))
fi
[ "$ran" -gt 0 ] || { echo "no test ran"; failed=$((failed + 1)); }
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ] && [ "$code" -eq 0 ]
