/* Answers the plugin's questions for whole users from a directory with one file a user. Decides which file
 * that is; what the resource means is the plugin's. */
#include "hosts/cli/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosts/cli/input.h"
#include "hosts/cli/screen.h"

/* "7" of "/Users/7", as the name of a file; NULL: none that stays in the directory. */
static const char *
name_of(const char *uri)
{
    const char *slash = strrchr(uri, '/'), *id = slash ? slash + 1 : uri;

    return *id && *id != '.' ? id : NULL;
}

int32_t
resolve_from(void *context, const struct prov_resolve *question)
{
    const char *directory = context, *id = name_of(question->uri);
    struct prov_error err = { .size = sizeof(err) };
    char *path = NULL, *text = NULL;
    size_t length = 0;
    int32_t result = PROV_OK;

    if (!id)
        return PROV_E_NOTFOUND;
    if (asprintf(&path, "%s/%s.json", directory, id) < 0)
        return PROV_E_NOMEM;
    if (access(path, F_OK) != 0 && access(directory, X_OK) == 0)
        result = PROV_E_NOTFOUND;
    else if (input_read(path, PROV_EVENT_MAX_BYTES, &text, &length, &err))
        result = PROV_E_INVALID;
    else
        question->give(question, text, length);
    if (result == PROV_E_INVALID)
        complain("the resource of '%s' cannot be read: %s", question->uri, err.text);
    free(text);
    free(path);
    return result;
}
