/* What was heard of people since, on its way into the connector. */
#ifndef CLI_FOLLOW_NEWS_H
#define CLI_FOLLOW_NEWS_H

#include "hosts/adapter/token.h"
#include "hosts/cli/answers.h"
#include "hosts/cli/host.h"

struct follow_item {
    struct token token;
    char *dn; /* NULL: of who is gone, or cannot be read */
    bool refused;
};

/* Zeroed but for the host: there are none. */
struct follow_news {
    struct host *host;
    struct follow_item items[ANSWERS_BATCH];
    size_t count;
};

/* dn: of who it is about; NULL: they are gone. */
int follow_news_add(struct follow_news *news, const struct token_spec *spec, const char *dn,
                    struct prov_error *err);
/* Of somebody who cannot be read: that they are inactive. Nobody is made known by that. */
int follow_news_lock(struct follow_news *news, const char *uri, struct prov_error *err);

/* Hands them over. On failure all of it is to be heard again. */
int follow_news_hand_over(struct follow_news *news, struct prov_error *err);
void follow_news_forget(struct follow_news *news);

/* Whether the connector knows of somebody. */
int follow_news_is_known(struct follow_news *news, const char *uri, bool *ret,
                         struct prov_error *err);

#endif
