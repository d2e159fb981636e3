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
#include "hosts/adapter/unreadable.h"
#include "hosts/cli/adapter_file.h"
#include "hosts/cli/answers.h"
#include "hosts/cli/cli.h"
#include "hosts/cli/drive.h"
#include "hosts/cli/fault.h"
#include "hosts/cli/follow_age.h"
#include "hosts/cli/follow_groups.h"
#include "hosts/cli/follow_list.h"
#include "hosts/cli/follow_mark.h"
#include "hosts/cli/follow_news.h"
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
#define LAG_S         600
#define RELIST        "24h"
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
        *groups; /* of --groups; NULL: what the directory says of an entry's counts */
    struct follow_list list;
    bool listing;   /* the entry at hand is of it */
    bool list_owed; /* of whom groups have taken in and out meanwhile nobody tells else */
    struct follow_reports reports; /* of those who have come */
    bool asking;                   /* for those, so they have not come themselves */
    bool whole;                    /* everybody has to be heard, and a list of them be applied */
    bool heard;                    /* all that was there */
    bool followed;                 /* what becomes of it counts */
    bool in_doubt;                 /* whether the directory is older than what was heard of it */
    bool older;                    /* it is */
    bool late;                     /* it was told that it is not followed */
    struct follow_pace pace;
    int64_t relist_s; /* 0: never */
    struct follow_news news;
    int code; /* why it cannot go on; CODE_DONE: it can */
};

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

/* As `sync` adds one: others name them as their manager by the DN. */
static int
add_listed(void *context, const struct person_listed *listed, struct prov_error *err)
{
    struct follow *follow = context;
    struct person_listed named = *listed;
    char *alias = entry_plain_dn(listed->place);
    int result;

    named.alias = alias;
    result = alias ? follow_list_add(&follow->list, &follow->host, &named, err) : fault_nomem(err);
    free(alias);
    return result;
}

static void
end_list(struct follow *follow)
{
    follow_list_end(&follow->list, &follow->host);
}

/* What the plugin said of a list: whether it was applied. If it was not, the directory is followed all the same, since
 * whoever leaves now must not wait for somebody to look at the list. */
static void
judge_list(struct follow *follow)
{
    struct json_object *report = follow->list.report, *counts = reply_get(report, "counts");
    bool applied = reply_flag(report, "applied");
    int pause_s = follow_pace_list(&follow->pace, applied);

    follow->whole = follow->list_owed = false;
    follow_state_list_ends(&follow->state, applied);
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

/* Of what the directory tells at first; nothing else is to be heard meanwhile. A signal is heeded while nothing was
 * changed yet. */
static int
apply_list(struct follow *follow, struct prov_error *err)
{
    bool done = false;
    int result = PROV_OK;

    while (!result && !done) {
        if (interrupt_seen() && strcmp(reply_word(follow->list.report, "state"), "folding") != 0)
            return err->code = PROV_E_STATE;
        result = follow_list_apply(&follow->list, &follow->host, &done, err);
    }
    if (!result)
        judge_list(follow);
    return result;
}

/* ---- what is heard ---- */

static void
uri_of(const char *uuid, char to[URI_SIZE])
{
    snprintf(to, URI_SIZE, PREFIX "%s", uuid);
}

/* How an entry is read: managers of a list are named by DN. */
static struct entry_options
how_to_read(struct follow *follow)
{
    return (struct entry_options){ .columns = follow->columns,
                                   .key = KEY,
                                   .manager = follow->listing ? NULL : manager_key,
                                   .manager_is_key = !follow->listing,
                                   .context = follow };
}

/* What they are now, as news. */
static int
tell_person(struct follow *follow, const struct entry_person *person, const char *dn,
            const char *change, struct prov_error *err)
{
    return follow_news_add(&follow->news,
                           &(struct token_spec){ .kind = TOKEN_PUT,
                                                 .host = "follow",
                                                 .uri = person->uri,
                                                 .change = change,
                                                 .resource = person->resource.json,
                                                 .inactive = person->resource.inactive },
                           dn, err);
}

/* Of what has changed: what can be read of them, with what is known of the rest. */
static int
tell_part(struct follow *follow, const struct unreadable_source *source,
          const struct ldap_entry *entry, const char *uri, struct prov_error *err)
{
    const struct entry_options how = how_to_read(follow);
    struct entry_person person;
    bool known = false;
    int result = follow_news_hand_over(&follow->news, err); /* which may have them in it */

    if (!result)
        result = unreadable_complete(source, &how, entry, &person, &known, err);
    if (!result && !known && entry_is_inactive(follow->columns, entry))
        result = follow_news_lock(&follow->news, uri, err);
    if (result || !known)
        return result;
    result = tell_person(follow, &person, entry->dn, entry_text(entry, CHANGE), err);
    entry_person_clear(&person);
    return result;
}

/* A person who cannot be read is told, what can be read of them counts, and the rest goes on. */
static int
unreadable(struct follow *follow, const struct ldap_entry *entry, const char *uuid, int result,
           struct prov_error *err)
{
    struct host_users users = { &follow->host, NULL };
    const struct unreadable_source source = { host_in_scope, &users };
    const struct entry_options how = how_to_read(follow);
    char uri[URI_SIZE];
    const struct person_listed listed = { .uri = uri, .place = entry->dn };

    if (!unreadable_is(result))
        return result;
    follow_mark_missed(&follow->host,
                       "'%s' cannot be read: %s; the rest of them counts, and that stays as it was",
                       entry->dn, err->text);
    uri_of(uuid, uri);
    return follow->listing ? unreadable_list(&source, &how, entry, &listed, add_listed, follow, err)
                           : tell_part(follow, &source, entry, uri, err);
}

static int
tell_gone(struct follow *follow, const char *uuid, struct prov_error *err)
{
    char uri[URI_SIZE];

    uri_of(uuid, uri);
    return follow_news_add(
        &follow->news, &(struct token_spec){ .kind = TOKEN_DELETE, .host = "follow", .uri = uri },
        NULL, err);
}

/* Somebody outside the bases: they leave, if they were ever in. */
static int
hear_outsider(struct follow *follow, const char *uuid, struct prov_error *err)
{
    char uri[URI_SIZE];
    bool known = false;
    int result = follow_news_hand_over(&follow->news, err); /* which may have them in it */

    uri_of(uuid, uri);
    if (!result)
        result = follow_news_is_known(&follow->news, uri, &known, err);
    return result || !known ? result : tell_gone(follow, uuid, err);
}

/* One of the list, or, with all that it tells of them then, of what has changed. */
static int
take_entry(struct follow *follow, const struct ldap_entry *entry, const char *uuid, bool fresh,
           struct prov_error *err)
{
    const struct entry_options how = how_to_read(follow);
    struct ldap_entry whole = *entry;
    struct entry_person person;
    const char *change = entry_text(entry, CHANGE);
    bool meant = false, moved;
    int result;

    if (!follow->adapter.any_class && !entry_is_person(entry, NULL))
        return PROV_OK;
    result = adapter_file_means(&follow->adapter, entry->dn, &meant, err);
    if (!result && !meant)
        return follow->listing ? PROV_OK : hear_outsider(follow, uuid, err);
    if (!result)
        result = follow->groups ? follow_groups_write(follow->groups, &whole, err) : PROV_OK;
    if (!result)
        result = unreadable_entry_read(&how, &whole, &person, err);
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
    } else if (follow->listing) {
        result = add_listed(follow,
                            &(struct person_listed){ .uri = person.uri,
                                                     .resource = person.resource.json,
                                                     .place = entry->dn },
                            err);
        if (result)
            result = unreadable(follow, &whole, uuid, result, err);
    } else {
        result = tell_person(follow, &person, entry->dn, change, err);
        if (!result && (fresh || moved))
            result = follow_reports_note(&follow->reports, entry->dn, err);
    }
    entry_person_clear(&person);
    return result;
}

static int
hear_entry(void *context, const struct ldap_entry *entry, const char *uuid, bool fresh,
           struct prov_error *err)
{
    struct follow *follow = context;
    const char *change = entry_text(entry, CHANGE);

    /* what a replica is behind in it tells nevertheless, where it is ahead in what another server changed */
    if (change && !follow->asking && content_is_old(follow->content, change))
        return PROV_OK;
    follow_state_heard(&follow->state, uuid, change ? change : "");
    follow->listing = follow->list.snapshot && !follow->list.beside;
    return take_entry(follow, entry, uuid, fresh, err);
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
    int result = follow->list.snapshot ? apply_list(follow, err) : PROV_OK;

    follow->in_doubt = !follow->list.snapshot;
    follow->heard = true;
    end_list(follow);
    return result;
}

/* ---- a directory from a backup ---- */

/* It has all that was heard, by its own word, and yet not those who were heard last: only a list tells who else is not
 * there. Until it was applied it is owed, whoever is started meanwhile. */
static int
miss_what_was_heard(struct follow *follow)
{
    follow_mark_missed(&follow->host,
                       "what was heard of the directory last is not there: it was restored, or a "
                       "part of it was moved away");
    complain("everybody is listed anew");
    follow_state_list_ends(&follow->state, false);
    follow->list_owed = true;
    return PROV_OK;
}

/* A directory that was restored and has changed since takes the cookie, and says nothing of what it does not know any
 * more. But the newest changes are not there then, and it has not said either what became of those people; so it is with
 * those who were moved away with a part of the tree. A replica that lags behind looks the same, but it does not say that
 * it is as new as what was heard; nor is it known of what it lacks, if that was heard after the cookie. Who goes while
 * they are looked for is told of soon, and no more looked for then. */
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
    content_ask_age(follow->content);
    if (lack.kept && content_age(follow->content) == CONTENT_NOT_OLDER)
        return miss_what_was_heard(follow);
    follow->older = true;
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
    follow->whole |= !follow->state.cookie;
    follow->list_owed = options->groups.count; /* which of them changed meanwhile nobody knows */
    follow->heard = follow->followed = follow->in_doubt = follow->older = false;
    follow_state_begin(&follow->state, follow->whole);
    for (size_t i = 0; i < ATTRIBUTES && columns_attribute(follow->columns, i); i++)
        attributes[i + 2] = columns_attribute(follow->columns, i);
    look_whether_late(follow, NULL);
    if (options->groups.count)
        result = follow_groups_open(&options->groups, &how, &follow->groups, err);
    if (!result && follow->whole)
        result = follow_list_begin(&follow->list, &follow->host, err);
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
    handed = follow_news_hand_over(&follow->news, &why);
    if (handed && !result)
        *err = why;
    return result ? result : handed;
}

/* ---- a list beside what is followed ---- */

/* They are read anew; what is heard of people meanwhile is theirs by what they were before, until they are listed. */
static int
read_groups(struct follow *follow, struct prov_error *err)
{
    const struct options *options = follow->options;
    const char *const none[] = { NULL };
    const struct connection_options how = { .url = follow->url,
                                            .attributes = none,
                                            .bind_dn = options->bind_dn,
                                            .password_file = options->password_file };

    complain("groups have changed: everybody is listed anew");
    follow->list_owed = true;
    follow_groups_close(follow->groups);
    follow->groups = NULL;
    return follow_groups_open(&options->groups, &how, &follow->groups, err);
}

static bool
list_is_due(const struct follow *follow)
{
    if (follow->pace.list_us)
        return follow_pace_list_is_due(&follow->pace);
    return follow->list_owed || follow->state.list_waits ||
           follow_state_list_is_due(&follow->state, follow->relist_s);
}

static int
begin_list(struct follow *follow, struct prov_error *err)
{
    follow_state_list_begins(&follow->state);
    return follow_list_ask(&follow->list, &follow->host, follow->content, err);
}

/* It is no whole list, and asked for again. Where the connection has broken, that is all; else it is told, since whoever
 * only a list shows stays. */
static int
lose_list(struct follow *follow, struct prov_error *err)
{
    char reason[sizeof(err->text)];
    int result, pause_s;

    snprintf(reason, sizeof(reason), "%s", err->text);
    end_list(follow);
    if (interrupt_seen())
        return PROV_OK;
    pause_s = follow_pace_list(&follow->pace, false);
    result = content_poll(follow->content, 0, err);
    if (result)
        return result;
    follow_mark_missed(&follow->host, "the directory does not give a whole list: %s", reason);
    complain("what changes is followed all the same, and it is asked again in %d s", pause_s);
    return PROV_OK;
}

static int
list_entry(struct follow *follow, const struct ldap_entry *entry, struct prov_error *err)
{
    const char *uuid = entry_text(entry, KEY);

    if (!uuid)
        return fault_set(err, PROV_E_STATE, "'%.200s' has no " KEY ", so nobody can tell who it is",
                         entry->dn);
    follow_state_in_list(&follow->state, uuid, entry_text(entry, CHANGE));
    follow->listing = true;
    return take_entry(follow, entry, uuid, false, err);
}

/* A page of it. */
static int
hear_list(struct follow *follow, struct prov_error *err)
{
    struct ldap_entry entry;
    enum found found;

    do {
        int result;

        found = follow_list_next(&follow->list, &entry, err);
        result = found == FOUND_ITEM ? list_entry(follow, &entry, err) : PROV_OK;
        if (result)
            return result == PROV_E_STATE ? lose_list(follow, err) : result;
    } while (found == FOUND_ITEM && search_has_more(follow->list.search));
    return found == FOUND_STOP ? lose_list(follow, err) : PROV_OK;
}

/* One step of it, so that neither waits for the other. */
static int
go_on_with_list(struct follow *follow, struct prov_error *err)
{
    bool groups_changed = false, done = false;
    int result =
        follow->groups ? follow_groups_poll(follow->groups, &groups_changed, err) : PROV_OK;

    if (result || !follow->heard)
        return result;
    if (!follow->list.snapshot) {
        if (groups_changed)
            result = read_groups(follow, err);
        return result || !(groups_changed || list_is_due(follow)) ? result
                                                                  : begin_list(follow, err);
    }
    if (!follow->list.whole)
        return hear_list(follow, err);
    result = follow_list_apply(&follow->list, &follow->host, &done, err);
    if (result || !done)
        return result;
    judge_list(follow);
    end_list(follow);
    if (!follow->state.list_waits)
        follow_mark_caught_up(&follow->host);
    return PROV_OK;
}

static int
listen_once(struct follow *follow, struct prov_error *err)
{
    int result = content_poll(follow->content, follow->list.beside ? 0 : POLL_S, err);

    if (!result && follow->in_doubt) {
        result = check_age(follow, err);
        follow->in_doubt = false;
    }
    /* a list has them itself; and what an older directory says of them would be old as well */
    if (!result && follow->heard)
        result = tell_reports(follow, err);
    result = hand_over_after(follow, result, err);
    if (!result)
        result = go_on_with_list(follow, err);
    if (!result && !follow->heard && !follow->late)
        look_whether_late(follow, NULL);
    if (result || !follow->heard)
        return result;
    if (!follow->followed) {
        complain("'%s' is followed", follow->url);
        if (!follow->state.list_waits && !follow->list_owed)
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
    follow_news_forget(&follow->news);
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

    if (follow_pace_is_restored(&follow->pace)) {
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
    int pause_s = follow_pace_anew(&follow->pace);

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
        look_whether_late(follow, err.text);
        if (result == PROV_E_NOTFOUND && follow->older) {
            wait_for_age(follow, &err);
        } else if (result == PROV_E_NOTFOUND) {
            wait_for_list(follow, &err);
        } else {
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

static int
read_relist(const char *text, int64_t *ret_s)
{
    if (follow_pace_read(text ? text : RELIST, ret_s))
        return CODE_DONE;
    complain("--relist '%s': write a time, as 24h, 90m or 3600s, or 'never'", text);
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
    follow->news.host = &follow->host;
    follow->url = follow->adapter.url;
    follow->pace.lag_s = options->lag_s ? options->lag_s : LAG_S;
    if (!code)
        code = read_relist(options->relist, &follow->relist_s);
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
