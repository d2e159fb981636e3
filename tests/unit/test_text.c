/* JSON that is written directly: json-c reads from it what was written. And a person's resource, which is compared
 * with one that is built as a tree of json-c, by other rules. */
#include "tests/unit/unit.h"

#include <json-c/json.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/person.h"

static struct prov_error err = PROV_ERROR_INIT;

/* The same in every run. */
static unsigned
chance(unsigned below)
{
    static unsigned long long state = 20261127;

    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(state >> 33) % below;
}

/* The string as it is written; heap, or NULL and err. */
static char *
written(const char *bytes, size_t length)
{
    struct text text = { .bytes = NULL };
    char *json = NULL;

    text_string(&text, bytes, length);
    return text_end(&text, &json, NULL, &err) ? NULL : json;
}

static void
check_string(const char *bytes, size_t length)
{
    char *json = written(bytes, length);
    struct json_object *read = json ? json_tokener_parse(json) : NULL;

    T_TRUE(json_object_is_type(read, json_type_string));
    T_INT(json_object_get_string_len(read), length);
    T_TRUE(read && !memcmp(json_object_get_string(read), bytes, length));
    json_object_put(read);
    free(json);
}

static void
a_string_has_the_escapes_that_it_needs_and_no_others(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = { { "", "\"\"" },
                  { "Ada", "\"Ada\"" },
                  { "a/b\x7f'", "\"a/b\x7f'\"" },
                  { "a\"b\\c", "\"a\\u0022b\\u005cc\"" },
                  { "\b\t\n\f\r\x1f", "\"\\u0008\\u0009\\u000a\\u000c\\u000d\\u001f\"" },
                  { "Zo\xc3\xab \xf0\x9f\x98\x80", "\"Zo\xc3\xab \xf0\x9f\x98\x80\"" } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *json = written(cases[i].text, strlen(cases[i].text));

        T_STR(json, cases[i].want);
        free(json);
    }
}

/* At each place of a text that is longer than the eight bytes that are looked at together. */
static void
every_byte_is_read_back_wherever_it_stands(void)
{
    char bytes[24];

    for (int byte = 0; byte < 128; byte++) {
        for (size_t at = 0; at < sizeof(bytes); at++) {
            memset(bytes, 'a', sizeof(bytes));
            bytes[at] = (char)byte;
            check_string(bytes, sizeof(bytes));
        }
    }
}

static void
what_is_no_utf8_is_refused(void)
{
    static const char *const bad[] = {
        "\x80",         "\xff",         "\xc0\xaf",         "\xc3",
        "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f\x98",
        "\xc3("
    };
    char bytes[40];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (size_t before = 0; before < 20; before++) {
            memset(bytes, 'a', sizeof(bytes));
            memcpy(bytes + before, bad[i], strlen(bad[i]));
            err.code = 0;
            T_TRUE(!written(bytes, before + strlen(bad[i])));
            T_INT(err.code, PROV_E_INVALID);
            T_TRUE(!written(bytes, sizeof(bytes)));
            T_TRUE(!utf8_is_text(bytes, sizeof(bytes)));
        }
    }
}

static void
text_is_whole_utf8_without_a_nul(void)
{
    T_TRUE(utf8_is_text("", 0));
    T_TRUE(utf8_is_text("Zo\xc3\xab", 4));
    T_TRUE(utf8_is_text("Line\n of \"twenty\\four\" bytes", 28));
    T_TRUE(!utf8_is_text("Zo\xc3\xab", 3)); /* cut */
    T_TRUE(!utf8_is_text("Zo\xeb", 3));     /* Latin 1 */
    T_TRUE(!utf8_is_text("a\0b", 3));
    T_TRUE(!utf8_is_text("a long text with a NUL \0 in it", 30));
}

static void
what_was_cut_is_mended(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = { { "", "" },
                  { "Zo\xc3\xab", "Zo\xc3\xab" },
                  { "Zo\xc3", "Zo?" },
                  { "Zo\xeb!", "Zo?!" },
                  { "\xf0\x9f\x98", "???" },
                  { "\xf0\x9f\x98\x80\xf0\x9f", "\xf0\x9f\x98\x80??" } };
    char text[20];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strcpy(text, cases[i].text);
        utf8_mend(text);
        T_STR(text, cases[i].want);
    }
}

static void
nothing_is_written_after_a_fault(void)
{
    struct text text = { .bytes = NULL };
    char *json = NULL;

    TEXT_ADD(&text, "{");
    text_member(&text, "a");
    text_string(&text, "\xff", 1);
    text_member(&text, "b");
    text_number(&text, 7);
    text_string(&text, "c", 1);
    T_INT(text.fault, PROV_E_INVALID);
    T_TRUE(text.length < sizeof("{\"a\":\"b"));
    T_INT(text_end(&text, &json, NULL, &err), PROV_E_INVALID);
    T_TRUE(!text.bytes && !json);
}

/* One character: mostly ASCII, of each length, and such as need an escape. */
static size_t
any_character(char *to)
{
    static const char *const others[] = {
        "\"", "\\", "\n", "\x01", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"
    };
    const char *one = others[chance(sizeof(others) / sizeof(others[0]))];

    if (chance(4)) {
        *to = (char)(' ' + chance(95));
        return 1;
    }
    memcpy(to, one, strlen(one));
    return strlen(one);
}

/* `limit` bytes and three more, at most; with a NUL. */
static size_t
any_text(char *to, size_t limit)
{
    size_t want = chance((unsigned)limit), length = 0;

    while (length < want)
        length += any_character(to + length);
    to[length] = '\0';
    return length;
}

static void
any_text_is_read_back_as_it_was(void)
{
    static char bytes[200010];

    for (int i = 0; i < 3000; i++)
        check_string(bytes, any_text(bytes, 300));
    for (int i = 0; i < 20; i++)
        check_string(bytes, any_text(bytes, 200000));
}

/* Any bytes: refused exactly where they are no UTF-8. */
static void
any_bytes_are_refused_or_read_back(void)
{
    static const unsigned char leads[] = {
        0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0x80, 0xbf, 0x9f, 0x82, 'a'
    };
    char bytes[16];
    size_t taken = 0;

    for (int i = 0; i < 20000; i++) {
        size_t length = chance(sizeof(bytes)), at = 0, width = 1;
        char *json;

        for (size_t j = 0; j < length; j++)
            bytes[j] = (char)(chance(3) ? 'a' : leads[chance(sizeof(leads))]);
        while (at < length && (width = utf8_length(bytes + at, bytes + length)) > 0)
            at += width;
        json = written(bytes, length);
        T_TRUE((json != NULL) == (at == length));
        T_TRUE(utf8_is_text(bytes, length) == (at == length));
        if (json)
            check_string(bytes, length);
        taken += json != NULL;
        free(json);
    }
    T_TRUE(taken > 1000 && taken < 19000);
}

/* ---- a person ---- */

/* The members of an object, made when missing. */
static struct json_object *
inner(struct json_object *object, const char *name, bool array)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value)) {
        value = array ? json_object_new_array() : json_object_new_object();
        json_object_object_add(object, name, value);
    }
    return value;
}

/* The first element of this selection that has not got the member yet. */
static struct json_object *
element(struct json_object *array, const struct column *column)
{
    struct json_object *value = NULL, *fresh;

    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_object *one = json_object_array_get_idx(array, i);
        const char *have;

        have = json_object_object_get_ex(one, column->select, &value)
                   ? json_object_get_string(value)
                   : "";
        if (!strcmp(have, column->select_value) &&
            !json_object_object_get_ex(one, column->sub, NULL))
            return one;
    }
    fresh = json_object_new_object();
    if (!strcmp(column->select, "primary"))
        json_object_object_add(fresh, "primary", json_object_new_boolean(1));
    else if (column->select[0])
        json_object_object_add(fresh, column->select, json_object_new_string(column->select_value));
    json_object_array_add(array, fresh);
    return fresh;
}

/* Puts one value where it belongs. 1: it is left out. */
static size_t
put(struct json_object *resource, const struct person_value *value, bool yes)
{
    const struct column *column = value->column;
    struct json_object *object = resource, *there = NULL;
    const char *name = column->sub[0] ? column->sub : column->attribute;

    if (column->schema[0])
        object = inner(object, column->schema, false);
    if (column->sub[0])
        object = inner(object, column->attribute, column->many);
    if (column->sub[0] && column->many)
        object = element(object, column);
    if (json_object_object_get_ex(object, name, &there)) {
        if (column->kind == COLUMN_BOOLEAN && !yes)
            return (size_t)(json_object_set_boolean(there, 0), 0);
        return 1;
    }
    json_object_object_add(object, name,
                           column->kind == COLUMN_BOOLEAN
                               ? json_object_new_boolean(yes)
                               : json_object_new_string_len(value->text, (int)value->length));
    return 0;
}

/* The resource as a tree, one value after the other. */
static char *
tree_of(const struct person_value *values, size_t count, const char *id, size_t *ret_further)
{
    struct json_object *resource = json_object_new_object(), *schemas = json_object_new_array();
    char *text;

    *ret_further = 0;
    for (size_t i = 0; i < count; i++) {
        bool yes = false;

        if (!values[i].length)
            continue;
        if (values[i].column->kind == COLUMN_BOOLEAN)
            column_boolean(values[i].column, values[i].text, &yes);
        *ret_further += put(resource, &values[i], yes);
    }
    json_object_array_add(schemas,
                          json_object_new_string("urn:ietf:params:scim:schemas:core:2.0:User"));
    json_object_object_foreach(resource, name, value)
    {
        (void)value;
        if (!strncmp(name, "urn:", 4))
            json_object_array_add(schemas, json_object_new_string(name));
    }
    json_object_object_add(resource, "schemas", schemas);
    if (!json_object_object_get_ex(resource, "externalId", NULL))
        json_object_object_add(resource, "externalId", json_object_new_string(id));
    text = strdup(json_object_to_json_string_ext(resource, JSON_C_TO_STRING_PLAIN));
    json_object_put(resource);
    return text;
}

static void
check_person(struct person_value *values, size_t count)
{
    const struct person_options options = { .id = "key" };
    struct person_resource made = { .json = NULL };
    struct json_object *read;
    size_t further;
    char *want = tree_of(values, count, options.id, &further);

    T_OK(person_make(values, count, &options, &made, &err), &err);
    T_INT(made.length, strlen(made.json));
    read = json_tokener_parse(made.json);
    T_STR(json_object_to_json_string_ext(read, JSON_C_TO_STRING_PLAIN), want);
    T_INT(made.further, further);
    json_object_put(read);
    free(made.json);
    free(want);
}

/* Columns of every kind, in any order, each any number of times. */
static void
any_person_is_as_a_tree_has_them(void)
{
    static const char *const paths[] = { "userName",
                                         "externalId",
                                         "name.givenName",
                                         "name.familyName",
                                         "active",
                                         "not active",
                                         "emails[type eq \"work\"].value",
                                         "emails[type eq \"work\"].display",
                                         "emails[type eq \"home\"].value",
                                         "emails[primary eq true].value",
                                         "addresses[type eq \"work\"].locality",
                                         "addresses[type eq \"work\"].region",
                                         "groups.value",
                                         "groups.display",
                                         "department",
                                         "costCenter",
                                         "manager.displayName",
                                         "urn:example:x:plain",
                                         "urn:example:x:deep.one",
                                         "urn:example:x:deep.two" };
    static struct column columns[sizeof(paths) / sizeof(paths[0])];
    static char texts[30][64];
    struct person_value values[30];
    size_t many = sizeof(paths) / sizeof(paths[0]);

    for (size_t i = 0; i < many; i++)
        T_OK(column_parse(paths[i], &columns[i], &err), &err);
    for (int round = 0; round < 5000; round++) {
        size_t count = chance(30), few = 1 + chance((unsigned)many);

        for (size_t i = 0; i < count; i++) {
            const struct column *column = &columns[chance((unsigned)few)];

            if (column->kind == COLUMN_BOOLEAN)
                strcpy(texts[i], chance(2) ? "true" : "false");
            else
                any_text(texts[i], chance(2) ? 3 : 50);
            values[i] = (struct person_value){
                .column = column, .text = texts[i], .length = strlen(texts[i]), .name = "n"
            };
        }
        check_person(values, count);
    }
}

static void
a_manager_is_a_key_and_what_refers_to_it(void)
{
    const struct person_options options = { .refs = true };
    struct column manager, shown;
    struct person_value values[] = { { .column = &shown, .text = "Boss", .length = 4 },
                                     { .column = &manager, .text = "k\xc3\xa9 1~", .length = 6 },
                                     { .column = &manager, .text = "other", .length = 5 } };
    struct person_resource made;

    T_OK(column_parse("manager.displayName", &shown, &err), &err);
    T_OK(column_parse("manager", &manager, &err), &err);
    T_OK(person_make(values, 3, &options, &made, &err), &err);
    T_HAS(made.json, "\"manager\":{\"displayName\":\"Boss\",\"value\":\"k\xc3\xa9 1~\","
                     "\"$ref\":\"/Users/k%C3%A9%201~\"}");
    T_INT(made.further, 1);
    free(made.json);
}

/* Of a schema that nobody here knows. */
static void
a_value_that_is_also_an_object_is_written_once(void)
{
    const struct person_options options = { .id = "7" };
    struct column plain, deep;
    struct person_value values[] = { { .column = &plain, .text = "a", .length = 1 },
                                     { .column = &deep, .text = "b", .length = 1 } };
    struct person_resource made;

    T_OK(column_parse("urn:example:x:it", &plain, &err), &err);
    T_OK(column_parse("urn:example:x:it.sub", &deep, &err), &err);
    T_OK(person_make(values, 2, &options, &made, &err), &err);
    T_HAS(made.json, "{\"urn:example:x\":{\"it\":\"a\"},\"schemas\"");
    T_INT(made.further, 1);
    free(made.json);
    values[0].column = &deep;
    values[1].column = &plain;
    T_OK(person_make(values, 2, &options, &made, &err), &err);
    T_HAS(made.json, "{\"urn:example:x\":{\"it\":{\"sub\":\"a\"}},\"schemas\"");
    T_INT(made.further, 1);
    free(made.json);
}

static void
a_user_of_a_list_is_written_with_place_and_alias(void)
{
    struct person_listed listed = { .uri = "/Users/7",
                                    .resource = "{\"userName\":\"a\"}",
                                    .inactive = true, /* which the resource says, or not */
                                    .place = "line \"7\"" };
    char *text;
    size_t length;

    T_OK(person_list(&listed, &text, &length, &err), &err);
    T_STR(
        text,
        "{\"uri\":\"/Users/7\",\"data\":{\"userName\":\"a\"},\"place\":\"line \\u00227\\u0022\"}");
    T_INT(length, strlen(text));
    free(text);
    listed.alias = "cn=\xff";
    T_INT(person_list(&listed, &text, &length, &err), PROV_E_INVALID);
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_string_has_the_escapes_that_it_needs_and_no_others),
    UNIT_CASE(every_byte_is_read_back_wherever_it_stands),
    UNIT_CASE(what_is_no_utf8_is_refused),
    UNIT_CASE(text_is_whole_utf8_without_a_nul),
    UNIT_CASE(what_was_cut_is_mended),
    UNIT_CASE(nothing_is_written_after_a_fault),
    UNIT_CASE(any_text_is_read_back_as_it_was),
    UNIT_CASE(any_bytes_are_refused_or_read_back),
    UNIT_CASE(any_person_is_as_a_tree_has_them),
    UNIT_CASE(a_manager_is_a_key_and_what_refers_to_it),
    UNIT_CASE(a_value_that_is_also_an_object_is_written_once),
    UNIT_CASE(a_user_of_a_list_is_written_with_place_and_alias),
};

int
main(int argc, char **argv)
{
    return unit_run("text", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
