/*
 * Decides that the file alone says whom: what the command line said beside it would be another list than the
 * adapter's, and take each other's people for gone. One search reads below the URL's DN, so several bases are a matter of
 * whom it takes.
 */
#include "hosts/cli/adapter_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"
#include "hosts/cli/screen.h"
#include "hosts/ldap/connection.h"
#include "hosts/ldap/entry.h"

#define KEY "entryUUID"

static int
check_use(const struct options *options, const char *url)
{
    if (options->command || !connection_is_url(url))
        complain("--adapter is for a directory, ldap://...");
    else if (options->columns || options->maps.count || options->groups.count)
        complain("--adapter says what is read: leave --columns, --map and --groups out");
    else if (strchr(url, '?'))
        complain("--adapter says whom: '%s' may name a server and a DN, and no more", url);
    else
        return CODE_DONE;
    return CODE_USAGE;
}

static bool
is_plain(char c)
{
    char letter = letters_small(c);

    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || strchr("()&|!=*-._", c);
}

/* The URL with a filter, percent-encoded (RFC 4516). NULL when out of memory. */
static char *
filtered(const char *url, const char *filter)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        return NULL;
    fprintf(to, "%s%s", url, filter ? "??sub?" : "");
    for (; filter && *filter; filter++) {
        if (is_plain(*filter))
            fputc(*filter, to);
        else
            fprintf(to, "%%%02X", (unsigned char)*filter);
    }
    if (!fclose(to))
        return text;
    free(text);
    return NULL;
}

/* NULL when out of memory. */
static char *
with_bases(const char *url, char *const *bases)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        return NULL;
    fputs(url, to);
    for (; bases && *bases; bases++)
        fprintf(to, " %s", *bases);
    if (!fclose(to))
        return text;
    free(text);
    return NULL;
}

static int
take_groups(struct adapter_file *file)
{
    struct option_list *groups = &file->options.groups;

    for (const char **dn = file->config.groups; *dn; dn++) {
        if (groups->count == OPTION_LIST_MAX) {
            complain("'%s' names more than %d groups; name one above them",
                     file->config.settings.file, OPTION_LIST_MAX);
            return CODE_USAGE;
        }
        groups->texts[groups->count++] = *dn;
    }
    return CODE_DONE;
}

static int
take_file(struct adapter_file *file, const char *url)
{
    const struct config_server server = { .key = file->options.key ? file->options.key : KEY };
    struct prov_error err = { .size = sizeof(err) };
    int result = config_read(file->options.adapter, &server, &file->config, &err);

    if (result) {
        complain("%s", err.text);
        return result == PROV_E_FIELDS ? CODE_FIELDS : CODE_USAGE;
    }
    file->options.columns = file->config.columns_file;
    file->options.key = file->config.key;
    if (!file->options.fields_file)
        file->options.fields_file = file->config.settings.fields_file;
    file->any_class = file->config.filter != NULL;
    file->url = filtered(url, file->config.filter);
    if (*file->config.bases)
        file->bases = entry_plain_dns(file->config.bases);
    if (file->url)
        file->about = with_bases(file->url, file->bases);
    if (file->about && (file->bases || !*file->config.bases))
        return take_groups(file);
    complain("out of memory");
    return CODE_FAILED;
}

int
adapter_file_read(const struct options *options, const char *url, struct adapter_file *ret)
{
    int code;

    *ret = (struct adapter_file){ .options = *options };
    if (options->adapter) {
        code = check_use(options, url);
        return code ? code : take_file(ret, url);
    }
    ret->url = strdup(url);
    ret->about = strdup(url);
    if (ret->url && ret->about)
        return CODE_DONE;
    complain("out of memory");
    return CODE_FAILED;
}

void
adapter_file_close(struct adapter_file *file)
{
    entry_free_dns(file->bases);
    config_clear(&file->config);
    free(file->url);
    free(file->about);
}

int
adapter_file_means(const struct adapter_file *file, const char *dn, bool *ret,
                   struct prov_error *err)
{
    char *plain = file->bases ? entry_plain_dn(dn) : NULL;

    if (file->bases && !plain)
        return fault_nomem(err);
    *ret = !file->bases || entry_is_below(plain, file->bases);
    free(plain);
    return PROV_OK;
}
