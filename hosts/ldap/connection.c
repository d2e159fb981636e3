/*
 * Decides how a directory is reached, and that nothing crosses a network in clear. What is asked of it is
 * search.c's and content.c's business; what an entry means, entry.c's.
 */
#include "hosts/ldap/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/drive.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/input.h"
#include "hosts/cli/letters.h"

#define CONNECT_S      10
#define STEP_US        200000
#define PASSWORD_BYTES 4096u
#define PARTS_MAX      1000 /* of an attribute; Active Directory gives 1500 values in one */
#define WHERE                                                                                      \
    "check host, port and, with ldaps://, its certificate (TLS_CACERT in ldap.conf(5), or "        \
    "LDAPTLS_CACERT)"
#define ANY_PERSON "(objectClass=person)"
/* what the adapter for Samba takes for one */
#define AD_PERSON                                                                                  \
    "(sAMAccountType=805306368)(!(isCriticalSystemObject=TRUE))(!(msDS-SecondaryKrbTgtNumber=*))"

bool
connection_is_url(const char *text)
{
    return letters_begin(text, "ldap://") || letters_begin(text, "ldaps://") ||
           letters_begin(text, "ldapi://");
}

int
connection_fail(LDAP *ldap, int code, const char *what, const char *remedy, struct prov_error *err)
{
    char *diagnosis = NULL;

    if (code == LDAP_NO_MEMORY)
        return fault_nomem(err);
    if (code == LDAP_FILTER_ERROR)
        remedy = "write the filter of the URL as (&(objectClass=person)(title=Dr)), see RFC 4515";
    ldap_get_option(ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnosis);
    fault_set(err, PROV_E_STATE, "%s: %s%s%.200s%s; %s", what, ldap_err2string(code),
              diagnosis && *diagnosis ? " (" : "", diagnosis && *diagnosis ? diagnosis : "",
              diagnosis && *diagnosis ? ")" : "", remedy);
    ldap_memfree(diagnosis);
    return PROV_E_STATE;
}

/* ---- waiting ---- */

/* All that answers a request. In steps, since a signal that comes before libldap waits would be noticed after the limit. */
static int
wait_for(LDAP *ldap, int message, int seconds, LDAPMessage **ret)
{
    int64_t until_us = clock_us() + seconds * INT64_C(1000000);
    int code = LDAP_SUCCESS;

    *ret = NULL;
    for (;;) {
        struct timeval step = { .tv_usec = STEP_US };
        int type = ldap_result(ldap, message, LDAP_MSG_ALL, &step, ret);

        if (type > 0) {
            int fault = ldap_parse_result(ldap, *ret, &code, NULL, NULL, NULL, NULL, 0);

            return fault ? fault : code;
        }
        if (type < 0) {
            ldap_get_option(ldap, LDAP_OPT_RESULT_CODE, &code);
            return code ? code : LDAP_SERVER_DOWN;
        }
        if (interrupt_seen() || clock_us() >= until_us) {
            ldap_abandon_ext(ldap, message, NULL, NULL);
            return interrupt_seen() ? LDAP_USER_CANCELLED : LDAP_TIMEOUT;
        }
    }
}

int
connection_search(LDAP *ldap, const struct connection_search *what, LDAPMessage **ret)
{
    struct timeval limit = { .tv_sec = what->seconds };
    int message, code = ldap_search_ext(ldap, what->dn, what->scope,
                                        what->filter ? what->filter : "(objectClass=*)",
                                        what->attributes, what->names_only, what->controls, NULL,
                                        &limit, what->most, &message);

    *ret = NULL;
    return code ? code : wait_for(ldap, message, what->seconds, ret);
}

/* ---- opening ---- */

/* All that users have, and operational ones by name: a server has many of those that say nothing. */
static int
ask_for(struct connection *connection, const struct connection_options *options,
        struct prov_error *err)
{
    const char *const *names = options->attributes;
    size_t count = 0, first = options->only_these ? 0 : 1;

    while (names[count])
        count++;
    connection->wanted = calloc(first + count + 1, sizeof(*connection->wanted));
    if (connection->wanted && first)
        connection->wanted[0] = strdup(LDAP_ALL_USER_ATTRIBUTES);
    for (size_t i = 0; connection->wanted && (!first || connection->wanted[0]) && i < count; i++) {
        connection->wanted[first + i] = strdup(names[i]);
        if (!connection->wanted[first + i])
            return fault_nomem(err);
    }
    return connection->wanted && (!first || connection->wanted[0]) ? PROV_OK : fault_nomem(err);
}

/* Whether a host is this machine by its name alone; "127.example.com" is a name like others. */
static bool
is_loopback(const char *host)
{
    struct in_addr address;

    if (!host || !*host || letters_same(host, "localhost") || !strcmp(host, "::1"))
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Whether a URL says a scope, which stands between its second and its third '?'. */
static bool
names_scope(const char *url)
{
    const char *attributes = strchr(url, '?');
    const char *scope = attributes ? strchr(attributes + 1, '?') : NULL;

    return scope && scope[1] && scope[1] != '?';
}

char *
connection_narrowed(const char *filter, const char *more)
{
    bool bare = *filter != '(';
    char *text = NULL;

    return asprintf(&text, "(&%s%s%s%s)", bare ? "(" : "", filter, bare ? ")" : "", more) < 0
               ? NULL
               : text;
}

static bool
choose_filter(struct connection *connection, const char *instead)
{
    const char *filter = connection->url->lud_filter;

    if (instead)
        connection->filter = strdup(instead);
    else if (!connection->active_directory)
        connection->filter = strdup(filter ? filter : ANY_PERSON);
    else
        connection->filter = connection_narrowed(filter ? filter : ANY_PERSON, AD_PERSON);
    return connection->filter != NULL;
}

static int
parse_url(struct connection *connection, const struct connection_options *options,
          struct prov_error *err)
{
    const char *text = options->url;
    int code = ldap_url_parse(text, &connection->url);

    if (code == LDAP_URL_ERR_MEM)
        return fault_nomem(err);
    if (code)
        return fault_set(err, PROV_E_INVALID,
                         "'%.200s' is no LDAP URL; write "
                         "ldap://host/ou=people,dc=example,dc=org??sub?(objectClass=inetOrgPerson)",
                         text);
    if (!connection->url->lud_dn || !*connection->url->lud_dn)
        return fault_set(
            err, PROV_E_INVALID,
            "'%.200s' names no entry to search below; put its DN behind the host, as in "
            "ldap://host/ou=people,dc=example,dc=org",
            text);
    if (!choose_filter(connection, options->filter))
        return fault_nomem(err);
    if (!names_scope(text) || options->base)
        connection->url->lud_scope = LDAP_SCOPE_SUBTREE;
    if (!options->base)
        return PROV_OK;
    ldap_memfree(connection->url->lud_dn);
    connection->url->lud_dn = ldap_strdup(options->base);
    return connection->url->lud_dn ? PROV_OK : fault_nomem(err);
}

/* scheme://host:port alone, as ldap_initialize() takes it. Nothing is sent yet. */
static int
prepare(struct connection *connection, struct prov_error *err)
{
    /* encryption comes later, see encrypt() */
    static char plain[] = "ldap";
    bool ldaps = letters_same(connection->url->lud_scheme, "ldaps");
    LDAPURLDesc only = { .lud_scheme = ldaps ? plain : connection->url->lud_scheme,
                         .lud_host = connection->url->lud_host,
                         .lud_port = connection->url->lud_port ? connection->url->lud_port
                                     : ldaps                   ? LDAPS_PORT
                                                               : 0,
                         .lud_scope = LDAP_SCOPE_DEFAULT };
    const struct timeval connect = { .tv_sec = CONNECT_S },
                         answer = { .tv_sec = CONNECTION_ANSWER_S };
    const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, never = LDAP_DEREF_NEVER;
    char *uri = ldap_url_desc2str(&only);
    int code;

    /* whatever ldap.conf says: a certificate that nobody vouches for may be anybody's. Of the whole process,
     * since a connection of its own would forget the authorities that ldap.conf names. */
    ldap_set_option(NULL, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    code = uri ? ldap_initialize(&connection->ldap, uri) : LDAP_NO_MEMORY;
    ldap_memfree(uri);
    if (code)
        return connection_fail(NULL, code, "the connection to the directory cannot be made",
                               "check the URL and the installation of libldap", err);
    ldap_set_option(connection->ldap, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(connection->ldap, LDAP_OPT_NETWORK_TIMEOUT, &connect);
    ldap_set_option(connection->ldap, LDAP_OPT_TIMEOUT, &answer);
    ldap_set_option(connection->ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    /* whatever ldap.conf says: who an alias stands for is elsewhere, and syncprov refuses it */
    ldap_set_option(connection->ldap, LDAP_OPT_DEREF, &never);
    return PROV_OK;
}

/* Else libldap waits for the rest of a message that has begun whatever limit is set. TLS sets it back. */
static void
never_block(LDAP *ldap)
{
    Sockbuf *way = NULL;

    if (!ldap_get_option(ldap, LDAP_OPT_SOCKBUF, &way) && way)
        ber_sockbuf_ctrl(way, LBER_SB_OPT_SET_NONBLOCK, way);
}

/* A handshake of libldap has a limit, waits without a rest for the processor, and heeds a signal in asynchronous mode alone;
 * and that one tries no further address of a host, so it begins after connecting. */
static int
encrypt(LDAP *ldap, bool ask)
{
    LDAPMessage *answer = NULL;
    int message, code = ask ? ldap_start_tls(ldap, NULL, NULL, &message) : LDAP_SUCCESS;

    if (!code && ask)
        code = wait_for(ldap, message, CONNECTION_ANSWER_S, &answer);
    ldap_msgfree(answer);
    if (code)
        return code;
    ldap_set_option(ldap, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON);
    code = ldap_install_tls(ldap);
    ldap_set_option(ldap, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_OFF);
    never_block(ldap);
    return code;
}

static int
reach(struct connection *connection, struct prov_error *err)
{
    bool ldaps = letters_same(connection->url->lud_scheme, "ldaps");
    bool start_tls = letters_same(connection->url->lud_scheme, "ldap") &&
                     !is_loopback(connection->url->lud_host);
    int code = ldap_connect(connection->ldap);

    if (!code)
        never_block(connection->ldap);
    if (!code && (ldaps || start_tls))
        code = encrypt(connection->ldap, start_tls);
    if (!code)
        return PROV_OK;
    return connection_fail(
        connection->ldap, code,
        start_tls ? "the directory cannot be reached with encryption (StartTLS)"
                  : "the directory cannot be reached",
        code == LDAP_SERVER_DOWN || !start_tls
            ? WHERE
            : "have the server offer it, use ldaps://, and name its authority with "
              "TLS_CACERT in ldap.conf(5) or with LDAPTLS_CACERT",
        err);
}

/* The first line of a file that nobody else may read. Heap. */
static int
read_password(const char *file, char **ret, struct prov_error *err)
{
    struct stat about;
    size_t length = 0, line;

    if (strcmp(file, "-") && !stat(file, &about) && (about.st_mode & (S_IRWXG | S_IRWXO)) &&
        S_ISREG(about.st_mode))
        return fault_set(err, PROV_E_INVALID,
                         "the password file '%s' may be read by others: chmod 600 it", file);
    if (input_read(file, PASSWORD_BYTES, ret, &length, err))
        return PROV_E_INVALID;
    line = strcspn(*ret, "\r\n");
    explicit_bzero(*ret + line, length - line); /* what follows it may be secret as well */
    if (**ret)
        return PROV_OK;
    free(*ret);
    *ret = NULL;
    /* a bind without a password passes, and is nobody's (RFC 4513 5.1.2) */
    return fault_set(err, PROV_E_INVALID, "the password file '%s' is empty", file);
}

/* By a socket: whether the directory takes the system's word for who asks. One that does not tell may. */
static bool
offers_external(LDAP *ldap)
{
    char name[] = "supportedSASLMechanisms", *names[] = { name, NULL };
    const struct connection_search what = { .dn = "",
                                            .scope = LDAP_SCOPE_BASE,
                                            .attributes = names,
                                            .seconds = CONNECTION_ANSWER_S,
                                            .most = 1 };
    struct berval **mechanisms = NULL;
    LDAPMessage *answer = NULL, *entry = NULL;
    bool offered;

    if (!connection_search(ldap, &what, &answer))
        entry = ldap_first_entry(ldap, answer);
    if (entry)
        mechanisms = ldap_get_values_len(ldap, entry, name);
    offered = !mechanisms;
    for (size_t i = 0; mechanisms && mechanisms[i]; i++)
        offered |= letters_same(mechanisms[i]->bv_val, "EXTERNAL");
    ldap_value_free_len(mechanisms);
    ldap_msgfree(answer);
    return offered;
}

static int
bind_as(struct connection *connection, const struct connection_options *options,
        struct prov_error *err)
{
    bool external = !options->bind_dn && letters_same(connection->url->lud_scheme, "ldapi") &&
                    offers_external(connection->ldap);
    char empty[] = "", *password = NULL;
    struct berval credentials = { .bv_val = empty };
    int result = options->bind_dn ? read_password(options->password_file, &password, err) : PROV_OK,
        code, message;
    LDAPMessage *answer = NULL;

    if (result)
        return result;
    if (password)
        credentials = (struct berval){ .bv_len = strlen(password), .bv_val = password };
    code =
        ldap_sasl_bind(connection->ldap, options->bind_dn, external ? "EXTERNAL" : LDAP_SASL_SIMPLE,
                       &credentials, NULL, NULL, &message);
    if (!code)
        code = wait_for(connection->ldap, message, CONNECTION_ANSWER_S, &answer);
    ldap_msgfree(answer);
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
    if (!code)
        return PROV_OK;
    return connection_fail(connection->ldap, code, "the directory does not let us in",
                           code == LDAP_SERVER_DOWN
                               ? WHERE
                               : "check --bind-dn and the file of --password-file, or give both",
                           err);
}

static int
understand(const struct connection_options *options, struct connection *ret, struct prov_error *err)
{
    int result;

    *ret = (struct connection){ .active_directory = options->active_directory };
    if ((options->bind_dn != NULL) != (options->password_file != NULL))
        return fault_set(err, PROV_E_INVALID,
                         "--bind-dn and --password-file belong together: give both, or none");
    result = ask_for(ret, options, err);
    return result ? result : parse_url(ret, options, err);
}

int
connection_check(const struct connection_options *options, struct prov_error *err)
{
    struct connection connection;
    char *password = NULL;
    int result = understand(options, &connection, err);

    if (!result && options->bind_dn)
        result = read_password(options->password_file, &password, err);
    if (password)
        explicit_bzero(password, strlen(password));
    free(password);
    connection_close(&connection);
    return result;
}

int
connection_open(const struct connection_options *options, struct connection *ret,
                struct prov_error *err)
{
    int result = understand(options, ret, err);

    if (!result)
        result = prepare(ret, err);
    if (!result)
        result = reach(ret, err);
    return result ? result : bind_as(ret, options, err);
}

void
connection_close(struct connection *connection)
{
    for (char **name = connection->wanted; name && *name; name++)
        free(*name);
    free(connection->wanted);
    free(connection->filter);
    ldap_free_urldesc(connection->url);
    /* of a handshake that a signal has ended libldap goes on to write for ever, since it takes an old EINTR for a new one */
    errno = 0;
    if (connection->ldap)
        ldap_unbind_ext(connection->ldap, NULL, NULL);
    *connection = (struct connection){ .ldap = NULL };
}

/* ---- entries ---- */

static int
add_value(struct taken_entry *taken, const char *name, const struct berval *value,
          struct prov_error *err)
{
    if (!entry_make_room((void **)&taken->values, taken->count, &taken->room,
                         sizeof(*taken->values)))
        return fault_nomem(err);
    /* libldap ends each value with a NUL that does not count */
    taken->values[taken->count++] =
        (struct ldap_value){ .name = name,
                             .text = value->bv_val,
                             .length = value->bv_len,
                             .binary = !utf8_is_text(value->bv_val, value->bv_len) };
    return PROV_OK;
}

/* Of "member;range=0-1499" where this part begins, and where the next one does; 0: there is none, it is the last, or all
 * of it. */
struct range {
    unsigned long first, next;
};

static struct range
range_of(const char *name)
{
    const char *text = strchr(name, ';');
    struct range range = { 0 };
    char *end;

    while (text && !letters_begin(text, ";range="))
        text = strchr(text + 1, ';');
    if (!text)
        return range;
    range.first = strtoul(text + strlen(";range="), &end, 10);
    range.next = *end == '-' && end[1] != '*' ? strtoul(end + 1, NULL, 10) + 1 : 0;
    return range;
}

/* Takes over the list of values. "GivenName;lang-en" becomes "givenname". */
static int
add_attribute(struct taken_entry *taken, const struct berval *name, BerVarray values,
              struct prov_error *err)
{
    int result = PROV_OK;

    if (!entry_make_room((void **)&taken->lists, taken->list_count, &taken->list_room,
                         sizeof(struct berval *))) {
        ber_memfree(values);
        return fault_nomem(err);
    }
    taken->lists[taken->list_count++] = values;
    name->bv_val[strcspn(name->bv_val, ";")] = '\0';
    letters_make_small(name->bv_val);
    for (size_t i = 0; values && values[i].bv_val && !result; i++)
        result = add_value(taken, name->bv_val, &values[i], err);
    return result;
}

/* One part more: of what a search for it has found, what begins where the part before has ended. */
static int
add_part(LDAP *ldap, struct taken_entry *taken, LDAPMessage *message, struct range *range,
         struct prov_error *err)
{
    unsigned long begin = range->next;
    BerElement *position = NULL;
    struct berval dn, name = { 0 };
    BerVarray values = NULL;
    bool found = false;
    int code = message ? ldap_get_dn_ber(ldap, message, &position, &dn) : LDAP_NO_SUCH_OBJECT;
    int result = PROV_OK;

    while (!code && !result && !found) {
        code = ldap_get_attribute_ber(ldap, message, position, &name, &values);
        if (code || !name.bv_val)
            break;
        *range = range_of(name.bv_val);
        found = range->first == begin && (!range->next || range->next > begin);
        if (found)
            result = add_attribute(taken, &name, values, err);
        else
            ber_memfree(values);
    }
    ber_free(position, 0);
    if (result || found)
        return result;
    return fault_set(err, PROV_E_STATE, "the directory does not give the values from %lu on",
                     begin);
}

/* The values behind those that the directory has given, part by part. */
static int
add_rest(LDAP *ldap, struct taken_entry *taken, char *dn, const char *name, struct range range,
         struct prov_error *err)
{
    int result = PROV_OK;

    for (int part = 0; range.next && !result; part++) {
        char *wanted[] = { NULL, NULL };
        LDAPMessage *answer = NULL;
        char why[300];
        int code;

        if (!entry_make_room((void **)&taken->rests, taken->rest_count, &taken->rest_room,
                             sizeof(LDAPMessage *)) ||
            asprintf(&wanted[0], "%s;range=%lu-*", name, range.next) < 0)
            return fault_nomem(err);
        code = connection_search(ldap,
                                 &(struct connection_search){ .dn = dn,
                                                              .scope = LDAP_SCOPE_BASE,
                                                              .attributes = wanted,
                                                              .seconds = CONNECTION_ANSWER_S,
                                                              .most = 1 },
                                 &answer);
        taken->rests[taken->rest_count++] = answer;
        if (code)
            result = connection_fail(ldap, code, "it cannot be searched", "check its log", err);
        else if (part == PARTS_MAX)
            result = fault_set(err, PROV_E_STATE, "the directory gives parts without end");
        else
            result = add_part(ldap, taken, ldap_first_entry(ldap, answer), &range, err);
        if (result && result != PROV_E_NOMEM) {
            snprintf(why, sizeof(why), "%s", err->text);
            fault_set(err, result, "the rest of the values of %s of '%.200s' cannot be read: %s",
                      wanted[0], dn, why);
        }
        free(wanted[0]);
    }
    return result;
}

static void
forget(struct taken_entry *taken)
{
    for (size_t i = 0; i < taken->list_count; i++)
        ber_memfree(taken->lists[i]);
    for (size_t i = 0; i < taken->rest_count; i++)
        ldap_msgfree(taken->rests[i]);
    taken->list_count = taken->count = taken->rest_count = 0;
}

void
taken_entry_clear(struct taken_entry *taken)
{
    forget(taken);
    free(taken->values);
    free(taken->lists);
    free(taken->rests);
    *taken = (struct taken_entry){ .values = NULL };
}

int
connection_take(const struct connection *connection, LDAPMessage *message,
                struct taken_entry *taken, struct ldap_entry *ret, struct prov_error *err)
{
    LDAP *ldap = connection->ldap;
    BerElement *position = NULL;
    struct berval dn = { 0 }, name = { 0 };
    BerVarray values = NULL;
    int code = ldap_get_dn_ber(ldap, message, &position, &dn), result = PROV_OK;

    forget(taken);
    if (!code)
        code = ldap_get_attribute_ber(ldap, message, position, &name, &values);
    while (!code && !result && name.bv_val) {
        struct range range = range_of(name.bv_val);

        result = add_attribute(taken, &name, values, err);
        if (!result)
            result = add_rest(ldap, taken, dn.bv_val, name.bv_val, range, err);
        values = NULL;
        if (!result)
            code = ldap_get_attribute_ber(ldap, message, position, &name, &values);
    }
    ber_free(position, 0);
    if (code)
        return connection_fail(ldap, code, "an entry of the directory cannot be read to its end",
                               "it is not taken for an entry", err);
    if (!result)
        *ret =
            (struct ldap_entry){ .dn = dn.bv_val, .values = taken->values, .count = taken->count };
    return result;
}
