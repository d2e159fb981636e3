/* What holds of the pattern engine and of the username check for any bytes, in bounded runs. */
#include "patterns/collisions.h"
#include "patterns/pattern.h"
#include "patterns/username.h"
#include "tests/unit/unit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Pseudo-random, the same in every run, so that a failure can be looked at. */
static unsigned
next_random(unsigned limit)
{
    static unsigned long long state = 0x9E3779B97F4A7C15ULL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % limit;
}

/* Text over characters that mean something to the engine; size includes the NUL. */
static char *
random_text(char *out, size_t size)
{
    static const char alphabet[] = "abIJZz09@@..--__//\xC3\xA9\xFF{},# ";
    size_t length = next_random(8) ? next_random(24) : next_random((unsigned)size);

    for (size_t i = 0; i < length; i++)
        out[i] = alphabet[next_random(sizeof(alphabet) - 1)];
    out[length] = '\0';
    if (!next_random(4))
        snprintf(out, size, "%.*s@acme.com", (int)(length < size - 16 ? length : 0), "Jo-hn@x_y/z");
    return out;
}

static struct pattern *
random_pattern(const char **ret_domain)
{
    static const char *const keys[] = { "UD", "UN", "TD", "IDP" };
    static const char *const separators[] = { NULL, "-", "_", ".", "--", "a", "-.", "#{}" };
    static const char *const domains[] = { NULL, "acme.com", "ACME.com", "a.b" };
    struct pattern_settings settings = { 0 };
    struct prov_error err = PROV_ERROR_INIT;
    struct pattern *pattern = NULL;
    char text[128] = "{";
    unsigned count = 1 + next_random(next_random(4) ? 4 : PATTERN_MAX_KEYS);

    for (unsigned i = 0; i < count; i++) {
        strcat(text, keys[next_random(COUNT(keys))]);
        strcat(text, i + 1 < count ? "," : "}");
    }
    *ret_domain = domains[next_random(COUNT(domains))];
    settings.pattern = text;
    settings.separator = separators[next_random(COUNT(separators))];
    settings.domain = *ret_domain;
    T_OK(pattern_compile(&settings, &pattern, NULL, &err), &err);
    return pattern;
}

/* Segments lie end to end over the whole username, and none is empty. */
static int
segments_cover(const struct pattern_segment *segments, size_t count, size_t length)
{
    size_t end = 0;

    for (size_t i = 0; i < count; i++) {
        if (segments[i].start != end || !segments[i].length || !segments[i].source[0] ||
            !segments[i].origin[0])
            return 0;
        end += segments[i].length;
    }
    return count <= PATTERN_MAX_SEGMENTS && end == length;
}

/* With a domain: one '@', and the domain after it. */
static int
ends_in_domain(const char *name, const char *domain)
{
    const char *at = strchr(name, '@');

    return at && !strchr(at + 1, '@') && username_equal(at + 1, domain);
}

static void
check_properties(const struct pattern *pattern, const struct pattern_user *user, const char *domain,
                 size_t size)
{
    struct pattern_segment segments[PATTERN_MAX_SEGMENTS];
    char *buffer = malloc(size ? size : 1), again[PATTERN_MAX_BYTES];
    size_t length = 0, count = 0;
    int result = pattern_render(pattern, user, buffer, size, &length, NULL);
    int explained = pattern_explain(pattern, user, again, sizeof(again), segments, &count, NULL);

    if (result == PROV_OK) {
        T_TRUE(length < size && length < PATTERN_MAX_BYTES && strlen(buffer) == length);
        T_INT(explained, PROV_OK);
        T_STR(again, buffer);
        T_INT(strcspn(buffer, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), length);
        if (domain)
            T_TRUE(ends_in_domain(buffer, domain));
    } else {
        T_TRUE(result == PROV_E_LIMIT || result == PROV_E_INVALID);
        T_TRUE(result == PROV_E_INVALID ? explained == result : 1);
    }
    if (explained == PROV_OK)
        T_TRUE(segments_cover(segments, count, strlen(again)));
    free(buffer);
}

static void
any_names_render_within_bounds_and_explain_covers_them(void)
{
    char entity[1400], store[64], tenant[600], provider[600];

    for (int i = 0; i < 20000; i++) {
        const char *domain;
        CLEANUP(pattern_cleanup) struct pattern *pattern = random_pattern(&domain);
        const struct pattern_user user = {
            .entity_name = random_text(entity, sizeof(entity)),
            .user_domain = random_text(store, sizeof(store)),
            .tenant_domain = next_random(3) ? random_text(tenant, sizeof(tenant)) : NULL,
            .identity_provider = next_random(3) ? random_text(provider, sizeof(provider)) : NULL,
        };

        check_properties(pattern, &user, domain,
                         next_random(2) ? PATTERN_MAX_BYTES * 2 : next_random(80));
    }
}

static void
a_username_that_passes_has_the_form_of_an_address(void)
{
    char name[300];
    unsigned passed = 0;

    for (int i = 0; i < 50000; i++) {
        struct prov_error err = PROV_ERROR_INIT;
        size_t position;

        if (username_check(random_text(name, sizeof(name)), &err) != PROV_OK) {
            T_TRUE(err.text[0] && strlen(err.text) < sizeof(err.text) - 1);
            continue;
        }
        passed++;
        T_TRUE(strlen(name) <= USERNAME_MAX_CHARACTERS && !strchr(name, ' '));
        T_TRUE(strchr(name, '@') > name && strchr(name, '@') == strrchr(name, '@'));
        T_TRUE(username_domain_fault(strchr(name, '@') + 1, &position) == NULL);
    }
    T_TRUE(passed > 100);
}

/* ---- telling apart ---- */

#define SHARING 6

/* Users whose names are near each other, so that they often share one. */
static void
near_users(struct pattern_user users[SHARING], char names[SHARING][32], size_t count)
{
    static const char *const stores[] = { "", "A-B/", "AB/", "a.b/", "A_B/" };
    static const char *const people[] = { "jo-hn", "john", "john@x.com", "john.x.com", "jo.hn" };
    static const char *const tenants[] = { NULL, "t.one", "tone", "t-one" };

    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "%s%s", stores[next_random(COUNT(stores))],
                 people[next_random(COUNT(people))]);
        users[i] = (struct pattern_user){ .entity_name = names[i],
                                          .tenant_domain = tenants[next_random(COUNT(tenants))],
                                          .identity_provider = "idp" };
    }
}

/* Everybody has a username of their own that Salesforce takes. */
static void
check_told_apart(const struct pattern_settings *settings, const struct pattern_user *users,
                 size_t count)
{
    CLEANUP(pattern_cleanup) struct pattern *pattern = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    char rendered[SHARING][PATTERN_MAX_BYTES];

    T_OK(pattern_compile(settings, &pattern, NULL, &err), &err);
    for (size_t i = 0; i < count; i++) {
        T_OK(pattern_render(pattern, &users[i], rendered[i], PATTERN_MAX_BYTES, NULL, &err), &err);
        T_OK(username_check(rendered[i], &err), &err);
        for (size_t j = 0; j < i; j++)
            T_TRUE(!username_equal(rendered[i], rendered[j]));
    }
}

static void
what_is_said_to_tell_users_apart_does(void)
{
    static const char *const patterns[] = { NULL, "{UN}", "{UD,UN}", " { UN , TD } ", "{TD}" };
    static const char *const separators[] = { NULL, "-", "_", ".", "a" };
    static const char *const domains[] = { NULL, "acme.com" };
    unsigned separator = 0, key = 0, nothing = 0;

    for (int i = 0; i < 20000; i++) {
        struct pattern_settings settings = { patterns[next_random(COUNT(patterns))],
                                             separators[next_random(COUNT(separators))],
                                             domains[next_random(COUNT(domains))] };
        struct prov_error err = PROV_ERROR_INIT;
        struct pattern_user users[SHARING];
        struct pattern_change change;
        char names[SHARING][32];
        size_t count = 2 + next_random(SHARING - 1);
        bool found = false;
        near_users(users, names, count);
        T_OK(pattern_tell_apart(&settings, users, count, &change, &found, &err), &err);
        if (!found) {
            nothing++;
            continue;
        }
        *(change.key ? &key : &separator) += 1;
        settings.pattern = change.pattern;
        settings.separator = change.separator;
        check_told_apart(&settings, users, count);
    }
    T_TRUE(separator > 100 && key > 100 && nothing > 100);
}

static void
users_who_differ_in_nothing_cannot_be_told_apart(void)
{
    static const struct pattern_settings settings = { "{UD,UN}", "-", "acme.com" };
    static const struct pattern_user same[] = { { .entity_name = "A/john" },
                                                { .entity_name = "A/john" } };
    static const struct pattern_settings wrong = { "{XX}", "-", "acme.com" };
    struct prov_error err = PROV_ERROR_INIT;
    struct pattern_change change;
    bool found = true;

    T_OK(pattern_tell_apart(&settings, same, 2, &change, &found, &err), &err);
    T_TRUE(!found);
    T_INT(pattern_tell_apart(&wrong, same, 2, &change, &found, &err), PROV_E_FIELDS);
}

/* The collisions of the vectors: two that share a name, and what is said to tell them apart. */
static void
collisions_of_the_vectors_are_told_apart(void)
{
    static const struct {
        struct pattern_settings settings;
        struct pattern_user users[2];
        const char *key, *pattern, *separator; /* pattern NULL: nothing tells them apart */
    } vectors[] = {
        { { "{UN}", "_", "acme.com" },
          { { .entity_name = "john@x.com" }, { .entity_name = "john.x.com" } },
          NULL,
          NULL,
          NULL }, /* C1 */
        { { "{UD,UN}", "-", "acme.com" },
          { { .entity_name = "A-B/john" }, { .entity_name = "AB/john" } },
          NULL,
          "{UD,UN}",
          "_" }, /* C2 */
        { { "{UN}", "_", "acme.com" },
          { { .entity_name = "A/john" }, { .entity_name = "B/john" } },
          "UD",
          "{UD,UN}",
          "_" },
        { { "{UN}", "_", "acme.com" },
          { { .entity_name = "john", .tenant_domain = "a.example" },
            { .entity_name = "john", .tenant_domain = "b.example" } },
          "TD",
          "{TD,UN}",
          "_" },
    };

    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        struct pattern_change change = { .key = NULL };
        bool found = false;
        T_OK(pattern_tell_apart(&vectors[i].settings, vectors[i].users, 2, &change, &found, &err),
             &err);
        T_INT(found, vectors[i].pattern != NULL);
        if (!found)
            continue;
        T_STR(change.key, vectors[i].key);
        T_STR(change.pattern, vectors[i].pattern);
        T_STR(change.separator, vectors[i].separator);
    }
}

static const struct unit_case cases[] = {
    UNIT_CASE(any_names_render_within_bounds_and_explain_covers_them),
    UNIT_CASE(a_username_that_passes_has_the_form_of_an_address),
    UNIT_CASE(what_is_said_to_tell_users_apart_does),
    UNIT_CASE(users_who_differ_in_nothing_cannot_be_told_apart),
    UNIT_CASE(collisions_of_the_vectors_are_told_apart),
};

int
main(int argc, char **argv)
{
    return unit_run("patterns_properties", cases, COUNT(cases), argc, argv);
}
