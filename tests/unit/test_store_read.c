/* The queries: states, outcomes, pages, finding one subject, counts. They are derived from versions
 * (design 2), so each case writes versions and asks for words. */
#include "plugin/base/clock.h"
#include "plugin/store/db.h"
#include "tests/unit/scratch.h"
#include "tests/unit/values.h"

/* ---- asking ---- */

/* Subjects of a query as "/Users/1 parked, /Users/2 pending"; static text. */
static const char *
subjects(struct store *store, const char *request_text, int64_t *ret_next)
{
    static char text[2000];
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *request = NULL;
    AUTO_JSON struct json_object *page = NULL;
    struct json_object *list;
    size_t length = 0;

    T_OK(json_parse(request_text, strlen(request_text), "request", &request, &err), &err);
    T_OK(store_read_subjects(store, request, &page, &err), &err);
    list = json_get(page, "subjects");
    text[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(list) && length < sizeof(text); i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %s", i ? ", " : "",
                                   json_get_string(row, "uri"), json_get_string(row, "state"));
    }
    if (ret_next)
        *ret_next = json_get_int(page, "next", 0);
    return text;
}

static struct json_object *
story(struct store *store, const char *user)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *row = NULL;

    T_OK(store_read_subject(store, user, &row, &err), &err);
    return row;
}

/* Outcomes of a subject's events, oldest first: "delivered, pending"; static text. */
static const char *
outcomes(struct store *store, const char *user)
{
    static char text[600];
    AUTO_JSON struct json_object *row = story(store, user);
    struct json_object *events = json_get(row, "events");
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; events && i < json_object_array_length(events); i++)
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i ? ", " : "",
                             json_get_string(json_object_array_get_idx(events, i), "outcome"));
    return text;
}

static const char *
state(struct store *store, const char *user)
{
    static char text[40];
    AUTO_JSON struct json_object *row = story(store, user);

    snprintf(text, sizeof(text), "%s", json_get_string(row, "state"));
    return text;
}

static void
put_link(struct store *store, const char *uri, const struct link *link)
{
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_begin(store, STORE_UNFENCED, &err), &err);
    T_OK(store_put_link(store, scratch_id(store, uri), link, &err), &err);
    T_OK(store_commit(store, &err), &err);
}

#define ID "005000000000001AAA"

/* ---- finding by user name ---- */

static void
those_with_a_user_name_are_found_whoever_they_were(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "ada");
    scratch_put(s.store, "j2", "/Users/2", "ada.b");
    scratch_put(s.store, "j3", "/Users/3", "Ada");
    T_STR(subjects(s.store, "{\"userName\":\"ada\",\"issuer\":\"" ISSUER "\"}", NULL),
          "/Users/1 pending, /Users/3 pending");
    T_STR(subjects(s.store, "{\"userName\":\"ada\",\"issuer\":\"https://other.example\"}", NULL),
          "");
    T_STR(subjects(s.store, "{\"userName\":\"ad\",\"issuer\":\"" ISSUER "\"}", NULL), "");
    scratch_remove(&s);
}

/* ---- states and outcomes ---- */

static void
the_state_of_a_subject_follows_from_its_versions(void)
{
    struct value *flight = value_of("{}");
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    T_STR(state(s.store, "/Users/1"), "pending"); /* no link yet */
    put_link(s.store, "/Users/1", &(struct link){ .settled_version = 0, .in_flight = flight });
    T_STR(state(s.store, "/Users/1"), "in_flight");
    put_link(s.store, "/Users/1", &(struct link){ .settled_version = 0 });
    T_STR(state(s.store, "/Users/1"), "pending");
    scratch_settle(s.store, "/Users/1", "refused", NULL);
    T_STR(state(s.store, "/Users/1"), "parked");
    scratch_put(s.store, "j2", "/Users/1", "b");
    T_STR(state(s.store, "/Users/1"), "pending"); /* a newer event releases it */
    scratch_settle(s.store, "/Users/1", "delivered", ID);
    T_STR(state(s.store, "/Users/1"), "in_step");
    scratch_settle(s.store, "/Users/1", "nothing to do", ID);
    T_STR(state(s.store, "/Users/1"), "in_step");
    scratch_settle(s.store, "/Users/1", "retry", ID);
    T_STR(state(s.store, "/Users/1"), "pending");
    scratch_settle(s.store, "/Users/1", "unknown", ID);
    T_STR(state(s.store, "/Users/1"), "pending");
    /* settled, but no word says how: never taken for done */
    put_link(s.store, "/Users/1", &(struct link){ .settled_version = 2 });
    T_STR(state(s.store, "/Users/1"), "pending");
    scratch_remove(&s);
}

static void
what_became_of_an_event_follows_from_the_versions(void)
{
    static const struct {
        struct link link;
        const char *outcomes;
    } cases[] = {
        { { .settled_version = 0 }, "pending, pending, pending" },
        { { .settled_version = 1, .confirmed_version = 1, .outcome = (char *)"delivered" },
          "delivered, pending, pending" },
        { { .settled_version = 3, .confirmed_version = 3, .outcome = (char *)"delivered" },
          "delivered, delivered, delivered" },
        { { .settled_version = 3, .confirmed_version = 1, .outcome = (char *)"refused" },
          "delivered, superseded, refused" },
        { { .settled_version = 3, .outcome = (char *)"refused" },
          "superseded, superseded, refused" },
        { { .settled_version = 3, .outcome = (char *)"nothing to do" },
          "superseded, superseded, nothing to do" },
        { { .settled_version = 2, .confirmed_version = 1, .outcome = (char *)"refused" },
          "delivered, refused, pending" },
        /* tried again: a refused one is open once more, a delivered one stays delivered */
        { { .settled_version = 3, .confirmed_version = 1, .outcome = (char *)"retry" },
          "delivered, superseded, pending" },
        { { .settled_version = 3, .confirmed_version = 3, .outcome = (char *)"unknown" },
          "delivered, delivered, delivered" },
    };
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "b");
    scratch_put(s.store, "j3", "/Users/1", "c");
    T_STR(outcomes(s.store, "/Users/1"), "pending, pending, pending");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put_link(s.store, "/Users/1", &cases[i].link);
        T_STR(outcomes(s.store, "/Users/1"), cases[i].outcomes);
    }
    scratch_remove(&s);
}

static void
an_event_of_no_user_is_listed_as_ignored(void)
{
    AUTO_JSON struct json_object *page = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *event;
    struct scratch s;

    scratch_make(&s);
    scratch_accept(s.store, scratch_event("j1", "/Groups/1", "delete", NULL));
    T_OK(store_read_events(s.store, 0, 10, &page, &err), &err);
    event = json_object_array_get_idx(json_get(page, "events"), 0);
    T_STR(json_get_string(event, "outcome"), "ignored: no user");
    T_STR(json_get_string(event, "kinds"), "prov:delete");
    T_TRUE(json_get_string(event, "uri") == NULL);
    scratch_remove(&s);
}

/* ---- one subject ---- */

static void
a_subject_is_shown_with_all_an_admin_needs(void)
{
    AUTO_JSON struct json_object *row = NULL;
    struct value *confirmed = value_of("{}");
    struct link link = { .salesforce_id = ID,
                         .confirmed = confirmed,
                         .settled_version = 1,
                         .attempts = 2,
                         .next_us = INT64_C(1795354805000000),
                         .outcome = (char *)"refused",
                         .code = (char *)"C",
                         .message = (char *)"M",
                         .cause = (char *)"why",
                         .remedy = (char *)"do",
                         .last_action = (char *)"created",
                         .username_held = (char *)"a@x.example" };
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "CORP/Ada");
    T_OK(wait_begin(&link, WAIT_USERNAME, "b@x.example", INT64_C(1795354804000000)), NULL);
    T_OK(wait_begin(&link, WAIT_MANAGER, "/Users/9", INT64_C(1795354805000000)), NULL);
    wait_weigh(&link, INT64_C(1795354804000000));
    put_link(s.store, "/Users/1", &link);
    row = story(s.store, "/Users/1");
    T_STR(json_get_string(row, "iss"), ISSUER);
    T_STR(json_get_string(row, "userName"), "CORP/Ada");
    T_STR(json_get_string(row, "username"), "a@x.example");
    T_STR(json_get_string(row, "presence"), "in");
    T_TRUE(json_get_bool(row, "active", false));
    T_STR(json_get_string(row, "salesforce_id"), ID);
    T_STR(json_get_string(row, "code"), "C");
    T_STR(json_get_string(row, "message"), "M");
    T_STR(json_get_string(row, "cause"), "why");
    T_STR(json_get_string(row, "remedy"), "do");
    T_STR(json_get_string(row, "next_attempt"), "2026-11-22T13:40:05Z");
    T_STR(
        json_object_to_json_string(json_get(row, "waits")),
        "[ { \"kind\": \"manager\", \"for\": \"\\/Users\\/9\", \"since\": \"2026-11-22T13:40:05Z\","
        " \"long\": false }, { \"kind\": \"username\", \"for\": \"b@x.example\", \"since\":"
        " \"2026-11-22T13:40:04Z\", \"long\": true } ]");
    T_INT(json_get_int(row, "attempts", -1), 2);
    T_TRUE(json_get(row, "updated") == NULL);
    T_STR(json_get_string(json_get(row, "resource"), "userName"), "CORP/Ada");
    T_TRUE(json_object_is_type(json_get(row, "confirmed"), json_type_object));
    T_INT(json_object_array_length(json_get(row, "events")), 1);
    wait_end(&link, WAIT_USERNAME);
    wait_end(&link, WAIT_MANAGER);
    free(link.waits);
    scratch_remove(&s);
}

static void
one_subject_is_found_by_whatever_names_it(void)
{
    static const char *const names[] = {
        "/Users/1",         "corp/ADA",        "ada", "A@x.example", ID, "005000000000001",
        ISSUER "#/Users/1", "wanted@X.example"
    };
    struct link link = { .salesforce_id = ID,
                         .username_held = (char *)"a@x.example",
                         .username_wanted = (char *)"wanted@x.example" };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t one, found;

    scratch_make(&s);
    one = scratch_put(s.store, "j1", "/Users/1", "CORP/Ada");
    scratch_put(s.store, "j2", "/Users/2", "CORP/Bob");
    put_link(s.store, "/Users/1", &link);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        found = 0;
        T_OK(store_find(s.store, names[i], &found, &err), &err);
        T_INT(found, one);
    }
    found = -1;
    T_INT(store_find(s.store, "ad", &found, &err), PROV_E_NOTFOUND);
    T_HAS(err.text, "'ad'");
    T_INT(store_find(s.store, "%", &found, &err), PROV_E_NOTFOUND);
    T_INT(store_find(s.store, "' OR 1=1 --", &found, &err), PROV_E_NOTFOUND);
    T_INT(found, -1);
    scratch_remove(&s);
}

static void
a_name_that_fits_several_names_them_and_can_be_resolved(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    int64_t found = -1;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "CORP/ada");
    scratch_put(s.store, "j2", "/Users/2", "LAB/ada");
    scratch_accept(s.store, scratch_event_of("https://lab", "j3", NULL, "/Users/2", "put",
                                             "{\"userName\":\"x\"}"));
    T_INT(store_find(s.store, "ada", &found, &err), PROV_E_INVALID);
    T_HAS(err.text, "'/Users/1' (CORP/ada at " ISSUER ")");
    T_HAS(err.text, "'/Users/2' (LAB/ada");
    T_INT(store_find(s.store, "/Users/2", &found, &err), PROV_E_INVALID);
    T_INT(found, -1);
    T_OK(store_find(s.store, "https://lab#/Users/2", &found, &err), &err);
    T_INT(found, 3);
    /* many long names do not overrun the message */
    for (int i = 10; i < 25; i++) {
        char jti[20], uri[20], name[300];
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        memset(name, 'x', sizeof(name));
        for (size_t k = 0; k < 100; k++)
            memcpy(name + 2 * k + (i % 2 ? 1 : 0), "\xc3\xa9", 2);
        snprintf(name + 201, sizeof(name) - 201, "/ada");
        scratch_put(s.store, jti, uri, name);
    }
    T_INT(store_find(s.store, "ada", &found, &err), PROV_E_INVALID);
    T_HAS(err.text, "by its URI");
    scratch_remove(&s);
}

/* ---- pages ---- */

static void
subjects_are_listed_by_page_state_and_text(void)
{
    struct scratch s;
    int64_t next = 0;

    scratch_make(&s);
    for (int i = 1; i <= 5; i++) {
        char jti[20], uri[20], name[20];
        snprintf(jti, sizeof(jti), "j%d", i);
        snprintf(uri, sizeof(uri), "/Users/%d", i);
        snprintf(name, sizeof(name), "User%d", i);
        scratch_put(s.store, jti, uri, name);
    }
    scratch_settle(s.store, "/Users/2", "refused", NULL);
    scratch_settle(s.store, "/Users/4", "delivered", ID);
    T_STR(subjects(s.store, "{\"limit\":2}", &next), "/Users/1 pending, /Users/2 parked");
    T_INT(next, 2);
    T_STR(subjects(s.store, "{\"limit\":3,\"after\":2}", &next),
          "/Users/3 pending, /Users/4 in_step, /Users/5 pending");
    T_STR(subjects(s.store, "{\"limit\":3,\"after\":5}", &next), "");
    T_INT(next, 0);
    T_STR(subjects(s.store, "{\"state\":\"parked\"}", &next), "/Users/2 parked");
    T_INT(next, 0);
    T_STR(subjects(s.store, "{\"state\":\"in_flight\"}", NULL), "");
    T_STR(subjects(s.store, "{\"state\":\"all\",\"find\":\"USER3\"}", NULL), "/Users/3 pending");
    T_STR(subjects(s.store, "{\"find\":\"/Users/5\"}", NULL), "/Users/5 pending");
    T_STR(subjects(s.store, "{\"find\":\"%\"}", NULL), "");
    T_STR(subjects(s.store, "{\"state\":\"pending\",\"limit\":2,\"after\":1}", &next),
          "/Users/3 pending, /Users/5 pending");
    scratch_remove(&s);
}

static void
subjects_are_listed_by_name(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/2", "b");
    T_STR(subjects(s.store, "{\"users\":[\"/Users/2\",\"/Users/9\",null,7,\"/Users/1\"]}", NULL),
          "/Users/2 pending, /Users/1 pending");
    T_STR(subjects(s.store, "{\"users\":[]}", NULL), "");
    scratch_remove(&s);
}

static void
a_page_that_makes_no_sense_is_refused(void)
{
    static const char *const requests[] = { "{\"limit\":0}", "{\"limit\":-1}", "{\"limit\":1001}" };
    struct scratch s;

    scratch_make(&s);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        AUTO_JSON struct json_object *request = NULL;
        struct prov_error err = PROV_ERROR_INIT;
        struct json_object *page = NULL;
        T_OK(json_parse(requests[i], strlen(requests[i]), "request", &request, &err), &err);
        T_INT(store_read_subjects(s.store, request, &page, &err), PROV_E_INVALID);
        T_HAS(err.text, "limit");
        T_TRUE(page == NULL);
    }
    scratch_remove(&s);
}

static void
events_are_listed_from_a_place_on(void)
{
    AUTO_JSON struct json_object *page = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *events;
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/1", "b");
    scratch_put(s.store, "j3", "/Users/1", "c");
    T_OK(store_read_events(s.store, 1, 1, &page, &err), &err);
    events = json_get(page, "events");
    T_INT(json_object_array_length(events), 1);
    T_STR(json_get_string(json_object_array_get_idx(events, 0), "jti"), "j2");
    T_STR(json_get_string(json_object_array_get_idx(events, 0), "uri"), "/Users/1");
    T_INT(json_get_int(json_object_array_get_idx(events, 0), "version", 0), 2);
    scratch_remove(&s);
}

static void
the_story_of_a_subject_holds_its_newest_events(void)
{
    AUTO_JSON struct json_object *row = NULL;
    struct json_object *events;
    struct scratch s;

    scratch_make(&s);
    for (int i = 1; i <= 103; i++) {
        char jti[20];
        snprintf(jti, sizeof(jti), "j%d", i);
        scratch_put(s.store, jti, "/Users/1", "a");
    }
    row = story(s.store, "/Users/1");
    events = json_get(row, "events");
    T_INT(json_object_array_length(events), 100);
    T_STR(json_get_string(json_object_array_get_idx(events, 0), "jti"), "j4");
    T_STR(json_get_string(json_object_array_get_idx(events, 99), "jti"), "j103");
    scratch_remove(&s);
}

/* ---- counts ---- */

static int64_t fixed_now_us;

static void
count_waits_by_hand(struct db *db, struct json_object *counts)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct json_object *waits = json_get(counts, "waits");
    struct prov_error err = PROV_ERROR_INIT;
    size_t kinds = 0;
    bool row = true;

    T_OK(db_select(db, &rows, &err,
                   "SELECT kind, count(*), sum(is_long) FROM wait GROUP BY kind ORDER BY kind", ""),
         &err);
    while (row && db_next(&rows, &row, &err) == PROV_OK && row) {
        struct json_object *entry = json_object_array_get_idx(waits, kinds++);
        T_STR(json_get_string(entry, "kind"), db_text(&rows, 0));
        T_INT(json_get_int(entry, "users", -1), db_int(&rows, 1));
        T_INT(json_get_int(entry, "long", -1), db_int(&rows, 2));
    }
    T_INT(json_object_array_length(waits), kinds);
}

/* Every user's state worked out from the rows, as a list shows it. */
static void
count_by_hand(const struct scratch *s, struct json_object *counts)
{
    CLEANUP(db_cleanup) struct db *db = NULL;
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    int64_t active = 0;
    bool row = false;

    T_OK(db_open(s->path, &db, &err), &err);
    T_OK(db_one_row(
             db, &rows, &row, &err,
             "SELECT coalesce(sum(state = 'in_step'), 0), coalesce(sum(state = 'pending'), 0),"
             " coalesce(sum(state = 'parked'), 0), coalesce(sum(state = 'in_flight'), 0),"
             " count(*), (SELECT count(*) FROM event), (SELECT count(*) FROM link"
             " WHERE salesforce_id IS NOT NULL"
             " AND coalesce(json_extract(confirmed, '$.IsActive'), 1)"
             " AND NOT coalesce(json_extract(confirmed, '$.\"UserLogin.IsFrozen\"'), 0))"
             " FROM (SELECT CASE WHEN s.id IN (SELECT subject FROM flight) THEN 'in_flight'"
             " WHEN l.subject IS NULL OR l.settled_version < s.version"
             " OR coalesce(l.outcome, '') NOT IN ('delivered', 'nothing to do', 'refused')"
             " THEN 'pending' WHEN l.outcome = 'refused' THEN 'parked' ELSE 'in_step' END AS state"
             " FROM subject s LEFT JOIN link l ON l.subject = s.id)",
             ""),
         &err);
    T_INT(json_get_int(json_get(counts, "subjects"), "in_step", -1), db_int(&rows, 0));
    T_INT(json_get_int(json_get(counts, "subjects"), "pending", -1), db_int(&rows, 1));
    T_INT(json_get_int(json_get(counts, "subjects"), "parked", -1), db_int(&rows, 2));
    T_INT(json_get_int(json_get(counts, "subjects"), "in_flight", -1), db_int(&rows, 3));
    T_INT(json_get_int(json_get(counts, "subjects"), "total", -1), db_int(&rows, 4));
    T_INT(json_get_int(counts, "events", -1), db_int(&rows, 5));
    count_waits_by_hand(db, counts);
    T_OK(store_active_accounts(s->store, &active, &err), &err);
    T_INT(active, db_int(&rows, 6));
}

/* Some outcome or other for a user, with some JSON or other. */
static void
settle_somehow(struct scratch *s, int64_t id, unsigned dice)
{
    static const char *const outcomes[] = { "delivered", "nothing to do", "refused", "retry",
                                            "unknown",   "held",          NULL };
    static const char *const codes[] = { NULL, "DUPLICATE_USERNAME", "GUARD" };
    static const char *const confirmed[] = { "{\"IsActive\":true}", "{\"IsActive\":false}",
                                             "{\"UserLogin.IsFrozen\":true}" };
    CLEANUP(work_done) struct work work = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    const char *outcome = outcomes[dice % 7], *code = codes[dice / 7 % 3];
    const char *json = confirmed[dice / 21 % 3];

    T_OK(store_load_id(s->store, id, &work, &err), &err);
    free(work.link.outcome);
    free(work.link.code);
    work.link.outcome = outcome ? strdup(outcome) : NULL;
    work.link.code = code ? strdup(code) : NULL;
    work.link.confirmed = value_of(json);
    work.link.in_flight = dice / 63 % 3 ? NULL : value_of("{}");
    if (dice / 189 % 2)
        snprintf(work.link.salesforce_id, sizeof(work.link.salesforce_id), "005%015lld",
                 (long long)id);
    work.link.settled_version = work.subject.version - dice / 378 % 2;
    if (dice / 756 % 2)
        T_OK(wait_begin(&work.link, WAIT_MANAGER, "/Users/9", 1 + dice / 7 % 2), NULL);
    else
        wait_end(&work.link, WAIT_MANAGER);
    if (dice / 1512 % 3)
        T_OK(wait_begin(&work.link, WAIT_UNFREEZING, NULL, 1), NULL);
    wait_weigh(&work.link, dice / 5 % 3);
    T_OK(store_begin(s->store, STORE_UNFENCED, &err), &err);
    T_OK(store_put_link(s->store, id, &work.link, &err), &err);
    if (dice % 5 == 0) /* what is taken back counts for nothing */
        store_rollback(s->store);
    else
        T_OK(store_commit(s->store, &err), &err);
}

/* Settles all who are due as they were read, after the news. */
static void
settle_around(struct scratch *s, struct event *news)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct work *work = NULL;
    size_t count = 0;

    T_OK(store_due(s->store, DUE_NOW, 10, NULL, &work, &count, &err), &err);
    if (news)
        scratch_accept(s->store, news);
    T_OK(store_begin(s->store, STORE_UNFENCED, &err), &err);
    for (size_t i = 0; i < count; i++) {
        free(work[i].link.outcome);
        work[i].link.outcome = strdup(OUTCOME_DELIVERED);
        work[i].link.settled_version = work[i].subject.version;
        T_OK(store_put_link(s->store, work[i].subject.id, &work[i].link, &err), &err);
        T_OK(store_due_delete(s->store, &work[i], &err), &err);
    }
    T_OK(store_commit(s->store, &err), &err);
    work_list_free(work, count);
}

static void
check_in_step(struct scratch *s, int64_t in_step, int64_t pending)
{
    AUTO_JSON struct json_object *counts = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(store_read_counts(s->store, &counts, &err), &err);
    T_INT(json_get_int(json_get(counts, "subjects"), "in_step", -1), in_step);
    T_INT(json_get_int(json_get(counts, "subjects"), "pending", -1), pending);
}

static void
give_outcome(struct scratch *s, struct work *work, const char *outcome)
{
    struct prov_error err = PROV_ERROR_INIT;

    free(work->link.outcome);
    work->link.outcome = strdup(outcome);
    work->link.settled_version = work->subject.version;
    T_OK(store_begin(s->store, STORE_UNFENCED, &err), &err);
    T_OK(store_put_link(s->store, work->subject.id, &work->link, &err), &err);
    T_OK(store_commit(s->store, &err), &err);
    work->link.stored_version = work->link.settled_version;
}

/* What a link was counted as stands in the store, whatever its writer has seen of it. */
static void
a_stale_copy_of_a_link_counts_nobody_twice(void)
{
    CLEANUP(work_done) struct work one = { 0 }, other = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    int64_t id, active = 0;

    scratch_make(&s);
    id = scratch_put(s.store, "j1", "/Users/1", "a");
    settle_around(&s, NULL);
    check_in_step(&s, 1, 0);
    T_OK(store_load_id(s.store, id, &one, &err), &err);
    T_OK(store_load_id(s.store, id, &other, &err), &err);
    give_outcome(&s, &one, OUTCOME_REFUSED);
    check_in_step(&s, 0, 0);
    give_outcome(&s, &other, OUTCOME_DELIVERED);
    check_in_step(&s, 1, 0);
    scratch_put(s.store, "j2", "/Users/1", "b");
    one.subject.version = other.subject.version = 2;
    give_outcome(&s, &one, OUTCOME_DELIVERED);
    check_in_step(&s, 1, 0);
    give_outcome(&s, &other,
                 OUTCOME_DELIVERED); /* which knows him as settled with the first event */
    check_in_step(&s, 1, 0);
    strcpy(one.link.salesforce_id, "005000000000001AAA"); /* an account now, and active */
    give_outcome(&s, &one, OUTCOME_DELIVERED);
    give_outcome(&s, &one, OUTCOME_DELIVERED);
    check_in_step(&s, 1, 0);
    T_OK(store_active_accounts(s.store, &active, &err), &err);
    T_INT(active, 1);
    scratch_remove(&s);
}

static void
news_that_came_since_the_round_was_read_count(void)
{
    struct scratch s;

    scratch_make(&s);
    scratch_put(s.store, "j1", "/Users/1", "a");
    scratch_put(s.store, "j2", "/Users/2", "b");
    settle_around(&s, scratch_event("j3", "/Users/2", "put", "{\"userName\":\"bb\"}"));
    check_in_step(&s, 1, 1);
    settle_around(&s, NULL);
    check_in_step(&s, 2, 0);
    settle_around(&s, scratch_event("j4", "/Users/1", "put", "{\"userName\":\"aa\"}"));
    check_in_step(&s, 1, 1);
    scratch_remove(&s);
}

static void
kept_numbers_are_what_counting_gives(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;
    unsigned dice = 1;

    scratch_make(&s);
    for (int turn = 0; turn < 600; turn++) {
        AUTO_JSON struct json_object *counts = NULL;
        char uri[20], jti[20], name[20];
        int64_t id;

        dice = dice * 1103515245u + 12345u;
        snprintf(uri, sizeof(uri), "/Users/%u", dice >> 16 & 15);
        snprintf(jti, sizeof(jti), "turn-%d", turn);
        snprintf(name, sizeof(name), "user%u", dice >> 16 & 15);
        id = scratch_id(s.store, uri);
        if (id && (dice >> 20) % 3)
            settle_somehow(&s, id, dice >> 8 & 0xffff);
        else
            (void)scratch_put(s.store, jti, uri, name);
        if (turn % 20)
            continue;
        T_OK(store_read_counts(s.store, &counts, &err), &err);
        count_by_hand(&s, counts);
    }
    scratch_remove(&s);
}

static int64_t
fixed_clock(void)
{
    return fixed_now_us;
}

static void
counts_name_the_oldest_that_waits(void)
{
    int64_t (*clock)(void) = clock_now_us;
    struct prov_error err = PROV_ERROR_INIT;
    struct scratch s;

    clock_now_us = fixed_clock;
    fixed_now_us = INT64_C(1800000000) * CLOCK_SECOND_US;
    scratch_make(&s);
    {
        AUTO_JSON struct json_object *counts = NULL;
        T_OK(store_read_counts(s.store, &counts, &err), &err);
        T_INT(json_get_int(counts, "events", -1), 0);
        T_INT(json_get_int(json_get(counts, "subjects"), "total", -1), 0);
        T_INT(json_get_int(json_get(counts, "subjects"), "parked", -1), 0);
        T_TRUE(json_get(counts, "oldest_pending_s") == NULL);
        T_STR(json_get_string(counts, "store"), s.path);
    }
    scratch_put(s.store, "j1", "/Users/1", "a");
    fixed_now_us += 60 * CLOCK_SECOND_US;
    scratch_put(s.store, "j2", "/Users/2", "b");
    scratch_put(s.store, "j3", "/Users/3", "c");
    scratch_settle(s.store, "/Users/3", "refused", NULL);
    fixed_now_us += 5 * CLOCK_SECOND_US;
    for (int settled = 0; settled < 2; settled++) {
        AUTO_JSON struct json_object *counts = NULL;
        T_OK(store_read_counts(s.store, &counts, &err), &err);
        T_INT(json_get_int(counts, "oldest_pending_s", -1), settled ? 5 : 65);
        T_INT(json_get_int(counts, "due", -1), settled ? 1 : 2);
        T_INT(json_get_int(counts, "events", -1), 3);
        T_INT(json_get_int(json_get(counts, "subjects"), "pending", -1), settled ? 1 : 2);
        T_INT(json_get_int(json_get(counts, "subjects"), "in_step", -1), settled ? 1 : 0);
        T_INT(json_get_int(json_get(counts, "subjects"), "parked", -1), 1);
        T_INT(json_get_int(json_get(counts, "subjects"), "total", -1), 3);
        if (!settled)
            scratch_settle(s.store, "/Users/1", "delivered", ID);
    }
    fixed_now_us -= 3600 * CLOCK_SECOND_US; /* the clock was set back */
    {
        AUTO_JSON struct json_object *counts = NULL;
        T_OK(store_read_counts(s.store, &counts, &err), &err);
        T_INT(json_get_int(counts, "oldest_pending_s", -1), 0);
    }
    clock_now_us = clock;
    scratch_remove(&s);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(those_with_a_user_name_are_found_whoever_they_were),
        UNIT_CASE(the_state_of_a_subject_follows_from_its_versions),
        UNIT_CASE(what_became_of_an_event_follows_from_the_versions),
        UNIT_CASE(an_event_of_no_user_is_listed_as_ignored),
        UNIT_CASE(a_subject_is_shown_with_all_an_admin_needs),
        UNIT_CASE(one_subject_is_found_by_whatever_names_it),
        UNIT_CASE(a_name_that_fits_several_names_them_and_can_be_resolved),
        UNIT_CASE(subjects_are_listed_by_page_state_and_text),
        UNIT_CASE(subjects_are_listed_by_name),
        UNIT_CASE(a_page_that_makes_no_sense_is_refused),
        UNIT_CASE(events_are_listed_from_a_place_on),
        UNIT_CASE(the_story_of_a_subject_holds_its_newest_events),
        UNIT_CASE(counts_name_the_oldest_that_waits),
        UNIT_CASE(news_that_came_since_the_round_was_read_count),
        UNIT_CASE(a_stale_copy_of_a_link_counts_nobody_twice),
        UNIT_CASE(kept_numbers_are_what_counting_gives),
    };

    return unit_run("store_read", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
