/* A host that has a function by the name of one of zlib's, as slapd has: this program. */
#include <stdlib.h>
#include <string.h>

#include "plugin/salesforce/unpack.h"
#include "tests/unit/salesforce_session.h"

/* slapd's own has other arguments, and crashes when zlib calls it. */
unsigned crc32(const void *data, unsigned length);

__attribute__((visibility("default"))) unsigned
crc32(const void *data, unsigned length)
{
    (void)data;
    (void)length;
    abort();
}

static void
where_zlib_would_call_the_host_nothing_is_unpacked(void)
{
    /* an empty gzip member, whose sum and length are looked at */
    static const char packed[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
        "\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";
    struct loopback_answer answers[] = {
        GIVES_TOKEN,
        { .where = AT_QUERY, .status = 200, .header = JSON_TYPE, .body = NO_ROWS, .times = 1 },
        { .raw = (char *)packed, .raw_length = sizeof(packed) - 1 },
    };
    struct loopback *server = START(answers);
    struct sf_session *session = open_session(server, NO_HURRY_MS);

    T_TRUE(!unpack_is_sound());
    T_INT(query_call(session).outcome, SF_DELIVERED);
    T_TRUE(!strstr(loopback_request(server, 0), "Accept-Encoding"));
    T_TRUE(!strstr(loopback_request(server, 1), "Accept-Encoding"));
    T_INT(query_call(session).outcome, SF_RETRY); /* nobody asked for it so */
    end(session, server);
}

static const struct unit_case cases[] = {
    UNIT_CASE(where_zlib_would_call_the_host_nothing_is_unpacked),
};

int
main(int argc, char **argv)
{
    return unit_run("salesforce_unpack", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
