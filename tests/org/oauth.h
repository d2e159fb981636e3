/* What the files of the token endpoint share: the external client app, its grants, and sessions.
 * Section 1 of the fact sheet. */
#ifndef ORG_OAUTH_H
#define ORG_OAUTH_H

#include "tests/org/api.h"

/* 1.3. Return false, so that a rule ends with it. */
bool oauth_refuse(struct call *call, const char *error, const char *description);

/* The app of the call's org, oauth_app.c. A text, a switch or a list of texts of it. */
const char *app_text(struct org *org, const char *name);
bool app_flag(struct org *org, const char *name);
bool app_lists(struct org *org, const char *name, const char *text);
struct json_object *app_new(void);

/* Letters, digits, '.' and '_'; heap. */
char *oauth_random(size_t length);
/* Heap, *ret_length bytes and NUL; NULL for what is not base64url or base64. */
char *oauth_decode(const char *text, size_t length, size_t *ret_length);

/* The user of a username, inactive ones too; NULL: there is none. */
struct row *oauth_user(struct org *org, const char *username);
bool oauth_check_user(struct call *call, struct row *user);
/* Whether the app may act for the user: approved, or pre-authorised (1.5). */
bool oauth_check_approval(struct call *call, struct row *user);
/* Consumer key and, where `secret_needed`, consumer secret. */
bool oauth_check_client(struct call *call, bool secret_needed);
/* Answers with a session of the user (1.2). refresh_token NULL: none in the reply. */
void oauth_grant(struct call *call, struct row *user, const char *refresh_token);

/* The grants: oauth_grants.c, oauth_jwt.c and oauth_code.c. */
void grant_by_jwt(struct call *call);
void grant_by_password(struct call *call);
void grant_by_refresh_token(struct call *call);
void grant_by_code(struct call *call);
/* A new refresh token of a user, the first of its line. Heap. */
char *refresh_token_new(struct org *org, struct row *user);
bool refresh_token_end(struct org *org, const char *token);
void api_authorize(struct call *call);

/* Which org of the world a grant at the login host is for; NULL: none can be told. */
struct org *org_of_jwt(struct world *world, struct call *call);
struct org *org_of_refresh_token(struct world *world, struct call *call);
struct org *org_of_code(struct world *world, struct call *call);

#endif
