/* SPDX-License-Identifier: LGPL-2.1-only */
/* vscsi=[...] of a configuration file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxlutil_vscsi.h>

#include "hooks_life.h"

#define FORM "vscsi = [ 'PDEV,VDEV[,OPTION]', ... ]"

static int refuse_entry(const char *source, int i, const char *msg)
{
    static const char prefix[] = "vscsi: ";

    if (msg && !strncmp(msg, prefix, sizeof(prefix) - 1))
        msg += sizeof(prefix) - 1;
    fprintf(stderr, "%s: vscsi: entry %d: %s\n", source, i + 1,
            msg ? msg : "out of memory");
    return msg ? EINVAL : ENOMEM;
}

int hooks_config_read(XLU_Config *cfg, const char *source)
{
    XLU_ConfigList *entries;
    hooks_list list = { .ctrls = NULL };
    const char *text;
    char *msg = NULL;
    int e, i, num = 0;

    e = hooks_real_xl->xlu_cfg_get_list(cfg, "vscsi", &entries, &num, 1);
    if (e && e != ESRCH) {
        fprintf(stderr, "%s: vscsi: a list is needed: " FORM "\n", source);
        return e;
    }
    if (e)
        num = 0;
    for (i = 0, e = 0; i < num && !e; i++) {
        text = hooks_real_xl->xlu_cfg_get_listitem(entries, i);
        if (!text)
            e = refuse_entry(source, i, "it is no text: " FORM);
        else if (xlu_vscsi_config_add(text, &list.ctrls, &list.num, &msg))
            e = refuse_entry(source, i, msg);
    }
    free(msg);
    if (e)
        hooks_list_dispose(&list);
    else
        hooks_table_put_pending(&list);
    return e;
}
