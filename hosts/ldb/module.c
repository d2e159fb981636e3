/*
 * The ldb module that Samba loads, on top of its own for the domain's database. Decides when changes are
 * handed over: after their transaction is committed and before who made it has an answer, and in the order of
 * the transactions, since the cursor is held from before the commit. What one process could not hand over, or
 * did not live to, is behind the cursor, and the next transaction of any process hands it over with its own.
 * Leaves what a change means to changes.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hosts/cli/fault.h"
#include "hosts/ldb/adapter.h"
#include "hosts/ldb/changes.h"
#include "hosts/ldb/cursor.h"
#include "hosts/ldb/membership.h"
#include "hosts/ldb/password.h"

/* More than that was changed without us: a list is quicker, and is asked for. */
#define BEHIND_MAX 100000u

/* Of one opened database. */
struct opened {
    struct adapter *adapter;
    struct directory *directory;
    struct note *notes;
    struct cursor cursor;  /* held from before a commit until all is handed over */
    uint64_t start, until; /* the highest number when the transaction began, and at its end */
    bool begun;            /* `start` is known */
};

static struct opened *
opened_of(struct ldb_module *module)
{
    struct opened *opened = ldb_module_get_private(module);

    adapter_log_to(ldb_module_get_ctx(module));
    return opened;
}

static void
forget(struct opened *opened)
{
    while (opened->notes) {
        struct note *note = opened->notes;

        opened->notes = note->next;
        if (note->password)
            explicit_bzero(note->password, strlen(note->password));
        talloc_free(note);
    }
    cursor_release(&opened->cursor);
    opened->begun = false;
}

/* ---- what only a request knows ---- */

static struct note *
add_note(struct opened *opened, struct ldb_dn *dn)
{
    struct note *note = talloc_zero(opened, struct note);

    if (!note)
        return NULL;
    note->dn = ldb_dn_copy(note, dn);
    note->next = opened->notes;
    opened->notes = note;
    return note;
}

static void
note_password(struct ldb_module *module, const struct ldb_message *message)
{
    struct opened *opened = opened_of(module);
    char *password;
    struct note *note;

    if (!opened || !opened->adapter->config.settings.passwords || ldb_dn_is_special(message->dn) ||
        password_of(opened, message, &password) || !password)
        return;
    note = add_note(opened, message->dn);
    if (note)
        note->password = talloc_steal(note, password);
}

static int
module_add(struct ldb_module *module, struct ldb_request *request)
{
    note_password(module, request->op.add.message);
    return ldb_next_request(module, request);
}

static int
module_modify(struct ldb_module *module, struct ldb_request *request)
{
    note_password(module, request->op.mod.message);
    return ldb_next_request(module, request);
}

/* A deleted group does not say who its members were. */
static void
note_members(struct opened *opened, struct ldb_dn *dn)
{
    struct prov_error err = { .size = sizeof(err) };
    void *memory = talloc_new(opened);
    struct ldb_message *group = NULL;
    struct note *note = NULL;
    bool counts = false;
    int result = directory_read(opened->directory, memory, dn, &group, &err);

    if (!result && group && directory_is_class(group, "group"))
        note = add_note(opened, dn);
    if (note) {
        note->guid = directory_guid(note, group);
        result = membership_counts(opened->directory, memory, group, &counts, &err);
        if (counts)
            result = membership_all(opened->directory, note, group, 0, &note->members, &err);
        else
            note->members = talloc_zero_array(note, const char *, 1);
        if (result)
            note->members = NULL; /* not known, which is told then */
    }
    talloc_free(memory);
}

static int
module_delete(struct ldb_module *module, struct ldb_request *request)
{
    struct opened *opened = opened_of(module);

    if (opened && *opened->directory->groups && !ldb_dn_is_special(request->op.del.dn))
        note_members(opened, request->op.del.dn);
    return ldb_next_request(module, request);
}

/* ---- handing over ---- */

static void
late(struct opened *opened, const struct prov_error *err)
{
    submit_late(opened->adapter->submit, "the directory", err);
}

/* Whether nobody was there before, neither in the domain nor for the connector; what cannot be found out is none. */
static bool
is_empty(struct opened *opened)
{
    struct prov_error err = { .size = sizeof(err) };
    bool any = true;

    return !submit_knows_any(opened->adapter->submit, &any, &err) && !any &&
           !directory_has_people(opened->directory, opened->start, &any, &err) && !any;
}

static void
tell_gap(struct opened *opened)
{
    const struct cursor *cursor = &opened->cursor;
    struct prov_error why = { .size = sizeof(why) };

    if (!cursor->id[0])
        fault_set(&why, PROV_E_STATE, "nothing of this domain was handed over before; list it");
    else if (strcmp(cursor->id, opened->directory->id) || cursor->usn > opened->until)
        fault_set(
            &why, PROV_E_STATE,
            "this is another domain controller's database, or an older state of it, than the one "
            "that was handed over last");
    else
        fault_set(&why, PROV_E_STATE,
                  "%" PRIu64 " changes were made since something was handed over",
                  opened->until - cursor->usn);
    submit_missed(opened->adapter->submit, "the directory", &why);
}

/* From where on: what the cursor says, if it is of this database. */
static uint64_t
find_start(struct opened *opened)
{
    const struct cursor *cursor = &opened->cursor;
    struct prov_error err = { .size = sizeof(err) };

    if (!strcmp(cursor->id, opened->directory->id) && cursor->usn <= opened->until &&
        opened->until - cursor->usn <= BEHIND_MAX)
        return cursor->usn;
    if (cursor->id[0] || !is_empty(opened))
        tell_gap(opened);
    /* so that this is told once, whatever becomes of what follows; where it fails it is told again */
    (void)cursor_put(&opened->cursor, opened->directory->id, opened->start, &err);
    return opened->start;
}

/* Whether the cursor stands there, as it does unless somebody before could not hand over or not say so. */
static bool
stands_at(const struct opened *opened, uint64_t usn)
{
    return opened->cursor.usn == usn && !strcmp(opened->cursor.id, opened->directory->id);
}

static void
hand_over(struct opened *opened)
{
    const struct changes changes = { .directory = opened->directory,
                                     .submit = opened->adapter->submit,
                                     .notes = opened->notes };
    struct prov_error err = { .size = sizeof(err) };
    bool in_step;

    if (opened->cursor.fd < 0)
        return; /* it was told why */
    if (stands_at(opened, opened->until))
        return;
    in_step = stands_at(opened, opened->start);
    if (changes_hand_over(&changes, find_start(opened), opened->until, &err))
        return;
    if (cursor_put(&opened->cursor, opened->directory->id, opened->until, &err))
        late(opened, &err);
    else if (!in_step)
        submit_caught_up(opened->adapter->submit);
}

/* Holds the cursor: before the modules below prepare the commit, since whoever holds it reads what they lock then. */
static int
take_turn(struct opened *opened, struct prov_error *err)
{
    int result = directory_find(opened->directory, err);

    return result ? result : cursor_hold(opened->adapter->cursor, &opened->cursor, err);
}

/* Finds out how far the transaction goes: after that, since the links that are replicated are written there. */
static int
find_end(struct opened *opened, struct prov_error *err)
{
    int result = directory_usn(opened->directory, &opened->until, err);

    if (!result && !opened->begun)
        opened->start = opened->until;
    return result;
}

/* Closed: whether somebody is concerned, and the store does not take it. */
static int
must_refuse(struct opened *opened, struct prov_error *err)
{
    const struct changes changes = { .directory = opened->directory,
                                     .submit = opened->adapter->submit };
    bool concern = false;
    int result = changes_concern(&changes, opened->start, opened->until, &concern, err);

    return result || !concern ? result : submit_ready(opened->adapter->submit, err);
}

static int
refuse(struct ldb_module *module, const struct prov_error *why)
{
    struct prov_error line = { .size = sizeof(line) };

    fault_set(&line, PROV_E_STORE, "a change is refused, since it could not be kept: %s",
              why->text);
    adapter_log(PROV_LOG_ERROR, line.text);
    ldb_asprintf_errstring(ldb_module_get_ctx(module),
                           "sfprov cannot keep the change; try again later");
    return LDB_ERR_UNWILLING_TO_PERFORM;
}

/* ---- transactions ---- */

static int
module_start(struct ldb_module *module)
{
    struct opened *opened = opened_of(module);
    struct prov_error err = { .size = sizeof(err) };
    int code = ldb_next_start_trans(module);

    if (code || !opened)
        return code;
    forget(opened);
    opened->begun = !directory_usn(opened->directory, &opened->start, &err);
    return code;
}

static int
module_prepare(struct ldb_module *module)
{
    struct opened *opened = opened_of(module);
    struct prov_error err = { .size = sizeof(err) };
    bool closed = opened && opened->adapter->config.settings.closed;
    int result = opened ? take_turn(opened, &err) : PROV_OK, code;

    if (result && closed)
        return refuse(module, &err);
    code = ldb_next_prepare_commit(module);
    if (code || !opened)
        return code;
    if (!result)
        result = find_end(opened, &err);
    if (!result && closed && opened->until > opened->start)
        result = must_refuse(opened, &err);
    if (result && closed)
        return refuse(module, &err);
    if (result) {
        late(opened, &err);
        cursor_release(&opened->cursor);
    }
    return LDB_SUCCESS;
}

static int
module_end(struct ldb_module *module)
{
    struct opened *opened = opened_of(module);
    int code = ldb_next_end_trans(module);

    if (opened && code == LDB_SUCCESS)
        hand_over(opened);
    if (opened)
        forget(opened);
    return code;
}

static int
module_cancel(struct ldb_module *module)
{
    struct opened *opened = opened_of(module);

    if (opened)
        forget(opened);
    return ldb_next_del_trans(module);
}

/* ---- life ---- */

/* The record @SFPROV of the database names the configuration. Heap of `memory`; NULL: it does not. */
static const char *
find_file(struct ldb_module *module, void *memory)
{
    static const char *const names[] = { "config", NULL };
    struct ldb_context *ldb = ldb_module_get_ctx(module);
    struct ldb_result *found = talloc_zero(memory, struct ldb_result);
    struct ldb_request *request = NULL;
    int code = ldb_build_search_req(&request, ldb, found, ldb_dn_new(found, ldb, "@SFPROV"),
                                    LDB_SCOPE_BASE, NULL, names, NULL, found,
                                    ldb_search_default_callback, NULL);

    if (!code)
        code = ldb_next_request(module, request);
    if (!code)
        code = ldb_wait(request->handle, LDB_WAIT_ALL);
    return !code && found->count ? ldb_msg_find_attr_as_string(found->msgs[0], "config", NULL)
                                 : NULL;
}

/*
 * From the first opening on the numbers count, so that a list that is applied after that is enough. What fails here the
 * next transaction does.
 */
static void
begin_to_count(struct opened *opened)
{
    struct prov_error err = { .size = sizeof(err) };

    if (access(opened->adapter->cursor, F_OK) == 0)
        return;
    submit_begin(opened->adapter->submit);
    if (!take_turn(opened, &err) && !find_end(opened, &err) && !opened->cursor.id[0])
        (void)find_start(opened);
    forget(opened);
}

static int
open_all(struct ldb_module *module, struct prov_error *err)
{
    struct opened *opened = talloc_zero(module, struct opened);
    const char *file = opened ? find_file(module, opened) : NULL;
    int result;

    if (!opened)
        return fault_nomem(err);
    opened->cursor.fd = -1;
    if (!file)
        return fault_set(
            err, PROV_E_INVALID,
            "the database does not name the configuration; add the record '@SFPROV' with "
            "'config: /etc/sfprov/samba.json'");
    result = adapter_open(file, &opened->adapter, err);
    if (!result)
        result = directory_open(&opened->adapter->config, module, opened, &opened->directory, err);
    if (!result && opened->adapter->config.settings.active) {
        begin_to_count(opened);
        ldb_module_set_private(module, opened);
    }
    return result;
}

/* A wrong configuration keeps the database closed: Samba does not start, and says why. */
static int
module_init(struct ldb_module *module)
{
    struct ldb_context *ldb = ldb_module_get_ctx(module);
    struct prov_error err = { .size = sizeof(err) };
    int code = ldb_next_init(module);

    if (code)
        return code;
    adapter_log_to(NULL); /* a tool need not tell each time what the connector warns of */
    if (!open_all(module, &err))
        return LDB_SUCCESS;
    adapter_log_to(ldb);
    adapter_log(PROV_LOG_ERROR, err.text);
    ldb_asprintf_errstring(ldb, "sfprov: %s", err.text);
    return LDB_ERR_OPERATIONS_ERROR;
}

static const struct ldb_module_ops operations = {
    .name = "sfprov",
    .init_context = module_init,
    .add = module_add,
    .modify = module_modify,
    .del = module_delete,
    .start_transaction = module_start,
    .prepare_commit = module_prepare,
    .end_transaction = module_end,
    .del_transaction = module_cancel,
};

__attribute__((visibility("default"))) int ldb_init_module(const char *version);

int
ldb_init_module(const char *version)
{
    LDB_MODULE_CHECK_VERSION(version);
    return ldb_register_module(&operations);
}
