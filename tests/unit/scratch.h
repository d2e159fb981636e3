/* A store in a fresh directory that goes with the case, and short ways to fill it. */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <sys/resource.h>

#include "plugin/store/store.h"
#include "tests/unit/unit.h"

#define ISSUER "https://hr.example"

struct scratch {
    char directory[200], path[232];
    struct store *store;
};

/* Makes the directory (mode 0700) and the store object; the file is made by whoever needs it. */
void scratch_make(struct scratch *scratch);
/* A new store object on the same file, as after a restart. */
void scratch_restart(struct scratch *scratch);
void scratch_remove(struct scratch *scratch);

/* An event of ISSUER. `kinds` is "put", "create", "patch", "activate", "deactivate", "add",
 * "remove", "delete"; `data` its data or NULL. The caller frees it. */
struct event *scratch_event(const char *jti, const char *uri, const char *kind, const char *data);
struct event *scratch_event_of(const char *issuer, const char *jti, const char *txn,
                               const char *uri, const char *kind, const char *data);
/* Accepts one event and frees it. */
struct store_answer scratch_accept(struct store *store, struct event *event);
/* A user with this userName, or one like him, is put; returns the subject's id. */
int64_t scratch_put(struct store *store, const char *jti, const char *uri, const char *user_name);

/* The subject's id; 0: not known. */
int64_t scratch_id(struct store *store, const char *uri);
/* Writes what delivery would write of a settled subject: the outcome for its newest version, and
 * nothing of it is due any more. salesforce_id NULL: not linked. */
void scratch_settle(struct store *store, const char *uri, const char *outcome,
                    const char *salesforce_id);
/* Deletes all rows of `due` up to this time. Returns how many subjects they named. */
size_t scratch_drain(struct store *store, int64_t now_us);

/* The names of subjects due now, in order, with blanks between: "/Users/1 /Users/2". Static text. */
const char *scratch_due(struct store *store, int64_t now_us);

/* SQL on the file itself, past the store. */
void scratch_sql(const struct scratch *scratch, const char *sql);
/* The first number that a select gives; -1: no row. */
int64_t scratch_number(const struct scratch *scratch, const char *sql);
/* Nonsense at the beginning of the page whose number the select gives; who has the file open may still hold what was
 * there. And as it was. */
void scratch_damage(const struct scratch *scratch, const char *which);
void scratch_repair(const struct scratch *scratch);
/* What this process writes behind so many bytes of a file fails, as on a full disk; RLIM_INFINITY ends that. */
void scratch_limit_files(rlim_t bytes);

/* Runs a child that returns the number of its failures; T_ checks inside it count. */
void scratch_in_child(const struct scratch *scratch, void (*run)(const struct scratch *));
/* The same without waiting; scratch_join() waits for all and checks that each ended with 0. */
int scratch_start_child(const struct scratch *scratch, void (*run)(const struct scratch *, int),
                        int number);
void scratch_join(const int *children, size_t count);

#endif
