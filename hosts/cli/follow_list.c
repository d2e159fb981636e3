/*
 * Decides that a list beside comes by the same connection as what is followed: so it is of the same server, and of no
 * replica that is behind what was heard already. Whom it lists is the follower's business, who is lost the plugin's.
 */
#include "hosts/cli/follow_list.h"

#include <stdlib.h>
#include <string.h>

#include "hosts/cli/reply.h"

#define STEP_MS 200u

int
follow_list_begin(struct follow_list *list, struct host *host, struct prov_error *err)
{
    return host->api.snapshot_begin(host->connector, NULL, PROV_SNAPSHOT_TOLERANT, &list->snapshot,
                                    err);
}

int
follow_list_ask(struct follow_list *list, struct host *host, struct content *content,
                struct prov_error *err)
{
    int result = follow_list_begin(list, host, err);

    list->beside = true;
    if (!result)
        result = search_beside(content_connection(content), &list->search, err);
    if (result)
        follow_list_end(list, host);
    return result;
}

enum found
follow_list_next(struct follow_list *list, struct ldap_entry *ret, struct prov_error *err)
{
    enum found found = search_next(list->search, ret, err);

    if (found != FOUND_END)
        return found;
    search_free(list->search);
    list->search = NULL;
    list->whole = true;
    return FOUND_END;
}

int
follow_list_add(struct follow_list *list, struct host *host, const struct person_listed *listed,
                struct prov_error *err)
{
    char *text = NULL;
    size_t length;
    int result = person_list(listed, &text, &length, err);

    if (!result)
        result = host->api.snapshot_add(list->snapshot, text, length, err);
    free(text);
    return result;
}

int
follow_list_apply(struct follow_list *list, struct host *host, bool *ret_done,
                  struct prov_error *err)
{
    char *text = NULL;
    int result = host->api.snapshot_apply(list->snapshot, STEP_MS, &text, err);

    json_object_put(list->report);
    list->report = NULL;
    if (!result && host_answer(host, text, &list->report))
        result = err->code = PROV_E_ABI;
    *ret_done = !result && !strcmp(reply_word(list->report, "state"), "done");
    return result;
}

void
follow_list_end(struct follow_list *list, struct host *host)
{
    search_free(list->search);
    if (list->snapshot)
        host->api.snapshot_end(list->snapshot, 0, NULL, NULL);
    json_object_put(list->report);
    *list = (struct follow_list){ .snapshot = NULL };
}
