/* Wires what the adapter is made of; decides nothing about people. */
#include "hosts/ldb/adapter.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tevent.h>

#include <ldb_module.h>

#include "hosts/cli/fault.h"

static struct adapter *adapters;
static _Thread_local struct ldb_context *log_to;

void
adapter_log_to(struct ldb_context *ldb)
{
    log_to = ldb;
}

/* Samba shows what ldb calls fatal whatever its log level is, and nothing else that ldb says. */
void
adapter_log(int level, const char *line)
{
    if (log_to)
        ldb_debug(log_to, level <= PROV_LOG_WARNING ? LDB_DEBUG_FATAL : LDB_DEBUG_TRACE,
                  "sfprov: %s", line);
}

static void
clear(struct adapter *adapter)
{
    submit_close(adapter->submit);
    config_clear(&adapter->config);
    free(adapter->cursor);
    free(adapter->file);
    free(adapter);
}

static int
make(struct adapter *adapter, struct prov_error *err)
{
    static const struct config_server server = { .key = "objectGUID", .several = true };
    static const struct submit_options options = { .host = "samba",
                                                   .several = true,
                                                   .log = adapter_log };
    struct config *config = &adapter->config;
    char *store = NULL;
    int result = config_read(adapter->file, &server, config, err);

    if (!result)
        result = submit_open(&config->settings, &options, &adapter->submit, err);
    if (config->settings.fields)
        explicit_bzero(config->settings.fields, config->settings.fields_length);
    if (!result)
        result = submit_store(adapter->submit, &store, err);
    if (!result && asprintf(&adapter->cursor, "%s.usn", store) < 0) {
        adapter->cursor = NULL;
        result = fault_nomem(err);
    }
    free(store);
    return result;
}

int
adapter_open(const char *file, struct adapter **ret, struct prov_error *err)
{
    struct adapter *adapter = adapters;
    int result;

    while (adapter && strcmp(adapter->file, file))
        adapter = adapter->next;
    if (adapter) {
        *ret = adapter;
        return PROV_OK;
    }
    adapter = calloc(1, sizeof(*adapter));
    if (!adapter)
        return fault_nomem(err);
    adapter->file = strdup(file);
    result = adapter->file ? make(adapter, err) : fault_nomem(err);
    if (result) {
        clear(adapter);
        return result;
    }
    adapter->next = adapters;
    *ret = adapters = adapter;
    return PROV_OK;
}
