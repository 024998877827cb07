/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A program named xl, as far as the hooks can tell: it calls libxl in the
 * order in which the distribution's xl does, looks at the return codes that
 * that one looks at and at no others, and ends with its exit codes.
 *
 *     create FILE              restore [CONFIG] FILE    save DOM FILE [CONFIG]
 *     migrate DOM COMMAND [CONFIG]                      migrate-receive
 *     remus DOM COMMAND        config-update DOM FILE   list DOM ...
 *     destroy|suspend|resume|network-attach DOM         block-attach DOM PATH
 *     environment NAME
 *
 * The monitor that a create leaves behind is the same process here, and the
 * guest does what EVENTS says: reboot, rename, soft-reset, poweroff.  Before
 * each of them the command RUN is run.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>
#include <yajl/yajl_gen.h>

#include <_libxl_types_json.h>

#define NO_DOMID ((uint32_t)-1)
#define MAGIC "Xen saved domain, xl format\n \0 \r"
#define FLAG_JSON 1u
#define FLAG_STREAM 2u

static const char banner[] = "xl migration receiver: here",
                  ready[] = "ready", go[] = "go ahead", report[] = "report";

typedef struct header {
    char magic[32];
    uint32_t byteorder, mandatory_flags, optional_flags, optional_data_len;
} header;

static libxl_ctx *ctx;

static void __attribute__((noreturn)) fail(const char *text)
{
    fprintf(stderr, "xl said: %s\n", text);
    exit(1);
}

static uint32_t read_domid(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

static char *read_file(const char *path, size_t *length_r)
{
    static char text[65536];
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (length < 0)
        fail("cannot read the file");
    close(fd);
    text[length] = '\0';
    if (length_r)
        *length_r = (size_t)length;
    return text;
}

/* xl ends where a file cannot be parsed, the monitor as well. */
static void parse(const char *name, const char *text)
{
    XLU_Config *cfg = xlu_cfg_init(stderr, name);

    if (xlu_cfg_readdata(cfg, text, (int)strlen(text)))
        fail("cannot parse");
    xlu_cfg_destroy(cfg);
}

/* ----- a domain is made ----- */

typedef struct creation {
    libxl_domain_config config;
    uint32_t domid;
    int fd;                     /* restored from there; else -1 */
    uint32_t soft_reset;
} creation;

/* The JSON that stands before what is saved.  Nobody looks at what comes of
 * from_json. */
static void read_saved(creation *c, const char *config)
{
    char *text;
    header h;

    if (libxl_read_exactly(ctx, c->fd, &h, sizeof(h), "saved", "header"))
        exit(255);
    if (memcmp(h.magic, MAGIC, sizeof(h.magic)))
        fail("wrong magic");
    if (h.mandatory_flags & ~(FLAG_JSON | FLAG_STREAM))
        fail("unknown flags");
    text = calloc(1, h.optional_data_len + 1);
    if (libxl_read_exactly(ctx, c->fd, text, h.optional_data_len, "saved",
                           "optdata"))
        exit(255);
    if (config)
        parse(config, read_file(config, NULL));
    else
        libxl_domain_config_from_json(ctx, &c->config, text + 4);
    free(text);
}

static int make(creation *c)
{
    int rc;

    if (c->fd >= 0)
        rc = libxl_domain_create_restore(ctx, &c->config, &c->domid, c->fd,
                                         -1, NULL, NULL, NULL);
    else if (c->soft_reset != NO_DOMID)
        rc = libxl_domain_soft_reset(ctx, &c->config, c->soft_reset, NULL,
                                     NULL);
    else
        rc = libxl_domain_create_new(ctx, &c->config, &c->domid, NULL, NULL);
    if (c->soft_reset != NO_DOMID)
        c->domid = c->soft_reset;
    c->soft_reset = NO_DOMID;
    c->fd = -1;
    if (rc && c->domid != NO_DOMID)
        libxl_domain_destroy(ctx, c->domid, NULL);
    return rc;
}

/* What config-update left counts, else what libxl has; if that fails, what
 * there was. */
static void reload(creation *c)
{
    libxl_domain_config config;

    if (!access("updated", F_OK)) {
        libxl_domain_config_dispose(&c->config);
        libxl_domain_config_init(&c->config);
        parse("<updated>", read_file("updated", NULL));
        unlink("updated");
        return;
    }
    libxl_domain_config_init(&config);
    if (libxl_retrieve_domain_configuration(ctx, c->domid, &config, NULL)) {
        fprintf(stderr, "xl said: the configuration stays\n");
        libxl_domain_config_dispose(&config);
        return;
    }
    libxl_domain_config_dispose(&c->config);
    memcpy(&c->config, &config, sizeof(config));
}

/* False: it does not come again. */
static bool handle(creation *c, const char *event)
{
    static const libxl_uuid uuid;

    if (!strcmp(event, "poweroff")) {
        libxl_domain_destroy(ctx, c->domid, NULL);
        return false;
    }
    reload(c);
    if (!strcmp(event, "soft-reset")) {
        c->soft_reset = c->domid;
    } else if (!strcmp(event, "rename")) {
        if (libxl_domain_preserve(ctx, c->domid, &c->config.c_info, "-old",
                                  uuid))
            exit(255);
    } else {
        libxl_domain_destroy(ctx, c->domid, NULL);
    }
    c->domid = NO_DOMID;
    return true;
}

static int monitor(creation *c)
{
    const char *run = getenv("RUN"), *events = getenv("EVENTS");
    char *copy = strdup(events ? events : ""), *word, *state = NULL;
    int rc = 0;

    for (word = strtok_r(copy, " ", &state); word && !rc;
         word = strtok_r(NULL, " ", &state)) {
        if (run && system(run))
            fail("RUN failed");
        if (!handle(c, word))
            break;
        rc = make(c);
        if (!rc)
            libxl_domain_unpause(ctx, c->domid, NULL);
    }
    free(copy);
    return rc;
}

static int create(const char *config, int fd, bool paused)
{
    creation c = { .domid = NO_DOMID, .fd = fd, .soft_reset = NO_DOMID };
    int rc;

    libxl_domain_config_init(&c.config);
    if (fd >= 0)
        read_saved(&c, config);
    else if (config)
        parse(config, read_file(config, NULL));
    c.config.disks = (libxl_device_disk[]){ { .pdev_path = NULL } };
    c.config.num_disks = 1;     /* every guest has one */
    rc = make(&c);
    if (!rc && !paused)
        libxl_domain_unpause(ctx, c.domid, NULL);
    if (!rc)
        rc = monitor(&c);
    libxl_domain_config_dispose(&c.config);
    return rc;
}

/* ----- a domain is saved or sent ----- */

static char *begin_save(uint32_t domid, const char *config)
{
    libxl_domain_config d_config;
    char *text;

    libxl_domain_config_init(&d_config);
    if (config)
        parse(config, read_file(config, NULL));
    else if (libxl_retrieve_domain_configuration(ctx, domid, &d_config, NULL))
        fail("cannot retrieve");
    text = libxl_domain_config_to_json(ctx, &d_config);
    if (!text)
        fail("no JSON");
    libxl_domain_config_dispose(&d_config);
    return text;
}

static void write_header(int fd, const char *source, const char *json)
{
    uint32_t length = (uint32_t)strlen(json) + 1;
    header h = { .byteorder = 0x01020304, .optional_data_len = 4 + length,
                 .mandatory_flags = FLAG_JSON | FLAG_STREAM };
    char *data = calloc(1, h.optional_data_len);

    if (!data)
        abort();
    memcpy(h.magic, MAGIC, sizeof(h.magic));
    memcpy(data, &length, 4);
    memcpy(data + 4, json, length);
    if (libxl_write_exactly(ctx, fd, &h, sizeof(h), source, "header") ||
        libxl_write_exactly(ctx, fd, data, h.optional_data_len, source,
                            "header"))
        exit(255);
    free(data);
}

static int save(uint32_t domid, const char *file, const char *config)
{
    char *json = begin_save(domid, config);
    int rc, fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    write_header(fd, file, json);
    rc = libxl_domain_suspend(ctx, domid, fd, 0, NULL);
    if (rc < 0)
        libxl_domain_resume(ctx, domid, 1, NULL);
    else
        libxl_domain_destroy(ctx, domid, NULL);
    return rc < 0;
}

static void start_receiver(const char *command, int *to_r, int *from_r)
{
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
        fail("no pipe");
    if (!fork()) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    *to_r = to[1];
    *from_r = from[0];
    signal(SIGPIPE, SIG_IGN);
}

static bool reads(int fd, const char *text, size_t size, const char *what)
{
    char buf[64];

    return !libxl_read_exactly(ctx, fd, buf, (ssize_t)size,
                               "migration receiver stream", what) &&
           !memcmp(buf, text, size);
}

static int begin_migration(uint32_t domid, const char *command,
                           const char *config, int *from_r)
{
    char *json = begin_save(domid, config);
    int to;

    start_receiver(command, &to, from_r);
    if (!reads(*from_r, banner, sizeof(banner) - 1, "banner"))
        fail("no banner");
    write_header(to, "migration stream", json);
    free(json);
    return to;
}

static int end_migration(uint32_t domid, int to, bool resumes,
                         const char *text)
{
    close(to);
    while (wait(NULL) > 0)
        ;
    fprintf(stderr, "xl said: %s\n", text);
    if (resumes)
        libxl_domain_resume(ctx, domid, 1, NULL);
    return 1;
}

static int migrate(uint32_t domid, const char *command, const char *config)
{
    int from, to = begin_migration(domid, command, config, &from), rc;
    char code;

    rc = libxl_domain_suspend(ctx, domid, to, LIBXL_SUSPEND_LIVE, NULL);
    if (rc)
        return end_migration(domid, to, rc != ERROR_GUEST_TIMEDOUT,
                             "not suspended");
    if (!reads(from, ready, sizeof(ready), "ready message"))
        return end_migration(domid, to, true, "not ready");
    if (libxl_write_exactly(ctx, to, go, sizeof(go), "migration stream",
                            "GO message") ||
        !reads(from, report, sizeof(report), "report") ||
        libxl_read_exactly(ctx, from, &code, 1, "ack", "status"))
        return end_migration(domid, to, false, "state unknown");
    if (code)
        return end_migration(domid, to, true, "the target failed");
    libxl_domain_destroy(ctx, domid, NULL);
    return 0;
}

static int receive(void)
{
    static const char stream[] = "migration ack stream";
    char code = 0;
    int rc;

    if (libxl_write_exactly(ctx, STDOUT_FILENO, banner, sizeof(banner) - 1,
                            stream, "banner"))
        exit(255);
    rc = create(NULL, STDIN_FILENO, true);
    if (rc)
        fail("no domain was made");
    if (libxl_write_exactly(ctx, STDOUT_FILENO, ready, sizeof(ready), stream,
                            "ready message") ||
        !reads(STDIN_FILENO, go, sizeof(go), "GO message"))
        fail("the sender does not say go");
    libxl_domain_unpause(ctx, 5, NULL);
    if (libxl_write_exactly(ctx, STDOUT_FILENO, report, sizeof(report),
                            stream, "report") ||
        libxl_write_exactly(ctx, STDOUT_FILENO, &code, 1, stream, "code"))
        return 1;
    return 0;
}

static int remus(uint32_t domid, const char *command)
{
    int from, to = begin_migration(domid, command, NULL, &from), rc;

    rc = libxl_domain_remus_start(ctx, NULL, domid, to, from, NULL);
    return end_migration(domid, to, rc != ERROR_GUEST_TIMEDOUT, "remus ends");
}

/* ----- the rest ----- */

static int list(char **domids)
{
    const unsigned char *text;
    libxl_domain_config config;
    yajl_gen hand;
    size_t length;

    for (; *domids; domids++) {
        libxl_domain_config_init(&config);
        if (libxl_retrieve_domain_configuration(ctx,
                read_domid(*domids), &config, NULL))
            continue;
        hand = yajl_gen_alloc(NULL);
        libxl_domain_config_gen_json(hand, &config);
        yajl_gen_get_buf(hand, &text, &length);
        printf("%.*s\n", (int)length, text);
        yajl_gen_free(hand);
        libxl_domain_config_dispose(&config);
    }
    return 0;
}

static int config_update(uint32_t domid, const char *file)
{
    char *text = read_file(file, NULL);

    parse(file, text);
    if (libxl_userdata_store(ctx, domid, "xl", (const uint8_t *)text,
                             (int)strlen(text)))
        fail("not stored");
    return 0;
}

/* What is done to one domain, by its number.  Nobody looks at what comes of
 * suspend and resume. */
static int change(const char *command, uint32_t domid, char *path)
{
    libxl_device_disk disk = { .pdev_path = path };
    int rc = 0;

    if (!strcmp(command, "destroy"))
        rc = libxl_domain_destroy(ctx, domid, NULL);
    else if (!strcmp(command, "suspend"))
        libxl_domain_suspend_only(ctx, domid, NULL);
    else if (!strcmp(command, "resume"))
        libxl_domain_resume(ctx, domid, 1, NULL);
    else if (!strcmp(command, "network-attach"))
        rc = libxl_device_nic_add(ctx, domid, NULL, NULL);
    else if (!strcmp(command, "block-attach"))
        rc = libxl_device_disk_add(ctx, domid, &disk, NULL);
    else
        fail("command not implemented");
    return rc ? 1 : 0;
}

static int run(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    const char *arg = argc > 2 ? argv[2] : "";
    const char *last = argc > 4 ? argv[4] : NULL;
    uint32_t domid = read_domid(arg);

    if (!strcmp(command, "create"))
        return -create(arg, -1, false);
    if (!strcmp(command, "restore"))
        return create(argc > 3 ? arg : NULL, open(argv[argc - 1], O_RDONLY),
                      false) ? 1 : 0;
    if (!strcmp(command, "migrate-receive"))
        return receive();
    if (!strcmp(command, "list"))
        return list(argv + 2);
    if (!strcmp(command, "environment")) {
        printf("%s\n", getenv(arg) ? getenv(arg) : "none");
        return 0;
    }
    if (!strcmp(command, "save") && argc > 3)
        return save(domid, argv[3], last);
    if (!strcmp(command, "migrate") && argc > 3)
        return migrate(domid, argv[3], last);
    if (!strcmp(command, "remus") && argc > 3)
        return remus(domid, argv[3]);
    if (!strcmp(command, "config-update") && argc > 3)
        return config_update(domid, argv[3]);
    return change(command, domid, argc > 3 ? argv[3] : NULL);
}

int main(int argc, char **argv)
{
    for (; argc > 1 && argv[1][0] == '-'; argc--, argv++)
        ;
    return run(argc, argv);
}
