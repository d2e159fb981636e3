/* Regular expressions of mapping rules: PCRE2, over UTF-8, with limits that hold for every pattern
 * and every text. Pure; a compiled one never changes and is shared by threads. */
#ifndef SCHEMA_REGEX_H
#define SCHEMA_REGEX_H

#include <stdbool.h>

#include "plugin/base/error.h"

/* Bytes of a pattern, and of a text it is laid over or makes. */
#define REGEX_MAX_PATTERN 512
#define REGEX_MAX_TEXT    2048

struct regex;

/*
 * Compiles a pattern and what its matches become ("$1", "${name}", "$$"; NULL: the match itself).
 * \w, \d, \b and case go by Unicode. PROV_E_INVALID: `err` says what is wrong and where (from 1), in
 * the pattern or, *ret_in_with true, in the replacement. The caller frees *ret.
 */
MUST_CHECK int regex_compile(const char *pattern, const char *with, struct regex **ret,
                             bool *ret_in_with, struct prov_error *err);
void regex_free(struct regex *regex);
DEFINE_CLEANUP(struct regex *, regex, regex_free);

/* Text with every match replaced; heap. PROV_E_LIMIT: text or result too long, or the pattern went
 * back and forth too often; `err` says which. */
MUST_CHECK int regex_replace(const struct regex *regex, const char *text, char **ret,
                             struct prov_error *err);

/* What the first match becomes, without the text around it; *ret NULL: no match. As above. */
MUST_CHECK int regex_extract(const struct regex *regex, const char *text, char **ret,
                             struct prov_error *err);

/* A text of ordinary length that the pattern cannot be matched against within the limits, made of
 * this character; 0: none was found. Takes a while (some ms): for checks of a configuration. */
char regex_risk(const struct regex *regex);

#endif
