/* Decides how a fault of a mapping is told: place, value, reason, remedy. What is a fault is decided
 * by those who read. */
#include "schema/mapping_draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schema/letters.h"

struct draft
draft_enter(const struct draft *draft, struct json_object *object, const char *format, ...)
{
    struct draft inner = *draft;
    size_t length = strlen(inner.place);
    va_list arguments;

    inner.object = object;
    va_start(arguments, format);
    vsnprintf(inner.place + length, sizeof(inner.place) - length, format, arguments);
    va_end(arguments);
    return inner;
}

void
draft_nomem(struct draft *draft)
{
    draft->faults->result = PROV_E_NOMEM;
}

static void
tell(struct draft *draft, struct fault_list *list, const char *key, const char *remedy,
     const char *format, va_list arguments)
{
    struct json_object *value = key ? json_get(draft->object, key) : NULL;
    AUTO_FREE char *place = letters_format("%s%s%s", draft->place, key ? "." : "", key ? key : "");
    AUTO_FREE char *reason = letters_vformat(format, arguments);
    AUTO_FREE char *shown = NULL;

    if (json_object_is_type(value, json_type_string))
        shown = strdup(json_object_get_string(value));
    else if (value)
        shown = json_text(value);
    if (!place || !reason || (value && !shown))
        draft_nomem(draft);
    else
        faults_add(list, place, shown, remedy, "%s", reason);
}

void
draft_refuse(struct draft *draft, const char *key, const char *remedy, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(draft, draft->faults, key, remedy, format, arguments);
    va_end(arguments);
}

void
draft_warn(struct draft *draft, const char *key, const char *remedy, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (draft->warnings)
        tell(draft, draft->warnings, key, remedy, format, arguments);
    va_end(arguments);
}

bool
draft_has(const struct draft *draft, const char *key)
{
    return json_object_object_get_ex(draft->object, key, NULL);
}

void
draft_check_keys(struct draft *draft, const char *what, const char *const *keys, size_t count,
                 const char *(*advice)(const char *key))
{
    json_object_object_foreach(draft->object, key, value)
    {
        struct nearest nearest = { .word = key };
        const char *remedy = advice ? advice(key) : NULL;
        bool known = false;
        (void)value;
        for (size_t i = 0; i < count; i++) {
            known = known || strcmp(keys[i], key) == 0;
            nearest_offer(&nearest, keys[i]);
        }
        if (!known && remedy)
            draft_refuse(draft, key, remedy, "no %s has the key '%.60s'", what, key);
        else if (!known)
            draft_refuse(draft, key, "remove it or correct its name",
                         "no %s has the key '%.60s'; the nearest known one is '%s'", what, key,
                         nearest.best);
    }
}

const char *
draft_text(struct draft *draft, const char *key)
{
    struct json_object *value = json_get(draft->object, key);
    const char *text =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

    if (draft_has(draft, key) && !text) {
        draft_refuse(draft, key, "write a text in quotes", "'%s' is a text", key);
    } else if (text && strlen(text) != (size_t)json_object_get_string_len(value)) {
        draft_refuse(draft, key, "remove it", "'%s' holds a NUL character", key);
        text = NULL;
    }
    return text;
}

bool
draft_flag(struct draft *draft, const char *key)
{
    struct json_object *value = json_get(draft->object, key);

    if (draft_has(draft, key) && !json_object_is_type(value, json_type_boolean))
        draft_refuse(draft, key, "write true or false", "'%s' is a switch", key);
    return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

size_t
draft_number(struct draft *draft, const char *key, size_t least, size_t most, size_t otherwise)
{
    struct json_object *value = json_get(draft->object, key);
    int64_t number = json_object_get_int64(value);

    if (!draft_has(draft, key))
        return otherwise;
    if (json_object_is_type(value, json_type_int) && number >= (int64_t)least &&
        number <= (int64_t)most)
        return (size_t)number;
    draft_refuse(draft, key, "correct the number", "'%s' is a number from %zu to %zu", key, least,
                 most);
    return otherwise;
}

size_t
draft_choice(struct draft *draft, const char *key, const char *const *words, size_t count)
{
    const char *text = json_get_string(draft->object, key);
    char remedy[160] = "write";
    size_t length = strlen(remedy);

    if (!draft_has(draft, key))
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (text && strcmp(text, words[i]) == 0)
            return i;
        length += (size_t)snprintf(remedy + length, sizeof(remedy) - length, "%s \"%s\"",
                                   i == 0           ? ""
                                   : i + 1 == count ? " or"
                                                    : ",",
                                   words[i]);
        length = length < sizeof(remedy) ? length : sizeof(remedy) - 1;
    }
    draft_refuse(draft, key, remedy, "'%s' takes one of %zu words", key, count);
    return 0;
}
