/* The addresses of an org as an administrator types or pastes them, made canonical. Pure. */
#ifndef SCHEMA_ADDRESS_H
#define SCHEMA_ADDRESS_H

#include <stdbool.h>

#include "schema/faults.h"

#define TOKEN_PATH "/services/oauth2/token"

struct address {
    char *origin;        /* "https://acme.my.salesforce.com", "http://127.0.0.1:8080" */
    bool loopback;       /* this machine: the simulated org */
    bool clear_text;     /* http */
    bool login_host;     /* login.salesforce.com, test.salesforce.com, or those of another cloud */
    bool from_lightning; /* pasted from the user interface and turned into the API's host */
};
void address_clear(struct address *address);

/* Where the API is: a bare My Domain name, a host, or an origin. False: faults were added under
 * `field`, *ret is untouched. */
bool address_of_org(const char *text, const char *field, struct fault_list *faults,
                    struct address *ret);

/* Where to log in: "production", "sandbox", a login host, or what address_of_org() takes. `org` is the origin of
 * the org, whose cloud the first two are of; NULL: not known. */
bool address_of_login(const char *text, const char *org, const char *field,
                      struct fault_list *faults, struct address *ret);

/* The host at which people of orgs at this origin (NULL: not known) log in, by kind and by cloud. Static. */
const char *address_login_host(const char *origin);

/* Whether both are of Salesforce's own cloud, the US government's, or the Chinese one; hosts that are in none
 * count as of the first. */
bool address_same_cloud(const char *origin, const char *other);

/* Where tokens are fetched: a URL with TOKEN_PATH, also on a login host. origin is without it. */
bool address_of_token(const char *text, const char *field, struct fault_list *faults,
                      struct address *ret);

#endif
