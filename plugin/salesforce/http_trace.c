/* How far a request came on its way, for who has to explain it: name, connection, TLS, and what the other
 * side's certificate and clock say. Asks libcurl, as http.c does, after a transfer is over; sends nothing. */
#include "plugin/salesforce/http_trace.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plugin/base/ascii.h"
#include "plugin/base/clock.h"

/* Numbers of X509_V_ERR_..., which libcurl hands through (openssl/x509_vfy.h). */
enum {
    NOT_YET_VALID = 9,
    EXPIRED = 10,
    SELF_SIGNED = 18
};

static bool
reached(CURL *handle, CURLINFO info)
{
    curl_off_t time_us = 0;

    return curl_easy_getinfo(handle, info, &time_us) == CURLE_OK && time_us > 0;
}

/* Alerts of TLS about the client's certificate (RFC 8446 6.2), in OpenSSL's words. */
bool
http_refuses_us(int code, const char *why)
{
    const char *alert = ascii_find(why, " alert ");

    /* libcurl's words for the alert that ours has expired; what we find of theirs is told with its name */
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return strcmp(why, "SSL certificate verification failed") == 0;
    return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
            code == CURLE_SSL_CONNECT_ERROR) &&
           alert && (ascii_find(alert, "certificate") || ascii_find(alert, "unknown ca"));
}

static enum sf_fault
fault_of_certificate(CURL *handle, const char *why)
{
    long result = 0;

    (void)curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &result);
    /* the name is compared by libcurl itself, and not always told as a number */
    if (ascii_find(why, "match") || ascii_find(why, "mismatch"))
        return SF_FAULT_HOST_NAME;
    return result == EXPIRED || ascii_find(why, "has expired")        ? SF_FAULT_EXPIRED
           : result == NOT_YET_VALID || ascii_find(why, "not yet")    ? SF_FAULT_NOT_YET_VALID
           : result == SELF_SIGNED || ascii_find(why, "self-signed ") ? SF_FAULT_SELF_SIGNED
                                                                      : SF_FAULT_UNKNOWN_CA;
}

static enum sf_fault
fault_of_time(CURL *handle, const struct sf_trace *trace, bool tls, const char *why)
{
    long made = 0; /* connections; the time of connecting is not told before TLS is there */

    (void)curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &made);
    if (ascii_find(why, "SSL")) /* through a proxy, too */
        return SF_FAULT_TLS_TIMEOUT;
    if (trace->proxied && !trace->connected)
        return SF_FAULT_PROXY;
    return !trace->resolved             ? SF_FAULT_NAME_TIMEOUT
           : !trace->connected && !made ? SF_FAULT_CONNECT_TIMEOUT
           : tls && !trace->secured     ? SF_FAULT_TLS_TIMEOUT
                                        : SF_FAULT_ANSWER_TIMEOUT;
}

static enum sf_fault
fault_of(CURL *handle, CURLcode code, const char *why, const struct sf_trace *trace, bool tls)
{
    long by_proxy = 0;

    if (http_refuses_us((int)code, why))
        return SF_FAULT_CLIENT_CERTIFICATE;
    (void)curl_easy_getinfo(handle, CURLINFO_HTTP_CONNECTCODE, &by_proxy);
    if (code != CURLE_OK && by_proxy == 407)
        return SF_FAULT_PROXY_LOGIN;
    switch (code) {
    case CURLE_OK:
        return SF_FAULT_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return SF_FAULT_NAME;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
        return SF_FAULT_PROXY;
    case CURLE_COULDNT_CONNECT:
        return trace->proxied ? SF_FAULT_PROXY : SF_FAULT_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return fault_of_time(handle, trace, tls, why);
    case CURLE_PEER_FAILED_VERIFICATION:
        return fault_of_certificate(handle, why);
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return SF_FAULT_PIN;
    case CURLE_SSL_CACERT_BADFILE:
        return SF_FAULT_CA_FILE;
    case CURLE_SSL_CERTPROBLEM:
        return SF_FAULT_CLIENT_CERTIFICATE;
    case CURLE_SSL_CONNECT_ERROR:
        return SF_FAULT_TLS;
    default:
        return by_proxy >= 300          ? SF_FAULT_PROXY
               : !trace->connected      ? SF_FAULT_CONNECT
               : tls && !trace->secured ? SF_FAULT_TLS
                                        : SF_FAULT_ANSWER;
    }
}

/* "Nov 27 11:59:00 2026 GMT" of the first certificate of the chain; 0: not told. */
static int64_t
certificate_end(CURL *handle)
{
    static const char name[] = "Expire date:";
    struct curl_certinfo *chain = NULL;
    struct tm broken = { .tm_isdst = 0 };

    if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
        chain->num_of_certs < 1)
        return 0;
    for (const struct curl_slist *line = chain->certinfo[0]; line; line = line->next) {
        if (ascii_compare_start(line->data, name, sizeof(name) - 1) == 0 &&
            strptime(line->data + sizeof(name) - 1, " %b %d %H:%M:%S %Y", &broken))
            return (int64_t)timegm(&broken) * CLOCK_SECOND_US;
    }
    return 0;
}

void
http_trace_read(void *curl, int code, const char *why, bool tls, struct sf_trace *trace)
{
    CURL *handle = curl;
    const char *address = NULL;

    trace->resolved = reached(handle, CURLINFO_NAMELOOKUP_TIME_T);
    trace->connected = reached(handle, CURLINFO_CONNECT_TIME_T);
    trace->secured = tls && reached(handle, CURLINFO_APPCONNECT_TIME_T);
    if (curl_easy_getinfo(handle, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address)
        snprintf(trace->address, sizeof(trace->address), "%s", address);
    trace->fault = fault_of(handle, (CURLcode)code, why, trace, tls);
    trace->certificate_end_us = certificate_end(handle);
}
