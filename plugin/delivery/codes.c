/* The table of our own codes: what an admin reads in `show`, `list`, the log and docs/messages.md.
 * Salesforce's codes are in salesforce/outcome.c. The message that goes with a code names the user's
 * own values, and is made where the code is given. */
#include "plugin/delivery/codes.h"

#include <string.h>

#include "plugin/salesforce/session.h"
#include "plugin/store/store.h"

static const struct code_words rows[] = {
    /* ---- what the host said, and the connector fields ---- */
    { CODE_RESOURCE_NEVER_SEEN, "parked", "a change came before the user itself",
      "let the host send the whole user" },
    { CODE_USERNAME, "parked",
      "the host's user name and the pattern give no valid Salesforce username",
      "change the user's name at the host, or provisioning_pattern, _separator or _domain" },
    { CODE_USERNAME_IN_USE_HERE, "waiting",
      "two users of the host get the same Salesforce username",
      "nothing, if the other one is about to be renamed; else rename one, or use a pattern that "
      "tells "
      "them apart" },
    { CODE_USERNAME_ELSEWHERE, "waiting",
      "usernames are unique over all Salesforce orgs, and another org has this one; or this is a "
      "sandbox that was refreshed, and what it had is given free within two days",
      "nothing after a refresh: it is tried each hour for two days, and only then parked, or given "
      "a number where username_taken says so; else free it there, or set provisioning_domain or "
      "provisioning_pattern so that another one is built" },
    { CODE_MAPPING, "parked", "an attribute does not fit its Salesforce field",
      "correct the user at the host, or the field `mapping`" },
    { CODE_NAME_NOT_FOUND, "parked",
      "the mapping gives a profile or role by a name that the org has not, or does not show",
      "correct the name at the host or in the field `mapping`, or create it in the org: it is "
      "found "
      "within the hour, or at once by `retry`" },
    { CODE_PROFILE_NOT_FOUND, "parked", "the field `profile` names none of the org's profiles",
      "correct the field `profile`, or create the profile: it is found within the hour, or at once "
      "by "
      "`retry`" },

    /* ---- accounts that are there already ---- */
    { CODE_MATCH_SEVERAL, "parked", "the org has several accounts that could be this user's",
      "tell them apart in Salesforce, or order the field `match` so that a surer key comes first; "
      "then retry" },
    { CODE_MATCH_HELD, "waiting", "two users of the host would have one account",
      "if the other one has left, let the host say so; else correct the value in Salesforce or at "
      "the "
      "host" },
    { CODE_MATCH_LEAVER, "tried again",
      "the account is to be taken from a user who has left, and the last change of it has no "
      "certain "
      "answer yet",
      "nothing: it is tried again" },
    { CODE_MATCH_OTHER, "parked", "the account was made for a user whom this store does not know",
      "if it is this user's, empty that field of the account in Salesforce, then retry" },
    { CODE_MATCH_OURS, "parked", "a user of the host fits the account of the connector itself",
      "give the connector an account of its own" },
    { CODE_MATCH_NO_TEXT, "parked", "the field `match` names a field that is no text for this user",
      "give that field \"kind\": \"text\" in the field `mapping`, or leave it out of `match`" },
    { CODE_MATCH_REFUSED, "parked", "the field `match` names a field that the org lacks or hides",
      "correct the field `match`, or let the connector's user read that field" },
    { CODE_ACCOUNT_MISSING, "parked",
      "the org was replaced or refreshed, or the account is hidden from the connector's user",
      "check the org and the rights of the connector's user, then retry" },
    { CODE_ACCOUNT_UNREADABLE, "parked", "the connector's user may not read users",
      "give it the rights of sfprov-fields(5), then retry" },

    { CODE_MANAGER_AWAITED, "delivered",
      "the host names a manager whom it has not sent, or who is out of scope",
      "let the host send the manager, or correct the reference: the manager is set by itself then, "
      "and nothing "
      "else of the user waits" },

    /* ---- licences ---- */
    { CODE_NO_SEAT, "waiting", "the org has no free seat of that licence",
      "deactivate who has left, buy seats (Setup > Company Information > User Licenses), or map "
      "another profile; it is tried again by itself, each hour and when a user of ours leaves" },

    /* ---- leavers ---- */
    { GUARD_CODE, "held", "a mass change at the host, or a mistake there",
      "if it is meant, release; else correct the host: whoever is wanted again is not "
      "deactivated" },
    { CODE_NO_USER_LOGIN, "parked",
      "Salesforce makes a UserLogin with a user or with the first password, and it cannot be made "
      "by "
      "others",
      "deactivate the user, or look in Salesforce at Setup > Users; it is tried again by itself, "
      "and "
      "at once by `retry`" },
    { CODE_STAYS_FROZEN, "delivered",
      "somebody froze the account in Salesforce before the user left; or it was frozen when it was "
      "adopted, and "
      "this store does not know by whom",
      "if the user is to log in again, unfreeze the account: Setup > Users > the user > Unfreeze. "
      "That is seen "
      "within the hour, or at once by `retry`" },
    { CODE_GONE, "nothing to do", "the user is gone at the host",
      "nothing; a create or put event, or feed:add, brings the user back" },
    { CODE_OUT_OF_SCOPE, "nothing to do",
      "the host took the user out of the feed, or scope_filter or scope_groups leave the user out",
      "nothing; or correct the scope" },
    { CODE_LEAVES_SCOPE, "nothing to do",
      "scope_filter or scope_groups were changed, and leave out a user who has an account",
      "nothing: the account stays until the user's next event; `replan` deactivates it now" },

    /* ---- on the way ---- */
    { SF_RESERVE_CODE, "held", SF_RESERVE_CAUSE, SF_RESERVE_REMEDY },
    { CODE_NO_ANSWER, "read back",
      "the change was sent and no certain answer came; Salesforce may still be working on it",
      "nothing: it is read back until it shows, or until settle_window_s is over" },
    { CODE_USERNAME_SWAP, "tried again",
      "users of the host exchange their names, and Salesforce lets no two have one",
      "nothing: it is renamed as soon as the other one is" },
    { CODE_STORE_DAMAGED, "parked", "the store's file is damaged where this user stands",
      "let the host send the whole user again, or run a sync: that replaces it; and look after the "
      "disk" },

    /* ---- passwords: the user's state is another matter ---- */
    { CODE_PASSWORD_KEY, "waits", "the key that sealed the password is not there",
      "put the key back, see docs/secrets.md; it goes on by itself" },
    { CODE_PASSWORD_HASHED, "erased",
      "the host sent a hash of the password, and Salesforce takes the password itself only",
      "let the host send the password as the user typed it, when it is set or changed" },
    { CODE_PASSWORD_NOT_ACTIVE, "erased",
      "the user is inactive, has left, or is out of scope, so no password is set",
      "send the password with the event that makes the user active, or after it" },
    { CODE_PASSWORD_OFF, "erased",
      "the field `provision_passwords` was turned off while the password waited",
      "nothing; or turn it on, and set the password again at the host" },
    { CODE_PASSWORD_NO_ANSWER, "erased",
      "two sends had no answer, so it is not known whether the password was set",
      "let the user log in with it, or set it again at the host" },
    { CODE_PASSWORD_DAMAGED, "erased", "the sealed password was damaged or altered in the store",
      "set it again at the host, and look after the disk" },
};

/* What is waited for, and the code that says so. `keeps`: the user is not delivered before; else a part waits. */
static const struct {
    const char *kind, *code;
    bool keeps;
} waits[] = { { WAIT_USERNAME, CODE_USERNAME_IN_USE_HERE, true },
              { WAIT_RELEASE, CODE_USERNAME_ELSEWHERE, true },
              { WAIT_ACCOUNT, CODE_MATCH_HELD, true },
              { WAIT_SEAT, CODE_NO_SEAT, true },
              { WAIT_MANAGER, CODE_MANAGER_AWAITED, false },
              { WAIT_UNFREEZING, CODE_STAYS_FROZEN, false } };

const struct code_words *
code_words(const char *code)
{
    static const struct code_words unknown = { "", "parked", "the connector does not say",
                                               "report this as a fault of the connector" };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].code, code) == 0)
            return &rows[i];
    }
    return &unknown;
}

const char *
code_waits_for(const char *code)
{
    for (size_t i = 0; code && i < sizeof(waits) / sizeof(waits[0]); i++) {
        if (waits[i].keeps && strcmp(waits[i].code, code) == 0)
            return waits[i].kind;
    }
    return NULL;
}

const struct code_words *
wait_words(const char *kind)
{
    /* what stands in the way is Salesforce's own code */
    static const struct code_words leaving = {
        "", "waits", "the user is to lose access, and Salesforce has not taken it away yet",
        "nothing, or what the user's `code` and `remedy` say; it is tried again by itself"
    };

    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        if (strcmp(waits[i].kind, kind) == 0)
            return code_words(waits[i].code);
    }
    return &leaving;
}

const struct code_words *
code_table(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
