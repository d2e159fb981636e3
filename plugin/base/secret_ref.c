/* Reads secrets from where a connector field says they are. It decides which files are private enough;
 * what a secret is for is its reader's business. */
#include "plugin/base/secret_ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind {
    LITERAL,
    SPELLED_OUT, /* "literal:" */
    IN_FILE,
    IN_ENVIRONMENT,
    IN_CREDENTIAL
};

static enum kind
kind_of(const char *text, const char **ret_rest)
{
    static const struct {
        const char *prefix;
        enum kind kind;
    } kinds[] = { { "literal:", SPELLED_OUT },
                  { "file:", IN_FILE },
                  { "env:", IN_ENVIRONMENT },
                  { "credential:", IN_CREDENTIAL } };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t length = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, length) == 0) {
            *ret_rest = text + length;
            return kinds[i].kind;
        }
    }
    *ret_rest = text;
    return LITERAL;
}

bool
secret_ref_is(const char *text)
{
    const char *rest;

    return kind_of(text, &rest) >= IN_FILE;
}

int
secret_ref_check(const char *text, struct prov_error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    const char *name;
    enum kind kind = kind_of(text, &name);
    size_t length = strlen(name);

    if (kind == IN_FILE && (name[0] != '/' || name[length - 1] == '/'))
        return error_set(err, PROV_E_FIELDS,
                         "'file:' needs the absolute path of a file; write "
                         "file:/etc/sfprov/secret");
    if (kind == IN_ENVIRONMENT &&
        (!length || strspn(name, letters) != length || strchr("0123456789", name[0])))
        return error_set(err, PROV_E_FIELDS,
                         "'env:' needs the name of a variable; write env:SFPROV_SECRET");
    if (kind == IN_CREDENTIAL && (!length || strchr(name, '/') || name[0] == '.'))
        return error_set(err, PROV_E_FIELDS,
                         "'credential:' needs the name of a credential, without a path; write "
                         "credential:salesforce");
    return PROV_OK;
}

/* ---- files ---- */

static int
check_file(int file, const char *path, mode_t refused, size_t *ret_length, struct prov_error *err)
{
    struct stat facts;

    if (fstat(file, &facts) != 0)
        return error_set(err, PROV_E_FIELDS, "the file '%s' cannot be looked at: %s", path,
                         strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return error_set(err, PROV_E_FIELDS, "'%s' is no regular file; name the file itself", path);
    if (facts.st_uid != 0 && facts.st_uid != geteuid())
        return error_set(
            err, PROV_E_FIELDS,
            "the file '%s' belongs to user %u, who could change it; run: chown %u '%s'", path,
            (unsigned)facts.st_uid, (unsigned)geteuid(), path);
    if (facts.st_mode & refused)
        return error_set(
            err, PROV_E_FIELDS,
            "others can read or change the file '%s' (mode %04o); run: chmod 600 '%s', and "
            "change the secret if somebody may have read it",
            path, (unsigned)(facts.st_mode & 07777), path);
    if (facts.st_size <= 0 || facts.st_size > (off_t)SECRET_MAX_BYTES)
        return error_set(
            err, PROV_E_FIELDS,
            "the file '%s' has %lld bytes; a secret has 1 to %u: is it the right file?", path,
            (long long)facts.st_size, SECRET_MAX_BYTES);
    *ret_length = (size_t)facts.st_size;
    return PROV_OK;
}

/* A file that grew or shrank meanwhile is being written: what there is of it is no secret yet. */
static int
read_whole(int file, const char *path, size_t length, char **ret, struct prov_error *err)
{
    char *bytes = secret_alloc(length + 1);
    size_t have = 0;

    if (!bytes)
        return error_nomem(err);
    while (have <= length) {
        ssize_t got = read(file, bytes + have, length + 1 - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            secret_free(bytes);
            return error_set(err, PROV_E_FIELDS, "the file '%s' cannot be read: %s", path,
                             strerror(errno));
        }
        if (got == 0)
            break;
        have += (size_t)got;
    }
    if (have != length) {
        secret_free(bytes);
        return error_set(err, PROV_E_FIELDS,
                         "the file '%s' changed while it was read; write a new file beside it and "
                         "rename it",
                         path);
    }
    bytes[length] = '\0';
    *ret = bytes;
    return PROV_OK;
}

static int
read_file(const char *path, mode_t refused, char **ret, size_t *ret_length, struct prov_error *err)
{
    /* O_NONBLOCK: a pipe without a writer would keep us waiting */
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    size_t length = 0;
    int r;

    if (file < 0)
        return error_set(err, PROV_E_FIELDS, "the file '%s' cannot be opened: %s", path,
                         errno == ELOOP ? "it is a symbolic link; name the file it leads to"
                                        : strerror(errno));
    r = check_file(file, path, refused, &length, err);
    if (!r)
        r = read_whole(file, path, length, ret, err);
    close(file);
    if (!r)
        *ret_length = length;
    return r;
}

int
secret_ref_read_public(const char *path, char **ret, size_t *ret_length, struct prov_error *err)
{
    return read_file(path, S_IWGRP | S_IWOTH, ret, ret_length, err);
}

/* systemd gives the service's user the right to read by an access control list, which shows as the
 * group's right; the directory is closed to others (systemd.exec(5)). */
static int
read_credential(const char *name, char **ret, size_t *ret_length, struct prov_error *err)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    AUTO_FREE char *path = NULL;

    if (!directory || directory[0] != '/')
        return error_set(err, PROV_E_FIELDS,
                         "there is no credential '%s': $CREDENTIALS_DIRECTORY is not set; write "
                         "LoadCredential=%s:/path into the unit, or name a file:",
                         name, name);
    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        path = NULL;
        return error_nomem(err);
    }
    return read_file(path, S_IWGRP | S_IXGRP | S_IRWXO, ret, ret_length, err);
}

/* ---- all of them ---- */

static int
copy(const char *text, char **ret, size_t *ret_length, struct prov_error *err)
{
    *ret = secret_copy(text);
    if (!*ret)
        return error_nomem(err);
    *ret_length = strlen(text);
    return PROV_OK;
}

int
secret_ref_read_bytes(const char *text, char **ret, size_t *ret_length, struct prov_error *err)
{
    const char *name, *value;
    enum kind kind = kind_of(text, &name);
    int r = secret_ref_check(text, err);

    if (r)
        return r;
    switch (kind) {
    case IN_FILE:
        return read_file(name, S_IRWXG | S_IRWXO, ret, ret_length, err);
    case IN_CREDENTIAL:
        return read_credential(name, ret, ret_length, err);
    case IN_ENVIRONMENT:
        value = getenv(name);
        if (!value || !*value)
            return error_set(err, PROV_E_FIELDS,
                             "the environment has no variable '%s'; set it where the host is "
                             "started",
                             name);
        return copy(value, ret, ret_length, err);
    default:
        return copy(name, ret, ret_length, err);
    }
}

int
secret_ref_read(const char *text, char **ret, struct prov_error *err)
{
    size_t length = 0;
    char *secret = NULL;
    int r = secret_ref_read_bytes(text, &secret, &length, err);

    if (r)
        return r;
    if (length && secret[length - 1] == '\n')
        secret[--length] = '\0';
    if (length && secret[length - 1] == '\r')
        secret[--length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)secret[i] >= 0x20 && secret[i] != 0x7f)
            continue;
        secret_free(secret);
        return error_set(err, PROV_E_FIELDS,
                         "the secret of '%s' holds a control character at position %zu; it is one "
                         "line of text",
                         secret_ref_is(text) ? text : "the field", i + 1);
    }
    if (!length) {
        secret_free(secret);
        return error_set(err, PROV_E_FIELDS, "the secret of '%s' is empty",
                         secret_ref_is(text) ? text : "the field");
    }
    *ret = secret;
    return PROV_OK;
}
