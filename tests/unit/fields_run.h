/* One parse of connector fields with all that comes out of it, for the tests of fields and
 * addresses. JSON is written with ' for ", to stay readable. */
#ifndef FIELDS_RUN_H
#define FIELDS_RUN_H

#include "plugin/base/json.h"
#include "schema/fields.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SECRET "5A1f00dDEADBEEFcafe7788"
#define BASE                                                                                       \
    "'domain_name':'acme','client_id':'3MVG9abc','client_secret':'" SECRET "',"                    \
    "'profile':'Standard User','store':'/var/lib/sfprov/acme.db'"

/* One parse with all that comes out of it. */
struct run {
    int result;
    struct fields *fields;
    struct json_object *warnings, *faults;
    struct prov_error err;
};

static inline void
run_cleanup(struct run *run)
{
    fields_free(run->fields);
    json_object_put(run->warnings);
    json_object_put(run->faults);
}

#define AUTO_RUN CLEANUP(run_cleanup) struct run

static inline struct run
parse_text(const char *json)
{
    struct run run = { .err = PROV_ERROR_INIT };

    run.result =
        fields_parse(json, strlen(json), &run.fields, &run.warnings, &run.faults, &run.err);
    return run;
}

/* Parses JSON written with ' for ". A member behind BASE replaces the one of BASE, which the
 * connector itself would refuse as standing there twice. */
static inline struct run
parse(const char *quoted)
{
    AUTO_FREE char *json = strdup(quoted), *once = NULL;
    AUTO_JSON struct json_object *value = NULL;

    for (char *c = json; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    value = json_tokener_parse(json);
    once = value ? json_text(value) : NULL;
    return parse_text(once ? once : json);
}

/* The text of the first entry about a field, "reason: remedy"; "" if there is none. */
static inline const char *
about(struct json_object *list, const char *field)
{
    static char text[2048];

    text[0] = '\0';
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *entry = json_object_array_get_idx(list, i);
        if (strcmp(json_get_string(entry, "field"), field) == 0) {
            snprintf(text, sizeof(text), "%s: %s", json_get_string(entry, "reason"),
                     json_get_string(entry, "remedy"));
            break;
        }
    }
    return text;
}

static inline size_t
length_of(struct json_object *list)
{
    return list ? json_object_array_length(list) : 0;
}

#endif
