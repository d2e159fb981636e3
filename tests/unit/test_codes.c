/* All codes, Salesforce's and ours: each has an outcome, a cause and a remedy; docs/messages.md is the
 * tables, and tests/golden/codes is a list of its own, so that a code that is lost is missed.
 * `test_codes --print` writes docs/messages.md. */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>

#include "plugin/base/json.h"
#include "plugin/delivery/codes.h"
#include "plugin/salesforce/outcome.h"
#include "plugin/store/store.h"
#include "tests/unit/unit.h"

static const char *
source(const char *name, char path[PATH_MAX])
{
    const char *top = getenv("srcdir");

    snprintf(path, PATH_MAX, "%s/%s", top ? top : ".", name);
    return path;
}

static char *
read_source(const char *name)
{
    char path[PATH_MAX], *text = NULL;
    size_t length = 0;
    FILE *file = fopen(source(name, path), "r");

    if (!file) {
        printf("    cannot read '%s'; run from the top of the sources, or set srcdir\n", path);
        return NULL;
    }
    if (getdelim(&text, &length, EOF, file) < 0) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

/* ---- the golden list ---- */

static struct json_object *
golden(const char *name)
{
    char path[PATH_MAX], file[128];
    struct json_object *list;

    snprintf(file, sizeof(file), "tests/golden/codes/%s", name);
    list = json_object_from_file(source(file, path));
    T_TRUE(json_object_is_type(list, json_type_array));
    return list;
}

static void
is_said_well(struct sf_verdict verdict, const char *code)
{
    bool good = verdict.cause && verdict.remedy && strlen(verdict.cause) > 10 &&
                strlen(verdict.remedy) > 10;

    if (!good)
        printf("    %s has no cause or no remedy\n", code);
    T_TRUE(good);
}

static void
has_outcome(struct sf_verdict got, const char *want, const char *code, const char *level)
{
    bool safe = strcmp(want, "default") == 0;

    if (got.known == safe)
        printf("    %s on a %s is %s in the table\n", code, level, safe ? "now" : "not");
    T_TRUE(got.known != safe);
    if (!safe && strcmp(sf_outcome_name(got.outcome), want) != 0)
        printf("    %s on a %s\n", code, level);
    if (!safe)
        T_STR(sf_outcome_name(got.outcome), want);
    is_said_well(got, code);
}

static void
every_code_of_the_list_is_classified_on_both_levels(void)
{
    AUTO_JSON struct json_object *list = golden("data.json");
    size_t count = list ? json_object_array_length(list) : 0;

    T_TRUE(count >= 75);
    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        const char *code = json_get_string(row, "code"), *message = json_get_string(row, "message");
        int http = (int)json_get_int(row, "http", 0);
        struct sf_verdict record = sf_judge(SF_LEVEL_RECORD, 0, code, message, 1);
        struct sf_verdict call = sf_judge(SF_LEVEL_CALL, http, code, message, 1);
        has_outcome(record, json_get_string(row, "record"), code, "record");
        has_outcome(call, json_get_string(row, "call"), code, "call");
        T_TRUE(record.outcome != SF_HOLD && record.outcome != SF_DELIVERED);
        T_TRUE(call.outcome != SF_DELIVERED);
    }
}

static void
every_code_of_the_token_endpoint_is_classified(void)
{
    AUTO_JSON struct json_object *list = golden("token.json");
    size_t count = list ? json_object_array_length(list) : 0;

    T_TRUE(count >= 25);
    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        const char *code = json_get_string(row, "error");
        has_outcome(
            sf_judge(SF_LEVEL_TOKEN, 400, code, json_get_string(row, "error_description"), 0),
            json_get_string(row, "outcome"), code, "token");
    }
}

static void
every_blocker_of_a_deactivation_is_named_whatever_its_code(void)
{
    static const char *const codes[] = { "FIELD_INTEGRITY_EXCEPTION", "A_CODE_OF_A_LATER_RELEASE" };
    AUTO_JSON struct json_object *list = golden("blockers.json");
    size_t count = list ? json_object_array_length(list) : 0, known;

    sf_blockers(&known);
    T_TRUE(count >= known);
    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(list, i);
        const char *message = json_get_string(row, "message");
        for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++) {
            struct sf_verdict got = sf_judge(SF_LEVEL_RECORD, 0, codes[c], message, 1);
            T_INT(got.outcome, SF_REFUSED);
            T_HAS(got.cause, json_get_string(row, "cause"));
            T_TRUE(got.known);
            T_HAS(got.remedy, i == 0 ? "somebody else" : "Setup > ");
        }
    }
}

/* Whether the golden list, or a text of a row, knows the code: so that the list is complete too. */
static bool
is_listed(struct json_object *list, const char *key, const char *code)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (strcmp(json_get_string(json_object_array_get_idx(list, i), key), code) == 0)
            return true;
    }
    return false;
}

static void
every_code_of_the_table_is_in_the_list(void)
{
    AUTO_JSON struct json_object *data = golden("data.json");
    AUTO_JSON struct json_object *token = golden("token.json");
    size_t count;
    const struct sf_code *rows = sf_codes(&count);

    for (size_t i = 0; i < count; i++) {
        bool of_token = rows[i].levels & SF_ON(SF_LEVEL_TOKEN);
        bool listed = is_listed(of_token ? token : data, of_token ? "error" : "code", rows[i].code);
        if (!listed)
            printf("    %s is not in tests/golden/codes\n", rows[i].code);
        T_TRUE(listed);
    }
}

/* No row stands behind one that takes all it would: it would never count. */
static void
no_row_is_in_the_shadow_of_another(void)
{
    size_t count;
    const struct sf_code *rows = sf_codes(&count);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            bool shadowed = strcmp(rows[i].code, rows[j].code) == 0 &&
                            (rows[i].levels & rows[j].levels) && !rows[j].text;
            if (shadowed)
                printf("    %s stands twice\n", rows[i].code);
            T_TRUE(!shadowed);
        }
    }
}

/* ---- our own ---- */

static bool
is_known(const char *code)
{
    size_t count;
    const struct sf_code *rows = sf_codes(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].code, code) == 0)
            return true;
    }
    return code_words(code)->code[0] != '\0';
}

static void
every_code_of_ours_has_words(void)
{
    size_t count;
    const struct code_words *rows = code_table(&count);

    for (size_t i = 0; i < count; i++) {
        T_TRUE(rows[i].state[0] && strlen(rows[i].cause) > 10 && strlen(rows[i].remedy) > 6);
        T_TRUE(code_words(rows[i].code) == &rows[i]);
    }
    T_TRUE(code_words("A_CODE_THAT_IS_NOT_THERE")->code[0] == '\0');
}

/* A literal in capitals with an underscore, or on a line that defines a code, is a code. */
static void
codes_of_file(const char *name, size_t *seen)
{
    AUTO_FREE char *text = read_source(name);

    for (char *at = text ? strchr(text, '"') : NULL; at; at = strchr(at + 1, '"')) {
        size_t length = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        char code[64];
        if (length < 5 || length >= sizeof(code) || at[1 + length] != '"' ||
            !memchr(at + 1, '_', length))
            continue;
        memcpy(code, at + 1, length);
        code[length] = '\0';
        ++*seen;
        if (!is_known(code))
            printf("    %s in %s is in no table of codes\n", code, name);
        T_TRUE(is_known(code));
    }
}

static void
every_code_in_the_sources_of_delivery_is_in_a_table(void)
{
    char path[PATH_MAX], name[PATH_MAX];
    struct dirent **entries = NULL;
    int count = scandir(source("plugin/delivery", path), &entries, NULL, alphasort);
    size_t seen = 0;

    T_TRUE(count > 0);
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');
        if (dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0)) {
            snprintf(name, sizeof(name), "plugin/delivery/%s", entries[i]->d_name);
            codes_of_file(name, &seen);
        }
        free(entries[i]);
    }
    free(entries);
    T_TRUE(seen >= 20);
}

/* ---- the document ---- */

static const char head[] =
    "# Messages\n"
    "\n"
    "What `sfprov show`, `sfprov list`, `sfprov status` and the log say when a user is not in "
    "step, and what "
    "to do.\n"
    "This page is made from the tables in `plugin/delivery/codes.c` and "
    "`plugin/salesforce/outcome.c` "
    "(`make messages-docs`).\n"
    "\n"
    "| outcome | what it means |\n"
    "|---|---|\n"
    "| retry | will pass; tried again with growing pauses, or at once by `sfprov retry` |\n"
    "| refused | the user is parked: the next event, a changed field, `sfprov retry`, or the "
    "hourly look tries "
    "again. A call refused as a whole is halved until the user at fault is alone |\n"
    "| waiting | somebody else has what the user needs: delivered by itself when that is free. "
    "After "
    "wait_limit_hours the user is parked and the host told, and it goes on all the same |\n"
    "| hold | the org or the credentials are at fault: everything waits, and a probe looks again "
    "after 10 s, "
    "doubling to an hour. Where most users are refused alike, or the reserve of the API calls is "
    "reached, leavers are spared |\n"
    "| unknown | sent, and no certain answer: the org is read back before anything is sent again "
    "|\n";

/* A table's cell: a bar in a text would end it. */
static void
cell(FILE *out, const char *text)
{
    fputs("| ", out);
    for (; *text; text++)
        fprintf(out, *text == '|' ? "\\|" : "%c", *text);
    fputc(' ', out);
}

static void
print_ours(FILE *out)
{
    size_t count;
    const struct code_words *rows = code_table(&count);

    fputs("\n## The connector's own codes\n\n| code | the user is | cause | what to do "
          "|\n|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "| `%s` ", rows[i].code);
        cell(out, rows[i].state);
        cell(out, rows[i].cause);
        cell(out, rows[i].remedy);
        fputs("|\n", out);
    }
}

static void
print_outcomes(FILE *out, enum sf_outcome on_read, enum sf_outcome on_write)
{
    if (on_read == on_write)
        fprintf(out, "| %s ", sf_outcome_name(on_write));
    else
        fprintf(out, "| %s; %s of a write ", sf_outcome_name(on_read), sf_outcome_name(on_write));
}

static void
print_level(FILE *out, enum sf_level level, const char *title, const char *unknown)
{
    size_t count;
    const struct sf_code *rows = sf_codes(&count);

    fprintf(out, "\n## %s\n\n%s\n\n| code | outcome | cause | what to do |\n|---|---|---|---|\n",
            title, unknown);
    for (size_t i = 0; i < count; i++) {
        if (!(rows[i].levels & SF_ON(level)))
            continue;
        fprintf(out, "| `%s`%s%s%s ", rows[i].code, rows[i].text ? " with \"" : "",
                rows[i].text ? rows[i].text : "", rows[i].text ? "\"" : "");
        if (code_waits_for(rows[i].code))
            fputs("| waiting ", out);
        else if (level == SF_LEVEL_RECORD) /* a record is a write */
            print_outcomes(out, rows[i].on_write, rows[i].on_write);
        else
            print_outcomes(out, rows[i].on_read, rows[i].on_write);
        cell(out, rows[i].cause);
        cell(out, rows[i].remedy);
        fputs("|\n", out);
    }
}

static void
print_blockers(FILE *out)
{
    size_t count;
    const struct sf_code *rows = sf_blockers(&count);

    fputs(
        "\n## Salesforce does not let a leaver be deactivated\n\n"
        "The account is frozen at once, and the deactivation tried again. Where Salesforce names a "
        "field whose value it does not take any more, the deactivation takes with it what the host "
        "has corrected of that field. What stands in its way "
        "is told by the "
        "message, under `FIELD_INTEGRITY_EXCEPTION` or a code that is not known.\n\n"
        "| message has | cause | what to do |\n|---|---|---|\n",
        out);
    for (size_t i = 0; i < count; i++) {
        cell(out, rows[i].text);
        cell(out, rows[i].cause);
        cell(out, rows[i].remedy);
        fputs("|\n", out);
    }
}

static void
print_statuses(FILE *out)
{
    size_t count;
    const struct sf_status *rows = sf_statuses(&count);

    fputs("\n## A call was refused without a code that is known\n\n"
          "| HTTP status | outcome | cause | what to do |\n|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].on_write == SF_DELIVERED)
            continue;
        fprintf(out, rows[i].first == rows[i].last ? "| %d " : "| %d to %d ", rows[i].first,
                rows[i].last);
        print_outcomes(out, rows[i].on_read, rows[i].on_write);
        cell(out, rows[i].cause);
        cell(out, rows[i].remedy);
        fputs("|\n", out);
    }
}

static void
print_all(FILE *out)
{
    fputs(head, out);
    print_ours(out);
    print_level(
        out, SF_LEVEL_RECORD, "Salesforce refused one user",
        "A code that is not here parks the user with Salesforce's words; nobody else waits.");
    print_blockers(out);
    print_level(out, SF_LEVEL_CALL, "Salesforce refused a call",
                "A code that is not here counts as its HTTP status says, see below.");
    print_statuses(out);
    print_level(out, SF_LEVEL_TOKEN, "Salesforce issued no token",
                "A code that is not here is a hold; a status of 500 and more is tried again.");
}

static void
the_committed_messages_are_those_of_the_tables(void)
{
    AUTO_FREE char *committed = read_source("docs/messages.md");
    char *made = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&made, &size);

    print_all(out);
    fclose(out);
    T_STR(committed, made);
    if (!committed || strcmp(committed, made) != 0)
        printf("    run `make messages-docs` and commit what changed\n");
    free(made);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(every_code_of_the_list_is_classified_on_both_levels),
        UNIT_CASE(every_code_of_the_token_endpoint_is_classified),
        UNIT_CASE(every_blocker_of_a_deactivation_is_named_whatever_its_code),
        UNIT_CASE(every_code_of_the_table_is_in_the_list),
        UNIT_CASE(no_row_is_in_the_shadow_of_another),
        UNIT_CASE(every_code_of_ours_has_words),
        UNIT_CASE(every_code_in_the_sources_of_delivery_is_in_a_table),
        UNIT_CASE(the_committed_messages_are_those_of_the_tables),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        print_all(stdout);
        return 0;
    }
    return unit_run("codes", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
