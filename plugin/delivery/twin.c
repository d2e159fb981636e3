/* Whether another store has made accounts of our users: two hosts, or a host and a tool, that name two
 * stores for one org by mistake each make their own accounts. What shows it is an account of our
 * issuer's, or of our own making, that this store knows nothing of. */
#include <stdio.h>
#include <string.h>

#include "plugin/delivery/internal.h"

/* Accounts looked at: the newest, since a store that is at work now makes such. */
#define NEWEST 200

const char twin_cause[] =
    "another sfprov store has made it: a second host or tool names another path in the field "
    "`store`; or this store was begun anew, or restored from an older backup";

char *
twin_remedy(const struct delivery *d)
{
    char *text = NULL;

    return asprintf(&text,
                    "is '%s' the right store? If not, name the right one in every fields file; if "
                    "it is, set the field `match` so that such accounts are adopted, then retry",
                    store_path(d->store)) < 0
               ? NULL
               : text;
}

/* Whether the correlation field of a row names a user of this issuer. */
static bool
names_issuer(const struct delivery *d, struct json_object *row, const char *issuer)
{
    const char *field = d->fields->correlation_field;
    const char *there = field ? json_get_string(row, field) : NULL;
    size_t length = strlen(issuer);

    return there && strncmp(there, issuer, length) == 0 && there[length] == '#';
}

int
twin_judge(struct delivery *d, const struct subject *subject, struct json_object *row, bool *ret,
           struct prov_error *err)
{
    const char *creator = json_get_string(row, "CreatedById");
    int64_t holder = 0;
    int r;

    *ret = false;
    if (!names_issuer(d, row, subject->iss) && (!creator || strcmp(creator, d->user_id) != 0))
        return PROV_OK;
    r = store_id_holder(d->store, json_get_string(row, "Id"), 0, &holder, err);
    *ret = !r && holder == 0;
    return r;
}

/* A literal for LIKE that finds what begins with "ISSUER#". Heap. */
static char *
like_issuer(const char *issuer)
{
    AUTO_FREE char *plain = NULL;
    AUTO_FREE char *quoted = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out;

    if (asprintf(&plain, "%s#", issuer) < 0 || !(quoted = sf_soql_quote(plain)) ||
        !(out = open_memstream(&text, &size)))
        return NULL;
    quoted[strlen(quoted) - 1] = '\0'; /* its closing quote */
    for (const char *at = quoted; *at; at++)
        fprintf(out, "%s%c", *at == '%' || *at == '_' ? "\\" : "", *at);
    fputs("%'", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* The first of these accounts that the store does not know; NULL: it knows all. Borrowed. */
static int
find_unknown(struct delivery *d, struct json_object *rows, struct json_object **ret,
             struct prov_error *err)
{
    bool exists = store_exists(d->store); /* a look makes none */
    int r = PROV_OK;

    *ret = NULL;
    for (size_t i = 0; !r && !*ret && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *id = json_get_string(row, "Id");
        int64_t holder = 0;
        if (exists && id)
            r = store_id_holder(d->store, id, 0, &holder, err);
        if (!r && id && holder == 0)
            *ret = row;
    }
    return r;
}

int
twin_find(struct delivery *d, char **ret_seen, struct sf_call *ret_call, struct prov_error *err)
{
    const char *field = d->fields->correlation_field, *issuer = d->fields->issuer;
    AUTO_FREE char *like = issuer ? like_issuer(issuer) : NULL;
    AUTO_JSON struct json_object *rows = NULL;
    AUTO_FREE char *soql = NULL;
    struct json_object *row = NULL;
    int r;

    *ret_seen = NULL;
    *ret_call = (struct sf_call){ .outcome = SF_DELIVERED };
    if (!field || !issuer)
        return PROV_OK;
    if (!like || asprintf(&soql,
                          "SELECT Id, Username, %s FROM User WHERE %s LIKE %s"
                          " ORDER BY CreatedDate DESC LIMIT %d",
                          field, field, like, NEWEST) < 0)
        return error_nomem(err);
    r = sf_query(d->session, soql, SF_CAN_WAIT, &rows, ret_call);
    if (r)
        return error_set(err, r, "reading users: %s", ret_call->message);
    if (ret_call->outcome != SF_DELIVERED)
        return PROV_OK;
    r = find_unknown(d, rows, &row, err);
    if (!r && row &&
        asprintf(ret_seen, "account %s (%s) has %s '%s', and the store '%s' knows nothing of it",
                 json_get_string(row, "Id"), json_get_string(row, "Username"), field,
                 json_get_string(row, field), store_path(d->store)) < 0)
        return error_nomem(err);
    return r;
}
