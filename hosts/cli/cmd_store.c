/* `store`: the file in which everything is kept. Whether it is sound and how long it is is the plugin's
 * finding; here it is laid out, and the words are checked. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hosts/cli/cli.h"
#include "hosts/cli/fact.h"
#include "hosts/cli/host.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"

static void
print_bytes(const char *label, int64_t bytes)
{
    char words[32];

    print_fact(label, TONE_PLAIN, size_words(bytes, words));
}

static void
print_store(struct json_object *store)
{
    struct json_object *problems = reply_get(store, "problems");
    struct json_object *differences = reply_get(store, "differences");
    int64_t page = reply_number(store, "page_bytes");

    printf("%-16s%s\n", "store", reply_word(store, "store"));
    if (!json_object_get_boolean(reply_get(store, "exists"))) {
        printf("%-16s%s\n", "state", "not made yet: the first event makes it");
        return;
    }
    printf("%-16s%" PRId64 "\n", "schema", reply_number(store, "schema"));
    print_bytes("length", reply_number(store, "bytes"));
    print_bytes("free in it", page * reply_number(store, "free_pages"));
    print_bytes("log (-wal)", reply_number(store, "wal_bytes"));
    printf("%-16s%" PRId64 " users, %" PRId64 " with an outcome, %" PRId64 " events, %" PRId64
           " entries due\n",
           "holds", reply_number(store, "users"), reply_number(store, "links"),
           reply_number(store, "events"), reply_number(store, "due") + reply_number(store, "news"));
    if (reply_get(store, "outcomes"))
        printf("%-16s%" PRId64 " in flight, %" PRId64 " passwords that wait, %" PRId64
               " outcomes and %" PRId64 " notes in stories\n",
               "", reply_number(store, "in_flight"), reply_number(store, "passwords"),
               reply_number(store, "outcomes"), reply_number(store, "notes"));
    printf("%-16s", "state");
    screen_block(16, reply_count(problems) || reply_count(differences) ? TONE_BAD : TONE_GOOD,
                 reply_count(problems)      ? "damaged"
                 : reply_count(differences) ? "the tables do not agree"
                                            : "sound");
    for (size_t i = 0; i < reply_count(differences); i++) {
        printf("%-16s", "difference");
        screen_block(16, TONE_PLAIN, json_object_get_string(reply_item(differences, i)));
    }
    if (reply_count(differences)) {
        printf("%-16s", "remedy");
        screen_block(16, TONE_PLAIN,
                     "no event is lost; but this is a fault of sfprov, or somebody else wrote into "
                     "the file: report it");
    }
    for (size_t i = 0; i < reply_count(problems); i++) {
        printf("%-16s", "problem");
        screen_block(16, TONE_PLAIN, json_object_get_string(reply_item(problems, i)));
    }
    if (reply_count(problems)) {
        printf("%-16s", "remedy");
        screen_block(
            16, TONE_PLAIN,
            "look after the disk; stop the hosts, put the file and its -wal aside, restore a "
            "backup, then run 'sync' with a full list: what the org has meanwhile is found "
            "by the field 'match'");
    }
}

static int
check(struct host *host, const struct options *options)
{
    struct json_object *request = host_request("query", "store"), *store = NULL;
    bool sound;
    int code;

    reply_put(request, "full", json_object_new_boolean(options->full));
    code = host_query(host, request, &store);
    if (code)
        return code;
    sound = json_object_get_boolean(reply_get(store, "sound"));
    if (options->json)
        host_print_json(store);
    else
        print_store(store);
    json_object_put(store);
    return sound ? CODE_DONE : CODE_FAILED;
}

static int
length_of(struct host *host, int64_t *ret)
{
    struct json_object *store = NULL;
    int code = host_query(host, host_request("query", "store"), &store);

    if (!code)
        *ret = reply_number(store, "bytes") + reply_number(store, "wal_bytes");
    json_object_put(store);
    return code;
}

static int
vacuum(struct host *host, const struct options *options)
{
    struct json_object *done = NULL;
    int64_t before = 0, after = 0;
    int code = length_of(host, &before);

    if (!code)
        code = host_act(host, host_request("act", "vacuum"), &done);
    json_object_put(done);
    if (!code)
        code = length_of(host, &after);
    if (code)
        return code;
    if (options->json) {
        struct json_object *answer = json_object_new_object();
        reply_put(answer, "bytes_before", json_object_new_int64(before));
        reply_put(answer, "bytes", json_object_new_int64(after));
        host_print_json(answer);
        json_object_put(answer);
        return CODE_DONE;
    }
    print_bytes("was", before);
    print_bytes("is", after);
    return CODE_DONE;
}

int
command_store(const struct options *options, const struct arguments *arguments)
{
    bool checks = !strcmp(arguments->texts[0], "check");
    struct host host;
    int code;

    if (!checks && strcmp(arguments->texts[0], "vacuum")) {
        complain("store '%s': give 'check' or 'vacuum'", arguments->texts[0]);
        return CODE_USAGE;
    }
    code = host_open(options, PROV_OPEN_NEVER_DELIVER, &host);
    if (code)
        return code;
    code = checks ? check(&host, options) : vacuum(&host, options);
    host_close(&host);
    return code;
}
