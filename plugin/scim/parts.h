/* The parts of a path and where they lead in a resource. For this room only. */
#ifndef SCIM_PARTS_H
#define SCIM_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/value.h"
#include "plugin/scim/filter.h"

#define SCIM_CORE_USER       "urn:ietf:params:scim:schemas:core:2.0:User"
#define SCIM_ENTERPRISE_USER "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

struct scim_path {
    char *schema;    /* the URN in front; NULL: none */
    char *attribute; /* NULL: the schema as a whole */
    /* URN and attribute as written, when nothing follows: the last segment may belong to the URN of
     * an extension, which only the resource can tell. NULL otherwise. */
    char *whole;
    struct scim_filter *filter; /* NULL: none */
    char *sub;                  /* NULL: none */
    bool enterprise;            /* no schema, and an attribute that the enterprise extension has */
};

/* Where a path leads. Borrowed from path and resource, valid until the resource changes. */
struct scim_place {
    struct value *container; /* the resource or an extension; NULL: it is not there yet */
    const char *schema;      /* member name of that extension; NULL: the resource */
    const char *attribute;   /* NULL: the container as a whole */
    struct value *value;     /* what stands there; NULL: nothing */
};

void scim_path_locate(const struct scim_path *path, struct value *resource, struct scim_place *ret);

/* Whether the URN is the schema of users or of an extension of theirs, by its name alone. */
bool scim_is_schema(const char *urn);

/* The member of an element, or the element itself where it is a plain value and `value` is asked:
 * hosts send "manager":"26118915" and "emails":["a@example.com"] (RFC 7643 2.4 calls `value` the
 * attribute's significant value). Borrowed. */
struct value *scim_element_part(struct value *element, const char *sub);

/* Not null, "" or [] (RFC 7643 2.5). */
bool scim_is_present(struct value *value);

/* True as boolean, or as a string in any case. */
bool scim_is_true(struct value *value);

/* Length of the attribute name that starts the text; 0: none does. */
size_t scim_name_length(const char *text);

/* PROV_E_INVALID that shows the text and the position, counted from 1. */
int scim_syntax_error(const char *text, size_t position, const char *why, struct prov_error *err);

/* How many bytes of a text an error shows: at most 120, not ending inside a character. */
int scim_shown_length(const char *text);

#endif
