/* Certificates for the simulated org, made anew at each start: good ones and bad ones. */
#ifndef ORG_TLS_H
#define ORG_TLS_H

#include "tests/org/sim.h"

/* PEM texts, heap. */
struct tls_identity {
    char *ca;          /* what a client is told to trust */
    char *certificate; /* what the server shows */
    char *key;         /* its key */
};

/* False when the crypto library refuses. */
bool tls_identity_make(enum org_sim_certificate kind, struct tls_identity *ret);
void tls_identity_free(struct tls_identity *identity);

#endif
