/* Decides which program opens an address, and that it neither writes on our terminal nor ends with us. */
#include "hosts/cli/browser.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const char *
variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static bool
start(char *const arguments[])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    pid_t child;
    bool started;

    if (posix_spawn_file_actions_init(&files))
        return false;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    started = !posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0) &&
              !posix_spawn_file_actions_adddup2(&files, 0, 1) &&
              !posix_spawn_file_actions_adddup2(&files, 0, 2) &&
              !posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID) &&
              !posix_spawnp(&child, arguments[0], &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return started;
}

bool
browser_open(const char *url)
{
    /* a command with its own arguments; the address stays one word, whatever is in it */
    char *const named[] = { (char *)"sh", (char *)"-c", (char *)"exec $BROWSER \"$1\"",
                            (char *)"sh", (char *)url,  NULL };
    char *const usual[] = { (char *)"xdg-open", (char *)url, NULL };
    const char *browser = variable("BROWSER");

    /* a list, or a place for the address in the middle, is what xdg-open understands */
    if (browser && !strpbrk(browser, ":%"))
        return start(named);
    return (browser || variable("DISPLAY") || variable("WAYLAND_DISPLAY")) && start(usual);
}
