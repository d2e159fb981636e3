/* How the connector logs in: which flow the fields mean, what that flow needs, and the addresses it
 * goes to. What contradicts is a fault that names both fields; what is merely not used is a warning. */
#include "schema/fields_check.h"

#include <string.h>

#include "schema/address.h"
#include "schema/fields_table.h"
#include "schema/letters.h"
#include "schema/names.h"

static void
set_text(struct fields_draft *draft, char **member, char *value)
{
    if (!value) {
        draft->faults.result = PROV_E_NOMEM;
        return;
    }
    free(*member);
    *member = value;
}

/* Whether the field has a fault already: then nothing is known of its value. */
static bool
is_refused(const struct fields_draft *draft, const char *field)
{
    for (size_t i = 0; i < json_object_array_length(draft->faults.array); i++) {
        const char *about =
            json_get_string(json_object_array_get_idx(draft->faults.array, i), "field");
        if (about && strcmp(about, field) == 0)
            return true;
    }
    return false;
}

/* ---- the flow ---- */

/* What says which flow is meant. */
struct hint {
    const char *flow, *field;
    bool given;
};

static bool
is_flow(const char *text)
{
    size_t count;
    const struct flow_row *flows = fields_flows(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(flows[i].name, text) == 0)
            return true;
    }
    return false;
}

static void
refuse_both(struct fields_draft *draft, const char *field, const char *other, const char *remedy)
{
    faults_add(&draft->faults, field, NULL, remedy,
               "'%s' and '%s' are of two OAuth flows, and one login has one", field, other);
}

/* The flow said outright; every hint must agree with it. */
static bool
check_said_flow(struct fields_draft *draft, const struct hint *hints, size_t count)
{
    const char *flow = draft->fields->flow;
    AUTO_FREE char *said = NULL;
    bool agrees = true;

    if (!is_flow(flow)) {
        faults_add(
            &draft->faults, "flow", flow,
            "write client_credentials, jwt_bearer, refresh_token or password, or leave it out",
            "there is no such OAuth flow here");
        return false;
    }
    said = letters_format("flow (%s)", flow);
    if (!said) {
        draft->faults.result = PROV_E_NOMEM;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!hints[i].given || strcmp(hints[i].flow, flow) == 0)
            continue;
        refuse_both(draft, hints[i].field, said, "remove it, or name its flow in 'flow'");
        agrees = false;
    }
    return agrees;
}

/* False: no flow is known, for which there is a fault. */
static bool
find_flow(struct fields_draft *draft)
{
    struct fields *fields = draft->fields;
    const struct hint hints[] = {
        { FLOW_PASSWORD, "use_password_grant", fields->use_password_grant },
        { FLOW_JWT_BEARER, "private_key", fields->private_key },
        { FLOW_REFRESH_TOKEN, "refresh_token", fields->refresh_token },
    };
    const size_t count = sizeof(hints) / sizeof(hints[0]);
    const struct hint *found = NULL;

    if (fields->flow)
        return check_said_flow(draft, hints, count);
    if (is_refused(draft, "flow") || is_refused(draft, "private_key") ||
        is_refused(draft, "refresh_token"))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!hints[i].given)
            continue;
        if (found) {
            refuse_both(draft, hints[i].field, found->field,
                        "keep one of the two, or say in 'flow' which is meant");
            return false;
        }
        found = &hints[i];
    }
    if (found && strcmp(found->flow, FLOW_JWT_BEARER) == 0 && fields->client_secret) {
        refuse_both(draft, "client_secret", "private_key",
                    "remove client_secret (the JWT bearer flow sends none), or say in 'flow' which "
                    "is meant");
        return false;
    }
    set_text(draft, &fields->flow, strdup(found ? found->flow : FLOW_CLIENT_CREDENTIALS));
    return fields->flow;
}

/* What the flow needs, by the table that the JSON Schema is made from, too. */
static void
need_all(struct fields_draft *draft)
{
    size_t count;
    const struct flow_row *flows = fields_flows(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(flows[i].name, draft->fields->flow) != 0)
            continue;
        for (const struct flow_need *need = flows[i].needs; need->field; need++) {
            if (!*fields_text(draft->fields, need->field) && !is_refused(draft, need->field))
                faults_add(&draft->faults, need->field, NULL, need->remedy,
                           "it is required and not set, for the OAuth flow %s", flows[i].name);
        }
    }
}

static void
not_used(struct fields_draft *draft, const char *field, const char *value, const char *remedy)
{
    if (value)
        faults_add(&draft->warnings, field, NULL, remedy,
                   "it is kept and not used: the OAuth flow %s needs none", draft->fields->flow);
}

/* Reason and way out of the legacy flow (fact sheet 1.7). */
static void
warn_of_password_flow(struct fields_draft *draft)
{
    faults_add(&draft->warnings, draft->fields->use_password_grant ? "use_password_grant" : "flow",
               NULL,
               "move to client_credentials (a Run-As user in the app's policies) or jwt_bearer (a "
               "certificate): docs/login",
               "the username-password flow is legacy: Salesforce blocks it by default in orgs "
               "created since Summer '23, External Client Apps do not support it, and a blocked "
               "login says no more than 'authentication failure'");
}

static void
check_flow(struct fields_draft *draft)
{
    static const char take_out[] = "remove it to be rid of this line";
    struct fields *fields = draft->fields;
    bool jwt, password;

    if (!find_flow(draft))
        return;
    need_all(draft);
    jwt = strcmp(fields->flow, FLOW_JWT_BEARER) == 0;
    password = strcmp(fields->flow, FLOW_PASSWORD) == 0;
    if (jwt) {
        not_used(draft, "client_secret", fields->client_secret, take_out);
    } else {
        not_used(draft, "private_key_next", fields->private_key_next, take_out);
        not_used(draft, "private_key_password", fields->private_key_password, take_out);
        not_used(draft, "certificate", fields->certificate, take_out);
    }
    if (!jwt && !password)
        not_used(draft, "username", fields->username, take_out);
    if (!password) {
        not_used(draft, "password", fields->password, take_out);
        not_used(draft, "security_token", fields->security_token, take_out);
    } else {
        warn_of_password_flow(draft);
    }
}

static bool
is_client_credentials(const struct fields *fields)
{
    return fields->flow && strcmp(fields->flow, FLOW_CLIENT_CREDENTIALS) == 0;
}

/* ---- addresses ---- */

static void
check_origin(struct fields_draft *draft, const struct address *org)
{
    if (org->from_lightning)
        faults_add(&draft->warnings, "domain_name", draft->fields->domain_name,
                   "write the address of the API to be rid of this line",
                   "this is the host of the Lightning pages; %s is used", org->origin);
    if (org->clear_text)
        faults_add(&draft->warnings, "domain_name", org->origin,
                   "use it with a simulated org only; a real org has https",
                   "CAUTION: plain http, the client secret and the access token travel in clear");
    set_text(draft, &draft->fields->domain_name, strdup(org->origin));
}

/* One of the two is a simulated org: nothing of one goes to the other. */
static bool
mixes_worlds(struct fields_draft *draft, const char *field, const char *value,
             const struct address *org, const struct address *other)
{
    if (!org || org->loopback == other->loopback)
        return false;
    faults_add(&draft->faults, field, value, "leave it out, or let both be the same org",
               "domain_name and %s must both be this machine or both Salesforce; a real token must "
               "not go to a simulated org, nor the other way",
               field);
    return true;
}

/* org may be NULL: not given, or refused. */
static void
check_token_fits(struct fields_draft *draft, const struct address *org, const struct address *login,
                 const struct address *token)
{
    struct fields *fields = draft->fields;
    AUTO_FREE char *remedy = NULL;

    if (token->login_host && is_client_credentials(fields)) {
        remedy = letters_format("leave token_endpoint out: it then is %s" TOKEN_PATH,
                                org ? org->origin : "the domain_name with ");
        if (remedy)
            faults_add(
                &draft->faults, "token_endpoint", fields->token_endpoint, remedy,
                "'token_endpoint' is at a login host, and the flow client_credentials works at "
                "the My Domain of the org only");
        else
            draft->faults.result = PROV_E_NOMEM;
        return;
    }
    if (mixes_worlds(draft, "token_endpoint", fields->token_endpoint, org, token))
        return;
    if (token->login_host && login->login_host && strcmp(token->origin, login->origin) != 0) {
        faults_add(&draft->faults, "token_endpoint", fields->token_endpoint, "keep one of the two",
                   "'token_endpoint' and 'login_host' name two hosts to log in at, %s and %s",
                   token->origin, login->origin);
        return;
    }
    if (org && !token->login_host && strcmp(org->origin, token->origin) != 0 &&
        (!fields->login_host || strcmp(fields->login_host, token->origin) != 0))
        faults_add(&draft->warnings, "token_endpoint", fields->token_endpoint,
                   "leave token_endpoint out unless this is meant",
                   "it is on another host than domain_name, %s", org->origin);
    if (token->clear_text && (!org || !org->clear_text))
        faults_add(&draft->warnings, "token_endpoint", token->origin,
                   "use it with a simulated org only; a real org has https",
                   "CAUTION: plain http, the client secret travels in clear");
    set_text(draft, &fields->token_endpoint, letters_format("%s" TOKEN_PATH, token->origin));
}

static void
check_login_host(struct fields_draft *draft, const struct address *org, struct address *login)
{
    struct fields *fields = draft->fields;

    if (!fields->login_host || !address_of_login(fields->login_host, org ? org->origin : NULL,
                                                 "login_host", &draft->faults, login))
        return;
    if (is_client_credentials(fields) && login->login_host)
        faults_add(&draft->faults, "login_host", fields->login_host,
                   "leave login_host out, or name another flow in 'flow'",
                   "'login_host' and the flow client_credentials do not go together: those are "
                   "taken at the My Domain only");
    else if (org && !org->loopback && !login->loopback &&
             !address_same_cloud(org->origin, login->origin))
        faults_add(
            &draft->faults, "login_host", fields->login_host,
            "write production or sandbox, or leave it out",
            "'login_host' and 'domain_name' are of different clouds of Salesforce, %s and %s",
            login->origin, org->origin);
    else if (!mixes_worlds(draft, "login_host", fields->login_host, org, login))
        set_text(draft, &fields->login_host, strdup(login->origin));
}

/* Whose assertion it is (fact sheet 1.5): never a My Domain, which only some orgs take. */
static void
set_audience(struct fields_draft *draft, const struct address *login)
{
    const struct fields *fields = draft->fields;

    set_text(draft, &draft->fields->audience,
             login->login_host
                 ? strdup(login->origin)
                 : letters_format("https://%s", address_login_host(fields->domain_name)));
}

static void
check_addresses(struct fields_draft *draft)
{
    CLEANUP(address_clear) struct address org = { 0 };
    CLEANUP(address_clear) struct address token = { 0 };
    CLEANUP(address_clear) struct address login_at = { 0 };
    struct fields *fields = draft->fields;
    bool has_org = fields->domain_name &&
                   address_of_org(fields->domain_name, "domain_name", &draft->faults, &org);
    const char *login;

    if (has_org)
        check_origin(draft, &org);
    check_login_host(draft, has_org ? &org : NULL, &login_at);
    set_audience(draft, &login_at);
    if (fields->token_endpoint) {
        if (address_of_token(fields->token_endpoint, "token_endpoint", &draft->faults, &token))
            check_token_fits(draft, has_org ? &org : NULL, &login_at, &token);
        return;
    }
    login = fields->login_host ? fields->login_host : has_org ? org.origin : NULL;
    if (login)
        set_text(draft, &fields->token_endpoint, letters_format("%s" TOKEN_PATH, login));
}

/* Names of hosts, without scheme, port or path: what is compared is what is written. */
static void
check_allowed_hosts(struct fields_draft *draft)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    struct fields *fields = draft->fields;

    if (!fields->allowed_hosts ||
        !names_read(&fields->allowed_hosts, "allowed_hosts",
                    "write whole names of hosts, with commas between", &draft->faults))
        return;
    for (size_t i = 0; i < json_object_array_length(fields->allowed_hosts); i++) {
        const char *host =
            json_object_get_string(json_object_array_get_idx(fields->allowed_hosts, i));
        if (!host || strspn(host, letters) != strlen(host) || !strchr(host, '.') ||
            host[0] == '.' || host[strlen(host) - 1] == '.' || strstr(host, ".."))
            faults_add(&draft->faults, "allowed_hosts", host,
                       "write whole names of hosts: salesforce-gateway.acme.com",
                       "that is no name of a host");
    }
}

/* ---- TLS and proxy ---- */

/* "sha256//" and the 44 letters of 32 bytes in base64, several with ';' between (libcurl's form). */
static bool
is_pin(const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (;;) {
        if (strncmp(text, "sha256//", 8) != 0 || strspn(text + 8, letters) != 43 ||
            text[8 + 43] != '=')
            return false;
        text += 8 + 44;
        if (*text != ';')
            return *text == '\0';
        text++;
    }
}

static void
check_transport(struct fields_draft *draft)
{
    const struct fields *fields = draft->fields;

    if (fields->tls_pin && !is_pin(fields->tls_pin))
        faults_add(&draft->faults, "tls_pin", fields->tls_pin,
                   "write sha256// and the base64 of the key's SHA-256, 44 letters",
                   "it is no pin of a public key");
    if (fields->client_certificate && !fields->client_key && !is_refused(draft, "client_key"))
        faults_add(&draft->faults, "client_key", NULL,
                   "name the file of the key: file:/etc/sfprov/client.key",
                   "'client_certificate' is of no use without 'client_key'");
    if (fields->client_key && !fields->client_certificate)
        faults_add(&draft->faults, "client_certificate", NULL,
                   "name the certificate, or remove client_key",
                   "'client_key' is of no use without 'client_certificate'");
    if (fields->proxy && ((strncmp(fields->proxy, "http://", 7) != 0 &&
                           strncmp(fields->proxy, "https://", 8) != 0) ||
                          strpbrk(fields->proxy, "@ ?#")))
        faults_add(&draft->faults, "proxy", strchr(fields->proxy, '@') ? NULL : fields->proxy,
                   "write http://proxy.acme.com:3128; user and password have fields of their own",
                   "it is no URL of a proxy");
    if ((fields->proxy_username || fields->proxy_password) && !fields->proxy)
        faults_add(&draft->faults, "proxy", NULL, "name the proxy, or remove them",
                   "'proxy_username' and 'proxy_password' are of no use without 'proxy'");
}

void
fields_check_login(struct fields_draft *draft)
{
    check_flow(draft);
    check_addresses(draft);
    check_allowed_hosts(draft);
    check_transport(draft);
}
