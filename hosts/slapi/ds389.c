/*
 * The plugin of 389 Directory Server. Decides where in an operation it listens: inside the transaction,
 * after the change and before it is committed (betxnpostoperation), where the entry is at hand as it was
 * and as it is, internal changes of other plugins come by as well, and a change can still be refused. If
 * the transaction is taken back afterwards, what is there then is handed over. The tools, db2ldif and its like,
 * load it as well: there it does nothing, whatever is configured.
 *
 * Concurrency: one transaction after the other in a backend, each on one thread with all it nests; what it
 * handed over is the thread's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/slapi/adapter.h"

#define NAME "sfprov"

#define LAST_PRECEDENCE 99

int sfprov_init(Slapi_PBlock *block);

static struct adapter *adapter;

static void
log_line(int level, const char *line)
{
    slapi_log_error(SLAPI_LOG_FATAL, (char *)NAME, (char *)"%s: %s\n",
                    level == PROV_LOG_ERROR ? "error" : "warning", line);
}

/*
 * Whether this is db2ldif or another of the tools, which are the server's own program: their name is its first
 * argument, and the server's arguments are options. It says so nowhere else.
 */
static bool
is_tool(void)
{
    char line[4096];
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t length = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
    size_t first = strnlen(line, length) + 1;

    if (file)
        fclose(file);
    return first < length && line[first] != '-';
}

/* ---- what the transaction of this thread has handed over ---- */

static _Thread_local struct handed {
    char *dn, *uri; /* as they were before the operation */
} * handed;
static _Thread_local size_t handed_count, handed_room;

static void
forget_handed(void)
{
    while (handed_count) {
        handed_count--;
        free(handed[handed_count].dn);
        free(handed[handed_count].uri);
    }
    free(handed);
    handed = NULL;
    handed_room = 0;
}

static void
note_handed(const char *dn, const char *uri)
{
    struct prov_error err = { .size = sizeof(err) };
    struct handed one = { strdup(dn), uri ? strdup(uri) : NULL };

    if (one.dn && (!uri || one.uri) &&
        entry_make_room((void **)&handed, handed_count, &handed_room, sizeof(*handed))) {
        handed[handed_count++] = one;
        return;
    }
    free(one.dn);
    free(one.uri);
    /* rather a resync too many: it is not known yet whether it will be taken back */
    fault_nomem(&err);
    submit_missed(adapter->submit, dn, &err);
}

/* ---- inside the transaction ---- */

/* The server keeps persons of its own, such as who may replicate. */
static bool
is_the_servers_own(const char *dn)
{
    static const char *const own[] = { "cn=config", "cn=changelog", "cn=schema", "cn=monitor" };
    char *plain = entry_plain_dn(dn);
    size_t length = plain ? strlen(plain) : 0;
    bool found = false;

    for (size_t i = 0; plain && i < sizeof(own) / sizeof(own[0]); i++) {
        size_t suffix = strlen(own[i]);

        found |= length >= suffix && !strcmp(plain + length - suffix, own[i]);
    }
    free(plain);
    return found;
}

/* An operation, as far as it is to be looked at. */
struct operation {
    const char *dn;                    /* as it was */
    struct directory_entry old, fresh; /* dn NULL: there is none */
    struct before before;
};

static void
operation_clear(struct operation *operation)
{
    directory_entry_clear(&operation->old);
    directory_entry_clear(&operation->fresh);
    before_clear(&operation->before);
}

static int
take_entry(Slapi_PBlock *block, int which, struct directory_entry *ret, struct prov_error *err)
{
    Slapi_Entry *entry = NULL;

    slapi_pblock_get(block, which, &entry);
    return entry ? directory_take(&adapter->directory, entry, ret, err) : PROV_OK;
}

/* `mods` of a modify; NULL: another operation. false: there is nothing to be done. */
static bool
operation_of(Slapi_PBlock *block, LDAPMod **mods, struct operation *operation)
{
    struct prov_error err = { .size = sizeof(err) };
    bool members;
    int result;

    *operation = (struct operation){ .dn = NULL };
    result = take_entry(block, SLAPI_ENTRY_PRE_OP, &operation->old, &err);
    if (!result)
        result = take_entry(block, SLAPI_ENTRY_POST_OP, &operation->fresh, &err);
    operation->dn = operation->old.dn ? operation->old.dn : operation->fresh.dn;
    if (!result && !operation->dn)
        return false;
    if (!result && !is_the_servers_own(operation->dn)) {
        members = !mods || changes_need_members(&adapter->changes, operation->dn, mods);
        result = operation->old.dn ? changes_before(&adapter->changes, &operation->old, members,
                                                    &operation->before, &err)
                                   : PROV_OK;
        if (!result)
            return true;
    }
    if (result)
        submit_missed(adapter->submit, operation->dn ? operation->dn : "an entry", &err);
    operation_clear(operation);
    return false;
}

/* The key of who was or is there, for the case that all is taken back. */
static void
note(const struct operation *operation)
{
    struct prov_error err = { .size = sizeof(err) };
    struct before fresh = { NULL };

    if (operation->before.uri) {
        note_handed(operation->dn, operation->before.uri);
    } else if (operation->fresh.user &&
               !changes_before(&adapter->changes, &operation->fresh, false, &fresh, &err)) {
        note_handed(operation->dn, fresh.uri);
        before_clear(&fresh);
    }
    for (char **member = operation->before.members; member && *member; member++)
        note_handed(*member, NULL);
}

/* The end of a callback: 0, or what takes the whole transaction back. */
static int
conclude(Slapi_PBlock *block, struct operation *operation, int result)
{
    int code = LDAP_UNWILLING_TO_PERFORM, failed = -1;
    char *text;

    if (!result || !adapter->config.settings.closed || result == PROV_E_STATE)
        note(operation);
    operation_clear(operation);
    if (!result || !adapter->config.settings.closed)
        return 0;
    text = slapi_ch_strdup("sfprov cannot keep the change; try again later");
    slapi_pblock_set(block, SLAPI_RESULT_CODE, &code);
    slapi_pblock_set(block, SLAPI_PB_RESULT_TEXT, text);
    slapi_pblock_set(block, SLAPI_PLUGIN_OPRETURN, &failed);
    return -1;
}

/* A new password in clear, which the server keeps beside the entry if it is told to. */
static void
take_password(Slapi_PBlock *block, struct operation *operation)
{
    struct directory_entry *fresh = &operation->fresh;
    struct prov_error err = { .size = sizeof(err) };
    Slapi_Entry *entry = NULL;
    char *text;

    if (!adapter->config.settings.passwords || !fresh->user)
        return;
    slapi_pblock_get(block, SLAPI_ENTRY_POST_OP, &entry);
    text = slapi_get_first_clear_text_pw(entry);
    if (!text)
        return;
    fresh->passwords = ber_memcalloc(2, sizeof(struct berval *));
    if (fresh->passwords)
        fresh->passwords[0] = ber_bvstrdup(text);
    explicit_bzero(text, strlen(text));
    slapi_ch_free_string(&text);
    if (!fresh->passwords || !fresh->passwords[0]) {
        fault_nomem(&err);
        submit_missed(adapter->submit, operation->dn, &err);
    }
}

/* Whether the modifications change a person, or what a role or a class of service gives them. */
static bool
matters(const struct operation *operation, LDAPMod **mods)
{
    return operation->fresh.dn && (changes_matter(&adapter->changes, operation->dn, mods) ||
                                   operation->old.user != operation->fresh.user ||
                                   directory_computes_anew(&operation->old, &operation->fresh));
}

static int
added(Slapi_PBlock *block)
{
    struct operation operation;

    if (!operation_of(block, NULL, &operation))
        return 0;
    take_password(block, &operation);
    return conclude(block, &operation, changes_added(&adapter->changes, &operation.fresh));
}

static int
modified(Slapi_PBlock *block)
{
    struct operation operation;
    LDAPMod **mods = NULL;
    const char *dn;

    slapi_pblock_get(block, SLAPI_MODIFY_MODS, &mods);
    if (!operation_of(block, mods, &operation))
        return 0;
    dn = operation.dn;
    if (!matters(&operation, mods)) {
        operation_clear(&operation);
        return 0;
    }
    take_password(block, &operation);
    return conclude(
        block, &operation,
        changes_modified(&adapter->changes, dn, &operation.fresh, mods, &operation.before));
}

static int
renamed(Slapi_PBlock *block)
{
    struct operation operation;

    if (!operation_of(block, NULL, &operation))
        return 0;
    if (!operation.fresh.dn) {
        operation_clear(&operation);
        return 0;
    }
    return conclude(block, &operation,
                    changes_renamed(&adapter->changes, operation.fresh.dn, NULL, &operation.fresh));
}

static int
deleted(Slapi_PBlock *block)
{
    struct operation operation;

    if (!operation_of(block, NULL, &operation))
        return 0;
    return conclude(block, &operation,
                    changes_deleted(&adapter->changes, operation.dn, &operation.before));
}

/* ---- around it ---- */

/* Operations of this thread that are under way, one inside the other. */
static _Thread_local unsigned depth;

/* A client's operation is inside no other. */
static int
begun(Slapi_PBlock *block)
{
    if (!slapi_op_internal(block)) {
        depth = 0;
        forget_handed();
    }
    depth++;
    return 0;
}

/* At the end of the outermost: if it failed, whatever was handed over in it is looked at as it is now. */
static int
over(Slapi_PBlock *block)
{
    int code = 0;

    depth -= depth > 0;
    if (depth)
        return 0;
    slapi_pblock_get(block, SLAPI_PLUGIN_OPRETURN, &code);
    for (size_t i = 0; code && i < handed_count; i++)
        changes_read_back(&adapter->changes, handed[i].dn, handed[i].uri);
    forget_handed();
    return 0;
}

/*
 * What lies below an entry that was moved is seen under its new DN only once the transaction is over: here,
 * before the client is told, and for an operation of another plugin at its end.
 */
static void
moved(Slapi_PBlock *block)
{
    struct prov_error err = { .size = sizeof(err) };
    struct directory_entry fresh = { .dn = NULL };
    int code = 0;

    slapi_pblock_get(block, SLAPI_PLUGIN_OPRETURN, &code);
    if (!code && !take_entry(block, SLAPI_ENTRY_POST_OP, &fresh, &err) && fresh.dn &&
        !is_the_servers_own(fresh.dn))
        changes_moved(&adapter->changes, fresh.dn);
    directory_entry_clear(&fresh);
}

static int
result_ready(Slapi_PBlock *block)
{
    unsigned long type = 0;

    slapi_pblock_get(block, SLAPI_OPERATION_TYPE, &type);
    if (type == SLAPI_OPERATION_MODDN)
        moved(block);
    return 0;
}

static int
rename_over(Slapi_PBlock *block)
{
    over(block);
    if (slapi_op_internal(block))
        moved(block);
    return 0;
}

/* ---- what the server knows of attributes ---- */

static bool
attribute(const char *name, char *to, size_t size)
{
    char *known = slapi_attr_syntax_normalize(name);

    if (known)
        snprintf(to, size, "%s", known);
    slapi_ch_free_string(&known);
    return true;
}

/* Asked for what is not stored alone, the server leaves out what gives way to a value of the entry. */
static Slapi_ValueSet *
computed(Slapi_Entry *entry, const char *name)
{
    Slapi_ValueSet *values = NULL;
    char *type = NULL;
    int how = 0, flags = 0;

    if (slapi_vattr_values_get(entry, (char *)name, &values, &how, &type, SLAPI_VIRTUALATTRS_ONLY,
                               &flags))
        return NULL;
    slapi_ch_free_string(&type);
    return values;
}

/* ---- registration ---- */

static int
register_before(Slapi_PBlock *block)
{
    static const struct callback callbacks[] = {
        { SLAPI_PLUGIN_PRE_ADD_FN, begun },           { SLAPI_PLUGIN_PRE_MODIFY_FN, begun },
        { SLAPI_PLUGIN_PRE_MODRDN_FN, begun },        { SLAPI_PLUGIN_PRE_DELETE_FN, begun },
        { SLAPI_PLUGIN_PRE_RESULT_FN, result_ready }, { 0, NULL }
    };

    return adapter_register(block, callbacks);
}

static int
register_internal_before(Slapi_PBlock *block)
{
    static const struct callback callbacks[] = { { SLAPI_PLUGIN_INTERNAL_PRE_ADD_FN, begun },
                                                 { SLAPI_PLUGIN_INTERNAL_PRE_MODIFY_FN, begun },
                                                 { SLAPI_PLUGIN_INTERNAL_PRE_MODRDN_FN, begun },
                                                 { SLAPI_PLUGIN_INTERNAL_PRE_DELETE_FN, begun },
                                                 { 0, NULL } };

    return adapter_register(block, callbacks);
}

static int
register_inside(Slapi_PBlock *block)
{
    static const struct callback callbacks[] = { { SLAPI_PLUGIN_BE_TXN_POST_ADD_FN, added },
                                                 { SLAPI_PLUGIN_BE_TXN_POST_MODIFY_FN, modified },
                                                 { SLAPI_PLUGIN_BE_TXN_POST_MODRDN_FN, renamed },
                                                 { SLAPI_PLUGIN_BE_TXN_POST_DELETE_FN, deleted },
                                                 { 0, NULL } };

    return adapter_register(block, callbacks);
}

static int
register_after(Slapi_PBlock *block)
{
    static const struct callback callbacks[] = { { SLAPI_PLUGIN_POST_ADD_FN, over },
                                                 { SLAPI_PLUGIN_POST_MODIFY_FN, over },
                                                 { SLAPI_PLUGIN_POST_MODRDN_FN, rename_over },
                                                 { SLAPI_PLUGIN_POST_DELETE_FN, over },
                                                 { 0, NULL } };

    return adapter_register(block, callbacks);
}

static int
register_internal_after(Slapi_PBlock *block)
{
    static const struct callback callbacks[] = { { SLAPI_PLUGIN_INTERNAL_POST_ADD_FN, over },
                                                 { SLAPI_PLUGIN_INTERNAL_POST_MODIFY_FN, over },
                                                 { SLAPI_PLUGIN_INTERNAL_POST_MODRDN_FN,
                                                   rename_over },
                                                 { SLAPI_PLUGIN_INTERNAL_POST_DELETE_FN, over },
                                                 { 0, NULL } };

    return adapter_register(block, callbacks);
}

/* Behind all other plugins: before an operation, so that one that they refuse is not counted as begun; in
 * the transaction, so that what they take back was not handed over. */
static int
register_all(Slapi_PBlock *block, void *identity)
{
    static const struct {
        const char *type;
        int (*init)(Slapi_PBlock *);
    } kinds[] = { { "preoperation", register_before },
                  { "internalpreoperation", register_internal_before },
                  { "betxnpostoperation", register_inside },
                  { "postoperation", register_after },
                  { "internalpostoperation", register_internal_after } };
    static const struct callback callbacks[] = { { SLAPI_PLUGIN_START_FN, adapter_start },
                                                 { SLAPI_PLUGIN_CLOSE_FN, adapter_end },
                                                 { 0, NULL } };
    int failed = adapter_register(block, callbacks);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !failed; i++)
        failed = slapi_register_plugin_ext(kinds[i].type, 1, "sfprov_init", kinds[i].init,
                                           kinds[i].type, NULL, identity, LAST_PRECEDENCE);
    return failed ? -1 : 0;
}

__attribute__((visibility("default"))) int
sfprov_init(Slapi_PBlock *block)
{
    struct server server = {
        .name = "ns-slapd", .key = "nsUniqueId", .attribute = attribute, .computed = computed
    };
    struct prov_error err = { .size = sizeof(err) };

    slapi_pblock_get(block, SLAPI_PLUGIN_IDENTITY, &server.identity);
    if (is_tool())
        return adapter_describe(block);
    if (adapter_open(block, &server, "nsslapd-pluginarg0: /etc/sfprov/ns-slapd.json", log_line,
                     &adapter, &err)) {
        log_line(PROV_LOG_ERROR, err.text);
        return -1;
    }
    adapter->changes.serial = true;
    adapter->changes.refuses = adapter->config.settings.closed;
    return adapter->config.settings.active ? register_all(block, server.identity)
                                           : adapter_describe(block);
}
