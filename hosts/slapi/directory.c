/*
 * Decides what is read of an entry: the attributes that mean something, the object class, the key and
 * the change number, and no photographs. Leaves their meaning to hosts/ldap/entry.c.
 */
#include "hosts/slapi/directory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hosts/cli/fault.h"

static const char *const always[] = { "objectClass", "entryCSN", "entryUSN", "member",
                                      "uniqueMember" };

#define ALWAYS (sizeof(always) / sizeof(always[0]))

/* ---- life ---- */

static void
free_texts(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        free(texts[i]);
    free(texts);
}

/* DNs in one spelling. */
static char **
spell(const char *const *dns)
{
    size_t count = 0;
    char **texts;

    while (dns[count])
        count++;
    texts = calloc(count + 1, sizeof(*texts));
    for (size_t i = 0; texts && i < count; i++) {
        texts[i] = entry_plain_dn(dns[i]);
        if (!texts[i]) {
            free_texts(texts);
            return NULL;
        }
    }
    return texts;
}

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

int
directory_open(const struct config *config, const struct server *server, struct directory *ret,
               struct prov_error *err)
{
    struct directory directory = { .config = config, .identity = server->identity };
    char *filter = config->filter ? strdup(config->filter) : NULL;

    directory.attributes = list_attributes(config, server->whole_entries);
    directory.bases = spell(config->bases);
    directory.groups = spell(config->groups);
    if (!directory.attributes || !directory.bases || !directory.groups ||
        (config->filter && !filter)) {
        free(filter);
        directory_close(&directory);
        return fault_nomem(err);
    }
    if (filter)
        directory.filter = slapi_str2filter(filter);
    free(filter);
    if (config->filter && !directory.filter) {
        directory_close(&directory);
        return fault_set(err, PROV_E_INVALID,
                         "'filter' is '%.200s', which is no LDAP filter; write one such as "
                         "(&(objectClass=inetOrgPerson)(employeeType=staff))",
                         config->filter);
    }
    *ret = directory;
    return PROV_OK;
}

void
directory_close(struct directory *directory)
{
    free(directory->attributes);
    free_texts(directory->bases);
    free_texts(directory->groups);
    if (directory->filter)
        slapi_filter_free(directory->filter, 1);
    *directory = (struct directory){ .config = NULL };
}

/* ---- names ---- */

static bool
is_at_or_below(const char *dn, char *const *bases)
{
    char *plain = entry_plain_dn(dn);
    size_t length = plain ? strlen(plain) : 0;
    bool below = false;

    for (; plain && *bases && !below; bases++) {
        size_t base = strlen(*bases);

        below = length >= base && !strcmp(plain + length - base, *bases) &&
                (length == base || plain[length - base - 1] == ',');
    }
    free(plain);
    return below;
}

bool
directory_is_group(const struct directory *directory, const char *dn)
{
    return *directory->groups && is_at_or_below(dn, directory->groups);
}

bool
directory_names_members(const char *attribute)
{
    return !strcasecmp(attribute, "member") || !strcasecmp(attribute, "uniqueMember");
}

/* ---- entries ---- */

static bool
is_wanted(const struct directory *directory, const char *name)
{
    if (columns_find(directory->config->columns, name, true) ||
        !strcasecmp(name, directory->config->key))
        return true;
    for (size_t i = 0; i < ALWAYS; i++) {
        if (!strcasecmp(name, always[i]))
            return true;
    }
    return false;
}

static bool
make_room(struct directory_entry *entry, size_t more)
{
    size_t room = entry->count + more;
    struct ldap_value *values;

    if (room <= entry->room)
        return true;
    values = realloc(entry->values, room * 2 * sizeof(*values));
    if (!values)
        return false;
    entry->values = values;
    entry->room = room * 2;
    return true;
}

/* Takes the values over. `name` may have options behind a semicolon, which are dropped. */
static bool
add_values(struct directory_entry *entry, const char *name, struct berval **values)
{
    char *plain = strndup(name, strcspn(name, ";"));
    char **names = realloc(entry->names, (entry->held_count + 1) * sizeof(*names));
    struct berval ***held;
    size_t count = 0;

    if (names)
        entry->names = names;
    held = realloc(entry->held, (entry->held_count + 1) * sizeof(*held));
    if (held)
        entry->held = held;
    while (values[count])
        count++;
    if (!plain || !names || !held || !make_room(entry, count)) {
        free(plain);
        ber_bvecfree(values);
        return false;
    }
    for (char *at = plain; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    names[entry->held_count] = plain;
    held[entry->held_count++] = values;
    for (size_t i = 0; i < count; i++)
        entry->values[entry->count++] =
            (struct ldap_value){ .name = plain,
                                 .text = values[i]->bv_val,
                                 .length = values[i]->bv_len,
                                 .binary = !entry_is_text(values[i]->bv_val, values[i]->bv_len) };
    return true;
}

static bool
is_user(const struct directory *directory, Slapi_Entry *from, const struct directory_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (!strcmp(entry->values[i].name, "objectclass") &&
            (!strcasecmp(entry->values[i].text, "nsTombstone") ||
             !strcasecmp(entry->values[i].text, "glue")))
            return false;
    }
    if (*directory->bases && !is_at_or_below(entry->dn, directory->bases))
        return false;
    if (directory->filter)
        return slapi_filter_test_simple(from, directory->filter) == 0;
    return directory_value(entry, "objectclass") && entry_is_person(&entry->view, NULL);
}

int
directory_take(const struct directory *directory, Slapi_Entry *from, struct directory_entry *ret,
               struct prov_error *err)
{
    struct directory_entry entry = { .dn = strdup(slapi_entry_get_dn(from)) };
    Slapi_Attr *attribute = NULL;
    bool done = entry.dn != NULL;

    for (int more = slapi_entry_first_attr(from, &attribute); done && !more && attribute;
         more = slapi_entry_next_attr(from, attribute, &attribute)) {
        struct berval **values = NULL;
        char *name = NULL, plain[256];

        slapi_attr_get_type(attribute, &name);
        if (!name || strcspn(name, ";") >= sizeof(plain))
            continue;
        memcpy(plain, name, strcspn(name, ";"));
        plain[strcspn(name, ";")] = '\0';
        if (is_wanted(directory, plain) && !slapi_attr_get_bervals_copy(attribute, &values) &&
            values)
            done = add_values(&entry, name, values);
    }
    if (!done) {
        directory_entry_clear(&entry);
        return fault_nomem(err);
    }
    entry.view =
        (struct ldap_entry){ .dn = entry.dn, .values = entry.values, .count = entry.count };
    entry.user = is_user(directory, from, &entry);
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
    for (size_t i = 0; i < entry->held_count; i++) {
        free(entry->names[i]);
        ber_bvecfree(entry->held[i]);
    }
    free(entry->names);
    free(entry->held);
    free(entry->values);
    free(entry->dn);
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

const char *
directory_change(const struct directory_entry *entry)
{
    const char *number = directory_value(entry, "entrycsn");

    return number ? number : directory_value(entry, "entryusn");
}

/* ---- searches ---- */

/* An internal search; the caller ends it with end_search(). *ret is the list of the server's entries. */
static int
search(const struct directory *directory, const char *base, int scope, const char *filter,
       char **attributes, Slapi_PBlock **ret_search, Slapi_Entry ***ret, bool *ret_found,
       struct prov_error *err)
{
    Slapi_PBlock *search = slapi_pblock_new();
    int code = -1;

    *ret_search = search;
    *ret = NULL;
    if (!search)
        return fault_nomem(err);
    slapi_search_internal_set_pb(search, base, scope, filter, attributes, 0, NULL, NULL,
                                 directory->identity, 0);
    slapi_search_internal_pb(search);
    slapi_pblock_get(search, SLAPI_PLUGIN_INTOP_RESULT, &code);
    *ret_found = code == LDAP_SUCCESS;
    if (code == LDAP_NO_SUCH_OBJECT)
        return PROV_OK;
    if (code)
        return fault_set(err, PROV_E_STATE, "the server cannot read below '%.200s': LDAP code %d",
                         base, code);
    slapi_pblock_get(search, SLAPI_PLUGIN_INTOP_SEARCH_ENTRIES, ret);
    *ret_found = *ret && **ret;
    return PROV_OK;
}

static void
end_search(Slapi_PBlock *search)
{
    if (!search)
        return;
    slapi_free_search_results_internal(search);
    slapi_pblock_destroy(search);
}

int
directory_read(const struct directory *directory, const char *dn, struct directory_entry *ret,
               bool *ret_found, struct prov_error *err)
{
    Slapi_PBlock *found;
    Slapi_Entry **entries;
    int result = search(directory, dn, LDAP_SCOPE_BASE, "(objectClass=*)", directory->attributes,
                        &found, &entries, ret_found, err);

    if (!result && *ret_found)
        result = directory_take(directory, entries[0], ret, err);
    end_search(found);
    return result;
}

/* The entry at the DN itself is found as well. */
static bool
is_at(const char *plain, Slapi_Entry *entry)
{
    char *other = entry_plain_dn(slapi_entry_get_dn(entry));
    bool same = other && !strcmp(plain, other);

    free(other);
    return same;
}

int
directory_walk(const struct directory *directory, const char *dn,
               int (*each)(void *context, struct directory_entry *entry, struct prov_error *err),
               void *context, struct prov_error *err)
{
    Slapi_PBlock *found;
    Slapi_Entry **entries;
    bool any;
    char *plain = entry_plain_dn(dn);
    int result = search(directory, dn, LDAP_SCOPE_SUBTREE, "(objectClass=*)", directory->attributes,
                        &found, &entries, &any, err);

    if (!result && !plain)
        result = fault_nomem(err);
    for (size_t i = 0; !result && any && entries[i]; i++) {
        struct directory_entry entry;

        if (is_at(plain, entries[i]))
            continue;
        result = directory_take(directory, entries[i], &entry, err);
        if (result)
            break;
        result = each(context, &entry, err);
        directory_entry_clear(&entry);
    }
    end_search(found);
    free(plain);
    return result;
}

/* "(|(member=DN)(uniqueMember=DN))", the DN escaped by RFC 4515. Heap. */
static char *
member_filter(const char *dn)
{
    size_t room = 3 * strlen(dn) + 1;
    char *value = malloc(room), *filter = NULL, *out = value;

    if (!value)
        return NULL;
    for (; *dn; dn++) {
        if (strchr("*()\\", *dn))
            out += snprintf(out, room - (size_t)(out - value), "\\%02x", (unsigned char)*dn);
        else
            *out++ = *dn;
    }
    *out = '\0';
    if (asprintf(&filter, "(|(member=%s)(uniqueMember=%s))", value, value) < 0)
        filter = NULL;
    free(value);
    return filter;
}

static void
drop_groups(struct directory_entry *entry)
{
    size_t kept = 0;

    for (size_t i = 0; i < entry->count; i++) {
        if (strcmp(entry->values[i].name, "memberof"))
            entry->values[kept++] = entry->values[i];
    }
    entry->count = kept;
}

static int
add_groups_below(const struct directory *directory, const char *base, const char *filter,
                 struct directory_entry *entry, struct prov_error *err)
{
    static char *names[] = { "1.1", NULL };
    Slapi_PBlock *found;
    Slapi_Entry **entries;
    bool any;
    int result =
        search(directory, base, LDAP_SCOPE_SUBTREE, filter, names, &found, &entries, &any, err);

    for (size_t i = 0; !result && any && entries[i]; i++) {
        const char *dn = slapi_entry_get_dn(entries[i]);
        struct berval value = { strlen(dn), (char *)dn };
        struct berval **copy = NULL;

        copy = ber_memcalloc(2, sizeof(struct berval *));
        if (copy && !(copy[0] = ber_bvdup(&value))) {
            ber_memfree(copy);
            copy = NULL;
        }
        if (!copy || !add_values(entry, "memberOf", copy))
            result = fault_nomem(err);
    }
    end_search(found);
    return result;
}

int
directory_add_groups(const struct directory *directory, struct directory_entry *entry,
                     struct prov_error *err)
{
    char *filter;
    int result = PROV_OK;

    if (!*directory->groups)
        return PROV_OK;
    filter = member_filter(entry->dn);
    if (!filter)
        return fault_nomem(err);
    drop_groups(entry);
    for (size_t i = 0; directory->config->groups[i] && !result; i++)
        result = add_groups_below(directory, directory->config->groups[i], filter, entry, err);
    free(filter);
    entry->view.values = entry->values;
    entry->view.count = entry->count;
    return result;
}

int
directory_key(void *context, const char *dn, char **ret, struct prov_error *err)
{
    const struct directory *directory = context;
    char *attributes[] = { (char *)directory->config->key, NULL };
    Slapi_PBlock *found;
    Slapi_Entry **entries;
    bool any;
    int result = search(directory, dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, &found,
                        &entries, &any, err);

    if (!result && any) {
        char *key = slapi_entry_attr_get_charptr(entries[0], directory->config->key);

        if (key)
            *ret = strdup(key);
        if (key && !*ret)
            result = fault_nomem(err);
        slapi_ch_free_string(&key);
    }
    end_search(found);
    return result;
}
