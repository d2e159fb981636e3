/*
 * The provisioning-pattern engine: {UD,UN,TD,IDP}, a separator, a provisioning domain.
 *
 * Compatible with WSO2's AbstractOutboundProvisioningConnector.buildUserId where that is right;
 * docs/patterns.md lists where it differs on purpose. Pure: no I/O, no clock, no globals. A
 * compiled pattern never changes and may be used by many threads.
 */
#ifndef PATTERNS_PATTERN_H
#define PATTERNS_PATTERN_H

#include <stddef.h>

#include "plugin/base/error.h"

enum pattern_key {
    PATTERN_UD,
    PATTERN_UN,
    PATTERN_TD,
    PATTERN_IDP
};

#define PATTERN_MAX_KEYS 16
/* Longest username that render can produce, in bytes, the NUL included. */
#define PATTERN_MAX_BYTES 1024

struct pattern;

/* As in the connector fields. NULL or blank: `{UN}`, `_`, no domain. */
struct pattern_settings {
    const char *pattern;
    const char *separator;
    const char *domain;
};

/* Where a fault of the settings lies, so that the caller can name its own field. */
enum pattern_setting {
    PATTERN_SETTING_PATTERN,
    PATTERN_SETTING_SEPARATOR,
    PATTERN_SETTING_DOMAIN
};

/* Whom to name. NULL is the same as empty. */
struct pattern_user {
    const char *entity_name;       /* host user name, with its STORE/ prefix if it has one */
    const char *user_domain;       /* used when entity_name has no prefix; empty: PRIMARY */
    const char *tenant_domain;     /* empty: carbon.super */
    const char *identity_provider; /* its name at the host */
};

/*
 * Compiles. PROV_E_FIELDS with the position (from 1) and the remedy for an unknown key, a missing
 * brace, no key at all, a separator with which no username could pass, an `@` in the domain, a
 * domain that is no domain; *ret_fault (may be NULL) then says which setting. The caller frees *ret
 * with pattern_free().
 */
MUST_CHECK int pattern_compile(const struct pattern_settings *settings, struct pattern **ret,
                               enum pattern_setting *ret_fault, struct prov_error *err);

void pattern_free(struct pattern *pattern);
DEFINE_CLEANUP(struct pattern *, pattern, pattern_free);

/* Whether the pattern uses this key. */
int pattern_uses(const struct pattern *pattern, enum pattern_key key);

/*
 * Builds the username into buffer and NUL-terminates it; *ret_length (may be NULL) gets its length.
 * PROV_E_LIMIT when it does not fit size or PATTERN_MAX_BYTES; PROV_E_INVALID when the pattern uses
 * UN and the user has none, which would give all such users one name. Does not judge the result:
 * see username_check().
 */
MUST_CHECK int pattern_render(const struct pattern *pattern, const struct pattern_user *user,
                              char *buffer, size_t size, size_t *ret_length,
                              struct prov_error *err);

/* One piece of a rendered username: bytes [start, start + length) of it. */
struct pattern_segment {
    const char *source; /* "UD", "UN", "TD", "IDP", "separator", "domain", "@" */
    const char *origin; /* where the value came from: "user name", "store prefix", "user domain",
                           "tenant domain", "connector field", "default"; "already there" for a
                           provisioning domain that the name itself ended in */
    size_t start, length;
};

#define PATTERN_MAX_SEGMENTS (2 * PATTERN_MAX_KEYS + 2)

/* Renders like pattern_render() and says which segment came from where; *ret_count of segments
 * (an array of PATTERN_MAX_SEGMENTS) are set, in order, none empty, covering the whole username. */
MUST_CHECK int pattern_explain(const struct pattern *pattern, const struct pattern_user *user,
                               char *buffer, size_t size, struct pattern_segment *segments,
                               size_t *ret_count, struct prov_error *err);

#endif
