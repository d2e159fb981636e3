/* Follows usernames from holder to holder: who has the wanted one wants the name of someone ... and in the end
 * stands a name that is free, somebody who keeps his, or the one who asks. What a holder is about to get is
 * known in one way to a round, in another to a replan, and in a third to a preview. Where a name leads is remembered,
 * since everybody in a chain looks along it. */
#include "plugin/delivery/names_chain.h"

#include <stdio.h>
#include <string.h>

/* So many names are remembered. */
#define WALKED_MAX 100000

int
names_wait_for(void *context, const struct name_claim *claim, char ret[PATTERN_MAX_BYTES],
               struct prov_error *err)
{
    (void)context;
    (void)err;
    snprintf(ret, PATTERN_MAX_BYTES, "%s", claim->waits_name ? claim->waits_name : "");
    return PROV_OK;
}

/* Of the names on the way, up to this one (NULL: all), it is known now where they lead. */
static int
remember(struct json_object *walked, struct json_object *path, const char *until,
         enum names_end end, struct prov_error *err)
{
    json_object_object_foreach(path, name, value)
    {
        (void)value;
        if ((until && strcmp(name, until) == 0) || json_object_object_length(walked) >= WALKED_MAX)
            break;
        if (json_put_int(walked, name, end))
            return error_nomem(err);
    }
    return PROV_OK;
}

int
names_follow(struct store *store, int64_t subject, const char *wanted, names_wish wish,
             void *context, struct json_object *walked, enum names_end *ret, char **ret_rival,
             struct prov_error *err)
{
    AUTO_JSON struct json_object *path = json_object_new_object();
    char name[PATTERN_MAX_BYTES];
    int64_t who = subject;
    int r = path ? PROV_OK : error_nomem(err);

    *ret_rival = NULL;
    *ret = NAMES_HELD;
    snprintf(name, sizeof(name), "%s", wanted);
    while (!r && name[0]) {
        CLEANUP(name_claim_done) struct name_claim claim = { 0 };
        if (json_get(path, name)) /* they go round, and without this one */
            return remember(walked, path, name, NAMES_HELD, err);
        if (*ret_rival && json_get(walked, name)) {
            *ret = (enum names_end)json_get_int(walked, name, NAMES_HELD);
            break;
        }
        r = store_name_claim(store, name, who, &claim, err);
        if (!r && json_put_bool(path, name, true))
            r = error_nomem(err);
        if (r)
            return r;
        if (!claim.subject || (claim.holds && claim.subject == subject)) {
            *ret = claim.subject ? NAMES_RING : NAMES_FREE;
            break;
        }
        if (!*ret_rival)
            *ret_rival = STEAL(claim.uri);
        name[0] = '\0';
        if (claim.holds) /* who only wants it may get it any time */
            r = wish(context, &claim, name, err);
        who = claim.subject;
    }
    return r || *ret == NAMES_RING ? r : remember(walked, path, NULL, *ret, err);
}
