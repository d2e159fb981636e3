/* Wires what the adapter is made of; decides nothing about people. */
#include "hosts/slapi/adapter.h"

#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"

static struct adapter the_adapter;

static int
make(const struct server *server, void (*log)(int, const char *), struct adapter *adapter,
     struct prov_error *err)
{
    const struct submit_options options = { .host = server->name, .log = log };
    const struct config_server known = { .key = server->key };
    int result = config_read(adapter->file, &known, &adapter->config, err);

    if (result)
        return result;
    result = directory_open(&adapter->config, server, &adapter->directory, err);
    if (!result)
        result = submit_open(&adapter->config.settings, &options, &adapter->submit, err);
    explicit_bzero(adapter->config.settings.fields, adapter->config.settings.fields_length);
    adapter->changes = (struct changes){ .config = &adapter->config,
                                         .directory = &adapter->directory,
                                         .submit = adapter->submit,
                                         .host = server->name };
    return result;
}

static void
clear(struct adapter *adapter)
{
    submit_close(adapter->submit);
    directory_close(&adapter->directory);
    config_clear(&adapter->config);
    free(adapter->file);
    *adapter = (struct adapter){ .users = 0 };
}

/* ---- with the server ---- */

int
adapter_describe(Slapi_PBlock *block)
{
    static Slapi_PluginDesc description = { "sfprov", "sfprov", PACKAGE_VERSION,
                                            "keeps the users of a Salesforce org in step" };

    return slapi_pblock_set(block, SLAPI_PLUGIN_VERSION, (void *)SLAPI_PLUGIN_VERSION_03) ||
                   slapi_pblock_set(block, SLAPI_PLUGIN_DESCRIPTION, &description)
               ? -1
               : 0;
}

int
adapter_register(Slapi_PBlock *block, const struct callback *callbacks)
{
    int failed = adapter_describe(block);

    for (; callbacks->what && !failed; callbacks++) {
        void *pointer;

        memcpy(&pointer, &callbacks->function, sizeof(pointer));
        failed = slapi_pblock_set(block, callbacks->what, pointer);
    }
    return failed ? -1 : 0;
}

int
adapter_start(Slapi_PBlock *block)
{
    (void)block;
    submit_begin(the_adapter.submit);
    return 0;
}

int
adapter_end(Slapi_PBlock *block)
{
    (void)block;
    if (the_adapter.users && --the_adapter.users == 0)
        clear(&the_adapter);
    return 0;
}

int
adapter_open(Slapi_PBlock *block, const struct server *server, const char *example,
             void (*log)(int, const char *), struct adapter **ret, struct prov_error *err)
{
    struct adapter *adapter = &the_adapter;
    char **arguments = NULL;
    int count = 0, result;

    slapi_pblock_get(block, SLAPI_PLUGIN_ARGC, &count);
    slapi_pblock_get(block, SLAPI_PLUGIN_ARGV, &arguments);
    if (count != 1 || !arguments)
        return fault_set(err, PROV_E_INVALID,
                         "the plugin needs one argument, the file of its configuration: %s",
                         example);
    if (adapter->users && strcmp(adapter->file, arguments[0]))
        return fault_set(err, PROV_E_INVALID,
                         "it is configured twice, by '%s' and by '%s'; a server has one "
                         "configuration, and all its plugin lines name that file",
                         adapter->file, arguments[0]);
    if (!adapter->users) {
        adapter->file = strdup(arguments[0]);
        result = adapter->file ? make(server, log, adapter, err) : fault_nomem(err);
        if (result) {
            clear(adapter);
            return result;
        }
    }
    adapter->users++;
    *ret = adapter;
    return PROV_OK;
}
