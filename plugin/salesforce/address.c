/* Decides to which hosts an access token may be sent. Pure. */
#include "plugin/salesforce/address.h"

#include <string.h>
#include <strings.h>

/* Below the domain, at a label boundary, and not the bare domain. */
static bool
is_below(const char *host, const char *domain)
{
    size_t length = strlen(host), part = strlen(domain);

    return length > part + 1 && host[length - part - 1] == '.' &&
           strcmp(host + length - part, domain) == 0;
}

bool
address_is_salesforce(const char *host)
{
    /* salesforce.com covers my.salesforce.com and the sandbox partitions */
    static const char *const domains[] = { "salesforce.com", "salesforce.mil",
                                           "my.sfcrmproducts.cn", "my-salesforce.com" };

    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        if (is_below(host, domains[i]))
            return true;
    }
    return false;
}

static bool
is_listed(const char *allowed, const char *host)
{
    size_t length = strlen(host);

    for (const char *at = allowed; at && *at; at += strcspn(at, ",")) {
        at += strspn(at, ",");
        if (strcspn(at, ",") == length && strncasecmp(at, host, length) == 0)
            return true;
    }
    return false;
}

bool
address_is_trusted(const struct http_origin *configured, const struct http_origin *instance,
                   const char *allowed)
{
    if (instance->has_path)
        return false;
    if (http_origin_same(configured, instance))
        return true;
    if (configured->loopback || instance->loopback || strcmp(instance->scheme, "https") != 0 ||
        instance->port != 443)
        return false;
    return address_is_salesforce(instance->host) || is_listed(allowed, instance->host);
}
