/* SPDX-License-Identifier: LGPL-2.1-only */
/* Devices and exports that are not there; see fakehost.h. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakehost.h"
#include "libxl_vscsi_device.h"

#define FAKE_HOST 3
#define FAKE_MAX 31
#define SET_SIZE 2048

struct set {
    char names[SET_SIZE][LIBXL__VSCSI_HCTL_SIZE];
    unsigned num;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct set held, broken, targets, exported;
static const char *target_device;
static libxl__vscsi_vhost backends[8];
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
    if (i < set->num && i != --set->num)
        memcpy(set->names[i], set->names[set->num], sizeof(set->names[0]));
    pthread_mutex_unlock(&lock);
}

void fakehost_reset(void)
{
    num_backends = num_limited = 0;
    held.num = broken.num = targets.num = exported.num = 0;
    target_device = NULL;
}

void fakehost_add_backend(uint32_t domid, int devid)
{
    backends[num_backends].domid = domid;
    backends[num_backends++].devid = devid;
}

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
void fakehost_add_target(const char *wwn) { put(&targets, wwn); }
void fakehost_set_target_device(const char *name) { target_device = name; }
unsigned fakehost_num_exported(void) { return exported.num; }
bool fakehost_is_exported(const char *hctl) { return has(&exported, hctl); }

/* ----- libxl_vscsi_host.c ----- */

void libxl__vscsi_phys_init(libxl__vscsi_phys *phys)
{
    memset(phys, 0, sizeof(*phys));
}

void libxl__vscsi_phys_dispose(libxl__vscsi_phys *phys)
{
    free(phys->wwid);
    free(phys->vendor);
    free(phys->model);
    free(phys->node);
    free(phys->lio_node);
    memset(phys, 0, sizeof(*phys));
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

static bool find_phys(const char *name, libxl_vscsi_hctl *hctl_r)
{
    if (parse_node(name, hctl_r))
        return true;
    if (!libxl__vscsi_hctl_parse(name, hctl_r))
        return false;
    return hctl_r->hst == FAKE_HOST && !hctl_r->chn &&
           hctl_r->tgt <= FAKE_MAX && hctl_r->lun <= FAKE_MAX;
}

bool libxl__vscsi_host_peek(const char *name, libxl__vscsi_phys *phys_r)
{
    libxl_vscsi_hctl hctl;

    if (!find_phys(name, &hctl))
        return false;
    phys_r->hctl = hctl;
    phys_r->wwid = libxl__vscsi_sprintf("naa.fake-%u-%u", hctl.tgt,
                                        (unsigned)hctl.lun);
    phys_r->node = libxl__vscsi_sprintf("/dev/fake-%u-%u", hctl.tgt,
                                        (unsigned)hctl.lun);
    phys_r->lio_node = strdup(phys_r->node);
    phys_r->vendor = strdup("FAKE");
    phys_r->model = strdup("DISK");
    return true;
}

int libxl__vscsi_host_find(libxl__vscsi_ctx *vc, const char *name,
                           libxl__vscsi_phys *phys_r)
{
    if (libxl__vscsi_host_peek(name, phys_r))
        return 0;
    libxl__vscsi_error(vc, "there is no %s", name);
    return ERROR_NOTFOUND;
}

int libxl__vscsi_host_find_wwid(libxl__vscsi_ctx *vc, const char *wwid,
                                const libxl_vscsi_hctl *before,
                                libxl__vscsi_phys *phys_r)
{
    char *name = NULL;
    int rc = ERROR_NOTFOUND;

    (void)before;
    if (!strncmp(wwid, "naa.fake-", 9))
        name = libxl__vscsi_sprintf("/dev/%s", wwid + 4);
    if (name && libxl__vscsi_host_peek(name, phys_r))
        rc = 0;
    else
        libxl__vscsi_error(vc, "dom0 has no device %s any more", wwid);
    free(name);
    return rc;
}

int libxl__vscsi_host_check_free(libxl__vscsi_ctx *vc,
                                 const libxl__vscsi_phys *phys)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(&phys->hctl, text);
    if (!has(&held, text))
        return 0;
    libxl__vscsi_error(vc, "it is mounted on /srv (unmount it first)");
    return ERROR_DEVICE_EXISTS;
}

char *libxl__vscsi_host_wwid(libxl__vscsi_ctx *vc, const char *name)
{
    libxl__vscsi_phys phys;
    char *wwid = NULL;

    (void)vc;
    libxl__vscsi_phys_init(&phys);
    if (libxl__vscsi_host_peek(name, &phys))
        wwid = strdup(phys.wwid);
    libxl__vscsi_phys_dispose(&phys);
    return wwid;
}

bool libxl__vscsi_host_hctl(const char *node, libxl_vscsi_hctl *hctl_r)
{
    return find_phys(node, hctl_r);
}

int libxl__vscsi_host_backends(libxl__vscsi_ctx *vc,
                               libxl__vscsi_vhost **vhosts_r,
                               unsigned *num_r)
{
    (void)vc;
    *vhosts_r = calloc(num_backends + 1, sizeof(**vhosts_r));
    if (!*vhosts_r)
        return ERROR_NOMEM;
    memcpy(*vhosts_r, backends, num_backends * sizeof(**vhosts_r));
    *num_r = num_backends;
    return 0;
}

const char *libxl__vscsi_host_type_name(int type)
{
    (void)type;
    return "disk";
}

bool libxl__vscsi_path_limits(libxl__vscsi_ctx *vc,
                              const libxl_vscsi_hctl *hctl,
                              libxl__vscsi_limits *limits_r)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    unsigned i;

    (void)vc;
    libxl__vscsi_hctl_format(hctl, text);
    limits_r->max_sectors_kb = 32767;
    limits_r->max_segments = 254;
    i = find_limited(text);
    if (i < num_limited)
        *limits_r = limited[i].limits;
    return true;
}

/* ----- libxl_vscsi_lio.c ----- */

int libxl__vscsi_lio_probe(libxl__vscsi_ctx *vc, bool *uses_lio_r)
{
    (void)vc;
    *uses_lio_r = true;
    return 0;
}

int libxl__vscsi_lio_resolve(libxl__vscsi_ctx *vc, const char *wwn,
                             char **name_r)
{
    if (!has(&targets, wwn)) {
        libxl__vscsi_error(vc, "there is no LIO target %s", wwn);
        return ERROR_NOTFOUND;
    }
    *name_r = target_device ? strdup(target_device) : NULL;
    return 0;
}

int libxl__vscsi_lio_find_foreign(libxl__vscsi_ctx *vc,
                                  libxl__vscsi_phys *phys, char **wwn_r)
{
    (void)vc;
    (void)phys;
    *wwn_r = NULL;
    return 0;
}

int libxl__vscsi_lio_export(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_phys *phys)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    libxl__vscsi_hctl_format(&phys->hctl, text);
    if (has(&broken, text)) {
        libxl__vscsi_error(vc, "LIO says no");
        return ERROR_FAIL;
    }
    put(&exported, text);
    return 0;
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

void libxl__vscsi_lio_gc(libxl__vscsi_ctx *vc, const libxl_vscsi_hctl *used,
                         unsigned num)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];
    struct set keep = { .num = 0 };
    unsigned i;

    (void)vc;
    for (i = 0; i < num; i++) {
        libxl__vscsi_hctl_format(&used[i], text);
        if (has(&exported, text))
            put(&keep, text);
    }
    exported = keep;
}
