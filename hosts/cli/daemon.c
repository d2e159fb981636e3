/*
 * `run --daemon`. Decides when delivery begins, when the connector fields are read anew, and when it
 * ends. The plugin's own thread does the work: it looks for what other processes submit, and tries
 * again by itself whatever fails, so nothing but a signal ends the daemon once it runs.
 */
#include "hosts/cli/daemon.h"

#include <signal.h>

#include "hosts/cli/host.h"
#include "hosts/cli/screen.h"

/* Has the plugin begin: nothing is submitted here, which would do it. It may be the first to come. */
static int
begin(struct host *host)
{
    struct prov_error err = { .size = sizeof(err) };
    struct json_object *answer = NULL;
    int code;

    if (host_lacks_store(host, &err))
        complain("warning: %s; it is made now, empty", err.text);
    code = host_act(host, host_request("act", "start"), &answer);
    json_object_put(answer);
    return code;
}

/* New fields that are wrong change nothing: delivery goes on with the old ones. */
static int
read_anew(const struct options *options, struct host *host)
{
    struct host fresh = *host;

    if (host_open_fields(options, 0, &fresh, NULL)) {
        complain("the connector fields are wrong; delivery goes on with those before");
        return CODE_DONE;
    }
    host_close(host);
    *host = fresh;
    complain("the connector fields were read anew");
    return begin(host);
}

int
daemon_run(const struct options *options)
{
    sigset_t signals;
    struct host host;
    int number = 0, code;

    host_log_for_daemon();
    /* blocked before any thread is made, so that they wait for sigwait() */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    code = host_open(options, 0, &host);
    if (code)
        return code;
    code = begin(&host);
    while (!code && !sigwait(&signals, &number) && number == SIGHUP)
        code = read_anew(options, &host);
    host_close(&host);
    return code;
}
