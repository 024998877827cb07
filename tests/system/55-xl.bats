#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# The commands as a person at the terminal meets them, and the launcher in
# front of the distribution's xl.

setup_file() {
    . /tests/vscsi.sh
    start_guest g pv
    add_scsi_debug max_luns=12
    host=$(scsi_debug_hosts | tail -n 1)
    xl scsi-attach g "$host:0:0:10" 0:0:0:10
    xl scsi-attach g "$(node_of "$host:0:0:2")" 0:0:0:2
}

teardown_file() {
    . /tests/vscsi.sh
    stop_guest g
    xl scsi-cleanup
    remove_scsi_debug all
}

setup() {
    . /tests/vscsi.sh
    host=$(scsi_debug_hosts | tail -n 1)
}

@test "scsi-list is sorted by vdev, and its columns fit" {
    run xl scsi-list g
    [ "$status" -eq 0 ]
    [ "${lines[0]%% *}" = Idx ]
    [ "$(echo "${lines[0]}" | tr -s ' ')" = \
      "Idx BE state host phy-hctl phy vir-hctl devstate" ]
    [ "$(echo "${lines[1]}" | tr -s ' ')" = \
      "0 0 4 0 $host:0:0:2 $(node_of "$host:0:0:2") 0:0:0:2 4" ]
    [ "$(echo "${lines[2]}" | tr -s ' ')" = \
      "0 0 4 0 $host:0:0:10 $(node_of "$host:0:0:10") 0:0:0:10 4" ]
}

@test "without a domain each row says whose it is" {
    run xl scsi-list
    [ "$(echo "${lines[1]}" | tr -s ' ' | cut -d' ' -f1,2)" = \
      "g $("$real_xl" domid g)" ]
    run xl scsi-list g nobody
    [ "$status" -eq 1 ]
    [[ "$output" == *"there is no domain nobody"*"0:0:0:10"* ]]
}

@test "scsi-list --json has the same facts and the identity" {
    run xl scsi-list --json g
    [ "$status" -eq 0 ]
    for fact in '"wwid": "naa.' '"vendor": "Linux"' '"model": "scsi_debug"' \
        '"type": "disk"' '"vir_hctl": "0:0:0:10"' '"devstate": 4'; do
        [[ "$output" == *"$fact"* ]]
    done
}

@test "-N prints JSON and touches nothing" {
    before=$(snapshot)
    run xl -N scsi-attach g "$host:0:0:3" 0:0:0:3
    [ "$status" -eq 0 ]
    [[ "$output" == "vscsi: {"*'"lun": 3'* ]]
    run xl -N scsi-detach g 0:0:0:2
    [ "$status" -eq 0 ]
    [ "$(snapshot)" = "$before" ]
}

@test "-v shows the steps" {
    run xl -vvv scsi-attach g "$host:0:0:3" 0:0:0:3
    [ "$status" -eq 0 ]
    [[ "$output" == *"backend is"* ]]
    xl scsi-detach g 0:0:0:3
}

@test "help, usage and exit codes are as xl's" {
    run xl help
    [[ "$output" == *scsi-attach*scsi-detach*scsi-list* ]]
    [[ "$output" == *block-attach* ]]
    run xl scsi-attach -h
    [ "$status" -eq 0 ]
    [[ "$output" == "Usage: xl [-vtTfN] scsi-attach"* ]]
    run xl help scsi-list
    [ "$status" -eq 0 ]
    [[ "$output" == *"scsi-list"* ]]
    run xl scsi-attach g
    [ "$status" -eq 2 ]
    [[ "$output" == *"'xl scsi-attach' requires at least 2 arguments."* ]]
    run xl scsi-detach -q g 0:0:0:0
    [ "$status" -eq 2 ]
}

@test "unambiguous prefixes work" {
    run xl scsi-l g
    [ "$status" -eq 0 ]
    [[ "$output" == *0:0:0:10* ]]
    run xl scsi g
    [ "$status" -eq 1 ]
}

@test "every other command is the distribution's, unchanged" {
    for cmd in "list" "domid g" "info" "no-such-command" "domid nobody"; do
        run "$real_xl" $cmd
        want=$status:$(echo "$output" | grep -v -e Time -e free -e '^g ' -e Domain-0 || :)
        run xl $cmd
        [ "$status:$(echo "$output" | grep -v -e Time -e free -e '^g ' -e Domain-0 || :)" = "$want" ]
    done
    [ "$(echo "hello there" | xl console -h 2>&1 | head -n 1)" = \
      "$("$real_xl" console -h 2>&1 | head -n 1)" ]
}

@test "the man page is found" {
    [ -s "$our_man/man1/xl-scsi.1" ] || [ -s "$our_man/man1/xl-scsi.1.gz" ]
    [ -s "$our_man/man5/xl-vscsi.cfg.5" ] ||
        [ -s "$our_man/man5/xl-vscsi.cfg.5.gz" ]
}
