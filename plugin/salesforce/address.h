/* Where an access token may go. Private to plugin/salesforce/; the forms that an administrator may
 * type are schema/address.h's. */
#ifndef SALESFORCE_ADDRESS_H
#define SALESFORCE_ADDRESS_H

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

#endif
