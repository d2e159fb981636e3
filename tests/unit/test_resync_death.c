/* The mark that a resync is needed, when somebody dies while another one looks at it. A program of its own, since the
 * plugin's calls of open() come here. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "plugin/resync.h"

static char store[96], mark[128];

/* Who dies before the second open of the mark: the first one is of whoever looks, the second takes a place. */
static struct resync_work *dies;
static int opens;

int
open(const char *path, int flags, ...)
{
    va_list more;
    int fd;

    va_start(more, flags);
    if (dies && strcmp(path, mark) == 0 && ++opens == 2)
        resync_work_free(STEAL(dies));
    fd = openat(AT_FDCWD, path, flags, flags & O_CREAT ? va_arg(more, int) : 0);
    va_end(more);
    return fd;
}

static void
who_begins_while_another_one_dies_does_not_stand_for_him(void)
{
    struct resync_work work = RESYNC_WORK_INIT, other = RESYNC_WORK_INIT;
    struct prov_error err = PROV_ERROR_INIT;
    AUTO_JSON struct json_object *shown = NULL;
    char folder[] = "/tmp/sfprov-resync-XXXXXX";

    T_TRUE(mkdtemp(folder) != NULL);
    snprintf(store, sizeof(store), "%s/store.db", folder);
    snprintf(mark, sizeof(mark), "%s.resync", store);
    T_OK(resync_begin(&other, store, "slapd", &err), &err);
    dies = &other;
    T_OK(resync_begin(&work, store, "kadmind", &err), &err);
    T_TRUE(!dies);
    T_OK(resync_read(store, &shown, &err), &err);
    T_INT(json_get_int(shown, "missed", 0), 1);
    T_HAS(json_get_string(shown, "reason"), "slapd, process ");
    T_HAS(json_get_string(shown, "reason"), "did not end in order");
    T_OK(resync_end(&work, store, &err), &err);
    resync_work_free(&work);
    unlink(mark);
    T_INT(rmdir(folder), 0);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(who_begins_while_another_one_dies_does_not_stand_for_him),
    };

    return unit_run("resync_death", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
