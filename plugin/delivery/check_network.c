/* Steps of `check` from the address to the first answer of the org. All of them are read off one call that
 * needs no token, /services/data, so that each is told even where it is the next that fails. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/clock.h"
#include "plugin/delivery/check.h"

#define CERTIFICATE_WARNING_US (30 * 24 * 3600 * CLOCK_SECOND_US)
/* A JWT is good for three minutes (fact sheet 1.5), half of which the way there may take. */
#define JWT_SKEW_US   (90 * CLOCK_SECOND_US)
#define CLOCK_SKEW_US (300 * CLOCK_SECOND_US)

/* Which step a fault belongs to, and what is to be said. */
struct fault_words {
    enum sf_fault fault;
    const char *step, *cause, *remedy;
};

#define NO_ROUTE                                                                                   \
    "Let this machine reach the org at port 443 (firewall, routing), or name the company's proxy " \
    "in 'proxy'. Salesforce's addresses change: allow names, not addresses."
#define COMPANY_PROXY                                                                              \
    "If a company proxy opens TLS, name its certificate authority in 'ca_file'; else check "       \
    "'domain_name' and this machine's package ca-certificates."

static const struct fault_words faults[] = {
    { SF_FAULT_PROXY, "proxy", "The proxy cannot be found, or refuses to connect to the org.",
      "Check 'proxy' (or https_proxy of the environment), 'proxy_username' and 'proxy_password', "
      "and that the proxy allows CONNECT to *.my.salesforce.com:443." },
    { SF_FAULT_PROXY_LOGIN, "proxy",
      "The proxy wants a user name and a password; there are none, or it does not take them.",
      "Check 'proxy_username' and 'proxy_password' with who runs the proxy. It is given them by "
      "the "
      "scheme Basic." },
    { SF_FAULT_NAME, "dns", "There is no host of this name, or no name server knows it.",
      "Verify the domain name: it is the part before .my.salesforce.com of Setup > My Domain. If "
      "it is right, check this machine's name servers." },
    { SF_FAULT_NAME_TIMEOUT, "dns", "No name server answers.",
      "Check this machine's name servers (/etc/resolv.conf) and its network." },
    { SF_FAULT_CONNECT, "tcp", "The host cannot be connected to.", NO_ROUTE },
    { SF_FAULT_CONNECT_TIMEOUT, "tcp", "Nothing comes back from the host: most likely a firewall.",
      NO_ROUTE },
    { SF_FAULT_CA_FILE, "tls",
      "The file of certificate authorities cannot be read. Nothing was sent.",
      "Correct 'ca_file': a PEM file that the host's user may read." },
    { SF_FAULT_TLS, "tls",
      "The other side does not speak TLS 1.2 or later, or wants a client certificate that it was "
      "not shown.",
      "Check that 'domain_name' is a Salesforce host, and look for a proxy between; if the org "
      "asks for a client certificate, check 'client_certificate' and 'client_key'." },
    { SF_FAULT_TLS_TIMEOUT, "tls",
      "The connection stands, and then nothing comes: something between "
      "holds TLS back.",
      NO_ROUTE },
    { SF_FAULT_UNKNOWN_CA, "tls",
      "Its certificate is not accepted: it was signed by an authority that this machine does not "
      "trust, a certificate between the two is missing, or it is not meant for a server.",
      COMPANY_PROXY },
    { SF_FAULT_SELF_SIGNED, "tls", "Its certificate is not accepted: it has signed itself.",
      COMPANY_PROXY },
    { SF_FAULT_HOST_NAME, "tls",
      "Its certificate is not accepted: it belongs to another host name.",
      "Correct 'domain_name', or look for who answers in the org's place. If a company proxy opens "
      "TLS, name its certificate authority in 'ca_file'." },
    { SF_FAULT_EXPIRED, "tls", "Its certificate is not accepted: it has expired.",
      "Check this machine's clock first; then whose certificate it is: a company proxy's has to be "
      "renewed there, and its authority named in 'ca_file'." },
    { SF_FAULT_NOT_YET_VALID, "tls", "Its certificate is not accepted: it is not valid yet.",
      "Set this machine's clock (chrony, systemd-timesyncd); it is behind." },
    { SF_FAULT_PIN, "tls", "The certificate is good, but its key is not the one that is pinned.",
      "Salesforce renews certificates without a word: put the new key into 'tls_pin', or leave the "
      "field away." },
    { SF_FAULT_CLIENT_CERTIFICATE, "tls",
      "The other side wants a client certificate, and ours is missing, not the one it takes, or "
      "cannot be used.",
      "Check 'client_certificate' and 'client_key': they belong together, are valid, and were "
      "given "
      "to who runs the other side." },
    { SF_FAULT_ANSWER, "version", "The connection stands, and no whole answer came.",
      "Try again; if it lasts, look for a proxy or firewall between that ends connections, or an "
      "other side that wants a client certificate." },
    { SF_FAULT_ANSWER_TIMEOUT, "version", "The connection stands, and nothing is answered.",
      "Try again; see trust.salesforce.com. If it lasts, look for a proxy or firewall between." },
};

static const struct fault_words *
find_fault(const struct check *check)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (faults[i].fault == check->trace.fault)
            return &faults[i];
    }
    return NULL;
}

/* The step that the call failed in; what comes behind it was not reached. */
static int
tell_fault(struct check *check, bool *ret_told)
{
    const struct fault_words *fault = find_fault(check);
    const char *failed_in = check->stopped_by ? check->stopped_by : "";

    *ret_told = true;
    if (fault && strcmp(fault->step, check->name) == 0) {
        check->stopped_by = check->name;
        return check_say(check, CHECK_FAILED, fault->cause, fault->remedy, "%s",
                         check->probe.message);
    }
    if (*failed_in && strcmp(failed_in, check->name) != 0)
        return check_say(check, CHECK_SKIPPED, NULL, NULL, "not looked at, because of step '%s'",
                         failed_in);
    *ret_told = false;
    return PROV_OK;
}

int
check_address(struct check *check, struct prov_error *err)
{
    const struct fields *fields = check->fields;

    (void)err;
    return check_say(check, CHECK_OK, NULL, NULL, "%s, tokens from %s", fields->domain_name,
                     fields->token_endpoint);
}

/* The first step on the network makes the call. */
int
check_proxy(struct check *check, struct prov_error *err)
{
    bool told = false;
    int r = sf_probe(check->delivery->session, &check->trace, &check->versions, &check->probe);

    (void)err;
    if (!r)
        r = tell_fault(check, &told);
    if (r || told)
        return r;
    if (!check->trace.proxied)
        return check_say(check, CHECK_OK, NULL, NULL, "none, this machine connects by itself");
    return check_say(check, CHECK_OK, NULL, NULL, "by the proxy %s",
                     check->fields->proxy ? check->fields->proxy : "that the environment names");
}

int
check_dns(struct check *check, struct prov_error *err)
{
    bool told = false;
    int r = tell_fault(check, &told);

    (void)err;
    if (r || told)
        return r;
    return check_say(check, CHECK_OK, NULL, NULL, "the name of the %s leads to %s",
                     check->trace.proxied ? "proxy" : "host",
                     check->trace.address[0] ? check->trace.address : "an address");
}

int
check_tcp(struct check *check, struct prov_error *err)
{
    bool told = false;
    int r = tell_fault(check, &told);

    (void)err;
    if (r || told)
        return r;
    return check_say(check, CHECK_OK, NULL, NULL, "connected to %s", check->trace.address);
}

static int
say_tls(struct check *check)
{
    int64_t end_us = check->trace.certificate_end_us;
    char end[21];

    if (strncmp(check->fields->domain_name, "http:", 5) == 0)
        return check_say(check, CHECK_OK, NULL, NULL, "none, the address is not encrypted");
    if (end_us && end_us - clock_now_us() < CERTIFICATE_WARNING_US)
        return check_say(
            check, CHECK_WARNING,
            "The certificate of the other side ends soon. Salesforce renews its own in "
            "time; a company proxy's may be forgotten.",
            "Nothing, if it is Salesforce's; else have it renewed.",
            "chain and host name are right; the certificate is valid until %s",
            clock_format(end_us, end));
    return check_say(check, CHECK_OK, NULL, NULL,
                     "chain and host name are right; the certificate is valid until %s",
                     clock_format(end_us, end));
}

int
check_tls(struct check *check, struct prov_error *err)
{
    bool told = false;
    int r = tell_fault(check, &told);

    (void)err;
    if (r || told)
        return r;
    if (check->probe.http_status) /* a login host gives tokens, and has no versions */
        check->has |= NEEDS_HOST;
    else
        check->stopped_by = "version"; /* where it is told */
    return say_tls(check);
}

int
check_clock(struct check *check, struct prov_error *err)
{
    bool jwt = strcmp(check->fields->flow, FLOW_JWT_BEARER) == 0;
    int64_t skew_us = clock_now_us() - check->trace.date_us;
    int64_t size_us = skew_us < 0 ? -skew_us : skew_us;
    const char *way = skew_us < 0 ? "behind" : "ahead of";

    (void)err;
    if (!check->trace.date_us)
        return check_say(check, CHECK_OK, NULL, NULL, "the org does not tell the time");
    if (size_us < (jwt ? JWT_SKEW_US : CLOCK_SKEW_US))
        return check_say(check, CHECK_OK, NULL, NULL, "this machine agrees with the org");
    return check_say(check, jwt ? CHECK_FAILED : CHECK_WARNING,
                     jwt ? "A signed login is good for three minutes by the org's clock: it would "
                           "be refused as expired, or as not valid yet."
                         : "This machine's clock is wrong; certificates and times in messages are "
                           "judged by it.",
                     "Set this machine's clock (chrony, systemd-timesyncd).",
                     "this machine is %" PRId64 " s %s the org", size_us / CLOCK_SECOND_US, way);
}

static bool
is_offered(const struct check *check, const char *wanted, const char **ret_oldest,
           const char **ret_newest)
{
    bool offered = false;

    *ret_oldest = json_get_string(json_object_array_get_idx(check->versions, 0), "version");
    *ret_newest = "none";
    for (size_t i = 0; i < json_object_array_length(check->versions); i++) {
        *ret_newest = json_get_string(json_object_array_get_idx(check->versions, i), "version");
        offered = offered || strcmp(*ret_newest, wanted) == 0;
    }
    return offered;
}

int
check_version(struct check *check, struct prov_error *err)
{
    const char *wanted = check->fields->api_version + 1, *oldest, *newest;
    bool told = false;
    int r = tell_fault(check, &told);

    (void)err;
    if (r || told)
        return r;
    if (!check->versions)
        return check_call_failed(check, &check->probe);
    if (!is_offered(check, wanted, &oldest, &newest))
        return check_say(check, CHECK_FAILED,
                         "The org does not offer this version of the API: it is retired, or newer "
                         "than the org.",
                         "Set 'api_version' to one that the org offers.",
                         "API version %s; the org offers up to %s", wanted, newest);
    /* 31 to 40 go next, and are not taken by the field; which follow them is not known (fact sheet 10) */
    if (strcmp(wanted, oldest) == 0 && strcmp(wanted, newest) != 0)
        return check_say(check, CHECK_WARNING,
                         "It is the oldest version that the org offers, and will be the next to be "
                         "retired.",
                         "Set 'api_version' to a newer one.",
                         "API version %s; the org offers up to %s", wanted, newest);
    return check_say(check, CHECK_OK, NULL, NULL, "API version %s; the org offers up to %s", wanted,
                     newest);
}
