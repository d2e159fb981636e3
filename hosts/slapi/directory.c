/*
 * Decides what is read of an entry: the attributes that mean something, the object class, the key and
 * the change number, and no photographs. Leaves their meaning to hosts/ldap/entry.c.
 */
#include "hosts/slapi/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"
#include "hosts/ldap/member.h"

static const char *const always[] = { "objectclass",  "entrycsn",  "entryusn", "member",
                                      "uniquemember", "memberuid", "uid" };

#define ALWAYS    (sizeof(always) / sizeof(always[0]))
#define NAME_ROOM 256

/* ---- life ---- */

/* A filter may look at any attribute, so all are asked for where there is one. */
static char **
list_attributes(const struct config *config, bool one_is_enough)
{
    static const char *const all[] = { "*", "+", NULL };
    size_t mapped = 0, count = 0;
    const char **names;

    while (columns_attribute(config->columns, mapped))
        mapped++;
    names = calloc(mapped + ALWAYS + 4, sizeof(*names));
    if (!names)
        return NULL;
    for (size_t i = 0; !one_is_enough && config->filter && all[i]; i++)
        names[count++] = all[i];
    for (size_t i = 0; !one_is_enough && i < mapped; i++)
        names[count++] = columns_attribute(config->columns, i);
    for (size_t i = 0; !one_is_enough && i < ALWAYS; i++)
        names[count++] = always[i];
    names[count] = config->key;
    return (char **)names; /* the server's interface takes no const */
}

/* Copies what stands at `at` of a filter up to the next name, and the name as entries have it. Returns what is behind it. */
static const char *
copy_name(const struct server *server, const char *at, FILE *to, char name[NAME_ROOM])
{
    size_t before = strspn(at, "(&|! "), length = strcspn(at + before, ";:=<>~ )");

    fwrite(at, 1, before, to);
    snprintf(name, NAME_ROOM, "%.*s", (int)length, at + before);
    if (*name)
        server->attribute(name, name, NAME_ROOM);
    if (length < NAME_ROOM)
        fputs(name, to);
    else
        fwrite(at + before, 1, length, to);
    return at + before + length;
}

/*
 * The names of a filter stand behind brackets, before what is asked of the value (RFC 4515). Notes them, and returns the filter
 * with the names that entries have: 389 finds no other ones. Heap; NULL when out of memory.
 */
static char *
plain_filter(const char *filter, const struct server *server, char **names)
{
    char *text = NULL, name[NAME_ROOM];
    size_t size, count = 0;
    FILE *to = open_memstream(&text, &size);
    bool failed = !to;

    while (*filter && !failed) {
        size_t rest;

        filter = copy_name(server, filter, to, name);
        names[count] = strdup(name);
        failed = !names[count++];
        rest = strcspn(filter, "(");
        fwrite(filter, 1, rest, to);
        filter += rest;
    }
    if (to && (fclose(to) || failed)) {
        free(text);
        return NULL;
    }
    return text;
}

static int
make_filter(const struct config *config, struct directory *directory, struct prov_error *err)
{
    size_t room = 2;
    char *text;

    for (const char *at = config->filter; at && *at; at++)
        room += *at == '(';
    directory->filter_names = calloc(room, sizeof(*directory->filter_names));
    if (!directory->filter_names)
        return fault_nomem(err);
    if (!config->filter)
        return PROV_OK;
    text = plain_filter(config->filter, &directory->server, directory->filter_names);
    if (!text)
        return fault_nomem(err);
    directory->filter = slapi_str2filter(text);
    free(text);
    if (!directory->filter)
        return fault_set(err, PROV_E_INVALID,
                         "'filter' is '%.200s', which is no LDAP filter; write one such as "
                         "(&(objectClass=inetOrgPerson)(employeeType=staff))",
                         config->filter);
    return PROV_OK;
}

int
directory_open(const struct config *config, const struct server *server, struct directory *ret,
               struct prov_error *err)
{
    struct directory directory = { .config = config, .server = *server };
    int result = make_filter(config, &directory, err);

    directory.key = strdup(config->key);
    directory.attributes = list_attributes(config, server->whole_entries);
    directory.bases = entry_plain_dns(config->bases);
    directory.groups = entry_plain_dns(config->groups);
    if (!result &&
        (!directory.key || !directory.attributes || !directory.bases || !directory.groups))
        result = fault_nomem(err);
    if (result) {
        directory_close(&directory);
        return result;
    }
    letters_make_small(directory.key);
    *ret = directory;
    return PROV_OK;
}

void
directory_close(struct directory *directory)
{
    free(directory->key);
    free(directory->attributes);
    entry_free_dns(directory->bases);
    entry_free_dns(directory->groups);
    entry_free_dns(directory->filter_names);
    if (directory->filter)
        slapi_filter_free(directory->filter, 1);
    *directory = (struct directory){ .config = NULL };
}

/* ---- names ---- */

static bool
is_at_or_below(const char *dn, char *const *bases)
{
    char *plain = entry_plain_dn(dn);
    bool below = plain && entry_is_below(plain, bases);

    free(plain);
    return below;
}

bool
directory_is_group(const struct directory *directory, const char *dn)
{
    return *directory->groups && is_at_or_below(dn, directory->groups);
}

/* ---- entries ---- */

/* Copies that an entry consists of lie one behind the other. */
struct piece {
    struct piece *next;
    size_t used, room;
    char bytes[];
};
#define PIECE_ROOM  960 /* a small entry's, and of a size that malloc() has at hand */
#define VALUES_ROOM 24

/* A copy with a NUL behind it; NULL when out of memory. */
static char *
keep(struct directory_entry *entry, const char *bytes, size_t length)
{
    struct piece *piece = entry->pieces;
    size_t room = length < PIECE_ROOM ? PIECE_ROOM : length + 1;
    char *copy;

    if (!piece || piece->room - piece->used <= length) {
        piece = malloc(sizeof(*piece) + room);
        if (!piece)
            return NULL;
        *piece = (struct piece){ .next = entry->pieces, .room = room };
        entry->pieces = piece;
    }
    copy = piece->bytes + piece->used;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    piece->used += length + 1;
    return copy;
}

/* The name of an attribute in small letters, without its options. */
static char *
keep_name(struct directory_entry *entry, const char *name)
{
    char *copy = keep(entry, name, strcspn(name, ";"));

    if (copy)
        letters_make_small(copy);
    return copy;
}

/* `name` is the entry's. */
static bool
add_value(struct directory_entry *entry, const char *name, const struct berval *value)
{
    char *text;

    if (entry->count == entry->room) {
        size_t room = entry->room ? entry->room * 2 : VALUES_ROOM;
        struct ldap_value *values = realloc(entry->values, room * sizeof(*values));

        if (!values)
            return false;
        entry->values = values;
        entry->room = room;
    }
    text = keep(entry, value->bv_val, value->bv_len);
    if (!text)
        return false;
    entry->values[entry->count++] =
        (struct ldap_value){ .name = name,
                             .text = text,
                             .length = value->bv_len,
                             .binary = !utf8_is_text(text, value->bv_len) };
    return true;
}

/* Few are taken where they are; of many the server would look for each from the first on. */
#define FEW_VALUES 16

static bool
add_attribute(struct directory_entry *entry, const char *name, Slapi_Attr *attribute)
{
    struct berval **copies = NULL;
    Slapi_Value *value = NULL;
    int count = 0;
    bool done = true;

    slapi_attr_get_numvalues(attribute, &count);
    if (count <= FEW_VALUES) {
        for (int at = slapi_attr_first_value(attribute, &value); at != -1 && value && done;
             at = slapi_attr_next_value(attribute, at, &value))
            done = add_value(entry, name, slapi_value_get_berval(value));
        return done;
    }
    if (slapi_attr_get_bervals_copy(attribute, &copies) || !copies)
        return false;
    for (size_t i = 0; copies[i] && done; i++)
        done = add_value(entry, name, copies[i]);
    ber_bvecfree(copies);
    return done;
}

/* ---- what is computed ---- */

static void
drop_values(struct directory_entry *entry, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < entry->count; i++) {
        if (strcmp(entry->values[i].name, name) != 0)
            entry->values[kept++] = entry->values[i];
    }
    entry->count = kept;
}

static bool
add_computed(struct directory_entry *entry, const char *attribute, Slapi_ValueSet *values)
{
    const char *name = keep_name(entry, attribute);
    Slapi_Value *value = NULL;
    bool done = name != NULL;

    if (done)
        drop_values(entry, name);
    for (int at = slapi_valueset_first_value(values, &value); at != -1 && value && done;
         at = slapi_valueset_next_value(values, at, &value)) {
        done = add_value(entry, name, slapi_value_get_berval(value));
        entry->computed += done;
    }
    return done;
}

/* A list finds what the server shows, so an event has to say the same: a lock that a role gives is one. */
static bool
compute(const struct directory *directory, Slapi_Entry *from, struct directory_entry *entry)
{
    const char *name;
    bool done = true;

    if (!directory->server.computed)
        return true;
    for (size_t i = 0; done && (name = columns_attribute(directory->config->columns, i)); i++) {
        Slapi_ValueSet *values = directory->server.computed(from, name);

        if (values)
            done = add_computed(entry, name, values);
        slapi_valueset_free(values);
    }
    return done;
}

bool
directory_computes_anew(const struct directory_entry *before, const struct directory_entry *after)
{
    const struct ldap_value *old = before->values + before->count - before->computed;
    const struct ldap_value *fresh = after->values + after->count - after->computed;

    if (before->computed != after->computed)
        return true;
    for (size_t i = 0; i < before->computed; i++) {
        if (strcmp(old[i].name, fresh[i].name) != 0 || old[i].length != fresh[i].length ||
            memcmp(old[i].text, fresh[i].text, old[i].length) != 0)
            return true;
    }
    return false;
}

/* `name` is in small letters. */
static bool
is_wanted(const struct directory *directory, const char *name)
{
    if (columns_find(directory->config->columns, name, true) || !strcmp(name, directory->key))
        return true;
    for (size_t i = 0; i < ALWAYS; i++) {
        if (name[0] == always[i][0] && !strcmp(name, always[i]))
            return true;
    }
    return false;
}

static bool
is_user(const struct directory *directory, Slapi_Entry *from, const struct directory_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (!strcmp(entry->values[i].name, "objectclass") &&
            (letters_same(entry->values[i].text, "nsTombstone") ||
             letters_same(entry->values[i].text, "glue")))
            return false;
    }
    if (*directory->bases && !is_at_or_below(entry->dn, directory->bases))
        return false;
    if (directory->filter)
        return slapi_filter_test_simple(from, directory->filter) == 0;
    return directory_value(entry, "objectclass") && entry_is_person(&entry->view, NULL);
}

/* After each change of the values. */
static void
view(struct directory_entry *entry)
{
    entry->view =
        (struct ldap_entry){ .dn = entry->dn, .values = entry->values, .count = entry->count };
}

int
directory_take(const struct directory *directory, Slapi_Entry *from, struct directory_entry *ret,
               struct prov_error *err)
{
    struct directory_entry entry = { .dn = NULL };
    const char *dn = slapi_entry_get_dn(from);
    Slapi_Attr *attribute = NULL;
    bool done;

    entry.dn = keep(&entry, dn, strlen(dn));
    done = entry.dn != NULL;
    for (int more = slapi_entry_first_attr(from, &attribute); done && !more && attribute;
         more = slapi_entry_next_attr(from, attribute, &attribute)) {
        char *name = NULL;

        slapi_attr_get_type(attribute, &name);
        if (!name)
            continue;
        name = keep_name(&entry, name);
        done = name && (!is_wanted(directory, name) || add_attribute(&entry, name, attribute));
    }
    if (!done) {
        directory_entry_clear(&entry);
        return fault_nomem(err);
    }
    view(&entry);
    entry.user = is_user(directory, from, &entry);
    if (entry.user && !compute(directory, from, &entry)) {
        directory_entry_clear(&entry);
        return fault_nomem(err);
    }
    view(&entry);
    *ret = entry;
    return PROV_OK;
}

static void
wipe_passwords(struct directory_entry *entry)
{
    for (size_t i = 0; entry->passwords && entry->passwords[i]; i++)
        explicit_bzero(entry->passwords[i]->bv_val, entry->passwords[i]->bv_len);
    ber_bvecfree(entry->passwords);
}

void
directory_entry_clear(struct directory_entry *entry)
{
    wipe_passwords(entry);
    while (entry->pieces) {
        struct piece *next = entry->pieces->next;

        free(entry->pieces);
        entry->pieces = next;
    }
    free(entry->values);
    *entry = (struct directory_entry){ .dn = NULL };
}

const char *
directory_value(const struct directory_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (!strcmp(entry->values[i].name, name))
            return entry->values[i].text;
    }
    return NULL;
}

bool
directory_filters_by(const struct directory *directory, const char *attribute)
{
    for (char **name = directory->filter_names; *name; name++) {
        if (letters_same(*name, attribute))
            return true;
    }
    return false;
}

const char *
directory_change(const struct directory_entry *entry)
{
    const char *number = directory_value(entry, "entrycsn");

    return number ? number : directory_value(entry, "entryusn");
}

/* ---- searches ---- */

/* An internal search, and what becomes of the entries it finds: each is the server's own, and is copied before
 * anything else is read. */
struct search {
    const struct directory *directory;
    int (*each)(struct search *search, Slapi_Entry *entry);
    void *context;
    int result;
    struct prov_error *err;
};

static int
hear_entry(Slapi_Entry *entry, void *context)
{
    struct search *search = context;

    if (!search->result)
        search->result = search->each(search, entry);
    return 0;
}

/* A base that is not there has no entries. */
static int
run(struct search *search, const char *base, int scope, const char *filter, char **attributes)
{
    Slapi_PBlock *block = slapi_pblock_new();
    int code = -1;

    if (!block)
        return fault_nomem(search->err);
    slapi_search_internal_set_pb(block, base, scope, filter, attributes, 0, NULL, NULL,
                                 search->directory->server.identity, 0);
    slapi_search_internal_callback_pb(block, search, NULL, hear_entry, NULL);
    slapi_pblock_get(block, SLAPI_PLUGIN_INTOP_RESULT, &code);
    slapi_pblock_destroy(block);
    if (code && code != LDAP_NO_SUCH_OBJECT)
        return fault_set(search->err, PROV_E_STATE,
                         "the server cannot read below '%.200s': LDAP code %d", base, code);
    return search->result;
}

/* Copies of what was found. */
struct entries {
    struct directory_entry *all;
    size_t count, room;
};

static int
copy_entry(struct search *search, Slapi_Entry *entry)
{
    struct entries *entries = search->context;

    if (entries->count == entries->room) {
        size_t room = entries->room * 2 + 1;
        struct directory_entry *all = realloc(entries->all, room * sizeof(*all));

        if (!all)
            return fault_nomem(search->err);
        entries->all = all;
        entries->room = room;
    }
    if (directory_take(search->directory, entry, &entries->all[entries->count], search->err))
        return PROV_E_NOMEM;
    entries->count++;
    return PROV_OK;
}

static int
copy_one(struct search *search, Slapi_Entry *entry)
{
    struct directory_entry *ret = search->context;

    return ret->dn ? PROV_OK : directory_take(search->directory, entry, ret, search->err);
}

int
directory_read(const struct directory *directory, const char *dn, struct directory_entry *ret,
               bool *ret_found, struct prov_error *err)
{
    struct directory_entry entry = { .dn = NULL };
    struct search search = {
        .directory = directory, .each = copy_one, .context = &entry, .err = err
    };
    int result = run(&search, dn, LDAP_SCOPE_BASE, "(objectClass=*)", directory->attributes);

    *ret_found = !result && entry.dn;
    if (*ret_found)
        *ret = entry;
    else
        directory_entry_clear(&entry);
    return result;
}

int
directory_read_at_hand(const struct directory *directory, const char *dn,
                       struct directory_entry *ret, bool *ret_found, struct prov_error *err)
{
    Slapi_Entry *entry = directory->server.at_hand ? directory->server.at_hand(dn) : NULL;
    int result;

    if (!entry)
        return directory_read(directory, dn, ret, ret_found, err);
    result = directory_take(directory, entry, ret, err);
    directory->server.release(entry);
    *ret_found = !result;
    return result;
}

/* The entry at the DN itself is found as well. */
static bool
is_at(const char *plain, const struct directory_entry *entry)
{
    char *other = entry_plain_dn(entry->dn);
    bool same = other && !strcmp(plain, other);

    free(other);
    return same;
}

int
directory_walk(const struct directory *directory, const char *dn,
               int (*each)(void *context, struct directory_entry *entry, struct prov_error *err),
               void *context, struct prov_error *err)
{
    struct entries entries = { .all = NULL };
    struct search search = {
        .directory = directory, .each = copy_entry, .context = &entries, .err = err
    };
    char *plain = entry_plain_dn(dn);
    int result =
        plain ? run(&search, dn, LDAP_SCOPE_SUBTREE, "(objectClass=*)", directory->attributes)
              : fault_nomem(err);

    for (size_t i = 0; i < entries.count; i++) {
        if (!result && !is_at(plain, &entries.all[i]))
            result = each(context, &entries.all[i], err);
        directory_entry_clear(&entries.all[i]);
    }
    free(entries.all);
    free(plain);
    return result;
}

static int
add_group(struct search *search, Slapi_Entry *group)
{
    const char *dn = slapi_entry_get_dn(group);
    struct berval value = { strlen(dn), (char *)dn };

    return add_value(search->context, "memberof", &value) ? PROV_OK : fault_nomem(search->err);
}

int
directory_add_groups(const struct directory *directory, struct directory_entry *entry,
                     const char *former, struct prov_error *err)
{
    static char *names[] = { "1.1", NULL };
    struct search search = {
        .directory = directory, .each = add_group, .context = entry, .err = err
    };
    char *filter;
    int result = PROV_OK;

    if (!*directory->groups)
        return PROV_OK;
    filter = member_filter(&entry->view, former);
    if (!filter)
        return fault_nomem(err);
    drop_values(entry, "memberof");
    for (size_t i = 0; directory->config->groups[i] && !result; i++)
        result = run(&search, directory->config->groups[i], LDAP_SCOPE_SUBTREE, filter, names);
    free(filter);
    view(entry);
    return result;
}

static int
take_key(struct search *search, Slapi_Entry *entry)
{
    char **ret = search->context;
    char *key = slapi_entry_attr_get_charptr(entry, search->directory->config->key);

    if (!key || *ret)
        return PROV_OK;
    *ret = strdup(key);
    slapi_ch_free_string(&key);
    return *ret ? PROV_OK : fault_nomem(search->err);
}

int
directory_key(void *context, const char *dn, char **ret, struct prov_error *err)
{
    const struct directory *directory = context;
    char *attributes[] = { (char *)directory->config->key, NULL };
    struct search search = { .directory = directory, .each = take_key, .context = ret, .err = err };

    *ret = NULL;
    return run(&search, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes);
}

/* ---- members ---- */

static int
note_any(struct search *search, Slapi_Entry *entry)
{
    (void)entry;
    *(bool *)search->context = true;
    return PROV_OK;
}

static bool
is_there(const struct directory *directory, const char *dn)
{
    static char *names[] = { "1.1", NULL };
    struct prov_error err = { .size = sizeof(err) };
    bool there = false;
    struct search search = {
        .directory = directory, .each = note_any, .context = &there, .err = &err
    };

    return !run(&search, dn, LDAP_SCOPE_BASE, "(objectClass=*)", names) && there;
}

/* The top of the tree that a DN is in. Heap of the server; NULL when out of memory. */
static char *
top_of(const struct directory *directory, const char *dn)
{
    char *top = slapi_ch_strdup((char *)dn);

    for (;;) {
        char *parent = top ? slapi_dn_parent(top) : NULL;

        if (!parent || !*parent || !is_there(directory, parent)) {
            slapi_ch_free_string(&parent);
            return top;
        }
        slapi_ch_free_string(&top);
        top = parent;
    }
}

int
directory_member(const struct directory *directory, const char *group, const char *attribute,
                 const char *member,
                 int (*each)(void *context, const char *dn, struct prov_error *err), void *context,
                 struct prov_error *err)
{
    struct entries entries = { .all = NULL };
    struct search search = {
        .directory = directory, .each = copy_entry, .context = &entries, .err = err
    };
    char *filter, *top;
    int result;

    if (!member_by_uid(attribute))
        return each(context, member, err);
    filter = member_uid_filter(member);
    top = top_of(directory, group);
    result = filter && top ? run(&search, top, LDAP_SCOPE_SUBTREE, filter, directory->attributes)
                           : fault_nomem(err);
    for (size_t i = 0; i < entries.count; i++) {
        if (!result)
            result = each(context, entries.all[i].dn, err);
        directory_entry_clear(&entries.all[i]);
    }
    free(entries.all);
    free(filter);
    slapi_ch_free_string(&top);
    return result;
}
