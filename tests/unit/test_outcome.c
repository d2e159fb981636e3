/* The outcome table, ids and SOQL text: pure, so cases are rows. The codes and texts are those of
 * the fact sheet (1.3, 6.2, 2.10, 5.5). */
#include "plugin/salesforce/outcome.h"
#include "plugin/salesforce/session.h"
#include "tests/unit/unit.h"

#define READ  0
#define WRITE 1

struct judged {
    enum sf_level level;
    int status;
    const char *code, *message;
    int write;
    enum sf_outcome want;
    const char *remedy_part; /* NULL: not looked at */
};

static void
judge_all(const struct judged *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct judged *row = &rows[i];
        struct sf_verdict got =
            sf_judge(row->level, row->status, row->code, row->message, row->write);
        if (got.outcome != row->want)
            printf("    row %zu: %d %s '%s' %s: %s\n", i, row->status, row->code ? row->code : "-",
                   row->message ? row->message : "-", row->write ? "write" : "read",
                   sf_outcome_name(got.outcome));
        T_INT(got.outcome, row->want);
        T_TRUE(got.cause && got.remedy);
        if (got.outcome != SF_DELIVERED)
            T_TRUE(strlen(got.cause) > 10 && strlen(got.remedy) > 10);
        if (row->remedy_part)
            T_HAS(got.remedy, row->remedy_part);
    }
}

#define JUDGE(rows) judge_all(rows, sizeof(rows) / sizeof(rows[0]))

static void
token_errors_hold_and_name_the_setting(void)
{
    static const struct judged rows[] = {
        { SF_LEVEL_TOKEN, 400, "invalid_grant", "request not supported on this domain", READ,
          SF_HOLD, "My Domain" },
        { SF_LEVEL_TOKEN, 400, "invalid_grant", "no client credentials user enabled", READ, SF_HOLD,
          "Run As" },
        { SF_LEVEL_TOKEN, 400, "invalid_grant", "client credentials flow not enabled", READ,
          SF_HOLD, "Client Credentials" },
        { SF_LEVEL_TOKEN, 400, "invalid_grant", "authentication failure", READ, SF_HOLD,
          "Login History" },
        { SF_LEVEL_TOKEN, 400, "invalid_grant", "user hasn't approved this consumer", READ, SF_HOLD,
          "pre-authorized" },
        { SF_LEVEL_TOKEN, 400, "invalid_grant", "inactive user", READ, SF_HOLD, "Activate" },
        { SF_LEVEL_TOKEN, 400, "inactive_user", "inactive user", READ, SF_HOLD, "Activate" },
        { SF_LEVEL_TOKEN, 400, "invalid_grant", "ip restricted", READ, SF_HOLD, "Login IP Ranges" },
        { SF_LEVEL_TOKEN, 400, "invalid_grant", NULL, READ, SF_HOLD, "Login History" },
        { SF_LEVEL_TOKEN, 400, "inactive_org", NULL, READ, SF_HOLD, NULL },
        { SF_LEVEL_TOKEN, 400, "invalid_app_access",
          "user is not admin approved to access this app", READ, SF_HOLD, "permission set" },
        { SF_LEVEL_TOKEN, 400, "invalid_client_id", "client identifier invalid", READ, SF_HOLD,
          "2 to 10 minutes" },
        { SF_LEVEL_TOKEN, 400, "invalid_client", "invalid client credentials", READ, SF_HOLD,
          "Consumer Secret" },
        { SF_LEVEL_TOKEN, 400, "unsupported_grant_type", "grant type not supported", READ, SF_HOLD,
          "enable the flow" },
        { SF_LEVEL_TOKEN, 400, "rate_limit_exceeded", NULL, READ, SF_HOLD, "3600" },
        { SF_LEVEL_TOKEN, 400, "LOGIN_RATE_EXCEEDED", NULL, READ, SF_HOLD, "3600" },
        { SF_LEVEL_TOKEN, 429, NULL, NULL, READ, SF_HOLD, "3600" },
        { SF_LEVEL_TOKEN, 400, "unknown_error", "retry your request", READ, SF_RETRY, NULL },
        { SF_LEVEL_TOKEN, 503, NULL, NULL, READ, SF_RETRY, "trust.salesforce.com" },
        { SF_LEVEL_TOKEN, 404, NULL, NULL, READ, SF_HOLD, "token_endpoint" },
        { SF_LEVEL_TOKEN, 302, NULL, NULL, READ, SF_HOLD, "token_endpoint" },
        { SF_LEVEL_TOKEN, 400, "something_new", "new words", READ, SF_HOLD, NULL },
    };

    JUDGE(rows);
}

static void
call_errors_of_the_org_hold(void)
{
    static const struct judged rows[] = {
        { SF_LEVEL_CALL, 401, "INVALID_SESSION_ID", "Session expired or invalid", WRITE, SF_HOLD,
          NULL },
        { SF_LEVEL_CALL, 401, "INVALID_SESSION_ID",
          "This session is not valid for use with the REST API", WRITE, SF_HOLD, "API Enabled" },
        { SF_LEVEL_CALL, 401, "INVALID_SESSION_ID", "Connected app is not attached to Agent", READ,
          SF_HOLD, NULL },
        { SF_LEVEL_CALL, 401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", READ, SF_HOLD, NULL },
        { SF_LEVEL_CALL, 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", WRITE,
          SF_HOLD, "Company Information" },
        { SF_LEVEL_CALL, 403, "REQUEST_LIMIT_EXCEEDED",
          "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", WRITE, SF_RETRY, NULL },
        { SF_LEVEL_CALL, 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.",
          WRITE, SF_RETRY, NULL },
        { SF_LEVEL_CALL, 403, "REQUEST_LIMIT_EXCEEDED", NULL, WRITE, SF_HOLD, NULL },
        { SF_LEVEL_CALL, 403, "API_DISABLED_FOR_ORG",
          "The REST API is not enabled for this Organization.", READ, SF_HOLD, "Edition" },
        { SF_LEVEL_CALL, 403, "API_CURRENTLY_DISABLED", NULL, READ, SF_HOLD, "API Enabled" },
        { SF_LEVEL_CALL, 403, "INSUFFICIENT_ACCESS", NULL, READ, SF_HOLD, "Manage Users" },
        { SF_LEVEL_CALL, 404, "NOT_FOUND", "The requested resource does not exist", WRITE, SF_HOLD,
          "api_version" },
        { SF_LEVEL_CALL, 410, NULL, NULL, WRITE, SF_HOLD, "api_version" },
        { SF_LEVEL_CALL, 503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", NULL, WRITE,
          SF_HOLD, "trust" },
        { SF_LEVEL_CALL, 302, NULL, NULL, WRITE, SF_HOLD, "My Domain" },
        { SF_LEVEL_CALL, 403, NULL, NULL, WRITE, SF_HOLD, NULL },
        { SF_LEVEL_CALL, 407, NULL, NULL, WRITE, SF_HOLD, "proxy" },
    };

    JUDGE(rows);
}

static void
a_write_without_a_certain_answer_is_unknown_a_read_is_tried_again(void)
{
    static const struct judged rows[] = {
        { SF_LEVEL_CALL, 500, NULL, NULL, WRITE, SF_UNKNOWN, "reads the org back" },
        { SF_LEVEL_CALL, 500, NULL, NULL, READ, SF_RETRY, NULL },
        { SF_LEVEL_CALL, 502, NULL, NULL, WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 503, "SERVER_UNAVAILABLE", "Server too busy", WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 503, "SERVER_UNAVAILABLE", "Server too busy", READ, SF_RETRY, NULL },
        { SF_LEVEL_CALL, 500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.", WRITE,
          SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 400, "REQUEST_RUNNING_TOO_LONG", NULL, WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 408, NULL, NULL, WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 500, "A_CODE_FROM_THE_FUTURE", "words", WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 0, NULL, NULL, WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 0, NULL, NULL, READ, SF_RETRY, NULL },
        { SF_LEVEL_CALL, 999, NULL, NULL, WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_CALL, 420, NULL, NULL, WRITE, SF_RETRY, NULL },
        { SF_LEVEL_CALL, 429, NULL, NULL, WRITE, SF_RETRY, NULL },
        { SF_LEVEL_CALL, 400, "UNABLE_TO_LOCK_ROW", NULL, WRITE, SF_RETRY, NULL },
    };

    JUDGE(rows);
}

static void
a_call_that_is_refused_as_a_whole_is_refused(void)
{
    static const struct judged rows[] = {
        { SF_LEVEL_CALL, 400, "JSON_PARSER_ERROR", "Unexpected character", WRITE, SF_REFUSED,
          NULL },
        { SF_LEVEL_CALL, 400, "MALFORMED_QUERY", "unexpected token: FORM", READ, SF_REFUSED, NULL },
        { SF_LEVEL_CALL, 400, "INVALID_FIELD", "No such column 'X' on entity 'User'.", READ,
          SF_REFUSED, "field-level security" },
        { SF_LEVEL_CALL, 400, "INVALID_TYPE", "sObject type 'Usr' is not supported.", READ,
          SF_REFUSED, NULL },
        { SF_LEVEL_CALL, 400, "INVALID_TYPE", "sObject type 'User' is not supported.", WRITE,
          SF_HOLD, "Manage Users" },
        { SF_LEVEL_CALL, 414, NULL, NULL, READ, SF_REFUSED, NULL },
        { SF_LEVEL_CALL, 413, NULL, NULL, WRITE, SF_REFUSED, NULL },
        { SF_LEVEL_CALL, 400, "A_CODE_FROM_THE_FUTURE", "words", WRITE, SF_REFUSED, NULL },
        { SF_LEVEL_CALL, 400, NULL, NULL, WRITE, SF_REFUSED, NULL },
        { SF_LEVEL_CALL, 200, NULL, NULL, WRITE, SF_DELIVERED, NULL },
        { SF_LEVEL_CALL, 204, NULL, NULL, READ, SF_DELIVERED, NULL },
    };

    JUDGE(rows);
}

static void
a_record_is_refused_with_a_remedy_for_the_admin(void)
{
    static const struct judged rows[] = {
        { SF_LEVEL_RECORD, 0, "DUPLICATE_USERNAME", "Duplicate Username.", WRITE, SF_REFUSED,
          "inactive users keep theirs" },
        { SF_LEVEL_RECORD, 0, "LICENSE_LIMIT_EXCEEDED", "License Limit Exceeded", WRITE, SF_REFUSED,
          "User Licenses" },
        { SF_LEVEL_RECORD, 0, "REQUIRED_FIELD_MISSING", NULL, WRITE, SF_REFUSED, "mapping" },
        { SF_LEVEL_RECORD, 0, "STRING_TOO_LONG", NULL, WRITE, SF_REFUSED, "mapping" },
        { SF_LEVEL_RECORD, 0, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", NULL, WRITE, SF_REFUSED,
          "time zone" },
        { SF_LEVEL_RECORD, 0, "FIELD_INTEGRITY_EXCEPTION", NULL, WRITE, SF_REFUSED, "frozen" },
        { SF_LEVEL_RECORD, 0, "FIELD_INTEGRITY_EXCEPTION",
          "Cannot inactivate user that is the value of a hierarchy field: Deputy__c", WRITE,
          SF_REFUSED, "somebody else" },
        { SF_LEVEL_RECORD, 0, "FIELD_CUSTOM_VALIDATION_EXCEPTION", NULL, WRITE, SF_REFUSED,
          "Validation Rules" },
        { SF_LEVEL_RECORD, 0, "INVALID_CROSS_REFERENCE_KEY", NULL, WRITE, SF_REFUSED, "sandbox" },
        { SF_LEVEL_RECORD, 0, "INSUFFICIENT_ACCESS_OR_READONLY", NULL, WRITE, SF_REFUSED,
          "Manage Users" },
        { SF_LEVEL_RECORD, 0, "CANNOT_EXECUTE_FLOW_TRIGGER",
          "We can't save this record because the “X” process failed.", WRITE, SF_REFUSED, "flows" },
        { SF_LEVEL_RECORD, 0, "CANNOT_EXECUTE_FLOW_TRIGGER",
          "The flow failed: UNABLE_TO_LOCK_ROW: unable to obtain exclusive access", WRITE, SF_RETRY,
          NULL },
        { SF_LEVEL_RECORD, 0, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
          "execution of AfterInsert caused by: System.DmlException: UNABLE_TO_LOCK_ROW", WRITE,
          SF_RETRY, NULL },
        { SF_LEVEL_RECORD, 0, "UNABLE_TO_LOCK_ROW", NULL, WRITE, SF_RETRY, NULL },
        { SF_LEVEL_RECORD, 0, "ALL_OR_NONE_OPERATION_ROLLED_BACK", NULL, WRITE, SF_RETRY, NULL },
        { SF_LEVEL_RECORD, 0, "UNKNOWN_EXCEPTION", NULL, WRITE, SF_UNKNOWN, NULL },
        { SF_LEVEL_RECORD, 0, "UNKNOWN_EXCEPTION", NULL, READ, SF_UNKNOWN, NULL },
        { SF_LEVEL_RECORD, 0, "A_CODE_FROM_THE_FUTURE", NULL, WRITE, SF_REFUSED, NULL },
        { SF_LEVEL_RECORD, 0, NULL, NULL, WRITE, SF_REFUSED, NULL },
    };

    JUDGE(rows);
}

/* What concerns one user only must never stop all the others. */
static void
codes_of_one_user_do_not_hold_a_call_either(void)
{
    static const char *const codes[] = { "DUPLICATE_USERNAME",     "LICENSE_LIMIT_EXCEEDED",
                                         "STRING_TOO_LONG",        "FIELD_INTEGRITY_EXCEPTION",
                                         "REQUIRED_FIELD_MISSING", "INVALID_CROSS_REFERENCE_KEY" };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        T_INT(sf_judge(SF_LEVEL_CALL, 400, codes[i], NULL, WRITE).outcome, SF_REFUSED);
}

static void
outcomes_have_the_names_of_the_design(void)
{
    T_STR(sf_outcome_name(SF_DELIVERED), "delivered");
    T_STR(sf_outcome_name(SF_RETRY), "retry");
    T_STR(sf_outcome_name(SF_REFUSED), "refused");
    T_STR(sf_outcome_name(SF_HOLD), "hold");
    T_STR(sf_outcome_name(SF_UNKNOWN), "unknown");
}

/* ---- ids ---- */

static void
real_ids_get_their_suffix(void)
{
    static const char *const ids[][2] = {
        { "005D0000001KyEI", "IA0" }, { "003ak00000luKU1", "AAM" }, { "005ak000005hvjJ", "AAQ" },
        { "750ak000009Bkrx", "AAC" }, { "0PSak00000M9uBB", "GAZ" }, { "001RM000003oLru", "YAE" },
        { "00eRM000001Vtbn", "YAC" }, { "0XA2o000000XaAQ", "GA0" },
    };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        char full[SF_ID_SIZE] = "", again[SF_ID_SIZE] = "", want[32];
        snprintf(want, sizeof(want), "%s%s", ids[i][0], ids[i][1]);
        T_OK(sf_id_normalise(ids[i][0], full, &err), &err);
        T_STR(full, want);
        T_OK(sf_id_normalise(full, again, &err), &err);
        T_STR(again, want);
    }
}

static void
what_is_no_id_is_refused_and_nothing_is_written(void)
{
    static const char *const bad[] = {
        "",
        "005",
        "005D0000001KyE",
        "005D0000001KyEIIA",
        "005D0000001KyEIIA00",
        "005D0000001KyEIAAA",
        "001RM000003oLrB000",
        "005D0000001KyEIia0",
        "005D0000001Ky' ",
        "005D0000001Ky/.",
        "005D0000001KyE\xc3",
        "005D0000001KyEIIA0IA0IA0IA0IA0IA0IA0IA0IA0",
        NULL,
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        char full[SF_ID_SIZE] = "before";
        T_INT(sf_id_normalise(bad[i], full, &err), PROV_E_INVALID);
        T_STR(full, "before");
        T_TRUE(err.text[0]);
    }
}

static void
a_wrong_suffix_is_told_with_the_right_one(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    char full[SF_ID_SIZE];

    T_INT(sf_id_normalise("001RM000003oLrB000", full, &err), PROV_E_INVALID);
    T_HAS(err.text, "001RM000003oLrB000");
    T_HAS(err.text, "upper and lower case");
}

/* ---- SOQL ---- */

/* Reads a literal as the SOQL reference says; heap, NULL if it is not one that ends at its end. */
static char *
soql_unquote(const char *literal)
{
    size_t length = strlen(literal), at = 0;
    char *text = calloc(1, length + 1);
    const char *c = literal + 1;
    static const char letters[] = "nrtbf", meanings[] = "\n\r\t\b\f";

    if (*literal != '\'') {
        free(text);
        return NULL;
    }
    while (*c && *c != '\'') {
        if (*c != '\\') {
            text[at++] = *c++;
        } else if (c[1] == 'u') {
            char hex[5] = { c[2], c[3], c[4], c[5], 0 };
            text[at++] = (char)strtoul(hex, NULL, 16);
            c += 6;
        } else {
            const char *letter = strchr(letters, c[1]);
            text[at++] = letter && *letter ? meanings[letter - letters] : c[1];
            c += 2;
        }
    }
    if (strcmp(c, "'") != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static void
soql_literals_read_back_as_the_same_text(void)
{
    static const char *const texts[] = {
        "",           "plain",        "O'Brien",    "' OR Id != '",
        "\\",         "\\'",          "ends in \\", "line\nbreak\r\ttab\bback\fform",
        "\"double\"", "\x01\x1f\x7f", "Zoë 日本 😀", "100%_",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *quoted = sf_soql_quote(texts[i]), *back = soql_unquote(quoted);
        T_STR(back, texts[i]);
        free(quoted);
        free(back);
    }
}

static void
every_byte_survives_in_a_soql_literal(void)
{
    for (int byte = 1; byte < 256; byte++) {
        char text[] = { 'a', (char)byte, 'z', 0 };
        char *quoted = sf_soql_quote(text), *back = soql_unquote(quoted);
        T_STR(back, text);
        for (const char *c = quoted; *c; c++)
            T_TRUE((unsigned char)*c >= 0x20 && *c != 0x7f);
        free(quoted);
        free(back);
    }
}

static void
percent_encoding_leaves_only_unreserved_characters(void)
{
    char *encoded = sf_percent_encode("SELECT Id FROM User WHERE Name='a&b+c#/Zoë%'");

    T_STR(encoded, "SELECT%20Id%20FROM%20User%20WHERE%20Name%3D%27a%26b%2Bc%23%2FZo%C3%AB%25%27");
    T_INT(sf_soql_url_bytes("SELECT Id FROM User WHERE Name='a&b+c#/Zoë%'"), strlen(encoded));
    free(encoded);
    encoded = sf_percent_encode("-._~09azAZ");
    T_STR(encoded, "-._~09azAZ");
    free(encoded);
}

static const struct unit_case cases[] = {
    UNIT_CASE(token_errors_hold_and_name_the_setting),
    UNIT_CASE(call_errors_of_the_org_hold),
    UNIT_CASE(a_write_without_a_certain_answer_is_unknown_a_read_is_tried_again),
    UNIT_CASE(a_call_that_is_refused_as_a_whole_is_refused),
    UNIT_CASE(a_record_is_refused_with_a_remedy_for_the_admin),
    UNIT_CASE(codes_of_one_user_do_not_hold_a_call_either),
    UNIT_CASE(outcomes_have_the_names_of_the_design),
    UNIT_CASE(real_ids_get_their_suffix),
    UNIT_CASE(what_is_no_id_is_refused_and_nothing_is_written),
    UNIT_CASE(a_wrong_suffix_is_told_with_the_right_one),
    UNIT_CASE(soql_literals_read_back_as_the_same_text),
    UNIT_CASE(every_byte_survives_in_a_soql_literal),
    UNIT_CASE(percent_encoding_leaves_only_unreserved_characters),
};

int
main(int argc, char **argv)
{
    return unit_run("outcome", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
