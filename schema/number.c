/* Reads, rounds and writes a decimal number digit by digit. What a number means for a field, and
 * what is told of a wrong one, is mapping_value.c's business. */
#include "schema/number.h"

#include <stdlib.h>
#include <string.h>

/* Digits read; more than that, or a larger exponent, is no number that a field could hold. */
#define MOST_DIGITS   60
#define MOST_EXPONENT 99

/* digits[0..count), of which the first `point` stand before the decimal point. */
struct decimal {
    bool negative;
    char digits[MOST_DIGITS + 2];
    long count, point;
};

/* "e+5" at text; the number of bytes, 0 if it is none. */
static size_t
read_exponent(const char *text, long *ret)
{
    size_t sign = text[1] == '+' || text[1] == '-' ? 1 : 0;
    size_t length = strspn(text + 1 + sign, "0123456789");

    if ((*text != 'e' && *text != 'E') || length == 0 || length > 4)
        return 0;
    *ret = strtol(text + 1, NULL, 10);
    return 1 + sign + length;
}

static bool
read_decimal(const char *text, struct decimal *ret)
{
    long exponent = 0;
    bool point = false, any = false;

    *ret = (struct decimal){ .negative = *text == '-' };
    if (*text == '-' || *text == '+')
        text++;
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        any = true;
        if (ret->count == 0 && *text == '0') { /* leading zeros say nothing */
            ret->point -= point ? 1 : 0;
            continue;
        }
        if (ret->count == MOST_DIGITS || ret->point < -MOST_EXPONENT)
            return false;
        ret->digits[ret->count++] = *text;
        ret->point += point ? 0 : 1;
    }
    if (any && *text)
        text += read_exponent(text, &exponent);
    ret->point += exponent;
    return any && !*text && exponent >= -MOST_EXPONENT && exponent <= MOST_EXPONENT;
}

/* Keeps `keep` digits. */
static bool
round_to(struct decimal *decimal, long keep)
{
    bool up, rounded = false;

    if (keep >= decimal->count)
        return false;
    for (long i = keep < 0 ? 0 : keep; i < decimal->count; i++)
        rounded = rounded || decimal->digits[i] != '0';
    up = keep >= 0 && decimal->digits[keep] >= '5';
    decimal->count = keep < 0 ? 0 : keep;
    for (long i = decimal->count - 1; up && i >= 0; i--) {
        up = decimal->digits[i] == '9';
        decimal->digits[i] = up ? '0' : (char)(decimal->digits[i] + 1);
    }
    if (up) { /* 9.99 becomes 10.0 */
        memmove(decimal->digits + 1, decimal->digits, (size_t)decimal->count);
        decimal->digits[0] = '1';
        decimal->count++;
        decimal->point++;
    }
    return rounded;
}

static void
write_decimal(const struct decimal *decimal, char ret[NUMBER_SIZE])
{
    char *to = ret;

    if (decimal->negative && decimal->count > 0)
        *to++ = '-';
    if (decimal->point <= 0 || decimal->count == 0)
        *to++ = '0';
    for (long i = 0; i < decimal->point && decimal->count > 0; i++)
        *to++ = i < decimal->count ? decimal->digits[i] : '0';
    if (decimal->count > decimal->point && decimal->count > 0) {
        *to++ = '.';
        for (long i = decimal->point; i < decimal->count; i++)
            *to++ = i < 0 ? '0' : decimal->digits[i];
    }
    *to = '\0';
}

enum number_fault
number_form(const char *text, size_t precision, size_t scale, char ret[NUMBER_SIZE],
            bool *ret_rounded)
{
    struct decimal decimal;

    *ret_rounded = false;
    if (!read_decimal(text, &decimal))
        return NUMBER_NONE;
    *ret_rounded = round_to(&decimal, decimal.point + (long)scale);
    while (decimal.count > 0 && decimal.count > decimal.point &&
           decimal.digits[decimal.count - 1] == '0')
        decimal.count--;
    if (decimal.count > 0 && decimal.point > (long)(precision - scale))
        return NUMBER_LARGE;
    write_decimal(&decimal, ret);
    return NUMBER_OK;
}
