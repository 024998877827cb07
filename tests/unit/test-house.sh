#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Whether the tree is as its documents say.  Prints TAP.

cd "$(dirname "$0")/../.." || exit 1
. tests/packages/tap.sh

# The part of README that says where things are.
map() { sed -n '/^Where things are/,$p' README; }

# By its name, or as "_name" beside one that it belongs to.
readme_names_every_file() {
    left=
    for file in tools/libxl/libxl_vscsi*.c tools/libvirt/*.c; do
        name=${file##*/}
        part=${name#libxl_vscsi}
        [ "$part" = "$name" ] || part=${part%.c}
        map | grep -qw -e "$name" -e "$part" || left="$left $file"
    done
    [ -z "$left" ] || { echo "README does not say what these are:$left"; return 1; }
}

readme_names_no_other() {
    for name in $(map | grep -oE '\<libxlu?_vscsi\w*\.[ch]\>'); do
        [ -e "tools/libxl/$name" ] || { echo "README: $name is gone"; return 1; }
    done
    for path in $(map | sed -n 's,^    \([a-z]*/[^ ]*\) .*,\1,p'); do
        [ -e "$path" ] || { echo "README: $path is gone"; return 1; }
    done
}

result "includes go down from room to room" tests/lint/rooms.sh
result "README's map has every file of the libraries" readme_names_every_file
result "README's map has no file that is gone" readme_names_no_other
