/*
 * Reads one RFC 9967 token: its claims, its subject, and which events it holds. It refuses only
 * what cannot be folded (design rule 1): whether the attributes in the data make a Salesforce user
 * is the planner's question, so their types are not looked at. Passwords are taken out by
 * password.c before anything is kept; what an event does to a state is fold.c's.
 */
#include "plugin/event/event.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/base/json_write.h"
#include "plugin/base/secret.h"
#include "plugin/event/password.h"
#include "plugin/scim/bounds.h"
#include "plugin/scim/patch.h"

#define JTI_MAX_BYTES  256
#define TEXT_MAX_BYTES 1024

static const char uri_prefix[] = "urn:ietf:params:scim:event:";
static const char response[] = "misc:asyncresp";

/* In the order in which they fold (design rule 5). */
static const struct kind {
    const char *name;
    enum event_data data;
    enum event_switch active;
    enum event_feed feed;
    bool deleted, notice;
} kinds[] = {
    { .name = "prov:create:full", .data = EVENT_CREATE },
    { .name = "prov:put:full", .data = EVENT_PUT },
    { .name = "prov:patch:full", .data = EVENT_PATCH },
    { .name = "prov:create:notice", .data = EVENT_CREATE, .notice = true },
    { .name = "prov:put:notice", .data = EVENT_PUT, .notice = true },
    { .name = "prov:patch:notice", .data = EVENT_PATCH, .notice = true },
    { .name = "prov:activate", .active = EVENT_ACTIVATE },
    { .name = "prov:deactivate", .active = EVENT_DEACTIVATE },
    { .name = "feed:add", .feed = EVENT_FEED_ADD },
    { .name = "feed:remove", .feed = EVENT_FEED_REMOVE },
    { .name = "prov:delete", .deleted = true },
};

#define KIND_COUNT     (sizeof(kinds) / sizeof(kinds[0]))
#define KIND_MAX_BYTES 20 /* of a name, and what divides it from the next */

/* The events of one token, in order of kinds[]. */
struct payloads {
    bool there[KIND_COUNT];
    struct value *value[KIND_COUNT]; /* borrowed; NULL: JSON null */
};

struct event *
event_new(void)
{
    struct pool pool = { NULL };
    struct event *event = pool_alloc(&pool, sizeof(*event));

    if (event)
        *event = (struct event){ .pool = pool };
    return event;
}

void
event_free(struct event *event)
{
    struct pool pool;

    if (!event)
        return;
    secret_free(event->password);
    pool = event->pool; /* where it stands itself */
    pool_done(&pool);
}

/* A text from outside, as far as it fits into a message. */
static const char *
shown(const char *text)
{
    return strlen(text) <= 120 ? text : "(longer than 120 bytes)";
}

static bool
is_printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return true;
}

/* A claim that is a text, borrowed. Leaves *ret alone when there is none. `place` is its name in messages. */
static int
take_text(struct value *object, const char *claim, const char *place, size_t max_bytes,
          const char **ret, struct prov_error *err)
{
    struct value *value = value_get(object, claim);
    size_t length;

    if (!value)
        return PROV_OK;
    if (!value_is(value, VALUE_TEXT))
        return error_set(err, PROV_E_INVALID, "claim '%s' must be a string", place);
    length = value->length;
    if (length == 0)
        return error_set(err, PROV_E_INVALID, "claim '%s' is empty: fill it or leave it out",
                         place);
    if (length > max_bytes)
        return error_set(err, PROV_E_LIMIT, "claim '%s' is longer than %zu bytes: shorten it",
                         place, max_bytes);
    if (!is_printable(value->text, length))
        return error_set(err, PROV_E_INVALID, "claim '%s' holds a control character: remove it",
                         place);
    *ret = value->text;
    return PROV_OK;
}

static int
read_envelope(struct value *token, const char *default_issuer, struct event *event,
              struct prov_error *err)
{
    int result = take_text(token, "jti", "jti", JTI_MAX_BYTES, &event->jti, err);

    if (result == PROV_OK && !event->jti)
        return error_set(err, PROV_E_INVALID,
                         "claim 'jti' is missing: give every event an id of its own, without it a "
                         "repeated event cannot be told from a new one");
    if (result == PROV_OK)
        result = take_text(token, "txn", "txn", TEXT_MAX_BYTES, &event->txn, err);
    if (result == PROV_OK)
        result = take_text(token, "iss", "iss", TEXT_MAX_BYTES, &event->iss, err);
    if (result != PROV_OK)
        return result;
    if (!event->iss && (!default_issuer || !*default_issuer))
        return error_set(err, PROV_E_INVALID,
                         "claim 'iss' is missing: add it, or set the connector field 'issuer'");
    if (!event->iss)
        event->iss = pool_text(&event->pool, default_issuer, strlen(default_issuer));
    event->iat = value_integer(value_get(token, "iat")); /* also of a fraction; else 0 */
    return event->iss ? PROV_OK : error_nomem(err);
}

/* Where the id begins in a reference, at whose end there is no slash; NULL: there is none of this endpoint. */
static const char *
resource_id(const char *reference, const char *end, const char *authority, const char *endpoint)
{
    size_t width = strlen(endpoint), length = (size_t)(end - reference);

    if (!authority && length >= width && ascii_compare_start(reference, endpoint, width) == 0)
        return reference + width;
    if (!authority && length >= width - 1 &&
        ascii_compare_start(reference, endpoint + 1, width - 1) == 0)
        return reference + width - 1;
    /* else the last one: what stands before is the base of the host's SCIM service */
    if (authority)
        reference = authority + 3 + strcspn(authority + 3, "/");
    for (const char *id = end; id - reference >= (ptrdiff_t)width; id--) {
        if (id[-1] == '/' && ascii_compare_start(id - width, endpoint, width) == 0)
            return id;
    }
    return NULL;
}

/* `/Users/7` of any way to write it, for endpoint "/Users/"; *ret stays NULL when it is none. */
static int
resource_uri(const char *reference, const char *endpoint, char **ret)
{
    const char *end = reference + strcspn(reference, "?#"), *id;
    const char *authority = strstr(reference, "://");
    size_t width = strlen(endpoint);
    char *to;

    if (authority && authority + 3 > end)
        authority = NULL;
    while (end > reference && end[-1] == '/')
        end--;
    id = resource_id(reference, end, authority, endpoint);
    if (!id)
        return PROV_OK;
    to = *ret = malloc(width + (size_t)(end - id) + 1);
    if (!to)
        return PROV_E_NOMEM;
    to = mempcpy(mempcpy(to, endpoint, width), id, (size_t)(end - id));
    *to = '\0';
    return PROV_OK;
}

char *
event_user_uri(const char *reference)
{
    char *uri = NULL;

    return resource_uri(reference, "/Users/", &uri) == PROV_OK ? uri : NULL;
}

static int
read_subject(struct value *token, struct event *event, struct prov_error *err)
{
    struct value *subject = value_get(token, "sub_id");
    const char *format = value_get_text(subject, "format");
    AUTO_FREE char *own = NULL;
    const char *uri = NULL;
    int result;

    if (value_get(token, "sub"))
        return error_set(err, PROV_E_INVALID,
                         "claim 'sub' must not be used in a SCIM event (RFC 9967): name the user "
                         "in 'sub_id' alone");
    if (!value_is(subject, VALUE_OBJECT))
        return error_set(err, PROV_E_INVALID,
                         "claim 'sub_id' must be an object such as "
                         "{\"format\":\"scim\",\"uri\":\"/Users/7\"}");
    if (!format || ascii_compare(format, "scim") != 0)
        return error_set(err, PROV_E_INVALID, "claim 'sub_id.format' must be \"scim\"");
    result = take_text(subject, "uri", "sub_id.uri", TEXT_MAX_BYTES, &uri, err);
    if (result != PROV_OK)
        return result;
    if (!uri)
        return error_set(err, PROV_E_INVALID,
                         "claim 'sub_id.uri' is missing: it names the user, such as /Users/7");
    result = resource_uri(uri, "/Users/", &own);
    event->ignored = !own;
    if (result == PROV_OK && event->ignored)
        result = resource_uri(uri, "/Groups/", &own);
    if (result != PROV_OK)
        return error_nomem(err);
    if (!own)
        return error_set(err, PROV_E_INVALID,
                         "claim 'sub_id.uri' is '%s', which names no user: /Users/ and an id are "
                         "needed, relative to the SCIM base of the host",
                         shown(uri));
    event->uri = pool_text(&event->pool, own, strlen(own));
    return event->uri ? PROV_OK : error_nomem(err);
}

/* The index in kinds[] of an event URI. Drafts and some hosts write SCIM in capitals. */
static int
find_kind(const char *uri, size_t *ret, struct prov_error *err)
{
    if (ascii_compare_start(uri, uri_prefix, strlen(uri_prefix)) == 0) {
        const char *name = uri + strlen(uri_prefix);
        for (size_t i = 0; i < KIND_COUNT; i++) {
            if (ascii_compare(name, kinds[i].name) == 0) {
                *ret = i;
                return PROV_OK;
            }
        }
        if (ascii_compare(name, response) == 0)
            return error_set(err, PROV_E_INVALID,
                             "event '%s' is an answer, which this connector gives and does not "
                             "take: send what happened to the user",
                             response);
    }
    return error_set(err, PROV_E_INVALID,
                     "event '%s' is not known: use prov:create:full, put:full, patch:full, one of "
                     "these with :notice, activate, deactivate or delete, or feed:add or remove, "
                     "after %s",
                     shown(uri), uri_prefix);
}

/* Sorts the events of the token into *ret. */
static int
sort_events(struct value *events, struct payloads *ret, struct prov_error *err)
{
    if (!value_is(events, VALUE_OBJECT) || value_count(events) == 0)
        return error_set(err, PROV_E_INVALID,
                         "claim 'events' must be an object with at least one event URI");
    VALUE_EACH(events, member)
    {
        struct value *payload = member->value;
        size_t kind = 0;
        int result = find_kind(member->name, &kind, err);
        if (result != PROV_OK)
            return result;
        if (ret->there[kind])
            return error_set(err, PROV_E_INVALID, "event '%s' is there twice: send it once",
                             kinds[kind].name);
        if (payload && !value_is(payload, VALUE_OBJECT))
            return error_set(err, PROV_E_INVALID, "claim 'events.%s' must be an object",
                             kinds[kind].name);
        ret->there[kind] = true;
        ret->value[kind] = payload;
    }
    return PROV_OK;
}

/* JSON objects have no order, so nobody can say which of the two was meant to win. A delete with
 * data is none: the data is the last that is known of the user. */
static bool
contradicts(const struct kind *a, const struct kind *b)
{
    return (a->data && b->data) || (a->active && b->active) || (a->feed && b->feed) ||
           (b->deleted && (a->active == EVENT_ACTIVATE || a->feed == EVENT_FEED_ADD));
}

static int
check_pairs(const struct payloads *payloads, struct prov_error *err)
{
    for (size_t a = 0; a < KIND_COUNT; a++) {
        for (size_t b = a + 1; payloads->there[a] && b < KIND_COUNT; b++) {
            if (payloads->there[b] && contradicts(&kinds[a], &kinds[b]))
                return error_set(err, PROV_E_INVALID,
                                 "events '%s' and '%s' contradict each other: send them in two "
                                 "tokens, in their order",
                                 kinds[a].name, kinds[b].name);
        }
    }
    return PROV_OK;
}

/* What is in `attributes` does not matter: the host is asked for the whole resource. */
static int
check_notice(const struct kind *kind, struct value *payload, struct prov_error *err)
{
    if (value_has(payload, "data"))
        return error_set(err, PROV_E_INVALID,
                         "event '%s' has 'data': a notice names 'attributes' only, the full form "
                         "carries 'data'",
                         kind->name);
    if (!value_is(value_get(payload, "attributes"), VALUE_ARRAY))
        return error_set(err, PROV_E_INVALID,
                         "claim 'events.%s.attributes' must be an array: the names of the "
                         "attributes that were set",
                         kind->name);
    return PROV_OK;
}

/* RFC 9967: `full` has `data`, `notice` has `attributes`. */
static int
check_payload(const struct kind *kind, struct value *payload, struct prov_error *err)
{
    struct value *data = value_get(payload, "data");
    int result = PROV_OK;

    if (kind->notice)
        return check_notice(kind, payload, err);
    if (!kind->data)
        return PROV_OK;
    if (!value_is(data, VALUE_OBJECT))
        return error_set(err, PROV_E_INVALID, "claim 'events.%s.data' must be an object: %s",
                         kind->name,
                         kind->data == EVENT_PATCH ? "a PatchOp" : "the user's whole resource");
    if (value_has(payload, "attributes"))
        return error_set(err, PROV_E_INVALID,
                         "event '%s' has both 'data' and 'attributes': leave out 'attributes'",
                         kind->name);
    if (kind->data == EVENT_PATCH)
        result = scim_patch_apply(NULL, NULL, data, NULL, err);
    else
        result = scim_check_data(data, err);
    return result == PROV_OK ? result
                             : error_wrap(err, result, "claim 'events.%s.data'", kind->name);
}

/* Keeps what one event of the token says. */
static int
keep(const struct kind *kind, struct value *payload, struct event *event, struct prov_error *err)
{
    if (kind->data) {
        event->data = kind->data;
        event->notice = kind->notice;
        event->payload = value_get(payload, "data");
    }
    if (kind->active)
        event->active = kind->active;
    if (kind->feed)
        event->feed = kind->feed;
    event->deleted |= kind->deleted;
    return event->etag
               ? PROV_OK
               : take_text(payload, "version", "version", TEXT_MAX_BYTES, &event->etag, err);
}

/* "prov:put:full prov:activate"; NULL when out of memory. */
static const char *
join_kinds(struct pool *pool, const struct payloads *payloads)
{
    char text[KIND_COUNT * KIND_MAX_BYTES], *end = text;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!payloads->there[i])
            continue;
        if (end > text)
            *end++ = ' ';
        end = stpcpy(end, kinds[i].name);
    }
    return pool_text(pool, text, (size_t)(end - text));
}

/* Out of all events of the token, before anything else is done with them. */
static int
take_passwords(const struct payloads *payloads, struct event *event, struct prov_error *err)
{
    int result = PROV_OK;

    for (size_t i = 0; result == PROV_OK && i < KIND_COUNT; i++) {
        bool patch = kinds[i].data == EVENT_PATCH;
        if (!payloads->there[i])
            continue;
        if (kinds[i].data && !event->ignored)
            result = event_take_password(payloads->value[i], patch, &event->password, err);
        if (result == PROV_OK)
            event_remove_password(payloads->value[i], patch, &event->had_password);
    }
    return result;
}

/* All events of the token into *event. One that is ignored is kept for its name only. */
static int
read_events(struct value *events, bool may_hold_password, struct event *event,
            struct payloads *payloads, struct prov_error *err)
{
    int result = sort_events(events, payloads, err);

    if (result == PROV_OK && may_hold_password)
        result = take_passwords(payloads, event, err);
    for (size_t i = 0; result == PROV_OK && !event->ignored && i < KIND_COUNT; i++) {
        if (payloads->there[i])
            result = check_payload(&kinds[i], payloads->value[i], err);
    }
    if (result == PROV_OK && !event->ignored)
        result = check_pairs(payloads, err);
    for (size_t i = 0; result == PROV_OK && !event->ignored && i < KIND_COUNT; i++) {
        if (payloads->there[i])
            result = keep(&kinds[i], payloads->value[i], event, err);
    }
    if (result != PROV_OK)
        return result;
    event->kinds = join_kinds(&event->pool, payloads);
    return event->kinds ? PROV_OK : error_nomem(err);
}

/* The event that comes next in order of name; KIND_COUNT: none. `last` NULL: the first. */
static size_t
next_by_name(const struct payloads *payloads, const char *last)
{
    size_t next = KIND_COUNT;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (payloads->there[i] && (!last || strcmp(kinds[i].name, last) > 0) &&
            (next == KIND_COUNT || strcmp(kinds[i].name, kinds[next].name) < 0))
            next = i;
    }
    return next;
}

/* {"events":{...},"iss":"...","uri":"..."}, canonical, event URIs in one spelling. */
static void
write_events(struct json_writer *writer, const struct payloads *payloads, const struct event *event)
{
    const char *last = NULL;

    JSON_WRITE_LITERAL(writer, "{\"events\":{");
    for (size_t i; (i = next_by_name(payloads, last)) < KIND_COUNT; last = kinds[i].name) {
        if (last)
            JSON_WRITE_LITERAL(writer, ",");
        JSON_WRITE_LITERAL(writer, "\"");
        json_write_raw(writer, uri_prefix, strlen(uri_prefix));
        json_write_raw(writer, kinds[i].name, strlen(kinds[i].name));
        JSON_WRITE_LITERAL(writer, "\":");
        value_write_canonical(writer, payloads->value[i]);
    }
    JSON_WRITE_LITERAL(writer, "},\"iss\":");
    json_write_string(writer, event->iss, strlen(event->iss));
    JSON_WRITE_LITERAL(writer, ",\"uri\":");
    json_write_string(writer, event->uri, strlen(event->uri));
    JSON_WRITE_LITERAL(writer, "}");
}

/* The digest, and the payload's text, which is a part of what it is of, and has mostly less bytes than `room`. */
static int
make_digest(const struct payloads *payloads, size_t room, struct event *event,
            struct prov_error *err)
{
    struct json_writer writer = { .watched = event->payload };
    AUTO_FREE char *text = NULL;
    size_t length, at, end;

    (void)json_write_room(&writer, room);
    write_events(&writer, payloads, event);
    length = writer.length;
    at = writer.watched_at;
    end = writer.watched_end;
    text = json_write_end(&writer);
    if (!text || digest_hex(text, length, event->digest) != PROV_OK)
        return error_nomem(err);
    if (event->payload)
        event->payload_text = pool_text(&event->pool, text + at, end - at);
    return event->payload && !event->payload_text ? error_nomem(err) : PROV_OK;
}

int
event_parse(const char *json, size_t length, const char *default_issuer, struct event **ret,
            struct prov_error *err)
{
    CLEANUP(event_cleanup) struct event *event = NULL;
    struct value *token = NULL;
    struct payloads payloads = { .there = { false } };
    int result;

    if (length > PROV_EVENT_MAX_BYTES)
        return error_set(err, PROV_E_LIMIT,
                         "the event has %zu bytes, more than %u: send less data in one event",
                         length, PROV_EVENT_MAX_BYTES);
    event = event_new();
    if (!event)
        return error_nomem(err);
    result = value_parse(&event->pool, json, length, "the event", &token, err);
    if (result != PROV_OK)
        return result;
    if (!value_is(token, VALUE_OBJECT))
        return error_set(err, PROV_E_INVALID,
                         "the event must be a JSON object: the claims of one token");
    result = read_envelope(token, default_issuer, event, err);
    if (result == PROV_OK)
        result = read_subject(token, event, err);
    if (result == PROV_OK)
        result = read_events(value_get(token, "events"), event_may_hold_password(json, length),
                             event, &payloads, err);
    if (result == PROV_OK)
        result = make_digest(&payloads, length, event, err);
    if (result != PROV_OK)
        return result;
    *ret = STEAL(event);
    return PROV_OK;
}

int
event_take_resource(struct event *event, const char *json, size_t length, struct prov_error *err)
{
    struct value *resource = NULL;
    int result = PROV_OK;

    if (length > PROV_EVENT_MAX_BYTES)
        result = error_set(err, PROV_E_LIMIT, "it has %zu bytes, more than %u", length,
                           PROV_EVENT_MAX_BYTES);
    if (result == PROV_OK)
        result = value_parse(&event->pool, json, length, "it", &resource, err);
    if (result == PROV_OK && !value_is(resource, VALUE_OBJECT))
        result = error_set(err, PROV_E_INVALID, "it is no JSON object");
    if (result == PROV_OK) {
        event_remove_password(resource, false, &event->had_password);
        result = scim_check_data(resource, err);
    }
    if (result != PROV_OK)
        return result;
    event->resource = resource;
    event->ask = EVENT_RESOLVED;
    return PROV_OK;
}
