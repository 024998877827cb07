/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What LIO has: names of our objects, targets of the admin, and who exports
 * a device.  Changes nothing.
 *
 * A LUN that the backend driver can reach:
 *   core/HBA_N/BACKSTORE
 *   xen-pvscsi/naa.WWN/tpgt_T/{nexus,param/alias,lun/lun_L/LINK -> BACKSTORE}
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libxl_vscsi_lio.h"

#define BACKSTORE_PREFIX "xl-vscsi-"
#define LUN_PREFIX "lun_"
#define TPG_PREFIX "tpgt_"

/* ----- names of ours ----- */

/*
 * FNV-1a of "h:c:t" and a word, folded to 36 bits: nine hex digits after
 * the 24 bits that LIO uses for targets of its own making.
 */
static void derive_wwn(const char *alias, const char *word, char *wwn_r,
                       size_t size)
{
    uint64_t hash = 0xcbf29ce484222325;
    const char *s;

    for (s = alias; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 0x100000001b3;
    for (s = word; *s; s++)
        hash = (hash ^ (unsigned char)*s) * 0x100000001b3;
    hash = (hash ^ hash >> 36) & 0xfffffffff;
    snprintf(wwn_r, size, "naa.5001405%09" PRIx64, hash);
}

void libxl__vscsi_ours_name(const libxl_vscsi_hctl *hctl,
                            libxl__vscsi_ours *ours_r)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(hctl, text);
    ours_r->hctl = *hctl;
    snprintf(ours_r->backstore, sizeof(ours_r->backstore),
             BACKSTORE_PREFIX "%s", text);
    *strrchr(text, ':') = '\0';
    memcpy(ours_r->alias, text, sizeof(text));
    derive_wwn(text, "", ours_r->wwn, sizeof(ours_r->wwn));
    derive_wwn(text, " nexus", ours_r->nexus, sizeof(ours_r->nexus));
}

bool libxl__vscsi_ours_parse_backstore(const char *name,
                                       libxl_vscsi_hctl *hctl_r)
{
    size_t len = strlen(BACKSTORE_PREFIX);

    return !strncmp(name, BACKSTORE_PREFIX, len) &&
           libxl__vscsi_hctl_parse(name + len, hctl_r);
}

bool libxl__vscsi_ours_parse_target(const char *wwn, const char *alias,
                                    libxl_vscsi_hctl *hctl_r)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    libxl__vscsi_ours ours;
    libxl_vscsi_hctl hctl;
    int len;

    len = snprintf(text, sizeof(text), "%s:0", alias);
    if (len < 0 || (size_t)len >= sizeof(text) ||
        !libxl__vscsi_hctl_parse(text, &hctl))
        return false;
    libxl__vscsi_ours_name(&hctl, &ours);
    if (strcmp(ours.wwn, wwn))
        return false;
    *hctl_r = hctl;
    return true;
}

bool libxl__vscsi_lio_parse_lun(const char *name, uint64_t *lun_r)
{
    size_t len = strlen(LUN_PREFIX);

    return !strncmp(name, LUN_PREFIX, len) &&
           libxl__vscsi_parse_u64(name + len, strlen(name + len), UINT64_MAX,
                                  lun_r);
}

/* ----- backstores ----- */

/* The number after label, or false. */
static bool read_labelled(const char *text, const char *label, uint64_t max,
                          uint64_t *value_r)
{
    const char *s = strstr(text, label);

    if (!s)
        return false;
    s += strlen(label);
    return libxl__vscsi_parse_u64(s, strspn(s, "0123456789"), max, value_r);
}

bool libxl__vscsi_lio_parse_place(const char *info,
                                  libxl_vscsi_hctl *hctl_r)
{
    const char *place = strstr(info, "Bus Location: ");
    uint64_t hst, chn, tgt, lun;

    if (!place ||
        !read_labelled(place, "Channel ID: ", UINT32_MAX, &chn) ||
        !read_labelled(place, "Target ID: ", UINT32_MAX, &tgt) ||
        !read_labelled(place, "LUN: ", UINT64_MAX, &lun) ||
        !read_labelled(place, "Host ID: ", UINT32_MAX, &hst))
        return false;
    hctl_r->hst = (uint32_t)hst;
    hctl_r->chn = (uint32_t)chn;
    hctl_r->tgt = (uint32_t)tgt;
    hctl_r->lun = lun;
    return true;
}

bool libxl__vscsi_lio_parse_devnum(const char *info, uint64_t *major_r,
                                   uint64_t *minor_r)
{
    const char *tail = strstr(info, "Major: ");

    return tail && read_labelled(tail, "Major: ", UINT32_MAX, major_r) &&
           read_labelled(tail, "Minor: ", UINT32_MAX, minor_r);
}

/* What a pscsi backstore says of its place; others say nothing.  To pscsi
 * the node is only a name, unless it is a disk's, and may be an old one. */
static bool read_place(const char *path, libxl_vscsi_hctl *hctl_r)
{
    char *info = libxl__vscsi_cfs_read("%s/info", path);
    bool tells = info && libxl__vscsi_lio_parse_place(info, hctl_r);

    free(info);
    return tells;
}

static bool is_enabled(const char *path)
{
    char *enable = libxl__vscsi_cfs_read("%s/enable", path);
    bool enabled = enable && !strcmp(enable, "1");

    free(enable);
    return enabled;
}

bool libxl__vscsi_lio_is_backstore_of(const char *path,
                                      const libxl_vscsi_hctl *hctl)
{
    libxl_vscsi_hctl place;

    return read_place(path, &place) &&
           libxl__vscsi_hctl_equal(&place, hctl) && is_enabled(path);
}

/* ----- targets ----- */

/*
 * The TPG of a target that its WWN reaches, which is the oldest; *several_r
 * tells of others.  NULL if there is none.
 */
static char *oldest_tpg(libxl__vscsi_ctx *vc, const char *wwn,
                        bool *several_r)
{
    libxl__vscsi_names tpgs;
    char *path = NULL;

    libxl__vscsi_cfs_list(&tpgs, TPG_PREFIX, false, "%s/" LIO_FABRIC "/%s",
                          vc->lio_root, wwn);
    if (tpgs.num)
        path = libxl__vscsi_sprintf("%s/" LIO_FABRIC "/%s/%s", vc->lio_root,
                                    wwn, tpgs.list[tpgs.num - 1]);
    *several_r = tpgs.num > 1;
    libxl__vscsi_names_dispose(&tpgs);
    return path;
}

static bool has_nexus(const char *tpg)
{
    char *nexus = libxl__vscsi_cfs_read("%s/nexus", tpg);
    bool ok = nexus && nexus[0];

    free(nexus);
    return ok;
}

static bool is_ours(const char *wwn, const char *tpg)
{
    char *alias = libxl__vscsi_cfs_read("%s/param/alias", tpg);
    libxl_vscsi_hctl hctl;
    bool ours;

    ours = alias && libxl__vscsi_ours_parse_target(wwn, alias, &hctl);
    free(alias);
    return ours;
}

/* The backstore that a LUN is linked to, as a path through the link. */
static char *linked_backstore(const char *tpg, const char *lun)
{
    libxl__vscsi_names links;
    char *path = NULL;

    libxl__vscsi_cfs_list(&links, "", true, "%s/lun/%s", tpg, lun);
    if (links.num)
        path = libxl__vscsi_sprintf("%s/lun/%s/%s", tpg, lun, links.list[0]);
    libxl__vscsi_names_dispose(&links);
    return path;
}

static int refuse_wwn(libxl__vscsi_ctx *vc, const char *target,
                      uint64_t lun, const char *tpg, bool several)
{
    if (!tpg)
        libxl__vscsi_error(vc, "dom0 has no LIO target " LIO_FABRIC "/%s "
                           "with a TPG", target);
    else if (!has_nexus(tpg))
        libxl__vscsi_error(vc, "LIO target %s has no nexus (write the name "
                           "of one to %s/nexus)", target, tpg);
    else
        libxl__vscsi_error(vc, "LIO target %s has no LUN %" PRIu64 "%s",
                           target, lun, several ?
                           " in its oldest TPG, which is the only one that "
                           "the backend driver finds by this name" : "");
    return ERROR_NOTFOUND;
}

/* *name_r stays NULL where the backstore, by a link to it, tells none. */
static int name_device(libxl__vscsi_ctx *vc, char *link, char **name_r)
{
    libxl__vscsi_backstore store = { .path = link };
    char place[LIBXL__VSCSI_HCTL_SIZE], *name;
    int rc;

    rc = libxl__vscsi_lio_read_backstore(vc, &store);
    if (rc)
        return rc;
    if (store.has_hctl) {
        libxl__vscsi_hctl_format(&store.hctl, place);
        name = strdup(place);
    } else {
        name = libxl__vscsi_cfs_read("%s/udev_path", link);
    }
    if (name && !name[0]) {
        free(name);
        name = NULL;
    }
    *name_r = name;
    return 0;
}

/* "iblock_0/vol1", from a link to it. */
static char *name_of_backstore(const char *link)
{
    char to[PATH_MAX], *s;
    ssize_t len = readlink(link, to, sizeof(to) - 1);

    if (len < 0)
        return NULL;
    to[len] = '\0';
    for (s = strrchr(to, '/'); s && s > to && s[-1] != '/'; s--)
        ;
    return s && s > to ? strdup(s) : NULL;
}

int libxl__vscsi_lio_resolve(libxl__vscsi_ctx *vc, const char *wwn,
                             char **backstore_r, char **name_r)
{
    char target[LIBXL__VSCSI_HCTL_SIZE], lun_name[32];
    char *tpg = NULL, *backstore = NULL;
    bool several = false;
    uint64_t lun;
    size_t len;
    int rc;

    if (!libxl__vscsi_wwn_parse(wwn, &len, &lun)) {
        libxl__vscsi_error(vc, "'%s' is not naa.WWN:LUN", wwn);
        return ERROR_INVAL;
    }
    snprintf(target, sizeof(target), "%.*s", (int)len, wwn);
    snprintf(lun_name, sizeof(lun_name), LUN_PREFIX "%" PRIu64, lun);

    tpg = oldest_tpg(vc, target, &several);
    if (tpg && is_ours(target, tpg)) {
        libxl__vscsi_error(vc, "this LIO target was made for another attach; "
                           "name the SCSI device itself");
        rc = ERROR_INVAL;
        goto out;
    }
    if (tpg && has_nexus(tpg))
        backstore = linked_backstore(tpg, lun_name);
    if (!backstore) {
        rc = refuse_wwn(vc, target, lun, tpg, several);
        goto out;
    }
    *backstore_r = name_of_backstore(backstore);
    if (!*backstore_r) {
        libxl__vscsi_error(vc, "cannot look at %s: %s", backstore,
                           strerror(errno));
        rc = ERROR_FAIL;
        goto out;
    }
    rc = name_device(vc, backstore, name_r);
    if (rc) {
        free(*backstore_r);
        *backstore_r = NULL;
    }
out:
    free(tpg);
    free(backstore);
    return rc;
}

/* The backstore that has the unit, if one has; by its id, if that is not
 * NULL. */
static const libxl__vscsi_backstore *
find_store(libxl__vscsi_ctx *vc, const libxl__vscsi_backstore *stores,
           unsigned num, const libxl__vscsi_unit *unit, const char *id)
{
    unsigned i;

    for (i = 0; i < num; i++)
        if (stores[i].has_hctl &&
            libxl__vscsi_unit_is_at(unit, &stores[i].hctl) &&
            (!id || !strcmp(id, libxl__vscsi_backstore_id(vc, &stores[i]))))
            return &stores[i];
    return NULL;
}

/* The LUN of a TPG that is the unit; NULL: it has none. */
static const libxl__vscsi_backstore *
find_lun(libxl__vscsi_ctx *vc, const libxl__vscsi_backstore *stores,
         unsigned num, const libxl__vscsi_unit *unit, const char *tpg,
         uint64_t *lun_r)
{
    const libxl__vscsi_backstore *store = NULL;
    libxl__vscsi_names luns;
    char *link, *id;
    unsigned i;

    libxl__vscsi_cfs_list(&luns, LUN_PREFIX, false, "%s/lun", tpg);
    for (i = 0; i < luns.num && !store; i++) {
        link = linked_backstore(tpg, luns.list[i]);
        id = link ? name_of_backstore(link) : NULL;
        if (id && libxl__vscsi_lio_parse_lun(luns.list[i], lun_r))
            store = find_store(vc, stores, num, unit, id);
        free(link);
        free(id);
    }
    libxl__vscsi_names_dispose(&luns);
    return store;
}

int libxl__vscsi_lio_find_foreign(libxl__vscsi_ctx *vc,
                                  const libxl__vscsi_backstore *stores,
                                  unsigned num,
                                  const libxl__vscsi_unit *unit,
                                  char **wwn_r,
                                  const libxl__vscsi_backstore **store_r)
{
    const libxl__vscsi_backstore *store = NULL;
    libxl__vscsi_names targets = { NULL, 0 };
    char *tpg, *wwn = NULL;
    uint64_t lun;
    bool several;
    unsigned i;

    /* Mostly none has it, and then no LUN needs to be looked at. */
    if (find_store(vc, stores, num, unit, NULL))
        libxl__vscsi_cfs_list(&targets, "naa.", false, "%s/" LIO_FABRIC,
                              vc->lio_root);
    for (i = 0; i < targets.num && !store; i++) {
        const char *target = targets.list[i];

        tpg = oldest_tpg(vc, target, &several);
        if (tpg && !is_ours(target, tpg) && has_nexus(tpg))
            store = find_lun(vc, stores, num, unit, tpg, &lun);
        free(tpg);
        if (!store)
            continue;
        wwn = libxl__vscsi_sprintf("%s:%" PRIu64, target, lun);
        if (!wwn || (libxl__vscsi_wwn_parse(wwn, NULL, NULL) &&
                     strlen(wwn) <= LIBXL__VSCSI_PDEV_MAX))
            break;
        free(wwn);              /* the backend would not find it */
        wwn = NULL;
        store = NULL;
    }
    libxl__vscsi_names_dispose(&targets);
    if (store && !wwn)
        return libxl__vscsi_out_of_memory(vc);
    if (wwn)
        libxl__vscsi_log(vc, XTL_DETAIL, "using the existing LIO target %s",
                         wwn);
    *wwn_r = wwn;
    *store_r = store;
    return 0;
}
