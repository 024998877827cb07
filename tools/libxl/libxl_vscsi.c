/* SPDX-License-Identifier: LGPL-2.1-only */
/* The public API of changes: takes a request, runs it here or on a thread. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "libxl_vscsi_operations.h"

/* ----- requests ----- */

typedef enum request_kind { ATTACH, DETACH } request_kind;

typedef struct request {
    request_kind kind;
    libxl_ctx *ctx;
    uint32_t domid;
    libxl_device_vscsictrl ctrl;        /* ATTACH */
    libxl_devid devid;                  /* DETACH */
    bool whole_ctrl;
    libxl_vscsi_hctl vdev;
    char *name;                         /* in the place of both; NULL */
    libxl__vscsi_removal how;
    libxl_asyncop_how ao_how;
} request;

static int run_request(request *req)
{
    libxl__vscsi_ref ref = { .domid = req->domid, .devid = req->devid };
    libxl__vscsi_ctx vc;
    int rc;

    rc = libxl__vscsi_ctx_init(&vc);
    if (rc)
        goto out;
    rc = libxl__vscsi_domain_look(&vc, req->ctx, req->domid);
    if (rc)
        goto out;
    if (req->kind == ATTACH)
        rc = libxl__vscsi_attach(&vc, req->domid, &req->ctrl);
    else if (req->name)
        rc = libxl__vscsi_detach_named(&vc, req->domid, req->name, req->how);
    else
        rc = libxl__vscsi_detach(&vc, ref, &req->vdev,
                                 req->whole_ctrl ? 0 : 1, req->how);
out:
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

static void dispose_request(request *req)
{
    if (req->kind == ATTACH)
        libxl_device_vscsictrl_dispose(&req->ctrl);
    free(req->name);
}

static void *run_in_background(void *arg)
{
    request *req = arg;
    libxl_asyncop_how how = req->ao_how;
    libxl_ctx *ctx = req->ctx;
    int rc;

    rc = run_request(req);
    dispose_request(req);
    free(req);
    how.callback(ctx, rc, how.u.for_callback);
    return NULL;
}

/* Signals are the application's; none must land on a thread of ours. */
static int start_thread(request *req)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_t thread;
    int r;

    sigfillset(&all);
    r = pthread_attr_init(&attr);
    if (r)
        return r;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    r = pthread_create(&thread, &attr, run_in_background, req);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return r;
}

static int fail(const char *what, int rc)
{
    libxl__vscsi_ctx vc;

    if (!libxl__vscsi_ctx_init(&vc))
        libxl__vscsi_error(&vc, "%s", what);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

/* Takes req's contents over, whatever it returns. */
static int start_request(request *req, const libxl_asyncop_how *ao_how)
{
    request *copy;

    req->ao_how = *ao_how;
    copy = malloc(sizeof(*copy));
    if (!copy) {
        dispose_request(req);
        return fail("out of memory", ERROR_NOMEM);
    }
    *copy = *req;
    if (!start_thread(copy))
        return 0;
    dispose_request(copy);
    free(copy);
    return fail("cannot start a thread for the operation", ERROR_FAIL);
}

static int check_ao_how(const libxl_asyncop_how *ao_how)
{
    if (!ao_how || ao_how->callback)
        return 0;
    return fail("an ao_how without a callback asks for libxl's event queue, "
                "which only libxl itself can feed", ERROR_INVAL);
}

/* Takes req's contents over. */
static int remove_any(request *req, const libxl_asyncop_how *ao_how)
{
    int rc;

    rc = check_ao_how(ao_how);
    if (!rc && ao_how)
        return start_request(req, ao_how);
    if (!rc)
        rc = run_request(req);
    dispose_request(req);
    return rc;
}

/* ----- vscsictrls ----- */

static int precheck_ctrl(uint32_t domid, libxl_device_vscsictrl *ctrl)
{
    libxl__vscsi_ctx vc;
    int rc;

    rc = libxl__vscsi_ctx_init(&vc);
    if (!rc)
        rc = libxl__vscsi_check_ctrl(&vc, domid, ctrl);
    libxl__vscsi_ctx_dispose(&vc);
    return rc;
}

int libxl_device_vscsictrl_add(libxl_ctx *ctx, uint32_t domid,
                               libxl_device_vscsictrl *ctrl,
                               const libxl_asyncop_how *ao_how)
{
    request req = { .kind = ATTACH, .ctx = ctx, .domid = domid };
    int rc;

    rc = check_ao_how(ao_how);
    if (rc)
        return rc;
    if (libxl_device_vscsictrl_copy(ctx, &req.ctrl, ctrl))
        return fail("out of memory", ERROR_NOMEM);
    if (ao_how) {
        rc = precheck_ctrl(domid, &req.ctrl);
        if (!rc)
            return start_request(&req, ao_how);
    } else {
        rc = run_request(&req);
    }
    if (!rc) {                  /* the values in force go to the caller */
        libxl_device_vscsictrl old = *ctrl;

        *ctrl = req.ctrl;
        req.ctrl = old;
    }
    dispose_request(&req);
    return rc;
}

static int remove_ctrl(libxl_ctx *ctx, uint32_t domid,
                       const libxl_device_vscsictrl *ctrl,
                       libxl__vscsi_removal how,
                       const libxl_asyncop_how *ao_how)
{
    request req = {
        .kind = DETACH, .ctx = ctx, .domid = domid, .how = how,
        .devid = ctrl->devid == -1 ? ctrl->idx : ctrl->devid,
        .whole_ctrl = true,
    };

    return remove_any(&req, ao_how);
}

int libxl_device_vscsictrl_remove(libxl_ctx *ctx, uint32_t domid,
                                  const libxl_device_vscsictrl *ctrl,
                                  const libxl_asyncop_how *ao_how)
{
    return remove_ctrl(ctx, domid, ctrl, LIBXL__VSCSI_REMOVE, ao_how);
}

int libxl_device_vscsictrl_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                       const libxl_device_vscsictrl *ctrl,
                                       const libxl_asyncop_how *ao_how)
{
    return remove_ctrl(ctx, domid, ctrl, LIBXL__VSCSI_SAFE_REMOVE, ao_how);
}

int libxl_device_vscsictrl_destroy(libxl_ctx *ctx, uint32_t domid,
                                   const libxl_device_vscsictrl *ctrl,
                                   const libxl_asyncop_how *ao_how)
{
    return remove_ctrl(ctx, domid, ctrl, LIBXL__VSCSI_DESTROY, ao_how);
}

/* ----- devices ----- */

int libxl_device_vscsidev_add(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_vscsidev *dev,
                              const libxl_asyncop_how *ao_how)
{
    libxl_device_vscsictrl ctrl;
    int rc;

    libxl_device_vscsictrl_init(&ctrl);
    rc = libxl_device_vscsictrl_append_vscsidev(ctx, &ctrl, dev);
    if (!rc)
        rc = libxl_device_vscsictrl_add(ctx, domid, &ctrl, ao_how);
    if (!rc && !ao_how) {
        libxl_device_vscsidev old = *dev;

        *dev = ctrl.vscsidevs[0];
        ctrl.vscsidevs[0] = old;
    }
    libxl_device_vscsictrl_dispose(&ctrl);
    return rc;
}

static int remove_dev(libxl_ctx *ctx, uint32_t domid,
                      const libxl_device_vscsidev *dev,
                      libxl__vscsi_removal how,
                      const libxl_asyncop_how *ao_how)
{
    request req = {
        .kind = DETACH, .ctx = ctx, .domid = domid, .how = how,
        .vdev = dev->vdev,
        /* What is no vscsictrl's number names none. */
        .devid = dev->vdev.hst > LIBXL_VSCSI_MAX_HOST ? -2
                 : (libxl_devid)dev->vdev.hst,
    };

    if (dev->vdev.hst == LIBXL_VSCSI_ANY && dev->pdev.p_devname) {
        req.name = strdup(dev->pdev.p_devname);
        if (!req.name)
            return fail("out of memory", ERROR_NOMEM);
    }
    return remove_any(&req, ao_how);
}

int libxl_device_vscsidev_remove(libxl_ctx *ctx, uint32_t domid,
                                 const libxl_device_vscsidev *dev,
                                 const libxl_asyncop_how *ao_how)
{
    return remove_dev(ctx, domid, dev, LIBXL__VSCSI_REMOVE, ao_how);
}

int libxl_device_vscsidev_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                      const libxl_device_vscsidev *dev,
                                      const libxl_asyncop_how *ao_how)
{
    return remove_dev(ctx, domid, dev, LIBXL__VSCSI_SAFE_REMOVE, ao_how);
}
