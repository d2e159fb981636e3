/* SCIM paths, filters and PATCH. Whole PATCH cases are data, in tests/golden/patch: adding one adds
 * no C. */
#include "tests/unit/values.h"

#include <dirent.h>
#include <limits.h>

#include "plugin/base/json.h"
#include "plugin/scim/patch.h"
#include "plugin/scim/path.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define CORE       "urn:ietf:params:scim:schemas:core:2.0:User"

static const char user[] =
    "{\"schemas\":[\"" CORE "\"],\"userName\":\"bjensen\",\"nickName\":\"\",\"title\":null,"
    "\"ims\":[],\"Name\":{\"familyName\":\"Jensen\",\"givenName\":\"Barbara\"},"
    "\"emails\":[{\"value\":\"home@example.com\",\"type\":\"home\"},"
    "{\"value\":\"work@example.com\",\"type\":\"work\",\"primary\":\"True\"},"
    "{\"value\":\"old@example.com\",\"type\":\"work\",\"rank\":3,\"primary\":false}],"
    "\"phoneNumbers\":[{\"type\":\"work\"},{\"type\":\"work\",\"value\":\"555\"}],"
    "\"roles\":[\"admin\",\"auditor\"],\"urn:acme:hr\":{\"badge\":{\"number\":7}},"
    "\"" ENTERPRISE "\":{\"department\":\"Tour\",\"manager\":\"26118915\"}}";

/* What the path gives of the user above, as JSON text; static. "error" when it is not valid. */
static const char *
got(const char *text)
{
    static char answer[512];
    CLEANUP(scim_path_cleanup) struct scim_path *path = NULL;
    struct value *resource = value_of(user);
    AUTO_FREE char *value = NULL;

    if (scim_path_parse(text, &path, NULL) != PROV_OK)
        return "error";
    value = value_json(scim_path_get(path, resource));
    snprintf(answer, sizeof(answer), "%s", value);
    return answer;
}

/* The text of the error of a path that must not be taken; static. */
static const char *
refusal(const char *text)
{
    static struct prov_error err;
    CLEANUP(scim_path_cleanup) struct scim_path *path = NULL;

    err = (struct prov_error)PROV_ERROR_INIT;
    if (scim_path_parse(text, &path, &err) == PROV_OK)
        return "(taken)";
    T_TRUE(err.code == PROV_E_INVALID || err.code == PROV_E_LIMIT);
    return err.text;
}

static void
path_finds_attributes_without_regard_to_case(void)
{
    T_STR(got("userName"), "\"bjensen\"");
    T_STR(got("USERNAME"), "\"bjensen\"");
    T_STR(got(" name.FAMILYNAME "), "\"Jensen\"");
    T_STR(got("name"), "{\"familyName\":\"Jensen\",\"givenName\":\"Barbara\"}");
    T_STR(got("name.middleName"), "null");
    T_STR(got("displayName"), "null");
}

static void
null_empty_string_and_empty_list_count_as_absent(void)
{
    T_STR(got("nickName"), "null");
    T_STR(got("title"), "null");
    T_STR(got("ims"), "null");
    T_STR(got("ims.value"), "null");
}

static void
path_without_filter_prefers_the_primary_value(void)
{
    T_STR(got("emails.value"), "\"work@example.com\"");
    T_STR(got("emails.type"), "\"work\"");
    T_STR(got("emails"), "{\"value\":\"work@example.com\",\"type\":\"work\",\"primary\":\"True\"}");
    T_STR(got("roles"), "\"admin\"");
    T_STR(got("roles.value"), "\"admin\"");
    T_STR(got("roles.type"), "null");
}

static void
path_with_filter_takes_the_first_match_that_has_a_value(void)
{
    T_STR(got("emails[type eq \"home\"].value"), "\"home@example.com\"");
    T_STR(got("emails[type eq \"WORK\"].value"), "\"work@example.com\"");
    T_STR(got("emails[type eq \"other\"].value"), "null");
    T_STR(got("phoneNumbers[type eq \"work\"].value"), "\"555\"");
    T_STR(got("name[familyName eq \"jensen\"].givenName"), "\"Barbara\"");
    T_STR(got("name[familyName eq \"smith\"].givenName"), "null");
    T_STR(got("roles[value eq \"AUDITOR\"]"), "\"auditor\"");
}

static void
filter_knows_every_operator(void)
{
    T_STR(got("emails[value co \"OLD\"].value"), "\"old@example.com\"");
    T_STR(got("emails[value sw \"old\"].value"), "\"old@example.com\"");
    T_STR(got("emails[value ew \"e.com\" and value sw \"old\"].value"), "\"old@example.com\"");
    T_STR(got("emails[value ew \"a very much longer text than any\"].value"), "null");
    T_STR(got("emails[rank gt 2].value"), "\"old@example.com\"");
    T_STR(got("emails[rank ge 3.0].value"), "\"old@example.com\"");
    T_STR(got("emails[rank lt 4e0].value"), "\"old@example.com\"");
    T_STR(got("emails[rank le 2].value"), "null");
    T_STR(got("emails[rank eq \"3\"].value"), "null");
    T_STR(got("emails[rank pr].value"), "\"old@example.com\"");
    T_STR(got("emails[rank ne 3].value"), "\"home@example.com\"");
    T_STR(got("emails[value gt \"home@f\"].value"), "\"work@example.com\"");
    T_STR(got("emails[type NE \"home\"].value"), "\"work@example.com\"");
    T_STR(got("emails[value eq\"old@example.com\"].type"), "\"work\"");
    T_STR(got("emails[value eq \"old\\u0040example.com\"].type"), "\"work\"");
}

static void
filter_takes_booleans_as_words_and_as_strings(void)
{
    T_STR(got("emails[primary eq true].value"), "\"work@example.com\"");
    T_STR(got("emails[primary eq True].value"), "\"work@example.com\"");
    T_STR(got("emails[primary eq \"true\"].value"), "\"work@example.com\"");
    T_STR(got("emails[primary eq false].value"), "\"old@example.com\"");
    T_STR(got("emails[primary eq null].value"), "\"home@example.com\"");
    T_STR(got("emails[primary ne null].value"), "\"work@example.com\"");
}

static void
filter_binds_not_before_and_before_or(void)
{
    T_STR(got("emails[type eq \"x\" or type eq \"home\" and value pr].value"),
          "\"home@example.com\"");
    T_STR(got("emails[(type eq \"x\" or type eq \"home\") and rank pr].value"), "null");
    T_STR(got("emails[not (type eq \"home\") and not(primary eq \"True\")].value"),
          "\"old@example.com\"");
    T_STR(got("emails[ ( ( type eq \"home\" ) ) ].value"), "\"home@example.com\"");
    T_STR(got("emails[not pr].value"), "null");
}

static void
path_takes_schema_urns_with_dots_and_colons(void)
{
    T_STR(got(ENTERPRISE ":department"), "\"Tour\"");
    T_STR(got("URN:IETF:params:scim:schemas:extension:enterprise:2.0:user:DEPARTMENT"), "\"Tour\"");
    T_STR(got(ENTERPRISE ".department"), "\"Tour\"");
    T_STR(got(ENTERPRISE), "{\"department\":\"Tour\",\"manager\":\"26118915\"}");
    T_STR(got(CORE ":userName"), "\"bjensen\"");
    T_STR(got(CORE ":name.familyName"), "\"Jensen\"");
    T_STR(got(CORE ":emails[type eq \"home\"].value"), "\"home@example.com\"");
    T_STR(got("urn:acme:hr:badge.number"), "7");
    T_STR(got("urn:acme:hr:badge"), "{\"number\":7}");
    T_STR(got("urn:acme:hr"), "{\"badge\":{\"number\":7}}");
    T_STR(got("urn:acme:other:badge"), "null");
    T_STR(got("urn:acme:ext:1.0"), "null");
}

static void
path_finds_extension_attributes_without_their_schema(void)
{
    T_STR(got("department"), "\"Tour\"");
    T_STR(got("badge.number"), "7");
    T_STR(got("costCenter"), "null");
}

static void
bare_manager_is_read_as_its_value(void)
{
    T_STR(got(ENTERPRISE ":manager.value"), "\"26118915\"");
    T_STR(got("manager.value"), "\"26118915\"");
    T_STR(got("manager.displayName"), "null");
}

static void
wrong_path_is_refused_with_its_position(void)
{
    T_HAS(refusal(""), "position 1: an attribute name is needed");
    T_HAS(refusal("name."), "position 6: an attribute name is needed");
    T_HAS(refusal("name.a.b"), "position 7: nothing more can stand here");
    T_HAS(refusal("1name"), "position 1");
    T_HAS(refusal("user name"), "position 6");
    T_HAS(refusal("scim:userName"), "position 5");
    T_HAS(refusal("emails[type eq \"work\""), "position 22: ']', 'and' or 'or'");
    T_HAS(refusal("emails[type eq \"work]"), "position 16: a JSON string in double quotes");
    T_HAS(refusal("emails[type eq work]"), "position 16");
    T_HAS(refusal("emails[type is \"work\"]"), "position 13: eq, ne, co");
    T_HAS(refusal("emails[]"), "position 8: the name of a sub-attribute");
    T_HAS(refusal("emails[(type pr]"), "')', 'and' or 'or'");
    T_HAS(refusal("emails[type pr and]"), "position 19");
    T_HAS(refusal("emails[type pr]x"), "position 16");
    T_HAS(refusal("emails[rank gt true]"), "gt, ge, lt and le");
    T_HAS(refusal("emails[rank co 3]"), "co, sw and ew");
    T_HAS(refusal("emails[rank eq NaN]"), "position 16");
    T_HAS(refusal("emails[rank eq -Infinity]"), "position 16");
    T_HAS(refusal("emails[rank eq 1.2.3]"), "position 16");
    T_HAS(refusal("urn:x"), "more than two segments");
    T_HAS(refusal("urn:acme:\xc3\xa9:x"), "position 10");
    T_HAS(refusal("emails[type eq \"\xff\"]"), "position 16");
    T_HAS(refusal(CORE ":emails["), "the name of a sub-attribute");
}

static void
hostile_path_is_refused_for_its_size(void)
{
    char text[2000];

    memset(text, 'a', sizeof(text));
    text[1024] = '\0';
    T_STR(refusal(text), "(taken)");
    text[1024] = 'a';
    text[1025] = '\0';
    T_HAS(refusal(text), "longer than 1024 bytes");
    T_STR(refusal("a[((((((((b pr))))))))]"), "(taken)");
    T_HAS(refusal("a[(((((((((b pr)))))))))]"), "more than 8 parentheses");
    T_HAS(refusal("a[not(not(not(not(not(not(not(not(not(b pr)))))))))]"), "8 parentheses");
    T_STR(refusal("a[b pr or b pr or b pr or b pr or b pr or b pr or b pr or b pr or b pr or b pr "
                  "or b pr or b pr or b pr or b pr or b pr or b pr]"),
          "(taken)");
    T_HAS(refusal("a[b pr or b pr or b pr or b pr or b pr or b pr or b pr or b pr or b pr or b pr "
                  "or b pr or b pr or b pr or b pr or b pr or b pr or b pr]"),
          "more than 16 comparisons");
    T_STR(refusal("a[(b pr) and (b pr) and (b pr) and (b pr) and (b pr) and (b pr) and (b pr) and "
                  "(b pr) and (b pr)]"),
          "(taken)");
}

static void
path_cut_anywhere_does_no_harm(void)
{
    const char whole[] = ENTERPRISE ":emails[not (type eq \"wo\\u0041rk\") and rank ge -1.5e3 or "
                                    "primary eq True].value";
    char text[sizeof(whole)];

    for (size_t length = 0; length < sizeof(whole); length++) {
        CLEANUP(scim_path_cleanup) struct scim_path *path = NULL;
        struct prov_error err = PROV_ERROR_INIT;
        snprintf(text, length + 1, "%s", whole);
        if (scim_path_parse(text, &path, &err) != PROV_OK)
            T_TRUE(strlen(err.text) > 20);
    }
}

/* Applies patch to resource, both texts; the result or the error as text, static. */
static const char *
patched(const char *resource_text, const char *patch_text)
{
    static char answer[8192];
    struct value *resource = value_of(resource_text), *patch = value_of(patch_text);
    struct value *result = NULL;
    AUTO_FREE char *before = value_json(resource), *patch_before = value_json(patch), *text = NULL;
    AUTO_FREE char *after = NULL, *patch_after = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    if (scim_patch_apply(&test_values, resource, patch, &result, &err) != PROV_OK) {
        T_TRUE(!result);
        snprintf(answer, sizeof(answer), "%s", err.text);
    } else {
        text = value_json(result);
        snprintf(answer, sizeof(answer), "%s", text);
    }
    after = value_json(resource);
    patch_after = value_json(patch);
    T_STR(after, before);
    T_STR(patch_after, patch_before);
    return answer;
}

static void
golden_case(const char *file)
{
    AUTO_JSON struct json_object *json = json_object_from_file(file);
    AUTO_FREE char *got_text = NULL, *want_text = NULL, *before = NULL, *after = NULL;
    struct json_object *want = json_get(json, "result");
    struct value *resource = value_like(json_get(json, "resource"));
    struct value *patch = value_like(json_get(json, "patch")), *result = NULL;
    const char *wanted_error = json_get_string(json, "error");
    struct prov_error err = PROV_ERROR_INIT;
    int code;

    printf("    %s: %s\n", file, json ? json_get_string(json, "name") : "cannot be read");
    T_TRUE(json_get_string(json, "name") && resource && patch && (!want != !wanted_error));
    if (!json || !resource || !patch)
        return;
    before = value_canonical(resource);
    code = scim_patch_apply(&test_values, resource, patch, &result, &err);
    after = value_canonical(resource);
    T_STR(after, before);
    if (wanted_error) {
        T_TRUE(code != PROV_OK && !result);
        T_HAS(err.text, wanted_error);
        return;
    }
    T_OK(code, &err);
    got_text = value_canonical(result);
    want_text = json_canonical(want);
    T_STR(got_text, want_text);
}

static void
golden_patches_give_their_result(void)
{
    const char *top = getenv("srcdir");
    char file[PATH_MAX];
    struct dirent **entries = NULL;
    int count, cases = 0;

    snprintf(file, sizeof(file), "%s/tests/golden/patch", top ? top : ".");
    count = scandir(file, &entries, NULL, alphasort);
    T_TRUE(count > 0);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->d_name);
        if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".json") == 0) {
            snprintf(file, sizeof(file), "%s/tests/golden/patch/%s", top ? top : ".",
                     entries[i]->d_name);
            golden_case(file);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    T_TRUE(cases >= 40);
}

static void
failed_operation_undoes_the_ones_before(void)
{
    T_STR(patched("{\"title\":\"Engineer\"}",
                  "{\"Operations\":[{\"op\":\"replace\",\"path\":\"title\",\"value\":\"Boss\"},"
                  "{\"op\":\"replace\",\"path\":\"emails[value eq \\\"a\\\"].type\","
                  "\"value\":\"work\"}]}"),
          "PATCH operation 2 on 'emails[value eq \"a\"].type': noTarget: no value passes the "
          "filter; send the whole resource, or `add` the value without a filter");
}

static void
form_is_checked_without_a_resource(void)
{
    struct value *good =
        value_of("{\"Operations\":[{\"op\":\"replace\",\"path\":\"a[value eq \\\"1\\\"].b\","
                 "\"value\":1}]}");
    struct value *bad = value_of("{\"Operations\":[{\"op\":\"move\"}]}");
    struct value *no_object = value_of("[1]");
    struct value *untouched = good, *ret = untouched;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(scim_patch_apply(NULL, NULL, good, &ret, &err), &err);
    T_TRUE(ret == untouched);
    T_INT(scim_patch_apply(NULL, NULL, bad, &ret, &err), PROV_E_INVALID);
    T_HAS(err.text, "PATCH operation 1: invalidSyntax: 'op' must be add, replace or remove");
    T_INT(scim_patch_apply(NULL, NULL, no_object, &ret, &err), PROV_E_INVALID);
    T_INT(scim_patch_apply(NULL, NULL, NULL, &ret, &err), PROV_E_INVALID);
    T_INT(scim_patch_apply(&test_values, no_object, good, &ret, &err), PROV_E_INVALID);
}

/* A text of count numbered pieces; heap. */
static char *
repeated(const char *start, const char *piece, int count, const char *piece_end, const char *end)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    fputs(start, stream);
    for (int i = 0; i < count; i++)
        fprintf(stream, "%s%d%s", piece, i, piece_end);
    fputs(end, stream);
    fclose(stream);
    return text;
}

static void
patch_cannot_grow_a_resource_without_end(void)
{
    AUTO_FREE char *values = repeated("{\"Operations\":[{\"op\":\"add\",\"path\":\"roles\","
                                      "\"value\":[0",
                                      ",{\"value\":", 6000, "}", "]}]}");
    AUTO_FREE char *members = repeated("{\"Operations\":[{\"op\":\"add\",\"path\":\"name\","
                                       "\"value\":{\"a\":1",
                                       ",\"a", 2500, "\":1", "}}]}");
    AUTO_FREE char *list = repeated("{\"a\":{\"b\":[0", ",", 5000, "", "]}}");
    AUTO_FREE char *object = repeated("{\"a\":[{\"b\":0", ",\"", 2000, "\":1", "}]}");
    AUTO_FREE char *wide = repeated("{\"e\":[{\"a\":1}", ",{\"a\":", 4000, "}", "]}");
    AUTO_FREE char *large = repeated("{\"b\":\"", "", 100000, "x", "\"}");

    T_HAS(patched("{}", values), "more than 5000 values");
    T_HAS(patched("{}", members), "more than 2000 attributes");
    T_HAS(patched(list, "{\"Operations\":[]}"), "with more values than 5000, too large for PATCH");
    T_HAS(patched(object, "{\"Operations\":[]}"), "with more attributes than 2000, too large");
    T_HAS(patched(wide, "{\"Operations\":[{\"op\":\"add\",\"path\":\"e[a pr].text\",\"value\":"
                        "\"----------------------------------------------------------------------"
                        "--------------------------------------------------------------------------"
                        "------------------------------------------------------------------------"
                        "-----------------------------------------------------------\"}]}"),
          "on 'e[a pr].text': the value goes into so many that they would have more than 1048576");
    T_HAS(patched(wide, "{\"Operations\":[{\"op\":\"add\",\"value\":{\"e[a pr].b\":"
                        "\"---------------------------------------------------------------------"
                        "--------------------------------------------------------------\","
                        "\"e[a pr].c\":"
                        "\"---------------------------------------------------------------------"
                        "--------------------------------------------------------------\"}}]}"),
          "attribute 'e[a pr].c': the resource has more bytes than 1048576");
    T_STR(patched(large, "{\"Operations\":[{\"op\":\"remove\",\"path\":\"b\"}]}"), "{}");
}

static void
patch_does_so_much_and_no_more(void)
{
    AUTO_FREE char *most =
        repeated("{\"Operations\":[{\"op\":\"add\",\"path\":\"a\",\"value\":1}",
                 ",{\"op\":\"replace\",\"path\":\"x[a eq ", 249, "].a\",\"value\":1}", "]}");
    AUTO_FREE char *more = repeated("{\"Operations\":[{}", ",{\"x\":", 250, "}", "]}");
    AUTO_FREE char *members = repeated("{\"Operations\":[{\"op\":\"add\",\"value\":{\"a\":1",
                                       ",\"a", 250, "\":1", "}}]}");
    AUTO_FREE char *schema =
        repeated("{\"Operations\":[{\"op\":\"add\",\"path\":\"" ENTERPRISE "\",\"value\":{\"a\":1",
                 ",\"a", 250, "\":1", "}}]}");
    AUTO_FREE char *removed = repeated(
        "{\"Operations\":[{\"op\":\"remove\",\"path\":\"a\",\"value\":[0", ",", 500, "", "]}]}");

    T_HAS(patched("{}", most), "{\"a\":1,\"x\":[{\"a\":1}");
    T_HAS(patched("{}", more), "251 operations, more than 250: send several");
    T_HAS(patched("{}", members), "more than 250 operations and attributes: send several");
    T_HAS(patched("{}", schema), "more than 250 operations and attributes: send several");
    T_HAS(patched("{\"a\":[1]}", removed), "more than 500 values to be removed: replace");
}

/* Each took minutes when a change of one value looked at all the others. Not timed: where it is
 * quadratic again, the test's own limit of time ends it. */
static void
patch_of_long_lists_is_not_quadratic(void)
{
    AUTO_FREE char *list = repeated("{\"e\":[{\"a\":1}", ",{\"a\":1,\"b\":", 4900, "}", "]}");
    AUTO_FREE char *primary =
        repeated("{\"Operations\":[{\"op\":\"add\",\"path\":\"z\",\"value\":1}",
                 ",{\"op\":\"replace\",\"path\":\"e[a eq 1 and b ne -", 240,
                 "].primary\",\"value\":true}", "]}");
    AUTO_FREE char *equal = repeated("{\"Operations\":[{\"op\":\"add\",\"path\":\"e\",\"value\":[0",
                                     ",{\"b\":4899,\"a\":1},{\"a\":1,\"b\":", 4800, "}", "]}]}");
    struct value *resource = value_of(list), *patch = value_of(primary), *ret = NULL;
    struct value *adding = value_of(equal), *added = NULL;
    struct value *elements;
    struct prov_error err = PROV_ERROR_INIT;
    size_t primaries = 0;

    T_OK(scim_patch_apply(&test_values, resource, patch, &ret, &err), &err);
    elements = value_get(ret, "e");
    T_INT(value_count(elements), 4901);
    for (size_t i = 0; i < value_count(elements); i++)
        primaries += value_get_boolean(value_at(elements, i), "primary", false);
    T_INT(primaries, 1);
    T_TRUE(value_get_boolean(value_at(elements, 0), "primary", false));
    T_OK(scim_patch_apply(&test_values, resource, adding, &added, &err), &err);
    T_INT(value_count(value_get(added, "e")), 4902);
}

static void
patch_cannot_nest_a_resource_too_deep_to_read_back(void)
{
    /* 32 levels: an `emails` that is no array is wrapped into one, which makes 33 */
    char text[256];

    snprintf(text, sizeof(text), "{\"emails\":{\"type\":\"work\",\"x\":%.30s7%.30s}}",
             "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    T_HAS(patched(text, "{\"Operations\":{\"op\":\"add\",\"path\":\"title\",\"value\":1}}"),
          "\"title\":1");
    T_HAS(patched(text, "{\"Operations\":{\"op\":\"add\",\"path\":"
                        "\"emails[type eq \\\"work\\\"].value\",\"value\":1}}"),
          "nests deeper than 32");
}

static void
active_is_false_only_when_it_says_so(void)
{
    static const struct {
        const char *text;
        int active;
    } cases[] = { { "{}", 1 },
                  { "{\"active\":true}", 1 },
                  { "{\"active\":false}", 0 },
                  { "{\"active\":\"False\"}", 0 },
                  { "{\"ACTIVE\":\"FALSE\"}", 0 },
                  { "{\"active\":\"true\"}", 1 },
                  { "{\"active\":null}", 1 },
                  { "{\"active\":0}", 1 },
                  { "{\"active\":{}}", 1 } };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct value *resource = value_of(cases[i].text);
        T_INT(scim_is_active(resource), cases[i].active);
    }
    T_INT(scim_is_active(NULL), 1);
}

static void
setting_active_keeps_the_spelling(void)
{
    struct value *resource = value_of("{\"Active\":\"True\"}");
    struct value *none = value_of("{}");
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(scim_set_active(&test_values, resource, false, &err), &err);
    T_TRUE(value_equal(resource, value_of("{\"Active\":false}")));
    T_OK(scim_set_active(&test_values, none, false, &err), &err);
    T_TRUE(value_equal(none, value_of("{\"active\":false}")));
}

static const struct unit_case cases[] = {
    UNIT_CASE(path_finds_attributes_without_regard_to_case),
    UNIT_CASE(null_empty_string_and_empty_list_count_as_absent),
    UNIT_CASE(path_without_filter_prefers_the_primary_value),
    UNIT_CASE(path_with_filter_takes_the_first_match_that_has_a_value),
    UNIT_CASE(filter_knows_every_operator),
    UNIT_CASE(filter_takes_booleans_as_words_and_as_strings),
    UNIT_CASE(filter_binds_not_before_and_before_or),
    UNIT_CASE(path_takes_schema_urns_with_dots_and_colons),
    UNIT_CASE(path_finds_extension_attributes_without_their_schema),
    UNIT_CASE(bare_manager_is_read_as_its_value),
    UNIT_CASE(wrong_path_is_refused_with_its_position),
    UNIT_CASE(hostile_path_is_refused_for_its_size),
    UNIT_CASE(path_cut_anywhere_does_no_harm),
    UNIT_CASE(golden_patches_give_their_result),
    UNIT_CASE(failed_operation_undoes_the_ones_before),
    UNIT_CASE(form_is_checked_without_a_resource),
    UNIT_CASE(patch_cannot_grow_a_resource_without_end),
    UNIT_CASE(patch_does_so_much_and_no_more),
    UNIT_CASE(patch_of_long_lists_is_not_quadratic),
    UNIT_CASE(patch_cannot_nest_a_resource_too_deep_to_read_back),
    UNIT_CASE(active_is_false_only_when_it_says_so),
    UNIT_CASE(setting_active_keeps_the_spelling),
};

int
main(int argc, char **argv)
{
    return unit_run("scim", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
