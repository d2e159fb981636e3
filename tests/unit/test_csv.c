/* The CLI's readers: CSV text, the list of people made of it, and events of a file. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "hosts/cli/csv.h"
#include "hosts/cli/input.h"
#include "hosts/cli/people.h"

#define KEYED "externalId,userName\n"

/* All rows of a text, the header first, and all people of a list; copies. */
static struct {
    struct csv_row rows[20];
    size_t count;
    char *resources[20], *uris[20];
    size_t people;
    char faults[8000]; /* one a line */
} all;
static struct prov_error err;

static void
clear(void)
{
    for (size_t i = 0; i < all.count; i++) {
        for (size_t j = 0; j < all.rows[i].count; j++)
            free((char *)all.rows[i].cells[j].text);
        free(all.rows[i].cells);
    }
    for (size_t i = 0; i < all.people; i++) {
        free(all.resources[i]);
        free(all.uris[i]);
    }
    memset(&all, 0, sizeof(all));
    err = (struct prov_error)PROV_ERROR_INIT;
}

static void
keep_row(const struct csv_row *row)
{
    struct csv_row *copy = &all.rows[all.count++];

    *copy = *row;
    copy->cells = calloc(row->count, sizeof(*copy->cells));
    for (size_t i = 0; i < row->count; i++) {
        copy->cells[i] = row->cells[i];
        copy->cells[i].text = strdup(row->cells[i].text);
    }
}

static int
parse_bytes(const char *text, size_t length, char separator)
{
    struct text_bytes bytes = { text, length };
    struct lines lines = { .source = text_source_of(&bytes) };
    struct csv csv = { .lines = &lines, .separator = separator };
    struct csv_row row;
    enum found found;

    clear();
    while ((found = csv_next(&csv, &row, &err)) == FOUND_ITEM)
        keep_row(&row);
    csv_clear(&csv);
    lines_clear(&lines);
    return found == FOUND_END ? PROV_OK : err.code;
}

static int
parse(const char *text)
{
    return parse_bytes(text, strlen(text), ',');
}

static const char *
header(size_t column)
{
    return all.rows[0].cells[column].text;
}

static const char *
cell(size_t row, size_t column)
{
    return all.rows[row + 1].cells[column].text;
}

static void
keep_person(const struct person *person)
{
    T_TRUE(all.people < 20);
    all.uris[all.people] = strdup(person->uri);
    all.resources[all.people++] = strdup(person->resource);
}

static void
keep_fault(void)
{
    size_t length = strlen(all.faults);

    snprintf(all.faults + length, sizeof(all.faults) - length, "%s\n", err.text);
}

/* All people of a list; the code of its first fault, and all of them in all.faults. */
static int
read_with(const char *text, struct people_options options)
{
    struct text_bytes bytes = { text, strlen(text) };
    struct people *people = NULL;
    struct person person;
    enum found found = FOUND_ITEM;
    int first = PROV_OK;

    clear();
    options.separator = ',';
    first = people_open(&options, text_source_of(&bytes), &people, &err);
    if (first) {
        keep_fault();
        return first;
    }
    while (found != FOUND_END && found != FOUND_STOP) {
        found = people_next(people, &person, &err);
        if (found == FOUND_ITEM)
            keep_person(&person);
        else if (found != FOUND_END)
            keep_fault();
        if (found != FOUND_ITEM && found != FOUND_END && !first)
            first = err.code;
    }
    people_free(people);
    return first;
}

static int
read_list(const char *text)
{
    return read_with(text, (struct people_options){ .key = NULL });
}

static void
resource_has(size_t index, const char *part)
{
    T_HAS(all.resources[index], part);
}

static void
refuses(const char *text, const char *place, const char *remedy)
{
    T_INT(read_list(text), PROV_E_INVALID);
    T_HAS(all.faults, place);
    T_HAS(all.faults, remedy);
    clear();
}

/* The text is no CSV. */
static void
is_no_csv(const char *text, const char *place, const char *remedy)
{
    T_INT(parse(text), PROV_E_INVALID);
    T_HAS(err.text, place);
    T_HAS(err.text, remedy);
    clear();
}

static void
reads_plain_rows(void)
{
    T_OK(parse("a,b,c\n1,2,3\n4,,6\n"), &err);
    T_INT(all.count - 1, 2);
    T_INT(all.rows[0].count, 3);
    T_STR(header(2), "c");
    T_STR(cell(0, 0), "1");
    T_STR(cell(1, 1), "");
    T_STR(cell(1, 2), "6");
    T_INT(all.rows[2].cells[0].line, 3);
    clear();
}

static void
takes_every_line_end_and_a_missing_last_one(void)
{
    static const char *const texts[] = { "a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4", "a,b\r1,2\r3,4",
                                         "\n\na,b\n\n1,2\r\n\r\n3,4\n\n" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        T_OK(parse(texts[i]), &err);
        T_INT(all.count - 1, 2);
        T_STR(cell(1, 1), "4");
    }
    clear();
}

static void
unquotes_cells_with_separators_quotes_and_line_ends(void)
{
    T_OK(parse("\"a, b\",c\n\"say \"\"hi\"\"\",\"two\r\nlines\"\nx,\"\"\n"), &err);
    T_STR(header(0), "a, b");
    T_STR(cell(0, 0), "say \"hi\"");
    T_STR(cell(0, 1), "two\r\nlines");
    T_STR(cell(1, 1), "");
    T_INT(all.rows[2].cells[0].line, 4);
    clear();
}

static void
ends_with_an_empty_last_cell(void)
{
    T_OK(parse("a,b\n1,"), &err);
    T_INT(all.count - 1, 1);
    T_STR(cell(0, 1), "");
    clear();
}

static void
skips_a_byte_order_mark(void)
{
    T_OK(parse("\xef\xbb\xbfuserName\nzo\xc3\xab\n"), &err);
    T_STR(header(0), "userName");
    T_STR(cell(0, 0), "zo\xc3\xab");
    clear();
}

static void
takes_another_separator(void)
{
    T_OK(parse_bytes("a;b\n1,5;2\n", 10, ';'), &err);
    T_STR(cell(0, 0), "1,5");
    T_STR(cell(0, 1), "2");
    clear();
}

static void
says_where_a_quote_was_opened_and_never_closed(void)
{
    is_no_csv("a,b\n1,\"x\n2,y\n", "line 2, character 3", "close it");
}

static void
refuses_a_quote_in_the_middle_of_a_cell(void)
{
    is_no_csv("a,b\nO\"Brien,2\n", "line 2, character 2", "write the quote twice");
    is_no_csv("a,b\n\"x\"y,2\n", "line 2, character 4", "write a quote inside a cell twice");
}

static void
counts_characters_not_bytes(void)
{
    is_no_csv("a,b\n\xc5\x81\xc3\xb3\xc5\xba\"x,2\n", "line 2, character 4", "quote");
}

static void
refuses_bytes_that_are_not_utf8(void)
{
    static const char *const bad[] = { "a\nZo\xeb\n",         "a\nxx\xc0\xaf\n",
                                       "a\nxx\xed\xa0\x80\n", "a\nxx\xf4\x90\x80\x80",
                                       "a\nxx\xe2\x82",       "a\nxx\x80" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_no_csv(bad[i], "line 2, character 3", "save the file as UTF-8");
    T_INT(parse_bytes("a\n1\0 2\n", 7, ','), PROV_E_INVALID);
    T_HAS(err.text, "line 2, character 2: a NUL");
    T_INT(parse_bytes("\xff\xfe"
                      "a\0",
                      4, ','),
          PROV_E_INVALID);
    T_HAS(err.text, "UTF-16");
}

static void
refuses_rows_of_another_width(void)
{
    is_no_csv("a,b,c\n1,2,3\n4,5\n", "line 3", "ends before column 3 'c'");
    is_no_csv("a,b\n1,Smith, John\n", "line 2: the row has 3 cells, the header 2", "quote cells");
    is_no_csv("", "empty", "first line must name the columns");
    refuses("\n \n", "line 1, column 1", "the header is empty");
}

static void
bounds_the_number_of_columns(void)
{
    char text[2 * CSV_MAX_COLUMNS + 3];

    memset(text, ',', sizeof(text));
    T_INT(parse_bytes(text, sizeof(text), ','), PROV_E_LIMIT);
    clear();
}

static void
makes_a_scim_resource_of_a_row(void)
{
    T_OK(read_list("externalId,userName,name.givenName,name.familyName,"
                   "\"emails[type eq \"\"work\"\"].value\",title,active\n"
                   "7,PRIMARY/zmartin,Zo\xc3\xab,D'Angelo,z@acme.example,,TRUE\n"),
         &err);
    T_INT(all.people, 1);
    resource_has(0, "\"userName\":\"PRIMARY/zmartin\"");
    resource_has(0, "\"externalId\":\"7\"");
    resource_has(0, "\"name\":{\"givenName\":\"Zo\xc3\xab\",\"familyName\":\"D'Angelo\"}");
    resource_has(0, "\"emails\":[{\"type\":\"work\",\"value\":\"z@acme.example\"}]");
    resource_has(0, "\"active\":true");
    resource_has(0, "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"]");
    clear();
}

static void
leaves_empty_cells_out(void)
{
    char *text;

    T_OK(read_list("externalId,userName,title,department,emails.value,active\n7,a,,,,\n"), &err);
    text = all.resources[0];
    T_STR(text, "{\"externalId\":\"7\",\"userName\":\"a\","
                "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"]}");
    clear();
}

static void
writes_short_forms_into_the_enterprise_extension(void)
{
    T_OK(read_list("externalId,userName,department,manager\n7,a,Sales,9/1\n9/1,b,,\n"), &err);
    resource_has(0, "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{"
                    "\"department\":\"Sales\",\"manager\":{\"value\":\"9/1\","
                    "\"$ref\":\"/Users/9%2F1\"}}");
    resource_has(0,
                 "core:2.0:User\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"]");
    clear();
}

static void
reads_headers_in_any_spelling_the_rfc_allows(void)
{
    T_OK(read_list("EXTERNALID, username ,NAME.GivenName,"
                   "urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:user:Department,"
                   "urn:ietf:params:scim:schemas:core:2.0:User:title,mobile,"
                   "\"phoneNumbers[ type EQ \"\"work\"\" ]\",emails[primary eq true].value,"
                   "urn:acme:2.0:User:badge\n"
                   "7,a,G,Sales,T,+1,+2,e@x.example,B1\n"),
         &err);
    resource_has(0, "\"name\":{\"givenName\":\"G\"}");
    resource_has(0, "enterprise:2.0:User\":{\"department\":\"Sales\"}");
    resource_has(0, "\"title\":\"T\"");
    resource_has(0, "\"phoneNumbers\":[{\"type\":\"mobile\",\"value\":\"+1\"},"
                    "{\"type\":\"work\",\"value\":\"+2\"}]");
    resource_has(0, "\"emails\":[{\"primary\":true,\"value\":\"e@x.example\"}]");
    resource_has(0, "\"urn:acme:2.0:User\":{\"badge\":\"B1\"}");
    clear();
}

static void
takes_bare_quotes_in_the_header_only(void)
{
    T_OK(read_list("externalId,userName,emails[type eq \"work\"].value\n7,a,w@x.example\n"), &err);
    resource_has(0, "\"emails\":[{\"type\":\"work\",\"value\":\"w@x.example\"}]");
    clear();
}

static void
joins_columns_of_one_element(void)
{
    T_OK(
        read_list("externalId,userName,emails.value,emails.type,emails.primary,"
                  "\"emails[type eq \"\"home\"\"].value\"\n7,a,w@x.example,work,yes,h@x.example\n"),
        &err);
    resource_has(0, "\"emails\":[{\"value\":\"w@x.example\",\"type\":\"work\",\"primary\":true},"
                    "{\"type\":\"home\",\"value\":\"h@x.example\"}]");
    clear();
}

static void
refuses_unknown_headers_with_a_remedy(void)
{
    refuses("externalId,userName,titel\n", "line 1, column 3 'titel'", "--map");
    refuses("externalId,userName,password\n", "column 3 'password'", "take the column out");
    refuses("externalId,userName,name\n", "column 3 'name'", "familyName");
    refuses("externalId,userName,name.first\n", "no sub-attribute 'first'", "givenName");
    refuses("externalId,userName,title.value\n", "has no sub-attributes", "write 'title'");
    refuses("externalId,userName,emails[type co \"w\"].value\n", "[type co \"w\"] is not",
            "type eq");
    refuses("externalId,userName,emails[type].value\n", "[type] is not understood", "type eq");
    refuses("externalId,userName,emails[type.value\n", "column 3", "has no ']'");
    refuses("externalId,userName,title[primary eq true]\n", "one value", "no filter");
    refuses("externalId,userName,\n", "line 1, column 3", "the header is empty");
    refuses("externalId,userName,urn:ietf:params:scim:schemas:core:2.0:User:titel\n", "column 3",
            "no such SCIM attribute");
}

static void
refuses_two_columns_that_say_the_same(void)
{
    refuses("externalId,userName,title,Title\n", "column 4 'Title'", "column 3 'title'");
    refuses("externalId,userName,email,\"emails[type eq \"\"work\"\"].value\"\n", "column 4",
            "column 3 'email'");
}

static void
needs_a_key_and_a_user_name(void)
{
    refuses("userName\na\n", "no column 'externalId'", "--key COLUMN");
    refuses("externalId\n7\n", "no column 'userName'", "--map");
    refuses(KEYED "7,a\n  ,b\n", "line 3, column 1 'externalId'", "the key is empty");
    refuses(KEYED "7,\n", "line 2", "userName is empty");
}

static void
refuses_a_boolean_that_is_none(void)
{
    refuses("externalId,userName,active\n7,a,true\n8,b,maybe\n", "line 3, column 3 'active'",
            "write true or false");
}

static void
takes_a_key_column_of_any_name(void)
{
    struct people_options options = { .key = "empnum" };

    T_OK(read_with("empnum,userName\n10 01@x,a\n", options), &err);
    T_STR(all.uris[0], "/Users/10%2001%40x");
    resource_has(0, "\"externalId\":\"10 01@x\"");
    T_OK(read_with("empnum,userName,externalId\n1,a,E\n", options), &err);
    resource_has(0, "\"externalId\":\"E\"");
    options.key = "userName";
    T_INT(read_with("empnum,userName\n1,a\n", options), PROV_E_INVALID);
    T_HAS(all.faults, "column 1 'empnum'");
    clear();
}

static void
maps_and_leaves_out_columns(void)
{
    static const char *const maps[] = { "login=userName", "firstname=name.givenName",
                                        "password=", "disabled=not active" };
    static const char *const wrong[] = { "loggin=userName" };
    static const char *const no_path[] = { "login=nonsense" };
    struct people_options options = { .key = "login", .columns = { .maps = maps, .map_count = 4 } };

    T_OK(read_with("login,firstname,password,disabled\nr.weasley,Ron,asd123,true\n", options),
         &err);
    resource_has(0, "\"userName\":\"r.weasley\"");
    resource_has(0, "\"givenName\":\"Ron\"");
    resource_has(0, "\"active\":false");
    T_TRUE(!strstr(all.resources[0], "asd123"));
    options.columns = (struct columns_options){ .maps = wrong, .map_count = 1 };
    T_INT(read_with("login,userName\nr,r\n", options), PROV_E_INVALID);
    T_HAS(all.faults, "--map 'loggin=userName': line 1 has no such column");
    options.columns.maps = no_path;
    T_INT(read_with("login,userName\nr,r\n", options), PROV_E_INVALID);
    T_HAS(all.faults, "--map 'login=nonsense': no such SCIM attribute");
    clear();
}

static void
reads_columns_as_a_file_says(void)
{
    static const char file[] =
        "{\"key\":\"empnum\",\"columns\":{\"empnum\":\"userName\",\"surname\":\"name.familyName\","
        "\"status\":{\"path\":\"active\",\"true\":[\"Active\"],\"false\":[\"Left\"]},"
        "\"flags\":{\"path\":\"active\",\"unless_bit\":2},\"room\":\"\",\"never\":\"title\"}}";
    static const char *const maps[] = { "surname=displayName" };
    struct people_options options = { .columns = { .file = file } };

    T_OK(
        read_with("empnum,surname,status,room\n7,Green,ACTIVE,1\n8,Red,Left,\n9,Blue,,\n", options),
        &err);
    T_STR(all.uris[0], "/Users/7");
    resource_has(0, "\"userName\":\"7\",\"name\":{\"familyName\":\"Green\"},\"active\":true");
    resource_has(1, "\"active\":false");
    T_TRUE(!strstr(all.resources[2], "active")); /* an empty cell says nothing */
    T_INT(read_with("empnum,status\n7,Away\n", options), PROV_E_INVALID);
    T_HAS(all.faults, "line 2, column 2 'status': what 'Away' means is not said");
    T_OK(read_with("empnum,flags\n7,514\n8,512\n", options), &err);
    resource_has(0, "\"active\":false");
    resource_has(1, "\"active\":true");
    options.columns.maps = maps; /* the command line is right */
    options.columns.map_count = 1;
    T_OK(read_with("empnum,surname\n7,Green\n", options), &err);
    resource_has(0, "\"displayName\":\"Green\"");
    clear();
}

static void
names_what_is_wrong_in_a_columns_file(void)
{
    static const struct {
        const char *file, *fault;
    } cases[] = {
        { "[]", "no JSON object" },
        { "{", "no JSON object" },
        { "{\"colums\":{}}", "'colums' is not known here" },
        { "{\"columns\":[]}", "\"columns\" must be an object" },
        { "{\"columns\":{\"a\":\"titel\"}}", "column 'a': no such SCIM attribute" },
        { "{\"columns\":{\"a\":7}}", "column 'a': it must be a path" },
        { "{\"columns\":{\"a\":{\"true\":[\"x\"]}}}", "column 'a': it needs a \"path\"" },
        { "{\"columns\":{\"a\":{\"path\":\"active\",\"true\":\"x\"}}}", "array of words" },
        { "{\"columns\":{\"a\":{\"path\":\"active\",\"no\":[]}}}", "'no' is not known here" },
        { "{\"columns\":{\"a\":{\"path\":\"title\",\"true\":[\"x\"]}}}",
          "only what is true or false" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct people_options options = { .columns = { .file = cases[i].file } };

        T_INT(read_with(KEYED, options), PROV_E_INVALID);
        T_HAS(all.faults, cases[i].fault);
    }
    clear();
}

static void
tells_all_faults_of_a_list(void)
{
    T_INT(
        read_list("externalId,userName,active\n1,a,maybe\n,b,true\n3,\n4,,\n5,Zo\xeb,\n6,f,true\n"),
        PROV_E_INVALID);
    T_HAS(all.faults, "line 2, column 3 'active': 'maybe' is neither");
    T_HAS(all.faults, "line 3, column 1 'externalId': the key is empty");
    T_HAS(all.faults, "line 4: the row has 2 of 3 cells");
    T_HAS(all.faults, "line 5: the userName is empty");
    T_HAS(all.faults, "line 6, character 5: byte 0xeb is not UTF-8");
    T_INT(all.people, 1);
    T_INT(read_list("externalId,userName,titel,name.first,title,Title\n7,a,,,,\n"), PROV_E_INVALID);
    T_HAS(all.faults, "column 3 'titel'");
    T_HAS(all.faults, "column 4 'name.first'");
    T_HAS(all.faults, "column 6 'Title'");
    T_INT(all.people, 0);
    clear();
}

static void
bounds_what_a_quote_may_hold(void)
{
    size_t length = CSV_MAX_ROW_BYTES + 100;
    char *text = malloc(length + 1);

    memset(text, 'x', length);
    text[length] = '\0';
    memcpy(text, "a,b\n1,\"", 7);
    for (size_t i = 50; i < length; i += 50)
        text[i] = '\n';
    T_INT(parse(text), PROV_E_INVALID);
    T_HAS(err.text, "line 2, character 3: the quote that opens here is never closed");
    memcpy(text, "a,b\n1,,", 7);
    for (size_t i = 50; i < length; i += 50)
        text[i] = ',';
    T_INT(parse(text), PROV_E_LIMIT);
    T_HAS(err.text, "line 2: the row is longer");
    free(text);
    clear();
}

static void
takes_a_header_without_people(void)
{
    T_OK(read_list(KEYED), &err);
    T_INT(all.people, 0);
    clear();
}

static void
hints_at_another_separator(void)
{
    refuses("externalId;userName\n7;a\n", "line 1", "--separator ';'");
    refuses("externalId\tuserName\n7\ta\n", "line 1", "--separator tab");
}

static struct input_events events;

static int
split(const char *text)
{
    err = (struct prov_error)PROV_ERROR_INIT;
    return input_split(strdup(text), strlen(text), &events, &err);
}

static void
splits_events_by_line_array_or_object(void)
{
    T_OK(split("{\"a\":1}\n\n  {\"b\":2}\n"), &err);
    T_INT(events.count, 2);
    T_INT(events.events[1].line, 3);
    T_INT(events.events[1].length, 9);
    input_clear(&events);
    T_OK(split("[{\"a\":1},\n {\"b\":[2]}]"), &err);
    T_INT(events.count, 2);
    T_TRUE(events.numbered);
    T_STR(events.events[1].json, "{\"b\":[2]}");
    input_clear(&events);
    /* as they stand, for the plugin to judge */
    T_OK(split("[ {\"a\":1,\"a\":1.50} ,[\"],\\\"\"],\"\\\\\" , 7\n] "), &err);
    T_INT(events.count, 4);
    T_STR(events.events[0].json, "{\"a\":1,\"a\":1.50}");
    T_STR(events.events[1].json, "[\"],\\\"\"]");
    T_STR(events.events[2].json, "\"\\\\\"");
    T_STR(events.events[3].json, "7");
    T_INT(events.events[3].length, 1);
    input_clear(&events);
    T_INT(split("[{\"a\":1} /* ] */]"), PROV_E_INVALID);
    T_OK(split("{\n \"a\": 1\n}\n"), &err);
    T_INT(events.count, 1);
    input_clear(&events);
}

static void
keeps_a_bad_line_apart_from_good_ones(void)
{
    T_OK(split("{\"a\":1}\n{bad\n{\"b\":2}"), &err);
    T_INT(events.count, 3);
    T_STR(events.events[1].json, "{bad");
    input_clear(&events);
    T_INT(split("{\"a\":\n [1,\n  2,}"), PROV_E_INVALID);
    T_HAS(err.text, "line 3, character");
    T_INT(split(" \n "), PROV_E_INVALID);
    T_HAS(err.text, "no event");
    T_INT(split("[{\"a\":1}"), PROV_E_INVALID);
    T_INT(split("null"), PROV_E_INVALID);
}

/* A pipe that holds text and is closed for writing if `end`. */
static struct input_lines
lines_of(int pipe_fds[2])
{
    struct input_lines lines = { .fd = -1 };

    T_TRUE(pipe2(pipe_fds, O_CLOEXEC) == 0);
    lines.fd = pipe_fds[0];
    return lines;
}

static void
feed(int fd, const char *text)
{
    T_TRUE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void
gives_lines_as_they_come(void)
{
    int fds[2];
    struct input_lines lines = lines_of(fds);
    struct input_event event;

    feed(fds[1], "one\n\n  \r\ntwo\nthr");
    T_INT(input_fill(&lines, 0), 0);
    T_INT(input_next(&lines, &event), INPUT_LINE);
    T_TRUE(event.length == 3 && !memcmp(event.json, "one", 3));
    T_INT(input_next(&lines, &event), INPUT_LINE);
    T_INT(event.line, 4);
    T_INT(input_next(&lines, &event), INPUT_NONE);
    T_INT(input_fill(&lines, 0), 0);
    T_INT(input_next(&lines, &event), INPUT_NONE);
    feed(fds[1], "ee");
    close(fds[1]);
    while (!lines.ended)
        T_INT(input_fill(&lines, 0), 0);
    T_INT(input_next(&lines, &event), INPUT_LINE);
    T_TRUE(event.length == 5 && !memcmp(event.json, "three", 5));
    T_INT(input_next(&lines, &event), INPUT_NONE);
    close(fds[0]);
    input_lines_clear(&lines);
}

static void
skips_a_line_that_is_too_long_and_goes_on(void)
{
    char file[] = "/tmp/sfprov-test-XXXXXX", *block = calloc(1, PROV_EVENT_MAX_BYTES * 3 + 1);
    struct input_lines lines = { .fd = mkstemp(file) };
    struct input_event event;
    size_t too_long = 0, good = 0;

    memset(block, 'x', PROV_EVENT_MAX_BYTES * 3);
    feed(lines.fd, "a\n");
    feed(lines.fd, block);
    feed(lines.fd, "\nb\n");
    feed(lines.fd, block);
    free(block);
    T_TRUE(lseek(lines.fd, 0, SEEK_SET) == 0);
    while (!lines.ended) {
        enum input_what what;

        T_INT(input_fill(&lines, 0), 0);
        while ((what = input_next(&lines, &event)) != INPUT_NONE) {
            too_long += what == INPUT_TOO_LONG;
            good += what == INPUT_LINE;
            if (what == INPUT_TOO_LONG)
                T_INT(event.line, too_long == 1 ? 2 : 4);
        }
    }
    T_INT(good, 2);
    T_INT(too_long, 2);
    close(lines.fd);
    unlink(file);
    input_lines_clear(&lines);
}

static const struct unit_case cases[] = {
    UNIT_CASE(reads_plain_rows),
    UNIT_CASE(takes_every_line_end_and_a_missing_last_one),
    UNIT_CASE(unquotes_cells_with_separators_quotes_and_line_ends),
    UNIT_CASE(ends_with_an_empty_last_cell),
    UNIT_CASE(skips_a_byte_order_mark),
    UNIT_CASE(takes_another_separator),
    UNIT_CASE(says_where_a_quote_was_opened_and_never_closed),
    UNIT_CASE(refuses_a_quote_in_the_middle_of_a_cell),
    UNIT_CASE(counts_characters_not_bytes),
    UNIT_CASE(refuses_bytes_that_are_not_utf8),
    UNIT_CASE(refuses_rows_of_another_width),
    UNIT_CASE(bounds_the_number_of_columns),
    UNIT_CASE(makes_a_scim_resource_of_a_row),
    UNIT_CASE(leaves_empty_cells_out),
    UNIT_CASE(writes_short_forms_into_the_enterprise_extension),
    UNIT_CASE(reads_headers_in_any_spelling_the_rfc_allows),
    UNIT_CASE(takes_bare_quotes_in_the_header_only),
    UNIT_CASE(joins_columns_of_one_element),
    UNIT_CASE(refuses_unknown_headers_with_a_remedy),
    UNIT_CASE(refuses_two_columns_that_say_the_same),
    UNIT_CASE(needs_a_key_and_a_user_name),
    UNIT_CASE(refuses_a_boolean_that_is_none),
    UNIT_CASE(takes_a_key_column_of_any_name),
    UNIT_CASE(maps_and_leaves_out_columns),
    UNIT_CASE(reads_columns_as_a_file_says),
    UNIT_CASE(names_what_is_wrong_in_a_columns_file),
    UNIT_CASE(tells_all_faults_of_a_list),
    UNIT_CASE(bounds_what_a_quote_may_hold),
    UNIT_CASE(takes_a_header_without_people),
    UNIT_CASE(hints_at_another_separator),
    UNIT_CASE(splits_events_by_line_array_or_object),
    UNIT_CASE(keeps_a_bad_line_apart_from_good_ones),
    UNIT_CASE(gives_lines_as_they_come),
    UNIT_CASE(skips_a_line_that_is_too_long_and_goes_on),
};

int
main(int argc, char **argv)
{
    return unit_run("csv", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
