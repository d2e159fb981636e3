/* Where an access token may go. Private to plugin/salesforce/; the forms that an administrator may
 * type are schema/address.h's. */
#ifndef SALESFORCE_ADDRESS_H
#define SALESFORCE_ADDRESS_H

#include <sys/socket.h>

#include "plugin/salesforce/http.h"

/* Whether the host is below one of Salesforce's API domains, at a label boundary (fact sheet 1.10). */
bool address_is_salesforce(const char *host);

/*
 * Whether the token may be sent to `instance`, which is text from the network: the configured origin
 * itself, a Salesforce host by https at port 443, or a host the admin has allowed (`allowed`: names,
 * comma between; NULL: none). Never from a simulated org to a real one, nor the other way.
 */
bool address_is_trusted(const struct http_origin *configured, const struct http_origin *instance,
                        const char *allowed);

/* Whether a name is in "a.example,b.example", without regard to case; NULL is empty. */
bool address_is_listed(const char *list, const char *host);

/*
 * Whether an address is of no public network (RFC 6890): this machine, private, link-local, shared,
 * multicast, reserved; for IPv6 also what carries such an IPv4 address. A family other than the two is.
 */
bool address_is_private(const struct sockaddr *address);
/* The same of a host as http_origin has it; false for a name. */
bool address_is_private_text(const char *host);

#endif
