/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl: what every command needs: options, the connection to Xen, domains. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "xl.h"

/* ----- options and arguments ----- */

static int stop(int status, int *status_r)
{
    *status_r = status;
    return XL_OPT_EXIT;
}

static int refuse_option(char **argv, int opt, int *status_r)
{
    const char *last = argv[optind > 1 ? optind - 1 : 1];
    bool is_long = !strncmp(last, "--", 2);

    if (opt == ':' && is_long)
        fprintf(stderr, "option `%s' requires an argument.\n", last);
    else if (opt == ':')
        fprintf(stderr, "option `%c' requires an argument.\n", optopt);
    else if (is_long)
        fprintf(stderr, "option `%s' not supported.\n", last);
    else
        fprintf(stderr, "option `%c' not supported.\n", optopt);
    return stop(XL_USAGE, status_r);
}

int xl_getopt(const xl_command *cmd, int argc, char **argv,
              const char *shortopts, const struct option *longopts,
              int min_args, int max_args, int *status_r)
{
    int opt, num_args;

    opterr = 0;
    opt = getopt_long(argc, argv, shortopts, longopts, NULL);
    if (opt == 'h') {
        xl_print_usage(stdout, cmd);
        return stop(xl_flush_stdout() ? XL_OK : XL_FAILURE, status_r);
    }
    if (opt == '?' || opt == ':')
        return refuse_option(argv, opt, status_r);
    if (opt != -1)
        return opt;

    num_args = argc - optind;
    if (num_args < min_args) {
        fprintf(stderr, "'xl %s' requires at least %d argument%s.\n\n",
                cmd->name, min_args, min_args == 1 ? "" : "s");
        xl_print_usage(stderr, cmd);
        return stop(XL_USAGE, status_r);
    }
    if (max_args >= 0 && num_args > max_args) {
        fprintf(stderr, "'xl %s' takes at most %d argument%s.\n\n",
                cmd->name, max_args, max_args == 1 ? "" : "s");
        xl_print_usage(stderr, cmd);
        return stop(XL_USAGE, status_r);
    }
    return XL_OPT_END;
}

bool xl_parse_unsigned(const char *text, unsigned max, unsigned *value_r)
{
    unsigned value = 0, digit;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        digit = (unsigned)(*text - '0');
        if (value > (max - digit) / 10 || digit > max)
            return false;
        value = value * 10 + digit;
    }
    *value_r = value;
    return true;
}

/* ----- the connection to Xen ----- */

static const char *why_no_xen(void)
{
    if (geteuid() != 0)
        return "only root may; try sudo";
    if (access("/dev/xen/privcmd", F_OK) && access("/proc/xen/privcmd", F_OK))
        return "this system does not run as dom0 of a Xen hypervisor"
               " (no /dev/xen/privcmd)";
    return "-v before the command says more";
}

bool xl_open(const xl_globals *globals, xl_session *session_r)
{
    xentoollog_level level = (xentoollog_level)globals->level;
    xentoollog_logger_stdiostream *log;
    xentoollog_logger *logger;
    libxl_ctx *ctx;
    bool quiet;

    log = xtl_createlogger_stdiostream(stderr, level, globals->log_flags);
    if (!log)
        return false;           /* said so itself */
    logger = (xentoollog_logger *)log;

    /* Each of Xen's libraries has a line to say when there is no Xen; one
     * that tells what to do is better, except to somebody who asked. */
    quiet = globals->level >= XTL_PROGRESS;
    if (quiet)
        xtl_stdiostream_set_minlevel(log, XTL_CRITICAL);
    if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, logger)) {
        fprintf(stderr, "xl: cannot reach Xen: %s\n", why_no_xen());
        xtl_logger_destroy(logger);
        return false;
    }
    if (quiet)
        xtl_stdiostream_set_minlevel(log, level);

    libxl_vscsi_set_logger(logger);
    session_r->logger = logger;
    session_r->ctx = ctx;
    return true;
}

void xl_close(xl_session *session)
{
    libxl_vscsi_set_logger(NULL);
    libxl_ctx_free(session->ctx);
    xtl_logger_destroy(session->logger);
}

bool xl_find_domain(libxl_ctx *ctx, const char *text, uint32_t *domid_r)
{
    int rc = libxl_domain_qualifier_to_domid(ctx, text, domid_r);

    if (rc == ERROR_FAIL)
        fprintf(stderr, "xl: cannot look domain %s up: xenstore cannot be "
                "reached (is xenstored running?)\n", text);
    else if (rc)
        fprintf(stderr, "there is no domain %s\n", text);
    return !rc;
}

bool xl_flush_stdout(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return true;
    fprintf(stderr, "xl: cannot write to stdout: %s\n", strerror(errno));
    return false;
}

void xl_format_hctl(const libxl_vscsi_hctl *hctl, char text_r[XL_HCTL_SIZE])
{
    snprintf(text_r, XL_HCTL_SIZE,
             "%" PRIu32 ":%" PRIu32 ":%" PRIu32 ":%" PRIu64, hctl->hst,
             hctl->chn, hctl->tgt, hctl->lun);
}
