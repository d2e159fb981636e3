/* Decides what is still known of an entry that cannot be read, and which of its values are too many. */
#include "hosts/adapter/unreadable.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"

#define RESOURCE_MAX                                                                               \
    (PROV_EVENT_MAX_BYTES - 8192u) /* the rest is for what an event says beside it */

int
unreadable_entry_read(const struct entry_options *options, const struct ldap_entry *entry,
                      struct entry_person *ret, struct prov_error *err)
{
    struct entry_person person;
    int result = entry_read(options, entry, &person, err);

    if (result)
        return result;
    if (person.resource.length > RESOURCE_MAX) {
        result = fault_set(err, PROV_E_LIMIT,
                           "entry '%.120s' has %zu bytes that are read, and %u is the most; leave "
                           "out what is long with a columns file",
                           entry->dn, person.resource.length, RESOURCE_MAX);
        entry_person_clear(&person);
        return result;
    }
    *ret = person;
    return PROV_OK;
}

bool
unreadable_is(int result)
{
    return result == PROV_E_INVALID || result == PROV_E_LIMIT;
}

/* ---- what can be read ---- */

/* The longest value's attribute is one more gap. False: there is none, or no room. */
static bool
leave_out_longest(const struct entry_options *options, const struct ldap_entry *entry)
{
    struct entry_gaps *gaps = options->gaps;
    const struct column *longest = NULL;
    size_t length = 0;

    for (size_t i = 0; i < entry->count; i++) {
        const struct ldap_value *value = &entry->values[i];
        const struct column *column = columns_find(options->columns, value->name, true);
        bool out = !column || column->left_out || value->length <= length;

        for (size_t j = 0; j < gaps->count && !out; j++)
            out = person_same_attribute(gaps->columns[j], column);
        if (out)
            continue;
        longest = column;
        length = value->length;
    }
    if (!longest || gaps->count == ENTRY_GAPS_MAX)
        return false;
    gaps->columns[gaps->count++] = longest;
    return true;
}

static int
read_part(const struct entry_options *options, const struct ldap_entry *entry,
          struct entry_person *ret, struct prov_error *err)
{
    int result;

    do {
        result = unreadable_entry_read(options, entry, ret, err);
    } while (result == PROV_E_LIMIT && leave_out_longest(options, entry));
    return result;
}

/* ---- what is kept ---- */

/* The object that holds the attribute; NULL: there is none. */
static struct json_object *
holder(struct json_object *resource, const struct column *column)
{
    struct json_object *extension = NULL;

    if (!*column->schema)
        return resource;
    json_object_object_get_ex(resource, column->schema, &extension);
    return extension;
}

static void
keep(struct json_object *resource, struct json_object *known, const struct column *gap)
{
    struct json_object *value = NULL, *to = holder(resource, gap), *schemas = NULL;

    if (!json_object_object_get_ex(holder(known, gap), gap->attribute, &value))
        return;
    if (!to) {
        to = json_object_new_object();
        json_object_object_add(resource, gap->schema, to);
        json_object_object_get_ex(resource, "schemas", &schemas);
        json_object_array_add(schemas, json_object_new_string(gap->schema));
    }
    json_object_object_add(to, gap->attribute, json_object_get(value));
}

/* Any value that locks the account counts, whatever the others are. */
static int
fill_gaps(const struct entry_gaps *gaps, bool inactive, const char *known,
          struct person_resource *resource, struct prov_error *err)
{
    struct json_object *json = json_tokener_parse(resource->json);
    struct json_object *before = json_tokener_parse(known);
    char *text = NULL;

    for (size_t i = 0; i < gaps->count && json; i++)
        keep(json, before, gaps->columns[i]);
    if (inactive && json)
        json_object_object_add(json, "active", json_object_new_boolean(false));
    if (json)
        text = strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
    json_object_put(json);
    json_object_put(before);
    if (!text)
        return fault_nomem(err);
    free(resource->json);
    resource->json = text;
    resource->length = strlen(text);
    resource->inactive = inactive;
    return PROV_OK;
}

static int
complete(const struct unreadable_source *source, const struct entry_options *options,
         const struct ldap_entry *entry, struct entry_person *person, bool *ret_known,
         struct prov_error *err)
{
    bool inactive = entry_is_inactive(options->columns, entry);
    char *known = NULL;
    int result = source->known(source->context, person->uri, &known, err);

    if (!result && known)
        result = fill_gaps(options->gaps, inactive, known, &person->resource, err);
    *ret_known = !result && known;
    free(known);
    return result;
}

int
unreadable_complete(const struct unreadable_source *source, const struct entry_options *options,
                    const struct ldap_entry *entry, struct entry_person *ret, bool *ret_known,
                    struct prov_error *err)
{
    struct prov_error why = { .size = sizeof(why) };
    struct entry_gaps gaps = { .count = 0 };
    struct entry_options tolerant = *options;
    int result;

    *ret_known = false;
    tolerant.gaps = &gaps;
    result = read_part(&tolerant, entry, ret, &why);
    if (unreadable_is(result))
        return PROV_OK; /* not even who they are */
    if (!result) {
        result = complete(source, &tolerant, entry, ret, ret_known, &why);
        if (!*ret_known)
            entry_person_clear(ret);
    }
    if (result)
        *err = why;
    return result;
}

int
unreadable_list(const struct unreadable_source *source, const struct entry_options *options,
                const struct ldap_entry *entry, const struct person_listed *listed,
                int (*add)(void *context, const struct person_listed *listed,
                           struct prov_error *err),
                void *context, struct prov_error *err)
{
    struct entry_person person;
    struct person_listed whole = *listed, bare = *listed;
    bool known = false;
    int result = unreadable_complete(source, options, entry, &person, &known, err);

    whole.unreadable = true;
    bare.inactive = entry_is_inactive(options->columns, entry);
    if (!result && known) {
        whole.resource = person.resource.json;
        result = add(context, &whole, err);
        entry_person_clear(&person);
    }
    return (!result && known) || (result && !unreadable_is(result)) ? result
                                                                    : add(context, &bare, err);
}
