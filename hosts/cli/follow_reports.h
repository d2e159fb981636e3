/*
 * Reports whose manager has come: they are heard when there is nobody at that DN yet, and an entry that comes there later,
 * or is renamed to it, changes nothing of theirs. The directory knows who names it.
 */
#ifndef CLI_FOLLOW_REPORTS_H
#define CLI_FOLLOW_REPORTS_H

#include "hosts/cli/columns.h"
#include "hosts/ldap/content.h"

#define FOLLOW_PLACES 65536

/* Zeroed: nobody has come, and of nobody it is known where they are. */
struct follow_reports {
    char **managers; /* DNs of those who have come, and whose reports are to be told */
    size_t count, room;
    /* Digests of somebody with their DN, by a digest of who it is. A place may be another one's as well: then they
     * are taken for moved, which costs a question. */
    uint64_t places[FOLLOW_PLACES];
};

/* Notes where somebody is: whether that is, or may be, another place than before. */
bool follow_reports_moved(struct follow_reports *reports, const char *uuid, const char *dn);

/* PROV_E_NOMEM. */
int follow_reports_note(struct follow_reports *reports, const char *manager,
                        struct prov_error *err);

/* Tells the listener of their reports. As content_search(), and PROV_E_NOMEM; nobody is left to be told then. */
int follow_reports_tell(struct follow_reports *reports, const struct columns *columns,
                        struct content *content, struct prov_error *err);
/* Nobody is left to be told; who was is taken for moved when they are heard again. */
void follow_reports_clear(struct follow_reports *reports);

#endif
