#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# The main job on real Xen in QEMU, step by step: a disk of dom0 goes to a
# guest, is written there, and comes back.
set -eu
cd "$(dirname "$0")/../.."
echo "demo: installing this tree into a dom0 image (built once, then kept)"
make -s build-system
cp tests/system/demo-in-dom0 build/dom0/tests
echo "demo: booting Xen and dom0 in QEMU; software emulation, so be patient"
exec tests/system/vm.sh run build/dom0 sh /tests/demo-in-dom0
