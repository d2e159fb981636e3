/*
 * Reads what the configuration says of a realm. Decides which principals are persons by their names; the
 * list that sfprov-principals makes is to have the same ones.
 */
#include "hosts/kadm5/config.h"

#include <string.h>

#include "hosts/cli/fault.h"

/* kadmind has the keys of the realm: nothing calls out of it, so `deliver` is not known here. */
static const struct settings_host realm_host = {
    .known = "active creates except fields on_failure passwords persons plugin realm",
    .issuer = "this realm, such as krb5://EXAMPLE.ORG",
    .deliver = false
};

static int
take_pattern(const struct settings *settings, const char *name, regex_t *ret, bool *ret_there,
             struct prov_error *err)
{
    const char *pattern = NULL;
    char why[200];
    int result = settings_text(settings, name, &pattern, err), code;

    if (result || !pattern)
        return result;
    code = regcomp(ret, pattern, REG_EXTENDED | REG_NOSUB);
    *ret_there = code == 0;
    if (*ret_there)
        return PROV_OK;
    regerror(code, ret, why, sizeof(why));
    return fault_set(err, PROV_E_INVALID,
                     "'%s': '%s' is no extended regular expression: '%.100s': %s", settings->file,
                     name, pattern, why);
}

int
config_read(const char *file, struct config *ret, struct prov_error *err)
{
    struct config config = { .creates = true };
    struct settings *settings = &config.settings;
    int result = settings_read(file, &realm_host, settings, err);

    if (result)
        return result;
    result = settings_text(settings, "realm", &config.realm, err);
    if (!result)
        result = settings_switch(settings, "creates", &config.creates, err);
    if (!result)
        result = take_pattern(settings, "persons", &config.persons, &config.has_persons, err);
    if (!result)
        result = take_pattern(settings, "except", &config.except, &config.has_except, err);
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
    if (config->has_persons)
        regfree(&config->persons);
    if (config->has_except)
        regfree(&config->except);
    settings_clear(&config->settings);
    *config = (struct config){ .realm = NULL };
}

/* A principal with an instance is a service, a host or somebody's second one (ada/admin). */
bool
config_is_person(const struct config *config, const char *name)
{
    if (!*name || strchr(name, '/'))
        return false;
    if (config->has_persons && regexec(&config->persons, name, 0, NULL, 0) != 0)
        return false;
    return !config->has_except || regexec(&config->except, name, 0, NULL, 0) != 0;
}
