/*
 * sfprov-principals: the persons of a realm as a list for `sfprov sync --by-name`, and where its connector fields are.
 * Decides nothing: who is a person, and what disabled means, is as the adapter has it. Reads what kdb5_util tells of the
 * database, names and flags, and no keys.
 */
#include <errno.h>
#include <fcntl.h>
#include <krb5/krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosts/cli/program.h"
#include "hosts/kadm5/config.h"

#define DISABLED 0x40u /* DISALLOW_ALL_TIX */

struct principal {
    char *name; /* as kdb5_util writes it */
    bool disabled, seen, expired;
};

struct list {
    struct principal *items;
    size_t count, room;
};

static void
fail(const char *what, const char *why)
{
    fprintf(stderr, "sfprov-principals: %s: %s\n", what, why);
    exit(1);
}

static struct principal *
add(struct list *list, const char *name)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 1024;
        list->items = realloc(list->items, list->room * sizeof(*list->items));
        if (!list->items)
            fail(name, "out of memory");
    }
    list->items[list->count] = (struct principal){ .name = strdup(name) };
    if (!list->items[list->count].name)
        fail(name, "out of memory");
    return &list->items[list->count++];
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct principal *)a)->name, ((const struct principal *)b)->name);
}

/* ---- what kdb5_util tells ---- */

/* Calls take() for each row but the header, as its first three columns. */
static void
dump(const char *realm, const char *what, void (*take)(struct list *, char *columns[3]),
     struct list *list)
{
    char *const words[] = { (char *)"kdb5_util", (char *)"-r", (char *)realm, (char *)"tabdump",
                            (char *)"-n",        (char *)what, NULL };
    struct prov_error err = { .size = sizeof(err) };
    struct program program = { .process = 0 };
    char *line = NULL;
    size_t size = 0;
    bool header = true;
    FILE *file;

    if (program_start(words, &program, &err))
        fail(what, err.text);
    file = fdopen(fcntl(program.fd, F_DUPFD_CLOEXEC, 0), "r");
    while (file && getline(&line, &size, file) > 0) {
        char *rest = line, *columns[3];

        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < 3; i++)
            columns[i] = strsep(&rest, "\t");
        if (!columns[2])
            fail(what, "the output of kdb5_util is of another form");
        if (!header)
            take(list, columns);
        header = false;
    }
    free(line);
    if (file)
        fclose(file);
    if (program_end(&program, words[0], &err))
        fail(what, err.text);
    if (header)
        fail(what, "kdb5_util told nothing");
}

static void
take_flag(struct list *list, char *columns[3])
{
    if (strtoul(columns[1], NULL, 0) == DISABLED)
        add(list, columns[0])->disabled = strcmp(columns[2], "0") != 0;
}

/* Whoever came between the two is in neither: that they came has been handed over. */
static void
take_expiry(struct list *list, char *columns[3])
{
    const struct principal wanted = { .name = columns[0] };
    struct principal *found =
        list->count ? bsearch(&wanted, list->items, list->count, sizeof(*list->items), by_name)
                    : NULL;
    long long at = atoll(columns[1]);

    if (!found)
        return;
    found->seen = true;
    found->expired = at != 0 && at <= (long long)time(NULL);
}

/* ---- names ---- */

/* A principal of one component, of this realm: *to gets its bytes. */
static bool
read_name(const char *text, const char *realm, char *to)
{
    static const char from_letters[] = "ntb", bytes[] = "\n\t\b";

    for (; *text && *text != '@'; text++) {
        const char *letter;

        if (*text == '/')
            return false;
        if (*text == '\\' && text[1]) {
            text++;
            letter = strchr(from_letters, *text);
            if (*text == '0')
                return false;
            *to++ = letter ? bytes[letter - from_letters] : *text;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
    return *text == '@' && !strcmp(text + 1, realm);
}

static void
print_cell(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void
print(const struct list *list, const struct config *config, const char *realm)
{
    puts("userName,active");
    for (size_t i = 0; i < list->count; i++) {
        const struct principal *principal = &list->items[i];
        char *name = strdup(principal->name);

        if (!name)
            fail(principal->name, "out of memory");
        if (principal->seen && read_name(principal->name, realm, name) &&
            config_is_person(config, name)) {
            print_cell(name);
            puts(principal->disabled || principal->expired ? ",false" : ",true");
        }
        free(name);
    }
}

static char *
default_realm(void)
{
    krb5_context context;
    char *realm = NULL;

    if (krb5_init_context(&context) || krb5_get_default_realm(context, &realm))
        fail("the configuration of Kerberos", "there is no default realm; name it with 'realm'");
    return realm; /* with the context, for as long as the program runs */
}

static void
print_list(const struct config *config)
{
    const char *realm = config->realm ? config->realm : default_realm();
    struct list list = { .items = NULL };

    dump(realm, "princ_flags", take_flag, &list);
    if (list.count) /* else there are no items to point to */
        qsort(list.items, list.count, sizeof(*list.items), by_name);
    dump(realm, "princ_tktpolicy", take_expiry, &list);
    print(&list, config, realm);
    for (size_t i = 0; i < list.count; i++)
        free(list.items[i].name);
    free(list.items);
}

int
main(int argc, char **argv)
{
    struct prov_error err = { .size = sizeof(err) };
    struct config config;
    bool fields = argc > 1 && !strcmp(argv[1], "--fields");
    const char *const *files = (const char *const *)argv + 1 + fields;

    if (*files && (files[1] || **files == '-')) {
        fprintf(stderr, "usage: sfprov-principals [--fields] [FILE]\n"
                        "Writes the persons of the realm as CSV, or where its connector fields "
                        "are.\nFILE: the adapter's configuration (" CONFIG_PATH ").\n");
        return 2;
    }
    if (config_read(*files ? *files : CONFIG_PATH, &config, &err))
        fail("the configuration", err.text);
    if (fields)
        puts(config.settings.fields_file);
    else
        print_list(&config);
    config_clear(&config);
    if (fflush(stdout) != 0 || ferror(stdout))
        fail("its output", strerror(errno));
    return 0;
}
