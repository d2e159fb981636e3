/* The model: what events make of a user, what is compared in the end. Which steps there are, and what
 * stands in the way of them, is the programs'. */
#include "tests/torture/life.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plugin/base/json.h"
#include "tests/torture/shim.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

/* ---- accounts ---- */

/* Account of a user by its employee number; *ret_count: how many there are. */
static struct json_object *
account_of(struct json_object *users, int user, size_t *ret_count)
{
    struct json_object *account = NULL;
    char number[8];

    *ret_count = 0;
    snprintf(number, sizeof(number), "u%d", user);
    for (size_t i = 0; i < json_object_array_length(users); i++) {
        struct json_object *one = json_object_array_get_idx(users, i);
        const char *its = json_get_string(one, "EmployeeNumber");
        if (!its || strcmp(its, number) != 0)
            continue;
        account = one;
        (*ret_count)++;
    }
    return account;
}

static unsigned
title_of(struct json_object *account)
{
    const char *title = json_get_string(account, "Title");

    return title && title[0] == 't' ? (unsigned)atoi(title + 1) : 0;
}

bool
life_wants(const struct life *life, const struct person *person)
{
    return person->known && !person->gone && person->active && !(life->scoped && person->guest);
}

/* ---- names ---- */

/* Which name a username is that is built as it is now, -1 if it is none; *ret_number: what stands behind
 * the name, as in n12, which is n1 with a 2; 0: nothing. */
static int
name_and_number(const struct life *life, const char *username, int *ret_number)
{
    const char *begin = life->patterned ? "primary-n" : "n", *at;
    char *end = NULL;

    *ret_number = 0;
    if (!username || strncmp(username, begin, strlen(begin)) != 0)
        return -1;
    at = username + strlen(begin);
    if (*at < '0' || *at > '9')
        return -1;
    if (at[1] != '@')
        *ret_number = (int)strtol(at + 1, &end, 10);
    if (strcmp(end ? end : at + 1, "@acme.example") == 0)
        return *at - '0';
    *ret_number = 0;
    return -1;
}

static int
name_of(const struct life *life, const char *username)
{
    int number, name = name_and_number(life, username, &number);

    return number ? -1 : name;
}

/* Where there are numbers, n12 is n1 for who came when another one had that. */
static bool
has_name(const struct life *life, struct json_object *account, int wanted)
{
    int number, name = name_and_number(life, json_get_string(account, "Username"), &number);

    return name == wanted && (!number || life->suffixes);
}

/* The first free number from 2 on is given: so it is no larger than there are others, and one more, who
 * wanted that name at some time. */
static bool
has_wrong_number(const struct life *life, const struct person *person, struct json_object *account)
{
    int number, name = name_and_number(life, json_get_string(account, "Username"), &number);
    unsigned others = name < 0 ? 0 : life->wanted_by[name] & ~(1u << (person - life->people));

    return number && !(life->suffixes && number >= 2 && number <= 1 + __builtin_popcount(others));
}

/* ---- what the host is told ---- */

/* Of an event as delivered: the org has it then, or something newer. */
static bool
is_told_rightly(struct life *life, struct told *told)
{
    struct json_object *users = world_users(life->world);
    size_t count;
    struct json_object *account = account_of(users, told->user, &count);
    bool right = account && title_of(account) >= told->title;

    told->seen = account ? title_of(account) : 0;

    json_object_put(users);
    return right;
}

static int32_t
hear(void *context, const char *json, size_t length)
{
    struct life *life = context;
    struct json_object *claims = json_tokener_parse(json);
    const char *txn = json_get_string(claims, "txn");
    unsigned event = txn && txn[0] == 'e' ? (unsigned)atoi(txn + 1) : 0;
    struct told *told = event < EVENTS_MAX ? &life->told[event] : &life->told[0];

    (void)length;
    told->lacks = strstr(json, "\"status\":\"202\"") != NULL;
    told->parts += told->lacks;
    __atomic_add_fetch(&told->times, 1, __ATOMIC_SEQ_CST);
    if (strstr(json, "\"status\":\"400\""))
        told->refused++;
    else if (getpid() == life->pid && event > life->people[told->user].left &&
             !is_told_rightly(life, told))
        told->wrong = true;
    json_object_put(claims);
    return 0;
}

/* ---- life ---- */

/* Accounts that are there before the first event, for `match` to find. */
static void
make_accounts(struct life *life)
{
    for (int user = 3; user < USER_COUNT; user++) {
        char body[200];
        snprintf(body, sizeof(body),
                 "{\"Username\":\"n%d@acme.example\",\"EmployeeNumber\":\"u%d\"}", user, user);
        world_tell_org(life->world, "/__org/users", body);
        life->people[user].was_there = true;
        life->wanted_by[user] |= 1u << user;
    }
}

void
life_begin(struct life *life, struct world *world, uint64_t seed)
{
    static const char *const actions[] = { "deactivate", "freeze", "deactivate_and_release" };

    *life = (struct life){ .world = world,
                           .seed = seed,
                           .pid = getpid(),
                           .threads = seed % 5 == 0,
                           .scoped = seed % 2 == 1,
                           .matched = seed / 2 % 2 == 1,
                           .suffixes = seed % 7 == 3,
                           .repatterned = seed % 11 > 6,
                           .passwords = seed % 13 >= 4 && seed % 13 <= 8,
                           .leaver_action = actions[seed / 4 % 3] };
    life->told = mmap(NULL, EVENTS_MAX * sizeof(*life->told), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (life->told == MAP_FAILED)
        abort();
    shim_begin(seed);
    world_reset(world);
    world_write_key(world);
    world->error.text[0] = '\0';
    world->host =
        (struct prov_host){ .size = sizeof(world->host), .context = life, .outcome = hear };
    for (int user = 0; user < USER_COUNT; user++)
        life->people[user] = (struct person){ .name = user, .manager = -1 };
    if (life->matched)
        make_accounts(life);
    life_reopen(life, 2);
    life->remapped = false;
}

void
life_end(struct life *life)
{
    world_close(life->world);
    munmap(life->told, EVENTS_MAX * sizeof(*life->told));
    free(life->fields);
}

void
life_land(struct life *life)
{
    world_tell_org(life->world, "/__org/land", "{}");
}

void
life_reopen(struct life *life, unsigned arg)
{
    static const int sizes[] = { 1, 2, 200 };
    bool mapped = arg >> 4 & 1, patterned = life->repatterned && (arg >> 6 & 1);
    char more[700], key[300] = "";

    if (life->passwords)
        snprintf(key, sizeof(key), "\"provision_passwords\":true,\"sealing_key\":\"file:%s\",",
                 world_key(life->world));

    snprintf(
        more, sizeof(more),
        "\"parallel_calls\":%d,\"batch_size\":%d,\"guard_floor\":%u,\"leaver_action\":\"%s\",%"
        "s%s%s%s%s%s",
        life->threads ? 2 + (int)(arg >> 6 & 1) : 1, sizes[arg % 3], life->seed / 12 % 2 ? 2 : 1000,
        life->leaver_action, life->scoped ? "\"scope_filter\":\"userType ne \\\"guest\\\"\"," : "",
        life->matched ? "\"match\":[\"EmployeeNumber\"]," : "",
        mapped ? "\"mapping\":[{\"field\":\"City\",\"source\":\"title\"}]," : "",
        life->suffixes ? "\"username_taken\":\"suffix\"," : "",
        patterned ? "\"provisioning_pattern\":\"{UD,UN}\",\"provisioning_separator\":\"-\"," : "",
        key);
    life->remapped = life->remapped || mapped != life->mapped || patterned != life->patterned;
    life->mapped = mapped;
    life->patterned = patterned;
    free(life->fields);
    life->fields = world_fields(life->world, more);
    world_close(life->world);
    life->world->worker = life->threads && (arg >> 5 & 1);
    if (life->world->worker) { /* it could send between life_land() and the move of the clocks */
        world_tell_org(life->world, "/__org/faults", NULL);
        life_land(life);
    }
    shim_clock_hold(!life->world->worker);
    if (world_open(life->world, life->fields))
        life->fault = "the connector does not open";
}

/* ---- events ---- */

/* As the host describes the user; heap. */
static char *
resource_of(const struct person *person, int user)
{
    char manager[60] = "", password[60] = "", *text = NULL;

    if (person->manager >= 0)
        snprintf(manager, sizeof(manager), ",\"manager\":{\"value\":\"%d\"}", person->manager);
    if (person->password)
        snprintf(password, sizeof(password), "\"password\":\"Quartz-%u-lane\",", person->password);
    if (asprintf(&text,
                 "{%s\"userName\":\"n%d\",\"active\":%s,\"title\":\"t%u\",\"userType\":\"%s\","
                 "\"name\":{\"familyName\":\"Doe\"},\"emails\":[{\"value\":\"u@example.com\"}],"
                 "\"" ENTERPRISE "\":{\"employeeNumber\":\"u%d\"%s}}",
                 password, person->name, person->active ? "true" : "false", person->title,
                 person->guest ? "guest" : "staff", user, manager) < 0)
        abort();
    return text;
}

static char *
event_text(struct life *life, int user, const char *kind, const char *payload)
{
    char *text = NULL;

    if (asprintf(&text,
                 "{\"jti\":\"e%u\",\"iss\":\"https://idp.example\",\"sub_id\":{\"format\":\"scim\","
                 "\"uri\":\"/Users/%d\"},\"events\":{\"urn:ietf:params:scim:event:prov:%s\":%s}}",
                 ++life->event, user, kind, payload) < 0)
        abort();
    if (life->event < EVENTS_MAX)
        life->told[life->event] = (struct told){ .user = user, .title = life->people[user].title };
    return text;
}

static char *
put_event(struct life *life, int user)
{
    struct person *person = &life->people[user];
    char *resource, *payload = NULL, *text;

    person->title = life->event + 1;
    life->wanted_by[person->name] |= 1u << user;
    person->password = life->passwords && life_wants(life, person) ? life->event + 1 : 0;
    resource = resource_of(person, user);
    if (asprintf(&payload, "{\"data\":%s}", resource) < 0)
        abort();
    text = event_text(life, user, "put:full", payload);
    free(resource);
    free(payload);
    return text;
}

/* A name that nobody else has, leavers included: they keep theirs in the org. */
static int
free_name(const struct life *life, int user, unsigned from)
{
    for (unsigned i = 0; i < NAME_COUNT; i++) {
        int name = (int)((from + i) % NAME_COUNT);
        bool taken = false;
        for (int other = 0; other < USER_COUNT; other++)
            taken = taken || (other != user && life->people[other].name == name);
        if (!taken)
            return name;
    }
    abort();
}

/* The event of this step; NULL: it makes no sense for the user as he is. The model knows it then. */
static char *
make_event(struct life *life, const struct step *step)
{
    static const char *const kinds[] = {
        [DEACTIVATE] = "deactivate", [ACTIVATE] = "activate", [DELETE] = "delete"
    };
    struct person *person = &life->people[step->user];
    enum op op = step->op == KILL_SUBMIT || step->op == FAIL ? PUT : step->op;
    char payload[120];

    if (op != PUT && (!person->known || person->gone))
        return NULL;
    if (op == PUT) {
        person->known = person->active = true;
        person->gone = false;
        person->guest = step->arg % 8 == 1;
        if (step->arg % 4 == 0)
            person->name = life->suffixes ? (int)(step->arg >> 4) % USER_COUNT
                                          : free_name(life, step->user, step->arg >> 4);
        /* of those before him, so that nobody is his own manager's manager */
        person->manager = (int)((step->arg >> 8) % (unsigned)(step->user + 1)) - 1;
        return put_event(life, step->user);
    }
    if (op == PATCH) {
        person->title = life->event + 1;
        snprintf(payload, sizeof(payload),
                 "{\"data\":{\"Operations\":[{\"op\":\"replace\",\"path\":\"title\",\"value\":"
                 "\"t%u\"}]}}",
                 person->title);
        return event_text(life, step->user, "patch:full", payload);
    }
    person->gone = op == DELETE;
    person->active = op == ACTIVATE;
    return event_text(life, step->user, kinds[op], "{}");
}

/* What was accepted until a user left is superseded by that. */
static void
note_leavers(struct life *life)
{
    for (int user = 0; user < USER_COUNT; user++) {
        if (life_wants(life, &life->people[user]))
            continue;
        life->people[user].left = life->event;
        life->people[user].password = 0;
    }
}

/* Takes the text over. */
static void
submit(struct life *life, char *event)
{
    note_leavers(life); /* a thread may tell of it at once */
    /* a host whose submit had no answer submits again */
    if (!life->fault && life->relieve && world_submit(life->world, event) != PROV_ANSWER_ACCEPTED) {
        life->relieve(life);
        life->relieve = NULL;
    }
    if (!life->fault && world_submit(life->world, event) != PROV_ANSWER_ACCEPTED)
        life->fault = "an event is not accepted";
    if (life->event < EVENTS_MAX)
        life->told[life->event].accepted = !life->fault;
    free(event);
}

void
life_submit(struct life *life, const struct step *step)
{
    char *event = make_event(life, step);

    note_leavers(life);
    if (event && step->op == KILL_SUBMIT)
        life_die(life, step->arg, event);
    if (event && step->op == FAIL)
        life_fail(life, step, event);
    if (event)
        submit(life, event);
}

void
life_swap(struct life *life, const struct step *step)
{
    int other = (int)((unsigned)step->user + 1 + step->arg % (USER_COUNT - 1)) % USER_COUNT;
    struct person *a = &life->people[step->user], *b = &life->people[other];
    int name = a->name;

    if (!a->known || a->gone || !b->known || b->gone)
        return;
    a->name = b->name;
    b->name = name;
    submit(life, put_event(life, step->user));
    submit(life, put_event(life, other));
}

/* All who are not gone, one with news of him; now and then somebody is not in it. */
void
life_list(struct life *life, const struct step *step)
{
    const struct prov_vtable *methods = &life->world->methods;
    struct prov_snapshot *list = NULL;
    char *report = NULL;

    if (methods->snapshot_begin(life->world->connector, NULL, PROV_SNAPSHOT_FORCE, &list,
                                &life->world->error)) {
        life->fault = "a list is refused";
        return;
    }
    for (int user = 0; user < USER_COUNT; user++) {
        struct person *person = &life->people[user];
        char *entry = NULL, *resource;
        if (!person->known || person->gone)
            continue;
        if (user == (step->user + 1) % USER_COUNT && step->arg % 3 == 0) {
            person->gone = true;
            person->active = false;
            continue;
        }
        if (user == step->user)
            person->title = ++life->event;
        resource = resource_of(person, user);
        if (asprintf(&entry, "{\"uri\":\"/Users/%d\",\"data\":%s}", user, resource) < 0)
            abort();
        if (methods->snapshot_add(list, entry, strlen(entry), &life->world->error))
            life->fault = "an entry of a list is refused";
        free(entry);
        free(resource);
    }
    note_leavers(life);
    if (methods->snapshot_end(list, 1, &report, &life->world->error))
        life->fault = "a list is not applied";
    else
        methods->release(report);
}

void
life_edit(struct life *life, const struct step *step)
{
    struct json_object *users = world_users(life->world);
    struct person *person = &life->people[step->user];
    size_t count;
    struct json_object *account = account_of(users, step->user, &count);
    char target[100], body[60];

    if (account) {
        snprintf(person->fax, sizeof(person->fax), "%u", step->arg % 100000);
        snprintf(target, sizeof(target), "/__org/users/%s", json_get_string(account, "Id"));
        snprintf(body, sizeof(body), "{\"Fax\":\"%s\"}", person->fax);
        world_change_org(life->world, target, body);
    }
    json_object_put(users);
}

/* ---- judging ---- */

/* A manager who has no account that the connector knows is left as he is in the org until he arrives. */
static bool
has_manager(const struct life *life, const struct person *person, struct json_object *users,
            struct json_object *account)
{
    const char *is = json_get_string(account, "ManagerId");
    struct json_object *manager = NULL;
    size_t count;

    if (person->manager >= 0) {
        const struct person *who = &life->people[person->manager];
        manager = account_of(users, person->manager, &count);
        if (!manager || (who->was_there && title_of(manager) == 0))
            return true;
    }
    return strcmp(is ? is : "", manager ? json_get_string(manager, "Id") : "") == 0;
}

/* Whether the name is that of an account which keeps it: a leaver's, one that was there before, or one
 * whose own new name is kept by such. Who wants it waits, and the host hears
 * nothing of it. */
static bool
is_name_kept(const struct life *life, int wanted, struct json_object *users, int depth)
{
    for (int other = 0; other < USER_COUNT; other++) {
        const struct person *who = &life->people[other];
        size_t count;
        const char *name = json_get_string(account_of(users, other, &count), "Username");
        if (name_of(life, name) != wanted)
            continue;
        if (who->was_there || !life_wants(life, who))
            return true;
        if (who->name == wanted) /* two may want one where there are numbers; one of them has it */
            return life->suffixes;
        return depth < USER_COUNT && is_name_kept(life, who->name, users, depth + 1);
    }
    return false;
}

static bool
is_as_wanted(const struct life *life, const struct person *person, struct json_object *account)
{
    const char *city = json_get_string(account, "City");
    char title[16];

    snprintf(title, sizeof(title), "t%u", person->title);
    /* who is adopted keeps the username */
    return (person->was_there || has_name(life, account, person->name)) &&
           title_of(account) == person->title &&
           strcmp(city ? city : "", life->mapped ? title : "") == 0;
}

/* A process that dies between a send and its answer, twice, leaves it open; and so says the connector. */
static bool
has_password(const struct life *life, const struct person *person, struct json_object *account)
{
    char password[40], request[80];
    struct json_object *row;
    const char *outcome;
    bool delivered, open;

    snprintf(request, sizeof(request), "{\"query\":\"subject\",\"user\":\"/Users/%d\"}",
             (int)(person - life->people));
    row = world_query(life->world, request);
    outcome = json_get_string(json_get(row, "password"), "outcome");
    delivered = outcome && strcmp(outcome, "delivered") == 0;
    open = life->died && outcome && strcmp(outcome, "refused") == 0;
    json_object_put(row);
    snprintf(password, sizeof(password), "Quartz-%u-lane", person->password);
    return open ||
           (delivered && world_has_password(life->world, json_get_string(account, "Id"), password));
}

static bool
waits_for_name(const struct life *life, const struct person *person, struct json_object *users,
               struct json_object *account)
{
    return life_wants(life, person) && is_name_kept(life, person->name, users, 0) &&
           !has_name(life, account, person->name);
}

static const char *
judge_person(const struct life *life, const struct person *person, struct json_object *users,
             struct json_object *account, size_t count)
{
    bool active =
        json_get_bool(account, "IsActive", false) && !json_get_bool(account, "frozen", false);
    bool wanted = life_wants(life, person);
    const char *fax = json_get_string(account, "Fax");

    if (count > 1)
        return "a user is doubled";
    if (account && strcmp(fax ? fax : "", person->fax) != 0)
        return "what another admin did is undone";
    if (person->was_there && !wanted && title_of(account) == 0)
        return NULL; /* never adopted: not ours */
    if (has_wrong_number(life, person, account))
        return "a user has a number that nobody had to give way for";
    if (waits_for_name(life, person, users, account))
        return NULL;
    if (wanted && !account)
        return "a user is missing";
    if (active != wanted)
        return wanted ? "a user is inactive" : "a user is active after deactivation";
    if (wanted && !is_as_wanted(life, person, account))
        return "a user is older than accepted";
    if (wanted && !has_manager(life, person, users, account))
        return "a user has another manager";
    if (wanted && person->password && !has_password(life, person, account))
        return "a user has another password than the last one";
    return NULL;
}

/* Nothing waits of who has no manager, or has him, and is in step; of a leaver nobody knows whose new name another keeps. */
static bool
all_is_there(const struct life *life, const struct person *person, struct json_object *users)
{
    struct json_object *account, *manager;
    size_t count;

    if (person->was_there)
        return false; /* may be frozen by another admin */
    account = account_of(users, (int)(person - life->people), &count);
    if ((is_name_kept(life, person->name, users, 0) && !has_name(life, account, person->name)) ||
        (life_wants(life, person) && (!account || !is_as_wanted(life, person, account))))
        return false; /* parked: what was told before stands */
    if (person->manager < 0)
        return true;
    manager = account_of(users, person->manager, &count);
    return account && manager && title_of(manager) > 0 && has_manager(life, person, users, account);
}

/* At least once, unless the user waits; once and no more where no process died and nobody else delivered,
 * but what was refused may be delivered after all, which is told too, as is that nothing is missing any more. */
static const char *
judge_told(const struct life *life, struct json_object *users)
{
    for (unsigned event = 1; event <= life->event && event < EVENTS_MAX; event++) {
        const struct told *told = &life->told[event];
        size_t count;
        if (!told->accepted)
            continue;
        if (told->times == 0 && !waits_for_name(life, &life->people[told->user], users,
                                                account_of(users, told->user, &count)))
            return "the host was not told of an event";
        if ((told->refused > 1 || told->parts > 1 ||
             told->times - told->refused - told->parts > 1) &&
            !life->died)
            return "the host was told of an event twice";
        if (told->lacks && all_is_there(life, &life->people[told->user], users))
            return "the host was not told that nothing is missing any more";
        if (told->wrong)
            return "the host was told of a delivery that the org does not have";
    }
    return NULL;
}

void
life_judge(struct life *life)
{
    struct json_object *users = world_users(life->world);
    size_t all = 0;

    for (int user = 0; !life->fault && user < USER_COUNT; user++) {
        size_t count;
        struct json_object *account = account_of(users, user, &count);
        all += count;
        life->fault = judge_person(life, &life->people[user], users, account, count);
    }
    if (!life->fault && all != json_object_array_length(users))
        life->fault = "there is a user whom nobody wanted";
    if (!life->fault)
        life->fault = judge_told(life, users);
    json_object_put(users);
}

void
life_settle(struct life *life)
{
    static const char *const acts[] = { "{\"act\":\"resume\"}", "{\"act\":\"release\"}",
                                        "{\"act\":\"retry\",\"state\":\"parked\"}",
                                        "{\"act\":\"replan\",\"all\":true,\"force\":true}" };
    size_t count = sizeof(acts) / sizeof(acts[0]) - !(life->remapped || life->matched);

    world_tell_org(life->world, "/__org/faults", NULL);
    life_land(life);
    world_tell_org(life->world, "/__org/settings",
                   "{\"seats\":{\"Salesforce\":100},\"api_max\":100000,\"api_used\":0}");
    for (int times = 0; !life->fault && times < 2; times++) {
        for (size_t i = 0; i < count; i++) {
            /* without an event there is no store to order anything of */
            if (world_act(life->world, acts[i]) && life->event > 0)
                life->fault = "an act is refused";
        }
        if (!world_settle(life->world))
            life->fault = "it does not settle";
    }
}

void
life_print(struct life *life)
{
    struct json_object *users = world_users(life->world);

    printf("  leaver_action %s%s%s%s%s%s%s\n", life->leaver_action,
           life->scoped ? ", scope_filter" : "", life->matched ? ", match" : "",
           life->mapped ? ", mapping" : "", life->suffixes ? ", suffixes" : "",
           life->patterned ? ", another pattern" : "", life->passwords ? ", passwords" : "");
    for (int user = 0; user < USER_COUNT; user++) {
        const struct person *person = &life->people[user];
        printf("  wanted: user %d n%d title t%u manager %d fax '%s' %s%s\n", user, person->name,
               person->title, person->manager, person->fax,
               !person->known   ? "not known"
               : person->gone   ? "gone"
               : person->active ? "active"
                                : "inactive",
               person->guest ? ", guest" : "");
    }
    for (unsigned event = 1; event <= life->event && event < EVENTS_MAX; event++) {
        const struct told *told = &life->told[event];
        if (told->accepted && (told->times != 1 || told->wrong))
            printf("  told: event e%u of user %d with title t%u %u times, refused %u%s t%u\n",
                   event, told->user, told->title, told->times, told->refused,
                   told->wrong ? ", wrong: the org had" : ", last seen", told->seen);
    }
    world_print(users);
    json_object_put(users);
    if (life->world->connector)
        world_print_subjects(life->world);
}
