/* HTTP on loopback, with TLS or without, one listener an org and one for the login host. */
#ifndef ORG_SERVER_H
#define ORG_SERVER_H

#include "tests/org/exchange.h"
#include "tests/org/tls.h"

struct server;

/* How a listener speaks TLS; it keeps the texts. */
struct server_tls {
    const struct tls_identity *identity;
    bool old; /* TLS 1.1 at most */
};

/* Listens on a free port of 127.0.0.1; *ret_origin is heap. NULL when it cannot. org NULL: the login
 * host; tls NULL: in clear. */
struct server *server_start(struct exchanges *exchanges, struct org *org,
                            const struct server_tls *tls, char **ret_origin);
void server_stop(struct server *server);

#endif
