/* The log of calls an org was asked (GET /__org/calls). */
#ifndef ORG_CALLS_H
#define ORG_CALLS_H

#include "tests/org/text.h"

struct call;

struct call_log *calls_new(void);
void calls_free(struct call_log *log);
void calls_add(struct call_log *log, const struct call *call, int64_t at_ms);
struct json_object *calls_state(const struct call_log *log);

#endif
