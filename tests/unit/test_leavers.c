/* The plan for leavers, pure: the connector field leaver_action, and the way back. */
#include "plugin/delivery/released.h"
#include "tests/unit/situation.h"

#define FREEZE  ",\"leaver_action\":\"freeze\""
#define RELEASE ",\"leaver_action\":\"deactivate_and_release\""
#define LEFT    "ada@acme.example.left-005000000000001aaa"

static void
a_leaver_is_frozen_where_the_field_says_so(void)
{
    struct situation s;

    want(&s, FREEZE, "{" ADA "}");
    deliver(&s);
    s.subject.presence = PRESENCE_GONE;
    make(&s);
    T_INT(s.plan.action, PLAN_FREEZE);
    T_STR(sent(&s), "{\"UserLogin.IsFrozen\":true}");
    confirm(&s, FROZEN_FIELD, value_boolean(true));
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    /* who is inactive at the host stays active there as well, and in step */
    s.subject.presence = PRESENCE_IN;
    change(&s, "{" ADA ",\"active\":false}");
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    /* an unfreezing that is in flight may have happened */
    s.link.in_flight = value_of("{\"fields\":{\"UserLogin.IsFrozen\":false}}");
    make(&s);
    T_INT(s.plan.action, PLAN_FREEZE);
    done(&s);
}

static void
who_returns_is_unfrozen_when_all_else_is_as_it_should_be(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    confirm(&s, FROZEN_FIELD, value_boolean(true));
    change(&s, "{" ADA ",\"title\":\"Chief\"}");
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"Title\":\"Chief\"}");
    T_TRUE(s.plan.more);
    confirm(&s, "Title", value_string(&test_values, "Chief"));
    make(&s);
    T_INT(s.plan.action, PLAN_UNFREEZE);
    T_STR(sent(&s), "{\"UserLogin.IsFrozen\":false}");
    T_TRUE(!s.plan.more);
    value_remove(s.link.confirmed, FROZEN_FIELD);
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    done(&s);
}

static void
who_is_frozen_and_active_is_deactivated_again(void)
{
    struct situation s;

    want(&s, "", "{" ADA "}");
    deliver(&s);
    confirm(&s, FROZEN_FIELD, value_boolean(true));
    s.subject.presence = PRESENCE_GONE;
    make(&s);
    T_INT(s.plan.action, PLAN_DEACTIVATE);
    T_STR(sent(&s), "{\"IsActive\":false}");
    done(&s);
}

static void
the_username_of_a_leaver_is_released_after_the_deactivation(void)
{
    struct situation s;

    want(&s, RELEASE, "{" ADA "}");
    deliver(&s);
    s.subject.presence = PRESENCE_GONE;
    make(&s);
    T_INT(s.plan.action, PLAN_DEACTIVATE);
    T_STR(sent(&s), "{\"IsActive\":false}");
    T_TRUE(s.plan.more);
    confirm(&s, "IsActive", value_boolean(false));
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"Username\":\"" LEFT "\"}");
    confirm(&s, "Username", value_string(&test_values, LEFT));
    free(s.link.username_held);
    s.link.username_held = strdup(LEFT);
    make(&s);
    T_INT(s.plan.action, PLAN_NOTHING);
    /* the way back, also when the pattern has changed meanwhile: it is the same account */
    reconfigure(&s, ",\"provisioning_domain\":\"other.example\"");
    s.subject.presence = PRESENCE_IN;
    make(&s);
    T_INT(s.plan.action, PLAN_UPDATE);
    T_STR(sent(&s), "{\"IsActive\":true,\"Username\":\"ada@acme.example\"}");
    done(&s);
}

static void
a_released_name_is_an_address_of_80_characters_at_most_and_tells_what_it_was(void)
{
    static const char longest[] = "a23456789012345678901234567890@b23456789012345678901.example";
    struct prov_error err = PROV_ERROR_INIT;
    char name[PATTERN_MAX_BYTES], before[PATTERN_MAX_BYTES], too_long[PATTERN_MAX_BYTES];

    for (size_t length = 6; length < sizeof(longest); length++) {
        /* from the end, so that the domain stays one */
        const char *username = longest + sizeof(longest) - 1 - length;
        if (!strchr(username, '@') || *username == '@')
            continue;
        released_name(username, ID, name);
        T_TRUE(strlen(name) <= 80);
        T_OK(username_check(name, &err), &err);
        T_TRUE(released_undo(name, ID, before));
        T_STR(before, strlen(username) <= 56 ? username : "");
        T_TRUE(!released_undo(name, "005000000000002AAA", before));
    }
    snprintf(too_long, sizeof(too_long), "%.59s@x.example", longest);
    released_name(too_long, ID, name);
    T_STR(name, "left-005000000000001aaa@released.invalid");
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_leaver_is_frozen_where_the_field_says_so),
        UNIT_CASE(who_returns_is_unfrozen_when_all_else_is_as_it_should_be),
        UNIT_CASE(who_is_frozen_and_active_is_deactivated_again),
        UNIT_CASE(the_username_of_a_leaver_is_released_after_the_deactivation),
        UNIT_CASE(a_released_name_is_an_address_of_80_characters_at_most_and_tells_what_it_was),
    };

    return unit_run("leavers", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
