/* Reads User rows, and the UserLogin rows beside them, by the values of one field: of what was sent without an answer, of accounts that may
 * be adopted, of what is compared for drift. Decides how a question is cut to fit a URL, that one the
 * org refuses is asked again without our fields, and that rows which do not answer the question are
 * not believed: what is read here is written into links. */
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/ascii.h"
#include "plugin/delivery/internal.h"

/* Values in one query; fewer if they do not fit into a URL. */
#define VALUES_MAX 200

/* Always read: every org shows them to whoever may manage users. */
static const char *const basics[] = { "Id", "Username", "IsActive", "CreatedById", "CreatedDate" };

static bool
is_basic(const char *field)
{
    for (size_t i = 0; i < sizeof(basics) / sizeof(basics[0]); i++) {
        if (strcmp(basics[i], field) == 0)
            return true;
    }
    return false;
}

/* Heap, NULL when out of memory. `fields` NULL: the basics, the key and `always` alone. */
static char *
compose(const struct lookup *lookup, size_t first, size_t count, struct json_object *fields)
{
    char *text = NULL;
    size_t size = 0;
    FILE *soql = open_memstream(&text, &size);
    bool failed = false;

    if (!soql)
        return NULL;
    for (size_t i = 0; i < sizeof(basics) / sizeof(basics[0]); i++)
        fprintf(soql, "%s%s", i ? ", " : "SELECT ", basics[i]);
    if (!is_basic(lookup->key))
        fprintf(soql, ", %s", lookup->key);
    if (lookup->always && ascii_compare(lookup->always, lookup->key) != 0)
        fprintf(soql, ", %s", lookup->always);
    if (fields) {
        json_object_object_foreach(fields, field, value)
        {
            (void)value;
            /* a field that stands twice is refused, and case does not matter */
            if (!is_basic(field) && ascii_compare(field, lookup->key) != 0 &&
                !(lookup->always && ascii_compare(field, lookup->always) == 0) &&
                strcmp(field, FROZEN_FIELD) != 0)
                fprintf(soql, ", %s", field);
        }
    }
    fprintf(soql, " FROM User WHERE %s IN (", lookup->key);
    for (size_t i = first; i < first + count && !failed; i++) {
        AUTO_FREE char *quoted = sf_soql_quote(lookup->values[i]);
        failed = !quoted;
        fprintf(soql, "%s%s", i > first ? ", " : "", quoted ? quoted : "");
    }
    fputc(')', soql);
    if (fclose(soql) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- what is believed ---- */

/* Of a value that was asked for. Other keys than these two the org may compare in ways of its own. */
static bool
was_asked_for(const struct lookup *lookup, const char *id, const char *username)
{
    bool by_id = strcmp(lookup->key, "Id") == 0;

    if (!by_id && strcmp(lookup->key, "Username") != 0)
        return true;
    for (size_t i = 0; i < lookup->count; i++) {
        if (by_id ? strcmp(lookup->values[i], id) == 0
                  : username_equal(lookup->values[i], username))
            return true;
    }
    return false;
}

/* NULL, or why this row is no answer. `seen`: the Ids of those before it. */
static const char *
row_fault(const struct lookup *lookup, struct json_object *row, struct json_object *seen)
{
    const char *id = json_get_string(row, "Id"), *username = json_get_string(row, "Username");
    char full[SF_ID_SIZE];

    if (!id || strncmp(id, "005", 3) != 0 || sf_id_normalise(id, full, NULL) ||
        strcmp(id, full) != 0)
        return "a user without a valid Id";
    if (!username || !json_object_is_type(json_get(row, "IsActive"), json_type_boolean))
        return "a user without Username and IsActive";
    if (!was_asked_for(lookup, id, username))
        return "a user who was not asked for";
    return json_get(seen, id) ? "a user twice" : NULL;
}

/* A call whose rows do not fit was not answered. */
static int
check_rows(const struct lookup *lookup, struct json_object *rows, struct sf_call *call)
{
    AUTO_JSON struct json_object *seen = json_object_new_object();

    for (size_t i = 0; seen && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *fault = row_fault(lookup, row, seen);
        if (!fault && json_put_bool(seen, json_get_string(row, "Id"), true))
            return PROV_E_NOMEM;
        if (!fault)
            continue;
        call->outcome = SF_RETRY;
        call->cause = "The answer does not fit the question.";
        call->remedy = "It is tried again. If it lasts, look for a proxy that answers itself.";
        snprintf(call->message, sizeof(call->message), "asked for users, the org answered with %s",
                 fault);
        return PROV_OK;
    }
    return seen ? PROV_OK : PROV_E_NOMEM;
}

static int
append_all(struct json_object *rows, struct json_object *found, struct prov_error *err)
{
    for (size_t i = 0; i < json_object_array_length(found); i++) {
        if (json_append(rows, json_ref(json_object_array_get_idx(found, i))))
            return error_nomem(err);
    }
    return PROV_OK;
}

/* Some of the values, in one query or in halves. */
static int
read_some(struct delivery *d, const struct lookup *lookup, size_t first, size_t count,
          struct json_object *fields, struct json_object *rows, struct sf_call *ret_call,
          struct prov_error *err)
{
    AUTO_FREE char *soql = compose(lookup, first, count, fields);
    AUTO_JSON struct json_object *found = NULL;
    bool too_long;
    int r;

    if (!soql)
        return error_nomem(err);
    too_long = sf_soql_url_bytes(soql) > SF_SOQL_MAX_BYTES;
    if (too_long && count > 1) {
        r = read_some(d, lookup, first, count / 2, fields, rows, ret_call, err);
        if (r || ret_call->outcome != SF_DELIVERED)
            return r;
        return read_some(d, lookup, first + count / 2, count - count / 2, fields, rows, ret_call,
                         err);
    }
    if (too_long && fields)
        return read_some(d, lookup, first, count, NULL, rows, ret_call, err);
    r = sf_query(d->session, soql, SF_CAN_WAIT, &found, ret_call);
    if (r)
        return error_set(err, r, "reading users: %s", ret_call->message);
    if (ret_call->outcome == SF_REFUSED && fields)
        return read_some(d, lookup, first, count, NULL, rows, ret_call, err);
    if (ret_call->outcome == SF_DELIVERED && check_rows(lookup, found, ret_call))
        return error_nomem(err);
    return ret_call->outcome == SF_DELIVERED ? append_all(rows, found, err) : PROV_OK;
}

/* ---- UserLogin ---- */

static char *
compose_logins(const char *const *ids, size_t count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *soql = open_memstream(&text, &size);

    if (!soql)
        return NULL;
    fputs("SELECT Id, UserId, IsFrozen FROM UserLogin WHERE UserId IN (", soql);
    for (size_t i = 0; i < count; i++)
        fprintf(soql, "%s'%s'", i ? "," : "", ids[i]); /* letters and digits, as we keep them */
    fputc(')', soql);
    if (fclose(soql) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool
is_one_of(const char *const *ids, size_t count, const char *id)
{
    for (size_t i = 0; id && i < count; i++) {
        if (strcmp(ids[i], id) == 0)
            return true;
    }
    return false;
}

/* A row that says of nobody who was asked for whether he is frozen makes the answer none. */
static void
check_logins(const char *const *ids, size_t count, struct json_object *rows, struct sf_call *call)
{
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *id = json_get_string(row, "Id");
        char full[SF_ID_SIZE];
        if (id && sf_id_normalise(id, full, NULL) == PROV_OK && strcmp(id, full) == 0 &&
            is_one_of(ids, count, json_get_string(row, "UserId")) &&
            json_object_is_type(json_get(row, "IsFrozen"), json_type_boolean))
            continue;
        call->outcome = SF_RETRY;
        call->cause = "The answer does not fit the question.";
        call->remedy = "It is tried again. If it lasts, look for a proxy that answers itself.";
        snprintf(call->message, sizeof(call->message),
                 "asked for the UserLogin of users, the org answered with something else");
        return;
    }
}

int
lookup_logins(struct delivery *d, const char *const *ids, size_t count, enum sf_urgency urgency,
              struct json_object **ret_rows, struct sf_call *ret_call, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = json_object_new_array();
    int r = rows ? PROV_OK : error_nomem(err);

    *ret_call = (struct sf_call){ .outcome = SF_DELIVERED };
    for (size_t i = 0; !r && ret_call->outcome == SF_DELIVERED && i < count; i += VALUES_MAX) {
        size_t some = count - i < VALUES_MAX ? count - i : VALUES_MAX;
        AUTO_FREE char *soql = compose_logins(ids + i, some);
        AUTO_JSON struct json_object *found = NULL;
        if (!soql)
            return error_nomem(err);
        r = sf_query(d->session, soql, urgency, &found, ret_call);
        if (r)
            return error_set(err, r, "reading UserLogin: %s", ret_call->message);
        if (ret_call->outcome == SF_DELIVERED)
            check_logins(ids + i, some, found, ret_call);
        if (ret_call->outcome == SF_DELIVERED)
            r = append_all(rows, found, err);
    }
    if (!r && ret_call->outcome == SF_DELIVERED)
        *ret_rows = STEAL(rows);
    return r;
}

/* Puts FROZEN_FIELD into the rows of users. Where UserLogin may not be read, or has no row, it is missing,
 * like any other field that is not readable. */
static int
add_frozen(struct delivery *d, struct json_object *rows, struct sf_call *ret_call,
           struct prov_error *err)
{
    size_t count = json_object_array_length(rows);
    AUTO_FREE const char **ids = calloc(count + 1, sizeof(*ids));
    AUTO_JSON struct json_object *logins = NULL;
    int r;

    if (!ids)
        return error_nomem(err);
    if (count == 0)
        return PROV_OK;
    for (size_t i = 0; i < count; i++)
        ids[i] = json_get_string(json_object_array_get_idx(rows, i), "Id");
    r = lookup_logins(d, ids, count, SF_CAN_WAIT, &logins, ret_call, err);
    if (!r && ret_call->outcome == SF_REFUSED)
        *ret_call = (struct sf_call){ .outcome = SF_DELIVERED };
    for (size_t i = 0; !r && logins && i < json_object_array_length(logins); i++) {
        struct json_object *login = json_object_array_get_idx(logins, i);
        for (size_t n = 0; !r && n < count; n++) {
            if (strcmp(ids[n], json_get_string(login, "UserId")) == 0 &&
                json_put(json_object_array_get_idx(rows, n), FROZEN_FIELD,
                         json_ref(json_get(login, "IsFrozen"))))
                r = error_nomem(err);
        }
    }
    return r;
}

int
lookup_users(struct delivery *d, const struct lookup *lookup, struct json_object **ret_rows,
             struct sf_call *ret_call, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = json_object_new_array();
    int r = rows ? PROV_OK : error_nomem(err);

    *ret_call = (struct sf_call){ .outcome = SF_DELIVERED };
    for (size_t i = 0; !r && ret_call->outcome == SF_DELIVERED && i < lookup->count;
         i += VALUES_MAX) {
        size_t left = lookup->count - i;
        r = read_some(d, lookup, i, left < VALUES_MAX ? left : VALUES_MAX, lookup->fields, rows,
                      ret_call, err);
    }
    if (!r && ret_call->outcome == SF_DELIVERED && lookup->fields &&
        json_get(lookup->fields, FROZEN_FIELD))
        r = add_frozen(d, rows, ret_call, err);
    if (!r && ret_call->outcome == SF_DELIVERED)
        *ret_rows = STEAL(rows);
    return r;
}
