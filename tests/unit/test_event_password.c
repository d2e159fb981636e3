/* Passwords in RFC 9967 tokens: taken from every form, and never left in what is stored. */
#include "tests/unit/unit.h"

#include "plugin/event/event.h"

#define URN    "urn:ietf:params:scim:event:"
#define CREATE "\"" URN "prov:create:full\""
#define PUT    "\"" URN "prov:put:full\""
#define PATCH  "\"" URN "prov:patch:full\""
#define HEAD                                                                                       \
    "{\"jti\":\"j1\",\"iss\":\"https://idp.example.com\",\"txn\":\"t1\",\"iat\":1458496404,"
#define SUBJECT "\"sub_id\":{\"format\":\"scim\",\"uri\":\"/Users/7\"},"
/* A token for /Users/7 with these events, as JSON text. */
#define TOKEN(events) HEAD SUBJECT "\"events\":{" events "}}"
/* A token with one PATCH of these operations. */
#define PATCHING(operations) TOKEN(PATCH ":{\"data\":{\"Operations\":[" operations "]}}")

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

static void
password_is_removed_in_every_form(void)
{
    static const char *const tokens[] = {
        TOKEN(CREATE ":{\"data\":{\"userName\":\"j\",\"PassWord\":\"cAnArY\"}}"),
        TOKEN(CREATE ":{\"data\":{\"userName\":\"w\",\"PASSWORD\":\"cAnArY\"}}"),
        TOKEN(CREATE ":{\"data\":{\"userName\":\"j\",\"pass\\u0077ord\":\"cAnArY\"}}"),
        TOKEN(PUT ":{\"data\":{\"urn:ietf:params:scim:schemas:core:2.0:User\":"
                  "{\"password\":\"cAnArY\"},\"userPassword\":{\"x\":[\"cAnArY\"]}}}"),
        TOKEN(PUT ":{\"data\":{\"urn:ietf:params:scim:schemas:core:2.0:User:password\":"
                  "\"cAnArY\"}}"),
        PATCHING("{\"op\":\"replace\",\"path\":\"password\",\"value\":\"cAnArY\"}"),
        PATCHING("{\"op\":\"replace\",\"PATH\":\" PASSWORD \",\"value\":\"cAnArY\"}"),
        PATCHING("{\"op\":\"add\",\"path\":\"urn:ietf:params:scim:schemas:core:2.0:User:password\","
                 "\"value\":\"cAnArY\"}"),
        PATCHING("{\"op\":\"add\",\"path\":\"urn:ietf:params:scim:schemas:core:2.0:User.password\","
                 "\"value\":\"cAnArY\"}"),
        PATCHING("{\"op\":\"remove\",\"path\":\"x[password eq \\\"cAnArY\\\"]\"}"),
        PATCHING("{\"op\":\"replace\",\"value\":{\"password\":\"cAnArY\"}}"),
        PATCHING("{\"op\":\"replace\",\"value\":[{\"password\":\"cAnArY\"}]}"),
        PATCHING("{\"op\":\"add\",\"path\":\"urn:ietf:params:scim:schemas:core:2.0:User\","
                 "\"value\":{\"password\":\"cAnArY\"}}"),
        TOKEN(PATCH ":{\"data\":{\"operations\":{\"op\":\"add\",\"path\":\"password\","
                    "\"value\":\"cAnArY\"}}}"),
        TOKEN(PATCH ":{\"data\":{\"Operations\":[],\"password\":\"cAnArY\"}}"),
    };

    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        CLEANUP(event_cleanup) struct event *event = parsed(tokens[i]);
        AUTO_FREE char *payload = event ? value_json(event->payload) : NULL;
        T_TRUE(event && event->had_password);
        T_TRUE(payload && !strstr(payload, "cAnArY") && !strcasestr(payload, "password"));
    }
}

static void
the_password_that_a_user_is_to_have_is_taken(void)
{
#define CORE "urn:ietf:params:scim:schemas:core:2.0:User"
    static const struct {
        const char *token, *password;
    } each[] = {
        { TOKEN(CREATE ":{\"data\":{\"userName\":\"j\",\"PassWord\":\"a\\u00e9\\\"\"}}"),
          "a\xc3\xa9\"" },
        { TOKEN(PUT ":{\"data\":{\"" CORE "\":{\"password\":\"x\"}}}"), "x" },
        { TOKEN(PUT ":{\"data\":{\"" CORE ":password\":\"x\"}}"), "x" },
        { PATCHING("{\"op\":\"Add\",\"path\":\" PASSWORD \",\"value\":\"x\"}"), "x" },
        { PATCHING("{\"op\":\"replace\",\"path\":\"" CORE ":password\",\"value\":\"x\"}"), "x" },
        { PATCHING("{\"op\":\"add\",\"path\":\"" CORE ".password\",\"value\":\"x\"}"), "x" },
        { PATCHING("{\"op\":\"add\",\"path\":\"" CORE "\",\"value\":{\"password\":\"x\"}}"), "x" },
        { PATCHING("{\"op\":\"replace\",\"value\":[{\"password\":\"x\"}]}"), "x" },
        { PATCHING("{\"op\":\"replace\",\"value\":{\"password\":\"x\"}},"
                   "{\"op\":\"replace\",\"path\":\"password\",\"value\":\"y\"}"),
          "y" },
        /* no password of the user */
        { PATCHING("{\"op\":\"remove\",\"path\":\"password\"}"), NULL },
        { PATCHING("{\"op\":\"add\",\"path\":\"x.password\",\"value\":\"x\"}"), NULL },
        { TOKEN(PUT ":{\"data\":{\"urn:x:Other\":{\"password\":\"x\"}}}"), NULL },
        { TOKEN(PUT ":{\"data\":{\"password\":\"\"}}"), NULL },
    };

    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
        CLEANUP(event_cleanup) struct event *event = parsed(each[i].token);
        T_TRUE(event && !event->password == !each[i].password);
        if (event && event->password)
            T_STR(event->password, each[i].password);
    }
    T_HAS(refusal(TOKEN(PUT ":{\"data\":{\"password\":[\"cAnArY\"]}}")),
          "attribute 'password' must be a text");
}

static void
password_takes_nothing_else_with_it(void)
{
    CLEANUP(event_cleanup)
    struct event *event =
        parsed(PATCHING("{\"op\":\"replace\",\"value\":{\"password\":\"s\",\"title\":\"a\","
                        "\"passwordExpires\":1}},{\"op\":\"add\",\"path\":\"password\",\"value\":"
                        "\"s\"},{\"op\":\"add\",\"path\":\"x[display eq \\\"password\\\"].y\","
                        "\"value\":\"password\"}"));
    AUTO_FREE char *payload = event ? value_json(event->payload) : NULL;

    T_STR(payload, "{\"Operations\":[{\"op\":\"replace\",\"value\":{\"title\":\"a\","
                   "\"passwordExpires\":1}},{\"op\":\"add\",\"path\":\"x[display eq "
                   "\\\"password\\\"].y\",\"value\":\"password\"}]}");
}

static void
the_payload_is_written_once_without_password(void)
{
    CLEANUP(event_cleanup)
    struct event *event =
        parsed(TOKEN(PUT ":{\"data\":{\"b\":[2],\"password\":\"s\",\"a\":\"x\\n\"}}"));
    CLEANUP(event_cleanup) struct event *without = parsed(TOKEN("\"" URN "prov:deactivate\":{}"));

    if (!event || !without)
        return;
    T_STR(event->payload_text, "{\"a\":\"x\\n\",\"b\":[2]}");
    T_STR(without->payload_text, NULL);
}

static void
a_hash_is_told_from_a_password(void)
{
    static const char *const hashed[] = {
        "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
        "{ssha512}x",
        "{CRYPT}$6$abcdefgh$0123456789",
        "{PBKDF2-SHA256}10000$c2FsdA$aGFzaA",
        "{CLEARTEXT}secret",
        "{PBKDF2}x",
        "$6$8g3Wm1Y0$Yp1cY6CkGZ8mZ3p9zYqk1o7v1c0",
        "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g",
    };
    static const char *const passwords[] = {
        "",
        "{",
        "{}",
        "{SSHA}",
        "{SSHA",
        "{Kestrel}7-Meadow",
        "$",
        "$$",
        "$6$",
        "$6$short$x",
        "$Money$Bags$",
        "Kestrel {SSHA}x",
        "a$6$b$c",
        "{S SHA}word",
        "{Shadow}x",
        "$a b$12345678901234567$890123",
    };

    for (size_t i = 0; i < sizeof(hashed) / sizeof(hashed[0]); i++)
        T_TRUE(event_password_is_hashed(hashed[i]));
    for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++)
        T_TRUE(!event_password_is_hashed(passwords[i]));
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_hash_is_told_from_a_password),
    UNIT_CASE(password_is_removed_in_every_form),
    UNIT_CASE(the_password_that_a_user_is_to_have_is_taken),
    UNIT_CASE(password_takes_nothing_else_with_it),
    UNIT_CASE(the_payload_is_written_once_without_password),
};

int
main(int argc, char **argv)
{
    return unit_run("event_password", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
