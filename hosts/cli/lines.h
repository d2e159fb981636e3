/*
 * Lines of a text that may be longer than memory, each checked to be UTF-8. Pure but for the source
 * it is given. CSV, LDIF and JSON are read through it.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include <provisioning/connector.h>

/* A longer line is a fault, except where it is taken in pieces. */
#define LINES_MAX_BYTES (8u * 1024u * 1024u)

/* Where the bytes come from: read() gives at least one, 0 at the end, or a negative errno. */
struct text_source {
    long (*read)(void *context, char *to, size_t size);
    void *context;
};

/* What a reader has found. */
enum found {
    FOUND_ITEM,  /* the next one, borrowed until the next call */
    FOUND_FAULT, /* one that cannot be read, told in err; the next may be read */
    FOUND_STOP,  /* nothing more can be read, told in err */
    FOUND_END
};

struct line {
    const char *text; /* without its end; NUL-terminated, but for a piece */
    size_t length;
    size_t number;   /* from 1 */
    size_t before;   /* characters of this line in earlier pieces */
    const char *end; /* "\n", "\r\n", "\r"; "": the text ends here, or more of the line comes */
};

struct lines {
    struct text_source source;
    bool pieces; /* a long line comes in pieces, with the end "" */
    bool begun, ended, skipping;
    size_t number, before;
    char *bytes;
    size_t start, count, capacity;
};

/*
 * The next line. Any of the three line ends; a byte order mark is passed over. FOUND_FAULT for a
 * line that is not UTF-8, holds a NUL, or is too long; FOUND_STOP for UTF-16 and for a source that
 * fails.
 */
enum found lines_next(struct lines *lines, struct line *ret, struct prov_error *err);
void lines_clear(struct lines *lines);

/* A source over text in memory. */
struct text_bytes {
    const char *text;
    size_t length;
};
struct text_source text_source_of(struct text_bytes *bytes);

#endif
