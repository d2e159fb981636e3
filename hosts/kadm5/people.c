/*
 * Decides which user a principal is, and what is said of them: the name, and whether they are active.
 * Whatever else is known of a user stays as it is.
 *
 * A principal has nothing that lasts but its name, and that changes. So a user is found by the name in
 * the connector's store (names.h), and keeps the URI over a rename.
 */
#include "hosts/kadm5/people.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"

#define LOCK_TRIES   1000
#define LOCK_STEP_NS 10000000L

/* One operation being handed over. */
struct change {
    struct people_realm *realm;
    const char *name;     /* for the log */
    const char *password; /* in clear, to be handed over; NULL: none */
    struct prov_error err;
};

/* ---- one after the other ---- */

/*
 * kadmind and each kadmin.local hand over by themselves; who reads and submits keeps the others waiting.
 * It is the file of the connector fields that is locked: it is there, and nobody else may read it.
 */
static int
lock(const struct people_realm *realm, int *ret, struct prov_error *err)
{
    const struct timespec step = { .tv_nsec = LOCK_STEP_NS };
    const char *file = realm->config->settings.fields_file;
    int fd = open(file, O_RDONLY | O_CLOEXEC), tries = 0;

    if (fd < 0)
        return fault_set(err, PROV_E_STATE, "'%s' cannot be opened: %s", file, strerror(errno));
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || tries++ == LOCK_TRIES) {
            close(fd);
            return fault_set(err, PROV_E_STATE,
                             "'%s' is locked by another process for more than ten seconds", file);
        }
        nanosleep(&step, NULL);
    }
    *ret = fd;
    return PROV_OK;
}

void
people_hold(struct people_realm *realm)
{
    struct prov_error ignored = { .size = sizeof(ignored) };

    /* whoever cannot hold it now will say so when the rename is to be told */
    if (realm->held < 0)
        (void)lock(realm, &realm->held, &ignored);
}

void
people_release(struct people_realm *realm)
{
    if (realm->held >= 0)
        close(realm->held);
    realm->held = -1;
}

/* ---- what is said ---- */

/* One that is not UTF-8 is none elsewhere: the fact alone is told. */
static const char *
password_for(const struct people_realm *realm, const char *password)
{
    return realm->config->settings.passwords && password && utf8_is_text(password, strlen(password))
               ? password
               : NULL;
}

/* Hands one token over; a failure is told, and marked. */
static int
hand_over(struct change *change, enum token_kind kind, const char *uri, const char *resource)
{
    struct token_spec spec = {
        .kind = kind, .host = change->realm->host, .uri = uri, .resource = resource
    };
    struct token token;
    int result;

    if (change->password && kind <= TOKEN_PATCH) {
        spec.password = change->password;
        spec.password_length = strlen(change->password);
    }
    result = token_make(&spec, &token, &change->err);
    if (result)
        return result;
    (void)submit_tokens(change->realm->submit, change->name, &token, 1, false, &change->err);
    token_clear(&token);
    return PROV_OK;
}

/* What the realm knows of a person. A new user is as a list would have him (person.h). */
static int
say_state(struct change *change, enum token_kind kind, const char *uri, const char *name,
          enum principal_state state)
{
    struct text text = { .bytes = NULL };
    char *resource = NULL;
    int result;

    TEXT_ADD(&text, "{\"userName\":");
    text_string(&text, name, strlen(name));
    if (state == PRINCIPAL_ENABLED)
        TEXT_ADD(&text, ",\"active\":true");
    else
        TEXT_ADD(&text, ",\"active\":false");
    if (kind == TOKEN_CREATE)
        TEXT_ADD(&text, ",\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"]");
    TEXT_ADD(&text, "}");
    result = text_end(&text, &resource, NULL, &change->err);
    if (!result)
        result = hand_over(change, kind, uri, resource);
    free(resource);
    return result;
}

/* ---- who it is ---- */

static bool
is_person(const struct change *change, const char *name)
{
    return name && config_is_person(change->realm->config, name);
}

/* The state of a name; one that is no person's is not there. */
static int
read_state(struct change *change, const char *name, enum principal_state *ret)
{
    *ret = PRINCIPAL_NONE;
    if (!is_person(change, name))
        return PROV_OK;
    return change->realm->state(change->realm->context, name, ret, &change->err);
}

static int
find(struct change *change, const char *name, char **ret_uri)
{
    *ret_uri = NULL;
    return is_person(change, name) ? submit_find(change->realm->submit, name, ret_uri, &change->err)
                                   : PROV_OK;
}

static int
introduce(struct change *change, const char *name, enum principal_state state)
{
    char *uri = NULL;
    int result = submit_new_uri(change->realm->submit, name, &uri, &change->err);

    if (!result)
        result = say_state(change, TOKEN_CREATE, uri, name, state);
    free(uri);
    return result;
}

/* The user of this URI, or of this name if that is NULL, is as the realm says of the name. */
static int
settle(struct change *change, const char *uri, const char *name)
{
    enum principal_state state;
    int result = read_state(change, name, &state);

    if (result)
        return result;
    if (state == PRINCIPAL_NONE)
        return uri ? hand_over(change, TOKEN_DELETE, uri, NULL) : PROV_OK;
    if (uri)
        return say_state(change, TOKEN_PATCH, uri, name, state);
    return change->realm->config->creates ? introduce(change, name, state) : PROV_OK;
}

static int
settle_name(struct change *change, const char *name)
{
    char *uri = NULL;
    int result = find(change, name, &uri);

    if (!result)
        result = settle(change, uri, name);
    free(uri);
    return result;
}

/* ---- operations ---- */

/* Whoever has the name now is another one than he who had it: then it was created anew meanwhile. */
static int
take_away(struct change *change, const char *name)
{
    char *uri = NULL;
    int result = find(change, name, &uri);

    if (!result && uri)
        result = hand_over(change, TOKEN_DELETE, uri, NULL);
    free(uri);
    return result ? result : settle_name(change, name);
}

static int
rename_user(struct change *change, const char *from, const char *to)
{
    char *uri = NULL;
    int result = find(change, from, &uri);

    if (!result)
        result = uri ? settle(change, uri, to) : settle_name(change, to);
    free(uri);
    return result ? result : settle_name(change, from);
}

/* The fact alone. The connector asks for the whole user then, who is as the connector has them. */
static int
tell_fact(struct change *change, const char *uri)
{
    char *resource = NULL;
    int result = submit_resource(change->realm->submit, uri, &resource, &change->err);

    if (!result)
        result = hand_over(change, TOKEN_PASSWORD, uri, resource);
    free(resource);
    return result;
}

static int
tell_password(struct change *change, const char *name)
{
    char *uri = NULL;
    int result = find(change, name, &uri);

    if (!result && uri && change->password)
        result = settle(change, uri, name);
    else if (!result && uri)
        result = tell_fact(change, uri);
    free(uri);
    return result;
}

enum operation {
    CHANGE,
    REMOVE,
    RENAME,
    PASSWORD
};

static void
run(struct change *change, enum operation operation, const char *name, const char *to)
{
    struct people_realm *realm = change->realm;
    int result = realm->held < 0 ? lock(realm, &realm->held, &change->err) : PROV_OK;

    if (!result && operation == CHANGE)
        result = settle_name(change, name);
    else if (!result && operation == REMOVE)
        result = take_away(change, name);
    else if (!result && operation == RENAME)
        result = rename_user(change, name, to);
    else if (!result)
        result = tell_password(change, name);
    if (result)
        submit_missed(realm->submit, change->name, &change->err);
    people_release(realm);
}

/* Whether anything is to be done, and then the beginning of it. */
static bool
begin(struct people_realm *realm, const char *name, const char *to, struct change *ret)
{
    *ret =
        (struct change){ .realm = realm, .name = name ? name : to, .err.size = sizeof(ret->err) };
    return is_person(ret, name) || is_person(ret, to);
}

void
people_changed(struct people_realm *realm, const char *name)
{
    struct change change;

    if (begin(realm, name, NULL, &change))
        run(&change, CHANGE, name, NULL);
}

void
people_created(struct people_realm *realm, const char *name, const char *password)
{
    struct change change;

    if (!begin(realm, name, NULL, &change))
        return;
    change.password = password_for(realm, password);
    run(&change, CHANGE, name, NULL);
}

void
people_removed(struct people_realm *realm, const char *name)
{
    struct change change;

    if (begin(realm, name, NULL, &change))
        run(&change, REMOVE, name, NULL);
}

void
people_renamed(struct people_realm *realm, const char *from, const char *to)
{
    struct change change;

    if (begin(realm, from, to, &change))
        run(&change, RENAME, from, to);
}

void
people_new_password(struct people_realm *realm, const char *name, const char *password)
{
    struct change change;

    if (!begin(realm, name, NULL, &change))
        return;
    change.password = password_for(realm, password);
    run(&change, PASSWORD, name, NULL);
}
