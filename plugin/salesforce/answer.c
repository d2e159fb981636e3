/*
 * Reads the error words out of an answer, whatever its shape (fact sheet 6.4: an array of errors
 * from the data API, error and error_description from OAuth, an HTML page from an edge or proxy, or
 * nothing), cleans them for a log line, and asks the outcome table what they mean. Sends nothing
 * and keeps nothing.
 */
#include "plugin/salesforce/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plugin/base/ascii.h"

/* ---- text ---- */

/*
 * Length of an HTML tag at the start of text, else 0. Known tags only: Salesforce also writes
 * "<unknown>" where it hides a record (fact sheet 6.2, DUPLICATE_VALUE).
 */
static size_t
tag_length(const char *text)
{
    static const char *const names[] = { "br",    "p",    "b",  "i",  "u",      "a",
                                         "div",   "span", "ul", "li", "strong", "em",
                                         "table", "tr",   "td", "h1", "h2",     "h3" };
    const char *name = text + 1, *end;
    size_t length;

    if (*text != '<')
        return 0;
    if (*name == '/')
        name++;
    length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    if (!length || !strchr(" />", name[length]) || !(end = strchr(name + length, '>')))
        return 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == length && ascii_compare_start(name, names[i], length) == 0)
            return (size_t)(end + 1 - text);
    }
    return 0;
}

/* Bytes of the UTF-8 character at text; 1 for a stray byte. */
static size_t
character_length(const char *text)
{
    unsigned char lead = (unsigned char)*text;
    size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;

    for (size_t i = 1; i < wanted; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            return 1;
    }
    return wanted;
}

/* White space, C0 and C1 controls, DEL. */
static bool
is_blank(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0];

    if (length == 1)
        return first <= 0x20 || first == 0x7f;
    return length == 2 && first == 0xC2 && (unsigned char)text[1] < 0xA1;
}

void
answer_clean(const char *text, char *ret, size_t room)
{
    size_t at = 0, length;
    bool space = false;

    for (; text && *text; text += length) {
        length = tag_length(text);
        if (length || is_blank(text, length = character_length(text))) {
            space = at > 0;
            continue;
        }
        if (at + length + (space ? 1 : 0) >= room)
            break;
        if (space)
            ret[at++] = ' ';
        space = false;
        memcpy(ret + at, text, length);
        if (length == 1 && (unsigned char)*text >= 0x80)
            ret[at] = '?'; /* not UTF-8 */
        at += length;
    }
    ret[at] = '\0';
}

bool
answer_is_success(const struct http_answer *answer)
{
    return answer->status >= 200 && answer->status <= 299;
}

void
answer_redact(char *text, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    char *found;

    if (!text || length < 8) /* a short one would eat words that hold it by chance */
        return;
    while ((found = strstr(text, secret)))
        memset(found, '*', length);
}

void
answer_tell(struct sf_call *call, enum sf_outcome outcome, const char *cause, const char *remedy,
            const char *format, ...)
{
    char text[sizeof(call->message)];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    answer_clean(text, call->message, sizeof(call->message));
    call->outcome = outcome;
    call->cause = cause;
    call->remedy = remedy;
}

void
answer_out_of_memory(struct sf_call *call)
{
    answer_tell(call, SF_RETRY, "This machine is short of memory.", "Free some memory.",
                "out of memory");
}

int
answer_refuse(struct sf_call *call, int code, const char *why)
{
    answer_tell(call, SF_REFUSED, "The connector asked for something that cannot be sent.",
                "Report this as a fault of the connector.", "%s", why);
    return code;
}

/* ---- JSON ---- */

#define CONTAINER_VALUES 8

/* Counts values; false if a string holds \u0000. */
static bool
weigh(const char *text, size_t length, size_t *ret_values)
{
    bool inside = false;

    *ret_values = 1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            inside = !inside;
        else if (inside && text[i] == '\\' && length - i > 5 && memcmp(text + i, "\\u0000", 6) == 0)
            return false;
        else if (inside && text[i] == '\\')
            i++;
        else if (!inside)
            *ret_values += text[i] == ',' ? 1 : strchr("[{", text[i]) ? CONTAINER_VALUES : 0;
    }
    return true;
}

int
answer_parse(const struct http_answer *answer, const char *what, struct json_object **ret,
             size_t *ret_values, struct prov_error *err)
{
    const char *body = answer->body ? answer->body : "";
    size_t values;

    if (memchr(body, '\0', answer->length))
        return error_set(err, PROV_E_INVALID, "%s holds a NUL byte", what);
    if (!weigh(body, answer->length, &values))
        return error_set(err, PROV_E_INVALID, "%s holds a text with a NUL character", what);
    if (values > ANSWER_MAX_VALUES)
        return error_set(err, PROV_E_LIMIT, "%s has too many values for its size", what);
    if (ret_values)
        *ret_values = values;
    return json_parse(body, answer->length, what, ret, err);
}

/* ---- errors ---- */

#define ERROR_MAX_BYTES (64u * 1024u)

/* The first error of a body: borrowed from *ret_body, as long as it came. False: none to read. */
static bool
read_error(const struct http_answer *answer, struct json_object **ret_body, const char **ret_code,
           const char **ret_message)
{
    struct json_object *error;

    /* only words are taken from it, so a NUL in a text may just end them */
    if (!answer->body || answer->length > ERROR_MAX_BYTES ||
        json_parse(answer->body, answer->length, "the answer", ret_body, NULL) != PROV_OK)
        return false;
    error = json_object_is_type(*ret_body, json_type_array)
                ? json_object_array_get_idx(*ret_body, 0)
                : *ret_body;
    *ret_message = json_get_string(error, "message");
    if ((*ret_code = json_get_string(error, "errorCode")) ||
        (*ret_code = json_get_string(error, "statusCode")))
        return true;
    *ret_message = json_get_string(error, "error_description");
    return (*ret_code = json_get_string(error, "error")) != NULL;
}

/* What an answer looks like that is not Salesforce's JSON. */
static const char *
kind_of_body(const struct http_answer *answer)
{
    const char *start = answer->body;

    if (!start)
        return "an empty answer";
    start += strspn(start, " \t\r\n");
    return *start == '<' ? "a page of HTML or XML" : "an answer without an error code";
}

static void
judge_not_sent(const struct http_answer *answer, struct sf_call *call)
{
    static const struct {
        const char *cause, *remedy;
    } words[] = {
        [HTTP_TRUSTED] = { "The request could not be sent.",
                           "Check network, DNS and proxy between this machine and Salesforce. It "
                           "is tried again." },
        [HTTP_CERTIFICATE] = { "Who answers there could not prove to be Salesforce: its "
                               "certificate is not accepted. Nothing was sent.",
                               "If a company proxy opens TLS, name its certificate authority in "
                               "'ca_file'; else check 'domain_name', this machine's clock and its "
                               "package ca-certificates. It is tried again." },
        [HTTP_PIN] = { "The certificate is good, but its key is not the one in 'tls_pin'. Nothing "
                       "was sent.",
                       "If Salesforce has a new key, which it may have at any time, correct "
                       "'tls_pin' "
                       "or take it out; else somebody stands between. It is tried again." },
        [HTTP_CA_FILE] = { "The file of certificate authorities cannot be read. Nothing was sent.",
                           "Correct 'ca_file': a PEM file that the host's user may read. It is "
                           "tried again." },
        [HTTP_CLIENT_CERTIFICATE] = { "The other side wants a client certificate, and ours is "
                                      "missing, not the one it takes, or cannot be used. Nothing "
                                      "was done there.",
                                      "Check 'client_certificate' and 'client_key': they belong "
                                      "together, are valid, and were given to who runs the other "
                                      "side. It is tried again." },
    };

    answer_tell(call, SF_RETRY, words[answer->distrust].cause, words[answer->distrust].remedy, "%s",
                answer->why);
}

static void
judge_missing(const struct http_answer *answer, int write, struct sf_call *call)
{
    if (answer->end == HTTP_NOT_SENT)
        judge_not_sent(answer, call);
    else
        answer_tell(call, write ? SF_UNKNOWN : SF_RETRY,
                    "The request was sent, but there was no complete answer.",
                    write ? "Nothing to do: the connector reads the org back before it sends "
                            "anything again."
                          : "Nothing to do: it is tried again.",
                    "%s", answer->why);
}

void
answer_judge(const struct http_answer *answer, enum sf_level level, int write, struct sf_call *call)
{
    AUTO_JSON struct json_object *body = NULL;
    const char *code = NULL, *message = NULL;
    struct sf_verdict verdict;

    *call = (struct sf_call){ .cause = "", .remedy = "" };
    if (answer->end != HTTP_ANSWERED) {
        judge_missing(answer, write, call);
        return;
    }
    call->http_status = answer->status;
    call->retry_after_us = answer->retry_after_us;
    if (answer_is_success(answer)) {
        call->outcome = SF_DELIVERED;
        return;
    }
    if (!read_error(answer, &body, &code, &message)) {
        code = NULL;
        snprintf(call->message, sizeof(call->message), "HTTP %d with %s", answer->status,
                 kind_of_body(answer));
    } else {
        answer_clean(code, call->code, sizeof(call->code));
        answer_clean(message, call->message, sizeof(call->message));
    }
    /* the table sees the whole message: its mark may stand behind the cut */
    verdict = sf_judge(level, answer->status, code, message, write);
    call->outcome = verdict.outcome;
    call->cause = verdict.cause;
    call->remedy = verdict.remedy;
}

bool
answer_usage(const char *limit_info, int64_t *used, int64_t *max)
{
    const char *at = strstr(limit_info, "api-usage=");
    long long first, second;

    while (at && at > limit_info && at[-1] == '-') /* "per-app-api-usage=" is another number */
        at = strstr(at + 1, "api-usage=");
    if (!at || sscanf(at, "api-usage=%18lld/%18lld", &first, &second) != 2 || first < 0 ||
        second < 0)
        return false;
    *used = first;
    *max = second;
    return true;
}

/* Others write Warning, too: a proxy, with another number. What has no end was cut, and may hold a piece of a token. */
void
answer_deprecation(const char *warning, char *ret, size_t room)
{
    const char *text = strncmp(warning, "299 ", 4) == 0 ? strchr(warning, '"') : NULL;
    const char *end = text ? strchr(text + 1, '"') : NULL;
    char plain[256];

    ret[0] = '\0';
    if (!end)
        return;
    snprintf(plain, sizeof(plain), "%.*s", (int)(end - text - 1), text + 1);
    answer_clean(plain, ret, room);
}
