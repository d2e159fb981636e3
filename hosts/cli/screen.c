/*
 * What the terminal sees. Decides on colour (a terminal, NO_COLOR unset, not a dumb one), on how
 * wide a text stands, and on what is not let through to it. Messages and the progress line share
 * stderr and are written under its lock, because the plugin's log comes from another thread.
 * Leaves layout to table.c and the commands.
 */
#include "hosts/cli/screen.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

static bool colour, progress_wanted, progress_shown;

void
screen_begin(void)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

    /* C.UTF-8 is there on every Debian; numbers and messages stay those of C. */
    setlocale(LC_CTYPE, "C.UTF-8");
    colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
             !(terminal && !strcmp(terminal, "dumb"));
    progress_wanted = isatty(STDERR_FILENO);
}

void
screen_color(const char *when)
{
    if (strcmp(when, "auto"))
        colour = !strcmp(when, "always");
}

void
screen_quiet(void)
{
    progress_wanted = false;
}

/* Takes one character off *text. Returns its display width and sets *ret_length to its bytes, or to
 * 0 when it must not reach the terminal as it is; the text then moves on by one byte. */
static size_t
next_character(const char *text, size_t *ret_length)
{
    mbstate_t state = { 0 };
    wchar_t wide;
    size_t length = mbrtowc(&wide, text, strlen(text), &state);
    int width;

    *ret_length = 0;
    if (length == (size_t)-1 || length == (size_t)-2 || length == 0)
        return 1;
    if (iswcntrl((wint_t)wide))
        return 1;
    *ret_length = length;
    width = wcwidth(wide);
    return width < 0 ? 1 : (size_t)width;
}

void
screen_text(FILE *file, const char *text)
{
    size_t length;

    while (*text) {
        next_character(text, &length);
        if (length)
            fwrite(text, 1, length, file);
        else
            fputc(*text == '\n' || *text == '\t' || *text == '\r' ? ' ' : '?', file);
        text += length ? length : 1;
    }
}

size_t
screen_width(const char *text)
{
    size_t width = 0, length;

    while (*text) {
        width += next_character(text, &length);
        text += length ? length : 1;
    }
    return width;
}

void
screen_tone(FILE *file, enum tone tone, const char *text)
{
    static const char *const codes[] = {
        [TONE_PLAIN] = "",       [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
        [TONE_BAD] = "\033[31m", [TONE_DIM] = "\033[2m",   [TONE_BOLD] = "\033[1m"
    };
    bool painted = colour && tone != TONE_PLAIN && file == stdout;

    if (painted)
        fputs(codes[tone], file);
    screen_text(file, text);
    if (painted)
        fputs("\033[0m", file);
}

static void
wipe_progress(void)
{
    if (progress_shown)
        fputs("\r\033[K", stderr);
    progress_shown = false;
}

void
complain(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    fflush(stdout);
    flockfile(stderr);
    wipe_progress();
    fputs("sfprov: ", stderr);
    screen_text(stderr, length < 0 ? "out of memory" : text);
    fputc('\n', stderr);
    funlockfile(stderr);
    if (length >= 0)
        free(text);
}

void
screen_progress(const char *format, ...)
{
    va_list arguments;

    if (!progress_wanted)
        return;
    va_start(arguments, format);
    flockfile(stderr);
    wipe_progress();
    vfprintf(stderr, format, arguments);
    fflush(stderr);
    progress_shown = true;
    funlockfile(stderr);
    va_end(arguments);
}

void
screen_progress_end(void)
{
    flockfile(stderr);
    wipe_progress();
    fflush(stderr);
    funlockfile(stderr);
}
