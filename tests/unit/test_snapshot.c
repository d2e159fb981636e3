/* Full lists of an issuer's users: design rule 6, and the guard of rule 18. */
#include <dirent.h>

#include "plugin/base/clock.h"
#include "tests/unit/scratch.h"

static const struct store_guard no_guard = { .floor = 1000, .percent = 100 };

struct listing {
    struct scratch scratch;
    struct store_snapshot *snapshot;
};

static void
begin(struct listing *l)
{
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_snapshot_begin(l->scratch.store, ISSUER, &l->snapshot, &err), &err);
    T_STR(store_snapshot_issuer(l->snapshot), ISSUER);
}

/* alias and place may be NULL. */
static int
add_as(struct listing *l, const char *uri, const char *data, const char *alias, const char *place,
       struct prov_error *err)
{
    CLEANUP(event_cleanup) struct event *event = scratch_event("listed", uri, "put", data);
    struct store_listed user = { .event = event, .alias = alias, .place = place };

    return store_snapshot_add(l->snapshot, &user, err);
}

static void
add(struct listing *l, const char *uri, const char *data)
{
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(add_as(l, uri, data, NULL, NULL, &err), &err);
}

static uint32_t
how_of(bool force, bool dry_run)
{
    return (force ? STORE_SNAPSHOT_FORCE : 0u) | (dry_run ? STORE_SNAPSHOT_DRY_RUN : 0u);
}

/* The report, with all changes in it. */
static struct json_object *
apply(struct listing *l, const struct store_guard *guard, bool force, bool dry_run)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *report = NULL, *all = NULL;
    bool done = false;

    while (!done && !err.code)
        T_OK(store_snapshot_step(l->snapshot, guard, how_of(force, dry_run), &done, &err), &err);
    T_OK(store_snapshot_report(l->snapshot, dry_run, &report, &err), &err);
    T_OK(store_snapshot_changes(l->snapshot, 0, INT64_MAX, &all, &err), &err);
    T_INT(json_put(report, "changes", all), 0);
    store_snapshot_free(l->snapshot);
    l->snapshot = NULL;
    return report;
}

/* "hired 1 changed 0 returned 0 lost 2 unchanged 3 skipped 0"; static text. */
static const char *
counts(struct json_object *report)
{
    static const char *const names[] = { "hired", "changed",   "returned",
                                         "lost",  "unchanged", "skipped" };
    static char text[200];
    struct json_object *all = json_get(report, "counts");
    size_t length = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %lld", i ? " " : "",
                                   names[i], (long long)json_get_int(all, names[i], -1));
    return text;
}

/* "/Users/1 hired, /Users/2 lost"; static text. */
static const char *
changes(struct json_object *report)
{
    static char text[2000];
    struct json_object *all = json_get(report, "changes");
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(all) && length < sizeof(text); i++) {
        struct json_object *line = json_object_array_get_idx(all, i);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %s", i ? ", " : "",
                                   json_get_string(line, "uri"), json_get_string(line, "what"));
    }
    return text;
}

static enum presence
presence_of(struct listing *l, const char *uri)
{
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_load(l->scratch.store, ISSUER, uri, &work, &err), &err);
    return work.subject.presence;
}

static int64_t
version_of(struct listing *l, const char *uri)
{
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_load(l->scratch.store, ISSUER, uri, &work, &err), &err);
    return work.subject.version;
}

#define ADA "{\"userName\":\"ada\",\"name\":{\"familyName\":\"Nym\"}}"
#define EVE "{\"userName\":\"eve\",\"name\":{\"familyName\":\"Nym\"}}"

/* /Users/1 ada and /Users/2 eve are known, nothing is due. */
static void
two_known(struct listing *l)
{
    *l = (struct listing){ .snapshot = NULL };
    scratch_make(&l->scratch);
    scratch_put(l->scratch.store, "j1", "/Users/1", "ada");
    scratch_put(l->scratch.store, "j2", "/Users/2", "eve");
    scratch_drain(l->scratch.store, DUE_NOW);
}

/* ---- what a list changes ---- */

static void
a_list_is_the_difference_to_what_is_known(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct listing l;

    two_known(&l);
    scratch_put(l.scratch.store, "j3", "/Users/3", "bob");
    scratch_accept(l.scratch.store, scratch_event("j4", "/Users/3", "delete", NULL));
    scratch_put(l.scratch.store, "j5", "/Users/4", "dan");
    scratch_drain(l.scratch.store, DUE_NOW);
    begin(&l);
    add(&l, "/Users/5", "{\"userName\":\"new\"}");
    add(&l, "/Users/1", "{\"name\":{\"familyName\":\"Nym\"},\"userName\":\"ada\"}");
    add(&l, "/Users/2", EVE);
    add(&l, "/Users/3", "{\"userName\":\"bob\"}");
    report = apply(&l, &no_guard, false, false);
    T_TRUE(json_get_bool(report, "applied", false));
    T_TRUE(json_get(report, "reason") == NULL);
    T_STR(counts(report), "hired 1 changed 0 returned 1 lost 1 unchanged 2 skipped 0");
    T_INT(json_get_int(json_get(report, "counts"), "listed", -1), 4);
    T_STR(changes(report), "/Users/5 hired, /Users/3 returned, /Users/4 lost");
    T_INT(presence_of(&l, "/Users/3"), PRESENCE_IN);
    T_INT(presence_of(&l, "/Users/4"), PRESENCE_GONE);
    T_INT(version_of(&l, "/Users/1"), 1); /* no event for who did not change */
    T_STR(scratch_due(l.scratch.store, DUE_NOW), "/Users/4 /Users/5 /Users/3");
    scratch_remove(&l.scratch);
}

static void
a_change_is_told_by_attribute(void)
{
    static const char before[] =
        "{\"userName\":\"ada\",\"title\":\"x\",\"name\":{\"givenName\":\"A\",\"familyName\":\"N\"},"
        "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{\"department\":\"R\","
        "\"division\":\"D\"},\"emails\":[{\"value\":\"a@x\"}],\"n\":{\"k\":1}}";
    static const char after[] =
        "{\"userName\":\"ada\",\"name\":{\"givenName\":\"B\",\"familyName\":\"N\"},"
        "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{\"department\":\"S\","
        "\"division\":\"D\"},\"emails\":[{\"value\":\"b@x\"}],\"active\":true,\"n\":{\"k\":1.0}}";
    AUTO_JSON struct json_object *report = NULL;
    AUTO_FREE char *names = NULL;
    struct listing l;

    two_known(&l);
    scratch_accept(l.scratch.store, scratch_event("j3", "/Users/1", "put", before));
    begin(&l);
    add(&l, "/Users/1", after);
    add(&l, "/Users/2", EVE);
    report = apply(&l, &no_guard, false, false);
    T_STR(counts(report), "hired 0 changed 1 returned 0 lost 0 unchanged 1 skipped 0");
    names = json_canonical(
        json_get(json_object_array_get_idx(json_get(report, "changes"), 0), "attributes"));
    T_STR(names, "[\"active\",\"emails\",\"name.givenName\",\"department\",\"title\"]");
    scratch_remove(&l.scratch);
}

static void
a_list_touches_its_issuers_users_only(void)
{
    CLEANUP(work_done) struct work work = { 0 };
    AUTO_JSON struct json_object *report = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;

    two_known(&l);
    scratch_accept(l.scratch.store, scratch_event_of("https://other", "j9", NULL, "/Users/9", "put",
                                                     "{\"userName\":\"x\"}"));
    begin(&l);
    add(&l, "/Users/1", ADA);
    add(&l, "/Users/2", EVE);
    report = apply(&l, &no_guard, false, false);
    T_STR(changes(report), "");
    T_OK(store_load(l.scratch.store, "https://other", "/Users/9", &work, &err), &err);
    T_INT(work.subject.presence, PRESENCE_IN);
    scratch_remove(&l.scratch);
}

static void
the_same_list_again_changes_nothing(void)
{
    struct listing l;

    two_known(&l);
    for (int i = 0; i < 3; i++) {
        AUTO_JSON struct json_object *report = NULL;
        begin(&l);
        add(&l, "/Users/1", ADA);
        add(&l, "/Users/7", "{\"userName\":\"new\",\"x\":1e2}");
        report = apply(&l, &no_guard, false, false);
        T_STR(counts(report), i ? "hired 0 changed 0 returned 0 lost 0 unchanged 2 skipped 0"
                                : "hired 1 changed 0 returned 0 lost 1 unchanged 1 skipped 0");
    }
    scratch_remove(&l.scratch);
}

static void
who_is_listed_without_having_been_seen_is_hired(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct listing l;

    two_known(&l);
    scratch_accept(l.scratch.store,
                   scratch_event("j3", "/Users/3", "patch",
                                 "{\"Operations\":[{\"op\":\"add\",\"path\":\"title\","
                                 "\"value\":\"x\"}]}"));
    begin(&l);
    add(&l, "/Users/1", ADA);
    add(&l, "/Users/2", EVE);
    add(&l, "/Users/3", "{\"userName\":\"bob\"}");
    report = apply(&l, &no_guard, false, false);
    T_STR(changes(report), "/Users/3 hired");
    T_INT(version_of(&l, "/Users/3"), 2);
    scratch_remove(&l.scratch);
}

/* ---- what came meanwhile ---- */

static void
whoever_had_an_event_after_the_list_began_is_skipped_and_named(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct json_object *line;
    struct listing l;

    two_known(&l);
    scratch_put(l.scratch.store, "j3", "/Users/3", "bob");
    begin(&l);
    scratch_put(l.scratch.store, "j4", "/Users/1", "ada2"); /* newer than the list */
    scratch_put(l.scratch.store, "j5", "/Users/4", "hired");
    add(&l, "/Users/1", ADA);
    add(&l, "/Users/2", EVE);
    report = apply(&l, &no_guard, false, false);
    T_STR(counts(report), "hired 0 changed 0 returned 0 lost 1 unchanged 1 skipped 2");
    T_STR(changes(report), "/Users/1 skipped, /Users/3 lost, /Users/4 skipped");
    line = json_object_array_get_idx(json_get(report, "changes"), 0);
    T_HAS(json_get_string(line, "note"), "after the list was begun");
    T_INT(presence_of(&l, "/Users/4"), PRESENCE_IN);
    T_INT(version_of(&l, "/Users/1"), 2);
    scratch_remove(&l.scratch);
}

static void
forgotten_events_do_not_make_everybody_look_new(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct store_retention all = { INT64_MAX, false, 100 };
    struct listing l;
    int64_t after = 0;

    two_known(&l);
    scratch_settle(l.scratch.store, "/Users/1", "delivered", "005000000000001AAA");
    scratch_settle(l.scratch.store, "/Users/2", "delivered", "005000000000002AAA");
    T_OK(store_begin(l.scratch.store, STORE_UNFENCED, &err), &err);
    T_OK(store_forget_events(l.scratch.store, &all, &after, &err), &err);
    T_OK(store_commit(l.scratch.store, &err), &err);
    begin(&l);
    add(&l, "/Users/1", EVE);
    report = apply(&l, &no_guard, false, false);
    T_STR(counts(report), "hired 0 changed 1 returned 0 lost 1 unchanged 0 skipped 0");
    scratch_remove(&l.scratch);
}

/* ---- what must change nothing ---- */

static void
check_untouched(struct listing *l)
{
    T_INT(version_of(l, "/Users/1"), 1);
    T_INT(version_of(l, "/Users/2"), 1);
    T_STR(scratch_due(l->scratch.store, DUE_NOW), "");
}

static void
an_empty_list_changes_nothing_unless_forced(void)
{
    AUTO_JSON struct json_object *report = NULL;
    AUTO_JSON struct json_object *forced = NULL;
    struct listing l;

    two_known(&l);
    begin(&l);
    report = apply(&l, &no_guard, false, false);
    T_TRUE(!json_get_bool(report, "applied", true));
    T_HAS(json_get_string(report, "reason"), "empty");
    check_untouched(&l);
    begin(&l);
    forced = apply(&l, &no_guard, true, false);
    T_TRUE(json_get_bool(forced, "applied", false));
    T_STR(counts(forced), "hired 0 changed 0 returned 0 lost 2 unchanged 0 skipped 0");
    T_INT(presence_of(&l, "/Users/1"), PRESENCE_GONE);
    scratch_remove(&l.scratch);
}

static void
a_dry_run_says_all_and_does_nothing(void)
{
    AUTO_JSON struct json_object *report = NULL;
    AUTO_JSON struct json_object *guarded = NULL;
    struct store_guard guard = { .floor = 0, .percent = 10 };
    struct listing l;

    two_known(&l);
    for (int i = 0; i < 2; i++) {
        struct json_object **to = i ? &guarded : &report;
        begin(&l);
        add(&l, "/Users/1", EVE);
        add(&l, "/Users/3", "{\"userName\":\"new\"}");
        *to = apply(&l, i ? &guard : &no_guard, false, true);
        T_TRUE(json_get_bool(*to, "dry_run", false));
        T_TRUE(!json_get_bool(*to, "applied", true));
        T_STR(counts(*to), "hired 1 changed 1 returned 0 lost 1 unchanged 0 skipped 0");
        check_untouched(&l);
        T_INT(scratch_id(l.scratch.store, "/Users/3"), 0);
    }
    T_TRUE(json_get(report, "reason") == NULL);
    T_HAS(json_get_string(guarded, "reason"), "guard");
    scratch_remove(&l.scratch);
}

static void
a_list_holds_whole_resources_only(void)
{
    CLEANUP(event_cleanup) struct event *event = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;

    two_known(&l);
    begin(&l);
    event = scratch_event("x", "/Users/2", "delete", NULL);
    T_INT(store_snapshot_add(l.snapshot, &(struct store_listed){ .event = event }, &err),
          PROV_E_INVALID);
    T_HAS(err.text, "whole resources");
    store_snapshot_free(l.snapshot);
    scratch_remove(&l.scratch);
}

static void
a_user_who_is_listed_twice_is_refused_with_both_places(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;

    two_known(&l);
    begin(&l);
    T_OK(add_as(&l, "/Users/1", ADA, "uid=ada", "line 2", &err), &err);
    T_INT(add_as(&l, "https://hr.example/scim/Users/1", EVE, NULL, "line 9", &err), PROV_E_INVALID);
    T_HAS(err.text, "'/Users/1' stands twice in the list, at line 2 and line 9");
    T_INT(add_as(&l, "/Users/2", EVE, "uid=ada", "line 11", &err), PROV_E_INVALID);
    T_HAS(err.text, "'/Users/1' at line 2 and '/Users/2' at line 11 have one name, 'uid=ada'");
    store_snapshot_free(l.snapshot); /* dropped: changes nothing */
    check_untouched(&l);
    scratch_remove(&l.scratch);
}

/* Files in the directory of the store, the store's own left out. */
static int
foreign_files(const struct scratch *scratch)
{
    DIR *directory = opendir(scratch->directory);
    const struct dirent *entry;
    int count = 0;

    T_TRUE(directory != NULL);
    while ((entry = readdir(directory)) != NULL)
        count += strstr(entry->d_name, ".list-") != NULL;
    closedir(directory);
    return count;
}

static void
leave_a_list_half_way(const struct scratch *scratch)
{
    struct listing l = { .scratch = *scratch };

    begin(&l);
    for (int i = 0; i < 2000; i++) {
        char uri[30];
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        add(&l, uri, ADA);
    }
    T_INT(foreign_files(scratch), 0); /* the file has no name from the start */
}

static void
a_list_that_is_never_ended_leaves_nothing(void)
{
    struct listing l;

    two_known(&l);
    scratch_in_child(&l.scratch, leave_a_list_half_way); /* ends without freeing it */
    T_INT(foreign_files(&l.scratch), 0);
    check_untouched(&l);
    scratch_remove(&l.scratch);
}

static void
nothing(const struct scratch *scratch)
{
    (void)scratch;
}

static void
a_list_goes_on_after_a_fork(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct listing l;

    two_known(&l);
    begin(&l);
    add(&l, "/Users/1", ADA);
    scratch_in_child(&l.scratch, nothing);
    add(&l, "/Users/2", EVE);
    report = apply(&l, &no_guard, false, false);
    T_STR(counts(report), "hired 0 changed 0 returned 0 lost 0 unchanged 2 skipped 0");
    scratch_remove(&l.scratch);
}

static void
a_dry_run_makes_no_store(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct listing l = { .snapshot = NULL };

    scratch_make(&l.scratch);
    begin(&l);
    add(&l, "/Users/1", ADA);
    report = apply(&l, &no_guard, false, true);
    T_STR(counts(report), "hired 1 changed 0 returned 0 lost 0 unchanged 0 skipped 0");
    T_TRUE(!store_exists(l.scratch.store));
    scratch_remove(&l.scratch);
}

/* ---- while it is applied ---- */

/* Comparing takes no write lock, and folding none for longer than a page. */
static void
an_event_that_comes_between_comparing_and_folding_counts_more(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;
    bool done = false;

    two_known(&l);
    scratch_put(l.scratch.store, "j3", "/Users/3", "bob");
    begin(&l);
    add(&l, "/Users/1", EVE);
    add(&l, "/Users/2", ADA);
    for (int i = 0; i < 3; i++) /* open, compared, lost: next it would fold */
        T_OK(store_snapshot_step(l.snapshot, &no_guard, 0, &done, &err), &err);
    T_TRUE(!done);
    scratch_put(l.scratch.store, "j4", "/Users/1", "late");
    scratch_put(l.scratch.store, "j5", "/Users/3", "late");
    report = apply(&l, &no_guard, false, false);
    T_STR(counts(report), "hired 0 changed 1 returned 0 lost 0 unchanged 0 skipped 2");
    T_STR(changes(report), "/Users/1 skipped, /Users/2 changed, /Users/3 skipped");
    T_INT(presence_of(&l, "/Users/3"), PRESENCE_IN);
    T_INT(version_of(&l, "/Users/1"), 2);
    scratch_remove(&l.scratch);
}

static void
after_a_crash_while_folding_the_same_list_does_the_rest(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;
    char uri[30];
    bool done = false;

    two_known(&l);
    for (int round = 0; round < 2; round++) {
        begin(&l);
        for (int i = 10; i < 1210; i++) {
            snprintf(uri, sizeof(uri), "/Users/%d", i);
            add(&l, uri, ADA);
        }
        /* open, three pages compared, one of the lost, one folded of the three */
        for (int i = 0; round == 0 && i < 6; i++)
            T_OK(store_snapshot_step(l.snapshot, &no_guard, 0, &done, &err), &err);
        if (round == 0)
            store_snapshot_free(l.snapshot);
    }
    T_TRUE(!done);
    T_INT(presence_of(&l, "/Users/1"), PRESENCE_IN);
    report = apply(&l, &no_guard, false, false);
    T_STR(counts(report), "hired 700 changed 0 returned 0 lost 2 unchanged 500 skipped 0");
    scratch_remove(&l.scratch);
}

static void
a_store_that_fails_while_folding_says_how_far_it_came(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;
    bool done = false;
    int r = PROV_OK;

    two_known(&l);
    begin(&l);
    add(&l, "/Users/1", EVE);
    add(&l, "/Users/2", EVE);
    scratch_sql(&l.scratch, "CREATE TRIGGER full BEFORE INSERT ON event BEGIN"
                            " SELECT raise(ABORT, 'no room'); END");
    while (!r && !done)
        r = store_snapshot_step(l.snapshot, &no_guard, 0, &done, &err);
    T_INT(r, PROV_E_STORE);
    T_HAS(err.text, "applied in part, 0 of its changes");
    store_snapshot_free(l.snapshot);
    check_untouched(&l);
    scratch_remove(&l.scratch);
}

/* ---- managers ---- */

#define MANAGED(manager)                                                                           \
    "{\"userName\":\"x\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{"         \
    "\"manager\":" manager "}}"

static void
a_manager_named_by_an_alias_is_found_wherever_he_stands(void)
{
    AUTO_JSON struct json_object *report = NULL;
    CLEANUP(work_done) struct work work = { 0 };
    CLEANUP(work_done) struct work other = { 0 };
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *without = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;

    two_known(&l);
    begin(&l);
    T_OK(add_as(&l, "/Users/1", MANAGED("{\"value\":\"uid=eve\"}"), "uid=ada", "line 1", &err),
         &err);
    T_OK(add_as(&l, "/Users/2", EVE, "uid=eve", "line 5", &err), &err);
    T_OK(add_as(&l, "/Users/3", MANAGED("{\"value\":\"uid=who\"}"), "uid=bob", "line 9", &err),
         &err);
    report = apply(&l, &no_guard, false, false);
    T_STR(changes(report), "/Users/1 changed, /Users/3 hired");
    T_INT(json_get_int(report, "unknown_managers", 0), 1);
    T_STR(json_get_string(report, "unknown_manager_place"), "line 9");
    T_OK(store_load(l.scratch.store, ISSUER, "/Users/1", &work, &err), &err);
    text = value_json(work.subject.resource);
    T_HAS(text, "\"manager\":{\"$ref\":\"/Users/2\",\"value\":\"2\"}");
    T_OK(store_load(l.scratch.store, ISSUER, "/Users/3", &other, &err), &err);
    without = value_json(other.subject.resource);
    T_TRUE(strstr(without, "manager") == NULL); /* an alias means nothing outside the list */
    scratch_remove(&l.scratch);
}

static void
managers_who_are_neither_listed_nor_known_are_counted(void)
{
    AUTO_JSON struct json_object *report = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;

    two_known(&l);
    begin(&l);
    T_OK(add_as(&l, "/Users/3", MANAGED("{\"value\":\"1\"}"), NULL, "line 2", &err), &err);
    T_OK(add_as(&l, "/Users/4", MANAGED("{\"$ref\":\"../Users/3\"}"), NULL, "line 3", &err), &err);
    T_OK(add_as(&l, "/Users/5", MANAGED("{\"value\":\"77\"}"), NULL, "line 4", &err), &err);
    T_OK(add_as(&l, "/Users/6", MANAGED("{\"value\":\"78\"}"), NULL, "line 5", &err), &err);
    report = apply(&l, &no_guard, false, true);
    T_INT(json_get_int(report, "unknown_managers", 0), 2);
    T_STR(json_get_string(report, "unknown_manager_place"), "line 4");
    scratch_remove(&l.scratch);
}

/* ---- what is asked of it ---- */

static void
changes_are_told_page_by_page_with_what_they_would_fold(void)
{
    AUTO_JSON struct json_object *page = NULL;
    CLEANUP(event_cleanup) struct event *put = NULL;
    CLEANUP(event_cleanup) struct event *gone = NULL;
    AUTO_FREE char *first = NULL;
    AUTO_FREE char *other = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct listing l;
    bool done = false;

    two_known(&l);
    begin(&l);
    T_OK(add_as(&l, "/Users/7", ADA, NULL, "line 2", &err), &err);
    while (!done && !err.code)
        T_OK(store_snapshot_step(l.snapshot, &no_guard, STORE_SNAPSHOT_DRY_RUN, &done, &err), &err);
    T_OK(store_snapshot_changes(l.snapshot, 1, 1, &page, &err), &err);
    T_INT(json_object_array_length(page), 1);
    T_STR(json_get_string(json_object_array_get_idx(page, 0), "uri"), "/Users/1");
    T_OK(store_snapshot_event(l.snapshot, 1, &put, &err), &err);
    T_TRUE(put->data == EVENT_PUT && strcmp(put->uri, "/Users/7") == 0);
    T_OK(store_snapshot_event(l.snapshot, 2, &gone, &err), &err);
    T_TRUE(gone->deleted && gone->data == EVENT_NO_DATA);
    T_OK(store_snapshot_claim(l.snapshot, "Ada@acme.example", "/Users/7", &first, &err), &err);
    T_TRUE(first == NULL);
    T_OK(store_snapshot_claim(l.snapshot, "ada@acme.example", "/Users/8", &other, &err), &err);
    T_STR(other, "/Users/7");
    store_snapshot_free(l.snapshot);
    scratch_remove(&l.scratch);
}

/* ---- the guard ---- */

/* Lists all but the first `lost` of `known` users; whether the list was applied. */
static bool
applied_with(int known, int lost, int out_of_scope, const struct store_guard *guard, bool force)
{
    AUTO_JSON struct json_object *report = NULL;
    struct listing l = { .snapshot = NULL };
    char jti[30], uri[30];
    bool applied;

    scratch_make(&l.scratch);
    for (int i = 0; i < known + out_of_scope; i++) {
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        scratch_put(l.scratch.store, jti, uri, "ada");
    }
    for (int i = known; i < known + out_of_scope; i++) {
        snprintf(jti, sizeof(jti), "out%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        scratch_accept(l.scratch.store, scratch_event(jti, uri, "remove", NULL));
    }
    begin(&l);
    for (int i = lost; i < known; i++) {
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        add(&l, uri, ADA);
    }
    add(&l, "/Users/hired", ADA);
    report = apply(&l, guard, force, false);
    applied = json_get_bool(report, "applied", false);
    T_TRUE(applied == (json_get_string(report, "reason") == NULL));
    T_INT(presence_of(&l, "/Users/0"), applied && lost ? PRESENCE_GONE : PRESENCE_IN);
    T_TRUE((scratch_id(l.scratch.store, "/Users/hired") != 0) == applied);
    scratch_remove(&l.scratch);
    return applied;
}

static void
a_list_that_loses_too_many_is_held_back(void)
{
    struct store_guard guard = { .floor = 3, .percent = 20 };

    T_TRUE(applied_with(10, 0, 0, &guard, false));
    T_TRUE(applied_with(10, 3, 0, &guard, false));  /* 30 %, but not above the floor */
    T_TRUE(!applied_with(10, 4, 0, &guard, false)); /* above both */
    T_TRUE(applied_with(20, 4, 0, &guard, false));  /* 20 % is not more than 20 % */
    T_TRUE(!applied_with(20, 5, 0, &guard, false));
    T_TRUE(applied_with(10, 10, 0, &guard, true));
    /* who is out of scope has lost nothing to lose: they neither trip the guard nor hide a loss */
    T_TRUE(applied_with(10, 2, 20, &guard, false));
    T_TRUE(!applied_with(10, 4, 40, &guard, false));
}

static void
who_is_skipped_does_not_trip_the_guard(void)
{
    struct store_guard guard = { .floor = 0, .percent = 40 };
    AUTO_JSON struct json_object *report = NULL;
    struct listing l;

    two_known(&l);
    begin(&l);
    scratch_put(l.scratch.store, "j3", "/Users/3", "a");
    scratch_put(l.scratch.store, "j4", "/Users/4", "b");
    add(&l, "/Users/1", ADA);
    add(&l, "/Users/2", EVE);
    report = apply(&l, &guard, false, false);
    T_TRUE(json_get_bool(report, "applied", false));
    T_STR(counts(report), "hired 0 changed 0 returned 0 lost 0 unchanged 2 skipped 2");
    scratch_remove(&l.scratch);
}

static void
a_long_list_is_taken_whole(void)
{
    AUTO_JSON struct json_object *report = NULL;
    AUTO_JSON struct json_object *again = NULL;
    struct listing l = { .snapshot = NULL };

    scratch_make(&l.scratch);
    for (int round = 0; round < 2; round++) {
        begin(&l);
        for (int i = 0; i < 700; i++) {
            char uri[30];
            snprintf(uri, sizeof(uri), "/Users/%d", i);
            add(&l, uri, ADA);
        }
        *(round ? &again : &report) = apply(&l, &no_guard, false, false);
    }
    T_STR(counts(report), "hired 700 changed 0 returned 0 lost 0 unchanged 0 skipped 0");
    T_STR(counts(again), "hired 0 changed 0 returned 0 lost 0 unchanged 700 skipped 0");
    scratch_remove(&l.scratch);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_list_is_the_difference_to_what_is_known),
        UNIT_CASE(a_change_is_told_by_attribute),
        UNIT_CASE(a_list_touches_its_issuers_users_only),
        UNIT_CASE(the_same_list_again_changes_nothing),
        UNIT_CASE(who_is_listed_without_having_been_seen_is_hired),
        UNIT_CASE(whoever_had_an_event_after_the_list_began_is_skipped_and_named),
        UNIT_CASE(forgotten_events_do_not_make_everybody_look_new),
        UNIT_CASE(an_empty_list_changes_nothing_unless_forced),
        UNIT_CASE(a_dry_run_says_all_and_does_nothing),
        UNIT_CASE(a_list_holds_whole_resources_only),
        UNIT_CASE(a_user_who_is_listed_twice_is_refused_with_both_places),
        UNIT_CASE(a_list_that_is_never_ended_leaves_nothing),
        UNIT_CASE(a_list_goes_on_after_a_fork),
        UNIT_CASE(a_dry_run_makes_no_store),
        UNIT_CASE(an_event_that_comes_between_comparing_and_folding_counts_more),
        UNIT_CASE(after_a_crash_while_folding_the_same_list_does_the_rest),
        UNIT_CASE(a_store_that_fails_while_folding_says_how_far_it_came),
        UNIT_CASE(a_manager_named_by_an_alias_is_found_wherever_he_stands),
        UNIT_CASE(managers_who_are_neither_listed_nor_known_are_counted),
        UNIT_CASE(changes_are_told_page_by_page_with_what_they_would_fold),
        UNIT_CASE(a_list_that_loses_too_many_is_held_back),
        UNIT_CASE(who_is_skipped_does_not_trip_the_guard),
        UNIT_CASE(a_long_list_is_taken_whole),
    };

    return unit_run("snapshot", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
