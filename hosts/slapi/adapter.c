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
    int result = config_read(adapter->file, server->key, &adapter->config, err);

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

int
adapter_open(const char *file, const struct server *server, void (*log)(int, const char *),
             struct adapter **ret, struct prov_error *err)
{
    struct adapter *adapter = &the_adapter;
    int result;

    if (adapter->users && strcmp(adapter->file, file))
        return fault_set(err, PROV_E_INVALID,
                         "it is configured twice, by '%s' and by '%s'; a server has one "
                         "configuration, and all its plugin lines name that file",
                         adapter->file, file);
    if (!adapter->users) {
        adapter->file = strdup(file);
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

void
adapter_close(struct adapter *adapter)
{
    if (adapter && adapter->users && --adapter->users == 0)
        clear(adapter);
}
