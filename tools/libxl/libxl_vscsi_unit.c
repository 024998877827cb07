/* SPDX-License-Identifier: LGPL-2.1-only */
/* Which devices of dom0 are one unit, and which unit a name means. */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_unit.h"

int libxl__vscsi_end_look(libxl__vscsi_ctx *vc, int rc, char *reason)
{
    if (rc)
        libxl__vscsi_error(vc, "%s", reason ? reason : "out of memory");
    free(reason);
    return rc;
}

void libxl__vscsi_unit_dispose(libxl__vscsi_unit *unit)
{
    unsigned i;

    libxl__vscsi_identity_dispose(&unit->id);
    for (i = 0; i < unit->num_paths; i++)
        libxl__vscsi_path_dispose(&unit->paths[i]);
    free(unit->paths);
    memset(unit, 0, sizeof(*unit));
}

void libxl__vscsi_units_free(libxl__vscsi_unit *units, unsigned num)
{
    unsigned i;

    for (i = 0; i < num; i++)
        libxl__vscsi_unit_dispose(&units[i]);
    free(units);
}

bool libxl__vscsi_unit_is_at(const libxl__vscsi_unit *unit,
                             const libxl_vscsi_hctl *hctl)
{
    unsigned i;

    for (i = 0; i < unit->num_paths; i++)
        if (libxl__vscsi_hctl_equal(&unit->paths[i].hctl, hctl))
            return true;
    return false;
}

/* ----- devices that are one ----- */

static bool is_same(const char *a, const char *b)
{
    return a[0] && !strcmp(a, b);
}

/* False where it went meanwhile. */
static int describe(libxl__vscsi_ctx *vc, libxl__vscsi_seen *seen,
                    bool *there_r, char **reason_r)
{
    int rc = libxl__vscsi_dom0_describe(vc, seen, reason_r);

    *there_r = !rc;
    if (rc != ERROR_NOTFOUND)
        return rc;
    free(*reason_r);
    *reason_r = NULL;
    return 0;
}

int libxl__vscsi_may_match(libxl__vscsi_ctx *vc,
                           const libxl__vscsi_identity *id,
                           libxl__vscsi_seen *seen, bool *may_r,
                           char **reason_r)
{
    bool there;
    int rc;

    *may_r = false;
    if (id->wwid[0] && seen->id.wwid[0] && strcmp(id->wwid, seen->id.wwid))
        return 0;
    rc = describe(vc, seen, &there, reason_r);
    *may_r = !rc && there && (is_same(id->wwid, seen->id.wwid) ||
                              is_same(id->serial, seen->id.serial));
    return rc;
}

/* A path whose target has another LUN of just that number is no path to
 * this unit: all of a library have one WWID there. */
static int has_double(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                      const libxl__vscsi_identity *id,
                      const libxl__vscsi_identity *other, bool *double_r,
                      char **reason_r)
{
    libxl_vscsi_hctl hctl = other->hctl;
    libxl__vscsi_seen *third;
    bool there = false;
    int rc;

    *double_r = false;
    hctl.lun = id->hctl.lun;
    third = libxl__vscsi_device_at(dom0, &hctl);
    if (id->hctl.lun == other->hctl.lun || !third ||
        strcmp(third->id.wwid, other->wwid))
        return 0;
    rc = describe(vc, third, &there, reason_r);
    *double_r = !rc && there && !strcmp(third->id.serial, other->serial);
    return rc;
}

/* Is it another path to of? */
static int is_path(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                   const libxl__vscsi_seen *of, libxl__vscsi_seen *other,
                   bool *path_r, char **reason_r)
{
    bool is_double = false;
    int rc;

    rc = libxl__vscsi_may_match(vc, &of->id, other, path_r, reason_r);
    *path_r = *path_r && libxl__vscsi_same_unit(&of->id, &other->id);
    if (!rc && *path_r)
        rc = has_double(vc, dom0, &of->id, &other->id, &is_double, reason_r);
    *path_r = *path_r && !is_double;
    return rc;
}

static int add_path(libxl__vscsi_ctx *vc, libxl__vscsi_unit *unit,
                    const libxl_vscsi_hctl *hctl, char **reason_r)
{
    libxl__vscsi_path *paths;
    int rc;

    paths = reallocarray(unit->paths, unit->num_paths + 1, sizeof(*paths));
    if (!paths)
        return libxl__vscsi_no_memory(reason_r);
    unit->paths = paths;
    memset(&paths[unit->num_paths], 0, sizeof(*paths));
    paths[unit->num_paths].hctl = *hctl;
    rc = libxl__vscsi_read_path(vc, unit->id.type,
                                &paths[unit->num_paths], reason_r);
    if (!rc)
        unit->num_paths++;
    else
        libxl__vscsi_path_dispose(&paths[unit->num_paths]);
    return rc;
}

/* Running ones first, of those the preferred one, then by address. */
static void put_first(libxl__vscsi_unit *unit,
                      const libxl_vscsi_hctl *preferred)
{
    libxl__vscsi_path *paths = unit->paths, first;
    unsigned i, best = 0;

    for (i = 1; i < unit->num_paths; i++) {
        bool better = preferred &&
                      libxl__vscsi_hctl_equal(&paths[i].hctl, preferred);

        if (paths[i].running > paths[best].running ||
            (paths[i].running == paths[best].running && better))
            best = i;
    }
    first = paths[best];
    memmove(&paths[1], &paths[0], best * sizeof(*paths));
    paths[0] = first;
    unit->id.hctl = first.hctl;
}

static int copy_identity(libxl__vscsi_identity *to,
                         const libxl__vscsi_identity *from)
{
    *to = *from;
    to->wwid = strdup(from->wwid);
    to->serial = strdup(from->serial);
    to->vendor = strdup(from->vendor);
    to->model = strdup(from->model);
    return to->wwid && to->serial && to->vendor && to->model ? 0
                                                             : ERROR_NOMEM;
}

int libxl__vscsi_build_unit(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                            libxl__vscsi_seen *of,
                            const libxl_vscsi_hctl *preferred,
                            libxl__vscsi_unit *unit, char **reason_r)
{
    unsigned i;
    bool same;
    int rc;

    rc = libxl__vscsi_dom0_describe(vc, of, reason_r);
    if (!rc && copy_identity(&unit->id, &of->id))
        rc = libxl__vscsi_no_memory(reason_r);
    for (i = 0; !rc && i < dom0->num; i++) {
        libxl__vscsi_seen *other = &dom0->seen[i];

        same = other == of;
        if (!same)
            rc = is_path(vc, dom0, of, other, &same, reason_r);
        if (rc || !same)
            continue;
        other->listed = true;
        rc = add_path(vc, unit, &other->id.hctl, reason_r);
        if (rc == ERROR_NOTFOUND && other != of) {
            free(*reason_r);
            *reason_r = NULL;
            rc = 0;
        }
    }
    if (!rc)
        put_first(unit, preferred);
    return rc;
}

libxl__vscsi_seen *libxl__vscsi_device_at(const libxl__vscsi_dom0 *dom0,
                                          const libxl_vscsi_hctl *hctl)
{
    unsigned i;

    for (i = 0; i < dom0->num; i++)
        if (libxl__vscsi_hctl_equal(&dom0->seen[i].id.hctl, hctl))
            return &dom0->seen[i];
    return NULL;
}

int libxl__vscsi_check_running(libxl__vscsi_ctx *vc,
                               const libxl__vscsi_unit *unit,
                               char **reason_r)
{
    const libxl__vscsi_path *path = &unit->paths[0];
    char place[LIBXL__VSCSI_HCTL_SIZE];

    if (path->running)
        return 0;
    libxl__vscsi_hctl_format(&path->hctl, place);
    if (!strcmp(path->state, "cancel") || !strcmp(path->state, "deleted"))
        return libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND,
                                   "dom0 is just removing it");
    return libxl__vscsi_refuse(reason_r, ERROR_NOTFOUND, "dom0 has set it "
        "offline (\"echo running > %s/bus/scsi/devices/%s/state\" may bring "
        "it back)", vc->sysfs, place);
}

/* ----- by name ----- */

int libxl__vscsi_unit_look(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           const char *name, libxl__vscsi_unit *unit_r,
                           char **reason_r)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };
    libxl__vscsi_seen *of = NULL;
    libxl_vscsi_hctl hctl;
    int rc;

    rc = libxl__vscsi_name_hctl(vc, name, &hctl, reason_r);
    if (!rc)
        rc = libxl__vscsi_dom0_read(vc, dom0, reason_r);
    if (!rc) {
        of = libxl__vscsi_device_at(dom0, &hctl);
        if (!of)
            return libxl__vscsi_no_device(&hctl, reason_r);
        rc = libxl__vscsi_build_unit(vc, dom0, of, &hctl, &unit, reason_r);
    }
    if (!rc)
        rc = libxl__vscsi_check_running(vc, &unit, reason_r);
    if (rc)
        libxl__vscsi_unit_dispose(&unit);
    else
        *unit_r = unit;
    return rc;
}

int libxl__vscsi_unit_find(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           const char *name, libxl__vscsi_unit *unit_r)
{
    char place[LIBXL__VSCSI_HCTL_SIZE], *reason = NULL, *text;
    int rc;

    rc = libxl__vscsi_unit_look(vc, dom0, name, unit_r, &reason);
    if (rc)
        return libxl__vscsi_end_look(vc, rc, reason);
    libxl__vscsi_hctl_format(&unit_r->id.hctl, place);
    text = libxl__vscsi_identity_text(&unit_r->id);
    libxl__vscsi_log(vc, XTL_DETAIL, "%s is %s, %s %s, of %u paths", name,
                     place, libxl__vscsi_type_name(unit_r->id.type),
                     text ? text : "", unit_r->num_paths);
    free(text);
    return 0;
}

int libxl__vscsi_unit_at(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl,
                         libxl__vscsi_unit *unit_r)
{
    libxl__vscsi_unit unit = { .id = { .hctl = *hctl, .has_hctl = true } };
    char *reason = NULL;
    int rc;

    rc = libxl__vscsi_read_identity(vc, &unit.id, &reason);
    if (!rc)
        rc = add_path(vc, &unit, hctl, &reason);
    free(reason);
    if (rc)
        libxl__vscsi_unit_dispose(&unit);
    else
        *unit_r = unit;
    return rc;
}

int libxl__vscsi_unit_verify(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_unit *unit)
{
    libxl__vscsi_identity now = { .hctl = unit->id.hctl };
    char place[LIBXL__VSCSI_HCTL_SIZE], *reason = NULL, *text;
    int rc;

    rc = libxl__vscsi_read_identity(vc, &now, &reason);
    if (!rc && (!libxl__vscsi_agrees(&unit->id, &now) ||
                !libxl__vscsi_agrees(&now, &unit->id))) {
        libxl__vscsi_hctl_format(&unit->id.hctl, place);
        text = libxl__vscsi_identity_text(&now);
        rc = libxl__vscsi_refuse(&reason, ERROR_NOTFOUND, "another device "
                                 "has just come to %s: %s (look, and try "
                                 "again)", place, text ? text : "");
        free(text);
    }
    libxl__vscsi_identity_dispose(&now);
    return libxl__vscsi_end_look(vc, rc, reason);
}

/* ----- all of them ----- */

int libxl__vscsi_units(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                       libxl__vscsi_unit **units_r, unsigned *num_r)
{
    libxl__vscsi_unit *units = NULL;
    char *reason = NULL;
    unsigned i, num = 0;
    int rc;

    rc = libxl__vscsi_dom0_read(vc, dom0, &reason);
    if (!rc) {
        units = calloc(dom0->num + 1, sizeof(*units));
        rc = units ? 0 : libxl__vscsi_no_memory(&reason);
    }
    for (i = 0; !rc && i < dom0->num; i++)
        dom0->seen[i].listed = false;
    for (i = 0; !rc && i < dom0->num; i++) {
        if (dom0->seen[i].listed)
            continue;
        rc = libxl__vscsi_build_unit(vc, dom0, &dom0->seen[i], NULL,
                                     &units[num], &reason);
        if (rc == ERROR_NOTFOUND) {         /* it went meanwhile */
            libxl__vscsi_unit_dispose(&units[num]);
            free(reason);
            reason = NULL;
            rc = 0;
            continue;
        }
        num++;
    }
    if (rc) {
        libxl__vscsi_units_free(units, num);
        return libxl__vscsi_end_look(vc, rc, reason);
    }
    *units_r = units;
    *num_r = num;
    return 0;
}

/* ----- the best name ----- */

typedef struct best {
    const char *name;           /* NULL: none yet */
    size_t rank;
} best;

static void improve(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                    const char *node, best *b)
{
    size_t rank;
    const char *name = libxl__vscsi_best_link(vc, &dom0->links, node, &rank);

    if (name && (!b->name || rank < b->rank ||
                 (rank == b->rank && strcmp(name, b->name) < 0)))
        *b = (best){ name, rank };
}

char *libxl__vscsi_unit_name(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                             const libxl__vscsi_unit *unit)
{
    char place[LIBXL__VSCSI_HCTL_SIZE];
    best b = { .name = NULL };
    unsigned i;

    for (i = 0; i < unit->num_paths; i++) {
        if (unit->paths[i].node)
            improve(vc, dom0, unit->paths[i].node, &b);
        /* Only what has no better node has links to this one. */
        if (unit->paths[i].sg && !b.name)
            improve(vc, dom0, unit->paths[i].sg, &b);
    }
    if (b.name)
        return strdup(b.name);
    libxl__vscsi_hctl_format(&unit->id.hctl, place);
    return strdup(unit->paths[0].node ? unit->paths[0].node : place);
}
