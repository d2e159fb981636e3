/*
 * A list of people, one after the other, from CSV, LDIF or JSON. Pure but for the source of its
 * text; `sfprov-sync(1)` describes what is read.
 */
#ifndef CLI_PEOPLE_H
#define CLI_PEOPLE_H

#include "hosts/cli/columns.h"
#include "hosts/cli/lines.h"
#include "hosts/ldap/entry.h"

struct people;

enum people_format {
    PEOPLE_CSV,
    PEOPLE_LDIF,
    PEOPLE_JSON,
    PEOPLE_LDAP
};

/* Where the entries of PEOPLE_LDAP come from; as ldif_next(). */
struct entry_source {
    enum found (*next)(void *context, struct ldap_entry *ret, struct prov_error *err);
    void *context;
};

struct people_options {
    enum people_format format;
    const char *key; /* column or attribute of the key; NULL: the file's, else the format's */
    struct columns_options columns;
    char separator;              /* of CSV */
    struct entry_source entries; /* of PEOPLE_LDAP; */
    bool any_class;              /* which has found persons only, whatever their object class */
};

struct person {
    const char *uri;      /* "/Users/7" */
    const char *resource; /* JSON */
    const char *name;     /* the userName; NULL: none, of PEOPLE_LDAP */
    const char *alias;    /* as others name this one as their manager: a DN; NULL: none */
    size_t line;          /* 0: of PEOPLE_LDAP */
    const char *place;    /* "line 7", or whose entry it is; for people */
};

/* PROV_E_INVALID: the options, or a columns file. `source`, not heeded with PEOPLE_LDAP, is read by
 * people_next() only. */
int people_open(const struct people_options *options, struct text_source source,
                struct people **ret, struct prov_error *err);
/* The column or attribute of the key. Borrowed. */
const char *people_key(const struct people *people);
/* The attributes that are read of PEOPLE_LDAP, by number; NULL: there are no more. Borrowed. */
const char *people_attribute(const struct people *people, size_t index);
/*
 * The next person, borrowed until the next call. FOUND_FAULT and FOUND_STOP with
 * line, column, reason and remedy; with FOUND_FAULT of PEOPLE_LDAP *ret says who it is, without a resource, or has
 * no URI where nobody can tell. All faults of a CSV header are told before FOUND_STOP.
 */
enum found people_next(struct people *people, struct person *ret, struct prov_error *err);
/* The entry at hand, of PEOPLE_LDAP, and how it is read. Borrowed. */
const struct ldap_entry *people_entry(struct people *people, struct entry_options *ret);
/* What was left out, after the end: a line for a person, heap; NULL: there is no further note. */
char *people_note(struct people *people);
void people_free(struct people *people);

#endif
