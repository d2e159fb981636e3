/* The password of a user (2.8): is it expired, set it, reset it. Decides nothing about what a good
 * password is; see user_write.c. */
#include "tests/org/api.h"

#include <string.h>

static void
set_password(struct call *call, struct row *user)
{
    struct refusal refusal;
    struct json_object *value;
    const char *password;

    if (!call_read_json(call))
        return;
    value = js_get_nocase(call->json, "NewPassword"); /* 2.1: a name in any letter case */
    password = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
    if (!password) /* code unsure */
        reply_error(call->reply, 400, "MISSING_ARGUMENT", "NewPassword is required, and a string");
    else if (user_set_password(user, password, &refusal))
        call->reply->status = 204;
    else
        reply_refusal(call->reply, &refusal);
}

static void
reset_password(struct call *call, struct row *user)
{
    struct json_object *answer = js_object();
    AUTO_FREE char *password = user_reset_password(user);

    js_put_text(answer, "NewPassword", password);
    reply_json(call->reply, 200, answer);
}

/* That a reset password counts as expired until the next one is set is unsure. */
static void
tell_expired(struct call *call, struct row *user)
{
    struct json_object *answer = js_object();

    js_put_flag(answer, "isExpired", user->password_expired);
    reply_json(call->reply, 200, answer);
}

void
api_password(struct call *call, struct row *user)
{
    call->records = 1;
    if (!call->org->settings.manage_users && call->user &&
        strcmp(call->user->id, call->org->execution_user) == 0)
        reply_error(call->reply, 403, "INSUFFICIENT_ACCESS",
                    "You do not have permission to view this record.");
    else if (call->inner) /* whether composite calls take it is unsure */
        reply_not_found(call->reply);
    else if (call_method_is(call, "GET"))
        tell_expired(call, user);
    else if (call_method_is(call, "POST"))
        set_password(call, user);
    else if (call_method_is(call, "DELETE"))
        reset_password(call, user);
    else
        reply_not_allowed(call->reply, call->request->method, "DELETE,GET,HEAD,POST");
}
