/* sfprov-org: simulated Salesforce orgs for tests, on loopback. Decides what the command line says
 * and when the program ends; see README.md. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/org/server.h"

struct options {
    const char *names[MAX_ORGS];
    size_t name_count;
    const char *ready_file;
    char *client_id, *client_secret;
    long seats;
    struct json_object *custom_fields;
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
            "         [--die-with-parent]\n");
    return complaint ? 2 : 0;
}

/* NAME[:LENGTH[:unique][:external]] */
static bool
add_custom_field(struct options *options, const char *text)
{
    AUTO_FREE char *copy = text_copy(text);
    AUTO_JS struct json_object *field = js_object();
    char *rest = copy, *name = strsep(&rest, ":"), *part;
    long length = 255;
    unsigned flags = 0;

    while ((part = strsep(&rest, ":"))) {
        char *end;
        if (strcmp(part, "unique") == 0) {
            flags |= FIELD_UNIQUE;
        } else if (strcmp(part, "external") == 0) {
            flags |= FIELD_EXTERNAL_ID;
        } else {
            length = strtol(part, &end, 10);
            if (*end || end == part || length < 1 || length > 255)
                return false;
        }
    }
    if (strlen(name) < 4 || strcmp(name + strlen(name) - 3, "__c") != 0)
        return false;
    js_put_text(field, "name", name);
    js_put_int(field, "length", length);
    js_put_int(field, "flags", flags);
    if (!options->custom_fields)
        options->custom_fields = js_array();
    js_append(options->custom_fields, STEAL(field));
    return true;
}

static bool
set_client(struct options *options, const char *text)
{
    const char *colon = strchr(text, ':');

    if (!colon || colon == text || !colon[1])
        return false;
    free(options->client_id);
    free(options->client_secret);
    options->client_id = text_format("%.*s", (int)(colon - text), text);
    options->client_secret = text_copy(colon + 1);
    return true;
}

static bool
set_seats(struct options *options, const char *text)
{
    char *end;

    options->seats = strtol(text, &end, 10);
    return *text && !*end && options->seats >= 0;
}

static bool
add_org_name(struct options *options, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    if (!*name || strspn(name, letters) != strlen(name) || options->name_count == MAX_ORGS)
        return false;
    options->names[options->name_count++] = name;
    return true;
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
        { "die-with-parent", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        bool good = true;
        switch (option) {
        case 'o':
            good = add_org_name(options, optarg);
            break;
        case 'r':
            options->ready_file = optarg;
            break;
        case 's':
            good = set_seats(options, optarg);
            break;
        case 'c':
            good = set_client(options, optarg);
            break;
        case 'f':
            good = add_custom_field(options, optarg);
            break;
        case 'd':
            options->die_with_parent = true;
            break;
        case 'h':
            return usage(NULL, NULL) + 1;
        default:
            return usage("unknown option in", argv[optind - 1]) + 1;
        }
        if (!good)
            return usage("cannot use the value", optarg) + 1;
    }
    return optind < argc ? usage("unexpected argument", argv[optind]) + 1 : 0;
}

static char *
ready_text(const struct world *world)
{
    AUTO_JS struct json_object *ready = js_object();
    struct json_object *orgs = js_object();

    for (size_t i = 0; i < world->org_count; i++)
        js_put_text(orgs, world->orgs[i]->name, world->orgs[i]->origin);
    js_put_int(ready, "pid", getpid());
    js_put(ready, "orgs", orgs);
    js_put_text(ready, "login", world->login_origin);
    js_put_text(ready, "client_id", world->client_id);
    js_put_text(ready, "client_secret", world->client_secret);
    return js_text(ready);
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

/* The mutex: the listener's threads may read the origin as soon as it is set. */
static struct server *
start_one(struct world *world, struct exchanges *exchanges, struct org *org, char **origin)
{
    char *listens_at = NULL;
    struct server *server = server_start(exchanges, org, &listens_at);

    pthread_mutex_lock(&world->mutex);
    *origin = listens_at;
    pthread_mutex_unlock(&world->mutex);
    return server;
}

static bool
start_all(struct world *world, struct exchanges *exchanges, struct server **servers,
          size_t *ret_count)
{
    for (size_t i = 0; i <= world->org_count; i++) {
        struct org *org = i < world->org_count ? world->orgs[i] : NULL;
        servers[i] = start_one(world, exchanges, org, org ? &org->origin : &world->login_origin);
        if (!servers[i])
            return false;
        (*ret_count)++;
    }
    return true;
}

/* Serves until a signal in `ends` arrives, which every thread has blocked. */
static int
serve(struct world *world, const char *ready_file, const sigset_t *ends)
{
    struct server *servers[MAX_ORGS + 1] = { 0 };
    struct exchanges *exchanges = exchanges_new(world);
    size_t count = 0;
    int status = 1, signal_number;

    if (start_all(world, exchanges, servers, &count)) {
        AUTO_FREE char *text = ready_text(world);
        if (!ready_file || write_ready_file(ready_file, text)) {
            printf("%s\n", text);
            fflush(stdout);
            sigwait(ends, &signal_number);
            status = 0;
        }
    }
    exchanges_stop(exchanges);
    for (size_t i = 0; i < count; i++)
        server_stop(servers[i]);
    exchanges_free(exchanges);
    return status;
}

static int
run(struct options *options, const sigset_t *ends)
{
    struct world *world = world_new(options->client_id, options->client_secret, options->seats);
    int status;

    world->custom_fields = json_object_get(options->custom_fields);
    if (options->name_count == 0) {
        add_org_name(options, "acme");
        add_org_name(options, "globex");
    }
    for (size_t i = 0; i < options->name_count; i++) {
        if (!world_add_org(world, options->names[i])) {
            fprintf(stderr, "sfprov-org: two orgs are named '%s'\n", options->names[i]);
            world_free(world);
            return 2;
        }
    }
    status = serve(world, options->ready_file, ends);
    world_free(world);
    return status;
}

int
main(int argc, char **argv)
{
    struct options options = { .seats = ORG_SEATS,
                               .client_id = text_copy(ORG_CLIENT_ID),
                               .client_secret = text_copy(ORG_CLIENT_SECRET) };
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
            status = 2;
        else
            status = run(&options, &ends) + 1;
    }
    json_object_put(options.custom_fields);
    free(options.client_id);
    free(options.client_secret);
    return status - 1;
}
