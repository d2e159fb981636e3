/* Who is asked for when a manager has come. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/follow_reports.h"

static struct prov_error err = PROV_ERROR_INIT;
static struct follow_reports reports;
static size_t asked;
static char last[8192];
static bool memory_is_short;

/* In the place of the directory. */
int
content_search(struct content *content, const char *filter, const struct content_listener *instead,
               struct prov_error *error)
{
    (void)content;
    (void)instead;
    (void)error;
    asked++;
    snprintf(last, sizeof(last), "%s", filter);
    return PROV_OK;
}

/* By the linker, in the place of the C library's. */
FILE *__real_open_memstream(char **to, size_t *size);
FILE *__wrap_open_memstream(char **to, size_t *size);

FILE *
__wrap_open_memstream(char **to, size_t *size)
{
    return memory_is_short ? NULL : __real_open_memstream(to, size);
}

static struct columns *
columns_of(const char *map)
{
    struct columns_options options = { .maps = &map, .map_count = map ? 1 : 0 };
    struct columns *columns = NULL;

    T_OK(columns_make(&options, true, &columns, &err), &err);
    asked = 0;
    return columns;
}

static void
many_who_come_are_few_questions(void)
{
    struct columns *columns = columns_of(NULL);

    for (int i = 0; i < 101; i++)
        T_OK(follow_reports_note(&reports, i == 100 ? "uid=a*,o=x" : "uid=b,o=x", &err), &err);
    T_OK(follow_reports_tell(&reports, columns, NULL, &err), &err);
    T_INT(asked, 3);
    T_STR(last, "(|(manager=uid=a\\2a,o=x))");
    T_OK(follow_reports_tell(&reports, columns, NULL, &err), &err);
    T_INT(asked, 3);
    columns_free(columns);
}

static void
where_no_attribute_names_a_manager_nobody_is_asked_for(void)
{
    struct columns *columns = columns_of("manager=");

    T_OK(follow_reports_note(&reports, "uid=b,o=x", &err), &err);
    T_OK(follow_reports_tell(&reports, columns, NULL, &err), &err);
    T_INT(asked, 0);
    columns_free(columns);
}

static void
who_cannot_be_asked_for_is_not_forgotten_in_silence(void)
{
    struct columns *columns = columns_of(NULL);

    T_TRUE(follow_reports_moved(&reports, "1", "uid=b,o=x"));
    T_OK(follow_reports_note(&reports, "uid=b,o=x", &err), &err);
    memory_is_short = true;
    T_INT(follow_reports_tell(&reports, columns, NULL, &err), PROV_E_NOMEM);
    memory_is_short = false;
    T_INT(asked, 0);
    T_TRUE(follow_reports_moved(&reports, "1", "uid=b,o=x")); /* when they are heard again */
    follow_reports_clear(&reports);
    columns_free(columns);
}

static void
who_is_where_they_were_has_not_moved(void)
{
    struct columns *columns = columns_of(NULL);

    T_TRUE(follow_reports_moved(&reports, "7", "uid=b,o=x"));
    T_OK(follow_reports_note(&reports, "uid=b,o=x", &err), &err);
    T_OK(follow_reports_tell(&reports, columns, NULL, &err), &err);
    T_TRUE(!follow_reports_moved(&reports, "7", "uid=b,o=x"));
    T_TRUE(follow_reports_moved(&reports, "7", "uid=c,o=x"));
    T_TRUE(follow_reports_moved(&reports, "8", "uid=c,o=x"));
    follow_reports_clear(&reports); /* nobody is left to be told, so all is known */
    T_TRUE(!follow_reports_moved(&reports, "7", "uid=c,o=x"));
    columns_free(columns);
}

static const struct unit_case cases[] = {
    UNIT_CASE(many_who_come_are_few_questions),
    UNIT_CASE(where_no_attribute_names_a_manager_nobody_is_asked_for),
    UNIT_CASE(who_cannot_be_asked_for_is_not_forgotten_in_silence),
    UNIT_CASE(who_is_where_they_were_has_not_moved),
};

int
main(int argc, char **argv)
{
    return unit_run("reports", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
