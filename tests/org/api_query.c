/* Queries and their pages (2.10). Decides how many rows a page has and how long a cursor lives; what
 * a query finds is left to soql_run.c. A cursor keeps the records as they were found. */
#include "tests/org/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MIN_PAGE = 200,
    MAX_PAGE = 2000,
    CURSOR_LIFE_MS = 2 * 24 * 3600 * 1000 /* 2.10: days, two of them unsure */
};

/* 2.2: Sforce-Query-Options: batchSize=200, a hint within 200 to 2000; the setting page_size may
 * make pages smaller, as the server may. */
static size_t
page_size(const struct call *call)
{
    const char *options = call->request->query_options;
    const char *found = options ? strcasestr(options, "batchSize=") : NULL;
    long wanted = found ? strtol(found + strlen("batchSize="), NULL, 10) : MAX_PAGE;

    if (wanted < MIN_PAGE)
        wanted = MIN_PAGE;
    if (wanted > MAX_PAGE)
        wanted = MAX_PAGE;
    if (wanted > call->org->settings.page_size)
        wanted = (long)call->org->settings.page_size;
    return (size_t)(wanted > 0 ? wanted : 1);
}

static void
answer_page(struct call *call, struct json_object *records, size_t total, size_t from, size_t page,
            const char *cursor_id)
{
    struct json_object *answer = js_object(), *slice = js_array();
    size_t count = json_object_array_length(records),
           end = from + page < count ? from + page : count;

    for (size_t i = from; i < end; i++)
        js_append(slice, json_object_get(json_object_array_get_idx(records, i)));
    js_put_int(answer, "totalSize", (int64_t)total);
    js_put_flag(answer, "done", end == count);
    if (end < count) {
        AUTO_FREE char *next =
            text_format("/services/data/%s/query/%s-%zu", call->version, cursor_id, end);
        js_put_text(answer, "nextRecordsUrl", next);
    }
    js_put(answer, "records", slice);
    call->records = (int64_t)(end - from);
    reply_json(call->reply, 200, answer);
}

/* Takes over records. The oldest cursor makes room. */
static struct cursor *
open_cursor(struct org *org, struct json_object *records, size_t page)
{
    struct cursor *cursor = &org->cursors[org->next_cursor++ % MAX_CURSORS];

    json_object_put(cursor->records);
    id_make(cursor->id, "01g", org->index, org->next_number++);
    cursor->opened_ms = org->world->now_ms();
    cursor->records = records;
    cursor->page_size = page;
    return cursor;
}

static void
answer_query(struct call *call)
{
    const char *soql = call_parameter(call, "q");
    struct query_result result = { 0 };
    struct refusal refusal;
    const char *cursor_id = "";
    size_t page = page_size(call);

    if (!soql || !*soql) {
        reply_error(call->reply, 400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null");
        return;
    }
    if (!soql_run(call->org, soql, call->version, strcmp(call->segments[API_ROOT], "queryAll") == 0,
                  &result, &refusal)) {
        reply_refusal(call->reply, &refusal);
        return;
    }
    AUTO_JS struct json_object *records = result.records;
    if (json_object_array_length(records) > page)
        cursor_id = open_cursor(call->org, json_object_get(records), page)->id;
    answer_page(call, records, result.total, 0, page, cursor_id);
}

static void
answer_next(struct call *call, const char *locator)
{
    char id[ID_SIZE] = "";
    size_t from = 0;
    int end = 0;

    if (sscanf(locator, "%18[0-9A-Za-z]-%zu%n", id, &from, &end) == 2 && !locator[end]) {
        for (size_t i = 0; i < MAX_CURSORS; i++) {
            struct cursor *cursor = &call->org->cursors[i];
            size_t count = cursor->records ? json_object_array_length(cursor->records) : 0;
            if (!cursor->records || strcmp(cursor->id, id) != 0 || from >= count ||
                call->org->world->now_ms() - cursor->opened_ms > CURSOR_LIFE_MS)
                continue;
            answer_page(call, cursor->records, count, from, cursor->page_size, cursor->id);
            return;
        }
    }
    reply_error(call->reply, 400, "INVALID_QUERY_LOCATOR", "invalid query locator");
}

void
api_query(struct call *call)
{
    size_t count = call->segment_count - API_ROOT;

    if (count == 1)
        answer_query(call);
    else if (count == 2)
        answer_next(call, call->segments[API_ROOT + 1]);
    else
        reply_not_found(call->reply);
}
