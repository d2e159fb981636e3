/* Compares what was last confirmed with what the org holds now: what somebody changed there by hand. Only
 * fields that we have set count; of who has something in flight nothing can be said. */
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/value_json.h"
#include "plugin/delivery/internal.h"

struct drift {
    struct delivery *delivery;
    struct work *works;
    size_t count;
    struct json_object *rows;  /* of the org, by Id */
    struct json_object *lines; /* who differs */
    int64_t *differ;           /* the subjects that a repair is for */
    size_t differ_count;
    int64_t looked_at, same, in_flight;
};

static void
drift_done(struct drift *drift)
{
    work_list_free(drift->works, drift->count);
    json_object_put(drift->rows);
    json_object_put(drift->lines);
    free(drift->differ);
}

/* ---- comparing ---- */

static bool
same_value(const struct mapping *mapping, const struct member *ours, struct value *theirs)
{
    if (strcmp(ours->name, "Username") == 0 && value_text(ours->value) && value_text(theirs))
        return username_equal(value_text(ours->value), value_text(theirs));
    return mapping_same(mapping, ours->name, ours->value, theirs);
}

/* Appends {"field","ours","theirs","note"}. A new e-mail address shows only when its owner has
 * confirmed it, so a difference there is told, and is none (fact sheet 3.8). */
static int
add_field(struct json_object *fields, const struct member *member, struct json_object *theirs,
          struct prov_error *err)
{
    struct json_object *line = json_object_new_object(), *ours = NULL;

    if (!line || json_append(fields, line) || json_put_string(line, "field", member->name) ||
        json_from_value(member->value, &ours) || json_put(line, "ours", ours) ||
        json_put(line, "theirs", json_ref(theirs)) ||
        (strcmp(member->name, "Email") == 0 &&
         json_put_string(line, "note", "perhaps waiting for the user to confirm it")))
        return error_nomem(err);
    return PROV_OK;
}

/* The fields that differ; *ret_counts false: none of them counts. */
static int
compare(const struct mapping *mapping, const struct link *link, struct json_object *row,
        struct json_object *fields, bool *ret_counts, struct prov_error *err)
{
    AUTO_POOL struct pool pool = { 0 };
    int r = PROV_OK;

    *ret_counts = false;
    VALUE_EACH(link->confirmed, ours)
    {
        struct json_object *shown = NULL;
        struct value *theirs = NULL;
        if (r || !json_object_object_get_ex(row, ours->name, &shown))
            continue;
        if (value_from_json(&pool, shown, &theirs))
            return error_nomem(err);
        if (same_value(mapping, ours, theirs))
            continue;
        *ret_counts = *ret_counts || strcmp(ours->name, "Email") != 0;
        r = add_field(fields, ours, shown, err);
    }
    return r;
}

static struct json_object *
make_line(const struct work *work, const char *what)
{
    AUTO_JSON struct json_object *line = json_object_new_object();

    if (!line || json_put_string(line, "iss", work->subject.iss) ||
        json_put_string(line, "uri", work->subject.uri) ||
        json_put_string(line, "userName", plan_user_name(&work->subject)) ||
        json_put_string(line, "salesforce_id", work->link.salesforce_id) ||
        json_put_string(line, "what", what))
        return NULL;
    return STEAL(line);
}

static int
compare_one(struct drift *drift, const struct work *work, struct prov_error *err)
{
    struct json_object *row = json_get(drift->rows, work->link.salesforce_id), *line, *fields;
    bool counts = false;
    int r;

    if (work->link.in_flight) {
        drift->in_flight++;
        return PROV_OK;
    }
    line = make_line(work, row ? "changed" : "missing");
    if (json_append(drift->lines, line) || !line)
        return error_nomem(err);
    if (!row) {
        drift->differ[drift->differ_count++] = work->subject.id;
        return PROV_OK;
    }
    fields = json_object_new_array();
    if (json_put(line, "fields", fields) || !fields)
        return error_nomem(err);
    r = compare(drift->delivery->fields->mapping, &work->link, row, fields, &counts, err);
    if (r)
        return r;
    if (json_object_array_length(fields) == 0) {
        drift->same++;
        json_object_array_del_idx(drift->lines, json_object_array_length(drift->lines) - 1, 1);
    } else if (!counts) {
        drift->same++;
        return json_put_string(line, "what", "email") ? error_nomem(err) : PROV_OK;
    } else {
        drift->differ[drift->differ_count++] = work->subject.id;
    }
    return PROV_OK;
}

/* ---- reading ---- */

static int
read_works(struct drift *drift, const struct page_request *request, int64_t *ret_next,
           struct prov_error *err)
{
    struct store *store = drift->delivery->store;
    AUTO_FREE int64_t *ids = calloc((size_t)request->limit, sizeof(*ids));
    size_t count = 1;
    int r = PROV_OK;

    drift->works = calloc((size_t)request->limit, sizeof(*drift->works));
    drift->differ = calloc((size_t)request->limit, sizeof(*drift->differ));
    if (!ids || !drift->works || !drift->differ)
        return error_nomem(err);
    if (request->subject)
        ids[0] = request->subject;
    else
        r = store_linked(store, request->after, request->limit, ids, &count, err);
    for (size_t i = 0; !r && i < count; i++) {
        r = store_load_id(store, ids[i], &drift->works[drift->count], err);
        drift->count++;
    }
    *ret_next = !r && !request->subject && count == (size_t)request->limit ? ids[count - 1] : 0;
    return r;
}

/* Every field that was ever confirmed of these. */
static struct json_object *
confirmed_fields(const struct drift *drift)
{
    AUTO_JSON struct json_object *set = json_object_new_object();

    for (size_t i = 0; set && i < drift->count; i++) {
        VALUE_EACH(drift->works[i].link.confirmed, member)
        {
            if (json_put_bool(set, member->name, true))
                return NULL;
        }
    }
    return STEAL(set);
}

static int
read_rows(struct drift *drift, struct prov_error *err)
{
    AUTO_JSON struct json_object *fields = confirmed_fields(drift);
    AUTO_JSON struct json_object *rows = NULL;
    AUTO_FREE const char **values = calloc(drift->count + 1, sizeof(*values));
    struct lookup lookup = { .key = "Id", .values = values, .fields = fields };
    struct sf_call call;
    int r;

    if (!fields || !values)
        return error_nomem(err);
    for (size_t i = 0; i < drift->count; i++) {
        if (drift->works[i].link.salesforce_id[0])
            values[lookup.count++] = drift->works[i].link.salesforce_id;
    }
    r = lookup_users(drift->delivery, &lookup, &rows, &call, err);
    if (r)
        return r;
    if (call.outcome != SF_DELIVERED)
        return error_set(err, PROV_E_REMOTE,
                         "the org cannot be asked: %s%s%s; cause: %s; to do: %s", call.code,
                         call.code[0] ? ": " : "", call.message, call.cause, call.remedy);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *id = json_get_string(row, "Id");
        if (id && json_put(drift->rows, id, json_ref(row)))
            return error_nomem(err);
    }
    return PROV_OK;
}

/* A page of those who are asked for, compared. */
static int
find_drift(struct drift *drift, const struct page_request *request, struct json_object **ret,
           struct prov_error *err)
{
    AUTO_JSON struct json_object *result = json_object_new_object();
    int64_t next = 0;
    int r;

    drift->rows = json_object_new_object();
    drift->lines = json_object_new_array();
    r = drift->rows && drift->lines && result ? org_refuse_other(drift->delivery, err)
                                              : error_nomem(err);
    if (!r)
        r = read_works(drift, request, &next, err);
    if (!r && drift->count > 0)
        r = read_rows(drift, err);
    for (size_t i = 0; !r && i < drift->count; i++) {
        if (!drift->works[i].link.salesforce_id[0])
            continue;
        drift->looked_at++;
        r = compare_one(drift, &drift->works[i], err);
    }
    if (r)
        return r;
    if (json_put_int(result, "looked_at", drift->looked_at) ||
        json_put_int(result, "same", drift->same) ||
        json_put_int(result, "in_flight", drift->in_flight) ||
        json_put(result, "drift", json_ref(drift->lines)) ||
        json_put(result, "next", next ? json_object_new_int64(next) : NULL))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}

int
delivery_drift(struct delivery *d, const struct page_request *request, struct json_object **ret,
               struct prov_error *err)
{
    CLEANUP(drift_done) struct drift drift = { .delivery = d };

    return find_drift(&drift, request, ret, err);
}

static int
order_repairs(struct store *store, const struct drift *drift, struct prov_error *err)
{
    int r = store_begin(store, STORE_UNFENCED, err);

    if (r)
        return r;
    for (size_t i = 0; !r && i < drift->differ_count; i++) {
        r = store_due_order(store, drift->differ[i], ORDER_REPAIR, err);
        if (!r)
            r = store_note(store, drift->differ[i], NOTE_ORDER, "repair", err);
    }
    if (r) {
        store_rollback(store);
        return r;
    }
    return store_commit(store, err);
}

int
delivery_repair(struct delivery *d, const struct page_request *request, struct json_object **ret,
                struct prov_error *err)
{
    CLEANUP(drift_done) struct drift drift = { .delivery = d };
    AUTO_JSON struct json_object *result = NULL;
    int r = find_drift(&drift, request, &result, err);

    if (!r && !request->dry_run && drift.differ_count > 0)
        r = order_repairs(d->store, &drift, err);
    if (r)
        return r;
    if (json_put_int(result, "count", (int64_t)drift.differ_count) ||
        json_put_bool(result, "dry_run", request->dry_run))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}
