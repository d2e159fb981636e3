/* How a fault is noted, kept free of secrets, and turned into the one line of an error; and which
 * known name an unknown one most looks like. What is a fault is decided by those who read fields
 * and mapping rules. */
#include "schema/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"
#include "schema/letters.h"

/* Longest value shown, in characters. */
#define VALUE_SHOWN 60
/* Shorter secrets are not looked for in texts. */
#define SECRET_LOOKED_FOR 6
/* Longest name compared, in bytes. */
#define NAME_COMPARED 64

/* text with every occurrence of secret replaced, in whatever case (host names are put in lower
 * case); NULL when out of memory. Takes over text. */
static char *
without_secret(char *text, const char *secret)
{
    static const char instead[] = "(not shown)";
    size_t length = strlen(secret);
    const char *found;

    /* a secret that is part of the replacement would be found for ever */
    if (length < SECRET_LOOKED_FOR || ascii_find(instead, secret))
        return text;
    while (text && (found = ascii_find(text, secret))) {
        char *clean =
            letters_format("%.*s%s%s", (int)(found - text), text, instead, found + length);
        free(text);
        text = clean;
    }
    return text;
}

/* Adds text, without secrets and cut to `most` characters (0: not cut). */
static int
put_clean(struct fault_list *list, struct json_object *fault, const char *name, const char *text,
          size_t most)
{
    size_t secrets = list->secrets ? json_object_array_length(list->secrets) : 0;
    AUTO_FREE char *clean = strdup(text);

    for (size_t i = 0; clean && i < secrets; i++)
        clean = without_secret(STEAL(clean),
                               json_object_get_string(json_object_array_get_idx(list->secrets, i)));
    if (!clean)
        return PROV_E_NOMEM;
    if (most && letters_units(clean) > most) {
        AUTO_FREE char *shown = NULL;
        letters_cut_units(clean, most);
        shown = letters_format("%s...", clean);
        return shown ? json_put_string(fault, name, shown) : PROV_E_NOMEM;
    }
    return json_put_string(fault, name, clean);
}

void
faults_add(struct fault_list *list, const char *field, const char *value, const char *remedy,
           const char *format, ...)
{
    AUTO_JSON struct json_object *fault = json_object_new_object();
    AUTO_FREE char *reason = NULL;
    va_list arguments;

    va_start(arguments, format);
    reason = letters_vformat(format, arguments);
    va_end(arguments);
    if (!fault || !reason || put_clean(list, fault, "field", field, VALUE_SHOWN) ||
        put_clean(list, fault, "value", value ? value : "", VALUE_SHOWN) ||
        put_clean(list, fault, "reason", reason, 0) ||
        put_clean(list, fault, "remedy", remedy, 0) ||
        json_object_array_add(list->array, fault) != 0)
        list->result = PROV_E_NOMEM;
    else
        STEAL(fault);
}

int
faults_first(struct json_object *faults, struct prov_error *err)
{
    struct json_object *first = json_object_array_get_idx(faults, 0);
    size_t count = json_object_array_length(faults);
    const char *value = json_get_string(first, "value");
    char more[48] = "";

    if (count > 1)
        snprintf(more, sizeof(more), " (and %zu more fault%s)", count - 1, count > 2 ? "s" : "");
    return error_set(err, PROV_E_FIELDS, "'%s'%s%s%s: %s: %s%s", json_get_string(first, "field"),
                     value && *value ? " is '" : "", value ? value : "", value && *value ? "'" : "",
                     json_get_string(first, "reason"), json_get_string(first, "remedy"), more);
}

/* Lower case without '_' and '-', cut to size. */
static size_t
plain_name(const char *name, char plain[NAME_COMPARED])
{
    size_t length = 0;

    for (; *name && length < NAME_COMPARED; name++) {
        if (*name != '_' && *name != '-')
            plain[length++] = ascii_lower(*name);
    }
    return length;
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits that make one name of the other: add, drop, replace, swap two neighbours. */
static size_t
edit_distance(const char *a, const char *b)
{
    char one[NAME_COMPARED], other[NAME_COMPARED];
    size_t rows = plain_name(a, one), columns = plain_name(b, other);
    size_t cost[NAME_COMPARED + 1][NAME_COMPARED + 1];

    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = cost[i - 1][j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
            cost[i][j] = least(cost[i][j], least(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[rows][columns];
}

void
nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t distance = edit_distance(nearest->word, candidate);

    if (!nearest->best || distance < nearest->distance) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}

bool
nearest_is_near(const struct nearest *nearest)
{
    return nearest->distance <= strlen(nearest->word) / 2;
}
