/* Shows what `match` would find, before anything is sent. The accounts are the org's, the judgement is
 * match.c's; here it is put into words. */
#include <stdio.h>
#include <string.h>

#include "plugin/delivery/match.h"

/* Subjects of one page, planned as they would be created. */
struct page {
    struct work *works;
    struct plan *plans;
    struct match *matches;
    size_t count, room; /* count of those who are to be created; room for all that were looked at */
    int64_t last;       /* the last subject looked at; 0: there are no more */
};

static void
page_done(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        match_done(&page->matches[i]);
        plan_done(&page->plans[i]);
        work_done(&page->works[i]);
    }
    free(page->works);
    free(page->plans);
    free(page->matches);
}

/* Keeps a subject if it is to be created. */
static int
take_subject(struct delivery *d, int64_t subject, struct page *page, struct prov_error *err)
{
    struct work *work = &page->works[page->count];
    struct plan *plan = &page->plans[page->count];
    struct plan_input input = { .fields = d->fields,
                                .subject = &work->subject,
                                .link = &work->link };
    int r = store_load_id(d->store, subject, work, err);

    if (!r)
        r = plan_make(&input, plan, err);
    if (!r && plan->action == PLAN_CREATE) {
        page->matches[page->count++] =
            (struct match){ .subject = &work->subject, .fields = plan->fields };
        return PROV_OK;
    }
    plan_done(plan);
    work_done(work);
    return r;
}

static int
read_page(struct delivery *d, const struct page_request *request, struct page *page,
          struct prov_error *err)
{
    AUTO_FREE int64_t *ids = calloc((size_t)request->limit, sizeof(*ids));
    size_t count = 1;
    int r = PROV_OK;

    page->room = (size_t)request->limit;
    page->works = calloc(page->room, sizeof(*page->works));
    page->plans = calloc(page->room, sizeof(*page->plans));
    page->matches = calloc(page->room, sizeof(*page->matches));
    if (!ids || !page->works || !page->plans || !page->matches)
        return error_nomem(err);
    if (request->subject)
        ids[0] = request->subject;
    else
        r = store_unlinked(d->store, request->after, request->limit, ids, &count, err);
    for (size_t i = 0; !r && i < count; i++)
        r = take_subject(d, ids[i], page, err);
    if (!r && count == page->room && !request->subject)
        page->last = ids[count - 1];
    return r;
}

static struct json_object *
accounts_of(const struct match *match)
{
    AUTO_JSON struct json_object *list = json_object_new_array();

    for (size_t i = 0; list && match->rows && i < json_object_array_length(match->rows); i++) {
        struct json_object *row = json_object_array_get_idx(match->rows, i);
        struct json_object *account = json_object_new_object();
        if (!account || json_append(list, account) ||
            json_put_string(account, "salesforce_id", json_get_string(row, "Id")) ||
            json_put_string(account, "username", json_get_string(row, "Username")) ||
            json_put_bool(account, "active", json_get_bool(row, "IsActive", true)))
            return NULL;
    }
    return STEAL(list);
}

static int
tell(struct json_object *list, const struct match *match, struct prov_error *err)
{
    static const char *const results[] = { [MATCH_NONE] = "create",
                                           [MATCH_ADOPT] = "adopt",
                                           [MATCH_WAIT] = "adopt", /* later, as the reason says */
                                           [MATCH_REFUSE] = "park" };
    struct json_object *line = json_object_new_object(), *accounts;

    if (!line || json_append(list, line))
        return error_nomem(err);
    accounts = accounts_of(match);
    if (!accounts || json_put(line, "accounts", accounts) ||
        json_put_string(line, "iss", match->subject->iss) ||
        json_put_string(line, "uri", match->subject->uri) ||
        json_put_string(line, "userName", plan_user_name(match->subject)) ||
        json_put_string(line, "result", results[match->verdict]) ||
        json_put_string(line, "by", match->key) ||
        json_put_string(line, "value",
                        match->key ? value_spelling(value_get_nocase(match->fields, match->key))
                                   : NULL) ||
        json_put_string(line, "code", match->code) ||
        json_put_string(line, "reason", match->reason[0] ? match->reason : NULL))
        return error_nomem(err);
    return PROV_OK;
}

int
delivery_match(struct delivery *d, const struct page_request *request, struct json_object **ret,
               struct prov_error *err)
{
    CLEANUP(page_done) struct page page = { 0 };
    AUTO_JSON struct json_object *result = json_object_new_object();
    struct json_object *list = json_object_new_array();
    struct sf_call call;
    int r = json_put(result, "matches", list) || !list ? error_nomem(err) : PROV_OK;

    if (!r && !d->fields->match)
        r = error_set(err, PROV_E_FIELDS,
                      "the field 'match' is not set, so users are created without looking for "
                      "accounts that are there; name the fields to compare, such as "
                      "[\"EmployeeNumber\", \"Email\"]");
    if (!r)
        r = read_page(d, request, &page, err);
    if (!r)
        r = org_refuse_other(d, err);
    if (!r)
        r = match_find(d, page.matches, page.count, &call, err);
    if (!r && call.outcome != SF_DELIVERED)
        r = error_set(err, PROV_E_REMOTE, "the org cannot be asked: %s%s%s; cause: %s; to do: %s",
                      call.code, call.code[0] ? ": " : "", call.message, call.cause, call.remedy);
    for (size_t i = 0; !r && i < page.count; i++)
        r = tell(list, &page.matches[i], err);
    if (!r && json_put(result, "next", page.last ? json_object_new_int64(page.last) : NULL))
        r = error_nomem(err);
    if (!r)
        *ret = STEAL(result);
    return r;
}
