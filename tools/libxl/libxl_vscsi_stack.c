/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What dom0 has built upon a unit: partitions, device-mapper, md, bcache,
 * loop devices, each upon the other.  From sysfs, where each block device
 * names its holders; a loop device is no holder, and names its file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "libxl_vscsi_configfs.h"
#include "libxl_vscsi_inuse.h"

/* More is no stack but a mistake. */
#define MAX_DEPTH 32

void libxl__vscsi_stack_dispose(libxl__vscsi_stack *stack)
{
    unsigned i;

    for (i = 0; i < stack->num; i++) {
        free(stack->layers[i].syspath);
        free(stack->layers[i].node);
        free(stack->layers[i].subject);
        free(stack->layers[i].chain);
        free(stack->layers[i].advice);
    }
    free(stack->layers);
    memset(stack, 0, sizeof(*stack));
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *libxl__vscsi_stack_subject(const libxl__vscsi_unit *unit,
                                 const libxl__vscsi_path *path)
{
    char text[LIBXL__VSCSI_HCTL_SIZE];

    if (unit->num_paths == 1)
        return strdup("it");
    libxl__vscsi_hctl_format(&path->hctl, text);
    return libxl__vscsi_sprintf("its path %s",
                                path->node ? path->node : text);
}

/* ----- what a layer is called ----- */

static void describe_dm(libxl__vscsi_layer *layer, const char *dev,
                        const char *name, const char *uuid, char **what_r)
{
    if (!strncmp(uuid, "mpath-", 6)) {
        *what_r = libxl__vscsi_sprintf("a path of multipath device %s (%s)",
                                       name, dev);
        layer->advice = libxl__vscsi_sprintf(
            "multipath -f %s first, and blacklist it in multipath.conf",
            name);
        return;
    }
    *what_r = libxl__vscsi_sprintf("used by device-mapper volume %s (%s)",
                                   name, dev);
    if (!strncmp(uuid, "LVM-", 4))
        layer->advice = strdup("lvchange -an that first");
    else
        layer->advice = libxl__vscsi_sprintf("dmsetup remove %s first", name);
}

/* What it does with the layer below, as after "is". */
static char *describe(libxl__vscsi_layer *layer, bool partition)
{
    const char *dev = base_of(layer->syspath);
    char *name, *uuid, *what = NULL;

    if (partition)
        return libxl__vscsi_sprintf("with partition %s", layer->node);
    if (!strncmp(dev, "loop", 4)) {
        layer->advice = libxl__vscsi_sprintf("losetup -d %s first",
                                             layer->node);
        return libxl__vscsi_sprintf("used by loop device %s", layer->node);
    }
    if (!strncmp(dev, "md", 2)) {
        layer->advice = libxl__vscsi_sprintf("mdadm --stop %s first",
                                             layer->node);
        return libxl__vscsi_sprintf("part of the RAID %s", dev);
    }
    name = libxl__vscsi_cfs_read("%s/dm/name", layer->syspath);
    uuid = libxl__vscsi_cfs_read("%s/dm/uuid", layer->syspath);
    if (name)
        describe_dm(layer, dev, name, uuid ? uuid : "", &what);
    else
        what = libxl__vscsi_sprintf("used by block device %s", dev);
    free(name);
    free(uuid);
    return what;
}

/* The texts of a layer; below NULL: the unit itself. */
static bool name_layer(const libxl__vscsi_layer *below, bool partition,
                       libxl__vscsi_layer *layer)
{
    char *what;

    layer->node = libxl__vscsi_node_of(base_of(layer->syspath));
    if (!below)
        return layer->node && layer->subject;
    if (partition && !below->chain) {
        layer->subject = libxl__vscsi_sprintf("its partition %s",
                                              layer->node);
        return layer->node && layer->subject;
    }
    layer->subject = strdup(below->subject);
    what = describe(layer, partition);
    if (below->chain && what)
        layer->chain = libxl__vscsi_sprintf("%s, %s", below->chain, what);
    else if (what)
        layer->chain = strdup(what);
    free(what);
    if (partition && below->advice)
        layer->advice = strdup(below->advice);
    return layer->node && layer->subject && layer->chain;
}

/* ----- building it ----- */

typedef struct building {
    libxl__vscsi_ctx *vc;
    const libxl__vscsi_inuse *inuse;
    libxl__vscsi_stack *stack;
} building;

static int out_of_memory(building *b)
{
    return libxl__vscsi_inuse_blind(b->vc, NULL);
}

static libxl__vscsi_layer *grow(libxl__vscsi_stack *stack)
{
    libxl__vscsi_layer *longer;

    longer = realloc(stack->layers, (stack->num + 1) * sizeof(*longer));
    if (!longer)
        return NULL;
    stack->layers = longer;
    memset(&longer[stack->num], 0, sizeof(*longer));
    return &longer[stack->num++];
}

/*
 * The block device at syspath, built upon layer below, or by subject the
 * unit itself.  Takes both strings over.  One that vanished is left out.
 */
static int add_layer(building *b, char *syspath, char *subject, int below,
                     bool partition)
{
    libxl__vscsi_layer *layer, *layers;
    char *dev;
    int rc = 0;

    if (!syspath || (below < 0 && !subject)) {
        free(syspath);
        free(subject);
        return out_of_memory(b);
    }
    dev = libxl__vscsi_cfs_read("%s/dev", syspath);
    if (!dev) {
        if (!libxl__vscsi_inuse_is_gone(errno))
            rc = libxl__vscsi_inuse_blind(b->vc, syspath);
        free(syspath);
        free(subject);
        return rc;
    }
    layer = grow(b->stack);
    if (!layer) {
        free(syspath);
        free(subject);
        rc = out_of_memory(b);
        goto out;
    }
    layers = b->stack->layers;
    layer->syspath = syspath;
    layer->subject = subject;
    layer->whole = below < 0;
    layer->depth = below < 0 ? 0 : layers[below].depth + 1;
    if (!name_layer(below < 0 ? NULL : &layers[below], partition, layer)) {
        rc = out_of_memory(b);
    } else if (!libxl__vscsi_inuse_devnum(dev, 10, &layer->devnum) ||
               layer->depth > MAX_DEPTH) {
        libxl__vscsi_error(b->vc, "what may hold it cannot be found out: "
                           "%s/dev makes no sense", syspath);
        rc = ERROR_FAIL;
    }
out:
    free(dev);
    return rc;
}

/* They are directories in the disk's, and begin with its name. */
static int add_partitions(building *b, int below)
{
    const char *path = b->stack->layers[below].syspath, *name;
    const char *disk = base_of(path);
    int rc = 0;
    DIR *dir;

    if (!libxl__vscsi_inuse_open_dir(b->vc, path, &dir, &rc))
        return rc;
    while (!rc && (name = libxl__vscsi_inuse_next_name(b->vc, dir, path,
                                                       &rc))) {
        if (strncmp(name, disk, strlen(disk)))
            continue;
        /* the layers may move */
        path = b->stack->layers[below].syspath;
        rc = add_layer(b, libxl__vscsi_sprintf("%s/%s", path, name), NULL,
                       below, true);
    }
    closedir(dir);
    return rc;
}

static int add_class_layer(building *b, const char *name, int below)
{
    return add_layer(b, libxl__vscsi_sprintf("%s/class/block/%s",
                                             b->vc->sysfs, name),
                     NULL, below, false);
}

static int add_holders(building *b, int below)
{
    char *path = libxl__vscsi_sprintf("%s/holders",
                                      b->stack->layers[below].syspath);
    const char *name;
    int rc = 0;
    DIR *dir;

    if (libxl__vscsi_inuse_open_dir(b->vc, path, &dir, &rc)) {
        while (!rc && (name = libxl__vscsi_inuse_next_name(b->vc, dir, path,
                                                           &rc)))
            rc = add_class_layer(b, name, below);
        closedir(dir);
    }
    free(path);
    return rc;
}

static int add_loops(building *b, int below)
{
    const libxl__vscsi_loop *loop = b->inuse->loops;
    unsigned i;
    int rc = 0;

    for (i = 0; !rc && i < b->inuse->num_loops; i++, loop++)
        if (loop->backing == b->stack->layers[below].devnum)
            rc = add_class_layer(b, loop->name, below);
    return rc;
}

int libxl__vscsi_stack_load(libxl__vscsi_ctx *vc,
                            const libxl__vscsi_inuse *inuse,
                            const libxl__vscsi_unit *unit,
                            libxl__vscsi_stack *stack_r)
{
    building b = { vc, inuse, stack_r };
    unsigned i;
    int rc = 0;

    for (i = 0; !rc && i < unit->num_paths; i++) {
        const libxl__vscsi_path *path = &unit->paths[i];

        if (path->disk)
            rc = add_layer(&b, strdup(path->disk),
                           libxl__vscsi_stack_subject(unit, path), -1,
                           false);
    }
    for (i = 0; !rc && i < stack_r->num; i++) {
        rc = add_partitions(&b, (int)i);
        if (!rc)
            rc = add_holders(&b, (int)i);
        if (!rc)
            rc = add_loops(&b, (int)i);
    }
    return rc;
}

/* ----- the other way: what a block device is made of ----- */

typedef struct digging {
    libxl__vscsi_ctx *vc;
    libxl__vscsi_bases *bases;
} digging;

static int dig(digging *d, char *dir, unsigned depth);

static char *dir_of(digging *d, dev_t devnum)
{
    return libxl__vscsi_sprintf("%s/dev/block/%u:%u", d->vc->sysfs,
                                major(devnum), minor(devnum));
}

static int add_base(digging *d, const libxl_vscsi_hctl *hctl)
{
    libxl__vscsi_bases *bases = d->bases;
    libxl_vscsi_hctl *longer;

    if (libxl__vscsi_hctl_among(bases->hctls, bases->num, hctl))
        return 0;
    longer = realloc(bases->hctls, (bases->num + 1) * sizeof(*longer));
    if (!longer)
        return libxl__vscsi_inuse_blind(d->vc, NULL);
    bases->hctls = longer;
    longer[bases->num++] = *hctl;
    return 0;
}

static int dig_slaves(digging *d, const char *dir, unsigned depth)
{
    char *path = libxl__vscsi_sprintf("%s/slaves", dir);
    const char *name;
    int rc = 0;
    DIR *slaves;

    if (libxl__vscsi_inuse_open_dir(d->vc, path, &slaves, &rc)) {
        while (!rc && (name = libxl__vscsi_inuse_next_name(d->vc, slaves,
                                                           path, &rc)))
            rc = dig(d, libxl__vscsi_sprintf("%s/%s", path, name), depth);
        closedir(slaves);
    }
    free(path);
    return rc;
}

static int dig_loop(digging *d, const char *dir, unsigned depth)
{
    char *backing = libxl__vscsi_cfs_read("%s/loop/backing_file", dir);
    dev_t devnum;
    int rc = 0;

    if (!backing && !libxl__vscsi_inuse_is_gone(errno))
        return libxl__vscsi_inuse_blind(d->vc, dir);
    if (backing && libxl__vscsi_inuse_node(d->vc, backing, &devnum, &rc))
        rc = dig(d, dir_of(d, devnum), depth);
    free(backing);
    return rc;
}

/* Where its SCSI device is, if it is a disk of one. */
static int dig_device(digging *d, const char *dir)
{
    char *place = libxl__vscsi_cfs_readlink("%s/device", dir);
    libxl_vscsi_hctl hctl;
    int rc = 0;

    if (!place && errno != EINVAL && !libxl__vscsi_inuse_is_gone(errno))
        rc = libxl__vscsi_inuse_blind(d->vc, dir);
    if (place && libxl__vscsi_hctl_parse(place, &hctl))
        rc = add_base(d, &hctl);
    free(place);
    return rc;
}

/* Takes dir over. */
static int dig(digging *d, char *dir, unsigned depth)
{
    char *number;
    int rc;

    if (!dir || depth > MAX_DEPTH) {
        rc = libxl__vscsi_inuse_blind(d->vc, NULL);
        goto out;
    }
    number = libxl__vscsi_cfs_read("%s/partition", dir);
    if (number) {
        free(number);
        rc = dig(d, libxl__vscsi_sprintf("%s/..", dir), depth + 1);
        goto out;
    }
    rc = libxl__vscsi_inuse_is_gone(errno)
         ? 0 : libxl__vscsi_inuse_blind(d->vc, dir);
    if (!rc)
        rc = dig_device(d, dir);
    if (!rc)
        rc = dig_slaves(d, dir, depth + 1);
    if (!rc)
        rc = dig_loop(d, dir, depth + 1);
out:
    free(dir);
    return rc;
}

int libxl__vscsi_stack_bases(libxl__vscsi_ctx *vc, dev_t devnum,
                             libxl__vscsi_bases *bases_r)
{
    digging d = { vc, bases_r };

    return dig(&d, dir_of(&d, devnum), 0);
}
