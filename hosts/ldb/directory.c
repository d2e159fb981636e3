/*
 * Decides what is read of an entry, who of a domain is a person, and what its metadata say of a change: how an
 * object was renamed or got a password is seen in replPropertyMetaData, wherever it was written. Leaves the
 * meaning of attributes to hosts/ldap/entry.c.
 */
#include "hosts/ldb/directory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"

/* [MS-ADTS] 2.2.16: SAM_USER_OBJECT; machines, trusts and groups have other numbers */
#define NORMAL_USER 805306368u
/* attribute ids of [MS-ADSC] */
#define ID_NAME                 0x00090001u
#define ID_UNICODE_PWD          0x0009005au
#define ID_LOCKOUT_TIME         0x00090296u
#define ID_LAST_LOGON_TIMESTAMP 0x000906a0u

static const char *const always[] = { "objectClass",
                                      "objectGUID",
                                      "sAMAccountType",
                                      "isCriticalSystemObject",
                                      "isDeleted",
                                      "msDS-SecondaryKrbTgtNumber",
                                      "uSNChanged",
                                      "uSNCreated",
                                      "replPropertyMetaData",
                                      "memberOf",
                                      "objectSid",
                                      "primaryGroupID" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- life ---- */

static int
parse_dns(struct directory *directory, const char *name, const char *const *texts,
          struct ldb_dn ***ret, struct prov_error *err)
{
    struct ldb_context *ldb = ldb_module_get_ctx(directory->module);
    size_t count = 0;

    while (texts[count])
        count++;
    *ret = talloc_zero_array(directory, struct ldb_dn *, (unsigned)count + 1);
    if (!*ret)
        return fault_nomem(err);
    for (size_t i = 0; i < count; i++) {
        (*ret)[i] = ldb_dn_new(*ret, ldb, texts[i]);
        if (!ldb_dn_validate((*ret)[i]))
            return fault_set(err, PROV_E_INVALID, "'%s': '%.200s' is no DN", name, texts[i]);
    }
    return PROV_OK;
}

static int
check_filter(const struct config *config, void *memory, struct prov_error *err)
{
    struct ldb_parse_tree *tree = config->filter ? ldb_parse_tree(memory, config->filter) : NULL;

    if (config->filter && !tree)
        return fault_set(err, PROV_E_INVALID,
                         "'filter' is '%.200s', which is no LDAP filter; write one such as "
                         "(employeeType=staff)",
                         config->filter);
    talloc_free(tree);
    return PROV_OK;
}

static const char **
list_attributes(const struct config *config, void *memory)
{
    size_t mapped = 0, count = 0;
    const char **names;

    while (columns_attribute(config->columns, mapped))
        mapped++;
    names = talloc_zero_array(memory, const char *, (unsigned)(mapped + COUNT(always) + 1));
    for (size_t i = 0; names && i < mapped; i++)
        names[count++] = columns_attribute(config->columns, i);
    for (size_t i = 0; names && i < COUNT(always); i++)
        names[count++] = always[i];
    return names;
}

int
directory_open(const struct config *config, struct ldb_module *module, void *memory,
               struct directory **ret, struct prov_error *err)
{
    struct directory *directory = talloc_zero(memory, struct directory);
    int result;

    if (!directory)
        return fault_nomem(err);
    directory->config = config;
    directory->module = module;
    directory->attributes = list_attributes(config, directory);
    result = directory->attributes ? PROV_OK : fault_nomem(err);
    if (!result && !letters_same(config->key, "objectGUID"))
        result =
            fault_set(err, PROV_E_INVALID,
                      "'columns' names the key '%.60s'; here it is objectGUID, which a deleted "
                      "entry keeps",
                      config->key);
    if (!result)
        result = check_filter(config, directory, err);
    if (!result)
        result = parse_dns(directory, "bases", config->bases, &directory->bases, err);
    if (!result)
        result = parse_dns(directory, "groups", config->groups, &directory->groups, err);
    if (result)
        talloc_free(directory);
    else
        *ret = directory;
    return result;
}

/* ---- searches ---- */

static int
add_controls(struct ldb_request *request, unsigned how)
{
    int code = ldb_request_add_control(request, LDB_CONTROL_AS_SYSTEM_OID, false, NULL);

    if (!code)
        code = ldb_request_add_control(request, LDB_CONTROL_SHOW_RECYCLED_OID, false, NULL);
    if (!code && how & DIRECTORY_LINKS) {
        struct ldb_extended_dn_control *text = talloc_zero(request, struct ldb_extended_dn_control);

        if (!text)
            return LDB_ERR_OPERATIONS_ERROR;
        text->type = 1;
        code = ldb_request_add_control(request, LDB_CONTROL_EXTENDED_DN_OID, false, text);
        if (!code)
            code = ldb_request_add_control(request, LDB_CONTROL_REVEAL_INTERNALS, false, NULL);
    }
    if (!code && how & DIRECTORY_FORMER)
        code = ldb_request_add_control(request, LDB_CONTROL_SHOW_DEACTIVATED_LINK_OID, false, NULL);
    return code;
}

int
directory_search(struct directory *directory, void *memory, const struct directory_search *search,
                 struct ldb_result **ret, struct prov_error *err)
{
    struct ldb_context *ldb = ldb_module_get_ctx(directory->module);
    struct ldb_request *request = NULL;
    int code;

    *ret = talloc_zero(memory, struct ldb_result);
    if (!*ret)
        return fault_nomem(err);
    code = ldb_build_search_req(&request, ldb, *ret, search->base, search->scope, search->filter,
                                search->attributes, NULL, *ret, ldb_search_default_callback, NULL);
    if (!code)
        code = add_controls(request, search->how);
    if (!code)
        code = ldb_next_request(directory->module, request);
    if (!code)
        code = ldb_wait(request->handle, LDB_WAIT_ALL);
    talloc_free(request);
    if (code == LDB_ERR_NO_SUCH_OBJECT)
        return PROV_OK;
    if (code)
        return fault_set(
            err, PROV_E_STATE, "the directory cannot be searched below '%.200s': %.300s",
            search->base ? ldb_dn_get_linearized(search->base) : "", ldb_errstring(ldb));
    return PROV_OK;
}

int
directory_read(struct directory *directory, void *memory, struct ldb_dn *dn,
               struct ldb_message **ret, struct prov_error *err)
{
    const struct directory_search search = { dn, LDB_SCOPE_BASE, "(objectClass=*)",
                                             directory->attributes, 0 };
    struct ldb_result *found;
    int result = directory_search(directory, memory, &search, &found, err);

    *ret = !result && found->count ? found->msgs[0] : NULL;
    return result;
}

int
directory_below(struct directory *directory, void *memory, struct ldb_dn *dn,
                struct ldb_result **ret, struct prov_error *err)
{
    static const char *const names[] = { "objectClass", "objectGUID", NULL };
    const struct directory_search search = { dn, LDB_SCOPE_SUBTREE,
                                             "(|(objectClass=user)(objectClass=group))", names, 0 };

    return directory_search(directory, memory, &search, ret, err);
}

int
directory_find(struct directory *directory, struct prov_error *err)
{
    static const char *const names[] = { "dsServiceName", NULL }, *const ids[] = { "invocationId",
                                                                                   NULL };
    struct ldb_context *ldb = ldb_module_get_ctx(directory->module);
    struct directory_search search = { ldb_dn_new(directory, ldb, ""), LDB_SCOPE_BASE,
                                       "(objectClass=*)", names, 0 };
    struct ldb_result *found;
    struct ldb_dn *service = NULL;
    const struct ldb_val *id = NULL;
    int result;

    if (directory->id[0])
        return PROV_OK;
    result = directory_search(directory, directory, &search, &found, err);
    if (!result && found->count)
        service = ldb_msg_find_attr_as_dn(ldb, found, found->msgs[0], "dsServiceName");
    if (service) {
        search.base = service;
        search.attributes = ids;
        result = directory_search(directory, directory, &search, &found, err);
        id = !result && found->count ? ldb_msg_find_ldb_val(found->msgs[0], "invocationId") : NULL;
    }
    directory->domain = ldb_get_default_basedn(ldb);
    if (!result && (!id || id->length != 16 || !directory->domain))
        result = fault_set(err, PROV_E_STATE, "this database has no domain and no invocationId");
    for (size_t i = 0; !result && i < 16; i++)
        snprintf(directory->id + 2 * i, 3, "%02x", id->data[i]);
    return result;
}

int
directory_usn(struct directory *directory, uint64_t *ret, struct prov_error *err)
{
    struct ldb_context *ldb = ldb_module_get_ctx(directory->module);

    if (ldb_sequence_number(ldb, LDB_SEQ_HIGHEST_SEQ, ret) == LDB_SUCCESS)
        return PROV_OK;
    return fault_set(err, PROV_E_STATE,
                     "the directory does not tell its highest number (USN): %.300s",
                     ldb_errstring(ldb));
}

/* Equal numbers are looked up in an index; greater ones would not be. */
int
directory_changed(struct directory *directory, void *memory, uint64_t after, uint64_t until,
                  struct ldb_result **ret, struct prov_error *err)
{
    struct directory_search search = { directory->domain, LDB_SCOPE_SUBTREE, NULL,
                                       directory->attributes, 0 };
    char *filter = talloc_strdup(memory, "(|");
    int result;

    for (uint64_t usn = after + 1; filter && usn <= until; usn++)
        filter = talloc_asprintf_append_buffer(filter, "(uSNChanged=%" PRIu64 ")", usn);
    if (filter)
        filter = talloc_strdup_append_buffer(filter, ")");
    if (!filter)
        return fault_nomem(err);
    search.filter = filter;
    result = directory_search(directory, memory, &search, ret, err);
    talloc_free(filter);
    return result;
}

/* ---- keys, and links ---- */

const char *
directory_guid_text(void *memory, const struct ldb_val *guid)
{
    char *text = guid && guid->length == 16 ? talloc_size(memory, ENTRY_GUID_MAX) : NULL;

    if (text)
        entry_guid(guid->data, text);
    return text;
}

struct ldb_dn *
directory_dn(const struct directory *directory, void *memory, const char *guid)
{
    return ldb_dn_new_fmt(memory, ldb_module_get_ctx(directory->module), "<GUID=%s>", guid);
}

/* When a link came or went; false: it is none, or one that does not say. */
static bool
link_usn(struct ldb_dn *dn, uint64_t *ret)
{
    const struct ldb_val *usn = dn ? ldb_dn_get_extended_component(dn, "RMD_LOCAL_USN") : NULL;

    if (usn)
        *ret = strtoull((const char *)usn->data, NULL, 10);
    return usn != NULL;
}

/* ---- what an entry is ---- */

bool
directory_is_class(const struct ldb_message *entry, const char *name)
{
    return ldb_msg_check_string_attribute(entry, "objectClass", name) == 1;
}

bool
directory_is_deleted(const struct ldb_message *entry)
{
    return ldb_msg_find_attr_as_bool(entry, "isDeleted", 0);
}

uint64_t
directory_number(const struct ldb_message *entry, const char *name)
{
    return ldb_msg_find_attr_as_uint64(entry, name, 0);
}

static bool
is_at_or_below(struct ldb_dn *dn, struct ldb_dn *const *bases)
{
    for (; *bases; bases++) {
        if (ldb_dn_compare_base(*bases, dn) == 0)
            return true;
    }
    return false;
}

bool
directory_is_group(const struct directory *directory, struct ldb_dn *dn)
{
    return is_at_or_below(dn, directory->groups);
}

/* No machine, no trust, and not one of the accounts that the system made for itself. */
int
directory_is_person(struct directory *directory, void *memory, const struct ldb_message *entry,
                    bool *ret, struct prov_error *err)
{
    static const char *const none[] = { "1.1", NULL };
    const struct directory_search search = { entry->dn, LDB_SCOPE_BASE, directory->config->filter,
                                             none, 0 };
    struct ldb_result *found;
    int result;

    *ret = !directory_is_deleted(entry) &&
           directory_number(entry, "sAMAccountType") == NORMAL_USER &&
           !ldb_msg_find_attr_as_bool(entry, "isCriticalSystemObject", 0) &&
           !ldb_msg_find_element(entry, "msDS-SecondaryKrbTgtNumber") &&
           (!*directory->bases || is_at_or_below(entry->dn, directory->bases));
    if (!*ret || !search.filter)
        return PROV_OK;
    result = directory_search(directory, memory, &search, &found, err);
    *ret = !result && found->count;
    return result;
}

int
directory_has_people(struct directory *directory, uint64_t until, bool *ret, struct prov_error *err)
{
    static const char *const names[] = { "sAMAccountType", "isCriticalSystemObject",
                                         "isDeleted",      "msDS-SecondaryKrbTgtNumber",
                                         "uSNCreated",     NULL };
    void *memory = talloc_new(directory);
    char *filter = talloc_asprintf(memory, "(sAMAccountType=%u)", NORMAL_USER);
    const struct directory_search search = { directory->domain, LDB_SCOPE_SUBTREE, filter, names,
                                             0 };
    struct ldb_result *found = NULL;
    int result =
        filter ? directory_search(directory, memory, &search, &found, err) : fault_nomem(err);

    *ret = false;
    for (unsigned i = 0; !result && !*ret && i < found->count; i++) {
        if (directory_number(found->msgs[i], "uSNCreated") <= until)
            result = directory_is_person(directory, memory, found->msgs[i], ret, err);
    }
    talloc_free(memory);
    return result;
}

static uint64_t
take_number(const uint8_t *bytes, size_t count)
{
    uint64_t number = 0;

    while (count--)
        number = number << 8 | bytes[count];
    return number;
}

/* The attributes by their ids, and when each changed: replPropertyMetaData, version 1, a head of 16 bytes, and 48
 * for each attribute, of which the last eight are the local number of its change ([MS-DRSR] 5.169, as Samba
 * stores it). False: there is no further one. */
static bool
next_change(const struct ldb_message *entry, size_t *at, uint32_t *ret_id, uint64_t *ret_usn)
{
    const struct ldb_val *data = ldb_msg_find_ldb_val(entry, "replPropertyMetaData");

    if (!data || data->length < 16 || take_number(data->data, 4) != 1)
        return false;
    *at = *at ? *at + 48 : 16;
    if (*at + 48 > data->length)
        return false;
    *ret_id = (uint32_t)take_number(data->data + *at, 4);
    *ret_usn = take_number(data->data + *at + 40, 8);
    return true;
}

static bool
has_changed(const struct ldb_message *entry, uint32_t wanted, uint64_t after)
{
    uint32_t id;
    uint64_t usn;

    for (size_t at = 0; next_change(entry, &at, &id, &usn);) {
        if (id == wanted)
            return usn > after;
    }
    return false;
}

static bool
has_new_value(struct ldb_context *ldb, const struct ldb_message_element *element, uint64_t after)
{
    bool found = false;
    uint64_t usn = 0;

    for (unsigned i = 0; i < element->num_values && !found; i++) {
        struct ldb_dn *dn = ldb_dn_from_ldb_val(NULL, ldb, &element->values[i]);

        found = link_usn(dn, &usn) && usn > after;
        talloc_free(dn);
    }
    return found;
}

/* A link, as manager, is not among the metadata of its entry, but has its own. */
static int
has_new_link(struct directory *directory, void *memory, struct ldb_dn *dn, uint64_t after,
             bool *ret, struct prov_error *err)
{
    const struct directory_search search = { dn, LDB_SCOPE_BASE, "(objectClass=*)",
                                             directory->attributes,
                                             DIRECTORY_LINKS | DIRECTORY_FORMER };
    struct ldb_result *found;
    int result = directory_search(directory, memory, &search, &found, err);

    *ret = false;
    for (unsigned i = 0; !result && found->count && i < found->msgs[0]->num_elements && !*ret; i++)
        *ret = has_new_value(ldb_module_get_ctx(directory->module), &found->msgs[0]->elements[i],
                             after);
    talloc_free(found);
    return result;
}

static bool
has_only_logons(const struct ldb_message *entry, uint64_t after)
{
    bool logon = false;
    uint32_t id;
    uint64_t usn;

    for (size_t at = 0; next_change(entry, &at, &id, &usn);) {
        if (usn <= after)
            continue;
        if (id != ID_LOCKOUT_TIME && id != ID_LAST_LOGON_TIMESTAMP)
            return false;
        logon = true;
    }
    return logon;
}

int
directory_is_logon(struct directory *directory, void *memory, const struct ldb_message *entry,
                   uint64_t after, bool *ret, struct prov_error *err)
{
    bool link = false;
    int result = PROV_OK;

    *ret = has_only_logons(entry, after);
    if (*ret)
        result = has_new_link(directory, memory, entry->dn, after, &link, err);
    *ret = *ret && !link;
    return result;
}

bool
directory_has_moved(const struct ldb_message *entry, uint64_t after)
{
    return has_changed(entry, ID_NAME, after);
}

bool
directory_has_new_password(const struct ldb_message *entry, uint64_t after)
{
    return has_changed(entry, ID_UNICODE_PWD, after);
}

const char *
directory_guid(void *memory, const struct ldb_message *entry)
{
    return directory_guid_text(memory, ldb_msg_find_ldb_val(entry, "objectGUID"));
}

/* ---- as others read it ---- */

static char *
small_letters(void *memory, const char *name)
{
    char *copy = talloc_strdup(memory, name);

    if (copy)
        letters_make_small(copy);
    return copy;
}

int
directory_view(void *memory, const struct ldb_message *entry, const char *const *groups,
               struct ldap_entry *ret, struct prov_error *err)
{
    struct ldap_value *values;
    size_t count = 0;

    for (unsigned i = 0; i < entry->num_elements; i++)
        count += entry->elements[i].num_values;
    for (size_t i = 0; groups && groups[i]; i++)
        count++;
    values = talloc_zero_array(memory, struct ldap_value, (unsigned)count + 1);
    if (!values)
        return fault_nomem(err);
    count = 0;
    for (size_t i = 0; groups && groups[i]; i++)
        values[count++] = (struct ldap_value){ .name = "memberof",
                                               .text = groups[i],
                                               .length = strlen(groups[i]) };
    for (unsigned i = 0; i < entry->num_elements; i++) {
        const struct ldb_message_element *element = &entry->elements[i];
        char *name = small_letters(values, element->name);

        if (groups && name && !strcmp(name, "memberof"))
            continue;
        for (unsigned j = 0; j < element->num_values; j++) {
            const struct ldb_val *value = &element->values[j];
            char *text = talloc_size(values, value->length + 1);

            if (!name || !text)
                return fault_nomem(err);
            memcpy(text, value->data, value->length);
            text[value->length] = '\0';
            values[count++] = (struct ldap_value){ .name = name,
                                                   .text = text,
                                                   .length = value->length,
                                                   .binary = !utf8_is_text(text, value->length) };
        }
    }
    *ret = (struct ldap_entry){ .dn = ldb_dn_get_linearized(entry->dn),
                                .values = values,
                                .count = count };
    return PROV_OK;
}

int
directory_key(void *context, const char *dn, char **ret, struct prov_error *err)
{
    static const char *const names[] = { "objectGUID", NULL };
    struct directory *directory = context;
    void *memory = talloc_new(directory);
    const struct directory_search search = { ldb_dn_new(memory,
                                                        ldb_module_get_ctx(directory->module), dn),
                                             LDB_SCOPE_BASE, "(objectClass=*)", names, 0 };
    struct ldb_result *found;
    int result =
        memory ? directory_search(directory, memory, &search, &found, err) : fault_nomem(err);
    const char *key = !result && found->count ? directory_guid(found, found->msgs[0]) : NULL;

    if (key && !(*ret = strdup(key)))
        result = fault_nomem(err);
    talloc_free(memory);
    return result;
}
