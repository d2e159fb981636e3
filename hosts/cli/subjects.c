/*
 * Reads subjects in pages and tells of those who are parked or wait, one block a reason. Decides how many a
 * person is shown; cause and remedy are the plugin's words.
 */
#include "hosts/cli/subjects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

#define PAGE       500
#define PARKED_MAX 1000
#define NAMES_MAX  5
#define GROUPS_MAX 30

/* Who stands on a damaged page of the store; the others are listed. How many. */
static size_t
name_unreadable(struct json_object *unreadable)
{
    for (size_t i = 0; i < reply_count(unreadable); i++) {
        struct json_object *user = reply_item(unreadable, i);

        complain("'%s' cannot be read: %s", reply_word(user, "uri"), reply_word(user, "reason"));
    }
    return reply_count(unreadable);
}

/* One page; *after moves on, or becomes -1 after the last. */
static int
next_page(struct host *host, struct json_object *request, long limit, int64_t *after,
          struct json_object *rows, size_t *hidden)
{
    struct json_object *page, *subjects, *next;
    int code;

    reply_put(request, "after", json_object_new_int64(*after));
    reply_put(request, "limit", json_object_new_int64(limit));
    code = host_query(host, json_object_get(request), &page);
    if (code)
        return code;
    subjects = reply_get(page, "subjects");
    for (size_t i = 0; i < reply_count(subjects); i++) {
        struct json_object *row = json_object_get(reply_item(subjects, i));

        if (json_object_array_add(rows, row)) {
            json_object_put(row);
            json_object_put(page);
            complain("out of memory");
            return CODE_FAILED;
        }
    }
    *hidden += name_unreadable(reply_get(page, "unreadable"));
    next = reply_get(page, "next");
    *after = next && json_object_get_int64(next) > *after ? json_object_get_int64(next) : -1;
    json_object_put(page);
    return CODE_DONE;
}

int
subjects_list(struct host *host, struct json_object *request, long limit, struct json_object **ret,
              size_t *ret_hidden)
{
    struct json_object *rows = json_object_new_array();
    int64_t after = 0;
    size_t hidden = 0;
    int code = rows && request ? CODE_DONE : CODE_FAILED;

    if (code)
        complain("out of memory");
    while (!code && after >= 0) {
        long left = limit ? limit - (long)json_object_array_length(rows) : PAGE;

        if (left <= 0)
            break;
        code = next_page(host, request, left < PAGE ? left : PAGE, &after, rows, &hidden);
    }
    json_object_put(request);
    if (code) {
        json_object_put(rows);
        return code;
    }
    *ret = rows;
    if (ret_hidden)
        *ret_hidden = hidden;
    return CODE_DONE;
}

const char *
outcome_open(struct json_object *row)
{
    static const char *const settled[] = { "delivered", "nothing to do", "refused", "waiting" };
    const char *outcome = reply_text(row, "outcome");

    for (size_t i = 0; outcome && i < sizeof(settled) / sizeof(settled[0]); i++) {
        if (!strcmp(outcome, settled[i]))
            return NULL;
    }
    return outcome;
}

const char *
host_name(struct json_object *row)
{
    return reply_word(row, reply_text(row, "userName") ? "userName" : "uri");
}

struct json_object *
parked_list(struct host *host)
{
    static const char *const states[] = { "parked", "waiting" };
    struct json_object *all = json_object_new_array();

    for (size_t i = 0; all && i < 2; i++) {
        struct json_object *request = host_request("query", "subjects"), *rows;

        reply_put_text(request, "state", states[i]);
        if (subjects_list(host, request, PARKED_MAX, &rows, NULL)) {
            json_object_put(all);
            return NULL;
        }
        for (size_t n = 0; n < reply_count(rows); n++)
            json_object_array_add(all, json_object_get(reply_item(rows, n)));
        json_object_put(rows);
    }
    return all;
}

void
parked_put(struct json_object *answer, struct json_object *rows)
{
    struct json_object *parked = rows ? json_object_new_array() : NULL;
    struct json_object *waiting = rows ? json_object_new_array() : NULL;

    for (size_t i = 0; parked && waiting && i < reply_count(rows); i++) {
        struct json_object *row = reply_item(rows, i);
        bool waits = !strcmp(reply_word(row, "state"), "waiting");

        json_object_array_add(waits ? waiting : parked, json_object_get(row));
    }
    reply_put(answer, "parked", parked);
    reply_put(answer, "waiting", waiting);
}

int64_t
parked_count(struct host *host)
{
    struct json_object *status;
    int64_t count;

    if (host_query(host, host_request("query", "status"), &status))
        return 0;
    count = reply_number(reply_get(status, "subjects"), "parked") +
            reply_number(reply_get(status, "subjects"), "waiting");
    json_object_put(status);
    return count;
}

static void
print_reason(const char *label, const char *text)
{
    if (!text || !*text)
        return;
    printf("    %-8s", label);
    screen_block(12, TONE_PLAIN, text);
}

/* Parked for the same reason, so that one block tells it for all. */
static bool
same_reason(struct json_object *a, struct json_object *b)
{
    static const char *const members[] = { "code", "message", "cause", "remedy" };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(reply_word(a, members[i]), reply_word(b, members[i])))
            return false;
    }
    return true;
}

static void
print_name(struct json_object *row, size_t before)
{
    fputs(before ? ", " : "  ", stdout);
    screen_tone(stdout, TONE_BOLD, host_name(row));
}

/* One block: everybody from `first` on who is parked for the same reason. */
static void
print_group(struct json_object *rows, size_t first, bool *told)
{
    struct json_object *row = reply_item(rows, first);
    size_t count = 0;

    for (size_t i = first; i < reply_count(rows); i++) {
        if (told[i] || !same_reason(row, reply_item(rows, i)))
            continue;
        told[i] = true;
        if (count++ < NAMES_MAX)
            print_name(reply_item(rows, i), count - 1);
    }
    if (count > NAMES_MAX)
        printf(" and %zu more", count - NAMES_MAX);
    fputs("  ", stdout);
    screen_tone(stdout, TONE_BAD, reply_word(row, "code"));
    putchar('\n');
    print_reason("reason", reply_text(row, "message"));
    print_reason("cause", reply_text(row, "cause"));
    print_reason("remedy", reply_text(row, "remedy"));
}

void
parked_print(struct json_object *rows, int64_t total)
{
    size_t count = reply_count(rows), groups = 0;
    bool *told = count ? calloc(count, sizeof(*told)) : NULL;

    if (!told)
        return;
    printf("%" PRId64 " %s parked or %s:\n", total, total == 1 ? "user is" : "users are",
           total == 1 ? "waits" : "wait");
    for (size_t i = 0; i < count; i++) {
        if (!told[i] && groups++ < GROUPS_MAX)
            print_group(rows, i, told);
    }
    if (groups > GROUPS_MAX || total > (int64_t)count)
        puts("  ... 'sfprov list' with --state parked, or waiting, names them all");
    putchar('\n');
    free(told);
}
