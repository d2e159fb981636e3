/*
 * What an operation on principals means for the people, by their names as the realm has them now. Knows
 * nothing of Kerberos but that a name is there or not.
 */
#ifndef KADM5_PEOPLE_H
#define KADM5_PEOPLE_H

#include "hosts/adapter/submit.h"
#include "hosts/kadm5/config.h"

enum principal_state {
    PRINCIPAL_NONE,
    PRINCIPAL_DISABLED, /* or expired */
    PRINCIPAL_ENABLED
};

struct people_realm {
    const struct config *config;
    struct submit *submit;
    const char *host;
    /* Reads the principal of this name, as it is now. PROV_E_STATE: it cannot be told. */
    int (*state)(void *context, const char *name, enum principal_state *ret,
                 struct prov_error *err);
    void *context;
};

/*
 * Each hands over what became of the people, and returns when that is on disk; or says in the log and by
 * the mark what it could not. What the realm has now is read meanwhile, so that of several processes the
 * last one hands the last state over. A name may be NULL: it is not of this realm.
 */
void people_changed(const struct people_realm *realm, const char *name);
void people_created(const struct people_realm *realm, const char *name, const char *password);
void people_removed(const struct people_realm *realm, const char *name);
void people_renamed(const struct people_realm *realm, const char *from, const char *to);
/* password: NULL: it is not told. */
void people_new_password(const struct people_realm *realm, const char *name, const char *password);

#endif
