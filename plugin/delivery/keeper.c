/*
 * Keeps tokens in the store, sealed: the refresh token that `sfprov login` or Salesforce's rotation gave,
 * and the access token that processes share. They are facts of the store, so a crash leaves the old one
 * or the new one. The sealing key is read each time: it can be changed without a restart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/base/seal.h"
#include "plugin/base/secret.h"
#include "plugin/base/secret_ref.h"
#include "plugin/delivery/internal.h"

#define PURPOSE "token"

/* "token access_token": the key of the fact, and the place that the seal is bound to. */
static int
fact_name(const char *name, char ret[64])
{
    int length = snprintf(ret, 64, PURPOSE " %s", name);

    return length > 0 && length < 64 ? PROV_OK : PROV_E_INVALID;
}

static char *
to_hex(const unsigned char *bytes, size_t length)
{
    char *text = malloc(2 * length + 1);

    for (size_t i = 0; text && i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

/* *ret NULL: it is no hex. */
static int
from_hex(const char *text, unsigned char **ret, size_t *ret_length)
{
    size_t length = strlen(text) / 2;
    unsigned char *bytes = malloc(length + 1);

    if (!bytes)
        return PROV_E_NOMEM;
    for (size_t i = 0; i < length; i++) {
        unsigned value;
        if (sscanf(text + 2 * i, "%2x", &value) != 1) {
            free(bytes);
            return PROV_OK;
        }
        bytes[i] = (unsigned char)value;
    }
    *ret = bytes;
    *ret_length = length;
    return PROV_OK;
}

static int
keeper_get(void *context, const char *name, char **ret, struct prov_error *err)
{
    struct delivery *d = context;
    CLEANUP(sealer_cleanup) struct sealer *sealer = NULL;
    AUTO_FREE char *hex = NULL;
    AUTO_FREE unsigned char *sealed = NULL;
    AUTO_SECRET char *clear = NULL;
    char fact[64];
    size_t length = 0;
    int r = fact_name(name, fact);

    *ret = NULL;
    if (!r && !store_exists(d->store))
        return PROV_OK;
    if (!r)
        r = store_get_fact(d->store, fact, &hex, err);
    if (r || !hex)
        return r;
    if (from_hex(hex, &sealed, &length))
        return error_nomem(err);
    if (!sealed)
        return PROV_OK;
    r = sealer_load(d->fields->sealing_key, &sealer, err);
    if (!r)
        r = seal_open(sealer, PURPOSE, fact, sealed, length, &clear, &length, err);
    if (r)
        return r;
    *ret = STEAL(clear);
    return PROV_OK;
}

static int
keeper_put(void *context, const char *name, const char *text, struct prov_error *err)
{
    struct delivery *d = context;
    CLEANUP(sealer_cleanup) struct sealer *sealer = NULL;
    AUTO_FREE unsigned char *sealed = NULL;
    AUTO_FREE char *hex = NULL;
    char fact[64];
    size_t length = 0;
    int r = fact_name(name, fact);

    /* a look makes no store; what cannot be had again does */
    if (!r && strcmp(name, "access_token") == 0 && !store_exists(d->store))
        return PROV_OK;
    if (!r)
        r = sealer_load(d->fields->sealing_key, &sealer, err);
    if (!r)
        r = seal(sealer, PURPOSE, fact, text, strlen(text), &sealed, &length, err);
    if (r)
        return r;
    hex = to_hex(sealed, length);
    if (!hex)
        return error_nomem(err);
    r = store_begin(d->store, STORE_UNFENCED, err);
    if (r)
        return r;
    r = store_put_fact(d->store, fact, hex, err);
    if (r) {
        store_rollback(d->store);
        return r;
    }
    return store_commit(d->store, err);
}

/*
 * One process at the token endpoint: a lock beside the store, on an open file description, so that two
 * connectors of one process count as two. 0: it is ours; PROV_E_STATE: another has it; anything else:
 * there is no locking here.
 */
static int
keeper_lock(void *context)
{
    struct delivery *d = context;
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char *path = NULL;
    int file;

    if (!store_exists(d->store))
        return PROV_E_STORE;
    if (asprintf(&path, "%s.login", store_path(d->store)) < 0)
        return PROV_E_NOMEM;
    file = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (file < 0)
        return PROV_E_STORE;
    if (fcntl(file, F_OFD_SETLK, &whole) == 0) {
        d->login_lock = file;
        return PROV_OK;
    }
    close(file);
    return PROV_E_STATE;
}

static void
keeper_unlock(void *context)
{
    struct delivery *d = context;
    struct flock none = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    /* outright: a child forked meanwhile shares the description */
    (void)fcntl(d->login_lock, F_OFD_SETLK, &none);
    close(d->login_lock);
}

struct sf_keeper
keeper_of(struct delivery *d)
{
    if (!d->fields->sealing_key)
        return (struct sf_keeper){ .context = NULL };
    return (struct sf_keeper){ d, keeper_get, keeper_put, keeper_lock, keeper_unlock };
}
