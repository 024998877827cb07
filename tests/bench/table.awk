# SPDX-License-Identifier: LGPL-2.1-only
# From lines "S NAME VALUE" to one table: medians, the ratio, and the aim.
# The ratio is the median of the rounds' ratios: a machine that is slow for a
# while is slow for both.  A row whose samples are missing is left out, and
# said so.

$1 == "S" { value[$2, ++count[$2]] = $3 + 0 }

function sort(v, n,    i, j, swap) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
            swap = v[j]; v[j] = v[j - 1]; v[j - 1] = swap
        }
}

function middle(v, n) {
    sort(v, n)
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function median(name,    i, v) {
    for (i = 1; i <= count[name]; i++)
        v[i] = value[name, i]
    return middle(v, count[name])
}

function median_ratio(ours, than,    i, v) {
    if (count[ours] != count[than])
        return median(ours) / median(than)
    for (i = 1; i <= count[ours]; i++)
        v[i] = value[ours, i] / value[than, i]
    return middle(v, count[ours])
}

function line(what, ours, against, than, ratio, aim, verdict) {
    printf "%-34s %6s  %-15s %6s %5s %4s %s\n", what, ours, against, than,
           ratio, aim, verdict
}

function number(x) {
    return scale == 1 ? sprintf("%d", x) : sprintf("%.1f", x / scale)
}

# One row of numbers; aim "" where there is none.
function row(what, ours, against, than, ratio, aim,    verdict) {
    if (aim != "") {
        aims++
        met += ratio <= aim
    }
    verdict = aim == "" ? "" : ratio <= aim ? "yes" : "NO"
    line(what, number(ours), against, number(than),
         sprintf("%.2f", ratio), aim, verdict)
}

function has(name) {
    if (count[name])
        return 1
    missing = missing " " name
    return 0
}

# One row of two names of samples.
function compare(what, ours, against, than, aim) {
    if (has(ours) && has(than))
        row(what, median(ours), against, median(than),
            median_ratio(ours, than), aim)
}

function handshakes(n, there) {
    compare("scsi-attach, " there, "attach-" n, "floor",
            "floor-attach-" n, 1.10)
    compare("  with LIO objects to make", "attach-lio-" n,
            "floor", "floor-attach-" n, 1.25)
    compare("  LIO's part of that", "floor-export-kernel", "floor",
            "floor-attach-" n, "")
    compare("  the kernels' part of the floor's",
            "floor-attach-" n "-kernel", "floor",
            "floor-attach-" n, "")
}

function endings(n, there) {
    compare("scsi-detach, " there, "detach-" n, "floor",
            "floor-detach-" n, 1.10)
    compare("  with LIO objects to remove", "detach-lio-" n,
            "floor", "floor-detach-" n, "")
    compare("  LIO's part of that", "floor-unexport-kernel", "floor",
            "floor-detach-" n, "")
    compare("  the kernels' part of the floor's",
            "floor-detach-" n "-kernel", "floor",
            "floor-detach-" n, "")
}

function beside(name, what) {
    compare("scsi-attach " what, "attach-" name, "none", "attach-alone",
            1.10)
    compare("  with LIO objects to make", "attach-lio-" name, "none",
            "attach-lio-alone", 1.10)
    compare("scsi-detach " what, "detach-" name, "none", "detach-alone",
            1.10)
    compare("  with LIO objects to remove", "detach-lio-" name, "none",
            "detach-lio-alone", 1.10)
}

function hung(what, name) {
    compare(what ", another's device hangs", name "-hung", "none",
            name "-calm", 1.50)
}

function extra_of_create(    extra, limit) {
    if (!has("create-16") || !has("create-launched") || !has("xl-list"))
        return
    extra = median("create-16") - median("create-launched")
    limit = 0.3 / 0.136 * median("xl-list")
    row("xl create: what 16 in vscsi= add", extra, "0.3 s x machine",
        limit, extra / limit, 1.00)
}

END {
    scale = 1000
    line("operation (ms)", "ours", "reference", "takes", "ratio", "aim",
         "met")
    handshakes(1, "1 device there")
    handshakes(15, "15 devices there")
    endings(1, "2 devices there")
    endings(15, "16 devices there")
    compare("first scsi-attach of a domain", "first", "second attach",
            "second", 1.30)
    compare("  the floor's first", "floor-first",
            "floor, 1 there", "floor-attach-1", "")
    compare("  the kernels' part of the floor's", "floor-first-kernel",
            "floor", "floor-first", "")
    compare("scsi-detach of the last", "last", "floor",
            "floor-last", "")
    compare("16 devices in one C API call", "one-call-16",
            "1 device in one", "one-call-1", 2.00)
    compare("  the floor's 16", "floor-first-16",
            "floor's first", "floor-first", "")
    compare("  the kernels' part of the floor's", "floor-first-16-kernel",
            "floor", "floor-first-16", "")
    extra_of_create()
    compare("xl create with 16 in vscsi=", "create-16",
            "real xl, without", "create", "")
    compare("xl create without vscsi=", "create-launched",
            "real xl create", "create", 1.01)
    compare("xl list by the launcher", "launched-list-16",
            "Debian's wrapper", "wrapped-list-16", 1.01)
    compare("  by the wrapper's binary", "launched-list-16",
            "real xl list", "xl-list-16", "")
    compare("scsi-list, 16 devices", "list-16", "real xl list", "xl-list-16",
            0.90)
    compare("scsi-list, 2 devices", "list-2", "real xl list", "xl-list-2", "")
    compare("scsi-attach, 1 device there", "attach-1",
            "block-attach phy:", "block-attach", "")
    compare("scsi-detach, 2 devices there", "detach-1",
            "block-detach", "block-detach", "")
    compare("scsi-list, 16 exported by us", "list-ours", "admin's targets",
            "list-theirs", 1.20)
    compare("  by Debian's xl list", "list-ours", "its wrapper",
            "list-wrapper", "")
    compare("  by the same without wrapper", "list-ours", "its binary",
            "list-binary", "")
    beside("others", "beside 500 other domains")
    beside("targets", "beside 100 targets")
    compare("xl create, 4 HBAs, 100 domains", "create-others", "none",
            "create-alone", 1.10)
    compare("xl destroy, 4 HBAs, 100 domains", "end-others", "none",
            "end-alone", 1.10)
    hung("scsi-attach", "attach")
    hung("scsi-detach", "detach")
    hung("scsi-list", "list")
    hung("xl create", "create")
    hung("xl destroy", "end")
    compare("scsi-assignable-list, 1024 LUNs", "assignable-1024",
            "lsscsi -g", "lsscsi-1024", 2.00)
    compare("  with those in use (-a)", "assignable-all-1024",
            "lsscsi -g", "lsscsi-1024", "")
    compare("restore, 16 of 1024 LUNs, all moved", "restore-moved",
            "none moved", "restore-there", 1.50)
    compare("scsi-list, 250 domains x 4 devices", "store-list-250",
            "only reading", "store-floor-250", 1.20)
    scale = 1
    compare("  requests to xenstored", "store-requests-250",
            "only reading", "store-floor-requests-250", "")
    compare("  requests, 1000 domains without",
            "store-requests-1000", "domains", "store-domains-1000", 1.00)
    compare("scsi-list, peak KB, 1000 devices", "store-kb-1000",
            "1 device", "store-kb-1", 2.00)
    printf "\n%d of %d aims met; medians", met, aims
    if (missing != "")
        printf "; not measured:%s", missing
    printf "\n"
}
