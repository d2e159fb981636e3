/* From connector fields to a session with the org: which flow, with what, and where to. */
#include <stdio.h>
#include <string.h>

#include "plugin/base/digest.h"
#include "plugin/delivery/internal.h"

static enum sf_flow
flow_of(const struct fields *fields)
{
    static const struct {
        const char *name;
        enum sf_flow flow;
    } flows[] = { { FLOW_JWT_BEARER, SF_JWT_BEARER },
                  { FLOW_REFRESH_TOKEN, SF_REFRESH_TOKEN },
                  { FLOW_PASSWORD, SF_PASSWORD } };

    for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
        if (strcmp(flows[i].name, fields->flow) == 0)
            return flows[i].flow;
    }
    return SF_CLIENT_CREDENTIALS;
}

/* "a.example,b.example"; "" for none. Heap. */
static char *
allowed_hosts(const struct fields *fields)
{
    size_t count = fields->allowed_hosts ? json_object_array_length(fields->allowed_hosts) : 0;
    char *list = strdup("");

    for (size_t i = 0; list && i < count; i++) {
        const char *host =
            json_object_get_string(json_object_array_get_idx(fields->allowed_hosts, i));
        char *longer = NULL;
        if (asprintf(&longer, "%s%s%s", list, i ? "," : "", host) < 0)
            longer = NULL;
        free(list);
        list = longer;
    }
    return list;
}

static int64_t
limit_ms(int64_t seconds, int64_t at_most_ms)
{
    return at_most_ms && at_most_ms < seconds * 1000 ? at_most_ms : seconds * 1000;
}

int
login_session(struct delivery *d, int64_t connect_ms, int64_t request_ms, struct prov_error *err)
{
    const struct fields *fields = d->fields;
    AUTO_FREE char *hosts = allowed_hosts(fields);
    const struct sf_keeper keeper = keeper_of(d);
    const struct sf_settings settings = { .origin = fields->domain_name,
                                          .api_version = fields->api_version,
                                          .token_endpoint = fields->token_endpoint,
                                          .flow = flow_of(fields),
                                          .client_id = fields->client_id,
                                          .client_secret = fields->client_secret,
                                          .password = fields->password,
                                          .security_token = fields->security_token,
                                          .refresh_token = fields->refresh_token,
                                          .private_key = fields->private_key,
                                          .private_key_next = fields->private_key_next,
                                          .private_key_password = fields->private_key_password,
                                          .certificate = fields->certificate,
                                          .username = fields->username,
                                          .audience = fields->audience,
                                          .allowed_hosts = hosts,
                                          .keeper = &keeper,
                                          .user_agent = "sfprov/" PACKAGE_VERSION,
                                          .ca_file = fields->ca_file,
                                          .tls_pin = fields->tls_pin,
                                          .client_certificate = fields->client_certificate,
                                          .client_key = fields->client_key,
                                          .proxy = fields->proxy,
                                          .proxy_username = fields->proxy_username,
                                          .proxy_password = fields->proxy_password,
                                          .keeps_reserve = d->keeps_reserve,
                                          .reserve_percent = fields->api_reserve_percent,
                                          .connect_timeout_ms =
                                              limit_ms(fields->connect_timeout_s, connect_ms),
                                          .request_timeout_ms =
                                              limit_ms(fields->request_timeout_s, request_ms) };

    return hosts ? sf_session_new(&settings, &d->session, err) : error_nomem(err);
}

/* ---- approving the app in a browser ---- */

static int
begin_login(struct delivery *d, const struct login_request *request, struct json_object **ret,
            struct prov_error *err)
{
    char state[33], verifier[65];
    const struct sf_approval approval = { request->redirect_uri, state, verifier };
    AUTO_JSON struct json_object *result = json_object_new_object();
    AUTO_FREE char *url = NULL;
    int r;

    random_id(state);
    random_id(verifier);
    random_id(verifier + 32);
    r = sf_login_url(d->session, &approval, &url, err);
    if (r)
        return r;
    if (!result || json_put_string(result, "authorize_url", url) ||
        json_put_string(result, "state", state) || json_put_string(result, "verifier", verifier))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}

static int
finish_login(struct delivery *d, const struct login_request *request, struct json_object **ret,
             struct prov_error *err)
{
    const struct sf_approval approval = { request->redirect_uri,
                                          request->state ? request->state : "", request->verifier };
    AUTO_JSON struct json_object *result = json_object_new_object();
    char org_id[SF_ID_SIZE] = "", user_id[SF_ID_SIZE] = "";
    struct sf_call call = { 0 };

    if (sf_login_code(d->session, &approval, request->code, org_id, user_id, &call))
        return error_nomem(err);
    if (call.outcome != SF_DELIVERED)
        return error_set(err, PROV_E_REMOTE, "%s%s%s; cause: %s; to do: %s", call.code,
                         call.code[0] ? ": " : "", call.message, call.cause, call.remedy);
    if (!result || json_put_string(result, "org_id", org_id) ||
        json_put_string(result, "user_id", user_id))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}

int
delivery_login(struct delivery *d, const struct login_request *request, struct json_object **ret,
               struct prov_error *err)
{
    if (!request->redirect_uri)
        return error_set(err, PROV_E_INVALID, "login: the request has no \"redirect_uri\"");
    return request->code ? finish_login(d, request, ret, err) : begin_login(d, request, ret, err);
}
