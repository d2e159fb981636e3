/* How far a directory was heard, by the cookies of OpenLDAP. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "hosts/ldap/cookie.h"

#define A1 "20261127233137.000001Z#000000#001#000000"
#define A2 "20261127233137.000002Z#000000#001#000000"
#define B1 "20261127233136.000001Z#000000#002#000000"
#define B2 "20261127233138.000001Z#000000#002#000000"

static void
a_cookie_is_older_if_it_is_of_any_server(void)
{
    static const struct {
        const char *now, *before;
        enum cookie_age age;
    } cases[] = {
        { "rid=000,csn=" A1, "rid=000,csn=" A1, COOKIE_NOT_OLDER },
        { "rid=000,csn=" A2, "rid=000,csn=" A1, COOKIE_NOT_OLDER },
        { "rid=000,csn=" A1, "rid=000,csn=" A2, COOKIE_OLDER },
        { "rid=000,sid=002,csn=" A1 ";" B2, "rid=000,sid=001,csn=" B1 ";" A1, COOKIE_NOT_OLDER },
        { "rid=000,csn=" A2 ";" B1, "rid=000,csn=" A1 ";" B2, COOKIE_OLDER },
        { "rid=000,csn=" B2, "rid=000,csn=" A1 ";" B1, COOKIE_OLDER },
        { "rid=000,csn=" A1 ";" B1, "rid=000,csn=" A1, COOKIE_NOT_OLDER },
        { "csn=" A1 ",delcsn=" A2, "csn=" A2, COOKIE_OLDER },
        { "rid=000,delcsn=" A2, "rid=000,csn=" A1, COOKIE_UNKNOWN },
        { "rid=000", "rid=000,csn=" A1, COOKIE_UNKNOWN },
        { "host:389#cn=x#17", "host:389#cn=x#18", COOKIE_UNKNOWN },
        { "", "", COOKIE_UNKNOWN },
        { "csn=1", "csn=2", COOKIE_OLDER },
        { "csn=#", "csn=#;##;###,,", COOKIE_NOT_OLDER },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        T_INT(cookie_compare(cases[i].now, cases[i].before), cases[i].age);
}

static void
what_is_heard_of_one_server_forgets_no_other(void)
{
    static const struct {
        const char *before, *now, *both;
    } cases[] = {
        { "rid=000,csn=" A1 ";" B1, "rid=000,sid=002,csn=" B2, "rid=000,sid=002,csn=" B2 ";" A1 },
        { "rid=000,csn=" A1 ";" B1, "rid=000,csn=" A2, "rid=000,csn=" A2 ";" B1 },
        { "rid=000,csn=" A2, "rid=000,csn=" A1 ";" B1 ",delcsn=" B1, "rid=000,csn=" A2 ";" B1 },
        { "rid=000", "rid=000,csn=" A1, "rid=000,csn=" A1 },
        { "rid=000,csn=" A1, "host#cn=x#18", "host#cn=x#18" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *both = cookie_merge(cases[i].before, cases[i].now);

        T_STR(both, cases[i].both);
        free(both);
    }
}

static void
a_cookie_stands_for_all_that_a_server_has_changed_before(void)
{
    const char *cookie = "rid=000,csn=" A1 ";" B2;

    T_TRUE(cookie_has(cookie, A1) && cookie_has(cookie, B1) && cookie_has(cookie, B2));
    T_TRUE(!cookie_has(cookie, A2) && !cookie_has("rid=000,csn=" B2, A1));
    T_TRUE(!cookie_has("rid=000", A1) && !cookie_has("host#cn=x#18", A1) &&
           !cookie_has(cookie, ""));
}

static void
a_cookie_without_a_change_says_nothing(void)
{
    T_TRUE(cookie_is_bare("") && cookie_is_bare("rid=000") && cookie_is_bare("rid=000,sid=001") &&
           cookie_is_bare("sid=001,delcsn=" A1) && cookie_is_bare("rid=000,csn="));
    T_TRUE(!cookie_is_bare("rid=000,csn=" A1) && !cookie_is_bare("csn=" A1) &&
           !cookie_is_bare("host:389#cn=x#17") && !cookie_is_bare("17"));
}

static void
a_cookie_names_nobody_to_a_directory(void)
{
    static const struct {
        const char *kept, *sent;
    } table[] = {
        { "rid=000,sid=001,csn=" A1 ";" B2, "rid=000,csn=" A1 ";" B2 },
        { "sid=001,rid=000,csn=" A1, "rid=000,csn=" A1 },
        { "rid=000,csn=" A1 ",sid=001", "rid=000,csn=" A1 },
        { "rid=000,csn=" A1, "rid=000,csn=" A1 },
        { "rid=000,sid=0", "rid=000" },
        { "sid=001", "" },
        { "", "" },
        { "host:389#cn=x,sid=1,dc=y#17", "host:389#cn=x,sid=1,dc=y#17" },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[200];

        snprintf(text, sizeof(text), "%s", table[i].kept);
        cookie_forget_giver(text);
        T_STR(text, table[i].sent);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(a_cookie_is_older_if_it_is_of_any_server),
    UNIT_CASE(what_is_heard_of_one_server_forgets_no_other),
    UNIT_CASE(a_cookie_stands_for_all_that_a_server_has_changed_before),
    UNIT_CASE(a_cookie_without_a_change_says_nothing),
    UNIT_CASE(a_cookie_names_nobody_to_a_directory),
};

int
main(int argc, char **argv)
{
    return unit_run("cookie", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
