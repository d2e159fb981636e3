/*
 * Decides how a directory is reached, that nothing crosses a network in clear, and that a search which
 * gave a part only is no list: whoever is missing from a list is deactivated. Leaves the meaning of an
 * entry to entry.c.
 */
#include "hosts/ldap/search.h"

#include <ctype.h>
#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/input.h"

#define PAGE_ENTRIES   250
#define CONNECT_S      10
#define PAGE_S         120
#define PASSWORD_BYTES 4096u
#define ANY_PERSON     "(objectClass=person)"

struct search {
    LDAP *ldap;
    LDAPURLDesc *url;
    LDAPMessage *page, *at;
    struct berval *cookie; /* of the next page; NULL: the first one */
    bool ended;
    char **wanted; /* attributes that are asked for */
    /* the entry at hand */
    struct ldap_value *values;
    size_t count, room;
    char *dn;
    struct berval ***attributes; /* libldap's, to be freed */
    char **names;
    size_t attribute_count, attribute_room;
};

bool
search_is_url(const char *text)
{
    return !strncasecmp(text, "ldap://", 7) || !strncasecmp(text, "ldaps://", 8) ||
           !strncasecmp(text, "ldapi://", 8);
}

/* What libldap says of its last failure, with the server's own words if there are any. */
static int
fail(LDAP *ldap, int code, const char *what, const char *remedy, struct prov_error *err)
{
    char *diagnosis = NULL;

    if (code == LDAP_NO_MEMORY)
        return fault_nomem(err);
    ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnosis);
    fault_set(err, PROV_E_STATE, "%s: %s%s%.200s%s; %s", what, ldap_err2string(code),
              diagnosis && *diagnosis ? " (" : "", diagnosis && *diagnosis ? diagnosis : "",
              diagnosis && *diagnosis ? ")" : "", remedy);
    ldap_memfree(diagnosis);
    return PROV_E_STATE;
}

/* ---- opening ---- */

/* All that users have, and operational ones by name: a server has many of those that say nothing. */
static int
ask_for(struct search *search, const char *const *operational, struct prov_error *err)
{
    size_t count = 0;

    while (operational[count])
        count++;
    search->wanted = calloc(count + 2, sizeof(*search->wanted));
    if (search->wanted)
        search->wanted[0] = strdup(LDAP_ALL_USER_ATTRIBUTES);
    for (size_t i = 0; search->wanted && search->wanted[i] && i < count; i++)
        search->wanted[i + 1] = strdup(operational[i]);
    return search->wanted && search->wanted[count] ? PROV_OK : fault_nomem(err);
}

/* Whether a host is this machine by its name alone. */
static bool
is_loopback(const char *host)
{
    return !host || !*host || !strcasecmp(host, "localhost") || !strcmp(host, "::1") ||
           !strncmp(host, "127.", 4);
}

static int
parse_url(struct search *search, const char *text, struct prov_error *err)
{
    int code = ldap_url_parse(text, &search->url), marks = 0;

    if (code == LDAP_URL_ERR_MEM)
        return fault_nomem(err);
    if (code)
        return fault_set(err, PROV_E_INVALID,
                         "'%.200s' is no LDAP URL; write "
                         "ldap://host/ou=people,dc=example,dc=org??sub?(objectClass=inetOrgPerson)",
                         text);
    if (!search->url->lud_dn || !*search->url->lud_dn)
        return fault_set(
            err, PROV_E_INVALID,
            "'%.200s' names no entry to search below; put its DN behind the host, as in "
            "ldap://host/ou=people,dc=example,dc=org",
            text);
    for (const char *at = text; *at; at++)
        marks += *at == '?';
    if (marks < 2 || search->url->lud_scope == LDAP_SCOPE_DEFAULT)
        search->url->lud_scope = LDAP_SCOPE_SUBTREE;
    return PROV_OK;
}

/* scheme://host:port alone, as ldap_initialize() takes it. */
static int
connect_to(struct search *search, struct prov_error *err)
{
    LDAPURLDesc only = { .lud_scheme = search->url->lud_scheme,
                         .lud_host = search->url->lud_host,
                         .lud_port = search->url->lud_port,
                         .lud_scope = LDAP_SCOPE_DEFAULT };
    const struct timeval connect = { .tv_sec = CONNECT_S };
    const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND;
    char *uri = ldap_url_desc2str(&only);
    int code;

    /* whatever ldap.conf says: a certificate that nobody vouches for may be anybody's. Of the whole process,
     * since a connection of its own would forget the authorities that ldap.conf names. */
    ldap_set_option(NULL, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    code = uri ? ldap_initialize(&search->ldap, uri) : LDAP_NO_MEMORY;
    ldap_memfree(uri);
    if (code)
        return fail(NULL, code, "the connection to the directory cannot be made",
                    "check the URL and the installation of libldap", err);
    ldap_set_option(search->ldap, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(search->ldap, LDAP_OPT_NETWORK_TIMEOUT, &connect);
    ldap_set_option(search->ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    return PROV_OK;
}

static int
encrypt(struct search *search, struct prov_error *err)
{
    const char *scheme = search->url->lud_scheme;
    int code;

    if (strcasecmp(scheme, "ldap") || is_loopback(search->url->lud_host))
        return PROV_OK;
    code = ldap_start_tls_s(search->ldap, NULL, NULL);
    if (!code)
        return PROV_OK;
    return fail(search->ldap, code, "the directory cannot be reached with encryption (StartTLS)",
                code == LDAP_SERVER_DOWN
                    ? "check host and port, and whether anything listens there"
                    : "have the server offer it, use ldaps://, and name its authority with "
                      "TLS_CACERT in ldap.conf(5) or with LDAPTLS_CACERT",
                err);
}

/* The first line of a file that nobody else may read. Heap. */
static int
read_password(const char *file, char **ret, struct prov_error *err)
{
    struct stat about;
    size_t length = 0;

    if (strcmp(file, "-") && !stat(file, &about) && (about.st_mode & (S_IRWXG | S_IRWXO)) &&
        S_ISREG(about.st_mode))
        return fault_set(err, PROV_E_INVALID,
                         "the password file '%s' may be read by others: chmod 600 it", file);
    if (input_read(file, PASSWORD_BYTES, ret, &length, err))
        return PROV_E_INVALID;
    (*ret)[strcspn(*ret, "\r\n")] = '\0';
    if (**ret)
        return PROV_OK;
    free(*ret);
    *ret = NULL;
    /* a bind without a password passes, and is nobody's (RFC 4513 5.1.2) */
    return fault_set(err, PROV_E_INVALID, "the password file '%s' is empty", file);
}

static int
bind_as(struct search *search, const struct search_options *options, struct prov_error *err)
{
    bool external = !options->bind_dn && !strcasecmp(search->url->lud_scheme, "ldapi");
    char empty[] = "", *password = NULL;
    struct berval credentials = { .bv_val = empty };
    int result = options->bind_dn ? read_password(options->password_file, &password, err) : PROV_OK,
        code;

    if (result)
        return result;
    if (password)
        credentials = (struct berval){ .bv_len = strlen(password), .bv_val = password };
    code =
        ldap_sasl_bind_s(search->ldap, options->bind_dn, external ? "EXTERNAL" : LDAP_SASL_SIMPLE,
                         &credentials, NULL, NULL, NULL);
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
    if (!code)
        return PROV_OK;
    return fail(search->ldap, code, "the directory does not let us in",
                code == LDAP_SERVER_DOWN
                    ? "check host, port and, with ldaps://, its certificate (TLS_CACERT in "
                      "ldap.conf(5), or LDAPTLS_CACERT)"
                    : "check --bind-dn and the file of --password-file, or give both",
                err);
}

int
search_open(const struct search_options *options, struct search **ret, struct prov_error *err)
{
    struct search *search;
    int result;

    if ((options->bind_dn != NULL) != (options->password_file != NULL))
        return fault_set(err, PROV_E_INVALID,
                         "--bind-dn and --password-file belong together: give both, or none");
    search = calloc(1, sizeof(*search));
    if (!search)
        return fault_nomem(err);
    result = ask_for(search, options->attributes, err);
    if (!result)
        result = parse_url(search, options->url, err);
    if (!result)
        result = connect_to(search, err);
    if (!result)
        result = encrypt(search, err);
    if (!result)
        result = bind_as(search, options, err);
    if (result) {
        search_free(search);
        return result;
    }
    *ret = search;
    return PROV_OK;
}

static void
clear_entry(struct search *search)
{
    for (size_t i = 0; i < search->attribute_count; i++) {
        ldap_value_free_len(search->attributes[i]);
        ldap_memfree(search->names[i]);
    }
    ldap_memfree(search->dn);
    search->dn = NULL;
    search->attribute_count = search->count = 0;
}

void
search_free(struct search *search)
{
    if (!search)
        return;
    clear_entry(search);
    free(search->values);
    free(search->attributes);
    free(search->names);
    for (char **name = search->wanted; name && *name; name++)
        free(*name);
    free(search->wanted);
    ldap_msgfree(search->page);
    ber_bvfree(search->cookie);
    ldap_free_urldesc(search->url);
    if (search->ldap)
        ldap_unbind_ext(search->ldap, NULL, NULL);
    free(search);
}

/* ---- pages ---- */

static enum found
stop(int result)
{
    (void)result; /* told in err */
    return FOUND_STOP;
}

/* Where the next page begins; an empty cookie says that there is none. */
static enum found
take_cookie(struct search *search, LDAPControl **controls, struct prov_error *err)
{
    LDAPControl *control = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    struct berval cookie = { 0 };
    ber_int_t estimate;
    int code = control ? ldap_parse_pageresponse_control(search->ldap, control, &estimate, &cookie)
                       : LDAP_SUCCESS;

    ber_bvfree(search->cookie);
    search->cookie = NULL;
    if (code)
        return stop(fail(search->ldap, code, "the directory's answer cannot be read",
                         "tell the directory's administrator", err));
    if (cookie.bv_len)
        search->cookie = ber_bvdup(&cookie);
    search->ended = !search->cookie;
    ber_memfree(cookie.bv_val);
    return FOUND_ITEM;
}

static enum found
judge_page(struct search *search, struct prov_error *err)
{
    LDAPControl **controls = NULL;
    char **referrals = NULL;
    int code = LDAP_SUCCESS, parsed;
    enum found found;

    parsed =
        ldap_parse_result(search->ldap, search->page, &code, NULL, NULL, &referrals, &controls, 0);
    if (parsed)
        code = parsed;
    if (code == LDAP_REFERRAL)
        found = stop(fault_set(
            err, PROV_E_STATE, "the directory refers to '%.200s' for '%.200s'; name that server",
            referrals && *referrals ? *referrals : "another server", search->url->lud_dn));
    else if (code)
        found =
            stop(fail(search->ldap, code, "the directory did not give the whole list",
                      code == LDAP_SIZELIMIT_EXCEEDED || code == LDAP_ADMINLIMIT_EXCEEDED
                          ? "raise its size limit for this user, or bind as one without a limit"
                          : "check the DN and the filter of the URL, and the rights of --bind-dn",
                      err));
    else
        found = take_cookie(search, controls, err);
    ldap_memvfree((void **)referrals);
    ldap_controls_free(controls);
    return found;
}

/* FOUND_END: there is no further page. */
static enum found
next_page(struct search *search, struct prov_error *err)
{
    LDAPControl *controls[] = { NULL, NULL };
    struct timeval limit = { .tv_sec = PAGE_S };
    int code;

    ldap_msgfree(search->page);
    search->page = search->at = NULL;
    if (search->ended)
        return FOUND_END;
    code = ldap_create_page_control(search->ldap, PAGE_ENTRIES, search->cookie, 0, &controls[0]);
    if (!code)
        code = ldap_search_ext_s(search->ldap, search->url->lud_dn, search->url->lud_scope,
                                 search->url->lud_filter ? search->url->lud_filter : ANY_PERSON,
                                 search->wanted, 0, controls, NULL, &limit, LDAP_NO_LIMIT,
                                 &search->page);
    ldap_control_free(controls[0]);
    if (!search->page)
        return stop(fail(search->ldap, code, "the directory cannot be searched",
                         "check host, port and the filter of the URL", err));
    search->at = ldap_first_message(search->ldap, search->page);
    return judge_page(search, err);
}

/* ---- entries ---- */

static bool
is_text(const struct berval *value)
{
    const char *at = value->bv_val, *end = at + value->bv_len;
    size_t width = 1;

    while (at < end && *at && (width = utf8_length(at, end)) > 0)
        at += width;
    return at == end;
}

static int
add_value(struct search *search, const char *name, const struct berval *value,
          struct prov_error *err)
{
    if (search->count == search->room) {
        size_t room = search->room ? search->room * 2 : 64;
        struct ldap_value *more = realloc(search->values, room * sizeof(*more));

        if (!more)
            return fault_nomem(err);
        search->values = more;
        search->room = room;
    }
    /* libldap ends each value with a NUL that does not count */
    search->values[search->count++] = (struct ldap_value){
        .name = name, .text = value->bv_val, .length = value->bv_len, .binary = !is_text(value)
    };
    return PROV_OK;
}

/* Takes over name and values. "GivenName;lang-en" becomes "givenname". */
static int
add_attribute(struct search *search, char *name, struct berval **values, struct prov_error *err)
{
    int result = PROV_OK;

    if (search->attribute_count == search->attribute_room) {
        size_t room = search->attribute_room ? search->attribute_room * 2 : 64;
        struct berval ***more = realloc(search->attributes, room * sizeof(*more));
        char **names = more ? realloc(search->names, room * sizeof(*names)) : NULL;

        if (more)
            search->attributes = more;
        if (names)
            search->names = names;
        if (!names) {
            ldap_memfree(name);
            ldap_value_free_len(values);
            return fault_nomem(err);
        }
        search->attribute_room = room;
    }
    search->names[search->attribute_count] = name;
    search->attributes[search->attribute_count++] = values;
    name[strcspn(name, ";")] = '\0';
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; values && values[i] && !result; i++)
        result = add_value(search, name, values[i], err);
    return result;
}

static enum found
read_entry(struct search *search, struct ldap_entry *ret, struct prov_error *err)
{
    BerElement *position = NULL;
    char *name;
    int result = PROV_OK;

    clear_entry(search);
    search->dn = ldap_get_dn(search->ldap, search->at);
    if (!search->dn)
        return stop(fault_nomem(err));
    name = ldap_first_attribute(search->ldap, search->at, &position);
    while (name && !result) {
        result =
            add_attribute(search, name, ldap_get_values_len(search->ldap, search->at, name), err);
        name = result ? NULL : ldap_next_attribute(search->ldap, search->at, position);
    }
    ber_free(position, 0);
    if (result)
        return stop(result);
    *ret =
        (struct ldap_entry){ .dn = search->dn, .values = search->values, .count = search->count };
    return FOUND_ITEM;
}

enum found
search_next(struct search *search, struct ldap_entry *ret, struct prov_error *err)
{
    for (;;) {
        enum found found = FOUND_ITEM;

        if (!search->at)
            found = next_page(search, err);
        if (found != FOUND_ITEM)
            return found;
        switch (search->at ? ldap_msgtype(search->at) : 0) {
        case LDAP_RES_SEARCH_ENTRY:
            found = read_entry(search, ret, err);
            search->at = ldap_next_message(search->ldap, search->at);
            return found;
        case LDAP_RES_SEARCH_REFERENCE:
            return stop(fault_set(
                err, PROV_E_STATE,
                "a part of '%.200s' is in another directory, so the list is not whole; name a DN "
                "below which everything is on this server",
                search->url->lud_dn));
        default:
            if (search->at)
                search->at = ldap_next_message(search->ldap, search->at);
        }
    }
}
