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
    int held; /* of people_hold(); -1: nothing */
};

/*
 * Before a rename is written: until people_renamed() has told it, no other process tells anything, since of who is renamed
 * again meanwhile nobody would know who it is. What never came to that people_release() gives up.
 */
void people_hold(struct people_realm *realm);
void people_release(struct people_realm *realm);

/*
 * Each hands over what became of the people, and returns when that is on disk; or says in the log and by
 * the mark what it could not. What the realm has now is read meanwhile, so that of several processes the
 * last one hands the last state over. A name may be NULL: it is not of this realm.
 */
void people_changed(struct people_realm *realm, const char *name);
void people_created(struct people_realm *realm, const char *name, const char *password);
void people_removed(struct people_realm *realm, const char *name);
void people_renamed(struct people_realm *realm, const char *from, const char *to);
/* password: NULL: it is not told. */
void people_new_password(struct people_realm *realm, const char *name, const char *password);

#endif
