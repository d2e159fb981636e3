/* HTTP on loopback, one listener an org and one for the login host. */
#ifndef ORG_SERVER_H
#define ORG_SERVER_H

#include "tests/org/exchange.h"

struct server;

/* Listens on a free port of 127.0.0.1; *ret_origin is heap. NULL and a message on stderr when it
 * cannot. org NULL: the login host. */
struct server *server_start(struct exchanges *exchanges, struct org *org, char **ret_origin);
void server_stop(struct server *server);

#endif
