/* SPDX-License-Identifier: LGPL-2.1-only */
/* In the place of Xen, where there is none: every domain is there. */
#include <string.h>
#include <xenctrl.h>

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    static char xc;

    (void)logger, (void)dombuild_logger, (void)open_flags;
    return (xc_interface *)&xc;
}

int xc_interface_close(xc_interface *xch)
{
    (void)xch;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
                          unsigned int max_domains, xc_domaininfo_t *info)
{
    (void)xch, (void)max_domains;
    memset(info, 0, sizeof(*info));
    info->domain = (domid_t)first_domain;
    return 1;
}
