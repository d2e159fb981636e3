/* Facts on stdout, one a line: a label, and what it says, 16 columns to the right. */
#ifndef CLI_FACT_H
#define CLI_FACT_H

#include <stdint.h>

#include "hosts/cli/screen.h"

#define FACT_COLUMN 16

/* Wrapped below itself; nothing if the text is NULL or empty. */
void print_fact(const char *label, enum tone tone, const char *text);
/* The same from a format, plain. */
void print_factf(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The tone of a user's or the connector's state. */
enum tone state_tone(const char *state);

/* "12 s", "3 min", "5 h", "2 days"; "830 bytes", "12.4 MB". Returns the buffer. */
char *age_words(int64_t seconds, char buffer[32]);
char *size_words(int64_t bytes, char buffer[32]);

#endif
