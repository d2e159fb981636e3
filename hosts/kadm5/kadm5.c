/*
 * The kadm5_hook of MIT Kerberos, as kadmind and kadmin.local load it. Decides at which stage of an
 * operation what happens, and reads the realm. The hook is called before an operation is written, when
 * it can still be refused, and after that, before the client is told; then the change is handed over.
 *
 * Threads: kadmind has one. Forks: init and fini run in its first process, and again in the daemon.
 */
#include <errno.h>
#include <krb5/kadm5_hook_plugin.h>
#include <krb5/krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hosts/cli/fault.h"
#include "hosts/kadm5/people.h"

/* One in a process, however often it is initialised. */
static struct adapter {
    int users;
    struct config config;
    struct people_realm realm;
    char *default_realm;
    bool lasting;         /* the process serves: what ends it without an order is a crash */
    krb5_context context; /* of the operation at hand */
} the_adapter;

struct kadm5_hook_modinfo_st {
    struct adapter *adapter;
};

/* ---- the server ---- */

/* Into kadmind's log, or onto the terminal of kadmin.local, which takes what com_err() says for a failure of
 * its command and ends with 1, though the change was made. */
static void
log_line(int level, const char *line)
{
    (void)level;
    if (the_adapter.lasting)
        com_err("sfprov", 0, "%s", line);
    else
        fprintf(stderr, "sfprov: %s\n", line);
}

static bool
is_disabled(const krb5_db_entry *entry)
{
    return (entry->attributes & KRB5_KDB_DISALLOW_ALL_TIX) ||
           (entry->expiration && (uint32_t)entry->expiration <= (uint64_t)time(NULL));
}

static krb5_error_code
read_entry(krb5_context context, const char *name, const char *realm, krb5_db_entry **ret)
{
    krb5_principal principal = NULL;
    krb5_error_code code = krb5_build_principal(context, &principal, (unsigned)strlen(realm), realm,
                                                name, (char *)NULL);

    if (!code)
        code = krb5_db_get_principal(context, principal, 0, ret);
    krb5_free_principal(context, principal);
    return code;
}

static int
read_state(void *argument, const char *name, enum principal_state *ret, struct prov_error *err)
{
    const struct adapter *adapter = argument;
    krb5_context context = adapter->context;
    krb5_db_entry *entry = NULL;
    krb5_error_code code = read_entry(context, name, adapter->config.realm, &entry);

    *ret = PRINCIPAL_NONE;
    if (code && code != KRB5_KDB_NOENTRY) {
        const char *why = krb5_get_error_message(context, code);

        fault_set(err, PROV_E_STATE, "the principal cannot be read: %.300s", why);
        krb5_free_error_message(context, why);
        return PROV_E_STATE;
    }
    if (!code)
        *ret = is_disabled(entry) ? PRINCIPAL_DISABLED : PRINCIPAL_ENABLED;
    krb5_db_free_principal(context, entry);
    return PROV_OK;
}

/* ---- stages ---- */

/* The name without the realm, heap; NULL: of another realm, or a service. */
static char *
name_of(const struct adapter *adapter, krb5_const_principal principal)
{
    const char *realm = adapter->config.realm;
    const krb5_data *name;

    if (!principal || principal->length != 1 || principal->realm.length != strlen(realm) ||
        memcmp(principal->realm.data, realm, strlen(realm)) != 0)
        return NULL;
    name = &principal->data[0];
    return memchr(name->data, '\0', name->length) ? NULL : strndup(name->data, name->length);
}

/* Before it is written: whether it could be kept, if it is to be refused otherwise. */
static kadm5_ret_t
before(struct adapter *adapter, krb5_context context, const char *name)
{
    struct prov_error err = { .size = sizeof(err) };

    submit_begin(adapter->realm.submit);
    if (!adapter->config.settings.closed || submit_ready(adapter->realm.submit, &err) == PROV_OK)
        return 0;
    submit_refused(adapter->realm.submit, name, &err);
    krb5_set_error_message(context, KADM5_FAILURE, "sfprov cannot keep the change: %s", err.text);
    return KADM5_FAILURE;
}

static krb5_error_code
look_for(krb5_context context, krb5_const_principal principal)
{
    krb5_db_entry *entry = NULL;
    krb5_error_code code = krb5_db_get_principal(context, principal, 0, &entry);

    krb5_db_free_principal(context, entry);
    return code;
}

/* Of one that is not there, or to one that is, it is refused after the hook was called, and nobody tells. */
static bool
can_be_renamed(krb5_context context, krb5_const_principal from, krb5_const_principal to)
{
    return !look_for(context, from) && look_for(context, to) == KRB5_KDB_NOENTRY;
}

/* Whatever the operation: the names it is about, and the stage. */
struct operation {
    struct adapter *adapter;
    char *name, *to;
    kadm5_ret_t code;
    bool concerns; /* a person, of a realm that is handed over */
    bool written;  /* it is done, and to be handed over */
};

static struct operation
begin(kadm5_hook_modinfo *info, krb5_context context, int stage, krb5_const_principal principal,
      krb5_const_principal to)
{
    struct adapter *adapter = info->adapter;
    struct operation operation = { .adapter = adapter };
    const char *person = NULL;

    adapter->context = context;
    if (stage == KADM5_HOOK_STAGE_PRECOMMIT)
        people_release(&adapter->realm); /* of a rename that was not written */
    operation.name = name_of(adapter, principal);
    operation.to = name_of(adapter, to);
    if (operation.name && config_is_person(&adapter->config, operation.name))
        person = operation.name;
    else if (operation.to && config_is_person(&adapter->config, operation.to))
        person = operation.to;
    if (!person || !adapter->config.settings.active)
        return operation;
    operation.written = stage == KADM5_HOOK_STAGE_POSTCOMMIT;
    operation.concerns = true;
    if (!operation.written)
        operation.code = before(adapter, context, person);
    return operation;
}

static kadm5_ret_t
end(struct operation *operation)
{
    struct adapter *adapter = operation->adapter;

    if ((operation->written || operation->code) && !adapter->lasting)
        submit_pause(adapter->realm.submit);
    adapter->context = NULL;
    free(operation->name);
    free(operation->to);
    return operation->code;
}

static kadm5_ret_t
create(krb5_context context, kadm5_hook_modinfo *info, int stage, kadm5_principal_ent_t entry,
       long mask, int count, krb5_key_salt_tuple *tuples, const char *password)
{
    struct operation operation = begin(info, context, stage, entry->principal, NULL);

    (void)mask;
    (void)count;
    (void)tuples;
    if (operation.written)
        people_created(&operation.adapter->realm, operation.name, password);
    return end(&operation);
}

static kadm5_ret_t
modify(krb5_context context, kadm5_hook_modinfo *info, int stage, kadm5_principal_ent_t entry,
       long mask)
{
    struct operation operation;

    if (!(mask & (KADM5_ATTRIBUTES | KADM5_PRINC_EXPIRE_TIME)))
        return 0;
    operation = begin(info, context, stage, entry->principal, NULL);
    if (operation.written)
        people_changed(&operation.adapter->realm, operation.name);
    return end(&operation);
}

static kadm5_ret_t
remove_principal(krb5_context context, kadm5_hook_modinfo *info, int stage,
                 krb5_principal principal)
{
    struct operation operation = begin(info, context, stage, principal, NULL);

    if (operation.written)
        people_removed(&operation.adapter->realm, operation.name);
    return end(&operation);
}

static kadm5_ret_t
rename_principal(krb5_context context, kadm5_hook_modinfo *info, int stage, krb5_principal from,
                 krb5_principal to)
{
    struct operation operation = begin(info, context, stage, from, to);

    if (operation.written)
        people_renamed(&operation.adapter->realm, operation.name, operation.to);
    else if (operation.concerns && !operation.code && can_be_renamed(context, from, to))
        people_hold(&operation.adapter->realm);
    return end(&operation);
}

static kadm5_ret_t
change_password(krb5_context context, kadm5_hook_modinfo *info, int stage, krb5_principal principal,
                krb5_boolean keep_old, int count, krb5_key_salt_tuple *tuples, const char *password)
{
    struct operation operation = begin(info, context, stage, principal, NULL);

    (void)keep_old;
    (void)count;
    (void)tuples;
    if (operation.written)
        people_new_password(&operation.adapter->realm, operation.name, password);
    return end(&operation);
}

/* ---- life ---- */

static void
adapter_close(struct adapter *adapter)
{
    people_release(&adapter->realm);
    submit_close(adapter->realm.submit);
    config_clear(&adapter->config);
    free(adapter->default_realm);
    *adapter = (struct adapter){ .users = 0 };
}

/* The realm whose principals are meant. */
static int
choose_realm(krb5_context context, struct adapter *adapter, struct prov_error *err)
{
    char *realm = NULL;

    if (adapter->config.realm)
        return PROV_OK;
    if (krb5_get_default_realm(context, &realm))
        return fault_set(err, PROV_E_INVALID,
                         "'%s': there is no default realm; name the realm with 'realm'",
                         adapter->config.settings.file);
    adapter->config.realm = adapter->default_realm = strdup(realm);
    krb5_free_default_realm(context, realm);
    return adapter->default_realm ? PROV_OK : fault_nomem(err);
}

static int
adapter_open(krb5_context context, const char *file, struct adapter *adapter,
             struct prov_error *err)
{
    const struct submit_options options = { .host = program_invocation_short_name,
                                            .log = log_line };
    int result = config_read(file, &adapter->config, err);

    adapter->realm.held = -1;
    if (result)
        return result;
    adapter->lasting = !strcmp(program_invocation_short_name, "kadmind");
    result = choose_realm(context, adapter, err);
    if (!result)
        result = submit_open(&adapter->config.settings, &options, &adapter->realm.submit, err);
    explicit_bzero(adapter->config.settings.fields, adapter->config.settings.fields_length);
    adapter->realm.config = &adapter->config;
    adapter->realm.host = program_invocation_short_name;
    adapter->realm.state = read_state;
    adapter->realm.context = adapter;
    if (!result && adapter->lasting && adapter->config.settings.active)
        com_err("sfprov", 0, "the principals of %s are handed over", adapter->config.realm);
    return result;
}

/* [appdefaults] sfprov = { kadm5_config = /path } */
static char *
config_file(krb5_context context)
{
    const krb5_data realm = { .length = 0 };
    char *text = NULL, *copy;

    krb5_appdefault_string(context, "sfprov", &realm, "kadm5_config", CONFIG_PATH, &text);
    copy = text ? strdup(text) : NULL;
    krb5_free_string(context, text);
    return copy;
}

static kadm5_ret_t
init(krb5_context context, kadm5_hook_modinfo **ret)
{
    struct prov_error err = { .size = sizeof(err) };
    kadm5_hook_modinfo *info = calloc(1, sizeof(*info));
    char *file = config_file(context);
    int result = info && file ? PROV_OK : fault_nomem(&err);

    if (!result && !the_adapter.users) {
        result = adapter_open(context, file, &the_adapter, &err);
        if (result)
            adapter_close(&the_adapter);
    }
    free(file);
    if (result) {
        free(info);
        krb5_set_error_message(context, KADM5_FAILURE, "sfprov: %s", err.text);
        return KADM5_FAILURE;
    }
    the_adapter.users++;
    info->adapter = &the_adapter;
    *ret = info;
    return 0;
}

static void
fini(krb5_context context, kadm5_hook_modinfo *info)
{
    (void)context;
    if (info && info->adapter->users && --info->adapter->users == 0)
        adapter_close(info->adapter);
    free(info);
}

krb5_error_code kadm5_hook_sfprov_initvt(krb5_context context, int major, int minor,
                                         krb5_plugin_vtable table);

__attribute__((visibility("default"))) krb5_error_code
kadm5_hook_sfprov_initvt(krb5_context context, int major, int minor, krb5_plugin_vtable table)
{
    kadm5_hook_vftable_1 *functions = (kadm5_hook_vftable_1 *)table;

    (void)context;
    if (major != 1 || minor < 2) /* without rename, names would be mistaken */
        return KRB5_PLUGIN_VER_NOTSUPP;
    functions->name = "sfprov";
    functions->init = init;
    functions->fini = fini;
    functions->create = create;
    functions->modify = modify;
    functions->remove = remove_principal;
    functions->rename = rename_principal;
    functions->chpass = change_password;
    return 0;
}
