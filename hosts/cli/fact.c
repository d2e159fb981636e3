/* How single facts are laid out and worded; what they are is the commands' business. */
#include "hosts/cli/fact.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
print_fact(const char *label, enum tone tone, const char *text)
{
    if (!text || !*text)
        return;
    printf("%-*s", FACT_COLUMN, label);
    screen_block(FACT_COLUMN, tone, text);
}

void
print_factf(const char *label, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    print_fact(label, TONE_PLAIN, length < 0 ? "out of memory" : text);
    if (length >= 0)
        free(text);
}

enum tone
state_tone(const char *state)
{
    if (!strcmp(state, "parked") || !strcmp(state, "held"))
        return TONE_BAD;
    if (!strcmp(state, "pending") || !strcmp(state, "in_flight") || !strcmp(state, "waiting"))
        return TONE_WARN;
    return TONE_GOOD;
}

char *
age_words(int64_t seconds, char buffer[32])
{
    if (seconds < 120)
        snprintf(buffer, 32, "%" PRId64 " s", seconds);
    else if (seconds < 7200)
        snprintf(buffer, 32, "%" PRId64 " min", seconds / 60);
    else if (seconds < 172800)
        snprintf(buffer, 32, "%" PRId64 " h", seconds / 3600);
    else
        snprintf(buffer, 32, "%" PRId64 " days", seconds / 86400);
    return buffer;
}

char *
size_words(int64_t bytes, char buffer[32])
{
    if (bytes < 10000)
        snprintf(buffer, 32, "%" PRId64 " bytes", bytes);
    else if (bytes < 10000000)
        snprintf(buffer, 32, "%.1f kB", (double)bytes / 1e3);
    else if (bytes < INT64_C(10000000000))
        snprintf(buffer, 32, "%.1f MB", (double)bytes / 1e6);
    else
        snprintf(buffer, 32, "%.1f GB", (double)bytes / 1e9);
    return buffer;
}
