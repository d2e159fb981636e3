/* What the org says about itself: the fields of an object, and its limits (fact sheet 2.4, 2.6). Reads
 * only; what follows from it is delivery's. */
#include <stdio.h>

#include "plugin/salesforce/answer.h"
#include "plugin/salesforce/call.h"

static int
read_object(struct sf_session *session, char *path, struct json_object **ret, struct sf_call *call)
{
    AUTO_FREE char *owned = path;
    AUTO_JSON struct json_object *answer = NULL;
    const struct session_request request = { .method = "GET", .path = path };
    int result;

    *call = (struct sf_call){ .outcome = SF_RETRY, .cause = "", .remedy = "" };
    if (!owned) {
        answer_out_of_memory(call);
        return PROV_E_NOMEM;
    }
    result = session_get(session, &request, &answer, call);
    if (result != PROV_OK || call->outcome != SF_DELIVERED)
        return result;
    if (!json_object_is_type(answer, json_type_object))
        answer_tell(call, SF_RETRY, "The answer is not Salesforce's.",
                    "It is tried again. If it lasts, look for a proxy that answers itself.",
                    "'%s' was not answered with a JSON object", path);
    else
        *ret = STEAL(answer);
    return PROV_OK;
}

static char *
path_of(const struct sf_session *session, const char *rest)
{
    char *path = NULL;

    return asprintf(&path, "/services/data/%s/%s", session_api_version(session), rest) < 0 ? NULL
                                                                                           : path;
}

int
sf_describe(struct sf_session *session, const char *object, struct json_object **ret,
            struct sf_call *call)
{
    AUTO_JSON struct json_object *answer = NULL;
    char rest[128];
    int result;

    snprintf(rest, sizeof(rest), "sobjects/%s/describe", object);
    result = read_object(session, path_of(session, rest), &answer, call);
    if (result != PROV_OK || call->outcome != SF_DELIVERED)
        return result;
    if (!json_object_is_type(json_get(answer, "fields"), json_type_array))
        answer_tell(call, SF_RETRY, "The answer is not Salesforce's.",
                    "It is tried again. If it lasts, look for a proxy that answers itself.",
                    "the describe of '%s' names no fields", object);
    else
        *ret = STEAL(answer);
    return PROV_OK;
}

int
sf_limits(struct sf_session *session, struct json_object **ret, struct sf_call *call)
{
    return read_object(session, path_of(session, "limits"), ret, call);
}
