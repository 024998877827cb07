/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl: getting the hooks into the distribution's xl.  The loader goes on when
 * it cannot preload something, and so would xl, without the SCSI devices:
 * the commands that must not are not run then.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hooks_version.h"
#include "xl_exec.h"

#if __SIZEOF_POINTER__ == 8
typedef Elf64_Ehdr elf_header;
#else
typedef Elf32_Ehdr elf_header;
#endif

/* ----- commands ----- */

/* The first word that is no global option; NULL: there is none. */
static char **find_command(char **argv)
{
    if (!argv[0])
        return NULL;
    for (argv++; *argv && (*argv)[0] == '-'; argv++)
        ;
    return *argv ? argv : NULL;
}

/* Starts, saves, sends or resumes it a domain, or keeps a vscsi= for later?
 * xl takes unambiguous beginnings as well. */
static bool needs_hooks(const char *command)
{
    static const char *const commands[] = {
        "create", "restore", "save", "migrate", "migrate-receive", "remus",
        "suspend", "resume", "config-update",
    };
    size_t i, length = strlen(command);

    for (i = 0; length && i < sizeof(commands) / sizeof(*commands); i++)
        if (!strncmp(command, commands[i], length))
            return true;
    return false;
}

/* ----- can it be loaded? ----- */

static const char other_rights[] =
    "is not loaded where xl gets another user's rights";
static const char out_of_memory[] = "out of memory";

/* Nothing is installed for the release of Xen that runs. */
static char no_release[160];

static const char *what_to_do(const char *fault)
{
    static char what[64];

    if (fault == no_release) {
        snprintf(what, sizeof(what), "install xen-vscsi-%s",
                 xl_running_release());
        return what;
    }
    if (fault == other_rights)
        return "run xl as that user instead";
    if (fault == out_of_memory)
        return "try again";
    return "install xen-vscsi again";
}

static bool is_for_this_machine(const elf_header *h)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    elf_header self;
    ssize_t r = fd < 0 ? -1 : read(fd, &self, sizeof(self));

    if (fd >= 0)
        close(fd);
    return r == (ssize_t)sizeof(self) && h->e_type == ET_DYN &&
           h->e_machine == self.e_machine &&
           !memcmp(h->e_ident, self.e_ident, EI_VERSION);
}

/* What is wrong with an object; NULL: nothing.  The headers of its sections
 * are at its end. */
static const char *find_fault(const unsigned char *object, size_t size)
{
    elf_header h;

    if (size < sizeof(h))
        return "is cut short";
    memcpy(&h, object, sizeof(h));
    if (!is_for_this_machine(&h))
        return "is no object for this machine";
    if (h.e_shoff + (size_t)h.e_shnum * h.e_shentsize > size)
        return "is cut short";
    if (!memmem(object, size, HOOKS_STAMP, sizeof(HOOKS_STAMP)))
        return "is of another version than this xl";
    return NULL;
}

static const char *why_not_opened(const char *pattern)
{
    if (errno != ENOENT || !strstr(pattern, "%s"))
        return strerror(errno);
    snprintf(no_release, sizeof(no_release), "%s, so PVSCSI for Xen %s, which"
             " runs here, is not installed", strerror(errno),
             xl_running_release());
    return no_release;
}

/* Why the loader would not load the hooks; NULL: it would, as far as can be
 * told from here. */
static const char *why_not(const char *path, const char *pattern)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *fault;
    struct stat st;
    void *object;

    if (fd < 0)
        return why_not_opened(pattern);
    object = fstat(fd, &st) || !st.st_size ? MAP_FAILED
             : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (object == MAP_FAILED)
        return "is cut short";
    fault = find_fault(object, (size_t)st.st_size);
    munmap(object, (size_t)st.st_size);
    if (!fault && (getauxval(AT_SECURE) || getuid() != geteuid() ||
                   getgid() != getegid()))
        return other_rights;
    return fault;
}

/* ----- what xl starts with ----- */

/* Before what the environment has of these already. */
static const char *preload(const char *hooks)
{
    const char *others = getenv("LD_PRELOAD");
    char *list;

    if (asprintf(&list, "%s%s%s", hooks, others && others[0] ? ":" : "",
                 others ? others : "") < 0)
        return out_of_memory;
    return setenv("LD_PRELOAD", list, 1) ? out_of_memory : NULL;
}

static const char *mark(char **command)
{
    return asprintf(command, "%s" HOOKS_MARK, *command) < 0 ? out_of_memory
                                                            : NULL;
}

static bool is_off(void)
{
    const char *word = getenv("XL_VSCSI");

    return word && !strcmp(word, "off");
}

bool xl_preload(const char *pattern, char **argv)
{
    char **command = find_command(argv), hooks[PATH_MAX];
    bool needs = command && needs_hooks(*command);
    const char *fault;

    /* Without Xen, xl does nothing that they could stand before. */
    if (!xl_find_ours(pattern, hooks, sizeof(hooks)))
        return true;
    if (is_off()) {
        if (needs)
            fprintf(stderr, "xl: vscsi= and the SCSI devices of domains are"
                    " left out, as XL_VSCSI=off says\n");
        return true;
    }
    fault = why_not(hooks, pattern);
    if (!fault)
        fault = preload(hooks);
    if (!fault && needs)
        fault = mark(command);
    if (!fault)
        return true;
    if (needs)
        fprintf(stderr, "xl: cannot %s: vscsi= and the SCSI devices of"
                " domains would be left out: %s: %s; %s.  XL_VSCSI=off in the"
                " environment goes on without the SCSI devices\n", *command,
                hooks, fault, what_to_do(fault));
    else
        fprintf(stderr, "xl: cannot preload %s: %s; vscsi= and the SCSI"
                " devices of domains are not handled (%s)\n", hooks, fault,
                what_to_do(fault));
    return !needs;
}
