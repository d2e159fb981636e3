/*
 * Decides that a search which gave a part only is no list: whoever is missing from a list is deactivated.
 */
#include "hosts/ldap/search.h"

#include <stdlib.h>

#include "hosts/cli/fault.h"

#define PAGE_ENTRIES 250
#define PAGE_S       120
#define EMPTY_MAX    1000 /* pages in a row; Active Directory gives some while it looks for more */

struct search {
    struct connection own, *connection; /* which is its own, or another's */
    LDAPMessage *page, *at;
    struct berval cookie; /* of the next page, libldap's; empty: the first one */
    unsigned empty;       /* pages in a row that held nobody */
    bool ended;
    struct taken_entry taken; /* the entry at hand */
};

int
search_open(const struct connection_options *options, struct search **ret, struct prov_error *err)
{
    struct search *search = calloc(1, sizeof(*search));
    int result = search ? connection_open(options, &search->own, err) : fault_nomem(err);

    if (search)
        search->connection = &search->own;
    if (result) {
        search_free(search);
        return result;
    }
    *ret = search;
    return PROV_OK;
}

int
search_beside(struct connection *connection, struct search **ret, struct prov_error *err)
{
    struct search *search = calloc(1, sizeof(*search));

    if (!search)
        return fault_nomem(err);
    search->connection = connection;
    *ret = search;
    return PROV_OK;
}

void
search_free(struct search *search)
{
    if (!search)
        return;
    taken_entry_clear(&search->taken);
    ldap_msgfree(search->page);
    ber_memfree(search->cookie.bv_val);
    connection_close(&search->own);
    free(search);
}

/* ---- pages ---- */

static enum found
stop(int result)
{
    (void)result; /* told in err */
    return FOUND_STOP;
}

/* Where the next page begins; an empty cookie says that there is none. */
static enum found
take_cookie(struct search *search, LDAPControl **controls, struct prov_error *err)
{
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    ber_int_t estimate;
    int code;

    ber_memfree(search->cookie.bv_val);
    search->cookie = (struct berval){ 0 };
    code = control ? ldap_parse_pageresponse_control(search->connection->ldap, control, &estimate,
                                                     &search->cookie)
                   : LDAP_SUCCESS;
    if (code)
        return stop(connection_fail(search->connection->ldap, code,
                                    "the directory's answer cannot be read",
                                    "tell the directory's administrator", err));
    search->ended = !search->cookie.bv_len;
    return FOUND_ITEM;
}

static enum found
judge_page(struct search *search, struct prov_error *err)
{
    LDAPControl **controls = NULL;
    char **referrals = NULL;
    int code = LDAP_SUCCESS, parsed;
    enum found found;

    parsed = ldap_parse_result(search->connection->ldap, search->page, &code, NULL, NULL,
                               &referrals, &controls, 0);
    if (parsed)
        code = parsed;
    if (code == LDAP_REFERRAL)
        found = stop(fault_set(err, PROV_E_STATE,
                               "the directory refers to '%.200s' for '%.200s'; name that server",
                               referrals && *referrals ? *referrals : "another server",
                               search->connection->url->lud_dn));
    else if (code)
        found = stop(connection_fail(
            search->connection->ldap, code, "the directory did not give the whole list",
            code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED
                ? "raise its size limit for this user, or bind as one without a limit"
                : "check the DN and the filter of the URL, and the rights of --bind-dn",
            err));
    else
        found = take_cookie(search, controls, err);
    ldap_memvfree((void **)referrals);
    ldap_controls_free(controls);
    return found;
}

/* FOUND_END: there is no further page. */
static enum found
next_page(struct search *search, struct prov_error *err)
{
    /* no word of other naming contexts; other servers would leave out what belongs to the list */
    LDAPControl one_domain = { .ldctl_oid = LDAP_CONTROL_X_DOMAIN_SCOPE };
    LDAPControl *controls[] = { NULL, search->connection->active_directory ? &one_domain : NULL,
                                NULL };
    struct connection_search what = { .dn = search->connection->url->lud_dn,
                                      .scope = search->connection->url->lud_scope,
                                      .filter = search->connection->filter,
                                      .attributes = search->connection->wanted,
                                      .controls = controls,
                                      .seconds = PAGE_S };
    int code;

    ldap_msgfree(search->page);
    search->page = search->at = NULL;
    if (search->ended)
        return FOUND_END;
    code =
        ldap_create_page_control(search->connection->ldap, PAGE_ENTRIES,
                                 search->cookie.bv_len ? &search->cookie : NULL, 0, &controls[0]);
    if (!code)
        code = connection_search(search->connection->ldap, &what, &search->page);
    ldap_control_free(controls[0]);
    if (!search->page)
        return stop(connection_fail(search->connection->ldap, code,
                                    "the directory cannot be searched",
                                    "check host, port and the filter of the URL", err));
    search->at = ldap_first_message(search->connection->ldap, search->page);
    search->empty =
        ldap_first_entry(search->connection->ldap, search->page) ? 0 : search->empty + 1;
    if (search->empty > EMPTY_MAX)
        return stop(fault_set(err, PROV_E_STATE,
                              "the directory gives empty pages without end, so the list is not "
                              "whole; tell the directory's administrator"));
    return judge_page(search, err);
}

/* ---- entries ---- */

bool
search_has_more(const struct search *search)
{
    return search->at && ldap_msgtype(search->at) != LDAP_RES_SEARCH_RESULT;
}

enum found
search_next(struct search *search, struct ldap_entry *ret, struct prov_error *err)
{
    for (;;) {
        enum found found = FOUND_ITEM;
        int result;

        if (!search->at)
            found = next_page(search, err);
        if (found != FOUND_ITEM)
            return found;
        switch (search->at ? ldap_msgtype(search->at) : 0) {
        case LDAP_RES_SEARCH_ENTRY:
            result = connection_take(search->connection, search->at, &search->taken, ret, err);
            search->at = ldap_next_message(search->connection->ldap, search->at);
            return result ? FOUND_STOP : FOUND_ITEM;
        case LDAP_RES_SEARCH_REFERENCE:
            return stop(fault_set(
                err, PROV_E_STATE,
                "a part of '%.200s' is in another directory, so the list is not whole; name a DN "
                "below which everything is on this server",
                search->connection->url->lud_dn));
        default:
            if (search->at)
                search->at = ldap_next_message(search->connection->ldap, search->at);
        }
    }
}
