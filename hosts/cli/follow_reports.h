/*
 * Reports whose manager has come: they are heard when there is nobody at that DN yet, and an entry that comes there later
 * changes nothing of theirs. The directory knows who names it.
 */
#ifndef CLI_FOLLOW_REPORTS_H
#define CLI_FOLLOW_REPORTS_H

#include "hosts/cli/columns.h"
#include "hosts/ldap/content.h"

/* Zeroed: nobody has come. */
struct follow_reports {
    char **managers; /* DNs of those who have come, and whose reports are to be told */
    size_t count, room;
};

/* PROV_E_NOMEM. */
int follow_reports_note(struct follow_reports *reports, const char *manager,
                        struct prov_error *err);

/* Tells the listener of their reports. As content_search(), and nobody is left to be told then. */
int follow_reports_tell(struct follow_reports *reports, const struct columns *columns,
                        struct content *content, struct prov_error *err);
void follow_reports_clear(struct follow_reports *reports);

#endif
