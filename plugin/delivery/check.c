/*
 * Test connection: named steps, each ok, warning, failed or skipped, with what was seen, the cause and what
 * to do. Changes nothing in the org; a token that was given is kept like any other, and so are the
 * profiles, roles and licences that were read (facts.c).
 *
 * A check has a session of its own: its limits are short, so that a dead network is told within five
 * seconds; it disturbs no delivery under way, here or in another process; and it logs in anew, since a token
 * that somebody has kept says nothing about the credentials.
 */
#include "plugin/delivery/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "schema/letters.h"

/* What does not work is told within five seconds: who is not connected to is not asked, and after one call
 * without an answer no other is made. An org that does answer may take three seconds for each step, so that a
 * network that trickles is not waited for as long as each answer allows. */
#define CONNECT_MS 3000
#define REQUEST_MS 4500
#define DEAD_US    (48 * CLOCK_SECOND_US / 10)
#define STEP_US    (3 * CLOCK_SECOND_US)

/* The names are documented in sfprov-connector(7), for user interfaces: they stay. */
static const struct check_step steps[] = {
    { "fields", NEEDS_NOTHING, check_fields },
    { "store", NEEDS_NOTHING, check_store },
    { "sealing", NEEDS_NOTHING, check_sealing },
    { "username", NEEDS_NOTHING, check_username },
    { "address", NEEDS_NOTHING, check_address },
    { "proxy", NEEDS_NOTHING, check_proxy },
    { "dns", NEEDS_NOTHING, check_dns },
    { "tcp", NEEDS_NOTHING, check_tcp },
    { "tls", NEEDS_NOTHING, check_tls },
    { "clock", NEEDS_HOST, check_clock },
    { "version", NEEDS_NOTHING, check_version },
    { "token", NEEDS_HOST, check_token },
    { "key", NEEDS_TOKEN, check_key },
    { "org", NEEDS_TOKEN, check_org },
    { "api", NEEDS_TOKEN, check_api },
    { "permissions", NEEDS_API, check_permissions },
    { "correlation", NEEDS_API, check_twin },
    { "profile", NEEDS_API, check_profile },
    { "seats", NEEDS_API, check_seats },
    { "roles", NEEDS_API, check_roles },
    { "mapping", NEEDS_API | NEEDS_USER, check_mapping },
    { "picklists", NEEDS_API | NEEDS_USER, check_picklists },
    { "email", NEEDS_API, check_email },
    { "freeze", NEEDS_API, check_freeze },
    { "quota", NEEDS_API, check_quota },
};

static const char *const words[] = { "ok", "skipped", "warning", "failed" };

/* ---- words ---- */

int
check_say(struct check *check, enum check_status status, const char *cause, const char *remedy,
          const char *seen, ...)
{
    struct json_object *row = json_object_new_object();
    AUTO_FREE char *text = NULL;
    va_list arguments;

    va_start(arguments, seen);
    text = letters_vformat(seen, arguments);
    va_end(arguments);
    if (!text || json_append(check->steps, row) || !row)
        return PROV_E_NOMEM;
    error_tidy(text);
    if (status > check->worst)
        check->worst = status;
    if (json_put_string(row, "name", check->name) ||
        json_put_string(row, "status", words[status]) || json_put_string(row, "seen", text) ||
        json_put_string(row, "cause", cause) || json_put_string(row, "remedy", remedy))
        return PROV_E_NOMEM;
    return PROV_OK;
}

int
check_call_failed(struct check *check, const struct sf_call *call)
{
    /* who does not answer once is not asked again: it would take as long each time */
    if (!call->http_status) {
        check->has = NEEDS_NOTHING;
        check->stopped_by = check->name;
    }
    return check_say(check, CHECK_FAILED, call->cause, call->remedy, "%s%s%s", call->code,
                     call->code[0] ? ": " : "", call->message);
}

/* ---- the steps ---- */

static void
time_step(struct check *check)
{
    int64_t first = check->begun_us + DEAD_US, next = clock_monotonic_us() + STEP_US;

    sf_session_set_deadline(check->delivery->session, first > next ? first : next);
}

static int
take_all(struct check *check, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && i < sizeof(steps) / sizeof(steps[0]); i++) {
        check->name = steps[i].name;
        time_step(check);
        if ((steps[i].needs & check->has) == steps[i].needs)
            r = steps[i].take(check, err);
        else
            r = check_say(check, CHECK_SKIPPED, NULL, NULL, "not looked at, because of step '%s'",
                          check->stopped_by ? check->stopped_by : "address");
    }
    return r;
}

static void
check_done(struct check *check)
{
    json_object_put(check->versions);
    json_object_put(check->describe);
    json_object_put(check->delivery->names);
    facts_drop_lists(check->delivery);
    sf_session_free(check->delivery->session);
}

int
delivery_check(struct delivery *d, struct json_object *field_warnings, struct json_object **ret,
               struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct delivery own = { .store = d->store, .fields = d->fields };
    struct check check = { .delivery = &own,
                           .fields = d->fields,
                           .warnings = field_warnings,
                           .steps = json_object_new_array(),
                           .begun_us = clock_monotonic_us(),
                           .since_us = clock_now_us() };
    int r;

    if (!result || json_put(result, "steps", check.steps) || !check.steps)
        return error_nomem(err);
    r = login_session(&own, CONNECT_MS, REQUEST_MS, err);
    if (r)
        return r;
    sf_session_login_anew(own.session);
    r = take_all(&check, err);
    check_done(&check);
    if (r)
        return r == PROV_E_NOMEM ? error_nomem(err) : r;
    if (json_put_bool(result, "ok", check.worst != CHECK_FAILED) ||
        json_put_string(result, "worst",
                        words[check.worst == CHECK_SKIPPED ? CHECK_OK : check.worst]))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}
