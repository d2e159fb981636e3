/* plugin/salesforce/http.h without a network: each call is answered by a simulated org in this process, on
 * the caller's thread, so that two runs do the same. What the org does counts for nothing. */
#include "plugin/salesforce/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gate/gate.h"
#include "tests/org/api.h"
#include "tests/org/sim.h"

struct http {
    bool stopped;
};

int
http_origin_parse(const char *url, struct http_origin *ret, struct prov_error *err)
{
    int host = 0, end = 0;
    unsigned port = 0;

    *ret = (struct http_origin){ .scheme = "http", .loopback = true };
    if (sscanf(url, "http://%n127.0.0.1%n:%u", &host, &end, &port) != 1)
        return error_set(err, PROV_E_INVALID, "'%s' is not the org of this program", url);
    snprintf(ret->host, sizeof(ret->host), "%.*s", end - host, url + host);
    ret->port = (int)port;
    ret->has_path = strchr(url + end, '/') != NULL;
    return PROV_OK;
}

bool
http_origin_same(const struct http_origin *a, const struct http_origin *b)
{
    return a->port == b->port;
}

char *
http_origin_text(const struct http_origin *origin)
{
    char *text = NULL;

    return asprintf(&text, "http://%s:%d", origin->host, origin->port) < 0 ? NULL : text;
}

int
http_new(const struct http_settings *settings, struct http **ret, struct prov_error *err)
{
    (void)settings;
    *ret = calloc(1, sizeof(**ret));
    return *ret ? PROV_OK : error_nomem(err);
}

void
http_free(struct http *http)
{
    free(http);
}

void
http_stop(struct http *http)
{
    http->stopped = true;
}

void
http_set_deadline(struct http *http, int64_t deadline_us)
{
    (void)http, (void)deadline_us;
}

bool
http_time_is_over(struct http *http)
{
    (void)http;
    return false;
}

bool
http_stopped(const struct http *http)
{
    return http->stopped;
}

/* Not inlined: callgrind is told to look away in here, by name. */
__attribute__((noinline)) int
http_call(struct http *http, const struct http_request *request, struct http_answer *ret)
{
    char bearer[600] = "";
    struct reply reply = { 0 };
    struct request asked = { .method = request->method,
                             .target = strchr(request->url + strlen("http://"), '/'),
                             .content_type = request->content_type,
                             .authorization = request->bearer ? bearer : NULL,
                             .body = request->body,
                             .body_bytes = request->body_length };
    bool counted = gate_count(false);

    (void)http;
    *ret = (struct http_answer){ .end = HTTP_ANSWERED };
    snprintf(bearer, sizeof(bearer), "Bearer %s", request->bearer ? request->bearer : "");
    org_sim_exchange(gate_org, "acme", &asked, &reply);
    ret->status = reply.status;
    ret->body = reply.body_bytes > 0 ? strndup(reply.body, reply.body_bytes) : NULL;
    ret->length = reply.body_bytes;
    for (size_t i = 0; i < reply.header_count; i++) {
        if (strcasecmp(reply.headers[i].name, "Sforce-Limit-Info") == 0)
            snprintf(ret->limit_info, sizeof(ret->limit_info), "%s", reply.headers[i].value);
    }
    reply_free(&reply);
    gate_count(counted);
    return PROV_OK;
}

void
http_answer_clear(struct http_answer *answer)
{
    free(answer->body);
    *answer = (struct http_answer){ 0 };
}
