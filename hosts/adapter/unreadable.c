/* Decides what is still known of an entry that cannot be read. */
#include "hosts/adapter/unreadable.h"

#include <stdlib.h>

bool
unreadable_is(int result)
{
    return result == PROV_E_INVALID || result == PROV_E_LIMIT;
}

int
unreadable_locked(struct submit *submit, const struct entry_options *options,
                  const struct ldap_entry *entry, char **ret_uri, struct prov_error *err)
{
    struct prov_error why = { .size = sizeof(why) };
    enum submit_presence presence = SUBMIT_GONE;
    char *uri = entry_is_inactive(options->columns, entry) ? entry_uri(options, entry) : NULL;
    int result = uri ? submit_presence(submit, uri, &presence, &why) : PROV_OK;

    if (result)
        *err = why;
    if (presence != SUBMIT_IN) {
        free(uri);
        uri = NULL;
    }
    *ret_uri = uri;
    return result;
}
