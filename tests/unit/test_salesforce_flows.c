/* Every way to log in, against the simulated org: what it accepts, what it refuses and with which words,
 * two keys, rotation of refresh tokens and secrets. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/json.h"
#include "plugin/base/secret_ref.h"
#include "plugin/salesforce/session.h"
#include "tests/org/sim.h"
#include "tests/unit/values.h"

#define KEY_ID  "3MVG9simulated.consumer.key"
#define SECRET  "simulated-cAnArY-secret"
#define USER    "integr@acme.simulated.example"
#define DAY_S   86400L
#define AT_HOST "/services/oauth2/token"

/* ---- a world: an org, keys on disk, and what a keeper keeps ---- */

struct world {
    struct org_sim *org;
    char folder[64], endpoint[128], login_endpoint[128];
    char key[100], key_next[100], bundle[100], locked[100], certificate[100];
    char *kept; /* the refresh token, as the keeper has it */
    int puts;
    bool keeper_fails;
};

static EVP_PKEY *
make_key(int bits)
{
    return EVP_RSA_gen((unsigned)bits);
}

static X509 *
make_certificate(EVP_PKEY *key, long days)
{
    X509 *certificate = X509_new();

    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -30 * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), days * DAY_S);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"sfprov", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    if (X509_sign(certificate, key, EVP_sha256()) <= 0)
        abort();
    return certificate;
}

static FILE *
private_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    return file < 0 ? NULL : fdopen(file, "w");
}

static void
write_key(const char *path, EVP_PKEY *key, const char *password)
{
    FILE *file = private_file(path);

    T_INT(PEM_write_PrivateKey(file, key, password ? EVP_aes_256_cbc() : NULL, NULL, 0, NULL,
                               (void *)password),
          1);
    fclose(file);
}

static char *
certificate_pem(X509 *certificate)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *data, *text;
    long length;

    PEM_write_bio_X509(memory, certificate);
    length = BIO_get_mem_data(memory, &data);
    text = strndup(data, (size_t)length);
    BIO_free(memory);
    return text;
}

/* Changes the app's settings; JSON written with '. */
static void
set_app(struct world *world, const char *quoted)
{
    AUTO_FREE char *json = strdup(quoted);
    AUTO_FREE char *answer = NULL;
    int status = 0;

    for (char *c = json; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    answer = org_sim_ask(world->org, "acme", "POST", "/__org/app", json, &status);
    T_INT(status, 200);
    if (status != 200)
        printf("      %s\n", answer);
}

/* Uploads a certificate to the app, in place of all. */
static void
upload(struct world *world, X509 *certificate)
{
    AUTO_FREE char *pem = certificate ? certificate_pem(certificate) : NULL;
    AUTO_JSON struct json_object *app = json_object_new_object();
    struct json_object *list = json_object_new_array();
    AUTO_FREE char *answer = NULL;
    int status = 0;

    T_INT(json_put(app, "certificates", list), 0);
    if (pem)
        json_object_array_add(list, json_object_new_string(pem));
    answer = org_sim_ask(world->org, "acme", "POST", "/__org/app", json_object_to_json_string(app),
                         &status);
    T_INT(status, 200);
}

static EVP_PKEY *keys[2]; /* made once: a key takes a while */
static X509 *certificates[2];

/* -1: without encryption, without a MAC. */
static void
write_bundle(struct world *world, const char *password, int cipher, int mac)
{
    PKCS12 *bundle = PKCS12_create(password, "sfprov", keys[0], certificates[0], NULL, cipher,
                                   cipher, 0, mac, 0);
    FILE *file = private_file(world->bundle);

    T_INT(i2d_PKCS12_fp(file, bundle), 1);
    fclose(file);
    PKCS12_free(bundle);
}

static void
write_files(struct world *world)
{
    FILE *file;

    write_bundle(world, "open sesame", 0, 0);
    write_key(world->key, keys[0], NULL);
    write_key(world->key_next, keys[1], NULL);
    write_key(world->locked, keys[0], "open sesame");
    file = private_file(world->certificate);
    T_INT(PEM_write_X509(file, certificates[0]), 1);
    fclose(file);
}

static void
begin(struct world *world)
{
    const struct org_sim_options options = { .seats = -1 };
    char why[ORG_SIM_WHY_BYTES];
    AUTO_FREE char *ready = NULL;
    AUTO_JSON struct json_object *facts = NULL;

    *world = (struct world){ .kept = NULL };
    snprintf(world->folder, sizeof(world->folder), "/tmp/sfprov-flows-XXXXXX");
    world->org = org_sim_start(&options, why);
    if (!world->org || !mkdtemp(world->folder))
        abort();
    ready = org_sim_ready(world->org);
    facts = json_tokener_parse(ready);
    snprintf(world->endpoint, sizeof(world->endpoint), "%s" AT_HOST,
             org_sim_url(world->org, "acme"));
    snprintf(world->login_endpoint, sizeof(world->login_endpoint), "%s" AT_HOST,
             json_get_string(facts, "login"));
    snprintf(world->key, sizeof(world->key), "%s/key", world->folder);
    snprintf(world->key_next, sizeof(world->key_next), "%s/next", world->folder);
    snprintf(world->bundle, sizeof(world->bundle), "%s/bundle", world->folder);
    snprintf(world->locked, sizeof(world->locked), "%s/locked", world->folder);
    snprintf(world->certificate, sizeof(world->certificate), "%s/certificate", world->folder);
    write_files(world);
    set_app(world, "{'flows':['client_credentials','jwt_bearer','refresh_token'],"
                   "'approved':['" USER "']}");
    upload(world, certificates[0]);
}

static void
finish(struct world *world)
{
    const char *const paths[] = { world->key, world->key_next, world->bundle, world->locked,
                                  world->certificate };

    org_sim_stop(world->org);
    for (size_t i = 0; i < 5; i++)
        unlink(paths[i]);
    T_INT(rmdir(world->folder), 0);
    secret_free(world->kept);
}

/* What every flow shares; the case sets the rest. */
static struct sf_settings
settings_of(const struct world *world, enum sf_flow flow)
{
    return (struct sf_settings){ .origin = org_sim_url(world->org, "acme"),
                                 .api_version = "v67.0",
                                 .token_endpoint = world->endpoint,
                                 .flow = flow,
                                 .client_id = KEY_ID,
                                 .username = USER,
                                 .audience = "https://login.salesforce.com",
                                 .user_agent = "sfprov/test",
                                 .connect_timeout_ms = 5000,
                                 .request_timeout_ms = 10000 };
}

static struct sf_settings
jwt_settings(const struct world *world, char reference[128], const char *path)
{
    struct sf_settings settings = settings_of(world, SF_JWT_BEARER);

    snprintf(reference, 128, "file:%s", path);
    settings.private_key = reference;
    return settings;
}

static struct sf_session *
open_session(const struct sf_settings *settings)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct sf_session *session = NULL;

    T_OK(sf_session_new(settings, &session, &err), &err);
    return session;
}

/* Logs in anew and asks the data API something. */
static struct sf_call
try_session(struct sf_session *session)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call;

    sf_session_forget_token(session);
    T_INT(sf_query(session, "SELECT Id FROM Organization", SF_CAN_WAIT, &rows, &call), PROV_OK);
    return call;
}

static struct sf_call
try(const struct sf_settings *settings)
{
    struct sf_session *session = open_session(settings);
    struct sf_call call = try_session(session);

    sf_session_free(session);
    return call;
}

static void
works(const struct sf_settings *settings)
{
    struct sf_call call = try(settings);

    T_INT(call.outcome, SF_DELIVERED);
    if (call.outcome != SF_DELIVERED)
        printf("      %s: %s\n", call.code, call.message);
}

static void
holds(struct sf_call call, const char *code, const char *words)
{
    T_INT(call.outcome, SF_HOLD);
    T_STR(call.code, code);
    T_HAS(call.message, words);
    T_TRUE(call.cause && *call.cause && call.remedy && *call.remedy);
    T_TRUE(!strstr(call.message, "sesame") && !strstr(call.message, SECRET));
}

/* ---- JWT bearer ---- */

static void
a_jwt_gets_a_token_at_both_hosts(void)
{
    struct world world;
    char key[128];
    struct sf_settings settings;

    begin(&world);
    settings = jwt_settings(&world, key, world.key);
    works(&settings);
    settings.token_endpoint = world.login_endpoint;
    works(&settings);
    set_app(&world, "{'jwt_access_tokens':true}"); /* more than 4 KiB */
    works(&settings);
    finish(&world);
}

static void
what_is_wrong_with_a_jwt_is_told_in_salesforces_words(void)
{
    struct world world;
    char key[128], next[128];
    struct sf_settings settings, wrong;

    begin(&world);
    settings = wrong = jwt_settings(&world, key, world.key);
    wrong.audience = "https://test.salesforce.com";
    holds(try(&wrong), "invalid_grant", "audience is invalid");
    wrong = settings;
    wrong.client_id = "3MVG9another";
    holds(try(&wrong), "invalid_client_id", "client identifier invalid");
    wrong = settings;
    wrong.username = "nobody@acme.example";
    holds(try(&wrong), "invalid_grant", "user hasn't approved this consumer");
    wrong.username = "olga@acme.simulated.example";
    holds(try(&wrong), "invalid_app_access", "user is not admin approved to access this app");
    wrong = jwt_settings(&world, next, world.key_next);
    holds(try(&wrong), "invalid_grant", "invalid assertion");
    set_app(&world, "{'flows':['client_credentials']}");
    holds(try(&settings), "unsupported_grant_type", "grant type not supported");
    finish(&world);
}

static void
of_two_keys_the_one_that_salesforce_takes_is_used_and_named(void)
{
    struct world world;
    char key[128], next[128];
    struct sf_settings settings;
    struct sf_session *session;
    struct sf_login login;
    struct sf_usage usage;

    begin(&world);
    settings = jwt_settings(&world, key, world.key);
    snprintf(next, sizeof(next), "file:%s", world.key_next);
    settings.private_key_next = next;
    session = open_session(&settings);
    T_INT(try_session(session).outcome, SF_DELIVERED);
    sf_session_login(session, &login);
    T_INT(login.key_in_use, 1);
    upload(&world, certificates[1]); /* the admin changes the certificate */
    T_INT(try_session(session).outcome, SF_DELIVERED);
    sf_session_login(session, &login);
    T_INT(login.key_in_use, 2);
    sf_session_usage(session, &usage);
    T_INT(usage.token_calls, 3);
    T_INT(try_session(session).outcome, SF_DELIVERED); /* no more detour by the old key */
    sf_session_usage(session, &usage);
    T_INT(usage.token_calls, 4);
    upload(&world, NULL);
    holds(try_session(session), "invalid_grant", "invalid assertion");
    sf_session_free(session);
    finish(&world);
}

static void
keys_are_read_from_pem_and_pkcs12_with_their_password(void)
{
    struct world world;
    char key[128];
    struct sf_settings settings;
    struct sf_session *session;
    struct sf_login login;
    int64_t days;

    begin(&world);
    settings = jwt_settings(&world, key, world.bundle);
    settings.private_key_password = "open sesame";
    session = open_session(&settings);
    T_INT(try_session(session).outcome, SF_DELIVERED);
    sf_session_login(session, &login);
    days = (login.key_expires_us[0] / 1000000 - time(NULL)) / DAY_S;
    T_TRUE(days >= 19 && days <= 20); /* the certificate is in the bundle */
    sf_session_free(session);
    settings = jwt_settings(&world, key, world.locked);
    holds(try(&settings), "", "no password is given; set private_key_password");
    settings.private_key_password = "wrong sesame";
    holds(try(&settings), "", "the password does not open it");
    settings.private_key_password = "open sesame";
    settings.certificate = world.certificate;
    works(&settings);
    settings = jwt_settings(&world, key, world.key_next);
    settings.certificate = world.certificate;
    holds(try(&settings), "", "certificate: the certificate is not of this private key");
    settings = jwt_settings(&world, key, world.bundle);
    holds(try(&settings), "", "no password is given");
    finish(&world);
}

/* As `openssl pkcs12 -nomac` writes them. Whether OpenSSL opens one that is encrypted depends on its version. */
static void
a_bundle_without_a_mac_is_opened_if_it_is_not_encrypted(void)
{
    struct world world;
    char key[128];
    struct sf_settings settings;

    begin(&world);
    settings = jwt_settings(&world, key, world.bundle);
    write_bundle(&world, NULL, -1, -1);
    works(&settings);
    write_bundle(&world, "open sesame", 0, -1);
    settings.private_key_password = "wrong sesame";
    holds(try(&settings), "", "it has no MAC");
    finish(&world);
}

static void
weak_keys_and_what_is_no_key_are_refused(void)
{
    struct world world;
    char key[128];
    struct sf_settings settings;
    EVP_PKEY *weak = make_key(1024), *curve = EVP_EC_gen("P-256");
    FILE *file;

    begin(&world);
    settings = jwt_settings(&world, key, world.key);
    write_key(world.key, weak, NULL);
    holds(try(&settings), "", "1024 bits, at least 2048");
    write_key(world.key, curve, NULL);
    holds(try(&settings), "", "no RSA key");
    file = private_file(world.key);
    fputs("no key at all", file);
    fclose(file);
    holds(try(&settings), "", "neither PEM nor PKCS#12");
    file = private_file(world.key);
    fputs("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", file);
    fclose(file);
    holds(try(&settings), "", "no private key in the PEM file");
    EVP_PKEY_free(weak);
    EVP_PKEY_free(curve);
    finish(&world);
}

/* ---- username-password ---- */

static void
set_password(struct world *world, const char *password)
{
    char body[100];
    AUTO_FREE char *answer = NULL;
    int status = 0;

    snprintf(body, sizeof(body), "{\"password\":\"%s\"}", password);
    answer =
        org_sim_ask(world->org, "acme", "POST", "/__org/users/" USER "/password", body, &status);
    T_INT(status, 200);
}

static void
the_password_flow_wants_the_security_token_and_is_blocked_in_new_orgs(void)
{
    struct world world;
    struct sf_settings settings;

    begin(&world);
    set_password(&world, "Passw0rd1");
    settings = settings_of(&world, SF_PASSWORD);
    settings.client_secret = SECRET;
    settings.password = "Passw0rd1";
    settings.security_token = "simulatedcAnArYToken0000";
    holds(try(&settings), "invalid_grant", "authentication failure");
    set_app(&world, "{'flows':['password']}");
    works(&settings);
    settings.token_endpoint = world.login_endpoint;
    works(&settings);
    settings.security_token = NULL;
    holds(try(&settings), "invalid_grant", "authentication failure");
    settings.password = "Passw0rd1simulatedcAnArYToken0000";
    works(&settings);
    settings.client_secret = "wrong";
    holds(try(&settings), "invalid_client", "invalid client credentials");
    finish(&world);
}

/* ---- refresh tokens ---- */

static char *
give_refresh_token(struct world *world)
{
    AUTO_FREE char *answer = org_sim_ask(world->org, "acme", "POST", "/__org/refresh_token",
                                         "{\"username\":\"" USER "\"}", NULL);
    AUTO_JSON struct json_object *json = json_tokener_parse(answer);

    return strdup(json_get_string(json, "refresh_token"));
}

static int
keeper_get(void *context, const char *name, char **ret, struct prov_error *err)
{
    const struct world *world = context;

    (void)err;
    *ret = strcmp(name, "refresh_token") == 0 && world->kept ? secret_copy(world->kept) : NULL;
    return PROV_OK;
}

static int
keeper_put(void *context, const char *name, const char *text, struct prov_error *err)
{
    struct world *world = context;

    if (strcmp(name, "refresh_token") != 0)
        return PROV_OK;
    if (world->keeper_fails)
        return error_set(err, PROV_E_STORE, "the disk is full");
    secret_free(world->kept);
    world->kept = secret_copy(text);
    world->puts++;
    return PROV_OK;
}

static void
a_refresh_token_gets_tokens_as_often_as_needed(void)
{
    struct world world;
    struct sf_settings settings;
    AUTO_FREE char *token = NULL;

    begin(&world);
    token = give_refresh_token(&world);
    settings = settings_of(&world, SF_REFRESH_TOKEN);
    settings.client_secret = SECRET;
    settings.refresh_token = token;
    works(&settings);
    works(&settings);
    settings.token_endpoint = world.login_endpoint;
    works(&settings);
    settings.client_secret = NULL;
    holds(try(&settings), "invalid_client", "invalid client credentials");
    set_app(&world, "{'secret_for_refresh_token':false}");
    works(&settings);
    settings.refresh_token = "5Aep861none";
    holds(try(&settings), "invalid_grant", "authentication failure");
    settings.token_endpoint = world.endpoint;
    holds(try(&settings), "invalid_grant", "expired access/refresh token");
    settings.refresh_token = NULL;
    holds(try(&settings), "", "run `sfprov login`");
    finish(&world);
}

static void
a_rotated_refresh_token_is_kept_before_it_is_needed(void)
{
    struct world world;
    struct sf_keeper keeper = { &world, keeper_get, keeper_put, NULL, NULL };
    struct sf_settings settings;
    struct sf_session *session;
    AUTO_FREE char *token = NULL;
    AUTO_FREE char *other = NULL;

    begin(&world);
    set_app(&world, "{'refresh_token_rotation':true}");
    token = give_refresh_token(&world);
    settings = settings_of(&world, SF_REFRESH_TOKEN);
    settings.client_secret = SECRET;
    settings.refresh_token = token;
    settings.keeper = &keeper;
    works(&settings); /* each a process of its own, as it were */
    works(&settings);
    works(&settings);
    T_INT(world.puts, 3);
    T_TRUE(!strstr(world.kept, token));
    /* what cannot be kept is not lost while the process lives */
    world.keeper_fails = true;
    session = open_session(&settings);
    holds(try_session(session), "", "the new refresh token: the disk is full");
    world.keeper_fails = false;
    T_INT(try_session(session).outcome, SF_DELIVERED);
    sf_session_free(session);
    works(&settings);
    /* a token that the admin puts in place of the old one counts, not the line of that */
    other = give_refresh_token(&world);
    settings.refresh_token = other;
    works(&settings);
    /* used twice, the line ends */
    keeper.get = NULL;
    holds(try(&settings), "invalid_grant", "expired access/refresh token");
    finish(&world);
}

/* ---- secrets ---- */

static void
a_changed_secret_needs_no_restart(void)
{
    struct world world;
    char reference[128];
    struct sf_settings settings;
    struct sf_session *session;
    FILE *file;

    begin(&world);
    file = private_file(world.key);
    fputs("not-yet\n", file);
    fclose(file);
    snprintf(reference, sizeof(reference), "file:%s", world.key);
    settings = settings_of(&world, SF_CLIENT_CREDENTIALS);
    settings.client_secret = reference;
    session = open_session(&settings);
    holds(try_session(session), "invalid_client", "invalid client credentials");
    T_INT(chmod(world.key, 0644), 0);
    holds(try_session(session), "", "client_secret: others can read or change the file");
    unlink(world.key);
    holds(try_session(session), "", "client_secret: the file");
    file = private_file(world.key);
    fputs(SECRET "\n", file);
    fclose(file);
    T_INT(try_session(session).outcome, SF_DELIVERED);
    sf_session_free(session);
    finish(&world);
}

/* The first record's Id. Heap. */
static char *
query_id(struct sf_session *session, const char *soql)
{
    AUTO_JSON struct json_object *rows = NULL;
    struct sf_call call;
    const char *id;

    T_INT(sf_query(session, soql, SF_CAN_WAIT, &rows, &call), PROV_OK);
    id = json_get_string(rows ? json_object_array_get_idx(rows, 0) : NULL, "Id");
    return strdup(id ? id : "");
}

/* As another admin does, while a session of the user is in use. */
static void
a_user_who_is_frozen_meanwhile_is_a_hold(void)
{
    struct world world;
    char key[128], soql[200];
    struct sf_settings settings, admin;
    struct sf_session *session, *other;
    struct sf_record record;
    struct sf_call call;
    CLEANUP(sf_batch_cleanup) struct sf_batch *batch = NULL;
    struct sf_change change;
    AUTO_JSON struct json_object *rows = NULL;
    AUTO_FREE char *user = NULL;
    AUTO_FREE char *login = NULL;

    begin(&world);
    set_app(&world, "{'approved':['olga@acme.simulated.example']}");
    settings = jwt_settings(&world, key, world.key);
    settings.username = "olga@acme.simulated.example";
    session = open_session(&settings);
    T_INT(try_session(session).outcome, SF_DELIVERED);
    admin = settings_of(&world, SF_CLIENT_CREDENTIALS);
    admin.client_secret = SECRET;
    other = open_session(&admin);
    user = query_id(other, "SELECT Id FROM User WHERE Username = 'olga@acme.simulated.example'");
    snprintf(soql, sizeof(soql), "SELECT Id FROM UserLogin WHERE UserId = '%s'", user);
    login = query_id(other, soql);
    change = (struct sf_change){ .id = login, .fields = value_of("{\"IsFrozen\":true}") };
    T_INT(sf_batch_new(SF_UPDATE_LOGINS, &change, 1, &batch, &call), PROV_OK);
    T_INT(sf_batch_send(other, batch, SF_CAN_WAIT, &record, &call), PROV_OK);
    T_INT(record.outcome, SF_DELIVERED);
    T_INT(sf_query(session, "SELECT Id FROM Organization", SF_CAN_WAIT, &rows, &call), PROV_OK);
    holds(call, "invalid_grant", "authentication failure");
    sf_session_free(other);
    sf_session_free(session);
    finish(&world);
}

static void
an_inactive_user_is_a_hold(void)
{
    struct world world;
    char key[128];
    struct sf_settings settings;
    AUTO_FREE char *answer = NULL;
    int status = 0;

    begin(&world);
    set_app(&world, "{'approved':['olga@acme.simulated.example']}");
    settings = jwt_settings(&world, key, world.key);
    settings.username = "olga@acme.simulated.example";
    works(&settings);
    answer = org_sim_ask(world.org, "acme", "PATCH", "/__org/users/olga@acme.simulated.example",
                         "{\"IsActive\":false}", &status);
    T_INT(status, 200);
    holds(try(&settings), "invalid_grant", "inactive user");
    finish(&world);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_jwt_gets_a_token_at_both_hosts),
        UNIT_CASE(what_is_wrong_with_a_jwt_is_told_in_salesforces_words),
        UNIT_CASE(of_two_keys_the_one_that_salesforce_takes_is_used_and_named),
        UNIT_CASE(keys_are_read_from_pem_and_pkcs12_with_their_password),
        UNIT_CASE(a_bundle_without_a_mac_is_opened_if_it_is_not_encrypted),
        UNIT_CASE(weak_keys_and_what_is_no_key_are_refused),
        UNIT_CASE(the_password_flow_wants_the_security_token_and_is_blocked_in_new_orgs),
        UNIT_CASE(a_refresh_token_gets_tokens_as_often_as_needed),
        UNIT_CASE(a_rotated_refresh_token_is_kept_before_it_is_needed),
        UNIT_CASE(a_changed_secret_needs_no_restart),
        UNIT_CASE(an_inactive_user_is_a_hold),
        UNIT_CASE(a_user_who_is_frozen_meanwhile_is_a_hold),
    };
    int result;

    for (size_t i = 0; i < 2; i++) {
        keys[i] = make_key(2048);
        certificates[i] = make_certificate(keys[i], 20);
    }
    result = unit_run("salesforce_flows", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY_free(keys[i]);
        X509_free(certificates[i]);
    }
    return result;
}
