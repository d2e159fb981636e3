/*
 * What the terminal sees. Decides on colour (a terminal, NO_COLOR unset, not a dumb one), on how
 * wide a text stands and where it is wrapped, and on what is not let through to it. Messages and the progress line share
 * stderr and are written under its lock, because the plugin's log comes from another thread.
 * Leaves layout to table.c and the commands.
 */
#include "hosts/cli/screen.h"

#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

static bool colour, progress_wanted, progress_shown;
static size_t columns_of_stdout;

void
screen_begin(void)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    struct winsize size = { .ws_col = 0 };

    /* C.UTF-8 is there on every Debian; numbers and messages stay those of C. */
    setlocale(LC_CTYPE, "C.UTF-8");
    colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
             !(terminal && !strcmp(terminal, "dumb"));
    progress_wanted = isatty(STDERR_FILENO);
    if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
        columns_of_stdout = size.ws_col;
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

static void
put_text(FILE *file, const char *text, const char *end)
{
    size_t length;

    while (text < end) {
        next_character(text, &length);
        if (length)
            fwrite(text, 1, length, file);
        else
            fputc(*text == '\n' || *text == '\t' || *text == '\r' ? ' ' : '?', file);
        text += length ? length : 1;
    }
}

void
screen_text(FILE *file, const char *text)
{
    put_text(file, text, text + strlen(text));
}

size_t
screen_width(const char *text, size_t length)
{
    const char *end = text + length;
    size_t width = 0, bytes;

    while (text < end) {
        width += next_character(text, &bytes);
        text += bytes ? bytes : 1;
    }
    return width;
}

size_t
screen_columns(void)
{
    return columns_of_stdout;
}

static bool
is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

size_t
screen_fit(const char *text, size_t columns, size_t *ret_next)
{
    size_t at = 0, width = 0, blank = 0, length;

    while (text[at]) {
        size_t wide = next_character(text + at, &length);

        if (is_blank(text[at]))
            blank = at;
        if (at && width + wide > columns)
            break;
        width += wide;
        at += length ? length : 1;
    }
    if (text[at] && blank)
        at = blank;
    *ret_next = at;
    while (is_blank(text[*ret_next]))
        ++*ret_next;
    return at;
}

void
screen_piece(FILE *file, enum tone tone, const char *text, size_t length)
{
    static const char *const codes[] = {
        [TONE_PLAIN] = "",       [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
        [TONE_BAD] = "\033[31m", [TONE_DIM] = "\033[2m",   [TONE_BOLD] = "\033[1m"
    };
    bool painted = colour && tone != TONE_PLAIN && file == stdout && length;

    if (painted)
        fputs(codes[tone], file);
    put_text(file, text, text + length);
    if (painted)
        fputs("\033[0m", file);
}

void
screen_tone(FILE *file, enum tone tone, const char *text)
{
    screen_piece(file, tone, text, strlen(text));
}

void
screen_block(size_t indent, enum tone tone, const char *text)
{
    size_t columns =
        columns_of_stdout < indent + SCREEN_BLOCK_MIN ? SIZE_MAX : columns_of_stdout - indent;
    size_t next, length = screen_fit(text, columns, &next);

    screen_piece(stdout, tone, text, length);
    while (text[next]) {
        text += next;
        length = screen_fit(text, columns, &next);
        printf("\n%*s", (int)indent, "");
        screen_piece(stdout, tone, text, length);
    }
    putchar('\n');
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
