/*
 * The one table of commands and the one of options. Decides what there is on the command line and
 * how it is called; reading it is main.c's, telling of it usage.c's and complete.c's.
 */
#include "hosts/cli/commands.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/screen.h"

/* group, name, arguments, least, most, options, function, summary, detail */
const struct command commands[] = {
    { "Set up", "fields", "", 0, 0, "schema check values", command_fields,
      "show the connector fields, or check the file that sets them",
      "Prints the table of connector fields: name, whether it is needed, default, help.\n"
      "With --check every fault of the fields file is named at once." },
    { NULL, "check", "", 0, 0, "", command_check, "test the connection to the org",
      "Tries domain, token, API version and profile, and says for each what was seen and,\n"
      "if it failed, why and what to do." },
    { NULL, "login", "", 0, 0, "no-browser paste port timeout", command_login,
      "have the app approved in a browser, and keep the refresh token",
      "For the flow refresh_token. Opens the browser, or shows the address to open, and takes\n"
      "the code at http://localhost:1717/OauthRedirect, which the app needs as a callback URL." },
    { NULL, "preview", "FILE|-", 1, 1, "resources", command_preview,
      "show what an event would lead to", "Changes nothing and asks Salesforce nothing." },

    { "Bring news", "run", "FILE|-", 0, 1, "daemon resources timeout", command_run,
      "hand over events as they come, and deliver until all is settled",
      "Reads one event a line until the end of input. A line that is refused is named, and\n"
      "the rest goes on. With --daemon and no file it delivers what others accept, until it is\n"
      "told to end." },
    { NULL, "sync", "FILE|-|ldap://...", 1, 64,
      "format key by-name command map columns separator issuer bind-dn password-file groups "
      "adapter dry-run force no-deliver timeout",
      command_sync, "make the org follow a full list of people",
      "Whoever is not in the list is gone. It is CSV, LDIF or SCIM users in JSON, by the file's\n"
      "name (.csv, .ldif, .json, .jsonl) or --format, or what a directory holds below a DN;\n"
      "sfprov-sync(1) tells what is read. Every fault of it is named, and one changes nothing." },
    { NULL, "follow", "ldap://...", 1, 1,
      "map columns bind-dn password-file groups adapter lag relist no-deliver", command_follow,
      "follow a directory that has no plugin of ours",
      "Hears all that it holds, then what becomes of its people, until SIGTERM: content\n"
      "synchronization (RFC 4533), which OpenLDAP's overlay syncprov offers. Started again it "
      "goes\n"
      "on from where it was." },
    { NULL, "submit", "FILE|-", 1, 1, "resources", command_submit,
      "hand events over, without delivering them",
      "The file holds one event a line, one JSON object, or a JSON array of events." },
    { NULL, "deliver", "", 0, 0, "timeout", command_deliver,
      "deliver what is pending, until all is settled", "For cron, and after 'submit' or 'retry'." },

    { "Look", "status", "", 0, 0, "prometheus", command_status, "show how far the org is in step",
      "Ends with 1 when users are parked or wait, and with 4 on hold, when calls do not pass, or "
      "when\n"
      "the guard holds deactivations. With --prometheus the numbers say so, and it ends with 0." },
    { NULL, "list", "[TEXT]", 0, 1, "state limit", command_list,
      "list users, or those that match TEXT", "" },
    { NULL, "collisions", "", 0, 0, "pattern separator domain limit", command_collisions,
      "show who would share a Salesforce username",
      "And what would tell them apart. With the options, a pattern that is thought of is tried.\n"
      "Ends with 1 when some share one." },
    { NULL, "drift", "[USER]", 0, 1, "repair dry-run limit", command_drift,
      "show what was changed in the org by hand, or set it back",
      "Compares every account with what was last confirmed. Asks Salesforce, changes nothing,\n"
      "and ends with 1 when something differs. With --repair the difference is set back." },
    { NULL, "match", "[USER]", 0, 1, "limit", command_match,
      "show whose accounts are in the org already",
      "For those who have no account yet: what the field 'match' finds, and so who will be\n"
      "adopted, created or parked. Asks Salesforce, changes nothing." },
    { NULL, "org", "", 0, 0, "refresh", command_org, "show what the org says of itself",
      "Licences, profiles, roles, the fields of User: as kept in the store, with their age." },
    { NULL, "show", "USER", 1, 1, "", command_show, "tell the story of one user",
      "USER is a URI, a host user name, a Salesforce username or a Salesforce Id." },

    { "Intervene", "retry", "[USER]", 0, 1, "all", command_retry, "try a parked user again", "" },
    { NULL, "hold", "[REASON]", 0, 1, "", command_hold, "stop delivering, keep accepting", "" },
    { NULL, "resume", "", 0, 0, "", command_resume, "end a hold", "" },
    { NULL, "release", "", 0, 0, "", command_release, "let deactivations go that the guard holds",
      "Look at them first: 'sfprov list --state pending' names them." },
    { NULL, "replan", "[USER]", 0, 1, "all dry-run force limit", command_replan,
      "bring changed connector fields to users who are there",
      "A new pattern, separator, domain or profile changes nobody who is in Salesforce already,\n"
      "until this is run for one user or for --all. --dry-run shows whom it would rename." },

    { NULL, "store", "check|vacuum", 1, 1, "full", command_store,
      "look whether the store is sound, or make its file shorter",
      "check reads every page of the file, and tells its length and what is in it. Ends with 5\n"
      "when it is damaged. vacuum gives back what is free in it; hosts may go on meanwhile." },

    { NULL, "complete", "WORD...", 0, SIZE_MAX, "", command_complete, NULL, "" },
};

const size_t commands_count = sizeof(commands) / sizeof(commands[0]);

#define FIELD(member) offsetof(struct options, member)

/* name, letter, value, kind, member, everywhere, help, choices */
const struct option_row option_rows[] = {
    { "config", 'c', "FILE", OPTION_TEXT, FIELD(fields_file), true,
      "connector fields (else $SFPROV_FIELDS, /etc/sfprov/fields.json)", NULL },
    { "plugin", 0, "FILE", OPTION_TEXT, FIELD(plugin_file), true,
      "plugin to load (else $SFPROV_PLUGIN, the installed one)", NULL },
    { "json", 0, NULL, OPTION_FLAG, FIELD(json), true, "answer in JSON, for machines", NULL },
    { "color", 0, "WHEN", OPTION_CHOICE, FIELD(color), true,
      "colours: auto (on a terminal), always, never", "auto always never" },
    { "quiet", 'q', NULL, OPTION_FLAG, FIELD(quiet), true, "no progress line", NULL },
    { "verbose", 'v', NULL, OPTION_FLAG, FIELD(verbose), true, "the plugin's log on stderr", NULL },
    { "help", 'h', NULL, OPTION_FLAG, FIELD(help), true, "this help", NULL },
    { "version", 0, NULL, OPTION_FLAG, FIELD(version), true, "the version", NULL },
    { "schema", 0, NULL, OPTION_FLAG, FIELD(schema), false, "the JSON Schema of the fields", NULL },
    { "check", 0, NULL, OPTION_FLAG, FIELD(check), false, "name every fault of the fields file",
      NULL },
    { "values", 0, NULL, OPTION_FLAG, FIELD(values), false, "the values in force, secrets masked",
      NULL },
    { "key", 0, "COLUMN", OPTION_TEXT, FIELD(key), false,
      "what identifies a person (externalId, entryUUID, id)", NULL },
    { "by-name", 0, NULL, OPTION_FLAG, FIELD(by_name), false,
      "who a person is tells the userName, over all renames that were seen", NULL },
    { "command", 0, NULL, OPTION_FLAG, FIELD(command), false,
      "FILE and what follows it is a command, which is run and writes the list", NULL },
    { "map", 0, "HEADER=PATH", OPTION_LIST, FIELD(maps), false,
      "read column HEADER as PATH; without PATH leave it out", NULL },
    { "columns", 0, "FILE", OPTION_TEXT, FIELD(columns), false,
      "what the columns or LDAP attributes are read as", NULL },
    { "format", 0, "FORMAT", OPTION_CHOICE, FIELD(format), false,
      "csv, ldif or json, whatever the file's name", "csv ldif json" },
    { "separator", 0, "CHAR", OPTION_TEXT, FIELD(separator), false,
      "sync: between the cells, a character or 'tab' (,); collisions: of the pattern", NULL },
    { "pattern", 0, "PATTERN", OPTION_TEXT, FIELD(pattern), false,
      "instead of the field 'provisioning_pattern'", NULL },
    { "domain", 0, "DOMAIN", OPTION_TEXT, FIELD(domain), false,
      "instead of the field 'provisioning_domain'", NULL },
    { "issuer", 0, "ISS", OPTION_TEXT, FIELD(issuer), false,
      "whose users the list holds (the field 'issuer')", NULL },
    { "bind-dn", 0, "DN", OPTION_TEXT, FIELD(bind_dn), false,
      "who asks the directory (ldapi: who runs this; else nobody)", NULL },
    { "password-file", 0, "FILE", OPTION_TEXT, FIELD(password_file), false,
      "its first line is the password of --bind-dn", NULL },
    { "groups", 0, "DN", OPTION_LIST, FIELD(groups), false,
      "a group of the directory, or what such are below: their members have them", NULL },
    { "adapter", 0, "FILE", OPTION_TEXT, FIELD(adapter), false,
      "whom of the directory, their groups and attributes: an adapter's configuration", NULL },
    { "lag", 0, "SECONDS", OPTION_NUMBER, FIELD(lag_s), false,
      "a directory may be older than what was heard of it for so long (600)", NULL },
    { "relist", 0, "TIME", OPTION_TEXT, FIELD(relist), false,
      "a whole list of the directory so often, as 12h, or never (24h)", NULL },
    { "dry-run", 'n', NULL, OPTION_FLAG, FIELD(dry_run), false, "show what would happen", NULL },
    { "refresh", 0, NULL, OPTION_FLAG, FIELD(refresh), false, "ask Salesforce now", NULL },
    { "full", 0, NULL, OPTION_FLAG, FIELD(full), false,
      "compare the indexes with the tables as well", NULL },
    { "force", 0, NULL, OPTION_FLAG, FIELD(force), false,
      "also where the guard objects: an empty list, many leavers, many renamed", NULL },
    { "no-deliver", 0, NULL, OPTION_FLAG, FIELD(no_deliver), false,
      "accept the list, leave delivery to the server", NULL },
    { "daemon", 0, NULL, OPTION_FLAG, FIELD(daemon), false,
      "deliver what others accept into the store, until SIGTERM", NULL },
    { "resources", 0, "DIR", OPTION_TEXT, FIELD(resources), false,
      "whole users that notices ask for, a file ID.json each", NULL },
    { "timeout", 0, "SECONDS", OPTION_NUMBER, FIELD(timeout_s), false,
      "stop waiting after so long; nothing accepted is lost", NULL },
    { "state", 0, "STATE", OPTION_CHOICE, FIELD(state), false,
      "all, in_step, pending, waiting, parked or in_flight",
      "all in_step pending waiting parked in_flight" },
    { "prometheus", 0, NULL, OPTION_FLAG, FIELD(prometheus), false,
      "the numbers, in the text format of Prometheus", NULL },
    { "repair", 0, NULL, OPTION_FLAG, FIELD(repair), false, "set back what differs", NULL },
    { "limit", 0, "N", OPTION_NUMBER, FIELD(limit), false, "at most so many", NULL },
    { "no-browser", 0, NULL, OPTION_FLAG, FIELD(no_browser), false,
      "only show the address, open no browser", NULL },
    { "paste", 0, NULL, OPTION_FLAG, FIELD(paste), false,
      "ask for the code: the browser is on another machine", NULL },
    { "port", 0, "N", OPTION_NUMBER, FIELD(port), false, "listen there (1717)", NULL },
    { "all", 0, NULL, OPTION_FLAG, FIELD(all), false,
      "instead of USER: everybody (retry: everybody who is parked)", NULL },
};

const size_t option_rows_count = sizeof(option_rows) / sizeof(option_rows[0]);

_Static_assert(sizeof(option_rows) / sizeof(option_rows[0]) <= OPTION_ROWS_MAX,
               "raise OPTION_ROWS_MAX");

const struct command *
command_find(const char *name)
{
    for (size_t i = 0; i < commands_count; i++) {
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    }
    return NULL;
}

const struct option_row *
option_find(const char *name, size_t length)
{
    for (size_t i = 0; i < option_rows_count; i++) {
        if (strlen(option_rows[i].name) == length && !memcmp(option_rows[i].name, name, length))
            return &option_rows[i];
    }
    return NULL;
}

bool
among(const char *words, const char *word, size_t length)
{
    for (const char *at = words; *at; at += at[0] == ' ') {
        size_t span = strcspn(at, " ");

        if (span == length && !memcmp(at, word, length))
            return true;
        at += span;
    }
    return false;
}

bool
command_takes(const struct command *command, const struct option_row *row)
{
    return row->everywhere || among(command->options, row->name, strlen(row->name));
}

static int
set_number(long *member, const struct option_row *row, const char *value)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (errno || *end || end == value || number <= 0 || number > INT32_MAX) {
        complain("--%s '%s': give a whole number above 0", row->name, value);
        return CODE_USAGE;
    }
    *member = number;
    return CODE_DONE;
}

static int
add_text(struct option_list *list, const struct option_row *row, const char *value)
{
    bool full = list->count == OPTION_LIST_MAX;

    if (full || !strchr(value, '=') || *value == '=') {
        complain("--%s '%s': %s%s", row->name, value, full ? "too many of them" : "write ",
                 full ? "" : row->value);
        return CODE_USAGE;
    }
    list->texts[list->count++] = value;
    return CODE_DONE;
}

int
option_set(struct options *options, const struct option_row *row, const char *value)
{
    void *member = (char *)options + row->offset;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)member = true;
        return CODE_DONE;
    case OPTION_CHOICE:
        if (!among(row->choices, value, strlen(value))) {
            complain("--%s '%s': give one of: %s", row->name, value, row->choices);
            return CODE_USAGE;
        }
        *(const char **)member = value;
        return CODE_DONE;
    case OPTION_TEXT:
        *(const char **)member = value;
        return CODE_DONE;
    case OPTION_NUMBER:
        return set_number(member, row, value);
    default:
        return add_text(member, row, value);
    }
}
