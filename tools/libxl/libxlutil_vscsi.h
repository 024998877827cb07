/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxlutil-vscsi: the text forms of PVSCSI devices, as they stand in
 * domU.cfg and on xl's command line, to libxl's types.  Pure text: nothing
 * here looks at xenstore, sysfs or configfs, so /dev/... stays a name
 * (pdev.type INVALID) until libxl_device_vscsictrl_add() looks it up.
 *
 * Syntax and ranges: docs/misc/pvscsi.txt, "Configuration".
 *
 * Conventions, for every function below
 *
 *  Returns 0, ERROR_INVAL (the text is wrong) or ERROR_NOMEM.  On failure
 *  *msg_r is a message for the person who wrote the text, without newline,
 *  that quotes the text and the place in it; free it with free().  It is
 *  NULL when memory ran out, and untouched on success.  msg_r may be NULL.
 *
 *  Structs must have been initialised with libxl_<type>_init, are filled
 *  in on success and untouched on failure; the caller disposes of them.
 */
#ifndef LIBXLUTIL_VSCSI_H
#define LIBXLUTIL_VSCSI_H

#include <libxl_vscsi.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * 'pdev,vdev[,option...]': fills in *ctrl_r with the vscsictrl's number and
 * options and the one device.  What *ctrl_r held before is disposed of.
 */
int xlu_vscsi_parse(const char *spec, libxl_device_vscsictrl *ctrl_r,
                    char **msg_r);

/* 'pdev[,vdev][,option...]': the same, but where vdev is left out, its hst
 * is LIBXL_VSCSI_ANY. */
int xlu_vscsi_parse_short(const char *spec, libxl_device_vscsictrl *ctrl_r,
                          char **msg_r);

/* 'pdev' alone, and of one device. */
int xlu_vscsi_parse_pdev(const char *spec, libxl_vscsi_pdev *pdev_r,
                         char **msg_r);

/* 'HOST:CHANNEL:TARGET:LUN' as the guest sees it. */
int xlu_vscsi_parse_vdev(const char *spec, libxl_vscsi_hctl *vdev_r,
                         char **msg_r);

/* 'HOST:*', a whole vscsictrl. */
int xlu_vscsi_parse_ctrl(const char *spec, libxl_devid *devid_r,
                         char **msg_r);

/*
 * One line of vscsi=[...] more: parses spec and puts the device into the
 * vscsictrl of its number in (*ctrls)[*num], which is appended when it is not
 * there yet.  Refuses a vdev or a pdev that the array has already, and
 * feature-host or segments that differ from the same vscsictrl's earlier
 * lines; of these, segments need not be given on each.
 *
 * *ctrls is NULL with *num 0 at first; it is freed with
 * libxl_device_vscsictrl_list_free().
 */
int xlu_vscsi_config_add(const char *spec, libxl_device_vscsictrl **ctrls,
                         int *num, char **msg_r);

/*
 * The text of a device as the functions above read it, to be freed with
 * free(); NULL when memory ran out.  pdev is its p_devname, or if there is
 * none its address; empty if it has neither.
 */
char *xlu_vscsi_to_string(const libxl_device_vscsictrl *ctrl,
                          const libxl_device_vscsidev *dev);

#ifdef __cplusplus
}
#endif

#endif /* LIBXLUTIL_VSCSI_H */
