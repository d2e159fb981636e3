/*
 * Decides that many who change together are handed over at once, and that a lock counts also of those who are refused.
 */
#include "hosts/cli/follow_news.h"

#include <stdlib.h>
#include <string.h>

#include "hosts/cli/follow_mark.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

static int
answered(struct follow_news *news, const struct prov_answer *answers, struct prov_error *err)
{
    for (size_t i = 0; i < news->count; i++) {
        struct follow_item *item = &news->items[i];

        item->refused = answers[i].status == PROV_ANSWER_REFUSED;
        if (item->refused)
            follow_mark_missed(news->host, "'%s' is refused: %s",
                               item->dn ? item->dn : item->token.uri, answers[i].error.text);
        else if (answers[i].status != PROV_ANSWER_ACCEPTED) {
            *err = answers[i].error;
            return err->code ? err->code : PROV_E_STORE;
        }
    }
    return PROV_OK;
}

void
follow_news_forget(struct follow_news *news)
{
    for (size_t i = 0; i < news->count; i++) {
        token_clear(&news->items[i].token);
        free(news->items[i].dn);
        news->items[i].dn = NULL;
    }
    news->count = 0;
}

static int
submit(struct follow_news *news, struct prov_error *err)
{
    struct prov_event events[ANSWERS_BATCH];
    struct prov_answer answers[ANSWERS_BATCH];
    int result = PROV_OK;

    for (size_t i = 0; i < news->count; i++) {
        events[i] = (struct prov_event){ .size = sizeof(events[i]),
                                         .json = news->items[i].token.json,
                                         .length = news->items[i].token.length };
        answers[i] = (struct prov_answer){ .size = sizeof(answers[i]) };
    }
    if (news->count)
        result = news->host->api.submit(news->host->connector, events, news->count, answers, err);
    return result ? result : answered(news, answers, err);
}

/* Whether nothing was heard of them after that. */
static bool
is_newest(const struct follow_news *news, size_t at)
{
    for (size_t i = at + 1; i < news->count; i++) {
        if (!strcmp(news->items[i].token.uri, news->items[at].token.uri))
            return false;
    }
    return true;
}

/* A lock is handed over also of those who are refused, unless something newer is said of them. */
int
follow_news_hand_over(struct follow_news *news, struct prov_error *err)
{
    char *locked[ANSWERS_BATCH];
    size_t count = 0;
    int result = submit(news, err);

    for (size_t i = 0; i < news->count; i++) {
        struct follow_item *item = &news->items[i];

        if (!item->refused || !item->token.inactive || !is_newest(news, i))
            continue;
        locked[count++] = item->token.uri;
        item->token.uri = NULL;
    }
    follow_news_forget(news);
    for (size_t i = 0; i < count; i++) {
        if (!result)
            result = follow_news_lock(news, locked[i], err);
        free(locked[i]);
    }
    if (!result && news->count)
        result = submit(news, err);
    follow_news_forget(news);
    return result;
}

int
follow_news_add(struct follow_news *news, const struct token_spec *spec, const char *dn,
                struct prov_error *err)
{
    int result = news->count == ANSWERS_BATCH ? follow_news_hand_over(news, err) : PROV_OK;
    struct follow_item *item = &news->items[news->count];

    if (!result)
        result = token_make(spec, &item->token, err);
    if (result)
        return result;
    item->dn = dn ? strdup(dn) : NULL;
    item->refused = false;
    news->count++;
    return PROV_OK;
}

int
follow_news_is_known(struct follow_news *news, const char *uri, bool *ret, struct prov_error *err)
{
    struct json_object *request = host_request("query", "subject"), *known = NULL;
    int result;

    reply_put_text(request, "user", uri);
    result = host_ask(news->host, request, &known, err);
    json_object_put(known);
    *ret = !result;
    return result == PROV_E_NOTFOUND ? PROV_OK : result;
}

int
follow_news_lock(struct follow_news *news, const char *uri, struct prov_error *err)
{
    bool known = false;
    int result = follow_news_is_known(news, uri, &known, err);

    if (result || !known)
        return result;
    complain("'%s' is inactive, and stays as it is otherwise", uri);
    return follow_news_add(
        news, &(struct token_spec){ .kind = TOKEN_LOCK, .host = "follow", .uri = uri }, NULL, err);
}
