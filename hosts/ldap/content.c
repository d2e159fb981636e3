/*
 * Decides what the messages of RFC 4533 mean. A directory that keeps no log of what is gone tells, after a
 * break, only who is still present: to find out from that who is gone one has to know everybody, so a whole
 * list is asked for instead. Leaves what to do with it to its listener.
 */
#include "hosts/ldap/content.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "hosts/cli/drive.h"
#include "hosts/cli/fault.h"
#include "hosts/ldap/cookie.h"

#define UUID_BYTES   16
#define POLL_MOST    500 /* messages in a row */
#define QUIET_S      60  /* after which a directory is asked whether it is there */
#define COOKIE_BYTES 4096u

struct content {
    struct connection connection;
    struct content_listener listener;
    struct taken_entry taken;
    int message;     /* id of the search */
    bool whole;      /* all that is present is told as an entry */
    bool refreshing; /* what was there is still being told */
    enum content_age age;
    int64_t heard_us;      /* when something was heard last */
    struct berval *known;  /* how far it was heard before; NULL: not at all */
    struct berval *cookie; /* how far it is heard now; NULL: not yet */
};

/* ---- opening ---- */

static int
text_of_cookie(const char *text, struct berval **ret, struct prov_error *err)
{
    char *bytes = malloc(strlen(text) / 2 + 1);
    size_t length = strlen(text) / 2;

    for (size_t i = 0; bytes && i < length; i++) {
        unsigned byte = 0;

        if (strspn(text + 2 * i, "0123456789abcdef") < 2 ||
            sscanf(text + 2 * i, "%2x", &byte) != 1) {
            free(bytes);
            return fault_set(err, PROV_E_NOTFOUND,
                             "how far the directory was heard cannot be read");
        }
        bytes[i] = (char)byte;
    }
    *ret = bytes ? ber_mem2bv(bytes, length, 1, NULL) : NULL;
    free(bytes);
    if (!*ret)
        return fault_nomem(err);
    if (strlen((*ret)->bv_val) == length) {
        cookie_forget_giver((*ret)->bv_val);
        (*ret)->bv_len = strlen((*ret)->bv_val);
    }
    return PROV_OK;
}

/* syncRequestValue (RFC 4533 2.2). */
static int
ask(struct content *content, struct prov_error *err)
{
    LDAPControl *controls[] = { NULL, NULL };
    BerElement *request = ber_alloc_t(LBER_USE_DER);
    struct berval value = { 0 };
    const struct connection *way = &content->connection;
    int code = LDAP_NO_MEMORY;

    if (request && ber_printf(request, "{e", LDAP_SYNC_REFRESH_AND_PERSIST) >= 0 &&
        (content->whole || ber_printf(request, "O", content->known) >= 0) &&
        ber_printf(request, "N}") >= 0 && ber_flatten2(request, &value, 0) == 0)
        code = ldap_control_create(LDAP_CONTROL_SYNC, 1, &value, 1, &controls[0]);
    ber_free(request, 1);
    if (!code)
        code =
            ldap_search_ext(way->ldap, way->url->lud_dn, way->url->lud_scope, way->filter,
                            way->wanted, 0, controls, NULL, NULL, LDAP_NO_LIMIT, &content->message);
    ldap_control_free(controls[0]);
    return code ? connection_fail(way->ldap, code, "the directory cannot be followed",
                                  "check the URL", err)
                : PROV_OK;
}

int
content_open(const struct connection_options *options, const char *cookie, bool whole,
             const struct content_listener *listener, struct content **ret, struct prov_error *err)
{
    struct content *content = calloc(1, sizeof(*content));
    int result = content ? PROV_OK : fault_nomem(err);

    if (!result) {
        content->listener = *listener;
        content->whole = whole || !cookie;
        content->refreshing = true;
        content->heard_us = clock_us();
        result = connection_open(options, &content->connection, err);
    }
    if (!result && cookie)
        result = text_of_cookie(cookie, &content->known, err);
    if (result == PROV_E_NOTFOUND && whole)
        result = PROV_OK; /* nothing is known of how far that was */
    if (!result)
        result = ask(content, err);
    if (result) {
        content_close(content);
        return result;
    }
    *ret = content;
    return PROV_OK;
}

void
content_close(struct content *content)
{
    if (!content)
        return;
    taken_entry_clear(&content->taken);
    ber_bvfree(content->cookie);
    ber_bvfree(content->known);
    connection_close(&content->connection);
    free(content);
}

struct connection *
content_connection(struct content *content)
{
    return &content->connection;
}

enum content_age
content_age(const struct content *content)
{
    return content->age;
}

bool
content_is_old(const struct content *content, const char *change)
{
    return content->refreshing && !content->whole && cookie_has(content->known->bv_val, change);
}

char *
content_cookie(const struct content *content)
{
    const struct berval *cookie =
        content->cookie || content->whole ? content->cookie : content->known;
    char *text = cookie && cookie->bv_len ? malloc(2 * cookie->bv_len + 1) : NULL;

    for (size_t i = 0; text && i < cookie->bv_len; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)cookie->bv_val[i]);
    return text;
}

/* ---- what the messages say ---- */

static int
unreadable(struct prov_error *err)
{
    return fault_set(
        err, PROV_E_STATE,
        "the directory's answer cannot be read; is content synchronization (RFC 4533), "
        "as of OpenLDAP's overlay syncprov, what it offers?");
}

/* "01234567-89ab-..." of 16 bytes (RFC 4122). */
static bool
spell_uuid(const struct berval *uuid, char to[CONTENT_UUID_SIZE])
{
    char *out = to;

    if (uuid->bv_len != UUID_BYTES)
        return false;
    for (size_t i = 0; i < UUID_BYTES; i++)
        out += snprintf(out, 4, "%02x%s", (unsigned char)uuid->bv_val[i],
                        i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
    return true;
}

/* A copy that ends with a NUL; NULL in *ret: there is none, or it says nothing. */
static int
copy_cookie(struct berval *cookie, struct berval **ret, struct prov_error *err)
{
    *ret = NULL;
    if (!cookie->bv_val)
        return PROV_OK;
    if (cookie->bv_len > COOKIE_BYTES)
        return unreadable(err);
    *ret = ber_bvdup(cookie);
    if (!*ret)
        return fault_nomem(err);
    if (cookie_is_bare((*ret)->bv_val)) {
        ber_bvfree(*ret);
        *ret = NULL;
    }
    return PROV_OK;
}

/* Takes it up when there is one. Not before the refresh is over: OpenLDAP tells who is gone first, with the
 * cookie of the last who went, and only then those who changed before that. */
static int
take_cookie(struct content *content, struct berval *cookie, struct prov_error *err)
{
    const struct berval *before = content->cookie ? content->cookie : content->known;
    struct berval *copy = NULL;
    char *merged = NULL;
    int result = content->refreshing ? PROV_OK : copy_cookie(cookie, &copy, err);

    if (result || !copy)
        return result;
    if (before && cookie_compare(copy->bv_val, before->bv_val) != COOKIE_UNKNOWN) {
        merged = cookie_merge(before->bv_val, copy->bv_val);
        if (merged && strlen(merged) > COOKIE_BYTES) { /* of servers without end */
            free(merged);
            merged = strdup(copy->bv_val);
        }
        ber_bvfree(copy);
        copy = merged ? ber_mem2bv(merged, strlen(merged), 1, NULL) : NULL;
        free(merged);
    }
    if (!copy)
        return fault_nomem(err);
    ber_bvfree(content->cookie);
    content->cookie = copy;
    return PROV_OK;
}

static int
is_older(struct content *content, struct prov_error *err)
{
    content->age = CONTENT_OLDER;
    return fault_set(err, PROV_E_NOTFOUND, "the directory is older than what was heard of it");
}

/* What the cookie at the end of a refresh says of the directory. There is none where nothing has changed since; but not at
 * the end of all of it, unless it is a part: a replica of OpenLDAP has none before it is loaded. */
static int
judge_age(struct content *content, struct berval *cookie, struct prov_error *err)
{
    struct berval *now = NULL;
    enum cookie_age age = COOKIE_UNKNOWN;
    int result = copy_cookie(cookie, &now, err);

    if (result)
        return result;
    if (!now && content->whole)
        return fault_set(
            err, PROV_E_STATE,
            "the directory does not say how far it is, as a replica that is not loaded "
            "yet: what it holds may be a part; see whether it reaches its provider, or name that");
    if (now && content->known)
        age = cookie_compare(now->bv_val, content->known->bv_val);
    ber_bvfree(now);
    if (age == COOKIE_OLDER)
        return is_older(content, err);
    content->age = age == COOKIE_UNKNOWN ? CONTENT_AGE_UNKNOWN : CONTENT_NOT_OLDER;
    return PROV_OK;
}

static int
unknown_gone(struct prov_error *err)
{
    return fault_set(err, PROV_E_NOTFOUND,
                     "the directory does not know any more who is gone since the last time");
}

static int
tell_entry(struct content *content, const struct content_listener *listener, LDAPMessage *message,
           const char *uuid, bool fresh, struct prov_error *err)
{
    struct ldap_entry entry;
    int result = connection_take(&content->connection, message, &content->taken, &entry, err);

    return result ? result : listener->entry(listener->context, &entry, uuid, fresh, err);
}

/* syncStateValue (RFC 4533 2.3). */
static int
hear_entry(struct content *content, LDAPMessage *message, struct prov_error *err)
{
    LDAPControl **controls = NULL, *state_control;
    struct berval uuid = { 0 }, cookie = { 0 };
    BerElement *value = NULL;
    ber_int_t state = -1;
    char text[CONTENT_UUID_SIZE];
    int result = PROV_OK;

    if (ldap_get_entry_controls(content->connection.ldap, message, &controls))
        return unreadable(err);
    state_control = ldap_control_find(LDAP_CONTROL_SYNC_STATE, controls, NULL);
    value = state_control ? ber_init(&state_control->ldctl_value) : NULL;
    if (!value || ber_scanf(value, "{em", &state, &uuid) == LBER_ERROR ||
        !spell_uuid(&uuid, text) ||
        (ber_peek_tag(value, &(ber_len_t){ 0 }) == LDAP_TAG_SYNC_COOKIE &&
         ber_scanf(value, "m", &cookie) == LBER_ERROR))
        result = unreadable(err);
    else if (state == LDAP_SYNC_DELETE)
        result = content->listener.gone(content->listener.context, text, err);
    else if (state == LDAP_SYNC_PRESENT)
        result = unknown_gone(err);
    else
        result =
            tell_entry(content, &content->listener, message, text, state == LDAP_SYNC_ADD, err);
    if (!result)
        result = take_cookie(content, &cookie, err);
    ber_free(value, 1);
    ldap_controls_free(controls);
    return result;
}

static int
end_refresh(struct content *content, struct berval *cookie, struct prov_error *err)
{
    int result;

    if (!content->refreshing)
        return take_cookie(content, cookie, err);
    result = judge_age(content, cookie, err);
    if (result)
        return result;
    content->refreshing = false;
    result = take_cookie(content, cookie, err);
    return result ? result : content->listener.refreshed(content->listener.context, err);
}

/* refreshDelete and refreshPresent: the one knows who is gone, the other one who is there. */
static int
hear_phase(struct content *content, BerElement *value, bool deletes, struct prov_error *err)
{
    struct berval cookie = { 0 };
    ber_int_t done = 1;
    ber_len_t length;

    if (ber_scanf(value, "{") == LBER_ERROR ||
        (ber_peek_tag(value, &length) == LDAP_TAG_SYNC_COOKIE &&
         ber_scanf(value, "m", &cookie) == LBER_ERROR) ||
        (ber_peek_tag(value, &length) == LDAP_TAG_REFRESHDONE &&
         ber_scanf(value, "b", &done) == LBER_ERROR))
        return unreadable(err);
    if (!deletes && !content->whole)
        return unknown_gone(err);
    return done ? end_refresh(content, &cookie, err) : PROV_OK;
}

static int
hear_ids(struct content *content, BerElement *value, struct prov_error *err)
{
    struct berval cookie = { 0 };
    BerVarray uuids = NULL;
    ber_int_t deletes = 0;
    ber_len_t length;
    char text[CONTENT_UUID_SIZE];
    int result = PROV_OK;

    if (ber_scanf(value, "{") == LBER_ERROR ||
        (ber_peek_tag(value, &length) == LDAP_TAG_SYNC_COOKIE &&
         ber_scanf(value, "m", &cookie) == LBER_ERROR) ||
        (ber_peek_tag(value, &length) == LDAP_TAG_REFRESHDELETES &&
         ber_scanf(value, "b", &deletes) == LBER_ERROR) ||
        ber_scanf(value, "[W]", &uuids) == LBER_ERROR)
        return unreadable(err);
    if (!deletes && !content->whole)
        result = unknown_gone(err);
    for (size_t i = 0; deletes && uuids && uuids[i].bv_val && !result; i++) {
        result = spell_uuid(&uuids[i], text)
                     ? content->listener.gone(content->listener.context, text, err)
                     : unreadable(err);
    }
    ber_bvarray_free(uuids);
    return result ? result : take_cookie(content, &cookie, err);
}

/* syncInfoValue (RFC 4533 2.5). */
static int
hear_info(struct content *content, LDAPMessage *message, struct prov_error *err)
{
    struct berval *data = NULL, cookie = { 0 };
    char *oid = NULL;
    BerElement *value = NULL;
    ber_len_t length;
    int result = PROV_OK;

    if (ldap_parse_intermediate(content->connection.ldap, message, &oid, &data, NULL, 0))
        return unreadable(err);
    value = data && oid && !strcmp(oid, LDAP_SYNC_INFO) ? ber_init(data) : NULL;
    switch (value ? ber_peek_tag(value, &length) : LBER_ERROR) {
    case LDAP_TAG_SYNC_NEW_COOKIE:
        result = ber_scanf(value, "tm", &(ber_tag_t){ 0 }, &cookie) == LBER_ERROR
                     ? unreadable(err)
                     : take_cookie(content, &cookie, err);
        break;
    case LDAP_TAG_SYNC_REFRESH_DELETE:
        result = hear_phase(content, value, true, err);
        break;
    case LDAP_TAG_SYNC_REFRESH_PRESENT:
        result = hear_phase(content, value, false, err);
        break;
    case LDAP_TAG_SYNC_ID_SET:
        result = hear_ids(content, value, err);
        break;
    default: /* of another kind, which is none of ours */
        break;
    }
    ber_free(value, 1);
    ber_bvfree(data);
    ldap_memfree(oid);
    return result;
}

/* The search has ended, which the directory does for reasons of its own only. */
static int
hear_end(struct content *content, LDAPMessage *message, struct prov_error *err)
{
    int code = LDAP_SUCCESS;

    if (ldap_parse_result(content->connection.ldap, message, &code, NULL, NULL, NULL, NULL, 0))
        return unreadable(err);
    if (code == LDAP_SYNC_REFRESH_REQUIRED)
        return unknown_gone(err);
    /* as OpenLDAP says it */
    if (code == LDAP_UNWILLING_TO_PERFORM && !content->whole && content->refreshing)
        return is_older(content, err);
    return connection_fail(content->connection.ldap, code, "the directory has ended the search",
                           code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION
                               ? "it needs content synchronization (RFC 4533): OpenLDAP's overlay "
                                 "syncprov"
                               : "check the DN and the filter of the URL, and the rights of "
                                 "--bind-dn",
                           err);
}

static int
hear(struct content *content, LDAPMessage *message, struct prov_error *err)
{
    switch (ldap_msgtype(message)) {
    case LDAP_RES_SEARCH_ENTRY:
        return hear_entry(content, message, err);
    case LDAP_RES_INTERMEDIATE:
        return hear_info(content, message, err);
    case LDAP_RES_SEARCH_REFERENCE:
        return fault_set(err, PROV_E_STATE,
                         "a part of '%.200s' is in another directory; name a DN below which "
                         "everything is on this server",
                         content->connection.url->lud_dn);
    case LDAP_RES_SEARCH_RESULT:
        return hear_end(content, message, err);
    default:
        return PROV_OK;
    }
}

/* Who only listens would not notice that nobody is there any more, that the directory stands still, that the rest of a
 * message does not come, or that the base was renamed, of which OpenLDAP says nothing. */
static int
ask_whether_there(struct content *content, struct prov_error *err)
{
    char nothing[] = LDAP_NO_ATTRS, *attributes[] = { nothing, NULL };
    const struct connection *way = &content->connection;
    const struct connection_search what = { .dn = way->url->lud_dn,
                                            .scope = LDAP_SCOPE_BASE,
                                            .attributes = attributes,
                                            .names_only = true,
                                            .seconds = CONNECTION_ANSWER_S,
                                            .most = 1 };
    LDAPMessage *answer = NULL;
    int code;

    if (clock_us() - content->heard_us < QUIET_S * INT64_C(1000000))
        return PROV_OK;
    code = connection_search(way->ldap, &what, &answer);
    ldap_msgfree(answer);
    content->heard_us = clock_us();
    return LDAP_API_ERROR(code) || code == LDAP_NO_SUCH_OBJECT
               ? connection_fail(way->ldap, code, "the directory is silent, and was asked why",
                                 "check its log, and the DN of the URL", err)
               : PROV_OK;
}

int
content_poll(struct content *content, int seconds, struct prov_error *err)
{
    int result = PROV_OK;

    for (int i = 0; i < POLL_MOST && !result; i++) {
        struct timeval wait = { .tv_sec = i ? 0 : seconds };
        LDAPMessage *message = NULL;
        int type =
            ldap_result(content->connection.ldap, content->message, LDAP_MSG_ONE, &wait, &message);

        if (type == 0)
            break;
        content->heard_us = clock_us();
        result = type < 0 ? connection_fail(content->connection.ldap, LDAP_SERVER_DOWN,
                                            "the connection to the directory is over",
                                            "it is made anew", err)
                          : hear(content, message, err);
        ldap_msgfree(message);
    }
    return result ? result : ask_whether_there(content, err);
}

/* ---- look-up ---- */

/* Whether a look-up by DN failed because the directory cannot answer now. A DN that is none, that names nobody, or
 * that we may not see is nobody's. */
static bool
cannot_tell(int code)
{
    return LDAP_API_ERROR(code) || code == LDAP_BUSY || code == LDAP_UNAVAILABLE ||
           code == LDAP_TIMELIMIT_EXCEEDED;
}

static int
tell_found(struct content *content, const struct content_listener *listener, LDAPMessage *message,
           struct prov_error *err)
{
    static const char name[] = "entryUUID";
    struct berval **values = ldap_get_values_len(content->connection.ldap, message, name);
    int result = PROV_OK;

    if (values && values[0])
        result = tell_entry(content, listener, message, values[0]->bv_val, false, err);
    ldap_value_free_len(values);
    return result;
}

int
content_search(struct content *content, const char *filter, const struct content_listener *instead,
               struct prov_error *err)
{
    const struct connection *way = &content->connection;
    char *both = connection_narrowed(way->filter, filter);
    const struct connection_search what = { .dn = way->url->lud_dn,
                                            .scope = way->url->lud_scope,
                                            .filter = both,
                                            .attributes = way->wanted,
                                            .seconds = CONNECTION_ANSWER_S };
    LDAPMessage *answer = NULL, *message = NULL;
    int result = PROV_OK, code;

    if (!both)
        return fault_nomem(err);
    code = connection_search(way->ldap, &what, &answer);
    free(both);
    if (answer)
        message = ldap_first_entry(way->ldap, answer);
    for (; message && !result; message = ldap_next_entry(way->ldap, message))
        result = tell_found(content, instead ? instead : &content->listener, message, err);
    ldap_msgfree(answer);
    if (result || !code)
        return result;
    result = connection_fail(way->ldap, code, "the directory does not give them all",
                             "raise its limits for --bind-dn, or give it an index", err);
    return cannot_tell(code) && code != LDAP_TIMELIMIT_EXCEEDED && code != LDAP_TIMEOUT
               ? result
               : (err->code = PROV_E_LIMIT);
}

/* Of one attribute of one entry, libldap's; NULL: there are none, or *ret_code says why. */
static struct berval **
values_of(struct content *content, const char *dn, char *name, int *ret_code)
{
    LDAP *ldap = content->connection.ldap;
    char *attributes[] = { name, NULL };
    const struct connection_search what = { .dn = dn,
                                            .scope = LDAP_SCOPE_BASE,
                                            .attributes = attributes,
                                            .seconds = CONNECTION_ANSWER_S,
                                            .most = 1 };
    LDAPMessage *answer = NULL, *entry;
    struct berval **values = NULL;

    *ret_code = connection_search(ldap, &what, &answer);
    entry = *ret_code ? NULL : ldap_first_entry(ldap, answer);
    if (entry)
        values = ldap_get_values_len(ldap, entry, name);
    ldap_msgfree(answer);
    return values;
}

/* Of the naming contexts the one that the base is in; NULL: of none. */
static const char *
context_of(struct berval **contexts, const char *base)
{
    char *plain = entry_plain_dn(base), *one[] = { NULL, NULL };
    const char *found = NULL;

    for (size_t i = 0; plain && contexts && contexts[i]; i++) {
        one[0] = entry_plain_dn(contexts[i]->bv_val);
        if (one[0] && *one[0] && entry_is_below(plain, one) &&
            (!found || strlen(found) < contexts[i]->bv_len))
            found = contexts[i]->bv_val;
        free(one[0]);
    }
    free(plain);
    return found;
}

/* As a cookie has them, heap; NULL: there are none. */
static char *
cookie_of(struct berval **changes)
{
    char *text = NULL;
    size_t size;
    FILE *to = changes && changes[0] ? open_memstream(&text, &size) : NULL;

    for (size_t i = 0; to && changes[i]; i++)
        fprintf(to, "%s%s", i ? ";" : "csn=", changes[i]->bv_val);
    if (to)
        fclose(to);
    return text;
}

void
content_ask_age(struct content *content)
{
    static char naming[] = "namingContexts", newest[] = "contextCSN";
    struct berval **contexts, **changes = NULL;
    enum cookie_age age = COOKIE_UNKNOWN;
    const char *context;
    char *now;
    int code;

    if (content->age != CONTENT_AGE_UNKNOWN || !content->known)
        return;
    contexts = values_of(content, "", naming, &code);
    context = context_of(contexts, content->connection.url->lud_dn);
    if (context)
        changes = values_of(content, context, newest, &code);
    now = cookie_of(changes);
    if (now)
        age = cookie_compare(now, content->known->bv_val);
    if (age != COOKIE_UNKNOWN)
        content->age = age == COOKIE_OLDER ? CONTENT_OLDER : CONTENT_NOT_OLDER;
    free(now);
    ldap_value_free_len(changes);
    ldap_value_free_len(contexts);
}

int
content_uuid_of(struct content *content, const char *dn, char **ret, struct prov_error *err)
{
    static char uuid[] = "entryUUID";
    int code;
    struct berval **values = values_of(content, dn, uuid, &code);

    *ret = NULL;
    if (values && values[0])
        *ret = strndup(values[0]->bv_val, values[0]->bv_len);
    if (values && values[0] && !*ret) {
        ldap_value_free_len(values);
        return fault_nomem(err);
    }
    ldap_value_free_len(values);
    return cannot_tell(code)
               ? connection_fail(content->connection.ldap, code, "a manager cannot be looked up",
                                 "it is tried again", err)
               : PROV_OK;
}
