#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only
# bash completion of xl's SCSI commands, with a function in xl's place.
# Prints TAP.
# usage: test-completion.sh [FILE]    (default: tools/xl/bash-completion)

file=${1:-$(dirname "$0")/../../tools/xl/bash-completion}
num_passed=0
num_failed=0

xl() {
    case "$*" in
        help) printf 'Usage\n\nlist:\n\n create   C\n scsi-attach   A\n' ;;
        list) printf 'Name ID Mem\nDomain-0 0 9\nmail 3 9\nmake 4 9\n' ;;
        'scsi-list mail')
            printf 'Idx vir-hctl devstate\n0 0:0:0:1 4\n1 1:0:0:12 4\n' ;;
    esac
}

# Split as readline does, at blanks and at colons.
complete_line() {
    COMP_LINE=$1
    COMP_POINT=${#1}
    mapfile -t COMP_WORDS < <(printf '%s' "$1" |
                              sed 's/:/\n:\n/g; s/ /\n/g')
    [[ $1 == *[\ :] ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _xl_vscsi xl
}

# check PROMISE LINE REPLY...
check() {
    local promise=$1 line=$2 expected

    shift 2
    expected=$(printf '<%s>' "$@")
    complete_line "$line"
    if [[ $(printf '<%s>' "${COMPREPLY[@]}") == "$expected" ]]; then
        num_passed=$((num_passed + 1))
        echo "ok $((num_passed + num_failed)) - $promise"
    else
        num_failed=$((num_failed + 1))
        echo "not ok $((num_passed + num_failed)) - $promise"
        echo "# '$line' gave $(printf '<%s>' "${COMPREPLY[@]}")," \
             "not $expected"
    fi
}

. /usr/share/bash-completion/bash_completion || exit 1
. "$file" || exit 1
unset -f _xl                    # the distribution's, where there is one

check 'sub-commands come from help'   'xl sc'                 'scsi-attach '
check 'domains, but not dom0'         'xl scsi-attach ma'     'mail ' 'make '
check 'domains of an abbreviation'    'xl -v scsi-d mai'      'mail '
check 'several domains to list'       'xl scsi-list mail mak' 'make '
check 'vdevs of the domain'           'xl scsi-detach mail '  '0:0:0:1 ' \
                                                              '1:0:0:12 '
check 'vdevs when a colon is typed'   'xl scsi-detach mail 1:0:' '0:12 '
check 'options do not count'          'xl scsi-detach -f mail 0' '0:0:0:1 '
check 'long options'                  'xl scsi-detach --'     '--timeout=' \
                                                              '--libvirt ' \
                                                              '--force '
check 'other commands are left alone' 'xl create x'

compgen() {
    case $2 in
        '/dev/disk/by-id/*')
            printf '%s\n' /dev/disk/by-id/{wwn-0x5,wwn-0x5-part1,nvme-x} ;;
        '/dev/sd*') printf '%s\n' /dev/sda /dev/sda1 ;;
        '/dev/st[0-9]*') printf '%s\n' /dev/st0 /dev/st0a /dev/st1 ;;
    esac
}
check 'devices, but not partitions'   'xl scsi-attach mail /dev/' \
    '/dev/disk/by-id/wwn-0x5 ' '/dev/sda ' '/dev/st0 ' '/dev/st1 '

echo "1..$((num_passed + num_failed))"
[[ $num_failed -eq 0 ]]
