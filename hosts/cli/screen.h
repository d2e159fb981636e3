/* The terminal: colour, display width, the progress line, and messages on stderr. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum tone {
    TONE_PLAIN,
    TONE_GOOD,
    TONE_WARN,
    TONE_BAD,
    TONE_DIM,
    TONE_BOLD
};

/* Once, before anything is printed: character set, colours, whether there is a progress line. */
void screen_begin(void);
/* "always" or "never", whatever the terminal is; "auto" leaves it as screen_begin() found it. */
void screen_color(const char *when);
/* No progress line. */
void screen_quiet(void);

/* Text from outside (names, answers of Salesforce) with control characters and bytes that are no
 * UTF-8 made visible, so that nothing can drive the terminal. */
void screen_text(FILE *file, const char *text);
/* The same in a tone, if stdout is a terminal. */
void screen_tone(FILE *file, enum tone tone, const char *text);
/* Columns that screen_text() takes. */
size_t screen_width(const char *text);

/* One line on stderr, "sfprov: ..." in front; a progress line is wiped first. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Redraws the progress line; nothing if stderr is no terminal. */
void screen_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void screen_progress_end(void);

#endif
