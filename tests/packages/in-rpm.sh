#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# Runs among the packages: builds RPMs of their source, and lets them come and
# go beside a package that has xl.  Debian has none of what they ask for by
# name, which is therefore not looked at.  Prints TAP.
# shellcheck disable=SC2086     # $force are words
set -u
. ./tap.sh

xl=/usr/sbin/xl
ours=/usr/libexec/xen-vscsi

# The rpm of Debian 12 warns of rpm on Debian; that of 13 does not.  Its
# plugins want scriptlets to have mounts of their own, which a room has not.
force="--noplugins --force-debian"
rpm --force-debian --version >/dev/null 2>&1 || force=--noplugins

# install NAME: the package, or packages, whose files' names begin with it.
install() { rpm -U $force --nodeps /tmp/rpm/RPMS/*/"$1"-*; }

# As make dist makes it.
make_tarball() {
    version=$(sed -n 's/^Version: *//p' source/packaging/rpm/xen-vscsi.spec)
    grep -F "AC_INIT([xen-vscsi], [$version])" source/configure.ac &&
        mv source "xen-vscsi-$version" &&
        tar -czf "xen-vscsi-$version.tar.gz" "xen-vscsi-$version"
}

build_rpms() {
    rpmbuild -tb --nodeps --without checks --define '_topdir /tmp/rpm' \
        --define 'debug_package %{nil}' xen-vscsi-*.tar.gz &&
        ls /tmp/rpm/RPMS/*/*
}

# The tools of Xen in version $1: an xl that says it.
build_tools() {
    cat >tools.spec <<END
Name: xen-tools
Version: $1
Release: 1
Summary: Xen's tools
License: None
BuildArch: noarch
%description
Xen's tools
%install
mkdir -p %{buildroot}/usr/sbin
printf '#!/bin/sh\necho xl $1\n' >%{buildroot}/usr/sbin/xl
chmod 755 %{buildroot}/usr/sbin/xl
%files
/usr/sbin/xl
END
    rpmbuild -bb --define '_topdir /tmp/rpm' tools.spec
}

# is_ours VERSION: the launcher, which starts the xl of that version.
is_ours() {
    [ $xl -ef $ours/xl ] && [ "$(xl list)" = "xl $1" ]
}

is_theirs() {
    [ ! -e $ours ] && [ "$($xl list)" = "xl $1" ] && rpm -V --nodeps xen-tools
}

rm $xl                          # Debian's
result "the tarball has the version of the spec" make_tarball || exit 1
result "the spec builds from the tarball alone" build_rpms || exit 1
result "a package with xl builds" build_tools 1
result "another version of it builds" build_tools 2
result "RPM: xl installs" install xen-tools-1
result "RPM: ours install" install xen-vscsi
result "RPM: ... xl is the launcher" is_ours 1
result "RPM: xl is updated" install xen-tools-2
result "RPM: ... xl is the launcher of the new one" is_ours 2
result "RPM: ours go" rpm -e $force xen-vscsi \
    xen-vscsi-devel xen-vscsi-libvirt
result "RPM: ... xl is the distribution's" is_theirs 2
result "RPM: ours come again" install xen-vscsi
result "RPM: xl goes" rpm -e $force --nodeps xen-tools
result "RPM: ... and is not left anywhere" test ! -e $xl -a ! -e $ours/distrib/xl
