/*
 * What happened to a person as one RFC 9967 token, in text. Pure but for its counter.
 */
#ifndef ADAPTER_TOKEN_H
#define ADAPTER_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include <provisioning/connector.h>

enum token_kind {
    TOKEN_CREATE,
    TOKEN_PUT,
    TOKEN_PATCH,    /* what the resource has takes the place of what was there; the rest stays */
    TOKEN_LOCK,     /* they are inactive; the rest stays */
    TOKEN_PASSWORD, /* the password changed, and perhaps more; its value is not said */
    TOKEN_LEAVE, /* the entry is there, and the person no longer one of those to be provisioned */
    TOKEN_DELETE
};

struct token_spec {
    enum token_kind kind;
    const char *host; /* "slapd": the beginning of the token's id */
    const char *uri;  /* "/Users/7" */
    /* The change number of the operation (entryCSN), by which the connector recognises the last event of a
     * user that comes again. NULL: the server gives none. */
    const char *change;
    bool scoped;   /* the person may have been out of scope before */
    bool inactive; /* the resource says that they are: of use also if the rest of it is refused */
    const char *
        resource; /* JSON, an object; of TOKEN_CREATE, _PUT, _PATCH, _PASSWORD; NULL: nothing is said of it */
    const char *password; /* in clear, to be provisioned; NULL: none. Not with _PASSWORD */
    size_t password_length;
};

struct token {
    char *json; /* NUL-terminated; wiped when cleared */
    size_t length;
    char *uri;
    char *resource; /* of TOKEN_PASSWORD: what the connector will ask for; NULL: it is as it was */
    bool inactive;  /* of the spec */
};

/* PROV_E_NOMEM; PROV_E_INVALID: a text is not UTF-8. The caller clears *ret, on success only. */
int token_make(const struct token_spec *spec, struct token *ret, struct prov_error *err);
void token_clear(struct token *token);

#endif
