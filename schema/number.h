/* Decimal numbers as text, exactly: Salesforce keeps up to 18 digits, more than a double has. Pure. */
#ifndef SCHEMA_NUMBER_H
#define SCHEMA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/base/cleanup.h"

#define NUMBER_MAX_DIGITS 18
/* The longest text: sign, that many digits before the point and after it, NUL, and some. */
#define NUMBER_SIZE 48

enum number_fault {
    NUMBER_OK,
    NUMBER_NONE, /* the text is no number in digits with a decimal point */
    NUMBER_LARGE /* more digits before the point than precision - scale */
};

/*
 * The number in text, rounded (half away from zero) to `scale` digits after the point: "1234.50" with
 * scale 1 gives "1234.5". *ret_rounded: something was lost. precision - scale and scale are at most
 * NUMBER_MAX_DIGITS.
 */
enum number_fault number_form(const char *text, size_t precision, size_t scale,
                              char ret[NUMBER_SIZE], bool *ret_rounded);

#endif
