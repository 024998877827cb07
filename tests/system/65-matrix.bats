#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only
# What is done to a domain, by each way of calling xl, and with each part of
# the hooks missing or wrong: prints a table of what comes of it.

setup() {
    . /tests/vscsi.sh
    . /tests/life.sh
    . /tests/matrix.sh
    matrix_setup
}

teardown() {
    lift
    life_teardown
}

@test "a domain's life by the launcher" {
    echo "# matrix| xl | create | reboot | save | restore | migrate | destroy |" >&3
    column launcher none xl
    case $row in *refused*) return 1 ;; esac
}

@test "a domain's life without the hooks" {
    column "without hooks" hooks xl
}

@test "a domain's life without what the hooks load" {
    column "without life" life xl
}

@test "a domain's life with hooks that another build's object meets" {
    column "other build" other xl
}

@test "a reboot under an older monitor" {
    config pvh 'on_reboot="restart"'
    begin
    xl scsi-attach life "$host:0:0:0" 0:0:0:0
    row=" - |"
    spoil other
    ends_by 'reboot -f'
    wait_for '! "$real_xl" domid life >/dev/null 2>&1' 60
    wait_for '! pgrep -f "xl create.*life.cfg" >/dev/null' 60
    status=1 output=$(cat "$log")
    cell
    row="$row - | - | - | - |"
    say_row "older monitor"
}
