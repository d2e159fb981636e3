/* Decides to which hosts, and to which addresses, an access token may be sent. No I/O. */
#include "plugin/salesforce/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "plugin/base/ascii.h"

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

bool
address_is_listed(const char *allowed, const char *host)
{
    size_t length = strlen(host);

    for (const char *at = allowed; at && *at; at += strcspn(at, ",")) {
        at += strspn(at, ",");
        if (strcspn(at, ",") == length && ascii_compare_start(at, host, length) == 0)
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
    return address_is_salesforce(instance->host) || address_is_listed(allowed, instance->host);
}

/* ---- addresses ---- */

static bool
is_private_v4(uint32_t address)
{
    static const struct {
        uint32_t network;
        unsigned bits;
    } networks[] = {
        { 0x00000000, 8 },  /* this network */
        { 0x0a000000, 8 },  /* private */
        { 0x64400000, 10 }, /* shared, of providers */
        { 0x7f000000, 8 },  /* loopback */
        { 0xa9fe0000, 16 }, /* link-local: clouds tell machines their secrets there */
        { 0xac100000, 12 }, /* private */
        { 0xc0000000, 24 }, /* protocols */
        { 0xc0a80000, 16 }, /* private */
        { 0xc6120000, 15 }, /* benchmarks */
        { 0xe0000000, 3 },  /* multicast, reserved, broadcast */
    };

    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        if ((address ^ networks[i].network) >> (32 - networks[i].bits) == 0)
            return true;
    }
    return false;
}

static uint32_t
v4_at(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool
is_private_v6(const unsigned char *bytes)
{
    static const unsigned char zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

    if (memcmp(bytes, mapped, 12) == 0 || memcmp(bytes, nat64, 12) == 0)
        return is_private_v4(v4_at(bytes + 12));
    if (bytes[0] == 0x20 && bytes[1] == 0x02) /* 6to4 */
        return is_private_v4(v4_at(bytes + 2));
    /* ::/96: unspecified, loopback, and IPv4 in a form that nobody routes */
    return memcmp(bytes, zero, 12) == 0 || (bytes[0] & 0xfe) == 0xfc || bytes[0] == 0xff ||
           (bytes[0] == 0xfe && bytes[1] >= 0x80);
}

bool
address_is_private(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return is_private_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return true;
    memcpy(&v6, address, sizeof(v6));
    return is_private_v6(v6.sin6_addr.s6_addr);
}

bool
address_is_private_text(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char inside[INET6_ADDRSTRLEN];
    size_t length = strlen(host);

    if (inet_pton(AF_INET, host, &v4) == 1)
        return is_private_v4(ntohl(v4.s_addr));
    if (host[0] != '[' || length < 3 || length - 2 >= sizeof(inside))
        return host[0] == '['; /* with a zone: link-local */
    memcpy(inside, host + 1, length - 2);
    inside[length - 2] = '\0';
    return inet_pton(AF_INET6, inside, &v6) != 1 || is_private_v6(v6.s6_addr);
}
