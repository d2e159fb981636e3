/* From language tags to Salesforce's LocaleSidKey and LanguageLocaleKey. Which of them an org has
 * enabled only the org knows: it refuses the others, and the refusal names the value. */
#include "schema/locale.h"

#include <stdbool.h>
#include <string.h>

#include "plugin/base/ascii.h"

/* Language codes of Salesforce: fully supported, then end-user languages (Metadata API, type
 * Translations). Platform-only ones are left out: they show English to the user unless the org
 * brought its own translations. Whether the list is complete today is unsure. */
static const char *const languages[] = {
    "zh_CN", "zh_TW", "da", "nl_NL", "en_US", "fi", "fr", "de", "it", "ja", "ko", "no",
    "pt_BR", "ru",    "es", "es_MX", "sv",    "th", "ar", "bg", "hr", "cs", "el", "en_GB",
    "iw",    "hu",    "in", "pl",    "pt_PT", "ro", "sk", "sl", "tr", "uk", "vi",
};

/* What a language alone, or with a region that Salesforce has not, comes to. Hebrew and Indonesian
 * bear their old ISO codes there. */
static const struct {
    const char *tag, *key;
} nearest_languages[] = {
    { "zh_HK", "zh_TW" }, { "zh_MO", "zh_TW" }, { "zh_Hant", "zh_TW" }, { "zh", "zh_CN" },
    { "en", "en_US" },    { "nl", "nl_NL" },    { "pt", "pt_BR" },      { "nb", "no" },
    { "nn", "no" },       { "he", "iw" },       { "id", "in" },
};

/* The first tag of a list, trimmed, without weight; "" for none or "*". */
static char *
first_tag(const char *list)
{
    size_t length;

    list += strspn(list, " \t,");
    length = strcspn(list, ",; \t");
    if (length == 1 && *list == '*')
        length = 0;
    return strndup(list, length);
}

/* Writes the subtags as Salesforce does: language lower, script Title, region upper case. Stops at
 * an extension ("-u-..."), which is a subtag of one character. */
static void
respell(char *tag)
{
    char *from = tag, *end = tag;

    while (*from) {
        size_t length = strcspn(from, "-");
        if (length <= 1)
            break;
        if (end > tag)
            *end++ = '_';
        for (size_t i = 0; i < length; i++) {
            bool upper = end - tag > 2 && (length == 2 || (length == 4 && i == 0));
            end[i] = upper ? ascii_upper(from[i]) : ascii_lower(from[i]);
        }
        end += length;
        from += length;
        if (*from == '-')
            from++;
    }
    *end = '\0';
}

char *
locale_key(const char *tag)
{
    char *key = first_tag(tag);

    if (key && !strchr(key, '_'))
        respell(key);
    return key;
}

/* The known language that key comes to, shortened from the right until one fits; NULL if none. */
static const char *
known_language(char *key)
{
    for (;;) {
        char *last;
        for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
            if (strcmp(languages[i], key) == 0)
                return languages[i];
        }
        for (size_t i = 0; i < sizeof(nearest_languages) / sizeof(nearest_languages[0]); i++) {
            if (strcmp(nearest_languages[i].tag, key) == 0)
                return nearest_languages[i].key;
        }
        last = strrchr(key, '_');
        if (!last)
            return NULL;
        *last = '\0';
    }
}

char *
language_key(const char *list)
{
    AUTO_FREE char *tag = first_tag(list);
    AUTO_FREE char *shorter = NULL;
    const char *known;

    if (!tag || strchr(tag, '_'))
        return STEAL(tag);
    respell(tag);
    shorter = strdup(tag);
    if (!shorter)
        return NULL;
    known = known_language(shorter);
    return known ? strdup(known) : STEAL(tag);
}
