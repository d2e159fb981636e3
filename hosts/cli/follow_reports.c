/*
 * Decides that many who come together are one question, since a directory without an index for it looks through
 * all its people for each.
 */
#include "hosts/cli/follow_reports.h"

#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/fnv.h"
#include "hosts/ldap/member.h"

#define MANAGERS_MAX 50 /* in one question */

bool
follow_reports_moved(struct follow_reports *reports, const char *uuid, const char *dn)
{
    uint64_t who = fnv_add(FNV_NOTHING, uuid);
    uint64_t *place = &reports->places[who % FOLLOW_PLACES], is = fnv_add(who, dn);
    bool moved = *place != is;

    *place = is;
    return moved;
}

int
follow_reports_note(struct follow_reports *reports, const char *manager, struct prov_error *err)
{
    if (reports->count == reports->room) {
        size_t room = reports->room ? reports->room * 2 : MANAGERS_MAX;
        char **more = realloc(reports->managers, room * sizeof(*more));

        if (!more)
            return fault_nomem(err);
        reports->managers = more;
        reports->room = room;
    }
    reports->managers[reports->count] = strdup(manager);
    return reports->managers[reports->count++] ? PROV_OK : fault_nomem(err);
}

static void
forget_managers(struct follow_reports *reports)
{
    for (size_t i = 0; i < reports->count; i++)
        free(reports->managers[i]);
    free(reports->managers);
    reports->managers = NULL;
    reports->count = reports->room = 0;
}

void
follow_reports_clear(struct follow_reports *reports)
{
    if (reports->count)
        memset(reports->places, 0, sizeof(reports->places));
    forget_managers(reports);
}

/* The filter of whoever names one of these, heap; NULL in *ret: no attribute names a manager. */
static int
filter_of(char *const *managers, size_t count, const struct columns *columns, char **ret,
          struct prov_error *err)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    bool any = false;

    *ret = NULL;
    if (!to)
        return fault_nomem(err);
    fputs("(|", to);
    for (size_t i = 0; columns_attribute(columns, i); i++) {
        const char *name = columns_attribute(columns, i);

        if (columns_find(columns, name, true)->kind != COLUMN_MANAGER)
            continue;
        any = true;
        for (size_t j = 0; j < count; j++)
            member_condition(to, name, managers[j]);
    }
    fputc(')', to);
    if (fclose(to)) {
        free(text);
        return fault_nomem(err);
    }
    if (any)
        *ret = text;
    else
        free(text);
    return PROV_OK;
}

int
follow_reports_tell(struct follow_reports *reports, const struct columns *columns,
                    struct content *content, struct prov_error *err)
{
    int result = PROV_OK;

    for (size_t at = 0; at < reports->count && !result; at += MANAGERS_MAX) {
        size_t left = reports->count - at;
        char *filter = NULL;

        result = filter_of(reports->managers + at, left < MANAGERS_MAX ? left : MANAGERS_MAX,
                           columns, &filter, err);
        if (filter)
            result = content_search(content, filter, NULL, err);
        free(filter);
    }
    if (result)
        follow_reports_clear(reports);
    else
        forget_managers(reports);
    return result;
}
