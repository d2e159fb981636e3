/* The CLI's lists of people in LDIF and JSON. Whole lists are data, in tests/golden/lists: what is
 * made of NAME stands in NAME.want, one line a finding. Each is read at once and byte by byte. */
#include "tests/unit/unit.h"

#include <dirent.h>

#include "hosts/adapter/text.h"
#include "hosts/cli/ldif.h"
#include "hosts/cli/people.h"

#define TEXT_MAX 200000

/* A source that gives one byte at a time: so every end of a read falls everywhere once. */
static long
read_one(void *context, char *to, size_t size)
{
    struct text_bytes *bytes = context;

    if (size == 0 || bytes->length == 0)
        return 0;
    *to = *bytes->text++;
    bytes->length--;
    return 1;
}

static void
write_person(FILE *out, const struct person *person)
{
    fprintf(out, "line %zu %s", person->line, person->uri);
    if (person->alias)
        fprintf(out, " (%s)", person->alias);
    fprintf(out, " %s\n", person->resource);
}

/* What is found in a list, as the .want files have it; heap. */
static char *
read_all(const struct people_options *options, struct text_source source)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct people *people = NULL;
    struct person person;
    enum found found = FOUND_ITEM;
    char *text = NULL, *note;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (people_open(options, source, &people, &err)) {
        fprintf(out, "stop: %s\n", err.text);
        fclose(out);
        return text;
    }
    while (found != FOUND_END && found != FOUND_STOP) {
        found = people_next(people, &person, &err);
        if (found == FOUND_ITEM)
            write_person(out, &person);
        else if (found != FOUND_END)
            fprintf(out, "%s: %s\n", found == FOUND_STOP ? "stop" : "fault", err.text);
    }
    while ((note = people_note(people))) {
        fprintf(out, "note: %s\n", note);
        free(note);
    }
    people_free(people);
    fclose(out);
    return text;
}

static char *
read_bytes(const struct people_options *options, const char *text, size_t length, bool one)
{
    struct text_bytes bytes = { text, length };
    struct text_source source = text_source_of(&bytes);

    if (one)
        source.read = read_one;
    return read_all(options, source);
}

/* ---- golden lists ---- */

static size_t
read_file(const char *path, char *to)
{
    FILE *file = fopen(path, "rb");
    size_t length;

    T_TRUE(file != NULL);
    if (!file)
        return 0;
    length = fread(to, 1, TEXT_MAX - 1, file);
    to[length] = '\0';
    fclose(file);
    return length;
}

static void
golden_case(const char *folder, const char *name)
{
    struct people_options options = { .format = PEOPLE_JSON };
    char *list = malloc(TEXT_MAX), *want = malloc(TEXT_MAX), path[400];
    size_t length;

    if (strstr(name, ".ldif"))
        options.format = PEOPLE_LDIF;
    else if (strstr(name, ".csv"))
        options = (struct people_options){ .format = PEOPLE_CSV, .separator = ',' };
    if (strstr(name, "-key-"))
        options.key = strstr(name, "objectguid") ? "objectGUID" : "userName";
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    length = read_file(path, list);
    snprintf(path, sizeof(path), "%s/%s.want", folder, name);
    read_file(path, want);
    for (int one = 0; one < 2; one++) {
        char *got = read_bytes(&options, list, length, one);

        if (strcmp(got, want) != 0)
            printf("\n  %s%s\n", name, one ? ", byte by byte" : "");
        T_STR(got, want);
        free(got);
    }
    free(list);
    free(want);
}

static void
golden_lists_give_their_people_and_faults(void)
{
    const char *top = getenv("srcdir");
    char folder[300];
    const struct dirent *entry;
    DIR *directory;
    int cases = 0;

    snprintf(folder, sizeof(folder), "%s/tests/golden/lists", top ? top : ".");
    directory = opendir(folder);
    T_TRUE(directory != NULL);
    while (directory && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.' || strstr(entry->d_name, ".want"))
            continue;
        golden_case(folder, entry->d_name);
        cases++;
    }
    if (directory)
        closedir(directory);
    T_TRUE(cases > 10);
}

/* ---- what is no file ---- */

static char *
repeat(const char *before, const char *part, size_t times, const char *after)
{
    char *text = malloc(strlen(before) + times * strlen(part) + strlen(after) + 1), *at = text;

    at = stpcpy(at, before);
    for (size_t i = 0; i < times; i++)
        at = stpcpy(at, part);
    strcpy(at, after);
    return text;
}

static void
finds(enum people_format format, const char *text, const char *part)
{
    struct people_options options = { .format = format, .separator = ',' };
    char *got = read_bytes(&options, text, strlen(text), false);

    T_HAS(got, part);
    free(got);
}

static void
a_list_response_of_any_length_on_one_line_is_read(void)
{
    char *text = repeat("{\"totalResults\":5000,\"Resources\":[{\"id\":\"0\",\"userName\":\"a\"}",
                        ",{\"id\":\"1\",\"userName\":\"b\",\"x\":\"\xc5\x81\xc3\xb3\"}", 4999,
                        "],\"itemsPerPage\":5000}");
    struct people_options options = { .format = PEOPLE_JSON };
    char *got = read_bytes(&options, text, strlen(text), false);
    size_t people = 0;

    for (const char *at = got; (at = strstr(at, "/Users/")); at++)
        people++;
    T_INT(people, 5000);
    T_TRUE(!strstr(got, "fault") && !strstr(got, "stop"));
    free(got);
    free(text);
}

static void
values_and_lines_are_bounded(void)
{
    char *user =
        repeat("{\"id\":\"1\",\"userName\":\"", "0123456789", 30000, "\"}\n{\"id\":\"2\"}\n");
    char *line = repeat("dn: uid=a\nphoto: ", "0123456789", LINES_MAX_BYTES / 10 + 10, "\n");
    char *entry = repeat("dn: uid=a\n", "photo: 0123456789012345678901234567890123456789\n",
                         LDIF_MAX_ENTRY_BYTES / 40, "");

    finds(PEOPLE_JSON, user, "fault: line 1, character 1: the user is longer than 262144 bytes");
    finds(PEOPLE_JSON, user, "fault: line 2: the userName is empty");
    finds(PEOPLE_LDIF, line, "line 2: it is longer than 8388608 bytes");
    finds(PEOPLE_LDIF, entry, "the entry is longer than 16777216 bytes");
    free(user);
    free(line);
    free(entry);
}

static void
deep_nesting_is_a_fault(void)
{
    char *text = repeat("{\"id\":\"1\",\"userName\":\"a\",\"x\":", "[", 5000, "");
    char *whole = repeat(text, "]", 5000, "}\n{\"id\":\"2\",\"userName\":\"b\"}\n");

    finds(PEOPLE_JSON, whole, "fault: line 1, character");
    finds(PEOPLE_JSON, whole, "nesting too deep");
    finds(PEOPLE_JSON, whole, "line 2 /Users/2");
    free(text);
    free(whole);
}

static void
json_takes_no_columns(void)
{
    static const char *const maps[] = { "a=title" };
    struct people_options options = { .format = PEOPLE_JSON,
                                      .columns = { .maps = maps, .map_count = 1 } };
    char *got = read_bytes(&options, "", 0, false);

    T_HAS(got, "--map and --columns are for CSV and LDIF");
    free(got);
}

static long
fail(void *context, char *to, size_t size)
{
    (void)context;
    (void)to;
    (void)size;
    return -5; /* EIO */
}

static void
a_source_that_fails_stops_the_list(void)
{
    for (int format = PEOPLE_CSV; format <= PEOPLE_JSON; format++) {
        struct people_options options = { .format = (enum people_format)format };
        char *got = read_all(&options, (struct text_source){ .read = fail });

        T_HAS(got, "stop: cannot be read: Input/output error");
        free(got);
    }
}

static void
active_directory_is_known_by_its_key_and_a_columns_file_adds_to_it(void)
{
    struct people_options options = {
        .format = PEOPLE_LDIF,
        .key = "objectGUID",
        .columns = { .file = "{\"columns\":{\"extensionAttribute1\":\"costCenter\",\"co\":"
                             "\"addresses[type eq \\\"work\\\"].country\"}}" }
    };
    static const char list[] = "dn: CN=Ada,OU=x\nuid: not-this\nsAMAccountName: ada\n"
                               "DEPARTMENT: R;D\nuserAccountControl: 514\n"
                               "c: GB\nco: United Kingdom\nextensionAttribute1: 7\n"
                               "objectGUID:: AAECAwQFBgcICQoLDA0ODw==\n\n"
                               "dn: CN=Bad,OU=x\nsAMAccountName: bad\nuserAccountControl: x\n"
                               "objectGUID: 8\n";
    char *got = read_bytes(&options, list, strlen(list), false);

    T_HAS(got, "/Users/03020100-0504-0706-0809-0a0b0c0d0e0f (cn=ada,ou=x)");
    T_HAS(got, "\"userName\":\"ada\"");
    T_HAS(got, "\"department\":\"R;D\"");
    T_HAS(got, "\"active\":false");
    T_HAS(got, "\"country\":\"United Kingdom\"");
    T_HAS(got, "\"costCenter\":\"7\"");
    T_TRUE(!strstr(got, "not-this")); /* Active Directory's uid is another thing */
    T_TRUE(!strstr(got, "GB"));       /* a default gives way to who else writes the value */
    T_HAS(got, "line 13, attribute 'useraccountcontrol': what 'x' means is not said");
    free(got);
}

static enum found
next_entry(void *context, struct ldap_entry *ret, struct prov_error *err)
{
    (void)err;
    *ret = *(const struct ldap_entry *)context;
    return FOUND_ITEM;
}

/* A character of two bytes stands at each byte where the place may end. */
static void
the_place_of_an_entry_is_text_however_long_its_name(void)
{
    static const struct ldap_value values[] = { { "entryuuid", "7", 1, false, 0 },
                                                { "uid", "a", 1, false, 0 } };

    for (int odd = 0; odd < 2; odd++) {
        char *dn = repeat(odd ? "o=" : "ou=", "\xc3\xbc", 100, ",c=de");
        struct ldap_entry entry = { .dn = dn, .values = values, .count = 2 };
        struct people_options options = { .format = PEOPLE_LDAP,
                                          .entries = { next_entry, &entry } };
        struct prov_error err = PROV_ERROR_INIT;
        struct people *people = NULL;
        struct person person;

        T_OK(people_open(&options, (struct text_source){ NULL, NULL }, &people, &err), &err);
        T_INT(people_next(people, &person, &err), FOUND_ITEM);
        T_TRUE(utf8_is_text(person.place, strlen(person.place)));
        people_free(people);
        free(dn);
    }
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(golden_lists_give_their_people_and_faults),
        UNIT_CASE(a_list_response_of_any_length_on_one_line_is_read),
        UNIT_CASE(values_and_lines_are_bounded),
        UNIT_CASE(deep_nesting_is_a_fault),
        UNIT_CASE(json_takes_no_columns),
        UNIT_CASE(a_source_that_fails_stops_the_list),
        UNIT_CASE(active_directory_is_known_by_its_key_and_a_columns_file_adds_to_it),
        UNIT_CASE(the_place_of_an_entry_is_text_however_long_its_name),
    };

    return unit_run("people", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
