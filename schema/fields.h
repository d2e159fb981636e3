/*
 * The connector fields: one table (fields.c) feeds the parser, the JSON Schema of describe(), the
 * sample file and the man page. Pure.
 */
#ifndef SCHEMA_FIELDS_H
#define SCHEMA_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "patterns/pattern.h"
#include "plugin/base/digest.h"
#include "plugin/base/json.h"
#include "plugin/scim/filter.h"
#include "schema/mapping.h"

#define FLOW_CLIENT_CREDENTIALS "client_credentials"
#define FLOW_JWT_BEARER         "jwt_bearer"
#define FLOW_REFRESH_TOKEN      "refresh_token"
#define FLOW_PASSWORD           "password"

/* Parsed and valid. Strings are never NULL where a default or `required` is given; otherwise NULL
 * when not set. Never changes after fields_parse(). */
struct fields {
    /* connection */
    char *domain_name; /* canonical origin without trailing slash: https://acme.my.salesforce.com */
    char *api_version; /* "v67.0" */
    char *token_endpoint; /* default: domain_name + /services/oauth2/token */
    char *login_host;     /* origin; NULL: domain_name */
    char *flow;           /* one of FLOW_...; follows from the others when it is not said */
    char *client_id;
    /* Secrets, by reference (base/secret_ref.h); read where they are used. */
    char *client_secret, *private_key, *private_key_next, *private_key_password, *refresh_token;
    char *password, *security_token;
    char *certificate; /* absolute path: the certificate of private_key */
    char *username;    /* of the API user; for the JWT bearer and the username-password flow */
    bool use_password_grant;
    struct json_object *allowed_hosts;             /* names, or NULL */
    char *tls_pin;                                 /* "sha256//..." of the server's public key */
    char *client_certificate, *client_key;         /* path; secret by reference */
    char *proxy, *proxy_username, *proxy_password; /* URL; the last a secret by reference */
    char *ca_file; /* absolute path of a PEM bundle; NULL: the system's certificate authorities */
    int64_t connect_timeout_s, request_timeout_s;
    /* names */
    char *provisioning_pattern, *provisioning_separator, *provisioning_domain;
    char *identity_provider, *tenant_domain, *user_domain;
    char *issuer; /* `iss` of events that have none */
    /* users */
    char *profile; /* name or id */
    char *time_zone, *locale, *language, *email_encoding;
    char *correlation_field;  /* custom field that holds our key, X__c; NULL: none */
    bool create_inactive;     /* create users who are inactive from the start (rule 8: no) */
    bool provision_passwords; /* a `password` in an event is set in Salesforce; needs sealing_key */
    char *leaver_action;      /* "deactivate", "freeze" or "deactivate_and_release" */
    char *username_taken;     /* "park" or "suffix" */
    char *username_suffix;    /* what stands between name and number; NULL: nothing */
    struct json_object *mapping_rules; /* as given, or NULL */
    struct json_object *match; /* names of Salesforce fields, or NULL: none; see delivery/match.h */
    /* scope: who is provisioned, see scope.h */
    char *scope_filter;               /* NULL: everybody */
    struct json_object *scope_groups; /* names of groups or roles; NULL: everybody */
    /* store and delivery */
    char *store;                 /* absolute path of the SQLite file */
    char *sealing_key;           /* where its keys are, see base/seal.h; NULL: nothing is sealed */
    int64_t batch_size;          /* records a Collections call, 1-200 */
    int64_t parallel_calls;      /* 1-25 */
    int64_t api_reserve_percent; /* of the org's API calls of 24 hours: left to others */
    int64_t settle_window_s;     /* rule 14 */
    int64_t retry_first_s, retry_max_s;
    int64_t poll_interval_s;  /* how often the worker looks for what other processes submitted */
    int64_t wait_limit_hours; /* then who waits is parked, and the host told */
    int64_t event_retention_days;
    /* more than both are not deactivated within the window, nor lost by a list, without a word */
    int64_t guard_floor, guard_percent, guard_window_s;
    /* so many, and such a share, refused alike within an hour: the others are not tried */
    int64_t quarantine_floor, quarantine_percent;

    /* made from the above */
    char *audience;                       /* of a JWT: https://login.salesforce.com */
    bool leavers_freeze, leavers_release; /* leaver_action */
    bool suffixes;                        /* username_taken */
    struct pattern *pattern;
    struct mapping *mapping;
    struct scim_filter *scope; /* of scope_filter */
    /* Of everything that decides a plan (names, users, mapping), not of connection or delivery.
     * Parked subjects are re-planned when it changes (rule 10). */
    char plan_digest[DIGEST_HEX_SIZE];
};

/*
 * Parses the connector fields: WSO2's own keys are aliases, all faults are found at once.
 * PROV_E_FIELDS: `err` holds the first fault and, where ret_faults is not NULL, *ret_faults all of
 * them, an array of {"field","value","reason","remedy"} (value never of a secret) that the caller
 * owns. On success and then *ret_warnings (may be NULL) is an array of the same form, perhaps
 * empty.
 */
MUST_CHECK int fields_parse(const char *json, size_t length, struct fields **ret,
                            struct json_object **ret_warnings, struct json_object **ret_faults,
                            struct prov_error *err);
void fields_free(struct fields *fields);
DEFINE_CLEANUP(struct fields *, fields, fields_free);

/* {"fields":{name: value in force}}; a secret that is set is "***", what is not set is left out. The
 * caller owns *ret. */
MUST_CHECK int fields_effective(const struct fields *fields, struct json_object **ret,
                                struct prov_error *err);

/* Whether there is a field of that name which is a secret. */
bool fields_is_secret(const char *name);

/* The table as JSON Schema (draft 2020-12), as a sample file, as the man page's section in mdoc.
 * Heap texts. */
MUST_CHECK int fields_describe(char **ret_json, struct prov_error *err);
MUST_CHECK int fields_sample(char **ret_json, struct prov_error *err);
MUST_CHECK int fields_mdoc(char **ret_mdoc, struct prov_error *err);

#endif
