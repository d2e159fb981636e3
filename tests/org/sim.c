/* Starts and stops a world of simulated orgs with its listeners, and tells where they are. Decides
 * what options are usable; what an org answers is for exchange.c and the files behind it. */
#include "tests/org/sim.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/org/server.h"

struct org_sim {
    struct world *world;
    struct exchanges *exchanges;
    struct server *servers[MAX_ORGS + 1]; /* of the orgs, then of the login host */
    size_t server_count;
    char *ca_file; /* NULL: in clear */
};

/* ---- options ---- */

/* NAME[:LENGTH[:unique][:external]] */
static struct json_object *
read_custom_field(const char *specification)
{
    AUTO_FREE char *copy = text_copy(specification);
    char *rest = copy, *name = strsep(&rest, ":"), *part;
    struct json_object *field;
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
                return NULL;
        }
    }
    if (strlen(name) < 4 || strcmp(name + strlen(name) - 3, "__c") != 0)
        return NULL;
    field = js_object();
    js_put_text(field, "name", name);
    js_put_int(field, "length", length);
    js_put_int(field, "flags", flags);
    return field;
}

static bool
add_custom_fields(struct world *world, const struct org_sim_options *options, char *why)
{
    world->custom_fields = js_array();
    for (size_t i = 0; i < options->custom_field_count; i++) {
        struct json_object *field = read_custom_field(options->custom_fields[i]);
        if (!field) {
            snprintf(why, ORG_SIM_WHY_BYTES,
                     "cannot use the custom field '%s': it must read "
                     "NAME__c[:LENGTH[:unique][:external]], with a length of 1 to 255",
                     options->custom_fields[i]);
            return false;
        }
        js_append(world->custom_fields, field);
    }
    return true;
}

static bool
add_org(struct world *world, const char *name, char *why)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    if (!*name || strspn(name, letters) != strlen(name))
        snprintf(why, ORG_SIM_WHY_BYTES,
                 "cannot use the org name '%s': small letters, digits and hyphens only", name);
    else if (!world_add_org(world, name))
        snprintf(why, ORG_SIM_WHY_BYTES,
                 "cannot add the org '%s': there is one of that name, or there are %d already",
                 name, MAX_ORGS);
    else
        return true;
    return false;
}

static bool
add_orgs(struct world *world, const struct org_sim_options *options, char *why)
{
    static const char *const usual[] = { "acme", "globex" };
    const char *const *names = options->name_count ? options->names : usual;
    size_t count = options->name_count ? options->name_count : 2;

    for (size_t i = 0; i < count; i++) {
        if (!add_org(world, names[i], why))
            return false;
    }
    return true;
}

/* ---- listening ---- */

static bool
write_ca(const char *path, const char *certificate, char *why)
{
    FILE *file = fopen(path, "we");
    bool written = file && fputs(certificate, file) >= 0;

    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        snprintf(why, ORG_SIM_WHY_BYTES, "cannot write the CA certificate to '%s'", path);
    return written;
}

/* *ret stays empty without TLS. */
static bool
make_identity(struct org_sim *sim, const struct org_sim_options *options, struct tls_identity *ret,
              char *why)
{
    if (options->certificate == ORG_SIM_PLAIN_HTTP)
        return true;
    if (!options->ca_file)
        snprintf(why, ORG_SIM_WHY_BYTES, "TLS needs a file to write the CA certificate to");
    else if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        snprintf(why, ORG_SIM_WHY_BYTES, "this libmicrohttpd was built without TLS");
    else if (!tls_identity_make(options->certificate, ret))
        snprintf(why, ORG_SIM_WHY_BYTES, "libcrypto makes no certificates here");
    else if (write_ca(options->ca_file, ret->ca, why)) {
        sim->ca_file = text_copy(options->ca_file);
        return true;
    }
    return false;
}

/* The mutex: the listener's threads may read the origin as soon as it is set. */
static bool
listen_for(struct org_sim *sim, struct org *org, const struct server_tls *tls, char **origin,
           char *why)
{
    char *listens_at = NULL;
    struct server *server = server_start(sim->exchanges, org, tls, &listens_at);

    if (!server) {
        snprintf(why, ORG_SIM_WHY_BYTES, "cannot listen on 127.0.0.1");
        return false;
    }
    sim->servers[sim->server_count++] = server;
    pthread_mutex_lock(&sim->world->mutex);
    *origin = listens_at;
    pthread_mutex_unlock(&sim->world->mutex);
    return true;
}

static bool
listen_for_all(struct org_sim *sim, const struct server_tls *tls, char *why)
{
    struct world *world = sim->world;

    for (size_t i = 0; i < world->org_count; i++) {
        if (!listen_for(sim, world->orgs[i], tls, &world->orgs[i]->origin, why))
            return false;
    }
    return listen_for(sim, NULL, tls, &world->login_origin, why);
}

static bool
start(struct org_sim *sim, const struct org_sim_options *options, char *why)
{
    struct tls_identity identity = { NULL, NULL, NULL };
    struct server_tls tls = { &identity, options->certificate == ORG_SIM_OLD_TLS };
    bool started = add_custom_fields(sim->world, options, why) &&
                   add_orgs(sim->world, options, why) &&
                   make_identity(sim, options, &identity, why);

    if (started && !(sim->exchanges = exchanges_new(sim->world))) {
        snprintf(why, ORG_SIM_WHY_BYTES, "cannot start a thread");
        started = false;
    }
    started = started && listen_for_all(sim, sim->ca_file ? &tls : NULL, why);
    tls_identity_free(&identity); /* the listeners have read it */
    return started;
}

struct org_sim *
org_sim_start(const struct org_sim_options *options, char why[ORG_SIM_WHY_BYTES])
{
    struct org_sim *sim = text_block(sizeof(*sim));

    sim->world = world_new(options->client_id ? options->client_id : ORG_CLIENT_ID,
                           options->client_secret ? options->client_secret : ORG_CLIENT_SECRET,
                           options->seats < 0 ? ORG_SEATS : options->seats);
    if (start(sim, options, why))
        return sim;
    org_sim_stop(sim);
    return NULL;
}

void
org_sim_stop(struct org_sim *sim)
{
    if (!sim)
        return;
    if (sim->exchanges)
        exchanges_stop(sim->exchanges);
    for (size_t i = 0; i < sim->server_count; i++)
        server_stop(sim->servers[i]);
    if (sim->exchanges)
        exchanges_free(sim->exchanges);
    world_free(sim->world);
    free(sim->ca_file);
    free(sim);
}

/* ---- asking ---- */

static struct org *
find_org(const struct org_sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->world->org_count; i++) {
        if (strcmp(sim->world->orgs[i]->name, name) == 0)
            return sim->world->orgs[i];
    }
    return NULL;
}

const char *
org_sim_url(const struct org_sim *sim, const char *org)
{
    const struct org *found = find_org(sim, org);

    return found ? found->origin : NULL;
}

char *
org_sim_ready(const struct org_sim *sim)
{
    AUTO_JS struct json_object *ready = js_object();
    struct json_object *orgs = js_object();

    for (size_t i = 0; i < sim->world->org_count; i++)
        js_put_text(orgs, sim->world->orgs[i]->name, sim->world->orgs[i]->origin);
    js_put_int(ready, "pid", getpid());
    js_put(ready, "orgs", orgs);
    js_put_text(ready, "login", sim->world->login_origin);
    js_put_text(ready, "client_id", sim->world->client_id);
    js_put_text(ready, "client_secret", sim->world->client_secret);
    if (sim->ca_file)
        js_put_text(ready, "ca_file", sim->ca_file);
    return js_text(ready);
}

char *
org_sim_ask(struct org_sim *sim, const char *org, const char *method, const char *target,
            const char *body, int *ret_status)
{
    struct org *found = find_org(sim, org);
    struct request request = { .method = method,
                               .target = target,
                               .content_type = "application/json",
                               .body = body,
                               .body_bytes = body ? strlen(body) : 0 };
    struct reply reply = { 0 };
    char *text = NULL;

    if (!found)
        return NULL;
    exchange(sim->exchanges, found, &request, &reply);
    if (reply.delivery == DELIVERY_SEND) {
        text = text_copy(reply.body ? reply.body : "");
        if (ret_status)
            *ret_status = reply.status;
    }
    reply_free(&reply);
    return text;
}

void
org_sim_exchange(struct org_sim *sim, const char *org, const struct request *request,
                 struct reply *reply)
{
    exchange(sim->exchanges, find_org(sim, org), request, reply);
}

char *
org_sim_state(struct org_sim *sim, const char *org)
{
    return org_sim_ask(sim, org, "GET", "/__org/state", NULL, NULL);
}
