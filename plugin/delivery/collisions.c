/* Finds users who would share a username: one pass over the store keeps a number for each name, and
 * where two are equal the users are read again. What would tell them apart is the pattern room's. */
#include "plugin/delivery/collisions.h"

#include <stdio.h>
#include <string.h>

#include "patterns/collisions.h"
#include "patterns/username.h"
#include "plugin/delivery/name_list.h"

#define PAGE 500
/* Users named of one username; all are counted. */
#define NAMED_MAX 20

struct search {
    struct store *store;
    const struct fields *fields;
    struct pattern_settings settings;
    struct pattern *pattern;
    int64_t limit;
    struct name_list names;
    int64_t users, nameless, shared, sharing;
    struct json_object *groups;
};

static void
search_done(struct search *search)
{
    pattern_free(search->pattern);
    name_list_done(&search->names);
    json_object_put(search->groups);
}

/* ---- who has which name ---- */

/* *ret false: none can be built; such a user is parked for that, and shares nothing. */
static bool
name_of(const struct search *search, const struct work *work, char name[PATTERN_MAX_BYTES])
{
    struct pattern_user user = plan_pattern_user(search->fields, work->subject.resource);

    if (pattern_render(search->pattern, &user, name, PATTERN_MAX_BYTES, NULL, NULL))
        return false;
    username_lower(name);
    return username_check(name, NULL) == PROV_OK;
}

static int
keep(struct search *search, int64_t subject, struct prov_error *err)
{
    CLEANUP(work_done) struct work work = { 0 };
    char name[PATTERN_MAX_BYTES];
    int r = store_load_id(search->store, subject, &work, err);

    if (r)
        return r;
    search->users++;
    if (!name_of(search, &work, name)) {
        search->nameless++;
        return PROV_OK;
    }
    return name_list_add(&search->names, name, subject, err);
}

static int
keep_all(struct search *search, struct prov_error *err)
{
    int64_t ids[PAGE], after = 0;
    size_t found = PAGE;
    int r = PROV_OK;

    while (!r && found == PAGE) {
        r = store_seen(search->store, after, PAGE, ids, &found, err);
        for (size_t i = 0; !r && i < found; i++)
            r = keep(search, ids[i], err);
        if (found > 0)
            after = ids[found - 1];
    }
    return r;
}

/* ---- who shares one ---- */

static int
put_change(const struct search *search, struct json_object *group, const struct pattern_user *users,
           size_t count, struct prov_error *err)
{
    struct json_object *shown = NULL;
    struct pattern_change change;
    bool found = false;
    int r = pattern_tell_apart(&search->settings, users, count, &change, &found, err);

    if (!r && found) {
        shown = json_object_new_object();
        if (json_put_string(shown, "what", change.key ? "key" : "separator") ||
            json_put_string(shown, "key", change.key) ||
            json_put_string(shown, "pattern", change.pattern) ||
            json_put_string(shown, "separator", change.separator))
            r = error_nomem(err);
    }
    if (json_put(group, "change", shown) && !r)
        r = error_nomem(err);
    return r;
}

static int
put_user(struct json_object *users, const struct work *work, struct prov_error *err)
{
    struct json_object *row = json_object_new_object();

    if (json_append(users, row) || json_put_string(row, "iss", work->subject.iss) ||
        json_put_string(row, "uri", work->subject.uri) ||
        json_put_string(row, "userName", plan_user_name(&work->subject)))
        return error_nomem(err);
    return PROV_OK;
}

/* One username and those who share it, as far as they are read. */
static int
put_group(struct search *search, const char *name, const struct work *works, size_t count,
          int64_t all, struct prov_error *err)
{
    struct json_object *group = json_object_new_object(), *users = json_object_new_array();
    struct pattern_user shared[COLLISION_USERS_MAX];
    int r = PROV_OK;

    if (json_append(search->groups, group) || json_put(group, "users", users) ||
        json_put_string(group, "username", name) || json_put_int(group, "count", all))
        return error_nomem(err);
    for (size_t i = 0; !r && i < count; i++) {
        shared[i] = plan_pattern_user(search->fields, works[i].subject.resource);
        if (i < NAMED_MAX)
            r = put_user(users, &works[i], err);
    }
    return r ? r : put_change(search, group, shared, count, err);
}

static void works_done(struct work (*works)[COLLISION_USERS_MAX])
{
    for (size_t i = 0; i < COLLISION_USERS_MAX; i++)
        work_done(&(*works)[i]);
}

/* The users of one number; that their names are equal too is made sure of. */
static int
show_run(struct search *search, const struct named *run, size_t length, struct prov_error *err)
{
    CLEANUP(works_done) struct work works[COLLISION_USERS_MAX] = { { .due = NULL } };
    char name[PATTERN_MAX_BYTES] = "", other[PATTERN_MAX_BYTES];
    size_t read = length < COLLISION_USERS_MAX ? length : COLLISION_USERS_MAX, equal = 0;
    int r = PROV_OK;

    for (size_t i = 0; !r && i < read; i++) {
        r = store_load_id(search->store, run[i].subject, &works[equal], err);
        if (!r && name_of(search, &works[equal], other) && (!*name || strcmp(name, other) == 0)) {
            memcpy(name, other, sizeof(name));
            equal++;
        } else {
            work_done(&works[equal]);
        }
    }
    if (r || equal < 2)
        return r;
    length -= read - equal;
    search->shared++;
    search->sharing += (int64_t)length;
    return search->shared <= search->limit
               ? put_group(search, name, works, equal, (int64_t)length, err)
               : PROV_OK;
}

static int
show_all(struct search *search, struct prov_error *err)
{
    size_t end;
    int r = PROV_OK;

    name_list_sort(&search->names);
    for (size_t i = 0; !r && i < search->names.count; i = end) {
        const struct named *list = search->names.list;
        for (end = i + 1; end < search->names.count && list[end].hash == list[i].hash;)
            end++;
        if (end - i > 1)
            r = show_run(search, list + i, end - i, err);
    }
    return r;
}

/* ---- the request ---- */

static int
read_request(struct search *search, struct json_object *request, struct prov_error *err)
{
    const struct fields *fields = search->fields;
    const char *pattern = json_get_string(request, "pattern");
    const char *separator = json_get_string(request, "separator");
    const char *domain = json_get_string(request, "domain");
    struct prov_error why = PROV_ERROR_INIT;

    search->limit = json_get_int(request, "limit", 100);
    if (search->limit < 1 || search->limit > 1000)
        return error_set(err, PROV_E_INVALID, "limit %lld is not from 1 to 1000",
                         (long long)search->limit);
    search->settings = (struct pattern_settings){
        pattern ? pattern : fields->provisioning_pattern,
        separator ? separator : fields->provisioning_separator,
        domain ? domain : fields->provisioning_domain,
    };
    if (pattern_compile(&search->settings, &search->pattern, NULL, &why))
        return error_set(err, PROV_E_INVALID, "%s", why.text);
    return PROV_OK;
}

int
collisions_find(struct store *store, const struct fields *fields, struct json_object *request,
                struct json_object **ret, struct prov_error *err)
{
    CLEANUP(search_done)
    struct search search = { .store = store, .fields = fields, .groups = json_object_new_array() };
    AUTO_JSON struct json_object *result = json_object_new_object();
    int r = search.groups && result ? read_request(&search, request, err) : error_nomem(err);

    if (!r)
        r = keep_all(&search, err);
    if (!r)
        r = show_all(&search, err);
    if (r)
        return r;
    if (json_put_int(result, "users", search.users) ||
        json_put_int(result, "nameless", search.nameless) ||
        json_put_int(result, "shared", search.shared) ||
        json_put_int(result, "sharing", search.sharing) ||
        json_put(result, "groups", json_ref(search.groups)))
        return error_nomem(err);
    *ret = STEAL(result);
    return PROV_OK;
}
