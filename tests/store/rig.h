/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the tests of operations share: a store, a peer, domain 5, and the
 * library's context with short bounds and a log that can be looked at.
 */
#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fakehost.h"
#include "libxl_vscsi_assignment.h"
#include "libxl_vscsi_operations.h"
#include "libxl_vscsi_store.h"
#include "peer.h"

#define DOM 5

struct rig {
    struct store *s;
    struct peer *p;
    libxl__vscsi_ctx vc;
    char lock_file[256];
};

/* The domain stands still; all others may run.  0, as at first: none. */
void rig_set_ended(uint32_t domid);

int rig_setup(void **state);
/* Also fails the test if the toolstack broke a rule of the protocol. */
int rig_teardown(void **state);

/* "/dev/fake-0-1 0:0:0:1; /dev/fake-0-2 0:0:0:2,shareable": what to attach,
 * on one vscsictrl.  Returns the rc. */
int rig_attach(struct rig *rig, uint32_t domid, const char *devices);
/* num devices TARGET:LUN 0:first and on, at the same vdevs of a vscsictrl. */
int rig_attach_many(struct rig *rig, uint32_t domid, unsigned devid,
                    unsigned first, unsigned num);
int rig_detach(struct rig *rig, uint32_t domid, const char *vdev,
               libxl__vscsi_removal how);
int rig_close(struct rig *rig, uint32_t domid, int ref,
              libxl__vscsi_removal how);

/* The vscsictrls on record, to be freed with _list_free(). */
libxl_device_vscsictrl *rig_ctrls(struct rig *rig, uint32_t domid,
                                  int *num_r);
/* "0:0:0:0=/dev/fake-0-0(4) ...": all devices, with the state of each. */
char *rig_list(struct rig *rig, uint32_t domid);
void rig_assert_list(struct rig *rig, uint32_t domid, const char *expected);
void rig_assert_node(struct rig *rig, const char *path, const char *value);
void rig_assert_perms(struct rig *rig, const char *path, const char *perms);
/* No node with vscsi in it anywhere, and no export. */
void rig_assert_nothing_left(struct rig *rig);
/* Everything that has a name with vscsi in it; free(). */
char *rig_snapshot(struct rig *rig);

/* The messages since the last call of _forget_log, a line each. */
const char *rig_log(void);
void rig_forget_log(void);
/* The least important message to keep; XTL_NOTICE when a test begins. */
void rig_log_from(xentoollog_level level);
/* How often progress was told of. */
extern unsigned rig_num_progress;
void rig_assert_said(const char *part);

#endif /* TESTS_STORE_RIG_H */
