/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices and exports that are not there; see fakehost.h. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakehost.h"
#include "libxl_vscsi_lio.h"
#include "libxl_vscsi_inuse.h"

#define FAKE_HOST 3
#define FAKE_MAX 31
#define SET_SIZE 2048

struct set {
    char names[SET_SIZE][LIBXL__VSCSI_HCTL_SIZE];
    unsigned num;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct set held, broken, replaced, targets, stuck, exported, gone;
static char owners[SET_SIZE][LIBXL__VSCSI_HCTL_SIZE];   /* of exported */
static const char *target_device, *target_backstore;
static libxl__vscsi_ref backends[8];
static unsigned num_backends;
static struct {
    char name[LIBXL__VSCSI_HCTL_SIZE];
    libxl__vscsi_limits limits;
} limited[8];
static unsigned num_limited;

static unsigned find(const struct set *set, const char *name)
{
    unsigned i;

    for (i = 0; i < set->num; i++)
        if (!strcmp(set->names[i], name))
            break;
    return i;
}

static bool has(const struct set *set, const char *name)
{
    bool found;

    pthread_mutex_lock(&lock);
    found = find(set, name) < set->num;
    pthread_mutex_unlock(&lock);
    return found;
}

static void put(struct set *set, const char *name)
{
    pthread_mutex_lock(&lock);
    if (find(set, name) == set->num && set->num < SET_SIZE)
        snprintf(set->names[set->num++], sizeof(set->names[0]), "%s", name);
    pthread_mutex_unlock(&lock);
}

static void take_out(struct set *set, const char *name)
{
    unsigned i;

    pthread_mutex_lock(&lock);
    i = find(set, name);
    if (i < set->num && i != --set->num) {
        memcpy(set->names[i], set->names[set->num], sizeof(set->names[0]));
        if (set == &exported)
            memcpy(owners[i], owners[set->num], sizeof(owners[0]));
    }
    pthread_mutex_unlock(&lock);
}

void fakehost_reset(void)
{
    num_backends = num_limited = 0;
    held.num = broken.num = replaced.num = targets.num = stuck.num = 0;
    exported.num = gone.num = 0;
    target_device = target_backstore = NULL;
}

void fakehost_unplug(const char *hctl) { put(&gone, hctl); }
void fakehost_plug(const char *hctl) { take_out(&gone, hctl); }

void fakehost_add_backend(uint32_t domid, int devid)
{
    backends[num_backends].domid = domid;
    backends[num_backends++].devid = devid;
}

void fakehost_remove_backends(void) { num_backends = 0; }

static unsigned find_limited(const char *hctl)
{
    unsigned i;

    for (i = 0; i < num_limited; i++)
        if (!strcmp(limited[i].name, hctl))
            break;
    return i;
}

void fakehost_set_limits(const char *hctl, uint32_t max_sectors_kb,
                         uint32_t max_segments)
{
    unsigned i = find_limited(hctl);

    if (i == num_limited)
        num_limited++;
    snprintf(limited[i].name, sizeof(limited[i].name), "%s", hctl);
    limited[i].limits.max_sectors_kb = max_sectors_kb;
    limited[i].limits.max_segments = max_segments;
}

void fakehost_hold(const char *hctl) { put(&held, hctl); }
void fakehost_break_export(const char *hctl) { put(&broken, hctl); }
void fakehost_replace(const char *hctl) { put(&replaced, hctl); }
void fakehost_stick(const char *hctl) { put(&stuck, hctl); }
void fakehost_unstick(const char *hctl) { take_out(&stuck, hctl); }
void fakehost_add_target(const char *wwn) { put(&targets, wwn); }
void fakehost_set_target_device(const char *name) { target_device = name; }
void fakehost_set_backstore(const char *name) { target_backstore = name; }

unsigned fakehost_num_exported(void) { return exported.num; }
bool fakehost_is_exported(const char *hctl) { return has(&exported, hctl); }

/* ----- libxl_vscsi_unit.c, _again.c, _name.c ----- */

void libxl__vscsi_unit_dispose(libxl__vscsi_unit *unit)
{
    libxl__vscsi_identity_dispose(&unit->id);
    if (unit->num_paths) {
        free(unit->paths[0].node);
        free(unit->paths[0].lio_node);
    }
    free(unit->paths);
    memset(unit, 0, sizeof(*unit));
}

bool libxl__vscsi_unit_is_at(const libxl__vscsi_unit *unit,
                             const libxl_vscsi_hctl *hctl)
{
    return libxl__vscsi_hctl_equal(&unit->id.hctl, hctl);
}

void libxl__vscsi_dom0_dispose(libxl__vscsi_dom0 *dom0)
{
    (void)dom0;
}

/* "/dev/fake-TARGET-LUN" */
static bool parse_node(const char *name, libxl_vscsi_hctl *hctl_r)
{
    static const char prefix[] = "/dev/fake-";
    const char *s = name + sizeof(prefix) - 1;
    uint64_t tgt, lun;
    size_t len;

    if (strncmp(name, prefix, sizeof(prefix) - 1))
        return false;
    len = strcspn(s, "-");
    if (!s[len] ||
        !libxl__vscsi_parse_u64(s, len, FAKE_MAX, &tgt) ||
        !libxl__vscsi_parse_u64(s + len + 1, strlen(s + len + 1), FAKE_MAX,
                                &lun))
        return false;
    *hctl_r = (libxl_vscsi_hctl){ FAKE_HOST, 0, (uint32_t)tgt, lun };
    return true;
}

int libxl__vscsi_name_hctl(libxl__vscsi_ctx *vc, const char *name,
                           libxl_vscsi_hctl *hctl_r, char **reason_r)
{
    (void)vc;
    if (parse_node(name, hctl_r) || libxl__vscsi_hctl_parse(name, hctl_r))
        return 0;
    *reason_r = libxl__vscsi_sprintf("there is no %s", name);
    return ERROR_NOTFOUND;
}

static char *wwid_of(const libxl_vscsi_hctl *hctl)
{
    return libxl__vscsi_sprintf("naa.5000fa4e%04x%04x", hctl->tgt,
                                (unsigned)hctl->lun);
}

int libxl__vscsi_unit_at(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *hctl,
                         libxl__vscsi_unit *unit_r)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    (void)vc;
    libxl__vscsi_hctl_format(hctl, text);
    if (hctl->hst != FAKE_HOST || hctl->chn || hctl->tgt > FAKE_MAX ||
        hctl->lun > FAKE_MAX || has(&gone, text))
        return ERROR_NOTFOUND;
    unit_r->id.hctl = *hctl;
    unit_r->id.has_hctl = true;
    unit_r->id.wwid = wwid_of(hctl);
    unit_r->id.serial = libxl__vscsi_sprintf("fake-%u-%u", hctl->tgt,
                                             (unsigned)hctl->lun);
    unit_r->id.vendor = strdup("FAKE");
    unit_r->id.model = strdup("DISK");
    unit_r->paths = calloc(1, sizeof(*unit_r->paths));
    if (!unit_r->paths)
        abort();
    unit_r->num_paths = 1;
    unit_r->paths[0].hctl = *hctl;
    unit_r->paths[0].running = true;
    unit_r->paths[0].node = libxl__vscsi_sprintf("/dev/%s",
                                                 unit_r->id.serial);
    unit_r->paths[0].lio_node = strdup(unit_r->paths[0].node);
    return 0;
}

void libxl__vscsi_path_dispose(libxl__vscsi_path *path)
{
    free(path->node);
}

bool libxl__vscsi_is_there(libxl__vscsi_ctx *vc,
                           const libxl__vscsi_identity *recorded,
                           libxl__vscsi_path *path_r)
{
    libxl__vscsi_unit unit = { .num_paths = 0 };

    if (libxl__vscsi_unit_at(vc, &recorded->hctl, &unit))
        return false;
    path_r->node = strdup(unit.paths[0].node);
    libxl__vscsi_unit_dispose(&unit);
    return true;
}

int libxl__vscsi_unit_look(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           const char *name, libxl__vscsi_unit *unit_r,
                           char **reason_r)
{
    libxl_vscsi_hctl hctl;
    int rc = libxl__vscsi_name_hctl(vc, name, &hctl, reason_r);

    (void)dom0;
    if (rc)
        return rc;
    rc = libxl__vscsi_unit_at(vc, &hctl, unit_r);
    if (rc)
        *reason_r = libxl__vscsi_sprintf("there is no %s", name);
    return rc;
}

int libxl__vscsi_unit_find(libxl__vscsi_ctx *vc, libxl__vscsi_dom0 *dom0,
                           const char *name, libxl__vscsi_unit *unit_r)
{
    char *reason = NULL;
    int rc = libxl__vscsi_unit_look(vc, dom0, name, unit_r, &reason);

    if (rc)
        libxl__vscsi_error(vc, "%s", reason);
    free(reason);
    return rc;
}

int libxl__vscsi_unit_find_again(libxl__vscsi_ctx *vc,
                                 libxl__vscsi_dom0 *dom0,
                                 const libxl_vscsi_pdev *pdev,
                                 libxl__vscsi_unit *unit_r)
{
    libxl_vscsi_hctl hctl = { .hst = FAKE_HOST };
    char *wwid;
    bool found;

    (void)dom0;
    for (hctl.tgt = 0; hctl.tgt <= FAKE_MAX; hctl.tgt++) {
        for (hctl.lun = 0; hctl.lun <= FAKE_MAX; hctl.lun++) {
            wwid = wwid_of(&hctl);
            found = pdev->wwid && !strcmp(pdev->wwid, wwid);
            free(wwid);
            if (found && !libxl__vscsi_unit_at(vc, &hctl, unit_r))
                return 0;
        }
    }
    libxl__vscsi_error(vc, "dom0 has no device %s any more", pdev->wwid);
    return ERROR_NOTFOUND;
}

int libxl__vscsi_unit_verify(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_unit *unit)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(&unit->id.hctl, text);
    if (!has(&replaced, text))
        return 0;
    libxl__vscsi_error(vc, "another device has just come to %s", text);
    return ERROR_NOTFOUND;
}

/* ----- libxl_vscsi_inuse.c, _limits.c, _bus.c ----- */

void libxl__vscsi_known_dispose(libxl__vscsi_known *known)
{
    libxl__vscsi_dom0_dispose(&known->dom0);
}

/* dom0 holds what it holds, shared or not. */
int libxl__vscsi_check_inuse(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                             const libxl__vscsi_unit *unit, bool shared,
                             const char *target)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    (void)known, (void)shared, (void)target;
    if (!unit->num_paths)
        return 0;
    libxl__vscsi_hctl_format(&unit->id.hctl, text);
    if (!has(&held, text))
        return 0;
    libxl__vscsi_error(vc, "it is mounted on /srv (unmount it first)");
    return ERROR_DEVICE_EXISTS;
}

int libxl__vscsi_find_target(libxl__vscsi_ctx *vc, libxl__vscsi_known *known,
                             const libxl__vscsi_unit *unit,
                             char **wwn_r, char **target_r)
{
    (void)vc, (void)known, (void)unit;
    *wwn_r = *target_r = NULL;
    return 0;
}

/* Of each target, there are only the LUNs 0 to 3. */
int libxl__vscsi_below(libxl__vscsi_ctx *vc,
                       const libxl__vscsi_pattern *pattern,
                       libxl_vscsi_hctl **hctls_r, unsigned *num_r)
{
    libxl_vscsi_hctl hctl = { .hst = FAKE_HOST };
    unsigned num = 0;

    (void)vc;
    *hctls_r = calloc((size_t)4 * (FAKE_MAX + 1), sizeof(**hctls_r));
    if (!*hctls_r)
        return ERROR_NOMEM;
    for (hctl.tgt = 0; hctl.tgt <= FAKE_MAX; hctl.tgt++)
        for (hctl.lun = 0; hctl.lun < 4; hctl.lun++)
            if (libxl__vscsi_pattern_fits(pattern, &hctl))
                (*hctls_r)[num++] = hctl;
    *num_r = num;
    return 0;
}

bool libxl__vscsi_path_limits(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_path *path,
                              libxl__vscsi_limits *limits_r)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    unsigned i;

    (void)vc;
    libxl__vscsi_hctl_format(&path->hctl, text);
    limits_r->max_sectors_kb = 32767;
    limits_r->max_segments = 254;
    i = find_limited(text);
    if (i < num_limited)
        *limits_r = limited[i].limits;
    return true;
}

int libxl__vscsi_host_backends(libxl__vscsi_ctx *vc,
                               libxl__vscsi_ref **refs_r,
                               unsigned *num_r)
{
    (void)vc;
    *refs_r = calloc(num_backends + 1, sizeof(**refs_r));
    if (!*refs_r)
        return ERROR_NOMEM;
    memcpy(*refs_r, backends, num_backends * sizeof(**refs_r));
    *num_r = num_backends;
    return 0;
}

bool libxl__vscsi_unit_limits(libxl__vscsi_ctx *vc,
                              const libxl__vscsi_unit *unit,
                              libxl__vscsi_limits *limits_r)
{
    if (unit->num_paths)
        return libxl__vscsi_path_limits(vc, &unit->paths[0], limits_r);
    limits_r->max_sectors_kb = limits_r->max_segments = UINT32_MAX;
    return true;
}

char *libxl__vscsi_medium_node(libxl__vscsi_ctx *vc,
                               const libxl_vscsi_hctl *hctl)
{
    (void)vc, (void)hctl;
    return NULL;
}

int libxl__vscsi_free_medium(const char *node)
{
    (void)node;
    return 0;
}

/* ----- libxl_vscsi_lio.c ----- */

int libxl__vscsi_lio_probe(libxl__vscsi_ctx *vc, bool *uses_lio_r)
{
    (void)vc;
    *uses_lio_r = true;
    return 0;
}

int libxl__vscsi_lio_resolve(libxl__vscsi_ctx *vc, const char *wwn,
                             char **backstore_r, char **name_r)
{
    if (!has(&targets, wwn)) {
        libxl__vscsi_error(vc, "there is no LIO target %s", wwn);
        return ERROR_NOTFOUND;
    }
    *backstore_r = target_backstore
                   ? strdup(target_backstore)
                   : libxl__vscsi_sprintf("iblock_0/of-%s", wwn);
    *name_r = target_device ? strdup(target_device) : NULL;
    return 0;
}

int libxl__vscsi_lio_export(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_unit *unit,
                            const char *owner)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    unsigned i;

    libxl__vscsi_hctl_format(&unit->id.hctl, text);
    if (has(&broken, text)) {
        libxl__vscsi_error(vc, "LIO says no");
        return ERROR_FAIL;
    }
    put(&exported, text);
    pthread_mutex_lock(&lock);
    i = find(&exported, text);
    snprintf(owners[i], sizeof(owners[i]), "%s", owner);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* As if its address were the target's alias. */
bool libxl__vscsi_lio_p_dev(const libxl_vscsi_hctl *hctl,
                            libxl__vscsi_p_dev p_dev_r)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(hctl, text);
    if (strlen(text) > LIBXL__VSCSI_PDEV_MAX)
        return false;
    memcpy(p_dev_r, text, strlen(text) + 1);
    return true;
}

bool libxl__vscsi_lio_is_exported(libxl__vscsi_ctx *vc,
                                  const libxl_vscsi_hctl *hctl)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    (void)vc;
    libxl__vscsi_hctl_format(hctl, text);
    return has(&exported, text);
}

int libxl__vscsi_lio_release(libxl__vscsi_ctx *vc,
                             const libxl_vscsi_hctl *hctls, unsigned num)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    unsigned i;

    (void)vc;
    for (i = 0; i < num; i++) {
        libxl__vscsi_hctl_format(&hctls[i], text);
        take_out(&exported, text);
    }
    return 0;
}

int libxl__vscsi_lio_let_go(libxl__vscsi_ctx *vc, libxl_vscsi_hctl *hctls,
                            unsigned *num, uint64_t end_ms,
                            xentoollog_level level, int *host_lock)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    unsigned i;
    int rc = 0;

    (void)host_lock;
    for (i = 0; i < *num; i++) {
        libxl__vscsi_hctl_format(&hctls[i], text);
        if (!has(&stuck, text)) {
            take_out(&exported, text);
            continue;
        }
        libxl__vscsi_log(vc, level, "dom0's kernel is still letting go of "
                         "%s", text);
        rc = ERROR_NOT_READY;
    }
    (void)end_ms;
    *num = 0;
    return rc;
}

void libxl__vscsi_lio_say_leaving(libxl__vscsi_ctx *vc,
                                  xentoollog_level level,
                                  const libxl_vscsi_hctl *hctl)
{
    (void)vc, (void)level, (void)hctl;
}

void libxl__vscsi_lio_tidy(libxl__vscsi_ctx *vc) { (void)vc; }

/* _leftovers() below has said all. */
int libxl__vscsi_lio_look_at(libxl__vscsi_ctx *vc, libxl__vscsi_leftover *l)
{
    (void)vc, (void)l;
    return 0;
}

int libxl__vscsi_lio_leftovers(libxl__vscsi_ctx *vc,
                               const libxl_vscsi_hctl *used, unsigned num,
                               libxl__vscsi_leftover **list_r,
                               unsigned *num_r)
{
    libxl__vscsi_leftover *list;
    unsigned i, found = 0;

    (void)vc;
    pthread_mutex_lock(&lock);
    list = calloc(exported.num + 1, sizeof(*list));
    for (i = 0; list && i < exported.num; i++) {
        libxl__vscsi_leftover l = { .has_lun = true };

        libxl__vscsi_hctl_parse(exported.names[i], &l.hctl);
        l.has_owner = libxl__vscsi_parse_backend(owners[i], &l.owner);
        if (!libxl__vscsi_hctl_among(used, num, &l.hctl))
            list[found++] = l;
    }
    pthread_mutex_unlock(&lock);
    *list_r = list;
    *num_r = found;
    return list ? 0 : ERROR_NOMEM;
}
