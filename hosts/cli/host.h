/* The host's half of the ABI: loads the plugin, opens a connector, asks it. Functions that return
 * int return an enum exit_code and have said on stderr what went wrong. */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include <json-c/json.h>
#include <provisioning/connector.h>

#include "hosts/cli/cli.h"

struct host {
    struct prov_vtable api;
    prov_connector *connector;
};

/* The path the plugin is loaded from, and the connector fields' file: option, environment, default. */
const char *host_plugin_file(const struct options *options);
const char *host_fields_file(const struct options *options);

/* Loads the plugin; it stays until the program ends. */
int host_load(const struct options *options, struct host *ret);

/* Loads the plugin, reads the fields file and opens a connector; flags: enum prov_open_flag. The
 * caller gives it to host_close(). */
int host_open(const struct options *options, uint32_t flags, struct host *ret);
void host_close(struct host *host);

/*
 * Reads the fields file and opens a connector. *ret_faults gets what open() says of faults and
 * warnings, NULL if it said nothing; without ret_faults they are printed.
 */
int host_open_fields(const struct options *options, uint32_t flags, struct host *host,
                     struct json_object **ret_faults);

/* From here on the plugin's log is shown whole; in the journal of systemd each line with its priority. */
void host_log_for_daemon(void);

/* Whether the plugin has logged an error, which was shown: it needs not be told again. */
bool host_error_logged(void);

/* Prints faults or warnings of connector fields as a list. */
void host_print_faults(struct json_object *faults, const char *what);

/* Sends a request, which is taken over (NULL: out of memory), and gets the answer. */
int host_query(struct host *host, struct json_object *request, struct json_object **ret);
int host_act(struct host *host, struct json_object *request, struct json_object **ret);

/* The same without a word on stderr: 0, or a negative enum prov_code with its error in *err. */
int host_ask(struct host *host, struct json_object *request, struct json_object **ret,
             struct prov_error *err);

/* Of whose users; NULL: of any. */
struct host_users {
    struct host *host;
    const char *issuer;
};
/* What the connector has of one in scope: as unreadable_source.known, of struct host_users. */
int host_in_scope(void *users, const char *uri, char **ret, struct prov_error *err);

/* Whether no store is there yet, with the words in *err: a misspelled path looks like this. */
bool host_lacks_store(struct host *host, struct prov_error *err);

/* {"query": name}; NULL when out of memory. */
struct json_object *host_request(const char *verb, const char *name);

/* Takes over a text of the plugin and gives it back after parsing. */
int host_answer(struct host *host, char *text, struct json_object **ret);

/* Prints err after "context: " and returns the exit code for it. */
int host_failed(const char *context, const struct prov_error *err);

/* Prints an answer for machines, on one line. */
void host_print_json(struct json_object *value);

#endif
