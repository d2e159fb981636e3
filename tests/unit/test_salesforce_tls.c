/* The session over HTTPS, with a simulated org in this process: whom it believes to be Salesforce,
 * and that nothing leaves before that is settled. */
#include <unistd.h>

#include "tests/org/sim.h"
#include "tests/unit/salesforce_session.h"

/* One org and where it can be reached. */
struct tls {
    struct org_sim *org;
    const char *origin;
    char folder[64], ca_file[96], endpoint[128];
};

static void
begin(struct tls *tls, enum org_sim_certificate certificate)
{
    struct org_sim_options options = { .seats = -1, .certificate = certificate };
    char why[ORG_SIM_WHY_BYTES];

    snprintf(tls->folder, sizeof(tls->folder), "/tmp/sfprov-tls-XXXXXX");
    if (!mkdtemp(tls->folder))
        abort();
    snprintf(tls->ca_file, sizeof(tls->ca_file), "%s/ca.pem", tls->folder);
    options.ca_file = tls->ca_file;
    tls->org = org_sim_start(&options, why);
    if (!tls->org) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    tls->origin = org_sim_url(tls->org, "acme");
    snprintf(tls->endpoint, sizeof(tls->endpoint), "%s/services/oauth2/token", tls->origin);
}

static void
finish(struct tls *tls)
{
    org_sim_stop(tls->org);
    unlink(tls->ca_file);
    T_INT(rmdir(tls->folder), 0);
}

/* ca_file NULL: the system's authorities. */
static struct sf_session *
open_with(const char *origin, const char *endpoint, const char *ca_file)
{
    const struct sf_settings settings = { .origin = origin,
                                          .api_version = "v67.0",
                                          .token_endpoint = endpoint,
                                          .client_id = "3MVG9simulated.consumer.key",
                                          .client_secret = "simulated-cAnArY-secret",
                                          .user_agent = "sfprov/test",
                                          .ca_file = ca_file,
                                          .connect_timeout_ms = 5000,
                                          .request_timeout_ms = 10000 };
    struct prov_error err = PROV_ERROR_INIT;
    struct sf_session *session = NULL;

    T_OK(sf_session_new(&settings, &session, &err), &err);
    return session;
}

/* A member of what the org's control interface answers, as text. Heap. */
static char *
org_text(struct tls *tls, const char *target, const char *member)
{
    AUTO_FREE char *text = org_sim_ask(tls->org, "acme", "GET", target, NULL, NULL);
    AUTO_JSON struct json_object *answer = text ? json_tokener_parse(text) : NULL;

    return strdup(json_object_to_json_string_ext(json_get(answer, member), JSON_C_TO_STRING_PLAIN));
}

/* Nothing of ours came through to the org. */
static void
nothing_arrived(struct tls *tls)
{
    AUTO_FREE char *count = org_text(tls, "/__org/calls", "count");
    AUTO_FREE char *usage = org_text(tls, "/__org/state", "usage");

    T_STR(count, "0");
    T_HAS(usage, "\"token_requests\":0");
}

/* One create; what came of it. */
static struct sf_call
create(struct sf_session *session, const char *profile, struct sf_record *ret)
{
    AUTO_JSON struct json_object *records = json_object_new_array();
    struct json_object *user = json_tokener_parse(
        "{\"Username\":\"jane@acme.example\",\"LastName\":\"Doe\",\"Email\":\"jane@acme.example\","
        "\"Alias\":\"jane\",\"TimeZoneSidKey\":\"GMT\",\"LocaleSidKey\":\"en_US\","
        "\"EmailEncodingKey\":\"UTF-8\",\"LanguageLocaleKey\":\"en_US\"}");
    struct sf_call call;

    T_INT(json_put_string(user, "ProfileId", profile), PROV_OK);
    T_INT(json_append(records, user), PROV_OK);
    T_INT(send_users(session, false, records, ret, &call), PROV_OK);
    return call;
}

static void
a_user_is_made_in_an_org_of_this_process(void)
{
    AUTO_JSON struct json_object *profiles = NULL;
    AUTO_FREE char *users = NULL;
    struct tls tls;
    struct sf_session *session;
    struct sf_record record = { .id = "" };
    struct sf_call call;

    begin(&tls, ORG_SIM_GOOD);
    session = open_with(tls.origin, tls.endpoint, tls.ca_file);
    T_INT(sf_query(session, "SELECT Id FROM Profile WHERE Name = 'Standard User'", SF_CAN_WAIT,
                   &profiles, &call),
          PROV_OK);
    T_INT(call.outcome, SF_DELIVERED);
    call = create(session, json_get_string(json_object_array_get_idx(profiles, 0), "Id"), &record);
    T_INT(call.outcome, SF_DELIVERED);
    T_INT(record.outcome, SF_DELIVERED);
    users = org_text(&tls, "/__org/state", "users");
    T_HAS(users, "jane@acme.example");
    T_HAS(users, record.id);
    sf_session_free(session);
    finish(&tls);
}

static void
the_name_localhost_is_as_good_as_the_address(void)
{
    struct tls tls;
    struct sf_session *session;
    char origin[64];

    begin(&tls, ORG_SIM_GOOD);
    snprintf(origin, sizeof(origin), "https://localhost%s", strrchr(tls.origin, ':'));
    session = open_with(origin, tls.endpoint, tls.ca_file);
    /* the token's instance_url is another loopback origin than ours, so it is not sent there */
    T_INT(query_call(session).outcome, SF_HOLD);
    sf_session_free(session);
    finish(&tls);
}

static void
a_bad_certificate_ends_it_before_a_byte_is_sent(void)
{
    static const struct {
        enum org_sim_certificate certificate;
        const char *message, *cause;
    } bad[] = {
        { ORG_SIM_EXPIRED, "expired", "certificate is not accepted" },
        { ORG_SIM_WRONG_HOST, "127.0.0.1", "certificate is not accepted" },
        { ORG_SIM_SELF_SIGNED, "self-signed", "certificate is not accepted" },
        { ORG_SIM_UNKNOWN_CA, "issuer", "certificate is not accepted" },
        { ORG_SIM_OLD_TLS, "unsupported protocol", "could not be sent" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tls tls;
        struct sf_session *session;
        struct sf_call call;
        begin(&tls, bad[i].certificate);
        session = open_with(tls.origin, tls.endpoint, tls.ca_file);
        call = query_call(session);
        T_INT(call.outcome, SF_RETRY);
        T_INT(call.http_status, 0);
        T_HAS(call.message, bad[i].message);
        T_HAS(call.cause, bad[i].cause);
        nothing_arrived(&tls);
        sf_session_free(session);
        finish(&tls);
    }
}

/* The token is good, and goes nowhere; the write surely did not happen. */
static void
a_token_and_a_write_do_not_reach_an_org_with_a_bad_certificate(void)
{
    static const struct loopback_answer answers[] = {
        { .where = AT_TOKEN, .status = 200, .body = "{\"access_token\":\"" TOKEN "\"}" },
    };
    struct loopback *server = START(answers);
    struct sf_record record;
    struct tls tls;
    struct sf_session *session;
    struct sf_call call;
    char endpoint[128];

    begin(&tls, ORG_SIM_UNKNOWN_CA);
    snprintf(endpoint, sizeof(endpoint), "%s/services/oauth2/token", loopback_origin(server));
    session = open_with(tls.origin, endpoint, tls.ca_file);
    call = create(session, "00e000000000001AAA", &record);
    T_INT(loopback_count(server), 1);
    T_INT(call.outcome, SF_RETRY);
    T_HAS(call.cause, "certificate is not accepted");
    T_HAS(call.remedy, "'ca_file'");
    nothing_arrived(&tls);
    end(session, server);
    finish(&tls);
}

static void
without_a_ca_file_the_systems_authorities_decide(void)
{
    struct tls tls;
    struct sf_session *session;
    struct sf_call call;

    begin(&tls, ORG_SIM_GOOD);
    session = open_with(tls.origin, tls.endpoint, NULL);
    call = query_call(session);
    T_INT(call.outcome, SF_RETRY);
    T_HAS(call.cause, "certificate is not accepted");
    nothing_arrived(&tls);
    sf_session_free(session);
    finish(&tls);
}

static void
a_ca_file_that_cannot_be_read_is_named(void)
{
    static const char *const unusable[] = { "/nowhere/ca.pem", "/dev/null" };

    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        struct tls tls;
        struct sf_session *session;
        struct sf_call call;
        begin(&tls, ORG_SIM_GOOD);
        session = open_with(tls.origin, tls.endpoint, unusable[i]);
        call = query_call(session);
        T_INT(call.outcome, SF_RETRY);
        T_HAS(call.message, unusable[i]);
        T_HAS(call.cause, "file of certificate authorities cannot be read");
        T_HAS(call.remedy, "'ca_file'");
        nothing_arrived(&tls);
        sf_session_free(session);
        finish(&tls);
    }
}

/* A good certificate with another key than the pinned one. */
static void
a_wrong_pin_ends_it_before_a_byte_is_sent(void)
{
    struct sf_settings settings = { .api_version = "v67.0",
                                    .client_id = "3MVG9simulated.consumer.key",
                                    .client_secret = "simulated-cAnArY-secret",
                                    .user_agent = "sfprov/test",
                                    .tls_pin =
                                        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                    .connect_timeout_ms = 5000,
                                    .request_timeout_ms = 10000 };
    char org[SF_ID_SIZE], user[SF_ID_SIZE];
    struct prov_error err = PROV_ERROR_INIT;
    struct sf_session *session = NULL;
    struct sf_call call;
    struct tls tls;

    begin(&tls, ORG_SIM_GOOD);
    settings.origin = tls.origin;
    settings.token_endpoint = tls.endpoint;
    settings.ca_file = tls.ca_file;
    T_OK(sf_session_new(&settings, &session, &err), &err);
    T_INT(sf_identity(session, org, user, &call), PROV_OK);
    T_INT(call.outcome, SF_RETRY);
    T_HAS(call.cause, "tls_pin");
    nothing_arrived(&tls);
    sf_session_free(session);
    finish(&tls);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_user_is_made_in_an_org_of_this_process),
    UNIT_CASE(the_name_localhost_is_as_good_as_the_address),
    UNIT_CASE(a_bad_certificate_ends_it_before_a_byte_is_sent),
    UNIT_CASE(a_token_and_a_write_do_not_reach_an_org_with_a_bad_certificate),
    UNIT_CASE(without_a_ca_file_the_systems_authorities_decide),
    UNIT_CASE(a_wrong_pin_ends_it_before_a_byte_is_sent),
    UNIT_CASE(a_ca_file_that_cannot_be_read_is_named),
};

int
main(int argc, char **argv)
{
    return unit_run("salesforce_tls", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
