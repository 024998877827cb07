#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-only
# A root shell in dom0 of real Xen in QEMU, with this tree installed.
set -eu
cd "$(dirname "$0")/../.."
make -s build-system
exec tests/system/vm.sh shell build/dom0
