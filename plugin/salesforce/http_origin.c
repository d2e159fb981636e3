/* Takes a URL apart into what decides where it leads, with libcurl's own parser: what is checked is what is
 * used. Stricter than that parser: what others could read in another way is refused. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "plugin/salesforce/http.h"

static void
url_cleanup(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void
part_cleanup(char **part)
{
    curl_free(*part);
}

/* True if the URL has the part, and it is not empty. */
static bool
has_part(CURLU *url, CURLUPart which)
{
    CLEANUP(part_cleanup) char *part = NULL;

    return curl_url_get(url, which, &part, 0) == CURLUE_OK && part && *part;
}

/* Digits and dots only after "127.", so that 127.example.com does not pass. */
static bool
is_loopback(const char *host)
{
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host);
}

/*
 * Host and port stand in the URL as they are meant: letters, digits, dots, hyphens. What needs to
 * be decoded, mapped or guessed (percent signs, user information, look-alike letters, backslashes,
 * empty labels, a third slash) is not for us: parsers differ there.
 */
static bool
has_plain_authority(const char *url)
{
    static const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789.-:[]";
    const char *start = strstr(url, "://"), *dots;
    size_t length;

    if (!start)
        return false;
    start += 3;
    length = strspn(start, allowed);
    dots = strstr(start, "..");
    return length > 0 && *start != '.' && !(dots && dots < start + length) &&
           strchr("/?#", start[length]);
}

static int
read_host(CURLU *url, struct http_origin *origin)
{
    CLEANUP(part_cleanup) char *host = NULL;
    size_t length;

    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return PROV_E_INVALID;
    length = strlen(host);
    if (length == 0 || length >= sizeof(origin->host) || host[length - 1] == '.')
        return PROV_E_INVALID;
    for (size_t i = 0; i <= length; i++)
        origin->host[i] = ascii_lower(host[i]);
    origin->loopback = is_loopback(origin->host);
    return PROV_OK;
}

static int
read_scheme_and_port(CURLU *url, struct http_origin *origin)
{
    CLEANUP(part_cleanup) char *scheme = NULL;
    CLEANUP(part_cleanup) char *port = NULL;

    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return PROV_E_INVALID;
    if (ascii_compare(scheme, "https") != 0 && ascii_compare(scheme, "http") != 0)
        return PROV_E_INVALID;
    snprintf(origin->scheme, sizeof(origin->scheme), "%s",
             ascii_compare(scheme, "https") == 0 ? "https" : "http");
    origin->port = (int)strtol(port, NULL, 10);
    return origin->port > 0 && origin->port < 65536 ? PROV_OK : PROV_E_INVALID;
}

int
http_origin_parse(const char *text, struct http_origin *ret, struct prov_error *err)
{
    CLEANUP(url_cleanup) CURLU *url = curl_url();
    CLEANUP(part_cleanup) char *path = NULL;
    struct http_origin origin = { .port = 0 };

    if (!url)
        return error_nomem(err);
    if (!has_plain_authority(text) || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
        read_scheme_and_port(url, &origin) != PROV_OK || read_host(url, &origin) != PROV_OK)
        return error_set(err, PROV_E_INVALID,
                         "not a usable URL: it must read https://host or https://host/path, "
                         "without user information");
    if (curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        return error_nomem(err);
    origin.has_path = strcmp(path, "/") != 0 || has_part(url, CURLUPART_QUERY) ||
                      has_part(url, CURLUPART_FRAGMENT);
    *ret = origin;
    return PROV_OK;
}

bool
http_origin_same(const struct http_origin *a, const struct http_origin *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

char *
http_origin_text(const struct http_origin *origin)
{
    int standard = strcmp(origin->scheme, "https") == 0 ? 443 : 80;
    char *text = NULL;

    if (origin->port == standard
            ? asprintf(&text, "%s://%s", origin->scheme, origin->host) < 0
            : asprintf(&text, "%s://%s:%d", origin->scheme, origin->host, origin->port) < 0)
        return NULL;
    return text;
}

int
http_proxy_port(const char *configured)
{
    static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
    CLEANUP(url_cleanup) CURLU *url = curl_url();
    CLEANUP(part_cleanup) char *port = NULL;
    const char *proxy = configured;
    bool secure;

    for (size_t i = 0; !proxy && i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        proxy = value && *value ? value : NULL;
    }
    if (!proxy)
        return 0;
    /* libcurl's own ports where the URL names none (CURLOPT_PROXY) */
    secure = ascii_compare_start(proxy, "https://", 8) == 0;
    if (!url ||
        curl_url_set(url, CURLUPART_URL, proxy, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) !=
            CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, 0) != CURLUE_OK)
        return secure ? 443 : 1080;
    return (int)strtol(port, NULL, 10);
}
