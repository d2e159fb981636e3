/* Steps of `check` that need no network: the connector fields, the store, the sealing key, and one username,
 * so that the admin sees what will be sent. */
#include <stdio.h>
#include <string.h>

#include "patterns/username.h"
#include "plugin/base/seal.h"
#include "plugin/delivery/check.h"

int
check_fields(struct check *check, struct prov_error *err)
{
    size_t count = check->warnings ? json_object_array_length(check->warnings) : 0;
    int r = PROV_OK;

    (void)err;
    if (count == 0)
        return check_say(check, CHECK_OK, NULL, NULL, "all connector fields are valid");
    for (size_t i = 0; !r && i < count; i++) {
        struct json_object *warning = json_object_array_get_idx(check->warnings, i);
        r = check_say(check, CHECK_WARNING, json_get_string(warning, "reason"),
                      json_get_string(warning, "remedy"), "field '%s'",
                      json_get_string(warning, "field"));
    }
    return r;
}

int
check_store(struct check *check, struct prov_error *err)
{
    struct store *store = check->delivery->store;
    struct prov_error why = PROV_ERROR_INIT;
    AUTO_FREE char *pinned = NULL;
    int r = store_check_place(store, &why);

    (void)err;
    /* a store that is not there yet is not made by a look */
    if (!r && store_exists(store))
        r = store_get_fact(store, "org_id", &pinned, &why);
    if (r == PROV_E_NOMEM)
        return r;
    if (r)
        return check_say(check, CHECK_FAILED, "Nothing can be accepted without the store.",
                         "Follow the message, or name another path in the field 'store'.", "%s",
                         why.text);
    return check_say(check, CHECK_OK, NULL, NULL, "%s%s", store_path(store),
                     store_exists(store) ? "" : " is not there yet, and will be made");
}

int
check_sealing(struct check *check, struct prov_error *err)
{
    CLEANUP(sealer_cleanup) struct sealer *sealer = NULL;
    struct prov_error why = PROV_ERROR_INIT;
    char id[SEAL_KEY_ID_HEX];
    int r;

    (void)err;
    if (!check->fields->sealing_key)
        return check_say(check, CHECK_OK, NULL, NULL,
                         "no sealing_key: tokens are not kept, and passwords are not taken");
    r = sealer_load(check->fields->sealing_key, &sealer, &why);
    if (r == PROV_E_NOMEM)
        return r;
    if (r)
        return check_say(check, CHECK_FAILED,
                         "Without the key nothing that is sealed in the store can be read: tokens, "
                         "and passwords that wait.",
                         "Follow the message, or correct 'sealing_key'.", "%s", why.text);
    sealer_id(sealer, id);
    return check_say(check, CHECK_OK, NULL, NULL, "key %s seals", id);
}

int
check_username(struct check *check, struct prov_error *err)
{
    const struct fields *fields = check->fields;
    struct pattern_user user = { .entity_name = "jane.doe",
                                 .user_domain = fields->user_domain,
                                 .tenant_domain = fields->tenant_domain,
                                 .identity_provider = fields->identity_provider };
    struct prov_error why = PROV_ERROR_INIT;
    char username[PATTERN_MAX_BYTES];

    (void)err;
    if (pattern_render(fields->pattern, &user, username, sizeof(username), NULL, &why))
        return check_say(check, CHECK_FAILED, "The pattern gives no username.",
                         "Correct 'provisioning_pattern'.", "%s", why.text);
    if (username_check(username, &why) == PROV_OK)
        return check_say(check, CHECK_OK, NULL, NULL, "host user 'jane.doe' becomes '%s'",
                         username);
    if (fields->provisioning_domain)
        return check_say(check, CHECK_FAILED, why.text,
                         "Correct 'provisioning_pattern', 'provisioning_separator' or "
                         "'identity_provider'.",
                         "host user 'jane.doe' becomes '%s'", username);
    return check_say(
        check, CHECK_WARNING, why.text,
        "Set 'provisioning_domain', unless the host's user names are e-mail addresses.",
        "host user 'jane.doe' becomes '%s'", username);
}
