/* Accepting events of which some say less than the whole: the host is asked for the resource. */
#ifndef PLUGIN_RESOLVE_H
#define PLUGIN_RESOLVE_H

#include "plugin/base/log.h"
#include "plugin/store/store.h"

struct resolver {
    const struct prov_host *host;
    const struct log *log;
};

/*
 * store_accept(), and asks the host, on the caller's thread and under no lock, where an event needs
 * it (event_asks). Every answer is final: a notice that nobody can resolve is refused, an event whose
 * ask failed is unknown, and so is what follows it of the same subject. PROV_E_STORE: every answer but
 * those refused is unknown, and says why as *err does, which is not NULL.
 */
MUST_CHECK int resolve_accept(const struct resolver *resolver, struct store *store,
                              struct event **events, size_t count, struct store_answer *answers,
                              struct prov_error *err);

/* For preview: asks the host, if it can be asked. Fails where submit would not accept the event. */
MUST_CHECK int resolve_for_preview(const struct resolver *resolver, struct event *event,
                                   struct prov_error *err);

#endif
