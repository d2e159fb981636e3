/*
 * Decides who is concerned by a change of the directory. A change that comes twice, or of which nobody knows
 * whether it came, does no harm. Leaves reading to directory.c, and from where to where to module.c.
 */
#include "hosts/ldb/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/unreadable.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/person.h"
#include "hosts/ldb/membership.h"

#define NUMBERS_AT_ONCE 200u
#define TOKENS_AT_ONCE  200u

/* Keys of entries. */
struct keys {
    const char **texts;
    size_t count, room;
};

/* Events in the making, of some of the changes after a number. */
struct batch {
    const struct changes *changes;
    void *memory;
    uint64_t after; /* of all changes: what of an entry is newer has changed */
    uint64_t cause; /* the number of the change of another entry; 0: of the entry itself */
    struct token tokens[TOKENS_AT_ONCE];
    size_t count;
    const char *what; /* for the log */
    struct keys done, others;
};

static int
add_key(struct keys *keys, const char *text, struct prov_error *err)
{
    if (keys->count == keys->room) {
        size_t room = keys->room ? keys->room * 2 : 16;
        const char **texts = realloc(keys->texts, room * sizeof(*texts));

        if (!texts)
            return fault_nomem(err);
        keys->texts = texts;
        keys->room = room;
    }
    keys->texts[keys->count++] = text;
    return PROV_OK;
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
sort(struct keys *keys)
{
    if (keys->count)
        qsort(keys->texts, keys->count, sizeof(*keys->texts), compare_keys);
}

/* ---- tokens ---- */

static void
drop(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        token_clear(&batch->tokens[i]);
    batch->count = 0;
}

static int
flush(struct batch *batch, struct prov_error *err)
{
    int result = PROV_OK;

    if (batch->count)
        result =
            submit_tokens(batch->changes->submit, batch->count > 1 ? "the directory" : batch->what,
                          batch->tokens, batch->count, false, err);
    drop(batch);
    return result;
}

static int
append(struct batch *batch, const struct token_spec *what, const struct ldb_message *entry,
       struct prov_error *err)
{
    uint64_t own = directory_number(entry, "uSNChanged");
    struct token_spec spec = *what;
    char change[64];
    int result = batch->count == TOKENS_AT_ONCE ? flush(batch, err) : PROV_OK;

    if (result)
        return result;
    snprintf(change, sizeof(change), batch->cause ? "%" PRIu64 "/%" PRIu64 : "%" PRIu64, own,
             batch->cause);
    spec.host = "samba";
    spec.change = change;
    result = token_make(&spec, &batch->tokens[batch->count], err);
    if (!result)
        batch->count++;
    batch->what = ldb_dn_get_linearized(entry->dn);
    return result;
}

/* What a request calls a password may be none to the directory, which knows whether there is a new one. */
static const char *
new_password(const struct batch *batch, const struct ldb_message *entry, const char *guid)
{
    if (batch->cause || !directory_has_new_password(entry, batch->after))
        return NULL;
    for (const struct note *note = batch->changes->notes; note; note = note->next) {
        if (note->password && note->guid && !strcmp(note->guid, guid))
            return note->password;
    }
    return NULL;
}

static bool
is_scoped(const struct changes *changes)
{
    const struct config *config = changes->directory->config;

    return config->filter || *config->bases;
}

/* Reads a person. Of somebody who cannot be read what can be counts; *ret_found false: nothing is to be said. */
static int
read_person(struct batch *batch, const struct entry_options *options, const struct ldap_entry *view,
            struct entry_person *ret, bool *ret_found, struct prov_error *err)
{
    struct submit *submit = batch->changes->submit;
    int result = unreadable_entry_read(options, view, ret, err);

    *ret_found = !result;
    if (!unreadable_is(result))
        return result;
    submit_missed(submit, view->dn, err);
    return unreadable_complete(&(struct unreadable_source){ submit_in_scope, submit }, options,
                               view, ret, ret_found, err);
}

/* What happened to a person: made, changed, or given a password. */
static int
append_person(struct batch *batch, const struct ldb_message *entry, const char *guid,
              struct prov_error *err)
{
    struct directory *directory = batch->changes->directory;
    const struct config *config = directory->config;
    const struct entry_options options = { .columns = config->columns,
                                           .key = config->key,
                                           .manager = directory_key,
                                           .manager_is_key = true,
                                           .context = directory };
    struct token_spec spec = { .kind = TOKEN_PUT, .scoped = is_scoped(batch->changes) };
    const char **groups = NULL;
    struct ldap_entry view;
    struct entry_person person;
    bool found;
    int result = *directory->groups
                     ? membership_groups(directory, batch->memory, entry, &groups, err)
                     : PROV_OK;

    if (!result)
        result = directory_view(batch->memory, entry, groups, &view, err);
    if (result)
        return result;
    result = read_person(batch, &options, &view, &person, &found, err);
    if (result || !found)
        return result;
    spec.password = new_password(batch, entry, guid);
    spec.password_length = spec.password ? strlen(spec.password) : 0;
    if (directory_number(entry, "uSNCreated") > batch->after)
        spec.kind = TOKEN_CREATE;
    else if (!spec.password && !batch->cause && directory_has_new_password(entry, batch->after))
        spec.kind = TOKEN_PASSWORD;
    spec.uri = person.uri;
    spec.resource = person.resource.json;
    spec.inactive = person.resource.inactive;
    result = append(batch, &spec, entry, err);
    entry_person_clear(&person);
    return result;
}

/* Somebody who is not there any more, or not to be provisioned, and may have been. */
static int
append_leaver(struct batch *batch, const struct ldb_message *entry, const char *guid,
              struct prov_error *err)
{
    struct token_spec spec = { .kind = directory_is_deleted(entry) ? TOKEN_DELETE : TOKEN_LEAVE };
    enum submit_presence presence;
    char *uri;
    int result = PROV_OK;

    if (spec.kind == TOKEN_LEAVE && !is_scoped(batch->changes))
        return PROV_OK;
    uri = person_uri(guid);
    if (!uri)
        return fault_nomem(err);
    spec.uri = uri;
    result = submit_presence(batch->changes->submit, uri, &presence, err);
    if (!result && (spec.kind == TOKEN_DELETE ? presence != SUBMIT_GONE : presence == SUBMIT_IN))
        result = append(batch, &spec, entry, err);
    free(uri);
    return result;
}

static int
append_user(struct batch *batch, const struct ldb_message *entry, struct prov_error *err)
{
    const char *guid = directory_guid(batch->memory, entry);
    bool person = false;
    int result =
        guid ? directory_is_person(batch->changes->directory, batch->memory, entry, &person, err)
             : fault_nomem(err);

    if (!result && !batch->cause)
        result = add_key(&batch->done, guid, err);
    if (!result && person)
        result = append_person(batch, entry, guid, err);
    else if (!result)
        result = append_leaver(batch, entry, guid, err);
    return result;
}

/* ---- groups, and what lies below something ---- */

static bool
is_user(const struct ldb_message *entry)
{
    return directory_is_class(entry, "user") && !directory_is_class(entry, "computer");
}

static int
add_all(struct batch *batch, const char *const *members, struct prov_error *err)
{
    int result = PROV_OK;

    for (; members && *members && !result; members++)
        result = add_key(&batch->others, *members, err);
    return result;
}

/* Users and groups who are in a group, or were when the changes began. */
static int
add_members(struct batch *batch, const struct ldb_message *group, struct prov_error *err)
{
    const char **members;
    int result = membership_all(batch->changes->directory, batch->memory, group, batch->after,
                                &members, err);

    return result ? result : add_all(batch, members, err);
}

/*
 * Neither its members are known any more nor what it was in, since a link to what is deleted goes without a trace;
 * unless the request that deleted it was seen here.
 */
static int
append_former_group(struct batch *batch, const struct ldb_message *entry, struct prov_error *err)
{
    const char *guid = directory_guid(batch->memory, entry);
    struct prov_error why = { .size = sizeof(why) };

    if (!directory_has_moved(entry, batch->after))
        return PROV_OK; /* it was deleted before */
    for (const struct note *note = batch->changes->notes; guid && note; note = note->next) {
        if (note->members && note->guid && !strcmp(note->guid, guid))
            return add_all(batch, note->members, err);
    }
    fault_set(&why, PROV_E_STATE,
              "the group was deleted elsewhere, and who its members were is not known");
    submit_missed(batch->changes->submit, ldb_dn_get_linearized(entry->dn), &why);
    return PROV_OK;
}

static int
append_group(struct batch *batch, const struct ldb_message *entry, struct prov_error *err)
{
    struct directory *directory = batch->changes->directory;
    const char **members;
    bool counts;
    int result;

    if (!*directory->groups)
        return PROV_OK;
    if (directory_is_deleted(entry))
        return append_former_group(batch, entry, err);
    if (directory_has_moved(entry, batch->after))
        return add_members(batch, entry, err);
    result = membership_counts(directory, batch->memory, entry, &counts, err);
    if (result || !counts)
        return result;
    result = membership_changed(directory, batch->memory, entry, batch->after, &members, err);
    return result ? result : add_all(batch, members, err);
}

/* A container that moved: where somebody stands may say who they are. */
static bool
moves_others(const struct changes *changes, const struct ldb_message *entry, uint64_t after)
{
    return !directory_is_class(entry, "user") && !directory_is_deleted(entry) &&
           directory_has_moved(entry, after) && directory_number(entry, "uSNCreated") <= after &&
           (is_scoped(changes) || *changes->directory->groups);
}

static int
append_below(struct batch *batch, const struct ldb_message *entry, struct prov_error *err)
{
    const struct changes *changes = batch->changes;
    struct ldb_result *below;
    int result;

    if (!moves_others(changes, entry, batch->after))
        return PROV_OK;
    result = directory_below(changes->directory, batch->memory, entry->dn, &below, err);
    for (unsigned i = 0; !result && i < below->count; i++) {
        const char *guid = directory_guid(batch->memory, below->msgs[i]);

        if (is_user(below->msgs[i]) || *changes->directory->groups)
            result = guid ? add_key(&batch->others, guid, err) : fault_nomem(err);
    }
    return result;
}

/* ---- all of it ---- */

/* Whom nothing can be said of must not keep the others; but a failure that may pass does. */
static int
forgive(struct batch *batch, struct ldb_dn *dn, int result, struct prov_error *err)
{
    if (!unreadable_is(result))
        return result;
    submit_missed(batch->changes->submit, ldb_dn_get_linearized(dn), err);
    return PROV_OK;
}

static int
append_entry(struct batch *batch, const struct ldb_message *entry, struct prov_error *err)
{
    bool logon = false;
    int result = directory_is_logon(batch->changes->directory, batch->memory, entry, batch->after,
                                    &logon, err);

    if (result || logon)
        return result;
    if (is_user(entry))
        result = append_user(batch, entry, err);
    else if (directory_is_class(entry, "group"))
        result = append_group(batch, entry, err);
    else
        result = append_below(batch, entry, err);
    return forgive(batch, entry->dn, result, err);
}

/* What is deleted is found by its own number. */
static int
append_other(struct batch *batch, const char *key, struct prov_error *err)
{
    struct directory *directory = batch->changes->directory;
    void *memory = batch->memory, *own = talloc_new(memory);
    struct ldb_message *entry = NULL;
    int result = directory_read(directory, own, directory_dn(directory, own, key), &entry, err);
    bool there = !result && entry && !directory_is_deleted(entry);

    if (there && directory_is_class(entry, "group")) {
        result = add_members(batch, entry, err);
    } else if (there && is_user(entry)) {
        batch->memory = own;
        result = forgive(batch, entry->dn, append_user(batch, entry, err), err);
        batch->memory = memory;
    }
    batch->what = "others";
    talloc_free(own);
    return result;
}

static bool
is_done(const struct batch *batch, const char *key)
{
    return batch->done.count &&
           bsearch(&key, batch->done.texts, batch->done.count, sizeof(key), compare_keys) != NULL;
}

/* Those who did not change by themselves: round by round, since who is in a group may be a group. */
static int
append_others(struct batch *batch, uint64_t cause, struct prov_error *err)
{
    int result = PROV_OK;

    batch->cause = cause;
    while (batch->others.count && !result) {
        struct keys round = batch->others;

        batch->others = (struct keys){ .count = 0 };
        sort(&batch->done);
        sort(&round);
        for (size_t i = 0; i < round.count && !result; i++) {
            bool twice = i && !strcmp(round.texts[i], round.texts[i - 1]);

            if (!twice && !is_done(batch, round.texts[i]))
                result = append_other(batch, round.texts[i], err);
        }
        for (size_t i = 0; i < round.count && !result; i++)
            result = add_key(&batch->done, round.texts[i], err);
        free(round.texts);
    }
    return result;
}

/* Where the part ends that begins after `from`. */
static uint64_t
part_end(uint64_t from, uint64_t until)
{
    return until - from > NUMBERS_AT_ONCE ? from + NUMBERS_AT_ONCE : until;
}

/* What bears a number after `from`, up to `until`, of the changes after `after`. */
static int
hand_over_part(const struct changes *changes, uint64_t after, uint64_t from, uint64_t until,
               struct prov_error *err)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    struct ldb_result *found;
    int result;

    if (!batch)
        return fault_nomem(err);
    batch->changes = changes;
    batch->memory = talloc_new(changes->directory);
    batch->after = after;
    result = directory_changed(changes->directory, batch->memory, from, until, &found, err);
    for (unsigned i = 0; !result && i < found->count; i++)
        result = append_entry(batch, found->msgs[i], err);
    if (!result)
        result = append_others(batch, until, err);
    if (result)
        submit_late(changes->submit, "the directory", err);
    else
        result = flush(batch, err);
    drop(batch);
    talloc_free(batch->memory);
    free(batch->done.texts);
    free(batch->others.texts);
    free(batch);
    return result;
}

/* A request names an entry as it likes. */
static int
find_notes(const struct changes *changes, struct prov_error *err)
{
    int result = PROV_OK;

    for (struct note *note = changes->notes; note && !result; note = note->next) {
        struct ldb_message *entry = NULL;

        if (!note->guid)
            result = directory_read(changes->directory, note, note->dn, &entry, err);
        if (!result && entry)
            note->guid = directory_guid(note, entry);
    }
    return result;
}

int
changes_hand_over(const struct changes *changes, uint64_t after, uint64_t until,
                  struct prov_error *err)
{
    int result = find_notes(changes, err);

    if (result)
        submit_late(changes->submit, "the directory", err);
    for (uint64_t from = after; !result && from < until; from = part_end(from, until))
        result = hand_over_part(changes, after, from, part_end(from, until), err);
    return result;
}

static int
concerns(const struct changes *changes, void *memory, const struct ldb_message *entry,
         uint64_t after, bool *ret, struct prov_error *err)
{
    struct directory *directory = changes->directory;
    bool logon = false;
    int result = directory_is_logon(directory, memory, entry, after, &logon, err);

    *ret = false;
    if (result || logon)
        return result;
    if (!is_user(entry)) {
        *ret = (*directory->groups && directory_is_class(entry, "group")) ||
               moves_others(changes, entry, after);
        return PROV_OK;
    }
    if (directory_is_deleted(entry) || is_scoped(changes)) {
        *ret = true; /* they may have been one */
        return PROV_OK;
    }
    return directory_is_person(directory, memory, entry, ret, err);
}

static int
part_concerns(const struct changes *changes, uint64_t after, uint64_t from, uint64_t until,
              bool *ret, struct prov_error *err)
{
    void *memory = talloc_new(changes->directory);
    struct ldb_result *found;
    int result = directory_changed(changes->directory, memory, from, until, &found, err);

    for (unsigned i = 0; !result && !*ret && i < found->count; i++)
        result = concerns(changes, memory, found->msgs[i], after, ret, err);
    talloc_free(memory);
    return result;
}

int
changes_concern(const struct changes *changes, uint64_t after, uint64_t until, bool *ret,
                struct prov_error *err)
{
    int result = PROV_OK;

    *ret = false;
    for (uint64_t from = after; !result && !*ret && from < until; from = part_end(from, until))
        result = part_concerns(changes, after, from, part_end(from, until), ret, err);
    return result;
}
