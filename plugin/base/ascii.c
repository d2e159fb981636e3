/* Compares byte by byte; what is compared is names, short for the most part. */
#include "plugin/base/ascii.h"

#include <string.h>

int
ascii_compare(const char *a, const char *b)
{
    return ascii_compare_start(a, b, (size_t)-1);
}

int
ascii_compare_start(const char *a, const char *b, size_t length)
{
    for (; length > 0; a++, b++, length--) {
        int other = *a == *b ? 0 : (unsigned char)ascii_lower(*a) - (unsigned char)ascii_lower(*b);
        if (other || !*a)
            return other;
    }
    return 0;
}

const char *
ascii_find(const char *text, const char *part)
{
    size_t length = strlen(part);

    for (;; text++) {
        if (ascii_compare_start(text, part, length) == 0)
            return text;
        if (!*text)
            return NULL;
    }
}
