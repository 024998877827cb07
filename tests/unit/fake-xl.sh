#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Stands in for the distribution's xl under the launcher's test.

print_list() {
    cat <<'END'
Usage xl [-vfNtT] <subcommand> [args]

xl full list of subcommands:

 create              Create a domain
 config-update       Update a configuration.
WARNING: a second line of the description
 pci-assignable-remove 
                     A name that is too long for the column
 network-detach      Take a network device
 block-attach        Give a disk
 block-list          Show disks
 block-detach        Take a disk
 vtpm-attach         Give a TPM
END
}

if [ $# -eq 0 ]; then
    print_list
    exit 1
fi
case $1 in
    help)      [ $# -eq 1 ] || [ "$2" = help ] || exec printf '%s\0' "$@"
               print_list ;;
    -h)        echo "unknown global option" >&2; exit 1 ;;
    exit)      exit "$2" ;;
    die)       kill -s "$2" $$ ;;
    cat)       cat ;;
    pid)       echo $$ ;;
    tty)       tty ;;
    *)         printf '%s\0' "$@" ;;
esac
