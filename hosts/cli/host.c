/*
 * The reference host: everything a host does with the plugin before its first event. Decides where
 * the plugin and the connector fields come from and which exit code an error of the ABI means.
 * Knows the plugin by include/provisioning/connector.h alone. Leaves the work to the commands.
 */
#include "hosts/cli/host.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/input.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/resolve.h"
#include "hosts/cli/screen.h"

#ifndef PLUGIN_PATH
#    define PLUGIN_PATH "/usr/local/lib/sfprov/sfprov.so"
#endif
#define FIELDS_PATH "/etc/sfprov/fields.json"

/* Longest wait for a call under way when we leave. */
#define CLOSE_TIMEOUT_MS 10000u

/* What is logged as a warning stands in the tables and summaries as well. */
static enum prov_log_level log_level = PROV_LOG_ERROR;
static atomic_bool error_logged;
static bool for_journal;

static const char *
first_set(const char *option, const char *variable, const char *standing)
{
    const char *value = getenv(variable);

    if (option)
        return option;
    return value && *value ? value : standing;
}

const char *
host_plugin_file(const struct options *options)
{
    return first_set(options->plugin_file, "SFPROV_PLUGIN", PLUGIN_PATH);
}

const char *
host_fields_file(const struct options *options)
{
    return first_set(options->fields_file, "SFPROV_FIELDS", FIELDS_PATH);
}

/* As sd-daemon(3) has it in front of a line. */
static int
priority_of(int32_t level)
{
    return level == PROV_LOG_ERROR ? 3 : level == PROV_LOG_WARNING ? 4 : 6;
}

static void
log_line(void *context, int32_t level, const char *line)
{
    (void)context;
    if (level == PROV_LOG_ERROR)
        error_logged = true;
    if (level > (int32_t)log_level)
        return;
    if (for_journal)
        fprintf(stderr, "<%d>%s\n", priority_of(level), line);
    else
        complain("%s", line);
}

void
host_log_for_daemon(void)
{
    log_level = PROV_LOG_INFO;
    for_journal = getenv("JOURNAL_STREAM") != NULL;
}

bool
host_error_logged(void)
{
    return error_logged;
}

int
host_failed(const char *context, const struct prov_error *err)
{
    complain("%s: %s", context, err->text[0] ? err->text : "the plugin gave no reason");
    switch (err->code) {
    case PROV_E_INVALID:
    case PROV_E_NOTFOUND:
    case PROV_E_UNSUPPORTED:
    case PROV_E_LIMIT:
        return CODE_USAGE;
    case PROV_E_FIELDS:
        return CODE_FIELDS;
    case PROV_E_STATE:
        return CODE_UNFINISHED;
    default:
        return CODE_FAILED;
    }
}

int
host_load(const struct options *options, struct host *ret)
{
    struct prov_error err = { .size = sizeof(err) };
    struct host host = { .api = { .size = sizeof(host.api) } };
    const char *file = host_plugin_file(options);
    prov_connector_init_fn init;
    void *plugin, *symbol;

    if (options->verbose)
        log_level = PROV_LOG_INFO;
    plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
        complain("cannot load the plugin: %s; name it with --plugin or SFPROV_PLUGIN", dlerror());
        return CODE_FAILED;
    }
    symbol = dlsym(plugin, "prov_connector_init");
    if (!symbol) {
        complain("'%s' is no provisioning connector: it has no prov_connector_init", file);
        return CODE_FAILED;
    }
    /* ISO C has no cast from an object to a function pointer; POSIX promises that the bytes fit. */
    memcpy(&init, &symbol, sizeof(init));
    if (init(PROV_ABI_MAJOR, PROV_ABI_MINOR, &host.api, &err))
        return host_failed(file, &err);
    *ret = host;
    return CODE_DONE;
}

static int
read_fields(const char *file, char **ret_text, size_t *ret_length)
{
    struct prov_error err = { .size = sizeof(err) };
    struct stat facts;

    if (input_read(file, PROV_FIELDS_MAX_BYTES, ret_text, ret_length, &err)) {
        complain("connector fields: %s; name the file with -c or SFPROV_FIELDS", err.text);
        return CODE_FIELDS;
    }
    if (stat(file, &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_mode & (S_IRWXG | S_IRWXO)))
        complain("warning: '%s' is open to others (mode %03o) and may hold a secret; chmod 600 it",
                 file, (unsigned)(facts.st_mode & 0777));
    return CODE_DONE;
}

void
host_print_faults(struct json_object *faults, const char *what)
{
    for (size_t i = 0; i < reply_count(faults); i++) {
        struct json_object *fault = reply_item(faults, i);
        const char *value = reply_text(fault, "value"), *remedy = reply_text(fault, "remedy");

        if (value && !*value)
            value = NULL;
        if (json_object_is_type(fault, json_type_string)) {
            complain("%s: %s", what, json_object_get_string(fault));
            continue;
        }
        complain("%s: field '%s'%s%s%s: %s%s%s", what, reply_word(fault, "field"),
                 value ? ": '" : "", value ? value : "", value ? "'" : "",
                 reply_word(fault, "reason"), remedy ? "; " : "", remedy ? remedy : "");
    }
}

static void
wipe(char *text, size_t length)
{
    explicit_bzero(text, length);
    free(text);
}

int
host_open_fields(const struct options *options, uint32_t flags, struct host *host,
                 struct json_object **ret_faults)
{
    const char *file = host_fields_file(options);
    struct prov_error err = { .size = sizeof(err) };
    struct prov_host callbacks = { .size = sizeof(callbacks), .log = log_line };
    struct prov_open open = { .size = sizeof(open),
                              .flags = flags | PROV_OPEN_SQLITE_UNCOUNTED,
                              .host = &callbacks };
    struct json_object *faults = NULL;
    char *text = NULL, *faults_text = NULL;
    int code = read_fields(file, &text, &open.fields_length), result;

    if (code)
        return code;
    if (options->resources) {
        callbacks.context = (void *)options->resources;
        callbacks.resolve = resolve_from;
    }
    open.fields = text;
    result = host->api.open(&open, &host->connector, &faults_text, &err);
    wipe(text, open.fields_length);
    if (faults_text && host_answer(host, faults_text, &faults))
        faults = NULL;
    if (!ret_faults) {
        host_print_faults(reply_get(faults, "warnings"), "warning");
        host_print_faults(reply_get(faults, "faults"), file);
    }
    if (result)
        code = reply_count(reply_get(faults, "faults")) ? CODE_FIELDS : host_failed(file, &err);
    if (ret_faults)
        *ret_faults = faults;
    else
        json_object_put(faults);
    return code;
}

int
host_open(const struct options *options, uint32_t flags, struct host *ret)
{
    struct host host;
    int code = host_load(options, &host);

    if (!code)
        code = host_open_fields(options, flags, &host, NULL);
    if (!code)
        *ret = host;
    return code;
}

void
host_close(struct host *host)
{
    host->api.close(host->connector, CLOSE_TIMEOUT_MS);
    host->connector = NULL;
}

struct json_object *
host_request(const char *verb, const char *name)
{
    struct json_object *request = json_object_new_object();

    reply_put_text(request, verb, name);
    return request;
}

int
host_answer(struct host *host, char *text, struct json_object **ret)
{
    struct json_object *answer = text ? json_tokener_parse(text) : NULL;

    host->api.release(text);
    if (!answer) {
        complain("the plugin's answer is no JSON; plugin and program do not fit each other");
        return CODE_FAILED;
    }
    *ret = answer;
    return CODE_DONE;
}

typedef int32_t (*method_fn)(prov_connector *, const char *, size_t, char **, struct prov_error *);

static int
ask(struct host *host, method_fn method, struct json_object *request, struct json_object **ret,
    struct prov_error *err)
{
    const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
    char *answer = NULL;
    int result = PROV_E_NOMEM;

    err->code = PROV_E_NOMEM;
    strcpy(err->text, "out of memory");
    if (request && text)
        result = method(host->connector, text, strlen(text), &answer, err);
    json_object_put(request);
    if (result)
        return result;
    *ret = answer ? json_tokener_parse(answer) : NULL;
    host->api.release(answer);
    if (*ret)
        return PROV_OK;
    strcpy(err->text, "the plugin's answer is no JSON");
    return err->code = PROV_E_ABI;
}

int
host_ask(struct host *host, struct json_object *request, struct json_object **ret,
         struct prov_error *err)
{
    return ask(host, host->api.query, request, ret, err);
}

int
host_query(struct host *host, struct json_object *request, struct json_object **ret)
{
    struct prov_error err = { .size = sizeof(err) };
    int result = ask(host, host->api.query, request, ret, &err);

    return result ? host_failed("cannot look it up", &err) : CODE_DONE;
}

int
host_act(struct host *host, struct json_object *request, struct json_object **ret)
{
    struct prov_error err = { .size = sizeof(err) };
    int result = ask(host, host->api.act, request, ret, &err);

    return result ? host_failed("cannot do it", &err) : CODE_DONE;
}

int
host_in_scope(void *context, const char *uri, char **ret, struct prov_error *err)
{
    const struct host_users *users = context;
    struct prov_error why = { .size = sizeof(why) };
    struct json_object *request = host_request("query", "subject"), *user = NULL, *resource;
    int result;

    *ret = NULL;
    reply_put_text(request, "user", uri);
    result = host_ask(users->host, request, &user, &why);
    resource = reply_get(user, "resource");
    if (!result && resource && !strcmp(reply_word(user, "presence"), "in") &&
        (!users->issuer || !strcmp(reply_word(user, "iss"), users->issuer))) {
        *ret = strdup(json_object_to_json_string_ext(resource, JSON_C_TO_STRING_PLAIN));
        result = *ret ? PROV_OK : fault_nomem(&why);
    }
    json_object_put(user);
    /* whom it does not have, or under several issuers, it does not know */
    if (result == PROV_E_NOTFOUND || result == PROV_E_INVALID)
        return PROV_OK;
    if (result)
        *err = why;
    return result;
}

bool
host_lacks_store(struct host *host, struct prov_error *err)
{
    struct json_object *status = NULL;
    int result = host_ask(host, host_request("query", "status"), &status, err);

    json_object_put(status);
    return result == PROV_E_NOTFOUND;
}

void
host_print_json(struct json_object *value)
{
    const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE);

    if (text)
        puts(text);
    else
        complain("out of memory");
}
