/* Reads User rows by the values of one field: of what was sent without an answer, of accounts that may
 * be adopted, of what is compared for drift. Decides how a question is cut to fit a URL, and that one
 * the org refuses is asked again without our fields. */
#include <stdio.h>
#include <string.h>

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

/* Heap, NULL when out of memory. `fields` NULL: the basics and the key alone. */
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
    if (fields) {
        json_object_object_foreach(fields, field, value)
        {
            (void)value;
            if (!is_basic(field) && strcmp(field, lookup->key) != 0)
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
    r = sf_query(d->session, soql, &found, ret_call);
    if (r)
        return error_set(err, r, "reading users: %s", ret_call->message);
    if (ret_call->outcome == SF_REFUSED && fields)
        return read_some(d, lookup, first, count, NULL, rows, ret_call, err);
    return ret_call->outcome == SF_DELIVERED ? append_all(rows, found, err) : PROV_OK;
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
    if (!r && ret_call->outcome == SF_DELIVERED)
        *ret_rows = STEAL(rows);
    return r;
}
