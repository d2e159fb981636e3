/* Reading RFC 9967 tokens and folding them into what is known of a subject. */
#include "plugin/event/event.h"
#include "plugin/scim/patch.h"
#include "tests/unit/values.h"

#define URN         "urn:ietf:params:scim:event:"
#define CREATE      "\"" URN "prov:create:full\""
#define PUT         "\"" URN "prov:put:full\""
#define PATCH       "\"" URN "prov:patch:full\""
#define EMPTY(name) "\"" URN name "\":{}"
#define DATA        ":{\"data\":{\"userName\":\"jdoe\"}}"
#define HEAD                                                                                       \
    "{\"jti\":\"j1\",\"iss\":\"https://idp.example.com\",\"txn\":\"t1\",\"iat\":1458496404,"
#define SUBJECT "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Users/7\"},"
#define NOTICE  "\"" URN "prov:patch:notice\":{\"attributes\":[\"title\"]}"
/* A token for /Users/7 with these events, as JSON text. */
#define TOKEN(events) HEAD SUBJECT "\"events\":{" events "}}"
/* A token with one PATCH of these operations. */
#define PATCHING(operations) TOKEN(PATCH ":{\"data\":{\"Operations\":[" operations "]}}")

static const char worked[] =
    "{\"jti\":\"4d3559ec67504aaba65d40b0363faad8\",\"txn\":\"b7b953f11cc6\",\"iat\":1458496404,"
    "\"iss\":\"https://idp.example.com\",\"aud\":[\"sfprov\"],"
    "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Users/44f6142df96bd6ab61e7521d9\","
    "\"externalId\":\"jdoe\"},\"events\":{" CREATE ":{\"version\":\"W/\\\"1\\\"\",\"data\":{"
    "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"PRIMARY/jdoe\","
    "\"active\":true,\"name\":{\"givenName\":\"J\\u00f6hn\",\"familyName\":\"Doe\"},"
    "\"emails\":[{\"value\":\"jdoe@example.com\",\"type\":\"work\",\"primary\":true}]}}}}";

/* The event of a token that must be taken; NULL after a failed check. */
static struct event *
parsed(const char *text)
{
    struct event *event = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(event_parse(text, strlen(text), NULL, &event, &err), &err);
    return event;
}

/* The text of the error of a token that must not be taken; static. */
static const char *
refusal(const char *text)
{
    static struct prov_error err;
    CLEANUP(event_cleanup) struct event *event = NULL;
    int code;

    err = (struct prov_error)PROV_ERROR_INIT;
    code = event_parse(text, strlen(text), NULL, &event, &err);
    T_TRUE(code == PROV_OK || !event);
    T_INT(err.code, code);
    return code == PROV_OK ? "(taken)" : err.text;
}

static const char *
digest_of(const char *text)
{
    static char digest[DIGEST_HEX_SIZE];
    CLEANUP(event_cleanup) struct event *event = parsed(text);

    snprintf(digest, sizeof(digest), "%s", event ? event->digest : "");
    return digest;
}

static void
worked_token_is_read(void)
{
    CLEANUP(event_cleanup) struct event *event = parsed(worked);

    if (!event)
        return;
    T_STR(event->jti, "4d3559ec67504aaba65d40b0363faad8");
    T_STR(event->txn, "b7b953f11cc6");
    T_STR(event->iss, "https://idp.example.com");
    T_INT(event->iat, 1458496404);
    T_STR(event->uri, "/Users/44f6142df96bd6ab61e7521d9");
    T_STR(event->kinds, "prov:create:full");
    T_STR(event->etag, "W/\"1\"");
    T_INT(event->data, EVENT_CREATE);
    T_STR(value_get_text(event->payload, "userName"), "PRIMARY/jdoe");
    T_INT(event->active, EVENT_NO_SWITCH);
    T_INT(event->feed, EVENT_NO_FEED);
    T_TRUE(!event->deleted && !event->ignored && !event->had_password);
    T_INT(strlen(event->digest), 64);
}

static void
missing_claims_are_named(void)
{
    T_HAS(refusal("{\"iss\":\"i\"," SUBJECT "\"events\":{" EMPTY("prov:delete") "}}"),
          "claim 'jti' is missing");
    T_HAS(refusal("{\"jti\":\"j\"," SUBJECT "\"events\":{" EMPTY("prov:delete") "}}"),
          "connector field 'issuer'");
    T_HAS(refusal(HEAD "\"events\":{" EMPTY("prov:delete") "}}"), "claim 'sub_id' must be");
    T_HAS(refusal(HEAD SUBJECT "\"aud\":\"x\"}"), "claim 'events' must be");
    T_HAS(refusal(HEAD SUBJECT "\"events\":{}}"), "claim 'events' must be");
    T_HAS(refusal(HEAD SUBJECT "\"events\":[]}"), "claim 'events' must be");
    T_HAS(refusal(HEAD "\"sub\":\"7\"," SUBJECT "\"events\":{" EMPTY("prov:delete") "}}"),
          "claim 'sub' must not be used");
}

static void
claims_of_the_wrong_kind_are_refused(void)
{
    static const struct {
        const char *claims, *error;
    } cases[] = {
        { "\"jti\":7,\"iss\":\"i\"", "claim 'jti' must be a string" },
        { "\"jti\":\"\",\"iss\":\"i\"", "claim 'jti' is empty" },
        { "\"jti\":\"a\\u0000b\",\"iss\":\"i\"", "claim 'jti' holds a control character" },
        { "\"jti\":\"a\\nb\",\"iss\":\"i\"", "claim 'jti' holds a control character" },
        { "\"jti\":\"j\",\"iss\":{}", "claim 'iss' must be a string" },
        { "\"jti\":\"j\",\"iss\":\"\"", "claim 'iss' is empty" },
        { "\"jti\":\"j\",\"iss\":\"i\",\"txn\":1", "claim 'txn' must be a string" },
    };
    char text[1024];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "{%s," SUBJECT "\"events\":{" EMPTY("prov:delete") "}}",
                 cases[i].claims);
        T_HAS(refusal(text), cases[i].error);
    }
}

static void
long_claims_are_refused(void)
{
    char text[4096], long_text[1100];

    memset(long_text, 'x', sizeof(long_text));
    long_text[257] = '\0';
    snprintf(text, sizeof(text),
             "{\"jti\":\"%s\",\"iss\":\"i\"," SUBJECT "\"events\":{" EMPTY("prov:delete") "}}",
             long_text);
    T_HAS(refusal(text), "claim 'jti' is longer than 256 bytes");
    long_text[257] = 'x';
    long_text[1025] = '\0';
    snprintf(text, sizeof(text),
             HEAD "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Users/%s\"},\"events\":{" EMPTY(
                 "prov:delete") "}}",
             long_text);
    T_HAS(refusal(text), "claim 'sub_id.uri' is longer than 1024 bytes");
}

static void
issuer_comes_from_the_connector_field_when_it_is_missing(void)
{
    static const char text[] = "{\"jti\":\"j\"," SUBJECT "\"events\":{" EMPTY("prov:delete") "}}";
    CLEANUP(event_cleanup) struct event *event = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(event_parse(text, sizeof(text) - 1, "https://field.example.com", &event, &err), &err);
    if (event) {
        T_STR(event->iss, "https://field.example.com");
        T_TRUE(event->txn == NULL && event->iat == 0 && event->etag == NULL);
    }
}

static void
strange_iat_is_no_reason_to_refuse(void)
{
    static const char *const values[] = { "1e300", "-1e300", "1e400",       "\"x\"",
                                          "{}",    "null",   "1458496404.5" };
    char text[1024];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        CLEANUP(event_cleanup) struct event *event = NULL;
        snprintf(text, sizeof(text),
                 "{\"jti\":\"j\",\"iss\":\"i\",\"iat\":%s," SUBJECT
                 "\"events\":{" EMPTY("prov:delete") "}}",
                 values[i]);
        event = parsed(text);
        if (event && i == 6)
            T_INT(event->iat, 1458496404);
    }
}

static void
subject_is_one_however_its_uri_is_written(void)
{
    static const char *const same[] = { "/Users/7",
                                        "../Users/7",
                                        "Users/7",
                                        "/scim/v2/Users/7",
                                        "https://host/scim/v2/Users/7?x=/Users/8",
                                        "/users/7",
                                        "https://host/Users/scim/Users/7#top",
                                        "/Users/7/",
                                        "https://host/Users/7//?x" };
    static const char *const none[] = { "",
                                        "/Users",
                                        "/Users/",
                                        "/Groups/7",
                                        "7",
                                        "https://host",
                                        "https://host/Users/",
                                        "/Usersx/7",
                                        "/Users/?7",
                                        "/",
                                        "//",
                                        "https://host//",
                                        "?",
                                        "://" };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        AUTO_FREE char *uri = event_user_uri(same[i]);
        T_STR(uri, "/Users/7");
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        AUTO_FREE char *uri = event_user_uri(none[i]);
        T_TRUE(uri == NULL);
    }
}

static void
subject_that_is_no_user_is_refused_or_ignored(void)
{
    static const struct {
        const char *uri, *error;
    } cases[] = {
        { "/Users/", "names no user" },
        { "Users/7", "(taken)" },
        { "/Me", "names no user" },
        { "7", "names no user" },
        { "/Groups/", "names no user" },
        { "/Users/\\u0001", "control character" },
        { "/Groups/7", "(taken)" },
        { "https://host/v2/Groups/7", "(taken)" },
        { "https://host/v2/Users/7", "(taken)" },
    };
    char text[1024];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text),
                 HEAD "\"sub_id\":{\"format\":\"scim\",\"uri\":\"%s\"},\"events\":{" EMPTY(
                     "prov:delete") "}}",
                 cases[i].uri);
        T_HAS(refusal(text), cases[i].error);
    }
    T_HAS(refusal(HEAD "\"sub_id\":{\"format\":\"email\",\"email\":\"a@b\"},\"events\":{" EMPTY(
              "prov:delete") "}}"),
          "'sub_id.format' must be \"scim\"");
    T_HAS(refusal(HEAD "\"sub_id\":{\"format\":\"scim\"},\"events\":{" EMPTY("prov:delete") "}}"),
          "'sub_id.uri' is missing");
    T_HAS(refusal(HEAD "\"sub_id\":{\"format\":\"scim\",\"uri\":[]},\"events\":{" EMPTY(
              "prov:delete") "}}"),
          "'sub_id.uri' must be a string");
}

static void
group_is_ignored_and_never_an_error(void)
{
    CLEANUP(event_cleanup)
    struct event *event = parsed(HEAD "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Groups/9\"},"
                                      "\"events\":{\"" URN "prov:patch:notice\":{\"attributes\":"
                                      "[\"members\"]}," PATCH ":{\"data\":{\"Operations\":["
                                      "{\"op\":\"odd\",\"password\":\"secret\"}]}}}}");
    struct subject_state state = { .presence = PRESENCE_GONE };
    struct prov_error err = PROV_ERROR_INIT;
    bool changed = true;

    if (!event)
        return;
    T_TRUE(event->ignored && event->had_password && event->payload == NULL);
    T_STR(event->uri, "/Groups/9");
    T_STR(event->kinds, "prov:patch:full prov:patch:notice");
    T_OK(event_fold(&test_values, event, &state, &changed, &err), &err);
    T_TRUE(!changed && state.presence == PRESENCE_GONE);
}

static void
several_uris_fold_in_the_order_of_the_design(void)
{
    CLEANUP(event_cleanup)
    struct event *event = parsed(TOKEN(EMPTY("prov:delete") "," EMPTY("feed:remove") "," EMPTY(
        "prov:deactivate") ",\"URN:IETF:params:SCIM:event:prov:put:full\"" DATA));

    if (!event)
        return;
    T_STR(event->kinds, "prov:put:full prov:deactivate feed:remove prov:delete");
    T_INT(event->data, EVENT_PUT);
    T_INT(event->active, EVENT_DEACTIVATE);
    T_INT(event->feed, EVENT_FEED_REMOVE);
    T_TRUE(event->deleted);
}

static void
contradictory_pairs_are_refused(void)
{
    static const char *const pairs[] = {
        TOKEN(CREATE DATA "," PUT DATA),
        TOKEN(CREATE DATA "," PATCH ":{\"data\":{\"Operations\":[]}}"),
        TOKEN(PUT DATA "," PATCH ":{\"data\":{\"Operations\":[]}}"),
        TOKEN(EMPTY("prov:activate") "," EMPTY("prov:deactivate")),
        TOKEN(EMPTY("feed:add") "," EMPTY("feed:remove")),
        TOKEN(EMPTY("prov:delete") "," EMPTY("prov:activate")),
        TOKEN(EMPTY("feed:add") "," EMPTY("prov:delete")),
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        T_HAS(refusal(pairs[i]), "contradict each other");
    T_STR(refusal(TOKEN(PUT DATA "," EMPTY("prov:delete"))), "(taken)");
    T_STR(refusal(TOKEN(CREATE DATA "," EMPTY("prov:deactivate") "," EMPTY("feed:add"))),
          "(taken)");
    T_HAS(refusal(TOKEN(EMPTY("feed:add") ",\"" URN "FEED:ADD\":{}")), "'feed:add' is there twice");
}

static void
events_that_cannot_be_folded_are_refused_with_the_remedy(void)
{
    T_HAS(refusal(TOKEN("\"" URN "prov:move\":{}")), "event '" URN "prov:move' is not known");
    T_HAS(refusal(TOKEN("\"x\":{}")), "event 'x' is not known");
    T_HAS(refusal(TOKEN("\"" URN "misc:asyncresp\":{}")), "which this connector gives");
    T_HAS(refusal(TOKEN("\"" URN "prov:put:notice\":{}")), "attributes' must be an array");
    T_HAS(refusal(TOKEN("\"" URN "prov:put:notice\":{\"attributes\":\"title\"}")),
          "attributes' must be an array");
    T_HAS(refusal(TOKEN("\"" URN "prov:put:notice\":{\"attributes\":[],\"data\":{}}")),
          "a notice names 'attributes' only");
    T_HAS(refusal(TOKEN(NOTICE "," PUT DATA)),
          "'prov:put:full' and 'prov:patch:notice' contradict");
    T_HAS(refusal(TOKEN(CREATE ":{}")), "'events.prov:create:full.data' must be an object");
    T_HAS(refusal(TOKEN(CREATE ":{\"data\":null}")), "must be an object");
    T_HAS(refusal(TOKEN(CREATE ":{\"data\":[{}]}")), "must be an object");
    T_HAS(refusal(TOKEN(CREATE ":null")), "'events.prov:create:full.data' must be an object");
    T_HAS(refusal(TOKEN(CREATE ":\"x\"")), "'events.prov:create:full' must be an object");
    T_HAS(refusal(TOKEN(CREATE ":{\"data\":{},\"attributes\":[]}")), "has both");
    T_HAS(refusal(TOKEN(PUT ":{\"data\":{},\"version\":7}")), "claim 'version' must be a string");
    T_HAS(refusal(TOKEN(PATCH ":{\"data\":{}}")),
          "claim 'events.prov:patch:full.data': invalidSyntax: a PATCH needs an array");
    T_HAS(refusal(PATCHING("{\"op\":\"add\",\"path\":\"a[\",\"value\":1}")),
          "PATCH operation 1 on 'a[': invalidPath");
    T_STR(refusal(TOKEN("\"" URN "prov:activate\":null")), "(taken)");
}

static void
wrong_types_inside_the_data_are_left_to_planning(void)
{
    T_STR(refusal(TOKEN(CREATE ":{\"data\":{\"userName\":7,\"emails\":\"x\",\"active\":\"maybe\","
                               "\"name\":[],\"schemas\":{}}}")),
          "(taken)");
    T_STR(refusal(TOKEN(CREATE ":{\"data\":{}}")), "(taken)");
}

static void
digest_is_of_what_happened_to_whom(void)
{
    static const char event[] = SUBJECT "\"events\":{" PUT ":{\"data\":{\"a\":1,\"b\":[2]}}}}";
    char text[1024];
    AUTO_FREE char *digest = NULL;

    snprintf(text, sizeof(text), HEAD "%s", event);
    digest = strdup(digest_of(text));
    snprintf(text, sizeof(text), "{\"jti\":\"j2\",\"iss\":\"https://idp.example.com\",\"aud\":7,%s",
             event);
    T_STR(digest_of(text), digest);
    T_STR(digest_of(HEAD "\"sub_id\":{\"uri\":\"https://h/v2/Users/7\",\"format\":\"scim\"},"
                         "\"events\":{\"urn:ietf:params:SCIM:event:prov:put:full\":"
                         "{\"data\":{\"b\":[2],\"password\":\"s\",\"a\":1}}}}"),
          digest);
    T_TRUE(strcmp(digest_of(TOKEN(PUT ":{\"data\":{\"a\":1,\"b\":[3]}}")), digest) != 0);
    T_TRUE(strcmp(digest_of(TOKEN(CREATE ":{\"data\":{\"a\":1,\"b\":[2]}}")), digest) != 0);
    snprintf(text, sizeof(text), "{\"jti\":\"j1\",\"iss\":\"other\",%s", event);
    T_TRUE(strcmp(digest_of(text), digest) != 0);
}

/* ---- folding ---- */

/* Folds a token into *state; whether it changed. */
static bool
fold(struct subject_state *state, const char *token)
{
    CLEANUP(event_cleanup) struct event *event = parsed(token);
    AUTO_FREE char *before = NULL, *after = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    bool changed = false;

    if (!event)
        return false;
    before = value_json(event->payload);
    T_OK(event_fold(&test_values, event, state, &changed, &err), &err);
    after = value_json(event->payload);
    T_STR(after, before);
    /* the event may own it */
    T_INT(value_copy(&test_values, state->resource, &state->resource), PROV_OK);
    return changed;
}

/* As JSON; static. */
static const char *
written(const struct value *value)
{
    static char text[4096];
    AUTO_FREE char *json = value_json(value);

    snprintf(text, sizeof(text), "%s", json);
    return text;
}

static const char *
text_of(const struct subject_state *state)
{
    return state->resource ? written(state->resource) : "none";
}

static void
create_put_and_patch_change_the_resource(void)
{
    struct subject_state state = { .presence = PRESENCE_IN };

    T_TRUE(fold(&state, TOKEN(CREATE ":{\"data\":{\"userName\":\"a\",\"title\":\"x\"}}")));
    T_STR(text_of(&state), "{\"userName\":\"a\",\"title\":\"x\"}");
    T_TRUE(!fold(&state, TOKEN(PUT ":{\"data\":{\"title\":\"x\",\"userName\":\"a\"}}")));
    T_TRUE(fold(&state, TOKEN(PUT ":{\"data\":{\"userName\":\"b\"}}")));
    T_STR(text_of(&state), "{\"userName\":\"b\"}");
    T_TRUE(fold(&state, PATCHING("{\"op\":\"add\",\"path\":\"title\",\"value\":\"y\"}")));
    T_STR(text_of(&state), "{\"userName\":\"b\",\"title\":\"y\"}");
    T_TRUE(!fold(&state, PATCHING("{\"op\":\"add\",\"path\":\"title\",\"value\":\"y\"}")));
    T_INT(state.presence, PRESENCE_IN);
}

static void
subject_never_seen_stays_so_until_it_is_created(void)
{
    struct subject_state state = { .presence = PRESENCE_IN };

    T_TRUE(!fold(&state, PATCHING("{\"op\":\"add\",\"path\":\"title\",\"value\":\"y\"}")));
    T_TRUE(!fold(&state, TOKEN(EMPTY("prov:deactivate"))));
    T_TRUE(!fold(&state, TOKEN(EMPTY("prov:activate"))));
    T_STR(text_of(&state), "none");
    T_TRUE(fold(&state, TOKEN(EMPTY("feed:remove"))));
    T_INT(state.presence, PRESENCE_OUT);
    T_TRUE(fold(&state, TOKEN(EMPTY("prov:delete"))));
    T_INT(state.presence, PRESENCE_GONE);
    T_STR(text_of(&state), "none");
}

static void
activate_and_deactivate_change_only_what_differs(void)
{
    struct subject_state state = { .presence = PRESENCE_IN };

    T_TRUE(fold(&state, TOKEN(CREATE DATA)));
    T_TRUE(!fold(&state, TOKEN(EMPTY("prov:activate"))));
    T_TRUE(fold(&state, TOKEN(EMPTY("prov:deactivate"))));
    T_TRUE(!scim_is_active(state.resource));
    T_TRUE(!fold(&state, TOKEN(EMPTY("prov:deactivate"))));
    T_TRUE(fold(&state, TOKEN(PUT ":{\"data\":{\"userName\":\"b\",\"Active\":\"False\"}}")));
    T_TRUE(!fold(&state, TOKEN(EMPTY("prov:deactivate"))));
    T_TRUE(fold(&state, TOKEN(EMPTY("prov:activate"))));
    T_STR(text_of(&state), "{\"userName\":\"b\",\"Active\":true}");
    T_TRUE(fold(&state, TOKEN(PUT DATA "," EMPTY("prov:deactivate"))));
    T_STR(text_of(&state), "{\"userName\":\"jdoe\",\"active\":false}");
}

static void
only_create_put_and_feed_add_revive_the_gone(void)
{
    static const char *const reviving[] = { TOKEN(CREATE DATA), TOKEN(PUT DATA),
                                            TOKEN(EMPTY("feed:add")) };

    for (size_t i = 0; i < sizeof(reviving) / sizeof(reviving[0]); i++) {
        struct subject_state state = { .presence = PRESENCE_IN };
        T_TRUE(fold(&state, TOKEN(CREATE DATA)));
        T_TRUE(fold(&state, TOKEN(EMPTY("prov:delete"))));
        T_INT(state.presence, PRESENCE_GONE);
        T_TRUE(!fold(&state, TOKEN(EMPTY("prov:delete"))));
        T_TRUE(!fold(&state, TOKEN(EMPTY("prov:activate"))));
        T_TRUE(!fold(&state, TOKEN(EMPTY("feed:remove"))));
        T_TRUE(fold(&state, PATCHING("{\"op\":\"add\",\"path\":\"title\",\"value\":\"y\"}")));
        T_INT(state.presence, PRESENCE_GONE);
        T_STR(text_of(&state), "{\"userName\":\"jdoe\",\"title\":\"y\"}");
        T_TRUE(fold(&state, reviving[i]));
        T_INT(state.presence, PRESENCE_IN);
    }
}

static void
the_host_is_asked_only_where_the_event_says_less_than_the_whole(void)
{
    static const struct {
        enum presence presence;
        bool seen;
        const char *token;
        bool asks;
    } table[] = {
        { PRESENCE_IN, true, TOKEN(NOTICE), true },
        { PRESENCE_GONE, true, TOKEN(NOTICE), true },
        { PRESENCE_IN, true, TOKEN(NOTICE "," EMPTY("prov:delete")), false },
        { PRESENCE_IN, false, TOKEN(PUT DATA), false },
        { PRESENCE_IN, false, PATCHING("{\"op\":\"remove\",\"path\":\"title\"}"), true },
        { PRESENCE_IN, true, PATCHING("{\"op\":\"remove\",\"path\":\"title\"}"), false },
        { PRESENCE_GONE, false, PATCHING("{\"op\":\"remove\",\"path\":\"title\"}"), false },
        { PRESENCE_IN, false, TOKEN(EMPTY("prov:deactivate")), true },
        { PRESENCE_IN, false, TOKEN(EMPTY("feed:remove")), false },
        { PRESENCE_IN, true, TOKEN(EMPTY("feed:add")), false },
        { PRESENCE_OUT, true, TOKEN(EMPTY("feed:add")), true },
        { PRESENCE_GONE, true, TOKEN(EMPTY("feed:add")), true },
        { PRESENCE_OUT, true, TOKEN(EMPTY("feed:add") "," PUT DATA), false },
        { PRESENCE_OUT, true, TOKEN(EMPTY("prov:activate")), false },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CLEANUP(event_cleanup) struct event *event = parsed(table[i].token);
        struct value *resource = value_of("{}");
        struct subject_state state = { table[i].presence, table[i].seen ? resource : NULL };
        T_INT(event_asks(event, &state), table[i].asks);
    }
}

static void
what_the_host_gives_stands_for_the_data_and_has_no_password(void)
{
    static const char given[] = "{\"userName\":\"b\",\"password\":\"cAnArY\"}";
    CLEANUP(event_cleanup) struct event *event = parsed(TOKEN(NOTICE "," EMPTY("prov:deactivate")));
    struct subject_state state = { .presence = PRESENCE_IN };
    struct prov_error err = PROV_ERROR_INIT;
    bool changed;

    T_TRUE(fold(&state, TOKEN(CREATE DATA)));
    T_OK(event_take_resource(event, given, strlen(given), &err), &err);
    T_TRUE(event->had_password);
    T_OK(event_fold(&test_values, event, &state, &changed, &err), &err);
    T_STR(text_of(&state), "{\"userName\":\"b\",\"active\":false}");
    T_TRUE(fold(&state, TOKEN(EMPTY("prov:delete"))));
    T_OK(event_fold(&test_values, event, &state, &changed, &err), &err);
    T_INT(state.presence, PRESENCE_GONE); /* a patch does not revive, told by a notice or not */
    T_INT(event_take_resource(event, "[]", 2, &err), PROV_E_INVALID);
    T_INT(event_take_resource(event, "{", 1, &err), PROV_E_INVALID);
}

static void
only_feed_add_takes_in_who_is_out_of_scope(void)
{
    struct subject_state state = { .presence = PRESENCE_IN };

    T_TRUE(fold(&state, TOKEN(CREATE DATA "," EMPTY("feed:remove"))));
    T_INT(state.presence, PRESENCE_OUT);
    T_TRUE(!fold(&state, TOKEN(EMPTY("feed:remove"))));
    T_TRUE(!fold(&state, TOKEN(PUT DATA)));
    T_TRUE(fold(&state, TOKEN(CREATE ":{\"data\":{\"userName\":\"b\"}}")));
    T_INT(state.presence, PRESENCE_OUT);
    T_TRUE(fold(&state, TOKEN(EMPTY("feed:add"))));
    T_INT(state.presence, PRESENCE_IN);
    T_STR(text_of(&state), "{\"userName\":\"b\"}");
    T_TRUE(fold(&state, TOKEN(PUT DATA "," EMPTY("prov:delete"))));
    T_INT(state.presence, PRESENCE_GONE);
    T_STR(text_of(&state), "{\"userName\":\"jdoe\"}");
    T_TRUE(fold(&state, TOKEN(PUT DATA "," EMPTY("feed:remove"))));
    T_INT(state.presence, PRESENCE_OUT);
}

static void
patch_that_does_not_apply_leaves_the_state(void)
{
    struct subject_state state = { .presence = PRESENCE_IN };
    CLEANUP(event_cleanup)
    struct event *event = parsed(PATCHING("{\"op\":\"replace\",\"path\":\"title\",\"value\":\"y\"},"
                                          "{\"op\":\"replace\",\"path\":\"emails[value eq "
                                          "\\\"a\\\"].type\",\"value\":\"b\"}"));
    struct prov_error err = PROV_ERROR_INIT;
    bool changed = true;

    T_TRUE(fold(&state, TOKEN(CREATE DATA)));
    if (event)
        T_INT(event_fold(&test_values, event, &state, &changed, &err), PROV_E_INVALID);
    T_HAS(err.text, "PATCH operation 2 on 'emails[value eq \"a\"].type': noTarget");
    T_TRUE(changed);
    T_STR(text_of(&state), "{\"userName\":\"jdoe\"}");
}

static void
one_event_folds_into_several_states(void)
{
    struct subject_state first = { .presence = PRESENCE_IN }, second = { .presence = PRESENCE_IN };
    CLEANUP(event_cleanup)
    struct event *event = parsed(TOKEN(CREATE DATA "," EMPTY("prov:deactivate")));
    struct prov_error err = PROV_ERROR_INIT;
    bool changed;

    if (!event)
        return;
    T_OK(event_fold(&test_values, event, &first, &changed, &err), &err);
    T_TRUE(fold(&first, PATCHING("{\"op\":\"add\",\"path\":\"name.givenName\",\"value\":\"y\"}")));
    T_OK(event_fold(&test_values, event, &second, &changed, &err), &err);
    T_STR(text_of(&second), "{\"userName\":\"jdoe\",\"active\":false}");
    T_STR(written(event->payload), "{\"userName\":\"jdoe\"}");
}

/* ---- hostile input ---- */

static void
token_cut_at_any_byte_is_refused(void)
{
    for (size_t length = 0; length < sizeof(worked) - 1; length++) {
        CLEANUP(event_cleanup) struct event *event = NULL;
        struct prov_error err = PROV_ERROR_INIT;
        /* a heap copy of just these bytes, so that a read behind them is seen */
        AUTO_FREE char *text = malloc(length ? length : 1);
        memcpy(text, worked, length);
        T_INT(event_parse(text, length, NULL, &event, &err), PROV_E_INVALID);
        T_TRUE(!event && err.text[0]);
    }
}

static void
flipped_bytes_do_no_harm(void)
{
    static const char patch[] = PATCHING(
        "{\"op\":\"add\",\"path\":\"emails[type eq \\\"work\\\"].value\",\"value\":\"a\"},"
        "{\"op\":\"replace\",\"value\":{\"name.givenName\":\"b\",\"emails\":[{\"value\":\"c\"}]}},"
        "{\"op\":\"remove\",\"path\":\"name[not (a pr) or b gt 1]\"}");
    uint32_t random = 12345;
    unsigned taken = 0;

    for (int round = 0; round < 20000; round++) {
        const char *source = round % 2 ? patch : worked;
        size_t length = strlen(source);
        AUTO_FREE char *text = strdup(source);
        CLEANUP(event_cleanup) struct event *event = NULL;
        struct subject_state state = { .presence = PRESENCE_IN };
        struct prov_error err = PROV_ERROR_INIT;
        bool changed;
        for (int flip = 0; flip < 1 + round % 3; flip++) {
            random = random * 1664525u + 1013904223u;
            text[(random >> 8) % length] ^= (char)(1u << (random >> 29));
        }
        if (event_parse(text, length, NULL, &event, &err) != PROV_OK)
            continue;
        taken++;
        state.resource = value_of("{\"emails\":[{\"type\":\"work\",\"value\":\"x\"}],"
                                  "\"name\":{\"a\":1,\"b\":2}}");
        if (event_fold(&test_values, event, &state, &changed, &err) == PROV_OK)
            T_TRUE(state.resource != NULL);
    }
    T_TRUE(taken > 100 && taken < 20000);
}

/* The answer to a token of count times `piece` around `middle`; static. */
static const char *
refusal_of_many(const char *start, const char *piece, size_t count, const char *end)
{
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    fputs(start, stream);
    for (size_t i = 0; i < count; i++)
        fputs(piece, stream);
    fputs(end, stream);
    fclose(stream);
    return refusal(text);
}

static void
oversized_tokens_are_refused(void)
{
    T_HAS(refusal_of_many(HEAD SUBJECT "\"events\":{" CREATE ":{\"data\":{\"a\":\"", "x", 262144,
                          "\"}}}}"),
          "more than 262144: send less");
    T_STR(refusal_of_many(HEAD SUBJECT "\"events\":{" CREATE ":{\"data\":{\"a\":\"", "x", 250000,
                          "\"}}}}"),
          "(taken)");
    T_HAS(refusal_of_many(HEAD SUBJECT "\"events\":{" CREATE ":{\"data\":{\"a\":", "[", 100000, ""),
          "nested deeper than 32 levels");
    T_HAS(refusal_of_many("{\"jti\":\"", "x", 100000, "\"}"), "'jti' is longer than 256 bytes");
    T_HAS(refusal_of_many(HEAD SUBJECT "\"events\":{\"", "x", 100000, "\":{}}}"),
          "event '(longer than 120 bytes)' is not known");
}

static void
text_that_is_no_json_object_is_refused(void)
{
    static const char nul[] = "{\"jti\":\"a\0b\"}";
    struct event *event = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_HAS(refusal(""), "empty");
    T_HAS(refusal("[]"), "must be a JSON object");
    T_HAS(refusal("7"), "must be a JSON object");
    T_HAS(refusal("null"), "must be a JSON object");
    T_HAS(refusal(TOKEN(CREATE DATA) "x"), "something follows");
    T_HAS(refusal("{\"jti\":\"\xff\xfe\"}"), "not valid JSON");
    T_HAS(refusal("{\"jti\":\"\xc3\"}"), "not valid JSON");
    T_INT(event_parse(nul, sizeof(nul) - 1, NULL, &event, &err), PROV_E_INVALID);
    T_INT(event_parse("{", 1, NULL, &event, NULL), PROV_E_INVALID);
}

static const struct unit_case cases[] = {
    UNIT_CASE(worked_token_is_read),
    UNIT_CASE(missing_claims_are_named),
    UNIT_CASE(claims_of_the_wrong_kind_are_refused),
    UNIT_CASE(long_claims_are_refused),
    UNIT_CASE(issuer_comes_from_the_connector_field_when_it_is_missing),
    UNIT_CASE(strange_iat_is_no_reason_to_refuse),
    UNIT_CASE(subject_is_one_however_its_uri_is_written),
    UNIT_CASE(subject_that_is_no_user_is_refused_or_ignored),
    UNIT_CASE(group_is_ignored_and_never_an_error),
    UNIT_CASE(several_uris_fold_in_the_order_of_the_design),
    UNIT_CASE(contradictory_pairs_are_refused),
    UNIT_CASE(events_that_cannot_be_folded_are_refused_with_the_remedy),
    UNIT_CASE(wrong_types_inside_the_data_are_left_to_planning),
    UNIT_CASE(digest_is_of_what_happened_to_whom),
    UNIT_CASE(create_put_and_patch_change_the_resource),
    UNIT_CASE(subject_never_seen_stays_so_until_it_is_created),
    UNIT_CASE(activate_and_deactivate_change_only_what_differs),
    UNIT_CASE(only_create_put_and_feed_add_revive_the_gone),
    UNIT_CASE(the_host_is_asked_only_where_the_event_says_less_than_the_whole),
    UNIT_CASE(what_the_host_gives_stands_for_the_data_and_has_no_password),
    UNIT_CASE(only_feed_add_takes_in_who_is_out_of_scope),
    UNIT_CASE(patch_that_does_not_apply_leaves_the_state),
    UNIT_CASE(one_event_folds_into_several_states),
    UNIT_CASE(token_cut_at_any_byte_is_refused),
    UNIT_CASE(flipped_bytes_do_no_harm),
    UNIT_CASE(oversized_tokens_are_refused),
    UNIT_CASE(text_that_is_no_json_object_is_refused),
};

int
main(int argc, char **argv)
{
    return unit_run("event", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
