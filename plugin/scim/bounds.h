/* What a resource, or the data of a PATCH, must keep to. */
#ifndef SCIM_BOUNDS_H
#define SCIM_BOUNDS_H

#include "plugin/base/value.h"

/* Looking for names and equal values is linear, and a PATCH does it many times: these bounds keep a
 * hostile one to about a second and some megabytes. No real user comes near them. An attribute named
 * in a value without a path is an operation as well. */
#define SCIM_MAX_ELEMENTS   5000
#define SCIM_MAX_MEMBERS    2000
#define SCIM_MAX_OPERATIONS 250
/* Values that the removes of one PATCH name. */
#define SCIM_MAX_REMOVED 500
/* A host can send 256 KiB in one event; what grows by one PATCH after the other ends here. */
#define SCIM_MAX_BYTES (1024 * 1024)

/* PROV_E_INVALID: an object, at any depth, has two attributes whose names differ by case only, which
 * are one (RFC 7643 2.1), and nobody could tell which of them was meant; or a text holds NUL, behind
 * which a filter, a username or a group's name would end. */
MUST_CHECK int scim_check_data(struct value *value, struct prov_error *err);

/* PROV_E_LIMIT: the resource nests deeper than JSON_MAX_DEPTH, or has more values or attributes in
 * one place, or more bytes, than the bounds above. The error says which. */
MUST_CHECK int scim_check_size(struct value *resource, struct prov_error *err);

/* The bytes that a value counts for in that: about as many as its text has. */
size_t scim_bytes(struct value *value);

#endif
