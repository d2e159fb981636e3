/* Request bodies of the data API: content type, size, grammar (2.1, 2.12, 6.2). */
#include "tests/org/api.h"

#include <string.h>
#include <strings.h>

#include "tests/org/json_read.h"

enum {
    MAX_BODY_BYTES = 50 * 1024 * 1024
}; /* section 10, unsure */

/* "application/json", with parameters behind it or not. */
static bool
is_json_type(const char *content_type)
{
    static const char wanted[] = "application/json";
    size_t length = sizeof(wanted) - 1;

    return content_type && strncasecmp(content_type, wanted, length) == 0 &&
           (content_type[length] == '\0' || content_type[length] == ';' ||
            content_type[length] == ' ');
}

/* The texts are unsure. gzip (2.1) is unpacked before; what comes here packed could not be. */
static bool
check_type(struct call *call)
{
    const struct request *request = call->request;

    if (request->content_encoding && strcasecmp(request->content_encoding, "identity") != 0) {
        reply_error(call->reply, 415, "UNSUPPORTED_MEDIA_TYPE",
                    "Content-Encoding '%s' is not supported, or the body does not fit it",
                    request->content_encoding);
        return false;
    }
    if (is_json_type(request->content_type))
        return true;
    reply_error(call->reply, 415, "UNSUPPORTED_MEDIA_TYPE",
                "Content-Type header specified in HTTP request is not supported: %s",
                request->content_type ? request->content_type : "");
    return false;
}

bool
call_check_members(struct call *call, struct json_object *object, const char *const *known)
{
    json_object_object_foreach(object, name, value)
    {
        const char *const *at = known;
        char place[48];
        while (*at && strcmp(*at, name) != 0)
            at++;
        if (*at)
            continue;
        json_read_place(value, place);
        reply_error(call->reply, 400, "JSON_PARSER_ERROR", "Unrecognized field \"%s\" at %s", name,
                    place);
        return false;
    }
    return true;
}

bool
call_read_flag(struct call *call, struct json_object *object, const char *name, bool otherwise,
               bool *ret)
{
    struct json_object *value = js_get(object, name);
    char place[48];

    *ret = js_get_flag(object, name, otherwise);
    if (!value || json_object_is_type(value, json_type_boolean))
        return true;
    json_read_place(value, place);
    reply_error(call->reply, 400, "JSON_PARSER_ERROR",
                "Cannot deserialize instance of boolean from %s at %s", name, place);
    return false;
}

bool
call_read_json(struct call *call)
{
    const struct request *request = call->request;
    struct json_fault fault;

    if (request->body_bytes > MAX_BODY_BYTES) {
        reply_error(call->reply, 413, "REQUEST_TOO_LARGE", "The request body is over 50 MB");
        return false;
    }
    if (request->body_bytes == 0) {
        reply_error(call->reply, 400, "JSON_PARSER_ERROR",
                    "The HTTP entity body is required, but this request has no entity body.");
        return false;
    }
    if (!check_type(call))
        return false;
    if (!json_read(request->body, request->body_bytes, &call->json, &fault)) {
        reply_error(call->reply, 400, "JSON_PARSER_ERROR", "%s", fault.text);
        return false;
    }
    if (!json_object_is_type(call->json, json_type_object)) {
        reply_error(call->reply, 400, "JSON_PARSER_ERROR",
                    "Cannot deserialize: the body must be a JSON object at [line:1, column:1]");
        return false;
    }
    return true;
}
