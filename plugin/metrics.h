/* The status in the text format of Prometheus, version 0.0.4. Pure. */
#ifndef PLUGIN_METRICS_H
#define PLUGIN_METRICS_H

#include "plugin/base/json.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Every sample is labelled with the store, so that several connectors of one host do not meet; a number
 * that is not known is left out. *ret is heap; PROV_E_NOMEM.
 */
MUST_CHECK int metrics_text(struct json_object *status, char **ret, struct prov_error *err);

#endif
