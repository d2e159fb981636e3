/* Which hosts are Salesforce's, and how what an administrator gives becomes one canonical origin
 * (fact sheet 1.10). Secrets are sent to these addresses: suffixes are compared at label
 * boundaries, and what is not surely Salesforce or this machine is refused. Whether the two
 * addresses fit each other is decided in fields.c. */
#include "schema/address.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "schema/letters.h"

/* API hosts, and the hosts of the user interface that stand for them. */
static const struct {
    const char *api, *interface;
} suffixes[] = {
    { ".my.salesforce.com", ".lightning.force.com" },
    { ".my.salesforce.mil", ".lightning.crmforce.mil" },
    { ".my.sfcrmproducts.cn", ".lightning.sfcrmapps.cn" },
    { ".my-salesforce.com", ".my-lightning.com" },
};

static const char my_domain_remedy[] =
    "give the My Domain of the org, https://acme.my.salesforce.com (Setup, My Domain)";

/* What was given, taken apart. */
struct parts {
    bool has_scheme, clear_text;
    char *host; /* lower case; [::1] with its brackets */
    char *port; /* NULL: none */
    char *path; /* from the first '/', '?' or '#'; "" if none */
};

static void
parts_cleanup(struct parts *parts)
{
    free(parts->host);
    free(parts->port);
    free(parts->path);
}

void
address_clear(struct address *address)
{
    free(address->origin);
    *address = (struct address){ 0 };
}

/* Where a fault goes, and the value it may show. */
struct context {
    const char *field, *shown;
    struct fault_list *faults;
};

static bool refuse(const struct context *context, const char *remedy, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool
refuse(const struct context *context, const char *remedy, const char *format, ...)
{
    AUTO_FREE char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = letters_vformat(format, arguments);
    va_end(arguments);
    if (reason)
        faults_add(context->faults, context->field, context->shown, remedy, "%s", reason);
    else
        context->faults->result = PROV_E_NOMEM;
    return false;
}

static bool
out_of_memory(const struct context *context)
{
    context->faults->result = PROV_E_NOMEM;
    return false;
}

static bool
ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* Host and port of an authority without user info. */
static bool
split_authority(char *authority, const struct context *context, struct parts *parts)
{
    char *colon = authority[0] == '[' ? strchr(authority, ']') : authority;

    if (!colon)
        return refuse(context, "close the bracket: [::1]", "the IPv6 address has no end");
    colon = strchr(colon, ':');
    if (colon) {
        size_t digits = strspn(colon + 1, "0123456789");
        if (digits == 0 || digits > 5 || colon[1 + digits] || atoi(colon + 1) < 1 ||
            atoi(colon + 1) > 65535)
            return refuse(context, "write the port as a number from 1 to 65535, or leave it out",
                          "the port is no number");
        parts->port = strdup(colon + 1);
        if (!parts->port)
            return out_of_memory(context);
        *colon = '\0';
    }
    parts->host = letters_lower(authority);
    return parts->host || out_of_memory(context);
}

static bool
take_apart(const char *text, const struct context *context, struct parts *parts)
{
    AUTO_FREE char *copy = letters_trim(text);
    char *authority, *scheme_end, *path;

    if (!copy)
        return out_of_memory(context);
    for (const char *c = copy; *c; c++) {
        if (*c <= ' ' || *c >= 0x7f)
            return refuse(context, my_domain_remedy,
                          "an address has no blanks and no letters beyond ASCII");
    }
    scheme_end = strstr(copy, "://");
    authority = scheme_end ? scheme_end + 3 : copy;
    if (scheme_end) {
        *scheme_end = '\0';
        parts->has_scheme = true;
        parts->clear_text = ascii_compare(copy, "http") == 0;
        if (!parts->clear_text && ascii_compare(copy, "https") != 0)
            return refuse(context, my_domain_remedy, "it has to begin with https://");
    }
    path = authority + strcspn(authority, "/?#\\");
    parts->path = strdup(path);
    if (!parts->path)
        return out_of_memory(context);
    *path = '\0';
    if (strchr(authority, '@'))
        return refuse(context,
                      "take out what stands before the '@'; the credentials have fields "
                      "of their own, client_id and client_secret",
                      "an address cannot hold a user name or a password");
    return split_authority(authority, context, parts);
}

/* localhost, 127.0.0.0/8 in four decimal numbers, [::1]. */
static bool
is_loopback(const char *host)
{
    int numbers = 0;

    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    if (strncmp(host, "127.", 4) != 0)
        return false;
    for (;;) {
        size_t digits = strspn(host, "0123456789");
        if (digits == 0 || digits > 3 || (digits > 1 && host[0] == '0') || atoi(host) > 255)
            return false;
        numbers++;
        host += digits;
        if (*host != '.')
            return *host == '\0' && numbers == 4;
        host++;
    }
}

/* Where people of all orgs log in. Those of the government's and the Chinese cloud are not in the fact sheet;
 * they are what public code uses (unsure). */
static const struct cloud {
    const char *below, *production, *sandbox;
} clouds[] = {
    { ".salesforce.com", "login.salesforce.com", "test.salesforce.com" },
    { ".salesforce.mil", "login.salesforce.mil", "test.salesforce.mil" },
    { ".sfcrmproducts.cn", "login.sfcrmproducts.cn", "test.sfcrmproducts.cn" },
};

#define CLOUDS (sizeof(clouds) / sizeof(clouds[0]))

/* Of a host or an origin; the first one for what is in none. */
static const struct cloud *
cloud_of(const char *host)
{
    for (size_t i = 0; host && i < CLOUDS; i++) {
        if (ends_with(host, clouds[i].below))
            return &clouds[i];
    }
    return &clouds[0];
}

static bool
is_login_host(const char *host)
{
    for (size_t i = 0; i < CLOUDS; i++) {
        if (strcmp(host, clouds[i].production) == 0 || strcmp(host, clouds[i].sandbox) == 0)
            return true;
    }
    return strcmp(host, "login") == 0 || strcmp(host, "test") == 0;
}

/* A domain label: letters, digits, hyphens, none at the ends, 63 at most. */
static bool
is_label(const char *label, size_t length)
{
    if (length == 0 || length > 63 || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!ascii_is_letter(label[i]) && !ascii_is_digit(label[i]) && label[i] != '-')
            return false;
    }
    return true;
}

/* "acme" or "acme--uat.sandbox": the org's own name and at most one partition. */
static bool
is_org_name(const char *name, size_t length)
{
    const char *dot = memchr(name, '.', length);
    size_t first = dot ? (size_t)(dot - name) : length;

    return is_label(name, first) && (!dot || is_label(dot + 1, length - first - 1));
}

static bool
refuse_host(const struct parts *parts, const struct context *context)
{
    static const char *const no_api[] = { ".salesforce-setup.com", ".my.site.com", ".vf.force.com",
                                          ".visualforce.com", ".force.com" };

    for (size_t i = 0; i < sizeof(no_api) / sizeof(no_api[0]); i++) {
        if (ends_with(parts->host, no_api[i]))
            return refuse(context, my_domain_remedy,
                          "'%s' shows pages of Salesforce, its API is elsewhere", parts->host);
    }
    if (ends_with(parts->host, ".salesforce.com") || strcmp(parts->host, "salesforce.com") == 0)
        return refuse(context, my_domain_remedy, "'%s' is no My Domain host of one org",
                      parts->host);
    return refuse(context, my_domain_remedy,
                  "'%s' is no host of Salesforce; the client secret would be sent there",
                  parts->host);
}

/* A My Domain name without its suffix. */
static bool
host_of_name(const struct parts *parts, const struct context *context, char **ret_host)
{
    const char *name = parts->host;

    if (!is_label(name, strlen(name)))
        return refuse(context, my_domain_remedy,
                      "'%s' is no My Domain name: letters, digits and hyphens", name);
    if (ends_with(name, "-dev-ed"))
        return refuse(context, "give the whole host, as the browser shows it in Setup, My Domain",
                      "developer orgs have two forms, %s.develop.my.salesforce.com and the older "
                      "%s.my.salesforce.com",
                      name, name);
    /* "--" is reserved for sandbox names; enhanced domains are enforced since Winter '24 */
    *ret_host =
        letters_format("%s%s.my.salesforce.com", name, strstr(name, "--") ? ".sandbox" : "");
    return *ret_host || out_of_memory(context);
}

/* The host of the API that a full host stands for. */
static bool
host_of_suffix(const struct parts *parts, const struct context *context, char **ret_host,
               bool *ret_from_interface)
{
    size_t length = strlen(parts->host);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        bool interface = ends_with(parts->host, suffixes[i].interface);
        size_t name = length - strlen(interface ? suffixes[i].interface : suffixes[i].api);
        if (!interface && !ends_with(parts->host, suffixes[i].api))
            continue;
        if (!is_org_name(parts->host, name))
            break;
        *ret_from_interface = interface;
        *ret_host = letters_format("%.*s%s", (int)name, parts->host, suffixes[i].api);
        return *ret_host || out_of_memory(context);
    }
    return refuse_host(parts, context);
}

/* Scheme, host and port to one origin. */
static bool
make_origin(const struct parts *parts, const struct context *context, struct address *ret)
{
    AUTO_FREE char *host = NULL;
    bool interface = false, ok = true;

    ret->loopback = is_loopback(parts->host);
    /* the whole name: "login" alone would be a host of the local network */
    ret->login_host = is_login_host(parts->host) && strchr(parts->host, '.');
    ret->clear_text = parts->clear_text;
    if (ret->loopback || ret->login_host)
        host = strdup(parts->host);
    else if (!parts->has_scheme && !strchr(parts->host, '.'))
        ok = host_of_name(parts, context, &host);
    else
        ok = host_of_suffix(parts, context, &host, &interface);
    if (!ok)
        return false;
    if (!host)
        return out_of_memory(context);
    if (!ret->loopback && parts->port)
        return refuse(context, "leave the port out", "Salesforce is reached on port 443 only");
    if (!ret->loopback && parts->clear_text)
        return refuse(context, "write https://",
                      "over plain http the client secret would travel in clear");
    ret->from_lightning = interface;
    ret->origin = letters_format("%s://%s%s%s", parts->clear_text ? "http" : "https", host,
                                 parts->port ? ":" : "", parts->port ? parts->port : "");
    return ret->origin || out_of_memory(context);
}

/* What may be shown of an address: nothing of one that may hold credentials. */
static const char *
shown(const char *text)
{
    return strpbrk(text, "@?") ? NULL : text;
}

bool
address_of_org(const char *text, const char *field, struct fault_list *faults, struct address *ret)
{
    CLEANUP(parts_cleanup) struct parts parts = { 0 };
    CLEANUP(address_clear) struct address address = { 0 };
    struct context context = { field, shown(text), faults };
    AUTO_FREE char *remedy = NULL;

    if (!take_apart(text, &context, &parts) || !parts.host)
        return false;
    if (is_login_host(parts.host))
        return refuse(&context, my_domain_remedy,
                      "'%s' is where people of all orgs log in, no org answers API calls there",
                      parts.host);
    if (!make_origin(&parts, &context, &address))
        return false;
    if (*parts.path && strcmp(parts.path, "/") != 0) {
        remedy = letters_format("write %s", address.origin);
        return remedy ? refuse(&context, remedy,
                               "it is the address of a page, the org's own is needed")
                      : out_of_memory(&context);
    }
    *ret = address;
    address.origin = NULL;
    return true;
}

bool
address_of_token(const char *text, const char *field, struct fault_list *faults,
                 struct address *ret)
{
    CLEANUP(parts_cleanup) struct parts parts = { 0 };
    CLEANUP(address_clear) struct address address = { 0 };
    struct context context = { field, shown(text), faults };
    AUTO_FREE char *remedy = NULL;

    if (!take_apart(text, &context, &parts) || !parts.host)
        return false;
    if (!parts.has_scheme)
        return refuse(&context,
                      "write https://acme.my.salesforce.com" TOKEN_PATH ", or leave the field out",
                      "a token endpoint is a whole URL");
    if (!make_origin(&parts, &context, &address))
        return false;
    if (strcmp(parts.path, TOKEN_PATH) != 0) {
        remedy = letters_format("write %s" TOKEN_PATH ", or leave the field out", address.origin);
        return remedy ? refuse(&context, remedy, "the path of a token endpoint is " TOKEN_PATH)
                      : out_of_memory(&context);
    }
    *ret = address;
    address.origin = NULL;
    return true;
}

/* The login host that a text stands for; NULL: it is something else. */
static const char *
login_host_of(const char *text, const struct cloud *cloud)
{
    if (strcmp(text, "production") == 0 || strcmp(text, "login") == 0)
        return cloud->production;
    if (strcmp(text, "sandbox") == 0 || strcmp(text, "test") == 0)
        return cloud->sandbox;
    return is_login_host(text) ? text : NULL;
}

bool
address_of_login(const char *text, const char *org, const char *field, struct fault_list *faults,
                 struct address *ret)
{
    CLEANUP(parts_cleanup) struct parts parts = { 0 };
    struct context context = { field, shown(text), faults };
    const char *host;

    if (!take_apart(text, &context, &parts) || !parts.host)
        return false;
    host = login_host_of(parts.host, cloud_of(org));
    if (!host)
        return address_of_org(text, field, faults, ret);
    if (parts.port || parts.clear_text || (*parts.path && strcmp(parts.path, "/") != 0))
        return refuse(&context, "write production or sandbox",
                      "a login host is reached by https, without a port or a path");
    ret->login_host = true;
    ret->origin = letters_format("https://%s", host);
    return ret->origin || out_of_memory(&context);
}

static bool
is_sandbox(const char *origin)
{
    return strstr(origin, "--") || strstr(origin, ".sandbox.") || strstr(origin, ".scratch.");
}

const char *
address_login_host(const char *origin)
{
    const struct cloud *cloud = cloud_of(origin);

    return origin && is_sandbox(origin) ? cloud->sandbox : cloud->production;
}

bool
address_same_cloud(const char *origin, const char *other)
{
    return cloud_of(origin) == cloud_of(other);
}
