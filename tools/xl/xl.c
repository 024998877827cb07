/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl-scsi, which is xl for the SCSI commands and for whatever the launcher
 * (xl_launch.c) leaves open: it runs our commands itself, and is the
 * distribution's xl for everything else.
 */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xl.h"

static const xl_command commands[] = {
    { .name = "scsi-attach", .run = main_vscsiattach,
      .can_dryrun = true, .modifies = true,
      .desc = "Attach a SCSI device of dom0 to a domain",
      .usage = "[-f] [--libvirt] <Domain> <PhysDevice> [<VirtDevice>][,<Option>...]",
      .options =
        "-h                   Print this help.\n"
        "-f, --force          Of a <PhysDevice> that ends in :*, attach what\n"
        "                     is free, and name the rest.\n"
        "--libvirt            Keep it in libvirt's definition of the domain.\n"
        "--timeout=SECONDS    How long domain and dom0 may take to connect\n"
        "                     the device (default 60).\n" },
    { .name = "scsi-detach", .run = main_vscsidetach,
      .can_dryrun = true, .modifies = true,
      .desc = "Detach a SCSI device from a domain",
      .usage = "[-f] [--libvirt] <Domain> <VirtDevice>|<PhysDevice>|<Host>:*",
      .options =
        "-h                   Print this help.\n"
        "-f, --force          Take the device away where the domain does not\n"
        "                     let go of it.\n"
        "--libvirt            Take it out of libvirt's definition of the\n"
        "                     domain as well.\n"
        "--timeout=SECONDS    How long the domain may take to let go of the\n"
        "                     device (default 60).\n" },
    { .name = "scsi-list", .run = main_vscsilist,
      .desc = "List the SCSI devices of dom0 that domains have",
      .usage = "[--json] [<Domain(s)>]",
      .options =
        "-h                   Print this help.\n"
        "--json               Print JSON, with more facts.\n" },
    { .name = "scsi-assignable-list", .run = main_vscsiassignable,
      .desc = "List the SCSI devices that dom0 can give to domains",
      .usage = "[-a] [--json]",
      .options =
        "-h                   Print this help.\n"
        "-a, --all            List those as well that are in use.\n"
        "--json               Print JSON, with more facts.\n" },
    { .name = "scsi-wake", .run = main_vscsiwake, .modifies = true,
      .desc = "Let a domain go on whose SCSI devices stayed suspended",
      .usage = "<Domain>",
      .options =
        "-h                   Print this help.\n" },
    { .name = "scsi-cleanup", .run = main_vscsicleanup, .modifies = true,
      .desc = "Remove what destroyed domains left of their SCSI devices",
      .usage = "[<Domid>]",
      .options =
        "-h                   Print this help.\n" },
};

#define NAME_WIDTH 19           /* as in the list of the real one */
#define NUM_COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* By name or unambiguous beginning.  What begins several of ours is left to
 * the distribution's xl, which says what it says of any such beginning. */
static const xl_command *find_command(const char *text)
{
    const xl_command *found = NULL;
    size_t i, length = strlen(text);

    if (!length)
        return NULL;
    for (i = 0; i < NUM_COMMANDS; i++) {
        if (strncmp(text, commands[i].name, length))
            continue;
        if (found)
            return NULL;
        found = &commands[i];
    }
    return found;
}

/* ----- help ----- */

void xl_print_usage(FILE *f, const xl_command *cmd)
{
    fprintf(f, "Usage: xl [-vtT%s%s] %s%s%s\n\n%s.\n\n",
            cmd->modifies ? "f" : "", cmd->can_dryrun ? "N" : "", cmd->name,
            *cmd->usage ? " " : "", cmd->usage, cmd->desc);
    fprintf(f, "Options:\n\n%s\n", cmd->options);
}

void xl_print_list(FILE *f)
{
    size_t i;

    for (i = 0; i < NUM_COMMANDS; i++)
        fprintf(f, strlen(commands[i].name) < NAME_WIDTH
                ? " %-*s %s\n" : " %-*s \n                     %s\n",
                NAME_WIDTH, commands[i].name, commands[i].desc);
}

/* ----- which command ----- */

/* False: not an option that we know. */
static bool parse_globals(int argc, char **argv, xl_globals *globals_r)
{
    xl_globals globals = { .level = XTL_PROGRESS };
    int opt;

    opterr = 0;
    while ((opt = getopt(argc, argv, "+vftTN")) != -1) {
        switch (opt) {
        case 'v':
            if (globals.level > 0)
                globals.level--;
            break;
        case 'f':
            break;              /* there is nothing of ours it could force */
        case 't':
            globals.log_flags |= XTL_STDIOSTREAM_PROGRESS_USE_CR;
            break;
        case 'T':
            globals.log_flags |= XTL_STDIOSTREAM_SHOW_DATE |
                                 XTL_STDIOSTREAM_SHOW_PID;
            break;
        case 'N':
            globals.dryrun = true;
            break;
        default:
            return false;
        }
    }
    *globals_r = globals;
    return true;
}

/* Only what a signal handler may. */
static void say_interrupted(int signal_number)
{
    static const char text[] = "\nxl: interrupted; what was begun is on "
        "record (xl scsi-list shows it), and the next scsi-attach, "
        "scsi-detach or scsi-cleanup finishes or undoes it\n";
    ssize_t r = write(STDERR_FILENO, text, sizeof(text) - 1);

    (void)r;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int run_command(const xl_command *cmd, const xl_globals *globals,
                       int argc, char **argv)
{
    if (globals->dryrun && !cmd->can_dryrun) {
        fprintf(stderr, "command does not implement -N (dryrun) option\n");
        return XL_FAILURE;
    }
    if (cmd->modifies)
        signal(SIGINT, say_interrupted);
    optind = 0;                 /* the global options are done with */
    return cmd->run(cmd, globals, argc, argv);
}

static int help(char **argv, const char *about)
{
    const xl_command *cmd;

    if (!about || !strcmp(about, "help"))
        return xl_list_with_real(argv);
    cmd = find_command(about);
    if (!cmd)
        return xl_exec_real(argv);
    xl_print_usage(stdout, cmd);
    return xl_flush_stdout() ? XL_OK : XL_FAILURE;
}

int main(int argc, char **argv)
{
    const xl_command *cmd;
    xl_globals globals;

    mallopt(M_ARENA_MAX, 1);    /* libxenstore's thread needs no heap */
    if (!parse_globals(argc, argv, &globals))
        return optopt == 'h' ? xl_list_with_real(argv) : xl_exec_real(argv);
    if (optind >= argc)
        return xl_list_with_real(argv);
    if (!strcmp(argv[optind], "help"))
        return help(argv, argv[optind + 1]);
    cmd = find_command(argv[optind]);
    if (!cmd)
        return xl_exec_real(argv);
    return run_command(cmd, &globals, argc - optind, argv + optind);
}
