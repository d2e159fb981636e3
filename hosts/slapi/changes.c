/*
 * Decides who is concerned by an operation. Always the state as it is now is handed over, the whole
 * resource: so a change that comes twice, or of which nobody knows whether it came, does no harm. Leaves
 * reading to directory.c, and the order of what is handed over to order.c.
 */
#include "hosts/slapi/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/adapter/unreadable.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"
#include "hosts/cli/person.h"
#include "hosts/ldap/member.h"
#include "hosts/slapi/waiting.h"
#include "hosts/slapi/order.h"

/* Tokens in the making, handed over in one go. */
struct batch {
    struct changes *changes;
    const char *change; /* the number of the operation, where it is not the entry's own */
    LDAPMod **mods;     /* of the entry itself; NULL: none */
    const char *former; /* DN of what was renamed, that counts in groups; NULL: none */
    size_t renamed;     /* the length of the one it has now */
    bool refusable;     /* the operation will be refused if it cannot be handed over */
    struct token *tokens;
    size_t count, room;
    bool unreadable; /* somebody was, and that is told */
};

static int
append(struct batch *batch, const struct token_spec *spec, struct prov_error *err)
{
    int result;

    if (batch->count == batch->room) {
        size_t room = batch->room ? batch->room * 2 : 4;
        struct token *tokens = realloc(batch->tokens, room * sizeof(*tokens));

        if (!tokens)
            return fault_nomem(err);
        batch->tokens = tokens;
        batch->room = room;
    }
    result = token_make(spec, &batch->tokens[batch->count], err);
    if (!result)
        batch->count++;
    return result;
}

/* Before an entry is read that is to be handed over. `dn` NULL: any. */
static void
hold(const struct changes *changes, const char *dn)
{
    if (!changes->serial)
        order_hold(dn);
}

static void
drop_tokens(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        token_clear(&batch->tokens[i]);
    free(batch->tokens);
    batch->tokens = NULL;
    batch->count = batch->room = 0;
}

/* Hands over what was made, as far as it was; nothing of a change that will be refused. */
static int
hand_over(struct batch *batch, const char *dn, int result, struct prov_error *err)
{
    struct submit *submit = batch->changes->submit;

    if (result && batch->refusable)
        submit_refused(submit, dn, err);
    else if (result)
        submit_missed(submit, dn, err);
    if (batch->count && !(result && batch->refusable)) {
        int submitted =
            submit_tokens(submit, dn, batch->tokens, batch->count, batch->refusable, err);

        result = result ? result : submitted;
    }
    drop_tokens(batch);
    return result;
}

/* The same, and ends what hold() began. */
static int
finish(struct batch *batch, const char *held, const char *dn, int result, struct prov_error *err)
{
    if (batch->changes->serial)
        order_hold(held);
    result = hand_over(batch, dn, result, err);
    order_release(held);
    return result;
}

/* ---- what matters ---- */

static bool
is_password(const char *attribute)
{
    return letters_same(attribute, "userPassword") ||
           letters_same(attribute, "unhashed#user#password");
}

static bool
is_read(const struct changes *changes, const char *attribute)
{
    const struct config *config = changes->config;
    const struct column *column = columns_find(config->columns, attribute, true);

    return (column && !column->left_out) || is_password(attribute) ||
           letters_same(attribute, "objectClass") || letters_same(attribute, config->key) ||
           directory_filters_by(changes->directory, attribute);
}

/* The attribute without its options, by the name that entries have it by. */
static const char *
plain_type(const struct directory *directory, const LDAPMod *mod, char *to, size_t size)
{
    snprintf(to, size, "%.*s", (int)strcspn(mod->mod_type, ";"), mod->mod_type);
    if (!columns_find(directory->config->columns, to, true))
        directory->server.attribute(to, to, size);
    return to;
}

bool
changes_matter(const struct changes *changes, const char *dn, LDAPMod **mods)
{
    bool group = directory_is_group(changes->directory, dn);
    char type[256];

    for (size_t i = 0; mods && mods[i]; i++) {
        plain_type(changes->directory, mods[i], type, sizeof(type));
        if (is_read(changes, type) || (group && member_names(type)))
            return true;
    }
    return false;
}

bool
changes_need_members(const struct changes *changes, const char *dn, LDAPMod **mods)
{
    char type[256];

    for (size_t i = 0; mods && mods[i]; i++) {
        int what = mods[i]->mod_op & ~LDAP_MOD_BVALUES;

        if (member_names(plain_type(changes->directory, mods[i], type, sizeof(type))) &&
            (what == LDAP_MOD_REPLACE || !mods[i]->mod_bvalues || !mods[i]->mod_bvalues[0]))
            return directory_is_group(changes->directory, dn);
    }
    return false;
}

/* ---- one person ---- */

/* The last of them that is in clear and can be one elsewhere: a hash begins with the name of its scheme. */
static const struct berval *
clear_value(struct berval *const *values)
{
    const struct berval *found = NULL;

    for (; values && *values; values++) {
        if ((*values)->bv_len && (*values)->bv_val[0] != '{' &&
            utf8_is_text((*values)->bv_val, (*values)->bv_len))
            found = *values;
    }
    return found;
}

/* Whether the modifications set the password, or (any) do anything to it. */
static bool
changes_password(const struct batch *batch, bool any)
{
    const struct directory *directory = batch->changes->directory;
    char type[256];

    for (size_t i = 0; batch->mods && batch->mods[i]; i++) {
        bool taken_out = (batch->mods[i]->mod_op & ~LDAP_MOD_BVALUES) == LDAP_MOD_DELETE;

        if (is_password(plain_type(directory, batch->mods[i], type, sizeof(type))) &&
            (any || !taken_out))
            return true;
    }
    return false;
}

/* The new password, if it is to be handed over: among the modifications, or as the server kept it for us. */
static const struct berval *
clear_password(const struct batch *batch, const struct directory_entry *entry)
{
    const struct directory *directory = batch->changes->directory;
    const struct berval *found = NULL;
    char type[256];

    if (!batch->changes->config->settings.passwords ||
        (batch->mods && !changes_password(batch, false)))
        return NULL;
    for (size_t i = 0; batch->mods && batch->mods[i]; i++) {
        const struct berval *one = clear_value(batch->mods[i]->mod_bvalues);

        if (one && is_password(plain_type(directory, batch->mods[i], type, sizeof(type))) &&
            (batch->mods[i]->mod_op & ~LDAP_MOD_BVALUES) != LDAP_MOD_DELETE)
            found = one;
    }
    return found ? found : clear_value(entry->passwords);
}

/* "CSN" of the entry, or "CSN/CSN" with that of the operation elsewhere, in `to`. NULL: there is none. */
static const char *
change_number(const struct batch *batch, const struct directory_entry *entry, char *to, size_t size)
{
    const char *own = directory_change(entry);

    if (!own || !batch->change)
        return own;
    snprintf(to, size, "%.56s/%.56s", own, batch->change);
    return to;
}

/* What is asked for the manager of an entry. */
struct manager_of {
    const struct directory *directory;
    const char *report;
};

/* A manager whose entry is not there yet: who adds it looks for those who wait. It may have come between the two
 * looks, when nobody waited yet. */
static int
manager_key(void *context, const char *dn, char **ret, struct prov_error *err)
{
    const struct manager_of *question = context;
    int result = directory_key((void *)question->directory, dn, ret, err);

    if (result || *ret)
        return result;
    waiting_note(dn, question->report);
    return directory_key((void *)question->directory, dn, ret, err);
}

/*
 * Reads a person. Somebody who cannot be read keeps nobody else, and what can be read of them counts; *ret_found false: nothing
 * is to be said. An operation that can be refused instead ends with the error, but never a lock.
 */
static int
read_person(struct batch *batch, const struct entry_options *options,
            const struct directory_entry *entry, struct entry_person *ret, bool *ret_found,
            struct prov_error *err)
{
    struct submit *submit = batch->changes->submit;
    int result = unreadable_entry_read(options, &entry->view, ret, err);

    *ret_found = !result;
    if (!unreadable_is(result) ||
        (batch->refusable && !entry_is_inactive(options->columns, &entry->view)))
        return result;
    batch->unreadable = true;
    submit_missed(submit, entry->dn, err);
    return unreadable_complete(&(struct unreadable_source){ submit_in_scope, submit }, options,
                               &entry->view, ret, ret_found, err);
}

/* The DN of an entry at or below what was renamed, as it was; heap. */
static int
former_dn(const struct batch *batch, const struct directory_entry *entry, char **ret,
          struct prov_error *err)
{
    size_t length = strlen(entry->dn);

    *ret = NULL;
    if (!batch->former || length < batch->renamed)
        return PROV_OK;
    if (asprintf(ret, "%.*s%s", (int)(length - batch->renamed), entry->dn, batch->former) < 0) {
        *ret = NULL;
        return fault_nomem(err);
    }
    return PROV_OK;
}

static int
add_groups(const struct batch *batch, struct directory_entry *entry, struct prov_error *err)
{
    char *former;
    int result = former_dn(batch, entry, &former, err);

    if (!result)
        result = directory_add_groups(batch->changes->directory, entry, former, err);
    free(former);
    return result;
}

static int
append_user(struct batch *batch, struct directory_entry *entry, enum token_kind kind,
            struct prov_error *err)
{
    const struct directory *directory = batch->changes->directory;
    const struct config *config = batch->changes->config;
    struct manager_of question = { directory, entry->dn };
    const struct entry_options options = { .columns = config->columns,
                                           .key = config->key,
                                           .manager = manager_key,
                                           .manager_is_key = true,
                                           .context = &question };
    const struct berval *password = clear_password(batch, entry);
    struct entry_person person;
    struct token_spec spec = { .host = batch->changes->host,
                               .scoped = config->filter || *config->bases };
    char change[128];
    bool found;
    int result = add_groups(batch, entry, err);

    if (result)
        return result;
    result = read_person(batch, &options, entry, &person, &found, err);
    if (result || !found)
        return result;
    spec.kind =
        kind == TOKEN_PUT && changes_password(batch, true) && !password ? TOKEN_PASSWORD : kind;
    spec.uri = person.uri;
    spec.resource = person.resource.json;
    spec.inactive = person.resource.inactive;
    spec.change = change_number(batch, entry, change, sizeof(change));
    spec.password = password ? password->bv_val : NULL;
    spec.password_length = password ? password->bv_len : 0;
    result = append(batch, &spec, err);
    entry_person_clear(&person);
    return result;
}

/* Somebody who is not to be provisioned, and may have been. Only a filter or a base can tell them apart
 * later than at the first time. */
static int
append_other(struct batch *batch, const struct directory_entry *entry, struct prov_error *err)
{
    const struct config *config = batch->changes->config;
    const char *key = directory_value(entry, batch->changes->directory->key);
    char change[128], *uri;
    struct token_spec spec = { .kind = TOKEN_LEAVE, .host = batch->changes->host };
    enum submit_presence presence;
    int result = PROV_OK;

    if (!config->filter && !*config->bases)
        return PROV_OK;
    if (!key)
        return PROV_OK;
    uri = person_uri(key);
    if (!uri)
        return fault_nomem(err);
    result = submit_presence(batch->changes->submit, uri, &presence, err);
    spec.uri = uri;
    spec.change = change_number(batch, entry, change, sizeof(change));
    if (!result && presence == SUBMIT_IN)
        result = append(batch, &spec, err);
    free(uri);
    return result;
}

static int
append_entry(void *context, struct directory_entry *entry, struct prov_error *err)
{
    struct batch *batch = context;

    return entry->user ? append_user(batch, entry, TOKEN_PUT, err)
                       : append_other(batch, entry, err);
}

/*
 * Somebody whose entry is read now. One that is gone is no fault: who took it away hands that over. But
 * as long as no entry at all could be read, the server may hide them all.
 */
static int
append_dn(struct batch *batch, const char *dn, bool must_be_there, struct prov_error *err)
{
    const struct directory *directory = batch->changes->directory;
    struct directory_entry entry;
    bool found;
    int result = batch->changes->has_read
                     ? directory_read_at_hand(directory, dn, &entry, &found, err)
                     : directory_read(directory, dn, &entry, &found, err);

    if (!result && !found && must_be_there && !batch->changes->has_read)
        return fault_set(err, PROV_E_STATE,
                         "the entry cannot be read; internal searches need a rootdn of the "
                         "database, which may read everything");
    if (result || !found)
        return result;
    batch->changes->has_read = true;
    result = append_entry(batch, &entry, err);
    directory_entry_clear(&entry);
    return result;
}

/* ---- groups ---- */

/* DNs, sorted and each once. */
struct dns {
    char **plain;
    size_t count, room;
};

static int
add_dn(void *context, const char *dn, struct prov_error *err)
{
    struct dns *dns = context;

    if (dns->count == dns->room) {
        size_t room = dns->room ? dns->room * 2 : 16;
        char **plain = realloc(dns->plain, room * sizeof(*plain));

        if (!plain)
            return fault_nomem(err);
        dns->plain = plain;
        dns->room = room;
    }
    dns->plain[dns->count] = entry_plain_dn(dn);
    if (!dns->plain[dns->count])
        return fault_nomem(err);
    dns->count++;
    return PROV_OK;
}

/* Those who wait for the entry at this DN. */
static int
add_waiting(struct dns *dns, const char *dn, struct prov_error *err)
{
    char **reports = waiting_take(dn);
    int result = PROV_OK;

    for (size_t i = 0; reports && reports[i]; i++) {
        if (!result)
            result = add_dn(dns, reports[i], err);
        free(reports[i]);
    }
    free(reports);
    return result;
}

static void
dns_clear(struct dns *dns)
{
    for (size_t i = 0; i < dns->count; i++)
        free(dns->plain[i]);
    free(dns->plain);
}

static int
compare_dns(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Those that stand in the list `once` times: 1 the difference of two lists, 0 any number. */
static int
append_members(struct batch *batch, struct dns *dns, size_t once, struct prov_error *err)
{
    int result = PROV_OK;

    if (dns->count)
        qsort(dns->plain, dns->count, sizeof(*dns->plain), compare_dns);
    for (size_t i = 0, next; i < dns->count && !result; i = next) {
        for (next = i + 1; next < dns->count && !strcmp(dns->plain[i], dns->plain[next]); next++)
            ;
        if (!once || next - i == once)
            result = append_dn(batch, dns->plain[i], false, err);
    }
    return result;
}

static int
add_members(const struct directory *directory, struct dns *dns, const struct directory_entry *group,
            struct prov_error *err)
{
    int result = PROV_OK;

    for (size_t i = 0; i < group->count && !result; i++) {
        if (member_names(group->values[i].name))
            result = directory_member(directory, group->dn, group->values[i].name,
                                      group->values[i].text, add_dn, dns, err);
    }
    return result;
}

static int
add_list(struct dns *dns, char *const *members, struct prov_error *err)
{
    int result = PROV_OK;

    for (; members && *members && !result; members++)
        result = add_dn(dns, *members, err);
    return result;
}

/* The members that the modifications name. */
static int
add_named(const struct directory *directory, struct dns *dns, const char *group, LDAPMod **mods,
          struct prov_error *err)
{
    char type[256];
    int result = PROV_OK;

    for (size_t i = 0; mods && mods[i]; i++) {
        struct berval **values = mods[i]->mod_bvalues;

        if (!member_names(plain_type(directory, mods[i], type, sizeof(type))))
            continue;
        for (size_t j = 0; values && values[j] && !result; j++)
            result = directory_member(directory, group, type, values[j]->bv_val, add_dn, dns, err);
    }
    return result;
}

/* A group has other members now: those who came or went. */
static int
append_group(struct batch *batch, const struct directory_entry *group, LDAPMod **mods,
             const struct before *before, struct prov_error *err)
{
    const struct directory *directory = batch->changes->directory;
    struct dns dns = { .plain = NULL };
    const char *change = directory_change(group);
    bool replaced = before && before->members;
    int result = replaced ? add_list(&dns, before->members, err) : PROV_OK;

    if (!result)
        result = replaced ? add_members(directory, &dns, group, err)
                          : add_named(directory, &dns, group->dn, mods, err);
    batch->change = change;
    batch->mods = NULL;
    if (!result)
        result = append_members(batch, &dns, replaced ? 1 : 0, err);
    batch->change = NULL;
    dns_clear(&dns);
    return result;
}

/* ---- before ---- */

int
changes_before(const struct changes *changes, const struct directory_entry *entry, bool members,
               struct before *ret, struct prov_error *err)
{
    const char *key = entry->user ? directory_value(entry, changes->directory->key) : NULL;
    const char *change = directory_change(entry);
    struct before before = { NULL };
    struct dns dns = { .plain = NULL };
    int result = PROV_OK;

    if (key) {
        before.uri = person_uri(key);
        result = before.uri ? PROV_OK : fault_nomem(err);
    }
    if (change && !(before.change = strdup(change)))
        result = fault_nomem(err);
    if (!result && members && directory_is_group(changes->directory, entry->dn)) {
        result = add_members(changes->directory, &dns, entry, err);
        if (!result)
            before.members = calloc(dns.count + 1, sizeof(*before.members));
        if (!result && !before.members)
            result = fault_nomem(err);
        for (size_t i = 0; !result && i < dns.count; i++) {
            before.members[i] = dns.plain[i];
            dns.plain[i] = NULL;
        }
    }
    dns_clear(&dns);
    if (result)
        before_clear(&before);
    else
        *ret = before;
    return result;
}

void
before_clear(struct before *before)
{
    for (size_t i = 0; before->members && before->members[i]; i++)
        free(before->members[i]);
    free(before->members);
    free(before->uri);
    free(before->change);
    *before = (struct before){ NULL };
}

/* ---- operations ---- */

int
changes_added(struct changes *changes, struct directory_entry *entry)
{
    struct prov_error err = { .size = sizeof(err) };
    struct batch batch = { .changes = changes, .refusable = changes->refuses };
    bool group = directory_is_group(changes->directory, entry->dn);
    struct dns others = { .plain = NULL };
    const char *held;
    int result;

    if (!entry->user && !group)
        return PROV_OK;
    result = add_waiting(&others, entry->dn, &err);
    held = group || others.count ? NULL : entry->dn;
    hold(changes, held);
    if (!result && entry->user)
        result = append_user(&batch, entry, TOKEN_CREATE, &err);
    if (!result && group)
        result = add_members(changes->directory, &others, entry, &err);
    batch.change = directory_change(entry);
    if (!result)
        result = append_members(&batch, &others, 0, &err);
    result = finish(&batch, held, entry->dn, result, &err);
    dns_clear(&others);
    return result;
}

int
changes_modified(struct changes *changes, const char *dn, struct directory_entry *entry,
                 LDAPMod **mods, const struct before *before)
{
    struct prov_error err = { .size = sizeof(err) };
    struct batch batch = { .changes = changes, .mods = mods, .refusable = changes->refuses };
    bool group = directory_is_group(changes->directory, dn), found = true;
    const char *held = group ? NULL : dn;
    struct directory_entry read = { .dn = NULL };
    int result = PROV_OK;

    hold(changes, held);
    if (!entry && !group) {
        result = append_dn(&batch, dn, true, &err);
    } else {
        if (!entry)
            result = directory_read(changes->directory, dn, &read, &found, &err);
        if (!result && found)
            result = append_entry(&batch, entry ? entry : &read, &err);
        if (!result && found && group)
            result = append_group(&batch, entry ? entry : &read, mods, before, &err);
        if (read.dn)
            directory_entry_clear(&read);
    }
    result = finish(&batch, held, dn, result, &err);
    return result;
}

/* Everything that moved with it. */
struct moved {
    struct batch *batch;
    struct dns members;
};

static int
append_moved(void *context, struct directory_entry *entry, struct prov_error *err)
{
    struct moved *moved = context;
    int result = append_entry(moved->batch, entry, err);

    if (!result && *moved->batch->changes->directory->groups)
        result = add_members(moved->batch->changes->directory, &moved->members, entry, err);
    return result;
}

/* Whether where somebody stands says who they are. */
static bool
depends_on_dn(const struct changes *changes)
{
    return changes->config->filter || *changes->config->bases || *changes->config->groups;
}

/* What lies below has not changed by itself: the number of the operation is that of the entry that was
 * renamed. */
int
changes_renamed(struct changes *changes, const char *new_dn, const char *former,
                struct directory_entry *entry)
{
    struct prov_error err = { .size = sizeof(err) };
    struct batch batch = { .changes = changes, .refusable = changes->refuses, .former = former };
    struct moved moved = { .batch = &batch };
    struct directory_entry read = { .dn = NULL };
    bool found = true;
    int result = PROV_OK;

    hold(changes, NULL);
    if (!entry)
        result = directory_read(changes->directory, new_dn, &read, &found, &err);
    if (!entry)
        entry = &read;
    if (!result && found) {
        batch.renamed = strlen(entry->dn);
        result = append_moved(&moved, entry, &err);
        batch.change = directory_change(entry);
        if (!result && !changes->serial && depends_on_dn(changes))
            result = directory_walk(changes->directory, new_dn, append_moved, &moved, &err);
        batch.former = NULL;
        if (!result)
            result = add_waiting(&moved.members, entry->dn, &err);
        if (!result)
            result = append_members(&batch, &moved.members, 0, &err);
        batch.change = NULL;
    }
    result = finish(&batch, NULL, new_dn, result, &err);
    directory_entry_clear(&read);
    dns_clear(&moved.members);
    return result;
}

int
changes_deleted(struct changes *changes, const char *dn, const struct before *before)
{
    struct prov_error err = { .size = sizeof(err) };
    struct batch batch = { .changes = changes, .refusable = changes->refuses };
    struct token_spec spec = {
        .kind = TOKEN_DELETE, .host = changes->host, .uri = before->uri, .change = before->change
    };
    const char *held = before->members ? NULL : dn;
    struct dns members = { .plain = NULL };
    int result = PROV_OK;

    if (!before->uri && !before->members)
        return PROV_OK;
    hold(changes, held);
    if (before->uri)
        result = append(&batch, &spec, &err);
    if (!result)
        result = add_list(&members, before->members, &err);
    batch.change = before->change;
    if (!result)
        result = append_members(&batch, &members, 0, &err);
    result = finish(&batch, held, dn, result, &err);
    dns_clear(&members);
    return result;
}

/* What is read is handed over only if nothing else was meanwhile. No lock is held while reading: another
 * operation, which the server's own locks keep us from passing, may wait for it. */
int
changes_read_back(struct changes *changes, const char *dn, const char *uri)
{
    struct prov_error err = { .size = sizeof(err) };
    struct token_spec gone = { .kind = TOKEN_DELETE, .host = changes->host, .uri = uri };
    bool newer = true;
    int result = PROV_OK;

    while (newer) {
        struct batch batch = { .changes = changes };
        unsigned long count = order_count(dn);

        result = append_dn(&batch, dn, false, &err);
        if (!result && !batch.count && !batch.unreadable && uri)
            result = append(&batch, &gone, &err);
        order_hold(dn);
        newer = order_count(dn) != count;
        if (newer) {
            drop_tokens(&batch);
            order_release(dn);
        } else {
            result = hand_over(&batch, dn, result, &err);
            order_release(dn);
        }
    }
    return result;
}

/* DNs below one that was moved. */
struct below {
    const struct directory *directory;
    struct dns dns;
};

static int
note_dn(void *context, struct directory_entry *entry, struct prov_error *err)
{
    struct below *below = context;
    int result = add_dn(&below->dns, entry->dn, err);

    return result ? result : add_members(below->directory, &below->dns, entry, err);
}

void
changes_moved(struct changes *changes, const char *dn)
{
    struct prov_error err = { .size = sizeof(err) };
    struct below below = { .directory = changes->directory };

    if (depends_on_dn(changes) && directory_walk(changes->directory, dn, note_dn, &below, &err))
        submit_missed(changes->submit, dn, &err);
    for (size_t i = 0; i < below.dns.count; i++)
        changes_read_back(changes, below.dns.plain[i], NULL);
    dns_clear(&below.dns);
}
