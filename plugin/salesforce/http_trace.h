/* How far one request came (struct sf_trace of session.h). Private to plugin/salesforce/. */
#ifndef SALESFORCE_HTTP_TRACE_H
#define SALESFORCE_HTTP_TRACE_H

#include <stdbool.h>

#include "plugin/salesforce/session.h"

/* Of a transfer: `curl` is its CURL *, `code` its CURLcode, `why` the words for it. */

/* Whether a transfer failed because the other side wants another client certificate, or one at all. */
bool http_refuses_us(int code, const char *why);
/* After it. */
void http_trace_read(void *curl, int code, const char *why, bool tls, struct sf_trace *trace);

#endif
