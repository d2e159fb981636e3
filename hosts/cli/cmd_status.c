/* `status`: how things stand, for an admin's eyes or a monitor's. The numbers are the plugin's; here they
 * are laid out, and become an exit code. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/fact.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"

/* Why nothing goes to Salesforce at the moment: a hold, or calls that do not pass. */
static void
print_stop(const char *what, struct json_object *stop)
{
    char since[40], by[40];

    snprintf(since, sizeof(since), "%s since", what);
    snprintf(by, sizeof(by), "%s by", what);
    print_fact(since, TONE_PLAIN, reply_text(stop, "since"));
    print_fact(by, TONE_PLAIN, reply_text(stop, "by"));
    print_fact("reason", TONE_PLAIN, reply_text(stop, "reason"));
    print_fact("cause", TONE_PLAIN, reply_text(stop, "cause"));
    print_fact("remedy", TONE_PLAIN, reply_text(stop, "remedy"));
    print_fact("next probe", TONE_PLAIN, reply_text(stop, "next_probe"));
}

/* "812: 809 in step, 2 pending, ...": the states as the plugin names them. */
static void
print_users(struct json_object *users)
{
    const char *between = ":";
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);

    if (!file) {
        complain("out of memory");
        return;
    }
    fprintf(file, "%" PRId64, reply_number(users, "total"));
    json_object_object_foreach(users, state, count)
    {
        if (!strcmp(state, "total"))
            continue;
        fprintf(file, "%s %" PRId64 " ", between, json_object_get_int64(count));
        for (; *state; state++)
            fputc(*state == '_' ? ' ' : *state, file);
        between = ",";
    }
    if (fclose(file) == 0)
        print_fact("users", TONE_PLAIN, text);
    free(text);
}

/* What keeps users from the org, a line for each code: one cause is often behind all who have it. */
static void
print_codes(struct json_object *codes)
{
    for (size_t i = 0; i < reply_count(codes); i++) {
        struct json_object *entry = reply_item(codes, i);
        const char *state = reply_word(entry, "state");

        if (strcmp(state, "in_step"))
            print_factf(state, "%" PRId64 " with %s", reply_number(entry, "users"),
                        reply_word(entry, "code"));
    }
}

/* Licences that have no seat left for users who need one. */
static void
print_seats(struct json_object *seats)
{
    for (size_t i = 0; i < reply_count(seats); i++) {
        struct json_object *entry = reply_item(seats, i);
        const char *licence = reply_text(entry, "licence");

        if (licence)
            print_factf("licence",
                        "'%s': %" PRId64 " of %" PRId64 " seats in use, %" PRId64
                        " users wait for one; seen %s",
                        licence, reply_number(entry, "used"), reply_number(entry, "total"),
                        reply_number(entry, "waiting"), reply_word(entry, "seen"));
        else
            print_factf("licence",
                        "%" PRId64 " users wait for a seat; the org does not tell of which",
                        reply_number(entry, "waiting"));
    }
}

/* For what users wait, and how many of them for long. */
static void
print_waits(struct json_object *waits)
{
    for (size_t i = 0; i < reply_count(waits); i++) {
        struct json_object *entry = reply_item(waits, i);
        int64_t is_long = reply_number(entry, "long");

        if (is_long)
            print_factf("wait",
                        "%" PRId64 " for %s, %" PRId64 " of them longer than wait_limit_hours",
                        reply_number(entry, "users"), reply_word(entry, "kind"), is_long);
        else
            print_factf("wait", "%" PRId64 " for %s", reply_number(entry, "users"),
                        reply_word(entry, "kind"));
        print_fact("remedy", TONE_PLAIN, reply_text(entry, "remedy"));
    }
}

/* The org's API calls, and what it says of the version, as its last answer told them. */
static void
print_usage(struct json_object *usage)
{
    struct json_object *deprecation = reply_get(usage, "deprecation");

    if (usage)
        print_factf("API calls",
                    "%" PRId64 " of %" PRId64 " used in 24 hours, %" PRId64 " in reserve, %" PRId64
                    " left; seen %s",
                    reply_number(usage, "used"), reply_number(usage, "max"),
                    reply_number(usage, "reserve"), reply_number(usage, "left"),
                    reply_word(usage, "seen"));
    if (deprecation) {
        print_factf("API version", "%s: %s", reply_word(deprecation, "api_version"),
                    reply_word(deprecation, "message"));
        print_fact("remedy", TONE_PLAIN, reply_text(deprecation, "remedy"));
    }
}

static void
print_passwords(struct json_object *passwords)
{
    int64_t waiting = reply_number(passwords, "waiting");
    int64_t refused = reply_number(passwords, "refused");

    if (waiting || refused)
        print_factf("passwords", "%" PRId64 " waiting, %" PRId64 " refused", waiting, refused);
}

/* The process that delivers, by number and, if it runs here, by name. */
static void
print_delivering(struct json_object *status)
{
    struct json_object *holder = reply_get(status, "delivering");
    int64_t process = reply_number(holder, "process");
    char path[64], name[64] = "";
    FILE *file;

    if (!holder) {
        print_fact("delivery", TONE_PLAIN, "nobody delivers at the moment");
        return;
    }
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/comm", process);
    file = process ? fopen(path, "re") : NULL;
    if (file && fgets(name, sizeof(name), file))
        name[strcspn(name, "\n")] = '\0';
    if (file)
        fclose(file);
    if (*name)
        print_factf("delivery", "by %s, process %" PRId64, name, process);
    else if (process)
        print_factf("delivery", "by process %" PRId64, process);
    else
        print_fact("delivery", TONE_PLAIN, "by a process that cannot be seen from here");
}

static void
print_times(struct json_object *status)
{
    char age[32];

    if (reply_get(status, "oldest_pending_s"))
        print_fact("oldest pending", TONE_PLAIN,
                   age_words(reply_number(status, "oldest_pending_s"), age));
    if (reply_get(status, "last_delivered"))
        print_factf("last delivered", "%s, %s ago", reply_word(status, "last_delivered"),
                    age_words(reply_number(status, "last_delivered_s"), age));
}

static void
print_store(struct json_object *status)
{
    struct json_object *files = reply_get(status, "files");
    char store[32], wal[32], room[32];

    print_fact("store", TONE_PLAIN, reply_text(status, "store"));
    if (files)
        print_factf("  on disk", "%s and a log of %s; %s free",
                    size_words(reply_number(files, "store_bytes"), store),
                    size_words(reply_number(files, "wal_bytes"), wal),
                    reply_get(files, "free_bytes")
                        ? size_words(reply_number(files, "free_bytes"), room)
                        : "unknown room");
    print_fact("events kept", TONE_PLAIN, reply_text(status, "events"));
    print_fact("org", TONE_PLAIN, reply_text(status, "org_id"));
    if (reply_text(status, "version"))
        print_factf("sfprov", "%s, schema %" PRId64, reply_word(status, "version"),
                    reply_number(status, "schema"));
}

static void
print_status(struct json_object *status)
{
    struct json_object *hold = reply_get(status, "hold"), *guard = reply_get(status, "guard");
    struct json_object *warnings = reply_get(status, "warnings");
    struct json_object *unreadable = reply_get(status, "unreadable");
    struct json_object *resync = reply_get(status, "resync");
    const char *state = reply_word(status, "state");

    print_fact("state", state_tone(state), state);
    print_stop("held", hold);
    if (!hold)
        print_stop("trouble", reply_get(status, "trouble"));
    if (reply_get(status, "subjects"))
        print_users(reply_get(status, "subjects"));
    print_codes(reply_get(status, "codes"));
    if (resync) {
        print_factf("resync needed", "%s missed %" PRId64 " changes since %s",
                    reply_text(resync, "host") ? reply_word(resync, "host") : "the host",
                    reply_number(resync, "missed"),
                    reply_text(resync, "since") ? reply_word(resync, "since") : "an unknown time");
        print_fact("reason", TONE_WARN, reply_text(resync, "reason"));
        print_fact("remedy", TONE_PLAIN, reply_text(resync, "remedy"));
    }
    if (guard) {
        print_factf("guard", "%" PRId64 " deactivations are held", reply_number(guard, "held"));
        print_fact("remedy", TONE_PLAIN, reply_text(guard, "remedy"));
    }
    print_waits(reply_get(status, "waits"));
    print_seats(reply_get(status, "seats"));
    print_passwords(reply_get(status, "passwords"));
    print_times(status);
    print_delivering(status);
    print_usage(reply_get(status, "api_usage"));
    print_store(status);
    for (size_t i = 0; i < reply_count(unreadable); i++)
        print_factf("cannot be read", "%s: %s", reply_word(reply_item(unreadable, i), "member"),
                    reply_word(reply_item(unreadable, i), "reason"));
    for (size_t i = 0; i < reply_count(warnings); i++) {
        struct json_object *warning = reply_item(warnings, i);

        print_fact("warning", TONE_WARN,
                   json_object_is_type(warning, json_type_object)
                       ? reply_word(warning, "reason")
                       : json_object_get_string(warning));
    }
}

/* What a script or a monitor is to do about it. */
static int
code_of(struct json_object *status)
{
    if (reply_count(reply_get(status, "unreadable")))
        return CODE_FAILED;
    if (!strcmp(reply_word(status, "state"), "held") || reply_get(status, "trouble") ||
        reply_get(status, "guard") || reply_get(status, "resync"))
        return CODE_UNFINISHED;
    if (reply_number(reply_get(status, "subjects"), "parked") ||
        reply_number(reply_get(status, "subjects"), "waiting"))
        return CODE_PARKED;
    return CODE_DONE;
}

int
command_status(const struct options *options, const struct arguments *arguments)
{
    struct json_object *request, *status;
    struct host host;
    int code;

    (void)arguments;
    if (options->json && options->prometheus) {
        complain("--json and --prometheus: give one of them");
        return CODE_USAGE;
    }
    code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    if (code)
        return code;
    request = host_request("query", "status");
    if (options->prometheus)
        reply_put_text(request, "format", "prometheus");
    code = host_query(&host, request, &status);
    host_close(&host);
    if (code)
        return code;
    if (options->prometheus) {
        fputs(reply_word(status, "text"), stdout);
    } else if (options->json) {
        host_print_json(status);
        code = code_of(status);
    } else {
        print_status(status);
        code = code_of(status);
    }
    json_object_put(status);
    return code;
}
