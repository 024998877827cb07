#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Clean rooms: installations of a Debian release in which something is done
# that leaves no trace.  Needs mmdebstrap, and root or user namespaces.
#   room.sh make NAME PACKAGE...  makes one, once, and prints its archive
#   room.sh run ARCHIVE DIR COMMAND
#                                 unpacks it, copies DIR to /work there, runs
#                                 COMMAND in /work, with sh, and copies
#                                 /work/out back into DIR
#   room.sh sources               prints where apt finds the release
# SUITE is the release, bookworm or trixie; the default is the host's.  A
# PACKAGE may be a pattern of apt's.  Another word in ROOM_KEY makes the room
# anew.
set -eu

die() { echo "room: $*" >&2; exit 1; }

host=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
suite=${SUITE:-$host}

command -v mmdebstrap >/dev/null && command -v zstd >/dev/null ||
    die "mmdebstrap or zstd is missing: run ./bootstrap, which installs them"

# Where the host's apt finds Debian, for the release that is wanted.
sources() {
    apt-get indextargets --format \
        '$(CREATED_BY) $(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
        awk -v host="$host" -v suite="$suite" '
            $1 == "Packages" && $2 == "Debian" && $5 == "main" {
                sub("^" host, suite, $4)
                print "deb", $3, $4, $5
            }' | sort -u
}

make_room() {
    name=$1
    shift
    cache=${PVSCSI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pvscsi-xen}/$suite
    mkdir -p "$cache"
    room=$cache/$name.$({ sed -n '/^fill_room/,/^}/p' "$0"
        echo "$@" "${ROOM_KEY:-}"; } |
        sha256sum | cut -c1-16).tar.zst
    # One at a time; a second caller waits and finds it done.
    exec 9>"$cache/lock.$name"
    flock 9
    if [ ! -e "$room" ]; then
        work=$(mktemp -d "$cache/room.XXXXXX")
        trap 'rm -rf "$work"' EXIT
        trap 'exit 1' HUP INT TERM
        fill_room "$@" 9>&- >&2
        rm -f "$cache/$name".*.tar.zst
        mv "$work/room.tar.zst" "$room"
    fi
    echo "$room"
}

fill_room() {
    sources >"$work/sources.list"
    [ -s "$work/sources.list" ] ||
        die "apt has no list of Debian's packages: run apt-get update first"
    apt-config dump | grep -E '^Acquire::(https?|ftp|Retries)' \
        >"$work/apt.conf" || :
    echo "room: making the room $name for Debian $suite"
    echo "room:   (once; kept in $room)"
    if ! mmdebstrap --quiet --variant=apt --format=tar \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        --aptopt="$work/apt.conf" \
        --aptopt='Apt::Install-Recommends "false"' \
        --include="$(echo "$@" | tr ' ' ',')" \
        "$suite" "$work/room.tar" "$work/sources.list" >"$work/log" 2>&1
    then
        tail -n 30 "$work/log"
        die "mmdebstrap failed: its last lines are above"
    fi
    zstd -q --rm "$work/room.tar"
}

run_room() {
    room=$1 dir=$2 command=$3
    work=$(mktemp -d "${TMPDIR:-/tmp}/pvscsi-room.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    chmod 755 "$work"           # for the user that is root in the room
    zstd -qd "$room" -o "$work/room.tar"
    tar -C "$dir" -cf "$work/work.tar" .
    cat >"$work/run" <<END
mkdir -p /work/out
cd /work
$command
END
    # Who is not root cannot make devices; mmdebstrap lends the host's.
    devices=
    [ "$(id -u)" = 0 ] || devices="--exclude=./dev/*"
    # Without the stages for what is already in the archive.  mmdebstrap gives
    # every terminal to the user of number 5; here, to whoever opens it.  What
    # the command says all comes out as mmdebstrap's errors.
    terminals="newinstance,gid=5,mode=620,ptmxmode=666 none"
    mmdebstrap --quiet --variant=custom --format=null \
        --skip=update,setup,cleanup \
        --setup-hook="tar -C \"\$1\" $devices -xf $work/room.tar" \
        --customize-hook="mkdir \"\$1/work\"" \
        --customize-hook="tar -C \"\$1/work\" -xf $work/work.tar" \
        --customize-hook="cp $work/run \"\$1/run-in-room\"" \
        --customize-hook="umount \"\$1/dev/pts\" &&
            mount -t devpts -o $terminals \"\$1/dev/pts\"" \
        --customize-hook='chroot "$1" sh -eu /run-in-room' \
        --customize-hook="sync-out /work/out $dir/out" \
        '' /dev/null 2>&1
}

case ${1:-} in
sources) sources ;;
make) shift; make_room "$@" ;;
run) shift; run_room "$@" ;;
*) die "usage: room.sh make NAME PACKAGE... | run ARCHIVE DIR COMMAND |" \
    "sources" ;;
esac
