/* Record ids: how they are made, and their 18-character form. Which object a prefix stands for is
 * left to fields.c. */
#include "tests/org/ids.h"

#include <string.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Fact sheet 5.5: bit j of a group of five is set when its character j is an upper-case letter. */
static void
add_suffix(char id[ID_SIZE])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

    for (int group = 0; group < 3; group++) {
        unsigned bits = 0;
        for (int j = 0; j < 5; j++) {
            char c = id[group * 5 + j];
            if (c >= 'A' && c <= 'Z')
                bits |= 1u << j;
        }
        id[15 + group] = letters[bits];
    }
    id[18] = '\0';
}

void
id_make(char ret[ID_SIZE], const char *prefix, unsigned org_index, uint64_t number)
{
    /* starts in the middle of the range so that ids mix digits and letters of both cases */
    uint64_t rest = number + UINT64_C(9268137431);

    memcpy(ret, prefix, 3);
    ret[3] = digits[(org_index + 5) % 62];
    ret[4] = digits[(org_index + 42) % 62];
    for (int at = 14; at >= 5; at--) {
        ret[at] = digits[rest % 62];
        rest /= 62;
    }
    add_suffix(ret);
}

bool
id_shaped(const char *id)
{
    size_t length = strlen(id);

    return (length == 15 || length == 18) && strspn(id, digits) == length;
}

bool
id_normalise(const char *id, char ret[ID_SIZE])
{
    char copy[ID_SIZE];

    if (!id_shaped(id))
        return false;
    memcpy(copy, id, 15);
    add_suffix(copy);
    if (strlen(id) == 18 && strcmp(id, copy) != 0)
        return false;
    memcpy(ret, copy, ID_SIZE);
    return true;
}
