/* Secrets by reference: which files are private enough, what is read of them, and that nothing of a
 * secret is in an error. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/base/secret_ref.h"
#include "tests/unit/unit.h"

#define CANARY "canary-7f3a"

struct place {
    char directory[100], path[160], reference[200];
};

static void
place_make(struct place *place, const char *content, mode_t mode)
{
    FILE *file;

    snprintf(place->directory, sizeof(place->directory), "/tmp/sfprov-secret-XXXXXX");
    T_TRUE(mkdtemp(place->directory) != NULL);
    snprintf(place->path, sizeof(place->path), "%s/secret", place->directory);
    snprintf(place->reference, sizeof(place->reference), "file:%s", place->path);
    file = fopen(place->path, "we");
    T_TRUE(file && fputs(content, file) >= 0);
    if (file)
        T_INT(fclose(file), 0);
    T_INT(chmod(place->path, mode), 0);
}

static void
place_remove(struct place *place)
{
    unlink(place->path);
    rmdir(place->directory);
}

/* Reads; checks that it is refused with these words and nothing of the secret. */
static void
refused(const char *reference, const char *words)
{
    AUTO_SECRET char *secret = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_INT(secret_ref_read(reference, &secret, &err), PROV_E_FIELDS);
    T_HAS(err.text, words);
    T_TRUE(!strstr(err.text, CANARY));
    T_TRUE(secret == NULL);
}

static void
gives(const char *reference, const char *wanted)
{
    AUTO_SECRET char *secret = NULL;
    struct prov_error err = PROV_ERROR_INIT;

    T_OK(secret_ref_read(reference, &secret, &err), &err);
    T_STR(secret, wanted);
}

static void
a_literal_is_the_secret(void)
{
    gives(CANARY, CANARY);
    gives("literal:file:/x", "file:/x");
    T_TRUE(!secret_ref_is(CANARY));
    T_TRUE(!secret_ref_is("literal:env:X"));
    T_TRUE(secret_ref_is("file:/x") && secret_ref_is("env:X") && secret_ref_is("credential:x"));
}

static void
a_file_is_read_without_the_end_of_its_line(void)
{
    static const char *const ends[] = { "", "\n", "\r\n" };

    for (size_t i = 0; i < 3; i++) {
        struct place place;
        char content[64];
        snprintf(content, sizeof(content), CANARY "%s", ends[i]);
        place_make(&place, content, 0600);
        gives(place.reference, CANARY);
        T_INT(chmod(place.path, 0400), 0);
        gives(place.reference, CANARY);
        place_remove(&place);
    }
}

static void
a_file_that_others_can_read_is_refused_with_what_to_do(void)
{
    static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0644, 0660, 0777 };

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct place place;
        place_make(&place, CANARY, modes[i]);
        refused(place.reference, "chmod 600");
        place_remove(&place);
    }
}

static void
what_is_no_plain_file_is_refused(void)
{
    struct place place;
    char other[200];

    place_make(&place, CANARY, 0600);
    snprintf(other, sizeof(other), "file:%s/link", place.directory);
    T_INT(symlink(place.path, other + 5), 0);
    refused(other, "symbolic link");
    unlink(other + 5);
    T_INT(mkfifo(other + 5, 0600), 0);
    refused(other, "no regular file");
    unlink(other + 5);
    snprintf(other, sizeof(other), "file:%s", place.directory);
    refused(other, "no regular file");
    refused("file:/nowhere/at/all", "cannot be opened");
    place_remove(&place);
}

static void
a_file_of_somebody_else_is_refused(void)
{
    struct place place;

    if (geteuid() != 0) /* only root can give files away */
        return;
    place_make(&place, CANARY, 0600);
    T_INT(chown(place.path, 12345, 12345), 0);
    refused(place.reference, "belongs to user 12345");
    place_remove(&place);
}

static void
an_empty_a_long_and_a_binary_file_are_refused(void)
{
    struct place place;
    int file;

    place_make(&place, "", 0600);
    refused(place.reference, "has 0 bytes");
    place_remove(&place);
    place_make(&place, "\n", 0600);
    refused(place.reference, "is empty");
    place_remove(&place);
    place_make(&place, CANARY "\n" CANARY, 0600);
    refused(place.reference, "control character at position 12");
    place_remove(&place);
    place_make(&place, "x", 0600);
    file = open(place.path, O_WRONLY | O_CLOEXEC);
    T_INT(ftruncate(file, SECRET_MAX_BYTES + 1), 0);
    close(file);
    refused(place.reference, "65537 bytes");
    place_remove(&place);
}

static void
a_changed_file_is_read_anew(void)
{
    struct place place;
    FILE *file;

    place_make(&place, "before", 0600);
    gives(place.reference, "before");
    file = fopen(place.path, "we");
    T_TRUE(file && fputs("after", file) >= 0);
    if (file)
        T_INT(fclose(file), 0);
    gives(place.reference, "after");
    place_remove(&place);
}

static void
a_variable_of_the_environment_is_read(void)
{
    setenv("SFPROV_TEST_SECRET", CANARY, 1);
    gives("env:SFPROV_TEST_SECRET", CANARY);
    unsetenv("SFPROV_TEST_SECRET");
    refused("env:SFPROV_TEST_SECRET", "no variable 'SFPROV_TEST_SECRET'");
}

static void
a_credential_of_systemd_is_read(void)
{
    struct place place;

    place_make(&place, CANARY "\n", 0440);
    setenv("CREDENTIALS_DIRECTORY", place.directory, 1);
    gives("credential:secret", CANARY);
    refused("credential:other", "cannot be opened");
    T_INT(chmod(place.path, 0444), 0);
    refused("credential:secret", "others can read or change");
    unsetenv("CREDENTIALS_DIRECTORY");
    refused("credential:secret", "LoadCredential=secret");
    place_remove(&place);
}

static void
a_reference_that_cannot_be_one_is_refused_without_a_look(void)
{
    static const char *const wrong[] = {
        "file:",          "file:relative", "file:/dir/",         "env:",
        "env:1X",         "env:A-B",       "credential:",        "credential:../x",
        "credential:a/b", "credential:.",  "env:" CANARY " more"
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct prov_error err = PROV_ERROR_INIT;
        T_INT(secret_ref_check(wrong[i], &err), PROV_E_FIELDS);
        T_HAS(err.text, "; write ");
        T_TRUE(!strstr(err.text, CANARY));
        refused(wrong[i], "; write ");
    }
    T_INT(secret_ref_check("file:/x", NULL), PROV_OK);
    T_INT(secret_ref_check("anything else: at all", NULL), PROV_OK);
}

int
main(int argc, char **argv)
{
    static const struct unit_case cases[] = {
        UNIT_CASE(a_literal_is_the_secret),
        UNIT_CASE(a_file_is_read_without_the_end_of_its_line),
        UNIT_CASE(a_file_that_others_can_read_is_refused_with_what_to_do),
        UNIT_CASE(what_is_no_plain_file_is_refused),
        UNIT_CASE(a_file_of_somebody_else_is_refused),
        UNIT_CASE(an_empty_a_long_and_a_binary_file_are_refused),
        UNIT_CASE(a_changed_file_is_read_anew),
        UNIT_CASE(a_variable_of_the_environment_is_read),
        UNIT_CASE(a_credential_of_systemd_is_read),
        UNIT_CASE(a_reference_that_cannot_be_one_is_refused_without_a_look),
    };

    return unit_run("secret_ref", cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
