/* Packing and unpacking by zlib, and the reading of Accept-Encoding. Who packs what is for
 * server.c. */
#include "tests/org/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    GZIP_WINDOW = 15 + 16 /* the largest window, with a gzip head */
};

char *
gzip_pack(const char *bytes, size_t length, size_t *ret_length)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)length };
    char *packed;
    uLong room;

    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        fputs("sfprov-org: out of memory\n", stderr);
        abort();
    }
    room = deflateBound(&stream, (uLong)length);
    packed = text_block(room);
    stream.next_out = (Bytef *)packed;
    stream.avail_out = (uInt)room;
    deflate(&stream, Z_FINISH); /* deflateBound() is enough for one go */
    *ret_length = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

bool
gzip_unpack(const char *bytes, size_t length, size_t limit, struct text *ret)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)length };
    char block[16384];
    int state = Z_OK;

    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return false;
    while (state == Z_OK) {
        stream.next_out = (Bytef *)block;
        stream.avail_out = sizeof(block);
        state = inflate(&stream, Z_NO_FLUSH);
        if (stream.total_out > limit)
            state = Z_DATA_ERROR;
        else
            text_add(ret, block, sizeof(block) - stream.avail_out);
    }
    inflateEnd(&stream);
    return state == Z_STREAM_END && stream.avail_in == 0;
}

bool
gzip_is_accepted(const char *header)
{
    AUTO_FREE char *copy = header ? text_lower(header) : NULL;
    char *rest = copy, *coding;

    while ((coding = rest ? strsep(&rest, ",") : NULL)) {
        char *weight = coding;
        size_t length;
        strsep(&weight, ";");
        coding += strspn(coding, " \t");
        length = strcspn(coding, " \t");
        if (length != 4 || strncmp(coding, "gzip", 4) != 0)
            continue;
        weight = weight ? strstr(weight, "q=") : NULL;
        return !weight || strtod(weight + 2, NULL) > 0;
    }
    return false;
}
