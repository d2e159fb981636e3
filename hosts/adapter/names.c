/* Decides who has a name, and how somebody new is told from those who had it. */
#include "hosts/adapter/names.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/cli/fault.h"
#include "hosts/cli/person.h"

#define AT_ONCE 20 /* URIs that are looked at in one question */

static const char *
text_of(struct json_object *row, const char *name)
{
    struct json_object *value = NULL;
    const char *text = json_object_object_get_ex(row, name, &value) && value
                           ? json_object_get_string(value)
                           : NULL;

    return text ? text : "";
}

/* The rows of a question, which is taken over. NULL in *ret: there is no store yet. */
static int
ask(const struct names *names, struct json_object *question, struct json_object **ret,
    struct prov_error *err)
{
    char *text = NULL;
    const char *json;
    int result;

    *ret = NULL;
    json_object_object_add(question, "query", json_object_new_string("subjects"));
    json = json_object_to_json_string_ext(question, JSON_C_TO_STRING_PLAIN);
    result = json ? names->api->query(names->connector, json, strlen(json), &text, err)
                  : fault_nomem(err);
    json_object_put(question);
    if (result == PROV_E_NOTFOUND)
        return PROV_OK;
    if (result)
        return result;
    *ret = json_tokener_parse(text);
    names->api->release(text);
    return *ret ? PROV_OK : fault_nomem(err);
}

static struct json_object *
rows_of(struct json_object *answer)
{
    struct json_object *rows = NULL;

    json_object_object_get_ex(answer, "subjects", &rows);
    return json_object_is_type(rows, json_type_array) ? rows : NULL;
}

int
names_find(const struct names *names, const char *name, char **ret_uri, struct prov_error *err)
{
    struct json_object *question = json_object_new_object(), *answer = NULL, *rows;
    const char *found = NULL, *other = NULL;
    int result;

    json_object_object_add(question, "userName", json_object_new_string(name));
    if (names->issuer)
        json_object_object_add(question, "issuer", json_object_new_string(names->issuer));
    result = ask(names, question, &answer, err);
    rows = rows_of(answer);
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);

        if (!strcmp(text_of(row, "presence"), "gone") || strcmp(text_of(row, "userName"), name))
            continue;
        other = found;
        found = text_of(row, "uri");
        if (other)
            break;
    }
    *ret_uri = NULL;
    if (!result && other)
        result =
            fault_set(err, PROV_E_INVALID,
                      "two users are called '%.200s', '%.200s' and '%.200s', so that nobody can "
                      "tell which one is meant; a list with keys that has one of them ends that",
                      name, other, found);
    else if (!result && found && !(*ret_uri = strdup(found)))
        result = fault_nomem(err);
    json_object_put(answer);
    return result;
}

/* The URI of the nth of a name. */
static char *
nth_uri(const char *name, unsigned number)
{
    char *key = NULL, *uri;

    if (number == 1)
        return person_uri(name);
    if (asprintf(&key, "%s~%u", name, number) < 0)
        return NULL;
    uri = person_uri(key);
    free(key);
    return uri;
}

static bool
is_taken(struct json_object *rows, const char *uri)
{
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        if (!strcmp(text_of(json_object_array_get_idx(rows, i), "uri"), uri))
            return true;
    }
    return false;
}

/* The first that is free of some, from the nth on; NULL in *ret_uri: none is. */
static int
find_free(const struct names *names, const char *name, unsigned from, char **ret_uri,
          struct prov_error *err)
{
    struct json_object *question = json_object_new_object(), *answer = NULL;
    struct json_object *users = json_object_new_array();
    int result = PROV_OK;

    for (unsigned i = 0; i < AT_ONCE && !result; i++) {
        char *uri = nth_uri(name, from + i);

        result = uri && json_object_array_add(users, json_object_new_string(uri)) == 0
                     ? PROV_OK
                     : fault_nomem(err);
        free(uri);
    }
    json_object_object_add(question, "users", users);
    if (result)
        json_object_put(question);
    else
        result = ask(names, question, &answer, err);
    for (unsigned i = 0; i < AT_ONCE && !result && !*ret_uri; i++) {
        char *uri = nth_uri(name, from + i);

        if (!uri)
            result = fault_nomem(err);
        else if (is_taken(rows_of(answer), uri))
            free(uri);
        else
            *ret_uri = uri;
    }
    json_object_put(answer);
    return result;
}

int
names_new_uri(const struct names *names, const char *name, char **ret_uri, struct prov_error *err)
{
    int result = PROV_OK;

    *ret_uri = NULL;
    for (unsigned from = 1; !result && !*ret_uri; from += AT_ONCE)
        result = find_free(names, name, from, ret_uri, err);
    return result;
}
