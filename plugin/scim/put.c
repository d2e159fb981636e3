/*
 * How a value is put into a resource once it is known where: what is merged, appended or replaced,
 * and what else must change with it. Finding the place is patch.c's; nothing here knows of paths.
 *
 * Everything is done in place, on the copy that patch.c made, with copies of the values put in.
 */
#include "plugin/scim/put.h"

#include <string.h>

#include "plugin/base/ascii.h"
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
        if (ascii_compare(name, multi_valued[i]) == 0)
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
        if (ascii_compare(name, single_valued[i]) == 0)
            return true;
    }
    return false;
}

/* What a value means for this attribute: Entra ID has sent [{"$ref":null,"value":"x"}] for "x", and
 * an array of one for a manager. */
static struct value *
unwrapped(const char *name, struct value *value)
{
    if (!is_single_valued(name) || !value_is(value, VALUE_ARRAY) || value_count(value) != 1)
        return value;
    value = value_at(value, 0);
    if (value_is(value, VALUE_OBJECT) && ascii_compare(name, "name") != 0 &&
        ascii_compare(name, "manager") != 0 && value_get_nocase(value, "value"))
        return value_get_nocase(value, "value");
    return value;
}

/* NULL is out of memory. A name that the object has already keeps its spelling. */
static int
put(struct pool *pool, struct value *object, const char *name, struct value *value,
    struct prov_error *err)
{
    struct member *member = value_find_nocase(object, name);

    if (!value)
        return error_nomem(err);
    if (member) {
        member->value = value;
        return PROV_OK;
    }
    if (value_count(object) >= SCIM_MAX_MEMBERS)
        return error_set(err, PROV_E_LIMIT, "there would be more than %d attributes",
                         SCIM_MAX_MEMBERS);
    return value_put(pool, object, name, value) == PROV_OK ? PROV_OK : error_nomem(err);
}

void
scim_value_remove(struct value *object, const char *name)
{
    struct member *member = value_find_nocase(object, name);

    if (member)
        value_remove(object, member->name);
}

/* A copy; of a flag that came as a string ("False", Entra ID), the boolean that it means. */
static struct value *
copy_of(struct pool *pool, const char *name, struct value *value)
{
    struct value *copy = NULL;

    if ((ascii_compare(name, "active") == 0 || ascii_compare(name, "primary") == 0) &&
        value_is(value, VALUE_TEXT)) {
        const char *text = value_text(value);
        if (ascii_compare(text, "true") == 0 || ascii_compare(text, "false") == 0)
            return value_boolean(ascii_compare(text, "true") == 0);
    }
    return value_copy(pool, value, &copy) == PROV_OK ? copy : NULL;
}

int
scim_value_append(struct pool *pool, struct value *list, struct value *element,
                  struct prov_error *err)
{
    if (!element)
        return error_nomem(err);
    if (value_count(list) >= SCIM_MAX_ELEMENTS)
        return error_set(err, PROV_E_LIMIT, "there would be more than %d values",
                         SCIM_MAX_ELEMENTS);
    return value_append(pool, list, element) == PROV_OK ? PROV_OK : error_nomem(err);
}

struct value *
scim_value_list(struct pool *pool, struct value *object, const char *name)
{
    struct member *member = value_find_nocase(object, name);
    struct value *old = member ? member->value : NULL, *list;

    if (value_is(old, VALUE_ARRAY))
        return old;
    list = value_array(pool);
    if (!list || (old && value_append(pool, list, old) != PROV_OK))
        return NULL;
    return put(pool, object, name, list, NULL) == PROV_OK ? list : NULL;
}

struct value *
scim_value_blank(struct pool *pool, struct value *list, size_t i)
{
    struct value *blank = value_object(pool);

    if (blank && i == value_count(list))
        return value_append(pool, list, blank) == PROV_OK ? blank : NULL;
    if (blank)
        list->elements[i] = blank;
    return blank;
}

struct value *
scim_value_complex(struct pool *pool, struct value *list, size_t i)
{
    struct value *element = value_at(list, i), *complex;

    if (value_is(element, VALUE_OBJECT))
        return element;
    complex = scim_value_blank(pool, list, i);
    if (complex && element && value_put(pool, complex, "value", element) != PROV_OK)
        return NULL;
    return complex;
}

void
scim_value_sole_primary(struct value *list, size_t i)
{
    if (!scim_is_true(value_get_nocase(value_at(list, i), "primary")))
        return;
    for (size_t other = 0; other < value_count(list); other++) {
        struct member *primary = value_find_nocase(value_at(list, other), "primary");
        if (other != i && primary && scim_is_true(primary->value))
            primary->value = value_boolean(false);
    }
}

/* One value as an element of this attribute. An element of a core attribute is complex, also where
 * a host sends its `value` alone. */
static int
new_element(struct pool *pool, const char *name, struct value *value, struct value **ret,
            struct prov_error *err)
{
    struct value *element = NULL;
    int result;

    if (value_is(value, VALUE_OBJECT) || scim_is_multi_valued(name)) {
        element = value_object(pool);
        if (!element)
            return error_nomem(err);
        if (value_is(value, VALUE_OBJECT))
            result = scim_value_merge(pool, element, value, SCIM_REPLACE, err);
        else
            result = put(pool, element, "value", copy_of(pool, "value", value), err);
        if (result != PROV_OK)
            return result;
    } else {
        element = copy_of(pool, name, value);
        if (!element)
            return error_nomem(err);
    }
    *ret = element;
    return PROV_OK;
}

/* A list that values are put into. */
struct additions {
    struct value *list;
    struct known *known; /* what is in it; NULL: whatever comes is appended */
    size_t primary;      /* index of the last one that was put in as primary; SIZE_MAX: none was */
};

/* The elements of a list by their canonical text: looking through a long list for each of many values would
 * take minutes. */
struct known {
    size_t room; /* places, a power of two, more than twice as many as there are elements */
    struct place {
        const char *text; /* NULL: free */
        size_t index;
    } places[];
};

static struct known *
known_new(struct pool *pool, size_t count)
{
    size_t room = 16;
    struct known *known;

    while (room < count * 2)
        room *= 2;
    known = pool_alloc(pool, sizeof(*known) + room * sizeof(known->places[0]));
    if (!known)
        return NULL;
    memset(known->places, 0, room * sizeof(known->places[0]));
    known->room = room;
    return known;
}

/* Where this text stands, or the free place for it. */
static struct place *
known_place(struct known *known, const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (const char *at = text; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    for (;; hash++) {
        struct place *place = &known->places[hash & (known->room - 1)];
        if (!place->text || strcmp(place->text, text) == 0)
            return place;
    }
}

/* The text that two elements share that are one. Whether it is primary does not make it another one: an
 * address that becomes primary is not a second address. Heap; NULL when out of memory. */
static char *
text_of_element(struct pool *pool, struct value *element)
{
    struct value *key = element;

    if (value_find_nocase(element, "primary")) {
        key = value_object(pool);
        VALUE_EACH(element, member)
        {
            if (ascii_compare(member->name, "primary") != 0 &&
                value_add(pool, key, member->name, member->name_length, member->value) != PROV_OK)
                return NULL;
        }
    }
    return key ? value_canonical(key) : NULL;
}

/* Where the list has this element, else where it will be appended. */
static int
note_element(struct pool *pool, struct known *known, struct value *element, size_t next,
             size_t *ret, struct prov_error *err)
{
    AUTO_FREE char *text = text_of_element(pool, element);
    struct place *place = text ? known_place(known, text) : NULL;

    if (!place)
        return error_nomem(err);
    if (!place->text) {
        place->text = pool_text(pool, text, strlen(text));
        place->index = next;
    }
    *ret = place->index;
    return place->text ? PROV_OK : error_nomem(err);
}

/* So many more may be put in. */
static int
note_list(struct pool *pool, struct additions *additions, size_t more, struct prov_error *err)
{
    size_t count = value_count(additions->list), place;
    int result = PROV_OK;

    additions->known = known_new(pool, count + more + 1);
    if (!additions->known)
        return error_nomem(err);
    for (size_t i = 0; result == PROV_OK && i < count; i++)
        result = note_element(pool, additions->known, value_at(additions->list, i), i, &place, err);
    return result;
}

/* Appends one value. Of one that the list has, only what is said of `primary` is taken (RFC 7644
 * 3.5.2.1). Nothing and {} say nothing. */
static int
put_element(struct pool *pool, struct additions *additions, const char *name, struct value *value,
            struct prov_error *err)
{
    struct value *element = NULL;
    size_t end = value_count(additions->list), place = end;
    struct value *primary;
    int result;

    if (!scim_is_present(value))
        return PROV_OK;
    result = new_element(pool, name, value, &element, err);
    if (result != PROV_OK)
        return result;
    if (value_is(element, VALUE_OBJECT) && value_count(element) == 0)
        return PROV_OK;
    if (additions->known)
        result = note_element(pool, additions->known, element, end, &place, err);
    primary = value_get_nocase(element, "primary");
    if (result == PROV_OK && scim_is_true(primary))
        additions->primary = place;
    if (result == PROV_OK && place == end)
        result = scim_value_append(pool, additions->list, element, err);
    else if (result == PROV_OK && primary)
        result = put(pool, value_at(additions->list, place), "primary",
                     copy_of(pool, "primary", primary), err);
    return result;
}

/* A multi-valued attribute; a single value where an array is meant is taken as one. A list replaced
 * as a whole is the host's own word on what is primary. */
static int
put_values(struct pool *pool, struct value *object, const char *name, struct value *value,
           enum scim_op op, struct prov_error *err)
{
    struct additions additions = { .primary = SIZE_MAX };
    bool several = value_is(value, VALUE_ARRAY);
    size_t count = several ? value_count(value) : 1;
    int result = PROV_OK;

    if (op == SCIM_REPLACE)
        scim_value_remove(object, name);
    additions.list = scim_value_list(pool, object, name);
    if (!additions.list)
        return error_nomem(err);
    if (op == SCIM_ADD)
        result = note_list(pool, &additions, count, err);
    for (size_t i = 0; result == PROV_OK && i < count; i++)
        result = put_element(pool, &additions, name, several ? value_at(value, i) : value, err);
    if (result == PROV_OK && op == SCIM_ADD && additions.primary != SIZE_MAX)
        scim_value_sole_primary(additions.list, additions.primary);
    if (result == PROV_OK && value_count(additions.list) == 0)
        scim_value_remove(object, name);
    return result;
}

/* Whether a host that names this value means the element: it says nothing that is not true of the
 * element, where null says nothing. */
static bool
is_meant(struct value *value, struct value *element)
{
    bool says_something = false;

    if (!value_is(value, VALUE_OBJECT))
        return value && value_equal(value, scim_element_part(element, "value"));
    VALUE_EACH(value, member)
    {
        if (member->value && !value_equal(member->value, scim_element_part(element, member->name)))
            return false;
        says_something |= member->value != NULL;
    }
    return says_something;
}

void
scim_value_remove_these(struct value *object, const char *name, struct value *values)
{
    struct value *list = value_get_nocase(object, name);
    bool several = value_is(values, VALUE_ARRAY);

    for (size_t i = value_count(list); i-- > 0;) {
        struct value *element = value_at(list, i);
        bool meant = !several && is_meant(values, element);
        for (size_t k = 0; several && !meant && k < value_count(values); k++)
            meant = is_meant(value_at(values, k), element);
        if (meant)
            value_delete(list, i);
    }
    if (value_count(list) == 0)
        scim_value_remove(object, name);
}

/* A complex attribute: sub-attributes that are not named stay as they are (RFC 7644 3.5.2.3). */
static int
put_complex(struct pool *pool, struct value *object, const char *name, struct value *value,
            enum scim_op op, struct prov_error *err)
{
    struct value *complex = value_get_nocase(object, name);
    int result = PROV_OK;

    if (!value_is(complex, VALUE_OBJECT)) {
        complex = value_object(pool);
        result = put(pool, object, name, complex, err);
    }
    if (result == PROV_OK)
        result = scim_value_merge(pool, complex, value, op, err);
    if (result == PROV_OK && value_count(complex) == 0)
        scim_value_remove(object, name);
    return result;
}

/* Entra ID sends the manager's id alone, where RFC 7643 4.3 has {"value": id}. */
static int
put_manager(struct pool *pool, struct value *object, const char *name, struct value *id,
            struct prov_error *err)
{
    struct value *manager = value_object(pool);
    int result;

    if (!manager)
        return error_nomem(err);
    result = put(pool, manager, "value", copy_of(pool, "value", id), err);
    return result == PROV_OK ? put_complex(pool, object, name, manager, SCIM_REPLACE, err) : result;
}

int
scim_value_put(struct pool *pool, struct value *object, const char *name, struct value *value,
               enum scim_op op, struct prov_error *err)
{
    struct value *old = value_get_nocase(object, name);
    bool was_list = value_is(old, VALUE_ARRAY), is_list;

    value = unwrapped(name, value);
    is_list = value_is(value, VALUE_ARRAY);
    if (!value || (is_list && value_count(value) == 0)) {
        if (op == SCIM_REPLACE || !was_list)
            scim_value_remove(object, name);
        return PROV_OK;
    }
    if (was_list || is_list || scim_is_multi_valued(name))
        return put_values(pool, object, name, value, op, err);
    if (value_is(value, VALUE_OBJECT))
        return put_complex(pool, object, name, value, op, err);
    if (ascii_compare(name, "manager") == 0 && scim_is_present(value))
        return put_manager(pool, object, name, value, err);
    return put(pool, object, name, copy_of(pool, name, value), err);
}

int
scim_value_put_sub(struct pool *pool, struct value *complex, const char *name, struct value *value,
                   enum scim_op op, struct prov_error *err)
{
    /* RFC 7643 2.4: `$ref` points to what `value` names, and a manager's displayName is theirs */
    if (ascii_compare(name, "value") == 0 && value_get_nocase(complex, "$ref") &&
        !value_equal(value_get_nocase(complex, name), value)) {
        scim_value_remove(complex, "$ref");
        scim_value_remove(complex, "displayName");
    }
    return scim_value_put(pool, complex, name, value, op, err);
}

int
scim_value_merge(struct pool *pool, struct value *complex, struct value *value, enum scim_op op,
                 struct prov_error *err)
{
    struct member *id = value_find_nocase(value, "value");
    int result = PROV_OK;

    /* first `value`, which may take a $ref away, then the new $ref */
    if (id)
        result = scim_value_put_sub(pool, complex, id->name, id->value, op, err);
    VALUE_EACH(value, member)
    {
        if (result == PROV_OK && member != id)
            result = scim_value_put(pool, complex, member->name, member->value, op, err);
    }
    return result;
}
