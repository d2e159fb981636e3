/*
 * Reads what the configuration says of a directory. Decides who of it is meant where it says nothing;
 * what all adapters have is hosts/adapter's.
 */
#include "hosts/adapter/config.h"

#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/input.h"

#define KNOWN "active bases columns fields filter groups on_failure passwords plugin"

static const struct settings_host several = {
    .known = KNOWN, .issuer = "this directory, such as ldap://ldap.example.org"
};
static const struct settings_host one = { .known = KNOWN " deliver",
                                          .issuer =
                                              "this directory, such as ldap://ldap.example.org",
                                          .deliver = true };

static int
take_dns(const struct settings *settings, const char *name, const char ***ret,
         struct prov_error *err)
{
    struct json_object *list = NULL;
    size_t count = 0;

    if (json_object_object_get_ex(settings->json, name, &list)) {
        if (!json_object_is_type(list, json_type_array))
            return fault_set(err, PROV_E_INVALID, "'%s': '%s' must be an array of DNs",
                             settings->file, name);
        count = json_object_array_length(list);
    }
    *ret = calloc(count + 1, sizeof(**ret));
    if (!*ret)
        return fault_nomem(err);
    for (size_t i = 0; i < count; i++) {
        struct json_object *dn = json_object_array_get_idx(list, i);

        if (!json_object_is_type(dn, json_type_string) || !strchr(json_object_get_string(dn), '='))
            return fault_set(err, PROV_E_INVALID,
                             "'%s': '%s' must hold DNs, such as \"ou=people,dc=example,dc=org\"",
                             settings->file, name);
        (*ret)[i] = json_object_get_string(dn);
    }
    return PROV_OK;
}

static int
read_columns(const char *file, const char *default_key, struct config *config,
             struct prov_error *err)
{
    struct columns_options options = { .file = NULL };
    struct prov_error why = { .size = sizeof(why) };
    char *text = NULL;
    size_t length;
    int result = file ? input_read(file, SETTINGS_MAX_BYTES, &text, &length, &why) : PROV_OK;

    options.file = text;
    options.default_key = default_key;
    if (!result)
        result = columns_make(&options, true, &config->columns, &why);
    free(text);
    if (result)
        return file ? fault_set(err, result, "'columns': %s: %.700s", file, why.text)
                    : fault_set(err, result, "%s", why.text);
    config->key = columns_key(config->columns);
    return PROV_OK;
}

int
config_read(const char *file, const struct config_server *server, struct config *ret,
            struct prov_error *err)
{
    struct config config = { .filter = NULL };
    struct settings *settings = &config.settings;
    int result = settings_read(file, server->several ? &several : &one, settings, err);

    if (result)
        return result;
    result = settings_text(settings, "columns", &config.columns_file, err);
    if (!result)
        result = settings_text(settings, "filter", &config.filter, err);
    if (!result)
        result = take_dns(settings, "bases", &config.bases, err);
    if (!result)
        result = take_dns(settings, "groups", &config.groups, err);
    if (!result)
        result = read_columns(config.columns_file, server->key, &config, err);
    if (result) {
        config_clear(&config);
        return result;
    }
    *ret = config;
    return PROV_OK;
}

void
config_clear(struct config *config)
{
    free(config->bases);
    free(config->groups);
    columns_free(config->columns);
    settings_clear(&config->settings);
    *config = (struct config){ .filter = NULL };
}
