/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Which vscsictrls may have a device: the names of the nodes below
 * /libxl/vscsi say so, and one look at that directory tells whose records are
 * to be read.
 *
 * A name is DOMID-DEVID-1-TRAITS: the vscsictrl, the version of this form,
 * and some characters for each trait of each of its devices.  It is written
 * with the record.  Only the record says what a vscsictrl has, so a name too
 * many, as a destroyed domain leaves it, costs a look and no more.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_index.h"
#include "libxl_vscsi_nodes.h"

#define INDEX "/libxl/vscsi"
#define FORM 1
/* 24 bits of a trait.  A path has at most 3072 characters. */
#define TRAIT_CHARS LIBXL__VSCSI_TRAIT_CHARS
#define NAME_TRAITS 480u
#define NAME_MAX_CHARS ((NAME_TRAITS + LIBXL__VSCSI_MAX_TRAITS) * \
                        (size_t)TRAIT_CHARS)
/* So many names of one vscsictrl are put together. */
#define MAX_NAMES 8u

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
                             "wxyz0123456789-_";

static void spell(uint64_t trait, char *to)
{
    unsigned i;

    for (i = 0; i < TRAIT_CHARS; i++, trait >>= 6)
        to[i] = digits[trait & 63];
}

/* ----- reading ----- */

void libxl__vscsi_index_dispose(libxl__vscsi_index *index)
{
    free(index->entries);
    free(index->names);
    *index = (libxl__vscsi_index){ .entries = NULL };
}

/* The number before the next "-"; *at is behind that then. */
static bool parse_number(const char **at, uint64_t max, uint64_t *number_r)
{
    size_t len = strcspn(*at, "-");
    bool ok = (*at)[len] == '-' &&
              libxl__vscsi_parse_u64(*at, len, max, number_r);

    *at += ok ? len + 1 : 0;
    return ok;
}

static bool parse(const char *name, libxl__vscsi_index_entry *entry)
{
    uint64_t domid, devid, version;
    const char *at = name;

    if (!parse_number(&at, UINT32_MAX, &domid) ||
        !parse_number(&at, INT32_MAX, &devid) ||
        !parse_number(&at, FORM, &version) || version != FORM ||
        strlen(at) % TRAIT_CHARS)
        return false;
    entry->ref.domid = (uint32_t)domid;
    entry->ref.devid = (libxl_devid)devid;
    entry->name = name;
    entry->traits = at;
    return true;
}

int libxl__vscsi_index_read(libxl__vscsi_ctx *vc, xs_transaction_t t,
                            libxl__vscsi_index *index_r)
{
    libxl__vscsi_index index = { .entries = NULL };
    unsigned i, num;
    int rc;

    rc = libxl__vscsi_list_node(vc, t, strdup(INDEX), &index.names, &num);
    if (rc)
        return rc;
    index.entries = calloc((size_t)num + 1, sizeof(*index.entries));
    if (!index.entries) {
        free(index.names);
        return libxl__vscsi_out_of_memory(vc);
    }
    for (i = 0; i < num; i++) {
        if (parse(index.names[i], &index.entries[index.num]))
            index.num++;
        else
            index.unknown = index.names[i];
    }
    *index_r = index;
    return 0;
}

int libxl__vscsi_index_check(libxl__vscsi_ctx *vc,
                             const libxl__vscsi_index *index)
{
    if (!index->unknown)
        return 0;
    libxl__vscsi_error(vc, "who has it is not known: " INDEX "/%s was not "
                       "written by this version of this software",
                       index->unknown);
    return ERROR_FAIL;
}

libxl__vscsi_wanted libxl__vscsi_index_wanted(const libxl_vscsi_pdev *pdev)
{
    uint64_t traits[LIBXL__VSCSI_MAX_TRAITS];
    libxl__vscsi_wanted wanted;
    unsigned i;

    wanted.num = libxl__vscsi_pdev_traits(pdev, traits);
    for (i = 0; i < wanted.num; i++)
        spell(traits[i], wanted.traits[i]);
    return wanted;
}

static bool has_trait(const libxl__vscsi_index_entry *entry,
                      const char trait[TRAIT_CHARS])
{
    const char *at;

    for (at = entry->traits; *at; at += TRAIT_CHARS)
        if (!memcmp(at, trait, TRAIT_CHARS))
            return true;
    return false;
}

bool libxl__vscsi_index_leads(const libxl__vscsi_index_entry *entry,
                              const libxl__vscsi_wanted *wanted)
{
    unsigned i;

    for (i = 0; i < wanted->num; i++)
        if (has_trait(entry, wanted->traits[i]))
            return true;
    return false;
}

/* ----- writing ----- */

static bool is_of(const libxl__vscsi_index_entry *entry, libxl__vscsi_ref v)
{
    return entry->ref.domid == v.domid && entry->ref.devid == v.devid;
}

static bool is_known(const libxl__vscsi_index *index, libxl__vscsi_ref v,
                     const char trait[TRAIT_CHARS])
{
    unsigned i;

    for (i = 0; i < index->num; i++)
        if (is_of(&index->entries[i], v) &&
            has_trait(&index->entries[i], trait))
            return true;
    return false;
}

bool libxl__vscsi_index_has(const libxl__vscsi_index *index,
                            libxl__vscsi_ref v,
                            const libxl_device_vscsidev *devs, int num)
{
    unsigned j;
    int i;

    for (i = 0; i < num; i++) {
        libxl__vscsi_wanted wanted =
            libxl__vscsi_index_wanted(&devs[i].pdev);

        for (j = 0; j < wanted.num; j++)
            if (!is_known(index, v, wanted.traits[j]))
                return false;
    }
    return true;
}

typedef int act_on_name(libxl__vscsi_ctx *vc, xs_transaction_t t,
                        char *path);

static int write_name(libxl__vscsi_ctx *vc, xs_transaction_t t, char *path)
{
    return libxl__vscsi_write_node(vc, t, path, "");
}

/* All that there is to say of these devices, in as many names as it takes;
 * the same devices have the same names again. */
static int for_names(libxl__vscsi_ctx *vc, xs_transaction_t t,
                     libxl__vscsi_ref v, const libxl_device_vscsidev *devs,
                     int num, act_on_name *act)
{
    char text[NAME_MAX_CHARS + 1];
    size_t len = 0;
    int rc = 0, i;

    for (i = 0; !rc && i < num; i++) {
        libxl__vscsi_wanted wanted =
            libxl__vscsi_index_wanted(&devs[i].pdev);

        memcpy(text + len, wanted.traits, wanted.num * (size_t)TRAIT_CHARS);
        len += wanted.num * (size_t)TRAIT_CHARS;
        if (len < NAME_TRAITS * (size_t)TRAIT_CHARS && i < num - 1)
            continue;
        text[len] = '\0';
        len = 0;
        rc = act(vc, t, libxl__vscsi_sprintf(INDEX "/%u-%d-%d-%s", v.domid,
                                             v.devid, FORM, text));
    }
    return rc;
}

int libxl__vscsi_index_write(libxl__vscsi_ctx *vc, xs_transaction_t t,
                             libxl__vscsi_ref v,
                             const libxl_device_vscsidev *devs, int num)
{
    return for_names(vc, t, v, devs, num, write_name);
}

int libxl__vscsi_index_forget(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              libxl__vscsi_ref v,
                              const libxl_device_vscsidev *devs, int num)
{
    return for_names(vc, t, v, devs, num, libxl__vscsi_remove_node);
}

int libxl__vscsi_index_remove(libxl__vscsi_ctx *vc, xs_transaction_t t,
                              const libxl__vscsi_index *index,
                              const libxl__vscsi_ref *refs, unsigned num)
{
    bool left = index->unknown;
    unsigned i, j;
    int rc = 0;

    for (i = 0; !rc && i < index->num; i++) {
        const libxl__vscsi_index_entry *entry = &index->entries[i];

        for (j = 0; j < num && !is_of(entry, refs[j]); j++)
            ;
        left |= j == num;
        if (j < num)
            rc = libxl__vscsi_remove_node(vc, t, libxl__vscsi_sprintf(
                                          INDEX "/%s", entry->name));
    }
    if (!rc && index->num && !left)
        rc = libxl__vscsi_remove_node(vc, t, strdup(INDEX));
    return rc;
}

static unsigned count_names(const libxl__vscsi_index *index,
                            libxl__vscsi_ref v)
{
    unsigned i, found = 0;

    for (i = 0; i < index->num; i++)
        found += is_of(&index->entries[i], v);
    return found;
}

int libxl__vscsi_index_add(libxl__vscsi_ctx *vc, xs_transaction_t t,
                           const libxl__vscsi_index *index,
                           libxl__vscsi_ref v,
                           const libxl_device_vscsictrl *before,
                           const libxl_device_vscsidev *devs, int num)
{
    int rc = 0;

    if (before && count_names(index, v) >= MAX_NAMES) {
        rc = libxl__vscsi_index_remove(vc, t, index, &v, 1);
        if (!rc)
            rc = libxl__vscsi_index_write(vc, t, v, before->vscsidevs,
                                          before->num_vscsidevs);
    }
    return rc ? rc : libxl__vscsi_index_write(vc, t, v, devs, num);
}
