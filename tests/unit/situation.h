/* A subject, what is linked, and the plan that comes of them: for the tests of the plan. */
#ifndef TESTS_SITUATION_H
#define TESTS_SITUATION_H

#include "plugin/delivery/plan.h"
#include "tests/unit/values.h"

#define EXTENSION  "\"urn:ietf:params:scim:schemas:extension:sfprov:1.0:User\""
#define ENTERPRISE "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\""
#define ID         "005000000000001AAA"
#define PROFILE    "00e000000000001AAA"

#define NAME "\"name\":{\"givenName\":\"Ada\",\"familyName\":\"Nym\"}"
#define MAIL "\"emails\":[{\"value\":\"ada@x.example\"}]"
#define ADA  "\"userName\":\"Ada\"," NAME "," MAIL

/* Connector fields with some more of them: ",\"create_inactive\":true". */
static inline struct fields *
fields_with(const char *more)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct fields *fields = NULL;
    char text[1500];

    snprintf(text, sizeof(text),
             "{\"domain_name\":\"acme\",\"client_id\":\"c\",\"client_secret\":\"cAnArY\","
             "\"profile\":\"Standard User\",\"store\":\"/nowhere/store.db\"%s%s}",
             strstr(more, "\"provisioning_domain\"") ? ""
                                                     : ",\"provisioning_domain\":\"acme.example\"",
             more);
    T_OK(fields_parse(text, strlen(text), &fields, NULL, NULL, &err), &err);
    return fields;
}

/* A subject, what is linked, and the plan that comes of them. */
struct situation {
    struct fields *fields;
    struct subject subject;
    struct link link;
    struct plan plan;
    const char *profile_id, *manager_id;
    struct value *there;
    bool replan;
};

/* resource NULL: never seen. */
static inline void
want(struct situation *s, const char *more_fields, const char *resource)
{
    *s = (struct situation){ .profile_id = PROFILE };
    s->fields = fields_with(more_fields);
    s->subject.id = 1;
    s->subject.iss = strdup("https://hr.example");
    s->subject.uri = strdup("/Users/1");
    s->subject.presence = PRESENCE_IN;
    s->subject.version = 1;
    s->subject.resource = resource ? value_of(resource) : NULL;
}

static inline void
make(struct situation *s)
{
    struct prov_error err = PROV_ERROR_INIT;
    struct plan_input input = { .fields = s->fields,
                                .traced = true,
                                .subject = &s->subject,
                                .link = &s->link,
                                .profile_id = s->profile_id,
                                .manager_id = s->manager_id,
                                .replan = s->replan,
                                .there = s->there };

    plan_done(&s->plan);
    T_OK(plan_make(&input, &s->plan, &err), &err);
}

/* The first plan was delivered: what it sent is what is there. */
static inline void
deliver(struct situation *s)
{
    make(s);
    T_INT(s->plan.action, PLAN_CREATE);
    strcpy(s->link.salesforce_id, ID);
    T_INT(value_copy(&test_values, s->plan.fields, &s->link.confirmed), PROV_OK);
    free(s->link.username_held);
    s->link.username_held = strdup(s->plan.username);
    free(s->link.username_inputs);
    s->link.username_inputs = strdup(s->plan.username_inputs);
}

/* This is confirmed as well now. */
static inline void
confirm(struct situation *s, const char *field, struct value *value)
{
    T_INT(value_put(&test_values, s->link.confirmed, field, value), PROV_OK);
}

/* The host says something else now. */
static inline void
change(struct situation *s, const char *resource)
{
    s->subject.resource = value_of(resource);
}

static inline void
reconfigure(struct situation *s, const char *more_fields)
{
    fields_free(s->fields);
    s->fields = fields_with(more_fields);
}

static inline void
done(struct situation *s)
{
    plan_done(&s->plan);
    subject_done(&s->subject);
    link_done(&s->link);
    fields_free(s->fields);
}

static inline const char *
sent(struct situation *s)
{
    static char text[2000];
    AUTO_FREE char *canonical = s->plan.fields ? value_canonical(s->plan.fields) : NULL;

    snprintf(text, sizeof(text), "%s", canonical ? canonical : "");
    return text;
}

#endif
