/*
 * `follow`: a directory that has no plugin of ours tells what becomes of its people (RFC 4533), and goes on
 * telling. Decides when that is a whole list and when news, what was missed, and when to try again. How far it
 * was heard is kept (follow_state.c) after what it stands for was accepted: a program that is killed hears some
 * of it twice, which changes nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosts/adapter/token.h"
#include "hosts/cli/adapter_file.h"
#include "hosts/cli/answers.h"
#include "hosts/cli/cli.h"
#include "hosts/cli/drive.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/follow_age.h"
#include "hosts/cli/follow_groups.h"
#include "hosts/cli/follow_mark.h"
#include "hosts/cli/follow_pace.h"
#include "hosts/cli/follow_reports.h"
#include "hosts/cli/follow_state.h"
#include "hosts/cli/host.h"
#include "hosts/cli/input.h"
#include "hosts/cli/letters.h"
#include "hosts/cli/person.h"
#include "hosts/cli/reply.h"
#include "hosts/cli/screen.h"
#include "hosts/ldap/content.h"
#include "hosts/ldap/member.h"

#define COLUMNS_BYTES (1024u * 1024u)
#define POLL_S        1
#define STEP_MS       200u
#define LAG_S         600
#define ATTRIBUTES    1000
#define KEY           FOLLOW_KEY
#define PREFIX        "/Users/"
#define URI_SIZE      (sizeof(PREFIX) + CONTENT_UUID_SIZE)
#define CHANGE        FOLLOW_CHANGE

struct follow {
    struct adapter_file adapter; /* of --adapter */
    const struct options *options;
    const char *url;
    struct host host;
    struct columns *columns;
    char *columns_text;
    struct follow_state state;
    struct content *content;
    struct follow_groups
        *groups;         /* of --groups; NULL: what the directory says of an entry's counts */
    prov_snapshot *list; /* while a whole list is being heard */
    struct follow_reports reports; /* of those who have come */
    bool asking;                   /* for those, so they have not come themselves */
    bool whole;                    /* everybody has to be heard, and a list of them be applied */
    bool heard;                    /* all that was there */
    bool followed;                 /* what becomes of it counts */
    bool in_doubt;                 /* whether the directory is older than what was heard of it */
    bool older, restored;          /* it is; and says that it is no replica which lags behind */
    bool late;                     /* it was told that it is not followed */
    bool at_once;                  /* it is left for a list, and nothing has failed */
    struct follow_pace pace;
    struct news {
        struct token token;
        char *dn; /* NULL: of who is gone, or cannot be read */
        bool refused;
    } news[ANSWERS_BATCH];
    size_t count;
    int code; /* why it cannot go on; CODE_DONE: it can */
};

/* ---- news ---- */

static int
answered(struct follow *follow, const struct prov_answer *answers, struct prov_error *err)
{
    for (size_t i = 0; i < follow->count; i++) {
        struct news *news = &follow->news[i];

        news->refused = answers[i].status == PROV_ANSWER_REFUSED;
        if (news->refused)
            follow_mark_missed(&follow->host, "'%s' is refused: %s",
                               news->dn ? news->dn : news->token.uri, answers[i].error.text);
        else if (answers[i].status != PROV_ANSWER_ACCEPTED) {
            *err = answers[i].error;
            return err->code ? err->code : PROV_E_STORE;
        }
    }
    return PROV_OK;
}

static void
forget_news(struct follow *follow)
{
    for (size_t i = 0; i < follow->count; i++) {
        token_clear(&follow->news[i].token);
        free(follow->news[i].dn);
        follow->news[i].dn = NULL;
    }
    follow->count = 0;
}

static int
submit(struct follow *follow, struct prov_error *err)
{
    struct prov_event events[ANSWERS_BATCH];
    struct prov_answer answers[ANSWERS_BATCH];
    int result = PROV_OK;

    for (size_t i = 0; i < follow->count; i++) {
        events[i] = (struct prov_event){ .size = sizeof(events[i]),
                                         .json = follow->news[i].token.json,
                                         .length = follow->news[i].token.length };
        answers[i] = (struct prov_answer){ .size = sizeof(answers[i]) };
    }
    if (follow->count)
        result =
            follow->host.api.submit(follow->host.connector, events, follow->count, answers, err);
    return result ? result : answered(follow, answers, err);
}

static int add_lock(struct follow *follow, const char *uri, struct prov_error *err);

/* Whether nothing was heard of them after that. */
static bool
is_newest(const struct follow *follow, size_t at)
{
    for (size_t i = at + 1; i < follow->count; i++) {
        if (!strcmp(follow->news[i].token.uri, follow->news[at].token.uri))
            return false;
    }
    return true;
}

/* Hands over what was heard. On failure all of it is heard again. A lock is handed over also of those who are refused,
 * unless something newer is said of them. */
static int
hand_over(struct follow *follow, struct prov_error *err)
{
    char *locked[ANSWERS_BATCH];
    size_t count = 0;
    int result = submit(follow, err);

    for (size_t i = 0; i < follow->count; i++) {
        struct news *news = &follow->news[i];

        if (!news->refused || !news->token.inactive || !is_newest(follow, i))
            continue;
        locked[count++] = news->token.uri;
        news->token.uri = NULL;
    }
    forget_news(follow);
    for (size_t i = 0; i < count; i++) {
        if (!result)
            result = add_lock(follow, locked[i], err);
        free(locked[i]);
    }
    if (!result && follow->count)
        result = submit(follow, err);
    forget_news(follow);
    return result;
}

/* dn: of who it is about; NULL: they are gone. */
static int
add_news(struct follow *follow, const struct token_spec *spec, const char *dn,
         struct prov_error *err)
{
    int result = follow->count == ANSWERS_BATCH ? hand_over(follow, err) : PROV_OK;
    struct news *news = &follow->news[follow->count];

    if (!result)
        result = token_make(spec, &news->token, err);
    if (result)
        return result;
    news->dn = dn ? strdup(dn) : NULL;
    news->refused = false;
    follow->count++;
    return PROV_OK;
}

static int
is_known(struct follow *follow, const char *uri, bool *ret, struct prov_error *err)
{
    struct json_object *request = host_request("query", "subject"), *known = NULL;
    int result;

    reply_put_text(request, "user", uri);
    result = host_ask(&follow->host, request, &known, err);
    json_object_put(known);
    *ret = !result;
    return result == PROV_E_NOTFOUND ? PROV_OK : result;
}

/* Of somebody who cannot be read: that they are inactive. Nobody is made known by that. */
static int
add_lock(struct follow *follow, const char *uri, struct prov_error *err)
{
    bool known = false;
    int result = is_known(follow, uri, &known, err);

    if (result || !known)
        return result;
    complain("'%s' is inactive, and stays as it is otherwise", uri);
    return add_news(follow,
                    &(struct token_spec){ .kind = TOKEN_LOCK, .host = "follow", .uri = uri }, NULL,
                    err);
}

/* The key of a manager is asked of the directory. Of one who is not there yet the reports are heard anew later. */
static int
manager_key(void *context, const char *dn, char **ret, struct prov_error *err)
{
    struct follow *follow = context;

    return content_uuid_of(follow->content, dn, ret, err);
}

/* Somebody is there now whom reports may have named before. They cannot be asked for amid what is being heard. */
static int
tell_reports(struct follow *follow, struct prov_error *err)
{
    int result;

    follow->asking = true;
    result = follow_reports_tell(&follow->reports, follow->columns, follow->content, err);
    follow->asking = false;
    if (result != PROV_E_LIMIT)
        return result;
    follow_mark_missed(&follow->host,
                       "who reports to somebody who has come cannot be looked up: %s", err->text);
    return PROV_OK;
}

/* ---- a whole list ---- */

/* As `sync` adds one. Managers of a list are named by DN. resource: NULL of who cannot be read. */
static int
add_to_list(struct follow *follow, const struct ldap_entry *entry, const char *uri,
            const char *resource, struct prov_error *err)
{
    char *alias = entry_plain_dn(entry->dn), *text = NULL;
    const struct person_listed listed = { .uri = uri,
                                          .resource = resource,
                                          .inactive = !resource &&
                                                      entry_is_inactive(follow->columns, entry),
                                          .place = entry->dn,
                                          .alias = alias };
    size_t length;
    int result = alias ? person_list(&listed, &text, &length, err) : fault_nomem(err);

    if (!result)
        result = follow->host.api.snapshot_add(follow->list, text, length, err);
    free(text);
    free(alias);
    return result;
}

/* What the plugin said of a list: whether it was applied. If it was not, the directory is followed all the same, since
 * whoever leaves now must not wait for somebody to look at the list. */
static void
judge_list(struct follow *follow, struct json_object *report)
{
    struct json_object *counts = reply_get(report, "counts");

    bool applied = reply_flag(report, "applied");
    int pause_s = follow_pace_list(&follow->pace, applied);

    follow->whole = false;
    follow->state.list_waits = !applied;
    if (!applied) {
        follow_mark_missed(&follow->host, "the list was not applied: %s",
                           reply_word(report, "reason"));
        complain("'sfprov sync --dry-run %s' shows whom it would change, 'sfprov sync --force' "
                 "applies it; what changes meanwhile is followed, and the list is heard again in "
                 "%d s",
                 follow->url, pause_s);
        return;
    }
    complain("%" PRId64 " people listed: %" PRId64 " hired, %" PRId64 " changed, %" PRId64
             " returned, %" PRId64 " lost, %" PRId64 " unreadable",
             reply_number(counts, "listed"), reply_number(counts, "hired"),
             reply_number(counts, "changed"), reply_number(counts, "returned"),
             reply_number(counts, "lost"), reply_number(counts, "unreadable"));
}

/* A signal is heeded while nothing was changed yet. */
static int
apply_list(struct follow *follow, struct prov_error *err)
{
    struct json_object *report = NULL;
    int result = PROV_OK;

    do {
        char *text = NULL;

        if (interrupt_seen() && strcmp(reply_word(report, "state"), "folding")) {
            result = err->code = PROV_E_STATE;
            break;
        }
        json_object_put(report);
        report = NULL;
        result = follow->host.api.snapshot_apply(follow->list, STEP_MS, &text, err);
        if (!result && host_answer(&follow->host, text, &report))
            result = err->code = PROV_E_ABI;
    } while (!result && strcmp(reply_word(report, "state"), "done"));
    if (!result)
        judge_list(follow, report);
    json_object_put(report);
    return result;
}

static void
end_list(struct follow *follow)
{
    if (follow->list)
        follow->host.api.snapshot_end(follow->list, 0, NULL, NULL);
    follow->list = NULL;
}

/* ---- what is heard ---- */

static void
uri_of(const char *uuid, char to[URI_SIZE])
{
    snprintf(to, URI_SIZE, PREFIX "%s", uuid);
}

/* A person who cannot be read is told, stays as they are but for a lock, and the rest goes on. */
static int
unreadable(struct follow *follow, const struct ldap_entry *entry, const char *uuid, int result,
           struct prov_error *err)
{
    char uri[URI_SIZE];

    if (result != PROV_E_INVALID && result != PROV_E_LIMIT)
        return result;
    follow_mark_missed(&follow->host, "'%s' cannot be read, and stays as it is: %s", entry->dn,
                       err->text);
    uri_of(uuid, uri);
    if (follow->list)
        return add_to_list(follow, entry, uri, NULL, err);
    if (!entry_is_inactive(follow->columns, entry))
        return PROV_OK;
    result = hand_over(follow, err); /* which may have them in it */
    return result ? result : add_lock(follow, uri, err);
}

static int
tell_gone(struct follow *follow, const char *uuid, struct prov_error *err)
{
    char uri[URI_SIZE];

    uri_of(uuid, uri);
    return add_news(follow,
                    &(struct token_spec){ .kind = TOKEN_DELETE, .host = "follow", .uri = uri },
                    NULL, err);
}

/* Somebody outside the bases: they leave, if they were ever in. */
static int
hear_outsider(struct follow *follow, const char *uuid, struct prov_error *err)
{
    char uri[URI_SIZE];
    bool known = false;
    int result = hand_over(follow, err); /* which may have them in it */

    uri_of(uuid, uri);
    if (!result)
        result = is_known(follow, uri, &known, err);
    return result || !known ? result : tell_gone(follow, uuid, err);
}

static int
hear_entry(void *context, const struct ldap_entry *entry, const char *uuid, bool fresh,
           struct prov_error *err)
{
    struct follow *follow = context;
    const struct entry_options how = { .columns = follow->columns,
                                       .key = KEY,
                                       .manager = follow->list ? NULL : manager_key,
                                       .manager_is_key = !follow->list,
                                       .context = follow };
    struct ldap_entry whole = *entry;
    struct entry_person person;
    const char *change = entry_text(entry, CHANGE);
    bool meant = false, moved;
    int result;

    /* what a replica is behind in it tells nevertheless, where it is ahead in what another server changed */
    if (change && !follow->asking && content_is_old(follow->content, change))
        return PROV_OK;
    follow_state_heard(&follow->state, uuid, change ? change : "");
    if (!follow->adapter.any_class && !entry_is_person(entry, NULL))
        return PROV_OK;
    result = adapter_file_means(&follow->adapter, entry->dn, &meant, err);
    if (!result && !meant)
        return follow->list ? PROV_OK : hear_outsider(follow, uuid, err);
    if (!result)
        result = follow->groups ? follow_groups_write(follow->groups, &whole, err) : PROV_OK;
    if (!result)
        result = entry_read(&how, &whole, &person, err);
    if (result)
        return unreadable(follow, &whole, uuid, result, err);
    moved = !follow->asking && follow_reports_moved(&follow->reports, uuid, entry->dn);
    if (!person.name)
        complain("'%s' has no userName", entry->dn);
    if (!letters_same(person.id, uuid)) {
        complain("'%s': its " KEY
                 " is not the id that the directory follows it by; use a plugin of "
                 "this server, or 'sfprov sync'",
                 entry->dn);
        follow->code = CODE_USAGE;
        result = err->code = PROV_E_UNSUPPORTED;
    } else if (follow->list) {
        result = add_to_list(follow, &whole, person.uri, person.resource.json, err);
        if (result)
            result = unreadable(follow, &whole, uuid, result, err);
    } else {
        result = add_news(follow,
                          &(struct token_spec){ .kind = TOKEN_PUT,
                                                .host = "follow",
                                                .uri = person.uri,
                                                .change = change,
                                                .resource = person.resource.json,
                                                .inactive = person.resource.inactive },
                          entry->dn, err);
        if (!result && (fresh || moved))
            result = follow_reports_note(&follow->reports, entry->dn, err);
    }
    entry_person_clear(&person);
    return result;
}

static int
hear_gone(void *context, const char *uuid, struct prov_error *err)
{
    struct follow *follow = context;

    follow_state_heard(&follow->state, uuid, NULL);
    return tell_gone(follow, uuid, err);
}

static int
hear_all_was_told(void *context, struct prov_error *err)
{
    struct follow *follow = context;
    int result = follow->list ? apply_list(follow, err) : PROV_OK;

    follow->in_doubt = !follow->list;
    follow->heard = true;
    end_list(follow);
    return result;
}

/* ---- a directory from a backup ---- */

/* A directory that was restored and has changed since takes the cookie, and says nothing of what it does not know any
 * more. But the newest changes are not there then, and it has not said either what became of those people. A replica that
 * lags behind looks the same, but it does not say that it is as new as what was heard; nor is it known of what it lacks, if
 * that was heard after the cookie. Who goes while they are looked for is told of soon, and no more looked for then. */
static int
check_age(struct follow *follow, struct prov_error *err)
{
    struct follow_lack lack = { .any = false };
    int result = follow_age_look(&follow->state, follow->content, &lack, err);

    if (!result && lack.any)
        result = content_poll(follow->content, POLL_S, err);
    if (!result && lack.any)
        result = follow_age_look(&follow->state, follow->content, &lack, err);
    if (result == PROV_E_LIMIT) {
        complain("whether the directory comes from a backup cannot be looked up: %s", err->text);
        return PROV_OK;
    }
    if (result || !lack.any)
        return result;
    follow->older = true;
    follow->restored = lack.kept && content_age(follow->content) == CONTENT_NOT_OLDER;
    return fault_set(err, PROV_E_NOTFOUND, "what was heard of the directory last is not there");
}

/* ---- going on ---- */

/* A directory that was never heard in full, or is not followed for long, is told by `sfprov status`. */
static void
look_whether_late(struct follow *follow, const char *why)
{
    follow->late = follow_pace_is_late(&follow->pace) || !follow->state.cookie;
    if (follow->late)
        follow_mark_late(&follow->host, follow->url, follow->state.cookie, why);
}

/* Begins to listen: from where it was heard, or with a whole list. */
static int
listen_to(struct follow *follow, struct prov_error *err)
{
    static const struct content_listener listener = { .entry = hear_entry,
                                                      .gone = hear_gone,
                                                      .refreshed = hear_all_was_told };
    const char *attributes[ATTRIBUTES + 3] = { KEY, CHANGE };
    const struct options *options = follow->options;
    const struct connection_options how = { .url = follow->url,
                                            .attributes = attributes,
                                            .bind_dn = options->bind_dn,
                                            .password_file = options->password_file };
    struct content_listener mine = listener;
    int result = PROV_OK;

    mine.context = follow;
    /* where a list waits, what changed meanwhile is no part of it that may wait too */
    follow->whole |= !follow->state.cookie || (options->groups.count && !follow->state.list_waits);
    follow->heard = follow->followed = follow->in_doubt = follow->older = follow->restored =
        follow->at_once = false;
    follow_state_begin(&follow->state, follow->whole);
    for (size_t i = 0; i < ATTRIBUTES && columns_attribute(follow->columns, i); i++)
        attributes[i + 2] = columns_attribute(follow->columns, i);
    look_whether_late(follow, NULL);
    if (options->groups.count) /* which of them changed meanwhile nobody knows */
        result = follow_groups_open(&options->groups, &how, &follow->groups, err);
    if (!result && follow->whole)
        result = follow->host.api.snapshot_begin(follow->host.connector, NULL,
                                                 PROV_SNAPSHOT_TOLERANT, &follow->list, err);
    return result ? result
                  : content_open(&how, follow->state.cookie, follow->whole, &mine, &follow->content,
                                 err);
}

/* Hands over what was heard, also before a connection that is over is left. */
static int
hand_over_after(struct follow *follow, int result, struct prov_error *err)
{
    struct prov_error why = { .size = sizeof(why) };
    int handed;

    if (result && result != PROV_E_STATE)
        return result;
    handed = hand_over(follow, &why);
    if (handed && !result)
        *err = why;
    return result ? result : handed;
}

/* Whether everybody has to be listed anew, though nothing fails: PROV_E_NOTFOUND then. */
static int
look_whether_to_list(struct follow *follow, struct prov_error *err)
{
    bool groups_changed = false;
    int result =
        follow->groups ? follow_groups_poll(follow->groups, &groups_changed, err) : PROV_OK;

    if (result || follow->list)
        return result;
    follow->at_once = groups_changed || follow_pace_list_is_due(&follow->pace);
    if (!follow->at_once)
        return PROV_OK;
    return fault_set(err, PROV_E_NOTFOUND, "%s",
                     groups_changed ? "groups have changed" : "a list was not applied");
}

static int
listen_once(struct follow *follow, struct prov_error *err)
{
    int result = content_poll(follow->content, POLL_S, err);

    if (!result && follow->in_doubt) {
        result = check_age(follow, err);
        follow->in_doubt = false;
    }
    /* a list has them itself; and what an older directory says of them would be old as well */
    if (!result && follow->heard)
        result = tell_reports(follow, err);
    result = hand_over_after(follow, result, err);
    if (!result)
        result = look_whether_to_list(follow, err);
    if (!result && !follow->heard && !follow->late)
        look_whether_late(follow, NULL);
    if (result || !follow->heard)
        return result;
    if (!follow->followed) {
        complain("'%s' is followed", follow->url);
        if (!follow->state.list_waits)
            follow_mark_caught_up(&follow->host);
    }
    follow->followed = true;
    follow_state_keep(&follow->state, content_cookie(follow->content));
    follow_pace_well(&follow->pace);
    return PROV_OK;
}

/* Hears what comes until the connection or the store fails, or it is told to end. */
static int
listen_on(struct follow *follow, struct prov_error *err)
{
    int result = listen_to(follow, err);

    while (!result && !interrupt_seen())
        result = listen_once(follow, err);
    if (follow->content)
        follow->older |= content_age(follow->content) == CONTENT_OLDER;
    forget_news(follow);
    follow_reports_clear(&follow->reports);
    end_list(follow);
    content_close(follow->content);
    follow->content = NULL;
    follow_groups_close(follow->groups);
    follow->groups = NULL;
    return result;
}

static void
wait_s(int seconds)
{
    for (int i = 0; i < seconds * 10 && !interrupt_seen(); i++)
        usleep(100000);
}

/* The directory is older than what was heard of it. Nothing of it counts until it has caught up, as a replica does:
 * whoever it does not have yet would be taken for gone, and who left for one who has returned. */
static void
wait_for_age(struct follow *follow, const struct prov_error *why)
{
    int pause_s;

    if (follow->restored || follow_pace_is_restored(&follow->pace)) {
        follow_mark_missed(&follow->host,
                           "the directory was restored: what was heard of it last is not there");
        complain("all of it is heard anew");
        follow_state_forget(&follow->state);
        follow->whole = true;
        return;
    }
    pause_s = follow_pace_older(&follow->pace);
    complain("%s: it is a replica that lags behind, or was restored from a backup; it is looked at "
             "again in %d s, and counts as restored if that lasts for %ld s",
             why->text, pause_s, follow->pace.lag_s);
    wait_s(pause_s);
}

/* The directory does not tell any more what has become of everybody. */
static void
wait_for_list(struct follow *follow, const struct prov_error *why)
{
    int pause_s = follow->at_once ? 0 : follow_pace_anew(&follow->pace);

    complain(pause_s ? "%s: all of it is heard anew in %d s" : "%s: all of it is heard anew",
             why->text, pause_s);
    follow->whole = true;
    wait_s(pause_s);
}

static int
follow_on(struct follow *follow)
{
    while (!interrupt_seen() && !follow->code) {
        struct prov_error err = { .size = sizeof(err) };
        int result = listen_on(follow, &err), pause_s;

        if (!result || follow->code || interrupt_seen())
            continue;
        if (!follow->at_once)
            look_whether_late(follow, err.text);
        if (result == PROV_E_NOTFOUND && follow->older) {
            wait_for_age(follow, &err);
        } else if (result == PROV_E_NOTFOUND) {
            wait_for_list(follow, &err);
        } else {
            /* a list that waits is due again, and what changes meanwhile would be held with it */
            follow->whole &= !follow->state.list_waits;
            pause_s = follow_pace_failed(&follow->pace);
            complain("%s; tried again in %d s", err.text, pause_s);
            wait_s(pause_s);
        }
    }
    return follow->code;
}

static int
open_columns(struct follow *follow)
{
    const struct options *options = follow->options;
    struct columns_options how = { .maps = options->maps.texts, .map_count = options->maps.count };
    struct prov_error err = { .size = sizeof(err) };
    size_t length;

    if (options->columns &&
        input_read(options->columns, COLUMNS_BYTES, &follow->columns_text, &length, &err)) {
        complain("%s", err.text);
        return CODE_USAGE;
    }
    how.file = follow->columns_text;
    if (columns_make(&how, true, &follow->columns, &err)) {
        complain("%s", err.text);
        return CODE_USAGE;
    }
    return CODE_DONE;
}

static int
deliver_too(struct follow *follow)
{
    struct json_object *answer = NULL;
    int code = CODE_DONE;

    if (!follow->options->no_deliver)
        code = host_act(&follow->host, host_request("act", "start"), &answer);
    json_object_put(answer);
    return code;
}

static int
check_use(const struct options *options, const char *url)
{
    const char *const none[] = { NULL }, *file = options->password_file;
    const struct connection_options how = {
        .url = url, .attributes = none, .bind_dn = options->bind_dn, .password_file = file
    };
    struct prov_error err = { .size = sizeof(err) };

    if (options->key && !letters_same(options->key, KEY))
        complain("'%s': the key is '%s'; a directory is followed by " KEY, options->adapter,
                 options->key);
    else if (!connection_is_url(url))
        complain("'%s' is no directory; write ldap://host/ou=people,dc=example,dc=org", url);
    else if (file && !strcmp(file, "-"))
        complain("--password-file: standard input can be read once only, and each connection needs "
                 "the password; name a file");
    else if (connection_check(&how, &err))
        complain("%s", err.text);
    else
        return CODE_DONE;
    return CODE_USAGE;
}

int
command_follow(const struct options *options, const struct arguments *arguments)
{
    struct follow *follow = calloc(1, sizeof(*follow));
    int code;

    if (!follow) {
        complain("out of memory");
        return CODE_FAILED;
    }
    code = adapter_file_read(options, arguments->texts[0], &follow->adapter);
    options = follow->options = &follow->adapter.options;
    follow->url = follow->adapter.url;
    follow->pace.lag_s = options->lag_s ? options->lag_s : LAG_S;
    if (!code)
        code = check_use(options, follow->url);
    if (!code)
        code = open_columns(follow);
    host_log_for_daemon();
    if (!code)
        code = host_open(options, options->no_deliver ? PROV_OPEN_NEVER_DELIVER : 0, &follow->host);
    if (!code) {
        interrupt_watch();
        code = follow_state_open(&follow->host, follow->adapter.about, options,
                                 follow->columns_text, &follow->state);
        if (follow->state.list_waits)
            follow_pace_list(&follow->pace, false);
        if (!code)
            follow_mark_prepare(&follow->host);
        if (!code)
            code = deliver_too(follow);
        if (!code)
            code = follow_on(follow);
        follow_state_close(&follow->state);
        host_close(&follow->host);
    }
    columns_free(follow->columns);
    free(follow->columns_text);
    adapter_file_close(&follow->adapter);
    free(follow);
    return code;
}
