/*
 * News: the events that delivery has not taken yet. Who has news is due, and no row of `due` says so: events
 * are read in the order in which they came, from the one behind which all is taken. That number is kept
 * (`tally`, NEWS_TAKEN); of an event up to it nothing is owed, but what `due` or `flight` says of its subject.
 *
 * A round is settled in another order than it was read in, and may leave somebody due. So here is remembered
 * what was read since that number, and what of it is over; the number moves with the transaction that settles the
 * first that was not. Whoever is left behind for long gets a row of `due`, so that little has to be remembered.
 * What is remembered may be forgotten at any time, as a crash does: then events are read again, and those of
 * versions that are settled are passed over (due.c).
 *
 * Leavers go ahead of the news: their events are marked, have a row of `due`, and are no news here.
 *
 * Used by the one thread that delivers: what it reads under read_lock, and settles under write_lock. A thread that
 * accepts ends write transactions too, at the same time as this one reads; so whether a transaction goes on
 * with the news stands with the transaction.
 */
#include "plugin/store/internal.h"

#include <stdlib.h>
#include <string.h>

/* So much is remembered; what is left behind further back gets a row of `due`. */
#define REMEMBERED_MOST 4000

/* So many events may be passed over before that is written by itself: of no user, or of leavers. */
#define PASSED_MOST 1000

enum {
    NEWS_OPEN,
    NEWS_OVER,
    NEWS_MOVED /* it has a row of `due` now */
};

struct news_row {
    int64_t seq, subject;
    int state;
};

void
news_forget(struct news *news)
{
    free(news->rows);
    *news = (struct news){ 0 };
}

/* Whatever is not open at the beginning need not be remembered. */
static void
trim(struct news *news)
{
    size_t over = 0;

    while (over < news->count && news->rows[over].state != NEWS_OPEN)
        over++;
    if (over == 0)
        return;
    news->count -= over;
    memmove(news->rows, news->rows + over, news->count * sizeof(*news->rows));
}

/* All events up to this one are over. */
static int64_t
position(const struct news *news)
{
    for (size_t i = 0; i < news->count; i++) {
        if (news->rows[i].state == NEWS_OPEN)
            return news->rows[i].seq - 1;
    }
    return news->end;
}

static struct news_row *
find(const struct news *news, int64_t seq)
{
    size_t low = 0, high = news->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (news->rows[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < news->count && news->rows[low].seq == seq ? &news->rows[low] : NULL;
}

int
news_begin(struct store *store, struct db *db, const struct under_way *but, int64_t *ret_after,
           int64_t *ret_known, struct prov_error *err)
{
    CLEANUP(db_rows_cleanup) struct db_rows rows = { 0 };
    struct news *news = &store->news;
    bool row = false;
    size_t i = 0;

    if (!news->begun) {
        int r = db_one_row(db, &rows, &row, err, "SELECT " NEWS_TAKEN, "");
        if (r)
            return r;
        *news = (struct news){ .begun = true, .kept = db_int(&rows, 0), .end = db_int(&rows, 0) };
    }
    while (i < news->count &&
           (news->rows[i].state != NEWS_OPEN || due_is_under_way(but, news->rows[i].subject)))
        i++;
    *ret_after = i < news->count ? news->rows[i].seq - 1 : news->end;
    *ret_known = (int64_t)(news->count - i);
    return PROV_OK;
}

int
news_read(struct store *store, int64_t seq, int64_t subject, bool *ret_open, struct prov_error *err)
{
    struct news *news = &store->news;
    struct news_row *more, *known = seq <= news->end ? find(news, seq) : NULL;

    *ret_open = seq > news->end || (known && known->state == NEWS_OPEN);
    if (seq <= news->end)
        return PROV_OK;
    if (news->count == news->room) {
        size_t room = news->room ? 2 * news->room : 1024;
        more = reallocarray(news->rows, room, sizeof(*more));
        if (!more)
            return error_nomem(err);
        news->rows = more;
        news->room = room;
    }
    news->rows[news->count++] = (struct news_row){ seq, subject, NEWS_OPEN };
    news->end = seq;
    return PROV_OK;
}

void
news_read_all(struct store *store, int64_t newest)
{
    if (newest > store->news.end)
        store->news.end = newest;
}

void
news_pass(struct store *store, int64_t seq)
{
    struct news_row *row = find(&store->news, seq);

    if (!row || row->state != NEWS_OPEN)
        return;
    row->state = NEWS_OVER;
    store->news.behind = true;
}

bool
news_over(struct store *store, int64_t seq)
{
    struct news_row *row = find(&store->news, seq);

    if (!row || row->state == NEWS_MOVED)
        return false;
    row->state = NEWS_OVER;
    store->news_marked = true;
    return true;
}

/* [tx] Who was left behind. */
static int
move_oldest(struct store *store, struct prov_error *err)
{
    struct news *news = &store->news;
    int r = PROV_OK;

    for (size_t i = 0; !r && i + REMEMBERED_MOST < news->count; i++) {
        struct news_row *row = &news->rows[i];
        if (row->state != NEWS_OPEN)
            continue;
        r = db_run(store->write, err, "INSERT INTO due (at, seq, tie, subject) VALUES (1, ?, 0, ?)",
                   "ii", row->seq, row->subject);
        row->state = NEWS_MOVED;
    }
    return r;
}

int
news_write(struct store *store, struct prov_error *err)
{
    struct news *news = &store->news;
    int64_t taken;
    int r;

    if (!store->news_marked)
        return PROV_OK;
    r = move_oldest(store, err);
    taken = position(news);
    if (r || taken <= news->kept)
        return r;
    /* whoever has taken delivery over meanwhile may be further */
    return db_run(store->write, err, "UPDATE tally SET n = max(n, ?) WHERE " NEWS_ROW, "i", taken);
}

void
news_ended(struct store *store, bool committed)
{
    struct news *news = &store->news;

    if (!store->news_marked)
        return;
    store->news_marked = false;
    if (!committed) {
        news_forget(news);
        return;
    }
    news->kept = position(news);
    news->behind = false;
    trim(news);
}

int
news_keep(struct store *store, bool idle, struct prov_error *err)
{
    struct news *news = &store->news;
    int r;

    if (idle && news->kept == INT64_MAX)
        return news_return(store, err);
    if (!(idle && news->behind) && position(news) - news->kept < PASSED_MOST)
        return PROV_OK;
    r = store_begin(store, STORE_UNFENCED, err);
    if (r)
        return r;
    store->news_marked = true;
    return store_commit(store, err);
}
