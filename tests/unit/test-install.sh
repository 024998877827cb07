#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only
# What make install and make uninstall touch, and what configure refuses.
# Prints TAP.

cd "$(dirname "$0")/../.." || exit 1
root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT
num=0
num_failed=0

# The cache of this machine's libraries is none of the test's business.
mkdir "$root/bin" "$root/backends"
ln -s /bin/true "$root/bin/ldconfig"
export PATH=$root/bin:$PATH

# ok PROMISE STATUS
ok() {
    num=$((num + 1))
    if [ "$2" = 0 ]; then
        echo "ok $num - $1"
    else
        num_failed=$((num_failed + 1))
        echo "not ok $num - $1"
        sed 's/^/# /' "$root/log"
    fi
}

prefix=$root/prefix
on() {
    make -s --no-print-directory "$1" "prefix=$prefix" \
        "BACKENDS=$root/backends" "libvirthooksdir=$prefix/hooks" >"$root/log" 2>&1
}

files() {
    (cd "$prefix" && find . ! -type d | sort)
}

# The distribution's, as with --prefix=/usr.
reset() {
    rm -rf "$prefix"
    mkdir -p "$prefix/sbin" "$prefix/share/bash-completion/completions"
}

make -s --no-print-directory all >"$root/log" 2>&1
ok "all is built" $?

for file in sbin/xl share/bash-completion/completions/xl; do
    reset
    echo "not ours" >"$prefix/$file"
    ! on install && grep -q "$prefix/$file\$" "$root/log" &&
        [ "$(files)" = "./$file" ] && [ "$(cat "$prefix/$file")" = "not ours" ]
    ok "install does not touch a $file that is not ours" $?
done

reset
ln -s nowhere "$prefix/sbin/xl"
! on install && [ "$(files)" = ./sbin/xl ]
ok "nor a link that leads nowhere" $?

reset
on install && [ -x "$prefix/sbin/xl" ] &&
    [ -e "$prefix/lib/xen-vscsi/xl-vscsi-hooks.so" ]
ok "install installs" $?
[ "$(sed "s|^$prefix|.|" "$prefix/lib/xen-vscsi/installed" | sort)" = \
  "$(files | grep -v xen-vscsi/installed)" ]
ok "and knows what" $?
on install
ok "install installs once more" $?

touch "$root/backends/vbd-3-51712" "$root/backends/vscsi-5-0"
before=$(files)
! on uninstall && grep -q "domain" "$root/log" && [ "$(files)" = "$before" ]
ok "uninstall refuses while a guest has SCSI devices" $?
rm "$root/backends/vscsi-5-0"

echo "not ours" >"$prefix/share/doc/xen-vscsi/mine"
on uninstall && [ "$(files)" = ./share/doc/xen-vscsi/mine ]
ok "uninstall removes what install put there, and no more" $?

reset
echo "not ours" >"$prefix/sbin/xl"
! on uninstall && [ "$(files)" = ./sbin/xl ]
ok "uninstall removes nothing that was never installed" $?

# refused ARGUMENT...: configure says no.
refused() {
    (mkdir -p "$root/conf" && cd "$root/conf" &&
        ! "$OLDPWD/configure" "$@" >"$root/log" 2>&1 &&
        grep -q "where the launcher is to be installed" "$root/log")
}

refused --prefix=/usr
ok "configure refuses to take the place of the distribution's xl" $?
mkdir -p "$root/usr/sbin" "$root/real"
ln -s "$root/usr/sbin" "$root/sbin"
refused "--sbindir=$root/sbin" "--with-xl=$root/usr/sbin/xl"
ok "by another way to the same directory too" $?
touch "$root/real/xl"
ln -s "$root/real/xl" "$root/usr/sbin/xl"
refused "--sbindir=$root/usr/sbin" "--with-xl=$root/real/xl"
ok "and where one is a link to the other" $?

# configured TEXT ARGUMENT...: config.mk has a line TEXT then.
configured() {
    (text=$1 && shift && rm -rf "$root/conf" && mkdir -p "$root/conf" &&
        cd "$root/conf" && "$OLDPWD/configure" "$@" >"$root/log" 2>&1 &&
        grep -qx "$text" config.mk)
}

configured "docdir = /some/where" --docdir=/some/where
ok "the documentation goes where configure is told" $?
cat >"$root/bin/pkg-config" <<'END'
#!/bin/sh
case $* in *cmocka*) exit 1 ;; esac
exec /usr/bin/pkg-config "$@"
END
chmod 755 "$root/bin/pkg-config"
configured "CMOCKA_LIBS = " "PKG_CONFIG=$root/bin/pkg-config" &&
    grep -q 'without cmocka' "$root/log"
ok "cmocka is not needed to build" $?
rm "$root/bin/pkg-config"
configured "LIBVIRT = " --without-libvirt
ok "nor is libvirt" $?

# As a packager does; nothing there but the tarball has git or autoconf.
builds_from_tarball() {
    make -s dist >"$root/log" 2>&1 &&
        tar -C "$root" -xzf dist/xen-vscsi-*.tar.gz &&
        ln -s /bin/false "$root/bin/git" &&
        ln -s /bin/false "$root/bin/autoconf" &&
        (cd "$root"/xen-vscsi-* && ./configure --without-checks CFLAGS=-O0 &&
            make -s -j2) >"$root/log" 2>&1 &&
        [ -x "$(echo "$root"/xen-vscsi-*/build/xl-scsi)" ]
}
if git rev-parse HEAD >/dev/null 2>&1; then
    builds_from_tarball
    ok "make dist makes what builds without git and autoconf" $?
else
    num=$((num + 1))
    echo "ok $num - make dist makes what builds # skip not in a clone by git"
fi

echo "1..$num"
[ "$num_failed" = 0 ]
