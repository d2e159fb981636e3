/* Rows and what is derived from them: the indexes, the registry of usernames, the licence counts.
 * Every change goes through row_enter and row_leave, so that these cannot drift apart, and is noted
 * so that allOrNone can take it back. Whether a change is allowed is left to rules.c. */
#include "tests/org/org.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
free_key(struct lh_entry *entry)
{
    free(lh_entry_k(entry));
}

static struct lh_table *
new_index(void (*free_entry)(struct lh_entry *))
{
    struct lh_table *index = lh_kchar_table_new(256, free_entry);

    if (!index)
        text_resize(NULL, SIZE_MAX);
    return index;
}

static void *
index_find(struct lh_table *index, const char *key)
{
    void *found = NULL;

    return lh_table_lookup_ex(index, key, &found) ? found : NULL;
}

static void
index_add(struct lh_table *index, const char *key, void *value)
{
    if (lh_table_insert(index, key, value) != 0)
        text_resize(NULL, SIZE_MAX);
}

/* Two rows never hold one key (rules_check), so what is found is this row's own. */
static void
index_drop(struct lh_table *index, const char *key)
{
    lh_table_delete(index, key);
}

void
rows_init(struct org *org)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        org->tables[i] = (struct table){ .facts = &objects[i], .by_id = new_index(NULL) };
    }
    org->unique = new_index(free_key);
    memset(org->licenses, 0, sizeof(org->licenses));
    if (!org->world->usernames)
        org->world->usernames = new_index(free_key);
}

static struct lh_table *
unique_index(struct org *org, const struct field_facts *field)
{
    return strcmp(field->name, "Username") == 0 ? org->world->usernames : org->unique;
}

/* Heap. */
static char *
unique_key(const struct field_facts *field, const char *value)
{
    AUTO_FREE char *key = field_key(field, value);

    return text_format("%s %s", field->name, key);
}

static bool
is_indexed(const struct field_facts *field)
{
    return field->flags & FIELD_UNIQUE || strcmp(field->name, "Username") == 0;
}

struct row *
rows_holder(struct org *org, const struct field_facts *field, const char *value)
{
    AUTO_FREE char *key = unique_key(field, value);

    return index_find(unique_index(org, field), key);
}

/* Heap: what the values are in the object's key; NULL when it has none, or a value of it. An absent
 * value behind the first is one too: an assignment has a permission set or a group of them. */
static char *
row_key(const struct object_facts *facts, struct json_object *values)
{
    AUTO_TEXT struct text key = { 0 };

    if (!facts->key[0] || !js_get_text(values, facts->key[0]))
        return NULL;
    text_addf(&key, "%s:", facts->name);
    for (size_t i = 0; i < MAX_KEY_FIELDS && facts->key[i]; i++) {
        const char *value = js_get_text(values, facts->key[i]);
        text_addf(&key, "\n%s", value ? value : "");
    }
    return text_fold(key.data);
}

struct row *
rows_key_holder(struct org *org, const struct object_facts *facts, struct json_object *values)
{
    AUTO_FREE char *key = row_key(facts, values);

    return key ? index_find(org->unique, key) : NULL;
}

static void
put_key(struct lh_table *index, char *key, struct row *row, int by)
{
    if (by > 0) {
        index_add(index, key, row);
    } else {
        index_drop(index, key);
        free(key);
    }
}

static struct license_count *
license_of(struct row *row)
{
    const char *profile_id = js_get_text(row->values, "ProfileId");
    struct row *profile = profile_id ? org_find(row->org, "Profile", profile_id) : NULL;
    const char *license_id = profile ? js_get_text(profile->values, "UserLicenseId") : NULL;

    for (size_t i = 0; license_id && i < LICENSE_COUNT; i++) {
        if (strcmp(row->org->licenses[i].id, license_id) == 0)
            return &row->org->licenses[i];
    }
    return NULL;
}

/* Adds what follows from a user's values to the indexes (by 1), or takes it away (by -1). */
static void
derive_user(struct row *row, int by)
{
    const struct field_facts *field;
    struct license_count *license;

    for (size_t i = 0; (field = org_field_at(row->org, row->table->facts, i)); i++) {
        const char *value = is_indexed(field) ? js_get_text(row->values, field->name) : NULL;
        if (value)
            put_key(unique_index(row->org, field), unique_key(field, value), row, by);
    }
    license = js_get_flag(row->values, "IsActive", false) ? license_of(row) : NULL;
    if (license)
        license->used += by;
}

static void
derive(struct row *row, int by)
{
    char *key = row_key(row->table->facts, row->values);

    if (key)
        put_key(row->org->unique, key, row, by);
    if (object_is(row->table->facts, OBJECT_USER))
        derive_user(row, by);
}

static void
row_free(struct row *row)
{
    json_object_put(row->values);
    json_object_put(row->passwords);
    free(row->pending_email);
    free(row);
}

void
rows_clear(struct org *org)
{
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        struct table *table = &org->tables[i];
        for (size_t j = 0; i == OBJECT_USER && j < table->count; j++)
            derive_user(table->rows[j], -1);
    }
    for (size_t i = 0; i < OBJECT_COUNT; i++) {
        struct table *table = &org->tables[i];
        for (size_t j = 0; j < table->count; j++)
            row_free(table->rows[j]);
        free(table->rows);
        lh_table_free(table->by_id);
    }
    lh_table_free(org->unique);
}

static void
note_change(struct changes *changes, enum change_kind kind, struct row *row,
            struct json_object *before, char *pending)
{
    if (changes->count == changes->room) {
        changes->room = changes->room ? changes->room * 2 : 8;
        changes->list = text_resize(changes->list, changes->room * sizeof(*changes->list));
    }
    changes->list[changes->count++] = (struct change){ kind, row, before, pending };
}

struct row *
org_row_create(struct org *org, enum object_index object, struct json_object *values,
               struct changes *changes)
{
    struct table *table = &org->tables[object];
    struct row *row = text_block(sizeof(*row));

    *row = (struct row){ .org = org, .table = table, .values = values };
    id_make(row->id, table->facts->prefix, org->index, org->next_number++);
    js_put_text(values, "Id", row->id);
    if (table->count == table->room) {
        table->room = table->room ? table->room * 2 : 64;
        table->rows = text_resize(table->rows, table->room * sizeof(struct row *));
    }
    table->rows[table->count++] = row;
    index_add(table->by_id, row->id, row);
    derive(row, 1);
    if (changes)
        note_change(changes, CHANGE_CREATED, row, NULL, NULL);
    return row;
}

void
org_row_update(struct row *row, struct json_object *values, const char *pending_email,
               struct changes *changes)
{
    char *pending = pending_email ? text_copy(pending_email) : NULL; /* it may be the row's own */

    derive(row, -1);
    if (changes) {
        note_change(changes, CHANGE_UPDATED, row, row->values, row->pending_email);
    } else {
        json_object_put(row->values);
        free(row->pending_email);
    }
    row->values = values;
    row->pending_email = pending;
    derive(row, 1);
}

void
org_row_delete(struct row *row, struct changes *changes)
{
    derive(row, -1);
    row->deleted = true;
    if (changes)
        note_change(changes, CHANGE_DELETED, row, NULL, NULL);
}

/* Rows are taken back newest first, so the row stands at the end of its table. */
static void
forget_row(struct row *row)
{
    derive(row, -1);
    index_drop(row->table->by_id, row->id);
    row->table->count--;
    row_free(row);
}

static void
take_back(struct change *change)
{
    struct row *row = change->row;

    switch (change->kind) {
    case CHANGE_CREATED:
        forget_row(row);
        break;
    case CHANGE_UPDATED:
        derive(row, -1);
        json_object_put(row->values);
        free(row->pending_email);
        row->values = change->before;
        row->pending_email = change->pending_before;
        derive(row, 1);
        break;
    case CHANGE_DELETED:
        row->deleted = false;
        derive(row, 1);
        break;
    }
}

void
changes_roll_back(struct changes *changes, size_t kept)
{
    while (changes->count > kept)
        take_back(&changes->list[--changes->count]);
}

void
changes_free(struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        json_object_put(changes->list[i].before);
        free(changes->list[i].pending_before);
    }
    free(changes->list);
    *changes = (struct changes){ 0 };
}

struct row *
table_find_any(struct table *table, const char *id18)
{
    return index_find(table->by_id, id18);
}

struct row *
table_find(struct table *table, const char *id18)
{
    struct row *row = table_find_any(table, id18);

    return row && !row->deleted ? row : NULL;
}

struct row *
org_find(struct org *org, const char *object_name, const char *id18)
{
    struct table *table = org_table(org, object_name);

    return table ? table_find(table, id18) : NULL;
}

static struct json_object *
address_of(struct row *row)
{
    static const char *const parts[][2] = {
        { "city", "City" },          { "country", "Country" }, { "postalCode", "PostalCode" },
        { "state", "State" },        { "street", "Street" },   { "countryCode", "CountryCode" },
        { "stateCode", "StateCode" }
    };
    size_t count = org_has_places(row->org, row->table->facts) ? 7 : 5;
    AUTO_JS struct json_object *address = js_object();
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        const char *part = js_get_text(row->values, parts[i][1]);
        any = any || part;
        js_put_text(address, parts[i][0], part);
    }
    return any ? STEAL(address) : NULL;
}

struct json_object *
row_value(struct row *row, const struct field_facts *field)
{
    struct json_object *value = js_get(row->values, field->name);

    if (field->kind == KIND_ADDRESS)
        return address_of(row);
    if (strcmp(field->name, "UsedLicenses") == 0)
        return json_object_new_int64(object_is(row->table->facts, OBJECT_USER_LICENSE)
                                         ? license_used(row->org, row->id)
                                         : set_license_used(row->org, row->id));
    if (strcmp(field->name, "IsDeleted") == 0)
        return json_object_new_boolean(row->deleted);
    if (!value && field->kind == KIND_BOOLEAN)
        return json_object_new_boolean(0);
    return json_object_get(value);
}

void
row_put_attributes(struct json_object *record, const char *object_name, const char *id,
                   const char *version)
{
    struct json_object *attributes = js_object();
    AUTO_FREE char *url = text_format("/services/data/%s/sobjects/%s/%s", version, object_name, id);

    js_put_text(attributes, "type", object_name);
    js_put_text(attributes, "url", url);
    js_put(record, "attributes", attributes);
}

struct json_object *
row_record(struct row *row, const char *version)
{
    struct json_object *record = js_object();
    const struct field_facts *field;

    row_put_attributes(record, row->table->facts->name, row->id, version);
    for (size_t i = 0; (field = org_field_at(row->org, row->table->facts, i)); i++)
        js_put(record, field->name, row_value(row, field));
    return record;
}

int64_t
license_used(struct org *org, const char *license_id)
{
    for (size_t i = 0; i < LICENSE_COUNT; i++) {
        if (strcmp(org->licenses[i].id, license_id) == 0)
            return org->licenses[i].used;
    }
    return 0;
}

int64_t
feature_used(struct org *org, const char *field_name)
{
    struct table *users = &org->tables[OBJECT_USER];
    int64_t used = 0;

    for (size_t i = 0; i < users->count; i++) {
        if (js_get_flag(users->rows[i]->values, "IsActive", false) &&
            js_get_flag(users->rows[i]->values, field_name, false))
            used++;
    }
    return used;
}

int64_t
set_license_used(struct org *org, const char *set_license_id)
{
    struct table *assigned = &org->tables[OBJECT_PERMISSION_SET_LICENSE_ASSIGN];
    int64_t used = 0;

    for (size_t i = 0; i < assigned->count; i++) {
        struct row *row = assigned->rows[i];
        used += !row->deleted &&
                strcmp(js_get_text(row->values, "PermissionSetLicenseId"), set_license_id) == 0;
    }
    return used;
}

bool
license_set_total(struct org *org, const char *license_name, int64_t seats)
{
    struct table *licenses = &org->tables[OBJECT_USER_LICENSE];

    for (size_t i = 0; i < licenses->count; i++) {
        if (strcmp(js_get_text(licenses->rows[i]->values, "Name"), license_name) == 0) {
            js_put_int(licenses->rows[i]->values, "TotalLicenses", seats);
            return true;
        }
    }
    return false;
}
