/*
 * The persons of a directory, and what becomes of them: content synchronization (RFC 4533), refresh and
 * persist. What `sfprov follow` does with it is its own business. Blocks for as long as it is told; one
 * thread at a time.
 */
#ifndef LDAP_CONTENT_H
#define LDAP_CONTENT_H

#include "hosts/ldap/connection.h"

#define CONTENT_UUID_SIZE 37

/* What is heard. Each returns PROV_OK, or an error that ends content_poll(). */
struct content_listener {
    /* An entry as it is now; `uuid` is its entryUUID. `fresh`: it was not there before, or nobody can tell.
     * Borrowed. */
    int (*entry)(void *context, const struct ldap_entry *entry, const char *uuid, bool fresh,
                 struct prov_error *err);
    /* One that is there no more, or that the filter lets out. */
    int (*gone)(void *context, const char *uuid, struct prov_error *err);
    /* All that was there has been heard; from now on what changes is. */
    int (*refreshed)(void *context, struct prov_error *err);
    void *context;
};

struct content;

/* cookie: how far it was heard before (content_cookie()); NULL: not at all. whole: every entry is told all the same, as
 * it is without a cookie. Other errors as connection_open(); PROV_E_NOTFOUND: the cookie is none. The listener is
 * called by content_poll(). */
int content_open(const struct connection_options *options, const char *cookie, bool whole,
                 const struct content_listener *listener, struct content **ret,
                 struct prov_error *err);
void content_close(struct content *content);

/* What it is followed by, for a search beside it (search_beside()), which hears of nothing that was not told before. */
struct connection *content_connection(struct content *content);

enum content_age {
    CONTENT_AGE_UNKNOWN, /* the directory has not said it, or not in words that we know */
    CONTENT_OLDER,       /* a replica that lags behind, or a directory from a backup */
    CONTENT_NOT_OLDER
};

/* Whether the directory is older than its cookie. One that says so ends content_poll() with PROV_E_NOTFOUND, and its
 * listener hears no `refreshed`. */
enum content_age content_age(const struct content *content);

/* Asks it, if it has not said so: OpenLDAP says nothing where nothing has changed since, but has its own newest changes in
 * the entry of its naming context (contextCSN). */
void content_ask_age(struct content *content);

/* Whether a change (an entryCSN) was heard before, and is told once more in catching up from the cookie: then it is what it
 * was, or older than what was heard of it since. */
bool content_is_old(const struct content *content, const char *change);

/*
 * Hears what there is, waiting for it at most that long. PROV_E_STATE: the connection is over, or a
 * signal came; open it anew with the cookie. PROV_E_NOTFOUND: the directory does not know any more what was gone since the cookie, so
 * that only a whole list tells: open it anew without. Else what the listener has returned.
 */
int content_poll(struct content *content, int seconds, struct prov_error *err);

/* How far it was heard: after content_poll(), all up to there was told to the listener. Bytes of the
 * server as hexadecimal text, heap; NULL: it gave none, or out of memory. */
char *content_cookie(const struct content *content);

/* Tells the listener, or in its place another one, of those entries for which this filter holds as well, as ones that
 * are not fresh. PROV_E_LIMIT: the directory does not give them all, for a limit or for want of rights. */
int content_search(struct content *content, const char *filter,
                   const struct content_listener *instead, struct prov_error *err);

/* The entryUUID of an entry by its DN, heap; NULL in *ret: there is none. */
int content_uuid_of(struct content *content, const char *dn, char **ret, struct prov_error *err);

#endif
