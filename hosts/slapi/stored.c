/*
 * Decides whether an entry may be read without a search. A search costs more than twice as much, half of it for a
 * connection of its own, and passes the overlays of the database, of which some show what is not stored: groups
 * (dynlist), collective attributes. So the overlays that are known to show entries as they are stored are named, and with
 * any other one is asked by a search.
 *
 * The functions are slapd's own, which overlays use, and the same from 2.4 to 2.6; slapd exports them. What they
 * take is not looked into, but for the name that a registered overlay begins with.
 */
#include "hosts/slapi/stored.h"

#include <string.h>

struct overlay {
    const char *name;
};

extern int be_entry_get_rw(void *operation, struct berval *dn, void *object_class, void *attribute,
                           int to_write, Slapi_Entry **entry) __attribute__((weak));
extern int be_entry_release_rw(void *operation, Slapi_Entry *entry, int to_write)
    __attribute__((weak));
extern struct overlay *overlay_next(struct overlay *overlay) __attribute__((weak));
extern int overlay_is_inst(void *database, const char *name) __attribute__((weak));
extern void *frontendDB __attribute__((weak)); /* NOLINT: slapd's name */

static const char *const harmless[] = { "accesslog", "auditlog", "constraint", "glue",
                                        "lastbind",  "memberof", "ppolicy",    "refint",
                                        "slapi",     "syncprov", "unique" };

static bool
is_harmless(const char *name)
{
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (!strcmp(name, harmless[i]))
            return true;
    }
    return false;
}

/* Whether all overlays of the database, and of all databases, are. One may be added at any time. */
static bool
shows_what_is_stored(Slapi_PBlock *block)
{
    void *database = NULL;
    char *type = NULL;

    slapi_pblock_get(block, SLAPI_BACKEND, &database);
    slapi_pblock_get(block, SLAPI_BE_TYPE, &type);
    if (!database || !type || strcmp(type, "mdb") != 0)
        return false;
    for (struct overlay *one = overlay_next(NULL); one; one = overlay_next(one)) {
        if (!is_harmless(one->name) &&
            (overlay_is_inst(database, one->name) || overlay_is_inst(frontendDB, one->name)))
            return false;
    }
    return true;
}

bool
stored_follows(Slapi_PBlock *block)
{
    void *database = NULL;

    slapi_pblock_get(block, SLAPI_BACKEND, &database);
    if (!overlay_is_inst || !&frontendDB || !frontendDB)
        return false;
    return (database && overlay_is_inst(database, "refint")) ||
           overlay_is_inst(frontendDB, "refint");
}

static Slapi_Entry *
look_up(void *operation, char *dn)
{
    struct berval value = { strlen(dn), dn };
    Slapi_Entry *entry = NULL;

    return be_entry_get_rw(operation, &value, NULL, NULL, 0, &entry) ? NULL : entry;
}

/* Entries are found by the normal form of their DN alone. Making it takes longer than to look, and many a DN, as
 * one all in small letters, has it already: then it is nobody else's. */
Slapi_Entry *
stored_entry(Slapi_PBlock *block)
{
    char *dn = NULL, *normal;
    void *operation = NULL;
    Slapi_Entry *entry;

    if (!be_entry_get_rw || !be_entry_release_rw || !overlay_next || !overlay_is_inst ||
        !&frontendDB || !frontendDB || !shows_what_is_stored(block))
        return NULL;
    slapi_pblock_get(block, SLAPI_OPERATION, &operation);
    slapi_pblock_get(block, SLAPI_TARGET_DN, &dn);
    if (!operation || !dn)
        return NULL;
    entry = look_up(operation, dn);
    normal = entry ? NULL : slapi_dn_normalize_case(dn);
    if (normal)
        entry = look_up(operation, normal);
    slapi_ch_free_string(&normal);
    return entry;
}

void
stored_release(Slapi_PBlock *block, Slapi_Entry *entry)
{
    void *operation = NULL;

    slapi_pblock_get(block, SLAPI_OPERATION, &operation);
    be_entry_release_rw(operation, entry, 0);
}
