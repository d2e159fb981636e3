/*
 * Brings the write-ahead log into the file, away from the commits: a commit that had to do it would
 * keep all who share it waiting. Most of the log is copied while others commit; then, with the write
 * lock, what came meanwhile, so that the log begins anew instead of growing as long as somebody
 * writes. Delivery does it in its rounds. Where nobody delivers, who has committed does it, its
 * answers given to the others (store_sweep_after).
 */
#include "plugin/store/internal.h"

/* Of a log so little may be copied while others wait. */
#define LITTLE_PAGES 64
/* So often the log may grow by more than that while it is copied. */
#define MOST_COPIES 3

/* 24 MB, 48 where an older store has pages of 4 KiB: long, so that little is copied for each event; the file itself is
 * read as long at a start. */
long store_log_pages = 12000;

/* How much the log has grown since it was swept last. Somebody who reads in it may keep it from beginning
 * anew, and then not every commit is to try again. */
static long
log_grown(struct store *store)
{
    return atomic_load(&store->log.pages) - atomic_load(&store->log.swept);
}

/* The caller holds sweep_lock. */
static int
sweep(struct store *store, struct prov_error *err)
{
    CLEANUP(unlock_cleanup) pthread_mutex_t *held = NULL;
    int64_t copied = 0;
    int r = store->sweep ? PROV_OK : db_open(store->path, &store->sweep, err);

    for (int i = 0; !r && i < MOST_COPIES; i++) {
        r = db_copy_log(store->sweep, &copied, err);
        if (atomic_load(&store->log.pages) - copied <= LITTLE_PAGES)
            break;
    }
    if (r)
        return r;
    held = lock(&store->write_lock);
    atomic_store(&store->log.swept, atomic_load(&store->log.pages));
    return db_copy_log(store->sweep, &copied, err);
}

static int
sweep_above(struct store *store, long pages, struct prov_error *err)
{
    int r = PROV_OK;

    /* trylock: whoever does it already does it for all */
    if (log_grown(store) < pages || pthread_mutex_trylock(&store->sweep_lock) != 0)
        return PROV_OK;
    if (log_grown(store) >= pages)
        r = sweep(store, err);
    pthread_mutex_unlock(&store->sweep_lock);
    return r;
}

int
store_sweep(struct store *store, struct prov_error *err)
{
    return sweep_above(store, store_log_pages, err);
}

void
store_sweep_after(struct store *store)
{
    struct prov_error ignored = PROV_ERROR_INIT;

    if (sweep_above(store, 2 * store_log_pages, &ignored))
        return; /* what was committed is on disk; a disk that fails will fail the next commit too */
}
