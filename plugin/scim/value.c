/*
 * How a value is put into a resource once it is known where: what is merged, appended or replaced,
 * and what else must change with it. Finding the place is patch.c's; nothing here knows of paths.
 *
 * Everything is done in place, on the copy that patch.c made, with copies of the values put in.
 */
#include "plugin/scim/value.h"

#include <string.h>
#include <strings.h>

#include "plugin/scim/bounds.h"
#include "plugin/scim/parts.h"

static const char *const multi_valued[] = {
    "emails", "phoneNumbers", "ims",   "photos",           "addresses",
    "groups", "entitlements", "roles", "x509Certificates",
};

bool
scim_is_multi_valued(const char *name)
{
    for (size_t i = 0; i < sizeof(multi_valued) / sizeof(multi_valued[0]); i++) {
        if (strcasecmp(name, multi_valued[i]) == 0)
            return true;
    }
    return false;
}

/* RFC 7643 4.1.1 and 4.3: one value each, whatever a host wraps it in. */
static const char *const single_valued[] = {
    "userName", "displayName", "nickName",   "title",          "userType",   "preferredLanguage",
    "locale",   "timezone",    "active",     "employeeNumber", "costCenter", "organization",
    "division", "department",  "externalId", "profileUrl",     "name",       "manager",
};

static bool
is_single_valued(const char *name)
{
    for (size_t i = 0; i < sizeof(single_valued) / sizeof(single_valued[0]); i++) {
        if (strcasecmp(name, single_valued[i]) == 0)
            return true;
    }
    return false;
}

/* What a value means for this attribute: Entra ID has sent [{"$ref":null,"value":"x"}] for "x", and
 * an array of one for a manager. */
static struct json_object *
unwrapped(const char *name, struct json_object *value)
{
    if (!is_single_valued(name) || !json_object_is_type(value, json_type_array) ||
        json_object_array_length(value) != 1)
        return value;
    value = json_object_array_get_idx(value, 0);
    if (json_object_is_type(value, json_type_object) && strcasecmp(name, "name") != 0 &&
        strcasecmp(name, "manager") != 0 && json_get_nocase(value, "value", NULL))
        return json_get_nocase(value, "value", NULL);
    return value;
}

/* The name as the object spells it already, else as given. */
static const char *
spelling(struct json_object *object, const char *name)
{
    const char *spelled = name;

    json_get_nocase(object, name, &spelled);
    return spelled;
}

/* Takes over value; NULL is out of memory. */
static int
put(struct json_object *object, const char *name, struct json_object *value, struct prov_error *err)
{
    const char *spelled = NULL;

    if (!value)
        return error_nomem(err);
    json_get_nocase(object, name, &spelled);
    if (!spelled && json_object_object_length(object) >= SCIM_MAX_MEMBERS) {
        json_object_put(value);
        return error_set(err, PROV_E_LIMIT, "there would be more than %d attributes",
                         SCIM_MAX_MEMBERS);
    }
    return json_put(object, spelled ? spelled : name, value) == PROV_OK ? PROV_OK
                                                                        : error_nomem(err);
}

void
scim_value_remove(struct json_object *object, const char *name)
{
    json_object_object_del(object, spelling(object, name));
}

/* A copy; of a flag that came as a string ("False", Entra ID), the boolean that it means. */
static struct json_object *
copy_of(const char *name, struct json_object *value)
{
    struct json_object *copy = NULL;

    if ((strcasecmp(name, "active") == 0 || strcasecmp(name, "primary") == 0) &&
        json_object_is_type(value, json_type_string)) {
        const char *text = json_object_get_string(value);
        if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
            return json_object_new_boolean(strcasecmp(text, "true") == 0);
    }
    return json_object_deep_copy(value, &copy, NULL) == 0 ? copy : NULL;
}

int
scim_value_append(struct json_object *list, struct json_object *element, struct prov_error *err)
{
    if (!element)
        return error_nomem(err);
    if (json_object_array_length(list) >= SCIM_MAX_ELEMENTS) {
        json_object_put(element);
        return error_set(err, PROV_E_LIMIT, "there would be more than %d values",
                         SCIM_MAX_ELEMENTS);
    }
    if (json_object_array_add(list, element) != 0) {
        json_object_put(element);
        return error_nomem(err);
    }
    return PROV_OK;
}

struct json_object *
scim_value_list(struct json_object *object, const char *name)
{
    struct json_object *old = json_get_nocase(object, name, NULL), *list;

    if (json_object_is_type(old, json_type_array))
        return old;
    list = json_object_new_array();
    if (!list || (old && scim_value_append(list, json_ref(old), NULL) != PROV_OK) ||
        json_put(object, spelling(object, name), json_ref(list)) != PROV_OK) {
        json_object_put(list);
        return NULL;
    }
    json_object_put(list); /* the object keeps it */
    return list;
}

struct json_object *
scim_value_blank(struct json_object *list, size_t i)
{
    struct json_object *blank = json_object_new_object();

    if (blank && json_object_array_put_idx(list, i, blank) == 0)
        return blank; /* the list keeps it */
    json_object_put(blank);
    return NULL;
}

struct json_object *
scim_value_complex(struct json_object *list, size_t i)
{
    AUTO_JSON struct json_object *plain = NULL;
    struct json_object *element = json_object_array_get_idx(list, i), *complex;

    if (json_object_is_type(element, json_type_object))
        return element;
    plain = json_ref(element);
    complex = scim_value_blank(list, i);
    if (complex && plain && json_put(complex, "value", json_ref(plain)) != PROV_OK)
        return NULL;
    return complex;
}

int
scim_value_sole_primary(struct json_object *list, size_t i, struct prov_error *err)
{
    struct json_object *element = json_object_array_get_idx(list, i);

    if (!scim_is_true(json_get_nocase(element, "primary", NULL)))
        return PROV_OK;
    for (size_t other = 0; other < json_object_array_length(list); other++) {
        const char *name = "primary";
        element = json_object_array_get_idx(list, other);
        if (other == i || !scim_is_true(json_get_nocase(element, name, &name)))
            continue;
        if (json_put_bool(element, name, false) != PROV_OK)
            return error_nomem(err);
    }
    return PROV_OK;
}

/* One value as an element of this attribute. An element of a core attribute is complex, also where
 * a host sends its `value` alone. */
static int
new_element(const char *name, struct json_object *value, struct json_object **ret,
            struct prov_error *err)
{
    AUTO_JSON struct json_object *element = NULL;
    int result;

    if (json_object_is_type(value, json_type_object) || scim_is_multi_valued(name)) {
        element = json_object_new_object();
        if (!element)
            return error_nomem(err);
        if (json_object_is_type(value, json_type_object))
            result = scim_value_merge(element, value, SCIM_REPLACE, err);
        else
            result = put(element, "value", copy_of("value", value), err);
        if (result != PROV_OK)
            return result;
    } else {
        element = copy_of(name, value);
        if (!element)
            return error_nomem(err);
    }
    *ret = STEAL(element);
    return PROV_OK;
}

/* A list that values are put into. */
struct additions {
    struct json_object *list;
    /* What is in it, as an object of canonical text -> index: looking through a long list for each
     * of many values would take minutes. NULL: whatever comes is appended. */
    struct json_object *known;
    size_t primary; /* index of the last one that was put in as primary; SIZE_MAX: none was */
};

/* Where the list has this element, else where it will be appended. Whether it is primary does not
 * make it another one: an address that becomes primary is not a second address. */
static int
note_element(struct additions *additions, struct json_object *element, size_t next, size_t *ret,
             struct prov_error *err)
{
    AUTO_JSON struct json_object *key = NULL;
    AUTO_FREE char *text = NULL;
    struct json_object *index = NULL;

    if (json_object_is_type(element, json_type_object) &&
        json_object_deep_copy(element, &key, NULL) == 0)
        scim_value_remove(key, "primary");
    text = json_canonical(key ? key : element);
    if (!text)
        return error_nomem(err);
    *ret = next;
    if (json_object_object_get_ex(additions->known, text, &index))
        *ret = (size_t)json_object_get_int64(index);
    else if (json_put_int(additions->known, text, (int64_t)next) != PROV_OK)
        return error_nomem(err);
    return PROV_OK;
}

static int
note_list(struct additions *additions, struct prov_error *err)
{
    int result = PROV_OK;
    size_t place;

    additions->known = json_object_new_object();
    for (size_t i = 0; result == PROV_OK && i < json_object_array_length(additions->list); i++)
        result =
            note_element(additions, json_object_array_get_idx(additions->list, i), i, &place, err);
    return result;
}

/* Appends one value. Of one that the list has, only what is said of `primary` is taken (RFC 7644
 * 3.5.2.1). Nothing and {} say nothing. */
static int
put_element(struct additions *additions, const char *name, struct json_object *value,
            struct prov_error *err)
{
    AUTO_JSON struct json_object *element = NULL;
    size_t end = json_object_array_length(additions->list), place = end;
    struct json_object *primary;
    int result;

    if (!scim_is_present(value))
        return PROV_OK;
    result = new_element(name, value, &element, err);
    if (result != PROV_OK)
        return result;
    if (json_object_is_type(element, json_type_object) && json_object_object_length(element) == 0)
        return PROV_OK;
    if (additions->known)
        result = note_element(additions, element, end, &place, err);
    primary = json_get_nocase(element, "primary", NULL);
    if (result == PROV_OK && scim_is_true(primary))
        additions->primary = place;
    if (result == PROV_OK && place == end)
        result = scim_value_append(additions->list, STEAL(element), err);
    else if (result == PROV_OK && primary)
        result = put(json_object_array_get_idx(additions->list, place), "primary",
                     copy_of("primary", primary), err);
    return result;
}

/* A multi-valued attribute; a single value where an array is meant is taken as one. A list replaced
 * as a whole is the host's own word on what is primary. */
static int
put_values(struct json_object *object, const char *name, struct json_object *value, enum scim_op op,
           struct prov_error *err)
{
    struct additions additions = { .primary = SIZE_MAX };
    AUTO_JSON struct json_object *known = NULL;
    bool several = json_object_is_type(value, json_type_array);
    size_t count = several ? json_object_array_length(value) : 1;
    int result = PROV_OK;

    if (op == SCIM_REPLACE)
        scim_value_remove(object, name);
    additions.list = scim_value_list(object, name);
    if (!additions.list)
        return error_nomem(err);
    if (op == SCIM_ADD)
        result = note_list(&additions, err);
    known = additions.known;
    for (size_t i = 0; result == PROV_OK && i < count; i++)
        result = put_element(&additions, name,
                             several ? json_object_array_get_idx(value, i) : value, err);
    if (result == PROV_OK && op == SCIM_ADD && additions.primary != SIZE_MAX)
        result = scim_value_sole_primary(additions.list, additions.primary, err);
    if (result == PROV_OK && json_object_array_length(additions.list) == 0)
        scim_value_remove(object, name);
    return result;
}

/* Whether a host that names this value means the element: it says nothing that is not true of the
 * element, where null says nothing. */
static bool
is_meant(struct json_object *value, struct json_object *element)
{
    bool says_something = false;

    if (!json_object_is_type(value, json_type_object))
        return value && json_equal(value, scim_element_part(element, "value"));
    json_object_object_foreach(value, name, member)
    {
        if (member && !json_equal(member, scim_element_part(element, name)))
            return false;
        says_something |= member != NULL;
    }
    return says_something;
}

void
scim_value_remove_these(struct json_object *object, const char *name, struct json_object *values)
{
    struct json_object *list = json_get_nocase(object, name, NULL);
    bool several = json_object_is_type(values, json_type_array);

    for (size_t i = json_object_array_length(list); i-- > 0;) {
        struct json_object *element = json_object_array_get_idx(list, i);
        bool meant = !several && is_meant(values, element);
        for (size_t k = 0; several && !meant && k < json_object_array_length(values); k++)
            meant = is_meant(json_object_array_get_idx(values, k), element);
        if (meant)
            json_object_array_del_idx(list, i, 1);
    }
    if (json_object_array_length(list) == 0)
        scim_value_remove(object, name);
}

/* A complex attribute: sub-attributes that are not named stay as they are (RFC 7644 3.5.2.3). */
static int
put_complex(struct json_object *object, const char *name, struct json_object *value,
            enum scim_op op, struct prov_error *err)
{
    struct json_object *complex = json_get_nocase(object, name, NULL);
    int result = PROV_OK;

    if (!json_object_is_type(complex, json_type_object)) {
        complex = json_object_new_object();
        result = put(object, name, complex, err);
    }
    if (result == PROV_OK)
        result = scim_value_merge(complex, value, op, err);
    if (result == PROV_OK && json_object_object_length(complex) == 0)
        scim_value_remove(object, name);
    return result;
}

/* Entra ID sends the manager's id alone, where RFC 7643 4.3 has {"value": id}. */
static int
put_manager(struct json_object *object, const char *name, struct json_object *id,
            struct prov_error *err)
{
    AUTO_JSON struct json_object *manager = json_object_new_object();
    int result;

    if (!manager)
        return error_nomem(err);
    result = put(manager, "value", copy_of("value", id), err);
    return result == PROV_OK ? put_complex(object, name, manager, SCIM_REPLACE, err) : result;
}

int
scim_value_put(struct json_object *object, const char *name, struct json_object *value,
               enum scim_op op, struct prov_error *err)
{
    struct json_object *old = json_get_nocase(object, name, NULL);
    bool was_list = json_object_is_type(old, json_type_array), is_list;

    value = unwrapped(name, value);
    is_list = json_object_is_type(value, json_type_array);
    if (!value || (is_list && json_object_array_length(value) == 0)) {
        if (op == SCIM_REPLACE || !was_list)
            scim_value_remove(object, name);
        return PROV_OK;
    }
    if (was_list || is_list || scim_is_multi_valued(name))
        return put_values(object, name, value, op, err);
    if (json_object_is_type(value, json_type_object))
        return put_complex(object, name, value, op, err);
    if (strcasecmp(name, "manager") == 0 && scim_is_present(value))
        return put_manager(object, name, value, err);
    return put(object, name, copy_of(name, value), err);
}

int
scim_value_put_sub(struct json_object *complex, const char *name, struct json_object *value,
                   enum scim_op op, struct prov_error *err)
{
    /* RFC 7643 2.4: `$ref` points to what `value` names, and a manager's displayName is theirs */
    if (strcasecmp(name, "value") == 0 && json_get_nocase(complex, "$ref", NULL) &&
        !json_equal(json_get_nocase(complex, name, NULL), value)) {
        scim_value_remove(complex, "$ref");
        scim_value_remove(complex, "displayName");
    }
    return scim_value_put(complex, name, value, op, err);
}

int
scim_value_merge(struct json_object *complex, struct json_object *value, enum scim_op op,
                 struct prov_error *err)
{
    const char *first = NULL;
    struct json_object *id = json_get_nocase(value, "value", &first);
    int result = PROV_OK;

    /* first `value`, which may take a $ref away, then the new $ref */
    if (first)
        result = scim_value_put_sub(complex, first, id, op, err);
    json_object_object_foreach(value, name, member)
    {
        if (result == PROV_OK && name != first)
            result = scim_value_put(complex, name, member, op, err);
    }
    return result;
}
