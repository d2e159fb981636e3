/*
 * A scripted HTTP server on 127.0.0.1, in a thread of the test program: start it with a list of
 * answers, make calls, then read what arrived. Plain sockets, so that it can also answer wrongly,
 * late, half or not at all.
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <stddef.h>

enum loopback_end {
    LOOPBACK_KEEP,  /* keeps the connection for the next request */
    LOOPBACK_CLOSE, /* closes it after the answer */
    LOOPBACK_RESET, /* sends what there is, then resets the connection */
    LOOPBACK_HANG   /* sends what there is, then neither sends nor closes until the end */
};

/*
 * Answers the first request that contains `where` (NULL: any). Each answer is used `times` times
 * (0: once), the first one that fits and is not used up. "@ORIGIN@" in header and body becomes the
 * server's own origin. No answer that fits: 599.
 */
struct loopback_answer {
    const char *where;
    int status;         /* 0: no answer at all, only `end` */
    const char *header; /* further header lines, each with \r\n */
    const char *body;   /* NULL: empty */
    const char *raw;    /* sent as it is, in the place of all the above */
    size_t raw_length;  /* 0: strlen(raw) */
    unsigned times, delay_ms;
    unsigned drip_ms; /* pause before each byte of `raw` */
    enum loopback_end end;
};

struct loopback;

/* Aborts the program when it cannot: it is a test. Copies the list, not the texts. */
struct loopback *loopback_start(const struct loopback_answer *answers, size_t count);
/* Ends all connections, then frees everything. */
void loopback_stop(struct loopback *server);

/* "http://127.0.0.1:40123" */
const char *loopback_origin(const struct loopback *server);
/* Requests that came whole, in order; their text (head and body), borrowed until the stop. */
size_t loopback_count(struct loopback *server);
size_t loopback_count_with(struct loopback *server, const char *part);
const char *loopback_request(struct loopback *server, size_t index);
/* Connections accepted. */
size_t loopback_connections(struct loopback *server);

#endif
