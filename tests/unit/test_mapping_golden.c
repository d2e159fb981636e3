/* What mapping rules make of a user, as data in tests/golden/mapping: adding a file adds a case. Each
 * names rules, and either a resource with the fields (and lines of the trace) that come of it, or an
 * error; or the faults and warnings of the rules. What a case does not name is not compared. */
#include <dirent.h>
#include <limits.h>

#include "schema/mapping_rule.h"
#include "tests/unit/mapping_json.h"

static const struct mapping_defaults defaults = {
    .time_zone = "GMT", .locale = "en_US", .language = "en_US", .email_encoding = "UTF-8"
};

static void
same(const char *what, struct json_object *got, struct json_object *want)
{
    AUTO_FREE char *got_text = json_canonical(got);
    AUTO_FREE char *want_text = json_canonical(want);

    printf("      %s\n", what);
    T_STR(got_text, want_text);
}

/* Every member of want is one of got. */
static void
holds(struct json_object *got, struct json_object *want)
{
    json_object_object_foreach(want, name, value)
    {
        T_TRUE(json_object_object_get_ex(got, name, NULL));
        same(name, json_get(got, name), value);
    }
}

static struct json_object *
line_of(struct json_object *trace, const char *field)
{
    for (size_t i = 0; trace && i < json_object_array_length(trace); i++) {
        struct json_object *line = json_object_array_get_idx(trace, i);
        if (strcmp(json_get_string(line, "field"), field) == 0)
            return line;
    }
    return NULL;
}

/* What every user needs, where the case has it not. */
static void
complete(struct json_object *resource)
{
    if (!json_get(resource, "name"))
        T_INT(json_put(resource, "name", json("{'familyName':'Doe'}")), 0);
    if (!json_get(resource, "emails"))
        T_INT(json_put(resource, "emails", json("[{'value':'doe@example.com'}]")), 0);
}

static void
apply_case(const struct mapping *mapping, struct json_object *golden)
{
    AUTO_JSON struct json_object *fields = NULL, *trace = NULL;
    AUTO_FREE char *before = NULL, *after = NULL;
    struct json_object *resource = json_get(golden, "resource");
    const char *error = json_get_string(golden, "error");
    struct json_object *absent = json_get(golden, "not_sent");
    struct prov_error err = PROV_ERROR_INIT;
    int code;

    complete(resource);
    before = json_canonical(resource);
    code = apply_mapping(mapping, resource, json_get_bool(golden, "creating", false), &fields,
                         &trace, &err);
    after = json_canonical(resource);
    T_STR(after, before);
    if (error) {
        T_INT(code, PROV_E_INVALID);
        T_HAS(err.text, error);
        return;
    }
    T_OK(code, &err);
    if (json_get(golden, "fields"))
        holds(fields, json_get(golden, "fields"));
    for (size_t i = 0; absent && i < json_object_array_length(absent); i++)
        T_TRUE(!json_object_object_get_ex(
            fields, json_object_get_string(json_object_array_get_idx(absent, i)), NULL));
    if (!json_get(golden, "trace"))
        return;
    json_object_object_foreach(json_get(golden, "trace"), field, line)
    {
        holds(line_of(trace, field), line);
    }
}

/* Faults or warnings: their number, and of each the place and a part of its text. */
static void
told(struct json_object *got, struct json_object *want)
{
    T_INT(json_object_array_length(got), want ? json_object_array_length(want) : 0);
    for (size_t i = 0; want && i < json_object_array_length(want); i++) {
        struct json_object *fault = json_object_array_get_idx(got, i);
        struct json_object *wanted = json_object_array_get_idx(want, i);
        const char *reason = json_get_string(fault, "reason");
        T_STR(json_get_string(fault, "field"), json_get_string(wanted, "field"));
        T_HAS(reason ? reason : "", json_get_string(wanted, "reason"));
        T_TRUE(json_get_string(fault, "remedy") && *json_get_string(fault, "remedy"));
    }
}

static void
golden_case(const char *file)
{
    AUTO_JSON struct json_object *golden = json_object_from_file(file);
    AUTO_JSON struct json_object *faults = json_object_new_array();
    AUTO_JSON struct json_object *warnings = json_object_new_array();
    struct fault_list fault_list = { .array = faults }, warning_list = { .array = warnings };
    CLEANUP(mapping_cleanup) struct mapping *mapping = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int code;

    printf("    %s: %s\n", strrchr(file, '/') + 1,
           golden ? json_get_string(golden, "name") : "cannot be read");
    T_TRUE(json_get_string(golden, "name") && json_get(golden, "rules"));
    if (!golden)
        return;
    code = mapping_compile_list(json_get(golden, "rules"), &defaults, &fault_list, &warning_list,
                                &mapping, &err);
    T_INT(code, json_get(golden, "faults") ? PROV_E_FIELDS : PROV_OK);
    told(faults, json_get(golden, "faults"));
    told(warnings, json_get(golden, "warnings"));
    T_TRUE(!json_get(golden, "faults") == !!json_get(golden, "resource") ||
           json_get(golden, "warnings"));
    if (mapping && json_get(golden, "resource"))
        apply_case(mapping, golden);
}

static int
each_golden_file(void (*run)(const char *file))
{
    const char *top = getenv("srcdir");
    char file[PATH_MAX];
    struct dirent **entries = NULL;
    int count, cases = 0;

    snprintf(file, sizeof(file), "%s/tests/golden/mapping", top ? top : ".");
    count = scandir(file, &entries, NULL, alphasort);
    T_TRUE(count > 0);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->d_name);
        if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".json") == 0) {
            snprintf(file, sizeof(file), "%s/tests/golden/mapping/%s", top ? top : ".",
                     entries[i]->d_name);
            run(file);
            cases++;
        }
        free(entries[i]);
    }
    free(entries);
    return cases;
}

static void
golden_mappings_give_their_fields(void)
{
    T_TRUE(each_golden_file(golden_case) >= 90);
}

/* ---- the same, spoilt ---- */

static size_t spoilt_parsed, spoilt_compiled, spoilt_applied;

/* Compiles and applies what may be anything. Whatever fails says why. */
static void
try_spoilt(struct json_object *golden)
{
    AUTO_JSON struct json_object *faults = json_object_new_array();
    AUTO_JSON struct json_object *warnings = json_object_new_array();
    AUTO_JSON struct json_object *fields = NULL, *trace = NULL;
    struct fault_list fault_list = { .array = faults }, warning_list = { .array = warnings };
    CLEANUP(mapping_cleanup) struct mapping *mapping = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    int code = mapping_compile_list(json_get(golden, "rules"), &defaults, &fault_list,
                                    &warning_list, &mapping, &err);

    spoilt_parsed++;
    if (code) {
        T_TRUE(code == PROV_E_FIELDS && json_object_array_length(faults) > 0 && !mapping);
        return;
    }
    spoilt_compiled++;
    if (json_object_is_type(json_get(golden, "resource"), json_type_object))
        complete(json_get(golden, "resource"));
    code = apply_mapping(mapping, json_get(golden, "resource"), true, &fields, &trace, &err);
    T_TRUE(code == PROV_OK || (code == PROV_E_INVALID && err.text[0] && !fields));
    spoilt_applied += code == PROV_OK;
}

static void
spoil(const char *file)
{
    AUTO_JSON struct json_object *golden = json_object_from_file(file);
    AUTO_FREE char *text = json_text(golden);
    size_t length = strlen(text);
    unsigned state = (unsigned)length; /* the same spoilt cases in every run */

    for (int i = 0; i < 40; i++) {
        AUTO_FREE char *spoilt = strdup(text);
        AUTO_JSON struct json_object *value = NULL;
        for (int k = 0; k < 2; k++) {
            static const char put[] = "[]{}\"$^+*().|0aA;,:- \\\x7f";
            state = state * 1103515245u + 12345u;
            spoilt[(state >> 8) % length] = put[(state >> 3) % (sizeof(put) - 1)];
        }
        if (json_parse(spoilt, length, "spoilt", &value, NULL) == PROV_OK)
            try_spoilt(value);
    }
}

static void
a_spoilt_mapping_or_user_is_refused_or_works(void)
{
    each_golden_file(spoil);
    printf("    %zu spoilt cases, %zu compiled, %zu gave fields\n", spoilt_parsed, spoilt_compiled,
           spoilt_applied);
    T_TRUE(spoilt_parsed > 400 && spoilt_compiled > 100 && spoilt_applied > 20);
}

static const struct unit_case cases[] = {
    UNIT_CASE(golden_mappings_give_their_fields),
    UNIT_CASE(a_spoilt_mapping_or_user_is_refused_or_works),
};

int
main(int argc, char **argv)
{
    return unit_run("mapping_golden", cases, COUNT(cases), argc, argv);
}
