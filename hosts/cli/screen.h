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
/* Columns that the first `length` bytes of a text take. */
size_t screen_width(const char *text, size_t length);

/* Columns of the terminal that stdout is; 0 if it is none, and then nothing is wrapped. */
size_t screen_columns(void);

/*
 * How many bytes of a text go on one line of at most `columns` columns: all of it, or up to a blank,
 * or, when a word is longer than the line, what fits. At least one character. *ret_next is where the
 * next line begins, blanks passed over.
 */
size_t screen_fit(const char *text, size_t columns, size_t *ret_next);

/* The first `length` bytes of a text, in a tone. */
void screen_piece(FILE *file, enum tone tone, const char *text, size_t length);

/* A block narrower than this reads worse than what the terminal makes of it: it is not wrapped. */
#define SCREEN_BLOCK_MIN 20

/* A text on stdout and a line end, wrapped so that its lines stand below each other from column
 * `indent` on, where the cursor is. */
void screen_block(size_t indent, enum tone tone, const char *text);

/* One line on stderr, "sfprov: ..." in front; a progress line is wiped first. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Redraws the progress line; nothing if stderr is no terminal. */
void screen_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void screen_progress_end(void);

#endif
