# SPDX-License-Identifier: LGPL-2.1-only
# What the tests of a domain's life share: a guest "life" (/tests/life.sh in
# dom0, after vscsi.sh).

# config [TYPE [CONFIG_LINE...]]: writes /run/life.cfg.
config() {
    write_guest_config life "$@"
}

# create TYPE [CONFIG_LINE...]: with $create_args for xl.
create() {
    config "$@"
    rm -f "$consoles/guest-life.log" "$consoles/guest-life--incoming.log"
    # Words split on purpose.
    # shellcheck disable=SC2086
    xl create -q ${create_args:-} /run/life.cfg </dev/null
}

# create_fails MESSAGE TYPE CONFIG_LINE...
create_fails() {
    _msg=$1
    shift
    run create "$@"
    echo "$output"
    [ "$status" -ne 0 ] || return 1
    case $output in *"$_msg"*) ;; *) echo "no: $_msg"; return 1 ;; esac
}

# with_disk [ATTRIBUTE=VALUE...]: one, 0:0:0 at $host; $disk is its node.
with_disk() {
    host=$(add_scsi_debug "$@")
    disk=$(node_of "$host:0:0:0")
}

# Two targets with two LUNs each: half a second more for each LUN.
with_disks() {
    with_disk num_tgts=2 max_luns=2
}

# ends_by COMMAND: the guest's last one.
ends_by() {
    /tests/ask -n life "$1"
}

# reboots N: by itself, and is up for the Nth time.
reboots() {
    ends_by 'reboot -f'
    wait_guest life "$1"
}

life_teardown() {
    for _d in $("$real_xl" list | awk '$1 ~ /^(life|late)/ { print $2 }'); do
        xl destroy "$_d"
    done
    remove_scsi_debug all
    rm -rf /run/life.* /run/late.* /var/lib/xen/dump
}

# start_writing: the guest writes a pattern to its first disk, again and
# again, until stop_writing, which sees whether everything was intact.
start_writing() {
    guest life "rm -f /calm /passes; (pattern /dev/$(guest_node life 0:0 block) 12 >/said 2>&1; echo \$? >/code) </dev/null >/dev/null 2>&1 &"
    writes_on
}

# writes_on: it writes the pattern once more, from its beginning to its end.
writes_on() {
    guest life 'n=$(cat /passes 2>/dev/null || echo 0); t=0; until [ $(cat /passes 2>/dev/null || echo 0) -ge $((n + 2)) ]; do [ ! -e /code ] && [ $t -lt 400 ] || { cat /said; exit 1; }; sleep 0.1; t=$((t+1)); done'
}

stop_writing() {
    guest life 'touch /calm; t=0; until [ -e /code ]; do [ $t -lt 400 ] || exit 1; sleep 0.1; t=$((t+1)); done; cat /said; exit $(cat /code)'
}
