/*
 * Decides that the newest have no room when there are too many: a directory whose managers have left for good keeps
 * it full, and nothing is lost by that but the time until a report changes by itself.
 */
#include "hosts/slapi/waiting.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/ldap/entry.h"

#define WAITING_MAX 4096

struct pair {
    unsigned hash; /* of the manager */
    char *manager, *report;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pair *pairs;
static size_t count;

static unsigned
hash_of(const char *text)
{
    unsigned hash = 5381;

    for (; *text; text++)
        hash = hash * 33 + (unsigned char)*text;
    return hash;
}

static bool
is_known(const struct pair *pair)
{
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].hash == pair->hash && !strcmp(pairs[i].report, pair->report) &&
            !strcmp(pairs[i].manager, pair->manager))
            return true;
    }
    return false;
}

void
waiting_note(const char *manager, const char *report)
{
    struct pair pair = { .manager = entry_plain_dn(manager), .report = entry_plain_dn(report) };

    pthread_mutex_lock(&lock);
    if (!pairs)
        pairs = calloc(WAITING_MAX, sizeof(*pairs));
    if (pairs && pair.manager && pair.report && count < WAITING_MAX) {
        pair.hash = hash_of(pair.manager);
        if (!is_known(&pair)) {
            pairs[count++] = pair;
            pair = (struct pair){ .hash = 0 };
        }
    }
    pthread_mutex_unlock(&lock);
    free(pair.manager);
    free(pair.report);
}

/* The lock is held. */
static char **
take(const char *manager)
{
    unsigned hash = hash_of(manager);
    char **reports = NULL;
    size_t kept = 0, taken = 0;

    for (size_t i = 0; i < count; i++) {
        bool hit = pairs[i].hash == hash && !strcmp(pairs[i].manager, manager);

        if (hit && !reports)
            reports = calloc(count - i + 1, sizeof(*reports));
        if (hit && reports) {
            reports[taken++] = pairs[i].report;
            free(pairs[i].manager);
        } else {
            pairs[kept++] = pairs[i];
        }
    }
    count = kept;
    return reports;
}

char **
waiting_take(const char *manager)
{
    char *plain = NULL, **reports = NULL;

    pthread_mutex_lock(&lock);
    if (count)
        plain = entry_plain_dn(manager);
    if (plain)
        reports = take(plain);
    pthread_mutex_unlock(&lock);
    free(plain);
    return reports;
}
