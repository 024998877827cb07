#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# owned.sh check LIST FILE...     fails if a FILE is there that LIST, which an
#                                 earlier make install left, does not have
# owned.sh add LIST FILE...       adds FILEs to LIST
# owned.sh remove LIST            removes what LIST has, and LIST
# owned.sh unused DIR             fails if a guest has SCSI devices by a
#                                 backend in DIR
set -eu

check() {
    foreign=
    for file; do
        if [ -e "$file" ] || [ -L "$file" ]; then
            grep -qsxF -- "$file" "$list" || foreign="$foreign
    $file"
        fi
    done
    [ -z "$foreign" ] && return
    cat >&2 <<END
make install: nothing is installed, because these files are there already, and
are not from an earlier make install:$foreign
Remove the package that they belong to, remove them, or ./configure for other
directories.
END
    return 1
}

add() {
    { [ ! -e "$list" ] || cat "$list"; printf '%s\n' "$@"; } |
        sort -u >"$list.new"
    mv "$list.new" "$list"
}

remove() {
    if [ ! -e "$list" ]; then
        echo "make uninstall: nothing was installed here by make install" \
            "($list is missing)" >&2
        return 1
    fi
    while read -r file; do
        rm -f -- "$file"
    done <"$list"
    rm -f -- "$list"
}

unused() {
    guests=$(find "$1/" -maxdepth 1 -name 'vscsi-*' 2>/dev/null |
        sed 's/.*vscsi-\([0-9]*\)-.*/\1/' | sort -nu | tr '\n' ' ')
    [ -z "$guests" ] && return
    cat >&2 <<END
make uninstall: nothing is removed, because guests have SCSI devices: domain
${guests% }.  They would lose them at their next reboot, and dom0 would not get
them back.  Detach them (xl scsi-detach), or shut the guests down.
END
    return 1
}

command=$1
list=$2
shift
case $command in
unused) unused "$1" ;;
*) shift; "$command" "$@" ;;
esac
