/* Decides what a program's end means: any but a good one, and what it wrote is not to be believed. */
#include "hosts/cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts/cli/fault.h"

extern char **environ;

static int
spawn(char *const arguments[], int output, pid_t *ret)
{
    posix_spawn_file_actions_t files;
    int code = posix_spawn_file_actions_init(&files);

    if (code)
        return code;
    code = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    if (!code)
        code = posix_spawnp(ret, arguments[0], &files, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

int
program_start(char *const arguments[], struct program *ret, struct prov_error *err)
{
    int ends[2], code;
    pid_t child = 0;

    signal(SIGCHLD, SIG_DFL); /* of one that is ignored the end is not told */
    code = pipe2(ends, O_CLOEXEC) ? errno : 0;
    if (!code) {
        code = spawn(arguments, ends[1], &child);
        close(ends[1]);
        if (code)
            close(ends[0]);
    }
    if (code)
        return fault_set(err, PROV_E_NOTFOUND, "'%.300s' cannot be started: %s", arguments[0],
                         strerror(code));
    *ret = (struct program){ .process = child, .fd = ends[0] };
    return PROV_OK;
}

int
program_end(struct program *program, const char *name, struct prov_error *err)
{
    pid_t process = program->process, ended;
    int status = 0;

    close(program->fd);
    do
        ended = waitpid(process, &status, 0);
    while (ended < 0 && errno == EINTR);
    *program = (struct program){ .process = 0, .fd = -1 };
    if (ended < 0)
        return fault_set(err, PROV_E_STATE,
                         "how '%.300s' ended cannot be told, so its output may not be whole: %s",
                         name, strerror(errno));
    if (status == 0)
        return PROV_OK;
    return fault_set(err, PROV_E_STATE, "'%.300s' ended with %s %d, so its output is not whole",
                     name, WIFSIGNALED(status) ? "signal" : "status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void
program_stop(struct program *program)
{
    kill(program->process, SIGTERM);
    (void)program_end(program, "", NULL);
}
