/*
 * A whole list of those who are followed: what the directory tells at first, or what it is asked for beside what it goes
 * on telling. Whoever had an event since the list was begun is left alone (the plugin's rule), so that neither of the two
 * waits for the other.
 */
#ifndef CLI_FOLLOW_LIST_H
#define CLI_FOLLOW_LIST_H

#include "hosts/cli/host.h"
#include "hosts/cli/lines.h"
#include "hosts/cli/person.h"
#include "hosts/ldap/content.h"
#include "hosts/ldap/search.h"

/* Zeroed: there is none. */
struct follow_list {
    prov_snapshot *snapshot;
    struct search *search;      /* of one beside, until everybody is in it */
    bool beside, whole;         /* it is one beside; everybody is in it */
    struct json_object *report; /* of snapshot_apply() */
};

int follow_list_begin(struct follow_list *list, struct host *host, struct prov_error *err);
/* One beside what is followed. */
int follow_list_ask(struct follow_list *list, struct host *host, struct content *content,
                    struct prov_error *err);

/* Of one beside: as search_next(); FOUND_END: everybody is in it. */
enum found follow_list_next(struct follow_list *list, struct ldap_entry *ret,
                            struct prov_error *err);

int follow_list_add(struct follow_list *list, struct host *host, const struct person_listed *listed,
                    struct prov_error *err);

/* Applies a part of it, which takes some 200 ms at most. *ret_done: list->report says what became of it. */
int follow_list_apply(struct follow_list *list, struct host *host, bool *ret_done,
                      struct prov_error *err);

/* It is over; one that was not applied has changed nothing, or what it had changed so far. */
void follow_list_end(struct follow_list *list, struct host *host);

#endif
