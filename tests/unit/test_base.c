/* The stones under all rooms: error texts, log lines, JSON reading and writing, clock, digest. */
#include <ctype.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plugin/base/clock.h"
#include "plugin/base/digest.h"
#include "plugin/base/json.h"
#include "plugin/base/log.h"
#include "tests/unit/unit.h"

/* ---- errors ---- */

static void
error_set_fills_code_and_text_and_returns_the_code(void)
{
    struct prov_error err = PROV_ERROR_INIT;

    T_INT(error_set(&err, PROV_E_STORE, "store '%s': %d", "/x", 7), PROV_E_STORE);
    T_INT(err.code, PROV_E_STORE);
    T_STR(err.text, "store '/x': 7");
    T_INT(error_set(NULL, PROV_E_LIMIT, "nobody listens"), PROV_E_LIMIT);
}

static void
error_text_is_one_line_whatever_a_value_holds(void)
{
    struct prov_error err = PROV_ERROR_INIT;

    error_set(&err, PROV_E_INVALID, "user '%s'", "a\nERROR forged\r\t\x1b[2J\x7f");
    T_STR(err.text, "user 'a ERROR forged   [2J '");
}

static void
error_text_is_cut_between_characters(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    char long_text[2000];
    size_t shift;

    for (shift = 0; shift < 4; shift++) {
        memset(long_text, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof(long_text); i += 4)
            memcpy(long_text + i, "\xf0\x9f\x98\x80", 4);
        long_text[sizeof(long_text) - 4 - (sizeof(long_text) - shift) % 4] = '\0';
        error_set(&err, PROV_E_INVALID, "%s", long_text);
        T_TRUE(strlen(err.text) < sizeof(err.text));
        T_TRUE(strlen(err.text) > sizeof(err.text) - 6);
        T_INT((strlen(err.text) - shift) % 4, 0);
    }
}

static void
error_text_fits_the_size_the_caller_named(void)
{
    struct {
        struct prov_error err;
    } memory = { { .size = offsetof(struct prov_error, text) + 8 } };

    memset(memory.err.text, '#', sizeof(memory.err.text));
    error_set(&memory.err, PROV_E_INVALID, "0123456789");
    T_STR(memory.err.text, "0123456");
    T_INT(memory.err.text[8], '#');
    memory.err.size = offsetof(struct prov_error, text);
    memory.err.code = 5;
    T_INT(error_set(&memory.err, PROV_E_INVALID, "no room at all"), PROV_E_INVALID);
    T_INT(memory.err.code, 5);
    T_STR(memory.err.text, "0123456");
    memory.err.size = SIZE_MAX; /* a host that is wrong about the size costs no memory of others */
    error_set(&memory.err, PROV_E_INVALID, "%0*d", 3000, 1);
    T_INT(strlen(memory.err.text), sizeof(memory.err.text) - 1);
}

static void
error_wrap_keeps_the_code_and_puts_the_context_first(void)
{
    struct prov_error err = PROV_ERROR_INIT;

    error_set(&err, PROV_E_LIMIT, "too deep");
    T_INT(error_wrap(&err, PROV_E_INVALID, "field '%s'", "mapping"), PROV_E_LIMIT);
    T_STR(err.text, "field 'mapping': too deep");
    T_INT(error_wrap(NULL, PROV_E_INVALID, "nobody"), PROV_E_INVALID);
}

static void
every_code_of_the_abi_has_its_name(void)
{
    T_STR(error_code_name(PROV_OK), "OK");
    T_STR(error_code_name(PROV_E_FIELDS), "FIELDS");
    T_STR(error_code_name(PROV_E_STATE), "STATE");
    T_STR(error_code_name(PROV_E_NOMEM), "NOMEM");
    T_STR(error_code_name(PROV_E_LIMIT), "LIMIT");
    T_STR(error_code_name(PROV_E_LIMIT - 1), "UNKNOWN");
    T_STR(error_code_name(1), "UNKNOWN");
    T_STR(error_code_name(INT32_MIN), "UNKNOWN");
}

/* ---- log ---- */

struct heard {
    int32_t level;
    char line[4096];
};

static void
hear(void *context, int32_t level, const char *line)
{
    struct heard *heard = context;

    heard->level = level;
    snprintf(heard->line, sizeof(heard->line), "%s", line);
}

static void
a_log_line_cannot_be_forged(void)
{
    struct heard heard = { 0 };
    struct log log = { &heard, hear };

    log_line(&log, PROV_LOG_WARNING, "user '%s'", "x\nERROR all is lost");
    T_INT(heard.level, PROV_LOG_WARNING);
    T_STR(heard.line, "user 'x ERROR all is lost'");
}

static void
a_long_log_line_is_cut_between_characters(void)
{
    struct heard heard = { 0 };
    struct log log = { &heard, hear };
    char text[3000];

    for (size_t shift = 0; shift < 2; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 2 < sizeof(text); i += 2)
            memcpy(text + i, "\xc3\xa9", 2);
        text[sizeof(text) - 2 + shift % 2] = '\0';
        log_line(&log, PROV_LOG_INFO, "%s", text);
        T_TRUE(strlen(heard.line) >= 2045 && strlen(heard.line) < 2048);
        T_INT((strlen(heard.line) - shift) % 2, 0);
    }
}

static void
nobody_needs_to_listen_to_the_log(void)
{
    struct log mute = { NULL, NULL };

    log_line(&mute, PROV_LOG_ERROR, "%s", "text");
    log_line(NULL, PROV_LOG_ERROR, "%s", "text");
    T_TRUE(1);
}

/* ---- JSON: reading ---- */

/* The text as json_parse() understands it, written anew; or the error. One of a few buffers. */
static const char *
reads_as(const char *text)
{
    static char results[4][1200];
    static size_t next;
    char *result = results[next++ % 4];
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *value = NULL;
    AUTO_FREE char *written = NULL;

    if (json_parse(text, strlen(text), "it", &value, &err)) {
        snprintf(result, sizeof(results[0]), "%s: %s", error_code_name(err.code), err.text);
    } else {
        written = json_text(value);
        snprintf(result, sizeof(results[0]), "%s", written ? written : "(no text)");
    }
    return result;
}

static void
json_of_every_kind_is_read(void)
{
    T_STR(reads_as("{\"a\":[1,-2,0.5,1e5,true,false,null,\"x\"],\"b\":{}}"),
          "{\"a\":[1,-2,0.5,1e5,true,false,null,\"x\"],\"b\":{}}");
    T_STR(reads_as(" \r\n\t7\n"), "7");
    T_STR(reads_as("7"), "7");
    T_STR(reads_as("0"), "0");
    T_STR(reads_as("null"), "null");
    T_STR(reads_as("\"a\\\"b\\\\\\/\\n\\u00e9\""), "\"a\\\"b\\\\/\\n\xc3\xa9\"");
    T_STR(reads_as("\"\\ud83d\\ude00\""), "\"\xf0\x9f\x98\x80\"");
    T_STR(reads_as("\"\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\""),
          "\"\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"");
    T_STR(reads_as("9223372036854775807"), "9223372036854775807");
}

static void
what_is_no_json_is_refused_with_its_place(void)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        { "", "is empty" },
        { "  ", "line 1, column 3: it ends too early" },
        { "{\"a\":1", "line 1, column 7: it ends too early" },
        { "[", "column 2: it ends too early" },
        { "\"abc", "column 5: it ends too early" },
        { "\"abc\\", "it ends too early" },
        { "{\n \"a\": tru\n}", "line 2, column 7" },
        { "{'a':1}", "line 1, column 2" },
        { "[1,]", "line 1, column 4" },
        { "{\"a\":1,}", "line 1, column 8" },
        { "{\"a\" 1}", "line 1, column 6" },
        { "{1:2}", "line 1, column 2" },
        { "[1 2]", "line 1, column 4" },
        { "{} {}", "line 1, column 4: something follows" },
        { "{}x", "line 1, column 3" },
        { "/*c*/1", "line 1, column 1" },
        { "\xef\xbb\xbf{}", "line 1, column 1" },
        { "TRUE", "line 1, column 1" },
        { "[NaN]", "line 1, column 2" },
        { "[\n\nInfinity]", "line 3, column 1" },
        { "-Infinity", "line 1, column 1" },
        { "[01]", "line 1, column 2" },
        { "-01", "line 1, column 1" },
        { "[1.]", "line 1, column 2" },
        { ".5", "line 1, column 1" },
        { "[1e]", "line 1, column 2" },
        { "+1", "line 1, column 1" },
        { "-", "line 1, column 1" },
        { "0x10", "line 1, column 2" },
        { "\"\\x\"", "line 1, column 3" },
        { "\"a\nb\"", "line 1, column 3: a control character" },
        { "\"a\tb\"", "line 1, column 3: a control character" },
        { "\"\\u12\"", "line 1, column 6" },
        { "\"\\u", "column 4: it ends too early" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *told = reads_as(cases[i].text);
        T_HAS(told, "INVALID: it ");
        T_HAS(told, cases[i].place);
    }
}

static void
broken_utf8_is_refused_wherever_it_stands(void)
{
    static const char *const broken[] = {
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xe0\x80\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf0\x80\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x82\"",
        "\"\x80\"",
        "{\"\xc3\":1}",
        "\"\xc3",
    };

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        T_HAS(reads_as(broken[i]), "invalid UTF-8");
}

static void
a_name_that_stands_twice_in_one_object_is_refused(void)
{
    T_HAS(reads_as("{\"a\":1,\n \"a\":2}"), "line 2, column 2: the name 'a' stands twice");
    T_HAS(reads_as("{\"ab\":1,\"a\\u0062\":2}"), "column 9: the name 'ab' stands twice");
    T_HAS(reads_as("[{\"x\":[{\"b\":{\"c\":1,\"d\":{},\"c\":[]}}]}]"),
          "column 27: the name 'c' stands twice");
    T_HAS(reads_as("{\"\":1,\"\":1}"), "the name '' stands twice");
    T_STR(reads_as("{\"a\":{\"a\":[{\"a\":1},{\"a\":\"a\"}]},\"A\":\":\"}"),
          "{\"a\":{\"a\":[{\"a\":1},{\"a\":\"a\"}]},\"A\":\":\"}");
}

static void
characters_that_are_none_are_refused(void)
{
    static const char *const lone[] = {
        "\"\\ud83d\"",  "\"\\uDE00\"",    "\"\\ud83d\\ud83d\\ude00\"", "{\"\\udfff\":1}",
        "\"\\uD83Dx\"", "\"\\ud83d\\n\"", "\"\\ud83d\\u0041\""
    };

    for (size_t i = 0; i < sizeof(lone) / sizeof(lone[0]); i++)
        T_HAS(reads_as(lone[i]), "half of a surrogate pair");
    T_HAS(reads_as("[{\"a\\u0000\":1}]"), "column 3: a name with a NUL character");
    T_HAS(reads_as("{\"b\":1,\"\\u0000\" :1}"), "column 8: a name with a NUL character");
    T_STR(reads_as("[\"a\\u0000b\"]"), "[\"a\\u0000b\"]");
    T_STR(reads_as("\"\\\\u0000\\ud83d\\uDE00\""), "\"\\\\u0000\xf0\x9f\x98\x80\"");
}

static void
integers_too_large_to_keep_are_refused(void)
{
    T_STR(reads_as("[-9223372036854775808,18446744073709551615]"),
          "[-9223372036854775808,18446744073709551615]");
    T_HAS(reads_as("[1,-9223372036854775809]"), "column 4: an integer beyond 64 bits");
    T_HAS(reads_as("{\"a\":18446744073709551616 }"), "column 6: an integer beyond 64 bits");
    T_HAS(reads_as("100000000000000000000000000000"), "column 1: an integer beyond 64 bits");
    T_STR(reads_as("[1e308,1e-400,0.00]"), "[1e308,1e-400,0.00]");
}

static void
a_nul_byte_is_refused(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *value = NULL;

    T_INT(json_parse("{}\0", 3, "it", &value, &err), PROV_E_INVALID);
    T_HAS(err.text, "NUL");
    T_INT(json_parse("\"a\0b\"", 5, "it", &value, &err), PROV_E_INVALID);
    T_TRUE(value == NULL);
}

static const char *
nested(size_t levels, const char *inside)
{
    static char text[300];
    size_t length = strlen(inside);

    memset(text, '[', levels);
    memcpy(text + levels, inside, length);
    memset(text + levels + length, ']', levels);
    text[2 * levels + length] = '\0';
    return text;
}

static void
thirty_two_levels_are_read_and_one_more_is_not(void)
{
    T_STR(reads_as(nested(32, "1")), nested(32, "1"));
    T_STR(reads_as(nested(32, "")), nested(32, ""));
    T_STR(reads_as(nested(31, "{\"a\":1}")), nested(31, "{\"a\":1}"));
    T_HAS(reads_as(nested(33, "")), "LIMIT: it is not valid JSON at line 1, column 33: nested");
    T_HAS(reads_as(nested(32, "{\"a\":1}")), "deeper than 32");
    T_HAS(reads_as(nested(100, "1")), "deeper than 32");
    /* brackets in a string are no levels */
    T_STR(reads_as("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"),
          "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]");
}

/* json-c is the reference: every byte at each place of texts of many lengths, since several bytes are looked
 * at together, and values of every kind inside each other. */
static void
json_is_written_as_json_c_writes_it(void)
{
    static const char *const texts[] = {
        "null",
        "true",
        "-7",
        "9223372036854775807",
        "18446744073709551615",
        "1.50",
        "1e3",
        "\"\"",
        "[]",
        "{}",
        "[[],{},null,[1,[\"x\"]]]",
        "{\"a\":{\"b\":[true,false,null]},\"\":\"/\\\"\\\\\\u0000\\u001f\\u007f\\u00eb\"}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        AUTO_JSON struct json_object *value = json_tokener_parse(texts[i]);
        AUTO_FREE char *text = json_text(value);
        T_STR(text, json_borrow_text(value));
    }
    for (int i = 0; i < 256 * 26 * 26; i++) {
        char letters[27] = "abcdefghijklmnopqrstuvwxyz";
        int length = i % 26 + 1, place = i / 26 % 26;
        AUTO_JSON struct json_object *value = NULL;
        AUTO_FREE char *text = NULL;
        letters[place] = (char)(i / 26 / 26);
        value = json_object_new_string_len(letters, length);
        text = json_text(value);
        T_STR(text, json_borrow_text(value));
    }
}

static void
only_the_bytes_of_the_length_are_read(void)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *value = NULL;
    AUTO_FREE char *exact = malloc(4); /* so that a tool sees one byte too many */

    memcpy(exact, "1234", 4);
    T_OK(json_parse(exact, 4, "it", &value, &err), &err);
    T_INT(json_object_get_int(value), 1234);
    memcpy(exact, "\"ab\xc3", 4);
    T_INT(json_parse(exact, 4, "it", &value, &err), PROV_E_INVALID);
    memcpy(exact, "\"ab\\", 4);
    T_INT(json_parse(exact, 4, "it", &value, &err), PROV_E_INVALID);
    memcpy(exact, "[12.", 4);
    T_INT(json_parse(exact, 4, "it", &value, &err), PROV_E_INVALID);
    memcpy(exact, "[ -1", 4);
    T_INT(json_parse(exact, 4, "it", &value, &err), PROV_E_INVALID);
}

/* ---- JSON: writing and comparing ---- */

static struct json_object *
value_of(const char *text)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct json_object *value = NULL;

    T_OK(json_parse(text, strlen(text), "the test's JSON", &value, &err), &err);
    return value;
}

static void
canonical_text_does_not_depend_on_the_order_of_keys(void)
{
    AUTO_JSON struct json_object *a = value_of("{\"b\":[{\"z\":1,\"y\":null}],\"a\":\"\\u00e9\"}");
    AUTO_JSON struct json_object *b =
        value_of("{ \"a\": \"\xc3\xa9\", \"b\": [{\"y\":null, \"z\":1}] }");
    AUTO_FREE char *of_a = json_canonical(a);
    AUTO_FREE char *of_b = json_canonical(b);
    AUTO_FREE char *of_null = json_canonical(NULL);

    T_STR(of_a, "{\"a\":\"\xc3\xa9\",\"b\":[{\"y\":null,\"z\":1}]}");
    T_STR(of_b, of_a);
    T_STR(of_null, "null");
}

static void
canonical_text_tells_different_values_apart(void)
{
    static const char *const values[] = { "[1,2]", "[2,1]",        "{\"a\":null}", "{}",
                                          "[]",    "{\"a\":\"\"}", "\"1\"",        "1" };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        AUTO_JSON struct json_object *value = value_of(values[i]);
        AUTO_FREE char *text = json_canonical(value);
        T_STR(text, values[i]);
    }
}

/* What json-c itself writes is the reference. */
static void
text_is_what_json_c_writes(void)
{
    static const char *const values[] = {
        "\"\\u0000 \\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\" \\\\ / \\u007f \\u00e9 "
        "\\ud83d\\ude00\"",
        "[0,-1,9223372036854775807,-9223372036854775808,18446744073709551615,1.5,1e3,-0.0,2.50]",
        "{\"b\":{\"z\":[[],{},[{}]],\"\":null},\"a\\\"b\\n\":[true,false,null]}",
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        AUTO_JSON struct json_object *value = value_of(values[i]);
        AUTO_FREE char *text = json_text(value);
        T_STR(text, json_borrow_text(value));
    }
}

static void
many_members_are_sorted_too(void)
{
    AUTO_JSON struct json_object *object = json_object_new_object();
    AUTO_FREE char *text = NULL;
    char name[8], want[1200] = "{", *at = want + 1;

    for (int i = 99; i >= 0; i--) {
        snprintf(name, sizeof(name), "n%02d", i * 37 % 100);
        T_INT(json_put_int(object, name, 1), 0);
    }
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "%s\"n%02d\":1", i > 0 ? "," : "", i);
    strcpy(at, "}");
    text = json_canonical(object);
    T_STR(text, want);
}

static int
equal(const char *a, const char *b)
{
    AUTO_JSON struct json_object *left = value_of(a);
    AUTO_JSON struct json_object *right = value_of(b);

    T_INT(json_equal(left, right), json_equal(right, left));
    return json_equal(left, right);
}

static void
json_equal_compares_values_not_spelling(void)
{
    T_TRUE(equal("{\"a\":1,\"b\":[true,null]}", "{\"b\":[true,null],\"a\":1}"));
    T_TRUE(equal("1", "1.0"));
    T_TRUE(equal("{\"a\":[1,{\"n\":2}]}", "{\"a\":[1.0,{\"n\":2e0}]}"));
    T_TRUE(equal("null", "null"));
    T_TRUE(equal("\"\\u0041\"", "\"A\""));
    T_TRUE(!equal("{\"a\":1}", "{\"a\":2}"));
    T_TRUE(!equal("{\"a\":null}", "{\"b\":null}"));
    T_TRUE(!equal("{\"a\":null}", "{}"));
    T_TRUE(!equal("[1,2]", "[2,1]"));
    T_TRUE(!equal("[1]", "[1,1]"));
    T_TRUE(!equal("\"a\"", "\"A\""));
    T_TRUE(!equal("1", "\"1\""));
    T_TRUE(!equal("false", "null"));
    T_TRUE(!equal("0", "false"));
    T_TRUE(!equal("[]", "{}"));
    T_TRUE(!equal("\"a\\u0000b\"", "\"a\\u0000c\""));
}

static void
typed_access_does_not_convert(void)
{
    AUTO_JSON struct json_object *value =
        value_of("{\"s\":\"7\",\"i\":7,\"d\":7.5,\"b\":true,\"n\":null,\"Mixed\":1}");
    const char *name = NULL;

    T_STR(json_get_string(value, "s"), "7");
    T_STR(json_get_string(value, "i"), NULL);
    T_INT(json_get_int(value, "i", -1), 7);
    T_INT(json_get_int(value, "s", -1), -1);
    T_INT(json_get_int(value, "d", -1), -1);
    T_INT(json_get_int(value, "absent", -1), -1);
    T_TRUE(json_get_bool(value, "b", false));
    T_TRUE(json_get_bool(value, "i", false) == false);
    T_TRUE(json_get(value, "n") == NULL);
    T_TRUE(json_get(NULL, "n") == NULL);
    T_TRUE(json_get(json_get(value, "s"), "n") == NULL);
    T_TRUE(json_get_nocase(value, "mIXED", &name) != NULL);
    T_STR(name, "Mixed");
    T_TRUE(json_get_nocase(NULL, "x", NULL) == NULL);
    T_TRUE(json_get_nocase(value, "mixe", NULL) == NULL);
}

static void
json_put_takes_over_and_tells_of_a_missing_container(void)
{
    AUTO_JSON struct json_object *object = json_object_new_object();
    AUTO_JSON struct json_object *list = json_object_new_array();
    AUTO_FREE char *text = NULL;

    T_INT(json_put_string(object, "s", "x"), 0);
    T_INT(json_put_string(object, "none", NULL), 0);
    T_INT(json_put_int(object, "i", INT64_MIN), 0);
    T_INT(json_put_bool(object, "b", false), 0);
    T_INT(json_put(object, "n", NULL), 0);
    T_INT(json_append(list, json_object_new_int(1)), 0);
    T_INT(json_append(list, NULL), 0);
    T_INT(json_put(object, "l", json_ref(list)), 0);
    text = json_text(object);
    T_STR(text, "{\"s\":\"x\",\"i\":-9223372036854775808,\"b\":false,\"n\":null,\"l\":[1,null]}");
    /* what an allocation that failed leaves behind must not end the host's process */
    T_INT(json_put(NULL, "s", json_object_new_string("x")), PROV_E_NOMEM);
    T_INT(json_put_int(NULL, "i", 1), PROV_E_NOMEM);
    T_INT(json_put(list, "s", json_object_new_string("x")), PROV_E_NOMEM);
    T_INT(json_append(NULL, json_object_new_string("x")), PROV_E_NOMEM);
    T_INT(json_append(object, NULL), PROV_E_NOMEM);
}

/* ---- clock ---- */

static void
times_are_written_in_utc(void)
{
    char text[21];

    T_STR(clock_format(INT64_C(1795354805000000), text), "2026-11-22T13:40:05Z");
    T_STR(clock_format(1, text), "1970-01-01T00:00:00Z");
    T_STR(clock_format(INT64_C(253402300799999999), text), "9999-12-31T23:59:59Z");
}

static void
every_day_of_four_centuries_is_written_like_the_c_library_does(void)
{
    for (int64_t day = 0; day < 146097 + 3; day++) {
        time_t seconds = (time_t)(day * 86400 + day * 7919 % 86400);
        struct tm fields;
        char text[21], want[21];

        if (seconds == 0)
            continue;
        clock_format(seconds * CLOCK_SECOND_US + 999999, text);
        gmtime_r(&seconds, &fields);
        strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &fields);
        if (strcmp(text, want) != 0) {
            T_STR(text, want);
            return;
        }
    }
    T_TRUE(1);
}

static void
times_of_salesforce_are_read(void)
{
    char text[21];

    T_INT(clock_parse("2026-11-22T10:15:30.000+0000"), INT64_C(1795342530) * CLOCK_SECOND_US);
    T_INT(clock_parse("2026-11-22T10:15:30Z"), INT64_C(1795342530) * CLOCK_SECOND_US);
    T_INT(clock_parse("2026-11-22T11:45:30+0130"), INT64_C(1795342530) * CLOCK_SECOND_US);
    T_INT(clock_parse("2026-11-22T08:45:30-01:30"), INT64_C(1795342530) * CLOCK_SECOND_US);
    for (int64_t day = 1; day < 60000; day += 7) {
        int64_t time_us = (day * 86400 + 3723) * CLOCK_SECOND_US;
        if (clock_parse(clock_format(time_us, text)) != time_us)
            T_INT(clock_parse(text), time_us);
    }
}

static void
what_is_no_time_is_not_read(void)
{
    static const char *const wrong[] = { "",
                                         "2026",
                                         "2026-11-22",
                                         "2026-11-22T10:15:30",
                                         "2026-13-22T10:15:30Z",
                                         "2026-11-22 10:15:30Z",
                                         "2026-11-22T10:15:30+00",
                                         "2026-11-22T10:15:30Zx",
                                         "x026-11-22T10:15:30Z" };

    T_INT(clock_parse(NULL), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        T_INT(clock_parse(wrong[i]), 0);
}

static void
what_is_no_time_is_a_dash(void)
{
    char text[21];

    T_STR(clock_format(0, text), "-");
    T_STR(clock_format(-1, text), "-");
    T_STR(clock_format(INT64_C(253402300800000000), text), "-");
    T_STR(clock_format(INT64_MAX, text), "-");
    T_STR(clock_format(INT64_MIN, text), "-");
}

static void
the_clocks_move(void)
{
    int64_t wall = clock_now_us(), monotonic = clock_monotonic_us();

    T_TRUE(wall > INT64_C(1700000000000000));
    T_TRUE(clock_now_us() >= wall);
    T_TRUE(clock_monotonic_us() >= monotonic);
}

/* ---- digest ---- */

static void
the_digest_is_sha_256(void)
{
    char hex[DIGEST_HEX_SIZE];

    T_INT(digest_hex("", 0, hex), 0);
    T_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    T_INT(digest_hex("abc", 3, hex), 0);
    T_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    T_INT(digest_hex("abc\0", 4, hex), 0);
    T_TRUE(strncmp(hex, "ba78", 4) != 0);
}

static void
random_numbers_stay_below_the_limit(void)
{
    unsigned seen = 0;

    for (int i = 0; i < 1000; i++) {
        uint64_t number = random_below(5);
        T_TRUE(number < 5);
        seen |= 1u << (number % 5);
    }
    T_INT(seen, 31);
    T_INT(random_below(1), 0);
    T_INT(random_below(0), 0);
}

static void
random_ids_are_hex_and_differ(void)
{
    char a[33], b[33];

    random_id(a);
    random_id(b);
    T_INT(strlen(a), 32);
    for (size_t i = 0; i < 32; i++)
        T_TRUE(isxdigit((unsigned char)a[i]) && !isupper((unsigned char)a[i]));
    T_TRUE(strcmp(a, b) != 0);
}

/* ---- forks ---- */

static bool stop_working;

static void *
work_with_libraries(void *argument)
{
    static const char text[] = "{\"a\":[1,2.5,\"x\"]}";

    (void)argument;
    while (!__atomic_load_n(&stop_working, __ATOMIC_SEQ_CST)) {
        struct json_object *value = NULL;
        char hex[DIGEST_HEX_SIZE], time[21];
        if (json_parse(text, strlen(text), "it", &value, NULL) == PROV_OK)
            json_object_put(value);
        if (digest_hex(text, sizeof(text), hex) || !clock_format(1, time))
            return NULL;
    }
    return NULL;
}

/* A child that hangs is ended by its alarm. */
static int
use_libraries_in_child(void)
{
    struct json_object *value = NULL;
    char hex[DIGEST_HEX_SIZE], time[21];
    int child, status;

    alarm(5);
    if (json_parse("[1.5]", 5, "it", &value, NULL) || digest_hex("x", 1, hex) ||
        !clock_format(1, time))
        return 1;
    json_object_put(value);
    child = fork(); /* a grandchild too */
    if (child == 0)
        _exit(digest_hex("x", 1, hex) || json_parse("[1]", 3, "it", &value, NULL));
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
}

UNIT_FORKING static void
a_child_forked_while_threads_parse_can_parse(void)
{
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        T_INT(pthread_create(&threads[i], NULL, work_with_libraries, NULL), 0);
    for (int i = 0; i < 150; i++) {
        int child = fork(), status = -1;
        if (child == 0)
            _exit(use_libraries_in_child());
        T_INT(waitpid(child, &status, 0), child);
        T_INT(status, 0);
        if (status != 0)
            break;
    }
    __atomic_store_n(&stop_working, true, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(error_set_fills_code_and_text_and_returns_the_code),
        UNIT_CASE(error_text_is_one_line_whatever_a_value_holds),
        UNIT_CASE(error_text_is_cut_between_characters),
        UNIT_CASE(error_text_fits_the_size_the_caller_named),
        UNIT_CASE(error_wrap_keeps_the_code_and_puts_the_context_first),
        UNIT_CASE(every_code_of_the_abi_has_its_name),
        UNIT_CASE(a_log_line_cannot_be_forged),
        UNIT_CASE(a_long_log_line_is_cut_between_characters),
        UNIT_CASE(nobody_needs_to_listen_to_the_log),
        UNIT_CASE(json_of_every_kind_is_read),
        UNIT_CASE(what_is_no_json_is_refused_with_its_place),
        UNIT_CASE(broken_utf8_is_refused_wherever_it_stands),
        UNIT_CASE(a_nul_byte_is_refused),
        UNIT_CASE(a_name_that_stands_twice_in_one_object_is_refused),
        UNIT_CASE(characters_that_are_none_are_refused),
        UNIT_CASE(integers_too_large_to_keep_are_refused),
        UNIT_CASE(thirty_two_levels_are_read_and_one_more_is_not),
        UNIT_CASE(only_the_bytes_of_the_length_are_read),
        UNIT_CASE(json_is_written_as_json_c_writes_it),
        UNIT_CASE(canonical_text_does_not_depend_on_the_order_of_keys),
        UNIT_CASE(canonical_text_tells_different_values_apart),
        UNIT_CASE(text_is_what_json_c_writes),
        UNIT_CASE(many_members_are_sorted_too),
        UNIT_CASE(json_equal_compares_values_not_spelling),
        UNIT_CASE(typed_access_does_not_convert),
        UNIT_CASE(json_put_takes_over_and_tells_of_a_missing_container),
        UNIT_CASE(times_are_written_in_utc),
        UNIT_CASE(every_day_of_four_centuries_is_written_like_the_c_library_does),
        UNIT_CASE(times_of_salesforce_are_read),
        UNIT_CASE(what_is_no_time_is_not_read),
        UNIT_CASE(what_is_no_time_is_a_dash),
        UNIT_CASE(the_clocks_move),
        UNIT_CASE(the_digest_is_sha_256),
        UNIT_CASE(random_numbers_stay_below_the_limit),
        UNIT_CASE(random_ids_are_hex_and_differ),
        UNIT_CASE_FORKING_AMONG_THREADS(a_child_forked_while_threads_parse_can_parse)
    };

    return unit_run("base", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
