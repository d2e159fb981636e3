/*
 * Reads the adapter's configuration. Decides what is allowed in it, and says all that is wrong in the
 * terms of the file: the server refuses to start with that line in its log. Leaves the connector
 * fields to the connector.
 */
#include "hosts/slapi/config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/input.h"

#define CONFIG_MAX_BYTES (1024u * 1024u)

static const char known[] =
    "active bases columns deliver fields filter groups on_failure passwords "
    "plugin";

static int
check_members(const char *file, struct json_object *json, struct prov_error *err)
{
    json_object_object_foreach(json, name, value)
    {
        const char *at = strstr(known, name);
        size_t length = strlen(name);

        (void)value;
        if (!length || !at || (at != known && at[-1] != ' ') || (at[length] && at[length] != ' '))
            return fault_set(err, PROV_E_INVALID, "'%s': '%.60s' is not known; there are: %s", file,
                             name, known);
    }
    return PROV_OK;
}

/* A text; what is missing stays as it is. */
static int
take_text(const char *file, struct json_object *json, const char *name, const char **ret,
          struct prov_error *err)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(json, name, &value))
        return PROV_OK;
    if (!json_object_is_type(value, json_type_string) || !json_object_get_string_len(value))
        return fault_set(err, PROV_E_INVALID, "'%s': '%s' must be a text in quotes", file, name);
    *ret = json_object_get_string(value);
    return PROV_OK;
}

static int
take_switch(const char *file, struct json_object *json, const char *name, bool *ret,
            struct prov_error *err)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(json, name, &value))
        return PROV_OK;
    if (!json_object_is_type(value, json_type_boolean))
        return fault_set(err, PROV_E_INVALID, "'%s': '%s' must be true or false", file, name);
    *ret = json_object_get_boolean(value);
    return PROV_OK;
}

static int
take_dns(const char *file, struct json_object *json, const char *name, const char ***ret,
         struct prov_error *err)
{
    struct json_object *list = NULL;
    size_t count = 0;

    if (json_object_object_get_ex(json, name, &list)) {
        if (!json_object_is_type(list, json_type_array))
            return fault_set(err, PROV_E_INVALID, "'%s': '%s' must be an array of DNs", file, name);
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
                             file, name);
        (*ret)[i] = json_object_get_string(dn);
    }
    return PROV_OK;
}

static int
take_on_failure(const char *file, struct json_object *json, bool *ret, struct prov_error *err)
{
    const char *word = "open";
    int result = take_text(file, json, "on_failure", &word, err);

    if (!result && strcmp(word, "open") && strcmp(word, "closed"))
        result =
            fault_set(err, PROV_E_INVALID,
                      "'%s': 'on_failure' is '%.40s'; it is \"open\", to let changes pass that "
                      "could not be kept, or \"closed\", to refuse them",
                      file, word);
    *ret = !strcmp(word, "closed");
    return result;
}

/* The issuer is needed: whoever lists the directory later has to mean the same users. */
static int
check_issuer(const char *file, const char *fields, struct prov_error *err)
{
    struct json_object *json = json_tokener_parse(fields), *issuer = NULL;
    bool there = json_object_is_type(json, json_type_object) &&
                 json_object_object_get_ex(json, "issuer", &issuer) &&
                 json_object_get_string_len(issuer) > 0;
    bool readable = json_object_is_type(json, json_type_object);

    json_object_put(json);
    if (there || !readable) /* what is no JSON the connector says better */
        return PROV_OK;
    return fault_set(
        err, PROV_E_FIELDS,
        "'%s': the connector field 'issuer' is missing; set it to a URL that stands for "
        "this directory, such as ldap://ldap.example.org",
        file);
}

static int
read_columns(const char *file, const char *default_key, struct config *config,
             struct prov_error *err)
{
    struct columns_options options = { .file = NULL };
    struct prov_error why = { .size = sizeof(why) };
    char *text = NULL;
    size_t length;
    int result = file ? input_read(file, CONFIG_MAX_BYTES, &text, &length, &why) : PROV_OK;

    options.file = text;
    if (!result)
        result = columns_make(&options, true, &config->columns, &why);
    free(text);
    if (result)
        return file ? fault_set(err, result, "'columns': %s: %.700s", file, why.text)
                    : fault_set(err, result, "%s", why.text);
    config->key = columns_key(config->columns);
    if (!config->key)
        config->key = default_key;
    return PROV_OK;
}

static int
parse(const char *file, struct json_object **ret, struct prov_error *err)
{
    enum json_tokener_error reason = json_tokener_success;
    struct prov_error why = { .size = sizeof(why) };
    char *text = NULL;
    size_t length;

    if (input_read(file, CONFIG_MAX_BYTES, &text, &length, &why))
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
read_all(const char *file, const char *default_key, struct config *config, struct prov_error *err)
{
    const char *fields = NULL, *columns = NULL, *plugin = PLUGIN_PATH;
    struct json_object *json;
    int result = parse(file, &config->json, err);

    json = config->json;
    if (!result)
        result = check_members(file, json, err);
    if (!result)
        result = take_text(file, json, "fields", &fields, err);
    if (!result && !fields)
        result = fault_set(err, PROV_E_INVALID,
                           "'%s': 'fields' is missing: the file of the connector fields", file);
    if (!result)
        result = take_text(file, json, "columns", &columns, err);
    if (!result)
        result = take_text(file, json, "plugin", &plugin, err);
    if (!result)
        result = take_text(file, json, "filter", &config->filter, err);
    if (!result)
        result = take_dns(file, json, "bases", &config->bases, err);
    if (!result)
        result = take_dns(file, json, "groups", &config->groups, err);
    if (!result)
        result = take_on_failure(file, json, &config->closed, err);
    if (!result)
        result = take_switch(file, json, "deliver", &config->deliver, err);
    if (!result)
        result = take_switch(file, json, "active", &config->active, err);
    if (!result)
        result = take_switch(file, json, "passwords", &config->passwords, err);
    if (!result)
        result = read_columns(columns, default_key, config, err);
    if (!result)
        result =
            input_read(fields, PROV_FIELDS_MAX_BYTES, &config->fields, &config->fields_length, err);
    if (!result)
        result = check_issuer(fields, config->fields, err);
    if (!result)
        config->plugin = strdup(plugin);
    return result || config->plugin ? result : fault_nomem(err);
}

int
config_read(const char *file, const char *default_key, struct config *ret, struct prov_error *err)
{
    struct config config = { .deliver = true, .active = true };
    int result = read_all(file, default_key, &config, err);

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
    if (config->fields)
        explicit_bzero(config->fields, config->fields_length);
    free(config->fields);
    free(config->plugin);
    free(config->bases);
    free(config->groups);
    columns_free(config->columns);
    json_object_put(config->json);
    *config = (struct config){ .json = NULL };
}
