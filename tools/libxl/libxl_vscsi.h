/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxenlight-vscsi: paravirtual SCSI (PVSCSI) devices for libxl domains.
 *
 * An extension of libxl that lives beside an unmodified libxenlight.  A
 * virtual SCSI host, a vscsictrl, carries one or more SCSI
 * devices of dom0 (vscsidevs).  Layout and protocol: docs/misc/pvscsi.txt
 * and xen/io/vscsiif.h.
 *
 * Conventions, for every function below
 *
 *  Return values are 0 or a libxl ERROR_* code.  A failure has been logged
 *  exactly once, at the place that saw it first, through the logger of
 *  libxl_vscsi_set_logger().  Output arguments are untouched on failure.
 *  tests/store/test-results.c goes through the codes and what they leave.
 *
 *  Types come from libxl_types.idl (_libxl_vscsi_types.h).  The caller
 *  calls libxl_<type>_init before and libxl_<type>_dispose after, whatever
 *  a function returned.
 *
 *  A vscsictrl is named by one number: ctrl->devid, ctrl->idx and the hst
 *  part of every vdev on it are the same.  Where only some of them are set
 *  (-1 means unset for devid and idx), the functions fill in the others.
 *
 *  Changes to one domain are serialised across processes by a lock that
 *  the kernel drops when its holder dies.  A process that is killed leaves
 *  a state that the next call recognises and finishes or undoes.
 *
 *  No function waits without a bound; libxl_vscsi_set_timeouts() sets the
 *  bounds.
 *
 *  ao_how as in libxl.h: NULL makes the call synchronous.  With a callback
 *  the arguments are copied, the call returns 0 at once after the arguments
 *  passed the checks that need no waiting, and the callback is called
 *  exactly once, on a thread of this library's own; ctx must outlive it.
 *  An ao_how for the event queue (callback == NULL) is refused with
 *  ERROR_INVAL: only libxl itself can feed that queue.
 */
#ifndef LIBXL_VSCSI_H
#define LIBXL_VSCSI_H

#include <stdbool.h>

#include <_libxl_vscsi_types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defined where vscsictrl and vscsidev are supported. */
#define LIBXL_HAVE_VSCSI 1

/*
 * vdev.hst of a device whose place is not said.  _add, for all the devices
 * of one request, takes the first free LUN of the first vscsictrl whose guest
 * sends no larger commands than they take, or of a new one, and fills it in.
 * Where one of them has a target or LUN that is not 0, as after _expand, only
 * the vscsictrl is chosen.
 * libxl_device_vscsidev_remove() and _safe_remove() find the device by
 * pdev.p_devname: as the guest knows it ("0:0:0:1"), or by any name that it
 * has in dom0.
 */
#define LIBXL_VSCSI_ANY UINT32_MAX

/* What a vdev may be at most, beside channel 0: what xen-scsifront looks at;
 * and how many pages a command may have: what it takes for the least, and
 * what xen-scsiback offers (VSCSIIF_SG_TABLESIZE and SG_ALL of vscsiif.h). */
#define LIBXL_VSCSI_MAX_HOST 65535
#define LIBXL_VSCSI_MAX_TARGET 63
#define LIBXL_VSCSI_MAX_LUN 254
#define LIBXL_VSCSI_MIN_SEGMENTS 26
#define LIBXL_VSCSI_MAX_SEGMENTS 128

/*
 * The node below /libxl/<domid> that a toolstack writes, whatever is in it,
 * to say that it gives the domain its devices again when it reboots.
 */
#define LIBXL_VSCSI_MONITOR "scsi-monitor"

/* ----- process-wide settings ----- */

/*
 * Where messages go.  lg stays the caller's and must outlive every call
 * into this library; NULL restores the default, which is warnings and
 * errors on stderr.  Set it before the first call that works in the
 * background.
 */
void libxl_vscsi_set_logger(xentoollog_logger *lg);

/*
 * Whether a message about a domain begins with ": Domain N:", by which
 * libvirt tells whose log a line of libxl's belongs to.  Not, at first.
 */
void libxl_vscsi_set_domain_tag(bool tags);

/*
 * The first error that the last call of this library on this thread has
 * logged, as it was logged; "" if there was none.  Of an operation with a
 * callback, in that.  Stays what it is until the thread's next call.
 */
const char *libxl_vscsi_last_error(void);

typedef struct libxl_vscsi_timeouts {
    /* The backend driver of dom0 takes notice of a new vscsictrl. */
    unsigned backend_ms;
    /* A guest that has not connected a new vscsictrl begins to. */
    unsigned frontend_ms;
    /* Both ends finish a handshake that they have begun, for up to 8
     * devices; as much again for each further 8. */
    unsigned handshake_ms;
    /* The backend lets go of a vscsictrl whose frontend was taken away. */
    unsigned destroy_ms;
    /* Another process finishes its change to the same domain. */
    unsigned lock_ms;
} libxl_vscsi_timeouts;

/* The bounds in force; the defaults are 10000, 5000, 60000, 10000, 120000. */
void libxl_vscsi_get_timeouts(libxl_vscsi_timeouts *timeouts_r);
/* Takes effect for calls that begin later.  0 looks once and waits never. */
void libxl_vscsi_set_timeouts(const libxl_vscsi_timeouts *timeouts);

/* ----- vscsictrls ----- */

/*
 * Gives domid the devices ctrl->vscsidevs[] on vscsictrl ctrl->devid, all in
 * one handshake: all of them arrive or none does.  A vscsictrl that does not
 * exist is created; to one that exists they are added, and then
 * ctrl->scsi_raw_cmds must be default or the same as the vscsictrl's.
 *
 * pdev.p_devname names a physical device in one of the forms of
 * pvscsi.txt; type INVALID means "look it up", HCTL and WWN say which
 * device it is already.  Where pdev.devtype or wwid is set, as _list sets
 * them, pdev is a record, and the unit is looked for by the identity in it,
 * wherever it is now: name and address are then those under which it was
 * known, and another device there is refused ("Which device" in pvscsi.txt).
 * On success each pdev is filled in with type and identity, each vscsidev_id
 * with the N of dev-N, ctrl->devid, idx and backend_domid with the values in
 * force (synchronous calls only).
 *
 * ctrl->segments, if not 0, is how many pages a command of the guest's may
 * have at most, 26 to 128; ctrl->max_segments, if not 0, is what a restored
 * guest was told before.  On success max_segments is what is in force: what
 * the devices take, see "Transfer size" in pvscsi.txt.
 *
 * Waits until backend and guest have taken every device.  A guest that has
 * not connected the vscsictrl (its driver is not loaded, or the domain is
 * paused) is no failure: after at most frontend_ms a notice is logged, 0
 * is returned, and the devices appear when the guest connects.
 * Where nobody has said that he gives the domain its devices again when it
 * reboots (LIBXL_VSCSI_MONITOR), a warning is logged.
 *
 *  ERROR_INVAL            no devices; numbers out of range, or vdevs of
 *                         another vscsictrl or twice; another backend_domid;
 *                         not a SCSI device; options that differ from the
 *                         vscsictrl's; a device that takes smaller commands
 *                         than the guest was told.  Nothing was changed.
 *  ERROR_DOMAIN_NOTFOUND  no such domain.  Nothing was changed.
 *  ERROR_NOTFOUND         no such physical device or LIO target, or none
 *                         of that wwid.  Nothing was changed.
 *  ERROR_DEVICE_EXISTS    a vdev is used in the domain, or a physical
 *                         device is assigned to a domain or held by dom0;
 *                         the message says by whom.  Nothing was changed.
 *  ERROR_NOT_READY        the vscsictrl is being closed, an earlier change to
 *                         it has not been finished by the kernels, or the
 *                         domain cannot answer: it is paused (for a vscsictrl
 *                         that exists), suspended, crashed, shut down or
 *                         dying; or is being saved or sent (_freeze).  Or
 *                         dom0's kernel has not let go of the
 *                         device after destroy_ms, which another domain had,
 *                         or of the vscsictrl that the domain had.  Nothing
 *                         was changed.
 *  ERROR_TIMEDOUT         the backend driver did not answer.  Undone.
 *  ERROR_GUEST_TIMEDOUT   the guest did not finish the handshake.  Undone
 *                         where the guest has not begun it; otherwise the
 *                         devices stay on record and the message says so.
 *  ERROR_LOCK_FAIL        another process holds the domain's lock.
 *  ERROR_NOMEM, ERROR_FAIL  anything else: a device that backend or guest
 *                         refused, LIO or xenstore failing.  Undone, or
 *                         the message says what is left.
 */
int libxl_device_vscsictrl_add(libxl_ctx *ctx, uint32_t domid,
                               libxl_device_vscsictrl *ctrl,
                               const libxl_asyncop_how *ao_how)
                               LIBXL_EXTERNAL_CALLERS_ONLY;

/*
 * A pdev.p_devname that ends in ":*" ("8:0:2:*", "8:*:*:*", "/dev/sch0:*",
 * type INVALID) stands for all devices that dom0 has there, of that target
 * or of that SCSI host; they come on vscsictrl vdev.hst (whatever the rest of
 * vdev), target for target and LUN for LUN.  _add does this itself.  This
 * function puts them into *ctrl, and with but_used it leaves out those that
 * domid cannot have; without, one of these is enough for
 * ERROR_DEVICE_EXISTS.  They are all logged.
 */
int libxl_vscsi_expand(libxl_ctx *ctx, uint32_t domid,
                       libxl_device_vscsictrl *ctrl, bool but_used);

/*
 * Removes vscsictrl ctrl->devid with all its devices; the other fields are
 * not looked at.  The guest is asked to let go.
 *
 * _safe_remove fails when the guest does not answer within handshake_ms:
 * ERROR_GUEST_TIMEDOUT, the vscsictrl stays in closing (backend state 5), and
 * calling any of these three again carries on.
 * _remove acts like _destroy then.
 * _destroy does not ask the guest: the frontend's nodes are taken away and
 * the backend driver gives up the devices.  So do all three where the domain
 * has crashed, has shut down or is dying, and _remove where it is paused or
 * suspended.
 *
 *  0                      no node of the vscsictrl is left.  Nor is a LIO
 *                         object that was made for it, unless a warning was
 *                         logged: then dom0 has not let go of all of it after
 *                         destroy_ms, and nobody else gets it before
 *  ERROR_NOTFOUND         the domain has no such vscsictrl
 *  ERROR_NOT_READY        _safe_remove: the domain is paused or suspended;
 *                         or any: it is being saved or sent (_freeze).
 *                         Nothing was changed.
 *  ERROR_GUEST_TIMEDOUT   as above
 *  ERROR_LOCK_FAIL, ERROR_NOMEM, ERROR_FAIL  as for _add; the nodes are
 *                         still there
 */
int libxl_device_vscsictrl_remove(libxl_ctx *ctx, uint32_t domid,
                                  const libxl_device_vscsictrl *ctrl,
                                  const libxl_asyncop_how *ao_how)
                                  LIBXL_EXTERNAL_CALLERS_ONLY;
int libxl_device_vscsictrl_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                       const libxl_device_vscsictrl *ctrl,
                                       const libxl_asyncop_how *ao_how)
                                       LIBXL_EXTERNAL_CALLERS_ONLY;
int libxl_device_vscsictrl_destroy(libxl_ctx *ctx, uint32_t domid,
                                   const libxl_device_vscsictrl *ctrl,
                                   const libxl_asyncop_how *ao_how)
                                   LIBXL_EXTERNAL_CALLERS_ONLY;

/*
 * The vscsictrls of domid with their devices, as the toolstack recorded them,
 * sorted by devid and within a vscsictrl by vdev.  Never waits for a driver
 * and changes nothing.  A domain without vscsictrls, or none of that number,
 * yields *num_r == 0 and NULL.
 *
 * Returns an array to be freed with libxl_device_vscsictrl_list_free(), or
 * NULL with *num_r == 0; NULL with *num_r == -1 if xenstore cannot be read
 * (logged).
 */
libxl_device_vscsictrl *
libxl_device_vscsictrl_list(libxl_ctx *ctx, uint32_t domid, int *num_r);
void libxl_device_vscsictrl_list_free(libxl_device_vscsictrl *list, int num);

/*
 * What is known of device dev (found by dev->vdev) on vscsictrl ctrl->devid:
 * paths, the states of vscsictrl and device at this moment, and the physical
 * device as dom0 shows it now (node, vendor, model and devtype are NULL
 * when dom0 no longer has it).  States are those of the backend: 1
 * Initialising ... 4 Connected, 6 Closed, 0 gone.
 *
 * info_r must have been initialised; the caller disposes of it.
 *
 *  ERROR_NOTFOUND  no such vscsictrl or device
 *  ERROR_FAIL      xenstore cannot be read
 */
int libxl_device_vscsictrl_getinfo(libxl_ctx *ctx, uint32_t domid,
                                   const libxl_device_vscsictrl *ctrl,
                                   const libxl_device_vscsidev *dev,
                                   libxl_vscsiinfo *info_r);

/*
 * All devices of num_domains domains in one go: what _list for each domain
 * and one _getinfo for each device would say, at the price of one, but for
 * the limits of the physical devices (see _add_limits).  The
 * order is that of domids, within a domain _list's; frontend_id tells whose
 * a device is.  A domain that there is not (any more) has no devices.
 * *infos_r is freed with libxl_vscsiinfo_list_free(); NULL if there are
 * none.
 *
 *  ERROR_FAIL  xenstore cannot be read
 */
int libxl_vscsiinfo_list(libxl_ctx *ctx, const uint32_t *domids,
                         int num_domains, libxl_vscsiinfo **infos_r,
                         int *num_r);

/*
 * What one command to each device may be in dom0: unit_max_sectors_kb and
 * unit_max_segments, which the list leaves at 0, because few want them and
 * the sg node of a tape or changer is opened for it.  0: not known.
 *
 *  ERROR_FAIL  no device was looked at
 */
int libxl_vscsiinfo_add_limits(libxl_ctx *ctx, libxl_vscsiinfo *infos,
                               int num);
void libxl_vscsiinfo_list_free(libxl_vscsiinfo *infos, int num);

/*
 * The SCSI logical units of dom0, by address: those that a domain could
 * have; with all, the others as well, whose holder says who has them, in
 * the words of _add's refusals.  Looks at each as _add does, in one pass;
 * takes no lock, waits for nothing and changes nothing.  One at which
 * something cannot be looked at (logged) is not among the free ones.
 *
 * *units_r is freed with libxl_vscsi_assignable_list_free().
 *
 *  ERROR_FAIL, ERROR_NOMEM  dom0's devices or what domains have cannot be
 *                           read; logged
 */
int libxl_vscsi_assignable_list(libxl_ctx *ctx, bool all,
                                libxl_vscsiunit **units_r, int *num_r);
void libxl_vscsi_assignable_list_free(libxl_vscsiunit *units, int num);

/*
 * Which unit of dom0 name means, a node, a link or h:c:t:l, and all that is
 * known of it: each of its paths, the one that was named first if it runs,
 * the best of its names, its identity and its limits.  holder is NULL: nobody
 * is asked who has it.  Takes no lock and changes nothing.
 *
 * *unit_r is freed with libxl_vscsiunit_dispose().
 *
 *  ERROR_NOTFOUND  there is no such device, or no path to it that runs
 *  ERROR_INVAL     it is not a SCSI device, or a part of one
 *  ERROR_FAIL, ERROR_NOMEM  it could not be looked at; all are logged
 */
int libxl_vscsi_lookup(libxl_ctx *ctx, const char *name,
                       libxl_vscsiunit *unit_r);

/*
 * Removes what domains left behind that were destroyed with their devices
 * attached: nodes of their backends, and LIO objects of ours that no
 * domain uses.  Where the udev rule of this version is installed, dom0 does
 * it by itself when its kernel has let go.  Nothing that belongs to a live
 * domain or to the admin is touched.
 *
 *  ERROR_NOT_READY  dom0's kernel has not let go of all of it after
 *                   destroy_ms; logged
 *  ERROR_LOCK_FAIL, ERROR_NOMEM, ERROR_FAIL  something is left; logged
 */
int libxl_vscsi_cleanup(libxl_ctx *ctx);
/* Of one domain alone: what other domains have is not read for that. */
int libxl_vscsi_cleanup_domain(libxl_ctx *ctx, uint32_t domid);

/*
 * Could a domain be given the num vscsictrls ctrls[] now?  Each device is
 * found and must be free, as for _add; every one that is not is logged.  uuid,
 * if not NULL, is the VM's: what a domain of the same UUID has counts as
 * free, because it is being migrated from there.  Gives and exports nothing.
 *
 *  ERROR_NOTFOUND, ERROR_DEVICE_EXISTS, ERROR_INVAL  as for _add, for the
 *                   first of them
 *  ERROR_LOCK_FAIL, ERROR_NOMEM, ERROR_FAIL  it could not be found out, or
 *                   dom0 lacks the backend driver
 */
int libxl_vscsi_check(libxl_ctx *ctx, const libxl_uuid *uuid,
                      const libxl_device_vscsictrl *ctrls, int num);

/*
 * Removes what domain domid left that has just been destroyed with the num
 * vscsictrls ctrls[]: waits for the backend driver to let go of each, for at
 * most destroy_ms, and takes down what was made for them unless another
 * domain uses it.  What _list or _config_list said before the end is what
 * ctrls[] is.
 *
 *  0                no node is left.  Nor is a LIO object, unless a warning
 *                   was logged: then dom0 has not let go of all of it, and
 *                   nobody else gets it before
 *  ERROR_NOT_READY  the domain is still there; nothing was changed (not
 *                   logged)
 *  ERROR_LOCK_FAIL, ERROR_NOMEM, ERROR_FAIL  nodes are left
 */
int libxl_vscsi_domain_destroyed(libxl_ctx *ctx, uint32_t domid,
                                 const libxl_device_vscsictrl *ctrls,
                                 int num);

/*
 * May a domain be given pdev_path as a block device (libxl_device_disk)?
 * Not if that is a device that a guest has through vscsi, a partition of
 * one, or made of one (device-mapper, md, loop).  domid is the domain, for
 * the message, (uint32_t)-1 for one that there is not yet.  A path that is
 * no block device of dom0 may; so may a device that is free.  Nothing keeps
 * it free after the call.
 *
 *  ERROR_DEVICE_EXISTS  a guest has it; the message says which
 *  ERROR_LOCK_FAIL, ERROR_NOMEM, ERROR_FAIL  it could not be found out
 */
int libxl_vscsi_check_disk(libxl_ctx *ctx, uint32_t domid,
                           const char *pdev_path);

/*
 * Keeps what domid has as it is, from before it is read to be saved or sent
 * with the domain: until libxl_vscsi_thaw(), or until the process ends, any
 * other change to it is refused with ERROR_NOT_READY.  Waits for one that is
 * under way.  *frozen_r is given to _thaw(), which takes -1 too.
 *
 *  ERROR_NOT_READY  somebody else has done so
 *  ERROR_LOCK_FAIL  a change takes longer than lock_ms, or the lock file
 *                   cannot be opened
 *  ERROR_FAIL       xenstore cannot be reached
 */
int libxl_vscsi_freeze(libxl_ctx *ctx, uint32_t domid, int *frozen_r);
void libxl_vscsi_thaw(int frozen);

/*
 * To be called after libxl_domain_resume(): a guest whose suspend was
 * called off (a checkpoint, a save or migration that failed) leaves its
 * vscsictrls paused until they are woken.  Does no harm to others.
 *
 *  ERROR_DOMAIN_NOTFOUND  no such domain
 *  ERROR_LOCK_FAIL, ERROR_NOMEM, ERROR_FAIL  vscsictrls may stay paused
 */
int libxl_vscsi_resume(libxl_ctx *ctx, uint32_t domid);

/* ----- what is missing ----- */

/*
 * _list, and the devices that domid started without: these have absent set,
 * and no node.  It is what the domain is to have when it starts again, here
 * or elsewhere.  Returns as _list.
 */
libxl_device_vscsictrl *
libxl_vscsi_config_list(libxl_ctx *ctx, uint32_t domid, int *num_r);

/*
 * Before the devices of ctrls are added to domid, which does not run yet:
 * takes those out that dom0 does not have and without which the domain may
 * start (skip_missing, absent; or, with restarts, unless skip_missing is
 * false), and puts them on record, for _config_list; each is logged.  Waits
 * for each device up to its wait_s, counted from the call.  What cannot be
 * looked at, and what somebody else has, stays in ctrls, as does what may
 * not be missing; a vscsictrl without devices goes, and *num becomes less.
 *
 *  ERROR_NOMEM, ERROR_FAIL, ERROR_INVAL  ctrls may have lost devices; nothing
 *                                        is on record
 */
int libxl_vscsi_take_missing(libxl_ctx *ctx, uint32_t domid,
                             libxl_device_vscsictrl *ctrls, int *num,
                             bool restarts);

/*
 * The domains that have vscsictrls: an ascending array of *num_r domids to be
 * freed with free().  What destroyed domains left is not listed, and stays.
 *
 *  ERROR_FAIL  xenstore cannot be read
 */
int libxl_vscsi_domains(libxl_ctx *ctx, uint32_t **domids_r, int *num_r);

/* ----- devices ----- */

/*
 * libxl_device_vscsictrl_add() for one device, on vscsictrl dev->vdev.hst,
 * with default options.  Creates the vscsictrl if need be.
 */
int libxl_device_vscsidev_add(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_vscsidev *dev,
                              const libxl_asyncop_how *ao_how)
                              LIBXL_EXTERNAL_CALLERS_ONLY;

/*
 * Removes the device with dev->vdev (the other fields are not looked at),
 * or, where its hst is LIBXL_VSCSI_ANY, the one that pdev.p_devname means;
 * with the last device of a vscsictrl goes the vscsictrl, as by the function
 * of the same name above, errors included.
 *
 * While other devices remain, the drivers know no way of taking a device
 * from a guest that does not answer.  _safe_remove and _remove alike then
 * return ERROR_GUEST_TIMEDOUT: where the guest had not begun, the request
 * is withdrawn and the device stays attached; otherwise calling again
 * carries on.  The message says which.  While the domain is paused or
 * suspended both return ERROR_NOT_READY.  Where it has crashed, has shut down
 * or is dying the whole vscsictrl is taken from it, and its other devices stay
 * on record.
 */
int libxl_device_vscsidev_remove(libxl_ctx *ctx, uint32_t domid,
                                 const libxl_device_vscsidev *dev,
                                 const libxl_asyncop_how *ao_how)
                                 LIBXL_EXTERNAL_CALLERS_ONLY;
int libxl_device_vscsidev_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                      const libxl_device_vscsidev *dev,
                                      const libxl_asyncop_how *ao_how)
                                      LIBXL_EXTERNAL_CALLERS_ONLY;

/* ----- helpers on the structs; they touch nothing else ----- */

/*
 * Appends a copy of dev to ctrl->vscsidevs.
 *  ERROR_NOMEM  ctrl is unchanged
 */
int libxl_device_vscsictrl_append_vscsidev(libxl_ctx *ctx,
                                           libxl_device_vscsictrl *ctrl,
                                           const libxl_device_vscsidev *dev);

/* Disposes of ctrl->vscsidevs[idx] and closes the gap; an idx that is out
 * of range is ignored. */
void libxl_device_vscsictrl_remove_vscsidev(libxl_ctx *ctx,
                                            libxl_device_vscsictrl *ctrl,
                                            int idx);

#ifdef __cplusplus
}
#endif

#endif /* LIBXL_VSCSI_H */
