/* From names of profiles and roles to their Ids. All names of a round are asked for together, and
 * what was found is kept, as long as the org answers; what was not is asked for again in the next
 * round that needs it. Who is parked for it is decided by the plan. */
#include "plugin/delivery/org_names.h"

#include <stdio.h>
#include <string.h>

#include "plugin/delivery/internal.h"
#include "plugin/delivery/org_facts.h"
#include "schema/faults.h"
#include "schema/letters.h"
#include "schema/user_fields.h"

/* The objects that fields refer to by name. */
static const struct named {
    const char *object, *word, *prefix;
    bool has_developer_name; /* unique, where the label is not */
} objects[] = {
    { "Profile", "profile", "00e", false },
    { "UserRole", "role", "00E", true },
};

static const struct named *
find_object(const char *object)
{
    return strcmp(object, objects[0].object) == 0 ? &objects[0] : &objects[1];
}

const char *
org_names_word(const char *object)
{
    return find_object(object)->word;
}

/* ---- resolving (pure) ---- */

/* The Id that a value is; false: it is a name. */
static bool
is_id(const struct named *named, const char *value, char ret[SF_ID_SIZE])
{
    struct prov_error ignored = PROV_ERROR_INIT;

    return strncmp(value, named->prefix, 3) == 0 &&
           sf_id_normalise(value, ret, &ignored) == PROV_OK;
}

static int
add_lack(struct pool *pool, struct value **lacks, const char *object, const char *name)
{
    struct value *lack = value_object(pool);

    if (!*lacks)
        *lacks = value_array(pool);
    if (value_append(pool, *lacks, lack) || value_put_text(pool, lack, "object", object))
        return PROV_E_NOMEM;
    return value_put_text(pool, lack, "name", name);
}

static int
resolve(struct pool *pool, struct json_object *names, const struct user_field *field,
        struct value *wanted, struct value **lacks, const char **ret_fault)
{
    const struct named *named = find_object(field->names);
    const char *name = value_get_text(wanted, field->name);
    AUTO_FREE char *key = letters_lower(name);
    struct json_object *known = key ? json_get(json_get(names, field->names), key) : NULL;
    char id[SF_ID_SIZE];

    if (!key)
        return PROV_E_NOMEM;
    if (is_id(named, name, id))
        return value_put_text(pool, wanted, field->name, id);
    if (json_object_is_type(known, json_type_string))
        return value_put_text(pool, wanted, field->name, json_object_get_string(known));
    if (known) {
        *ret_fault = json_get_string(known, "fault");
        return PROV_OK;
    }
    value_remove(wanted, field->name);
    return add_lack(pool, lacks, field->names, name);
}

int
org_names_resolve(struct pool *pool, struct json_object *names, struct value *wanted,
                  struct value **lacks, const char **ret_fault)
{
    const struct user_field *fields;
    size_t count;
    int r = PROV_OK;

    *ret_fault = NULL;
    fields = user_field_all(&count);
    for (size_t i = 0; !r && !*ret_fault && i < count; i++) {
        if (fields[i].names && value_get_text(wanted, fields[i].name))
            r = resolve(pool, names, &fields[i], wanted, lacks, ret_fault);
    }
    return r;
}

void
org_names_forget_missing(struct json_object *names)
{
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        struct json_object *known = json_get(names, objects[i].object);
        if (!known)
            continue;
        json_object_object_foreach(known, name, value)
        {
            if (!json_object_is_type(value, json_type_string))
                json_object_object_del(known, name);
        }
    }
}

/* ---- asking ---- */

/* What is asked of one object. */
struct inquiry {
    struct delivery *delivery;
    const struct named *named;
    struct json_object *known;  /* name in lower case -> Id or fault; borrowed */
    struct json_object *wanted; /* name in lower case -> name, what is not known yet */
    struct sf_call call;
};

static int
find_known(struct inquiry *inquiry, struct prov_error *err)
{
    struct delivery *d = inquiry->delivery;

    if (!d->names && !(d->names = json_object_new_object()))
        return error_nomem(err);
    inquiry->known = json_get(d->names, inquiry->named->object);
    if (inquiry->known)
        return PROV_OK;
    inquiry->known = json_object_new_object();
    return json_put(d->names, inquiry->named->object, inquiry->known) || !inquiry->known
               ? error_nomem(err)
               : PROV_OK;
}

static int
collect_names(struct inquiry *inquiry, const struct round *round, struct prov_error *err)
{
    for (size_t i = 0; i < round->count; i++) {
        struct value *lacks = round->items[i].plan.lacks;
        for (size_t k = 0; k < value_count(lacks); k++) {
            struct value *lack = value_at(lacks, k);
            const char *name = value_get_text(lack, "name");
            AUTO_FREE char *key = letters_lower(name);
            if (!key)
                return error_nomem(err);
            if (strcmp(value_get_text(lack, "object"), inquiry->named->object) == 0 &&
                json_put_string(inquiry->wanted, key, name))
                return error_nomem(err);
        }
    }
    return PROV_OK;
}

/* The query for a list of quoted names. */
static char *
make_query(const struct named *named, const char *list)
{
    return named->has_developer_name
               ? letters_format("SELECT Id, Name, DeveloperName FROM %s WHERE Name IN (%s) OR "
                                "DeveloperName IN (%s)",
                                named->object, list, list)
               : letters_format("SELECT Id, Name FROM %s WHERE Name IN (%s)", named->object, list);
}

static int
put_fault(struct inquiry *inquiry, const char *key, const char *text)
{
    struct json_object *fault = json_object_new_object();

    return json_put(inquiry->known, key, fault) || !fault ? PROV_E_NOMEM
                                                          : json_put_string(fault, "fault", text);
}

/* One name of a row is known now; a label, unless two records share it. A developer name is unique,
 * and wins over labels. */
static int
learn(struct inquiry *inquiry, const char *name, bool is_unique, const char *id)
{
    AUTO_FREE char *key = name ? letters_lower(name) : NULL;
    const char *other;
    char text[300];

    if (!name || !key || !json_get(inquiry->wanted, key))
        return name && !key ? PROV_E_NOMEM : PROV_OK;
    other = json_get_string(inquiry->known, key);
    if (is_unique || !json_get(inquiry->known, key) || (other && strcmp(other, id) == 0))
        return json_put_string(inquiry->known, key, id);
    snprintf(text, sizeof(text), "the org has several %ss called '%s'; give %s instead",
             inquiry->named->word, name,
             inquiry->named->has_developer_name ? "the developer name or the Id" : "the Id");
    error_tidy(text);
    return put_fault(inquiry, key, text);
}

static int
learn_rows(struct inquiry *inquiry, struct json_object *rows, const char *column)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    char id[SF_ID_SIZE];
    int r = PROV_OK;

    for (size_t i = 0; !r && rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *given = json_get_string(row, "Id");
        if (given && sf_id_normalise(given, id, &ignored) == PROV_OK)
            r = learn(inquiry, json_get_string(row, column), strcmp(column, "DeveloperName") == 0,
                      id);
    }
    return r;
}

static int
ask(struct inquiry *inquiry, const char *list, struct prov_error *err)
{
    AUTO_FREE char *soql = make_query(inquiry->named, list);
    AUTO_JSON struct json_object *rows = NULL;

    if (!soql || sf_query(inquiry->delivery->session, soql, &rows, &inquiry->call))
        return error_nomem(err);
    if (inquiry->call.outcome != SF_DELIVERED)
        return PROV_OK;
    if (learn_rows(inquiry, rows, "Name") ||
        (inquiry->named->has_developer_name && learn_rows(inquiry, rows, "DeveloperName")))
        return error_nomem(err);
    return PROV_OK;
}

/* Asks for all wanted names, as many in a query as its URL holds. */
static int
ask_all(struct inquiry *inquiry, struct prov_error *err)
{
    AUTO_FREE char *list = NULL;
    int r = PROV_OK;

    json_object_object_foreach(inquiry->wanted, key, name)
    {
        AUTO_FREE char *quoted = sf_soql_quote(json_object_get_string(name));
        AUTO_FREE char *longer =
            quoted ? letters_format("%s%s%s", list ? list : "", list ? "," : "", quoted) : NULL;
        AUTO_FREE char *soql = longer ? make_query(inquiry->named, longer) : NULL;
        (void)key;
        if (!soql)
            return error_nomem(err);
        if (list && sf_soql_url_bytes(soql) > SF_SOQL_MAX_BYTES) {
            r = ask(inquiry, list, err);
            if (r || inquiry->call.outcome != SF_DELIVERED)
                return r;
            free(STEAL(longer));
            longer = STEAL(quoted);
        }
        free(list);
        list = STEAL(longer);
    }
    return list ? ask(inquiry, list, err) : PROV_OK;
}

/* ---- what is not there ---- */

static int
tell_missing(struct inquiry *inquiry, struct prov_error *err)
{
    AUTO_JSON struct json_object *rows = NULL;
    AUTO_FREE char *soql =
        letters_format("SELECT Name FROM %s ORDER BY Name LIMIT 500", inquiry->named->object);
    bool asked = false;

    json_object_object_foreach(inquiry->wanted, key, name)
    {
        char text[400], nearest[200];
        if (json_get(inquiry->known, key))
            continue;
        /* without an answer the message names no others */
        if (!asked && (!soql || sf_query(inquiry->delivery->session, soql, &rows, &inquiry->call)))
            return error_nomem(err);
        asked = true;
        org_facts_nearest(nearest, sizeof(nearest), rows, json_object_get_string(name));
        snprintf(text, sizeof(text), "there is no %s '%s' in the org%s", inquiry->named->word,
                 json_object_get_string(name), nearest);
        error_tidy(text);
        if (put_fault(inquiry, key, text))
            return error_nomem(err);
    }
    return PROV_OK;
}

/* The org does not tell this kind of object: that concerns those alone who need one of them. */
static int
tell_refused(struct inquiry *inquiry, struct prov_error *err)
{
    json_object_object_foreach(inquiry->wanted, key, name)
    {
        char text[400];
        if (json_get(inquiry->known, key))
            continue;
        snprintf(text, sizeof(text), "%s '%s' cannot be looked up: %s: %s", inquiry->named->word,
                 json_object_get_string(name), inquiry->call.code, inquiry->call.message);
        error_tidy(text);
        if (put_fault(inquiry, key, text))
            return error_nomem(err);
    }
    return PROV_OK;
}

static int
look_up_object(struct round *round, const struct named *named, struct prov_error *err)
{
    AUTO_JSON struct json_object *wanted = json_object_new_object();
    struct inquiry inquiry = { .delivery = round->delivery, .named = named, .wanted = wanted };
    int r = wanted ? find_known(&inquiry, err) : error_nomem(err);

    if (!r)
        r = collect_names(&inquiry, round, err);
    if (r || json_object_object_length(wanted) == 0)
        return r;
    r = ask_all(&inquiry, err);
    if (!r && inquiry.call.outcome == SF_DELIVERED)
        return tell_missing(&inquiry, err);
    if (!r && inquiry.call.outcome == SF_REFUSED)
        return tell_refused(&inquiry, err);
    round->stop = true;
    return r ? r : org_call_failed(round->delivery, &inquiry.call, err);
}

int
org_names_look_up(struct round *round, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && !round->stop && i < sizeof(objects) / sizeof(objects[0]); i++)
        r = look_up_object(round, &objects[i], err);
    return r;
}
