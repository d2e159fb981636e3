/* What would tell users of one username apart: tries the settings that are near, and believes only
 * what it has rendered. Who shares a username is found by whoever has the users. */
#include "patterns/collisions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patterns/username.h"

/* Whether all have a username that differs from the others' and that Salesforce takes. `names` has
 * room for each. */
static bool
tells_apart(const struct pattern *pattern, const struct pattern_user *users, size_t count,
            char (*names)[PATTERN_MAX_BYTES])
{
    for (size_t i = 0; i < count; i++) {
        if (pattern_render(pattern, &users[i], names[i], sizeof(names[i]), NULL, NULL) ||
            username_check(names[i], NULL))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (username_equal(names[i], names[j]))
                return false;
        }
    }
    return true;
}

/* A change that does not compile, or is too long, tells nobody apart. */
static bool
try_change(const struct pattern_settings *settings, const struct pattern_change *change,
           const struct pattern_user *users, size_t count, char (*names)[PATTERN_MAX_BYTES])
{
    struct pattern_settings changed = { change->pattern, change->separator, settings->domain };
    CLEANUP(pattern_cleanup) struct pattern *pattern = NULL;
    enum pattern_setting ignored;

    return pattern_compile(&changed, &pattern, &ignored, NULL) == PROV_OK &&
           tells_apart(pattern, users, count, names);
}

static bool
is_given(const char *setting)
{
    return setting && setting[strspn(setting, " \t\n\v\f\r")];
}

/* Fills `change` with the settings as they are. */
static bool
as_they_are(const struct pattern_settings *settings, struct pattern_change *change)
{
    const char *pattern = is_given(settings->pattern) ? settings->pattern : "{UN}";
    const char *separator = is_given(settings->separator) ? settings->separator : "_";
    int length = snprintf(change->pattern, sizeof(change->pattern), "%s", strchr(pattern, '{'));

    snprintf(change->separator, sizeof(change->separator), "%s", separator);
    change->key = NULL;
    return length < (int)sizeof(change->pattern);
}

/* One more key in front, or none, and a separator, or the one there is. */
static bool
make_change(const struct pattern_change *now, const char *key, const char *separator,
            struct pattern_change *ret)
{
    int length = key ? snprintf(ret->pattern, sizeof(ret->pattern), "{%s,%s", key, now->pattern + 1)
                     : snprintf(ret->pattern, sizeof(ret->pattern), "%s", now->pattern);

    ret->key = key;
    snprintf(ret->separator, sizeof(ret->separator), "%s", separator ? separator : now->separator);
    return length < (int)sizeof(ret->pattern);
}

int
pattern_tell_apart(const struct pattern_settings *settings, const struct pattern_user *users,
                   size_t count, struct pattern_change *ret, bool *ret_found,
                   struct prov_error *err)
{
    static const struct {
        const char *key, *separator;
    } changes[] = { { NULL, "-" },  { NULL, "_" },  { NULL, "." },   { NULL, "--" }, { NULL, "__" },
                    { "UD", NULL }, { "TD", NULL }, { "IDP", NULL }, { "UD", "-" },  { "UD", "_" },
                    { "UD", "." },  { "TD", "-" },  { "TD", "_" },   { "TD", "." } };
    CLEANUP(pattern_cleanup) struct pattern *pattern = NULL;
    AUTO_FREE char(*names)[PATTERN_MAX_BYTES] = NULL;
    struct pattern_change now, change;
    int r = pattern_compile(settings, &pattern, NULL, err);

    if (r)
        return r;
    count = count < COLLISION_USERS_MAX ? count : COLLISION_USERS_MAX;
    names = calloc(count ? count : 1, sizeof(*names));
    if (!names)
        return error_nomem(err);
    *ret_found = false;
    if (!as_they_are(settings, &now))
        return PROV_OK;
    for (size_t i = 0; !*ret_found && i < sizeof(changes) / sizeof(changes[0]); i++)
        *ret_found = make_change(&now, changes[i].key, changes[i].separator, &change) &&
                     try_change(settings, &change, users, count, names);
    if (*ret_found)
        *ret = change;
    return PROV_OK;
}
