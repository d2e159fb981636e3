/*
 * Decides what a failure means: the change is made in the directory and is not with the connector, so
 * that a lasting mark asks for a resync, whatever the server does next. Leaves events to the caller.
 *
 * Concurrency: any thread may submit. `begun` is the process that has begun, which a child may end for; `unmarked` says that a
 * mark could not be made, so that the next submit makes it.
 */
#include "hosts/adapter/submit.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosts/adapter/names.h"
#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"

#define CLOSE_TIMEOUT_MS 5000u
#define BATCH            200
#define REASON_SIZE      1300
#define LATER            "changes were missed while no mark could be made"

struct submit {
    struct prov_vtable api;
    prov_connector *connector;
    const char *host;
    bool several;
    void (*log)(int level, const char *line);
    atomic_int begun;
    atomic_bool unmarked;
};

/* The tokens that this thread is submitting, for the question that a password brings. */
static _Thread_local const struct token *asked_tokens;
static _Thread_local size_t asked_count;

static void say(struct submit *submit, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
say(struct submit *submit, int level, const char *format, ...)
{
    char line[1400];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    submit->log(level, line);
}

/* ---- the connector ---- */

static void
log_line(void *context, int32_t level, const char *line)
{
    struct submit *submit = context;

    if (level <= PROV_LOG_WARNING)
        submit->log(level, line);
}

static int32_t
resolve(void *context, const struct prov_resolve *question)
{
    (void)context;
    for (size_t i = 0; i < asked_count; i++) {
        const struct token *token = &asked_tokens[i];

        if (!token->resource || strcmp(token->uri, question->uri))
            continue;
        question->give(question, token->resource, strlen(token->resource));
        return PROV_OK;
    }
    return PROV_E_NOTFOUND;
}

static int
load(const char *file, struct submit *submit, struct prov_error *err)
{
    prov_connector_init_fn init;
    void *plugin, *symbol;

    plugin = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        return fault_set(err, PROV_E_ABI, "cannot load the connector: %s; name it with 'plugin'",
                         dlerror());
    symbol = dlsym(plugin, "prov_connector_init");
    if (!symbol)
        return fault_set(err, PROV_E_ABI,
                         "'%s' is no provisioning connector: it has no prov_connector_init", file);
    memcpy(&init, &symbol, sizeof(init));
    submit->api.size = sizeof(submit->api);
    return init(PROV_ABI_MAJOR, PROV_ABI_MINOR, &submit->api, err);
}

/* An answer as JSON, that the caller drops. */
static int
ask(struct submit *submit, const char *query, const char *user, struct json_object **ret,
    struct prov_error *err)
{
    struct json_object *request = json_object_new_object();
    char *text = NULL;
    const char *json;
    int result;

    json_object_object_add(request, "query", json_object_new_string(query));
    if (user)
        json_object_object_add(request, "user", json_object_new_string(user));
    json = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
    result = json ? submit->api.query(submit->connector, json, strlen(json), &text, err)
                  : fault_nomem(err);
    json_object_put(request);
    if (!result)
        *ret = json_tokener_parse(text);
    submit->api.release(text);
    return result;
}

/* A connector field as it is in effect, heap; NULL in *ret: it has none. */
static int
read_field(struct submit *submit, const char *name, char **ret, struct prov_error *err)
{
    struct json_object *answer = NULL, *fields = NULL, *value = NULL;
    int result = ask(submit, "fields", NULL, &answer, err);

    *ret = NULL;
    if (result)
        return result;
    json_object_object_get_ex(answer, "fields", &fields);
    json_object_object_get_ex(fields, name, &value);
    if (value && !(*ret = strdup(json_object_get_string(value))))
        result = fault_nomem(err);
    json_object_put(answer);
    return result;
}

/* The issuer is needed: whoever lists all users later has to mean the same ones. */
static int
check_issuer(struct submit *submit, const struct settings *settings, struct prov_error *err)
{
    char *issuer;
    int result = read_field(submit, "issuer", &issuer, err);

    if (!result && (!issuer || !*issuer))
        result = fault_set(
            err, PROV_E_FIELDS,
            "'%s': the connector field 'issuer' is missing; set it to a URL that stands for %s",
            settings->fields_file, settings->issuer_means);
    free(issuer);
    return result;
}

int
submit_open(const struct settings *settings, const struct submit_options *options,
            struct submit **ret, struct prov_error *err)
{
    struct submit *submit = calloc(1, sizeof(*submit));
    struct prov_host host = {
        .size = sizeof(host), .context = submit, .log = log_line, .resolve = resolve
    };
    struct prov_open open = { .size = sizeof(open),
                              .fields = settings->fields,
                              .fields_length = settings->fields_length,
                              .flags = PROV_OPEN_SQLITE_UNCOUNTED |
                                       (settings->deliver ? 0u : PROV_OPEN_NEVER_DELIVER),
                              .host = &host };
    int result;

    if (!submit)
        return fault_nomem(err);
    submit->host = options->host;
    submit->several = options->several;
    submit->log = options->log;
    result = load(settings->plugin, submit, err);
    if (!result)
        result = submit->api.open(&open, &submit->connector, NULL, err);
    if (!result)
        result = check_issuer(submit, settings, err);
    if (result) {
        if (submit->connector)
            submit->api.close(submit->connector, 0);
        free(submit);
        return result;
    }
    *ret = submit;
    return PROV_OK;
}

/* ---- the mark ---- */

/* {"act":"host","state":...,"reason":...}; the reason is made a JSON string. */
static int
tell(struct submit *submit, const char *state, const char *reason, struct prov_error *err)
{
    struct json_object *request = json_object_new_object();
    char *text = NULL;
    const char *json;
    int result;

    json_object_object_add(request, "act", json_object_new_string("host"));
    json_object_object_add(request, "name", json_object_new_string(submit->host));
    json_object_object_add(request, "state", json_object_new_string(state));
    if (reason)
        json_object_object_add(request, "reason", json_object_new_string(reason));
    json = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
    result = json ? submit->api.act(submit->connector, json, strlen(json), &text, err)
                  : fault_nomem(err);
    json_object_put(request);
    submit->api.release(text);
    return result;
}

static void
begin(struct submit *submit)
{
    struct prov_error err = { .size = sizeof(err) };

    if (tell(submit, submit->several ? "joined" : "begun", NULL, &err)) {
        say(submit, PROV_LOG_ERROR, "cannot begin: %s", err.text);
        submit->begun = 0;
    }
}

void
submit_begin(struct submit *submit)
{
    int before = submit->begun, now = getpid();

    if (before != now && atomic_compare_exchange_strong(&submit->begun, &before, now))
        begin(submit);
}

static void
mark(struct submit *submit, const char *reason)
{
    struct prov_error err = { .size = sizeof(err) };

    submit->unmarked = tell(submit, "missed", reason, &err) != PROV_OK;
    if (submit->unmarked)
        say(submit, PROV_LOG_ERROR, "cannot mark that a resync is needed: %s", err.text);
}

void
submit_pause(struct submit *submit)
{
    struct prov_error err = { .size = sizeof(err) };

    if (submit->unmarked)
        mark(submit, LATER);
    if (!submit->begun || submit->several || submit->unmarked)
        return;
    submit->begun = 0;
    if (tell(submit, "ended", NULL, &err))
        say(submit, PROV_LOG_ERROR, "cannot say that it ended: %s", err.text);
}

void
submit_close(struct submit *submit)
{
    if (!submit)
        return;
    submit_pause(submit);
    submit->api.close(submit->connector, CLOSE_TIMEOUT_MS);
    free(submit);
}

/* As a request may say it: a request that is no UTF-8 is refused, and the mark with it. */
static void
spell_reason(const char *what, const struct prov_error *why, char to[REASON_SIZE])
{
    snprintf(to, REASON_SIZE, "'%.200s': %s", what, why->text);
    utf8_mend(to);
}

void
submit_missed(struct submit *submit, const char *what, const struct prov_error *why)
{
    char reason[REASON_SIZE];

    spell_reason(what, why, reason);
    say(submit, PROV_LOG_ERROR,
        "a change of %s; it is not handed over in full, and a resync is needed (sfprov status)",
        reason);
    mark(submit, reason);
}

void
submit_late(struct submit *submit, const char *what, const struct prov_error *why)
{
    struct prov_error err = { .size = sizeof(err) };
    char reason[REASON_SIZE];

    spell_reason(what, why, reason);
    say(submit, PROV_LOG_ERROR,
        "a change of %s; it is not handed over yet, and comes with the next one (sfprov status)",
        reason);
    if (tell(submit, "late", reason, &err))
        say(submit, PROV_LOG_ERROR, "cannot mark that a change is late: %s", err.text);
}

void
submit_caught_up(struct submit *submit)
{
    struct prov_error err = { .size = sizeof(err) };

    if (tell(submit, "caught_up", NULL, &err))
        say(submit, PROV_LOG_ERROR, "cannot say that nothing is late any more: %s", err.text);
}

/* What was not taken, and may be another time. */
static void
not_taken(struct submit *submit, const char *what, const struct prov_error *why)
{
    if (submit->several)
        submit_late(submit, what, why);
    else
        submit_missed(submit, what, why);
}

void
submit_refused(struct submit *submit, const char *what, const struct prov_error *why)
{
    say(submit, PROV_LOG_ERROR, "'%s': the change is refused: %s", what, why->text);
}

/* ---- events ---- */

/* What became of each; what is refused for good is as lost as what could not be kept. */
static int
look_at_answers(struct submit *submit, const char *what, const struct token *tokens,
                const struct prov_answer *answers, size_t count, struct prov_error *err)
{
    int result = PROV_OK;

    for (size_t i = 0; i < count; i++) {
        if (answers[i].status == PROV_ANSWER_ACCEPTED)
            continue;
        if (answers[i].status == PROV_ANSWER_UNKNOWN)
            not_taken(submit, count > 1 ? tokens[i].uri : what, &answers[i].error);
        else
            submit_missed(submit, count > 1 ? tokens[i].uri : what, &answers[i].error);
        if (answers[i].status == PROV_ANSWER_UNKNOWN && !result)
            result = fault_set(err, PROV_E_STATE, "%s", answers[i].error.text);
    }
    return result;
}

/* Of somebody who cannot be handed over as they are, that they are inactive. Nobody is made known by that. */
static int
submit_lock(struct submit *submit, const char *uri, struct prov_error *err)
{
    const struct token_spec spec = { .kind = TOKEN_LOCK, .host = submit->host, .uri = uri };
    struct prov_event event = { .size = sizeof(event) };
    struct prov_answer answer = { .size = sizeof(answer) };
    enum submit_presence presence;
    struct token token;
    int result = submit_presence(submit, uri, &presence, err);

    if (result || presence != SUBMIT_IN)
        return result;
    result = token_make(&spec, &token, err);
    if (result)
        return result;
    event.json = token.json;
    event.length = token.length;
    result = submit->api.submit(submit->connector, &event, 1, &answer, err);
    token_clear(&token);
    if (!result && answer.status != PROV_ANSWER_ACCEPTED)
        result = fault_set(err, PROV_E_STATE, "%s", answer.error.text);
    return result;
}

/* A lock counts also of those who are refused. */
static int
lock_refused(struct submit *submit, const struct token *tokens, const struct prov_answer *answers,
             size_t count, struct prov_error *err)
{
    int result = PROV_OK;

    for (size_t i = 0; i < count; i++) {
        if (answers[i].status != PROV_ANSWER_REFUSED || !tokens[i].inactive ||
            !submit_lock(submit, tokens[i].uri, err))
            continue;
        not_taken(submit, tokens[i].uri, err);
        result = PROV_E_STATE;
    }
    return result;
}

/* A failure of the call itself is the caller's to tell. Mostly it is one token, and then nothing is allocated. */
static int
submit_batch(struct submit *submit, const char *what, const struct token *tokens, size_t count,
             struct prov_error *err)
{
    struct prov_event event = { .size = sizeof(event) };
    struct prov_event *events = count > 1 ? calloc(count, sizeof(*events)) : &event;
    struct prov_answer answer = { .size = sizeof(answer) };
    struct prov_answer *answers = count > 1 ? calloc(count, sizeof(*answers)) : &answer;
    int result = events && answers ? PROV_OK : fault_nomem(err);

    for (size_t i = 0; i < count && !result; i++) {
        events[i] = (struct prov_event){ sizeof(*events), tokens[i].json, tokens[i].length };
        answers[i].size = sizeof(*answers);
    }
    asked_tokens = tokens;
    asked_count = count;
    if (!result && submit->api.submit(submit->connector, events, count, answers, err))
        result = PROV_E_STORE;
    asked_count = 0;
    if (!result) {
        result = look_at_answers(submit, what, tokens, answers, count, err);
        if (lock_refused(submit, tokens, answers, count, err))
            result = PROV_E_STATE;
    }
    if (count > 1) {
        free(events);
        free(answers);
    }
    return result;
}

int
submit_tokens(struct submit *submit, const char *what, const struct token *tokens, size_t count,
              bool refusable, struct prov_error *err)
{
    size_t done = 0;

    submit_begin(submit);
    while (done < count) {
        size_t batch = count - done < BATCH ? count - done : BATCH;
        int result = submit_batch(submit, what, tokens + done, batch, err);

        if (result == PROV_OK) {
            done += batch;
            continue;
        }
        if (result == PROV_E_STATE)
            return result;
        if (done == 0 && refusable)
            submit_refused(submit, what, err);
        else
            not_taken(submit, what, err);
        return done ? PROV_E_STATE : PROV_E_STORE;
    }
    if (submit->unmarked)
        mark(submit, LATER);
    return PROV_OK;
}

int
submit_ready(struct submit *submit, struct prov_error *err)
{
    submit_begin(submit);
    return tell(submit, "ready", NULL, err);
}

int
submit_find(struct submit *submit, const char *name, char **ret_uri, struct prov_error *err)
{
    const struct names names = { .api = &submit->api, .connector = submit->connector };

    return names_find(&names, name, ret_uri, err);
}

int
submit_new_uri(struct submit *submit, const char *name, char **ret_uri, struct prov_error *err)
{
    const struct names names = { .api = &submit->api, .connector = submit->connector };

    return names_new_uri(&names, name, ret_uri, err);
}

int
submit_store(struct submit *submit, char **ret, struct prov_error *err)
{
    int result = read_field(submit, "store", ret, err);

    return !result && !*ret ? fault_nomem(err) : result;
}

int
submit_knows_any(struct submit *submit, bool *ret, struct prov_error *err)
{
    struct json_object *answer = NULL, *rows = NULL;
    int result = ask(submit, "subjects", NULL, &answer, err);

    *ret = false;
    if (result)
        return result == PROV_E_NOTFOUND ? PROV_OK : result;
    json_object_object_get_ex(answer, "subjects", &rows);
    *ret = json_object_is_type(rows, json_type_array) && json_object_array_length(rows) > 0;
    json_object_put(answer);
    return PROV_OK;
}

int
submit_resource(struct submit *submit, const char *uri, char **ret, struct prov_error *err)
{
    struct json_object *answer = NULL, *resource = NULL;
    int result = ask(submit, "subject", uri, &answer, err);

    if (result)
        return result;
    *ret = NULL;
    if (json_object_object_get_ex(answer, "resource", &resource) && resource) {
        *ret = strdup(json_object_to_json_string_ext(resource, JSON_C_TO_STRING_PLAIN));
        result = *ret ? PROV_OK : fault_nomem(err);
    }
    json_object_put(answer);
    return result;
}

int
submit_presence(struct submit *submit, const char *uri, enum submit_presence *ret,
                struct prov_error *err)
{
    struct json_object *answer = NULL, *presence = NULL;
    int result = ask(submit, "subject", uri, &answer, err);
    const char *word;

    *ret = SUBMIT_GONE;
    if (result)
        return result == PROV_E_NOTFOUND ? PROV_OK : result;
    json_object_object_get_ex(answer, "presence", &presence);
    word = presence ? json_object_get_string(presence) : "";
    *ret = !strcmp(word, "in") ? SUBMIT_IN : !strcmp(word, "out") ? SUBMIT_OUT : SUBMIT_GONE;
    json_object_put(answer);
    return PROV_OK;
}

int
submit_in_scope(void *submit, const char *uri, char **ret, struct prov_error *err)
{
    enum submit_presence presence;
    int result = submit_presence(submit, uri, &presence, err);

    *ret = NULL;
    return result || presence != SUBMIT_IN ? result : submit_resource(submit, uri, ret, err);
}
