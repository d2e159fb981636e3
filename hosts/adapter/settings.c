/*
 * Reads an adapter's configuration. Decides what is allowed in it, and says what is wrong in the terms of
 * the file: the server refuses to start with that line in its log. Leaves the connector fields to the
 * connector.
 */
#include "hosts/adapter/settings.h"

#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/input.h"

static int
check_members(const struct settings *settings, const char *known, struct prov_error *err)
{
    json_object_object_foreach(settings->json, name, value)
    {
        const char *at = strstr(known, name);
        size_t length = strlen(name);

        (void)value;
        if (!length || !at || (at != known && at[-1] != ' ') || (at[length] && at[length] != ' '))
            return fault_set(err, PROV_E_INVALID, "'%s': '%.60s' is not known; there are: %s",
                             settings->file, name, known);
    }
    return PROV_OK;
}

int
settings_text(const struct settings *settings, const char *name, const char **ret,
              struct prov_error *err)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(settings->json, name, &value))
        return PROV_OK;
    if (!json_object_is_type(value, json_type_string) || !json_object_get_string_len(value))
        return fault_set(err, PROV_E_INVALID, "'%s': '%s' must be a text in quotes", settings->file,
                         name);
    *ret = json_object_get_string(value);
    return PROV_OK;
}

int
settings_switch(const struct settings *settings, const char *name, bool *ret,
                struct prov_error *err)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(settings->json, name, &value))
        return PROV_OK;
    if (!json_object_is_type(value, json_type_boolean))
        return fault_set(err, PROV_E_INVALID, "'%s': '%s' must be true or false", settings->file,
                         name);
    *ret = json_object_get_boolean(value);
    return PROV_OK;
}

static int
take_on_failure(struct settings *settings, struct prov_error *err)
{
    const char *word = "open";
    int result = settings_text(settings, "on_failure", &word, err);

    if (!result && strcmp(word, "open") && strcmp(word, "closed"))
        result =
            fault_set(err, PROV_E_INVALID,
                      "'%s': 'on_failure' is '%.40s'; it is \"open\", to let changes pass that "
                      "could not be kept, or \"closed\", to refuse them",
                      settings->file, word);
    settings->closed = !strcmp(word, "closed");
    return result;
}

static int
parse(const char *file, struct json_object **ret, struct prov_error *err)
{
    enum json_tokener_error reason = json_tokener_success;
    struct prov_error why = { .size = sizeof(why) };
    char *text = NULL;
    size_t length;

    if (input_read(file, SETTINGS_MAX_BYTES, &text, &length, &why))
        return fault_set(err, PROV_E_INVALID, "%s", why.text);
    *ret = json_tokener_parse_verbose(text, &reason);
    free(text);
    if (json_object_is_type(*ret, json_type_object))
        return PROV_OK;
    return fault_set(err, PROV_E_INVALID,
                     "'%s': no JSON object%s%s; write {\"fields\":\"/etc/sfprov/fields.json\"}",
                     file, reason ? ": " : "", reason ? json_tokener_error_desc(reason) : "");
}

static int
read_all(const struct settings_host *host, struct settings *settings, struct prov_error *err)
{
    const char *plugin = PLUGIN_PATH;
    int result = parse(settings->file, &settings->json, err);

    if (!result)
        result = check_members(settings, host->known, err);
    if (!result)
        result = settings_text(settings, "fields", &settings->fields_file, err);
    if (!result && !settings->fields_file)
        result = fault_set(err, PROV_E_INVALID,
                           "'%s': 'fields' is missing: the file of the connector fields",
                           settings->file);
    if (!result)
        result = settings_text(settings, "plugin", &plugin, err);
    if (!result)
        result = take_on_failure(settings, err);
    if (!result)
        result = settings_switch(settings, "deliver", &settings->deliver, err);
    if (!result)
        result = settings_switch(settings, "active", &settings->active, err);
    if (!result)
        result = settings_switch(settings, "passwords", &settings->passwords, err);
    if (!result)
        result = input_read(settings->fields_file, PROV_FIELDS_MAX_BYTES, &settings->fields,
                            &settings->fields_length, err);
    if (!result)
        settings->plugin = strdup(plugin);
    return result || settings->plugin ? result : fault_nomem(err);
}

int
settings_read(const char *file, const struct settings_host *host, struct settings *ret,
              struct prov_error *err)
{
    struct settings settings = {
        .file = strdup(file), .issuer_means = host->issuer, .deliver = host->deliver, .active = true
    };
    int result = settings.file ? read_all(host, &settings, err) : fault_nomem(err);

    if (result) {
        settings_clear(&settings);
        return result;
    }
    *ret = settings;
    return PROV_OK;
}

void
settings_clear(struct settings *settings)
{
    if (settings->fields)
        explicit_bzero(settings->fields, settings->fields_length);
    free(settings->fields);
    free(settings->plugin);
    free(settings->file);
    json_object_put(settings->json);
    *settings = (struct settings){ .json = NULL };
}
