/*
 * event_parse and event_fold: a token is refused with a reason, or it is the same event each time,
 * without a password in it, and what it makes of a subject can be stored, read back, and made again.
 */
#include "tests/fuzz/fuzz.h"

#include <strings.h>

#include "plugin/event/event.h"

static const char known[] =
    "{\"userName\":\"a\",\"active\":\"True\",\"name\":{\"givenName\":\"A\"},\"emails\":[{\"value\":"
    "\"a@x\",\"type\":\"work\",\"primary\":true},{\"value\":\"b@x\",\"type\":\"home\"},\"c@x\"],"
    "\"roles\":[\"r\"],\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":"
    "{\"department\":\"d\",\"manager\":{\"value\":\"7\",\"$ref\":\"../Users/7\"}}}";

static bool
holds_password(const struct value *value)
{
    for (size_t i = 0; value_is(value, VALUE_ARRAY) && i < value_count(value); i++) {
        if (holds_password(value_at(value, i)))
            return true;
    }
    VALUE_EACH(value, member)
    {
        if (strcasecmp(member->name, "password") == 0 || holds_password(member->value))
            return true;
    }
    return false;
}

static struct event *
parse(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = fuzz_text(data, size);
    struct prov_error err = PROV_ERROR_INIT;
    struct event *event = NULL;

    if (event_parse(text, size, "https://host", &event, &err) != PROV_OK)
        FUZZ_CHECK(!event && err.code != PROV_OK && strlen(err.text) > 10);
    return event;
}

static void
check_event(const struct event *event)
{
    size_t jti = strlen(event->jti);

    FUZZ_CHECK(jti > 0 && jti <= 256 && *event->iss && *event->kinds);
    FUZZ_CHECK(strlen(event->digest) == DIGEST_HEX_SIZE - 1);
    FUZZ_CHECK(strncmp(event->uri, event->ignored ? "/Groups/" : "/Users/", 7) == 0);
    FUZZ_CHECK(!event->ignored || !event->payload);
    FUZZ_CHECK((event->data != EVENT_NO_DATA) == (event->payload != NULL) || event->ignored);
    FUZZ_CHECK(!holds_password(event->payload));
}

/* Folds into a state of that resource; the new one is the event's, or in the pool. NULL: none, or refused. */
static struct value *
fold(struct pool *pool, const struct event *event, struct value *resource, bool *ret_changed)
{
    struct subject_state state = { .presence = PRESENCE_IN, .resource = resource };
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE char *before = value_canonical(resource), *after = NULL;

    *ret_changed = false;
    if (event_fold(pool, event, &state, ret_changed, &err) != PROV_OK) {
        FUZZ_CHECK(event->data == EVENT_PATCH && strlen(err.text) > 10);
        FUZZ_CHECK(state.resource == resource && state.presence == PRESENCE_IN);
        return NULL;
    }
    FUZZ_CHECK(state.presence >= PRESENCE_IN && state.presence <= PRESENCE_GONE);
    after = value_canonical(resource);
    FUZZ_CHECK(before && after && strcmp(before, after) == 0);
    return state.resource;
}

static void
check_fold(struct pool *pool, const struct event *event, struct value *resource)
{
    struct value *first, *second, *stored = NULL;
    AUTO_FREE char *payload = value_json(event->payload), *text = NULL, *after = NULL;
    AUTO_FREE char *canonical = value_canonical(event->payload);
    struct prov_error err = PROV_ERROR_INIT;
    bool changed;

    FUZZ_CHECK(!event->payload || (canonical && strcmp(event->payload_text, canonical) == 0));
    first = fold(pool, event, resource, &changed);
    after = value_json(event->payload);
    FUZZ_CHECK(payload && after && strcmp(payload, after) == 0);
    if (!first)
        return;
    text = value_json(first);
    FUZZ_CHECK(text && value_parse(pool, text, strlen(text), "the stored", &stored, &err) == 0);
    FUZZ_CHECK(value_equal(first, stored));
    FUZZ_CHECK(!holds_password(first));
    /* what says how the user is, and not what changes, says nothing new the second time */
    if (event->data == EVENT_PATCH)
        return;
    second = fold(pool, event, stored, &changed);
    FUZZ_CHECK(second && value_equal(first, second));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *resource = NULL;
    struct event *event = parse(data, size), *again = event ? parse(data, size) : NULL;

    FUZZ_CHECK(value_parse(&pool, known, sizeof(known) - 1, "it", &resource, NULL) == PROV_OK);
    if (event) {
        check_event(event);
        FUZZ_CHECK(again && strcmp(event->digest, again->digest) == 0);
        check_fold(&pool, event, NULL);
        check_fold(&pool, event, resource);
    }
    event_free(event);
    event_free(again);
    return 0;
}
