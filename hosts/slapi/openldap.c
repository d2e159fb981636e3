/*
 * The plugin of OpenLDAP's slapd. Decides where in an operation it listens: what is lost afterwards is
 * taken before (PRE_*), and what came of it is handed over once it is committed and before the client
 * is told (PRE_RESULT). The tools, slapcat and its like, load it as well: there it does nothing.
 *
 * Concurrency: slapd runs an operation from PRE_* to PRE_RESULT on one thread, so what is carried from
 * the one to the other is the thread's own.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"
#include "hosts/slapi/adapter.h"
#include "hosts/slapi/stored.h"

#define NAME        "sfprov"
#define CARRIED_MAX 16

/* slapd exports it; bit 1 is a tool. Not there: another server, which may be one without tools. */
extern int slapMode __attribute__((weak));

int sfprov_init(Slapi_PBlock *block);

static struct adapter *adapter;

/* ---- the log ---- */

/* slapd's own log, by its connection to syslog, and the file of `pluginlog`. */
static void
log_line(int level, const char *line)
{
    syslog(level == PROV_LOG_ERROR ? LOG_ERR : LOG_WARNING, NAME ": %s", line);
    slapi_log_error(SLAPI_LOG_FATAL, (char *)NAME, (char *)"%s: %s\n",
                    level == PROV_LOG_ERROR ? "error" : "warning", line);
}

/* While slapd starts, also where the admin looks who started it. */
static void
log_at_start(const char *line)
{
    log_line(PROV_LOG_ERROR, line);
    fprintf(stderr, NAME ": %s\n", line);
}

static bool
is_tool(void)
{
    return &slapMode && (slapMode & 2);
}

/* ---- from before an operation to its result ---- */

struct carried {
    struct carried *next;
    unsigned long type;
    char *dn;
    struct before before;
};

static _Thread_local struct carried *carried;

static void
drop(struct carried *one)
{
    before_clear(&one->before);
    free(one->dn);
    free(one);
}

/* Operations that were refused on their way never come to a result: the oldest go. */
static void
keep_few(void)
{
    size_t count = 0;

    for (struct carried **at = &carried; *at; at = &(*at)->next) {
        if (++count > CARRIED_MAX) {
            struct carried *rest = *at;

            *at = NULL;
            while (rest) {
                struct carried *next = rest->next;

                drop(rest);
                rest = next;
            }
            return;
        }
    }
}

static struct carried *
take_carried(unsigned long type, const char *dn)
{
    for (struct carried **at = &carried; *at; at = &(*at)->next) {
        struct carried *one = *at;

        if (one->type == type && !strcmp(one->dn, dn)) {
            *at = one->next;
            return one;
        }
    }
    return NULL;
}

static void
carry(unsigned long type, const char *dn)
{
    struct prov_error err = { .size = sizeof(err) };
    struct carried *one = calloc(1, sizeof(*one)), *stale;
    struct directory_entry entry;
    bool found = false;
    int result = one && (one->dn = strdup(dn)) ? PROV_OK : PROV_E_NOMEM;

    if (!result)
        result = directory_read(&adapter->directory, dn, &entry, &found, &err);
    if (!result && found) {
        result = changes_before(&adapter->changes, &entry, true, &one->before, &err);
        directory_entry_clear(&entry);
    }
    if (result)
        submit_missed(adapter->submit, dn, &err);
    if (result || !found) {
        if (one)
            drop(one);
        return;
    }
    stale = take_carried(type, dn);
    if (stale)
        drop(stale);
    one->type = type;
    one->next = carried;
    carried = one;
    keep_few();
}

/* ---- before ---- */

static const char *
target(Slapi_PBlock *block)
{
    char *dn = NULL;

    slapi_pblock_get(block, SLAPI_TARGET_DN, &dn);
    return dn ? dn : "";
}

/*
 * Of a transaction of a client (RFC 5805) slapd calls plugins before the commit, and then no more: nothing can be read that
 * it has changed, and nobody is told when it is taken back.
 */
static int
check_transaction(Slapi_PBlock *block, struct prov_error *err)
{
    LDAPControl **controls = NULL;

    slapi_pblock_get(block, SLAPI_REQCONTROLS, &controls);
    if (!slapi_control_present(controls, (char *)LDAP_CONTROL_TXN_SPEC, NULL, NULL))
        return PROV_OK;
    return fault_set(err, PROV_E_UNSUPPORTED,
                     "it is part of an LDAP transaction, of which slapd does not tell plugins "
                     "whether it is committed; make the change without one");
}

/* Whether the operation may go on: closed, it does only if a change can be kept. */
static int
admit(Slapi_PBlock *block)
{
    struct prov_error err = { .size = sizeof(err) };
    char text[] = "sfprov cannot keep the change; try again later, and in no LDAP transaction";

    if (!adapter->config.settings.closed ||
        (!check_transaction(block, &err) && !submit_ready(adapter->submit, &err)))
        return 0;
    log_line(PROV_LOG_ERROR, "a change is refused, since it could not be kept:");
    log_line(PROV_LOG_ERROR, err.text);
    slapi_send_ldap_result(block, LDAP_UNWILLING_TO_PERFORM, NULL, text, 0, NULL);
    return -1;
}

static int
before_modify(Slapi_PBlock *block)
{
    const char *dn = target(block);
    LDAPMod **mods = NULL;
    int refused;

    slapi_pblock_get(block, SLAPI_MODIFY_MODS, &mods);
    if (!changes_matter(&adapter->changes, dn, mods))
        return 0;
    refused = admit(block);
    if (!refused && changes_need_members(&adapter->changes, dn, mods))
        carry(LDAP_REQ_MODIFY, dn);
    return refused;
}

static int
before_delete(Slapi_PBlock *block)
{
    int refused = admit(block);

    if (!refused)
        carry(LDAP_REQ_DELETE, target(block));
    return refused;
}

/* ---- the result ---- */

static void
added(Slapi_PBlock *block)
{
    struct prov_error err = { .size = sizeof(err) };
    struct directory_entry entry = { .dn = NULL };
    Slapi_Entry *from = NULL;
    Slapi_Attr *password = NULL;
    int result;

    slapi_pblock_get(block, SLAPI_ADD_ENTRY, &from);
    if (!from)
        return;
    result = directory_take(&adapter->directory, from, &entry, &err);
    if (!result && adapter->config.settings.passwords &&
        !slapi_entry_attr_find(from, (char *)"userPassword", &password) &&
        slapi_attr_get_bervals_copy(password, &entry.passwords))
        result = fault_nomem(&err);
    if (result)
        submit_missed(adapter->submit, target(block), &err);
    else
        changes_added(&adapter->changes, &entry);
    directory_entry_clear(&entry);
}

/* The operation whose result this thread has; NULL: none, or its entry is somewhere else now. */
static _Thread_local Slapi_PBlock *at_work;

static Slapi_Entry *
at_hand(const char *dn)
{
    return at_work && !strcmp(dn, target(at_work)) ? stored_entry(at_work) : NULL;
}

static void
release(Slapi_Entry *entry)
{
    stored_release(at_work, entry);
}

static void
modified(Slapi_PBlock *block, const char *dn)
{
    struct carried *before = take_carried(LDAP_REQ_MODIFY, dn);
    LDAPMod **mods = NULL;

    slapi_pblock_get(block, SLAPI_MODIFY_MODS, &mods);
    at_work = block;
    if (changes_matter(&adapter->changes, dn, mods))
        changes_modified(&adapter->changes, dn, NULL, mods, before ? &before->before : NULL);
    at_work = NULL;
    if (before)
        drop(before);
}

static void
renamed(Slapi_PBlock *block, const char *dn)
{
    struct prov_error err = { .size = sizeof(err) };
    char *rdn = NULL, *superior = NULL, *parent = NULL, *new_dn = NULL;

    slapi_pblock_get(block, SLAPI_MODRDN_NEWRDN, &rdn);
    slapi_pblock_get(block, SLAPI_MODRDN_NEWSUPERIOR, &superior);
    if (!superior || !*superior)
        superior = parent = slapi_dn_parent(dn);
    if (rdn && asprintf(&new_dn, "%s%s%s", rdn, superior ? "," : "", superior ? superior : "") > 0)
        changes_renamed(&adapter->changes, new_dn, stored_follows(block) ? dn : NULL, NULL);
    else
        submit_missed(adapter->submit, dn, &err);
    free(new_dn);
    slapi_ch_free_string(&parent);
}

static void
deleted(const char *dn)
{
    struct carried *before = take_carried(LDAP_REQ_DELETE, dn);

    if (!before)
        return;
    changes_deleted(&adapter->changes, dn, &before->before);
    drop(before);
}

/* A refused operation has changed nothing; what was carried for it is of no use. */
static void
refused(unsigned long type, const char *dn)
{
    struct carried *before = take_carried(type, dn);

    if (before)
        drop(before);
}

/* An overlay that modifies by itself, as refint, gives the entry no new number. */
static bool
has_number(LDAPMod **mods)
{
    for (size_t i = 0; mods && mods[i]; i++) {
        if (letters_same(mods[i]->mod_type, "entryCSN"))
            return true;
    }
    return false;
}

/* A replicated operation has no client. Told once: slapd 2.5 looks for operations of plugins through a
 * pointer that is stale on a consumer, and may crash there, whatever the plugin does. */
static void
warn_of_replication(Slapi_PBlock *block, unsigned long type)
{
    static atomic_bool warned;
    unsigned long connection = 0;
    LDAPMod **mods = NULL;

    if (warned)
        return;
    slapi_pblock_get(block, SLAPI_CONN_ID, &connection);
    if ((long)connection != -1)
        return;
    slapi_pblock_get(block, SLAPI_MODIFY_MODS, &mods);
    if ((type == LDAP_REQ_MODIFY && !has_number(mods)) || atomic_exchange(&warned, true))
        return;
    log_line(PROV_LOG_WARNING,
             "this server takes replicated changes by syncrepl; slapd may crash in that with any "
             "SLAPI plugin: load it on the provider instead (docs/hosts/openldap.md)");
}

static void
succeeded(Slapi_PBlock *block, unsigned long type, const char *dn)
{
    if (type == LDAP_REQ_ADD)
        added(block);
    else if (type == LDAP_REQ_MODIFY)
        modified(block, dn);
    else if (type == LDAP_REQ_MODRDN)
        renamed(block, dn);
    else
        deleted(dn);
}

/* What cannot be handed over, where it may be of somebody. */
static void
missed(Slapi_PBlock *block, unsigned long type, const char *dn, const struct prov_error *err)
{
    LDAPMod **mods = NULL;

    slapi_pblock_get(block, SLAPI_MODIFY_MODS, &mods);
    if (type != LDAP_REQ_MODIFY || changes_matter(&adapter->changes, dn, mods))
        submit_missed(adapter->submit, dn, err);
}

static int
result_ready(Slapi_PBlock *block)
{
    struct prov_error err = { .size = sizeof(err) };
    unsigned long type = 0; /* a ber_tag_t */
    int code = -1;
    const char *dn;

    slapi_pblock_get(block, SLAPI_OPERATION_TYPE, &type);
    if (type != LDAP_REQ_ADD && type != LDAP_REQ_MODIFY && type != LDAP_REQ_MODRDN &&
        type != LDAP_REQ_DELETE)
        return 0;
    warn_of_replication(block, type);
    slapi_pblock_get(block, SLAPI_RESULT_CODE, &code);
    dn = target(block);
    if (code == LDAP_SUCCESS && !check_transaction(block, &err)) {
        succeeded(block, type, dn);
        return 0;
    }
    if (code == LDAP_SUCCESS)
        missed(block, type, dn, &err);
    refused(type, dn);
    return 0;
}

/* A modification has the name that the client gave it. What is answered is the schema's. */
static bool
attribute(const char *name, char *to, size_t size)
{
    const char *known = slapi_attr_syntax_normalize(name);

    if (known)
        snprintf(to, size, "%s", known);
    return known != NULL;
}

/* ---- life ---- */

__attribute__((visibility("default"))) int
sfprov_init(Slapi_PBlock *block)
{
    static const struct server server = { .name = "slapd",
                                          .key = "entryUUID",
                                          .whole_entries = true,
                                          .attribute = attribute,
                                          .at_hand = at_hand,
                                          .release = release };
    static const struct callback callbacks[] = { { SLAPI_PLUGIN_START_FN, adapter_start },
                                                 { SLAPI_PLUGIN_CLOSE_FN, adapter_end },
                                                 { SLAPI_PLUGIN_PRE_MODIFY_FN, before_modify },
                                                 { SLAPI_PLUGIN_PRE_DELETE_FN, before_delete },
                                                 { SLAPI_PLUGIN_PRE_RESULT_FN, result_ready },
                                                 { 0, NULL } };
    /* of no use where everything is admitted, and each takes slapd a microsecond or two to call */
    static const struct callback closed[] = { { SLAPI_PLUGIN_PRE_ADD_FN, admit },
                                              { SLAPI_PLUGIN_PRE_MODRDN_FN, admit },
                                              { 0, NULL } };
    struct prov_error err = { .size = sizeof(err) };

    if (adapter_open(block, &server,
                     "plugin postoperation sfprov-slapi.so sfprov_init /etc/sfprov/slapd.json",
                     log_line, &adapter, &err)) {
        log_at_start(err.text);
        /* a tool has to work whatever is wrong here; slaptest is there to tell */
        if (!is_tool() || !strcmp(program_invocation_short_name, "slaptest"))
            return -1;
        return adapter_describe(block);
    }
    if (is_tool() || !adapter->config.settings.active)
        return adapter_describe(block);
    if (adapter->config.settings.closed && adapter_register(block, closed))
        return -1;
    return adapter_register(block, callbacks);
}
