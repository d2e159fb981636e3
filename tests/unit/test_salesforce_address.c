/* Which addresses a socket is opened to, and which hosts the admin may allow: the last look before the
 * token leaves. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "plugin/salesforce/address.h"
#include "tests/unit/unit.h"

static bool
is_private(const char *text)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return address_is_private((const struct sockaddr *)&v4);
    T_INT(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return address_is_private((const struct sockaddr *)&v6);
}

static void
addresses_of_no_public_network_are_known(void)
{
    static const char *const none[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "64:ff9b::7f00:1",
        "::ffff:169.254.169.254",
    };

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (!is_private(none[i]))
            printf("    '%s'\n", none[i]);
        T_TRUE(is_private(none[i]));
    }
}

static void
public_addresses_pass(void)
{
    static const char *const there[] = {
        "1.1.1.1",       "9.255.255.255",  "11.0.0.1",         "13.110.0.1",
        "96.43.144.1",   "100.63.255.255", "100.128.0.1",      "126.255.255.255",
        "128.0.0.1",     "169.253.0.1",    "172.15.255.255",   "172.32.0.1",
        "192.0.1.1",     "192.167.1.1",    "198.17.255.255",   "198.20.0.1",
        "223.255.255.1", "2606:4700::1",   "64:ff9b::1.1.1.1", "::ffff:13.110.0.1",
        "2002:d6e:1::1",
    };
    const struct sockaddr_un other = { .sun_family = AF_UNIX };

    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        if (is_private(there[i]))
            printf("    '%s'\n", there[i]);
        T_TRUE(!is_private(there[i]));
    }
    T_TRUE(address_is_private((const struct sockaddr *)&other));
}

static void
no_socket_is_opened_to_a_private_address(void)
{
    static const char *const urls[] = {
        "https://10.0.0.1/",          "https://169.254.169.254/latest",
        "https://192.168.1.1:443/",   "https://[fe80::1]/",
        "https://[::ffff:10.0.0.1]/", "https://172.16.0.1/",
        "https://[fd00::1]:8443/x",   "https://0.0.0.0/",
    };
    const struct http_settings settings = { .user_agent = "test",
                                            .connect_timeout_ms = 20000,
                                            .request_timeout_ms = 20000 };
    struct prov_error err = PROV_ERROR_INIT;
    struct http *http = NULL;

    unsetenv("https_proxy");
    unsetenv("HTTPS_PROXY");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    T_OK(http_new(&settings, &http, &err), &err);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const struct http_request request = { .method = "GET", .url = urls[i], .bearer = "token" };
        struct http_answer answer;
        T_INT(http_call(http, &request, &answer), PROV_OK);
        T_INT(answer.end, HTTP_NOT_SENT);
        T_HAS(answer.why, "private network");
        http_answer_clear(&answer);
    }
    http_free(http);
}

/* Nobody listens there, but it is tried. */
static void
a_host_that_is_allowed_may_have_one(void)
{
    const struct http_settings settings = { .user_agent = "test",
                                            .private_hosts = "gw.acme.com,127.0.0.2.acme.com,[::1]",
                                            .connect_timeout_ms = 2000,
                                            .request_timeout_ms = 2000 };
    const struct http_request request = { .method = "GET", .url = "https://127.0.0.1:1/" };
    struct prov_error err = PROV_ERROR_INIT;
    struct http_answer answer;
    struct http *http = NULL;

    T_TRUE(address_is_listed("a.example,B.example", "b.example"));
    T_TRUE(!address_is_listed("a.example,b.example.org", "b.example"));
    T_TRUE(!address_is_listed("xb.example", "b.example"));
    T_TRUE(!address_is_listed("", "b.example"));
    T_TRUE(!address_is_listed(NULL, "b.example"));
    T_OK(http_new(&settings, &http, &err), &err);
    T_INT(http_call(http, &request, &answer),
          PROV_OK); /* loopback by its text: the simulated org */
    T_INT(answer.end, HTTP_NOT_SENT);
    T_TRUE(!strstr(answer.why, "private network"));
    http_answer_clear(&answer);
    http_free(http);
}

static void
the_token_goes_to_salesforce_and_who_is_allowed(void)
{
    struct http_origin org, simulated, instance;
    const char *allowed = "gw.acme.com,Gateway.Acme.net";

    T_INT(http_origin_parse("https://acme.my.salesforce.com", &org, NULL), PROV_OK);
    T_INT(http_origin_parse("http://127.0.0.1:8080", &simulated, NULL), PROV_OK);
    T_INT(http_origin_parse("https://gateway.acme.net", &instance, NULL), PROV_OK);
    T_TRUE(address_is_trusted(&org, &instance, allowed));
    T_TRUE(!address_is_trusted(&org, &instance, NULL));
    T_TRUE(!address_is_trusted(&simulated, &instance, allowed));
    T_INT(http_origin_parse("https://gateway.acme.net:8443", &instance, NULL), PROV_OK);
    T_TRUE(!address_is_trusted(&org, &instance, allowed));
    T_INT(http_origin_parse("http://gateway.acme.net", &instance, NULL), PROV_OK);
    T_TRUE(!address_is_trusted(&org, &instance, allowed));
    T_INT(http_origin_parse("https://gateway.acme.net.evil.example", &instance, NULL), PROV_OK);
    T_TRUE(!address_is_trusted(&org, &instance, allowed));
    T_INT(http_origin_parse("https://127.0.0.1", &instance, NULL), PROV_OK);
    T_TRUE(!address_is_trusted(&org, &instance, "127.0.0.1"));
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(addresses_of_no_public_network_are_known),
        UNIT_CASE(public_addresses_pass),
        UNIT_CASE(no_socket_is_opened_to_a_private_address),
        UNIT_CASE(a_host_that_is_allowed_may_have_one),
        UNIT_CASE(the_token_goes_to_salesforce_and_who_is_allowed),
    };

    return unit_run("salesforce_address", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
