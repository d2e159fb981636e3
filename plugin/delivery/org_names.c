/* From names of profiles and roles to their Ids, by the lists that facts.c keeps. What was found serves until the
 * lists do not; for what was not they are read anew, in each round that needs it. Who is parked for it is decided
 * by the plan. */
#include "plugin/delivery/org_names.h"

#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/internal.h"
#include "plugin/delivery/org_facts.h"
#include "schema/faults.h"
#include "schema/letters.h"
#include "schema/user_fields.h"

/* The objects that fields refer to by name. */
static const struct named {
    const char *object, *word, *prefix;
    bool has_developer_name; /* unique, where the label is not */
    enum facts_list list;
} objects[] = {
    { "Profile", "profile", "00e", false, FACTS_PROFILES },
    { "UserRole", "role", "00E", true, FACTS_ROLES },
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

void
org_names_drop(struct delivery *d)
{
    json_object_put(STEAL(d->names));
    d->profile = (struct org_profile){ 0 };
}

/* ---- finding in the org's lists (pure) ---- */

static bool
same_id(struct json_object *row, const char *id)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    const char *given = json_get_string(row, "Id");
    char there[SF_ID_SIZE];

    return given && sf_id_normalise(given, there, &ignored) == PROV_OK && strcmp(there, id) == 0;
}

/* The row of a name or an Id; NULL: none. A developer name is unique, and wins over labels; *ret_several: a label
 * that several records share. */
static struct json_object *
find_row(const struct named *named, struct json_object *rows, const char *name, bool *ret_several)
{
    struct json_object *labelled = NULL;
    char id[SF_ID_SIZE];
    bool by_id = is_id(named, name, id);

    *ret_several = false;
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *unique = json_get_string(row, "DeveloperName");
        const char *label = json_get_string(row, "Name");
        if ((by_id && same_id(row, id)) || (unique && letters_same(unique, name))) {
            *ret_several = false;
            return row;
        }
        if (!label || !letters_same(label, name))
            continue;
        *ret_several = labelled != NULL;
        labelled = row;
    }
    return labelled;
}

static int
put_fault(struct json_object *known, const char *key, const char *text)
{
    struct json_object *fault = json_object_new_object();

    return json_put(known, key, fault) || !fault ? PROV_E_NOMEM
                                                 : json_put_string(fault, "fault", text);
}

/* The Id of a name, or why it has none, into `known`. */
static int
learn(struct json_object *known, const struct named *named, struct json_object *rows,
      const char *key, const char *name)
{
    struct prov_error ignored = PROV_ERROR_INIT;
    char id[SF_ID_SIZE], text[400], nearest[200];
    bool several;
    struct json_object *row = find_row(named, rows, name, &several);
    const char *given = json_get_string(row, "Id");

    if (row && !several && given && strncmp(given, named->prefix, 3) == 0 &&
        sf_id_normalise(given, id, &ignored) == PROV_OK)
        return json_put_string(known, key, id);
    if (several) {
        snprintf(text, sizeof(text), "the org has several %ss called '%s'; give %s instead",
                 named->word, name,
                 named->has_developer_name ? "the developer name or the Id" : "the Id");
    } else if (row) {
        snprintf(text, sizeof(text), "the org answered with an id for %s '%s' that is none",
                 named->word, name);
    } else {
        org_facts_nearest(nearest, sizeof(nearest), rows, name);
        snprintf(text, sizeof(text), "there is no %s '%s' in the org%s", named->word, name,
                 nearest);
    }
    error_tidy(text);
    return put_fault(known, key, text);
}

int
org_names_learn(struct json_object *known, const char *object, struct json_object *wanted,
                struct json_object *rows, bool *ret_missing)
{
    const struct named *named = find_object(object);

    *ret_missing = false;
    json_object_object_foreach(wanted, key, name)
    {
        if (learn(known, named, rows, key, json_object_get_string(name)))
            return PROV_E_NOMEM;
        *ret_missing = *ret_missing || !json_object_is_type(json_get(known, key), json_type_string);
    }
    return PROV_OK;
}

/* ---- asking ---- */

/* The org does not tell this kind of object: that concerns those alone who need one of them. */
static int
tell_refused(struct json_object *known, const struct named *named, struct json_object *wanted,
             const struct sf_call *call)
{
    json_object_object_foreach(wanted, key, name)
    {
        char text[400];
        if (json_object_is_type(json_get(known, key), json_type_string))
            continue;
        snprintf(text, sizeof(text), "%s '%s' cannot be looked up: %s: %s", named->word,
                 json_object_get_string(name), call->code, call->message);
        error_tidy(text);
        if (put_fault(known, key, text))
            return PROV_E_NOMEM;
    }
    return PROV_OK;
}

/* By name in lower case, what is known of an object; borrowed. NULL when out of memory. */
static struct json_object *
known_of(struct delivery *d, const char *object)
{
    if (!d->names && !(d->names = json_object_new_object()))
        return NULL;
    if (!json_get(d->names, object) && json_put(d->names, object, json_object_new_object()))
        return NULL;
    return json_get(d->names, object);
}

int
org_names_want(struct json_object *wanted, const char *name)
{
    AUTO_FREE char *key = letters_lower(name);

    return key ? json_put_string(wanted, key, name) : PROV_E_NOMEM;
}

int
org_names_ask(struct delivery *d, const char *object, struct json_object *wanted, int64_t since_us,
              struct sf_call *ret_call, struct prov_error *err)
{
    const struct named *named = find_object(object);
    struct json_object *known = known_of(d, object), *rows;
    int64_t begun_us = clock_now_us();
    bool missing = true;
    int r = known ? PROV_OK : error_nomem(err);

    /* whom the kept ones have not may have come since */
    for (int pass = 0; !r && missing && pass < 2; pass++) {
        r = facts_list(d, named->list, pass ? begun_us : since_us, &rows, ret_call, err);
        if (r || ret_call->outcome != SF_DELIVERED)
            break;
        if (org_names_learn(known, object, wanted, rows, &missing))
            r = error_nomem(err);
    }
    if (!r && ret_call->outcome == SF_REFUSED && tell_refused(known, named, wanted, ret_call))
        r = error_nomem(err);
    return r;
}

static int
collect_names(struct json_object *wanted, const struct named *named, const struct round *round)
{
    for (size_t i = 0; i < round->count; i++) {
        struct value *lacks = round->items[i].plan.lacks;
        for (size_t k = 0; k < value_count(lacks); k++) {
            struct value *lack = value_at(lacks, k);
            if (strcmp(value_get_text(lack, "object"), named->object) == 0 &&
                org_names_want(wanted, value_get_text(lack, "name")))
                return PROV_E_NOMEM;
        }
    }
    return PROV_OK;
}

static int
look_up_object(struct round *round, const struct named *named, struct prov_error *err)
{
    AUTO_JSON struct json_object *wanted = json_object_new_object();
    struct sf_call call = { 0 };
    int r;

    if (!wanted || collect_names(wanted, named, round))
        return error_nomem(err);
    if (json_object_object_length(wanted) == 0)
        return PROV_OK;
    r = org_names_ask(round->delivery, named->object, wanted, clock_now_us() - FACTS_OLD_US, &call,
                      err);
    if (r || call.outcome == SF_DELIVERED || call.outcome == SF_REFUSED)
        return r;
    round->stop = true;
    return org_call_failed(round->delivery, &call, err);
}

int
org_names_look_up(struct round *round, struct prov_error *err)
{
    int r = PROV_OK;

    for (size_t i = 0; !r && !round->stop && i < sizeof(objects) / sizeof(objects[0]); i++)
        r = look_up_object(round, &objects[i], err);
    return r;
}
