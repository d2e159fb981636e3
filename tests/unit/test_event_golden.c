/* Tokens and what becomes of their subject, as data in tests/golden/event: the RFC's own examples,
 * the habits of hosts, and what must be refused. Adding a case adds no C. */
#include "tests/unit/values.h"

#include <dirent.h>
#include <limits.h>

#include "plugin/event/event.h"

static const char *const presences[] = {
    [PRESENCE_IN] = "in", [PRESENCE_OUT] = "out", [PRESENCE_GONE] = "gone"
};

static void
same_json(const struct value *got, struct json_object *want)
{
    AUTO_FREE char *got_text = value_canonical(got), *want_text = json_canonical(want);

    T_STR(got_text, want_text);
}

/* Parses and folds one token; what is checked of the event itself is what the case names. */
static int
take(const char *token, struct json_object *want, struct subject_state *state,
     struct prov_error *err)
{
    CLEANUP(event_cleanup) struct event *event = NULL;
    struct subject_state before = { .presence = state->presence, .resource = state->resource };
    bool changed = false;
    int code = event_parse(token, strlen(token), NULL, &event, err);

    if (code == PROV_OK)
        code = event_fold(&test_values, event, state, &changed, err);
    if (code == PROV_OK) {
        T_INT(changed,
              before.presence != state->presence || !value_equal(before.resource, state->resource));
        T_INT(event->ignored, json_get_bool(want, "ignored", false));
        if (json_get_string(want, "etag"))
            T_STR(event->etag, json_get_string(want, "etag"));
        if (json_get_string(want, "uri"))
            T_STR(event->uri, json_get_string(want, "uri"));
        if (json_get(want, "had_password"))
            T_TRUE(event->had_password);
    }
    /* the event may own it */
    T_INT(value_copy(&test_values, state->resource, &state->resource), PROV_OK);
    return code;
}

static void
golden_case(const char *file)
{
    AUTO_JSON struct json_object *json = json_object_from_file(file);
    struct json_object *tokens = json_get(json, "tokens");
    struct subject_state state = { .presence = PRESENCE_IN };
    const char *text = json_get_string(json, "text"), *error = json_get_string(json, "error");
    struct prov_error err = PROV_ERROR_INIT;
    size_t count = tokens ? json_object_array_length(tokens) : 1;
    int code = PROV_OK;

    printf("    %s: %s\n", file, json ? json_get_string(json, "name") : "cannot be read");
    T_TRUE(json_get_string(json, "name") && !tokens != !text &&
           !json_get(json, "presence") == !!error);
    state.resource = value_like(json_get(json, "before"));
    for (size_t i = 0; code == PROV_OK && i < count && (tokens || text); i++) {
        AUTO_FREE char *token =
            tokens ? json_text(json_object_array_get_idx(tokens, i)) : strdup(text);
        code = take(token, json, &state, &err);
        if (error && i == count - 1)
            T_TRUE(code != PROV_OK);
        else
            T_OK(code, &err);
    }
    if (error) {
        T_HAS(err.text, error);
    } else {
        T_STR(presences[state.presence], json_get_string(json, "presence"));
        same_json(state.resource, json_get(json, "resource"));
    }
}

static void
golden_tokens_give_their_result(void)
{
    const char *top = getenv("srcdir");
    char file[PATH_MAX];
    struct dirent **entries = NULL;
    int count, cases = 0;

    snprintf(file, sizeof(file), "%s/tests/golden/event", top ? top : ".");
    count = scandir(file, &entries, NULL, alphasort);
    T_TRUE(count > 0);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->d_name);
        if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".json") == 0) {
            snprintf(file, sizeof(file), "%s/tests/golden/event/%s", top ? top : ".",
                     entries[i]->d_name);
            golden_case(file);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    T_TRUE(cases >= 45);
}

static const struct unit_case cases[] = {
    UNIT_CASE(golden_tokens_give_their_result),
};

int
main(int argc, char **argv)
{
    return unit_run("event golden", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
