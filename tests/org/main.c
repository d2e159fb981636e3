/* sfprov-org: simulated Salesforce orgs for tests, on loopback. Decides what the command line says
 * and when the program ends; see README.md. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/org/sim.h"
#include "tests/org/text.h"

enum {
    MAX_NAMES = 64
};

struct options {
    struct org_sim_options sim;
    const char *names[MAX_NAMES], *custom_fields[MAX_NAMES];
    const char *ready_file;
    char *client_id;
    bool die_with_parent;
};

static int
usage(const char *complaint, const char *about)
{
    if (complaint)
        fprintf(stderr, "sfprov-org: %s '%s'\n", complaint, about);
    fprintf(complaint ? stderr : stdout,
            "Usage: sfprov-org [--org NAME]... [--ready-file FILE] [--seats N]\n"
            "         [--clients ID:SECRET] [--custom-field NAME[:LENGTH[:unique][:external]]]...\n"
            "         [--ca-file FILE [--certificate KIND]] [--die-with-parent]\n"
            "KIND: good, expired, wrong-host, self-signed, unknown-ca, old-tls\n");
    return complaint ? 2 : 0;
}

static bool
add_text(const char *list[MAX_NAMES], size_t *count, const char *text)
{
    if (*count == MAX_NAMES)
        return false;
    list[(*count)++] = text;
    return true;
}

static bool
set_client(struct options *options, const char *text)
{
    const char *colon = strchr(text, ':');

    if (!colon || colon == text || !colon[1])
        return false;
    free(options->client_id);
    options->client_id = text_format("%.*s", (int)(colon - text), text);
    options->sim.client_id = options->client_id;
    options->sim.client_secret = colon + 1;
    return true;
}

static bool
set_seats(struct options *options, const char *text)
{
    char *end;

    options->sim.seats = strtol(text, &end, 10);
    return *text && !*end && options->sim.seats >= 0;
}

static bool
set_certificate(struct options *options, const char *text)
{
    static const struct {
        const char *name;
        enum org_sim_certificate kind;
    } kinds[] = { { "good", ORG_SIM_GOOD },
                  { "expired", ORG_SIM_EXPIRED },
                  { "wrong-host", ORG_SIM_WRONG_HOST },
                  { "self-signed", ORG_SIM_SELF_SIGNED },
                  { "unknown-ca", ORG_SIM_UNKNOWN_CA },
                  { "old-tls", ORG_SIM_OLD_TLS } };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, text) == 0) {
            options->sim.certificate = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static bool
read_option(struct options *options, int option)
{
    switch (option) {
    case 'o':
        return add_text(options->names, &options->sim.name_count, optarg);
    case 'r':
        options->ready_file = optarg;
        return true;
    case 's':
        return set_seats(options, optarg);
    case 'c':
        return set_client(options, optarg);
    case 'f':
        return add_text(options->custom_fields, &options->sim.custom_field_count, optarg);
    case 'a':
        options->sim.ca_file = optarg;
        if (options->sim.certificate == ORG_SIM_PLAIN_HTTP)
            options->sim.certificate = ORG_SIM_GOOD;
        return true;
    case 't':
        return set_certificate(options, optarg);
    default:
        options->die_with_parent = true;
        return true;
    }
}

/* 0 to go on, else the exit status plus one. */
static int
read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        { "org", required_argument, NULL, 'o' },
        { "ready-file", required_argument, NULL, 'r' },
        { "seats", required_argument, NULL, 's' },
        { "clients", required_argument, NULL, 'c' },
        { "custom-field", required_argument, NULL, 'f' },
        { "ca-file", required_argument, NULL, 'a' },
        { "certificate", required_argument, NULL, 't' },
        { "die-with-parent", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    options->sim.names = options->names;
    options->sim.custom_fields = options->custom_fields;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'h')
            return usage(NULL, NULL) + 1;
        if (option == '?')
            return usage("unknown option in", argv[optind - 1]) + 1;
        if (!read_option(options, option))
            return usage("cannot use the value", optarg) + 1;
    }
    return optind < argc ? usage("unexpected argument", argv[optind]) + 1 : 0;
}

/* Written beside and renamed, so that who waits for the file never reads half of it. */
static bool
write_ready_file(const char *path, const char *text)
{
    AUTO_FREE char *beside = text_format("%s.%ld", path, (long)getpid());
    FILE *file = fopen(beside, "we");
    bool written = file && fprintf(file, "%s\n", text) > 0;

    if (file && fclose(file) != 0)
        written = false;
    if (written && rename(beside, path) == 0)
        return true;
    fprintf(stderr, "sfprov-org: cannot write '%s'\n", path);
    unlink(beside);
    return false;
}

/* Serves until a signal in `ends` arrives, which every thread has blocked. */
static int
serve(const struct options *options, const sigset_t *ends)
{
    char why[ORG_SIM_WHY_BYTES];
    struct org_sim *sim = org_sim_start(&options->sim, why);
    AUTO_FREE char *ready = sim ? org_sim_ready(sim) : NULL;
    int status = 2, signal_number;

    if (!sim) {
        fprintf(stderr, "sfprov-org: %s\n", why);
    } else if (!options->ready_file || write_ready_file(options->ready_file, ready)) {
        printf("%s\n", ready);
        fflush(stdout);
        sigwait(ends, &signal_number);
        status = 0;
    }
    org_sim_stop(sim);
    return status;
}

int
main(int argc, char **argv)
{
    struct options options = { .sim.seats = -1 };
    pid_t parent = getppid();
    sigset_t ends;
    int status = read_options(argc, argv, &options);

    if (status == 0) {
        sigemptyset(&ends);
        sigaddset(&ends, SIGTERM);
        sigaddset(&ends, SIGINT);
        pthread_sigmask(SIG_BLOCK, &ends, NULL);
        signal(SIGPIPE, SIG_IGN);
        /* the parent may have gone before the request was made */
        if (options.die_with_parent &&
            (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent))
            status = 3;
        else
            status = serve(&options, &ends) + 1;
    }
    free(options.client_id);
    return status - 1;
}
