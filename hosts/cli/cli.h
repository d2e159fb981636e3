/* What the commands of sfprov share: the options, the exit codes, the commands themselves. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* Documented in sfprov(1); scripts depend on them. */
enum exit_code {
    CODE_DONE = 0,
    CODE_PARKED = 1,     /* done, but users are parked, lines were refused, or a step failed */
    CODE_USAGE = 2,      /* usage or bad input */
    CODE_FIELDS = 3,     /* the connector fields are wrong */
    CODE_UNFINISHED = 4, /* on hold, waiting, delivered elsewhere, timed out */
    CODE_FAILED = 5,     /* store, Salesforce, plugin */
    CODE_WARNED = 6,     /* `check`: a warning, and nothing failed */
    CODE_INTERRUPTED = 130
};

#define OPTION_LIST_MAX 64

/* Of an option that may be given several times. */
struct option_list {
    const char *texts[OPTION_LIST_MAX];
    size_t count;
};

/* As given on the command line; commands.c has the table that fills it. */
struct options {
    const char *fields_file, *plugin_file, *color;
    bool json, quiet, verbose, help, version;
    bool schema, check, values;
    const char *issuer, *key, *separator, *state, *format, *columns, *pattern, *domain;
    struct option_list maps;
    bool refresh, full, dry_run, force, no_deliver, all, repair, prometheus;
    const char *bind_dn, *password_file; /* of a directory */
    struct option_list groups;
    const char *adapter;   /* the configuration of a server's adapter; NULL: none */
    const char *resources; /* directory of whole users; NULL: none */
    long timeout_s;        /* 0: none */
    long limit;            /* 0: none */
    long lag_s;            /* 0: the usual one */
    const char *relist;
    long port; /* 0: the usual one */
    bool paste, no_browser, daemon, by_name, command;
};

/* The arguments after the command's name; each command returns an enum exit_code. */
struct arguments {
    size_t count;
    char **texts;
};

typedef int (*command_fn)(const struct options *options, const struct arguments *arguments);

int command_fields(const struct options *options, const struct arguments *arguments);
int command_check(const struct options *options, const struct arguments *arguments);
int command_collisions(const struct options *options, const struct arguments *arguments);
int command_drift(const struct options *options, const struct arguments *arguments);
int command_follow(const struct options *options, const struct arguments *arguments);
int command_login(const struct options *options, const struct arguments *arguments);
int command_match(const struct options *options, const struct arguments *arguments);
int command_org(const struct options *options, const struct arguments *arguments);
int command_preview(const struct options *options, const struct arguments *arguments);
int command_submit(const struct options *options, const struct arguments *arguments);
int command_run(const struct options *options, const struct arguments *arguments);
int command_deliver(const struct options *options, const struct arguments *arguments);
int command_sync(const struct options *options, const struct arguments *arguments);
int command_status(const struct options *options, const struct arguments *arguments);
int command_list(const struct options *options, const struct arguments *arguments);
int command_show(const struct options *options, const struct arguments *arguments);
int command_retry(const struct options *options, const struct arguments *arguments);
int command_hold(const struct options *options, const struct arguments *arguments);
int command_replan(const struct options *options, const struct arguments *arguments);
int command_store(const struct options *options, const struct arguments *arguments);
int command_release(const struct options *options, const struct arguments *arguments);
int command_resume(const struct options *options, const struct arguments *arguments);

#endif
