/* Letters of ASCII; pools, and the JSON values that live in them: looking, comparing, making, and the way from and to
 * json-c.
 * What is read and refused is tested with json_parse() (test_base.c), and against json-c by fuzz_value. */
#include <ctype.h>
#include <strings.h>

#include "plugin/base/ascii.h"
#include "plugin/base/json.h"
#include "plugin/base/json_write.h"
#include "tests/unit/values.h"

/* As JSON; one of a few buffers. */
static const char *
text_of(const struct value *value)
{
    static char texts[4][2000];
    static size_t next;
    char *text = texts[next++ % 4];
    AUTO_FREE char *json = value_json(value);

    snprintf(text, sizeof(texts[0]), "%s", json);
    return text;
}

static void
pool_gives_blocks_of_every_size_that_stay(void)
{
    AUTO_POOL struct pool pool = { 0 };
    char *blocks[200];

    for (size_t i = 0; i < 200; i++) {
        size_t size = i * i + 1;
        blocks[i] = pool_alloc(&pool, size);
        T_TRUE(blocks[i] && (uintptr_t)blocks[i] % alignof(int64_t) == 0);
        memset(blocks[i], (int)i, size);
    }
    for (size_t i = 0; i < 200; i++)
        T_TRUE(blocks[i][0] == (char)i && blocks[i][i * i] == (char)i);
    T_TRUE(pool_alloc(&pool, SIZE_MAX) == NULL && pool_alloc(&pool, SIZE_MAX / 2 + 1) == NULL);
    pool_done(&pool);
    T_STR(pool_text(&pool, "again", 3), "aga");
}

static void
texts_are_read_in_place(void)
{
    AUTO_POOL struct pool pool = { 0 };
    struct value *value = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    const char json[] = "{\"a\\u0062\":\"x\\\"\\u00e9\\ud83d\\ude00y\",\"n\":[-0,1.50,1e2],\"nul\":"
                        "\"a\\u0000b\",\"empty\":\"\"}";

    T_OK(value_parse(&pool, json, strlen(json), "it", &value, &err), &err);
    T_STR(value_get_text(value, "ab"), "x\"\xC3\xA9\xF0\x9F\x98\x80y");
    T_STR(text_of(value_get(value, "n")), "[0,1.50,1e2]");
    T_TRUE(value_has_nul(value_get(value, "nul")) && !value_has_nul(value_get(value, "ab")));
    T_INT(value_get(value, "nul")->length, 3);
    T_STR(value_get_text(value, "empty"), "");
}

/* What an escape leaves over may be the end of a password. */
static void
nothing_of_a_text_is_left_behind_its_end(void)
{
    const char json[] = "\"\\u0061\\u0062\\u0063tail\"";
    AUTO_POOL struct pool pool = { 0 };
    struct value *value = NULL;

    T_INT(value_parse(&pool, json, strlen(json), "it", &value, NULL), PROV_OK);
    T_STR(value->text, "abctail");
    for (size_t i = value->length; i + 1 < strlen(json); i++)
        T_INT(value->text[i], 0);
}

static void
many_names_are_found_and_none_may_stand_twice(void)
{
    for (size_t count = 1; count < 100; count += 7) {
        AUTO_POOL struct pool pool = { 0 };
        struct value *object = value_object(&pool), *again = NULL;
        AUTO_FREE char *text = NULL;
        struct prov_error err = PROV_ERROR_INIT;
        char name[20];
        for (size_t i = 0; i < count; i++) {
            snprintf(name, sizeof(name), "name %zu", (i * 37) % count);
            T_INT(value_add(&pool, object, pool_text(&pool, name, strlen(name)), strlen(name),
                            value_from_integer(&pool, (int64_t)i)),
                  PROV_OK);
        }
        text = value_json(object);
        T_OK(value_parse(&pool, text, strlen(text), "it", &again, &err), &err);
        T_TRUE(value_equal(object, again));
        T_INT(value_add(&pool, object, "name 0", strlen("name 0"), NULL), PROV_OK);
        free(text);
        text = value_json(object);
        T_INT(value_parse(&pool, text, strlen(text), "it", &again, &err), PROV_E_INVALID);
        T_HAS(err.text, "the name 'name 0' stands twice in one object, send it once");
    }
}

static void
members_and_elements_are_found_put_and_taken_out(void)
{
    struct pool *pool = &test_values;
    struct value *object = value_of("{\"Name\":1,\"b\":null,\"c\":[1,2,3]}");

    T_INT(value_get_integer(object, "Name", -1), 1);
    T_INT(value_get_integer(object, "name", -1), -1);
    T_STR(value_find_nocase(object, "nAME")->name, "Name");
    T_TRUE(!value_get(object, "b") && value_has(object, "b") && !value_has(object, "B"));
    T_TRUE(!value_get(NULL, "b") && !value_has(value_get(object, "c"), "b"));
    T_INT(value_put(pool, object, "Name", value_boolean(true)), PROV_OK);
    T_INT(value_put_text(pool, object, "d", "x"), PROV_OK);
    T_INT(value_put_text(pool, object, "e", NULL), PROV_OK);
    T_STR(text_of(object), "{\"Name\":true,\"b\":null,\"c\":[1,2,3],\"d\":\"x\"}");
    value_remove(object, "b");
    value_remove(object, "absent");
    value_delete(value_get(object, "c"), 1);
    value_delete(value_get(object, "c"), 7);
    T_STR(text_of(object), "{\"Name\":true,\"c\":[1,3],\"d\":\"x\"}");
    T_INT(value_put(pool, NULL, "a", NULL), PROV_E_NOMEM);
    T_INT(value_append(pool, object, NULL), PROV_E_NOMEM);
    T_INT(value_count(value_get(object, "d")), 0);
    T_TRUE(value_at(value_get(object, "c"), 2) == NULL && value_at(object, 0) == NULL);
}

static void
integers_are_spelled_to_their_ends(void)
{
    struct pool *pool = &test_values;

    T_STR(value_spelling(value_from_integer(pool, 0)), "0");
    T_STR(value_spelling(value_from_integer(pool, -1)), "-1");
    T_STR(value_spelling(value_from_integer(pool, 1764000000000010)), "1764000000000010");
    T_STR(value_spelling(value_from_integer(pool, INT64_MAX)), "9223372036854775807");
    T_STR(value_spelling(value_from_integer(pool, INT64_MIN)), "-9223372036854775808");
}

static void
typed_look_ups_take_only_their_type(void)
{
    struct value *value = value_of("{\"s\":\"7\",\"i\":7,\"d\":1.5,\"b\":true,\"u\":"
                                   "18446744073709551615,\"m\":-9223372036854775808,\"e\":1e300}");

    T_STR(value_get_text(value, "s"), "7");
    T_STR(value_get_text(value, "i"), NULL);
    T_INT(value_get_integer(value, "s", -1), -1);
    T_INT(value_get_integer(value, "d", -1), -1);
    T_TRUE(value_get_boolean(value, "b", false) && !value_get_boolean(value, "i", false));
    T_INT(value_integer(value_get(value, "d")), 1);
    T_TRUE(value_integer(value_get(value, "u")) == INT64_MAX);
    T_TRUE(value_integer(value_get(value, "m")) == INT64_MIN);
    T_TRUE(value_integer(value_get(value, "e")) == INT64_MAX);
    T_INT(value_integer(value_get(value, "s")), 0);
    T_STR(value_spelling(value_get(value, "s")), "7");
    T_STR(value_spelling(value_get(value, "d")), "1.5");
    T_STR(value_spelling(value_get(value, "b")), "true");
    T_STR(value_spelling(NULL), "null");
    T_TRUE(value_spelling(value) == NULL);
}

static void
values_are_equal_whatever_their_spelling(void)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        { "{\"a\":1,\"b\":[null,true]}", "{ \"b\" : [ null , true ], \"a\": 1 }", true },
        { "{\"a\":1}", "{\"a\":1,\"b\":null}", false },
        { "{\"a\":null}", "{\"b\":null}", false },
        { "[1,2]", "[2,1]", false },
        { "1", "1.0", true },
        { "1e1", "10.0", true },
        { "0", "-0", true },
        { "18446744073709551615", "18446744073709551614", false },
        { "1", "\"1\"", false },
        { "true", "false", false },
        { "null", "false", false },
        { "\"a\\u0000b\"", "\"a\\u0000c\"", false },
        { "\"\\u00e9\"", "\"\xC3\xA9\"", true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct value *a = value_of(cases[i].a), *b = value_of(cases[i].b), *copy = NULL;
        T_INT(value_equal(a, b), cases[i].equal);
        T_INT(value_equal(b, a), cases[i].equal);
        T_INT(value_copy(&test_values, a, &copy), PROV_OK);
        T_TRUE(value_equal(copy, a));
    }
}

static void
a_copy_shares_nothing(void)
{
    struct value *value = value_of("{\"a\":[{\"b\":1}]}"), *copy = NULL;

    T_INT(value_copy(&test_values, value, &copy), PROV_OK);
    T_INT(value_put(&test_values, value_at(value_get(copy, "a"), 0), "b", NULL), PROV_OK);
    value_delete(value_get(copy, "a"), 0);
    T_STR(text_of(value), "{\"a\":[{\"b\":1}]}");
}

static void
canonical_text_sorts_names_and_tells_where_a_part_stands(void)
{
    struct value *value = value_of("{\"b\":{\"z\":1,\"y\":[\"\\n\"]},\"a\":\"\\u007f/\"}");
    struct json_writer writer = { .watched = value_get(value, "b") };
    AUTO_FREE char *text = NULL;
    size_t at, end;

    value_write_canonical(&writer, value);
    at = writer.watched_at;
    end = writer.watched_end;
    text = json_write_end(&writer);
    T_STR(text, "{\"a\":\"\x7f/\",\"b\":{\"y\":[\"\\n\"],\"z\":1}}");
    T_INT(at, strlen("{\"a\":\"\x7f/\",\"b\":"));
    T_INT(end, strlen(text) - 1);
}

static void
values_of_json_c_are_the_same_values(void)
{
    static const char *const texts[] = {
        "null",
        "true",
        "-7",
        "18446744073709551615",
        "1.50",
        "\"a\\u0000b\"",
        "{\"a\":[1,{\"b\":null}],\"c\":\"x\"}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct value *value = value_of(texts[i]);
        AUTO_JSON struct json_object *json = NULL;
        AUTO_FREE char *text = NULL;
        T_INT(json_from_value(value, &json), PROV_OK);
        text = json_text(json);
        T_STR(text, text_of(value));
        T_STR(text, texts[i]);
        T_TRUE(value_equal(value_like(json), value));
    }
}

static void
all_texts_of_a_value_are_wiped(void)
{
    static const char json[] = "{\"a\":\"short\",\"b\":[1,{\"c\":\"a text of more than thirty "
                               "bytes, which stands elsewhere\"}],\"d\":null}";
    AUTO_JSON struct json_object *value = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *inner;
    const char *text;

    T_OK(json_parse(json, sizeof(json) - 1, "it", &value, &err), &err);
    inner = json_get(json_object_array_get_idx(json_get(value, "b"), 1), "c");
    text = json_object_get_string(inner);
    json_wipe(value);
    for (int i = 0; i < json_object_get_string_len(inner); i++)
        T_INT(text[i], 0);
    json_object_object_foreach(value, name, member)
    {
        T_STR(name, "");
        T_TRUE(!member || *json_object_get_string(member) != 's');
    }
    json_wipe(NULL);
}

/* ---- ASCII ---- */

static int
sign(int difference)
{
    return (difference > 0) - (difference < 0);
}

/* This program has not set a locale, so it has that of C. */
static void
ascii_is_what_the_c_library_has_without_a_locale(void)
{
    static const char *const texts[] = { "",         "i",        "I",        "id", "Id",
                                         "ID",       "iD ",      "idle",     "[",  "{",
                                         "@",        "`",        "Z",        "z",  "9",
                                         "\xC4\xB0", "\xC3\x89", "\xC3\xA9", "DI", "DID",
                                         "a DIDI I", "\x7f",     "\x01" };
    const size_t count = sizeof(texts) / sizeof(texts[0]);

    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        T_INT((unsigned char)ascii_lower(byte), tolower(c));
        T_INT((unsigned char)ascii_upper(byte), toupper(c));
        T_INT(ascii_is_letter(byte), isalpha(c) != 0);
        T_INT(ascii_is_digit(byte), isdigit(c) != 0);
        T_INT(ascii_is_hex(byte), isxdigit(c) != 0);
    }
    for (size_t i = 0; i < count * count; i++) {
        const char *a = texts[i / count], *b = texts[i % count];
        T_INT(sign(ascii_compare(a, b)), sign(strcasecmp(a, b)));
        for (size_t length = 0; length < 4; length++)
            T_INT(sign(ascii_compare_start(a, b, length)), sign(strncasecmp(a, b, length)));
        T_TRUE(ascii_find(a, b) == strcasestr(a, b));
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(ascii_is_what_the_c_library_has_without_a_locale),
    UNIT_CASE(all_texts_of_a_value_are_wiped),
    UNIT_CASE(pool_gives_blocks_of_every_size_that_stay),
    UNIT_CASE(texts_are_read_in_place),
    UNIT_CASE(nothing_of_a_text_is_left_behind_its_end),
    UNIT_CASE(many_names_are_found_and_none_may_stand_twice),
    UNIT_CASE(members_and_elements_are_found_put_and_taken_out),
    UNIT_CASE(integers_are_spelled_to_their_ends),
    UNIT_CASE(typed_look_ups_take_only_their_type),
    UNIT_CASE(values_are_equal_whatever_their_spelling),
    UNIT_CASE(a_copy_shares_nothing),
    UNIT_CASE(canonical_text_sorts_names_and_tells_where_a_part_stands),
    UNIT_CASE(values_of_json_c_are_the_same_values),
};

int
main(int argc, char **argv)
{
    return unit_run("value", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
