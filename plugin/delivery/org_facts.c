/* Reads the describe of User (fact sheet 2.6): which fields there are, and which values they take. Pure. */
#include "plugin/delivery/org_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/base/error.h"
#include "plugin/delivery/codes.h"
#include "schema/faults.h"
#include "schema/letters.h"

#define NEAREST 3
#define FEW     20 /* names */

struct json_object *
org_facts_described(struct json_object *describe, const char *name)
{
    struct json_object *fields = json_get(describe, "fields");

    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        struct json_object *field = json_object_array_get_idx(fields, i);
        const char *there = json_get_string(field, "name");
        if (there && ascii_compare(there, name) == 0)
            return field;
    }
    return NULL;
}

int
org_facts_choices(struct json_object *field, struct json_object **ret)
{
    struct json_object *values = json_get(field, "picklistValues");
    AUTO_JSON struct json_object *choices = json_object_new_array();
    size_t count =
        json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;

    if (!choices)
        return PROV_E_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct json_object *value = json_object_array_get_idx(values, i);
        const char *text = json_get_string(value, "value");
        if (text && json_get_bool(value, "active", true) && json_append_string(choices, text))
            return PROV_E_NOMEM;
    }
    *ret = STEAL(choices);
    return PROV_OK;
}

bool
org_facts_is_choice(struct json_object *choices, const char *value)
{
    for (size_t i = 0; i < json_object_array_length(choices); i++) {
        if (ascii_compare(json_object_get_string(json_object_array_get_idx(choices, i)), value) ==
            0)
            return true;
    }
    return false;
}

void
org_facts_nearest(char *ret, size_t room, struct json_object *there, const char *word)
{
    const char *chosen[NEAREST] = { NULL };
    size_t count = there ? json_object_array_length(there) : 0, length = 0;

    *ret = '\0';
    for (size_t n = 0; n < NEAREST && n < count; n++) {
        struct nearest nearest = { .word = word };
        for (size_t i = 0; i < count; i++) {
            struct json_object *item = json_object_array_get_idx(there, i);
            const char *name = json_object_is_type(item, json_type_string)
                                   ? json_object_get_string(item)
                                   : json_get_string(item, "Name");
            bool taken = !name;
            for (size_t k = 0; !taken && k < n; k++)
                taken = chosen[k] && strcmp(chosen[k], name) == 0;
            if (!taken)
                nearest_offer(&nearest, name);
        }
        /* what is far is no help, unless it tells what kind of names there are */
        if (nearest.distance > strlen(word) / 2 && (n > 0 || count > FEW))
            break;
        chosen[n] = nearest.best;
        if (nearest.best && length < room)
            length += (size_t)snprintf(ret + length, room - length, "%s '%s'",
                                       n ? "," : "; the nearest are", nearest.best);
    }
    error_tidy(ret);
}

struct json_object *
org_facts_names(struct json_object *describe)
{
    struct json_object *fields = json_get(describe, "fields");
    AUTO_JSON struct json_object *names = json_object_new_array();

    for (size_t i = 0; names && i < json_object_array_length(fields); i++) {
        const char *name = json_get_string(json_object_array_get_idx(fields, i), "name");
        if (name && json_append_string(names, name))
            return NULL;
    }
    return STEAL(names);
}

/* ---- one record ---- */

static const char *const codes[] = { CODE_NO_FIELD, CODE_NOT_WRITABLE, CODE_TOO_LONG,
                                     CODE_NO_CHOICE };

const char *const *
org_facts_codes(size_t *ret_count)
{
    *ret_count = sizeof(codes) / sizeof(codes[0]);
    return codes;
}

static bool
no_field(struct json_object *describe, const char *name, struct facts_fault *ret)
{
    AUTO_JSON struct json_object *names = org_facts_names(describe);
    char nearest[200];

    org_facts_nearest(nearest, sizeof(nearest), names, name);
    ret->code = CODE_NO_FIELD;
    snprintf(ret->text, sizeof(ret->text), "User has no field '%s', or hides it%s", name, nearest);
    return true;
}

/* A field, found by its name, and the value of its list that was seen last: most users have the same. */
struct facts_field {
    const char *name;
    struct json_object *field;
    char good[64];
};

struct facts_index {
    struct json_object *describe;
    size_t count;
    struct facts_field list[];
};

static int
by_name(const void *a, const void *b)
{
    return ascii_compare(((const struct facts_field *)a)->name,
                         ((const struct facts_field *)b)->name);
}

struct facts_index *
org_facts_index(struct json_object *describe)
{
    struct json_object *fields = json_get(describe, "fields");
    size_t count = fields ? json_object_array_length(fields) : 0;
    struct facts_index *index = calloc(1, sizeof(*index) + count * sizeof(index->list[0]));

    for (size_t i = 0; index && i < count; i++) {
        struct json_object *field = json_object_array_get_idx(fields, i);
        const char *name = json_get_string(field, "name");
        if (name)
            index->list[index->count++] = (struct facts_field){ .name = name, .field = field };
    }
    if (!index)
        return NULL;
    index->describe = describe;
    qsort(index->list, index->count, sizeof(index->list[0]), by_name);
    return index;
}

/* Without a copy of the list, which may have hundreds. */
static bool
has_choice(struct json_object *field, const char *value)
{
    struct json_object *values = json_get(field, "picklistValues");
    size_t count =
        json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *choice = json_object_array_get_idx(values, i);
        const char *text = json_get_string(choice, "value");
        if (text && ascii_compare(text, value) == 0 && json_get_bool(choice, "active", true))
            return true;
    }
    return false;
}

static bool
is_wrong_choice(struct facts_field *known, const char *name, const char *value,
                struct facts_fault *ret)
{
    struct json_object *field = known->field;
    AUTO_JSON struct json_object *choices = NULL;
    char nearest[200];

    if (known->good[0] && strcmp(known->good, value) == 0)
        return false;
    if (has_choice(field, value)) {
        if (strlen(value) < sizeof(known->good))
            snprintf(known->good, sizeof(known->good), "%s", value);
        return false;
    }
    if (org_facts_choices(field, &choices) || json_object_array_length(choices) == 0)
        return false;
    org_facts_nearest(nearest, sizeof(nearest), choices, value);
    ret->code = CODE_NO_CHOICE;
    snprintf(ret->text, sizeof(ret->text), "%s: '%.100s' is not in the list of the field%s", name,
             value, nearest);
    return true;
}

static bool
is_fault(struct facts_field *known, const struct member *member, bool creating,
         struct facts_fault *ret)
{
    struct json_object *field = known->field;
    const char *type = json_get_string(field, "type"), *text = value_text(member->value);
    const char *name = member->name;
    int64_t length = json_get_int(field, "length", 0);

    if (!json_get_bool(field, creating ? "createable" : "updateable", true)) {
        ret->code = CODE_NOT_WRITABLE;
        snprintf(ret->text, sizeof(ret->text), "%s cannot be written by the execution user", name);
        return true;
    }
    if (!text || !type || strcmp(type, "reference") == 0)
        return false;
    if (strcmp(type, "picklist") == 0)
        return json_get_bool(field, "restrictedPicklist", false) &&
               is_wrong_choice(known, name, text, ret);
    if (length <= 0 || strcmp(type, "multipicklist") == 0 || (int64_t)letters_units(text) <= length)
        return false;
    ret->code = CODE_TOO_LONG;
    snprintf(ret->text, sizeof(ret->text),
             "%s: the value has %zu characters, and the field takes %lld", name,
             letters_units(text), (long long)length);
    return true;
}

bool
org_facts_fault(struct facts_index *index, const struct value *fields, bool creating,
                struct facts_fault *ret)
{
    *ret = (struct facts_fault){ .code = NULL };
    if (!index->count)
        return false;
    VALUE_EACH(fields, member)
    {
        const struct facts_field wanted = { .name = member->name };
        struct facts_field *known;
        /* not a field of User; not sent */
        if (strchr(member->name, '.') || (!member->value && creating))
            continue;
        known = bsearch(&wanted, index->list, index->count, sizeof(wanted), by_name);
        if (!known ? no_field(index->describe, member->name, ret)
                   : is_fault(known, member, creating, ret)) {
            error_tidy(ret->text);
            return true;
        }
    }
    return false;
}

/* ---- what is kept ---- */

static struct json_object *
trim_field(struct json_object *field)
{
    static const char *const kept[] = { "name",       "type",       "length",
                                        "createable", "updateable", "restrictedPicklist" };
    AUTO_JSON struct json_object *result = json_object_new_object();
    AUTO_JSON struct json_object *choices = NULL;
    struct json_object *values;

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        struct json_object *value = json_get(field, kept[i]);
        if (value && json_put(result, kept[i], json_ref(value)))
            return NULL;
    }
    if (!result || org_facts_choices(field, &choices))
        return NULL;
    if (json_object_array_length(choices) == 0)
        return STEAL(result);
    values = json_object_new_array();
    if (json_put(result, "picklistValues", values))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(choices); i++) {
        struct json_object *value = json_object_new_object();
        if (json_append(values, value) ||
            json_put_string(value, "value",
                            json_object_get_string(json_object_array_get_idx(choices, i))))
            return NULL;
    }
    return STEAL(result);
}

struct json_object *
org_facts_trim(struct json_object *describe)
{
    struct json_object *fields = json_get(describe, "fields"), *list = json_object_new_array();
    AUTO_JSON struct json_object *result = json_object_new_object();

    if (json_put(result, "fields", list) || !list)
        return NULL;
    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        struct json_object *field = trim_field(json_object_array_get_idx(fields, i));
        if (!field || json_append(list, field))
            return NULL;
    }
    return STEAL(result);
}
