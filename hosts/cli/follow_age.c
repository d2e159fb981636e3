/*
 * Decides that the newest changes are enough: a directory that lacks any of those that were heard lacks the last one.
 */
#include "hosts/cli/follow_age.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/letters.h"
#include "hosts/ldap/member.h"

struct looking {
    const struct follow_state *state;
    bool found[FOLLOW_NEWEST];
    struct follow_lack lack;
};

static void
lacks(struct looking *looking, const struct follow_change *change)
{
    looking->lack.any = true;
    looking->lack.kept |= change->kept;
}

/* Somebody of whom something newer was heard, or that they are gone. */
static int
look_at(void *context, const struct ldap_entry *entry, const char *uuid, bool fresh,
        struct prov_error *err)
{
    struct looking *looking = context;
    const char *csn = entry_text(entry, FOLLOW_CHANGE);

    (void)fresh;
    (void)err;
    for (size_t i = 0; i < looking->state->newest_count; i++) {
        const struct follow_change *change = &looking->state->newest[i];

        if (!letters_same(change->uuid, uuid))
            continue;
        looking->found[i] = true;
        if (change->gone || (csn && strcmp(csn, change->csn) < 0))
            lacks(looking, change);
    }
    return PROV_OK;
}

/* The filter of those whose newest change is in doubt, heap; NULL in *ret: there are none. */
static int
doubted(const struct follow_state *state, char **ret, struct prov_error *err)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    bool any = false;

    *ret = NULL;
    if (!to)
        return fault_nomem(err);
    fputs("(|", to);
    for (size_t i = 0; i < state->newest_count; i++) {
        if (!state->newest[i].told)
            member_condition(to, FOLLOW_KEY, state->newest[i].uuid);
        any |= !state->newest[i].told;
    }
    fputc(')', to);
    if (fclose(to)) {
        free(text);
        return fault_nomem(err);
    }
    if (any)
        *ret = text;
    else
        free(text);
    return PROV_OK;
}

int
follow_age_look(const struct follow_state *state, struct content *content, struct follow_lack *ret,
                struct prov_error *err)
{
    struct looking looking = { .state = state };
    const struct content_listener listener = { .entry = look_at, .context = &looking };
    char *filter = NULL;
    int result = doubted(state, &filter, err);

    if (filter)
        result = content_search(content, filter, &listener, err);
    for (size_t i = 0; filter && !result && i < state->newest_count; i++) {
        const struct follow_change *change = &state->newest[i];

        if (!change->told && !change->gone && !looking.found[i])
            lacks(&looking, change);
    }
    free(filter);
    if (!result)
        *ret = looking.lack;
    return result;
}
