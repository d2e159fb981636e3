/* UTF-8 text character by character: length, cutting, lower case, ASCII form. The tables are
 * Unicode 14 data, so that nothing depends on the locale of the process we are loaded into (a
 * Turkish one must not turn INGRID into another name). What a length or a case means for a
 * Salesforce field is the mapping's business. */
#include "schema/letters.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* From first to last, every step-th character: its lower-case form is `distance` away. */
struct lower_range {
    uint32_t first, last;
    uint8_t step;
    int32_t distance;
};

/* clang-format off */
static const struct lower_range lower_ranges[] = {
    { 0x00c0, 0x00d6, 1, 32 }, { 0x00d8, 0x00de, 1, 32 }, { 0x0100, 0x012e, 2, 1 },
    { 0x0130, 0x0130, 1, -199 }, { 0x0132, 0x0136, 2, 1 }, { 0x0139, 0x0147, 2, 1 },
    { 0x014a, 0x0176, 2, 1 }, { 0x0178, 0x0178, 1, -121 }, { 0x0179, 0x017d, 2, 1 },
    { 0x0181, 0x0181, 1, 210 }, { 0x0182, 0x0184, 2, 1 }, { 0x0186, 0x0186, 1, 206 },
    { 0x0187, 0x0187, 1, 1 }, { 0x0189, 0x018a, 1, 205 }, { 0x018b, 0x018b, 1, 1 },
    { 0x018e, 0x018e, 1, 79 }, { 0x018f, 0x018f, 1, 202 }, { 0x0190, 0x0190, 1, 203 },
    { 0x0191, 0x0191, 1, 1 }, { 0x0193, 0x0193, 1, 205 }, { 0x0194, 0x0194, 1, 207 },
    { 0x0196, 0x0196, 1, 211 }, { 0x0197, 0x0197, 1, 209 }, { 0x0198, 0x0198, 1, 1 },
    { 0x019c, 0x019c, 1, 211 }, { 0x019d, 0x019d, 1, 213 }, { 0x019f, 0x019f, 1, 214 },
    { 0x01a0, 0x01a4, 2, 1 }, { 0x01a6, 0x01a6, 1, 218 }, { 0x01a7, 0x01a7, 1, 1 },
    { 0x01a9, 0x01a9, 1, 218 }, { 0x01ac, 0x01ac, 1, 1 }, { 0x01ae, 0x01ae, 1, 218 },
    { 0x01af, 0x01af, 1, 1 }, { 0x01b1, 0x01b2, 1, 217 }, { 0x01b3, 0x01b5, 2, 1 },
    { 0x01b7, 0x01b7, 1, 219 }, { 0x01b8, 0x01b8, 1, 1 }, { 0x01bc, 0x01bc, 1, 1 },
    { 0x01c4, 0x01c4, 1, 2 }, { 0x01c5, 0x01c5, 1, 1 }, { 0x01c7, 0x01c7, 1, 2 },
    { 0x01c8, 0x01c8, 1, 1 }, { 0x01ca, 0x01ca, 1, 2 }, { 0x01cb, 0x01db, 2, 1 },
    { 0x01de, 0x01ee, 2, 1 }, { 0x01f1, 0x01f1, 1, 2 }, { 0x01f2, 0x01f4, 2, 1 },
    { 0x01f6, 0x01f6, 1, -97 }, { 0x01f7, 0x01f7, 1, -56 }, { 0x01f8, 0x021e, 2, 1 },
    { 0x0220, 0x0220, 1, -130 }, { 0x0222, 0x0232, 2, 1 }, { 0x023a, 0x023a, 1, 10795 },
    { 0x023b, 0x023b, 1, 1 }, { 0x023d, 0x023d, 1, -163 }, { 0x023e, 0x023e, 1, 10792 },
    { 0x0241, 0x0241, 1, 1 }, { 0x0243, 0x0243, 1, -195 }, { 0x0244, 0x0244, 1, 69 },
    { 0x0245, 0x0245, 1, 71 }, { 0x0246, 0x024e, 2, 1 }, { 0x0370, 0x0372, 2, 1 },
    { 0x0376, 0x0376, 1, 1 }, { 0x037f, 0x037f, 1, 116 }, { 0x0386, 0x0386, 1, 38 },
    { 0x0388, 0x038a, 1, 37 }, { 0x038c, 0x038c, 1, 64 }, { 0x038e, 0x038f, 1, 63 },
    { 0x0391, 0x03a1, 1, 32 }, { 0x03a3, 0x03ab, 1, 32 }, { 0x03cf, 0x03cf, 1, 8 },
    { 0x03d8, 0x03ee, 2, 1 }, { 0x03f4, 0x03f4, 1, -60 }, { 0x03f7, 0x03f7, 1, 1 },
    { 0x03f9, 0x03f9, 1, -7 }, { 0x03fa, 0x03fa, 1, 1 }, { 0x03fd, 0x03ff, 1, -130 },
    { 0x0400, 0x040f, 1, 80 }, { 0x0410, 0x042f, 1, 32 }, { 0x0460, 0x0480, 2, 1 },
    { 0x048a, 0x04be, 2, 1 }, { 0x04c0, 0x04c0, 1, 15 }, { 0x04c1, 0x04cd, 2, 1 },
    { 0x04d0, 0x052e, 2, 1 }, { 0x0531, 0x0556, 1, 48 }, { 0x10a0, 0x10c5, 1, 7264 },
    { 0x10c7, 0x10c7, 1, 7264 }, { 0x10cd, 0x10cd, 1, 7264 }, { 0x13a0, 0x13ef, 1, 38864 },
    { 0x13f0, 0x13f5, 1, 8 }, { 0x1c90, 0x1cba, 1, -3008 }, { 0x1cbd, 0x1cbf, 1, -3008 },
    { 0x1e00, 0x1e94, 2, 1 }, { 0x1e9e, 0x1e9e, 1, -7615 }, { 0x1ea0, 0x1efe, 2, 1 },
    { 0x1f08, 0x1f0f, 1, -8 }, { 0x1f18, 0x1f1d, 1, -8 }, { 0x1f28, 0x1f2f, 1, -8 },
    { 0x1f38, 0x1f3f, 1, -8 }, { 0x1f48, 0x1f4d, 1, -8 }, { 0x1f59, 0x1f5f, 2, -8 },
    { 0x1f68, 0x1f6f, 1, -8 }, { 0x1f88, 0x1f8f, 1, -8 }, { 0x1f98, 0x1f9f, 1, -8 },
    { 0x1fa8, 0x1faf, 1, -8 }, { 0x1fb8, 0x1fb9, 1, -8 }, { 0x1fba, 0x1fbb, 1, -74 },
    { 0x1fbc, 0x1fbc, 1, -9 }, { 0x1fc8, 0x1fcb, 1, -86 }, { 0x1fcc, 0x1fcc, 1, -9 },
    { 0x1fd8, 0x1fd9, 1, -8 }, { 0x1fda, 0x1fdb, 1, -100 }, { 0x1fe8, 0x1fe9, 1, -8 },
    { 0x1fea, 0x1feb, 1, -112 }, { 0x1fec, 0x1fec, 1, -7 }, { 0x1ff8, 0x1ff9, 1, -128 },
    { 0x1ffa, 0x1ffb, 1, -126 }, { 0x1ffc, 0x1ffc, 1, -9 }, { 0x2126, 0x2126, 1, -7517 },
    { 0x212a, 0x212a, 1, -8383 }, { 0x212b, 0x212b, 1, -8262 }, { 0x2132, 0x2132, 1, 28 },
    { 0x2160, 0x216f, 1, 16 }, { 0x2183, 0x2183, 1, 1 }, { 0x24b6, 0x24cf, 1, 26 },
    { 0x2c00, 0x2c2f, 1, 48 }, { 0x2c60, 0x2c60, 1, 1 }, { 0x2c62, 0x2c62, 1, -10743 },
    { 0x2c63, 0x2c63, 1, -3814 }, { 0x2c64, 0x2c64, 1, -10727 }, { 0x2c67, 0x2c6b, 2, 1 },
    { 0x2c6d, 0x2c6d, 1, -10780 }, { 0x2c6e, 0x2c6e, 1, -10749 }, { 0x2c6f, 0x2c6f, 1, -10783 },
    { 0x2c70, 0x2c70, 1, -10782 }, { 0x2c72, 0x2c72, 1, 1 }, { 0x2c75, 0x2c75, 1, 1 },
    { 0x2c7e, 0x2c7f, 1, -10815 }, { 0x2c80, 0x2ce2, 2, 1 }, { 0x2ceb, 0x2ced, 2, 1 },
    { 0x2cf2, 0x2cf2, 1, 1 }, { 0xa640, 0xa66c, 2, 1 }, { 0xa680, 0xa69a, 2, 1 },
    { 0xa722, 0xa72e, 2, 1 }, { 0xa732, 0xa76e, 2, 1 }, { 0xa779, 0xa77b, 2, 1 },
    { 0xa77d, 0xa77d, 1, -35332 }, { 0xa77e, 0xa786, 2, 1 }, { 0xa78b, 0xa78b, 1, 1 },
    { 0xa78d, 0xa78d, 1, -42280 }, { 0xa790, 0xa792, 2, 1 }, { 0xa796, 0xa7a8, 2, 1 },
    { 0xa7aa, 0xa7aa, 1, -42308 }, { 0xa7ab, 0xa7ab, 1, -42319 }, { 0xa7ac, 0xa7ac, 1, -42315 },
    { 0xa7ad, 0xa7ad, 1, -42305 }, { 0xa7ae, 0xa7ae, 1, -42308 }, { 0xa7b0, 0xa7b0, 1, -42258 },
    { 0xa7b1, 0xa7b1, 1, -42282 }, { 0xa7b2, 0xa7b2, 1, -42261 }, { 0xa7b3, 0xa7b3, 1, 928 },
    { 0xa7b4, 0xa7c2, 2, 1 }, { 0xa7c4, 0xa7c4, 1, -48 }, { 0xa7c5, 0xa7c5, 1, -42307 },
    { 0xa7c6, 0xa7c6, 1, -35384 }, { 0xa7c7, 0xa7c9, 2, 1 }, { 0xa7d0, 0xa7d0, 1, 1 },
    { 0xa7d6, 0xa7d8, 2, 1 }, { 0xa7f5, 0xa7f5, 1, 1 }, { 0xff21, 0xff3a, 1, 32 },
    { 0x10400, 0x10427, 1, 40 }, { 0x104b0, 0x104d3, 1, 40 }, { 0x10570, 0x1057a, 1, 39 },
    { 0x1057c, 0x1058a, 1, 39 }, { 0x1058c, 0x10592, 1, 39 }, { 0x10594, 0x10595, 1, 39 },
    { 0x10c80, 0x10cb2, 1, 64 }, { 0x118a0, 0x118bf, 1, 32 }, { 0x16e40, 0x16e5f, 1, 32 },
    { 0x1e900, 0x1e921, 1, 34 },
};
/* clang-format on */

/* The ASCII letter of U+00C0 to U+017F, then of U+1E00 to U+1EFF. '.': none. Capitals stand for two
 * letters: A ae, O oe, T th, S ss, I ij. */
static const char latin_base[] = "aaaaaaAceeeeiiiidnooooo.ouuuuyTSaaaaaaAceeeeiiiidnooooo.ouuuuyTy"
                                 "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiIIjjkkklllllll"
                                 "lllnnnnnnnnnooooooOOrrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static const char latin_additional_base[] =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwyas..S.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

/* The character at *text and the step over it. A byte that is no UTF-8 counts as a character of its
 * own: texts from outside were validated, and this must not run off their end. */
static uint32_t
next_letter(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    size_t length = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    uint32_t letter = length == 1 ? at[0] : at[0] & (0xFFu >> (length + 1));

    if (length == 0 || at[0] > 0xF4)
        length = 1, letter = 0xFFFD;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            *text += 1;
            return 0xFFFD;
        }
        letter = letter << 6 | (at[i] & 0x3F);
    }
    *text += length;
    return letter;
}

static size_t
put_letter(char *to, uint32_t letter)
{
    if (letter < 0x80) {
        to[0] = (char)letter;
        return 1;
    }
    if (letter < 0x800) {
        to[0] = (char)(0xC0 | letter >> 6);
        to[1] = (char)(0x80 | (letter & 0x3F));
        return 2;
    }
    if (letter < 0x10000) {
        to[0] = (char)(0xE0 | letter >> 12);
        to[1] = (char)(0x80 | (letter >> 6 & 0x3F));
        to[2] = (char)(0x80 | (letter & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | letter >> 18);
    to[1] = (char)(0x80 | (letter >> 12 & 0x3F));
    to[2] = (char)(0x80 | (letter >> 6 & 0x3F));
    to[3] = (char)(0x80 | (letter & 0x3F));
    return 4;
}

static uint32_t
lower_letter(uint32_t letter)
{
    size_t low = 0, high = sizeof(lower_ranges) / sizeof(lower_ranges[0]);

    if (letter < 0x80)
        return letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct lower_range *range = &lower_ranges[middle];
        if (letter > range->last)
            low = middle + 1;
        else if (letter < range->first)
            high = middle;
        else
            return (letter - range->first) % range->step
                       ? letter
                       : (uint32_t)((int32_t)letter + range->distance);
    }
    return letter;
}

/* The other way round. Of several capitals with one lower-case letter the first is the usual one. */
static uint32_t
upper_letter(uint32_t letter)
{
    /* lower-case letters that are not what their capital comes to: micro, dotless i, long s, final
     * sigma */
    static const uint32_t second_forms[][2] = {
        { 0xb5, 0x39c }, { 0x131, 'I' }, { 0x17f, 'S' }, { 0x3c2, 0x3a3 }
    };

    if (letter < 0x80)
        return letter >= 'a' && letter <= 'z' ? letter - ('a' - 'A') : letter;
    for (size_t i = 0; i < sizeof(second_forms) / sizeof(second_forms[0]); i++) {
        if (letter == second_forms[i][0])
            return second_forms[i][1];
    }
    for (size_t i = 0; i < sizeof(lower_ranges) / sizeof(lower_ranges[0]); i++) {
        const struct lower_range *range = &lower_ranges[i];
        uint32_t capital = (uint32_t)((int32_t)letter - range->distance);
        if (capital >= range->first && capital <= range->last &&
            (capital - range->first) % range->step == 0 && capital != 0x1e9e)
            return capital;
    }
    return letter;
}

size_t
letters_units(const char *text)
{
    size_t units = 0;

    while (*text)
        units += next_letter(&text) > 0xFFFF ? 2 : 1;
    return units;
}

void
letters_cut(char *text, size_t most)
{
    const char *end = text;

    for (size_t i = 0; i < most && *end; i++)
        next_letter(&end);
    text[end - text] = '\0';
}

void
letters_cut_units(char *text, size_t most)
{
    const char *end = text, *next = text;
    size_t units = 0;

    while (*next && (units += next_letter(&next) > 0xFFFF ? 2 : 1) <= most)
        end = next;
    text[end - text] = '\0';
}

/* Every letter in the other case; what is no UTF-8 stays. */
static char *
in_case(const char *text, uint32_t (*other)(uint32_t))
{
    /* It can be longer: U+023A is two bytes, its lower case three. */
    char *made = malloc(strlen(text) * 3 / 2 + 5);
    size_t length = 0;

    if (!made)
        return NULL;
    while (*text) {
        const char *from = text;
        uint32_t letter = next_letter(&text);
        if (letter == 0xFFFD) {
            memcpy(made + length, from, (size_t)(text - from));
            length += (size_t)(text - from);
        } else {
            length += put_letter(made + length, other(letter));
        }
    }
    made[length] = '\0';
    return made;
}

char *
letters_lower(const char *text)
{
    return in_case(text, lower_letter);
}

char *
letters_upper(const char *text)
{
    return in_case(text, upper_letter);
}

bool
letters_same(const char *a, const char *b)
{
    while (*a && *b) {
        const char *from_a = a, *from_b = b;
        uint32_t left = next_letter(&a), right = next_letter(&b);
        if (left == 0xFFFD && *from_a != *from_b) /* bytes that are no UTF-8 */
            return false;
        if (lower_letter(left) != lower_letter(right))
            return false;
    }
    return *a == *b;
}

/* The ASCII form of one letter in lower case; "" if it has none. */
static const char *
ascii_form(uint32_t letter, char single[2])
{
    static const char *const doubles[][2] = {
        { "A", "ae" }, { "O", "oe" }, { "T", "th" }, { "S", "ss" }, { "I", "ij" }
    };
    char base = '.';

    letter = lower_letter(letter);
    if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'))
        base = (char)letter;
    else if (letter >= 0xC0 && letter <= 0x17F)
        base = latin_base[letter - 0xC0];
    else if (letter >= 0x1E00 && letter <= 0x1EFF)
        base = latin_additional_base[letter - 0x1E00];
    else if (letter == 0x1A1)
        base = 'o'; /* Vietnamese horn */
    else if (letter == 0x1B0)
        base = 'u';
    else if (letter == 0x219)
        base = 's'; /* Romanian comma below */
    else if (letter == 0x21B)
        base = 't';
    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        if (base == doubles[i][0][0])
            return doubles[i][1];
    }
    single[0] = (char)(base == '.' ? '\0' : base);
    single[1] = '\0';
    return single;
}

char *
letters_ascii(const char *text)
{
    char *ascii = malloc(strlen(text) * 2 + 1); /* the longest form has two letters */
    size_t length = 0;

    if (!ascii)
        return NULL;
    while (*text) {
        char single[2];
        const char *form = ascii_form(next_letter(&text), single);
        while (*form)
            ascii[length++] = *form++;
    }
    ascii[length] = '\0';
    return ascii;
}

char *
letters_plain(const char *text)
{
    char *plain = malloc(strlen(text) + 1); /* no form is longer than its letter */
    size_t length = 0;

    if (!plain)
        return NULL;
    while (*text) {
        const char *from = text, *form;
        uint32_t letter = next_letter(&text);
        bool upper = lower_letter(letter) != letter;
        char single[2];
        if (letter >= 0x300 && letter <= 0x36F && length > 0 && (plain[length - 1] & 0x80) == 0)
            continue; /* a mark over the Latin letter before it */
        form = letter < 0x80 ? "" : ascii_form(letter, single);
        if (!*form) {
            memcpy(plain + length, from, (size_t)(text - from));
            length += (size_t)(text - from);
        }
        for (; *form; form++)
            plain[length++] = (char)(upper ? upper_letter((unsigned char)*form) : (uint32_t)*form);
    }
    plain[length] = '\0';
    return plain;
}

static const char blanks[] = " \t\r\n\v\f";

bool
letters_is_trimmed(const char *text)
{
    return !*text || !(strchr(blanks, *text) || strchr(blanks, text[strlen(text) - 1]));
}

char *
letters_trim(const char *text)
{
    size_t length;

    text += strspn(text, blanks);
    length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    return strndup(text, length);
}

char *
letters_vformat(const char *format, va_list arguments)
{
    char *text = NULL;

    /* what vasprintf() leaves in text after a failure is not defined */
    return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

char *
letters_format(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = letters_vformat(format, arguments);
    va_end(arguments);
    return text;
}
