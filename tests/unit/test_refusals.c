/* When so many are refused alike that the others are not tried. */
#include "plugin/base/clock.h"
#include "plugin/delivery/refusals.h"
#include "tests/unit/unit.h"

#define HOUR_US (3600 * CLOCK_SECOND_US)

static int64_t now_us;

static int64_t
set_clock(void)
{
    return now_us;
}

/* What a process saw, and the store has. */
struct place {
    struct refusals seen;
    struct json_object *tally;
    int64_t (*clock)(void);
};

static void
begin(struct place *place)
{
    *place = (struct place){ .clock = clock_now_us };
    now_us = clock_now_us();
    clock_now_us = set_clock;
}

static void
end(struct place *place)
{
    refusals_forget(&place->seen);
    json_object_put(place->tally);
    clock_now_us = place->clock;
}

/* As one call whose records are refused; whether these are too many. */
static bool
refuse(struct place *place, int64_t first, int64_t users, int64_t floor)
{
    int64_t count, tried;
    const char *code;

    for (int64_t user = first; user < first + users; user++)
        T_INT(refusals_note(&place->seen, user, "INVALID_FIELD", "no", "why", "do"), PROV_OK);
    T_INT(refusals_add(&place->seen, floor, &place->tally), PROV_OK);
    refusals_forget(&place->seen);
    code = refusals_common(place->tally, floor, 40, &count, &tried);
    T_TRUE(!code || strcmp(code, "INVALID_FIELD") == 0);
    return code;
}

static void
deliver(struct place *place, size_t count)
{
    for (size_t i = 0; i < count; i++)
        refusals_note_delivered(&place->seen);
}

static void
what_was_delivered_hours_ago_hides_nobody(void)
{
    struct place place;

    begin(&place);
    deliver(&place, 1000);
    now_us += 2 * HOUR_US;
    deliver(&place, 10);
    T_TRUE(refuse(&place, 1, 20, 20)); /* of 30 */
    end(&place);
}

static void
what_was_delivered_within_the_hour_counts(void)
{
    struct place place;

    begin(&place);
    deliver(&place, 1000);
    now_us += HOUR_US / 2;
    T_TRUE(!refuse(&place, 1, 20, 20));
    now_us += HOUR_US; /* and then no more; nor do those who were refused */
    T_TRUE(!refuse(&place, 21, 19, 20));
    T_TRUE(refuse(&place, 40, 1, 20));
    end(&place);
}

static void
a_clock_that_was_set_back_begins_the_window_anew(void)
{
    struct place place;

    begin(&place);
    T_TRUE(!refuse(&place, 1, 19, 20));
    deliver(&place, 1000);
    now_us -= 5 * HOUR_US;
    T_TRUE(!refuse(&place, 101, 19, 20));
    T_TRUE(refuse(&place, 120, 1, 20));
    end(&place);
}

static void
a_user_counts_once_and_of_very_many_all_do(void)
{
    struct place place;

    begin(&place);
    for (int i = 0; i < 300; i++)
        T_TRUE(!refuse(&place, 7, 1, 250));
    T_TRUE(!refuse(&place, 7, 249, 250));
    for (int i = 0; i < 300; i++) /* who comes late as well */
        T_TRUE(!refuse(&place, 255, 1, 250));
    T_TRUE(refuse(&place, 1000, 1, 250));
    end(&place);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(what_was_delivered_hours_ago_hides_nobody),
        UNIT_CASE(what_was_delivered_within_the_hour_counts),
        UNIT_CASE(a_clock_that_was_set_back_begins_the_window_anew),
        UNIT_CASE(a_user_counts_once_and_of_very_many_all_do),
    };

    return unit_run("refusals", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
