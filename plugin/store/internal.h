/* What the files of this room share. Not for other rooms. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <sys/types.h>

#include "plugin/base/seal.h"
#include "plugin/store/db.h"
#include "plugin/store/store.h"

struct accept_call; /* group.c */

/* Of the events after `kept`, which the store has as taken, what this process knows (news.c). */
struct news {
    struct news_row *rows; /* read, and not all over; ascending */
    size_t count, room;
    int64_t end; /* read up to here */
    int64_t kept;
    bool begun;
    bool behind; /* some were passed over, and `kept` does not say so */
};

struct store {
    char *path, *lease_path;
    struct store *next_open; /* the process-wide list, for the fork handlers */

    const char *key_source; /* NULL: passwords are dropped */
    struct sealer *sealer;  /* NULL: not read yet; guarded by write_lock */

    store_scope_fn in_scope; /* NULL: everybody */
    const void *scope_context;

    pthread_mutex_t write_lock, read_lock;
    struct db *write, *read;   /* NULL: open when needed */
    pthread_mutex_t open_lock; /* while one of them is opened; innermost */

    /* the write-ahead log (sweep.c) */
    pthread_mutex_t sweep_lock;
    struct db *sweep; /* guarded by sweep_lock */
    struct db_log log;

    /* Around every use of the scratch file of a list (snapshot.c): the files stay open over a fork,
     * the child has no use for them, but no thread may be inside SQLite when it comes. */
    pthread_mutex_t list_lock;

    /* group commit (group.c) */
    pthread_mutex_t queue_lock;
    struct accept_call *queue_head, **queue_tail;
    bool leading;

    struct news news; /* of the thread that delivers; the others do not look */

    /* of the write transaction under way, guarded by write_lock: whether `news` goes on with it (news.c), the
     * number of the next new subject (accept.c), and numbers (tally.c) */
    bool news_marked;
    int64_t next_subject; /* 0: not asked yet */
    int64_t counted[STORE_COUNTERS];
    struct tally_move *moves;
    size_t move_count;
    int64_t newest; /* event; 0: not looked at */

    /* lease (lease.c); guarded by the process-wide list's lock */
    int lease_fd; /* -1: not held */
    dev_t lease_device;
    ino_t lease_inode;
    int64_t epoch;
};

static inline void
unlock_cleanup(pthread_mutex_t **mutex)
{
    if (*mutex)
        pthread_mutex_unlock(*mutex);
}

/* CLEANUP(unlock_cleanup) pthread_mutex_t *held = lock(&store->write_lock); */
static inline pthread_mutex_t *
lock(pthread_mutex_t *mutex)
{
    pthread_mutex_lock(mutex);
    return mutex;
}

/* The connections, opened if they are not; the caller holds the lock. */
MUST_CHECK int store_writer(struct store *store, struct db **ret, struct prov_error *err);
MUST_CHECK int store_reader(struct store *store, struct db **ret, struct prov_error *err);

/* One row that is looked up on the reading connection: CLEANUP(look_done) struct look look = { 0 }; */
struct look {
    pthread_mutex_t *held; /* the reader's lock, from the first look until look_done() */
    struct db_rows rows;
    bool row; /* whether there is one to read columns from */
};
void look_done(struct look *look);
/* As db_one_row(); another look may follow, in place of the one before. */
MUST_CHECK int store_look(struct store *store, struct look *look, struct prov_error *err,
                          const char *sql, const char *types, ...);

/* Sweeps if the log is twice as long as it should be, since then nobody else has done it. After a
 * commit, no lock held; a failure is the next one's to tell. */
void store_sweep_after(struct store *store);

/* Whether a password could be sealed now. Under write_lock. PROV_E_FIELDS. */
MUST_CHECK int command_ready(struct store *store, struct prov_error *err);
/* Keeps the password of an event that made this version, in place of an older one. Under write_lock. */
MUST_CHECK int command_keep(struct store *store, const struct event *event, int64_t subject,
                            int64_t version, int64_t now_us, struct prov_error *err);

/* The stores of this process, for the fork handlers and the lease. Lock order: this one, then a
 * store's sweep_lock, then its write_lock, then its read_lock, then its list_lock. */
extern pthread_mutex_t store_list_lock;
extern struct store *store_list;

/* Events up to this one are taken; NEWS_NONE where the end of the events cannot be read: then who has news has
 * a row of `due`, and nobody looks at that page. */
#define NEWS_ROW   "what = 'total' AND code = 'news'"
#define NEWS_TAKEN "(SELECT n FROM tally WHERE " NEWS_ROW ")"
#define NEWS_NONE  "9223372036854775807"
/* Subjects and events that are news, and not settled by a process that could not say so any more. */
#define NEWS_OWED                                                                                  \
    "(SELECT e.subject, e.seq FROM"                                                                \
    " (SELECT n AS taken FROM tally WHERE " NEWS_ROW " AND n < " NEWS_NONE ")"                     \
    " CROSS JOIN event e ON e.seq > taken LEFT JOIN link l ON l.subject = e.subject"               \
    " WHERE e.subject IS NOT NULL AND e.urgent = 0"                                                \
    " AND e.version > coalesce(l.settled_version, 0) ORDER BY e.seq)"

/*
 * [tx] Inserts into `due` for a cause that is no event, as db_run() does:
 * "INSERT INTO due (at, " DUE_CAUSE ", subject, ...) SELECT 1, " DUE_CAUSE_KEY ", ...". The rows
 * stand behind the news that are there, unless those cannot be read; and no two causes have the same key.
 */
#define DUE_CAUSE        "seq, tie"
#define DUE_CAUSE_NUMBER "(SELECT CAST(value AS INTEGER) FROM fact WHERE key = 'causes')"
#define DUE_CAUSE_KEY                                                                              \
    "CASE WHEN " NEWS_TAKEN " = " NEWS_NONE " THEN 0"                                              \
    " ELSE (SELECT coalesce(max(seq), 0) FROM event) END, " DUE_CAUSE_NUMBER
MUST_CHECK int due_insert(struct db *db, struct prov_error *err, const char *sql, const char *types,
                          ...);

/* Reading: the caller shows the rows of `event` after *ret_after to news_read(), in order; *ret_known of them are
 * known already, and may be over. */
MUST_CHECK int news_begin(struct store *store, struct db *db, const struct under_way *but,
                          int64_t *ret_after, int64_t *ret_known, struct prov_error *err);
/* *ret_open: it is owed. */
MUST_CHECK int news_read(struct store *store, int64_t seq, int64_t subject, bool *ret_open,
                         struct prov_error *err);
/* There were no more up to the newest event. */
void news_read_all(struct store *store, int64_t newest);
/* It is settled, as the store says. */
void news_pass(struct store *store, int64_t seq);
/* [tx] It is settled by this transaction, or has a row of `due` now. Whether it is news at all. */
bool news_over(struct store *store, int64_t seq);
/* [tx] Before the commit; and after it, or after the rollback. */
MUST_CHECK int news_write(struct store *store, struct prov_error *err);
void news_ended(struct store *store, bool committed);
/* Writes how far it has come, where no transaction does: if nobody is due, or if that is far; and ends NEWS_NONE, if
 * that can be. No lock held. */
MUST_CHECK int news_keep(struct store *store, bool idle, struct prov_error *err);
void news_forget(struct news *news);
bool due_is_under_way(const struct under_way *under_way, int64_t subject);

/* Ends NEWS_NONE, if the events can be read again (mend.c): some may have come since. No lock held. */
MUST_CHECK int news_return(struct store *store, struct prov_error *err);

/* Whether anything is in flight to a subject. */
#define IN_FLIGHT(SUBJECT) "EXISTS (SELECT 1 FROM flight WHERE subject = " SUBJECT ")"
/* Whether all can be read of the short tables that everybody is read with. */
MUST_CHECK int flight_is_sound(struct db *db, bool *ret, struct prov_error *err);
MUST_CHECK int wait_is_sound(struct db *db, bool *ret, struct prov_error *err);

/* A subject with its link and what is in flight: both may be missing, and their columns are NULL then. */
#define SUBJECT_COLUMNS "s.id, s.iss, s.uri, s.presence, s.resource, s.version"
#define SUBJECT_COUNT   6
#define LINK_COLUMNS                                                                               \
    "l.salesforce_id, l.confirmed, l.confirmed_version, l.settled_version, "                       \
    "coalesce(f.username, l.username_wanted, l.username_held), l.username_held, "                  \
    "l.username_inputs, f.sent, coalesce(f.first_sent_us, l.first_sent_us), l.attempts, "          \
    "l.next_us, l.outcome, l.code, l.message, l.cause, l.remedy, l.last_action, l.plan_digest, "   \
    "l.updated_us, l.orders, l.last_history, l.frozen_by_others"
#define LINK_COUNT 22
#define LINK_TABLES                                                                                \
    " FROM subject s LEFT JOIN link l ON l.subject = s.id LEFT JOIN flight f ON f.subject = s.id"
/* Reads what was selected with LINK_COLUMNS from LINK_TABLES, starting at `first`. */
MUST_CHECK int link_read(const struct db_rows *rows, int first, struct link *ret,
                         struct prov_error *err);
MUST_CHECK int subject_read(const struct db_rows *rows, int first, struct subject *ret,
                            struct prov_error *err);

/* What a subject waits for, a row each; and that as columns, from `first`. NULL there: nothing. */
#define WAIT_COLUMNS "w.kind, w.value, w.since_us, w.is_long"
#define WAIT_TABLE   " LEFT JOIN wait w ON w.subject = s.id"
MUST_CHECK int wait_read(const struct db_rows *rows, int first, struct link *link,
                         struct prov_error *err);
/* All of them of one subject. */
MUST_CHECK int wait_load(struct db *db, int64_t subject, struct link *link, struct prov_error *err);
/* [tx] Writes them, if they were changed. */
MUST_CHECK int wait_put(struct store *store, int64_t subject, const struct link *link,
                        struct prov_error *err);
void wait_forget(struct link *link);

/* [tx] Makes due now: "subject FROM ...". */
#define DUE_NOW_FOR "INSERT INTO due (at, " DUE_CAUSE ", subject) SELECT 1, " DUE_CAUSE_KEY ", "

/* *ret is heap; NULL: SQL NULL. */
MUST_CHECK int copy_text(const struct db_rows *rows, int column, char **ret,
                         struct prov_error *err);
/* A subject with its link. */
MUST_CHECK int link_load(struct db *db, int64_t subject, struct work *ret, struct prov_error *err);
/* So many by one statement: of each entry the subject's id is known. Who is gone from the store stays as it was.
 * After an error some are read and some are not. */
#define LOAD_MOST 8
MUST_CHECK int link_load_some(struct db *db, struct work *list, size_t count,
                              struct prov_error *err);

/* Adds what make() makes of each row that is left, NULL when out of memory. */
MUST_CHECK int rows_append(struct db_rows *rows,
                           struct json_object *(*make)(const struct db_rows *rows),
                           struct json_object *list, struct prov_error *err);
/* What an event is known by, of event e: the first columns of a select. 0 or PROV_E_NOMEM. */
#define EVENT_COLUMNS "e.seq, e.iss, e.jti, e.txn, e.kinds, e.version"
#define EVENT_COUNT   6
MUST_CHECK int event_put(struct json_object *row, const struct db_rows *rows);

/* A time in an answer; null: none. 0 or PROV_E_NOMEM. */
MUST_CHECK int put_time(struct json_object *object, const char *key, int64_t time_us);
/* Adds "events" to the answer about a subject, the newest 100, oldest first; and the same without what became of them. */
MUST_CHECK int events_put(struct db *db, int64_t subject, struct json_object *result,
                          struct prov_error *err);
MUST_CHECK int events_put_bare(struct db *db, int64_t subject, struct json_object *result,
                               struct prov_error *err);
/* Adds "history" to the answer about a subject, the newest rows, oldest first. */
MUST_CHECK int history_put(struct db *db, int64_t subject, struct json_object *result,
                           struct prov_error *err);
/* Adds "notes", the newest since that event came, oldest first: of the subject, and of everybody. */
MUST_CHECK int notes_put(struct db *db, int64_t subject, int64_t event, struct json_object *result,
                         struct prov_error *err);

/* Whether a subject in this state is to have an active account. */
bool store_wants_active(const struct store *store, enum presence presence, struct value *resource);

/* Inside a transaction that accepts: the newest event before; lets pass what came after it (guard.c). */
MUST_CHECK int guard_mark(struct db *db, int64_t *ret_seq, struct prov_error *err);
MUST_CHECK int guard_pass_since(struct db *db, int64_t seq, struct prov_error *err);

/* Adds to an answer the users by state, and by state and code: {"in_step",...,"total"}, and an array of
 * {"state","code","users"}. */
MUST_CHECK int tally_states(struct db *db, struct json_object *result, struct prov_error *err);
/* Adds what was done so far, and how many events there are and were. */
MUST_CHECK int tally_totals(struct db *db, struct json_object *result, struct prov_error *err);
MUST_CHECK int tally_events(struct db *db, struct json_object *result, struct prov_error *err);
/* What a user is counted by. */
struct counted {
    const char *outcome, *code; /* NULL: none */
    int64_t settled_version;
    bool active; /* an account that gives access */
};
#define TALLY_GONE (-1)
/* [tx] The version that is wanted of a subject whose link is about to be written; TALLY_GONE: the subject is
 * gone from the store, and is not counted. */
MUST_CHECK int tally_version(struct store *store, int64_t subject, const struct link *link,
                             int64_t *ret, struct prov_error *err);
/* [tx] A link was written: counts the user where he is now, of whom this version is wanted. */
MUST_CHECK int tally_move(struct store *store, const struct counted *before,
                          const struct counted *after, int64_t version, struct prov_error *err);
/* [tx] So many more wait for something of the kind. Two rows of `tally`. */
#define TALLY_WAITS "'waits', 'waits_long'"
MUST_CHECK int tally_wait(struct store *store, const char *kind, bool is_long, int64_t n,
                          struct prov_error *err);
/* Adds an array with an entry {"kind","users","long"} for each kind that somebody waits for. */
MUST_CHECK int tally_waits(struct db *db, struct json_object *result, struct prov_error *err);
/* The newest event; 0: there is none, or it cannot be read, which stops nobody. */
int64_t tally_newest(struct db *db);
/* [tx] News came of a user whose newest version is settled (outcome NULL: it is not): where he is counted,
 * and that he is no more. */
MUST_CHECK int tally_find(struct store *store, const char *outcome, const char *code,
                          int64_t *ret_place, struct prov_error *err);
void tally_news(struct store *store, int64_t place);
/* [tx] Writes what store_count(), tally_move() and tally_news() were told since the transaction began. */
MUST_CHECK int tally_write(struct store *store, struct prov_error *err);
/* The transaction is over: nothing of it is kept in memory. */
void tally_forget(struct store *store);

/* One event folded inside the caller's transaction (accept.c); also for snapshots. */
MUST_CHECK int accept_fold(struct store *store, const struct event *event, int64_t now_us,
                           struct store_answer *answer, struct prov_error *err);

/* Ends the transaction under way, well or, with a result that is not 0, not at all; returns what became of it.
 * The caller holds the lock, and keeps it. */
MUST_CHECK int store_end(struct store *store, int result, struct prov_error *err);

#endif
