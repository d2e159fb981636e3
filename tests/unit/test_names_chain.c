/* Who has to be renamed before: where chains of usernames lead, and how often somebody is looked up for that. */
#include <stdio.h>

#include "plugin/delivery/names_chain.h"
#include "tests/unit/scratch.h"

#define USERS 300

/* Who holds "u1" wants "u2", and so on. */
struct chain {
    struct scratch scratch;
    int64_t subjects[USERS];
    int asked;
    int ring; /* who wants the name of the one with this number; -1: nobody's */
};

static void
name_of(int number, char ret[PATTERN_MAX_BYTES])
{
    snprintf(ret, PATTERN_MAX_BYTES, "u%d@x.example", number);
}

static int
number_of(const struct chain *chain, int64_t subject)
{
    int number = 0;

    while (chain->subjects[number] != subject)
        number++;
    return number;
}

static void
wanted_by(const struct chain *chain, int number, char ret[PATTERN_MAX_BYTES])
{
    name_of(number + 1 == USERS && chain->ring >= 0 ? chain->ring : number + 1, ret);
}

static int
wish(void *context, const struct name_claim *claim, char ret[PATTERN_MAX_BYTES],
     struct prov_error *err)
{
    struct chain *chain = context;

    (void)err;
    chain->asked++;
    wanted_by(chain, number_of(chain, claim->subject), ret);
    return PROV_OK;
}

static void
make(struct chain *chain, int ring)
{
    struct prov_error err = PROV_ERROR_INIT;

    *chain = (struct chain){ .ring = ring };
    scratch_make(&chain->scratch);
    for (int i = 0; i < USERS; i++) {
        char key[40], name[PATTERN_MAX_BYTES];
        struct link link = { .salesforce_id = "" };
        snprintf(key, sizeof(key), "/Users/%d", i);
        name_of(i, name);
        chain->subjects[i] = scratch_put(chain->scratch.store, key, key, "a");
        link.username_held = name;
        T_OK(store_begin(chain->scratch.store, STORE_UNFENCED, &err), &err);
        T_OK(store_put_link(chain->scratch.store, chain->subjects[i], &link, &err), &err);
        T_OK(store_commit(chain->scratch.store, &err), &err);
    }
}

static enum names_end
follow(struct chain *chain, int number, struct json_object *walked)
{
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_FREE char *rival = NULL;
    char wanted[PATTERN_MAX_BYTES];
    enum names_end end;

    wanted_by(chain, number, wanted);
    T_OK(names_follow(chain->scratch.store, chain->subjects[number], wanted, wish, chain, walked,
                      &end, &rival, &err),
         &err);
    if (number + 1 < USERS) {
        char uri[40];
        snprintf(uri, sizeof(uri), "/Users/%d", number + 1);
        T_STR(rival, uri);
    }
    return end;
}

static void
a_straight_chain_is_walked_once(void)
{
    AUTO_JSON struct json_object *walked = json_object_new_object();
    struct chain chain;

    make(&chain, -1);
    for (int i = 0; i < USERS; i++)
        T_INT(follow(&chain, i, walked), NAMES_FREE);
    T_TRUE(chain.asked <= 2 * USERS);
    scratch_remove(&chain.scratch);
}

static void
a_ring_is_one_for_those_on_it_and_none_for_those_who_lead_into_it(void)
{
    AUTO_JSON struct json_object *walked = json_object_new_object();
    struct chain chain;

    make(&chain, USERS - 3);
    for (int i = 0; i < USERS - 3; i++)
        T_INT(follow(&chain, i, walked), NAMES_HELD);
    T_TRUE(chain.asked <= 4 * USERS);
    for (int i = USERS - 3; i < USERS; i++)
        T_INT(follow(&chain, i, walked), NAMES_RING);
    scratch_remove(&chain.scratch);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_straight_chain_is_walked_once),
        UNIT_CASE(a_ring_is_one_for_those_on_it_and_none_for_those_who_lead_into_it),
    };

    return unit_run("names_chain", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
