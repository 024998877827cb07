# SPDX-License-Identifier: LGPL-2.1-only
# For the scripts that run in rooms: TAP.

# result PROMISE COMMAND...: the command keeps it if it succeeds; what it
# prints is for whoever reads of a failure.
result() {
    promise=$1
    shift
    if "$@" >/tmp/result 2>&1; then
        echo "ok - $promise"
    else
        echo "not ok - $promise"
        sed 's/^/# /' /tmp/result
        return 1
    fi
}
